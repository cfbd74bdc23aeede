"""`selftest`, also `--selftest`: does this installation work, without a network? A table that fills as it goes."""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lab_desktop import __version__, hardware, paths
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import Cancelled
from lab_desktop.files import write_json, write_text
from lab_desktop.selftest import place
from lab_desktop.selftest.steps import SILENCE_S, Course, Outcome, title
from lab_desktop.terminal import print_remark, print_result, printable

_POLL_S = 0.1
_PATIENCE_S = 20.0
_TAIL = 8000
"""Characters of what the program wrote to its standard error that are kept for a report."""
WIDE = 42
"""The widest title, and a little."""


def add(new: NewCommand) -> None:
    """Add it to the command line."""
    selftest = new("selftest", _selftest)
    selftest.add_argument(
        "--folder", dest="below", type=arguments.path, metavar="F", help="where to work; nothing is left there"
    )
    selftest.add_argument("--json", dest="report", type=arguments.path, metavar="FILE", help="also write a report")


def _selftest(options: argparse.Namespace, stopped: threading.Event) -> int:
    folder = place.make(options.below.resolve() if options.below else None)
    began = time.monotonic()
    course = Course()
    with _program(folder) as program:
        _follow(program, course, stopped)
    if stopped.is_set():
        raise Cancelled
    seconds = time.monotonic() - began
    report = _report(course, seconds)
    if options.report:
        write_json(options.report, report)
    print_result(f"\n{course.verdict} {seconds:.0f} s, at most {course.memory_bytes / 1e9:.1f} GB of memory at once.")
    if course.has_passed:
        return 0
    details = options.report or _details_beside(options.below, report)
    print_remark(f"More for who helps you: {details}")
    return 1


def _follow(program: _Program, course: Course, stopped: threading.Event) -> None:
    """Show every step as it ends, until the program has gone."""
    last, is_late = time.monotonic(), False
    while not (stopped.is_set() and not program.ask_to_stop()):
        try:
            said = program.said.get(timeout=_POLL_S)
        except queue.Empty:
            is_late = time.monotonic() - last > SILENCE_S
            if is_late:
                program.kill()
                break
            continue
        if said is None:
            break
        last = time.monotonic()
        if said.get("event") == "began":
            print_result(f"{title(str(said.get('step'))):{WIDE}}", end="", flush=True)
        outcome = course.hear(said)
        if outcome is not None:
            _show(outcome, has_title=outcome.state != "left out")
    if not course.is_closed and not stopped.is_set():
        in_hand = course.now
        for outcome in course.broken(program.errors, is_late):
            _show(outcome, has_title=outcome.step == in_hand)


def _show(outcome: Outcome, has_title: bool) -> None:
    start = "" if has_title else f"{title(outcome.step):{WIDE}}"
    seconds = f"{outcome.seconds:7.1f} s" if outcome.state != "left out" else " " * 9
    print_result(printable(f"{start}{outcome.state:<8} {seconds}  {outcome.fact or outcome.text}").rstrip(), flush=True)
    if outcome.state == "failed" and outcome.hint:
        print_result(printable(f"{'':{WIDE}}{outcome.hint}"), flush=True)


class _Program:
    """The program that is tried.

    Attributes:
        said: what it says, None at its end.
    """

    def __init__(self, folder: Path) -> None:
        self.said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._errors = ""
        self._asked_at = 0.0
        self.process = subprocess.Popen(
            paths.child("--selftest-in", str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=place.environment(folder),
            start_new_session=True,  # Ctrl-C is ours; what it started has no terminal
        )
        self._threads = [
            threading.Thread(target=work, args=(stream,), name="selftest", daemon=True)
            for work, stream in ((self._listen, self.process.stdout), (self._collect, self.process.stderr))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def errors(self) -> str:
        """The end of what it wrote to its standard error, once it is gone."""
        self._threads[1].join(1.0)
        return self._errors

    def kill(self) -> None:
        """End it by force; what it started hears of it and ends too."""
        self.process.kill()

    def ask_to_stop(self) -> bool:
        """Ask once; False when it had its time to end."""
        if not self._asked_at:
            self._asked_at = time.monotonic()
            with suppress(OSError):
                if self.process.stdin:
                    self.process.stdin.close()
        return time.monotonic() - self._asked_at < _PATIENCE_S

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    self.said.put(said)
        self.said.put(None)

    def _collect(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._errors = (self._errors + line.decode("utf-8", "replace"))[-_TAIL:]


@contextmanager
def _program(folder: Path) -> Iterator[_Program]:
    """The program at work in the folder; at the end both are gone, with all that it started."""
    program: _Program | None = None
    try:
        program = _Program(folder)
        yield program
        with suppress(subprocess.TimeoutExpired):
            program.process.wait(_PATIENCE_S if program.ask_to_stop() else 0)
    finally:
        if program is not None:
            program.kill()
        place.end(folder)
        if program is not None:
            program.process.wait()


def _report(course: Course, seconds: float) -> dict[str, Any]:
    return {
        "program": f"LAB Desktop {__version__}",
        "computer": hardware.description(),
        "system": hardware.system(),
        "passed": course.has_passed,
        "verdict": course.verdict,
        "seconds": round(seconds, 1),
        "memory_bytes": course.memory_bytes,
        "steps": [{"title": title(outcome.step), **outcome.to_json()} for outcome in course.outcomes],
    }


def _details_beside(folder: Path | None, report: dict[str, Any]) -> Path:
    path = (folder or Path(tempfile.gettempdir())).resolve() / "lab-desktop-selftest.json"
    write_text(path, json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return path
