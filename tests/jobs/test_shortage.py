"""jobs/shortage.py: what a process that was killed for want of memory cannot say any more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab_desktop import hardware
from lab_desktop.jobs import shortage
from tests.drills import faults

ROOT = Path(__file__).resolve().parent.parent.parent


def killed_at_work(folder: Path, least_free: int) -> None:
    """A real process that is killed while it is watched; `least_free` bytes are what it takes for short."""
    script = (
        "import sys, time; from pathlib import Path; from lab_desktop.jobs import shortage\n"
        f"shortage._LEAST_FREE_BYTES, shortage._LEAST_FREE_SHARE = {least_free}, 0\n"
        "with shortage.watched(Path(sys.argv[1])):\n    time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=ROOT)
    until = time.monotonic() + 30
    while not (folder / shortage.FILE_NAME).exists():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()


def test_work_that_was_killed_while_memory_was_short_is_known_by_it(tmp_path: Path) -> None:
    killed_at_work(tmp_path, 1 << 60)

    assert shortage.ended_work(tmp_path)


def test_work_that_was_killed_while_there_was_memory_was_killed_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at_work(tmp_path, 0)

    assert not shortage.ended_work(tmp_path)
    kills = hardware.memory_kills()
    monkeypatch.setattr(hardware, "memory_kills", lambda: kills + 1)  # unless the system says that it was the reason
    assert shortage.ended_work(tmp_path)


@pytest.mark.skipif(not faults.can_be_tried("memory-kill"), reason="this system does not let us")
def test_work_that_the_system_ends_for_what_it_took_is_known_by_it(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from lab_desktop.jobs import shortage\n"
        "run, group = map(Path, sys.argv[1:])\n"
        "(group / 'cgroup.procs').write_text(str(os.getpid()))\n"
        "with shortage.watched(run):\n"
        "    while not (run / shortage.FILE_NAME).exists(): time.sleep(0.02)\n"
        "    bytearray(b'x') * 1_000_000_000"
    )
    with faults.memory_group(100_000_000) as group:
        ended = subprocess.run([sys.executable, "-c", script, str(tmp_path), str(group)], cwd=ROOT, timeout=60)

    assert ended.returncode == -signal.SIGKILL
    assert shortage.ended_work(tmp_path)


@pytest.mark.parametrize("error", [None, ValueError])
def test_any_regular_end_leaves_nothing(tmp_path: Path, error: type[Exception] | None) -> None:
    try:
        with shortage.watched(tmp_path):
            while not (tmp_path / shortage.FILE_NAME).exists():
                time.sleep(0.01)
            if error:
                raise error
    except ValueError:
        pass

    assert list(tmp_path.iterdir()) == []
    assert not shortage.ended_work(tmp_path)


def test_memory_that_becomes_free_again_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "_LOOK_S", 0.01)
    monkeypatch.setattr(hardware, "memory_available_bytes", lambda: 0)
    with shortage.watched(tmp_path):
        said = []
        until = time.monotonic() + 10
        while len(said) < 2 and time.monotonic() < until:
            file = tmp_path / shortage.FILE_NAME
            now = json.loads(file.read_text())["is_short"] if file.exists() else None
            if now is not None and now not in said:
                said.append(now)
                monkeypatch.setattr(hardware, "memory_available_bytes", lambda: 1 << 60)

    assert said == [True, False]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"is_short": null, "kills": "many"}'])
def test_a_damaged_note_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / shortage.FILE_NAME).write_text(text)

    assert not shortage.ended_work(tmp_path)


def test_who_cannot_even_look_takes_memory_for_short() -> None:
    script = (
        "import resource; from lab_desktop.jobs import shortage\n"
        "assert not shortage._is_short()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\nprint(shortage._is_short())"
    )

    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout == "True\n"
