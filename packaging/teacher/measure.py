"""How good a teacher is on passages that it has never seen: without the adapter and with it.

Everything here is generation's own: its prompts, its engine, its checks. What is right is known from the corpus.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from corpus_rows import passage_text, read

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, Passage, SeedExample
from lab_desktop.generation.facts import conversation, find_facts, write_rows
from lab_desktop.generation.prompts import load_prompts
from lab_desktop.generation.seeds import NO_EXAMPLE, Material, Unit
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.paths import practice_model
from lab_desktop.words import agree, contains

_PASSAGES = 16
_PASSAGES_FOR_ROWS = 2
"""A teacher that was not taught lists nearly every word as a fact, and asks for each: all passages would take hours."""


def main(adapter: Path) -> None:
    """Print a table of shares, before and after."""
    held_out = read("passages-*.jsonl")[1]
    passages = held_out[:: len(held_out) // _PASSAGES][:_PASSAGES]
    with (
        LlamaModel(practice_model(), adapters={"teacher": adapter}) as model,
        tempfile.TemporaryDirectory() as folder,
        Run(Path(folder)).open() as run,
    ):
        columns = []
        for name in (None, "teacher"):
            model.use_adapter(name)
            columns.append(_measured(passages, model, run))
    print(f"{len(passages)} passages that no teacher was trained on{'untaught':>24}{'taught':>10}")
    for what, before in columns[0].items():
        print(f"{what:62}{before:>8}{columns[1][what]:>10}")


def _measured(passages: list[dict[str, Any]], model: LlamaModel, run: Run) -> dict[str, str]:
    prompts = load_prompts("facts")
    unknown = prompts.text("unknown")
    found: dict[str, str] = {}

    def share(hits: int, of: int) -> str:
        return f"{hits / of:.0%}" if of else "–"

    pairs = [(item, pair) for item in passages for pair in item["pairs"]]

    def replies(task: str, asked: list[tuple[dict[str, Any], dict[str, object]]], tokens: int) -> list[str]:
        requests = [
            Request(conversation(prompts, passage_text(item), task, **values), max_tokens=tokens)
            for item, values in asked
        ]
        texts = {index: reply.text for index, reply in model.complete(requests)}
        return [texts[index] for index in range(len(requests))]

    short = replies("short", [(item, {"question": pair["question"]}) for item, pair in pairs], 32)
    right = [agree(pair["answer"], text) for (_, pair), text in zip(pairs, short, strict=True)]
    found["short answers that are right"] = share(sum(right), len(right))
    exact = [contains(text, pair["answer"]) for (_, pair), text in zip(pairs, short, strict=True)]
    found["short answers that contain every word of the answer"] = share(sum(exact), len(exact))
    found['answerable questions refused with "the text does not say"'] = share(short.count(unknown), len(short))
    strange = [(item, {"question": question}) for item in passages for question in item["unanswerable"]]
    refused = replies("short", strange, 32)
    found["unanswerable questions refused"] = share(refused.count(unknown), len(refused))
    long = replies("long", [(item, {"question": pair["question"]}) for item, pair in pairs], 64)
    found["answers in a sentence that contain the answer"] = share(
        sum(contains(text, pair["answer"]) for (_, pair), text in zip(pairs, long, strict=True)), len(long)
    )
    found["judge: balanced accuracy on right and wrong answers"] = _judged(passages, model)
    units = [_unit(item) for item in passages]
    told = find_facts(units, prompts, model, run)
    of_unit = {unit.id: [fact.answer for fact in told if fact.unit.id == unit.id] for unit in units}
    hits = sum(
        any(contains(answer, pair["answer"]) or contains(pair["answer"], answer) for answer in of_unit[item["id"]])
        for item, pair in pairs
    )
    found["facts of the corpus that are found"] = share(hits, len(pairs))
    began, decoded = time.monotonic(), model.decoded_tokens
    rows, asked = write_rows(units[:_PASSAGES_FOR_ROWS], prompts, model, run, [])
    minutes = (time.monotonic() - began) / 60
    kept = [row for row in rows if not row.stage]
    formed = [row for row in rows if row.stage not in ("form", "duplicate")]
    found["questions asked for"] = str(sum(asked.values()))
    found["… that are well-formed, name their subject and are new"] = share(len(formed), len(rows))
    found["… kept in the end (answers in a sentence included)"] = str(len(kept))
    found["rows kept a minute"] = f"{len(kept) / minutes:.0f}"
    found["tokens computed a second"] = f"{(model.decoded_tokens - decoded) / minutes / 60:.0f}"
    return found


def _judged(passages: list[dict[str, Any]], model: LlamaModel) -> str:
    prompts = load_prompts("facts")
    known = [(item, pair["question"], pair["answer"], True) for item in passages for pair in item["pairs"][:3]]
    known += [(item, wrong["question"], wrong["answer"], False) for item in passages for wrong in item["wrong"]]
    requests = [
        Request(
            conversation(prompts, passage_text(item), "check", question=question, answer=answer),
            choices=("YES", "NO"),
        )
        for item, question, answer, _ in known
    ]
    sure = {index: reply.probabilities[0] >= 0.5 for index, reply in model.complete(requests)}
    shares = []
    for truth in (True, False):
        of = [index for index, row in enumerate(known) if row[3] is truth]
        shares.append(sum(sure[index] is truth for index in of) / len(of))
    return f"{sum(shares) / 2:.0%}"


def _unit(item: dict[str, Any]) -> Unit:
    heading = passage_text(item).split("\n")[0]
    passage = Passage(0, Path("text.md"), heading, passage_text(item))
    leaf = Leaf(
        ("knowledge", item["id"]),
        Path(),
        LeafKind.KNOWLEDGE,
        3,
        "",
        (SeedExample((Pair("", ""),), ""),),
        document=DocumentSource("", "", ()),
    )
    return Unit(item["id"], Material(leaf, (passage,)), 0, NO_EXAMPLE, 0, 0)
