"""What was given to a community: one line for each lesson in `shared.jsonl`, beside the library's own history.

    {"path": "knowledge/geography/velmora", "digest": "9f…", "to": "https://…/pull/12", "at": 1763780000.0}

Written by who sends, when it has been sent; read for the badge "shared". A lesson that was changed since is told by its
digest, one that was moved since by the library's history.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab_desktop.errors import LibraryError, RunError
from lab_desktop.files import JsonLines
from lab_desktop.taxonomy.tree import FILE_NAME, own_folder

SENT = "shared.jsonl"
_MOST_BYTES = 5_000_000


@dataclass(frozen=True)
class Sent:
    """A lesson that was given away.

    Attributes:
        path: its folder when it was sent, relative to the library, with slashes.
        digest: of its qna.yaml as it was sent, see `digest_of`.
        to: who has it, as a person would say it, or an address: "https://github.com/…/pull/12".
        at: seconds since 1970.
    """

    path: str
    digest: str
    to: str
    at: float


def note_sent(root: Path, folders: Iterable[Path], to: str, at: float | None = None) -> None:
    """Note that the lessons in these folders of the library at `root` have been sent as they are now.

    Args:
        folders: relative to the library.
        to: as in `Sent`.
        at: seconds since 1970; None: now.

    Raises:
        LibraryError: one of the lessons cannot be read; nothing was noted.
        StorageError: it could not be written.
    """
    moment = time.time() if at is None else at
    rows = []
    for folder in folders:
        digest = digest_of(root / folder)
        if not digest:
            raise LibraryError(f'The lesson in "{folder}" cannot be read.', "Look at the library again.")
        rows.append(asdict(Sent(folder.as_posix(), digest, to, moment)))
    noted = JsonLines(_file(root))
    try:
        noted.extend(rows)
    finally:
        noted.close()


def sent(root: Path) -> list[Sent]:
    """What was sent from the library at `root`, oldest first; what cannot be read any more is left out."""
    found = []
    try:
        for row in JsonLines(_file(root)).each():
            if isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("path", "digest", "to")):
                at = row.get("at")
                found.append(Sent(row["path"], row["digest"], row["to"], at if isinstance(at, int | float) else 0.0))
    except RunError:
        pass  # a damaged line takes the badges behind it, and no lesson
    return found


def digest_of(folder: Path) -> str:
    """Tells whether the lesson in a folder is as it was: of the bytes of its qna.yaml; "" where there is none."""
    file = folder / FILE_NAME
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ""
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _file(root: Path) -> Path:
    return own_folder(root) / SENT
