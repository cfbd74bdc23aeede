"""What taking a lesson file into the editor would change and leave out, before anything is written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QWidget

from lab_desktop.taxonomy.importing import Imported
from lab_desktop.ui.editor.repair_cards import repair_cards, repairs_words
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Label, column, row, scrolled


class ImportSheet(QDialog):
    """Cancel does nothing; the file as it was is kept beside the lesson."""

    def __init__(
        self, file: Path, imported: Imported, parent: QWidget | None = None, *, is_there: bool = False
    ) -> None:
        """
        Args:
            is_there: the file is that of a lesson that lies at its place, and is written anew.
        """
        super().__init__(parent)
        self.setWindowTitle(self.tr("Open in the editor") if is_there else self.tr("Import a lesson"))
        self.setMinimumSize(look().grown(440), look().grown(320))
        self.resize(look().grown(720), look().grown(560))
        list_ = QWidget()
        list_.setLayout(column(*repair_cards(imported), -1, gap=8))
        said = (
            self.tr(
                "The lesson is written anew so that the editor can show it. What would be left out stands here; a "
                "copy of the file as it is now is kept beside the lesson."
            )
            if is_there
            else self.tr(
                "This file needs some repairs. Look through them: the file itself stays as it is, and a copy is kept "
                "beside the lesson."
            )
        )
        self.take = Button(
            self.tr("Open it so") if is_there else self.tr("Import it so"), "primary", on_click=self.accept
        )  # fmt: skip
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        amount = repairs_words(imported)
        area = scrolled(list_)
        whole = column(
            Label(file.name, "title"), 4, Label(said, "body", "text2", wraps=True), 12, area, 12,
            row(Label(amount, "small", "text2"), -1, cancel, self.take, gap=8), margins=(24, 20, 24, 16),
        )  # fmt: skip
        whole.setStretchFactor(area, 1)
        self.setLayout(whole)
