"""The library: topics and leaves as folders of a taxonomy that a person arranges, and every step can be undone.

Paths are relative to the library: Path("knowledge/geography/velmora"). A folder with a qna.yaml is a leaf, any other is
a topic; an empty topic holds a `.gitkeep`, because git keeps no empty folders. What lies below foundational_skills is
the project's own and read-only. Leaves are not read, but where two are merged.
"""

from __future__ import annotations

import filecmp
import functools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab_desktop import bins
from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, SeedExample, title_of
from lab_desktop.errors import LeafError
from lab_desktop.files import disk_errors, write_json, write_text
from lab_desktop.paths import EDITING
from lab_desktop.taxonomy.history import Change, History, Move, Plan, Record, Swap
from lab_desktop.taxonomy.names import (
    NameTaken,
    folder_name,
    free_name,
    inside,
    is_same,
    numbered,
    output_clash,
    same_form,
    subfolders,
)
from lab_desktop.taxonomy.qna import read_draft, write_leaf
from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS

ATTRIBUTION = "attribution.txt"
KEEP = ".gitkeep"
UNKNOWN = "miscellaneous_unknown"
"""The topic for leaves whose place is not known yet."""
GROUNDED = "grounded"
"""The folder of compositional_skills for skills with material."""
READ_ONLY = "foundational_skills"
Kind = Literal["create_topic", "create_leaf", "rename", "move", "duplicate", "merge", "delete", "restore"]
_PLACE = "place.json"


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
    """

    number: int
    kind: Kind
    path: Path | None
    result: Path | None
    moved: tuple[tuple[Path, Path], ...]
    at: float

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


class Library:
    """A taxonomy's working tree.

    Attributes:
        root: the folder with knowledge, compositional_skills and foundational_skills.
    """

    def __init__(self, root: Path) -> None:
        """Opens the tree at `root`; a step that a kill left half done is completed or taken back.

        Raises:
            LeafError: there is no folder.
        """
        if not root.is_dir():
            raise LeafError(f'"{root}" is not a folder.', "Choose another folder.")
        self.root = root.resolve()
        self._history = History(self.root)

    @property
    def undoable(self) -> Step | None:
        """The step that `undo` takes back."""
        return _step(self._history.last)

    @property
    def redoable(self) -> Step | None:
        """The step that `redo` does again."""
        return _step(self._history.next)

    def undo(self) -> Step | None:
        """Take back the last step; None: there is none.

        Raises:
            LeafError: what it changed was changed by something else; the step before it is the next to be undone.
            StorageError: the disk does not allow it; nothing has changed.
        """
        step = _step(self._history.undo())
        return step and _reversed(step)

    def redo(self) -> Step | None:
        """Do again the step that was undone last; None: there is none.

        Raises:
            LeafError, StorageError: as in `undo`.
        """
        return _step(self._history.redo())

    def create_topic(self, parent: Path, title: str) -> Step:
        """A new, empty topic; where the name is taken it gets a number.

        Raises:
            LeafError: `parent` is no topic, or read-only.
            StorageError: it could not be written; nothing has changed.
        """
        self._topic(parent)

        def plan(kept: Path) -> Plan:
            path = self._free(parent, folder_name(title))
            new, move = self._new_below(kept, path)
            with disk_errors(kept, "The new topic"):
                new.mkdir(parents=True)
                (new / KEEP).touch()
            return _plan("create_topic", None, path, [move])

        return self._do(plan)

    def create_leaf(self, parent: Path | None, title: str, kind: LeafKind) -> Step:
        """A new leaf with a first draft of its qna.yaml; where the name is taken it gets a number.

        Args:
            parent: the topic; None: not known yet. A skill is put below compositional_skills/grounded or elsewhere in
                compositional_skills, as its kind asks.

        Raises:
            LeafError: `parent` is no topic, read-only, or for another kind.
            StorageError: it could not be written; nothing has changed.
        """
        parent = self._home(parent, kind)

        def plan(kept: Path) -> Plan:
            path = self._free(parent, folder_name(title), is_leaf=True)
            new, move = self._new_below(kept, path)
            write_leaf(_draft(path, kind), new)
            return _plan("create_leaf", None, path, [move])

        return self._do(plan)

    def rename(self, path: Path, title: str) -> Step:
        """Another name at the same place.

        Raises:
            NameTaken: another topic or leaf there has it; a free name is offered.
            LeafError: it is called that already, is not there, or is read-only.
            StorageError: it could not be renamed; nothing has changed.
        """
        self._mine(path)

        def plan(kept: Path) -> Plan:
            name = folder_name(title)
            if name == path.name:
                raise LeafError(f'It is called "{title_of(name)}" already.', "Type another name.")
            free = self._free(path.parent, name, moved=path)
            if free.name != name:
                raise NameTaken(name, free.name)
            return _plan("rename", path, free, [Move(self.root / path, self.root / free)])

        return self._do(plan)

    def move(self, path: Path, into: Path) -> Step:
        """Put a topic or leaf into another topic; where its name is taken it gets a number.

        Raises:
            LeafError: it cannot be moved there.
            StorageError: it could not be moved; nothing has changed.
        """
        self._mine(path)
        self._topic(into)
        if into == path.parent:
            raise LeafError(f'"{title_of(path.name)}" is in this topic already.', "Choose another topic.")
        if into.is_relative_to(path):
            raise LeafError("A topic cannot be put into itself.", "Choose another topic.")
        self._same_root(path, into)

        def plan(kept: Path) -> Plan:
            target = self._free(into, path.name, moved=path)
            return _plan("move", path, target, [Move(self.root / path, self.root / target)])

        return self._do(plan)

    def duplicate(self, path: Path) -> Step:
        """A copy beside it, with a number in its name.

        Raises:
            LeafError: it is not there, or read-only.
            StorageError: it could not be copied; nothing has changed.
        """
        self._mine(path)

        def plan(kept: Path) -> Plan:
            target = self._free(path.parent, path.name, moved=None, leaves=self._leaves(path))
            _copy(self.root / path, kept / "new")
            return _plan("duplicate", path, target, [Move(kept / "new", self.root / target)], moved=())

        return self._do(plan)

    def merge(self, source: Path, into: Path) -> Step:
        """Put what is in `source` into `into`; what is left of the source lies in the bin.

        Two leaves: the examples are joined, equal ones once, and the documents beside are brought along; a document
        that is there under this name with other content gets a number. Two topics: what is in the one moves to the
        other; what is there under this name gets a number.

        Raises:
            LeafError: they cannot be merged: a leaf with a topic, facts with skills, or a leaf that has problems.
            StorageError: they could not be merged; nothing has changed.
        """
        self._mine(source)
        self._mine(into, may_be_root=True)
        if into.is_relative_to(source):
            raise LeafError("These two cannot be merged: one is a part of the other.", "Choose another one.")
        self._same_root(source, into)
        if self._is_leaf(source) != self._is_leaf(into):
            raise LeafError("A lesson and a topic cannot be merged.", "Move the lesson into the topic.")
        return self._do(
            self._joined_leaves(source, into) if self._is_leaf(source) else self._joined_topics(source, into)
        )

    def delete(self, path: Path) -> Step:
        """Put a topic or leaf into the bin, where it lies for `bins.BIN_DAYS` days.

        Raises:
            LeafError: it is not there, or read-only.
            StorageError: it could not be moved; nothing has changed.
        """
        self._mine(path)

        def plan(kept: Path) -> Plan:
            return _plan("delete", path, None, [self._to_bin(path)])

        return self._do(plan)

    def binned(self) -> list[Binned]:
        """What lies in the bin, the newest first."""
        found = []
        for entry in bins.entries(self._bin):
            try:
                place = json.loads((entry.path / _PLACE).read_text(encoding="utf-8"))["path"]
                path = Path(*str(place).split("/"))
                inside(self.root, *path.parts)
            except (OSError, ValueError, KeyError, TypeError, LeafError):
                path = Path("knowledge", entry.name)
            if len(path.parts) > 1 and path.parts[0] in ROOTS and (entry.path / path.name).is_dir():
                found.append(Binned(entry.path, path, entry.deleted))
        return found

    def restore(self, thrown: Binned) -> Step:
        """Take something out of the bin, back to its place; where its name is taken it gets a number.

        Raises:
            LeafError: it is not in the bin any more, or a lesson is now where its topic was.
            StorageError: it could not be moved; nothing has changed.
        """
        lying = thrown.entry / thrown.path.name
        if thrown.entry.parent != self._bin or not lying.is_dir():
            raise LeafError(f'"{thrown.title}" is not in the bin any more.', "Nothing to do.")

        def plan(kept: Path) -> Plan:
            parent = thrown.path.parent
            for depth in range(1, len(parent.parts) + 1):
                if self._is_leaf(Path(*parent.parts[:depth])):
                    raise LeafError(
                        f'A lesson, "{title_of(parent.parts[depth - 1])}", is now where the topic was.',
                        "Rename that lesson first.",
                    )
            target = self._free(parent, thrown.path.name, leaves=_leaves_in(lying))
            changes: list[Change] = []
            if not (self.root / parent).is_dir():
                new, move = self._new_below(kept, parent)
                with disk_errors(new, "The topic"):
                    new.mkdir(parents=True, exist_ok=True)
                changes.append(move)
            return _plan("restore", None, target, [*changes, Move(lying, self.root / target)])

        return self._do(plan)

    def empty_bin(self, now: float | None = None) -> None:
        """Delete for good what was thrown away more than `bins.BIN_DAYS` days before `now` (seconds since 1970).

        The steps that need it, and those before them, cannot be undone any more.
        """
        now = time.time() if now is None else now
        over = [entry.path for entry in bins.entries(self._bin) if entry.is_over(now)]
        if not self._history.folder.is_dir():
            return
        full = {entry for entry in over if any(path.name != _PLACE for path in entry.iterdir())}
        self._history.forget(lambda path: path.parent in full and path.exists(), now - bins.BIN_DAYS * 86_400)
        for entry in over:
            rubbish = self._history.folder / "rubbish" / entry.name
            with disk_errors(rubbish, "The bin"):
                rubbish.parent.mkdir(exist_ok=True)
                entry.rename(rubbish)
        shutil.rmtree(self._history.folder / "rubbish", ignore_errors=True)

    @property
    def _bin(self) -> Path:
        return self._history.folder / "bin"

    def _do(self, plan: Callable[[Path], Plan]) -> Step:
        step = _step(self._history.do(plan))
        assert step is not None
        return step

    def _is_leaf(self, path: Path) -> bool:
        return (self.root / path / FILE_NAME).is_file()

    def _there(self, path: Path) -> None:
        if path.is_absolute() or not path.parts or path.parts[0] not in ROOTS:
            raise LeafError(f'"{path}" is not a place in the library.', "Choose a topic below facts or skills.")
        if not inside(self.root, *path.parts).is_dir():
            raise LeafError(f'"{title_of(path.name)}" is not there any more.', "Look at the library again.")

    def _mine(self, path: Path, *, may_be_root: bool = False) -> None:
        """`path` is a topic or leaf that a person may change."""
        self._there(path)
        if path.parts[0] == READ_ONLY:
            raise LeafError(
                f'"{title_of(path.name)}" belongs to the basics, which nobody changes here.',
                "Make a topic of your own below facts or skills.",
            )
        if len(path.parts) == 1 and not may_be_root:
            raise LeafError("This is a main part of the library and stays as it is.", "Choose a topic or lesson in it.")

    def _topic(self, path: Path) -> None:
        """`path` is a place for something new."""
        if path.parts and path.parts[0] in ROOTS and len(path.parts) == 1 and not (self.root / path).exists():
            return  # a clone without any knowledge: the folder is made along with the first topic
        self._mine(path, may_be_root=True)
        for depth in range(1, len(path.parts) + 1):
            if self._is_leaf(Path(*path.parts[:depth])):
                name = title_of(path.parts[depth - 1])
                raise LeafError(f'"{name}" is a lesson, and nothing lies inside a lesson.', "Choose a topic.")

    def _same_root(self, path: Path, into: Path) -> None:
        if path.parts[0] != into.parts[0]:
            raise LeafError(
                "Facts and skills are written differently, so nothing moves from the ones to the others.",
                "Make a new lesson there.",
            )

    def _home(self, parent: Path | None, kind: LeafKind) -> Path:
        """Where a new leaf of this kind belongs when a person asked for `parent`."""
        root = "knowledge" if kind is LeafKind.KNOWLEDGE else "compositional_skills"
        grounds = (GROUNDED,) if kind is LeafKind.GROUNDED_SKILL else ()
        if parent is None:
            return Path(root, *grounds, UNKNOWN)
        self._topic(parent)
        if parent.parts[0] != root:
            what = "Facts lessons" if kind is LeafKind.KNOWLEDGE else "Skill lessons"
            raise LeafError(f"{what} do not belong here.", f'Choose a topic below "{title_of(root)}".')
        if kind is LeafKind.KNOWLEDGE:
            return parent
        below = parent.parts[1:]
        if below[:1] == (GROUNDED,):
            below = below[1:]
        home = Path(root, *grounds, *below)
        if (self.root / home).exists():
            self._topic(home)
        return home

    def _taken(self, folder: Path, name: str, moved: Path | None = None) -> bool:
        """True when something in `folder` has this name, in whatever case; `moved` itself does not count."""
        try:
            names = os.listdir(self.root / folder)  # noqa: PTH208 - names only
        except OSError:
            return False
        return any(is_same(other, name) and folder / other != moved for other in names)

    def _free(
        self, folder: Path, name: str, *, is_leaf: bool = False, moved: Path | None = None, leaves: Iterable[Path] = ()
    ) -> Path:
        """A path in `folder` for this name: free, and no leaf there writes to the same generated files as another.

        Args:
            is_leaf: a new leaf will be there.
            moved: this comes there, with its leaves.
            leaves: places of leaves below the new path.
        """
        listed = functools.cache(subfolders)
        below = [Path()] if is_leaf else list(leaves) if moved is None else self._leaves(moved)

        def is_taken(candidate: str) -> bool:
            path = folder / candidate
            if self._taken(folder, candidate, moved):
                return True
            return any(self._clashes(path / leaf, moved, listed) for leaf in below)

        return folder / free_name(name, is_taken)

    def _clashes(self, leaf: Path, moved: Path | None, listed: Callable[[Path], list[str]]) -> bool:
        other = output_clash(self.root, leaf.parts, listed)
        return other is not None and not (moved and Path(*other).is_relative_to(moved))

    def _leaves(self, path: Path) -> list[Path]:
        return _leaves_in(self.root / path)

    def _new_below(self, kept: Path, path: Path) -> tuple[Path, Move]:
        """(where to prepare what comes to `path`, the move that brings it there with all missing topics above)."""
        top = path
        while len(top.parts) > 1 and not (self.root / top.parent).is_dir():
            top = top.parent
        return kept / "new" / path.relative_to(top), Move(kept / "new", self.root / top)

    def _to_bin(self, path: Path) -> Move:
        now = time.time()
        entry = bins.new_entry(self._bin, path.name, now)
        write_json(entry / _PLACE, {"path": path.as_posix()})
        return Move(self.root / path, entry / path.name)

    def _joined_topics(self, source: Path, into: Path) -> Callable[[Path], Plan]:
        def plan(kept: Path) -> Plan:
            changes: list[Change] = []
            moved = []
            listed = functools.cache(subfolders)
            taken = {same_form(name) for name in os.listdir(self.root / into)}  # noqa: PTH208 - names only
            for name in subfolders(self.root / source):
                below = self._leaves(source / name)

                def is_taken(candidate: str, below: list[Path] = below) -> bool:
                    places = (into / candidate / leaf for leaf in below)
                    return same_form(candidate) in taken or any(
                        self._clashes(place, source, listed) for place in places
                    )

                new = free_name(name, is_taken)
                taken.add(same_form(new))
                changes.append(Move(self.root / source / name, self.root / into / new))
                moved.append((source / name, into / new))
            return _plan("merge", source, into, [*changes, self._to_bin(source)], moved=moved)

        return plan

    def _joined_leaves(self, source: Path, into: Path) -> Callable[[Path], Plan]:
        def plan(kept: Path) -> Plan:
            one, other = read_draft(self.root / into), read_draft(self.root / source)
            changes, brought = self._bring(self.root / source, self.root / into, kept / "beside")
            text = _joined_attribution(self.root / source / ATTRIBUTION, self.root / into / ATTRIBUTION)
            if text:
                write_text(kept / "after" / ATTRIBUTION, text)
                changes.append(self._put(into / ATTRIBUTION, kept))
            write_leaf(_joined(one, other, brought), kept / "after")
            changes += [self._put(into / FILE_NAME, kept), self._to_bin(source)]
            return _plan("merge", source, into, changes)

        return plan

    def _put(self, file: Path, kept: Path) -> Change:
        """The change that gives `file` the content that waits in kept/after."""
        after, before = kept / "after" / file.name, kept / "before" / file.name
        target = self.root / file
        return Swap(target, after, before) if target.exists() else Move(after, target)

    def _bring(self, source: Path, into: Path, kept: Path) -> tuple[list[Change], list[str]]:
        """(moves of copies of what lies in the folder `source`, names of files that the folder `into` did not have)."""
        changes: list[Change] = []
        brought = []
        here = sorted(source.iterdir())
        names = {same_form(path.name) for path in into.iterdir()} | {same_form(path.name) for path in here}
        for path in here:
            if path.name in (FILE_NAME, ATTRIBUTION, KEEP, EDITING) or path.is_symlink():
                continue
            target = into / path.name
            if path.is_dir() and target.is_dir() and not target.is_symlink():
                changes += self._bring(path, target, kept / path.name)[0]
                continue
            if os.path.lexists(target) or any(is_same(other.name, path.name) for other in into.iterdir()):
                if target.is_file() and path.is_file() and filecmp.cmp(path, target, shallow=False):
                    continue
                number = 2
                while same_form(numbered(path.stem, number) + path.suffix) in names:
                    number += 1
                target = into / (numbered(path.stem, number) + path.suffix)
                names.add(same_form(target.name))
            _copy(path, kept / target.name)
            changes.append(Move(kept / target.name, target))
            brought.append(target.name)
        return changes, brought


def _plan(
    kind: Kind,
    path: Path | None,
    result: Path | None,
    changes: list[Change],
    moved: Iterable[tuple[Path, Path]] | None = None,
) -> Plan:
    if moved is None:
        moved = [(path, result)] if path and result else []
    facts: dict[str, Any] = {
        "kind": kind,
        "path": path.as_posix() if path else None,
        "result": result.as_posix() if result else None,
        "moved": [[old.as_posix(), new.as_posix()] for old, new in moved],
    }
    return Plan(tuple(changes), facts)


def _step(record: Record | None) -> Step | None:
    if record is None:
        return None
    facts = record.facts
    try:
        path, result = (Path(facts[name]) if facts[name] else None for name in ("path", "result"))
        moved = tuple((Path(old), Path(new)) for old, new in facts["moved"])
        return Step(record.number, facts["kind"], path, result, moved, record.at)
    except (KeyError, TypeError, ValueError):  # written by something else
        return Step(record.number, "move", None, None, (), record.at)


def _reversed(step: Step) -> Step:
    # Nobody who named the lesson that was merged into must be led to the one that came out of it again.
    moved = () if (step.path, step.result) in step.moved and step.kind == "merge" else step.moved
    return replace(step, path=step.result, result=step.path, moved=tuple((new, old) for old, new in moved))


def _leaves_in(folder: Path) -> list[Path]:
    """Places of the leaves at or below `folder`, relative to it."""
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if FILE_NAME in names:
            found.append(Path(here).relative_to(folder))
    return found


def _copy(source: Path, target: Path) -> None:
    with disk_errors(target, "The copy"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)


def _draft(path: Path, kind: LeafKind) -> Leaf:
    is_knowledge = kind is LeafKind.KNOWLEDGE
    document = DocumentSource("", "", ("*.md",)) if is_knowledge else None
    return Leaf(path.parts, path, kind, 3, "", (), document=document)


def _joined(one: Leaf, other: Leaf, brought: list[str]) -> Leaf:
    """The leaf `one` with the examples of `other` that it does not have, and with the documents brought along.

    Raises:
        LeafError: one has material and the other has none.
    """
    if one.kind is not other.kind:
        raise LeafError(
            "One of these skills comes with material for each example, the other without.",
            "Keep them apart: the two kinds are taught differently.",
        )
    examples: list[SeedExample] = list(one.seed_examples)
    for example in other.seed_examples:
        twin = next((at for at, each in enumerate(examples) if each.context == example.context), None)
        if one.kind is not LeafKind.KNOWLEDGE or twin is None:
            examples += [example] if example not in examples else []
        else:
            new = tuple(pair for pair in example.pairs if pair not in examples[twin].pairs)
            examples[twin] = replace(examples[twin], pairs=examples[twin].pairs + new)
    document = one.document
    if document and other.document:
        names = [name for name in brought if not name.startswith(".")]
        patterns = dict.fromkeys([*document.patterns, *(name for name in names if _is_named(name, other.document))])
        document = replace(document, patterns=tuple(patterns))
    return replace(one, seed_examples=tuple(examples), document=document)


def _is_named(name: str, document: DocumentSource) -> bool:
    return Path(name).suffix.lower() in {Path(pattern).suffix.lower() for pattern in document.patterns}


def _joined_attribution(source: Path, into: Path) -> str:
    """What attribution.txt says after the merge; "" where nothing has to change."""
    texts = []
    for file in (into, source):
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            texts.append("")
        except (OSError, UnicodeDecodeError) as error:
            raise LeafError(f'"{file.name}" of "{file.parent.name}" cannot be read.', "Mend it first.") from error
    there, new = texts
    if not new.strip() or new.strip() in there:
        return ""
    return f"{there.rstrip()}\n\n{new.rstrip()}\n".lstrip("\n")
