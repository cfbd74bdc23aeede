"""Finding in an index: lessons by the words in them, lessons like another, and topics where a new one may belong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.index import neighbours
from lab_desktop.taxonomy.index.entries import Entry
from lab_desktop.taxonomy.index.file import IndexFile
from lab_desktop.taxonomy.index.glance import MOST_DOCUMENT_BYTES, Piece, read_bytes
from lab_desktop.taxonomy.index.search import Question, Snippet, part_with, separated, snippet, tokens
from lab_desktop.taxonomy.source import SourceProblem
from lab_desktop.taxonomy.tree import READ_ONLY


@dataclass(frozen=True)
class Hit:
    """A lesson that was searched for.

    Attributes:
        where: the text in which most of the words stand: "title", "description", "question", "answer", "passage",
            "document" or "author".
        example, pair: the number of that text in the lesson, from 0; -1 where it has none.
        document: the file beside the lesson, "" elsewhere.
    """

    entry: Entry
    snippet: Snippet
    where: str = "title"
    example: int = -1
    pair: int = -1
    document: str = ""


@dataclass(frozen=True)
class Near:
    """A lesson much like another.

    Attributes:
        score: 0–1; from about 0.5 on it may be the same topic.
        why: one or two sentences.
    """

    entry: Entry
    score: float
    why: str


@dataclass(frozen=True)
class Place:
    """A topic where a new lesson may belong.

    Attributes:
        path: the topic's folder relative to the tree.
        score: compares the places of one answer.
        words: what the new lesson shares with what lies there.
        neighbours: the lessons there that are most like it.
    """

    path: str
    score: float
    words: tuple[str, ...]
    neighbours: tuple[Entry, ...]

    @property
    def title(self) -> str:
        return title_of(self.path.rpartition("/")[2])


class Finder:
    """Answers questions from an index's file."""

    def __init__(self, root: Path, file: IndexFile, entry: Callable[[str], Entry | None]) -> None:
        """
        Args:
            root: the tree, without links on the way.
            entry: the lesson at a path.
        """
        self._root = root
        self._file = file
        self._entry = entry

    def search(self, text: str, limit: int = 30) -> list[Hit]:
        """Lessons with every word of `text` in their names, descriptions, questions, answers, passages or documents.

        The last word may be only begun. Words typed without a blank between them stand in a row.
        """
        question = Question.of(text)
        found = [self._entry(path) for path, _ in self._file.matching(question, limit)]
        return [self._hit(entry, question) for entry in found if entry is not None]

    def near(self, topic: str | Entry, limit: int = 5) -> list[Near]:
        """Lessons that may be about the same, by name, description and questions; the most alike first."""
        if isinstance(topic, Entry):
            own = self._subject(topic)
            but = topic.path
        else:
            own, but = neighbours.Subject(topic), ""
        found = []
        for entry, _, subject in self._alike(own):
            score, why = neighbours.likeness(own, subject)
            if score >= neighbours.LEAST and entry.path != but:
                found.append(Near(entry, score, why))
        return sorted(found, key=lambda near: (-near.score, near.entry.path))[:limit]

    def places_for(
        self, topics: Mapping[str, Sequence[Entry]], title: str, description: str = "", root: str = "", limit: int = 3
    ) -> list[Place]:
        """Topics where a new lesson may belong, best first, by the words that it shares with what lies there.

        Args:
            topics: the lessons right in each topic.
            root: look below this folder only, e.g. "knowledge"; by default everywhere people may add lessons.
        """
        own = neighbours.Subject(title, (description,))
        allowed = [path for path in topics if _is_below(path, root) and not _is_below(path, READ_ONLY)]
        alike = self._alike(own)
        found = neighbours.places(own, allowed, [(entry.topic, score, subject) for entry, score, subject in alike])
        places = []
        for path, score, words in found[:limit]:
            there = [entry for entry, _, _ in alike if entry.topic == path]
            there += [entry for entry in topics.get(path, ()) if entry not in there]
            places.append(Place(path, score, words, tuple(there[: neighbours.SHOWN])))
        return places

    def _pieces(self, path: str) -> list[Piece]:
        return [Piece(*piece) for piece in json.loads(self._file.pieces(path))]

    def _subject(self, entry: Entry) -> neighbours.Subject:
        pieces = self._pieces(entry.path)
        return neighbours.Subject(
            entry.title,
            tuple(piece.text for piece in pieces if piece.where == "description"),
            tuple(piece.text for piece in pieces if piece.where == "question"),
        )

    def _alike(self, own: neighbours.Subject) -> list[tuple[Entry, float, neighbours.Subject]]:
        """The lessons that share most words with `own`, best first; their texts in the form that is compared."""
        found = self._file.with_any(own.words(), neighbours.MOST_COMPARED)
        texts = self._file.subjects(path for path, _ in found)
        return [
            (entry, score, neighbours.Subject(entry.title, *map(separated, texts[path])))
            for path, score in found
            if (entry := self._entry(path)) is not None and path in texts
        ]

    def _hit(self, entry: Entry, question: Question) -> Hit:
        """Where in a lesson most of what was asked for stands."""
        best, most = Piece("title", entry.title), -1
        for piece in [*self._pieces(entry.path), Piece("author", entry.author)]:
            if piece.where == "document" and most < len(question.groups):
                piece = self._part_of_document(entry, piece, question)
            count = len(question.found_in(tokens(piece.text))) if piece.text else 0
            if count > most:
                best, most = piece, count
            if most == len(question.groups):
                break
        return Hit(entry, snippet(best.text, question), best.where, best.example, best.pair, best.document)

    def _part_of_document(self, entry: Entry, piece: Piece, question: Question) -> Piece:
        file = os.path.join(self._root, entry.path, piece.document)  # noqa: PTH118
        try:
            data = read_bytes(file, str(self._root), MOST_DOCUMENT_BYTES, cut=True)
        except SourceProblem:
            return piece
        return replace(piece, text=part_with(data.decode("utf-8", "replace"), question))


def _is_below(path: str, root: str) -> bool:
    return not root or path == root or path.startswith(f"{root}/")
