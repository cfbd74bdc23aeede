"""A model on a server: `TextModel` over the OpenAI-compatible interface of vLLM, llama-server, LM Studio, Ollama.

Reads `GET /models`, asks `POST /chat/completions`. A server shows less of its model than an engine of our own does, and
servers differ in what they show. What is missing is made up for honestly:

    a reply of a certain form   the server holds it to the schema (`response_format`), or to a grammar (llama.cpp), or
                                it is asked in words and the reply is checked; which of them, a trial finds out
    how likely each choice is   read from the likeliest first tokens (`logprobs`); a server that does not tell them is
                                asked five times, and the shares of its words stand for the probabilities
    how many tokens a text has  estimated; passages are cut with the student's own tokenizer
    shared beginnings           are the server's business; requests that begin alike are sent one after the other

Text leaves the computer here: who opens a `RemoteModel` has asked `servers.require_agreed`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ServerError
from lab_desktop.models.remote_calls import Line, Lines, Refused
from lab_desktop.models.text_model import Reply, Request
from lab_desktop.servers import Server

Form = Literal["schema", "grammar", "asked"]
"""How a server holds a reply to a schema."""

_HELD: tuple[Form, ...] = ("schema", "grammar")
"""The ways in which a reply cannot be otherwise."""
_AT_ONCE = 8
_PATIENCE_S = 600.0
_CONTEXT_TOKENS = 4096
"""Where the server does not tell."""
_CONTEXT_NAMES = ("max_model_len", "n_ctx", "context_length", "max_context_length", "context_window", "n_ctx_train")
"""What vLLM, llama-server, LM Studio and others call the longest conversation."""
_LIKELIEST = 20
"""As many first tokens as servers tell at most."""
_VOTES = 5
_VOTE_TOKENS = 8
_TRIALS = 3
"""So often a reply that is only asked to have a form is asked for, until it has it."""
_LONGEST_SEED = 2**31 - 1
_BYTES_A_TOKEN = 3.5
_TRIAL_SCHEMA = {
    "type": "object",
    "properties": {"lab": {"type": "string", "enum": ["ready"]}},
    "required": ["lab"],
    "additionalProperties": False,
}
_THINKING = re.compile(r"\A\s*<think>.*?(</think>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Offer:
    """What a server offers.

    Attributes:
        models: their names, in the server's order; empty where it does not tell.
        context_tokens: of each, where it tells.
    """

    models: tuple[str, ...]
    context_tokens: Mapping[str, int]


@dataclass(frozen=True)
class Trial:
    """What came of a first question to a model.

    Attributes:
        seconds: until it answered.
        form: how it holds replies to a form.
        tells_odds: whether it tells how likely its words are.
    """

    seconds: float
    form: Form
    tells_odds: bool

    @property
    def sentence(self) -> str:
        """For people."""
        words = f"It answered in {self.seconds:.1f} seconds."
        if self.form == "asked":
            words += " It does not hold its answers to a form, so some may be lost."
        if not self.tells_odds:
            words += " It does not say how sure it is, so judging takes five times as long."
        return words


class RemoteModel:
    """A model on a server (`TextModel`). It may be used by one thread at a time.

    Attributes:
        name: what the server calls it.
        context_tokens: the longest conversation, request and reply together; an assumption where the server is silent.
        server: where it is.
    """

    def __init__(
        self,
        server: Server,
        key: str = "",
        *,
        parallel: int = _AT_ONCE,
        patience_s: float = _PATIENCE_S,
        first_wait_s: float = 0.5,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ask the server what it has.

        Args:
            server: without a model it must have exactly one.
            key: "" where it wants none.
            parallel: requests at once.
            patience_s, first_wait_s: as in `Lines`.

        Raises:
            ServerError: it cannot be reached, wants another key, or has no such model.
            Cancelled: `is_cancelled` said so.
        """
        self._lines = Lines(server, key, parallel, patience_s, first_wait_s)
        self._form: Form | None = None
        self._tells_odds = True
        self._finding_out = threading.Lock()
        with contextlib.ExitStack() as opened:
            opened.callback(self._lines.close)
            offer = _offer(self._lines, is_cancelled)
            self.server = server.with_model(_named(server, offer.models))
            self.name = self.server.model
            self.context_tokens = offer.context_tokens.get(self.name, _CONTEXT_TOKENS)
            self._opened = opened.pop_all()

    def count_tokens(self, text: str) -> int:
        """About how many tokens a text has: the server's tokenizer is not at hand."""
        return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)

    def complete(
        self, requests: Sequence[Request], is_cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Reply]]:
        """Answer all requests; yields (index, reply) as each is done, in no fixed order.

        Raises:
            Cancelled: `is_cancelled` said so; within 30 ms, and the server is hung up on.
            ServerError: the server cannot be reached, or does not take a request.
        """
        # Neighbours in this order have the longest beginnings in common, which servers keep for a while.
        order = sorted(range(len(requests)), key=lambda index: [each.content for each in requests[index].messages])

        def call(request: Request) -> Callable[[Line], Iterator[Reply]]:
            return lambda line: iter([self._reply(line, request)])

        for place, reply in self._lines.each([call(requests[index]) for index in order], is_cancelled):
            yield order[place], reply

    def stream(self, request: Request, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[str]:
        """Answer one request, piece by piece; the pieces together are the reply's text.

        Raises:
            Cancelled, ServerError: as in `complete`; also ServerError when the conversation does not fit.
        """
        if request.choices or request.schema is not None or request.max_tokens < 1:
            for _, reply in self.complete([request], is_cancelled):
                yield reply.text
            return

        def call(line: Line) -> Iterator[str]:
            for event in line.stream("/chat/completions", {**self._body(request), "stream": True}):
                for choice in _list(event, "choices"):
                    yield _text(_dict(choice, "delta"), "content")

        held = ""
        has_begun = False
        for _, piece in self._lines.each([call], is_cancelled):
            held += piece if has_begun else piece.lstrip()
            shown = held.rstrip()  # blanks at the very end are not part of a reply
            if shown:
                has_begun = True
                yield shown
                held = held[len(shown) :]

    def try_out(self, is_cancelled: Callable[[], bool] = lambda: False) -> Trial:
        """Ask one small question, and find out what the server can do.

        Raises:
            Cancelled, ServerError: as in `complete`.
        """
        began = time.monotonic()
        hello = Request((ChatMessage("user", "Say hello."),), max_tokens=8)
        list(self.complete([hello], is_cancelled))
        seconds = time.monotonic() - began
        asked = Request((ChatMessage("user", "Is water wet? Say YES or NO."),), choices=("YES", "NO"))
        list(self.complete([replace(hello, schema=_TRIAL_SCHEMA, max_tokens=48), asked], is_cancelled))
        return Trial(seconds, self._form or "asked", self._tells_odds)

    def close(self) -> None:
        """Close the connections. A second call does nothing."""
        self._opened.close()

    def __enter__(self) -> RemoteModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # One request

    def _reply(self, line: Line, request: Request) -> Reply:
        try:
            if request.choices:
                return self._chosen(line, request)
            if request.max_tokens < 1:
                return Reply("", "length")
            if request.schema is not None:
                return self._formed(line, request, request.schema)
            return _reply(line.post("/chat/completions", self._body(request)), request.stop)
        except Refused as refused:
            if refused.is_too_long:
                return Reply("", "too_long")
            raise

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": each.role, "content": each.content} for each in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed % _LONGEST_SEED,
        }
        return {**body, "stop": list(request.stop)} if request.stop else body

    def _formed(self, line: Line, request: Request, schema: dict[str, Any]) -> Reply:
        form = self._found_form(line)
        if form != "asked":
            answer = line.post("/chat/completions", {**self._body(request), **_held_to(schema, form)})
            return _reply(answer, request.stop)
        reply = Reply("", "stop")
        for trial in range(_TRIALS):
            # Greedily the same mistake would be made again.
            temperature = max(request.temperature, 0.5 * min(trial, 1))
            again = replace(request, seed=request.seed + trial, temperature=temperature)
            reply = _reply(line.post("/chat/completions", self._body(_in_words(again, schema))), request.stop)
            found = _json_in(reply.text)
            if found is not None and _follows(found, schema):
                return replace(reply, text=json.dumps(found, ensure_ascii=False))
        return reply

    def _found_form(self, line: Line) -> Form:
        """How this server holds replies to a form: the first way that changes what it says."""
        with self._finding_out:
            if self._form is None:
                held = list(itertools.islice((form for form in _HELD if self._holds(line, form)), 1))
                self._form = held[0] if held else "asked"
            return self._form

    def _holds(self, line: Line, form: Form) -> bool:
        request = Request((ChatMessage("user", "Say hello."),), max_tokens=48)
        try:
            answer = line.post("/chat/completions", {**self._body(request), **_held_to(_TRIAL_SCHEMA, form)})
        except Refused:
            return False
        # Nobody says hello like this who is not held to it.
        return bool(_json_in(_reply(answer, ()).text) == {"lab": "ready"})

    def _chosen(self, line: Line, request: Request) -> Reply:
        shares = self._odds(line, request) if self._tells_odds else ()
        shares = shares or self._votes(line, request)
        if not shares:
            return Reply("", "stop")
        likeliest = request.choices[shares.index(max(shares))]
        return Reply(likeliest.strip(), "stop", probabilities=shares)

    def _odds(self, line: Line, request: Request) -> tuple[float, ...]:
        """The probability of each choice by the first token; () where it cannot be told from that."""
        body = {**self._body(replace(request, max_tokens=1)), "logprobs": True, "top_logprobs": _LIKELIEST}
        try:
            answer = line.post("/chat/completions", body)
        except Refused as refused:
            if refused.is_too_long:
                raise
            self._tells_odds = False
            return ()
        first = (_list(_dict(_first(answer), "logprobs"), "content") or [None])[0]
        told = _list(first, "top_logprobs")
        if not told:
            self._tells_odds = False
            return ()
        weights = [0.0] * len(request.choices)
        for each in told:
            logarithm = each.get("logprob") if isinstance(each, dict) else None
            meant = _meant(_text(each, "token"), request.choices, is_cut=True)
            if meant is not None and isinstance(logarithm, (int, float)) and logarithm <= 0:
                weights[meant] += math.exp(logarithm)
        return _shares(weights)

    def _votes(self, line: Line, request: Request) -> tuple[float, ...]:
        """The share of each choice among some replies at temperature 1: an estimate of its probability."""
        weights = [0.0] * len(request.choices)
        for vote in range(_VOTES):
            asked = replace(request, max_tokens=_VOTE_TOKENS, temperature=1.0, seed=request.seed + vote)
            reply = _reply(line.post("/chat/completions", self._body(asked)), ())
            meant = _meant(reply.text, request.choices, is_cut=False)
            if meant is not None:
                weights[meant] += 1.0
        return _shares(weights)


