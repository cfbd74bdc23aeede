"""The sheet that shares a lesson: looked through page by page, sent to real git by a worker, and never sent unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import keyring
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.contribution import accounts, contributions, destinations
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.files import write_json
from lab_desktop.taxonomy import attribution
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.share import preparing, proof_page
from lab_desktop.ui.pages.share.endings import ending
from lab_desktop.ui.pages.share.sheet import ShareSheet
from lab_desktop.ui.session import Session, Spot
from tests.contribution.hub import FACTS, SKILL, TAXONOMY, TOKEN, Hub, running, said, set_up
from tests.drills.runs import freeform_leaf, knowledge_leaf
from tests.git_server import PUSH, Fault
from tests.keyrings import SHARED, MemoryKeyring

MAIL = "7+ada@users.noreply.github.com"


@pytest.fixture
def library(own_home: Path) -> Path:
    """The person's library without git: facts and a skill, complete with their credits."""
    root = own_home / "library"
    for lesson in (knowledge_leaf(root), freeform_leaf(root)):
        attribution.write_attribution([attribution.own_work(lesson.name, "Ada Lovelace")], lesson)
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library and a community's repositories, made once; not to be changed."""
    return set_up(tmp_path_factory.mktemp("hubs") / "made")


@pytest.fixture
def hub(made: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A community on this computer, known as the team's; ada is signed in there, for the worker too."""
    with running(made, own_home) as started:
        host = started.git.host
        started.git.accounts["ada"] = TOKEN
        (tmp_path / "keys.json").write_text(json.dumps({f"{accounts.KEYS} https://{host}": TOKEN}))
        monkeypatch.setenv(SHARED, str(tmp_path / "keys.json"))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.SharedKeyring")
        destinations.keep_team(started.community)
        sign_in_ada(own_home, host)
        yield started


def sign_in_ada(home: Path, host: str) -> None:
    """As an earlier sign-in left it."""
    ada = Account("github", host, "ada", "Ada Lovelace", MAIL, (MAIL,))
    write_json(home / accounts.FILE_NAME, {"accounts": {host: asdict(ada)}, "clients": {}})


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def opened(session: Session, what: Path | Contribution, parent: QWidget, qtbot: QtBot) -> ShareSheet:
    """The sheet when the lesson has been looked through."""
    sheet = ShareSheet(session, what, parent)
    sheet.open()
    qtbot.waitUntil(lambda: sheet._stack.currentIndex() != 0, timeout=10_000)
    return sheet


def press(widget: QWidget, qtbot: QtBot) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(8, widget.height() // 2))


def sign(sheet: ShareSheet, qtbot: QtBot) -> None:
    """Fill in page 2, and go on."""
    sheet.rights.name.setText("Ada Lovelace")
    sheet.rights.email.setEditText(MAIL)
    press(sheet.rights.agree, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.page == 3, timeout=5000)


def only() -> Contribution:
    (found,) = contributions.every()
    return found


def test_from_the_button_on_a_lesson_to_an_open_request(hub: Hub, window: MainWindow, qtbot: QtBot) -> None:
    session = window._session
    session.edit(hub.library / FACTS)
    press(window.pages.lesson.editor.share, qtbot)
    sheet = window.findChild(ShareSheet)
    assert sheet is not None
    qtbot.waitUntil(lambda: sheet.page == 1, timeout=10_000)
    assert "What is a0?" in sheet.what.reader.toPlainText()
    assert contributions.state(only()) is State.DRAFT

    press(sheet.frame.next, qtbot)
    sheet.rights.name.setText("Ada Lovelace")
    sheet.rights.email.setEditText(MAIL)
    assert "Tick" in sheet.rights.face().why_not and not sheet.frame.next.isEnabled()
    press(sheet.rights.agree, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.page == 3, timeout=5000)
    press(sheet.proof.team, qtbot)
    sheet.proof.note.setPlainText("For the people of Orra.")
    assert sheet.frame.next.text() == f"Send to {TAXONOMY}"
    assert hub.hub.pulls == [] and hub.branches(TAXONOMY).keys() == {"main"}
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=30_000)

    assert f"Sent to {TAXONOMY}" in sheet.outcome.words
    (pull,) = hub.hub.pulls
    assert "For the people of Orra." in pull.body
    branch = only().branch
    text = said(hub.git.repository("ada/taxonomy"), "log", "-1", "--format=%an <%ae>%n%B", branch)
    assert text.splitlines()[0] == f"Ada Lovelace <{MAIL}>" and f"Signed-off-by: Ada Lovelace <{MAIL}>" in text
    assert contributions.state(only()) is State.SENT
    told = [file for file in session.home.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    assert told == [], "the token is in no file"
    sheet.reject()
    again = opened(session, hub.library / FACTS, window, qtbot)
    assert "Sent to" in again.outcome.words, "what is there already is not offered anew"
    again.reject()

    file = hub.library / FACTS / "qna.yaml"
    file.write_text(file.read_text().replace("An island", "An island, and its light"))
    anew = opened(session, hub.library / FACTS, window, qtbot)
    assert anew.page == 1 and "changed since you agreed" in anew.frame.banner.accessibleName()
    press(anew.frame.next, qtbot)
    press(anew.rights.agree, qtbot)
    press(anew.frame.next, qtbot)
    qtbot.waitUntil(lambda: anew.page == 3, timeout=5000)
    assert anew.frame.next.text() == f"Send it anew to {TAXONOMY}"
    press(anew.frame.next, qtbot)
    qtbot.waitUntil(lambda: anew.outcome.is_end, timeout=30_000)
    assert "Sent to" in anew.outcome.words and len(hub.hub.pulls) == 1
    assert "and its light" in hub.files("ada/taxonomy", branch)[f"{FACTS}/qna.yaml"]
    anew.reject()


def test_a_refused_push_is_told_and_the_next_press_finishes_it(
    hub: Hub, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, hub.library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    press(sheet.proof.team, qtbot)
    hub.git.faults.append(Fault(PUSH, status=403))
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=30_000)
    assert "It is not there yet" in sheet.outcome.words and hub.hub.pulls == []

    press(sheet.outcome.button, qtbot)
    qtbot.waitUntil(lambda: f"Sent to {TAXONOMY}" in sheet.outcome.words, timeout=30_000)
    assert len(hub.hub.pulls) == 1
    sheet.reject()


def test_signed_out_it_is_prepared_and_nothing_is_asked(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    assert sheet.frame.next.text() == "Prepare, send later" and sheet.proof.sign_in.isVisible()
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=5000)

    assert "Prepared" in sheet.outcome.words
    made = only()
    assert contributions.state(made) is State.READY and not session.sharing.errand.is_busy
    assert made.destination == destinations.destination(destinations.COMMUNITY)
    sheet.reject()
    later = opened(session, made, parent, qtbot)
    assert later.page == 3, "what was agreed to is not asked again"
    later.reject()


def test_a_file_to_send_by_mail_is_written(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "shout"), ""))
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    press(sheet.proof.file, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=20_000)

    assert "“shout.labpack” is written" in sheet.outcome.words
    assert (tmp_path / "shout.labpack").stat().st_size > 0
    sheet.reject()


