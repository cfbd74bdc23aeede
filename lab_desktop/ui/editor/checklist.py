"""What is done of a lesson and what is left: a line each, and a click goes there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Folding, Label, column, row
from lab_desktop.ui.widgets.meters import Ring

_HIGH = 32


class Checklist(QWidget):
    """Attributes:
    lines: one for each part of the lesson, by its key.
    """

    def __init__(self, on_choice: Callable[[str], object]) -> None:
        super().__init__()
        self._on_choice = on_choice
        self.lines: dict[str, CheckLine] = {}
        self._title = Label(self.tr("This lesson"), "strong")
        self._count = Label("", "small", "text3")
        self._rows = column()
        head = row(Folding(self._title, self._count), margins=(8, 0, 8, 0))
        self.setLayout(column(head, 8, self._rows))

    def show_lines(self, lines: Sequence[tuple[str, str, str, float]], active: str) -> None:
        """
        Args:
            lines: (key, name, what is there or missing, share that is done: 1 is done) from above.
            active: the key of the part that is in front.
        """
        if list(self.lines) != [key for key, *_ in lines]:
            for old in self.lines.values():
                self._rows.removeWidget(old)
                old.hide()
                old.deleteLater()
            self.lines = {}
            for key, *_ in lines:
                made = CheckLine(functools.partial(self._on_choice, key))
                self.lines[key] = made
                self._rows.addWidget(made)
        for key, name, says, share in lines:
            self.lines[key].show_state(name, says, share, is_active=key == active)
        done = sum(share >= 1 for *_, share in lines)
        self._count.setText(self.tr("{0} of {1} done").format(done, len(lines)))


class CheckLine(QWidget):
    def __init__(self, on_click: Callable[[], object]) -> None:
        super().__init__()
        self._on_click = on_click
        self._name, self._says, self._share, self._is_active = "", "", 0.0, False
        self._ring = Ring(14, 2.0)
        self._ring.setParent(self)
        self._ring.move(9, 9)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look().changed.connect(self.updateGeometry)

    def show_state(self, name: str, says: str, share: float, *, is_active: bool) -> None:
        self._name, self._says, self._share, self._is_active = name, says, share, is_active
        state = self.tr("done") if share >= 1 else self.tr("not done")
        self.setAccessibleName(f"{name}, {state}. {says}".strip())
        self._ring.setVisible(0 < share < 1)
        self._ring.show_share(share)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(180, max(_HIGH, look().line_height("body") + 12))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self._on_click()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._on_click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self._is_active or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint" if self._is_active else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        middle = box.center().y()
        if self._share >= 1:
            icons.draw(painter, "check", QRectF(8, middle - 8, 16, 16), "good")
        elif self._share <= 0:
            painter.setPen(theme.color("line2"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(9.5, middle - 6.5, 13, 13))
        ink = theme.color("accent" if self._is_active else "text")
        painter.setPen(ink)
        painter.setFont(look().font("strong" if self._is_active else "body"))
        name = QRectF(32, box.top(), box.width() - 36, box.height())
        taken = painter.fontMetrics().horizontalAdvance(self._name)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, self._name)
        painter.setFont(look().font("small"))
        painter.setPen(theme.color("accent" if self._is_active else "text3"))
        room = name.adjusted(taken + 8, 0, 0, 0)
        says = painter.fontMetrics().elidedText(self._says, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, says)
        if self.hasFocus():
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
