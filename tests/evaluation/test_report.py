from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop.artifacts import Adapter, Funnel, Sample
from lab_desktop.errors import Cancelled, EvaluationError
from lab_desktop.evaluation.questions import general_questions
from lab_desktop.evaluation.report import evaluate_adapter, report_text, write_report
from lab_desktop.jobs.events import Event, Notice, Progress, Row
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request
from tests.evaluation.students import GENERAL, FakeStudent, adapter_in, dataset_with, leaf_with_exam, learned
from tests.fakes import FakeTeacher

ROOT = Path(__file__).resolve().parents[2]


def report_of(folder: Path, student: FakeStudent, adapter: Adapter | None = None, run: Run | None = None, **more):
    run = run or Run(folder / "run")
    with run.open():
        return evaluate_adapter(
            [leaf_with_exam(folder / "leaf", more.pop("questions", 8))],
            dataset_with(folder / "dataset", ("Which colour?", "It is green."), ("Number 3?", "1003")),
            student,
            adapter or adapter_in(folder),
            more.pop("teacher", None),
            run,
            **{"general": general_questions()[:GENERAL], **more},
        )


def test_the_same_questions_are_asked_with_the_adapter_off_and_on(tmp_path):
    student = FakeStudent(learned)

    report = report_of(tmp_path, student)

    by_adapter = {name: sorted(q for adapter, q in student.asked if adapter == name) for name in (None, "student")}
    assert by_adapter[None] == by_adapter["student"]
    assert len(by_adapter[None]) == 8 + 1 + GENERAL  # "Number 3?" was held out and is in the exam: asked once
    assert student.adapter is None
    assert report.verdict.name == "clear gain"
    assert all(request.temperature == 0 and len(request.messages) == 1 for request in student.requests)


def test_report_json_has_the_documented_format(tmp_path):
    run = Run(tmp_path / "run")
    funnel = {"knowledge/velmora": Funnel(10, 9, 6, {"faithfulness": 3}), "b": Funnel(5, 5, 5, {})}
    report = report_of(tmp_path, FakeStudent(learned), run=run, funnel=funnel)
    report = replace(report, model="models/x.gguf", adapter="adapter/adapter.gguf", seconds={"train": 2.5})

    path = write_report(report, run)

    data = json.loads(path.read_text())
    assert path == tmp_path / "run" / "report.json"
    assert list(data) == [
        *("format", "model", "models", "adapter", "base", "settings", "seconds"),
        *("funnel", "judge", "leaves", "general", "verdict"),
    ]
    assert (data["format"], data["model"], data["seconds"]) == (1, "models/x.gguf", {"train": 2.5})
    assert {key: data["funnel"][key] for key in ("asked", "written", "kept", "dropped")} == {
        "asked": 15,
        "written": 14,
        "kept": 11,
        "dropped": {"faithfulness": 3},
    }
    assert data["funnel"]["leaves"]["b"] == {"asked": 5, "written": 5, "kept": 5, "dropped": {}}
    (leaf,) = data["leaves"]
    assert (leaf["leaf"], leaf["kind"]) == ("knowledge/velmora", "knowledge")
    assert leaf["exam"]["before"] == {"right": 0, "wrong": 8, "no_verdict": 0, "total": 8}
    assert leaf["exam"]["now"] == {"right": 8, "wrong": 0, "no_verdict": 0, "total": 8}
    assert leaf["held_out"]["now"]["total"] == 1
    first = leaf["questions"][0]
    assert {key: first[key] for key in ("question", "reference", "before", "after", "judged_by", "seed", "kind")} == {
        "question": "Number 0?",
        "reference": "It is 1000.",
        "before": "I do not know.",
        "after": "1000",
        "judged_by": "rule",
        "seed": None,
        "kind": "exam",
    }
    assert (first["verdict_before"], first["verdict_after"]) == ("wrong", "right")
    assert data["general"]["now"]["total"] == GENERAL
    assert data["verdict"]["name"] == "clear gain"


