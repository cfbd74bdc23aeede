"""Columns of prose: a gap that runs down the page parts them, and they are read one after the other between the lines
that span them (a recursive XY cut that prefers columns; Nagy and Seth 1984). A table is no column.
"""

from __future__ import annotations

import statistics

from lab_desktop.documents.pieces import Piece, letters_of


def in_columns(pieces: list[Piece], body: float, depth: int = 0) -> list[list[Piece]]:
    """The pieces in the groups in which they are read."""
    if len(pieces) < 8 or depth > 5:
        return [pieces] if pieces else []
    gutter = _gutter(pieces, body)
    if gutter is None:
        return [pieces]
    spanning = sorted((piece for piece in pieces if piece.left < gutter < piece.right), key=lambda piece: -piece.base)
    rest = sorted((piece for piece in pieces if not piece.left < gutter < piece.right), key=lambda piece: -piece.base)
    groups: list[list[Piece]] = []
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
                groups += in_columns(side, body, depth + 1)
        highest = rest[0].base + 0.5 * rest[0].size if rest else float("-inf")
        across = [piece for piece in spanning if piece.base >= highest] or spanning[:1]
        spanning = spanning[len(across) :]
        if across:
            # What stands on the same line as a spanning piece is read with it.
            beside = [piece for piece in rest if abs(piece.base - across[-1].base) <= 0.5 * piece.size]
            rest = [piece for piece in rest if piece not in beside]
            groups.append([*across, *beside])
    return groups


def _parts_of_band(band: list[Piece], gutter: float) -> list[tuple[list[Piece], bool]]:
    """A band cut at wide blank strips: (pieces, are they columns); a table below columns is none."""
    chunks: list[list[Piece]] = []
    for piece in band:
        if chunks and chunks[-1][-1].base - piece.base <= 1.8 * max(piece.size, chunks[-1][-1].size):
            chunks[-1].append(piece)
        else:
            chunks.append([piece])
    parts: list[tuple[list[Piece], bool]] = []
    for chunk in chunks:
        sides = [p for p in chunk if p.right <= gutter], [p for p in chunk if p.left >= gutter]
        is_columns = not all(sides) or all(statistics.mean(len(p.words) for p in side) >= 3 for side in sides)
        if parts and is_columns and parts[-1][1]:
            parts[-1][0].extend(chunk)
        else:
            parts.append((chunk, is_columns))
    return parts


def _gutter(pieces: list[Piece], body: float) -> float | None:
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


def _are_columns(pieces: list[Piece], gutter: float, left: float, right: float) -> bool:
    """True when both sides are prose that stands beside each other, and no table."""
    sides = [piece for piece in pieces if piece.right <= gutter], [piece for piece in pieces if piece.left >= gutter]
    for side, width in zip(sides, (gutter - left, right - gutter), strict=True):
        if len(side) < 4:
            return False
        fill = statistics.median(piece.width for piece in side) / width
        words = statistics.mean(len(piece.words) for piece in side)
        is_prose = fill >= 0.35 and (words >= 3 or statistics.mean(letters_of(piece) for piece in side) >= 20)
        if not is_prose:
            return False
    spanning = len(pieces) - len(sides[0]) - len(sides[1])
    if spanning > 0.5 * (len(sides[0]) + len(sides[1])):
        return False
    bottom = max(min(piece.base for piece in side) for side in sides)
    top = min(max(piece.base for piece in side) for side in sides)
    beside = [sum(bottom - 1 <= piece.base <= top + 1 for piece in side) for side in sides]
    return min(beside) >= 3
