"""ui/news.py and its setting: off until it is chosen, at once when asked, silent when nobody asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lab_desktop import versions
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_window import SettingsWindow
from tests.json_server import Fault
from tests.test_versions import NewsServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NewsServer]:
    made = NewsServer()
    with made.running():
        made.told = {"version": "9.1", "page": f"{made.address}/9", "released": "2026-12-01", "what": "Welsh."}
        monkeypatch.setenv("LAB_DESKTOP_NEWS", made.latest)
        yield made


@pytest.fixture
def settings(server: NewsServer, window: MainWindow, session: Session) -> SettingsWindow:
    session.go("settings")
    return window.panels.settings


def words(settings: SettingsWindow) -> str:
    return " ".join(label.text() for label in settings.findChildren(QLabel) if label.isVisible())


def test_nothing_is_asked_until_it_is_switched_on_and_then_once_a_week(
    server: NewsServer, settings: SettingsWindow, session: Session, qtbot: QtBot
) -> None:
    assert not settings._weekly.isChecked()
    session.news.look_if_due()
    assert server.asked == [] and not session.news.is_looking

    with qtbot.waitSignal(session.news.came, timeout=10_000):
        qtbot.mouseClick(settings._weekly, Qt.MouseButton.LeftButton)
    assert session.preferences.choices.looks_for_news
    session.news.look_if_due()

    assert len(server.asked) == 1 and not session.news.is_looking


def test_look_now_needs_no_switch_and_tells_what_there_is(
    server: NewsServer, window: MainWindow, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.go("settings")
    settings = window.panels.settings
    opened: list[QUrl] = []
    came: list[bool] = []
    session.news.came.connect(lambda: came.append(True))
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)

    qtbot.mouseClick(settings._look_now, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Version 9.1 is there since 1 December 2026. Welsh." in words(settings), timeout=10_000)
    qtbot.mouseClick(settings._news_page, Qt.MouseButton.LeftButton)

    assert opened == [QUrl(f"{server.address}/9")]
    assert came == [], "who asked is not told twice"
    assert [asked.line for asked in server.asked] == ["GET /latest.json"], "nothing is downloaded"
    assert not session.preferences.choices.looks_for_news
    session.go("about")
    assert "Version 9.1 is there" in " ".join(label.text() for label in window.panels.about.findChildren(QLabel))


def test_the_newest_version_is_told_to_be_so(server: NewsServer, settings: SettingsWindow, qtbot: QtBot) -> None:
    server.told["version"] = "0.0.1"

    qtbot.mouseClick(settings._look_now, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: "This is the newest version." in words(settings), timeout=10_000)


def test_offline_the_weekly_look_is_silent_and_look_now_is_not(
    server: NewsServer, settings: SettingsWindow, session: Session, qtbot: QtBot
) -> None:
    server.faults += [Fault("latest", is_cut=True), Fault("latest", 503)]
    session.preferences.choose(replace(session.preferences.choices, looks_for_news=True))

    session.news.look_if_due()
    qtbot.waitUntil(lambda: len(server.asked) == 1 and not session.news.is_looking, timeout=10_000)
    assert "nobody answers" not in words(settings)
    assert versions.is_due(), "it is asked again"

    qtbot.mouseClick(settings._look_now, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "nobody answers. Check the connection, then try again." in words(settings), timeout=10_000)


def test_without_an_address_there_is_nothing_to_switch_and_it_says_why(
    window: MainWindow, session: Session, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.go("settings")
    settings = window.panels.settings

    session.news.look()

    assert "whoever built it named no page to ask" in words(settings)
    assert not settings._weekly.isVisible() and not settings._look_now.isVisible() and not session.news.is_looking
