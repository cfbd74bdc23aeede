"""Models on their way here, seen from the window: one comes, others wait; beside whatever heavy job runs.

Each is an errand (`jobs/errands.py`) done by a worker, so it can be paused, killed and gone on with. Those that an
earlier window left are here from the start, paused.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.jobs.events import Event, Failed, Finished, Pace, Progress
from lab_desktop.models import arrivals
from lab_desktop.ui.worker_process import WorkerProcess

_PATIENCE_MS = 4000
STOP_MS = 20_000
"""A worker that was asked to stop and does not is ended by force after so long: what it saved stays."""


class DownloadState(enum.StrEnum):
    WAITING = "waiting"
    COMING = "coming"
    STOPPING = "stopping"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True)
class Download:
    """A model that is not whole yet.

    Attributes:
        done, total: bytes; the total is 0 until it is known.
        text, hint: of one that failed: what happened, what to do.
    """

    request: DownloadRequest
    state: DownloadState
    done: int = 0
    total: int = 0
    text: str = ""
    hint: str = ""


class Downloads(QObject):
    """Attributes:
    worker: the child that fetches, or None.
    """

    changed = Signal()
    """Another download, another state, or another one has its turn."""
    said = Signal()
    """The one that comes got on."""
    came = Signal(object)
    """A DownloadRequest whose model is here."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worker: WorkerProcess | None = None
        self._all = [Download(each.request, DownloadState.PAUSED, each.arrived_bytes) for each in arrivals.waiting()]

    @property
    def all(self) -> list[Download]:
        """Those that are not done, the first to come first; the figures of the one that comes are of this moment."""
        return [self._with_progress(each) for each in self._all]

    @property
    def current(self) -> Download | None:
        """The one that a worker fetches."""
        states = (DownloadState.COMING, DownloadState.STOPPING)
        return next((self._with_progress(each) for each in self._all if each.state in states), None)

    @property
    def pace(self) -> Pace:
        """Bytes a second of the one that comes."""
        return self.worker.pace if self.worker is not None else Pace()

    @property
    def progress(self) -> Progress | None:
        return self.worker.progress if self.worker is not None else None

    def find(self, request: DownloadRequest) -> Download | None:
        """How far the download of this file is; None: nobody asked for it."""
        return next((each for each in self.all if each.request.folder == request.folder), None)

    def get(self, request: DownloadRequest) -> None:
        """Fetch a model, or go on with it.

        Raises:
            StorageError: that could not be noted.
        """
        known = self.find(request)
        if known is None:
            errands.write(request)
            self._all.append(Download(request, DownloadState.WAITING))
        elif known.state in (DownloadState.PAUSED, DownloadState.FAILED):
            self._set(request, state=DownloadState.WAITING, text="", hint="")
        self._next()
        self.changed.emit()

    def pause(self, request: DownloadRequest) -> None:
        """What has arrived stays; `get` goes on with it."""
        known = self.find(request)
        if known is None:
            return
        if known.state is DownloadState.COMING and self.worker is not None:
            self._set(request, state=DownloadState.STOPPING)
            self.worker.ask_to_stop(STOP_MS)
        elif known.state is DownloadState.WAITING:
            self._set(request, state=DownloadState.PAUSED)
        self.changed.emit()

    def give_up(self, request: DownloadRequest) -> None:
        """Delete what has arrived of one that does not come now.

        Raises:
            RunError: it comes now.
        """
        arrivals.give_up(request)
        self._all = [each for each in self._all if each.request.folder != request.folder]
        self.changed.emit()

    def stop_all(self, patience_ms: int = _PATIENCE_MS) -> None:
        """Pause everything and wait for it: the window is closing."""
        for each in self._all:
            if each.state is DownloadState.WAITING:
                self._set(each.request, state=DownloadState.PAUSED)
        if (current := self.current) is not None and self.worker is not None:
            self.pause(current.request)
            self.worker.wait(patience_ms)

    def _next(self) -> None:
        if self.worker is not None:
            return
        waiting = next((each for each in self._all if each.state is DownloadState.WAITING), None)
        if waiting is None:
            return
        self._set(waiting.request, state=DownloadState.COMING)
        self.worker = WorkerProcess(waiting.request.folder, (), self)
        self.worker.said.connect(lambda _: self.said.emit())
        self.worker.ended.connect(self._end)
        self.worker.start()

    def _end(self, ending: Event | None) -> None:
        current = self.current
        self.worker = None
        if current is not None:
            if isinstance(ending, Finished):
                self._all = [each for each in self._all if each.request.folder != current.request.folder]
                self.came.emit(current.request)
            elif isinstance(ending, Failed):
                self._set(
                    current.request, state=DownloadState.FAILED, done=current.done, text=ending.text, hint=ending.hint
                )
            else:
                self._set(current.request, state=DownloadState.PAUSED, done=current.done, total=current.total)
        self._next()
        self.changed.emit()

    def _with_progress(self, each: Download) -> Download:
        is_current = each.state in (DownloadState.COMING, DownloadState.STOPPING)
        if not is_current or (progress := self.progress) is None:
            return each
        return replace(each, done=progress.done, total=progress.total)

    def _set(self, request: DownloadRequest, **changes: object) -> None:
        self._all = [
            replace(each, **changes) if each.request.folder == request.folder else each  # type: ignore[arg-type]
            for each in self._all
        ]
