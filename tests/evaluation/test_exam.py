"""evaluation/exam.py: what an author edits is what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lab_desktop import paths
from lab_desktop.errors import EvaluationError
from lab_desktop.evaluation.exam import BEFORE, write_exam
from lab_desktop.evaluation.questions import Question, Rule, exam_questions
from tests.drills.changes import killed_at

VELMORA = paths.resources() / "practice" / "velmora"
ONE = Question("", "x", "In which year?", "In 1382.", "exam")

_texts = some.text(some.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).map(str.strip).filter(bool)
_rules = some.builds(
    Rule, starts_with=_texts, equals=some.just("") | _texts, contains_all=some.tuples() | some.tuples(_texts)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(
    some.lists(
        some.builds(
            Question, some.just(""), some.just("x"), _texts, _texts, some.just("exam"), some.just("") | _texts,
            some.tuples() | some.tuples(_texts, _texts), some.none() | _rules, some.none() | some.booleans(),
        ),
        unique_by=lambda each: (each.context, each.question), min_size=1, max_size=4,
    )
)  # fmt: skip
def test_what_was_written_is_read_again(tmp_path: Path, questions: list[Question]) -> None:
    write_exam(tmp_path, questions)

    assert [replace(each, id="") for each in exam_questions(tmp_path, "x")] == questions


def test_the_exam_of_the_practice_lesson_loses_nothing_but_its_comments_which_are_kept(tmp_path: Path) -> None:
    original = (VELMORA / "exam.yaml").read_text(encoding="utf-8")
    (tmp_path / "exam.yaml").write_text(original, encoding="utf-8")
    read = exam_questions(tmp_path, "x")

    write_exam(tmp_path, read)
    write_exam(tmp_path, read[:3])

    assert exam_questions(tmp_path, "x") == read[:3]
    assert (tmp_path / BEFORE).read_text(encoding="utf-8") == original


def test_without_questions_there_is_no_file(tmp_path: Path) -> None:
    write_exam(tmp_path, [ONE])
    write_exam(tmp_path, [])

    assert not (tmp_path / "exam.yaml").exists()
    assert exam_questions(tmp_path, "x") == []


def test_too_many_are_refused_and_those_before_stay(tmp_path: Path) -> None:
    write_exam(tmp_path, [ONE])
    with pytest.raises(EvaluationError, match="more questions than can be asked"):
        write_exam(tmp_path, [replace(ONE, question=f"{number}{'x' * 1000}") for number in range(1100)])

    assert [each.question for each in exam_questions(tmp_path, "x")] == [ONE.question]


def test_killed_while_it_is_written_it_is_the_old_or_the_new(tmp_path: Path) -> None:
    (tmp_path / "exam.yaml").write_text("# mine\nquestions:\n  - {question: A, answer: B}\n", encoding="utf-8")
    step = 1
    while killed_at(step, lambda: write_exam(tmp_path, [ONE]), str(tmp_path)):
        assert [each.question for each in exam_questions(tmp_path, "x")] in (["A"], [ONE.question])
        step += 1

    assert step > 2
    assert [each.question for each in exam_questions(tmp_path, "x")] == [ONE.question]
