"""One contribution: where it stands, what is said about it, and what to do when somebody changed the same lesson."""

from __future__ import annotations

import functools
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QWidget

from lab_desktop.contribution.contributions import State
from lab_desktop.errors import LabError
from lab_desktop.ui.background import Errands
from lab_desktop.ui.held import Held
from lab_desktop.ui.pages.share import lines
from lab_desktop.ui.pages.share.clash import Apart, ClashView, apart
from lab_desktop.ui.pages.share.conversation import Conversation
from lab_desktop.ui.pages.share.standing import StandingView
from lab_desktop.ui.sharing import Sharing
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.action_list import MORE
from lab_desktop.ui.widgets.basic import Badge, Banner, Button, ElidedLabel, column, row, rule
from lab_desktop.ui.widgets.contribution_list import action_words
from lab_desktop.ui.widgets.web import ask_to_open
from lab_desktop.ui.words import tr, when

_BESIDE = 320
"""Width of where it stands; it grows with the text, and takes no more than a share of the page."""
_BESIDE_SHARE = 0.38


class Detail(QWidget):
    """Attributes:
    held: what is shown; None: nothing yet.
    back: to all contributions.
    conversation, clash: what stands on the left, one of them.
    """

    left = Signal()
    """All contributions are wanted again."""
    acted = Signal(object, str)
    """(Held, name of an action)"""

    def __init__(self, sharing: Sharing) -> None:
        super().__init__()
        self._sharing = sharing
        self.held: Held | None = None
        self.back = Button(self.tr("All contributions"), "plain", icon="chevron-left", on_click=self.left.emit)
        self._title = ElidedLabel("", "title")
        self._badge = QHBoxLayout()
        self._place = ElidedLabel("", "body", "text2")
        self.again = Button(self.tr("Share it again…"), on_click=lambda: self._act("again"))
        self.edit = Button(self.tr("Change the lesson"), on_click=lambda: self._act("edit"))
        self.page = Button(self.tr("Its page on the web"), on_click=lambda: self._act("page"))
        self.more = Button("", "quiet", icon="more", on_click=self._show_menu)
        self.more.setToolTip(self.tr("More"))
        title = row(self._title, self._badge, gap=8)
        title.setStretch(0, 1)
        self.banner = Banner("info", "")
        self.banner.hide()
        acts = row(self.back, -1, self.edit, self.again, self.page, self.more, gap=8)
        head = column(acts, 8, title, 2, self._place, 12, self.banner, margins=(32, 12, 32, 12))
        self.conversation = Conversation()
        self.conversation.answered.connect(self._answer)
        self.conversation.taken_back.connect(self._take_back)
        self.clash = ClashView()
        self._left = QStackedWidget()
        self._left.addWidget(self.conversation)
        clash = QWidget()
        clash.setLayout(column(self.clash, margins=(32, 16, 12, 0)))
        self._left.addWidget(clash)
        self.standing = StandingView(self._open)
        self._right = QWidget()
        self._right.setLayout(column(self.standing, margins=(20, 16, 12, 0)))
        body = row(self._left, rule(is_upright=True), self._right)
        body.setStretch(0, 1)
        whole = column(head, rule(), body)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self._errands = Errands(self)
        self._compared: object = None
        look().changed.connect(self._fit)

    def show_held(self, held: Held) -> None:
        """Show a contribution, or the same one as it is now."""
        self.held = held
        sharing = self._sharing
        word, icon, tone = lines.state_words(held, sharing)
        self._title.setText(held.contribution.title)
        while (item := self._badge.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._badge.addWidget(Badge(word, lines.badge_tone(tone), icon))
        self._place.setText(self._place_words(held))
        names = lines.actions(held, sharing)
        self.edit.setVisible(held.clash is not None)
        is_to_mend = held.state is State.CHANGES or held.has_failed
        self.again.setVisible(held.clash is not None or (is_to_mend and "again" in names))
        self.page.setVisible("page" in names)
        self.more.setAccessibleName(self.tr("More about {0}").format(held.contribution.title))
        self._show_banner(held)
        self._left.setCurrentIndex(1 if held.clash is not None else 0)
        if held.clash is not None:
            self._compare(held)
        self.conversation.show_held(held, is_online=sharing.is_asking)
        self.standing.show_held(held, self._asked_words(held))

    def _place_words(self, held: Held) -> str:
        parts = [self.tr("to {0}").format(lines.place_words(held))] if held.contribution.destination else []
        if held.done.number:
            parts.append(self.tr("contribution {0}").format(held.done.number))
        if self._sharing.is_sending(held.folder):
            parts.append(self._sharing.words)
        return " · ".join(parts) or self.tr("It was not chosen yet where it goes.")

    def _asked_words(self, held: Held) -> str:
        if not held.is_followed:
            return ""
        if self._sharing.is_asking:
            return self.tr("Asking how it stands …")
        asked = self.tr("Asked at {0}.").format(when(held.standing.at)) if held.standing is not None else ""
        trouble = self._sharing.trouble[0]
        if self._sharing.is_offline:
            trouble = self.tr("There is no connection now; it is asked again by itself.")
        return " ".join(filter(None, (asked, trouble)))

    def _show_banner(self, held: Held) -> None:
        contribution = held.contribution
        if held.clash is not None:
            cause = self.tr("Somebody changed the same lesson in {0} since yours was prepared.").format(
                lines.place_words(held)
            )
            self._say("warn", cause, self.tr("Nothing of yours was sent, and nothing of theirs is lost."))
        elif contribution.trouble and not self._sharing.is_sending(held.folder):
            is_waiting = held.state is State.WAITING
            tone = "info" if is_waiting else "bad"
            self._say(tone, contribution.trouble, contribution.hint, self.tr("Look through it…"), "again")
        elif held.done.file is not None and held.state is State.SENT:
            self._say(
                "good", self.tr("The file “{0}” is written.").format(held.done.file.name),
                self.tr("Send it by mail; whoever gets it opens it in LAB Desktop, or reads it in a browser."),
                self.tr("Show the file"), "file",
            )  # fmt: skip
        elif held.state is State.ACCEPTED:
            cause = self.tr("It was accepted: your lesson is in {0} for everybody.").format(lines.place_words(held))
            self._say("good", cause, self.tr("Thank you."))
        elif held.state is State.DECLINED:
            cause = self.tr("It was not taken into {0}.").format(lines.place_words(held))
            self._say("info", cause, self.tr("Your lesson stays as it is; you can change it and share it again."),
                      self.tr("Change the lesson"), "edit")  # fmt: skip
        elif held.state is State.SENT and not held.done.number:
            self._say(
                "good", self.tr("It is in {0}, as a version of its own.").format(lines.place_words(held)),
                self.tr("Tell those who look after it: nobody is told by itself there."),
            )  # fmt: skip
        else:
            self.banner.hide()

    def _say(self, tone: str, cause: str, safe: str, button: str = "", action: str = "") -> None:
        self.banner.say(tone, cause, safe, button, functools.partial(self._act, action))  # type: ignore[arg-type]
        self.banner.show()

    def _compare(self, held: Held) -> None:
        """In a thread, where both versions are others than those that stand there."""
        if held.clash is None or held.clash == self._compared:
            return
        self._compared = clash = held.clash
        place = lines.place_words(held)
        self.clash.show_coming(place)

        def show(found: tuple[Apart, ...]) -> None:
            if self._compared is clash:
                self.clash.show_both(place, found)

        self._errands.do(functools.partial(apart, clash), show, self._refuse)

    # What the person does

    def _act(self, name: str) -> None:
        if self.held is not None:
            self.acted.emit(self.held, name)

    def _show_menu(self) -> None:
        if self.held is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in lines.actions(self.held, self._sharing):
            if name not in (MORE, "open", "fix", "both"):
                menu.addAction(action_words(name)).triggered.connect(functools.partial(self._chosen, name))
        menu.addAction(self.tr("Ask how it stands now")).triggered.connect(lambda: self._sharing.look_again())
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _chosen(self, name: str, *_: object) -> None:
        self._act(name)

    def _answer(self, text: str) -> None:
        if self.held is None:
            return
        try:
            self._sharing.reply(self.held.contribution, text)
        except LabError as error:
            self._refuse(error)
        else:
            self.conversation.answer_kept()

    def _take_back(self) -> None:
        if self.held is not None:
            self._sharing.take_back(self.held.contribution)

    def _refuse(self, error: LabError) -> None:
        self.banner.say("bad", error.message, error.hint)
        self.banner.show()

    def _open(self, address: str) -> None:
        """What the destination itself has is opened; what is elsewhere is asked about first."""
        destination = self.held.contribution.destination if self.held is not None else None
        parts = urlsplit(address)
        if destination is not None and parts.scheme == "https" and parts.netloc == destination.host:
            QDesktopServices.openUrl(QUrl(address))
        else:
            ask_to_open(self, address, tr("It is not at {0}.").format(destination.host if destination else ""))

    def open_page(self) -> None:
        """The contribution's own page."""
        if self.held is not None and self.held.done.page:
            self._open(self.held.done.page)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._title.setMinimumHeight(look().line_height("title"))
        self._right.setFixedWidth(min(look().grown(_BESIDE), round(self.width() * _BESIDE_SHARE)))
