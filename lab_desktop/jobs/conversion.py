"""A document becomes Markdown, a spreadsheet its cells, in a process of its own: a hostile one can only harm that.

    python -m lab_desktop --convert

Reads one JSON line on standard input:
    {"wanted": "converted", "file": "/x.pdf", "memory_bytes": 1500000000, "time_s": 600}
    {"wanted": "converted", "text": "<p>…", "is_html": true, "memory_bytes": …, "time_s": …}
    {"wanted": "table", "file": "/x.xlsx", "memory_bytes": …, "time_s": …}
Writes JSON lines on standard output, the last of them exactly one of "done" and "failed":
    {"event": "progress", "done": 3, "total": 300}
    {"event": "done", "converted": {"text": "# …", "title": "…", "kind": "pdf", …}}, or "table": {"rows": …}
    {"event": "failed", "text": "…", "hint": "…", "details": "…"}, and "trace": ["…"] of what nobody foresaw
Exit status 77 without a last line: there was not enough memory. The end of the input ends the process. Nothing is
stored; at a crash the interpreter writes on standard error where it was.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_desktop import problems
from lab_desktop.documents import convert
from lab_desktop.documents.converted import Converted, Shown
from lab_desktop.documents.reader import OUT_OF_MEMORY
from lab_desktop.documents.table import Table, read_table
from lab_desktop.errors import LabError

Tell = Callable[..., None]
"""Tells an event by its name, with values, and perhaps with bytes that follow its line."""
_OFTEN_ENOUGH = 200
"""So many times progress is told at most."""


def main() -> int:
    """Convert what the first line asks for; 0, or 1 when it could not be converted."""
    return serve(_made)


def serve(make: Callable[[dict[str, Any], Tell], Converted | Shown | Table]) -> int:
    """Answer the one request that comes as a line, and end; 0, or 1 when it could not be met.

    Args:
        make: what is wanted, of the request; it may tell events before.
    """
    tell = only_voice()
    commands = open(0, "rb", closefd=False)  # noqa: SIM115 - read by the thread until the end
    try:
        request = json.loads(commands.readline())
    except ValueError:
        return 1
    threading.Thread(target=_end_with_input, args=(commands,), name="commands", daemon=True).start()
    name = f'"{Path(request["file"]).name}"' if "file" in request else "What was pasted"
    limit(int(request["memory_bytes"]), float(request["time_s"]))
    try:
        tell("done", b"", **{request["wanted"]: make(request, tell).to_json()})
        return 0
    except LabError as error:
        tell("failed", text=error.message, hint=error.hint, details=error.details)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: taking the document's parts down needs memory too
    except Exception as error:  # noqa: BLE001 - a document library may raise anything; the person gets a sentence
        tell(
            "failed",
            text=f"{name} could not be read: something in it was not foreseen. It may be damaged.",
            hint="Open it in the program that made it and save it anew, then choose it again.",
            details=traceback.format_exc(),
            trace=[*problems.trace(error)],
        )
    return 1


def only_voice() -> Tell:
    """What tells the caller; nothing else gets to standard output any more, and Ctrl-C is left to the caller."""
    descriptor = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()

    def tell(event: str, data: bytes = b"", **values: Any) -> None:
        rest = memoryview(json.dumps({"event": event, **values}).encode("ascii") + b"\n" + data)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            os._exit(0)  # nobody reads any more

    return tell


def _made(request: dict[str, Any], tell: Tell) -> Converted | Table:
    if request["wanted"] == "table":
        return read_table(Path(request["file"]))
    if "file" not in request:
        text = str(request["text"])
        return convert.convert_html(text) if request.get("is_html") else convert.convert_text(text)
    last = -1

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        part = done * _OFTEN_ENOUGH // max(total, 1)
        if part != last:
            last = part
            tell("progress", done=done, total=total)

    return convert.convert(Path(request["file"]), on_progress)


def _end_with_input(commands: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        commands.read()
    os._exit(130)


def limit(memory_bytes: int, time_s: float) -> None:
    """Ask the system to hold us to it, where it does; the caller watches as well."""
    try:
        import resource
    except ImportError:  # Windows
        return
    # Of the data, not of the address space: a library may reserve gigabytes of that and use none. And a little more
    # than allowed, for the caller says it in better words.
    _at_most(resource.RLIMIT_DATA, memory_bytes * 5 // 4)
    _at_most(resource.RLIMIT_CORE, 0)
    limit_time(time_s)


def limit_time(until_s: float) -> None:
    """End this process when it has had so many seconds of a processor in all."""
    with contextlib.suppress(ImportError):
        import resource

        _at_most(resource.RLIMIT_CPU, int(until_s) + 5)


def _at_most(what: int, most: int) -> None:
    import resource

    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
