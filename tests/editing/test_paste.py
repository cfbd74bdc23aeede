"""Pasted text becomes pairs, and what could not be read is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.documents.table import MOST_CELL
from lab_desktop.editing.paste import split_pairs

TWO = [("Who built it?", "Rolf."), ("When?", "In 1811.\nOr later.")]


def read(text: str) -> list[tuple[str, str]]:
    return [(pair.question, pair.answer) for pair in split_pairs(text).pairs]


@pytest.mark.parametrize(
    "text",
    [
        "Q: Who built it?\nA: Rolf.\nQ: When?\nA: In 1811.\nOr later.",
        "Q: Who built it?\r\nA: Rolf.\r\n\r\nQ: When?\r\nA: In 1811.\r\nOr later.\r\n",
        "Q1: Who built it?\nA1: Rolf.\nQ2. : When?\nA2: In 1811.\nOr later.".replace(". :", ":"),
        "1. Q: Who built it?\n   A: Rolf.\n2. Q: When?\n   A: In 1811.\nOr later.",
        "**Q:** Who built it?\n**A:** Rolf.\n\n**Q:** When?\n**A:** In 1811.\nOr later.",
        "- **Question 1:** Who built it?\n- **Answer:** Rolf.\n- **Q 2:** When?\n- **Answer:** In 1811.\nOr later.",
        "Question: Who built it?\nAnswer: Rolf.\nQuestion: When?\nAnswer: In 1811.\nOr later.",
        "Frage: Who built it?\nAntwort: Rolf.\nFrage 2: When?\nAntwort 2: In 1811.\nOr later.",
        "F: Who built it?\nA: Rolf.\nF: When?\nA: In 1811.\nOr later.",
        "Question : Who built it?\nRéponse : Rolf.\nQuestion : When?\nRéponse : In 1811.\nOr later.",
        "Pregunta: Who built it?\nRespuesta: Rolf.\nP: When?\nR: In 1811.\nOr later.",
        "### Question\nWho built it?\n### Answer\nRolf.\n### Question\nWhen?\n### Answer\nIn 1811.\nOr later.",
        "Q： Who built it?\nA： Rolf.\nQ： When?\nA： In 1811.\nOr later.",
        "> Q: Who built it?\n> A: Rolf.\n\n Q: When?\n A: In 1811.\nOr later.",
        "Q: Who built it? A: Rolf.\nQ: When? A: In 1811.\nOr later.",
        "| Question | Answer |\n|---|---|\n| Who built it? | Rolf. |\n| When? | In 1811.<br>Or later. |",
        "Answer | Question\n--|--\nRolf. | Who built it?\nIn 1811.<br>Or later. | When?",
        'Who built it?\tRolf.\nWhen?\t"In 1811.\nOr later."',
        'Answer\tQuestion\nRolf.\tWho built it?\n"In 1811.\nOr later."\tWhen?',
        "1. Who built it?\nRolf.\n2. When?\nIn 1811.\nOr later.",
        "Who built it? Rolf.\n\nWhen?\nIn 1811.\nOr later.",
    ],
)
def test_questions_and_answers_are_found_however_they_are_marked(text: str) -> None:
    assert read(text) == TWO
    assert split_pairs(text).unread == ()


@pytest.mark.parametrize(
    ("text", "pairs", "unread"),
    [
        ("", [], []),
        ("Only a text about nothing.", [], ["No question and answer was found in “Only a text about nothing.”."]),
        ("Q: Who?\nQ: When?\nA: Now.", [("When?", "Now.")], ["The question “Who?” has no answer."]),
        ("Q: When?\nA: Now.\nA: Later.", [("When?", "Now.")], ["The answer “Later.” has no question."]),
        ("Notes\nQ: When?\nA: Now.\nQ: Why?", [("When?", "Now.")], ["“Notes”", "The question “Why?” has no answer."]),
        ("Q: When?\nA:\n", [], ["The question “When?” has no answer."]),
        ("| Q | A |\n|--|--|\n| When? | |\n| Who? | I. |", [("Who?", "I.")], ["Row 2 has no answer: “When?”."]),
        ("Q: Who?\nA: A. B. Smith\nR. Jones\na) first", [("Who?", "A. B. Smith\nR. Jones\na) first")], []),
        (
            "Q: What is a colon?\nA: This: a sign.\nQ is a letter.",
            [("What is a colon?", "This: a sign.\nQ is a letter.")],
            [],
        ),
    ],
)
def test_what_cannot_be_read_is_said(text: str, pairs: list[tuple[str, str]], unread: list[str]) -> None:
    assert read(text) == pairs
    assert list(split_pairs(text).unread) == unread


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Q:", "A:", "x", "?", "\n", "|", "--|--", "\t", '"', "**", "1.", "Frage", " "]), max_size=40
    )
)
def test_any_text_is_read_without_an_error_and_no_pair_is_half(parts: list[str]) -> None:
    found = split_pairs("".join(parts))

    assert all(pair.question.strip() and pair.answer.strip() for pair in found.pairs)
    assert len(found.contexts) in (0, len(found.pairs))


def test_a_text_that_is_far_too_long_is_cut_and_it_is_said() -> None:
    found = split_pairs(f"Who?\t{'word ' * 15_000}\nWhen?\tNow.")

    assert [len(pair.answer) for pair in found.pairs] == [MOST_CELL - 1, 4]
    assert found.unread == ("Row 1 has a text of more than 50,000 letters; its rest is left out.",)
