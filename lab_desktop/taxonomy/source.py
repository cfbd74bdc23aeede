"""The text of a qna.yaml: bytes become values, and every value knows its line.

Reading is PyYAML's safe loading, as InstructLab does it, so the two agree on what is YAML. What is added: positions,
sentences instead of parser talk, and limits, so that a hostile file is refused at once instead of hanging the window.
This module does not know what the fields mean.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 5_000_000
MOST_DEPTH = 50
MOST_VALUES = 500_000
"""Values after every alias is written out. A real file has hundreds; nine lines of aliases can mean billions."""

_KEPT = 8
"""Texts whose tree is at hand: a page, a project and a job read the same lesson one after the other."""
_MOST_KEPT = 200_000
"""Letters of a text whose tree is kept; a tree has many times the bytes of its text."""


class SourceProblem(Exception):
    """The file cannot be read as YAML.

    Attributes:
        message, hint: for a person, as in `Problem`.
        line, column: where, from 1.
        ours: True where InstructLab's parser would have gone on.
    """

    def __init__(self, message: str, hint: str, line: int = 1, column: int = 1, ours: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column
        self.ours = ours


@dataclass(frozen=True)
class Source:
    """A file that was read.

    Attributes:
        text: its text, line ends as \\n.
        value: what the YAML says: usually a dict.
        root: PyYAML's node tree, which knows lines; None for a file without a value.
    """

    text: str
    value: Any
    root: yaml.Node | None

    def node(self, path: Sequence[str | int]) -> yaml.Node | None:
        """The node at `path`, or the deepest one on the way to it."""
        node = self.root
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node = child
        return node

    def position(self, path: Sequence[str | int]) -> tuple[int, int]:
        """(line, column) of the value at `path`, from 1; of its name where the value is a list or a group."""
        node = self.node(path)
        if isinstance(node, yaml.CollectionNode) and path and isinstance(path[-1], str):
            return self.key_position(path[:-1], path[-1])
        return _position(node)

    def key_position(self, path: Sequence[str | int], key: object) -> tuple[int, int]:
        """(line, column) of the name `key` in the mapping at `path`, from 1."""
        node = self.node(path)
        if isinstance(node, yaml.MappingNode):
            for key_node, _ in node.value:
                if key_node.value == str(key):
                    return _position(key_node)
        return _position(node)


def read_source(file: Path) -> Source:
    """Read and parse `file`.

    Raises:
        SourceProblem: it cannot be opened, is too large, is not UTF-8, is not YAML, or means to exhaust the reader.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SourceProblem(
                f"The file has {file.stat().st_size / 1e6:.0f} MB; the most is {MOST_BYTES / 1e6:.0f} MB.",
                "Keep long documents in files of their own, and only short passages here.",
                ours=True,
            )
        data = file.read_bytes()
    except OSError as error:
        raise SourceProblem(f"The file cannot be opened: {error.strerror}.", "Check its permissions.") from error
    return parse(_decode(data))


def parse(text: str) -> Source:
    """Parse a text whose line ends are \\n.

    Raises:
        SourceProblem: as in `read_source`.
    """
    # A group that is merged ("<<") is written into the node tree when its values are made.
    is_kept = len(text) <= _MOST_KEPT and "<<" not in text
    root = _composed(text) if is_kept else compose(text)
    with _in_sentences(text):
        value = None if root is None else _Loader("").construct_document(root)
    return Source(text, value, root)


def compose(text: str) -> yaml.Node | None:
    """PyYAML's node tree of `text`, in which every value still stands as it was written; None where there is no value.

    Raises:
        SourceProblem: it is not YAML, or means to exhaust the reader.
    """
    with _in_sentences(text):
        root: yaml.Node | None = _Loader(text).get_single_node()
    if root is not None:
        _refuse_bombs(root)
    return root


@functools.lru_cache(_KEPT)
def _composed(text: str) -> yaml.Node | None:
    """`compose` of a text that several ask for: nobody changes the tree."""
    return compose(text)


@contextmanager
def _in_sentences(text: str) -> Iterator[None]:
    """Turn what PyYAML raises about `text` into a SourceProblem."""
    try:
        yield
    except yaml.YAMLError as error:
        raise _in_words(error, text) from error
    # Badly written numbers, dates, tags and escapes leave PyYAML as Python's own errors.
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        raise SourceProblem(
            f"A value is neither text nor a proper number or date ({error}).", "Put the text in quotes."
        ) from error


def has_comments(source: Source) -> bool:
    """True when the text has a comment: it would be gone if the file were written anew."""
    return "#" in source.text and _has_comments(source.text)


@functools.lru_cache(_KEPT)
def _has_comments(text: str) -> bool:
    end = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if "#" in text[end : token.start_mark.index]:
            return True
        end = token.end_mark.index
    return False


