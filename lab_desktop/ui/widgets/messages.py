"""A conversation as a list: every item one with a name for screen readers, a question, an answer, or two side by side.

Thousands of messages scroll, for only what is seen is laid out: every other item has an estimated height, and when the
true one comes to light what is on screen keeps its place. All of the arithmetic is `MessageList`'s own; of QListView it
uses the model, the keys and what a screen reader needs.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QMenu

from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.message_text import MOST_LINES, MessageText

_Index = QModelIndex | QPersistentModelIndex
_EDGE = 24
_PADDING, _ABOVE = 16, 11
_GAP = 12
_BETWEEN = 20
_BESIDE = 100
_FOOT = 32
_ICON = 24
_WIDEST = 760
_OWN_SHARE = 0.7
_KEPT_TEXTS = 120
_FLASH_MS = 1200
_STEP = 60
_WRITTEN_MS = 30


@dataclass(frozen=True)
class Message:
    """What one side says.

    Attributes:
        speaker: who says it, as a screen reader has it.
        is_own: the person's.
        note: small words in its foot: "Your model · 24 words a second".
        tone: colour role of the note.
        actions: what can be done with it, as (name, icon, title); without an icon the title is words between others.
        is_busy: it is being written.
    """

    text: str
    speaker: str
    is_own: bool = False
    note: str = ""
    tone: str = "text3"
    actions: tuple[tuple[str, str, str], ...] = ()
    is_busy: bool = False


WALKED = ("before", "which", "after")
"""Actions of a message that is one of several: the one before, which it is, the one after. Left and right do them."""
Item = tuple[Message, ...]
"""One message, or two answers side by side."""


class MessageModel(QAbstractListModel):
    """The items, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Item] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item[0].text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return "\n".join(
                ", ".join([f"{message.speaker}: {message.text or message.note}", *_words_of(message)])
                for message in item
            )
        return None

    def show(self, items: Sequence[Item]) -> None:
        """Show these; the items that stay as they are keep their layout, and the reader's place."""
        same = 0
        for before, after in zip(self._items, items, strict=False):
            if before is not after and before != after:
                break
            same += 1
        old, new = len(self._items), len(items)
        if same == 0:
            self.beginResetModel()
            self._items = list(items)
            self.endResetModel()
            return
        if old > new:
            self.beginRemoveRows(QModelIndex(), new, old - 1)
            del self._items[new:]
            self.endRemoveRows()
        if (end := min(old, new)) > same:
            self._items[same:end] = items[same:end]
            self.dataChanged.emit(self.index(same, 0), self.index(end - 1, 0))
        if new > old:
            self.beginInsertRows(QModelIndex(), old, new - 1)
            self._items += items[old:]
            self.endInsertRows()

    def change(self, row: int, side: int, message: Message) -> None:
        item = list(self._items[row])
        item[side] = message
        self._items[row] = tuple(item)
        self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def write(self, row: int, side: int, piece: str) -> None:
        """More of the answer that is being written."""
        message = self._items[row][side]
        self.change(row, side, replace(message, text=message.text + piece))

    def items(self, rows: range) -> Sequence[Item]:
        return self._items[rows.start : rows.stop]

    def __getitem__(self, row: int) -> Item:
        return self._items[row]

    def __len__(self) -> int:
        return len(self._items)


