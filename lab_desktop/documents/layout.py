"""Words with places become Markdown: lines, columns, tables, paragraphs, headings, footnotes.

Method: words on one baseline form pieces (parted by wide gaps); what repeats at the edges of pages is left out; a gap
that runs down the page between lines of prose parts columns, which are read one after the other between the lines that
span them (a recursive XY cut that prefers columns; Nagy and Seth 1984); rows of pieces that stand below each other form
a table; lines form a paragraph until spacing, indent, size or a short last line ends it; what is larger or bolder than
most of the text and short is a heading.
Places are in points, y grows upwards. A page that is read from right to left is mirrored first.
"""

from __future__ import annotations

import itertools
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lab_desktop.documents.plain import tidy, with_notes

_PIECE_GAP = 1.1
"""Of the letter size: a wider gap parts pieces. Words of justified lines stand closer."""
_TABLE_GAP = 3.5
"""Of the letter size, from row to row of a table."""
_EDGE = 0.12
"""Of the page's height: where running heads and feet stand."""
_HEADING_LETTERS = 200
_BIGGER = 1.15
"""Times the usual size: a heading."""

_BULLET = re.compile(r"^[•‣▪▫◦●○■□–—∙·⁃*-](?=\s|$)")
_SURE_BULLET = re.compile(r"^[•‣▪▫◦●○■□∙⁃](?=\s|$)")
"""A dash or number may also begin a line in the middle of a sentence."""
_NUMBERED = re.compile(r"^(\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])(?=\s|$)")
_SECTION = re.compile(r"^\d{1,2}(\.\d{1,2})*\.?$")
_PAGE_NUMBER = re.compile(
    r"^[\s\-–—|.\[(]*(?:(?:page|seite|p\.|s\.)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|von|de|/)\s*\d{1,4})?[\s\-–—|.\])]*$",
    re.IGNORECASE,
)
_LEADERS = re.compile(r"(?:\s?[.·…_]){4,}")
_CONTENTS = re.compile(r"(?:\s?[.·…_]){4,}\s*[\divxlc]{1,5}$")
_EDGE_NUMBER = re.compile(r"^(\d{1,4})\b|\b(\d{1,4})$")
_SENTENCE_END = re.compile(r"[.!?:…。！？؟۔][\"”’»)\]\ue002\ue003]*$")
_NOTE_MARK = re.compile(r"^(\d{1,3}|[*†‡§])[.)]?\s*(?=\S)")
# Signs that no text has (`pdf` leaves them out), for what is decided later.
_RAISED, _RAISED_END = "\ue000", "\ue001"
_BOLD, _ITALIC = "\ue002", "\ue003"
_MARKS = _BOLD + _ITALIC
_RAISED_DIGITS = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
_LOWERED_DIGITS = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")


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
class _Piece:
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


_Row = list[_Piece]


@dataclass
class _Block:
    """A paragraph, list item, heading, table or note of the text to be.

    Attributes:
        kind: "text", "item", "table" or "code".
        text: of a table, its rows as Markdown.
        region: columns and pages are numbered through; a paragraph may go on in the next.
    """

    kind: str
    page: int
    region: int
    size: float
    left: float
    text: str = ""
    lines: int = 1
    is_bold: bool = False
    is_all_italic: bool = False
    last: _Piece | None = None
    indent: float = 0.0


def is_rtl(text: str) -> bool:
    """True when more of its letters are read from right to left."""
    if text.isascii():
        return False
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


class Laid(NamedTuple):
    """Pages as Markdown.

    Attributes:
        tables: the page of each.
        contents: pages with lines that lead to page numbers; these lines are left out.
    """

    text: str
    tables: list[int]
    contents: list[int]


