"""How a leaf differs from its earlier version, in sentences for a person.

Compares values only: it reads no file and knows no repository.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lab_desktop.artifacts import Leaf, LeafKind, Pair, SeedExample

Kind = Literal["new", "changed", "removed", "moved"]
About = Literal["lesson", "place", "field", "source", "example", "context", "pair", "question", "answer"]

_QUOTED = 60
_ALIKE = 0.6
"""Two texts that share this part of their words are versions of one."""


@dataclass(frozen=True)
class Difference:
    """One thing that is new, changed, moved or gone.

    Attributes:
        kind: what happened to it.
        about: what it happened to.
        message: the whole in a sentence.
        before, after: the texts, for showing side by side; "" where there is none.
        example: number of the seed example in the newer version (in the older one where it is gone); from 0, -1: none.
    """

    kind: Kind
    about: About
    message: str
    before: str = ""
    after: str = ""
    example: int = -1


def differences(before: Leaf | None, after: Leaf) -> tuple[Difference, ...]:
    """Everything in which `after` differs from `before`, top to bottom; nothing where they say the same.

    Args:
        before: the earlier version; None: there was none.
    """
    return tuple(_differences(before, after))


def _differences(before: Leaf | None, after: Leaf) -> Iterator[Difference]:
    raise NotImplementedError
