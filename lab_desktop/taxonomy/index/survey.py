"""What lies in a taxonomy working tree right now: folders, lessons and the stamps that tell whether they changed.

Asks the disk for names, times and sizes only; opens no file, follows no link to a folder, and stops at a depth.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS, is_misnamed

MOST_LEVELS = 60
"""Folders inside each other; a real taxonomy has ten."""
UNSETTLED_NS = 2_000_000_000
"""A file changed so short before it is looked at may change again without a new time: the coarsest clocks tick so."""
_TEXTS = (".md", ".markdown", ".txt")
_Stamp = tuple[int, int, int, int]
_LINK = "This folder is a link, and links are not followed."
_OWN = (FILE_NAME, "attribution.txt")


@dataclass(slots=True)
class Seen:
    """A lesson's folder as the disk tells of it.

    Attributes:
        path: relative to the tree, with slashes.
        file: the name of its qna.yaml, "" when only `others` looks like one.
        modified_ns: when its newest file was changed.
        documents: the texts beside it, relative to the folder, sorted; not those of a lesson further down.
        names: every name at or below the folder, sorted.
        files: path and stamp of those whose contents matter.
        stamp: changes whenever one of its files does.
        settled: False when a further change could leave the stamp as it is.
    """

    path: str
    file: str
    modified_ns: int = 0
    documents: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    files: list[tuple[str, _Stamp | None]] = field(default_factory=list)
    stamp: str = ""
    settled: bool = True


@dataclass(frozen=True)
class Survey:
    """Attributes:
    folders: path → why it could not be looked into, "" where it could; topics and lessons, the roots first.
    lessons: path → what was seen.
    stamps: full path → the stamp of each folder that was looked into; None where it may change and keep its stamp.
    """

    folders: dict[str, str] = field(default_factory=dict)
    lessons: dict[str, Seen] = field(default_factory=dict)
    stamps: dict[str, _Stamp | None] = field(default_factory=dict)


def survey(root: Path) -> Survey:
    """Look at the three roots of a taxonomy below `root`; a root that is missing or a link is left out."""
    base = os.path.join(os.fspath(root), "")  # noqa: PTH118 - strings: a Path for every name takes longer than the disk
    found = Survey()
    folders, lessons = found.folders, found.lessons
    now = time.time_ns()
    found.stamps[base] = _folder_stamp(base, now)
    waiting: list[tuple[str, int, tuple[Seen, ...]]] = []
    for name in reversed(ROOTS):
        if os.path.islink(base + name):  # noqa: PTH114 - strings, as above
            folders[name] = _LINK
        elif os.path.isdir(base + name):  # noqa: PTH112
            waiting.append((name, 1, ()))
    while waiting:
        path, level, owners = waiting.pop()
        if level > MOST_LEVELS:
            folders[path] = f"More than {MOST_LEVELS} folders lie inside each other here; deeper ones are not read."
            continue
        # Before it is listed: what is added meanwhile shows the next time.
        found.stamps[base + path] = _folder_stamp(base + path, now)
        try:
            with os.scandir(base + path) as listing:
                entries = [entry for entry in listing if entry.name[0] != "."]
        except OSError as error:
            folders[path] = f"The folder cannot be opened: {error.strerror}."
            continue
        folders[path] = ""
        below: list[os.DirEntry[str]] = []
        files: list[os.DirEntry[str]] = []
        for entry in entries:
            (below if entry.is_dir(follow_symlinks=False) else files).append(entry)
            if entry.is_symlink() and os.path.isdir(entry):  # noqa: PTH112
                folders[f"{path}/{entry.name}"] = _LINK
        file = _lesson_file(files)
        if file:
            lessons[path] = lesson = Seen(path, file)
            owners = (*owners, lesson)
        if owners:
            _note(files, path, owners, now)
        for entry in sorted(below, key=_name, reverse=True):
            waiting.append((f"{path}/{entry.name}", level + 1, owners))
    for lesson in lessons.values():
        lesson.names.sort()
        lesson.documents.sort()
        lesson.files.sort()
        said = "\n".join([*lesson.names, *map(repr, lesson.files)])
        lesson.stamp = hashlib.blake2b(os.fsencode(said), digest_size=16).hexdigest()
    return found


def is_as_seen(root: Path, seen: Survey) -> bool:
    """True when the tree is surely as it was: no folder's and no file's stamp differs. Less than half a `survey`."""
    if os.path.join(os.fspath(root), "") not in seen.stamps:  # noqa: PTH118
        return False
    for path, stamp in seen.stamps.items():
        if stamp is None or _stamp(path) != stamp:
            return False
    return all(
        lesson.settled and all(_stamp(path) == stamp for path, stamp in lesson.files)
        for lesson in seen.lessons.values()
    )


def _stamp(path: str) -> _Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def _folder_stamp(path: str, now: int) -> _Stamp | None:
    stamp = _stamp(path)
    return None if stamp is None or abs(now - stamp[0]) <= UNSETTLED_NS else stamp


def _note(files: list[os.DirEntry[str]], path: str, owners: tuple[Seen, ...], now: int) -> None:
    """Write the names of `files` down for every lesson around them, and stamps for the nearest."""
    nearest = owners[-1]
    for entry in files:
        name = entry.name
        for owner in owners[:-1]:
            owner.names.append(f"{path}/{name}"[len(owner.path) + 1 :])
        relative = f"{path}/{name}"[len(nearest.path) + 1 :]
        nearest.names.append(relative)
        is_document = name not in _OWN and name.lower().endswith(_TEXTS)
        if not is_document and relative != nearest.file:
            continue
        try:
            stat = entry.stat()
        except OSError:
            nearest.files.append((entry.path, None))
            continue
        nearest.files.append((entry.path, (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_mode)))
        nearest.modified_ns = max(nearest.modified_ns, stat.st_mtime_ns)
        nearest.settled = nearest.settled and abs(now - stat.st_mtime_ns) > UNSETTLED_NS
        if is_document:
            nearest.documents.append(relative)


def _lesson_file(files: list[os.DirEntry[str]]) -> str:
    names = [entry.name for entry in files]
    return FILE_NAME if FILE_NAME in names else min((name for name in names if is_misnamed(name)), default="")


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
