"""The library for one thread: its folders and their history, what is known of the lessons, the community's version.

Knows no window. What it gives are values, made for being shown: `View` is the whole tree as it is now.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop import repository
from lab_desktop.artifacts import Leaf, LeafKind
from lab_desktop.errors import DocumentError, LabError, LeafError
from lab_desktop.files import disk_errors, replacing
from lab_desktop.paths import documents_beside
from lab_desktop.repository import Change, Changes, Progress, Update
from lab_desktop.taxonomy.badges import Badge
from lab_desktop.taxonomy.differences import differences
from lab_desktop.taxonomy.importing import Imported, keep_original, read_anything
from lab_desktop.taxonomy.index import Entry, Hit, Index, Near, Place
from lab_desktop.taxonomy.index import Node as Folder
from lab_desktop.taxonomy.library import ATTRIBUTION, Binned, Library, Step
from lab_desktop.taxonomy.names import title_of
from lab_desktop.taxonomy.qna import parse_draft, read_draft, write_leaf
from lab_desktop.taxonomy.tree import ROOTS, find_leaves

_SLICE_S = 0.08
"""So long badges are worked on before somebody else has a turn."""
_MOST_HITS = 60


@dataclass(frozen=True)
class Node:
    """A topic or a lesson of the tree.

    Attributes:
        path: relative to the library, with slashes; "knowledge" is a root.
        badge: of a lesson; "" while nobody has looked.
        kind: of a lesson, a LeafKind's value; "" where it cannot be read.
        parts, questions: of a lesson; each example of a skill is a part with one question.
        problem: the first thing to mend.
        lessons: in a topic and below.
    """

    path: str
    title: str
    is_leaf: bool = False
    badge: str = ""
    kind: str = ""
    parts: int = 0
    questions: int = 0
    problem: str = ""
    lessons: int = 0
    children: tuple[Node, ...] = ()

    @property
    def root(self) -> str:
        return self.path.partition("/")[0]

    @property
    def topic(self) -> str:
        """Where it lies."""
        return self.path.rpartition("/")[0]

    @property
    def is_root(self) -> bool:
        return "/" not in self.path

    @property
    def is_read_only(self) -> bool:
        """Basics are looked after by those who keep the community's library."""
        return self.root == "foundational_skills"

    @property
    def looks(self) -> tuple[object, ...]:
        """What is drawn of it."""
        return self.title, self.badge, self.parts, self.questions, self.lessons, self.problem


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
        binned: how much lies in the bin.
        is_whole: every lesson has been read and has its badge.
    """

    roots: tuple[Node, ...] = ()
    nodes: dict[str, Node] | None = None
    own: int = 0
    undo: Step | None = None
    redo: Step | None = None
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

    def __init__(self, root: Path, starter: Path | None, caches: Path) -> None:
        """
        Args:
            starter: what a new library begins with; None: this one has to be there.
            caches: folder for what is known of libraries.
        """
        self.root = root
        self._starter = starter
        name = hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        self._cache = caches / f"{name}.sqlite"
        self._index: Index | None = None
        self._library: Library | None = None
        self._whose: tuple[object, frozenset[str]] | None = None

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
        self._library.empty_bin()
        with contextlib.suppress(OSError):  # what cannot be kept is read anew the next time
            self._cache.parent.mkdir(parents=True, exist_ok=True)
        self._index = Index(self.root, self._cache)

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
        whole = [_node(folder) for folder in self.index.tree().children]
        nodes: dict[str, Node] = {}
        waiting = list(whole)
        while waiting:
            node = waiting.pop()
            nodes[node.path] = node
            waiting += node.children
        known = {node.path: node for node in whole}
        roots = [known.get(root) or Node(root, "") for root in ROOTS]
        if wanted.is_on:
            is_wanted = self._is_wanted(wanted)
            roots = [_without(root, is_wanted) for root in roots]
        own = sum(root.lessons for root in whole if not root.is_read_only)
        library = self.library
        return View(
            tuple(roots), nodes, own, library.undoable, library.redoable, len(library.binned()), is_whole=is_whole
        )

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

    def _is_wanted(self, wanted: Filter) -> Callable[[Node], bool]:
        mine = self._mine() if wanted.whose != "all" else frozenset()

        def is_wanted(node: Node) -> bool:
            if wanted.badge and node.badge != wanted.badge:
                return False
            return wanted.whose == "all" or (node.path in mine) == (wanted.whose == "mine")

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
        return [hit for hit in hits if is_wanted(_leaf(hit.entry))]

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

    def changes(self) -> tuple[Changes, dict[Path, tuple[str, ...]]]:
        """What differs from the community's version, and of changed lessons in what, in sentences."""
        found = repository.changes(self.root)
        return found, {change.path: self._differences(change) for change in found.leaves if change.kind != "new"}

    def _differences(self, change: Change) -> tuple[str, ...]:
        folder = self.root / change.path.parent
        try:
            before, after = parse_draft(change.before or "", folder), read_draft(folder)
        except LabError:
            return ()  # what is wrong with it, its badge says
        return tuple(each.message for each in differences(before, after))

    def update(self, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Update:
        """Bring what the community has newly; what the person touched stays.

        Raises:
            LabError: it could not be fetched.
            Cancelled: nothing has changed.
        """
        return repository.update(self.root, on_progress, is_cancelled)

    # Steps

    def act(self, do: Callable[[Library], Step | None], wanted: Filter) -> tuple[Step | None, View]:
        """Do a step, and give the tree after it.

        Raises:
            LabError: it could not be done, and why.
        """
        step = do(self.library)
        return step, self.look(wanted)

    def examine(self, file: Path, topic: str) -> Imported:
        """What a lesson file says, and what importing it would change.

        Raises:
            LeafError: there is no lesson in it.
        """
        return read_anything(file, self.root / topic / "imported")

    def bring(self, imported: Imported, file: Path, topic: str, wanted: Filter) -> tuple[Step | None, View]:
        """Write a lesson that was read from a file into a topic, or to where lessons of its kind belong.

        Raises:
            LeafError: its place cannot be made; nothing was written.
            StorageError: it could not be written.
        """
        folder = file if file.is_dir() else file.parent
        leaf = replace(imported.leaf, folder=folder)
        root = "knowledge" if leaf.kind is LeafKind.KNOWLEDGE else "compositional_skills"
        parent = Path(topic) if topic.partition("/")[0] == root else None
        step = self.library.create_leaf(parent, title_of(folder.name), leaf.kind)
        if step.result is not None:
            target = self.root / step.result
            with disk_errors(target, "The lesson"):
                if not imported.is_exact:
                    keep_original(imported.original, target)
                write_leaf(replace(leaf, node=step.result.parts, folder=target), target)
            for path in (leaf.folder / ATTRIBUTION, *_documents(leaf)):
                if path.is_file():
                    with disk_errors(target, "The lesson"), replacing(target / path.relative_to(leaf.folder)) as copy:
                        shutil.copyfile(path, copy)
        return step, self.look(wanted)

    def binned(self) -> Sequence[Binned]:
        return self.library.binned()


def _documents(leaf: Leaf) -> list[Path]:
    try:
        return documents_beside(leaf.folder, leaf.document.patterns) if leaf.document is not None else []
    except DocumentError:
        return []  # the check says so, as of any lesson


def _leaf(entry: Entry, children: tuple[Node, ...] = ()) -> Node:
    return Node(
        entry.path,
        entry.title,
        is_leaf=True,
        badge=entry.badge.value if entry.badge else "",
        kind=entry.kind.value if entry.kind else "",
        parts=entry.examples,
        questions=entry.questions,
        problem=entry.problem,
        lessons=1,
        children=children,
    )


def _node(folder: Folder) -> Node:
    children = tuple(_node(each) for each in folder.children)
    if folder.lesson is not None:
        return _leaf(folder.lesson, children)
    return Node(folder.path, folder.title, problem=folder.problem, lessons=folder.lessons, children=children)


def _without(node: Node, is_wanted: Callable[[Node], bool]) -> Node:
    """The node with what is wanted of what lies below."""
    kept = [_without(child, is_wanted) for child in node.children]
    children = tuple(child for child in kept if child.lessons)
    own = int(node.is_leaf and is_wanted(node))
    return replace(node, children=children, lessons=own + sum(child.lessons for child in children))
