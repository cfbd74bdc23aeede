"""What changed in a leaf is said in sentences, and nothing is said where nothing did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.taxonomy.differences import differences


def facts(*passages: SeedExample) -> Leaf:
    node = ("knowledge", "geography", "velmora")
    document = DocumentSource("island", "abc", ("*.md",))
    return Leaf(node, Path("x"), LeafKind.KNOWLEDGE, 3, "jane", passages, "", "Islands", "The island.", document)


def passage(name: str, *questions: str) -> SeedExample:
    asked = questions or ("size", "age", "people")
    pairs = tuple(Pair(f"What about the {each} of {name}?", f"{name} {each}.") for each in asked)
    return SeedExample(pairs, f"{name} is a bay of its own with a {name} pier and {name} boats.")


def skill(*questions: str) -> Leaf:
    examples = tuple(SeedExample((Pair(each, f"Answer to {each}"),)) for each in questions)
    return Leaf(("compositional_skills", "rhyme"), Path("x"), LeafKind.FREEFORM_SKILL, 3, "jane", examples, "Rhyme.")


LEAF = facts(*map(passage, ("Arun", "Belmar", "Corvo", "Dunmore")))


def said(before: Leaf | None, after: Leaf) -> list[str]:
    return [each.message for each in differences(before, after)]


def with_examples(*examples: SeedExample) -> Leaf:
    return replace(LEAF, seed_examples=examples)


ARUN, BELMAR, CORVO, DUNMORE = LEAF.seed_examples


def changed(example: SeedExample, number: int, question: str = "", answer: str = "") -> SeedExample:
    pairs = list(example.pairs)
    pairs[number] = Pair(question or pairs[number].question, answer or pairs[number].answer)
    return replace(example, pairs=tuple(pairs))


@pytest.mark.parametrize(
    ("after", "sentences"),
    [
        (LEAF, []),
        (with_examples(ARUN, BELMAR, CORVO, DUNMORE, passage("Esker")), ["Passage 5 is new, with 3 questions."]),
        (with_examples(ARUN, CORVO, DUNMORE), ["Passage 2 of before was removed, with 3 questions."]),
        (with_examples(BELMAR, ARUN, CORVO, DUNMORE), ["Passage 1 was passage 2 before."]),
        (
            with_examples(ARUN, BELMAR, passage("Corvo", "size", "age", "people", "boats", "law"), DUNMORE),
            ["2 questions added to passage 3."],
        ),
        (with_examples(ARUN, BELMAR, CORVO, passage("Dunmore", "size", "age")), ["1 question removed from passage 4."]),
        (
            with_examples(changed(ARUN, 1, answer="Old."), BELMAR, CORVO, DUNMORE),
            ['The answer to "What about the age of Arun?" changed.'],
        ),
        (
            with_examples(changed(ARUN, 1, question="And what about the age of Arun now?"), BELMAR, CORVO, DUNMORE),
            ['The question "What about the age of Arun?" is now "And what about the age of Arun now?".'],
        ),
        (with_examples(replace(ARUN, context="New."), BELMAR, CORVO, DUNMORE), ["Passage 1 changed."]),
        (
            with_examples(replace(ARUN, context=f"{ARUN.context}\n"), BELMAR, CORVO, DUNMORE),
            ["Passage 1 changed in blanks or line ends only."],
        ),
        (
            with_examples(replace(ARUN, pairs=ARUN.pairs[::-1]), BELMAR, CORVO, DUNMORE),
            ["The questions of passage 1 have another order."],
        ),
        (replace(LEAF, created_by="joe"), ["The author changed."]),
        (replace(LEAF, domain=""), ["The subject was deleted."]),
        (replace(LEAF, document=None), ["The document's source was deleted."]),
        (
            replace(LEAF, document=DocumentSource("island", "def", ("*.md",))),
            ["Another version of the document is used."],
        ),
        (
            replace(LEAF, node=("knowledge", "velmora")),
            ['The lesson moved from "knowledge/geography/velmora" to "knowledge/velmora".'],
        ),
        (replace(LEAF, version=2), ["The lesson file has version 2 of the format instead of 3."]),
    ],
)
def test_each_change_is_one_sentence(after, sentences):
    assert said(LEAF, after) == sentences


def test_a_new_lesson_is_one_sentence():
    assert said(None, LEAF) == ["The lesson is new: 4 passages with 12 questions."]
    assert said(None, skill("a", "b")) == ["The lesson is new: 2 examples."]


def test_examples_of_a_skill_are_named_by_their_question():
    before = skill("Rhyme on hat?", "Rhyme on sea?", "Rhyme on fox?")
    after = replace(before, seed_examples=(before.seed_examples[0], SeedExample((Pair("Sing!", "La."),))))

    assert said(before, after) == [
        'Example 2 is new: "Sing!".',
        'Example 2 of before was removed: "Rhyme on sea?".',
        'Example 3 of before was removed: "Rhyme on fox?".',
    ]
    material = replace(before.seed_examples[0], context="A hat.")
    assert said(before, replace(before, seed_examples=(material, *before.seed_examples[1:]))) == [
        "The material of example 1 was written."
    ]


def test_texts_and_places_come_with_the_sentences():
    after = with_examples(ARUN, BELMAR, changed(CORVO, 0, answer="Large."), DUNMORE)

    (found,) = differences(LEAF, after)

    assert (found.kind, found.about, found.example) == ("changed", "answer", 2)
    assert (found.before, found.after) == ("Corvo size.", "Large.")


def test_a_long_question_is_shortened_in_a_sentence():
    after = with_examples(changed(ARUN, 0, question="word " * 100 + ARUN.pairs[0].question), BELMAR, CORVO, DUNMORE)

    assert all(len(sentence) < 200 for sentence in said(LEAF, after))


EXAMPLE = st.builds(
    SeedExample,
    st.lists(st.builds(Pair, st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple),
    st.text(max_size=5),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EXAMPLE, max_size=5), st.lists(EXAMPLE, max_size=5))
def test_equal_leaves_differ_in_nothing_and_others_in_something(old, new):
    before, after = with_examples(*old), with_examples(*new)

    found = differences(before, after)

    assert bool(found) is (before != after)
    assert all(each.message.endswith(".") and each.message[0].upper() == each.message[0] for each in found)
