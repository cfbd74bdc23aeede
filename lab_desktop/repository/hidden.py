"""The folder of a bare repository of ours: made beside its place, one process at a time in it, tidy after a kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from lab_desktop.errors import Cancelled
from lab_desktop.files import disk_errors, flush_folder
from lab_desktop.repository.program import Git

_POLL_S = 0.1
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


@contextlib.contextmanager
def alone(folder: Path, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Nobody else works in the clone at `folder` meanwhile.

    Raises:
        StorageError: the lock cannot be made.
        Cancelled: while it was waited for.
    """
    with disk_errors(folder, "The copy of the destination"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder.parent / f".{folder.name}.lock")
        while True:
            try:
                lock.acquire(timeout=_POLL_S)
                break
            except filelock.Timeout:
                if is_cancelled():
                    raise Cancelled from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A new bare repository beside `folder`, which takes its place when everything went well and is gone otherwise."""
    with disk_errors(folder, "The copy of the destination"):
        for old in folder.parent.glob(f".{folder.name}.*.part"):  # of one that was killed: nobody else is here
            shutil.rmtree(old, ignore_errors=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    try:
        Git(part, is_bare=True)("init", "--quiet", "--bare", "--template=")
        with disk_errors(folder, "The copy of the destination"):
            (part / "config").write_text(_CONFIG)
        yield part
        with disk_errors(folder, "The copy of the destination"):
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                folder.replace(Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part")))
            part.replace(folder)
            flush_folder(folder.parent)
    finally:
        for left in folder.parent.glob(f".{folder.name}.*.part"):
            shutil.rmtree(left, ignore_errors=True)


def tidied(folder: Path) -> None:
    """What a killed git left in the clone goes, and whatever was set in it: nobody else is here, and it is ours."""
    with disk_errors(folder, "The copy of the destination"):
        for here, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".lock") or name.startswith(("tmp_", "fast_import_crash_")):
                    (Path(here) / name).unlink(missing_ok=True)
        (folder / "config").unlink(missing_ok=True)
        (folder / "config").write_text(_CONFIG)
        shutil.rmtree(folder / "hooks", ignore_errors=True)
        for name in ("shallow", "objects/info/alternates", "info/grafts", "config.worktree"):
            (folder / name).unlink(missing_ok=True)


def is_clone(folder: Path) -> bool:
    return not folder.is_symlink() and (folder / "objects").is_dir() and (folder / "HEAD").is_file()
