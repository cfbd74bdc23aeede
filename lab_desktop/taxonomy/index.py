"""Finding in a taxonomy: every lesson of a working tree, what stands in it, how far it is, and what lies near.

    index = Index(root, file)          what was known the last time, at once
    index.look()                       compared with the disk: names, folders, what is to be read
    while index.read_some(0.2): …      reads what changed, newest first
    while index.verify_some(0.2): …    finds the badges

The first two take a moment, the loops are for a thread in the background. The tree is never written to;
`file` is a cache that may be deleted at any time. Every method may be called from any thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.artifacts import LeafKind
from lab_desktop.taxonomy import neighbours
from lab_desktop.taxonomy.badges import Badge, verdict
from lab_desktop.taxonomy.glance import (
    MOST_BYTES,
    MOST_DOCUMENT_BYTES,
    MOST_DOCUMENTS,
    Glance,
    Piece,
    glance,
    kind_of,
    read_bytes,
)
from lab_desktop.taxonomy.index_file import IndexFile, Row
from lab_desktop.taxonomy.search import Question, Snippet, part_with, separated, snippet, stored, tokens
from lab_desktop.taxonomy.source import SourceProblem
from lab_desktop.taxonomy.survey import Seen, Survey, is_as_seen, survey
from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS, is_knowledge

_BATCH_S = 0.2
"""Lessons that are read for so long are kept together; a search waits for about a quarter of it."""


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
        return title_of(self.path)

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
        return title_of(self.path)


@dataclass(frozen=True)
class Hit:
    """A lesson that was searched for.

    Attributes:
        where: the text in which most of the words stand: "title", "description", "question", "answer", "passage",
            "document" or "author".
        example, pair: the number of that text in the lesson, from 0; -1 where it has none.
        document: the file beside the lesson, "" elsewhere.
    """

    entry: Entry
    snippet: Snippet
    where: str = "title"
    example: int = -1
    pair: int = -1
    document: str = ""


@dataclass(frozen=True)
class Near:
    """A lesson much like another.

    Attributes:
        score: 0–1; from about 0.5 on it may be the same topic.
        why: one or two sentences.
    """

    entry: Entry
    score: float
    why: str


@dataclass(frozen=True)
class Place:
    """A topic where a new lesson may belong.

    Attributes:
        path: the topic's folder relative to the tree.
        score: compares the places of one answer.
        words: what the new lesson shares with what lies there.
        neighbours: the lessons there that are most like it.
    """

    path: str
    score: float
    words: tuple[str, ...]
    neighbours: tuple[Entry, ...]

    @property
    def title(self) -> str:
        return title_of(self.path)


def title_of(path: str) -> str:
    """A folder's name in plain words: "knowledge/big_islands" → "Big islands"."""
    return path.rpartition("/")[2].replace("_", " ").capitalize()


