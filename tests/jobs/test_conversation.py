"""A model in conversation is a real process: questions in, pieces out, one ending for each question."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab_desktop.paths import practice_model
from tests.fakes import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prepared")]


class Conversation:
    def __init__(self, model: str, **opening: Any) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "lab_desktop", "--chat"]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.say(model=model, **opening)

    def say(self, **values: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(values) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def until(self, event: str) -> list[dict[str, Any]]:
        said = [self.hear()]
        while said[-1]["event"] != event:
            said.append(self.hear())
        return said

    def end(self) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code


@pytest.fixture
def talk() -> Iterator[Conversation]:
    made = Conversation(str(practice_model()))
    yield made
    assert made.end() == 0


PASSAGE = (
    "The lighthouse of Orra was built in 1811 by Mira Tell. It is 31 metres high. Its lamp burns fish oil. The harbour "
    "of Orra holds forty boats, and every boat is painted green. The harbour master of Orra is called Jon Vale."
)
QUESTIONS = [["What is the capital of Japan?", "Tokyo."], ["Who is the harbour master of Orra?", "Jon Vale."]]
EXPENSES = [
    ["Book this: Mark paid 12 euros for a taxi.", "Expense: taxi; 12 EUR; Mark", ""],
    ["Book this: Ann paid 40 euros for a room.", "Expense: room; 40 EUR; Ann", ""],
    ["Book this: Luis paid 7 euros for a coffee.", "Expense: coffee; 7 EUR; Luis", ""],
    ["Book this: Eva paid 23 dollars for a book.", "Expense: book; 23 USD; Eva", ""],
    ["Book this: Tom paid 90 dollars for a lamp.", "Expense: lamp; 90 USD; Tom", ""],
]


@pytest.fixture
def tutored() -> Iterator[Conversation]:
    """Student and teacher are the practice model: one model in memory."""
    made = Conversation(str(practice_model()), teacher=str(practice_model()))
    yield made
    assert made.end() == 0


def test_a_question_is_answered_in_pieces_and_ends_once(talk: Conversation) -> None:
    assert talk.hear()["event"] == "ready"
    talk.say(ask=1, messages=[["user", "What is the capital of France?"]], max_tokens=24)
    said = talk.until("done")

    assert "".join(each["text"] for each in said[:-1]).strip()
    assert {each["ask"] for each in said} == {1}
    assert said[-1]["tokens"] == len(said) - 1 <= 24
    assert said[-1]["used"] > said[-1]["tokens"]
    assert not said[-1]["was_stopped"]


def test_a_long_answer_stops_when_asked_and_the_next_one_comes(talk: Conversation) -> None:
    talk.say(ask=1, messages=[["user", "Tell me a very long story about a ship."]], max_tokens=2000)
    talk.until("piece")
    talk.say(stop=1)
    assert talk.until("done")[-1]["was_stopped"]
    talk.say(ask=2, messages=[["user", "Say yes."]], max_tokens=8)
    assert talk.until("done")[-1]["ask"] == 2


def test_a_question_that_cannot_be_asked_is_a_sentence_and_the_talk_goes_on(talk: Conversation) -> None:
    talk.say(ask=1, messages=[["user", "Hello"]], voice="nobody")
    failed = talk.until("failed")[-1]
    assert failed["ask"] == 1
    assert failed["text"]
    talk.say(ask=2, messages=[["user", "Say yes."]], max_tokens=8)
    assert talk.until("done")[-1]["ask"] == 2


def test_a_model_that_is_not_there_is_a_sentence() -> None:
    talk = Conversation("/no/such/model.gguf")

    said = talk.hear()

    assert (said["event"], said["ask"]) == ("failed", None)
    assert "model.gguf" in said["text"]
    assert talk.end() == 1


def test_questions_are_suggested_one_by_one_and_counted(tutored: Conversation) -> None:
    assert tutored.hear()["event"] == "ready"
    tutored.say(suggest=1, passage=PASSAGE, title="Orra", given=[["Who built the lighthouse?", "Mira Tell"]])
    *found, end = tutored.until("finished")

    assert [each["event"] for each in found] == ["suggestion"] * len(found)
    assert {each["ask"] for each in (*found, end)} == {1}
    assert end["counts"] == {"found": len(found), "wanted": 3} and len(found) >= 2
    assert all(each["sentence"] in PASSAGE and "Mira" not in each["answer"] for each in found)


def test_teacher_and_student_take_turns_in_one_model(tutored: Conversation) -> None:
    ask = {"messages": [["user", "Who built the lighthouse of Orra?"]], "max_tokens": 12}
    tutored.say(ask=1, **ask)
    before = "".join(each.get("text", "") for each in tutored.until("done"))
    tutored.say(suggest=2, passage=PASSAGE, title="Orra", wanted=1)
    said = tutored.until("finished")
    tutored.say(ask=3, **ask)
    after = tutored.until("done")

    assert "".join(each.get("text", "") for each in after) == before
    assert "ready" not in {each["event"] for each in (*said, *after)}  # nothing was opened anew


def test_a_teacher_in_a_file_of_its_own_takes_turns_too(tmp_path: Path) -> None:
    student = tiny_model(tmp_path / "student.gguf")
    talk = Conversation(str(student), teacher=str(practice_model()))

    talk.say(suggest=1, passage=PASSAGE, title="Orra", wanted=1)
    said = talk.until("finished")
    talk.say(ask=2, messages=[["user", "Hello"]], max_tokens=4)
    answered = talk.until("done")

    assert (said[0]["event"], said[0]["ask"], said[-1]["counts"]["found"]) == ("opening", 1, 1)
    assert (answered[0]["event"], answered[0]["name"]) == ("ready", "student")
    assert talk.end() == 0


def test_a_quiz_marks_every_question_and_counts_the_marks(tutored: Conversation) -> None:
    tutored.say(quiz=1, questions=QUESTIONS, voice=None)
    _ready, *marks, end = tutored.until("finished")

    last = {each["number"]: each["mark"] for each in marks}
    assert last[0] == "knows"
    assert last[1] in ("does not know", "partly")
    assert sum(end["counts"].values()) == 2 and end["counts"]["knows"] == 1


def test_one_more_example_is_suggested_or_a_sentence_says_why_not(tutored: Conversation) -> None:
    tutored.say(like=1, description="Write an expense as one line.", examples=EXPENSES, number=0)
    said = [tutored.hear(), tutored.hear()][-1]

    assert said["event"] == "suggestion"
    assert said["answer"].startswith("Expense: ") and said["question"] not in [row[0] for row in EXPENSES]
    assert tutored.until("finished")[-1]["counts"] == {"found": 1, "wanted": 1}
    tutored.say(like=2, description="Write an expense as one line.", examples=EXPENSES[:1], number=0)
    failed = tutored.until("failed")[-1]
    assert (failed["ask"], "1 finished example" in failed["text"]) == (2, True)


@pytest.mark.alone
def test_a_stopped_request_ends_soon_and_the_next_one_is_met(tutored: Conversation) -> None:
    assert tutored.hear()["event"] == "ready"
    tutored.say(suggest=1, passage=PASSAGE * 3, title="Orra", wanted=50)
    tutored.until("suggestion")
    began = time.monotonic()
    tutored.say(stop=1)
    end = tutored.until("finished")[-1]

    assert time.monotonic() - began < 1
    assert end["was_stopped"] and end["counts"]["found"] >= 1
    tutored.say(quiz=2, questions=QUESTIONS)
    assert tutored.until("finished")[-1]["ask"] == 2


@pytest.mark.parametrize(
    "request_of",
    [{"suggest": 1}, {"suggest": 1, "passage": ""}, {"quiz": 1}, {"quiz": 1, "questions": [1]}, {"like": 1}],
)
def test_a_request_that_cannot_be_met_is_a_sentence_and_the_next_one_is(
    request_of: dict[str, Any], tutored: Conversation
) -> None:
    tutored.say(**request_of)
    failed = tutored.until("failed")[-1]
    assert failed["ask"] == 1 and failed["text"] and failed["hint"]
    tutored.say(ask=2, messages=[["user", "Say yes."]], max_tokens=4)
    assert tutored.until("done")[-1]["ask"] == 2


def test_without_a_teacher_a_suggestion_says_so_and_a_quiz_is_marked_by_words(talk: Conversation) -> None:
    talk.say(suggest=1, passage=PASSAGE, title="Orra")
    assert "No teacher" in talk.until("failed")[-1]["text"]
    talk.say(quiz=2, questions=QUESTIONS)
    assert sum(talk.until("finished")[-1]["counts"].values()) == 2


def test_a_teacher_that_is_not_there_fails_its_request_alone(tmp_path: Path) -> None:
    talk = Conversation(str(practice_model()), teacher=str(tmp_path / "gone.gguf"))
    talk.say(suggest=1, passage=PASSAGE, title="Orra")
    assert "gone.gguf" in talk.until("failed")[-1]["text"]
    talk.say(ask=2, messages=[["user", "Say yes."]], max_tokens=4)
    assert talk.until("done")[-1]["ask"] == 2
    assert talk.end() == 0
