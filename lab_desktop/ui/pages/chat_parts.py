"""What the chat page is made of: the list of saved chats, the vote, the question field, the empty page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPlainTextEdit,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.chats import Chat
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import Button, Icon, Label, column, row
from lab_desktop.ui.words import moment_words

_MOST_LINES = 6
_SECOND = Qt.ItemDataRole.UserRole + 1
_PADDING = 7


class _SavedDelegate(QStyledItemDelegate):
    """A title and when it was; the chat in hand on the ground of a chosen item."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, look().line_height("body") + look().line_height("small") + 2 * _PADDING)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, box = look().theme, QRectF(option.rect).adjusted(0, 1, 0, -1)
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), 2) if has_focus else Qt.PenStyle.NoPen)
        if is_chosen or has_focus or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("sel" if is_chosen else "hover"))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        first: TypeStyle = "strong" if is_chosen else "body"
        lines: tuple[tuple[TypeStyle, TypeStyle, str, str], ...] = (
            (first, "body", "text", str(index.data())), ("small", "small", "text2", str(index.data(_SECOND))),
        )  # fmt: skip
        line = QRectF(box.left() + 10, box.top() + _PADDING - 1, box.width() - 18, 0)
        for style, room, tone, words in lines:
            painter.setFont(look().font(style))
            painter.setPen(theme.color(tone))
            line.setHeight(look().line_height(room))
            shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
            line.moveTop(line.bottom())
        painter.restore()


