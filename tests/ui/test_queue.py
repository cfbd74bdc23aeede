"""One heavy job at a time: what waits says so, begins by itself, can be taken out, and never seems to have run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.projects import Project
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.activity import ActivityPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button
from tests.screenshots import states
from tests.ui.test_home import stopped_child
from tests.ui.test_window import answer_box

WAITS = "Writing practice questions waits: it begins when writing practice questions “Orra” is done or paused."


@pytest.fixture
def two(session: Session, window: MainWindow, qtbot: QtBot) -> Iterator[tuple[Project, Project]]:
    """Both are to write practice questions: the first does, as slowly as can be, the second is in hand and waits."""
    first, second = (states.project(session.root, title) for title in ("Orra", "Velmora"))
    session.refresh()
    for project in (first, second):
        session.open(project)
        window.show_page("practice")
        press(window, "Write questions", qtbot)
    stopped_child(session)
    session.refresh()
    qtbot.wait(50)
    yield first, second
    session.jobs.stop_all(wait_ms=0)


def press(inside: QWidget, text: str, qtbot: QtBot) -> None:
    button = next(each for each in inside.findChildren(Button) if each.isVisible() and each.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(inside: QWidget) -> list[str]:
    banners = [each.accessibleName() for each in inside.findChildren(Banner) if each.isVisible()]
    labels = [each.text() for each in inside.findChildren(QLabel) if each.isVisible()]
    return [*banners, *labels, *(each.text() for each in inside.findChildren(Button) if each.isVisible())]


def activity_rows(window: MainWindow) -> list[str]:
    window.show_page("activity")
    page = window.pages["activity"]
    assert isinstance(page, ActivityPage)
    rows = range(page.model.rowCount())
    return [str(page.model.index(at, 0).data(Qt.ItemDataRole.AccessibleTextRole)) for at in rows]


def test_the_second_waits_and_says_so(
    two: tuple[Project, Project], session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    improve = window.pages["improve"]

    assert WAITS in shown(improve)
    assert "Write questions" not in shown(improve)
    assert "1 waiting" in " ".join(shown(window.activity))
    assert "it begins by itself when its turn comes" in " ".join(shown(window.next_line))
    assert any("Velmora, Waiting, it begins when" in row for row in activity_rows(window))
    window.show_page("home")
    qtbot.wait(50)
    assert "Writing practice questions waits its turn." in shown(window.pages["home"])


def test_another_project_s_work_leaves_the_next_step_of_this_one(
    two: tuple[Project, Project], session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    third = states.project(session.root, "Third")
    states.write_practice(third, is_done=True)
    session.open(third)
    window.show_page("improve")

    press(window.next_line, "Train", qtbot)

    assert [job.title for job in session.jobs.waiting] == ["Velmora", "Third"]
    words = "Training waits: it begins when writing practice questions “Orra” and 1 more are done or paused."
    assert words in shown(window.pages["improve"])


def test_pausing_the_first_lets_the_second_begin_and_both_go_on(
    two: tuple[Project, Project], session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    press(window.activity, "Pause", qtbot)
    with qtbot.waitSignal(session.jobs.ended, timeout=20_000) as ended:
        process.kill()  # it sleeps and cannot hear

    assert (ended.args[0].title, ended.args[0].state) == ("Orra", JobState.PAUSED)
    assert session.jobs.current is not None
    assert session.jobs.current.title == "Velmora"
    assert WAITS not in shown(window.pages["improve"])
    assert "Pause" in shown(window.pages["improve"])
    session.open(two[0])
    press(window.pages["improve"], "Write questions", qtbot)
    assert [job.title for job in session.jobs.waiting] == ["Orra"]


def test_what_waits_can_be_taken_out(
    two: tuple[Project, Project], session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    improve = window.pages["improve"]

    press(improve, "Do not wait", qtbot)

    assert session.jobs.waiting == []
    assert WAITS not in shown(improve)
    assert "Write questions" in shown(improve)
    assert "waiting" not in " ".join(shown(window.activity))
    assert not any("Waiting" in row for row in activity_rows(window))


def test_a_window_that_closes_keeps_what_waits_as_not_begun(
    two: tuple[Project, Project], session: Session, window: MainWindow, own_home: Path, qtbot: QtBot
) -> None:
    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    process.kill()  # the one that works ends at once; the second takes its turn, and nothing waits any more
    qtbot.waitUntil(
        lambda: session.jobs.current is not None and session.jobs.current.title == "Velmora", timeout=10_000
    )
    session.open(two[0])
    window.show_page("improve")
    qtbot.wait(50)
    press(window.pages["improve"], "Continue", qtbot)
    answer_box(qtbot, "Pause and quit")
    window.close()

    again = Session(own_home)
    opened = MainWindow(again)
    qtbot.addWidget(opened)
    opened.start()
    again.open(two[0])

    assert [(job.title, job.state) for job in read_journal(again.journal)[-2:]] == [
        ("Orra", JobState.LEFT), ("Velmora", JobState.PAUSED),
    ]  # fmt: skip
    assert not again.jobs.is_busy
    rows = activity_rows(opened)
    assert any("Orra, Has not begun" in row for row in rows)
    opened.show_page("practice")
    assert "Write questions" in shown(opened.pages["improve"])
    assert not any("unexpectedly" in words for words in shown(opened.pages["improve"]))
    activity = opened.pages["activity"]
    assert isinstance(activity, ActivityPage)
    opened.show_page("activity")
    activity.list.setCurrentIndex(activity.model.index(next(at for at, row in enumerate(rows) if "Has not" in row), 0))
    qtbot.keyClick(activity.list, Qt.Key.Key_Return)
    assert again.jobs.current is not None
    assert (again.jobs.current.title, again.jobs.current.steps) == ("Orra", ("generate",))
    again.jobs.stop_all(wait_ms=0)


def test_a_job_that_does_not_hear_can_be_ended_at_once(
    two: tuple[Project, Project], session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    press(window.activity, "Pause", qtbot)
    assert "Stop now" not in shown(window.activity)

    session.jobs.asked_at -= 60
    qtbot.waitUntil(lambda: "Stop now" in shown(window.activity), timeout=3000)
    with qtbot.waitSignal(session.jobs.ended, timeout=10_000) as ended:
        press(window.activity, "Stop now", qtbot)

    assert (ended.args[0].title, ended.args[0].state) == ("Orra", JobState.PAUSED)
