"""The window: a sidebar of nouns, the path of the project in hand, a page, what to do next, what runs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox, QStackedWidget, QWidget

from lab_desktop import projects
from lab_desktop.errors import LabError
from lab_desktop.jobs.events import Event
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.about import AboutWindow
from lab_desktop.ui.awake import Awake
from lab_desktop.ui.help_window import HelpWindow
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.notices import Notices
from lab_desktop.ui.pages.activity import ActivityPage
from lab_desktop.ui.pages.chat import ChatPage
from lab_desktop.ui.pages.home import HomePage
from lab_desktop.ui.pages.improve.page import ImprovePage
from lab_desktop.ui.preferences import TEXT_STEP, Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_window import SettingsWindow
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import column, row, rule
from lab_desktop.ui.widgets.chrome import ActivityBar, Header, NextLine, PathBar, PathStep, Place, Sidebar
from lab_desktop.ui.widgets.panel import come_to_front
from lab_desktop.ui.words import job_words, progress_words

_NARROW_BELOW = 1100
_PATIENCE_MS = 1000
Keys = QKeySequence | QKeySequence.StandardKey


class MainWindow(QMainWindow):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._show_choices()
        session.preferences.changed.connect(self._show_choices)
        self.setWindowTitle("LAB Desktop")
        self.setMinimumSize(960, 640)
        self.resize(1440, 900)
        self._pages: dict[str, HomePage | ChatPage | ImprovePage | ActivityPage] = {
            "home": HomePage(session),
            "chat": ChatPage(session),
            "improve": ImprovePage(session),
            "activity": ActivityPage(session),
        }
        self._page = self._pages["home"]
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
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
        self._awake = Awake(session.jobs, session.preferences, parent=self)
        self._notices = Notices(session, self)
        self._panels: dict[str, SettingsWindow | HelpWindow | AboutWindow] = {}

        self.sidebar.chosen.connect(self.show_page)
        self.activity.opened.connect(lambda: self.show_page("activity"))
        self.activity.button.clicked.connect(self._activity_button)
        session.changed.connect(self.redraw)
        session.wanted.connect(self.show_page)
        session.jobs.changed.connect(self.redraw)
        session.jobs.said.connect(self._hear)
        session.jobs.ended.connect(self._job_ended)
        self._heartbeat = QTimer(self, interval=1000)
        self._heartbeat.timeout.connect(self._redraw_activity)
        self.show_page("home")

    def show_page(self, name: str) -> None:
        if name == "new":
            self.new_project()
            return
        if name == "tour":
            if not self._open_practice():
                return
            name = "improve"
        if name.partition(":")[0] in ("settings", "help", "words", "about"):
            self._show_panel(*name.split(":", maxsplit=1))
            return
        page = self._pages.get(name)
        if page is None:
            return
        self._page = page
        self._stack.setCurrentWidget(page)
        self.sidebar.show_place(name)
        self.redraw()

    def _open_practice(self) -> bool:
        """Take the practice project in hand, made anew where there is none; False when it cannot be made."""
        practice = next((project for project in self._session.projects if project.is_practice), None)
        try:
            if practice is None:
                self._session.new_practice()
            else:
                self._session.open(practice)
        except LabError as error:
            box = QMessageBox(QMessageBox.Icon.NoIcon, "LAB Desktop", error.message, parent=self)
            box.setInformativeText(error.hint)
            box.open()
            return False
        come_to_front(self)
        return True

    def _show_panel(self, name: str, entry: str = "") -> None:
        """A small window beside this one, made when it is asked for first; of the help an article or a word."""
        kind = "help" if name == "words" else name
        if kind not in self._panels:
            self._panels[kind] = (
                SettingsWindow(self._session, self._awake, self)
                if kind == "settings"
                else HelpWindow(self)
                if kind == "help"
                else AboutWindow(self._session, self)
            )
        panel = self._panels[kind]
        if isinstance(panel, HelpWindow):
            panel.show_kind("words" if name == "words" else "articles")
            panel.open(f"word:{entry}" if name == "words" else entry)
        come_to_front(panel)

    def _show_choices(self) -> None:
        choices = self._session.preferences.choices
        if look().chosen != choices.appearance:
            look().choose(choices.appearance)
        if look().text_size != choices.text_size / 100:
            look().set_text_size(choices.text_size / 100)

    def _resize_text(self, by: int) -> None:
        preferences = self._session.preferences
        choices = preferences.choices
        preferences.choose(choices.with_text(choices.text_size + by if by else Choices().text_size))

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
        parts = [f"“{jobs.current.title}”", *progress_words(progress, jobs.pace, time.monotonic() - jobs.last_word)]
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
        settings = self._action(
            file, self.tr("Settings…"), QKeySequence("Ctrl+,"), functools.partial(self.show_page, "settings")
        )
        settings.setMenuRole(QAction.MenuRole.PreferencesRole)
        everywhere = [settings]
        view = bar.addMenu(self.tr("&View"))
        for number, place in enumerate(self._places(), start=1):
            self._action(
                view, place.title, QKeySequence(f"Ctrl+{number}"), functools.partial(self.show_page, place.name)
            )
        view.addSeparator()
        larger = self._action(
            view, self.tr("Larger Text"), QKeySequence("Ctrl++"), lambda: self._resize_text(TEXT_STEP)
        )
        larger.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])  # the same key without Shift
        smaller = self._action(
            view, self.tr("Smaller Text"), QKeySequence("Ctrl+-"), lambda: self._resize_text(-TEXT_STEP)
        )
        normal = self._action(view, self.tr("Normal Text"), QKeySequence("Ctrl+0"), lambda: self._resize_text(0))
        everywhere += [larger, smaller, normal]
        improve = bar.addMenu(self.tr("&Improve"))
        self._action(improve, self.tr("Pause"), QKeySequence("Ctrl+Alt+P"), self._session.jobs.pause)
        helping = bar.addMenu(self.tr("&Help"))
        for text, keys, page in (
            (self.tr("LAB Desktop Help"), QKeySequence(QKeySequence.StandardKey.HelpContents), "help"),
            (self.tr("What Does This Word Mean?"), QKeySequence(QKeySequence.StandardKey.WhatsThis), "words"),
            (self.tr("Practice Again"), QKeySequence(), "tour"),
            (self.tr("About LAB Desktop"), QKeySequence(), "about"),
        ):
            made = self._action(helping, text, keys, functools.partial(self._session.go, page))
            if page == "about":
                made.setMenuRole(QAction.MenuRole.AboutRole)
            everywhere.append(made)
        for action in everywhere:
            action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)

    def _action(self, menu: QMenu, text: str, keys: Keys, do: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.setShortcut(keys)
        action.triggered.connect(lambda _: do())
        menu.addAction(action)
        return action

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
        for panel in self._panels.values():
            panel.close()
        self._awake.let_go(_PATIENCE_MS)
        self._session.chat.close()
        event.accept()


def _short(model: str) -> str:
    return model.split(".Q")[0].replace("-Instruct", "")
