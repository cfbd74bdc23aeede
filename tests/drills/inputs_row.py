"""A line of the table that the drills print."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What was done to one kind of thing, and what became of it.

    Attributes:
        what: the kind of file, or the earlier version.
        fault: what was done to it.
        tried: how often.
        survived: how often a sentence or what was there came of it, soon, in little memory, and nothing else was lost.
        lost: what went wrong the first time, in words; "" where nothing did.
    """

    what: str
    fault: str
    tried: int
    survived: int
    lost: str
