"""Documents beside a leaf, and the passages a teacher reads one at a time.

A passage ends where the document takes a breath: at a heading, else a paragraph, else a sentence, else a word. It is
never longer than asked for, counted with the teacher's own tokenizer, and begins with the headings it stood under.
Every word of the document is in a passage; headings and the head of a long table are repeated where that helps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.artifacts import Passage
from lab_desktop.documents.markdown import is_code, is_table, sections
from lab_desktop.errors import DocumentError
from lab_desktop.paths import documents_beside
from lab_desktop.words import BREATH

MOST_BYTES = 50_000_000
FEWEST_TOKENS = 16

_HEADINGS_SHARE = 3
"""Headings may take this part (one third) of a passage; outer ones are left out beyond it."""
_MERGED_SHARE = 2
"""Neighbouring short sections share a passage while it stays below this part (one half) of the most."""
_LETTERS_PER_TOKEN = 20
"""No tokenizer averages more over a text, so a longer one is cut without counting it whole."""
_PARAGRAPH = "\n\n"

CountTokens = Callable[[str], int]


@dataclass(frozen=True)
class Document:
    """A text to learn from: its file, and its content with \\n as line end."""

    path: Path
    text: str


def read_documents(folder: Path, patterns: tuple[str, ...]) -> list[Document]:
    """The documents that a leaf in `folder` names, sorted by name. Nothing is fetched.

    Raises:
        DocumentError: as in `paths.documents_beside`, or one is empty, not UTF-8, or not text at all.
    """
    return [Document(path, _read(path)) for path in documents_beside(folder, patterns)]


def passages(documents: Iterable[Document], count_tokens: CountTokens, most_tokens: int) -> list[Passage]:
    """Cut `documents` into passages of at most `most_tokens`, headings included.

    Args:
        documents: in reading order.
        count_tokens: tokens of a text, by the tokenizer of the model that will read it.
        most_tokens: at least 16.

    Cost: each part of the text is counted about three times, whatever its length.

    Raises:
        DocumentError: there is nothing but headings.
    """
    if most_tokens < FEWEST_TOKENS:
        raise ValueError(f"most_tokens is {most_tokens}, and the least is {FEWEST_TOKENS}")
    found: list[Passage] = []
    names = []
    for document in documents:
        names.append(f'"{document.path.name}"')
        for heading, text in _cut(document.text, count_tokens, most_tokens):
            found.append(Passage(len(found), document.path, heading, text))
    if not found:
        raise DocumentError(
            f"There is no text below the headings of {', '.join(names) or 'the documents'}.",
            "Write the text to learn from, then start again.",
        )
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DocumentError(f'"{path.name}" is larger than {MOST_BYTES // 1_000_000} MB.', "Split it.")
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(
            f'"{path.name}" in {path.parent} cannot be opened: {error.strerror}.', "Check its permissions."
        ) from error
    # UTF-16 is full of zero bytes, so it is asked for before them.
    is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data and not is_utf16:
        raise DocumentError(f'"{path.name}" is not a text: it has zero bytes.', "Save the document as Markdown.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = "" if is_utf16 else f" (line {line})"
        raise DocumentError(
            f'"{path.name}" has characters that are not UTF-8{where}.',
            "Open it in an editor and save it with the encoding UTF-8.",
        ) from error
    if not text.strip():
        raise DocumentError(f'"{path.name}" is empty.', "Write the text to learn from, or name another document.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class _Piece:
    """Text that stays together.

    Attributes:
        headings: the path of headings above it.
        text: neither begins nor ends with blanks.
        joint: what stood between it and the text before.
        tokens: of text and joint.
    """

    headings: tuple[str, ...]
    text: str
    joint: str
    tokens: int


def _cut(text: str, count_tokens: CountTokens, most_tokens: int) -> Iterator[tuple[str, str]]:
    """(heading, text) of each passage: pieces are collected while they fit."""
    collected: list[_Piece] = []
    tokens = 0
    for headings, blocks in sections(text):
        heading_tokens, kept = _short_enough(headings, count_tokens, most_tokens // _HEADINGS_SHARE)
        knife = _Knife(kept, count_tokens, most_tokens - heading_tokens)
        pieces = [piece for block in blocks for piece in knife.block(block)]
        section_tokens = heading_tokens + sum(piece.tokens for piece in pieces)
        # A section begins a passage of its own, unless it and what is collected are both short.
        if collected and tokens + section_tokens > most_tokens // _MERGED_SHARE:
            yield from _fitting(collected, count_tokens, most_tokens)
            collected, tokens = [], 0
        tokens += heading_tokens
        for piece in pieces:
            if collected and tokens + piece.tokens > most_tokens:
                yield from _fitting(collected, count_tokens, most_tokens)
                collected, tokens = [], heading_tokens
            collected.append(piece)
            tokens += piece.tokens
    if collected:
        yield from _fitting(collected, count_tokens, most_tokens)


def _fitting(pieces: Sequence[_Piece], count_tokens: CountTokens, most_tokens: int) -> Iterator[tuple[str, str]]:
    """One passage of `pieces`, or more where their sum was an underestimate: tokens of parts need not add up."""
    heading, text = _joined(pieces)
    if count_tokens(text) <= most_tokens:
        yield heading, text
    elif len(pieces) > 1:
        middle = len(pieces) // 2
        yield from _fitting(pieces[:middle], count_tokens, most_tokens)
        yield from _fitting(pieces[middle:], count_tokens, most_tokens)
    elif pieces[0].headings:
        yield from _fitting([replace(pieces[0], headings=())], count_tokens, most_tokens)
    elif len(text) > 1:
        middle = _middle(text)
        for half in (text[:middle].strip(), text[middle:].strip()):
            if half:
                yield from _fitting([replace(pieces[0], text=half)], count_tokens, most_tokens)
    else:
        yield heading, text  # one letter: there is nothing left to cut


def _joined(pieces: Sequence[_Piece]) -> tuple[str, str]:
    """The headings that all pieces share on top, those of single sections where they begin."""
    shared = pieces[0].headings
    for piece in pieces:
        same = (a == b for a, b in zip(shared, piece.headings, strict=False))
        shared = shared[: next((depth for depth, is_same in enumerate(same) if not is_same), len(piece.headings))]
    heading = _line(shared)
    text = [heading] if heading else []
    current = shared
    for piece in pieces:
        joint = piece.joint
        if piece.headings != current:
            current = piece.headings
            joint = _PARAGRAPH
            if len(current) > len(shared):
                text += [_PARAGRAPH, _line(current[len(shared) :])]
        elif text == [heading]:
            joint = _PARAGRAPH
        text += [joint, piece.text]
    return heading, "".join(text).strip()


def _line(headings: Sequence[str]) -> str:
    return " › ".join(headings)


def _short_enough(headings: tuple[str, ...], count_tokens: CountTokens, most: int) -> tuple[int, tuple[str, ...]]:
    """(tokens, headings): as many of the innermost headings as fit."""
    for start in range(len(headings)):
        kept = headings[start:]
        if len(_line(kept)) <= most * _LETTERS_PER_TOKEN and (tokens := count_tokens(_line(kept) + "\n\n")) <= most:
            return tokens, kept
    return 0, ()


_BLANK = re.compile(r"\s+")


class _Knife:
    """Cuts the blocks of one section into pieces of at most `most` tokens."""

    def __init__(self, headings: tuple[str, ...], count_tokens: CountTokens, most: int) -> None:
        self._headings = headings
        self._count_tokens = count_tokens
        self._most = most

    def block(self, block: list[str]) -> Iterator[_Piece]:
        """The block whole if it fits, else by its kind: rows, lines, or sentences."""
        text = "\n".join(block).strip()
        if piece := self._whole(text, _PARAGRAPH):
            yield piece
        elif is_table(block):
            yield from self._table([row.strip() for row in block])
        elif is_code(block):
            yield from self._lines(block)
        else:
            yield from self._prose(text, _PARAGRAPH)

    def _whole(self, text: str, joint: str) -> _Piece | None:
        """The text as one piece, or None where it is too long."""
        if len(text) > self._most * _LETTERS_PER_TOKEN:
            return None
        tokens = self._count_tokens(joint + text)
        return _Piece(self._headings, text, joint, tokens) if tokens <= self._most else None

    def _table(self, rows: list[str]) -> Iterator[_Piece]:
        """As many rows at a time as fit below the table's head, which is repeated."""
        head = self._whole("\n".join(rows[:2]), _PARAGRAPH)
        if head is None or head.tokens > self._most // 2:
            yield from self._lines(rows)
            return
        together = head
        for row in rows[2:]:
            piece = self._whole(row, "\n")
            if together is not head and (piece is None or together.tokens + piece.tokens > self._most):
                yield together
                together = head
            if piece is not None and together.tokens + piece.tokens <= self._most:
                text = f"{together.text}\n{row}"
                together = replace(together, text=text, tokens=together.tokens + piece.tokens)
            else:
                yield from self._prose(row, _PARAGRAPH)
        if together is not head:
            yield together

    def _lines(self, rows: Sequence[str]) -> Iterator[_Piece]:
        joint = _PARAGRAPH
        for row in rows:
            if row.strip():
                piece = self._whole(row, joint)
                yield from [piece] if piece else self._prose(row.strip(), joint)
            joint = "\n"

    def _prose(self, text: str, joint: str) -> Iterator[_Piece]:
        """Sentences, else words, else letters."""
        for sentence, before in _parts(text, BREATH, joint):
            if piece := self._whole(sentence, before):
                yield piece
            else:
                yield from self._words(sentence, before)

    def _words(self, text: str, joint: str) -> Iterator[_Piece]:
        # Counted in runs, not one by one: half as many words as tokens fit nearly always.
        run: list[str] = []
        for word, before in _parts(text, _BLANK, joint):
            if len(run) >= self._most:  # words and the blanks between them
                yield from self._halves("".join(run[1:]), run[0])
                run = []
            run += [before, word]
        yield from self._halves("".join(run[1:]), run[0])

    def _halves(self, text: str, joint: str) -> Iterator[_Piece]:
        if piece := self._whole(text, joint):
            yield piece
        elif len(text) < 2:
            yield _Piece(self._headings, text, joint, self._most)
        else:
            middle = _middle(text)
            left, right = text[:middle].rstrip(), text[middle:].lstrip()
            yield from self._halves(left, joint)
            yield from self._halves(right, text[len(left) : len(text) - len(right)])


def _parts(text: str, cut: re.Pattern[str], joint: str) -> Iterator[tuple[str, str]]:
    """(part, what stood before it): the text cut at every match of `cut`; before the first part stood `joint`."""
    start = 0
    for match in cut.finditer(text):
        if match.start() > start and match.end() < len(text):
            yield text[start : match.start()], joint
            start, joint = match.end(), match.group()
    yield text[start:], joint


def _middle(text: str) -> int:
    """A place to cut `text` in two: a blank near the middle, else the middle."""
    half = len(text) // 2
    blank = text.find(" ", half)
    return blank if 0 < blank < half + len(text) // 4 else half
