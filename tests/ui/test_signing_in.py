"""Signing in from the window: by a token, by a code, by this computer's git; and the settings that tell who is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from lab_desktop.contribution import accounts, destinations, device, patience
from lab_desktop.ui.accounts import SharingAccounts
from lab_desktop.ui.signing_in import SignIn, SignInSheet
from tests.github_server import GitHubServer, User
from tests.keyrings import MemoryKeyring

TOKEN = "ghp_PlantedTokenThatNobodyMaySee1234"
CLIENT = "Iv1.0123456789abcdef"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(device, "LEAST_PAUSE_S", 0.01)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    made = GitHubServer()
    made.users[TOKEN] = User("ada", name="Ada Lovelace")
    with made.running():
        yield made


def written(home: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def sheet(host: str, qtbot: QtBot) -> SignInSheet:
    made = SignInSheet("github", host)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.open()
    return made


def test_a_wrong_token_is_refused_in_words_and_the_right_one_goes_to_the_keyring(
    server: GitHubServer, ring: MemoryKeyring, own_home: Path, qtbot: QtBot
) -> None:
    shown = sheet(server.host, qtbot)
    ways = shown.ways
    ways.token.setText("ghp_wrongwrongwrong")
    qtbot.keyClick(ways.token, Qt.Key.Key_Return)
    assert ways.token.text() == "" and not ways.use_token.isEnabled()
    qtbot.waitUntil(ways.banner.isVisible, timeout=10_000)
    assert "ghp_" not in ways.banner.accessibleName() and ways.use_token.isEnabled() and ring.kept == {}

    ways.token.setText(TOKEN)
    with qtbot.waitSignal(shown.signed_in, timeout=10_000) as came:
        ways.use_token.click()
    assert came.args is not None and came.args[0].login == "ada"
    assert accounts.token(server.host) == TOKEN and not shown.isVisible()
    assert TOKEN.encode() not in written(own_home)


def test_a_code_is_shown_copied_and_its_page_opened(
    server: GitHubServer, ring: MemoryKeyring, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.keep_client_id(server.host, CLIENT)
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    pending = {"error": "authorization_pending"}
    server.device = [pending, pending]
    shown = sheet(server.host, qtbot)
    ways = shown.ways
    ways.use_code.click()
    qtbot.waitUntil(lambda: ways.code.isVisible(), timeout=10_000)
    assert ways.code.text() == "WDJB-MJHT" and "minutes" in ways._until.text()
    ways._open.click()
    assert QGuiApplication.clipboard().text() == "WDJB-MJHT" and opened == [f"{server.address}/login/device"]

    with qtbot.waitSignal(shown.signed_in, timeout=10_000):
        server.device = [{"access_token": TOKEN, "token_type": "bearer", "scope": "public_repo"}]
    assert accounts.token(server.host) == TOKEN


def test_another_way_lets_the_code_be(server: GitHubServer, ring: MemoryKeyring, qtbot: QtBot) -> None:
    accounts.keep_client_id(server.host, CLIENT)
    server.device = [{"error": "authorization_pending"}]
    shown = sheet(server.host, qtbot)
    ways = shown.ways
    ways.use_code.click()
    qtbot.waitUntil(lambda: ways.code.isVisible(), timeout=10_000)
    ways.stop_waiting()
    assert ways.token.isVisible() and ways.use_code.isEnabled() and ring.kept == {}
    qtbot.waitUntil(lambda: not ways._errands.is_busy, timeout=5000)
    assert not ways.banner.isVisible(), "what the person gave up is no trouble"
    shown.reject()


def test_without_a_client_id_no_code_is_offered(server: GitHubServer, qtbot: QtBot) -> None:
    ways = SignIn("github", server.host)
    qtbot.addWidget(ways)
    ways.show()
    assert not ways.use_code.isVisible() and ways.entrance() is ways.token
    ways.stop()


def test_this_computer_s_git_signs_in_where_it_can(
    server: GitHubServer, ring: MemoryKeyring, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shown = sheet(server.host, qtbot)
    shown.ways.use_machine.click()
    qtbot.waitUntil(shown.ways.banner.isVisible, timeout=10_000)
    assert "no sign-in" in shown.ways.banner.accessibleName()

    (tmp_path / ".git-credentials").write_text(f"http://ada:{TOKEN}@{server.host}\n")
    (tmp_path / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    with qtbot.waitSignal(shown.signed_in, timeout=10_000):
        shown.ways._address = f"http://{server.host}/instructlab/taxonomy"
        shown.ways.use_machine.click()
    assert accounts.token(server.host) == TOKEN


def group(qtbot: QtBot) -> SharingAccounts:
    made = SharingAccounts()
    qtbot.addWidget(made)
    made.show()
    made.look()
    qtbot.waitUntil(lambda: made._known is not None, timeout=5000)
    return made


def test_the_settings_tell_who_is_signed_in_and_sign_out(
    server: GitHubServer, ring: MemoryKeyring, qtbot: QtBot
) -> None:
    destinations.keep_team(destinations.Destination("team", f"{server.address}/team/lessons", "github", server.api))
    accounts.sign_in("github", server.host, TOKEN)
    shown = group(qtbot)
    assert "Nobody is signed in" in shown.github._text.text() and shown.github.sign_in.isVisible()
    assert shown.other.title == server.host and "Ada Lovelace (ada)" in shown.other._text.text()
    assert shown.address.text() == f"{server.address}/team/lessons"

    shown.other.sign_out.click()
    qtbot.waitUntil(shown.other.sign_in.isVisible, timeout=5000)
    assert ring.kept == {} and accounts.known(server.host) is None


def test_the_settings_take_an_address_or_say_why_not(qtbot: QtBot) -> None:
    shown = group(qtbot)
    shown.address.setText("https://github.com/instructlab/taxonomy")
    shown.address.editingFinished.emit()
    qtbot.waitUntil(lambda: "community" in shown._address_setting._value.text(), timeout=5000)
    assert destinations.team() is None
    shown.address.setText("acme/lessons")
    shown.address.editingFinished.emit()
    qtbot.waitUntil(lambda: "go to acme/lessons" in shown._address_setting._value.text(), timeout=5000)
    assert destinations.team() == destinations.destination("https://github.com/acme/lessons")

    shown.client.setText("no id")
    shown.client.editingFinished.emit()
    qtbot.waitUntil(lambda: "not the id" in shown._client_setting._value.text(), timeout=5000)
    shown.client.setText(CLIENT)
    shown.client.editingFinished.emit()
    qtbot.waitUntil(lambda: accounts.client_id("github.com") == CLIENT, timeout=5000)
