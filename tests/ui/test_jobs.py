"""ui/jobs.py: real child processes, one at a time, and what becomes of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from lab_desktop import paths
from lab_desktop.files import write_json
from lab_desktop.jobs import requests, shortage
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.ui.jobs import Job, JobRunner, JobState, read_journal
from lab_desktop.ui.session import Session
from lab_desktop.ui.underway import Underway
from lab_desktop.ui.words import duration


def run_folder(root: Path) -> Path:
    """A run whose lesson is missing: its job ends with a sentence after seconds."""
    root.mkdir(parents=True)
    model = paths.practice_model()
    requests.write(root, LearnRequest((root / "no-such-lesson",), model, model, 0, 0))
    return root


def test_a_job_that_fails_says_why_and_is_noted(
    session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock = run_folder(tmp_path / "run"), time.time

    with qtbot.waitSignal(session.jobs.ended, timeout=60_000) as ended:
        session.jobs.start(Job(folder, ("generate",), "Orra"))
        monkeypatch.setattr(time, "time", lambda: clock() - 7200)  # somebody puts it right

    job = ended.args[0]
    assert job.state is JobState.FAILED
    assert "no-such-lesson" in job.text
    assert 0 < job.seconds < 60, "how long it took does not go by the clock"
    assert job.hint
    assert [(noted.state, noted.text, noted.title) for noted in read_journal(session.journal)] == [
        (job.state, job.text, "Orra")
    ]
    assert not session.jobs.is_busy


def test_one_job_runs_and_the_others_wait(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    first, second = (Job(run_folder(tmp_path / name), ("generate",), name) for name in ("first", "second"))
    session.jobs.start(first)
    session.jobs.start(second)
    session.jobs.start(second)  # a second press of the same button

    assert session.jobs.current is not None
    assert [job.title for job in session.jobs.waiting] == ["second"]
    qtbot.waitUntil(lambda: not session.jobs.is_busy, timeout=60_000)
    assert [job.title for job in read_journal(session.journal)] == ["first", "second"]


def test_a_job_that_was_ended_for_want_of_memory_goes_on_by_itself_a_few_times(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = run_folder(tmp_path / "run")
    states = []
    session.jobs.ended.connect(lambda job: states.append(job.state))
    session.jobs.start(Job(folder, ("train",), "Orra"))

    while session.jobs.worker is not None and len(states) < 10:
        process = session.jobs.worker.process
        qtbot.waitUntil(lambda process=process: process.processId() > 0, timeout=20_000)
        write_json(folder / shortage.FILE_NAME, {"is_short": True, "kills": 0})  # what the child left
        with qtbot.waitSignal(session.jobs.ended, timeout=20_000):
            os.kill(process.processId(), signal.SIGKILL)

    assert states == [JobState.BROKEN] * 5
    assert not session.jobs.is_busy


def test_what_another_window_has_in_hand_is_not_taken_from_it_and_what_one_left_is_taken_once(tmp_path: Path) -> None:
    row = Job(tmp_path, ("train",), "Orra").to_json()
    script = (
        "import sys\nfrom pathlib import Path\nfrom lab_desktop.ui.underway import Underway\n"
        f"held = Underway(Path({str(tmp_path)!r}))\nheld.note([{row!r}])\nprint('noted', flush=True)\nsys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"noted\n"
    assert Underway(tmp_path).missed() == []
    other.kill()
    other.communicate()

    assert Underway(tmp_path).missed() == [row]
    assert Underway(tmp_path).missed() == []
    assert list(tmp_path.glob("underway-*")) == []


def test_a_journal_of_another_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "activity.jsonl").write_text('{"folder": "x"}\n', encoding="utf-8")

    assert read_journal(tmp_path / "activity.jsonl") == []
    assert not JobRunner(tmp_path / "activity.jsonl").is_busy


@pytest.mark.parametrize(
    ("seconds", "words"), [(89, "89 s"), (100, "2 min"), (5390, "1 h 30 min"), (7190, "2 h 0 min"), (3600, "60 min")]
)
def test_how_long_something_took_has_no_sixtieth_minute(seconds: float, words: str) -> None:
    assert duration(seconds) == words
