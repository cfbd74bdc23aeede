"""ui/licences_window.py: every part and its text, found and copied with the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lab_desktop import licences, paths
from lab_desktop.licences import Part
from lab_desktop.ui.licences_window import LicencesWindow
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session

PARTS = [
    Part("LAB Desktop", "0.1.0", "Apache-2.0", "", "", ("Apache License",)),
    Part(
        "kite", "2.1", "LGPL-3.0-only OR MIT", "https://kite.example", "It lies beside.", ("Kites.\n", "  Strings.\n")
    ),
    Part("lamp", "3", "MIT", "", "", ("Lamps.",)),
]


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Those of a built app."""
    licences.parts.cache_clear()
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    licences.write(tmp_path / licences.FILE_NAME, PARTS)
    yield tmp_path
    licences.parts.cache_clear()


def opened(qtbot: QtBot) -> LicencesWindow:
    made = LicencesWindow()
    qtbot.addWidget(made)
    made.show()
    return made


def words(window: LicencesWindow) -> list[str]:
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]


def test_a_part_is_found_read_and_copied_with_the_keyboard(resources: Path, qtbot: QtBot) -> None:
    window = opened(qtbot)
    qtbot.waitUntil(lambda: window.names.count() == 3, timeout=5000)
    assert window.search.hasFocus()

    qtbot.keyClicks(window.search, "lgpl kite")
    assert window.names.count() == 1
    assert {"kite", "2.1 · LGPL-3.0-only OR MIT · https://kite.example", "It lies beside."} <= set(words(window))
    assert window.pane.text.toPlainText().startswith("Kites.\n") and "  Strings." in window.pane.text.toPlainText()

    qtbot.keyClick(window.search, Qt.Key.Key_Down)
    assert window.names.hasFocus()
    window.pane.copy.setFocus()
    qtbot.keyClick(window.pane.copy, Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == window.pane.text.toPlainText()
    assert window.pane.copy.text() == "Copied"

    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.names.count() == 3
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_a_word_that_finds_nothing_is_answered(resources: Path, qtbot: QtBot) -> None:
    window = opened(qtbot)
    qtbot.waitUntil(lambda: window.names.count() == 3, timeout=5000)

    window.search.setText("zebra")

    assert "No part has to do with “zebra”." in words(window)
    assert not window.pane.text.isVisible() and not window.pane.copy.isVisible()


def test_a_damaged_list_is_told(resources: Path, qtbot: QtBot) -> None:
    (resources / licences.FILE_NAME).write_bytes(b"damaged")
    window = opened(qtbot)

    qtbot.waitUntil(lambda: any("cannot be read" in text for text in words(window)), timeout=5000)

    assert any("Set the program up again" in text for text in words(window))


def test_from_source_it_shows_what_is_installed(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    licences.parts.cache_clear()
    session.go("licences")
    shown = window.panels.licences
    qtbot.waitUntil(lambda: shown.names.count() > 60, timeout=20_000)

    shown.search.setText("pyside")

    assert "GNU LESSER GENERAL PUBLIC LICENSE" in shown.pane.text.toPlainText()
