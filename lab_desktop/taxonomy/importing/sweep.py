"""The lines of a lesson that is not YAML, mended one by one.

It knows how they look (`- question: …`) and how they stand to each other, not what they mean. A mended line stays on
its line, so that a position in the result is one in the file as it was.
"""

from __future__ import annotations

import re

import yaml

from lab_desktop.taxonomy.importing.repairs import Mended, Repair
from lab_desktop.taxonomy.qna import quoted
from lab_desktop.taxonomy.source import SourceProblem, compose

FIELDS = (
    "version", "created_by", "domain", "task_description", "document_outline", "seed_examples", "document", "context",
    "questions_and_answers", "question", "answer", "repo", "commit", "patterns",
)  # fmt: skip
NAMES = "|".join(FIELDS)
FIELD_LINE = re.compile(
    rf"(?P<indent>\s*)(?P<hyphens>(?:[-*•–—]\s*)*)(?P<quote>[\"']?)(?P<name>{NAMES})(?P=quote)(?P<colon>\s*:)(?P<rest>.*)",
    re.IGNORECASE,
)
_ANY_FIELD = re.compile(r"\s*(?:-\s+)*[\w-]+:(?:\s|$)")
_TOP = frozenset(FIELDS[:7])
_IN_DOCUMENT = frozenset(("repo", "commit", "patterns"))
_GROUPS = frozenset(("seed_examples", "document", "questions_and_answers", "patterns", "version"))
"""Fields whose value is no text."""
_BLOCK = re.compile(r"\s*[|>][-+\d]*\s*(?:#.*)?\Z")
_LIST_MARK = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s")
_ESCAPED_QUOTE = re.compile(r'\\(["\\])')


def says_something(line: str) -> bool:
    """True for a line that is neither blank nor a comment nor a YAML directive."""
    return bool(line.strip()) and not line.lstrip().startswith(("#", "%"))


