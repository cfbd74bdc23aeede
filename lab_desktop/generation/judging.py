"""The teacher judges rows, as far as it can: a judge is examined on rows whose truth is known before it may drop any.

Stages and scales: LAB (arXiv:2403.01081, section 3.2) and InstructLab's `full` pipelines. We differ in two points: a
judgement is the teacher's probability of each mark instead of one sampled word, because a small teacher's doubt says
more than its word; and a teacher that cannot tell the person's own answers from swapped ones decides nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab_desktop.artifacts import ChatMessage, Leaf, Pair, Sample, SeedExample
from lab_desktop.generation.prompts import JudgingPrompt, Prompts
from lab_desktop.generation.rows import ask_each, drop, is_open
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import agree

TRUSTED_FROM = 0.75
"""Balanced accuracy from which a judge may drop rows; guessing gives 0.5, and a threshold fitted to 12 + 12 rows of a
guesser stays below 0.75 in nine of ten cases."""

_REASONS = {
    "faithfulness": "The passage does not support the answer.",
    "relevancy": "The answer does not fit the question.",
    "question": "The question cannot be understood by itself.",
    "pair": "The answer is wrong or incomplete.",
}


@dataclass(frozen=True)
class Judge:
    """A judging stage, and whether this teacher may decide it for this leaf.

    Attributes:
        prompt: what is asked.
        demonstrations: turns shown before every judgement: a good row with the best mark, a bad one with the worst.
        threshold: rows with an expected score below are dropped.
        accuracy: balanced accuracy on rows known to be good or bad (the leaf's seed examples, right and swapped).
        is_trusted: False when the teacher cannot tell good from bad; its score is noted then, and decides nothing.
    """

    prompt: JudgingPrompt
    demonstrations: tuple[ChatMessage, ...]
    threshold: float
    accuracy: float
    is_trusted: bool


def examine_judges(leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, Judge]:
    """Find out which stages this teacher can judge, on rows whose truth is known.

    Good rows are the person's own seed pairs; bad rows are the same questions with another pair's answer, or the
    prompt file's `bad` questions. What was shown as a demonstration is not asked.
    """
    judges = {}
    for prompt in prompts.judging.values():
        good, bad = known_rows(leaf, prompt)
        turns = demonstrations(prompt, leaf, good[0], bad[0])
        judge = Judge(prompt, turns, prompt.threshold, 0.0, False)
        known = [*good[1:], *bad[1:]]
        truths = [True] * (len(good) - 1) + [False] * (len(bad) - 1)
        scored = [
            (score, truth)
            for score, truth in zip(_scores(known, judge, leaf, teacher, run), truths, strict=True)
            if score is not None
        ]
        threshold, accuracy = _best_threshold(scored, prompt.threshold)
        judges[prompt.name] = replace(
            judge, threshold=threshold, accuracy=accuracy, is_trusted=accuracy >= TRUSTED_FROM
        )
    return judges


def judge_rows(rows: list[Sample], judge: Judge, leaf: Leaf, teacher: TextModel, run: Run) -> list[Sample]:
    """Let the teacher judge each open row; a trusted judge drops those below its threshold.

    Adds:   scores[stage], the expected mark
    Drops:  rows below the threshold, if the judge is trusted; a row that could not be judged stays
    Cost:   one teacher call per row, one model step each beyond reading
    Source: LAB (arXiv:2403.01081, section 3.2); the expected mark under the teacher's distribution instead of a
            sampled one, because a small teacher's doubt is worth more than its word.
    """
    waiting = [index for index, row in enumerate(rows) if is_open(row)]
    decided = list(rows)
    for index, score in zip(waiting, _scores([rows[i] for i in waiting], judge, leaf, teacher, run), strict=True):
        if score is None:
            continue
        row = replace(rows[index], scores={**rows[index].scores, judge.prompt.name: round(score, 3)})
        if judge.is_trusted and score < judge.threshold:
            row = drop(row, judge.prompt.name, _REASONS.get(judge.prompt.name, "The teacher rejected it."), score)
        decided[index] = row
    return decided


def demonstrations(prompt: JudgingPrompt, leaf: Leaf, good: Sample, bad: Sample) -> tuple[ChatMessage, ...]:
    """Turns that show how rows are marked: a good one with the best mark, a bad one with the worst."""
    turns: list[ChatMessage] = []
    for row, mark in ((good, prompt.best), (bad, prompt.worst)):
        turns += [ChatMessage("user", judging_text(prompt, leaf, row)), ChatMessage("assistant", mark)]
    return tuple(turns)


def judging_text(prompt: JudgingPrompt, leaf: Leaf, row: Sample) -> str:
    """What the teacher is asked about a row."""
    return prompt.user.format(
        passage=row.context,
        context=row.context,
        question=row.question,
        answer=row.answer,
        task_description=leaf.task_description,
    ).strip()


def _scores(rows: Sequence[Sample], judge: Judge, leaf: Leaf, teacher: TextModel, run: Run) -> list[float | None]:
    """The expected mark of each row; None where the teacher could not be asked or gave no probabilities."""
    marks = tuple(judge.prompt.scale)

    def request(row: Sample) -> Request:
        asked = ChatMessage("user", judging_text(judge.prompt, leaf, row))
        return Request((*judge.demonstrations, asked), choices=marks)

    def score(reply: Reply) -> float | None:
        if len(reply.probabilities) != len(marks):
            return None
        return sum(share * judge.prompt.scale[mark] for share, mark in zip(reply.probabilities, marks, strict=True))

    return [score(reply) for _, reply in ask_each(list(rows), request, teacher, run, f"judging ({judge.prompt.name})")]


def known_rows(leaf: Leaf, prompt: JudgingPrompt) -> tuple[list[Sample], list[Sample]]:
    """Rows that are surely good and surely bad for a stage, from what a person wrote."""
    pairs = [(example, pair) for example in leaf.seed_examples for pair in example.pairs]
    good = [_known(leaf, example, pair, number) for number, (example, pair) in enumerate(pairs)]
    if prompt.bad:
        return good, [replace(row, question=text) for row, text in zip(_repeated(good), prompt.bad, strict=False)]
    bad = []
    for number, (example, pair) in enumerate(pairs):
        # The nearest later pair that answers differently: for knowledge mostly from the same passage, the hardest swap.
        others = [other for _, other in (*pairs[number + 1 :], *pairs[:number]) if not agree(other.answer, pair.answer)]
        if others:
            bad.append(_known(leaf, example, Pair(pair.question, others[0].answer), number))
    return good, bad or good[:1]


def _repeated(rows: list[Sample]) -> list[Sample]:
    return rows * (1 + 64 // len(rows))


def _known(leaf: Leaf, example: SeedExample, pair: Pair, number: int) -> Sample:
    return Sample(f"known#{number}", leaf.name, leaf.kind.value, pair.question, pair.answer, example.context or "")


def _best_threshold(scored: Sequence[tuple[float, bool]], default: float) -> tuple[float, float]:
    """The threshold that tells good from bad best, and its balanced accuracy; the default one when it does well."""
    good = [score for score, truth in scored if truth]
    bad = [score for score, truth in scored if not truth]
    if not good or not bad:
        return default, 0.0

    def accuracy(threshold: float) -> float:
        kept = sum(score >= threshold for score in good) / len(good)
        dropped = sum(score < threshold for score in bad) / len(bad)
        return (kept + dropped) / 2

    if accuracy(default) >= 0.9:
        return default, accuracy(default)
    values = sorted({score for score, _ in scored})
    between = [(low + high) / 2 for low, high in itertools.pairwise(values)]
    best = max([default, *between], key=lambda threshold: (accuracy(threshold), -abs(threshold - default)))
    return best, accuracy(best)
