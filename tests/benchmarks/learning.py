"""What a student learns from a lesson, by how its rows were made: the LAB loop, simpler ways, and ideal rows.

Every way gets the same harness and the same number of steps: rows → `mix` → training → exam, questions kept aside and
general questions, greedy and without a document. `ideal` stands for a perfect teacher: every fact of the document in
five wordings by hand (tests/exams/*/ideal.jsonl); one wording of each is never trained on.

    LESSONS="teodor_vask oru_fen" WAYS="loop ideal" python -m tests.benchmarks learning

Without LESSONS and WAYS it takes hours. Results are appended to learning.jsonl in the current folder as they come, and
what is there already is not measured again.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop import workflow
from lab_desktop.artifacts import Leaf, LeafKind, Phase, Sample, TrainingRow
from lab_desktop.evaluation.judge import Verdict, judge
from lab_desktop.evaluation.questions import Question, exam_questions, general_questions
from lab_desktop.evaluation.report import ask
from lab_desktop.export.adapter import write_adapter
from lab_desktop.files import JsonLines
from lab_desktop.generation.mixing import mix
from lab_desktop.generation.pipeline import generate
from lab_desktop.generation.seeds import Material
from lab_desktop.hardware import wait_politely
from lab_desktop.jobs.events import Event, Metric
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.paths import practice_model
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.training.loop import train
from lab_desktop.training.phases import LAB_PHASES, TrainingPlan, phase_steps

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
    materials: Sequence[Material],
    samples: Sequence[Sample],
    kept_aside: Sequence[Question],
    folder: Path,
    plan: TrainingPlan,
    *,
    steps: int = 0,
    general: Sequence[TrainingRow] | None = None,
) -> Outcome:
    """Train the practice model on these rows and ask everything.

    Args:
        materials: the seed examples and passages that `mix` adds to the samples.
        kept_aside: questions that were never trained on.
        steps: of the whole training, shared by its phases as the plan has it; 0: as the plan has it.
        general: rows against forgetting; None: the practice model's own.
    """
    model = practice_model()

    def tell(event: Event) -> None:
        if isinstance(event, Metric) and event.name == "loss" and event.step % 20 == 0:
            print(f"    step {event.step}: loss {event.value:.2f}", file=sys.stderr, flush=True)

    with Run(folder, tell).open() as run:
        rows = workflow._general_rows(model, run) if general is None else list(general)
        dataset = mix(materials, samples, plan.phases, rows, 0, run)
        new = {
            phase.name: sum(not json.loads(row["metadata"])["keeps_base"] for row in JsonLines(phase.path).rows())
            for phase in dataset.phases
        }
        if steps:
            plan = replace(plan, phases=_stretched(plan, new, steps))
        began = time.monotonic()
        adapter = train(dataset, model, plan, run)
        minutes = (time.monotonic() - began) / 60
        write_adapter(adapter, run)
        leaves = [material.leaf for material in materials]
        exam = [question for leaf in leaves for question in exam_questions(leaf.folder, leaf.name)]
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


def _stretched(plan: TrainingPlan, rows: dict[str, int], steps: int) -> tuple[Phase, ...]:
    """The plan's phases with more or fewer rounds, so that they take `steps` in all."""
    planned = sum(phase_steps(phase, rows.get(phase.name, 0), plan) for phase in plan.phases)
    share = steps / max(1, planned)
    return tuple(
        replace(phase, epochs=0.0, least_steps=math.ceil(share * phase_steps(phase, rows.get(phase.name, 0), plan)))
        for phase in plan.phases
    )


WAYS = ("loop", "ideal", "seeds only", "raw document", "one phase, no replay", "no filters")


def measure(folder: Path, way: str, work: Path) -> Outcome:
    """One lesson, one way. The loop's rows are made once and used by all ways that need them."""
    leaf = read_leaf(folder)
    plan = TrainingPlan()
    with Run(work / "loop").open() as run:
        model = practice_model()
        workflow.begin(LearnRequest((folder,), model, model, 0, 0), run)
        with workflow._teacher(model, run) as teacher:
            materials = workflow._materials(run, teacher)
            made = generate(materials, teacher, 0, 0, run)
    materials = [Material(leaf, materials[0].passages)]
    _, aside = ideal(leaf)
    steps = sum(phase_steps(phase, len([row for row in made if row.accepted]) // 2, plan) for phase in plan.phases[:2])
    rows: Sequence[Sample] = made
    if way == "ideal":
        rows, aside = ideal(leaf)
    elif way == "seeds only":
        rows, materials = [], [Material(leaf)]
    elif way == "raw document":
        rows, materials = [], [Material(replace(leaf, seed_examples=()), materials[0].passages)]
    elif way == "no filters":
        rows = [replace(row, accepted=True) for row in made if row.question and row.answer]
    elif way == "one phase, no replay":
        learns = tuple(kind for phase in LAB_PHASES for kind in phase.learns)
        one = replace(LAB_PHASES[0], learns=learns, general_share=0.0)
        plan = replace(plan, phases=(one,))
    return learn(materials, rows, aside, work / way, plan, steps=steps)


def main() -> None:
    """Print a table: lesson, way, what came of it."""
    wait_politely()
    known = sorted(path.name for path in EXAMS.iterdir() if (path / "ideal.jsonl").is_file())
    lessons = [name for name in os.environ.get("LESSONS", " ".join(known)).split() if name in known]
    chosen = os.environ.get("WAYS", "")
    noted = JsonLines(Path("learning.jsonl"))
    done = {(row["lesson"], row["way"]) for row in noted.rows()}
    for lesson in lessons:
        folder = EXAMS / lesson
        if read_leaf(folder).kind is not LeafKind.KNOWLEDGE:
            continue
        with tempfile.TemporaryDirectory() as work:
            for way in WAYS:
                if (lesson, way) in done or (chosen and way.split()[0] not in chosen.split()):
                    continue
                outcome = measure(folder, way, Path(work))
                noted.append({"lesson": lesson, "way": way, **dataclasses.asdict(outcome)})
                print(f"{lesson:20}{way:22}{outcome}", flush=True)


if __name__ == "__main__":
    main()
