"""The Share page: every contribution with how far it is, what is said about it, and what to do."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from lab_desktop import keys, paths
from lab_desktop.contribution import accounts, contributions, labpack
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.hosts import Check
from lab_desktop.errors import LabError
from lab_desktop.ui.destinations import destinations
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.share.checks import is_mended_by_sending, plain_says
from lab_desktop.ui.pages.share.page import SharePage
from lab_desktop.ui.session import Session
from lab_desktop.ui.sharing import Sharing
from tests.contribution.hub import said, somebody_commits
from tests.github_server import GitHubServer, Pull, User
from tests.json_server import Asked, Said
from tests.keyrings import SHARED, MemoryKeyring
from tests.screenshots import contributed, states

TOKEN = "ghp_PlantedTokenThatNobodyMaySee1234"


@pytest.fixture
def page(window: MainWindow, session: Session, qtbot: QtBot) -> SharePage:
    """In front; what lies on the disk now is read."""
    window.show_page("share")
    qtbot.waitUntil(lambda: session.sharing.is_read and not session.sharing._is_reading, timeout=20_000)
    return window.pages.share


def read(page: SharePage, qtbot: QtBot) -> None:
    """Let it read the disk again."""
    sharing = page._sharing
    sharing.refresh()
    qtbot.waitUntil(lambda: not sharing._is_reading and not sharing._errands.is_busy, timeout=20_000)
    page.redraw()


def act(page: SharePage, title: str, name: str) -> None:
    """Press what stands in the row of a lesson."""
    line = next(each for each in page.model.lines if each.title == title)
    assert name in line.actions
    page.list.acted.emit(line, name)


def texts(page: SharePage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_each_state_has_its_word_and_one_button(page: SharePage, session: Session, qtbot: QtBot) -> None:
    contributed.every_state(session.home)
    read(page, qtbot)

    rows = {line.title: (line.state, line.actions[0]) for line in page.model.lines}

    assert rows == {
        "Ferries": ("Draft", "continue"),
        "The lighthouse": ("Ready", "send"),
        "Tides": ("Waiting", "send"),
        "The island of Velmora": ("Changes asked", "fix"),
        "Kings and queens": ("Changed meanwhile", "both"),
        "Our service manual": ("Being checked", "open"),
        "Answering visitors’ letters": ("Sent", "open"),
        "Osmery harbour office": ("Accepted", "open"),
        "Rock pools": ("Not accepted", "open"),
        "Old letters": ("Sent", "open"),
        "Bread and its flours": ("Sent", "open"),
    }
    spoken = page.model.index(page.model.row(page.model.lines[3].folder)).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("The island of Velmora, Changes asked, new, instructlab/taxonomy, mia-reviews: “Please")


def test_a_damaged_contribution_is_left_out_and_the_others_are_shown(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    bad = contributed.contribute(session.home, "Bad", "bad", "draft")
    contributed.contribute(session.home, "Good", "good", "draft")
    (bad.folder / contributions.FILE_NAME).write_text('{"library": 3}')

    read(page, qtbot)

    assert [line.title for line in page.model.lines] == ["Good"]


def test_a_disk_that_cannot_be_read_is_told_and_read_again_later(
    page: SharePage, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    contributed.contribute(session.home, "Good", "good", "draft")
    found = Path.glob

    def broken(folder: Path, pattern: str) -> Iterator[Path]:
        if folder == paths.contributions():
            raise OSError(errno.EIO, "Input/output error")
        return found(folder, pattern)

    monkeypatch.setattr(Path, "glob", broken)
    page._sharing.refresh()
    qtbot.waitUntil(lambda: "What was contributed" in page.banner.accessibleName(), timeout=20_000)
    monkeypatch.setattr(Path, "glob", found)
    read(page, qtbot)

    assert [line.title for line in page.model.lines] == ["Good"]


@pytest.mark.parametrize("name", ["steps.jsonl", "standing.json", "reply.json", "clash.json", "contribution.json"])
def test_what_is_damaged_of_one_harms_no_other(page: SharePage, session: Session, qtbot: QtBot, name: str) -> None:
    made = contributed.contribute(session.home / "library", "Bad", "bad")
    contributed.stand(made, said=contributed.TALK)
    contributions.update(made, trouble="It was refused.")
    contributed.contribute(session.home / "library", "Good", "good")
    (made.folder / name).unlink(missing_ok=True)
    (made.folder / name).mkdir()

    read(page, qtbot)

    assert "Good" in [line.title for line in page.model.lines]


def test_the_badge_counts_what_needs_the_person_and_reading_takes_it_away(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    contributed.every_state(session.home)
    read(page, qtbot)

    def news() -> int:
        return next(place.news for place in window._places() if place.name == "share")

    assert news() == 3
    act(page, "Rock pools", "open")
    assert "“There is one already" not in texts(page), "the conversation is a list, not labels"
    qtbot.waitUntil(lambda: news() == 2, timeout=20_000)
    held = page.detail.held
    assert held is not None and contributions.unread(held.contribution) == 0


def test_nothing_yet_offers_lessons_that_were_checked(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    assert page._stack.currentWidget() is page.nothing
    states.write_report(states.project(session.root))
    own = states.project(session.root, "Errands", states.SKILL, is_practice=False, created=9)
    states.write_report(own)
    states.project(session.root, "Not checked yet", states.MANUAL, is_practice=False, created=10)
    session.refresh()
    qtbot.waitUntil(lambda: [offer.title for offer in page._offers] == ["Errand note", "Velmora"], timeout=20_000)
    wanted: list[object] = []
    session.share_wanted.disconnect(window.share)
    session.share_wanted.connect(wanted.append)

    words, button, do = page.next_step()
    assert (button, "“Errand note”" in words) == ("Share it…", True)
    do()

    assert wanted == [own.lessons / "compositional_skills" / "writing" / "errand_note"]


def test_the_lesson_of_the_library_is_offered_where_it_lies_there_too(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    own = states.project(session.root, "Errands", states.SKILL, is_practice=False)
    states.write_report(own)
    there = session.library / "compositional_skills" / "writing" / "errand_note"
    there.mkdir(parents=True)
    (there / "qna.yaml").write_bytes((states.SKILL / "qna.yaml").read_bytes())
    session.refresh()

    qtbot.waitUntil(lambda: bool(page._offers), timeout=20_000)

    assert page._offers[0].folder == there


def test_what_was_contributed_is_not_offered_again_and_is_the_last_step_of_the_path(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    project = states.project(session.root)
    states.write_report(project)
    session.refresh()
    assert [(step.name, step.state) for step in window._path_steps()][-2:] == [("check", "done"), ("share", "now")]
    wanted: list[object] = []
    session.share_wanted.disconnect(window.share)
    session.share_wanted.connect(wanted.append)
    window.path.chosen.emit("share")
    qtbot.waitUntil(lambda: wanted == [project.lessons / states.LEAF], timeout=5000)

    made = contributed.contribute(project.lessons, "Velmora")
    path = contributions.parcel_of(made).path
    (project.lessons / path).parent.mkdir(parents=True)
    (project.lessons / states.LEAF).rename(project.lessons / path)
    read(page, qtbot)

    assert window._path_steps()[-1].state == "done"
    assert page._offers == ()
    window.path.chosen.emit("share")
    qtbot.waitUntil(lambda: page.detail.held is not None and page.detail.isVisible(), timeout=5000)
    assert len(wanted) == 1


def test_the_conversation_shows_letter_comments_and_the_answer_that_waits(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    contributed.answered(session.home)
    read(page, qtbot)
    act(page, "The island of Velmora", "fix")

    shown = page.detail.conversation.list.messages.items(range(10))
    said_ = [(item[0].speaker, item[0].is_own) for item in shown]

    assert said_ == [
        ("You", False),
        ("mia-reviews", False),
        ("mia-reviews, about line 1 of the credits", False),
        ("You", True),
        ("jo, about line 12 of the lesson file", False),
        ("You, not sent yet", True),
    ]
    assert "Input given at the prompt" in shown[0][0].text
    page.detail.conversation._take_back.click()
    qtbot.waitUntil(lambda: not page.detail.conversation._waiting.isVisible(), timeout=20_000)
    assert page.detail.held is not None and page.detail.held.reply is None


def test_what_git_knows_is_one_fold_deeper(page: SharePage, session: Session, qtbot: QtBot) -> None:
    made = contributed.contribute(session.home / "library")
    read(page, qtbot)
    act(page, made.title, "open")
    assert "Commit" not in texts(page)

    page.detail.standing.details.click()

    shown = texts(page)
    assert f"Branch: {made.branch}\nCommit: {'2' * 40}\nFork: ada/taxonomy\n" in shown
    assert "Signed off by: Ada Lovelace <7+ada@users.noreply.github.com>" in shown


def test_an_answer_is_kept_on_the_disk_at_once_and_an_empty_one_is_refused(
    page: SharePage, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = contributed.contribute(session.home / "library")
    contributed.stand(made, "changes asked", said=contributed.TALK[:1])
    read(page, qtbot)
    act(page, made.title, "fix")
    monkeypatch.setattr(Sharing, "follow", lambda self: None)
    field = page.detail.conversation.field

    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "The answer is empty." in page.detail.banner.accessibleName()
    QTest.keyClicks(field, "It is mine.")
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)

    assert json.loads((made.folder / "reply.json").read_text())["text"] == "It is mine."
    assert field.toPlainText() == ""


def test_an_answer_that_is_being_written_stays_while_one_looks_elsewhere(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    for name in ("one", "other"):
        made = contributed.contribute(session.home / "library", name.title(), name)
        contributed.stand(made, said=contributed.TALK[:1])
    read(page, qtbot)
    act(page, "One", "open")
    QTest.keyClicks(page.detail.conversation.field, "half a thought")

    read(page, qtbot)
    assert page.detail.conversation.field.toPlainText() == "half a thought"
    QTest.keyClick(page.detail, Qt.Key.Key_Escape)
    act(page, "Other", "open")
    assert page.detail.conversation.field.toPlainText() == ""
    page.show_all()
    assert page.list.folder() is not None
    act(page, "One", "open")

    assert page.detail.conversation.field.toPlainText() == "half a thought"


class Browser(QObject):
    """Keeps what would have been opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, address: QUrl) -> None:
        self.opened.append(address.toString())


