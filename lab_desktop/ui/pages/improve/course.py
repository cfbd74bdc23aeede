"""How long a training is and how far it is, from its run folder: RUN/phases.json, written when it begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.errors import LabError
from lab_desktop.files import read_json


@dataclass(frozen=True)
class Course:
    """The rounds of a training, counted over all its phases.

    Attributes:
        ends: the step at which each round ends; the last one is the training's end.
        last_phase: the step after which save points compete: earlier phases have not seen every lesson.
    """

    ends: tuple[int, ...]
    last_phase: int = 0

    @property
    def total(self) -> int:
        return self.ends[-1]

    @property
    def rounds(self) -> int:
        return len(self.ends)

    def round_at(self, step: int) -> int:
        """The round in which the step after `step` is taken, from 1."""
        return min(self.rounds, 1 + sum(end <= step for end in self.ends))


@dataclass(frozen=True)
class SavePoint:
    """How the student did on the questions kept aside after a step."""

    step: int
    accuracy: float
    loss: float = math.inf


def read_course(run: Path) -> Course | None:
    """The course of a run's training; None before its first start, and where the file is not ours."""
    try:
        ends: list[int] = []
        first = 0
        for phase in read_json(run / "phases.json", "phases")["phases"]:
            first, steps, epoch = int(phase["first_step"]), int(phase["steps"]), int(phase["epoch_steps"])
            ends += [first + min(steps, epoch * number) for number in range(1, math.ceil(steps / epoch) + 1)]
        return Course(tuple(ends), first) if ends else None
    except (LabError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def kept_step(run: Path) -> int:
    """The save point that a finished training kept; 0 while it is not finished."""
    try:
        return int(read_json(run / "adapter" / "adapter.json", "best_step")["best_step"])
    except (LabError, TypeError, ValueError):
        return 0


def saved_step(run: Path) -> int:
    """The newest step of a training that is saved; 0: none is."""
    names = (path.stem.removeprefix("step-") for path in (run / "checkpoint").glob("step-*.safetensors"))
    return max((int(name) for name in names if name.isdecimal()), default=0)


def best(points: Sequence[SavePoint], course: Course | None) -> SavePoint | None:
    """The save point that training would keep now: of its last phase, most right, then fewest mistakes."""
    competing = [point for point in points if course is not None and point.step > course.last_phase]
    return max(competing, key=lambda point: (point.accuracy, -point.loss), default=None)
