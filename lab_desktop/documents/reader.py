"""A process of its own that reads a document: what it may take, what it says, and that it ends when nobody wants it.

It says JSON lines, and may let bytes follow a line: {"event": "drawn", "bytes": 1200, …} and then these 1,200 bytes.
What is asked of it are JSON lines too. Its two ways to work are `jobs.conversion` and `jobs.drawing`.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from lab_desktop import paths, problems
from lab_desktop.errors import Cancelled, DocumentError


@dataclass(frozen=True)
class Limits:
    """What a reader may take.

    Attributes:
        memory_bytes: of the process.
        time_s: for one request.
        silence_s: without a sign of progress.
        output_bytes: of what it says to one request, results included.
    """

    memory_bytes: int = 1_500_000_000
    time_s: float = 600.0
    silence_s: float = 120.0
    output_bytes: int = 100_000_000


_POLL_S = 0.05
_SOON_S = 1.0
OUT_OF_MEMORY = 77
"""Exit status of a reader that had not enough."""
_MOST_ERRORS = 16_000
"""Bytes of its standard error that are kept, the last ones: the interpreter's words on a crash fit in."""
_FAULTS = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")
"""Signals by which a process ends through its own code."""
_Heard = tuple[dict[str, Any], bytes]


class Reader:
    """The process. It is gone after `close`, whatever happened; it closes itself when a `with` ends."""

    def __init__(self, mode: str, name: str, limits: Limits) -> None:
        """
        Args:
            mode: "--convert" or "--draw".
            name: of the document, as sentences begin with it.
        """
        self._name, self._limits = name, limits
        self._heard: queue.Queue[_Heard | None] = queue.Queue()
        self._errors = b""
        self._most_used = 0
        self._output = 0
        self._process = subprocess.Popen(
            paths.child(mode),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._began = self._last_sign = time.monotonic()
        self._threads = [
            threading.Thread(target=work, name="reader", daemon=True) for work in (self._listen, self._collect_errors)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; what it has not said yet is lost."""
        self.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()

    def kill(self) -> None:
        """End it at once, from any thread; who waits for its word gets None."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def ask(self, request: dict[str, Any]) -> None:
        """Give it something to do; its time begins now."""
        self._began = self._last_sign = time.monotonic()
        self._output = 0
        line = json.dumps(request).encode() + b"\n"
        # In a thread: a reader that hangs does not take its line, and a long one fills the pipe.
        threading.Thread(target=self._write, args=(line,), name="reader", daemon=True).start()

    def next(self, is_cancelled: Callable[[], bool] = lambda: False) -> _Heard | None:
        """The next thing it says, and the bytes with it; None when it has ended.

        Raises:
            DocumentError: a limit is reached.
            Cancelled: the person asked to stop.
        """
        while True:
            if is_cancelled():
                raise Cancelled
            try:
                heard = self._heard.get(timeout=_POLL_S)
            except queue.Empty:
                self._check()
                continue
            if heard is not None:
                self._last_sign = time.monotonic()
                self._check()
            return heard

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def was_near_its_memory(self) -> bool:
        """It says so, or was seen with most of what it may take: what it asked for next was refused."""
        return self._process.poll() == OUT_OF_MEMORY or self._most_used > 0.7 * self._limits.memory_bytes

    def too_much_memory(self, details: str = "") -> DocumentError:
        """What is to be said where it was near its memory."""
        return DocumentError(
            f"{self._name} needs more memory to read than it may take. It may be damaged, or made to do harm.",
            "Save the chapters you need as a file of their own, then choose that.",
            details,
        )

    def details(self) -> str:
        """What a bug report needs; of a crash one is kept. It ends the process."""
        self.kill()
        status = self._process.wait()
        self._threads[1].join(_SOON_S)  # what it said last may be in the pipe still
        said = self._errors.decode("utf-8", errors="replace")
        if not self.was_near_its_memory:  # libraries crash where they get none
            faults = [f"It ended with {name}." for name in _FAULTS if getattr(signal, name, 0) == -status]
            if happened := problems.crash_in(said) or faults:
                problems.write_once(happened)
        return f"exit status {status}\n{said}"

    def refusal(self, said: dict[str, Any]) -> DocumentError:
        """The error in what it said instead of an answer; of one that nobody foresaw a report is kept."""
        if trace := said.get("trace"):
            problems.write_once([str(line) for line in trace])
        return DocumentError(str(said["text"]), str(said.get("hint", "")), str(said.get("details", "")))

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._began > self._limits.time_s or now - self._last_sign > self._limits.silence_s:
            if self.was_near_its_memory:
                raise self.too_much_memory()
            raise DocumentError(
                f"{self._name} took longer than {now - self._began:.0f} seconds to read and was given up.",
                "Save the chapters you need as a file of their own, then choose that.",
            )
        with contextlib.suppress(psutil.Error, OSError):
            self._most_used = max(self._most_used, psutil.Process(self._process.pid).memory_info().rss)
        if self._most_used > self._limits.memory_bytes:
            raise self.too_much_memory()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()  # and stays open: its end tells the child that we are gone

    def _listen(self) -> None:
        assert self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            while self._output <= self._limits.output_bytes:
                line = self._process.stdout.readline(self._limits.output_bytes)
                self._output += len(line)
                if not line.endswith(b"\n"):
                    break  # the end, or a line torn by a crash
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    if not isinstance(said, dict):
                        continue
                    count = said.get("bytes", 0)
                    if not isinstance(count, int) or not 0 <= count <= self._limits.output_bytes - self._output:
                        break
                    data = self._process.stdout.read(count)
                    self._output += count
                    if len(data) < count:
                        break
                    self._heard.put((said, data))
        self._heard.put(None)

    def _collect_errors(self) -> None:
        assert self._process.stderr
        with contextlib.suppress(OSError, ValueError):
            while piece := self._process.stderr.read1(65536):  # type: ignore[attr-defined]
                self._errors = (self._errors + piece)[-_MOST_ERRORS:]
