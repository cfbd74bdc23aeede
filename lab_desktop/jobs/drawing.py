"""The pages of a PDF are drawn in a process of its own, so that a hostile one can only harm that.

    python -m lab_desktop --draw

Reads JSON lines on standard input, first the document, then pages from 0, as many as are wanted:
    {"file": "/x.pdf", "memory_bytes": 1000000000, "time_s": 20}
    {"page": 3, "width": 800}
Answers each with a JSON line on standard output; the bytes of a picture follow its line:
    {"event": "opened", "sizes": [[612.0, 792.0], …]}
    {"event": "drawn", "width": 800, "height": 1035, "bytes": 3312000}
    {"event": "failed", "text": "…", "hint": "…", "details": "…"}
Exit status 77: there was not enough memory. The end of the input ends the process. Nothing is stored.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from lab_desktop import problems
from lab_desktop.documents.convert import read_bytes
from lab_desktop.documents.pdf_pages import PdfPages
from lab_desktop.documents.reader import OUT_OF_MEMORY
from lab_desktop.errors import LabError
from lab_desktop.jobs.conversion import Tell, limit, limit_time, only_voice


def main() -> int:
    """Draw what the lines ask for; 0 when they end, 1 when the document cannot be opened."""
    tell = only_voice()
    lines: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_hear, args=(lines,), name="commands", daemon=True).start()
    try:
        return _serve(lines, tell)
    except LabError as error:
        tell("failed", text=error.message, hint=error.hint, details=error.details)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: taking the document's parts down needs memory too
    return 1


def _serve(lines: queue.Queue[dict[str, Any]], tell: Tell) -> int:
    request = lines.get()
    file, time_s = Path(request["file"]), float(request["time_s"])
    limit(int(request["memory_bytes"]), time_s)
    with PdfPages(read_bytes(file), file.name) as pages:
        tell("opened", sizes=pages.sizes)
        while True:
            request = lines.get()
            limit_time(time.process_time() + time_s)
            try:
                drawn = pages.draw(int(request["page"]), int(request["width"]))
            except LabError as error:
                tell("failed", text=error.message, hint=error.hint, details=error.details)
            except (KeyError, TypeError, ValueError) as error:
                details, trace = traceback.format_exc(), [*problems.trace(error)]
                tell("failed", text="This page cannot be shown.", hint="", details=details, trace=trace)
            else:
                tell("drawn", drawn.pixels, width=drawn.width, height=drawn.height, bytes=len(drawn.pixels))


def _hear(lines: queue.Queue[dict[str, Any]]) -> None:
    """The end of the input ends the process, even in the middle of a page."""
    with contextlib.suppress(OSError, ValueError), open(0, "rb", closefd=False) as commands:
        for line in commands:
            lines.put(json.loads(line))
    os._exit(0)
