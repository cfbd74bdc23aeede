"""The library: topics and leaves as folders of a taxonomy that a person arranges, and every step can be undone.

Paths are relative to the library: Path("knowledge/geography/velmora"). A folder with a qna.yaml is a leaf, any other is
a topic; an empty topic holds a `.gitkeep`, because git keeps no empty folders. What lies below foundational_skills is
the project's own and read-only. Leaves are not read, but where two are merged.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab_desktop import bins
from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, title_of
from lab_desktop.errors import LeafError, LibraryError
from lab_desktop.files import disk_errors, write_json
from lab_desktop.taxonomy.library.history import Change, History, Move, Plan
from lab_desktop.taxonomy.library.merging import copied, leaves_joined, topics_joined
from lab_desktop.taxonomy.library.places import KEEP, Places, leaves_in
from lab_desktop.taxonomy.library.steps import Binned, NewLeaf, Step, backwards, planned, step_of
from lab_desktop.taxonomy.names import NameTaken, folder_name, inside
from lab_desktop.taxonomy.qna import write_leaf
from lab_desktop.taxonomy.tree import ROOTS

_PLACE = "place.json"


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
        self._places = Places(self.root)

    @property
    def undoable(self) -> Step | None:
        """The step that `undo` takes back."""
        return step_of(self._history.last)

    @property
    def redoable(self) -> Step | None:
        """The step that `redo` does again."""
        return step_of(self._history.next)

    @property
    def steps(self) -> list[Step]:
        """Every step that was ever done here, oldest first, also those that were taken back."""
        return [step for step in map(step_of, self._history.records) if step is not None]

    def loss(self) -> LibraryError | None:
        """Why what was done before cannot be undone any more, told once; None: it can."""
        file, self._history.put_aside = self._history.put_aside, None
        if file is None:
            return None
        return LibraryError(
            "What was done in this library before cannot be undone any more: the file that kept it is damaged.",
            f"The lessons are as they were. The file is kept as {file}.",
        )

    def undo(self) -> Step | None:
        """Take back the last step; None: there is none.

        Raises:
            LeafError: what it changed was changed by something else; the step before it is the next to be undone.
            StorageError: the disk does not allow it; nothing has changed.
        """
        step = step_of(self._history.undo())
        return step and backwards(step)

    def redo(self) -> Step | None:
        """Do again the step that was undone last; None: there is none.

        Raises:
            LeafError, StorageError: as in `undo`.
        """
        return step_of(self._history.redo())

    def create_topic(self, parent: Path, title: str) -> Step:
        """A new, empty topic; where the name is taken it gets a number.

        Raises:
            LeafError: `parent` is no topic, or read-only.
            StorageError: it could not be written; nothing has changed.
        """
        self._places.topic(parent)

        def plan(kept: Path) -> Plan:
            path = self._places.free(parent, folder_name(title))
            new, move = self._places.new_below(kept, path)
            with disk_errors(kept, "The new topic"):
                new.mkdir(parents=True)
                (new / KEEP).touch()
            return planned("create_topic", None, path, [move])

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
        parent = self._places.home(parent, kind)

        def plan(kept: Path) -> Plan:
            path = self._places.free(parent, folder_name(title), is_leaf=True)
            new, move = self._places.new_below(kept, path)
            write_leaf(_draft(path, kind), new)
            return planned("create_leaf", None, path, [move], made=[path])

        return self._do(plan)

    def home(self, parent: Path | None, kind: LeafKind) -> Path:
        """Where a new leaf of this kind comes to lie when a person asked for `parent`; None: not known yet.

        Raises:
            LeafError: `parent` is no topic, read-only, or for another kind.
        """
        return self._places.home(parent, kind)

    def free_places(self, wanted: Sequence[Path]) -> list[Path]:
        """Where these new leaves would come to lie, in the same order, as `add` has it.

        Raises:
            LeafError: one of them is no place for a person's leaf.
        """
        return self._places.free_for_all(wanted)

    def add(self, leaves: Sequence[NewLeaf]) -> Step:
        """Several leaves from elsewhere, in one step; where a name is taken the leaf gets a number.

        Raises:
            LeafError: one of them is no place for a person's leaf.
            StorageError: they could not be written; nothing has changed.
            Cancelled: one of them said so while it was written; nothing has changed.
        """

        def plan(kept: Path) -> Plan:
            places = self.free_places([each.wanted for each in leaves])
            tops: dict[Path, None] = {}
            for each, place in zip(leaves, places, strict=True):
                folder = kept / "new" / place
                with disk_errors(folder, "The lesson"):
                    folder.mkdir(parents=True)
                    each.write(folder, place)
                tops[self._places.missing_top(place)] = None
            moves: list[Change] = [Move(kept / "new" / top, self.root / top) for top in tops]
            together = Path(os.path.commonpath(places)) if len({place.parts[0] for place in places}) == 1 else None
            return planned("import", None, together, moves, made=places)

        return self._do(plan)

    def put_back(self, leaf: NewLeaf) -> Step:
        """A leaf that was deleted, at its place if that is free; what is still in its folder stays as it is.

        Raises:
            LeafError: it is no place for a person's leaf.
            StorageError: it could not be written; nothing has changed.
        """

        def plan(kept: Path) -> Plan:
            is_rest = (self.root / leaf.wanted).is_dir() and not self._places.is_leaf(leaf.wanted)
            place = leaf.wanted if is_rest else self.free_places([leaf.wanted])[0]
            new, move = self._places.new_below(kept, place)
            with disk_errors(new, "The lesson"):
                new.mkdir(parents=True)
                leaf.write(new, place)
            moves: list[Change] = [move]
            if is_rest:
                self._places.mine(place)
                missing = [path for path in sorted(new.iterdir()) if not os.path.lexists(self.root / place / path.name)]
                moves = [Move(path, self.root / place / path.name) for path in missing]
            return planned("restore", None, place, moves)

        return self._do(plan)

    def rename(self, path: Path, title: str) -> Step:
        """Another name at the same place.

        Raises:
            NameTaken: another topic or leaf there has it; a free name is offered.
            LeafError: it is called that already, is not there, or is read-only.
            StorageError: it could not be renamed; nothing has changed.
        """
        self._places.mine(path)

        def plan(kept: Path) -> Plan:
            name = folder_name(title)
            if name == path.name:
                raise LeafError(f'It is called "{title_of(name)}" already.', "Type another name.")
            free = self._places.free(path.parent, name, moved=path)
            if free.name != name:
                raise NameTaken(name, free.name)
            return planned("rename", path, free, [Move(self.root / path, self.root / free)])

        return self._do(plan)

    def move(self, path: Path, into: Path) -> Step:
        """Put a topic or leaf into another topic; where its name is taken it gets a number.

        Raises:
            LeafError: it cannot be moved there.
            StorageError: it could not be moved; nothing has changed.
        """
        self._places.mine(path)
        self._places.topic(into)
        if into == path.parent:
            raise LeafError(f'"{title_of(path.name)}" is in this topic already.', "Choose another topic.")
        if into.is_relative_to(path):
            raise LeafError("A topic cannot be put into itself.", "Choose another topic.")
        self._places.same_root(path, into)

        def plan(kept: Path) -> Plan:
            target = self._places.free(into, path.name, moved=path)
            return planned("move", path, target, [Move(self.root / path, self.root / target)])

        return self._do(plan)

    def duplicate(self, path: Path) -> Step:
        """A copy beside it, with a number in its name.

        Raises:
            LeafError: it is not there, or read-only.
            StorageError: it could not be copied; nothing has changed.
        """
        self._places.mine(path)

        def plan(kept: Path) -> Plan:
            target = self._places.free(path.parent, path.name, moved=None, leaves=self._places.leaves(path))
            copied(self.root / path, kept / "new")
            made = [target / leaf for leaf in self._places.leaves(path)]
            return planned("duplicate", path, target, [Move(kept / "new", self.root / target)], moved=(), made=made)

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
        self._places.mine(source)
        self._places.mine(into, may_be_root=True)
        if into.is_relative_to(source):
            raise LeafError("These two cannot be merged: one is a part of the other.", "Choose another one.")
        self._places.same_root(source, into)
        if self._places.is_leaf(source) != self._places.is_leaf(into):
            raise LeafError("A lesson and a topic cannot be merged.", "Move the lesson into the topic.")

        def plan(kept: Path) -> Plan:
            if self._places.is_leaf(source):
                changes = leaves_joined(self.root, source, into, kept)
                return planned("merge", source, into, [*changes, self._to_bin(source)])
            moved = topics_joined(self._places, source, into)
            moves: list[Change] = [Move(self.root / old, self.root / new) for old, new in moved]
            return planned("merge", source, into, [*moves, self._to_bin(source)], moved=moved)

        return self._do(plan)

    def delete(self, path: Path) -> Step:
        """Put a topic or leaf into the bin, where it lies for `bins.BIN_DAYS` days.

        Raises:
            LeafError: it is not there, or read-only.
            StorageError: it could not be moved; nothing has changed.
        """
        self._places.mine(path)

        def plan(kept: Path) -> Plan:
            return planned("delete", path, None, [self._to_bin(path)])

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
                if self._places.is_leaf(Path(*parent.parts[:depth])):
                    raise LeafError(
                        f'A lesson, "{title_of(parent.parts[depth - 1])}", is now where the topic was.',
                        "Rename that lesson first.",
                    )
            target = self._places.free(parent, thrown.path.name, leaves=leaves_in(lying))
            changes: list[Change] = []
            if not (self.root / parent).is_dir():
                new, move = self._places.new_below(kept, parent)
                with disk_errors(new, "The topic"):
                    new.mkdir(parents=True, exist_ok=True)
                changes.append(move)
            return planned("restore", None, target, [*changes, Move(lying, self.root / target)])

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
        step = step_of(self._history.do(plan))
        assert step is not None
        return step

    def _to_bin(self, path: Path) -> Move:
        entry = bins.new_entry(self._bin, path.name, time.time()).path
        write_json(entry / _PLACE, {"path": path.as_posix()})
        return Move(self.root / path, entry / path.name)


def _draft(path: Path, kind: LeafKind) -> Leaf:
    is_knowledge = kind is LeafKind.KNOWLEDGE
    document = DocumentSource("", "", ("*.md",)) if is_knowledge else None
    return Leaf(path.parts, path, kind, 3, "", (), document=document)
