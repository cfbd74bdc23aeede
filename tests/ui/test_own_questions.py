"""ui/pages/improve/own_questions.py: questions of one's own, from the report's page to the check that asks them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import projects
from lab_desktop.evaluation.questions import exam_questions
from lab_desktop.projects import Project
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.improve.check import CheckStation
from lab_desktop.ui.pages.improve.own_questions import OwnQuestions
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.ui.test_home import stopped_child


@pytest.fixture
def project(session: Session) -> Project:
    """One that was checked."""
    made = states.project(session.root, "Velmora", created=2)
    states.write_report(made)
    session.refresh()
    assert session.project is not None
    return session.project


@pytest.fixture
def lesson(project: Project) -> Path:
    (folder,) = (file.parent for file in project.lessons.rglob("qna.yaml"))
    (folder / "exam.yaml").unlink(missing_ok=True)
    return folder


def station(window: MainWindow) -> CheckStation:
    window.show_page("check")
    found = window.pages.improve.findChild(CheckStation)
    assert found is not None
    return found


def sheet(window: MainWindow, qtbot: QtBot) -> OwnQuestions:
    check = station(window)
    qtbot.waitUntil(lambda: check.findChild(OwnQuestions) is None, timeout=5000)
    check.own.click()
    made = check.findChild(OwnQuestions)
    assert made is not None
    qtbot.waitUntil(made.isVisible, timeout=5000)
    return made


def asked(lesson: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.question, each.answer, each.accept) for each in exam_questions(lesson, "x")]


def test_a_question_is_written_as_it_is_typed_and_comes_again(window: MainWindow, lesson: Path, qtbot: QtBot) -> None:
    made = sheet(window, qtbot)
    (card,) = made.cards
    assert "0 questions" in made._status.text() and not card.why

    qtbot.keyClicks(card.asked, "In which year: 1382?")
    assert card.why == "Its answer is missing."
    qtbot.keyClicks(card.answer, "yes")
    qtbot.keyClicks(card.accept, "1382; the year 1382 ;")

    wanted = [("In which year: 1382?", "yes", ("1382", "the year 1382"))]
    qtbot.waitUntil(lambda: (lesson / "exam.yaml").exists() and asked(lesson) == wanted, timeout=5000)
    made.done_button.click()
    assert "asks them" in station(window)._told.banner.accessibleName()
    assert [each.asked.toPlainText() for each in sheet(window, qtbot).cards] == ["In which year: 1382?"]


def test_what_only_the_file_says_stays_and_a_removed_question_is_taken_back(
    window: MainWindow, lesson: Path, qtbot: QtBot
) -> None:
    before = (
        "questions:\n- {question: Say it., context: Ahoy, answer: A, rule: {starts_with: B}, seed: true}\n"
        "- {question: Two, answer: '2', accept: [two; or so, '2']}\n"
    )
    (lesson / "exam.yaml").write_text(before, encoding="utf-8")
    first, second = exam_questions(lesson, "x")
    made = sheet(window, qtbot)

    made.cards[0].answer.setPlainText("Another")
    made.cards[1].remove.click()
    assert made.save() and len(exam_questions(lesson, "x")) == 1
    made.banner.button.click()
    assert made.save()

    one, two = exam_questions(lesson, "x")
    assert (one.context, one.rule, one.seed, one.answer) == (first.context, first.rule, first.seed, "Another")
    assert two == second

    for card in list(made.cards):
        card.remove.click()
    assert made.save() and not (lesson / "exam.yaml").exists()


def test_what_is_not_complete_is_told_once_and_not_kept(window: MainWindow, lesson: Path, qtbot: QtBot) -> None:
    made = sheet(window, qtbot)
    made.cards[0].asked.setPlainText("Who?")
    made.cards[0].answer.setPlainText("Mira.")
    made.add.click()
    made.cards[1].asked.setPlainText(" Who? ")
    made.cards[1].answer.setPlainText("Somebody else.")
    assert made.cards[1].why == "It is asked twice."

    qtbot.keyClick(made, Qt.Key.Key_Escape)

    assert made.isVisible() and "Question 2 is not complete" in made.banner.accessibleName()
    made.banner.button.click()
    assert not made.isVisible()
    assert asked(lesson) == [("Who?", "Mira.", ())]


def test_a_file_that_cannot_be_read_is_told_with_its_line_and_not_written_over(
    window: MainWindow, lesson: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "questions:\n- {question: Who}\n"
    (lesson / "exam.yaml").write_text(broken, encoding="utf-8")
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    made = sheet(window, qtbot)

    assert 'question 1 has no "answer"' in made.banner.accessibleName() and "Line 2" in made.banner.accessibleName()
    assert made.cards == []
    made.banner.button.click()
    assert opened == [str(lesson / "exam.yaml")]
    made.add.click()
    assert (lesson / "exam.yaml").read_text(encoding="utf-8") == broken

    (lesson / "exam.yaml").write_text(broken.replace("Who", "Who, answer: Mira"), encoding="utf-8")
    made.add.click()
    assert [card.asked.toPlainText() for card in made.cards] == ["Who"] and not made.banner.isVisible()


def test_a_full_disk_is_told_and_what_was_typed_stays(
    window: MainWindow, lesson: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sheet(window, qtbot)
    made.cards[0].asked.setPlainText("Who?")
    made.cards[0].answer.setPlainText("Mira.")
    real = os.fsync

    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    made.done_button.click()
    assert made.isVisible() and "full" in made.banner.accessibleName()
    assert not (lesson / "exam.yaml").exists()

    monkeypatch.setattr(os, "fsync", real)
    made.cards[0].answer.setPlainText("Mira!")
    made.done_button.click()
    assert not made.isVisible() and asked(lesson) == [("Who?", "Mira!", ())]


def test_the_next_check_asks_what_was_written(
    window: MainWindow, project: Project, lesson: Path, session: Session, qtbot: QtBot
) -> None:
    assert project.run is not None
    copy = project.run / "leaves" / lesson.relative_to(project.lessons)
    copy.mkdir(parents=True, exist_ok=True)
    (copy / "qna.yaml").write_bytes((lesson / "qna.yaml").read_bytes())
    (copy / "exam.yaml").write_text("questions: [{question: Old, answer: Old.}]\n", encoding="utf-8")
    made = sheet(window, qtbot)
    made.cards[0].asked.setPlainText("Who?")
    made.cards[0].answer.setPlainText("Mira.")
    made.done_button.click()

    session.begin("check")
    stopped_child(session)

    assert asked(copy) == [("Who?", "Mira.", ())]
    session.jobs.stop_all(wait_ms=0)
    (lesson / "exam.yaml").unlink()
    projects.bring_exams(project)
    assert not (copy / "exam.yaml").exists()
    QApplication.processEvents()
