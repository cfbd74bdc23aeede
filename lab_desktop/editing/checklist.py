"""The checklist beside the editor: what a lesson still needs, line by line, and where a click goes.

The verdict is `taxonomy.check`'s: when every line is done, the saved lesson has no error in either mode. A document
that lies there and cannot be read is told, but is no error there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab_desktop.editing.leaf import to_leaf
from lab_desktop.editing.lesson import DraftExample, Field, FieldName, Lesson, Mark
from lab_desktop.taxonomy.advice import MOST_CONTEXT_WORDS
from lab_desktop.taxonomy.words import Finding, Steps

Key = Literal["place", "documents", "about", "passages", "questions", "examples", "author", "licence"]

FEWEST_EXAMPLES = 5
FEWEST_PAIRS = 3
FEWEST_PASSAGE_WORDS = 40
"""A shorter passage hardly holds three facts."""


@dataclass(frozen=True)
class Line:
    """One line of the checklist.

    Attributes:
        key: which.
        words: what it asks for.
        done: nothing is missing.
        missing: how many things are; 0 when done.
        next: what to do now, a sentence; "" when done.
        field: where a click goes: to what is missing, else to the beginning of its part.
    """

    key: Key
    words: str
    done: bool
    missing: int
    next: str
    field: Field


@dataclass(frozen=True)
class Gauge:
    """How full something is.

    Attributes:
        words: how many it has.
        most: how many work well.
        level: "empty", "short", "good" or "long".
    """

    words: int
    most: int
    level: Literal["empty", "short", "good", "long"]

    @property
    def share(self) -> float:
        """0–1: how far the needle is; a longer text stays at 1."""
        return min(1.0, self.words / self.most)


def checklist(lesson: Lesson) -> tuple[Line, ...]:
    """Every line, in the order in which a lesson is usually written."""
    keys: tuple[Key, ...] = (
        ("place", "documents", "about", "passages", "questions", "author", "licence")
        if lesson.is_knowledge
        else ("place", "about", "examples", "author", "licence")
    )
    open_: dict[Key, list[tuple[str, int, Field]]] = {key: [] for key in keys}
    for key, words, missing, field in _open(lesson):
        open_[key].append((words, missing, field))
    lines = []
    for key in keys:
        todo = open_[key]
        first = todo[0] if todo else ("", 0, _START[key])
        lines.append(
            Line(key, _words(lesson, key), not todo, sum(missing for _, missing, _ in todo), first[0], first[2])
        )
    return tuple(lines)


def next_action(lines: Iterable[Line]) -> tuple[str, Field | None]:
    """The one thing to do now, and where; with everything done, what comes after the lesson."""
    for line in lines:
        if not line.done:
            return line.next, line.field
    return "The lesson is ready: make practice questions.", None


def gauge(text: str, most: int = MOST_CONTEXT_WORDS, fewest: int = FEWEST_PASSAGE_WORDS) -> Gauge:
    """How full a passage is: so that everything fits into the model's memory."""
    count = len(text.split())
    level: Literal["empty", "short", "good", "long"] = "good"
    if count == 0:
        level = "empty"
    elif count < fewest:
        level = "short"
    elif count > most:
        level = "long"
    return Gauge(count, most, level)


_START: dict[Key, Field] = {
    "place": Field("title"),
    "documents": Field("documents"),
    "about": Field("domain"),
    "passages": Field("examples"),
    "questions": Field("examples"),
    "examples": Field("examples"),
    "author": Field("created_by"),
    "licence": Field("attribution"),
}


def _words(lesson: Lesson, key: Key) -> str:
    return {
        "place": "Name and place",
        "documents": "A document to learn from",
        "about": "What it is about" if lesson.is_knowledge else "What the model should be able to do",
        "passages": "Five passages",
        "questions": "Three questions for each passage",
        "examples": "Five examples",
        "author": "Who wrote the lesson",
        "licence": "Where its texts come from, and their licence",
    }[key]


def _open(lesson: Lesson) -> Iterator[tuple[Key, str, int, Field]]:
    """(line, what to do, how much is missing, where) for everything that is missing."""
    root = lesson.node[0] if lesson.node else ""
    if root in ("knowledge", "compositional_skills") and (root == "knowledge") != lesson.is_knowledge:
        what = "facts, and this lesson teaches a skill" if root == "knowledge" else "skills, and this lesson has facts"
        yield "place", f"This place is for {what}: move it.", 1, Field("place")
    yield from _counted(lesson)
    yield from _found(lesson)
    if not lesson.attribution.strip():
        words = "Say where the texts come from, who made them, and under which licence they are."
        yield "licence", words, 1, Field("attribution")


