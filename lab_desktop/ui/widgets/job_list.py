"""Jobs as a list: every job a row with a name for screen readers, drawn by a delegate, so thousands of them scroll.

What can be done with a job stands at the end of its row; by keys: Return does the first of it, the menu key shows all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QDateTime,
    QEvent,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from lab_desktop.ui import icons
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.theme import look
from lab_desktop.ui.words import job_words, state_words, tr

_Index = QModelIndex | QPersistentModelIndex
STATE_ICONS = {
    JobState.DONE: ("check", "good"),
    JobState.PAUSED: ("pause", "text2"),
    JobState.FAILED: ("warn", "bad"),
    JobState.BROKEN: ("warn", "bad"),
}
_SIDE, _PADDING = 32, 16
"""Space beside the rows, and inside them."""
_HEAD = 48
_COLUMNS = (("pause", "remove", "continue", "repeat", "report"), ("open",), ("log",))
"""Names of actions; those of the first column are drawn as buttons."""


@dataclass(frozen=True)
class JobLine:
    """A job as a row.

    Attributes:
        job: None for a heading.
        title: of a heading.
        time: when it began, as it is shown.
        is_first, is_last: of the rows under a heading.
    """

    job: Job | None
    title: str = ""
    time: str = ""
    is_first: bool = False
    is_last: bool = False


def action_words(name: str) -> str:
    """An action as it is written."""
    return {
        "pause": tr("Pause"),
        "remove": tr("Remove"),
        "continue": tr("Continue"),
        "repeat": tr("Repeat"),
        "report": tr("Report"),
        "open": tr("Open"),
        "log": tr("Log"),
    }[name]


class JobModel(QAbstractListModel):
    """Attributes:
    detail: the second line of a job, asked for when it is shown.
    actions: names of what can be done with a job, the likeliest first.
    """

    def __init__(self, detail: Callable[[Job], str], actions: Callable[[Job], list[str]]) -> None:
        super().__init__()
        self.detail, self.actions = detail, actions
        self._lines: list[JobLine] = []

    def show(self, groups: Sequence[tuple[str, Sequence[Job], bool]]) -> None:
        """
        Args:
            groups: heading, jobs, and whether their day is known from it.
        """
        lines = []
        for title, jobs, is_today in groups:
            if jobs:
                lines.append(JobLine(None, title))
            for number, job in enumerate(jobs):
                is_last = number == len(jobs) - 1
                lines.append(JobLine(job, "", _time(job.began, is_today), number == 0, is_last))
        if lines != self._lines:
            self.beginResetModel()
            self._lines = lines
            self.endResetModel()

    def line(self, row: int) -> JobLine:
        return self._lines[row]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._lines)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if index.isValid() and self._lines[index.row()].job is None:
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._lines[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            job = line.job
            if job is None:
                return line.title
            return ", ".join(filter(None, (job_words(job), job.title, state_words(job), line.time, self.detail(job))))
        if role == Qt.ItemDataRole.AccessibleDescriptionRole and line.job is not None:
            return ", ".join(map(action_words, self.actions(line.job)))
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self) -> None:
        super().__init__()
        self.hovered = -1
        self.hovered_action = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        line: JobLine = index.data(Qt.ItemDataRole.UserRole)
        if line.job is None:
            return QSize(200, _HEAD)
        return QSize(200, look().line_height("body") + look().line_height("small") + 20)

    def action_boxes(self, rect: QRectF, actions: Sequence[str]) -> list[tuple[str, QRectF]]:
        """(name, place) of the actions, each in a column of its own: what to do, Open, Log."""
        metrics = QFontMetrics(look().font("label"))
        right = rect.right() - _SIDE - _PADDING + 8
        height = float(look().line_height("small") + 8)
        boxes = []
        for column in _COLUMNS[::-1]:
            wide = 18.0 + max(metrics.horizontalAdvance(action_words(name)) for name in column)
            place = QRectF(right - wide, rect.center().y() - height / 2, wide, height)
            boxes += [(name, place) for name in actions if name in column]
            right -= wide + 4
        return boxes[::-1]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        line: JobLine = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if line.job is None:
            painter.setPen(look().theme.color("text"))
            painter.setFont(look().font("head"))
            box = rect.adjusted(_SIDE, 0, -_SIDE, -8)
            painter.drawText(box, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, line.title)
        else:
            self._paint_card(painter, rect, line, option)
            self._paint_job(painter, rect, line, line.job, index)
        painter.restore()

    @staticmethod
    def _paint_card(painter: QPainter, rect: QRectF, line: JobLine, option: QStyleOptionViewItem) -> None:
        theme = look().theme
        painter.setClipRect(rect)
        box = rect.adjusted(_SIDE + 0.5, 0.5 if line.is_first else -20, -_SIDE - 0.5, -0.5 if line.is_last else 20)
        painter.setPen(QPen(theme.color("line"), 1))
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(theme.color("hover" if is_hovered else "card"))
        painter.drawRoundedRect(box, 10, 10)
        if not line.is_last:
            y = rect.bottom() - 0.5
            painter.drawLine(QPointF(rect.left() + _SIDE + _PADDING, y), QPointF(rect.right() - _SIDE - _PADDING, y))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(rect.adjusted(_SIDE + 3, 3, -_SIDE - 3, -3), 6, 6)

    def _paint_job(self, painter: QPainter, rect: QRectF, line: JobLine, job: Job, index: _Index) -> None:
        theme = look().theme
        model = index.model()
        assert isinstance(model, JobModel)
        icon, tone = STATE_ICONS.get(job.state, ("clock", "text2"))
        left = rect.left() + _SIDE + _PADDING
        icons.draw(painter, icon, QRectF(left, rect.center().y() - 9, 18, 18), tone)
        left += 18 + 12
        boxes = self.action_boxes(rect, model.actions(job))
        right = min((box.left() for _, box in boxes), default=rect.right() - _SIDE - _PADDING) - 12
        painter.setFont(look().font("small"))
        painter.setPen(theme.color("text3"))
        when = painter.fontMetrics().horizontalAdvance(line.time)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(right - when, rect.top(), when + 1, rect.height()), middle, line.time)
        right -= when + 16

        first, second = look().line_height("body"), look().line_height("small")
        top = rect.center().y() - (first + second) / 2
        painter.setPen(theme.color("text"))
        _draw(painter, "strong", QRectF(left, top, right - left, first), job_words(job))
        at = left + QFontMetrics(look().font("strong")).horizontalAdvance(job_words(job)) + 8
        painter.setPen(theme.color("text2"))
        _draw(painter, "body", QRectF(at, top, right - at, first), job.title)
        painter.setPen(theme.color(tone))
        state = state_words(job)
        _draw(painter, "label", QRectF(left, top + first, right - left, second), state)
        at = left + QFontMetrics(look().font("label")).horizontalAdvance(state)
        painter.setPen(theme.color("text2"))
        if detail := model.detail(job):
            _draw(painter, "small", QRectF(at, top + first, right - at, second), f" · {detail}")
        for name, box in boxes:
            is_hovered = index.row() == self.hovered and name == self.hovered_action
            if name in _COLUMNS[0] or is_hovered:
                painter.setPen(QPen(theme.color("line2"), 1) if name in _COLUMNS[0] else Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("sel" if is_hovered else "card"))
                painter.drawRoundedRect(box, 6, 6)
            painter.setPen(theme.color("text" if name in _COLUMNS[0] else "text2"))
            painter.setFont(look().font("label"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, action_words(name))


class JobList(QListView):
    acted = Signal(object, str)
    """(Job, name of an action)"""

    def __init__(self, model: JobModel) -> None:
        super().__init__()
        self._model = model
        self._delegate = _Delegate()
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Jobs"))
        look().changed.connect(self.doItemsLayout)

    def job(self) -> Job | None:
        """The job of the current row."""
        index = self.currentIndex()
        return self._model.line(index.row()).job if index.isValid() else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index, name = self._at(event.position())
        if (index.row(), name) != (self._delegate.hovered, self._delegate.hovered_action):
            self._delegate.hovered, self._delegate.hovered_action = index.row(), name
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if name else Qt.CursorShape.ArrowCursor)
            self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._delegate.hovered, self._delegate.hovered_action = -1, ""
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index, name = self._at(event.position())
        if name and event.button() == Qt.MouseButton.LeftButton and (job := self._model.line(index.row()).job):
            self.acted.emit(job, name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        job = self.job()
        if job is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if actions := self._model.actions(job):
                self.acted.emit(job, actions[0])
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        job = self.job()
        if job is None:
            return
        menu = QMenu(self)
        for name in self._model.actions(job):
            menu.addAction(action_words(name)).triggered.connect(lambda _, name=name: self.acted.emit(job, name))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        place = self.visualRect(self.currentIndex()).center() if is_by_key else event.pos()
        menu.popup(self.viewport().mapToGlobal(place))

    def _at(self, place: QPointF) -> tuple[QModelIndex, str]:
        index = self.indexAt(place.toPoint())
        job = self._model.line(index.row()).job if index.isValid() else None
        if job is None:
            return index, ""
        boxes = self._delegate.action_boxes(QRectF(self.visualRect(index)), self._model.actions(job))
        return index, next((name for name, box in boxes if box.contains(place)), "")


def _draw(painter: QPainter, style: str, box: QRectF, text: str) -> None:
    painter.setFont(look().font(style))  # type: ignore[arg-type]
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, int(box.width())))
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)


def _time(began: float, is_today: bool) -> str:
    if not began:
        return ""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(began)), "HH:mm" if is_today else "d MMM HH:mm")
