"""Small JSON files that say of a model what the file itself cannot: where it came from, and where a linked one lies.

models/OWNER/REPO/NAME.gguf.json    beside a downloaded file; written last, so it means: whole and verified
models/linked/NAME.json             a model that stays where another program keeps it
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from lab_desktop import paths
from lab_desktop.errors import RunError
from lab_desktop.files import read_json, write_json


@dataclass(frozen=True)
class Record:
    """Where a downloaded file came from.

    Attributes:
        repo, file, revision: on the hub; the revision is a commit.
        sha256: of the file; it was verified.
        size_bytes: of the file.
        licence: the hub's name.
        title: what the person calls it.
        downloaded: UTC.
    """

    repo: str
    file: str
    revision: str
    sha256: str
    size_bytes: int
    licence: str
    title: str
    downloaded: str


@dataclass(frozen=True)
class Link:
    """A model that lies elsewhere and is only named here.

    Attributes:
        path: where it lies.
        name: what it is called there.
        program: who keeps it there, "Ollama"; "" for a file that the person chose.
        linked: UTC.
    """

    path: Path
    name: str
    program: str
    linked: str


def record_file(model: Path) -> Path:
    return model.with_name(f"{model.name}.json")


def write_record(model: Path, record: Record) -> None:
    """
    Raises:
        StorageError: it could not be written.
    """
    write_json(record_file(model), asdict(record))


def read_record(model: Path) -> Record | None:
    """The record beside a model; None where there is none, or it is damaged."""
    try:
        record = Record(**read_json(record_file(model)))
    except (RunError, TypeError):
        return None
    texts = (record.repo, record.file, record.revision, record.sha256, record.licence, record.title, record.downloaded)
    return record if all(isinstance(text, str) for text in texts) and isinstance(record.size_bytes, int) else None


def links_folder() -> Path:
    return paths.models() / "linked"


def write_link(link: Link) -> Path:
    """Note a link under a name that is free; gives the file.

    Raises:
        StorageError: it could not be written.
    """
    word = re.sub(r"[^\w.-]+", "-", link.name).strip(".-")[:80] or "model"
    number = 1
    while (file := links_folder() / (f"{word}.json" if number == 1 else f"{word}-{number}.json")).exists():
        number += 1
    write_json(file, {**asdict(link), "path": str(link.path)})
    return file


def read_links() -> list[tuple[Path, Link]]:
    """Every link with its file, by name; a damaged one is left out."""
    found = []
    for file in sorted(links_folder().glob("[!.]*.json")):
        try:
            value = read_json(file, "path", "name")
            texts = [str(value.get(key, "")) for key in ("name", "program", "linked")]
            found.append((file, Link(Path(value["path"]), *texts)))
        except (RunError, TypeError):
            continue
    return found
