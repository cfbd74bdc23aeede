"""generation/pipeline.py: rows leaf by leaf, written as they are decided, and no work twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lab_desktop.artifacts import Sample
from lab_desktop.errors import Cancelled
from lab_desktop.generation.pipeline import funnel, generate, read_samples
from lab_desktop.generation.seeds import Material
from lab_desktop.jobs.events import Event, Notice
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request
from tests.fakes import FakeTeacher, tiny_model
from tests.generation.leaves import FACTS, freeform, good_teacher, grounded, knowledge


def multiply(
    folder: Path,
    materials: Sequence[Material],
    teacher: FakeTeacher,
    wanted: int,
    tell: Callable[[Event], None] = lambda event: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Sample]:
    with Run(folder, tell, is_cancelled).open() as run:
        return generate(materials, teacher, wanted, 0, run)


def test_a_good_teachers_rows_about_a_document_are_kept_and_true(tmp_path: Path) -> None:
    samples = multiply(tmp_path, [knowledge()], FakeTeacher(good_teacher), 6)

    kept = {row.question: row.answer for row in samples if row.accepted}
    assert kept == FACTS
    assert {row.passage for row in samples if row.accepted} == {0, 1}
    assert all(row.scores["faithfulness"] > 0.8 for row in samples if row.accepted)


def test_a_repeated_question_is_dropped_as_duplicate_and_stays_on_paper(tmp_path: Path) -> None:
    samples = multiply(tmp_path, [knowledge()], FakeTeacher(good_teacher), 100)

    dropped = [row for row in samples if not row.accepted]
    assert dropped
    assert {row.stage for row in dropped} == {"duplicate"}
    assert read_samples(Run(tmp_path)) == samples


def test_wrong_answers_do_not_get_through(tmp_path: Path) -> None:
    def careless(request: Request) -> Reply | str:
        text = good_teacher(request)
        if isinstance(text, str) and request.schema and "Mira Tell" in text:
            return text.replace("Mira Tell", "fish oil")
        return text

    samples = multiply(tmp_path, [knowledge()], FakeTeacher(careless), 6)

    assert "Who built the lighthouse of Orra?" not in {row.question for row in samples if row.accepted}
    wrong = next(row for row in samples if row.answer == "fish oil")
    assert (wrong.stage, wrong.reason) == ("round_trip", "Asked again, the teacher answered: Mira Tell")


def test_a_number_that_the_passage_does_not_have_is_dropped_without_asking(tmp_path: Path) -> None:
    def inventive(request: Request) -> Reply | str:
        text = good_teacher(request)
        return text.replace('"1811"', '"1911"') if isinstance(text, str) and request.schema else text

    samples = multiply(tmp_path, [knowledge()], FakeTeacher(inventive), 6)

    assert next(row for row in samples if row.answer == "1911").stage == "form"


@pytest.mark.parametrize(("material", "answer"), [(freeform(), "NUMBER"), (grounded(), "kettles")])
def test_skills_get_new_tasks_with_answers_in_the_manner_of_the_seeds(
    tmp_path: Path, material: Material, answer: str
) -> None:
    samples = multiply(tmp_path, [material], FakeTeacher(good_teacher), 20)

    kept = [row for row in samples if row.accepted]
    assert len(kept) >= 20
    assert all(answer in row.answer for row in kept)
    assert {row.seed_example for row in samples} == {0, 1, 2, 3, 4}


def test_every_leaf_gets_its_share(tmp_path: Path) -> None:
    samples = multiply(tmp_path, [freeform("loud"), grounded()], FakeTeacher(good_teacher), 40)

    for leaf in ("compositional_skills/loud", "compositional_skills/count"):
        assert sum(row.accepted for row in samples if row.leaf == leaf) >= 20


def test_a_teacher_that_cannot_judge_decides_nothing(tmp_path: Path) -> None:
    def yes_man(request: Request) -> Reply | str:
        if request.choices:
            return Reply(request.choices[-1], "stop", probabilities=(0.5,) * len(request.choices))
        return good_teacher(request)

    heard: list[Event] = []
    samples = multiply(tmp_path, [knowledge()], FakeTeacher(yes_man), 6, heard.append)

    assert sum(row.accepted for row in samples) == 6
    notices = [event.text for event in heard if isinstance(event, Notice)]
    assert "cannot judge faithfulness (50% right), relevancy (50% right), question (50% right)" in notices[0]


def test_a_teacher_that_gives_almost_nothing_is_stopped_with_the_reason(tmp_path: Path) -> None:
    def mumbling(request: Request) -> Reply | str:
        if request.schema:
            return json.dumps({"rows": [{"question": f"What {request.seed}?", "answer": "the text"}]})
        return good_teacher(request)

    heard: list[Event] = []
    teacher = FakeTeacher(mumbling)
    samples = multiply(tmp_path, [knowledge()], teacher, 50, heard.append)

    assert not any(row.accepted for row in samples)
    last = [event.text for event in heard if isinstance(event, Notice)][-1]
    assert "only 0 of 48 questions passed the checks" in last
    assert "speaks about the text" in last


def test_the_funnel_counts_what_was_asked_written_kept_and_dropped(tmp_path: Path) -> None:
    multiply(tmp_path, [knowledge()], FakeTeacher(good_teacher), 100)

    counted = funnel(Run(tmp_path))["knowledge/orra"]
    assert counted.asked == counted.written == 96
    assert counted.kept == 6
    assert counted.written == 6 + sum(counted.dropped.values())


def test_a_cut_off_reply_gives_the_rows_that_were_complete(tmp_path: Path) -> None:
    def breathless(request: Request) -> Reply | str:
        text = good_teacher(request)
        if isinstance(text, str) and request.schema and text.count("question") == 3:
            return Reply(text[: text.rindex('"question"')], "length")
        return text

    samples = multiply(tmp_path, [knowledge()], FakeTeacher(breathless), 4)

    assert sum(row.accepted for row in samples) == 4


def test_resuming_asks_only_for_the_rest_and_gives_the_same_rows(tmp_path: Path) -> None:
    whole = multiply(tmp_path / "whole", [freeform(), knowledge()], FakeTeacher(good_teacher), 60)

    for stop_after in (5, 30, 60, 90, 140):
        teacher = FakeTeacher(good_teacher)
        with pytest.raises(Cancelled):
            multiply(
                tmp_path / "cut",
                [freeform(), knowledge()],
                teacher,
                60,
                is_cancelled=lambda: len(teacher.requests) >= stop_after,  # noqa: B023
            )
    resumed = multiply(tmp_path / "cut", [freeform(), knowledge()], FakeTeacher(good_teacher), 60)
    again = FakeTeacher(good_teacher)
    multiply(tmp_path / "cut", [freeform(), knowledge()], again, 60)

    assert resumed == whole
    assert again.requests == []


def test_a_kill_after_the_share_was_reached_within_a_group_does_not_lose_the_groups_other_rows(tmp_path: Path) -> None:
    whole = multiply(tmp_path / "whole", [freeform()], FakeTeacher(good_teacher), 8)
    lines = (tmp_path / "whole" / "samples.jsonl").read_bytes().splitlines(keepends=True)
    units = (tmp_path / "whole" / "units.jsonl").read_bytes().splitlines(keepends=True)
    assert len(whole) > 20
    # What a kill leaves that comes just after the fourth unit was noted: 8 rows are kept already.
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "samples.jsonl").write_bytes(b"".join(lines[:20]))
    (tmp_path / "cut" / "units.jsonl").write_bytes(b"".join(units[:4]))

    resumed = multiply(tmp_path / "cut", [freeform()], FakeTeacher(good_teacher), 8)

    assert resumed == whole
    assert sum(row.accepted for row in whole[:20]) >= 8


def test_a_kill_at_any_instant_costs_no_row_and_repeats_none(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from lab_desktop.generation.pipeline import generate\n"
        "from lab_desktop.jobs.run import Run\n"
        "from lab_desktop.models.llama import LlamaModel\n"
        "from tests.generation.leaves import freeform\n"
        "with LlamaModel(Path(sys.argv[1]), context_tokens=1024) as model, Run(Path(sys.argv[2])).open() as run:\n"
        "    generate([freeform()], model, 30, 0, run)\n"
    )

    def start(folder: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", script, str(model), str(tmp_path / folder)]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2])

    assert start("whole").wait(timeout=300) == 0
    whole = read_samples(Run(tmp_path / "whole"))
    decided = tmp_path / "cut" / "samples.jsonl"
    kills = 0
    for number in range(4):
        before = decided.stat().st_size if decided.exists() else 0
        child = start("cut")
        while child.poll() is None and not (decided.exists() and decided.stat().st_size > before):
            time.sleep(0.002)
        time.sleep(0.02 * number)  # the first time right after a row, then a little later each time
        child.send_signal(signal.SIGKILL)
        kills += child.wait(timeout=60) == -signal.SIGKILL
    assert start("cut").wait(timeout=300) == 0

    rows = read_samples(Run(tmp_path / "cut"))
    assert kills
    assert [row.id for row in rows] == [row.id for row in whole]
    assert rows == whole
