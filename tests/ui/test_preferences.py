"""ui/preferences.py, notices.py and awake.py: what the person chose holds, is kept, and is obeyed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects
from lab_desktop.ui.awake import Awake, command
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat import STYLES, ChatPage
from lab_desktop.ui.preferences import Choices, Preferences
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import DARK, Look
from tests.ui.test_jobs import run_folder


def test_what_was_chosen_is_there_the_next_time(tmp_path: Path) -> None:
    chosen = Choices("dark", 120, "creative", notifies=False, stays_awake=False, keeps_free=4, only_plugged_in=True)

    Preferences(tmp_path / "settings.ini").choose(chosen)

    assert Preferences(tmp_path / "settings.ini").choices == chosen


def test_what_two_windows_chose_is_kept_of_both(tmp_path: Path) -> None:
    one, other = Preferences(tmp_path / "settings.ini"), Preferences(tmp_path / "settings.ini")

    one.choose(replace(one.choices, appearance="dark"))
    other.choose(replace(other.choices, text_size=120))

    assert Preferences(tmp_path / "settings.ini").choices == Choices("dark", 120)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00\xff\xfe[[[\n=\n",
        b"appearance=purple\ntext_size=huge\nanswers=7\nnotifies=perhaps\nstays_awake=2\nkeeps_free=3\n",
        b"appearance=@Rect(1 2 3 4)\ntext_size=@ByteArray(x)\nanswers=a, b\n",
        b"text_size=99999999999999999999\n",
        "text_size=²\n".encode(),
        os.urandom(500),
    ],
)
def test_a_damaged_file_is_the_defaults_and_is_mended_by_the_next_choice(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settings.ini"
    path.write_bytes(damage)

    preferences = Preferences(path)
    assert preferences.choices == Choices()
    preferences.choose(replace(preferences.choices, appearance="light"))

    assert preferences.is_saved
    assert Preferences(path).choices == Choices("light")


@pytest.mark.parametrize(("written", "used"), [("30", 80), ("5000", 160), ("110", 110)])
def test_a_text_size_out_of_range_is_the_nearest_in_it(tmp_path: Path, written: str, used: int) -> None:
    (tmp_path / "settings.ini").write_text(f"[General]\ntext_size={written}\n", encoding="utf-8")

    assert Preferences(tmp_path / "settings.ini").choices.text_size == used


def test_a_choice_that_cannot_be_saved_holds_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").mkdir()
    preferences = Preferences(tmp_path / "settings.ini")

    preferences.choose(Choices("dark"))

    assert preferences.choices.appearance == "dark"
    assert not preferences.is_saved


def test_keys_make_text_larger_smaller_and_normal(
    window: MainWindow, session: Session, shown: Look, qtbot: QtBot
) -> None:
    tall = window.header.title.fontMetrics().height()
    for _ in range(8):
        qtbot.keyClick(window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert shown.text_size == 1.6
    qtbot.waitUntil(window.updatesEnabled)
    assert window.header.title.fontMetrics().height() > 1.4 * tall

    qtbot.keyClick(window, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert session.preferences.choices.text_size == 150
    qtbot.keyClick(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert shown.text_size == 1.0
    qtbot.waitUntil(window.updatesEnabled)
    assert window.header.title.fontMetrics().height() == tall


def test_the_words_of_the_narrow_sidebar_fit_at_every_text_size(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.sidebar.set_narrow(True)
    for percent in (80, 100, 160):
        session.preferences.choose(Choices("light", percent))
        qtbot.waitUntil(window.updatesEnabled)
        metrics = window.fontMetrics()
        assert metrics.horizontalAdvance("Improve") * 11 / 13 < window.sidebar.width() - 16


def test_a_window_opens_with_what_was_chosen_before(own_home: Path, qtbot: QtBot, shown: Look) -> None:
    Preferences(own_home / "settings.ini").choose(Choices("dark", 130, "balanced"))

    session = Session(own_home)
    window = MainWindow(session)
    qtbot.addWidget(window)

    assert (shown.theme, shown.text_size) == (DARK, 1.3)
    page = window.pages["chat"]
    assert isinstance(page, ChatPage)
    assert page._styles.chosen == "balanced"


def test_a_new_chat_begins_in_the_chosen_style_and_a_begun_one_keeps_its_own(
    window: MainWindow, session: Session
) -> None:
    page = window.pages["chat"]
    assert isinstance(page, ChatPage)
    page._chat = replace(page._chat, turns=())
    session.preferences.choose(replace(session.preferences.choices, answers="creative"))
    assert (page._styles.chosen, STYLES[page._style]) == ("creative", STYLES["creative"])

    page._styles._buttons["careful"].click()
    page.new_chat()

    assert page._styles.chosen == "creative"


# Notices


def finished(session: Session, steps: tuple[str, ...], state: JobState = JobState.DONE, seconds: float = 61.0) -> Job:
    project = session.new_practice()
    run = projects.new_run(project, paths.practice_model())
    rows = [{"accepted": number < 3} for number in range(5)]
    (run / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (run / "report.json").write_text(json.dumps({"verdict": {"name": "small gain"}}), encoding="utf-8")
    return Job(run, steps, "secret-file.md", state, time.time() - seconds, seconds)


@pytest.fixture
def other_program(window: MainWindow) -> Iterator[QWindow]:
    """A window that is none of the application's widgets, as those of other programs are not."""
    made = QWindow()
    made.show()
    yield made
    made.close()


def put_behind(window: MainWindow, other: QWindow, qtbot: QtBot) -> None:
    other.requestActivate()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is None, timeout=2000)


