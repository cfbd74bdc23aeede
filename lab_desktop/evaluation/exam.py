"""The exam of a leaf as its author edits it: written back whole, so that `questions` reads what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lab_desktop.errors import EvaluationError
from lab_desktop.evaluation.questions import MOST_BYTES, Question
from lab_desktop.files import disk_errors, write_text
from lab_desktop.paths import EXAM

BEFORE = f"{EXAM}.before"
"""The file as a person wrote it, where it had comments: they are not written back."""


def write_exam(leaf_folder: Path, questions: Sequence[Question]) -> None:
    """Replace `leaf_folder`/exam.yaml; without questions there is none.

    Raises:
        EvaluationError: more than one file may hold; the one before stays.
        StorageError: it could not be written; the one before stays.
    """
    path = leaf_folder / EXAM
    value = {"questions": [_fields(each) for each in questions]}
    text = str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False))
    if len(text.encode()) > MOST_BYTES:
        raise EvaluationError("These are more questions than can be asked.", "Remove some, or shorten their answers.")
    with disk_errors(path, "The questions"):
        before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        if any(line.lstrip().startswith("#") for line in before.splitlines()) and not (leaf_folder / BEFORE).exists():
            write_text(leaf_folder / BEFORE, before)
        if questions:
            write_text(path, text)
        else:
            path.unlink(missing_ok=True)


class _Dumper(yaml.SafeDumper):
    """Quotes whatever is not plainly seen: line ends other than the usual one would be lost."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        return super().represent_scalar(tag, value, style or (None if value.isprintable() else '"'))


def _fields(question: Question) -> dict[str, Any]:
    """A question as the file has it, without what is empty."""
    rule = question.rule
    fields = {
        "question": question.question,
        "context": question.context,
        "answer": question.answer,
        "accept": list(question.accept),
        "rule": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (vars(rule) if rule is not None else {}).items()
            if value
        },
    }
    return {name: value for name, value in fields.items() if value} | (
        {"seed": question.seed} if question.seed is not None else {}
    )
