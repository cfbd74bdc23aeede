"""ui/help_window.py and resources/help: what is written is found, read by keys, and leads nowhere outside."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QTextCursor
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLineEdit, QListWidget, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import paths
from lab_desktop.errors import LabError
from lab_desktop.projects import STATIONS
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.help_pictures import PLACE
from lab_desktop.ui.help_texts import ARTICLE_OF, Article, find_words, read_articles, read_words
from lab_desktop.ui.help_window import HelpWindow
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.share.sheet import ShareSheet
from lab_desktop.ui.preferences import Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import DARK, LIGHT
from tests.screenshots import states

FOLDER = paths.resources() / "help"
ARTICLES = read_articles(FOLDER)
WORDS = read_words(FOLDER / "glossary.yaml")


@pytest.fixture
def help_window(window: MainWindow, qtbot: QtBot) -> HelpWindow:
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    found = window.findChild(HelpWindow)
    assert found is not None
    qtbot.waitUntil(found.isActiveWindow, timeout=2000)
    return found


def names(window: HelpWindow) -> list[str]:
    return [window.names.item(number).text() for number in range(window.names.count())]


def shown(window: HelpWindow) -> str:
    return window.page.toPlainText()


def test_help_opens_with_the_page_in_front_and_keys_walk_through_all(help_window: HelpWindow, qtbot: QtBot) -> None:
    assert names(help_window) == [article.title for article in ARTICLES]
    assert shown(help_window).startswith("Home and projects")  # of the page in front

    qtbot.keyClick(help_window.search, Qt.Key.Key_Down)
    assert help_window.names.hasFocus()
    for article in ARTICLES[1:]:
        qtbot.keyClick(help_window.names, Qt.Key.Key_Down)
        assert shown(help_window).startswith(article.title)


def test_a_word_finds_articles_and_words(help_window: HelpWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(help_window.search, "forget")
    assert names(help_window)[0] == "Training and forgetting"
    assert "Training and forgetting" in shown(help_window)

    qtbot.mouseClick(help_window._kind._buttons["words"], Qt.MouseButton.LeftButton)
    help_window.search.setText("epoch")
    assert names(help_window) == ["Round"]
    assert "One time through all practice questions." in shown(help_window)


def test_what_only_the_words_know_is_found_from_the_articles(help_window: HelpWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(help_window.search, "quantize")

    assert help_window._kind.chosen == "words"
    assert names(help_window) == ["Make smaller"]


def test_nothing_found_is_said_and_escape_goes_back_and_then_closes(help_window: HelpWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(help_window.search, "zebra")
    assert names(help_window) == []
    assert "Nothing is written about “zebra”" in shown(help_window)

    qtbot.keyClick(help_window.search, Qt.Key.Key_Escape)
    assert len(names(help_window)) == len(ARTICLES)
    qtbot.keyClick(help_window.search, Qt.Key.Key_Escape)
    assert not help_window.isVisible()


def test_a_link_is_followed_by_key_and_back_returns(help_window: HelpWindow, qtbot: QtBot) -> None:
    help_window.open("path")
    help_window.page.setFocus()
    qtbot.keyClick(help_window.page, Qt.Key.Key_Tab)
    qtbot.keyClick(help_window.page, Qt.Key.Key_Return)
    assert shown(help_window).startswith("Home and projects")
    assert help_window.names.currentItem().text() == "Home and projects"

    qtbot.mouseClick(help_window._back, Qt.MouseButton.LeftButton)
    assert shown(help_window).startswith("The path from a text to a report")
    assert not help_window._back.isVisible()


def test_back_by_key_returns_to_the_place_that_was_left(help_window: HelpWindow, qtbot: QtBot) -> None:
    help_window.open("path")
    help_window.page.setFocus()
    for _ in range(7):
        qtbot.keyClick(help_window.page, Qt.Key.Key_Tab)
    left = help_window.page.verticalScrollBar().value()
    assert left > 0
    qtbot.keyClick(help_window.page, Qt.Key.Key_Return)
    assert shown(help_window).startswith("Chat and compare")

    press(help_window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert shown(help_window).startswith("The path from a text to a report")
    assert help_window.page.verticalScrollBar().value() == left


def test_what_is_looked_for_is_marked_and_in_sight(help_window: HelpWindow, qtbot: QtBot) -> None:
    def marked() -> list[str]:
        return [piece.cursor.selectedText().casefold() for piece in help_window.page.extraSelections()]

    qtbot.keyClicks(help_window.search, "half-way")
    assert names(help_window) == ["Settings"]
    assert marked() == ["half-way"]
    (piece,) = help_window.page.extraSelections()
    assert help_window.page.viewport().rect().contains(help_window.page.cursorRect(piece.cursor))

    help_window.search.clear()
    assert marked() == []


def test_an_article_is_copied_by_keys_without_its_pictures(help_window: HelpWindow, qtbot: QtBot) -> None:
    help_window.open("path")
    help_window.page.setFocus()
    qtbot.keyClick(help_window.page, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(help_window.page, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)

    copied = QApplication.clipboard().text()
    assert copied == shown(help_window).replace(f"{PLACE}\n", "").rstrip()
    assert "the report puts the same" in copied.casefold()


def test_what_was_copied_does_not_crash_the_program_at_its_end() -> None:
    """The clipboard is cleared when Python is gone already, so it may hold nothing that Python made."""
    script = """if True:
        from PySide6.QtWidgets import QApplication
        from lab_desktop.ui.help_window import HelpWindow
        app = QApplication([])
        help = HelpWindow()
        help.page.show_markdown("# Look")
        help.page.selectAll()
        help.page.copy()
        print(app.clipboard().text())
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.returncode) == ("Look\n", 0)