def test_an_evaluation_that_is_stopped_asks_no_finished_group_again(tmp_path):
    stopping = Run(tmp_path / "run", is_cancelled=lambda: len(first.asked) >= 20)
    first, second = FakeStudent(learned), FakeStudent(learned)
    with pytest.raises(Cancelled):
        report_of(tmp_path, first, run=stopping)

    report = report_of(tmp_path, second)

    assert {adapter for adapter, _ in second.asked} == {"student"}
    assert len(second.asked) == 9 + GENERAL  # the group that was stopped is asked whole: the same batch
    assert report == report_of(tmp_path, FakeStudent(lambda question, is_taught: pytest.fail("asked again")))


def test_answers_of_another_adapter_do_not_count_and_those_of_the_base_still_do(tmp_path):
    report_of(tmp_path, FakeStudent(learned))
    again = FakeStudent(lambda question, is_taught: "nothing new")

    report = report_of(tmp_path, again, adapter=adapter_in(tmp_path, b"trained again"))

    assert {adapter for adapter, _ in again.asked} == {"student"}
    assert {result.after for result in report.leaves[0].questions} == {"nothing new"}


def test_foreign_rows_in_the_answers_are_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "answers.jsonl").write_text('{"a": 1}\n[]\n7\n{"question": "x", "which": "before"}\n{"torn')

    assert report_of(tmp_path, FakeStudent(learned)).verdict.name == "clear gain"


def test_progress_and_every_answer_are_told(tmp_path):
    told: list[Event] = []
    report_of(tmp_path, FakeStudent(learned), run=Run(tmp_path / "run", told.append))

    counts = [event.done for event in told if isinstance(event, Progress) and event.text == "Asking the new model"]
    rows = [event.data for event in told if isinstance(event, Row) and event.table == "answers"]
    assert counts == list(range(9 + GENERAL + 1))
    assert {"question": "Number 2?", "leaf": "knowledge/velmora", "which": "now", "answer": "1002"} in rows
    assert len(rows) == 2 * (9 + GENERAL)


def test_a_question_that_does_not_fit_is_told_and_wrong_on_both_sides(tmp_path):
    told: list[Event] = []
    student = FakeStudent(lambda question, is_taught: Reply("", "too_long") if "Which" in question else "1")

    report = report_of(tmp_path, student, run=Run(tmp_path / "run", told.append))

    assert any(isinstance(event, Notice) and "does not fit" in event.text for event in told)
    (result,) = report.leaves[0].of_kind("held_out")
    assert (result.before, result.after, result.is_better, result.is_worse) == ("", "", False, False)


def test_an_unfit_teacher_does_not_judge_and_that_is_said(tmp_path):
    told: list[Event] = []
    teacher = FakeTeacher(lambda request: Reply("NO", "stop", probabilities=(0.0, 1.0)))

    report = report_of(tmp_path, FakeStudent(learned), run=Run(tmp_path / "run", told.append), teacher=teacher)

    (result,) = report.leaves[0].of_kind("held_out")
    assert result.judged_after.by == "words"
    assert (report.judge.teacher, report.judge.fit) == ("fake teacher", False)
    assert any(isinstance(event, Notice) and "judged by their words" in event.text for event in told)


