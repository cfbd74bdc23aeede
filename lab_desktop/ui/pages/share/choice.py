"""What is chosen and ticked on the pages: one of a few places with a sentence each, and a box before a sentence."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QRadioButton, QSizePolicy

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look

_WIDE, _HIGH, _MARK, _ICON = 14, 11, 16, 18


class Choice(QRadioButton):
    """A card that is chosen as a radio button is, with the keys and the voice of one."""

    def __init__(self, icon: str, title: str, text: str) -> None:
        super().__init__(title)
        self._icon, self._about = icon, text
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        look().changed.connect(self.updateGeometry)

    def say(self, text: str) -> None:
        """Another sentence below the name."""
        if text != self._about:
            self._about = text
            self.setAccessibleDescription(text)
            self.updateGeometry()
            self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        title, about = self._boxes(width)
        return about.bottom() + _HIGH + 1 if self._about else title.bottom() + _HIGH + 1

    def sizeHint(self) -> QSize:
        return QSize(look().grown(240), self.heightForWidth(self.width() or look().grown(240)))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(max(160, self.width())))

    def hitButton(self, at: object) -> bool:
        return True

    def _boxes(self, width: int) -> tuple[QRect, QRect]:
        """Where the name and the sentence stand."""
        left = _WIDE + _MARK + 10
        room = max(40, width - left - _WIDE - _ICON - 8)
        wraps = Qt.TextFlag.TextWordWrap
        title = QFontMetrics(look().font("strong")).boundingRect(QRect(left, _HIGH, room, 999), wraps, self.text())
        under = QRect(left, title.bottom() + 3, room + _ICON + 8, 999)
        about = QFontMetrics(look().font("small")).boundingRect(under, wraps, self._about)
        return QRect(left, _HIGH, room, title.height()), QRect(left, under.top(), under.width(), about.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, is_taken = look().theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(theme.color("accent" if is_taken else "line"), 1.5 if is_taken else 1))
        painter.setBrush(theme.color("tint" if is_taken else "hover" if self.underMouse() else "card"))
        painter.drawRoundedRect(box, 8, 8)
        title, about = self._boxes(self.width())
        middle = QPointF(_WIDE + _MARK / 2, title.center().y() + 0.5)
        painter.setPen(QPen(theme.color("accent" if is_taken else "text3"), 1.5))
        painter.setBrush(theme.color("card"))
        painter.drawEllipse(middle, _MARK / 2 - 1, _MARK / 2 - 1)
        if is_taken:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("fill"))
            painter.drawEllipse(middle, 4, 4)
        painter.setPen(theme.color("text"))
        painter.setFont(look().font("strong"))
        painter.drawText(title, int(Qt.TextFlag.TextWordWrap), self.text())
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("small"))
        painter.drawText(about, int(Qt.TextFlag.TextWordWrap), self._about)
        side = QRectF(self.width() - _WIDE - _ICON, title.center().y() - _ICON / 2, _ICON, _ICON)
        icons.draw(painter, self._icon, side, "accent" if is_taken else "text2")
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 8, 8)


class Tick(QCheckBox):
    """A box to tick, which is seen on every ground."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        side = look().line_height("body")
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, at: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, is_ticked = look().theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(theme.color("accent" if self.hasFocus() else "fill" if is_ticked else "text3"), 1.5))
        painter.setBrush(theme.color("fill" if is_ticked else "card"))
        painter.drawRoundedRect(box, 4, 4)
        if is_ticked:
            icons.draw(painter, "check", box.adjusted(1, 1, -1, -1), "on_fill")
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
