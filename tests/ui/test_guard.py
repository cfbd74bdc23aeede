"""ui/guard.py: a mistake in what a shown page does is told, and the window lives."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.ui.guard import guarded
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_window import SettingsWindow


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


@pytest.mark.parametrize("name", ["settings", "licences"])
def test_a_small_window_whose_look_at_the_disk_fails_is_shown_and_says_so(
    session: Session, window: MainWindow, qtbot: QtBot, name: str
) -> None:
    panel = window.panels.settings if name == "settings" else window.panels.licences
    look_up = panel._measure if isinstance(panel, SettingsWindow) else panel._reading
    look_up._thread.shutdown()

    with qtbot.capture_exceptions() as told:
        window.show_page(name)

    assert panel.isVisible()
    assert [str(error) for _, error, _ in told] == ["cannot schedule new futures after shutdown"]
