"""One lesson from the disk for the index: what it holds, and the words by which it is found."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.badges import Badge
from lab_desktop.taxonomy.index.entries import Entry
from lab_desktop.taxonomy.index.glance import (
    MOST_BYTES,
    MOST_DOCUMENT_BYTES,
    MOST_DOCUMENTS,
    Glance,
    Piece,
    glance,
    kind_of,
    read_bytes,
)
from lab_desktop.taxonomy.index.search import stored
from lab_desktop.taxonomy.index.survey import Seen
from lab_desktop.taxonomy.source import SourceProblem
from lab_desktop.taxonomy.tree import FILE_NAME, is_knowledge

_COLUMNS = ("title", "description", "question", "answer", "passage", "document", "author")
_COUNTED = ("question", "answer", "passage")


@dataclass(frozen=True)
class Read:
    """A lesson as it was just read; without `pieces` (JSON) and words (for each column) where it is as it was."""

    entry: Entry
    seen: Seen
    pieces: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Entry, seen: Seen, pieces: list[Piece], documents: list[tuple[str, str]]) -> Read:
        texts = {"document": [text for _, text in documents], "author": [entry.author]}
        for piece in pieces:
            texts.setdefault(piece.where, []).append(piece.text)
        shown = [[piece.where, piece.text, piece.example, piece.pair] for piece in pieces]
        shown += [["document", "", -1, -1, name] for name, _ in documents]
        return cls(entry, seen, json.dumps(shown), tuple(stored(texts.get(where, ())) for where in _COLUMNS))


def read_lesson(root: Path, seen: Seen, known: Entry) -> Read:
    """One lesson from the disk; nothing that lies there makes this fail.

    Args:
        root: the tree, without links on the way.
        known: what is known of it already; its texts are left alone where it still is so.
    """
    folder = os.path.join(root, seen.path)  # noqa: PTH118
    entry = Entry(seen.path, seen.stamp if seen.settled else "", modified_ns=seen.modified_ns, mark=known.mark)
    pieces = [Piece("title", _place(seen.path))]
    problem = ""
    try:
        data = read_bytes(os.path.join(folder, seen.file), str(root), MOST_BYTES)  # noqa: PTH118
    except SourceProblem as error:
        data, problem = error.message.encode("utf-8", "replace"), error.message
    digest = f"{digest_of(data, seen)}-"
    documents = _documents(root, folder, seen)
    digest += digest_of("\0".join(text for _, text in documents).encode("utf-8"), None)
    if digest == known.digest:
        # Read again only because it was so new: all that is known still holds.
        return Read(replace(known, stamp=entry.stamp, modified_ns=seen.modified_ns), seen)
    if not problem:
        try:
            found = glance(data, Path(folder, seen.file))
            entry = _filled(entry, found, root)
            pieces += found.pieces
        except SourceProblem as error:
            problem = f"Line {error.line}: {error.message}"
    if not problem and seen.file != FILE_NAME:
        problem = f'The file is named "{seen.file}"; only "{FILE_NAME}" is found by InstructLab.'
    if problem:
        entry = replace(entry, verdict=Badge.PROBLEM, problem=clean(problem))
    return Read.of(replace(entry, digest=digest), seen, pieces, documents)


def _documents(root: Path, folder: str, seen: Seen) -> list[tuple[str, str]]:
    """(name, text) of the documents beside a lesson, as far as they can be read."""
    found = []
    for name in seen.documents[:MOST_DOCUMENTS]:
        try:
            data = read_bytes(os.path.join(folder, name), str(root), MOST_DOCUMENT_BYTES, cut=True)  # noqa: PTH118
        except SourceProblem:
            continue
        found.append((name, data.decode("utf-8", "replace")))
    return found


def digest_of(data: bytes, seen: Seen | None) -> str:
    """Another one whenever the file or a name beside it is another."""
    names = os.fsencode("\n".join([seen.file, *seen.names])) if seen else b""
    return hashlib.blake2b(b"%d\n%b%b" % (len(data), data, names), digest_size=12).hexdigest()


def clean(text: str) -> str:
    """Without half characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _place(path: str) -> str:
    """The way to a lesson in words: "Geography › Velmora"."""
    _, *names = path.split("/")
    return " › ".join(title_of(name) for name in names) or title_of(path)


def _filled(entry: Entry, found: Glance, root: Path) -> Entry:
    knowledge = is_knowledge(root / entry.path, found.has_document)
    return replace(
        entry,
        kind=kind_of(found, knowledge),
        questions=sum(piece.where == "question" for piece in found.pieces),
        examples=found.examples,
        words=sum(len(piece.text.split()) for piece in found.pieces if piece.where in _COUNTED),
        author=clean(found.author)[:200],
        version=found.version,
    )
