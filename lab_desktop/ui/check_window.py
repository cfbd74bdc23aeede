"""Check this installation: everything is tried once, and each thing gets its tick as it is found to work."""

from __future__ import annotations

from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from lab_desktop import __version__, hardware
from lab_desktop.errors import LabError
from lab_desktop.private import names_here
from lab_desktop.selftest.steps import STEPS, Course, Outcome, Step, title
from lab_desktop.ui.check_process import CheckProcess
from lab_desktop.ui.details import masked
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Banner,
    Button,
    Card,
    Flowing,
    Icon,
    Label,
    Tone,
    column,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.widgets.panel import Panel
from lab_desktop.ui.words import size


class CheckWindow(Panel):
    """Attributes:
    process: what does it.
    begin: starts it, and stops it while it goes on.
    lines: a row for each step.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.process = CheckProcess(self)
        self.process.changed.connect(self._redraw)
        self.begin = Button(self.tr("Check now"), "primary", on_click=self._press)
        self.copy = CopyButton(self.tr("Copy details"), self._copy)
        self._banner = Banner("info", "")
        self._banner.hide()
        self._said_last: tuple[Tone, str, str] | None = None
        self.lines = [_Line(step) for step in STEPS]
        lines: list[QWidget] = [part for line in self.lines for part in (rule(), line)]
        inside = Flowing(
            column(
                Label(self.tr("Check this installation"), "title"),
                6,
                Label(
                    self.tr(
                        "Tries once everything that the program does, with the practice model: it takes about two "
                        "minutes. It works in a folder of its own that is deleted afterwards. It touches nothing of "
                        "yours and asks no network; should something try to, you see it here."
                    ),
                    "body",
                    "text2",
                    wraps=True,
                ),
                16,
                row(self.begin, self.copy, -1, gap=10),
                16,
                self._banner,
                12,
                Card(*lines[1:], padding=(20, 6)),
                -1,
                margins=(28, 24, 28, 24),
            )
        )
        self.furnish(self.tr("Check this installation"), column(scrolled(inside)), (640, 760), (520, 420))
        self._redraw()

    def _press(self) -> None:
        if self.process.is_busy:
            self.process.stop()
            return
        try:
            self.process.start()
        except LabError as error:
            self._said_last = None
            self._banner.say("warn", error.message, error.hint)
            self._banner.show()

    def show_course(self, course: Course | None, is_busy: bool) -> None:
        """How far a self-test is, or how it went; None: there was none."""
        self.begin.setText(self._button_word(course, is_busy))
        self.begin.set_kind("" if is_busy else "primary")
        self.copy.setVisible(course is not None and not is_busy)
        outcomes = {each.step: each for each in course.outcomes} if course is not None else {}
        for step, line in zip(STEPS, self.lines, strict=True):
            is_now = course is not None and is_busy and course.now == step.name
            line.show_outcome(outcomes.get(step.name), is_now)
        if course is not None and (words := self._words(course, is_busy)) != self._said_last:
            self._said_last = words
            self._banner.say(*words)
            self._banner.show()

    def _redraw(self) -> None:
        self.show_course(self.process.course, self.process.is_busy)

    def _button_word(self, course: Course | None, is_busy: bool) -> str:
        if is_busy:
            return self.tr("Stopping …") if self.process.is_stopping else self.tr("Stop")
        return self.tr("Check now") if course is None else self.tr("Check again")

    def _words(self, course: Course, is_busy: bool) -> tuple[Tone, str, str]:
        if is_busy:
            place = min(len(course.outcomes) + 1, len(STEPS))
            return "info", self.tr("{0} of {1}:").format(place, len(STEPS)), STEPS[place - 1].title
        if course.has_passed:
            return "good", course.verdict, self.tr("It took at most {0} of memory.").format(size(course.memory_bytes))
        if course.failed:
            return "bad", course.verdict, self.tr("What happened stands below.")
        return "info", course.verdict, self.tr("Nothing of it is left.")

    def _copy(self) -> None:
        if self.process.course is not None:
            self.copy.take(report(self.process.course))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.begin.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self.process.quit)
        super().closeEvent(event)


def report(course: Course) -> str:
    """What was found, for somebody who helps; it says neither who nor where one is."""
    lines = [f"LAB Desktop {__version__}: {course.verdict}", f"{hardware.description()}, {hardware.system()}"]
    for each in course.outcomes:
        lines.append(f"{each.state:<8} {each.seconds:6.1f} s  {title(each.step)}: {each.fact or each.text}")
        lines += [f"         {line}" for line in each.details.splitlines()]
    lines.append(f"Memory at most: {size(course.memory_bytes)}")
    return masked("\n".join(lines), names_here()) + "\n"


class _Line(QWidget):
    """A step: its mark, what it is called, what was seen, how long it took."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._title = step.title
        self._mark = Icon("dash", "text3", 18)
        self._name = Label(step.title, "body", wraps=True)
        self._fact = Label("", "small", "text2", wraps=True)
        self._seconds = Label("", "small", "text2")
        words = column(self._name, self._fact, gap=2)
        inside = row(self._mark, words, self._seconds, gap=14, margins=(0, 7, 0, 7))
        inside.setStretch(1, 1)
        self.setLayout(inside)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        """Room for what will be seen, so that nothing moves when it is."""
        self.setMinimumHeight(look().line_height("body") + look().line_height("small") + 16)

    def show_outcome(self, outcome: Outcome | None, is_now: bool) -> None:
        """How it ended; None: it has not."""
        if outcome is None:
            icon, role = ("activity", "accent") if is_now else ("dash", "text3")
            fact, seconds = self.tr("trying it …") if is_now else "", ""
        else:
            icon, role = {"ok": ("check", "good"), "failed": ("warn", "bad")}.get(outcome.state, ("dash", "text3"))
            fact = outcome.fact or " ".join(filter(None, (outcome.text, outcome.hint)))
            seconds = self.tr("{0} s").format(f"{outcome.seconds:.1f}") if outcome.state != "left out" else ""
        self._mark.show_icon(icon, role)
        self._name.set_tone("text" if is_now or outcome is not None else "text2")
        self._fact.setText(fact)
        self._fact.setVisible(bool(fact))
        self._seconds.setText(seconds)
        state = outcome.state if outcome is not None else self.tr("trying it") if is_now else self.tr("not tried yet")
        self.setAccessibleName(f"{self._title}: {state} {fact} {seconds}".strip())
