"""Lessons that began in a chat: what the model got wrong, what it should have said, and where that stands.

A draft is a folder `<root>/<slug>` with a qna.yaml: a knowledge leaf where the answer stands in a passage (the passages
lie beside it in passages.md), else a freeform skill. It grows by one question at a time and is no whole lesson yet:
author, description and number of examples are left for its editor, whose checks say what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.files import write_text
from lab_desktop.taxonomy.qna import write_leaf
from lab_desktop.taxonomy.source import SourceProblem, read_source
from lab_desktop.taxonomy.tree import FILE_NAME

PASSAGES = "passages.md"
_OURS = {
    LeafKind.KNOWLEDGE: {"version", "created_by", "domain", "document_outline", "seed_examples", "document"},
    LeafKind.FREEFORM_SKILL: {"version", "created_by", "task_description", "seed_examples"},
}


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
            leaf = _read(folder, kind)
        except LeafError:
            continue  # changed by hand: left alone, the next question begins another
        return Draft(folder, leaf.title, sum(len(example.pairs) for example in leaf.seed_examples))
    return None


def keep(root: Path, project: str, question: str, answer: str, passage: str = "", into: Draft | None = None) -> Draft:
    """Write a question into a draft, or begin one with it.

    The same question of the same passage gets the new answer.

    Raises:
        LeafError: `into` is not what it was, so nothing was written to it.
        StorageError: it could not be written; what was there is untouched.
    """
    question, answer, passage = question.strip(), answer.strip(), passage.strip()
    kind = LeafKind.KNOWLEDGE if passage else LeafKind.FREEFORM_SKILL
    if into is None:
        leaf = _empty(_free(root, _slug(project, kind)), kind)
    else:
        leaf = _read(into.folder, kind)
    examples = _with(list(leaf.seed_examples), Pair(question, answer), passage or None)
    if passage:
        _keep_passage(leaf.folder / PASSAGES, passage)
    write_leaf(replace(leaf, seed_examples=tuple(examples)), leaf.folder)
    return Draft(leaf.folder, leaf.title, sum(len(example.pairs) for example in examples))


def _with(examples: list[SeedExample], pair: Pair, context: str | None) -> list[SeedExample]:
    for number, example in enumerate(examples):
        asked = [each.question for each in example.pairs]
        if example.context != context or (context is None and pair.question not in asked):
            continue
        pairs = [pair if each.question == pair.question else each for each in example.pairs]
        if pair.question not in asked:
            pairs.append(pair)
        examples[number] = SeedExample(tuple(pairs), context)
        return examples
    return [*examples, SeedExample((pair,), context)]


def _keep_passage(file: Path, passage: str) -> None:
    try:
        known = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ""
    except (OSError, UnicodeDecodeError) as error:
        raise LeafError(
            f'"{file.name}" in {file.parent} cannot be read, so nothing was added.', "Begin a new draft.", str(error)
        ) from error
    if passage not in known:
        write_text(file, f"{known.rstrip()}\n\n{passage}\n".lstrip("\n"))


def _empty(folder: Path, kind: LeafKind) -> Leaf:
    is_knowledge = kind is LeafKind.KNOWLEDGE
    root = "knowledge" if is_knowledge else "compositional_skills"
    document = DocumentSource("", "", (PASSAGES,)) if is_knowledge else None
    return Leaf((root, folder.name), folder, kind, 3, "", (), document=document)


def _read(folder: Path, kind: LeafKind) -> Leaf:
    """The draft as far as it was written; unlike a lesson it may be incomplete.

    Raises:
        LeafError: there is something in it that writing it anew would lose.
    """
    changed = LeafError(f'The draft in "{folder}" was changed and cannot be added to.', "Begin a new draft.")
    try:
        value = read_source(folder / FILE_NAME).value
    except SourceProblem as error:
        raise changed from error
    if not isinstance(value, dict) or not value.keys() <= _OURS[kind]:
        raise changed
    is_knowledge = kind is LeafKind.KNOWLEDGE
    try:
        leaf = _empty(folder, kind)
        if is_knowledge:
            document = value["document"]
            source = DocumentSource(document["repo"], document["commit"], tuple(document["patterns"]))
            leaf = replace(leaf, document=source)
        return replace(
            leaf,
            created_by=_text(value.get("created_by", "")),
            task_description=_text(value.get("task_description", "")),
            domain=_text(value.get("domain", "")),
            document_outline=_text(value.get("document_outline", "")),
            seed_examples=tuple(_example(each, is_knowledge) for each in value["seed_examples"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise changed from error


def _example(value: dict[str, Any], is_knowledge: bool) -> SeedExample:
    if not is_knowledge:
        return SeedExample((_pair(value),))
    if value.keys() != {"context", "questions_and_answers"}:
        raise ValueError(value)
    return SeedExample(tuple(_pair(pair) for pair in value["questions_and_answers"]), _text(value["context"]))


def _pair(value: dict[str, Any]) -> Pair:
    if value.keys() != {"question", "answer"}:
        raise ValueError(value)
    return Pair(_text(value["question"]), _text(value["answer"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


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
