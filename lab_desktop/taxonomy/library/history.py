"""Steps that can be taken back: files and folders that change places, written down before they move.

Whatever happens to a library is one of two things, and both are undone by doing them backwards:

    move   a file or folder is renamed; what is new is made aside first and moved in whole
    swap   a file gets another content; the one before is kept aside

`history.jsonl` has a line before a step begins and one when it is whole, so that a step cut short by a kill is
completed at the next opening, or taken back where that cannot be. Everything lies in one folder of our own on the disk
of the library (`tree.own_folder`), for only there a move is one instant.

This module knows no taxonomy: paths, and in which order they move.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from lab_desktop.errors import LeafError, RunError, StorageError
from lab_desktop.files import JsonLines, disk_errors, flush_folder, replacing, stamp
from lab_desktop.taxonomy.tree import own_folder

_ASIDE = "@/"
"""How a path in our own folder is written in the journal; all others are below the library."""
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Move:
    """A file or folder changes its place."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Swap:
    """A file gets another content.

    Attributes:
        file: the file.
        after: where the new content waits; nothing is there once it has been taken.
        before: where the old content is kept meanwhile.
    """

    file: Path
    after: Path
    before: Path


Change = Move | Swap


@dataclass(frozen=True)
class Plan:
    """What a step will do.

    Attributes:
        changes: in this order.
        facts: what its owner wants to find again; JSON.
    """

    changes: tuple[Change, ...]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Record:
    """A step that was begun.

    Attributes:
        number: counts from 1, for ever.
        at: seconds since 1970.
    """

    number: int
    changes: tuple[Change, ...]
    facts: dict[str, Any]
    at: float


class Changed(LeafError):
    """What a step is about is no longer as the step left it."""


