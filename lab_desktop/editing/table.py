"""A table becomes cards: which columns hold the questions and the answers, what is new, and what is left out and why.

Reads no file: `documents.table` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.documents.table import Table
from lab_desktop.editing.lesson import (
    Lesson,
    add_example,
    add_pairs,
    remove_example,
    remove_pair,
    with_kind,
)

QUESTION = r"questions?|frage|fragen|pregunta|preguntas|prompt|instruction|input|domanda|pergunta|q|f|p"
ANSWER = (
    r"answers?|antwort|antworten|réponses?|reponses?|respuestas?|response|completion|output|risposta|resposta|reply|a|r"
)
"""How questions and answers are called, in several languages: alternatives of an expression."""
_CONTEXT = r"context|passage|material|text|kontext|contexte|contexto|source|grundlage"
MOST_TAKEN = 50
"""Rows that one lesson takes at once: as many as its 2,300 words hold."""
_SHOWN = 60


@dataclass(frozen=True)
class Columns:
    """Which column is what, from 0.

    Attributes:
        context: the passage or the material; -1: there is none.
        has_names: the first row holds names.
    """

    question: int
    answer: int
    context: int = -1
    has_names: bool = False


@dataclass(frozen=True)
class Entry:
    """A row with a question and an answer.

    Attributes:
        context: "" where there is none.
    """

    question: str
    answer: str
    context: str = ""


@dataclass(frozen=True)
class Sifted:
    """What a table gives to a lesson.

    Attributes:
        entries: what is new, in order.
        left_out: a sentence for everything else.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...] = ()


def guess_columns(table: Table) -> Columns | None:
    """By the names in the first row, else by what stands in them; None where nothing looks like it."""
    return _named_columns(table.rows[0]) or _likely_columns(table.rows) if table.rows else None


def guess_for(lesson: Lesson, example: int, table: Table) -> Columns:
    """As `guess_columns`, and the first two where nothing looks like it; with a passage in hand no other is guessed.

    Args:
        example: as in `sift_for`.
    """
    found = guess_columns(table) or Columns(0, 1)
    return replace(found, context=-1) if lesson.is_knowledge and example else found


def sift(table: Table, columns: Columns) -> Sifted:
    """The rows with a question and an answer."""
    found, left_out = _numbered(table, columns)
    return Sifted(tuple(entry for _, entry in found), (*table.unread, *left_out))


def sift_for(lesson: Lesson, example: int, table: Table, columns: Columns) -> Sifted:
    """As `sift`, without what the lesson has already and what has no place in it.

    Args:
        example: the passage that questions without one belong to; 0: there is none.
    """
    found, left_out = _numbered(table, columns)
    known = {
        _core(lesson, Entry(pair.question, pair.answer, each.context)): 0
        for each in lesson.examples
        for pair in each.pairs
        if not pair.is_blank
    }
    entries: list[Entry] = []
    for number, entry in found:
        core = _core(lesson, entry)
        said = f"“{shortened(entry.question)}”"
        if core in known:
            twin = f"is the same as row {known[core]}" if known[core] else "is in the lesson already"
            left_out.append(f"Row {number} {twin}: {said}.")
        elif lesson.is_knowledge and not example and not entry.context:
            left_out.append(f"Row {number} belongs to no passage: {said}.")
        elif len(entries) == MOST_TAKEN:
            left_out.append(f"Row {number} and what follows is too much for one lesson; begin another one for it.")
            break
        else:
            known[core] = number
            entries.append(entry)
    return Sifted(tuple(entries), (*table.unread, *left_out))


def add_entries(lesson: Lesson, example: int, entries: Sequence[Entry]) -> Lesson:
    """The lesson with these as cards of its own; empty cards that wait there are used up.

    A question with a passage goes to the passage that says the same, else to a new one; material turns a skill into
    one with material.

    Args:
        example: as in `sift_for`.
    """
    if not entries:
        return lesson
    if lesson.is_knowledge:
        return _with_questions(lesson, example, entries)
    if any(entry.context for entry in entries):
        lesson = with_kind(lesson, LeafKind.GROUNDED_SKILL)
    for each in lesson.examples:
        if not each.context.strip() and all(pair.is_blank for pair in each.pairs):
            lesson = remove_example(lesson, each.id)
    for entry in entries:
        lesson = add_example(lesson, entry.context, [Pair(entry.question, entry.answer)])
    return lesson


def shortened(text: str) -> str:
    """A text on one line, as it is quoted in a sentence."""
    bare = " ".join(text.split())
    return bare if len(bare) <= _SHOWN else f"{bare[: _SHOWN - 1]}…"


def _with_questions(lesson: Lesson, example: int, entries: Sequence[Entry]) -> Lesson:
    places = {_plain(each.context): each.id for each in reversed(lesson.examples) if each.context.strip()}
    for entry in entries:
        place = places.get(_plain(entry.context)) if entry.context else example
        if place is None:
            lesson = add_example(lesson, entry.context)
            place = places[_plain(entry.context)] = lesson.examples[-1].id
        for pair in lesson.example(place).pairs:
            if pair.is_blank:
                lesson = remove_pair(lesson, pair.id)
        lesson = add_pairs(lesson, place, [Pair(entry.question, entry.answer)])
    return lesson


def _numbered(table: Table, columns: Columns) -> tuple[list[tuple[int, Entry]], list[str]]:
    """(row's number, entry) of each row with both, and a sentence for each other."""
    found: list[tuple[int, Entry]] = []
    left_out: list[str] = []
    first = 1 if columns.has_names else 0
    for number, row in zip(table.numbers[first:], table.rows[first:], strict=True):
        question, answer = row[columns.question], row[columns.answer]
        if question and answer:
            found.append((number, Entry(question, answer, row[columns.context] if columns.context >= 0 else "")))
        else:
            missing = "answer" if question else "question"
            left_out.append(f"Row {number} has no {missing}: “{shortened(' '.join(row))}”.")
    return found, left_out


def _core(lesson: Lesson, entry: Entry) -> tuple[str, str]:
    """What makes a card the one that it is: of facts the question, of a skill its material too."""
    return _plain(entry.question), "" if lesson.is_knowledge else _plain(entry.context)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _named_columns(head: Sequence[str]) -> Columns | None:
    def column(names: str) -> int:
        matching = (i for i, cell in enumerate(head) if re.fullmatch(rf"(?:{names})s?\s*:?", cell.strip(" *_"), re.I))
        return next(matching, -1)

    question, answer = column(QUESTION), column(ANSWER)
    return None if question < 0 or answer < 0 else Columns(question, answer, column(_CONTEXT), has_names=True)


def _likely_columns(rows: Sequence[Sequence[str]]) -> Columns | None:
    """Without names: the column with most question marks, and of the others that with most text; of two these two."""
    filled = [i for i in range(len(rows[0])) if 2 * sum(bool(row[i]) for row in rows) >= len(rows)]
    if len(filled) < 2:
        return None
    asks = [sum(row[i].rstrip().endswith(("?", "？")) for row in rows) for i in filled]
    best = max(range(len(filled)), key=lambda place: (asks[place], -place))
    if asks[best] == 0 and len(filled) > 2:
        return None
    longest = max((i for i in filled if i != filled[best]), key=lambda i: sum(len(row[i]) for row in rows))
    return Columns(filled[best], longest)
