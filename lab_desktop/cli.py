"""The same path without a window: `lab-desktop COMMAND`.

Exit status: 0 done · 1 something a person can mend (one sentence what happened, one what to do) · 2 wrong usage ·
130 stopped with Ctrl-C (finished cleanly; says how to go on). Results go to standard output, everything said on the way
to standard error. What the commands are and do: commands/.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lab_desktop.errors import NO_MEMORY, Cancelled, LabError, is_want_of_memory
from lab_desktop.terminal import end, let_any_text_pass, print_result, write_nowhere

if TYPE_CHECKING:
    from lab_desktop.commands.arguments import Action

COMMANDS = {
    "practice": ("learning", "the whole loop on the built-in lesson about an invented island"),
    "learn": ("learning", "the whole loop on your own leaves (lessons)"),
    "check": ("lessons", "is this leaf valid? every problem with its line and what to do"),
    "suggest": ("lessons", "let a teacher suggest questions for a passage, or one more example"),
    "convert": ("intake", "write a document (PDF, Word, HTML, EPUB, text) as Markdown"),
    "import": ("intake", "make a lesson of any qna.yaml: old, broken, or a part of one"),
    "changes": ("library", "what is new or different since the community's version of a library"),
    "generate": ("steps", "let the teacher write practice questions for a run"),
    "train": ("steps", "train the student of a run"),
    "export": ("steps", "write the new model of a run as one file"),
    "evaluate": ("steps", "ask the questions of a run before and after"),
    "chat": ("chat", "talk to a model"),
    "models": ("models", "the models on this computer, and those that can be had"),
    "share": ("sharing", "give lessons to the community, your team, or by mail; and take those of others"),
    "server": ("elsewhere", "a model on a server as teacher: which it has, its key, your agreement"),
    "selftest": ("selftest", "does this installation work? tries everything once, in about two minutes"),
}
"""Each with its family and its line in the help, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    let_any_text_pass()
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--selftest"]:  # as every program may be asked, whatever its commands are
        arguments = ["selftest", *arguments[1:]]
    # What is double-clicked comes as the only word.
    file = Path(arguments[0]) if len(arguments) == 1 and arguments[0].lower().endswith(".labpack") else None
    options = _parser(arguments).parse_args([] if file else arguments)
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
    except (OSError, MemoryError, RuntimeError, ImportError) as error:
        if is_want_of_memory(error):
            return end(1, NO_MEMORY, "Close other programs, then run the same command again.")
        if not isinstance(error, OSError):
            raise
        # What no step has put into better words: a name that is too long, a folder that is closed.
        where = f'"{error.filename}"' if error.filename else "A file"
        return end(1, f"{where} cannot be used: {error.strerror or error}.", "Check its name and its permissions.")


def _parser(asked: Iterable[str]) -> argparse.ArgumentParser:
    """The command line; only what is among the words `asked` knows its own arguments, for a family takes a moment to
    load."""
    parser = argparse.ArgumentParser(
        prog="lab-desktop",
        description="Teach a language model new facts and skills on this computer, offline, and see that it learned.",
        epilog="Without a command: the window.",
    )
    parser.set_defaults(action=_window)
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and of what system")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=text, description=text) for name, (_, text) in COMMANDS.items()}

    def new(name: str, action: Action) -> argparse.ArgumentParser:
        parsers[name].set_defaults(action=action)
        return parsers[name]

    for family in {COMMANDS[word][0] for word in asked if word in COMMANDS}:
        importlib.import_module(f"lab_desktop.commands.{family}").add(new)
    return parser


class _Version(argparse.Action):
    """Says which version of which program on which system, in one line; looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import platform

        from lab_desktop import versions

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
