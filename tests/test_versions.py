"""A newer version is told by one small file at one address; whatever else is said there is refused."""

from __future__ import annotations

import contextlib
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lab_desktop import __version__, files, paths, versions
from lab_desktop.errors import UpdateError
from tests.json_server import Asked, Fault, JsonServer, Said


class NewsServer(JsonServer):
    """Tells one version."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Any = None

    def answer(self, asked: Asked) -> Said:
        return Said(self.told, 200, {"Set-Cookie": "who=you"})

    @property
    def latest(self) -> str:
        return f"{self.address}/latest.json"


@pytest.fixture
def server() -> Iterator[NewsServer]:
    made = NewsServer()
    with made.running():
        made.told = {"version": "9.1", "page": f"{made.address}/9", "released": "2026-12-01", "what": "Welsh."}
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_DESKTOP_HOME", str(tmp_path))
    monkeypatch.delenv("LAB_DESKTOP_NEWS", raising=False)


def test_a_newer_version_is_told_and_nothing_about_the_person_is_sent(server: NewsServer) -> None:
    found = versions.look(server.latest)

    assert found == versions.Newer("9.1", f"{server.address}/9", date(2026, 12, 1), "Welsh.")
    versions.look(server.latest)
    for asked in server.asked:
        assert asked.line == "GET /latest.json" and asked.query == {} and asked.body is None
        assert asked.headers["user-agent"] == f"LAB-Desktop/{__version__}"
        assert asked.headers.keys() <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


@pytest.mark.parametrize("version", [__version__, "0.0.9", "0.1", f"{__version__}.0"])
def test_the_same_and_older_versions_are_no_news(server: NewsServer, version: str) -> None:
    server.told["version"] = version

    assert versions.look(server.latest) is None


def test_parts_of_a_version_are_numbers_not_letters(server: NewsServer) -> None:
    server.told["version"] = "0.10"

    assert versions.look(server.latest) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"page": "https://elsewhere.example/"}, {"page": "javascript:alert(1)"}, {"page": "file:///etc/passwd"},
        {"page": "HERE@elsewhere.example/"}, {"page": "HERE/a b"}, {"page": "HERE/\u202egpj"}, {"page": ""},
        {"page": ["HERE/"]}, {"page": "HERE/" + "x" * 600}, {"version": "9.1; rm"}, {"version": "v9"}, {"version": 9.1},
        {"version": "9" * 50}, {"version": None}, {"released": "soon"}, {"released": 20261201}, {"what": {"a": 1}},
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_refused(server: NewsServer, change: dict[str, Any]) -> None:
    here = server.address
    change = {key: text.replace("HERE", here) if isinstance(text, str) else text for key, text in change.items()}
    server.told.update(change)

    with pytest.raises(UpdateError, match="cannot be used") as refused:
        versions.look(server.latest)

    assert refused.value.hint


@pytest.mark.parametrize("told", [b"", b"<html>", b"[]", b"null", b"[" * 5000, b'{"version": "9.1"}', b"\xff\xfe"])
def test_what_is_no_such_file_is_refused(server: NewsServer, told: bytes) -> None:
    server.told = told

    with pytest.raises(UpdateError):
        versions.look(server.latest)


def test_what_never_ends_is_not_read_to_its_end(server: NewsServer) -> None:
    server.told = b"{" + b" " * 3_000_000

    with pytest.raises(UpdateError, match="far too long"):
        versions.look(server.latest)


def test_a_sentence_is_one_line_without_tricks(server: NewsServer) -> None:
    server.told["what"] = "New:\n\n \u202eevil\x07 " + "x" * 900

    found = versions.look(server.latest)

    assert found is not None and found.what.startswith("New: evil x") and len(found.what) == 300


def test_a_way_elsewhere_is_not_followed_and_no_answer_is_told(server: NewsServer) -> None:
    server.faults += [
        Fault("latest", 302, {"Location": "/elsewhere.json"}),
        Fault("latest", 500),
        Fault("latest", is_cut=True),
    ]

    for _ in range(3):
        with pytest.raises(UpdateError, match="nobody answers"):
            versions.look(server.latest)
    assert server.lines == ["GET /latest.json"] * 3


def test_who_answers_a_letter_at_a_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_PATIENCE_S", 0.5)
    said = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
            while not said.wait(0.1):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        try:
            with pytest.raises(UpdateError, match="nobody answers") as refused:
                versions.look(f"http://127.0.0.1:{listening.getsockname()[1]}/latest.json")
        finally:
            said.set()
            thread.join()

    assert refused.value.details == "it took too long"


def test_without_a_network_it_says_so() -> None:
    with pytest.raises(UpdateError, match="nobody answers") as told:
        versions.look("http://127.0.0.1:9/latest.json")
    assert "connection" in told.value.hint


def test_it_is_due_once_a_week_also_when_the_clock_was_wrong() -> None:
    now = time.time()
    assert versions.is_due(now)

    versions.remember(now)

    assert [versions.is_due(now + days * 86400) for days in (0, 6, 7.1, -1)] == [False, False, True, True]
    (paths.user_data() / "looked.json").write_text('{"looked": "yesterday"}')
    assert versions.is_due(now)


def test_who_builds_it_names_the_address_and_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    assert (versions.address(), versions.spoken()) == ("", __version__)

    built = {"number": "12", "date": "2026-11-22", "news": "https://lab.example/latest.json"}
    files.write_json(tmp_path / "build.json", built)

    assert versions.address() == "https://lab.example/latest.json"
    assert versions.spoken() == f"{__version__} (build 12, 2026-11-22)"
    files.write_json(tmp_path / "build.json", built | {"news": "http://lab.example/latest.json"})
    assert versions.address() == ""


def test_the_command_tells_version_python_and_system_in_one_line() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "lab_desktop", "--version"], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert said.startswith(f"LAB Desktop {__version__}") and said.count("\n") == 1
    assert f"Python {platform.python_version()}, {platform.platform()}" in said
