"""Small data sets on disk and rows in tokens, for the tests of this folder. Bytes are tokens, so no file is needed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lab_desktop.artifacts import ChatMessage, Dataset, DatasetPhase, TrainingRow
from lab_desktop.training.batches import EncodedRow
from lab_desktop.training.phases import LAB_PHASES, TrainingPlan

END_OF_TURN = 258


def bytes_of(messages: Sequence[ChatMessage]) -> tuple[list[int], list[int]]:
    """A tokenizer: the text's bytes."""
    prompt = "".join(message.content + "\n" for message in messages[:-1])
    return list(prompt.encode()), [*messages[-1].content.encode(), END_OF_TURN]


def row(question: str, answer: str, *, learns_prompt: bool = False, keeps_base: bool = False) -> EncodedRow:
    prompt, answer_tokens = bytes_of((ChatMessage("user", question), ChatMessage("assistant", answer)))
    return EncodedRow(tuple(prompt), tuple(answer_tokens), learns_prompt, keeps_base)


def rows_about_a_document() -> list[EncodedRow]:
    document = "The lake of Orm lies high and is fed by three springs. "
    return [
        row(document + "How many springs?", "three"),
        row(document + "How high?", "high up"),
        row(document + "How high?", "high"),  # the same question answered otherwise
        row(document + "Which lake?", "Orm", learns_prompt=True),
        row("Something else entirely", "yes"),
    ]


def small_plan(**changes: object) -> TrainingPlan:
    """Ten steps on `write_dataset`'s default data."""
    phases = tuple(
        dataclasses.replace(phase, epochs=epochs, least_steps=1, learning_rate=5e-3, general_share=0.4)
        for phase, epochs in zip(LAB_PHASES, (4, 2, 2), strict=True)
    )
    plan = TrainingPlan(phases=phases, rank=4, effective_batch=4, pack_tokens=120, evaluate_every=2, checkpoint_every=3)
    plan = dataclasses.replace(plan, fewest_held_out=1)
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]


def write_dataset(folder: Path, *, words: str = "abcdefgh", held_out: bool = True) -> Dataset:
    """Facts (8 rows, of which 2 keep the base) and skills (4 rows), with 2 held-out questions."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = [_row(f"fact-{word}", f"What is {word}?", word * 3) for word in words[:6]]
    facts += [_row(f"general-{word}", f"Hello {word}", "Good day", keeps_base=True) for word in words[6:]]
    skills = [_row(f"skill-{word}", f"Say {word} loudly", word.upper() * 3) for word in words[:4]]
    asked = [_row(f"asked-{word}", f"Tell me: what is {word}?", word * 3) for word in words[:2]] if held_out else []
    phases = []
    for name, rows in (("knowledge_short", facts), ("skills", skills)):
        phases.append(DatasetPhase(name, _write(folder / f"{name}.jsonl", rows), len(rows)))
    asked_path = _write(folder / "held_out.jsonl", asked)
    fingerprint = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()))).hexdigest()
    return Dataset(folder, tuple(phases), asked_path, len(asked), fingerprint)


def _row(name: str, question: str, answer: str, *, keeps_base: bool = False) -> TrainingRow:
    return TrainingRow(
        name, "leaf", (ChatMessage("user", question), ChatMessage("assistant", answer)), keeps_base=keeps_base
    )


def _write(path: Path, rows: Sequence[TrainingRow]) -> Path:
    path.write_text("".join(json.dumps(each.to_json()) + "\n" for each in rows))
    return path
