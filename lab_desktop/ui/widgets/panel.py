"""What the small windows beside the main one share: their ground, their closing keys, lists of names, switches."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import column

_Index = QModelIndex | QPersistentModelIndex
_SECOND = Qt.ItemDataRole.UserRole + 1
_PADDING = 8


def as_panel(window: QWidget, title: str, inside: QLayout) -> None:
    """Make a widget a window of its own that never blocks another; it is closed as every window is."""
    window.setWindowFlag(Qt.WindowType.Window)
    window.setWindowTitle(title)
    ground = QFrame()
    ground.setProperty("surface", "page")
    ground.setLayout(inside)
    window.setLayout(column(ground))
    for keys in QKeySequence.keyBindings(QKeySequence.StandardKey.Close):
        QShortcut(keys, window, window.close)


def come_to_front(window: QWidget) -> None:
    """Show a window, wherever it was."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


class NameList(QListWidget):
    """Names to choose from, one below the other, each with a small second line if it has one; long ones wrap."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self._delegate = _NameDelegate(self)
        self.setItemDelegate(self._delegate)
        look().changed.connect(self.doItemsLayout)

    def add(self, name: str, title: str, second: str = "") -> None:
        """One more, known by `name`."""
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setData(_SECOND, second)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{title}, {second}" if second else title)
        self.addItem(item)

    def mark_current(self, is_marked: bool) -> None:
        """Whether the current name is the one that is shown."""
        self._delegate.marks = is_marked
        self.viewport().update()


class _NameDelegate(QStyledItemDelegate):
    marks = True

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        view = self.parent()
        assert isinstance(view, QListWidget)
        wide = max(60, view.viewport().width() - 2 * _PADDING)
        flags = Qt.TextFlag.TextWordWrap
        title = QFontMetrics(look().font("strong")).boundingRect(QRect(0, 0, wide, 999), flags, index.data())
        second = QFontMetrics(look().font("small")).boundingRect(QRect(0, 0, wide, 999), flags, index.data(_SECOND))
        return QSize(wide, title.height() + (second.height() + 2 if index.data(_SECOND) else 0) + 2 * _PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        box = QRectF(option.rect).adjusted(0, 1, 0, -1)
        is_chosen = self.marks and bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sel" if is_chosen else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        inside = box.adjusted(_PADDING, _PADDING - 1, -_PADDING, 0)
        painter.setPen(theme.color("text"))
        painter.setFont(look().font("strong" if is_chosen else "body"))
        used = painter.drawText(inside, int(Qt.TextFlag.TextWordWrap), index.data())
        painter.setPen(theme.color("text3"))
        painter.setFont(look().font("small"))
        below = inside.adjusted(0, used.height() + 2, 0, 0)
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), index.data(_SECOND))
        if option.state & QStyle.StateFlag.State_HasFocus:
            pen = painter.pen()
            pen.setColor(theme.color("accent"))
            pen.setWidthF(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        painter.restore()


class Switch(QCheckBox):
    """On or off, at once; the word stands beside it, so that colour does not speak alone."""

    _TRACK = QSize(36, 20)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look().changed.connect(self.updateGeometry)

    def _words(self) -> tuple[str, str]:
        return self.tr("On"), self.tr("Off")

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        wide = max(self.fontMetrics().horizontalAdvance(word) for word in self._words())
        return QSize(wide + 10 + self._TRACK.width() + 8, max(28, self.fontMetrics().height() + 6))

    def hitButton(self, at: QPointF) -> bool:  # type: ignore[override]
        return self.rect().contains(at.toPoint() if isinstance(at, QPointF) else at)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        wide, high = self._TRACK.width(), self._TRACK.height()
        track = QRectF(self.width() - wide - 4, (self.height() - high) / 2, wide, high)
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("body"))
        painter.drawText(
            QRectF(0, 0, track.left() - 10, self.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            self._words()[0 if self.isChecked() else 1],
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("fill" if self.isChecked() else "text3"))
        painter.drawRoundedRect(track, high / 2, high / 2)
        knob = QRectF(track.right() - high + 3 if self.isChecked() else track.left() + 3, track.top() + 3, 14, 14)
        painter.setBrush(theme.color("on_fill"))
        painter.drawEllipse(knob)
        if self.hasFocus():
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(theme.color("accent"))
            pen.setWidthF(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track.adjusted(-3, -3, 3, 3), high / 2 + 3, high / 2 + 3)
