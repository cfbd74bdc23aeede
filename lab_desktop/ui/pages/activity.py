"""Activity: every job, today's and earlier ones, with what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from lab_desktop.errors import RunError
from lab_desktop.jobs.run import EVENTS_FILE
from lab_desktop.ui.jobs import Job, JobState, read_journal
from lab_desktop.ui.pages.home import STATE_ICONS
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button, Card, ElidedLabel, Icon, Label, column, row, rule
from lab_desktop.ui.words import duration, job_words, state_words

_MOST = 200


class ActivityPage(QScrollArea):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        session.jobs.changed.connect(self.redraw)
        self.redraw()

    def heading(self) -> tuple[str, str]:
        return self.tr("Activity"), self.tr("one heavy job at a time")

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        return "", "", lambda: None

    def redraw(self) -> None:
        jobs = self._session.jobs
        parts: list[QWidget] = []
        try:
            past = read_journal(self._session.journal)[-_MOST:][::-1]
        except RunError as error:
            past = []
            parts.append(Banner("bad", error.message, error.hint))
        now = [job for job in (jobs.current, *jobs.waiting) if job is not None]
        midnight = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
        for title, some in (
            (self.tr("Now"), now),
            (self.tr("Today"), [job for job in past if job.began >= midnight]),
            (self.tr("Earlier"), [job for job in past if job.began < midnight]),
        ):
            if some:
                card = Card(*(self._row(job, is_first=number == 0) for number, job in enumerate(some)), padding=(16, 4))
                group = QWidget()
                group.setLayout(column(Label(title, "head"), card, gap=8))
                parts.append(group)
        if not now and not past:
            parts.append(Label(self.tr("Nothing has run yet. Jobs appear here with their result."), "reading", "text2"))
        inside = QWidget()
        inside.setLayout(column(*parts, -1, gap=24, margins=(32, 24, 32, 24)))
        self.setWidget(inside)

    def _row(self, job: Job, is_first: bool) -> QWidget:
        icon, tone = STATE_ICONS.get(job.state, ("clock", "text2"))
        if job.state is JobState.WAITING:
            ahead = self._session.jobs.current
            text = self.tr("after {0}").format(job_words(ahead).lower()) if ahead else ""
        else:
            text = job.text or (duration(job.seconds) if job.state.is_over else "")
        detail = ElidedLabel(text, "small", "text2")
        line = row(Icon(icon, tone), Label(job_words(job), "strong"), Label(job.title, "body", "text2"), detail, gap=10)
        line.setStretch(3, 1)
        line.addWidget(Label(state_words(job), "label", tone if job.state.is_over else "text2"))
        if job.began:
            line.addWidget(Label(time.strftime("%d.%m. %H:%M", time.localtime(job.began)), "small", "text3"))
        for button in self._buttons(job):
            line.addWidget(button)
        line.setContentsMargins(0, 7, 0, 7)
        made = QWidget()
        made.setLayout(column(*([] if is_first else [rule()]), line))
        return made

    def _buttons(self, job: Job) -> list[Button]:
        jobs = self._session.jobs
        if job.state is JobState.RUNNING:
            return [Button(self.tr("Pause"), size="small", icon="pause", on_click=jobs.pause)]
        if job.state is JobState.WAITING:
            return [Button(self.tr("Remove"), "quiet", size="small", on_click=lambda: jobs.forget(job))]
        if job.state is JobState.STOPPING or not (job.folder / "request.json").is_file():
            return []
        made = []
        if job.state is not JobState.DONE:
            made.append(Button(self.tr("Continue"), size="small", icon="play", on_click=lambda: jobs.start(job)))
        log = job.folder / EVENTS_FILE
        made.append(
            Button(
                self.tr("Log"),
                "quiet",
                size="small",
                on_click=lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(log)),
            )
        )
        return made
