"""The small windows beside the main one: closed by Esc, whole at their smallest size, texts to read and to copy."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.preferences import Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets import copying
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.widgets.panel import Panel
from lab_desktop.ui.widgets.reading import ReadingPane

NAMES = ("settings", "help", "about", "licences", "problem", "selftest")


def opened(name: str, session: Session, qtbot: QtBot) -> Panel:
    session.go(name)
    # Not any that there is: those of windows of earlier tests live until they are collected.
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), Panel))
    panel = QApplication.activeWindow()
    assert isinstance(panel, Panel)
    return panel


def with_the_focus(panel: Panel, qtbot: QtBot) -> QAbstractButton:
    """A button of it that the keyboard is in."""

    def stops() -> list[QAbstractButton]:
        found = panel.findChildren(QAbstractButton)
        return [each for each in found if each.isVisible() and each.focusPolicy() != Qt.FocusPolicy.NoFocus]

    qtbot.waitUntil(lambda: bool(stops()), timeout=20_000)
    stops()[0].setFocus()
    assert stops()[0].hasFocus()
    return stops()[0]


@pytest.mark.parametrize("name", NAMES)
def test_esc_closes_each_wherever_the_keyboard_is(
    window: MainWindow, session: Session, qtbot: QtBot, name: str
) -> None:
    panel = opened(name, session, qtbot)
    button = with_the_focus(panel, qtbot)

    qtbot.keyClick(button, Qt.Key.Key_Escape)

    assert not panel.isVisible() and window.isVisible()


@pytest.mark.parametrize("name", ["settings", "help", "licences"])
def test_the_key_for_finding_leads_to_the_search_that_esc_empties_first(
    window: MainWindow, session: Session, qtbot: QtBot, name: str
) -> None:
    panel = opened(name, session, qtbot)
    search = panel.search  # type: ignore[attr-defined]
    qtbot.keyClicks(search, "a")
    button = with_the_focus(panel, qtbot)

    qtbot.keyClick(button, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert search.hasFocus() and search.selectedText() == "a"

    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert panel.isVisible() and search.text() == ""


@pytest.mark.parametrize("percent", [100, 160])
@pytest.mark.parametrize("name", ["about", "licences", "problem", "selftest"])
def test_nothing_is_cut_at_its_smallest_size(
    window: MainWindow, session: Session, qtbot: QtBot, name: str, percent: int
) -> None:
    session.preferences.choose(Choices("light", percent))
    panel = opened(name, session, qtbot)
    pane = panel.findChild(ReadingPane)
    if pane is not None:
        qtbot.waitUntil(pane.copy.isVisible, timeout=20_000)
    qtbot.waitUntil(panel.updatesEnabled)
    panel.resize(panel.minimumSize())
    qtbot.wait(50)

    shown = [each for kind in (QLabel, QAbstractButton) for each in panel.findChildren(kind) if each.isVisible()]
    too_wide = [each.text() for each in shown if corner(each, panel).x() > panel.width()]
    assert too_wide == []
    if pane is not None:  # nothing else in it scrolls
        assert [each.text() for each in shown if corner(each, panel).y() > panel.height()] == []
        assert pane.text.viewport().height() > 4 * pane.text.fontMetrics().height()


def corner(inside: QWidget, panel: QWidget):  # type: ignore[no-untyped-def]
    return inside.mapTo(panel, inside.rect().bottomRight())


PARAGRAPH = "Permission is hereby granted, free of charge, to any person. " * 6
BROKEN = "MIT License\n" + "m" * 76 + "\n\n" + PARAGRAPH


def lines(document: QTextDocument) -> list[int]:
    """Into how many lines each line of the text was broken."""
    return [document.findBlockByNumber(number).layout().lineCount() for number in range(document.blockCount())]


def test_lines_that_are_broken_already_are_not_broken_once_more(qtbot: QtBot) -> None:
    pane = ReadingPane("Text", columns=80)
    qtbot.addWidget(pane)
    pane.resize(380, 400)
    pane.show()
    pane.show_text("A licence", "", "", BROKEN)
    qtbot.waitUntil(lambda: pane.text.horizontalScrollBar().maximum() > 0)

    *broken, paragraph = lines(pane.text.document())
    assert broken == [1, 1, 1] and 4 < paragraph < 8

    pane.resize(1200, 400)
    qtbot.waitUntil(lambda: pane.text.horizontalScrollBar().maximum() == 0)
    assert lines(pane.text.document())[-1] < paragraph, "it has the whole width"

    pane.copy.click()
    assert QApplication.clipboard().text() == BROKEN


def test_a_text_that_nobody_broke_wraps_at_any_width(qtbot: QtBot) -> None:
    pane = ReadingPane("Text")
    qtbot.addWidget(pane)
    pane.resize(380, 400)
    pane.show()
    pane.show_text("A report", "", "", "Computer: an Intel Xeon Processor with 25 GB of memory\nMemory: 20 GB free")
    qtbot.wait(20)

    assert lines(pane.text.document()) == [2, 1] and pane.text.horizontalScrollBar().maximum() == 0


def test_a_button_says_that_it_copied_and_nothing_moves(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_SAID_MS", 50)
    button = CopyButton("Copy", lambda: button.take("a text"))
    qtbot.addWidget(button)
    button.show()
    wide = button.sizeHint().width()

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert (button.text(), QApplication.clipboard().text()) == ("Copied", "a text")
    assert button.sizeHint().width() == wide
    qtbot.waitUntil(lambda: button.text() == "Copy", timeout=5000)
