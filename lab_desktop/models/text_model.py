"""What every model in conversation offers, whoever runs it: requests in, replies out, many at once.

`models/llama.py` is the implementation on this computer; tests use `tests/fakes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lab_desktop.artifacts import ChatMessage


@dataclass(frozen=True)
class Request:
    """One reply that is wanted.

    Attributes:
        messages: the conversation so far; ends with the user's turn.
        max_tokens: the longest reply.
        temperature: 0 takes the likeliest token; else softmax temperature.
        seed: of the sampling; the same request gives the same reply.
        schema: a JSON schema the reply must follow (it becomes a grammar), or None for free text.
        choices: when given, nothing is written: the reply's `probabilities` say how likely each of these texts is to
            come next, renormalised over the choices, and its text is the likeliest.
        stop: the reply ends before the first of these texts.
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    schema: dict[str, Any] | None = None
    choices: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Attributes:
        text: without template tokens, stripped.
        finish: "stop" (the model ended it), "length" (max_tokens or the context was reached), "too_long" (the request
            itself does not fit into the context: text is "").
        prompt_tokens, tokens: how many were read and written.
        probabilities: one for each of `Request.choices`; empty without choices.
    """

    text: str
    finish: str
    prompt_tokens: int = 0
    tokens: int = 0
    probabilities: tuple[float, ...] = field(default=())


class TextModel(Protocol):
    """A model that answers many requests at once.

    Attributes:
        name: for people: the file's name without its ending, or the server's model name.
        context_tokens: the longest conversation, request and reply together.
    """

    name: str
    context_tokens: int

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has, without template."""
        ...

    def complete(
        self, requests: Sequence[Request], is_cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Reply]]:
        """Answer all requests; yields (index, reply) as each is done, in no fixed order.

        Raises:
            Cancelled: `is_cancelled` said so; it is asked before every step of the model.
            ModelError: the model failed.
        """
        ...

    def stream(self, request: Request, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[str]:
        """Answer one request, piece by piece as it is written.

        Raises:
            Cancelled, ModelError: as in `complete`.
        """
        ...
