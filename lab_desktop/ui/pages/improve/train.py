"""Station B: the student learns; a curve that falls, a time when it is done, and save points."""

from __future__ import annotations

import time

import psutil
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from lab_desktop.errors import LabError
from lab_desktop.files import read_json
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event
from lab_desktop.ui.jobs import last_words
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Badge, Banner, Button, Card, Icon, Label, column, empty, row, rule
from lab_desktop.ui.widgets.meters import Bar, Curve, Part, SegmentBar
from lab_desktop.ui.words import finish_time, number, size

_MANY = 5.0
"""Nats per word piece that the curve draws at its top: what a model gets wrong that knows nothing of a lesson."""
_SMOOTH = 0.85
_REDRAW_S = 0.25


class TrainStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._losses: list[tuple[float, float]] = []
        self._aside: list[tuple[float, float]] = []
        self._accuracy: list[tuple[int, float]] = []
        self._steps, self._rounds, self._round = 0, 1, 0
        self._folder = ""
        self._drawn = 0.0

        self._plan = Label("", "body", "text2")
        self._start = Button(self.tr("Train"), icon="play", on_click=lambda: session.begin("train"))
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=session.jobs.pause)
        self._keep = Button(self.tr("Stop and keep best"), icon="stop", on_click=lambda: session.jobs.keep("train"))
        head = row(
            Label(self.tr("Training"), "title"),
            Label(self.tr("(fine-tuning)"), "small", "text3"),
            -1,
            self._start,
            self._pause,
            self._keep,
            gap=10,
        )
        self._banner = Banner("info", "", "")
        self._banner.hide()
        self._big = Label("", "number_s")
        self._of = Label("", "body", "text2")
        self._finish = Label("", "body", "text2")
        self._bar = Bar()
        self._now = Card(row(self._big, self._of, -1, self._finish, gap=8), 10, self._bar)
        self._curve = Curve(self.tr("many"), self.tr("none"))
        legend = row(
            Label(self.tr("Mistakes curve"), "strong"), Label(self.tr("(loss)"), "small", "text3"), -1,
            _Swatch("data"), Label(self.tr("while practising"), "small", "text2"), 8,
            _Swatch("text2"), Label(self.tr("on questions kept aside"), "small", "text2"), gap=6,
        )  # fmt: skip
        self._chart = Card(legend, 8, self._curve)
        self._points = QVBoxLayout()
        middle = QWidget()
        middle.setLayout(
            column(
                head,
                4,
                self._plan,
                12,
                self._banner,
                self._now,
                16,
                self._chart,
                16,
                self._points,
                -1,
                margins=(24, 16, 24, 16),
            )
        )
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(middle)
        self._side = _Side()
        self._side.setFixedWidth(304)
        whole = row(scroll, rule(is_upright=True), self._side)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        session.jobs.said.connect(self._hear)

    def refresh(self) -> None:
        run = self._session.project.run if self._session.project else None
        if str(run or "") != self._folder:
            self._folder = str(run or "")
            self._losses, self._aside, self._accuracy = [], [], []
            self._steps, self._rounds, self._round = 0, 1, 0
            try:
                for event in last_words(run) if run is not None else []:
                    self._take(event)
                self._banner.hide()
            except LabError as error:
                self._banner.say("warn", error.message, error.hint)
                self._banner.show()
        self._redraw()

    def _is_ours(self) -> bool:
        job = self._session.jobs.current
        return job is not None and str(job.folder) == self._folder and job.steps == ("train",)

    def _hear(self, event: Event) -> None:
        if not self._is_ours():
            return
        self._take(event)
        if time.monotonic() - self._drawn > _REDRAW_S:
            self._redraw()

    def _take(self, event: Event) -> None:
        if isinstance(event, events.Metric) and event.name == "loss":
            last = self._losses[-1][1] if self._losses else min(1.0, event.value / _MANY)
            self._losses = [point for point in self._losses if point[0] < event.step]
            self._losses.append((event.step, _SMOOTH * last + (1 - _SMOOTH) * min(1.0, event.value / _MANY)))
        elif isinstance(event, events.Metric) and event.name == "held_out_loss":
            self._aside = [point for point in self._aside if point[0] < event.step]
            self._aside.append((event.step, min(1.0, event.value / _MANY)))
        elif isinstance(event, events.Metric) and event.name == "held_out_accuracy":
            self._accuracy = [point for point in self._accuracy if point[0] < event.step]
            self._accuracy.append((event.step, event.value))
        elif isinstance(event, events.Progress) and event.text.startswith("Training"):
            self._steps = event.total
            if event.detail.startswith("round "):
                self._round, self._rounds = (int(part) for part in event.detail.removeprefix("round ").split(" of "))

    def _redraw(self) -> None:
        self._drawn = time.monotonic()
        session = self._session
        jobs = session.jobs
        is_running = self._is_ours()
        done = session.state.has_adapter
        self._start.setVisible(not is_running and not done)
        self._start.setText(self.tr("Go on training") if self._losses and not done else self.tr("Train"))
        self._pause.setVisible(is_running)
        self._keep.setVisible(is_running and bool(self._losses))
        rows = number(session.state.kept)
        self._plan.setText(
            self.tr(
                "{0} practice questions, first facts, then skills, with a little revision so that nothing is forgotten"
            ).format(rows)
        )
        progress = jobs.progress if is_running else None
        at = (
            progress.done
            if progress and progress.text.startswith("Training")
            else int(self._losses[-1][0])
            if self._losses
            else 0
        )
        total = self._steps or self._total_from_adapter() or max(at, 1)
        if done:
            self._big.setText(self.tr("Done"))
            self._of.setText(self._best_words())
            self._finish.setText("")
        elif is_running:
            self._big.setText(self.tr("Round {0}").format(max(1, self._round)))
            self._of.setText(self.tr("of {0}").format(self._rounds))
            left = jobs.pace.seconds_left(total)
            words = finish_time(left, at > total * 0.1) if left is not None else self.tr("measuring speed …")
            self._finish.setText(
                f"{at / total:.0%} · {words}" if at else (progress.text if progress else self.tr("getting ready …"))
            )
        else:
            self._big.setText(f"{at / total:.0%}" if at else self.tr("Not yet"))
            self._of.setText(self.tr("paused, everything is saved") if at else "")
            self._finish.setText("")
        self._bar.show_share(1.0 if done else at / total, max(1, self._rounds), "good" if done else "data")
        best = self._best()
        words = self.tr("{0} of {1} steps; fewer mistakes than at the start").format(at, total)
        self._curve.show_curve(self._losses, self._aside, total, self._rounds, best[0] if best else 0, words)
        self._chart.setVisible(bool(self._losses))
        self._show_points()
        self._side.refresh()

    def _total_from_adapter(self) -> int:
        run = self._session.project.run if self._session.project else None
        if run is None or not self._session.state.has_adapter:
            return 0
        try:
            return int(read_json(run / "adapter" / "adapter.json", "last_step")["last_step"])
        except LabError:
            return 0

    def _best(self) -> tuple[int, float] | None:
        after_start = [point for point in self._accuracy if point[0] > 0]
        return max(after_start, key=lambda point: point[1], default=None)

    def _best_words(self) -> str:
        best = self._best()
        return self.tr("{0:.0%} of the words of questions kept aside").format(best[1]) if best else ""

    def _show_points(self) -> None:
        empty(self._points)
        if not self._accuracy:
            return
        best = self._best()
        head = row(
            Label(self.tr("Save point"), "label", "text2"),
            Label(self.tr("Words right in questions kept aside"), "label", "text2"),
            -1,
            gap=40,
        )
        holder = QWidget()
        holder.setLayout(column(head, 6, rule()))
        self._points.addWidget(holder)
        for step, accuracy in self._accuracy[::-1][:6]:
            is_best = best is not None and step == best[0]
            bar = Bar(4, role="good" if is_best else "text3")
            bar.show_share(accuracy)
            bar.setFixedWidth(180)
            name = Label(
                self.tr("Before training") if step == 0 else self.tr("Step {0}").format(number(step)),
                "strong" if is_best else "body",
            )
            name.setFixedWidth(130)
            line = row(name, bar, Label(f"{accuracy:.0%}"), -1, gap=12, margins=(0, 8, 0, 8))
            if is_best:
                line.addWidget(Badge(self.tr("Best so far"), "good", "check"))
            holder = QWidget()
            holder.setLayout(column(line, rule()))
            self._points.addWidget(holder)


