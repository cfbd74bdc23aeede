"""Words of a text, compared as a person would: without case, punctuation, articles, accents, ways to write a number.

"one thousand three hundred and eighty-two", "1 382" and "1,382" are one number, "30 %" is "30 percent".

Used where the teacher's rows are compared with each other and with their source, and where answers are judged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+(?:['’]\w+)*")
# Where a text may be cut: before an item of a list, or after the end of a sentence. A small letter goes on with it.
BREATH = re.compile(
    r"\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])"
    r"|(?:(?<=[.!?…])|(?<=[.!?…][\"'”’»)\]*_]))\s+(?![a-zß-ÿ])"
    r"|(?<=[。！？])\s*"
)
_LIST_MARK = re.compile(r"^\s*(?:[-*+•#]+|\d{1,3}[.)])\s+")
_ARTICLES = frozenset({"a", "an", "the"})
TYPOGRAPHY = str.maketrans("’‘ʼ“”„«»‐‑−", '\'\'\'"""""---')
_COMMON = frozenset(
    "a about an and are as at be been by can did do does for from had has have he her his how if in into is it its "  # noqa: SIM905
    "many much of on or she so some than that the their them then there these they this those to was were what when "
    "where which who whom whose why will with you your".split()
)


def words(text: str) -> list[str]:
    """The words of a text in order: lower case, plain letters, articles left out, "1,382" and "one" as digits."""
    found = (_without_separators(word) for word in _WORD.findall(plain_text(text).lower()))
    return [word for word in found if word not in _ARTICLES]


def plain_text(text: str) -> str:
    """The text in plain writing: no accents, plain apostrophes, numbers in digits, % as a word."""
    text = unicodedata.normalize("NFKC", text).translate(TYPOGRAPHY)
    text = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"(?<![\d.,])(\d{1,3})((?:[ ']\d{3})+)(?!\d)", _joined_thousands, text)
    text = re.sub(r"\s*%|\bper cent\b", " percent", text)
    return _SPELLED.sub(_digits, text)


def sentences(text: str) -> list[str]:
    """The sentences of a text in order; a line of a list (without its mark) or table, and a heading, is one or more."""
    lines = (_LIST_MARK.sub("", line) for line in text.split("\n"))
    parts = (part.strip() for line in lines for part in BREATH.split(line))
    return [part for part in parts if words(part)]


def content_words(text: str) -> set[str]:
    """The words that carry meaning: everything but function words, in a rough stem (plural s, -ed, -ing left off)."""
    return stems(words(text))


def stems(found: Iterable[str]) -> set[str]:
    """As `content_words`, of words that are plain and in lower case already."""
    return {_stem(word) for word in found if word not in _COMMON}


def shared(one: Set[str], two: Set[str]) -> float:
    """Shared words over all words of both (Jaccard), 0–1; two texts without words are equal."""
    return len(one & two) / len(one | two) if one | two else 1.0


def contains(text: str, part: str) -> bool:
    """True when the words of `part` stand in `text` in a row; an empty part never does."""
    inner, outer = words(part), words(text)
    return bool(inner) and any(
        outer[start : start + len(inner)] == inner for start in range(len(outer) - len(inner) + 1)
    )


def agree(first: str, second: str, at_least: float = 0.5) -> bool:
    """True when two answers say the same as far as words can tell.

    One contains the other, or they share enough content words (F1, as in SQuAD, arXiv:1606.05250); no number differs.
    """
    one, two = content_words(first), content_words(second)
    if not one or not two:
        return words(first) == words(second)
    if numbers(first) and numbers(second) and not numbers(first) & numbers(second):
        return False
    if contains(first, second) or contains(second, first):
        return True
    return 2 * len(one & two) / (len(one) + len(two)) >= at_least


def telling_sentence(text: str, question: str, answer: str) -> str:
    """The sentence of a text that tells most of an answer, and of what was asked; "" where none tells any of it."""
    wanted, asked = content_words(answer), content_words(question)

    def told(sentence: str) -> int:
        found = content_words(sentence)
        return 2 * len(found & wanted) + len(found & asked)

    best = max(sentences(text), key=told, default="")
    return best if content_words(best) & wanted else ""


def numbers(text: str) -> set[str]:
    """The numbers of a text, in digits, without thousands separators."""
    return {word for word in words(text) if word[0].isdigit()}


def _without_separators(word: str) -> str:
    return re.sub(r",(?=\d{3}(\D|$))", "", word) if word[0].isdigit() else word


def _joined_thousands(found: re.Match[str]) -> str:
    return found.group(1) + re.sub(r"\D", "", found.group(2))


def _digits(found: re.Match[str]) -> str:
    """A number in words, "one thousand three hundred and eighty-two", in digits."""
    total = part = 0
    for word in re.findall(r"[a-z]+", found.group().lower()):
        value = _NUMBERS.get(word, 0)
        if value == 100:
            part = max(part, 1) * 100
        elif value > 100:
            total, part = total + max(part, 1) * value, 0
        else:
            part += value
    return str(total + part)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = (
    {word: value for value, word in enumerate([*_ONES, *_TEENS])}
    | {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
    | {"hundred": 100, "thousand": 1000, "million": 1_000_000}
)
# Only what makes one number is joined ("eighty-two", "three hundred and five"): "two three" stays two numbers.
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES[1:])}))?|{'|'.join([*_TEENS, *_ONES])})"
_BELOW_THOUSAND = rf"(?:(?:{_BELOW_HUNDRED} )?hundred(?:(?: and)? {_BELOW_HUNDRED})?|{_BELOW_HUNDRED})"
_BELOW_MILLION = rf"(?:{_BELOW_THOUSAND} thousand(?:(?:,? and|,)? {_BELOW_THOUSAND})?|{_BELOW_THOUSAND})"
_SPELLED = re.compile(
    rf"\b(?:{_BELOW_THOUSAND} million(?:(?:,? and|,)? {_BELOW_MILLION})?|{_BELOW_MILLION})\b", re.IGNORECASE
)
