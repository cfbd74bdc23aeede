"""A word from the system when long work ended and nobody was looking: it names no project and no file."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from lab_desktop import projects
from lab_desktop.errors import RunError
from lab_desktop.files import read_json
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.ui import icons
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.panel import come_to_front
from lab_desktop.ui.words import job_words, number

LONG_S = 60.0
"""Shorter work is not worth a notification."""
_SHOWN_MS = 10_000


class Notices(QObject):
    """Attributes:
    unseen: what was said since the window was in front last; their number is the badge.
    """

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._tray: QSystemTrayIcon | None = None
        self.unseen: list[str] = []
        self._page = "activity"
        session.jobs.ended.connect(self._job_ended)
        session.downloads.came.connect(self._model_came)
        session.sharing.news.connect(self._contribution_went_on)
        session.news.came.connect(self._version_came)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        app.focusWindowChanged.connect(self._looked_at)

    def words(self, job: Job) -> str:
        """What became of a job, in one sentence; "" for what the person did themselves."""
        if job.state is JobState.FAILED:
            return self.tr("{0} needs you.").format(job_words(job))
        if job.state is JobState.BROKEN:
            return self.tr("{0} stopped unexpectedly. What was finished is safe.").format(job_words(job))
        if job.state is not JobState.DONE:
            return ""
        if job.steps[:1] == ("generate",):
            state = projects.state(job.folder, self._session.known.counts(job.folder))
            kept, dropped = number(state.kept), number(state.written - state.kept)
            return self.tr("Practice questions are ready – {0} kept, {1} dropped.").format(kept, dropped)
        if job.steps[:1] == ("train",):
            return self.tr("Training is finished. Now check what the model learned.")
        if "evaluate" in job.steps:
            return self._report_words(job)
        return self.tr("{0} is finished.").format(job_words(job))

    def _report_words(self, job: Job) -> str:
        try:
            name = read_json(job.folder / "report.json", "verdict")["verdict"]["name"]
        except (RunError, KeyError, TypeError):
            name = ""
        verdicts = {
            "clear gain": self.tr("a clear gain"),
            "small gain": self.tr("a small gain"),
            "no gain": self.tr("no gain"),
            "it forgot": self.tr("it forgot something"),
        }
        if name not in verdicts:
            return self.tr("The report is ready.")
        return self.tr("The report is ready – {0}.").format(verdicts[name])

    def _job_ended(self, job: Job) -> None:
        if job.seconds > LONG_S:
            self._tell(self.words(job))

    def _model_came(self, request: DownloadRequest) -> None:
        self._tell(self.tr("{0} is here.").format(request.title))

    def _contribution_went_on(self, text: str) -> None:
        self._tell(text, "share")

    def _version_came(self) -> None:
        self._tell(self.tr("There is a newer version of LAB Desktop."), "about")

    def _tell(self, text: str, page: str = "activity") -> None:
        """
        Args:
            page: shown to who presses the message.
        """
        is_in_front = QApplication.activeWindow() is not None
        if is_in_front or not text or not self._session.preferences.choices.notifies:
            return
        self._page = page
        self.unseen.append(text)
        self._app.setBadgeNumber(len(self.unseen))
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._show(text)

    def _show(self, text: str) -> None:
        if self._tray is None:
            self._tray = QSystemTrayIcon(icons.icon("improve", "text2", 22), self)
            self._tray.messageClicked.connect(self._come)
            self._tray.activated.connect(lambda _: self._come())
        self._tray.setToolTip(text)
        self._tray.show()  # a message is sent only from an icon in sight
        self._tray.showMessage("LAB Desktop", text, self._tray.icon(), _SHOWN_MS)

    def _come(self) -> None:
        come_to_front(self._window)
        self._session.go(self._page)

    def _looked_at(self) -> None:
        if QApplication.activeWindow() is None or not self.unseen:
            return
        self.unseen.clear()
        self._app.setBadgeNumber(0)
        if self._tray is not None:
            self._tray.hide()
