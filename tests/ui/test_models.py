"""The models' page: what is here, what comes, what can be done with it; with a real hub on this computer."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from lab_desktop import capacity, paths, projects
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.models import arrivals, catalogue, store
from lab_desktop.ui.downloads import DownloadState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.models import lines
from lab_desktop.ui.pages.models.address_sheet import AddressSheet
from lab_desktop.ui.pages.models.found_sheet import FoundSheet
from lab_desktop.ui.pages.models.page import ModelsPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.action_list import ACTIONS
from lab_desktop.ui.widgets.model_list import ModelLine
from tests.fakes import tiny_model
from tests.hub_server import Fault, Hub
from tests.screenshots import states
from tests.ui.test_window import answer_box

OFFERED = catalogue.entry("smollm2-360m")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)


@pytest.fixture
def hub(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub().running() as served:
        served.files = {f"{OFFERED.repo}/{OFFERED.file}": gguf.read_bytes()}
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


@pytest.fixture
def page(session: Session, window: MainWindow, qtbot: QtBot) -> ModelsPage:
    capacity.save_speed(session.home, 49, 1.0, paths.practice_model())
    window.show_page("models")
    made = window.pages["models"]
    assert isinstance(made, ModelsPage)
    qtbot.waitUntil(lambda: bool(made.holdings.originals), timeout=20_000)
    return made


def line(page: ModelsPage, title: str) -> ModelLine:
    return next(each for each in page.model.lines if each.title == title)


def press(page: ModelsPage, title: str, action: str) -> None:
    """Do it with the row, if the row offers it."""
    found = line(page, title)
    index = page.model.index(page.model.row(found.key), 0)
    assert action in index.data(ACTIONS)
    page.list.acted.emit(found, action)


def wanted() -> DownloadRequest:
    """As the page asks for it, on a computer of whatever disk."""
    return replace(lines.request_of(OFFERED), reserve_bytes=0)


def test_the_practice_model_is_here_and_says_how_it_fits(page: ModelsPage) -> None:
    here = line(page, "Practice model")

    assert [fit.role for fit in here.fits] == ["chat", "teacher", "student"]
    assert all("memory" in fit.why for fit in here.fits)
    assert here.speed == "37 words/s"
    assert "remove" not in here.actions
    spoken = page.model.index(page.model.row(here.key), 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "chats: comfortable" in spoken
    assert "98 MB" in spoken


def test_a_trained_version_hangs_below_its_original(page: ModelsPage, session: Session, qtbot: QtBot) -> None:
    made = states.project(session.root)
    states.write_practice(made, is_done=True)
    states.write_training(made)
    states.write_report(made)
    session.refresh()
    qtbot.waitUntil(lambda: any(each.level for each in page.model.lines), timeout=10_000)

    at = next(row for row, each in enumerate(page.model.lines) if each.level)
    assert page.model.lines[at - 1].title == "Practice model"
    assert "16 of 24 right" in page.model.lines[at].detail
    press(page, page.model.lines[at].title, "report")
    assert session.project == made


def test_an_earlier_version_can_be_talked_to_when_its_project_trains_again(
    page: ModelsPage, session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    made = states.project(session.root)
    run = states.write_report(made)
    projects.repeat(made, run, "train")
    session.open(made)
    session.refresh()
    qtbot.waitUntil(lambda: any(each.level for each in page.model.lines), timeout=10_000)
    (earlier,) = (each for each in page.model.lines if each.level)
    assert "report" not in earlier.actions  # the project's report is that of its newest training

    press(page, earlier.title, "chat")

    assert window.page == "chat"
    assert session.guest is not None and session.guest.parent == run / "models"


def test_what_is_offered_says_why_it_fits_or_not(page: ModelsPage) -> None:
    small = replace(page.holdings, memory_bytes=4_000_000_000)
    big = next(each for each in lines.offered_lines(small, [], page._session.downloads.pace) if "8B" in each.title)

    assert big.note.startswith("Needs about")
    assert "4.0 GB" in big.note
    assert big.actions[0] == "why"


def test_nothing_is_fetched_before_the_licence_was_agreed_to(page: ModelsPage, session: Session, qtbot: QtBot) -> None:
    told = answer_box(qtbot, "Cancel")

    press(page, OFFERED.title, "get")

    assert OFFERED.licence.means in told[0]
    assert "always stay free" in told[0]
    assert session.downloads.all == []


def test_a_model_comes_and_stands_among_those_that_are_here(
    page: ModelsPage, session: Session, hub: Hub, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(session.downloads.came, timeout=60_000):
        session.downloads.get(wanted())
        assert line(page, OFFERED.title).coming is not None
    qtbot.waitUntil(lambda: len(page.holdings.originals) == 2, timeout=10_000)

    here = line(page, OFFERED.title)
    assert Path(here.key) == arrivals.target(OFFERED.repo, OFFERED.file)
    assert "Apache 2.0" in here.detail
    assert [each.title for each in page.model.lines].count(OFFERED.title) == 1
    assert session.downloads.all == []


def test_a_download_is_paused_and_another_window_goes_on(
    page: ModelsPage, session: Session, window: MainWindow, hub: Hub, qtbot: QtBot
) -> None:
    hub.faults.extend([Fault(drip_s=0.2, drip_bytes=2048)] * 3)
    session.downloads.get(wanted())
    qtbot.waitUntil(lambda: bool((now := session.downloads.current) and now.total), timeout=60_000)
    assert window.activity.button.isVisible()
    QTest.mouseClick(window.activity.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.downloads.worker is None, timeout=20_000)

    assert [each.state for each in session.downloads.all] == [DownloadState.PAUSED]
    assert "Paused" in (line(page, OFFERED.title).coming or pytest.fail()).text
    hub.faults.clear()
    other = Session(session.home)
    assert [each.state for each in other.downloads.all] == [DownloadState.PAUSED]
    with qtbot.waitSignal(other.downloads.came, timeout=60_000):
        other.downloads.get(wanted())
    assert arrivals.target(OFFERED.repo, OFFERED.file).is_file()


def test_a_download_that_fails_says_why_and_can_be_tried_again_or_given_up(
    page: ModelsPage, session: Session, hub: Hub, qtbot: QtBot
) -> None:
    hub.files.clear()
    session.downloads.get(wanted())
    qtbot.waitUntil(lambda: [each.state for each in session.downloads.all] == [DownloadState.FAILED], timeout=60_000)

    failed = line(page, OFFERED.title)
    at = page.model.index(page.model.row(failed.key), 0)
    for role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
        assert failed.note in at.data(role) and failed.advice in at.data(role)
    assert failed.note and failed.advice
    assert failed.actions[0] == "again"
    press(page, OFFERED.title, "cancel")
    assert session.downloads.all == []
    assert "get" in line(page, OFFERED.title).actions


def test_a_file_is_linked_where_it_lies_and_removing_takes_only_the_link(
    page: ModelsPage, gguf: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    file = tmp_path / "elsewhere" / "Old-Friend.gguf"
    file.parent.mkdir()
    os.link(gguf, file)
    page._link(file, "Old Friend")
    qtbot.waitUntil(lambda: any(each.title == "Old Friend" for each in page.model.lines), timeout=10_000)
    assert not list(paths.models().rglob("*.gguf"))

    answer_box(qtbot, "Remove it")
    press(page, "Old Friend", "remove")
    qtbot.waitUntil(lambda: all(each.title != "Old Friend" for each in page.model.lines), timeout=10_000)
    assert file.is_file()
    page._banner.button.click()
    qtbot.waitUntil(lambda: any(each.title == "Old Friend" for each in page.model.lines), timeout=10_000)
    qtbot.waitUntil(page.bin.isHidden, timeout=10_000)

    file.rename(file.with_name("moved.gguf"))
    page.refresh()
    qtbot.waitUntil(lambda: line(page, "Old Friend").note_tone == "warn", timeout=10_000)
    assert line(page, "Old Friend").actions[0] == "locate"


def test_a_model_comes_back_from_the_bin_long_after_it_was_removed(
    page: ModelsPage, gguf: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    here = paths.models() / "Old-Friend.gguf"
    here.parent.mkdir(parents=True, exist_ok=True)
    os.link(gguf, here)
    (model,) = (each for each in store.on_this_computer() if each.path == here)
    store.remove(model, now=time.time() - 86400)
    page.refresh()
    qtbot.waitUntil(page.bin.isVisible, timeout=10_000)

    page.bin.click()
    (menu,) = page.bin.findChildren(QMenu)
    (back,) = menu.actions()
    assert f"“{model.name}”" in back.text()
    back.trigger()
    menu.close()

    qtbot.waitUntil(lambda: here.is_file() and page.bin.isHidden(), timeout=10_000)


def test_what_is_no_model_is_refused_with_a_sentence(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"GIF89a" * 100)

    page._link(file)

    qtbot.waitUntil(page._banner.isVisible, timeout=10_000)
    assert "holiday.gguf" in page._banner.accessibleName()
    assert len(page.holdings.originals) == 1


def test_a_model_learns_in_the_project_in_hand(page: ModelsPage, session: Session, gguf: Path, qtbot: QtBot) -> None:
    session.open(states.project(session.root))
    page._link(gguf, "Tiny")
    qtbot.waitUntil(lambda: any(each.title == "Tiny" for each in page.model.lines), timeout=10_000)

    press(page, "Tiny", "student")

    assert session.project is not None
    assert session.project.model == str(gguf)
    assert projects.read(session.project.folder).model == str(gguf)
    assert "learns in" in page._banner.accessibleName()


def test_a_family_that_cannot_be_taught_is_refused_before_anything_begins(
    page: ModelsPage, session: Session, gguf: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(gguf.read_bytes().replace(b"llama", b"mamba"))
    session.open(states.project(session.root))
    page._link(strange, "Strange")
    qtbot.waitUntil(lambda: any(each.title == "Strange" for each in page.model.lines), timeout=10_000)
    assert [fit.role for fit in line(page, "Strange").fits] == ["chat", "teacher"]
    assert "cannot be taught here" in page._banner.accessibleName(), "it is said when the file is added"

    press(page, "Strange", "student")

    assert session.project is not None
    assert session.project.model == ""
    assert "mamba" in page._banner.accessibleName()


def look_at(page: ModelsPage, address: str, qtbot: QtBot) -> AddressSheet:
    """The sheet, after what was typed into it was looked up."""
    QTest.mouseClick(page._by_address, Qt.MouseButton.LeftButton)
    sheet = page.findChildren(AddressSheet)[-1]
    QTest.keyClicks(sheet.address, address)
    QTest.keyClick(sheet.address, Qt.Key.Key_Return)
    assert sheet.looking.is_busy
    qtbot.waitUntil(lambda: not sheet.looking.is_busy, timeout=20_000)
    return sheet


def test_a_model_comes_by_its_address(page: ModelsPage, session: Session, hub: Hub, gguf: Path, qtbot: QtBot) -> None:
    data = gguf.read_bytes()
    hub.files |= {"a/b/large.Q8_0.gguf": data + b"0", "a/b/usual.Q4_K_M.gguf": data, "a/b/mmproj-x.gguf": data}

    sheet = look_at(page, f"{hub.address}/a/b", qtbot)
    assert [offer.file for offer in sheet.offers] == ["usual.Q4_K_M.gguf", "large.Q8_0.gguf"]
    assert sheet.list.currentItem().text().startswith("usual.Q4_K_M.gguf")
    assert sheet._licence.text() == "Apache 2.0" and "always stay free" in sheet._room.text()
    assert hub.downloads == [] and errands.waiting() == []

    with qtbot.waitSignal(session.downloads.came, timeout=60_000):
        QTest.mouseClick(sheet._get, Qt.MouseButton.LeftButton)
    assert arrivals.target("a/b", "usual.Q4_K_M.gguf").is_file()


def test_what_cannot_be_taught_is_refused_at_its_address(
    page: ModelsPage, session: Session, hub: Hub, qtbot: QtBot
) -> None:
    hub.architecture = "mamba"

    sheet = look_at(page, OFFERED.repo, qtbot)

    assert 'of the kind "mamba"' in sheet._banner.accessibleName() and "Granite 3" in sheet._banner.accessibleName()
    assert sheet._get.text() == "Get it only to talk to"
    assert hub.downloads == [] and session.downloads.all == []
    hub.architecture = "nomic-bert"
    sheet.look()
    qtbot.waitUntil(lambda: not sheet.looking.is_busy, timeout=20_000)
    assert "an embedding model" in sheet._banner.accessibleName() and not sheet._get.isVisible()
    sheet.reject()


def test_a_look_without_a_network_is_told_calmly_and_leaves_nothing(
    page: ModelsPage, hub: Hub, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    sheet = look_at(page, "a/b", qtbot)
    assert "Go on when you are online" in sheet._banner.accessibleName()

    sheet.address.setText("https://example.org/a/b/c.gguf")
    sheet.look()
    assert not sheet.looking.is_busy and "no model file on the hub" in sheet._banner.accessibleName()
    sheet.reject()
    assert errands.waiting() == []


def test_closing_the_sheet_ends_the_look(page: ModelsPage, hub: Hub) -> None:
    hub.api_faults.append(Fault(stall_after=0))
    QTest.mouseClick(page._by_address, Qt.MouseButton.LeftButton)
    sheet = page.findChildren(AddressSheet)[-1]
    sheet.address.setText("a/b")
    sheet.look()
    assert sheet.looking.worker is not None and sheet.looking.worker.process.waitForStarted(5000)

    sheet.reject()

    assert not sheet.looking.is_busy and errands.waiting() == []


def test_why_it_fits_is_told_to_who_has_no_mouse(page: ModelsPage) -> None:
    press(page, "Practice model", "fit")

    told = page._banner.accessibleName()
    assert "chats: comfortable, teaches: comfortable. It needs about" in told
    assert "can be trained: comfortable. Training it needs about" in told


def test_one_chats_with_any_model_and_goes_back(
    page: ModelsPage, session: Session, window: MainWindow, gguf: Path, qtbot: QtBot
) -> None:
    page._link(gguf, "Tiny")
    qtbot.waitUntil(lambda: any(each.title == "Tiny" for each in page.model.lines), timeout=10_000)

    press(page, "Tiny", "chat")

    assert window.page == "chat"
    assert session.voices().model == gguf
    assert "tiny" in window.pages.chat.speaking()[1]
    window.pages.chat.voices.aboutToShow.emit()
    back = next(action for action in window.pages.chat.voices.actions() if "Back" in action.text())
    back.trigger()
    assert session.voices().model == paths.practice_model()


def test_models_of_other_programs_are_found_and_linked(
    page: ModelsPage, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    kept = tmp_path / ".lmstudio" / "models" / "makers" / "Friend-GGUF" / "friend-q8_0.gguf"
    kept.parent.mkdir(parents=True)
    os.link(gguf, kept)
    page.find_models()
    sheet = next(each for each in QApplication.topLevelWidgets() if isinstance(each, FoundSheet) and each.isVisible())
    qtbot.waitUntil(lambda: len(sheet.shown) == 1, timeout=10_000)
    assert "LM Studio" in sheet.shown[0]

    sheet.choose_all()
    sheet._use.click()

    qtbot.waitUntil(lambda: any("Kept by LM Studio" in each.detail for each in page.model.lines), timeout=10_000)


def test_a_model_that_came_while_nobody_looked_is_told(
    page: ModelsPage, session: Session, window: MainWindow, hub: Hub, qtbot: QtBot
) -> None:
    window.hide()
    with qtbot.waitSignal(session.downloads.came, timeout=60_000):
        session.downloads.get(wanted())

    assert window._notices.unseen == [f"{OFFERED.title} is here."]


def test_the_first_thing_is_done_by_return(page: ModelsPage, session: Session, window: MainWindow) -> None:
    page.list.setFocus()
    page.list.setCurrentIndex(page.model.index(page.model.row(line(page, "Practice model").key), 0))

    QTest.keyClick(page.list, Qt.Key.Key_Return)

    assert window.page == "chat"
    assert not any(isinstance(each, QMessageBox) and each.isVisible() for each in QApplication.topLevelWidgets())
