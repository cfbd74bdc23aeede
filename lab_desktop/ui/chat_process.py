"""The model that is in conversation, seen from the window: a child process kept alive (jobs/conversation.py).

It is opened when the first question comes, so an idle window holds no model; a child that dies is opened again with the
next question, and nothing is lost, for the conversation is in the window.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from lab_desktop.artifacts import ChatMessage
from lab_desktop.ui.child import ChildLines

_PATIENCE_MS = 1500
"""A child that was asked to end gets so long before it is ended by force."""


@dataclass(frozen=True)
class Voices:
    """Who can answer: a model file, and adapters of it by name; without an adapter's name the model itself answers."""

    model: Path
    adapters: tuple[tuple[str, Path], ...] = ()


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


class ChatProcess(QObject):
    """Attributes:
    context_tokens: what the model in hand can hold; 0 while none is open.
    """

    loading = Signal()
    ready = Signal()
    piece = Signal(int, str)
    done = Signal(int, object)
    """(number, Done)"""
    failed = Signal(int, str, str, str)
    """(number, text, hint, details): the question could not be answered."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context_tokens = 0
        self._voices: Voices | None = None
        self._process: QProcess | None = None
        self._lines = ChildLines()
        self._leaving: list[QProcess] = []
        self._open: list[int] = []
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
        self._number += 1
        self._open.append(self._number)
        self._start()
        self._write(
            {
                "ask": self._number,
                "messages": [[message.role, message.content] for message in messages],
                "voice": voice,
                "temperature": temperature,
                "seed": seed,
                "max_tokens": max_tokens,
            }
        )
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
        process.setProgram(sys.executable)
        process.setArguments(["-m", "lab_desktop", "--chat"])
        process.readyReadStandardOutput.connect(self._read)
        process.setStandardErrorFile(QProcess.nullDevice())
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._could_not_start)
        self._process, self._lines = process, ChildLines()
        process.start()
        adapters = {name: str(path) for name, path in self._voices.adapters}
        self._write({"model": str(self._voices.model), "adapters": adapters})
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
        elif said["event"] == "done":
            self._open = [number for number in self._open if number != said["ask"]]
            self.done.emit(
                said["ask"],
                Done(said["tokens"], said["seconds"], said["used"], said["left_out"], said["was_stopped"]),
            )
        elif said["event"] == "failed":
            numbers = [said["ask"]] if said["ask"] is not None else list(self._open)
            self._open = [number for number in self._open if number not in numbers]
            for number in numbers:
                self.failed.emit(number, said["text"], said["hint"], said["details"])

    @Slot(QProcess.ProcessError)
    def _could_not_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._let_go(self.sender())

    def _died(self) -> None:
        self._read()
        if self._process is not None:
            self._process.deleteLater()
        self._process = None
        self.context_tokens = 0
        self._give_up()

    def _give_up(self) -> None:
        numbers, self._open = self._open, []
        for number in numbers:
            text = self.tr("The model stopped unexpectedly. Your chat is safe.")
            self.failed.emit(number, text, self.tr("Ask again."), "")
