"""The rows of a table become cards: the columns are found, what is there already is not taken twice."""

from __future__ import annotations

import pytest

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.documents.table import table_of
from lab_desktop.editing import lesson as edit
from lab_desktop.editing import table
from lab_desktop.editing.table import Columns, Entry, add_entries, guess_columns, sift, sift_for
from tests.editing.lessons import new

ROWS = [
    ["Number", "Question", "Reply", "Passage"],
    ["1", "Who built it?", "Rolf.", "Rolf came."],
    ["2", "When?", "In 1811.", ""],
    ["", "", "", ""],
    ["4", "Why?", "", ""],
]


def test_columns_are_found_by_their_names_or_by_what_stands_in_them() -> None:
    named = table_of(ROWS)
    bare = table_of([["1", "Rolf.", "Who built it?"], ["2", "Now.", "When?"], ["3", "", "Why?"]])

    assert guess_columns(named) == Columns(1, 2, 3, has_names=True)
    assert guess_columns(bare) == Columns(2, 1)
    assert guess_columns(table_of([["a", "b", "c"], ["1", "2", "3"]])) is None
    assert guess_columns(table_of([["just a text"]])) is None


def test_with_a_passage_in_hand_a_column_of_sources_is_not_taken_for_passages() -> None:
    lesson = edit.add_example(new(), "Rolf came in 1811.")

    assert table.guess_for(lesson, lesson.examples[0].id, table_of(ROWS)) == Columns(1, 2, has_names=True)
    assert table.guess_for(new(), 0, table_of(ROWS)).context == 3
    assert table.guess_for(lesson, 1, table_of([["a", "b", "c"]])) == Columns(0, 1)


def test_a_row_without_answer_is_left_out_under_its_own_number() -> None:
    found = sift(table_of(ROWS), Columns(1, 2, 3, has_names=True))

    assert found.entries == (Entry("Who built it?", "Rolf.", "Rolf came."), Entry("When?", "In 1811."))
    assert found.left_out == ("Row 5 has no answer: “4 Why?”.",)


def test_what_the_lesson_has_and_what_stands_twice_is_not_taken() -> None:
    lesson = edit.add_example(new(), "Rolf came in 1811.", [Pair("WHO  built it?", "Rolf.")])
    passage = lesson.examples[0].id
    rows = table_of([["Who built it?", "Rolf."], ["When?", "1811."], ["when?", "In 1811."]])

    found = sift_for(lesson, passage, rows, Columns(0, 1))

    assert found.entries == (Entry("When?", "1811."),)
    assert found.left_out == (
        "Row 1 is in the lesson already: “Who built it?”.",
        "Row 3 is the same as row 2: “when?”.",
    )


def test_the_same_request_with_other_material_is_another_example() -> None:
    lesson = edit.add_example(new(LeafKind.GROUNDED_SKILL), "4 pears", [Pair("How many?", "4")])
    rows = table_of([["How many?", "4", "4  pears"], ["How many?", "9", "9 coats"]])

    found = sift_for(lesson, 0, rows, Columns(0, 1, 2))

    assert found.entries == (Entry("How many?", "9", "9 coats"),)


def test_questions_go_to_their_passage_or_to_a_new_one_and_use_up_empty_cards() -> None:
    lesson = edit.add_example(new(), "Rolf came in 1811.", [Pair("", "")])
    passage = lesson.examples[0].id
    there, elsewhere = Entry("When?", "1811.", "Rolf  came in 1811."), Entry("Who?", "Vale.", "Vale runs it.")

    made = add_entries(lesson, passage, [there, elsewhere, Entry("A?", "B")])

    assert [(each.context, [pair.question for pair in each.pairs]) for each in made.examples] == [
        ("Rolf came in 1811.", ["When?", "A?"]),
        ("Vale runs it.", ["Who?"]),
    ]


def test_a_question_without_a_passage_has_no_place_in_a_facts_lesson_without_one() -> None:
    found = sift_for(new(), 0, table_of([["Who?", "Rolf."], ["When?", "Now."]]), Columns(0, 1))

    assert found.entries == ()
    assert found.left_out[0] == "Row 1 belongs to no passage: “Who?”."


def test_material_makes_a_skill_one_with_material() -> None:
    lesson = edit.add_example(new(LeafKind.FREEFORM_SKILL))

    made = add_entries(lesson, 0, [Entry("How many?", "4", "4 pears")])

    assert made.kind is LeafKind.GROUNDED_SKILL
    assert [(each.context, each.pairs[0].answer) for each in made.examples] == [("4 pears", "4")]


def test_more_than_a_lesson_holds_is_left_out_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_TAKEN", 3)
    rows = table_of([[f"Who is {number}?", "I."] for number in range(10_000)])

    found = sift_for(new(LeafKind.FREEFORM_SKILL), 0, rows, Columns(0, 1))

    assert len(found.entries) == 3
    assert found.left_out == ("Row 4 and what follows is too much for one lesson; begin another one for it.",)