def to_markdown(pages: Sequence[Page]) -> Laid:
    """What the pages say, in the order in which they are read."""
    is_rtl_page = [is_rtl("".join(word.text for word in page.words[:500])) for page in pages]
    pages = [_mirrored(page) if mirror else page for page, mirror in zip(pages, is_rtl_page, strict=True)]
    if _is_typewritten(pages):
        pages = [replace(page, words=[word._replace(is_code=False) for word in page.words]) for page in pages]
    by_page = [_pieces(page.words) for page in pages]
    body = _body_size(by_page)
    _drop_running(pages, by_page, body)
    vocabulary = {word.text.strip(".,;:!?()[]\"'“”‘’").lower() for page in pages for word in page.words}
    contents = [page.number for page, pieces in zip(pages, by_page, strict=True) if _drop_contents(pieces)]
    blocks: list[_Block] = []
    region = 0
    for page, pieces, is_mirrored in zip(pages, by_page, is_rtl_page, strict=True):
        for group in _in_columns(_with_drop_caps(pieces, body), body):
            region += 1
            blocks += _Composer(page.number, region, is_mirrored, vocabulary).blocks(group)
    notes = _take_notes(blocks, body)
    blocks = _continued(blocks, vocabulary)
    text = _written(blocks, body)
    text = _resolved(text, notes)
    return Laid(tidy(text), [block.page for block in blocks if block.kind == "table"], contents)


def _mirrored(page: Page) -> Page:
    return replace(page, words=[word._replace(left=-word.right, right=-word.left) for word in page.words])


def _is_typewritten(pages: Iterable[Page]) -> bool:
    """Most letters are equally wide, so that it is no sign of code."""
    letters = code = 0
    for page in pages:
        for word in page.words:
            letters += len(word.text)
            code += len(word.text) * word.is_code
    return code > 0.5 * letters


def _body_size(by_page: Iterable[Iterable[_Piece]]) -> float:
    sizes: Counter[float] = Counter()
    for pieces in by_page:
        for piece in pieces:
            sizes[round(piece.size * 2) / 2] += sum(len(word.text) for word in piece.words)
    return sizes.most_common(1)[0][0] if sizes else 10.0


# Pieces and rows


def _pieces(words: Iterable[Word]) -> list[_Piece]:
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
                pieces.append(_Piece(together))
                together = []
            together.append(word)
            right = max(right, word.right)
        pieces.append(_Piece(together))
    return pieces


def _rows(pieces: Iterable[_Piece]) -> list[_Row]:
    """Pieces on one line together."""
    rows: list[_Row] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and abs(rows[-1][0].base - piece.base) <= 0.5 * min(rows[-1][0].size, piece.size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda piece: piece.left)
    return [_with_markers(row) for row in rows]


def _with_markers(row: _Row) -> _Row:
    """A bullet or number that stands apart is joined to its text; in a wider row it may be a cell."""
    if len(row) != 2:
        return row
    mark = _plain(row[0].words)
    is_section = bool(_SECTION.match(mark)) and all(word.is_bold for word in row[0].words + row[1].words)
    if row[1].left - row[0].right < 6 * row[0].size and (
        _BULLET.fullmatch(mark) or _NUMBERED.fullmatch(mark) or is_section
    ):
        return [_Piece([*row[0].words, *row[1].words])]
    return row


def _with_drop_caps(pieces: list[_Piece], body: float) -> list[_Piece]:
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


# What repeats


def _drop_running(pages: Sequence[Page], by_page: list[list[_Piece]], body: float) -> None:
    """Leave out running heads and feet, and page numbers; larger letters are the heading of a chapter."""
    rows_of = [_rows(pieces) for pieces in by_page]
    seen: Counter[tuple[str, int]] = Counter()
    for rows in rows_of:
        seen.update({_running_key(row) for row in [*rows[:2], *rows[-2:]]})
    shift = _number_shift(pages, rows_of)
    for place, (page, rows) in enumerate(zip(pages, rows_of, strict=True)):
        if not rows:
            continue
        bases = [word.base for word in page.words]
        top, bottom = max(page.height, max(bases)), min(0.0, *bases)
        edge = _EDGE * (top - bottom)
        gone: list[_Row] = []
        for ends in (rows, rows[::-1]):
            for row in ends[:2]:
                base = row[0].base
                is_at_edge = base > top - edge or base < bottom + edge
                text, at = _running_key(row)
                repeated = sum(seen[text, at + near] for near in (-1, 0, 1))
                is_running = repeated >= 3 and repeated >= min(0.1 * len(pages), 6)
                is_running = is_running or shift in _shifts(row, page.number)
                is_small = all(piece.size < _BIGGER * body for piece in row)
                if is_at_edge and is_small and row not in gone and (is_running or _PAGE_NUMBER.match(_row_text(row))):
                    gone.append(row)
                else:
                    break
        left = {id(word) for row in gone for piece in row for word in piece.words}
        by_page[place] = [piece for piece in by_page[place] if id(piece.words[0]) not in left]