@pytest.mark.parametrize(
    ("steps", "state", "said"),
    [
        (("generate",), JobState.DONE, ["Practice questions are ready – 3 kept, 2 dropped."]),
        (("train",), JobState.DONE, ["Training is finished. Now check what the model learned."]),
        (("export", "evaluate"), JobState.DONE, ["The report is ready – a small gain."]),
        (("export",), JobState.DONE, ["Making the model smaller is finished."]),
        (("train",), JobState.FAILED, ["Training needs you."]),
        (("train",), JobState.BROKEN, ["Training stopped unexpectedly. What was finished is safe."]),
        (("train",), JobState.PAUSED, []),
    ],
)
def test_the_end_of_long_work_is_told_when_nobody_looks(
    window: MainWindow,
    session: Session,
    other_program: QWindow,
    qtbot: QtBot,
    steps: tuple[str, ...],
    state: JobState,
    said: list[str],
) -> None:
    job = finished(session, steps, state)
    put_behind(window, other_program, qtbot)

    session.jobs.ended.emit(job)

    assert window._notices.unseen == said
    assert "secret" not in str(said)


def test_nothing_is_told_of_short_work_or_against_the_persons_wish_or_to_who_sees_it(
    window: MainWindow, session: Session, other_program: QWindow, qtbot: QtBot
) -> None:
    job = finished(session, ("train",))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    session.jobs.ended.emit(job)
    put_behind(window, other_program, qtbot)
    session.jobs.ended.emit(replace(job, seconds=59.0))
    session.preferences.choose(replace(session.preferences.choices, notifies=False))
    session.jobs.ended.emit(job)

    assert window._notices.unseen == []


def test_what_was_told_is_seen_when_the_window_is_in_front_again(
    window: MainWindow, session: Session, other_program: QWindow, qtbot: QtBot
) -> None:
    job = finished(session, ("train",))
    put_behind(window, other_program, qtbot)
    session.jobs.ended.emit(job)
    assert len(window._notices.unseen) == 1

    window.activateWindow()

    qtbot.waitUntil(lambda: window._notices.unseen == [], timeout=2000)


def test_a_report_that_cannot_be_read_is_still_told_as_ready(
    window: MainWindow, session: Session, other_program: QWindow, qtbot: QtBot
) -> None:
    job = finished(session, ("export", "evaluate"))
    (job.folder / "report.json").write_text('{"verdict": []}', encoding="utf-8")
    put_behind(window, other_program, qtbot)

    session.jobs.ended.emit(job)

    assert window._notices.unseen == ["The report is ready."]


# Staying awake


def test_the_computer_is_held_awake_from_the_first_job_to_the_last(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    awake = Awake(session.jobs, session.preferences, ["cat"])
    assert not awake.is_held

    session.jobs.start(Job(run_folder(tmp_path / "one"), ("generate",), "One"))
    session.jobs.start(Job(run_folder(tmp_path / "two"), ("generate",), "Two"))
    qtbot.waitUntil(lambda: awake.is_held, timeout=5000)
    assert awake._process is not None
    holder = awake._process.processId()
    session.preferences.choose(replace(session.preferences.choices, stays_awake=False))
    assert not awake.is_held
    qtbot.waitUntil(lambda: not is_alive(holder), timeout=5000)
    session.preferences.choose(replace(session.preferences.choices, stays_awake=True))
    qtbot.waitUntil(lambda: awake.is_held, timeout=5000)

    held_between = []
    session.jobs.ended.connect(lambda _: held_between.append(awake.is_held))
    qtbot.waitUntil(lambda: not session.jobs.is_busy, timeout=60_000)
    assert not awake.is_held
    assert held_between == [True, True]
    assert awake.is_possible


@pytest.mark.parametrize("refusing", [["false"], ["no-such-program-anywhere"]])
def test_a_system_that_refuses_is_told_and_not_asked_again(
    session: Session, qtbot: QtBot, tmp_path: Path, refusing: list[str]
) -> None:
    awake = Awake(session.jobs, session.preferences, refusing)

    session.jobs.start(Job(run_folder(tmp_path / "one"), ("generate",), "One"))

    qtbot.waitUntil(lambda: not awake.is_possible, timeout=5000)
    assert not awake.is_held


@pytest.mark.skipif(sys.platform == "win32", reason="no cat there")
def test_what_holds_it_ends_with_us_however_we_end() -> None:
    script = (
        "import os, sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication\n"
        "from lab_desktop.ui.awake import Awake; from lab_desktop.ui.jobs import JobRunner, Job\n"
        "from lab_desktop.ui.preferences import Preferences\n"
        "app = QCoreApplication([]); home = Path(sys.argv[1]); jobs = JobRunner(home / 'a')\n"
        "jobs.current = Job(home, ('train',), 'x')\n"
        "awake = Awake(jobs, Preferences(home / 's.ini'), ['cat'])\n"
        "awake._process.waitForStarted(); print(awake._process.processId(), flush=True); os.kill(os.getpid(), 9)"
    )
    result = subprocess.run([sys.executable, "-c", script, "/tmp"], capture_output=True, text=True, timeout=60)
    process = int(result.stdout)

    for _ in range(100):
        if not is_alive(process):
            break
        time.sleep(0.05)
    assert not is_alive(process)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.is_file() or state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_each_system_is_asked_in_its_own_way() -> None:
    if linux := command("Linux", 77):
        assert (linux[0], linux[-1]) == ("systemd-inhibit", "cat")
    if mac := command("Darwin", 77):
        assert mac == ["/usr/bin/caffeinate", "-i", "-m", "-w", "77"]
    assert command("Plan9", 77) == []
