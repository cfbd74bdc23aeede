"""How far a lesson is, in one word."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

from lab_desktop.errors import DocumentError
from lab_desktop.paths import documents_beside
from lab_desktop.taxonomy.tree import FILE_NAME


class Badge(enum.StrEnum):
    """Draft, ready and problem are what the files say; trained and shared are what became of them."""

    DRAFT = "draft"
    READY = "ready"
    PROBLEM = "problem"
    TRAINED = "trained"
    SHARED = "shared"


def verdict(folder: Path) -> tuple[Badge, str]:
    """Draft, ready or problem, and the first thing to mend in a sentence ("" when ready).

    Ready: the check in file mode has no errors. Draft: it lacks only what its writer has not written yet. Problem:
    everything else, which somebody else's hand or program put there: no YAML, foreign fields, odd layout.
    """
    # The validators take longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import inspect

    found = inspect(folder / FILE_NAME)
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if found.contents is None:
        says = found.problems[0].message if found.problems else ""
        return (Badge.PROBLEM if errors else Badge.DRAFT), says
    if not errors and found.is_knowledge:
        try:
            documents_beside(folder, tuple(found.contents["document"]["patterns"]))
        except DocumentError as error:
            return Badge.DRAFT, error.message
        except OSError as error:
            return Badge.PROBLEM, f"The documents beside it cannot be read: {error.strerror}."
    if not errors:
        return Badge.READY, ""
    is_draft = _is_draft(found.contents, found.is_knowledge) and not any(_is_layout(problem) for problem in errors)
    return (Badge.DRAFT if is_draft else Badge.PROBLEM), errors[0].message


def _is_layout(problem: Any) -> bool:
    # What is said of the file and of no field in it comes from lint: blanks, or a field written twice.
    return bool(problem.layout or not problem.field)


_TEXT: Any = "text"
_PAIR = {"question": _TEXT, "answer": _TEXT}
_KNOWLEDGE = {
    "version": 3,
    "created_by": _TEXT,
    "domain": _TEXT,
    "document_outline": _TEXT,
    "seed_examples": [{"context": _TEXT, "questions_and_answers": [_PAIR]}],
    "document": {"repo": _TEXT, "commit": _TEXT, "patterns": [_TEXT]},
}
_SKILL = {
    "version": 3,
    "created_by": _TEXT,
    "task_description": _TEXT,
    "seed_examples": [{"context": _TEXT, **_PAIR}],
}


def _is_draft(contents: dict[str, Any], is_knowledge: bool) -> bool:
    """True when every field is one of the format's and of its type, or not written yet."""
    oldest = 3 if is_knowledge else 1
    version = contents.get("version", oldest)
    if isinstance(version, bool) or version not in range(oldest, 4):
        return False
    return _fits(contents | {"version": 3}, _KNOWLEDGE if is_knowledge else _SKILL)


def _fits(value: Any, shape: Any) -> bool:
    if value is None:
        return True
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(key in shape and _fits(item, shape[key]) for key, item in value.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    return isinstance(value, type(shape))
