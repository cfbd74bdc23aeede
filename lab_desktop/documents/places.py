"""Where the pages of an original stand in the text that was made of it, which a person may have edited since.

Method: of each page a few beginnings of paragraphs are kept, as letters and digits alone, so that neither Markdown nor
line ends matter. Those that occur once in the text and agree in their order (longest increasing subsequence; Schensted
1961) are taken; pages without one are looked for between their neighbours; what lies between is interpolated.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from typing import Any

Starts = tuple[tuple[int, str], ...]
"""(page from 1, letters with which a paragraph of it begins), in the order of the text."""
BEGINNINGS = 3
"""So many paragraphs of a page are kept."""
_ENOUGH = 40
_FEWEST = 12
_WORDS_BEFORE = 2
"""A bullet or number, and the word that a beginning leaves out."""
_MOST_HEADING = 60
_LETTERS = re.compile(r"\[\^\d+\]|([^\W_⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ]+)")
"""Calls of notes have numbers of their own, and are no letters."""


def beginning(text: str) -> str:
    """The letters with which a paragraph begins; "" where they are too few to tell it.

    Its first word is left out: it may be the rest of one that began on the page before.
    """
    _, _, rest = text.strip().partition(" ")
    letters = "".join(found.group(1) or "" for found in _LETTERS.finditer(rest[: 6 * _ENOUGH]))[:_ENOUGH]
    return letters if len(letters) >= _FEWEST else ""


def read_starts(value: Any) -> Starts:
    """
    Raises:
        TypeError, ValueError: they are none that were written as JSON.
    """
    return tuple((int(page), str(letters)) for page, letters in value)


class Places:
    """Pages of an original and places of its text, each told from the other.

    Attributes:
        known: (page, place) of the pages that were found, both increasing.
    """

    def __init__(self, text: str, starts: Starts, pages: int) -> None:
        """
        Args:
            text: as it is now, as Markdown or as it is shown.
            pages: of the original.
        """
        runs = [found for found in _LETTERS.finditer(text) if found.group(1)]
        letters = "".join(found.group(1) for found in runs)
        before = [0]
        for found in runs:
            before.append(before[-1] + len(found.group(1)))

        def place(letter: int) -> int:
            run = bisect.bisect_right(before, letter) - 1
            return runs[run].start() + letter - before[run]

        sure = [(page, at) for page, part in starts if 0 <= (at := letters.find(part)) == letters.rfind(part)]
        told = _with_missing(_in_order(sure), starts, letters)
        self.known = [(page, _with_heading(text, place(at)) if page > 1 else 0) for page, at in told]
        self._pages = pages
        first = [] if self.known and self.known[0][0] == 1 else [(1, 0)]
        self._line: list[tuple[float, float]] = [*first, *self.known, (pages + 1, len(text))]
        self._back = [(at, page) for page, at in self._line]

    @property
    def is_known(self) -> bool:
        """Enough pages were found to go by them."""
        return bool(self.known) and 3 * len(self.known) >= self._pages

    def place_of(self, page: float) -> int | None:
        """Where a page begins in the text, 2.5 being the middle of page 2; None where that is not known."""
        if not self.is_known:
            return None
        return round(_between(self._line, page))

    def page_at(self, place: int) -> float | None:
        """The page, and how far down it, of a place of the text; None where that is not known."""
        if not self.is_known:
            return None
        return _between(self._back, place)


def _with_heading(text: str, at: int) -> int:
    """Where the paragraph begins whose second word stands at a place, or the short line above it that heads it.

    A place in the middle of a paragraph, which goes on from the page before, stays.
    """
    start = text.rfind("\n", 0, at) + 1
    if len(text[start:at].split()) > _WORDS_BEFORE:
        return at
    above = text[:start].rstrip("\n")
    line = above[above.rfind("\n") + 1 :]
    is_heading = 0 < len(line.strip()) <= _MOST_HEADING and line.rstrip()[-1] not in ".!?:;,|"
    return len(above) - len(line) if is_heading else start


def _in_order(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first place of each page, without those that contradict most others."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, at) in enumerate(found):
        length = bisect.bisect_left(ends, at)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [at]
        last[length : length + 1] = [number]
    chain: dict[int, int] = {}
    number = last[-1] if last else -1
    while number >= 0:
        page, at = found[number]
        chain[page] = at
        number = before[number]
    return sorted(chain.items())


def _with_missing(known: list[tuple[int, int]], starts: Starts, letters: str) -> list[tuple[int, int]]:
    """Pages whose beginnings occur more than once, each found between its neighbours."""
    places = dict(known)
    pages = [page for page, _ in known]
    for page, part in starts:
        if page not in places:
            number = bisect.bisect_left(pages, page)
            low = places[pages[number - 1]] if number else -1
            high = places[pages[number]] if number < len(pages) else len(letters)
            if (at := letters.find(part, low + 1, high)) >= 0:
                places[page] = at
                pages.insert(number, page)
    return sorted(places.items())


def _between(line: Sequence[tuple[float, float]], value: float) -> float:
    """A line of points, increasing, read at a value; beyond its ends it stays."""
    after = bisect.bisect_right(line, (value, float("inf")))
    if after == 0:
        return line[0][1]
    if after == len(line):
        return line[-1][1]
    (x0, y0), (x1, y1) = line[after - 1], line[after]
    return y0 + (y1 - y0) * (value - x0) / (x1 - x0) if x1 > x0 else y0
