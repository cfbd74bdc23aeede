"""Pasted text and tables become pairs, and what could not be read is said."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.editing import paste
from lab_desktop.editing.paste import read_table, split_pairs
from lab_desktop.errors import DocumentError

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


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Q:", "A:", "x", "?", "\n", "|", "--|--", "\t", '"', "**", "1.", "Frage", " "]), max_size=40
    )
)
def test_any_text_is_read_without_an_error_and_no_pair_is_half(parts: list[str]) -> None:
    found = split_pairs("".join(parts))

    assert all(pair.question.strip() and pair.answer.strip() for pair in found.pairs)
    assert len(found.contexts) in (0, len(found.pairs))


ROWS = [["Number", "Question", "Reply", "Passage"], ["1", *TWO[0], "Rolf came."], ["2", *TWO[1], ""]]


def as_csv(rows: list[list[str]], sign: str = ",", encoding: str = "utf-8") -> bytes:
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=sign).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.create_sheet("first", 0)
    for row in rows:
        book.worksheets[1].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        as_csv(ROWS),
        as_csv(ROWS, ";"),
        as_csv(ROWS, "\t"),
        as_csv(ROWS, ",", "utf-8-sig"),
        as_csv(ROWS, ",", "utf-16"),
        as_xlsx(ROWS),
    ],
)
def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "table"
    file.write_bytes(data)

    found = read_table(file)

    assert [(pair.question, pair.answer.replace("\r\n", "\n")) for pair in found.pairs] == TWO
    assert found.contexts == ("Rolf came.", "")
    assert found.unread == ()


def test_a_table_without_names_is_read_by_what_stands_in_it(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(as_csv([["1", "Rolf.", "Who built it?"], ["2", "Now.", "When?"], ["3", "", "Why?"]]))

    found = read_table(file)

    assert [(pair.question, pair.answer) for pair in found.pairs] == [("Who built it?", "Rolf."), ("When?", "Now.")]
    assert found.unread == ("Row 3 has no answer: “3 Why?”.",)


def test_numbers_dates_and_formulas_count_as_the_text_that_was_computed(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(as_xlsx([["Question", "Answer"], ["How many?", 1382], ["Sum?", "=1+1"], ["True?", True]]))

    found = read_table(file)

    assert [(pair.question, pair.answer) for pair in found.pairs] == [("How many?", "1382"), ("True?", "True")]
    assert found.unread == ("Row 3 has no answer: “Sum?”.",)  # nobody opened it, so nothing was computed


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return out.getvalue()


def with_entity(data: bytes) -> bytes:
    out = io.BytesIO()
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b"<worksheet", b" " * 9000 + bomb + b"<worksheet", 1))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no column of questions"),
        (b"just a text", "no column of questions"),
        (b"a,b,c\n1,2,3\n", "no column of questions"),
        (b"\0\1\2\3", "zero bytes"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "protected with a password"),
        (b"PK\3\4 no zip", "damaged"),
        (zipped({"a.txt": b"x"}), "damaged"),
        (zipped({"xl/a.xml": b"0" * 70_000_000}), "far too large"),
        (with_entity(as_xlsx(ROWS)), "no Excel file has"),
        (as_xlsx(ROWS)[:-400], "damaged"),
    ],
)
def test_hostile_and_broken_tables_are_refused_with_a_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(data)

    with pytest.raises(DocumentError, match=said) as caught:
        read_table(file)

    assert caught.value.hint


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", tmp_path / "none.csv"):
        with pytest.raises(DocumentError):
            read_table(path)


def test_a_very_long_table_is_read_as_far_as_is_sensible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paste, "MOST_ROWS", 50)
    file = tmp_path / "table"
    rows = [["Question", "Answer"], *([f"Who is {number}?", "I."] for number in range(200))]
    for data in (as_csv(rows), as_xlsx(rows)):  # type: ignore[arg-type]
        file.write_bytes(data)

        found = read_table(file)

        assert len(found.pairs) == 49
        assert found.unread == ("Only the first 50 rows were read.",)


def test_a_text_that_is_far_too_long_is_cut_and_it_is_said() -> None:
    found = split_pairs(f"Who?\t{'word ' * 15_000}\nWhen?\tNow.")

    assert [len(pair.answer) for pair in found.pairs] == [paste.MOST_CELL - 1, 4]
    assert found.unread == ("Row 1 has a text of more than 50,000 letters; its rest is left out.",)
