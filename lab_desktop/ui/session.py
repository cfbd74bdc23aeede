"""What the window is about: the projects, the one in hand, its run, the jobs and the chat. Pages share one of these.

No page knows another page: they say what they want done (`go`), and listen to what changed.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from lab_desktop import paths, projects
from lab_desktop.errors import LabError
from lab_desktop.projects import Damaged, Project, State
from lab_desktop.ui.chat_process import ChatProcess, Voices
from lab_desktop.ui.jobs import Job, JobRunner
from lab_desktop.ui.known import Known
from lab_desktop.ui.preferences import FILE_NAME as PREFERENCES
from lab_desktop.ui.preferences import Preferences

STATION_STEPS: dict[str, tuple[str, ...]] = {
    "practice": ("generate",),
    "train": ("train",),
    "check": ("export", "evaluate"),
}


def station_of(steps: tuple[str, ...]) -> str:
    """The station whose job these steps are; what only makes files belongs to the last one."""
    return next((name for name, own in STATION_STEPS.items() if own == steps), "use")


class Session(QObject):
    """Attributes:
    home: the person's own folder.
    project: the one in hand, or None.
    lesson: of the library, that is being edited; None: those of the project are.
    projects, damaged: all that are there, and those whose project.json cannot be read.
    state: how far its run is.
    preferences: what the person chose.
    """

    changed = Signal()
    """The project in hand, its state, or the list of projects."""
    wanted = Signal(str)
    """A page should be shown, by its name."""
    lesson_changed = Signal()
    """A lesson of the project in hand was written."""
    lesson_wanted = Signal(object)
    """A lesson of the library is to be edited, by its folder; None: the lessons of the project in hand."""
    next_changed = Signal()
    """A page has another next step than it had."""
    refused = Signal(object)
    """What the person asked for could not be begun: a LabError."""

    def __init__(self, home: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        home = home or paths.user_data()
        self.home = home
        self.preferences = Preferences(home / PREFERENCES, self)
        self.root = home / "projects"
        self.journal = home / "activity.jsonl"
        self.chats = home / "chats"
        self.jobs = JobRunner(self.journal, self)
        self.chat = ChatProcess(self)
        self.known = Known(self)
        self.project: Project | None = None
        self.lesson: Path | None = None
        self.state = State()
        self.projects: list[Project] = []
        self.damaged: list[Damaged] = []
        self.jobs.ended.connect(lambda _: self.refresh())
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

    def open(self, project: Project) -> None:
        self.project = project
        self.refresh()

    def edit(self, lesson: Path | None) -> None:
        """Edit a lesson of the library, or with None those of the project in hand."""
        self.lesson = lesson
        self.lesson_wanted.emit(lesson)
        self.go("lesson" if lesson is None else "edit")

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
        project = projects.create(
            self.root, self.tr("Velmora"), [paths.resources() / "practice" / "velmora"], is_practice=True
        )
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
            run = self.project.run or projects.new_run(self.project, paths.practice_model())
        except LabError as error:
            self.refused.emit(error)
            return
        self.jobs.start(Job(run, steps, self.project.title))

    def voices(self) -> Voices:
        """Who can be talked to: the project's model, and what it learned."""
        model = Path(self.project.model) if self.project and self.project.model else paths.practice_model()
        run = self.project.run if self.project else None
        adapter = run / "adapter" / "adapter.gguf" if run else None
        teacher = Path(self.project.teacher) if self.project and self.project.teacher else model
        return Voices(model, (("new", adapter),) if adapter and adapter.is_file() else (), teacher)
