"""What a job says while it runs: small values, one JSON line each.

A job says any number of Progress, Metric, Notice and Row, then exactly one of Finished, Stopped, Failed. The same lines
go to `events.jsonl` in the run folder, so that a window opened later can redraw.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """`done` of `total` units of the step named by `text` ("Writing practice questions").

    `detail` says what happens inside the unit in hand, so that a long one is no silence ("checking, 12 of 40").
    """

    text: str
    done: int
    total: int
    detail: str = ""


@dataclass(frozen=True)
class Metric:
    """A measured value at a step, for a curve: loss, tokens per second, bytes."""

    name: str
    value: float
    step: int


@dataclass(frozen=True)
class Notice:
    """A sentence worth keeping: what was found, chosen or left out."""

    text: str


@dataclass(frozen=True)
class Row:
    """A row of a table that fills before the reader's eyes; `table` is "samples", "answers" …"""

    table: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """The job is done; `result` is what its caller asked for, as JSON."""

    result: dict[str, Any]


@dataclass(frozen=True)
class Stopped:
    """The person asked to stop (Cancelled). Everything finished is on disk; `text` says how to go on."""

    text: str


@dataclass(frozen=True)
class Failed:
    """The job could not go on: what happened, what to do, and details for a bug report."""

    text: str
    hint: str
    details: str


Event = Progress | Metric | Notice | Row | Finished | Stopped | Failed
_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Progress, Metric, Notice, Row, Finished, Stopped, Failed)
}


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object: its kind in lower case under "event", and its fields."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def from_json(line: dict[str, Any]) -> Event:
    """The event of a JSON object made by `to_json`.

    Raises:
        KeyError, TypeError: the object is none of ours.
    """
    fields = dict(line)
    kind = _KINDS[fields.pop("event")]
    fields.pop("time", None)
    event: Event = kind(**fields)
    if isinstance(event, Metric) and not isinstance(event.value, int | float):
        raise TypeError(f"a measure that is no number: {event.value!r}")
    return event


class Pace:
    """How fast a count grows and when it will be done, from what was seen in the last minute.

    A resumed job starts at `done` > 0, so speed is measured from the first count seen, not from zero.
    """

    def __init__(self, window_s: float = 60.0) -> None:
        self._window_s = window_s
        self._seen: list[tuple[float, int]] = []

    def update(self, done: int, now: float | None = None) -> None:
        """Note that `done` units are finished at `now` (seconds, monotonic clock)."""
        now = time.monotonic() if now is None else now
        self._seen.append((now, done))
        # One older point stays, so that a slow job still has two to compare.
        while len(self._seen) > 2 and now - self._seen[1][0] > self._window_s:
            self._seen.pop(0)

    @property
    def per_second(self) -> float | None:
        """Units per second, or None while nothing has been measured."""
        if len(self._seen) < 2:
            return None
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end > start and last > first else None

    def seconds_left(self, total: int) -> float | None:
        """Seconds until `total`, or None while unknown."""
        rate = self.per_second
        return None if rate is None else (total - self._seen[-1][1]) / rate
