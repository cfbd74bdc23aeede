"""A source becomes Markdown, in this process: PDF, Word, HTML, EPUB, Markdown or plain text, told by content.

Whoever has a file from elsewhere calls `safely.convert_safely`, which runs this in a process with limits. Nothing is
fetched, no program inside a document runs, and the source is read once and never written.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path

from lab_desktop.documents import plain
from lab_desktop.documents.converted import Converted, Kind, Progress
from lab_desktop.documents.kinds import kind_of
from lab_desktop.errors import DocumentError

MOST_BYTES = 200_000_000
"""Of a source."""
MOST_LETTERS = 20_000_000
"""Of the Markdown; ten times the longest novel."""


def convert(file: Path, on_progress: Progress = lambda done, total: None) -> Converted:
    """Read a file and write it anew as Markdown.

    Args:
        on_progress: called with pages (PDF) or parts (EPUB) done and in all.

    Raises:
        DocumentError: it is no document that can be read, or has no text; the sentence says why and what to do.
    """
    data = read_bytes(file)
    kind = kind_of(data, file.name)
    try:
        converted = _by_kind(kind, data, file.name, on_progress)
    except RecursionError as error:
        raise DocumentError(
            f'"{file.name}" is nested too deeply to be read.', "Save it anew in the program that made it."
        ) from error
    return replace(_checked(converted, file.name), sha256=hashlib.sha256(data).hexdigest())


def convert_html(text: str) -> Converted:
    """HTML as a clipboard gives it, as Markdown.

    Raises:
        DocumentError: there is no text in it.
    """
    from lab_desktop.documents import html

    return _checked(html.from_html(text), "")


def convert_text(text: str) -> Converted:
    """A pasted text: Markdown stays Markdown, anything else gets clean lines.

    Raises:
        DocumentError: there is no text in it.
    """
    return _checked(plain.from_text(text), "")


def read_bytes(file: Path) -> bytes:
    """A document's bytes, all of one moment.

    Raises:
        DocumentError: it is no ordinary file, cannot be opened, is empty or too large, or changed meanwhile.
    """
    name = file.name or str(file)
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as stream:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                what = "a folder" if stat.S_ISDIR(before.st_mode) else "not an ordinary file"
                raise DocumentError(
                    f'"{name}" is {what}.', "Choose a document: PDF, Word, HTML, EPUB, Markdown or text."
                )
            if before.st_size > MOST_BYTES:
                raise DocumentError(
                    f'"{name}" has {before.st_size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB can be read.',
                    "Split it, or save the chapters you need as a file of their own.",
                )
            data = stream.read(MOST_BYTES + 1)
            after = os.fstat(descriptor)
    except IsADirectoryError:
        raise DocumentError(
            f'"{name}" is a folder.', "Choose a document: PDF, Word, HTML, EPUB, Markdown or text."
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be used"
        raise DocumentError(f'"{name}" cannot be opened: {why}.', "Check its name and its permissions.") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise DocumentError(f'"{name}" changed while it was read.', "Wait until it is saved, then choose it again.")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DocumentError(f'"{name}" is empty.', "Choose a document with text in it.")
    return data


def _by_kind(kind: Kind, data: bytes, name: str, on_progress: Progress) -> Converted:
    # The libraries of one kind are loaded only where a document of that kind is.
    if kind is Kind.PDF:
        from lab_desktop.documents import pdf

        return pdf.from_pdf(data, name, on_progress)
    if kind is Kind.DOCX:
        from lab_desktop.documents import docx

        return docx.from_docx(data, name)
    if kind is Kind.EPUB:
        from lab_desktop.documents import epub

        return epub.from_epub(data, name, on_progress)
    if kind is Kind.HTML:
        from lab_desktop.documents import html

        return html.from_html_bytes(data, name)
    return plain.from_bytes(data, name, kind)


def _checked(converted: Converted, name: str) -> Converted:
    what = f'"{name}"' if name else "What was pasted"
    if not any(letter.isalnum() for letter in converted.text):
        raise DocumentError(f"{what} has no text in it.", "Choose a document with text in it.")
    if len(converted.text) > MOST_LETTERS:
        raise DocumentError(
            f"{what} becomes a text of {len(converted.text) / 1e6:,.0f} million letters, which is more than can be "
            "worked with.",
            "Split it, or save the chapters you need as a file of their own.",
        )
    return converted
