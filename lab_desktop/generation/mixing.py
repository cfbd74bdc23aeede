"""From samples to a dataset: one file of rows for each training phase, with replay, and questions held out.

LAB trains knowledge before skills and replays earlier phases (arXiv:2403.01081, section 3.3). Which phase learns and
replays what is data (`Phase`); this module only deals the rows. General rows against forgetting carry the base model's
own answers: their target is its whole distribution, so nothing new is taught by them.

Writes dataset/<phase>.jsonl, dataset/held_out.jsonl and, last, dataset/manifest.json.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab_desktop.artifacts import (
    ChatMessage,
    Dataset,
    DatasetPhase,
    Leaf,
    LeafKind,
    Phase,
    RowKind,
    Sample,
    TrainingRow,
)
from lab_desktop.errors import GenerationError, RunError
from lab_desktop.files import JsonLines, json_bytes, read_json, write_json, write_text
from lab_desktop.generation.rows import asked_text
from lab_desktop.generation.seeds import Material, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel
from lab_desktop.paths import resources
from lab_desktop.words import words

SHORT_ANSWER_WORDS = 8
"""Up to here an answer is short: a name, a number, a phrase; LAB learns those before whole sentences."""
HELD_OUT_SHARE = 0.1
_PROMPTS_AT_ONCE = 40
GENERAL_TOKENS = 24
"""Of the model's own answer to a general prompt: what it knows shows in the first words."""
OWN_TIMES = 3
"""A round shows the person's own facts so often: the teacher's rows about the same are many, theirs is one."""
EARLIER_SHARE = 0.5
"""Rows of earlier runs for each new row of a phase, while there are so many."""
FEWEST_TO_HOLD_OUT = 10
"""A leaf with fewer generated rows keeps them all for training; its exam alone judges it."""


def mix(
    materials: Sequence[Material],
    samples: Sequence[Sample],
    phases: Sequence[Phase],
    general: Sequence[TrainingRow],
    seed: int,
    run: Run,
    earlier: Sequence[TrainingRow] = (),
) -> Dataset:
    """Deal accepted samples and all seed examples to the phases, and hold some samples out.

    Doing it again with the same rows gives the same dataset and writes nothing, unless a file of it was damaged.

    Args:
        general: rows against forgetting, from `general_rows`.
        earlier: what the student was taught in earlier runs, from `taught_rows`; some of it comes back in every phase.

    Raises:
        GenerationError: there is no row to learn from.
    """
    folder = run.folder / "dataset"
    accepted = [sample for sample in samples if sample.accepted]
    given = [*(row.to_json() for row in accepted), *(row.to_json() for row in (*general, *earlier))]
    # Without any path: a run folder that was moved or copied holds the same run.
    lessons = [
        (str(replace(material.leaf, folder=Path())), [(passage.heading, passage.text) for passage in material.passages])
        for material in materials
    ]
    inputs = _fingerprint([given, str(phases), seed, lessons])
    if (before := _dealt(folder, inputs)) is not None:
        return before

    held_out = _held_out(accepted, seed)
    new: dict[RowKind, list[TrainingRow]] = {kind: [] for kind in RowKind}
    for material in materials:
        for kind, row in _rows_of(material, [sample for sample in accepted if sample.id not in held_out]):
            new[kind].append(row)
    dealt: dict[str, list[TrainingRow]] = {}
    for phase in phases:
        rows = [row for kind in phase.learns for row in new[kind]]
        if rows:
            dealt[phase.name] = rows
    if not dealt:
        raise GenerationError("There is nothing to learn from.", "Add questions or examples to the lesson.")
    files = {phase.name: _with_replay(phase, dealt, general, earlier, seed) for phase in phases if phase.name in dealt}

    (folder / "manifest.json").unlink(missing_ok=True)
    for name, rows in files.items():
        write_text(folder / f"{name}.jsonl", _lines(row.to_json() for row in rows))
    kept_aside = [_sample_row(sample) for sample in accepted if sample.id in held_out]
    write_text(folder / "held_out.jsonl", _lines(row.to_json() for row in kept_aside))
    write_json(
        folder / "manifest.json",
        {
            "inputs": inputs,
            "phases": {name: len(rows) for name, rows in files.items()},
            "held_out": len(kept_aside),
            "fingerprint": _fingerprint([row.to_json() for rows in (*files.values(), kept_aside) for row in rows]),
        },
    )
    run.notice(
        "The practice set is ready: "
        + ", ".join(f"{len(rows)} questions {_PHASES.get(name, f'for {name}')}" for name, rows in files.items())
        + f", {len(kept_aside)} held out for checking."
    )
    return read_dataset(folder)


