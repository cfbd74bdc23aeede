"""A chat as the list of messages shows it: questions, answers, two side by side, and what is not all said yet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab_desktop.chats import Chat, Turn, Ways, ways
from lab_desktop.ui.widgets.messages import WALKED, Item, Message
from lab_desktop.ui.words import tr

_WORDS_PER_TOKEN = 0.75
_Actions = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Now:
    """What is under way with the last question.

    Attributes:
        speakers: who answers on each side from now on, as they are called.
        asked: the side that writes, or None.
        writing, note: what it wrote, and what is said beside it.
        queue: sides that answer later.
        failures: side → why it has no answer.
    """

    speakers: Sequence[str]
    asked: int | None = None
    writing: str = ""
    note: str = ""
    queue: Sequence[int] = ()
    failures: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Group:
    """A question and its answers as they are shown.

    Attributes:
        end: the turn after its last one.
        places: for each item the turns it shows, by side; -1: none.
        walks: for each item the turn where its ways part.
    """

    end: int
    items: tuple[Item, ...]
    places: tuple[tuple[int, ...], ...]
    walks: tuple[int, ...]


class ChatItems:
    """Makes the items, and makes those again that changed: a long chat is shown anew with every answer.

    Attributes:
        places: for each item the turns of the chat that it shows, by side; -1: none.
        walks: for each item the turn where the ways part that lead on from it.
        named: who stands over the two sides of a comparison: voice and model, by side.
        ways: where other ways part from the chat's, by the turn.
    """

    def __init__(self) -> None:
        self.places: list[tuple[int, ...]] = []
        self.walks: list[int] = []
        self.named: dict[int, tuple[str, str]] = {}
        self.ways: dict[int, Ways] = {}
        self._chat = Chat("")
        self._groups: list[_Group] = []
        self._key: tuple[object, ...] = ()
        self._words = {
            "you": tr("You"),
            "both": tr("Asked to both"),
            "edit": tr("Edit and send again"),
            "copy": tr("Copy"),
            "again": tr("Answer again"),
            "teach": tr("Teach it this"),
            "speed": tr("{0} words a second"),
            "stopped": tr("stopped"),
            "left": tr("Left"),
            "right": tr("Right"),
            "new": tr("Your model"),
            "": tr("Original"),
        }
        """Looked up once: a long chat says them thousands of times."""

    def name(self, voice: str) -> str:
        """What a voice is called."""
        return self._words["new" if voice == "new" else ""]

    def make(self, chat: Chat, now: Now) -> list[Item]:
        """The items of a chat, oldest first."""
        turns, last, drawn = chat.turns, last_question(chat), self._chat.turns
        self.named = {}
        if chat.is_compare and not chat.is_blind:
            answered = [turn for turn in turns if turn.role == "assistant"]
            self.named = {turn.column: (turn.voice, turn.model) for turn in answered}
        self.ways = ways(chat)
        parted = tuple((at, found.now, len(found.leads)) for at, found in self.ways.items() if at < last)
        key = (chat.id, chat.is_compare, chat.is_blind, tuple(self.named.items()), parted)
        known = self._groups[:-1] if key == self._key else []
        pairs = enumerate(zip(turns, drawn, strict=False))
        same = next((at for at, (turn, before) in pairs if turn is not before), min(len(turns), len(drawn)))
        groups = list(itertools.takewhile(lambda group: group.end <= same, known))
        self._chat, self._key = chat, key
        at = groups[-1].end if groups else 0
        while at < len(turns):
            end = at + 1
            while end < len(turns) and turns[end].role == "assistant":
                end += 1
            groups.append(self._group(at, end, now, is_last=at == last))
            at = end
        self._groups = groups
        self.places = [places for group in groups for places in group.places]
        self.walks = [at for group in groups for at in group.walks]
        return [item for group in groups for item in group.items]

    def _group(self, start: int, end: int, now: Now, *, is_last: bool) -> _Group:
        """A question and what was answered to it."""
        turns = self._chat.turns
        question = turns[start]
        items: list[Item] = []
        places: list[tuple[int, ...]] = []
        answers = list(range(start, end))
        walks: list[int] = []
        is_open = is_last and (now.asked is not None or bool(now.failures))
        if question.role == "user":
            del answers[0]
            # Where there is no answer to stand below, the others are reached from the question.
            walks.append(start if start in self.ways or answers or is_open else end)
            items.append((self._question(question, self._walked(walks[0], now, is_last=is_last)),))
            places.append((start,))
        at = start + len(items)
        walked = self._walked(at, now, is_last=is_last)
        if not self._chat.is_compare:
            items += [(self._answer(turns[place], question, walked, now, is_last=is_last),) for place in answers]
            places += [(place,) for place in answers]
            if is_open and not answers:
                items.append((self._unfinished(0, walked, now),))
                places.append((-1,))
        elif answers or is_open:
            by_side = {turns[place].column: place for place in answers}
            pair: list[Message] = []
            for side in range(2):
                if side in by_side:
                    pair.append(self._answer(turns[by_side[side]], question, walked, now, is_last=is_last))
                elif is_last:
                    pair.append(self._unfinished(side, walked, now))
                else:
                    pair.append(Message("", now.speakers[side], note=tr("no answer")))
            items.append(tuple(pair))
            places.append((by_side.get(0, -1), by_side.get(1, -1)))
        walks += [at] * (len(items) - len(walks))
        return _Group(end, tuple(items), tuple(places), tuple(walks))

    def _walked(self, at: int, now: Now, *, is_last: bool) -> _Actions:
        """The way to what else was asked or answered here, while nothing is being answered here."""
        found = self.ways.get(at)
        if found is None or (is_last and now.asked is not None):
            return ()
        before, which, after = WALKED
        return (
            (before, "chevron-left", tr("The one before")),
            (which, "", tr("{0}/{1}").format(found.now + 1, len(found.leads))),
            (after, "chevron-right", tr("The one after")),
        )

    def _question(self, turn: Turn, walked: _Actions) -> Message:
        words = self._words
        note = words["both"] if self._chat.is_compare else ""
        return Message(
            turn.text, words["you"], is_own=True, note=note, actions=(("edit", "edit", words["edit"]), *walked)
        )

    def _answer(self, turn: Turn, question: Turn, walked: _Actions, now: Now, *, is_last: bool) -> Message:
        words = self._words
        actions = [*walked, ("copy", "copy", words["copy"])]
        if is_last and now.asked is None:
            actions.append(("again", "again", words["again"]))
        actions.append(("teach", "thumb-down", words["teach"]))
        is_secret = self._chat.is_blind and not question.choice
        name = words["right" if turn.column else "left"] if is_secret else self.name(turn.voice)
        is_named = (turn.voice, turn.model) == self.named.get(turn.column)
        parts = [] if is_secret or is_named else [name, *([turn.model] if turn.model else [])]
        if turn.seconds > 0 and not is_secret:
            speed = round(turn.tokens * _WORDS_PER_TOKEN / turn.seconds)
            parts.append(words["speed"].format(speed))
        if turn.was_stopped:
            parts.append(words["stopped"])
        return Message(turn.text, name, note=" · ".join(parts), actions=tuple(actions))

    def _unfinished(self, side: int, walked: _Actions, now: Now) -> Message:
        """An answer to the last question that is no turn yet."""
        name = now.speakers[side]
        if now.asked == side:
            return Message(now.writing, name, note=now.note, is_busy=True)
        if side in now.queue:
            return Message("", name, note=tr("answers when the other is done"), is_busy=True)
        is_failed = side in now.failures
        again = (("again", "again", tr("Ask again") if is_failed else tr("Ask it")),) if now.asked is None else ()
        note, tone = (now.failures[side], "bad") if is_failed else (tr("no answer"), "text3")
        return Message("", name, note=note, tone=tone, actions=(*walked, *again))


def last_question(chat: Chat) -> int:
    """The place of the last question; -1: there is none."""
    places = range(len(chat.turns) - 1, -1, -1)
    return next((place for place in places if chat.turns[place].role == "user"), -1)
