"""Everything that was made with an earlier version is there, and opening it changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import workflow
from lab_desktop.jobs.run import Run
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from tests.drills.upgrades import THINGS, opened
from tests.drills.upgrades_homes import EARLIER, names, taken_home

WITH_A_WINDOW = [name for name in names() if (EARLIER / name / "settings.ini").exists()][::3]
"""The first and the last."""
TRAINED = [name for name in names() if any((EARLIER / name).rglob("adapter.safetensors"))]


@pytest.mark.parametrize("name", names())
def test_what_was_made_with_an_earlier_version_is_there(name: str, own_home: Path) -> None:
    tried, lost = opened(name, own_home)

    assert lost == []
    assert len(tried) >= 10


def test_each_thing_was_there_in_some_version() -> None:
    assert [
        thing.name for thing in THINGS if not any(any((EARLIER / name).glob(thing.places)) for name in names())
    ] == []


def test_what_is_lost_is_told(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.drills.upgrades_homes.EARLIER", tmp_path)
    taken = tmp_path / "torn"
    (taken / "chats").mkdir(parents=True)
    (taken / "chats" / "talk.json").write_text("{")
    (taken / "settings.ini").write_text("[General]\nappearance=light\n")

    assert opened("torn", own_home)[1] == [
        "chat: chats/talk.json: it is not there",
        "settings: settings.ini: it is not there",
    ]


@pytest.mark.parametrize("name", WITH_A_WINDOW)
def test_the_window_opens_on_the_folder_of_an_earlier_version(name: str, own_home: Path, qtbot: QtBot) -> None:
    taken_home(name, own_home)
    made = {path: path.read_bytes() for path in own_home.rglob("*.jsonl")}

    session = Session(own_home)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.start()
    for page in window.pages.names:
        window.show_page(page)
        QApplication.processEvents()
    window.close()
    session.chat.quit()

    assert [project.title for project in session.projects] == ["Shouting"]
    assert session.damaged == []
    assert [path for path, data in made.items() if not path.read_bytes().startswith(data)] == []


@pytest.mark.parametrize("name", TRAINED)
def test_what_was_learned_with_an_earlier_version_becomes_a_model(name: str, own_home: Path) -> None:
    taken_home(name, own_home)
    folder = next(own_home.rglob("adapter.safetensors")).parents[1]

    with Run(folder).open() as run:
        made = workflow.export(run, ("Q8_0",))

    assert [model.path.suffix for model in made] == [".gguf"]
