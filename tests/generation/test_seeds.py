"""generation/seeds.py: every passage and every seed example gets its share."""

from __future__ import annotations

import itertools
from collections import Counter

from lab_desktop.generation.seeds import units, units_in_a_draw
from tests.generation.leaves import freeform, knowledge


def test_a_draw_asks_every_passage_with_every_seed_example_once() -> None:
    material = knowledge()
    draw = list(itertools.islice(units(material, 0), units_in_a_draw(material)))

    assert Counter((unit.passage, unit.seed_example) for unit in draw) == {
        (passage, example): 1 for passage in range(2) for example in range(5)
    }


def test_the_first_units_ask_each_passage_with_different_seed_examples() -> None:
    first, second = itertools.islice(units(knowledge(), 0), 2)

    assert (first.passage, second.passage) == (0, 1)
    assert first.seed_example != second.seed_example


def test_units_have_names_and_seeds_of_their_own_that_do_not_change() -> None:
    many = list(itertools.islice(units(freeform(), 0), 50))

    assert len({unit.id for unit in many}) == len({unit.random_seed for unit in many}) == 50
    assert many == list(itertools.islice(units(freeform(), 0), 50))


def test_another_seed_of_the_run_samples_anew() -> None:
    assert next(units(freeform(), 0)).random_seed != next(units(freeform(), 1)).random_seed
