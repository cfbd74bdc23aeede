"""pages/home.py, pages/activity.py and the frame: what a person finds there and does, by clicks and keys."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects
from lab_desktop.projects import Project
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.activity import ActivityPage
from lab_desktop.ui.pages.home import HomePage
from lab_desktop.ui.pages.home_cards import DamagedCard, ProjectCard
from lab_desktop.ui.pages.home_new import NewProject
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button
from tests.screenshots import states


@pytest.fixture
def two(session: Session) -> list[Project]:
    """Two projects: a new one, and one with a report."""
    made = [states.project(session.root, "Bread", created=1), states.project(session.root, "Velmora", created=2)]
    states.write_report(made[1])
    session.refresh()
    return session.projects


@pytest.fixture
def home(window: MainWindow) -> HomePage:
    found = window.pages["home"]
    assert isinstance(found, HomePage)
    return found


@pytest.fixture
def activity(window: MainWindow) -> ActivityPage:
    found = window.pages["activity"]
    assert isinstance(found, ActivityPage)
    return found


def cards(home: HomePage) -> list[ProjectCard]:
    QApplication.processEvents()
    return [card for card in home.findChildren(ProjectCard) if card.isVisible()]


def words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def banners(home: HomePage) -> list[Banner]:
    QApplication.processEvents()
    return [banner for banner in home.findChildren(Banner) if banner.isVisible()]


def choose(open_menu: Callable[[], object], words: str) -> None:
    """Open a menu and take what it calls so."""
    open_menu()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    action = next(action for action in menu.actions() if words in action.text())
    menu.close()
    action.trigger()


def stopped_child(session: Session) -> None:
    """The job in hand does nothing, however long the test takes."""
    assert session.jobs.worker is not None
    process = session.jobs.worker.process
    assert process.waitForStarted(5000)
    os.kill(process.processId(), signal.SIGSTOP)


def test_a_card_tells_the_one_thing_worth_knowing(two: list[Project], home: HomePage) -> None:
    velmora, bread = cards(home)

    assert [text for text in words(velmora) if text in "2→16 of 24 right"] == ["2", "→", "16", "of 24 right"]
    assert "Ready for practice questions." in words(bread)


def test_open_report_opens_the_report_and_each_project_stands_where_it_is(
    two: list[Project], window: MainWindow, home: HomePage, session: Session, qtbot: QtBot
) -> None:
    velmora, bread = cards(home)
    report = next(button for button in velmora.findChildren(Button) if button.text() == "Open report")
    qtbot.mouseClick(report, Qt.MouseButton.LeftButton)
    assert session.project == velmora.project
    assert "Your topic" in words(window.pages.improve)

    window.show_page("home")
    other = next(button for button in bread.findChildren(Button) if button.text() == "Open")
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    assert session.project == bread.project
    assert any("The teacher reads your lessons" in text for text in words(window.pages.improve))


def test_what_was_refused_is_told_until_one_goes_elsewhere(
    two: list[Project], window: MainWindow, session: Session, home: HomePage
) -> None:
    session.start(("generate",))
    stopped_child(session)
    home.delete(session.projects[0])
    assert any("is being worked on" in banner.accessibleName() for banner in banners(home))

    window.show_page("activity")
    window.show_page("home")

    assert banners(home) == []


@pytest.mark.parametrize(("width", "columns"), [(960, 2), (1440, 3)])
def test_cards_flow_into_the_width_there_is(
    session: Session, window: MainWindow, home: HomePage, qtbot: QtBot, width: int, columns: int
) -> None:
    for number in range(4):
        states.project(session.root, f"A project with a long name, number {number}", created=number)
    session.refresh()
    window.resize(width, 700)

    qtbot.waitUntil(lambda: len({card.x() for card in cards(home)}) == columns, timeout=2000)
    assert home.horizontalScrollBar().maximum() == 0
    assert all(card.geometry().right() <= home.viewport().width() for card in cards(home))


def test_a_project_is_renamed_where_it_stands(two: list[Project], home: HomePage, qtbot: QtBot) -> None:
    card = cards(home)[0]
    choose(card.more.click, "Rename")
    qtbot.keyClicks(card._field, "The island")
    qtbot.keyClick(card._field, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: "The island" in words(home), timeout=2000)
    assert projects.read(two[0].folder).title == "The island"


def test_escape_leaves_the_name(two: list[Project], home: HomePage, qtbot: QtBot) -> None:
    card = cards(home)[0]
    choose(card.more.click, "Rename")
    qtbot.keyClicks(card._field, "Something else")
    qtbot.keyClick(card._field, Qt.Key.Key_Escape)
    qtbot.wait(20)

    assert projects.read(two[0].folder).title == "Velmora"
    assert "Velmora" in words(home)


def test_a_deleted_project_comes_back(two: list[Project], session: Session, home: HomePage) -> None:
    choose(cards(home)[0].more.click, "Delete")
    assert [project.title for project in session.projects] == ["Bread"]

    banner = banners(home)[0]
    assert "30 days" in banner.accessibleName()
    banner.button.click()

    assert [project.title for project in session.projects] == ["Velmora", "Bread"]
    assert session.known.state(session.projects[0].run).has_report
    assert banners(home) == []


def test_the_bin_gives_back_after_the_banner_is_gone(
    two: list[Project], session: Session, window: MainWindow, home: HomePage
) -> None:
    home.delete(two[1])
    again = MainWindow(session)
    again.show()
    page = again.pages["home"]
    button = next(button for button in page.findChildren(Button) if button.text() == "Bin (1)")

    choose(button.click, "Put back “Bread”")

    assert [project.title for project in session.projects] == ["Velmora", "Bread"]
    again.close()


def test_what_the_bin_gave_back_is_not_told_to_be_in_it(two: list[Project], home: HomePage) -> None:
    choose(cards(home)[0].more.click, "Delete")
    assert banners(home)

    choose(home._bin.click, "Put back “Velmora”")

    assert banners(home) == []


def test_a_project_that_is_worked_on_is_not_deleted(two: list[Project], session: Session, home: HomePage) -> None:
    run = two[0].run
    assert run is not None
    session.jobs.start(Job(run, ("train",), "Velmora"))
    stopped_child(session)

    choose(cards(home)[0].more.click, "Delete")

    assert two[0].folder.is_dir()
    assert "is being worked on" in banners(home)[0].accessibleName()
    session.jobs.stop_all(wait_ms=0)


def test_a_full_bin_is_emptied_after_its_days(two: list[Project], session: Session) -> None:
    thrown = projects.move_to_bin(two[0])
    old = thrown.folder.with_name(f"{int((time.time() - 31 * 86_400) * 1000)}-velmora")
    thrown.folder.rename(old)
    projects.move_to_bin(two[1])

    projects.empty_bin(session.root)

    assert [each.title for each in projects.binned(session.root)] == ["Bread"]


def test_a_name_that_was_taken_meanwhile_harms_nobody(two: list[Project], session: Session) -> None:
    thrown = projects.move_to_bin(two[0])
    states.project(session.root, "Velmora", created=9)

    back = projects.restore(session.root, thrown)

    assert back.folder.name == "velmora-2"
    assert len(projects.every(session.root)) == 3


def test_the_project_button_leads_to_other_projects(two: list[Project], session: Session, window: MainWindow) -> None:
    menu = window.path.project.menu()
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["Velmora"]

    next(action for action in menu.actions() if action.text() == "Bread").trigger()

    assert session.project is not None and session.project.title == "Bread"
    assert window.path.project.text() == "Bread"


@pytest.mark.parametrize(("step", "station"), [("Practice", 0), ("Train", 1), ("Check", 2)])
def test_a_step_of_the_path_leads_to_its_station(
    two: list[Project], window: MainWindow, qtbot: QtBot, step: str, station: int
) -> None:
    button = next(each for each in window.path.findChildren(QToolButton) if each.accessibleName().startswith(step))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert window.page == "improve"
    assert window.pages["improve"]._stack.currentIndex() == station  # type: ignore[union-attr]


def test_a_long_project_name_leaves_room_for_the_path(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.project(session.root, "The whole service manual of our coffee machines, with all its appendices")
    session.refresh()
    window.resize(960, 640)
    qtbot.wait(20)

    steps = window.path.findChildren(QToolButton)
    assert max(step.mapTo(window, QPoint(step.width(), 0)).x() for step in steps) <= window.width()
    assert "…" in window.path.project.text()
    assert "appendices" in window.path.project.accessibleName()


def test_activity_tells_each_job_and_return_continues_one(
    two: list[Project], session: Session, window: MainWindow, activity: ActivityPage, qtbot: QtBot
) -> None:
    run = two[0].run
    assert run is not None
    states.write_journal(session.journal, [Job(run, ("train",), "Velmora", JobState.PAUSED, time.time() - 60, 50)])
    window.show_page("activity")
    activity.redraw()
    index = activity.model.index(1, 0)
    assert "Training, Velmora, Paused" in index.data(Qt.ItemDataRole.AccessibleTextRole)

    activity.list.setFocus()
    activity.list.setCurrentIndex(index)
    qtbot.keyClick(activity.list, Qt.Key.Key_Return)

    assert session.jobs.current is not None
    assert (session.jobs.current.folder, session.jobs.current.steps) == (run, ("train",))
    session.jobs.stop_all(wait_ms=0)


def test_a_waiting_job_is_taken_out_of_the_queue_by_a_click(
    two: list[Project], session: Session, window: MainWindow, activity: ActivityPage, qtbot: QtBot
) -> None:
    run = two[0].run
    assert run is not None
    window.show_page("activity")
    for steps in (("train",), ("export", "evaluate")):
        session.jobs.start(Job(run, steps, "Velmora"))
    stopped_child(session)
    qtbot.wait(20)
    waiting = activity.model.index(2, 0)
    assert "it begins when training “Velmora” is done or paused" in waiting.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "1 waiting" in window.header.place.whole

    rect = activity.list.visualRect(waiting)
    boxes = dict(activity.list.rows.action_boxes(QRectF(rect), ["remove", "open", "log"]))
    place = boxes["remove"].center().toPoint()
    qtbot.mouseClick(activity.list.viewport(), Qt.MouseButton.LeftButton, pos=place)

    assert session.jobs.waiting == []
    session.jobs.stop_all(wait_ms=0)


def test_open_leads_to_the_project_of_a_job(
    two: list[Project], session: Session, window: MainWindow, activity: ActivityPage, qtbot: QtBot
) -> None:
    run = two[0].run
    assert run is not None
    states.write_journal(session.journal, [Job(run, ("train",), "Velmora", JobState.DONE, time.time() - 60, 50)])
    session.open(two[1])
    window.show_page("activity")
    activity.list.setCurrentIndex(activity.model.index(1, 0))

    activity.list.acted.emit(activity.model.line(1), "open")

    assert session.project == two[0]
    assert window.page == "improve"


def test_repeating_a_training_keeps_the_first_one(two: list[Project], session: Session) -> None:
    run = two[0].run
    assert run is not None

    again = projects.repeat(two[0], run, "train")

    assert again.name == "002"
    assert (run / "report.json").is_file()
    found = projects.state(again)
    assert (found.written, found.has_dataset, found.has_adapter, found.has_report) == (64, True, False, False)


def test_a_damaged_journal_is_told(session: Session, window: MainWindow, activity: ActivityPage) -> None:
    session.journal.write_text("{\n{}\n", encoding="utf-8")
    window.show_page("activity")
    activity.redraw()

    assert activity._banner.isVisible()
    assert "damaged" in activity._banner.accessibleName()


def test_what_is_known_is_read_again_when_it_changes(two: list[Project], session: Session, qtbot: QtBot) -> None:
    run = states.write_practice(two[1], 30)
    assert session.known.state(run).written == 30

    states.write_practice(two[1], 2000)
    with qtbot.waitSignal(session.known.changed, timeout=10_000):
        assert session.known.state(run).written == 30

    assert session.known.state(run).written == 2000


def test_the_path_of_a_home_that_is_empty_is_not_shown(window: MainWindow, own_home: Path) -> None:
    assert not window.path.isVisible()
    assert not (own_home / "projects").exists()


def damage(project: Project) -> None:
    (project.folder / projects.FILE_NAME).write_text("{", encoding="utf-8")


def damaged_cards(home: HomePage) -> list[DamagedCard]:
    QApplication.processEvents()
    return [card for card in home.findChildren(DamagedCard) if card.isVisible()]


def press(card: QWidget, text: str, qtbot: QtBot) -> None:
    button = next(each for each in card.findChildren(Button) if each.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_damaged_project_is_a_card_that_puts_it_right(
    two: list[Project], session: Session, home: HomePage, qtbot: QtBot
) -> None:
    damage(two[0])
    session.refresh()
    (card,) = damaged_cards(home)
    assert [each.project.title for each in cards(home)] == ["Bread"]
    assert any("cannot be read" in text for text in words(card))

    press(card, "Put right", qtbot)

    assert damaged_cards(home) == []
    assert {each.project.title for each in cards(home)} == {"Bread", "velmora"}
    assert any("16" in words(each) for each in cards(home))


def test_a_damaged_project_goes_to_the_bin_and_back(
    two: list[Project], session: Session, home: HomePage, qtbot: QtBot
) -> None:
    damage(two[0])
    session.refresh()
    (card,) = damaged_cards(home)

    press(card, "Delete", qtbot)
    assert damaged_cards(home) == []
    assert not two[0].folder.exists()
    banners(home)[0].button.click()

    assert len(damaged_cards(home)) == 1
    assert (two[0].folder / "lessons").is_dir()


def test_a_home_whose_only_project_is_damaged_is_not_empty(session: Session, window: MainWindow) -> None:
    damage(states.project(session.root))
    session.refresh()
    window.start()
    home = window.pages["home"]
    assert isinstance(home, HomePage)

    assert len(damaged_cards(home)) == 1
    assert window._whole.currentWidget() is window._frame


def test_the_keyboard_stays_where_it_was_when_cards_change(
    two: list[Project], session: Session, home: HomePage, window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    velmora, bread = cards(home)
    bread.stops[2].setFocus()
    states.write_practice(two[1], 40)

    session.refresh()

    new = cards(home)[1]
    assert new is not bread and cards(home)[0] is velmora
    assert window.focusWidget() is new.stops[2]


def test_tab_follows_the_cards_after_they_changed(
    two: list[Project], session: Session, home: HomePage, window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    cards(home)
    states.write_practice(two[0], 40)
    states.project(session.root, "Newest", created=9)
    session.refresh()
    cards(home)
    stops = [stop for card in home._cards for stop in card.stops if stop.isVisible()]

    reached = []
    home._new.setFocus()
    for _ in range(6):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.append(window.focusWidget())

    assert reached == stops[:6]


def test_a_title_that_is_being_written_survives_what_happens_elsewhere(
    two: list[Project], session: Session, home: HomePage, window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    card = cards(home)[1]
    choose(card.more.click, "Rename")
    qtbot.keyClicks(card._field, "Half a na")
    states.write_practice(two[1], 40)

    session.refresh()
    qtbot.keyClicks(card._field, "me")
    qtbot.keyClick(card._field, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: "Half a name" in words(home), timeout=2000)
    assert "of 40 practice questions kept" in words(cards(home)[1])


def test_a_check_that_is_done_offers_its_report_and_not_the_same_again(
    two: list[Project], session: Session, window: MainWindow, activity: ActivityPage, qtbot: QtBot
) -> None:
    run = two[0].run
    assert run is not None
    done = Job(run, ("export", "evaluate"), "Velmora", JobState.DONE, time.time() - 60, 50)
    states.write_journal(session.journal, [done])
    window.show_page("activity")
    activity.redraw()
    assert activity._actions(done) == ["report", "open", "log"]
    activity.list.setFocus()
    activity.list.setCurrentIndex(activity.model.index(1, 0))

    qtbot.keyClick(activity.list, Qt.Key.Key_Return)
    assert window.page == "improve"
    assert "Your topic" in words(window.pages.improve)

    (run / "adapter" / "adapter.json").touch()
    activity.redraw()
    assert activity._actions(done) == ["repeat", "open", "log"]


def new_project(window: MainWindow, home: HomePage) -> NewProject:
    """The card that asks for a name, as a press on New project opens it."""
    window.show_page("home")
    home._new.click()
    QApplication.processEvents()
    assert home.new.isVisible() and home.new.name.hasFocus()
    return home.new


@pytest.mark.parametrize(
    ("name", "title", "folder"),
    [
        ("Über uns / 2026", "Über uns / 2026", "über-uns---2026"),
        ("  our \t manual\n", "our manual", "our-manual"),
        ("日本の鉄道", "日本の鉄道", "日本の鉄道"),
        ("../..", "../..", "project"),
        ("x" * 80, "x" * 80, "x" * 60),
        ("🌊🌊", "🌊🌊", "project"),
    ],
)
def test_a_new_project_is_asked_for_its_name_alone_and_gets_its_place(
    two: list[Project], window: MainWindow, home: HomePage, session: Session, qtbot: QtBot,
    name: str, title: str, folder: str,
) -> None:  # fmt: skip
    card = new_project(window, home)
    card.name.setText(name)
    assert card._place.whole.endswith(str(session.root / folder))

    qtbot.keyClick(card.name, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: window.page == "library", timeout=20_000)
    assert session.project is not None and session.project.title == title
    assert session.project.folder == session.root / folder and projects.read(session.root / folder).title == title
    assert card.isHidden()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "A project needs a name. A word or two"),
        (" \t ", "A project needs a name."),
        ("ä" * 200, "The name has 200 letters; 80 fit. Shorten it."),
        ("VELMORA", "There is a project “VELMORA” already. Choose another name"),
    ],
)
def test_a_name_that_will_not_do_gets_a_sentence_and_nothing_is_made(
    two: list[Project], window: MainWindow, home: HomePage, session: Session, qtbot: QtBot, name: str, why: str
) -> None:
    card = new_project(window, home)
    before = sorted(session.root.iterdir())
    card.name.setText(name)

    card.make_it.click()

    assert why in card._why.text() and card._wrong.isVisible()
    assert card.isVisible() and sorted(session.root.iterdir()) == before
    card.name.setText("Letters")
    assert not card._wrong.isVisible()


def test_a_full_disk_is_told_where_the_name_was_asked_and_the_name_stays(
    window: MainWindow, home: HomePage, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = new_project(window, home)
    card.name.setText("Letters")
    made = Path.mkdir

    def full(path: Path, *arguments: Any, **more: Any) -> None:
        if path.name == "lessons":
            raise OSError(errno.ENOSPC, "No space left on device")
        made(path, *arguments, **more)

    monkeypatch.setattr(Path, "mkdir", full)
    card.make_it.click()
    qtbot.waitUntil(card._wrong.isVisible, timeout=20_000)
    assert "full" in card._why.text() and card.name.text() == "Letters"
    assert session.projects == []

    monkeypatch.setattr(Path, "mkdir", made)
    card.make_it.click()
    qtbot.waitUntil(lambda: [each.title for each in session.projects] == ["Letters"], timeout=20_000)


def test_the_lessons_of_a_folder_begin_a_project(
    window: MainWindow, home: HomePage, session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "from Ada" / "knowledge" / "islands"
    shutil.copytree(paths.resources() / "practice" / "velmora", folder / "velmora")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "from Ada"))
    window.show_page("new:lessons")
    card = home.new

    qtbot.waitUntil(lambda: "velmora" in card._lessons.text().lower(), timeout=20_000)
    assert card.name.text()
    card.name.setText("Mine")
    card.make_it.click()

    qtbot.waitUntil(lambda: window.page == "lesson", timeout=20_000)
    assert session.project is not None and session.project.title == "Mine"
    assert (session.project.lessons / "knowledge" / "islands" / "velmora" / "qna.yaml").is_file()


def test_a_folder_without_lessons_is_told_and_two_with_one_place_are_refused(
    window: MainWindow, home: HomePage, session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = new_project(window, home)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    (tmp_path / "empty").mkdir()
    card.folder.click()
    qtbot.waitUntil(lambda: "There is no lesson in" in card._why.text(), timeout=20_000)

    for name in ("a", "b"):
        shutil.copytree(paths.resources() / "practice" / "velmora", tmp_path / name / "knowledge" / "velmora")
    card.folder.click()
    qtbot.waitUntil(card._without.isVisible, timeout=20_000)
    card.name.setText("Twice")
    card.make_it.click()
    qtbot.waitUntil(lambda: "Two lessons have the same place" in card._why.text(), timeout=20_000)
    assert session.projects == []

    qtbot.keyClick(card.name, Qt.Key.Key_Escape)
    assert card.isHidden()


def test_a_project_without_a_lesson_leads_to_the_library_from_everywhere(
    window: MainWindow, home: HomePage, session: Session, qtbot: QtBot
) -> None:
    session.open(projects.create(session.root, "Letters", []))

    for page in ("home", "lesson", "improve"):
        window.show_page(page)
        QApplication.processEvents()
        window.next_line.button.click()
        assert window.page == "library", page
    window.show_page("home")
    assert "Choose its first lesson in the library." in words(cards(home)[0])
    with qtbot.waitSignal(session.refused) as refused:
        session.begin("practice")
    assert "has no lesson yet" in refused.args[0].message
    assert session.project is not None and session.project.run is None

    projects.add_lessons(session.project, [paths.resources() / "practice" / "velmora"])
    session.refresh()
    assert "Ready for practice questions." in words(cards(home)[0])


def test_a_project_is_not_renamed_to_what_another_one_is_called(two: list[Project], home: HomePage) -> None:
    home.rename(two[0], "bread")

    assert projects.read(two[0].folder).title == "Velmora"
    assert "There is a project “bread” already." in banners(home)[0].accessibleName()
    home.rename(two[0], "VELMORA")
    assert projects.read(two[0].folder).title == "VELMORA"