def _counted(lesson: Lesson) -> Iterator[tuple[Key, str, int, Field]]:
    """Too few passages, questions or examples."""
    written = _written(lesson)
    short = FEWEST_EXAMPLES - len(written)
    if short > 0:
        yield (
            "passages" if lesson.is_knowledge else "examples",
            f"Add {_more(short, 'passage' if lesson.is_knowledge else 'example')}.",
            short,
            Field("examples"),
        )
    for example, pairs in written if lesson.is_knowledge else ():
        place = _number(lesson, example)
        missing = FEWEST_PAIRS - len(pairs)
        if missing > 0:
            suggested = any(pair.mark is Mark.SUGGESTED for pair in example.pairs)
            do = "Accept or add" if suggested else "Add"
            words = f"{do} {_more(missing, 'question')} to passage {place}."
            yield "questions", words, missing, Field("pairs", example.id)


def _found(lesson: Lesson) -> Iterator[tuple[Key, str, int, Field]]:
    """What the check finds, but for numbers of things, which are counted above."""
    # The schema's library takes longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import findings

    written = _written(lesson)
    for finding in findings(_contents(lesson), lesson.is_knowledge):
        steps = finding.steps
        top = steps[0] if steps else ""
        if top == "created_by":
            yield "author", "Write your name, or the name you use on GitHub.", 1, Field("created_by")
        elif top in ("domain", "document_outline", "task_description"):
            yield "about", _ABOUT[str(top)], 1, Field(_named(top))
        elif top == "document":
            last = steps[1] if len(steps) > 1 else ""
            if last in ("repo", "commit"):
                words = "Say where the document is published, or take the document out and add it again."
                yield "documents", words, 1, Field(_named(last))
        elif top == "seed_examples" and len(steps) > 1 and isinstance(steps[1], int):
            if len(steps) == 3 and steps[2] == "questions_and_answers":
                continue  # their number
            yield _in_example(lesson, written, steps, finding)
    if lesson.is_knowledge and not any(document.text.strip() for document in lesson.documents):
        words = "Drop the document here, or paste its text."
        yield "documents", lesson.unread[0] if lesson.unread else words, 1, Field("documents")


def _in_example(
    lesson: Lesson, written: list[tuple[DraftExample, list[int]]], steps: Steps, finding: Finding
) -> tuple[Key, str, int, Field]:
    example, pairs = written[int(steps[1])]
    where = f"{'Passage' if lesson.is_knowledge else 'Example'} {_number(lesson, example)}"
    last = str(steps[-1])
    if len(steps) > 3 and isinstance(steps[3], int):
        pair = pairs[steps[3]]
        where += f", question {[each.id for each in example.pairs].index(pair) + 1}"
    else:
        pair = 0 if lesson.is_knowledge else pairs[0]
    if last == "context":
        name: FieldName = "context"
        says = f"{where} is still empty." if lesson.is_knowledge else f"{where} has no material yet."
    elif last in ("question", "answer"):
        name = _named(last)
        says = f"{where} has no {last} yet."
    else:
        name = "pair" if len(steps) > 2 else "example"
        says = f"{where} is there twice: change it, or take it out."
    if finding.message.endswith("(\\uD800 to \\uDFFF)."):
        says = f"{where} has a broken character: type it again."
    key: Key = "examples" if not lesson.is_knowledge else "questions" if pair else "passages"
    return key, says, 1, Field(name, example.id, pair)


_ABOUT = {
    "domain": "Name the subject in a word or two, like a chapter title.",
    "document_outline": "Say in a sentence what the document is about.",
    "task_description": "Say in a sentence what the model should be able to do.",
}


def _written(lesson: Lesson) -> list[tuple[DraftExample, list[int]]]:
    """The examples that are written, each with the ids of the pairs that are, in the order of `to_leaf`."""
    found = []
    for example in lesson.examples:
        pairs = [pair.id for pair in example.pairs if pair.is_written]
        if lesson.is_knowledge:
            if pairs or example.context.strip():
                found.append((example, pairs))
        else:
            found += [(example, [pair]) for pair in pairs]
    return found


def _contents(lesson: Lesson) -> dict[str, Any]:
    """What a YAML reader makes of the lesson's file."""
    leaf = to_leaf(lesson, Path())
    examples: list[dict[str, Any]] = []
    for example in leaf.seed_examples:
        pairs = [{"question": pair.question, "answer": pair.answer} for pair in example.pairs]
        context = {} if example.context is None else {"context": example.context}
        if lesson.is_knowledge:
            examples.append({**context, "questions_and_answers": pairs or None})
        else:
            examples.append({**context, **pairs[0]})
    contents: dict[str, Any] = {"version": 3, "created_by": leaf.created_by, "seed_examples": examples or None}
    if leaf.document is None:
        return {**contents, "task_description": leaf.task_description}
    document = {"repo": leaf.document.repo, "commit": leaf.document.commit, "patterns": list(leaf.document.patterns)}
    about = {"domain": leaf.domain, "document_outline": leaf.document_outline}
    return {**contents, **about, "document": document}


def _number(lesson: Lesson, example: DraftExample) -> int:
    return 1 + [each.id for each in lesson.examples].index(example.id)


def _more(count: int, thing: str) -> str:
    return f"{count} more {thing}{'' if count == 1 else 's'}"


def _named(name: object) -> FieldName:
    return name  # type: ignore[return-value]  # the schema's names are the editor's
