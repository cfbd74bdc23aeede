"""Lessons that began in a chat: what the model got wrong, what it should have said, and where that stands.

A draft is a lesson (`lab_desktop/editing`) in a folder `<root>/<slug>`: a knowledge leaf where the answer stands in a
passage (the passages lie beside it in passages.md), else a freeform skill. It grows by one question at a time; author,
description and number of examples are left for the editor, whose checklist says what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing.folder import files_of, read_lesson, write_file
from lab_desktop.editing.leaf import to_leaf
from lab_desktop.editing.lesson import Field, Lesson, add_document, add_example, add_pairs, with_text
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.tree import node_of

PASSAGES = "passages.md"


@dataclass(frozen=True)
class Draft:
    """A draft that can take another question.

    Attributes:
        questions: how many it has.
    """

    folder: Path
    title: str
    questions: int


def find(root: Path, project: str, *, has_passage: bool) -> Draft | None:
    """The newest draft of a project that a question with or without a passage fits into; None: there is none.

    Args:
        project: name of the project's folder, or "" for chats that belong to none.
    """
    kind = LeafKind.KNOWLEDGE if has_passage else LeafKind.FREEFORM_SKILL
    for folder in reversed(_taken(root, _slug(project, kind))):
        try:
            return _draft(folder, _read(folder, kind))
        except LeafError:
            continue  # changed by hand: left alone, the next question begins another
    return None


def keep(root: Path, project: str, question: str, answer: str, passage: str = "", into: Draft | None = None) -> Draft:
    """Write a question into a draft, or begin one with it.

    The same question of the same passage gets the new answer.

    Raises:
        LeafError: `into` is not what it was, so nothing was written to it.
        StorageError: it could not be written; what was there is untouched.
    """
    pair, passage = Pair(question.strip(), answer.strip()), passage.strip()
    kind = LeafKind.KNOWLEDGE if passage else LeafKind.FREEFORM_SKILL
    if into is None:
        folder = _free(root, _slug(project, kind))
        before: dict[str, str] = {}
        lesson = Lesson(kind, node_of(folder, kind is LeafKind.KNOWLEDGE))
    else:
        folder = into.folder
        lesson = _read(folder, kind)
        before = files_of(lesson, folder)
    lesson = _with(_with_passage(lesson, passage) if passage else lesson, pair, passage)
    for name, text in files_of(lesson, folder).items():
        if before.get(name) != text:
            write_file(folder, name, text)
    return _draft(folder, lesson)


def _with(lesson: Lesson, pair: Pair, passage: str) -> Lesson:
    for example in lesson.examples:
        asked = next((each for each in example.pairs if each.question == pair.question), None)
        if example.context == passage and asked is not None:
            return with_text(lesson, Field("answer", example.id, asked.id), pair.answer)
        if example.context == passage and passage:
            return add_pairs(lesson, example.id, [pair])
    return add_example(lesson, passage, [pair])


def _with_passage(lesson: Lesson, passage: str) -> Lesson:
    known = next((each.text for each in lesson.documents if each.name == PASSAGES), "")
    if passage in known:
        return lesson
    return add_document(lesson, PASSAGES, f"{known.rstrip()}\n\n{passage}\n".lstrip("\n"))


def _draft(folder: Path, lesson: Lesson) -> Draft:
    leaf = to_leaf(lesson, folder)
    return Draft(folder, leaf.title, sum(len(example.pairs) for example in leaf.seed_examples))


def _read(folder: Path, kind: LeafKind) -> Lesson:
    """
    Raises:
        LeafError: the draft cannot be read, is of another kind, or writing it anew would lose something.
    """
    changed = f'The draft in "{folder}" was changed and cannot be added to.'
    try:
        lesson = read_lesson(folder)
    except LeafError as error:
        raise LeafError(changed, "Begin a new draft.", error.message) from error
    if lesson.kind is not kind or lesson.unread:
        raise LeafError(changed, "Begin a new draft.", " ".join(lesson.unread))
    return lesson


def _slug(project: str, kind: LeafKind) -> str:
    name = re.sub(r"\W+", "_", project.lower()).strip("_") or "chat"
    return f"{name}_{'facts' if kind is LeafKind.KNOWLEDGE else 'skill'}"


def _taken(root: Path, slug: str) -> list[Path]:
    """The folders of this slug, oldest first: itself, then those with a number."""
    numbered = re.compile(re.escape(slug) + r"(?:_(\d+))?")
    found = [(match, path) for path in root.glob(f"{slug}*") if (match := numbered.fullmatch(path.name))]
    return [path for match, path in sorted(found, key=lambda each: int(each[0][1] or 1))]


def _free(root: Path, slug: str) -> Path:
    number = 1
    while (folder := root / (slug if number == 1 else f"{slug}_{number}")).exists():
        number += 1
    return folder
