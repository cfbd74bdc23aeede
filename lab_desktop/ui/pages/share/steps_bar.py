"""Where one is in the sheet: three numbered pages; those that were passed can be gone back to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QWidget

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import row, rule
from lab_desktop.ui.words import tr

_CIRCLE, _GAP = 20, 8
_CONNECTOR = 28


class StepsBar(QWidget):
    """Attributes:
    buttons: one for each page.
    """

    chosen = Signal(int)
    """A page, from 0."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.buttons = [_Step(number, name) for number, name in enumerate(names, start=1)]
        self._lines: list[QFrame] = []
        parts: list[QWidget | int] = []
        for place, button in enumerate(self.buttons):
            if place:
                line = rule()
                line.setFixedWidth(_CONNECTOR)
                self._lines.append(line)
                parts.append(line)
            button.clicked.connect(lambda _=False, place=place: self.chosen.emit(place))
            parts.append(button)
        self.setLayout(row(*parts, -1, gap=10))
        look().changed.connect(self._fit)

    def show_page(self, now: int, reached: int) -> None:
        """
        Args:
            now: the page in front.
            reached: the last one that can be gone to.
        """
        for place, button in enumerate(self.buttons):
            button.show_state(place == now, place < now or place < reached, can_go=place <= reached and place != now)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is no room for all names, only the page in front has its name."""
        for button in self.buttons:
            button.show_name(is_shown=True)
        needed = sum(button.sizeHint().width() for button in self.buttons) + len(self._lines) * (_CONNECTOR + 20)
        if needed > self.width():
            for button in self.buttons:
                button.show_name(is_shown=button.is_now)


class _Step(QAbstractButton):
    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self._number, self._name = number, name
        self.is_now = self._is_done = False
        self._has_name = True
        self.setText(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_state(self, is_now: bool, is_done: bool, *, can_go: bool) -> None:
        self.is_now, self._is_done = is_now, is_done
        self.setEnabled(can_go)
        state = tr("this page") if is_now else tr("done") if is_done else tr("still to come")
        self.setAccessibleName(f"{self._number}, {self._name}: {state}")
        why = tr("You are on this page.") if is_now else tr("The pages before it come first.")
        self.setAccessibleDescription("" if can_go else why)
        self.setCursor(Qt.CursorShape.PointingHandCursor if can_go else Qt.CursorShape.ArrowCursor)
        self.updateGeometry()
        self.update()

    def show_name(self, *, is_shown: bool) -> None:
        self._has_name = is_shown
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(look().font("strong"))
        circle = max(_CIRCLE, metrics.height() + 2)
        wide = metrics.horizontalAdvance(self._name) + _GAP + 4 if self._has_name else 0
        return QSize(circle + wide, circle + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        across = self.height() - 4.0
        circle = QRectF(1, 2, across, across).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(Qt.PenStyle.NoPen if self.is_now else QPen(theme.color("line2"), 1))
        painter.setBrush(theme.color("fill" if self.is_now else "card"))
        painter.drawEllipse(circle)
        if self._is_done and not self.is_now:
            inside = QRectF(QPointF(circle.center().x() - 6, circle.center().y() - 6), circle.center() + QPointF(6, 6))
            icons.draw(painter, "check", inside, "good")
        else:
            painter.setPen(theme.color("on_fill" if self.is_now else "text2"))
            painter.setFont(look().font("label"))
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(self._number))
        if self._has_name:
            painter.setPen(theme.color("accent" if self.is_now else "text2"))
            painter.setFont(look().font("strong" if self.is_now else "body"))
            left = QRectF(across + _GAP + 1, 0, self.width() - across - _GAP, self.height())
            painter.drawText(left, int(Qt.AlignmentFlag.AlignVCenter), self._name)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
