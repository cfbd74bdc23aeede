"""Long work, seen from the window: one heavy job at a time in a child process, others wait, everything is noted.

A `Job` is a run folder and the steps that are to be done in it. `JobRunner` starts the child (`--worker`), turns its
lines into `jobs.events` and says them as a signal; what became of each job goes to the activity journal, so that a
window opened later knows it. A child that dies without a word is a job that was broken off: its work up to the last
checkpoint is safe, and starting it again goes on there. So is a job whose window was killed; what waited then, or when
its window was closed, is noted as left.
"""

from __future__ import annotations

import contextlib
import enum
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from lab_desktop.errors import RunError, StorageError
from lab_desktop.files import JsonLines, disk_errors, stamp
from lab_desktop.jobs import events, shortage
from lab_desktop.jobs.events import Event, Failed, Finished, Notice, Pace, Progress, Stopped
from lab_desktop.jobs.run import EVENTS_FILE, enough_file
from lab_desktop.ui.underway import Underway
from lab_desktop.ui.worker_process import WorkerProcess

_PATIENCE_MS = 8000
"""When the window closes, a child that was asked to stop gets so long before it is ended by force."""
_MOST_AGAIN = 4
"""So often in a row a job that the system ended for want of memory goes on by itself; each time it needs less."""
_SAVED = {
    "generate": "samples.jsonl",
    "train": "checkpoint/*.safetensors",
    "export": "models/*.gguf",
    "evaluate": "answers.jsonl",
}
"""What a step saves while it works."""


