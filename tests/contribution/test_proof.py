"""A report as proof: what both models said, in an order that shows it best and hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop import repository
from lab_desktop.contribution.proof import examples, proof
from lab_desktop.corrections import Correction, write_correction
from lab_desktop.errors import RunError
from lab_desktop.evaluation.results import Verdict
from lab_desktop.files import read_json, write_json
from tests.contribution.lessons import FACTS, ROWS, checked_run
from tests.taxonomy import leaves

RIGHT, WRONG, NONE = Verdict.RIGHT, Verdict.WRONG, Verdict.NONE


def test_a_report_tells_what_both_models_answered(tmp_path: Path) -> None:
    run = checked_run(tmp_path / "run")

    found = proof(run, FACTS)

    assert found is not None
    assert (found.original, found.trained) == ("SmolLM2-135M.Q4_1", "orra-Q4_K_M")
    assert [each.question for each in found.questions] == [row[0] for row in ROWS]
    assert (found.questions[0].before, found.questions[0].after) == ("It is blue.", "It is red.")
    assert (found.questions[0].was_right, found.questions[0].is_right) == (False, True)
    assert (found.right_before, found.right_after, found.total, found.made) == (1, 2, 3, (50, 42))
    assert found.at == pytest.approx((run / "report.json").stat().st_mtime)


def test_the_person_s_own_questions_come_first_and_what_nobody_judged_does_not_count(tmp_path: Path) -> None:
    rows = [
        ("Practised?", "a", "b", WRONG, RIGHT),
        ("Own?", "a", "b", NONE, RIGHT),
        ("Own too?", "a", "b", WRONG, NONE),
    ]

    found = proof(checked_run(tmp_path / "run", rows=rows, held_out=1), FACTS)

    assert found is not None
    assert [each.question for each in found.questions] == ["Own?", "Own too?", "Practised?"]
    assert (found.right_before, found.right_after, found.total) == (0, 1, 1)
    assert found.questions[0].was_right is None


def test_a_lesson_that_was_changed_since_is_told_from_one_that_was_not(tmp_path: Path) -> None:
    run = checked_run(tmp_path / "run")
    same, other = tmp_path / "same", tmp_path / "other"
    leaves.write(same, leaves.knowledge())
    leaves.write(other, leaves.knowledge(6))

    known = [proof(run, FACTS, repository.digest_of(folder)) for folder in (same, other)]

    assert [each and each.is_of_this for each in known] == [True, False]


def test_the_person_s_word_stands_above_the_judge_s(tmp_path: Path) -> None:
    run = checked_run(tmp_path / "run")
    write_correction(run, Correction("q2", "after", "I do not know.", "right"))

    found = proof(run, FACTS)

    assert found is not None and found.right_after == 3


def test_without_a_report_or_of_another_lesson_nothing_is_proved(tmp_path: Path) -> None:
    assert proof(tmp_path / "run", FACTS) is None
    assert proof(checked_run(tmp_path / "run"), "knowledge/elsewhere") is None


@pytest.mark.parametrize("harm", ["text", "list", "questions", "kind", "answer", "funnel"])
def test_a_damaged_report_is_told(tmp_path: Path, harm: str) -> None:
    file = checked_run(tmp_path / "run") / "report.json"
    report = read_json(file)
    question = report["leaves"][0]["questions"][0]
    harms = {
        "list": lambda: report.update(leaves=7),
        "questions": lambda: report["leaves"][0].update(questions=[3]),
        "kind": lambda: question.update(kind="general"),
        "answer": lambda: question.update(before=["x"]),
        "funnel": lambda: report["funnel"]["leaves"].update({FACTS: {"written": "many"}}),
    }
    if harm == "text":
        file.write_text("{")
    else:
        harms[harm]()
        write_json(file, report)

    with pytest.raises(RunError):
        proof(tmp_path / "run", FACTS)


def test_the_examples_show_what_was_learned_and_do_not_hide_what_got_worse(tmp_path: Path) -> None:
    rows = [
        ("both wrong", "a", "b", WRONG, WRONG),
        ("worse", "a", "b", RIGHT, WRONG),
        ("both right", "a", "b", RIGHT, RIGHT),
        ("learned", "a", "b", WRONG, RIGHT),
        ("learned too", "a", "b", WRONG, RIGHT),
    ]
    found = proof(checked_run(tmp_path / "run", rows=rows), FACTS)
    better = proof(checked_run(tmp_path / "better", rows=[row for row in rows if row[0] != "worse"]), FACTS)

    assert found is not None and better is not None
    assert [each.question for each in examples(found)] == ["learned", "learned too", "worse"]
    assert [each.question for each in examples(found, 1)] == ["worse"]
    assert [each.question for each in examples(better)] == ["learned", "learned too", "both right"]
    assert [each.question for each in examples(better, 9)][-1] == "both wrong"
