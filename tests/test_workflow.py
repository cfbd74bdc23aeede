"""The whole loop in one process, on tiny models: what it leaves on disk, what it refuses, and nothing done twice."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from lab_desktop import workflow
from lab_desktop.errors import EvaluationError, LeafError, RunError
from lab_desktop.evaluation.measured import measures
from lab_desktop.evaluation.results import Report
from lab_desktop.files import JsonLines, read_json
from lab_desktop.generation.mixing import general_prompts
from lab_desktop.jobs import requests
from lab_desktop.jobs.events import Event, Progress
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run, enough_file
from lab_desktop.paths import practice_model, prepared, resources
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.reviews import Review
from lab_desktop.training.phases import LAB_PHASES, TrainingPlan
from tests.drills.inputs_kinds import unlisted
from tests.drills.runs import (
    brief_model,
    damaged_files,
    freeform_leaf,
    grounded_leaf,
    knowledge_leaf,
    left_overs,
    small_request,
)


def learn(request: LearnRequest, folder: Path, tell: Callable[[Event], None] = lambda event: None) -> Report:
    with Run(folder, tell).open() as run:
        return workflow.learn(request, run)


def begin(request: LearnRequest, folder: Path) -> None:
    with Run(folder).open() as run:
        workflow.begin(request, run)


def request_for(leaves: tuple[Path, ...], folder: Path) -> LearnRequest:
    model = brief_model(folder / "model.gguf", seed=1)
    return LearnRequest(leaves, model, model, samples=2, seed=0)


def on_disk(folder: Path) -> dict[str, tuple[int, str]]:
    """Time of change and SHA-256 of every file, by name."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def skill_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on one skill, teacher and student the same file."""
    home = tmp_path_factory.mktemp("skill")
    learn(request_for((freeform_leaf(home / "taxonomy"),), home), home / "run")
    return home / "run"


