"""Small leaves in memory, and a teacher that follows the prompts perfectly."""

from __future__ import annotations

import json
from pathlib import Path

from lab_desktop.artifacts import Leaf, LeafKind, Pair, Passage, SeedExample
from lab_desktop.generation.seeds import Material
from lab_desktop.models.text_model import Reply, Request

ISLAND = (
    "The lighthouse of Orra was built in 1811 by Mira Tell. It is 31 metres high. Its lamp burns fish oil.",
    "The harbour of Orra holds forty boats. Every boat is painted green. The harbour master is called Jon Vale.",
)


def knowledge(name: str = "orra") -> Material:
    """A knowledge leaf with five seed contexts of three pairs, and two passages."""
    examples = tuple(
        SeedExample(
            tuple(Pair(f"What is thing {thing} of Orra?", f"{100 + thing} stones") for thing in things),
            " ".join(f"Thing {thing} of Orra is {100 + thing} stones." for thing in things),
        )
        for things in (range(start, start + 3) for start in range(0, 15, 3))
    )
    leaf = Leaf(("knowledge", name), Path(), LeafKind.KNOWLEDGE, 3, "me", examples, domain="islands")
    passages = tuple(Passage(number, Path("orra.md"), "Orra", text) for number, text in enumerate(ISLAND))
    return Material(leaf, passages)


def freeform(name: str = "shout") -> Material:
    """A freeform skill: write in capitals."""
    texts = ("good day", "the cat sleeps", "bread and salt", "come home soon", "rain falls")
    examples = tuple(SeedExample((Pair(f"Shout this: {text}", text.upper()),)) for text in texts)
    leaf = Leaf(("compositional_skills", name), Path(), LeafKind.FREEFORM_SKILL, 3, "me", examples, "Shout a text.")
    return Material(leaf)


def grounded(name: str = "count") -> Material:
    """A grounded skill: take the number out of a note."""
    things = (("pears", 4), ("nails", 12), ("lamps", 3), ("books", 7), ("coats", 9))
    examples = tuple(
        SeedExample((Pair("How many are ordered?", f"{count} {what}"),), f"Please send {count} {what} to the shop.")
        for what, count in things
    )
    leaf = Leaf(("compositional_skills", name), Path(), LeafKind.GROUNDED_SKILL, 3, "me", examples, "Read an order.")
    return Material(leaf)


def good_teacher(request: Request) -> Reply | str:
    """Write what the prompts ask for, judge by the truth it can see, and answer from the passage."""
    asked = request.messages[-1].content
    if request.choices:
        return _mark(request, asked)
    if request.schema is not None:
        return json.dumps({"rows": _rows(request, asked)})
    if "Shout this: " in asked:
        return asked.split("Shout this: ")[1].upper()
    if "Please send " in asked:
        return asked.split("Please send ")[1].split(" to the")[0]
    return _answer(asked)


FACTS = {
    "Who built the lighthouse of Orra?": "Mira Tell",
    "How high is the lighthouse of Orra?": "31 metres",
    "When was the lighthouse of Orra built?": "1811",
    "How many boats does the harbour of Orra hold?": "forty boats",
    "What colour is every boat of Orra?": "green",
    "What is the harbour master of Orra called?": "Jon Vale",
}


def _rows(request: Request, asked: str) -> list[object]:
    if "Shout a text." in asked:
        return [f"Shout this: number {request.seed} and {index}" for index in range(5)]
    if "Read an order." in asked and "can be solved" in asked:
        return ["How many are ordered?"]
    if "Read an order." in asked:
        return [f"Please send {request.seed % 1000 + index} kettles to the shop." for index in range(2)]
    return [{"question": q, "answer": a} for q, a in FACTS.items() if a in asked][:3]


def _answer(asked: str) -> str:
    if "Question: " not in asked:
        return "I do not understand."
    question = asked.split("Question: ")[1].split("\n")[0]
    return FACTS.get(question, "nothing")


def _mark(request: Request, asked: str) -> Reply:
    """The best mark for what is true, the worst for what is not."""
    good = _is_true(asked)
    ordered = {"YES": "NO", "1": "0", "2": "0", "3": "1"}
    best = next(mark for mark in ("YES", "3", "2", "1") if mark in request.choices)
    worst = ordered[best]
    chosen = best if good else worst
    return Reply(chosen, "stop", probabilities=tuple(0.9 if mark == chosen else 0.1 for mark in request.choices))


def _is_true(asked: str) -> bool:
    if "Answer: " not in asked:
        text = asked.split("Question: ")[-1].split("Task: ")[-1].split("\n")[0]
        return "Orra" in text or "Shout this" in text or "ordered" in text
    answer = asked.split("Answer: ")[1].split("\n")[0]
    if "Task: Shout this: " in asked:
        return answer == asked.split("Shout this: ")[1].split("\n")[0].upper()
    if "Please send " in asked:
        return answer in asked.split("Task: ")[0]
    question = asked.split("Question: ")[1].split("\n")[0]
    if question in FACTS:
        return FACTS[question] == answer
    return question.split("thing ")[1].split(" ")[0] == str(int(answer.split(" ")[0]) - 100)
