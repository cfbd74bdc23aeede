"""The cards of Home: a project with the one fact worth telling, or one whose project.json cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from lab_desktop.projects import Damaged, Project, State
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Button, Card, ElidedLabel, Label, row
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import model_word, number, tr

_Tone = Literal["good", "warn", "bad", "accent", "plain"]
_WIDTH = 320


def card_width() -> int:
    """The least width of a card; it grows with the text."""
    return round(_WIDTH * max(1.0, (1 + look().text_size) / 2))


@dataclass(frozen=True)
class Fact:
    """What a card says about a project.

    Attributes:
        before: a number that is set off from the big one, with an arrow between them.
        share: of the bar; 0: none.
    """

    big: str
    words: str = ""
    second: str = ""
    share: float = 0.0
    before: str = ""
    badge: tuple[str, _Tone, str] | None = None


def fact(project: Project, state: State, report: dict[str, object] | None) -> Fact:
    """The one thing that is worth saying about a project now."""
    if state.problem:
        return Fact("–", "", state.problem, badge=(tr("Needs you"), "bad", "warn"))
    if state.has_report:
        return _report_fact(report)
    if state.has_adapter:
        return Fact(tr("Trained"), "", tr("Check what it learned and whether it forgot."))
    if state.written:
        words = tr("of {0} practice questions kept").format(number(state.written))
        second = tr("Ready for training.") if state.has_dataset else tr("More can be written.")
        return Fact(number(state.kept), words, second, state.kept / state.written)
    count = sum(1 for _ in project.lessons.rglob("qna.yaml"))
    words = tr("lesson") if count == 1 else tr("lessons")
    if not count:
        return Fact("0", words, tr("Choose its first lesson in the library."), badge=(tr("Draft"), "plain", ""))
    return Fact(number(count), words, tr("Ready for practice questions."), badge=(tr("Draft"), "plain", ""))


def _report_fact(report: dict[str, object] | None) -> Fact:
    if not report:
        if report is None:
            second = tr("The report cannot be read. Check again.")
            return Fact("–", "", second, badge=(tr("Needs you"), "bad", "warn"))
        return Fact("…")
    badges: dict[object, tuple[str, _Tone, str]] = {
        "clear gain": (tr("Clear gain"), "good", "check"),
        "small gain": (tr("Small gain"), "good", "check"),
        "no gain": (tr("No gain"), "plain", "dash"),
        "it forgot": (tr("It forgot"), "warn", "warn"),
    }
    second = tr("General questions {0} → {1} of {2}.").format(
        report["general_before"], report["general_now"], report["general_total"]
    )
    words = tr("of {0} right").format(report["total"])
    return Fact(str(report["now"]), words, second, before=str(report["before"]), badge=badges.get(report["verdict"]))


class ProjectCard(Card):
    """A project: its name, one big fact, how far it is, what to do.

    Attributes:
        project, what, state, is_shared: what it shows; another one takes its place when they change.
        more: opens its menu.
        second: the line about how it stands.
    """

    wanted = Signal(str)
    """A page of the project."""
    menu_wanted = Signal()
    renamed = Signal(str)
    """Another title."""
    rested = Signal()
    """Nothing is being written in it any more."""

    def __init__(self, project: Project, what: Fact, state: State, is_shared: bool = False) -> None:
        self.project, self.what, self.state, self.is_shared = project, what, state, is_shared
        self._title = ElidedLabel(project.title, "head")
        self._title.setMinimumHeight(24)
        self._field = _TitleField(self)
        self._field.hide()
        self.more = Button("", "quiet", icon="more", size="small", on_click=lambda: self.menu_wanted.emit())
        self.more.setAccessibleName(self.tr("More about {0}").format(project.title))
        self.more.setToolTip(self.tr("Rename, show in folder, delete"))
        head = row(self._title, self._field, gap=8)
        head.setStretch(0, 1)
        head.setStretch(1, 1)
        if what.badge is not None:
            head.addWidget(Badge(*what.badge))
        head.addWidget(self.more)
        kind = self.tr("Practice example") if project.is_practice else self.tr("Lessons")
        model = model_word(Path(project.model)) if project.model else self.tr("practice model")
        before = [Label(what.before, "number_m", "text3"), Label("→", "title", "text3")] if what.before else []
        bar = Bar()
        bar.show_share(what.share)
        bar.setVisible(what.share > 0)
        numbers = row(*before, Label(what.big, "number_m"), ElidedLabel(what.words, "body", "text2"), gap=8)
        numbers.setStretch(numbers.count() - 1, 1)
        self.second = Label(what.second, "body", "text2", wraps=True)
        self._open = Button(
            self.tr("Open report") if state.has_report else self.tr("Open"),
            on_click=lambda: self.wanted.emit("check" if state.has_report else "improve"),
        )
        self._open.setAccessibleName(f"{self._open.text()}, {project.title}")
        self._talk = Button(self.tr("Chat with it"), "quiet", on_click=lambda: self.wanted.emit("chat"))
        self._talk.setAccessibleName(f"{self._talk.text()}, {project.title}")
        self._talk.setVisible(state.has_adapter)
        super().__init__(
            head,
            ElidedLabel(f"{kind} · {model}", "small", "text3"),
            14,
            numbers,
            8,
            bar,
            8,
            self.second,
            -1,
            12,
            Dots(state, is_shared, not project.needs_lesson),
            12,
            row(self._open, self._talk, -1, gap=8),
        )
        self.setMinimumSize(0, round(122 * (1 + look().text_size)))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    @property
    def key(self) -> Path:
        return self.project.folder

    @property
    def is_written_in(self) -> bool:
        """Its title is being written: it stays until that is done."""
        return not self._field.isHidden()

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard stops in it, in order."""
        return [self._field, self.more, self._open, self._talk]

    def begin_rename(self) -> None:
        self._title.hide()
        self._field.setText(self.project.title)
        self._field.show()
        self._field.selectAll()
        self._field.setFocus()

    def end_rename(self, title: str | None) -> None:
        """Take a new title, or None to leave it."""
        if not self.is_written_in:
            return
        self._field.hide()
        self._title.show()
        self.more.setFocus()
        if title is not None and title.strip() and title.strip() != self.project.title:
            self.renamed.emit(title)
        self.rested.emit()


