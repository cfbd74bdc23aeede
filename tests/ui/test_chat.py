"""pages/chat.py with the practice model in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from lab_desktop import chats, paths, projects, votes
from lab_desktop.chats import Chat, Turn
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat import ChatPage
from lab_desktop.ui.pages.chat_teach import TeachSheet
from lab_desktop.ui.preferences import Preferences
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.messages import Message

ANSWERED_MS = 90_000
FERRY = Chat(
    "ferry",
    turns=(
        Turn("user", "How long does the ferry take?"),
        Turn("assistant", "Nine hours.", "", 4, 1.0, model="Granite-2B"),
        Turn("user", "And when does it sail?"),
        Turn("assistant", "On Tuesdays.", "new", 4, 1.0, model="Granite-2B"),
    ),
)


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> ChatPage:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.show_page("chat")
    found = window.pages["chat"]
    assert isinstance(found, ChatPage)
    return found


@pytest.fixture
def trained(session: Session) -> Path:
    """A project whose model learned something: the run folder. Its adapter is the practice teacher's."""
    project = session.new_practice()
    run = projects.new_run(project, paths.practice_model())
    (run / "adapter").mkdir()
    adapter = paths.taught_adapter(paths.practice_model())
    assert adapter is not None
    shutil.copyfile(adapter, run / "adapter" / "adapter.gguf")
    session.refresh()
    return run


def said(page: ChatPage) -> list[Message]:
    messages = page._list.messages
    return [message for row in range(len(messages)) for message in messages[row]]


def ask(page: ChatPage, qtbot: QtBot, text: str) -> None:
    page._input.setFocus()
    page._input.setPlainText(text)
    qtbot.keyClick(page._input, Qt.Key.Key_Return)


def wait_for_rest(page: ChatPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page._asked is None, timeout=ANSWERED_MS)


def open_chat(page: ChatPage, session: Session, chat: Chat, qtbot: QtBot) -> None:
    """Save it, and click it in the list."""
    chats.save(session.chats, chat)
    page._list_saved()
    for number in range(page._saved.count()):
        item = page._saved.item(number)
        if item.text() == chat.title:
            place = page._saved.visualItemRect(item).center()
            qtbot.mouseClick(page._saved.viewport(), Qt.MouseButton.LeftButton, pos=place)
            return
    raise AssertionError(f"{chat.title} is not in the list")


def click_action(page: ChatPage, qtbot: QtBot, row: int, side: int, name: str) -> None:
    (box,) = [box for each, _, _, box in page._list._actions(row, side) if each == name]
    qtbot.mouseClick(page._list.viewport(), Qt.MouseButton.LeftButton, pos=box.center().toPoint())


def saved(session: Session) -> list[Chat]:
    return chats.every(session.chats)


