"""ui/settings_window.py: a setting applies at once, is found by any word, and says why when it cannot be had."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QListWidget, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import chats, paths, projects
from lab_desktop.chats import Chat, Turn
from lab_desktop.ui.jobs import Job
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.preferences import Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_window import SettingsWindow, folder_size
from lab_desktop.ui.theme import DARK, LIGHT, Look
from tests.ui.test_jobs import run_folder


@pytest.fixture
def settings(window: MainWindow, qtbot: QtBot) -> SettingsWindow:
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    found = window.findChild(SettingsWindow)
    assert found is not None
    qtbot.waitExposed(found)
    return found


def titles(settings: SettingsWindow) -> list[str]:
    """The settings in sight."""
    return [each._title.text() for group in settings.groups for each in group.settings if each.isVisible()]


def button(settings: SettingsWindow, name: str) -> QAbstractButton:
    found = [
        each
        for each in settings.findChildren(QAbstractButton)
        if name in (each.accessibleName(), each.text()) and each.isVisible()
    ]
    assert len(found) == 1, name
    return found[0]


def press(settings: SettingsWindow, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(button(settings, name), Qt.MouseButton.LeftButton)


def test_light_and_dark_and_text_size_apply_at_once(settings: SettingsWindow, shown: Look, qtbot: QtBot) -> None:
    settings.show_group("Appearance")
    press(settings, "Dark", qtbot)
    assert shown.theme == DARK
    press(settings, "Light", qtbot)
    assert shown.theme == LIGHT

    for _ in range(9):
        press(settings, "Larger text", qtbot)
    assert (shown.text_size, settings._size.text()) == (1.6, "160 %")
    press(settings, "Smaller text", qtbot)
    press(settings, "Normal text size", qtbot)
    assert (shown.text_size, settings._size.text()) == (1.0, "100 %")


def test_switches_turn_by_mouse_and_by_key(settings: SettingsWindow, session: Session, qtbot: QtBot) -> None:
    settings.show_group("While working")
    press(settings, "Tell me when long work is done", qtbot)
    assert not session.preferences.choices.notifies

    qtbot.keyClick(button(settings, "Keep the computer awake"), Qt.Key.Key_Space)
    assert session.preferences.choices == Choices(notifies=False, stays_awake=False)


def test_a_word_finds_settings_and_no_find_is_said(settings: SettingsWindow, qtbot: QtBot) -> None:
    assert settings.search.hasFocus()
    qtbot.keyClicks(settings.search, "FONT")
    assert titles(settings) == ["Text size"]

    settings.search.clear()
    qtbot.keyClicks(settings.search, "sleep")
    assert titles(settings) == ["Keep the computer awake"]

    settings.search.setText("banana")
    assert titles(settings) == []
    assert "banana" in settings._none.text()
    assert settings._none.isVisible()

    qtbot.keyClick(settings.search, Qt.Key.Key_Escape)
    assert titles(settings) == ["Practice example", "Look for a new version once a week", "All settings"]
    assert settings.isVisible()
    qtbot.keyClick(settings.search, Qt.Key.Key_Escape)
    assert not settings.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Down])
def test_from_the_search_a_key_leads_to_what_it_found(settings: SettingsWindow, qtbot: QtBot, key: Qt.Key) -> None:
    qtbot.keyClicks(settings.search, "dark")
    qtbot.keyClick(settings.search, key)

    at = settings.focusWidget()
    assert isinstance(at, QAbstractButton) and at.text() == "Like the system"
    assert settings.search.text() == "dark"


def test_a_click_on_a_group_ends_the_search(settings: SettingsWindow, qtbot: QtBot) -> None:
    settings.search.setText("banana")
    names = settings._names
    at = names.visualItemRect(names.item(0)).center()

    qtbot.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, pos=at)

    assert settings.search.text() == ""
    assert titles(settings) == ["Practice example", "Look for a new version once a week", "All settings"]


def test_groups_are_walked_by_keys(settings: SettingsWindow, qtbot: QtBot) -> None:
    settings._names.setFocus()
    for _ in range(8):
        qtbot.keyClick(settings._names, Qt.Key.Key_Down)

    assert titles(settings) == ["What leaves this computer", "No account, no counting", "When you ask for help"]


def test_everything_can_be_put_back_and_that_can_be_undone(
    settings: SettingsWindow, session: Session, qtbot: QtBot
) -> None:
    mine = Choices("dark", 120, "creative", notifies=False)
    session.preferences.choose(mine)

    press(settings, "Put back", qtbot)
    assert session.preferences.choices == Choices()
    press(settings, "Undo", qtbot)
    assert session.preferences.choices == mine
    assert button(settings, "Put back")


def test_files_show_what_they_take_and_where_they_are(
    settings: SettingsWindow, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.new_practice()
    (session.root / "big").write_bytes(b"0" * 3_000_000)
    chats.save(session.chats, Chat("one", turns=(Turn("user", "Hello"),)))
    settings.close()
    settings.show()
    settings.show_group("Files")
    qtbot.waitUntil(lambda: settings._places["projects"]._value.text() == "3 MB", timeout=5000)

    assert settings._places["chats"]._value.text() == "Less than 1 MB"
    assert settings._places["prepared"]._value.text() == "Nothing yet"
    assert "free on the disk" in settings._free._text.text()
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    press(settings, "Show the folder of the projects", qtbot)
    assert opened == [str(session.root)]


def test_measuring_folders_does_not_hold_up_the_window_and_ends_when_nobody_waits(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "file").write_bytes(b"x" * 10)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert folder_size(tmp_path, threading.Event()).size_bytes == 400
    assert folder_size(tmp_path / "nowhere", threading.Event()).size_bytes is None

    nobody_waits = threading.Event()
    nobody_waits.set()
    assert folder_size(tmp_path, nobody_waits).size_bytes == 0


def test_where_the_computer_cannot_be_held_awake_the_switch_is_gone_and_a_sentence_says_why(
    window: MainWindow, settings: SettingsWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    window._awake._how = ["false"]
    window._awake.is_possible = True
    session.jobs.start(Job(run_folder(tmp_path / "run"), ("generate",), "Run"))
    settings.show_group("While working")

    qtbot.waitUntil(lambda: not settings._stays.isVisible(), timeout=5000)
    assert "Not available here" in settings._stays_setting._text.text()


def test_a_choice_that_cannot_be_saved_is_told_with_a_way_to_try_again(
    settings: SettingsWindow, session: Session, own_home: Path, qtbot: QtBot
) -> None:
    (own_home / "settings.ini").unlink(missing_ok=True)
    (own_home / "settings.ini").mkdir()
    settings.show_group("Appearance")
    press(settings, "Dark", qtbot)
    assert "could not be saved" in settings._banner.accessibleName()
    assert settings._banner.isVisible()

    (own_home / "settings.ini").rmdir()
    press(settings, "Try again", qtbot)

    assert not settings._banner.isVisible()
    assert "dark" in (own_home / "settings.ini").read_text(encoding="utf-8")


def test_practice_again_begins_the_tour_though_another_project_is_in_hand(
    window: MainWindow, settings: SettingsWindow, session: Session, qtbot: QtBot
) -> None:
    session.new_practice()
    session.open(projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"]))

    press(settings, "Practice again", qtbot)

    assert window.tour_strip.title.text() == "Meet the model"
    assert session.project is not None
    assert session.project.is_practice
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)


def test_a_practice_project_that_cannot_be_made_is_a_sentence(
    window: MainWindow, settings: SettingsWindow, session: Session, qtbot: QtBot
) -> None:
    session.root.write_text("a file in the way", encoding="utf-8")

    press(settings, "Practice again", qtbot)

    boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    assert len(boxes) == 1
    assert "could not be written" in boxes[0].text()
    boxes[0].close()


@pytest.mark.parametrize("percent", [80, 100, 160])
def test_nothing_is_cut_off_in_the_smallest_window(
    settings: SettingsWindow, session: Session, qtbot: QtBot, percent: int
) -> None:
    session.preferences.choose(Choices("light", percent))
    qtbot.waitUntil(settings.updatesEnabled)
    settings.resize(640, 480)
    for group in settings.groups:
        settings.show_group(group.title)
        qtbot.wait(30)
        inside = settings._scroll.viewport()
        cut = [
            part
            for kind in (QLabel, QAbstractButton)
            for part in settings._scroll.findChildren(kind)
            if part.isVisible() and spill(part, inside) > 0
        ]
        assert cut == []


def spill(part: QWidget, inside: QWidget) -> int:
    """By how much a widget reaches out of another to the right."""
    box = QRect(part.mapTo(inside, QPoint(0, 0)), part.size())
    return max(box.right() - inside.rect().right(), -box.left())


def test_every_control_has_a_name(settings: SettingsWindow) -> None:
    for group in settings.groups:
        settings.show_group(group.title)
        nameless = [
            control
            for kind in (QAbstractButton, QLineEdit, QListWidget)
            for control in settings.findChildren(kind)
            if control.isVisible() and not (control.accessibleName() or getattr(control, "text", str)())
        ]
        assert nameless == []


def test_the_menu_names_settings_for_the_system(window: MainWindow) -> None:
    actions = {action.text(): action for action in window.findChildren(QAction)}

    assert actions["Settings…"].menuRole() == QAction.MenuRole.PreferencesRole
    assert actions["About LAB Desktop"].menuRole() == QAction.MenuRole.AboutRole
    others = [action for action in actions.values() if action.menuRole() == QAction.MenuRole.TextHeuristicRole]
    assert [action.text() for action in others if action.menu() is None] == []


def test_settings_open_at_once(window: MainWindow, session: Session) -> None:
    began = time.thread_time()
    session.go("settings")

    assert time.thread_time() - began < 0.5
