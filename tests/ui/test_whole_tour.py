"""The practice tour from Welcome to the last question, with the practice model and real child processes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from lab_desktop.files import read_json
from lab_desktop.jobs import requests
from lab_desktop.reviews import read_reviews
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button
from tests.drills.inputs_kinds import unlisted

MINUTES = 60_000
ENOUGH_ROWS = 40


@pytest.mark.slow
@pytest.mark.minutes
@pytest.mark.timeout(2400)
def test_the_whole_tour_by_keys(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    """Cut short as a person may: the teacher is stopped after some rows, and the model practises half as long."""

    def press_next(text: str, minutes: float) -> None:
        button = window.next_line.button
        qtbot.waitUntil(lambda: button.isVisible() and button.text() == text, timeout=int(minutes * MINUTES))
        button.setFocus()
        qtbot.keyClick(button, Qt.Key.Key_Return)

    window.start()
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    ask(window, qtbot)
    press_next("Open the lesson", 2)
    press_next("Write practice questions", 1)
    judge_some(window, session, qtbot)
    choose_quick(window, session, qtbot)
    press_next("Train", 10)
    press_next("Check", 20)
    press_next("Chat with both", 10)
    ask(window, qtbot)
    question, first, second = window.pages.chat._chat.turns
    assert (question.role, {first.voice, second.voice}) == ("user", {"", "new"})
    assert first.text != second.text
    press_next("Finish", 1)

    assert window.tour_strip.title.text() == "You have done the whole loop."
    assert session.project is not None
    assert session.project.run is not None
    report = read_json(session.project.run / "report.json")
    (leaf,) = report["leaves"]
    assert leaf["exam"]["now"]["right"] > leaf["exam"]["before"]["right"]
    assert requests.read(session.project.run).effort == "quick"
    assert [job.state for job in read_journal(session.journal)] == [JobState.DONE] * 3
    assert unlisted(session.home) == []


def ask(window: MainWindow, qtbot: QtBot) -> None:
    """Press the first of the questions that are offered, and wait until nothing is being written."""
    chat = window.pages.chat

    def chips() -> list[Button]:
        return [button for button in chat.findChildren(Button) if button.isVisible() and "?" in button.text()]

    qtbot.waitUntil(lambda: bool(chips()), timeout=MINUTES)
    chip = chips()[0]
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Return)
    answers = 2 if chat._chat.is_compare else 1
    qtbot.waitUntil(lambda: chat._asked is None and len(chat._chat.turns) == 1 + answers, timeout=5 * MINUTES)


def judge_some(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    """Keep the first row, drop the second, and let the teacher stop when there are enough."""
    station = window.pages.improve._stations[0]
    assert isinstance(station, PracticeStation)
    qtbot.waitUntil(lambda: len(station.model.rows) >= ENOUGH_ROWS, timeout=10 * MINUTES)
    station.table.setFocus()
    station.table.selectRow(0)
    qtbot.keyClick(station.table, Qt.Key.Key_K)
    qtbot.keyClick(station.table, Qt.Key.Key_D)
    assert session.project is not None
    assert session.project.run is not None
    assert [review.verdict for review in read_reviews(session.project.run).values()] == ["keep", "drop"]
    session.jobs.keep("generate")


def choose_quick(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    """Half as many rounds, on the page of the training before it is begun."""
    qtbot.waitUntil(lambda: session.state.has_dataset and not session.jobs.is_busy, timeout=5 * MINUTES)
    window.show_page("train")
    (quick,) = [each for each in window.findChildren(QToolButton) if each.isVisible() and "Quick" in each.text()]
    quick.setFocus()
    qtbot.keyClick(quick, Qt.Key.Key_Space)
