"""What is sent, kept as it was when the person looked it through: a folder that is written once and never changed.

FOLDER/lesson-DIGEST/files/…       the lesson's files, at their places in the taxonomy
FOLDER/lesson-DIGEST/documents/…   its documents
FOLDER/lesson-DIGEST/before/…      what the community's version had there
FOLDER/lesson-DIGEST/letter.md     the pull request's text
FOLDER/lesson-DIGEST/lesson.json   what it is, and the check number of every file; written last
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import LeafKind
from lab_desktop.contribution.letter import Letter
from lab_desktop.contribution.parcel import Parcel
from lab_desktop.errors import LeafError, RunError
from lab_desktop.files import flush_folder, read_json, replacing, write_json
from lab_desktop.taxonomy.names import inside, is_safe

_FILE = "lesson.json"
_LETTER = "letter.md"
_PARTS = ("files", "documents", "before")


@dataclass(frozen=True)
class Frozen:
    """What lesson.json says.

    Attributes:
        path, title, kind: as in `Parcel`.
        letter_title, letter: title and check number of the letter.
        sums: {part: {name: check number (SHA-256)}} of the files, documents and earlier files.
    """

    path: str
    title: str
    kind: LeafKind
    letter_title: str
    letter: str
    sums: Mapping[str, Mapping[str, str]]

    @property
    def documents_identity(self) -> str:
        """Tells whether the documents that are there are those that would be sent."""
        return _digest([self.path, self.sums["documents"]])

    def identity(self, *also: str) -> str:
        """Tells whether what is sent, together with these texts, is what was sent."""
        return _digest([self.path, self.letter_title, self.sums["files"], self.sums["documents"], *also])


def freeze(folder: Path, parcel: Parcel, letter: Letter) -> str:
    """Keep a parcel and its letter below `folder`; gives the digest that names them.

    Raises:
        LeafError: a file of it has a name that not every system takes.
        StorageError: it could not be written.
    """
    body = letter.body.encode("utf-8", "surrogatepass")
    # Others may have put anything there; what has no plain name is nothing that we change.
    before = {name: data for name, data in parcel.before.items() if all(map(is_safe, name.split("/")))}
    parts = {"files": parcel.files, "documents": parcel.documents, "before": before}
    sums = {part: {name: _sum(data) for name, data in sorted(of.items())} for part, of in parts.items()}
    value = {
        "path": parcel.path,
        "title": parcel.title,
        "kind": parcel.kind.value,
        "letter_title": letter.title,
        "letter": _sum(body),
        **sums,
    }
    digest = _digest(value)
    target = place(folder, digest)
    if (target / _FILE).is_file():
        return digest
    for part, of in parts.items():
        for name, data in of.items():
            file = _inside(target / part, name)
            with replacing(file, "The contribution") as temporary:
                temporary.write_bytes(data)
    with replacing(target / _LETTER, "The contribution") as temporary:
        temporary.write_bytes(body)
    # Last: a folder that has it is complete.
    write_json(target / _FILE, value)
    flush_folder(folder)
    return digest


def place(folder: Path, digest: str) -> Path:
    """Where what a digest names is kept."""
    return folder / f"lesson-{digest[:16]}"


def look(folder: Path, digest: str) -> Frozen:
    """What was frozen, without its contents.

    Raises:
        RunError: it is damaged.
    """
    value = read_json(place(folder, digest) / _FILE)
    try:
        if _digest(value) != digest:
            raise ValueError("it was changed")
        return Frozen(
            str(value["path"]),
            str(value["title"]),
            LeafKind(value["kind"]),
            str(value["letter_title"]),
            str(value["letter"]),
            {part: {str(name): str(number) for name, number in value[part].items()} for part in _PARTS},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, str(error)) from error


def parcel(folder: Path, digest: str) -> Parcel:
    """What was frozen, as it was.

    Raises:
        RunError: it is damaged.
    """
    found = look(folder, digest)
    files, documents, before = (_read(folder, digest, part, found.sums[part]) for part in _PARTS)
    return Parcel(found.path, found.title, found.kind, files, documents, before)


def letter(folder: Path, digest: str) -> Letter:
    """
    Raises:
        RunError: it is damaged.
    """
    found = look(folder, digest)
    try:
        data = (place(folder, digest) / _LETTER).read_bytes()
    except OSError as error:
        raise _damaged(folder, str(error)) from error
    if _sum(data) != found.letter:
        raise _damaged(folder, f"{_LETTER} was changed")
    return Letter(found.letter_title, data.decode("utf-8", "surrogatepass"))


def sweep(folder: Path, kept: Iterable[str]) -> None:
    """Delete what was frozen earlier, but for what these digests name."""
    stays = {place(folder, digest) for digest in kept}
    for old in folder.glob("lesson-*"):
        if old not in stays and old.is_dir() and not old.is_symlink():
            with contextlib.suppress(OSError):
                (old / _FILE).unlink(missing_ok=True)  # first: half deleted it must not look complete
                shutil.rmtree(old)


def _read(folder: Path, digest: str, part: str, sums: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    for name, number in sums.items():
        try:
            data = _inside(place(folder, digest) / part, name).read_bytes()
        except (OSError, LeafError) as error:
            raise _damaged(folder, str(error)) from error
        if _sum(data) != number:
            raise _damaged(folder, f"{part}/{name} was changed")
        found[name] = data
    return found


def _inside(root: Path, name: str) -> Path:
    return inside(root, *name.split("/"))


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(value: Any) -> str:
    return _sum(json.dumps(value, ensure_ascii=True, sort_keys=True).encode())


def _damaged(folder: Path, details: str) -> RunError:
    return RunError(
        f"What was prepared in {folder} was changed or is damaged, so it is not sent.",
        "Prepare the lesson again; the lesson itself is safe in your library.",
        details,
    )
