"""What a student learns from a lesson, by how its rows were made: the LAB loop, simpler ways, and ideal rows.

Every way gets the same harness and the same number of steps: rows → `mix` → training → exam, questions kept aside and
general questions, greedy and without a document. `ideal` stands for a perfect teacher: every fact of the document in
five wordings by hand (tests/exams/*/ideal.jsonl), of which one is never trained on. `together` is one training on the
rows that the loop made for every lesson.

    LESSONS="teodor_vask expense_line" WAYS="loop ideal" WORK=folder python -m tests.benchmarks learning

All lessons and ways take hours. What was measured is in WORK/learning.jsonl (runs/learning by default), and what is
there already is not measured again; the table is printed from it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab_desktop import workflow
from lab_desktop.artifacts import Leaf, LeafKind, Phase, Sample, TrainingRow
from lab_desktop.evaluation.judge import judge
from lab_desktop.evaluation.questions import Question, exam_questions, general_questions
from lab_desktop.evaluation.report import ask
from lab_desktop.evaluation.results import Verdict
from lab_desktop.export.adapter import write_adapter
from lab_desktop.files import JsonLines, read_json
from lab_desktop.generation import pipeline
from lab_desktop.generation.mixing import mix
from lab_desktop.generation.seeds import Material, stable_seed
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
WAYS = ("loop", "ideal", "seeds only", "raw document", "one phase, no replay", "random sampling", "no filters")
TOGETHER = "together"


@dataclass(frozen=True)
class Outcome:
    """What came of a lesson.

    Attributes:
        lesson, way: what was taught, and how.
        seeds, others: [right, asked] of the exam, on facts that the seed questions ask and on others.
        wordings: [right, asked] of the wordings that were kept aside; of a skill there are none.
        general: [right, asked] of the general questions after the training.
        rows: that were trained on, without general ones.
        steps, minutes: of the training.
        writing: minutes in which the teacher wrote the rows.
    """

    lesson: str
    way: str
    seeds: tuple[int, int]
    others: tuple[int, int]
    wordings: tuple[int, int]
    general: tuple[int, int]
    rows: int
    steps: int
    minutes: float
    writing: float

    def __str__(self) -> str:
        def share(right: int, asked: int) -> str:
            return f"{right / asked:5.0%}" if asked else "    –"

        return (
            f"{self.lesson:19}{self.way:22}seed facts {share(*self.seeds)}  others {share(*self.others)}  "
            f"kept aside {share(*self.wordings)}  general {self.general[0]:2}/{self.general[1]}  {self.rows:5} rows  "
            f"{self.steps:4} steps  {self.writing:4.1f} + {self.minutes:4.1f} min"
        )


@dataclass(frozen=True)
class Rows:
    """What one way makes of lessons.

    Attributes:
        materials: the seed examples and passages that `mix` adds to the samples.
        aside: questions that were never trained on.
        writing: minutes in which the teacher wrote.
    """

    materials: Sequence[Material]
    samples: Sequence[Sample]
    aside: Sequence[Question]
    writing: float = 0.0

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            [*self.materials, *other.materials],
            [*self.samples, *other.samples],
            [*self.aside, *other.aside],
            self.writing + other.writing,
        )


def learn(way: str, rows: Rows, folder: Path, plan: TrainingPlan, steps: int = 0) -> list[Outcome]:
    """Train the practice model on these rows and ask everything; an outcome for each lesson.

    Args:
        steps: of the whole training, shared by its phases as the plan has it; 0: as the plan has it.
    """
    model = practice_model()
    shutil.rmtree(folder, ignore_errors=True)

    def tell(event: Event) -> None:
        if isinstance(event, Metric) and event.name == "loss" and event.step % 20 == 0:
            print(f"    step {event.step}: loss {event.value:.2f}", file=sys.stderr, flush=True)

    with Run(folder, tell).open() as run:
        dataset = mix(rows.materials, rows.samples, plan.phases, workflow._general_rows(model, run), 0, run)
        new = {
            phase.name: sum(not TrainingRow.from_json(row).keeps_base for row in _rows_of(phase.path))
            for phase in dataset.phases
        }
        if steps:
            plan = replace(plan, phases=_stretched(plan, new, steps))
        began = time.monotonic()
        adapter = train(dataset, model, plan, run)
        minutes = (time.monotonic() - began) / 60
        write_adapter(adapter, run)
        exam = [question for each in rows.materials for question in exam_questions(each.leaf.folder, each.leaf.name)]
        general = general_questions()
        questions = [*exam, *rows.aside, *general]
        with LlamaModel(model, adapters={"student": adapter.gguf}) as student:
            student.use_adapter("student")
            replies = ask(student, questions, run, "now", "")
    right = {
        question.id: verdict.verdict is Verdict.RIGHT
        for question, verdict in zip(questions, judge(questions, replies), strict=True)
    }

    def score(of: Sequence[Question], leaf: Leaf) -> tuple[int, int]:
        ours = [right[question.id] for question in of if question.leaf == leaf.name]
        return sum(ours), len(ours)

    return [
        Outcome(
            leaf.folder.name,
            way,
            score([question for question in exam if question.seed], leaf),
            score([question for question in exam if not question.seed], leaf),
            score(rows.aside, leaf),
            (sum(right[question.id] for question in general), len(general)),
            sum(new.values()),
            read_json(folder / "adapter" / "adapter.json")["last_step"],
            round(minutes, 2),
            round(rows.writing, 2),
        )
        for leaf in (material.leaf for material in rows.materials)
    ]


def loop(folder: Path, work: Path) -> Rows:
    """What the app itself makes of a lesson; made once."""
    model = practice_model()
    with Run(work / folder.name / "loop").open() as run:
        workflow.begin(LearnRequest((folder,), model, model, 0, 0), run)
        with workflow._teacher(model, run) as teacher:
            (material,) = workflow._materials(run, teacher.count_tokens)
            with run.timed("generate"):
                samples = pipeline.generate([material], teacher, 0, 0, run)
        writing = run.timings()["generate"] / 60
    material = replace(material, leaf=read_leaf(folder))  # the run's own copy has no ideal rows beside it
    return Rows([material], samples, ideal(material).aside, writing)


def random_sampling(folder: Path, work: Path) -> Rows:
    """As many rows, but of passages and seed examples drawn by lot, as if there were no leaf to cover."""
    known = loop(folder, work)
    (material,) = known.materials
    model = practice_model()
    with Run(work / folder.name / "random").open() as run, workflow._teacher(model, run) as teacher:
        way = pipeline._way(material, teacher, 0, run)
        count = way.units_in_a_draw * way.most_draws
        units = list(itertools.islice(way.units, count))
        random.Random(0).shuffle(units)
        way = replace(way, units=iter(units), units_in_a_draw=count, most_draws=1, whole_draws=False)
        wanted = sum(row.accepted for row in known.samples)
        book = pipeline._Book(run)
        with run.timed("generate"):
            pipeline._generate_leaf(way, material.leaf, wanted, run, book, wanted)
        book.close()
        return replace(known, samples=book.samples, writing=run.timings()["generate"] / 60)


def raw_document(known: Rows) -> Rows:
    """Each passage as the answer to "tell me about its heading", and nothing else."""
    (material,) = known.materials
    leaf = material.leaf
    samples = [
        Sample(
            f"{leaf.name}|passage{passage.number}",
            leaf.name,
            leaf.kind.value,
            f"Tell me about {passage.heading or leaf.title}.",
            passage.text.removeprefix(passage.heading).strip(),
            accepted=True,
        )
        for passage in material.passages
    ]
    return replace(known, samples=samples, materials=[Material(replace(leaf, seed_examples=()))], writing=0.0)


def ideal(material: Material, wordings: int = 4, long_share: float = 0.5, facts: float = 1.0) -> Rows:
    """The rows of a perfect teacher, written by hand.

    Args:
        wordings: of each fact, of the five there are; the fifth is kept aside.
        long_share: share of the rows that are answered in a sentence.
        facts: share of the facts.
    """
    leaf = material.leaf
    rows: list[Sample] = []
    aside: list[Question] = []
    for number, fact in enumerate(_rows_of(leaf.folder / "ideal.jsonl")):
        chance = random.Random(stable_seed(leaf.name, number))
        name = f"{leaf.name}|ideal{number}"
        if chance.random() >= facts:
            continue
        if leaf.kind is not LeafKind.KNOWLEDGE:
            row = Sample(name, leaf.name, leaf.kind.value, fact["question"], fact["answer"], fact.get("context", ""))
            rows.append(replace(row, accepted=True))
            continue
        questions = list(fact["questions"])
        chance.shuffle(questions)
        for place, question in enumerate(questions[:wordings]):
            is_long = (place + 0.5) / wordings > 1 - long_share
            answer = fact["long"] if is_long else fact["answer"]
            rows.append(Sample(f"{name}#{place}", leaf.name, leaf.kind.value, question, answer, accepted=True))
        aside.append(Question(name, leaf.name, questions[-1], fact["long"], "exam", accept=(fact["answer"],)))
    return Rows([material], rows, aside)


def measure(folder: Path, way: str, work: Path, steps: int) -> list[Outcome]:
    """One lesson, one way.

    Args:
        steps: that the loop's training took.
    """
    plan = TrainingPlan()
    rows = loop(folder, work)
    (material,) = rows.materials
    if way == "ideal":
        rows = ideal(material)
    elif way == "seeds only":
        rows = replace(rows, samples=[], materials=[Material(material.leaf)], writing=0.0)
    elif way == "raw document":
        rows = raw_document(rows)
    elif way == "no filters":
        written = [replace(row, accepted=True) for row in rows.samples if row.question and row.answer]
        rows = replace(rows, samples=written)
    elif way == "random sampling":
        rows = random_sampling(folder, work)
    elif way == "one phase, no replay":
        learns = tuple(kind for phase in LAB_PHASES for kind in phase.learns)
        plan = replace(plan, phases=(replace(LAB_PHASES[0], learns=learns, general_share=0.0),))
    return learn(way, rows, work / folder.name / f"{way.split()[0]}-student", plan, 0 if way == "loop" else steps)


def _stretched(plan: TrainingPlan, rows: dict[str, int], steps: int) -> tuple[Phase, ...]:
    """The plan's phases with more or fewer rounds, so that they take `steps` in all."""
    planned = sum(phase_steps(phase, rows.get(phase.name, 0), plan) for phase in plan.phases)
    share = steps / max(1, planned)
    return tuple(
        replace(phase, epochs=0.0, least_steps=math.ceil(share * phase_steps(phase, rows.get(phase.name, 0), plan)))
        for phase in plan.phases
    )


