"""From the teacher's corpus to training rows: the very conversations that generation has with a teacher.

The corpus (corpus/*.jsonl, hand-written, CC-BY-4.0) has
    passages-*.jsonl  id, title, domain, passage, pairs [{answer, question, paraphrases, long}],
                      unanswerable [question], wrong [{question, answer}]
    skills-*.jsonl    id, task_description, kind, examples [{question, answer, context}]
One item in ten, chosen by its id, is held out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import ChatMessage, Leaf, LeafKind, Pair, SeedExample, TrainingRow
from lab_desktop.generation import judging, writing
from lab_desktop.generation.facts import conversation
from lab_desktop.generation.prompts import Prompts, load_prompts
from lab_desktop.generation.seeds import NO_PASSAGE, Material, Unit, stable_seed
from lab_desktop.words import contains, sentences

CORPUS = Path(__file__).parent / "corpus"
SEEDS = 5
_HELD_OUT_ONE_IN = 10
_SPLITS = 1
"""How many ways a skill's twelve examples are dealt into five that are shown and seven that are asked for."""
_REWORDED, _LONG = 4, 6
"""Facts of a passage that are worded anew, and answered in a sentence."""
_FEW_WORDINGS_SHARE = 0.4
"""Of the tasks on passages whose questions have only two wordings: the teacher is to write many."""


