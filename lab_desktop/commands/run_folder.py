"""The folder of a run, as commands find and open it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab_desktop import paths
from lab_desktop.errors import RunError
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.terminal import Screen
from lab_desktop.training.choice import starts_several
from lab_desktop.training.ranks import is_first_process, started_by


@contextmanager
def opened(folder: Path, stopped: threading.Event, heading: str = "", *, takes_several: bool = False) -> Iterator[Run]:
    """The run of a folder, for as long as it is this process's; the terminal shows what the run says.

    Args:
        takes_several: the step may be done by processes that were started together; of these the first holds the
            folder, and the others say nothing.

    Raises:
        RunError: another process has it, or several were started for what one does.
    """
    if started_by() and not takes_several:
        raise RunError(
            "Several processes were started together, and only training can be shared among them.",
            f"Start this without {started_by()}, then: {starts_several()}",
        )
    if not is_first_process():
        with Run(folder, is_cancelled=stopped.is_set, writes=False).open() as run:
            yield run
        return
    screen = Screen(stopped)
    screen.write(heading)
    try:
        with Run(folder, tell=screen.show, is_cancelled=stopped.is_set).open() as run:
            yield run
    finally:
        screen.end_line()


def new_or_unfinished(name: str, request: LearnRequest) -> Path:
    """The unfinished run of the same request on unchanged lessons, or a folder that does not exist yet."""
    from lab_desktop.workflow import is_as_begun

    number = 1
    while True:
        folder = paths.runs() / f"{name}-{number}"
        if not folder.exists() or all(entry.name.startswith(".") for entry in folder.iterdir()):
            return folder  # only a lock and half copies: a run that could not even begin
        is_unfinished = not (folder / "report.json").exists()
        is_same = (folder / requests.FILE_NAME).is_file() and requests.read(folder) == request
        if is_unfinished and is_same and is_as_begun(request, folder):
            return folder
        number += 1
