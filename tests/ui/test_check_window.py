"""ui/check_window.py: the installation checks itself, row by row, in a child process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lab_desktop.selftest.steps import STEPS
from lab_desktop.ui.check_window import CheckWindow
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.preferences import Choices
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.selftest.test_command import processes


@pytest.fixture
def check(window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CheckWindow]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    next(each for each in window.findChildren(QAction) if each.text() == "Check This Installation…").trigger()
    found = window.findChild(CheckWindow)
    assert found is not None
    yield found
    found.process.quit()


def words(check: CheckWindow) -> str:
    return "\n".join(label.text() for label in check.findChildren(QLabel) if label.isVisible())


def begun(check: CheckWindow, qtbot: QtBot) -> Path:
    """Begin by key, and wait for the first tick; gives the folder it works in."""
    assert check.begin.hasFocus()
    qtbot.keyClick(check.begin, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "8 pages" in words(check), timeout=120_000)
    (folder,) = Path(tempfile.gettempdir()).glob("lab-desktop-selftest-*")
    return folder


@pytest.mark.slow
def test_rows_get_their_ticks_and_stop_leaves_nothing(check: CheckWindow, qtbot: QtBot) -> None:
    folder = begun(check, qtbot)
    assert check.begin.text() == "Stop"

    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: check.begin.text() == "Check again", timeout=60_000)
    assert "It was stopped before its end." in words(check)
    assert (processes(folder), folder.exists()) == ([], False)


@pytest.mark.slow
def test_a_child_that_dies_is_told_and_closing_ends_one_that_works(check: CheckWindow, qtbot: QtBot) -> None:
    folder = begun(check, qtbot)
    program = next(each for each in processes(folder) if "--selftest-in" in each.cmdline())
    program.kill()

    qtbot.waitUntil(lambda: check.begin.text() == "Check again", timeout=60_000)

    assert "The program ended in the middle of it." in words(check)
    assert f"1 of {len(STEPS)} steps failed" in words(check)
    assert (processes(folder), folder.exists()) == ([], False)

    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: check.begin.text() == "Stop", timeout=60_000)
    (folder,) = Path(tempfile.gettempdir()).glob("lab-desktop-selftest-*")
    qtbot.keyClick(check, Qt.Key.Key_Escape)

    assert not check.isVisible()
    qtbot.waitUntil(lambda: not check.process.is_busy, timeout=60_000)
    assert (processes(folder), folder.exists()) == ([], False)


def test_too_little_space_is_a_sentence(check: CheckWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.environ["LAB_DESKTOP_HOME"])

    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)

    assert "a part of your own folder" in words(check)
    assert check.begin.text() == "Check now"


def test_the_details_tell_what_failed_and_not_who_one_is(check: CheckWindow, qtbot: QtBot) -> None:
    course = states.selftest("failed")
    home = Path.home() / "LAB" / "x.gguf"
    check.process.course = course
    check.show_course(course, is_busy=False)
    QGuiApplication.clipboard().clear()

    qtbot.mouseClick(check.copy, Qt.MouseButton.LeftButton)

    told = QGuiApplication.clipboard().text()
    assert "failed      9.8 s  A model is trained: The training stopped: the disk is full." in told
    assert "LAB Desktop" in told
    assert str(home.parent) not in told
    assert check.copy.text() == "Copied"


@pytest.mark.parametrize("percent", [100, 160])
@pytest.mark.parametrize("state", ["running", "failed"])
def test_it_fits_its_smallest_size(
    check: CheckWindow, session: Session, qtbot: QtBot, percent: int, state: str
) -> None:
    session.preferences.choose(Choices("light", percent))
    qtbot.waitUntil(check.updatesEnabled)
    check.show_course(states.selftest(state), state == "running")
    check.resize(check.minimumSize())
    qtbot.wait(50)

    cut = [
        label.text()
        for label in check.findChildren(QLabel)
        if label.isVisible() and label.mapTo(check, label.rect().topRight()).x() > check.width()
    ]
    assert cut == []


def test_each_row_says_how_it_stands(check: CheckWindow) -> None:
    check.show_course(states.selftest("running"), is_busy=True)

    names = [line.accessibleName() for line in check.lines]
    assert names[0].startswith("The window opens and shows its pages: ok")
    assert names[3].startswith("A model is trained: trying it")
    assert names[4] == "The trained model becomes one small file: not tried yet"
