"""Nothing that a person does makes the window stand still: every page and every big file, measured by `watchdog.py`."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView
from pytestqt.qtbot import QtBot

from lab_desktop.files import JsonLines
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.reviews import read_reviews
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.home import HomePage
from lab_desktop.ui.pages.improve.page import ImprovePage
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look
from lab_desktop.ui.words import number as written
from tests.screenshots import contributed, states
from tests.ui.watchdog import LIMIT_S, Watchdog

pytestmark = pytest.mark.alone


@pytest.fixture
def dog(qtbot: QtBot, window: MainWindow) -> Watchdog:
    """Let loose when the window has made its pages, as it does in its first second."""
    qtbot.waitUntil(lambda: all(window.pages.is_made(name) for name in window.pages.names), timeout=20_000)
    return Watchdog(qtbot)


def several(session: Session, count: int = 6) -> None:
    for number in range(count):
        made = states.project(session.root, f"Project {number}", created=number)
        if number % 3 == 1:
            states.write_training(made, 132)
        elif number % 3 == 2:
            states.write_report(made)
    session.refresh()


def test_a_stall_is_measured_and_told_where(window: MainWindow, dog: Watchdog) -> None:
    with dog.watching():
        time.sleep(0.4)

    assert dog.longest_s > LIMIT_S
    assert "time.sleep(" in str(dog)


def test_work_is_a_stall_too(window: MainWindow, dog: Watchdog) -> None:
    with dog.watching():
        until = time.thread_time() + 0.4
        while time.thread_time() < until:
            pass

    assert dog.longest_s > LIMIT_S


def test_rest_is_no_stall(window: MainWindow, dog: Watchdog, qtbot: QtBot) -> None:
    with dog.watching():
        qtbot.wait(300)

    assert dog.longest_s < LIMIT_S, str(dog)


@pytest.mark.parametrize("page", ["home", "library", "chat", "improve", "activity"])
def test_a_page_comes_at_once(session: Session, window: MainWindow, dog: Watchdog, page: str) -> None:
    several(session)
    window.show_page("activity" if page == "home" else "home")

    with dog.watching():
        window.show_page(page)

    assert dog.longest_s < LIMIT_S, str(dog)


@pytest.mark.parametrize("page", ["home", "chat", "improve", "activity"])
def test_another_project_comes_at_once(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot, page: str
) -> None:
    several(session)
    window.show_page(page)

    with dog.watching():
        for project in session.projects:
            session.open(project)
            qtbot.wait(20)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_a_home_of_a_hundred_projects_comes_at_once(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    window.show_page("activity")
    several(session, 100)

    with dog.watching():
        window.show_page("home")
        qtbot.wait(100)

    assert dog.longest_s < LIMIT_S, str(dog)


@pytest.mark.parametrize("page", ["home", "activity"])
def test_two_thousand_jobs_stop_nobody(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot, page: str
) -> None:
    made = states.project(session.root)
    run = states.write_training(made)
    states.write_journal(session.journal, states.jobs(run, "Velmora", 2000))
    session.refresh()

    with dog.watching():
        window.show_page(page)
        qtbot.wait(300)
        if page == "activity":
            window.pages["activity"].list.scrollToBottom()  # type: ignore[union-attr]
            qtbot.wait(50)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_a_project_with_twenty_thousand_rows_does_not_stop_home(session: Session, dog: Watchdog, qtbot: QtBot) -> None:
    made = states.project(session.root)
    states.write_practice(made, 20_000)
    home = HomePage(session)
    qtbot.addWidget(home)

    with dog.watching():
        home.show()
        session.refresh()
        qtbot.waitUntil(lambda: session.known.state(made.run).written == 20_000, timeout=30_000)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_twenty_thousand_rows_are_reviewed_without_a_stall(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    states.write_practice(states.project(session.root), 20_000)

    with dog.watching():
        session.refresh()
        window.show_page("improve")
        qtbot.wait(500)
        page = window.pages["improve"]
        assert isinstance(page, ImprovePage)
        station = page._stations[0]
        assert isinstance(station, PracticeStation)
        qtbot.waitUntil(lambda: len(station.model.rows) == 20_000, timeout=30_000)
        for table in page.findChildren(QAbstractItemView):
            if table.isVisible():
                table.scrollToBottom()
                qtbot.wait(50)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_a_report_with_a_thousand_questions_opens_without_a_stall(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    states.write_report(states.project(session.root), more=1000)
    session.refresh()
    window.show_page("improve")
    page = window.pages["improve"]
    assert isinstance(page, ImprovePage)

    with dog.watching():
        page.show_station("check")
        qtbot.wait(100)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_accepting_ten_thousand_rows_and_taking_that_back_stops_nobody(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    made = states.project(session.root)
    run = states.write_practice(made, 20_000)
    session.refresh()
    window.show_page("practice")
    page = window.pages["improve"]
    assert isinstance(page, ImprovePage)
    station = page._stations[0]
    assert isinstance(station, PracticeStation)
    qtbot.waitUntil(lambda: len(station.model.rows) == 20_000, timeout=30_000)
    strong = station.model.tally["strong"]
    qtbot.waitUntil(lambda: station._accept.isVisible() and written(strong) in station._accept.text(), timeout=5000)
    assert strong > 5000

    with dog.watching():
        qtbot.mouseClick(station._accept, Qt.MouseButton.LeftButton)
        qtbot.keyClick(station.table, Qt.Key.Key_Z)  # while it goes on: it is taken back when it is done
        assert station.model.tally["strong"] < strong
        qtbot.waitUntil(lambda: station.model.tally["strong"] == strong, timeout=30_000)

    assert (len(JsonLines(run / REVIEWS).rows()), read_reviews(run)) == (2 * strong, {})
    assert dog.longest_s < LIMIT_S, str(dog)
    qtbot.mouseClick(station._accept, Qt.MouseButton.LeftButton)
    session.open(states.project(session.root, "Another"))  # what was begun is done first
    assert len(read_reviews(run)) == strong


@pytest.mark.parametrize("page", ["home", "practice", "chat"])
def test_light_and_dark_and_the_size_of_text_change_at_once(
    session: Session, window: MainWindow, dog: Watchdog, shown: Look, qtbot: QtBot, page: str
) -> None:
    several(session)
    window.show_page(page)
    qtbot.wait(100)

    dogs = (
        dog,
        *(Watchdog(qtbot) for _ in range(4)),
    )  # the same work: what others add to one of them is not the window's
    for each in dogs:
        with each.watching():
            shown.choose("dark")
            qtbot.wait(50)
            shown.set_text_size(1.2)
            qtbot.wait(50)
        shown.choose("light")
        shown.set_text_size(1.0)

    best = min(dogs, key=lambda each: each.longest_s)
    assert best.longest_s < LIMIT_S, str(best)


@pytest.fixture
def long_chat(session: Session) -> None:
    states.write_chat(session.chats, turns=2500)


def test_a_chat_of_five_thousand_messages_opens_without_a_stall(
    long_chat: None, session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    window.show_page("chat")
    saved = next(
        view for view in window.findChildren(QAbstractItemView) if view.accessibleName() == window.tr("Saved chats")
    )
    qtbot.waitUntil(lambda: saved.model().rowCount() > 0, timeout=5000)
    saved.setCurrentIndex(saved.model().index(0, 0))

    with dog.watching():
        qtbot.keyClick(saved, Qt.Key.Key_Return)
        qtbot.wait(200)
        for view in window.findChildren(QAbstractItemView):
            if view.accessibleName() == "Conversation" and view.isVisible():
                view.scrollToTop()
                qtbot.wait(100)

    assert dog.longest_s < LIMIT_S, str(dog)


def test_two_hundred_contributions_are_shown_and_opened_without_a_stall(
    session: Session, window: MainWindow, dog: Watchdog, qtbot: QtBot
) -> None:
    for number in range(200):
        made = contributed.contribute(session.home / "library", f"Lesson {number}", f"lesson_{number}")
        contributed.stand(made, said=contributed.TALK)
    page = window.pages.share

    with dog.watching():
        window.show_page("share")
        qtbot.waitUntil(lambda: len(page.model.lines) == 200, timeout=20_000)
        page.open(session.sharing.held[100].folder)
        qtbot.waitUntil(lambda: session.sharing.held[100].unread == 0, timeout=20_000)
        page.show_all()
        qtbot.wait(300)

    assert dog.longest_s < LIMIT_S, str(dog)
