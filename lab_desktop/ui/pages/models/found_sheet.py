"""Models that other programs keep here: choose those that are to be used here too, where they are."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QStackedWidget, QWidget

from lab_desktop.models import elsewhere
from lab_desktop.models.elsewhere import Found
from lab_desktop.ui.background import Background
from lab_desktop.ui.widgets.basic import Button, Label, column, nothing_yet, row
from lab_desktop.ui.words import size


class FoundSheet(QDialog):
    chosen = Signal(object)
    """Those that the person chose: a list of Found."""

    def __init__(self, parent: QWidget, known: Set[Path]) -> None:
        """
        Args:
            known: files that are among the models already.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Models of other programs"))
        self.resize(640, 480)
        self._known = {path.resolve() for path in known}
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Models of other programs"))
        self._list.itemChanged.connect(self._count)
        self._stack = QStackedWidget()
        self._stack.addWidget(nothing_yet("search", self.tr("Looking …"), self.tr("LM Studio, Ollama and others")))
        self._stack.addWidget(self._list)
        self._stack.addWidget(
            nothing_yet(
                "models",
                self.tr("Nothing found"),
                self.tr("No other program keeps models in its usual place."),
            )
        )
        self._use = Button(self.tr("Use"), "primary", on_click=self._choose)
        self._use.hide()
        whole = column(
            Label(self.tr("Models that other programs keep"), "title"),
            4,
            Label(
                self.tr("They stay where they are; nothing is copied, nothing changed."),
                "body",
                "text2",
                wraps=True,
            ),
            12,
            self._stack,
            12,
            row(-1, Button(self.tr("Close"), on_click=self.reject), self._use, gap=8),
            margins=(24, 20, 24, 20),
        )
        whole.setStretch(4, 1)
        self.setLayout(whole)
        self._look = Background[list[Found]](lambda _: elsewhere.find(), self._show, self)
        self._look.start()

    @property
    def shown(self) -> list[str]:
        """What stands in the list."""
        return [self._list.item(row).text() for row in range(self._list.count())]

    def choose_all(self) -> None:
        for place in range(self._list.count()):
            self._list.item(place).setCheckState(Qt.CheckState.Checked)

    def _show(self, found: list[Found]) -> None:
        new = [each for each in found if each.path.resolve() not in self._known]
        for each in new:
            item = QListWidgetItem(f"{each.name}  ·  {each.program}  ·  {size(each.size_bytes)}")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            item.setData(Qt.ItemDataRole.UserRole, each)
            item.setToolTip(str(each.path))
            self._list.addItem(item)
        self._stack.setCurrentIndex(1 if new else 2)
        self._count()

    def _picked(self) -> list[Found]:
        items = (self._list.item(place) for place in range(self._list.count()))
        return [item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked]

    def _count(self) -> None:
        count = len(self._picked())
        self._use.setVisible(count > 0)
        self._use.setText(self.tr("Use {0}").format(count))

    def _choose(self) -> None:
        self.chosen.emit(self._picked())
        self.accept()

    def done(self, result: int) -> None:
        self._look.stop()
        super().done(result)
