"""Tries in a child process, with limits of memory and time: what dies or hangs there is told, and the next one begins.

The child imports a module and goes through its `tries(**arguments)`, the same each time, so that after a crash a new
child goes on behind the try that it died of.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from lab_desktop.errors import Cancelled, LabError

LONGEST_S = 10.0
"""Processor seconds of one try."""
LONGEST_WAIT_S = 120.0
"""Seconds of the clock without a word, after which the child is ended."""
MOST_BYTES = 2_000_000_000
"""What the child may take beside what it has when it begins."""


class Try(NamedTuple):
    """Something to be survived.

    Attributes:
        what, fault: as in `Row`.
        do: does it; gives what was lost in words, "" for nothing. It may raise a `LabError`.
        data: the bytes that it is about, to be kept when they are not survived.
    """

    what: str
    fault: str
    do: Callable[[], str]
    data: bytes = b""


class Outcome(NamedTuple):
    """What became of a try.

    Attributes:
        number: of the try.
        lost: in words; "" where it was survived.
    """

    number: int
    what: str
    fault: str
    lost: str


class _TooLong(BaseException):
    """The time of a try is up."""


def outcomes(module: str, seconds: float | None = None, **arguments: Any) -> Iterator[Outcome]:
    """What becomes of each try of a module, one child after the other.

    Args:
        seconds: of the clock, after which no more try is waited for; None: until there is none any more.
        arguments: of the module's `tries`; JSON.
    """
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    start = 0
    while time.monotonic() < until:
        begun: dict[str, Any] | None = None
        with _child(module, start, arguments) as (process, said):
            for line in iter(lambda: _next(said, until), None):
                if "end" not in line:
                    begun = line
                    continue
                begun = None
                start = line["end"] + 1
                yield Outcome(line["end"], line["what"], line["fault"], line["lost"])
            if time.monotonic() >= until:
                return
            code = process.poll()
            if code == 0 and begun is None:
                return
            died = f"the process hung for {LONGEST_WAIT_S:.0f} s" if code is None else f"the process ended with {code}"
        if begun is None:
            raise RuntimeError(f"{module}: {died} between two tries")
        start = begun["begin"] + 1
        yield Outcome(begun["begin"], begun["what"], begun["fault"], died)


@contextlib.contextmanager
def _child(
    module: str, start: int, arguments: dict[str, Any]
) -> Iterator[tuple[subprocess.Popen[bytes], queue.SimpleQueue[dict[str, Any] | None]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, module, str(start), json.dumps(arguments)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"},
    )
    assert process.stdout is not None
    said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    stream = process.stdout

    def listen() -> None:
        for line in stream:
            said.put(json.loads(line))
        process.wait()
        said.put(None)

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield process, said
    finally:
        process.kill()
        process.wait()
        listener.join()
        stream.close()


def _next(said: queue.SimpleQueue[dict[str, Any] | None], until: float) -> dict[str, Any] | None:
    with contextlib.suppress(queue.Empty):
        return said.get(timeout=max(0.0, min(LONGEST_WAIT_S, until - time.monotonic())))
    return None


def main(module: str, start: str, arguments: str) -> None:
    """What the child does."""
    words = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tries: Iterator[Try] = importlib.import_module(module).tries(**json.loads(arguments))
    is_limited = False
    for number, each in enumerate(tries):
        if number < int(start):
            continue
        if not is_limited:  # what is shared by all tries is there now
            _limit_memory()
            is_limited = True
        told = {"what": each.what, "fault": each.fault}
        print(json.dumps({"begin": number, **told}), file=words, flush=True)
        print(json.dumps({"end": number, **told, "lost": survive(each)}), file=words, flush=True)


def survive(each: Try) -> str:
    """Do a try in this process within its time; gives what was lost, "" where it was survived."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    try:
        signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
        try:
            return each.do()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except LabError as error:
        return "" if error.message and error.hint else f"{type(error).__name__} without a sentence: {error.message!r}"
    except Cancelled:
        return ""
    except _TooLong:
        return f"it took more than {LONGEST_S:.0f} s"
    except BaseException as error:  # noqa: BLE001 - whatever escapes is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.signal(signal.SIGPROF, before)


def _limit_memory() -> None:
    if sys.platform != "linux":  # macOS takes the limit and does not hold it
        return
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MOST_BYTES, size + MOST_BYTES))


if __name__ == "__main__":
    main(*sys.argv[1:])
