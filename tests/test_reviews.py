"""reviews.py: the person's word is above every check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop.artifacts import Sample
from lab_desktop.errors import RunError
from lab_desktop.files import JsonLines
from lab_desktop.reviews import FILE_NAME, Review, read_reviews, reviewed

KEPT = Sample("a", "leaf", "knowledge", "Who?", "Mira", accepted=True, stage="accepted")
DROPPED = Sample("b", "leaf", "knowledge", "When?", "1811", stage="round_trip", reason="Asked again …")


def note(folder: Path, *reviews: Review) -> None:
    book = JsonLines(folder / FILE_NAME)
    for review in reviews:
        book.append(review.to_json())
    book.close()


def test_a_dropped_row_is_not_learned_and_a_kept_one_is_whatever_the_checks_said(tmp_path: Path) -> None:
    note(tmp_path, Review("a", "drop"), Review("b", "keep", answer="In 1811."))

    rows = reviewed([KEPT, DROPPED], read_reviews(tmp_path))

    assert [(row.accepted, row.answer) for row in rows] == [(False, "Mira"), (True, "In 1811.")]


def test_what_was_dropped_before_it_had_an_answer_is_not_learned_for_being_kept(tmp_path: Path) -> None:
    unanswered = replace(DROPPED, answer="")
    note(tmp_path, Review("b", "keep"))

    assert reviewed([unanswered], read_reviews(tmp_path)) == [unanswered]


def test_the_newest_decision_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    note(tmp_path, Review("a", "drop"), Review("a", "keep"), Review("b", "keep"), Review("b", "undone"))

    assert read_reviews(tmp_path) == {"a": Review("a", "keep")}
    assert reviewed([DROPPED], read_reviews(tmp_path)) == [DROPPED]


def test_without_decisions_nothing_changes(tmp_path: Path) -> None:
    assert reviewed([KEPT, DROPPED], read_reviews(tmp_path)) == [KEPT, DROPPED]


@pytest.mark.parametrize("line", ["[]", '{"sample": "a"}', "7"])
def test_a_damaged_file_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE_NAME).write_text(line + "\n", encoding="utf-8")

    with pytest.raises(RunError, match="damaged"):
        read_reviews(tmp_path)
