"""pages/library: what a person finds in the library and does there, by clicks and keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import projects
from lab_desktop.taxonomy.library import Library
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.library.import_many import ImportMany
from lab_desktop.ui.pages.library.page import LibraryPage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner
from tests.screenshots import states
from tests.ui.watchdog import LIMIT_S, Watchdog

ISLANDS = "knowledge/geography/islands"
VELMORA = f"{ISLANDS}/velmora"
NOTE = "compositional_skills/writing/errand_note"
_LONG_MS = 20_000


@pytest.fixture
def page(session: Session, window: MainWindow, qtbot: QtBot) -> LibraryPage:
    """The library page over a small library in which everything has been read."""
    if not (session.home / "library").exists():
        states.library(session.home)
    return opened(window, qtbot)


def opened(window: MainWindow, qtbot: QtBot) -> LibraryPage:
    window.show_page("library")
    found = window.pages.library
    settled(found, qtbot)
    return found


def settled(page: LibraryPage, qtbot: QtBot) -> None:
    QApplication.processEvents()
    qtbot.waitUntil(lambda: page.shelf.view.is_whole and not page.shelf._errands.is_busy, timeout=_LONG_MS)
    QApplication.processEvents()


def hand(page: LibraryPage, path: str, qtbot: QtBot) -> None:
    """Take something in hand as a click in the tree does."""
    assert page.tree.choose(path)
    page.tree.setFocus()
    qtbot.waitUntil(lambda: page.preview.is_shown(path), timeout=_LONG_MS)
    QApplication.processEvents()


def words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def titles(page: LibraryPage) -> list[str]:
    return [row.title for row in page.middle.list.rows]


def tree(page: LibraryPage) -> list[str]:
    """The rows of the tree in sight, with their depth."""
    found = []
    index = page.tree.model().index(0, 0)
    while index.isValid():
        depth, parent = 0, index.parent()
        while parent.isValid():
            depth, parent = depth + 1, parent.parent()
        found.append("  " * depth + str(index.data()))
        index = page.tree.indexBelow(index)
    return found


def banner(page: LibraryPage) -> str:
    return " ".join(each.accessibleName() for each in page.findChildren(Banner) if each.isVisible())


def press(page: LibraryPage, name: str) -> None:
    """Take an entry of the Edit menu by its words, as its key does."""
    action = next(each for each in page.edits if each.text().startswith(name))
    assert action.isEnabled()
    action.trigger()


def take(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text().startswith(text)).trigger()
    menu.close()


def edit_name(page: LibraryPage, text: str, qtbot: QtBot, last: Qt.Key = Qt.Key.Key_Return) -> None:
    """Type into the field that stands in place of a name."""
    qtbot.waitUntil(lambda: page.tree.findChild(QLineEdit) is not None, timeout=_LONG_MS)
    field = page.tree.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, last)


def test_a_history_that_cannot_be_read_is_told_and_the_next_step_can_be_undone(
    window: MainWindow, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.library(session.home)
    library = Library(session.home / "library")
    library.create_topic(Path("knowledge"), "Towers")
    (journal,) = library.root.glob("**/history.jsonl")
    data = bytearray(journal.read_bytes())
    data[3] ^= 4  # a bit of the first line is another one
    journal.write_bytes(data)

    page = opened(window, qtbot)

    (kept,) = journal.parent.glob("*.damaged")
    assert kept.read_bytes() == data
    assert "cannot be undone any more" in banner(page) and str(kept) in banner(page)
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    qtbot.mouseClick(page._banner.button, Qt.MouseButton.LeftButton)
    assert shown == [str(journal.parent)]

    page.shelf.act(lambda library: library.create_topic(Path("knowledge"), "Ships"))
    settled(page, qtbot)
    assert banner(page) == ""
    press(page, "Undo")


def test_the_tree_has_facts_skills_and_basics_with_their_counts(page: LibraryPage) -> None:
    rows = tree(page)

    assert [row for row in rows if not row.startswith(" ")] == ["Facts", "Skills", "Basics"]
    assert "  Geography" in rows and "  Arts" in rows
    assert page.heading() == ("Library", "3 lessons")


def test_the_sidebar_opens_it_and_says_how_many_there_are(page: LibraryPage, window: MainWindow, qtbot: QtBot) -> None:
    window.show_page("home")
    pages = window.sidebar._lists[0]
    place = pages.visualRect(pages.model().index(1, 0)).center()
    qtbot.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, pos=place)

    assert window.page == "library"
    assert pages.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Library, 3"


def test_a_topic_shows_its_lessons_and_a_lesson_what_it_holds(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, "knowledge/geography", qtbot)
    assert titles(page) == ["Velmora"]
    assert page.middle.list.rows[0].spoken == "Velmora, Ready, Islands · 5 passages · 15 questions"

    hand(page, VELMORA, qtbot)

    shown = words(page.preview)
    assert shown[:2] == ["Velmora", "Facts › Geography › Islands"]
    assert "Nothing is missing. It can be taught." in shown
    assert "When was Velmora settled?" in shown


def test_a_lesson_that_is_not_ready_says_what_is_missing_and_one_that_cannot_be_read_why(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    states.library(session.home, is_touched=True)
    page = opened(window, qtbot)

    hand(page, f"{ISLANDS}/osmery_harbour_rules", qtbot)
    shown = words(page.preview)
    assert "What is missing" in shown and "There is no document beside it yet." in shown
    assert not [text for text in shown if "/" in text or "seed_examples" in text]

    hand(page, "knowledge/history/old_letters", qtbot)
    assert "It cannot be read" in words(page.preview)
    assert not page.preview.use.isVisible()


def test_an_empty_topic_says_what_a_lesson_is(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, "knowledge/arts", qtbot)

    shown = words(page.middle)
    assert "No lessons yet." in shown
    assert "A lesson is a page or two plus questions you would ask about it." in shown
    buttons = [each.text() for each in page.middle.first.findChildren(QPushButton)]
    assert buttons == ["Teach facts from a document", "Teach a skill by examples", "Import a lesson file…"]


def test_the_first_time_a_library_is_begun_from_the_one_that_ships(
    window: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.starter(tmp_path / "resources" / "taxonomy")
    monkeypatch.setattr("lab_desktop.ui.pages.library.shelf.paths.resources", lambda: tmp_path / "resources")

    page = opened(window, qtbot)

    assert (session.home / "library" / ".git").is_dir()
    assert page.count == 3


def test_a_topic_is_renamed_where_it_stands_and_the_menu_says_what_is_undone(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    hand(page, "knowledge/arts", qtbot)

    qtbot.keyClick(page.tree, Qt.Key.Key_Return)
    edit_name(page, "Fine arts", qtbot)
    settled(page, qtbot)

    assert (session.home / "library" / "knowledge" / "fine_arts").is_dir()
    assert page.tree.node is not None and page.tree.node.title == "Fine arts"
    assert page.edits[0].text() == "Undo Rename “Arts”"

    press(page, "Undo")
    settled(page, qtbot)
    assert "  Arts" in tree(page)
    assert (page.edits[0].text(), page.edits[1].text()) == ("Nothing to Undo", "Redo Rename “Arts”")

    press(page, "Redo")
    settled(page, qtbot)
    assert "  Fine arts" in tree(page)


def test_escape_leaves_a_name_as_it_is(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    hand(page, "knowledge/arts", qtbot)
    press(page, "Rename")
    edit_name(page, "Nothing of it", qtbot, Qt.Key.Key_Escape)
    settled(page, qtbot)

    assert "  Arts" in tree(page)


def test_a_name_that_is_taken_is_refused_with_a_sentence(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, "knowledge/arts", qtbot)
    press(page, "Rename")
    edit_name(page, "History", qtbot)
    settled(page, qtbot)

    assert 'There is already a "History" here.' in banner(page)
    assert "  Arts" in tree(page)


def test_a_new_topic_asks_for_its_name_where_it_stands(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    hand(page, "knowledge/geography", qtbot)
    press(page, "New Topic")
    edit_name(page, "Deserts", qtbot)
    settled(page, qtbot)

    assert (session.home / "library" / "knowledge" / "geography" / "deserts").is_dir()
    assert page.tree.node is not None and page.tree.node.path == "knowledge/geography/deserts"


def drop(page: LibraryPage, path: str, onto: str) -> bool:
    """Drag a row of the tree onto another; True when it may be let go there."""
    view, model = page.tree, page.model
    page.tree.expand(model.find(onto).parent())
    data = model.mimeData([model.find(path)])
    place = QPointF(view.visualRect(model.find(onto)).center())
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    move = Qt.DropAction.MoveAction
    for event in (
        QDragEnterEvent(place.toPoint(), move, data, left, plain),
        QDragMoveEvent(place.toPoint(), move, data, left, plain),
    ):
        QApplication.sendEvent(view.viewport(), event)
    is_welcome = event.isAccepted()
    if is_welcome:
        QApplication.sendEvent(view.viewport(), QDropEvent(place, move, data, left, plain))
    return is_welcome


def test_a_lesson_is_dragged_into_another_topic_and_back_by_undo(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    root = session.home / "library"
    before = (root / VELMORA / "qna.yaml").read_bytes()
    hand(page, VELMORA, qtbot)

    assert drop(page, VELMORA, "knowledge/history")
    settled(page, qtbot)

    assert (root / "knowledge" / "history" / "velmora" / "qna.yaml").read_bytes() == before
    assert not (root / VELMORA).exists()
    assert page.tree.node is not None and page.tree.node.path == "knowledge/history/velmora"
    assert page.edits[0].text() == "Undo Move “Velmora”"
    press(page, "Undo")
    settled(page, qtbot)
    assert (root / VELMORA / "qna.yaml").read_bytes() == before


def test_nothing_is_dropped_into_the_basics_another_kind_where_it_is_or_itself(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, VELMORA, qtbot)

    assert not drop(page, VELMORA, "foundational_skills")
    assert not drop(page, VELMORA, "compositional_skills/writing")
    assert not drop(page, "knowledge/geography", ISLANDS)
    assert not drop(page, VELMORA, ISLANDS)


def test_what_is_dropped_on_a_lesson_comes_to_lie_beside_it(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    hand(page, VELMORA, qtbot)

    assert drop(page, "knowledge/machines/hestrel_12", VELMORA)
    settled(page, qtbot)

    assert (session.home / "library" / ISLANDS / "hestrel_12").is_dir()


def test_foreign_things_that_are_dropped_do_nothing(page: LibraryPage) -> None:
    data = QMimeData()
    data.setText("knowledge/arts")

    assert not page.model.canDropMimeData(data, Qt.DropAction.MoveAction, -1, -1, page.model.find("knowledge"))


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (Qt.Key.Key_Left, "knowledge/islands"),
        (Qt.Key.Key_Right, "knowledge/geography/rivers/islands"),
        (Qt.Key.Key_Up, "knowledge/arts/islands"),
        (Qt.Key.Key_Down, "knowledge/history/islands"),
    ],
)
def test_arrows_with_both_keys_move_what_is_in_hand(
    page: LibraryPage, session: Session, qtbot: QtBot, key: Qt.Key, place: str
) -> None:
    hand(page, ISLANDS, qtbot)

    qtbot.keyClick(page.tree, key, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    settled(page, qtbot)

    assert (session.home / "library" / place / "velmora").is_dir()
    assert page.tree.node is not None and page.tree.node.path == place


def test_an_arrow_that_leads_nowhere_says_so(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, "knowledge/arts", qtbot)

    qtbot.keyClick(page.tree, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)

    assert "“Arts” lies in no other topic already." in banner(page)


def test_basics_are_read_and_not_changed_and_say_why(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    basic = "foundational_skills/reasoning/short_notes"
    hand(page, basic, qtbot)
    for name in ("Rename", "Delete", "Duplicate", "Merge", "New Topic"):
        page.tell(projects.RunError("other"))
        press(page, name)
        settled(page, qtbot)
        assert "Basics can be read here and not changed" in banner(page), name

    assert (session.home / "library" / basic).is_dir()
    hand(page, "foundational_skills", qtbot)
    assert any("Skills that others build on." in text for text in words(page.preview))


def test_a_duplicate_stands_beside_and_can_be_merged_back(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    root = session.home / "library"
    before = (root / VELMORA / "qna.yaml").read_bytes()
    hand(page, VELMORA, qtbot)
    press(page, "Duplicate")
    settled(page, qtbot)
    assert page.tree.node is not None and page.tree.node.path == f"{VELMORA}_2"

    press(page, "Merge")
    qtbot.waitUntil(lambda: bool(page.right.pick.list.rows), timeout=_LONG_MS)
    assert page.right.pick.list.rows[0].key == VELMORA  # the likest comes first
    qtbot.mouseClick(page.right.pick.button, Qt.MouseButton.LeftButton)
    settled(page, qtbot)

    assert not (root / f"{VELMORA}_2").exists()
    assert "“Velmora 2” is a part of “Velmora” now." in banner(page)
    press(page, "Undo Merge “Velmora 2”")
    settled(page, qtbot)
    press(page, "Undo Duplicate")
    settled(page, qtbot)
    assert (root / VELMORA / "qna.yaml").read_bytes() == before
    assert not (root / f"{VELMORA}_2").exists()


def test_what_is_deleted_can_be_undone_at_once_or_put_back_from_the_bin(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    hand(page, VELMORA, qtbot)
    press(page, "Delete")
    settled(page, qtbot)
    assert not (session.home / "library" / VELMORA).exists()
    assert "“Velmora” is in the bin. It stays there for 30 days." in banner(page)
    assert page.tree.node is not None and page.tree.node.path == ISLANDS

    take(page._page_menu(), "Deleted lessons (1)")
    qtbot.waitUntil(lambda: titles(page) == ["Velmora"], timeout=_LONG_MS)
    assert page.middle.list.rows[0].second == "was in Facts › Geography › Islands · 30 days left"
    qtbot.waitUntil(lambda: "It held 5 passages and 15 questions." in words(page.right.changes), timeout=_LONG_MS)
    qtbot.mouseClick(page.middle.action, Qt.MouseButton.LeftButton)
    settled(page, qtbot)

    assert (session.home / "library" / VELMORA / "velmora.md").is_file()
    assert "Nothing was deleted." in words(page.middle)
    press(page, "Undo Put Back “Velmora”")
    settled(page, qtbot)
    assert not (session.home / "library" / VELMORA).exists()


def test_search_answers_while_one_types_and_escape_goes_back(page: LibraryPage, qtbot: QtBot) -> None:
    hand(page, "knowledge/geography", qtbot)
    press(page, "Find in Lessons")
    assert page.toolbar.field.hasFocus()

    qtbot.keyClicks(page.toolbar.field, "lighth")
    qtbot.waitUntil(lambda: page.hand.mode == "search" and titles(page) == ["Velmora"], timeout=_LONG_MS)
    row = page.middle.list.rows[0]
    assert [part for part, is_marked in row.snippet if is_marked] == ["lighthouse"]
    assert row.second.startswith("Facts › Geography › Islands · ")
    qtbot.keyClicks(page.toolbar.field, " zzz")
    qtbot.waitUntil(lambda: "Nothing found." in words(page.middle), timeout=_LONG_MS)

    qtbot.keyClick(page.toolbar.field, Qt.Key.Key_Escape)
    assert page.toolbar.field.text() == ""
    assert page.middle.title.whole == "Geography"


def test_return_in_the_search_field_goes_to_the_lesson(page: LibraryPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.toolbar.field, "lighthouse")
    qtbot.waitUntil(lambda: titles(page) == ["Velmora"] and page.hand.mode == "search", timeout=_LONG_MS)
    qtbot.keyClick(page.toolbar.field, Qt.Key.Key_Return)
    settled(page, qtbot)

    assert page.tree.node is not None and page.tree.node.path == VELMORA
    assert page.middle.title.whole == "Islands"
    assert page.preview.is_shown(VELMORA)


@pytest.mark.parametrize("typed", ['"', "light AND", "NEAR(", "*", "a:b", "‡", "\u0000x"])
def test_no_sign_in_a_search_does_any_harm(page: LibraryPage, qtbot: QtBot, typed: str) -> None:
    page.toolbar.field.setText(typed)
    settled(page, qtbot)

    assert banner(page) == ""


def test_filters_show_what_is_mine_what_is_the_communitys_and_what_is_in_a_state(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    states.library(session.home, is_touched=True)
    page = opened(window, qtbot)
    hand(page, "knowledge", qtbot)

    def choose(name: str) -> list[str]:
        qtbot.mouseClick(page.toolbar.whose._buttons[name], Qt.MouseButton.LeftButton)
        settled(page, qtbot)
        return titles(page)

    assert choose("mine") == ["Osmery harbour rules", "Velmora", "Velmora 2", "Old letters", "Hestrel 12"]
    assert choose("community") == []
    assert choose("all") != []
    take(page.toolbar.state.menu(), "Problem")
    settled(page, qtbot)
    assert titles(page) == ["Old letters"]
    assert "Rivers" not in "".join(tree(page))
    take(page.toolbar.state.menu(), "Any state")
    settled(page, qtbot)
    assert len(titles(page)) == 5


def changes(page: LibraryPage, count: int, qtbot: QtBot) -> dict[str, tuple[str, str]]:
    """The rows of what is new or different: badge and second line by title."""
    if page.hand.mode != "changes":
        take(page._page_menu(), "What is new or different")
    rows = page.middle.list
    qtbot.waitUntil(lambda: len(rows.rows) == count and not page.shelf._errands.is_busy, timeout=_LONG_MS)
    return {row.title: (row.badge[0] if row.badge else "", row.second) for row in rows.rows}


def compared(page: LibraryPage, path: str, qtbot: QtBot) -> list[str]:
    """The words of the panel that tells what changed in a lesson."""
    assert page.middle.list.choose(path)
    qtbot.waitUntil(lambda: page.right.changes.is_shown(path), timeout=_LONG_MS)
    QApplication.processEvents()
    return words(page.right.changes)


def test_what_is_new_or_different_is_told_in_words(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    root = states.library(session.home, is_touched=True)
    basic = root / "foundational_skills" / "reasoning" / "short_notes" / "qna.yaml"
    basic.write_text(basic.read_text("utf-8").replace("version: 3", "version: 2"), encoding="utf-8")
    page = opened(window, qtbot)

    assert changes(page, 7, qtbot) == {
        "Osmery harbour rules": ("New", "Facts › Geography › Islands"),
        "Velmora": ("Changed", 'The answer to "When was Velmora settled?" changed.'),
        "Velmora 2": ("New", "Facts › Geography › Islands"),
        "Old letters": ("New", "Facts › History"),
        "Hestrel 12": ("Moved", "now in Facts › Science, was in Facts › Machines"),
        "Not here any more": ("", ""),
        "Errand note": ("Deleted", "was in Skills › Writing"),
    }
    assert "6 differences from the community’s version. Basics can only be read, so they never count." in words(
        page.middle
    )


def test_of_a_changed_lesson_both_texts_are_shown(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    root = states.library(session.home, is_touched=True)
    (root / VELMORA / "velmora.md").write_text("# Velmora\n\nAll of it is new.\n", encoding="utf-8")
    (root / VELMORA / "attribution.txt").unlink()
    page = opened(window, qtbot)
    changes(page, 7, qtbot)

    shown = compared(page, VELMORA, qtbot)

    assert shown[0] == "Velmora" and "Changed" in shown
    at = shown.index('The answer to "When was Velmora settled?" changed.')
    assert shown[at + 1 : at + 5] == ["Before", "<s>In</s> 1382.", "Now", "<b>It was settled in</b> 1382."]
    assert shown.index("Passages and questions") < shown.index("Documents") < shown.index("Credits")
    assert "The document “velmora.md” changed." in shown and "The credits were removed." in shown
    moved = compared(page, "knowledge/science/hestrel_12", qtbot)
    assert "Facts › Machines" in moved and "What it says is as it was." in moved

    qtbot.mouseClick(page.right.changes.open, Qt.MouseButton.LeftButton)
    assert page.tree.node is not None and page.tree.node.path == "knowledge/science/hestrel_12"
    assert page.preview.isVisible() and not page.right.changes.isVisible()


@pytest.mark.parametrize("is_in_bin", [True, False])
def test_a_deleted_lesson_is_put_back_from_where_it_is_found(
    session: Session, window: MainWindow, qtbot: QtBot, is_in_bin: bool
) -> None:
    root = states.library(session.home, is_touched=is_in_bin)
    before = {path.name: path.read_bytes() for path in states.SKILL.iterdir()}
    if not is_in_bin:
        shutil.rmtree(root / NOTE)  # by somebody else's hand
    page = opened(window, qtbot)
    changes(page, 7 if is_in_bin else 1, qtbot)

    shown = compared(page, NOTE, qtbot)
    assert "It held 5 examples." in shown and page.right.changes.put_back.isVisible()
    page.middle.list.setFocus()
    qtbot.keyClick(page.middle.list, Qt.Key.Key_Return)
    qtbot.keyClick(page.right.changes.put_back, Qt.Key.Key_Return)
    settled(page, qtbot)

    assert {path.name: path.read_bytes() for path in (root / NOTE).iterdir() if path.is_file()} == before
    assert page.edits[0].text() == "Undo Put Back “Errand note”"
    qtbot.waitUntil(lambda: "Errand note" not in titles(page), timeout=_LONG_MS)
    press(page, "Undo")
    settled(page, qtbot)
    assert not (root / NOTE).exists()


def test_nothing_new_is_told_too(page: LibraryPage, qtbot: QtBot) -> None:
    page.show_changes()
    qtbot.waitUntil(lambda: "Everything is as the community has it." in words(page.middle), timeout=_LONG_MS)


def test_where_a_topic_belongs_is_told_with_neighbours_and_lessons_like_it(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    hand(page, "knowledge/history", qtbot)
    take(page._page_menu(), "Where does my topic belong?")
    assert page.right.places.title.hasFocus()

    qtbot.keyClicks(page.right.places.title, "Velmora island")
    qtbot.keyClicks(page.right.places.description, "Its history and its lighthouse")
    qtbot.waitUntil(lambda: bool(page.right.places.alike.rows), timeout=_LONG_MS)
    best = page.right.places.places.rows[0]
    assert (best.key, best.second) == (ISLANDS, "Facts › Geography · beside Velmora")
    assert [row.title for row in page.right.places.alike.rows] == ["Velmora"]
    assert "knowledge/history" in [row.key for row in page.right.places.places.rows]

    qtbot.mouseClick(page.right.places.button, Qt.MouseButton.LeftButton)
    settled(page, qtbot)
    made = session.home / "library" / ISLANDS / "velmora_island" / "qna.yaml"
    assert made.is_file()
    assert page.tree.node is not None and page.tree.node.title == "Velmora island"
    assert page.edits[0].text() == "Undo New Lesson “Velmora island”"


def test_a_lesson_without_a_name_is_not_begun_and_escape_begins_nothing(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    press(page, "New Lesson")
    qtbot.mouseClick(page.right.places.button, Qt.MouseButton.LeftButton)
    assert "Give it a name first." in words(page.right.places)

    qtbot.keyClick(page.right.places.title, Qt.Key.Key_Escape)
    settled(page, qtbot)

    assert not page.right.places.isVisible()
    assert page.count == 3


def test_a_lesson_whose_words_no_topic_has_goes_where_the_person_says(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    hand(page, "knowledge", qtbot)
    press(page, "New Lesson")
    panel = page.right.places
    with qtbot.waitSignal(panel.asked, timeout=_LONG_MS):
        qtbot.keyClicks(panel.title, "Zwieback")
    settled(page, qtbot)
    assert not panel.places.rows
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    said = "No topic has words like these: choose one at the left."
    assert said in words(panel)

    hand(page, "knowledge/history", qtbot)

    assert panel.isVisible()
    assert panel.title.text() == "Zwieback"
    assert panel.places.row is not None and panel.places.row.key == "knowledge/history"
    assert said not in words(panel)
    with qtbot.waitSignal(panel.asked, timeout=_LONG_MS):
        qtbot.keyClicks(panel.description, "from an island")
    qtbot.waitUntil(lambda: len(panel.places.rows) > 1, timeout=_LONG_MS)
    assert panel.places.row.key == "knowledge/history", "what was found is offered, and what was chosen stays"
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    settled(page, qtbot)
    assert (session.home / "library" / "knowledge" / "history" / "zwieback" / "qna.yaml").is_file()


def test_a_lesson_like_it_is_opened_instead(page: LibraryPage, qtbot: QtBot) -> None:
    press(page, "New Lesson")
    qtbot.keyClicks(page.right.places.title, "Velmora")
    qtbot.waitUntil(lambda: bool(page.right.places.alike.rows), timeout=_LONG_MS)
    qtbot.keyClick(page.right.places.alike, Qt.Key.Key_Down)
    qtbot.keyClick(page.right.places.alike, Qt.Key.Key_Return)

    assert page.tree.node is not None and page.tree.node.path == VELMORA
    assert not page.right.places.isVisible()


def test_a_lesson_is_used_in_the_project_in_hand_and_replaced_only_when_asked(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    project = states.project(session.root, "Sheds", states.SKILL)
    session.open(project)
    hand(page, VELMORA, qtbot)

    qtbot.mouseClick(page.preview.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "“Velmora” is in the project “Sheds”." in banner(page), timeout=_LONG_MS)
    copy = project.lessons / VELMORA / "qna.yaml"
    assert copy.read_bytes() == (session.home / "library" / VELMORA / "qna.yaml").read_bytes()

    copy.write_text("# mine\n" + copy.read_text("utf-8"), encoding="utf-8")
    page.use_in_project()
    qtbot.waitUntil(lambda: "in “Sheds” already, and different" in banner(page), timeout=_LONG_MS)
    assert copy.read_text("utf-8").startswith("# mine")
    button = next(each for each in page.findChildren(QPushButton) if each.text() == "Use this one")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not copy.read_text("utf-8").startswith("# mine"), timeout=_LONG_MS)
    (kept,) = (project.folder / "replaced").glob("*/qna.yaml")
    assert kept.read_text("utf-8").startswith("# mine")


def test_without_a_project_a_lesson_begins_one(page: LibraryPage, session: Session, qtbot: QtBot) -> None:
    assert session.project is None
    hand(page, VELMORA, qtbot)
    assert page.next_step()[1] == "Begin a project"

    page.use_in_project()
    qtbot.waitUntil(lambda: "There is no project yet." in banner(page), timeout=_LONG_MS)
    button = next(each for each in page.findChildren(QPushButton) if each.text() == "Begin one with this lesson")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: session.project is not None, timeout=_LONG_MS)
    (made,) = session.projects
    assert (made.title, session.project) == ("Velmora", made)
    assert (made.lessons / VELMORA / "qna.yaml").is_file()
    assert page.next_step()[1] == "Use in project"


def test_a_draft_is_not_used_in_a_project(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.library(session.home, is_touched=True)
    session.open(states.project(session.root))
    page = opened(window, qtbot)
    hand(page, f"{ISLANDS}/osmery_harbour_rules", qtbot)

    page.use_in_project()

    qtbot.waitUntil(lambda: "“Osmery harbour rules” cannot be taught yet." in banner(page), timeout=_LONG_MS)


def test_lessons_that_a_model_learned_bear_a_badge(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.library(session.home)
    made = projects.create(session.root, "Islands", [session.home / "library" / VELMORA])
    states.write_training(made)
    session.refresh()
    page = opened(window, qtbot)

    qtbot.waitUntil(lambda: page.shelf.view.node(VELMORA).badge == "trained", timeout=_LONG_MS)  # type: ignore[union-attr]


def test_another_library_is_opened_from_a_folder_and_from_an_address(
    page: LibraryPage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    other = states.library(tmp_path, is_empty=True)
    page.libraries.open(other)
    settled(page, qtbot)
    assert page.shelf.root == other and page.count == 0

    page.libraries.clone(f"file://{session.home / 'library'}")
    qtbot.waitUntil(lambda: page.shelf.root == session.home / "libraries" / "library", timeout=_LONG_MS)
    settled(page, qtbot)
    assert page.count == 3
    assert not page.strip.isVisible()

    page.libraries.open(None)
    settled(page, qtbot)
    assert page.shelf.root == session.home / "library"


def test_a_folder_that_is_no_library_is_refused_with_a_sentence(
    page: LibraryPage, tmp_path: Path, qtbot: QtBot
) -> None:
    page.libraries.open(tmp_path)

    qtbot.waitUntil(lambda: "is not a library" in banner(page), timeout=_LONG_MS)
    take(page._page_menu(), "Open my own library")
    settled(page, qtbot)
    assert page.count == 3


def test_a_library_that_is_gone_is_told_and_not_begun_anew(
    window: MainWindow, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    session.preferences.choose(session.preferences.choices.with_library(tmp_path / "unplugged"))
    window.show_page("library")
    page = window.pages.library

    qtbot.waitUntil(lambda: "unplugged" in banner(page), timeout=_LONG_MS)
    assert not (tmp_path / "unplugged").exists()
    take(page._page_menu(), "Open my own library")
    settled(page, qtbot)
    assert page.count > 0
    assert banner(page) == ""


def test_a_file_in_place_of_the_library_is_told(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    (session.home / "library").write_bytes(b"junk")
    window.show_page("library")

    qtbot.waitUntil(lambda: banner(window.pages.library) != "", timeout=_LONG_MS)


@pytest.mark.parametrize("what", ["a file", "a damaged index"])
def test_an_index_that_cannot_be_used_costs_time_only(
    session: Session, window: MainWindow, qtbot: QtBot, what: str
) -> None:
    states.library(session.home)
    if what == "a file":
        (session.home / "index").write_bytes(b"junk")
    else:
        page = opened(window, qtbot)
        page.shelf.close()
        window.pages._pages.clear()
        index = session.home / "index"
        qtbot.waitUntil(lambda: not list(index.glob("*-shm")), timeout=_LONG_MS)  # closed: nothing of it is in memory
        for file in index.iterdir():
            file.write_bytes(b"junk")

    page = opened(window, qtbot)

    assert page.count == 3
    qtbot.keyClicks(page.toolbar.field, "lighthouse")
    qtbot.waitUntil(lambda: titles(page) == ["Velmora"], timeout=_LONG_MS)


def test_an_address_that_answers_nothing_is_told_and_leaves_nothing(
    page: LibraryPage, session: Session, qtbot: QtBot
) -> None:
    page.libraries.clone("file:///nowhere/at/all")

    qtbot.waitUntil(lambda: banner(page) != "", timeout=_LONG_MS)
    assert not (session.home / "libraries" / "all").exists()
    assert not page.strip.isVisible()


def test_updating_brings_the_communitys_lessons_and_keeps_mine(
    session: Session, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    community = states.library(tmp_path)
    states.library(session.home)
    page = opened(window, qtbot)
    page.libraries.clone(f"file://{community}")
    qtbot.waitUntil(lambda: page.shelf.root.name == "library" and page.shelf.root.parent.name == "libraries",
                    timeout=_LONG_MS)  # fmt: skip
    settled(page, qtbot)
    shutil.copytree(states.LESSON, community / "knowledge" / "history" / "velmora_wars")
    commit(community)

    take(page._page_menu(), "Update from the community")

    qtbot.waitUntil(lambda: "1 lesson came from the community." in banner(page), timeout=_LONG_MS)
    settled(page, qtbot)
    assert page.shelf.view.node("knowledge/history/velmora_wars") is not None


def commit(folder: Path) -> None:
    import subprocess

    for command in (["add", "--all"], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "more"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)


def test_a_library_without_an_address_says_how_to_follow_one(page: LibraryPage, qtbot: QtBot) -> None:
    page.libraries.update()

    qtbot.waitUntil(lambda: "This library has no address to get updates from." in banner(page), timeout=_LONG_MS)


def test_what_somebody_else_changes_is_seen_when_one_comes_back(
    page: LibraryPage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.show_page("home")
    Library(session.home / "library").delete(Path(VELMORA))
    window.show_page("library")

    qtbot.waitUntil(lambda: page.count == 2, timeout=_LONG_MS)


def test_a_lesson_file_from_elsewhere_is_brought_in_with_its_documents_only(
    page: LibraryPage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.copytree(states.MANUAL, tmp_path / "downloads")
    (tmp_path / "downloads" / "tax.pdf").write_bytes(b"private")
    hand(page, "knowledge/arts", qtbot)

    page.import_file(tmp_path / "downloads" / "qna.yaml")
    settled(page, qtbot)

    brought = session.home / "library" / "knowledge" / "arts" / "downloads"
    assert sorted(path.name for path in brought.iterdir()) == ["attribution.txt", "manual.md", "qna.yaml"]
    assert page.shelf.view.node("knowledge/arts/downloads").badge == "ready"  # type: ignore[union-attr]


def many(page: LibraryPage, source: Path, qtbot: QtBot) -> ImportMany:
    """What a folder or archive holds, as it is shown before anything is taken."""
    page.import_file(source)
    qtbot.waitUntil(lambda: any(sheet.isVisible() for sheet in page.findChildren(ImportMany)), timeout=_LONG_MS)
    return next(sheet for sheet in page.findChildren(ImportMany) if sheet.isVisible())


def test_a_folder_of_lessons_is_looked_through_chosen_from_and_imported_in_one_step(
    page: LibraryPage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    root = session.home / "library"
    before = sorted(str(path.relative_to(root)) for path in root.rglob("*") if ".git" not in path.parts)
    sheet = many(page, states.tree(tmp_path / "from_a_friend"), qtbot)
    told = {row.title: (row.badge or ("",))[0] for row in sheet.list.rows}
    assert told == {
        "Letter": "Not taken", "Counting": "Not taken", "Velmora": "There already", "Shouting": "Will be mended",
        "Short notes": "Will be mended", "Hestrel 12": "Will be mended", "Velmora before the lighthouse": "Fine",
    }  # fmt: skip
    assert sheet.take.text() == "Import 4 lessons"

    sheet.list.choose("compositional_skills/writing/shouting/qna.yaml")
    QApplication.processEvents()
    assert "4 repairs" in words(sheet)
    qtbot.keyClick(sheet.list, Qt.Key.Key_Space)
    assert sheet.take.text() == "Import 3 lessons"
    sheet.list.choose("compositional_skills/writing/letter/qna.yaml")
    qtbot.keyClick(sheet.list, Qt.Key.Key_Space)
    qtbot.keyClick(sheet.list, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert sheet.take.text() == "Import 3 lessons" and "There is nothing of a lesson in it." in words(sheet)
    qtbot.mouseClick(sheet.take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "3 lessons came into the library." in banner(page), timeout=_LONG_MS)
    settled(page, qtbot)

    assert (root / "knowledge/machines/hestrel_12_2/.originals/qna.yaml.txt").is_file()
    assert (root / ISLANDS / "velmora_before_the_lighthouse/velmora.md").is_file()
    assert not (root / "compositional_skills/writing/shouting").exists()
    assert page.edits[0].text() == "Undo Import of 3 lessons"
    press(page, "Undo")
    settled(page, qtbot)
    after = sorted(str(path.relative_to(root)) for path in root.rglob("*") if ".git" not in path.parts)
    assert after == before


def test_nothing_comes_of_an_import_that_is_left_and_nothing_stays_of_what_was_unpacked(
    page: LibraryPage, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.make_archive(str(tmp_path / "lessons"), "zip", states.tree(tmp_path / "lessons"))
    sheet = many(page, tmp_path / "lessons.zip", qtbot)
    take(sheet.kinds, "1 Fine")
    qtbot.mouseClick(sheet.all, Qt.MouseButton.LeftButton)
    assert [row.title for row in sheet.list.rows] == ["Velmora before the lighthouse"]
    take(sheet.kinds, "3 Will be mended")
    qtbot.mouseClick(sheet.all, Qt.MouseButton.LeftButton)
    assert not sheet.take.isEnabled() and "Tick the lessons that you want." in words(sheet)

    unpacked = sheet._finds[0].folder
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    settled(page, qtbot)

    assert page.count == 3 and not page.strip.isVisible()
    assert page.edits[0].text() == "Nothing to Undo"
    assert not unpacked.exists()
    again = many(page, tmp_path / "lessons.zip", qtbot)
    unpacked = again._finds[0].folder
    qtbot.mouseClick(again.take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.count == 7, timeout=_LONG_MS)
    assert not unpacked.exists()


def test_a_folder_without_lessons_is_refused_with_a_sentence(page: LibraryPage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    page.import_file(tmp_path / "empty")

    qtbot.waitUntil(lambda: "There is no lesson in" in banner(page), timeout=_LONG_MS)


def test_a_lesson_that_others_have_by_now_says_since_when(session: Session, window: MainWindow, qtbot: QtBot) -> None:
    states.given_away(session.home)
    page = opened(window, qtbot)
    badges = {node.title: node.badge for node in page.shelf.view.all() if node.is_leaf and not node.is_read_only}
    assert badges == {
        "Velmora": "ready", "Velmora 2": "shared", "Velmora 3": "shared", "Hestrel 12": "ready", "Errand note": "ready"
    }  # fmt: skip

    hand(page, f"{VELMORA}_2", qtbot)
    assert "Sent to the village school on 5 May 2026." in words(page.preview)
    hand(page, f"{VELMORA}_3", qtbot)
    assert any(text.startswith("In the community’s library since ") for text in words(page.preview))

    file = session.home / "library" / f"{VELMORA}_3" / "qna.yaml"
    file.write_text(file.read_text("utf-8").replace("In 1382.", "In the year 1382."), encoding="utf-8")
    page.shelf.look()
    qtbot.waitUntil(lambda: page.shelf.view.node(f"{VELMORA}_3").badge == "ready", timeout=_LONG_MS)  # type: ignore[union-attr]


def test_the_edit_menu_is_there_while_the_library_is(page: LibraryPage, window: MainWindow) -> None:
    assert window.edit_menu.menuAction().isVisible()
    assert "Rename" in [action.text() for action in window.edit_menu.actions()]

    window.show_page("home")

    assert not window.edit_menu.menuAction().isVisible()
    assert window.edit_menu.actions() == []


def test_a_projects_own_lessons_are_still_reached_by_its_path(
    page: LibraryPage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.open(states.project(session.root))
    qtbot.mouseClick(window.path.findChild(QWidget, "teach"), Qt.MouseButton.LeftButton)

    assert window.page == "lesson"


@pytest.mark.slow
@pytest.mark.alone
def test_ten_thousand_lessons_scroll_search_and_unfold_without_a_stall(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    states.starter(session.home / "library", count=10_000)
    qtbot.waitUntil(lambda: all(window.pages.is_made(name) for name in window.pages.names), timeout=_LONG_MS)
    dog = Watchdog(qtbot)

    with dog.watching():
        window.show_page("library")
        page = window.pages.library
        qtbot.waitUntil(lambda: page.shelf.view.own > 10_000, timeout=120_000)
        page.tree.choose("knowledge/many")
        page.tree.expandRecursively(page.model.find("knowledge/many"), 0)
        for _ in range(20):
            bar = page.tree.verticalScrollBar()
            bar.setValue(bar.value() + bar.pageStep())
            qtbot.wait(20)
        for _ in range(20):
            bar = page.middle.list.verticalScrollBar()
            bar.setValue(bar.value() + bar.pageStep())
            qtbot.wait(20)
        qtbot.keyClicks(page.toolbar.field, "island 77")
        qtbot.wait(500)

    assert dog.longest_s < LIMIT_S, str(dog)


@pytest.mark.slow
@pytest.mark.alone
def test_many_lessons_are_looked_through_and_imported_without_a_stall(
    page: LibraryPage, tmp_path: Path, qtbot: QtBot
) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    qtbot.waitUntil(lambda: all(map(window.pages.is_made, window.pages.names)), timeout=20_000)
    qtbot.wait(500)  # the settings come after the pages
    tree = states.tree(tmp_path / "from_a_friend", count=150)
    dog = Watchdog(qtbot)

    with dog.watching():
        page.import_file(tree)
        assert page.strip.isVisible()
        qtbot.waitUntil(lambda: bool(page.findChildren(ImportMany)), timeout=120_000)
        sheet = page.findChildren(ImportMany)[0]
        for _ in range(10):
            bar = sheet.list.verticalScrollBar()
            bar.setValue(bar.value() + bar.pageStep())
            qtbot.wait(20)
        qtbot.mouseClick(sheet.take, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: page.count == 157, timeout=120_000)

    assert dog.longest_s < LIMIT_S, str(dog)
