"""ui/editor: lessons written by clicks and keys, saved as they are typed."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from lab_desktop import paths
from lab_desktop.artifacts import Leaf, LeafKind, Pair, SeedExample
from lab_desktop.editing.lesson import Field, Mark, add_pairs
from lab_desktop.taxonomy.check import check_leaf, has_errors
from lab_desktop.taxonomy.qna import read_draft, read_leaf, write_leaf
from lab_desktop.ui.chat_process import Voices
from lab_desktop.ui.editor.cards import QuestionCard
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.import_sheet import ImportSheet
from lab_desktop.ui.editor.lesson_editor import LessonEditor
from lab_desktop.ui.editor.move_sheet import MoveSheet
from lab_desktop.ui.editor.text import find, in_source
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.session import Session
from tests.fakes import tiny_model
from tests.screenshots import states

SAVED_MS = 5000
"""A second, and what a busy machine adds."""


@pytest.fixture
def editor(session: Session, qtbot: QtBot) -> LessonEditor:
    made = LessonEditor(session.chat, lambda: session.chat.use(session.voices()))
    qtbot.addWidget(made, before_close_func=lambda _: made.close_lesson())
    made.resize(1200, 760)
    made.show()
    return made


@pytest.fixture
def velmora(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge" / "islands" / "velmora"
    shutil.copytree(paths.resources() / "practice" / "velmora", folder)
    return folder


@pytest.fixture
def polite(tmp_path: Path) -> Path:
    folder = tmp_path / "compositional_skills" / "letters" / "polite"
    folder.mkdir(parents=True)
    notes = ("come home", "send the book", "no bread today", "the roof leaks")
    examples = tuple(SeedExample((Pair(f"Write politely: {note}", f"Dear Sir, {note}."),)) for note in notes)
    write_leaf(Leaf(folder.parts[-3:], folder, LeafKind.FREEFORM_SKILL, 3, "me", examples, "Write politely."), folder)
    return folder


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """A facts lesson that has just been made."""
    folder = tmp_path / "knowledge" / "islands" / "new_lesson"
    folder.mkdir(parents=True)
    write_leaf(Leaf(folder.parts[-3:], folder, LeafKind.KNOWLEDGE, 3, "", ()), folder)
    return folder


def cards(editor: LessonEditor) -> list[QuestionCard]:
    QApplication.processEvents()  # a new card shows itself when nothing else is to be done
    found = [card for card in editor.facts.findChildren(QuestionCard) if card.isVisible()]
    return sorted(found, key=lambda card: card.y())


def field(editor: LessonEditor, name: str) -> QPlainTextEdit:
    return next(each for each in editor.findChildren(QPlainTextEdit) if each.accessibleName() == name)


def test_what_is_typed_is_on_disk_within_a_second_and_undone_as_a_whole(
    editor: LessonEditor, velmora: Path, qtbot: QtBot
) -> None:
    before = (velmora / "qna.yaml").read_bytes()
    editor.open(velmora)
    editor.facts.add_question()
    card = cards(editor)[-1]

    qtbot.keyClicks(card.question, "Which port is nearest?")
    qtbot.keyClicks(card.answer, "Calder Reach")
    qtbot.waitUntil(lambda: b"Calder Reach" in (velmora / "qna.yaml").read_bytes()[:2500], timeout=SAVED_MS)
    assert card.said.text() == "Answer found in the passage."

    while editor.desk.history is not None and editor.desk.history.undoes:
        editor.desk.undo()
    assert editor.desk.save()
    assert len(cards(editor)) == 3
    editor.close_lesson()
    assert (velmora / "qna.yaml").read_bytes() == before


def test_the_wheel_over_a_question_is_left_to_the_list(editor: LessonEditor, velmora: Path) -> None:
    editor.open(velmora)
    QApplication.processEvents()
    question = next(
        card.question for card in editor.findChildren(QuestionCard) if "Great Fire" in card.question.toPlainText()
    )
    assert question.document().size().height() > 1, "it is cut, so that something could be scrolled away"

    here, down = QPointF(question.rect().center()), QPoint(0, -120)
    turned = QWheelEvent(
        here, question.mapToGlobal(here), down, down, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(question.viewport(), turned)

    assert question.verticalScrollBar().value() == 0
    assert not turned.isAccepted(), "it goes on to the list"


def test_selected_text_becomes_a_passage_with_its_markdown(editor: LessonEditor, velmora: Path, qtbot: QtBot) -> None:
    editor.open(velmora)
    text = editor.facts.text
    start, end = find(text.toPlainText(), "About 2,600 mossback goats live on Velmora")
    cursor = text.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, cursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    assert text.use.isVisible()

    qtbot.mouseClick(text.use, Qt.MouseButton.LeftButton)

    assert editor.desk.lesson is not None
    made = editor.desk.lesson.examples[-1]
    assert made.context.startswith("About 2,600 mossback goats live on Velmora")
    assert made.context in (velmora / "velmora.md").read_text(encoding="utf-8")
    assert editor.facts.place == len(editor.desk.lesson.examples) - 1
    assert not text.use.isVisible()


def test_a_new_facts_lesson_becomes_whole_by_the_checklist_alone(
    editor: LessonEditor, blank: Path, qtbot: QtBot
) -> None:
    editor.open(blank)
    assert editor.part == "source"
    data = QMimeData()
    data.setText((paths.resources() / "practice" / "velmora" / "velmora.md").read_text(encoding="utf-8"))
    editor.source.drop._on_data(data)
    qtbot.waitUntil(lambda: bool(editor.desk.lesson and editor.desk.lesson.documents), timeout=30_000)
    assert (blank / ".originals").is_dir()
    editor.show_part("work")
    qtbot.mouseClick(editor.facts.suggest, Qt.MouseButton.LeftButton)
    assert editor.desk.lesson is not None
    assert len(editor.desk.lesson.examples) == 5

    editor._check()
    done = 0
    while (step := editor.next_step())[1] is not None and done < 60:
        done += 1
        assert step[1] is not None
        editor.go(step[1])
        focused = QApplication.focusWidget()
        assert isinstance(focused, QPlainTextEdit), step
        qtbot.keyClicks(focused, f"Text number {done} of this lesson")
        editor._check()
    if editor.next_step()[1] is not None:
        pytest.fail(f"{editor.next_step()}")
    assert editor.desk.save()

    assert not has_errors(check_leaf(blank, "contribution")), [str(each) for each in check_leaf(blank, "contribution")]


def test_a_suggestion_is_not_in_the_file_until_it_is_accepted(
    editor: LessonEditor, velmora: Path, qtbot: QtBot
) -> None:
    editor.open(velmora)
    assert editor.desk.lesson is not None
    example = editor.desk.lesson.examples[0].id
    pair = Pair("Which port is nearest?", "Calder Reach")
    editor.desk.do(lambda lesson: add_pairs(lesson, example, [pair], Mark.SUGGESTED, ["…"]), "suggestion")
    card = cards(editor)[-1]
    assert card.accept.isVisible()
    assert editor.desk.save()
    assert "Which port" not in (velmora / "qna.yaml").read_text(encoding="utf-8")
    editor.close_lesson()
    editor.open(velmora)  # a restart shows it again
    card = cards(editor)[-1]
    assert card.accept.isVisible()

    qtbot.keyClick(card.question, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)

    assert not card.accept.isVisible()
    assert editor.desk.save()
    assert read_leaf(velmora).seed_examples[0].pairs[-1] == pair


def test_a_skill_is_shown_its_missing_example_and_material(editor: LessonEditor, polite: Path, qtbot: QtBot) -> None:
    editor.open(polite)
    assert editor.next_step()[0] == "Add 1 more example."
    target = editor.next_step()[1]
    assert target is not None
    editor.go(target)
    qtbot.keyClicks(field(editor, "Request of example 5"), "Make it polite: go away")
    qtbot.keyClicks(field(editor, "Answer of example 5"), "Dear Sir, would you mind leaving?")
    assert editor.desk.save()
    assert len(read_leaf(polite).seed_examples) == 5

    qtbot.mouseClick(editor.skill.kind._buttons["grounded_skill"], Qt.MouseButton.LeftButton)
    assert field(editor, "Material of example 1").isVisible()
    editor._check()
    assert "no material yet" in editor.next_step()[0]


def test_a_file_changed_elsewhere_is_never_written_over_unasked(
    editor: LessonEditor, velmora: Path, qtbot: QtBot
) -> None:
    editor.open(velmora)
    qtbot.keyClicks(cards(editor)[0].question, " Really?")
    theirs = (velmora / "qna.yaml").read_text(encoding="utf-8").replace("lab-desktop", "somebody")
    (velmora / "qna.yaml").write_text(theirs, encoding="utf-8")

    qtbot.waitUntil(editor._banner.isVisible, timeout=SAVED_MS)
    assert (velmora / "qna.yaml").read_text(encoding="utf-8") == theirs
    qtbot.mouseClick(editor._banner.button, Qt.MouseButton.LeftButton)

    assert editor.desk.lesson is not None
    assert editor.desk.lesson.created_by == "somebody"
    editor.desk.undo()
    assert "Really?" in cards(editor)[0].question.toPlainText()


def test_ones_own_version_is_kept_and_the_other_is_one_undo_away(
    editor: LessonEditor, velmora: Path, qtbot: QtBot
) -> None:
    editor.open(velmora)
    qtbot.keyClicks(cards(editor)[0].question, " Really?")
    theirs = (velmora / "qna.yaml").read_text(encoding="utf-8").replace("lab-desktop", "somebody")
    (velmora / "qna.yaml").write_text(theirs, encoding="utf-8")
    qtbot.waitUntil(editor._banner.isVisible, timeout=SAVED_MS)

    qtbot.mouseClick(editor._keep, Qt.MouseButton.LeftButton)

    kept = read_leaf(velmora)
    assert (kept.created_by, "Really?" in kept.seed_examples[0].pairs[0].question) == ("lab-desktop", True)
    assert not editor._banner.isVisible()
    editor.desk.undo()
    assert editor.desk.lesson is not None
    assert editor.desk.lesson.created_by == "somebody"


def test_a_version_from_elsewhere_that_cannot_be_shown_is_left_alone_with_what_was_typed(
    page: LessonPage, velmora: Path, qtbot: QtBot
) -> None:
    file = velmora / "qna.yaml"
    noted = file.read_text(encoding="utf-8")
    plain = noted.replace("colour: blue\n# ask the reeve\n", "")
    file.write_text(plain, encoding="utf-8")
    page.unshown.mended.emit()
    editor = page.editor
    qtbot.keyClicks(cards(editor)[0].question, " Really?")
    file.write_text(noted, encoding="utf-8")
    qtbot.waitUntil(editor._banner.isVisible, timeout=SAVED_MS)
    assert "The lesson file was changed" in editor._banner.accessibleName()

    qtbot.mouseClick(editor._banner.button, Qt.MouseButton.LeftButton)

    assert page.unshown.isVisible()
    assert file.read_text(encoding="utf-8") == noted
    file.write_text(plain.replace("lab-desktop", "somebody"), encoding="utf-8")
    page.unshown.mended.emit()
    editor.desk.undo()
    assert "Really?" in cards(editor)[0].question.toPlainText()


def test_the_file_can_be_written_by_hand_with_the_same_check_at_its_line(
    velmora: Path, qtbot: QtBot, shown: object
) -> None:
    used: list[bool] = []
    view = FileView(velmora, lambda: used.append(True))
    qtbot.addWidget(view)
    view.show()
    assert view.problems.count() == 0
    lines = view.text.toPlainText().split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith("created_by"))
    lines[place] = "created_by: 12"
    view.text.setPlainText("\n".join(lines))

    qtbot.waitUntil(lambda: view.problems.count() > 0, timeout=SAVED_MS)
    assert view.problems.item(0).text().startswith(f"{place + 1} ")
    lines[place] = "created_by: me"
    view.text.setPlainText("\n".join(lines))
    qtbot.waitUntil(lambda: view.problems.count() == 0, timeout=SAVED_MS)
    qtbot.mouseClick(view.use, Qt.MouseButton.LeftButton)

    assert used == [True]
    assert read_leaf(velmora).created_by == "me"


def test_a_document_that_cannot_be_read_is_a_sentence_and_changes_nothing(
    editor: LessonEditor, blank: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing else")
    editor.open(blank)

    editor.intake.take_files([str(broken)])

    qtbot.waitUntil(lambda: not editor.intake.is_busy, timeout=30_000)
    assert editor.source.banner.isVisible()
    assert "broken.pdf" in editor.source.banner.accessibleName()
    assert read_draft(blank).document is None or not editor.desk.lesson or not editor.desk.lesson.documents


@pytest.mark.parametrize(
    ("source", "plain", "part", "expected"),
    [
        ("# A\n\nOne **two** three. Four.", "A\nOne two three. Four.", "two three.", "two** three."),
        ("- one two\n- one two\n", "one two\none two", "one two", "one two"),
        ("Ein *Über*maß, 3,5 km weit.", "Ein Übermaß, 3,5 km weit.", "3,5 km", "3,5 km"),
        ("nothing of it", "other words", "other words", ""),
    ],
)
def test_a_stretch_of_the_shown_text_is_found_in_its_markdown(
    source: str, plain: str, part: str, expected: str
) -> None:
    start = plain.rindex(part)

    first, last = in_source(source, plain, start, start + len(part))

    assert source[first:last] == expected
    assert not expected or first == source.rindex(expected)


def test_undo_goes_where_it_changed_something(editor: LessonEditor, velmora: Path, qtbot: QtBot) -> None:
    editor.open(velmora)
    editor.go(Field("title"))
    qtbot.keyClicks(QApplication.focusWidget(), " Two")
    editor.show_part("work")

    editor.desk.undo()

    assert editor.part == "place"
    assert editor.desk.lesson is not None
    assert editor.desk.lesson.title == "Velmora"


def test_a_spreadsheet_that_is_dropped_becomes_cards_in_one_step(
    editor: LessonEditor, velmora: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    editor.open(velmora)
    assert editor.desk.lesson is not None
    known = editor.desk.lesson.examples[0].pairs[0].question
    file = tmp_path / "museum.csv"
    file.write_text(f"Frage;Antwort\nWho counts goats?;The reeve\n{known};x\nWhy?;\nWhere?;At the weir\n")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    assert not cards(editor)[0].question.canInsertFromMimeData(data)

    drop = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    editor.dropEvent(drop)
    qtbot.waitUntil(lambda: editor.tables.sheet is not None, timeout=30_000)
    sheet = editor.tables.sheet
    assert sheet is not None
    assert (sheet.question.currentData(), sheet.answer.currentData()) == (0, 1)
    assert sheet.take.text() == "Add 2"
    assert "Row 4 has no answer" in sheet.left_out.toPlainText()
    assert "Row 3 is in the lesson already" in sheet.left_out.toPlainText()
    sheet.question.setCurrentIndex(1)
    sheet.question.activated.emit(1)
    assert not sheet.take.isEnabled()
    assert sheet.take.accessibleDescription()
    sheet.question.setCurrentIndex(0)
    sheet.question.activated.emit(0)
    qtbot.mouseClick(sheet.take, Qt.MouseButton.LeftButton)

    assert [card.answer.toPlainText() for card in cards(editor)[3:]] == ["The reeve", "At the weir"]
    editor.desk.undo()
    assert len(cards(editor)) == 3
    assert editor.tables.sheet is None


def test_cells_pasted_into_a_skill_are_looked_at_and_what_is_no_table_is_a_sentence(
    editor: LessonEditor, polite: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    editor.open(polite)
    QApplication.clipboard().setText("Say it: come\tDear Sir, come.\nSay it: go\tDear Sir, go.")
    field(editor, "Request of example 1").paste()
    assert editor.tables.sheet is not None
    qtbot.mouseClick(editor.tables.sheet.take, Qt.MouseButton.LeftButton)
    assert editor.desk.lesson is not None
    assert [each.pairs[0].answer for each in editor.desk.lesson.examples[4:]] == ["Dear Sir, come.", "Dear Sir, go."]

    QApplication.clipboard().setText("Only words.")
    qtbot.keyClick(editor.skill.add, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "no table" in editor._told.accessibleName()
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/a.xml", b"0" * 70_000_000)
    editor.source.files.emit([str(bomb)])
    qtbot.waitUntil(lambda: "far too large" in editor._told.accessibleName(), timeout=30_000)
    assert not editor.intake.is_busy


def test_pasted_questions_with_answers_become_cards(editor: LessonEditor, velmora: Path, qtbot: QtBot) -> None:
    editor.open(velmora)
    editor.facts.add_question()
    QApplication.clipboard().setText(
        "Q: Which port is nearest?\nA: Calder Reach\nQ: How long is the ferry?\nA: Seven hours"
    )

    cards(editor)[-1].question.paste()

    said = [(card.question.toPlainText(), card.answer.toPlainText()) for card in cards(editor)[3:]]
    assert said == [("Which port is nearest?", "Calder Reach"), ("How long is the ferry?", "Seven hours")]
    QApplication.clipboard().setText("A question\nin two lines")
    cards(editor)[0].question.selectAll()
    cards(editor)[0].question.paste()
    assert cards(editor)[0].question.toPlainText() == "A question in two lines"


def test_each_card_says_what_the_model_knew_until_it_is_worded_anew_and_after_a_restart(
    session: Session, velmora: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    editor = LessonEditor(session.chat, lambda: session.chat.use(Voices(model, (), model)))
    qtbot.addWidget(editor, before_close_func=lambda _: editor.close_lesson())
    editor.show()
    editor.open(velmora)
    assert not any(card.known.isVisible() for card in cards(editor))
    editor.show_part("quiz")

    qtbot.mouseClick(editor.quiz.ask, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not editor.coach.is_busy("quiz"), timeout=60_000)
    editor.show_part("work")

    def said() -> list[str]:
        return [card.known.text() if card.told.isVisible() else "" for card in cards(editor)]

    first = said()
    assert len(first) == 3
    assert all(words.startswith("The model ") for words in first)
    card = cards(editor)[0]
    qtbot.mouseClick(card.told, Qt.MouseButton.LeftButton)
    assert card.reply.isVisible()
    qtbot.keyClicks(card.question, " Really?")
    assert said() == ["", *first[1:]]
    assert card.known.text() == "The model was not asked this yet."
    assert not card.reply.isVisible()
    editor.desk.undo()
    assert said() == first
    editor.close_lesson()
    again = LessonEditor(session.chat, lambda: None)
    qtbot.addWidget(again, before_close_func=lambda _: again.close_lesson())
    again.show()
    again.open(velmora)
    editor = again
    assert said() == first
    assert again.coach.known()[1] == 15


@pytest.fixture
def page(session: Session, window: MainWindow, velmora: Path) -> LessonPage:
    """The page with the lesson of the library that is in `velmora`, whose file has a remark and a part of its own."""
    file = velmora / "qna.yaml"
    file.write_text(f"colour: blue\n# ask the reeve\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    session.edit(velmora)
    made = window.pages.lesson
    assert isinstance(made, LessonPage)
    return made


def test_what_the_editor_cannot_show_is_left_out_only_after_it_was_seen(
    page: LessonPage, velmora: Path, qtbot: QtBot
) -> None:
    before = (velmora / "qna.yaml").read_bytes()
    assert page.unshown.isVisible()
    assert not page.editor.isVisible()

    qtbot.mouseClick(page.unshown.take, Qt.MouseButton.LeftButton)
    sheet = page.unshown.findChild(ImportSheet)
    assert sheet is not None
    told = " ".join(label.text() for label in sheet.findChildren(QLabel))
    assert "ask the reeve" in told
    assert "colour" in told
    sheet.reject()
    assert (velmora / "qna.yaml").read_bytes() == before
    assert page.unshown.isVisible()

    qtbot.waitUntil(lambda: page.unshown.findChild(ImportSheet) is None)
    qtbot.mouseClick(page.unshown.take, Qt.MouseButton.LeftButton)
    sheet = page.unshown.findChild(ImportSheet)
    assert sheet is not None
    qtbot.mouseClick(sheet.take, Qt.MouseButton.LeftButton)
    assert page.editor.isVisible()
    assert not page.unshown.isVisible()
    assert [file.read_bytes() for file in (velmora / ".originals").iterdir()] == [before]
    assert read_leaf(velmora).created_by == "lab-desktop"


def test_a_file_that_is_only_looked_at_is_changed_as_a_text_and_nothing_else_of_it(
    page: LessonPage, velmora: Path, qtbot: QtBot
) -> None:
    before = (velmora / "qna.yaml").read_text(encoding="utf-8")
    qtbot.mouseClick(page.unshown.look, Qt.MouseButton.LeftButton)
    view = page.unshown.findChild(FileView)
    assert view is not None
    view.text.setPlainText(before.replace("colour: blue\n", ""))
    qtbot.mouseClick(view.use, Qt.MouseButton.LeftButton)
    assert (velmora / "qna.yaml").read_text(encoding="utf-8") == before.replace("colour: blue\n", "")
    assert page.unshown.isVisible()  # the remark is still there

    qtbot.waitUntil(lambda: page.unshown.findChild(FileView) is None)
    qtbot.mouseClick(page.unshown.look, Qt.MouseButton.LeftButton)
    view = page.unshown.findChild(FileView)
    assert view is not None
    view.text.setPlainText(before.replace("colour: blue\n# ask the reeve\n", ""))
    qtbot.mouseClick(view.use, Qt.MouseButton.LeftButton)

    assert page.editor.isVisible()
    assert not (velmora / ".originals").exists()


def test_a_remark_written_into_the_file_of_an_open_lesson_stays_there(
    page: LessonPage, velmora: Path, qtbot: QtBot
) -> None:
    file = velmora / "qna.yaml"
    plain = file.read_text(encoding="utf-8").replace("colour: blue\n# ask the reeve\n", "")
    file.write_text(plain, encoding="utf-8")
    page.unshown.mended.emit()
    assert page.editor.isVisible()
    qtbot.keyClicks(cards(page.editor)[0].question, " Really?")
    assert page.editor.desk.save()

    noted = f"# mine\n{file.read_text(encoding='utf-8')}"
    view = FileView(velmora, page.editor._reread, page.editor)
    view.text.setPlainText(noted)
    qtbot.mouseClick(view.use, Qt.MouseButton.LeftButton)

    assert page.unshown.isVisible()
    assert page.editor.desk.lesson is None
    assert file.read_text(encoding="utf-8") == noted
    file.write_text(plain.replace("lab-desktop", "somebody"), encoding="utf-8")
    page.unshown.mended.emit()
    assert page.editor.desk.lesson is not None
    page.editor.desk.undo()
    assert "Really?" in cards(page.editor)[0].question.toPlainText()


def topic(sheet: MoveSheet, title: str) -> QTreeWidgetItem:
    return next(item for item in sheet._items if item.text(0).startswith(title))


def test_a_lesson_moves_to_another_topic_while_it_is_open_and_back_with_one_press(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    root = states.library(session.home)
    islands = root / "knowledge" / "geography" / "islands"
    (islands / "velmora" / ".originals").mkdir()
    (islands / "velmora" / ".originals" / "guide.pdf").write_bytes(b"%PDF")
    project = states.project(session.root, lesson=islands / "velmora")
    session.refresh()
    session.edit(islands / "velmora")
    editor = window.pages.lesson.editor
    qtbot.keyClicks(cards(editor)[0].question, " Really?")
    editor.show_part("place")
    qtbot.mouseClick(editor.place.move_it, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: editor.mover.sheet is not None, timeout=SAVED_MS)
    sheet = editor.mover.sheet
    assert sheet is not None
    assert not sheet.move_it.isEnabled()
    assert "here now" in sheet.tree.currentItem().text(0)
    qtbot.keyClicks(sheet.field, "xylo")
    assert "No topic is called so" in sheet.move_it.accessibleDescription()
    sheet.field.clear()
    qtbot.keyClicks(sheet.field, "hist")
    assert sheet.tree.currentItem() is topic(sheet, "History")
    qtbot.mouseClick(sheet.move_it, Qt.MouseButton.LeftButton)

    new = root / "knowledge" / "history" / "velmora"
    assert editor.desk.folder == new
    assert session.lesson == new
    assert not (islands / "velmora").exists()
    assert (new / ".originals" / "guide.pdf").is_file()
    assert "Really?" in (new / "qna.yaml").read_text(encoding="utf-8")
    assert (project.lessons / "knowledge" / "history" / "velmora" / "qna.yaml").is_file()
    assert "“History”" in editor._told.accessibleName()
    qtbot.keyClicks(editor.place.field("domain"), "s")
    qtbot.mouseClick(editor._told.button, Qt.MouseButton.LeftButton)

    assert editor.desk.folder == islands / "velmora" == session.lesson
    assert read_leaf(islands / "velmora").domain.startswith("s")
    assert not new.exists()
    assert not (project.lessons / "knowledge" / "history" / "velmora").exists()
    assert editor.desk.history is not None
    while editor.desk.history.undoes:
        editor.desk.undo()
    assert "Really?" not in cards(editor)[0].question.toPlainText()


def test_a_lesson_of_a_project_moves_to_a_topic_that_only_the_library_has(
    session: Session, window: MainWindow, qtbot: QtBot
) -> None:
    states.library(session.home)
    project = states.project(session.root)
    session.refresh()
    session.edit(None)
    editor = window.pages.lesson.editor
    editor.mover.begin()
    qtbot.waitUntil(lambda: editor.mover.sheet is not None, timeout=SAVED_MS)
    sheet = editor.mover.sheet
    assert sheet is not None
    sheet.tree.itemActivated.emit(topic(sheet, "Rivers"), 0)
    assert editor.desk.folder == project.lessons / "knowledge" / "velmora"  # nothing was in hand but where it is
    sheet.tree.setCurrentItem(topic(sheet, "Rivers"))
    qtbot.mouseClick(sheet.move_it, Qt.MouseButton.LeftButton)

    assert editor.desk.folder == project.lessons / "knowledge" / "geography" / "rivers" / "velmora"
    assert window.pages.lesson.list.count() == 1
    assert editor.desk.lesson is not None
    assert editor.desk.lesson.node[1:-1] == ("geography", "rivers")