_PHASES = {"knowledge_short": "with short answers", "knowledge_long": "with long answers", "skills": "for skills"}


def read_dataset(folder: Path) -> Dataset:
    """The dataset in a folder.

    Raises:
        RunError: it is not complete.
    """
    manifest = read_json(folder / "manifest.json", "phases", "held_out", "fingerprint")
    return Dataset(
        folder=folder,
        phases=tuple(DatasetPhase(name, folder / f"{name}.jsonl", count) for name, count in manifest["phases"].items()),
        held_out=folder / "held_out.jsonl",
        held_out_rows=manifest["held_out"],
        fingerprint=manifest["fingerprint"],
    )


def taught_rows(folder: Path) -> list[TrainingRow]:
    """Every row of a dataset that taught something, each once: what a later run replays.

    Raises:
        RunError: the dataset is not complete.
    """
    rows = (row for phase in read_dataset(folder).phases for row in _read_rows(phase.path, phase.rows))
    return list({row.id: row for row in rows if not row.keeps_base}.values())


def general_prompts(count: int) -> list[str]:
    """What is asked about everything, of every kind; the first `count` of a fixed order."""
    path = resources() / "replay" / "general.jsonl"
    prompts = [json.loads(line)["prompt"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return sorted(prompts, key=stable_seed)[:count]  # the file is ordered by kind


def general_rows(student: TextModel, count: int, run: Run) -> list[TrainingRow]:
    """Rows against forgetting: general prompts with the student's own answers from before the training.

    Writes general.jsonl as the answers come. They are asked for in groups, and a resumed run asks the whole group in
    which it was stopped again: the same batch gives the same answers.
    Source: learning without forgetting (arXiv:1606.09282), as LAB's replay buffer where the old data is not at hand.
    """
    prompts = general_prompts(count)
    book = JsonLines(run.folder / "general.jsonl")
    done = _answers(book)
    run.progress("Noting what the model knows already", len(done), len(prompts))
    with contextlib.closing(book):
        for start in range(0, len(prompts), _PROMPTS_AT_ONCE):
            group = prompts[start : start + _PROMPTS_AT_ONCE]
            if done.keys() >= set(group):
                continue
            requests = [Request((ChatMessage("user", prompt),), max_tokens=GENERAL_TOKENS) for prompt in group]
            for index, reply in student.complete(requests, is_cancelled=lambda: run.is_cancelled):
                if group[index] not in done:
                    done[group[index]] = reply.text
                    book.append({"prompt": group[index], "answer": reply.text})
                    run.progress("Noting what the model knows already", len(done), len(prompts))
    return noted_rows(run, count)


def noted_rows(run: Run, count: int) -> list[TrainingRow]:
    """The rows of the answers that `general_rows` has noted."""
    done = _answers(JsonLines(run.folder / "general.jsonl"))
    return [
        TrainingRow(
            f"general#{number}",
            "replay/general",
            (ChatMessage("user", prompt), ChatMessage("assistant", done[prompt])),
            keeps_base=True,
        )
        for number, prompt in enumerate(general_prompts(count))
        if done.get(prompt)
    ]


def _answers(book: JsonLines) -> dict[str, str]:
    """Noted answers by their prompts; a row that is none is asked for again."""
    rows = (row for row in book.each() if isinstance(row, dict))
    noted = ((row.get("prompt"), row.get("answer")) for row in rows)
    return {prompt: answer for prompt, answer in noted if isinstance(prompt, str) and isinstance(answer, str)}


def export_instructlab(run: Run, folder: Path, timestamp: str) -> list[Path]:
    """Write the dataset under the names that InstructLab's own tools read.

    Files: knowledge_train_msgs_<ts>.jsonl, skills_train_msgs_<ts>.jsonl, messages_<ts>.jsonl, train_<ts>.jsonl,
    test_<ts>.jsonl (the held-out rows). General rows are left out: their target exists only in our training.
    """
    dataset = read_dataset(run.folder / "dataset")
    rows = {phase.name: _read_rows(phase.path, phase.rows) for phase in dataset.phases}
    knowledge = [row for name in rows if name.startswith("knowledge") for row in rows[name] if not row.keeps_base]
    skills = [row for name in rows if not name.startswith("knowledge") for row in rows[name] if not row.keeps_base]
    every = list({row.id: row for row in (*knowledge, *skills)}.values())
    files = {
        "knowledge_train_msgs": [row.to_json() for row in knowledge],
        "skills_train_msgs": [row.to_json() for row in skills],
        "messages": [row.to_json() for row in every],
        "train": [_legacy(row) for row in every],
        "test": [_legacy(row) for row in _read_rows(dataset.held_out, dataset.held_out_rows)],
    }
    written = []
    for name, content in files.items():
        path = folder / f"{name}_{timestamp}.jsonl"
        write_text(path, _lines(content))
        written.append(path)
    return written


def _dealt(folder: Path, inputs: str) -> Dataset | None:
    """The dataset in a folder, if it was dealt from these inputs and every row is as it was then."""
    with contextlib.suppress(RunError):
        dataset = read_dataset(folder)
        files = [(phase.path, phase.rows) for phase in dataset.phases] + [(dataset.held_out, dataset.held_out_rows)]
        rows = [row.to_json() for path, count in files for row in _read_rows(path, count)]
        made_from = read_json(folder / "manifest.json", "inputs")["inputs"]
        if (made_from, _fingerprint(rows)) == (inputs, dataset.fingerprint):
            return dataset
    return None


def _rows_of(material: Material, samples: Sequence[Sample]) -> list[tuple[RowKind, TrainingRow]]:
    leaf = material.leaf
    rows = []
    for number, example in enumerate(leaf.seed_examples):
        for index, pair in enumerate(example.pairs):
            asked = asked_text(leaf.kind, example.context or "", pair.question)
            row = _row(f"{leaf.name}|seed{number}#{index}", leaf.name, asked, pair.answer)
            rows += [row] * (OWN_TIMES if leaf.kind is LeafKind.KNOWLEDGE else 1)
    rows += [_sample_row(sample) for sample in samples if sample.leaf == leaf.name]
    return [(_kind(leaf, row), row) for row in rows]


def _sample_row(sample: Sample) -> TrainingRow:
    return _row(
        sample.id, sample.leaf, asked_text(LeafKind(sample.kind), sample.context, sample.question), sample.answer
    )


def _row(identity: str, leaf: str, question: str, answer: str) -> TrainingRow:
    return TrainingRow(identity, leaf, (ChatMessage("user", question), ChatMessage("assistant", answer)))


def _kind(leaf: Leaf, row: TrainingRow) -> RowKind:
    if leaf.kind is not LeafKind.KNOWLEDGE:
        return RowKind.FOUNDATIONAL_SKILL if leaf.is_foundational else RowKind.COMPOSITIONAL_SKILL
    is_short = len(words(row.messages[-1].content)) <= SHORT_ANSWER_WORDS
    return RowKind.KNOWLEDGE_SHORT if is_short else RowKind.KNOWLEDGE_LONG


def _held_out(accepted: Sequence[Sample], seed: int) -> set[str]:
    """Ids of the rows kept aside: of a share of each leaf's questions every row, for one may be answered twice.

    Questions are chosen by their first row's id, so that more rows change little.
    """
    chosen: set[str] = set()
    for leaf in {sample.leaf for sample in accepted}:
        by_question: dict[str, list[str]] = {}
        for sample in accepted:
            if sample.leaf == leaf:
                asked = asked_text(LeafKind(sample.kind), sample.context, sample.question)
                by_question.setdefault(" ".join(words(asked)), []).append(sample.id)
        questions = sorted(by_question.values(), key=lambda ids: stable_seed(seed, ids[0]))
        if len(questions) >= FEWEST_TO_HOLD_OUT:
            for ids in questions[: max(1, round(HELD_OUT_SHARE * len(questions)))]:
                chosen.update(ids)
    return chosen


def _with_replay(
    phase: Phase,
    dealt: dict[str, list[TrainingRow]],
    general: Sequence[TrainingRow],
    earlier: Sequence[TrainingRow],
    seed: int,
) -> list[TrainingRow]:
    rows = list(dealt[phase.name])
    chooser = random.Random(stable_seed(seed, phase.name))
    before = [row for name in phase.replays for row in dealt.get(name, [])]
    replayed = chooser.sample(before, min(len(before), round(phase.replay_share * len(rows))))
    again = chooser.sample(earlier, min(len(earlier), round(EARLIER_SHARE * len(rows)))) if earlier else []
    return rows + replayed + again + list(general)


def _legacy(row: TrainingRow) -> dict[str, str]:
    return {"system": "", "user": row.messages[-2].content, "assistant": row.messages[-1].content}


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return b"".join(map(json_bytes, rows)).decode()


def _read_rows(path: Path, count: int) -> list[TrainingRow]:
    return list(JsonLines(path).made(TrainingRow.from_json, count))


def _fingerprint(values: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode("utf-8")).hexdigest()
