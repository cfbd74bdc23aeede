"""accounts.py and device.py: a token is in the keyring and nowhere else, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import keyring
import pytest

from lab_desktop.contribution import accounts, device, patience
from lab_desktop.contribution.accounts import Code, NotSignedIn, known, sign_in, sign_in_by_code, sign_out, token
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.hosts import Unreachable, host
from lab_desktop.errors import Cancelled, ContributionError, KeyringError, LabError, StorageError
from tests.github_server import GitHubServer, User
from tests.gitlab_server import GitLabServer, Person
from tests.json_server import Fault, JsonServer
from tests.keyrings import LockedKeyring, MemoryKeyring

TOKEN = "ghp_planted0123456789planted"
CLIENT = "Iv1.0123456789abcdef"
CERTIFICATE = Path(__file__).parent.parent / "data" / "server" / "certificate.pem"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(device, "LEAST_PAUSE_S", 0.01)
    monkeypatch.setattr(device, "SLOWER_S", 0.02)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    made = MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def hub() -> Iterator[GitHubServer]:
    server = GitHubServer()
    server.users[TOKEN] = User("anna", email="anna@example.org")
    with server.running():
        yield server


def never() -> bool:
    return False


def written(home: Path) -> str:
    """Everything below the person's folder, names and contents."""
    return "\n".join(f"{file}\n{file.read_bytes()!r}" for file in home.rglob("*") if file.is_file())


def test_signing_in_keeps_the_token_in_the_keyring_and_the_name_beside_the_settings(
    hub: GitHubServer, ring: MemoryKeyring, own_home: Path
) -> None:
    account = sign_in("github", hub.host, f"  {TOKEN}\n")

    assert token(hub.host) == TOKEN
    assert known(hub.host) == account
    assert account.login == "anna"
    assert list(ring.kept.values()) == [TOKEN]
    assert "anna" in written(own_home) and TOKEN not in written(own_home)


def test_signing_out_forgets_both(hub: GitHubServer, ring: MemoryKeyring) -> None:
    sign_in("github", hub.host, TOKEN)

    sign_out(hub.host)
    sign_out(hub.host)

    assert (token(hub.host), known(hub.host), ring.kept) == (None, None, {})


def test_each_host_has_an_account_of_its_own(hub: GitHubServer, ring: MemoryKeyring) -> None:
    lab = GitLabServer()
    lab.people["glpat-0123456789"] = Person("berta")
    with lab.running():
        sign_in("github", hub.host, TOKEN)
        sign_in("gitlab", lab.host, "glpat-0123456789")

    sign_out(hub.host)

    assert known(hub.host) is None
    berta = known(lab.host)
    assert berta is not None and (berta.forge, berta.login) == ("gitlab", "berta")
    assert token(lab.host) == "glpat-0123456789"


@pytest.mark.parametrize("text", ["", "short", "has spaces in it", "with\nline ends", "ä" * 20, "x" * 500])
def test_what_is_no_token_is_not_sent(hub: GitHubServer, ring: MemoryKeyring, text: str) -> None:
    with pytest.raises(ContributionError, match="not an access token"):
        sign_in("github", hub.host, text)

    assert (hub.asked, ring.kept) == ([], {})


@pytest.mark.parametrize("name", ["", "evil.example/x@github.com", "user@github.com", "github.com/evil", "a b"])
def test_a_host_that_is_none_is_not_asked(ring: MemoryKeyring, name: str) -> None:
    with pytest.raises(ContributionError, match="no host to sign in at"):
        sign_in("github", name, TOKEN)

    assert ring.kept == {}


def test_a_token_that_may_not_write_or_is_refused_is_not_kept(
    hub: GitHubServer, ring: MemoryKeyring, own_home: Path
) -> None:
    hub.users["ghp_readonly0123"] = User("anna", scopes="read:user")
    with pytest.raises(ContributionError, match="lacks the scope “public_repo”") as caught:
        sign_in("github", hub.host, "ghp_readonly0123")
    assert "public_repo" in caught.value.hint
    with pytest.raises(NotSignedIn):
        sign_in("github", hub.host, "ghp_unknown0123")

    assert (ring.kept, written(own_home)) == ({}, "")


def test_a_locked_keyring_keeps_nothing_and_says_so(hub: GitHubServer, own_home: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(LockedKeyring())
    try:
        with pytest.raises(KeyringError) as caught:
            sign_in("github", hub.host, TOKEN)
    finally:
        keyring.set_keyring(before)

    assert TOKEN not in f"{caught.value.message}{caught.value.hint}{caught.value.details}"
    assert known(hub.host) is None and written(own_home) == ""


def test_a_full_disk_leaves_no_token_behind(hub: GitHubServer, ring: MemoryKeyring, own_home: Path) -> None:
    (own_home / accounts.FILE_NAME).mkdir()  # nothing can take its place

    with pytest.raises(StorageError):
        sign_in("github", hub.host, TOKEN)

    assert ring.kept == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"accounts": 3}', '{"accounts": {"H": {"login": 3}}}'])