def _number_shift(pages: Sequence[Page], rows_of: Sequence[list[_Row]]) -> int | None:
    """What the printed page numbers are ahead of ours; None where no numbers run through the pages."""
    votes: Counter[int] = Counter()
    for page, rows in zip(pages, rows_of, strict=True):
        votes.update({shift for row in [*rows[:1], *rows[-1:]] for shift in _shifts(row, page.number)})
    shift, count = max(votes.items(), key=lambda vote: vote[1], default=(0, 0))
    return shift if count >= max(3, 0.3 * len(pages)) else None


def _shifts(row: _Row, number: int) -> set[int]:
    text = _row_text(row)
    return {int(one or two) - number for one, two in _EDGE_NUMBER.findall(text)} if len(text) < 100 else set()


def _drop_contents(pieces: list[_Piece]) -> bool:
    """Leave out lines that lead to page numbers, where there are several; True where there were."""
    found = [row for row in _rows(pieces) if _CONTENTS.search(_row_text(row))]
    if len(found) < 3:
        return False
    gone = {id(word) for row in found for piece in row for word in piece.words}
    pieces[:] = [piece for piece in pieces if id(piece.words[0]) not in gone]
    return True


def _running_key(row: _Row) -> tuple[str, int]:
    return re.sub(r"\b(\d+|[ivxlc]+)\b", "#", _row_text(row).lower()), round(row[0].base / 4)


def _row_text(row: _Row) -> str:
    return " ".join(_plain(piece.words) for piece in row)


# Columns


def _in_columns(pieces: list[_Piece], body: float, depth: int = 0) -> list[list[_Piece]]:
    """The pieces in the groups in which they are read."""
    if len(pieces) < 8 or depth > 5:
        return [pieces] if pieces else []
    gutter = _gutter(pieces, body)
    if gutter is None:
        return [pieces]
    spanning = sorted((piece for piece in pieces if piece.left < gutter < piece.right), key=lambda piece: -piece.base)
    rest = sorted((piece for piece in pieces if not piece.left < gutter < piece.right), key=lambda piece: -piece.base)
    groups: list[list[_Piece]] = []
    while spanning or rest:
        # Between two lines that span both columns, first the one, then the other.
        lowest = spanning[0].base if spanning else float("-inf")
        band = [piece for piece in rest if piece.base > lowest + 0.5 * piece.size]
        rest = [piece for piece in rest if piece.base <= lowest + 0.5 * piece.size]
        for part, is_columns in _parts_of_band(band, gutter):
            if not is_columns:
                groups.append(part)
                continue
            for side in ([p for p in part if p.right <= gutter], [p for p in part if p.left >= gutter]):
                groups += _in_columns(side, body, depth + 1)
        highest = rest[0].base + 0.5 * rest[0].size if rest else float("-inf")
        across = [piece for piece in spanning if piece.base >= highest] or spanning[:1]
        spanning = spanning[len(across) :]
        if across:
            # What stands on the same line as a spanning piece is read with it.
            beside = [piece for piece in rest if abs(piece.base - across[-1].base) <= 0.5 * piece.size]
            rest = [piece for piece in rest if piece not in beside]
            groups.append([*across, *beside])
    return groups


def _parts_of_band(band: list[_Piece], gutter: float) -> list[tuple[list[_Piece], bool]]:
    """A band cut at wide blank strips: (pieces, are they columns); a table below columns is none."""
    chunks: list[list[_Piece]] = []
    for piece in band:
        if chunks and chunks[-1][-1].base - piece.base <= 1.8 * max(piece.size, chunks[-1][-1].size):
            chunks[-1].append(piece)
        else:
            chunks.append([piece])
    parts: list[tuple[list[_Piece], bool]] = []
    for chunk in chunks:
        sides = [p for p in chunk if p.right <= gutter], [p for p in chunk if p.left >= gutter]
        is_columns = not all(sides) or all(statistics.mean(len(p.words) for p in side) >= 3 for side in sides)
        if parts and is_columns and parts[-1][1]:
            parts[-1][0].extend(chunk)
        else:
            parts.append((chunk, is_columns))
    return parts


