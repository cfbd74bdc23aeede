"""ui/editor: lessons written by clicks and keys, saved as they are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from lab_desktop import paths
from lab_desktop.artifacts import Leaf, LeafKind, Pair, SeedExample
from lab_desktop.editing.lesson import Field, Mark, add_pairs
from lab_desktop.taxonomy.check import check_leaf, has_errors
from lab_desktop.taxonomy.qna import read_draft, read_leaf, write_leaf
from lab_desktop.ui.editor.cards import QuestionCard
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.lesson_editor import LessonEditor
from lab_desktop.ui.editor.text import find, in_source
from lab_desktop.ui.session import Session

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
