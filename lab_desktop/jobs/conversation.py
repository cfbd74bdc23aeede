"""A model that stays in conversation, in a process of its own: what a chat window talks to.

    python -m lab_desktop --chat

Reads JSON lines on standard input, the first of them an opening, then questions and stops:
    {"model": "/x.gguf", "adapters": {"new": "/y.gguf"}}
    {"ask": 1, "messages": [["user", "Who …?"]], "voice": "new", "temperature": 0.0, "seed": 0, "max_tokens": 512}
    {"stop": 1}
Writes JSON lines on standard output:
    {"event": "ready", "name": "x", "context": 4096}
    {"event": "piece", "ask": 1, "text": "The"}
    {"event": "done", "ask": 1, "tokens": 12, "seconds": 0.4, "used": 310, "left_out": 0, "was_stopped": false}
    {"event": "failed", "ask": 1 | null, "text": "…", "hint": "…", "details": "…"}
Questions are answered one after the other. The end of the input ends the process. Nothing is stored.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import Cancelled, LabError

ANSWER_TOKENS = 512


def main() -> int:
    """Converse until the input ends; 0, or 1 when the model could not be opened."""
    descriptor = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
    stopped = _Stopped()
    threading.Thread(target=_read, args=(waiting, stopped), name="questions", daemon=True).start()
    opening = waiting.get()
    if opening is None:
        return 0

    def tell(event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}, ensure_ascii=False).encode("utf-8") + b"\n"
        try:
            while line:
                line = line[os.write(descriptor, line) :]
        except OSError:
            os._exit(0)  # nobody reads any more

    try:
        return _converse(opening, waiting, stopped, tell)
    except Exception as error:  # noqa: BLE001 - a model library may raise anything; the window says it in words
        tell("failed", ask=None, **_in_words(error))
        return 1


class _Stopped:
    """The questions that the person does not want answered any more."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()

    def add(self, number: int) -> None:
        self._numbers.add(number)

    def has(self, number: int) -> bool:
        return number in self._numbers or -1 in self._numbers


def _read(waiting: queue.Queue[dict[str, Any] | None], stopped: _Stopped) -> None:
    with contextlib.suppress(OSError), open(0, "rb", buffering=0, closefd=False) as lines:
        for line in lines:
            try:
                said = json.loads(line)
                if isinstance(said, dict) and "stop" in said:
                    stopped.add(int(said["stop"]))
                elif isinstance(said, dict):
                    waiting.put(said)
            except (ValueError, TypeError):
                continue
    stopped.add(-1)
    waiting.put(None)


def _converse(
    opening: dict[str, Any], waiting: queue.Queue[dict[str, Any] | None], stopped: _Stopped, tell: Any
) -> int:
    from lab_desktop.models.chat import fit_conversation
    from lab_desktop.models.llama import LlamaModel
    from lab_desktop.models.text_model import Request

    adapters = {name: Path(path) for name, path in opening.get("adapters", {}).items()}
    with LlamaModel(Path(opening["model"]), adapters=adapters, parallel=1) as model:
        tell("ready", name=model.name, context=model.context_tokens)
        voice: str | None = None
        while (said := waiting.get()) is not None:
            number = int(said["ask"])
            if stopped.has(number):
                tell("done", ask=number, tokens=0, seconds=0.0, used=0, left_out=0, was_stopped=True)
                continue
            try:
                if said.get("voice") != voice:
                    model.use_adapter(said.get("voice"))
                    voice = said.get("voice")
                most = int(said.get("max_tokens", ANSWER_TOKENS))
                turns = [ChatMessage(role, text) for role, text in said["messages"]]
                messages, left_out = fit_conversation(
                    turns, lambda kept: len(model.tokenizer.chat_prompt(kept)), model.context_tokens - most
                )
                request = Request(messages, most, float(said.get("temperature", 0.0)), int(said.get("seed", 0)))
                began = time.monotonic()
                tokens = 0
                was_stopped = False
                try:
                    for piece in model.stream(request, is_cancelled=lambda: stopped.has(number)):  # noqa: B023
                        tokens += 1
                        tell("piece", ask=number, text=piece)
                except Cancelled:
                    was_stopped = True
                tell(
                    "done",
                    ask=number,
                    tokens=tokens,
                    seconds=round(time.monotonic() - began, 3),
                    used=len(model.tokenizer.chat_prompt(messages)) + tokens,
                    left_out=left_out,
                    was_stopped=was_stopped,
                )
            except Exception as error:  # noqa: BLE001 - this question failed; the next one may not
                tell("failed", ask=number, **_in_words(error))
    return 0


def _in_words(error: Exception) -> dict[str, str]:
    if isinstance(error, LabError):
        return {"text": error.message, "hint": error.hint, "details": error.details}
    return {
        "text": "The model stopped unexpectedly. Your chat is safe.",
        "hint": "Ask again; if it happens again, report it with the details.",
        "details": "".join(traceback.format_exception(error)),
    }
