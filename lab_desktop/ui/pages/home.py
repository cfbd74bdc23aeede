"""Home: a card for each project, what happened today, and what to do first where there is no project yet."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QDate, QLocale, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from lab_desktop import bins, projects
from lab_desktop.errors import LabError
from lab_desktop.projects import Binned, Damaged, Project, State
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.pages.home_cards import DamagedCard, Fact, ProjectCard, card_width, fact
from lab_desktop.ui.pages.home_new import NewProject
from lab_desktop.ui.session import Session, first_lesson
from lab_desktop.ui.widgets.basic import (
    Banner,
    Button,
    Card,
    ElidedLabel,
    Icon,
    Label,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.bin_button import BinButton
from lab_desktop.ui.widgets.job_list import STATE_ICONS
from lab_desktop.ui.words import is_today, job_words, number, progress_words, result_words, safe_words, tr

_ROWS_TODAY = 6
_CARDS = 9
"""Cards that are made at first; more come with a button."""
_LIVE_MS = 1000
_Value = TypeVar("_Value")
_AnyCard = ProjectCard | DamagedCard


class HomePage(QScrollArea):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: object = None
        self._said: tuple[object, ...] = ()
        self._count = _CARDS
        self._cards: list[_AnyCard] = []
        self._columns = 0
        self._thrown: Binned | None = None
        self._problem: LabError | None = None
        self.setAccessibleName(self.tr("Home"))
        self._banners = QVBoxLayout()
        self._banners.setSpacing(8)
        self._welcome: _Welcome | None = None
        """Made when there is nothing else to show."""
        self.new = NewProject(session)
        self.new.made.connect(self._begun)
        self.new.shown.connect(session.next_changed)
        self._projects = self._make_projects()
        self._today = self._make_today()
        self._body = column(self.new, self._projects, self._today, _tip(), gap=28)
        inside = QWidget()
        inside.setLayout(column(self._banners, self._body, -1, gap=0, margins=(32, 24, 32, 24)))
        scrolled(inside, self)
        self._live = QTimer(self, interval=_LIVE_MS)
        self._live.timeout.connect(self._show_progress)
        session.changed.connect(self.redraw)
        session.jobs.changed.connect(self.redraw)
        session.sharing.changed.connect(self.redraw)

    def _make_projects(self) -> QWidget:
        self._grid = QGridLayout()
        self._grid.setSpacing(20)
        self._bin = BinButton(self.restore)
        self._new = Button(self.tr("New project"), icon="plus", on_click=lambda: self._session.go("new"))
        self._more = Button("", "plain", on_click=self._show_all)
        head = row(Label(self.tr("Projects"), "title"), -1, self._bin, self._new, gap=8)
        made = QWidget()
        made.setLayout(column(head, self._grid, row(self._more, -1), gap=16))
        return made

    def _make_today(self) -> QWidget:
        self._everything = Button(self.tr("All activity"), "plain", on_click=lambda: self._session.go("activity"))
        self._jobs_today = QVBoxLayout()
        made = QWidget()
        head = row(Label(self.tr("Today"), "head"), -1, self._everything)
        made.setLayout(column(head, 4, rule(), self._jobs_today))
        return made

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self

    def heading(self) -> tuple[str, str]:
        today = QLocale().toString(QDate.currentDate(), "dddd d MMMM")
        return self.tr("Home"), today

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if not self.new.isHidden():
            return self.tr("say what the new project is called."), "", lambda: None
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
        if project.needs_lesson:
            return first_lesson(session, project)
        state = session.known.state(project.run)
        sentence, button = {
            "practice": (self.tr("let the teacher write practice questions for “{0}”."), self.tr("Continue")),
            "train": (self.tr("train your model on what “{0}” teaches."), self.tr("Continue")),
            "check": (self.tr("check what the model learned from “{0}”, and whether it forgot."), self.tr("Continue")),
            "use": (self.tr("talk to the model that learned “{0}”."), self.tr("Chat with it")),
        }[state.station]
        page = "chat" if state.station == "use" else "improve"
        return sentence.format(project.title), button, lambda: self.open_project(project, page)

    def begin_project(self) -> None:
        """Ask what a new project is called."""
        self.new.begin()
        self.ensureWidgetVisible(self.new)

    def _begun(self, project: Project) -> None:
        self.open_project(project, "lesson")

    def open_project(self, project: Project, page: str = "improve") -> None:
        self._session.open(project)
        self._session.go("library" if project.needs_lesson else page)

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
        today = [job for job in jobs if is_today(job.began)][-_ROWS_TODAY:][::-1]
        shown = session.projects[: self._count]
        states = [session.known.state(project.run) for project in shown]
        reports = [
            session.known.report(project.run) if project.run and state.has_report else None
            for project, state in zip(shown, states, strict=True)
        ]
        shared = [session.sharing.is_shared(project) for project in shown]
        thrown = projects.binned(session.root)
        in_hand = (session.jobs.current, *session.jobs.waiting)
        facts = [fact(*each) for each in zip(shown, states, reports, strict=True)]
        wanted = (shown, states, facts, shared, today, thrown, in_hand, len(session.projects), session.damaged)
        self._show_banners(jobs)
        if wanted == self._shown:
            self._show_progress()
            return
        self._shown = wanted
        self._show_cards(shown, states, facts, shared)
        self._projects.setVisible(bool(self._cards))
        self._bin.show_thrown(thrown)
        self._show_welcome(thrown)
        more = len(session.projects) - len(shown)
        self._more.setText(self.tr("Show all {0} projects").format(number(len(session.projects))))
        self._more.setVisible(more > 0)
        empty(self._jobs_today)
        for job in today:
            self._jobs_today.addWidget(_job_row(job))
        self._today.setVisible(bool(today))
        self._show_progress()

    def _show_welcome(self, thrown: Sequence[Binned]) -> None:
        if self._welcome is None and not self._cards:
            self._welcome = _Welcome(self._session, BinButton(self.restore))
            self._body.insertWidget(1, self._welcome)
        if self._welcome is not None:
            self._welcome.setVisible(not self._cards)
            self._welcome.bin.show_thrown(thrown)

    def _show_cards(
        self,
        shown: Sequence[Project],
        states: Sequence[State],
        facts: Sequence[Fact],
        shared: Sequence[bool],
    ) -> None:
        """Cards for these projects, what needs the person first; one that shows the same already stays."""
        before = {card.key: card for card in self._cards}
        focused = self._focused_stop()
        cards: list[_AnyCard] = []
        for damaged in self._session.damaged:
            known = before.get(damaged.folder)
            is_same = isinstance(known, DamagedCard) and known.damaged == damaged
            cards.append(known if known is not None and is_same else self._damaged_card(damaged))
        for project, state, what, is_shared in zip(shown, states, facts, shared, strict=True):
            known = before.get(project.folder)
            if isinstance(known, ProjectCard) and (
                known.is_written_in
                or (known.project, known.what, known.state, known.is_shared) == (project, what, state, is_shared)
            ):
                known.second.setText(what.second)  # a job may have spoken there
                cards.append(known)
            else:
                cards.append(self._project_card(project, what, state, is_shared))
        if cards != self._cards:
            self._cards, self._columns = cards, 0
            self._arrange()
            self._chain()
        for key, card in before.items():
            if card not in cards:
                card.hide()
                card.deleteLater()
                if focused is not None and focused[0] == key:
                    self._focus_again(*focused)

    def _project_card(self, project: Project, what: Fact, state: State, is_shared: bool) -> ProjectCard:
        card = ProjectCard(project, what, state, is_shared)
        card.wanted.connect(functools.partial(self.open_project, project))
        card.menu_wanted.connect(functools.partial(self.show_card_menu, card))
        # After their event: a new card may come in place of this one.
        later = Qt.ConnectionType.QueuedConnection
        card.renamed.connect(functools.partial(self.rename, project), later)
        card.rested.connect(self._look_again, later)
        return card

    def _damaged_card(self, damaged: Damaged) -> DamagedCard:
        card = DamagedCard(damaged)
        card.mend_wanted.connect(functools.partial(self.mend, damaged))
        card.folder_wanted.connect(functools.partial(_show_folder, damaged.folder))
        card.delete_wanted.connect(functools.partial(self.delete, damaged))
        return card

    def _look_again(self) -> None:
        """What was put off while a title was written."""
        self._shown = None
        self.redraw()

    def _focused_stop(self) -> tuple[Path, int] | None:
        """The card that has the focus, and which of its stops."""
        for card in self._cards:
            for place, stop in enumerate(card.stops):
                if stop.hasFocus():
                    return card.key, place
        return None

    def _focus_again(self, key: Path, place: int) -> None:
        """The keyboard stays where it was, though a new card stands there; where none does, on the page."""
        card = next((each for each in self._cards if each.key == key), None)
        stops = [stop for stop in card.stops[place:] + card.stops[:place] if not stop.isHidden()] if card else []
        (stops[0] if stops else self._new if self._cards else self).setFocus()

    def _chain(self) -> None:
        """Tab goes through the cards as they stand."""
        stops = [self._bin, self._new, *(stop for card in self._cards for stop in card.stops), self._more]
        for one, other in itertools.pairwise([*stops, self._everything]):
            QWidget.setTabOrder(one, other)

    def _show_all(self) -> None:
        self._count = len(self._session.projects)
        self.redraw()

    def _arrange(self) -> None:
        """As many cards side by side as there is room for."""
        if not self._cards:
            return
        room = self.viewport().width() - 64
        columns = max(1, min(len(self._cards) if len(self._cards) > 2 else 3, (room + 20) // (card_width() + 20), 4))
        if columns == self._columns:
            return
        self._columns = columns
        while self._grid.takeAt(0) is not None:
            pass
        for place in range(4):
            self._grid.setColumnStretch(place, int(place < columns))
        for place, card in enumerate(self._cards):
            self._grid.addWidget(card, place // columns, place % columns)

    def _show_progress(self) -> None:
        """The lines of the projects that are worked on or wait, once a second."""
        jobs = self._session.jobs
        cards = [card for card in self._cards if isinstance(card, ProjectCard)]
        for job in jobs.waiting:
            for card in cards:
                if job.folder == card.project.run:
                    card.second.setText(self.tr("{0} waits its turn.").format(job_words(job)))
        is_live = jobs.current is not None and self.isVisible()
        if is_live != self._live.isActive():
            self._live.start() if is_live else self._live.stop()
        if jobs.current is not None:
            words = " · ".join(progress_words(jobs.progress, jobs.pace, time.monotonic() - jobs.last_word))
            for card in cards:
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
        if (unsaved := self._session.unsaved) is not None:
            why = f"{unsaved.message} {self.tr('Mend that, then open LAB Desktop again.')}"
            self._banners.addWidget(Banner("bad", self.tr("Nothing can be saved."), why))
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
        before: QWidget = self  # the keyboard comes to them first
        items = (self._banners.itemAt(place) for place in range(self._banners.count()))
        for banner in (item.widget() for item in items if item is not None):
            assert isinstance(banner, Banner)
            QWidget.setTabOrder(before, banner.button)
            before = banner.button
        if self._banners.count():
            self._banners.addSpacing(16)

    # What the person does with a project

    def show_card_menu(self, card: ProjectCard) -> None:
        menu = QMenu(card)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Rename")).triggered.connect(card.begin_rename)
        menu.addAction(self.tr("Share…")).triggered.connect(lambda: self.share(card.project))
        menu.addAction(self.tr("Show in folder")).triggered.connect(lambda: _show_folder(card.project.folder))
        menu.addSeparator()
        menu.addAction(self.tr("Delete “{0}”").format(card.project.title)).triggered.connect(
            lambda: self.delete(card.project)
        )
        menu.popup(card.more.mapToGlobal(card.more.rect().bottomLeft()))

    def share(self, project: Project) -> None:
        """The last step of a project's path."""
        self._session.open(project)
        self._session.go("contribute")

    def rename(self, project: Project, title: str) -> None:
        others = [each for each in self._session.projects if each.folder != project.folder]
        self._try(lambda: projects.rename(project, title, others))

    def mend(self, damaged: Damaged) -> None:
        self._try(lambda: projects.mend(damaged))

    def delete(self, project: Project | Damaged) -> None:
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


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(folder))


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

    def __init__(self, session: Session, thrown: BinButton[Binned]) -> None:
        super().__init__()
        self.bin = thrown
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
        own = Button(self.tr("Start my own"), on_click=lambda: session.go("library"), size="large")
        promise = self.tr("Everything stays on this computer. No account, no internet.")
        self.setLayout(
            column(
                24,
                Label(self.tr("Teach a model something new."), "hero", wraps=True),
                8,
                Label(self.tr("What do you want it to know or do?"), "reading", "text2", wraps=True),
                24,
                row(example, own, thrown, -1, gap=12),
                12,
                Label(promise, "small", "text3", wraps=True),
                40,
                self._grid,
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        columns = 4 if self.width() >= 3 * card_width() else 2
        for place, step in enumerate(self._steps):
            self._grid.addWidget(step, place // columns, place % columns)
        for place in range(4):
            self._grid.setColumnStretch(place, int(place < columns))


def _step(icon: str, title: str, text: str) -> QWidget:
    return Card(Icon(icon, "accent", 20), 10, Label(title, "head"), 4, Label(text, "body", "text2", wraps=True), -1)
