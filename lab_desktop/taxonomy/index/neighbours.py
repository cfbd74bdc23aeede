"""How much two topics have in common, and where a new one belongs: by their words, without a model."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from lab_desktop.taxonomy.index.search import tokens
from lab_desktop.words import shared, stems

MOST_COMPARED = 60
"""Lessons that are looked at more closely: those that share most words."""
LEAST = 0.3
"""Below this likeness two lessons are only of one subject."""
SHOWN = 4
_MOST_WORDS = 32
_SAME_QUESTION = 0.7
_ALIKE = 0.5


@dataclass(frozen=True)
class Subject:
    """What a lesson, or the idea of one, is about."""

    title: str
    descriptions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """Its words that carry meaning, those of the name first, shortened to their stems."""
        texts = (self.title, *self.descriptions, *self.questions)
        return list(dict.fromkeys(stem for text in texts for stem in _in_order(text)))[:_MOST_WORDS]


def likeness(one: Subject, two: Subject) -> tuple[float, str]:
    """(0–1, why in a sentence or two) that the two are about the same; 0.6 for the same name alone."""
    name = shared(_meaning(one.title), _meaning(two.title)) if _meaning(one.title) else 0.0
    described, other = _all(one.descriptions), _all(two.descriptions)
    task = shared(described, other) if described and other else 0.0
    twins = _twins(one.questions, two.questions)
    fewer = min(len(one.questions), len(two.questions))
    asked = len(twins) / fewer if fewer else 0.0
    idea = _meaning(one.title) | described
    there = _meaning(two.title) | other
    # An idea in a few words has no questions yet: it may stand whole in what a lesson says of itself.
    told = len(idea & there) / len(idea) if len(idea) > 1 and not one.questions else 0.0
    score = 1 - (1 - 0.6 * name) * (1 - 0.6 * task) * (1 - 0.95 * asked) * (1 - 0.5 * told)
    why = []
    if name == 1.0:
        why.append("It has the same name.")
    elif name >= _ALIKE:
        why.append("It has nearly the same name.")
    if twins:
        count = "It asks the same question" if len(twins) == 1 else f"It asks {len(twins)} of the same questions"
        why.append(f"{count}: “{twins[0]}”")
    if task >= _ALIKE:
        why.append("Its description says the same.")
    if not why:
        common = sorted((idea & there) or (_all((one.title, *one.questions)) & _all((two.title, *two.questions))))
        why.append(f"It shares the words {_listed(common[:4])}." if len(common) > 1 else "It shares its subject.")
    return round(score, 3), " ".join(why)


def places(
    own: Subject, topics: Iterable[str], alike: Iterable[tuple[str, float, Subject]]
) -> list[tuple[str, float, tuple[str, ...]]]:
    """(topic, score, shared words) of the topics where a lesson belongs, best first.

    A topic counts with its three most alike lessons, and with the words of its folders' names.

    Args:
        topics: paths of all that come into question.
        alike: (topic, score, subject) of lessons that share words, best first.
    """
    wanted = {stem: word for text in (own.title, *own.descriptions) for stem, word in _in_order(text).items()}
    there: dict[str, list[tuple[float, Subject]]] = {}
    for topic, score, subject in alike:
        there.setdefault(topic, []).append((score, subject))
    highest = max((score for lessons in there.values() for score, _ in lessons), default=1.0) or 1.0
    found = []
    for topic in topics:
        lessons = there.get(topic, [])
        *_, folder = parts = topic.split("/")
        named = _meaning(folder.replace("_", " ")) & wanted.keys()
        above = _meaning(" ".join(parts[1:-1]).replace("_", " ")) & wanted.keys()
        score = sum(score for score, _ in lessons[:3]) / highest + 1.5 * len(named) + 0.5 * len(above - named)
        words = named | above
        for _, subject in lessons:
            words |= wanted.keys() & _all((subject.title, *subject.descriptions, *subject.questions))
        if score > 0 and words:
            # The root alone is no topic, only where nothing better is.
            found.append(
                (
                    topic,
                    round(score if "/" in topic else score / 4, 3),
                    tuple(wanted[stem] for stem in wanted if stem in words),
                )
            )
    return sorted(found, key=lambda place: (-place[1], place[0]))


@functools.lru_cache(maxsize=20_000)
def _meaning(text: str) -> frozenset[str]:
    return frozenset(stems(word for word in tokens(text) if len(word) > 1 or not word.isascii()))


def _all(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _meaning(text)}


def _in_order(text: str) -> dict[str, str]:
    """Stem → word as written, of the words that carry meaning, in order."""
    found: dict[str, str] = {}
    for word in tokens(text):
        for stem in _meaning(word):
            found.setdefault(stem, word)
    return found


def _twins(some: Iterable[str], others: Iterable[str]) -> list[str]:
    known = [_meaning(other) for other in others]
    return [
        question
        for question in some
        if _meaning(question) and any(shared(_meaning(question), other) >= _SAME_QUESTION for other in known)
    ]


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
