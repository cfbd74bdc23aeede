"""What a student learns from a lesson, by how its rows were made: the LAB loop, simpler ways, and ideal rows.

Every way gets the same harness: rows → `mix` → training → exam, held-out wordings and general questions, greedy and
without a document. `ideal` stands for a perfect teacher: every fact of the document in five wordings by hand
(tests/exams/*/ideal.jsonl); one wording of each is never trained on and asked as `wordings`.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop import workflow
from lab_desktop.artifacts import Leaf, LeafKind, Sample, TrainingRow
from lab_desktop.evaluation.judge import Verdict, judge
from lab_desktop.evaluation.questions import Question, exam_questions, general_questions
from lab_desktop.evaluation.report import ask
from lab_desktop.export.adapter import write_adapter
from lab_desktop.generation.mixing import general_rows, mix
from lab_desktop.hardware import wait_politely
from lab_desktop.jobs.events import Event, Metric
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.paths import practice_model
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.training.loop import train
from lab_desktop.training.phases import TrainingPlan

EXAMS = Path(__file__).parent.parent / "exams"


@dataclass(frozen=True)
class Outcome:
    """Shares of right answers after training, and minutes.

    Attributes:
        seeds, others: of the exam's questions on facts that the seed questions ask, and on others.
        wordings: of the questions that were kept aside.
        general: general questions, how many right of all.
    """

    seeds: float
    others: float
    wordings: float
    general: tuple[int, int]
    minutes: float
    steps: int

    def __str__(self) -> str:
        return (
            f"seed facts {self.seeds:4.0%}  other facts {self.others:4.0%}  unseen wordings {self.wordings:4.0%}  "
            f"general {self.general[0]}/{self.general[1]}  {self.minutes:.1f} min  {self.steps} steps"
        )


def learn(
    leaf_folder: Path,
    samples: Sequence[Sample],
    kept_aside: Sequence[Question],
    folder: Path,
    plan: TrainingPlan,
    *,
    general: Sequence[TrainingRow] | None = None,
    phases: Sequence[object] | None = None,
) -> Outcome:
    """Train the practice model on these rows and ask everything."""
    model = practice_model()

    def tell(event: Event) -> None:
        if isinstance(event, Metric) and event.name == "loss" and event.step % 20 == 0:
            print(f"    step {event.step}: loss {event.value:.2f}", file=sys.stderr, flush=True)

    with Run(folder, tell).open() as run:
        request = LearnRequest((leaf_folder,), model, model, 1, 0)
        workflow.begin(request, run)
        leaf = workflow._leaves(run)[0]
        with LlamaModel(model) as base:
            materials = workflow._materials(run, base)
            rows = general_rows(base, workflow.GENERAL_ROWS, run) if general is None else list(general)
        dataset = mix(materials, samples, plan.phases, rows, 0, run)
        began = time.monotonic()
        adapter = train(dataset, model, plan, run)
        minutes = (time.monotonic() - began) / 60
        write_adapter(adapter, run)
        exam = exam_questions(leaf.folder, leaf.name)
        about_all = general_questions()
        questions = [*exam, *kept_aside, *about_all]
        with LlamaModel(model, adapters={"student": adapter.gguf}) as student:
            student.use_adapter("student")
            replies = ask(student, questions, run, "now", "")
    found = [verdict.verdict is Verdict.RIGHT for verdict in judge(questions, replies)]
    right = dict(zip((question.id for question in questions), found, strict=True))

    def share(of: Sequence[Question]) -> float:
        return sum(right[question.id] for question in of) / max(1, len(of))

    return Outcome(
        share([question for question in exam if question.seed]),
        share([question for question in exam if not question.seed]),
        share(kept_aside),
        (sum(right[question.id] for question in about_all), len(about_all)),
        minutes,
        json.loads((folder / "adapter" / "adapter.json").read_text())["last_step"],
    )


def ideal(
    leaf: Leaf, wordings: int = 4, long_share: float = 0.5, facts: float = 1.0
) -> tuple[list[Sample], list[Question]]:
    """(rows, kept aside) of a perfect teacher.

    Args:
        wordings: of each fact, of the five there are; the fifth is kept aside.
        long_share: share of the rows that are answered in a sentence.
        facts: share of the facts.
    """
    chance = random.Random(0)
    rows: list[Sample] = []
    aside: list[Question] = []
    for number, line in enumerate((leaf.folder / "ideal.jsonl").read_text(encoding="utf-8").splitlines()):
        fact = json.loads(line)
        if chance.random() >= facts:
            continue
        questions = list(fact["questions"])
        chance.shuffle(questions)
        for place, question in enumerate(questions[:wordings]):
            is_long = (place + 0.5) / wordings > 1 - long_share
            answer = fact["long"] if is_long else fact["answer"]
            rows.append(Sample(f"ideal{number}#{place}", leaf.name, leaf.kind.value, question, answer, accepted=True))
        aside.append(
            Question(f"aside{number}", leaf.name, questions[-1], fact["long"], "exam", accept=(fact["answer"],))
        )
    return rows, aside


def main() -> None:
    """Print a table: lesson, way, what came of it."""
    wait_politely()
    for folder in sorted(path for path in EXAMS.iterdir() if (path / "ideal.jsonl").is_file()):
        leaf = read_leaf(folder)
        if leaf.kind is not LeafKind.KNOWLEDGE:
            continue
        rows, aside = ideal(leaf)
        with tempfile.TemporaryDirectory() as place:
            print(f"{folder.name:20} ideal  {learn(folder, rows, aside, Path(place), TrainingPlan())}", flush=True)


if __name__ == "__main__":
    main()
