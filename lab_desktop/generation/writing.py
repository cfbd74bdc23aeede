"""Stages in which the teacher writes: questions about passages, tasks for skills, and the answers to them.

Replies are constrained by a schema, so that no reply fails to parse. The stages are those of InstructLab's `full`
pipelines; instead of describing the form we show it: the person's seed examples stand as earlier turns of the
conversation, which a small teacher follows far better than instructions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lab_desktop.artifacts import ChatMessage, Leaf, Sample, SeedExample
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each, asked_text, decide_each, drop
from lab_desktop.generation.seeds import Unit, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel

_LONGEST_REPLY = 330
_LONGEST_ANSWER = 400

PAIRS_PER_PASSAGE = 3

TASKS_PER_REQUEST = 5

CONTEXTS_PER_REQUEST = 2

WRITING_TEMPERATURE = 0.7
"""InstructLab writes at 0; one document then gives the same rows in every draw. 0.7 is what it uses for contexts."""


def write_pairs(units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, list[Sample]]:
    """Knowledge: questions with answers about each unit's passage, in the manner of its seed example.

    The seed example is shown as an earlier turn with its first three pairs, as in InstructLab's prompts.

    Returns:
        Rows by unit id; a unit whose passage does not fit into the teacher's context has none.
    Cost: one teacher call per unit.
    """

    def request(unit: Unit) -> Request:
        example = unit.example
        shown = [{"question": pair.question, "answer": pair.answer} for pair in example.pairs[:PAIRS_PER_PASSAGE]]
        return _writing(
            unit,
            (
                ChatMessage("system", prompts.text("system")),
                ChatMessage("user", prompts.text("write", passage=example.context, count=len(shown))),
                ChatMessage("assistant", as_list(shown)),
                ChatMessage("user", prompts.text("write", passage=unit.passage_text, count=PAIRS_PER_PASSAGE)),
            ),
            _list_schema(_PAIR_SCHEMA, PAIRS_PER_PASSAGE),
        )

    rows: dict[str, list[Sample]] = {}
    for unit, reply in ask_each(units, request, teacher, run, "writing"):
        found = [item for item in _items(reply) if isinstance(item, dict)]
        rows[unit.id] = [
            _row(unit, number, str(item.get("question", "")), str(item.get("answer", "")), unit.passage_text)
            for number, item in enumerate(found)
        ]
    return rows


def write_tasks(units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, list[Sample]]:
    """Freeform skill: new tasks in the style of the examples, not yet answered.

    Cost: one teacher call per unit.
    """
    written = ask_each(units, lambda unit: tasks_request(unit, prompts), teacher, run, "writing")
    return {
        unit.id: [_row(unit, number, text, "") for number, text in enumerate(_texts(reply))] for unit, reply in written
    }


def tasks_request(unit: Unit, prompts: Prompts) -> Request:
    """Ask for new tasks. All seed questions are shown, the unit's own last: the last one colours the reply most."""
    return _writing(unit, _list_turns(unit, prompts, "write", TASKS_PER_REQUEST, _question_of), _TASKS)


def write_grounded_tasks(
    units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run
) -> dict[str, list[Sample]]:
    """Grounded skill: new material in the form of the examples', then a task for each, not yet answered.

    Cost: one teacher call per unit, and one per material written.
    """

    materials = ask_each(units, lambda unit: material_request(unit, prompts), teacher, run, "writing material")
    written = [(unit, number, text) for unit, reply in materials for number, text in enumerate(_texts(reply))]

    def request(item: tuple[Unit, int, str]) -> Request:
        return grounded_task_request(*item, prompts)

    rows: dict[str, list[Sample]] = {unit.id: [] for unit in units}
    for (unit, number, context), reply in ask_each(written, request, teacher, run, "writing tasks"):
        rows[unit.id] += [_row(unit, number, text, "", context) for text in _texts(reply)[:1]]
    return rows


def material_request(unit: Unit, prompts: Prompts) -> Request:
    """Ask for new material in the form of the seed examples'."""
    return _writing(unit, _list_turns(unit, prompts, "write", CONTEXTS_PER_REQUEST, _context_of), _CONTEXTS)


def grounded_task_request(unit: Unit, number: int, context: str, prompts: Prompts) -> Request:
    """Ask for a task on the unit's material number `number`; the seed examples stand as earlier turns."""
    task = unit.material.leaf.task_description
    turns = [ChatMessage("system", prompts.text("write_system"))]
    for example in _others_then_own(unit):
        asked = prompts.text("write_question", task_description=task, context=example.context, count=1)
        turns += [ChatMessage("user", asked), ChatMessage("assistant", as_list([example.pairs[0].question]))]
    asked = prompts.text("write_question", task_description=task, context=context, count=1)
    request = _writing(unit, (*turns, ChatMessage("user", asked)), _list_schema({"type": "string"}, 1))
    return replace(request, seed=stable_seed(unit.random_seed, number))


