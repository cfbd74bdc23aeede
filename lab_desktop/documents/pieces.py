"""Words with places, and what they form: pieces of words close to each other, rows of pieces on one line.

Places are in points, y grows upwards.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_PIECE_GAP = 1.1
"""Of the letter size: a wider gap parts pieces. Words of justified lines stand closer."""
BIGGER = 1.15
"""Times the usual size: a heading."""

BULLET = re.compile(r"^[•‣▪▫◦●○■□–—∙·⁃*-](?=\s|$)")
NUMBERED = re.compile(r"^(\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])(?=\s|$)")
_SECTION = re.compile(r"^\d{1,2}(\.\d{1,2})*\.?$")


class Word(NamedTuple):
    """A word and its place.

    Attributes:
        text: in the order in which it is read.
        left, right: edges.
        base: the line it stands on.
        size: of its letters.
        is_spaced: the file has a blank before it.
        is_code: its letters are all equally wide.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    is_bold: bool = False
    is_italic: bool = False
    is_spaced: bool = True
    is_code: bool = False


@dataclass
class Page:
    """What is on a page.

    Attributes:
        number: from 1.
        letters: how many.
        unreadable: letters that have a shape but no meaning.
        sideways: letters that run another way than most; they are not in `words`.
        is_scanned: a picture with hardly a letter.
    """

    number: int
    width: float
    height: float
    words: list[Word]
    letters: int = 0
    unreadable: int = 0
    sideways: int = 0
    pictures: int = 0
    is_scanned: bool = False
    is_damaged: bool = False


@dataclass
class Piece:
    """Words beside each other, without a wide gap."""

    words: list[Word]
    left: float = field(init=False)
    right: float = field(init=False)
    base: float = field(init=False)
    size: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = min(word.left for word in self.words)
        self.right = max(word.right for word in self.words)
        sizes: Counter[float] = Counter()
        for word in self.words:
            sizes[word.size] += len(word.text)
        self.size = max(sizes, key=lambda size: (sizes[size], size))
        self.base = next(word.base for word in self.words if word.size == self.size)

    @property
    def width(self) -> float:
        return self.right - self.left


Row = list[Piece]


def is_rtl(text: str) -> bool:
    """True when more of its letters are read from right to left."""
    if text.isascii():
        return False
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


def pieces_of(words: Iterable[Word]) -> list[Piece]:
    """Words to pieces, from the top of the page down, from left to right."""
    rows: list[list[Word]] = []
    biggest: list[Word] = []
    for word in sorted(words, key=lambda word: -word.base):
        # Small letters that are set high or low come before or after the line they belong to.
        for place in range(len(rows) - 1, max(-1, len(rows) - 4), -1):
            if abs(biggest[place].base - word.base) <= 0.6 * min(biggest[place].size, word.size):
                rows[place].append(word)
                biggest[place] = max(biggest[place], word, key=lambda other: other.size)
                break
        else:
            rows.append([word])
            biggest.append(word)
    pieces = []
    for row in rows:
        row.sort(key=lambda word: word.left)
        together = [row[0]]
        right = row[0].right
        for word in row[1:]:
            if word.left - right > _PIECE_GAP * max(word.size, together[-1].size):
                pieces.append(Piece(together))
                together = []
            together.append(word)
            right = max(right, word.right)
        pieces.append(Piece(together))
    return pieces


def in_rows(pieces: Iterable[Piece]) -> list[Row]:
    """Pieces on one line together."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and abs(rows[-1][0].base - piece.base) <= 0.5 * min(rows[-1][0].size, piece.size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda piece: piece.left)
    return [_with_markers(row) for row in rows]


def _with_markers(row: Row) -> Row:
    """A bullet or number that stands apart is joined to its text; in a wider row it may be a cell."""
    if len(row) != 2:
        return row
    mark = plain_text(row[0].words)
    is_section = bool(_SECTION.match(mark)) and all(word.is_bold for word in row[0].words + row[1].words)
    if row[1].left - row[0].right < 6 * row[0].size and (
        BULLET.fullmatch(mark) or NUMBERED.fullmatch(mark) or is_section
    ):
        return [Piece([*row[0].words, *row[1].words])]
    return row


def with_drop_caps(pieces: list[Piece], body: float) -> list[Piece]:
    """A letter of several lines' height begins the line at its top."""
    caps = [
        piece for piece in pieces if len(piece.words) == 1 and len(piece.words[0].text) == 1 and (
            piece.size > 1.8 * body and piece.words[0].text.isalpha()
        )
    ]  # fmt: skip
    for cap in caps:
        beside = [
            piece
            for piece in pieces
            if 0 <= piece.left - cap.right < 2 * body and cap.base - 0.3 * body <= piece.base <= cap.base + cap.size
        ]
        if beside:
            first = max(beside, key=lambda piece: piece.base)
            word = first.words[0]
            first.words[0] = word._replace(text=cap.words[0].text + word.text)
            pieces = [piece for piece in pieces if piece is not cap]
    return pieces


def row_text(row: Row) -> str:
    """The words of a row, with a blank between its pieces."""
    return " ".join(plain_text(piece.words) for piece in row)


def letters_of(piece: Piece) -> int:
    """How many."""
    return sum(len(word.text) for word in piece.words)


def distance(one: Word, two: Word) -> float:
    """Between two words on a line, whichever comes first; negative where they overlap."""
    return max(two.left - one.right, one.left - two.right)


def plain_text(words: Sequence[Word]) -> str:
    """Words one after the other, without emphasis."""
    text = words[0].text if words else ""
    for before, word in itertools.pairwise(words):
        text += (" " if word.is_spaced or distance(before, word) > 0.2 * word.size else "") + word.text
    return text
