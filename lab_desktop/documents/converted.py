"""What a source becomes: Markdown, and what a person should know about how it went."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lab_desktop.documents.places import Starts, read_starts

VERSION = 1
"""Of the whole conversion. It grows when the same file would become another text."""

Fetch = Callable[[str], bytes | None]
"""Gives a picture of a document by its name, as it is stored there; None where there is none."""
Form = Literal["html", "markdown", "text"]

Progress = Callable[[int, int], None]
"""Called with (done, total), in pages or parts of the document."""


class Kind(enum.StrEnum):
    """What a file is, by its content."""

    PDF = "pdf"
    DOCX = "docx"
    HTML = "html"
    EPUB = "epub"
    MARKDOWN = "markdown"
    TEXT = "text"


@dataclass(frozen=True)
class Note:
    """Something to know or to look at.

    Attributes:
        about: "scanned", "tables", "pictures", "letters", "sideways", "encoding", "formulas", "around", "contents",
            "nested" or "missing".
        text: a sentence; it names the pages.
        pages: counted from 1; empty where the file has none.
        needs_a_look: False for what is only said.
    """

    about: str
    text: str
    pages: tuple[int, ...] = ()
    needs_a_look: bool = False


@dataclass(frozen=True)
class Converted:
    """A source as Markdown.

    Attributes:
        text: Markdown with \\n as line end; ends with one.
        title: as the document gives it, or its first heading; "" where it has neither.
        kind: what it was.
        pages: how many; 0 where the kind has none.
        notes: what needs a look first.
        sha256: of the file's bytes, in hex; "" for a pasted text.
        starts: how its pages begin in the text; empty where the kind has none.
    """

    text: str
    title: str
    kind: Kind
    pages: int = 0
    notes: tuple[Note, ...] = ()
    sha256: str = ""
    starts: Starts = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Converted:
        """
        Raises:
            TypeError, ValueError, KeyError: it is none that `to_json` made.
        """
        notes = tuple(Note(**{**note, "pages": tuple(note["pages"])}) for note in value["notes"])
        return cls(**{**value, "kind": Kind(value["kind"]), "notes": notes, "starts": read_starts(value["starts"])})


@dataclass(frozen=True)
class Picture:
    """A page or a picture, drawn.

    Attributes:
        width, height: in pixels.
        pixels: rows from the top, four bytes each: blue, green, red, and one that means nothing.
    """

    width: int
    height: int
    pixels: bytes

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: there are not as many pixels as it has.
        """
        if self.width < 1 or self.height < 1 or 4 * self.width * self.height != len(self.pixels):
            raise ValueError(f"{self.width} by {self.height} with {len(self.pixels)} bytes")


@dataclass(frozen=True)
class Shown:
    """A document that has no pages, as it can be shown.

    Attributes:
        form: how the parts are written.
        parts: of the document, in the order in which they are read.
        starts: how they begin.
        pictures: by number; `<img src="picture:3">` is the third.
    """

    form: Form
    parts: tuple[str, ...]
    starts: Starts
    pictures: Mapping[int, Picture] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Without its pictures."""
        return {"form": self.form, "parts": self.parts, "starts": self.starts}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Shown:
        """
        Raises:
            TypeError, ValueError, KeyError: it is none that `to_json` made.
        """
        if value["form"] not in ("html", "markdown", "text"):
            raise ValueError(value["form"])
        return cls(value["form"], tuple(str(part) for part in value["parts"]), read_starts(value["starts"]))


def on_pages(pages: Iterable[int]) -> str:
    """The pages in words: "page 3", "pages 1–4, 9"."""
    numbers = sorted(set(pages))
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"page{'s' if len(numbers) > 1 else ''} {said}"


def counted(number: int, noun: str) -> str:
    """ "1 table", "3 tables"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