def _gutter(pieces: list[_Piece], body: float) -> float | None:
    """Where a page of prose is parted into columns; None where it is not."""
    left, right = min(piece.left for piece in pieces), max(piece.right for piece in pieces)
    width = right - left
    if width < 12 * body:
        return None
    step = max(1.0, body / 5)
    covered = [0] * (int(width / step) + 2)
    for piece in pieces:
        for place in range(int((piece.left - left) / step), int((piece.right - left) / step) + 1):
            covered[place] += 1
    candidates = []
    start = None
    margin = int(0.15 * len(covered))
    inner = range(margin, len(covered) - margin)
    least = min((covered[place] for place in inner), default=0)
    for place in inner:
        if covered[place] <= least + 0.02 * len(pieces):
            start = place if start is None else start
        elif start is not None:
            candidates.append((start, place))
            start = None
    if start is not None:
        candidates.append((start, inner[-1] + 1))
    wide_enough = [(a, b) for a, b in candidates if (b - a) * step >= 0.6 * body]
    for a, b in sorted(wide_enough, key=lambda ends: abs((ends[0] + ends[1]) / 2 - len(covered) / 2)):
        gutter = left + (a + b) / 2 * step
        if _are_columns(pieces, gutter, left, right):
            return gutter
    return None


def _are_columns(pieces: list[_Piece], gutter: float, left: float, right: float) -> bool:
    """True when both sides are prose that stands beside each other, and no table."""
    sides = [piece for piece in pieces if piece.right <= gutter], [piece for piece in pieces if piece.left >= gutter]
    for side, width in zip(sides, (gutter - left, right - gutter), strict=True):
        if len(side) < 4:
            return False
        fill = statistics.median(piece.width for piece in side) / width
        words = statistics.mean(len(piece.words) for piece in side)
        is_prose = fill >= 0.35 and (words >= 3 or statistics.mean(_letters(piece) for piece in side) >= 20)
        if not is_prose:
            return False
    spanning = len(pieces) - len(sides[0]) - len(sides[1])
    if spanning > 0.5 * (len(sides[0]) + len(sides[1])):
        return False
    bottom = max(min(piece.base for piece in side) for side in sides)
    top = min(max(piece.base for piece in side) for side in sides)
    beside = [sum(bottom - 1 <= piece.base <= top + 1 for piece in side) for side in sides]
    return min(beside) >= 3


def _letters(piece: _Piece) -> int:
    return sum(len(word.text) for word in piece.words)


# Blocks


