"""Jobs as a list: every job a row with a name for screen readers, and what can be done with it at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from lab_desktop.ui import icons
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.action_list import ACTIONS, PADDING, SIDE, ActionDelegate, ActionList, Index, draw_lines
from lab_desktop.ui.words import job_words, state_words, tr, when

STATE_ICONS = {
    JobState.DONE: ("check", "good"),
    JobState.PAUSED: ("pause", "text2"),
    JobState.FAILED: ("warn", "bad"),
    JobState.BROKEN: ("warn", "bad"),
}
_HEAD = 48


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

    def show(self, groups: Sequence[tuple[str, Sequence[Job]]]) -> None:
        """
        Args:
            groups: heading, jobs.
        """
        lines = []
        for title, jobs in groups:
            if jobs:
                lines.append(JobLine(None, title))
            for number, job in enumerate(jobs):
                is_last = number == len(jobs) - 1
                lines.append(JobLine(job, "", when(job.began), number == 0, is_last))
        if lines != self._lines:
            self.beginResetModel()
            self._lines = lines
            self.endResetModel()

    def line(self, row: int) -> JobLine:
        return self._lines[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self._lines[index.row()].job is None:
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._lines[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role == ACTIONS:
            return self.actions(line.job) if line.job is not None else []
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            job = line.job
            if job is None:
                return line.title
            return ", ".join(filter(None, (job_words(job), job.title, state_words(job), line.time, self.detail(job))))
        if role == Qt.ItemDataRole.AccessibleDescriptionRole and line.job is not None:
            return ", ".join(map(action_words, self.actions(line.job)))
        return None


class _Delegate(ActionDelegate):
    columns = (("pause", "remove", "continue", "repeat", "report"), ("open",), ("log",))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line: JobLine = index.data(Qt.ItemDataRole.UserRole)
        return QSize(200, _HEAD) if line.job is None else super().sizeHint(option, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: JobLine = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if line.job is None:
            painter.setPen(look().theme.color("text"))
            painter.setFont(look().font("head"))
            box = rect.adjusted(SIDE, 0, -SIDE, -8)
            painter.drawText(box, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, line.title)
        else:
            self.paint_card(painter, rect, line.is_first, line.is_last, option)
            self._paint_job(painter, rect, line, line.job, index)
        painter.restore()

    def _paint_job(self, painter: QPainter, rect: QRectF, line: JobLine, job: Job, index: Index) -> None:
        theme = look().theme
        model = index.model()
        assert isinstance(model, JobModel)
        icon, tone = STATE_ICONS.get(job.state, ("clock", "text2"))
        left = rect.left() + SIDE + PADDING
        icons.draw(painter, icon, QRectF(left, rect.center().y() - 9, 18, 18), tone)
        left += 18 + 12
        boxes = self.action_boxes(rect, model.actions(job))
        right = min((box.left() for _, box in boxes), default=rect.right() - SIDE - PADDING) - 12
        painter.setFont(look().font("small"))
        painter.setPen(theme.color("text3"))
        when = painter.fontMetrics().horizontalAdvance(line.time)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(right - when, rect.top(), when + 1, rect.height()), middle, line.time)
        right -= when + 16

        box = QRectF(left, rect.top(), right - left, rect.height())
        detail = f" · {detail}" if (detail := model.detail(job)) else ""
        draw_lines(
            painter,
            box,
            [("strong", "text", f"{job_words(job)}  "), ("body", "text2", job.title)],
            [("label", tone, state_words(job)), ("small", "text2", detail)],
        )
        self.paint_actions(painter, boxes, index.row())


class JobList(ActionList):
    def __init__(self, model: JobModel) -> None:
        super().__init__(_Delegate(action_words), tr("Jobs"))
        self.setModel(model)

    def job(self) -> Job | None:
        """The job of the current row."""
        index = self.currentIndex()
        return index.data(Qt.ItemDataRole.UserRole).job if index.isValid() else None
