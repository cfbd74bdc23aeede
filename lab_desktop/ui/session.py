"""What the window is about: projects, the one in hand, its run, jobs, downloads, the chat. Pages share one of these.

No page knows another page: they say what they want done (`go`), and listen to what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from lab_desktop import bins, hardware, paths, projects, servers
from lab_desktop.errors import LabError, LeafError, StorageError
from lab_desktop.jobs.errands import MoveRequest, PublishRequest
from lab_desktop.projects import Damaged, Project, State
from lab_desktop.ui.chat_process import ChatProcess, Voices
from lab_desktop.ui.downloads import Downloads
from lab_desktop.ui.errand import OneErrand
from lab_desktop.ui.jobs import Job, JobRunner
from lab_desktop.ui.known import Known
from lab_desktop.ui.news import News
from lab_desktop.ui.preferences import FILE_NAME as PREFERENCES
from lab_desktop.ui.preferences import Preferences
from lab_desktop.ui.sharing import Sharing
from lab_desktop.ui.words import tr

if TYPE_CHECKING:
    from lab_desktop.contribution.contributions import Contribution

STATION_STEPS: dict[str, tuple[str, ...]] = {
    "practice": ("generate",),
    "train": ("train",),
    "check": ("export", "evaluate"),
}


def station_of(steps: tuple[str, ...]) -> str:
    """The station whose job these steps are; what only makes files belongs to the last one."""
    return next((name for name, own in STATION_STEPS.items() if own == steps), "use")


@dataclass(frozen=True)
class Spot:
    """A place in a lesson that somebody else than its editor found.

    Attributes:
        folder: of the lesson.
        part: "credits" or "document"; "": the first thing that is left to do.
        text: that stands there, which decides where there is one.
    """

    folder: Path
    part: str = ""
    text: str = ""


def first_lesson(session: Session, project: Project) -> tuple[str, str, Callable[[], object]]:
    """The next step where a project has no lesson yet."""
    words = tr("choose or write the first lesson of “{0}”.").format(project.title)
    return words, tr("To the library"), lambda: session.go("library")


class Session(QObject):
    """Attributes:
    home: the person's own folder.
    project: the one in hand, or None.
    guest: a model that is talked to in place of the project's; None: the project's is.
    lesson: of the library, that is being edited; None: those of the project are.
    spot: where the editor goes when it shows its lesson next.
    projects, damaged: all that are there, and those whose project.json cannot be read.
    state: how far its run is.
    memory: bytes that can be taken now, and bytes in all.
    preferences: what the person chose.
    news: of a newer version of this program.
    bins_time: the moment by which the days in the bins are counted (`bins.counted_time`).
    unsaved: why nothing could be saved when the window was opened, or None.
    """

    changed = Signal()
    """The project in hand, its state, or the list of projects."""
    wanted = Signal(str)
    """A page should be shown, by its name."""
    lesson_changed = Signal()
    """A lesson of the project in hand was written."""
    lesson_wanted = Signal(object)
    """A lesson of the library is to be edited, by its folder; None: the lessons of the project in hand."""
    share_wanted = Signal(object)
    """A lesson is to be given to others, by its folder, or a `Contribution` is to be gone on with."""
    contribution_wanted = Signal(object)
    """The Share page is to show a contribution, by its folder."""
    next_changed = Signal()
    """A page has another next step than it had."""
    refused = Signal(object)
    """What the person asked for could not be begun: a LabError."""

    def __init__(
        self,
        home: Path | None = None,
        parent: QObject | None = None,
        memory: Callable[[], tuple[int, int]] = hardware.memory_now,
    ) -> None:
        super().__init__(parent)
        home = home or paths.user_data()
        self.home = home
        self.memory = memory
        self.preferences = Preferences(home / PREFERENCES, self)
        self.bins_time = 0.0
        self.unsaved: StorageError | None = None
        try:
            self.bins_time = bins.counted_time(home)
        except StorageError as error:
            self.unsaved = error
        self.root = home / "projects"
        self.journal = home / "activity.jsonl"
        self.chats = home / "chats"
        self.jobs = JobRunner(self.journal, self)
        self.downloads = Downloads(self)
        self.publishing = OneErrand(PublishRequest, self)
        self.moving = OneErrand(MoveRequest, self)
        self.sharing = Sharing(self)
        self.chat = ChatProcess(self)
        self.known = Known(self)
        self.news = News(self.preferences, self)
        self.project: Project | None = None
        self.lesson: Path | None = None
        self.spot: Spot | None = None
        self.guest: Path | None = None
        self.state = State()
        self.projects: list[Project] = []
        self.damaged: list[Damaged] = []
        self.jobs.ended.connect(self.refresh)
        self.known.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Look at the disk again."""
        self.projects, self.damaged = projects.found(self.root)
        if self.project is not None:
            self.project = next((each for each in self.projects if each.folder == self.project.folder), None)
        if self.project is None and self.projects:
            self.project = self.projects[0]
        self.state = self.known.state(self.project.run if self.project else None)
        self.changed.emit()

    @property
    def library(self) -> Path:
        """The library in hand: one that was opened, or the person's own."""
        chosen = self.preferences.choices.library
        return Path(chosen) if chosen else self.home / paths.library().name

    @property
    def topics(self) -> Path:
        """A library whose topics can be chosen from: the one in hand, or what a new one begins with."""
        return self.library if self.library.is_dir() else paths.resources() / "taxonomy"

    def follow(self, moved: Sequence[tuple[Path, Path]]) -> None:
        """Topics and lessons of the library have other places now: what is edited, the projects' copies, and what is
        on its way to others go along.

        Args:
            moved: (old, new), relative to the library.
        """
        for old, new in moved:
            before = self.library / old
            if self.lesson is not None and self.lesson.is_relative_to(before):
                self.lesson = self.library / new / self.lesson.relative_to(before)
        try:
            for project in self.projects:
                projects.follow(project, moved)
        except LabError as error:
            self.refused.emit(error)
        self.sharing.follow_lessons([self.library, *(project.lessons for project in self.projects)], moved)

    def open(self, project: Project) -> None:
        self.project = project
        self.guest = None
        self.refresh()

    def talk_to(self, model: Path | None) -> None:
        """Talk to this model from now on, or with None to the project's again."""
        self.guest = model
        self.changed.emit()

    def edit(self, lesson: Path | None) -> None:
        """Edit a lesson of the library, or with None those of the project in hand."""
        self.lesson = lesson
        self.lesson_wanted.emit(lesson)
        self.go("lesson" if lesson is None else "edit")

    def edit_at(self, spot: Spot) -> None:
        """Edit a lesson, of the library or of a project, at a place in it."""
        self.spot = spot
        owner = next((each for each in self.projects if spot.folder.is_relative_to(each.lessons)), None)
        if owner is not None and (self.project is None or owner.folder != self.project.folder):
            self.open(owner)
        self.edit(None if owner is not None else spot.folder)

    def share(self, what: Path | Contribution) -> None:
        """Give a lesson to others, or go on with a contribution: the window opens the sheet for it."""
        self.share_wanted.emit(what)

    def leave_library(self) -> None:
        """The lessons of the project in hand are edited again."""
        if self.lesson is not None:
            self.lesson = None
            self.lesson_wanted.emit(None)

    def go(self, page: str) -> None:
        self.wanted.emit(page)

    def new_practice(self) -> Project:
        """The practice project: the built-in lesson about an invented island.

        Raises:
            LabError: it could not be made; nothing of it is left.
        """
        project = projects.create(self.root, self.tr("Velmora"), [paths.practice_lesson()], is_practice=True)
        self.open(project)
        return project

    def begin(self, station: str) -> None:
        """Start a station of the project in hand, or go on with it; `refused` says why it could not be begun."""
        self.start(STATION_STEPS[station])

    def start(self, steps: tuple[str, ...]) -> None:
        """Do steps of the workflow in the run in hand, or in a first one; `refused` as in `begin`."""
        if self.project is None:
            return
        try:
            if self.project.needs_lesson:
                title = self.tr("“{0}” has no lesson yet.").format(self.project.title)
                raise LeafError(title, self.tr("Choose one in the library: Use in project."))
            if steps == STATION_STEPS["practice"] and projects.is_taught_elsewhere(self.project):
                servers.require_agreed(servers.parse(self.project.teacher))
            if "evaluate" in steps:
                projects.bring_exams(self.project)
            run = self.project.run or projects.new_run(self.project, paths.practice_model())
        except LabError as error:
            self.refused.emit(error)
            return
        self.jobs.start(Job(run, steps, self.project.title))

    def voices(self) -> Voices:
        """Who can be talked to: the project's model, and what it learned; or the guest."""
        if self.guest is not None:
            return Voices(self.guest, teacher=self.guest)
        model = Path(self.project.model) if self.project and self.project.model else paths.practice_model()
        run = self.project.run if self.project else None
        adapter = run / "adapter" / "adapter.gguf" if run else None
        # Who helps while a lesson is written is here: text leaves this computer for practice questions only.
        has_own = self.project is not None and self.project.teacher and not projects.is_taught_elsewhere(self.project)
        teacher = Path(self.project.teacher) if self.project is not None and has_own else model
        return Voices(model, (("new", adapter),) if adapter and adapter.is_file() else (), teacher)