class Index:
    """What is known of a taxonomy working tree.

    Args:
        root: the working tree.
        file: the cache, in the person's own folder; one for each tree. Made where there is none.
    """

    def __init__(self, root: Path, file: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._file = IndexFile(file, str(self.root))
        self._lock = threading.RLock()
        self._marks: dict[Badge, frozenset[str]] = {}
        self._seen = Survey()
        self._waiting: dict[str, Seen] = {}
        self._starts = self._file.starts
        self._foreign = -1
        self._entries: dict[str, Entry] = {}
        self._take_over()

    def close(self) -> None:
        """Let go of the file; what a thread is at comes to its end soon and is not kept."""
        self._file.close()

    @property
    def is_kept(self) -> bool:
        """False when the cache cannot be written, so that everything is read anew at the next start."""
        return self._file.is_kept

    # What is there

    def entries(self) -> tuple[Entry, ...]:
        """Every lesson, by path."""
        with self._lock:
            return tuple(self._entries[path] for path in sorted(self._entries))

    def entry(self, path: str) -> Entry | None:
        """The lesson in a folder, or None."""
        with self._lock:
            return self._entries.get(path)

    def tree(self) -> Node:
        """The whole tree; folders without a lesson are in it once `look` has seen them."""
        with self._lock:
            folders, entries = dict(self._seen.folders), dict(self._entries)
        for path in entries:
            while path and path not in folders:
                folders[path] = ""
                path = path.rpartition("/")[0]
        children: dict[str, list[Node]] = {}
        # Backwards, every folder comes after those below it.
        for path in sorted(folders, reverse=True):
            lesson = entries.get(path)
            below = children.pop(path, [])[::-1]
            if lesson is not None:
                below = [node for node in below if node.lessons]  # the others are folders of documents
            lessons = (lesson is not None) + sum(node.lessons for node in below)
            node = Node(path, lesson, tuple(below), lessons, folders[path])
            children.setdefault(node.path.rpartition("/")[0], []).append(node)
        roots = sorted(children.get("", []), key=lambda node: ROOTS.index(node.path) if node.path in ROOTS else 9)
        return Node("", None, tuple(roots), sum(node.lessons for node in roots))

    def set_marks(self, mark: Badge, paths: Iterable[str]) -> None:
        """Say which lessons are trained, or shared; replaces what was said of this mark before. Not kept."""
        with self._lock:
            self._marks[mark] = frozenset(paths)
            self._entries = {path: self._marked(entry) for path, entry in self._entries.items()}

    # Keeping up with the disk

    def look(self) -> int:
        """Compare with the disk, without opening a file; gives how many lessons are to be read."""
        now = survey(self.root)
        with self._lock:
            if not self.root.is_dir():
                return len(self._waiting)  # its disk is gone for now: nothing is forgotten
            self._notice_new_file()
            if self._file.foreign_changes() != self._foreign:
                self._take_over()
            gone = self._entries.keys() - now.lessons.keys()
            if gone:
                self._file.drop(gone)
            self._entries = {
                path: self._entries.get(path) or self._marked(Entry(path, modified_ns=seen.modified_ns))
                for path, seen in now.lessons.items()
            }
            self._seen = now
            self._await(path for path, seen in now.lessons.items() if self._entries[path].stamp != seen.stamp)
            return len(self._waiting)

    def read_some(self, seconds: float, first: Iterable[str] = ()) -> int:
        """Read lessons that changed, newest first; gives how many are left.

        Args:
            seconds: about how long; at least one lesson is read.
            first: paths that come before all others, because they are on the screen.
        """
        until = time.monotonic() + seconds
        before = list(first)
        with self._lock:
            self._notice_new_file()
        while True:
            batch = self._next_batch(before, until)
            with self._lock:
                self._keep(batch)
                left = len(self._waiting)
            if self._file.is_closed:
                return 0
            if not batch or not left or time.monotonic() >= until:
                return left

    def refresh(self) -> frozenset[str]:
        """Compare with the disk and read everything that changed; gives the paths that are new, different or gone."""
        before = {entry.path: entry for entry in self.entries()}
        self.look()
        while self.read_some(1.0):
            pass
        after = {entry.path: entry for entry in self.entries()}
        return frozenset(
            path
            for path in before.keys() | after.keys()
            if path not in before or path not in after or before[path].digest != after[path].digest
        )

    def verify_some(self, seconds: float, first: Iterable[str] = ()) -> int:
        """Find the badges of lessons that have been read, newest first; gives how many are left.

        Args:
            seconds: about how long; at least one lesson is verified, which may take seconds for a huge one.
            first: paths that come before all others.
        """
        until = time.monotonic() + seconds
        with self._lock:
            unverified = [
                entry
                for entry in self._entries.values()
                if entry.verdict is None and entry.digest and entry.path not in self._waiting
            ]
        unverified.sort(key=lambda entry: (-entry.modified_ns, entry.path))
        wanted = set(first)
        unverified.sort(key=lambda entry: entry.path not in wanted)
        for number, entry in enumerate(unverified, start=1):
            badge, problem = verdict(self.root / entry.path)
            with self._lock:
                self._judged(entry, badge, problem)
            if self._file.is_closed:
                return 0
            if time.monotonic() >= until:
                return len(unverified) - number
        return 0

    def changed_since(self, entries: Iterable[Entry] | None = None) -> frozenset[str]:
        """Paths of lessons that are new, gone or changed on the disk since `entries` were read (by default: ours).

        Opens no file. What was read within two seconds of its last change counts as changed, as it may be.
        """
        read = {entry.path: entry.stamp for entry in (self.entries() if entries is None else entries)}
        with self._lock:
            seen = self._seen
        lessons = (seen if is_as_seen(self.root, seen) else survey(self.root)).lessons
        now = {path: lesson.stamp for path, lesson in lessons.items()}
        return frozenset(path for path in read.keys() | now.keys() if read.get(path) != now.get(path))

    # Finding

    def search(self, text: str, limit: int = 30) -> list[Hit]:
        """Lessons with every word of `text` in their names, descriptions, questions, answers, passages or documents.

        The last word may be only begun. Words typed without a blank between them stand in a row.
        """
        question = Question.of(text)
        found = [self.entry(path) for path, _ in self._file.matching(question, limit)]
        return [self._hit(entry, question) for entry in found if entry is not None]

    def near(self, topic: str | Entry, limit: int = 5) -> list[Near]:
        """Lessons that may be about the same, by name, description and questions; the most alike first."""
        if isinstance(topic, Entry):
            own = self._subject(topic)
            but = topic.path
        else:
            own, but = neighbours.Subject(topic), ""
        found = []
        for entry, _, subject in self._alike(own):
            score, why = neighbours.likeness(own, subject)
            if score >= neighbours.LEAST and entry.path != but:
                found.append(Near(entry, score, why))
        return sorted(found, key=lambda near: (-near.score, near.entry.path))[:limit]

    def places_for(self, title: str, description: str = "", root: str = "", limit: int = 3) -> list[Place]:
        """Topics where a new lesson may belong, best first, by the words that it shares with what lies there.

        Args:
            root: look below this folder only, e.g. "knowledge"; by default everywhere people may add lessons.
        """
        own = neighbours.Subject(title, (description,))
        with self._lock:
            folders = [path for path in self._seen.folders if path not in self._entries]
            below: dict[str, list[Entry]] = {path: [] for path in folders}
            for lesson in self._entries.values():
                below.setdefault(lesson.topic, []).append(lesson)
        allowed = [path for path in below if _is_below(path, root) and not path.startswith("foundational_skills")]
        alike = self._alike(own)
        found = neighbours.places(own, allowed, [(entry.topic, score, subject) for entry, score, subject in alike])
        places = []
        for path, score, words in found[:limit]:
            there = [entry for entry, _, _ in alike if entry.topic == path]
            there += [entry for entry in below.get(path, []) if entry not in there]
            places.append(Place(path, score, words, tuple(there[: neighbours.SHOWN])))
        return places

    # Behind it

    def _take_over(self) -> None:
        """What the file knows becomes what we know."""
        self._foreign = self._file.foreign_changes()
        self._entries = {entry.path: self._marked(entry) for entry in map(_entry, self._file.rows())}

    def _notice_new_file(self) -> bool:
        """Have everything read once more when the file was begun anew, or given up for the memory."""
        if self._file.starts == self._starts:
            return False
        self._starts = self._file.starts
        self._entries = {path: replace(entry, stamp="", digest="") for path, entry in self._entries.items()}
        self._await(self._seen.lessons)
        return True

    def _await(self, paths: Iterable[str]) -> None:
        seen = sorted((self._seen.lessons[path] for path in paths), key=lambda each: (-each.modified_ns, each.path))
        self._waiting = {each.path: each for each in seen}

    def _next_batch(self, first: list[str], until: float) -> list[_Read]:
        batch: list[_Read] = []
        start = time.monotonic()
        while True:
            with self._lock:
                seen = next((self._waiting.pop(path) for path in first if path in self._waiting), None)
                if seen is None and self._waiting:
                    seen = self._waiting.pop(next(iter(self._waiting)))
                known = self._entries.get(seen.path) if seen else None
            if seen is None:
                return batch
            if known is not None:
                batch.append(self._read(seen, known))
            if time.monotonic() >= min(until, start + _BATCH_S):
                return batch

    def _read(self, seen: Seen, known: Entry) -> _Read:
        """One lesson from the disk; nothing that lies there makes this fail."""
        folder = os.path.join(self.root, seen.path)  # noqa: PTH118
        entry = Entry(seen.path, seen.stamp if seen.settled else "", modified_ns=seen.modified_ns, mark=known.mark)
        pieces = [Piece("title", _place(seen.path))]
        problem = ""
        try:
            data = read_bytes(os.path.join(folder, seen.file), str(self.root), MOST_BYTES)  # noqa: PTH118
        except SourceProblem as error:
            data, problem = error.message.encode("utf-8", "replace"), error.message
        digest = f"{_digest(data, seen)}-"
        documents = self._documents(folder, seen)
        digest += _digest("\0".join(text for _, text in documents).encode("utf-8"), None)
        if digest == known.digest:
            # Read again only because it was so new: all that is known still holds.
            return _Read(replace(known, stamp=entry.stamp, modified_ns=seen.modified_ns), seen)
        if not problem:
            try:
                found = glance(data, Path(folder, seen.file))
                entry = _filled(entry, found, self.root)
                pieces += found.pieces
            except SourceProblem as error:
                problem = f"Line {error.line}: {error.message}"
        if not problem and seen.file != FILE_NAME:
            problem = f'The file is named "{seen.file}"; only "{FILE_NAME}" is found by InstructLab.'
        if problem:
            entry = replace(entry, verdict=Badge.PROBLEM, problem=_clean(problem))
        return _Read.of(replace(entry, digest=digest), seen, pieces, documents)

    def _documents(self, folder: str, seen: Seen) -> list[tuple[str, str]]:
        """(name, text) of the documents beside a lesson, as far as they can be read."""
        found = []
        for name in seen.documents[:MOST_DOCUMENTS]:
            try:
                data = read_bytes(os.path.join(folder, name), str(self.root), MOST_DOCUMENT_BYTES, cut=True)  # noqa: PTH118
            except SourceProblem:
                continue
            found.append((name, data.decode("utf-8", "replace")))
        return found

    def _keep(self, batch: list[_Read]) -> None:
        batch = [read for read in batch if read.entry.path in self._seen.lessons]
        changed = [read for read in batch if read.pieces]
        same = [_row(read.entry) for read in batch if not read.pieces]
        is_kept = not changed or self._file.put((_row(read.entry), read.pieces, read.words) for read in changed)
        is_kept = is_kept and (not same or self._file.put_rows(same))
        if is_kept:
            self._entries |= {read.entry.path: self._marked(read.entry) for read in batch}
        elif not self._notice_new_file():
            self._waiting |= {read.seen.path: read.seen for read in batch}

    def _judged(self, entry: Entry, badge: Badge, problem: str) -> None:
        """Take a verdict over, unless the lesson was changed while it was found."""
        seen = self._seen.lessons.get(entry.path)
        known = self._entries.get(entry.path)
        if seen is None or known is None or known.digest != entry.digest:
            return
        try:
            file = os.path.join(self.root, seen.path, seen.file)  # noqa: PTH118
            digest = _digest(read_bytes(file, str(self.root), MOST_BYTES), seen)
        except SourceProblem:
            digest = ""
        if not entry.digest.startswith(f"{digest}-"):
            self._waiting[entry.path] = seen
            return
        judged = replace(known, verdict=badge, problem=_clean(problem))
        self._entries[entry.path] = judged
        self._file.put_rows([_row(judged)])

    def _marked(self, entry: Entry) -> Entry:
        mark = next(
            (mark for mark in (Badge.SHARED, Badge.TRAINED) if entry.path in self._marks.get(mark, frozenset())), None
        )
        return entry if mark is entry.mark else replace(entry, mark=mark)

    def _pieces(self, path: str) -> list[Piece]:
        return [Piece(*piece) for piece in json.loads(self._file.pieces(path))]

    def _subject(self, entry: Entry) -> neighbours.Subject:
        pieces = self._pieces(entry.path)
        return neighbours.Subject(
            entry.title,
            tuple(piece.text for piece in pieces if piece.where == "description"),
            tuple(piece.text for piece in pieces if piece.where == "question"),
        )

    def _alike(self, own: neighbours.Subject) -> list[tuple[Entry, float, neighbours.Subject]]:
        """The lessons that share most words with `own`, best first; their texts in the form that is compared."""
        found = self._file.with_any(own.words(), neighbours.MOST_COMPARED)
        texts = self._file.subjects(path for path, _ in found)
        return [
            (entry, score, neighbours.Subject(entry.title, *map(separated, texts[path])))
            for path, score in found
            if (entry := self.entry(path)) is not None and path in texts
        ]

    def _hit(self, entry: Entry, question: Question) -> Hit:
        """Where in a lesson most of what was asked for stands."""
        best, most = Piece("title", entry.title), -1
        for piece in [*self._pieces(entry.path), Piece("author", entry.author)]:
            if piece.where == "document" and most < len(question.groups):
                piece = self._part_of_document(entry, piece, question)
            count = len(question.found_in(tokens(piece.text))) if piece.text else 0
            if count > most:
                best, most = piece, count
            if most == len(question.groups):
                break
        return Hit(entry, snippet(best.text, question), best.where, best.example, best.pair, best.document)

    def _part_of_document(self, entry: Entry, piece: Piece, question: Question) -> Piece:
        file = os.path.join(self.root, entry.path, piece.document)  # noqa: PTH118
        try:
            data = read_bytes(file, str(self.root), MOST_DOCUMENT_BYTES, cut=True)
        except SourceProblem:
            return piece
        return replace(piece, text=part_with(data.decode("utf-8", "replace"), question))


@dataclass(frozen=True)
class _Read:
    """A lesson as it was just read; without `pieces` (JSON) and words (for each column) where it is as it was."""

    entry: Entry
    seen: Seen
    pieces: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Entry, seen: Seen, pieces: list[Piece], documents: list[tuple[str, str]]) -> _Read:
        texts = {"document": [text for _, text in documents], "author": [entry.author]}
        for piece in pieces:
            texts.setdefault(piece.where, []).append(piece.text)
        shown = [[piece.where, piece.text, piece.example, piece.pair] for piece in pieces]
        shown += [["document", "", -1, -1, name] for name, _ in documents]
        return cls(entry, seen, json.dumps(shown), tuple(stored(texts.get(where, ())) for where in _COLUMNS))