def test_a_word_leads_to_the_article_that_tells_more(window: MainWindow, help_window: HelpWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    qtbot.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    assert names(help_window) == [word.word for word in WORDS]
    qtbot.waitUntil(help_window.search.hasFocus, timeout=2000)

    help_window.page.anchorClicked.emit(QUrl("training"))

    assert shown(help_window).startswith("Training and forgetting")


def test_a_link_outside_is_text_with_its_address_and_opens_nothing(
    help_window: HelpWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    page = help_window.page
    page.show_markdown(
        "# Look\n\n[here](https://example.com/x) and [there](file:///etc/passwd) and [lessons](lesson) "
        "<b>bold</b> <img src='file:///etc/hostname'> ![picture](file:///etc/hostname)"
    )

    assert "here (https://example.com/x) and there (file:///etc/passwd) and lessons" in shown(help_window)
    assert shown(help_window).endswith(" picture")
    links = {page.anchorAt(page.cursorRect(at).center()) for at in cursors(page.document())}
    assert links - {""} == {"lesson"}
    before = shown(help_window)
    page.anchorClicked.emit(QUrl("https://example.com/x"))
    assert (shown(help_window), opened) == (before, [])
    assert page.loadResource(2, QUrl("file:///etc/hostname")) is None


def cursors(document: object) -> list[QTextCursor]:
    """A cursor before every letter of a document."""
    made = []
    cursor = QTextCursor(document)  # type: ignore[call-overload]
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter):
        made.append(QTextCursor(cursor))
    return made


def test_missing_help_is_a_sentence_and_no_crash(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab_desktop.paths.resources", lambda: tmp_path)

    window = HelpWindow()
    qtbot.addWidget(window)

    assert "cannot be read" in shown(window)


@pytest.mark.parametrize("text", ["- word: [", "- 5", "words: 7", "- {word: a, colour: b}", ""])
def test_a_damaged_glossary_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "glossary.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"glossary\.yaml"):
        read_words(tmp_path / "glossary.yaml")


@pytest.mark.parametrize("percent", [100, 160])
def test_every_article_fits_the_smallest_window(
    help_window: HelpWindow, session: Session, qtbot: QtBot, percent: int
) -> None:
    session.preferences.choose(Choices("light", percent))
    qtbot.waitUntil(help_window.updatesEnabled)
    help_window.resize(640, 480)
    for article in ARTICLES:
        help_window.open(article.name)
        qtbot.wait(20)
        page = help_window.page
        assert page.document().size().width() <= page.viewport().width() + 1


def test_the_text_is_laid_out_for_the_room_beside_the_scroll_bar(help_window: HelpWindow, qtbot: QtBot) -> None:
    for article in ARTICLES:
        help_window.open(article.name)
        qtbot.wait(20)
        assert help_window.page.document().textWidth() <= help_window.page.viewport().width()


PICTURES = re.compile(r"!\[(.+?)\]\((.+?)\)")


def box_of_picture(window: HelpWindow) -> QRectF:
    """Where the picture of an article stands in its text."""
    document = window.page.document()
    (at,) = (at for at, letter in enumerate(document.toPlainText()) if letter == PLACE)
    block = document.findBlock(at)
    return document.documentLayout().blockBoundingRect(block)


@pytest.mark.parametrize(
    "article", [each for each in ARTICLES if PICTURES.search(each.text)], ids=lambda each: each.name
)
def test_a_picture_is_drawn_and_said_in_words(help_window: HelpWindow, article: Article, qtbot: QtBot) -> None:
    ((told, name),) = PICTURES.findall(article.text)
    help_window.open(article.name)

    assert f"{PLACE}\n{told}\n" in shown(help_window)
    drawn = QSvgRenderer(str(FOLDER / "pictures" / name)).defaultSize()
    assert drawn.height() <= box_of_picture(help_window).height() < drawn.height() + 20


def test_a_picture_has_the_colours_of_the_look_and_grows_with_the_text(
    help_window: HelpWindow, session: Session, qtbot: QtBot
) -> None:
    def colours() -> set[str]:
        seen = help_window.page.grab().toImage()
        return {seen.pixelColor(x, y).name() for x in range(0, seen.width(), 3) for y in range(0, seen.height(), 3)}

    help_window.open("path")
    help_window.resize(1200, 900)
    assert LIGHT.tint.lower() in colours()
    high = box_of_picture(help_window).height()

    session.preferences.choose(Choices("dark", 150))
    qtbot.waitUntil(help_window.updatesEnabled)
    qtbot.waitUntil(lambda: DARK.tint.lower() in colours())
    assert LIGHT.tint.lower() not in colours()
    big = box_of_picture(help_window).height()
    assert big > 1.4 * high

    help_window.resize(help_window.minimumSize())
    qtbot.waitUntil(lambda: box_of_picture(help_window).height() < big)


def test_headings_are_larger_than_the_text_and_follow_the_text_size(
    help_window: HelpWindow, session: Session, qtbot: QtBot
) -> None:
    def size_of_heading() -> int:
        inside = help_window.page.document().begin().begin()
        return inside.fragment().charFormat().font().pixelSize()

    assert size_of_heading() == 20
    session.preferences.choose(Choices("light", 150))
    qtbot.waitUntil(lambda: size_of_heading() == 30)


def test_the_menu_leads_to_what_people_ask(window: MainWindow) -> None:
    (asked,) = (each for each in window.findChildren(QAction) if each.text() == "Questions People Ask")

    asked.trigger()

    assert shown(window.panels.help).startswith("Questions people ask")


def test_a_page_leads_to_an_article_and_to_a_word(help_window: HelpWindow, session: Session) -> None:
    session.go("help:report")
    assert shown(help_window).startswith("Reading the report")
    assert help_window.names.currentItem().text() == "Reading the report"

    session.go("words:Save point")
    assert shown(help_window).startswith("Save point")
    session.go("words:No such word")
    assert shown(help_window).startswith("Lesson")


def test_each_page_and_station_has_its_article_behind_the_question_mark(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.open(states.project(session.root))
    titles = {article.name: article.title for article in ARTICLES}
    for name in (*window.pages.names, *STATIONS):
        window.show_page(name)
        qtbot.mouseClick(window.header.help, Qt.MouseButton.LeftButton)
        wanted = "practice" if name == "improve" else name
        assert shown(window.panels.help).startswith(titles[ARTICLE_OF[wanted]]), name


def test_the_key_for_help_knows_the_settings_and_the_welcome(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.go("settings")
    settings = window.panels.settings
    qtbot.waitUntil(settings.isActiveWindow, timeout=2000)
    qtbot.keyClick(settings, Qt.Key.Key_F1)
    assert shown(window.panels.help).startswith("Settings")
    qtbot.waitUntil(window.panels.help.isActiveWindow, timeout=2000)
    qtbot.keyClick(window.panels.help.search, Qt.Key.Key_F1)
    assert shown(window.panels.help).startswith("Settings")

    window._whole.setCurrentWidget(window.welcome)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=2000)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert shown(window.panels.help).startswith("The path")


@pytest.fixture
def sheet(window: MainWindow, session: Session, qtbot: QtBot) -> ShareSheet:
    """A sheet that blocks the window."""
    project = states.project(session.root)
    session.open(project)
    made = ShareSheet(session, find_leaves(project.lessons)[0], window)
    made.open()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    return made


def press(at: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key as the system tells it, which a window that is blocked does not hear."""
    QTest.keyClick(at.windowHandle(), key, held)


def click(at: QWidget, place: QPoint) -> None:
    window = at.window()
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, pos=at.mapTo(window, place))


def test_a_sheet_has_its_article_which_can_be_read_while_it_is_open(
    window: MainWindow, sheet: ShareSheet, qtbot: QtBot
) -> None:
    press(sheet, Qt.Key.Key_F1)
    help_window = window.panels.help
    qtbot.waitUntil(help_window.isActiveWindow, timeout=5000)
    assert shown(help_window).startswith("Sharing what you taught")

    second = help_window.names.visualItemRect(help_window.names.item(2)).center()
    click(help_window.names.viewport(), second)
    assert shown(help_window).startswith("Home and projects")

    press(help_window, Qt.Key.Key_Escape)
    assert not help_window.isVisible()
    assert sheet.isVisible()
    qtbot.waitUntil(sheet.isActiveWindow, timeout=5000)

    press(sheet, Qt.Key.Key_F1)
    qtbot.waitUntil(help_window.isActiveWindow, timeout=5000)
    assert shown(help_window).startswith("Sharing what you taught")


@pytest.mark.parametrize(("left", "is_right"), [(0, True), (400, False)])
def test_help_of_a_sheet_stands_where_it_covers_least_of_it(
    window: MainWindow, session: Session, qtbot: QtBot, left: int, is_right: bool
) -> None:
    sheet = QDialog(window)
    sheet.setGeometry(left, 300, 400, 300)
    sheet.open()
    qtbot.waitUntil(sheet.isActiveWindow, timeout=5000)
    window.panels.help.setMinimumSize(300, 300)
    window.panels.help.resize(300, 600)

    press(sheet, Qt.Key.Key_F1)

    its, screen = window.panels.help.geometry(), sheet.screen().availableGeometry()
    assert not its.intersects(sheet.geometry())
    assert (its.left() >= sheet.geometry().right()) == is_right
    assert screen.contains(its)


def test_help_that_is_open_stays_readable_before_a_sheet_and_after_it(
    window: MainWindow, help_window: HelpWindow, sheet: ShareSheet, qtbot: QtBot
) -> None:
    third = help_window.names.visualItemRect(help_window.names.item(3)).center()
    click(help_window.names.viewport(), third)
    assert shown(help_window).startswith("The library")

    sheet.close()
    assert help_window.windowHandle().transientParent() is window.windowHandle()
    first = help_window.names.visualItemRect(help_window.names.item(0)).center()
    click(help_window.names.viewport(), first)
    assert shown(help_window).startswith("The path")


def test_a_question_has_the_article_of_what_asks_it(
    window: MainWindow, session: Session, sheet: ShareSheet, qtbot: QtBot
) -> None:
    box = QMessageBox(QMessageBox.Icon.NoIcon, "LAB Desktop", "Sure?", parent=sheet)
    box.open()
    qtbot.waitUntil(box.isActiveWindow, timeout=5000)
    press(box, Qt.Key.Key_F1)
    assert shown(window.panels.help).startswith("Sharing what you taught")

    box.close()
    sheet.close()
    session.go("models")
    window.tell(LabError("It is gone.", "Take another one."))
    (told,) = (each for each in window.findChildren(QMessageBox) if each.isVisible())
    qtbot.waitUntil(told.isActiveWindow, timeout=5000)
    press(told, Qt.Key.Key_F1)
    assert shown(window.panels.help).startswith("Models")
    told.close()


def test_text_grows_by_keys_in_a_sheet(sheet: ShareSheet, session: Session, qtbot: QtBot) -> None:
    press(sheet, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)

    assert session.preferences.choices.text_size == 110
    qtbot.waitUntil(lambda: sheet.frame.next.font().pixelSize() == 14, timeout=30_000)


def test_text_grows_by_keys_while_help_is_read(help_window: HelpWindow, session: Session, qtbot: QtBot) -> None:
    qtbot.keyClick(help_window.search, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)

    assert session.preferences.choices.text_size == 110
    qtbot.waitUntil(lambda: help_window.page.document().defaultFont().pixelSize() == 16, timeout=30_000)


def test_every_control_has_a_name(help_window: HelpWindow) -> None:
    nameless = [
        control
        for kind in (QAbstractButton, QLineEdit, QListWidget)
        for control in help_window.findChildren(kind)
        if control.isVisible() and not (control.accessibleName() or getattr(control, "text", str)())
    ]

    assert nameless == []
    assert help_window.names.item(0).data(Qt.ItemDataRole.AccessibleTextRole) == ARTICLES[0].title


# What is written


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article.name)
def test_an_article_is_short_and_its_links_lead_to_articles(article: object) -> None:
    text = article.text  # type: ignore[attr-defined]
    links = re.findall(r"(?<!!)\[[^]]+\]\(([^)]+)\)", text)

    assert set(links) <= {each.name for each in ARTICLES}
    assert len(links) >= 1
    assert "<!--" not in text and article.found_by  # type: ignore[attr-defined]
    assert 150 < len(PICTURES.sub("", text).split()) < 500
    assert "<" not in text


def test_every_word_has_a_sentence_and_an_article() -> None:
    assert len({word.word for word in WORDS}) == len(WORDS)
    for word in WORDS:
        assert word.means.endswith(".")
        assert word.term
        assert word.article in {article.name for article in ARTICLES}


@pytest.mark.parametrize(
    ("asked", "first"), [("checkpoint", "Save point"), ("LORA", "What it learned"), ("synthetic", "Practice questions")]
)
def test_a_word_of_the_field_is_found_as_ours(asked: str, first: str) -> None:
    assert find_words(WORDS, asked)[0].word == first
