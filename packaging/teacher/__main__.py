"""python packaging/teacher {train|ship|measure}: make the practice teacher, an adapter for the practice model.

    train    [--run DIR] [--epochs E] [--from ADAPTER]   rows from corpus/, then this project's own training; resumable
    ship     [--run DIR]                                  RUN/adapter → resources/practice/teacher.gguf (16-bit)
    measure  [--adapter GGUF]                             the held-out passages, before and after

Two cores need 75 to 110 minutes for the 0.8 epochs. The seed is fixed: the same corpus gives the same adapter.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from pathlib import Path

from corpus_rows import passage_rows, read, skill_rows

from lab_desktop.artifacts import Adapter, Dataset, DatasetPhase, Phase, TrainingRow
from lab_desktop.errors import LabError
from lab_desktop.export.adapter import write_adapter
from lab_desktop.files import read_json, replacing, write_text
from lab_desktop.hardware import wait_politely
from lab_desktop.jobs.events import Event, Metric, Notice
from lab_desktop.jobs.run import Run
from lab_desktop.paths import practice_model, resources
from lab_desktop.training.loop import train
from lab_desktop.training.phases import TrainingPlan

RANK = 16
SHIPPED = resources() / "practice" / "teacher.gguf"
_HELD_OUT_ROWS = 120


def plan(epochs: float) -> TrainingPlan:
    """One phase over all tasks; the rate falls over its last 60 %, because nothing follows it."""
    phase = Phase(
        "teacher",
        learns=(),
        replays=(),
        replay_share=0.0,
        general_share=0.0,
        epochs=epochs,
        learning_rate=7e-4,
        warmup_share=0.03,
    )
    return TrainingPlan(
        phases=(phase,),
        rank=RANK,
        frozen_share=0.0,
        cooldown_share=0.6,
        effective_batch=28,
        rows_together=14,
        pack_tokens=800,
        evaluate_every=100,
        checkpoint_every=25,
    )


def dataset(folder: Path) -> Dataset:
    """The corpus as rows, in the form that training reads."""
    import json

    passages, held_out_passages = read("passages-*.jsonl")
    skills, held_out_skills = read("skills-*.jsonl")
    rows = [row for item in passages for row in passage_rows(item, passages)]
    rows += [row for item in skills for row in skill_rows(item)]
    kept_aside = [row for item in held_out_passages for row in passage_rows(item, held_out_passages)]
    kept_aside += [row for item in held_out_skills for row in skill_rows(item)]
    kept_aside = random.Random(0).sample(kept_aside, _HELD_OUT_ROWS)

    def text(of: list[TrainingRow]) -> str:
        return "".join(json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in of)

    files = {"teacher": text(rows), "held_out": text(kept_aside)}
    for name, content in files.items():
        write_text(folder / f"{name}.jsonl", content)
    print(f"{len(passages)} passages and {len(skills)} skills give {len(rows):,} rows")
    fingerprint = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    phases = (DatasetPhase("teacher", folder / "teacher.jsonl", len(rows)),)
    return Dataset(folder, phases, folder / "held_out.jsonl", len(kept_aside), fingerprint)


def tell(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.text, flush=True)
    if isinstance(event, Metric) and (event.name.startswith("held_out") or event.step % 10 == 0):
        print(f"{time.strftime('%H:%M:%S')} step {event.step}: {event.name} {event.value:.3f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("train", "ship", "measure"))
    parser.add_argument("--run", type=Path, default=Path("runs/teacher"))
    parser.add_argument("--epochs", type=float, default=0.8)
    parser.add_argument("--from", dest="start_from", type=Path)
    parser.add_argument("--adapter", type=Path, default=SHIPPED)
    chosen = parser.parse_args()
    wait_politely()
    try:
        with Run(chosen.run, tell).open() as run:
            if chosen.command == "train":
                (run.folder / "dataset").mkdir(exist_ok=True)
                train(dataset(run.folder / "dataset"), practice_model(), plan(chosen.epochs), run, chosen.start_from)
            elif chosen.command == "ship":
                made = read_json(run.folder / "adapter" / "adapter.json")
                adapter = Adapter(run.folder / "adapter", made["rank"], made["scale"], practice_model())
                made_file = write_adapter(adapter, run, sixteen_bit=True)
                with replacing(SHIPPED, "The teacher") as temporary:
                    temporary.write_bytes(made_file.read_bytes())
                print(f"{SHIPPED}: {SHIPPED.stat().st_size / 1e6:.1f} MB")
            else:
                import measure

                measure.main(chosen.adapter)
    except LabError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
