"""votes.py: which answer was better, decided without knowing whose it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop.errors import RunError, StorageError
from lab_desktop.votes import FILE_NAME, note, read_votes, tally


def test_the_newest_vote_about_a_question_counts(tmp_path: Path) -> None:
    note(tmp_path, "Who founded Osmery?", "original")
    note(tmp_path, "When does silverwort flower?", "same")
    note(tmp_path, "Who founded Osmery?", "new")

    votes = read_votes(tmp_path)

    assert {question: vote.choice for question, vote in votes.items()} == {
        "Who founded Osmery?": "new",
        "When does silverwort flower?": "same",
    }
    assert votes["Who founded Osmery?"].time > 1.7e9
    assert tally(votes.values()) == {"new": 1, "same": 1}


def test_a_line_torn_by_a_kill_does_not_count_and_the_next_vote_is_whole(tmp_path: Path) -> None:
    note(tmp_path, "Who?", "new")
    with open(tmp_path / FILE_NAME, "a", encoding="utf-8") as file:
        file.write('{"choice": "orig')

    note(tmp_path, "When?", "same")

    assert list(read_votes(tmp_path)) == ["Who?", "When?"]


def test_a_run_without_votes_has_none(tmp_path: Path) -> None:
    assert read_votes(tmp_path) == {}


@pytest.mark.parametrize("line", ["[]", "7", '{"question": "Who?"}', '{"question": "Who?", "choice": "left"}'])
def test_a_damaged_file_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE_NAME).write_text(line + "\n", encoding="utf-8")

    with pytest.raises(RunError, match="damaged"):
        read_votes(tmp_path)


def test_a_vote_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, no folder")

    with pytest.raises(StorageError):
        note(tmp_path / "run", "Who?", "new")
