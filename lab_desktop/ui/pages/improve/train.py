"""Station B: the student learns; a curve that falls, a time when it is done, and save points."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lab_desktop import projects
from lab_desktop.errors import LabError
from lab_desktop.files import stamp
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event
from lab_desktop.jobs.requests import EFFORTS, Effort, effort_of
from lab_desktop.needs import trained_rounds
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.ui.jobs import JobState, last_words
from lab_desktop.ui.pages.improve.course import Course, SavePoint, best, kept_step, read_course
from lab_desktop.ui.pages.improve.memory import Advice, Verdicts, show_parts
from lab_desktop.ui.pages.improve.plans import Plan, memory_words, plan
from lab_desktop.ui.pages.improve.station import Heading, Note, Trouble, Waiting, stop_and_keep
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Badge,
    Button,
    Card,
    Dot,
    Folding,
    Icon,
    Label,
    Segmented,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.meters import DASH, Bar, Curve, SegmentBar
from lab_desktop.ui.words import SILENCE_S, finish_time, number, size

_MANY = 5.0
"""Nats per word piece that the curve draws at its top: what a model gets wrong that knows nothing of a lesson."""
_SMOOTH = 0.85
_REDRAW_S = 0.25
_MOST_SEGMENTS = 24


class TrainStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._losses: list[tuple[float, float]] = []
        self._points: list[SavePoint] = []
        self._aside: dict[int, float] = {}
        self._course: Course | None = None
        self._folder: Path | None = None
        self._drawn = 0.0
        self._told_points: object = None

        self._start = Button(self.tr("Train"), icon="play", on_click=lambda: session.begin("train"))
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=session.jobs.pause)
        self._keep = Button(
            self.tr("Stop and keep best"), icon="stop", on_click=lambda: stop_and_keep(session, "train", self._told)
        )
        self.heading = Heading(self.tr("Training"), self.tr("fine-tuning"), self._start, self._pause, self._keep)
        self._efforts = Segmented(
            [(name, self._effort_words(name)) for name in EFFORTS], "standard", self._choose_effort
        )
        self._effort_line = QWidget()
        self._effort_line.setLayout(
            row(Label(self.tr("How long"), "label", "text2"), self._efforts, -1, gap=10, margins=(24, 0, 24, 12))
        )
        self.trouble, self.waiting = Trouble(session, "train"), Waiting(session, "train")
        self._told = Note()
        self._advice = Advice(session, "train")
        self._big = Label("", "number_s")
        self._of = Label("", "body", "text2")
        self._finish = Label("", "body", "text2")
        self._bar = Bar()
        round_words = QWidget()
        round_words.setLayout(row(self._big, self._of, gap=8))
        self._now = Card(Folding(round_words, self._finish), 10, self._bar)
        later = self.tr("The line begins here when the training begins.")
        self._curve = Curve(self.tr("many"), self.tr("none"), later)
        curve, lines = QWidget(), QWidget()
        curve.setLayout(
            row(Label(self.tr("Mistakes curve"), "strong"), Label(self.tr("(loss)"), "small", "text3"), gap=6)
        )
        lines.setLayout(row(
            _Swatch("data"), Label(self.tr("while practising"), "small", "text2"), 8,
            _Swatch("text2", is_dashed=True), Label(self.tr("on questions kept aside"), "small", "text2"), gap=6,
        ))  # fmt: skip
        self._chart = Card(Folding(curve, lines), 8, self._curve)
        self._table = QVBoxLayout()
        middle = QWidget()
        middle.setLayout(column(self._now, 16, self._chart, 16, self._table, -1, margins=(24, 0, 24, 16)))
        self._side = _Side()
        self._side_place = scrolled(self._side)
        left = QWidget()
        above = (self.heading, self._effort_line, self._advice, self.trouble, self.waiting, self._told)
        inside = column(*above, scrolled(middle))
        inside.setStretch(len(above), 1)
        left.setLayout(inside)
        whole = row(left, rule(is_upright=True), self._side_place)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.set_narrow(False)
        look().changed.connect(self._fit)
        session.jobs.said.connect(self._hear)

    def set_narrow(self, is_narrow: bool) -> None:
        self._is_narrow = is_narrow
        self._curve.setMinimumHeight(150 if is_narrow else 220)
        self._fit()

    def _fit(self) -> None:
        self._side_place.setFixedWidth(look().grown(256 if self._is_narrow else 304))
        if self.isVisible():
            self._redraw()

    def refresh(self) -> None:
        run = self._session.project.run if self._session.project else None
        if run != self._folder:
            self._folder = run
            self._losses, self._points, self._aside, self._course = [], [], {}, None
            self._told.hide()
            try:
                for event in last_words(run) if run is not None else []:
                    self._take(event)
            except LabError as error:
                self._told.say("warn", error.message, error.hint)
        if run is not None and self._course is None:
            self._course = read_course(run)
        self._redraw()

    @property
    def where(self) -> str:
        """How far the training is, as part of a sentence: "at round 2"; "" before its first step."""
        at = self._at()
        return self.tr("at round {0}").format(self._course.round_at(at)) if self._course and at else ""

    def _is_ours(self) -> bool:
        job = self._session.jobs.current
        return job is not None and job.folder == self._folder and job.steps == ("train",)

    def _hear(self, event: Event) -> None:
        if not self._is_ours():
            return
        if isinstance(event, events.Progress) and event.done == 0 and self._folder is not None:
            self._course = read_course(self._folder)  # a training that begins anew may have another length
        self._take(event)
        if time.monotonic() - self._drawn > _REDRAW_S:
            self._redraw()

    def beat(self) -> None:
        """A second has gone by while a job runs."""
        self._redraw()

    def _take(self, event: Event) -> None:
        if not isinstance(event, events.Metric):
            return
        if event.name == "loss":
            while self._losses and self._losses[-1][0] >= event.step:  # gone back to a save point
                self._losses.pop()
            last = self._losses[-1][1] if self._losses else min(1.0, event.value / _MANY)
            self._losses.append((event.step, _SMOOTH * last + (1 - _SMOOTH) * min(1.0, event.value / _MANY)))
        elif event.name == "held_out_loss":
            self._aside[event.step] = event.value
        elif event.name == "held_out_accuracy":
            self._points = [point for point in self._points if point.step < event.step]
            self._points.append(SavePoint(event.step, event.value, self._aside.get(event.step, 0.0)))

    def _at(self) -> int:
        """Steps finished."""
        progress = self._session.jobs.progress if self._is_ours() else None
        if progress is not None and progress.text.startswith("Training"):
            return progress.done
        return int(self._losses[-1][0]) if self._losses else 0

    def _total(self) -> int:
        """Steps in all; 0 while nobody knows."""
        progress = self._session.jobs.progress if self._is_ours() else None
        if progress is not None and progress.text.startswith("Training"):
            return progress.total
        if self._course is not None:
            return self._course.total
        return self._at() if self._session.state.has_adapter else 0

    def _redraw(self) -> None:
        self._drawn = time.monotonic()
        state = self._session.state
        is_running = self._is_ours()
        done = state.has_adapter and not is_running
        at, total = self._at(), self._total()
        again = self.tr("Train again") if self._wants_other_rounds() else self.tr("Train again with your changes")
        self._start.setText(again if done else self.tr("Go on training") if at else self.tr("Train"))
        job = self._session.jobs.current
        self._pause.setVisible(is_running and job is not None and job.state is JobState.RUNNING)
        self._keep.setVisible(is_running and bool(self._losses))
        self.trouble.look_at(self._folder, self.where)
        self.waiting.look_at(self._folder)
        is_free = self.trouble.isHidden() and self.waiting.isHidden()
        can_start = not is_running and not done and (state.has_dataset or bool(self._losses))
        is_changed = done and (self._is_decided_since() or self._wants_other_rounds())
        self._start.setVisible((can_start or is_changed) and is_free)
        found = self._plan()
        self.heading.say(self._plan_words(found, is_running or done))
        self._advice.show_plan(found if can_start and is_free else None)
        self._show_efforts(found, (done or (can_start and not at)) and is_free)
        self._show_now(done, is_running, at, total)
        course = self._course
        ends = tuple(end / course.total for end in course.ends) if course is not None else (1.0,)
        share = 1.0 if done else at / total if total else 0.0
        role = "good" if done else "data" if is_running else "text3"
        self._bar.show_share(share, ends if len(ends) <= _MOST_SEGMENTS else (1.0,), role)
        self._bar.setVisible(bool(total))
        kept = self._kept()
        words = self.tr("{0:.0%} of the way").format(share) if self._losses else self.tr("No training yet")
        aside = [(point.step, min(1.0, point.loss / _MANY)) for point in self._points]
        self._curve.show_curve(self._losses, aside, max(total, at), ends, kept, words)
        self._chart.setVisible(bool(self._losses) or state.has_dataset)
        self._show_points(kept)
        self._side.refresh(found, is_running)

    def _show_efforts(self, found: Plan | None, can_choose: bool) -> None:
        """How long it may practise, each with its time, until it is begun and when it is done."""
        project = self._session.project
        self._effort_line.setVisible(can_choose and project is not None)
        if project is None or found is None:
            return
        for name, rounds in EFFORTS.items():
            time_needed = found.short_time(rounds / EFFORTS[project.effort])
            words = self._effort_words(name)
            self._efforts.set_text(name, f"{words} · {time_needed}" if time_needed else words)
            self._efforts.describe(name, f"{words}: {self._effort_means(name)} {time_needed}".strip())
        self._efforts.choose(project.effort)

    def _effort_words(self, name: Effort) -> str:
        return {"quick": self.tr("Quick"), "standard": self.tr("Standard"), "thorough": self.tr("Thorough")}[name]

    def _effort_means(self, name: Effort) -> str:
        return {
            "quick": self.tr("Half as many rounds, for a first try."),
            "standard": self.tr("As many rounds as are usually enough."),
            "thorough": self.tr("Twice as many rounds; the best save point is kept."),
        }[name]

    def _choose_effort(self, name: str) -> None:
        session = self._session
        if session.project is None:
            return
        try:
            projects.choose_effort(session.project, effort_of(name))
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
        session.refresh()

    def _wants_other_rounds(self) -> bool:
        """The person wants it trained longer, or shorter, than it was."""
        project = self._session.project
        if project is None or self._folder is None or not self._session.state.has_adapter:
            return False
        files = [self._folder / "adapter" / "adapter.json"]
        trained = self._session.known.get(
            ("rounds", self._folder), files, functools.partial(trained_rounds, self._folder), EFFORTS[project.effort]
        )
        return trained != EFFORTS[project.effort]

    def _is_decided_since(self) -> bool:
        """The person decided about practice questions after the training was done."""
        if self._folder is None:
            return False
        return stamp(self._folder / REVIEWS)[1] > stamp(self._folder / "adapter" / "adapter.json")[1]

    def _show_now(self, done: bool, is_running: bool, at: int, total: int) -> None:
        course = self._course
        finish = ""
        if done:
            big, of = self.tr("Done"), self._kept_words()
        elif is_running and at and course is not None:
            big = self.tr("Round {0}").format(course.round_at(at))
            of = self.tr("of {0}").format(course.rounds)
            finish = f"{at / max(1, total):.0%} · {self._finish_words(total, at)}"
        elif is_running:
            progress = self._session.jobs.progress
            big, of = self.tr("Getting ready"), progress.text if progress else ""
        elif at and total:
            big = self.tr("Paused at {0:.0%}").format(at / total)
            of = self.tr("round {0} of {1}").format(course.round_at(at), course.rounds) if course is not None else ""
            finish = self.tr("everything is saved")
        elif at:
            big, of = self.tr("Paused"), self.tr("everything is saved")
        else:
            big, of = self.tr("Ready"), self.tr("first facts, then skills, with a little revision (replay)")
            if not self._session.state.has_dataset:
                big, of = self.tr("Not yet"), self.tr("practice questions come first")
        self._big.setText(big)
        self._of.setText(of)
        self._finish.setText(finish)

    def _finish_words(self, total: int, at: int) -> str:
        jobs = self._session.jobs
        if jobs.current is not None and jobs.current.state is JobState.STOPPING:
            return self.tr("saving what is finished …")
        if time.monotonic() - jobs.last_word > SILENCE_S:
            return self.tr("still working on step {0}").format(number(at + 1))
        left = jobs.pace.seconds_left(total)
        return finish_time(left, at > total * 0.1) if left is not None else self.tr("measuring speed …")

    def _plan(self) -> Plan | None:
        session = self._session
        return plan("train", session.project, session) if session.project else None

    def _plan_words(self, found: Plan | None, is_begun: bool) -> str:
        state = self._session.state
        if found is None or not (state.has_dataset or self._losses):
            return self.tr("The teacher writes practice questions first; they are what is learned.")
        rows = self.tr("{0} practice questions, with a little revision so that nothing is forgotten").format(
            number(state.kept)
        )
        if is_begun:
            return rows
        left = 1 - self._at() / total if (total := self._total()) else 1.0
        amount = self.tr("{0} practice questions").format(number(state.kept))
        told = [amount, found.time_words(left)]
        if found.room is not None and found.room.verdict == "comfortable":  # else the advice says it
            words = memory_words(found.room)
            told.append(words[:1].lower() + words[1:])
        return " · ".join(told)

    def _kept(self) -> int:
        """The save point that is kept, or would be now."""
        if self._folder is not None and self._session.state.has_adapter and not self._is_ours():
            return kept_step(self._folder)
        now = best(self._points, self._course)
        return now.step if now else 0

    def _kept_words(self) -> str:
        kept = self._kept()
        found = next((point for point in self._points if point.step == kept), None)
        return self.tr("{0:.0%} of the words right in questions kept aside").format(found.accuracy) if found else ""

    def _show_points(self, kept: int) -> None:
        is_done = self._session.state.has_adapter and not self._is_ours()
        if (told := (tuple(self._points), kept, is_done, self._course)) == self._told_points:
            return
        self._told_points = told
        empty(self._table)
        if not self._points:
            return
        place, right = (
            Label(text, "label", "text2")
            for text in (self.tr("Save point"), self.tr("Words right in questions kept aside"))
        )
        place.setFixedWidth(round(150 * look().text_size))
        holder = QWidget()
        holder.setLayout(column(row(place, right, -1, gap=12), 6, rule()))
        self._table.addWidget(holder)
        newest = self._points[::-1]
        shown = newest[:6]
        shown += [point for point in newest[6:] if point.step == kept]
        for point in shown:
            self._table.addWidget(self._point_row(point, kept > 0 and point.step == kept))

    def _point_row(self, point: SavePoint, is_kept: bool) -> QWidget:
        bar = Bar(4, role="good" if is_kept else "text3")
        bar.show_share(point.accuracy)
        bar.setFixedWidth(180)
        course = self._course
        words = self.tr("Step {0}").format(number(point.step))
        if point.step == 0:
            words = self.tr("Before training")
        elif course is not None and point.step in course.ends:
            words = self.tr("Round {0}").format(course.ends.index(point.step) + 1)
        elif course is not None:
            words = self.tr("In round {0}, at {1:.0%}").format(course.round_at(point.step), point.step / course.total)
        name = Label(words, "strong" if is_kept else "body")
        name.setFixedWidth(round(150 * look().text_size))
        line = row(name, bar, Label(f"{point.accuracy:.0%}"), -1, gap=12, margins=(0, 8, 0, 8))
        if is_kept:
            is_done = self._session.state.has_adapter and not self._is_ours()
            line.addWidget(Badge(self.tr("Kept") if is_done else self.tr("Best so far"), "good", "check"))
        made = QWidget()
        made.setLayout(column(line, rule()))
        return made


class _Swatch(QWidget):
    """A line of the curve, for the legend."""

    def __init__(self, role: str, is_dashed: bool = False) -> None:
        super().__init__()
        self._role, self._is_dashed = role, is_dashed
        self.setFixedSize(22, 12)
        look().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        pen = QPen(look().theme.color(self._role), 2)
        if self._is_dashed:
            pen.setDashPattern(DASH)
        painter.setPen(pen)
        painter.drawLine(0, 6, 22, 6)


class _Side(QWidget):
    """What the page shows, how much memory there is, and what happens by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._memory = SegmentBar()
        self._verdicts = Verdicts()
        self._lines = [Label("", "body") for _ in range(3)]
        texts = (
            (
                self.tr("What you see"),
                self.tr("The line shows how often the model is wrong. It should fall and come to rest."),
            ),
            (
                self.tr("By itself"),
                self.tr(
                    "If the dashed line climbs, the model has begun to memorise: the best save point is kept. "
                    "If it stops, it goes on from the last one."
                ),
            ),
        )
        what, by_itself = (
            column(Label(head, "strong"), Label(text, "body", "text2", wraps=True), gap=6) for head, text in texts
        )
        memory = column(
            row(Label(self.tr("Memory"), "strong"), -1, self._verdicts),
            4,
            self._memory,
            4,
            *(
                row(Dot(role), Label(name, "body", "text2"), -1, line, gap=8)
                for (role, name), line in zip(
                    (("data", self.tr("Training")), ("text3", self.tr("Everything else")), ("track", self.tr("Free"))),
                    self._lines,
                    strict=True,
                )
            ),
            gap=6,
        )
        self._whole = QWidget()
        self._whole.setLayout(column(memory, 16, rule(), 16))
        computer = column(
            Label(self.tr("This computer"), "strong"),
            _line("clock", self.tr("Go on working; training takes what is left.")),
            _line("disk", self.tr("Saved every few steps.")),
            gap=8,
        )
        self.setLayout(
            column(
                what,
                16,
                rule(),
                16,
                self._whole,
                computer,
                16,
                rule(),
                16,
                by_itself,
                -1,
                margins=(20, 18, 20, 16),
            )
        )

    def refresh(self, plan: Plan | None, is_running: bool) -> None:
        room = plan.room if plan is not None else None
        self._whole.setVisible(room is not None)
        if room is None:
            return
        if is_running:  # it holds its part already
            room = replace(room, free=min(room.total, room.free + room.needed))
        show_parts(self._memory, room)
        for line, text in zip(
            self._lines,
            (
                self.tr("about {0}").format(size(room.needed)),
                size(room.others),
                self.tr("{0} of {1}").format(size(room.leaves), size(room.total)),
            ),
            strict=True,
        ):
            line.setText(text)
        self._verdicts.setVisible(not is_running)
        self._verdicts.show_verdict(room.verdict)


def _line(icon: str, text: str) -> QWidget:
    made = QWidget()
    line = row(Icon(icon), Label(text, "body", "text2", wraps=True), gap=10)
    line.setStretch(1, 1)
    made.setLayout(line)
    return made
