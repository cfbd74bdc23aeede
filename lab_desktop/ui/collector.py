"""Python's search for cycles, in the window's thread alone.

By itself Python searches in whichever thread makes an object, and what it finds is deleted there: a widget that is
deleted in another thread than its own ends the process. Here a timer of the window's thread does it, as often and for
the same generations as Python would, except that the oldest one waits until the window has little to do: it takes a
tenth of a second for a hundred thousand objects.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

_BEAT_MS = 200
_OLDEST = 2
_QUIET_BEATS = 10
_QUIET_S = 0.02
"""Processor time of the window's thread in one beat."""


class Collector(QObject):
    """Takes the search over, and keeps it until the process ends."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._quiet_beats = 0
        self._worked_s = time.thread_time()
        self._timer = QTimer(self, interval=_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def collect(self, up_to: int = _OLDEST) -> None:
        """Search the oldest generation that is due, `up_to` at most, and all younger ones."""
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [age for age, (count, most) in enumerate(counts) if count > most and age <= up_to]
        if due:
            gc.collect(due[-1])

    def settle(self) -> None:
        """What is there now stays: modules and the window itself are not searched again, which makes searches short."""
        gc.collect(1)
        gc.freeze()

    def _beat(self) -> None:
        is_quiet = time.thread_time() - self._worked_s < _QUIET_S
        self._quiet_beats = self._quiet_beats + 1 if is_quiet else 0
        self.collect(_OLDEST if self._quiet_beats >= _QUIET_BEATS else _OLDEST - 1)
        self._worked_s = time.thread_time()
