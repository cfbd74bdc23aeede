"""Pairs from elsewhere: pasted text, CSV and XLSX become questions and answers.

Pasted text is tried as marked questions ("Q: … A: …", numbered, bold, in several languages), then as a table, then as
lines in twos, a question and its answer. What could not be read is said, never dropped silently.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.artifacts import Pair
from lab_desktop.errors import DocumentError

MOST_BYTES = 20_000_000
MOST_UNPACKED_BYTES = 60_000_000
MOST_ROWS = 10_000
MOST_COLUMNS = 50
MOST_CELL = 50_000
"""Letters."""
_SHOWN = 60


@dataclass(frozen=True)
class Pasted:
    """What was read.

    Attributes:
        pairs: in their order.
        contexts: the material beside each, "" where there is none; as many as pairs.
        unread: a sentence for each part that could not be read.
    """

    pairs: tuple[Pair, ...]
    contexts: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def split_pairs(text: str) -> Pasted:
    """The pairs in a pasted text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").strip("\n")
    for way in (_marked, _table, _tabbed, _asked):
        if (found := way(text)) is not None:
            return found
    return Pasted((), (), (f"No question and answer was found in “{_short(text)}”.",) if text.strip() else ())


def read_table(file: Path) -> Pasted:
    """The pairs of a CSV or XLSX file with a column of questions and one of answers.

    The columns are found by their heads, else the two that look most like questions and answers are taken. Formulas
    count as the text that was last computed for them. Nothing is computed or fetched.

    Raises:
        DocumentError: the file cannot be read, is too large, or has no such columns.
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
    is_xlsx = data.startswith(b"PK")
    rows = _xlsx_rows(file.name, data) if is_xlsx else _csv_rows(file.name, data)
    found = _of_rows(rows)
    if found is None or not found.pairs:
        raise DocumentError(
            f'"{file.name}" has no column of questions beside a column of answers.',
            'Call the columns "Question" and "Answer" in the first row.',
        )
    return found


_QUESTION = r"questions?|frage|fragen|pregunta|preguntas|prompt|instruction|input|domanda|pergunta|q|f|p"
_ANSWER = (
    r"answers?|antwort|antworten|réponses?|reponses?|respuestas?|response|completion|output|risposta|resposta|reply|a|r"
)
_CONTEXT = r"context|passage|material|text|kontext|contexte|contexto|source|grundlage"
_NUMBER = r"(?:\d{1,4}\s*[.)]?)?"
_FRONT = r"[ \t]*(?:[-*•>#]+[ \t]+)*(?:\d{1,4}[.)][ \t]*)?[*_]{0,3}"
_MARK = re.compile(
    rf"^{_FRONT}(?:(?P<question>{_QUESTION})|(?P<answer>{_ANSWER}))"
    rf"[ \t]*{_NUMBER}[*_]{{0,3}}[ \t]*(?:[:：.)][*_]{{0,3}}[ \t]*|$)",
    re.IGNORECASE | re.MULTILINE,
)


def _marked(text: str) -> Pasted | None:
    """ "Q: … A: …": what stands between two marks belongs to the first; None: there are no marks of both kinds."""
    marks = [found for found in _MARK.finditer(text) if _is_meant(found)]
    inline = re.compile(rf"[ \t]+[*_]{{0,3}}(?:{_ANSWER})[*_]{{0,3}}[ \t]*[:：][*_]{{0,3}}[ \t]+", re.IGNORECASE)
    has_answers = any(found["answer"] for found in marks) or inline.search(text)
    if not has_answers or not any(found["question"] for found in marks):
        return None
    pairs: list[Pair] = []
    unread = [f"“{_short(text[: marks[0].start()])}”"] if text[: marks[0].start()].strip() else []
    question = None
    for place, mark in enumerate(marks):
        said = text[mark.end() : marks[place + 1].start() if place + 1 < len(marks) else len(text)]
        if mark["question"]:
            if question is not None:
                unread.append(f"The question “{_short(question)}” has no answer.")
            question = _bare(said)
            if (found := inline.search(said)) and (place + 1 == len(marks) or marks[place + 1]["question"]):
                pairs.append(Pair(_bare(said[: found.start()]), _bare(said[found.end() :])))
                question = None
        elif question is None:
            unread.append(f"The answer “{_short(said)}” has no question.")
        else:
            pairs.append(Pair(question, _bare(said)))
            question = None
    if question is not None:
        unread.append(f"The question “{_short(question)}” has no answer.")
    return _pasted([(pair.question, pair.answer, "") for pair in pairs], unread)


def _is_meant(mark: re.Match[str]) -> bool:
    """A single letter needs a colon: "A. B. Smith" and "a) first" are no answers."""
    name = mark["question"] or mark["answer"]
    return len(name) > 1 or ":" in mark.group() or "：" in mark.group()


def _table(text: str) -> Pasted | None:
    """A Markdown table."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    rows = [line for line in lines if line.startswith("|") or line.count("|") > 0]
    if len(rows) < max(2, len(lines) - 1) or not any(re.fullmatch(r"\|?[\s:|-]*-[\s:|-]*", row) for row in rows):
        return None
    cells = [
        [_bare(cell.replace("\\|", "|").replace("<br>", "\n")) for cell in re.split(r"(?<!\\)\|", row.strip("|"))]
        for row in rows
        if not re.fullmatch(r"\|?[\s:|-]*-[\s:|-]*", row)
    ]
    found = _of_rows(cells)
    outside = [line for line in lines if line not in rows]
    return found and _pasted(_triples(found), [*found.unread, *(f"“{_short(line)}”" for line in outside)])