def test_what_others_wrote_is_shown_and_never_obeyed(page: SharePage, session: Session, qtbot: QtBot) -> None:
    evil = '<img src="http://127.0.0.1:9/x"> <b>bold</b> [press](javascript:alert(1)) ![p](file:///etc/passwd)'
    made = contributed.contribute(session.home / "library", "<b>Tides</b>", "tides")
    check = Check("<i>lint</i>", "failed", evil, "file:///etc/passwd")
    contributed.stand(made, checks=[check], said=[("<b>eve</b>", evil, "", 0)])
    read(page, qtbot)
    act(page, "<b>Tides</b>", "fix")

    for label in page.detail.findChildren(QLabel):
        if "<i>lint" in label.text() or "<img" in label.text():
            assert label.textFormat() is Qt.TextFormat.PlainText
    browser = Browser()
    for scheme in ("file", "https", "javascript"):
        QDesktopServices.setUrlHandler(scheme, browser, "open")  # type: ignore[arg-type]  # bytes are refused
    try:
        page.detail._open(check.page)
        page.detail._open("https://github.com.evil.example/instructlab/taxonomy")
        page.detail.conversation.list.linked.emit("javascript:alert(1)")
        page.detail.conversation.list.linked.emit("file:///etc/passwd")
        assert browser.opened == []
        (box,) = (box for box in page.findChildren(QMessageBox) if box.isVisible())
        assert "github.com.evil.example" in box.informativeText()
        box.close()
        page.detail._open("https://github.com/instructlab/taxonomy/pull/214")
        assert browser.opened == ["https://github.com/instructlab/taxonomy/pull/214"]
    finally:
        for scheme in ("file", "https", "javascript"):
            QDesktopServices.unsetUrlHandler(scheme)


