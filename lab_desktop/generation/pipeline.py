"""From seed examples to samples: every leaf in turn, unit by unit, each row written down as it is decided.

Reads nothing but its arguments; writes into the run folder
    samples.jsonl   every row, accepted or dropped (`Sample`)
    units.jsonl     every finished unit with its counts: the funnel, and what a resumed run need not ask again
A unit's rows are written before the unit, so a kill between them costs only work: the unit is asked again with the same
random seed and its known rows are skipped.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from lab_desktop.artifacts import Funnel, Leaf, LeafKind, Sample
from lab_desktop.files import JsonLines
from lab_desktop.generation import ability, checks, facts, judging, slots, writing
from lab_desktop.generation.prompts import Prompts, load_prompts
from lab_desktop.generation.rows import accept, asked_text, is_open
from lab_desktop.generation.seeds import Material, Unit, fact_units, units, units_in_a_draw
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import TextModel
from lab_desktop.words import sentences

UNITS_AT_ONCE = 16
MOST_DRAWS = 8
FACT_UNITS_AT_ONCE = 3
MOST_FACT_DRAWS = 3
NEARLY_ENOUGH = 2 / 3
"""Everything is not asked about once more for less: a reading brings so much that it would go further past what is
wanted than it stays below it now, and every row costs its time in training too."""
LOWEST_YIELD = 0.1
"""Share of kept rows below which asking on is a waste, from `FEWEST_ASKED` rows on."""
FEWEST_ASKED = 20
ENOUGH_FOR_A_SKILL = 80

_STEP = "Writing practice questions"


def generate(materials: Sequence[Material], teacher: TextModel, wanted: int, seed: int, run: Run) -> list[Sample]:
    """Multiply the seed examples of all leaves until about `wanted` rows are kept, an equal share for each leaf.

    Args:
        wanted: rows in all; 0 leaves it to the lessons (`enough`).

    A leaf ends early when the teacher has nothing more to give (`MOST_DRAWS`) or too little survives (`LOWEST_YIELD`);
    a notice says so. Starting again on the same run folder goes on after the last finished unit.

    Raises:
        Cancelled: the person asked to stop; everything decided is on disk.
        GenerationError, ModelError, StorageError: as they are.
    """
    shares = [share or enough(material) for share in [-(-wanted // len(materials))] for material in materials]
    with contextlib.closing(_Book(run)) as book:
        for material, share in zip(materials, shares, strict=True):
            _generate_leaf(_way(material, teacher, seed, run), material.leaf, share, run, book, sum(shares))
        return book.samples


def enough(material: Material) -> int:
    """How many rows a leaf is worth: six for each sentence of its documents, or so many for a skill.

    A sentence tells one or two facts, and a fact wants several wordings.
    """
    told = sum(len(sentences(passage.text)) for passage in material.passages)
    return 6 * told if material.leaf.kind is LeafKind.KNOWLEDGE else ENOUGH_FOR_A_SKILL


def read_samples(run: Run) -> list[Sample]:
    """Every row of the run so far, in the order in which it was decided."""
    return list(JsonLines(run.folder / "samples.jsonl").made(Sample.from_json))


def funnel(run: Run) -> dict[str, Funnel]:
    """What became of all rows so far, by leaf name."""
    asked: Counter[str] = Counter()
    for leaf, count in JsonLines(run.folder / "units.jsonl").made(lambda unit: (str(unit["leaf"]), int(unit["asked"]))):
        asked[leaf] += count
    samples = read_samples(run)
    return {leaf: Funnel.of((row for row in samples if row.leaf == leaf), count) for leaf, count in asked.items()}


class _Book:
    """What is on disk of a generation, kept in step with memory."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._samples = JsonLines(run.folder / "samples.jsonl")
        self._units = JsonLines(run.folder / "units.jsonl")
        self.samples = list(self._samples.made(Sample.from_json))
        self._ids = {row.id for row in self.samples}
        self.finished = dict(self._units.made(lambda unit: (str(unit["unit"]), int(unit["asked"]))))

    def note(self, unit: Unit, rows: Sequence[Sample], asked: int) -> None:
        for row in rows:
            if row.id not in self._ids:
                self._samples.append(row.to_json())
                self._ids.add(row.id)
                self.samples.append(row)
                self._run.row("samples", row.to_json())
        self._units.append({"unit": unit.id, "leaf": unit.material.leaf.name, "asked": asked})
        self.finished[unit.id] = asked

    def close(self) -> None:
        self._samples.close()
        self._units.close()

    def of(self, leaf: Leaf) -> list[Sample]:
        return [row for row in self.samples if row.leaf == leaf.name]

    def of_units(self, units: Set[str]) -> list[Sample]:
        return [row for row in self.samples if _unit(row) in units]

    def kept(self) -> int:
        return sum(row.accepted for row in self.samples)


