"""A lesson in a file to send by mail, NAME.labpack: a .zip with exactly these three.

lesson.bundle   a git bundle of one commit: the lesson and its documents, signed off by its author
Read me.html    the lesson for people who have no LAB Desktop
labpack.json    {"format": 1, "title", "path", "author", "digest": check number (SHA-256) of the bundle}

What comes in such a file is a stranger's: everything has a limit, nothing but these three is looked at, and of the
bundle only files that a lesson has are taken, at their own places.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lab_desktop.artifacts import LOCAL_COMMIT, LOCAL_REPO, DocumentSource, LeafKind
from lab_desktop.contribution import reading
from lab_desktop.contribution.contributions import Author
from lab_desktop.contribution.destinations import PACK
from lab_desktop.contribution.letter import Letter, message
from lab_desktop.contribution.parcel import Parcel
from lab_desktop.errors import Cancelled, ContributionError, LeafError, LibraryError
from lab_desktop.files import disk_errors, replacing
from lab_desktop.paths import TEXT_SUFFIXES
from lab_desktop.repository.compare import MOST_BYTES, MOST_FILES
from lab_desktop.repository.outgoing import MOST_BUNDLE_BYTES, Signature, empty_outgoing, open_bundle
from lab_desktop.taxonomy import attribution, qna
from lab_desktop.taxonomy.names import inside, is_safe
from lab_desktop.taxonomy.tree import FILE_NAME, READ_ONLY, ROOTS

FORMAT = 1
BUNDLE, PAGE, FACTS = "lesson.bundle", "Read me.html", "labpack.json"
_MOST = {BUNDLE: MOST_BUNDLE_BYTES, PAGE: 50_000_000, FACTS: 100_000}
_BRANCH = "lesson"
_MOST_LEVELS = 20
_LONGEST = 500
_EARLIEST, _LATEST = 315_532_800, 4_354_819_199
"""What an archive has dates for: 1980 to 2107, in seconds since 1970."""


@dataclass(frozen=True)
class Pack:
    """What a .labpack holds.

    Attributes:
        title, author: as whoever made it wrote them, in one line.
        path: the lesson's folder in the taxonomy.
        files: {path in the taxonomy: content}: the lesson and its documents.
    """

    title: str
    author: str
    path: str
    files: Mapping[str, bytes]


def is_labpack(file: Path) -> bool:
    """True for a file that is named like one."""
    return file.suffix.lower() == PACK and file.is_file()


def unpackers() -> dict[str, Callable[[Path, Path, Callable[[], bool]], None]]:
    """How a .labpack is unpacked, for `taxonomy.importing.Haul`."""
    return {PACK: unpacked}


def write(file: Path, parcel: Parcel, letter: Letter, author: Author, at: float) -> None:
    """Write a .labpack; it is there when it is whole, and the same parcel gives the same commit.

    Args:
        at: the commit's date, seconds since 1970.

    Raises:
        ContributionError: it is more than `read` takes, or has no author.
        LeafError: the lesson cannot be read.
        LibraryError, StorageError
    """
    text = message(parcel, letter.title, author.name, author.email)
    with disk_errors(file, file.name), tempfile.TemporaryDirectory(prefix="lab-desktop-") as folder:
        made = empty_outgoing(Path(folder) / "lesson")
        files = {**_beside(parcel), **parcel.documents}
        if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
            raise ContributionError(
                f"The lesson and its documents have more than {MOST_BYTES / 1e6:.0f} MB or {MOST_FILES} files, too "
                "much for a file to send by mail.",
                "Take shorter documents, or send it to a repository.",
            )
        commit = made.commit(files, text, Signature(author.name, author.email, at), ())
        bundle = Path(folder) / BUNDLE
        made.bundle(commit, "", _BRANCH, bundle)
        facts = {
            "format": FORMAT,
            "title": parcel.title,
            "path": parcel.path,
            "author": f"{author.name} <{author.email}>",
            "digest": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        }
        members = {
            FACTS: json.dumps(facts, ensure_ascii=False, indent=2).encode("utf-8"),
            PAGE: reading.page(parcel).encode("utf-8"),
            BUNDLE: bundle.read_bytes(),
        }
        with replacing(file) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, time.gmtime(min(max(at, _EARLIEST), _LATEST))[:6]), data)


def read(file: Path, is_cancelled: Callable[[], bool] = lambda: False) -> Pack:
    """What is in a .labpack. Cost: unpacks it into a temporary folder.

    Raises:
        LeafError: it is no whole .labpack, or holds something else.
        StorageError: there is no room to unpack it.
        Cancelled
    """
    with (
        disk_errors(file, "What is in the file"),
        tempfile.TemporaryDirectory(prefix="lab-desktop-", ignore_cleanup_errors=True) as folder,
    ):
        members = _members(file)
        facts = _facts(file, members)
        if is_cancelled():
            raise Cancelled
        bundle = Path(folder) / BUNDLE
        bundle.write_bytes(members[BUNDLE])
        try:
            found = open_bundle(bundle, Path(folder) / "lesson", lambda what, share: None, is_cancelled)
            path = str(facts["path"])
            files = {name: data for name, data in found.read(found.head, path).items() if _is_of_a_lesson(name, path)}
        except LibraryError as error:
            raise _damaged(file, error.details or error.message) from error
    if f"{path}/{FILE_NAME}" not in files:
        raise LeafError(f'There is no lesson in "{file.name}".', "Ask whoever sent it for another one.")
    return Pack(_one_line(facts["title"]), _one_line(facts["author"]), path, files)


def unpacked(file: Path, folder: Path, is_cancelled: Callable[[], bool]) -> None:
    """Put the lesson of a .labpack into a new folder, at its place in the taxonomy.

    Raises:
        LeafError, StorageError, Cancelled: as in `read`.
    """
    pack = read(file, is_cancelled)
    for name, data in pack.files.items():
        target = inside(folder, *name.split("/"))
        with disk_errors(folder, "What is in the file"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _beside(parcel: Parcel) -> dict[str, bytes]:
    """The lesson's files; facts name their documents where they lie in a library: beside the lesson."""
    files = dict(parcel.files)
    if parcel.kind is LeafKind.KNOWLEDGE and parcel.documents:
        names = (PurePosixPath(path).relative_to(parcel.path).as_posix() for path in sorted(parcel.documents))
        leaf = replace(parcel.leaf, document=DocumentSource(LOCAL_REPO, LOCAL_COMMIT, tuple(names)))
        files[f"{parcel.path}/{FILE_NAME}"] = qna.to_yaml(leaf).encode("utf-8")
    return files


