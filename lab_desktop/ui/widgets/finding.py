"""What words find among many names: whole words, beginnings, letters in order, and a slip of the finger."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_LEAST_FOR_A_SLIP = 4
_ALIKE = 0.78
_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Entry:
    """Something to go to, or to do.

    Attributes:
        kind: what it is, as a word: "Project".
        keys: its shortcut as it is written; "" for none.
        also: other words that find it.
    """

    title: str
    kind: str
    icon: str
    do: Callable[[], object]
    keys: str = ""
    also: str = ""


def find(entries: Sequence[Entry], words: str, most: int = 60) -> list[Entry]:
    """The entries in which every word is found, the best first; of equals the order stays. Without words the first."""
    wanted = [_plain(word) for word in _LETTERS.findall(words)]
    if not wanted:
        return list(entries[:most])
    rated = [(rate(entry.title, f"{entry.kind} {entry.also}", wanted), entry) for entry in entries]
    good = [(score, entry) for score, entry in rated if score > 0]
    return [entry for _, entry in sorted(good, key=lambda each: -each[0])][:most]


def rate(title: str, also: str, wanted: Sequence[str]) -> float:
    """How well words fit a title, 0–1; 0: one of them does not.

    Args:
        also: what is said about it elsewhere, which counts less.
        wanted: in small letters.
    """
    whole, others = _words(title), _words(also)
    scores = [max(_rate_in(whole, word), 0.4 * _rate_in(others, word)) for word in wanted]
    if not scores or min(scores) == 0:
        return 0.0
    # Of two that fit alike the shorter one says less that was not asked for.
    return sum(scores) / len(scores) - 0.01 * min(20, max(0, len(whole) - len(wanted)))


def _rate_in(words: Sequence[str], wanted: str) -> float:
    return max((_rate_word(word, wanted) for word in words), default=0.0)


def _rate_word(word: str, wanted: str) -> float:
    if word.startswith(wanted):
        return 1.0 if word == wanted else 0.95
    if wanted in word:
        return 0.75
    if word[:1] != wanted[:1]:
        return 0.0
    if len(wanted) >= _LEAST_FOR_A_SLIP:
        # A person stops in the middle of a word: what stands after that says nothing against it.
        beginning = word[: len(wanted) + 1]
        if SequenceMatcher(None, beginning, wanted, autojunk=False).ratio() >= _ALIKE:
            return 0.55
    letters = iter(word)
    return 0.5 if len(wanted) > 1 and all(letter in letters for letter in wanted) else 0.0


@functools.lru_cache(maxsize=8192)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_plain(word) for word in _LETTERS.findall(text))


def _plain(word: str) -> str:
    return word.casefold()
