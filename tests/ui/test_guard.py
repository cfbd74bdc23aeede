"""ui/guard.py: a mistake in what a shown page does is told, and the window lives."""

from __future__ import annotations

import sys

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.ui.guard import guarded


class Window(QWidget):
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)


class Page(QWidget):
    def showEvent(self, event: QShowEvent) -> None:
        guarded(self.refresh)

    def refresh(self) -> None:
        raise ValueError("a mistake")


def test_a_mistake_in_a_page_is_told_and_the_window_can_be_shown_again(qtbot: QtBot) -> None:
    override = Window.__dict__["showEvent"]
    before = sys.getrefcount(override)
    for _ in range(3):
        window = Window()
        qtbot.addWidget(window)
        page = Page(window)

        with qtbot.capture_exceptions() as told:
            window.show()

        assert page.isVisible()
        assert [str(error) for _, error, _ in told] == ["a mistake"]
    assert sys.getrefcount(override) == before