class SavedChats(QListWidget):
    """The saved chats: Return opens one, F2 renames it in place, Delete puts it into the bin."""

    opened = Signal(object)
    renamed = Signal(object, str)
    deleted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Saved chats"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setItemDelegate(_SavedDelegate(self))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.itemClicked.connect(lambda item: self.opened.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.itemChanged.connect(self._take_name)

    def show_chats(self, chats: Sequence[Chat], current: str) -> None:
        """Show these, with the one in hand marked; a name that is being typed is not disturbed."""
        if self.state() == QAbstractItemView.State.EditingState:
            return
        shown = [self.item(number).data(Qt.ItemDataRole.UserRole) for number in range(self.count())]
        self.blockSignals(True)
        if [id(chat) for chat in shown] != [id(chat) for chat in chats]:
            kept, height = self.currentRow(), self.verticalScrollBar().value()
            self.clear()
            for chat in chats:
                item = QListWidgetItem(chat.title)
                item.setData(Qt.ItemDataRole.UserRole, chat)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                item.setData(_SECOND, self._second(chat))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{chat.title}, {item.data(_SECOND)}")
                item.setToolTip(f"{chat.title}\n{item.data(_SECOND)}")
                self.addItem(item)
            self.setCurrentRow(min(kept, self.count() - 1))
            self.verticalScrollBar().setValue(height)
        for number, chat in enumerate(chats):
            if chat.id == current:
                self.setCurrentRow(number)
        self.blockSignals(False)

    def _second(self, chat: Chat) -> str:
        """When it was, and whether both were asked."""
        at = moment_words(chat.changed)
        return self.tr("{0} · compared").format(at) if chat.is_compare else at

    def _open_menu(self, place: QPoint) -> None:
        item = self.itemAt(place)
        if item is not None:
            self.menu(item).popup(self.viewport().mapToGlobal(place))

    def menu(self, item: QListWidgetItem) -> QMenu:
        """What can be done with a saved chat."""
        made = QMenu(self)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made.addAction(self.tr("Open")).triggered.connect(lambda: self.opened.emit(_chat(item)))
        made.addAction(self.tr("Rename")).triggered.connect(lambda: self.editItem(item))
        made.addAction(self.tr("Delete")).triggered.connect(lambda: self.deleted.emit(_chat(item)))
        return made

    def _take_name(self, item: QListWidgetItem) -> None:
        chat = _chat(item)
        if item.text().strip() != chat.title:
            self.renamed.emit(chat, item.text().strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item, key = self.currentItem(), event.key()
        if item is None or self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(_chat(item))
        elif key == Qt.Key.Key_F2:
            self.editItem(item)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit(_chat(item))
        elif event.text().isdigit() or event.matches(QKeySequence.StandardKey.Undo):
            event.ignore()  # a vote, or the page's undo
        else:
            super().keyPressEvent(event)


def _chat(item: QListWidgetItem) -> Chat:
    found = item.data(Qt.ItemDataRole.UserRole)
    assert isinstance(found, Chat)
    return found


class Vote(QFrame):
    """Which answer is better? Whose they are comes after.

    Attributes:
        is_asking: False while it shows the vote that was given.
    """

    def __init__(self, on_vote: Callable[[str], object]) -> None:
        super().__init__()
        self.setProperty("surface", "sunken")
        self._icon = Icon("check", "good", 16)
        self.words = Label("", "strong")
        self.details = Label("", "small", "text2")
        self.details.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.buttons = {
            name: Button(text, size="small", on_click=functools.partial(on_vote, name))
            for name, text in (
                ("left", self.tr("Left is better")),
                ("same", self.tr("The same")),
                ("right", self.tr("Right is better")),
            )
        }
        self.change = Button(self.tr("Change"), "plain", size="small", on_click=self.ask)
        inside = row(
            self._icon, self.words, self.details, *self.buttons.values(), self.change, gap=8, margins=(16, 8, 12, 8)
        )
        inside.setStretch(2, 1)
        self.setLayout(inside)
        self.is_asking = False
        self.ask()

    def ask(self) -> None:
        self._show(False, self.tr("Which answer is better?"), self.tr("Keys 1, 2, 3"))

    def thank(self, words: str, details: str) -> None:
        self._show(True, words, details)

    def _show(self, is_done: bool, words: str, details: str) -> None:
        self.is_asking = not is_done
        self.words.setText(words)
        self.words.set_tone("good" if is_done else "text")
        self.details.setText(details)
        self.details.setToolTip(details)
        self._icon.setVisible(is_done)
        self.change.setVisible(is_done)
        for button in self.buttons.values():
            button.setVisible(not is_done)


class Question(QPlainTextEdit):
    """The question; Return sends, Shift-Return begins a new line. It grows with what is written, to six lines."""

    def __init__(self, on_send: Callable[[], object]) -> None:
        super().__init__()
        self._on_send = on_send
        self.setAccessibleName(self.tr("Your question"))
        self.setTabChangesFocus(True)
        self.textChanged.connect(self._fit)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        written = max(1, self.document().lineCount())
        lines = min(_MOST_LINES, written)
        scrolls = (
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if written > _MOST_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.setVerticalScrollBarPolicy(scrolls)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 24)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._on_send()
            return
        super().keyPressEvent(event)


class EmptyChat(QWidget):
    """Nothing was said yet: some questions to begin with."""

    def __init__(self, on_question: Callable[[str], object]) -> None:
        super().__init__()
        self._on_question = on_question
        self._questions = QWidget()
        self._shown: tuple[str, ...] = ()
        self._place = column(
            Label(self.tr("Ask something"), "title"),
            Label(self.tr("What you say stays on this computer."), "body", "text2"),
            16,
            gap=6,
        )
        self.setLayout(column(-1, self._place, -2, margins=(24, 0, 24, 0)))

    def show_questions(self, questions: Sequence[str]) -> None:
        if tuple(questions) == self._shown:  # the one that has the focus stays
            return
        self._shown = tuple(questions)
        self._place.removeWidget(self._questions)
        self._questions.hide()  # without a parent it would be shown as a window of its own
        self._questions.deleteLater()
        self._questions = QWidget()
        chips = [Button(question, on_click=functools.partial(self._on_question, question)) for question in questions]
        self._questions.setLayout(column(*chips, gap=8))
        self._place.addWidget(self._questions)
