"""A run folder: the database of one journey from leaf to report, in plain files a person can open, copy or delete.

Steps get a `Run` and use it for three things: where to put files (`run.folder`), what to say (`progress`, `metric`,
`notice`, `row`), and whether to stop (`stop_if_cancelled`). This module does not know what the steps do.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import filelock

from lab_desktop.errors import Cancelled, RunError, StorageError
from lab_desktop.files import JsonLines, disk_errors, read_json, sweep, write_json
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event

EVENTS_FILE = "events.jsonl"


class Run:
    """One run folder and the voice of the job that works in it.

    Attributes:
        folder: the run folder; it exists once `open` was entered.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[Event], None] = lambda event: None,
        is_cancelled: Callable[[], bool] = lambda: False,
        writes: bool = True,
    ) -> None:
        """
        Args:
            writes: False for a job that helps another one in the same folder: it holds and writes nothing there.
        """
        self.folder = folder
        self._tell = tell
        self._is_cancelled = is_cancelled
        self._writes = writes
        self._journal = JsonLines(folder / EVENTS_FILE)
        self._last_progress: events.Progress | None = None

    @contextlib.contextmanager
    def open(self, patience_s: float = 0.0) -> Iterator[Run]:
        """Hold the folder for this job; a second job on it is refused, a killed job's hold is gone with it.

        A folder that was made for it and stayed empty, because the job was refused, is taken away again.

        Args:
            patience_s: how long to wait for another job that is about to end.

        Raises:
            RunError: another job is working in the folder.
            StorageError: the folder cannot be made or written.
        """
        if not self._writes:
            yield self
            return
        with disk_errors(self.folder, "The run folder"):
            is_new = not self.folder.exists()
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.folder / ".lock"
            was_here = file.exists()
            lock = filelock.FileLock(file)
            try:
                lock.acquire(timeout=patience_s)
            except filelock.Timeout:
                raise RunError(
                    f"Another job is working in {self.folder}.",
                    "Wait until it is done, or stop it; then run this again.",
                ) from None
        try:
            if was_here:
                sweep(self.folder)  # of a killed job; nobody else writes here meanwhile
            yield self
        finally:
            self._journal.close()
            lock.release()
            with contextlib.suppress(OSError):
                if is_new and [path.name for path in self.folder.iterdir()] == [file.name]:
                    file.unlink()
                    self.folder.rmdir()

    def say(self, event: Event) -> None:
        """Tell the caller and write it down; Progress is told only (it would fill the disk with counting)."""
        self._tell(event)
        if self._writes and not isinstance(event, events.Progress):
            self._journal.append({"time": _now(), **events.to_json(event)})

    def progress(self, text: str, done: int, total: int) -> None:
        self._last_progress = events.Progress(text, done, total)
        self.say(self._last_progress)

    def detail(self, text: str) -> None:
        """Say what happens inside the unit of work that the last progress counted."""
        if self._last_progress is not None:
            self.say(replace(self._last_progress, detail=text))

    def metric(self, name: str, value: float, step: int) -> None:
        self.say(events.Metric(name, value, step))

    def notice(self, text: str) -> None:
        self.say(events.Notice(text))

    def row(self, table: str, data: dict[str, object]) -> None:
        self.say(events.Row(table, data))

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled()

    def stop_if_cancelled(self) -> None:
        """Call between units of work.

        Raises:
            Cancelled: the person asked to stop.
        """
        if self._is_cancelled():
            raise Cancelled

    def has_enough(self, step: str) -> bool:
        """True once the person said that what a step has made so far is enough (`enough_file`)."""
        return enough_file(self.folder, step).exists()

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds spent inside to the step's total in timings.json, over all resumes.

        Times that cannot be noted change nothing: why the work itself ended is what is told.
        """
        start = time.monotonic()
        try:
            yield
        finally:
            if self._writes:
                with contextlib.suppress(RunError, StorageError, TypeError):
                    seconds = self.timings()
                    seconds[step] = round(seconds.get(step, 0.0) + time.monotonic() - start, 3)
                    write_json(self.folder / "timings.json", seconds)

    def timings(self) -> dict[str, float]:
        """Seconds per step so far."""
        path = self.folder / "timings.json"
        return read_json(path) if path.exists() else {}


def enough_file(folder: Path, step: str) -> Path:
    """Its existence says that a step may end with what it has: "Stop and keep". Whoever looks on writes it, while the
    job works; the job looks for it between units of work."""
    return folder / f"enough-{step}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
