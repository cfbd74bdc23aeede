"""Station D: the new model is used: chat with it, make it smaller, find its file."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from lab_desktop.ui.jobs import Job
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button, Card, Label, column, empty, row, rule
from lab_desktop.ui.words import size


class UseStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._place = column(margins=(24, 16, 24, 24))
        self.setLayout(self._place)

    def refresh(self) -> None:
        empty(self._place)
        session = self._session
        inside = QWidget()
        run = session.project.run if session.project else None
        parts: list[QWidget] = [Label(self.tr("Use it"), "title")]
        if run is None or not session.state.has_adapter:
            parts.append(
                Label(
                    self.tr("Train first; then you can talk to your model and take it with you."),
                    "reading",
                    "text2",
                    wraps=True,
                )
            )
        else:
            parts.append(self._talk())
            parts.append(self._files(run))
        inside.setLayout(column(*parts, -1, gap=16))
        self._place.addWidget(inside)

    def _talk(self) -> QWidget:
        session = self._session
        return Card(
            Label(self.tr("Talk to it"), "head"), 4,
            Label(self.tr("It answers beside the original, so you see what changed."), "body", "text2", wraps=True), 12,
            row(Button(self.tr("Chat with it"), "primary", icon="chat", on_click=lambda: session.go("chat")), -1),
        )  # fmt: skip

    def _files(self, run: Path) -> QWidget:
        files = sorted(path for path in (run / "models").glob("*.gguf") if not path.name.startswith("."))
        lines: list[QWidget | int] = [
            Label(self.tr("Take it with you"), "head"),
            4,
            Label(self.tr("One file that LM Studio, Ollama and llama.cpp run (GGUF)."), "body", "text2", wraps=True),
            12,
        ]
        for path in files:
            line = QWidget()
            words = self._words(path)
            line.setLayout(
                column(
                    rule(),
                    row(
                        Label(words, "strong"),
                        Label(path.name, "small", "text2"),
                        -1,
                        Label(size(path.stat().st_size), "body", "text2"),
                        Button(
                            self.tr("Show in folder"),
                            size="small",
                            icon="folder",
                            on_click=functools.partial(self._show, path),
                        ),
                        gap=12,
                        margins=(0, 8, 0, 8),
                    ),
                )
            )
            lines.append(line)
        if not files:
            make = Button(self.tr("Make the file"), icon="models", on_click=self._make)
            holder = QWidget()
            holder.setLayout(row(make, -1))
            lines.append(holder)
        return Card(*lines)

    def _words(self, path: Path) -> str:
        for ending, words in (
            ("F16", self.tr("Full size")),
            ("Q8_0", self.tr("Large")),
            ("Q5_K_M", self.tr("Medium")),
            ("Q4_K_M", self.tr("Small (recommended)")),
        ):
            if path.stem.endswith(ending):
                return words
        return path.stem

    def _make(self) -> None:
        project = self._session.project
        if project is not None and project.run is not None:
            self._session.jobs.start(Job(project.run, ("export",), project.title))

    @staticmethod
    def _show(path: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(path.parent))
