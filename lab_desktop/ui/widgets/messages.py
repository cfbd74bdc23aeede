"""A conversation as a list: every message an item with a name for screen readers, drawn by a delegate.

Text is Markdown, laid out once for a width and kept, so thousands of messages scroll: only what is seen is laid out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    QSizeF,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPalette,
    QPen,
    QTextDocument,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look

_Index = QModelIndex | QPersistentModelIndex
_PADDING = 12
_GAP = 12
_FOOT = 28
_WIDEST = 760
_OWN_SHARE = 0.7
_KEPT_LAYOUTS = 400


@dataclass(frozen=True)
class Message:
    """An item of the list.

    Attributes:
        speaker: who says it, as a screen reader has it.
        is_own: the person's.
        note: small words below: "24 words a second · stopped".
        actions: what can be done with it, as (name, icon, title).
        is_busy: it is being written.
    """

    text: str
    speaker: str
    is_own: bool = False
    note: str = ""
    actions: tuple[tuple[str, str, str], ...] = ()
    is_busy: bool = False


class MessageModel(QAbstractListModel):
    """The messages, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[Message] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._messages)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        message = self._messages[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return message
        if role == Qt.ItemDataRole.DisplayRole:
            return message.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{message.speaker}: {message.text}"
        return None

    def show(self, messages: Sequence[Message]) -> None:
        self.beginResetModel()
        self._messages = list(messages)
        self.endResetModel()

    def add(self, message: Message) -> int:
        row = len(self._messages)
        self.beginInsertRows(QModelIndex(), row, row)
        self._messages.append(message)
        self.endInsertRows()
        return row

    def change(self, row: int, message: Message) -> None:
        self._messages[row] = message
        self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def write(self, row: int, piece: str) -> None:
        """More of the answer that is being written."""
        message = self._messages[row]
        self.change(row, replace(message, text=message.text + piece))

    def __getitem__(self, row: int) -> Message:
        return self._messages[row]

    def __len__(self) -> int:
        return len(self._messages)


class _Delegate(QStyledItemDelegate):
    """Draws messages: the person's on a tint at the right, answers on a card at the left."""

    def __init__(self) -> None:
        super().__init__()
        self._documents: OrderedDict[tuple[str, int, bool], QTextDocument] = OrderedDict()
        self.hovered = -1
        self.hovered_action = ""
        look().changed.connect(self._forget)

    def _forget(self) -> None:
        self._documents.clear()

    def document(self, message: Message, width: int) -> QTextDocument:
        key = (message.text, width, message.is_own)
        if (found := self._documents.get(key)) is not None:
            self._documents.move_to_end(key)
            return found
        made = QTextDocument()
        made.setDocumentMargin(0)
        made.setDefaultFont(look().font("answer"))
        if message.is_own:
            made.setPlainText(message.text)
        else:
            made.setMarkdown(message.text or "…", QTextDocument.MarkdownFeature.MarkdownNoHTML)
        made.setTextWidth(width)
        self._documents[key] = made
        while len(self._documents) > _KEPT_LAYOUTS:
            self._documents.popitem(last=False)
        return made

    def _inner_width(self, message: Message, whole: int) -> int:
        most = min(whole, _WIDEST)
        return int(most * (_OWN_SHARE if message.is_own else 1.0)) - 2 * _PADDING

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        message: Message = index.data(Qt.ItemDataRole.UserRole)
        view = option.widget
        assert isinstance(view, QAbstractItemView)
        whole = view.viewport().width() - 48
        height = self.document(message, self._inner_width(message, whole)).size().height() + 2 * _PADDING + _GAP
        return QSize(whole, int(height) + (_FOOT if message.note or message.actions else 0))

    def bubble(self, rect: QRectF, message: Message) -> QRectF:
        """The message's own surface inside its item."""
        whole = rect.adjusted(24, _GAP / 2, -24, -_GAP / 2)
        foot = _FOOT if message.note or message.actions else 0
        document = self.document(message, self._inner_width(message, int(whole.width())))
        wide = min(whole.width(), _WIDEST)
        column = QRectF(whole.center().x() - wide / 2, whole.top(), wide, whole.height() - foot)
        width = document.idealWidth() + 2 * _PADDING if message.is_own else column.width()
        width = min(width, column.width())
        left = column.right() - width if message.is_own else column.left()
        return QRectF(left, column.top(), width, column.height())

    def action_boxes(self, rect: QRectF, message: Message) -> list[tuple[str, QRectF]]:
        bubble = self.bubble(rect, message)
        right = bubble.right()
        boxes = []
        for name, _, _ in reversed(message.actions):
            boxes.append((name, QRectF(right - 24, bubble.bottom() + 4, 22, 22)))
            right -= 26
        return boxes[::-1]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        message: Message = index.data(Qt.ItemDataRole.UserRole)
        rect = QRectF(option.rect)
        bubble = self.bubble(rect, message)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if has_focus:
            painter.setPen(QPen(theme.color("accent"), 2))
        else:
            painter.setPen(Qt.PenStyle.NoPen if message.is_own else QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("tint" if message.is_own else "card"))
        painter.drawRoundedRect(bubble.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        document = self.document(message, self._inner_width(message, int(rect.width() - 48)))
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
        painter.translate(bubble.topLeft() + QPointF(_PADDING, _PADDING))
        painter.setClipRect(QRectF(QPointF(0, 0), QSizeF(bubble.width() - 2 * _PADDING, bubble.height())))
        document.documentLayout().draw(painter, context)
        painter.restore()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if message.note:
            painter.setPen(theme.color("text3"))
            painter.setFont(look().font("small"))
            note = QRectF(bubble.left() + 2, bubble.bottom() + 4, bubble.width() - 120, 20)
            painter.drawText(note, Qt.AlignmentFlag.AlignVCenter, message.note)
        if index.row() == self.hovered or has_focus:
            shown = {name: icon for name, icon, _ in message.actions}
            for name, box in self.action_boxes(rect, message):
                if name == self.hovered_action and index.row() == self.hovered:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(theme.color("hover"))
                    painter.drawRoundedRect(box, 5, 5)
                icons.draw(painter, shown[name], box.adjusted(4, 4, -4, -4), "text2")
        painter.restore()


class MessageList(QListView):
    """The conversation. Its actions are reached by the mouse, by the context menu key, or by keys the page gives."""

    acted = Signal(int, str)
    """(row, name of an action)"""

    def __init__(self) -> None:
        super().__init__()
        self.messages = MessageModel()
        self._delegate = _Delegate()
        self.setModel(self.messages)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.messages.rowsInserted.connect(lambda *_: self._follow())
        self.messages.dataChanged.connect(lambda *_: self._follow())
        self._is_at_end = True
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def _scrolled(self, value: int) -> None:
        self._is_at_end = value >= self.verticalScrollBar().maximum() - 40

    def _follow(self) -> None:
        """Stay at the end while the person is there; who reads further up is left alone."""
        if self._is_at_end:
            self.doItemsLayout()
            self.scrollToBottom()
            self._is_at_end = True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        before = (self._delegate.hovered, self._delegate.hovered_action)
        self._delegate.hovered = index.row()
        self._delegate.hovered_action = self._action_at(index, event.position()) if index.isValid() else ""
        if before != (self._delegate.hovered, self._delegate.hovered_action):
            titles = {name: title for name, _, title in self.messages[index.row()].actions} if index.isValid() else {}
            self.setToolTip(titles.get(self._delegate.hovered_action, ""))
            self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._delegate.hovered = -1
        self.viewport().update()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and (name := self._action_at(index, event.position())):
            self.acted.emit(index.row(), name)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if event.matches(QKeySequence.StandardKey.Copy) and row >= 0:
            self.acted.emit(row, "copy")
            return
        super().keyPressEvent(event)

    def _action_at(self, index: QModelIndex, place: QPointF) -> str:
        message = self.messages[index.row()]
        boxes = self._delegate.action_boxes(QRectF(self.visualRect(index)), message)
        return next((name for name, box in boxes if box.contains(place)), "")
