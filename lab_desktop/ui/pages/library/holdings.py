"""The library for one thread: its folders and their history, what is known of the lessons, the community's version.

Knows no window. What it gives are values, made for being shown: `View` is the whole tree as it is now.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop import repository
from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.errors import Cancelled, LabError, LeafError
from lab_desktop.files import replacing
from lab_desktop.repository import Change, Changes, Progress, Update
from lab_desktop.taxonomy.badges import Badge, Sharing
from lab_desktop.taxonomy.importing import Find, Haul, newcomer, settled
from lab_desktop.taxonomy.index import Entry, Hit, Index, Near, Node, Place
from lab_desktop.taxonomy.library import Binned, Library, NewLeaf, Step
from lab_desktop.taxonomy.names import is_safe
from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS, find_leaves
from lab_desktop.ui.pages.library.compared import Comparison, before, compare, inside
from lab_desktop.ui.pages.library.sharing import Given

_SLICE_S = 0.08
"""So long badges are worked on before somebody else has a turn."""
_MOST_HITS = 60


@dataclass(frozen=True)
class Filter:
    """Which lessons are wanted.

    Attributes:
        whose: "all", "mine" (new or different since the community's version) or "community".
        badge: one of them, or "" for any.
    """

    whose: str = "all"
    badge: str = ""

    @property
    def is_on(self) -> bool:
        return self != Filter()


@dataclass(frozen=True)
class View:
    """The library as it is now.

    Attributes:
        roots: Facts, Skills, Basics.
        nodes: every one of them by path, whatever is filtered.
        own: lessons that are no basics.
        undo, redo: the steps that can be taken back and done again.
        loss: why what was done before cannot be undone any more, where that was just found.
        binned: how much lies in the bin.
        is_whole: every lesson has been read and has its badge.
    """

    roots: tuple[Node, ...] = ()
    nodes: dict[str, Node] | None = None
    own: int = 0
    undo: Step | None = None
    redo: Step | None = None
    loss: LabError | None = None
    binned: int = 0
    is_whole: bool = False

    def node(self, path: str) -> Node | None:
        return self.nodes.get(path) if self.nodes else None

    def all(self) -> Iterable[Node]:
        return self.nodes.values() if self.nodes else ()


class Holdings:
    """
    Attributes:
        root: the library.
        library: its folders; there once it is open.
    """

    def __init__(self, root: Path, starter: Path | None, caches: Path, bins_time: float) -> None:
        """
        Args:
            starter: what a new library begins with; None: this one has to be there.
            caches: folder for what is known of libraries.
            bins_time: the moment by which the days in the bin are counted.
        """
        self._bins_time = bins_time
        self.root = root
        self._starter = starter
        name = hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        self._cache = caches / f"{name}.sqlite"
        self._index: Index | None = None
        self._library: Library | None = None
        self._whose: tuple[object, frozenset[str]] | None = None
        self._given: Given | None = None

    @property
    def library(self) -> Library:
        assert self._library is not None
        return self._library

    @property
    def index(self) -> Index:
        assert self._index is not None
        return self._index

    def open(self) -> None:
        """Open it; where there is none yet it is begun from the starter tree.

        Raises:
            LabError: it cannot be opened.
        """
        if self._starter is not None and not self.root.exists():
            repository.start(self.root, self._starter)
        repository.open_tree(self.root)
        self._library = Library(self.root)
        self._library.empty_bin(self._bins_time)
        with contextlib.suppress(OSError):  # what cannot be kept is read anew the next time
            self._cache.parent.mkdir(parents=True, exist_ok=True)
        self._index = Index(self.root, self._cache)
        self._given = Given(self._library, self._index)

    def close(self) -> None:
        if self._index is not None:
            self._index.close()

    # The tree

    def look(self, wanted: Filter) -> View:
        """Compare with the disk, and give the tree as far as it is known."""
        self.index.look()
        return self.view(wanted)

    def work(self, first: Sequence[str]) -> bool:
        """Read and judge lessons for a moment; False: nothing is left to do.

        Args:
            first: paths of those that somebody is looking at.
        """
        unread = self.index.read_some(_SLICE_S / 2, first)
        return bool(self.index.verify_some(_SLICE_S / 2, first) or unread)

    def view(self, wanted: Filter, *, is_whole: bool = False) -> View:
        if self._given is not None:
            self._given.find()
        whole = self.index.tree().children
        nodes: dict[str, Node] = {}
        waiting = list(whole)
        while waiting:
            node = waiting.pop()
            nodes[node.path] = node
            waiting += node.children
        known = {node.path: node for node in whole}
        roots = [known.get(root) or Node(root) for root in ROOTS]
        if wanted.is_on:
            is_wanted = self._is_wanted(wanted)
            roots = [_without(root, is_wanted) for root in roots]
        own = sum(root.lessons for root in whole if not root.is_read_only)
        library = self.library
        steps = library.undoable, library.redoable, library.loss()
        return View(tuple(roots), nodes, own, *steps, len(library.binned()), is_whole=is_whole)

    def mark(self, trained: Iterable[Path]) -> None:
        """Say which lessons a model was trained on.

        Args:
            trained: folders with copies of them, at their places in the taxonomy.
        """
        found: set[str] = set()
        for folder in trained:
            with contextlib.suppress(LeafError):
                found |= {leaf.relative_to(folder).as_posix() for leaf in find_leaves(folder)}
        self.index.set_marks(Badge.TRAINED, found)

    def _is_wanted(self, wanted: Filter) -> Callable[[Entry], bool]:
        mine = self._mine() if wanted.whose != "all" else frozenset()

        def is_wanted(lesson: Entry) -> bool:
            if wanted.badge and lesson.badge != wanted.badge:
                return False
            return wanted.whose == "all" or (lesson.path in mine) == (wanted.whose == "mine")

        return is_wanted

    def _mine(self) -> frozenset[str]:
        """Lessons that are new or different since the community's version; asked for again when a file is another."""
        stamps = tuple((entry.path, entry.modified_ns) for entry in self.index.entries())
        if self._whose is None or self._whose[0] != stamps:
            found = repository.changes(self.root)
            self._whose = stamps, frozenset(change.path.parent.as_posix() for change in found.leaves)
        return self._whose[1]

    # Finding

    def find(self, words: str, wanted: Filter) -> list[Hit]:
        hits = self.index.search(words, limit=_MOST_HITS)
        if not wanted.is_on:
            return hits
        is_wanted = self._is_wanted(wanted)
        return [hit for hit in hits if is_wanted(hit.entry)]

    def places(self, title: str, description: str, kind: LeafKind) -> tuple[list[Place], list[Near]]:
        """Three topics where a lesson of this kind belongs, and lessons that say nearly the same."""
        root = "knowledge" if kind is LeafKind.KNOWLEDGE else "compositional_skills"
        places = self.index.places_for(title, description, root=root)
        alike = [near for near in self.index.near(f"{title} {description}") if near.entry.root == root]
        return places, alike

    def near(self, path: str) -> list[Near]:
        """Lessons much like the one at a path, the likest first."""
        entry = self.index.entry(path)
        return self.index.near(entry) if entry is not None else []

    # What the community has

    def sharing(self, path: str) -> Sharing | None:
        """Who else has a lesson that bears the badge "shared", and since when; None: it does not bear it."""
        return self._given.of(path) if self._given is not None else None

    def changes(self) -> Changes:
        """What differs from the community's version."""
        return repository.changes(self.root)

    def sentences(self, changes: Sequence[Change]) -> dict[Path, str]:
        """In what these lessons differ, by their files."""
        return {change.path: " ".join(each.message for each in inside(self.root, change)) for change in changes}

    def compare(self, change: Change) -> Comparison:
        """Everything in which a lesson differs from the community's version, its documents and credits too."""
        return compare(self.root, change)

    def before(self, folder: Path) -> Comparison:
        """What a lesson held that is not there any more."""
        return before(self.root, folder)

    def put_back(self, folder: Path, wanted: Filter) -> tuple[Step | None, View]:
        """Take a lesson out of the bin, or as the community has it where it is not there.

        Raises:
            LabError: it could not be put back.
        """
        thrown = next((each for each in self.library.binned() if each.path == folder), None)
        if thrown is not None:
            return self.act(lambda library: library.restore(thrown), wanted)
        files = repository.files_before(self.root, folder)
        if FILE_NAME not in files:
            raise LeafError(
                f'"{title_of(folder.name)}" is not in the community\'s version.', "Look at the library again."
            )

        def write(target: Path, _: Path) -> None:
            for name, data in files.items():
                parts = name.split("/")
                if all(is_safe(part) for part in parts):
                    with replacing(target.joinpath(*parts)) as file:
                        file.write_bytes(data)

        return self.act(lambda library: library.put_back(NewLeaf(folder, write)), wanted)

    def update(self, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Update:
        """Bring what the community has newly; what the person touched stays.

        Raises:
            LabError: it could not be fetched.
            Cancelled: nothing has changed.
        """
        brought = repository.update(self.root, on_progress, is_cancelled)
        if self._given is not None:
            self._given.note_update()
        return brought

    # Steps

    def act(self, do: Callable[[Library], Step | None], wanted: Filter) -> tuple[Step | None, View]:
        """Do a step, and give the tree after it.

        Raises:
            LabError: it could not be done, and why.
        """
        step = do(self.library)
        return step, self.look(wanted)

    def look_through(self, haul: Haul, topic: str) -> None:
        """Find the places of what was found in a file, folder or archive.

        Args:
            topic: where lessons go that have no place of their own.

        Raises:
            LeafError: the topic is no place for lessons.
        """
        try:
            haul.finds = settled(haul.finds, self.library, Path(topic))
        except BaseException:
            haul.close()
            raise

    def bring(
        self, finds: Sequence[Find], wanted: Filter, on_progress: Progress, is_cancelled: Callable[[], bool]
    ) -> tuple[Step | None, View]:
        """Take lessons in that were found, all in one step.

        Raises:
            LabError: it could not be done; nothing has changed.
            Cancelled: nothing has changed.
        """
        count = itertools.count()

        def on_write() -> None:
            if is_cancelled():
                raise Cancelled
            on_progress("", next(count) / len(finds))

        return self.act(lambda library: library.add([newcomer(find, on_write) for find in finds]), wanted)

    def binned(self) -> Sequence[Binned]:
        return self.library.binned()


def _without(node: Node, is_wanted: Callable[[Entry], bool]) -> Node:
    """The node with what is wanted of what lies below."""
    kept = [_without(child, is_wanted) for child in node.children]
    children = tuple(child for child in kept if child.lessons)
    own = int(node.lesson is not None and is_wanted(node.lesson))
    return replace(node, children=children, lessons=own + sum(child.lessons for child in children))
