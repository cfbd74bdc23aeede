"""The computer stays awake while work goes on: a small program of the system holds it, from the first job to the last.

It ends with us whatever happens: `caffeinate` watches our process, `systemd-inhibit` runs `cat`, which ends when our
end of its pipe is gone.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, Signal

from lab_desktop.ui.jobs import JobRunner
from lab_desktop.ui.preferences import Preferences

_MAC = "/usr/bin/caffeinate"
_LINUX = "systemd-inhibit"


def command(system: str, process: int) -> list[str]:
    """What keeps this kind of computer awake; empty where nothing does."""
    if system == "Darwin" and shutil.which(_MAC):
        return [_MAC, "-i", "-m", "-w", str(process)]
    if system == "Linux" and shutil.which(_LINUX):
        return [_LINUX, "--what=sleep:idle", "--mode=block", "--who=LAB Desktop", "--why=Work is going on", "cat"]
    return []


class Awake(QObject):
    """Attributes:
    is_possible: False where the system has no way, or refused it.
    """

    changed = Signal()

    def __init__(
        self,
        jobs: JobRunner,
        preferences: Preferences,
        how: Sequence[str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._preferences = jobs, preferences
        self._how = command(platform.system(), os.getpid()) if how is None else list(how)
        self._process: QProcess | None = None
        self.is_possible = bool(self._how)
        jobs.changed.connect(self._follow)
        preferences.changed.connect(self._follow)
        self._follow()

    @property
    def is_held(self) -> bool:
        """The computer is kept awake now."""
        return self._process is not None and self._process.state() == QProcess.ProcessState.Running

    def let_go(self, wait_ms: int = 0) -> None:
        """The computer may sleep again; whoever closes the window waits for it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.finished.connect(process.deleteLater)
        process.closeWriteChannel()
        process.terminate()
        if wait_ms and not process.waitForFinished(wait_ms):
            process.kill()
        self.changed.emit()

    def _follow(self) -> None:
        if not (self._jobs.is_busy and self._preferences.choices.stays_awake):
            self.let_go()
        elif self._process is None and self.is_possible:
            self._process = QProcess(self)
            self._process.started.connect(self.changed)
            self._process.finished.connect(self._ended)
            self._process.errorOccurred.connect(self._ended)
            self._process.start(self._how[0], self._how[1:])

    def _ended(self) -> None:
        if self._process is not None and self.sender() is self._process:
            self._process.deleteLater()
            self._process = None
            self.is_possible = False
            self.changed.emit()
