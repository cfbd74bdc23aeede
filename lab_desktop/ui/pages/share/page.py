"""Share: every contribution with how far it is, one of them in detail, and what can be contributed next."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from lab_desktop import bins
from lab_desktop.contribution import accounts
from lab_desktop.contribution.contributions import Binned, State
from lab_desktop.errors import LabError
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.held import Held
from lab_desktop.ui.pages.share import lines
from lab_desktop.ui.pages.share.detail import Detail
from lab_desktop.ui.pages.share.offers import Offer, of_project, offers
from lab_desktop.ui.session import Session, Spot
from lab_desktop.ui.widgets.basic import Banner, Button, Card, ElidedLabel, Icon, Label, column, empty, row
from lab_desktop.ui.widgets.bin_button import BinButton
from lab_desktop.ui.widgets.contribution_list import ContributionLine, ContributionList, ContributionModel
from lab_desktop.ui.words import when

_MOST_OFFERED = 5
_MENU_OFFERS = 12
NextStep = tuple[str, str, Callable[[], object]]


class SharePage(QWidget):
    """Attributes:
    model, list: all contributions.
    detail: one of them.
    new: begins another.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._sharing = session, session.sharing
        self._open: Path | None = None
        self._offers: tuple[Offer, ...] = ()
        self.banner = Banner("bad", "")
        self.banner.hide()
        self._asked = ElidedLabel("", "small", "text3")
        self.new = Button(self.tr("New contribution"), icon="plus", on_click=self.begin)
        self.look_again = Button("", "quiet", icon="again", on_click=self._sharing.look_again)
        self.look_again.setAccessibleName(self.tr("Ask how all of them stand"))
        self.look_again.setToolTip(self.look_again.accessibleName())
        title = Label(self.tr("Your contributions"), "title")
        self.bin = BinButton(self.put_back)
        head = row(title, self._asked, self.look_again, self.bin, self.new, gap=12)
        head.setStretch(1, 1)
        self.model = ContributionModel()
        self.list = ContributionList(self.model)
        self.list.acted.connect(self._act_on_line)
        every = QWidget()
        whole = column(column(head, margins=(32, 20, 32, 8)), self.list, margins=(0, 0, 0, 8))
        whole.setStretch(1, 1)
        every.setLayout(whole)
        self.detail = Detail(self._sharing)
        self.detail.left.connect(self.show_all)
        self.detail.acted.connect(self._act)
        self.nothing = _Nothing(session.share, self._from_library, BinButton(self.put_back))
        self._stack = QStackedWidget()
        for part in (every, self.detail, self.nothing):
            self._stack.addWidget(part)
        whole = column(column(self.banner, margins=(32, 16, 32, 0)), self._stack)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        sharing = self._sharing
        sharing.thrown_away.connect(self._thrown_away)
        sharing.changed.connect(self.redraw)
        sharing.said.connect(self.redraw)
        sharing.refused.connect(self.refuse)
        session.changed.connect(self.redraw)
        session.contribution_wanted.connect(self.open)
        self.redraw()

    # What the window asks of a page

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return {0: self.list, 1: self.detail.back}.get(self._stack.currentIndex(), self.nothing.entrance())

    def heading(self) -> tuple[str, str]:
        held = self.detail.held if self._stack.currentWidget() is self.detail else None
        return self.tr("Share"), held.contribution.title if held is not None else ""

    def next_step(self) -> NextStep:
        if self._stack.currentWidget() is self.detail and self.detail.held is not None:
            return self._next_of(self.detail.held, is_open=True)
        held = self._most_wanted()
        if held is not None:
            return self._next_of(held, is_open=False)
        if self._offers:
            offer = self._offers[0]
            words = self.tr("give “{0}” to others; you look through it before anything is sent.")
            return words.format(offer.title), self.tr("Share it…"), lambda: self._session.share(offer.folder)
        return "", "", lambda: None

    def _most_wanted(self) -> Held | None:
        """The contribution with which something is to be done."""
        order = (State.CHANGES, State.READY, State.WAITING, State.DRAFT)
        open_ones = [
            each for each in self._sharing.held if each.clash is not None or each.has_failed or each.state in order
        ]
        open_ones = [each for each in open_ones if not self._sharing.is_sending(each.folder)]

        def rank(held: Held) -> int:
            return -1 if held.clash is not None else 0 if held.has_failed else order.index(held.state)

        return min(open_ones, key=rank, default=None)

    def _next_of(self, held: Held, *, is_open: bool) -> NextStep:
        def act(name: str) -> Callable[[], None]:
            return functools.partial(self._act, held, name)

        title = held.contribution.title
        if self._sharing.is_sending(held.folder) or self._sharing.is_queued(held.folder):
            return self.tr("nothing to do – “{0}” is on its way.").format(title), "", lambda: None
        if held.clash is not None:
            if not is_open:
                words = self.tr("somebody else changed “{0}” too; look at both.").format(title)
                return words, self.tr("Look at both"), act("both")
            words = self.tr("take over what they did better, or send yours on top; both stay in the history.")
            return words, self.tr("Send mine on top"), act("ours")
        if held.state is State.CHANGES:
            if not is_open:
                words = self.tr("read what the reviewers ask for “{0}”.").format(title)
                return words, self.tr("Read and fix"), act("fix")
            words = self.tr("change the lesson as they ask; then share it again.")
            return words, self.tr("Change the lesson"), act("edit")
        if held.has_failed:
            if not is_open:
                return self.tr("read what a check found in “{0}”.").format(title), self.tr("Read and fix"), act("fix")
            words = self.tr("mend what the check found; then share it again.")
            return words, self.tr("Change the lesson"), act("edit")
        if held.state is State.DRAFT:
            words = self.tr("look through what you send of “{0}”.").format(title)
            return words, self.tr("Continue"), act("continue")
        if held.state in (State.READY, State.WAITING):
            words = self.tr("send “{0}” to {1}.").format(title, lines.place_words(held))
            return words, self.tr("Send"), act("send")
        return "", "", lambda: None

    # What is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self._sharing.refresh)
        guarded(self.redraw)

    def redraw(self) -> None:
        """Show what is known now."""
        if not self.isVisible():
            return
        sharing = self._sharing
        self._offers = offers(self._session)
        self.model.show([lines.line_of(each, sharing) for each in sharing.held])
        self._asked.setText(self._asked_words())
        self.look_again.setVisible(any(each.is_followed for each in sharing.held))
        self.nothing.show_offers(self._offers)
        for each in (self.bin, self.nothing.bin):
            each.show_thrown(sharing.thrown)
        held = sharing.of(self._open) if self._open is not None else None
        before = self._stack.currentIndex()
        if held is not None:
            self.detail.show_held(held)
            sharing.mark_read(held)
            self._stack.setCurrentIndex(1)
        else:
            self._open = None
            self._stack.setCurrentIndex(0 if sharing.held or not sharing.is_read else 2)
        if before != self._stack.currentIndex() and self._stack.isAncestorOf(self.focusWidget() or self):
            self.entrance().setFocus()
        self._session.next_changed.emit()

    def _asked_words(self) -> str:
        sharing = self._sharing
        if sharing.is_asking:
            return self.tr("asking how they stand …")
        if sharing.is_offline:
            return self.tr("no connection now; it is asked again by itself")
        if sharing.trouble[0]:
            return " ".join(filter(None, sharing.trouble))
        asked = max((each.standing.at for each in sharing.held if each.standing is not None), default=0.0)
        return self.tr("asked at {0}").format(when(asked)) if asked else ""

    def show_all(self) -> None:
        """All contributions again, with the one that was open in hand."""
        before, self._open = self._open, None
        self.redraw()
        if (row_ := self.model.row(before)) >= 0:
            self.list.setCurrentIndex(self.model.index(row_))
        self.entrance().setFocus()

    def open(self, folder: Path) -> None:
        """Show one contribution."""
        self._open = folder
        self.redraw()
        if self._stack.currentWidget() is self.detail:
            self.detail.back.setFocus()

    # What the person does

    def begin(self) -> None:
        """Choose the lesson that is contributed next."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for offer in self._offers[:_MENU_OFFERS]:
            words = f"{offer.title} · {offer.words}" if offer.words else offer.title
            menu.addAction(words).triggered.connect(functools.partial(self._share, offer.folder))
        if self._offers:
            menu.addSeparator()
        menu.addAction(self.tr("Another lesson from the library…")).triggered.connect(lambda: self._from_library())
        menu.popup(self.new.mapToGlobal(self.new.rect().bottomLeft()))

    def share_project(self) -> None:
        """The last step of the path: the lesson of the project in hand, or the choice among its lessons."""
        project = self._session.project
        found = of_project(self._session, project) if project is not None else ()
        if len(found) == 1:
            held = self._sharing.of_lesson(found[0].path)
            if held is not None and held.state not in (State.ACCEPTED, State.DECLINED):
                self._act(held, "continue" if held.state is State.DRAFT else "open")
            else:
                self._session.share(found[0].folder)
        elif found:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            for offer in found:
                menu.addAction(offer.title).triggered.connect(functools.partial(self._share, offer.folder))
            menu.popup(self.mapToGlobal(QPoint(32, 48)))

    def _share(self, folder: Path, *_: object) -> None:
        self._session.share(folder)

    def _from_library(self) -> None:
        self._session.go("library")

    def _act_on_line(self, line: ContributionLine, name: str) -> None:
        held = self._sharing.of(line.folder) if line.folder is not None else None
        if held is not None:
            self._act(held, name)

    def _act(self, held: Held, name: str) -> None:
        contribution = held.contribution
        self.banner.hide()
        if name in ("open", "fix", "both"):
            self.open(held.folder)
        elif name in ("continue", "again"):
            self._session.share(contribution)
        elif name == "edit":
            self._session.edit_at(Spot(contribution.library / contribution.path))
        elif name == "send":
            self._send(held)
        elif name == "ours":
            self._sharing.keep_ours(contribution)
        elif name in ("pause", "hold"):
            self._sharing.hold(held.folder)
        elif name == "page":
            self.detail.show_held(held)
            self.detail.open_page()
        elif name == "file" and held.done.file is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(held.done.file.parent))
        elif name == "remove":
            self._throw_away(held)

    def _send(self, held: Held) -> None:
        """Send it, or where nobody is signed in, open the sheet where one signs in."""
        destination = held.contribution.destination
        if destination is not None and destination.forge and accounts.known(destination.host) is None:
            self._session.share(held.contribution)
            return
        try:
            self._sharing.send(held.contribution)
        except LabError as error:
            self.refuse(error)

    def _throw_away(self, held: Held) -> None:
        self._open = None
        self._sharing.throw_away(held.contribution)
        self.redraw()

    def _thrown_away(self, thrown: Binned) -> None:
        cause = self.tr("What was prepared of “{0}” is in the bin.").format(thrown.title)
        safe = self.tr("It stays there for {0} days. The lesson stays in your library, and what was sent where it is.")
        undo = functools.partial(self.put_back, thrown)
        self.banner.say("info", cause, safe.format(bins.BIN_DAYS), self.tr("Undo"), undo)
        self.banner.show()
        QWidget.setTabOrder(self, self.banner.button)

    def put_back(self, thrown: Binned) -> None:
        """Out of the bin again."""
        self.banner.hide()
        self._sharing.put_back(thrown)

    def refuse(self, error: LabError) -> None:
        """Say why something could not be done."""
        self.banner.say("bad", error.message, error.hint)
        self.banner.show()


class _Nothing(QWidget):
    """Nothing was contributed yet: what that means, and the lessons that could be."""

    def __init__(
        self, share: Callable[[Path], object], from_library: Callable[[], object], thrown: BinButton[Binned]
    ) -> None:
        super().__init__()
        self.bin = thrown
        self._share = share
        self._shown: tuple[Offer, ...] | None = None
        self._offers = QVBoxLayout()
        self._offers.setSpacing(8)
        self._library = Button(self.tr("Choose a lesson in the library"), on_click=from_library)
        words = self.tr(
            "What you taught your model can teach other people's models too: give a lesson to the community's library, "
            "to your team, or to one person by mail. You see everything before it goes, and nothing leaves this "
            "computer until you press Send."
        )
        text = Label(words, "reading", "text2", wraps=True)
        inside = QWidget()
        inside.setMaximumWidth(680)
        inside.setLayout(
            column(
                Icon("share", "text3", 32), 16, Label(self.tr("Share what you taught"), "title"), 8, text, 24,
                self._offers, 16, row(self._library, thrown, -1, gap=12),
            )
        )  # fmt: skip
        self.setLayout(row(-1, column(-1, inside, -1), -1, margins=(32, 24, 32, 24)))
        layout = self.layout()
        assert layout is not None
        layout.setStretch(1, 1000)  # type: ignore[attr-defined]

    def entrance(self) -> QWidget:
        """The first lesson's button, or the way to the library."""
        return next(iter(self.findChildren(Button)), self._library)

    def show_offers(self, found: tuple[Offer, ...]) -> None:
        if found == self._shown:
            return
        self._shown = found
        empty(self._offers)
        for offer in found[:_MOST_OFFERED]:
            self._offers.addWidget(self._offer(offer))
        self._library.setText(
            self.tr("Another lesson from the library") if found else self.tr("Choose a lesson in the library")
        )

    def _offer(self, offer: Offer) -> QWidget:
        words = offer.words
        if offer.is_practice:
            note = self.tr("an island we made up: good for trying with a file")
            words = " · ".join(filter(None, (words, note)))
        button = Button(self.tr("Share…"), on_click=functools.partial(self._share, offer.folder))
        button.setAccessibleName(self.tr("Share {0}").format(offer.title))
        texts = column(ElidedLabel(offer.title, "strong"), ElidedLabel(words, "small", "text2"), gap=2)
        line = row(Icon("check", "good", 18), texts, button, gap=12)
        line.setStretch(1, 1)
        return Card(line, padding=(16, 12))
