"""Where the window starts."""

from __future__ import annotations

import signal
import sys
import threading

from PySide6.QtWidgets import QApplication

from lab_desktop import __version__, projects
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look


def main() -> int:
    """Open the window; returns when it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the terminal: Qt's loop would never look for it
    app = QApplication(sys.argv[:1])
    app.setApplicationName("LAB Desktop")
    app.setApplicationVersion(__version__)
    Look(app)
    session = Session()
    threading.Thread(target=projects.empty_bin, args=(session.root,), daemon=True).start()
    window = MainWindow(session)
    window.show()
    return app.exec()
