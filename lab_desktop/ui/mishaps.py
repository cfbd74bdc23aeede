"""What nobody foresaw, told to the person once and calmly: at the next start after a crash, or where it happens."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFrame, QWidget

from lab_desktop import problems
from lab_desktop.errors import NO_MEMORY, NO_MEMORY_HINT, is_want_of_memory
from lab_desktop.ui.background import Background
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button, Icon, Label, announce, column, row

_MOST = 5
"""So many different problems of one session are noted; a window that cannot be painted would fill the disk."""


class MishapStrip(QWidget):
    """A line above the pages: what happened, "Show the report" and "Not now"."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        ground = QFrame()
        ground.setProperty("surface", "warn")
        self._text = Label("", "body", wraps=True)
        self.show_report = Button(self.tr("Show the report"), on_click=lambda: self._show(session))
        self.not_now = Button(self.tr("Not now"), "plain", on_click=self.hide)
        inside = row(
            Icon("warn", "warn", 18), self._text, self.not_now, self.show_report, gap=12, margins=(16, 8, 12, 8)
        )
        inside.setStretch(1, 1)
        ground.setLayout(inside)
        self.setLayout(column(ground, margins=(16, 10, 16, 0)))
        self.hide()

    def tell(self, text: str, has_report: bool = True) -> None:
        self._text.setText(text)
        self.show_report.setVisible(has_report)
        self.setAccessibleName(text)
        self.show()
        announce(self, text)

    def _show(self, session: Session) -> None:
        self.hide()
        session.go("problems")


class Mishaps(QObject):
    """Notes what is raised and caught by nobody, and tells it in the strip."""

    _happened = Signal()
    _was_short = Signal()

    def __init__(self, strip: MishapStrip, parent: QWidget) -> None:
        super().__init__(parent)
        self._strip = strip
        self._seen: set[str] = set()
        self._happened.connect(self._tell)
        self._was_short.connect(self._tell_of_memory)
        self._gathering = Background(_gathered, self._tell_of_last_time, self)

    def take_over(self) -> None:
        """From here on what is raised in this process is noted; and look what the last time left."""
        sys.excepthook = self.caught
        threading.excepthook = lambda raised: self.caught(raised.exc_type, raised.exc_value, raised.exc_traceback)
        QTimer.singleShot(0, self, self._gathering.start)

    def caught(self, kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
        """Note what was raised, once for each place; in any thread. Want of memory is told, and is nobody's mistake."""
        if error is not None and is_want_of_memory(error):
            self._was_short.emit()
            return
        sys.__excepthook__(kind, error or kind(), where)
        place = f"{kind.__qualname__} {traceback.extract_tb(where)[-1:]}"
        if error is None or issubclass(kind, KeyboardInterrupt) or place in self._seen or len(self._seen) >= _MOST:
            return
        self._seen.add(place)
        problems.write("window", error)
        self._happened.emit()

    def _tell(self) -> None:
        self._strip.tell(self.tr("Something happened that was not foreseen. What was finished is safe."))

    def _tell_of_memory(self) -> None:
        self._strip.tell(f"{NO_MEMORY} {NO_MEMORY_HINT}", has_report=False)

    def _tell_of_last_time(self, reports: Sequence[Path]) -> None:
        if reports:
            self._strip.tell(self.tr("LAB Desktop stopped unexpectedly last time. What was finished is safe."))


def _gathered(stop: threading.Event) -> Sequence[Path]:
    return problems.gather()
