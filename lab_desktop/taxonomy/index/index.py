"""Finding in a taxonomy: every lesson of a working tree, what stands in it, how far it is, and what lies near.

    index = Index(root, file)          what was known the last time, at once
    index.look()                       compared with the disk: names, folders, what is to be read
    while index.read_some(0.2): …      reads what changed, newest first
    while index.verify_some(0.2): …    finds the badges

The first two take a moment, the loops are for a thread in the background. The tree is never written to;
`file` is a cache that may be deleted at any time. Every method may be called from any thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lab_desktop.taxonomy.badges import Badge, verdict
from lab_desktop.taxonomy.index.entries import Entry, Node, entry_of, row_of
from lab_desktop.taxonomy.index.file import IndexFile
from lab_desktop.taxonomy.index.finding import Finder, Hit, Near, Place
from lab_desktop.taxonomy.index.glance import MOST_BYTES, read_bytes
from lab_desktop.taxonomy.index.reading import Read, clean, digest_of, read_lesson
from lab_desktop.taxonomy.index.survey import Seen, Survey, is_as_seen, survey
from lab_desktop.taxonomy.source import SourceProblem
from lab_desktop.taxonomy.tree import ROOTS

_BATCH_S = 0.2
"""Lessons that are read for so long are kept together; a search waits for about a quarter of it."""


class Index:
    """What is known of a taxonomy working tree.

    Args:
        root: the working tree.
        file: the cache, in the person's own folder; one for each tree. Made where there is none.
    """

    def __init__(self, root: Path, file: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._file = IndexFile(file, str(self.root))
        self._finder = Finder(self.root, self._file, self.entry)
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
        """As `Finder.search`."""
        return self._finder.search(text, limit)

    def near(self, topic: str | Entry, limit: int = 5) -> list[Near]:
        """As `Finder.near`."""
        return self._finder.near(topic, limit)

    def places_for(self, title: str, description: str = "", root: str = "", limit: int = 3) -> list[Place]:
        """As `Finder.places_for`."""
        with self._lock:
            topics: dict[str, list[Entry]] = {path: [] for path in self._seen.folders if path not in self._entries}
            for lesson in self._entries.values():
                topics.setdefault(lesson.topic, []).append(lesson)
        return self._finder.places_for(topics, title, description, root, limit)

    # Behind it

    def _take_over(self) -> None:
        """What the file knows becomes what we know."""
        self._foreign = self._file.foreign_changes()
        self._entries = {entry.path: self._marked(entry) for entry in map(entry_of, self._file.rows())}

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

    def _next_batch(self, first: list[str], until: float) -> list[Read]:
        batch: list[Read] = []
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
                batch.append(read_lesson(self.root, seen, known))
            if time.monotonic() >= min(until, start + _BATCH_S):
                return batch

    def _keep(self, batch: list[Read]) -> None:
        batch = [read for read in batch if read.entry.path in self._seen.lessons]
        changed = [read for read in batch if read.pieces]
        same = [row_of(read.entry) for read in batch if not read.pieces]
        is_kept = not changed or self._file.put((row_of(read.entry), read.pieces, read.words) for read in changed)
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
            digest = digest_of(read_bytes(file, str(self.root), MOST_BYTES), seen)
        except SourceProblem:
            digest = ""
        if not entry.digest.startswith(f"{digest}-"):
            self._waiting[entry.path] = seen
            return
        judged = replace(known, verdict=badge, problem=clean(problem))
        self._entries[entry.path] = judged
        self._file.put_rows([row_of(judged)])

    def _marked(self, entry: Entry) -> Entry:
        mark = next(
            (mark for mark in (Badge.SHARED, Badge.TRAINED) if entry.path in self._marks.get(mark, frozenset())), None
        )
        return entry if mark is entry.mark else replace(entry, mark=mark)
