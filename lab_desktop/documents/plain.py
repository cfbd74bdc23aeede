"""Plain text and Markdown: the encoding found, letters and lines made regular."""

from __future__ import annotations

import re
import unicodedata

from lab_desktop.documents.converted import Converted, Kind, Note
from lab_desktop.documents.markdown import sections

_INVISIBLE = "\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Soft hyphen, zero-width blanks, marks of direction. The joiners U+200C and U+200D belong to the spelling and stay."""
_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"
_NOTHING = re.compile(f"[{_INVISIBLE}{_CONTROLS}]+")
_BLANK = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_LINE_END = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_LIGATURE = re.compile("[\u0132\u0133\ufb00-\ufb06]")
_ARABIC_FORMS = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")

_BULLET = re.compile(r"^([ \t]*)[•‣▪▫◦●○■□∙·⁃][ \t]+(?=\S)", re.MULTILINE)
_SHORT_LINE = 90
"""Letters. A text whose lines are all shorter was broken by hand or by a mail program."""


def regular(text: str) -> str:
    """The text with \\n as line end, composed letters, plain blanks, and no ligatures, soft hyphens or controls."""
    text = _BLANK.sub(" ", _NOTHING.sub("", _LINE_END.sub("\n", text)))
    for shapes in (_LIGATURE, _ARABIC_FORMS):
        text = shapes.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return unicodedata.normalize("NFC", text)


def tidy(text: str) -> str:
    """Markdown without blanks at line ends, with one empty line between blocks, and one line end at the end."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        line = line.rstrip()
        bare = line.lstrip()
        if not line and not fence and (not lines or not lines[-1]):
            continue
        lines.append(line)
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
    return "\n".join(lines).strip("\n") + "\n"


def with_notes(text: str, notes: dict[int, str]) -> str:
    """Markdown with its footnotes, each at the end of the section that calls it first, so that both are read together.

    Args:
        notes: by number; [^1] calls the first.
    """
    parts: list[str] = []
    waiting: list[int] = []
    fence = ""

    def put_down() -> None:
        parts.extend(f"\n[^{number}]: {notes[number]}\n" for number in waiting)
        waiting.clear()

    placed: set[int] = set()
    for line in text.split("\n"):
        bare = line.lstrip()
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        elif re.match(r"#{1,6} ", line):
            put_down()
        parts.append(line)
        for found in re.findall(r"\[\^(\d+)\]", line):
            if (number := int(found)) in notes and number not in placed:
                placed.add(number)
                waiting.append(number)
    waiting += [number for number in notes if number not in placed]
    put_down()
    return "\n".join(parts)


def first_heading(text: str) -> str:
    """The first heading of a Markdown text; "" where it has none."""
    return next((headings[0] for headings, _ in sections(text) if headings), "")


def decode(data: bytes, declared: str = "") -> tuple[str, str]:
    """(text, encoding) of bytes, by their mark, else UTF-8, else as declared, else cp1252, which takes anything."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        if error.end >= len(data) - 3 and error.reason == "unexpected end of data":  # cut off within a letter
            return data.decode("utf-8-sig", errors="ignore"), "utf-8"
    if declared:
        try:
            return data.decode(declared), declared.lower()
        except (LookupError, UnicodeError):
            pass
    # The five bytes that cp1252 leaves open are controls in Latin-1.
    return "".join(_cp1252(data)), "cp1252"


def _cp1252(data: bytes) -> list[str]:
    try:
        return [data.decode("cp1252")]
    except UnicodeDecodeError:
        return [bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in data]


def encoding_note(encoding: str) -> tuple[Note, ...]:
    """A note where the encoding was guessed."""
    if encoding in ("utf-8", "utf-16"):
        return ()
    return (
        Note(
            "encoding",
            f"The file does not say how its letters are stored; they were read as {_NAMES.get(encoding, encoding)}. "
            "Look at letters with accents.",
            needs_a_look=True,
        ),
    )


_NAMES = {"cp1252": "Western European (Windows)"}


def from_bytes(data: bytes, name: str, kind: Kind) -> Converted:
    """A file of plain text or Markdown."""
    text, encoding = decode(data)
    converted = from_text(text, kind)
    return Converted(converted.text, converted.title, converted.kind, notes=encoding_note(encoding))


def from_text(text: str, kind: Kind | None = None) -> Converted:
    """Pasted or read text; `kind` None finds out whether it is Markdown."""
    text = regular(text)
    if kind is None:
        kind = Kind.MARKDOWN if _looks_like_markdown(text) else Kind.TEXT
    if kind is Kind.TEXT:
        text = _as_markdown(text)
    text = tidy(text)
    return Converted(text, first_heading(text), kind)


def _looks_like_markdown(text: str) -> bool:
    return bool(re.search(r"^(#{1,6} \S|[-*+] \S|\|.*\|[ \t]*$|```)", text, re.MULTILINE))


def _as_markdown(text: str) -> str:
    """Lines that a mail program or typewriter broke become paragraphs; bullets become list items."""
    text = _BULLET.sub(r"\1- ", text)
    blocks = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        blocks.append(_joined(lines) if _is_broken_prose(lines) else "\n".join(lines))
    return "\n\n".join(blocks)


def _is_broken_prose(lines: list[str]) -> bool:
    """True for lines of about one length, 40 to 90 letters, none indented: one paragraph, broken at a margin."""
    if len(lines) < 2 or any(line[:1] in " \t-*+|>#" or re.match(r"\d+[.)] ", line) for line in lines):
        return False
    lengths = [len(line) for line in lines[:-1]]
    return min(lengths) >= 40 and max(lengths) <= _SHORT_LINE and max(lengths) - min(lengths) <= 25


def _joined(lines: list[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        if text.endswith("-") and len(text) > 1 and text[-2].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}"
    return text
