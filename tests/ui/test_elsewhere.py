"""A teacher elsewhere in the window: entered and tested in the settings, agreed to and chosen in Improve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import keyring
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects, servers
from lab_desktop.errors import ServerError
from lab_desktop.jobs import requests
from lab_desktop.servers import Place, Server
from lab_desktop.ui.elsewhere import TeacherElsewhere
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button
from tests.keyrings import MemoryKeyring
from tests.model_server import ModelServer

KEY = "sk-planted-in-the-window"


@pytest.fixture
def kept() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    keyring.set_keyring(made := MemoryKeyring())
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda body: "Hello!", holds=()).running() as running:
        yield running


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's server counts as one of the network, whose use needs an agreement."""
    monkeypatch.setattr(Server, "place", Place.NEAR)


@pytest.fixture
def settings(session: Session, qtbot: QtBot) -> TeacherElsewhere:
    made = TeacherElsewhere(session)
    qtbot.addWidget(made)
    made.resize(600, 500)
    made.show()
    return made


def enter(settings: TeacherElsewhere, address: str, qtbot: QtBot) -> None:
    settings.address.setFocus()
    settings.address.clear()
    qtbot.keyClicks(settings.address, address)
    qtbot.keyClick(settings.address, Qt.Key.Key_Return)


def told(settings: TeacherElsewhere) -> str:
    return " ".join(label.text() for label in settings.findChildren(QLabel) if label.isVisible())


def press(button: Button, qtbot: QtBot) -> None:
    assert button.isVisible() and button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_an_address_is_kept_and_tested_with_the_key_of_the_keyring(
    settings: TeacherElsewhere, session: Session, server: ModelServer, kept: MemoryKeyring, qtbot: QtBot
) -> None:
    server.key = KEY
    enter(settings, server.server.address, qtbot)
    press(settings.test, qtbot)
    qtbot.waitUntil(lambda: "wants a key, and none is kept" in told(settings), timeout=10_000)

    qtbot.keyClicks(settings.key, KEY)
    press(settings._keep, qtbot)
    qtbot.waitUntil(lambda: "is in the system's keyring" in told(settings), timeout=5000)
    press(settings.test, qtbot)
    qtbot.waitUntil(lambda: "It answered in" in told(settings), timeout=10_000)

    assert kept.kept == {(servers.KEYS, server.server.origin): KEY}
    assert session.preferences.choices.server == str(server.server)
    assert settings.model.currentText() == "big-model"
    assert settings.key.text() == "" and KEY not in told(settings)
    assert KEY not in session.preferences.path.read_text(encoding="utf-8")
    press(settings._forget, qtbot)
    qtbot.waitUntil(lambda: kept.kept == {}, timeout=5000)


def test_of_several_models_one_is_chosen(
    settings: TeacherElsewhere, session: Session, server: ModelServer, qtbot: QtBot
) -> None:
    server.models = [{"id": "small"}, {"id": "large"}]
    enter(settings, server.server.address, qtbot)
    press(settings.test, qtbot)
    qtbot.waitUntil(lambda: "has 2 models. Choose one" in told(settings), timeout=10_000)

    settings.model.setCurrentIndex(settings.model.findData("large"))
    settings.model.activated.emit(settings.model.currentIndex())

    assert session.preferences.choices.server.endswith("#large")
    assert [settings.model.itemData(place) for place in range(settings.model.count())] == ["small", "large"]


@pytest.mark.parametrize(
    ("address", "words"),
    [("http://example.org/v1", "would not be encrypted"), ("teacher", "no address of a server")],
)
def test_an_address_that_must_not_be_used_is_said_so_and_not_kept(
    settings: TeacherElsewhere, session: Session, qtbot: QtBot, address: str, words: str
) -> None:
    enter(settings, address, qtbot)

    assert words in told(settings)
    assert session.preferences.choices.server == ""


def test_a_test_can_be_stopped(settings: TeacherElsewhere, server: ModelServer, qtbot: QtBot) -> None:
    server.pause_s = 60.0
    enter(settings, server.server.address, qtbot)
    press(settings.test, qtbot)
    assert settings.test.text() == "Stop"
    qtbot.waitUntil(lambda: bool(server.asked), timeout=10_000)

    press(settings.test, qtbot)

    qtbot.waitUntil(lambda: settings.test.text() == "Test", timeout=5000)
    qtbot.waitUntil(lambda: server.hung_up == 1, timeout=5000)


def test_the_agreement_is_given_and_taken_back(
    settings: TeacherElsewhere, server: ModelServer, near: None, qtbot: QtBot
) -> None:
    enter(settings, server.server.address, qtbot)
    assert "leaves this computer and goes to 127.0.0.1" in told(settings)

    press(settings._agree, qtbot)
    assert servers.has_agreed(server.server) and "You agreed to this." in told(settings)
    press(settings._agree, qtbot)
    assert not servers.has_agreed(server.server)


@pytest.fixture
def station(session: Session, server: ModelServer, near: None, qtbot: QtBot) -> PracticeStation:
    session.new_practice()
    session.preferences.choose(replace(session.preferences.choices, server=str(server.server)))
    made = PracticeStation(session)
    session.changed.connect(made.refresh)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.refresh()
    return made


def test_in_improve_it_is_chosen_agreed_to_once_and_then_started(
    station: PracticeStation, session: Session, server: ModelServer, qtbot: QtBot
) -> None:
    assert station._teachers.chosen == "here" and station._agreement.isHidden()
    press_teacher(station, "elsewhere", qtbot)
    assert session.project is not None and session.project.teacher == str(server.server)
    assert station._agreement.isVisible()

    refused: list[ServerError] = []
    session.refused.connect(refused.append)
    press(station._start, qtbot)
    session.begin("practice")  # another way to the same station
    assert not session.jobs.is_busy and "Nobody has agreed" in refused[0].message
    press(station._agreement.banner.button, qtbot)
    assert station._agreement.isHidden() and "the lessons' text goes to 127.0.0.1" in station.heading.plan
    press(station._start, qtbot)

    assert session.jobs.is_busy and session.project.run is not None
    assert requests.read(session.project.run).teacher == server.server
    session.jobs.stop_all()


def test_back_on_this_computer_the_run_that_has_not_begun_follows(
    station: PracticeStation, session: Session, server: ModelServer, qtbot: QtBot
) -> None:
    assert session.project is not None
    press_teacher(station, "elsewhere", qtbot)
    run = projects.new_run(session.project, paths.practice_model())
    session.refresh()
    station.refresh()

    press_teacher(station, "here", qtbot)

    assert session.project.teacher == "" and requests.read(run).teacher == paths.practice_model()
    assert station._agreement.isHidden()
    (run / "samples.jsonl").touch()
    with pytest.raises(projects.RunError, match="written already"):
        projects.choose_teacher(session.project, str(server.server))


def test_who_helps_while_a_lesson_is_written_stays_here(
    station: PracticeStation, session: Session, qtbot: QtBot
) -> None:
    press_teacher(station, "elsewhere", qtbot)

    assert session.voices().teacher == paths.practice_model()


def press_teacher(station: PracticeStation, name: str, qtbot: QtBot) -> None:
    assert station._teacher_line.isVisible()
    qtbot.mouseClick(station._teachers._buttons[name], Qt.MouseButton.LeftButton)
