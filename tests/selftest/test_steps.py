"""selftest/steps.py: what a self-test says is put together, whatever comes."""

from __future__ import annotations

import pytest

from lab_desktop.commands.selftest import WIDE
from lab_desktop.selftest.steps import SILENCE_S, STEPS, Course, Outcome


def told(*outcomes: Outcome) -> Course:
    course = Course()
    for outcome in outcomes:
        course.hear({"event": "began", "step": outcome.step})
        course.hear({"event": "ended", **outcome.to_json()})
    return course


def test_it_has_passed_when_every_step_went_well_and_the_last_line_came() -> None:
    course = told(*(Outcome(step.name, "ok", 1.5, "seen") for step in STEPS))
    assert not course.has_passed

    course.hear({"event": "closed", "memory_bytes": 1_000_000})

    assert (course.has_passed, course.memory_bytes) == (True, 1_000_000)
    assert "nothing of yours was touched" in course.verdict


def test_one_that_left_a_step_out_has_not_passed() -> None:
    course = told(*(Outcome(step.name, "left out" if step.name == "train" else "ok") for step in STEPS))

    course.hear({"event": "closed", "memory_bytes": 1})

    assert not course.has_passed


def test_a_program_that_dies_fails_in_the_step_in_hand_and_the_rest_is_left_out() -> None:
    course = told(Outcome(STEPS[0].name, "ok"))
    course.hear({"event": "began", "step": "chat"})

    course.broken("Segmentation fault")

    assert [(each.step, each.state) for each in course.outcomes[:3]] == [
        (STEPS[0].name, "ok"), ("chat", "failed"), ("practice", "left out"),
    ]  # fmt: skip
    assert course.outcomes[1].details == "Segmentation fault"
    assert [each.step for each in course.outcomes] == [step.name for step in STEPS]
    assert course.verdict == f"1 of {len(STEPS)} steps failed."


@pytest.mark.parametrize(
    "said",
    [
        {}, {"event": "ended"}, {"event": "ended", "step": "chat", "state": "wonderful", "seconds": 1},
        {"event": "ended", "step": "chat", "state": "ok", "seconds": "soon"}, {"event": "closed", "memory_bytes": None},
        {"event": ["began"], "step": "chat"},
    ],
)  # fmt: skip
def test_lines_of_others_are_left_out(said: dict[str, object]) -> None:
    course = Course()

    assert course.hear(said) is None

    assert (course.outcomes, course.is_closed) == ([], False)


def test_limits_and_the_table_fit_the_steps() -> None:
    assert max(step.limit_s for step in STEPS) < SILENCE_S
    assert max(len(step.title) for step in STEPS) < WIDE
    names = [step.name for step in STEPS]
    assert all(step.needs in names[: names.index(step.name)] for step in STEPS if step.needs)