class Sweep:
    """One pass over the lines of a lesson: every line gets the indent of its kind, every text that YAML would
    misunderstand gets quotes.

    What must have one indent: the examples, the fields of an example, its pairs, the fields of a pair, of the document.
    """

    def __init__(self, mended: Mended) -> None:
        self._mended = mended
        self._lines = mended.lines
        self._anchors = set(re.findall(r"&([\w-]+)", mended.text))
        self._columns: dict[str, int] = {}
        self._is_whole = any(re.match(r"(?:seed_examples|version)\s*:", line) for line in mended.lines)
        self._is_in_pairs = False

    def run(self) -> None:
        """Mend the lines in place."""
        first = next((at for at, line in enumerate(self._lines) if FIELD_LINE.match(line)), 0)
        for at in range(first):
            if says_something(self._lines[at]) and not _ANY_FIELD.match(self._lines[at]):
                self._mended.leave_out(at, "a line before the lesson")
        at = first
        while at < len(self._lines):
            found = FIELD_LINE.match(self._lines[at])
            at = self._field(at, found) if found else self._other(at)

    def _other(self, at: int) -> int:
        line = self._lines[at]
        blanks = line[: len(line) - len(line.lstrip())]
        if line.strip() and set(blanks) - {" "}:
            self._replace(at, " " * len(_straight(blanks)) + line.lstrip(), _TABS)
        return at + 1

    def _field(self, at: int, found: re.Match[str]) -> int:
        """Mend the line of a field and the lines of its text; gives the number of the next line."""
        name, rest = found["name"].lower(), found["rest"]
        indent, column = self._place(found)
        hyphens = "- " * _hyphens(found)
        end = self._end(at, column, rest)
        head = f"{' ' * indent}{hyphens}{name}:"
        line = f"{head} {rest.strip()}".rstrip() if rest[:1].strip() else head + rest
        old_head = self._lines[at][: found.start("rest")]
        if old_head != head:
            same_blanks = old_head.split() == head.split()
            why = _TABS if "\t" in found["indent"] else _INDENT if same_blanks else _SPELLING
            self._replace(at, line, why)
        elif line != self._lines[at]:
            self._replace(at, line, _SPELLING)
        if name in _GROUPS:
            return at + 1
        if _BLOCK.match(rest):
            self._indent_block(at + 1, end, column)
        elif not self._is_sound(self._lines[at][len(head) :].strip(), self._below(at + 1, end, column)):
            self._quote(head, at, end)
        return end

    def _place(self, found: re.Match[str]) -> tuple[int, int]:
        """(indent of the line, column of the name) that the line must have to stand with its like."""
        name = found["name"].lower()
        indent = len(_straight(found["indent"]))
        hyphens = 2 * _hyphens(found)
        if name in _TOP and not hyphens and (self._is_whole or not indent):
            self._is_in_pairs = False
            self._columns.clear()
            return (0, 0) if self._is_whole else (indent, indent)
        if name in _IN_DOCUMENT:
            indent = self._columns.setdefault("document", indent or 2)
            return indent, indent
        if not hyphens:
            in_pair = self._is_in_pairs and name in ("question", "answer")
            kind = "pair" if in_pair else "example"
            if name == "questions_and_answers":
                self._is_in_pairs = True
                self._columns.pop("pairs", None)
                self._columns.pop("pair", None)
            elif name == "context":
                self._is_in_pairs = False
            indent = self._columns.setdefault(kind, indent)
            return indent, indent
        in_pairs = self._is_in_pairs and name in ("question", "answer")
        if not in_pairs:
            self._is_in_pairs = name == "questions_and_answers"
            self._columns.pop("pairs", None)
            self._columns.pop("pair", None)
        indent = self._columns.setdefault("pairs" if in_pairs else "examples", indent)
        self._columns["pair" if in_pairs else "example"] = indent + hyphens
        return indent, indent + hyphens

    def _end(self, at: int, column: int, rest: str) -> int:
        """Number of the first line after the text that begins in line `at`."""
        is_block = bool(_BLOCK.match(rest))
        if rest.strip()[:1] in ("'", '"') and self._is_sound(rest.strip(), []):
            return at + 1
        end = at + 1
        is_indented: bool | None = None
        for number in range(at + 1, len(self._lines)):
            line = self._lines[number]
            if not line.strip():
                continue
            if is_indented is None:
                is_indented = self._indent(number) > column
            is_outside = self._indent(number) <= column
            is_other = bool(_ANY_FIELD.match(line)) or line.lstrip().startswith("#")
            if is_block and is_indented:
                is_over = is_outside and (is_other or bool(FIELD_LINE.match(line)))
            elif is_block:
                is_over = bool(FIELD_LINE.match(line))
            else:
                is_over = (is_outside and is_other) or line.lstrip()[:1] == "#" or bool(FIELD_LINE.match(line))
            if is_over:
                break
            end = number + 1
        return end

    def _indent(self, at: int) -> int:
        line = self._lines[at]
        return len(_straight(line[: len(line) - len(line.lstrip())]))

    def _indent_block(self, start: int, end: int, column: int) -> None:
        """Indent the lines of a block text below its name."""
        written = [number for number in range(start, end) if self._lines[number].strip()]
        if not written:
            return
        base = self._indent(written[0])
        new_base = base if base > column else column + 2
        for number in written:
            text = self._lines[number].lstrip()
            blanks = self._lines[number][: -len(text)]
            deeper = max(0, self._indent(number) - base)
            # Blanks beyond the indent belong to the text, whatever they are.
            if base != new_base or self._indent(number) < base or "\t" in blanks[:base]:
                self._replace(number, " " * (new_base + deeper) + text, _INDENT)

    def _is_sound(self, value: str, others: list[str]) -> bool:
        """True where YAML reads a text, and the lines that it goes on in, as one value."""
        if value[:1] == "*" and value[1:] in self._anchors:
            return True
        try:
            root = compose("\n".join([f"x: {value}", *others]) + "\n")
        except SourceProblem:
            return False
        return isinstance(root, yaml.MappingNode) and len(root.value) == 1

    def _below(self, start: int, end: int, column: int) -> list[str]:
        """Lines as they would stand below a field without indent."""
        cut = [self._lines[number][: column + 1] for number in range(start, end)]
        return [
            line[column:] if not first.strip() else line.lstrip()
            for first, line in zip(cut, self._lines[start:end], strict=True)
        ]

    def _quote(self, head: str, at: int, end: int) -> None:
        """Put the text of lines `at` to `end` in quotes, on the first of them."""
        parts = [self._lines[at][len(head) :].strip(), *(line.strip() for line in self._lines[at + 1 : end])]
        text = "\n".join(parts).strip()
        if not any(_LIST_MARK.match(part) for part in parts[1:]):
            # As YAML folds: a line end is a blank, a blank line is a line end.
            text = re.sub(r"\n+", lambda found: found[0][1:] or " ", text)
        before = "\n".join(line.strip() for line in self._lines[at:end])
        self._lines[at] = f"{head} {quoted(_unquoted(text))}"
        for number in range(at + 1, end):
            self._lines[number] = ""
        why = "YAML would not read this as a text: it needs quotes."
        if text[:1] in ("'", '"'):
            why = "The quotes around this text do not fit together."
        self._mended.repairs.append(Repair(self._mended.numbers[at], before, self._lines[at].strip(), why))

    def _replace(self, at: int, line: str, why: str) -> None:
        if line != self._lines[at]:
            self._mended.repairs.append(Repair(self._mended.numbers[at], self._lines[at], line, why))
            self._lines[at] = line


_TABS = "The line was indented with tabs or other odd blanks."
_INDENT = "The indent did not fit the lines around it."
_SPELLING = "A field is written so: hyphen, blank, name in small letters, colon, blank, text."


def _hyphens(found: re.Match[str]) -> int:
    return len(found["hyphens"].replace(" ", "").replace("\t", ""))


def _straight(blanks: str) -> str:
    """An indent in plain blanks: a tab stands for two, as a lesson's lines are indented."""
    return " " * sum(2 if letter == "\t" else 1 for letter in blanks)


def _unquoted(text: str) -> str:
    """The text inside quotes that do not fit together; a text that only begins with a quoted word stays as it is."""
    mark = text[:1]
    if mark not in ("'", '"'):
        return text
    is_closed = len(text) > 1 and text.endswith(mark)
    inside = text[1:-1] if is_closed else text[1:]
    for found in re.finditer(rf"(?<!\\){mark}", inside.replace("\\\\", "  ")):
        before, after = inside[: found.start()][-1:], inside[found.end() :][:1]
        if (before.isalnum() and after.isalnum()) or mark in (before, after):
            continue  # an apostrophe, or a quote as YAML doubles it
        if before.isspace() and is_closed:
            break  # a word in quotes inside a text in quotes
        return text
    return inside.replace("''", "'") if mark == "'" else _ESCAPED_QUOTE.sub(r"\1", inside)
