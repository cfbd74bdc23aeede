"""A document becomes Markdown in a process of its own, so that a hostile one can only harm that.

    python -m lab_desktop --convert

Reads one JSON line on standard input:
    {"file": "/x.pdf", "memory_bytes": 1500000000, "time_s": 600}
    {"text": "<p>…", "is_html": true, "memory_bytes": …, "time_s": …}
Writes JSON lines on standard output, the last of them exactly one of "done" and "failed":
    {"event": "progress", "done": 3, "total": 300}
    {"event": "done", "converted": {"text": "# …", "title": "…", "kind": "pdf", …}}
    {"event": "failed", "text": "…", "hint": "…", "details": "…"}
Exit status 77 without a last line: there was not enough memory. The end of the input ends the process. Nothing is
stored.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import traceback
from pathlib import Path
from typing import Any

from lab_desktop.documents import convert
from lab_desktop.documents.converted import Converted
from lab_desktop.documents.safely import OUT_OF_MEMORY
from lab_desktop.errors import LabError

_OFTEN_ENOUGH = 200
"""So many times progress is told at most."""


def main() -> int:
    """Convert what the first line asks for; 0, or 1 when it could not be converted."""
    descriptor = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the caller's to answer

    def tell(event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}).encode("ascii") + b"\n"
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            os._exit(0)  # nobody reads any more

    commands = open(0, "rb", closefd=False)  # noqa: SIM115 - read by the thread until the end
    try:
        request = json.loads(commands.readline())
    except ValueError:
        return 1
    threading.Thread(target=_end_with_input, args=(commands,), name="commands", daemon=True).start()
    name = f'"{Path(request["file"]).name}"' if "file" in request else "What was pasted"
    _limit(int(request["memory_bytes"]), float(request["time_s"]))
    try:
        tell("done", converted=_convert(request, tell).to_json())
        return 0
    except LabError as error:
        tell("failed", text=error.message, hint=error.hint, details=error.details)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: taking the document's parts down needs memory too
    except Exception:  # noqa: BLE001 - a document library may raise anything; the person gets a sentence
        tell(
            "failed",
            text=f"{name} could not be read: something in it was not foreseen. It may be damaged.",
            hint="Open it in the program that made it and save it anew, then choose it again.",
            details=traceback.format_exc(),
        )
    return 1


def _convert(request: dict[str, Any], tell: Any) -> Converted:
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


def _limit(memory_bytes: int, time_s: float) -> None:
    """Ask the system to hold us to it, where it does; the caller watches as well."""
    try:
        import resource
    except ImportError:  # Windows
        return
    # Of the data, not of the address space: a library may reserve gigabytes of that and use none. And a little more
    # than allowed, for the caller says it in better words.
    wanted = (
        (resource.RLIMIT_DATA, memory_bytes * 5 // 4),
        (resource.RLIMIT_CPU, int(time_s) + 5),
        (resource.RLIMIT_CORE, 0),
    )
    for what, most in wanted:
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
