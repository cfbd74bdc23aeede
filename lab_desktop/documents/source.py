"""The sources of a lesson: what a person brought stays as it was, its Markdown lies beside qna.yaml.

    LESSON/NAME.md                  the text, the person's to edit
    LESSON/.originals/FILE          what was brought, byte for byte
    LESSON/.originals/NAME.json     where NAME.md comes from, and how the pages of the original begin in it

The folder of originals is hidden, so no pattern of a leaf names it, and git ignores it, so no contribution sends it.
The Markdown is written last: where it exists, the other two are complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab_desktop.documents.convert import read_bytes
from lab_desktop.documents.converted import VERSION, Converted, Kind, Note
from lab_desktop.documents.kinds import SUFFIXES
from lab_desktop.documents.places import Starts, read_starts
from lab_desktop.documents.safely import Pasted
from lab_desktop.errors import DocumentError, RunError
from lab_desktop.files import disk_errors, read_json, replacing, write_json, write_text
from lab_desktop.paths import ORIGINALS

_MOST_NAME = 60
_RESERVED = {
    "qna",
    "attribution",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\[\]{}!]+')


@dataclass(frozen=True)
class Source:
    """A document of a lesson and where it comes from.

    Attributes:
        text: the Markdown, beside qna.yaml.
        original: what was brought, below `.originals`.
        name: what the person's file was called, or "Pasted text".
        title: of the document; "" where it has none.
        kind: what the original is.
        pages: of the original; 0 where it has none.
        sha256: of the original's bytes.
        written_sha256: of the Markdown as it was converted.
        version: of the converter.
        notes: what needed a look.
        when: UTC.
        starts: how the pages of the original begin in the text; empty where that was not noted.
    """

    text: Path
    original: Path
    name: str
    title: str
    kind: Kind
    pages: int
    sha256: str
    written_sha256: str
    version: int
    notes: tuple[Note, ...]
    when: str
    starts: Starts = ()

    @property
    def is_edited(self) -> bool:
        """The Markdown is not what the converter wrote any more."""
        return _sha256_of(self.text) != self.written_sha256

    @property
    def may_be_opened(self) -> bool:
        """The system's program for it is one for documents: a lesson from elsewhere may name any file."""
        return self.original.suffix.lower() in SUFFIXES


def record_of(text: Path) -> Path:
    """Where it is noted where a document of a lesson comes from; `text` is the Markdown, beside qna.yaml."""
    return text.parent / ORIGINALS / f"{text.stem}.json"


def source_of(text: Path) -> Source | None:
    """Where a document of a lesson comes from, even if its original is gone; None where nothing was noted.

    Args:
        text: the Markdown, beside qna.yaml.
    """
    with contextlib.suppress(RunError, KeyError, TypeError, ValueError):
        source = _from_record(text.parent, record_of(text))
        return source if source.text == text else None
    return None


def note_starts(source: Source, starts: Starts) -> None:
    """Note how the pages of a kept document begin, where an earlier version did not.

    Raises:
        StorageError, RunError: it could not be written; the record is as it was.
    """
    record = record_of(source.text)
    write_json(record, {**read_json(record, "text"), "starts": starts})


def sources(folder: Path) -> list[Source]:
    """The kept documents of the lesson in `folder`, in order of their names; a damaged record is left out."""
    found = []
    for record in sorted((folder / ORIGINALS).glob("*.json")):
        with contextlib.suppress(RunError, KeyError, TypeError, ValueError):
            source = _from_record(folder, record)
            if source.text.is_file() and source.original.is_file():
                found.append(source)
    return found


def keep(folder: Path, brought: Path | Pasted, converted: Converted) -> Source:
    """Put what a person brought and its Markdown into the lesson in `folder`.

    The same document brought again is not kept twice: the one that is there is returned, with its edits.

    Args:
        brought: what `converted` was made of.

    Raises:
        DocumentError: the file is not the one any more that was converted.
        StorageError: it could not be written; the lesson is as it was.
    """
    name = brought.name if isinstance(brought, Path) else "Pasted text"
    data = read_bytes(brought) if isinstance(brought, Path) else brought.text.encode("utf-8", errors="replace")
    sha256 = hashlib.sha256(data).hexdigest()
    if converted.sha256 and converted.sha256 != sha256:
        raise DocumentError(f'"{name}" was changed after it was converted.', "Choose it again.")
    for source in sources(folder):
        if source.sha256 == sha256:
            return source
    originals = _originals(folder)
    ending = _ending(brought, converted.kind)
    stem = _free(
        folder, _safe(Path(name).stem if isinstance(brought, Path) else converted.title or name), ending, sha256
    )
    original = originals / f"{stem}{ending}"
    with replacing(original, f'The copy of "{name}"') as temporary:
        temporary.write_bytes(data)
    return _write(folder, stem, original, name, sha256, converted)


