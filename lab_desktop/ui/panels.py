"""The small windows beside the main one: settings, help, about; each is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from lab_desktop.ui.awake import Awake
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.panel import come_to_front

if TYPE_CHECKING:
    from lab_desktop.ui.about import AboutWindow
    from lab_desktop.ui.help_window import HelpWindow
    from lab_desktop.ui.settings_window import SettingsWindow

NAMES = ("settings", "help", "words", "about")
""""words" is the help at its glossary."""


class Panels:
    def __init__(self, session: Session, awake: Awake, window: QWidget) -> None:
        self._session, self._awake, self._window = session, awake, window
        self._settings: SettingsWindow | None = None
        self._help: HelpWindow | None = None
        self._about: AboutWindow | None = None

    def show(self, name: str, entry: str = "") -> None:
        """Bring one of NAMES to the front; of the help an article or a word, of the settings what `entry` finds."""
        if name == "settings":
            come_to_front(self.settings)
            if entry:
                self.settings.look_for(entry)
        elif name == "about":
            come_to_front(self.about)
        else:
            self.help.show_kind("words" if name == "words" else "articles")
            self.help.open(f"word:{entry}" if name == "words" else entry)
            come_to_front(self.help)

    def close(self) -> None:
        for panel in (self._settings, self._help, self._about):
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
