"""The model that is in conversation, seen from the window: a child process kept alive (jobs/conversation.py).

It answers, and its teacher helps while a lesson is written. It is opened when the first request comes, so an idle
window holds no model; a child that dies is opened again with the next request, and nothing is lost, for the
conversation and the lesson are in the window.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from lab_desktop import paths, problems
from lab_desktop.artifacts import ChatMessage, Mark, Pair, QuizMark, SeedExample, Suggestion
from lab_desktop.ui.child import ChildLines

_PATIENCE_MS = 1500
"""A child that was asked to end gets so long before it is ended by force."""


@dataclass(frozen=True)
class Voices:
    """Who can answer: a model file, and adapters of it by name; without an adapter's name the model itself answers.

    Attributes:
        teacher: a model file that can help to write a lesson, which may be the same one; None: nobody can.
    """

    model: Path
    adapters: tuple[tuple[str, Path], ...] = ()
    teacher: Path | None = None


@dataclass(frozen=True)
class Done:
    """How an answer ended.

    Attributes:
        tokens, seconds: of the answer.
        used: tokens of the conversation with it.
        left_out: oldest turns that no longer fit.
    """

    tokens: int
    seconds: float
    used: int
    left_out: int
    was_stopped: bool


@dataclass(frozen=True)
class Finished:
    """How a suggestion or a quiz ended.

    Attributes:
        counts: {"found": 2, "wanted": 3} of suggestions; of a quiz how many questions got each `Mark`.
    """

    counts: Mapping[str, int]
    seconds: float
    was_stopped: bool


class ChatProcess(QObject):
    """Attributes:
    context_tokens: what the student in hand can hold; 0 while none is open.
    """

    loading = Signal()
    ready = Signal()
    opening = Signal(int, str)
    """(number, name): a teacher that is another file is opened for this request, which may take a while."""
    piece = Signal(int, str)
    done = Signal(int, object)
    """(number, Done)"""
    suggested = Signal(int, object)
    """(number, Suggestion): as soon as it is there."""
    marked = Signal(int, object)
    """(number, QuizMark): a later one of the same question stands for the earlier one."""
    finished = Signal(int, object)
    """(number, Finished): the end of a suggestion or a quiz; all that came holds."""
    failed = Signal(int, str, str, str)
    """(number, text, hint, details): the request could not be met; what came before holds."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context_tokens = 0
        self._voices: Voices | None = None
        self._process: QProcess | None = None
        self._lines = ChildLines()
        self._leaving: list[QProcess] = []
        self._open: dict[int, str] = {}
        self._number = 0

    def use(self, voices: Voices) -> None:
        """Talk to these from the next question on; another model's process is closed."""
        if voices != self._voices:
            self.close()
            self._voices = voices

    def ask(
        self, messages: Sequence[ChatMessage], voice: str | None = None, temperature: float = 0.0, seed: int = 0,
        max_tokens: int = 512,
    ) -> int:  # fmt: skip
        """Ask; gives the number under which pieces come."""
        return self._request(
            "ask",
            messages=[[message.role, message.content] for message in messages],
            voice=voice,
            temperature=temperature,
            seed=seed,
            max_tokens=max_tokens,
        )

    def try_row(self, question: str, material: str = "", voice: str | None = None) -> int:
        """Let the student do a skill's task as it is trained to; the answer comes as that of `ask`."""
        asked = f"{material.strip()}\n\n{question.strip()}" if material.strip() else question.strip()
        return self.ask([ChatMessage("user", asked)], voice)

    def suggest(self, passage: str, title: str, given: Sequence[Pair], seed: int = 0, wanted: int = 3) -> int:
        """Ask the teacher for questions about a passage; they come as `suggested`, then `finished`.

        Args:
            title: of the lesson, in plain words.
            given: what is not to be asked again: the passage's questions, and suggestions that were refused.
            seed: the same gives the same; for others say what was given, or another seed.
        """
        return self._request("suggest", passage=passage, title=title, given=_rows(given), seed=seed, wanted=wanted)

    def suggest_like(self, description: str, examples: Sequence[SeedExample], like: int, seed: int = 0) -> int:
        """Ask the teacher for one more example of a skill; it comes as `suggested`, or `failed` says why not.

        Args:
            examples: the finished ones.
            like: the number of the one it should resemble.
        """
        rows = [[each.pairs[0].question, each.pairs[0].answer, each.context or ""] for each in examples]
        return self._request("like", description=description, examples=rows, number=like, seed=seed)

    def quiz(self, questions: Sequence[Pair], voice: str | None = None, is_judged: bool = True) -> int:
        """Ask the student a lesson's questions without its passages; `marked` comes for each, then `finished`.

        Args:
            is_judged: a teacher that can judge looks again at what was not found right.
        """
        return self._request("quiz", questions=_rows(questions), voice=voice, judged=is_judged)

    def _request(self, kind: str, **values: Any) -> int:
        self._number += 1
        self._open[self._number] = kind
        self._start()
        self._write({kind: self._number, **values})
        return self._number

    def stop(self, number: int) -> None:
        """Stop an answer; what came of it stays."""
        if number in self._open:
            self._write({"stop": number})

    def close(self) -> None:
        """Give the memory back. Returns at once; a child that does not end by itself is ended by force."""
        process, self._process = self._process, None
        self.context_tokens = 0
        if process is not None:
            self._leaving.append(process)
            process.closeWriteChannel()
            QTimer.singleShot(_PATIENCE_MS, process, process.kill)
        self._give_up()

    def quit(self) -> None:
        """Close, and wait until every child has ended: the window goes."""
        self.close()
        for process in list(self._leaving):
            if not process.waitForFinished(500):
                process.kill()
                process.waitForFinished(1000)

    @Slot()
    def _ended(self) -> None:
        self._let_go(self.sender())

    def _let_go(self, process: QObject | None) -> None:
        if process is self._process:
            self._died()
        elif isinstance(process, QProcess) and process in self._leaving:
            self._leaving.remove(process)
            process.deleteLater()

    def _start(self) -> None:
        if self._process is not None or self._voices is None:
            return
        process = QProcess(self)
        program, *arguments = paths.child("--chat")
        process.setProgram(program)
        process.setArguments(arguments)
        process.readyReadStandardOutput.connect(self._read)
        process.setStandardErrorFile(QProcess.nullDevice())
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._could_not_start)
        self._process, self._lines = process, ChildLines()
        process.start()
        adapters = {name: str(path) for name, path in self._voices.adapters}
        teacher = str(self._voices.teacher) if self._voices.teacher else None
        self._write({"model": str(self._voices.model), "adapters": adapters, "teacher": teacher})
        self.loading.emit()

    def _write(self, value: dict[str, Any]) -> None:
        if self._process is not None:
            self._process.write(json.dumps(value).encode() + b"\n")

    def _read(self) -> None:
        if self._process is None:
            return
        for said in self._lines.hear(bytes(self._process.readAllStandardOutput().data())):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        if said["event"] == "ready":
            self.context_tokens = int(said["context"])
            self.ready.emit()
        elif said["event"] == "piece":
            self.piece.emit(said["ask"], said["text"])
        elif said["event"] == "opening":
            self.context_tokens = 0
            self.opening.emit(said["ask"], said["name"])
        elif said["event"] == "suggestion":
            fields = ("question", "answer", "sentence", "context", "score", "why")
            self.suggested.emit(said["ask"], Suggestion(**{name: said[name] for name in fields}))
        elif said["event"] == "mark":
            self.marked.emit(said["ask"], QuizMark(said["number"], Mark(said["mark"]), said["reply"], said["why"]))
        elif said["event"] == "done":
            self._open.pop(said["ask"], None)
            self.done.emit(
                said["ask"],
                Done(said["tokens"], said["seconds"], said["used"], said["left_out"], said["was_stopped"]),
            )
        elif said["event"] == "finished":
            self._open.pop(said["ask"], None)
            self.finished.emit(said["ask"], Finished(said["counts"], said["seconds"], said["was_stopped"]))
        elif said["event"] == "failed":
            for number in [said["ask"]] if said["ask"] is not None else list(self._open):
                self._open.pop(number, None)
                self.failed.emit(number, said["text"], said["hint"], said["details"])

    @Slot(QProcess.ProcessError)
    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._let_go(self.sender())

    def _died(self) -> None:
        self._read()
        problems.gather()
        if self._process is not None:
            self._process.deleteLater()
        self._process = None
        self.context_tokens = 0
        self._give_up()

    def _give_up(self) -> None:
        requests, self._open = self._open, {}
        for number, kind in requests.items():
            text = self.tr("The model stopped unexpectedly. Your lesson is safe.")
            if kind == "ask":
                text = self.tr("The model stopped unexpectedly. Your chat is safe.")
            self.failed.emit(number, text, self.tr("Ask again."), "")


def _rows(pairs: Sequence[Pair]) -> list[list[str]]:
    return [[pair.question, pair.answer] for pair in pairs]
