"""How long the window did not answer: the longest time between two beats of its event loop, and what it did then.

A timer beats in the window's thread. Of the time between two beats counts what the thread worked (its processor time)
and what it slept, waiting for a file, a process or a lock; what it was kept from working by other programs does not.
A second thread looks, whenever a beat is late, whether the window's thread sleeps and where it is.

What was there before is left out of Python's searches for cycles, as in the program once it has started: a session of
tests holds several times as much.

Beside other programs the same work takes more processor time, for they share caches and memory. So a known piece of
work is done before and after, and what it took there against its best time in this process is left out of a stall.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import linecache
import math
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

LIMIT_S = 0.1
_BEAT_MS = 5
_LATE_S = 0.05
_LOOK_S = 0.01
_SETTLE_MS = 60
_KNOWN_WORK = 30_000
_KNOWN_TIMES = 5


_best_s = math.inf


def slowness() -> float:
    """How much longer a known piece of work takes now than at best, 1 or more."""
    global _best_s
    times = []
    for _ in range(_KNOWN_TIMES):
        began = time.thread_time()
        sum(len(str(number)) for number in range(_KNOWN_WORK))
        times.append(time.thread_time() - began)
    _best_s = min(_best_s, *times)
    return sorted(times)[len(times) // 2] / _best_s


def _source(line: str) -> str:
    """The words of the program at a line of a dump: '  File "x.py", line 12 in name'."""
    found = re.match(r' *File "(.+)", line (\d+)', line)
    return f"\n    {linecache.getline(found[1], int(found[2])).strip()}" if found else ""


class Watchdog:
    """Attributes:
    longest_s: the longest stall so far.
    where: a stack of the window's thread during it, "" where nobody looked in time.
    """

    def __init__(self, qtbot: QtBot) -> None:
        self.longest_s = 0.0
        self.where = ""
        self._qtbot = qtbot
        self._thread = threading.get_ident()
        self._seen: list[str] = []
        self._dump = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the dog goes
        self._number = threading.get_native_id()
        self._asleep_s = 0.0
        self._beat_at = time.monotonic()
        self._worked_s = time.thread_time()
        self._is_over = threading.Event()
        self._timer = QTimer(interval=_BEAT_MS)
        self._timer.timeout.connect(self._beat)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watchdog]:
        """Everything inside, and the events that follow from it, is measured."""
        self._qtbot.wait(_SETTLE_MS)
        before = slowness()
        gc.collect()
        gc.freeze()
        looker = threading.Thread(target=self._look, daemon=True)
        self._restart()
        self._timer.start()
        looker.start()
        try:
            yield self
            self._qtbot.wait(_SETTLE_MS)
            self._beat()
        finally:
            self._timer.stop()
            self._is_over.set()
            looker.join()
            self._dump.close()
            gc.unfreeze()
            self.longest_s /= (before + slowness()) / 2

    def _restart(self) -> None:
        self._seen = []
        self._asleep_s = 0.0
        self._worked_s = time.thread_time()
        self._beat_at = time.monotonic()

    def _beat(self) -> None:
        stall = time.thread_time() - self._worked_s + self._asleep_s
        if stall > self.longest_s:
            self.longest_s = stall
            stack = self._seen[len(self._seen) // 2] if self._seen else ""
            self.where = "".join(f"{line}{_source(line)}\n" for line in stack.splitlines()[1:9])
        self._restart()

    def _look(self) -> None:
        last = time.monotonic()
        while not self._is_over.wait(_LOOK_S):
            now = time.monotonic()
            if now - self._beat_at > _LATE_S:
                self._seen.append(self._stack())
                if self._sleeps():
                    self._asleep_s += now - last
            last = now

    def _stack(self) -> str:
        """Where the window's thread is, the innermost call first.

        A frame is not asked for: whoever holds one when its function returns deletes the function's locals, and a font
        or a painter that is deleted in this thread while the window draws ends the process.
        """
        self._dump.seek(0)
        self._dump.truncate()
        faulthandler.dump_traceback(self._dump)
        self._dump.seek(0)
        threads = self._dump.read().split("\n\n")
        return next((each for each in threads if f"{self._thread:016x}" in each.partition("\n")[0]), "")

    def _sleeps(self) -> bool:
        try:
            told = Path(f"/proc/self/task/{self._number}/stat").read_text()
        except OSError:
            return False  # not told here: processor time alone counts
        return told.rpartition(")")[2].split()[0] in "SD"

    def __str__(self) -> str:
        return f"the window did not answer for {self.longest_s * 1000:.0f} ms, here:\n{self.where}"
