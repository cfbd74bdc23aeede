"""A lesson beside the community's version: what is new, changed, moved or gone, in sentences and with both texts.

Draws nothing: it reads the library and its versions in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_desktop import repository
from lab_desktop.artifacts import Leaf
from lab_desktop.errors import LabError
from lab_desktop.paths import TEXT_SUFFIXES
from lab_desktop.repository import Change
from lab_desktop.taxonomy.attribution import FILE_NAME as CREDITS
from lab_desktop.taxonomy.differences import About, Difference, differences
from lab_desktop.taxonomy.qna import parse_draft, read_draft
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.ui.words import tr

_MOST_BYTES = 400_000
"""Of a text that is compared line by line."""
_LINES_SHOWN = 12


@dataclass(frozen=True)
class Comparison:
    """
    Attributes:
        path: the lesson's folder, relative to the library, with slashes.
        kind: what happened to it as a whole.
        was: where it was, when it moved; "" else.
        differences: in the lesson, then in its documents and its credits.
        then: the lesson as it was, where it is not there any more.
        note: why no more can be said, in a sentence; "" mostly.
    """

    path: str
    kind: Literal["new", "changed", "moved", "deleted"]
    was: str = ""
    differences: tuple[Difference, ...] = ()
    then: Leaf | None = None
    note: str = ""

    def about(self, *parts: About) -> tuple[Difference, ...]:
        """The differences in these parts of the lesson."""
        return tuple(each for each in self.differences if each.about in parts)


def inside(root: Path, change: Change) -> tuple[Difference, ...]:
    """What differs in a lesson's file; nothing where one of the two cannot be read."""
    folder = root / change.path.parent
    try:
        return differences(parse_draft(change.before or "", folder), read_draft(folder))
    except LabError:
        return ()  # what is wrong with it, its badge says


def compare(root: Path, change: Change) -> Comparison:
    """Everything in which a lesson differs from the community's version."""
    folder = change.path.parent
    was = change.was.parent if change.was is not None else folder
    found = inside(root, change)
    note = ""
    try:
        found += tuple(_beside(repository.files_before(root, was), root / folder))
    except LabError as error:
        note = error.message
    if not found and not note and change.kind == "changed":
        note = tr("It cannot be shown word by word: one of the two versions cannot be read as a lesson.")
    return Comparison(folder.as_posix(), change.kind, was.as_posix() if change.was else "", found, note=note)


def before(root: Path, folder: Path) -> Comparison:
    """What a lesson held that is not there any more."""
    path = folder.as_posix()
    try:
        text = repository.files_before(root, folder).get(FILE_NAME, b"").decode("utf-8", "replace")
        return Comparison(path, "deleted", then=parse_draft(text, root / folder))
    except LabError as error:
        return Comparison(path, "deleted", note=error.message)


def thrown(lying: Path, path: Path) -> Comparison:
    """What a lesson or topic in the bin holds.

    Args:
        lying: its folder in the bin.
        path: where it was.
    """
    if not (lying / FILE_NAME).is_file():
        count = sum(FILE_NAME in names for _, _, names in os.walk(lying))
        words = tr("A topic with 1 lesson.") if count == 1 else tr("A topic with {0} lessons.").format(count)
        return Comparison(path.as_posix(), "deleted", note=words)
    try:
        text = (lying / FILE_NAME).read_text(encoding="utf-8", errors="replace")
        return Comparison(path.as_posix(), "deleted", then=parse_draft(text, Path("/", *path.parts)))
    except (LabError, OSError):
        return Comparison(path.as_posix(), "deleted", note=tr("It cannot be read as a lesson; all of it is kept."))


def _beside(earlier: Mapping[str, bytes], folder: Path) -> Iterator[Difference]:
    """What differs in the documents and credits beside a lesson."""
    now = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    for name in sorted(earlier.keys() | now.keys()):
        is_text = Path(name).suffix.lower() in TEXT_SUFFIXES
        if name == FILE_NAME or not is_text or any(part.startswith(".") for part in name.split("/")):
            continue
        about: About = "credits" if name == CREDITS else "document"
        old, new = earlier.get(name), _content(now.get(name))
        if old is None or new is None:
            yield Difference("new" if old is None else "removed", about, _said(name, old, new), _head(old), _head(new))
        elif old != new:
            yield Difference("changed", about, _said(name, old, new), *_changed_lines(old, new))


def _said(name: str, old: bytes | None, new: bytes | None) -> str:
    """What became of a file beside a lesson, in a sentence."""
    what = "new" if old is None else "removed" if new is None else "changed"
    if name == CREDITS:
        return {
            "new": tr("The credits are new."),
            "removed": tr("The credits were removed."),
            "changed": tr("The credits changed."),
        }[what]
    return {
        "new": tr("The document “{0}” is new."),
        "removed": tr("The document “{0}” was removed."),
        "changed": tr("The document “{0}” changed."),
    }[what].format(name)


def _content(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        with open(file, "rb") as stream:
            return stream.read(_MOST_BYTES)
    except OSError:
        return b""


def _head(data: bytes | None) -> str:
    lines = (data or b"")[:_MOST_BYTES].decode("utf-8", "replace").split("\n")
    return "\n".join([*lines[:_LINES_SHOWN], *(["…"] if len(lines) > _LINES_SHOWN else [])]).strip()


def _changed_lines(old: bytes, new: bytes) -> tuple[str, str]:
    """The lines that are not in both, as many as are shown."""
    texts = [data[:_MOST_BYTES].decode("utf-8", "replace").split("\n") for data in (old, new)]
    there, here = (set(lines) for lines in texts)
    gone = [line for line in texts[0] if line.strip() and line not in here]
    come = [line for line in texts[1] if line.strip() and line not in there]
    return tuple(
        "\n".join([*lines[:_LINES_SHOWN], *(["…"] if len(lines) > _LINES_SHOWN else [])]) for lines in (gone, come)
    )  # type: ignore[return-value]
