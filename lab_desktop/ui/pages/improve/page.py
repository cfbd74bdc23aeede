"""The page of the four stations."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.ui import icons
from lab_desktop.ui.pages.improve.check import CheckStation
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.pages.improve.train import TrainStation
from lab_desktop.ui.pages.improve.use import UseStation
from lab_desktop.ui.session import STATION_STEPS, Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Label, column, row, rule
from lab_desktop.ui.words import number, progress_words

_Index = QModelIndex | QPersistentModelIndex
_NAMES = ("practice", "train", "check", "use")


class ImprovePage(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._is_chosen = False
        self._stations: list[PracticeStation | TrainStation | CheckStation | UseStation] = [
            PracticeStation(session),
            TrainStation(session),
            CheckStation(session),
            UseStation(session),
        ]
        self._stack = QStackedWidget()
        for station in self._stations:
            self._stack.addWidget(station)
        self._model = _StationModel()
        self._list = QListView()
        self._list.setModel(self._model)
        self._delegate = _StationDelegate()
        self._list.setItemDelegate(self._delegate)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setMouseTracking(True)
        self._list.setAccessibleName(self.tr("Stations"))
        self._list.selectionModel().currentChanged.connect(lambda index, _: self._choose(index.row()))
        second = QWidget()
        second.setFixedWidth(232)
        title = Label(self.tr("Improve"), "head")
        title.setContentsMargins(8, 0, 0, 8)
        inside = column(title, self._list, margins=(12, 18, 12, 16))
        inside.setStretch(1, 1)
        second.setLayout(inside)
        whole = row(second, rule(is_upright=True), self._stack)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setFocusProxy(self._list)
        session.changed.connect(self.refresh)
        session.jobs.changed.connect(self.refresh)
        self.refresh()

    def heading(self) -> tuple[str, str]:
        project = self._session.project
        return (project.title if project else self.tr("Improve")), self.tr("Improve")

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if session.project is None:
            return self.tr("choose or start a project."), self.tr("Home"), lambda: session.go("home")
        if session.jobs.current is not None:
            return (
                self.tr("nothing to do – look at the rows while they come, or go on with something else."),
                "",
                lambda: None,
            )
        station = session.state.station
        words = {
            "practice": (self.tr("let the teacher write practice questions."), self.tr("Write questions")),
            "train": (
                self.tr("review what you like, then train your model on {0} questions.").format(
                    number(session.state.kept)
                ),
                self.tr("Train"),
            ),
            "check": (self.tr("ask the same questions before and after."), self.tr("Check")),
            "use": (self.tr("talk to your model beside the original."), self.tr("Chat with it")),
        }[station]
        if station == "use":
            return *words, lambda: session.go("chat")
        return *words, lambda: self._begin(station)

    def _begin(self, station: str) -> None:
        self._session.begin(station)
        self.show_station(station)

    def show_station(self, name: str) -> None:
        self._list.setCurrentIndex(self._model.index(_NAMES.index(name), 0))

    def _choose(self, place: int) -> None:
        if place >= 0:
            self._is_chosen = True
            self._stack.setCurrentIndex(place)
            self._stations[place].refresh()

    def refresh(self) -> None:
        session = self._session
        state = session.state
        job = session.jobs.current
        running = next(
            (
                name
                for name, steps in STATION_STEPS.items()
                if job and steps == job.steps and session.project and job.folder == session.project.run
            ),
            "",
        )
        words = progress_words(session.jobs.progress, session.jobs.pace) if running else []
        live = " · ".join([*words[:1], *words[-1:]]) if words else ""
        lines = [
            (
                "A",
                self.tr("Practice questions"),
                self.tr("{0} kept").format(number(state.kept)) if state.written else self.tr("The teacher writes them"),
                state.has_dataset,
            ),
            (
                "B",
                self.tr("Train"),
                self.tr("Done") if state.has_adapter else self.tr("The student learns"),
                state.has_adapter,
            ),
            (
                "C",
                self.tr("Check"),
                self.tr("Before and after") if not state.has_report else self.tr("Report is ready"),
                state.has_report,
            ),
            ("D", self.tr("Use it"), self.tr("Chat, make smaller"), False),
        ]
        self._model.show(
            [
                (
                    *line[:2],
                    live if name == running else line[2],
                    "run" if name == running else "done" if line[3] else "",
                )
                for line, name in zip(lines, _NAMES, strict=True)
            ]
        )
        if not self._is_chosen:
            place = _NAMES.index(state.station if state.station in _NAMES else "practice")
            self._list.setCurrentIndex(self._model.index(place, 0))
            self._is_chosen = False
            self._stack.setCurrentIndex(place)
        self._stations[self._stack.currentIndex()].refresh()


class _StationModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[str, str, str, str]] = [("", "", "", "")] * 4

    def show(self, lines: list[tuple[str, str, str, str]]) -> None:
        self._lines = lines
        self.dataChanged.emit(self.index(0, 0), self.index(3, 0))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._lines[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{line[1]}, {line[2]}"
        return None


class _StationDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, 62)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        letter, name, words, state = index.data(Qt.ItemDataRole.UserRole)
        box = QRectF(option.rect).adjusted(0, 2, 0, -4)
        flags = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_chosen = bool(flags & QStyle.StateFlag.State_Selected)
        if is_chosen or flags & QStyle.StateFlag.State_MouseOver:
            ground = theme.color("sel")
            ground.setAlphaF(1.0 if is_chosen else 0.5)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 6, 6)
        disc = QRectF(box.left() + 10, box.top() + 9, 24, 24)
        if state == "done":
            painter.setBrush(theme.color("good_tint"))
            painter.drawEllipse(disc)
            icons.draw(painter, "check", disc.adjusted(5, 5, -5, -5), "good")
        else:
            painter.setBrush(theme.color("fill") if state == "run" else Qt.BrushStyle.NoBrush)
            painter.setPen(Qt.PenStyle.NoPen if state == "run" else theme.color("line2"))
            painter.drawEllipse(disc)
            painter.setPen(theme.color("on_fill" if state == "run" else "text2"))
            painter.setFont(look().font("label"))
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, letter)
        painter.setPen(theme.color("text"))
        painter.setFont(look().font("strong"))
        painter.drawText(
            QRectF(box.left() + 44, box.top() + 7, box.width() - 50, 20), Qt.AlignmentFlag.AlignVCenter, name
        )
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("small"))
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(box.width() - 50))
        painter.drawText(
            QRectF(box.left() + 44, box.top() + 28, box.width() - 50, 18), Qt.AlignmentFlag.AlignVCenter, shown
        )
        if flags & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.color("accent"))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.restore()
