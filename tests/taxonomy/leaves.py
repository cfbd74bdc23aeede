"""Small leaves for tests, and InstructLab's own verdict on a file."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from pathlib import Path

import pytest
import yamllint.linter
from instructlab.schema.taxonomy import Taxonomy, TaxonomyParser, TaxonomyReadingException
from yamllint.config import YamlLintConfig


def knowledge(examples: int = 5, pairs: int = 3) -> str:
    """A valid knowledge leaf in canonical form."""
    text = 'version: 3\ncreated_by: "jane"\ndomain: "Islands"\ndocument_outline: "The island."\nseed_examples:\n'
    for number in range(examples):
        text += f'  - context: "Bay {number} has a pier."\n    questions_and_answers:\n'
        for pair in range(pairs):
            text += f'      - question: "Item {number}{pair}?"\n        answer: "Fact {number}{pair}."\n'
    return text + 'document:\n  repo: "island"\n  commit: "abc123"\n  patterns:\n    - "*.md"\n'


def skill(examples: int = 5, version: int = 3, context: bool = False) -> str:
    """A valid skill leaf in canonical form."""
    text = f'version: {version}\ncreated_by: "jane"\ntask_description: "Rhyme."\nseed_examples:\n'
    for number in range(examples):
        first = f'context: "Bay {number}"\n    question: ' if context else "question: "
        text += f'  - {first}"Rhyme on {number}?"\n    answer: "Number {number}."\n'
    return text


def write(folder: Path, text: str | bytes, document: bool = True) -> Path:
    """`text` as folder/qna.yaml, with a document beside it; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "qna.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if document:
        (folder / "island.md").write_text("# Island\n\nText.\n")
    return folder / "qna.yaml"


def answered(answer: str) -> str:
    """A knowledge leaf whose third example's second answer is `answer`, as written in the file."""
    return knowledge().replace('"Fact 21."', answer)


def skill_answered(answer: str) -> str:
    return skill().replace('"Number 2."', answer)


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


VERSION = "version: 3\n"
MIXED = swapped(skill(), '  - question: "Rhyme on 2?"', '  - context: "Bay"\n    question: "Rhyme on 2?"')
TWINS = swapped(swapped(skill(), "Rhyme on 1?", "Rhyme on 0?"), "Number 1.", "Number 0.")
SAME_QUESTION = swapped(skill(), "Rhyme on 1?", "Rhyme on 0?")


@functools.cache
def _config(rules: str) -> YamlLintConfig:
    return YamlLintConfig(rules)


class _ParserWithLintInside(TaxonomyParser):  # type: ignore[misc]
    """The package's parser, with yamllint called as a function: a process for each of many files takes too long."""

    def _yamllint(self, text: str, taxonomy: Taxonomy) -> None:
        for problem in yamllint.linter.run(text.encode(), _config(self.yamllint_config)):
            report = taxonomy.error if self.yamllint_strict or problem.level == "error" else taxonomy.warning
            report("%s", problem.desc)


def instructlab_rejects(file: Path, mode: str, monkeypatch: pytest.MonkeyPatch, real_lint: bool = False) -> bool:
    """True when the package's parser, run as InstructLab runs it in `mode`, finds an error."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    parser = (TaxonomyParser if real_lint else _ParserWithLintInside)(
        schema_version=0 if mode == "file" else None, yamllint_strict=mode == "file", message_format="standard"
    )
    parser.yq_available = False  # it only finds line numbers
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return parser.parse(file).errors > 0
    except TaxonomyReadingException:
        return True