def offer(
    server: Server, key: str = "", patience_s: float = 30.0, is_cancelled: Callable[[], bool] = lambda: False
) -> Offer:
    """What a server offers; no text of the person's is sent.

    Raises:
        ServerError: it cannot be reached, or wants another key.
        Cancelled: `is_cancelled` said so.
    """
    with contextlib.closing(Lines(server, key, 1, patience_s)) as lines:
        return _offer(lines, is_cancelled)


def _offer(lines: Lines, is_cancelled: Callable[[], bool]) -> Offer:
    def call(line: Line) -> Iterator[Any]:
        try:
            yield line.get("/models")
        except Refused:  # a server that has no list
            yield {"data": []}

    answer = [value for _, value in lines.each([call], is_cancelled)]
    rows = [row for row in _list(answer[0], "data") if isinstance(row, dict) and isinstance(row.get("id"), str)]
    lengths = {row["id"]: length for row in rows if (length := _context_of(row))}
    return Offer(tuple(row["id"] for row in rows), lengths)


def _context_of(row: Mapping[str, Any]) -> int | None:
    places = (row, row.get("meta"))
    known = (place[name] for name in _CONTEXT_NAMES for place in places if isinstance(place, dict) and name in place)
    return next((length for length in known if isinstance(length, int) and 0 < length < 10**8), None)


