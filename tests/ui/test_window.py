"""ui/main_window.py: what a person finds when the window opens."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import QProcess, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QMessageBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button


def test_an_empty_home_says_what_to_do_first(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    window.show_page("home")
    assert window.next_line.button.text() == "Show me"

    window.next_line.button.click()

    assert session.project is not None
    assert session.project.title == "Velmora"
    assert window.tour_strip.isVisible()


def test_a_window_that_the_screen_cannot_hold_with_its_frame_begins_maximised(window: MainWindow) -> None:
    assert window.screen().availableSize().width() < 1440, "the test's own screen has become larger"
    window.hide()

    window.start()

    assert window.isMaximized()


def test_a_window_without_the_practice_model_opens_and_says_what_is_missing(
    window: MainWindow, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PRACTICE_MODEL", "missing.gguf")
    projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"])

    again = MainWindow(session)
    qtbot.addWidget(again)
    again.start()
    session.refresh()
    again.show_page("welcome")

    computer = again.welcome.computer
    qtbot.waitUntil(computer._report.isVisible, timeout=5000)
    assert any("The practice model is not installed." in line.accessibleName() for line in computer._lines)


def test_a_project_whose_lessons_are_gone_is_told_on_their_page(window: MainWindow, session: Session) -> None:
    project = projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"])
    shutil.rmtree(project.lessons)
    session.open(project)

    window.show_page("lesson")

    lesson = window.pages["lesson"]
    assert isinstance(lesson, LessonPage)
    assert "does not exist" in lesson._banner.accessibleName()
    assert lesson._banner.isVisible()


def answer_box(qtbot: QtBot, text: str) -> list[str]:
    """Press a button of the question that is asked, as soon as it is; gives what the question said, when it has."""
    said: list[str] = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        if box is None:
            QTimer.singleShot(50, press)
            return
        if isinstance(box, QMessageBox):
            said.append(f"{box.text()} {box.informativeText()}")
        next(button for button in box.findChildren(QAbstractButton) if button.text() == text).click()

    QTimer.singleShot(50, press)
    return said


def test_closing_while_work_goes_on_asks_once_and_pauses(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    session.new_practice()
    session.begin("practice")

    answer_box(qtbot, "Keep working")
    window.close()
    assert window.isVisible()
    assert session.jobs.is_busy

    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    answer_box(qtbot, "Pause and quit")
    window.close()
    assert not window.isVisible()
    assert process.state() == QProcess.ProcessState.NotRunning
    assert read_journal(session.journal)[-1].state is JobState.PAUSED


def test_every_control_has_a_name(window: MainWindow, session: Session) -> None:
    session.new_practice()
    for page in ("home", "chat", "improve", "activity"):
        window.show_page(page)
        nameless = [
            control
            for kind in (QAbstractButton, QLineEdit, QPlainTextEdit)
            for control in window.findChildren(kind)
            if control.isVisible() and not (control.accessibleName() or getattr(control, "text", str)())
        ]
        assert nameless == []


def test_a_narrow_window_shows_icons_and_a_wide_one_words(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(960, 640)
    qtbot.waitUntil(lambda: window.sidebar.width() < 100, timeout=2000)
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: window.sidebar.width() > 200, timeout=2000)


def test_there_is_one_filled_button_in_sight(window: MainWindow, session: Session) -> None:
    session.new_practice()
    window.show_page("improve")

    filled = [
        button for button in window.findChildren(Button) if button.isVisible() and button.property("kind") == "primary"
    ]

    assert [button.text() for button in filled] == ["Write questions"]