class History:
    """The steps of one library.

    Attributes:
        root: the library.
        folder: our own folder; it is made with the first step.
        put_aside: a journal that could not be read, under its new name, until somebody was told; None: there is none.
    """

    def __init__(self, root: Path) -> None:
        """Opens the history of `root` and ends what a kill left half done."""
        self.root = root
        self.folder = own_folder(root)
        self._journal = JsonLines(self.folder / "history.jsonl")
        self.put_aside: Path | None = None
        self._stamp = (-1, -1)
        self._clear()
        if self._journal.path.exists():
            # A library on a disk that cannot be written can be looked at all the same.
            with contextlib.suppress(StorageError), self._locked():
                pass

    @property
    def last(self) -> Record | None:
        """The step that `undo` would take back."""
        return self._records[self._done[-1]] if self._done else None

    @property
    def next(self) -> Record | None:
        """The step that `redo` would do again."""
        return self._records[self._undone[-1]] if self._undone else None

    @property
    def records(self) -> list[Record]:
        """Every step that was ever begun, oldest first, also those that were taken back."""
        return [self._records[number] for number in sorted(self._records)]

    def kept(self, number: int) -> Path:
        """Where the material of a step lies."""
        return self.folder / "kept" / str(number)

    def do(self, plan: Callable[[Path], Plan]) -> Record:
        """Do a new step, whole or not at all.

        Args:
            plan: prepares what is new in the folder that it is given, and says what is to be done.

        Raises:
            LeafError: `plan` refused, or what it is about was changed meanwhile.
            StorageError: the disk is full, read-only or gone, or another program is working in the library.
        """
        with self._locked():
            number = max(self._records, default=0) + 1
            kept = self.kept(number)
            shutil.rmtree(kept, ignore_errors=True)  # what a kill before the journal's line left
            try:
                with disk_errors(kept, "The library"):
                    kept.mkdir(parents=True)
                made = plan(kept)
                record = Record(number, made.changes, made.facts, time.time())
                row = {"begin": number, "at": record.at, "do": [self._row(each) for each in made.changes]}
                self._append({**row, "facts": made.facts})
            except BaseException:
                shutil.rmtree(kept, ignore_errors=True)
                raise
            self._records[number] = record
            try:
                self._run(record, forward=True)
            except BaseException:
                self._append({"failed": number})
                raise
            self._append({"done": number})
            self._done.append(number)
            self._undone.clear()
        return record

    def undo(self) -> Record | None:
        """Take the last step back; None: there is none.

        Raises:
            Changed: it cannot be taken back any more and does not stand in the way of earlier ones from now on.
            StorageError: as in `do`.
        """
        with self._locked():
            if not self._done:
                return None
            number = self._done[-1]
            self._again(number, "undo", "undone", forward=False)
            self._undone.append(self._done.pop())
        return self._records[number]

    def redo(self) -> Record | None:
        """Do the step again that was taken back last; None: there is none.

        Raises:
            Changed: it cannot be done again any more.
            StorageError: as in `do`.
        """
        with self._locked():
            if not self._undone:
                return None
            number = self._undone[-1]
            self._again(number, "redo", "done", forward=True)
            self._done.append(self._undone.pop())
        return self._records[number]

    def forget(self, is_over: Callable[[Path], bool], before: float) -> None:
        """Let go for good of steps that need what is about to be deleted, with all steps before them.

        Material of steps that can be neither undone nor done again goes too when it is older than `before`.

        Args:
            is_over: true for a path of a change that will be deleted.
            before: seconds since 1970.
        """
        with self._locked():
            stacks = (*self._done, *self._undone)
            needy = [number for number in stacks if any(is_over(path) for path in self._paths(number))]
            if needy:
                self._append({"forget": max(needy)})
                self._apply({"forget": max(needy)})
            for folder in (self.folder / "kept").glob("*"):
                number = int(folder.name) if folder.name.isdigit() else 0
                record = self._records.get(number)
                is_needed = number in self._done or number in self._undone
                if record and not is_needed and record.at < before:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the journal as it is now; a step that was cut short has been ended."""
        with disk_errors(self.folder, "The library's history"):
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.folder.parent == self.root:  # git in a folder above must not take it for a part of the library
                with contextlib.suppress(FileExistsError), open(self.folder / ".gitignore", "x") as file:
                    file.write("*\n")
            lock = filelock.FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=_PATIENCE_S)
            except filelock.Timeout:
                raise StorageError(
                    "Another program is changing the library.", "Wait until it is done, then try again."
                ) from None
        try:
            self._refresh()
            self._stamp = (-1, -1)  # after an error everything is read anew, and what was left open is ended
            yield
            self._stamp = stamp(self._journal.path)
        finally:
            self._journal.close()
            lock.release()

    def _clear(self) -> None:
        self._records: dict[int, Record] = {}
        self._done: list[int] = []
        self._undone: list[int] = []
        self._open: tuple[int, str] | None = None

    def _refresh(self) -> None:
        if stamp(self._journal.path) == self._stamp:
            return
        self._clear()
        try:
            for row in self._journal.each():
                self._apply(row)
        except (RunError, KeyError, TypeError, ValueError, AttributeError, LeafError):
            # The library itself is whole: only the way back is lost. What was written stays for who can read it.
            self._journal.close()
            name = f"history-{time.time_ns() // 1_000_000}.damaged"
            with disk_errors(self.folder, "The library's history"):
                self.put_aside = self._journal.path.rename(self._journal.path.with_name(name))
            self._clear()
        if self._open is not None:
            self._end(*self._open)

    def _apply(self, row: dict[str, Any]) -> None:
        (verb, number), *_ = row.items()
        if not isinstance(number, int):
            raise TypeError(row)
        if verb not in ("begin", "forget") and number not in self._records:
            raise KeyError(number)
        if verb == "begin":
            changes = tuple(self._change(each) for each in row["do"])
            self._records[number] = Record(number, changes, dict(row["facts"]), float(row["at"]))
            self._open = number, verb
        elif verb in ("undo", "redo"):
            self._open = number, verb
        elif verb == "done":
            begun = self._open
            self._open = None
            if begun and begun[1] == "redo":
                self._undone.remove(number)
            else:
                self._undone.clear()
            self._done.append(number)
        elif verb == "undone":
            self._open = None
            self._done.remove(number)
            self._undone.append(number)
        elif verb == "failed":
            self._open = None
        elif verb == "dropped":
            self._open = None
            self._done = [each for each in self._done if each != number]
            self._undone = [each for each in self._undone if each != number]
        elif verb == "forget":
            self._done = [each for each in self._done if each > number]
            self._undone = [each for each in self._undone if each > number]
        else:
            raise ValueError(verb)

    def _end(self, number: int, verb: str) -> None:
        """Complete a step that was cut short; where that cannot be, take back what it did."""
        self._open = None
        record = self._records[number]
        try:
            self._run(record, forward=verb != "undo")
        except Changed:
            row = {"failed" if verb == "begin" else "dropped": number}
        else:
            row = {"undone" if verb == "undo" else "done": number}
            self._open = number, verb
        self._append(row)
        self._apply(row)

    def _again(self, number: int, begin: str, end: str, *, forward: bool) -> None:
        self._append({begin: number})
        try:
            self._run(self._records[number], forward=forward)
        except Changed:
            self._append({"dropped": number})
            self._apply({"dropped": number})
            raise
        except BaseException:
            self._append({"failed": number})
            raise
        self._append({end: number})

    def _run(self, record: Record, *, forward: bool) -> None:
        """Do every change of a step that is not done yet, or take back what was done and raise."""
        changes = record.changes if forward else record.changes[::-1]
        begun: list[Change] = []
        try:
            for change in changes:
                begun.append(change)
                with disk_errors(self.root, "The library"):
                    self._make(change, forward)
        except BaseException:
            for change in reversed(begun):
                # What cannot go back stays where it is: it was only moved, and the journal says where to.
                with contextlib.suppress(OSError, Changed):
                    self._make(change, not forward)
            raise

    def _make(self, change: Change, forward: bool) -> None:
        if isinstance(change, Move):
            source, target = (change.source, change.target) if forward else (change.target, change.source)
            self._move(source, target)
        else:
            new, old = (change.after, change.before) if forward else (change.before, change.after)
            self._swap(change.file, new, old)

    def _move(self, source: Path, target: Path) -> None:
        for path in (source, target):
            self._on_plain_ground(path)
        if not _exists(source):
            if _exists(target):
                return  # done already
            raise self._changed(source)
        if _exists(target):
            raise self._changed(target)
        if not target.parent.is_dir():
            if not target.is_relative_to(self.folder):
                raise self._changed(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        flush_folder(target.parent)
        flush_folder(source.parent)

    def _swap(self, file: Path, new: Path, old: Path) -> None:
        self._on_plain_ground(file)
        if not _exists(new):
            if _exists(old):
                return
            raise self._changed(file)
        if not file.is_file() or file.is_symlink():
            raise self._changed(file)
        with replacing(old) as copy:
            shutil.copy2(file, copy)
        new.replace(file)
        flush_folder(file.parent)

    def _on_plain_ground(self, path: Path) -> None:
        """No link on the way to it may lead a move out of the library."""
        top = self.folder if path.is_relative_to(self.folder) else self.root
        for parent in path.parents:
            if parent == top:
                return
            if parent.is_symlink():
                raise self._changed(parent)

    def _changed(self, path: Path) -> Changed:
        name = path.name if path.is_relative_to(self.folder) else str(path.relative_to(self.root))
        return Changed(f'"{name}" was changed by something else, so this step was left out.', "Nothing else changed.")

    def _paths(self, number: int) -> Iterator[Path]:
        for change in self._records[number].changes:
            yield from (change.source, change.target) if isinstance(change, Move) else (change.after, change.before)

    def _append(self, row: dict[str, Any]) -> None:
        self._journal.append(row)

    def _row(self, change: Change) -> list[str]:
        names = (change.source, change.target) if isinstance(change, Move) else (
            change.file, change.after, change.before
        )  # fmt: skip
        return [type(change).__name__.lower(), *(self._name(path) for path in names)]

    def _name(self, path: Path) -> str:
        if path.is_relative_to(self.folder):
            return _ASIDE + path.relative_to(self.folder).as_posix()
        return path.relative_to(self.root).as_posix()

    def _change(self, row: list[str]) -> Change:
        verb, *names = row
        paths = [self._path(name) for name in names]
        return Move(*paths) if verb == "move" else Swap(*paths)

    def _path(self, name: str) -> Path:
        """The path that a line of the journal means; it cannot lead out."""
        is_aside = name.startswith(_ASIDE)
        parts = name.removeprefix(_ASIDE).split("/")
        if any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(name)
        if not is_aside and parts[0].startswith("."):
            raise ValueError(name)
        return (self.folder if is_aside else self.root).joinpath(*parts)


def _exists(path: Path) -> bool:
    """True when there is something of exactly this name, also where the file system ignores case."""
    if not os.path.lexists(path):
        return False
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names only
    except OSError:
        return True
    wanted = unicodedata.normalize("NFC", path.name)  # some file systems store accents in their own way
    return any(unicodedata.normalize("NFC", name) == wanted for name in names)
