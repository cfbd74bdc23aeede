"""Spreadsheets become cells, and hostile ones a sentence: read here, and in the child process as the window does."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from lab_desktop.documents import table
from lab_desktop.documents.safely import Limits, read_table_safely
from lab_desktop.documents.table import Table, read_table, split_cells, table_of
from lab_desktop.errors import DocumentError

ROWS = [["Number", "Question", "Reply"], ["1", "Who built it?", "Rolf."], ["2", "When?", "In 1811.\nOr later."]]


def as_csv(rows: list[list[str]], sign: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=sign, lineterminator="\n").writerows(rows)
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
        as_csv(ROWS).replace(b"\n1,", b"\r\n1,"),
        as_xlsx(ROWS),  # type: ignore[arg-type]
    ],
)
def test_cells_are_the_same_whatever_wrote_them(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "table"
    file.write_bytes(data)

    found = read_table(file)

    assert [list(row) for row in found.rows] == ROWS
    assert (found.numbers, found.unread) == ((1, 2, 3), ())
    assert Table.from_json(found.to_json()) == found


def test_old_letters_are_read_and_empty_rows_keep_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes("Frage;Antwort\n;\nWas heißt „grün“?;Grün.\n".encode("cp1252"))

    found = read_table(file)

    assert found.rows[1] == ("Was heißt „grün“?", "Grün.")
    assert found.numbers == (1, 3)


def test_numbers_dates_and_formulas_count_as_the_text_that_was_computed(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(as_xlsx([["How many?", 1382], ["Sum?", "=1+1"], ["True?", True]]))

    found = read_table(file)

    assert found.rows == (("How many?", "1382"), ("Sum?", ""), ("True?", "True"))  # nobody computed the sum


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
        (b"", "is empty"),
        (b"\0\1\2\3", "no text and no Excel"),
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
    monkeypatch.setattr(table, "MOST_ROWS", 50)
    file = tmp_path / "table"
    rows = [["Question", "Answer"], *([f"Who is {number}?", "I."] for number in range(200))]
    for data in (as_csv(rows), as_xlsx(rows)):  # type: ignore[arg-type]
        file.write_bytes(data)

        found = read_table(file)

        assert len(found.rows) == 50
        assert found.unread == ("Only the first 50 rows were read.",)


def test_a_table_with_far_too_much_text_is_cut_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_LETTERS", 100)

    found = table_of([["x" * 60, "y"]] * 9)

    assert len(found.rows) == 2
    assert found.unread == ("Only the first 2 rows were read.",)


def test_cells_that_were_copied_are_told_from_a_text() -> None:
    found = split_cells('Who?\t"two\nlines"\n\nWhen?\tNow.\tMore\n')

    assert found is not None
    assert found.rows == (("Who?", "two\nlines", ""), ("When?", "Now.", "More"))
    assert split_cells("Only a text.\nIn two lines.") is None


def test_a_spreadsheet_is_read_in_a_process_of_its_own_with_its_sentence_and_its_limits(tmp_path: Path) -> None:
    good, bomb, big = tmp_path / "good.xlsx", tmp_path / "bomb.xlsx", tmp_path / "big.csv"
    good.write_bytes(as_xlsx(ROWS))  # type: ignore[arg-type]
    bomb.write_bytes(zipped({"xl/a.xml": b"0" * 70_000_000}))
    big.write_bytes(as_csv([["Who is it?", "somebody"]] * 5000))

    assert [list(row) for row in read_table_safely(good).rows] == ROWS
    with pytest.raises(DocumentError, match="far too large"):
        read_table_safely(bomb)
    with pytest.raises(DocumentError, match="stopped in the middle"):
        read_table_safely(big, limits=Limits(output_bytes=10_000))
