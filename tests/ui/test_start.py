"""ui/app.py: `lab-desktop` alone opens the window, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lab_desktop import projects
from lab_desktop.paths import resources

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def start(home: Path, **environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept |= {"LAB_DESKTOP_HOME": str(home), **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "lab_desktop"], env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_window_opens_without_a_model_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    projects.create(tmp_path / "projects", "Velmora", [resources() / "practice" / "velmora"])
    process = start(tmp_path, QT_QPA_PLATFORM="offscreen")
    time.sleep(4)
    assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)

    assert children == []
    assert process.returncode in (-signal.SIGINT, 130)
    assert "Traceback" not in said


def test_a_killed_window_leaves_no_model_behind(tmp_path: Path) -> None:
    process = start(tmp_path, QT_QPA_PLATFORM="offscreen")
    deadline = time.monotonic() + 60
    window = psutil.Process(process.pid)
    while not (children := window.children(recursive=True)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert children, "the first start measures the computer with a model"

    process.kill()
    process.communicate(timeout=20)

    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_without_a_screen_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("there is always a screen")
    process = start(tmp_path, QT_QPA_PLATFORM="")
    out, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "no screen" in said
    assert "lab-desktop --help" in said
    assert out == ""
