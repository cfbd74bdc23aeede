"""One worker (`--worker FOLDER`) seen from the window: what it says, how fast it gets on, how it ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from lab_desktop import paths, problems
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event, Failed, Finished, Pace, Progress, Stopped
from lab_desktop.ui.child import ChildLines

_TAIL = 4000
"""Characters of the child's standard error that are kept for a report."""


class WorkerProcess(QObject):
    """Attributes:
    folder: what it works in.
    process: the child.
    progress: what it said last about that.
    pace: how fast it grows.
    last_word: when it said anything last, on the monotonic clock.
    errors: the end of what it wrote to its standard error.
    """

    said = Signal(object)
    """An Event that is not the last."""
    ended = Signal(object)
    """Finished, Stopped or Failed; None: it died without a word."""

    def __init__(self, folder: Path, steps: Sequence[str], parent: QObject) -> None:
        super().__init__(parent)
        self.folder = folder
        self.progress: Progress | None = None
        self.pace = Pace()
        self.last_word = time.monotonic()
        self.errors = ""
        self._lines = ChildLines()
        self._ending: Event | None = None
        self._is_over = False
        self.process = QProcess(self)
        program, *arguments = paths.child("--worker", str(folder), *steps)
        self.process.setProgram(program)
        self.process.setArguments(arguments)
        self.process.readyReadStandardOutput.connect(self._read)
        self.process.readyReadStandardError.connect(self._read_errors)
        self.process.finished.connect(self._end)
        self.process.errorOccurred.connect(self._could_not_start)

    def start(self) -> None:
        self.process.start()

    def ask_to_stop(self, patience_ms: int | None = None) -> None:
        """It saves what it finished and ends; started again, it goes on there.

        Args:
            patience_ms: one that has not ended after so long is ended by force; None: it may take as long as it takes.
        """
        self.process.write(b"cancel\n")
        self.process.closeWriteChannel()
        if patience_ms is not None:
            QTimer.singleShot(patience_ms, self, self.kill)

    def kill(self) -> None:
        """End it by force: what it saved last stays."""
        self.process.kill()

    def wait(self, patience_ms: int) -> None:
        """Wait for the end of one that was asked to stop, and end it by force after so long."""
        if not self.process.waitForFinished(patience_ms):
            self.process.kill()
            self.process.waitForFinished(1000)

    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end()

    def _read_errors(self) -> None:
        said = bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace")
        self.errors = (self.errors + said)[-_TAIL:]

    def _read(self) -> None:
        for said in self._lines.hear(bytes(self.process.readAllStandardOutput().data())):
            try:
                event = events.from_json(said)
            except (ValueError, KeyError, TypeError):
                continue  # not ours; the child keeps its output for events alone
            self._hear(event)

    def _hear(self, event: Event) -> None:
        self.last_word = time.monotonic()
        if isinstance(event, (Finished, Stopped, Failed)):
            self._ending = event
            return
        if isinstance(event, Progress):
            if self.progress is None or self.progress.text != event.text:
                self.pace = Pace()
            self.pace.update(event.done)
            self.progress = event
        self.said.emit(event)

    @Slot()
    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._read()
        self._read_errors()
        if self._ending is None:
            problems.gather()
        self.ended.emit(self._ending)
        self.deleteLater()