def test_closed_on_any_page_a_draft_stays_with_what_was_typed(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sheet.rights.name.setText("Ada  Lovelace")
    sheet.rights.email.setEditText(MAIL)
    sheet.proof.note.setPlainText("For the village.")
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: only().author is not None, timeout=5000)

    again = opened(session, library / SKILL, parent, qtbot)
    assert (again.page, len(contributions.every())) == (1, 1)
    assert again.rights.author == contributions.Author("Ada Lovelace", MAIL)
    assert contributions.state(only()) is State.DRAFT
    assert again.proof.note.toPlainText() == "For the village."
    assert "For the village." in contributions.letter_of(only()).body
    again.reject()


def test_what_keeps_it_is_a_sentence_and_a_button_to_the_place(library: Path, window: MainWindow, qtbot: QtBot) -> None:
    (library / SKILL / attribution.FILE_NAME).unlink()
    session = window._session
    sheet = opened(session, library / SKILL, window, qtbot)
    assert not sheet.frame.next.isEnabled() and "mend" in sheet.frame.next.accessibleDescription()
    press(sheet.what.mends[0], qtbot)

    assert window.page == "lesson"
    editor = window.pages.lesson.editor
    assert editor.desk.folder == library / SKILL and editor.part == "source"
    assert contributions.state(only()) is State.DRAFT


