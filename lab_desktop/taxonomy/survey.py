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
        stamp: changes whenever one of its files does.
        settled: False when a further change could leave the stamp as it is.
    """

    path: str
    file: str
    modified_ns: int = 0
    documents: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    stamp: str = ""
    settled: bool = True


@dataclass(frozen=True)
class Survey:
    """Attributes:
    folders: path → why it could not be looked into, "" where it could; topics and lessons, the roots first.
    lessons: path → what was seen.
    """

    folders: dict[str, str]
    lessons: dict[str, Seen]


def survey(root: Path) -> Survey:
    """Look at the three roots of a taxonomy below `root`; a root that is missing or a link is left out."""
    base = os.path.join(os.fspath(root), "")  # noqa: PTH118 - strings: a Path for every name takes longer than the disk
    folders: dict[str, str] = {}
    lessons: dict[str, Seen] = {}
    now = time.time_ns()
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
        lesson.stamp = hashlib.blake2b(os.fsencode("\n".join(lesson.names)), digest_size=16).hexdigest()
        lesson.names = [name.partition("\0")[0] for name in lesson.names]
    return Survey(folders, lessons)


def _note(files: list[os.DirEntry[str]], path: str, owners: tuple[Seen, ...], now: int) -> None:
    """Write the names of `files` down for every lesson around them, and times and sizes for the nearest."""
    nearest = owners[-1]
    for entry in files:
        name = entry.name
        is_own = path == nearest.path and name == nearest.file
        is_document = not is_own and name not in _OWN and name.lower().endswith(_TEXTS)
        for owner in owners:
            relative = f"{path}/{name}"[len(owner.path) + 1 :]
            if owner is not nearest or not (is_own or is_document):
                owner.names.append(relative)
                continue
            try:
                stat = entry.stat()
            except OSError:
                owner.names.append(f"{relative}\0gone")
                continue
            owner.names.append(f"{relative}\0{stat.st_mtime_ns} {stat.st_size} {stat.st_ino} {stat.st_mode}")
            owner.modified_ns = max(owner.modified_ns, stat.st_mtime_ns)
            owner.settled = owner.settled and abs(now - stat.st_mtime_ns) > UNSETTLED_NS
            if is_document:
                owner.documents.append(relative)


def _lesson_file(files: list[os.DirEntry[str]]) -> str:
    names = [entry.name for entry in files]
    return FILE_NAME if FILE_NAME in names else min((name for name in names if is_misnamed(name)), default="")


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
