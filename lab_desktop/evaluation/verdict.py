"""Did it help, did it forget, and what to do now: the verdict in words.

Each question is its own control: it was asked before and after, so only questions whose verdict flipped say anything
(McNemar, 1947). By chance alone a flip is as likely better as worse, so the binomial distribution gives exactly how
likely such a lead is without any real change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb

from lab_desktop.artifacts import Funnel
from lab_desktop.evaluation.results import LeafResult, Outcome, QuestionResult, counts

CLEAR_P = 0.05
CLEAR_SHARE = 0.1
"""A clear gain is also worth having: net at least this share of the questions, or 5 of 500 would be called clear."""
FORGOT_P = 0.1
"""Looser than for a gain: a missed warning leaves somebody with a damaged model, a false one costs another look."""
FORGOT_SHARE, FORGOT_FLOOR = 0.05, 2
"""Losing one or two questions net happens with any change of weights; so does 5 % of a long list."""
_DROPPED = {
    "form": "the passage does not say what they answer",
    "round_trip": "the teacher answered otherwise when it was asked again",
    "duplicate": "they were too similar to others",
    "faithfulness": "the passage does not support the answer",
    "relevancy": "the answer does not fit the question",
    "question": "they cannot be understood by themselves",
    "pair": "the answer is wrong or incomplete",
}
"""Why a check drops a practice question, in the middle of a sentence."""
_FEW_ROWS = 50
_FEW_QUESTIONS = 10


def chance(more: int, fewer: int) -> float:
    """How likely at least `more` of `more + fewer` fair coin flips fall one way: the exact one-sided sign test."""
    flips = more + fewer
    ways = sum(comb(flips, count) for count in range(more, flips + 1))
    return ways / (1 << flips)


def verdict(
    leaves: Sequence[LeafResult], general: Sequence[QuestionResult], funnel: Mapping[str, Funnel] | None = None
) -> Outcome:
    """The name of what happened, in plain words with numbers, and advice with the likely causes."""
    topic = [result for leaf in leaves for result in leaf.questions]
    better, worse = _flips(topic)
    lost_net = _flips(general)[1] - _flips(general)[0]
    gained = better > worse and chance(better, worse) < CLEAR_P and better - worse >= CLEAR_SHARE * len(topic)
    forgot = _forgot(general)
    rows = sum((funnel or {}).values(), Funnel())
    text = f"{_compared(topic, 'the topic')} {_compared(general, 'general knowledge')}".strip()
    if forgot:
        text += f" It lost {lost_net} general questions more than it won: more than chance explains."
        return Outcome("it forgot", text, (*_against_forgetting(gained), *_advice(leaves, topic, rows)))
    if gained:
        return Outcome(
            "clear gain", f"{text} More than chance explains.", (*_for_sureness(topic), *_not_in_exam(topic))
        )
    if better > worse:
        return Outcome("small gain", f"{text} That may still be chance.", tuple(_advice(leaves, topic, rows)))
    return Outcome("no gain", text, tuple(_advice(leaves, topic, rows)))


def _forgot(general: Sequence[QuestionResult]) -> bool:
    won, lost = _flips(general)
    return lost - won > max(FORGOT_FLOOR, FORGOT_SHARE * len(general)) and chance(lost, won) < FORGOT_P


def _flips(results: Sequence[QuestionResult]) -> tuple[int, int]:
    return sum(result.is_better for result in results), sum(result.is_worse for result in results)


def _compared(results: Sequence[QuestionResult], about: str) -> str:
    """ "Of 40 questions on the topic: 12 better, 25 same, 3 worse (5 → 14 right)." """
    if not results:
        return f"No questions on {about} were asked."
    decided = [result for result in results if result.is_decided]
    better, worse = _flips(decided)
    undecided = len(results) - len(decided)
    without = f", {undecided} without a verdict" if undecided else ""
    return (
        f"Of {len(results)} questions on {about}: {better} better, {len(decided) - better - worse} same, {worse} worse"
        f"{without} ({counts(results, 'before').right} → {counts(results, 'now').right} right)."
    )


def _against_forgetting(gained: bool) -> list[str]:
    learned = "It learned the topic, but paid for it. " if gained else ""
    return [
        f"{learned}Train again for fewer rounds (Quick), or choose a larger model, which has more room.",
        "The original model is unchanged; the lost questions are listed in the report.",
    ]


def _advice(leaves: Sequence[LeafResult], topic: Sequence[QuestionResult], rows: Funnel) -> list[str]:
    """Likely causes of a small or missing gain, the surest first."""
    advice = _for_sureness(topic)
    if not topic:
        return advice
    before, now = counts(topic, "before"), counts(topic, "now")
    if before.right >= 0.7 * before.total:
        advice.append(
            f"The model already knew most of it ({before.right} of {before.total} right before). "
            "Ask and teach what it gets wrong."
        )
    if rows.written and rows.kept < rows.written / 4:
        why = _DROPPED.get(next(iter(rows.dropped), ""), "")
        advice.append(
            f"The teacher's work was mostly dropped: {rows.kept} of {rows.written} practice questions were kept"
            + (f", the others dropped mostly because {why}. " if why else ". ")
            + "Choose a larger teacher, or make the examples clearer."
        )
    if rows.written and rows.kept < _FEW_ROWS * max(1, len(leaves)):
        advice.append(
            f"There were {rows.kept} practice questions, which is few. "
            "Let the teacher write more, or add examples with other questions and wordings."
        )
    advice += _not_in_exam(topic)
    if now.right < now.total / 2 and not advice:
        advice.append(
            "The practice questions were learned too little. "
            "Train for more rounds, let the teacher write more wordings of each fact, or choose a larger model."
        )
    return advice


def _not_in_exam(topic: Sequence[QuestionResult]) -> list[str]:
    exam = [result for result in topic if result.kind == "exam"]
    held_out = [result for result in topic if result.kind == "held_out"]
    if not exam or not _net(held_out) > 0 >= _net(exam):
        return []
    return [
        "It learned the practice questions, but not what your own questions ask. "
        f"Add examples, or text in the lesson, about: {_some(exam)}"
    ]


def _for_sureness(topic: Sequence[QuestionResult]) -> list[str]:
    undecided = sum(not result.is_decided for result in topic)
    advice = []
    if len(topic) < _FEW_QUESTIONS:
        few = {0: "Without questions nothing can be said", 1: "One question is too few to be sure"}
        advice.append(
            few.get(len(topic), f"{len(topic)} questions on the topic are too few to be sure")
            + f". Put at least {_FEW_QUESTIONS * 2} aside, which are never practised."
        )
    if undecided > len(topic) / 4:
        advice.append(
            f"{undecided} of {len(topic)} questions got no verdict. "
            "Say which answers count as right, or choose a larger teacher as judge."
        )
    return advice


def _net(results: Sequence[QuestionResult]) -> int:
    better, worse = _flips(results)
    return better - worse


def _some(exam: Sequence[QuestionResult]) -> str:
    missed = [result.asked.question for result in exam if result.judged_after.verdict == "wrong"]
    more = f" … and {len(missed) - 3} more" if len(missed) > 3 else ""
    return " · ".join(missed[:3]) + more
