"""The tour's own line above a page: which step it is, what it is about, and the way out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from lab_desktop.ui.widgets.basic import Button, Label, announce, column, row
from lab_desktop.ui.widgets.meters import Bar


class TourStrip(QFrame):
    def __init__(self, on_leave: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("surface", "tint")
        self.setProperty("square", True)
        self._count = Label("", "label", "accent")
        self._bar = Bar(4)
        self._bar.setMinimumWidth(120)
        self.title = Label("", "head")
        self.text = Label("", "body", "text2", wraps=True)
        self.leave = Button(self.tr("Leave the tour"), "quiet", size="small", on_click=on_leave)
        first = column(-1, self._count, self._bar, -1, gap=6)
        words = column(self.title, self.text, gap=2)
        inside = row(first, words, self.leave, gap=24, margins=(24, 10, 16, 10))
        inside.setStretch(1, 1)
        self.setLayout(inside)

    def show_step(self, number: int, total: int, title: str, text: str) -> None:
        """The step in hand; a new one is said to who cannot see it."""
        is_new = title != self.title.text()
        self._count.setText(self.tr("Practice tour · {0} of {1}").format(number, total))
        self._bar.show_share(number / total, [step / total for step in range(1, total + 1)])
        self.title.setText(title)
        self.text.setText(text)
        if is_new:
            announce(self, f"{title}. {text}")
