"""A model in conversation is a real process: questions in, pieces out, one ending for each question."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lab_desktop.paths import practice_model

pytestmark = pytest.mark.slow


class Conversation:
    def __init__(self, model: str) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "lab_desktop", "--chat"]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.say(model=model)

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
