"""How a qna.yaml is laid out: blanks, blank lines, indents, and names that stand twice.

The rules are those that InstructLab asks for (its configuration of the program yamllint: "relaxed", lines of any
length), found from their documentation and by comparing verdicts; tests hold the two against each other. Comments that
switch the rules off there (`# yamllint disable`) do so here. Only text that PyYAML can read is looked at, so what
cannot be read, and names of shared texts that nobody wrote, are somebody else's.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MOST_BLANK_LINES = 2
_GRAVE = frozenset({"key-duplicates", "new-line-at-end-of-file", "trailing-spaces"})
_TRAILING = re.compile(r"[ \t]+$")
_SWITCH = re.compile(r"# yamllint (disable-line|disable|enable)((?: rule:[\w-]+)*)\s*$")
_WHOLE_FILE = re.compile(r"#\s*yamllint disable-file\s*$")
_Token = yaml.Token
_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


@dataclass(frozen=True)
class Fault:
    """A rule that a line breaks.

    Attributes:
        rule: its name, as yamllint has it.
        line, column: from 1.
        says: the particulars, in a few words; may be empty.
        is_grave: the taxonomy's own checks refuse it; the rest they only mention.
    """

    rule: str
    line: int
    column: int
    says: str = ""

    @property
    def is_grave(self) -> bool:
        return self.rule in _GRAVE


@functools.lru_cache(8)
def faults(text: str) -> tuple[Fault, ...]:
    """Everything about the layout that is not as it should be, by line; a text that several ask about is read once.

    Args:
        text: YAML that can be read, line ends as \\n.

    Raises:
        yaml.YAMLError: it cannot be read.
    """
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    if _WHOLE_FILE.match(lines[0]):
        return ()
    tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
    found = [*_blank_lines(lines), *_line_ends(lines), *_gaps(tokens), *_repeated(tokens), *_Indents(text).faults()]
    switched_off = _Switches(text, tokens)
    counted = (each for each in found if not switched_off.has(each))
    return tuple(sorted(counted, key=lambda each: (each.line, each.column)))


def _blank_lines(lines: list[str]) -> Iterator[Fault]:
    last = len(lines) - 1  # what follows the last line end
    if last == 1 and not any(lines):
        return
    began = None
    for number, line in enumerate(lines):
        if not line and number < last:
            began = number if began is None else began
            continue
        if began is not None:
            count = number - began
            most = 0 if began == 0 or (number == last and not line) else MOST_BLANK_LINES
            if count > most:
                yield Fault("empty-lines", number, 1, f"{count} where {most or 'none'} may be")
        began = None


def _line_ends(lines: list[str]) -> Iterator[Fault]:
    for number, line in enumerate(lines, start=1):
        if blanks := _TRAILING.search(line):
            yield Fault("trailing-spaces", number, blanks.start() + 1)
    if lines[-1]:
        yield Fault("new-line-at-end-of-file", len(lines), len(lines[-1]) + 1)


def _gaps(tokens: list[_Token]) -> Iterator[Fault]:
    """Blanks between two words of one line, where there is a rule for how many."""
    seen = [token for token in tokens if _is_seen(token) or isinstance(token, yaml.StreamEndToken)]
    for before, after in itertools.pairwise(seen):
        yield from _gap(before, after)


def _gap(before: _Token, after: _Token) -> Iterator[Fault]:
    is_beside = before.end_mark.line == after.start_mark.line
    blanks = after.start_mark.index - before.end_mark.index if is_beside else 0
    line, column = after.start_mark.line + 1, after.start_mark.column
    if isinstance(after, yaml.FlowEntryToken) and (blanks or not is_beside):
        yield Fault("commas", line, max(1, column))
    elif isinstance(before, yaml.FlowEntryToken) and is_beside and blanks != 1:
        yield Fault("commas", line, column + (blanks == 0))
    if isinstance(after, yaml.ValueToken) and blanks > isinstance(before, yaml.AliasToken):
        yield Fault("colons", line, column)
    if isinstance(before, (yaml.ValueToken, yaml.KeyToken)) and blanks > 1:
        yield Fault("colons", line, column)
    if isinstance(before, yaml.BlockEntryToken) and blanks > 1:
        yield Fault("hyphens", line, column)
    if blanks > 1 and (isinstance(before, _OPENING) or isinstance(after, _CLOSING)):
        bracket = before if isinstance(before, _OPENING) else after
        is_brace = isinstance(bracket, (yaml.FlowMappingStartToken, yaml.FlowMappingEndToken))
        yield Fault("braces" if is_brace else "brackets", line, column)


def _repeated(tokens: list[_Token]) -> Iterator[Fault]:
    """Names that stand twice in one group of fields; of lists and shared texts as names nothing is said."""
    groups: list[set[str] | None] = []
    is_name = False
    for token in tokens:
        if isinstance(token, (yaml.BlockMappingStartToken, yaml.FlowMappingStartToken)):
            groups.append(set())
        elif isinstance(token, (yaml.BlockSequenceStartToken, yaml.FlowSequenceStartToken)):
            groups.append(None)
        elif isinstance(token, (yaml.BlockEndToken, *_CLOSING)):
            groups.pop()
        elif isinstance(token, yaml.ScalarToken) and is_name and groups and groups[-1] is not None:
            if token.value in groups[-1] and token.value != "<<":
                mark = token.start_mark
                yield Fault("key-duplicates", mark.line + 1, mark.column + 1, f'"{token.value}"')
            groups[-1].add(token.value)
        is_name = isinstance(token, yaml.KeyToken)


@dataclass(frozen=True)
class _Place:
    """Where something has to stand if it begins a line: so many columns, and a step; None: the step of this text."""

    base: int
    step: int | None = None


class _Indents:
    """Goes through a text from group to group, and knows where what begins a line has to stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._step: int | None = None
        """Blanks of one indent, as the first one shows."""
        self._lists_in: bool | None = None
        """Are lists further in than their names? As the first one shows."""

    def faults(self) -> Iterator[Fault]:
        for event in self._events:
            if _is(event, yaml.NodeEvent):
                yield from self._node(event, _Place(0, 0))

    def _node(self, event: Any, place: _Place, is_named: bool = False) -> Iterator[Fault]:
        """
        Args:
            is_named: a name without a question mark stands before it.
        """
        if not _is(event, yaml.CollectionStartEvent):
            if event.start_mark.index < event.end_mark.index:  # something is written there
                yield from self._check(event.start_mark, place)
            return
        is_list = _is(event, yaml.SequenceStartEvent)
        line, column, index = event.end_mark.line, event.end_mark.column, event.end_mark.index
        has_bracket = event.flow_style and event.start_mark.index < index and self._text[index - 1] in "[{"
        if has_bracket or (is_list and not event.flow_style and self._text[index : index + 1] != "-"):
            column, index = column - 1, index - 1  # the mark is behind the bracket, or the hyphen below its name
        if event.start_mark.index < index:  # a name for sharing, or a kind, stands before it
            yield from self._check(event.start_mark, place)
        begins_line = self._begins_line(index, column)
        if begins_line and is_list and is_named and not event.flow_style:
            yield from self._list_below_name(line, column, place)
        elif begins_line:
            yield from self._expect(line, column, place)
        if event.flow_style:
            yield from self._in_brackets(_is(event, yaml.MappingStartEvent), line, column, index)
        elif is_list:
            while not _is(item := next(self._events), yaml.SequenceEndEvent):
                mark = item.start_mark
                begins_line = self._begins_line(mark.index, mark.column)
                yield from self._node(item, _Place(column) if begins_line else _Place(mark.column, 0))
        else:
            yield from self._pairs(column)

    def _pairs(self, column: int) -> Iterator[Fault]:
        while not _is(name := next(self._events), yaml.MappingEndEvent):
            is_asked = name.start_mark.column != column
            yield from self._node(name, _Place(column) if is_asked else _Place(column, 0))
            yield from self._node(next(self._events), _Place(column), is_named=not is_asked)

    def _in_brackets(self, is_group: bool, line: int, column: int, index: int) -> Iterator[Fault]:
        outer = self._first_column(index, column)
        place: _Place | None = None
        is_name = False
        while not _is(inside := next(self._events), yaml.CollectionEndEvent):
            is_name = is_group and not is_name
            if place is None:
                place = _Place(inside.start_mark.column, 0) if inside.start_mark.line == line else _Place(outer)
            is_value = is_group and not is_name
            yield from self._node(inside, _Place(self._column(place)) if is_value else place)
        if inside.end_mark.index > inside.start_mark.index:  # a single pair in a list has no brackets of its own
            yield from self._check(inside.start_mark, _Place(outer, 0))

    def _list_below_name(self, line: int, column: int, place: _Place) -> Iterator[Fault]:
        is_in = column > place.base
        if self._lists_in is None:
            self._lists_in = is_in
        if is_in or self._lists_in:
            yield from self._expect(line, column, place if self._lists_in else _Place(place.base, 0))

    def _check(self, mark: yaml.Mark, place: _Place) -> Iterator[Fault]:
        if self._begins_line(mark.index, mark.column):
            yield from self._expect(mark.line, mark.column, place)

    def _expect(self, line: int, column: int, place: _Place) -> Iterator[Fault]:
        if place.step is None and self._step is None:
            self._step = column - place.base
        if column != (expected := self._column(place)):
            yield Fault("indentation", line + 1, column + 1, f"{column} where {expected} are expected")

    def _column(self, place: _Place) -> int:
        return place.base + ((self._step or 0) if place.step is None else place.step)

    def _begins_line(self, index: int, column: int) -> bool:
        return not self._text[index - column : index].strip(" ")

    def _first_column(self, index: int, column: int) -> int:
        """The column of the first word in the line of this place."""
        line = self._text[index - column : index + 1]
        return len(line) - len(line.lstrip(" "))