def test_a_fit_teacher_judges_open_questions(tmp_path):
    def knows(request: Request) -> Reply:
        _, reference, reply, _ = request.messages[-1].content.split("\n")
        same = reference.split(": ")[1] == reply.split(": ")[1] or "Grass-like" in reply
        return Reply("", "stop", probabilities=(0.9, 0.1) if same else (0.1, 0.9))

    run = Run(tmp_path / "run")
    leaf = leaf_with_exam(tmp_path / "leaf")
    words = ["red", "blue", "tall", "old", "cold", "white", "steep", "holy"]
    pairs = tuple(replace(leaf.seed_examples[0].pairs[0], question=f"{w}?", answer=f"{w} one") for w in words)
    leaf = replace(leaf, seed_examples=(replace(leaf.seed_examples[0], pairs=pairs),))
    dataset = dataset_with(tmp_path / "dataset", ("Which colour?", "It is green."))
    student = FakeStudent(lambda question, is_taught: "Grass-like" if is_taught else "Red")

    with run.open():
        report = evaluate_adapter([leaf], dataset, student, adapter_in(tmp_path), FakeTeacher(knows), run, general=())

    (result,) = report.leaves[0].of_kind("held_out")
    assert (report.judge.fit, report.judge.accuracy) == (True, 1.0)
    assert result.is_better and result.to_json()["judged_by"] == "teacher"


def test_a_missing_adapter_is_an_error_before_anything_is_asked(tmp_path):
    adapter = adapter_in(tmp_path)
    adapter.gguf.unlink()
    student = FakeStudent(learned)

    with pytest.raises(EvaluationError, match=r"adapter\.gguf"):
        report_of(tmp_path, student, adapter=adapter)

    assert student.asked == []


def test_a_funnel_counts_rows_by_the_stage_that_dropped_them():
    rows = [Sample(str(n), "l", "knowledge", "q", "a", accepted=n < 3, stage="x" if n < 5 else "y") for n in range(9)]

    assert Funnel.of(rows, asked=20).to_json() == {"asked": 20, "written": 9, "kept": 3, "dropped": {"y": 4, "x": 2}}


def test_killed_at_any_instant_an_evaluation_asks_no_finished_group_again(tmp_path):
    command = [sys.executable, "-m", "tests.evaluation.students", str(tmp_path)]
    answers, asked = tmp_path / "run" / "answers.jsonl", tmp_path / "asked.txt"
    kills, chance = 0, random.Random(1)
    for _ in range(2):
        already = len(asked.read_text().splitlines()) if asked.exists() else 0
        child = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < deadline:
            if asked.exists() and len(asked.read_text().splitlines()) > already + 5:
                time.sleep(chance.uniform(0, 0.2))
                break
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    assert kills == 2 and not (tmp_path / "run" / "report.json").exists()

    subprocess.run(command, cwd=ROOT, check=True, timeout=120)

    rows = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(rows) == len({(row["question"], row["which"]) for row in rows}) == 2 * (9 + GENERAL)
    # The group that was being answered when the process died is asked once more; nothing else is.
    twice = [count for count in Counter(asked.read_text().splitlines()).values() if count > 1]
    assert len(twice) <= kills * 32 and max(twice, default=1) <= 1 + kills
    data = json.loads((tmp_path / "run" / "report.json").read_text())
    assert data["leaves"][0]["exam"]["now"]["right"] == 8


@pytest.mark.slow
def test_the_practice_model_answers_general_questions_as_before_with_an_adapter_that_changes_nothing(tmp_path):
    import gguf
    import numpy as np

    from lab_desktop.models.llama import LlamaModel
    from lab_desktop.paths import practice_model

    adapter = replace(adapter_in(tmp_path), base=practice_model())
    writer = gguf.GGUFWriter(adapter.gguf, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    writer.add_tensor("blk.0.attn_q.weight.lora_a", np.ones((4, 576), np.float32))
    writer.add_tensor("blk.0.attn_q.weight.lora_b", np.zeros((576, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    with LlamaModel(practice_model(), adapters={"student": adapter.gguf}) as student:
        report = report_of(
            tmp_path, student, adapter=adapter, teacher=student, questions=1, general=general_questions()[:8]
        )

    assert [r.after for r in report.general] == [r.before for r in report.general]
    assert sum(r.judged_before.verdict == "right" for r in report.general) >= 4
    assert report.verdict.name == "no gain"
    assert "general questions: before" in report_text(report, 100)
