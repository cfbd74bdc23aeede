"""A .zip of lessons, unpacked with limits: lessons, texts and credits, never a link, a hidden name or a way out."""

from __future__ import annotations

import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from lab_desktop.errors import Cancelled, LeafError
from lab_desktop.files import disk_errors
from lab_desktop.paths import TEXT_SUFFIXES
from lab_desktop.taxonomy.attribution import FILE_NAME as ATTRIBUTION
from lab_desktop.taxonomy.names import is_safe
from lab_desktop.taxonomy.tree import FILE_NAME, is_misnamed

MOST_ENTRIES = 200_000
MOST_UNPACKED_BYTES = 1_000_000_000
_MOST_LETTERS = 500
"""Of a path: some systems take no more."""
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the reader of archives raises of bytes that are none."""


def is_archive(file: Path) -> bool:
    """True for a file that is named like one."""
    return file.suffix.lower() == ".zip" and file.is_file()


def unpacked(file: Path, folder: Path, is_cancelled: Callable[[], bool]) -> None:
    """Put what may belong to a lesson from the archive into a new folder, at the places that it has in there.

    Raises:
        LeafError: it is no .zip, is damaged, has a password, or holds too much.
        StorageError: it could not be written.
        Cancelled: somebody said so.
    """
    with disk_errors(folder, "What is in the archive"):
        folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise LeafError(f"There are more than {MOST_ENTRIES:,} files in it.", "Unpack it and choose a folder.")
            wanted = [each for each in entries if _is_wanted(each)]
            # A file that unfolds to more than it says is cut off there, and damaged by its check sum.
            if sum(each.file_size for each in wanted) > MOST_UNPACKED_BYTES:
                most = f"{MOST_UNPACKED_BYTES / 1e9:.0f} GB"
                raise LeafError(f"Unpacked it has more than {most}.", "Unpack a part of it and choose the folder.")
            for each in wanted:
                if is_cancelled():
                    raise Cancelled
                _unpack(archive, each, folder)
    except _DAMAGE as error:
        is_locked = "password" in str(error)
        why = "has a password" if is_locked else "is damaged, or no .zip"
        hint = "Unpack it and choose the folder." if is_locked else "Get it again, or choose a folder."
        raise LeafError(f'"{file.name}" {why}.', hint, str(error)) from error
    except OSError as error:
        raise LeafError(f'"{file.name}" cannot be opened: {error.strerror}.', "Check its permissions.") from error


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.replace("\\", "/").split("/")
    name = parts[-1]
    return (
        name != ""  # a folder's ends in a slash; in a damaged archive a file may have none
        and not stat.S_ISLNK(entry.external_attr >> 16)
        and len(entry.filename) <= _MOST_LETTERS
        and "__MACOSX" not in parts
        and all(is_safe(part) for part in parts)
        and (name in (FILE_NAME, ATTRIBUTION) or is_misnamed(name) or Path(name).suffix.lower() in TEXT_SUFFIXES)
    )


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*entry.filename.replace("\\", "/").split("/"))
    with disk_errors(folder, "What is in the archive"):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            new = open(target, "xb")  # noqa: SIM115 - closed below
        except (FileExistsError, NotADirectoryError):
            return  # two of one name: the first counts
        with new, archive.open(entry) as packed:
            shutil.copyfileobj(packed, new)
