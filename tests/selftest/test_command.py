"""`lab-desktop --selftest` on installations that are well, broken, stopped and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab_desktop.selftest.steps import STEPS
from tests.selftest.conftest import Installation, talkative

LONG_S = 400


def run(installation: Installation, *words: str) -> tuple[int, str, dict[str, dict[str, Any]]]:
    """A whole self-test: exit status, what the terminal shows, and the steps of its report by name."""
    file = installation.below.parent / "report.json"
    started = installation.start("--selftest", "--folder", str(installation.below), "--json", str(file), *words)
    told, remarks = started.communicate(timeout=LONG_S)
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["passed"] is (started.returncode == 0)
    return started.returncode, told + remarks, {step["step"]: step for step in report["steps"]}


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder, with its bytes and when it was changed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def processes(below: Path) -> list[psutil.Process]:
    """All that a self-test in this folder has started and that still runs."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(below) in process.environ().get("LAB_DESKTOP_SELFTEST", "") and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def until(is_so: Callable[[], object], limit_s: float = 120) -> None:
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def in_the_middle(installation: Installation) -> subprocess.Popen[str]:
    """A self-test whose window has opened, and that has begun something else."""
    started = installation.start("--selftest", "--folder", str(installation.below))
    assert started.stdout is not None
    assert "ok" in started.stdout.readline()
    until(lambda: len(processes(installation.below)) > 1)
    return started


@pytest.mark.slow
@pytest.mark.timeout(LONG_S)
def test_everything_is_tried_and_nothing_is_left_or_touched(installation: Installation) -> None:
    talkative(installation)
    before = contents(installation.person)

    status, told, steps = run(installation)

    assert {name: step["state"] for name, step in steps.items()} == {step.name: "ok" for step in STEPS}, told
    assert status == 0
    assert all(step["fact"] for step in steps.values())
    assert re.search(r"→ \d+\.\d+ in [5-9] steps", steps["train"]["fact"])  # one more may be under way by then
    assert "Everything works" in told
    assert contents(installation.person) == before
    assert list(installation.below.iterdir()) == []
    assert processes(installation.below) == []


@pytest.mark.slow
@pytest.mark.timeout(LONG_S)
def test_what_is_broken_is_found_and_the_rest_is_tried(installation: Installation) -> None:
    """Half a model; a reader that asks the network and says nothing about it; a step that takes too long."""
    with open(installation.model, "r+b") as model:
        model.truncate(installation.model.stat().st_size // 2)
    package = installation.folder / "lab_desktop"
    _append(package / "documents" / "convert.py", "import socket, contextlib\n"
            "with contextlib.suppress(OSError):\n    socket.create_connection(('203.0.113.9', 443), 1)\n")  # fmt: skip
    _replace(package / "selftest" / "steps.py", '"A page of it is drawn", 90', '"A page of it is drawn", 0.0')
    before = contents(installation.person)

    status, told, steps = run(installation)

    assert status == 1
    assert {name: step["state"] for name, step in steps.items()} == {
        "window": "ok", "chat": "failed", "practice": "failed", "train": "left out", "export": "left out",
        "taught": "left out", "document": "ok", "page": "failed", "end": "failed",
    }  # fmt: skip
    assert "is incomplete" in steps["chat"]["text"]
    assert steps["page"]["text"] == "It took too long."
    assert "203.0.113.9" in steps["end"]["text"]
    assert f"4 of {len(STEPS)} steps failed" in told
    assert "report.json" in told
    assert contents(installation.person) == before
    assert list(installation.below.iterdir()) == []
    assert processes(installation.below) == []


@pytest.mark.slow
def test_ctrl_c_ends_it_and_all_that_it_started(installation: Installation) -> None:
    started = in_the_middle(installation)

    started.send_signal(signal.SIGINT)
    _, remarks = started.communicate(timeout=60)

    assert (started.returncode, remarks.splitlines()[-1]) == (130, "Stopped.")
    assert processes(installation.below) == []
    assert list(installation.below.iterdir()) == []


@pytest.mark.slow
def test_a_window_that_dies_is_a_failed_step(installation: Installation) -> None:
    started = in_the_middle(installation)
    (program,) = psutil.Process(started.pid).children()

    os.kill(program.pid, signal.SIGKILL)
    told, remarks = started.communicate(timeout=60)

    assert started.returncode == 1
    assert "The program ended in the middle of it." in told
    assert "The program was gone." in told
    assert "lab-desktop-selftest.json" in remarks
    assert processes(installation.below) == []
    assert [path.name for path in installation.below.iterdir()] == ["lab-desktop-selftest.json"]


@pytest.mark.slow
def test_a_window_that_says_nothing_any_more_is_ended(installation: Installation) -> None:
    _replace(installation.folder / "lab_desktop" / "selftest" / "steps.py", "SILENCE_S = 660.0", "SILENCE_S = 10.0")
    _append(installation.folder / "lab_desktop" / "ui" / "main_window.py", "import time\ntime.sleep(1000)\n")

    status, told, steps = run(installation)

    assert status == 1
    assert {step["text"] for step in steps.values()} == {"It hung and was ended.", "The program was gone."}, told
    assert processes(installation.below) == []
    assert list(installation.below.iterdir()) == []


@pytest.mark.slow
def test_who_started_it_may_be_killed_and_nothing_stays(installation: Installation) -> None:
    with in_the_middle(installation) as started:
        started.kill()

    until(lambda: not processes(installation.below))
    until(lambda: not list(installation.below.iterdir()))


def test_it_keeps_out_of_the_persons_own_folder(installation: Installation) -> None:
    started = installation.start("--selftest", "--folder", str(installation.person))

    _, remarks = started.communicate(timeout=60)

    assert started.returncode == 1
    assert "a part of your own folder" in remarks
    assert [path.name for path in installation.person.iterdir()] == ["chats"]


def test_a_small_disk_is_refused_before_anything_begins(installation: Installation, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk (tmpfs)")
    try:
        started = installation.start("selftest", "--folder", str(disk))
        _, remarks = started.communicate(timeout=60)

        assert started.returncode == 1
        assert "needs 1.2 GB for a while" in remarks
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