class JobState(enum.StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    BROKEN = "broken"
    LEFT = "left"
    """It waited when its window went; nothing of it has begun."""

    @property
    def is_over(self) -> bool:
        return self not in (JobState.WAITING, JobState.RUNNING, JobState.STOPPING)


@dataclass(frozen=True)
class Job:
    """Some steps of a run.

    Attributes:
        folder: the run folder.
        steps: of the workflow, in order.
        title: what the person calls it.
        began, seconds: local time of the start (seconds since 1970), and how long it took, when it is over.
        text, hint, details: what to say about a job that failed, was broken off or is done.
    """

    folder: Path
    steps: tuple[str, ...]
    title: str
    state: JobState = JobState.WAITING
    began: float = 0.0
    seconds: float = 0.0
    text: str = ""
    hint: str = ""
    details: str = field(default="", repr=False)

    def to_json(self) -> dict[str, object]:
        return {
            "folder": str(self.folder),
            "steps": list(self.steps),
            "title": self.title,
            "state": self.state.value,
            "began": round(self.began, 3),
            "seconds": round(self.seconds, 3),
            "text": self.text,
            "hint": self.hint,
            "details": self.details,
        }

    @staticmethod
    def from_json(row: dict[str, Any]) -> Job:
        """
        Raises:
            KeyError, TypeError, ValueError: the row is of another version.
        """
        return Job(
            Path(row["folder"]),
            tuple(map(str, row["steps"])),
            str(row["title"]),
            JobState(row["state"]),
            float(row["began"]),
            float(row["seconds"]),
            str(row["text"]),
            str(row["hint"]),
            str(row["details"]),
        )

    def is_same(self, other: Job | None) -> bool:
        """The other one is about the same work."""
        return other is not None and (self.folder, self.steps) == (other.folder, other.steps)

    @property
    def saved_at(self) -> float | None:
        """When its run saved something of its steps last, seconds since 1970; None: there is nothing yet."""
        patterns = (_SAVED.get(step.partition(":")[0], "") for step in self.steps)
        files = [path for pattern in patterns if pattern for path in self.folder.glob(pattern)]
        times = []
        for path in files:
            with contextlib.suppress(OSError):
                times.append(path.stat().st_mtime)
        return max(times, default=None)


def read_journal(path: Path) -> list[Job]:
    """What the activity journal tells, oldest first; lines of another version are left out.

    Raises:
        RunError: a line is damaged.
    """
    jobs = []
    for row in JsonLines(path).rows():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            jobs.append(Job.from_json(row))
    return jobs


class JobRunner(QObject):
    """Runs jobs one after the other.

    Attributes:
        current: the job in hand, or None.
        worker: its child.
        asked_at: when it was asked to stop, on the monotonic clock.
        is_held: nothing begins for now, and what ran waits.
    """

    changed = Signal()
    """Another job, another state, or the queue changed."""
    said = Signal(object)
    """The job in hand said an Event."""
    ended = Signal(object)
    """A Job that is over."""

    def __init__(self, journal: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.current: Job | None = None
        self.asked_at = 0.0
        self.is_held = False
        self._comes_back = False
        self._journal = journal
        self._underway = Underway(journal.parent)
        self._waiting: deque[Job] = deque()
        self._began = 0.0
        self.worker: WorkerProcess | None = None
        self._again = 0
        for row in self._underway.missed():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._write_down(_missed(Job.from_json(row)))

    @property
    def progress(self) -> Progress | None:
        """What the job in hand said last about its progress."""
        return self.worker.progress if self.worker is not None else None

    @property
    def pace(self) -> Pace:
        """How fast that grows."""
        return self.worker.pace if self.worker is not None else Pace()

    @property
    def last_word(self) -> float:
        """When the job in hand said anything last, on the monotonic clock."""
        return self.worker.last_word if self.worker is not None else 0.0

    @property
    def waiting(self) -> list[Job]:
        return list(self._waiting)

    def before(self, job: Job) -> list[Job]:
        """What a job that waits waits for, the one that runs first."""
        places = [each.is_same(job) for each in self._waiting]
        first = [self.current] if self.current is not None else []
        return [*first, *self.waiting[: places.index(True)]] if True in places else []

    @property
    def is_busy(self) -> bool:
        return self.current is not None

    def has(self, job: Job) -> bool:
        """It runs or waits already."""
        return any(job.is_same(each) for each in (self.current, *self._waiting))

    def start(self, job: Job) -> None:
        """Start a job, or queue it behind the one in hand; a job that is there already is not queued twice."""
        if self.has(job):
            return
        self._waiting.append(Job(job.folder, job.steps, job.title))
        self._again = 0
        self._next()
        self._note()
        self.changed.emit()

    def pause(self) -> None:
        """Ask the job in hand to stop; it saves what it finished, and starting it again goes on there."""
        if self.current is None or self.worker is None or self.current.state is not JobState.RUNNING:
            return
        self.current = replace(self.current, state=JobState.STOPPING)
        self.asked_at = time.monotonic()
        self.worker.ask_to_stop()
        self.changed.emit()

    def hold(self, is_held: bool) -> None:
        """Let nothing begin, and what runs wait with what it saved; or let all of it go on again."""
        if is_held == self.is_held:
            return
        self.is_held = is_held
        if is_held and self.current is not None and self.current.state is JobState.RUNNING:
            self._comes_back = True
            self.pause()
        self._next()
        self._note()
        self.changed.emit()

    def stop_now(self) -> None:
        """End by force what was asked to stop and does not: what it saved last stays."""
        if self.worker is not None and self.current is not None and self.current.state is JobState.STOPPING:
            self.worker.kill()

    def keep(self, step: str) -> None:
        """Let the step in hand end with what it has.

        Raises:
            StorageError: that could not be noted, so it goes on.
        """
        if self.current is not None:
            enough = enough_file(self.current.folder, step)
            with disk_errors(enough, "The note that it is enough"):
                enough.touch()

    def forget(self, job: Job) -> None:
        """Take a job out of the queue."""
        self._waiting = deque(each for each in self._waiting if each != job)
        self._note()
        self.changed.emit()

    def stop_all(self, wait_ms: int = _PATIENCE_MS) -> None:
        """Pause and wait for it: the window is closing. What waits is noted as left."""
        left = [replace(each, state=JobState.LEFT, began=time.time()) for each in self._waiting]
        self._waiting.clear()
        self._comes_back = False
        self._write_down(*left)
        self.pause()
        if self.worker is not None:
            self.worker.wait(wait_ms)

    def _next(self) -> None:
        if self.current is not None or self.is_held or not self._waiting:
            return
        job = self._waiting.popleft()
        self.current = replace(job, state=JobState.RUNNING, began=time.time())
        self._began = time.monotonic()
        self.worker = WorkerProcess(job.folder, job.steps, self)
        self.worker.said.connect(self.said)
        self.worker.ended.connect(self._end)
        self.worker.start()

    def _end(self, ending: Event | None) -> None:
        if self.worker is None or self.current is None:
            return
        worker, self.worker = self.worker, None
        job = replace(self.current, seconds=time.monotonic() - self._began)
        if isinstance(ending, Finished):
            job = replace(job, state=JobState.DONE)
        elif isinstance(ending, Failed):
            job = replace(job, state=JobState.FAILED, text=ending.text, hint=ending.hint, details=ending.details)
        elif isinstance(ending, Stopped) or job.state is JobState.STOPPING:
            job = replace(job, state=JobState.PAUSED)
        else:
            job = replace(job, state=JobState.BROKEN, details=worker.errors)
        self.current = None
        self._write_down(job)
        self._note()
        self.ended.emit(job)
        if job.state is JobState.BROKEN and shortage.ended_work(job.folder) and self._again < _MOST_AGAIN:
            self._again += 1
            self._waiting.appendleft(Job(job.folder, job.steps, job.title))
        if self._comes_back and job.state is JobState.PAUSED:
            self._waiting.appendleft(Job(job.folder, job.steps, job.title))
        self._comes_back = False
        self._next()
        self._note()
        self.changed.emit()

    def _write_down(self, *jobs: Job) -> None:
        """Add what is over to the journal; a full disk must not keep the window from going on."""
        if jobs:
            with contextlib.suppress(StorageError, OSError), contextlib.closing(JsonLines(self._journal)) as journal:
                journal.extend(job.to_json() for job in jobs)

    def _note(self) -> None:
        self._underway.note([each.to_json() for each in (self.current, *self._waiting) if each is not None])


def _missed(job: Job) -> Job:
    """What became of a job whose window was killed: its child heard of it and ended, one way or another."""
    if job.state is JobState.WAITING:
        return replace(job, state=JobState.LEFT, began=time.time())
    log = job.folder / EVENTS_FILE
    last = max(stamp(log)[1] / 1e9, job.saved_at or 0.0, job.began)
    job = replace(job, state=JobState.BROKEN, seconds=last - job.began)
    said: list[Event] = []
    if stamp(log)[1] / 1e9 >= job.began:
        with contextlib.suppress(RunError):
            said = last_words(job.folder)[-1:]
    if any(isinstance(each, Finished) for each in said):
        return replace(job, state=JobState.DONE)
    return job


def last_words(folder: Path) -> list[Event]:
    """What the jobs of a run said so far, without progress: rows, measures and notices, so that a page can be redrawn.

    Raises:
        RunError: the journal of the run is damaged.
    """
    said: list[Event] = []
    for row in JsonLines(folder / EVENTS_FILE).rows():
        try:
            said.append(events.from_json(row))
        except (KeyError, TypeError, ValueError):
            continue
    return said


def notices(said: list[Event]) -> list[str]:
    """The sentences among them, oldest first."""
    return [event.text for event in said if isinstance(event, Notice)]
