"""The small windows beside the main one, the settings, the help and others; each is made when it is first asked for.

A sheet blocks the window it belongs to, with its keys and its small windows. The help and a few keys reach it all the
same: while it is open, they belong to the sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from lab_desktop.ui.awake import Awake
from lab_desktop.ui.help_texts import ARTICLE_OF
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.panel import come_to_front

if TYPE_CHECKING:
    from lab_desktop.ui.about import AboutWindow
    from lab_desktop.ui.check_window import CheckWindow
    from lab_desktop.ui.help_window import HelpWindow
    from lab_desktop.ui.licences_window import LicencesWindow
    from lab_desktop.ui.problem_window import ProblemWindow
    from lab_desktop.ui.settings_window import SettingsWindow

NAMES = ("settings", "help", "words", "about", "licences", "problems", "problem", "selftest")
""""words" is the help at its glossary; "problem" makes a new report, "problems" shows those that are kept."""


class Panels(QObject):
    def __init__(self, session: Session, awake: Awake, window: QWidget, keys: Sequence[QAction] = ()) -> None:
        """
        Args:
            keys: what can be done by key while a sheet is open too.
        """
        super().__init__(window)
        self._session, self._awake, self._window, self._keys = session, awake, window, keys
        self._settings: SettingsWindow | None = None
        self._help: HelpWindow | None = None
        self._about: AboutWindow | None = None
        self._licences: LicencesWindow | None = None
        self._problems: ProblemWindow | None = None
        self._check: CheckWindow | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusWindowChanged.connect(self._reach_sheet)

    def show(self, name: str, entry: str = "") -> None:
        """Bring one of NAMES to the front; of the help an article or a word, of the settings what `entry` finds."""
        if name == "settings":
            come_to_front(self.settings)
            if entry:
                self.settings.look_for(entry)
        elif name == "about":
            come_to_front(self.about)
        elif name == "licences":
            come_to_front(self.licences)
        elif name in ("problem", "problems"):
            come_to_front(self.problems)
            self.problems.report() if name == "problem" else self.problems.look()
        elif name == "selftest":
            come_to_front(self.check)
        else:
            self.help.show_kind("words" if name == "words" else "articles")
            self.help.open(f"word:{entry}" if name == "words" else entry)
            self.help.stand_before(self._sheet() or self._window)
            come_to_front(self.help)

    def in_front(self) -> str:
        """What of ARTICLE_OF the keyboard is in, one of NAMES or a sheet, or "help"; "" for none of them."""
        made: dict[QWidget | None, str] = {
            self._help: "help", self._settings: "settings", self._about: "about", self._check: "selftest",
            self._licences: "licences", self._problems: "problem",
        }  # fmt: skip
        at = QApplication.activeWindow()
        while at is not None:  # a question that is asked belongs to what asked it
            name = made.get(at) or type(at).__name__
            if name == "help" or name in ARTICLE_OF:
                return name
            parent = at.parentWidget()
            at = parent.window() if parent is not None else None
        return ""

    def _reach_sheet(self) -> None:
        """A sheet that has just opened, or come to the front again, gets the keys, and the help if it is open."""
        sheet = self._sheet()
        if sheet is None:
            return
        sheet.addActions(self._keys)  # those it has already stay as they are
        if self._help is not None and self._help.isVisible():
            self._help.stand_before(sheet)

    def _sheet(self) -> QDialog | None:
        """What stands before the window and blocks it."""
        modal = QApplication.activeModalWidget()
        at: QWidget | None = modal
        while at is not None and at is not self._window:
            at = at.parentWidget()
        return modal if at is not None and isinstance(modal, QDialog) else None

    def close(self) -> None:
        for panel in (self._settings, self._help, self._about, self._licences, self._problems, self._check):
            if panel is not None:
                panel.close()

    @property
    def settings(self) -> SettingsWindow:
        if self._settings is None:
            from lab_desktop.ui.settings_window import SettingsWindow

            self._settings = SettingsWindow(self._session, self._awake, self._window)
        return self._settings

    @property
    def help(self) -> HelpWindow:
        if self._help is None:
            from lab_desktop.ui.help_window import HelpWindow

            self._help = HelpWindow(self._window)
        return self._help

    @property
    def about(self) -> AboutWindow:
        if self._about is None:
            from lab_desktop.ui.about import AboutWindow

            self._about = AboutWindow(self._session, self._window)
        return self._about

    @property
    def licences(self) -> LicencesWindow:
        if self._licences is None:
            from lab_desktop.ui.licences_window import LicencesWindow

            self._licences = LicencesWindow(self._window)
        return self._licences

    @property
    def problems(self) -> ProblemWindow:
        if self._problems is None:
            from lab_desktop.ui.problem_window import ProblemWindow

            self._problems = ProblemWindow(self._session, self._window)
        return self._problems

    @property
    def check(self) -> CheckWindow:
        if self._check is None:
            from lab_desktop.ui.check_window import CheckWindow

            self._check = CheckWindow(self._window)
        return self._check
