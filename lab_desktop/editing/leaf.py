"""A lesson from the leaf that a qna.yaml says, and the leaf that a lesson is written as.

Reads and writes no file.
"""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.editing.lesson import (
    LOCAL_COMMIT,
    LOCAL_REPO,
    DraftExample,
    Lesson,
    LessonDocument,
    add_example,
    clean,
)


def from_leaf(leaf: Leaf, documents: Iterable[LessonDocument] = (), attribution: str = "") -> Lesson:
    """The lesson of a leaf, which may be incomplete. A mixed skill becomes a grounded one with empty material."""
    source = leaf.document or DocumentSource("", "", ())
    kind = leaf.kind
    if kind is LeafKind.FREEFORM_SKILL and any(example.context is not None for example in leaf.seed_examples):
        kind = LeafKind.GROUNDED_SKILL
    lesson = Lesson(
        kind,
        leaf.node,
        clean(leaf.title),
        clean(leaf.created_by),
        clean(leaf.task_description),
        clean(leaf.domain),
        clean(leaf.document_outline),
        repo=clean(source.repo) or LOCAL_REPO,
        commit=clean(source.commit) or LOCAL_COMMIT,
        patterns=source.patterns,
        attribution=clean(attribution),
        documents=tuple(sorted(documents, key=lambda each: each.name)),
    )
    for example in leaf.seed_examples:
        lesson = add_example(lesson, example.context or "", example.pairs)
    return lesson


def with_ids_of(lesson: Lesson, earlier: Lesson) -> Lesson:
    """The lesson with the ids that the same examples and pairs had before, so that the editor stays where it is.

    An example is the same when its passage is (of a skill: its question), else when it stands at the same place.
    """
    free = {each.id: each for each in earlier.examples}
    same: dict[int, DraftExample] = {}
    for is_exact in (True, False):
        for place, example in enumerate(lesson.examples):
            found = (
                (each for each in free.values() if _core(lesson, each) == _core(lesson, example))
                if is_exact
                else (each for each in earlier.examples[place : place + 1] if each.id in free)
            )
            if example.id not in same and (match := next(found, None)) is not None:
                same[example.id] = free.pop(match.id)
    last = max(earlier.last_id, lesson.last_id)
    examples = []
    for example in lesson.examples:
        match = same.get(example.id)
        known = {pair.question: pair for pair in reversed(match.pairs)} if match else {}
        pairs = []
        for pair in example.pairs:
            before = known.pop(pair.question, None)
            last += before is None
            mark = before.mark if before and before.answer == pair.answer and before.is_written else pair.mark
            pairs.append(replace(pair, id=before.id if before else last, mark=mark))
        last += match is None
        examples.append(replace(example, id=match.id if match else last, pairs=tuple(pairs)))
    return replace(lesson, examples=tuple(examples), last_id=last)


def to_leaf(lesson: Lesson, folder: Path) -> Leaf:
    """What its qna.yaml says: suggestions, empty cards and empty examples are left out."""
    examples = []
    for example in lesson.examples:
        pairs = tuple(Pair(pair.question, pair.answer) for pair in example.pairs if pair.is_written)
        if lesson.is_knowledge:
            if pairs or example.context.strip():
                examples.append(SeedExample(pairs, example.context))
        else:
            context = example.context if lesson.is_grounded else None
            examples += [SeedExample((pair,), context) for pair in pairs]
    document = DocumentSource(lesson.repo, lesson.commit, patterns(lesson)) if lesson.is_knowledge else None
    return Leaf(
        lesson.node,
        folder,
        lesson.kind,
        3,
        lesson.created_by,
        tuple(examples),
        "" if lesson.is_knowledge else lesson.task_description,
        lesson.domain if lesson.is_knowledge else "",
        lesson.document_outline if lesson.is_knowledge else "",
        document,
    )


def patterns(lesson: Lesson) -> tuple[str, ...]:
    """`document.patterns`: as they were read while they find every document, else the documents' names."""
    names = [document.name for document in lesson.documents]
    kept = lesson.patterns
    if not names or (kept and all(any(_finds(each, name) for each in kept) for name in names)):
        return kept
    return tuple(glob.escape(name) for name in names)


def _core(lesson: Lesson, example: DraftExample) -> str:
    """What makes an example the one that it is."""
    if lesson.is_knowledge:
        return example.context
    return example.pairs[0].question if example.pairs else ""


def _finds(pattern: str, name: str) -> bool:
    steps, parts = pattern.split("/"), name.split("/")
    if "**" in steps:
        return fnmatch.fnmatchcase(name, pattern.replace("**/", "*"))
    return len(steps) == len(parts) and all(map(fnmatch.fnmatchcase, parts, steps))
