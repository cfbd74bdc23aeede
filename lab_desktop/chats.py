"""Saved conversations: one file each, written after every turn, so that a crash costs at most the answer in hand.

A chat is a folder-less file `<id>.json` below `paths.user_data()/chats`; its title is its first question.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import Role
from lab_desktop.errors import RunError
from lab_desktop.files import read_json, write_json

_TITLE = 60


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        role: "user" or "assistant".
        voice: who answered: "" the original, "new" what it became.
        tokens, seconds: of an answer.
        was_stopped: the person stopped it.
        column: in a comparison, which of the two answers it is: 0 or 1; else 0.
    """

    role: Role
    text: str
    voice: str = ""
    tokens: int = 0
    seconds: float = 0.0
    was_stopped: bool = False
    column: int = 0


@dataclass(frozen=True)
class Chat:
    """A conversation.

    Attributes:
        project: name of the project's folder, or "".
        is_compare: two answers follow each question.
        changed: UTC seconds.
    """

    id: str
    project: str = ""
    is_compare: bool = False
    turns: tuple[Turn, ...] = field(default=())
    changed: float = 0.0

    @property
    def title(self) -> str:
        first = next((turn.text for turn in self.turns if turn.role == "user"), "")
        line = " ".join(first.split())
        return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def new(project: str = "", *, is_compare: bool = False) -> Chat:
    return Chat(uuid.uuid4().hex[:12], project, is_compare)


def save(folder: Path, chat: Chat) -> Chat:
    """Write a chat; an empty one is not kept.

    Raises:
        StorageError: it could not be written.
    """
    chat = replace(chat, changed=time.time())
    if chat.turns:
        write_json(folder / f"{chat.id}.json", _to_json(chat))
    return chat


def every(folder: Path) -> list[Chat]:
    """All chats, the newest first; a damaged file is left out and left alone."""
    found = []
    for path in folder.glob("*.json"):
        try:
            found.append(_from_json(path.stem, read_json(path, "turns")))
        except (RunError, KeyError, TypeError, ValueError):
            continue
    return sorted(found, key=lambda chat: chat.changed, reverse=True)


def search(chats: Sequence[Chat], words: str) -> list[Chat]:
    """The chats in which every word stands somewhere."""
    wanted = words.lower().split()
    return [chat for chat in chats if all(any(word in turn.text.lower() for turn in chat.turns) for word in wanted)]


def delete(folder: Path, chat: Chat) -> None:
    (folder / f"{chat.id}.json").unlink(missing_ok=True)


def _to_json(chat: Chat) -> dict[str, Any]:
    return {
        "project": chat.project,
        "is_compare": chat.is_compare,
        "changed": round(chat.changed, 3),
        "turns": [vars(turn) | {"seconds": round(turn.seconds, 3)} for turn in chat.turns],
    }


def _from_json(name: str, value: dict[str, Any]) -> Chat:
    turns = tuple(Turn(**turn) for turn in value["turns"])
    if not all(isinstance(turn.text, str) and isinstance(turn.voice, str) for turn in turns):
        raise TypeError(name)
    return Chat(
        name,
        str(value.get("project", "")),
        bool(value.get("is_compare")),
        turns,
        float(value.get("changed", 0.0)),
    )
