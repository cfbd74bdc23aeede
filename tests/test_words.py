"""words.py: texts compared as a person would."""

from __future__ import annotations

import pytest

from lab_desktop.words import agree, contains, content_words, numbers, sentences, shared, telling_sentence, words


def test_case_punctuation_articles_and_number_words_do_not_count() -> None:
    assert words("The Keeper, a ferry-captain: ONE of 1,382!") == ["keeper", "ferry", "captain", "1", "of", "1382"]


def test_accents_do_not_count_and_other_scripts_stay() -> None:
    assert words("Žofie čte 日本語") == ["zofie", "cte", "日本語"]


def test_numbers_are_the_same_however_they_are_written() -> None:
    for text in ("one thousand three hundred and eighty-two", "1 382", "1,382"):
        assert words(text) == ["1382"]


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("It was in 1382, they say.", "1382", True),
        ("It was in 13820.", "1382", False),
        ("A crown of heron feathers.", "heron feathers", True),
        ("Heron's crown of feathers", "heron feathers", False),
        ("anything", "", False),
    ],
)
def test_contains_looks_for_whole_words_in_a_row(text: str, part: str, expected: bool) -> None:
    assert contains(text, part) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("In 1382.", "Velmora was settled in 1382.", True),
        ("In 1382.", "In 1744.", False),
        ("by Ysolda Karrow, a rope maker", "Ysolda Karrow was a rope maker", True),
        ("It is red.", "It is green.", False),
        ("fourteen months", "14 months", True),
        ("", "", True),
    ],
)
def test_answers_agree_when_they_say_the_same(first: str, second: str, expected: bool) -> None:
    assert agree(first, second) is expected
    assert agree(second, first) is expected


def test_shared_is_the_share_of_common_words() -> None:
    assert shared(set(words("the red boat")), set(words("a red boat"))) == 1.0
    assert shared({"red", "boat"}, {"green", "boat"}) == pytest.approx(1 / 3)
    assert shared(set(), set()) == 1.0


def test_content_words_are_stems_without_function_words() -> None:
    assert content_words("What boats were painted by the painters?") == {"boat", "paint", "painter"}
    assert numbers("1,100 tonnes and twenty pips") == {"1100", "20"}


def test_sentences_of_prose_lists_and_tables() -> None:
    text = (
        "# The kiln\n\nPut it down. Wait 5 min. or so!\n\n1. Plug it in.\n2. Go\n- a lid\n\n| Heat | Time |\n|---|---|"
    )

    assert sentences(text) == [
        "The kiln",
        "Put it down.",
        "Wait 5 min. or so!",
        "Plug it in.",
        "Go",
        "a lid",
        "| Heat | Time |",
    ]
    assert sentences("…") == []


def test_the_telling_sentence_is_the_one_with_most_of_the_answer_and_of_the_question() -> None:
    text = "Orra\n\nThe lighthouse was built in 1811. Its lamp burns fish oil. The harbour holds forty boats."

    assert telling_sentence(text, "What does the lamp burn?", "fish oil") == "Its lamp burns fish oil."
    assert telling_sentence(text, "Why?", "nothing of that") == ""
