from __future__ import annotations

import io
import sys
import threading

import pytest

from lab_desktop import terminal
from lab_desktop.jobs.events import Notice, Progress


class Paper(io.StringIO):
    """A pipe: what is written stays as it was written."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO):
    clock = [100.0]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    return terminal.Screen(threading.Event()), clock


def test_a_step_shows_its_pace_although_another_comes_between_and_details_repeat_its_count(monkeypatch):
    paper = Paper()
    shown, clock = screen(monkeypatch, paper)
    for done in range(3):
        shown.show(Progress("Writing", done, 10))
        for _ in range(12):
            clock[0] += 10
            shown.show(Progress("Testing", 0, 1))
            shown.show(Progress("Writing", done, 10, "judging 3 of 5"))

    last = paper.getvalue().splitlines()[-1]
    assert last == "Writing · 2 of 10 · 30 an hour · 16 min left · judging 3 of 5"


def test_a_long_step_does_not_fill_pages_on_paper(monkeypatch):
    paper = Paper()
    shown, clock = screen(monkeypatch, paper)
    for second in range(8 * 3600):
        clock[0] += 1
        shown.show(Progress("Training", second, 8 * 3600))

    lines = paper.getvalue().splitlines()
    assert 100 < len(lines) < 300
    assert all("left" in line for line in lines[1:])


def test_what_goes_on_when_all_is_counted_says_what_it_does_now_and_then(monkeypatch):
    paper = Paper()
    shown, clock = screen(monkeypatch, paper)
    for _ in range(60):
        clock[0] += 1
        shown.show(Progress("Writing", 6, 6, "answering again"))

    lines = paper.getvalue().splitlines()
    assert lines[0] == "Writing · 6 of 6"
    assert set(lines[1:]) == {"Writing · 6 of 6 · answering again"} and len(lines) < 8


def test_a_line_that_is_rewritten_never_wraps(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    shown, _ = screen(monkeypatch, terminal)

    shown.show(Progress("A step with a very long name indeed, longer than this", 1, 1000, "and a detail"))

    assert len(terminal.getvalue().removeprefix("\r\033[K")) < 40


def test_a_notice_cannot_steer_the_terminal(monkeypatch):
    terminal = Terminal()
    shown, _ = screen(monkeypatch, terminal)

    shown.show(Notice("The teacher said: \x1b[2Jgone\x07\u202e"))

    assert terminal.getvalue() == "  The teacher said: [2Jgone\n"