def repeated_keys(source: Source) -> list[str]:
    """The keys that stand in a mapping twice, of which YAML keeps the last only."""
    found: list[str] = []
    seen: set[int] = set()
    waiting = [] if source.root is None else [source.root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            counted = Counter(str(key.value) for key, _ in node.value)
            found += [name for name, times in counted.items() if times > 1]
        waiting += _children(node)
    return found


class _Loader(yaml.SafeLoader):
    """Safe loading that stops at a depth, because PyYAML composes by recursion."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth >= MOST_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise SourceProblem(
                f"More than {MOST_DEPTH} lists or groups lie inside each other.",
                "Put texts with many brackets in quotes.",
                mark.line + 1,
                mark.column + 1,
                ours=True,
            )
        self.depth += 1
        try:
            node: yaml.Node | None = super().compose_node(parent, index)
        finally:
            self.depth -= 1
        return node


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceProblem("A character here is not UTF-8.", "Save the file with the encoding UTF-8.", line) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_bombs(root: yaml.Node) -> None:
    """Count the values that `root` stands for with aliases written out, in time linear in the file."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        if id(node) in open_nodes:
            raise SourceProblem(
                "A value contains itself through an alias (*).",
                "Write the text out, or put it in quotes.",
                *_position(node),
                ours=True,
            )
        open_nodes.add(id(node))
        total = 1 + sum(size(child) for child in _children(node))
        open_nodes.remove(id(node))
        if total > MOST_VALUES:
            raise SourceProblem(
                "The aliases (*) in this file stand for millions of values.",
                "Write the texts out.",
                *_position(node),
                ours=True,
            )
        sizes[id(node)] = total
        return total

    size(root)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        # The last of two equal keys is the one that PyYAML keeps.
        return next((value for key, value in reversed(node.value) if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None


def _position(node: yaml.Node | None) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)


_QUOTE_IT = "Put the whole text in quotes."

# What PyYAML says (in `context` or `problem`) → what happened, what to do. The first that is found counts.
_SYNTAX: tuple[tuple[str, str, str], ...] = (
    ("found character '\\t'", "The line is indented with a tab.", "Indent with blanks."),
    ("cannot start any token", 'A text cannot start with "{character}" without quotes.', _QUOTE_IT),
    ("mapping values are not allowed", "A text with a colon must be in quotes.", _QUOTE_IT),
    ("while scanning an alias", 'A text cannot start with "*" without quotes.', _QUOTE_IT),
    ("found undefined alias", 'A text cannot start with "*" without quotes.', _QUOTE_IT),
    ("while scanning an anchor", 'A text cannot start with "&" without quotes.', _QUOTE_IT),
    ("found duplicate anchor", 'A text cannot start with "&" without quotes.', _QUOTE_IT),
    ("could not determine a constructor", 'A text cannot start with "!" without quotes.', _QUOTE_IT),
    ("while scanning a tag", 'A text cannot start with "!" without quotes.', _QUOTE_IT),
    ("while parsing a node", 'A text cannot start with "!" without quotes.', _QUOTE_IT),
    ("scanning a block scalar", 'A text cannot start with "|" or ">" without quotes.', _QUOTE_IT),
    ("unknown escape character", "A backslash (\\) between double quotes must be written twice.", "Write \\\\."),
    ("scanning a quoted scalar", "A quote is opened here and never closed.", "Close it at the end of the text."),
    ("scanning a directive", 'A text cannot start with "%" without quotes.', _QUOTE_IT),
    ("parsing a flow", 'A text cannot start with "[" or "{{" without quotes.', _QUOTE_IT),
    ("expected a single document", "A line with --- starts a second document.", "Delete that line."),
    ("could not find expected ':'", "This line has no colon after the field's name.", "Check the line and its indent."),
    (
        "expected <block end>",
        "This line does not fit the lines above it: its indent is different, or text follows a closing quote.",
        "Indent it like its neighbours, and put the whole text in quotes.",
    ),
    ("unhashable key", 'A text cannot start with "[" or "{{" without quotes.', _QUOTE_IT),
)


def _in_words(error: yaml.YAMLError, text: str) -> SourceProblem:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return SourceProblem(
            f"Here is an invisible control character (U+{ord(text[error.position]):04X}).",
            "Delete it, or type the line again.",
            line,
        )
    if not isinstance(error, yaml.MarkedYAMLError):
        return SourceProblem("The file is not YAML.", f"Compare it with an example. ({error})")
    said = f"{error.context} {error.problem}"
    # An unclosed quote, or a name without colon, is noticed at the end of the file; where it began helps more.
    began = "quoted scalar" in said or "simple key" in said
    mark = error.context_mark if began and error.context_mark else error.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.split("\n")
    character = lines[line - 1][column - 1 : column] if line <= len(lines) else ""
    for fragment, message, hint in _SYNTAX:
        if fragment in said:
            return SourceProblem(message.format(line=line, character=character), hint, line, column)
    return SourceProblem(f"This is not YAML: {error.problem}.", _QUOTE_IT, line, column)
