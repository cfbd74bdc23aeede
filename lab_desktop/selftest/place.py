"""Where a self-test works: a folder that plays the person's own, apart from everything, and is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from lab_desktop import paths
from lab_desktop.errors import StorageError
from lab_desktop.files import disk_errors
from lab_desktop.selftest import watch

NEEDED_BYTES = 1_200_000_000
_PATIENCE_S = 5.0


def make(below: Path | None = None) -> Path:
    """A new folder for a self-test.

    Args:
        below: the folder to make it in; None: where the system keeps what is temporary.

    Raises:
        StorageError: it cannot be made there, there is too little space, or it would lie in the person's own folder.
    """
    place = below if below is not None else Path(tempfile.gettempdir())
    person = paths.user_data()
    if place.resolve().is_relative_to(person.resolve()):
        raise StorageError(f"{place} is a part of your own folder, which a self-test keeps out of.", "Choose another.")
    with disk_errors(place, "The self-test"):
        free = shutil.disk_usage(place).free
        if free < NEEDED_BYTES:
            raise StorageError(
                f"A self-test needs {NEEDED_BYTES / 1e9:.1f} GB for a while, and {place} has {free / 1e9:.1f} GB free.",
                "Free some space, or name another folder: lab-desktop --selftest --folder FOLDER",
            )
        folder = Path(tempfile.mkdtemp(prefix="lab-desktop-selftest-", dir=place))
        (folder / "tmp").mkdir()
        watch.begin(folder, person)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What the self-test's program gets to know, and with it all that it starts."""
    tmp = str(folder / "tmp")
    ours = {"LAB_DESKTOP_HOME": str(folder / "person"), watch.VARIABLE: str(folder)}
    return {**os.environ, **ours, "TMPDIR": tmp, "TMP": tmp, "TEMP": tmp}


def processes(folder: Path) -> list[psutil.Process]:
    """All that works for the self-test in this folder, also what has lost who started it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(watch.VARIABLE) == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end(folder: Path) -> None:
    """End the self-test in this folder with all that it started, and delete the folder."""
    patient_until = time.monotonic() + _PATIENCE_S
    # More than once: what was found may have started others before its turn came.
    while (doomed := processes(folder)) and time.monotonic() < patient_until:
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(doomed, max(0.0, patient_until - time.monotonic()))
    shutil.rmtree(folder, ignore_errors=True)
