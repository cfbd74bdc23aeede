"""Station D: the new model is used: chat with it, make it smaller, take it along to other programs."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from lab_desktop.capacity import WORDS_A_TOKEN
from lab_desktop.errors import LabError
from lab_desktop.evaluation.measured import Measure, measures
from lab_desktop.files import read_json, stamp
from lab_desktop.models.card import kind_of
from lab_desktop.models.handover import to_lm_studio, to_ollama
from lab_desktop.ui.background import Errands
from lab_desktop.ui.pages.improve.publish import PublishSheet, Sending
from lab_desktop.ui.pages.improve.station import Heading, Running, Trouble, Waiting
from lab_desktop.ui.session import Session, station_of
from lab_desktop.ui.widgets.basic import (
    Badge,
    Banner,
    Button,
    Card,
    ElidedLabel,
    Label,
    Tone,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.words import number, size

_USUAL = ("Q8_0", "Q4_K_M", "Q3_K_M")
_LARGEST_FIRST = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")


class UseStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: object = None
        self._shows_all = False
        self._errands = Errands(self)
        self._told = Banner("info", "", "")
        self._told.hide()
        self._buttons: dict[str, Button] = {}
        """By the kind of file that they make or show."""
        self.heading = Heading(self.tr("Use it"), "")
        self.trouble, self.waiting = Trouble(session, "use"), Waiting(session, "use")
        self._running = Running(session)
        self._place = column(gap=16, margins=(24, 0, 24, 24))
        inside = QWidget()
        inside.setLayout(self._place)
        told = row(self._told, margins=(24, 0, 24, 8))
        above = (self.heading, self.trouble, self.waiting, self._running, Sending(session), told)
        whole = column(*above, scrolled(inside))
        whole.setStretch(len(above), 1)
        self.setLayout(whole)

    def set_narrow(self, is_narrow: bool) -> None:
        pass

    def beat(self) -> None:
        """A second has gone by while a job runs."""
        self._running.refresh()

    def refresh(self) -> None:
        session = self._session
        run = session.project.run if session.project else None
        job = session.jobs.current
        is_running = job is not None and job.folder == run and station_of(job.steps) == "use"
        self._running.setVisible(is_running)
        self._running.refresh()
        self.trouble.look_at(run)
        self.waiting.look_at(run)
        files = sorted((run / "models").glob("*")) if run is not None else []
        shown = (run, session.state.has_adapter, is_running, [(file, stamp(file)) for file in files])
        if shown == self._shown:
            return
        self._shown = shown
        focused = next((kind for kind, button in self._buttons.items() if button.hasFocus()), "")
        self._buttons = {}
        empty(self._place)
        if run is None or not session.state.has_adapter:
            self.heading.say(self.tr("Train first; then you can talk to your model and take it with you."))
            return
        self.heading.say("")
        self._place.addWidget(self._talk())
        self._place.addWidget(self._sizes(run, is_running))
        self._place.addStretch(1)
        if focused in self._buttons:
            self._buttons[focused].setFocus()

    def _talk(self) -> QWidget:
        session = self._session
        words = column(
            Label(self.tr("Talk to it"), "head"),
            Label(self.tr("It answers beside the original, so you see what changed."), "body", "text2", wraps=True),
            gap=4,
        )
        line = row(words, Button(self.tr("Chat with it"), icon="chat", on_click=lambda: session.go("chat")), gap=16)
        line.setStretch(0, 1)
        return Card(line)

    def _sizes(self, run: Path, is_running: bool) -> QWidget:
        files = {kind_of(path): path for path in sorted((run / "models").glob("[!.]*.gguf"))}
        expected, tried = _expected(run), measures(run / "models")
        lines: list[QWidget | int] = [
            row_of(Label(self.tr("Make smaller"), "head"), Label(self.tr("(quantize)"), "small", "text3")),
            4,
            Label(
                self.tr("One file that LM Studio, Ollama and llama.cpp run, too. A smaller one starts faster and needs "
                        "less memory; the smallest forgets a little."),
                "body", "text2", wraps=True,
            ),
            12,
        ]  # fmt: skip
        shown = [kind for kind in _LARGEST_FIRST if self._shows_all or kind in files or kind in _USUAL]
        for kind in (*shown, *(kind for kind in files if kind not in shown)):
            lines.append(self._line(kind, files.get(kind), expected.get(kind, 0), tried.get(kind), is_running))
        if not self._shows_all and len(shown) < len(_LARGEST_FIRST):
            more = Button(self.tr("More sizes"), "plain", size="small", on_click=self._show_all)
            lines += [rule(), row_of(more)]
        return Card(*lines)

    def _show_all(self) -> None:
        self._shows_all, self._shown = True, None
        self.refresh()

    def _line(self, kind: str, path: Path | None, expected: float, tried: Measure | None, is_running: bool) -> QWidget:
        name, words = self._words(kind)
        text = QWidget()
        head = row(Label(name, "strong"), Label(f"({kind})", "small", "text3"), gap=6)
        if kind == "Q4_K_M":
            head.addWidget(Badge(self.tr("Recommended"), "good", "check"))
        head.addStretch(1)
        text.setLayout(column(head, ElidedLabel(words if path is None else path.name, "small", "text2"), gap=2))
        parts: list[QWidget] = []
        if path is not None:
            parts = [self._tried(kind, name, tried)]
            amount, button = size(path.stat().st_size), self._button(self.tr("Take it along"), "share", name)
            button.setMenu(self._ways(path, button))
        else:
            amount = self.tr("about {0}").format(size(expected)) if expected else self.tr("size shows when made")
            button = self._button(self.tr("Make it"), "models", name)
            button.clicked.connect(functools.partial(self._make, kind))
            if is_running:
                button.setText(self.tr("Make it next"))
        self._buttons[kind] = button
        line = row(text, *parts, Label(amount, "body", "text2"), button, gap=16, margins=(0, 8, 0, 8))
        line.setStretch(0, 1)
        made = QWidget()
        made.setLayout(column(rule(), line))
        return made

    def _tried(self, kind: str, name: str, tried: Measure | None) -> QWidget:
        """What the file knows and how fast it is, or a button that finds out."""
        if tried is None:
            made = Button(self.tr("Try it"), "plain", size="small", on_click=functools.partial(self._try, kind))
            made.setAccessibleName(f"{made.text()}: {name}")
            made.setToolTip(self.tr("Asks it the questions of the report, and measures how fast it answers."))
            return made
        words = self.tr("{0} of {1} right").format(number(tried.right), number(tried.asked))
        if tried.tokens_per_second > 0:
            words += " · " + self.tr("{0} words/s").format(number(round(tried.tokens_per_second * WORDS_A_TOKEN)))
        return Label(words, "body", "text2")

    def _ways(self, path: Path, parent: QWidget) -> QMenu:
        """Where a file can go."""
        menu = QMenu(parent)
        menu.addAction(self.tr("Show it in its folder")).triggered.connect(functools.partial(self._show, path))
        menu.addAction(self.tr("Give it to LM Studio")).triggered.connect(functools.partial(self._to_lm_studio, path))
        menu.addAction(self.tr("Give it to Ollama")).triggered.connect(functools.partial(self._to_ollama, path))
        menu.addSeparator()
        menu.addAction(self.tr("Publish…")).triggered.connect(functools.partial(self._publish, path))
        return menu

    def _publish(self, path: Path, *_: object) -> None:
        """Show what would go out; nothing goes before the person says so there."""
        if self._session.publishing.is_busy:
            self._tell(
                "info", self.tr("Another model is being published."), self.tr("Wait until it is done, or pause it.")
            )
            return
        run = path.parent.parent
        files = {self._words(kind_of(file))[0]: file for file in sorted((run / "models").glob("[!.]*.gguf"))}
        PublishSheet(self, self._session, run, files, kind_of(path)).open()

    def _to_lm_studio(self, path: Path, *_: object) -> None:
        words = self.tr("LM Studio has it, under My Models.")
        self._errands.do(lambda: to_lm_studio(path), lambda _: self._tell("good", words, ""), self._refuse)

    def _to_ollama(self, path: Path, *_: object) -> None:
        self._tell("info", self.tr("Ollama is copying the model …"), "")
        words = self.tr("Ollama has it. In a terminal: ollama run {0}")
        self._errands.do(lambda: to_ollama(path), lambda name: self._tell("good", words.format(name), ""), self._refuse)

    def _refuse(self, error: LabError) -> None:
        self._tell("warn", error.message, error.hint)

    def _tell(self, tone: Tone, cause: str, safe: str) -> None:
        self._told.say(tone, cause, safe)
        self._told.show()

    @staticmethod
    def _button(text: str, icon: str, name: str) -> Button:
        made = Button(text, size="small", icon=icon)
        made.setAccessibleName(f"{text}: {name}")
        return made

    def _words(self, kind: str) -> tuple[str, str]:
        """(name, what it is good for) of a size."""
        names = {
            "F16": (self.tr("Full size"), self.tr("Nothing left out; the others are made from it.")),
            "Q8_0": (self.tr("Large"), self.tr("Answers like the full size.")),
            "Q6_K": (self.tr("Rather large"), self.tr("Almost like the full size.")),
            "Q5_K_M": (self.tr("Medium"), self.tr("Between large and small.")),
            "Q4_K_M": (self.tr("Small"), self.tr("The best balance for most computers.")),
            "Q3_K_M": (self.tr("Tiny"), self.tr("For little memory; it forgets a little.")),
        }
        return names.get(kind, (kind, ""))

    def _make(self, kind: str) -> None:
        self._session.start((f"export:{kind}", f"measure:{kind}"))

    def _try(self, kind: str) -> None:
        self._session.start((f"measure:{kind}",))

    @staticmethod
    def _show(path: Path, *_: object) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(path.parent))


def row_of(*parts: QWidget) -> QWidget:
    """Words beside each other, as one widget."""
    made = QWidget()
    made.setLayout(row(*parts, -1, gap=8))
    return made


def _expected(run: Path) -> dict[str, float]:
    """About how many bytes each size takes; nothing where no export has said so."""
    try:
        return {kind: float(value) for kind, value in read_json(run / "models" / "sizes.json").items()}
    except (LabError, TypeError, ValueError):
        return {}
