from __future__ import annotations

import pytest

from lab_desktop.artifacts import Funnel
from lab_desktop.evaluation.questions import Question, QuestionKind
from lab_desktop.evaluation.results import Judgement, LeafResult, Outcome, QuestionResult, Verdict
from lab_desktop.evaluation.verdict import chance, verdict

ENOUGH = {"leaf": Funnel(200, 180, 150, {"faithfulness": 30})}
SIDES = {"+": (Verdict.WRONG, Verdict.RIGHT), "-": (Verdict.RIGHT, Verdict.WRONG), "=": (Verdict.WRONG, Verdict.WRONG)}
SIDES |= {"R": (Verdict.RIGHT, Verdict.RIGHT), "?": (Verdict.NONE, Verdict.RIGHT)}


def results(signs: str, kind: QuestionKind) -> tuple[QuestionResult, ...]:
    """One question for each sign: better, worse, both wrong, both right, no verdict before."""
    return tuple(
        QuestionResult(
            Question(f"{kind}{n}", "leaf", f"{kind} question {n}?", "A", kind),
            "b",
            "a",
            *(Judgement(side, "rule", None, "") for side in SIDES[sign]),
        )
        for n, sign in enumerate(signs)
    )


def outcome(exam: str, held_out: str = "", general: str = "R" * 40, funnel: dict[str, Funnel] | None = None) -> Outcome:
    leaf = LeafResult("leaf", "knowledge", results(exam, "exam") + results(held_out, "held_out"))
    return verdict([leaf], results(general, "general"), ENOUGH if funnel is None else funnel)


@pytest.mark.parametrize(
    ("more", "fewer", "expected"), [(0, 0, 1.0), (5, 0, 1 / 32), (4, 1, 6 / 32), (1, 1, 0.75), (2000, 0, 0.0)]
)
def test_chance_is_the_exact_sign_test(more, fewer, expected):
    assert chance(more, fewer) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("exam", "general", "name"),
    [
        ("+" * 8, "R" * 40, "clear gain"),
        ("+" * 5 + "=" * 15, "R" * 40, "clear gain"),
        ("+" * 4 + "=" * 16, "R" * 40, "small gain"),
        ("+" * 5 + "=" * 495, "R" * 40, "small gain"),  # surely more than chance, and hardly worth having
        ("+" * 12 + "=" * 25 + "---", "R" * 40, "clear gain"),
        ("+" * 5 + "-" * 4 + "=" * 11, "R" * 40, "small gain"),
        ("=" * 20, "R" * 40, "no gain"),
        ("+-" * 5, "R" * 40, "no gain"),
        ("-" * 9, "R" * 40, "no gain"),
        ("?" * 20, "R" * 40, "no gain"),
        ("", "R" * 40, "no gain"),
        ("+" * 20, "-" * 2 + "R" * 38, "clear gain"),
        ("+" * 20, "-" * 3 + "R" * 37, "clear gain"),
        ("+" * 20, "-" * 4 + "R" * 36, "it forgot"),
        ("+" * 20, "-" * 8 + "+" * 2 + "R" * 30, "it forgot"),
        ("+" * 20, "-" * 8 + "+" * 6 + "R" * 26, "clear gain"),
        ("=" * 20, "-" * 10 + "R" * 30, "it forgot"),
        ("+" * 20, "-" * 5 + "R" * 95, "clear gain"),  # 5 % of a long list
        ("+" * 20, "?" * 40, "clear gain"),
        ("+" * 20, "", "clear gain"),
    ],
)
def test_the_verdict_follows_from_flips(exam, general, name):
    assert outcome(exam, general=general).name == name


def test_the_text_says_plainly_how_many_were_better_the_same_and_worse():
    text = outcome("+" * 12 + "=" * 20 + "R" * 5 + "---" + "??").text

    assert "Of 42 questions on the topic: 12 better, 25 same, 3 worse, 2 without a verdict" in text


def test_forgetting_is_said_together_with_what_was_learned():
    found = outcome("+" * 20, general="-" * 10 + "R" * 30)

    assert "20 better" in found.text and "lost 10 general questions" in found.text
    assert "It learned the topic" in found.advice[0] and "fewer rounds" in found.advice[0]


@pytest.mark.parametrize(
    ("exam", "held_out", "funnel", "says"),
    [
        ("", "", ENOUGH, "Without questions nothing can be said"),
        ("=" * 4, "", ENOUGH, "too few to be sure"),
        ("R" * 18 + "=" * 2, "", ENOUGH, "already knew"),
        ("=" * 20, "", {"leaf": Funnel(60, 50, 20, {"relevancy": 30})}, "20 practice questions, which is few"),
        (
            "=" * 20,
            "",
            {"leaf": Funnel(600, 500, 100, {"relevancy": 400})},
            "does not fit the question. Choose a larger teacher",
        ),
        ("=" * 10, "+" * 10, ENOUGH, "not what your own questions ask.*exam question 0"),
        ("=" * 20, "", ENOUGH, "learned too little"),
        ("?" * 20, "", ENOUGH, "20 of 20 questions got no verdict"),
    ],
)
def test_advice_names_the_likely_cause(exam, held_out, funnel, says):
    import re

    assert re.search(says, " ".join(outcome(exam, held_out, funnel=funnel).advice))


def test_a_clear_gain_needs_no_advice():
    assert outcome("+" * 20).advice == ()
