"""Home: a card for each project, what happened today, and what to do first where there is no project yet."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from PySide6.QtCore import QDate, QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLayout, QScrollArea, QWidget

from lab_desktop import projects
from lab_desktop.corrections import read_report
from lab_desktop.errors import RunError
from lab_desktop.projects import Project, State
from lab_desktop.ui.jobs import Job, JobState, read_journal
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Banner, Button, Card, Icon, Label, column, row, rule
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import duration, job_words, state_words

_ROWS_TODAY = 6
STATE_ICONS = {
    JobState.DONE: ("check", "good"),
    JobState.PAUSED: ("pause", "text2"),
    JobState.FAILED: ("warn", "bad"),
    JobState.BROKEN: ("warn", "bad"),
}


class HomePage(QScrollArea):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        session.changed.connect(self.redraw)
        session.jobs.changed.connect(self.redraw)
        self.redraw()

    def heading(self) -> tuple[str, str]:
        today = QLocale().toString(QDate.currentDate(), "dddd d MMMM")
        return self.tr("Home"), today

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if not session.projects:
            return (
                self.tr("see the whole path on an example; it takes about ten minutes and no internet."),
                self.tr("Show me"),
                lambda: session.go("tour"),
            )
        project = session.projects[0]
        state = projects.state(project.run)
        sentence, button = {
            "practice": (self.tr("let the teacher write practice questions for “{0}”."), self.tr("Write questions")),
            "train": (self.tr("train your model on what “{0}” teaches."), self.tr("Train")),
            "check": (self.tr("check what the model learned from “{0}”, and whether it forgot."), self.tr("Check")),
            "use": (self.tr("talk to the model that learned “{0}”."), self.tr("Chat with it")),
        }[state.station]
        return (
            sentence.format(project.title),
            button,
            lambda: session.go("chat" if state.station == "use" else "improve"),
        )

    def redraw(self) -> None:
        inside = QWidget()
        parts: list[QWidget] = [*self._banners()]
        if self._session.projects:
            grid = QGridLayout()
            grid.setSpacing(20)
            for number, project in enumerate(self._session.projects):
                grid.addWidget(ProjectCard(project, self._session), number // 3, number % 3)
            for place in range(3):
                grid.setColumnStretch(place, 1)
            head = row(
                Label(self.tr("Projects"), "title"),
                -1,
                Button(self.tr("New project"), icon="plus", on_click=lambda: self._session.go("new")),
            )
            cards = QWidget()
            cards.setLayout(column(head, grid, gap=16))
            parts.append(cards)
        else:
            parts.append(_Welcome(self._session))
        today = self._today()
        if today is not None:
            parts.append(today)
        inside.setLayout(column(*parts, -1, gap=28, margins=(32, 24, 32, 24)))
        self.setWidget(inside)

    def _banners(self) -> list[QWidget]:
        last = {(job.folder, job.steps): job for job in self._journal()}
        broken = [job for job in last.values() if job.state is JobState.BROKEN][-1:]
        found: list[QWidget] = []
        for job in broken:
            if self._session.jobs.is_busy or not (job.folder / "request.json").is_file():
                continue
            at = time.strftime("%H:%M", time.localtime(job.began + job.seconds))
            cause = self.tr("{0} stopped unexpectedly.").format(job_words(job))
            safe = self.tr("Your work up to {0} is safe.").format(at)
            found.append(
                Banner("bad", cause, safe, self.tr("Continue"), functools.partial(self._session.jobs.start, job))
            )
        return found

    def _journal(self) -> list[Job]:
        try:
            return read_journal(self._session.journal)
        except RunError:
            return []

    def _today(self) -> QWidget | None:
        midnight = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
        jobs = [job for job in self._journal() if job.began >= midnight][-_ROWS_TODAY:][::-1]
        if not jobs:
            return None
        head = row(
            Label(self.tr("Today"), "head"),
            -1,
            Button(self.tr("All activity"), "plain", on_click=lambda: self._session.go("activity")),
        )
        made = QWidget()
        made.setLayout(column(head, rule(), *(_job_row(job) for job in jobs)))
        return made


def _job_row(job: Job) -> QWidget:
    icon, tone = STATE_ICONS.get(job.state, ("clock", "text2"))
    made = QWidget()
    line = row(
        Label(time.strftime("%H:%M", time.localtime(job.began)), "body", "text3"),
        Icon(icon, tone),
        Label(job.title, "strong"),
        Label(f"· {job_words(job).lower()}", "body", "text2"),
        -1,
        Label(f"{state_words(job)} · {duration(job.seconds)}", "small", "text2"),
        gap=10,
        margins=(0, 9, 0, 9),
    )
    made.setLayout(column(line, rule()))
    return made


class _Welcome(Card):
    """Nothing is here yet: what one can do first."""

    def __init__(self, session: Session) -> None:
        super().__init__(
            Label(self.tr("Teach a model something new."), "hero"),
            8,
            Label(
                self.tr(
                    "You write a lesson, a teacher model makes practice questions from it, and your model learns. "
                    "Everything stays on this computer."
                ),
                "reading",
                "text2",
                wraps=True,
            ),
            20,
            row(
                Button(
                    self.tr("Show me with an example"), "primary", on_click=lambda: session.go("tour"), size="large"
                ),
                Button(self.tr("Start my own"), on_click=lambda: session.go("new"), size="large"),
                -1,
                gap=12,
            ),
            padding=(32, 32),
        )


class ProjectCard(Card):
    """A project: its name, one big fact, how far it is, what to do."""

    def __init__(self, project: Project, session: Session) -> None:
        self._session = session
        self._project = project
        state = projects.state(project.run)
        running = session.jobs.current
        is_running = running is not None and running.folder == project.run
        super().__init__(*self._parts(state, is_running), gap=0)
        self.setMinimumHeight(230)

    def _parts(self, state: State, is_running: bool) -> list[QWidget | QLayout | int]:
        project = self._project
        big, words, share, second, badge = self._fact(state, is_running)
        model = project.model.rsplit("/", 1)[-1].removesuffix(".gguf") if project.model else self.tr("practice model")
        kind = self.tr("Practice example") if project.is_practice else self.tr("Lessons")
        head = row(Label(project.title, "head"), -1, gap=8)
        if badge is not None:
            head.addWidget(badge)
        number = row(Label(big, "number_m"), Label(words, "body", "text2"), -1, gap=8)
        bar = Bar()
        bar.show_share(share)
        bar.setVisible(share > 0)
        open_it = Button(
            self.tr("Open report") if state.has_report else self.tr("Open"),
            on_click=self._open,
        )
        talk = Button(self.tr("Chat with it"), "quiet", on_click=self._chat)
        talk.setVisible(state.has_adapter)
        dots = Dots(state)
        return [
            head, 2, Label(f"{kind} · {model}", "small", "text3"), 12, number, 8, bar, 8,
            Label(second, "body", "text2", wraps=True), -1, 12, dots, 12, row(open_it, talk, -1, gap=8),
        ]  # fmt: skip

    def _fact(self, state: State, is_running: bool) -> tuple[str, str, float, str, Badge | None]:
        if state.has_report and self._project.run is not None:
            return self._report_fact()
        if state.has_adapter:
            return self.tr("Trained"), "", 0.0, self.tr("Check what it learned and whether it forgot."), None
        if state.written:
            badge = Badge(self.tr("Running"), "accent", "clock") if is_running else None
            words = self.tr("of {0} practice questions kept").format(state.written)
            share = state.kept / max(1, state.written)
            return str(state.kept), words, share, "", badge
        count = sum(1 for _ in self._project.lessons.rglob("qna.yaml"))
        words = self.tr("lesson") if count == 1 else self.tr("lessons")
        return str(count), words, 0.0, self.tr("Ready for practice questions."), Badge(self.tr("Draft"))

    def _report_fact(self) -> tuple[str, str, float, str, Badge | None]:
        assert self._project.run is not None
        try:
            report = read_report(self._project.run)
            exams = [leaf["exam"] if leaf["exam"]["now"]["total"] else leaf["held_out"] for leaf in report["leaves"]]
            before, now = (sum(exam[side]["right"] for exam in exams) for side in ("before", "now"))
            total = sum(exam["now"]["total"] for exam in exams)
            general = report["general"]
            verdict = report["verdict"]["name"]
        except (RunError, KeyError, TypeError):
            return (
                "–",
                "",
                0.0,
                self.tr("The report cannot be read. Check again."),
                Badge(self.tr("Needs you"), "bad", "warn"),
            )
        tones = {"clear gain": ("good", "check"), "small gain": ("good", "check"), "it forgot": ("warn", "warn")}
        tone, icon = tones.get(verdict, ("plain", "dash"))
        names = {
            "clear gain": self.tr("Clear gain"),
            "small gain": self.tr("Small gain"),
            "no gain": self.tr("No gain"),
            "it forgot": self.tr("It forgot"),
        }
        second = self.tr("General questions {0} → {1} of {2}.").format(
            general["before"]["right"], general["now"]["right"], general["now"]["total"]
        )
        badge = Badge(names.get(verdict, verdict), tone, icon)  # type: ignore[arg-type]
        return f"{before} → {now}", self.tr("of {0} right").format(total), 0.0, second, badge

    def _open(self) -> None:
        self._session.open(self._project)
        self._session.go("improve")

    def _chat(self) -> None:
        self._session.open(self._project)
        self._session.go("chat")


class Dots(QWidget):
    """Six dots: the path in small."""

    _STEPS = 6

    def __init__(self, state: State) -> None:
        super().__init__()
        done = 2 + sum((state.has_dataset, state.has_adapter, state.has_report))
        self._done = done
        names = [self.tr("Practice"), self.tr("Train"), self.tr("Check"), self.tr("Share – the last step")]
        self._word = names[done - 2]
        self.setAccessibleName(self.tr("{0} of {1} steps done, now: {2}").format(done, self._STEPS, self._word))
        self.setFixedHeight(20)

    def sizeHint(self) -> QSize:
        return QSize(240, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in range(self._STEPS):
            x = 5 + number * 22
            if number:
                painter.setPen(theme.color("line2"))
                painter.drawLine(x - 16, 10, x - 6, 10)
            pen = painter.pen()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if number < self._done:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("good"))
                painter.drawEllipse(QRectF(x - 4, 6, 8, 8))
                continue
            pen.setColor(theme.color("data" if number == self._done else "text3"))
            pen.setWidthF(3 if number == self._done else 1.2)
            painter.setPen(pen)
            painter.drawEllipse(QRectF(x - 3.5, 6.5, 7, 7))
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("small"))
        painter.drawText(QRectF(5 + self._STEPS * 22, 0, 300, 20), Qt.AlignmentFlag.AlignVCenter, self._word)
