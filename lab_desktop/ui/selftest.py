"""A self-test from inside: the real window and everything that it starts, tried on the roads that a person takes.

    python -m lab_desktop --selftest-in FOLDER

The folder, and what this process may not touch, come from whoever started it (`selftest.place`). Tells `selftest.steps`
as JSON lines on standard output. The end of the input stops it. Exit status: 0 all went well, 1 a step failed, 130
stopped. The folder is deleted at the end, whatever came before.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psutil
from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from lab_desktop import paths, projects
from lab_desktop.artifacts import ChatMessage
from lab_desktop.documents.drawing import Drawing
from lab_desktop.documents.safely import convert_safely
from lab_desktop.errors import Cancelled, LabError, ModelError, RunError
from lab_desktop.jobs.events import Event, Metric, Row
from lab_desktop.selftest import place, watch
from lab_desktop.selftest.steps import STEPS, Outcome, Step, title
from lab_desktop.ui import app
from lab_desktop.ui.chat_process import Done, Voices
from lab_desktop.ui.collector import Collector
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.words import number, size

_BEAT_MS = 40
_MEMORY_BEAT_MS = 500
_QUESTION = "What is an island?"
_ANSWER_TOKENS = 48
_ROWS = 4
_TRAINING_STEPS = 5
_SIZE = "Q4_K_M"
_PAGE_WIDTH = 600
_EVERY = 9
_LEAST_COLOURS = 3
_HINT = "Send the details to who helps you."
_Result = TypeVar("_Result")


def main(folder: Path) -> int:
    """Try everything in a folder that `selftest.place` made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us decides; its end of our input says so
    tell, stopped = _voice(), threading.Event()
    threading.Thread(target=_end_with_input, args=(stopped,), name="commands", daemon=True).start()
    if not app.has_screen():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    program = app.dressed()
    Collector(program)
    try:
        tried = _Trial(folder, tell, stopped)
        return tried.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Late(LabError):
    """A step took longer than it may."""


