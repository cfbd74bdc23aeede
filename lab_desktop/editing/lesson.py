"""A lesson while it is edited: an immutable value, complete or not, and every change a person can make to it.

A lesson holds what its qna.yaml says (`lab_desktop/editing/leaf.py`) and what does not belong there yet: suggested
pairs that nobody accepted, empty cards, the title as the person writes it, the documents' text and attribution.txt.
Changes are functions from lesson to lesson, so that undo keeps lessons and shares what did not change.
This module reads and writes no file.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lab_desktop.artifacts import LOCAL_COMMIT as LOCAL_COMMIT
from lab_desktop.artifacts import LOCAL_REPO as LOCAL_REPO
from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.errors import DocumentError
from lab_desktop.paths import TEXT_SUFFIXES

FieldName = Literal[
    "title", "place", "created_by", "task_description", "domain", "document_outline", "documents", "document",
    "attribution", "examples", "example", "context", "pairs", "pair", "question", "answer", "repo", "commit",
]  # fmt: skip
_LESSON_TEXTS = (
    "title",
    "created_by",
    "task_description",
    "domain",
    "document_outline",
    "attribution",
    "repo",
    "commit",
)


class Mark(enum.StrEnum):
    """Whose words a pair is."""

    OWN = "own"
    SUGGESTED = "suggested"
    """By the teacher, and not accepted: never written into qna.yaml."""
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Field:
    """A place of the editor: what a text belongs to, and where a click in the checklist goes.

    Attributes:
        name: what is edited.
        example, pair: the ids of the example and pair that it is part of; 0 where it is part of none.
        document: the document's file name; "" where it is none.
    """

    name: FieldName
    example: int = 0
    pair: int = 0
    document: str = ""


@dataclass(frozen=True)
class DraftPair:
    """A question card.

    Attributes:
        id: stays the same while the lesson is open.
        sentence: where the passage says the answer, as whoever suggested it found it; "" for one's own.
    """

    id: int
    question: str = ""
    answer: str = ""
    mark: Mark = Mark.OWN
    sentence: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.question.strip() or self.answer.strip())

    @property
    def is_written(self) -> bool:
        """True when it stands in qna.yaml: not a suggestion, not an empty card."""
        return self.mark is not Mark.SUGGESTED and not self.is_blank


@dataclass(frozen=True)
class DraftExample:
    """A passage with its question cards; of a skill: one row of the table, which has one card.

    Attributes:
        id: stays the same while the lesson is open.
        context: the passage, or a grounded skill's material; a freeform skill keeps it, but does not write it.
    """

    id: int
    context: str = ""
    pairs: tuple[DraftPair, ...] = ()


@dataclass(frozen=True)
class LessonDocument:
    """A Markdown or text file beside the lesson.

    Attributes:
        name: its path below the lesson's folder, with /.
        text: line ends are \\n.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Lesson:
    """What the editor shows.

    Attributes:
        node: its place in the taxonomy; moving it is the library's work.
        title: as the person writes it; the folder is named after it.
        documents: knowledge only, by name.
        patterns: `document.patterns` as they were read; what is written follows the documents.
        attribution: the text of attribution.txt.
        unread: a sentence for each file beside it that could not be read; it is left as it is.
        last_id: the highest id given so far.
    """

    kind: LeafKind
    node: tuple[str, ...]
    title: str = ""
    created_by: str = ""
    task_description: str = ""
    domain: str = ""
    document_outline: str = ""
    examples: tuple[DraftExample, ...] = ()
    documents: tuple[LessonDocument, ...] = ()
    repo: str = LOCAL_REPO
    commit: str = LOCAL_COMMIT
    patterns: tuple[str, ...] = ()
    attribution: str = ""
    unread: tuple[str, ...] = ()
    last_id: int = 0

    @property
    def is_knowledge(self) -> bool:
        return self.kind is LeafKind.KNOWLEDGE

    @property
    def is_grounded(self) -> bool:
        """True when its examples have a passage or material."""
        return self.kind is not LeafKind.FREEFORM_SKILL

    def example(self, example: int) -> DraftExample:
        """
        Raises:
            KeyError: there is none with this id.
        """
        for each in self.examples:
            if each.id == example:
                return each
        raise KeyError(example)

    def pair(self, pair: int) -> DraftPair:
        """
        Raises:
            KeyError: there is none with this id.
        """
        for example in self.examples:
            for each in example.pairs:
                if each.id == pair:
                    return each
        raise KeyError(pair)

    def document(self, name: str) -> LessonDocument:
        """
        Raises:
            KeyError: there is none of this name.
        """
        for each in self.documents:
            if each.name == name:
                return each
        raise KeyError(name)


