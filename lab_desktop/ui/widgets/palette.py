"""The palette: one field that finds everything there is to go to or to do, and a list below it, all by keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Label, announce, column
from lab_desktop.ui.widgets.finding import Entry, find

_Index = QModelIndex | QPersistentModelIndex
_WIDE, _ROWS = 560, 9
_SHADOW = 14
_ABOVE = 72
"""From the window's upper edge."""


class Palette(QFrame):
    """Opens over a window; Return does what is chosen, Esc or a click beside it closes it.

    Attributes:
        field, list: what is typed, and what that finds.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(self.tr("Go to anything"))
        self._entries: Sequence[Entry] = ()
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Go to a page, project, lesson, chat, setting or help …"))
        self.field.setAccessibleName(self.tr("Go to anything"))
        self.field.textChanged.connect(lambda _: self._find())
        self.field.installEventFilter(self)
        self._model = _Entries()
        self.list = QListView()
        self.list.setModel(self._model)
        self._delegate = _EntryDelegate()
        self.list.setItemDelegate(self._delegate)
        self.list.setAccessibleName(self.tr("What was found"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys stay with the field
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda index: self._take(index.row()))
        self._none = Label("", "body", "text2", wraps=True)
        self._none.hide()
        edge = _SHADOW + 12
        self.setLayout(column(self.field, self._none, self.list, gap=8, margins=(edge, edge, edge, edge)))

    def open(self, entries: Sequence[Entry]) -> None:
        """Show it over its window, with nothing typed, and these to find."""
        self._entries = entries
        self.field.clear()
        self._find()
        window = self.parentWidget()
        assert window is not None
        place = QPoint((window.width() - self.width()) // 2, min(_ABOVE, window.height() // 8) - _SHADOW)
        self.move(window.mapToGlobal(place))
        self.show()
        self.field.setFocus()

    def _fit(self) -> None:
        """As tall as what was found, but never taller than its window has room for."""
        window = self.parentWidget()
        assert window is not None
        room = window.height() - 2 * _ABOVE - self.field.sizeHint().height()
        rows = max(1, min(_ROWS, self._model.rowCount(), room // self._row_height()))
        self.list.setFixedHeight(rows * self._row_height() + 4)
        layout = self.layout()
        assert layout is not None
        wide = min(look().grown(_WIDE), window.width() - 32) + 2 * _SHADOW
        layout.activate()
        self.setFixedSize(
            wide, layout.heightForWidth(wide) if layout.hasHeightForWidth() else layout.sizeHint().height()
        )

    @staticmethod
    def _row_height() -> int:
        return look().line_height("body") + 14

    def _find(self) -> None:
        found = find(self._entries, self.field.text())
        self._model.show(found)
        self.list.setVisible(bool(found))
        self._none.setVisible(not found)
        self._none.setText(self.tr("Nothing has to do with “{0}”. Try another word.").format(self.field.text().strip()))
        self._fit()
        if found:
            self._choose(0)
        else:
            announce(self, self._none.text())

    def _choose(self, row: int) -> None:
        """Mark a row, and say it: the focus stays in the field."""
        index = self._model.index(row, 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)
        if self.isVisible():
            announce(self, str(index.data(Qt.ItemDataRole.AccessibleTextRole)))

    def _take(self, row: int) -> None:
        entry = self._model.entries[row]
        self.hide()  # what is done may open something of its own
        entry.do()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._heard(event)
        return super().eventFilter(watched, event)

    def _heard(self, event: QKeyEvent) -> bool:
        """Keys of the list, typed in the field."""
        key, count, row = event.key(), len(self._model.entries), self.list.currentIndex().row()
        if key == Qt.Key.Key_Escape:
            self.hide()
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return True
        elif not count:
            return False
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(row)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._choose((row + (1 if key == Qt.Key.Key_Down else -1)) % count)
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            by = _ROWS - 1 if key == Qt.Key.Key_PageDown else 1 - _ROWS
            self._choose(min(count - 1, max(0, row + by)))
        else:
            return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(_SHADOW, _SHADOW, -_SHADOW, -_SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        for ring in range(_SHADOW, 0, -2):
            shade = theme.color("text" if not theme.is_dark else "sidebar")
            shade.setAlphaF((0.16 if not theme.is_dark else 0.5) / _SHADOW * 1.2)
            painter.setBrush(shade)
            painter.drawRoundedRect(box.adjusted(-ring, -ring + 4, ring, ring), 10 + ring, 10 + ring)
        painter.setPen(QPen(theme.color("line2"), 1))
        painter.setBrush(theme.color("card"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)


class _Entries(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def show(self, entries: list[Entry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (entry.title, entry.kind, entry.keys) if part)
        return None


class _EntryDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, Palette._row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        box = QRectF(option.rect).adjusted(0, 1, 0, -1)
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint" if is_chosen else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        tone = "accent" if is_chosen else "text2"
        icons.draw(painter, entry.icon, QRectF(box.left() + 10, box.center().y() - 8, 16, 16), tone)
        painter.setPen(theme.color("text2" if is_chosen else "text3"))
        painter.setFont(look().font("small"))
        beside = "   ".join(part for part in (entry.kind, entry.keys) if part)
        wide = QFontMetrics(look().font("small")).horizontalAdvance(beside)
        right = QRectF(box.right() - 10 - wide, box.top(), wide, box.height())
        painter.drawText(right, Qt.AlignmentFlag.AlignVCenter, beside)
        painter.setPen(theme.color("text"))
        painter.setFont(look().font("strong" if is_chosen else "body"))
        place = QRectF(box.left() + 36, box.top(), right.left() - box.left() - 48, box.height())
        line = " ".join(entry.title.split())
        shown = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()
