"""The set-up script says what is missing before it starts anything, and what went wrong when it did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as the set-up reads."""
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def bootstrap(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "packaging/bootstrap.py", *arguments],
        cwd=clone, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["bogus"], ["setup", "twice"], ["--help"]])
def test_an_unknown_command_gets_the_usage(clone: Path, arguments: list[str]) -> None:
    result = bootstrap(clone, *arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: python3 packaging/bootstrap.py")


def test_what_is_missing_is_said_all_at_once_before_anything_is_made(clone: Path) -> None:
    result = bootstrap(clone, "setup", PATH="/nowhere", CC="", CXX="")

    assert result.returncode == 1
    assert "git. On Debian and Ubuntu" in result.stderr
    assert "A C and C++ compiler" in result.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.slow
def test_without_a_network_it_says_so_and_is_not_taken_for_set_up(clone: Path) -> None:
    result = bootstrap(
        clone, "setup", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="", PIP_RETRIES="1",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
    )  # fmt: skip

    assert result.returncode == 1
    assert "The package index could not be reached." in result.stderr
    assert "Traceback" not in result.stderr
    assert list((clone / ".venv").glob("*.stamp")) == []
