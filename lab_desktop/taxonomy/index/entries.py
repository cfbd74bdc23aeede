"""The lessons and topics of a library as the index knows them, for whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass

from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.taxonomy.badges import Badge
from lab_desktop.taxonomy.index.file import Row
from lab_desktop.taxonomy.tree import READ_ONLY


@dataclass(frozen=True, slots=True)
class Entry:
    """A lesson of the library. All but place and date is empty until it has been read.

    Attributes:
        path: its folder relative to the tree, with slashes: "knowledge/geography/velmora".
        kind: what it teaches; None until it has been read, or when it cannot be.
        questions, examples: how many; an example of a knowledge lesson is a passage with its questions.
        words: of passages, questions and answers together.
        verdict: draft, ready or problem; None until it has been verified.
        problem: the first thing to mend, in a sentence.
        modified_ns: when its newest file was changed, in nanoseconds since 1970 (UTC).
        stamp: of the files when they were read, "" when they are to be read again in any case.
        digest: of what the verdict was made from.
        mark: trained or shared, see `Index.set_marks`.
    """

    path: str
    stamp: str = ""
    digest: str = ""
    kind: LeafKind | None = None
    questions: int = 0
    examples: int = 0
    words: int = 0
    author: str = ""
    version: int = 0
    verdict: Badge | None = None
    problem: str = ""
    modified_ns: int = 0
    mark: Badge | None = None

    @property
    def root(self) -> str:
        """ "knowledge", "compositional_skills" or "foundational_skills"."""
        return self.path.partition("/")[0]

    @property
    def topic(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def title(self) -> str:
        return title_of(self.path.rpartition("/")[2])

    @property
    def badge(self) -> Badge | None:
        """What to show: trained or shared stand for ready; None until it is known."""
        return self.mark if self.mark is not None and self.verdict in (Badge.READY, None) else self.verdict


@dataclass(frozen=True)
class Node:
    """A folder of the tree.

    Attributes:
        path: relative to the tree, with slashes; "" for the tree itself.
        lesson: the lesson that lies in this very folder, if any.
        lessons: how many lie in it and below.
        problem: why what lies below cannot be shown, "" mostly.
    """

    path: str
    lesson: Entry | None = None
    children: tuple[Node, ...] = ()
    lessons: int = 0
    problem: str = ""

    @property
    def title(self) -> str:
        return title_of(self.path.rpartition("/")[2])

    @property
    def root(self) -> str:
        """ "knowledge", "compositional_skills" or "foundational_skills"."""
        return self.path.partition("/")[0]

    @property
    def topic(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def badge(self) -> Badge | None:
        """Of the lesson; None for a topic, and while it is not known."""
        return self.lesson.badge if self.lesson is not None else None

    @property
    def is_leaf(self) -> bool:
        """True for a lesson."""
        return self.lesson is not None

    @property
    def is_root(self) -> bool:
        return "/" not in self.path

    @property
    def is_read_only(self) -> bool:
        """True for what the project itself looks after."""
        return self.root == READ_ONLY


def entry_of(row: Row) -> Entry:
    """A lesson as the index's file keeps it."""
    path, stamp, digest, kind, questions, examples, words, author, version, verdict_, problem, modified_ns = row
    kind, verdict_ = kind and LeafKind(kind), verdict_ and Badge(verdict_)
    counts = (questions, examples, words)
    return Entry(path, stamp, digest, kind, *counts, author, version, verdict_, problem, modified_ns)


def row_of(entry: Entry) -> Row:
    """A lesson as the index's file will keep it."""
    return (
        entry.path, entry.stamp, entry.digest, entry.kind, entry.questions, entry.examples, entry.words, entry.author,
        entry.version, entry.verdict, entry.problem, entry.modified_ns,
    )  # fmt: skip
