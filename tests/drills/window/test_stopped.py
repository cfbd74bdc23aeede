"""A child that stands still: it is said, and the person is not bound to it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import paths
from lab_desktop.jobs.errands import DownloadRequest, MoveRequest
from lab_desktop.jobs.events import Pace, Progress
from lab_desktop.ui import downloads, errand, words
from lab_desktop.ui.downloads import Downloads, DownloadState
from lab_desktop.ui.errand import ErrandState, OneErrand
from lab_desktop.ui.worker_process import WorkerProcess
from tests.fakes import tiny_model


def stop(worker: WorkerProcess | None) -> None:
    assert worker is not None
    assert worker.process.waitForStarted()
    os.kill(worker.process.processId(), signal.SIGSTOP)


def test_a_move_that_stands_still_is_ended_when_it_is_paused_and_goes_on(
    own_home: Path, qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "STOP_MS", 200)
    tiny_model(paths.models() / "mine.gguf", layers=1)
    moving = OneErrand(MoveRequest, qapp)
    moving.start(MoveRequest(tmp_path / "disk"))
    stop(moving.worker)

    moving.pause()
    assert moving.state is ErrandState.STOPPING
    qtbot.waitUntil(lambda: moving.state is ErrandState.PAUSED, timeout=20_000)

    moving.go_on()
    qtbot.waitUntil(lambda: moving.state is ErrandState.DONE, timeout=60_000)
    assert paths.models().resolve() == tmp_path / "disk"


def test_a_download_that_stands_still_is_ended_when_it_is_paused(
    own_home: Path, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "STOP_MS", 200)
    coming, wanted = Downloads(qapp), DownloadRequest("makers/tiny", "tiny.gguf")
    coming.get(wanted)
    stop(coming.worker)

    coming.pause(wanted)
    qtbot.waitUntil(lambda: coming.worker is None, timeout=20_000)

    assert [each.state for each in coming.all] == [DownloadState.PAUSED]


def test_work_that_says_nothing_for_long_is_called_so() -> None:
    for progress in (None, Progress("Training", 3, 100)):
        said = " · ".join(words.progress_words(progress, Pace(), silent_s=300.0))
        assert said == "no word for 5 min; pause it and go on if that seems wrong"
    assert "still working" in " · ".join(words.progress_words(Progress("Training", 3, 100), Pace(), silent_s=30.0))


def test_a_day_that_is_still_to_come_is_not_today() -> None:
    now = time.time()

    assert words.is_today(now)
    assert not words.is_today(now + 365 * 86_400) and not words.is_today(now - 365 * 86_400)
