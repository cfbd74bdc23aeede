"""Passages of a document: taken from a selection, suggested, and found again.

A passage is a stretch of a document's Markdown, letter for letter, so that it can be found there later. Places are
letters of the document's text, (start, end) as in a slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab_desktop.documents.markdown import is_code, is_table, sections
from lab_desktop.editing.lesson import Lesson, add_example
from lab_desktop.words import BREATH, content_words, shared

FEWEST_WORDS = 60
MOST_WORDS = 300
"""Of a passage that is suggested; where a document has too little text, shorter ones are suggested as well."""
_LEAST_WORDS = 15
_GOOD_WORDS = 140


@dataclass(frozen=True)
class Span:
    """Where a passage lies.

    Attributes:
        example: the id of its example.
        document: the document's name.
        start, end: letters of its text.
    """

    example: int
    document: str
    start: int
    end: int


def use_as_passage(lesson: Lesson, document: str, start: int, end: int) -> Lesson:
    """The lesson with a passage made of a selection, which is drawn out to whole sentences or table rows.

    An example that is still empty takes it, else it is a new one. A selection without a word changes nothing, nor does
    one that is a passage already.

    Raises:
        KeyError: there is no such document.
    """
    text = lesson.document(document).text
    start, end = snapped(text, start, end)
    passage = text[start:end]
    if not passage or any(example.context.strip() == passage for example in lesson.examples):
        return lesson
    for example in lesson.examples:
        if not example.context.strip() and all(pair.is_blank for pair in example.pairs):
            examples = (replace(each, context=passage) if each.id == example.id else each for each in lesson.examples)
            return replace(lesson, examples=tuple(examples))
    return add_example(lesson, passage)


def snapped(text: str, start: int, end: int) -> tuple[int, int]:
    """The selection drawn out to whole sentences, and to whole lines of a table, list or code; blanks are left out."""
    start, end = sorted(min(max(0, place), len(text)) for place in (start, end))
    start, end = _bare(text, start, end)
    if start >= end:
        return start, start
    return _bare(text, _unit(text, start)[0], _unit(text, end - 1)[1])


def suggest_passages(text: str, count: int = 5, taken: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Up to `count` varied passages, in the order of the document: the same for the same text.

    Each is rich in facts (numbers, names, dates), from another section as long as there are any, and between
    `FEWEST_WORDS` and `MOST_WORDS` long as far as the document allows.

    Args:
        taken: passages that are there already; nothing that overlaps them is suggested.
    """
    chosen: list[_Stretch] = []
    pieces = _pieces(text)
    for fewest in (FEWEST_WORDS, FEWEST_WORDS // 2, _LEAST_WORDS):
        candidates = [each for each in _candidates(pieces, fewest) if not _overlaps(each.span, taken)]
        while len(chosen) < count:
            free = [each for each in candidates if not _overlaps(each.span, [other.span for other in chosen])]
            if not free:
                break
            chosen.append(max(free, key=lambda each: (_worth(each, chosen), -each.start)))
    return sorted(each.span for each in chosen)


def spans(lesson: Lesson) -> list[Span]:
    """Where each passage lies, in the order of the examples; one that stands in no document has none."""
    found = []
    for example in lesson.examples:
        for document in lesson.documents:
            start, end = find(document.text, example.context)
            if end > start:
                found.append(Span(example.id, document.name, start, end))
                break
    return found


def astray(lesson: Lesson) -> list[int]:
    """The ids of the examples whose passage stands in no document any more."""
    if not lesson.documents:
        return []
    there = {span.example for span in spans(lesson)}
    return [example.id for example in lesson.examples if example.context.strip() and example.id not in there]


def find(text: str, part: str) -> tuple[int, int]:
    """Where `part` stands in a text, whatever blanks and line ends are between its words; (0, 0): nowhere."""
    bare = part.strip()
    if not bare:
        return 0, 0
    start = text.find(bare)
    if start >= 0:
        return start, start + len(bare)
    found = re.search(r"\s+".join(re.escape(piece) for piece in bare.split()), text)
    return found.span() if found else (0, 0)


@dataclass(frozen=True)
class _Stretch:
    """A stretch of the text that could be a passage, or a part of one.

    Attributes:
        section: the number of its section.
        words: how many.
        facts: the numbers and names in it.
        content: its content words.
    """

    start: int
    end: int
    section: int
    words: int
    facts: frozenset[str]
    content: frozenset[str]

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end


def _worth(candidate: _Stretch, chosen: Sequence[_Stretch]) -> float:
    """Density of facts, a good length, and how different it is from what was chosen."""
    density = len(candidate.facts) / max(candidate.words, _GOOD_WORDS / 2)
    length = 1 - abs(candidate.words - _GOOD_WORDS) / MOST_WORDS
    alike = max((shared(candidate.content, each.content) for each in chosen), default=0.0)
    is_new = all(candidate.section != each.section for each in chosen)
    return 3 * density + length - 2 * alike + (2 if is_new else 0)


def _candidates(pieces: Sequence[_Stretch], fewest: int) -> list[_Stretch]:
    """Every run of neighbouring pieces of one section that has a fitting length."""
    found = []
    for place, first in enumerate(pieces):
        run = first
        for piece in (None, *pieces[place + 1 :]):
            if piece is not None:
                if piece.section != first.section or run.words + piece.words > MOST_WORDS:
                    break
                run = replace(
                    run,
                    end=piece.end,
                    words=run.words + piece.words,
                    facts=run.facts | piece.facts,
                    content=run.content | piece.content,
                )
            if run.words >= fewest:
                found.append(run)
    return found


# Numbers, and names: words with a capital that begin no sentence.
_FACT = re.compile(r"\d[\d.,:/-]*|(?<=[^\W\d_][ ,;(])[A-ZÀ-ÞА-Я][\w’'-]+")


def _pieces(text: str) -> list[_Stretch]:
    """The blocks of all sections in order, without code; a block that is too long is cut at sentences."""
    place = 0
    found = []
    for number, (_, blocks) in enumerate(sections(text)):
        for block in blocks:
            joined = "\n".join(block)
            start = text.find(joined, place)
            place = start + len(joined)
            if is_code(block):
                continue
            is_whole = is_table(block) or len(joined.split()) <= MOST_WORDS
            for first, last in [(start, place)] if is_whole else _cut(text, start, place):
                first, last = _bare(text, first, last)
                part = text[first:last]
                facts, content = frozenset(_FACT.findall(part)), frozenset(content_words(part))
                found.append(_Stretch(first, last, number, len(part.split()), facts, content))
    return found


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of whole sentences of about a good length."""
    first = start
    for last in (*(start + found.end() for found in BREATH.finditer(text[start:end])), end):
        if len(text[first:last].split()) >= _GOOD_WORDS or (last == end and text[first:last].strip()):
            yield first, last
            first = last


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    stretch = text[start:end]
    return start + len(stretch) - len(stretch.lstrip()), end - len(stretch) + len(stretch.rstrip())


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _unit(text: str, place: int) -> tuple[int, int]:
    """The sentence or line around a letter."""
    top = text.rfind("\n\n", 0, place + 1)
    top = 0 if top < 0 else top + 2
    bottom = text.find("\n\n", place)
    bottom = len(text) if bottom < 0 else bottom
    paragraph = text[top:bottom]
    start, end = 0, len(paragraph)
    if paragraph.lstrip().startswith(("|", "```", "~~~", "#")):
        start = paragraph.rfind("\n", 0, place - top) + 1
        end = paragraph.find("\n", place - top)
        return top + start, top + (len(paragraph) if end < 0 else end)
    for found in BREATH.finditer(paragraph):
        if top + found.end() <= place:
            start = found.end()
        elif top + found.start() > place:
            end = found.start()
            break
    return top + start, top + end
