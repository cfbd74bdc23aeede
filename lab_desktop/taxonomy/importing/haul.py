"""A lesson file, or a folder or .zip with many: looked through before anything is taken, then taken in one step.

    haul = Haul(source)
    haul.look(on_progress, is_cancelled)        reads every lesson in it; nothing is written
    finds = settled(haul.finds, library, topic) where each would come to lie
    library.add([newcomer(find) for find in finds if …])
    haul.close()

What comes from strangers is read as such: links are not followed, hidden folders and what is no lesson, document or
credits is not looked at, and everything has a limit.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lab_desktop.artifacts import Leaf, LeafKind
from lab_desktop.errors import Cancelled, DocumentError, LeafError
from lab_desktop.files import disk_errors, replacing
from lab_desktop.paths import documents_beside
from lab_desktop.taxonomy.attribution import FILE_NAME as ATTRIBUTION
from lab_desktop.taxonomy.importing.archive import is_archive, unpacked
from lab_desktop.taxonomy.importing.single import Imported, keep_original, read_anything
from lab_desktop.taxonomy.index.glance import read_bytes
from lab_desktop.taxonomy.library import Library, NewLeaf
from lab_desktop.taxonomy.names import folder_name
from lab_desktop.taxonomy.qna import to_yaml, write_leaf
from lab_desktop.taxonomy.source import MOST_BYTES, SourceProblem
from lab_desktop.taxonomy.tree import FILE_NAME, READ_ONLY, ROOTS, is_misnamed

MOST_LESSONS = 5_000
MOST_FOLDERS = 200_000
MOST_LEVELS = 60
MOST_LESSON_BYTES = 200_000_000
"""Of all lesson files together."""
MOST_DOCUMENT_BYTES = 50_000_000
_MOST_PLACE_LEVELS = 20
_LIKE_HIDDEN = ("__MACOSX",)

Verdict = Literal["fine", "mend", "same", "no"]
"""Taken as it is; taken with repairs or losses that a person looks at; in the library already; not taken."""
Progress = Callable[[str, float], object]
Unpack = Callable[[Path, Path, Callable[[], bool]], None]
"""Puts what belongs to lessons from a file into a new folder; raises LeafError, StorageError, Cancelled."""


@dataclass(frozen=True)
class Find:
    """A lesson that was found.

    Attributes:
        name: its file, relative to what was looked through, with slashes.
        folder: where it lies, with what is beside it.
        verdict: what can become of it.
        problem: why it is not taken; None: it can be.
        imported: what was read; None where nothing could be.
        documents: files beside it that come along, relative to `folder`.
        note: something about its documents that a person should know, in a sentence; "" mostly.
        wanted: where it belongs in a library; None while nobody knows.
        place: where it would come to lie: `wanted`, or a name like it where that is taken.
    """

    name: str
    folder: Path
    verdict: Verdict
    problem: LeafError | None = None
    imported: Imported | None = None
    documents: tuple[str, ...] = ()
    note: str = ""
    wanted: Path | None = None
    place: Path | None = None

    @property
    def is_renamed(self) -> bool:
        """True where its name is taken, so that it gets another."""
        return self.place is not None and self.wanted is not None and self.place.name != self.wanted.name


class Haul:
    """
    Attributes:
        source: the file, folder or .zip.
        finds: the lessons in it, once they have been looked through, by name.
    """

    def __init__(self, source: Path, place: Path | None = None, unpack: Mapping[str, Unpack] | None = None) -> None:
        """
        Args:
            place: the folder that a single lesson is meant for, see `read_anything`; None: where it lies.
            unpack: {ending of a file: how its lessons are put into a new folder}, of other archives than .zip.
        """
        self.source = source
        self._place = place
        self._unpack = unpack or {}
        self.finds: list[Find] = []
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Let go of what was unpacked; documents cannot be taken any more."""
        if self._unpacked is not None:
            self._unpacked.cleanup()
            self._unpacked = None

    def look(self, on_progress: Progress, is_cancelled: Callable[[], bool]) -> None:
        """Read every lesson; what cannot be read becomes a find that says why. After an error it is closed.

        Raises:
            LeafError: there is no lesson, there is too much, or it is no .zip.
            StorageError: it could not be unpacked.
            Cancelled: somebody said so.
        """
        try:
            self.finds = self._looked_through(on_progress, is_cancelled)
        except BaseException:
            self.close()
            raise

    def _looked_through(self, on_progress: Progress, is_cancelled: Callable[[], bool]) -> list[Find]:
        root = Path(os.path.realpath(self.source))
        unpack = unpacked if is_archive(root) else self._unpack.get(root.suffix.lower())
        if unpack is not None and root.is_file():
            on_progress("Unpacking", 0.0)
            with disk_errors(Path(tempfile.gettempdir()), "What is in the archive"):
                self._unpacked = tempfile.TemporaryDirectory(prefix="lab-desktop-", ignore_cleanup_errors=True)
            # A lesson right in it is named like the archive.
            base = Path(os.path.realpath(self._unpacked.name)) / folder_name(root.stem)
            unpack(root, base, is_cancelled)
            root = base
        files = [root] if root.is_file() else list(_lesson_files(root, is_cancelled))
        if not files:
            raise LeafError(
                f'There is no lesson in "{self.source.name}".',
                f"A lesson is a folder with a file named {FILE_NAME}.",
            )
        base = root.parent if root.is_file() else root
        left = MOST_LESSON_BYTES
        finds = []
        for number, file in enumerate(files):
            if is_cancelled():
                raise Cancelled
            on_progress("Looking through the lessons", number / len(files))
            find, size = _find(file, base, self._place if len(files) == 1 else None)
            left -= size
            if left < 0:
                raise LeafError(
                    f"The lesson files in it have more than {MOST_LESSON_BYTES / 1e6:.0f} MB together.",
                    "Import a part of it.",
                )
            finds.append(find)
        return finds


