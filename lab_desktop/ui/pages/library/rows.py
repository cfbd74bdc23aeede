"""A list of lessons: each a row with a ring, a name, where it is, a badge, and the words that were searched for.

The lessons of a topic, what a search found, what changed and what was deleted are all such lists. Rows are drawn by a
delegate and are all of one height, so ten thousand of them scroll.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import paint_badge
from lab_desktop.ui.widgets.meters import paint_ring

_Index = QModelIndex | QPersistentModelIndex
_ROW = Qt.ItemDataRole.UserRole
_SIDE = 12


@dataclass(frozen=True)
class Row:
    """
    Attributes:
        key: what the page knows it by.
        second: the line below the title.
        badge: (word, tone, icon).
        share: how ready the lesson is, 0–1; None: no ring.
        icon: in place of the ring, "" for none.
        snippet: a piece of the lesson in parts, and whether each was searched for.
        is_taken: of a row that can be chosen or not, in front of all else; None: it cannot.
        is_head: only a heading over the rows below it.
    """

    key: str
    title: str
    second: str = ""
    badge: tuple[str, str, str] | None = None
    share: float | None = None
    icon: str = ""
    snippet: tuple[tuple[str, bool], ...] = ()
    is_taken: bool | None = None
    is_head: bool = False

    @property
    def spoken(self) -> str:
        """The whole row in words."""
        parts = (
            self.title,
            self.badge[0] if self.badge else "",
            self.second,
            "".join(part for part, _ in self.snippet),
        )
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class Rows:
    """Rows that are made when somebody looks at them.

    Attributes:
        keys: of all of them.
        make: the row of this number.
    """

    keys: Sequence[str] = ()
    make: Callable[[int], Row] = lambda number: Row("", "")

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        return cls([row.key for row in rows], rows.__getitem__)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> Row:
        return self.make(range(len(self.keys))[number])


class RowModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()

    def show(self, rows: Rows) -> None:
        """Other rows; the same in other words stay where they are."""
        if rows.keys == self.rows.keys:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 0))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == _ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.second
        if role == Qt.ItemDataRole.CheckStateRole and row.is_taken is not None:
            return Qt.CheckState.Checked if row.is_taken else Qt.CheckState.Unchecked
        return row.spoken if role == Qt.ItemDataRole.AccessibleTextRole else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not 0 <= index.row() < len(self.rows):
            return Qt.ItemFlag.NoItemFlags
        row = self.rows[index.row()]
        if row.is_head:
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index) | (Qt.ItemFlag.ItemIsUserCheckable if row.is_taken is not None else Qt.ItemFlag(0))


class _Delegate(QStyledItemDelegate):
    has_snippets = False

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        lines = look().line_height("body") + look().line_height("small")
        if self.has_snippets:
            lines += look().line_height("small") + 4
        return QSize(100, lines + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row: Row = index.data(_ROW)
        theme = look().theme
        whole = QRectF(option.rect).adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.is_head:
            box = whole.adjusted(_SIDE, 0, -_SIDE, -4)
            painter.setPen(theme.color("text2"))
            draw_line(painter, "label", QRectF(box.left(), box.bottom() - 18, box.width(), 18), row.title)
            painter.restore()
            return
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint" if is_chosen else "hover"))
            painter.drawRoundedRect(whole, 6, 6)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 6, 6)
        box = whole.adjusted(_SIDE, 8, -_SIDE, 0)
        first, second = look().line_height("body"), look().line_height("small")
        if row.is_taken is not None:
            _draw_box(painter, QRectF(box.left(), box.top() + (first - 16) / 2, 16, 16), row.is_taken)
            box.setLeft(box.left() + 28)
        elif row.share is not None or row.icon:
            mark = QRectF(box.left() + 1, box.top() + (first - 16) / 2, 16, 16)
            if row.icon:
                icons.draw(painter, row.icon, mark, "text2")
            elif row.share is not None and row.share < 1:
                paint_ring(painter, mark.adjusted(1, 1, -1, -1), row.share, 2.5, "data")
            else:
                icons.draw(painter, "check", mark, "good")
            box.setLeft(box.left() + 28)
        right = box.right()
        if row.badge is not None:
            word, tone, icon = row.badge
            wide = QFontMetrics(look().font("label")).horizontalAdvance(word) + 16 + (18 if icon else 0)
            paint_badge(painter, QRectF(right - wide, box.top(), wide, max(20, second + 4)), word, tone, icon)
            right -= wide + 8
        painter.setPen(theme.color("text"))
        draw_line(painter, "strong", QRectF(box.left(), box.top(), right - box.left(), first), row.title)
        painter.setPen(theme.color("text2"))
        draw_line(painter, "small", QRectF(box.left(), box.top() + first, box.width(), second), row.second)
        if row.snippet:
            below = QRectF(box.left(), box.top() + first + second + 3, box.width(), second)
            _draw_snippet(painter, below, row.snippet)
        painter.restore()


def draw_line(painter: QPainter, style: TypeStyle, box: QRectF, text: str) -> None:
    """A text on one line, cut where it does not fit."""
    painter.setFont(look().font(style))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, int(box.width())))
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)


def _draw_box(painter: QPainter, box: QRectF, is_taken: bool) -> None:
    """A box to tick."""
    theme = look().theme
    painter.setPen(Qt.PenStyle.NoPen if is_taken else QPen(theme.color("text3"), 1.5))
    painter.setBrush(theme.color("fill") if is_taken else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
    if is_taken:
        icons.draw(painter, "check", box.adjusted(2, 2, -2, -2), "on_fill")


def _draw_snippet(painter: QPainter, box: QRectF, parts: Sequence[tuple[str, bool]]) -> None:
    theme = look().theme
    left = box.left()
    if len(parts) > 1 and not parts[0][1]:  # what was found is in sight, however narrow the list is
        small = QFontMetrics(look().font("small"))
        before = small.elidedText(parts[0][0], Qt.TextElideMode.ElideLeft, int(box.width() * 0.4))
        parts = [(before.replace("……", "…"), False), *parts[1:]]
    for text, is_marked in parts:
        style: TypeStyle = "label" if is_marked else "small"
        painter.setFont(look().font(style))
        wide = min(float(painter.fontMetrics().horizontalAdvance(text)), box.right() - left)
        if wide <= 0:
            return
        if is_marked:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("mark2"))
            painter.drawRoundedRect(QRectF(left, box.top(), wide, box.height()), 2, 2)
        painter.setPen(theme.color("text" if is_marked else "text2"))
        draw_line(painter, style, QRectF(left, box.top(), wide + 1, box.height()), text)
        left += wide


class RowList(QListView):
    chosen = Signal(object)
    """The Row the person came to."""
    opened = Signal(object)
    """The Row that was asked for with Return or a double click."""
    toggled = Signal(object)
    """The Row whose box was clicked, or that Space was pressed on."""
    menu_wanted = Signal(object, QPoint)
    """(Row, place on the screen)"""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._model = RowModel()
        self._delegate = _Delegate()
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(_ROW)))
        self.selectionModel().currentChanged.connect(self._came_to)
        look().changed.connect(self.doItemsLayout)

    @property
    def rows(self) -> Rows:
        return self._model.rows

    @property
    def row(self) -> Row | None:
        """The one in hand."""
        index = self.currentIndex()
        return self._model.rows[index.row()] if index.isValid() else None

    def in_sight(self) -> Sequence[str]:
        """Keys of the rows that can be seen."""
        high = max(1, self.sizeHintForRow(0))
        first = self.verticalScrollBar().value() // high
        return self.rows.keys[first : first + self.viewport().height() // high + 2]

    def fit(self) -> None:
        """As high as its rows, for where what lies around it scrolls."""
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(sum(self.sizeHintForRow(number) for number in range(len(self.rows))) + 2)

    def show_rows(self, shown: Rows | Sequence[Row]) -> None:
        """Other rows; the one in hand stays in hand where it is among them."""
        rows = shown if isinstance(shown, Rows) else Rows.of(shown)
        kept = self.row
        has_snippets = bool(rows) and bool(rows[0].snippet)
        if has_snippets != self._delegate.has_snippets:
            self._delegate.has_snippets = has_snippets
            self.scheduleDelayedItemsLayout()
        self._model.show(rows)
        if kept is not None and self.row is None:
            self.choose(kept.key)

    def choose(self, key: str) -> bool:
        """Take a row in hand; False: there is none of this key."""
        if key not in self.rows.keys:
            return False
        self.setCurrentIndex(self._model.index(self.rows.keys.index(key), 0))
        return True

    def _came_to(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(index.data(_ROW))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.row is not None:
            self.opened.emit(self.row)
            return
        if event.key() == Qt.Key.Key_Space and self.row is not None and self.row.is_taken is not None:
            self.toggled.emit(self.row)
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        is_on_box = event.position().x() < self.visualRect(index).left() + _SIDE + 22
        if index.isValid() and is_on_box and self._model.rows[index.row()].is_taken is not None:
            self.toggled.emit(self._model.rows[index.row()])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if (row := self.row) is None:
            return
        is_by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        place = self.visualRect(self.currentIndex()).center() if is_by_key else event.pos()
        self.menu_wanted.emit(row, self.viewport().mapToGlobal(place))
