"""What a window has in hand, on disk as long as it has it: what a window that was killed leaves behind.

Each window that works holds `underway-*.json` and a lock beside it. The system takes the lock back when the window is
gone, however it went; so a file without its lock belongs to nobody, and the next window takes over what it says.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import filelock

from lab_desktop.errors import RunError, StorageError
from lab_desktop.files import read_json, write_json


class Underway:
    """The jobs of one window, as JSON; what cannot be written is missed after a kill and disturbs nobody before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / f"underway-{uuid.uuid4().hex[:12]}.json"
        self._lock = filelock.FileLock(_lock_of(self._file))

    def note(self, jobs: Sequence[dict[str, object]]) -> None:
        """These are in hand now; none: nothing is left to be missed."""
        with contextlib.suppress(StorageError, OSError):
            if jobs:
                self._folder.mkdir(parents=True, exist_ok=True)
                if not self._lock.is_locked:
                    self._lock.acquire(timeout=0)
                write_json(self._file, {"jobs": list(jobs)})
            elif self._lock.is_locked:
                _drop(self._file, self._lock)

    def missed(self) -> list[dict[str, Any]]:
        """What windows had in hand that are gone; it is told once."""
        found: list[dict[str, Any]] = []
        for file in sorted(self._folder.glob("underway-*.json"), key=lambda file: file.name):
            lock = filelock.FileLock(_lock_of(file))
            try:
                lock.acquire(timeout=0)
            except (filelock.Timeout, OSError):
                continue  # its window is there
            with contextlib.suppress(RunError):
                jobs = read_json(file, "jobs")["jobs"]
                found += [each for each in jobs if isinstance(each, dict)] if isinstance(jobs, list) else []
            with contextlib.suppress(OSError):
                _drop(file, lock)
        return found


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _drop(file: Path, lock: filelock.BaseFileLock) -> None:
    file.unlink(missing_ok=True)
    lock.release()
    _lock_of(file).unlink(missing_ok=True)
