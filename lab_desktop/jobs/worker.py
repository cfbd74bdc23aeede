"""One job in a process of its own, so that memory returns at its end and a crash takes nobody with it.

    python -m lab_desktop --worker FOLDER [STEP…]

Reads FOLDER/request.json and does the named steps of it, or all; an errand (`jobs.errands`) has no steps. Writes events
as JSON lines on standard output, the last of them exactly one of Finished, Stopped, Failed. The line "cancel" on
standard input asks it to stop; so do the end of the input (whoever started it is gone) and SIGTERM. Exit code: 0
finished, 1 failed, 130 stopped. What the work is, `workflow` says, and of errands `models.download`, `models.moving`,
`models.upload`, `contribution.sending`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab_desktop import problems
from lab_desktop.errors import NO_MEMORY, NO_MEMORY_HINT, Cancelled, LabError, StorageError, is_want_of_memory
from lab_desktop.files import json_bytes
from lab_desktop.jobs import errands, events, requests
from lab_desktop.jobs.errands import (
    DownloadRequest,
    FollowRequest,
    LookRequest,
    MoveRequest,
    PublishRequest,
    ShareRequest,
)
from lab_desktop.jobs.events import Event, Failed, Finished, Progress, Stopped
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run

_PATIENCE_S = 10.0
"""A job that was asked to stop saves what it has; whoever goes on with its run at once waits so long for it."""

Work = Callable[[LearnRequest, Run], dict[str, Any]]


def main(folder: Path, steps: Sequence[str] = (), work: Work | None = None) -> int:
    """Do the job of a run folder, or some steps of it; `work` is the LAB path unless a test says otherwise."""
    cancelled = threading.Event()
    voice = _Voice(_take_stdout(), cancelled)
    _listen(cancelled)
    problems.note(f"job {' '.join(steps) or 'begins'}")
    run = Run(folder, voice.tell, cancelled.is_set)
    ending = _ending(lambda: _do(folder, work or (lambda request, run: _learn(request, run, steps)), run))
    voice.tell(ending)
    return {Finished: 0, Stopped: 130}.get(type(ending), 1)


class _Voice:
    """Standard output as a line of events that ends once."""

    def __init__(self, descriptor: int, cancelled: threading.Event) -> None:
        self._descriptor = descriptor
        self._cancelled = cancelled
        self._has_ended = False
        self._step = ""

    def tell(self, event: Event) -> None:
        if self._has_ended:
            return
        if isinstance(event, Progress) and event.text != self._step:
            self._step = event.text
            verb = event.text.partition(" ")[0]  # what follows may be a title of the person's
            problems.note(f"{verb} …, {event.done} of {event.total}")
        line = json_bytes(events.to_json(event))
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            self._cancelled.set()  # nobody reads any more: finish the unit in hand and stop
        self._has_ended = isinstance(event, (Finished, Stopped, Failed))


def _do(folder: Path, work: Work, run: Run) -> Event:
    job = _job(folder, work, run)
    with run.open(_PATIENCE_S):
        ending = _ending(lambda: Finished(job()))
        # The journal is for a window opened later; that it could not be written changes nothing about the ending.
        with contextlib.suppress(StorageError):
            run.say(ending)
    return ending


def _job(folder: Path, work: Work, run: Run) -> Callable[[], dict[str, Any]]:
    """What the request in the folder asks for."""
    errand = errands.read(folder)
    if isinstance(errand, DownloadRequest):
        from lab_desktop.models.download import download

        return functools.partial(download, errand, run)
    if isinstance(errand, LookRequest):
        from lab_desktop.models.download import look_for

        return functools.partial(look_for, errand, run)
    if isinstance(errand, MoveRequest):
        from lab_desktop.models.moving import move

        return functools.partial(move, errand, run)
    if isinstance(errand, PublishRequest):
        from lab_desktop.models.upload import upload

        return functools.partial(upload, errand, run)
    if isinstance(errand, ShareRequest):
        from lab_desktop.contribution.contributions import read
        from lab_desktop.contribution.sending import send

        return functools.partial(send, read(folder), run)
    if isinstance(errand, FollowRequest):
        from lab_desktop.contribution.following import follow_all

        return functools.partial(follow_all, run)
    return functools.partial(work, requests.read(folder), run)


def _ending(job: Callable[[], Event]) -> Event:
    try:
        return job()
    except Cancelled:
        return Stopped("Stopped. Everything finished is saved; start the same run again to go on.")
    except LabError as error:
        return Failed(error.message, error.hint, error.details)
    # One of the three broad excepts of the house: the process ends here, and a bug must reach the screen as one.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        if is_want_of_memory(error):
            return Failed(NO_MEMORY, NO_MEMORY_HINT, traceback.format_exc())
        problems.write("job", error)
        return Failed(
            "Something happened that was not foreseen. Everything finished is saved.",
            "Start the same run again. If it happens again, report it with the details.",
            traceback.format_exc(),
        )


def _learn(request: LearnRequest, run: Run, steps: Sequence[str]) -> dict[str, Any]:
    from lab_desktop import workflow  # loads the model libraries, which takes seconds

    workflow.do(steps or tuple(workflow.STEPS), request, run)
    return {"steps": list(steps)}


def _take_stdout() -> int:
    """Keep standard output for events alone: whatever a library prints goes to standard error from now on."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor


def _listen(cancelled: threading.Event) -> None:
    def read_commands() -> None:
        # Unbuffered: a thread that waits inside Python's own buffered stdin would block the interpreter's exit.
        with contextlib.suppress(OSError), open(0, "rb", buffering=0, closefd=False) as commands:
            for line in commands:
                if line.strip() == b"cancel":
                    break
        cancelled.set()

    # Ctrl-C in a terminal reaches the whole group; it is a request to stop here too, not a traceback.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: cancelled.set())
    threading.Thread(target=read_commands, name="commands", daemon=True).start()
