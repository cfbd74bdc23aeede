"""The page of the four stations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lab_desktop.projects import STATIONS
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.jobs import Job
from lab_desktop.ui.pages.improve.check import CheckStation
from lab_desktop.ui.pages.improve.plans import took
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.pages.improve.station import Line, paint_disc
from lab_desktop.ui.pages.improve.train import TrainStation
from lab_desktop.ui.pages.improve.use import UseStation
from lab_desktop.ui.session import STATION_STEPS, Session, first_lesson, station_of
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import Label, column, row, rule
from lab_desktop.ui.words import duration, number, progress_words

_Index = QModelIndex | QPersistentModelIndex
_NARROW_BELOW = 1000
"""Width of the page below which the stations are letters."""


AnyStation = PracticeStation | TrainStation | CheckStation | UseStation
KINDS = (PracticeStation, TrainStation, CheckStation, UseStation)
"""Of the stations, in their order."""


class ImprovePage(QWidget):
    def __init__(self, session: Session, made: Sequence[AnyStation] = ()) -> None:
        """
        Args:
            made: the first stations, where they are there already.
        """
        super().__init__()
        self._session = session
        self._project: Path | None = None
        self._is_chosen = False
        self._is_narrow = False
        self._stations: list[AnyStation] = [*made, *(kind(session) for kind in KINDS[len(made) :])]
        self._stack = QStackedWidget()
        self._model = _StationModel()
        self._list = QListView()
        self._list.setModel(self._model)
        self._delegate = _StationDelegate()
        self._list.setItemDelegate(self._delegate)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setMouseTracking(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setAccessibleName(self.tr("Stations"))
        self._list.selectionModel().currentChanged.connect(lambda index, _: self._choose(index.row()))
        self._second = QWidget()
        title = Label(self.tr("Improve"), "head")
        title.setContentsMargins(8, 0, 0, 8)
        inside = column(title, self._list, margins=(12, 18, 12, 16))
        inside.setStretch(1, 1)
        self._second.setLayout(inside)
        self._beside = rule(is_upright=True)
        whole = row(self._second, self._beside, self._stack)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        for station in self._stations:  # last: what changes its place is dressed anew, with all that is in it
            self._stack.addWidget(station)
            station.heading.discs.chosen.connect(self._choose_disc)
        self._heartbeat = QTimer(self, interval=1000)
        self._heartbeat.timeout.connect(self._beat)
        session.changed.connect(self.refresh)
        session.jobs.changed.connect(self.refresh)
        look().changed.connect(self._fit)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self.refresh)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Below some width the list of stations becomes letters beside the heading."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._second.setFixedWidth(look().grown(232))
        is_narrow = self.width() < look().grown(_NARROW_BELOW)
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._second.setVisible(not is_narrow)
            self._beside.setVisible(not is_narrow)
            for station in self._stations:
                station.heading.discs.setVisible(is_narrow)
                station.set_narrow(is_narrow)

    def _beat(self) -> None:
        job = self._session.jobs.current
        if job is None:
            self._heartbeat.stop()
        elif self.isVisible():
            self._model.show(self._lines(station_of(job.steps) if self._is_ours(job) else ""))
            self._show_discs()
            self._stations[self._stack.currentIndex()].beat()

    def _is_ours(self, job: Job) -> bool:
        return self._session.project is not None and job.folder == self._session.project.run

    @property
    def station(self) -> str:
        """The name of the one in front."""
        return STATIONS[self._stack.currentIndex()]

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self._list

    def heading(self) -> tuple[str, str]:
        project = self._session.project
        return (project.title, self.tr("Improve")) if project else (self.tr("Improve"), "")

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if session.project is None:
            return self.tr("choose or start a project."), self.tr("Home"), lambda: session.go("home")
        if session.project.needs_lesson:
            return first_lesson(session, session.project)
        job = session.jobs.current
        if job is not None and job.folder == session.project.run:
            if job.steps == STATION_STEPS["practice"]:
                return self.tr("look at the questions while they come, or go on with something else."), "", lambda: None
            return self.tr("nothing to do – go on with something else; it works by itself."), "", lambda: None
        if any(each.folder == session.project.run for each in session.jobs.waiting):
            return self.tr("nothing to do – it begins by itself when its turn comes."), "", lambda: None
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
        if station == "train" and session.project.run and any((session.project.run / "checkpoint").glob("step-*")):
            words = self.tr("go on with the training where it paused."), self.tr("Go on training")
        if station == "use":
            return *words, lambda: session.go("chat")
        return *words, lambda: self._begin(station)

    def _begin(self, station: str) -> None:
        self._session.begin(station)
        self.show_station(station)

    def show_station(self, name: str) -> None:
        """Show one, and stay there while the project in hand is the same."""
        self._follow_project()
        self._is_chosen = True
        self._list.setCurrentIndex(self._model.index(STATIONS.index(name), 0))

    def _choose_disc(self, place: int) -> None:
        self.show_station(STATIONS[place])
        if self._is_narrow:
            self._stations[place].heading.discs.setFocus()

    def _choose(self, place: int) -> None:
        if place >= 0:
            self._is_chosen = True
            self._stack.setCurrentIndex(place)
            self._show_discs()
            self._stations[place].refresh()

    def _show_discs(self) -> None:
        for place, station in enumerate(self._stations):
            station.heading.discs.show_lines(self._model.lines, place)

    def refresh(self) -> None:
        """Show what is true now; a page that nobody sees waits."""
        if not self.isVisible():
            return
        session = self._session
        job = session.jobs.current
        running = station_of(job.steps) if job is not None and self._is_ours(job) else ""
        if job is not None and not self._heartbeat.isActive():
            self._heartbeat.start()
        self._model.show(self._lines(running))
        self._follow_project()
        place = self._stack.currentIndex() if self._is_chosen else STATIONS.index(session.state.station)
        if place != self._list.currentIndex().row():
            was_chosen = self._is_chosen
            self._list.setCurrentIndex(self._model.index(place, 0))  # which shows it
            self._is_chosen = was_chosen
        else:
            self._stack.setCurrentIndex(place)
            self._show_discs()
            self._stations[place].refresh()

    def _follow_project(self) -> None:
        """Another project is shown where it stands, not where the one before was looked at."""
        project = self._session.project.folder if self._session.project else None
        if project != self._project:
            self._project, self._is_chosen = project, False

    def _live(self) -> str:
        """How far the job in hand is and how long it will take, in a few words."""
        jobs = self._session.jobs
        words = progress_words(jobs.progress, jobs.pace)
        left = jobs.pace.seconds_left(jobs.progress.total) if jobs.progress is not None else None
        return f"{words[0]} · {duration(left)}" if left is not None else words[0]

    def _lines(self, running: str) -> list[Line]:
        state = self._session.state
        live = self._live() if running else ""
        run = self._session.project.run if self._session.project else None
        waiting = {station_of(job.steps) for job in self._session.jobs.waiting if job.folder == run}
        stations = (
            (
                self.tr("Practice questions"),
                self.tr("{0} kept").format(number(state.kept)) if state.written else self.tr("The teacher writes them"),
                state.has_dataset,
            ),
            (
                self.tr("Train"),
                self.tr("Done") if state.has_adapter else self.tr("Your model learns"),
                state.has_adapter,
            ),
            (
                self.tr("Check"),
                self.tr("Report is ready") if state.has_report else self.tr("Before and after"),
                state.has_report,
            ),
            (self.tr("Use it"), self.tr("Chat, make smaller"), False),
        )
        times = {name: took(run, name) for name in STATIONS[:-1] if run is not None}
        lines = [
            (name, f"{words} · {duration(times[station])}" if is_done and times.get(station) else words, is_done)
            for station, (name, words, is_done) in zip(STATIONS, stations, strict=True)
        ]
        return [
            Line(letter, name, live, "run")
            if running == station
            else Line(letter, name, self.tr("Waits its turn") if station in waiting else words, "done" * is_done)
            for letter, station, (name, words, is_done) in zip("ABCD", STATIONS, lines, strict=True)
        ]


class _StationModel(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.lines = [Line("", "", "")] * 4

    def show(self, lines: list[Line]) -> None:
        self.lines = lines
        self.dataChanged.emit(self.index(0, 0), self.index(3, 0))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{line.name}, {line.words}"
        return None


class _StationDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, look().line_height("strong") + look().line_height("small") + 26)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        line: Line = index.data(Qt.ItemDataRole.UserRole)
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
        paint_disc(painter, QRectF(box.left() + 10, box.top() + 9, 24, 24), line)
        words: tuple[tuple[TypeStyle, str, str], ...] = (("strong", "text", line.name), ("small", "text2", line.words))
        place = QRectF(box.left() + 44, box.top() + 8, box.width() - 50, 0)
        for style, tone, text in words:
            painter.setPen(theme.color(tone))
            painter.setFont(look().font(style))
            place.setHeight(look().line_height(style))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
            place.moveTop(place.bottom() + 2)
        if flags & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.color("accent"))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.restore()
