"""A self-test started from the window: the same program in a child process, with a screen that nobody sees."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from lab_desktop import paths
from lab_desktop.selftest import place
from lab_desktop.selftest.steps import SILENCE_S, Course
from lab_desktop.ui.child import ChildLines

_PATIENCE_MS = 20_000
_TAIL = 8000
"""Characters of the child's standard error that are kept for a report."""


class CheckProcess(QObject):
    """Attributes:
    course: how far the one in hand is, or how the last one went; None: there was none.
    is_stopping: it was asked to end before its end.
    """

    changed = Signal()
    """It began, got on, or ended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.course: Course | None = None
        self.is_stopping = False
        self._folder: Path | None = None
        self._process: QProcess | None = None
        self._errors = ""
        self._is_late = False
        self._lines = ChildLines()
        self._silence = QTimer(self, singleShot=True, interval=round(1000 * SILENCE_S))
        self._silence.timeout.connect(self._end_late)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._kill)

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Begin, unless one is under way.

        Raises:
            StorageError: there is no room for it.
        """
        if self._process is not None:
            return
        self._folder = place.make()
        self.course, self.is_stopping, self._is_late = Course(), False, False
        self._errors, self._lines = "", ChildLines()
        self._process = process = QProcess(self)
        surroundings = QProcessEnvironment()
        for name, value in {**place.environment(self._folder), "QT_QPA_PLATFORM": "offscreen"}.items():
            surroundings.insert(name, value)
        process.setProcessEnvironment(surroundings)
        program, *arguments = paths.child("--selftest-in", str(self._folder))
        process.setProgram(program)
        process.setArguments(arguments)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._could_not_start)
        process.start()
        self._silence.start()
        self.changed.emit()

    def stop(self) -> None:
        """Ask it to end, with all that it started."""
        if self._process is not None and not self.is_stopping:
            self.is_stopping = True
            self._process.closeWriteChannel()
            self._patience.start()
            self.changed.emit()

    def quit(self) -> None:
        """End it at once: the window goes."""
        if self._process is not None:
            self.is_stopping = True
            self._kill()
            self._process.waitForFinished(1000)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        if self._folder is not None:
            place.end(self._folder)

    def _end_late(self) -> None:
        self._is_late = True
        self._kill()

    def _read(self) -> None:
        if self._process is None or self.course is None:
            return
        for said in self._lines.hear(bytes(self._process.readAllStandardOutput().data())):
            self.course.hear(said)
            self._silence.start()
        self.changed.emit()

    def _read_errors(self) -> None:
        if self._process is not None:
            said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
            self._errors = (self._errors + said)[-_TAIL:]

    @Slot(QProcess.ProcessError)
    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end()

    @Slot()
    def _end(self) -> None:
        if self._process is None or self.course is None:
            return
        self._read()
        self._read_errors()
        self._silence.stop()
        self._patience.stop()
        self._process.deleteLater()
        self._process = None
        if self._folder is not None:
            place.end(self._folder)
        if not self.course.is_closed and not self.is_stopping:
            self.course.broken(self._errors, self._is_late)
        self.changed.emit()
