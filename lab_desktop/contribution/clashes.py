"""Somebody changed the same lesson at the destination: both versions, kept with the contribution until it is decided.

FOLDER/clash.json   {"theirs": {path: content in Base64}, "is_kept": the person's version goes on top of these}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop.contribution.parcel import Parcel
from lab_desktop.errors import LabError, RunError
from lab_desktop.files import disk_errors, read_json, write_json

FILE_NAME = "clash.json"


@dataclass(frozen=True)
class Clash:
    """Somebody changed the same lesson at the destination since the library saw it.

    Attributes:
        ours, theirs, before: {path in the taxonomy: content}.
    """

    ours: Mapping[str, bytes]
    theirs: Mapping[str, bytes]
    before: Mapping[str, bytes]


class Clashed(LabError):
    """The destination has another version of the lesson; `clash(contribution)` gives both."""


def require_none(
    folder: Path,
    parcel: Parcel,
    theirs: Mapping[str, bytes],
    where: str,
    own: Callable[[], Iterable[Mapping[str, bytes]]] = tuple,
) -> None:
    """See that nothing is overwritten that the person has not seen.

    Args:
        folder: of the contribution.
        theirs: what the destination's newest version has in the lesson's folder.
        where: the destination, as a person would say it.
        own: what the person sent of it before; asked only where it matters.

    Raises:
        Clashed: something of it is neither ours nor what the library knew nor what the person saw.
        StorageError
    """
    seen = _read(folder, "is_kept")
    changed = [
        path
        for path, ours in parcel.files.items()
        if path in theirs and theirs[path] not in (ours, parcel.before.get(path), seen.get(path))
    ]
    if not changed or any(all(theirs[path] == sent.get(path) for path in changed) for sent in own()):
        return
    files = {path: theirs[path] for path in parcel.files if path in theirs}
    _write(folder, files, is_kept=False)
    since = "since you last updated your library" if parcel.before else "already"
    raise Clashed(
        f"Somebody changed “{parcel.title}” at {where} {since}. Nothing was sent.",
        "Look at both versions, then send yours on top of theirs, or update your library first.",
    )


def clash(folder: Path, parcel: Parcel) -> Clash | None:
    """Both versions where nothing was decided yet."""
    theirs = _read(folder, "is_open")
    return Clash(parcel.files, theirs, parcel.before) if theirs else None


def keep_ours(folder: Path) -> None:
    """Note that the person saw their version and sends the own one on top.

    Raises:
        StorageError
    """
    theirs = _read(folder, "is_open")
    if theirs:
        _write(folder, theirs, is_kept=True)


def forget(folder: Path) -> None:
    """
    Raises:
        StorageError
    """
    with disk_errors(folder, "The contribution"):
        (folder / FILE_NAME).unlink(missing_ok=True)


def _write(folder: Path, theirs: Mapping[str, bytes], is_kept: bool) -> None:
    told = {path: base64.b64encode(data).decode("ascii") for path, data in theirs.items()}
    write_json(folder / FILE_NAME, {"theirs": told, "is_kept": is_kept})


def _read(folder: Path, which: str) -> dict[str, bytes]:
    """Their files, where the question is open or where the person decided; none where the file is damaged."""
    try:
        value: dict[str, Any] = read_json(folder / FILE_NAME, "theirs", "is_kept")
        if bool(value["is_kept"]) is not (which == "is_kept"):
            return {}
        return {str(path): base64.b64decode(text, validate=True) for path, text in value["theirs"].items()}
    except (RunError, AttributeError, TypeError, ValueError, binascii.Error):
        return {}
