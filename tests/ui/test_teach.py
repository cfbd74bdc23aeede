"""From the library into the editor of a lesson and back, and from a file in the wild to a lesson."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from lab_desktop.taxonomy.qna import read_draft, read_leaf
from lab_desktop.ui.editor.import_sheet import ImportSheet
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.ui.test_library import NOTE, VELMORA, hand, opened, settled

SAVED_MS = 10_000


def test_a_lesson_of_the_library_is_written_and_found_again(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.library(session.home)
    page = opened(window, qtbot)
    hand(page, NOTE, qtbot)

    page._open(NOTE)
    lesson = window.pages.lesson
    assert window.pages.currentWidget() is lesson
    assert window.next_line.button.text() == "Back to the library"
    lesson.editor.skill.about.selectAll()
    qtbot.keyClicks(lesson.editor.skill.about, "Errands become notes about zeppelins.")
    window.next_line.button.click()
    assert window.pages.currentWidget() is page
    assert read_leaf(session.library / NOTE).task_description == "Errands become notes about zeppelins."
    settled(page, qtbot)

    qtbot.keyClicks(page.toolbar.field, "zeppelins")
    qtbot.waitUntil(lambda: [row.title for row in page.middle.list.rows] == ["Errand note"], timeout=SAVED_MS)
    window.show_page("lesson")
    assert lesson.editor.desk.lesson is None  # no project is in hand, and the library has its lesson back


def test_a_new_lesson_opens_in_its_editor(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.library(session.home)
    page = opened(window, qtbot)
    hand(page, "knowledge/history", qtbot)
    page.begin_lesson()
    qtbot.keyClicks(page.right.places.title, "Osmery tides")
    qtbot.waitUntil(lambda: bool(page.right.places.places.rows), timeout=SAVED_MS)

    qtbot.mouseClick(page.right.places.button, Qt.MouseButton.LeftButton)

    lesson = window.pages.lesson
    qtbot.waitUntil(lambda: lesson.editor.desk.lesson is not None, timeout=SAVED_MS)
    assert window.pages.currentWidget() is lesson
    assert lesson.editor.desk.lesson is not None
    assert lesson.editor.desk.lesson.title == "Osmery tides"
    assert lesson.editor.part == "source"
    window.next_line.button.click()
    focused = QApplication.focusWidget()
    assert focused is not None and lesson.isAncestorOf(focused)
    lesson.editor.show_part("place")
    author = lesson.editor.place.field("created_by")
    assert isinstance(author, QPlainTextEdit)
    qtbot.keyClicks(author, "mara")
    folder = lesson.editor.desk.folder
    assert folder is not None
    window.show_page("library")
    assert read_draft(folder).created_by == "mara"


def test_a_lesson_that_was_renamed_meanwhile_is_open_and_one_that_is_gone_is_told(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    states.library(session.home)
    page = opened(window, qtbot)
    page._open(VELMORA)
    window.show_page("library")
    settled(page, qtbot)

    page.shelf.act(lambda library: library.rename(Path(VELMORA), "Velmora old"))
    settled(page, qtbot)
    window.show_page("edit")

    renamed = (session.library / VELMORA).with_name("velmora_old")
    assert window.pages.lesson.editor.desk.folder == renamed
    window.show_page("library")
    renamed.rename(session.home / "elsewhere")
    window.show_page("edit")

    assert window.pages.lesson._banner.isVisible()
    assert not window.pages.lesson.editor.isVisible()
    assert not renamed.exists()


def test_a_broken_lesson_file_is_shown_with_its_repairs_before_it_is_written(
    session: Session, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    states.library(session.home)
    page = opened(window, qtbot)
    hand(page, NOTE, qtbot)
    wild = tmp_path / "wild" / "qna.yaml"
    wild.parent.mkdir()
    examples = "".join(
        f"- question: Shout {word}\n\tanswer: {word.upper()}   \n" for word in ("a", "b", "c", "d", "Yes")
    )
    wild.write_text(f"version: 2\ntask_description: Shout: loud\ncreated_by: me # a friend\nseed_examples:\n{examples}")

    page.import_file(wild)
    qtbot.waitUntil(lambda: any(sheet.isVisible() for sheet in page.findChildren(ImportSheet)), timeout=SAVED_MS)
    sheet = page.findChildren(ImportSheet)[0]
    before = wild.read_bytes()
    qtbot.mouseClick(sheet.take, Qt.MouseButton.LeftButton)
    lesson = window.pages.lesson
    qtbot.waitUntil(lambda: lesson.editor.desk.lesson is not None, timeout=SAVED_MS)

    assert lesson.editor.desk.folder is not None
    leaf = read_leaf(lesson.editor.desk.folder)
    assert leaf.task_description == "Shout: loud"
    assert [example.pairs[0].answer for example in leaf.seed_examples] == ["A", "B", "C", "D", "YES"]
    assert wild.read_bytes() == before
    assert (lesson.editor.desk.folder / ".originals").is_dir()
