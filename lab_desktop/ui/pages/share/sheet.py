"""Sharing a lesson: three pages from what is sent to where it goes, then how far it is, and what happens next."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QStackedWidget, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.contribution import accounts
from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.destinations import PACK, Destination
from lab_desktop.errors import LabError
from lab_desktop.ui.background import Errands
from lab_desktop.ui.pages.share import preparing
from lab_desktop.ui.pages.share.endings import Action, ending
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.pages.share.frame import Frame
from lab_desktop.ui.pages.share.outcome import Outcome
from lab_desktop.ui.pages.share.preparing import Look, Sent, Ways
from lab_desktop.ui.pages.share.proof_page import ProofPage
from lab_desktop.ui.pages.share.rights_page import RightsPage
from lab_desktop.ui.pages.share.sign_in_page import SignInPage
from lab_desktop.ui.pages.share.way import Way
from lab_desktop.ui.pages.share.what_page import WhatPage
from lab_desktop.ui.session import Session, Spot
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import column, nothing_yet

_WAIT, _WHAT, _RIGHTS, _PROOF, _SIGN_IN, _OUTCOME = range(6)
_NARROWEST, _LOWEST, _ROUND = 680, 480, 24
_NEVER_SENT = (State.DRAFT, State.READY, State.WAITING)


class ShareSheet(QDialog):
    """What you send, credits and rights, proof and where to; closed at any time it keeps a draft.

    It is opened with `open()`, mostly by `Session.share`.

    Attributes:
        what, rights, proof: the three pages.
        sign_in: in the place of one of them, while somebody signs in.
        outcome: how far the sending is, and the end.
        frame: what stands round them.
    """

    def __init__(self, session: Session, what: Path | Contribution, parent: QWidget | None = None) -> None:
        """
        Args:
            what: the folder of a lesson, in the library or in a project; or a contribution to go on with.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(self.tr("Share"))
        self._session = session
        self._seen: Look | None = None
        self._ways: Ways | None = None
        self._reached = _WHAT
        self._back_to = _PROOF
        self._errands = Errands(self)
        self.what, self.rights, self.proof = WhatPage(), RightsPage(), ProofPage()
        self.sign_in, self.outcome = SignInPage(), Outcome()
        self._way = Way(self.outcome, session.sharing, self._errands, self)
        self._stack = QStackedWidget()
        waiting = nothing_yet("search", self.tr("Looking through the lesson …"), self.tr("Nothing is sent."))
        for page in (waiting, self.what, self.rights, self.proof, self.sign_in, self.outcome):
            self._stack.addWidget(page)
        steps = [self.tr("What you send"), self.tr("Credits and rights"), self.tr("Proof and where to")]
        self.frame = Frame(steps, self._stack)
        self.frame.steps.chosen.connect(lambda place: self._show(_WHAT + place))
        for button, do in (
            (self.frame.back, self._go_back), (self.frame.close_it, self.reject), (self.frame.next, self.go_on),
        ):  # fmt: skip
            button.clicked.connect(do)
        self.setLayout(column(self.frame))
        look().changed.connect(self._fit)
        self._fit()
        most = parent.window().size() - QSize(_ROUND, _ROUND) if parent is not None else QSize(2000, 2000)
        self.resize(QSize(look().grown(760), look().grown(660)).boundedTo(most))
        self.what.mend.connect(self._mend)
        self.rights.mend.connect(self._mend)
        self.rights.changed.connect(self._redraw)
        self.rights.sign_in_wanted.connect(lambda: self._ask_sign_in(_RIGHTS))
        self.proof.changed.connect(self._redraw)
        self.proof.sign_in_wanted.connect(lambda: self._ask_sign_in(_PROOF))
        self.proof.sign_out_wanted.connect(self._sign_out)
        self.sign_in.signed_in.connect(self._signed_in)
        self._way.shown.connect(self._redraw)
        self._way.ended.connect(self._show_end)
        self._way.refused.connect(self._refuse)
        name = what.title if isinstance(what, Contribution) else title_of(what.name)
        self._say_title(name)
        self._show(_WAIT)
        self._read(what)

    def _fit(self) -> None:
        self.setMinimumSize(look().grown(_NARROWEST), look().grown(_LOWEST))

    # Reading

    def _read(self, what: Path | Contribution) -> None:
        owned, library = tuple(self._session.projects), self._session.library
        work: Callable[[], Look]
        if isinstance(what, Contribution):
            work = functools.partial(preparing.go_on, what, owned)
        else:
            work = functools.partial(preparing.look_through, what, library, owned)
        self._errands.do(preparing.ways, self._take_ways, self._refuse)
        self._errands.do(work, functools.partial(self._take, is_old=isinstance(what, Contribution)), self._cannot)

    def _take_ways(self, ways: Ways) -> None:
        self._ways = ways
        if self._seen is not None:
            self._show_ways()

    def _show_ways(self) -> None:
        assert self._ways is not None and self._seen is not None
        self.proof.show_ways(self._ways, self._seen.contribution.destination)

    def _take(self, seen: Look, *, is_old: bool) -> None:
        self._seen = seen
        contribution = seen.contribution
        self._say_title(seen.parcel.title)
        self.what.show_look(seen)
        self.proof.show_look(seen)
        if self._ways is not None:
            self._show_ways()
        self.rights.show_look(seen, self._account)
        self._session.sharing.refresh()
        if self._session.sharing.is_sending(contribution.folder) or self._session.sharing.is_queued(
            contribution.folder
        ):
            self._follow()
        elif seen.state not in _NEVER_SENT and not seen.is_changed:
            self._way.look(seen)
        elif is_old and not seen.is_stopped and not self.rights.face().why_not:
            self._reached = _PROOF
            self._show(_PROOF)
        else:
            self._show(_WHAT)
        if seen.is_changed:
            self.frame.say(
                self.tr("The lesson has changed since you agreed to it."),
                self.tr("Look through it once more; then it is sent anew."),
            )

    def _cannot(self, error: LabError) -> None:
        """It cannot be read: nothing is begun."""
        self._stack.setCurrentIndex(_OUTCOME)
        self.outcome.show_end("warn", "warn", error.message, error.hint)
        self._redraw()

    @property
    def _account(self) -> Account | None:
        """Who is signed in where it is to go, or where most things go."""
        if self._ways is None:
            return None
        return self.proof.account or self._ways.signed_in.get(self._ways.community.host)

    # Pages

    @property
    def page(self) -> int:
        """The page in front: 1 to 3; 0 while something else is."""
        at = self._stack.currentIndex()
        return at if _WHAT <= at <= _PROOF else 0

    def _show(self, page: int) -> None:
        self.frame.banner.hide()
        self._reached = max(self._reached, page) if page <= _PROOF else self._reached
        self._stack.setCurrentIndex(page)
        self._redraw()
        if isinstance(shown := self._stack.currentWidget(), (WhatPage, RightsPage, ProofPage, SignInPage)):
            shown.entrance().setFocus()

    def go_on(self) -> None:
        """To the next page; from the last one it is sent."""
        page = self._stack.currentIndex()
        if page == _WHAT:
            self._show(_RIGHTS)
        elif page == _RIGHTS:
            self._agree()
        elif page == _PROOF:
            self._send()

    def _go_back(self) -> None:
        page = self._stack.currentIndex()
        if page == _SIGN_IN:
            self._leave_sign_in()
        else:
            self._show(page - 1)

    def _agree(self) -> None:
        assert self._seen is not None
        kept, author = self._seen.contribution, self.rights.author
        if kept.agreed_at and kept.author == author:
            self._show(_PROOF)
            return
        self._keep(lambda: self._show(_PROOF), author=author, agreed_at=time.time())

    def _keep(self, then: Callable[[], object], **changes: object) -> None:
        assert self._seen is not None

        def take(kept: Contribution) -> None:
            assert self._seen is not None
            self._seen = replace(self._seen, contribution=kept)
            self._session.sharing.refresh()
            then()

        self._errands.do(functools.partial(preparing.keep, self._seen.contribution, **changes), take, self._refuse)

    def _mend(self, spot: Spot) -> None:
        """Go to a place in the lesson; the draft stays."""
        self.accept()
        self._session.edit_at(spot)

    # What stands round the page

    def _say_title(self, name: str) -> None:
        self.frame.title.setText(self.tr("Share “{0}”").format(name))

    def _redraw(self) -> None:
        page = self._stack.currentIndex()
        at = max(0, page - _WHAT) if page in (_WAIT, _WHAT, _RIGHTS, _PROOF) else None
        self.frame.show_face(self._face(), at, self._reached - _WHAT, is_end=page == _OUTCOME)

    def _face(self) -> Face:
        shown = self._stack.currentWidget()
        if isinstance(shown, (WhatPage, RightsPage, ProofPage, SignInPage, Outcome)):
            return shown.face()
        return Face(self.what.face().about)  # it is being looked through

    def _refuse(self, error: LabError) -> None:
        self.frame.say(error.message, error.hint)
        self._redraw()

    # Signing in

    def _ask_sign_in(self, back_to: int) -> None:
        if self._ways is None:
            return
        chosen = self.proof.chosen if back_to == _PROOF else None
        destination = chosen if chosen is not None and chosen.forge else self._ways.community
        if not destination.forge:
            return
        self._back_to = back_to
        self.sign_in.ask(destination, self.frame.steps.buttons[-1])
        self.frame.title.setText(self.sign_in.title)
        self._show(_SIGN_IN)

    def _leave_sign_in(self) -> None:
        self.sign_in.drop()
        if self._seen is not None:
            self._say_title(self._seen.parcel.title)
        self._show(self._back_to)

    def _signed_in(self, account: Account) -> None:
        assert self._ways is not None
        self._ways = replace(self._ways, signed_in={**self._ways.signed_in, account.host: account})
        self.proof.show_ways(self._ways, None)
        self._leave_sign_in()
        self.rights.show_account(account)
        if self._back_to == _PROOF and self.rights.author.email not in (account.email, *account.emails):
            self.frame.say(
                self.tr("{0} knows you by another e-mail address.").format(account.host),
                self.tr("Use the private one that it offers? It leads to you and tells nobody your own."),
                self.tr("Use it"),
                functools.partial(self._use_email, account.email),
            )

    def _use_email(self, email: str) -> None:
        self.rights.email.setEditText(email)
        self._keep(self.frame.banner.hide, author=self.rights.author)

    def _sign_out(self) -> None:
        account = self.proof.account
        if account is not None:
            self._errands.do(functools.partial(accounts.sign_out, account.host), lambda _: None, self._refuse)
            self._errands.do(preparing.ways, self._signed_out, self._refuse)

    def _signed_out(self, ways: Ways) -> None:
        self._ways = ways
        self.proof.show_ways(ways, None)

    # Sending

    def _send(self) -> None:
        destination = self.proof.chosen
        if self.proof.is_file:
            self._ask_file()
        elif destination is not None:
            self._send_to(destination)

    def _ask_file(self) -> None:
        assert self._seen is not None
        folder = Path(self._seen.parcel.path).name
        kinds = self.tr("Lesson to share") + f" (*{PACK})"
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Write the file"), str(Path.home() / f"{folder}{PACK}"), kinds
        )
        if name:
            self._send_to(Destination("file", str(Path(name).with_suffix(PACK))))

    def _send_to(self, destination: Destination) -> None:
        assert self._seen is not None
        is_only_kept = self.proof.needs_account and destination.kind != "file"
        work = functools.partial(
            preparing.make_ready, self._seen, destination, self.proof.note.toPlainText(), is_wanted=not is_only_kept
        )
        self.frame.next.setEnabled(False)
        self._errands.do(work, functools.partial(self._begin, is_only_kept=is_only_kept), self._refuse)

    def _begin(self, kept: Contribution, *, is_only_kept: bool) -> None:
        assert self._seen is not None
        self._seen = replace(self._seen, contribution=kept)
        self._session.sharing.refresh()
        if is_only_kept:
            self._way.look(self._seen)
            return
        try:
            self._session.sharing.send(kept)
        except LabError as error:
            self._refuse(error)
            return
        self._follow()

    def _follow(self) -> None:
        """While it is sent: how far it is; then what became of it."""
        assert self._seen is not None
        self._show(_OUTCOME)
        self._way.follow(self._seen)

    def _show_end(self, sent: Sent) -> None:
        assert self._seen is not None
        self._seen = replace(self._seen, contribution=sent.contribution, state=sent.state)
        destination = sent.contribution.destination
        if destination is None:
            self._show(_WHAT)
            return
        self._show(_OUTCOME)
        found = ending(sent, destination)
        do: dict[Action, tuple[str, Callable[[], object]]] = {
            "": ("", lambda: None),
            "page": (self.tr("Open its page"), lambda: _open_page(sent.done.page)),
            "folder": (self.tr("Show in folder"), lambda: _show_folder(Path(destination.address).parent)),
            "contributions": (self.tr("Your contributions"), lambda: self._leave_to("share")),
            "both": (self.tr("Look at both"), lambda: self._leave_to("share", sent.contribution)),
            "send": (self.tr("Try again"), lambda: self._send_to(destination)),
            "back": (self.tr("Back"), lambda: self._show(_PROOF)),
            "sign_in": (self.tr("Sign in…"), lambda: self._ask_sign_in(_PROOF)),
        }
        name, work = do[found.first]
        self.outcome.show_end(
            found.icon, found.role, found.title, found.text, (found.called or name, work), do[found.second]
        )
        self._redraw()
        self.outcome.button.setFocus()

    def _leave_to(self, page: str, contribution: Contribution | None = None) -> None:
        self.accept()
        self._session.go(page)
        if contribution is not None:
            self._session.contribution_wanted.emit(contribution.folder)

    # Leaving

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Return in a field is no press on a button elsewhere: on the last page that button sends.
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.frame.next.isEnabled():
                self.go_on()
        elif event.key() == Qt.Key.Key_Escape and self._stack.currentIndex() == _SIGN_IN:
            self._leave_sign_in()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        self._way.leave()
        self.sign_in.drop()
        if self._seen is not None and self._seen.state in _NEVER_SENT:
            note = self.proof.note.toPlainText()
            self._errands.stop(functools.partial(preparing.keep_draft, self._seen, self.rights.author, note))
        else:
            self._errands.stop()
        super().done(result)


def _open_page(address: str) -> None:
    """In a browser; a host may name nothing else."""
    if address.startswith(("https://", "http://")):
        QDesktopServices.openUrl(QUrl(address))


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
