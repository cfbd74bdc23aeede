"""What the teacher is asked, in which order: every passage and every seed example of every leaf gets its share.

LAB samples from each leaf on its own (arXiv:2403.01081, section 3.2), so that a small leaf is not drowned by a big one
and the teacher's favourite subjects do not take over. Here that is an order of units: a unit is one request to write
rows, made from one passage (knowledge) and one seed example; its id says which, so a resumed run knows what was done.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from lab_desktop.artifacts import Leaf, Passage, SeedExample

NO_PASSAGE = -1
NO_EXAMPLE = -1


@dataclass(frozen=True)
class Material:
    """A leaf and, for knowledge, the passages of its documents in order."""

    leaf: Leaf
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Unit:
    """One request to write rows.

    Attributes:
        id: "LEAF|p<passage>|s<seed example>|d<draw>", or without the part that it has not.
        material: the leaf and its passages.
        passage: number of the passage, or NO_PASSAGE (skills; the seed examples of `fact_units`).
        seed_example: number of the seed example that is shown, or NO_EXAMPLE (the passages of `fact_units`).
        draw: how often the same was asked before; each draw samples anew.
        random_seed: of the teacher's sampling; a function of the id and the run's seed.
    """

    id: str
    material: Material
    passage: int
    seed_example: int
    draw: int
    random_seed: int

    @property
    def passage_text(self) -> str:
        return "" if self.passage == NO_PASSAGE else self.material.passages[self.passage].text

    @property
    def example(self) -> SeedExample:
        return self.material.leaf.seed_examples[self.seed_example]


def units(material: Material, seed: int) -> Iterator[Unit]:
    """Every unit of a leaf, without end: draw after draw over all pairs of passage and seed example.

    Within a draw the pairs come in turns, so that after the first C units each of C passages has been asked once, with
    different seed examples.
    """
    leaf = material.leaf
    passages = list(range(len(material.passages))) or [NO_PASSAGE]
    examples = len(leaf.seed_examples)
    for draw in itertools.count():
        for turn in range(examples):
            for position, passage in enumerate(passages):
                example = (position + turn) % examples
                name = f"{leaf.name}|p{max(passage, 0)}|s{example}|d{draw}"
                yield Unit(name, material, passage, example, draw, stable_seed(seed, name))


def fact_units(material: Material, seed: int) -> Iterator[Unit]:
    """The units of a knowledge leaf for a teacher that works fact by fact, without end.

    In every draw first the passages, then the seed examples, whose questions are worded anew (in the first draw only).
    """
    leaf = material.leaf
    for draw in itertools.count():
        for passage in range(len(material.passages)):
            name = f"{leaf.name}|p{passage}|d{draw}"
            yield Unit(name, material, passage, NO_EXAMPLE, draw, stable_seed(seed, name))
        for example in range(len(leaf.seed_examples)):
            name = f"{leaf.name}|s{example}|d{draw}"
            yield Unit(name, material, NO_PASSAGE, example, draw, stable_seed(seed, name))


def units_in_a_draw(material: Material) -> int:
    """How many units ask each passage with each seed example once."""
    return max(1, len(material.passages)) * len(material.leaf.seed_examples)


def stable_seed(*parts: object) -> int:
    """A 31-bit seed from any values, the same on every machine and in every process (hash() is not)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") >> 1
