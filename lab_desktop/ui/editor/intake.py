"""Documents that a person brings to a lesson: converted in a process of their own, kept, and put into the lesson."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QTimer, Signal

from lab_desktop.documents.converted import Converted, Progress
from lab_desktop.documents.safely import Pasted, convert_safely
from lab_desktop.documents.source import Source, keep
from lab_desktop.editing.lesson import Field, Lesson, add_document
from lab_desktop.errors import Cancelled, LabError
from lab_desktop.ui.background import Background
from lab_desktop.ui.editor.desk import Desk

_LOOK_MS = 100


class Intake(QObject):
    """One document after the other."""

    changed = Signal(str)
    """What is being done, in words; "" when nothing is."""
    came = Signal(object, object)
    """(Source, Converted): a document is in the lesson."""
    refused = Signal(object)
    """A LabError: a document could not be taken; nothing of it was kept."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._waiting: list[Path | Pasted] = []
        self._work: Background[tuple[Source, Converted] | LabError | None] | None = None
        self._pages: tuple[int, int] = 0, 0
        self._name = ""
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._say)

    @property
    def is_busy(self) -> bool:
        return self._work is not None

    def take_files(self, files: Sequence[str]) -> None:
        self._take([Path(file) for file in files])

    def take_pasted(self, data: QMimeData) -> None:
        """What the clipboard holds: files, a page, or a text."""
        files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if files:
            self.take_files(files)
        elif data.hasHtml():
            self._take([Pasted(data.html(), is_html=True)])
        elif data.text().strip():
            self._take([Pasted(data.text())])
        else:
            self.refused.emit(
                LabError(self.tr("There is no text to paste."), self.tr("Copy a text, a page or a file first."))
            )

    def stop(self) -> None:
        """Give up what is being converted, and what waits."""
        self._waiting = []
        if self._work is not None:
            self._work.stop()
            self._work.deleteLater()
            self._work = None
            self._look.stop()
            self.changed.emit("")

    def _take(self, brought: Sequence[Path | Pasted]) -> None:
        self._waiting += brought
        self._next()

    def _next(self) -> None:
        if self._work is not None or not self._waiting or self._desk.folder is None:
            return
        brought = self._waiting.pop(0)
        self._name = brought.name if isinstance(brought, Path) else self.tr("the pasted text")
        self._pages = 0, 0
        self._work = Background(_taking(brought, self._desk.folder, self._progress), self._taken, self)
        self._work.start()
        self._look.start()
        self._say()

    def _progress(self, done: int, total: int) -> None:
        self._pages = done, total

    def _say(self) -> None:
        done, total = self._pages
        words = self.tr("Reading {0}").format(self._name)
        self.changed.emit(self.tr("{0} · {1} of {2}").format(words, done, total) if total > 1 else f"{words}…")

    def _taken(self, result: tuple[Source, Converted] | LabError | None) -> None:
        if self._work is not None:
            self._work.deleteLater()
        self._work = None
        self._look.stop()
        self.changed.emit("")
        if isinstance(result, LabError):
            self.refused.emit(result)
        elif result is not None:
            source, converted = result
            text = source.text.read_text(encoding="utf-8")

            def with_it(lesson: Lesson) -> Lesson:
                return add_document(lesson, source.text.name, text)

            self._desk.do(with_it, self.tr("add document"), Field("documents"))
            self.came.emit(source, converted)
        self._next()


def _taking(
    brought: Path | Pasted, folder: Path, on_progress: Progress
) -> Callable[[threading.Event], tuple[Source, Converted] | LabError | None]:
    def take(stop: threading.Event) -> tuple[Source, Converted] | LabError | None:
        try:
            converted = convert_safely(brought, on_progress, stop.is_set)
            return keep(folder, brought, converted), converted
        except Cancelled:
            return None
        except LabError as error:
            return error

    return take
