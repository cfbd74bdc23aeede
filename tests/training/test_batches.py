from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import ChatMessage, TrainingRow
from lab_desktop.training.batches import EncodedRow, batches, encode, general_batch, merge, pack
from tests.training.students import bytes_of, row, rows_about_a_document

tokens = st.lists(st.integers(0, 3), min_size=1, max_size=8).map(tuple)
encoded_rows = st.lists(st.builds(EncodedRow, tokens, tokens, st.booleans(), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(encoded_rows)
def test_every_learned_token_of_every_row_is_a_target_after_exactly_its_own_row(rows):
    merged = merge(rows)

    found = Counter()
    for index, token, weight, is_base in zip(merged.index, merged.token, merged.weight, merged.is_base, strict=True):
        seen = np.flatnonzero(merged.sees[index])
        path = tuple(merged.tokens[seen][np.argsort(merged.positions[seen])])
        found[path, int(token), bool(is_base)] += int(weight)
    wanted = Counter()
    for each in rows:
        for place in range(each.first_learned, len(each.tokens)):
            token = 0 if each.keeps_base else each.tokens[place]
            wanted[each.tokens[:place], token, each.keeps_base] += 1
    assert found == wanted


@settings(max_examples=60, deadline=None)
@given(encoded_rows, st.integers(4, 40))
def test_packs_hold_all_rows_and_stay_within_their_length(rows, most):
    packs = pack(rows, most)

    assert sum(each.answer_weight + each.base_weight for each in packs) == sum(each.learned for each in rows)
    longest = max(len(each.tokens) - 1 for each in rows)
    assert all(len(each.tokens) <= max(most, longest) for each in packs)
    assert all(np.array_equal(each.is_base, each.base_place >= 0) for each in packs)
    kept = sum(row.learned for each in packs for row in each.base_rows)
    assert kept == sum(each.base_weight for each in packs)


def test_rows_that_begin_alike_share_what_they_share():
    rows = rows_about_a_document()

    (packed,) = pack(rows, 1000)

    assert len(packed.tokens) < sum(len(each.tokens) for each in rows) / 2


def test_two_documents_are_not_torn_between_packs():
    rows = [row(letter * 100 + question, "x") for question in "123456" for letter in "AB"]

    packs = pack(rows, 130)

    assert len(packs) == 2
    assert all(len(set(each.tokens[each.positions < 100].tolist())) == 1 for each in packs)


def test_the_order_of_rows_is_a_function_of_seed_and_epoch():
    rows = [row(f"question {number}", "x") for number in range(50)]

    assert batches(rows, 1, 2, 8) == batches(rows, 1, 2, 8)
    assert batches(rows, 1, 2, 8) != batches(rows, 1, 3, 8)
    assert batches(rows, 1, 2, 8) != batches(rows, 2, 2, 8)


def test_an_epoch_shows_each_row_once():
    rows = [row(f"question {number}", "x") for number in range(50)]

    steps = batches(rows, 0, 0, 12)

    assert sorted(map(str, rows)) == sorted(str(each) for step in steps for each in step)
    assert {len(step) for step in steps} == {10}


def test_general_rows_come_round_and_round_wherever_one_begins():
    rows = [row(f"question {number}", "x") for number in range(7)]

    line = general_batch(rows, 0, 0, 21)

    assert [sorted(map(str, line[turn : turn + 7])) for turn in (0, 7, 14)] == [sorted(map(str, rows))] * 3
    assert line[:7] != line[7:14]
    assert general_batch(rows, 0, 9, 5) == line[9:14]
    assert general_batch([], 0, 9, 5) == []


def test_rows_too_long_are_left_out_and_counted():
    rows = [
        TrainingRow(str(size), "leaf", (ChatMessage("user", "q" * size), ChatMessage("assistant", "a")))
        for size in (5, 100)
    ]

    encoded, left_out = encode(rows, bytes_of, max_tokens=50)

    assert (len(encoded), left_out) == (1, 1)


def test_rows_of_one_document_stay_together_and_are_dealt_anew_in_every_epoch():
    rows = [row(letter * 100 + question, "x") for question in "123456789" for letter in "ABCD"]

    for epoch in (0, 1):
        steps = batches(rows, 0, epoch, 9, together=9)
        assert sorted(map(str, rows)) == sorted(str(each) for step in steps for each in step)
        assert all(len({each.prompt[:100] for each in step}) == 1 for step in steps)
    assert batches(rows, 0, 0, 9, together=3) != batches(rows, 0, 1, 9, together=3)
    thirds = batches(rows, 0, 0, 9, together=3)
    assert max(len({each.prompt[:100] for each in step}) for step in thirds) > 1
