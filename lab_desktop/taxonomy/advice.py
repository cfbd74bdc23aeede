"""What would make a good leaf better. No rule of InstructLab: limits of its guide, and of what a teacher can use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab_desktop.taxonomy.words import Steps, place, plain_place
from lab_desktop.words import alike

MOST_CONTEXT_WORDS = 500
MOST_PAIR_WORDS = 250
USED_PAIRS = 3
"""A teacher's prompt shows this many pairs of a context."""
_MOST_COMPARED = 400


def advice(contents: dict[str, Any], is_knowledge: bool) -> Iterator[tuple[Steps, str, str, str]]:
    """(steps, message, hint, plain words) for a leaf without errors."""

    def said(steps: Steps, says: str, hint: str) -> tuple[Steps, str, str, str]:
        return steps, place(steps, says), hint, plain_place(steps, says, is_knowledge)

    asked: list[tuple[Steps, str]] = []
    for number, example in enumerate(contents["seed_examples"]):
        here: Steps = ("seed_examples", number)
        pairs = example.get("questions_and_answers")
        places: list[tuple[Steps, dict[str, Any]]] = [(here, example)]
        if pairs is not None:
            places = [((*here, "questions_and_answers", index), pair) for index, pair in enumerate(pairs)]
        context_words = len(example.get("context", "").split())
        if context_words > MOST_CONTEXT_WORDS:
            says = f"has {context_words} words; up to {MOST_CONTEXT_WORDS} work well"
            yield said((*here, "context"), says, "Shorten it, or split it into two examples.")
        if len(places) > USED_PAIRS:
            steps = (*here, "questions_and_answers")
            says = f"are {len(places)}; the teacher is shown the first {USED_PAIRS}"
            yield said(steps, says, "Move the others to another example.")
        for steps, pair in places:
            words = len(f"{pair['question']} {pair['answer']}".split())
            if words > MOST_PAIR_WORDS:
                says = f"has {words} words with its answer; up to {MOST_PAIR_WORDS} work well"
                yield said(steps, says, "Shorten the answer, or ask two questions.")
            asked.append(((*steps, "question"), pair["question"]))
    yield from _alike(asked, is_knowledge)


def _alike(asked: list[tuple[Steps, str]], is_knowledge: bool) -> Iterator[tuple[Steps, str, str, str]]:
    for number, (steps, question) in enumerate(asked[:_MOST_COMPARED]):
        twin = next((earlier for earlier, other in asked[:number] if alike(question, other)), None)
        if twin is not None:
            message = place(steps, f'is nearly the same as "{place(twin, "").rstrip(" .")}"')
            other = plain_place(twin, "", is_knowledge).rstrip(" .")
            plain = plain_place(steps, f"is nearly the same as “{other}”", is_knowledge)
            yield steps, message, "Ask for something else: varied questions teach more.", plain
