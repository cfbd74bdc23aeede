"""Lessons from elsewhere: a file, a folder or an archive is looked through, shown, and taken in as one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from lab_desktop.errors import LabError
from lab_desktop.taxonomy.importing import Haul
from lab_desktop.ui.editor.import_sheet import ImportSheet
from lab_desktop.ui.pages.library.import_many import ImportMany
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.words import tr

_ENDINGS = (".labpack", ".zip", ".yaml", ".yml")


def dropped(data: QMimeData) -> Path | None:
    """The one lesson file, archive or folder that is held over the page; None: it is something else."""
    files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if len(files) == 1 and (files[0].suffix.lower() in _ENDINGS or files[0].is_dir()):
        return files[0]
    return None


class Bringing:
    def __init__(
        self, shelf: Shelf, topic: Callable[[], str | None], tell: Callable[[LabError], object], parent: QWidget
    ) -> None:
        """
        Args:
            topic: where something new goes; None, and it is said why, where nothing can.
            parent: of what asks for a file.
        """
        self._shelf, self._topic, self._tell, self._parent = shelf, topic, tell, parent

    def choose_file(self) -> None:
        """Ask for a lesson file, one that came by mail, or an archive with many."""
        kinds = tr("Lesson files and archives (*.yaml *.yml *.labpack *.zip)")
        name, _ = QFileDialog.getOpenFileName(self._parent, tr("Choose a lesson file or an archive"), "", kinds)
        if name:
            self.bring(Path(name))

    def choose_folder(self) -> None:
        """Ask for a folder with lessons."""
        name = QFileDialog.getExistingDirectory(self._parent, tr("Choose a folder with lessons"))
        if name:
            self.bring(Path(name))

    def bring(self, source: Path) -> None:
        """Show what a file, a folder or an archive holds; one lesson that is as it should be is taken at once."""
        topic = self._topic()
        if topic is not None:
            self._shelf.look_through(source, topic, self._show)

    def _show(self, haul: Haul) -> None:
        (find, *others) = haul.finds
        sheet: QDialog
        if others:
            many = sheet = ImportMany(haul.source, haul.finds, self._parent)
            sheet.accepted.connect(lambda: self._take(haul, [find.name for find in many.chosen]))
        elif find.problem is not None or find.imported is None:
            self._shelf.let_go(haul)
            if find.problem is not None:
                self._tell(find.problem)
            return
        elif find.imported.is_exact:
            self._take(haul, [find.name])
            return
        else:
            sheet = ImportSheet(haul.source, find.imported, self._parent)
            sheet.accepted.connect(lambda: self._take(haul, [find.name]))
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.rejected.connect(lambda: self._shelf.let_go(haul))
        sheet.open()

    def _take(self, haul: Haul, names: list[str]) -> None:
        self._shelf.bring(haul, [find for find in haul.finds if find.name in set(names)])
