"""The variety meter, and what is said about a card."""

from __future__ import annotations

import time

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing import lesson as edit
from lab_desktop.editing.lesson import DraftPair, Lesson
from lab_desktop.editing.notices import about, found_in, notices
from lab_desktop.editing.variety import form, variety
from tests.editing.lessons import new


def skill(*pairs: tuple[str, str]) -> Lesson:
    return edit.add_example(new(LeafKind.FREEFORM_SKILL), pairs=[Pair(*pair) for pair in pairs])


def test_examples_of_one_mould_are_said_to_be_alike() -> None:
    lesson = skill(
        *((f"Write a rhyme about the {thing} now.", "A rhyme.") for thing in ("sea", "sky", "sun", "sand", "snow"))
    )

    meter = variety(lesson.examples)

    assert (meter.length.words, meter.form.words) == ("All alike", "All alike")
    assert meter.length.share < 0.01 and meter.form.share == 0
    assert meter.subject.share < 1 / 2
    assert meter.length.hint and meter.form.hint and meter.subject.hint
    assert dict(meter.alike)[lesson.examples[1].id] == lesson.examples[0].id


def test_varied_examples_are_said_to_be_varied() -> None:
    lesson = skill(
        ("Rhyme!", "Time."),
        ("Could you tell me in two lines why the harbour froze in the winter of 1811?", "It was cold; so I was told."),
        (
            "- apples\n- pears\n- plums\nMake these into a verse for children, please, and keep it under forty words "
            "so that it fits on a card.", "Three fruits.",
        ),
        ("Describe rain.", "Wet."),
        ("What rhymes with orange?", "Nothing does."),
    )  # fmt: skip

    meter = variety(lesson.examples)

    assert [each.words for each in (meter.length, meter.form, meter.subject)] == ["Well varied"] * 3
    assert meter.alike == ()
    assert meter.length.hint == ""


def test_fewer_than_two_examples_cannot_be_compared() -> None:
    for lesson in (skill(), skill(("", "x")), skill(("One?", "Yes."))):
        meter = variety(lesson.examples)
        assert (meter.length.share, meter.form.share, meter.subject.share, meter.alike) == (0, 0, 0, ())


def test_forms_are_told_by_their_signs() -> None:
    said = {
        "What is it?": "question",
        "¿Qué es?": "question",
        "Write it down.": "command",
        "The sea is wide.": "statement",
        "- a\n- b": "list",
        "1. a": "list",
        "Dear Sir,\nhow are you": "lines",
        "Hello!": "statement",
    }
    assert {text: form(DraftPair(1, text)) for text in said} == said


CONTEXT = "The lighthouse was built in 1744 by Tobin Quistell. It is 38 metres tall."


def test_what_is_wrong_with_a_card_is_said_the_most_important_first() -> None:
    others = [(7, Pair("When was the lighthouse built?", "In 1744."))]

    def kinds(question: str, answer: str, **more: object) -> list[str]:
        return [each.kind for each in about(Pair(question, answer), CONTEXT, others, **more)]  # type: ignore[arg-type]

    assert kinds("Who built the lighthouse?", "Tobin Quistell.") == []
    assert kinds("When was the lighthouse built", "In 1744.") == ["twin"]
    assert kinds("When was the tall lighthouse there built?", "In 1744.") == []
    assert kinds("Who slept there?", "Seventeen goats.") == ["not_in_passage"]
    assert kinds("Who slept there?", "Seventeen goats.", is_in_context=False) == []
    assert kinds("Is it tall?", "Yes.") == ["yes_no"]
    assert kinds("Ist er hoch?", "Ja") == ["yes_no"]
    assert kinds("Who?", "Tobin Quistell built the lighthouse in 1744. " * 50) == ["long"]
    assert about(Pair("When was the lighthouse built?", ""), CONTEXT, others)[0].other == 7
    assert found_in(Pair("Who built it?", "Tobin Quistell"), CONTEXT).startswith("The lighthouse")
    both = "The longest river is the Vennick. It flows south for 27 kilometres. Goats drink there."
    assert found_in(Pair("How long is the Vennick?", "The Vennick is 27 kilometres long."), both).startswith("It flows")


def test_nearly_the_same_question_is_told_but_not_another_question_word() -> None:
    known = [(1, Pair("What is the name of the tall lighthouse on the cape?", "Dun."))]

    near = about(Pair("What is the name of the tall lighthouse on a cape, please?", "Dun."), "", known)

    assert [(each.kind, each.other) for each in near] == [("alike", 1)]
    assert about(Pair("Where is it built?", "x"), "", [(1, Pair("When is it built?", "y"))]) == ()


def test_a_lesson_says_it_for_every_card_and_only_the_later_twin_is_told() -> None:
    lesson = edit.add_example(new(), CONTEXT, [Pair("Who built it?", "Tobin Quistell."), Pair("", "")])
    lesson = edit.add_example(lesson, CONTEXT, [Pair("Who built it?", "A goat herd.")])
    ids = [pair.id for example in lesson.examples for pair in example.pairs]

    said = notices(lesson)

    assert said[ids[0]] == ()
    assert ids[1] not in said
    assert [each.kind for each in said[ids[2]]] == ["twin", "not_in_passage"]


def test_two_hundred_cards_are_looked_through_in_a_second() -> None:
    lesson = new()
    for number in range(50):
        pairs = [Pair(f"What happened in bay {number} at {each} in winter?", f"Ship {each}.") for each in range(4)]
        lesson = edit.add_example(lesson, f"{CONTEXT} {number}", pairs)
    notices(lesson)
    start = time.thread_time()

    notices(lesson)

    assert time.thread_time() - start < 1