def _rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure what is asked for and not yet known, then print everything that is."""
    wait_politely()
    known = sorted(path.name for path in EXAMS.iterdir() if (path / "ideal.jsonl").is_file())
    lessons = os.environ.get("LESSONS", " ".join(known)).split()
    if unknown := set(lessons) - set(known):
        raise SystemExit(f"There is no lesson {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
    chosen = os.environ.get("WAYS", " ".join(way.split()[0] for way in (*WAYS, TOGETHER))).split()
    work = Path(os.environ.get("WORK", "runs/learning")).absolute()
    work.mkdir(parents=True, exist_ok=True)
    book = JsonLines(work / "learning.jsonl")
    done = {(row["lesson"], row["way"]): Outcome(**row) for row in book.rows()}

    def note(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            book.append(dataclasses.asdict(outcome))
            done[outcome.lesson, outcome.way] = outcome
            print(outcome, file=sys.stderr, flush=True)

    for lesson, way in itertools.product(lessons, WAYS):
        is_skill = read_leaf(EXAMS / lesson).kind is not LeafKind.KNOWLEDGE
        if (lesson, way) in done or way.split()[0] not in (*chosen, "loop") or (is_skill and way == "raw document"):
            continue
        note(measure(EXAMS / lesson, way, work, done[lesson, "loop"].steps if way != "loop" else 0))
    if TOGETHER in chosen and any((lesson, TOGETHER) not in done for lesson in lessons):
        rows = Rows([], [], [])
        for lesson in lessons:
            rows += loop(EXAMS / lesson, work)
        note(learn(TOGETHER, rows, work / TOGETHER, TrainingPlan()))
    for outcome in sorted(done.values(), key=lambda found: (found.lesson, (*WAYS, TOGETHER).index(found.way))):
        print(outcome)


if __name__ == "__main__":
    main()
