"""Is there a newer version? Asked once a week where the person wants that, and at once where the person asks."""

from __future__ import annotations

import contextlib
import threading

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from lab_desktop import versions
from lab_desktop.errors import LabError
from lab_desktop.ui.preferences import Preferences
from lab_desktop.versions import Newer

_FIRST_MS = 20_000
"""The window has other things to do before."""
_LOOKS_MS = 3_600_000
"""A window may stay open for weeks."""


class News(QObject):
    """Attributes:
    newer: the version that there is, None where nothing is known of one.
    is_looking: an answer is waited for.
    trouble: why it could not be asked; for who asked.
    has_looked: there was an answer since the window is open.
    """

    changed = Signal()
    came = Signal()
    """A newer version is there, found by the weekly look: nobody asked just now."""
    _answered = Signal(object)

    def __init__(self, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.newer: Newer | None = None
        self.trouble: LabError | None = None
        self.has_looked = False
        self._is_asked_for = False
        self._address = versions.address()
        self.is_looking = False
        self._answered.connect(self._take)
        self._clock = QTimer(self, interval=_LOOKS_MS)
        self._clock.timeout.connect(self.look_if_due)

    @property
    def is_possible(self) -> bool:
        """Did whoever built this name an address to ask?"""
        return bool(self._address)

    def begin(self) -> None:
        """Look when a week is over, for as long as the window is open."""
        self._clock.start()
        QTimer.singleShot(_FIRST_MS, self, self.look_if_due)

    def look_if_due(self) -> None:
        """The weekly look, if the person wants it."""
        if self.is_possible and self._preferences.choices.looks_for_news and versions.is_due():
            self._begin()

    def look(self) -> None:
        """Ask now."""
        if self.is_possible:
            self._is_asked_for = True
            self._begin()

    def open_page(self) -> None:
        """Show in the browser where the newer version is."""
        if self.newer is not None:
            QDesktopServices.openUrl(QUrl(self.newer.page))

    def stop(self) -> None:
        """Nobody waits any more."""
        self._clock.stop()

    def _begin(self) -> None:
        """In a thread of its own that nobody waits for: a network may take long to say that it is none."""
        if not self.is_looking:
            self.is_looking = True
            threading.Thread(target=self._ask, daemon=True).start()
            self.changed.emit()

    def _ask(self) -> None:
        found: Newer | LabError | None
        try:
            found = versions.look(self._address)
        except LabError as error:
            found = error
        else:
            with contextlib.suppress(LabError):  # then it is asked again sooner
                versions.remember()
        with contextlib.suppress(RuntimeError):  # the window has gone
            self._answered.emit(found)

    def _take(self, found: Newer | LabError | None) -> None:
        is_asked_for, self._is_asked_for = self._is_asked_for, False
        self.is_looking = False
        if isinstance(found, LabError):
            self.trouble = found if is_asked_for else None
        else:
            is_new = found is not None and found != self.newer
            self.newer, self.trouble, self.has_looked = found, None, True
            if is_new and not is_asked_for:
                self.came.emit()
        self.changed.emit()
