"""A lesson that came by mail is dropped onto the library and taken in at its place; other things are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFileOpenEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import cli
from lab_desktop.artifacts import LeafKind
from lab_desktop.contribution import labpack
from lab_desktop.contribution.contributions import Author
from lab_desktop.contribution.letter import letter
from lab_desktop.contribution.parcel import Parcel
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.opening import Opening
from lab_desktop.ui.pages.library.page import LibraryPage
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.taxonomy import leaves
from tests.ui.test_library import banner, opened, settled

PLACE = "compositional_skills/writing/rhyme"


@pytest.fixture
def page(session: Session, window: MainWindow, qtbot: QtBot) -> LibraryPage:
    return opened(window, qtbot)


def drop(page: LibraryPage, *files: Path) -> bool:
    """Let go of files over the page; True where it takes them."""
    data, place = QMimeData(), QPointF(400, 400)
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    held = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entering = QDragEnterEvent(place.toPoint(), *held)
    entering.ignore()
    page.dragEnterEvent(entering)
    if entering.isAccepted():
        page.dropEvent(QDropEvent(place, *held))
    return entering.isAccepted()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A skill, as somebody sent it."""
    parcel = Parcel(PLACE, "Rhyme", LeafKind.FREEFORM_SKILL, {f"{PLACE}/qna.yaml": leaves.skill().encode()}, {}, {})
    labpack.write(tmp_path / "Rhyme.labpack", parcel, letter(parcel, None), Author("Ada", "ada@example.org"), 1e9)
    return tmp_path / "Rhyme.labpack"


def test_a_labpack_is_dropped_and_taken_in_at_its_place(
    page: LibraryPage, session: Session, pack: Path, qtbot: QtBot
) -> None:
    assert drop(page, pack)
    qtbot.waitUntil(lambda: (session.home / "library" / PLACE / "qna.yaml").exists(), timeout=20_000)
    settled(page, qtbot)

    assert page.shelf.view.node(PLACE) is not None


def test_a_damaged_one_is_told_and_other_files_are_left_alone(page: LibraryPage, tmp_path: Path, qtbot: QtBot) -> None:
    for name in ("it.labpack", "picture.png"):
        (tmp_path / name).write_bytes(b"no lesson")

    assert not drop(page, tmp_path / "picture.png")
    assert not drop(page, tmp_path / "it.labpack", tmp_path / "it.labpack")
    assert drop(page, tmp_path / "it.labpack")

    qtbot.waitUntil(lambda: "is damaged, or no lesson" in banner(page), timeout=20_000)


def test_a_labpack_that_is_double_clicked_is_taken_in_when_the_library_is_read(
    window: MainWindow, session: Session, pack: Path, qtbot: QtBot, qapp: QApplication
) -> None:
    states.library(session.home)
    opening = Opening(window)
    qapp.installEventFilter(opening)
    try:
        window.show_page("home")
        QApplication.sendEvent(qapp, QFileOpenEvent(QUrl.fromLocalFile(str(pack))))

        qtbot.waitUntil(lambda: window.page == "lesson", timeout=20_000)
    finally:
        qapp.removeEventFilter(opening)
    assert (session.home / "library" / PLACE / "qna.yaml").exists()
    settled(window.pages.library, qtbot)


def test_a_labpack_as_the_only_word_of_a_command_opens_the_window(
    pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)

    assert cli.main([str(pack)]) == 1

    assert "There is no screen to open a window on" in capsys.readouterr().err
