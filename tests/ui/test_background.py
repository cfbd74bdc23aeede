"""What is looked at in a thread, and what is done in one, comes back in the window's own."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from lab_desktop.ui.background import Background


def test_what_changed_while_somebody_looked_is_seen_by_one_more_look(qtbot: QtBot) -> None:
    there, may_end, has_begun = ["a"], threading.Event(), threading.Event()

    def look(_: threading.Event) -> list[str]:
        seen = list(there)
        has_begun.set()
        may_end.wait(10)
        return seen

    parent, came = QObject(), []
    background = Background[list[str]](look, came.append, parent)
    background.start()
    assert has_begun.wait(10)
    there.append("b")
    background.renew()
    may_end.set()

    qtbot.waitUntil(lambda: came == [["a"], ["a", "b"]], timeout=10_000)


def test_who_only_begins_waits_for_the_look_that_is_under_way(qtbot: QtBot) -> None:
    may_end, parent, came = threading.Event(), QObject(), []
    background = Background[bool](lambda _: may_end.wait(10), came.append, parent)
    background.start()
    background.start()
    may_end.set()

    qtbot.waitUntil(lambda: bool(came), timeout=10_000)
    qtbot.wait(100)
    assert came == [True]
