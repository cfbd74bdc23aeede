"""What the model knew stays beside the lesson, hidden, and belongs to the words that it was asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab_desktop.artifacts import Mark, Pair
from lab_desktop.editing.quiz import FILE_NAME, Known, read_marks, write_marks

MARKS = {
    Pair("Who built it?", "Rolf."): Known(Mark.KNOWS, "Rolf did.", "It says the same."),
    Pair("When — “1811”?", "In 1811.\nOr later."): Known(Mark.DOES_NOT_KNOW, ""),
}


def test_marks_are_read_as_they_were_written_and_git_sees_nothing_of_them(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    write_marks(tmp_path, MARKS)

    assert read_marks(tmp_path) == MARKS
    status = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=tmp_path, capture_output=True, check=True)
    assert status.stdout == b""


@pytest.mark.parametrize("text", ["", "{", '{"marks": 3}', '{"marks": [{"question": "Who?"}]}', '{"other": []}'])
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).parent.mkdir()
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")

    assert read_marks(tmp_path) == {}
    write_marks(tmp_path, MARKS)
    assert read_marks(tmp_path) == MARKS
