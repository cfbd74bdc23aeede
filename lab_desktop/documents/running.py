"""What repeats from page to page and is no text: running heads and feet, page numbers, lines of a table of contents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lab_desktop.documents.pieces import BIGGER, Page, Piece, Row, in_rows, row_text

_EDGE = 0.12
"""Of the page's height: where running heads and feet stand."""
_PAGE_NUMBER = re.compile(
    r"^[\s\-–—|.\[(]*(?:(?:page|seite|p\.|s\.)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|von|de|/)\s*\d{1,4})?[\s\-–—|.\])]*$",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"(?:\s?[.·…_]){4,}\s*[\divxlc]{1,5}$")
_EDGE_NUMBER = re.compile(r"^(\d{1,4})\b|\b(\d{1,4})$")


def drop_running(pages: Sequence[Page], by_page: list[list[Piece]], body: float) -> None:
    """Leave out running heads and feet, and page numbers; larger letters are the heading of a chapter."""
    rows_of = [in_rows(pieces) for pieces in by_page]
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
        gone: list[Row] = []
        for ends in (rows, rows[::-1]):
            for row in ends[:2]:
                base = row[0].base
                is_at_edge = base > top - edge or base < bottom + edge
                text, at = _running_key(row)
                repeated = sum(seen[text, at + near] for near in (-1, 0, 1))
                is_running = repeated >= 3 and repeated >= min(0.1 * len(pages), 6)
                is_running = is_running or shift in _shifts(row, page.number)
                is_small = all(piece.size < BIGGER * body for piece in row)
                if is_at_edge and is_small and row not in gone and (is_running or _PAGE_NUMBER.match(row_text(row))):
                    gone.append(row)
                else:
                    break
        left = {id(word) for row in gone for piece in row for word in piece.words}
        by_page[place] = [piece for piece in by_page[place] if id(piece.words[0]) not in left]


def drop_contents(pieces: list[Piece]) -> bool:
    """Leave out lines that lead to page numbers, where there are several; True where there were."""
    found = [row for row in in_rows(pieces) if _CONTENTS.search(row_text(row))]
    if len(found) < 3:
        return False
    gone = {id(word) for row in found for piece in row for word in piece.words}
    pieces[:] = [piece for piece in pieces if id(piece.words[0]) not in gone]
    return True


def _number_shift(pages: Sequence[Page], rows_of: Sequence[list[Row]]) -> int | None:
    """What the printed page numbers are ahead of ours; None where no numbers run through the pages."""
    votes: Counter[int] = Counter()
    for page, rows in zip(pages, rows_of, strict=True):
        votes.update({shift for row in [*rows[:1], *rows[-1:]] for shift in _shifts(row, page.number)})
    shift, count = max(votes.items(), key=lambda vote: vote[1], default=(0, 0))
    return shift if count >= max(3, 0.3 * len(pages)) else None


def _shifts(row: Row, number: int) -> set[int]:
    text = row_text(row)
    return {int(one or two) - number for one, two in _EDGE_NUMBER.findall(text)} if len(text) < 100 else set()


def _running_key(row: Row) -> tuple[str, int]:
    return re.sub(r"\b(\d+|[ivxlc]+)\b", "#", row_text(row).lower()), round(row[0].base / 4)
