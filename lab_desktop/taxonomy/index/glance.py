"""A leaf's texts, read quickly and from anything that may lie there.

For finding, not for judging: YAML's events are taken as they come, nothing is built from them, so aliases cannot
explode and depth costs nothing. Where the fast parser stumbles the one that judges has the last word.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab_desktop.artifacts import LeafKind
from lab_desktop.taxonomy.source import MOST_DEPTH, SourceProblem, read_source
from lab_desktop.taxonomy.words import Steps

MOST_BYTES = 300_000
"""Of a qna.yaml that is read here. A full lesson has 2,300 words: 15,000 bytes."""
MOST_DOCUMENT_BYTES = 300_000
MOST_DOCUMENTS = 20

_TOP = frozenset({"version", "created_by", "task_description", "domain", "document_outline", "document"})
_TEXTS = {"context": "passage", "question": "question", "answer": "answer"}


@dataclass(frozen=True)
class Piece:
    """A text of a leaf, and where it stands.

    Attributes:
        where: "title", "description", "question", "answer", "passage" or "document".
        example, pair: its number in the file, from 0; -1 where it stands in none.
        document: the file's name where it is a document's.
    """

    where: str
    text: str
    example: int = -1
    pair: int = -1
    document: str = ""


@dataclass(frozen=True)
class Glance:
    """What a qna.yaml says, valid or not.

    Attributes:
        pieces: descriptions, passages, questions and answers in the order of the file.
        has_document: it names documents, which makes it knowledge where its place does not decide.
        has_context: its first example has a passage or material.
    """

    pieces: tuple[Piece, ...]
    examples: int
    author: str
    version: int
    has_document: bool
    has_context: bool


def glance(data: bytes, file: Path) -> Glance:
    """What the bytes of `file` say.

    Raises:
        SourceProblem: they are no text or no YAML.
    """
    try:
        text = data.decode("utf-8")
        return _gathered(_scalars(text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        source = read_source(file)
        try:
            return _gathered(_scalars(source.text, yaml.SafeLoader))
        except yaml.YAMLError as error:  # it was changed between the two readings
            raise SourceProblem("The file is not YAML.", "Open it and mend it.") from error


def read_bytes(file: str, root: str, most: int, cut: bool = False) -> bytes:
    """A file's bytes, whatever lies there under its name; never waits.

    Args:
        root: the folder, without links on the way, that a link may not lead out of.
        most: larger files are refused, or with `cut` read to here.

    Raises:
        SourceProblem: it cannot be opened, is no ordinary file, is too large, or is a link that leads out.
    """
    try:
        if os.path.islink(file) and not os.path.realpath(file).startswith(os.path.join(root, "")):  # noqa: PTH114, PTH118
            raise SourceProblem("The file is a link that leads out of the library.", "Copy the file itself here.")
        # A pipe would wait for its writer.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise SourceProblem("Under this name lies no ordinary file.", "Delete it, or rename it.")
            if found.st_size > most and not cut:
                raise SourceProblem(
                    f"The file has {found.st_size / 1000:,.0f} kB; up to {most / 1000:,.0f} kB are read here.",
                    "Keep long documents in files of their own, and only short passages here.",
                )
            with open(handle, "rb", closefd=False) as opened:
                return opened.read(most)
        finally:
            os.close(handle)
    except OSError as error:
        raise SourceProblem(f"The file cannot be opened: {error.strerror}.", "Check its permissions.") from error


def _gathered(scalars: Iterator[tuple[Steps, str]]) -> Glance:
    # A field written twice counts as YAML counts it: the last.
    found = dict(scalars)
    pieces = []
    numbers = set()
    contexts = set()
    for steps, text in found.items():
        if len(steps) == 1 and steps[0] in ("task_description", "domain", "document_outline"):
            pieces.append(Piece("description", text))
        elif len(steps) >= 3 and steps[0] == "seed_examples" and isinstance(steps[1], int):
            numbers.add(steps[1])
            where = _TEXTS.get(str(steps[-1]))
            if steps[2:] == ("context",):
                contexts.add(steps[1])
            if where is None or not text.strip():
                continue
            pair = steps[3] if len(steps) == 5 and isinstance(steps[3], int) else -1
            pieces.append(Piece(where, text, steps[1], pair))
    version = found.get(("version",), "1")
    return Glance(
        tuple(pieces),
        len(numbers),
        found.get(("created_by",), ""),
        int(version) if version.isascii() and version.isdigit() and len(version) < 4 else 0,
        any(steps[0] == "document" for steps in found),
        0 in contexts,
    )


@dataclass(slots=True)
class _Level:
    """A list or group that is open. Attributes: step: the name or number in it that is being read."""

    is_group: bool
    step: str | int
    at_name: bool


def _scalars(text: str, parser: type[yaml.SafeLoader | yaml.CSafeLoader]) -> Iterator[tuple[Steps, str]]:
    """Every text of the first document that stands where a leaf has texts, with its steps."""
    levels: list[_Level] = []
    anchors: dict[str, str] = {}
    documents = 0
    for event in yaml.parse(text, Loader=parser):
        if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            value = event.value if isinstance(event, yaml.ScalarEvent) else anchors.get(event.anchor or "", "")
            if isinstance(event, yaml.ScalarEvent) and event.anchor:
                anchors[event.anchor] = value
            if not levels:
                continue
            top = levels[-1]
            if not top.is_group:
                top.step = int(top.step) + 1
            elif top.at_name:
                top.step, top.at_name = value, False
                continue
            else:
                top.at_name = True
            if len(levels) <= 5:
                steps = tuple(level.step for level in levels)
                if len(steps) > 1 or steps[0] in _TOP:
                    yield steps, value
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(levels) >= MOST_DEPTH:
                raise SourceProblem(f"More than {MOST_DEPTH} lists or groups lie inside each other.", "Use quotes.")
            if levels and not levels[-1].is_group:
                levels[-1].step = int(levels[-1].step) + 1
            elif levels and levels[-1].at_name:
                levels[-1].step = ""
            is_group = isinstance(event, yaml.MappingStartEvent)
            levels.append(_Level(is_group, "" if is_group else -1, is_group))
        elif isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            if levels and levels[-1].is_group:
                levels[-1].at_name = not levels[-1].at_name
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                return


def kind_of(found: Glance, is_knowledge: bool) -> LeafKind:
    """What a leaf teaches, by what it says so far."""
    if is_knowledge:
        return LeafKind.KNOWLEDGE
    return LeafKind.GROUNDED_SKILL if found.has_context else LeafKind.FREEFORM_SKILL
