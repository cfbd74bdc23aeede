"""What shows an amount: ring, bars, gauge, curve. Each says its value in words to who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from lab_desktop.ui.theme import look

DASH = [2.5, 2]
"""Of the second line of a curve, in widths of its pen."""


class Ring(QWidget):
    """How far a job is, 0–1; None while nobody knows."""

    def __init__(self, size: int = 16, stroke: float = 2.5) -> None:
        super().__init__()
        self._share: float | None = None
        self._is_paused = False
        self._stroke = stroke
        self.setFixedSize(size, size)
        look().changed.connect(self.update)

    def show_share(self, share: float | None, is_paused: bool = False) -> None:
        self._share, self._is_paused = share, is_paused
        self.setAccessibleName("measuring" if share is None else f"{share:.0%}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        inset = self._stroke / 2
        paint_ring(
            painter, QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), self._share, self._stroke,
            "text3" if self._is_paused else "data",
        )  # fmt: skip


def paint_ring(painter: QPainter, box: QRectF, share: float | None, stroke: float, role: str) -> None:
    theme = look().theme
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("track"), stroke))
    painter.drawEllipse(box)
    pen = QPen(theme.color(role), stroke)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    span = 0.12 if share is None else min(1.0, max(0.0, share))
    if span > 0:
        painter.drawArc(box, 90 * 16, round(-span * 360 * 16))


class Bar(QWidget):
    """A bar, 0–1, in segments where the work has rounds."""

    def __init__(self, height: int = 6, role: str = "data") -> None:
        super().__init__()
        self._share, self._role = 0.0, role
        self._ends: Sequence[float] = (1.0,)
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look().changed.connect(self.update)

    def show_share(self, share: float, ends: Sequence[float] = (), role: str | None = None) -> None:
        """
        Args:
            ends: the share at which each segment ends, the last one 1; as before where there are none.
        """
        self._share = min(1.0, max(0.0, share))
        self._ends = ends or self._ends
        self._role = role or self._role
        self.setAccessibleName(f"{self._share:.0%}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_bar(painter, QRectF(self.rect()), self._share, self._role, self._ends)


def paint_bar(painter: QPainter, box: QRectF, share: float, role: str, ends: Sequence[float] = (1.0,)) -> None:
    theme = look().theme
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    gap = 3.0
    radius = box.height() / 2
    for start, end in zip((0.0, *ends), ends, strict=False):
        left = box.left() + start * box.width() + (gap if start else 0)
        part = QRectF(left, box.top(), max(1.0, box.left() + end * box.width() - left), box.height())
        painter.setBrush(theme.color("track"))
        painter.drawRoundedRect(part, radius, radius)
        filled = min(1.0, max(0.0, (share - start) / (end - start))) if end > start else 0.0
        if filled > 0:
            painter.setBrush(theme.color(role))
            width = min(part.width(), max(part.width() * filled, box.height()))
            painter.drawRoundedRect(QRectF(part.left(), part.top(), width, box.height()), radius, radius)


@dataclass(frozen=True)
class Part:
    """A part of a whole in a SegmentBar."""

    share: float
    role: str


class SegmentBar(QWidget):
    """What fills a whole, such as memory: training, the system, and what is free."""

    def __init__(self, height: int = 12) -> None:
        super().__init__()
        self._parts: Sequence[Part] = ()
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look().changed.connect(self.update)

    def show_parts(self, parts: Sequence[Part], words: str) -> None:
        self._parts = parts
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(box, 3, 3)
        painter.setClipPath(outline)
        painter.fillRect(box, look().theme.color("track"))
        left = box.left()
        for part in self._parts:
            width = part.share * box.width()
            painter.fillRect(QRectF(left, box.top(), max(0.0, width - 2), box.height()), look().theme.color(part.role))
            left += width


class Gauge(QWidget):
    """Too little, good, too much: a bar in three zones with a marker; only the zone that is reached has colour."""

    _ZONES = (1, 3, 1)

    def __init__(self) -> None:
        super().__init__()
        self._value, self._low, self._high = 0.0, 1.0, 2.0
        self.setFixedHeight(14)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look().changed.connect(self.update)

    def show_value(self, value: float, low: float, high: float, words: str) -> None:
        self._value, self._low, self._high = value, low, high
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        zone = 0 if self._value < self._low else 2 if self._value > self._high else 1
        edges = [(0.0, self._low), (self._low, self._high), (self._high, self._high * 1.6)]
        unit = (self.width() - 4) / sum(self._ZONES)
        left, marker = 0.0, 0.0
        for number, part in enumerate(self._ZONES):
            width = part * unit
            role = ("warn", "good", "bad")[number] if number == zone else "track"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(role))
            painter.drawRect(QRectF(left, 4, width, 6))
            if number == zone:
                low, high = edges[number]
                marker = left + width * min(1.0, max(0.0, (self._value - low) / max(high - low, 1e-9)))
            left += width + 2
        painter.setBrush(theme.color("text"))
        painter.setPen(QPen(theme.color("card"), 2))
        painter.drawRoundedRect(QRectF(min(max(marker - 3, 0), self.width() - 7), 0, 7, 14), 2, 2)


class Curve(QWidget):
    """Falling mistakes over a training: a curve, the questions kept aside as a second one, and save points.

    The scale has words, not numbers; what a number is for stands under Details.
    """

    _LEFT, _TOP, _RIGHT, _BOTTOM = 44, 12, 12, 24

    def __init__(self, many: str, none: str, later: str) -> None:
        """
        Args:
            later: what is said while there is nothing to draw.
        """
        super().__init__()
        self._many, self._none, self._later = many, none, later
        self._total = 1
        self._values: list[tuple[float, float]] = []
        self._aside: list[tuple[float, float]] = []
        self._best = 0.0
        self._ends: Sequence[float] = (1.0,)
        self.setMinimumHeight(160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        look().changed.connect(self.update)

    def show_curve(
        self,
        values: Sequence[tuple[float, float]],
        aside: Sequence[tuple[float, float]],
        total: int,
        ends: Sequence[float],
        best: float,
        words: str,
    ) -> None:
        """
        Args:
            values, aside: (step, height), the height from 0 (none) to 1 (many).
            total: steps in all.
            ends: the share at which each round ends, the last one 1.
            best: step of the best save point; 0: none.
            words: what the curve says, for who cannot see it.
        """
        self._values, self._aside = list(values), list(aside)
        self._total, self._ends, self._best = max(1, total), ends or (1.0,), best
        self.setAccessibleName(words)
        self.update()

    def _left(self) -> int:
        """Room for the words of the scale."""
        metrics = QFontMetrics(look().font("small"))
        return max(self._LEFT, *(metrics.horizontalAdvance(word) + 12 for word in (self._many, self._none)))

    def _point(self, step: float, height: float) -> QPointF:
        width = self.width() - self._left() - self._RIGHT
        tall = self.height() - self._TOP - self._BOTTOM
        return QPointF(self._left() + width * step / self._total, self._TOP + tall * (1 - min(1.0, max(0.0, height))))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look().font("small"))
        right = self.width() - self._RIGHT
        for level in range(4):
            y = self._point(0, level / 3).y()
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(QPointF(self._left(), y), QPointF(right, y))
        painter.setPen(theme.color("text3"))
        for height, word in ((1.0, self._many), (0.0, self._none)):
            y = self._point(0, height).y()
            painter.drawText(
                QRectF(0, y - 16, self._left() - 8, 32),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                word,
            )
        self._draw_rounds(painter)
        self._draw_line(painter, self._values, QPen(theme.color("data"), 2))
        dashed = QPen(theme.color("text2"), 2)
        dashed.setDashPattern(DASH)
        self._draw_line(painter, self._aside, dashed)
        for step, height in self._aside:
            is_best = self._best > 0 and step == self._best
            painter.setPen(QPen(theme.color("card"), 2))
            painter.setBrush(theme.color("good" if is_best else "text2"))
            radius = 5.0 if is_best else 4.0
            painter.drawEllipse(self._point(step, height), radius, radius)
        if not self._values:
            painter.setPen(theme.color("text3"))
            room = QRectF(self._point(0, 1), QPointF(right, self._point(0, 0).y()))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, self._later)
        if self._values and self._values[-1][0] < self._total:
            x = self._point(self._values[-1][0], 0).x()
            painter.setPen(QPen(theme.color("text3"), 1))
            painter.drawLine(QPointF(x, self._TOP), QPointF(x, self.height() - self._BOTTOM))
            painter.drawText(QPointF(x + 6, self._TOP + 12), self.tr("now"))

    def _draw_rounds(self, painter: QPainter) -> None:
        """The rounds below the curve: in words where there is room, else the numbers that fit."""
        metrics = painter.fontMetrics()
        words = [self.tr("round {0}").format(number) for number in range(1, len(self._ends) + 1)]
        if len(words) == 1:
            return
        spans = list(zip((0.0, *self._ends), self._ends, strict=False))
        room = min(end - start for start, end in spans) * (self.width() - self._LEFT - self._RIGHT)
        if room < metrics.horizontalAdvance(words[-1]) + 8:
            words = [str(number) for number in range(1, len(words) + 1)]
        free = 0.0
        for word, (start, end) in zip(words, spans, strict=True):
            left, right = (self._point(self._total * share, 0) for share in (start, end))
            painter.setPen(QPen(look().theme.color("line2"), 1))
            painter.drawLine(right, QPointF(right.x(), right.y() - 4))
            wide = metrics.horizontalAdvance(word)
            place = QRectF((left.x() + right.x() - wide) / 2, left.y() + 6, wide, 16)
            if place.left() >= free:
                painter.setPen(look().theme.color("text3"))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word)
                free = place.right() + 6

    def _draw_line(self, painter: QPainter, points: Sequence[tuple[float, float]], pen: QPen) -> None:
        if len(points) < 2:
            return
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline([self._point(*point) for point in points])
