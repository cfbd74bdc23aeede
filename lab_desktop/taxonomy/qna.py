"""qna.yaml: a leaf from the file, and the file from a leaf.

Reads version 3, and skills of the older versions 1 and 2. Writes version 3 only, in one form: every text in
double quotes or, when it has several lines, as a block, so that
YAML cannot misread a text, nor InstructLab's lint object to it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.files import write_text
from lab_desktop.taxonomy.tree import FILE_NAME, node_of

if TYPE_CHECKING:
    from lab_desktop.taxonomy.check import Inspection

_VERSION = 3
_SHOWN = 3


def read_leaf(folder: Path) -> Leaf:
    """The leaf in `folder` (or at the path of a qna.yaml).

    Blanks and blank lines that InstructLab's lint objects to are no reason to refuse; texts are given as written.

    Raises:
        LeafError: the file has errors; the first of them are listed with line and field.
    """
    # The validators behind it take longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import inspect

    file = folder if folder.name == FILE_NAME else folder / FILE_NAME
    found = inspect(file)
    errors = [problem for problem in found.problems if problem.severity == "error" and not problem.layout]
    if errors:
        count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
        listed = " ".join(str(problem) for problem in errors[:_SHOWN])
        rest = f" And {len(errors) - _SHOWN} more." if len(errors) > _SHOWN else ""
        raise LeafError(f'"{file}" has {count}. {listed}{rest}', errors[0].hint)
    if found.contents is None:
        raise LeafError(f'"{file}" is empty: a draft, not a lesson yet.', "Write it first.")
    return _leaf(file.parent, found, found.contents)


def write_leaf(leaf: Leaf, folder: Path) -> Path:
    """Write `leaf` as `folder`/qna.yaml, and give that path.

    Raises:
        StorageError: the file cannot be written; an older one is untouched.
    """
    file = folder / FILE_NAME
    write_text(file, to_yaml(leaf))
    return file


def to_yaml(leaf: Leaf) -> str:
    """The text of the leaf's qna.yaml, version 3."""
    is_knowledge = leaf.kind is LeafKind.KNOWLEDGE
    lines = [f"version: {_VERSION}", _field(0, "created_by", leaf.created_by)]
    if is_knowledge:
        lines += [_field(0, "domain", leaf.domain), _field(0, "document_outline", leaf.document_outline)]
    else:
        lines.append(_field(0, "task_description", leaf.task_description))
    lines.append("seed_examples:" if leaf.seed_examples else "seed_examples: []")
    for example in leaf.seed_examples:
        fields = []
        if example.context is not None:
            fields.append(_field(4, "context", example.context))
        if is_knowledge:
            fields.append("    questions_and_answers:")
            fields += [_item(6, _pair(8, pair)) for pair in example.pairs]
        else:
            fields += [line for pair in example.pairs for line in _pair(4, pair)]
        lines.append(_item(2, fields))
    if leaf.document is not None:
        lines += ["document:", _field(2, "repo", leaf.document.repo), _field(2, "commit", leaf.document.commit)]
        lines.append("  patterns:")
        lines += [f"    - {_quoted(pattern)}" for pattern in leaf.document.patterns]
    return "\n".join(lines) + "\n"


def _leaf(folder: Path, found: Inspection, contents: dict[str, Any]) -> Leaf:
    examples = tuple(_seed_example(example) for example in contents["seed_examples"])
    if found.is_knowledge:
        kind = LeafKind.KNOWLEDGE
    else:
        kind = LeafKind.FREEFORM_SKILL if examples[0].context is None else LeafKind.GROUNDED_SKILL
    document = contents.get("document")
    return Leaf(
        node=node_of(folder, found.is_knowledge),
        folder=folder,
        kind=kind,
        version=int(contents.get("version", 1)),
        created_by=contents["created_by"],
        seed_examples=examples,
        task_description=contents.get("task_description", ""),
        domain=contents.get("domain", ""),
        document_outline=contents.get("document_outline", ""),
        document=document and DocumentSource(document["repo"], document["commit"], tuple(document["patterns"])),
    )


def _seed_example(example: dict[str, Any]) -> SeedExample:
    pairs = example.get("questions_and_answers", [example])
    return SeedExample(tuple(Pair(pair["question"], pair["answer"]) for pair in pairs), example.get("context"))


def _pair(indent: int, pair: Pair) -> list[str]:
    return [_field(indent, "question", pair.question), _field(indent, "answer", pair.answer)]


def _item(indent: int, fields: list[str]) -> str:
    """The fields of one list item: the first takes the hyphen in place of two of its blanks."""
    text = "\n".join(fields)
    return " " * indent + "- " + text[indent + 2 :]


def _field(indent: int, name: str, text: str) -> str:
    blanks = " " * indent
    if not _reads_well_as_block(text):
        return f"{blanks}{name}: {_quoted(text)}"
    body = "\n".join(f"{blanks}  {line}" if line else "" for line in text.removesuffix("\n").split("\n"))
    return f"{blanks}{name}: {'|' if text.endswith(chr(10)) else '|-'}\n{body}"


# What PyYAML refuses to read unescaped, or takes for a line end.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
# Lint objects to trailing blanks and to three blank lines even inside a text; a block cannot begin with a blank.
_UNFIT_FOR_BLOCK = re.compile(r"\A\s|[^\S\n]\n|\s\s\Z|[^\S\n]\Z|\n{4}")


def _reads_well_as_block(text: str) -> bool:
    return "\n" in text[:-1] and not _UNPRINTABLE.search(text) and not _UNFIT_FOR_BLOCK.search(text)


def _quoted(text: str) -> str:
    """`text` in double quotes on one line: JSON's escapes are YAML's, and cover all that JSON knows of."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(text, ensure_ascii=False))
