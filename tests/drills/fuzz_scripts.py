"""Tries of a parser that fails on one of three inputs: what the test of the fuzz drill lets it do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.drills.fuzz import kept_beside
from tests.drills.inputs_child import Try


def tries(folder: str, seed: int) -> Iterator[Try]:
    """Letters, one of which is a digit."""

    def do(number: int, data: bytes) -> str:
        kept_beside(Path(folder), number).write_bytes(data)
        if not data.isalpha():
            raise ValueError("no letter")
        return ""

    for number, data in enumerate((b"a", b"1", b"b")):
        yield Try("letters", "changed at random", lambda number=number, data=data: do(number, data))  # type: ignore[misc]
