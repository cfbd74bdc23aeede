"""The end of the sheet: how far the sending is, in words, and what happens next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from lab_desktop.contribution.contributions import Contribution, Done
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, announce, column, empty, row
from lab_desktop.ui.widgets.meters import Bar, Ring
from lab_desktop.ui.words import tr

_WIDEST = 460

StepState = Literal["done", "now", "later"]


@dataclass(frozen=True)
class Step:
    """One step of the way, in words."""

    text: str
    state: StepState


def steps_of(contribution: Contribution, done: Done, *, has_documents: bool, is_there: bool) -> list[Step]:
    """What is done of a contribution, what is being done, and what comes."""
    destination = contribution.destination
    if destination is None:
        return []
    if destination.kind == "file":
        finished = [(tr("Write the file"), done.file is not None or is_there)]
    else:
        name = destination.name
        finished = []
        if has_documents and destination.forge:
            finished.append((tr("Put its document where everybody can read it"), bool(done.documents[1])))
        if destination.forge:
            finished.append((tr("Make your copy of {0} (fork)").format(name), bool(done.fork)))
        finished.append((tr("Put the lesson there, signed off by you"), bool(done.commit)))
        if destination.forge:
            finished.append((tr("Ask {0} to take it").format(name), bool(done.number)))
    made: list[Step] = []
    for text, is_done in finished:
        is_next = not is_done and all(step.state == "done" for step in made)
        made.append(Step(text, "done" if is_done else "now" if is_next else "later"))
    return made


class Outcome(QWidget):
    """Attributes:
    button: the one best thing to do now.
    other: the next best, or hidden.
    """

    pause_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self._doing: Callable[[], object] = lambda: None
        self._doing_else: Callable[[], object] = lambda: None
        self._where = Label("", "head", wraps=True)
        self._steps = QVBoxLayout()
        self._steps.setSpacing(10)
        self._bar = Bar()
        self._detail = Label("", "small", "text2", wraps=True)
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=self.pause_wanted.emit)
        self._way = Card(
            self._where, 14, self._steps, 16, self._bar, 6, row(self._detail, -1, self._pause, gap=8), padding=(24, 20)
        )
        self._icon = Icon("check", "good", 40)
        self._title = Label("", "title", wraps=True)
        self._text = Label("", "body", "text2", wraps=True)
        self.button = Button("", "primary", on_click=lambda: self._doing())
        self.other = Button("", on_click=lambda: self._doing_else())
        self._end = QWidget()
        self._end.setLayout(
            column(
                row(self._icon, -1), 12, self._title, 6, self._text, 16, row(self.button, self.other, -1, gap=8),
            )
        )  # fmt: skip
        self._stack = QStackedWidget()
        for part in (self._way, self._end):
            held = QWidget()
            part.setMaximumWidth(look().grown(_WIDEST))
            line = row(-1, part, -1)
            line.setStretch(1, 8)
            held.setLayout(column(-1, line, -1))
            self._stack.addWidget(held)
        self.setLayout(column(self._stack))
        look().changed.connect(self._fit)

    def show_way(self, title: str, steps: list[Step], share: float | None, detail: str, *, is_pausing: bool) -> None:
        """How far it is."""
        self._where.setText(title)
        empty(self._steps)
        for step in steps:
            self._steps.addWidget(_step(step))
        self._bar.show_share(share or 0.0)
        self._detail.setText(detail)
        self._pause.setVisible(not is_pausing)
        if self._stack.currentIndex() != 0 or not self._said:
            self._stack.setCurrentIndex(0)
            self._said = title
            announce(self, title)

    def show_end(
        self,
        icon: str,
        role: str,
        title: str,
        text: str,
        button: tuple[str, Callable[[], object]] = ("", lambda: None),
        other: tuple[str, Callable[[], object]] = ("", lambda: None),
    ) -> None:
        """What became of it, and what to do now."""
        self._icon.show_icon(icon, role)
        self._title.setText(title)
        self._text.setText(text)
        for widget, (name, _) in ((self.button, button), (self.other, other)):
            widget.setText(name)
            widget.setVisible(bool(name))
        self._doing, self._doing_else = button[1], other[1]
        self._stack.setCurrentIndex(1)
        if self._said != title:
            self._said = title
            announce(self, f"{title} {text}")

    def face(self) -> Face:
        return Face() if self.is_end else Face(status=self.tr("It goes on when you close this sheet."))

    @property
    def words(self) -> str:
        """What stands there at the end: for who looks on."""
        return f"{self._title.text()} {self._text.text()}"

    @property
    def is_end(self) -> bool:
        return self._stack.currentIndex() == 1

    def _fit(self) -> None:
        for part in (self._way, self._end):
            part.setMaximumWidth(look().grown(_WIDEST))


def _step(step: Step) -> QWidget:
    mark: QWidget
    if step.state == "now":
        mark = Ring(16)
    else:
        mark = Icon("check" if step.state == "done" else "dash", "good" if step.state == "done" else "text3", 16)
    text = Label(step.text, "strong" if step.state == "now" else "body", wraps=True)
    text.set_tone("text3" if step.state == "later" else "text")
    words = {"done": tr("done"), "now": tr("now"), "later": tr("still to come")}
    text.setAccessibleName(f"{step.text}: {words[step.state]}")
    line = row(column(2, mark, -1), text, gap=10)
    line.setStretch(1, 1)
    made = QFrame()
    made.setLayout(line)
    return made