def answer_tasks(rows: list[Sample], leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> list[Sample]:
    """Skills: the teacher does each task as the seed examples do, which are shown as earlier turns.

    Reads:  question, context
    Adds:   answer
    Drops:  tasks whose conversation does not fit or whose answer was cut off
    Cost:   one teacher call per row
    """

    def decide(row: Sample, reply: Reply) -> Sample:
        if reply.finish != "stop" or not reply.text:
            return drop(row, "answer", "The teacher did not finish its answer.")
        return replace(row, answer=reply.text)

    return decide_each(
        rows, lambda row: answer_request(leaf, prompts, row.context, row.question), decide, teacher, run, "answering"
    )


def answer_request(leaf: Leaf, prompts: Prompts, context: str, question: str) -> Request:
    """Ask for the answer to a task; the seed examples stand as earlier turns."""
    turns = [ChatMessage("system", prompts.text("system", task_description=leaf.task_description))]
    for example in leaf.seed_examples:
        asked = asked_text(leaf.kind, example.context or "", example.pairs[0].question)
        turns += [ChatMessage("user", asked), ChatMessage("assistant", example.pairs[0].answer)]
    turns.append(ChatMessage("user", asked_text(leaf.kind, context, question)))
    return Request(tuple(turns), max_tokens=_LONGEST_ANSWER)


def _list_schema(item: dict[str, Any], most: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": item, "minItems": 1, "maxItems": most}},
        "required": ["rows"],
    }


_PAIR_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
}

_TASKS = _list_schema({"type": "string"}, TASKS_PER_REQUEST)

_CONTEXTS = _list_schema({"type": "string"}, CONTEXTS_PER_REQUEST)


def as_list(rows: Sequence[object]) -> str:
    """How a teacher writes a list of rows."""
    return json.dumps({"rows": rows}, ensure_ascii=False)


def _items(reply: Reply) -> list[Any]:
    """The complete items of a reply that follows `_list_schema`, also when its end was cut off."""
    try:
        return list(json.loads(reply.text)["rows"])
    except (ValueError, KeyError, TypeError):
        pass
    items = []
    decoder = json.JSONDecoder()
    at = reply.text.find("[") + 1
    while 0 < at < len(reply.text):
        at += len(reply.text[at:]) - len(reply.text[at:].lstrip(" \n\t,"))
        try:
            item, at = decoder.raw_decode(reply.text, at)
        except ValueError:
            break
        items.append(item)
    return items


def _texts(reply: Reply) -> list[str]:
    return [item for item in _items(reply) if isinstance(item, str)]


def _writing(unit: Unit, messages: tuple[ChatMessage, ...], schema: dict[str, Any]) -> Request:
    return Request(
        messages,
        max_tokens=_LONGEST_REPLY,
        temperature=WRITING_TEMPERATURE,
        seed=unit.random_seed,
        schema=schema,
    )


def _list_turns(
    unit: Unit, prompts: Prompts, name: str, count: int, shown: Callable[[SeedExample], str]
) -> tuple[ChatMessage, ...]:
    """A conversation in which the teacher has already written the examples, and is asked for more."""
    examples = [shown(example) for example in _others_then_own(unit)]
    task = unit.material.leaf.task_description
    first = prompts.text(name, task_description=task, count=len(examples))
    more = prompts.text(name, task_description=task, count=count)
    return (
        ChatMessage("system", prompts.text("write_system")),
        ChatMessage("user", first),
        ChatMessage("assistant", as_list(examples)),
        ChatMessage("user", more),
    )


def _others_then_own(unit: Unit) -> list[SeedExample]:
    examples = list(unit.material.leaf.seed_examples)
    return examples[unit.seed_example + 1 :] + examples[: unit.seed_example + 1]


def _question_of(example: SeedExample) -> str:
    return example.pairs[0].question


def _context_of(example: SeedExample) -> str:
    return example.context or ""


def _row(unit: Unit, number: int, question: str, answer: str, context: str = "") -> Sample:
    return Sample(
        id=f"{unit.id}#{number}",
        leaf=unit.material.leaf.name,
        kind=unit.material.leaf.kind.value,
        question=question.strip(),
        answer=answer.strip(),
        context=context,
        passage=unit.passage,
        seed_example=unit.seed_example,
    )
