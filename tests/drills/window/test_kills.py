"""Killed in the middle: every kind of job, the chat, and the window itself; what a person is told, and that it goes on.

Models and lessons are tiny, the processes are real: what dies is the child that works, or a window of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import projects
from lab_desktop.jobs.events import Event, Progress, Row
from lab_desktop.projects import Project
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.activity import ActivityPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button
from tests.drills.runs import brief_model, damaged_files, freeform_leaf, knowledge_leaf, left_overs, rows_of
from tests.fakes import tiny_model
from tests.screenshots import states

pytestmark = pytest.mark.slow

LONGEST_MS = 120_000
TITLE = "Orra"
SAFE = r"Your work up to \d\d:\d\d is safe\."
_MADE = {
    "practice": ("samples.jsonl", "units.jsonl", "general.jsonl", "dataset", "leaves"),
    "train": ("adapter", "checkpoint", "phases.json"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose run has gone all the way; tests take copies of as much of it as they need."""
    home = tmp_path_factory.mktemp("finished")
    made = make_project(home / "projects", home)
    run = projects.new_run(made, Path())
    worker = subprocess.Popen([sys.executable, "-m", "lab_desktop", "--worker", str(run)], stdin=subprocess.PIPE)
    assert worker.wait(timeout=300) == 0
    assert worker.stdin is not None
    worker.stdin.close()
    return run


def make_project(root: Path, models: Path) -> Project:
    teacher, student = brief_model(models / "teacher.gguf", seed=1), brief_model(models / "student.gguf", seed=2)
    lessons = [knowledge_leaf(models / "taxonomy"), freeform_leaf(models / "taxonomy")]
    made = projects.create(root, TITLE, lessons, model=str(student))
    made = replace(made, teacher=str(teacher), samples=6, effort="quick")
    projects.save(made)
    return made


@pytest.fixture
def project(session: Session, tmp_path: Path) -> Project:
    """A project of tiny models, in hand."""
    made = make_project(session.root, tmp_path)
    session.open(made)
    return made


def take_over(project: Project, finished: Path, *stations: str) -> Path:
    """A run of the project in which these stations are done."""
    run = projects.new_run(project, Path())
    for station in stations:
        for name in _MADE[station]:
            if (finished / name).is_dir():
                shutil.copytree(finished / name, run / name)
            elif (finished / name).is_file():
                shutil.copyfile(finished / name, run / name)
    return run


def kill_child(session: Session) -> None:
    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    os.kill(process.processId(), signal.SIGKILL)


def is_at(words: str, count: int) -> Callable[[Event], bool]:
    """The job says that so much is done of something."""
    return lambda event: isinstance(event, Progress) and words in event.text and event.done >= count


def kill_when(session: Session, qtbot: QtBot, is_time: Callable[[Event], bool]) -> None:
    """Kill the child as soon as it has said this."""
    killed: list[Event] = []

    def hear(event: Event) -> None:
        if not killed and is_time(event):
            killed.append(event)
            kill_child(session)

    session.jobs.said.connect(hear)
    with qtbot.waitSignal(session.jobs.ended, timeout=LONGEST_MS) as ended:
        pass
    session.jobs.said.disconnect(hear)
    assert ended.args[0].state is JobState.BROKEN, ended.args[0]


def banners(inside: QWidget) -> list[str]:
    return [each.accessibleName() for each in inside.findChildren(Banner) if each.isVisible()]


def words_in(inside: QWidget) -> str:
    return " | ".join(label.text() for label in inside.findChildren(QLabel) if label.isVisible())


