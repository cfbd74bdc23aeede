"""Activity: what runs and waits, and every job of today and earlier, with what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QStackedWidget, QWidget

from lab_desktop import projects
from lab_desktop.errors import LabError
from lab_desktop.files import stamp
from lab_desktop.jobs.run import EVENTS_FILE
from lab_desktop.projects import Project
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, column, nothing_yet, row
from lab_desktop.ui.widgets.job_list import JobList, JobModel
from lab_desktop.ui.words import duration, is_today, progress_words, wait_words

_LIVE_MS = 1000


class ActivityPage(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._can: dict[Job, list[str]] = {}
        self._newest: dict[tuple[Path, tuple[str, ...]], Job] = {}
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self.model = JobModel(self._detail, self._actions)
        self.list = JobList(self.model)
        self.list.acted.connect(lambda line, name: self._act(line.job, name))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(
            nothing_yet("activity", self.tr("Nothing has run yet"), self.tr("Jobs appear here with their result."))
        )
        whole = column(row(self._banner, margins=(32, 16, 32, 0)), self._stack, margins=(0, 0, 0, 8))
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self._live = QTimer(self, interval=_LIVE_MS)
        self._live.timeout.connect(self.list.viewport().update)
        session.jobs.changed.connect(self.redraw)
        session.changed.connect(self.redraw)
        self.redraw()

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.list

    def heading(self) -> tuple[str, str]:
        waiting = len(self._session.jobs.waiting)
        if waiting:
            return self.tr("Activity"), self.tr("one heavy job at a time; {0} waiting").format(waiting)
        return self.tr("Activity"), self.tr("one heavy job at a time; others wait")

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        return "", "", lambda: None

    def redraw(self) -> None:
        jobs = self._session.jobs
        past, problem = self._session.known.journal(self._session.journal)
        if problem is not None:
            self._banner.say("bad", problem.message, problem.hint)
        self._banner.setVisible(problem is not None)
        self._can.clear()
        self._newest = {(job.folder, job.steps): job for job in past}
        now = [job for job in (jobs.current, *jobs.waiting) if job is not None]
        today = [job for job in past if is_today(job.began)]
        earlier = [job for job in past if not is_today(job.began)]
        groups = (self.tr("Now"), now), (self.tr("Today"), today[::-1]), (self.tr("Earlier"), earlier[::-1])
        self.model.show(groups)
        self._stack.setCurrentIndex(0 if now or past else 1)
        if jobs.current is None:
            self._live.stop()
        elif not self._live.isActive():
            self._live.start()

    def _detail(self, job: Job) -> str:
        jobs = self._session.jobs
        if job.state is JobState.WAITING:
            return wait_words(jobs.before(job), jobs.is_held)
        if job.state is JobState.LEFT:
            return self.tr("it still waited when the window was closed")
        if job.state is JobState.STOPPING:
            return self.tr("saving what is finished …")
        if job.state is JobState.RUNNING:
            return " · ".join(progress_words(jobs.progress, jobs.pace, time.monotonic() - jobs.last_word))
        if job.text:
            return f"{job.text} {job.hint}".strip()
        return duration(job.seconds)

    def _project(self, job: Job) -> Project | None:
        return next((each for each in self._session.projects if each.folder in job.folder.parents), None)

    def _actions(self, job: Job) -> list[str]:
        """What can be done; looked up once for each job, for a row is drawn again with every move of the mouse."""
        found = self._can.get(job)
        if found is None:
            found = self._can[job] = [*self._first_action(job), *self._looks(job)]
        return found

    def _first_action(self, job: Job) -> list[str]:
        if job.state is JobState.RUNNING:
            return ["pause"]
        if job.state is JobState.WAITING:
            return ["remove"]
        if job.state is JobState.STOPPING or not (job.folder / "request.json").is_file():
            return []
        if job.state is not JobState.DONE:
            is_open = self._newest.get((job.folder, job.steps)) == job and not self._session.jobs.has(job)
            return ["continue"] if is_open else []
        project = self._project(job)
        if project is None:
            return []
        if "evaluate" in job.steps and _has_answers(job.folder):
            return ["report"] if job.folder == project.run else []
        return ["repeat"]

    def _looks(self, job: Job) -> list[str]:
        can_open = self._project(job) is not None
        has_log = (job.folder / EVENTS_FILE).is_file()
        return [*(["open"] if can_open else []), *(["log"] if has_log else [])]

    def _act(self, job: Job, name: str) -> None:
        jobs = self._session.jobs
        if name == "pause":
            jobs.pause()
        elif name == "remove":
            jobs.forget(job)
        elif name == "continue":
            jobs.start(job)
        elif name == "repeat":
            self._repeat(job)
        elif name in ("open", "report"):
            self._open(job, "check" if name == "report" else "improve")
        elif name == "log":
            QDesktopServices.openUrl(QUrl.fromLocalFile(job.folder / EVENTS_FILE))

    def _open(self, job: Job, page: str) -> None:
        project = self._project(job)
        if project is not None:
            self._session.open(project)
            self._session.go(page)

    def _repeat(self, job: Job) -> None:
        project = self._project(job)
        if project is None:
            return
        try:
            run = projects.repeat(project, job.folder, job.steps[0])
        except LabError as error:
            self._banner.say("bad", error.message, error.hint)
            self._banner.show()
            return
        self._session.jobs.start(replace(job, folder=run, text="", hint="", details="", seconds=0.0))
        self._session.refresh()


def _has_answers(run: Path) -> bool:
    """Its report is about the model that lies there: asked again, that would answer the same."""
    return stamp(run / "report.json")[1] >= stamp(run / "adapter" / "adapter.json")[1]
