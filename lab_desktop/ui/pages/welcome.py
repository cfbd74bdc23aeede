"""Welcome: what a person can do first, and what this computer is, measured while they read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QWidget

from lab_desktop import hardware
from lab_desktop.artifacts import ChatMessage
from lab_desktop.capacity import SIZES, Reach, Speed, chat_reach, save_speed, train_reach
from lab_desktop.errors import LabError
from lab_desktop.paths import practice_model, resources
from lab_desktop.ui import icons
from lab_desktop.ui.chat_process import Done, Voices
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import (
    Button,
    Card,
    Dot,
    ElidedLabel,
    Folding,
    Icon,
    Label,
    column,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.widgets.meters import Part, SegmentBar
from lab_desktop.ui.words import model_word, number, size

_NARROW_BELOW = 1200
"""Width of the window."""
_TICK_MS = 160
_TEST_TOKENS = 64
_TEST_QUESTION = "Tell me about the sea."
_KEPT_FREE = 10e9
"""Bytes of the disk that are never filled."""


class WelcomePage(QWidget):
    """The first thing a person sees: three ways to begin, and the computer at their side."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.choices = [
            _Choice(
                "play", self.tr("Show me with an example"),
                self.tr("About ten minutes – the island of Velmora, no internet"),
                lambda: session.go("tour"), is_primary=True,
            ),
            _Choice(
                "folder", self.tr("Open my lessons"),
                self.tr("Lesson files in a folder, as InstructLab has them"), lambda: session.go("new:lessons"),
            ),
            _Choice("home", self.tr("Look around first"), self.tr("You can see the example later"),
                    lambda: session.go("home")),
        ]  # fmt: skip
        left = QWidget()
        words = column(
            Label(self.tr("Teach a model something new. Everything stays on this computer."), "hero", wraps=True),
            12,
            Label(self.tr("No account, no e-mail, no internet needed."), "reading", "text2", wraps=True),
            32,
            self.choices[0],
            12,
            self.choices[1],
            12,
            self.choices[2],
        )
        inside = QWidget()
        inside.setMaximumWidth(640)
        inside.setLayout(words)
        self._island = Illustration("island")
        self._left = column(-1, inside, -2, self._island)
        self._left.setAlignment(inside, Qt.AlignmentFlag.AlignHCenter)
        left.setLayout(self._left)
        self.computer = ComputerPanel(session)
        side = QFrame()
        side.setProperty("surface", "sidebar")
        side.setLayout(row(_through(self.computer)))
        self._side = side
        whole = row(_through(left), rule(is_upright=True), side)
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def begin(self) -> None:
        """Look at the computer, and let the keyboard start at the first choice."""
        self.choices[0].setFocus()
        self.computer.measure()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        guarded(self._fit)

    def _fit(self) -> None:
        is_narrow = self.width() < _NARROW_BELOW
        self._side.setFixedWidth(look().grown(400 if is_narrow else 520))
        beside = 32 if is_narrow else 48
        self._left.setContentsMargins(beside, 24, beside, 0)
        self.computer.set_narrow(is_narrow)
        self._island.setVisible(self.height() >= 760)


def _through(inside: QWidget) -> QScrollArea:
    """What scrolls, and lets the ground below show through."""
    made = scrolled(inside)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    for part in (inside, made.viewport()):
        part.setAutoFillBackground(False)
    return made


class _Choice(Button):
    """A way to begin: the whole row is the button."""

    def __init__(
        self, drawn: str, title: str, words: str, on_click: Callable[[], object], *, is_primary: bool = False
    ) -> None:
        super().__init__("", "primary" if is_primary else "", on_click=on_click, size="row")
        self._drawn, self._title, self._words = drawn, title, words
        self._ink, self._second = ("on_fill", "on_fill") if is_primary else ("text", "text2")
        self.setAccessibleName(f"{title}. {words}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look().changed.connect(self.updateGeometry)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(560, look().line_height("head") + look().line_height("body") + 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = look().theme
        painter = QPainter(self)
        box = QRectF(self.rect())
        icons.draw(painter, self._drawn, QRectF(22, box.center().y() - 9, 18, 18), self._second)
        icons.draw(painter, "chevron-right", QRectF(box.right() - 34, box.center().y() - 8, 16, 16), self._second)
        wide = int(box.width()) - 57 - 50
        lines: tuple[tuple[TypeStyle, str, str], ...] = (
            ("head", self._ink, self._title), ("body", self._second, self._words),
        )  # fmt: skip
        line = QRectF(57, (box.height() - sum(look().line_height(style) for style, _, _ in lines)) / 2, wide, 0)
        for style, ink, text in lines:
            painter.setFont(look().font(style))
            painter.setPen(theme.color(ink))
            line.setHeight(look().line_height(style))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, wide)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
            line.moveTop(line.bottom())


