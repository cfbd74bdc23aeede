"""Text that means to be a qna.yaml becomes text that YAML can read, line by line.

It knows how the lines of a lesson look (`- question: …`), not what they mean, and touches the lines only of a file
that is not YAML. A mended line stays on its line, so that a position in the result is one in the file as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.qna import quoted
from lab_desktop.taxonomy.source import MOST_BYTES, SourceProblem, compose


@dataclass(frozen=True)
class Repair:
    """Something that is read otherwise than YAML would, or written otherwise than it was.

    Attributes:
        line: of the file as it was, from 1.
        before: what stood there.
        after: what it is now.
        why: in a sentence.
    """

    line: int
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Loss:
    """Something that the leaf has no place for.

    Attributes:
        line: of the file as it was, from 1.
        what: in words: "a comment", 'the field "colour"'.
        text: as it stood there.
    """

    line: int
    what: str
    text: str


@dataclass
class Mended:
    """A text that YAML can read.

    Attributes:
        lines: the text without its line ends.
        numbers: for each line its number in the file as it was, from 1.
        root: what YAML reads in it; None for nothing.
        was_yaml: it could be read as it was.
        repairs, losses: what was done, in no order.
    """

    lines: list[str]
    numbers: list[int]
    root: yaml.Node | None = None
    was_yaml: bool = True
    repairs: list[Repair] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def leave_out(self, at: int, what: str) -> None:
        """Empty a line and list it as lost."""
        self.losses.append(Loss(self.numbers[at], what, self.lines[at].strip()))
        self.lines[at] = ""


FIELDS = (
    "version", "created_by", "domain", "task_description", "document_outline", "seed_examples", "document", "context",
    "questions_and_answers", "question", "answer", "repo", "commit", "patterns",
)  # fmt: skip
_TOP = frozenset(FIELDS[:7])
_IN_DOCUMENT = frozenset(("repo", "commit", "patterns"))
_GROUPS = frozenset(("seed_examples", "document", "questions_and_answers", "patterns", "version"))
"""Fields whose value is no text."""
_MOST_WORK = 4_000_000
"""Letters that are parsed in all while lines are left out one by one."""
_MOST_LEFT_OUT = 20

_NAMES = "|".join(FIELDS)
_FIELD_LINE = re.compile(
    rf"(?P<indent>\s*)(?P<hyphens>(?:[-*•–—]\s*)*)(?P<quote>[\"']?)(?P<name>{_NAMES})(?P=quote)(?P<colon>\s*:)(?P<rest>.*)",
    re.IGNORECASE,
)
_ANY_FIELD = re.compile(r"\s*(?:-\s+)*[\w-]+:(?:\s|$)")
_ODD_NAME = re.compile(rf"[\W_]+(?:{_NAMES})\Z", re.IGNORECASE)
_BLOCK = re.compile(r"\s*[|>][-+\d]*\s*(?:#.*)?\Z")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*[\w.+-]*\s*\Z")
_SEPARATOR = re.compile(r"(?:---|\.\.\.)\s*(?:#.*)?\Z")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED_QUOTE = re.compile(r'\\(["\\])')


def mend(data: bytes) -> Mended:
    """Text that YAML can read, from the bytes of a file or of what was pasted.

    Raises:
        LeafError: it is empty, too large, no text, or means to exhaust the reader; or what is wrong cannot be found.
    """
    if len(data) > MOST_BYTES:
        raise LeafError(
            f"The file has {len(data) / 1e6:.0f} MB; the most is {MOST_BYTES / 1e6:.0f} MB.",
            "Keep long documents in files of their own, and only short passages here.",
        )
    mended = _decoded(data)
    _leave_out_fences(mended)
    _choose_document(mended)
    _drop_control_characters(mended)
    try:
        mended.root = compose(mended.text)
        if not _has_odd_names(mended.root):
            return mended
    except SourceProblem as problem:
        if problem.ours:
            raise _refused(problem, mended) from problem
    mended.was_yaml = False
    _Sweep(mended).run()
    _parse_or_leave_out(mended)
    return mended


def _refused(problem: SourceProblem, mended: Mended) -> LeafError:
    line = mended.numbers[min(problem.line, len(mended.numbers)) - 1] if mended.numbers else 1
    return LeafError(f"This lesson cannot be read. Line {line}: {problem.message}", problem.hint)


def _decoded(data: bytes) -> Mended:
    mended = Mended([], [])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        mended.repairs.append(Repair(1, "UTF-16", "UTF-8", "The file has another encoding than lessons have."))
    elif b"\0" in data:
        raise LeafError("This is not a text: it has zero bytes.", "Choose a lesson file (qna.yaml).")
    else:
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
            mended.repairs.append(Repair(1, "U+FEFF", "", "An invisible mark stands at the start of the file."))
        text = "\n".join(_decoded_lines(data, mended))
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        mended.repairs.append(Repair(1, "CRLF", "LF", "The line ends are those of another system."))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise LeafError("There is nothing in it.", "Choose a file with a lesson, or paste one.")
    mended.lines = text.split("\n")
    mended.numbers = list(range(1, len(mended.lines) + 1))
    return mended


def _decoded_lines(data: bytes, mended: Mended) -> Iterator[str]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            # Half characters come from a paste: they are said like control characters.
            yield line.decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError:
            text = line.decode("cp1252", errors="replace")
            before = line.decode("utf-8", errors="replace").strip()
            why = "The characters of this line are not UTF-8; they are read as Western European (Windows-1252)."
            mended.repairs.append(Repair(number, before, text.strip(), why))
            yield text


def _leave_out_fences(mended: Mended) -> None:
    """Keep what stands in a Markdown code fence, where the lesson is in one."""
    opened = next((at for at, line in enumerate(mended.lines) if _FENCE.match(line)), None)
    first = next((at for at, line in enumerate(mended.lines) if _FIELD_LINE.match(line)), None)
    if opened is None or (first is not None and first < opened):
        return
    mark = mended.lines[opened].strip()[:3]
    closed = next(
        (at for at in range(opened + 1, len(mended.lines)) if mended.lines[at].rstrip().startswith(mark)),
        len(mended.lines),
    )
    why = "The lesson stood between the fences of a code block."
    mended.repairs.append(Repair(mended.numbers[opened], mended.lines[opened], "", why))
    outside = [*range(opened), *range(closed + 1, len(mended.lines))]
    mended.losses += [
        Loss(mended.numbers[at], "a line outside the code block", mended.lines[at])
        for at in outside
        if mended.lines[at].strip()
    ]
    mended.lines, mended.numbers = mended.lines[opened + 1 : closed], mended.numbers[opened + 1 : closed]
    mended.lines.append("")
    mended.numbers.append(closed + 1)


def _choose_document(mended: Mended) -> None:
    """Keep one of several YAML documents: the first that has examples, else the first with a field."""
    cuts = [at for at, line in enumerate(mended.lines) if _SEPARATOR.match(line)]
    if not cuts:
        return
    parts = [
        range(start, end)
        for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(mended.lines)], strict=True)
    ]
    written = [part for part in parts if any(_says_something(mended.lines[at]) for at in part)]
    with_fields = [part for part in written if any(_FIELD_LINE.match(mended.lines[at]) for at in part)]
    with_examples = [
        part
        for part in with_fields
        if any(re.match(r"\s*(?:seed_examples|-?\s*question)\b", mended.lines[at]) for at in part)
    ]
    kept = next(iter([*with_examples, *with_fields, *written]), parts[0])
    for part in parts:
        rest = "\n".join(mended.lines[at] for at in part).strip()
        if part != kept and rest:
            first = next(at for at in part if mended.lines[at].strip())
            what = "another lesson in the same file" if part in with_fields else "a part before or after the lesson"
            mended.losses.append(Loss(mended.numbers[first], what, rest))
    mended.lines, mended.numbers = [mended.lines[at] for at in kept], [mended.numbers[at] for at in kept]
    if mended.lines and mended.lines[-1]:
        mended.lines.append("")
        mended.numbers.append(mended.numbers[-1])


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("#", "%"))


def _drop_control_characters(mended: Mended) -> None:
    for at, line in enumerate(mended.lines):
        if _CONTROL.search(line):
            shown = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
            mended.lines[at] = _CONTROL.sub("", line)
            why = "Invisible control characters, or half characters, were in this line."
            mended.repairs.append(Repair(mended.numbers[at], shown.strip(), mended.lines[at].strip(), why))


def _has_odd_names(root: yaml.Node | None) -> bool:
    """True where a name such as "-question" shows that YAML did not see the lines as they were meant."""
    seen: set[int] = set()
    rest = [root] if root is not None else []
    while rest:
        node = rest.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if isinstance(name, yaml.ScalarNode) and _ODD_NAME.match(name.value):
                    return True
                rest += [name, value]
        elif isinstance(node, yaml.SequenceNode):
            rest += node.value
    return False


def _parse_or_leave_out(mended: Mended) -> None:
    """Parse; a line that still fits nowhere is left out and listed.

    Raises:
        LeafError: too many lines would have to go.
    """
    most = min(_MOST_LEFT_OUT, _MOST_WORK // max(1, len(mended.text)))
    for attempt in range(most + 1):
        try:
            mended.root = compose(mended.text)
            return
        except SourceProblem as problem:
            at = min(problem.line, len(mended.lines)) - 1
            if problem.ours or attempt == most or not mended.lines[at].strip():
                raise _refused(problem, mended) from problem
            mended.leave_out(at, "a line that fits nowhere")


class _Sweep:
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
        self._is_in_document = False

    def run(self) -> None:
        first = next((at for at, line in enumerate(self._lines) if _FIELD_LINE.match(line)), 0)
        for at in range(first):
            if _says_something(self._lines[at]) and not _ANY_FIELD.match(self._lines[at]):
                self._mended.leave_out(at, "a line before the lesson")
        at = first
        while at < len(self._lines):
            found = _FIELD_LINE.match(self._lines[at])
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
            self._is_in_document = name == "document"
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
        written = [number for number in range(at + 1, len(self._lines)) if self._lines[number].strip()]
        is_indented = bool(written) and self._indent(written[0]) > column
        end = at + 1
        for number in written:
            line = self._lines[number]
            is_outside = self._indent(number) <= column
            is_other = bool(_ANY_FIELD.match(line)) or line.lstrip().startswith("#")
            if is_block and is_indented:
                is_over = is_outside and (is_other or bool(_FIELD_LINE.match(line)))
            elif is_block:
                is_over = bool(_FIELD_LINE.match(line))
            else:
                is_over = (is_outside and is_other) or line.lstrip()[:1] == "#" or bool(_FIELD_LINE.match(line))
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
        # As YAML folds: a line end is a blank, a blank line is a line end.
        text = re.sub(r"\n+", lambda found: found[0][1:] or " ", "\n".join(parts)).strip()
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
