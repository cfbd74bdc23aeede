"""What was read from the disk and has not changed since: how far each run is, its report, the activity journal.

A page asks as often as it is drawn; a file is read again when its time or size is another. A small file is read at
once. A big one is read in a thread of its own while what was known before is given, and `changed` says when it is read.
No other part of the window keeps what it read of a file that somebody else writes.
"""

from __future__ import annotations

import functools
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from lab_desktop import corrections, projects
from lab_desktop.corrections import read_report
from lab_desktop.errors import LabError
from lab_desktop.files import stamp
from lab_desktop.projects import Counts, State
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import FILE_NAME as LESSON
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.jobs import Job, read_journal

_Value = TypeVar("_Value")
_Stamps = tuple[tuple[int, int], ...]
_AT_ONCE = 500_000
"""Bytes that are read while a page waits: a few milliseconds."""
_LOOK_MS = 30
_SWITCH_S = 0.0005
"""So long a thread keeps the interpreter while the window waits for it. The window lets go of it with each look at the
disk, dozens of times while a page is drawn, so Python's own 5 ms would add up to what a person sees."""
_RUN_FILES = (
    "samples.jsonl", "reviews.jsonl", "dataset/manifest.json", "adapter/adapter.json", "report.json",
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """What is known of a lesson without opening it.

    Attributes:
        title: its folder's name, where it cannot be read.
        questions: the first one of each example.
    """

    title: str
    questions: tuple[str, ...] = ()


class Known(QObject):
    changed = Signal()
    """A big file has been read."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: dict[object, tuple[_Stamps, Any]] = {}
        self._reading: set[object] = set()
        self._came: queue.SimpleQueue[tuple[object, _Stamps, object]] = queue.SimpleQueue()
        self._begins: list[threading.Thread] = []
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._take)
        self._counts: dict[Path, Counts] = {}

    def state(self, run: Path | None) -> State:
        """How far a run is."""
        if run is None:
            return State()
        files = [run / name for name in _RUN_FILES]
        return self.get(("state", run), files, functools.partial(projects.state, run, self.counts(run)), State())

    def counts(self, run: Path) -> Counts:
        """Of its practice questions, for who has to know at once how many there are."""
        return self._counts.setdefault(run, Counts())

    def report(self, run: Path) -> dict[str, Any] | None:
        """What its report says, without the questions; None where it cannot be read, empty while it is."""
        nothing: dict[str, Any] | None = {}
        files = [run / "report.json", run / corrections.FILE_NAME]
        return self.get(("report", run), files, lambda: _summary(run), nothing)

    def journal(self, path: Path) -> tuple[list[Job], LabError | None]:
        """The jobs of the activity journal, oldest first, and what is wrong with it."""
        nothing: tuple[list[Job], LabError | None] = ([], None)
        return self.get(("journal", path), [path], lambda: _jobs(path), nothing)

    def lessons(self, folder: Path) -> tuple[Lesson, ...]:
        """The lessons below a folder, as they were read last; a thread reads them, for each is checked as a whole."""
        try:
            folders = find_leaves(folder)
        except LabError:
            return ()
        nothing: tuple[Lesson, ...] = ()
        read = functools.partial(_lessons, folders)
        return self.get(("lessons", folder), [each / LESSON for each in folders], read, nothing, at_once=0)

    def get(
        self, key: object, files: Sequence[Path], read: Callable[[], _Value], nothing: _Value, at_once: int = _AT_ONCE
    ) -> _Value:
        """What `read` made of these files; `nothing` while they are read for the first time.

        Args:
            at_once: bytes that are read while the page waits.
            read: raises nothing and holds nothing of Qt: it may run in a thread.
        """
        stamps = tuple(stamp(path) for path in files)
        before = self._values.get(key)
        if before is not None and before[0] == stamps:
            value: _Value = before[1]
            return value
        if sum(size for size, _ in stamps) <= at_once:
            value = read()
            self._values[key] = stamps, value
            return value
        if key not in self._reading:
            self._reading.add(key)
            sys.setswitchinterval(_SWITCH_S)
            # The thread holds the queue and nothing of Qt: this object may be gone before it is done. It begins when
            # the page that asked is drawn: until then the two would only keep each other waiting.
            thread = threading.Thread(target=_read, args=(self._came, key, stamps, read), daemon=True)
            self._begins.append(thread)
            self._look.start()
        return before[1] if before is not None else nothing

    def _take(self) -> None:
        while self._begins:
            self._begins.pop().start()
        has_come = not self._came.empty()
        while not self._came.empty():
            key, stamps, value = self._came.get()
            self._reading.discard(key)
            self._values[key] = stamps, value
        if not self._reading:
            self._look.stop()
        if has_come:
            self.changed.emit()


def _read(
    came: queue.SimpleQueue[tuple[object, _Stamps, object]], key: object, stamps: _Stamps, read: Callable[[], object]
) -> None:
    came.put((key, stamps, read()))


def _lessons(folders: Sequence[Path]) -> tuple[Lesson, ...]:
    found = []
    for folder in folders:
        try:
            leaf = read_leaf(folder)
            found.append(Lesson(leaf.title, tuple(example.pairs[0].question for example in leaf.seed_examples)))
        except LabError:
            found.append(Lesson(folder.name))
    return tuple(found)


def _summary(run: Path) -> dict[str, Any] | None:
    try:
        report = read_report(run)
        leaves = [leaf["exam"] if leaf["exam"]["now"]["total"] else leaf["held_out"] for leaf in report["leaves"]]
        before, now, total = (
            sum(leaf[side][count] for leaf in leaves)
            for side, count in (("before", "right"), ("now", "right"), ("now", "total"))
        )
        general = report["general"]
        return {
            "before": before,
            "now": now,
            "total": total,
            "general_before": general["before"]["right"],
            "general_now": general["now"]["right"],
            "general_total": general["now"]["total"],
            "verdict": str(report["verdict"]["name"]),
        }
    except (LabError, KeyError, TypeError):
        return None


def _jobs(path: Path) -> tuple[list[Job], LabError | None]:
    try:
        return read_journal(path), None
    except LabError as error:
        return [], error
