"""ui/editor: the original of a lesson's text, alone or beside it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from lab_desktop.documents.convert import convert
from lab_desktop.documents.source import keep, record_of, source_of
from lab_desktop.editing.lesson import add_document
from lab_desktop.ui.editor.cards import QuestionCard
from lab_desktop.ui.editor.facts import FactsEditor
from lab_desktop.ui.editor.lesson_editor import LessonEditor
from lab_desktop.ui.editor.original import Words
from lab_desktop.ui.editor.pages_view import PagesView
from lab_desktop.ui.editor.reading import Reading
from lab_desktop.ui.editor.text import DocumentText, find
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.session import Session
from tests.documents.makers import book
from tests.documents.test_drawing import busy_child, pages, slow_page
from tests.documents.test_shown import png
from tests.screenshots import states

WAIT_MS = 10_000
"""A child begins within a second, but this machine may be busy."""


@pytest.fixture(scope="module")
def kept_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice lesson, its text from a PDF of three pages."""
    folder = tmp_path_factory.mktemp("pdf") / "velmora"
    shutil.copytree(states.LESSON, folder)
    states.bring_pdf(folder)
    return folder


@pytest.fixture
def lesson(kept_pdf: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge" / "islands" / "velmora"
    shutil.copytree(kept_pdf, folder)
    return folder


@pytest.fixture
def editor(session: Session, qtbot: QtBot) -> Iterator[LessonEditor]:
    made = LessonEditor(session.chat, lambda: None)
    qtbot.addWidget(made, before_close_func=lambda _: made.close_lesson())
    made.resize(1000, 700)
    made.show()
    yield made
    made.close_lesson()
    assert children() == []


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if {"--draw", "--convert"} & set(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def press(reading: Reading, name: str) -> None:
    next(each for each in reading.switch.findChildren(QToolButton) if each.text() == name).click()


def offered(reading: Reading) -> list[str]:
    return [each.text() for each in reading.switch.findChildren(QToolButton) if each.isVisible()]


def opened(editor: LessonEditor, lesson: Path, side: str, qtbot: QtBot) -> Reading:
    editor.open(lesson)
    reading = editor.facts.reading
    press(reading, side)
    qtbot.waitUntil(lambda: reading.original.pages.is_drawn and reading.places is not None, timeout=WAIT_MS)
    QApplication.processEvents()
    return reading


def at_top(text: DocumentText) -> str:
    start = text.first_in_sight()
    return text.toPlainText()[start : start + 60]


def test_the_original_stands_beside_its_text_and_the_questions_step_aside(
    editor: LessonEditor, lesson: Path, qtbot: QtBot
) -> None:
    reading = opened(editor, lesson, "Both", qtbot)
    assert reading.original.isVisible() and reading.text.isVisible() and not editor.facts.add.isVisible()
    assert len(reading.original.pages.sizes) == 3 and len(children()) == 1
    picture = reading.original.pages.grab().toImage()
    colours = {picture.pixelColor(x, 60).name() for x in range(picture.width())}
    assert "#ffffff" in colours and len(colours) > 5

    qtbot.mouseClick(editor.facts.questions, Qt.MouseButton.LeftButton)

    assert editor.facts.add.isVisible() and not reading.original.isVisible()
    assert children() == []


def test_a_lesson_that_came_without_an_original_has_nothing_to_switch(
    editor: LessonEditor, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.copytree(states.LESSON, tmp_path / "velmora")
    editor.facts.reading.choose("page")

    editor.open(tmp_path / "velmora")

    assert not editor.facts.reading.switch.isVisible() and editor.facts.text.isVisible()


def test_a_page_that_is_pressed_brings_its_text_and_a_passage_its_page(
    editor: LessonEditor, lesson: Path, qtbot: QtBot
) -> None:
    reading = opened(editor, lesson, "Both", qtbot)
    view = reading.original.pages
    view.verticalScrollBar().setValue(round(view.viewport().height() * 1.2))
    _, place = reading.places.known[1]
    view.show_page(1)

    view.show_page(2)
    view.chosen.emit(2.0)
    assert reading.text.toPlainText()[place + 20 : place + 40] in at_top(reading.text)

    reading.text.verticalScrollBar().setValue(0)
    assert view.position() < 1.3
    editor.facts.show_passage(4)
    start, _ = find(reading.text.toPlainText(), editor.desk.lesson.examples[4].context)
    page = reading.places.page_at(start)
    assert page is not None and page > 1.8 and abs(view.position() - page) < 0.5


def test_a_selection_beside_the_original_becomes_a_passage(editor: LessonEditor, lesson: Path, qtbot: QtBot) -> None:
    reading = opened(editor, lesson, "Both", qtbot)
    text = reading.text
    start, end = find(text.toPlainText(), "About 2,600 mossback goats live on Velmora")
    cursor = text.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, cursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)

    qtbot.mouseClick(text.use, Qt.MouseButton.LeftButton)

    assert editor.desk.lesson.examples[-1].context.startswith("About 2,600 mossback goats")
    assert reading.original.isVisible()


def test_a_question_that_is_to_be_written_brings_the_questions_back(
    editor: LessonEditor, lesson: Path, qtbot: QtBot
) -> None:
    opened(editor, lesson, "Both", qtbot)

    editor.facts.add_question()

    assert editor.facts.add.isVisible()


def test_where_only_the_original_is_seen_a_passage_brings_its_page_and_a_sentence_the_text(
    editor: LessonEditor, lesson: Path, qtbot: QtBot
) -> None:
    reading = opened(editor, lesson, "Page", qtbot)
    assert reading.original.position() < 1.5

    editor.facts.show_passage(4)
    assert reading.original.position() > 1.8 and not reading.text.isVisible()
    card = next(card for card in editor.facts.findChildren(QuestionCard) if card.isVisible())
    qtbot.mouseClick(card.found, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: len(reading.text.extraSelections()) == 1, timeout=WAIT_MS)
    assert reading.text.isVisible()


def test_where_both_would_be_slivers_one_is_shown_and_both_come_back_with_the_room(
    editor: LessonEditor, lesson: Path, qtbot: QtBot
) -> None:
    reading = opened(editor, lesson, "Both", qtbot)

    editor.resize(700, 600)
    QApplication.processEvents()
    assert offered(reading) == ["Page", "Text"] and reading.seen == "text" and editor.facts.add.isVisible()
    press(reading, "Page")
    assert reading.seen == "page" and not reading.text.isVisible()

    reading.choose("both")
    editor.resize(1000, 600)
    QApplication.processEvents()
    assert offered(reading) == ["Page", "Text", "Both"] and reading.seen == "both"
    editor.resize(1400, 600)
    QApplication.processEvents()
    assert reading.seen == "both" and editor.facts.add.isVisible() and not editor.facts.questions.isVisible()


def test_what_was_chosen_is_remembered(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    states.bring_pdf(states.project(session.root).lessons / states.LEAF)
    session.refresh()
    window.show_page("lesson")
    page = window.pages["lesson"]
    assert isinstance(page, LessonPage)
    press(page.editor.facts.reading, "Page")

    again = Session(session.home)
    other = LessonPage(again)
    qtbot.addWidget(other)

    assert again.preferences.choices.reading == "page" and other.editor.facts.reading.side == "page"
    window.show_page("home")
    assert children() == []


def test_only_what_is_in_sight_is_drawn_of_300_pages(qtbot: QtBot, tmp_path: Path, editor: LessonEditor) -> None:
    folder = brought(tmp_path, pages(300))
    reading = opened(editor, folder, "Page", qtbot)
    view = reading.original.pages
    drawn: list[int] = []
    reading.original._loader.drawn.connect(lambda page, width, image: drawn.append(page))
    began = time.thread_time()

    for value in range(0, view.verticalScrollBar().maximum(), 4000):
        view.verticalScrollBar().setValue(value)
        view.grab()
    took = time.thread_time() - began
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: view.is_drawn and 299 in drawn, timeout=WAIT_MS)

    assert view.page == 300 and len(drawn) < 60 and took < 3
    assert "Page 300 of 300" in reading.original._where.whole


def test_pictures_are_kept_within_a_limit(qtbot: QtBot) -> None:
    view = PagesView()
    qtbot.addWidget(view)
    view.resize(500, 600)
    asked: list[list[tuple[int, int]]] = []
    view.wanted.connect(asked.append)
    view.show_pages(((600.0, 800.0),) * 50, ())

    for page in range(20):
        view.show_position(page + 1.0)
        view.show_picture(page, dict(asked[-1])[page], QImage(1500, 2000, QImage.Format.Format_RGB32))
    view.ask()
    assert 19 not in dict(asked[-1])
    view.show_position(1.0)

    assert 0 in dict(asked[-1])  # it made room for others and is asked for again


@pytest.mark.slow
def test_a_page_whose_drawing_dies_is_a_sentence_that_can_be_tried_again(
    qtbot: QtBot, tmp_path: Path, editor: LessonEditor
) -> None:
    reading = opened_at_slow_page(editor, tmp_path, qtbot)
    view = reading.original.pages
    for child in children():
        child.kill()
    qtbot.waitUntil(lambda: view.trouble_of(1) is not None, timeout=WAIT_MS)
    trouble = view.trouble_of(1)
    assert trouble is not None and trouble.isVisible()
    assert trouble.said.text().startswith('A page of "a.pdf" could not be shown')
    (tmp_path / "new" / ".originals" / "a.pdf").write_bytes(pages(2))

    qtbot.mouseClick(trouble.again, Qt.MouseButton.LeftButton)

    assert view.trouble_of(1) is None
    qtbot.waitUntil(lambda: view.is_drawn and view.trouble_of(1) is None, timeout=WAIT_MS)


@pytest.mark.slow
def test_closing_in_the_middle_of_a_page_does_not_wait(qtbot: QtBot, tmp_path: Path, editor: LessonEditor) -> None:
    opened_at_slow_page(editor, tmp_path, qtbot)
    began = time.thread_time()

    editor.close_lesson()

    assert children() == [] and time.thread_time() - began < 0.5


def opened_at_slow_page(editor: LessonEditor, folder: Path, qtbot: QtBot) -> Reading:
    """The first page is drawn, and the child is at the second."""
    reading = opened(editor, brought(folder, pages(1)), "Page", qtbot)
    editor.close_lesson()
    source = source_of(folder / "new" / "a.md")
    assert source is not None
    source.original.write_bytes(slow_page())
    editor.open(folder / "new")
    view = reading.original.pages
    qtbot.waitUntil(lambda: len(view.sizes) == 2, timeout=WAIT_MS)
    view.show_page(2)
    begun: dict[int, float] = {}
    qtbot.waitUntil(lambda: busy_child(begun) is not None, timeout=WAIT_MS)
    return reading


def test_a_missing_and_a_broken_original_are_sentences(editor: LessonEditor, lesson: Path, qtbot: QtBot) -> None:
    source = source_of(lesson / "velmora.md")
    assert source is not None
    data = source.original.read_bytes()
    source.original.unlink()
    editor.open(lesson)
    original = editor.facts.reading.original
    press(editor.facts.reading, "Page")
    assert original.said.text().startswith("The original “velmora.pdf” is not there any more.")
    assert not original.again.isVisible() and not original.open_it.isVisible()

    editor.close_lesson()
    source.original.write_bytes(b"%PDF-1.4 nothing")
    editor.open(lesson)
    qtbot.waitUntil(lambda: "is damaged" in original.said.text(), timeout=WAIT_MS)
    assert original.again.isVisible()

    source.original.write_bytes(data)
    qtbot.mouseClick(original.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: original.pages.is_drawn, timeout=WAIT_MS)


def test_a_scanned_page_says_so_at_its_place(editor: LessonEditor, lesson: Path, qtbot: QtBot) -> None:
    view = opened(editor, lesson, "Page", qtbot).original.pages

    assert [bool(view.said_of(page)) for page in range(3)] == [False, False, True]
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    strip = view.grab(view.rect().adjusted(0, view.height() - 40, -20, 0)).toImage()
    assert len({strip.pixelColor(x, y).name() for x in range(strip.width()) for y in range(strip.height())}) > 5


def test_each_document_of_a_lesson_has_its_own_original(
    editor: LessonEditor, lesson: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    page = tmp_path / "notes.html"
    page.write_text("<h1>Notes</h1>" + "<p>On Velmora every second door is blue, as has been said before.</p>" * 40)
    keep(lesson, page, convert(page))
    reading = opened(editor, lesson, "Both", qtbot)
    text = (lesson / "notes.md").read_text()
    editor.desk.do(lambda lesson: add_document(lesson, "notes.md", text), "add document")
    facts: FactsEditor = editor.facts

    facts.documents.setCurrentText("notes.md")
    facts.documents.activated.emit(facts.documents.currentIndex())

    words = reading.original.words
    qtbot.waitUntil(lambda: "every second door is blue" in words.toPlainText(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: reading.places is not None, timeout=WAIT_MS)
    assert words.isVisible() and children() == []
    bar = reading.text.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert words.verticalScrollBar().value() > 0

    facts.documents.setCurrentText("velmora.md")
    facts.documents.activated.emit(facts.documents.currentIndex())
    qtbot.waitUntil(lambda: reading.original.pages.is_drawn, timeout=WAIT_MS)


def test_a_picture_inside_a_book_is_shown(editor: LessonEditor, lesson: Path, tmp_path: Path, qtbot: QtBot) -> None:
    page = "<p>On Velmora every second door is red.</p><img src='door.png' alt='a door'/>"
    file = tmp_path / "velmora.epub"
    file.write_bytes(book({"a.xhtml": page}, more={"OPS/door.png": png(200, 100, b"\xff\0\0")}))
    shutil.rmtree(lesson / ".originals")
    (lesson / "velmora.md").unlink()
    keep(lesson, file, convert(file))
    editor.open(lesson)
    press(editor.facts.reading, "Page")

    words = editor.facts.reading.original.words
    qtbot.waitUntil(lambda: "second door" in words.toPlainText(), timeout=WAIT_MS)

    shot = words.grab().toImage()
    seen = [shot.pixelColor(x, y).name() for x in range(shot.width()) for y in range(0, 200, 10)]
    assert seen.count("#ff0000") > 1000


def test_where_pages_were_not_noted_they_are_found_and_noted(editor: LessonEditor, lesson: Path, qtbot: QtBot) -> None:
    record = record_of(lesson / "velmora.md")
    value = json.loads(record.read_text())
    wanted = value.pop("starts")
    record.write_text(json.dumps(value))

    reading = opened(editor, lesson, "Both", qtbot)

    assert reading.places is not None and reading.places.is_known
    assert json.loads(record.read_text())["starts"] == wanted


def test_a_search_for_pages_ends_with_the_window_and_is_taken_up_again(
    editor: LessonEditor, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = brought(tmp_path, pages(300))
    record = record_of(folder / "a.md")
    record.write_text(json.dumps({**json.loads(record.read_text()), "starts": []}))
    editor.open(folder)
    press(editor.facts.reading, "Both")
    qtbot.waitUntil(lambda: any("--convert" in child.cmdline() for child in children()), timeout=WAIT_MS)

    editor.hide()
    assert children() == []

    editor.show()
    qtbot.waitUntil(lambda: editor.facts.reading.places is not None, timeout=3 * WAIT_MS)
    assert json.loads(record.read_text())["starts"]


def test_where_it_is_not_known_where_pages_stand_it_is_said(editor: LessonEditor, lesson: Path, qtbot: QtBot) -> None:
    (lesson / "velmora.md").write_text("Quite another text, which somebody wrote over it.\n")

    reading = opened(editor, lesson, "Both", qtbot)

    assert reading._unknown.isVisible() and "do not move together" in reading._unknown.text()


def test_a_text_fetches_nothing_and_reads_no_file(qtbot: QtBot, tmp_path: Path) -> None:
    picture = QImage(300, 300, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(tmp_path / "a.png"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        at = f"http://127.0.0.1:{server.getsockname()[1]}/a.png"
        named = f"![one]({at}) ![two]({(tmp_path / 'a.png').as_uri()}) ![three]({tmp_path / 'a.png'})\n"
        text, words = DocumentText(), Words()
        for view in (text, words):
            qtbot.addWidget(view)
            view.resize(600, 500)
            view.show()
        text.show_text(named, ())
        words.document().setMarkdown(named)
        QApplication.processEvents()
        for view in (text, words):
            shot = view.grab().toImage()
            assert "#ff0000" not in {shot.pixelColor(x, y).name() for x in range(0, 600, 5) for y in range(0, 500, 5)}
        with pytest.raises(TimeoutError):
            server.accept()


def brought(folder: Path, data: bytes) -> Path:
    """A lesson whose text comes from a PDF."""
    lesson = folder / "new"
    lesson.mkdir()
    shutil.copy(states.LESSON / "qna.yaml", lesson)
    text = (lesson / "qna.yaml").read_text(encoding="utf-8")
    (lesson / "qna.yaml").write_text(text.replace("velmora.md", "a.md"), encoding="utf-8")
    (folder / "a.pdf").write_bytes(data)
    keep(lesson, folder / "a.pdf", convert(folder / "a.pdf"))
    return lesson