_COLUMNS = ("title", "description", "question", "answer", "passage", "document", "author")
_COUNTED = ("question", "answer", "passage")


def _filled(entry: Entry, found: Glance, root: Path) -> Entry:
    knowledge = is_knowledge(root / entry.path, found.has_document)
    return replace(
        entry,
        kind=kind_of(found, knowledge),
        questions=sum(piece.where == "question" for piece in found.pieces),
        examples=found.examples,
        words=sum(len(piece.text.split()) for piece in found.pieces if piece.where in _COUNTED),
        author=_clean(found.author)[:200],
        version=found.version,
    )


def _entry(row: Row) -> Entry:
    path, stamp, digest, kind, questions, examples, words, author, version, verdict_, problem, modified_ns = row
    kind, verdict_ = kind and LeafKind(kind), verdict_ and Badge(verdict_)
    counts = (questions, examples, words)
    return Entry(path, stamp, digest, kind, *counts, author, version, verdict_, problem, modified_ns)


def _row(entry: Entry) -> Row:
    return (
        entry.path, entry.stamp, entry.digest, entry.kind, entry.questions, entry.examples, entry.words, entry.author,
        entry.version, entry.verdict, entry.problem, entry.modified_ns,
    )  # fmt: skip


def _digest(data: bytes, seen: Seen | None) -> str:
    names = os.fsencode("\n".join([seen.file, *seen.names])) if seen else b""
    return hashlib.blake2b(b"%d\n%b%b" % (len(data), data, names), digest_size=12).hexdigest()


def _clean(text: str) -> str:
    """Without half characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _place(path: str) -> str:
    """The way to a lesson in words: "Geography › Velmora"."""
    _, *names = path.split("/")
    return " › ".join(title_of(name) for name in names) or title_of(path)


def _is_below(path: str, root: str) -> bool:
    return not root or path == root or path.startswith(f"{root}/")
