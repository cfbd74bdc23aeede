"""Where the window starts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from lab_desktop import __version__, chats, problems, projects
from lab_desktop.ui.collector import Collector
from lab_desktop.ui.icons import program_icon
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.opening import Opening
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look

_SETTLED_MS = 5000
"""After so long the window has made its pages."""


def has_screen() -> bool:
    """Is there anything to show a window on? Qt ends the process where there is not."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def dressed() -> QApplication:
    """The application, with its name and its look."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("LAB Desktop")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("lab-desktop")
    app.setWindowIcon(program_icon())
    Look(app)
    return app


def main(file: Path | None = None) -> int:
    """Open the window; returns when it is closed.

    Args:
        file: a .labpack to take in.
    """
    watch = problems.watch("window")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the terminal: Qt's loop would never look for it
    app = dressed()
    collector = Collector(app)
    session = Session()
    threading.Thread(target=_empty_bins, args=(session.root, session.chats, session.bins_time), daemon=True).start()
    window = MainWindow(session)
    window.mishaps.take_over()
    window.start()
    opening = Opening(window)
    app.installEventFilter(opening)
    if file is not None:
        opening.open(file)
    QTimer.singleShot(_SETTLED_MS, collector, collector.settle)
    status = app.exec()
    watch.end()
    return status


def _empty_bins(root: Path, saved: Path, now: float) -> None:
    """Delete for good what has lain in the bins for as long as was promised; nobody waits for it."""
    projects.empty_bin(root, now=now)
    chats.clear_bin(saved, now)
    from lab_desktop.contribution import contributions  # takes a moment to load

    contributions.empty_bin(now)
