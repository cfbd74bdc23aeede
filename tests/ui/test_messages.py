"""widgets/messages.py: a long conversation is laid out only where it is seen, and stays in its place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QImage, QPainter
from pytestqt.qtbot import QtBot

from lab_desktop.ui.theme import Look
from lab_desktop.ui.widgets.message_text import MOST_SHOWN, MessageText
from lab_desktop.ui.widgets.messages import Item, Message, MessageList

LONG = "A sentence that goes on. " * 30
CODE = "So:\n\n```python\ndef f():\n    return 1\n```\n\nThat is all."


@pytest.fixture
def view(qtbot: QtBot) -> MessageList:
    made = MessageList()
    made.resize(800, 600)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    return made


def conversation(count: int) -> list[Item]:
    return [
        (Message(f"Question {number}?", "You", is_own=True),)
        if number % 2 == 0
        else (Message(f"Answer {number}. {LONG}", "Original", actions=(("copy", "copy", "Copy"),)),)
        for number in range(count)
    ]


def text_on_top(view: MessageList, height: int) -> tuple[str, int]:
    """The message at a height of the view, and where it begins there."""
    index = view.indexAt(QPoint(400, height))
    return str(index.data())[:14], view.visualRect(index).top()


def test_of_five_thousand_messages_only_what_is_seen_is_laid_out(view: MessageList, qtbot: QtBot) -> None:
    view.messages.show(conversation(5000))
    qtbot.wait(50)
    assert sum(view._is_exact) < 20
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()

    view.verticalScrollBar().setValue(0)
    qtbot.wait(20)

    assert text_on_top(view, 30)[0] == "Question 0?"
    assert sum(view._is_exact) < 40
    assert len(view._texts) < 40


def test_scrolling_up_into_what_was_only_estimated_does_not_jump(view: MessageList, qtbot: QtBot) -> None:
    narrow = "ill " * 400  # takes far less room than is estimated
    view.messages.show([(Message(f"{number}. {narrow}", "Original"),) for number in range(400)])
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    for _ in range(40):
        before, top = text_on_top(view, 300)
        bar.setValue(bar.value() - 50)
        row = next(row for row in range(400) if view.messages[row][0].text.startswith(before))
        assert view.visualRect(view.messages.index(row, 0)).top() == top + 50


def test_who_reads_further_up_is_left_alone_while_an_answer_grows(view: MessageList, qtbot: QtBot) -> None:
    items = conversation(60)
    view.messages.show([*items, (Message("", "Original", is_busy=True),)])
    bar = view.verticalScrollBar()
    bar.setValue(bar.value() - 900)
    before = text_on_top(view, 300)
    for _ in range(20):
        view.messages.write(60, 0, LONG)
    qtbot.wait(80)
    assert text_on_top(view, 300) == before

    view.scroll_to_end()
    view.messages.write(60, 0, LONG)
    qtbot.wait(80)
    assert bar.value() == bar.maximum()


def test_what_stays_as_it_was_keeps_its_layout_when_the_rest_is_shown_anew(view: MessageList, qtbot: QtBot) -> None:
    items = conversation(300)
    view.messages.show(items)
    bar = view.verticalScrollBar()
    bar.setValue(4000)
    before = text_on_top(view, 200)

    view.messages.show([*items[:299], (Message("Another end.", "Original"),), (Message("More?", "You", is_own=True),)])
    qtbot.wait(60)
    assert text_on_top(view, 200) == before
    view.messages.show(items[:100])
    qtbot.wait(60)
    assert len(view._heights) == 100


def test_two_answers_have_one_height_and_are_walked_side_by_side(view: MessageList, qtbot: QtBot) -> None:
    copy = (("copy", "copy", "Copy"),)
    pair = (Message("Short.", "Original", actions=copy), Message(LONG, "Your model", actions=copy))
    view.messages.show([(Message("Who?", "You", is_own=True),), pair])
    view.setFocus()

    left, right = view._surfaces(1)
    assert left.height() == right.height()
    assert left.right() < right.left()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == LONG


def test_a_screen_reader_hears_who_says_what(view: MessageList) -> None:
    view.messages.show(
        [(Message("Who?", "You", is_own=True),), (Message("Mira.", "Original"), Message("Bram.", "Yours"))]
    )

    found = QAccessible.queryAccessibleInterface(view)
    said = [found.child(number).text(QAccessible.Text.Name) for number in range(found.childCount())]

    assert said == ["You: Who?", "Original: Mira.\nYours: Bram."]


def test_code_is_copied_by_its_button(view: MessageList, qtbot: QtBot) -> None:
    view.messages.show([(Message(CODE, "Original"),)])
    (code,) = view._shown_text(0, 0).code
    place = view._surfaces(0)[0].topLeft() + view._text_offset(0) + code.button.center()

    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.toPoint())

    assert QGuiApplication.clipboard().text() == "def f():\n    return 1"


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "| a " * 2000, "> " * 4000, "```\n" + "a\n" * 50_000, "مرحبا " * 300, "🏝️" * 500, "[" * 9000, ""],
)
def test_any_text_fits_the_width_and_a_huge_one_is_shown_in_part(shown: Look, text: str) -> None:
    laid_out = MessageText(text, 500, is_plain=False)

    assert laid_out.ideal_width <= 501
    assert 0 < laid_out.height < 40_000
    assert len(laid_out._document.toPlainText()) <= MOST_SHOWN + 2


def test_pictures_and_html_of_a_model_are_words(shown: Look) -> None:
    laid_out = MessageText("![map](file:///etc/hostname) <b>bold</b> <img src='file:///x'>", 500, is_plain=False)

    assert laid_out._document.toPlainText() == "map <b>bold</b> <img src='file:///x'>"
    assert "￼" not in laid_out._document.toPlainText()


def test_a_ticked_box_looks_another_than_an_empty_one() -> None:
    def painted(text: str) -> QImage:
        image = QImage(60, 30, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.setBrush(Qt.GlobalColor.white)  # as the ground of a message leaves it
        MessageText(text, 60, is_plain=False).paint(painter)
        painter.end()
        return image

    assert painted("- [x] a") != painted("- [ ] a")
