"""What a designer would see on the pages: sizes, order, words, units."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.evaluation.verdict import verdict
from lab_desktop.ui.editor.checklist import CheckLine
from lab_desktop.ui.editor.text import DocumentText
from lab_desktop.ui.jobs import Job
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.pages.improve.train import TrainStation
from lab_desktop.ui.pages.improve.use import UseStation
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.session import STATION_STEPS
from lab_desktop.ui.widgets.basic import Button, Folding
from lab_desktop.ui.words import job_words
from tests.screenshots import states
from tests.screenshots.__main__ import SHOTS, Stage, staged

JARGON = ("epoch", "learning rate", "replay", "seed example", "qna.yaml", "exam.yaml", "round_trip", "student")


@pytest.fixture
def seen(shown: object) -> Iterator[Callable[[str], Stage]]:
    """Open the window in a state that has a picture."""
    opened = []

    def see(name: str) -> Stage:
        made = staged(next(shot for shot in SHOTS if shot.name == name))
        opened.append(made)
        stage = made.__enter__()
        stage.window.resize(1440, 900)
        settle()
        return stage

    yield see
    for made in opened:
        made.__exit__(None, None, None)


def settle() -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents()
        QCoreApplication.processEvents()


def in_sight(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def test_the_title_of_a_lesson_is_larger_than_its_headings(seen: Callable[[str], Stage]) -> None:
    (text,) = seen("lesson-facts").window.findChildren(DocumentText)
    sizes = []
    block = text.document().begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            sizes.append(block.begin().fragment().charFormat().font().pixelSize())
        block = block.next()

    assert sizes[0] > sizes[1] == sizes[-1]


def test_what_to_do_is_one_list(seen: Callable[[str], Stage]) -> None:
    window = seen("improve-check-forgot").window
    words = in_sight(window)

    assert words.count("What to do") == 1
    assert words.count("•") == 3
    assert any(text.startswith("It learned the topic, but paid for it.") for text in words)


def test_sizes_stand_from_large_to_small(seen: Callable[[str], Stage]) -> None:
    stage = seen("improve-use")
    (run,) = stage.root.glob("*/runs/*")
    for kind in ("Q3_K_M", "Q5_K_M", "Q6_K"):
        (run / "models" / f"velmora-{kind}.gguf").touch()
    stage.session.refresh()
    settle()
    (use,) = stage.window.findChildren(UseStation)

    kinds = [text.strip("()") for text in in_sight(use) if text.startswith(("(F", "(Q"))]
    assert kinds == ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M"]


def test_a_plan_keeps_its_units_as_they_are_written(seen: Callable[[str], Stage]) -> None:
    plan = next(text for text in in_sight(seen("improve-check-none").window) if "of memory" in text)

    assert plan.startswith("Uses about ") and " MB of " in plan and " GB of memory, leaves " in plan


def test_a_training_that_goes_on_begins_its_curve_anew_at_the_top(seen: Callable[[str], Stage]) -> None:
    (train,) = seen("improve-train-busy").window.findChildren(TrainStation)

    heights = [height for _, height in train._losses]
    assert heights[0] > 0.9 * max(heights)


def test_saved_chats_say_when_they_were_and_which_compared(seen: Callable[[str], Stage]) -> None:
    saved = seen("chat-compare").control(QListWidget, "Saved chats")
    assert isinstance(saved, QListWidget)
    spoken = [saved.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(saved.count())]

    assert all(text.startswith("When was Velmora settled?, Today, ") for text in spoken)
    assert [text.endswith(" · compared") for text in spoken] == [True, False]


def test_nobody_is_offered_to_write_questions_without_a_project(seen: Callable[[str], Stage]) -> None:
    window = seen("improve-none").window
    (practice,) = window.findChildren(PracticeStation)

    assert [each.text() for each in practice.findChildren(Button) if each.isVisible()] == []
    assert window.header.title.text() == "Improve" and window.header.place.text() == ""


def test_a_project_without_lessons_says_what_a_lesson_is(seen: Callable[[str], Stage]) -> None:
    words = in_sight(seen("lesson-none").window.pages["lesson"])

    assert words == ["No lesson yet", "A lesson is a page or two, and questions you would ask about it."]


def test_a_skill_lesson_asks_for_examples_and_never_speaks_of_passages(
    seen: Callable[[str], Stage], qtbot: QtBot
) -> None:
    stage = seen("lesson-skill")
    lesson = stage.window.pages["lesson"]
    assert isinstance(lesson, LessonPage)
    assert [text for text in in_sight(lesson) if "assage" in text or "uestion" in text] == []
    assert stage.control(CheckLine, "Examples, done. 5 of 5").isVisible()

    qtbot.mouseClick(lesson.editor.skill.add, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(stage.control(QPlainTextEdit, "Request of example 6"), "Make a note: Uwe feeds the cat on Sunday.")
    qtbot.keyClicks(stage.control(QPlainTextEdit, "Answer of example 6"), "NOTE | Uwe | feed the cat | Sunday")
    qtbot.waitUntil(lambda: _has(stage, CheckLine, "Examples, done. 6 of 6"), timeout=5000)


def test_a_button_keeps_its_icon_apart_from_words_that_come_later(shown: object) -> None:
    first, later = Button("Pause", icon="pause"), Button("", icon="pause")
    later.setText("Pause")

    assert later.iconSize() == first.iconSize() and later.sizeHint() == first.sizeHint()


def test_a_check_is_called_so_and_making_smaller_too() -> None:
    assert job_words(Job(Path(), STATION_STEPS["check"], "")) == "Checking"
    assert job_words(Job(Path(), ("export:Q4_K_M",), "")) == "Making the model smaller"


@pytest.mark.parametrize("learned", [0.0, 0.1, 0.6])
def test_advice_has_no_words_of_the_field(learned: float, tmp_path: Path) -> None:
    run = states.write_report(states.project(tmp_path), learned=learned, forgot=20)
    said = json.loads((run / "report.json").read_text(encoding="utf-8"))["verdict"]
    text = " ".join([said["text"], *said["advice"], *verdict((), ()).advice])

    assert [word for word in JARGON if word in text] == []


def test_two_parts_fold_where_there_is_no_room_for_both(shown: object) -> None:
    first, second = Button("A rather long name"), Button("Another long name")
    folding = Folding(first, second)
    frame = QFrame()
    folding.setParent(frame)
    frame.show()
    folding.resize(600, 40)
    QCoreApplication.processEvents()
    assert first.y() == second.y() and second.geometry().right() == 599

    folding.resize(200, 80)
    QCoreApplication.processEvents()
    assert second.y() > first.y() and second.x() == first.x()


def _has(stage: Stage, kind: type[QWidget], name: str) -> bool:
    return any(each.accessibleName() == name for each in stage.window.findChildren(kind))
