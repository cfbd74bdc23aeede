"""What the four stations share: the heading with the letters of the others, the job that runs, the job that broke."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from lab_desktop import __version__, hardware
from lab_desktop.errors import LabError
from lab_desktop.files import stamp
from lab_desktop.ui import icons
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.session import Session, station_of
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Folding, Label, Tone, column, row
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import job_words, progress_words, safe_words, tr, wait_words

SETTLED_MS = 400
"""So long after a person's last decision the rest of the window hears of it."""
_RESULT = {"practice": "dataset/manifest.json", "train": "adapter/adapter.json", "check": "report.json"}


@dataclass(frozen=True)
class Line:
    """A station in the list: its letter, its name, one line about it, and "run", "done" or ""."""

    letter: str
    name: str
    words: str
    state: str = ""


class Heading(QWidget):
    """A station's name with the field's term, its buttons, and one calm line about what it will do."""

    def __init__(self, title: str, term: str, *buttons: QWidget) -> None:
        super().__init__()
        self.discs = Discs()
        self._plan = Label("", "body", "text2", wraps=True)
        self._plan.hide()
        name, doing = QWidget(), QWidget()
        name.setLayout(
            row(Label(title, "title"), Label(f"({term})" if term else "", "small", "text3"), self.discs, gap=8)
        )
        doing.setLayout(row(*buttons, gap=8))
        self.setLayout(column(Folding(name, doing), self._plan, gap=2, margins=(24, 14, 24, 12)))

    def say(self, plan: str) -> None:
        self._plan.setText(plan)
        self._plan.setVisible(bool(plan))

    @property
    def plan(self) -> str:
        return self._plan.text()


class Discs(QWidget):
    """The four stations as letters, where there is no room for their list."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._discs = [_Disc() for _ in range(4)]
        for place, disc in enumerate(self._discs):
            disc.clicked.connect(functools.partial(self.chosen.emit, place))
        self.setLayout(row(*self._discs, gap=4, margins=(8, 0, 0, 0)))
        self.hide()

    def show_lines(self, lines: Sequence[Line], chosen: int) -> None:
        for place, (disc, line) in enumerate(zip(self._discs, lines, strict=True)):
            disc.show_line(line, place == chosen)


class _Disc(QToolButton):
    def __init__(self) -> None:
        super().__init__()
        self._line = Line("", "", "")
        self._is_chosen = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(28, 28)
        look().changed.connect(self.update)

    def show_line(self, line: Line, is_chosen: bool) -> None:
        self._line, self._is_chosen = line, is_chosen
        self.setAccessibleName(f"{line.name}, {line.words}")
        self.setToolTip(f"{line.name}: {line.words}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(28, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        paint_disc(painter, box, self._line, is_filled=self._is_chosen and self._line.state != "done")
        if self.hasFocus() or (self._is_chosen and self._line.state == "done"):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look().theme.color("accent"), 2))
            painter.drawEllipse(box.adjusted(-1, -1, 1, 1))


def paint_disc(painter: QPainter, disc: QRectF, line: Line, is_filled: bool = False) -> None:
    """A station's letter on its disc, or a check where it is done."""
    theme = look().theme
    painter.setPen(Qt.PenStyle.NoPen)
    if line.state == "done":
        painter.setBrush(theme.color("good_tint"))
        painter.drawEllipse(disc)
        icons.draw(painter, "check", disc.adjusted(5, 5, -5, -5), "good")
        return
    is_filled = is_filled or line.state == "run"
    painter.setBrush(theme.color("fill") if is_filled else Qt.BrushStyle.NoBrush)
    painter.setPen(Qt.PenStyle.NoPen if is_filled else theme.color("line2"))
    painter.drawEllipse(disc)
    painter.setPen(theme.color("on_fill" if is_filled else "text2"))
    painter.setFont(look().font("label"))
    painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, line.letter)