class Illustration(QWidget):
    """A drawing in lines, in the theme's colours; it says nothing that words do not say."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._source = (resources() / "illustrations" / f"{name}.svg").read_text(encoding="utf-8")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(190)
        look().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        source = self._source.replace("#000", theme.line2).replace("#0a0", theme.good)
        renderer = QSvgRenderer(QByteArray(source.encode()))
        whole = renderer.defaultSize()
        height = self.height()
        width = whole.width() * height / whole.height()
        painter = QPainter(self)
        renderer.render(painter, QRectF((self.width() - width) / 2, 0, width, height))


class ComputerPanel(QWidget):
    """What this computer is, line by line as it is found out, and what follows from it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked = 0
        self._found: list[tuple[str, str, str]] = []
        self._lines = [
            _Line(icon, title)
            for icon, title in (
                ("chip", self.tr("Processor")),
                ("memory", self.tr("Memory")),
                ("disk", self.tr("Free disk space")),
                ("plug", self.tr("System")),
                ("models", self.tr("Practice model")),
                ("activity", self.tr("Speed test")),
            )
        ]
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._next)
        self.verdict = Label("", "head", wraps=True)
        self._bars = [_ReachBar(self.tr("Chat")), _ReachBar(self.tr("Train"))]
        colours = QWidget()
        colours.setLayout(row(
            Dot("good"), Label(self.tr("Comfortable"), "small", "text2"), 10,
            Dot("mark_line"), Label(self.tr("Tight"), "small", "text2"), gap=6,
        ))  # fmt: skip
        legend = Folding(colours, Label(self.tr("B = billion, a model's size"), "small", "text2"))
        self._card = Card(self.verdict, 16, *self._bars, 12, legend, padding=(20, 18))
        self._again = Button(self.tr("Measure again"), icon="again", on_click=self.measure)
        self._report = CopyButton(self.tr("Copy report"), lambda: self._report.take(self._problem), "plain")
        self._problem = ""
        self._memory = 0
        self._model: Path | None = None
        lines: list[QWidget] = [part for line in self._lines for part in (rule(), line)]
        told = self.tr("Measured just now. Every later estimate uses these numbers.")
        self._whole = column(
            -1,
            Label(self.tr("Your computer"), "title"),
            4,
            Label(told, "body", "text2", wraps=True),
            16,
            *lines,
            rule(),
            24,
            self._card,
            16,
            row(self._again, self._report, -1, gap=12),
            -1,
        )
        self.setLayout(self._whole)
        for later in (self._card, self._again):  # what comes last moves nothing
            room = later.sizePolicy()
            room.setRetainSizeWhenHidden(True)
            later.setSizePolicy(room)
        self.set_narrow(False)
        look().changed.connect(self._fit)
        self._fit()
        self._card.hide()
        self._again.hide()
        self._report.hide()
        session.chat.ready.connect(self._loaded)
        session.chat.done.connect(self._tested)
        session.chat.failed.connect(self._failed)

    def set_narrow(self, is_narrow: bool) -> None:
        """Little room: small words below the values."""
        beside = 24 if is_narrow else 40
        self._whole.setContentsMargins(beside, 24, beside, 24)
        for line in self._lines:
            line.set_narrow(is_narrow)

    def _fit(self) -> None:
        self.verdict.setMinimumHeight(2 * look().line_height("head"))

    def measure(self) -> None:
        """Find everything out anew; the lines fill as it is known."""
        if self._asked or self._timer.isActive():
            return
        for line in self._lines:
            line.say("", "", "")
        self._card.hide()
        self._again.hide()
        self._report.hide()
        memory = psutil.virtual_memory().total
        home = self._session.home
        free = shutil.disk_usage(next(path for path in (home, *home.parents) if path.exists())).free
        try:
            model = practice_model()
            name, note, mark = model_word(model), self.tr("inside the app"), "check"
        except LabError as error:
            model, name, note, mark = None, "", error.message, "warn"
            self._problem = f"{error.message}\n{error.hint}"
        is_enough = free > _KEPT_FREE
        self._found = [
            (hardware.processor(), self._cores(hardware.threads()), "check"),
            (_gigabytes(memory), self.tr("about {0} for models").format(_gigabytes(memory // 2)), "check"),
            (size(free), self.tr("10 GB always stay free") if is_enough else self.tr("little; 10 GB should stay free"),
             "check" if is_enough else "warn"),
            (hardware.system().partition(" (")[0], "", "check"),
            (name, note, mark),
        ]  # fmt: skip
        self._memory, self._model = memory, model
        self._timer.start()
        self._next()

    def _next(self) -> None:
        place = len(self._lines) - 1 - len(self._found)
        if self._found:
            self._lines[place].say(*self._found.pop(0))
        if not self._found:
            self._timer.stop()
            if self._model is None:
                self._could_not_test()
                return
            self._lines[-1].say("", self.tr("loading the practice model …"), "wait")
            self._session.chat.use(Voices(self._model, teacher=self._model))
            question = [ChatMessage("user", _TEST_QUESTION)]
            self._asked = self._session.chat.ask(question, max_tokens=_TEST_TOKENS)

    def _loaded(self) -> None:
        if self._asked:
            self._lines[-1].say("", self.tr("it answers a question …"), "wait")

    def _tested(self, asked: int, done: Done) -> None:
        if asked != self._asked or self._model is None:
            return
        self._asked = 0
        try:
            speed = save_speed(self._session.home, done.tokens, done.seconds, self._model)
        except LabError:
            speed = Speed(done.tokens / max(done.seconds, 1e-3), self._model.stat().st_size)
        words = self.tr("{0} words a second").format(number(round(speed.words_per_second)))
        self._lines[-1].say(words, self.tr("practice model"), "check")
        chat, train = chat_reach(self._memory, speed), train_reach(self._memory, speed)
        self.verdict.setText(self._sentence(chat, train))
        self._bars[0].show_reach(chat)
        self._bars[1].show_reach(train)
        self._card.show()
        self._again.show()

    def _sentence(self, chat: Reach, train: Reach) -> str:
        if not chat.comfortable:
            return self.tr("This computer is small for today's models; the practice example works.")
        words = self.tr("This computer can chat with models up to about {0}").format(_billions(chat.comfortable))
        if not train.comfortable:
            return words + self.tr(". For training its memory is small; the practice example works.")
        return words + self.tr(" and train up to about {0} comfortably.").format(_billions(train.comfortable))

    def _cores(self, count: int) -> str:
        return self.tr("one core") if count == 1 else self.tr("{0} cores").format(count)

    def _failed(self, asked: int, text: str, hint: str, details: str) -> None:
        if asked != self._asked:
            return
        self._asked = 0
        self._problem = f"{text}\n{hint}\n{details}".strip()
        self._could_not_test()

    def _could_not_test(self) -> None:
        self._lines[-1].say("", self.tr("The engine could not start."), "warn")
        self._again.show()
        self._report.show()


class _Line(QWidget):
    """A thing that is found out: its name, what it is, a small word, and a tick."""

    def __init__(self, icon: str, title: str) -> None:
        super().__init__()
        self._title = title
        self._value = ElidedLabel("", "strong")  # names of processors and systems can be long
        self._value.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._note = Label("", "small", "text2")
        self._mark = Icon("check", "good", 16)
        name = row(Icon(icon), Label(title, "body", "text2"), gap=12)
        self._holder = QWidget()
        self._holder.setLayout(name)
        name.addStretch(1)
        self._words = row(self._value, self._note, -1)
        self._words.insertStretch(0, 0)
        inside = row(self._holder, self._words, self._mark, gap=10)
        inside.setStretch(1, 1)
        self.setLayout(inside)
        self._is_narrow = False
        look().changed.connect(self._fit)
        self._fit()
        self.say("", "", "")

    def _fit(self) -> None:
        self._holder.setFixedWidth(look().grown(134 if self._is_narrow else 150))
        self.setFixedHeight(max(44, look().line_height("strong") + look().line_height("small") + 8))

    def set_narrow(self, is_narrow: bool) -> None:
        self._words.setDirection(QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(0 if is_narrow else 10)
        self._words.setStretch(0, 1 if is_narrow else 0)
        self._is_narrow = is_narrow
        self._fit()

    def say(self, value: str, note: str, mark: str) -> None:
        self._value.setText(value)
        self._value.setVisible(bool(value))
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._mark.setVisible(mark in ("check", "warn"))
        self._mark.show_icon(mark or "check", "warn" if mark == "warn" else "good")
        self.setAccessibleName(f"{self._title}: {value} {note}")


class _ReachBar(QWidget):
    """How large a model may be, on the scale of usual sizes."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._bar = SegmentBar(6)
        self._words = Label("", "body", "text2")
        self._name = Label(title)
        inside = row(self._name, self._bar, self._words, gap=12, margins=(0, 7, 0, 7))
        inside.setStretch(1, 1)
        self.setLayout(inside)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self._name.setFixedWidth(round(52 * look().text_size))
        self._words.setMinimumWidth(round(76 * look().text_size))

    def show_reach(self, reach: Reach) -> None:
        comfortable, tight = (_place(billions) for billions in (reach.comfortable, reach.tight))
        words = self.tr("up to {0}").format(_billions(reach.comfortable)) if reach.comfortable else self.tr("none")
        self._words.setText(words)
        spoken = f"{self._title} {words}"
        self._bar.show_parts([Part(comfortable, "good"), Part(tight - comfortable, "mark_line")], spoken)


def _place(billions: float) -> float:
    return sum(size <= billions for size in SIZES) / len(SIZES)


def _billions(billions: float) -> str:
    return f"{billions:g} B"


def _gigabytes(memory_bytes: int) -> str:
    """Memory as it is sold: in steps of 2 to the 30th."""
    return f"{memory_bytes / 2**30:.0f} GB"