def settled(finds: Sequence[Find], library: Library, topic: Path | None = None) -> list[Find]:
    """The finds with the places that they would get in a library, all at once.

    Args:
        topic: for a single one, and for those that lie in no taxonomy of their own, where it is of their kind.

    Raises:
        LeafError: the topic is no place for a lesson.
    """
    is_one = len(finds) == 1 and "/" not in finds[0].name  # a lesson was chosen, and no folder of lessons
    wanted = [_wanted(each, each.imported.leaf, library, topic, is_one) if each.imported else None for each in finds]
    free = iter(library.free_places([place for place in wanted if place is not None]))
    found = []
    for each, place in zip(finds, wanted, strict=True):
        if place is None or each.imported is None:
            found.append(each)
            continue
        is_same = not is_one and _is_same(each.imported, library.root / place)
        verdict: Verdict = "same" if is_same else each.verdict
        found.append(replace(each, wanted=place, place=next(free), verdict=verdict))
    return found


def newcomer(find: Find, on_write: Callable[[], object] = lambda: None) -> NewLeaf:
    """What the library takes in for a find that was settled.

    Args:
        on_write: called before each is written; may raise Cancelled.
    """
    imported, wanted = find.imported, find.wanted
    assert imported is not None
    assert wanted is not None

    def write(folder: Path, place: Path) -> None:
        on_write()
        if not imported.is_exact:
            keep_original(imported.original, folder)
        write_leaf(replace(imported.leaf, node=place.parts, folder=folder), folder)
        bring_along(find.documents, find.folder, folder)

    return NewLeaf(wanted, write)