def test_every_private_thing_is_looked_at_before_it_goes_on(library: Path, window: MainWindow, qtbot: QtBot) -> None:
    file = library / SKILL / "qna.yaml"
    file.write_text(file.read_text().replace("COME HOME", "CALL jon@orra.example OR +49 30 1234567"))
    session = window._session
    sheet = opened(session, library / SKILL, window, qtbot)
    assert "2 places look private" in sheet.frame.status.text()
    press(sheet.frame.next, qtbot)
    sheet.rights.name.setText("Ada Lovelace")
    sheet.rights.email.setEditText(MAIL)
    press(sheet.rights.agree, qtbot)
    assert sheet.rights.left == 2 and not sheet.frame.next.isEnabled()
    press(sheet.rights.keeps[0], qtbot)
    assert sheet.rights.left == 1 and not sheet.frame.next.isEnabled()
    press(sheet.rights.keeps[1], qtbot)
    assert sheet.rights.left == 0 and sheet.frame.next.isEnabled()

    press(sheet.rights.take_out[0], qtbot)
    editor = window.pages.lesson.editor
    qtbot.waitUntil(lambda: editor.desk.folder == library / SKILL, timeout=5000)
    assert session.spot is None and editor.part == "work"


def test_a_lesson_that_changed_is_agreed_to_anew(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=5000)
    sheet.reject()
    file = library / SKILL / "qna.yaml"
    file.write_text(file.read_text().replace("RAIN", "RAIN!"))

    again = opened(session, only(), parent, qtbot)
    assert again.page == 1 and "changed since you agreed" in again.frame.banner.accessibleName()
    assert not again.rights.agree.isChecked() and only().agreed_at == 0
    assert "RAIN!" in again.what.reader.toPlainText()
    again.reject()


