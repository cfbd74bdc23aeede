"""A model that stays in conversation, in a process of its own: what a chat window and a lesson's editor talk to.

    python -m lab_desktop --chat

Reads JSON lines on standard input, the first of them an opening, then requests and stops:
    {"model": "/x.gguf", "adapters": {"new": "/y.gguf"}, "teacher": "/t.gguf"}
    {"ask": 1, "messages": [["user", "Who …?"]], "voice": "new", "temperature": 0.0, "seed": 0, "max_tokens": 512}
    {"suggest": 2, "passage": "…", "title": "Velmora", "given": [["Who …?", "Mira."]], "wanted": 3, "seed": 0}
    {"like": 3, "description": "…", "examples": [["Book …", "Expense: …", "its material"]], "number": 0, "seed": 0}
    {"quiz": 4, "questions": [["Who …?", "Mira."]], "voice": null, "judged": true}
    {"stop": 1}
The student answers "ask" and "quiz" (with the adapter that `voice` names), the teacher the others; a quiz that is
`judged` asks the teacher too. Without "teacher" in the opening only the student is there.

Writes JSON lines on standard output; "ask" is the request's number, whatever its kind:
    {"event": "ready", "name": "x", "context": 4096}
    {"event": "piece", "ask": 1, "text": "The"}
    {"event": "done", "ask": 1, "tokens": 12, "seconds": 0.4, "used": 310, "left_out": 0, "was_stopped": false}
    {"event": "opening", "ask": 2, "name": "t"}
    {"event": "suggestion", "ask": 2, "question": "…", "answer": "…", "sentence": "…", "context": "", "score": 1.0,
     "why": "…"}
    {"event": "mark", "ask": 4, "number": 0, "mark": "knows", "reply": "…", "why": "…"}
    {"event": "finished", "ask": 4, "counts": {"knows": 1, "partly": 0, "does not know": 4}, "seconds": 2.1,
     "was_stopped": false}
    {"event": "failed", "ask": 1 | null, "text": "…", "hint": "…", "details": "…"}
An "ask" ends with done or failed, the others with finished (counts of a suggestion: {"found": 2, "wanted": 3}) or
failed; what came before holds. A later mark of the same question stands for the earlier one. Requests are met one after
the other, and one that failed leaves the next in peace. The end of the input ends the process. Nothing is stored.

One model is in memory. A teacher that is the student's own file, with the adapter that taught it its trade, is that
model with another adapter, and changing between them takes no time. Another file takes the student's place when it is
needed and gives it back ("opening" says so); "ready" comes whenever the student is in hand.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_desktop import problems
from lab_desktop.artifacts import ChatMessage, Mark, Pair, QuizMark, SeedExample
from lab_desktop.errors import Cancelled, GenerationError, LabError
from lab_desktop.files import json_bytes
from lab_desktop.paths import taught_adapter

if TYPE_CHECKING:
    from lab_desktop.generation.suggest import Tutor
    from lab_desktop.models.llama import LlamaModel

ANSWER_TOKENS = 512
CONTEXT_TOKENS = 4096
_AT_ONCE = 8
_TEACHER = "teacher"
"""The name under which a teacher's adapter is loaded beside the student's."""

_Tell = Callable[..., None]


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
        line = json_bytes({"event": event, **values})
        try:
            while line:
                line = line[os.write(descriptor, line) :]
        except OSError:
            os._exit(0)  # nobody reads any more

    try:
        return _converse(opening, waiting, stopped, tell)
    except Exception as error:  # noqa: BLE001 - a model library may raise anything; the window says it in words
        tell("failed", ask=None, **_in_words(error, "work"))
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
    opening: dict[str, Any], waiting: queue.Queue[dict[str, Any] | None], stopped: _Stopped, tell: _Tell
) -> int:
    with contextlib.closing(_Models(opening, tell)) as models:
        if not models.has_other_teacher:
            models.student(None)
        while (said := waiting.get()) is not None:
            kind = next((name for name in _KINDS if isinstance(said.get(name), int)), "")
            if not kind:
                continue
            number = said[kind]
            try:
                _KINDS[kind](number, said, models, functools.partial(stopped.has, number), tell)
            except Exception as error:  # noqa: BLE001 - this request failed; the next one may not
                tell("failed", ask=number, **_in_words(error, "chat" if kind == "ask" else "lesson"))
    return 0


class _Models:
    """The model that is in memory: the student, or a teacher that is another file."""

    def __init__(self, opening: dict[str, Any], tell: _Tell) -> None:
        self._tell = tell
        self._student = Path(opening["model"])
        self._adapters = {name: Path(path) for name, path in opening.get("adapters", {}).items()}
        self._teacher = Path(opening["teacher"]) if opening.get("teacher") else None
        self._model: LlamaModel | None = None
        self._file: Path | None = None
        self._voice: str | None = None
        self._tutor: Tutor | None = None
        taught = taught_adapter(self._teacher) if self._teacher else None
        self._taught = {_TEACHER: taught} if taught else {}

    @property
    def has_teacher(self) -> bool:
        return self._teacher is not None

    @property
    def has_other_teacher(self) -> bool:
        return self._teacher is not None and self._teacher.resolve() != self._student.resolve()

    def student(self, voice: str | None) -> LlamaModel:
        """The student, answering with the adapter of that name; None: as it is."""
        if self._file == self._student:
            return self._speaking(voice)
        own = {} if self.has_other_teacher else self._taught
        model = self._open(self._student, {**self._adapters, **own})
        self._tell("ready", name=model.name, context=model.context_tokens)
        return self._speaking(voice)

    def teacher(self, number: int) -> LlamaModel:
        """The teacher, ready to write; `number` of the request that needs it."""
        if self._teacher is None:
            raise GenerationError("No teacher is chosen for this lesson.", "Choose one on the Models page.")
        if not self.has_other_teacher:
            self.student(self._voice)
        elif self._file != self._teacher:
            self._tell("opening", ask=number, name=self._teacher.stem)
            self._open(self._teacher, self._taught)
        return self._speaking(_TEACHER if self._taught else None)

    @contextlib.contextmanager
    def tutor(self, number: int, is_cancelled: Callable[[], bool]) -> Iterator[Tutor]:
        """The teacher, and how it works; what it reads inside is read once."""
        from lab_desktop.generation.suggest import meet

        model = self.teacher(number)
        if self._tutor is None or self._tutor.teacher is not model:
            assert self._teacher is not None
            self._tutor = meet(model, self._teacher, is_cancelled)
        with model.one_matter():
            yield self._tutor

    def close(self) -> None:
        model, self._model, self._file, self._voice, self._tutor = self._model, None, None, None, None
        if model is not None:
            model.close()

    def _open(self, file: Path, adapters: dict[str, Path]) -> LlamaModel:
        from lab_desktop.models.llama import LlamaModel

        self.close()
        self._model = LlamaModel(file, adapters=adapters, parallel=_AT_ONCE, cells=_cells(file))
        self._file = file
        return self._model

    def _speaking(self, voice: str | None) -> LlamaModel:
        assert self._model is not None
        if voice != self._voice:
            self._model.use_adapter(voice)
            self._voice = voice
        return self._model


def _cells(file: Path) -> int:
    """Room for one conversation: what is asked at once shares most of what it reads."""
    from lab_desktop.models.cache import planned_cells
    from lab_desktop.models.gguf import read_header

    header = read_header(file)
    return planned_cells(header, min(CONTEXT_TOKENS, int(header.setting("context_length", CONTEXT_TOKENS))), 1)


def _ask(number: int, said: dict[str, Any], models: _Models, is_stopped: Callable[[], bool], tell: _Tell) -> None:
    from lab_desktop.models.chat import fit_conversation
    from lab_desktop.models.text_model import Request

    if is_stopped():
        tell("done", ask=number, tokens=0, seconds=0.0, used=0, left_out=0, was_stopped=True)
        return
    model = models.student(said.get("voice"))
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
        for piece in model.stream(request, is_cancelled=is_stopped):
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


def _suggest(number: int, said: dict[str, Any], models: _Models, is_stopped: Callable[[], bool], tell: _Tell) -> None:
    from lab_desktop.generation.suggest import WANTED, suggest_questions

    counts = {"found": 0, "wanted": int(said.get("wanted", WANTED))}
    with _finished(number, counts, is_stopped, tell), models.tutor(number, is_stopped) as tutor:
        found = suggest_questions(
            tutor,
            str(said["passage"]),
            str(said.get("title", "")),
            [Pair(question, answer) for question, answer in said.get("given", [])],
            int(said.get("seed", 0)),
            counts["wanted"],
            is_stopped,
        )
        for suggestion in found:
            counts["found"] += 1
            tell("suggestion", ask=number, **asdict(suggestion))


def _like(number: int, said: dict[str, Any], models: _Models, is_stopped: Callable[[], bool], tell: _Tell) -> None:
    from lab_desktop.generation.suggest import suggest_like

    counts = {"found": 0, "wanted": 1}
    with _finished(number, counts, is_stopped, tell), models.tutor(number, is_stopped) as tutor:
        examples = [
            SeedExample((Pair(question, answer),), material or None) for question, answer, material in said["examples"]
        ]
        suggestion = suggest_like(
            tutor,
            str(said.get("description", "")),
            examples,
            int(said["number"]),
            int(said.get("seed", 0)),
            is_stopped,
        )
        counts["found"] = 1
        tell("suggestion", ask=number, **asdict(suggestion))


def _quiz(number: int, said: dict[str, Any], models: _Models, is_stopped: Callable[[], bool], tell: _Tell) -> None:
    from lab_desktop.evaluation.quiz import looked_at_again, quiz

    pairs = [Pair(question, answer) for question, answer in said["questions"]]
    marks: dict[int, QuizMark] = {}
    counts = dict.fromkeys(map(str, Mark), 0)

    def note(mark: QuizMark) -> None:
        marks[mark.number] = mark
        counts.update({name: sum(each.mark == name for each in marks.values()) for name in counts})
        tell("mark", ask=number, **asdict(mark))

    with _finished(number, counts, is_stopped, tell):
        for mark in quiz(pairs, models.student(said.get("voice")), is_stopped):
            note(mark)
        if said.get("judged", True) and models.has_teacher and any(each.mark != Mark.KNOWS for each in marks.values()):
            for mark in looked_at_again(pairs, list(marks.values()), models.teacher(number), is_stopped):
                note(mark)


@contextlib.contextmanager
def _finished(number: int, counts: dict[str, int], is_stopped: Callable[[], bool], tell: _Tell) -> Iterator[None]:
    """Tell how a request ended whose answers are counted, unless it failed."""
    began = time.monotonic()
    was_stopped = False
    try:
        if is_stopped():
            raise Cancelled
        yield
    except Cancelled:
        was_stopped = True
    tell("finished", ask=number, counts=counts, seconds=round(time.monotonic() - began, 3), was_stopped=was_stopped)


_KINDS: dict[str, Callable[[int, dict[str, Any], _Models, Callable[[], bool], _Tell], None]] = {
    "ask": _ask, "suggest": _suggest, "like": _like, "quiz": _quiz,
}  # fmt: skip


def _in_words(error: Exception, safe: str) -> dict[str, str]:
    if isinstance(error, LabError):
        return {"text": error.message, "hint": error.hint, "details": error.details}
    problems.write("chat", error)
    return {
        "text": f"The model stopped unexpectedly. Your {safe} is safe.",
        "hint": "Ask again; if it happens again, report it with the details.",
        "details": "".join(traceback.format_exception(error)),
    }