class _Trial(QObject):
    """Attributes:
    session: what the window is about; made by the first step that needs it.
    mistakes: what was raised where nobody could take it.
    """

    def __init__(self, folder: Path, tell: Callable[..., None], stopped: threading.Event) -> None:
        super().__init__()
        self.mistakes: list[str] = []
        self._folder, self._tell, self._stopped = folder, tell, stopped
        self._made: Session | None = None
        self._window: MainWindow | None = None
        self._limit = 0.0
        self._asked, self._text, self._pieces = 0, "", 0
        self._answered: list[Done | LabError] = []
        self._job: Job | None = None
        self._refused: LabError | None = None
        self._rows = 0
        self._losses: list[float] = []
        self._most_memory = 0
        self._memory = QTimer(self, interval=_MEMORY_BEAT_MS)
        self._memory.timeout.connect(self._weigh)
        self._memory.start()
        self._work: dict[str, Callable[[], str]] = {
            "window": self._open,
            "chat": lambda: self._answer(self.session.voices()),
            "practice": self._practise,
            "train": self._train,
            "export": self._export,
            "taught": lambda: self._answer(Voices(self._file)),
            "document": self._read,
            "page": self._draw,
            "end": self._close,
        }
        sys.excepthook = lambda *error: self.mistakes.append("".join(traceback.format_exception(*error)))

    def run(self) -> int:
        """Try every step that can be tried; gives the exit status."""
        states: dict[str, str] = {}
        try:
            for step in STEPS:
                outcome = self._try(step, states)
                states[step.name] = outcome.state
                self._tell("ended", **outcome.to_json())
        except Cancelled:
            self._leave()
            return 130
        self._leave()
        self._tell("closed", memory_bytes=self._most_memory)
        return 0 if set(states.values()) == {"ok"} else 1

    def _try(self, step: Step, states: dict[str, str]) -> Outcome:
        if step.needs and states.get(step.needs) != "ok":
            return Outcome(step.name, "left out", text=f"It needs this first: {title(step.needs)}.")
        self._tell("began", step=step.name)
        began = time.monotonic()
        self._limit = began + step.limit_s
        error: LabError | None = None
        try:
            fact = self._work[step.name]()
        except LabError as raised:
            error = raised
        except Cancelled:
            raise
        except Exception:  # noqa: BLE001 - a step that fails as nobody foresaw is what a self-test is there to find
            self.mistakes.append(traceback.format_exc())
        seconds = round(time.monotonic() - began, 2)
        if error is None and not self.mistakes:
            return Outcome(step.name, "ok", seconds, fact)
        unforeseen = LabError("Something happened that was not foreseen.", _HINT)
        said = error or unforeseen
        details = "\n".join([said.details, *self.mistakes]).strip()
        self.mistakes.clear()
        return Outcome(step.name, "failed", seconds, "", said.message, said.hint, details)

    # The steps; each gives what was seen

    @property
    def session(self) -> Session:
        if self._made is None:
            self._made = Session(parent=self)
            self._made.chat.piece.connect(self._take_piece)
            self._made.chat.done.connect(self._take_ending)
            self._made.chat.failed.connect(self._take_failure)
            self._made.jobs.ended.connect(self._take_job)
            self._made.jobs.said.connect(self._take_word)
            self._made.refused.connect(self._take_refusal)
        return self._made

    def _open(self) -> str:
        self._window = window = MainWindow(self.session)
        window.start()
        pages = window.pages
        self._until(lambda: all(map(pages.is_made, pages.names)))
        for name in pages.names:
            window.show_page(name)
            QApplication.processEvents()
            if _colours(window.grab().toImage()) < _LEAST_COLOURS:
                raise RunError(f'The page "{name}" is empty.', "Check that the graphics of this computer work.")
        return f"{len(pages.names)} pages, {window.width()} × {window.height()}"

    def _answer(self, voices: Voices) -> str:
        chat = self.session.chat
        chat.use(voices)
        self._text, self._pieces = "", 0
        self._answered.clear()
        self._asked = chat.ask([ChatMessage("user", _QUESTION)], max_tokens=_ANSWER_TOKENS)
        self._until(lambda: bool(self._answered))
        done = self._answered[0]
        if isinstance(done, LabError):
            raise done
        words = [word for word in self._text.split() if any(map(str.isalpha, word))]
        if not words or self._pieces < 2:
            raise ModelError(
                "The model's answer holds no words.", "Its file may be damaged: install it again.", self._text
            )
        return f"{len(words)} words, {len(words) / max(done.seconds, 1e-3):.0f} a second"

    def _practise(self) -> str:
        session = self.session
        project = projects.choose_effort(projects.ask_for(session.new_practice(), _ROWS), "quick")
        session.open(project)
        self._finish(lambda: session.begin("practice"))
        state = session.state
        if not state.has_dataset or not state.kept:
            raise RunError("No practice questions were written.", _HINT)
        return f"{number(state.kept)} questions"

    def _train(self) -> str:
        self._losses.clear()
        self._finish(lambda: self.session.begin("train"))
        if not self.session.state.has_adapter or not self._losses:
            raise RunError("Nothing was learned.", _HINT)
        return f"mistakes {self._losses[0]:.2f} → {self._losses[-1]:.2f} in {len(self._losses)} steps"

    def _export(self) -> str:
        self._finish(lambda: self.session.start((f"export:{_SIZE}",)))
        return f"{size(self._file.stat().st_size)}, {_SIZE}"

    @property
    def _file(self) -> Path:
        """The trained model's file."""
        project = self.session.project
        run = project.run if project else None
        found = sorted(run.glob(f"models/*-{_SIZE}.gguf")) if run else []
        if not found:
            raise RunError("There is no file of the trained model.", _HINT)
        return found[0]

    def _read(self) -> str:
        page = paths.resources() / "selftest" / "page.pdf"
        converted = self._aside(lambda: convert_safely(page, is_cancelled=self._is_over))
        if "Velmora" not in converted.text:
            raise RunError(
                "The document's text is not what stands in it.", "Install the program again.", converted.text
            )
        return f"PDF, {len(converted.text.split())} words"

    def _draw(self) -> str:
        drawing = Drawing(paths.resources() / "selftest" / "page.pdf")
        try:
            picture = self._aside(lambda: drawing.draw(0, _PAGE_WIDTH))
        finally:
            drawing.close()
        if len(set(picture.pixels[::4])) < 2:
            raise RunError("The page that was drawn is empty.", "Install the program again.")
        return f"{picture.width} × {picture.height} pixels"

    def _close(self) -> str:
        self._leave()
        self._until(lambda: len(place.processes(self._folder)) <= 1)
        if seen := watch.seen(self._folder):
            raise RunError(
                f"Something was tried that is not allowed: {seen[0]}.", "Tell who made this program.", "\n".join(seen)
            )
        shutil.rmtree(self._folder)
        return "nothing left behind"

    def _leave(self) -> None:
        """Close the window and everything that it started, as far as that is there."""
        self._memory.stop()
        if self._made is None:
            return
        self._made.jobs.stop_all()
        if self._window is not None:
            self._window.close()
            self._window = None
        self._made.chat.quit()

    # What is waited for

    def _finish(self, begin: Callable[[], object]) -> None:
        """Begin a job, and wait until it is done."""
        self._job, self._refused = None, None
        begin()
        self._until(lambda: self._job is not None or self._refused is not None)
        if self._refused is not None:
            raise self._refused
        job = self._job
        if job is not None and job.state is not JobState.DONE:
            raise RunError(job.text or "The work stopped unexpectedly.", job.hint, job.details)

    def _until(self, is_so: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        loop = QEventLoop()
        look = QTimer(interval=_BEAT_MS)
        look.timeout.connect(lambda: loop.quit() if is_so() or self._is_over() else None)
        look.start()
        loop.exec()
        look.stop()
        if self._stopped.is_set():
            raise Cancelled
        if not is_so():
            raise _Late("It took too long.", "Close other programs, and check again.")

    def _aside(self, work: Callable[[], _Result]) -> _Result:
        """Do in a thread what would hold up the window."""
        with ThreadPoolExecutor(1) as thread:
            future = thread.submit(work)
            self._until(future.done)
            return future.result()

    def _is_over(self) -> bool:
        return self._stopped.is_set() or time.monotonic() > self._limit

    def _take_piece(self, asked: int, text: str) -> None:
        if asked == self._asked:
            self._text += text
            self._pieces += 1

    def _take_ending(self, asked: int, done: Done) -> None:
        if asked == self._asked:
            self._answered.append(done)

    def _take_failure(self, asked: int, text: str, hint: str, details: str) -> None:
        if asked == self._asked:
            self._answered.append(ModelError(text, hint, details))

    def _take_job(self, job: Job) -> None:
        self._job = job

    def _take_refusal(self, error: LabError) -> None:
        self._refused = error

    def _take_word(self, event: Event) -> None:
        """Enough is enough: a few questions, a few steps, as a person may decide."""
        if isinstance(event, Row) and event.data.get("accepted"):
            self._rows += 1
            if self._rows == _ROWS:
                self.session.jobs.keep("generate")
        elif isinstance(event, Metric) and event.name == "loss":
            self._losses.append(event.value)
            if len(self._losses) == _TRAINING_STEPS:
                self.session.jobs.keep("train")

    def _weigh(self) -> None:
        used = 0
        for each in (psutil.Process(), *psutil.Process().children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                used += each.memory_info().rss
        self._most_memory = max(self._most_memory, used)


def _colours(picture: QImage) -> int:
    """How many there are among some of its points."""
    across, down = range(0, picture.width(), _EVERY), range(0, picture.height(), _EVERY)
    return len({picture.pixel(x, y) for x in across for y in down})


def _voice() -> Callable[..., None]:
    """What tells whoever started us; nothing else gets to standard output any more."""
    descriptor = os.dup(1)
    os.dup2(2, 1)

    def tell(event: str, **values: Any) -> None:
        rest = json.dumps({"event": event, **values}).encode("ascii") + b"\n"
        with contextlib.suppress(OSError):  # nobody reads any more; the end of the input stops us
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    return tell


def _end_with_input(stopped: threading.Event) -> None:
    with contextlib.suppress(OSError), open(0, "rb", buffering=0, closefd=False) as commands:
        while commands.read(1):
            pass
    stopped.set()
