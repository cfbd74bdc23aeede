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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is measured comes first: threads and windows that other tests left behind would be measured too."""
    items.sort(key=lambda item: "test_stalls" not in item.nodeid)


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
    made.jobs.stop_all()
    made.chat.quit()


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> MainWindow:
    made = MainWindow(session)
    qtbot.addWidget(made, before_close_func=lambda _: session.jobs.stop_all())
    made.show()
    qtbot.waitExposed(made)
    return made
