"""Cycles of Qt objects end in the window's thread, whichever thread makes Python look for them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import Counter
from pathlib import Path

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from pytestqt.qtbot import QtBot

from lab_desktop.ui.chat_process import ChatProcess, Voices
from lab_desktop.ui.collector import Collector
from lab_desktop.ui.jobs import Job
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.panels import NAMES
from lab_desktop.ui.session import Session
from tests.screenshots import states
from tests.ui.conftest import end_jobs
from tests.ui.test_jobs import run_folder


class Knot(QObject):
    """Held by itself alone, once it is let go of."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def make_much() -> None:
    for _ in range(50):
        _kept = [[number] for number in range(2000)]


def test_a_cycle_is_deleted_in_the_window_s_thread(collector: Collector, qtbot: QtBot) -> None:
    ended: list[int] = []
    knot = Knot()
    gone = weakref.ref(knot, lambda _: ended.append(threading.get_ident()))
    del knot
    busy = threading.Thread(target=make_much)
    busy.start()
    busy.join()

    assert gone() is not None
    assert not gc.isenabled()
    held = [[number] for number in range(5000)]
    qtbot.waitUntil(lambda: gone() is None, timeout=5000)
    assert ended == [threading.get_ident()]
    assert held


def test_the_oldest_are_searched_when_the_window_has_little_to_do(collector: Collector, qtbot: QtBot) -> None:
    knot = Knot()
    gone = weakref.ref(knot)
    for _ in range(gc.get_threshold()[2] + 2):  # it grows old, and the oldest are due
        gc.collect(1)
    del knot
    work = QTimer(interval=0)
    work.timeout.connect(lambda: sum(range(10_000)))
    work.start()

    qtbot.wait(1000)
    assert gone() is not None
    work.stop()
    qtbot.waitUntil(lambda: gone() is None, timeout=20_000)


def of_the_window() -> Counter[str]:
    """What is there of our own widgets and other objects of Qt, by class; what is deleted but still held counts too."""
    for _ in range(2):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
    ours = (type(each) for each in gc.get_objects() if isinstance(each, QObject))
    return Counter(kind.__qualname__ for kind in ours if kind.__module__.startswith("lab_desktop.ui."))


def open_everything(home: Path) -> None:
    """A window, with all its pages and small windows, until it is closed."""
    session = Session(home)
    window = MainWindow(session)
    window.start()
    for name in (*window.pages.names, *NAMES, "welcome"):
        window.show_page(name)
    window.find_anything()
    end_jobs(session)
    window.close()
    window.deleteLater()


def test_a_window_that_is_closed_leaves_nothing_behind(own_home: Path, qtbot: QtBot) -> None:
    states.write_report(states.project(own_home / "projects"))
    states.library(own_home)
    open_everything(own_home)  # what lives as long as the program is made now
    qtbot.wait(100)
    before = of_the_window()

    open_everything(own_home)
    qtbot.wait(100)

    assert of_the_window() - before == Counter()


def test_a_window_that_goes_while_a_big_file_is_read_is_not_told(session: Session, qtbot: QtBot) -> None:
    made = states.project(session.root)
    run = states.write_practice(made, 20_000)
    other = Session(session.home)
    window = MainWindow(other)
    other.known.state(run)
    readers = [thread for thread in threading.enumerate() if thread.name.endswith("(_read)")]

    window.close()
    shiboken6.delete(window)
    shiboken6.delete(other)
    for reader in readers:
        reader.join(30)
    qtbot.wait(100)


def test_what_is_destroyed_with_its_child_at_work_is_not_told_of_its_end(
    session: Session, qtbot: QtBot, tmp_path_factory: object
) -> None:
    chat = ChatProcess()
    chat.use(Voices(session.home / "no-such-model.gguf"))
    chat.ask([])
    runner = Session(session.home)
    runner.jobs.start(Job(run_folder(session.home / "run"), ("generate",), "Orra"))
    told: list[object] = []
    runner.jobs.ended.connect(told.append)
    chat.failed.connect(lambda *said: told.append(said))
    assert runner.jobs.worker is not None
    for process in (chat._process, runner.jobs.worker.process):
        assert process is not None and process.waitForStarted(5000)

    shiboken6.delete(chat)
    shiboken6.delete(runner)
    qtbot.wait(50)

    assert told == []
