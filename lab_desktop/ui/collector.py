"""Python's search for cycles, in the window's thread alone.

By itself Python searches in whichever thread makes an object, and what it finds is deleted there: a widget that is
deleted in another thread than its own ends the process. Here a timer of the window's thread does it, as often and for
the same generations as Python would.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_BEAT_MS = 200


class Collector(QObject):
    """Takes the search over, and keeps it until the process ends."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=_BEAT_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Search the oldest generation that is due, and all younger ones."""
        due = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if any(due):
            gc.collect(max(age for age, is_due in enumerate(due) if is_due))

    def settle(self) -> None:
        """What is there now stays: modules and the window itself are not searched again, which makes searches short."""
        gc.collect(1)
        gc.freeze()
