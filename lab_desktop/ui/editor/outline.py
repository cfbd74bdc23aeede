"""The parts of a lesson as its checklist shows them: what is there, what is wanted, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence

from lab_desktop.artifacts import title_of
from lab_desktop.editing.checklist import FEWEST_EXAMPLES, FEWEST_PAIRS, Key, Line
from lab_desktop.editing.lesson import Lesson
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.words import number, tr

_PART_OF: dict[Key, str] = {
    "place": "place", "about": "place", "author": "place", "documents": "source", "licence": "source",
}  # fmt: skip
_ALMOST = 0.95


def outline(lesson: Lesson, lines: Sequence[Line], coach: Coach) -> list[tuple[str, str, str, float]]:
    """(key, name, what is there or missing, share that is done) of each part, in the order in which one writes."""
    shown = []
    for part, name in _parts(lesson):
        own = [line for line in lines if part_of(line.key) == part]
        share = sum(line.done for line in own) / len(own) if own else _quiz_share(coach)
        if part in ("passages", "questions", "examples") and share < 1:
            done, wanted = _counted(part, lesson)
            share = min(_ALMOST, done / wanted)
        shown.append((part, name, _says(part, lesson, sum(line.missing for line in own), coach), share))
    return shown


def part_of(key: Key) -> str:
    """The part that a line of the checklist belongs to."""
    return _PART_OF.get(key, key)


def in_front(lesson: Lesson) -> str:
    """The part that one works at while the passages or the examples are in front."""
    if not lesson.is_knowledge:
        return "examples"
    return "questions" if lesson.examples else "passages"


def _parts(lesson: Lesson) -> list[tuple[str, str]]:
    first = [("place", tr("Name and place")), ("source", tr("Source"))]
    if not lesson.is_knowledge:
        return [*first, ("examples", tr("Examples"))]
    return [*first, ("passages", tr("Passages")), ("questions", tr("Questions")), ("quiz", tr("Quiz first"))]


def _counted(part: str, lesson: Lesson) -> tuple[int, int]:
    """How many there are, and how many are wanted at least."""
    written = [sum(pair.is_written for pair in example.pairs) for example in lesson.examples]
    if part == "passages":
        return len(written), max(FEWEST_EXAMPLES, len(written))
    if part == "questions":
        return sum(written), max(FEWEST_EXAMPLES * FEWEST_PAIRS, sum(max(FEWEST_PAIRS, each) for each in written))
    return sum(written), max(FEWEST_EXAMPLES, sum(written))


def _says(part: str, lesson: Lesson, missing: int, coach: Coach) -> str:
    if part in ("passages", "questions", "examples"):
        done, wanted = _counted(part, lesson)
        if done == wanted and missing:
            return tr("{0} to finish").format(missing)
        return tr("{0} of {1}").format(done, wanted)
    if part == "quiz":
        known, asked = coach.known()
        return tr("knew {0} of {1}").format(known, asked) if asked else tr("if you like")
    if part == "source":
        words = sum(len(document.text.split()) for document in lesson.documents)
        return tr("{0} words").format(number(words)) if words else ""
    return title_of(lesson.node[-2]) if len(lesson.node) > 2 else ""


def _quiz_share(coach: Coach) -> float:
    if coach.is_busy("quiz"):
        done, wanted = coach.progress()
        return done / wanted
    return 1.0 if coach.known()[1] else 0.0
