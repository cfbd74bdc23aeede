"""What a smaller file costs: the same questions asked of the file itself, and how fast it answers one person."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab_desktop.artifacts import ChatMessage, Dataset, Leaf
from lab_desktop.errors import EvaluationError
from lab_desktop.evaluation.judge import judge
from lab_desktop.evaluation.measured import Measure, note
from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.report import ask, topic_questions
from lab_desktop.evaluation.results import Verdict
from lab_desktop.files import stamp
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel

_MOST_QUESTIONS = 60
_SPEED_TOKENS = 48
_SPEED_PROMPT = "Tell me in a few sentences what a library is for."


def measure(model: TextModel, path: Path, kind: str, leaves: Sequence[Leaf], dataset: Dataset, run: Run) -> Measure:
    """Ask the file at `path`, loaded as `model`, what the report asked too; note it under `kind`.

    Answers are noted as they come, so a measurement that was killed asks only the rest.

    Raises:
        EvaluationError: an exam cannot be used, or there is nothing to ask.
        Cancelled, ModelError, StorageError: from the model and the disk; answers so far are safe.
    """
    questions = topic_questions(leaves, dataset)[:_MOST_QUESTIONS]
    if not questions:
        raise EvaluationError("There is no question to ask.", 'Write an "exam.yaml" beside qna.yaml.')
    seen = stamp(path)
    replies = ask(model, questions, run, f"size {kind}", "-".join(map(str, seen)), f"Trying the size {kind}")
    found = Measure(_right(questions, replies, lambda: run.is_cancelled), len(questions), _speed(model), seen)
    note(path.parent, kind, found)
    return found


def _right(questions: Sequence[Question], replies: Sequence[str], is_cancelled: Callable[[], bool]) -> int:
    return sum(each.verdict is Verdict.RIGHT for each in judge(questions, replies, None, is_cancelled))


def _speed(model: TextModel) -> float:
    """Tokens a second of one answer."""
    start = time.perf_counter()
    [(_, reply)] = model.complete([Request((ChatMessage("user", _SPEED_PROMPT),), max_tokens=_SPEED_TOKENS)])
    return reply.tokens / max(time.perf_counter() - start, 1e-3)
