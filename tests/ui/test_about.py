"""ui/about.py and details.py: what the program stands on, and details that say neither who nor where one is."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import platform
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lab_desktop import __version__
from lab_desktop.private import names_here
from lab_desktop.ui.about import AboutWindow
from lab_desktop.ui.details import details, libraries, masked
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session


@pytest.fixture
def about(window: MainWindow, session: Session, qtbot: QtBot) -> AboutWindow:
    session.go("about")
    found = window.findChild(AboutWindow)
    assert found is not None
    return found


def words(about: AboutWindow) -> list[str]:
    return [label.text() for label in about.findChildren(QLabel) if label.isVisible()]


def test_it_tells_what_it_is_and_whose(about: AboutWindow) -> None:
    said = words(about)

    assert f"Version {__version__}" in said
    assert "Licence: Apache-2.0. Copyright The LAB Desktop authors." in said
    assert not any("is there since" in text for text in said)


def test_copy_details_puts_text_on_the_clipboard_and_says_so(about: AboutWindow, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().clear()

    qtbot.mouseClick(about.copy, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: f"LAB Desktop {__version__}" in QGuiApplication.clipboard().text(), timeout=10_000)
    assert about.copy.text() == "Copied"
    for part in ("System:", "Memory:", "Disk:", "torch", "Last work"):
        assert part in QGuiApplication.clipboard().text()


SECRETS = ("Annabelle", "anna", "annas-laptop", "wills", "Grandma's will", "diagnosis.docx", "/srv/clinic", "Müller")


def test_details_do_not_tell_who_or_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "Users" / "Annabelle" / "LAB"
    home.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home.parent)
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    monkeypatch.setattr(platform, "node", lambda: "annas-laptop.clinic.example")
    monkeypatch.setattr(platform, "platform", lambda: "Linux-6.1-annas-laptop-built-by-ANNABELLE")
    job = {
        "folder": "/srv/clinic/wills/runs/001",
        "steps": ["train", "/srv/clinic/diagnosis.docx", "Müller"],
        "title": "Grandma's will",
        "state": "failed",
        "began": 1_700_000_000.0,
        "seconds": 90.0,
        "text": '"diagnosis.docx" in /srv/clinic cannot be read.',
        "hint": "Ask Müller.",
        "details": "Traceback: /home/anna/diagnosis.docx",
    }
    (home / "activity.jsonl").write_text(json.dumps(job) + "\n", encoding="utf-8")

    told = details(home)

    assert [secret for secret in SECRETS if secret.casefold() in told.casefold()] == []
    assert "train+?+?  failed  90 s" in told
    assert f"LAB Desktop {__version__}" in told
    assert f"torch {importlib.metadata.version('torch')}" in told


def test_a_damaged_list_of_jobs_is_told_in_the_details(tmp_path: Path) -> None:
    (tmp_path / "activity.jsonl").write_text("not json\n", encoding="utf-8")

    assert "the list is damaged" in details(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/home/bo/x.gguf", "[home][folder]"),
        ("C:\\Users\\bo\\notes.txt", "[folder]"),
        ("\\\\server\\share\\notes.txt", "[folder]"),
        ("~/lessons/qna.yaml", "[folder]"),
        ("read my_notes.md now", "read [file] now"),
        ("bo and Bo and bobbin, boa", "[user] and [user] and bobbin, boa"),
        ("lighthouse and LIGHTHOUSES", "[computer] and [computer]S"),
        ("torch 2.13.0+cpu, Qt 6.11.3, 8.0 GB", "torch 2.13.0+cpu, Qt 6.11.3, 8.0 GB"),
        ("x86_64 and 3 of 4", "x86_64 and 3 of 4"),
    ],
)
def test_names_folders_and_files_are_masked_and_figures_are_not(text: str, told: str) -> None:
    names = {"/home/bo": "[home]", "lighthouse": "[computer]", "bo": "[user]"}

    assert masked(text, names) == told


def test_this_computers_own_names_are_among_the_masked() -> None:
    names = names_here()

    assert names[str(Path.home())] == "[home]"
    assert getpass.getuser() in names
    assert list(names) == sorted(names, key=len, reverse=True)
    assert "" not in names


def test_the_libraries_are_those_that_are_asked_for_by_name() -> None:
    names = [each.split()[0] for each in libraries()]

    assert {"torch", "PySide6-Essentials"} < set(names)
    assert "pytest" not in names and not any(each.endswith("–") for each in libraries())
