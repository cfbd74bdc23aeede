"""A lesson in its folder: qna.yaml, the documents, attribution.txt, and hidden beside them what is not decided yet.

    FOLDER/
      qna.yaml  NAME.md  attribution.txt     the lesson; nothing else belongs to a contribution
      .editing/lesson.json                   title, suggestions, empty cards, who wrote what
      .editing/quiz.json                     what the model knew (`lab_desktop/editing/quiz.py`)
      .editing/history.jsonl                 undo (`lab_desktop/editing/journal.py`)
      .editing/removed/                      documents that were taken out

Every file is whole or not there. Documents are written before the qna.yaml that names them, and lesson.json last: it
says which qna.yaml it belongs to, and is matched by its words where that is another one.
"""

from __future__ import annotations

import glob
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair
from lab_desktop.documents.passages import read_documents
from lab_desktop.editing.leaf import from_leaf, to_leaf
from lab_desktop.editing.lesson import (
    DraftExample,
    DraftPair,
    Lesson,
    LessonDocument,
    Mark,
    add_pairs,
)
from lab_desktop.errors import DocumentError, LabError, LeafError, RunError
from lab_desktop.files import disk_errors, read_json, write_text
from lab_desktop.paths import EDITING, documents_beside
from lab_desktop.taxonomy.qna import read_draft, to_yaml
from lab_desktop.taxonomy.tree import FILE_NAME

HIDDEN = EDITING
ATTRIBUTION = "attribution.txt"
BESIDE = f"{HIDDEN}/lesson.json"
_REMOVED = f"{HIDDEN}/removed"
_IGNORED = f"{HIDDEN}/.gitignore"
_ANY_TEXT = ("*.md", "*.markdown", "*.txt")
_MOST_ATTRIBUTION = 1_000_000

Files = dict[str, str]
"""The text of each file of a lesson, by its path below the folder."""


def read_lesson(folder: Path) -> Lesson:
    """The lesson in `folder`, complete or not.

    Raises:
        LeafError: there is no qna.yaml, it cannot be read, or writing it anew would lose something of it.
    """
    return with_beside(lesson_of(folder, read_draft(folder)), folder)


def lesson_of(folder: Path, leaf: Leaf) -> Lesson:
    """The lesson of a leaf that was read from this folder or is to be written there, with the files beside it."""
    unread: list[str] = []
    documents, patterns = _documents(folder, leaf.document, unread) if leaf.document else ([], ())
    lesson = from_leaf(leaf, documents, _attribution(folder, unread))
    return replace(lesson, patterns=patterns, unread=tuple(unread))


def files_of(lesson: Lesson, folder: Path) -> Files:
    """What is to stand in the folder, in the order in which it is written. What is empty has no file."""
    files = {document.name: document.text for document in lesson.documents if document.text.strip()}
    files[FILE_NAME] = to_yaml(to_leaf(lesson, folder))
    if lesson.attribution.strip():
        files[ATTRIBUTION] = lesson.attribution
    files[BESIDE] = _beside(lesson, files[FILE_NAME])
    return files


def write_file(folder: Path, name: str, text: str) -> None:
    """
    Raises:
        StorageError: it could not be written; an older one is untouched.
    """
    if name.startswith(f"{HIDDEN}/") and not (folder / _IGNORED).is_file():
        write_text(folder / _IGNORED, "*\n")  # git sees nothing of what is hidden, so no contribution can have it
    write_text(folder / name, text.encode("utf-8", "replace").decode("utf-8"))


def take_away(folder: Path, name: str) -> None:
    """Put a file that no longer belongs to the lesson aside, hidden; what lay aside under its name goes.

    Raises:
        StorageError: it could not be moved.
    """
    aside = folder / _REMOVED / name
    with disk_errors(folder / name, name):
        if (folder / name).is_file():
            aside.parent.mkdir(parents=True, exist_ok=True)
            (folder / name).replace(aside)


