"""The small windows beside the main one, the settings, the help and others; each is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from lab_desktop.ui.awake import Awake
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


class Panels:
    def __init__(self, session: Session, awake: Awake, window: QWidget) -> None:
        self._session, self._awake, self._window = session, awake, window
        self._settings: SettingsWindow | None = None
        self._help: HelpWindow | None = None
        self._about: AboutWindow | None = None
        self._licences: LicencesWindow | None = None
        self._problems: ProblemWindow | None = None
        self._check: CheckWindow | None = None

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
            come_to_front(self.help)

    def in_front(self) -> str:
        """The one of NAMES that the keyboard is in; "" for none of them."""
        made = {"help": self._help, "settings": self._settings, "about": self._about, "selftest": self._check}
        return next((name for name, panel in made.items() if panel is not None and panel.isActiveWindow()), "")

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
