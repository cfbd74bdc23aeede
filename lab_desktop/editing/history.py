"""Undo and redo over the whole editor, without limit: the lesson after every step.

Lessons are immutable and share what did not change, so a step costs what it changed. Typing in one field is one step
until the person pauses or goes to another field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab_desktop.editing.lesson import Field, Lesson

PAUSE_S = 2.0
"""Who types nothing for so long begins a new step."""


@dataclass(frozen=True)
class Step:
    """What somebody did.

    Attributes:
        lesson: after it.
        words: what it was, to follow "Undo": "typing", "accept question".
        field: where, so that undo can show it.
        is_typing: the next letters in the same field belong to it.
        at: seconds on the caller's clock, of its last letter.
    """

    lesson: Lesson
    words: str = ""
    field: Field | None = None
    is_typing: bool = False
    at: float = 0.0


class History:
    """Steps done and steps undone.

    Attributes:
        steps: the oldest first; the first is how the lesson was at the beginning.
        place: of the step in force.
    """

    def __init__(self, steps: Sequence[Step], place: int | None = None) -> None:
        self.steps = list(steps)
        self.place = len(self.steps) - 1 if place is None else place
        self._is_open = False

    @property
    def lesson(self) -> Lesson:
        """As it is now."""
        return self.steps[self.place].lesson

    def add(self, step: Step) -> None:
        """Do a step; what was undone before is gone. A step that changes nothing is none."""
        last = self.steps[self.place]
        if step.lesson == last.lesson:
            return
        goes_on = (
            self._is_open
            and step.is_typing
            and last.is_typing
            and step.field == last.field
            and step.at - last.at < PAUSE_S
        )
        del self.steps[self.place + (0 if goes_on else 1) :]
        self.steps.append(step)
        self.place = len(self.steps) - 1
        self._is_open = True

    def pause(self) -> None:
        """End the step in hand: what is typed next is a step of its own."""
        self._is_open = False

    @property
    def undoes(self) -> Step | None:
        """The step that `undo` would take back; None: there is none."""
        return self.steps[self.place] if self.place > 0 else None

    @property
    def redoes(self) -> Step | None:
        """The step that `redo` would do again; None: there is none."""
        return self.steps[self.place + 1] if self.place + 1 < len(self.steps) else None

    def undo(self) -> Step | None:
        """Take a step back, and say which."""
        taken = self.undoes
        if taken is not None:
            self.place -= 1
            self.pause()
        return taken

    def redo(self) -> Step | None:
        """Do a step again, and say which."""
        done = self.redoes
        if done is not None:
            self.place += 1
            self.pause()
        return done
