"""Models as a list: on this computer and to be had, in the same columns, so that they compare by eye.

A line says how well the model fits here for each thing that it can do; while it comes, how far it has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionViewItem

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.action_list import (
    ACTIONS,
    MORE,
    PADDING,
    SIDE,
    ActionDelegate,
    ActionList,
    Index,
    draw_lines,
    draw_text,
)
from lab_desktop.ui.widgets.basic import paint_badge
from lab_desktop.ui.words import tr

Tone = Literal["good", "warn", "bad"]
Role = Literal["chat", "teacher", "student"]
_ROLES: tuple[Role, ...] = ("chat", "teacher", "student")
TONE_ICONS = {"good": "check", "warn": "warn", "bad": "cross"}
_TILE = 32
_INDENT = 36
_GAP = 16
_TWO_LINES = 1.7
"""Of a line's width, what surely stands on two."""
_WIDE_FROM = 1000
"""Below so many pixels the columns of speed and use give way."""


@dataclass(frozen=True)
class Fit:
    """One thing that a model may do here.

    Attributes:
        role: chat, teacher or student.
        tone: comfortable, tight, too big.
        why: in a sentence.
    """

    role: Role
    tone: Tone
    why: str

    @property
    def word(self) -> str:
        return role_words(self.role, self.tone)

    @property
    def spoken(self) -> str:
        """The word, and how well it fits."""
        return self.word if self.tone == "bad" else f"{self.word}: {fit_words(self.tone)}"


@dataclass(frozen=True)
class Coming:
    """How far a download is.

    Attributes:
        share: 0 to 1, or None while that is not known.
        text: the figures in words.
    """

    share: float | None
    text: str
    is_paused: bool = False


@dataclass(frozen=True)
class ModelLine:
    """A row.

    Attributes:
        key: what the page knows it by; empty: a heading.
        title, detail: its name, and what it is, with its licence.
        icon: on its tile.
        fits: what it can do here; empty where a sentence says more.
        note: a sentence in place of the fits.
        note_tone: of the sentence; "" plain.
        advice: what to do about it, for who stays on the row or hears it.
        coming: while it is being downloaded.
        speed, size, used: the columns.
        actions: names of what can be done.
        level: 1 below the model that it was trained from.
        captions: of a heading: the columns' names.
        is_first, is_last: of the rows under a heading.
    """

    key: str
    title: str
    detail: str = ""
    icon: str = "models"
    fits: tuple[Fit, ...] = ()
    note: str = ""
    note_tone: Tone | Literal[""] = ""
    advice: str = ""
    coming: Coming | None = None
    speed: str = ""
    size: str = ""
    used: str = ""
    actions: tuple[str, ...] = ()
    level: int = 0
    captions: tuple[str, str, str, str] = ("", "", "", "")
    is_first: bool = False
    is_last: bool = False

    @property
    def spoken(self) -> str:
        """Everything that the row shows, for who cannot see it."""
        fits = [fit.spoken for fit in self.fits]
        told = (self.coming.text,) if self.coming else (self.note, self.advice)
        return ", ".join(filter(None, (self.title, self.detail, *told, *fits, self.speed, self.size, self.used)))


def role_words(role: Role, tone: Tone) -> str:
    """What a model does here, or why it does not."""
    if tone == "bad":
        return {"chat": tr("too big"), "teacher": tr("too big"), "student": tr("too big to train")}[role]
    return {"chat": tr("chats"), "teacher": tr("teaches"), "student": tr("can be trained")}[role]


def fit_words(tone: Tone) -> str:
    """How well something fits."""
    return {"good": tr("comfortable"), "warn": tr("tight"), "bad": tr("too big")}[tone]


def action_words(name: str) -> str:
    """An action as it is written."""
    return {
        "chat": tr("Chat"),
        "get": tr("Get"),
        "again": tr("Try again"),
        "pause": tr("Pause"),
        "continue": tr("Continue"),
        "cancel": tr("Do not get it"),
        "why": tr("What fits?"),
        "student": tr("Let it learn in this project"),
        "teacher": tr("Let it teach in this project"),
        "fit": tr("How well it fits"),
        "licence": tr("Licence…"),
        "page": tr("Its page on the web"),
        "show": tr("Show the file"),
        "locate": tr("Find the file…"),
        "remove": tr("Remove…"),
        "report": tr("Open its report"),
        MORE: tr("More"),
    }[name]


