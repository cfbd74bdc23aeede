"""Saved conversations: one file each, written after every turn, so that a crash costs at most the answer in hand.

A chat is a file `<id>.json` below `paths.user_data()/chats`; its title is what the person named it, else its first
question. A deleted one lies in `bin` beside them for thirty days.

Whoever asks again in other words, or has a question answered again, parts the chat: it goes on another way, and the
way it went before is kept (`part`). Ways that part at one place are walked there (`ways`, `walk`).
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import Role
from lab_desktop.bins import BIN_DAYS
from lab_desktop.errors import RunError
from lab_desktop.files import disk_errors, read_json, write_json

_TITLE = 60
_BIN = "bin"
_MOST_BINNED = 20
"""A menu of more is searched in vain."""


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        role: "user" or "assistant".
        voice: who answered: "" the original, "new" what it became.
        model: the model file that answered, as a word; "" in chats of older versions.
        tokens, seconds: of an answer.
        was_stopped: the person stopped it.
        column: in a comparison, which of the two answers it is: 0 or 1; else 0.
        choice: of a question asked blind: the answer that was better, "new", "original" or "same"; "" before the vote.
    """

    role: Role
    text: str
    voice: str = ""
    tokens: int = 0
    seconds: float = 0.0
    was_stopped: bool = False
    column: int = 0
    model: str = ""
    choice: str = ""


@dataclass(frozen=True)
class Chat:
    """A conversation.

    Attributes:
        project: name of the project's folder, or "".
        is_compare: two answers follow each question.
        is_blind: whose they are is said after the vote.
        voice: who is asked when it is no comparison: "new" where there is one, or "" for the original.
        turns: the way in hand, from the first question on.
        name: what the person calls it; "" for its first question.
        changed: UTC seconds.
        others: the other ways, from the first question on, in the order in which they began.
        place: where the way in hand stands among them.
    """

    id: str
    project: str = ""
    is_compare: bool = False
    turns: tuple[Turn, ...] = field(default=())
    changed: float = 0.0
    is_blind: bool = False
    voice: str = "new"
    name: str = ""
    others: tuple[tuple[Turn, ...], ...] = ()
    place: int = 0

    @property
    def title(self) -> str:
        if self.name:
            return self.name
        first = next((turn.text for turn in self.turns if turn.role == "user"), "")
        line = " ".join(first.split())
        return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def new(project: str = "") -> Chat:
    return Chat(uuid.uuid4().hex[:12], project)


def save(folder: Path, chat: Chat) -> Chat:
    """Write a chat that was talked in; an empty one is not kept.

    Raises:
        StorageError: it could not be written.
    """
    chat = replace(chat, changed=time.time())
    if chat.turns:
        _write(folder, chat)
    return chat


def rename(folder: Path, chat: Chat, name: str) -> Chat:
    """Call a chat so; "" gives it back its first question. It keeps its place in the list.

    Raises:
        StorageError: it could not be written.
    """
    chat = replace(chat, name=" ".join(name.split()))
    _write(folder, chat)
    return chat


def delete(folder: Path, chat: Chat) -> None:
    """Put a chat into the bin.

    Raises:
        StorageError: it could not be moved, and stays.
    """
    target = folder / _BIN / f"{chat.id}.json"
    with disk_errors(target, "The chat"):
        target.parent.mkdir(parents=True, exist_ok=True)
        source = folder / f"{chat.id}.json"
        os.utime(source)  # from now on its days in the bin are counted
        source.replace(target)


def restore(folder: Path, chat: Chat) -> None:
    """Take a chat out of the bin again.

    Raises:
        StorageError: it could not be moved.
    """
    with disk_errors(folder, "The chat"):
        (folder / _BIN / f"{chat.id}.json").replace(folder / f"{chat.id}.json")


@dataclass(frozen=True)
class Binned:
    """A chat in the bin.

    Attributes:
        deleted: seconds since 1970.
    """

    chat: Chat
    deleted: float

    @property
    def title(self) -> str:
        return self.chat.title


def binned(folder: Path) -> list[Binned]:
    """The chats that were deleted last, the newest first; what cannot be read is left out."""
    newest = sorted(_dated_bin(folder), reverse=True)[:_MOST_BINNED]
    read = [(_from_file(path), deleted) for deleted, path in newest]
    return [Binned(chat, deleted) for chat, deleted in read if chat is not None]


