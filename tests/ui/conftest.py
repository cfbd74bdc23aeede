"""A window without a screen, with a person's folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop.ui.collector import Collector
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look, look


@pytest.fixture(scope="session")
def collector(qapp: QApplication) -> Collector:
    """Cycles are collected as in the window's own process."""
    made = Collector(qapp)
    made.settle()
    return made


@pytest.fixture(autouse=True)
def shown(collector: Collector) -> Look:
    """The look, light and in normal size."""
    collector.collect()
    # Windows of earlier tests go now: every style that is set would be set on them too.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    found = look()
    found.choose("light")
    if found.text_size != 1.0:
        found.set_text_size(1.0)
    return found


@pytest.fixture
def session(own_home: Path) -> Iterator[Session]:
    made = Session(own_home)
    yield made
    made.jobs.stop_all(wait_ms=0)
    made.sharing.stop(patience_ms=0)
    made.chat.quit()


def end_jobs(session: Session) -> None:
    """End what works, and be sure of it: a window that closes while work goes on asks, and nobody answers."""
    session.jobs.stop_all(wait_ms=0)
    if session.jobs.worker is not None:
        session.jobs.worker.process.waitForFinished(30_000)


@pytest.fixture
def window(request: pytest.FixtureRequest, session: Session, qtbot: QtBot) -> MainWindow:
    """The window, offscreen. Pages are made when they are asked for; where time is measured, by and by as well."""
    made = MainWindow(session)
    qtbot.addWidget(made, before_close_func=lambda _: end_jobs(session))
    made.show()
    qtbot.waitExposed(made)
    if request.node.get_closest_marker("alone") is None:
        made.pages._idle.stop()
    return made
