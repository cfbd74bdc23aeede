"""What a person decided about practice questions: RUN/reviews.jsonl, the newest line about a row counts.

The window writes it while the teacher still works; the dataset is dealt from what is decided when training begins. A
person's word is above every check: a kept row is learned though a check dropped it, a dropped one is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lab_desktop.artifacts import Sample
from lab_desktop.errors import RunError
from lab_desktop.files import JsonLines

FILE_NAME = "reviews.jsonl"
_VERDICTS = ("keep", "drop", "undone")


@dataclass(frozen=True)
class Review:
    """A decision about one row.

    Attributes:
        sample: the row's id.
        verdict: "undone" takes an earlier decision back.
        question, answer: as the person mended them; "" where they stay.
    """

    sample: str
    verdict: Literal["keep", "drop", "undone"]
    question: str = ""
    answer: str = ""

    def to_json(self) -> dict[str, str]:
        return {"sample": self.sample, "verdict": self.verdict, "question": self.question, "answer": self.answer}


def read_reviews(folder: Path) -> dict[str, Review]:
    """The decisions in force, by row.

    Raises:
        RunError: the file is damaged.
    """
    reviews: dict[str, Review] = {}
    for line in JsonLines(folder / FILE_NAME).rows():
        try:
            review = Review(line["sample"], line["verdict"], line.get("question", ""), line.get("answer", ""))
            if review.verdict not in _VERDICTS or not all(isinstance(text, str) for text in vars(review).values()):
                raise TypeError(line)
        except (TypeError, KeyError, AttributeError) as error:
            raise RunError(
                f'"{FILE_NAME}" in {folder} is damaged.', "Delete it to review the questions anew.", repr(error)
            ) from error
        reviews[review.sample] = review
    return {name: review for name, review in reviews.items() if review.verdict != "undone"}


def reviewed(samples: Iterable[Sample], reviews: Mapping[str, Review]) -> list[Sample]:
    """The rows as the person decided about them."""
    return [_reviewed(sample, reviews.get(sample.id)) for sample in samples]


def is_learned(review: Review | None, question: str, answer: str, accepted: bool) -> bool:
    """Whether a row is learned: `accepted` is what the checks said about it, the review what the person decided."""
    if review is None:
        return accepted
    if review.verdict == "drop":
        return False
    # A check may have dropped it before it had an answer: then there is nothing to learn.
    return accepted or bool((review.question or question).strip() and (review.answer or answer).strip())


def _reviewed(sample: Sample, review: Review | None) -> Sample:
    if review is None:
        return sample
    mended = replace(sample, question=review.question or sample.question, answer=review.answer or sample.answer)
    if review.verdict == "drop":
        return replace(mended, accepted=False, stage="person", reason="You dropped it.")
    if not mended.question.strip() or not mended.answer.strip():
        return sample
    return replace(
        mended, accepted=is_learned(review, sample.question, sample.answer, sample.accepted), stage="person", reason=""
    )
