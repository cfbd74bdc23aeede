"""What importing a lesson file would change and leave out, before anything is written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QFrame, QWidget

from lab_desktop.taxonomy.importing import Imported
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, row, scrolled

_MOST_SHOWN = 200


class ImportSheet(QDialog):
    """Cancel does nothing; the file itself is never changed, and is kept beside the lesson as it was."""

    def __init__(self, file: Path, imported: Imported, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import a lesson"))
        self.resize(720, 560)
        lines: list[QWidget] = [
            *(self._repair(each.line, each.why, each.before, each.after) for each in imported.repairs[:_MOST_SHOWN]),
            *(self._loss(each.line, each.what, each.text) for each in imported.losses[:_MOST_SHOWN]),
        ]
        list_ = QWidget()
        list_.setLayout(column(*lines, -1, gap=8))
        said = self.tr(
            "This file needs some repairs. Look through them: the file itself stays as it is, and a copy is kept "
            "beside the lesson."
        )
        self.take = Button(self.tr("Import it so"), "primary", on_click=self.accept)
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        amount = self.tr("{0} repairs · {1} parts left out").format(len(imported.repairs), len(imported.losses))
        area = scrolled(list_)
        whole = column(
            Label(file.name, "title"), 4, Label(said, "body", "text2", wraps=True), 12, area, 12,
            row(Label(amount, "small", "text2"), -1, cancel, self.take, gap=8), margins=(24, 20, 24, 16),
        )  # fmt: skip
        whole.setStretchFactor(area, 1)
        self.setLayout(whole)

    def _repair(self, line: int, why: str, before: str, after: str) -> QFrame:
        parts: list[QWidget | int] = [Label(self.tr("Line {0}: {1}").format(line, why), "strong", wraps=True)]
        if before or after:
            parts += [4, Label(before, "small", "text3", wraps=True), 2, Label(after, "small", "text", wraps=True)]
        return self._card("edit", "accent", parts)

    def _loss(self, line: int, what: str, text: str) -> QFrame:
        said = self.tr("Line {0}: there is no place for {1}.").format(line, what)
        parts: list[QWidget | int] = [Label(said, "strong", wraps=True), 4, Label(text, "small", "text3", wraps=True)]
        return self._card("info", "warn", parts)

    def _card(self, icon: str, tone: str, parts: list[QWidget | int]) -> QFrame:
        inside = column(*parts)
        line = row(Icon(icon, tone, 16), inside, gap=10)
        line.setStretch(1, 1)
        return Card(line, padding=(14, 10))