def test_a_damaged_file_knows_nobody_and_can_be_written_again(
    hub: GitHubServer, ring: MemoryKeyring, own_home: Path, text: str
) -> None:
    (own_home / accounts.FILE_NAME).write_text(text.replace("H", hub.host))
    assert known(hub.host) is None

    account = sign_in("github", hub.host, TOKEN)

    assert known(hub.host) == account


def test_a_planted_token_is_in_no_file_no_error_and_no_log(
    hub: GitHubServer, ring: MemoryKeyring, own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connected = host(Destination("team", f"{hub.address}/a/b", "github", hub.api), TOKEN)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "github")  # as somebody who looks for a fault in it would
    said: list[str] = []

    def tried(at: str, **fault: object) -> None:
        hub.faults.append(Fault(at, **fault))  # type: ignore[arg-type]
        try:
            sign_in("github", hub.host, TOKEN)
        except LabError as error:
            seen: BaseException | None = error
            while seen is not None:
                said.append(f"{seen} {seen!r} {vars(seen)} {seen.args}")
                seen = seen.__cause__ or seen.__context__

    with JsonServer().running() as other:
        echo = {"message": f"no: {TOKEN}", "errors": [TOKEN, {"message": TOKEN, "field": TOKEN}]}
        for status in (400, 403, 404, 409, 422, 429):
            tried("GET /user", status=status, body=echo)
        for status in (301, 302, 307, 308):
            tried("GET /user", status=status, headers={"Location": f"{other.address}/api/v3/user"}, body=echo)
        tried("GET /user", status=200, body=TOKEN.encode())
        hub.faults += [Fault("GET /user", is_cut=True)] * 3
        tried("GET /user", is_cut=True)
        hub.users.clear()
        tried("nothing")
        assert other.asked == []
    hub.users[TOKEN] = User("anna")
    sign_in("github", hub.host, TOKEN)

    assert len(said) >= 12
    assert TOKEN not in "\n".join(said)
    assert TOKEN not in repr(connected) and TOKEN not in repr(known(hub.host))
    assert TOKEN not in caplog.text and TOKEN not in str([record.args for record in caplog.records])
    assert TOKEN not in written(own_home)
    assert all(asked.headers["authorization"].endswith(TOKEN) for asked in hub.asked)
    assert not any(TOKEN in f"{asked.path}{asked.query}{asked.body}" for asked in hub.asked)


@pytest.mark.parametrize(("forge", "below"), [("github", "/api/v3"), ("gitlab", "/api/v4")])
def test_a_host_that_cannot_prove_who_it_is_gets_no_token(forge: Literal["github", "gitlab"], below: str) -> None:
    with JsonServer().running(CERTIFICATE) as server:
        address = f"https://localhost:{server.port}"
        unproven = Destination("team", f"{address}/a/b", forge, f"{address}{below}")

        with pytest.raises(ContributionError, match="could not prove"):
            host(unproven, TOKEN).account()

        assert server.asked == []


def test_what_the_window_imports_loads_neither_library() -> None:
    script = (
        "import sys, lab_desktop.contribution.hosts, lab_desktop.contribution.accounts, "
        "lab_desktop.contribution.destinations\n"
        "print(*({'github', 'gitlab', 'requests', 'httpx2', 'keyring'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


# The device flow


@pytest.fixture
def app(hub: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> GitHubServer:
    monkeypatch.setenv(accounts.CLIENT_ID, CLIENT)
    hub.device = [{"error": "authorization_pending"}, {"access_token": TOKEN, "scope": "public_repo"}]
    return hub


def test_a_code_is_shown_once_and_becomes_an_account(app: GitHubServer, ring: MemoryKeyring) -> None:
    app.device = [
        {"error": "authorization_pending"},
        {"error": "slow_down", "interval": 0},
        {"error": "authorization_pending"},
        {"access_token": TOKEN, "token_type": "bearer", "scope": "public_repo"},
    ]
    shown: list[Code] = []

    account = sign_in_by_code(app.host, shown.append, never)

    assert [(code.user_code, code.page) for code in shown] == [("WDJB-MJHT", f"{app.address}/login/device")]
    assert 890 < shown[0].expires_at - time.time() < 910
    assert account.login == "anna" and token(app.host) == TOKEN
    first, second = app.asked[0].body, app.asked[1].body
    assert first == {"client_id": CLIENT, "scope": "public_repo"}
    assert second["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"
    assert not any("secret" in str(asked.body) for asked in app.asked)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "access_denied"}, "You said no"),
        ({"error": "expired_token"}, "not typed in time"),
        ({"error": "device_flow_disabled"}, "takes no codes"),
        ({"error": "incorrect_client_credentials"}, "does not know the app"),
        ({"error": "something new"}, "cannot be understood"),
        ({"access_token": "with a space"}, "not an access token"),
        ({"access_token": 3}, "cannot be understood"),
    ],
)
def test_a_no_is_a_sentence_and_nothing_is_kept(
    app: GitHubServer, ring: MemoryKeyring, answer: dict[str, object], sentence: str
) -> None:
    app.device = [answer]

    with pytest.raises(ContributionError, match=sentence):
        sign_in_by_code(app.host, lambda code: None, never)

    assert ring.kept == {}


