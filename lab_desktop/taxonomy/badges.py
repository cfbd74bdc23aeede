"""How far a lesson is, in one word."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop.errors import DocumentError
from lab_desktop.paths import documents_beside
from lab_desktop.taxonomy.qna import foreign
from lab_desktop.taxonomy.tree import FILE_NAME


class Badge(enum.StrEnum):
    """Draft, ready and problem are what the files say; trained and shared are what became of them."""

    DRAFT = "draft"
    READY = "ready"
    PROBLEM = "problem"
    TRAINED = "trained"
    SHARED = "shared"


@dataclass(frozen=True)
class Sharing:
    """Who else has a lesson of the person's own.

    Attributes:
        to: whom it was sent to, as the record says; "" for the community, whose version has it.
        at: since when, in seconds since 1970; None: not known.
    """

    to: str = ""
    at: float | None = None


def shared(held: Iterable[Path], sent: Mapping[Path, Sharing]) -> dict[Path, Sharing]:
    """The lessons that bear the badge "shared".

    A lesson of the community that nobody here touched is not shared: it was not given.

    Args:
        held: leaf folders that the person made and that the community's version has as they are here.
        sent: leaf folders that are as they were when they were sent, with what was noted then.
    """
    return {**sent, **{folder: Sharing() for folder in held}}


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
        says = found.problems[0].plain if found.problems else ""
        return (Badge.PROBLEM if errors else Badge.DRAFT), says
    if not errors and found.is_knowledge:
        try:
            documents_beside(folder, tuple(found.contents["document"]["patterns"]))
        except DocumentError:
            return Badge.DRAFT, "There is no document beside it yet."
        except OSError as error:
            return Badge.PROBLEM, f"The documents beside it cannot be read: {error.strerror}."
    if not errors:
        return Badge.READY, ""
    is_foreign = any(foreign(found.contents, found.is_knowledge)) or any(_is_layout(problem) for problem in errors)
    return (Badge.PROBLEM if is_foreign else Badge.DRAFT), errors[0].plain


def _is_layout(problem: Any) -> bool:
    # What is said of the file and of no field in it comes from lint: blanks, or a field written twice.
    return bool(problem.layout or not problem.field)
