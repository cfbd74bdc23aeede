"""pages/chat.py with the practice model in a process of its own."""

from __future__ import annotations

import os
import signal

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from lab_desktop import chats
from lab_desktop.chats import Chat, Turn
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat import ChatPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.messages import Message


@pytest.fixture
def page(window: MainWindow) -> ChatPage:
    window.show_page("chat")
    found = window._pages["chat"]
    assert isinstance(found, ChatPage)
    return found


def said(page: ChatPage) -> list[Message]:
    messages = page._lists[0].messages
    return [messages[row] for row in range(len(messages))]


@pytest.mark.slow
def test_a_question_is_answered_and_the_chat_is_saved(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    qtbot.keyClicks(page._input, "What is the capital of France?")
    qtbot.keyClick(page._input, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: len(session_chats(session)) == 1 and len(session_chats(session)[0].turns) == 2, timeout=60_000
    )

    question, answer = said(page)
    assert (question.text, question.is_own) == ("What is the capital of France?", True)
    assert answer.text
    assert "words a second" in answer.note
    assert "Memory of this chat" in page._memory_words.text()


@pytest.mark.slow
def test_a_model_that_dies_loses_nothing_and_is_asked_again(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    page._input.setPlainText("Tell me a very long story about a ship.")
    page.send()
    qtbot.waitUntil(lambda: bool(said(page)) and len(said(page)[-1].text) > 20, timeout=60_000)
    process = session.chat._process
    assert process is not None
    os.kill(process.processId(), signal.SIGKILL)
    qtbot.waitUntil(page._banner.isVisible, timeout=10_000)

    assert "Your chat is safe" in page._banner.accessibleName()
    assert [turn.text for turn in session_chats(session)[0].turns] == ["Tell me a very long story about a ship."]
    page._banner.button.click()
    qtbot.waitUntil(lambda: len(said(page)) == 2 and len(said(page)[-1].text) > 20, timeout=60_000)
    page.stop()
    qtbot.waitUntil(lambda: not page._asked, timeout=10_000)
    assert "stopped" in said(page)[-1].note


def session_chats(session: Session) -> list[Chat]:
    return chats.every(session.chats)


def test_saved_chats_are_found_by_any_word_and_opened(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    for text in ("How do I bake bread?", "Who built the lighthouse?"):
        chats.save(session.chats, Chat(text[:3], turns=(Turn("user", text), Turn("assistant", "So."))))
    page._search.setText("LIGHTHOUSE")
    qtbot.waitUntil(lambda: page._saved.count() == 1, timeout=2000)

    page._saved.itemActivated.emit(page._saved.item(0))

    assert [message.text for message in said(page)] == ["Who built the lighthouse?", "So."]


def test_five_thousand_messages_are_laid_out_only_where_they_are_seen(page: ChatPage, qtbot: QtBot) -> None:
    view = page._lists[0]
    view.messages.show(
        [Message(f"Message {number} with some *words* in it.", "You", number % 2 == 0) for number in range(5000)]
    )
    view.scrollToBottom()
    qtbot.wait(50)

    assert len(view._delegate._documents) <= 400
