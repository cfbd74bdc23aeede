"""Where the window starts."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PySide6.QtWidgets import QApplication

from lab_desktop import __version__
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look


def main(arguments: Sequence[str] = ()) -> int:
    """Open the window; returns when it is closed."""
    app = QApplication([sys.argv[0], *arguments])
    app.setApplicationName("LAB Desktop")
    app.setApplicationVersion(__version__)
    Look(app)
    window = MainWindow(Session())
    window.show()
    return app.exec()