def clear_bin(folder: Path, now: float | None = None) -> None:
    """Delete for good what has lain in the bin for thirty days at `now` (seconds since 1970)."""
    oldest = (time.time() if now is None else now) - BIN_DAYS * 86400
    for deleted, path in _dated_bin(folder):
        if deleted < oldest:
            with contextlib.suppress(OSError):
                path.unlink()


def _dated_bin(folder: Path) -> list[tuple[float, Path]]:
    """(when it was deleted, file) of what lies in the bin; nothing where its folder may not be opened."""
    dated = []
    with contextlib.suppress(OSError):
        for path in (folder / _BIN).glob("*.json"):
            dated.append((path.stat().st_mtime, path))
    return dated


@dataclass(frozen=True)
class Ways:
    """The ways that part at one place of a chat.

    Attributes:
        now: which of them the chat goes, from 0.
        leads: for each the newest chat that goes it, as a place among all ways.
    """

    now: int
    leads: tuple[int, ...]


def part(chat: Chat, turns: tuple[Turn, ...]) -> Chat:
    """The chat going another way from some place on; the way so far is kept.

    Args:
        turns: the new way, from the first question on.
    """
    if _is_said(chat.turns, (turns,)):
        return replace(chat, turns=turns)
    others = chat.others if _is_said(chat.turns, chat.others) else _all_ways(chat)
    return replace(chat, turns=turns, others=others, place=len(others))


def walk(chat: Chat, at: int, by: int) -> Chat:
    """The chat going the next of the ways that part at a place, or one before; after the last comes the first."""
    found = ways(chat).get(at)
    if found is None:
        return chat
    lead = found.leads[(found.now + by) % len(found.leads)]
    every_way = _all_ways(chat)
    left = {lead} | ({chat.place} if _is_said(chat.turns, chat.others) else set())
    kept = [number for number in range(len(every_way)) if number not in left]
    others = tuple(every_way[number] for number in kept)
    return replace(chat, turns=every_way[lead], others=others, place=sum(number < lead for number in kept))


def ways(chat: Chat) -> dict[int, Ways]:
    """Where other ways part from the one in hand: the place of a question, or of the first answer to one."""
    if not chat.others:
        return {}
    parts: set[int] = set()
    shared = []
    every_way = _all_ways(chat)
    for way in every_way:
        same = _shared(way, chat.turns)
        shared.append(same)
        if same == len(way):
            continue
        if same == len(chat.turns) and way[same].role == "user":
            continue  # it is this way, and goes on
        parts.add(same if way[same].role == "user" else _first_answer(way, same))
    found = {}
    for at in sorted(parts):
        leads: dict[tuple[Turn, ...], int] = {}
        for number, (way, same) in enumerate(zip(every_way, shared, strict=True)):
            if same >= at and (len(way) > at or number == chat.place):
                leads[_step(way, at)] = number
        if len(leads) > 1:
            found[at] = Ways(list(leads).index(_step(chat.turns, at)), tuple(leads.values()))
    return found


def _all_ways(chat: Chat) -> tuple[tuple[Turn, ...], ...]:
    return (*chat.others[: chat.place], chat.turns, *chat.others[chat.place :])


def _is_said(way: tuple[Turn, ...], others: Sequence[tuple[Turn, ...]]) -> bool:
    """Another way says all that this one does."""
    return any(_shared(way, other) == len(way) for other in others)


def _shared(one: tuple[Turn, ...], other: tuple[Turn, ...]) -> int:
    """How many turns two ways have in common; a vote about a question makes it no other question."""
    for at, (turn, turn_there) in enumerate(zip(one, other, strict=False)):
        if turn is not turn_there and _unvoted(turn) != _unvoted(turn_there):
            return at
    return min(len(one), len(other))


def _first_answer(way: tuple[Turn, ...], at: int) -> int:
    while at > 0 and way[at - 1].role == "assistant":
        at -= 1
    return at


def _step(way: tuple[Turn, ...], at: int) -> tuple[Turn, ...]:
    """What a way says at a place: a question, or all answers to one."""
    if at < len(way) and way[at].role == "user":
        return (_unvoted(way[at]),)
    return tuple(itertools.takewhile(lambda turn: turn.role == "assistant", way[at:]))


def _unvoted(turn: Turn) -> Turn:
    return replace(turn, choice="") if turn.choice else turn


