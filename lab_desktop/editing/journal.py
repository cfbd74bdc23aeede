"""Undo that survives a crash: the steps of a lesson's history in an append-only file beside it.

A row is one lesson, written as what is different from the row before it: how many letters at its beginning and its end
are the same, and what stands between. The file is written anew with the newest steps when it grows beyond a size, and
a lesson too large for it keeps its history in memory only. What is in it is ours alone: a damaged journal is as none.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import LeafKind
from lab_desktop.editing.history import History, Step
from lab_desktop.editing.lesson import DraftExample, DraftPair, Field, Lesson, LessonDocument, Mark
from lab_desktop.errors import RunError
from lab_desktop.files import JsonLines, disk_errors, replacing

MOST_STEPS = 200
MOST_BYTES = 4_000_000
"""Steps and size of the file before it is written anew, with half as many."""
MOST_LETTERS = 1_000_000
"""Of a lesson. The history of a longer one lives in memory only."""


class Journal:
    """The history of one lesson on disk.

    Attributes:
        path: the file; it is made with the first step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = JsonLines(path)
        self._steps: list[Step] = []
        """The steps in the file that are in force, oldest first."""
        self._first = 0
        """Which step of the history in memory is the first of the file."""
        self._rows = 0
        self._bytes = 0

    def read(self) -> tuple[History | None, dict[str, list[str]]]:
        """The history, and what the files looked like before and after the save that was noted last.

        None where there is no history, or a damaged one, which is deleted.
        """
        steps: list[Step] = []
        files: dict[str, list[str]] = {}
        place = rows = 0
        texts: list[str] = []
        known: dict[str, str] = {}
        try:
            for row in self._lines.each():
                rows += 1
                if "lesson" not in row:
                    place, files = row["place"], row["files"]
                    continue
                start, end, middle = row["lesson"]
                del steps[row["at"] :], texts[row["at"] :]
                before = texts[-1] if texts else ""
                texts.append(before[:start] + middle + before[len(before) - end :])
                steps.append(_step(row, texts[-1], known))
                place = len(steps) - 1
            history = History(steps, place) if 0 <= place < len(steps) else None
        except (RunError, KeyError, TypeError, ValueError, IndexError, AttributeError):
            history = None
        if history is None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            return None, {}
        self._steps, self._first, self._rows = list(steps), 0, rows
        self._bytes = self.path.stat().st_size
        return history, files

    def note(self, history: History, files: dict[str, list[str]]) -> None:
        """Write down the steps that are not yet in the file, and what a save is about to change.

        Args:
            files: by name, the fingerprints of the text before and after.

        Raises:
            StorageError: it could not be written; what was in it is safe.
        """
        if len(text_of(history.lesson)) > MOST_LETTERS:
            self._forget()
            return
        same = 0
        for old, new in zip(self._steps, history.steps[self._first :], strict=False):
            if old is not new:
                break
            same += 1
        rows = _rows(history, self._first, same, files)
        data = sum(len(row["lesson"][2]) for row in rows[:-1])
        if self._rows + len(rows) > MOST_STEPS or self._bytes + data > MOST_BYTES:
            self._write_anew(history, files)
            return
        with contextlib.closing(self._lines):  # the next save opens it again
            self._lines.extend(rows)
        self._steps = history.steps[self._first :]
        self._rows += len(rows)
        self._bytes += data

    def _write_anew(self, history: History, files: dict[str, list[str]]) -> None:
        """Only the newest steps, half as many as fit, and what was undone after them."""
        first = max(self._first, history.place - MOST_STEPS // 2 + 1, 0)
        while True:
            rows = _rows(history, first, 0, files)
            if first == history.place or sum(len(row["lesson"][2]) for row in rows[:-1]) <= MOST_BYTES // 2:
                break
            first = (first + history.place + 1) // 2
        data = b"".join(json.dumps(row).encode("ascii") + b"\n" for row in rows)
        with replacing(self.path) as temporary:
            temporary.write_bytes(data)
        self._steps, self._first = history.steps[first:], first
        self._rows, self._bytes = len(rows), len(data)

    def _forget(self) -> None:
        self._steps, self._first, self._rows, self._bytes = [], 0, 0, 0
        with disk_errors(self.path, "The history"):
            self.path.unlink(missing_ok=True)


def text_of(lesson: Lesson) -> str:
    """The lesson as one line of JSON, the same for equal lessons."""
    text = json.dumps(asdict(lesson), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")  # a folder's name can be no text


def _rows(history: History, first: int, same: int, files: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The rows for the steps from `first` on, counted from there; of these the first `same` are in the file."""
    before = text_of(history.steps[first + same - 1].lesson) if same else ""
    rows: list[dict[str, Any]] = []
    for number, step in enumerate(history.steps[first + same :], start=same):
        text = text_of(step.lesson)
        field = asdict(step.field) if step.field else None
        start = _same_letters(before, text)
        end = _same_letters(before[start:][::-1], text[start:][::-1])
        rows.append(
            {
                "at": number,
                "words": step.words,
                "field": field,
                "lesson": [start, end, text[start : len(text) - end]],
            }
        )
        before = text
    return [*rows, {"place": history.place - first, "files": files}]


def _same_letters(one: str, two: str) -> int:
    """How many letters at the beginning are the same."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _step(row: dict[str, Any], text: str, known: dict[str, str]) -> Step:
    field = Field(**row["field"]) if row["field"] else None
    return Step(_lesson(json.loads(text), known), str(row["words"]), field)


def _lesson(value: dict[str, Any], known: dict[str, str]) -> Lesson:
    """The lesson of `text_of`; long texts that are known already are not held twice."""
    examples = tuple(
        DraftExample(
            each["id"],
            each["context"],
            tuple(DraftPair(**{**pair, "mark": Mark(pair["mark"])}) for pair in each["pairs"]),
        )
        for each in value.pop("examples")
    )
    documents = tuple(
        LessonDocument(each["name"], known.setdefault(each["text"], each["text"])) for each in value.pop("documents")
    )
    lists: dict[str, Any] = {name: tuple(value.pop(name)) for name in ("node", "patterns", "unread")}
    return Lesson(LeafKind(value.pop("kind")), examples=examples, documents=documents, **lists, **value)