class _Composer:
    """Turns the rows of one region into blocks."""

    def __init__(self, page: int, region: int, is_mirrored: bool, vocabulary: set[str]) -> None:
        self._page = page
        self._region = region
        self._is_mirrored = is_mirrored
        self._vocabulary = vocabulary

    def blocks(self, pieces: list[_Piece]) -> list[_Block]:
        rows = _rows(pieces)
        found: list[_Block] = []
        lines: list[_Piece] = []
        place = 0
        while place < len(rows):
            code = _code_at(rows, place)
            if code:
                found += self._paragraphs(lines)
                lines = []
                text = _code_text(rows[place : place + code])
                first = rows[place][0]
                found.append(_Block("code", self._page, self._region, first.size, first.left, text))
                place += code
                continue
            table = _table_at(rows, place)
            if table is None:
                lines.append(_as_line(rows[place]))
                place += 1
                continue
            found += self._paragraphs(lines)
            lines = []
            count, cells = table
            found.append(self._table(rows[place], cells))
            place += count
        return found + self._paragraphs(lines)

    def _table(self, row: _Row, cells: list[list[_Row]]) -> _Block:
        written = [
            [" ".join(self._text(piece.words, plain=True) for piece in cell).replace("|", "\\|") for cell in line]
            for line in cells
        ]
        written.insert(1, ["---"] * len(written[0]))
        text = "\n".join(f"| {' | '.join(line)} |" for line in written)
        return _Block("table", self._page, self._region, row[0].size, row[0].left, text)

    def _paragraphs(self, lines: list[_Piece]) -> list[_Block]:
        found: list[_Block] = []
        if not lines:
            return found
        left = _usual([line.left for line in lines])
        right = max(line.right for line in lines)
        pitch = self._pitch(lines)
        before: _Piece | None = None
        for line in lines:
            text = self._text(line.words)
            block = found[-1] if found else None
            is_item = bool(_SURE_BULLET.match(text))
            if not is_item and len(text.split(maxsplit=1)) > 1 and (_BULLET.match(text) or _NUMBERED.match(text)):
                is_item = (
                    block is None
                    or before is None
                    or block.kind == "item"
                    or bool(re.search(r"[.:;!?]$", _plain(before.words)))
                    or _is_short(before, left, right)
                    or before.base - line.base > max(1.3 * pitch, pitch + 0.25) * line.size
                )
            if block is None or before is None or self._begins(line, before, block, is_item, left, right, pitch):
                block = _Block("item" if is_item else "text", self._page, self._region, line.size, line.left)
                block.text = _LEADERS.sub(" … ", text)
                block.is_bold = all(word.is_bold for word in line.words)
                block.is_all_italic = all(word.is_italic for word in line.words)
                block.indent = max(0.0, line.left - left)
                found.append(block)
            else:
                block.text = joined(block.text, _LEADERS.sub(" … ", text), self._vocabulary)
                block.lines += 1
                block.is_bold = block.is_bold and all(word.is_bold for word in line.words)
                block.is_all_italic = block.is_all_italic and all(word.is_italic for word in line.words)
                if block.lines == 2 and block.kind == "item":
                    block.left = max(block.left, line.left)
            block.last = before = line
        return found

    @staticmethod
    def _pitch(lines: list[_Piece]) -> float:
        """The usual distance of lines, in letter sizes."""
        gaps = [
            (above.base - below.base) / below.size
            for above, below in itertools.pairwise(lines)
            if abs(above.size - below.size) < 0.1 * below.size
        ]
        near = [gap for gap in gaps if 0.8 < gap < 2.4]
        # The low quartile: where most lines are paragraphs of their own, the median would be their distance.
        return statistics.quantiles(near, n=4)[0] if len(near) > 1 else (near[0] if near else 1.3)

    @staticmethod
    def _begins(
        line: _Piece, before: _Piece, block: _Block, is_item: bool, left: float, right: float, pitch: float
    ) -> bool:
        """Does this line begin a block of its own?"""
        if is_item:
            return True
        if abs(line.size - before.size) > 0.12 * before.size:
            return True
        is_bold, was_bold = (all(word.is_bold for word in piece.words) for piece in (line, before))
        if is_bold != was_bold and block.is_bold != is_bold and (is_bold or block.is_bold):
            return True
        if before.base - line.base > max(1.3 * pitch, pitch + 0.25) * line.size:
            return True
        if block.kind == "item":
            return line.left < block.left - 0.5 * line.size or (
                block.lines == 1 and line.left <= block.left + 0.2 * line.size and _is_short(before, left, right)
            )
        is_indented = line.left > left + 0.8 * line.size
        was_indented = before.left > left + 0.8 * line.size
        ends = bool(_SENTENCE_END.search(_plain(before.words)))
        if is_indented and not was_indented and line.left - left < 5 * line.size:
            return True
        return ends and _is_short(before, left, right)

    def _text(self, words: Sequence[Word], *, plain: bool = False) -> str:
        """Words of a line as text, with emphasis where only some have it."""
        size = _Piece(list(words)).size
        base = next(word.base for word in words if word.size == size)
        ordered = _in_order(words, self._is_mirrored)
        is_mixed = not plain and len({(word.is_bold, word.is_italic) for word in ordered}) > 1
        text = ""
        mark = ""
        for place, word in enumerate(ordered):
            gap = _gap(ordered[place - 1], word) if place else 0.0
            blank = " " if place and (word.is_spaced or gap > 0.2 * size) else ""
            shown = word.text
            if (word.size < 0.85 * size and any(letter.isdigit() for letter in shown)) or shown in "*†‡":
                if word.base > base + 0.12 * size and len(shown) < 5:
                    shown, blank = f"{_RAISED}{shown}{_RAISED_END}", blank if gap > 0.3 * size else ""
                elif word.base < base - 0.05 * size and all(ord(letter) in _LOWERED_DIGITS for letter in shown):
                    shown, blank = shown.translate(_LOWERED_DIGITS), ""
            wanted = "" if not is_mixed else _BOLD * word.is_bold or _ITALIC * word.is_italic
            if wanted != mark:
                text += mark + blank + wanted
                mark = wanted
            else:
                text += blank
            text += shown
        return _without_empty_marks(text + mark)