class _Swatch(QFrame):
    def __init__(self, role: str) -> None:
        super().__init__()
        bar = Bar(3, role=role)
        bar.show_share(1.0)
        bar.setFixedWidth(18)
        self.setLayout(row(bar))


class _Side(QWidget):
    """What the page shows, how much memory there is, and what happens by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._memory = SegmentBar()
        self._badge_place = QVBoxLayout()
        self._lines = [Label("", "body"), Label("", "body")]
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
            row(Label(self.tr("Memory"), "strong"), -1, self._badge_place),
            4,
            self._memory,
            4,
            *(
                row(Label(name, "body", "text2"), -1, line)
                for name, line in zip((self.tr("In use now"), self.tr("Free for you")), self._lines, strict=True)
            ),
            gap=6,
        )
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
                memory,
                16,
                rule(),
                16,
                computer,
                16,
                rule(),
                16,
                by_itself,
                -1,
                margins=(20, 18, 20, 16),
            )
        )
        self.refresh()

    def refresh(self) -> None:
        memory = psutil.virtual_memory()
        used = 1 - memory.available / memory.total
        self._memory.show_parts([Part(used, "data")], self.tr("{0:.0%} of the memory is in use").format(used))
        self._lines[0].setText(size(memory.total - memory.available))
        self._lines[1].setText(self.tr("{0} of {1}").format(size(memory.available), size(memory.total)))


def _line(icon: str, text: str) -> QWidget:
    made = QWidget()
    line = row(Icon(icon), Label(text, "body", "text2", wraps=True), gap=10)
    line.setStretch(1, 1)
    made.setLayout(line)
    return made
