"""Events travel as JSON lines; pace is measured from what was seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab_desktop.jobs.events import (
    Event,
    Failed,
    Finished,
    Metric,
    Notice,
    Pace,
    Progress,
    Row,
    Stopped,
    from_json,
    to_json,
)

PACES: dict[str, list[int]] = json.loads(
    (Path(__file__).parents[1] / "data" / "paces.json").read_text(encoding="utf-8")
)
"""Seconds after the first step of trainings as they were measured, for each step."""

EVERY_KIND: list[Event] = [
    Progress("Writing practice questions", 3, 40),
    Metric("loss", 1.25, 7),
    Notice("Nothing was left out."),
    Row("samples", {"question": "Où?", "score": 2.0, "kept": True}),
    Finished({"report": "report.json"}),
    Stopped("Stopped."),
    Failed("The disk is full.", "Free some space.", ""),
]


@pytest.mark.parametrize("event", EVERY_KIND, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_its_line_as_it_was(event: Event) -> None:
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


@pytest.mark.parametrize("line", [{}, {"event": "party"}, {"event": "notice"}, {"event": "notice", "text": "", "x": 1}])
def test_a_line_that_is_none_of_ours_is_refused(line: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        from_json(line)


def test_the_time_that_the_journal_adds_is_left_out() -> None:
    assert from_json({"time": "2026-01-01T00:00:00Z", **to_json(Notice("Hello."))}) == Notice("Hello.")


def test_pace_is_unknown_until_two_counts_were_seen() -> None:
    pace = Pace()
    assert (pace.per_second, pace.seconds_left(10)) == (None, None)
    pace.update(0, now=5.0)
    assert (pace.per_second, pace.seconds_left(10)) == (None, None)
    pace.update(0, now=6.0)
    assert pace.per_second is None


@pytest.mark.parametrize("name", PACES)
def test_after_a_tenth_the_finish_is_told_within_a_quarter(name: str) -> None:
    at = PACES[name]
    tenth = len(at) // 10
    pace = Pace()
    for step, seconds in enumerate(at[:tenth], start=1):
        pace.update(step, float(seconds))

    left = pace.seconds_left(len(at))

    assert left is not None
    assert left == pytest.approx(at[-1] - at[tenth - 1], rel=0.25)


def test_pace_of_a_resumed_job_counts_from_where_it_began() -> None:
    pace = Pace()
    pace.update(900, now=0.0)
    pace.update(910, now=5.0)

    assert pace.per_second == pytest.approx(2.0)
    assert pace.seconds_left(1000) == pytest.approx(45.0)


def test_pace_forgets_what_is_older_than_its_window() -> None:
    pace = Pace(window_s=10)
    for second in range(100):
        pace.update(second, now=float(second))
    for second in range(1, 31):
        pace.update(99 + 4 * second, now=99.0 + second)

    assert pace.per_second == pytest.approx(4.0)


def test_a_slow_job_still_has_a_pace() -> None:
    pace = Pace(window_s=60)
    pace.update(0, now=0.0)
    pace.update(1, now=600.0)

    assert pace.seconds_left(3) == pytest.approx(1200.0)
