"""What shows that a lesson works: questions with the original's and the new model's answers, from a run's report.

Where the person corrected a verdict (`corrections`), it is theirs that counts, as everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop.corrections import read_report
from lab_desktop.errors import RunError
from lab_desktop.files import stamp
from lab_desktop.repository import digest_of

_REPORT = "report.json"
_KINDS = ("exam", "held_out")
_VERDICTS = {"right": True, "wrong": False}


@dataclass(frozen=True)
class Shown:
    """One question that both models were asked.

    Attributes:
        question, before, after: as asked; the original's and the new model's answer.
        was_right, is_right: what was found about each; None: no verdict.
    """

    question: str
    before: str
    after: str
    was_right: bool | None
    is_right: bool | None

    @property
    def is_worse(self) -> bool:
        """The original was right, and the new model is not."""
        return self.was_right is True and self.is_right is False


@dataclass(frozen=True)
class Proof:
    """What a report says of one lesson.

    Attributes:
        original, trained: names of the two models.
        questions: those of the exam first, then held-out practice questions.
        right_before, right_after, total: of the questions with verdicts.
        made: how many practice questions were written, kept; (0, 0) where nobody counted.
        at: seconds since 1970 when it was measured.
        is_of_this: False: the lesson was changed since it was trained.
    """

    original: str
    trained: str
    questions: tuple[Shown, ...]
    right_before: int
    right_after: int
    total: int
    made: tuple[int, int]
    at: float
    is_of_this: bool


def proof(run: Path, leaf: str, digest: str = "") -> Proof | None:
    """What RUN/report.json says of a leaf; None: there is no report, or nothing of this leaf in it.

    Args:
        leaf: its folder in the taxonomy, with slashes.
        digest: of its qna.yaml now (`repository.digest_of`), compared with the run's own copy; "" is not compared.

    Raises:
        RunError: the report is damaged.
    """
    file = run / _REPORT
    if not file.is_file():
        return None
    report = read_report(run)
    try:
        found = next((each for each in report["leaves"] if each["leaf"] == leaf), None)
        if found is None:
            return None
        rows = sorted(found["questions"], key=lambda row: _KINDS.index(row["kind"]))
        questions = tuple(_shown(row) for row in rows)
        funnel = report.get("funnel", {}).get("leaves", {}).get(leaf, {})
        made = int(funnel.get("written", 0)), int(funnel.get("kept", 0))
        original = Path(str(report.get("base", ""))).stem
        trained = Path(str(report.get("model", ""))).stem
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f'"{_REPORT}" in {run} is damaged.', "Check again.", repr(error)) from error
    decided = [each for each in questions if each.was_right is not None and each.is_right is not None]
    return Proof(
        original,
        trained,
        questions,
        sum(each.was_right is True for each in decided),
        sum(each.is_right is True for each in decided),
        len(decided),
        made,
        stamp(file)[1] / 1e9,
        not digest or digest == digest_of(run / "leaves" / leaf),
    )


def examples(found: Proof, most: int = 3) -> list[Shown]:
    """The questions that show it best: answered wrongly before and rightly now; then others. Never one that got worse
    hidden: where the lesson made one worse, the last of them is such a one."""
    worse = [each for each in found.questions if each.is_worse]
    others = sorted((each for each in found.questions if not each.is_worse), key=_tells_less)
    return [*others[: most - 1], worse[0]] if worse else others[:most]


def _shown(row: dict[str, Any]) -> Shown:
    question, context, before, after = (row[name] for name in ("question", "context", "before", "after"))
    if not all(isinstance(text, str) for text in (question, context, before, after)):
        raise TypeError(f"a question of other types: {row['id']}")
    return Shown(
        f"{context}\n\n{question}" if context else question,
        before,
        after,
        _VERDICTS.get(row["verdict_before"]),
        _VERDICTS.get(row["verdict_after"]),
    )


def _tells_less(shown: Shown) -> int:
    """Smaller for what shows more."""
    if shown.is_right:
        return 0 if shown.was_right is False else 1 if shown.was_right is None else 2
    return 3