class MessageList(QListView):
    """The conversation. Arrows walk it, Return or the menu key opens what can be done with a message."""

    acted = Signal(int, int, str)
    """(row, side, name of an action)"""
    linked = Signal(str)
    """An address in a message was pressed; nothing was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = MessageModel()
        self._heights: list[int] = []
        self._is_exact: list[bool] = []
        self._tops: list[int] | None = None
        self._texts: OrderedDict[tuple[str, int, bool, str], MessageText] = OrderedDict()
        self._written: OrderedDict[tuple[str, int, bool, str], MessageText] = OrderedDict()
        self._is_at_end = True
        self._is_settling = False
        self._side = 0
        self._hovered = (-1, 0, "")
        self._flashed = (-1, 0, "")
        self._flash_timer = QTimer(self, singleShot=True, interval=_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self._write_timer = QTimer(self, singleShot=True, interval=_WRITTEN_MS)
        self._write_timer.timeout.connect(self._settle)
        self.setModel(self.messages)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName(self.tr("Conversation"))
        look().changed.connect(self._relook)

    def scroll_to_end(self) -> None:
        """Show the end, and stay there while it grows."""
        self._is_at_end = True
        self._settle()

    def scroll_to_start(self) -> None:
        """Show the beginning, and stay there while it grows."""
        self._is_at_end = False
        self.verticalScrollBar().setValue(0)
        self._settle()

    def go_to(self, row: int) -> None:
        """Make an item the one in hand, and show it."""
        index = self.messages.index(row, 0)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.scrollTo(index)

    # Where everything is

    def _shape(self) -> tuple[int, int]:
        """Left edge and width of what a single message may take."""
        whole = self.viewport().width() - 2 * _EDGE
        wide = max(120, min(whole, _WIDEST))
        return _EDGE + max(0, (whole - wide) // 2), wide

    def _text_width(self, item: Item, row: int) -> int:
        whole = max(240, self.viewport().width() - 2 * _EDGE)
        if len(item) > 1:
            return (whole - _BETWEEN) // 2 - 2 * _PADDING
        if self._is_question_of_two(row):
            return whole - 2 * _PADDING - _BESIDE
        wide = self._shape()[1]
        return int(wide * (_OWN_SHARE if item[0].is_own else 1.0)) - 2 * _PADDING

    def _is_question_of_two(self, row: int) -> bool:
        return row + 1 < len(self.messages) and len(self.messages[row + 1]) > 1 and len(self.messages[row]) == 1

    def _text(self, message: Message, width: int, style: TypeStyle = "answer") -> MessageText:
        key = (message.text, width, message.is_own, style)
        # What is being written is another text with every piece: of those only the newest few are wanted.
        kept, most = (self._written, 2) if message.is_busy else (self._texts, _KEPT_TEXTS)
        if (found := kept.get(key)) is not None:
            kept.move_to_end(key)
            return found
        made = kept[key] = MessageText(
            message.text or ("…" if message.is_busy else "–"), width, is_plain=message.is_own, style=style
        )
        while len(kept) > most:
            kept.popitem(last=False)
        return made

    def _exact(self, row: int) -> int:
        """The true height of an item, which lays it out."""
        if self._is_exact[row]:
            return self._heights[row]
        item = self.messages[row]
        width = self._text_width(item, row)
        if self._is_question_of_two(row):
            tall = self._text(item[0], width, "head").height + 2 * _ABOVE
        else:
            tall = max(self._text(message, width).height for message in item) + 2 * _ABOVE
            if not item[0].is_own:
                tall += _FOOT - 4
        self._heights[row], self._is_exact[row], self._tops = int(tall) + _GAP, True, None
        return self._heights[row]

    def _estimates(self, rows: range) -> list[int]:
        line = look().line_height("answer")
        letter = max(1.0, QFontMetrics(look().font("answer")).averageCharWidth())
        most, around = MOST_LINES * line, 2 * _ABOVE + _GAP + _FOOT - 4
        answer, pair = self._shape()[1] / letter, (self.viewport().width() - 2 * _EDGE) / letter / 2
        own = answer * _OWN_SHARE
        guessed = []
        for item in self.messages.items(rows):  # every item of a long chat comes by here, so only what must be is done
            message = item[0] if len(item) == 1 or len(item[0].text) > len(item[1].text) else item[1]
            each_line = pair if len(item) > 1 else own if message.is_own else answer
            high = (message.text.count("\n") + 1 + int(len(message.text) / each_line)) * line
            guessed.append((high if high < most else most) + around - (_FOOT - 4 if message.is_own else 0))
        return guessed

    def _sums(self) -> list[int]:
        if self._tops is None:
            self._tops = list(itertools.accumulate(self._heights, initial=_GAP))
        return self._tops

    def _row_at(self, height: int) -> int:
        return min(max(bisect.bisect_right(self._sums(), height) - 1, 0), len(self._heights) - 1)

    def _settle(self) -> None:
        """Lay out what is in sight and set the scroll bar; what is on screen keeps its place."""
        if self._is_settling:
            return
        self._is_settling = True
        bar, tall = self.verticalScrollBar(), self.viewport().height()
        value = bar.value()
        if self._heights and self._is_at_end:
            room = tall
            for row in range(len(self._heights) - 1, -1, -1):
                room -= self._exact(row)
                if room < 0:
                    break
        elif self._heights:
            row = self._row_at(value)
            top, before = self._sums()[row], self._heights[row]
            after = self._exact(row)
            if top < value:
                value += after - before
            seen = top + after
            while (row := row + 1) < len(self._heights) and seen < value + tall:
                seen += self._exact(row)
        bar.setSingleStep(_STEP)
        bar.setPageStep(tall)
        most = max(0, self._sums()[-1] + _GAP - tall)
        bar.setRange(0, most)
        bar.setEnabled(most > 0)  # without anything to scroll to it shows no handle
        bar.setValue(most if self._is_at_end else value)
        self._is_settling = False
        self.viewport().update()

    def _box(self, row: int) -> QRect:
        top = self._sums()[row] - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self._heights[row])

    def _surfaces(self, row: int) -> list[QRectF]:
        """The ground of each side of an item."""
        item, box = self.messages[row], QRectF(self._box(row)).adjusted(0, 0, 0, -_GAP)
        whole = max(240, self.viewport().width() - 2 * _EDGE)
        if len(item) > 1:
            wide = (whole - _BETWEEN) // 2
            return [QRectF(_EDGE + side * (wide + _BETWEEN), box.top(), wide, box.height()) for side in range(2)]
        if self._is_question_of_two(row):
            return [QRectF(_EDGE, box.top(), whole, box.height())]
        left, wide = self._shape()
        if not item[0].is_own:
            return [QRectF(left, box.top(), wide, box.height())]
        needed = self._text(item[0], self._text_width(item, row)).ideal_width + 2 * _PADDING + 1
        own = min(needed, wide * _OWN_SHARE)
        return [QRectF(left + wide - own, box.top(), own, box.height())]

    def _actions(self, row: int, side: int) -> list[tuple[str, str, str, QRectF]]:
        """(name, icon, title, place) of what can be done with a message."""
        message, ground = self.messages[row][side], self._surfaces(row)[side]
        if self._is_question_of_two(row):
            right, top = ground.right() - 8, ground.center().y() - _ICON / 2
        elif message.is_own:
            right, top = ground.left() - 4, ground.center().y() - _ICON / 2
        else:
            right, top = ground.right() - 8, ground.bottom() - _FOOT - 1
        placed = []
        for name, icon, title in reversed(message.actions):
            wide = _ICON if icon else QFontMetrics(look().font("small")).horizontalAdvance(title)
            placed.append((name, icon, title, QRectF(right - wide, top, wide, _ICON)))
            right -= wide + 4
        return placed[::-1]

    def _hit(self, place: QPointF) -> tuple[int, int, str]:
        """(row, side, name of the action) under a place; a row of -1 outside of every item."""
        index = self.indexAt(place.toPoint())
        if not index.isValid():
            return -1, 0, ""
        row = index.row()
        sides = range(len(self.messages[row]))
        side = max((side for side in sides if place.x() >= self._surfaces(row)[side].left() - _BETWEEN), default=0)
        for name, icon, _, box in self._actions(row, side):
            if icon and box.contains(place):
                return row, side, name
        inside = self._inside(row, side, place)
        for number, code in enumerate(self._shown_text(row, side).code):
            if code.button.contains(inside):
                return row, side, f"code {number}"
        return row, side, ""

    def _shown_text(self, row: int, side: int) -> MessageText:
        item = self.messages[row]
        style: TypeStyle = "head" if self._is_question_of_two(row) else "answer"
        return self._text(item[side], self._text_width(item, row), style)

    def _inside(self, row: int, side: int, place: QPointF) -> QPointF:
        return place - self._surfaces(row)[side].topLeft() - self._text_offset(row)

    def _text_offset(self, row: int) -> QPointF:
        return QPointF(_PADDING, _ABOVE)

    # What QListView asks

    def doItemsLayout(self) -> None:
        if self._heights or len(self.messages):
            self._settle()

    def updateGeometries(self) -> None:
        return

    def reset(self) -> None:
        super().reset()
        self._is_at_end = True
        self._measure_anew()

    def rowsInserted(self, parent: _Index, start: int, end: int) -> None:
        self._heights += self._estimates(range(start, end + 1))
        self._is_exact += [False] * (end + 1 - start)
        self._unsettle(start - 1)
        self._settle()

    def rowsAboutToBeRemoved(self, parent: _Index, start: int, end: int) -> None:
        super().rowsAboutToBeRemoved(parent, start, end)
        del self._heights[start:], self._is_exact[start:]
        self._unsettle(start - 1)
        self._write_timer.start()

    def dataChanged(self, first: _Index, last: _Index, roles: Sequence[int] = ()) -> None:
        for row in range(max(0, first.row() - 1), last.row() + 1):
            self._unsettle(row)
        if not self._write_timer.isActive():
            self._write_timer.start()

    def _unsettle(self, row: int) -> None:
        if 0 <= row < len(self._is_exact):
            self._is_exact[row] = False
        self._tops = None

    def _measure_anew(self) -> None:
        count = len(self.messages)
        self._heights = self._estimates(range(count))
        self._is_exact = [False] * count
        self._tops = None
        self._settle()

    def _relook(self) -> None:
        self._texts.clear()
        self._written.clear()
        self._measure_anew()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.oldSize().width() == event.size().width():
            self._settle()
            return
        is_at_end = self._is_at_end
        row = self._row_at(self.verticalScrollBar().value()) if self._heights else 0
        self._measure_anew()
        if self._heights and not is_at_end:
            self.verticalScrollBar().setValue(self._sums()[row])

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if not self._is_settling:
            bar = self.verticalScrollBar()
            self._is_at_end = bar.value() >= bar.maximum() - 4
            self._settle()

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def horizontalOffset(self) -> int:
        return 0

    def visualRect(self, index: _Index) -> QRect:
        is_there = index.isValid() and index.row() < len(self._heights)
        return self._box(index.row()) if is_there else QRect()

    def indexAt(self, place: QPoint) -> QModelIndex:
        height = place.y() + self.verticalScrollBar().value()
        if not self._heights or not _GAP <= height < self._sums()[-1]:
            return QModelIndex()
        return self.messages.index(self._row_at(height), 0)

    def scrollTo(
        self, index: _Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid() or index.row() >= len(self._heights):
            return
        self._exact(index.row())
        bar, box = self.verticalScrollBar(), self._box(index.row())
        if box.top() < 0:
            bar.setValue(bar.value() + box.top() - _GAP)
        elif box.bottom() > self.viewport().height():
            bar.setValue(bar.value() + min(box.top() - _GAP, box.bottom() - self.viewport().height()))

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        return

    def visualRegionForSelection(self, selection: object) -> QRegion:
        return QRegion()

    def isIndexHidden(self, index: _Index) -> bool:
        return False

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        actions = QAbstractItemView.CursorAction
        row, last = self.currentIndex().row(), len(self.messages) - 1
        if action in (actions.MoveHome, actions.MoveEnd):
            row = 0 if action == actions.MoveHome else last
        elif action in (actions.MovePageUp, actions.MovePageDown):
            far = self.viewport().height() * (1 if action == actions.MovePageDown else -1)
            row = self._row_at(self._sums()[max(0, row)] + far) if self._heights else -1
        elif action in (actions.MoveUp, actions.MoveDown):
            row += 1 if action == actions.MoveDown else -1
        return self.messages.index(min(max(row, 0), last), 0) if last >= 0 else QModelIndex()

    # What is drawn

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._heights:
            return
        first = self._row_at(self.verticalScrollBar().value() + event.rect().top())
        for row in range(first, len(self._heights)):
            if self._box(row).top() > event.rect().bottom():
                break
            for side in range(len(self.messages[row])):
                self._draw(painter, row, side)

    def _draw(self, painter: QPainter, row: int, side: int) -> None:
        theme = look().theme
        message, ground = self.messages[row][side], self._surfaces(row)[side]
        has_focus = self.hasFocus() and (row, side) == (self.currentIndex().row(), self._current_side())
        is_wide = self._is_question_of_two(row)
        if has_focus:
            painter.setPen(QPen(theme.color("accent"), 2))
        else:
            painter.setPen(Qt.PenStyle.NoPen if message.is_own else QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("sunken" if is_wide else "tint" if message.is_own else "card"))
        inset = 1.0 if has_focus else 0.5
        painter.drawRoundedRect(ground.adjusted(inset, inset, -inset, -inset), 10, 10)
        painter.save()
        painter.setClipRect(ground.adjusted(1, 1, -1, -1))
        painter.translate(ground.topLeft() + self._text_offset(row))
        self._shown_text(row, side).paint(painter)
        painter.restore()
        actions = self._actions(row, side)
        if message.note and not message.is_own:
            left = ground.left() + _PADDING
            right = min((box.left() for *_, box in actions), default=ground.right() - 8) - 8
            foot = QRectF(left, ground.bottom() - _FOOT - 1, right - left, _ICON)
            painter.setPen(theme.color(message.tone))
            painter.setFont(look().font("small"))
            words = painter.fontMetrics().elidedText(message.note, Qt.TextElideMode.ElideRight, int(foot.width()))
            painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, words)
        if message.is_own and self._hovered[0] != row and not has_focus:
            # The question stays quiet until one comes near; only that there are others like it is always told.
            actions = [each for each in actions if each[0] in WALKED]
            if is_wide:
                painter.setPen(theme.color("text3"))
                painter.setFont(look().font("small"))
                end = QRectF(ground)
                end.setRight(min((box.left() for *_, box in actions), default=ground.right() - _PADDING + 8) - 8)
                painter.drawText(end, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, message.note)
        for name, icon, title, box in actions:
            if not icon:
                painter.setPen(theme.color("text2"))
                painter.setFont(look().font("small"))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
                continue
            if self._hovered == (row, side, name):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("hover"))
                painter.drawRoundedRect(box, 6, 6)
            is_flashed = self._flashed == (row, side, name)
            icons.draw(
                painter, "check" if is_flashed else icon, box.adjusted(5, 5, -5, -5), "good" if is_flashed else "text2"
            )

    def flash(self, row: int, side: int, name: str) -> None:
        """Let an action's icon be a tick for a moment: it is done."""
        self._flashed = (row, side, name)
        self._flash_timer.start()
        self.viewport().update()

    def _end_flash(self) -> None:
        self._flashed = (-1, 0, "")
        self.viewport().update()

    # What the person does

    def _current_side(self) -> int:
        row = self.currentIndex().row()
        return min(self._side, len(self.messages[row]) - 1) if 0 <= row < len(self.messages) else 0

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        if hit != self._hovered:
            self._hovered = hit
            row, side, name = hit
            titles = {each: title for each, _, title in self.messages[row][side].actions} if row >= 0 else {}
            self.setToolTip(self.tr("Copy the code") if name.startswith("code ") else titles.get(name, ""))
            self.viewport().update()
        has_link = hit[0] >= 0 and bool(self._link_at(event.position()))
        shape = Qt.CursorShape.PointingHandCursor if hit[2] or has_link else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = (-1, 0, "")
        self.viewport().update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row, side, _ = self._hit(event.position())
        if row >= 0:
            self._side = side
            self.selectionModel().setCurrentIndex(
                self.messages.index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        row, side, name = self._hit(event.position())
        if name:
            self._do(row, side, name)
        elif row >= 0 and (address := self._link_at(event.position())):
            self.linked.emit(address)

    def _link_at(self, place: QPointF) -> str:
        row, side, _ = self._hit(place)
        return self._shown_text(row, side).link_at(self._inside(row, side, place)) if row >= 0 else ""

    def _do(self, row: int, side: int, name: str) -> None:
        if name.startswith("code "):
            QGuiApplication.clipboard().setText(self._shown_text(row, side).code[int(name[5:])].text)
        elif name == "copy":
            QGuiApplication.clipboard().setText(self.messages[row][side].text)
            self.flash(row, side, name)
        self.acted.emit(row, side, name)

    def menu(self, row: int, side: int) -> QMenu:
        """What can be done with a message, in words."""
        message, menu = self.messages[row][side], QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        actions = [(name, title) for name, icon, title in message.actions if icon]
        if "copy" not in dict(actions):
            actions.append(("copy", self.tr("Copy")))
        code = self._shown_text(row, side).code
        for number in range(len(code)):
            words = self.tr("Copy the code") if len(code) == 1 else self.tr("Copy code {0}").format(number + 1)
            actions.append((f"code {number}", words))
        for name, title in actions:
            menu.addAction(title).triggered.connect(functools.partial(self._chosen, row, side, name))
        return menu

    def _chosen(self, row: int, side: int, name: str, *_: object) -> None:
        self._do(row, side, name)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            row, side, _ = self._hit(QPointF(event.pos()))
            if row >= 0:
                self.menu(row, side).popup(event.globalPos())
        else:
            self._open_menu()

    def _open_menu(self) -> None:
        row, side = self.currentIndex().row(), self._current_side()
        if 0 <= row < len(self.messages):
            ground = self._surfaces(row)[side]
            height = min(max(ground.bottom(), 0), self.viewport().height())
            place = QPoint(int(ground.left()) + _PADDING, int(height) - _FOOT)
            self.menu(row, side).popup(self.viewport().mapToGlobal(place))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._begin_at_end()
        super().focusInEvent(event)
        self.viewport().update()

    def _begin_at_end(self) -> None:
        """Where the keys begin: at the newest message."""
        if not self.currentIndex().isValid() and len(self.messages):
            last = self.messages.index(len(self.messages) - 1, 0)
            self.selectionModel().setCurrentIndex(last, QItemSelectionModel.SelectionFlag.NoUpdate)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key = Qt.Key, event.key()
        self._begin_at_end()
        row = self.currentIndex().row()
        if event.matches(QKeySequence.StandardKey.Copy) and row >= 0:
            self._do(row, self._current_side(), "copy")
        elif key in (keys.Key_Return, keys.Key_Enter):
            self._open_menu()
        elif key in (keys.Key_Left, keys.Key_Right) and self._walks(WALKED[0] if key == keys.Key_Left else WALKED[-1]):
            return
        elif key in (keys.Key_Left, keys.Key_Right):
            self._side = 0 if key == keys.Key_Left else 1
            self.viewport().update()
        elif key in (keys.Key_Up, keys.Key_Down) and self._reads_on(key == keys.Key_Down):
            return
        elif key in (
            keys.Key_Up, keys.Key_Down, keys.Key_Home, keys.Key_End, keys.Key_PageUp, keys.Key_PageDown,
        ):  # fmt: skip
            super().keyPressEvent(event)
            self.viewport().update()
        else:
            event.ignore()  # letters and figures are the page's

    def _walks(self, name: str) -> bool:
        """Go to another of several, where the message in hand is one and stands alone in its row."""
        row = self.currentIndex().row()
        item = self.messages[row] if 0 <= row < len(self.messages) else ()
        if len(item) != 1 or name not in [each for each, _, _ in item[0].actions]:
            return False
        self._do(row, 0, name)
        return True

    def _reads_on(self, is_down: bool) -> bool:
        """Scroll within a message taller than the view before the next one is gone to."""
        row = self.currentIndex().row()
        if not 0 <= row < len(self._heights):
            return False
        bar, box = self.verticalScrollBar(), self._box(row)
        rest = box.bottom() - self.viewport().height() if is_down else -box.top()
        if rest <= 0 or box.height() <= self.viewport().height():
            return False
        bar.setValue(bar.value() + min(rest, _STEP) * (1 if is_down else -1))
        return True


def _words_of(message: Message) -> list[str]:
    """The words between a message's actions."""
    return [title for _, icon, title in message.actions if not icon]
