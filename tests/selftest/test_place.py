"""selftest/place.py: a folder of its own, from which nothing goes on."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from lab_desktop.errors import StorageError
from lab_desktop.selftest import place


def test_what_is_started_while_everything_is_ended_is_ended_too(tmp_path: Path, own_home: Path) -> None:
    folder = place.make(tmp_path)
    script = "while :; do sleep 20 & sleep 0.02; done"
    starter = subprocess.Popen(["sh", "-c", script], env=place.environment(folder), stdin=subprocess.DEVNULL)
    while len(place.processes(folder)) < 3:
        time.sleep(0.05)

    place.end(folder)

    starter.wait(10)
    assert place.processes(folder) == []
    assert not folder.exists()


def test_it_does_not_work_in_the_persons_own_folder(own_home: Path) -> None:
    own_home.mkdir(exist_ok=True)

    with pytest.raises(StorageError, match="keeps out"):
        place.make(own_home)
