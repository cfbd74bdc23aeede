"""What is to be said about a question card while it is written: never an error, always one thing at a time to mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from lab_desktop.artifacts import Pair
from lab_desktop.editing.lesson import DraftExample, Lesson
from lab_desktop.taxonomy.advice import MOST_PAIR_WORDS
from lab_desktop.words import alike, content_words, sentences, telling_sentence, words

NoticeKind = Literal["twin", "alike", "not_in_passage", "yes_no", "long"]

_YES_NO = frozenset(["yes", "no", "ja", "nein", "oui", "non", "si", "sim", "nao", "tak", "nie", "da", "ano", "ne"])


@dataclass(frozen=True)
class Notice:
    """Something to mend in a pair.

    Attributes:
        kind: which.
        words: a sentence.
        other: the id of the pair that it is too like; 0 where it is none.
    """

    kind: NoticeKind
    words: str
    other: int = 0


def notices(lesson: Lesson) -> dict[int, tuple[Notice, ...]]:
    """What is to be said about each card that has a question, by its id."""
    before: list[tuple[int, Pair]] = []
    found = {}
    for example in lesson.examples:
        for pair in example.pairs:
            if pair.is_blank:
                continue
            found[pair.id] = about(Pair(pair.question, pair.answer), example.context, before, _is_told(lesson, example))
            before.append((pair.id, Pair(pair.question, pair.answer)))
    return found


def about(
    pair: Pair, context: str = "", others: Iterable[tuple[int, Pair]] = (), is_in_context: bool = True
) -> tuple[Notice, ...]:
    """What is to be said about one pair, the most important first.

    Args:
        others: (id, pair) of those that it should differ from.
        is_in_context: the context must say the answer, as a passage does and a skill's material need not.
    """
    return tuple(_about(pair, context, others, is_in_context))


@lru_cache(maxsize=1024)
def found_in(pair: Pair, context: str) -> str:
    """The sentence of a passage that says the answer; "" where none says half of it, nor two neighbours two thirds."""
    sentence = telling_sentence(context, pair.question, pair.answer)
    wanted = _content_words(pair.answer)
    if 2 * len(wanted & _content_words(sentence)) >= len(wanted):
        return sentence
    for one, two in pairwise(sentences(context)):
        if 3 * len(wanted & (_content_words(one) | _content_words(two))) >= 2 * len(wanted):
            return max(one, two, key=lambda each: len(wanted & _content_words(each)))
    return ""


def _about(pair: Pair, context: str, others: Iterable[tuple[int, Pair]], is_in_context: bool) -> Iterable[Notice]:
    for identity, other in others if pair.question.strip() else ():
        if alike(pair.question, other.question):
            if words(pair.question) == words(other.question):
                yield Notice("twin", "This question is there already.", identity)
            else:
                yield Notice("alike", "Nearly the same question is there already.", identity)
            break
    if is_in_context and context.strip() and pair.answer.strip():
        if set(words(pair.answer)) <= _YES_NO:
            message = "Only yes or no: ask so that the answer says the fact."
            yield Notice("yes_no", message)
        elif not found_in(pair, context):
            message = "The passage does not seem to say this, so the teacher cannot check it."
            yield Notice("not_in_passage", message)
    count = len(f"{pair.question} {pair.answer}".split())
    if count > MOST_PAIR_WORDS:
        yield Notice("long", f"It has {count} words; up to {MOST_PAIR_WORDS} work well.")


def _is_told(lesson: Lesson, example: DraftExample) -> bool:
    return lesson.is_knowledge and bool(example.context.strip())


@lru_cache(maxsize=4096)
def _content_words(text: str) -> frozenset[str]:
    return frozenset(content_words(text))
