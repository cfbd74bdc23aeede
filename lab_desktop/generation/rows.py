"""Rows on their way through the stages, and asking the teacher about many of them at once.

A row is a Sample that is undecided (no stage yet) until a stage drops it; rows that no stage dropped are accepted at
the end. Dropped rows stay in the list with the stage, its score and the reason, because people review them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from lab_desktop.artifacts import LeafKind, Sample
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel

T = TypeVar("T")


def is_open(row: Sample) -> bool:
    """True while no stage has decided the row."""
    return not row.stage


def drop(row: Sample, stage: str, reason: str, score: float | None = None) -> Sample:
    """The row as dropped by a stage."""
    return replace(row, stage=stage, reason=reason, score=None if score is None else round(score, 3))


def accept(row: Sample) -> Sample:
    """The row as accepted, if no stage dropped it."""
    return replace(row, accepted=True, stage="accepted") if is_open(row) else row


def asked_text(kind: LeafKind, context: str, question: str) -> str:
    """What the student is asked: for a grounded skill the material, a blank line, the question (as in InstructLab).

    Knowledge is asked without its passage: the student must know it, not find it.
    """
    if kind is LeafKind.GROUNDED_SKILL and context.strip():
        return f"{context.strip()}\n\n{question.strip()}"
    return question.strip()


def ask_each(
    items: Sequence[T], request: Callable[[T], Request], teacher: TextModel, run: Run, doing: str
) -> list[tuple[T, Reply]]:
    """Ask for every item at once; (item, reply) in the order of the items. `doing` names it in progress lines."""
    replies: dict[int, Reply] = {}
    run.detail(f"{doing} 0 of {len(items)}")
    for index, reply in teacher.complete([request(item) for item in items], is_cancelled=lambda: run.is_cancelled):
        replies[index] = reply
        run.detail(f"{doing} {len(replies)} of {len(items)}")
    return [(item, replies[index]) for index, item in enumerate(items)]


def decide_each(
    rows: list[Sample],
    request: Callable[[Sample], Request],
    decide: Callable[[Sample, Reply], Sample],
    teacher: TextModel,
    run: Run,
    doing: str,
) -> list[Sample]:
    """Ask about every open row at once and decide it by the reply; the others stay as they are."""
    waiting = [row for row in rows if is_open(row)]
    decisions = {row.id: decide(row, reply) for row, reply in ask_each(waiting, request, teacher, run, doing)}
    return [decisions.get(row.id, row) for row in rows]