def _write(folder: Path, stem: str, original: Path, name: str, sha256: str, converted: Converted) -> Source:
    source = Source(
        text=folder / f"{stem}.md",
        original=original,
        name=name,
        title=converted.title,
        kind=converted.kind,
        pages=converted.pages,
        sha256=sha256,
        written_sha256=hashlib.sha256(_bytes(converted.text)).hexdigest(),
        version=VERSION,
        notes=converted.notes,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        starts=converted.starts,
    )
    value: dict[str, Any] = {**asdict(source), "text": source.text.name, "original": original.name}
    write_json(folder / ORIGINALS / f"{stem}.json", value)
    write_text(source.text, _bytes(converted.text).decode("utf-8"))
    return source


def _from_record(folder: Path, record: Path) -> Source:
    value = read_json(record, "text", "original", "notes")
    # A lesson may come from anywhere: what its record names must lie where we put it.
    for name in (value["text"], value["original"]):
        if not isinstance(name, str) or name != Path(name).name or name.startswith("."):
            raise ValueError(name)
    text, original = folder / value["text"], folder / ORIGINALS / value["original"]
    if text.is_symlink() or original.is_symlink() or original.parent.is_symlink():
        raise ValueError(value["original"])
    notes = tuple(Note(**{**note, "pages": tuple(note["pages"])}) for note in value["notes"])
    read = {"text": text, "original": original, "kind": Kind(value["kind"]), "notes": notes}
    return Source(**{**value, **read, "starts": read_starts(value.get("starts", ()))})


def _originals(folder: Path) -> Path:
    originals = folder / ORIGINALS
    if originals.is_symlink():
        raise DocumentError(
            f'"{ORIGINALS}" in {folder} is a link to another folder, so nothing was written there.',
            "Delete the link, then add the document again.",
        )
    with disk_errors(originals, "The folder of originals"):
        originals.mkdir(parents=True, exist_ok=True)
    if not (originals / ".gitignore").exists():
        write_text(originals / ".gitignore", "*\n")
    return originals


def _safe(name: str) -> str:
    """A file's name that every system takes and that no pattern misreads."""
    name = unicodedata.normalize("NFC", name)
    name = "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    name = re.sub(r"\s+", " ", _FORBIDDEN.sub(" ", name))[:_MOST_NAME].strip(" .-")
    while len(name.encode("utf-8")) > 200:
        name = name[:-1]
    if not name:
        return "Document"
    return f"{name} document" if name.lower().partition(".")[0] in _RESERVED else name


def _free(folder: Path, stem: str, ending: str, sha256: str) -> str:
    """`stem`, or with the first number that makes it new; capital letters do not make a name another one."""
    beside = {entry.name.lower() for entry in folder.iterdir()} if folder.is_dir() else set()
    kept = {entry.name.lower(): entry for entry in (folder / ORIGINALS).iterdir()}
    number, name = 1, stem
    while f"{name}.md".lower() in beside or any(
        (there := kept.get(f"{name}{suffix}".lower())) is not None and not _is_left_over(there, sha256)
        for suffix in (ending, ".json")
    ):
        number += 1
        name = f"{stem} {number}"
    return name


def _is_left_over(file: Path, sha256: str) -> bool:
    """It is what a kill left behind of keeping the same document."""
    if file.suffix != ".json":
        return _sha256_of(file) == sha256
    with contextlib.suppress(RunError):
        return bool(read_json(file).get("sha256") == sha256)
    return True


def _ending(brought: Path | Pasted, kind: Kind) -> str:
    if isinstance(brought, Pasted):
        return ".html" if brought.is_html else ".txt"
    usual = {Kind.MARKDOWN: ".md", Kind.TEXT: ".txt"}.get(kind, f".{kind.value}")
    suffix = brought.suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) and suffix != ".json" else usual


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _sha256_of(file: Path) -> str:
    try:
        with open(os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
