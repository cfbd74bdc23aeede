"""ui/chat_process.py with the practice model: what a lesson's editor hears of it, also when the child is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from lab_desktop.artifacts import Mark, Pair, QuizMark, SeedExample, Suggestion
from lab_desktop.paths import practice_model
from lab_desktop.ui.chat_process import ChatProcess, Finished, Voices

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prepared")]

LONGEST_MS = 120_000
PASSAGE = (
    "The lighthouse of Orra was built in 1811 by Mira Tell. It is 31 metres high. Its lamp burns fish oil. The harbour "
    "of Orra holds forty boats, and every boat is painted green. The harbour master of Orra is called Jon Vale."
)
QUESTIONS = [Pair("What is the capital of Japan?", "Tokyo."), Pair("Who is the harbour master of Orra?", "Jon Vale.")]
EXPENSES = [
    SeedExample((Pair(f"Book this: {who} paid {sum_} euros for a {what}.", f"Expense: {what}; {sum_} EUR; {who}"),))
    for who, sum_, what in (("Mark", 12, "taxi"), ("Ann", 40, "room"), ("Luis", 7, "coffee"), ("Eva", 23, "book"))
]


class Heard:
    """Everything that a child said, by signal."""

    def __init__(self, chat: ChatProcess) -> None:
        self.suggestions: list[tuple[int, Suggestion]] = []
        self.marks: list[tuple[int, QuizMark]] = []
        self.ends: list[tuple[int, Finished]] = []
        self.failures: list[tuple[int, str, str]] = []
        self.pieces: list[tuple[int, str]] = []
        chat.suggested.connect(lambda *said: self.suggestions.append(said))
        chat.marked.connect(lambda *said: self.marks.append(said))
        chat.finished.connect(lambda *said: self.ends.append(said))
        chat.failed.connect(lambda number, text, hint, details: self.failures.append((number, text, hint)))
        chat.piece.connect(lambda *said: self.pieces.append(said))


@pytest.fixture
def chat(qtbot: QtBot) -> Iterator[ChatProcess]:
    made = ChatProcess()
    made.use(Voices(practice_model(), teacher=practice_model()))
    yield made
    made.quit()


def test_a_suggestion_comes_and_is_counted(chat: ChatProcess, qtbot: QtBot) -> None:
    heard = Heard(chat)

    number = chat.suggest(PASSAGE, "Orra", [Pair("Who built the lighthouse?", "Mira Tell")], wanted=1)
    qtbot.waitUntil(lambda: heard.ends != [], timeout=LONGEST_MS)

    assert {each for each, _ in heard.suggestions} == {number}
    assert all(isinstance(each, Suggestion) and each.sentence in PASSAGE for _, each in heard.suggestions)
    ((ended, end),) = heard.ends
    assert (ended, dict(end.counts)) == (number, {"found": 1, "wanted": 1})
    assert not end.was_stopped


def test_a_quiz_is_marked_and_a_row_tried(chat: ChatProcess, qtbot: QtBot) -> None:
    heard = Heard(chat)

    chat.quiz(QUESTIONS)
    tried = chat.try_row("What colour is it?", "The boat of Orra is green.")
    with qtbot.waitSignal(chat.done, timeout=LONGEST_MS):
        pass

    assert heard.marks[0][1].mark in Mark
    assert {mark.number for _, mark in heard.marks} == {0, 1}
    assert sum(heard.ends[0][1].counts.values()) == 2
    assert {number for number, _ in heard.pieces} == {tried}


def test_one_more_example_comes_or_a_sentence(chat: ChatProcess, qtbot: QtBot) -> None:
    heard = Heard(chat)

    chat.suggest_like("Write an expense as one line.", EXPENSES, 0)
    qtbot.waitUntil(lambda: heard.ends != [], timeout=LONGEST_MS)
    chat.suggest_like("Write an expense as one line.", EXPENSES[:2], 0)
    qtbot.waitUntil(lambda: heard.failures != [], timeout=LONGEST_MS)

    ((_, made),) = heard.suggestions
    assert made.answer.startswith("Expense: ")
    assert "2 finished examples" in heard.failures[0][1]


@pytest.mark.alone
def test_a_stopped_suggestion_ends_within_a_second(chat: ChatProcess, qtbot: QtBot) -> None:
    heard = Heard(chat)
    number = chat.suggest(PASSAGE * 3, "Orra", [], wanted=50)
    qtbot.waitUntil(lambda: heard.suggestions != [], timeout=LONGEST_MS)

    chat.stop(number)
    qtbot.waitUntil(lambda: heard.ends != [], timeout=1000)

    assert heard.ends[0][1].was_stopped


REQUESTS: dict[str, Callable[[ChatProcess], int]] = {
    "suggest": lambda chat: chat.suggest(PASSAGE * 3, "Orra", [], wanted=50),
    "like": lambda chat: chat.suggest_like("Write an expense as one line.", EXPENSES, 0),
    "quiz": lambda chat: chat.quiz(QUESTIONS * 20),
    "try": lambda chat: chat.try_row("Tell a very long story."),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_killed_in_any_request_it_says_a_sentence_and_the_next_request_opens_it_again(
    kind: str, chat: ChatProcess, qtbot: QtBot
) -> None:
    heard = Heard(chat)
    with qtbot.waitSignal(chat.ready, timeout=LONGEST_MS):
        number = REQUESTS[kind](chat)
    process = chat._process
    assert process is not None

    os.kill(process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: heard.failures != [], timeout=10_000)

    ((failed, text, hint),) = heard.failures
    safe = "chat" if kind == "try" else "lesson"
    assert (failed, text, hint) == (
        number, f"The model stopped unexpectedly. Your {safe} is safe.", "Ask again."
    )  # fmt: skip
    again = chat.quiz(QUESTIONS)
    qtbot.waitUntil(lambda: heard.ends != [], timeout=LONGEST_MS)
    assert heard.ends[0][0] == again
