"""A lesson as it was written: the text of every value, the line it stands in, and what was noted about it."""

from __future__ import annotations

import re
from bisect import bisect_right

import yaml

from lab_desktop.taxonomy.importing.repairs import Loss, Mended, Repair
from lab_desktop.taxonomy.qna import quoted

TAG = "tag:yaml.org,2002:"
"""How the names of YAML's own types begin."""


class Written:
    """
    Attributes:
        mended: the lesson.
        text: all of it.
        repairs, losses: what was noted, in no order.
        comments_read: where the comments begin that were taken for texts.
    """

    def __init__(self, mended: Mended) -> None:
        self.mended = mended
        self.text = mended.text
        self.repairs = mended.repairs
        self.losses = mended.losses
        self.comments_read: set[int] = set()
        self._starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        self._shared = _shared(mended.root)

    def text_of(self, node: yaml.Node, name: str) -> str:
        """The text of a value as it was written, whatever YAML takes it for."""
        head = "- " if name == "-" else f"{name}: "
        if not isinstance(node, yaml.ScalarNode):
            text = self.slice(node)
            why = "This is a text; YAML would read a list or a group of fields."
            self.repair(node, f"{head}{text}", f"{head}{quoted(text)}", why)
            return text
        if node.style is not None:
            return str(node.value)
        if is_null(node) and (comment := self.comment_as_text(node)):
            why = "This is a text; YAML would read a comment, because it begins with #."
            self.repair(node, f"{head}{comment}", f"{head}{quoted(comment)}", why)
            return comment
        written = self.written(node)
        if is_null(node) and not written.startswith(("&", "!")):
            if written:
                self.repair(node, f"{head}{written}", f'{head}""', f"{written} stands for nothing.")
            return ""
        if written.startswith("!!") or (written.startswith("&") and id(node) in self._shared):
            return str(node.value)
        is_text = node.tag == f"{TAG}str" and not written.startswith(("&", "!"))
        if is_text:
            return str(node.value)
        text = " ".join(written.split()) if "\n" in written else written
        self.repair(node, f"{head}{text}", f"{head}{quoted(text)}", _misreading(node))
        return text

    def comment_as_text(self, node: yaml.Node) -> str:
        """A comment that stands where a text is missing on the same line; "" where there is none."""
        if self.written(node):
            return ""
        end = self.text.find("\n", node.start_mark.index)
        rest = self.text[node.start_mark.index : end if end >= 0 else len(self.text)]
        if not re.match(r"\s+#", rest):
            return ""
        self.comments_read.add(node.start_mark.index + rest.index("#"))
        return rest.strip()

    def written(self, node: yaml.Node) -> str:
        """The text of a value as it stands in the file, quotes and all."""
        return self.text[node.start_mark.index : node.end_mark.index]

    def slice(self, node: yaml.Node) -> str:
        """The source of a value."""
        return self._between(node, node)

    def source(self, name: yaml.Node, value: yaml.Node) -> str:
        """A field as it was written."""
        if value.start_mark.index < name.end_mark.index:  # an alias: the value stands elsewhere
            return self.line(name).strip()
        return self._between(name, value)

    def _between(self, first: yaml.Node, last: yaml.Node) -> str:
        """The source from one node to another with its indent left off, without comments after it."""
        lines = self.text[first.start_mark.index : last.end_mark.index].rstrip().split("\n")
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        column = first.start_mark.column
        return "\n".join([lines[0], *(line[min(column, len(line) - len(line.lstrip())) :] for line in lines[1:])])

    def line(self, node: yaml.Node) -> str:
        """The whole line in which a value begins."""
        return self.mended.lines[self.at(node.start_mark.index)]

    def at(self, index: int) -> int:
        """Number of the line, from 0, in which a letter of the text stands."""
        return min(bisect_right(self._starts, index), len(self.mended.lines)) - 1

    def number(self, node: yaml.Node) -> int:
        """That line's number in the file as it was, from 1."""
        return self.mended.numbers[self.at(node.start_mark.index)]

    def repair(self, node: yaml.Node, before: str, after: str, why: str) -> None:
        """Note that something is read otherwise than YAML would."""
        self.repairs.append(Repair(self.number(node), before, after, why))

    def lose(self, node: yaml.Node, what: str, text: str) -> None:
        """Note that a leaf has no place for something."""
        self.losses.append(Loss(self.number(node), what, text))


def is_null(node: yaml.Node) -> bool:
    """True where YAML reads nothing."""
    return isinstance(node, yaml.ScalarNode) and node.tag == f"{TAG}null"


def _shared(root: yaml.Node | None) -> set[int]:
    """Ids of the nodes that stand in several places of the tree."""
    seen: set[int] = set()
    twice: set[int] = set()
    rest = [root] if root is not None else []
    while rest:
        node = rest.pop()
        if id(node) in seen:
            twice.add(id(node))
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            rest += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            rest += node.value
    return twice


_MISREADINGS = {
    "bool": "This is a word; YAML would read true or false.",
    "int": "This is a text; YAML would read a number.",
    "float": "This is a text; YAML would read a number.",
    "timestamp": "This is a text; YAML would read a date.",
}


def _misreading(node: yaml.ScalarNode) -> str:
    return _MISREADINGS.get(node.tag.removeprefix(TAG), "This is a text; YAML would read a sign of its own.")