class Shelf:
    """The saved chats of a folder; each file is read once, and again only when it changed.

    Attributes:
        chats: what was read, the newest first.
        damaged: files that cannot be read, by name; they are left alone.
    """

    def __init__(self, folder: Path) -> None:
        self.chats: list[Chat] = []
        self.damaged: list[Path] = []
        self._folder = folder
        self._read: dict[str, tuple[tuple[int, int], Chat | None]] = {}

    def look(self, most_s: float = math.inf) -> bool:
        """Read what is new or changed; False when the time was up before the last file."""
        began = time.monotonic()
        found: dict[str, tuple[tuple[int, int], Chat | None]] = {}
        is_whole = True
        for path in self._folder.glob("*.json"):
            try:
                state = path.stat()
            except OSError:
                continue
            stamp = (state.st_mtime_ns, state.st_size)
            known = self._read.get(path.name)
            if known is not None and known[0] == stamp:
                found[path.name] = known
            elif time.monotonic() - began <= most_s:
                found[path.name] = (stamp, _from_file(path))
            else:
                is_whole = False
                if known is not None:
                    found[path.name] = known
        self._read = found
        chats = (chat for _, chat in found.values() if chat is not None)
        self.chats = sorted(chats, key=lambda chat: chat.changed, reverse=True)
        self.damaged = sorted(self._folder / name for name, (_, chat) in found.items() if chat is None)
        return is_whole

    def take(self, chat: Chat) -> None:
        """Know a chat that was just saved without reading it again."""
        path = self._folder / f"{chat.id}.json"
        with contextlib.suppress(OSError):
            state = path.stat()
            self._read[path.name] = ((state.st_mtime_ns, state.st_size), chat)


def every(folder: Path) -> list[Chat]:
    """All chats, the newest first; a damaged file is left out and left alone."""
    shelf = Shelf(folder)
    shelf.look()
    return shelf.chats


def search(chats: Sequence[Chat], words: str) -> list[Chat]:
    """The chats in which every word stands somewhere."""
    wanted = words.lower().split()
    return [
        chat
        for chat in chats
        if all(word in chat.name.lower() or any(word in turn.text.lower() for turn in chat.turns) for word in wanted)
    ]


def _write(folder: Path, chat: Chat) -> None:
    write_json(folder / f"{chat.id}.json", _to_json(chat), indent=None)


def _from_file(path: Path) -> Chat | None:
    try:
        return _from_json(path.stem, read_json(path, "turns"))
    except (RunError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _to_json(chat: Chat) -> dict[str, Any]:
    return {
        "project": chat.project,
        "name": chat.name,
        "is_compare": chat.is_compare,
        "is_blind": chat.is_blind,
        "voice": chat.voice,
        "changed": chat.changed,
        "turns": _turns_to_json(chat.turns),
        "others": [
            {"same": (same := _shared(way, chat.turns)), "turns": _turns_to_json(way[same:])} for way in chat.others
        ],
        "place": chat.place,
    }


def _turns_to_json(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    return [vars(turn) | {"seconds": round(turn.seconds, 3)} for turn in turns]


def _from_json(name: str, value: dict[str, Any]) -> Chat:
    turns = _turns_from_json(name, value["turns"])
    others = tuple(
        turns[: int(each["same"])] + _turns_from_json(name, each["turns"]) for each in value.get("others", [])
    )
    return Chat(
        name,
        str(value.get("project", "")),
        bool(value.get("is_compare")),
        turns,
        float(value.get("changed", 0.0)),
        bool(value.get("is_blind")),
        str(value.get("voice", "new")),
        str(value.get("name", "")),
        others,
        min(max(0, int(value.get("place", 0))), len(others)),
    )


def _turns_from_json(name: str, value: list[dict[str, Any]]) -> tuple[Turn, ...]:
    known = Turn.__dataclass_fields__
    turns = tuple(Turn(**{key: each[key] for key in each if key in known}) for each in value)
    for turn in turns:
        texts = (turn.text, turn.voice, turn.model, turn.choice)
        numbers = (turn.tokens, turn.seconds, turn.was_stopped)
        if not all(isinstance(text, str) for text in texts) or not all(
            isinstance(each, (int, float)) for each in numbers
        ):
            raise TypeError(name)
        if turn.role not in ("user", "assistant") or turn.column not in (0, 1):
            raise ValueError(name)
    return turns
