"""What the small windows beside the main one share: their ground, size and keys, lists of names, switches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import column
from lab_desktop.ui.words import tr

_Index = QModelIndex | QPersistentModelIndex
_SECOND = Qt.ItemDataRole.UserRole + 1
_PADDING = 8


class Panel(QWidget):
    """A window of its own that never blocks another; Esc closes it, and what closes every window."""

    def furnish(
        self,
        title: str,
        inside: QLayout,
        size: tuple[int, int],
        least: tuple[int, int],
        search: QLineEdit | None = None,
    ) -> None:
        """
        Args:
            size, least: how large it opens, and how small it can be made; both grow with the text.
            search: Esc empties it first, and the key for finding leads to it.
        """
        self._least, self._search = least, search
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle(title)
        ground = QFrame()
        ground.setProperty("surface", "page")
        ground.setLayout(inside)
        self.setLayout(column(ground))
        for keys in QKeySequence.keyBindings(QKeySequence.StandardKey.Close):
            QShortcut(keys, self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._leave)
        if search is not None:
            QShortcut(QKeySequence.StandardKey.Find, self, self._to_search)
        look().changed.connect(self._fit)
        self._fit()
        self.resize(*map(look().grown, size))

    def _leave(self) -> None:
        if self._search is not None and self._search.text():
            self._search.clear()
        else:
            self.close()

    def _to_search(self) -> None:
        if self._search is not None:
            self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fit(self) -> None:
        self.setMinimumSize(*map(look().grown, self._least))


class Side(QWidget):
    """The column of names beside what they name; it grows with the text."""

    def __init__(self, inside: QLayout, wide: int) -> None:
        super().__init__()
        self._wide = wide
        self.setLayout(inside)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedWidth(look().grown(self._wide))


def search_field(name: str, go_on: Callable[[], object]) -> QLineEdit:
    """A field for words to look for.

    Args:
        name: what a screen reader says.
        go_on: leads to what is found, by Return or Down.
    """
    made = QLineEdit()
    made.setPlaceholderText(tr("Search"))
    made.setAccessibleName(name)
    made.setClearButtonEnabled(True)
    made.returnPressed.connect(go_on)
    down = QShortcut(QKeySequence(Qt.Key.Key_Down), made, go_on)
    down.setContext(Qt.ShortcutContext.WidgetShortcut)  # PySide's constructor takes no heed of it
    return made


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

    def take_first(self) -> None:
        """Go to the first name."""
        if self.count():
            self.setFocus()
            self.setCurrentRow(0)

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
        second = _height("small", index.data(_SECOND), wide) + 2 if index.data(_SECOND) else 0
        return QSize(wide, _height("body", index.data(), wide) + second + 2 * _PADDING)

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
        wide = round(inside.width())
        fits = _height("strong", index.data(), wide) <= _height("body", index.data(), wide)
        painter.setFont(look().font("strong" if is_chosen and fits else "body"))
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


def _height(style: TypeStyle, text: str, wide: int) -> int:
    """Of a text that wraps."""
    room, flag = QRect(0, 0, wide, 999), Qt.TextFlag.TextWordWrap
    return QFontMetrics(look().font(style)).boundingRect(room, flag, text).height()


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
