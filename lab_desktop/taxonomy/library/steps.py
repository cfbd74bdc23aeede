"""What was done to a library, in the words of its menus, and how a step is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.library.history import Change, Plan, Record

Kind = Literal["create_topic", "create_leaf", "rename", "move", "duplicate", "merge", "delete", "restore", "import"]


@dataclass(frozen=True)
class Step:
    """What was done, or undone.

    Attributes:
        number: counts the steps of this library.
        kind: what it is called in menus.
        path: what it was about, before; None for something new or out of the bin.
        result: where that is now; None when it is gone.
        moved: (old, new) of each topic and leaf that has another place now, for those who name one.
        at: when, in seconds since 1970.
        made: the leaves that it made.
    """

    number: int
    kind: Kind
    path: Path | None
    result: Path | None
    moved: tuple[tuple[Path, Path], ...]
    at: float
    made: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """The topic or leaf in plain words."""
        return title_of((self.path or self.result or Path()).name)


@dataclass(frozen=True)
class Binned:
    """A topic or leaf in the bin.

    Attributes:
        entry: its entry in the bin.
        path: where it was.
        deleted: seconds since 1970.
    """

    entry: Path
    path: Path
    deleted: float

    @property
    def title(self) -> str:
        return title_of(self.path.name)


@dataclass(frozen=True)
class NewLeaf:
    """A leaf that comes from elsewhere.

    Attributes:
        wanted: where it should come to lie.
        write: puts everything of it into a new folder, the first, for the place that it gets, the second.
    """

    wanted: Path
    write: Callable[[Path, Path], object]


def planned(
    kind: Kind,
    path: Path | None,
    result: Path | None,
    changes: list[Change],
    moved: Iterable[tuple[Path, Path]] | None = None,
    made: Iterable[Path] = (),
) -> Plan:
    """Changes with what `step_of` wants to find again.

    Args:
        moved: (old, new) of each topic and leaf that gets another place; None: `path` becomes `result`.
        made: the leaves that are new.
    """
    if moved is None:
        moved = [(path, result)] if path and result else []
    facts: dict[str, Any] = {
        "kind": kind,
        "path": path.as_posix() if path else None,
        "result": result.as_posix() if result else None,
        "moved": [[old.as_posix(), new.as_posix()] for old, new in moved],
        "made": [leaf.as_posix() for leaf in made],
    }
    return Plan(tuple(changes), facts)


def step_of(record: Record | None) -> Step | None:
    """The step that a line of the history tells of."""
    if record is None:
        return None
    facts = record.facts
    try:
        path, result = (Path(facts[name]) if facts[name] else None for name in ("path", "result"))
        moved = tuple((Path(old), Path(new)) for old, new in facts["moved"])
        made = tuple(map(Path, facts.get("made", ())))
        return Step(record.number, facts["kind"], path, result, moved, record.at, made)
    except (KeyError, TypeError, ValueError):  # written by something else
        return Step(record.number, "move", None, None, (), record.at)


def made_here(steps: Iterable[Step]) -> frozenset[Path]:
    """Places of the leaves that a person made by these steps, oldest first, wherever they were put since.

    A step that was taken back counts too: what is not there any more has to be left out by who asks.
    """
    found: set[Path] = set()
    for step in steps:
        found |= set(step.made)
        for old, new in step.moved:
            found |= {new / path.relative_to(old) for path in found if path.is_relative_to(old)}
    return frozenset(found)


def moved_since(paths: Mapping[Path, float], steps: Iterable[Step]) -> dict[Path, Path]:
    """Where each leaf may be now that was at a path at a time (seconds since 1970): {now: then}, itself included."""
    found = {path: path for path in paths}
    for step in steps:
        for old, new in step.moved:
            for path, first in list(found.items()):
                if path.is_relative_to(old) and step.at >= paths[first]:
                    found.setdefault(new / path.relative_to(old), first)
    return found


def backwards(step: Step) -> Step:
    """A step that was taken back, as what was done."""
    # Nobody who named the lesson that was merged into must be led to the one that came out of it again.
    moved = () if (step.path, step.result) in step.moved and step.kind == "merge" else step.moved
    return replace(step, path=step.result, result=step.path, moved=tuple((new, old) for old, new in moved))
