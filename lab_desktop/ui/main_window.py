"""The window: a sidebar of nouns, the path of the project in hand, a page, what to do next, what runs."""

from __future__ import annotations

import functools
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox, QStackedWidget, QWidget

from lab_desktop import projects
from lab_desktop.errors import LabError
from lab_desktop.jobs.events import Event
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.pages.home import HomePage
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import column, row, rule
from lab_desktop.ui.widgets.chrome import ActivityBar, Header, NextLine, PathBar, PathStep, Place, Sidebar
from lab_desktop.ui.words import job_words, progress_words

if TYPE_CHECKING:
    from lab_desktop.ui.pages.activity import ActivityPage
    from lab_desktop.ui.pages.chat import ChatPage
    from lab_desktop.ui.pages.improve.page import ImprovePage

    Page = HomePage | ChatPage | ImprovePage | ActivityPage

_NARROW_BELOW = 1100
_IDLE_MS = 40
_LATER = (
    "jsonschema", "yamllint.config", "lab_desktop.taxonomy.check", "lab_desktop.ui.pages.chat",
    "lab_desktop.ui.pages.improve.page", "lab_desktop.ui.pages.activity",
)  # fmt: skip
"""What is imported one by one when the window stands: what pages and lessons need, dear ones by themselves."""
_MENU_PROJECTS = 12
Keys = QKeySequence | QKeySequence.StandardKey


