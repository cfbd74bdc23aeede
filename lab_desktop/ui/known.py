"""What was read from the disk and has not changed since: how far each run is, its report, the activity journal.

A page asks as often as it is drawn; a file is read again when its time or size is another. A small file is read at
once. A big one is read in a thread of its own while what was known before is given, and `changed` says when it is read.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from lab_desktop import corrections, projects
from lab_desktop.corrections import read_report
from lab_desktop.errors import LabError
from lab_desktop.projects import State
from lab_desktop.ui.jobs import Job, read_journal

_Value = TypeVar("_Value")
_Stamp = tuple[tuple[int, int], ...]
_AT_ONCE = 500_000
"""Bytes that are read while a page waits: a few milliseconds."""
_LOOK_MS = 30
_RUN_FILES = (
    "samples.jsonl", "reviews.jsonl", "dataset/manifest.json", "adapter/adapter.json", "report.json",
)  # fmt: skip


class Known(QObject):
    changed = Signal()
    """A big file has been read."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: dict[object, tuple[_Stamp, Any]] = {}
        self._reading: set[object] = set()
        self._came: queue.SimpleQueue[tuple[object, _Stamp, object]] = queue.SimpleQueue()
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._take)

    def state(self, run: Path | None) -> State:
        """How far a run is."""
        if run is None:
            return State()
        return self._get(("state", run), [run / name for name in _RUN_FILES], lambda: projects.state(run), State())

    def report(self, run: Path) -> dict[str, Any] | None:
        """What its report says, without the questions; None where it cannot be read, empty while it is."""
        nothing: dict[str, Any] | None = {}
        return self._get(
            ("report", run), [run / "report.json", run / corrections.FILE_NAME], lambda: _summary(run), nothing
        )

    def journal(self, path: Path) -> tuple[list[Job], LabError | None]:
        """The jobs of the activity journal, oldest first, and what is wrong with it."""
        nothing: tuple[list[Job], LabError | None] = ([], None)
        return self._get(("journal", path), [path], lambda: _jobs(path), nothing)

    def _get(self, key: object, files: Sequence[Path], read: Callable[[], _Value], nothing: _Value) -> _Value:
        stamp = tuple(_stamp(path) for path in files)
        before = self._values.get(key)
        if before is not None and before[0] == stamp:
            value: _Value = before[1]
            return value
        if sum(size for _, size in stamp) <= _AT_ONCE:
            value = read()
            self._values[key] = stamp, value
            return value
        if key not in self._reading:
            self._reading.add(key)
            # The thread holds the queue and nothing of Qt: this object may be gone before it is done.
            threading.Thread(target=_read, args=(self._came, key, stamp, read), daemon=True).start()
            self._look.start()
        return before[1] if before is not None else nothing

    def _take(self) -> None:
        has_come = not self._came.empty()
        while not self._came.empty():
            key, stamp, value = self._came.get()
            self._reading.discard(key)
            self._values[key] = stamp, value
        if not self._reading:
            self._look.stop()
        if has_come:
            self.changed.emit()


def _read(
    came: queue.SimpleQueue[tuple[object, _Stamp, object]], key: object, stamp: _Stamp, read: Callable[[], object]
) -> None:
    came.put((key, stamp, read()))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


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