def test_a_code_that_nobody_types_runs_out(app: GitHubServer, ring: MemoryKeyring) -> None:
    app.code, app.device = {"expires_in": 0.1}, [{"error": "authorization_pending"}]

    with pytest.raises(ContributionError, match="not typed in time"):
        sign_in_by_code(app.host, lambda code: None, never)


def test_waiting_can_be_stopped(app: GitHubServer, ring: MemoryKeyring) -> None:
    app.device = [{"error": "authorization_pending"}]
    shown: list[Code] = []

    with pytest.raises(Cancelled):
        sign_in_by_code(app.host, shown.append, lambda: len(app.asked) > 3)

    assert shown and ring.kept == {}


def test_a_network_that_comes_and_goes_ends_no_waiting(app: GitHubServer, ring: MemoryKeyring) -> None:
    app.faults += [Fault("access_token", is_cut=True), Fault("access_token", 502)]

    assert sign_in_by_code(app.host, lambda code: None, never).login == "anna"


@pytest.mark.parametrize(
    "code",
    [
        {"verification_uri": "https://evil.example/login/device"},
        {"verification_uri": "http://evil.example/login/device"},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": None},
        {"user_code": "type your password"},
        {"user_code": "AB\nCD"},
        {"device_code": None},
        {"more": "x" * 200_000},
    ],
)
def test_a_code_that_is_none_is_not_shown_and_nobody_is_sent_to_another_page(
    app: GitHubServer, ring: MemoryKeyring, code: dict[str, object]
) -> None:
    app.code = code
    shown: list[Code] = []

    with pytest.raises(ContributionError, match="cannot be understood"):
        sign_in_by_code(app.host, shown.append, never)

    assert shown == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("device/code", 404, body={"message": "Not Found"}), "does not know the app"),
        (Fault("device/code", 200, body=b"<html>log in</html>"), "cannot be understood"),
        (Fault("device/code", 302, {"Location": "https://evil.example"}), "cannot be understood"),
        (Fault("device/code", 503), "not well now"),
        (Fault("device/code", is_cut=True), "no connection"),
    ],
)
def test_a_beginning_that_fails_is_a_sentence(
    app: GitHubServer, ring: MemoryKeyring, fault: Fault, sentence: str
) -> None:
    app.faults.append(fault)

    with pytest.raises(ContributionError, match=sentence):
        sign_in_by_code(app.host, lambda code: None, never)


def test_without_a_client_id_a_token_is_offered_instead(hub: GitHubServer, ring: MemoryKeyring, own_home: Path) -> None:
    with pytest.raises(ContributionError, match="not set up") as caught:
        sign_in_by_code(hub.host, lambda code: None, never)

    assert "access token, which does the same" in caught.value.hint
    assert hub.asked == []


def test_the_client_id_can_be_set_and_unset(
    hub: GitHubServer, ring: MemoryKeyring, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("github", hub.host, TOKEN)

    accounts.keep_client_id("github.com", f" {CLIENT} ")

    assert accounts.client_id("github.com") == CLIENT
    assert accounts.client_id("octo.ghe.com") == ""
    assert known(hub.host) is not None
    with pytest.raises(ContributionError, match="not the id of an app"):
        accounts.keep_client_id("github.com", "no such id!")
    monkeypatch.setenv(accounts.CLIENT_ID, "Ov23li0123456789")
    assert accounts.client_id("github.com") == "Ov23li0123456789"
    monkeypatch.delenv(accounts.CLIENT_ID)
    accounts.keep_client_id("github.com", "")
    assert accounts.client_id("github.com") == ""
    assert json.loads((own_home / accounts.FILE_NAME).read_text())["clients"] == {}


def test_signing_in_with_nobody_there_is_a_sentence(ring: MemoryKeyring) -> None:
    with pytest.raises(Unreachable):
        sign_in("github", "127.0.0.1:9", TOKEN)


@pytest.mark.parametrize("proxy", ["http://ada:secret-word@:x", "socks9://ada:secret-word@h:1"])
def test_a_proxy_that_is_none_is_a_sentence_without_its_password(
    app: GitHubServer, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, proxy)

    with pytest.raises(Unreachable, match="proxy") as caught:
        sign_in_by_code(app.host, lambda code: None, never)

    assert "secret-word" not in "".join(traceback.format_exception(caught.value))
    assert app.lines == []
