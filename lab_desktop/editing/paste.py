"""Pairs in a pasted text.

It is tried as marked questions ("Q: … A: …", numbered, bold, in several languages), then as a table, then as lines in
twos, a question and its answer. What could not be read is said, never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab_desktop.artifacts import Pair
from lab_desktop.documents.table import Table, split_cells, table_of
from lab_desktop.editing.table import ANSWER, QUESTION, guess_columns, shortened, sift


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
    return Pasted((), (), (f"No question and answer was found in “{shortened(text)}”.",) if text.strip() else ())


_NUMBER = r"(?:\d{1,4}\s*[.)]?)?"
_FRONT = r"[ \t]*(?:[-*•>#]+[ \t]+)*(?:\d{1,4}[.)][ \t]*)?[*_]{0,3}"
_MARK = re.compile(
    rf"^{_FRONT}(?:(?P<question>{QUESTION})|(?P<answer>{ANSWER}))"
    rf"[ \t]*{_NUMBER}[*_]{{0,3}}[ \t]*(?:[:：.)][*_]{{0,3}}[ \t]*|$)",
    re.IGNORECASE | re.MULTILINE,
)


def _marked(text: str) -> Pasted | None:
    """ "Q: … A: …": what stands between two marks belongs to the first; None: there are no marks of both kinds."""
    marks = [found for found in _MARK.finditer(text) if _is_meant(found)]
    inline = re.compile(rf"[ \t]+[*_]{{0,3}}(?:{ANSWER})[*_]{{0,3}}[ \t]*[:：][*_]{{0,3}}[ \t]+", re.IGNORECASE)
    has_answers = any(found["answer"] for found in marks) or inline.search(text)
    if not has_answers or not any(found["question"] for found in marks):
        return None
    pairs: list[Pair] = []
    unread = [f"“{shortened(text[: marks[0].start()])}”"] if text[: marks[0].start()].strip() else []
    question = None
    for place, mark in enumerate(marks):
        said = text[mark.end() : marks[place + 1].start() if place + 1 < len(marks) else len(text)]
        if mark["question"]:
            if question is not None:
                unread.append(f"The question “{shortened(question)}” has no answer.")
            question = _bare(said)
            if (found := inline.search(said)) and (place + 1 == len(marks) or marks[place + 1]["question"]):
                pairs.append(Pair(_bare(said[: found.start()]), _bare(said[found.end() :])))
                question = None
        elif question is None:
            unread.append(f"The answer “{shortened(said)}” has no question.")
        else:
            pairs.append(Pair(question, _bare(said)))
            question = None
    if question is not None:
        unread.append(f"The question “{shortened(question)}” has no answer.")
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
    found = _of_table(table_of(cells))
    outside = [line for line in lines if line not in rows]
    return found and _pasted(_triples(found), [*found.unread, *(f"“{shortened(line)}”" for line in outside)])


def _tabbed(text: str) -> Pasted | None:
    """Cells copied from a sheet, with tabs between."""
    cells = split_cells(text)
    return None if cells is None else _of_table(cells)


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
            unread.append(f"The question “{shortened(question)}” has no answer.")
        elif any(line.strip() for line in answer):
            unread.append(f"“{shortened(' '.join(answer))}”")

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


def _of_table(table: Table) -> Pasted | None:
    """Its pairs; None where no two columns are questions and answers."""
    columns = guess_columns(table)
    if columns is None:
        return None
    found = sift(table, columns)
    return _pasted([(each.question, each.answer, each.context) for each in found.entries], found.left_out)


def _pasted(triples: Sequence[tuple[str, str, str]], unread: Sequence[str]) -> Pasted:
    whole = [(_bare(question), _bare(answer), context) for question, answer, context in triples]
    kept = [each for each in whole if each[0] and each[1]]
    missing = [
        f"The {'question' if question else 'answer'} “{shortened(question or answer)}” has no "
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