def _members(file: Path) -> dict[str, bytes]:
    """The three files of a .labpack, none larger than it may be, whatever the archive says of them.

    Raises:
        LeafError
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if entries.keys() != _MOST.keys() or len(archive.infolist()) != len(_MOST):
                raise LeafError(
                    f'"{file.name}" is not a lesson that was written by LAB Desktop: other files are in it.',
                    "Ask whoever sent it for another one, or unpack it to see what it is.",
                )
            members = {}
            for name, most in _MOST.items():
                if entries[name].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _damaged(file, f"{name}: packed in another way")
                with archive.open(name) as packed:
                    members[name] = packed.read(most + 1)
                if len(members[name]) > most:
                    raise LeafError(
                        f'"{file.name}" unfolds to more than {most / 1e6:.0f} MB, so it was not opened.',
                        "A lesson is much smaller: ask whoever sent it.",
                    )
            return members
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    except OSError as error:
        raise LeafError(f'"{file.name}" cannot be opened: {error.strerror}.', "Check its permissions.") from error


def _facts(file: Path, members: Mapping[str, bytes]) -> dict[str, Any]:
    """What labpack.json says, when it can be believed.

    Raises:
        LeafError: it is of a later format, names another bundle, or a place where no lesson is.
    """
    try:
        facts = json.loads(members[FACTS])
        told, path = facts["format"], facts["path"]
        if isinstance(told, int) and told > FORMAT:
            raise LeafError(f'"{file.name}" was written by a newer LAB Desktop.', "Update LAB Desktop, then open it.")
        texts = (path, facts["title"], facts["author"], facts["digest"])
        if told != FORMAT or not all(isinstance(text, str) for text in texts):
            raise ValueError("fields")
        if facts["digest"] != hashlib.sha256(members[BUNDLE]).hexdigest():
            raise ValueError("check number")
        parts = path.split("/")
        if not 2 <= len(parts) <= _MOST_LEVELS or parts[0] not in ROOTS or not all(map(is_safe, parts)):
            raise ValueError("place")
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    if parts[0] == READ_ONLY:
        raise LeafError(
            f'"{file.name}" holds a part of the basics, which nobody changes here.',
            "Those who keep the community's library look after them.",
        )
    return dict(facts)


def _is_of_a_lesson(name: str, path: str) -> bool:
    parts = name.removeprefix(f"{path}/").split("/")
    is_own = len(parts) == 1 and parts[0] in (FILE_NAME, attribution.FILE_NAME)
    is_document = Path(name).suffix.lower() in TEXT_SUFFIXES
    return name.startswith(f"{path}/") and all(map(is_safe, parts)) and (is_own or is_document)


def _one_line(text: str) -> str:
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text[:_LONGEST])
    return re.sub(" +", " ", shown).strip()


def _damaged(file: Path, details: str) -> LeafError:
    return LeafError(
        f'"{file.name}" is damaged, or no lesson from LAB Desktop.',
        "Ask whoever sent it for another one; a mail program may have cut it off.",
        details,
    )
