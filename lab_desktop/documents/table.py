"""The cells of a spreadsheet as rows of text: CSV and XLSX, whatever program wrote them, and cells that were copied.

Formulas count as the text that was last computed for them; nothing is computed or fetched. Knows no questions and
answers. A hostile file can exhaust who reads it: `safely.read_table_safely` does it in a process of its own.
"""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab_desktop.documents.plain import decode
from lab_desktop.errors import DocumentError

SUFFIXES = (".csv", ".tsv", ".xlsx")
MOST_BYTES = 20_000_000
MOST_UNPACKED_BYTES = 60_000_000
MOST_ROWS = 10_000
MOST_COLUMNS = 50
MOST_CELL = 50_000
MOST_LETTERS = 10_000_000
"""Of a cell, and of all."""


@dataclass(frozen=True)
class Table:
    """The cells that hold anything.

    Attributes:
        rows: all equally long, none empty; cells have no blanks around them.
        numbers: of each row in the spreadsheet, from 1.
        unread: a sentence for each part that is left out.
    """

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    unread: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns it has."""
        return len(self.rows[0]) if self.rows else 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Table:
        """
        Raises:
            TypeError, ValueError, KeyError: it is none that `to_json` made.
        """
        rows = tuple(tuple(map(str, row)) for row in value["rows"])
        return cls(rows, tuple(map(int, value["numbers"])), tuple(map(str, value["unread"])))


def table_of(rows: Iterable[Sequence[str]]) -> Table:
    """The table of these rows; empty ones are left out, and what is more than anybody writes by hand."""
    unread: list[str] = []
    kept: list[list[str]] = []
    numbers: list[int] = []
    letters = 0
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS or letters > MOST_LETTERS:
            unread.append(f"Only the first {number - 1:,} rows were read.")
            break
        if any(len(cell) > MOST_CELL for cell in row):
            unread.append(f"Row {number} has a text of more than {MOST_CELL:,} letters; its rest is left out.")
        cells = [cell.strip()[:MOST_CELL] for cell in list(row)[:MOST_COLUMNS]]
        letters += sum(map(len, cells))
        while cells and not cells[-1]:
            del cells[-1]
        if cells:
            kept.append(cells)
            numbers.append(number)
    width = max(map(len, kept), default=0)
    whole = tuple((*row, *[""] * (width - len(row))) for row in kept)
    return Table(whole, tuple(numbers), tuple(unread))


def split_cells(text: str) -> Table | None:
    """Cells copied from a spreadsheet, with tabs between them; None where the text is something else."""
    if "\t" not in text:
        return None
    with contextlib.suppress(csv.Error):
        return table_of(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))
    return None


def read_table(file: Path) -> Table:
    """The cells of a CSV or XLSX file; of several sheets the first that holds anything.

    Raises:
        DocumentError: the file cannot be read, is too large, or holds nothing.
    """
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise DocumentError(f'"{file.name}" is not a file.', "Choose a CSV or Excel file.")
        if size > MOST_BYTES:
            raise DocumentError(f'"{file.name}" is larger than {MOST_BYTES // 1_000_000} MB.', "Split it.")
        with open(file, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise DocumentError(
            f'"{file.name}" in {file.parent} cannot be opened: {error.strerror}.', "Check its permissions."
        ) from error
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError(
            f'"{file.name}" is protected with a password, or is an old Excel file.',
            'Open it in Excel or Numbers and save it as ".xlsx" without a password.',
        )
    found = table_of(_xlsx_rows(file.name, data) if data.startswith(b"PK") else _csv_rows(file.name, data))
    if not found.rows:
        raise DocumentError(f'"{file.name}" is empty.', "Choose a table with questions and answers.")
    return found


def _csv_rows(name: str, data: bytes) -> Iterator[list[str]]:
    text, _ = decode(data)
    if "\0" in text:
        raise DocumentError(f'"{name}" is no text and no Excel file.', "Save the table as CSV or as .xlsx.")
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    dialect.doublequote = True
    try:
        yield from csv.reader(io.StringIO(text, newline=""), dialect)
    except csv.Error as error:
        raise DocumentError(
            f'"{name}" is not a table that can be read.', "Save it again as CSV.", str(error)
        ) from error


def _xlsx_rows(name: str, data: bytes) -> list[list[str]]:
    """The cells of the first sheet that has any, as text."""
    # A spreadsheet's library is rarely needed and takes long to import.
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED_BYTES:
                raise DocumentError(f'"{name}" becomes far too large when it is unpacked.', "Save the table as CSV.")
            if any(b"<!ENTITY" in packed.read(each) for each in packed.infolist()):
                raise DocumentError(f'"{name}" has parts that no Excel file has.', "Save the table as CSV.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            rows = [
                ["" if cell is None else str(cell) for cell in row]
                for row in sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS, values_only=True)
            ]
            if any(any(row) for row in rows):
                return rows
        return []
    except DocumentError:
        raise
    except Exception as error:
        raise DocumentError(f'"{name}" is damaged or no Excel file.', "Save the table as CSV.", str(error)) from error
