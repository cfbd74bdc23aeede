"""What is said about a contribution: the person's letter, the reviewers' comments, and a field for an answer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from lab_desktop.contribution.hosts import Comment
from lab_desktop.ui.held import Held
from lab_desktop.ui.pages.share import lines
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Icon, Label, column, row
from lab_desktop.ui.widgets.messages import Item, Message, MessageList
from lab_desktop.ui.widgets.web import ask_to_open
from lab_desktop.ui.words import tr, when


def messages(held: Held) -> list[Item]:
    """The letter, then what was said, oldest first."""
    shown: list[Item] = []
    if held.letter is not None:
        sent = when(held.done.at) if held.done.number else tr("goes along when it is sent")
        text = f"**{held.letter.title}**\n\n{held.letter.body}"
        note = " · ".join(filter(None, (tr("Your letter"), sent)))
        shown.append((Message(text, tr("You"), note=note, actions=_copy()),))
    comments = held.standing.comments if held.standing is not None else ()
    shown += [(_message(comment, comment.who == held.done.login),) for comment in comments]
    if held.reply is not None:
        shown.append((Message(held.reply.text, tr("You, not sent yet"), is_own=True),))
    return shown


def _message(comment: Comment, is_own: bool) -> Message:
    place = lines.comment_place(comment)
    about = tr("about {0}").format(place) if place else ""
    note = " · ".join(filter(None, (comment.who, when(comment.at), about)))
    speaker = tr("You") if is_own else ", ".join(filter(None, (comment.who, about)))
    return Message(comment.text, speaker, is_own=is_own, note=note, actions=_copy())


def _copy() -> tuple[tuple[str, str, str], ...]:
    return (("copy", "copy", tr("Copy")),)


class Conversation(QWidget):
    """Attributes:
    list: what was said.
    field: the answer that is being written; each contribution keeps its own while the window is open.
    """

    answered = Signal(str)
    """An answer to send."""
    taken_back = Signal()
    """The answer that waits is not to be sent."""

    def __init__(self) -> None:
        super().__init__()
        self._folder: Path | None = None
        self._drafts: dict[Path, str] = {}
        self.list = MessageList()
        self.list.setAccessibleName(self.tr("What was said"))
        self.list.linked.connect(self._link)
        self._waits = Label("", "small", "text2", wraps=True)
        self._take_back = Button(self.tr("Take it back"), "plain", size="small", on_click=self.taken_back.emit)
        self._waiting = QWidget()
        waiting = row(Icon("clock", "text2"), self._waits, self._take_back, gap=8, margins=(24, 4, 24, 4))
        waiting.setStretch(1, 1)
        self._waiting.setLayout(waiting)
        self.field = _Field()
        self.field.sent.connect(self._send)
        self.button = Button(self.tr("Answer"), on_click=self._send)
        self._answer = QWidget()
        answer = row(self.field, column(-1, self.button), gap=8, margins=(24, 8, 24, 12))
        answer.setStretch(0, 1)
        self._answer.setLayout(answer)
        whole = column(self.list, self._waiting, self._answer)
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def show_held(self, held: Held, is_online: bool) -> None:
        """
        Args:
            is_online: an answer goes out at once.
        """
        is_another = held.folder != self._folder
        if is_another:
            if self._folder is not None:
                self._drafts[self._folder] = self.field.toPlainText()
            self._folder = held.folder
            self.field.setPlainText(self._drafts.get(held.folder, ""))
            self.list.messages.show([])
        shown = messages(held)
        is_longer = len(shown) > len(self.list.messages) > 0
        self.list.messages.show(shown)
        if is_longer or (is_another and len(shown) > 1):
            self.list.scroll_to_end()
        elif is_another:
            self.list.scroll_to_start()
        self._answer.setVisible(held.is_followed)
        self._waiting.setVisible(held.reply is not None)
        self._waits.setText(
            self.tr("Your answer is being sent.")
            if is_online
            else self.tr("Your answer is sent when there is a connection.")
        )

    def answer_kept(self) -> None:
        """What stands in the field was taken."""
        self.field.clear()

    def _send(self) -> None:
        self.answered.emit(self.field.toPlainText())

    def _link(self, address: str) -> None:
        ask_to_open(self, address, self.tr("Somebody wrote it in the conversation; look where it leads."))


class _Field(QPlainTextEdit):
    """A few lines; Ctrl+Return sends them."""

    sent = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Your answer to the reviewers"))
        self.setPlaceholderText(self.tr("Answer the reviewers"))
        self.setTabChangesFocus(True)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(2 * look().line_height("body") + 22)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sent.emit()
        else:
            super().keyPressEvent(event)