class ModelModel(QAbstractListModel):
    """The lines of both shelves."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[ModelLine] = []

    def show(self, lines: Sequence[ModelLine]) -> None:
        """Show other lines; where the rows stay the same ones, only what changed is drawn again."""
        new = list(lines)
        if [line.key or line.title for line in new] != [line.key or line.title for line in self._lines]:
            self.beginResetModel()
            self._lines = new
            self.endResetModel()
            return
        old, self._lines = self._lines, new
        for row, (before, now) in enumerate(zip(old, new, strict=True)):
            if before != now:
                self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def lines(self) -> Sequence[ModelLine]:
        return tuple(self._lines)

    def row(self, key: str) -> int:
        """Where a model stands; -1: it does not."""
        return next((row for row, line in enumerate(self._lines) if line.key == key), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and not self._lines[index.row()].key:
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._lines[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role == ACTIONS:
            return line.actions
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return line.spoken
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return ", ".join(action_words(name) for name in line.actions if name != MORE)
        if role == Qt.ItemDataRole.ToolTipRole:
            whys = [fit.why for fit in line.fits if fit.why]
            return "\n".join([*whys, *filter(None, (line.note, line.advice))]) or None
        return None


class _Delegate(ActionDelegate):
    columns = (("chat", "get", "pause", "continue", "again", "why", "locate"), (MORE,))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line: ModelLine = index.data(Qt.ItemDataRole.UserRole)
        if line.key:
            return QSize(200, look().line_height("body") + look().line_height("small") + 20)
        return QSize(200, look().line_height("title") + look().line_height("small") + 32)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: ModelLine = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if line.key:
            self.paint_card(painter, rect, line.is_first, line.is_last, option)
            self._paint_model(painter, rect, line, index.row())
        else:
            self._paint_heading(painter, rect, line)
        painter.restore()

    def _columns(self, rect: QRectF) -> tuple[float, float, float, float, float]:
        """Left edges of fits, speed, size, used by, and the right edge of the last."""
        metrics = QFontMetrics(look().font("small"))
        is_wide = rect.width() >= _WIDE_FROM
        right = self.action_boxes(rect, self.columns[0][:1])[0][1].left() - _GAP
        used = right - (max(72, metrics.horizontalAdvance("the example  ")) if is_wide else 0)
        size = used - metrics.horizontalAdvance("999.9 MB") - _GAP
        speed = size - (metrics.horizontalAdvance("about 999 words/s") + _GAP if is_wide else 0)
        fits = speed - self._fits_width() - _GAP
        return fits, speed, size, used, right

    @staticmethod
    def _fits_width() -> float:
        return float(sum(map(_role_width, _ROLES)) + 2 * 8)

    def _paint_heading(self, painter: QPainter, rect: QRectF, line: ModelLine) -> None:
        theme = look().theme
        small = look().line_height("small")
        painter.setPen(theme.color("text"))
        box = rect.adjusted(SIDE, 12, -SIDE, -small - 8)
        draw_text(painter, "title", box, line.title)
        at = box.left() + QFontMetrics(look().font("title")).horizontalAdvance(line.title) + 12
        painter.setPen(theme.color("text2"))
        draw_text(painter, "small", QRectF(at, box.top() + 2, box.right() - at, box.height()), line.detail)
        painter.setPen(theme.color("text3"))
        fits, speed, size, used, right = self._columns(rect)
        top = rect.bottom() - small - 8
        for left, end, text in zip((fits, speed, size, used), (speed, size, used, right), line.captions, strict=True):
            draw_text(painter, "small", QRectF(left, top, end - left, small), text)

    def _paint_model(self, painter: QPainter, rect: QRectF, line: ModelLine, row: int) -> None:
        theme = look().theme
        left = rect.left() + SIDE + PADDING + line.level * _INDENT
        tile = QRectF(left, rect.center().y() - _TILE / 2, _TILE, _TILE)
        if line.level:
            self._paint_branch(painter, rect, tile)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("tint" if line.level else "sunken"))
        painter.drawRoundedRect(tile, 6, 6)
        icons.draw(painter, line.icon, tile.adjusted(8, 8, -8, -8), "accent" if line.level else "text2")
        left = tile.right() + 12
        fits, speed, size, used, right = self._columns(rect)
        box = QRectF(left, rect.top(), fits - _GAP - left, rect.height())
        draw_lines(painter, box, [("strong", "text", line.title)], [("small", "text2", line.detail)])
        if line.coming is not None:
            self._paint_coming(painter, QRectF(fits, rect.top(), size - _GAP - fits, rect.height()), line.coming)
        elif line.note:
            self._paint_note(painter, QRectF(fits, rect.top(), size - _GAP - fits, rect.height()), line)
        else:
            self._paint_fits(painter, fits, rect, line.fits)
            if size - speed > 1:
                painter.setPen(theme.color("text2"))
                draw_text(painter, "small", QRectF(speed, rect.top(), size - _GAP - speed, rect.height()), line.speed)
        painter.setPen(theme.color("text2"))
        draw_text(painter, "small", QRectF(size, rect.top(), used - size, rect.height()), line.size)
        if right - used > 1:
            draw_text(painter, "small", QRectF(used, rect.top(), right - used - 4, rect.height()), line.used)
        self.paint_actions(painter, self.action_boxes(rect, line.actions), row)

    @staticmethod
    def _paint_branch(painter: QPainter, rect: QRectF, tile: QRectF) -> None:
        """The line from the model above to what was trained from it."""
        x = rect.left() + SIDE + PADDING + _TILE / 2
        path = QPainterPath(QPointF(x, rect.top() - 2))
        path.lineTo(x, tile.center().y() - 6)
        path.quadTo(x, tile.center().y(), x + 6, tile.center().y())
        path.lineTo(tile.left() - 4, tile.center().y())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look().theme.color("line2"), 1.5))
        painter.drawPath(path)

    @staticmethod
    def _paint_fits(painter: QPainter, left: float, rect: QRectF, fits: Sequence[Fit]) -> None:
        height = float(max(20, QFontMetrics(look().font("label")).height() + 4))
        by_role = {fit.role: fit for fit in fits}
        for role in _ROLES:
            if (fit := by_role.get(role)) is not None:
                box = QRectF(left, rect.center().y() - height / 2, _badge_width(fit.word), height)
                tone = fit.tone if fit.tone != "bad" else "plain"
                paint_badge(painter, box, fit.word, tone, TONE_ICONS[fit.tone])
            left += _role_width(role) + 8

    @staticmethod
    def _paint_note(painter: QPainter, box: QRectF, line: ModelLine) -> None:
        if line.note_tone:
            icons.draw(
                painter, TONE_ICONS[line.note_tone], QRectF(box.left(), box.center().y() - 8, 16, 16), line.note_tone
            )
            box = box.adjusted(24, 0, 0, 0)
        painter.setPen(look().theme.color("text2"))
        painter.setFont(look().font("small"))
        words = painter.fontMetrics().elidedText(line.note, Qt.TextElideMode.ElideRight, int(_TWO_LINES * box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, words)

    @staticmethod
    def _paint_coming(painter: QPainter, box: QRectF, coming: Coming) -> None:
        theme = look().theme
        small = look().line_height("small")
        top = box.center().y() - (6 + 6 + small) / 2
        bar = QRectF(box.left(), top, box.width(), 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("track"))
        painter.drawRoundedRect(bar, 3, 3)
        if coming.share:
            painter.setBrush(theme.color("line2" if coming.is_paused else "data"))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(6.0, bar.width() * coming.share), 6), 3, 3)
        painter.setPen(theme.color("text2"))
        draw_text(painter, "small", QRectF(box.left(), top + 12, box.width(), small), coming.text)


class ModelList(ActionList):
    """The list with its delegate."""

    def __init__(self, model: ModelModel) -> None:
        super().__init__(_Delegate(action_words), tr("Models"))
        self.setModel(model)


def _role_width(role: Role) -> int:
    return max(_badge_width(role_words(role, "good")), _badge_width(role_words(role, "bad")))


def _badge_width(word: str) -> int:
    return QFontMetrics(look().font("label")).horizontalAdvance(word) + 16 + 18