@pytest.mark.slow
def test_a_question_is_answered_and_the_chat_is_saved(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    assert not page._meter.isVisible()

    qtbot.keyClicks(page._input, "What is the capital of France?")
    qtbot.keyClick(page._input, Qt.Key.Key_Return)
    assert said(page)[1].note == "thinking …"
    qtbot.waitUntil(lambda: len(saved(session)) == 1 and len(saved(session)[0].turns) == 2, timeout=ANSWERED_MS)

    question, answer = said(page)
    assert (question.text, question.is_own) == ("What is the capital of France?", True)
    assert answer.text
    assert answer.note.startswith("Original · SmolLM2-135M · ")
    assert "words a second" in answer.note
    assert page._meter.isVisible()
    assert "Memory of this chat" in page._memory_words.text()
    assert saved(session)[0].turns[1].model == "SmolLM2-135M"
    open_chat(page, session, FERRY, qtbot)
    assert not page._meter.isVisible()


@pytest.mark.slow
@pytest.mark.alone
def test_a_model_that_dies_loses_nothing_is_asked_again_and_esc_stops_it(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    ask(page, qtbot, "Tell me a very long story about a ship.")
    qtbot.waitUntil(lambda: len(said(page)) == 2 and len(said(page)[-1].text) > 20, timeout=ANSWERED_MS)
    process = session.chat._process
    assert process is not None
    os.kill(process.processId(), signal.SIGKILL)
    qtbot.waitUntil(page._banner.isVisible, timeout=10_000)

    assert "Your chat is safe" in page._banner.accessibleName()
    assert [turn.text for turn in saved(session)[0].turns] == ["Tell me a very long story about a ship."]
    page._banner.button.click()
    qtbot.waitUntil(lambda: len(said(page)) == 2 and len(said(page)[-1].text) > 20, timeout=ANSWERED_MS)
    ask(page, qtbot, "Wait")
    assert "still being written" in page._banner.accessibleName()
    assert page._input.toPlainText() == "Wait"
    qtbot.keyClick(page._input, Qt.Key.Key_Escape)
    wait_for_rest(page, qtbot)
    assert "stopped" in said(page)[-1].note

    began = time.monotonic()
    session.chat.close()
    assert time.monotonic() - began < 0.1
    qtbot.waitUntil(lambda: not session.chat._leaving, timeout=10_000)


@pytest.mark.slow
def test_a_blind_comparison_names_the_models_after_the_vote_and_keeps_it(
    page: ChatPage, session: Session, trained: Path, window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.mouseClick(page._mode._buttons["blind"], Qt.MouseButton.LeftButton)
    ask(page, qtbot, "Hi?")
    wait_for_rest(page, qtbot)
    _, left, right = said(page)
    assert left.text
    assert right.text
    assert {left.speaker, right.speaker} == {"Left", "Right"}
    assert "Original" not in left.note + right.note
    assert page._vote.isVisible()

    page._input.setFocus()
    qtbot.keyClick(page._input, Qt.Key.Key_1)
    assert page._input.toPlainText() == "1"
    page._list.setFocus()
    qtbot.keyClick(page._list, Qt.Key.Key_1)

    _, left, right = said(page)
    assert {left.speaker, right.speaker} == {"Original", "Your model"}
    assert page._vote.words.text() == "You found the left answer better."
    first = "new" if left.speaker == "Your model" else "original"
    assert votes.read_votes(trained)["Hi?"].choice == first
    qtbot.mouseClick(page._vote.change, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page._vote.buttons["same"], Qt.MouseButton.LeftButton)
    assert votes.read_votes(trained)["Hi?"].choice == "same"
    assert page._vote.details.text() == "Votes so far: 0 for your model, 0 for the original, 1 the same"
    assert [turn.choice for turn in saved(session)[0].turns] == ["same", "", ""]
    assert window.header.chip.text().startswith("Original and your model")


@pytest.mark.slow
def test_in_a_comparison_one_side_that_fails_leaves_the_other_and_is_asked_again(
    page: ChatPage, session: Session, trained: Path, qtbot: QtBot
) -> None:
    qtbot.keyClick(page._input, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    ask(page, qtbot, "Tell me a long story about a ship and its crew.")
    qtbot.waitUntil(lambda: len(said(page)) == 3 and len(said(page)[1].text) > 5, timeout=ANSWERED_MS)
    process = session.chat._process
    assert process is not None
    os.kill(process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: len(said(page)[2].text) > 5, timeout=ANSWERED_MS)
    qtbot.keyClick(page._input, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    wait_for_rest(page, qtbot)

    _, left, right = said(page)
    assert (left.text, left.tone) == ("", "bad")
    assert right.text
    assert page._banner.button.text() == "Ask again"
    page._banner.button.click()
    qtbot.waitUntil(lambda: len(said(page)[1].text) > 5, timeout=ANSWERED_MS)
    page.stop()
    wait_for_rest(page, qtbot)
    assert said(page)[2].text == right.text
    assert [(turn.voice, turn.column) for turn in saved(session)[0].turns[1:]] == [("new", 1), ("", 0)]


@pytest.mark.slow
def test_an_edited_question_parts_the_chat_and_both_ways_are_walked(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    open_chat(page, session, FERRY, qtbot)
    page._input.setPlainText("half written")
    click_action(page, qtbot, 0, 0, "edit")
    assert page._input.toPlainText() == "How long does the ferry take?"
    assert "lead back" in page._edit_words.text()
    qtbot.keyClick(page._input, Qt.Key.Key_Escape)
    assert page._input.toPlainText() == "half written"

    click_action(page, qtbot, 0, 0, "edit")
    ask(page, qtbot, "How wide is the ferry?")
    page.stop()
    wait_for_rest(page, qtbot)

    assert said(page)[0].text == "How wide is the ferry?"
    assert [chat.id for chat in saved(session)] == ["ferry"]
    assert [title for _, icon, title in said(page)[0].actions if not icon] == ["2/2"]
    click_action(page, qtbot, 0, 0, "before")
    assert [message.text for message in said(page)] == [turn.text for turn in FERRY.turns]


@pytest.mark.slow
def test_answering_again_keeps_the_answer_that_was_there(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    open_chat(page, session, FERRY, qtbot)
    click_action(page, qtbot, 3, 0, "again")
    qtbot.waitUntil(lambda: bool(page._writing), timeout=ANSWERED_MS)
    page.stop()
    wait_for_rest(page, qtbot)

    now = said(page)[3].text
    assert [title for _, icon, title in said(page)[3].actions if not icon] == ["2/2"]
    page._list.setFocus()
    page._list.go_to(3)
    qtbot.keyClick(page._list, Qt.Key.Key_Left)
    assert said(page)[3].text == "On Tuesdays."
    qtbot.keyClick(page._list, Qt.Key.Key_Right)
    assert said(page)[3].text == now
    (chat,) = saved(session)
    assert [way[-1].text for way in chat.others] == ["On Tuesdays."]


def branched() -> Chat:
    """A question in two wordings; the second has three answers, and the last of them is in hand."""
    chat = chats.part(FERRY, FERRY.turns[:2])
    question = Turn("user", "And on which day?")
    for number, day in enumerate(("Friday.", "Monday.", "Sunday."), start=1):
        turns = chat.turns if number == 1 else chat.turns[:3]
        chat = chats.part(chat, turns) if number > 1 else chat
        chat = replace(chat, turns=(*chat.turns[:2], question, Turn("assistant", day, "new", 4, float(number))))
    return chat


def test_saved_ways_are_shown_walked_by_keys_and_menu_and_said(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    open_chat(page, session, branched(), qtbot)
    assert [message.text for message in said(page)][2:] == ["And on which day?", "Sunday."]
    counts = [[title for _, icon, title in message.actions if not icon] for message in said(page)]
    assert counts == [[], [], ["2/2"], ["3/3"]]
    spoken = page._list.messages.index(3, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Your model: Sunday., 3/3"

    page._list.setFocus()
    page._list.go_to(3)
    qtbot.keyClick(page._list, Qt.Key.Key_Right)
    assert said(page)[3].text == "Friday."
    menu = page._list.menu(2, 0)
    next(action for action in menu.actions() if action.text() == "The one before").trigger()
    assert [message.text for message in said(page)][2:] == ["And when does it sail?", "On Tuesdays."]
    assert page._list.currentIndex().row() == 2
    click_action(page, qtbot, 2, 0, "after")
    assert said(page)[3].text == "Sunday."


def test_a_style_of_ones_own_is_kept_and_asked_with(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    assert not page._freely.isVisible()
    qtbot.mouseClick(page._styles._buttons["own"], Qt.MouseButton.LeftButton)
    assert page._freely.isVisible()
    assert page._temperature == pytest.approx(0.6)

    page._freely.setFocus()
    for _ in range(3):
        qtbot.keyClick(page._freely, Qt.Key.Key_Right)

    assert page._temperature == pytest.approx(0.78)
    assert page._styles.chosen == "own"
    assert Preferences(session.preferences.path).choices.freely == 65
    qtbot.mouseClick(page._styles._buttons["careful"], Qt.MouseButton.LeftButton)
    assert (page._temperature, page._freely.isVisible()) == (0.0, False)


def test_saved_chats_are_found_by_any_word_and_opened(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    for text in ("How do I bake bread?", "Who built the lighthouse?"):
        chats.save(session.chats, Chat(text[:3], turns=(Turn("user", text), Turn("assistant", "So."))))
    qtbot.keyClick(page._input, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page._search.hasFocus()
    qtbot.keyClicks(page._search, "LIGHTHOUSE")
    qtbot.waitUntil(lambda: page._saved.count() == 1, timeout=2000)

    page._saved.setFocus()
    page._saved.setCurrentRow(0)
    qtbot.keyClick(page._saved, Qt.Key.Key_Return)

    assert [message.text for message in said(page)] == ["Who built the lighthouse?", "So."]
    page._search.setText("nothing like it")
    qtbot.waitUntil(page._nothing.isVisible, timeout=2000)
    assert page._nothing.text() == "No chat has these words."


def test_an_old_answer_is_named_by_who_gave_it(page: ChatPage, session: Session, trained: Path, qtbot: QtBot) -> None:
    open_chat(page, session, FERRY, qtbot)

    _, first, _, second = said(page)
    assert first.note == "Original · Granite-2B · 3 words a second"
    assert second.note == "Your model · Granite-2B · 3 words a second"
    assert not page._meter.isVisible()


def test_an_old_comparison_has_its_own_names_and_without_its_model_says_so(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    turns = (
        Turn("user", "Who?"),
        Turn("assistant", "Mira.", "new", 1, 1.0, model="Granite-2B"),
        Turn("assistant", "Nobody.", "", 1, 1.0, column=1, model="Granite-2B"),
    )
    open_chat(page, session, Chat("old", is_compare=True, turns=turns), qtbot)

    heads = [(name.text(), model.text()) for name, model in page._names]
    assert heads == [("Your model", "Granite-2B"), ("Original", "Granite-2B")]
    ask(page, qtbot, "And now?")
    assert "no trained model in hand" in page._banner.accessibleName()
    assert page._input.toPlainText() == "And now?"
    assert len(said(page)) == 3


def test_who_answers_is_chosen_in_the_header_and_remembered_by_the_chat(
    page: ChatPage, session: Session, trained: Path, window: MainWindow, qtbot: QtBot
) -> None:
    open_chat(page, session, FERRY, qtbot)
    assert window.header.chip.text() == "Your model  SmolLM2-135M"

    menu = window.header.chip.menu()
    menu.aboutToShow.emit()
    assert [(each.text(), each.isChecked()) for each in menu.actions()] == [
        ("Your model  ·  SmolLM2-135M", True),
        ("Original  ·  SmolLM2-135M", False),
    ]
    menu.actions()[1].trigger()
    assert window.header.chip.text() == "Original  SmolLM2-135M"

    page.new_chat()
    page._choose_voice("new")
    assert window.header.chip.text() == "Your model  SmolLM2-135M"
    open_chat(page, session, next(chat for chat in saved(session) if chat.id == "ferry"), qtbot)
    assert window.header.chip.text() == "Original  SmolLM2-135M"


def test_a_chat_of_another_project_is_not_asked_of_the_one_in_hand(
    page: ChatPage, session: Session, trained: Path, qtbot: QtBot
) -> None:
    owner = session.project
    assert owner is not None
    open_chat(page, session, replace(FERRY, project=owner.folder.name), qtbot)
    session.open(projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"]))

    ask(page, qtbot, "And back?")
    assert page._asked is None
    assert "belongs to another project" in page._banner.accessibleName()
    assert page._input.toPlainText() == "And back?"

    page._banner.button.click()
    assert session.project == owner


@pytest.mark.slow
def test_an_answer_that_is_being_written_stays_its_models_when_the_project_changes(
    page: ChatPage, session: Session, trained: Path, qtbot: QtBot
) -> None:
    other = projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"])
    ask(page, qtbot, "Tell me about the sea.")
    qtbot.waitUntil(lambda: bool(page._writing), timeout=ANSWERED_MS)

    session.open(other)
    wait_for_rest(page, qtbot)

    assert [turn.voice for turn in saved(session)[0].turns] == ["", "new"]
    assert page.speaking()[0] == "Original"


def test_without_training_the_menu_names_both_and_leads_to_improve(
    page: ChatPage, window: MainWindow, session: Session
) -> None:
    page.voices.aboutToShow.emit()
    first, second = page.voices.actions()

    assert first.text() == "Your model  ·  not trained yet, go to Improve"
    assert second.isChecked()
    first.trigger()
    assert window.page == "improve"


def test_a_chat_is_renamed_deleted_and_taken_back_by_keys(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    open_chat(page, session, FERRY, qtbot)
    page._saved.setFocus()
    qtbot.keyClick(page._saved, Qt.Key.Key_F2)
    (editor,) = page._saved.viewport().findChildren(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "Boats")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [chat.title for chat in saved(session)] == ["Boats"], timeout=2000)
    qtbot.waitUntil(lambda: page._saved.item(0).data(Qt.ItemDataRole.UserRole).name == "Boats", timeout=2000)
    assert page.heading()[1] == "Boats"

    page._saved.setFocus()
    qtbot.keyClick(page._saved, Qt.Key.Key_Delete)
    assert saved(session) == []
    assert said(page) == []
    assert page._undo_words.text() == "“Boats” is in the bin for 30 days."
    qtbot.keyClick(page._saved, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [chat.title for chat in saved(session)] == ["Boats"]
    assert not page._undo.isVisible()


def test_a_chat_comes_back_from_the_bin_long_after_it_was_deleted(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    chats.save(session.chats, FERRY)
    chats.delete(session.chats, FERRY)
    (session.chats / "bin" / "broken.json").write_text("{", encoding="utf-8")
    window.show_page("chat")
    page = window.pages.chat
    assert page.bin.text() == "Bin (1)" and page.bin.isVisible()

    page.bin.click()
    (menu,) = page.bin.findChildren(QMenu)
    (back,) = menu.actions()
    assert f"“{FERRY.title}”" in back.text()
    back.trigger()
    menu.close()

    assert [chat.title for chat in saved(session)] == [FERRY.title]
    assert page._saved.count() == 1
    assert not page.bin.isVisible()


def test_a_chat_that_cannot_be_read_is_told_and_can_be_put_away(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    chats.save(session.chats, FERRY)
    file = session.chats / f"{FERRY.id}.json"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"turns"', b'"tuRns"'))
    page._list_saved()

    assert page._saved.count() == 0
    assert f"its file “{file.name}” is damaged" in page._damaged_words.text() and page._damaged.isVisible()
    assert page._damaged_words.toolTip() == str(file)

    throw = next(each for each in page._damaged.findChildren(QPushButton) if each.text() == "Delete")
    qtbot.mouseClick(throw, Qt.MouseButton.LeftButton)
    assert not page._damaged.isVisible() and not file.exists()
    assert page._undo_words.text() == f"“{file.name}” is in the bin for 30 days."

    qtbot.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page._damaged.isVisible()
    file.write_bytes(whole)  # from a backup
    page._list_saved()
    assert page._saved.count() == 1 and not page._damaged.isVisible()


def test_the_conversation_is_walked_and_acted_on_by_keys(page: ChatPage, session: Session, qtbot: QtBot) -> None:
    open_chat(page, session, FERRY, qtbot)
    reached = []
    page._mode._buttons["one"].setFocus()
    page._styles._buttons["creative"].setFocus()
    qtbot.keyClick(page._styles._buttons["creative"], Qt.Key.Key_Tab)
    for _ in range(4):
        reached.append(QGuiApplication.focusObject())
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
    assert page._list in reached

    page._list.setFocus()
    assert page._list.currentIndex().row() == 3
    qtbot.keyClick(page._list, Qt.Key.Key_Up)
    qtbot.keyClick(page._list, Qt.Key.Key_Up)
    assert page._list.currentIndex().data() == "Nine hours."
    qtbot.keyClick(page._list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Nine hours."
    qtbot.keyClick(page._list, Qt.Key.Key_Return)
    (menu,) = page._list.findChildren(QMenu)
    assert menu.isVisible()
    assert [action.text() for action in menu.actions()] == ["Copy", "Teach it this"]
    menu.close()


def test_a_wrong_answer_becomes_a_draft(page: ChatPage, session: Session, trained: Path, qtbot: QtBot) -> None:
    open_chat(page, session, Chat("f", "velmora", turns=FERRY.turns), qtbot)
    click_action(page, qtbot, 1, 0, "teach")
    (sheet,) = page.findChildren(TeachSheet)
    qtbot.keyClicks(sheet.answer, "Ten hours")
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not (session.chats.parent / "drafts").exists()
    qtbot.waitUntil(lambda: not page.findChildren(TeachSheet), timeout=2000)

    click_action(page, qtbot, 1, 0, "teach")
    (sheet,) = page.findChildren(TeachSheet)
    assert sheet.answer.toPlainText() == "Ten hours"
    sheet.answer.clear()
    press(sheet, "Keep as draft")
    assert sheet.isVisible()
    sheet.answer.setPlainText("Nine hours and a half.")
    sheet.passage.setPlainText("The ferry Petrel takes nine hours and a half.")
    press(sheet, "Keep as draft")

    file = session.chats.parent / "drafts" / "velmora_facts" / "qna.yaml"
    (example,) = yaml.safe_load(file.read_text())["seed_examples"]
    assert example["context"] == "The ferry Petrel takes nine hours and a half."
    assert example["questions_and_answers"] == [
        {"question": "How long does the ferry take?", "answer": "Nine hours and a half."}
    ]
    assert page._banner.accessibleName().startswith("Kept as a draft.")
    assert page._banner.button.text() == "Show in folder"

    qtbot.waitUntil(lambda: not page.findChildren(TeachSheet), timeout=2000)
    click_action(page, qtbot, 3, 0, "teach")
    (sheet,) = page.findChildren(TeachSheet)
    sheet.answer.setPlainText("On Saturdays.")
    sheet.passage.setPlainText("It sails on Saturdays.")
    assert sheet._where._buttons["add"].text() == "Add to “Velmora facts” (1)"
    press(sheet, "Keep as draft")
    assert len(yaml.safe_load(file.read_text())["seed_examples"]) == 2


def test_a_draft_that_cannot_be_written_keeps_the_sheet_and_what_was_typed(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    open_chat(page, session, FERRY, qtbot)
    (session.chats.parent / "drafts").write_text("a file, no folder")
    click_action(page, qtbot, 1, 0, "teach")
    (sheet,) = page.findChildren(TeachSheet)
    sheet.answer.setPlainText("Ten hours.")
    press(sheet, "Keep as draft")

    assert sheet.isVisible()
    assert "could not be written" in sheet._banner.accessibleName()
    assert sheet.answer.toPlainText() == "Ten hours."
    sheet.reject()


def press(sheet: TeachSheet, text: str) -> None:
    (button,) = [each for each in sheet.findChildren(QPushButton) if each.text() == text]
    button.click()


class Opened(QObject):
    """Takes the place of the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    @Slot(QUrl)
    def open(self, address: QUrl) -> None:
        self.addresses.append(address.toString())


def test_a_link_is_opened_only_after_its_whole_address_was_shown(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    text = "[the harbour office](https://evil.example/path?x=1)"
    open_chat(page, session, Chat("link", turns=(Turn("user", "Where?"), Turn("assistant", text))), qtbot)
    browser = Opened()
    QDesktopServices.setUrlHandler("https", browser, "open")  # type: ignore[arg-type]  # bytes are refused
    place = page._list._surfaces(1)[0].topLeft().toPoint() + QPoint(40, 24)

    qtbot.mouseClick(page._list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    (box,) = page.findChildren(QMessageBox)
    assert "https://evil.example/path?x=1" in box.informativeText()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.findChildren(QMessageBox), timeout=2000)
    assert browser.addresses == []

    qtbot.mouseClick(page._list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    (box,) = page.findChildren(QMessageBox)
    next(each for each in box.buttons() if each.text() == "Open").click()
    QDesktopServices.unsetUrlHandler("https")
    assert browser.addresses == ["https://evil.example/path?x=1"]


def test_own_questions_that_change_are_never_a_window_of_their_own(
    page: ChatPage, session: Session, trained: Path, window: MainWindow, qtbot: QtBot
) -> None:
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()] == [window]

    def questions() -> list[str]:
        return [button.text() for button in page._empty.findChildren(QPushButton) if button.isVisible()]

    qtbot.waitUntil(lambda: "When was Velmora settled?" in questions(), timeout=5000)
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()] == [window]


def test_a_narrow_window_folds_the_saved_chats(page: ChatPage, window: MainWindow, qtbot: QtBot) -> None:
    window.resize(960, 640)
    qtbot.waitUntil(lambda: not page._left.isVisible(), timeout=2000)

    qtbot.mouseClick(page._unfold, Qt.MouseButton.LeftButton)
    assert page._left.isVisible()


def test_a_chat_that_cannot_be_saved_is_told_and_stays_on_screen(
    page: ChatPage, session: Session, qtbot: QtBot
) -> None:
    open_chat(page, session, FERRY, qtbot)
    shutil.rmtree(session.chats)
    session.chats.write_text("a file, no folder")

    page._rename(page._chat, "Boats")

    assert "could not be written" in page._banner.accessibleName()
    assert len(said(page)) == 4
