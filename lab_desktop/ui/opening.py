"""A lesson file that is opened from outside the window, by a double click or a command: the library takes it in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFileOpenEvent

from lab_desktop.ui.guard import guarded
from lab_desktop.ui.main_window import MainWindow


class Opening(QObject):
    """Hears, as a filter of the application's events, what the system wants opened."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            from lab_desktop.contribution.destinations import PACK

            file = Path(event.file())
            if file.suffix.lower() == PACK:
                guarded(lambda: self.open(file))
                return True
        return super().eventFilter(watched, event)

    def open(self, file: Path) -> None:
        """Show the library, and what is in the file once the library is read."""
        self._window.show_page("library")
        library = self._window.pages.library
        if library.shelf.is_open:
            library.import_file(file)
        else:
            once = Qt.ConnectionType.SingleShotConnection
            library.shelf.opened.connect(lambda: library.import_file(file), once)
