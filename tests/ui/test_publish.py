"""The sheet that publishes: signing in, what goes out, sending, pausing, going on in a later window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import keys
from lab_desktop.errors import RunError
from lab_desktop.jobs.errands import PublishRequest
from lab_desktop.models import hub
from lab_desktop.ui.errand import ErrandState, OneErrand
from lab_desktop.ui.pages.improve.publish import PublishSheet, Sending
from lab_desktop.ui.pages.improve.use import UseStation
from lab_desktop.ui.session import Session
from tests.hub_server import Fault, Hub
from tests.keyrings import SHARED, MemoryKeyring
from tests.models.test_card import run as run

TOKEN = "hf_PlantedTokenThatNobodyMaySee"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Path) -> Iterator[Hub]:
    """A hub that knows ada, and a keyring that this process and its children see the same in."""
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    for file in (run / "models").glob("*.gguf"):
        file.write_bytes(b"GGUF" + file.name.encode() * 20_000)
    with Hub(accounts={TOKEN: ("ada", "write")}).running() as hub_:
        monkeypatch.setenv("HF_ENDPOINT", hub_.address)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        (tmp_path / "keys.json").write_text(json.dumps({f"{hub.KEYS} {hub_.address}": TOKEN}))
        monkeypatch.setenv(SHARED, str(tmp_path / "keys.json"))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.SharedKeyring")
        yield hub_
    keyring.set_keyring(before)


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def sheet(parent: QWidget, session: Session, run: Path) -> PublishSheet:
    files = {"Large": run / "models" / "pools-Q8_0.gguf", "Small": run / "models" / "pools-Q4_K_M.gguf"}
    made = PublishSheet(parent, session, run, files, "Q4_K_M")
    made.open()
    return made


def said(widget: QWidget) -> str:
    return " | ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_signing_in_leads_to_what_goes_out_and_publish_sends_it(
    server: Hub, parent: QWidget, session: Session, run: Path, qtbot: QtBot
) -> None:
    shown = sheet(parent, session, run)
    qtbot.waitUntil(lambda: shown._stack.currentIndex() == 1, timeout=5000)
    shown.token.setText("hf_wrongwrong")
    shown._enter.click()
    qtbot.waitUntil(lambda: "does not accept" in shown._banner.accessibleName(), timeout=10_000)
    assert shown.token.text() == ""
    shown.token.setText(TOKEN)
    shown._enter.click()
    qtbot.waitUntil(lambda: shown._stack.currentIndex() == 2, timeout=10_000)

    assert keys.get(hub.KEYS, server.address) == TOKEN
    assert "Signed in as ada" in said(shown) and "Apache 2.0" in said(shown)
    assert shown.name.text() == "pools" and shown.is_private
    qtbot.waitUntil(lambda: "Rock pools" in shown.preview.toPlainText(), timeout=2000)
    assert "pools-Q4_K_M.gguf" in shown.preview.toPlainText()
    assert "pools-Q8_0.gguf" not in shown.preview.toPlainText()

    shown.publish()
    qtbot.waitUntil(lambda: session.publishing.state is ErrandState.DONE, timeout=20_000)
    assert set(server.places["ada/pools"].files) == {"README.md", "pools-Q4_K_M.gguf"}
    assert server.places["ada/pools"].is_private
    assert session.publishing.result["url"] == f"{server.address}/ada/pools"


def test_what_will_not_do_is_told_on_the_sheet_and_nothing_goes_out(
    server: Hub, parent: QWidget, session: Session, run: Path, qtbot: QtBot
) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)
    shown = sheet(parent, session, run)
    qtbot.waitUntil(lambda: shown._stack.currentIndex() == 2 and shown._card is not None, timeout=10_000)

    shown._boxes["Q4_K_M"].setChecked(False)
    shown.publish()
    assert "No size is chosen" in shown._banner.accessibleName()
    shown._boxes["Q8_0"].setChecked(True)
    shown.name.setText("my pools")
    shown.publish()
    qtbot.waitUntil(lambda: "no name that the hub allows" in shown._banner.accessibleName(), timeout=5000)

    assert session.publishing.state is ErrandState.NONE
    assert server.places == {}
    shown.reject()


def test_paused_it_waits_for_the_next_window_and_goes_on_there(
    server: Hub, parent: QWidget, session: Session, run: Path, qtbot: QtBot
) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)
    shown = sheet(parent, session, run)
    qtbot.waitUntil(lambda: shown._stack.currentIndex() == 2 and shown._card is not None, timeout=10_000)
    sending = Sending(session)
    qtbot.addWidget(sending)
    server.put_faults.append(Fault(drip_bytes=4096, drip_s=1.0))
    shown.publish()
    qtbot.waitUntil(lambda: any(each.startswith("PUT") for each in server.asked), timeout=20_000)
    assert "Publishing pools" in said(sending) or not sending.isHidden()
    with pytest.raises(RunError, match="under way"):
        session.publishing.start(PublishRequest("ada/other", (), ""))

    sending._pause.click()
    qtbot.waitUntil(lambda: session.publishing.state is ErrandState.PAUSED, timeout=10_000)
    assert "not published yet" in sending.banner.accessibleName()
    assert server.places["ada/pools"].files == {}

    later = OneErrand(PublishRequest, session)
    assert later.state is ErrandState.PAUSED
    later.go_on()
    qtbot.waitUntil(lambda: later.state is ErrandState.DONE, timeout=20_000)
    assert set(server.places["ada/pools"].files) == {"README.md", "pools-Q4_K_M.gguf"}


def test_a_refusal_while_sending_is_told_with_a_way_on(
    server: Hub, parent: QWidget, session: Session, run: Path, qtbot: QtBot
) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)
    server.refusals["repos/create"] = 403
    shown = sheet(parent, session, run)
    qtbot.waitUntil(lambda: shown._stack.currentIndex() == 2 and shown._card is not None, timeout=10_000)
    sending = Sending(session)
    qtbot.addWidget(sending)
    shown.publish()
    qtbot.waitUntil(lambda: session.publishing.state is ErrandState.FAILED, timeout=20_000)

    assert "does not let you write" in sending.banner.accessibleName()
    server.refusals.clear()
    sending.banner.button.click()
    qtbot.waitUntil(lambda: session.publishing.state is ErrandState.DONE, timeout=20_000)
    assert "pools is published." in sending.banner.accessibleName()


def test_take_it_along_leads_to_publishing_with_the_size_that_was_pressed(
    server: Hub, session: Session, run: Path, qtbot: QtBot
) -> None:
    station = UseStation(session)
    qtbot.addWidget(station)
    station.show()
    file = run / "models" / "pools-Q8_0.gguf"
    menu = station._ways(file, station)

    next(action for action in menu.actions() if action.text() == "Publish…").trigger()

    shown = station.findChild(PublishSheet)
    assert shown is not None and shown.isVisible()
    assert {kind: box.isChecked() for kind, box in shown._boxes.items()} == {"Q4_K_M": False, "Q8_0": True}
    shown.reject()
