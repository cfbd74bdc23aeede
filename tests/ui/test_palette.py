"""Ctrl+K: everything is found and gone to by keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import chats
from lab_desktop.chats import Chat, Turn
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat import ChatPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.palette import Palette
from tests.screenshots import states
from tests.ui.watchdog import LIMIT_S, Watchdog


@pytest.fixture
def palette(session: Session, window: MainWindow, qtbot: QtBot) -> Iterator[Palette]:
    """Open, over two projects and a chat."""
    states.project(session.root, "Bread", created=1)
    states.project(session.root, "Velmora", created=2)
    states.write_chat(session.chats)
    session.refresh()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    page = window.pages["chat"]
    assert isinstance(page, ChatPage)
    page._list_saved()
    project = session.project
    assert project is not None
    qtbot.waitUntil(lambda: bool(session.known.lessons(project.lessons)), timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.palette_window.isVisible()
    yield window.palette_window
    window.palette_window.hide()


def titles(palette: Palette) -> list[str]:
    return [entry.title for entry in palette._model.entries]


def type_and_take(palette: Palette, words: str, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.field, words)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()


def test_it_opens_with_the_pages_and_the_keyboard_in_its_field(palette: Palette) -> None:
    assert titles(palette)[:7] == ["Home", "Library", "Chat", "Improve", "Models", "Share", "Activity"]
    assert QApplication.focusWidget() is palette.field


def test_a_project_is_opened(palette: Palette, session: Session, window: MainWindow, qtbot: QtBot) -> None:
    type_and_take(palette, "bread", qtbot)

    assert session.project is not None and session.project.title == "Bread"
    assert window.page == "improve"


def test_a_page_a_lesson_and_a_chat_are_gone_to(palette: Palette, window: MainWindow, qtbot: QtBot) -> None:
    type_and_take(palette, "activ", qtbot)
    assert window.page == "activity"

    window.find_anything()
    lesson = next(entry for entry in palette._entries if entry.kind == "Lesson")
    type_and_take(palette, f"lesson {lesson.title}", qtbot)
    assert window.page == "lesson"

    window.find_anything()
    chat = next(entry for entry in palette._entries if entry.kind == "Chat")
    type_and_take(palette, chat.title, qtbot)
    assert window.page == "chat"
    assert window.header.place.whole == chat.title


def test_a_setting_an_article_and_a_command(
    palette: Palette, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    type_and_take(palette, "light dark", qtbot)
    assert window.panels.settings.isVisible()
    assert window.panels.settings.search.text() == "Light or dark"

    window.find_anything()
    type_and_take(palette, "help forget", qtbot)
    assert window.panels.help.isVisible()

    window.find_anything()
    type_and_take(palette, "larger text", qtbot)
    assert session.preferences.choices.text_size == 110


def test_arrows_walk_round_and_escape_changes_nothing(palette: Palette, window: MainWindow, qtbot: QtBot) -> None:
    page, count = window.page, palette._model.rowCount()
    for _ in range(2):
        qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 2
    for _ in range(3):
        qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == count - 1

    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)

    assert not palette.isVisible()
    assert window.page == page


def test_each_row_is_said_with_its_kind_and_keys(palette: Palette) -> None:
    row = palette._model.index(0, 0)

    assert row.data(Qt.ItemDataRole.AccessibleTextRole) == "Home, Page, Ctrl+1"


def test_words_that_find_nothing_are_told_and_return_does_nothing(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.field, "xylophone")
    assert palette._none.isVisible() and "xylophone" in palette._none.text()

    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()


@pytest.mark.alone
def test_it_opens_at_once(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(window.pages.is_made(name) for name in window.pages.names), timeout=20_000)
    for number in range(200):
        chats.save(session.chats, Chat(f"c{number}", turns=(Turn("user", f"Practice question {number}?"),)))
    page = window.pages["chat"]
    assert isinstance(page, ChatPage)
    page._list_saved()
    qtbot.waitUntil(lambda: len(page.saved) == 200, timeout=5000)
    dog = Watchdog(qtbot)

    with dog.watching():
        window.find_anything()
        for letter in "practice questions":
            qtbot.keyClicks(window.palette_window.field, letter)
            qtbot.wait(1)

    window.palette_window.hide()
    assert dog.longest_s < LIMIT_S, str(dog)
