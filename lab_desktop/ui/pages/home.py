"""Home: a card for each project, what happened today, and what to do first where there is no project yet."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from PySide6.QtCore import QDate, QLocale, QRectF, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QMenu, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from lab_desktop import bins, projects
from lab_desktop.errors import LabError
from lab_desktop.projects import Binned, Project, State
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Banner, Button, Card, ElidedLabel, Icon, Label, column, empty, row, rule
from lab_desktop.ui.widgets.job_list import STATE_ICONS
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import job_words, model_word, number, progress_words, result_words, safe_words, tr

_ROWS_TODAY = 6
_CARDS = 9
"""Cards that are made at first; more come with a button."""
_CARD_WIDTH = 320
_LIVE_MS = 1000
_Value = TypeVar("_Value")
_Tone = Literal["good", "warn", "bad", "accent", "plain"]


class HomePage(QScrollArea):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: object = None
        self._said: tuple[object, ...] = ()
        self._count = _CARDS
        self._cards: list[ProjectCard] = []
        self._thrown: Binned | None = None
        self._problem: LabError | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Home"))
        self._banners = QVBoxLayout()
        self._banners.setSpacing(8)
        self._grid = QGridLayout()
        self._grid.setSpacing(20)
        self._body = QVBoxLayout()
        self._body.setSpacing(28)
        inside = QWidget()
        inside.setLayout(column(self._banners, self._body, -1, gap=0, margins=(32, 24, 32, 24)))
        self.setWidget(inside)
        self._live = QTimer(self, interval=_LIVE_MS)
        self._live.timeout.connect(self._show_progress)
        session.changed.connect(self.redraw)
        session.jobs.changed.connect(self.redraw)

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self

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
        running = session.jobs.current
        if running is not None and running.folder == project.run:
            words = self.tr("nothing to do – “{0}” is being worked on.").format(project.title)
            return words, self.tr("Look at it"), lambda: self.open_project(project)
        if any(job.folder == project.run for job in session.jobs.waiting):
            words = self.tr("nothing to do – “{0}” begins by itself when its turn comes.").format(project.title)
            return words, self.tr("Look at it"), lambda: self.open_project(project)
        state = session.known.state(project.run)
        sentence, button = {
            "practice": (self.tr("let the teacher write practice questions for “{0}”."), self.tr("Continue")),
            "train": (self.tr("train your model on what “{0}” teaches."), self.tr("Continue")),
            "check": (self.tr("check what the model learned from “{0}”, and whether it forgot."), self.tr("Continue")),
            "use": (self.tr("talk to the model that learned “{0}”."), self.tr("Chat with it")),
        }[state.station]
        page = "chat" if state.station == "use" else "improve"
        return sentence.format(project.title), button, lambda: self.open_project(project, page)

    def open_project(self, project: Project, page: str = "improve") -> None:
        self._session.open(project)
        self._session.go(page)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._problem = None  # it was read; who comes back comes with something else
        guarded(self.redraw)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def redraw(self) -> None:
        """Show what is true now; a page that nobody sees waits, and what has not changed stays."""
        if not self.isVisible():
            return
        session = self._session
        jobs, _ = session.known.journal(session.journal)
        midnight = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
        today = [job for job in jobs if job.began >= midnight][-_ROWS_TODAY:][::-1]
        shown = session.projects[: self._count]
        states = [session.known.state(project.run) for project in shown]
        reports = [
            session.known.report(project.run) if project.run and state.has_report else None
            for project, state in zip(shown, states, strict=True)
        ]
        thrown = projects.binned(session.root)
        in_hand = (session.jobs.current, *session.jobs.waiting)
        wanted = (shown, states, reports, today, thrown, in_hand, len(session.projects))
        self._show_banners(jobs)
        if wanted == self._shown:
            self._show_progress()
            return
        self._shown = wanted
        empty(self._body)
        if shown:
            self._cards = [
                ProjectCard(project, fact(project, state, report), state, self)
                for project, state, report in zip(shown, states, reports, strict=True)
            ]
            self._body.addWidget(self._projects(thrown))
        else:
            self._cards = []
            self._body.addWidget(_Welcome(session, self._bin_button(thrown)))
        if today:
            self._body.addWidget(self._today(today))
        self._body.addWidget(_tip())
        self._arrange()
        self._show_progress()

    def _projects(self, thrown: Sequence[Binned]) -> QWidget:
        self._grid = QGridLayout()
        self._grid.setSpacing(20)
        new = Button(self.tr("New project"), icon="plus", on_click=lambda: self._session.go("new"))
        head = row(Label(self.tr("Projects"), "title"), -1, *self._bin_button(thrown), new, gap=8)
        made = QWidget()
        more = len(self._session.projects) - len(self._cards)
        inside = column(head, self._grid, gap=16)
        if more > 0:
            words = self.tr("Show all {0} projects").format(number(len(self._session.projects)))
            inside.addLayout(row(Button(words, "plain", on_click=self._show_all), -1))
        made.setLayout(inside)
        return made

    def _show_all(self) -> None:
        self._count = len(self._session.projects)
        self.redraw()

    def _arrange(self) -> None:
        """As many cards side by side as there is room for."""
        if not self._cards:
            return
        room = self.viewport().width() - 64
        columns = max(1, min(len(self._cards) if len(self._cards) > 2 else 3, (room + 20) // (_card_width() + 20), 4))
        if self._grid.property("columns") == columns and self._grid.count():
            return
        self._grid.setProperty("columns", columns)
        while self._grid.takeAt(0) is not None:
            pass
        for place in range(4):
            self._grid.setColumnStretch(place, int(place < columns))
        for place, card in enumerate(self._cards):
            self._grid.addWidget(card, place // columns, place % columns)

    def _show_progress(self) -> None:
        """The lines of the projects that are worked on or wait, once a second."""
        jobs = self._session.jobs
        for job in jobs.waiting:
            for card in self._cards:
                if job.folder == card.project.run:
                    card.second.setText(self.tr("{0} waits its turn.").format(job_words(job)))
        is_live = jobs.current is not None and self.isVisible()
        if is_live != self._live.isActive():
            self._live.start() if is_live else self._live.stop()
        if jobs.current is not None:
            words = " · ".join(progress_words(jobs.progress, jobs.pace, time.monotonic() - jobs.last_word))
            for card in self._cards:
                if jobs.current.folder == card.project.run:
                    card.second.setText(words)

    def _show_banners(self, jobs: Sequence[Job]) -> None:
        last = {(job.folder, job.steps): job for job in jobs}
        broken = [job for job in last.values() if job.state is JobState.BROKEN][-1:]
        if not all((job.folder / "request.json").is_file() and not self._session.jobs.has(job) for job in broken):
            broken = []
        if (self._thrown, self._problem, *broken) == self._said:
            return
        self._said = (self._thrown, self._problem, *broken)
        empty(self._banners)
        if self._problem is not None:
            self._banners.addWidget(Banner("bad", self._problem.message, self._problem.hint))
        if (thrown := self._thrown) is not None:
            cause = self.tr("“{0}” is in the bin.").format(thrown.title)
            safe = self.tr("It stays there for {0} days.").format(bins.BIN_DAYS)
            undo = functools.partial(self.restore, thrown)
            self._banners.addWidget(Banner("info", cause, safe, self.tr("Undo"), undo))
        for job in broken:
            cause = self.tr("{0} “{1}” stopped unexpectedly.").format(job_words(job), job.title)
            start = functools.partial(self._session.jobs.start, job)
            self._banners.addWidget(Banner("bad", cause, safe_words(job), self.tr("Continue"), start))
        if self._banners.count():
            self._banners.addSpacing(16)

    def _today(self, jobs: Sequence[Job]) -> QWidget:
        everything = Button(self.tr("All activity"), "plain", on_click=lambda: self._session.go("activity"))
        head = row(Label(self.tr("Today"), "head"), -1, everything)
        made = QWidget()
        made.setLayout(column(head, 4, rule(), *(_job_row(job) for job in jobs)))
        return made

    # What the person does with a project

    def show_card_menu(self, card: ProjectCard) -> None:
        menu = QMenu(card)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Rename")).triggered.connect(card.begin_rename)
        menu.addAction(self.tr("Show in folder")).triggered.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(card.project.folder))
        )
        menu.addSeparator()
        menu.addAction(self.tr("Delete “{0}”").format(card.project.title)).triggered.connect(
            lambda: self.delete(card.project)
        )
        menu.popup(card.more.mapToGlobal(card.more.rect().bottomLeft()))

    def rename(self, project: Project, title: str) -> None:
        self._try(lambda: projects.rename(project, title))

    def delete(self, project: Project) -> None:
        """Into the bin, with a banner that takes it back; a project that is worked on stays."""
        jobs = self._session.jobs
        if any(job is not None and project.folder in job.folder.parents for job in (jobs.current, *jobs.waiting)):
            self._problem = LabError(
                self.tr("“{0}” is being worked on.").format(project.title), self.tr("Pause its job, then delete it.")
            )
            self._session.refresh()
            return
        self._thrown = self._try(lambda: projects.move_to_bin(project)) or self._thrown
        self.redraw()

    def restore(self, thrown: Binned) -> None:
        self._try(lambda: projects.restore(self._session.root, thrown))
        if self._thrown == thrown:
            self._thrown = None
        self.redraw()

    def _try(self, change: Callable[[], _Value]) -> _Value | None:
        """Do it and look again; a sentence tells what went wrong."""
        made = None
        self._problem = None
        try:
            made = change()
        except LabError as error:
            self._problem = error
        self._session.refresh()
        return made

    def _bin_button(self, thrown: Sequence[Binned]) -> list[QWidget]:
        if not thrown:
            return []
        button = Button(self.tr("Bin ({0})").format(len(thrown)), "quiet", icon="bin")
        button.clicked.connect(lambda: self._show_bin(button, thrown))
        return [button]

    def _show_bin(self, button: Button, thrown: Sequence[Binned]) -> None:
        menu = QMenu(button)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for each in thrown:
            day = time.strftime("%d.%m. %H:%M", time.localtime(each.deleted))
            words = self.tr("Put back “{0}”, deleted {1}").format(each.title, day)
            menu.addAction(words).triggered.connect(functools.partial(self.restore, each))
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))


def _card_width() -> int:
    return round(_CARD_WIDTH * max(1.0, (1 + look().text_size) / 2))


def _job_row(job: Job) -> QWidget:
    icon, tone = STATE_ICONS.get(job.state, ("clock", "text2"))
    made = QWidget()
    result = Label(result_words(job), "small", "text2")
    line = row(
        Label(time.strftime("%H:%M", time.localtime(job.began)), "body", "text3"),
        Icon(icon, tone),
        Label(job.title, "strong"),
        ElidedLabel(f"· {job_words(job).lower()}", "body", "text2"),
        result,
        gap=8,
        margins=(0, 9, 0, 9),
    )
    line.setStretch(3, 1)
    made.setLayout(column(line, rule()))
    return made


def _tip() -> QWidget:
    """One tip a day."""
    tips = (
        tr("Ask the original first. What it already knows, you need not teach."),
        tr("Questions that begin with how and why teach more than those that can be answered with yes."),
        tr("Drop a weak practice question rather than keep it: the model learns mistakes as well as facts."),
        tr("A job that is paused goes on where it was, also after a restart."),
        tr("Write the way people will ask. The model learns your words along with your facts."),
        tr("When the report says “It forgot”, the original is still there, unchanged."),
        tr("Short lessons on one subject are learned better than one long lesson on many."),
    )
    made = QFrame()
    made.setProperty("surface", "sunken")
    words = Label(tips[QDate.currentDate().dayOfYear() % len(tips)], "body", "text2", wraps=True)
    line = row(Icon("lamp", "text2", 18), Label(tr("Tip"), "strong"), words, gap=12, margins=(16, 12, 16, 12))
    line.setStretch(2, 1)
    made.setLayout(line)
    return made


class _Welcome(QWidget):
    """Nothing is here yet: what one can do first, and what will happen."""

    def __init__(self, session: Session, more: Sequence[QWidget]) -> None:
        super().__init__()
        steps = (
            (
                "book",
                self.tr("Teach"),
                self.tr("You give it a page or two, and some questions you would ask about it."),
            ),
            (
                "edit",
                self.tr("Practice"),
                self.tr("A teacher model writes many more questions and checks its own work."),
            ),
            (
                "improve",
                self.tr("Train"),
                self.tr("Your model learns from them, with a little revision of what it knew."),
            ),
            ("check", self.tr("Check"), self.tr("The same questions before and after: did it help, did it forget?")),
        )
        self._steps = [_step(*step) for step in steps]
        self._grid = QGridLayout()
        self._grid.setSpacing(20)
        example = Button(self.tr("Show me with an example"), on_click=lambda: session.go("tour"), size="large")
        own = Button(self.tr("Start my own"), on_click=lambda: session.go("new"), size="large")
        promise = self.tr("Everything stays on this computer. No account, no internet.")
        self.setLayout(
            column(
                24,
                Label(self.tr("Teach a model something new."), "hero", wraps=True),
                8,
                Label(self.tr("What do you want it to know or do?"), "reading", "text2", wraps=True),
                24,
                row(example, own, *more, -1, gap=12),
                12,
                Label(promise, "small", "text3", wraps=True),
                40,
                self._grid,
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        columns = 4 if self.width() >= 3 * _card_width() else 2
        for place, step in enumerate(self._steps):
            self._grid.addWidget(step, place // columns, place % columns)
        for place in range(4):
            self._grid.setColumnStretch(place, int(place < columns))


def _step(icon: str, title: str, text: str) -> QWidget:
    return Card(Icon(icon, "accent", 20), 10, Label(title, "head"), 4, Label(text, "body", "text2", wraps=True), -1)


@dataclass(frozen=True)
class Fact:
    """What a card says about a project.

    Attributes:
        before: a number that is set off from the big one, with an arrow between them.
        share: of the bar; 0: none.
    """

    big: str
    words: str = ""
    second: str = ""
    share: float = 0.0
    before: str = ""
    badge: tuple[str, _Tone, str] | None = None


def fact(project: Project, state: State, report: dict[str, object] | None) -> Fact:
    """The one thing that is worth saying about a project now."""
    if state.problem:
        return Fact("–", "", state.problem, badge=(tr("Needs you"), "bad", "warn"))
    if state.has_report:
        return _report_fact(report)
    if state.has_adapter:
        return Fact(tr("Trained"), "", tr("Check what it learned and whether it forgot."))
    if state.written:
        words = tr("of {0} practice questions kept").format(number(state.written))
        second = tr("Ready for training.") if state.has_dataset else tr("More can be written.")
        return Fact(number(state.kept), words, second, state.kept / state.written)
    count = sum(1 for _ in project.lessons.rglob("qna.yaml"))
    words = tr("lesson") if count == 1 else tr("lessons")
    return Fact(number(count), words, tr("Ready for practice questions."), badge=(tr("Draft"), "plain", ""))


def _report_fact(report: dict[str, object] | None) -> Fact:
    if not report:
        if report is None:
            second = tr("The report cannot be read. Check again.")
            return Fact("–", "", second, badge=(tr("Needs you"), "bad", "warn"))
        return Fact("…")
    badges: dict[object, tuple[str, _Tone, str]] = {
        "clear gain": (tr("Clear gain"), "good", "check"),
        "small gain": (tr("Small gain"), "good", "check"),
        "no gain": (tr("No gain"), "plain", "dash"),
        "it forgot": (tr("It forgot"), "warn", "warn"),
    }
    second = tr("General questions {0} → {1} of {2}.").format(
        report["general_before"], report["general_now"], report["general_total"]
    )
    words = tr("of {0} right").format(report["total"])
    return Fact(str(report["now"]), words, second, before=str(report["before"]), badge=badges.get(report["verdict"]))


class ProjectCard(Card):
    """A project: its name, one big fact, how far it is, what to do."""

    def __init__(self, project: Project, what: Fact, state: State, home: HomePage) -> None:
        self.project = project
        self._home = home
        self._title = ElidedLabel(project.title, "head")
        self._title.setMinimumHeight(24)
        self._field = _TitleField(self)
        self._field.hide()
        self.more = Button("", "quiet", icon="more", size="small", on_click=lambda: home.show_card_menu(self))
        self.more.setAccessibleName(self.tr("More about {0}").format(project.title))
        self.more.setToolTip(self.tr("Rename, show in folder, delete"))
        head = row(self._title, self._field, gap=8)
        head.setStretch(0, 1)
        head.setStretch(1, 1)
        if what.badge is not None:
            head.addWidget(Badge(*what.badge))
        head.addWidget(self.more)
        kind = self.tr("Practice example") if project.is_practice else self.tr("Lessons")
        model = model_word(Path(project.model)) if project.model else self.tr("practice model")
        before = [Label(what.before, "number_m", "text3"), Label("→", "title", "text3")] if what.before else []
        bar = Bar()
        bar.show_share(what.share)
        bar.setVisible(what.share > 0)
        numbers = row(*before, Label(what.big, "number_m"), ElidedLabel(what.words, "body", "text2"), gap=8)
        numbers.setStretch(numbers.count() - 1, 1)
        self.second = Label(what.second, "body", "text2", wraps=True)
        open_it = Button(
            self.tr("Open report") if state.has_report else self.tr("Open"),
            on_click=lambda: self._go("check" if state.has_report else "improve"),
        )
        open_it.setAccessibleName(f"{open_it.text()}, {project.title}")
        talk = Button(self.tr("Chat with it"), "quiet", on_click=lambda: self._go("chat"))
        talk.setAccessibleName(f"{talk.text()}, {project.title}")
        talk.setVisible(state.has_adapter)
        super().__init__(
            head,
            ElidedLabel(f"{kind} · {model}", "small", "text3"),
            14,
            numbers,
            8,
            bar,
            8,
            self.second,
            -1,
            12,
            Dots(state),
            12,
            row(open_it, talk, -1, gap=8),
        )
        self.setMinimumSize(0, round(122 * (1 + look().text_size)))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def begin_rename(self) -> None:
        self._title.hide()
        self._field.setText(self.project.title)
        self._field.show()
        self._field.selectAll()
        self._field.setFocus()

    def end_rename(self, title: str | None) -> None:
        """Take a new title, or None to leave it."""
        if self._field.isHidden():
            return
        self._field.hide()
        self._title.show()
        self.more.setFocus()
        if title is not None and title.strip() and title.strip() != self.project.title:
            # After this event: a new card comes in place of this one.
            QTimer.singleShot(0, self._home, lambda: self._home.rename(self.project, title))

    def _go(self, page: str) -> None:
        self._home.open_project(self.project, page)


class _TitleField(QLineEdit):
    """The title while it is written: Return takes it, Escape leaves it."""

    def __init__(self, card: ProjectCard) -> None:
        super().__init__()
        self._card = card
        self.setAccessibleName(self.tr("Title"))
        self.editingFinished.connect(lambda: card.end_rename(self.text()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._card.end_rename(None)
        else:
            super().keyPressEvent(event)


class Dots(QWidget):
    """The path in small: a dot for each step."""

    _STEPS = 5

    def __init__(self, state: State) -> None:
        super().__init__()
        done = 2 + sum((state.has_dataset, state.has_adapter, state.has_report))
        self._done = done
        names = [self.tr("Practice"), self.tr("Train"), self.tr("Check"), self.tr("Done – use it")]
        self._word = names[done - 2]
        self.setAccessibleName(self.tr("{0} of {1} steps done, now: {2}").format(done, self._STEPS, self._word))
        self.setFixedHeight(max(20, look().line_height("small")))

    def sizeHint(self) -> QSize:
        return QSize(240, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in range(self._STEPS):
            x = 5 + place * 22
            if place:
                painter.setPen(theme.color("line2"))
                painter.drawLine(x - 16, 10, x - 6, 10)
            pen = painter.pen()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if place < self._done:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("good"))
                painter.drawEllipse(QRectF(x - 4, 6, 8, 8))
                continue
            pen.setColor(theme.color("data" if place == self._done else "text3"))
            pen.setWidthF(3 if place == self._done else 1.2)
            painter.setPen(pen)
            painter.drawEllipse(QRectF(x - 3.5, 6.5, 7, 7))
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("small"))
        left = 5 + self._STEPS * 22
        box = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._word)
