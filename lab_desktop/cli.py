"""The same path without a window: `lab-desktop COMMAND`.

Exit status: 0 done · 1 something a person can mend (one sentence what happened, one what to do) · 2 wrong usage ·
130 stopped with Ctrl-C (finished cleanly; says how to go on). Results go to standard output, everything said on the way
to standard error. What the commands are and do: commands/.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from lab_desktop import versions
from lab_desktop.commands import chat, elsewhere, intake, learning, lessons, library, models, selftest, sharing, steps
from lab_desktop.commands.arguments import Action, NewCommand
from lab_desktop.errors import NO_MEMORY, Cancelled, LabError, is_want_of_memory
from lab_desktop.terminal import end, let_any_text_pass, print_result, write_nowhere

FAMILIES: tuple[Callable[[NewCommand], None], ...] = (
    learning.add,
    lessons.add,
    intake.add,
    library.add,
    steps.add,
    chat.add,
    models.add,
    sharing.add,
    elsewhere.add,
    selftest.add,
)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    let_any_text_pass()
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--selftest"]:  # as every program may be asked, whatever its commands are
        arguments = ["selftest", *arguments[1:]]
    # What is double-clicked comes as the only word.
    file = Path(arguments[0]) if len(arguments) == 1 and arguments[0].lower().endswith(".labpack") else None
    options = _parser().parse_args([] if file else arguments)
    options.opened = file
    try:
        with _interrupts() as stopped:
            status: int = options.action(options, stopped)
            if sys.stdout:
                sys.stdout.flush()  # a reader that has gone is noticed here, not in the interpreter's last breath
            return status
    except LabError as error:
        return end(1, error.message, error.hint)
    except (Cancelled, KeyboardInterrupt):
        if getattr(options, "folder", None) is None:  # nothing was begun that could go on
            return end(130, "Stopped.")
        return end(130, "Stopped. What was finished is safe.", f"To go on: {_resume_command(options, arguments)}")
    except BrokenPipeError:
        # The reader of our output went away (`lab-desktop … | head`); nothing is left to say to it.
        write_nowhere(sys.stdout)
        return 0
    except (OSError, MemoryError, RuntimeError) as error:
        if is_want_of_memory(error):
            return end(1, NO_MEMORY, "Close other programs, then run the same command again.")
        if not isinstance(error, OSError):
            raise
        # What no step has put into better words: a name that is too long, a folder that is closed.
        where = f'"{error.filename}"' if error.filename else "A file"
        return end(1, f"{where} cannot be used: {error.strerror or error}.", "Check its name and its permissions.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab-desktop",
        description="Teach a language model new facts and skills on this computer, offline, and see that it learned.",
        epilog="Without a command: the window.",
    )
    parser.set_defaults(action=_window)
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and of what system")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def new(name: str, action: Action, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(action=action)
        return made

    for add in FAMILIES:
        add(new)
    return parser


class _Version(argparse.Action):
    """Says which version of which program on which system, in one line; looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        system = f"Python {platform.python_version()}, {platform.platform()}"
        print_result(f"LAB Desktop {versions.spoken()}, {system}")
        parser.exit()


def _window(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.ui import app  # Qt takes a moment to load

    if not app.has_screen():
        raise LabError("There is no screen to open a window on.", "Use a command instead: lab-desktop --help")
    return app.main(options.opened)


def _resume_command(options: argparse.Namespace, arguments: Sequence[str]) -> str:
    words = list(arguments)
    if "run" in options and options.run is None:
        words += ["--run", str(options.folder)]
    return shlex.join(["lab-desktop", *words])


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so that work ends cleanly; a second one ends at once."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # and a third one needs nobody's help
            raise KeyboardInterrupt
        stopped.set()
        # Not print: the signal may have come in the middle of one, and a stream cannot be entered twice.
        with suppress(OSError):
            os.write(2, "\nStopping at the next safe point … (Ctrl-C again to stop at once)\n".encode())

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
