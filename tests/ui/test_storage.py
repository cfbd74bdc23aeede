"""Settings ▸ Models & storage: where models lie, moving them with a worker, their bin, signing out of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from pytestqt.qtbot import QtBot

from lab_desktop import keys, paths
from lab_desktop.jobs.errands import MoveRequest
from lab_desktop.models import hub, store
from lab_desktop.ui.errand import OneErrand
from lab_desktop.ui.session import Session
from lab_desktop.ui.storage import ModelsAndStorage
from tests.fakes import tiny_model
from tests.hub_server import Hub
from tests.keyrings import MemoryKeyring


@pytest.fixture
def placed(own_home: Path) -> Path:
    """A model of the person's."""
    paths.models().mkdir(parents=True)
    return tiny_model(paths.models() / "tiny.gguf", width=32, heads=2, kv_heads=1, feed_forward=32, layers=1)


@pytest.fixture
def memory() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def group(session: Session, qtbot: QtBot) -> ModelsAndStorage:
    made = ModelsAndStorage(session)
    qtbot.addWidget(made)
    made.resize(640, 500)
    made.show()
    made.look()
    qtbot.waitUntil(lambda: not made._errands.is_busy, timeout=5000)
    return made


def place(group: ModelsAndStorage) -> str:
    return group._place._text.text().replace("\u200b", "")


def test_models_are_moved_and_can_be_moved_back(
    placed: Path, memory: None, group: ModelsAndStorage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    home = paths.models().resolve()
    assert str(home) == place(group)
    assert group._place._value.text().startswith("1 model, ") and not group._home.isVisible()

    group.move_to(tmp_path / "disk")
    assert group._move.text() == "Pause"
    qtbot.waitUntil(lambda: session.moving.worker is None, timeout=20_000)
    assert (tmp_path / "disk" / "tiny.gguf").is_file() and placed.read_bytes()
    assert (place(group), group._move.text()) == (str(tmp_path / "disk"), "Move…")
    qtbot.waitUntil(group._home.isVisible, timeout=5000)

    group._home.click()
    qtbot.waitUntil(lambda: session.moving.worker is None, timeout=20_000)
    assert paths.models().resolve() == home and placed.is_file() and not group._home.isVisible()


def test_a_folder_that_will_not_do_is_told_and_the_models_can_be_left(
    placed: Path, memory: None, group: ModelsAndStorage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")

    group.move_to(tmp_path / "full")
    qtbot.waitUntil(lambda: session.moving.worker is None, timeout=20_000)

    assert "is not empty" in group._moves._value.text() and placed.is_file()
    assert OneErrand(MoveRequest, session).request == session.moving.request, "a later window knows of it"
    group._back.click()
    assert session.moving.request is None and OneErrand(MoveRequest, session).request is None
    assert group._move.text() == "Move…"


def test_the_bin_is_emptied_after_a_second_press(
    placed: Path, memory: None, group: ModelsAndStorage, qtbot: QtBot
) -> None:
    assert "It is empty" in group._bin._value.text() and not group._empty.isVisible()
    store.remove(next(each for each in store.on_this_computer() if each.path == placed))
    group.look()
    qtbot.waitUntil(group._empty.isVisible, timeout=5000)

    group._empty.click()
    assert group._empty.text() == "Delete for good" and len(store.binned()) == 1
    group._empty.click()
    qtbot.waitUntil(lambda: not group._empty.isVisible(), timeout=5000)
    assert store.binned() == []


def test_signing_in_keeps_the_token_and_signing_out_forgets_it(
    memory: None, group: ModelsAndStorage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Not signed in" in group._hub._value.text() and not group._out.isVisible()
    with Hub(accounts={"hf_PlantedToken": ("ada", "read")}).running() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        group.token.setText("hf_WrongToken")
        group._in.click()
        qtbot.waitUntil(lambda: "does not accept" in group._hub._value.text(), timeout=10_000)
        group.token.setText("hf_PlantedToken")
        group._in.click()
        qtbot.waitUntil(group._out.isVisible, timeout=10_000)
    assert "Signed in as ada. The token may only read" in group._hub._value.text()
    assert keys.get(hub.KEYS, hub.endpoint()) == "hf_PlantedToken" and not group.token.isVisible()

    group._out.click()
    qtbot.waitUntil(lambda: not group._out.isVisible(), timeout=5000)
    assert keys.get(hub.KEYS, hub.endpoint()) is None
