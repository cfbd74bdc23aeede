"""Tables: rows of pieces that stand below each other, in columns that no piece bridges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lab_desktop.documents.pieces import Piece, Row, row_text

_TABLE_GAP = 3.5
"""Of the letter size, from row to row of a table."""
LEADERS = re.compile(r"(?:\s?[.·…_]){4,}")
"""Dots that lead to a page number."""


def table_at(rows: Sequence[Row], start: int) -> tuple[int, list[list[Row]]] | None:
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
    if sum(bool(LEADERS.search(row_text(rows[place]))) for place in full) > len(full) / 2:
        return None  # a table of contents
    if sum(len(rows[place]) for place in full) < 0.5 * len(full) * len(columns):
        return None
    cells: list[list[Row]] = []
    for place in used:
        row = rows[place]
        line: list[Row] = [[] for _ in columns]
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


def _column_of(piece: Piece, columns: Sequence[tuple[float, float]]) -> int | None:
    """The one column that a piece stands in; None where it reaches into two, or beyond."""
    overlapping = [number for number, (left, right) in enumerate(columns) if piece.left < right and piece.right > left]
    if len(overlapping) != 1:
        return None
    right = columns[overlapping[0]][1]
    return overlapping[0] if piece.right <= right + 3 * piece.size else None