def test_a_finished_run_holds_the_documented_files_and_report(skill_run: Path) -> None:
    names = {path.relative_to(skill_run).as_posix() for path in skill_run.rglob("*") if path.is_file()}
    assert names >= {
        "request.json",
        "leaves/compositional_skills/shout/qna.yaml",
        "leaves/compositional_skills/shout/exam.yaml",
        "samples.jsonl",
        "general.jsonl",
        "dataset/skills.jsonl",
        "dataset/held_out.jsonl",
        "dataset/manifest.json",
        "adapter/adapter.safetensors",
        "adapter/adapter.json",
        "adapter/adapter.gguf",
        "models/shout-F16.gguf",
        "models/shout-Q8_0.gguf",
        "answers.jsonl",
        "report.json",
        "events.jsonl",
    }
    assert damaged_files(skill_run) == []
    assert left_overs(skill_run) == []
    assert unlisted(skill_run, "projects/shout/runs/001/") == []

    report = read_json(skill_run / "report.json")
    assert report["format"] == 1
    assert (report["model"], report["adapter"]) == ("models/shout-Q8_0.gguf", "adapter/adapter.gguf")
    assert report["models"] == {"F16": "models/shout-F16.gguf", "Q8_0": "models/shout-Q8_0.gguf"}
    assert report["base"] == "model.gguf"
    assert (report["settings"]["samples"], report["settings"]["effort"]) == (2, "standard")
    assert set(report["seconds"]) == {"generate", "train", "export", "evaluate"}
    rows = [json.loads(line) for line in (skill_run / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert report["funnel"]["written"] == len(rows)
    assert report["funnel"]["kept"] == sum(row["accepted"] for row in rows)
    (leaf,) = report["leaves"]
    assert leaf["leaf"] == "compositional_skills/shout"
    assert leaf["exam"]["before"]["total"] == leaf["exam"]["now"]["total"] == 1
    assert report["general"]["now"]["total"] >= 30


def test_a_finished_run_called_again_does_nothing_again(skill_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(skill_run, folder)  # with the files' times
    before = on_disk(folder)
    said: list[Event] = []

    with Run(folder, said.append).open() as run:
        report = workflow.learn(requests.read(folder), run)

    after = on_disk(folder)
    told_anew = {"report.json", "timings.json", "events.jsonl"}
    assert {name for name in after if after[name] != before.get(name)} <= told_anew
    assert report.to_json()["leaves"] == read_json(skill_run / "report.json")["leaves"]
    assert not any(isinstance(event, Progress) and event.text.startswith("Training") for event in said)


def test_a_size_is_tried_and_what_was_tried_is_forgotten_with_its_file(skill_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(skill_run, folder)
    said: list[Event] = []
    with Run(folder, said.append).open() as run:
        workflow.do(("export:Q4_K_M", "measure:Q4_K_M", "measure:Q8_0"), requests.read(folder), run)

    found = measures(folder / "models")

    assert set(found) == {"Q4_K_M", "Q8_0"}
    report = read_json(folder / "report.json")
    (leaf,) = report["leaves"]
    assert found["Q8_0"].asked == leaf["exam"]["now"]["total"] + leaf["held_out"]["now"]["total"]
    assert all(0 <= each.right <= each.asked and each.file[0] > 0 for each in found.values())
    assert any(isinstance(event, Progress) and event.text == "Trying the size Q8_0" for event in said)
    (folder / "models" / "shout-Q8_0.gguf").write_bytes(b"another file")
    assert set(measures(folder / "models")) == {"Q4_K_M"}
    with Run(folder).open() as run, pytest.raises(RunError, match="no file of the size Q3_K_M"):
        workflow.do(("measure:Q3_K_M",), requests.read(folder), run)


def test_other_settings_on_the_same_folder_are_refused_and_change_nothing(skill_run: Path) -> None:
    before = on_disk(skill_run)
    request = requests.read(skill_run)

    for other in (
        LearnRequest(request.leaves, request.teacher, request.student, samples=3, seed=0),
        LearnRequest((skill_run,), request.teacher, request.student, samples=2, seed=0),
    ):
        with pytest.raises(RunError, match="other settings"):
            begin(other, skill_run)

    assert on_disk(skill_run) == before


def test_a_later_run_goes_on_from_an_earlier_one_and_asks_for_both(
    skill_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Gently: a tiny model that was trained twice at the full rate says nothing any more.
    gentle = TrainingPlan(phases=tuple(replace(phase, learning_rate=1e-5) for phase in LAB_PHASES))
    monkeypatch.setattr(workflow, "TrainingPlan", lambda: gentle)
    earlier = tmp_path / "earlier run"
    shutil.copytree(skill_run, earlier)
    first = requests.read(earlier)
    request = replace(first, leaves=(freeform_leaf(tmp_path / "taxonomy", "whisper"),), start_from=earlier)
    request = replace(request, effort="quick")
    begin(request, tmp_path / "run")
    shutil.rmtree(earlier)  # the new run holds all that it needs

    report = learn(request, tmp_path / "run")

    assert {leaf.leaf for leaf in report.leaves} == {"compositional_skills/whisper", "compositional_skills/shout"}
    usual = read_json(skill_run / "phases.json")["phases"][0]["steps"]
    assert (report.settings["effort"], read_json(tmp_path / "run" / "phases.json")["phases"][0]["steps"]) == (
        "quick",
        usual // 2,
    )
    lines = (tmp_path / "run" / "dataset" / "skills.jsonl").read_text(encoding="utf-8").splitlines()
    taught = {json.loads(json.loads(line)["metadata"])["leaf"] for line in lines}
    assert {"compositional_skills/whisper", "compositional_skills/shout"} <= taught
    before, now = (
        safetensors.numpy.load_file(folder / "adapter" / "adapter.safetensors")
        for folder in (skill_run, tmp_path / "run")
    )
    name = "model.layers.1.mlp.down_proj.lora_b"  # zero in a training that starts from nothing
    assert np.abs(before[name]).max() > 1e-3
    np.testing.assert_allclose(now[name], before[name], atol=1e-3)
    assert np.any(now[name] != before[name])


def test_going_on_with_another_student_is_refused(skill_run: Path, tmp_path: Path) -> None:
    other = brief_model(tmp_path / "other.gguf", seed=2)
    request = replace(requests.read(skill_run), student=other, start_from=skill_run)

    with pytest.raises(RunError, match=r"taught model\.gguf, not other"):
        begin(request, tmp_path / "run")
    with pytest.raises(RunError, match="is not a run folder"):
        begin(replace(request, start_from=tmp_path), tmp_path / "run")


def test_a_mended_lesson_goes_on_in_the_folder_where_the_wrong_one_was_refused(skill_run: Path, tmp_path: Path) -> None:
    leaf = freeform_leaf(tmp_path / "taxonomy", "whisper")
    exam = (leaf / "exam.yaml").read_text(encoding="utf-8")
    (leaf / "exam.yaml").write_text("questions: 5\n", encoding="utf-8")
    request = replace(requests.read(skill_run), leaves=(leaf,), start_from=skill_run)
    with pytest.raises(EvaluationError):
        begin(request, tmp_path / "run")

    (leaf / "exam.yaml").write_text(exam, encoding="utf-8")
    begin(request, tmp_path / "run")

    assert (tmp_path / "run" / "earlier" / "leaves" / "compositional_skills" / "shout" / "qna.yaml").is_file()


def test_a_lesson_that_is_taught_again_is_not_replayed_as_it_was(skill_run: Path, tmp_path: Path) -> None:
    request = replace(requests.read(skill_run), start_from=skill_run)
    with Run(tmp_path / "run").open() as run:
        workflow.begin(request, run)

        assert workflow._earlier_rows(run) == []
        assert workflow._earlier_leaves(run) == []


def test_the_practice_models_answers_are_shipped_so_that_a_first_lesson_need_not_ask_for_them() -> None:
    prompts = general_prompts(workflow.GENERAL_ROWS)
    (shipped,) = (resources() / "practice").glob("general-*.jsonl")

    # Other prompts or another model ask for new ones: run a lesson, and take the file of that name from its folder.
    assert shipped.name == workflow._notes_name(practice_model(), prompts)
    assert workflow._is_whole(shipped, prompts)


def test_general_answers_are_noted_once_for_all_runs_and_made_again_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "GENERAL_ROWS", 50)
    model = brief_model(tmp_path / "model.gguf", seed=1)
    with Run(tmp_path / "one").open() as run:
        first = workflow._general_rows(model, run)
    (noted,) = prepared().glob("general-*.jsonl")
    with Run(tmp_path / "two").open() as run:
        assert workflow._general_rows(model, run) == first
    assert noted.read_bytes() == (tmp_path / "two" / "general.jsonl").read_bytes()
    noted.write_text('["no row"]\n', encoding="utf-8")
    with Run(tmp_path / "three").open() as run:
        assert workflow._general_rows(model, run) == first
    other = brief_model(tmp_path / "other" / "model.gguf", seed=2)
    with Run(tmp_path / "four").open() as run:
        workflow._general_rows(other, run)
    assert len(list(prepared().glob("general-*.jsonl"))) == 2


def test_relative_paths_ask_for_the_same_as_absolute_ones(
    skill_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(skill_run.parent)
    model = Path("model.gguf")

    begin(LearnRequest((Path("taxonomy/compositional_skills/shout"),), model, model, samples=2, seed=0), skill_run)


def test_what_a_run_copied_counts_and_not_what_became_of_the_original(tmp_path: Path) -> None:
    leaf = knowledge_leaf(tmp_path)
    request = request_for((leaf,), tmp_path)
    begin(request, tmp_path / "run")
    copy = tmp_path / "run" / "leaves" / "knowledge" / "places" / "orra"
    before = on_disk(copy)
    shutil.rmtree(leaf)

    begin(request, tmp_path / "run")

    assert on_disk(copy) == before
    assert set(before) == {"qna.yaml", "exam.yaml", "texts/old/orra.md"}


def test_a_worker_that_finds_only_the_request_copies_the_leaves(tmp_path: Path) -> None:
    request = request_for((freeform_leaf(tmp_path),), tmp_path)
    requests.write(tmp_path / "run", request)

    begin(request, tmp_path / "run")

    assert (tmp_path / "run" / "leaves" / "compositional_skills" / "shout" / "qna.yaml").is_file()


def test_a_beginning_killed_half_way_begins_again(tmp_path: Path) -> None:
    request = request_for((freeform_leaf(tmp_path),), tmp_path)
    half = tmp_path / "run" / ".leaves.part" / "compositional_skills" / "shout"
    half.mkdir(parents=True)
    (half / "qna.yaml").write_text("version: 3", encoding="utf-8")

    begin(request, tmp_path / "run")

    assert left_overs(tmp_path / "run") == []
    copied = tmp_path / "run" / "leaves" / "compositional_skills" / "shout" / "qna.yaml"
    assert copied.read_bytes() == (request.leaves[0] / "qna.yaml").read_bytes()


def test_a_folder_with_a_persons_own_things_is_no_run_folder_and_stays_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "project"
    leaf = freeform_leaf(own / "leaves")
    before = on_disk(own)

    with pytest.raises(RunError, match="not empty"):
        begin(request_for((leaf,), tmp_path), own)

    assert {name for name in on_disk(own) if not name.startswith(".")} == set(before)
    assert all(on_disk(own)[name] == before[name] for name in before)


def test_two_lessons_with_the_same_place_are_refused(tmp_path: Path) -> None:
    leaves = (freeform_leaf(tmp_path / "one"), grounded_leaf(tmp_path / "other", name="shout"))

    with pytest.raises(LeafError, match='"compositional_skills/shout"'):
        begin(request_for(leaves, tmp_path), tmp_path / "run")

    assert not (tmp_path / "run" / "request.json").exists()
    assert not (tmp_path / "run" / "leaves").exists()


def test_the_same_lesson_named_twice_is_one_lesson(tmp_path: Path) -> None:
    leaf = freeform_leaf(tmp_path / "taxonomy")
    leaves = (leaf, leaf / "qna.yaml", tmp_path / "taxonomy")

    begin(request_for(leaves, tmp_path), tmp_path / "run")

    assert [path.parent.name for path in (tmp_path / "run" / "leaves").rglob("qna.yaml")] == ["shout"]


def test_a_lesson_below_another_one_is_a_lesson_of_its_own(tmp_path: Path) -> None:
    outer = freeform_leaf(tmp_path, name="speech")
    inner = grounded_leaf(tmp_path, name="speech/orders")

    begin(request_for((inner, outer), tmp_path), tmp_path / "run")

    copies = tmp_path / "run" / "leaves" / "compositional_skills" / "speech"
    assert (copies / "qna.yaml").read_bytes() == (outer / "qna.yaml").read_bytes()
    assert (copies / "orders" / "qna.yaml").read_bytes() == (inner / "qna.yaml").read_bytes()


def test_runs_kept_among_the_lessons_are_not_taken_for_lessons_or_documents(tmp_path: Path) -> None:
    taxonomy = tmp_path / "taxonomy"
    leaf = knowledge_leaf(taxonomy)
    qna = (leaf / "qna.yaml").read_text(encoding="utf-8")
    (leaf / "qna.yaml").write_text(qna.replace("texts/**/*.md", "**/*.md"), encoding="utf-8")
    begin(request_for((taxonomy,), tmp_path), taxonomy / "run-1")
    begin(request_for((leaf,), tmp_path), leaf / "run-2")

    begin(request_for((taxonomy,), tmp_path), taxonomy / "run-3")

    copies = on_disk(taxonomy / "run-3" / "leaves")
    assert set(copies) == {f"knowledge/places/orra/{name}" for name in ("qna.yaml", "exam.yaml", "texts/old/orra.md")}


def test_a_mistake_in_an_exam_is_told_at_the_beginning(tmp_path: Path) -> None:
    leaf = freeform_leaf(tmp_path)
    (leaf / "exam.yaml").write_text("questions: none\n", encoding="utf-8")

    with pytest.raises(EvaluationError, match=r"exam\.yaml"):
        begin(request_for((leaf,), tmp_path), tmp_path / "run")


def test_a_taxonomy_of_thirty_lessons_is_copied_whole(tmp_path: Path) -> None:
    for number in range(30):
        freeform_leaf(tmp_path / "taxonomy", name=f"skill_{number}")

    begin(request_for((tmp_path / "taxonomy",), tmp_path), tmp_path / "run")

    assert len(list((tmp_path / "run" / "leaves").rglob("qna.yaml"))) == 30


@pytest.mark.slow
def test_lessons_of_all_kinds_with_a_teacher_that_is_not_the_student(tmp_path: Path) -> None:
    request = small_request(tmp_path)

    report = learn(request, tmp_path / "run").to_json()

    names = {"knowledge/places/orra", "compositional_skills/count", "compositional_skills/shout"}
    assert {leaf["leaf"] for leaf in report["leaves"]} == names
    assert set(report["funnel"]["leaves"]) == names
    assert report["model"] == "models/count-and-2-more-Q8_0.gguf"
    assert (report["base"], report["judge"]["teacher"]) in {("student.gguf", "teacher"), ("student.gguf", None)}
    phases = read_json(tmp_path / "run" / "dataset" / "manifest.json")["phases"]
    assert list(phases) == ["knowledge_short", "knowledge_long", "skills"]


def test_what_the_person_decided_is_dealt(skill_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(skill_run, folder)
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    dropped = next(row["id"] for row in samples if not row["accepted"])  # by a check
    book = JsonLines(folder / REVIEWS)

    def dealt() -> str:
        with Run(folder).open() as run:
            workflow.deal(run)
        return "".join(path.read_text(encoding="utf-8") for path in (folder / "dataset").glob("*.jsonl"))

    assert "shouted by hand" not in dealt()
    book.append(Review(dropped, "keep", "Shout this: by hand", "shouted by hand").to_json())
    assert "shouted by hand" in dealt()
    book.append(Review(dropped, "undone").to_json())
    book.close()
    assert "shouted by hand" not in dealt()


def test_a_person_who_has_enough_ends_the_writing_and_the_run_goes_on(skill_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    request = replace(requests.read(skill_run), leaves=(skill_run / "leaves",))
    begin(request, folder)
    enough_file(folder, "generate").touch()

    with Run(folder).open() as run:
        workflow.do(["generate"], request, run)

    assert not (folder / "samples.jsonl").exists()
    assert read_json(folder / "dataset" / "manifest.json")["phases"]


def test_a_step_that_does_not_exist_is_refused(skill_run: Path) -> None:
    with pytest.raises(RunError, match="no step dance"), Run(skill_run).open() as run:
        workflow.do(["dance"], requests.read(skill_run), run)