class Note(QWidget):
    """A banner with the station's margins; it takes no room while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.banner = Banner("info", "")
        self.setLayout(column(self.banner, margins=(24, 0, 24, 12)))
        self.hide()

    def say(self, tone: Tone, cause: str, safe: str = "") -> None:
        self.banner.say(tone, cause, safe)
        self.show()


def stop_and_keep(session: Session, step: str, note: Note) -> None:
    """Let a step end with what it has; the note says where it could not be told so."""
    try:
        session.jobs.keep(step)
    except LabError as error:
        note.say("bad", error.message, tr("It goes on. Pause stops it too, and keeps what it has."))


class Running(QWidget):
    """The job of a station while it runs: what, how far, until when, and Pause."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._what = Label("", "strong")
        self._detail = Label("", "body", "text2")
        self._bar = Bar()
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=session.jobs.pause)
        card = Card(row(self._what, self._detail, -1, self._pause, gap=10), 8, self._bar, padding=(20, 12))
        self.setLayout(column(card, margins=(24, 0, 24, 12)))

    def refresh(self) -> None:
        jobs = self._session.jobs
        if jobs.current is None:
            return
        progress = jobs.progress
        self._what.setText(progress.text if progress else job_words(jobs.current))
        is_stopping = jobs.current.state is JobState.STOPPING
        words = " · ".join(progress_words(progress, jobs.pace, time.monotonic() - jobs.last_word))
        self._detail.setText(self.tr("saving what is finished …") if is_stopping else words)
        self._pause.setVisible(not is_stopping)
        self._bar.show_share(progress.done / progress.total if progress and progress.total else 0.0)


class Waiting(QWidget):
    """A job of a station that waits until others are done: what for, and a way out of the queue."""

    def __init__(self, session: Session, station: str) -> None:
        super().__init__()
        self._session, self._station = session, station
        self._said = ""
        self.banner = Banner("info", "")
        self.setLayout(column(self.banner, margins=(24, 0, 24, 12)))
        self.hide()

    def look_at(self, run: Path | None) -> None:
        """Show the first job of the run's station that waits."""
        jobs = self._session.jobs
        ours = (job for job in jobs.waiting if job.folder == run and station_of(job.steps) == self._station)
        job = next(ours, None)
        words = wait_words(jobs.before(job), jobs.is_held) if job is not None else ""
        if job is not None and words != self._said:
            cause = self.tr("{0} waits:").format(job_words(job))
            self.banner.say("info", cause, f"{words}.", self.tr("Do not wait"), functools.partial(jobs.forget, job))
        self._said = words
        self.setVisible(job is not None)


class Trouble(QWidget):
    """The last job of a station, where it failed or was broken off: why, what is safe, and how to go on."""

    def __init__(self, session: Session, station: str) -> None:
        super().__init__()
        self._session, self._station = session, station
        self._job: Job | None = None
        self._where = ""
        self.banner = Banner("bad", "")
        self.copy = CopyButton(self.tr("Copy report"), self._copy)
        inside = self.banner.layout()
        assert inside is not None
        inside.addWidget(self.copy)
        self._place: QVBoxLayout = column(self.banner, margins=(24, 0, 24, 12))
        self.setLayout(self._place)
        self.hide()

    def look_at(self, run: Path | None, where: str = "") -> None:
        """Show what became of the run's last job of this station; `where` says how far it was ("at round 2")."""
        job = self._last(run)
        if job is None or run is None or self._session.jobs.has(job):
            self._job = None
            self.hide()
            return
        if (job, where) == (self._job, self._where):
            return
        self._job, self._where = job, where
        self.copy.rest()
        if job.state is JobState.BROKEN:
            cause = " ".join(part for part in (job_words(job), self.tr("stopped unexpectedly"), where) if part) + "."
            safe, button = safe_words(job), self.tr("Continue")
        else:
            cause, safe, button = job.text, job.hint, self.tr("Try again")
        self.banner.say("bad", cause, safe, button, functools.partial(self._session.jobs.start, job))
        self.show()

    def _last(self, run: Path | None) -> Job | None:
        jobs, _ = self._session.known.journal(self._session.journal)  # the activity page tells what is wrong with it
        ours = (job for job in jobs[::-1] if job.folder == run and station_of(job.steps) == self._station)
        last = next(ours, None)
        if last is None or last.state not in (JobState.BROKEN, JobState.FAILED):
            return None
        result = _RESULT.get(self._station)
        is_done_since = result and stamp(last.folder / result)[1] / 1e9 > last.began + last.seconds
        return None if is_done_since else last

    def _copy(self) -> None:
        job = self._job
        if job is None:
            return
        parts = [
            f"LAB Desktop {__version__}, Python {platform.python_version()}",
            hardware.description(),
            f"{' '.join(job.steps)}: {job.state.value} {time.strftime('%Y-%m-%d %H:%M', time.localtime(job.began))}",
            job.text,
            job.hint,
            job.details,
        ]
        text = "\n".join(part for part in parts if part).replace(str(Path.home()), "~")
        self.copy.take(text)
