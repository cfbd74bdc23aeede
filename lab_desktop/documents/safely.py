"""A document from anywhere is converted in a process of its own, with limits of memory, time and output.

Whatever a document does to its reader (a crash, an endless loop, a bomb), this process only gets a sentence. The child
is `jobs.conversion`.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lab_desktop.documents.converted import Converted, Progress
from lab_desktop.errors import Cancelled, DocumentError


@dataclass(frozen=True)
class Limits:
    """What a conversion may take.

    Attributes:
        memory_bytes: of the child.
        time_s: in all.
        silence_s: without a sign of progress.
        output_bytes: of what it says, result included.
    """

    memory_bytes: int = 1_500_000_000
    time_s: float = 600.0
    silence_s: float = 120.0
    output_bytes: int = 100_000_000


@dataclass(frozen=True)
class Pasted:
    """What a clipboard holds, instead of a file."""

    text: str
    is_html: bool = False


_LIMITS = Limits()
_POLL_S = 0.05
OUT_OF_MEMORY = 77
"""Exit status of a child that had not enough."""


def convert_safely(
    source: Path | Pasted,
    on_progress: Progress = lambda done, total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = _LIMITS,
) -> Converted:
    """Convert a file, or what was pasted, in a child process. Blocks until it is done: call it from a thread.

    Args:
        on_progress: called with (done, total) in pages or parts, on this thread.
        is_cancelled: asked about twenty times a second.

    Raises:
        DocumentError: it cannot be converted, or took more than `limits`; nothing of it is kept.
        Cancelled: `is_cancelled` said so.
    """
    name = f'"{source.name}"' if isinstance(source, Path) else "What was pasted"
    with _Child(source, limits) as child:
        while (said := child.next(is_cancelled, name)) is not None:
            if said.get("event") == "progress":
                on_progress(int(said["done"]), int(said["total"]))
            elif said.get("event") == "failed":
                raise DocumentError(str(said["text"]), str(said.get("hint", "")), str(said.get("details", "")))
            elif said.get("event") == "done":
                try:
                    return Converted.from_json(said["converted"])
                except (KeyError, TypeError, ValueError):
                    break
        details = child.details()
        if child.was_near_its_memory:
            raise _too_much_memory(name, details)
        raise DocumentError(
            f"{name} could not be read: the reader stopped in the middle of it. It may be damaged.",
            "Open it in the program that made it and save it anew, then choose it again.",
            details,
        )


class _Child:
    """The process that converts. It is gone when the `with` ends, whatever happened."""

    def __init__(self, source: Path | Pasted, limits: Limits) -> None:
        self._limits = limits
        self._heard: queue.Queue[bytes | None] = queue.Queue()
        self._errors = b""
        self._most_used = 0
        request: dict[str, Any] = {"memory_bytes": limits.memory_bytes, "time_s": limits.time_s}
        if isinstance(source, Path):
            request["file"] = str(source.absolute())
        else:
            request |= {"text": source.text, "is_html": source.is_html}
        self._request = json.dumps(request).encode() + b"\n"

    def __enter__(self) -> _Child:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab_desktop", "--convert"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._began = self._last_sign = time.monotonic()
        self._threads = [
            threading.Thread(target=work, name="conversion", daemon=True)
            for work in (self._ask, self._listen, self._collect_errors)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()

    def next(self, is_cancelled: Callable[[], bool], name: str) -> dict[str, Any] | None:
        """The next thing it says; None when it has ended.

        Raises:
            DocumentError: a limit is reached.
            Cancelled: the person asked to stop.
        """
        while True:
            if is_cancelled():
                raise Cancelled
            try:
                line = self._heard.get(timeout=_POLL_S)
            except queue.Empty:
                self._check(name)
                continue
            if line is None:
                return None
            self._last_sign = time.monotonic()
            self._check(name)
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    return said

    @property
    def was_near_its_memory(self) -> bool:
        """It says so, or was seen with most of what it may take: what it asked for next was refused."""
        return self._process.poll() == OUT_OF_MEMORY or self._most_used > 0.7 * self._limits.memory_bytes

    def details(self) -> str:
        """What a bug report needs."""
        self._process.kill()
        status = self._process.wait()
        return f"exit status {status}\n{self._errors.decode('utf-8', errors='replace')}"

    def _check(self, name: str) -> None:
        now = time.monotonic()
        if now - self._began > self._limits.time_s or now - self._last_sign > self._limits.silence_s:
            if self.was_near_its_memory:
                raise _too_much_memory(name)
            raise DocumentError(
                f"{name} took longer than {now - self._began:.0f} seconds to read and was given up.",
                "Save the chapters you need as a file of their own, then choose that.",
            )
        with contextlib.suppress(psutil.Error, OSError):
            self._most_used = max(self._most_used, psutil.Process(self._process.pid).memory_info().rss)
        if self._most_used > self._limits.memory_bytes:
            raise _too_much_memory(name)

    def _ask(self) -> None:
        assert self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(self._request)
            self._process.stdin.flush()  # and stays open: its end tells the child that we are gone

    def _listen(self) -> None:
        assert self._process.stdout
        heard = 0
        with contextlib.suppress(OSError, ValueError):
            while heard <= self._limits.output_bytes:
                line = self._process.stdout.readline(self._limits.output_bytes)
                heard += len(line)
                if not line.endswith(b"\n"):
                    break  # the end, or a line torn by a crash
                self._heard.put(line)
        self._heard.put(None)

    def _collect_errors(self) -> None:
        assert self._process.stderr
        with contextlib.suppress(OSError, ValueError):
            while piece := self._process.stderr.read1(65536):  # type: ignore[attr-defined]
                self._errors = (self._errors + piece)[-4000:]


def _too_much_memory(name: str, details: str = "") -> DocumentError:
    return DocumentError(
        f"{name} needs more memory to read than it may take. It may be damaged, or made to do harm.",
        "Save the chapters you need as a file of their own, then choose that.",
        details,
    )