def _usual(places: list[float]) -> float:
    """Where most lines begin."""
    counts = Counter(round(place) for place in places)
    return min(places) if not counts else float(max(counts, key=lambda place: (counts[place], -place)))


def _is_short(line: _Piece, left: float, right: float) -> bool:
    return line.right < right - 0.12 * (right - left)


def _as_line(row: _Row) -> _Piece:
    return row[0] if len(row) == 1 else _Piece([word for piece in row for word in piece.words])


def _gap(one: Word, two: Word) -> float:
    return max(two.left - one.right, one.left - two.right)


def _in_order(words: Sequence[Word], is_mirrored: bool) -> list[Word]:
    """Words as they are read: runs of the other direction are turned round."""
    ordered = sorted(words, key=lambda word: word.left)
    turned = [is_rtl(word.text) != is_mirrored and any(map(str.isalnum, word.text)) for word in ordered]
    if not any(turned):
        return ordered
    found: list[Word] = []
    run: list[Word] = []
    for word, is_turned in zip(ordered, turned, strict=True):
        if is_turned:
            run.append(word)
        else:
            found += run[::-1]
            run = []
            found.append(word)
    return found + run[::-1]


def _plain(words: Sequence[Word]) -> str:
    text = words[0].text if words else ""
    for before, word in itertools.pairwise(words):
        text += (" " if word.is_spaced or _gap(before, word) > 0.2 * word.size else "") + word.text
    return text


def _without_empty_marks(text: str) -> str:
    """Emphasis on nothing but signs is none, and does not interrupt one."""
    return re.sub(f"([{_MARKS}])([^\\w{_MARKS}]*)\\1", r"\2", text)


def _emphasised(text: str) -> str:
    """Marks of emphasis as Markdown; one that does not end is none."""
    for mark, written in ((_BOLD, "**"), (_ITALIC, "*")):
        text = text.replace(mark, written if text.count(mark) % 2 == 0 else "")
    return text


def joined(text: str, line: str, vocabulary: set[str]) -> str:
    """A line after the text before it; a word parted at the line's end is whole again.

    Args:
        vocabulary: words of the document in small letters: they tell "well-known" from "exam-ple".
    """
    ending, beginning = (sign if sign and sign in _MARKS else "" for sign in (text[-1:], line[:1]))
    if ending and ending == beginning:
        text, line, ending = text[:-1], line[1:], ""
    tail = re.search(f"([^\\W\\d_]+)-[{_MARKS}]?$", text)
    head = re.match(f"[{_MARKS}]?([^\\W\\d_]+)", line)
    if tail and head and head.group(1)[0].islower():
        whole, parted = tail.group(1) + head.group(1), f"{tail.group(1)}-{head.group(1)}"
        is_one = whole.lower() in vocabulary or parted.lower() not in vocabulary
        return text.removesuffix(ending).removesuffix("-" if is_one else "") + ending + line
    if text and line and _is_cjk(text[-1]) and _is_cjk(line[0]):
        return text + line
    return f"{text} {line}"


def _is_cjk(letter: str) -> bool:
    return "\u3000" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or "\uff00" <= letter <= "\uffef"


def _code_at(rows: Sequence[_Row], start: int) -> int:
    """How many rows of code begin at this row."""
    count = 0
    for place in range(start, len(rows)):
        row = rows[place]
        if not all(word.is_code for piece in row for word in piece.words):
            break
        if count and rows[place - 1][0].base - row[0].base > 2.6 * row[0].size:
            break
        count += 1
    return count


