"""The sheet that shares a lesson, on each of its pages; what is sent, and by whom, is made up."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from PySide6.QtTest import QTest

from lab_desktop.contribution import accounts, contributions
from lab_desktop.contribution.accounts import Account, Code
from lab_desktop.contribution.contributions import Done, State
from lab_desktop.contribution.destinations import destination
from lab_desktop.files import write_json
from lab_desktop.taxonomy.attribution import FILE_NAME as CREDITS
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.pages.share.outcome import steps_of
from lab_desktop.ui.pages.share.preparing import Sent
from lab_desktop.ui.pages.share.sheet import ShareSheet
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.screenshots.contributed import ADA

Page = Literal["what", "rights", "proof"]
PAGE = "https://github.com/instructlab/taxonomy/pull/1482"


def checked(home: Path) -> Path:
    """The practice example, trained and checked as it is; gives its lesson."""
    made = states.project(home / "projects")
    run = states.write_report(made)
    (lesson,) = find_leaves(made.lessons)
    place = run / "leaves" / lesson.relative_to(made.lessons)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(lesson, place)
    return lesson


def private(home: Path) -> None:
    """The same, with an address and a number in its texts."""
    lesson = checked(home)
    file = lesson / "qna.yaml"
    text = file.read_text(encoding="utf-8")
    wish = "It was lit in 1744. Ask jon.vale@osmery.example or call +49 30 1234567."
    file.write_text(text.replace("In 1382.", wish, 1), encoding="utf-8")


def unfinished(home: Path) -> None:
    """The same without credits and with a question short."""
    lesson = checked(home)
    (lesson / CREDITS).unlink()
    file = lesson / "qna.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('domain: "Invented geography"', 'domain: ""'), encoding="utf-8")


def signed_in(home: Path) -> None:
    checked(home)
    write_json(home / accounts.FILE_NAME, {"accounts": {"github.com": asdict(_ada())}, "clients": {}})


def sheet(session: Session, page: Page = "what") -> ShareSheet:
    """The sheet of the lesson of the project in hand, at a page."""
    assert session.project is not None
    made = ShareSheet(session, find_leaves(session.project.lessons)[0])
    made.show()
    _until(lambda: made._seen is not None)
    if page != "what":
        made.go_on()
    if page == "proof":
        made.rights.name.setText(ADA.name)
        made.rights.email.setEditText(ADA.email)
        made.rights.agree.setChecked(True)
        made.go_on()
        _until(lambda: made.page == 3)
    return made


def team(session: Session) -> ShareSheet:
    """The third page, asking for the team's repository."""
    made = sheet(session, "proof")
    made.proof.team.setChecked(True)
    made.proof.address.setText("https://ada:secret@git.example.org/lessons")
    made.proof._take_address()
    return made


def code(session: Session) -> ShareSheet:
    """Signing in, with a code to type."""
    accounts.keep_client_id("github.com", "Ov23liExample0123456")
    made = sheet(session, "proof")
    made._ask_sign_in(3)
    assert made.sign_in.sign_in is not None
    made.sign_in.sign_in._waiting.show(Code("AB12-CD34", "https://github.com/login/device", time.time() + 840))
    made.sign_in.sign_in._look()
    return made


def ways(session: Session) -> ShareSheet:
    """Signing in, before a way is chosen."""
    accounts.keep_client_id("github.com", "Ov23liExample0123456")
    made = sheet(session, "proof")
    made._ask_sign_in(3)
    return made


def sending(session: Session) -> ShareSheet:
    """On its way, as a worker tells it."""
    made = sheet(session, "proof")
    kept = contributions.update(contributions.every()[0], destination=destination("instructlab/taxonomy"))
    documents = ("https://github.com/ada/taxonomy-documents.git", "c" * 40)
    steps = steps_of(kept, Done(documents=documents, fork="ada/taxonomy"), has_documents=True, is_there=False)
    made._show(5)
    made.outcome.show_way(
        "Sending to instructlab/taxonomy", steps, 0.5, "asking github.com what is there", is_pausing=False
    )
    made._redraw()
    return made


def ended(session: Session, state: Literal["sent", "prepared", "trouble", "clash"]) -> ShareSheet:
    """What became of it."""
    made = sheet(session, "proof")
    kept = contributions.update(contributions.every()[0], destination=destination("instructlab/taxonomy"))
    done = Done()
    if state == "sent":
        done = Done(number=1482, page=PAGE)
    if state == "trouble":
        trouble = "github.com cannot be reached: there is no connection."
        kept = replace(kept, is_wanted=True, trouble=trouble, hint="It is sent when there is one again.")
    made._show_end(Sent(kept, State.READY, done, state == "sent", state == "clash"))
    return made


def _ada() -> Account:
    return Account("github", "github.com", "ada", ADA.name, ADA.email, (ADA.email, "ada@example.org"))


def _until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < end
        QTest.qWait(20)
