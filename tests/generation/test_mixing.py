"""generation/mixing.py: rows dealt to phases with replay, questions held out and never trained on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop.artifacts import ChatMessage, Dataset, Sample, TrainingRow
from lab_desktop.errors import Cancelled, RunError
from lab_desktop.files import JsonLines
from lab_desktop.generation.mixing import export_instructlab, general_rows, mix, taught_rows
from lab_desktop.generation.seeds import Material
from lab_desktop.jobs.run import Run
from lab_desktop.training.phases import LAB_PHASES
from tests.fakes import FakeTeacher
from tests.generation.leaves import freeform, grounded, knowledge

GENERAL = tuple(
    TrainingRow(f"g{n}", "replay/general", (ChatMessage("user", f"q{n}"), ChatMessage("assistant", "a")), False, True)
    for n in range(200)
)


def samples(material: Material, count: int, answer: str = "short") -> list[Sample]:
    """Rows of a leaf; every fifth one was dropped."""
    leaf, kind = material.leaf.name, material.leaf.kind
    return [
        Sample(f"{leaf}|{n}", leaf, kind, f"question {n}?", f"{answer} {n}", f"c{n}", accepted=n % 5 != 0)
        for n in range(count)
    ]


def deal(folder: Path, materials: list[Material], rows: list[Sample]) -> tuple[Dataset, dict[str, list[TrainingRow]]]:
    with Run(folder).open() as run:
        dataset = mix(materials, rows, LAB_PHASES, GENERAL, 0, run)
    read = {phase.name: JsonLines(phase.path).rows() for phase in dataset.phases}
    read["held_out"] = JsonLines(dataset.held_out).rows()
    return dataset, {name: [TrainingRow.from_json(row) for row in rows] for name, rows in read.items()}


def test_a_held_out_row_is_in_no_phase(tmp_path: Path) -> None:
    dataset, rows = deal(tmp_path, [knowledge(), freeform()], samples(knowledge(), 100) + samples(freeform(), 60))

    held_out = {row.id for row in rows.pop("held_out")}
    trained = {row.id for phase in rows.values() for row in phase}
    assert len(held_out) == dataset.held_out_rows == 8 + 5
    assert not held_out & trained


def test_a_held_out_question_is_not_trained_on_with_another_answer_either(tmp_path: Path) -> None:
    given = samples(knowledge(), 100)
    given += [replace(row, id=f"{row.id}-long", answer=f"It is certainly {row.answer}.") for row in given[::2]]

    _, rows = deal(tmp_path, [knowledge()], given)

    asked = {row.messages[0].content for row in rows.pop("held_out")}
    assert len(asked) == 8
    assert not asked & {row.messages[0].content for phase in rows.values() for row in phase}


def test_what_earlier_runs_taught_comes_back_in_every_phase(tmp_path: Path) -> None:
    earlier = [
        TrainingRow(f"e{n}", "knowledge/old", (ChatMessage("user", f"old {n}?"), ChatMessage("assistant", "a")))
        for n in range(10)
    ]
    with Run(tmp_path).open() as run:
        dataset = mix([knowledge()], samples(knowledge(), 60), LAB_PHASES, GENERAL, 0, run, earlier)
        again = mix([knowledge()], samples(knowledge(), 60), LAB_PHASES, GENERAL, 0, run, earlier[:5])

    for phase in dataset.phases:
        assert {f"e{n}" for n in range(5)} & {row["id"] for row in JsonLines(phase.path).rows()}, phase.name
    assert dataset.fingerprint != again.fingerprint
    assert {row.id for row in taught_rows(tmp_path / "dataset")} >= {f"e{n}" for n in range(5)}
    assert not any(row.keeps_base for row in taught_rows(tmp_path / "dataset"))


def test_dropped_rows_are_not_learned_and_every_kept_one_and_seed_is(tmp_path: Path) -> None:
    given = samples(knowledge(), 50)

    _, rows = deal(tmp_path, [knowledge()], given)

    learned = {row.id for phase in rows.values() for row in phase}
    assert {row.id for row in given if row.accepted} <= learned
    assert not {row.id for row in given if not row.accepted} & learned
    assert sum("|seed" in name for name in learned) == 15


def test_short_answers_come_before_long_ones_and_both_before_skills_with_replay(tmp_path: Path) -> None:
    long = "a long answer that has many more words than eight in it"
    given = samples(knowledge("a"), 40) + samples(knowledge("b"), 40, long) + samples(freeform(), 40)

    dataset, rows = deal(tmp_path, [knowledge("a"), knowledge("b"), freeform()], given)

    assert [phase.name for phase in dataset.phases] == ["knowledge_short", "knowledge_long", "skills"]
    assert not any(long in row.messages[-1].content for row in rows["knowledge_short"])
    replayed = {row.id for row in rows["knowledge_long"]} & {row.id for row in rows["knowledge_short"]}
    assert any(not name.startswith("g") for name in replayed)
    assert any(row.leaf.startswith("knowledge") for row in rows["skills"])
    assert all(any(row.keeps_base for row in phase) for name, phase in rows.items() if name != "held_out")


def test_knowledge_is_asked_without_its_passage_and_grounded_skills_with_their_material(tmp_path: Path) -> None:
    _, rows = deal(tmp_path, [knowledge(), grounded()], [])

    asked = {row.messages[0].content for phase in rows.values() for row in phase}
    assert "What is thing 3 of Orra?" in asked
    assert "Please send 4 pears to the shop.\n\nHow many are ordered?" in asked


def test_the_same_rows_give_the_same_dataset_and_new_rows_another(tmp_path: Path) -> None:
    first, _ = deal(tmp_path, [knowledge()], samples(knowledge(), 50))
    stamp = (tmp_path / "dataset" / "manifest.json").stat().st_mtime_ns

    again, _ = deal(tmp_path, [knowledge()], samples(knowledge(), 50))
    assert again == first
    assert (tmp_path / "dataset" / "manifest.json").stat().st_mtime_ns == stamp

    other, _ = deal(tmp_path, [knowledge()], samples(knowledge(), 60))
    assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize("damage", ["gone", "cut", "another word", "no manifest"])
def test_a_dataset_that_was_damaged_is_dealt_again(tmp_path: Path, damage: str) -> None:
    first, rows = deal(tmp_path, [knowledge()], samples(knowledge(), 50))
    file, manifest = first.phases[-1].path, first.folder / "manifest.json"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    {
        "gone": file.unlink,
        "cut": lambda: file.write_text("".join(lines[:-3]), encoding="utf-8"),
        "another word": lambda: file.write_text("".join(lines).replace("short", "shirt"), encoding="utf-8"),
        "no manifest": lambda: manifest.write_text(manifest.read_text(encoding="utf-8")[:-9], encoding="utf-8"),
    }[damage]()

    assert deal(tmp_path, [knowledge()], samples(knowledge(), 50)) == (first, rows)


def test_rows_that_are_missing_are_told_and_not_left_out(tmp_path: Path) -> None:
    dataset, _ = deal(tmp_path, [knowledge()], samples(knowledge(), 50))
    file = dataset.phases[0].path
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:-3]), encoding="utf-8")

    with pytest.raises(RunError, match=rf'"{file.name}" in .* should have \d+ rows and has'):
        taught_rows(dataset.folder)


def test_general_rows_carry_the_students_own_answers_and_no_finished_group_is_asked_again(tmp_path: Path) -> None:
    student = FakeTeacher(lambda request: f"my answer to {request.messages[0].content}")
    with Run(tmp_path, is_cancelled=lambda: len(student.requests) >= 47).open() as run, pytest.raises(Cancelled):
        general_rows(student, 100, run)
    rest = FakeTeacher(lambda request: f"my answer to {request.messages[0].content}")
    with Run(tmp_path).open() as run:
        rows = general_rows(rest, 100, run)

    assert len(rows) == 100
    assert len(rest.requests) == 100 - 40  # the group that was stopped is asked whole: the same batch
    assert all(row.keeps_base for row in rows)
    assert all(row.messages[1].content == f"my answer to {row.messages[0].content}" for row in rows)


def test_instructlab_gets_its_files_without_our_general_rows(tmp_path: Path) -> None:
    deal(tmp_path, [knowledge(), freeform()], samples(knowledge(), 100) + samples(freeform(), 60))

    with Run(tmp_path).open() as run:
        paths = export_instructlab(run, tmp_path / "out", "2026-01-02T03_04_05")

    names = [path.name for path in paths]
    assert "knowledge_train_msgs_2026-01-02T03_04_05.jsonl" in names
    assert "skills_train_msgs_2026-01-02T03_04_05.jsonl" in names
    for path in paths:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert rows
        assert "replay/general" not in path.read_text(encoding="utf-8")
        if "msgs" in path.name or "messages" in path.name:
            assert all(set(row) == {"id", "messages", "metadata", "unmask"} for row in rows)
        else:
            assert all(set(row) == {"system", "user", "assistant"} for row in rows)


def test_the_persons_own_pairs_are_shown_three_times_a_round_and_known_once(tmp_path: Path) -> None:
    dataset, rows = deal(tmp_path, [knowledge(), freeform()], [])

    shown = Counter(row.id for row in rows["knowledge_short"] if "|seed" in row.id)
    assert len(shown) == 15
    assert set(shown.values()) == {3}
    assert set(Counter(row.id for row in rows["skills"] if "shout|seed" in row.id).values()) == {1}
    assert len(taught_rows(dataset.folder)) == len({row.id for row in taught_rows(dataset.folder)})