def text_at(lesson: Lesson, field: Field) -> str:
    """The text of a field.

    Raises:
        KeyError: the field is none with a text, or its example, pair or document is gone.
    """
    if field.name in _LESSON_TEXTS:
        return str(getattr(lesson, field.name))
    if field.name == "document":
        return lesson.document(field.document).text
    if field.name == "context":
        return lesson.example(field.example).context
    if field.name in ("question", "answer"):
        return str(getattr(lesson.pair(field.pair), field.name))
    raise KeyError(field.name)


def field_with(lesson: Lesson, text: str) -> Field | None:
    """The first field in which a text stands, however its blanks and lines are; None: none has it."""
    wanted = " ".join(text.split())
    if not wanted:
        return None

    def holds(said: str) -> bool:
        return wanted in " ".join(said.split())

    for example in lesson.examples:
        if holds(example.context):
            return Field("context", example.id)
        for pair in example.pairs:
            if pair.is_written and holds(pair.question):
                return Field("question", example.id, pair.id)
            if pair.is_written and holds(pair.answer):
                return Field("answer", example.id, pair.id)
    names: tuple[FieldName, ...] = (
        "title", "created_by", "task_description", "domain", "document_outline", "attribution",
    )  # fmt: skip
    for name in names:
        if holds(str(getattr(lesson, name))):
            return Field(name)
    return next((Field("document", document=each.name) for each in lesson.documents if holds(each.text)), None)


def with_text(lesson: Lesson, field: Field, text: str) -> Lesson:
    """The lesson with another text in a field; a suggestion that is edited becomes accepted.

    Raises:
        KeyError: as in `text_at`.
    """
    text = clean(text)
    if text_at(lesson, field) == text:
        return lesson
    if field.name == "document":
        return replace(
            lesson,
            documents=tuple(
                replace(each, text=text) if each.name == field.document else each for each in lesson.documents
            ),
        )
    if field.name == "context":
        return _with_example(lesson, field.example, lambda example: replace(example, context=text))
    changed: dict[str, Any] = {field.name: text}
    if field.name in ("question", "answer"):
        return _with_pair(lesson, field.pair, lambda pair: _written(replace(pair, **changed)))
    return replace(lesson, **changed)


def clean(text: str) -> str:
    """The text as a lesson keeps it: line ends are \\n, halves of characters and zero bytes are U+FFFD."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text)
    return text


def add_example(
    lesson: Lesson,
    context: str = "",
    pairs: Iterable[Pair] = (),
    mark: Mark = Mark.OWN,
    sentences: Iterable[str] = (),
    at: int | None = None,
) -> Lesson:
    """The lesson with one more example; its id is the first after `last_id`. A skill's example always has a card.

    Args:
        sentences: where the context says the answers, in the pairs' order; none: nobody said.
        at: its place among the examples; None: the end.
    """
    made = DraftExample(lesson.last_id + 1, clean(context))
    place = len(lesson.examples) if at is None else at
    examples = (*lesson.examples[:place], made, *lesson.examples[place:])
    lesson = replace(lesson, examples=examples, last_id=made.id)
    given = list(pairs) or ([] if lesson.is_knowledge else [Pair("", "")])
    return add_pairs(lesson, made.id, given, mark, sentences)


def add_pairs(
    lesson: Lesson, example: int, pairs: Iterable[Pair], mark: Mark = Mark.OWN, sentences: Iterable[str] = ()
) -> Lesson:
    """The lesson with more cards at the end of an example; a skill's example has one, others get rows of their own.

    Raises:
        KeyError: there is no such example.
    """
    told = list(sentences)
    found = lesson.example(example)
    room = None if lesson.is_knowledge else 1 - len(found.pairs)
    number = lesson.last_id
    made = []
    for place, pair in enumerate(pairs):
        number += 1
        sentence = told[place] if place < len(told) else ""
        made.append(DraftPair(number, clean(pair.question), clean(pair.answer), mark, sentence))
    lesson = _with_example(lesson, example, lambda each: replace(each, pairs=(*each.pairs, *made[:room])))
    lesson = replace(lesson, last_id=number)
    for extra in made[room:] if room is not None else ():
        row = DraftExample(lesson.last_id + 1, found.context, (extra,))
        lesson = replace(lesson, examples=(*lesson.examples, row), last_id=row.id)
    return lesson


def accept(lesson: Lesson, pair: int) -> Lesson:
    """The lesson with a suggestion accepted.

    Raises:
        KeyError: there is no such pair.
    """
    return _with_pair(lesson, pair, _written)


def remove_pair(lesson: Lesson, pair: int) -> Lesson:
    """The lesson without a card; a skill's example goes with its last one."""
    examples = []
    for example in lesson.examples:
        pairs = tuple(each for each in example.pairs if each.id != pair)
        if len(pairs) == len(example.pairs):
            examples.append(example)
        elif pairs or lesson.is_knowledge:
            examples.append(replace(example, pairs=pairs))
    return replace(lesson, examples=tuple(examples))


