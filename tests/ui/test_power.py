"""ui/power.py: work waits while the battery is used, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from lab_desktop.projects import Project
from lab_desktop.ui.awake import Awake
from lab_desktop.ui.jobs import JobState, read_journal
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_window import SettingsWindow
from tests.screenshots import states
from tests.ui.test_home import stopped_child
from tests.ui.test_queue import activity_rows, press, shown

WAITS = "Writing practice questions waits: it goes on by itself when the computer is plugged in."


@pytest.fixture
def working(session: Session, window: MainWindow, qtbot: QtBot) -> Iterator[Project]:
    """A project whose practice questions are written, as slowly as can be."""
    project = states.project(session.root, "Orra")
    session.refresh()
    session.open(project)
    window.show_page("practice")
    press(window, "Write questions", qtbot)
    stopped_child(session)
    yield project
    session.jobs.stop_all(wait_ms=0)


def wants_power(session: Session, is_wanted: bool = True) -> None:
    session.preferences.choose(replace(session.preferences.choices, only_plugged_in=is_wanted))


def end(session: Session, qtbot: QtBot) -> None:
    """The child was asked to stop: it sleeps and cannot hear."""
    assert session.jobs.current is not None
    assert session.jobs.current.state is JobState.STOPPING
    assert session.jobs.worker is not None
    with qtbot.waitSignal(session.jobs.ended, timeout=20_000):
        session.jobs.worker.process.kill()


def test_on_battery_work_waits_and_on_power_it_goes_on(
    working: Project, session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    on_power = True
    window.power.reads = lambda: on_power
    wants_power(session)
    assert session.jobs.current is not None
    assert session.jobs.current.state is JobState.RUNNING

    on_power = False
    window.power.look()
    end(session, qtbot)

    assert session.jobs.current is None
    assert [job.title for job in session.jobs.waiting] == ["Orra"]
    assert [job.state for job in read_journal(session.journal)] == [JobState.PAUSED]
    assert WAITS in shown(window.pages["improve"])
    assert any("it goes on by itself when the computer is plugged in" in row for row in activity_rows(window))

    on_power = True
    window.power.look()

    assert session.jobs.current is not None
    assert session.jobs.waiting == []
    assert not session.jobs.is_held


def test_work_that_is_started_on_battery_waits_until_that_is_allowed(session: Session, window: MainWindow) -> None:
    window.power.reads = lambda: False
    wants_power(session)
    session.open(states.project(session.root, "Orra"))

    session.begin("practice")
    assert session.jobs.current is None
    assert len(session.jobs.waiting) == 1
    wants_power(session, is_wanted=False)

    assert not session.jobs.is_held
    assert session.jobs.current is not None


def test_what_the_person_paused_stays_so(working: Project, session: Session, window: MainWindow, qtbot: QtBot) -> None:
    session.jobs.pause()
    window.power.reads = lambda: False
    wants_power(session)
    end(session, qtbot)

    assert session.jobs.waiting == []


@pytest.mark.parametrize("told", [True, False, None])
def test_the_choice_is_there_where_there_is_a_battery(session: Session, told: bool | None, qtbot: QtBot) -> None:
    made = SettingsWindow(session, Awake(session.jobs, session.preferences, []), reads_power=lambda: told)
    qtbot.addWidget(made)

    titles = [title for title, _ in made.all_settings()]

    assert ("Work only when plugged in" in titles) == (told is not None)
    assert "Leave memory free" in titles


def test_memory_that_stays_free_is_chosen(session: Session, qtbot: QtBot) -> None:
    made = SettingsWindow(session, Awake(session.jobs, session.preferences, []), reads_power=lambda: None)
    qtbot.addWidget(made)

    made._keeps_free._buttons["4"].click()

    assert session.preferences.choices.keeps_free_bytes == 4 * 10**9
