"""One errand at a time of a kind, seen from the window: a move of the models, a model on its way to the hub.

It runs beside whatever heavy job there is, done by a worker (`jobs/errands.py`), so it can be paused, killed and gone
on with. One that an earlier window left is here from the start, paused.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from lab_desktop.errors import RunError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import Errand
from lab_desktop.jobs.events import Event, Failed, Finished, Pace, Progress
from lab_desktop.ui.worker_process import WorkerProcess

_PATIENCE_MS = 4000
STOP_MS = 20_000
"""A worker that was asked to stop and does not is ended by force after so long: what it saved stays."""
_Request = TypeVar("_Request", bound=Errand)


class ErrandState(enum.StrEnum):
    NONE = "none"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


class OneErrand(QObject, Generic[_Request]):
    """Keeps the errand of one kind going, and knows how far it is.

    A kind needs a request among `errands.Errand` (read, written and given a folder there), what does it in
    `jobs.worker`, and one of these in the session:

        self.publishing = OneErrand(PublishRequest, self)

    A page calls `start`, `pause`, `go_on` and `forget`, and shows `state` and `words.errand_words` at `changed` and
    `said`; the window calls `stop` when it closes.

    Attributes:
        request: what is done, was done, or waits; None: nothing.
        state: how far it is.
        text, hint: of one that failed: what happened, what to do.
        result: of one that is done, as the worker gave it.
        worker: the child that does it, or None.
    """

    changed = Signal()
    """Another request, or another state."""
    said = Signal()
    """It got on."""
    done = Signal()
    """It is done; `result` says what it gave. `changed` follows."""

    def __init__(self, kind: type[_Request], parent: QObject | None = None) -> None:
        super().__init__(parent)
        left = [errand for _, errand in errands.waiting() if isinstance(errand, kind)]
        self.request: _Request | None = left[-1] if left else None
        self.state = ErrandState.PAUSED if left else ErrandState.NONE
        self.text = self.hint = ""
        self.result: Mapping[str, Any] = {}
        self.worker: WorkerProcess | None = None

    @property
    def is_busy(self) -> bool:
        """A worker does it now, or is asked to stop."""
        return self.worker is not None

    @property
    def is_left(self) -> bool:
        """It was begun and is not done: `go_on` or `forget`."""
        return self.state in (ErrandState.PAUSED, ErrandState.FAILED)

    @property
    def progress(self) -> Progress | None:
        return self.worker.progress if self.worker is not None else None

    @property
    def pace(self) -> Pace:
        """Units of `progress`, mostly bytes, a second."""
        return self.worker.pace if self.worker is not None else Pace()

    def start(self, request: _Request) -> None:
        """Do this one; what an earlier try did of it is not done again. Another one that waited is forgotten.

        Raises:
            RunError: one is under way.
            StorageError: it could not be noted.
        """
        if self.is_busy:
            raise RunError("Another one is under way.", "Wait until it is done, or pause it.")
        errands.write(request)
        if self.request is not None and self.request.folder != request.folder:
            errands.close(self.request.folder)
        self.request = request
        self.go_on()

    def go_on(self) -> None:
        """Do what is missing of the one in hand."""
        if self.request is None or self.is_busy:
            return
        self.state, self.text, self.hint, self.result = ErrandState.RUNNING, "", "", {}
        self.worker = WorkerProcess(self.request.folder, (), self)
        self.worker.said.connect(lambda _: self.said.emit())
        self.worker.ended.connect(self._end)
        self.worker.start()
        self.changed.emit()

    def pause(self) -> None:
        """What is done of it stays; `go_on` does the rest."""
        if self.worker is not None and self.state is ErrandState.RUNNING:
            self.state = ErrandState.STOPPING
            self.worker.ask_to_stop(STOP_MS)
            self.changed.emit()

    def forget(self) -> None:
        """Nobody waits any more for one that is not under way."""
        if self.request is not None and not self.is_busy:
            errands.close(self.request.folder)
            self.request, self.state = None, ErrandState.NONE
            self.changed.emit()

    def stop(self, patience_ms: int = _PATIENCE_MS) -> None:
        """Pause and wait for it: the window is closing."""
        self.pause()
        if self.worker is not None:
            self.worker.wait(patience_ms)

    def _end(self, ending: Event | None) -> None:
        self.worker = None
        if isinstance(ending, Finished):
            self.state, self.result = ErrandState.DONE, ending.result
            self.done.emit()
        elif isinstance(ending, Failed):
            self.state, self.text, self.hint = ErrandState.FAILED, ending.text, ending.hint
        else:
            self.state = ErrandState.PAUSED
        self.changed.emit()
