"""Station D: the new model is used: chat with it, make it smaller, find its file."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from lab_desktop.errors import LabError
from lab_desktop.files import read_json, stamp
from lab_desktop.ui.pages.improve.station import Heading, Running, Trouble, Waiting
from lab_desktop.ui.session import Session, station_of
from lab_desktop.ui.widgets.basic import Badge, Button, Card, ElidedLabel, Label, column, empty, row, rule, scrolled
from lab_desktop.ui.words import size

SMALLER = ("Q8_0", "Q4_K_M", "Q3_K_M")
_LARGEST_FIRST = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")


class UseStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: object = None
        self._buttons: dict[str, Button] = {}
        """By the kind of file that they make or show."""
        self.heading = Heading(self.tr("Use it"), "")
        self.trouble, self.waiting = Trouble(session, "use"), Waiting(session, "use")
        self._running = Running(session)
        self._place = column(gap=16, margins=(24, 0, 24, 24))
        inside = QWidget()
        inside.setLayout(self._place)
        whole = column(self.heading, self.trouble, self.waiting, self._running, scrolled(inside))
        whole.setStretch(4, 1)
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
        files = {_kind(path): path for path in sorted((run / "models").glob("[!.]*.gguf"))}
        expected = _expected(run)
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
        shown = [kind for kind in _LARGEST_FIRST if kind in files or kind in SMALLER]
        for kind in (*shown, *(kind for kind in files if kind not in shown)):
            lines.append(self._line(kind, files.get(kind), expected.get(kind, 0), is_running))
        return Card(*lines)

    def _line(self, kind: str, path: Path | None, expected: float, is_running: bool) -> QWidget:
        name, words = self._words(kind)
        text = QWidget()
        head = row(Label(name, "strong"), Label(f"({kind})", "small", "text3"), gap=6)
        if kind == "Q4_K_M":
            head.addWidget(Badge(self.tr("Recommended"), "good", "check"))
        head.addStretch(1)
        text.setLayout(column(head, ElidedLabel(words if path is None else path.name, "small", "text2"), gap=2))
        if path is not None:
            amount, button = size(path.stat().st_size), self._button(self.tr("Show in folder"), "folder", name)
            button.clicked.connect(functools.partial(self._show, path))
        else:
            amount = self.tr("about {0}").format(size(expected)) if expected else self.tr("size shows when made")
            button = self._button(self.tr("Make it"), "models", name)
            button.clicked.connect(functools.partial(self._make, kind))
            if is_running:
                button.setText(self.tr("Make it next"))
        self._buttons[kind] = button
        line = row(text, Label(amount, "body", "text2"), button, gap=16, margins=(0, 8, 0, 8))
        line.setStretch(0, 1)
        made = QWidget()
        made.setLayout(column(rule(), line))
        return made

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
        self._session.start((f"export:{kind}",))

    @staticmethod
    def _show(path: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(path.parent))


def row_of(*parts: QWidget) -> QWidget:
    """Words beside each other, as one widget."""
    made = QWidget()
    made.setLayout(row(*parts, -1, gap=8))
    return made


def _kind(path: Path) -> str:
    """The size of a file, from the end of its name: NAME-KIND.gguf."""
    return path.stem.rsplit("-", 1)[-1]


def _expected(run: Path) -> dict[str, float]:
    """About how many bytes each size takes; nothing where no export has said so."""
    try:
        return {kind: float(value) for kind, value in read_json(run / "models" / "sizes.json").items()}
    except (LabError, TypeError, ValueError):
        return {}