def press(inside: QWidget, text: str, qtbot: QtBot) -> None:
    (button,) = [each for each in inside.findChildren(Button) if each.isVisible() and each.text() == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def assert_told(window: MainWindow, qtbot: QtBot, station: str, sentence: str) -> None:
    """The station and Home say the same, and neither hides how to go on."""
    window.show_page("home")
    home = window.pages["home"]
    qtbot.waitUntil(lambda: bool(banners(home)), timeout=10_000)
    (told,) = banners(home)
    assert re.search(f"“{TITLE}” stopped unexpectedly\\. {SAFE}", told), told
    window.show_page(station)
    page = window.pages["improve"]
    qtbot.waitUntil(lambda: any(re.search(sentence, each) for each in banners(page)), timeout=10_000)


def go_on(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.jobs.ended, timeout=LONGEST_MS) as ended:
        press(window.pages["improve"], "Continue", qtbot)
        assert session.jobs.is_busy
    assert ended.args[0].state is JobState.DONE, ended.args[0]
    qtbot.wait(50)
    assert not any("unexpectedly" in each for each in banners(window.pages["improve"]))
    window.show_page("home")
    assert not any("unexpectedly" in each for each in banners(window.pages["home"]))


def test_writing_that_is_killed_keeps_its_rows_and_goes_on(
    project: Project, session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    window.show_page("practice")
    session.begin("practice")
    kill_when(session, qtbot, lambda event: isinstance(event, Row))
    run = project.run
    assert run is not None
    before = rows_of(run / "samples.jsonl")
    assert before

    assert_told(
        window, qtbot, "practice", f"Writing practice questions stopped unexpectedly after {len(before)} ques.*{SAFE}"
    )
    go_on(window, session, qtbot)

    after = rows_of(run / "samples.jsonl")
    assert [row for row in before if row not in after] == []
    assert session.state.has_dataset
    assert (damaged_files(run), left_overs(run)) == ([], [])


def test_a_training_that_is_killed_says_its_round_and_goes_on_from_its_save_point(
    project: Project, finished: Path, session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    run = take_over(project, finished, "practice")
    session.refresh()
    window.show_page("train")
    session.begin("train")
    kill_when(session, qtbot, is_at("Training", 75))

    assert_told(window, qtbot, "train", rf"Training stopped unexpectedly at round \d+\. {SAFE}")
    go_on(window, session, qtbot)

    assert session.state.has_adapter
    assert (damaged_files(run), left_overs(run)) == ([], [])


@pytest.mark.parametrize("words", ["Writing the new", "Asking the"])
def test_a_check_that_is_killed_goes_on(
    project: Project, finished: Path, session: Session, window: MainWindow, qtbot: QtBot, words: str
) -> None:
    run = take_over(project, finished, "practice", "train")
    session.refresh()
    window.show_page("check")
    session.begin("check")
    kill_when(session, qtbot, is_at(words, 0))

    window.show_page("check")
    qtbot.wait(50)
    assert any("stopped unexpectedly" in each for each in banners(window.pages["improve"]))
    go_on(window, session, qtbot)

    assert session.state.has_report
    assert (damaged_files(run), left_overs(run)) == ([], [])


def test_a_chat_whose_model_is_killed_says_so_and_answers_again(
    project: Project, session: Session, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    tiny_model(Path(project.model), seed=5)
    window.show_page("chat")
    chat = window.pages.chat
    field = chat._input
    field.setPlainText("Who is there?")
    with qtbot.waitSignal(session.chat.done, timeout=LONGEST_MS):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    process = session.chat._process
    assert process is not None
    os.kill(process.processId(), signal.SIGSTOP)  # else a model as small as this may have answered before it is killed
    field.setPlainText("Who runs the harbour?")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    os.kill(process.processId(), signal.SIGKILL)

    qtbot.waitUntil(lambda: "stopped unexpectedly" in words_in(chat) + " ".join(banners(chat)), timeout=10_000)
    assert [turn.text for turn in chat._chat.turns if turn.role == "user"] == ["Who is there?", "Who runs the harbour?"]
    field.setPlainText("And who lit the light?")
    with qtbot.waitSignal(session.chat.piece, timeout=LONGEST_MS):
        qtbot.keyClick(field, Qt.Key.Key_Return)


_WINDOW = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.activity import ActivityPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.jobs import Job
app = QApplication([])
session = Session()
window = MainWindow(session)
window.start()
if sys.argv[1] != "idle":
    session.begin(sys.argv[1])
    session.jobs.start(Job(session.project.run, ("export", "evaluate"), session.project.title))
    session.jobs.said.connect(lambda event: print(getattr(event, "text", ""), getattr(event, "done", ""), flush=True))
print("open", flush=True)
app.exec()
"""


@pytest.fixture
def other_windows() -> Iterator[list[subprocess.Popen[str]]]:
    opened: list[subprocess.Popen[str]] = []
    yield opened
    for process in opened:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def open_window(opened: list[subprocess.Popen[str]], station: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _WINDOW, station], stdout=subprocess.PIPE, text=True)
    opened.append(process)
    return process


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    until = time.monotonic() + LONGEST_MS / 1000
    for line in process.stdout:
        if words in line:
            return
        assert time.monotonic() < until
    raise AssertionError(f"the window ended without {words!r}")


def test_a_window_that_is_killed_offers_to_go_on_when_it_is_opened_again(
    own_home: Path, finished: Path, qtbot: QtBot, tmp_path: Path, other_windows: list[subprocess.Popen[str]]
) -> None:
    made = make_project(own_home / "projects", tmp_path)
    run = take_over(made, finished, "practice")
    killed = open_window(other_windows, "train")
    wait_for(killed, "Training: skills 75")
    killed.kill()
    killed.wait()

    session = Session(own_home)
    window = MainWindow(session)
    qtbot.addWidget(window, before_close_func=lambda _: session.jobs.stop_all())
    window.start()

    assert_told(window, qtbot, "train", rf"Training stopped unexpectedly at round \d+\. {SAFE}")
    states = [(job.state, job.steps) for job in read_journal(session.journal)]
    assert states == [(JobState.BROKEN, ("train",)), (JobState.LEFT, ("export", "evaluate"))]
    window.show_page("activity")
    activity = window.pages["activity"]
    assert isinstance(activity, ActivityPage)
    model = activity.model
    told = [str(model.index(at, 0).data(Qt.ItemDataRole.AccessibleTextRole)) for at in range(model.rowCount())]
    assert any("Has not begun" in each and "still waited when the window was closed" in each for each in told), told
    window.show_page("train")
    go_on(window, session, qtbot)
    assert session.state.has_adapter
    assert not session.state.has_report  # what waited is offered, not begun by itself
    assert (damaged_files(run), left_overs(run)) == ([], [])
    assert list(own_home.glob("underway-*")) == []
    session.chat.quit()


def test_a_second_window_leaves_the_work_of_the_first_alone(
    own_home: Path, finished: Path, qtbot: QtBot, tmp_path: Path, other_windows: list[subprocess.Popen[str]]
) -> None:
    made = make_project(own_home / "projects", tmp_path)
    take_over(made, finished, "practice")
    first = open_window(other_windows, "train")
    wait_for(first, "open")

    session = Session(own_home)

    assert read_journal(session.journal) == []
    assert len(list(own_home.glob("underway-*.json"))) == 1


_EDITING = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
app = QApplication([])
session = Session()
window = MainWindow(session)
window.show()
session.edit(Path(sys.argv[1]))
editor = window.pages.lesson.editor

def type_(letters, then):
    QTest.keyClicks(editor.place.field("domain"), letters)
    editor.desk.history.pause()
    QTimer.singleShot(*then)

def close():
    QTest.keyClicks(editor.place.field("domain"), " closed")
    window.close()
    app.quit()

def kill():
    QTest.keyClicks(editor.place.field("domain"), " lost")
    print("typed", flush=True)

editor.show_part("place")
type_("First", (2500, lambda: type_("Second", (2500, {"close": close, "kill": kill}[sys.argv[2]]))))
app.exec()
"""


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_lesson_of_the_library_that_is_open_is_whole_after_the_window_ends_and_its_steps_can_be_undone(
    own_home: Path, session: Session, window: MainWindow, other_windows: list[subprocess.Popen[str]], end: str
) -> None:
    folder = states.library(own_home) / "knowledge" / "geography" / "islands" / "velmora"
    before = read_leaf(folder)
    process = subprocess.Popen([sys.executable, "-c", _EDITING, str(folder), end], stdout=subprocess.PIPE, text=True)
    other_windows.append(process)
    if end == "kill":
        wait_for(process, "typed")
        process.kill()
    assert process.wait(timeout=LONGEST_MS / 1000) == (-signal.SIGKILL if end == "kill" else 0)

    # What was typed in the last half second of a killed window is all that is not there.
    rest = " closed" if end == "close" else ""
    assert read_leaf(folder).domain == f"FirstSecond{rest}{before.domain}"
    assert left_overs(folder) == []
    session.edit(folder)
    editor = window.pages.lesson.editor
    assert editor.desk.history is not None
    undone = []
    while (step := editor.desk.history.undoes) is not None:
        undone.append((step.words, step.field and step.field.name))
        editor.desk.undo()
    assert undone == [("typing", "domain")] * (3 if end == "close" else 2)
    assert editor.close_lesson()
    assert read_leaf(folder) == before
