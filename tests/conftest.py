"""What every test gets: a person's folder of its own, its share of the cores, and Ctrl-C as a terminal sends it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from lab_desktop import hardware

hardware.wait_politely()  # before a test module imports torch or llama.cpp
if _processes := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, hardware.threads() // int(_processes))))
    os.fsync = lambda descriptor: None  # 58,000 times a minute and a half; tests kill processes, never the power
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background of a script, as children would be too
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--alone",
        choices=("skip", "only"),
        help="leave out the tests marked `alone`, which measure time, or run only those",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only those are wanted that measure time, no other file is read."""
    if config.getoption("--alone") != "only" or not collection_path.match("test_*.py"):
        return None
    return True if "mark.alone" not in collection_path.read_text(encoding="utf-8") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose by `--alone`, and put first what other tests would disturb or wait for.

    What is measured would also measure the threads and windows that other tests leave behind. A test of minutes that
    came last would be waited for by every other process.
    """
    chosen = config.getoption("--alone")
    if chosen is not None:
        left_out = [item for item in items if _has(item, "alone") is (chosen == "skip")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _has(item, "alone") is (chosen == "only")]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, ...]:
    is_alone = _has(item, "alone")
    return not is_alone, is_alone and _has(item, "slow"), not _has(item, "minutes")


def _has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the runs, models and keys of whoever starts it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LAB_DESKTOP_HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return home


@pytest.fixture
def prepared(own_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made of a model once was made before, as at a person's second start: tests that ask for this share it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if _processes else base) / "prepared"
    shared.mkdir(exist_ok=True)
    (own_home / "prepared").symlink_to(shared, target_is_directory=True)
    return shared
