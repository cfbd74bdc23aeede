"""The words of a text as search sees them, what a person typed as a question to the index, and the snippet shown.

One definition of a word for what is stored and what is asked: without case and accents; languages written without
blanks (Chinese, Japanese, Thai …) are cut into their signs, which are then looked for in a row.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

BOUNDARY = "‡"
"""Stands between texts where they are stored together, so that no phrase reaches from one into the next."""
MOST_ASKED = 20
"""Groups of words of a question that count; who pastes a page means its beginning."""
_AROUND = 60

# Signs of scripts without blanks between words are words of their own. Indian vowel signs belong to their word.
_SIGNS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_MARKS = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_WORD = re.compile(rf"[{_SIGNS}]|(?:[^\W_{_SIGNS}]|[{_MARKS}]){{1,64}}")
_ASCII_WORD = re.compile("[a-z0-9]{1,64}")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u064b-\u065f]+")
_ASCII_SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")


@dataclass(frozen=True)
class Snippet:
    """A few words around what was found.

    Attributes:
        text: one line, with … where the text goes on.
        marks: (start, end) in `text` of each word that was asked for.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Question:
    """What a person typed, as groups of words that all must be there; the last word may be only begun.

    Attributes:
        groups: words that stand in a row, as they were typed without a blank between them: "e-mail" is ("e", "mail").
    """

    groups: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, text: str) -> Question:
        groups = (tuple(tokens(part)) for part in text[:1000].split())
        return cls(tuple(group for group in groups if group)[:MOST_ASKED])

    @property
    def last_is_begun(self) -> bool:
        """True when the last word may go on; a single Latin letter is taken whole, or it would find everything."""
        last = self.groups[-1][-1] if self.groups else ""
        return len(last) > 1 or (last != "" and not last.isascii())

    def match(self) -> str:
        """The question in the language of FTS5; words are letters and digits, so nothing in it is an operator."""
        begun = "*" if self.last_is_begun else ""
        return " AND ".join(f'"{" ".join(group)}"' for group in self.groups) + begun

    def likes(self) -> list[str]:
        """The question as patterns for LIKE, for texts whose words stand between blanks."""
        wanted = [f"% {' '.join(group)} %" for group in self.groups]
        return [*wanted[:-1], wanted[-1].removesuffix(" %") + "%"] if self.last_is_begun else wanted

    def found_in(self, words: list[str]) -> list[tuple[int, int]]:
        """For each group that stands in `words`: (number of its first word there, which group)."""
        found = []
        for number, group in enumerate(self.groups):
            begun = self.last_is_begun and number == len(self.groups) - 1
            first = next((at for at in range(len(words)) if self._stands(group, words, at, begun)), None)
            if first is not None:
                found.append((first, number))
        return found

    @staticmethod
    def _stands(group: tuple[str, ...], words: list[str], at: int, begun: bool) -> bool:
        there = words[at : at + len(group)]
        if not begun or len(there) < len(group):
            return there == list(group)
        return there[:-1] == list(group[:-1]) and there[-1].startswith(group[-1])


def tokens(text: str) -> list[str]:
    """The words of a text in order, in the form in which they are compared."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [word for found in _WORD.findall(composed(text)) if (word := _folded(found))]


def spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, word) of each word of a text that is in Unicode's composed form (NFC)."""
    found = ((match.start(), match.end(), _folded(match.group())) for match in _WORD.finditer(composed(text)))
    return [each for each in found if each[2]]


def composed(text: str) -> str:
    """The text with letter and accent as one character, as `spans` counts."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def stored(texts: Iterable[str]) -> str:
    """Texts as they are stored for search: their words between blanks, a boundary between two texts."""
    return f" {f' {BOUNDARY} '.join(' '.join(tokens(text)) for text in texts)} "


def separated(stored_texts: str) -> tuple[str, ...]:
    """The texts that `stored` put together."""
    return tuple(stored_texts.strip().split(f" {BOUNDARY} ")) if stored_texts.strip() else ()


def snippet(text: str, question: Question) -> Snippet:
    """The part of `text` where most of what was asked for begins, on one line."""
    text = composed(text)
    words = spans(text)
    plain = [word for _, _, word in words]
    found = question.found_in(plain)
    begin = words[min(found)[0]][0] if found else 0
    start = _word_start(text, begin - _AROUND)
    end = _word_end(text, begin + 2 * _AROUND)
    marks = []
    for first, number in found:
        for at in range(first, first + len(question.groups[number])):
            marks.append((words[at][0], words[at][1]))
    before, after = "… " if start > 0 else "", " …" if end < len(text) else ""
    shown = re.sub(r"\s", " ", text[start:end])
    moved = len(before) - start
    inside = sorted({(one + moved, two + moved) for one, two in marks if start <= one and two <= end})
    return Snippet(f"{before}{shown}{after}", tuple(inside))


def part_with(text: str, question: Question) -> str:
    """The part of a long text around the first place where one of the words begins, "" where none is found."""
    text = composed(text)
    for group in question.groups:
        begun = re.compile(rf"(?<!\w){re.escape(group[0])}", re.IGNORECASE)
        found = begun.search(text)
        if found:
            return text[max(0, found.start() - 4 * _AROUND) : found.start() + 8 * _AROUND]
    return ""


@functools.lru_cache(maxsize=100_000)
def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", word)).casefold()
    return _ASCII_SIGNS.sub("", unicodedata.normalize("NFC", plain))


def _word_start(text: str, near: int) -> int:
    if near <= 0:
        return 0
    blank = text.find(" ", near, near + _AROUND // 2)
    return near if blank < 0 else blank + 1


def _word_end(text: str, near: int) -> int:
    if near >= len(text):
        return len(text)
    blank = text.rfind(" ", near - _AROUND // 2, near)
    return near if blank < 0 else blank
