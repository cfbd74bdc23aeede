"""How varied the examples of a skill are: a model copies what all share, so they should share only the skill."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from lab_desktop.editing.lesson import DraftExample, DraftPair
from lab_desktop.words import content_words, shared

_TOO_LIKE = 0.6
"""Examples that share this part of their content words are too like each other."""
_MOST_COMPARED = 100

Form = Literal["question", "command", "list", "lines", "statement"]


@dataclass(frozen=True)
class Meter:
    """One needle.

    Attributes:
        share: 0 (all the same) to 1 (as varied as can be used).
        words: what it says: "All alike", "Somewhat varied", "Well varied".
        hint: what to do; "" where nothing is to be done.
    """

    share: float
    words: str
    hint: str


@dataclass(frozen=True)
class Variety:
    """The three needles, and which examples are too like which.

    Attributes:
        length: how long the requests are.
        form: questions, commands, lists, …
        subject: what they are about.
        alike: (example, the earlier one that it is too like), ids.
    """

    length: Meter
    form: Meter
    subject: Meter
    alike: tuple[tuple[int, int], ...]


def variety(examples: Sequence[DraftExample]) -> Variety:
    """How varied the examples are that have a question. With fewer than two there is nothing to compare: 0."""
    asked = [
        (example, pair) for example in examples[:_MOST_COMPARED] for pair in example.pairs if pair.question.strip()
    ]
    texts = [f"{pair.question} {example.context}" for example, pair in asked]
    content = [content_words(f"{text} {pair.answer}") for text, (_, pair) in zip(texts, asked, strict=True)]
    likeness = {(one, two): shared(content[one], content[two]) for one, two in combinations(range(len(asked)), 2)}
    alike = []
    for two in range(len(asked)):
        closest = max(range(two), key=lambda one: likeness[one, two], default=None)
        if closest is not None and likeness[closest, two] >= _TOO_LIKE:
            alike.append((asked[two][0].id, asked[closest][0].id))
    return Variety(
        _meter(_spread([len(text.split()) for text in texts]), "Add a very short and a long one."),
        _meter(_mixture([form(pair) for _, pair in asked]), "Once ask, once give an order."),
        _meter(1 - sum(likeness.values()) / len(likeness) if likeness else 0.0, "Take examples from other subjects."),
        tuple(alike),
    )


def form(pair: DraftPair) -> Form:
    """The form of a request, as far as its signs tell."""
    text = pair.question.strip()
    if re.search(r"^\s*(?:[-*•]|\d+[.)])\s", text, re.MULTILINE):
        return "list"
    if "\n" in text:
        return "lines"
    if text.endswith(("?", "？", "؟")):
        return "question"
    if text.endswith((".", "!", ":")) and len(text.split()) < 3:
        return "statement"
    first = text.split()[0].casefold().strip("¿¡\"'“„")
    return "statement" if first in _SUBJECTS else "command"


_SUBJECTS = frozenset(
    "i we you he she it they the a an this that my our your der die das ich wir le la les el il je".split()  # noqa: SIM905
)
"""Words that begin a statement rather than an order."""


def _spread(lengths: Sequence[int]) -> float:
    """The standard deviation of the lengths' logarithms; that of 5, 10, 20 and 40 words (0.78) is enough."""
    if len(lengths) < 2:
        return 0.0
    logs = [math.log(max(length, 1)) for length in lengths]
    mean = sum(logs) / len(logs)
    return min(1.0, math.sqrt(sum((each - mean) ** 2 for each in logs) / len(logs)) / 0.78)


def _mixture(forms: Sequence[Form]) -> float:
    """The entropy of the forms in bits; two, each as often as the other, are enough."""
    if len(forms) < 2:
        return 0.0
    shares = [count / len(forms) for count in Counter(forms).values()]
    return min(1.0, -sum(share * math.log2(share) for share in shares))


def _meter(share: float, hint: str) -> Meter:
    share = min(1.0, max(0.0, share))
    if share < 1 / 3:
        return Meter(share, "All alike", hint)
    if share < 2 / 3:
        return Meter(share, "Somewhat varied", hint)
    return Meter(share, "Well varied", "")