def read(pattern: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(to train on, held out) of the corpus files that match."""
    kept: tuple[list[dict[str, Any]], list[dict[str, Any]]] = [], []
    for path in sorted(CORPUS.glob(pattern)):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            kept[stable_seed("held out", item["id"]) % _HELD_OUT_ONE_IN == 0].append(item)
    return kept


def passage_text(item: dict[str, Any]) -> str:
    """The passage below its title, as `documents.passages` gives one below its headings."""
    title = item["title"].replace(" — ", " › ").replace(": ", " › ")
    return f"{title}\n\n{item['passage']}"


def passage_rows(item: dict[str, Any], strangers: Sequence[dict[str, Any]]) -> list[TrainingRow]:
    """The tasks about one passage; a question of another passage is one that this passage does not answer."""
    rows = list(_passage_tasks(item, strangers))
    if any(len(pair["paraphrases"]) > 1 for pair in item["pairs"]):
        return rows
    return random.Random(stable_seed("few", item["id"])).sample(rows, round(_FEW_WORDINGS_SHARE * len(rows)))


def _passage_tasks(item: dict[str, Any], strangers: Sequence[dict[str, Any]]) -> Iterator[TrainingRow]:
    prompts = load_prompts("facts")
    chance = random.Random(stable_seed("rows", item["id"]))
    text = passage_text(item)
    pairs = item["pairs"]
    number = 0

    def row(task: str, target: str, **values: object) -> TrainingRow:
        nonlocal number
        number += 1
        messages = (*conversation(prompts, text, task, **values), ChatMessage("assistant", target))
        return TrainingRow(f"{item['id']}#{task}{number}", f"teacher/{task}", messages)

    home: dict[str, list[dict[str, Any]]] = {sentence: [] for sentence in sentences(item["passage"])}
    for pair in pairs:
        where = next((sentence for sentence in home if contains(sentence, pair["answer"])), item["passage"])
        home.setdefault(where, []).append(pair)
    for sentence, told in home.items():
        if not told or sentence == item["passage"]:
            continue
        told.sort(key=lambda pair: sentence.lower().find(pair["answer"].lower()))
        yield row("facts", "\n".join(pair["answer"] for pair in told), sentence=sentence)
    for sentence, told in home.items():
        for pair in told:
            wordings = [pair["question"], *pair["paraphrases"]]
            chance.shuffle(wordings)
            yield row("ask", "\n".join(wordings), sentence=sentence, answer=pair["answer"], count=len(wordings))
            yield row("short", pair["answer"], question=chance.choice(wordings))
    for pair in chance.sample(pairs, _REWORDED):
        wordings = [pair["question"], *pair["paraphrases"]]
        chance.shuffle(wordings)
        yield row("reword", "\n".join(wordings[1:]), question=wordings[0], count=len(wordings) - 1)
    for pair in chance.sample(pairs, _LONG):
        yield row("long", pair["long"], question=chance.choice([pair["question"], *pair["paraphrases"]]))
    stranger = chance.choice([other for other in strangers if other is not item])
    for question in (*item["unanswerable"], chance.choice(stranger["pairs"])["question"]):
        yield row("short", prompts.text("unknown"), question=question)
    for pair in chance.sample(pairs, 3):
        question = chance.choice([pair["question"], *pair["paraphrases"]])
        yield row("check", "YES", question=question, answer=pair[chance.choice(("answer", "long"))])
    for wrong in chance.sample(item["wrong"], 2):
        yield row("check", "NO", question=wrong["question"], answer=wrong["answer"])
    pair, other = chance.sample(pairs, 2)
    yield row("check", "NO", question=chance.choice(pair["paraphrases"]), answer=other["long"])


def skill_leaf(item: dict[str, Any], examples: Sequence[dict[str, Any]]) -> Leaf:
    """A leaf with these examples as its seeds."""
    seeds = tuple(
        SeedExample((Pair(example["question"], example["answer"]),), example.get("context")) for example in examples
    )
    kind = LeafKind(f"{item['kind']}_skill")
    return Leaf(
        ("compositional_skills", item["id"]), Path(), kind, 2, "", seeds, task_description=item["task_description"]
    )


def skill_rows(item: dict[str, Any]) -> Iterator[TrainingRow]:
    """Writing tasks like the shown ones, doing them, and judging: with prompts that show five examples."""
    for split in range(_SPLITS):
        chance = random.Random(stable_seed("rows", item["id"], split))
        examples = list(item["examples"])
        chance.shuffle(examples)
        leaf = skill_leaf(item, examples[:SEEDS])
        prompts = load_prompts(leaf.kind.value)
        unit = Unit(f"{item['id']}|{split}", Material(leaf), NO_PASSAGE, split, 0, 0)
        for number, (task, messages, target) in enumerate(_skill_tasks(leaf, unit, examples[SEEDS:], prompts, chance)):
            yield TrainingRow(f"{unit.id}#{number}", f"teacher/{task}", (*messages, ChatMessage("assistant", target)))


def _skill_tasks(
    leaf: Leaf, unit: Unit, rest: list[dict[str, Any]], prompts: Prompts, chance: random.Random
) -> Iterator[tuple[str, tuple[ChatMessage, ...], str]]:
    for example in rest:
        request = writing.answer_request(leaf, prompts, example.get("context", ""), example["question"])
        yield "skill_answer", request.messages, example["answer"]
    if leaf.kind is LeafKind.FREEFORM_SKILL:
        new = chance.sample(rest, writing.TASKS_PER_REQUEST)
        target = writing.as_list([example["question"] for example in new])
        yield "skill_write", writing.tasks_request(unit, prompts).messages, target
    else:
        for start in range(0, 4, writing.CONTEXTS_PER_REQUEST):
            new = rest[start : start + writing.CONTEXTS_PER_REQUEST]
            target = writing.as_list([example["context"] for example in new])
            yield "skill_material", writing.material_request(unit, prompts).messages, target
        for example in rest[:3]:
            request = writing.grounded_task_request(unit, 0, example["context"], prompts)
            yield "skill_write", request.messages, writing.as_list([example["question"]])
    for prompt in prompts.judging.values():
        good, bad = judging.known_rows(leaf, prompt)
        shown = judging.demonstrations(prompt, leaf, good[0], bad[0])
        known = skill_leaf({"id": "", "kind": leaf.kind.value.removesuffix("_skill"), "task_description": ""}, rest)
        good, bad = judging.known_rows(known, prompt)
        for rows, mark in ((good, prompt.best), (bad, prompt.worst)):
            for row in chance.sample(rows, min(2, len(rows))):
                asked = ChatMessage("user", judging.judging_text(prompt, leaf, row))
                yield "skill_judge", (*shown, asked), mark
