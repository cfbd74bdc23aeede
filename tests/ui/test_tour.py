"""ui/tour.py, welcome and lesson pages: the practice tour as a person takes it, by keys."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop.taxonomy.qna import read_draft, read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.editor.cards import QuestionCard
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button

ANSWERED_MS = 90_000
"""An answer takes two seconds on a quiet machine."""


def press(qtbot: QtBot, key: Qt.Key) -> None:
    """A key into whatever has the focus."""
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key)


def type_in_focus(qtbot: QtBot, text: str) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClicks(focused, text)


def cards(lesson: LessonPage) -> list[QuestionCard]:
    """The question cards of the passage in hand."""
    QApplication.processEvents()  # a new card shows itself when nothing else is to be done
    found = [card for card in lesson.editor.facts.findChildren(QuestionCard) if card.isVisible()]
    return sorted(found, key=lambda card: card.y())


def chips(window: MainWindow) -> list[Button]:
    return [button for button in window.pages.chat.findChildren(Button) if button.isVisible() and "?" in button.text()]


def test_the_first_start_measures_the_computer_and_offers_the_example(window: MainWindow, qtbot: QtBot) -> None:
    window.start()
    assert window.welcome.isVisible()
    assert window.welcome.choices[0].hasFocus()

    qtbot.waitUntil(lambda: bool(window.welcome.computer.verdict.text()), timeout=ANSWERED_MS)

    assert "can chat with models up to about" in window.welcome.computer.verdict.text()
    assert any("words a second" in line.accessibleName() for line in window.welcome.computer._lines)


def test_the_tour_by_keys_from_the_first_question_to_the_own_one(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.start()
    press(qtbot, Qt.Key.Key_Return)
    assert window.tour_strip.title.text() == "Meet the model"
    assert window.next_line.button.isHidden()

    qtbot.waitUntil(lambda: bool(chips(window)), timeout=ANSWERED_MS)
    chips(window)[0].setFocus()
    press(qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.next_line.button.isVisible(), timeout=ANSWERED_MS)
    assert [turn.role for turn in window.pages.chat._chat.turns] == ["user", "assistant"]
    assert window.pages.chat.entrance().hasFocus(), "the question that was pressed is gone"
    window.next_line.button.setFocus()
    press(qtbot, Qt.Key.Key_Return)

    lesson = window.pages["lesson"]
    assert isinstance(lesson, LessonPage)
    assert lesson.editor.facts.add.hasFocus()
    press(qtbot, Qt.Key.Key_Return)
    type_in_focus(qtbot, "Which ship brought the first people to Velmora?")
    press(qtbot, Qt.Key.Key_Tab)
    type_in_focus(qtbot, "The Grey Heron")
    assert cards(lesson)[-1].said.text() == "Answer found in the passage."

    assert session.project is not None
    (folder,) = find_leaves(session.project.lessons)
    qtbot.waitUntil(lambda: read_leaf(folder).seed_examples[0].pairs[-1].answer == "The Grey Heron", timeout=5000)
    assert window.next_line.button.text() == "Write practice questions"
    window.next_line.button.setFocus()
    press(qtbot, Qt.Key.Key_Return)

    assert session.jobs.current is not None
    assert session.jobs.current.steps == ("generate",)
    assert window.tour_strip.title.text() == "Practice questions"


def test_what_is_typed_stays_in_its_field_while_it_is_saved(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    window.show()
    window.begin_tour()
    window.tour._go("lesson")
    lesson = window.pages.lesson
    without = window.next_line._text.text()
    assert session.project is not None
    (folder,) = find_leaves(session.project.lessons)
    lesson.editor.facts.add.click()
    card = cards(lesson)[-1]

    type_in_focus(qtbot, "How tall is")
    qtbot.waitUntil(lambda: read_draft(folder).seed_examples[0].pairs[-1].question == "How tall is", timeout=5000)
    assert window.next_line.button.text() == "Go there", "a teacher would refuse a question without an answer"
    type_in_focus(qtbot, " the lighthouse?")
    press(qtbot, Qt.Key.Key_Tab)
    type_in_focus(qtbot, "38 metres")
    qtbot.waitUntil(lambda: read_draft(folder).seed_examples[0].pairs[-1].answer == "38 metres", timeout=5000)

    assert card.question.toPlainText() == "How tall is the lighthouse?"
    assert card.answer.hasFocus()
    qtbot.waitUntil(lambda: window.next_line.button.text() == "Write practice questions", timeout=5000)
    assert window.next_line._text.text() != without


def test_a_question_that_is_empty_is_not_called_one_of_the_lesson(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.show()
    window.begin_tour()
    window.tour._go("lesson")
    without = window.next_line._text.text()

    with qtbot.waitSignal(session.lesson_changed, timeout=5000):
        window.pages.lesson.editor.facts.add.click()

    assert window.next_line._text.text() == without


def test_a_tour_goes_on_where_it_was_left_also_after_the_window_was_closed(
    session: Session, own_home: Path, qtbot: QtBot
) -> None:
    first = MainWindow(session)
    qtbot.addWidget(first)
    first.begin_tour()
    first.tour._go("lesson")
    again = Session(own_home)
    second = MainWindow(again)
    qtbot.addWidget(second)
    second.show()

    assert second.tour.step == "lesson"
    assert second.next_line.button.text() == "Back to the tour"
    second.next_line.button.click()
    assert second.pages.currentWidget() is second.pages["lesson"]
    second.tour_strip.leave.click()
    assert second.tour_strip.isHidden()
    assert MainWindow(Session(own_home)).tour.step == ""


def test_a_question_that_the_passage_does_not_answer_is_told_before_it_is_added(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.new_practice()
    window.show_page("lesson")
    lesson = window.pages["lesson"]
    assert isinstance(lesson, LessonPage)

    lesson.editor.facts.add_question()
    card = cards(lesson)[-1]
    qtbot.keyClicks(card.question, "How many trams run on Velmora?")
    qtbot.keyClicks(card.answer, "Seventeen trams")
    assert "does not seem to say this" in card.said.text()
    card.question.selectAll()
    qtbot.keyClicks(card.question, "When was Velmora settled?")
    assert card.said.text() == "This question is there already."


def test_a_lesson_that_cannot_be_written_keeps_what_was_typed_and_says_why(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    project = session.new_practice()
    window.show_page("lesson")
    lesson = window.pages["lesson"]
    assert isinstance(lesson, LessonPage)
    (folder,) = find_leaves(project.lessons)
    (folder / "qna.yaml").unlink()
    (folder / "qna.yaml").mkdir()

    lesson.editor.facts.add_question()
    card = cards(lesson)[-1]
    qtbot.keyClicks(card.question, "Which ship brought the first people to Velmora?")
    qtbot.keyClicks(card.answer, "The Grey Heron")

    qtbot.waitUntil(lesson.editor._banner.isVisible, timeout=5000)
    assert card.answer.toPlainText() == "The Grey Heron"


def test_a_job_that_was_broken_off_is_gone_on_with_from_the_tour(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.begin_tour()
    window.tour._go("practice", begins=True)
    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    qtbot.waitUntil(lambda: process.processId() > 0, timeout=10_000)

    process.kill()
    qtbot.waitUntil(lambda: session.jobs.current is None, timeout=20_000)

    assert read_journal(session.journal)[-1].state is JobState.BROKEN
    assert window.next_line.button.text() == "Continue"
    window.next_line.button.click()
    assert session.jobs.current is not None


def test_the_tours_line_leaves_the_height_to_the_page(window: MainWindow, qtbot: QtBot) -> None:
    window.start()
    press(qtbot, Qt.Key.Key_Return)

    for page in ("chat", "lesson", "practice", "train", "check", "use", "home"):
        window.show_page(page)
        qtbot.wait(1)
        assert window.tour_strip.isVisible(), page
        assert window.tour_strip.height() <= window.tour_strip.sizeHint().height(), page