def read_text(folder: Path, name: str) -> str | None:
    """The text of a file of the lesson as it is on disk, line ends as \\n; None where there is none.

    Raises:
        LeafError: it cannot be read.
    """
    try:
        text = (folder / name).read_bytes().decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LeafError(
            f'"{name}" in {folder} cannot be opened: {error.strerror}.', "Check its permissions."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fingerprint(text: str | None) -> str:
    """Names a text; "" for a file that is not there."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _documents(folder: Path, source: DocumentSource, unread: list[str]) -> tuple[list[LessonDocument], tuple[str, ...]]:
    """The documents, and the patterns that found them; () where others lie there than are named."""
    try:
        found, patterns = documents_beside(folder, source.patterns), source.patterns
    except DocumentError:
        patterns = ()
        try:
            found = documents_beside(folder, _ANY_TEXT)
        except DocumentError:
            return [], source.patterns
    documents = []
    for path in found:
        name = path.relative_to(folder).as_posix()
        try:
            (document,) = read_documents(folder, (glob.escape(name),))
            documents.append(LessonDocument(name, document.text))
        except DocumentError:
            unread.append(f"“{name}” holds no text that can be read: take it out, or bring it anew.")
    return documents, patterns


def _attribution(folder: Path, unread: list[str]) -> str:
    try:
        if (folder / ATTRIBUTION).is_file() and (folder / ATTRIBUTION).stat().st_size > _MOST_ATTRIBUTION:
            raise LeafError(f'"{ATTRIBUTION}" in {folder} is larger than 1 MB.', "Shorten it.")
        return read_text(folder, ATTRIBUTION) or ""
    except LabError:
        unread.append("What the lesson says of its sources cannot be read.")
        return ""


def _beside(lesson: Lesson, yaml: str) -> str:
    """lesson.json: the examples in order; what stands in qna.yaml is only counted, the rest is written out."""
    value = {
        "of": fingerprint(yaml),
        "name": lesson.node[-1],
        "title": lesson.title,
        "kind": lesson.kind.value,
        "examples": [
            {
                "context": None if _is_context_written(lesson, example) else example.context,
                "pairs": [
                    {"mark": pair.mark.value, "sentence": pair.sentence}
                    if pair.is_written
                    else {
                        "mark": pair.mark.value,
                        "sentence": pair.sentence,
                        "question": pair.question,
                        "answer": pair.answer,
                    }
                    for pair in example.pairs
                ],
            }
            for example in lesson.examples
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _is_context_written(lesson: Lesson, example: DraftExample) -> bool:
    if lesson.is_knowledge:
        return bool(example.context.strip()) or any(pair.is_written for pair in example.pairs)
    return lesson.kind is LeafKind.GROUNDED_SKILL and any(pair.is_written for pair in example.pairs)


def with_beside(lesson: Lesson, folder: Path) -> Lesson:
    """The lesson with what lesson.json knows of it; a damaged one is as none, for it holds only what is undecided."""
    try:
        value = read_json(folder / BESIDE, "of", "name", "title", "kind", "examples")
        return _merged(lesson, value, folder)
    except (RunError, KeyError, TypeError, ValueError, AttributeError, StopIteration):
        return lesson


def _merged(lesson: Lesson, value: dict[str, Any], folder: Path) -> Lesson:
    if value["name"] == lesson.node[-1]:  # else the folder was renamed, and its name is the newer title
        lesson = replace(lesson, title=str(value["title"]))
    kind = LeafKind(value["kind"])
    if kind is LeafKind.GROUNDED_SKILL and lesson.kind is LeafKind.FREEFORM_SKILL and not lesson.examples:
        lesson = replace(lesson, kind=kind)
    if fingerprint(read_text(folder, FILE_NAME)) == value["of"]:
        return _in_order(lesson, value["examples"])
    return _by_words(lesson, value["examples"])


def _in_order(lesson: Lesson, rows: list[dict[str, Any]]) -> Lesson:
    """The same qna.yaml: its examples and pairs are taken in order wherever a row says that they were written."""
    written = iter(lesson.examples)
    last = 0
    examples = []
    for row in rows:
        has_pairs = any("question" not in each for each in row["pairs"])
        source = next(written) if row["context"] is None or has_pairs else DraftExample(0)
        told = iter(source.pairs)
        last += 1
        identity = last
        pairs = []
        for each in row["pairs"]:
            last += 1
            pair = next(told) if "question" not in each else DraftPair(0, str(each["question"]), str(each["answer"]))
            pairs.append(replace(pair, id=last, mark=Mark(each["mark"]), sentence=str(each["sentence"])))
        context = source.context if row["context"] is None else str(row["context"])
        examples.append(DraftExample(identity, context, tuple(pairs)))
    if next(written, None) is not None:
        raise ValueError("more examples than were written")
    return replace(lesson, examples=tuple(examples), last_id=last)


def _by_words(lesson: Lesson, rows: list[dict[str, Any]]) -> Lesson:
    """Another qna.yaml: suggestions go to the example that stood at their place, where there still is one."""
    for place, row in enumerate(rows):
        waiting = [each for each in row["pairs"] if each["mark"] == Mark.SUGGESTED.value]
        if not waiting or not lesson.is_knowledge or place >= len(lesson.examples):
            continue
        pairs = [Pair(str(each["question"]), str(each["answer"])) for each in waiting]
        sentences = [str(each["sentence"]) for each in waiting]
        lesson = add_pairs(lesson, lesson.examples[place].id, pairs, Mark.SUGGESTED, sentences)
    return lesson
