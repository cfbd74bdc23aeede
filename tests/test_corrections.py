"""corrections.py: a person's word about an answer, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab_desktop.corrections import Correction, read_corrections, read_report, write_correction
from lab_desktop.errors import RunError
from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.results import Judgement, LeafResult, QuestionResult, Report, Verdict
from lab_desktop.evaluation.verdict import verdict


def result(name: str, before: bool, after: bool, kind: str = "exam") -> QuestionResult:
    asked = Question(name, "general" if kind == "general" else "knowledge/orra", f"What is {name}?", name, kind)  # type: ignore[arg-type]
    said = [Judgement(Verdict.RIGHT if right else Verdict.WRONG, "rule", None, "So.") for right in (before, after)]
    return QuestionResult(asked, f"old {name}", f"new {name}", *said)


def report(learned: int, missed: int, lost: int = 0, known: int = 10) -> dict[str, Any]:
    """A report as the evaluation writes it: so many questions learned, missed, and general ones lost and known."""
    topic = [result(f"learned {n}", False, True) for n in range(learned)]
    topic += [result(f"missed {n}", False, False) for n in range(missed)]
    general = [result(f"lost {n}", True, False, "general") for n in range(lost)]
    general += [result(f"known {n}", True, True, "general") for n in range(known)]
    leaves = (LeafResult("knowledge/orra", "knowledge", tuple(topic)),)
    return Report(leaves, tuple(general), verdict(leaves, general)).to_json()


def write(folder: Path, value: dict[str, Any]) -> None:
    (folder / "report.json").write_text(json.dumps(value), encoding="utf-8")


def test_a_correction_changes_numbers_and_verdict_by_the_evaluations_rule(tmp_path: Path) -> None:
    write(tmp_path, report(learned=4, missed=6))
    assert read_report(tmp_path)["verdict"]["name"] == "small gain"

    write_correction(tmp_path, Correction("missed 0", "after", "new missed 0", "right"))

    found = read_report(tmp_path)
    assert found["leaves"][0]["exam"]["now"]["right"] == 5
    assert found["verdict"] == report(learned=5, missed=5)["verdict"]
    assert found["verdict"]["name"] == "clear gain"


def test_what_was_lost_by_a_mistake_of_the_judge_is_not_forgotten(tmp_path: Path) -> None:
    write(tmp_path, report(learned=5, missed=0, lost=4))
    assert read_report(tmp_path)["verdict"]["name"] == "it forgot"

    for number in range(3):
        write_correction(tmp_path, Correction(f"lost {number}", "after", f"new lost {number}", "right"))

    found = read_report(tmp_path)
    assert found["general"]["lost"] == ["What is lost 3?"]
    assert found["verdict"]["name"] == "clear gain"


def test_a_correction_is_taken_back_and_does_not_outlive_its_answer(tmp_path: Path) -> None:
    write(tmp_path, report(learned=4, missed=6))
    write_correction(tmp_path, Correction("missed 0", "after", "another answer", "right"))
    assert read_report(tmp_path)["leaves"][0]["exam"]["now"]["right"] == 4

    write_correction(tmp_path, Correction("missed 1", "after", "new missed 1", "right"))
    write_correction(tmp_path, Correction("missed 1", "after", "new missed 1", "undone"))
    assert read_report(tmp_path)["leaves"][0]["exam"]["now"]["right"] == 4


def test_a_report_without_corrections_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = report(learned=4, missed=6, lost=1)
    write(tmp_path, written)

    assert read_report(tmp_path) == written


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '"x"',
        '{"question": 5, "side": "after", "answer": "a", "verdict": "right"}',
        '{"question": "q", "side": "after", "answer": "a", "verdict": "good"}',
    ],
)
def test_damaged_corrections_are_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "corrections.jsonl").write_text(line + "\n", encoding="utf-8")

    with pytest.raises(RunError, match="damaged"):
        read_corrections(tmp_path)
