"""A lesson that the editor cannot show without losing something of its file: what that is, and two ways to go on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.importing import Imported, read_anything, write_imported
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.import_sheet import ImportSheet
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Icon, Label, column, empty, row, scrolled

_MOST_SHOWN = 6
_WIDEST = 560


class Unshown(QWidget):
    """Nothing of the lesson is changed before the person has seen what would be lost, and agreed.

    Attributes:
        take: "Open in the editor…": what would be left out is shown first.
        look: "Only look": the file as a text, in which nothing is lost.
    """

    mended = Signal()
    """The file was written: it may be shown now."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path()
        self._banner = Banner("bad", "", "")
        self._title = Label("", "title", wraps=True)
        self._said = Label("", "body", "text2", wraps=True)
        self._parts = column(gap=6)
        self._card = Card(self._parts, padding=(16, 12))
        self.take = Button(self.tr("Open in the editor…"), on_click=self._take)
        self.look = Button(self.tr("Only look"), "plain", on_click=self._look)
        hint = Label(
            self.tr("“Only look” shows the file as a text. It can be changed there too, and nothing of it is lost."),
            "small", "text2", wraps=True,
        )  # fmt: skip
        self._hint = hint
        body = QWidget()
        body.setMaximumWidth(_WIDEST)
        body.setLayout(
            column(
                self._banner, 16, Icon("document", "text3", 32), 12, self._title, 6, self._said, 12, self._card, 16,
                row(self.take, self.look, -1, gap=8), 8, hint,
            )
        )  # fmt: skip
        line = row(body, margins=(32, 28, 32, 28))
        line.addStretch(1)
        line.setStretch(0, 100)
        inside = QWidget()
        inside.setLayout(column(line, -1))
        whole = column(scrolled(inside))
        self.setLayout(whole)

    def show_lesson(self, folder: Path) -> None:
        """Why the lesson in `folder` is not shown."""
        self._folder = folder
        self._banner.hide()
        empty(self._parts)
        imported = self._read()
        name = title_of(folder.name)
        lost = [] if imported is None else [self._lost(each.line, each.text or each.what) for each in imported.losses]
        if imported is None:
            self._title.setText(self.tr("“{0}” cannot be read").format(name))
            self._said.setText(self.tr("There is nothing of a lesson in its file, or it is damaged."))
        elif lost:
            self._title.setText(self.tr("“{0}” holds more than the editor can show").format(name))
            self._said.setText(self.tr("Opening it in the editor would leave this out:"))
        else:
            self._title.setText(self.tr("“{0}” is written in a way that the editor does not know").format(name))
            self._said.setText(self.tr("It can be mended; you see how before anything is written."))
        for said in lost[:_MOST_SHOWN]:
            self._parts.addWidget(Label(_short(said), "body", wraps=True))
        if len(lost) > _MOST_SHOWN:
            self._parts.addWidget(Label(self.tr("And {0} more.").format(len(lost) - _MOST_SHOWN), "small", "text2"))
        self._card.setVisible(bool(lost))
        self.take.setVisible(imported is not None)
        is_there = (folder / FILE_NAME).is_file()
        self.look.setVisible(is_there)
        self._hint.setVisible(is_there)

    def _lost(self, line: int, text: str) -> str:
        return self.tr("Line {0}: {1}").format(line, text)

    def _read(self) -> Imported | None:
        try:
            return read_anything(self._folder, self._folder)
        except LabError:
            return None

    def _take(self) -> None:
        imported = self._read()
        if imported is None:
            self.mended.emit()  # it is another file by now: look again
        elif imported.is_exact:
            self._write(imported)
        else:
            sheet = ImportSheet(self._folder / FILE_NAME, imported, self, is_there=True)
            sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            sheet.accepted.connect(lambda: self._write(imported))
            sheet.open()

    def _write(self, imported: Imported) -> None:
        try:
            write_imported(imported, self._folder)
        except LabError as error:
            self._banner.say("bad", error.message, error.hint)
            self._banner.show()
            return
        self.mended.emit()

    def _look(self) -> None:
        view = FileView(self._folder, self.mended.emit, self)
        view.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        view.open()


def _short(text: str) -> str:
    bare = " ".join(text.split())
    return bare if len(bare) <= 160 else f"{bare[:159]}…"
