"""What nobody foresaw is told once, calmly, and read before it is sent: with windows that really crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from lab_desktop import problems
from lab_desktop.errors import NO_MEMORY, NO_MEMORY_HINT
from lab_desktop.ui.chat_process import Voices
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session

WINDOW = """
import ctypes, os, sys
from PySide6.QtCore import QTimer
from lab_desktop.ui import app
from lab_desktop.ui.main_window import MainWindow

began = MainWindow.start
def start(window):
    began(window)
    window.show_page('models')
    QTimer.singleShot(50, lambda: happen(window))
MainWindow.start = start

def happen(window):
    HAPPENS
sys.exit(app.main())
"""


def open_window(happens: str) -> subprocess.CompletedProcess[str]:
    """The window in a process of its own, to which something happens."""
    return subprocess.run(
        [sys.executable, "-c", WINDOW.replace("HAPPENS", happens)],
        capture_output=True, text=True, timeout=120, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "_watches", [])


def test_a_window_that_crashed_is_spoken_of_at_the_next_start_once(
    own_home: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    ended = open_window("ctypes.string_at(0)")
    assert ended.returncode == -11, ended.stderr[-500:]
    hooks = sys.excepthook
    try:
        window.mishaps.take_over()
        qtbot.waitUntil(window.mishap_strip.isVisible, timeout=10_000)
    finally:
        sys.excepthook = hooks

    assert window.mishap_strip.accessibleName().startswith("LAB Desktop stopped unexpectedly last time.")
    qtbot.mouseClick(window.mishap_strip.show_report, Qt.MouseButton.LeftButton)
    shown = window.panels.problems
    qtbot.waitUntil(lambda: shown.names.count() == 1, timeout=5000)
    said = shown.pane.text.toPlainText()
    assert "Where: window" in said and "page models" in said
    assert "Fatal Python error: Segmentation fault" in said and "in happen" in said
    assert not window.mishap_strip.isVisible()
    assert problems.gather() == []


def test_a_mistake_in_a_slot_ends_nothing_and_is_noted_once(own_home: Path) -> None:
    ended = open_window(
        "import threading\n"
        "    for _ in range(3): QTimer.singleShot(0, lambda: {}['a secret lesson'])\n"
        "    threading.Thread(target=lambda: 1 / 0).start()\n"
        "    QTimer.singleShot(400, lambda: print('told:', window.mishap_strip.isVisible()))\n"
        "    QTimer.singleShot(500, window.close)"
    )

    assert ended.returncode == 0 and "told: True" in ended.stdout, ended.stderr[-500:]
    texts = [file.read_text(encoding="utf-8") for file in problems.reports()]
    assert sorted(text.strip().splitlines()[-1].partition(":")[0] for text in texts) == [
        "KeyError",
        "ZeroDivisionError",
    ]
    assert "secret" not in "".join(texts)
    assert not list((own_home / "problems").glob(".running-window-*")), "it ended well"


@pytest.mark.skipif(sys.platform != "linux", reason="a limit that only Linux holds")
def test_a_window_without_memory_says_so_and_goes_on_without_a_report(own_home: Path) -> None:
    ended = open_window(
        "import resource\n"
        "    before = resource.getrlimit(resource.RLIMIT_AS)\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, before[1]))\n"
        "    QTimer.singleShot(0, lambda: bytearray(1 << 31))\n"
        "    QTimer.singleShot(300, lambda: resource.setrlimit(resource.RLIMIT_AS, before))\n"
        "    QTimer.singleShot(400, lambda: print(window.mishap_strip.accessibleName()))\n"
        "    QTimer.singleShot(450, lambda: print('report:', window.mishap_strip.show_report.isVisible()))\n"
        "    QTimer.singleShot(500, window.close)"
    )

    assert ended.returncode == 0, ended.stderr[-500:]
    assert ended.stdout.splitlines() == [f"{NO_MEMORY} {NO_MEMORY_HINT}", "report: False"]
    assert problems.reports() == [] and "Traceback" not in ended.stderr


def test_not_now_leaves_the_report_where_it_is(window: MainWindow, own_home: Path, qtbot: QtBot) -> None:
    report = problems.write("window", None, ["something"])
    assert report is not None
    window.mishaps._tell_of_last_time([report])

    qtbot.mouseClick(window.mishap_strip.not_now, Qt.MouseButton.LeftButton)

    assert not window.mishap_strip.isVisible() and problems.reports() == [report]


def test_a_report_is_made_when_it_is_asked_for_and_copied_whole(
    window: MainWindow, session: Session, own_home: Path, qtbot: QtBot
) -> None:
    session.go("problem")
    shown = window.panels.problems
    qtbot.waitUntil(lambda: shown.names.count() == 1, timeout=10_000)

    qtbot.mouseClick(shown.pane.copy, Qt.MouseButton.LeftButton)

    copied = QGuiApplication.clipboard().text()
    assert copied == shown.pane.text.toPlainText()
    assert "Disk:" in copied and "Practice model:" in copied and str(own_home) not in copied
    assert copied.strip() == problems.reports()[0].read_text(encoding="utf-8").strip()
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_without_a_report_it_says_so_and_offers_no_button_for_one(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.go("problems")
    shown = window.panels.problems
    qtbot.waitUntil(lambda: not shown.pane.copy.isVisible(), timeout=5000)

    assert not shown.show_folder.isVisible() and shown.make.hasFocus()


def test_reports_are_listed_by_when_they_were_kept(
    window: MainWindow, session: Session, own_home: Path, qtbot: QtBot
) -> None:
    folder = own_home / "problems"
    folder.mkdir(exist_ok=True)
    for name in ("2019-05-03-090507-004.txt", "of somebody.txt"):
        (folder / name).write_text("text", encoding="utf-8")
    problems.write("window", None)
    session.go("problems")
    names = window.panels.problems.names
    qtbot.waitUntil(lambda: names.count() == 3, timeout=5000)

    listed = [names.item(number).text() for number in range(3)]
    assert sorted(listed, key=len)[0].startswith("Today, ")
    assert {"3 May 2019, 09:05", "of somebody.txt"} < set(listed)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_chat_whose_process_crashes_leaves_a_report(own_home: Path, session: Session, qtbot: QtBot) -> None:
    session.chat.use(Voices(own_home / "no-such.gguf"))
    session.chat.ask([])
    process = session.chat._process
    assert process is not None
    qtbot.waitUntil(lambda: bool(list((own_home / "problems").glob(".running-chat-*"))), timeout=20_000)

    with qtbot.waitSignal(session.chat.failed, timeout=20_000) as told:
        os.kill(process.processId(), signal.SIGABRT)

    assert told.args is not None and told.args[1].startswith("The model stopped unexpectedly.")
    (report,) = problems.reports()
    assert "Where: chat" in report.read_text(encoding="utf-8")