def remove_example(lesson: Lesson, example: int) -> Lesson:
    """The lesson without an example and its cards."""
    return replace(lesson, examples=tuple(each for each in lesson.examples if each.id != example))


def move_example(lesson: Lesson, example: int, to: int) -> Lesson:
    """The lesson with an example at another place, counted from 0 without it.

    Raises:
        KeyError: there is no such example.
    """
    moved = lesson.example(example)
    others = [each for each in lesson.examples if each.id != example]
    others.insert(to, moved)
    return replace(lesson, examples=tuple(others))


def move_pair(lesson: Lesson, pair: int, example: int, to: int) -> Lesson:
    """The lesson with a card in another example or at another place, counted from 0 without it.

    Raises:
        KeyError: there is no such pair or example.
        ValueError: the lesson is a skill, whose examples have one card each.
    """
    if not lesson.is_knowledge:
        raise ValueError("a skill's cards do not move")
    moved = lesson.pair(pair)
    lesson.example(example)
    examples = []
    for each in lesson.examples:
        pairs = [other for other in each.pairs if other.id != pair]
        if each.id == example:
            pairs.insert(to, moved)
        examples.append(each if pairs == list(each.pairs) else replace(each, pairs=tuple(pairs)))
    return replace(lesson, examples=tuple(examples))


def add_document(lesson: Lesson, name: str, text: str) -> Lesson:
    """The lesson with a document; one of the same name is replaced.

    Raises:
        DocumentError: the name is not that of a Markdown or text file below the lesson's folder.
    """
    steps = name.split("/")
    is_ours = name in ("qna.yaml", "attribution.txt") or any(step in ("", "..") or step[0] == "." for step in steps)
    if is_ours or "\\" in name or not name.lower().endswith(TEXT_SUFFIXES):
        raise DocumentError(
            f'A document of a lesson cannot be called "{name}".', 'Give it a simple name that ends in ".md".'
        )
    others = [each for each in lesson.documents if each.name != name]
    documents = sorted([*others, LessonDocument(name, clean(text))], key=lambda each: each.name)
    return replace(lesson, documents=tuple(documents))


def remove_document(lesson: Lesson, name: str) -> Lesson:
    """The lesson without a document; its passages stay."""
    return replace(lesson, documents=tuple(each for each in lesson.documents if each.name != name))


def with_kind(lesson: Lesson, kind: LeafKind) -> Lesson:
    """A skill as the other kind of skill; its material is kept, and written only for a grounded one.

    Raises:
        ValueError: a knowledge lesson cannot become a skill, nor a skill one.
    """
    if LeafKind.KNOWLEDGE in (kind, lesson.kind) and kind is not lesson.kind:
        raise ValueError(f"{lesson.kind} cannot become {kind}")
    return replace(lesson, kind=kind)


def _written(pair: DraftPair) -> DraftPair:
    return replace(pair, mark=Mark.ACCEPTED) if pair.mark is Mark.SUGGESTED else pair


def _with_example(lesson: Lesson, example: int, change: Callable[[DraftExample], DraftExample]) -> Lesson:
    lesson.example(example)
    return replace(lesson, examples=tuple(change(each) if each.id == example else each for each in lesson.examples))


def _with_pair(lesson: Lesson, pair: int, change: Callable[[DraftPair], DraftPair]) -> Lesson:
    lesson.pair(pair)
    examples = []
    for example in lesson.examples:
        if any(each.id == pair for each in example.pairs):
            pairs = tuple(change(each) if each.id == pair else each for each in example.pairs)
            example = replace(example, pairs=pairs)
        examples.append(example)
    return replace(lesson, examples=tuple(examples))
