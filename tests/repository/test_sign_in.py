"""A secret reaches its own host and nobody else: no file, process, message or other host ever has it."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import sys
import threading
import uuid
from pathlib import Path

import pytest

from lab_desktop.errors import LibraryError
from lab_desktop.repository import sign_in
from lab_desktop.repository.outgoing import Credentials, machine_credentials, open_outgoing
from tests.git_server import PUSH, Fault, GitServer
from tests.repository.conftest import SECRET, Place, go_on, lesson, silent

PAIR = base64.b64encode(f"jane:{SECRET}".encode()).decode()


def files_with(wanted: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()]


def told_by_processes() -> dict[Path, bytes]:
    """What the system tells everybody about the processes: their commands and environments."""
    found = {}
    for name in ("cmdline", "environ"):
        for file in Path("/proc").glob(f"[0-9]*/{name}"):
            with contextlib.suppress(OSError):
                found[file] = file.read_bytes()
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_while_git_pushes_the_secret_is_in_no_file_and_no_list_of_processes(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = uuid.uuid4().hex  # no other test that runs beside this one has it
    place.credentials = Credentials("jane", secret, place.server.host)
    place.server.accounts["jane"] = secret
    place.server.is_private = True
    wanted = secret.encode(), base64.b64encode(f"jane:{secret}".encode())
    done = threading.Event()
    seen: list[Path] = []
    pushing: list[bytes] = []

    def look() -> None:
        while not done.is_set():
            told = told_by_processes()
            seen.extend(file for file, said in told.items() if any(it in said for it in wanted))
            pushing.extend(said for said in told.values() if place.address.encode() in said and b"\0push\0" in said)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        outgoing = place.opened(place.credentials)
        commit = lesson(outgoing)
        place.server.faults.append(Fault(PUSH, before=lambda: threading.Event().wait(0.3)))
        place.push(outgoing, commit)
    finally:
        done.set()
        watcher.join()

    assert place.branches()["lesson/velmora"] == commit
    assert {(user, secret) for _, user, secret in place.server.told} == {("jane", secret)}
    assert pushing, "git was seen while it pushed"
    assert seen == []
    assert [file for it in wanted for file in files_with(it, tmp_path)] == []
    assert secret not in caplog.text
    assert secret not in repr(place.credentials)


def test_a_host_that_says_the_secret_back_puts_it_in_no_message(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    outgoing = place.opened()
    commit = lesson(outgoing)
    says = f"jane may not, {SECRET} ({PAIR})"
    place.server.faults += [Fault("GET git-receive-pack"), Fault("GET git-receive-pack", 403, says)]

    with pytest.raises(LibraryError) as caught:
        place.push(outgoing, commit)

    assert "jane may not" in caught.value.details
    assert place.server.told
    said = f"{caught.value.message} {caught.value.hint} {caught.value.details} {caught.value!r} {caplog.text}"
    assert not any(it in said for it in (SECRET, PAIR))


def test_another_host_is_told_nothing_even_by_a_redirect(place: Place, tmp_path: Path, community: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with GitServer(tmp_path / "elsewhere", {"jane": SECRET}, is_private=True).running() as elsewhere:
        elsewhere.make("taxonomy", community)
        outgoing = place.opened()
        commit = lesson(outgoing)
        moved = elsewhere.address("taxonomy")

        place.server.moved["taxonomy"] = moved
        with pytest.raises(LibraryError, match="asks for a password"):
            place.opened(place.credentials)
        with pytest.raises(LibraryError, match="asks for a password"):
            place.push(outgoing, commit)
        with pytest.raises(LibraryError, match="asks for a password"):
            open_outgoing(tmp_path / "other", moved, place.credentials, silent, go_on)

        assert elsewhere.asked
        assert elsewhere.told == []
        assert place.server.told == []


def test_a_redirect_on_the_same_host_is_followed(place: Place) -> None:
    place.server.is_private = True
    place.server.moved["old"] = place.address

    outgoing = open_outgoing(place.folder, place.server.address("old"), place.credentials, silent, go_on)

    assert outgoing.head == place.branches()["main"]


@pytest.mark.parametrize(
    "address",
    ["http://example.org/x", "http://127.0.0.1.example.org/x", "http://localhost@example.org/x",
     "http://127.0.0.1:80@example.org/x", "http://127.0.0.2/x", "http://localhost.example.org/x", "http://[::2]/x"],
)  # fmt: skip
def test_nothing_goes_in_the_clear_to_others(tmp_path: Path, address: str) -> None:
    with pytest.raises(LibraryError, match="address"):
        open_outgoing(tmp_path / "clone", address, Credentials("jane", SECRET, "example.org"), silent, go_on)


@pytest.mark.parametrize(
    "secret", ["a b\"c'd", "%41+&=/\\", "$(touch sprung)`touch sprung`", "größe", "x" * 3000, "'; false"]
)
def test_any_secret_arrives_as_it_is_and_runs_nothing(
    place: Place, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place.server.accounts["jane"] = secret
    place.server.is_private = True

    assert place.opened(Credentials("jane", secret, place.server.host)).head

    assert place.server.told[-1][1:] == ("jane", secret)
    assert not list(tmp_path.rglob("sprung"))


@pytest.mark.parametrize("secret", ["a\nhost=example.org", "a\x00b", "x" * 5000, "a\r"])
def test_what_cannot_be_a_secret_is_not_handed_over(place: Place, secret: str) -> None:
    for credentials in (
        Credentials("jane", secret, place.server.host),
        Credentials(secret, "jane", place.server.host),
    ):
        with pytest.raises(LibraryError, match="sign-in") as caught:
            place.opened(credentials)
        assert secret not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_pipe_stays_open(place: Place) -> None:
    outgoing = place.opened(place.credentials)
    before = len(list(Path("/proc/self/fd").iterdir()))

    place.push(outgoing, lesson(outgoing))
    with pytest.raises(LibraryError):
        place.push(outgoing, lesson(outgoing), expects="1" * 40, branch="other")

    assert len(list(Path("/proc/self/fd").iterdir())) <= before


# ---- what the person's own git knows


HELPER = """#!/bin/sh
cat >> "{seen}"
echo "$1" >> "{seen}"
[ "$1" = get ] && printf 'username=jane\\npassword={secret}\\n'
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own credential helper; gives the file where it notes what it was asked."""
    seen = tmp_path / "seen"
    script = tmp_path / "helper.sh"
    script.write_text(HELPER.format(seen=seen, secret=SECRET))
    script.chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[credential]\n\thelper = {script}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    return seen


def test_the_person_s_own_helper_is_asked_for_the_address(helper: Path) -> None:
    found = machine_credentials("https://git.example.org:8443/team/taxonomy.git")

    assert found == Credentials("jane", SECRET, "git.example.org:8443")
    assert "host=git.example.org:8443" in helper.read_text()
    assert "get" in helper.read_text()
    assert "store" not in helper.read_text()


@pytest.mark.parametrize(
    "address", ["ssh://git@example.org/x", "file:///x", "/x", "http://example.org/x", "https://exa mple.org/x", ""]
)
def test_where_no_password_is_asked_for_no_helper_is_asked(helper: Path, address: str) -> None:
    assert machine_credentials(address) is None
    assert not helper.exists()


def test_without_a_helper_and_with_one_that_asks_or_hangs_there_is_nothing(
    helper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_HELPER_S", 0.5)
    asked = tmp_path / "asked"
    askpass = tmp_path / "askpass.sh"
    askpass.write_text(f"#!/bin/sh\ntouch '{asked}'\necho x\n")
    askpass.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    monkeypatch.setenv("GIT_ASKPASS", str(askpass))
    for settings in ("", f"[core]\n\taskPass = {askpass}\n", '[credential]\n\thelper = "!sleep 60; true"\n'):
        (tmp_path / "gitconfig").write_text(settings)
        assert machine_credentials("https://example.org/x") is None

    assert not asked.exists()


def test_a_helper_of_the_folder_we_are_in_is_not_asked(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.opened()
    sprung = tmp_path / "sprung"
    with open(place.folder / "config", "a") as config:
        config.write(f"[credential]\n\thelper = !touch '{sprung}'; true\n")
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    assert machine_credentials("https://example.org/x") is None

    assert not sprung.exists()


def test_pushing_asks_no_helper_of_the_person_and_leaves_nothing_with_it(place: Place, helper: Path) -> None:
    outgoing = place.opened()
    commit = lesson(outgoing)

    place.push(outgoing, commit)

    assert place.branches()["lesson/velmora"] == commit
    assert not helper.exists()
