"""What every test gets: a person's folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_desktop import hardware

hardware.wait_politely()  # before a test module imports torch or llama.cpp


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the runs and models of whoever starts it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LAB_DESKTOP_HOME", str(home))
    return home
