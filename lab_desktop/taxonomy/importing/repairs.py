"""What importing changes and leaves out: the nouns that its parts hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml


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
