"""A run folder belongs to one job at a time, remembers what was said, and adds up its time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab_desktop.errors import Cancelled, RunError, StorageError
from lab_desktop.files import JsonLines
from lab_desktop.jobs.events import Event, Metric, Notice, Progress, Row, from_json
from lab_desktop.jobs.run import Run

HOLD = """
import sys, time
from pathlib import Path
from lab_desktop.jobs.run import Run
with Run(Path(sys.argv[1])).open():
    print("open", flush=True)
    time.sleep(60)
"""


def test_a_second_job_on_the_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with Run(tmp_path / "run").open() as first:
        with pytest.raises(RunError, match="Another job is working"), Run(tmp_path / "run").open():
            pass
        first.notice("Still here.")

    with Run(tmp_path / "run").open():
        pass


@pytest.mark.parametrize("found", [None, "{", '{"train": null}'])
def test_times_that_cannot_be_noted_do_not_hide_why_the_work_ended(tmp_path: Path, found: str | None) -> None:
    if found is None:
        (tmp_path / "timings.json").mkdir()
    else:
        (tmp_path / "timings.json").write_text(found)

    with pytest.raises(Cancelled), Run(tmp_path).open() as run, run.timed("train"):
        raise Cancelled


def test_a_refused_job_leaves_no_empty_folder_behind_and_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("new", "there", "used"):
        with pytest.raises(ValueError, match="refused"), Run(tmp_path / name).open() as run:
            if name == "used":
                run.notice("something happened")
            raise ValueError("refused")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["there", "used"]


def test_a_killed_job_gives_its_folder_free_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(RunError, match="Another job is working"), Run(tmp_path).open():
            pass
    finally:
        process.kill()
        process.communicate()

    with Run(tmp_path).open():
        pass


def test_what_a_killed_job_left_half_written_is_gone_when_the_next_one_begins(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    halves = [tmp_path / ".report.json.x1.part", tmp_path / "models" / ".new.gguf.x2.part"]
    for half in (*halves, tmp_path / ".lock"):
        half.touch()

    with Run(tmp_path).open():
        assert not any(half.exists() for half in halves)


def test_what_was_said_is_told_at_once_and_kept_except_counting(tmp_path: Path) -> None:
    told: list[Event] = []
    with Run(tmp_path, tell=told.append).open() as run:
        run.notice("Found 3 leaves.")
        run.progress("Reading", 1, 3)
        run.metric("loss", 0.5, 10)
        run.row("samples", {"question": "Why?"})

    kept = [from_json(line) for line in JsonLines(tmp_path / "events.jsonl").rows()]
    assert told == [Notice("Found 3 leaves."), Progress("Reading", 1, 3), Metric("loss", 0.5, 10), kept[-1]]
    assert kept == [Notice("Found 3 leaves."), Metric("loss", 0.5, 10), Row("samples", {"question": "Why?"})]


def test_a_second_visit_adds_to_the_journal(tmp_path: Path) -> None:
    for text in ("One.", "Two."):
        with Run(tmp_path).open() as run:
            run.notice(text)

    assert [row["text"] for row in JsonLines(tmp_path / "events.jsonl").rows()] == ["One.", "Two."]


def test_cancelling_is_noticed_between_units_of_work(tmp_path: Path) -> None:
    answers = iter([False, True])
    with Run(tmp_path, is_cancelled=lambda: next(answers)).open() as run:
        run.stop_if_cancelled()
        with pytest.raises(Cancelled):
            run.stop_if_cancelled()


def test_times_of_a_step_add_up_over_resumes_also_when_it_fails(tmp_path: Path) -> None:
    with Run(tmp_path).open() as run, pytest.raises(ZeroDivisionError), run.timed("train"):
        time.sleep(0.05)
        raise ZeroDivisionError
    with Run(tmp_path).open() as run:
        with run.timed("train"):
            time.sleep(0.05)
        with run.timed("export"):
            pass

    seconds = Run(tmp_path).timings()
    assert 0.1 <= seconds["train"] < 1.0
    assert set(seconds) == {"train", "export"}


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError), Run(tmp_path / "file" / "run").open():
        pass
