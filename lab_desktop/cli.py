"""The same path without a window: `lab-desktop COMMAND`.

Exit status: 0 done · 1 something a person can mend (one sentence what happened, one what to do) · 2 wrong usage ·
130 stopped with Ctrl-C (finished cleanly; says how to go on). Results go to standard output, everything said on the way
to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from lab_desktop import __version__, paths
from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import Cancelled, LabError, ModelError, RunError
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.terminal import Screen, end, let_any_text_pass, printable, write_nowhere

_MOST_SAMPLES = 100_000
_LARGEST_SEED = 2**32 - 1
_ANSWER_TOKENS = 512


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    let_any_text_pass()
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
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
    except OSError as error:  # what no step has put into better words: a name that is too long, a folder that is closed
        where = f'"{error.filename}"' if error.filename else "A file"
        return end(1, f"{where} cannot be used: {error.strerror or error}.", "Check its name and its permissions.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab-desktop",
        description="Teach a language model new facts and skills on this computer, offline, and see that it learned.",
        epilog="Without a command: the window.",
    )
    parser.set_defaults(action=_window)
    parser.add_argument("--version", action="version", version=f"LAB Desktop {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, action: Callable[..., int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(action=action)
        return made

    practice = command("practice", _practice, "the whole loop on the built-in lesson about an invented island")
    practice.add_argument("--run", type=_path, metavar="DIR", help="folder for everything it makes")

    learn = command("learn", _learn, "the whole loop on your own leaves (lessons)")
    learn.add_argument("leaves", type=_path, nargs="+", metavar="LEAF", help="a folder with a qna.yaml, or a taxonomy")
    learn.add_argument("--run", type=_path, metavar="DIR", help="folder for everything it makes")
    learn.add_argument(
        "--teacher", type=_filled, default="practice", metavar="M", help='a .gguf file, or "practice" (default)'
    )
    learn.add_argument(
        "--student", type=_filled, default="practice", metavar="M", help='a .gguf file, or "practice" (default)'
    )
    learn.add_argument(
        "--samples",
        type=_samples,
        default=0,
        metavar="N",
        help="practice questions wanted in all (default: as many as the lessons hold)",
    )
    learn.add_argument(
        "--from", dest="start_from", type=_path, metavar="RUN", help="go on from what an earlier run taught the student"
    )
    learn.add_argument("--seed", type=_seed, default=0, metavar="N", help="of everything random (default 0)")

    check = command("check", _check, "is this leaf valid? every problem with its line and what to do")
    check.add_argument("paths", type=_path, nargs="+", metavar="PATH", help="a qna.yaml, a leaf folder, or a taxonomy")
    check.add_argument(
        "--mode",
        choices=("file", "contribution"),
        default="file",
        help="the file by itself (default), or also as a contribution",
    )
    check.add_argument("--json", action="store_true", help="print the problems as JSON")

    changes = command("changes", _changes, "what is new or different since the community's version of a library")
    changes.add_argument(
        "path", type=_path, nargs="?", default=Path(), metavar="PATH", help="the library (default: here)"
    )
    changes.add_argument(
        "--base", type=_filled, metavar="REF", help='the version to compare with: a branch, a commit, or "empty"'
    )

    for name, text in _STEP_HELP.items():
        step = command(name, _step, text)
        step.add_argument("folder", type=_path, metavar="RUN", help="a run folder")
        if name == "generate":
            step.add_argument(
                "--instructlab", type=_path, metavar="DIR", help="also write the rows under InstructLab's file names"
            )
        if name == "export":
            step.add_argument(
                "--as",
                dest="kinds",
                action="append",
                metavar="SIZE",
                choices=_SIZES,
                help=f"{', '.join(_SIZES)}; may be given more than once",
            )

    chat = command("chat", _chat, "talk to a model")
    chat.add_argument(
        "model",
        nargs="?",
        type=_filled,
        default="practice",
        metavar="MODEL",
        help='a .gguf file, a run folder, or "practice" (default)',
    )
    chat.add_argument("--adapter", type=_path, metavar="A", help="an adapter (.gguf) for it")
    chat.add_argument("--compare", action="store_true", help="show the original's and the trained model's answer")
    return parser


_STEP_HELP = {
    "generate": "let the teacher write practice questions for a run",
    "train": "train the student of a run",
    "export": "write the new model of a run as one file",
    "evaluate": "ask the questions of a run before and after",
}
_SIZES = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")


def _practice(options: argparse.Namespace, stopped: threading.Event) -> int:
    model = paths.practice_model()
    request = LearnRequest(
        leaves=(paths.resources() / "practice" / "velmora",),
        teacher=model,
        student=model,
        samples=0,
        seed=0,
    )
    print(
        "The practice lesson: a small model learns about Velmora, an island that was invented for it.\nIt takes some "
        "minutes; Ctrl-C stops it, and the same command goes on where it stopped.",
        file=sys.stderr,
    )
    return _learn_in(options, "practice", request, stopped)


def _learn(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.taxonomy.qna import read_leaf
    from lab_desktop.taxonomy.tree import find_leaves

    request = LearnRequest(
        leaves=tuple(leaf.resolve() for leaf in options.leaves),
        teacher=_model(options.teacher),
        student=_model(options.student),
        samples=options.samples,
        seed=options.seed,
        start_from=options.start_from.resolve() if options.start_from else None,
    )
    # Looked at before there is a run folder, so that a slip of the pen leaves no empty run behind.
    for path in request.leaves:
        for leaf in find_leaves(path):
            read_leaf(leaf)
    first = request.leaves[0]
    return _learn_in(options, first.parent.name if first.is_file() else first.name, request, stopped)


def _learn_in(options: argparse.Namespace, name: str, request: LearnRequest, stopped: threading.Event) -> int:
    from lab_desktop import workflow
    from lab_desktop.evaluation.table import report_text

    options.folder = options.run.resolve() if options.run else _new_or_unfinished(name, request)
    if not workflow.is_as_begun(request, options.folder):
        raise RunError(
            f"The lessons have changed since the run in {options.folder} began.", "Choose a new folder with --run."
        )
    with _opened(options.folder, stopped, f"Everything goes to {options.folder}\n\n") as run:
        report = workflow.learn(request, run)
    print(report_text(report))
    print(f"The new model: {options.folder / report.model}")
    print(f'Talk to it:    lab-desktop chat "{options.folder}" --compare')
    return 0


def _step(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop import workflow
    from lab_desktop.evaluation.table import report_text
    from lab_desktop.generation.mixing import export_instructlab

    options.folder = options.folder.resolve()
    requests.read(options.folder)  # before the folder is opened, which would make it
    with _opened(options.folder, stopped) as run:
        if options.command == "generate":
            dataset = workflow.generate(run)
            print(f"{sum(phase.rows for phase in dataset.phases)} rows to learn from in {dataset.folder}")
            if options.instructlab:
                stamp = time.strftime("%Y-%m-%dT%H_%M_%S", time.gmtime())
                for path in export_instructlab(run, options.instructlab, stamp):
                    print(path)
        elif options.command == "train":
            print(f"The adapter: {workflow.train(run).gguf}")
        elif options.command == "export":
            for model in workflow.export(run, tuple(options.kinds or ())):
                print(f"{model.path}  {model.quantization}  {model.size_bytes / 1e6:.0f} MB")
        else:
            print(report_text(workflow.evaluate(run)))
    return 0


def _check(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.taxonomy.check import check_paths, has_errors

    problems = check_paths(options.paths, options.mode)
    if options.json:
        print(
            json.dumps(
                [{**asdict(problem), "file": str(problem.file)} for problem in problems], ensure_ascii=False, indent=2
            )
        )
    else:
        for problem in problems:
            kind = "" if problem.severity == "error" else " (advice)"
            print(f"{problem.file}:{problem.line}:{problem.column}:{kind} {problem.message}")
            if problem.hint:
                print(f"    {problem.hint}")
        if not problems:
            print("Everything is in order.")
    return 1 if has_errors(problems) else 0


def _changes(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop import repository

    found = repository.changes(options.path.resolve(), options.base)
    for change in found.leaves:
        was = f", was {change.was.parent}" if change.was else ""
        print(f"{change.kind:8} {change.path.parent}{was}")
    for path in found.deleted:
        print(f"deleted  {path.parent}")
    for path in found.misnamed:
        print(f'"{path}" is not found by InstructLab: a lesson must be named "{FILE_NAME}".', file=sys.stderr)
    if not found.leaves and not found.deleted:
        print("Nothing is new or different.")
    return 0


def _window(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.ui import app  # Qt takes a moment to load

    if not app.has_screen():
        raise LabError("There is no screen to open a window on.", "Use a command instead: lab-desktop --help")
    return app.main()


def _chat(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.models.chat import fit_conversation
    from lab_desktop.models.llama import LlamaModel
    from lab_desktop.models.text_model import Request

    base, adapter = _chat_models(options)
    if options.compare and adapter is None:
        raise RunError("There is nothing to compare with.", "Name a run folder, or a model and its --adapter.")
    voices: dict[str, str | None] = {"": "trained" if adapter else None}
    if options.compare:
        voices = {"original: ": None, "trained:  ": "trained"}
    with LlamaModel(base, adapters={"trained": adapter} if adapter else {}) as model:
        learned = " with what it learned" if adapter and not options.compare else ""
        print(f"{model.name}{learned}. An empty line or Ctrl-D ends.", file=sys.stderr)
        said: dict[str, list[ChatMessage]] = {voice: [] for voice in voices}
        while question := _ask():
            for voice, adapter_name in voices.items():
                model.use_adapter(adapter_name)
                said[voice].append(ChatMessage("user", question))
                messages, left_out = fit_conversation(
                    said[voice],
                    lambda turns: len(model.tokenizer.chat_prompt(turns)),
                    model.context_tokens - _ANSWER_TOKENS,
                )
                if left_out:
                    print(f"(the oldest {left_out} turns no longer fit and are left out)", file=sys.stderr)
                print(voice, end="", flush=True)
                answer = ""
                for piece in model.stream(Request(messages, _ANSWER_TOKENS), is_cancelled=stopped.is_set):
                    answer += piece
                    print(printable(piece), end="", flush=True)
                print()
                said[voice].append(ChatMessage("assistant", answer))
    return 0


def _chat_models(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """(base, adapter) of a chat; a run folder brings both."""
    folder = Path(options.model)
    if folder.is_dir():
        from lab_desktop.workflow import read_adapter

        requests.read(folder.resolve())
        adapter = read_adapter(folder.resolve())
        return adapter.base, options.adapter or adapter.gguf
    return _model(options.model), options.adapter


def _ask() -> str:
    """The next question; "" at the end. A person ends with an empty line too, a file may have some."""
    if sys.stdin is None:
        return ""
    is_person = sys.stdin.isatty()
    # While we wait, Ctrl-C has nothing to finish: it ends the wait.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        while True:
            question = input("> " if is_person else "").strip()
            if question or is_person:
                return question
    except EOFError:
        return ""
    except KeyboardInterrupt:
        print(file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _model(name: str) -> Path:
    """The model file that a person means; its header is read, so that a slip of the pen is told at once."""
    from lab_desktop.models.gguf import read_header

    path = paths.practice_model() if name == "practice" else Path(name).resolve()
    if read_header(path).metadata.get("general.type") == "adapter":
        raise ModelError(
            f'"{path.name}" is an adapter, which is of use only together with its model.',
            "Name the model; chat takes the adapter with --adapter.",
        )
    return path


def _new_or_unfinished(name: str, request: LearnRequest) -> Path:
    """The unfinished run of the same request on unchanged lessons, or a folder that does not exist yet."""
    from lab_desktop.workflow import is_as_begun

    number = 1
    while True:
        folder = paths.runs() / f"{name}-{number}"
        if not folder.exists() or all(entry.name.startswith(".") for entry in folder.iterdir()):
            return folder  # only a lock and half copies: a run that could not even begin
        is_unfinished = not (folder / "report.json").exists()
        is_same = (folder / requests.FILE_NAME).is_file() and requests.read(folder) == request
        if is_unfinished and is_same and is_as_begun(request, folder):
            return folder
        number += 1


def _resume_command(options: argparse.Namespace, arguments: Sequence[str]) -> str:
    words = list(arguments)
    if options.command in ("practice", "learn") and options.run is None:
        words += ["--run", str(options.folder)]
    return shlex.join(["lab-desktop", *words])


@contextmanager
def _opened(folder: Path, stopped: threading.Event, heading: str = "") -> Iterator[Run]:
    screen = Screen(stopped)
    screen.write(heading)
    try:
        with Run(folder, tell=screen.show, is_cancelled=stopped.is_set).open() as run:
            yield run
    finally:
        screen.end_line()


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


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a name is needed, not an empty text")
    return text


def _path(text: str) -> Path:
    return Path(_filled(text))


def _number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"a whole number from {least} to {most:,} is needed, not {text[:40]!r}")
    return number


def _samples(text: str) -> int:
    return _number(text, 1, _MOST_SAMPLES)


def _seed(text: str) -> int:
    return _number(text, 0, _LARGEST_SEED)