def test_both_versions_stand_side_by_side_and_the_own_one_is_sent_on_top(
    page: SharePage, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    bare, library = tmp_path / "shelf.git", tmp_path / "lessons"
    said(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    parcel = contributed.parcel("Kings", "kings")
    qna = f"{parcel.path}/qna.yaml"
    theirs = parcel.files[qna].decode().replace("1382", "1383")
    there = somebody_commits(bare, {qna: theirs})
    to = Destination("team", bare.as_uri())
    made = contributed.contribute(library, "Kings", "kings", "ready", to)
    read(page, qtbot)
    act(page, "Kings", "send")
    qtbot.waitUntil(lambda: page.model.lines[0].state == "Changed meanwhile", timeout=60_000)
    assert said(bare, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"], "nothing was sent"

    act(page, "Kings", "both")
    qtbot.waitUntil(lambda: "1383" in texts(page), timeout=20_000)
    shown = texts(page)
    assert "Now in the folder shelf.git" in shown and "Yours" in shown
    assert "In <b>1383.</b>" in shown and "In <b>1382.</b>" in shown
    assert "nothing of theirs is lost" in page.detail.banner.accessibleName()
    _, button, do = page.next_step()
    assert button == "Send mine on top"
    do()

    qtbot.waitUntil(lambda: contributions.state(made) is State.SENT, timeout=60_000)
    qtbot.waitUntil(lambda: page.model.lines[0].state == "Sent", timeout=20_000)
    assert there in said(bare, "rev-list", made.branch).split(), "their history is below ours"
    assert "1382" in said(bare, "show", f"{made.branch}:{qna}")


def test_a_file_is_written_and_told(page: SharePage, session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    pack = tmp_path / "velmora.labpack"
    contributed.contribute(session.home / "library", stage="ready", to=Destination("file", str(pack)))
    read(page, qtbot)
    words, button, _ = page.next_step()
    assert (button, words) == ("Send", "send “The island of Velmora” to the file velmora.labpack.")

    act(page, "The island of Velmora", "send")
    assert page.model.lines[0].state == "Sending"
    assert page.model.lines[0].actions[0] == "pause"
    qtbot.waitUntil(lambda: page.model.lines[0].state == "Sent", timeout=60_000)

    assert labpack.read(pack).title == "The island of Velmora"
    act(page, "The island of Velmora", "open")
    assert "velmora.labpack” is written" in page.detail.banner.accessibleName()


def test_one_is_sent_after_the_other_and_stopping_leaves_them_ready(
    page: SharePage, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        to = Destination("file", str(tmp_path / f"{name}.labpack"))
        contributed.contribute(session.home / "library", name.title(), name, "ready", to)
    read(page, qtbot)
    act(page, "One", "send")
    act(page, "Other", "send")
    assert [line.state for line in page.model.lines] == ["Waiting", "Sending"]

    page._sharing.pause()
    qtbot.waitUntil(lambda: not page._sharing.errand.is_busy, timeout=60_000)
    read(page, qtbot)
    assert {line.state for line in page.model.lines} <= {"Ready", "Sent"}

    for line in page.model.lines:
        if line.state == "Ready":
            act(page, line.title, "send")
    qtbot.waitUntil(lambda: {line.state for line in page.model.lines} == {"Sent"}, timeout=60_000)
    assert sorted(path.name for path in tmp_path.glob("*.labpack")) == ["one.labpack", "other.labpack"]


def test_stopping_one_that_waits_its_turn_stops_no_other(
    page: SharePage, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        to = Destination("file", str(tmp_path / f"{name}.labpack"))
        contributed.contribute(session.home / "library", name.title(), name, "waiting", to)
    read(page, qtbot)
    act(page, "One", "send")
    act(page, "Other", "send")

    act(page, "Other", "pause")

    qtbot.waitUntil(lambda: [line.state for line in page.model.lines] == ["Ready", "Sent"], timeout=60_000)
    assert [path.name for path in tmp_path.glob("*.labpack")] == ["one.labpack"]
    session.sharing.look_again()
    assert not session.sharing.errand.is_busy, "it is not sent by itself any more"


def test_what_waited_is_sent_when_the_window_starts(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    pack = tmp_path / "tides.labpack"
    made = contributed.contribute(
        session.home / "library", "Tides", "tides", "waiting", Destination("file", str(pack)), trouble=("Away.", "")
    )

    session.sharing.begin()

    qtbot.waitUntil(
        lambda: contributions.state(made) is State.SENT and not session.sharing.errand.is_busy, timeout=60_000
    )
    assert pack.is_file()


def test_a_window_that_closes_while_one_is_sent_sends_it_the_next_time(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    names = ("one", "other")
    made = [
        contributed.contribute(
            session.home / "library",
            name.title(),
            name,
            "ready",
            Destination("file", str(tmp_path / f"{name}.labpack")),
        )
        for name in names
    ]
    read(page, qtbot)
    for name in names:
        act(page, name.title(), "send")

    window.close()

    assert not session.sharing.errand.is_busy
    for each in made:
        now = contributions.read(each.folder)
        assert now.is_wanted or contributions.state(now) is State.SENT
    assert contributions.read(made[1].folder).is_wanted, "it had not begun"


def test_what_is_on_its_way_of_a_lesson_follows_it_in_the_library(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    made = contributed.contribute(session.library)
    old, new = Path(made.path), Path("knowledge/elsewhere") / Path(made.path).name

    session.follow([(old, new)])

    qtbot.waitUntil(lambda: contributions.read(made.folder).path == new.as_posix(), timeout=20_000)


def test_what_was_thrown_away_is_put_back_from_where_it_is_told_or_from_the_bin(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    made = contributed.contribute(session.home / "library")
    read(page, qtbot)
    assert page.bin.isHidden()

    act(page, made.title, "remove")

    qtbot.waitUntil(lambda: page.banner.isVisible() and page.nothing.isVisible(), timeout=20_000)
    assert not made.folder.exists()
    assert "is in the bin. It stays there for 30 days. The lesson stays" in page.banner.accessibleName()
    page.banner.button.click()
    qtbot.waitUntil(page.list.isVisible, timeout=20_000)
    assert made.folder.is_dir() and page.banner.isHidden() and page.bin.isHidden()

    act(page, made.title, "remove")
    qtbot.waitUntil(page.nothing.bin.isVisible, timeout=20_000)
    page.nothing.bin.click()
    menu = page.nothing.bin.findChild(QMenu)
    assert menu is not None and made.title in menu.actions()[0].text()
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(page.list.isVisible, timeout=20_000)
    assert made.folder.is_dir()


def test_return_on_what_is_ready_opens_it_and_sends_nothing(page: SharePage, session: Session, qtbot: QtBot) -> None:
    contributed.contribute(session.home / "library", "Tides", "tides", "ready")
    read(page, qtbot)
    assert page.model.lines[0].actions[0] == "send"
    page.list.setCurrentIndex(page.model.index(1))

    QTest.keyClick(page.list, Qt.Key.Key_Return)

    assert page.detail.isVisible() and not session.sharing.errand.is_busy
    (kept,) = contributions.every()
    assert not kept.is_wanted


def test_who_is_signed_out_and_presses_send_is_led_to_where_one_signs_in(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    contributed.contribute(session.home / "library", "Tides", "tides", "ready")
    read(page, qtbot)
    asked: list[object] = []
    session.share_wanted.disconnect(window.share)
    session.share_wanted.connect(asked.append)

    act(page, "Tides", "send")

    assert asked == contributions.every() and not session.sharing.errand.is_busy


def test_what_was_not_sent_is_not_told_as_ready(page: SharePage, session: Session, qtbot: QtBot) -> None:
    trouble = ("The host allows this to other accounts only.", "Ask for the right to write there.")
    contributed.contribute(session.home / "library", "Tides", "tides", "ready", trouble=trouble)
    read(page, qtbot)

    assert (page.model.lines[0].state, page.model.lines[0].icon) == ("Not sent", "warn")


def test_a_check_that_found_something_is_the_next_thing_to_mend(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    made = contributed.contribute(session.home / "library")
    contributed.stand(made, checks=contributed.FAILED)
    read(page, qtbot)

    assert page.model.lines[0].actions[0] == "fix" and "check found" in page.next_step()[0]
    page.open(made.folder)
    assert page.next_step()[1] == "Change the lesson" and page.detail.again.isVisible()


def test_what_was_not_accepted_says_what_can_be_done_and_not_that_nobody_looked(
    page: SharePage, session: Session, qtbot: QtBot
) -> None:
    made = contributed.contribute(session.home / "library")
    contributed.stand(made, "declined", (), (("jo", "There is one already.", "", 0),))
    read(page, qtbot)
    page.open(made.folder)

    assert "Your lesson stays" in page.detail.banner.accessibleName()
    assert "Nobody looked" not in texts(page) and "1 comment of reviewers" in texts(page)


def test_keys_open_the_first_thing_and_the_palette_finds_a_contribution(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    contributed.contribute(session.home / "library", "Tides", "tides")
    read(page, qtbot)
    window.show_page("home")
    QTest.keyClick(window, Qt.Key.Key_6, Qt.KeyboardModifier.ControlModifier)
    assert window.page == "share"
    page.list.setCurrentIndex(page.model.index(1))

    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert page.detail.isVisible()
    QTest.keyClick(page.detail, Qt.Key.Key_Escape)
    assert not page.detail.isVisible()
    entry = next(each for each in destinations(window, session, window._places()) if each.kind == "Contribution")
    assert entry.title == "Tides"
    entry.do()

    assert page.detail.isVisible()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GitHubServer]:
    """A GitHub of this computer; the person is signed in, for workers too."""
    server, before = GitHubServer(), keyring.get_keyring()
    server.users[TOKEN] = User("ada")
    server.add("instructlab/taxonomy")
    with server.running():
        key = f"https://{urlsplit(server.api).netloc}"
        keyring.set_keyring(MemoryKeyring())
        keys.keep(accounts.KEYS, key, TOKEN)
        (kept,) = keyring.get_keyring().kept.items()  # type: ignore[attr-defined]
        (tmp_path / "keys.json").write_text(json.dumps({" ".join(kept[0]): kept[1]}))
        monkeypatch.setenv(SHARED, str(tmp_path / "keys.json"))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.SharedKeyring")
        yield server
        keyring.set_keyring(before)


def opened(session: Session, hub: GitHubServer, number: int = 1) -> Contribution:
    """A contribution whose pull request is open there."""
    to = Destination("team", f"http://{urlsplit(hub.api).netloc}/instructlab/taxonomy", "github", hub.api)
    made = contributed.contribute(session.home / "library", to=to, number=number)
    hub.pulls.append(Pull(number, "instructlab/taxonomy", f"ada:{made.branch}", "Add facts", "About the island."))
    return made


def test_what_reviewers_say_comes_by_itself_and_an_answer_goes_there(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot, hub: GitHubServer
) -> None:
    made = opened(session, hub)
    told: list[str] = []
    session.sharing.news.connect(told.append)
    read(page, qtbot)
    hub.pulls[0].review("mia", "CHANGES_REQUESTED", "Please name the source.", "2099-01-01T00:00:00Z")
    hub.pulls[0].run("DCO", "success")

    session.sharing.follow()
    qtbot.waitUntil(lambda: page.model.lines[0].state == "Changes asked", timeout=60_000)
    assert told == ["Reviewers ask for changes in what you contributed."]
    assert page.model.lines[0].next == "mia: “Please name the source.”"
    act(page, made.title, "fix")
    QTest.keyClicks(page.detail.conversation.field, "I wrote it myself.")
    page.detail.conversation.button.click()
    qtbot.waitUntil(lambda: bool(hub.pulls[0].comments), timeout=60_000)
    qtbot.waitUntil(lambda: not session.sharing.is_asking and page.detail.held.reply is None, timeout=60_000)  # type: ignore[union-attr]

    assert hub.pulls[0].comments[0]["body"] == "I wrote it myself."
    assert [item[0].is_own for item in page.detail.conversation.list.messages.items(range(4))] == [False, True, False]
    for file in session.home.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file


def test_an_answer_that_comes_too_late_for_one_asking_goes_with_another(
    page: SharePage, session: Session, qtbot: QtBot, hub: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(session, hub)
    passed_by = opened(session, hub, 2)
    read(page, qtbot)
    is_there, goes_on, answer = threading.Event(), threading.Event(), hub.answer

    def slow(asked: Asked) -> Said:
        if asked.path.endswith("/pulls/1"):  # the older one, asked about last
            is_there.set()
            goes_on.wait(60)
        return answer(asked)

    monkeypatch.setattr(hub, "answer", slow)
    session.sharing.follow()
    qtbot.waitUntil(is_there.is_set, timeout=60_000)

    session.sharing.reply(passed_by, "Thank you.")
    goes_on.set()

    qtbot.waitUntil(lambda: bool(hub.pulls[1].comments) and not session.sharing.is_asking, timeout=60_000)
    assert [each["body"] for each in hub.pulls[1].comments] == ["Thank you."]


def test_the_window_waits_for_no_network(page: SharePage, session: Session, qtbot: QtBot, hub: GitHubServer) -> None:
    opened(session, hub)
    read(page, qtbot)

    with hub.lock:  # nobody is answered
        session.sharing.follow()
        page.redraw()

        assert session.sharing.is_asking
        assert page._asked.whole == "asking how they stand …"
    session.sharing.following.stop(0)


def test_notifications_name_no_lesson_and_lead_to_the_page(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PySide6.QtWidgets.QApplication.activeWindow", lambda: None)

    session.sharing.news.emit("What you contributed was accepted.")

    assert window._notices.unseen == ["What you contributed was accepted."]
    window._notices._come()
    assert window.page == "share"


def test_a_refusal_is_told_on_the_page(page: SharePage, session: Session) -> None:
    session.sharing.refused.emit(LabError("The disk is full.", "Make room."))

    assert page.banner.accessibleName() == "The disk is full. Make room."
    assert page.banner.isVisibleTo(page.banner.parentWidget())


def test_lessons_of_a_project_can_be_chosen_where_there_are_several(
    page: SharePage, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    project = states.project(session.root)
    states.copy_lesson(project, states.SKILL)
    session.refresh()
    qtbot.waitUntil(lambda: len(session.known.lessons(project.lessons)) == 2, timeout=20_000)

    page.share_project()

    menu = page.findChild(QMenu)
    assert menu is not None
    assert [action.text() for action in menu.actions()] == ["Errand note", "Velmora"]
    menu.close()


LINT = (
    "knowledge/a/qna.yaml, line 12: line too long (132 > 120 characters)\nknowledge/a/qna.yaml, line 4: trailing spaces"
)


@pytest.mark.parametrize(
    ("says", "wanted", "is_mended"),
    [
        (LINT, ["Line 12: it is longer than 120 letters", "Line 4: it ends in blanks"], True),
        (
            "knowledge/a/qna.yaml:3:1: [error] 'created_by' is a required property [document]",
            ["Line 3: “created_by” is missing"],
            False,
        ),
        ("knowledge/a/attribution.txt, line 1: is odd", ["The credits, line 1: is odd"], False),
        (
            f"{LINT}\nknowledge/a/qna.yaml, line 9: 'answer' is a required property",
            [
                "Line 12: it is longer than 120 letters",
                "Line 4: it ends in blanks",
                "Line 9: “answer” is missing",
            ],
            False,
        ),
        ("There is one commit incorrectly signed off.\nMissing Signed-off-by", [
            "There is one commit incorrectly signed off.",
            "The sign-off is missing, or it names somebody else than the author."], False),
        ("Something else\n\n  entirely ", ["Something else", "entirely"], False),
        ("", [], False),
    ],
)  # fmt: skip
def test_checks_speak_of_the_lesson(says: str, wanted: list[str], is_mended: bool) -> None:
    check = Check("Lint taxonomy", "failed", says)

    assert plain_says(check) == wanted
    assert is_mended_by_sending(check) is is_mended


@pytest.mark.parametrize("says", ["a" * 500_000, "qna.yaml," * 50_000, ("x.md, line 1: " + "(" * 4000 + "\n") * 100])
def test_a_check_that_writes_very_much_is_read_at_once(says: str) -> None:
    began = time.process_time()

    found = plain_says(Check("Lint", "failed", says))

    assert time.process_time() - began < 1.0
    assert len(found) <= 13 and all(len(each) < 500 for each in found)