def _tabbed(text: str) -> Pasted | None:
    """Cells copied from a sheet, with tabs between."""
    if "\t" not in text:
        return None
    return _of_rows(csv.reader(io.StringIO(text), delimiter="\t"))


def _asked(text: str) -> Pasted | None:
    """Lines that end in a question mark, each followed by its answer up to the next one."""
    triples: list[tuple[str, str, str]] = []
    unread: list[str] = []
    question = ""
    answer: list[str] = []

    def end() -> None:
        if question and any(answer):
            triples.append((question, "\n".join(answer), ""))
        elif question:
            unread.append(f"The question “{_short(question)}” has no answer.")
        elif any(line.strip() for line in answer):
            unread.append(f"“{_short(' '.join(answer))}”")

    for line in text.split("\n"):
        bare = re.sub(r"^[ \t]*(?:[-*•#]+|\d{1,4}[.)])[ \t]+", "", line).strip(" *_")
        asked = re.match(r"(.{3,}?[?？])[*_ \t]*(.*)", bare)
        if asked:
            end()
            question, answer = asked[1], [asked[2]] if asked[2] else []
        else:
            answer.append(line)
    end()
    return _pasted(triples, unread) if triples else None


def _of_rows(rows: Iterable[Sequence[str]]) -> Pasted | None:
    """The pairs of a table; None where no two columns are questions and answers."""
    unread: list[str] = []
    kept: list[list[str]] = []
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            unread.append(f"Only the first {MOST_ROWS:,} rows were read.")
            break
        if any(len(cell) > MOST_CELL for cell in row):
            unread.append(f"Row {number + 1} has a text of more than {MOST_CELL:,} letters; its rest is left out.")
        kept.append([cell.strip()[:MOST_CELL] for cell in list(row)[:MOST_COLUMNS]])
    kept = [row for row in kept if any(row)]
    if not kept:
        return None
    width = max(map(len, kept))
    table = [[*row, *[""] * (width - len(row))] for row in kept]
    columns = _named_columns(table[0])
    if columns is not None:
        body = table[1:]
    else:
        columns, body = _likely_columns(table), table
        if columns is None:
            return None
    question, answer, context = columns
    triples = []
    for place, row in enumerate(body, start=len(table) - len(body) + 1):
        if row[question] and row[answer]:
            triples.append((row[question], row[answer], row[context] if context >= 0 else ""))
        else:
            missing = "answer" if row[question] else "question"
            unread.append(f"Row {place} has no {missing}: “{_short(' '.join(row))}”.")
    return _pasted(triples, unread)


def _named_columns(head: Sequence[str]) -> tuple[int, int, int] | None:
    """(question, answer, context) by the names in the first row; context is -1 where there is none."""

    def column(names: str) -> int:
        matching = (i for i, cell in enumerate(head) if re.fullmatch(rf"(?:{names})s?\s*:?", cell.strip(" *_"), re.I))
        return next(matching, -1)

    question, answer = column(_QUESTION), column(_ANSWER)
    return None if question < 0 or answer < 0 else (question, answer, column(_CONTEXT))


def _likely_columns(table: Sequence[Sequence[str]]) -> tuple[int, int, int] | None:
    """Without heads: the column with most question marks, and of the others that with most text; of two these two."""
    filled = [i for i in range(len(table[0])) if 2 * sum(bool(row[i]) for row in table) >= len(table)]
    if len(filled) < 2:
        return None
    asks = [sum(row[i].rstrip().endswith(("?", "？")) for row in table) for i in filled]
    best = max(range(len(filled)), key=lambda place: (asks[place], -place))
    if asks[best] == 0 and len(filled) > 2:
        return None
    longest = max((i for i in filled if i != filled[best]), key=lambda i: sum(len(row[i]) for row in table))
    return filled[best], longest, -1


def _csv_rows(name: str, data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    if "\0" in text:
        raise DocumentError(f'"{name}" is not a table: it has zero bytes.', "Choose a CSV or Excel file.")
    sample = text[:20_000]
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    dialect.doublequote = True
    try:
        yield from csv.reader(io.StringIO(text, newline=""), dialect)
    except csv.Error as error:
        raise DocumentError(
            f'"{name}" is not a table that can be read.', "Save it again as CSV.", str(error)
        ) from error


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


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


def _pasted(triples: Sequence[tuple[str, str, str]], unread: Sequence[str]) -> Pasted:
    whole = [(_bare(question), _bare(answer), context) for question, answer, context in triples]
    kept = [each for each in whole if each[0] and each[1]]
    missing = [
        f"The {'question' if question else 'answer'} “{_short(question or answer)}” has no "
        f"{'answer' if question else 'question'}."
        for question, answer, _ in whole
        if bool(question) != bool(answer)
    ]
    pairs = tuple(Pair(question, answer) for question, answer, _ in kept)
    return Pasted(pairs, tuple(context for *_, context in kept), (*unread, *missing))


def _triples(found: Pasted) -> list[tuple[str, str, str]]:
    return [(pair.question, pair.answer, context) for pair, context in zip(found.pairs, found.contexts, strict=True)]


def _bare(text: str) -> str:
    """Without blanks around it, and without the signs of bold around all of it."""
    text = text.strip()
    bold = re.fullmatch(r"(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1", text, re.DOTALL)
    return bold[2] if bold and bold[1] not in bold[2] else text


def _short(text: str) -> str:
    bare = " ".join(text.split())
    return bare if len(bare) <= _SHOWN else f"{bare[: _SHOWN - 1]}…"
