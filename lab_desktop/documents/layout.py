"""Words with places become Markdown: lines, columns, tables, paragraphs, headings, footnotes.

Method: words form pieces and rows (`pieces`); what repeats at the edges of pages is left out (`running`); columns are
read one after the other (`columns`); rows that stand below each other form a table (`tables`); lines form a paragraph
until spacing, indent, size or a short last line ends it; what is larger or bolder than most of the text and short is a
heading. A page that is read from right to left is mirrored first.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from lab_desktop.documents.columns import in_columns
from lab_desktop.documents.pieces import (
    BIGGER,
    BULLET,
    NUMBERED,
    Page,
    Piece,
    Row,
    Word,
    distance,
    in_rows,
    is_rtl,
    pieces_of,
    plain_text,
    with_drop_caps,
)
from lab_desktop.documents.places import BEGINNINGS, Starts, beginning
from lab_desktop.documents.plain import tidy, with_notes
from lab_desktop.documents.running import drop_contents, drop_running
from lab_desktop.documents.tables import LEADERS, table_at

_HEADING_LETTERS = 200

_SURE_BULLET = re.compile(r"^[•‣▪▫◦●○■□∙⁃](?=\s|$)")
"""A dash or number may also begin a line in the middle of a sentence."""
_SENTENCE_END = re.compile(r"[.!?:…。！？؟۔][\"”’»)\]\ue002\ue003]*$")
_NOTE_MARK = re.compile(r"^(\d{1,3}|[*†‡§])[.)]?\s*(?=\S)")
# Signs that no text has (`pdf` leaves them out), for what is decided later.
_RAISED, _RAISED_END = "\ue000", "\ue001"
_BOLD, _ITALIC = "\ue002", "\ue003"
_MARKS = _BOLD + _ITALIC
_RAISED_DIGITS = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
_LOWERED_DIGITS = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")


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
    last: Piece | None = None
    indent: float = 0.0


class Laid(NamedTuple):
    """Pages as Markdown.

    Attributes:
        tables: the page of each.
        contents: pages with lines that lead to page numbers; these lines are left out.
        starts: how the pages begin in the text.
    """

    text: str
    tables: list[int]
    contents: list[int]
    starts: Starts


def to_markdown(pages: Sequence[Page]) -> Laid:
    """What the pages say, in the order in which they are read."""
    is_rtl_page = [is_rtl("".join(word.text for word in page.words[:500])) for page in pages]
    pages = [_mirrored(page) if mirror else page for page, mirror in zip(pages, is_rtl_page, strict=True)]
    if _is_typewritten(pages):
        pages = [replace(page, words=[word._replace(is_code=False) for word in page.words]) for page in pages]
    by_page = [pieces_of(page.words) for page in pages]
    body = _body_size(by_page)
    drop_running(pages, by_page, body)
    vocabulary = {word.text.strip(".,;:!?()[]\"'“”‘’").lower() for page in pages for word in page.words}
    contents = [page.number for page, pieces in zip(pages, by_page, strict=True) if drop_contents(pieces)]
    blocks: list[_Block] = []
    region = 0
    for page, pieces, is_mirrored in zip(pages, by_page, is_rtl_page, strict=True):
        for group in in_columns(with_drop_caps(pieces, body), body):
            region += 1
            blocks += _Composer(page.number, region, is_mirrored, vocabulary).blocks(group)
    notes = _take_notes(blocks, body)
    starts = _starts(blocks)
    blocks = _continued(blocks, vocabulary)
    text = _written(blocks, body)
    text = _resolved(text, notes)
    return Laid(tidy(text), [block.page for block in blocks if block.kind == "table"], contents, starts)


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


def _body_size(by_page: Iterable[Iterable[Piece]]) -> float:
    sizes: Counter[float] = Counter()
    for pieces in by_page:
        for piece in pieces:
            sizes[round(piece.size * 2) / 2] += sum(len(word.text) for word in piece.words)
    return sizes.most_common(1)[0][0] if sizes else 10.0


class _Composer:
    """Turns the rows of one region into blocks."""

    def __init__(self, page: int, region: int, is_mirrored: bool, vocabulary: set[str]) -> None:
        self._page = page
        self._region = region
        self._is_mirrored = is_mirrored
        self._vocabulary = vocabulary

    def blocks(self, pieces: list[Piece]) -> list[_Block]:
        rows = in_rows(pieces)
        found: list[_Block] = []
        lines: list[Piece] = []
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
            table = table_at(rows, place)
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

    def _table(self, row: Row, cells: list[list[Row]]) -> _Block:
        written = [
            [" ".join(self._text(piece.words, plain=True) for piece in cell).replace("|", "\\|") for cell in line]
            for line in cells
        ]
        written.insert(1, ["---"] * len(written[0]))
        text = "\n".join(f"| {' | '.join(line)} |" for line in written)
        return _Block("table", self._page, self._region, row[0].size, row[0].left, text)

    def _paragraphs(self, lines: list[Piece]) -> list[_Block]:
        found: list[_Block] = []
        if not lines:
            return found
        left = _usual([line.left for line in lines])
        right = max(line.right for line in lines)
        pitch = self._pitch(lines)
        before: Piece | None = None
        for line in lines:
            text = self._text(line.words)
            block = found[-1] if found else None
            is_item = bool(_SURE_BULLET.match(text))
            if not is_item and len(text.split(maxsplit=1)) > 1 and (BULLET.match(text) or NUMBERED.match(text)):
                is_item = (
                    block is None
                    or before is None
                    or block.kind == "item"
                    or bool(re.search(r"[.:;!?]$", plain_text(before.words)))
                    or _is_short(before, left, right)
                    or before.base - line.base > max(1.3 * pitch, pitch + 0.25) * line.size
                )
            if block is None or before is None or self._begins(line, before, block, is_item, left, right, pitch):
                block = _Block("item" if is_item else "text", self._page, self._region, line.size, line.left)
                block.text = LEADERS.sub(" … ", text)
                block.is_bold = all(word.is_bold for word in line.words)
                block.is_all_italic = all(word.is_italic for word in line.words)
                block.indent = max(0.0, line.left - left)
                found.append(block)
            else:
                block.text = joined(block.text, LEADERS.sub(" … ", text), self._vocabulary)
                block.lines += 1
                block.is_bold = block.is_bold and all(word.is_bold for word in line.words)
                block.is_all_italic = block.is_all_italic and all(word.is_italic for word in line.words)
                if block.lines == 2 and block.kind == "item":
                    block.left = max(block.left, line.left)
            block.last = before = line
        return found

    @staticmethod
    def _pitch(lines: list[Piece]) -> float:
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
        line: Piece, before: Piece, block: _Block, is_item: bool, left: float, right: float, pitch: float
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
        ends = bool(_SENTENCE_END.search(plain_text(before.words)))
        if is_indented and not was_indented and line.left - left < 5 * line.size:
            return True
        return ends and _is_short(before, left, right)

    def _text(self, words: Sequence[Word], *, plain: bool = False) -> str:
        """Words of a line as text, with emphasis where only some have it."""
        size = Piece(list(words)).size
        base = next(word.base for word in words if word.size == size)
        ordered = _in_order(words, self._is_mirrored)
        is_mixed = not plain and len({(word.is_bold, word.is_italic) for word in ordered}) > 1
        text = ""
        mark = ""
        for place, word in enumerate(ordered):
            gap = distance(ordered[place - 1], word) if place else 0.0
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


def _is_short(line: Piece, left: float, right: float) -> bool:
    return line.right < right - 0.12 * (right - left)


def _as_line(row: Row) -> Piece:
    return row[0] if len(row) == 1 else Piece([word for piece in row for word in piece.words])


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


def _code_at(rows: Sequence[Row], start: int) -> int:
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


def _code_text(rows: Sequence[Row]) -> str:
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


def _starts(blocks: Iterable[_Block]) -> Starts:
    """How the first paragraphs of each page begin, before those that go on from one to the next are joined."""
    starts: list[tuple[int, str]] = []
    for page, on_it in itertools.groupby(blocks, key=lambda block: block.page):
        texts = (re.sub(f"{_RAISED}[^{_RAISED_END}]*{_RAISED_END}", "", block.text) for block in on_it)
        begun = (letters for text in texts if (letters := beginning(text)))
        starts += [(page, letters) for letters in itertools.islice(begun, BEGINNINGS)]
    return tuple(starts)


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
    bold = sum(len(block.text) for block in blocks if block.is_bold and block.size <= BIGGER * body)
    is_bold_text = bold > 0.4 * sum(len(block.text) for block in blocks)
    big = [block for block in blocks if _is_heading(block, body) and block.size >= BIGGER * body]
    levels = _levels([block.size for block in big])
    parts: list[str] = []
    for block in blocks:
        text = _emphasised(block.text.replace(_RAISED, f"{_RAISED}{block.page}:"))
        before_is_item = bool(parts) and parts[-1].lstrip().startswith(("- ", "1")) and NUMBERED.match(parts[-1])
        if block.kind == "table":
            parts.append(text)
        elif block.kind == "code":
            parts.append(f"```\n{text}\n```")
        elif _is_heading(block, body) and block.size >= BIGGER * body:
            parts.append(f"{'#' * levels[round(block.size, 1)]} {text}")
        elif _is_heading(block, body) and block.is_bold and not is_bold_text and block.lines <= 2:
            parts.append(f"{'#' * min(6, max(levels.values(), default=1) + 1)} {text}")
        elif block.kind == "item":
            item = BULLET.sub("-", text)
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
    if block.kind == "item" and BULLET.match(text):
        return False
    if block.size >= BIGGER * body:
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
