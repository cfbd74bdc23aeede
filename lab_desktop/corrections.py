"""What a person corrected in a report: RUN/corrections.jsonl, the newest line about an answer counts.

report.json stays as the evaluation wrote it. Who shows a report reads it here, with the person's word above the
judge's: numbers and verdict follow from the corrected answers by the evaluation's own rule. A correction belongs to
the answer it was made about; another answer to the same question is judged anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab_desktop.artifacts import Funnel
from lab_desktop.errors import RunError
from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.results import Judgement, LeafResult, QuestionResult, Report, Verdict
from lab_desktop.evaluation.verdict import verdict
from lab_desktop.files import JsonLines, read_json

FILE_NAME = "corrections.jsonl"
Side = Literal["before", "after"]
SIDES: tuple[Side, ...] = ("before", "after")
_VERDICTS = ("right", "wrong", "undone")


@dataclass(frozen=True)
class Correction:
    """A person's verdict on one answer.

    Attributes:
        question: `Question.id`.
        side: the answer of the original model, or of the new one.
        answer: what was judged.
        verdict: "undone" takes an earlier correction back.
    """

    question: str
    side: Side
    answer: str
    verdict: Literal["right", "wrong", "undone"]

    def to_json(self) -> dict[str, str]:
        return {"question": self.question, "side": self.side, "answer": self.answer, "verdict": self.verdict}


Corrections = Mapping[tuple[str, str, str], Correction]
"""By question, side and answer."""


def read_corrections(folder: Path) -> dict[tuple[str, str, str], Correction]:
    """The corrections in force.

    Raises:
        RunError: the file is damaged.
    """
    found: dict[tuple[str, str, str], Correction] = {}
    for line in JsonLines(folder / FILE_NAME).rows():
        try:
            made = Correction(line["question"], line["side"], line["answer"], line["verdict"])
            if not all(isinstance(text, str) for text in vars(made).values()):
                raise TypeError(line)
            if made.side not in SIDES or made.verdict not in _VERDICTS:
                raise TypeError(line)
        except (TypeError, KeyError) as error:
            raise RunError(
                f'"{FILE_NAME}" in {folder} is damaged.', "Delete it to see the report as it was judged.", repr(error)
            ) from error
        found[made.question, made.side, made.answer] = made
    return {key: made for key, made in found.items() if made.verdict != "undone"}


def write_correction(folder: Path, correction: Correction) -> None:
    """Note a correction; when this returns it is on disk.

    Raises:
        StorageError: it could not be written.
    """
    book = JsonLines(folder / FILE_NAME)
    try:
        book.append(correction.to_json())
    finally:
        book.close()


def read_report(folder: Path) -> dict[str, Any]:
    """RUN/report.json as the person corrected it.

    Raises:
        RunError: the report or the corrections are missing or damaged.
    """
    report = read_json(folder / "report.json", "leaves", "general", "verdict")
    corrections = read_corrections(folder)
    return corrected(report, corrections) if corrections else report


def corrected(report: Mapping[str, Any], corrections: Corrections) -> dict[str, Any]:
    """A report with corrected verdicts, and what follows from them.

    Raises:
        RunError: the report is none that we wrote.
    """
    try:
        leaves = tuple(
            LeafResult(
                leaf["leaf"],
                leaf["kind"],
                tuple(_result(question, leaf["leaf"], corrections) for question in leaf["questions"]),
            )
            for leaf in report["leaves"]
        )
        general = tuple(_result(question, "general", corrections) for question in report["general"]["questions"])
        funnel = {
            leaf: Funnel(counts["asked"], counts["written"], counts["kept"], counts["dropped"])
            for leaf, counts in report.get("funnel", {}).get("leaves", {}).items()
        }
        found = Report(leaves, general, verdict(leaves, general, funnel)).to_json()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError("The report cannot be read.", "Check again.", repr(error)) from error
    return {**report, **{name: found[name] for name in ("leaves", "general", "verdict")}}


def _result(row: Mapping[str, Any], leaf: str, corrections: Corrections) -> QuestionResult:
    asked = Question(
        row["id"], leaf, row["question"], row["reference"], row["kind"], context=row["context"], seed=row["seed"]
    )
    before, after = (_judged(row, side, corrections) for side in SIDES)
    return QuestionResult(asked, row["before"], row["after"], before, after)


def _judged(row: Mapping[str, Any], side: Side, corrections: Corrections) -> Judgement:
    by_person = corrections.get((row["id"], side, row[side]))
    if by_person is not None:
        return Judgement(Verdict(by_person.verdict), row["judged_by"], None, "You corrected it.")
    return Judgement(Verdict(row[f"verdict_{side}"]), row["judged_by"], None, row[f"reason_{side}"])
