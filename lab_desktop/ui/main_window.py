"""The window: a sidebar of nouns, the path of the project in hand, a page, what to do next, what runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QMessageBox, QStackedWidget, QWidget

from lab_desktop import problems
from lab_desktop.errors import LabError
from lab_desktop.ui import panels
from lab_desktop.ui.awake import Awake
from lab_desktop.ui.destinations import destinations, read_ahead
from lab_desktop.ui.downloads import DownloadState
from lab_desktop.ui.errand import ErrandState
from lab_desktop.ui.help_texts import ARTICLE_OF
from lab_desktop.ui.jobs import JobState
from lab_desktop.ui.menus import fill_menus
from lab_desktop.ui.mishaps import Mishaps, MishapStrip
from lab_desktop.ui.notices import Notices
from lab_desktop.ui.page_stack import PageStack
from lab_desktop.ui.panels import Panels
from lab_desktop.ui.power import Power
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.tour import STEPS, Tour
from lab_desktop.ui.widgets.basic import column, row, rule
from lab_desktop.ui.widgets.chrome import ActivityBar, Header, NextLine, PathBar, PathStep, Place, Sidebar
from lab_desktop.ui.widgets.palette import Palette
from lab_desktop.ui.widgets.panel import come_to_front
from lab_desktop.ui.widgets.tour_strip import TourStrip
from lab_desktop.ui.words import coming_words, errand_words, job_words, model_word, number, progress_words, safe_words

if TYPE_CHECKING:
    from lab_desktop.contribution.contributions import Contribution
    from lab_desktop.ui.pages.welcome import WelcomePage

_FRAME = QSize(16, 48)
"""More than the title and the edges take that a desktop draws around a window."""
_NARROW_BELOW = 1100
_PATIENCE_MS = 1000
_SLOW_TO_STOP_S = 20.0
"""After so long a job that was asked to stop can be ended by force."""
_MENU_PROJECTS = 12
_BEGIN_SHARING_MS = 1500
_IDLE_MS = 40
"""After so long the window stands, and what was contributed is looked after."""
_PAGE_OF = {
    "meet": "chat", "compare": "chat", "edit": "lesson",
    "contribute": "share", "practice": "improve", "train": "improve", "check": "improve", "use": "improve",
}  # fmt: skip
"""The page of what is a part of one."""


class MainWindow(QMainWindow):
    """Attributes:
    pages: all of them.
    page: the name of the one in front.
    edit_menu: what the page in front can do.
    mishaps: notes what nobody foresaw.
    power: holds work on battery.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._show_choices()
        session.preferences.changed.connect(self._show_choices)
        self.setWindowTitle("LAB Desktop")
        self.setMinimumSize(960, 640)
        self.resize(1440, 900)
        self.pages = PageStack(session)
        self.page = "home"
        self.tour = Tour(session)
        self.tour_strip = TourStrip(self.tour.leave)
        self.mishap_strip = MishapStrip(session)
        self.mishaps = Mishaps(self.mishap_strip, self)
        self._welcome: WelcomePage | None = None
        self.sidebar = Sidebar(self._places(), [self._activity_place()])
        self.header, self.path, self.next_line, self.activity = Header(), PathBar(), NextLine(), ActivityBar()
        right = QWidget()
        parts = column(
            self.header, self.path, rule(), self.mishap_strip, self.tour_strip, self.pages, rule(), self.next_line
        )
        parts.setStretchFactor(self.pages, 1)
        right.setLayout(parts)
        body = row(self.sidebar, rule(is_upright=True), right)
        body.setStretch(2, 1)
        self._frame = QWidget()
        self._frame.setLayout(column(body, rule(), self.activity))
        self._whole = QStackedWidget()
        self._whole.addWidget(self._frame)
        self.setCentralWidget(self._whole)
        self.edit_menu = QMenu(self.tr("&Edit"), self)
        in_sheets = fill_menus(self, session, self._places())
        self._awake = Awake(session.jobs, session.preferences, parent=self)
        self.power = Power(session.jobs, session.preferences, parent=self)
        self._notices = Notices(session, self)
        self.panels = Panels(session, self._awake, self, in_sheets)
        self._palette_window: Palette | None = None

        self.header.anything.clicked.connect(self.find_anything)
        self.header.help.clicked.connect(self.show_help)
        self.sidebar.chosen.connect(self.show_page)
        self.path.chosen.connect(self._show_step)
        self.path.switched.connect(self._switch_project)
        self.activity.opened.connect(lambda: self.show_page("activity"))
        self.activity.button.clicked.connect(self._activity_button)
        self.pages.made.connect(self._page_made)
        session.changed.connect(self.redraw)
        session.wanted.connect(self.show_page)
        session.next_changed.connect(self._redraw_next)
        session.refused.connect(self.tell)
        session.share_wanted.connect(self.share)
        session.jobs.changed.connect(self.redraw)
        session.jobs.said.connect(self._redraw_activity)
        session.downloads.changed.connect(self._redraw_activity)
        session.downloads.said.connect(self._redraw_activity)
        session.publishing.changed.connect(self._redraw_activity)
        session.publishing.said.connect(self._redraw_activity)
        session.sharing.changed.connect(self.redraw)
        session.sharing.said.connect(self._redraw_activity)
        self._heartbeat = QTimer(self, interval=1000)
        self._heartbeat.timeout.connect(self._redraw_activity)
        self.tour.changed.connect(self.redraw)
        self.tour.moved.connect(self._tour_moved)
        self.show_page("home")

    def start(self) -> None:
        """Begin where a person begins: with what there is, or with Welcome where there is nothing yet."""
        if (self.screen().availableSize() - self.size() - _FRAME).isValid():
            self.show()
        else:
            self.showMaximized()  # before it is shown nobody knows its own frame
        QTimer.singleShot(_BEGIN_SHARING_MS, self._session.sharing, self._session.sharing.begin)
        self._session.news.begin()
        if not self._session.projects and not self._session.damaged:
            self.show_page("welcome")

    @property
    def welcome(self) -> WelcomePage:
        if self._welcome is None:
            from lab_desktop.ui.pages.welcome import WelcomePage

            self._welcome = WelcomePage(self._session)
            self._whole.addWidget(self._welcome)
        return self._welcome

    def show_page(self, name: str) -> None:
        """A page; a station or a step of the tour; "welcome", "tour"; "new", "new:lessons": a project; a window."""
        problems.note(f"page {name.partition(':')[0]}")
        if name.partition(":")[0] in panels.NAMES:
            self.panels.show(*name.split(":", maxsplit=1))
        elif name == "welcome":
            self._whole.setCurrentWidget(self.welcome)
            self.welcome.begin()
        elif name in ("new", "new:lessons"):
            self.show_page("home")
            self.pages.home.begin_project()
            if name == "new:lessons":
                self.pages.home.new.choose_folder()
        elif name == "tour":
            self.begin_tour()
        elif (page := _PAGE_OF.get(name, name)) in self.pages.names:
            if name == "meet":
                self.pages.chat.new_chat()
            elif name == "compare":
                self.pages.chat.meet_both()
            elif name == "lesson":
                self._session.leave_library()
            elif name == "contribute":
                QTimer.singleShot(0, self, self.pages.share.share_project)  # once the page is in sight
            elif page == "improve" and name != page:
                self.pages.improve.show_station(name)
            self.page = page
            self._whole.setCurrentWidget(self._frame)
            self.pages.show_page(page)
            self.sidebar.show_place("library" if page == "lesson" else page)
            self._show_edits()
            self.redraw()

    @property
    def palette_window(self) -> Palette:
        """Made when it is first asked for."""
        if self._palette_window is None:
            self._palette_window = Palette(self)
        return self._palette_window

    def find_anything(self) -> None:
        """Open the palette, with everything that is there now."""
        self.palette_window.open(destinations(self, self._session, [*self._places(), self._activity_place()]))

    def show_help(self) -> None:
        """Open the article about what is in front."""
        name = self.panels.in_front()
        if name == "help":
            return
        if not name and self._whole.currentWidget() is self._welcome:
            name = "welcome"
        elif not name:
            name = self.pages.improve.station if self.page == "improve" else self.page
        self.panels.show("help", ARTICLE_OF.get(name, ""))

    def compare(self) -> None:
        """Talk to both, or to one again."""
        self.show_page("chat")
        self.pages.chat.compare()

    def _show_edits(self) -> None:
        """The Edit menu holds what the page in front can do."""
        edits = getattr(self.pages[self.page], "edits", [])
        self.edit_menu.clear()
        self.edit_menu.addActions(edits)
        self.edit_menu.menuAction().setVisible(bool(edits))

    def _page_made(self, name: str) -> None:
        if all(map(self.pages.is_made, self.pages.names)):
            read_ahead()
            QTimer.singleShot(_IDLE_MS, self, self._make_settings)
        if name == "library":
            self.pages.library.changed.connect(self.redraw)
        if name == "chat":
            chat = self.pages.chat
            self.header.chip.setMenu(chat.voices)
            chat.voice_changed.connect(self._redraw_voice)
            chat.answered.connect(self.tour.answered)
            self._redraw_voice()

    def _make_settings(self) -> None:
        """While nobody waits for them; what is seen of them first is dressed a moment later."""
        settings = self.panels.settings
        QTimer.singleShot(_IDLE_MS, settings, settings.ensurePolished)

    def _tour_moved(self) -> None:
        self.redraw()
        self.pages[self.page].entrance().setFocus()  # a step that has no button yet would leave the keyboard nowhere

    def begin_tour(self) -> None:
        """The practice tour, from its beginning or from where it was left."""
        try:
            self.tour.begin()
        except LabError as error:
            self.tell(error)
        else:
            come_to_front(self)

    def _show_choices(self) -> None:
        choices = self._session.preferences.choices
        if look().chosen != choices.appearance:
            look().choose(choices.appearance)
        if look().text_size != choices.text_size / 100:
            look().set_text_size(choices.text_size / 100)

    def share(self, what: Path | Contribution) -> None:
        """Open the sheet that gives a lesson to others."""
        from lab_desktop.ui.pages.share.sheet import ShareSheet

        ShareSheet(self._session, what, self).open()

    def tell(self, error: LabError) -> None:
        """Say why something could not be done."""
        box = QMessageBox(QMessageBox.Icon.NoIcon, "LAB Desktop", error.message, parent=self)
        box.setInformativeText(error.hint)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def redraw(self) -> None:
        """Title, path, next line and activity follow from the session and the page in front."""
        is_touring = bool(self.tour.step)
        self._redraw_next()
        if self.page == "chat":
            self.pages.chat.yield_filled(not self.next_line.button.isHidden())
        self.tour_strip.setVisible(is_touring)
        if is_touring:
            scene = self.tour.scene()
            self.tour_strip.show_step(self.tour.place, len(STEPS), scene.title, scene.text)
        project = self._session.project
        self.path.setVisible(project is not None)
        if project is not None:
            self.path.show_path(project.title, self._path_steps())
            self.path.follow(self.activity.all)
            self.path.show_projects(self._project_choices())
        self.sidebar.set_places(self._places())
        self._redraw_voice()
        self._redraw_activity()

    def _redraw_next(self) -> None:
        page = self.pages[self.page]
        is_left = (
            self.tour.step == "lesson" == self.page and self.pages.lesson.is_unfinished
        )  # no teacher would take it
        is_touring = bool(self.tour.step) and not is_left
        self.next_line.say(*(self.tour.next_step(self.page) if is_touring else page.next_step()))

    def _redraw_voice(self) -> None:
        self.header.show_page(*self.pages[self.page].heading())
        if self.pages.is_made("chat"):
            self.header.show_voice(*self.pages.chat.speaking())
        else:
            try:
                voices = self._session.voices()
            except LabError:  # without the practice model; whoever asks it something is told
                self.header.show_voice(self.tr("Original"), "")
                return
            name = self.tr("Your model") if voices.adapters else self.tr("Original")
            self.header.show_voice(name, model_word(voices.model))

    def _places(self) -> list[Place]:
        return [
            Place("home", self.tr("Home"), "home"),
            Place("library", self.tr("Library"), "library", count=self._lessons()),
            Place("chat", self.tr("Chat"), "chat"),
            Place("improve", self.tr("Improve"), "improve"),
            Place("models", self.tr("Models"), "models"),
            Place("share", self.tr("Share"), "share", news=self._session.sharing.needing),
        ]

    def _activity_place(self) -> Place:
        return Place("activity", self.tr("Activity"), "activity")

    def _lessons(self) -> int:
        return self.pages.library.count if self.pages.is_made("library") else 0

    def _path_steps(self) -> list[PathStep]:
        state = self._session.state
        names = [
            ("choose", self.tr("Choose"), True),
            ("teach", self.tr("Teach"), self._session.project is not None and not self._session.project.needs_lesson),
            ("practice", self.tr("Practice"), state.has_dataset),
            ("train", self.tr("Train"), state.has_adapter),
            ("check", self.tr("Check"), state.has_report),
            ("share", self.tr("Share"), self._is_shared()),
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
        self.show_page({"choose": "home", "teach": "lesson", "share": "contribute"}.get(step, step))

    def _is_shared(self) -> bool:
        """Somebody has a lesson of the project in hand, or it is on its way to them."""
        project = self._session.project
        return project is not None and self._session.sharing.is_shared(project)

    def _redraw_activity(self) -> None:
        jobs = self._session.jobs
        if jobs.current is None:
            self._heartbeat.stop()
            self._redraw_download()
            return
        if not self._heartbeat.isActive():
            self._heartbeat.start()
        is_stopping = jobs.current.state is JobState.STOPPING
        progress = jobs.progress
        what = progress.text if progress else job_words(jobs.current)
        title = self.tr("for “{0}”").format(jobs.current.title)
        parts = [title, *progress_words(progress, jobs.pace, time.monotonic() - jobs.last_word)]
        button, icon = self.tr("Pause"), "pause"
        if is_stopping:
            is_slow = time.monotonic() - jobs.asked_at > _SLOW_TO_STOP_S
            parts = [self.tr("saving what is finished …")]
            button, icon = (self.tr("Stop now"), "stop") if is_slow else ("", "pause")
            if is_slow:
                parts.append(safe_words(jobs.current))
        if jobs.waiting:
            parts.append(self.tr("{0} waiting").format(number(len(jobs.waiting))))
        share = progress.done / progress.total if progress and progress.total else None
        self.activity.work(what, " · ".join(parts), share, is_stopping, button, icon)

    def _redraw_download(self) -> None:
        """Beside a heavy job a download has no place of its own; the models' page shows it."""
        download = self._session.downloads.current
        if download is None:
            self._redraw_publishing()
            return
        share = download.done / download.total if download.total else None
        words = " · ".join([download.request.title, *coming_words(download, self._session.downloads.pace)])
        is_stopping = download.state is DownloadState.STOPPING
        self.activity.work(
            self.tr("Downloading"), words, share, is_stopping, "" if is_stopping else self.tr("Pause"), "pause"
        )

    def _redraw_publishing(self) -> None:
        publishing = self._session.publishing
        if not publishing.is_busy:
            self._redraw_sharing()
            return
        progress = publishing.progress
        share = progress.done / progress.total if progress and progress.total else None
        is_stopping = publishing.state is ErrandState.STOPPING
        words = errand_words(publishing)
        self.activity.work(
            self.tr("Publishing"), words, share, is_stopping, "" if is_stopping else self.tr("Pause"), "pause"
        )

    def _redraw_sharing(self) -> None:
        sharing = self._session.sharing
        if not sharing.errand.is_busy:
            is_fine = self._session.unsaved is None
            self.activity.rest("" if is_fine else self.tr("Nothing can be saved."), is_fine)
            return
        progress = sharing.errand.progress
        share = progress.done / progress.total if progress and progress.total else None
        is_stopping = sharing.errand.state is ErrandState.STOPPING
        words = sharing.words
        self.activity.work(
            self.tr("Sharing"), words, share, is_stopping, "" if is_stopping else self.tr("Stop"), "pause"
        )

    def _activity_button(self) -> None:
        jobs = self._session.jobs
        download = self._session.downloads.current
        if jobs.current is None and download is not None:
            self._session.downloads.pause(download.request)
        elif jobs.current is None and self._session.publishing.is_busy:
            self._session.publishing.pause()
        elif jobs.current is None and self._session.sharing.errand.is_busy:
            self._session.sharing.pause()
        elif jobs.current is not None and jobs.current.state is JobState.STOPPING:
            jobs.stop_now()
        else:
            jobs.pause()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sidebar.set_narrow(self.width() < _NARROW_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:
        jobs = self._session.jobs
        if jobs.is_busy:
            box = QMessageBox(self)
            box.setText(self.tr("Work is going on."))
            safe = self.tr("Everything finished so far is saved; the next start goes on there.")
            if jobs.waiting:
                safe += " " + self.tr("What still waits has not begun; Activity keeps it for the next time.")
            box.setInformativeText(safe)
            pause = box.addButton(self.tr("Pause and quit"), QMessageBox.ButtonRole.AcceptRole)
            box.addButton(self.tr("Keep working"), QMessageBox.ButtonRole.RejectRole)
            box.setDefaultButton(pause)
            box.exec()
            if box.clickedButton() is not pause:
                event.ignore()
                return
            self.hide()  # what is being saved needs no one to look on
            jobs.stop_all()
        self._session.downloads.stop_all()
        self._session.publishing.stop()
        self._session.moving.stop()
        self._session.sharing.stop()
        self._session.news.stop()
        self.panels.close()
        if self.pages.is_made("library"):
            self.pages.library.shelf.close()
        self._awake.let_go(_PATIENCE_MS)
        self._session.chat.quit()
        event.accept()
