"""Stages in which the teacher writes: questions about passages, tasks for skills, and the answers to them.

Replies are constrained by a schema, so that no reply fails to parse. The stages are those of InstructLab's `full`
pipelines; instead of describing the form we show it: the person's seed examples stand as earlier turns of the
conversation, which a small teacher follows far better than instructions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from lab_desktop.artifacts import ChatMessage, Leaf, Pair, Sample, SeedExample
from lab_desktop.generation.checks import is_determined
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each, asked_text, drop, is_open
from lab_desktop.generation.seeds import Unit, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import words

_LONGEST_REPLY = 330
_LONGEST_ANSWER = 400

PAIRS_PER_PASSAGE = 3

TASKS_PER_REQUEST = 5

CONTEXTS_PER_REQUEST = 2

ORDERS = 3
"""In which the seed examples are shown to a teacher whose answers can be compared."""

WRITING_TEMPERATURE = 0.7
"""InstructLab writes at 0; one document then gives the same rows in every draw. 0.7 is what it uses for contexts."""


def write_pairs(units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, list[Sample]]:
    """Knowledge: questions with answers about each unit's passage, in the manner of its seed example.

    The seed example is shown as an earlier turn with its first three pairs, as in InstructLab's prompts.

    Returns:
        Rows by unit id; a unit whose passage does not fit into the teacher's context has none.
    Cost: one teacher call per unit.
    """

    rows: dict[str, list[Sample]] = {}
    for unit, reply in ask_each(units, lambda unit: pairs_request(unit, prompts), teacher, run, "writing"):
        rows[unit.id] = [
            _row(unit, number, pair.question, pair.answer, unit.passage_text)
            for number, pair in enumerate(pairs(reply))
        ]
    return rows


def pairs_request(unit: Unit, prompts: Prompts, known: Sequence[Pair] = (), count: int = PAIRS_PER_PASSAGE) -> Request:
    """Ask for questions with answers about the unit's passage; the `known` ones stand as an earlier turn about it."""
    example = unit.example
    turns = [ChatMessage("system", prompts.text("system"))]
    for passage, shown in ((example.context or "", example.pairs[:PAIRS_PER_PASSAGE]), (unit.passage_text, known)):
        if shown:
            turns.append(ChatMessage("user", prompts.text("write", passage=passage, count=len(shown))))
            turns.append(ChatMessage("assistant", as_list([asdict(pair) for pair in shown])))
    turns.append(ChatMessage("user", prompts.text("write", passage=unit.passage_text, count=count)))
    return _writing(unit, tuple(turns), list_schema(_PAIR_SCHEMA, count))


def pairs(reply: Reply) -> list[Pair]:
    """The complete questions with answers of a reply that is a list of them."""
    found = [item for item in _items(reply) if isinstance(item, dict)]
    return [Pair(str(item.get("question", "")), str(item.get("answer", ""))) for item in found]


def write_tasks(units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, list[Sample]]:
    """Freeform skill: new tasks in the style of the examples, not yet answered.

    Cost: one teacher call per unit.
    """
    written = ask_each(units, lambda unit: tasks_request(unit, prompts), teacher, run, "writing")
    return {
        unit.id: [_row(unit, number, text, "") for number, text in enumerate(texts(reply))] for unit, reply in written
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
    written = [(unit, number, text) for unit, reply in materials for number, text in enumerate(texts(reply))]

    def request(item: tuple[Unit, int, str]) -> Request:
        return grounded_task_request(*item, prompts)

    rows: dict[str, list[Sample]] = {unit.id: [] for unit in units}
    for (unit, number, context), reply in ask_each(written, request, teacher, run, "writing tasks"):
        rows[unit.id] += [_row(unit, number, text, "", context) for text in texts(reply)[:1]]
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
    request = _writing(unit, (*turns, ChatMessage("user", asked)), list_schema({"type": "string"}, 1))
    return replace(request, seed=stable_seed(unit.random_seed, number))


def answer_tasks(rows: list[Sample], leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> list[Sample]:
    """Skills: the teacher does each task as the seed examples do, which are shown as earlier turns.

    Where the answers follow from the tasks (`checks.is_determined`) it does each task several times, shown the examples
    in other orders, and the answer that most agree on is taken: what a small teacher copies from the last example
    changes with the order, what it reads in the task does not.

    Reads:  question, context, and the answer where one is proposed already: it is kept where most agree with it
    Adds:   answer, and for determined tasks scores["agreement"], the share of the orders that gave it
    Drops:  tasks whose conversation does not fit, whose answer was cut off, or where no two orders agree (and agree
            with the proposed answer)
    Cost:   one teacher call per row, or `ORDERS`
    Source: self-consistency (arXiv:2203.11171), with orders of the examples instead of samples.
    """
    orders = min(ORDERS, len(leaf.seed_examples)) if is_determined(leaf) else 1
    waiting = [row for row in rows if is_open(row)]
    asked = [(row, order) for order in range(orders) for row in waiting]

    def request(item: tuple[Sample, int]) -> Request:
        row, order = item
        return answer_request(leaf, prompts, row.context, row.question, order)

    replies: dict[str, list[str]] = {row.id: [] for row in waiting}
    for (row, _), reply in ask_each(asked, request, teacher, run, "answering"):
        if reply.finish == "stop" and reply.text:
            replies[row.id].append(reply.text)

    def decide(row: Sample) -> Sample:
        given = replies[row.id]
        if not given:
            return drop(row, "answer", "The teacher did not finish its answer.")
        if orders == 1:
            return replace(row, answer=given[0])
        alike = Counter(" ".join(words(text)) for text in given)
        proposed = " ".join(words(row.answer)) or alike.most_common(1)[0][0]
        votes = alike[proposed]
        answer = row.answer or next(text for text in given if " ".join(words(text)) == proposed)
        row = replace(row, answer=answer, scores={**row.scores, "agreement": round(votes / orders, 2)})
        if votes < 2:
            other = next((text for text in given if " ".join(words(text)) != proposed), given[0])
            return drop(row, "agreement", f"Asked again, the teacher answered: {other[:200]}")
        return row

    return [decide(row) if is_open(row) else row for row in rows]


def answer_request(leaf: Leaf, prompts: Prompts, context: str, question: str, order: int = 0) -> Request:
    """Ask for the answer to a task; the seed examples stand as earlier turns, from number `order` on."""
    turns = [ChatMessage("system", prompts.text("system", task_description=leaf.task_description))]
    for example in (*leaf.seed_examples[order:], *leaf.seed_examples[:order]):
        asked = asked_text(leaf.kind, example.context or "", example.pairs[0].question)
        turns += [ChatMessage("user", asked), ChatMessage("assistant", example.pairs[0].answer)]
    turns.append(ChatMessage("user", asked_text(leaf.kind, context, question)))
    return Request(tuple(turns), max_tokens=_LONGEST_ANSWER)


def list_schema(item: dict[str, Any], most: int) -> dict[str, Any]:
    """The form of a reply that is a list, as `as_list` writes it."""
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

_TASKS = list_schema({"type": "string"}, TASKS_PER_REQUEST)

_CONTEXTS = list_schema({"type": "string"}, CONTEXTS_PER_REQUEST)


def as_list(rows: Sequence[object]) -> str:
    """How a teacher writes a list of rows."""
    return json.dumps({"rows": rows}, ensure_ascii=False)


def _items(reply: Reply) -> list[Any]:
    """The complete items of a reply that follows `list_schema`, also when its end was cut off."""
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


def texts(reply: Reply) -> list[str]:
    """The complete texts of a reply that is a list of them."""
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
