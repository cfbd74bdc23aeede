"""Short ways to ask the engine, and to have all replies in the order of the requests."""

from __future__ import annotations

from typing import Any

from lab_desktop.artifacts import ChatMessage
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Reply, Request

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "maxLength": 12}, "score": {"enum": [1, 2, 3]}},
    "required": ["question", "score"],
    "additionalProperties": False,
}


def ask(text: str, system: str = "", **settings: Any) -> Request:
    messages = ([ChatMessage("system", system)] if system else []) + [ChatMessage("user", text)]
    return Request(tuple(messages), **{"max_tokens": 12, **settings})


def replies(model: LlamaModel, requests: list[Request]) -> list[Reply]:
    found = dict(model.complete(requests))
    assert sorted(found) == list(range(len(requests)))
    return [found[index] for index in range(len(requests))]
