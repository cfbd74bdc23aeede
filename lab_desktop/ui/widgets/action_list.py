"""Rows on a card, and at the end of each what can be done with it: painted, so thousands of them scroll.

By keys: Return does the first thing (an heir may choose another), the menu key shows all of them. A model gives its
lines under `UserRole`, the names of what can be done under `ACTIONS`, and says the same in words to who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look

Index = QModelIndex | QPersistentModelIndex
ACTIONS = Qt.ItemDataRole.UserRole + 1
MORE = "more"
"""The name of the action that opens the menu with all others."""
SIDE, PADDING = 32, 16
"""Space beside the rows, and inside them."""
_GAP = 4


class ActionDelegate(QStyledItemDelegate):
    """Draws the card under a row and the actions at its end; what stands before them is the heir's.

    Attributes:
        columns: names of actions, those that share a place; those of the first are drawn as buttons.
        words: an action as it is written.
    """

    columns: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def __init__(self, words: Callable[[str], str]) -> None:
        super().__init__()
        self.words = words
        self.hovered = -1
        self.hovered_action = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, look().line_height("body") + look().line_height("small") + 20)

    def action_boxes(self, rect: QRectF, actions: Sequence[str]) -> list[tuple[str, QRectF]]:
        """(name, place) of the actions, each in a column of its own."""
        metrics = QFontMetrics(look().font("label"))
        right = rect.right() - SIDE - PADDING + 8
        height = float(look().line_height("small") + 8)
        boxes = []
        for column in self.columns[::-1]:
            wide = height if column == (MORE,) else 18.0 + max(metrics.horizontalAdvance(self.words(n)) for n in column)
            place = QRectF(right - wide, rect.center().y() - height / 2, wide, height)
            boxes += [(name, place) for name in actions if name in column]
            right -= wide + _GAP
        return boxes[::-1]

    @staticmethod
    def paint_card(
        painter: QPainter, rect: QRectF, is_first: bool, is_last: bool, option: QStyleOptionViewItem
    ) -> None:
        theme = look().theme
        painter.setClipRect(rect)
        box = rect.adjusted(SIDE + 0.5, 0.5 if is_first else -20, -SIDE - 0.5, -0.5 if is_last else 20)
        painter.setPen(QPen(theme.color("line"), 1))
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(theme.color("hover" if is_hovered else "card"))
        painter.drawRoundedRect(box, 10, 10)
        if not is_last:
            y = rect.bottom() - 0.5
            painter.drawLine(QPointF(rect.left() + SIDE + PADDING, y), QPointF(rect.right() - SIDE - PADDING, y))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(rect.adjusted(SIDE + 3, 3, -SIDE - 3, -3), 6, 6)

    def paint_actions(self, painter: QPainter, boxes: Sequence[tuple[str, QRectF]], row: int) -> None:
        theme = look().theme
        for name, box in boxes:
            is_hovered = row == self.hovered and name == self.hovered_action
            is_button = name in self.columns[0]
            if is_button or is_hovered:
                painter.setPen(QPen(theme.color("line2"), 1) if is_button else Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("sel" if is_hovered else "card"))
                painter.drawRoundedRect(box, 6, 6)
            if name == MORE:
                icons.draw(painter, "more", QRectF(box.center().x() - 8, box.center().y() - 8, 16, 16), "text2")
                continue
            painter.setPen(theme.color("text" if is_button else "text2"))
            painter.setFont(look().font("label"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.words(name))


class ActionList(QListView):
    acted = Signal(object, str)
    """(line, name of an action)"""

    def __init__(self, delegate: ActionDelegate, name: str) -> None:
        super().__init__()
        self.rows = delegate
        self.setItemDelegate(delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        look().changed.connect(self.doItemsLayout)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index, name = self._at(event.position())
        if (index.row(), name) != (self.rows.hovered, self.rows.hovered_action):
            self.rows.hovered, self.rows.hovered_action = index.row(), name
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if name else Qt.CursorShape.ArrowCursor)
            self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.rows.hovered, self.rows.hovered_action = -1, ""
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index, name = self._at(event.position())
        if name and event.button() == Qt.MouseButton.LeftButton:
            self._do(index, name, event.position().toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            if actions := index.data(ACTIONS):
                self._do(index, self.by_return(actions), self.visualRect(index).center())
            return
        super().keyPressEvent(event)

    def by_return(self, actions: Sequence[str]) -> str:
        """Which of the actions Return does."""
        return actions[0]

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.currentIndex()
        if index.isValid():
            is_by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
            self._open_menu(index, self.visualRect(index).center() if is_by_key else event.pos())

    def _do(self, index: QModelIndex, name: str, place: QPoint) -> None:
        if name == MORE:
            self._open_menu(index, place)
        else:
            self.acted.emit(index.data(Qt.ItemDataRole.UserRole), name)

    def _open_menu(self, index: QModelIndex, place: QPoint) -> None:
        line = index.data(Qt.ItemDataRole.UserRole)
        names = [name for name in index.data(ACTIONS) if name != MORE]
        if not names:
            return
        menu = QMenu(self)
        for name in names:
            menu.addAction(self.rows.words(name)).triggered.connect(lambda _, name=name: self.acted.emit(line, name))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(place))

    def _at(self, place: QPointF) -> tuple[QModelIndex, str]:
        index = self.indexAt(place.toPoint())
        if not index.isValid():
            return index, ""
        boxes = self.rows.action_boxes(QRectF(self.visualRect(index)), index.data(ACTIONS) or ())
        return index, next((name for name, box in boxes if box.contains(place)), "")


def draw_text(painter: QPainter, style: TypeStyle, box: QRectF, text: str) -> None:
    """One line in a style of the scale, cut with … where it does not fit."""
    painter.setFont(look().font(style))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, int(box.width())))
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)


def draw_lines(painter: QPainter, box: QRectF, *lines: Sequence[tuple[TypeStyle, str, str]]) -> None:
    """Two lines in the middle of a row: of each the texts, (style, colour role, text), one after the other."""
    heights = [look().line_height("body"), look().line_height("small")]
    top = box.center().y() - sum(heights) / 2
    for line, height in zip(lines, heights, strict=True):
        left = box.left()
        for style, tone, text in line:
            painter.setPen(look().theme.color(tone))
            draw_text(painter, style, QRectF(left, top, box.right() - left, height), text)
            left += QFontMetrics(look().font(style)).horizontalAdvance(text)
        top += height
