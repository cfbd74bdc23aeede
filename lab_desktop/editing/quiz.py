"""What the model knew when it was asked the lesson's questions: kept hidden beside the lesson, by their words.

    .editing/quiz.json    {"marks": [{"question": …, "answer": …, "mark": "knows", "reply": …, "why": …}]}

A mark belongs to a question and an answer as they were worded: a card that is worded anew has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.artifacts import Mark, Pair
from lab_desktop.editing.folder import HIDDEN, write_file
from lab_desktop.errors import RunError
from lab_desktop.files import read_json

FILE_NAME = f"{HIDDEN}/quiz.json"


@dataclass(frozen=True)
class Known:
    """What the model said to a question.

    Attributes:
        reply: its answer.
        why: in words, for the person who looks at it.
    """

    mark: Mark
    reply: str
    why: str = ""


Marks = Mapping[Pair, Known]


def read_marks(folder: Path) -> dict[Pair, Known]:
    """The marks of the lesson in `folder`; none where nobody asked, or the file is damaged."""
    try:
        rows = read_json(folder / FILE_NAME, "marks")["marks"]
        return {
            Pair(str(row["question"]), str(row["answer"])): Known(Mark(row["mark"]), str(row["reply"]), str(row["why"]))
            for row in rows
        }
    except (RunError, KeyError, TypeError, ValueError):
        return {}


def write_marks(folder: Path, marks: Marks) -> None:
    """
    Raises:
        StorageError: they could not be written; those before are untouched.
    """
    rows = [
        {"question": pair.question, "answer": pair.answer, "mark": known.mark.value, "reply": known.reply,
         "why": known.why}
        for pair, known in marks.items()
    ]  # fmt: skip
    write_file(folder, FILE_NAME, json.dumps({"marks": rows}, ensure_ascii=False, indent=1) + "\n")