def test_the_texts_of_a_lesson_are_shown_as_texts(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    file = library / SKILL / "qna.yaml"
    evil = '<img src="http://127.0.0.1:9/x"><b>bold</b> <script>x</script>'
    file.write_text(file.read_text().replace('"COME HOME"', f"'{evil}'"))
    sheet = opened(session, library / SKILL, parent, qtbot)

    assert evil in sheet.what.reader.toPlainText()
    press(sheet.what.details, qtbot)
    assert "<img src=" in sheet.what.changes.toPlainText()
    sheet.reject()


def test_a_lesson_that_cannot_be_read_is_said_and_begins_nothing(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    (library / SKILL / "qna.yaml").write_text("a: [")
    sheet = opened(session, library / SKILL, parent, qtbot)

    assert sheet.outcome.is_end and "qna.yaml" in sheet.outcome.words
    assert not sheet.frame.next.isVisible() and contributions.every() == []
    sheet.reject()


def test_the_team_s_address_is_taken_or_refused_in_words(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    press(sheet.proof.team, qtbot)
    assert not sheet.frame.next.isEnabled() and "address" in sheet.frame.next.accessibleDescription()
    sheet.proof.address.setText("https://ada:secret@example.org/x/y")
    qtbot.keyClick(sheet.proof.address, Qt.Key.Key_Return)
    assert sheet.isVisible() and "password" in sheet.proof._wrong.text() and sheet.proof.chosen is None
    sheet.proof.address.setText("https://git.example.org/museum/lessons.git")
    qtbot.keyClick(sheet.proof.address, Qt.Key.Key_Return)
    assert "only the sign-in that git keeps" in sheet.proof.team.accessibleDescription()
    press(sheet.proof._change, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "shelf"))
    press(sheet.proof.pick, qtbot)
    assert "no repository in that folder" in sheet.proof._wrong.text() and sheet.proof.chosen is None
    said(tmp_path / "shelf", "init", "-q", "--bare")
    press(sheet.proof.pick, qtbot)
    assert sheet.frame.next.text() == "Send to the folder shelf"
    sheet.reject()


def test_somebody_else_s_change_is_told_and_both_are_looked_at(hub: Hub, window: MainWindow, qtbot: QtBot) -> None:
    hub.move_on(TAXONOMY, {f"{SKILL}/qna.yaml": "version: 3\n"})
    sheet = opened(window._session, hub.library / SKILL, window, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    press(sheet.proof.team, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.outcome.is_end, timeout=30_000)

    assert "Somebody changed the same lesson" in sheet.outcome.words
    assert sheet.outcome.button.text() == "Look at both" and hub.hub.pulls == []
    press(sheet.outcome.button, qtbot)
    page = window.pages.share
    qtbot.waitUntil(lambda: page.detail.isVisible() and page.detail.edit.isVisible(), timeout=10_000)
    assert window.page == "share" and page.heading()[1] == "Shout"


def test_of_a_project_s_copy_the_library_s_lesson_goes_where_both_are_the_same(library: Path, session: Session) -> None:
    from lab_desktop import projects

    made = projects.create(session.root, "Shouting", [library / SKILL])
    copy = made.lessons / SKILL
    assert preparing.place_of(copy, library, [made]) == (library, Path(SKILL))
    file = copy / "qna.yaml"
    file.write_text(file.read_text().replace("RAIN", "RAIN!"))
    assert read_leaf(copy) and preparing.place_of(copy, library, [made]) == (made.lessons, Path(SKILL))


def test_return_presses_no_button_by_itself_and_goes_on_with_control(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, library / SKILL, parent, qtbot)
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    assert sheet.page == 1
    qtbot.keyClick(sheet, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sheet.page == 2
    sign(sheet, qtbot)
    qtbot.keyClick(sheet.proof.community, Qt.Key.Key_Return)
    assert sheet.page == 3 and not only().is_wanted
    sheet.reject()


def test_a_spot_leads_to_the_lesson_of_a_project(library: Path, window: MainWindow, qtbot: QtBot) -> None:
    from lab_desktop import projects

    session = window._session
    made = projects.create(session.root, "Shouting", [library / FACTS, library / SKILL])
    session.refresh()
    session.edit_at(Spot(made.lessons / SKILL, text="COME HOME"))

    editor = window.pages.lesson.editor
    assert editor.desk.folder == made.lessons / SKILL and session.project is not None
    assert session.spot is None


def test_what_waits_in_the_keyring_is_not_asked_while_the_sheet_opens(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    class Asked(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise AssertionError("the keyring was asked")

    before = keyring.get_keyring()
    keyring.set_keyring(Asked())
    try:
        sheet = opened(session, library / SKILL, parent, qtbot)
        assert sheet.page == 1
        sheet.reject()
    finally:
        keyring.set_keyring(before)


def at_page_3(library: Path, session: Session, parent: QWidget, qtbot: QtBot) -> ShareSheet:
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    sign(sheet, qtbot)
    return sheet


def test_who_signs_in_on_the_second_page_gets_a_private_address(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = opened(session, library / SKILL, parent, qtbot)
    press(sheet.frame.next, qtbot)
    press(sheet.rights.sign_in, qtbot)
    assert sheet.sign_in.sign_in is not None and sheet.sign_in.sign_in.token.isVisible() and sheet.page == 0
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.page == 2, "Esc leaves the sign-in, not the sheet"

    press(sheet.rights.sign_in, qtbot)
    sheet.sign_in.sign_in.signed_in.emit(Account("github", "github.com", "ada", "Ada Lovelace", MAIL, (MAIL,)))
    assert sheet.page == 2 and sheet.rights.author == contributions.Author("Ada Lovelace", MAIL)
    press(sheet.rights.agree, qtbot)
    press(sheet.frame.next, qtbot)
    qtbot.waitUntil(lambda: sheet.page == 3, timeout=5000)
    assert sheet.frame.next.text() == f"Send to {TAXONOMY}"
    sheet.reject()


def test_another_address_than_the_account_s_is_asked_about(
    library: Path, session: Session, parent: QWidget, qtbot: QtBot
) -> None:
    sheet = at_page_3(library, session, parent, qtbot)
    press(sheet.proof.sign_in, qtbot)
    assert sheet.sign_in.sign_in is not None
    private = "9+ada@users.noreply.github.com"
    sheet.sign_in.sign_in.signed_in.emit(Account("github", "github.com", "ada", "Ada", private, (private,)))
    assert sheet.page == 3 and "another e-mail" in sheet.frame.banner.accessibleName()
    press(sheet.frame.banner.button, qtbot)
    qtbot.waitUntil(lambda: only().author == contributions.Author("Ada Lovelace", private), timeout=5000)
    assert only().agreed_at > 0
    sheet.reject()


def test_without_a_network_the_button_says_that_it_is_sent_later(
    library: Path, session: Session, own_home: Path, parent: QWidget, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_page, "network_is_gone", lambda: True)
    sign_in_ada(own_home, "github.com")
    sheet = at_page_3(library, session, parent, qtbot)
    assert sheet.frame.next.text() == "Prepare, send later" and "no connection" in sheet.frame.status.text()
    press(sheet.proof.file, qtbot)
    assert sheet.frame.next.text() == "Write the file…"
    sheet.reject()


COMMUNITY = destinations.Destination("community", destinations.COMMUNITY, "github", "https://api.github.com")
SHELF = destinations.Destination("team", "file:///srv/lessons")
PACK = destinations.Destination("file", "/home/ada/shout.labpack")


@pytest.mark.parametrize(
    ("destination", "state", "is_there", "has_clash", "trouble", "title", "first"),
    [
        (COMMUNITY, State.SENT, True, False, "", "Sent to instructlab/taxonomy", "page"),
        (COMMUNITY, State.CHANGES, True, False, "", "Sent to instructlab/taxonomy", "page"),
        (COMMUNITY, State.ACCEPTED, True, False, "", "Accepted", "page"),
        (COMMUNITY, State.DECLINED, True, False, "", "Not accepted", "contributions"),
        (COMMUNITY, State.WAITING, False, True, "It was changed.", "Somebody changed the same lesson", "both"),
        (COMMUNITY, State.WAITING, False, False, "No connection.", "It is not there yet", "send"),
        (COMMUNITY, State.WAITING, False, False, "", "Paused", "send"),
        (COMMUNITY, State.READY, False, False, "", "Prepared", "sign_in"),
        (SHELF, State.SENT, True, False, "", "Sent to the folder lessons", ""),
        (PACK, State.SENT, True, False, "", "“shout.labpack” is written", "folder"),
    ],
)
def test_each_end_says_what_happened_and_what_to_do_now(
    destination: destinations.Destination, state: State, is_there: bool, has_clash: bool, trouble: str, title: str,
    first: str,
) -> None:  # fmt: skip
    is_wanted = state is State.WAITING
    made = Contribution(
        Path("c"), Path("l"), SKILL, "Shout", destination, is_wanted=is_wanted, trouble=trouble, branch="lesson/shout"
    )
    found = ending(preparing.Sent(made, state, contributions.Done(), is_there, has_clash), destination)

    assert (found.title, found.first) == (title, first)
    assert trouble in found.text or has_clash
