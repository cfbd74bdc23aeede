"""A lesson as the library shows it: what it holds, as far as it can be read, and what is still missing.

Draws nothing: it reads a leaf folder in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import LeafKind

_MOST_PARTS = 60
_MOST_MISSING = 8
_LETTERS = 20_000
"""Of a text: more is not read at a glance."""


@dataclass(frozen=True)
class Part:
    """A passage with its questions, or the examples of a skill that share a material.

    Attributes:
        context: "" where there is none.
        pairs: (question, answer).
    """

    context: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sight:
    """
    Attributes:
        kind: a LeafKind's value.
        about: the description or the subject, one line.
        missing: what to mend, in sentences; empty: it is ready.
        is_readable: False where the file is no lesson of ours and only `missing` tells of it.
    """

    folder: Path
    kind: str
    about: str
    author: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...]
    is_readable: bool = True

    @property
    def questions(self) -> int:
        return sum(len(part.pairs) for part in self.parts)


def look_into(folder: Path) -> Sight:
    """What is in a leaf folder. Raises nothing: what cannot be read is told in `missing`."""
    # The validators behind it take longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import check_leaf, inspect
    from lab_desktop.taxonomy.tree import FILE_NAME

    found = inspect(folder / FILE_NAME)
    problems = [problem for problem in check_leaf(folder) if problem.severity == "error" and not problem.layout]
    missing = list(dict.fromkeys(problem.plain for problem in problems))
    if found.contents is None and not missing:
        missing = ["Nothing is written yet."]
    if len(missing) > _MOST_MISSING:
        missing = [*missing[:_MOST_MISSING], f"And {len(missing) - _MOST_MISSING} more."]
    contents = found.contents or {}
    parts = tuple(_parts(contents.get("seed_examples")))
    is_facts = found.is_knowledge if contents else "knowledge" in folder.parts
    kind = (
        LeafKind.KNOWLEDGE
        if is_facts
        else LeafKind.GROUNDED_SKILL
        if any(part.context for part in parts)
        else LeafKind.FREEFORM_SKILL
    )
    return Sight(
        folder,
        kind.value,
        _text(contents.get("task_description") or contents.get("document_outline")),
        _text(contents.get("created_by")),
        parts,
        tuple(missing),
        is_readable=found.contents is not None or not problems,
    )


def _parts(examples: Any) -> list[Part]:
    found = []
    for example in (examples if isinstance(examples, list) else [])[:_MOST_PARTS]:
        if isinstance(example, dict):
            pairs = example.get("questions_and_answers", [example])
            asked = [pair for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
            told = tuple((_text(pair.get("question")), _text(pair.get("answer"))) for pair in asked)
            found.append(Part(_text(example.get("context")), tuple(pair for pair in told if any(pair))))
    return found


def _text(value: object) -> str:
    return str(value)[:_LETTERS].strip() if value is not None else ""
