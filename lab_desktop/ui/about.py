"""About: what this program is, what it stands on, and some lines for somebody who helps."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from lab_desktop import __version__, paths
from lab_desktop.ui.background import Background
from lab_desktop.ui.details import PRACTICE_MODEL_PACKAGE, PROGRAM, Library, details, libraries, library
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, row, rule, scrolled
from lab_desktop.ui.widgets.panel import as_panel

_SAID_MS = 4000
_NARROWEST = 520


@dataclass(frozen=True)
class Facts:
    """What is looked up once the window is open."""

    licence: str
    libraries: list[Library]
    model: Library
    details: str


class AboutWindow(QWidget):
    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._facts: Facts | None = None
        self._wants_copy = False

        self._licence = Label("", "body", "text2")
        self.copy = Button(self.tr("Copy details"), icon="copy", on_click=self._copy)
        self._said = Label("", "small", "good")
        self._said.hide()
        self._quiet = QTimer(self, singleShot=True, interval=_SAID_MS)
        self._quiet.timeout.connect(self._said.hide)
        head = column(
            row(Icon("improve", "accent", 32), Label("LAB Desktop", "title"), -1, gap=12),
            8,
            Label(self.tr("Version {0}").format(__version__), "strong"),
            self._licence,
            Label(
                self.tr("Teaches a language model on this computer what you know, and shows whether it learned it."),
                "body",
                "text2",
                wraps=True,
            ),
            gap=4,
        )
        help_line = column(
            row(self.copy, self._said, -1, gap=10),
            Label(
                self.tr(
                    "For somebody who helps you: versions, memory, disk and how the last work ended. Your name, this "
                    "computer's name, folders and files are left out."
                ),
                "small",
                "text2",
                wraps=True,
            ),
            gap=6,
        )
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(20)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(2, 1)
        self._waiting = Label(self.tr("Looking …"), "body", "text2")
        inside = QWidget()
        inside.setLayout(
            column(
                head,
                20,
                help_line,
                24,
                Label(self.tr("What it stands on"), "head"),
                8,
                Card(self._waiting, self._grid),
                -1,
                margins=(28, 24, 28, 24),
            )
        )
        as_panel(self, self.tr("About LAB Desktop"), column(scrolled(inside)))
        self.resize(620, 680)
        look().changed.connect(self._fit)
        self._fit()
        self._looking = Background(functools.partial(_look_up, session.home), self._show_facts, self)

    def _copy(self) -> None:
        self._wants_copy = True
        self._looking.start()

    def _show_facts(self, facts: Facts) -> None:
        if self._facts is None:
            self._waiting.hide()
            self._licence.setText(self.tr("Licence: {0}").format(facts.licence or self.tr("not told here")))
            model = Library(Path(paths.PRACTICE_MODEL).stem.partition(".")[0], "", facts.model.licence)
            self._fill([model, *facts.libraries])
        self._facts = facts
        if self._wants_copy:
            self._wants_copy = False
            QGuiApplication.clipboard().setText(facts.details)
            self._said.setText(self.tr("Copied. Paste it into your message."))
            self._said.show()
            self._quiet.start()

    def _fill(self, some: list[Library]) -> None:
        for number, each in enumerate(some):
            at = self._grid.rowCount()
            if number == 1:
                self._grid.addWidget(rule(), at, 0, 1, 3)
                at += 1
            version = each.version or (self.tr("practice model") if number == 0 else "–")
            for place, label in enumerate(
                (
                    Label(each.name, "strong", wraps=True),
                    Label(version, "body", "text2"),
                    Label(each.licence or self.tr("not told here"), "body", "text2", wraps=True),
                )
            ):
                self._grid.addWidget(label, at, place, Qt.AlignmentFlag.AlignTop)

    def _fit(self) -> None:
        self.setMinimumSize(round(_NARROWEST * max(1.0, look().text_size)), 420)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self._looking.start)
        self.copy.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._looking.stop)
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _look_up(home: Path, stop: threading.Event) -> Facts:
    return Facts(library(PROGRAM).licence, libraries(), library(PRACTICE_MODEL_PACKAGE), details(home))