def _code_text(rows: Sequence[_Row]) -> str:
    """Rows of equally wide letters, each word in its column."""
    words = [word for row in rows for piece in row for word in piece.words]
    left = min(word.left for word in words)
    wide = statistics.median((word.right - word.left) / len(word.text) for word in words) or 1.0
    lines = []
    for row in rows:
        line = ""
        for word in sorted((word for piece in row for word in piece.words), key=lambda word: word.left):
            column = round((word.left - left) / wide)
            line = line.ljust(max(column, len(line) + bool(line) * word.is_spaced)) + word.text
        lines.append(line.replace("```", "` ` `"))
    return "\n".join(lines)


# Tables


def _table_at(rows: Sequence[_Row], start: int) -> tuple[int, list[list[_Row]]] | None:
    """(rows used, pieces of each cell) of a table that begins at this row; None where none does."""
    if len(rows[start]) < 2:
        return None
    columns = [(piece.left, piece.right) for piece in rows[start]]
    used = [start]
    for place in range(start + 1, len(rows)):
        row, above = rows[place], rows[place - 1]
        gap = (above[0].base - row[0].base) / row[0].size
        if gap > _TABLE_GAP:
            break
        if len(row) == 1:
            if gap > 1.6 or _column_of(row[0], columns) is None:
                break
        else:
            wider = _merged([*columns, *((piece.left, piece.right) for piece in row)])
            if len(wider) < len(columns) or len({_column_of(piece, wider) for piece in row}) < 2:
                break
            columns = wider
        used.append(place)
    full = [place for place in used if len(rows[place]) > 1]
    if len(full) < 2 or (len(full) < 3 and len(columns) < 3) or len(columns) < 2:
        return None
    if sum(bool(_LEADERS.search(_row_text(rows[place]))) for place in full) > len(full) / 2:
        return None  # a table of contents
    if sum(len(rows[place]) for place in full) < 0.5 * len(full) * len(columns):
        return None
    cells: list[list[_Row]] = []
    for place in used:
        row = rows[place]
        line: list[_Row] = [[] for _ in columns]
        for piece in row:
            line[_column_of(piece, columns) or 0].append(piece)
        if len(row) == 1 and cells:
            cells[-1] = [above + below for above, below in zip(cells[-1], line, strict=True)]
        else:
            cells.append(line)
    return len(used), cells


def _merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for left, right in sorted(intervals):
        if found and left <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], right)
        else:
            found.append((left, right))
    return found


def _column_of(piece: _Piece, columns: Sequence[tuple[float, float]]) -> int | None:
    """The one column that a piece stands in; None where it reaches into two, or beyond."""
    overlapping = [number for number, (left, right) in enumerate(columns) if piece.left < right and piece.right > left]
    if len(overlapping) != 1:
        return None
    right = columns[overlapping[0]][1]
    return overlapping[0] if piece.right <= right + 3 * piece.size else None


# The whole text


def _take_notes(blocks: list[_Block], body: float) -> dict[tuple[int, str], str]:
    """Take footnotes out of the blocks: (page, mark) → text. A note is small, low, and called on its page."""
    called = {
        (block.page, mark)
        for block in blocks
        for mark in re.findall(f"{_RAISED}([^{_RAISED_END}]+){_RAISED_END}", block.text)
    }
    notes: dict[tuple[int, str], str] = {}
    kept: list[_Block] = []
    note: tuple[int, str] | None = None
    for block in blocks:
        is_small = block.kind in ("text", "item") and block.size <= 0.94 * body
        bare = block.text.replace(_RAISED, "").replace(_RAISED_END, " ") if block.text[:1] == _RAISED else block.text
        found = _NOTE_MARK.match(bare) if is_small else None
        if found and (block.page, found.group(1)) in called and (block.page, found.group(1)) not in notes:
            note = block.page, found.group(1)
            notes[note] = bare[found.end() :]
        elif is_small and note and note[0] == block.page:
            notes[note] += " " + block.text
        else:
            note = None
            kept.append(block)
    blocks[:] = kept
    return notes


