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
from collections.abc import Iterator, Sequence, Set

from lab_desktop.artifacts import Funnel, Leaf, LeafKind, Sample
from lab_desktop.files import JsonLines
from lab_desktop.generation import checks, judging, writing
from lab_desktop.generation.prompts import Prompts, load_prompts
from lab_desktop.generation.rows import accept, asked_text
from lab_desktop.generation.seeds import Material, Unit, units, units_in_a_draw
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import TextModel

UNITS_AT_ONCE = 16
"""Units whose rows go through the stages together: enough to fill the engine's batch, few enough that a kill costs
seconds."""
MOST_DRAWS = 8
"""How often each pair of passage and seed example is asked at most; after that a teacher repeats itself."""
LOWEST_YIELD = 0.1
"""Share of kept rows below which asking on is a waste; looked at after a whole draw."""

_STEP = "Writing practice questions"


def generate(materials: Sequence[Material], teacher: TextModel, wanted: int, seed: int, run: Run) -> list[Sample]:
    """Multiply the seed examples of all leaves until about `wanted` rows are kept, an equal share for each leaf.

    A leaf ends early when the teacher has nothing more to give (`MOST_DRAWS`) or too little survives (`LOWEST_YIELD`);
    a notice says so. Starting again on the same run folder goes on after the last finished unit.

    Raises:
        Cancelled: the person asked to stop; everything decided is on disk.
        GenerationError, ModelError, StorageError: as they are.
    """
    share = -(-wanted // len(materials))
    with contextlib.closing(_Book(run)) as book:
        for material in materials:
            _generate_leaf(material, teacher, share, seed, run, book, wanted)
        return book.samples


def read_samples(run: Run) -> list[Sample]:
    """Every row of the run so far, in the order in which it was decided."""
    return [Sample.from_json(row) for row in JsonLines(run.folder / "samples.jsonl").rows()]


def funnel(run: Run) -> dict[str, Funnel]:
    """What became of all rows so far, by leaf name."""
    asked: Counter[str] = Counter()
    for unit in JsonLines(run.folder / "units.jsonl").rows():
        asked[unit["leaf"]] += unit["asked"]
    samples = read_samples(run)
    return {leaf: Funnel.of((row for row in samples if row.leaf == leaf), count) for leaf, count in asked.items()}


class _Book:
    """What is on disk of a generation, kept in step with memory."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._samples = JsonLines(run.folder / "samples.jsonl")
        self._units = JsonLines(run.folder / "units.jsonl")
        self.samples = [Sample.from_json(row) for row in self._samples.rows()]
        self._ids = {row.id for row in self.samples}
        self.finished = {unit["unit"]: unit for unit in self._units.rows()}

    def note(self, unit: Unit, rows: Sequence[Sample], asked: int) -> None:
        for row in rows:
            if row.id not in self._ids:
                self._samples.append(row.to_json())
                self._ids.add(row.id)
                self.samples.append(row)
                self._run.row("samples", row.to_json())
        entry = {"unit": unit.id, "leaf": unit.material.leaf.name, "asked": asked}
        self._units.append(entry)
        self.finished[unit.id] = entry

    def close(self) -> None:
        self._samples.close()
        self._units.close()

    def of(self, leaf: Leaf) -> list[Sample]:
        return [row for row in self.samples if row.leaf == leaf.name]

    def of_units(self, units: Set[str]) -> list[Sample]:
        return [row for row in self.samples if row.id.rpartition("#")[0] in units]

    def kept(self) -> int:
        return sum(row.accepted for row in self.samples)


def _generate_leaf(
    material: Material, teacher: TextModel, share: int, seed: int, run: Run, book: _Book, wanted: int
) -> None:
    leaf = material.leaf
    prompts = load_prompts(leaf.kind)
    judges: dict[str, judging.Judge] | None = None
    draw = units_in_a_draw(material)
    # What is decided after a group rests on the groups up to it: a resumed run must come to the same decisions, also
    # when its book holds rows of the group in which it was killed.
    asked: set[str] = set()
    run.progress(_STEP, min(book.kept(), wanted), wanted)
    for group in _groups(itertools.islice(units(material, seed), draw * MOST_DRAWS)):
        if sum(row.accepted for row in book.of_units(asked)) >= share:
            return
        if any(unit.id not in book.finished for unit in group):
            run.stop_if_cancelled()
            if judges is None:
                judges = _examine(leaf, prompts, teacher, run)
                run.progress(_STEP, min(book.kept(), wanted), wanted)
            # The whole group is asked again, also units that were finished: the same batch gives the same rows.
            written = _WRITERS[leaf.kind](group, prompts, teacher, run)
            rows = _decide(written, material, prompts, judges, teacher, run, book)
            for unit in group:
                if unit.id not in book.finished:
                    book.note(unit, [row for row in rows if row.id.startswith(f"{unit.id}#")], _ASKED[leaf.kind])
            run.progress(_STEP, min(book.kept(), wanted), wanted)
        asked |= {unit.id for unit in group}
        if len(asked) % draw < len(group) and _is_barren(asked, book):
            run.notice(_barren_notice(leaf, asked, book))
            return
    if sum(row.accepted for row in book.of_units(asked)) < share:
        run.notice(
            f"{leaf.title}: the teacher has been asked {MOST_DRAWS} times about everything, so it stops with less."
        )


def _decide(
    written: dict[str, list[Sample]],
    material: Material,
    prompts: Prompts,
    judges: dict[str, judging.Judge],
    teacher: TextModel,
    run: Run,
    book: _Book,
) -> list[Sample]:
    """Send new rows through the stages of their kind of leaf, cheap ones first."""
    leaf = material.leaf
    rows = [row for unit_rows in written.values() for row in unit_rows]
    new = {row.id for row in rows}
    known = [
        asked_text(leaf.kind, example.context or "", pair.question)
        for example in leaf.seed_examples
        for pair in example.pairs
    ]
    known += [
        asked_text(leaf.kind, row.context, row.question) for row in book.of(leaf) if row.accepted and row.id not in new
    ]
    if leaf.kind is LeafKind.KNOWLEDGE:
        rows = checks.check_form(rows, leaf.kind)
        rows = checks.check_duplicates(rows, known)
        rows = checks.check_round_trip(rows, leaf, prompts, teacher, run)
    else:
        rows = checks.check_duplicates(rows, known)
        rows = judging.judge_rows(rows, judges["question"], leaf, teacher, run)
        rows = writing.answer_tasks(rows, leaf, prompts, teacher, run)
        rows = checks.check_form(rows, leaf.kind)
    for name, judge in judges.items():
        if leaf.kind is LeafKind.KNOWLEDGE or name != "question":
            rows = judging.judge_rows(rows, judge, leaf, teacher, run)
    return [accept(row) for row in rows]


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
    return asked >= 20 and kept < LOWEST_YIELD * asked


def _yield(units: Set[str], book: _Book) -> tuple[int, int]:
    asked = sum(book.finished[unit]["asked"] for unit in units)
    return sum(row.accepted for row in book.of_units(units)), asked


def _barren_notice(leaf: Leaf, units: Set[str], book: _Book) -> str:
    kept, asked = _yield(units, book)
    reasons = Counter(row.reason for row in book.of_units(units) if not row.accepted)
    most = f" Most often: {reasons.most_common(1)[0][0]}" if reasons else ""
    return (
        f"{leaf.title}: only {kept} of {asked} questions passed the checks, so the teacher stops here.{most} "
        "A bigger teacher model, or passages that say more, would give more."
    )


def _groups(source: Iterator[Unit]) -> Iterator[list[Unit]]:
    while group := list(itertools.islice(source, UNITS_AT_ONCE)):
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