class DamagedCard(Card):
    """A project whose project.json cannot be read: what happened, what is safe, what can be done."""

    mend_wanted = Signal()
    folder_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self, damaged: Damaged) -> None:
        self.damaged = damaged
        head = row(ElidedLabel(damaged.title, "head"), Badge(self.tr("Needs you"), "bad", "warn"), gap=8)
        head.setStretch(0, 1)
        words = self.tr(
            "Its file “project.json” cannot be read. Its lessons, practice questions and trained models are still in "
            "its folder. Put right, it gets a new file, and the name of its folder."
        )
        second = Label(words, "body", "text2", wraps=True)
        second.setToolTip(damaged.why)
        mend = Button(self.tr("Put right"), on_click=lambda: self.mend_wanted.emit())
        show = Button(self.tr("Show in folder"), "quiet", on_click=lambda: self.folder_wanted.emit())
        delete = Button(self.tr("Delete"), "quiet", on_click=lambda: self.delete_wanted.emit())
        self.stops: list[QWidget] = [mend, show, delete]
        for button in (mend, show, delete):
            button.setAccessibleName(f"{button.text()}, {damaged.title}")
        super().__init__(head, 14, second, -1, 12, row(mend, show, delete, -1, gap=8))
        self.setMinimumSize(0, round(122 * (1 + look().text_size)))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    @property
    def key(self) -> Path:
        return self.damaged.folder


class _TitleField(QLineEdit):
    """The title while it is written: Return takes it, Escape leaves it."""

    def __init__(self, card: ProjectCard) -> None:
        super().__init__()
        self._card = card
        self.setAccessibleName(self.tr("Title"))
        self.editingFinished.connect(lambda: card.end_rename(self.text()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._card.end_rename(None)
        else:
            super().keyPressEvent(event)


class Dots(QWidget):
    """The path in small: a dot for each step."""

    _STEPS = 6

    def __init__(self, state: State, is_shared: bool, has_lessons: bool) -> None:
        super().__init__()
        later = (state.has_dataset, state.has_adapter, state.has_report, state.has_report and is_shared)
        done = 1 + sum((has_lessons, *later))
        self._done = done
        names = [
            self.tr("Teach"), self.tr("Practice"), self.tr("Train"), self.tr("Check"),
            self.tr("Done – use it, share it"), self.tr("Done and shared"),
        ]  # fmt: skip
        self._word = names[done - 1]
        self.setAccessibleName(self.tr("{0} of {1} steps done, now: {2}").format(done, self._STEPS, self._word))
        self.setFixedHeight(max(20, look().line_height("small")))

    def sizeHint(self) -> QSize:
        return QSize(240, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in range(self._STEPS):
            x = 5 + place * 22
            if place:
                painter.setPen(theme.color("line2"))
                painter.drawLine(x - 16, 10, x - 6, 10)
            pen = painter.pen()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if place < self._done:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("good"))
                painter.drawEllipse(QRectF(x - 4, 6, 8, 8))
                continue
            pen.setColor(theme.color("data" if place == self._done else "text3"))
            pen.setWidthF(3 if place == self._done else 1.2)
            painter.setPen(pen)
            painter.drawEllipse(QRectF(x - 3.5, 6.5, 7, 7))
        painter.setPen(theme.color("text2"))
        painter.setFont(look().font("small"))
        left = 5 + self._STEPS * 22
        box = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._word)