def _continued(blocks: list[_Block], vocabulary: set[str]) -> list[_Block]:
    """Paragraphs that go on in the next column or on the next page are one."""
    found: list[_Block] = []
    for block in blocks:
        above = found[-1] if found else None
        if (
            above is not None
            and above.kind in ("text", "item")
            and block.kind == "text"
            and above.region != block.region
            and abs(above.size - block.size) <= 0.08 * above.size
            and above.is_bold == block.is_bold
            and not _SENTENCE_END.search(above.text)
            and _goes_on(above.text, block.text)
        ):
            above.text = joined(above.text, block.text, vocabulary)
            above.lines += block.lines
            above.region = block.region
        else:
            found.append(block)
    return found


def _goes_on(above: str, text: str) -> bool:
    first = text.lstrip(_MARKS + '*"“‘([')[:1]
    if first.isalpha() and not first.isupper() and not first.islower():
        return True  # a script without capital letters
    return first.islower() or above.endswith(("-", ",", ";"))


def _written(blocks: Sequence[_Block], body: float) -> str:
    """Blocks as Markdown. Marks of notes carry their page."""
    bold = sum(len(block.text) for block in blocks if block.is_bold and block.size <= _BIGGER * body)
    is_bold_text = bold > 0.4 * sum(len(block.text) for block in blocks)
    big = [block for block in blocks if _is_heading(block, body) and block.size >= _BIGGER * body]
    levels = _levels([block.size for block in big])
    parts: list[str] = []
    for block in blocks:
        text = _emphasised(block.text.replace(_RAISED, f"{_RAISED}{block.page}:"))
        before_is_item = bool(parts) and parts[-1].lstrip().startswith(("- ", "1")) and _NUMBERED.match(parts[-1])
        if block.kind == "table":
            parts.append(text)
        elif block.kind == "code":
            parts.append(f"```\n{text}\n```")
        elif _is_heading(block, body) and block.size >= _BIGGER * body:
            parts.append(f"{'#' * levels[round(block.size, 1)]} {text}")
        elif _is_heading(block, body) and block.is_bold and not is_bold_text and block.lines <= 2:
            parts.append(f"{'#' * min(6, max(levels.values(), default=1) + 1)} {text}")
        elif block.kind == "item":
            item = _BULLET.sub("-", text)
            is_next = bool(parts) and (parts[-1].startswith("- ") or before_is_item)
            if is_next and (item.startswith("- ") == parts[-1].startswith("- ")):
                parts[-1] += "\n" + item
            else:
                parts.append(item)
        else:
            parts.append(re.sub(r"^(#{1,6} |[-+*] )", r"\\\1", text))
    return "\n\n".join(parts)


def _is_heading(block: _Block, body: float) -> bool:
    text = block.text
    if block.kind in ("table", "code") or len(text) > _HEADING_LETTERS or sum(map(str.isalpha, text)) < 2:
        return False
    if block.kind == "item" and _BULLET.match(text):
        return False
    if block.size >= _BIGGER * body:
        return block.lines <= 4
    is_sentence = bool(re.search(r"[.,;:!]$", text)) and not re.match(r"^(\d+\.)+$", text)
    return block.is_bold and block.size >= 0.95 * body and len(text) <= 120 and not is_sentence


def _levels(sizes: Iterable[float]) -> dict[float, int]:
    """The level of each size of heading, the largest first; sizes that hardly differ are one level."""
    levels: dict[float, int] = {}
    level, last = 0, 0.0
    for size in sorted({round(size, 1) for size in sizes}, reverse=True):
        if not levels or size < 0.93 * last:
            level, last = min(level + 1, 5), size
        levels[size] = level
    return levels


def _resolved(text: str, notes: dict[tuple[int, str], str]) -> str:
    """Marks become footnotes where there is a note, else raised digits."""
    numbers: dict[tuple[int, str], int] = {}

    def mark(found: re.Match[str]) -> str:
        page, _, shown = found.group(1).partition(":")
        key = int(page), shown
        if key in notes:
            return f"[^{numbers.setdefault(key, len(numbers) + 1)}]"
        return shown.translate(_RAISED_DIGITS) if all(ord(letter) in _RAISED_DIGITS for letter in shown) else shown

    marks = re.compile(f"{_RAISED}([^{_RAISED_END}]*){_RAISED_END}")
    text = marks.sub(mark, text)
    bare = {number: re.sub(f"[{_RAISED}{_RAISED_END}]", "", _emphasised(notes[key])) for key, number in numbers.items()}
    return with_notes(text, bare)