def _named(server: Server, models: Sequence[str]) -> str:
    """The server's own name of the model that is meant; "llama3" means "llama3:latest" too."""
    if not models and server.model:
        return server.model
    meant = [name for name in models if server.model in ("", name, name.removesuffix(":latest"))]
    if len(meant) == 1 or server.model in meant:
        return server.model if server.model in meant else meant[0]
    names = ", ".join(models[:6]) + (" …" if len(models) > 6 else "")
    if not server.model:
        raise ServerError(
            f"{server.host} has {len(models)} models, and none is chosen.",
            f"Write one behind the address, after a #. It has: {names}" if names else "Write its name after a #.",
        )
    raise ServerError(f'{server.host} has no model "{server.model}".', f"Choose one of its models: {names}")


def _held_to(schema: dict[str, Any], form: Form) -> dict[str, Any]:
    if form == "schema":
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}}
    from lab_desktop.models.grammar import rules_of

    return {"grammar": rules_of(schema)}


def _in_words(request: Request, schema: dict[str, Any]) -> Request:
    """The request with what it must look like at its end."""
    asked = f"\n\nAnswer with JSON and nothing else. It must follow this JSON schema: {json.dumps(schema)}"
    *before, last = request.messages
    return replace(request, messages=(*before, ChatMessage(last.role, last.content + asked)))


