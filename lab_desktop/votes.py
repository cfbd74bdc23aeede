"""Which of two answers a person found better without knowing whose they were: RUN/votes.jsonl.

The newest line about a question counts. The window writes it in a blind chat; the report counts it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from lab_desktop.errors import RunError
from lab_desktop.files import JsonLines

FILE_NAME = "votes.jsonl"
Choice = Literal["new", "original", "same"]


@dataclass(frozen=True)
class Vote:
    """A decision about one question.

    Attributes:
        choice: the answer that was better: of the trained model, of the original, or neither.
        time: UTC seconds.
    """

    question: str
    choice: Choice
    time: float = 0.0


def note(folder: Path, question: str, choice: Choice) -> None:
    """Keep a vote in a run folder; an earlier one about the same question does not count any more.

    Raises:
        StorageError: it could not be written; earlier votes are safe.
    """
    with closing(JsonLines(folder / FILE_NAME)) as book:
        book.append({"choice": choice, "question": question, "time": round(time.time(), 3)})


def read_votes(folder: Path) -> dict[str, Vote]:
    """The votes in force, by question.

    Raises:
        RunError: the file is damaged.
    """
    votes: dict[str, Vote] = {}
    for line in JsonLines(folder / FILE_NAME).rows():
        try:
            vote = Vote(line["question"], line["choice"], float(line.get("time", 0.0)))
            if vote.choice not in get_args(Choice) or not isinstance(vote.question, str):
                raise ValueError(line)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise RunError(f'"{FILE_NAME}" in {folder} is damaged.', "Delete it to vote anew.", repr(error)) from error
        votes[vote.question] = vote
    return votes


def tally(votes: Iterable[Vote]) -> Counter[Choice]:
    """How many votes each choice has."""
    return Counter(vote.choice for vote in votes)