class MainWindow(QMainWindow):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setWindowTitle("LAB Desktop")
        self.setMinimumSize(960, 640)
        self.resize(1440, 900)
        self._stack = QStackedWidget()
        self._pages = _Pages(
            {
                "home": lambda: HomePage(session),
                "chat": lambda: _chat_page(session),
                "improve": lambda: _improve_page(session),
                "activity": lambda: _activity_page(session),
            },
            self._stack,
        )
        self._page = self._pages["home"]
        self.sidebar = Sidebar(self._places(), [Place("activity", self.tr("Activity"), "activity")])
        self.header, self.path, self.next_line, self.activity = Header(), PathBar(), NextLine(), ActivityBar()
        right = QWidget()
        right.setLayout(column(self.header, self.path, rule(), self._stack, rule(), self.next_line))
        body = row(self.sidebar, rule(is_upright=True), right)
        body.setStretch(2, 1)
        whole = QWidget()
        whole.setLayout(column(body, rule(), self.activity))
        self.setCentralWidget(whole)
        self._make_menus()

        self.sidebar.chosen.connect(self.show_page)
        self.path.chosen.connect(self._show_step)
        self.path.switched.connect(self._switch_project)
        self.activity.opened.connect(lambda: self.show_page("activity"))
        self.activity.button.clicked.connect(self._activity_button)
        session.changed.connect(self.redraw)
        session.wanted.connect(self.show_page)
        session.jobs.changed.connect(self.redraw)
        session.jobs.said.connect(self._hear)
        session.jobs.ended.connect(self._job_ended)
        self._idle = QTimer(self, interval=_IDLE_MS)
        self._idle.timeout.connect(self._make_a_page)
        self._heartbeat = QTimer(self, interval=1000)
        self._heartbeat.timeout.connect(self._redraw_activity)
        self.show_page("home")

    def show_page(self, name: str) -> None:
        if name == "new":
            self.new_project()
            return
        if name == "tour":
            if not any(project.is_practice for project in self._session.projects):
                self._session.new_practice()
            name = "improve"
        if name not in self._pages.makers:
            return
        page = self._page = self._pages[name]
        self._stack.setCurrentWidget(page)
        self.sidebar.show_place(name)
        self.redraw()

    def new_project(self) -> None:
        """Ask for a folder with lessons, and make a project of them."""
        title = self.tr("Choose a folder with lessons (qna.yaml)")
        folder = QFileDialog.getExistingDirectory(self, title)
        if not folder:
            return
        try:
            leaves = find_leaves(Path(folder))
            read = [read_leaf(leaf) for leaf in leaves]
            project = projects.create(
                self._session.root, read[0].title if len(read) == 1 else Path(folder).name, leaves
            )
        except LabError as error:
            box = QMessageBox(QMessageBox.Icon.NoIcon, "LAB Desktop", error.message, parent=self)
            box.setInformativeText(error.hint)
            box.exec()
            return
        self._session.open(project)
        self.show_page("improve")

    def redraw(self) -> None:
        """Title, path, next line and activity follow from the session and the page in front."""
        page = self._page
        self.header.show_page(*page.heading())
        self.next_line.say(*page.next_step())
        project = self._session.project
        self.path.setVisible(project is not None)
        if project is not None:
            self.path.show_path(project.title, self._path_steps())
            self.path.show_projects(self._project_choices())
        self.sidebar.set_places(self._places())
        voices = self._session.voices()
        self.header.show_voice(
            self.tr("Your model") if voices.adapters else self.tr("Original"), _short(voices.model.stem)
        )
        self._redraw_activity()

    def _places(self) -> list[Place]:
        return [
            Place("home", self.tr("Home"), "home"),
            Place("chat", self.tr("Chat"), "chat"),
            Place("improve", self.tr("Improve"), "improve"),
        ]

    def _path_steps(self) -> list[PathStep]:
        state = self._session.state
        names = [
            ("choose", self.tr("Choose"), True),
            ("teach", self.tr("Teach"), True),
            ("practice", self.tr("Practice"), state.has_dataset),
            ("train", self.tr("Train"), state.has_adapter),
            ("check", self.tr("Check"), state.has_report),
        ]
        now = next((number for number, (_, _, is_done) in enumerate(names) if not is_done), len(names) - 1)
        return [
            PathStep(name, title, "done" if is_done else "now" if number == now else "later")
            for number, (name, title, is_done) in enumerate(names)
        ]

    def _project_choices(self) -> list[tuple[str, str, bool]]:
        in_hand = self._session.project
        newest = [
            (str(each.folder), each.title, in_hand is not None and each.folder == in_hand.folder)
            for each in self._session.projects[:_MENU_PROJECTS]
        ]
        others = [("", "", False), ("home", self.tr("All projects"), False), ("new", self.tr("New project…"), False)]
        return [*newest, *others]

    def _switch_project(self, name: str) -> None:
        project = next((each for each in self._session.projects if str(each.folder) == name), None)
        if project is not None:
            self._session.open(project)
        else:
            self.show_page(name)

    def _show_step(self, step: str) -> None:
        """Go where a step of the path is done."""
        if step in ("practice", "train", "check"):
            self.show_page("improve")
            improve: ImprovePage = self._pages["improve"]  # type: ignore[assignment]
            improve.show_station(step)
        else:
            self.show_page("library" if step == "teach" and "library" in self._pages.makers else "home")

    def _hear(self, event: Event) -> None:
        self._redraw_activity()

    def _job_ended(self, job: Job) -> None:
        self.redraw()

    def _redraw_activity(self) -> None:
        jobs = self._session.jobs
        if jobs.current is None:
            self._heartbeat.stop()
            self.activity.rest()
            return
        if not self._heartbeat.isActive():
            self._heartbeat.start()
        is_stopping = jobs.current.state is JobState.STOPPING
        progress = jobs.progress
        what = progress.text if progress else job_words(jobs.current)
        title = self.tr("for “{0}”").format(jobs.current.title)
        parts = [title, *progress_words(progress, jobs.pace, time.monotonic() - jobs.last_word)]
        if is_stopping:
            parts = [self.tr("saving what is finished …")]
        share = progress.done / progress.total if progress and progress.total else None
        self.activity.work(
            what, " · ".join(parts), share, is_stopping, "" if is_stopping else self.tr("Pause"), "pause"
        )

    def _activity_button(self) -> None:
        self._session.jobs.pause()

    def _make_menus(self) -> None:
        bar = self.menuBar()
        file = bar.addMenu(self.tr("&File"))
        self._action(file, self.tr("New Project…"), QKeySequence.StandardKey.New, lambda: self._session.go("new"))
        file.addSeparator()
        self._action(file, self.tr("Close Window"), QKeySequence.StandardKey.Close, self.close)
        quit_action = self._action(file, self.tr("Quit LAB Desktop"), QKeySequence.StandardKey.Quit, self.close)
        quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        view = bar.addMenu(self.tr("&View"))
        for number, place in enumerate(self._places(), start=1):
            self._action(
                view, place.title, QKeySequence(f"Ctrl+{number}"), functools.partial(self.show_page, place.name)
            )
        improve = bar.addMenu(self.tr("&Improve"))
        self._action(improve, self.tr("Pause"), QKeySequence("Ctrl+Alt+P"), self._session.jobs.pause)

    def _action(self, menu: QMenu, text: str, keys: Keys, do: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.setShortcut(keys)
        action.triggered.connect(lambda _: do())
        menu.addAction(action)
        return action

    def _make_a_page(self) -> None:
        """While nobody asks for anything: the next import, or the next page that is not there yet."""
        missing = next((module for module in _LATER if module not in sys.modules), "")
        if missing:
            importlib.import_module(missing)
            return
        name = next((name for name in self._pages.makers if name not in self._pages), None)
        if name is None:
            self._idle.stop()
        else:
            self._pages[name]

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._idle.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sidebar.set_narrow(self.width() < _NARROW_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:
        jobs = self._session.jobs
        if jobs.is_busy:
            box = QMessageBox(self)
            box.setText(self.tr("Work is going on."))
            box.setInformativeText(self.tr("Everything finished so far is saved; the next start goes on there."))
            pause = box.addButton(self.tr("Pause and quit"), QMessageBox.ButtonRole.AcceptRole)
            box.addButton(self.tr("Keep working"), QMessageBox.ButtonRole.RejectRole)
            box.setDefaultButton(pause)
            box.exec()
            if box.clickedButton() is not pause:
                event.ignore()
                return
            jobs.stop_all()
        self._session.chat.close()
        event.accept()


class _Pages(dict[str, "Page"]):
    """The pages by name; each is made, and what it needs imported, when it is first asked for."""

    def __init__(self, makers: dict[str, Callable[[], Page]], stack: QStackedWidget) -> None:
        super().__init__()
        self.makers = makers
        self._stack = stack

    def __missing__(self, name: str) -> Page:
        page = self[name] = self.makers[name]()
        self._stack.addWidget(page)
        return page


def _chat_page(session: Session) -> ChatPage:
    from lab_desktop.ui.pages.chat import ChatPage

    return ChatPage(session)


def _improve_page(session: Session) -> ImprovePage:
    from lab_desktop.ui.pages.improve.page import ImprovePage

    return ImprovePage(session)


def _activity_page(session: Session) -> ActivityPage:
    from lab_desktop.ui.pages.activity import ActivityPage

    return ActivityPage(session)


def _short(model: str) -> str:
    return model.split(".Q")[0].replace("-Instruct", "")
