"""What an answer says, as far as its words can tell: is this in it, is it denied, which words carry the answer?

Builds on `lab_desktop.words`, for which accents and ways to write a number do not count. English is understood best;
other languages are compared word by word, scripts without blanks sign by sign.
This module does not know what follows from what it finds.
"""

from __future__ import annotations

import re
import unicodedata

from lab_desktop.evaluation.questions import Question
from lab_desktop.words import TYPOGRAPHY, content_words, plain_text, words


def says(reply: str, part: str, question: Question) -> bool:
    """True when `part` stands in the reply as whole words, at least once without being denied."""
    plain = plain_text(reply)
    found = places(plain, part)
    if (
        is_negative(plain_text(question.question))
        or is_negative(plain_text(part))
        or is_negative(plain_text(question.answer))
    ):
        return bool(found)  # "on which day is there no ferry?": a "not" belongs to the right answer
    clauses = _clauses(plain)
    return any(not _denied(clauses, start, end) for start, end in found)


def places(plain: str, part: str) -> list[tuple[int, int]]:
    """Where the words of `part` stand in a plain text, as (first, after last) word; (0, 0): found, but not as words."""
    part = plain_text(part)
    inner, outer = words(part), words(plain)
    if not inner or is_unspaced(part):
        return [(0, 0)] if squeezed(part) and squeezed(part) in squeezed(plain) else []
    width = len(inner)
    return [(start, start + width) for start in range(len(outer) - width + 1) if outer[start : start + width] == inner]


def _denied(clauses: list[tuple[str, int]], start: int, end: int) -> bool:
    """True when the words from `start` to `end` are denied in their own clause: "not X", "X is not".

    `clauses` gives every word of the text with the number of its clause.
    """
    if end == 0:
        return False
    clause = clauses[start][1]
    before = [word for word, number in clauses[max(0, start - 3) : start] if number == clause]
    after = [word for word, number in clauses[end : end + 2] if number == clauses[end - 1][1]]
    if after[:1] and (after[0] in _IS_NOT or (after[0] in _IS and after[1:2] == ["not"])):
        return True
    denied = False
    for place, word in enumerate(before, start=1):
        if word in _CONTRASTS:  # "not X but Y", "not only X"
            denied = False
        elif _is_denial(word):
            # "No it is X" agrees with somebody; only "no X" denies.
            denied = word != "no" or place == len(before)
    return denied


def denies(plain: str, stems: set[str], question: Question) -> bool:
    """True when one of the words that count is denied."""
    if is_negative(plain_text(question.question)):
        return False
    clauses = _clauses(plain)
    return any(
        _denied(clauses, place, place + 1) for place, (word, _) in enumerate(clauses) if content_words(word) & stems
    )


def _clauses(plain: str) -> list[tuple[str, int]]:
    """Every word of a plain text with the number of its clause; a comma inside a number ends none."""
    parts = re.split(r"[;:!?()\n]|[.,](?!\d)| [–—-] ", plain)
    return [(word, number) for number, part in enumerate(parts) for word in words(part)]


def is_negative(plain: str) -> bool:
    """True when a plain text has a "not" of any kind."""
    return any(_is_denial(word) for word in words(plain))


def _is_denial(word: str) -> bool:
    return word in _DENIALS or word.endswith("n't")


def yes_or_no(plain: str) -> str:
    """The "yes" or "no" that a plain text begins with, or ""."""
    first = words(plain)[:1]
    return first[0] if first and first[0] in ("yes", "no") else ""


def telling_words(plain: str, question: Question) -> set[str]:
    """The content words of a reference that the question does not give away; all of them when it gives away all."""
    every = stems(plain)
    return every - stems(plain_text(question.question)) or every


def stems(plain: str) -> set[str]:
    """The content words of a plain text in a rough stem, without "yes", "no" and "not"."""
    return {stem for stem in content_words(plain) if stem != "yes" and not _is_denial(stem)}


def names(text: str, question: Question) -> set[str]:
    """Stems of words written with a capital inside a sentence, where the question does not give them away."""
    inside = re.findall(r"(?<!^)(?<![.!?:] )\b[^\W\d_]\w+", plain_text(text))
    return stems(" ".join(word for word in inside if word[0].isupper())) - stems(plain_text(question.question))


def typed_text(text: str) -> str:
    """The text without what a keyboard, not a person, decides: case, kinds of quotes and dashes, runs of blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(TYPOGRAPHY).split())


def is_unspaced(text: str) -> bool:
    """True for scripts that set no blanks between words (Chinese, Japanese, Thai …), where words cannot be counted."""
    return _UNSPACED.search(text) is not None


def squeezed(text: str) -> str:
    """The text without blanks and case, to look for signs instead of words."""
    return re.sub(r"\s+", "", text).casefold()


_DENIALS = frozenset({"not", "no", "never", "neither", "nor", "without", "cannot", "false"})
_CONTRASTS = frozenset({"but", "however", "instead", "only", "rather"})
_IS = frozenset({"is", "was", "are", "were"})
_IS_NOT = frozenset(f"{word}n't" for word in _IS)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
