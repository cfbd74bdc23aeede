"""Contributions as a list: how far each is, its lesson, where it goes, what is next, and one button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.action_list import ACTIONS, MORE, SIDE, ActionDelegate, ActionList, Index, draw_text
from lab_desktop.ui.words import tr

_GAP = 20
_WIDE_FROM = 1000
"""Below so many pixels the place stands below the lesson's title."""


@dataclass(frozen=True)
class ContributionLine:
    """A row; one without a folder is the heading.

    Attributes:
        folder: of the contribution.
        state: how far it is, in a word or two; with its icon and colour role.
        title: of the lesson.
        place: where it goes.
        next: what is next, or was said last.
        is_new: somebody said something that nobody read.
        share: of the sending that is done, or None.
        actions: names of what can be done.
    """

    folder: Path | None
    state: str
    title: str
    place: str
    next: str
    icon: str = ""
    tone: str = "text2"
    is_new: bool = False
    share: float | None = None
    actions: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """Everything that the row shows, for who cannot see it."""
        return ", ".join(
            filter(None, (self.title, self.state, tr("new") if self.is_new else "", self.place, self.next))
        )


def action_words(name: str) -> str:
    """An action as it is written."""
    return {
        "continue": tr("Continue"),
        "send": tr("Send"),
        "pause": tr("Stop"),
        "hold": tr("Do not send it by itself"),
        "fix": tr("Read and fix"),
        "both": tr("Look at both"),
        "open": tr("Open"),
        "again": tr("Look through it again…"),
        "edit": tr("Change the lesson"),
        "page": tr("Its page on the web"),
        "file": tr("Show the file"),
        "remove": tr("Throw away…"),
        MORE: tr("More"),
    }[name]


class ContributionModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._lines: list[ContributionLine] = []

    def show(self, lines: Sequence[ContributionLine]) -> None:
        """Show other lines; where the rows stay the same ones, only what changed is drawn again."""
        new = [_heading(), *lines] if lines else []
        if [line.folder for line in new] != [line.folder for line in self._lines]:
            self.beginResetModel()
            self._lines = new
            self.endResetModel()
            return
        old, self._lines = self._lines, new
        for row, (before, now) in enumerate(zip(old, new, strict=True)):
            if before != now:
                self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def lines(self) -> Sequence[ContributionLine]:
        """The contributions, without the heading."""
        return tuple(self._lines[1:])

    def row(self, folder: Path | None) -> int:
        """Where a contribution stands; -1: it does not."""
        return next((row for row, line in enumerate(self._lines) if row and line.folder == folder), -1)

    def state_width(self) -> int:
        """Room for the longest word of the first column."""
        metrics = QFontMetrics(look().font("strong"))
        return max((metrics.horizontalAdvance(line.state) for line in self._lines), default=0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self._lines[index.row()].folder is None:
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
        if role == Qt.ItemDataRole.ToolTipRole and line.folder is not None:
            return f"<qt>{_escaped(line.next)}</qt>" if line.next else None
        return None


class _Delegate(ActionDelegate):
    columns = (("continue", "send", "pause", "fix", "both", "open"), (MORE,))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line: ContributionLine = index.data(Qt.ItemDataRole.UserRole)
        small = look().line_height("small")
        return QSize(200, small + 16 if line.folder is None else look().line_height("body") + small + 20)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: ContributionLine = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        lefts = self._columns(rect, index)
        self._paint_ground(painter, rect, option, is_heading=line.folder is None)
        if line.folder is None:
            painter.setPen(look().theme.color("text3"))
            for (left, right), text in zip(lefts, (line.state, line.title, line.place, line.next), strict=True):
                if right > left:
                    draw_text(painter, "label", QRectF(left, rect.top(), right - left, rect.height()), text)
        else:
            self._paint_line(painter, rect, line, lefts)
            self.paint_actions(painter, self.action_boxes(rect, line.actions), index.row())
        painter.restore()

    def _columns(self, rect: QRectF, index: Index) -> list[tuple[float, float]]:
        """Left and right of state, lesson, place, what is next; an empty one where there is no room."""
        model = index.model()
        assert isinstance(model, ContributionModel)
        left = rect.left() + SIDE
        lesson = left + 16 + 8 + model.state_width() + _GAP
        right = min(box.left() for _, box in self.action_boxes(rect, self.columns[0])) - _GAP
        room = right - lesson
        if rect.width() < _WIDE_FROM:
            middle = lesson + room * 0.46
            return [(left, lesson - _GAP), (lesson, middle), (middle, middle), (middle + _GAP, right)]
        place, following = lesson + room * 0.29, lesson + room * 0.55
        return [(left, lesson - _GAP), (lesson, place), (place + _GAP, following), (following + _GAP, right)]

    @staticmethod
    def _paint_ground(painter: QPainter, rect: QRectF, option: QStyleOptionViewItem, *, is_heading: bool) -> None:
        theme = look().theme
        box = rect.adjusted(SIDE - 8, 1, -SIDE + 8, -1)
        if not is_heading and option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QPen(theme.color("line"), 1))
        y = rect.bottom() - 0.5
        painter.drawLine(QPointF(rect.left() + SIDE, y), QPointF(rect.right() - SIDE, y))
        if not is_heading and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)

    @staticmethod
    def _paint_line(
        painter: QPainter, rect: QRectF, line: ContributionLine, columns: Sequence[tuple[float, float]]
    ) -> None:
        theme = look().theme
        (state, state_right), (lesson, lesson_right), (place, place_right), (following, right) = columns
        icons.draw(painter, line.icon, QRectF(state, rect.center().y() - 8, 16, 16), line.tone)
        painter.setPen(theme.color("text" if line.tone == "text2" else line.tone))
        style: str = "strong" if line.is_new else "control"
        draw_text(painter, style, QRectF(state + 24, rect.top(), state_right - state - 20, rect.height()), line.state)  # type: ignore[arg-type]
        first, second = look().line_height("body"), look().line_height("small")
        painter.setPen(theme.color("text"))
        if place_right > place:
            box = QRectF(lesson, rect.top(), lesson_right - lesson, rect.height())
            draw_text(painter, "strong", box, line.title)
            painter.setPen(theme.color("text2"))
            draw_text(painter, "body", QRectF(place, rect.top(), place_right - place, rect.height()), line.place)
        else:
            top = rect.center().y() - (first + second) / 2
            draw_text(painter, "strong", QRectF(lesson, top, lesson_right - lesson, first), line.title)
            painter.setPen(theme.color("text2"))
            draw_text(painter, "small", QRectF(lesson, top + first, lesson_right - lesson, second), line.place)
        if line.share is not None:
            bar = QRectF(following, rect.center().y() - 8, right - following, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("track"))
            painter.drawRoundedRect(bar, 2, 2)
            painter.setBrush(theme.color("data"))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(4.0, bar.width() * line.share), 4), 2, 2)
            painter.setPen(theme.color("text2"))
            draw_text(painter, "small", QRectF(following, bar.bottom() + 2, right - following, second), line.next)
            return
        painter.setPen(theme.color("text" if line.is_new else "text2"))
        draw_text(painter, "body", QRectF(following, rect.top(), right - following, rect.height()), line.next)


class ContributionList(ActionList):
    def __init__(self, model: ContributionModel) -> None:
        super().__init__(_Delegate(action_words), tr("Your contributions"))
        self.setModel(model)

    def by_return(self, actions: Sequence[str]) -> str:
        """Return sends nothing and stops nothing: it opens the contribution then."""
        return "open" if actions[0] in ("send", "pause") else actions[0]

    def folder(self) -> Path | None:
        """The contribution of the current row."""
        index = self.currentIndex()
        line: ContributionLine | None = index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None
        return line.folder if line is not None else None


def _heading() -> ContributionLine:
    return ContributionLine(None, tr("State"), tr("Lesson"), tr("Goes to"), tr("What is next"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