@dataclass(frozen=True)
class _Way:
    """How the rows of a leaf are made: a kind of leaf and a teacher may ask for different ways.

    Attributes:
        units: all units of the leaf, without end.
        units_in_a_draw: how many of them ask about everything once.
        most_draws: how often everything is asked at most; after that a teacher repeats itself.
        units_at_once: units whose rows go through the stages together: enough to fill the engine's batch, few enough
            that a kill costs seconds.
        make: the decided rows of a group of units, given the questions known so far; and how many each unit was asked
            for.
        begin: what is to be done once before the first unit.
        whole_draws: True when a draw is finished even if there are enough rows, so that the whole document is covered.
    """

    units: Iterator[Unit]
    units_in_a_draw: int
    most_draws: int
    units_at_once: int
    make: Callable[[Sequence[Unit], Sequence[str]], tuple[list[Sample], dict[str, int]]]
    begin: Callable[[], None]
    whole_draws: bool = False


def _generate_leaf(way: _Way, leaf: Leaf, share: int, run: Run, book: _Book, wanted: int) -> None:
    is_begun = False
    # What is decided after a group rests on the groups up to it: a resumed run must come to the same decisions, also
    # when its book holds rows of the group in which it was killed.
    asked: set[str] = set()
    least = NEARLY_ENOUGH * share if way.whole_draws else share
    run.progress(_STEP, min(book.kept(), wanted), wanted)
    for group in _groups(way):
        if run.has_enough("generate"):
            return
        is_covered = not way.whole_draws or len(asked) % way.units_in_a_draw == 0
        if is_covered and sum(row.accepted for row in book.of_units(asked)) >= least:
            return
        if any(unit.id not in book.finished for unit in group):
            run.stop_if_cancelled()
            if not is_begun:
                way.begin()
                is_begun = True
                run.progress(_STEP, min(book.kept(), wanted), wanted)
            # The whole group is asked again, also units that were finished: the same batch gives the same rows.
            names = {unit.id for unit in group}
            rows, asked_for = way.make(group, _known(leaf, [row for row in book.of(leaf) if _unit(row) not in names]))
            for unit in group:
                if unit.id not in book.finished:
                    book.note(unit, [accept(row) for row in rows if _unit(row) == unit.id], asked_for[unit.id])
            run.progress(_STEP, min(book.kept(), wanted), wanted)
        asked |= {unit.id for unit in group}
        if _is_barren(asked, book):
            run.notice(_barren_notice(leaf, asked, book))
            return
    if sum(row.accepted for row in book.of_units(asked)) < least:
        run.notice(
            f"{leaf.title}: the teacher has been asked {way.most_draws} times about everything, so it stops with less."
        )


def _way(material: Material, teacher: TextModel, seed: int, run: Run) -> _Way:
    leaf = material.leaf
    if leaf.kind is LeafKind.KNOWLEDGE and ability.works_fact_by_fact(material, teacher, run):
        prompts = load_prompts("facts")
        return _Way(
            units=fact_units(material, seed),
            units_in_a_draw=len(leaf.seed_examples) + len(material.passages),
            most_draws=MOST_FACT_DRAWS,
            units_at_once=FACT_UNITS_AT_ONCE,
            make=lambda group, known: facts.write_rows(group, prompts, teacher, run, known),
            begin=lambda: None,
            whole_draws=True,
        )
    prompts = load_prompts(leaf.kind.value)
    judges: dict[str, judging.Judge] = {}
    with_slots = slots.templates(leaf)
    is_able = False

    def begin() -> None:
        nonlocal is_able
        judges.update(_examine(leaf, prompts, teacher, run))
        is_able = bool(with_slots) and ability.does_the_tasks(leaf, prompts, teacher, run)

    def make(group: Sequence[Unit], known: Sequence[str]) -> tuple[list[Sample], dict[str, int]]:
        written = _WRITERS[leaf.kind](group, prompts, teacher, run)
        rows = [row for unit_rows in written.values() for row in unit_rows]
        decided = decide(rows, leaf, prompts, judges, teacher, run, known)
        asked = dict.fromkeys((unit.id for unit in group), _ASKED[leaf.kind])
        if with_slots:
            filled = slots.write_rows(group, with_slots, load_prompts("values"), teacher, run)
            filled = _each_once(filled, [*known, *(_asked(row) for row in decided if is_open(row))])
            if is_able:
                filled = writing.answer_tasks(filled, leaf, prompts, teacher, run)
            decided += filled
            for row in filled:
                asked[_unit(row)] += 1
        return decided, asked

    return _Way(
        units=units(material, seed),
        units_in_a_draw=units_in_a_draw(material),
        most_draws=MOST_DRAWS,
        units_at_once=UNITS_AT_ONCE // 2 if with_slots else UNITS_AT_ONCE,
        make=make,
        begin=begin,
    )


