"""Work waits while the battery is used, where the person wants that, and goes on by itself on power."""

from __future__ import annotations

from collections.abc import Callable

import psutil
from PySide6.QtCore import QObject, QTimer

from lab_desktop.ui.jobs import JobRunner
from lab_desktop.ui.preferences import Preferences

_LOOK_MS = 5000


def plugged_in() -> bool | None:
    """Whether the computer is on power; None where it has no battery, or does not tell."""
    read = getattr(psutil, "sensors_battery", None)  # not on every system
    battery = read() if read is not None else None
    return bool(battery.power_plugged) if battery is not None and battery.power_plugged is not None else None


class Power(QObject):
    """Holds the jobs while the computer uses its battery.

    Attributes:
        reads: as `plugged_in`.
    """

    def __init__(
        self,
        jobs: JobRunner,
        preferences: Preferences,
        reads: Callable[[], bool | None] = plugged_in,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.reads = reads
        self._jobs, self._preferences = jobs, preferences
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self.look)
        preferences.changed.connect(self.look)
        jobs.changed.connect(self._follow)
        self.look()

    def look(self) -> None:
        """Ask how the computer is powered, and hold the jobs or let them go on."""
        wants = self._preferences.choices.only_plugged_in
        self._jobs.hold(wants and self.reads() is False)
        self._follow()

    def _follow(self) -> None:
        """Look again and again only while there is work that it matters to."""
        jobs = self._jobs
        matters = self._preferences.choices.only_plugged_in and (jobs.is_busy or bool(jobs.waiting) or jobs.is_held)
        if matters != self._look.isActive():
            self._look.start() if matters else self._look.stop()
            if matters:
                self.look()
