"""Tables that a person brings to a lesson: read in a process of their own, looked at in a sheet, added as one step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from lab_desktop.documents.safely import read_table_safely
from lab_desktop.documents.table import SUFFIXES, Table, split_cells
from lab_desktop.editing.lesson import Field
from lab_desktop.editing.table import Sifted, add_entries
from lab_desktop.errors import Cancelled, DocumentError, LabError
from lab_desktop.ui.background import Background
from lab_desktop.ui.editor.desk import Desk
from lab_desktop.ui.editor.table_sheet import TableSheet


class Tables(QObject):
    """One table at a time.

    Attributes:
        sheet: what the person looks at; None where there is none.
    """

    changed = Signal(str)
    """What is being read, in words; "" when nothing is."""
    refused = Signal(object)
    """A LabError: a table could not be taken; nothing was changed."""

    def __init__(self, desk: Desk, passage: Callable[[], int], parent: QWidget) -> None:
        """
        Args:
            passage: gives the passage in hand by its id; 0: there is none.
            parent: what the sheet stands before.
        """
        super().__init__(parent)
        self._desk, self._passage, self._before = desk, passage, parent
        self._work: Background[Table | LabError | None] | None = None
        self._name = ""
        self._waiting: list[Path] = []
        self.sheet: TableSheet | None = None

    def choose(self) -> None:
        """Ask for a file."""
        kinds = self.tr("Tables") + f" ({' '.join(f'*{suffix}' for suffix in SUFFIXES)});;{self.tr('All files')} (*)"
        name, _ = QFileDialog.getOpenFileName(self._before, self.tr("Choose a table"), "", kinds)
        if name:
            self.take_files([Path(name)])

    def take_files(self, files: Sequence[Path]) -> None:
        """Read files and show what is in them, one after the other."""
        self._waiting += files
        self._next()

    def _next(self) -> None:
        if self._waiting and self._work is None and self.sheet is None:
            file = self._waiting.pop(0)
            self._name = file.name
            self._work = Background(_reading(file), self._taken, self)
            self._work.start()
            self.changed.emit(self.tr("Reading {0}…").format(file.name))

    def take_cells(self, text: str) -> bool:
        """Show cells that were copied from a spreadsheet; False where the text is none of these."""
        found = split_cells(text)
        if found is None or len(found.rows) < 2 or self._desk.lesson is None or self.sheet is not None:
            return False
        self._name = self.tr("What was copied")
        self._show(found)
        return True

    def paste(self, data: QMimeData) -> None:
        """Show what the clipboard holds: a file, or cells."""
        files = table_files(data)
        if files:
            self.take_files(files)
        elif not self.take_cells(data.text()):
            what = self.tr("What was copied is no table.")
            self.refused.emit(DocumentError(what, self.tr("Mark at least two rows in the spreadsheet and copy them.")))

    def stop(self) -> None:
        """Give up what is being read, and what waits."""
        self._waiting = []
        self._end()

    def _end(self) -> None:
        if self._work is not None:
            self._work.stop()
            self._work.deleteLater()
            self._work = None
            self.changed.emit("")

    def _taken(self, result: Table | LabError | None) -> None:
        self._end()
        if isinstance(result, LabError):
            self.refused.emit(result)
        elif result is not None:
            self._show(result)
        self._next()

    def _show(self, table: Table) -> None:
        lesson = self._desk.lesson
        if lesson is None:
            return
        if table.width < 2:
            self.refused.emit(
                DocumentError(
                    self.tr("“{0}” has one column only.").format(self._name),
                    self.tr("Put the questions into one column and their answers into another."),
                )
            )
            return
        example = self._passage()
        self.sheet = sheet = TableSheet(self._name, table, lesson, example, self._before)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.taken.connect(lambda found: self._add(example, found))
        sheet.finished.connect(self._gone)
        sheet.open()

    def _gone(self) -> None:
        self.sheet = None
        self._next()

    def _add(self, example: int, found: Sifted) -> None:
        self._desk.do(
            lambda lesson: add_entries(lesson, example, found.entries), self.tr("add from a table"),
            Field("examples", example),
        )  # fmt: skip


def table_files(data: QMimeData) -> list[Path]:
    """The spreadsheets among the files that are dropped or pasted."""
    files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [file for file in files if file.suffix.lower() in SUFFIXES]


def _reading(file: Path) -> Callable[[threading.Event], Table | LabError | None]:
    def read(stop: threading.Event) -> Table | LabError | None:
        try:
            return read_table_safely(file, stop.is_set)
        except Cancelled:
            return None
        except LabError as error:
            return error

    return read