def _known(leaf: Leaf, rows: Sequence[Sample]) -> list[str]:
    """Every question of the leaf so far: the person's and the kept ones."""
    questions = [
        asked_text(leaf.kind, example.context or "", pair.question)
        for example in leaf.seed_examples
        for pair in example.pairs
    ]
    return questions + [_asked(row) for row in rows if row.accepted]


def _unit(row: Sample) -> str:
    return row.id.rpartition("#")[0]


def decide(
    rows: list[Sample],
    leaf: Leaf,
    prompts: Prompts,
    judges: dict[str, judging.Judge],
    teacher: TextModel,
    run: Run,
    known: Sequence[str],
) -> list[Sample]:
    """Send new rows through the stages of their kind of leaf, cheap ones first."""
    if leaf.kind is LeafKind.KNOWLEDGE:
        rows = checks.check_form(rows, leaf.kind)
        rows = checks.check_duplicates(rows, known)
        rows = checks.check_round_trip(rows, leaf, prompts, teacher, run)
    else:
        rows = checks.check_duplicates(rows, known)
        rows = judging.judge_rows(rows, judges["question"], leaf, teacher, run)
        rows = writing.answer_tasks(rows, leaf, prompts, teacher, run)
        rows = checks.check_form(rows, leaf.kind)
        if checks.is_determined(leaf):
            rows = checks.check_sources(rows, leaf)
    for name, judge in judges.items():
        if leaf.kind is LeafKind.KNOWLEDGE or name != "question":
            rows = judging.judge_rows(rows, judge, leaf, teacher, run)
    return rows


def _each_once(rows: Sequence[Sample], known: Sequence[str]) -> list[Sample]:
    """Rows whose very task is not known yet, each once; filled in, tasks are alike and yet different."""
    seen = set(known)
    fresh = []
    for row in rows:
        if _asked(row) not in seen:
            seen.add(_asked(row))
            fresh.append(row)
    return fresh


def _asked(row: Sample) -> str:
    return asked_text(LeafKind(row.kind), row.context, row.question)


def _examine(leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, judging.Judge]:
    run.progress(f"Testing the teacher's judgement: {leaf.title}", 0, 1)
    judges = judging.examine_judges(leaf, prompts, teacher, run)
    unfit = [f"{name} ({judge.accuracy:.0%} right)" for name, judge in judges.items() if not judge.is_trusted]
    if unfit:
        run.notice(
            f"{leaf.title}: {teacher.name} cannot judge {', '.join(unfit)} on examples whose truth is known, so there "
            "its opinion is noted and decides nothing."
        )
    return judges


def _is_barren(units: Set[str], book: _Book) -> bool:
    kept, asked = _yield(units, book)
    return asked >= FEWEST_ASKED and kept < LOWEST_YIELD * asked


def _yield(units: Set[str], book: _Book) -> tuple[int, int]:
    asked = sum(book.finished[unit] for unit in units)
    return sum(row.accepted for row in book.of_units(units)), asked


def _barren_notice(leaf: Leaf, units: Set[str], book: _Book) -> str:
    kept, asked = _yield(units, book)
    reasons = Counter(row.reason for row in book.of_units(units) if not row.accepted)
    most = f" Most often: {reasons.most_common(1)[0][0]}" if reasons else ""
    return (
        f"{leaf.title}: only {kept} of {asked} questions passed the checks, so the teacher stops here.{most} "
        "A bigger teacher model, or passages that say more, would give more."
    )


def _groups(way: _Way) -> Iterator[list[Unit]]:
    """Groups of units, none across two draws when whole draws are wanted."""
    for _ in range(way.most_draws if way.whole_draws else 1):
        count = way.units_in_a_draw * (1 if way.whole_draws else way.most_draws)
        source = itertools.islice(way.units, count)
        while group := list(itertools.islice(source, way.units_at_once)):
            yield group


_WRITERS = {
    LeafKind.KNOWLEDGE: writing.write_pairs,
    LeafKind.FREEFORM_SKILL: writing.write_tasks,
    LeafKind.GROUNDED_SKILL: writing.write_grounded_tasks,
}
_ASKED = {
    LeafKind.KNOWLEDGE: writing.PAIRS_PER_PASSAGE,
    LeafKind.FREEFORM_SKILL: writing.TASKS_PER_REQUEST,
    LeafKind.GROUNDED_SKILL: writing.CONTEXTS_PER_REQUEST,
}