def bring_along(names: Iterable[str], source: Path, folder: Path) -> None:
    """Copy what lies beside a lesson file.

    Args:
        names: of `beside`.

    Raises:
        LeafError: one cannot be read any more.
        StorageError: one could not be written.
    """
    for name in names:
        try:
            data = read_bytes(os.path.join(source, name), str(source), MOST_DOCUMENT_BYTES)  # noqa: PTH118
        except SourceProblem as error:
            raise LeafError(f'"{name}" cannot be read any more: {error.message}', "Import it again.") from error
        with disk_errors(folder, "The lesson"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with replacing(folder / name) as copy:
                copy.write_bytes(data)


def _lesson_files(root: Path, is_cancelled: Callable[[], bool]) -> Iterator[Path]:
    """Files that are lessons or mean to be, one in a folder, by path.

    Raises:
        LeafError: there are more than anybody has.
        Cancelled: somebody said so.
    """
    count = 0
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        if is_cancelled():
            raise Cancelled
        if number > MOST_FOLDERS:
            raise LeafError(f"There are more than {MOST_FOLDERS:,} folders in it.", "Choose one of them.")
        here = Path(folder)
        is_deep = len(here.parts) - len(root.parts) >= MOST_LEVELS
        folders[:] = [] if is_deep else sorted(name for name in folders if _is_seen(name))
        name = FILE_NAME if FILE_NAME in names else min(filter(is_misnamed, names), default="")
        if name:
            count += 1
            if count > MOST_LESSONS:
                raise LeafError(f"There are more than {MOST_LESSONS:,} lessons in it.", "Choose a folder in it.")
            yield here / name


def _is_seen(name: str) -> bool:
    return not name.startswith(".") and name not in _LIKE_HIDDEN


def _find(file: Path, base: Path, place: Path | None) -> tuple[Find, int]:
    """(the find, its size in bytes); nothing that lies there makes this fail."""
    name = file.relative_to(base).as_posix().encode("utf-8", "replace").decode("utf-8")
    try:
        data = read_bytes(str(file), str(base), MOST_BYTES)
    except SourceProblem as error:
        return Find(name, file.parent, "no", LeafError(error.message, error.hint)), 0
    if place is None and _root_of(file) == READ_ONLY:
        refusal = LeafError(
            "It belongs to the basics, which nobody changes here.",
            "Those who keep the community's library look after them.",
        )
        return Find(name, file.parent, "no", refusal), len(data)
    try:
        imported = read_anything(data, place or file.parent, file.name)
        if place is not None and imported.leaf.node[0] not in place.parts:
            imported = read_anything(data, file.parent, file.name)  # it is of another kind, and goes to where that is
    except LeafError as error:
        return Find(name, file.parent, "no", error), len(data)
    documents, note = beside(imported.leaf, file.parent)
    verdict: Verdict = "fine" if imported.is_exact else "mend"
    return Find(name, file.parent, verdict, None, imported, documents, note), len(data)


def beside(leaf: Leaf, folder: Path) -> tuple[tuple[str, ...], str]:
    """(files that come along with a leaf, a note about those that do not)."""
    found, note = [], ""
    try:
        names = documents_beside(folder, leaf.document.patterns) if leaf.document else []
    except DocumentError as error:
        names, note = [], error.message
    except OSError as error:
        names, note = [], f"Its documents cannot be read: {error.strerror}."
    for path in [folder / ATTRIBUTION, *names]:
        try:
            size = path.lstat().st_size if not path.is_symlink() else path.stat().st_size
        except OSError:
            continue
        if size > MOST_DOCUMENT_BYTES:
            note = (
                f'"{path.name}" has {size / 1e6:.0f} MB and is left out; the most is {MOST_DOCUMENT_BYTES / 1e6:.0f}.'
            )
        elif path.is_file() and path.resolve().is_relative_to(folder):
            found.append(path.relative_to(folder).as_posix())
    return tuple(found), note


def _wanted(find: Find, leaf: Leaf, library: Library, topic: Path | None, is_one: bool) -> Path:
    root = "knowledge" if leaf.kind is LeafKind.KNOWLEDGE else "compositional_skills"
    if not is_one and _root_of(find.folder):
        names = leaf.node[1:] or (find.folder.name,)
        return Path(leaf.node[0], *map(folder_name, names[-_MOST_PLACE_LEVELS:]))
    names = tuple(Path(find.name).parts[:-1])[-_MOST_PLACE_LEVELS:]
    names = (find.folder.name,) if is_one or not names else names
    is_its_kind = topic is not None and topic.parts[:1] == (root,)
    home = library.home(topic if is_its_kind else None, leaf.kind)
    if len(names) > 1 and not is_its_kind:
        home = home.parent  # it has topics of its own
    return home.joinpath(*map(folder_name, names))


def _root_of(path: Path) -> str:
    """The last of the three roots on the way to a file, which decides; "" where there is none."""
    return next((part for part in reversed(path.parts) if part in ROOTS), "")


def _is_same(imported: Imported, folder: Path) -> bool:
    file = folder / FILE_NAME
    try:
        there = read_bytes(str(file), str(folder), MOST_BYTES)
    except SourceProblem:
        return False
    return there in (imported.original, to_yaml(imported.leaf).encode("utf-8", "surrogatepass"))
