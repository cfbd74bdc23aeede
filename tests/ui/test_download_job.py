"""A download as the window does it: an errand's folder is a job like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.models import arrivals
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.session import Session
from tests.fakes import tiny_model
from tests.hub_server import Fault, Hub


def test_a_download_is_paused_and_gone_on_with(
    session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny_model(tmp_path / "tiny.gguf").read_bytes() + bytes(3_000_000)
    runner = session.jobs
    with Hub(files={"makers/tiny/tiny.gguf": data}, licence="mit").running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.faults.append(Fault(stall_after=1_000_000))
        request = DownloadRequest("makers/tiny", "tiny.gguf", title="Tiny", reserve_bytes=0)
        job = Job(errands.write(request), (), "Tiny")

        runner.start(job)
        qtbot.waitUntil(lambda: arrivals.waiting()[0].arrived_bytes == 1_000_000, timeout=60_000)
        assert runner.progress is not None and runner.progress.total == len(data)
        with qtbot.waitSignal(runner.ended, timeout=60_000) as paused:
            runner.pause()
        with qtbot.waitSignal(runner.ended, timeout=60_000) as done:
            runner.start(job)

    assert (paused.args[0].state, done.args[0].state) == (JobState.PAUSED, JobState.DONE)
    assert arrivals.target("makers/tiny", "tiny.gguf").read_bytes() == data
    assert arrivals.waiting() == []
