"""Was a job ended by the system because memory was short? What a killed process cannot say any more, a file says.

While work is `watched`, RUN/memory.json says that it is under way, whether free memory is short now, and how often this
system had ended a program for want of memory when the work began. Any regular end takes the file away. So a file that
is left means a kill, and tells whether memory was the reason.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from lab_desktop import hardware
from lab_desktop.errors import RunError, StorageError
from lab_desktop.files import read_json, write_json

FILE_NAME = "memory.json"
_LOOK_S = 0.25
_LEAST_FREE_BYTES = 300_000_000
_LEAST_FREE_SHARE = 0.04
"""Of the whole memory: below this a system begins to end programs."""


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Keep RUN/memory.json true while the work inside goes on; a disk that does not take it changes nothing."""
    file = folder / FILE_NAME
    is_over = threading.Event()
    kills = hardware.memory_kills()

    def look() -> None:
        was_short: bool | None = None
        while True:
            is_short = _is_short()
            if is_short != was_short:
                with contextlib.suppress(StorageError, MemoryError):
                    write_json(file, {"is_short": is_short, "kills": kills})
                was_short = is_short
            if is_over.wait(_LOOK_S):
                return

    looking = threading.Thread(target=look, name="memory", daemon=True)
    looking.start()
    try:
        yield
    finally:
        is_over.set()
        looking.join()
        forget(folder)


def ended_work(folder: Path) -> bool:
    """True when work in this folder was killed while memory was short, and has not been begun again since."""
    try:
        left = read_json(folder / FILE_NAME, "is_short", "kills")
    except RunError:
        return False
    kills = left["kills"]
    return bool(left["is_short"]) or (isinstance(kills, int) and hardware.memory_kills() > kills)


def forget(folder: Path) -> None:
    """It is known now that work in this folder was killed."""
    with contextlib.suppress(OSError):
        (folder / FILE_NAME).unlink(missing_ok=True)


def _is_short() -> bool:
    try:
        least = max(_LEAST_FREE_BYTES, int(_LEAST_FREE_SHARE * psutil.virtual_memory().total))
        return hardware.memory_available_bytes() < least
    except (MemoryError, OSError, RuntimeError):  # to look needs memory, too
        return True
