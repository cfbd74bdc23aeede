"""selftest/watch.py: what a process of a self-test may not do is refused, noted, and not to be swallowed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop.selftest import watch

_START = "from lab_desktop.selftest import watch; watch.stand_guard()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "selftest"
    made.mkdir()
    (tmp_path / "person").mkdir()
    watch.begin(made, tmp_path / "person")
    return made


def done(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A script in a process that is watched."""
    env = {**os.environ, watch.VARIABLE: str(folder)}
    command = [sys.executable, "-c", _START + script]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("import socket; socket.create_connection(('203.0.113.9', 443), 1)", "203.0.113.9"),
        ("import socket; socket.socket().connect(('203.0.113.9', 443))", "connection to 203.0.113.9"),
        ("import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))", "connection to 2001:db8::1"),
        ("import socket; socket.getaddrinfo('example.org', 443)", "connection to example.org"),
        ("import socket; socket.gethostbyname('example.org')", "connection to example.org"),
        ("import socket as s; s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('203.0.113.9', 53))", "connection to 203.0"),
        ("import socket as s; s.socket(type=s.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('203.0.113.9', 53))", "to 203.0.113"),
        ("import urllib.request as u; u.urlopen('http://example.org')", "connection to example.org"),
    ],
)
def test_another_computer_is_not_reached(folder: Path, script: str, told: str) -> None:
    done(folder, f"try:\n    {script}\nexcept OSError:\n    pass\nprint('went on')")

    assert told in "\n".join(watch.seen(folder))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_computer_may_be_asked(folder: Path, host: str) -> None:
    ended = done(folder, f"import socket; print(bool(socket.getaddrinfo({host!r}, 80)))")

    assert (ended.stdout.strip(), watch.seen(folder)) == ("True", []), ended.stderr


@pytest.mark.parametrize(
    "script",
    [
        "open({0!r}, 'w')",
        "open({0!r}, 'ab')",
        "import pathlib; pathlib.Path({0!r}).write_text('x')",
        "import os; os.open({0!r}, os.O_CREAT | os.O_RDWR)",
        "import os; os.chdir(os.path.dirname({0!r})); open('settings.json', 'w')",
    ],
)
def test_the_persons_own_folder_is_not_written(folder: Path, tmp_path: Path, script: str) -> None:
    file = tmp_path / "person" / "settings.json"

    ended = done(folder, script.format(str(file)))

    assert "PermissionError" in ended.stderr
    assert watch.seen(folder) == [f"change of {file}"]
    assert not file.exists()


@pytest.mark.parametrize(
    "script",
    [
        "import os; os.remove({0!r})",
        "import os; os.rename({0!r}, {0!r} + '.old')",
        "import pathlib; pathlib.Path('elsewhere').replace({0!r})",
        "import shutil, os; shutil.rmtree(os.path.dirname({0!r}))",
    ],
)
def test_nothing_is_taken_away_from_there_or_put_in_its_place(folder: Path, tmp_path: Path, script: str) -> None:
    file = tmp_path / "person" / "mine.txt"
    file.write_text("mine", encoding="utf-8")

    done(folder, script.format(str(file)))

    assert watch.seen(folder)[0].startswith(f"change of {tmp_path / 'person'}")
    assert file.read_text(encoding="utf-8") == "mine"


def test_it_is_read_and_other_folders_are_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "person" / "mine.txt").write_text("mine", encoding="utf-8")

    ended = done(
        folder, f"open({str(tmp_path / 'other')!r}, 'w').write(open({str(tmp_path / 'person/mine.txt')!r}).read())"
    )

    assert (ended.returncode, watch.seen(folder)) == (0, []), ended.stderr
    assert (tmp_path / "other").read_text(encoding="utf-8") == "mine"


def test_outside_of_a_self_test_nothing_is_watched(tmp_path: Path) -> None:
    script = f"{_START}open({str(tmp_path / 'x')!r}, 'w')"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert (ended.returncode, (tmp_path / "x").exists()) == (0, True), ended.stderr


def test_what_begins_after_the_end_ends_at_once(tmp_path: Path) -> None:
    ended = done(tmp_path / "gone", "print('went on')")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert not (tmp_path / "gone").exists()
