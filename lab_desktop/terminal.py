"""What a terminal shows and takes: results, progress lines, a person's answers, streams that may break at any moment.

The only module that prints. Knows events, but no command and no step.
"""

from __future__ import annotations

import getpass
import io
import os
import shutil
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event, Pace


class Screen:
    """Progress in a terminal: one line that is rewritten, or on paper (a pipe, a log) a new line now and then."""

    def __init__(self, stopped: threading.Event) -> None:
        self._is_live = sys.stderr is not None and sys.stderr.isatty()
        self._stopped = stopped
        self._step = ""
        self._step_began = self._last_shown = 0.0
        self._paces: dict[str, tuple[int, Pace]] = {}  # steps may alternate: each keeps its own
        self._line_open = False

    def show(self, event: Event) -> None:
        if isinstance(event, events.Notice):
            self.end_line()
            self.write(f"  {printable(event.text)}\n")
        elif isinstance(event, events.Progress):
            self._progress(event)

    def end_line(self) -> None:
        if self._line_open:
            self.write("\n")
        self._line_open = False

    def _progress(self, event: events.Progress) -> None:
        now = time.monotonic()
        if event.text != self._step:
            self.end_line()
            self._step, self._step_began, self._last_shown = event.text, now, 0.0
        last_done, pace = self._paces.setdefault(event.text, (-1, Pace()))
        if event.done != last_done:  # details repeat the count; they are no sign of standing still
            pace.update(event.done, now)
            self._paces[event.text] = event.done, pace
        is_last = event.done >= event.total and event.done != last_done  # some go on after that, to the end of a unit
        # On paper the lines grow rarer, or a night's work fills pages.
        pause = 0.2 if self._is_live else min(max(10.0, (now - self._step_began) / 10), 120.0)
        if not is_last and now - self._last_shown < pause:
            return
        self._last_shown = now
        line = f"{event.text} · {event.done:,} of {event.total:,}{_speed(event, pace)}"
        if event.detail and not is_last:
            line += f" · {event.detail}"
        if self._is_live:
            # A line that wraps cannot be rewritten.
            self.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
            self._line_open = True
        else:
            self.write(f"{line}\n")

    def write(self, text: str) -> None:
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            # Nobody reads any more: end as after Ctrl-C. An error here would look like one of the disk.
            self._stopped.set()
            write_nowhere(sys.stderr)


def _speed(event: events.Progress, pace: Pace) -> str:
    rate, left = pace.per_second, pace.seconds_left(event.total)
    if rate is None or left is None or event.done >= event.total:
        return ""
    for unit, seconds in (("second", 1), ("minute", 60)):
        if rate * seconds >= 1:
            return f" · {rate * seconds:.{1 if rate * seconds < 10 else 0}f} a {unit} · {duration(left)} left"
    return f" · {rate * 3600:.0f} an hour · {duration(left)} left"


def print_result(text: str, end: str = "\n", flush: bool = False) -> None:
    """Write what was asked for to standard output, as it is."""
    print(text, end=end, flush=flush)


def print_remark(text: str) -> None:
    """Write what is said on the way to standard error."""
    if sys.stderr:
        print(text, file=sys.stderr)


def agrees(question: str) -> bool:
    """Ask a person; who cannot be asked does not agree."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    with _default_interrupt():
        try:
            return input(question).strip().lower() in ("y", "yes")
        except EOFError:
            return False


def typed_secret(prompt: str) -> str:
    """What a person types unseen, or a line of a file."""
    is_person = sys.stdin is not None and sys.stdin.isatty()
    return (getpass.getpass(prompt) if is_person else next_line("")).strip()


def next_line(prompt: str) -> str:
    """What is typed next, "" at the end. A person sees the prompt and ends with an empty line; a file may have some."""
    if sys.stdin is None:
        return ""
    is_person = sys.stdin.isatty()
    with _default_interrupt():
        try:
            while True:
                line = input(prompt if is_person else "").strip()
                if line or is_person:
                    return line
        except EOFError:
            return ""


@contextmanager
def _default_interrupt() -> Iterator[None]:
    """While we wait for a person, Ctrl-C has nothing to finish: it ends the wait."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print_remark("")
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def let_any_text_pass() -> None:
    """A terminal or pipe that lacks a letter (Windows, an old locale) gets a substitute instead of an error."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def end(status: int, message: str, hint: str = "") -> int:
    """Say how it ended on standard error; gives the exit status."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        write_nowhere(sys.stdout)
    try:
        for line in (message, hint):
            if line and sys.stderr:
                print(printable(line), file=sys.stderr, flush=True)
    except OSError:
        write_nowhere(sys.stderr)
    return status


def write_nowhere(stream: TextIO) -> None:
    """What is still in the stream's buffer would fail again when the interpreter ends: let it go."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def printable(text: str) -> str:
    """Without what could steer a terminal: models and files may say anything. Lines, tabs and joined letters stay."""
    return "".join(
        sign
        for sign in text
        if sign in "\n\t\u200c\u200d" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