def _json_in(text: str) -> Any:
    """The JSON object in a reply, also between words or in a code block; None where there is none."""
    start = text.find("{")
    while start >= 0:
        with contextlib.suppress(ValueError, RecursionError):
            return json.JSONDecoder().raw_decode(text, start)[0]
        start = text.find("{", start + 1)
    return None


def _follows(value: Any, schema: dict[str, Any]) -> bool:
    import jsonschema

    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def _reply(answer: Any, stop: Sequence[str]) -> Reply:
    choice = _first(answer)
    usage = _dict(answer, "usage")
    text = _THINKING.sub("", _text(_dict(choice, "message"), "content"))
    ends = [at for each in stop if each and (at := text.find(each)) >= 0]
    finish = "length" if choice.get("finish_reason") == "length" and not ends else "stop"
    read, written = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
    return Reply(
        (text[: min(ends)] if ends else text).strip(),
        finish,
        read if isinstance(read, int) else 0,
        written if isinstance(written, int) else 0,
    )


def _first(answer: Any) -> dict[str, Any]:
    """
    Raises:
        ServerError: the answer holds no reply.
    """
    choice = (_list(answer, "choices") or [None])[0]
    if not isinstance(choice, dict):
        raise ServerError(
            "The server answered, but not with a reply of a model.",
            "Check the address; it mostly ends in /v1.",
            json.dumps(answer)[:200],
        )
    return choice


def _meant(text: str, choices: Sequence[str], *, is_cut: bool) -> int | None:
    """Which choice a text means: what it begins with, or with a first token (`is_cut`) what begins with it."""
    said = text.strip().casefold()
    spelled = [choice.strip().casefold() for choice in choices]
    meant = [number for number, choice in enumerate(spelled) if said and (
        choice.startswith(said) if is_cut else re.match(rf"{re.escape(choice)}(?!\w)", said)
    )]  # fmt: skip
    return meant[0] if len(meant) == 1 else None


def _shares(weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights) if total > 0 else ()


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _dict(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