class _Switches:
    """The comments that switch rules off, for a line or from here on."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._from: list[tuple[int, str, frozenset[str]]] = []
        self._lines: dict[int, list[frozenset[str]]] = {}
        for line, comment, is_alone in _comments(text, tokens):
            if not (found := _SWITCH.match(comment)):
                continue
            rules = frozenset(rule.removeprefix("rule:") for rule in found[2].split())
            if found[1] == "disable-line":
                self._lines.setdefault(line + is_alone, []).append(rules)
            else:
                self._from.append((line, found[1], rules))

    def has(self, fault: Fault) -> bool:
        if any(not rules or fault.rule in rules for rules in self._lines.get(fault.line, [])):
            return True
        is_off = False
        for line, what, rules in self._from:
            if line <= fault.line and (not rules or fault.rule in rules):
                is_off = what == "disable"
        return is_off


def _comments(text: str, tokens: list[_Token]) -> Iterator[tuple[int, str, bool]]:
    """(line from 1, the comment, has it a line for itself?) of every comment."""
    if "# yamllint " not in text:
        return
    for before, after in itertools.pairwise(tokens):
        start, end = before.end_mark.index, after.start_mark.index
        if isinstance(before, yaml.ScalarToken) and before.style in ("|", ">"):
            head = text.find("\n", before.start_mark.index)
            yield from _comments_in(text, before.start_mark.index + 1, head if head >= 0 else len(text))
        yield from _comments_in(text, start, end)


def _comments_in(text: str, start: int, end: int) -> Iterator[tuple[int, str, bool]]:
    for found in re.finditer(r"#.*", text[start:end]):
        at = start + found.start()
        yield text.count("\n", 0, at) + 1, found[0], not text[text.rfind("\n", 0, at) + 1 : at].strip()


def _is_seen(token: _Token) -> bool:
    """False for what stands for a name's beginning, and for the beginnings and ends of groups without brackets."""
    return bool(token.end_mark.index > token.start_mark.index)


def _is(event: Any, kind: type[yaml.Event]) -> bool:
    """As isinstance, which would make the type checker forget that an event of a text has marks."""
    return isinstance(event, kind)
