"""The licences of everything that this program is made of: found by any word, read here, on this computer."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QListWidgetItem, QWidget

from lab_desktop import licences
from lab_desktop.errors import LabError
from lab_desktop.licences import Part
from lab_desktop.ui.background import Background
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.widgets.basic import column, row, rule
from lab_desktop.ui.widgets.panel import NameList, Panel, Side, search_field
from lab_desktop.ui.widgets.reading import ReadingPane

_NAMES_WIDE = 264
_BETWEEN = "\n\n" + "─" * 32 + "\n\n"


class LicencesWindow(Panel):
    """Attributes:
    names: the parts that are found.
    pane: the one that is chosen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: Sequence[Part] = ()
        self._trouble = ""
        self.names = NameList()
        self.names.setAccessibleName(self.tr("Parts of this program"))
        self.names.currentItemChanged.connect(self._chosen)
        self.search = search_field(self.tr("Search parts and licences"), self.names.take_first)
        self.search.textChanged.connect(lambda _: self._list())
        left = Side(column(self.search, self.names, gap=12, margins=(16, 16, 12, 12)), _NAMES_WIDE)
        self.pane = ReadingPane(self.tr("Text of the licence"), columns=80)
        whole = row(left, rule(is_upright=True), self.pane)
        whole.setStretch(2, 1)
        self.furnish(self.tr("Licences"), whole, (980, 700), (640, 480), self.search)
        self._reading = Background(_read, self._show_parts, self)
        self.pane.show_text(self.tr("Looking …"), "", "", "")

    def _show_parts(self, found: Sequence[Part] | str) -> None:
        if isinstance(found, str):
            self._trouble = found
        else:
            self._parts = found
        self._list()

    def _list(self) -> None:
        wanted = self.search.text().casefold().split()
        found = [part for part in self._parts if _is_about(part, wanted)]
        self.names.blockSignals(True)
        self.names.clear()
        for part in found:
            self.names.add(part.name, part.name, " · ".join(filter(None, (part.version, _short(part.licence)))))
        self.names.blockSignals(False)
        if found:
            self.names.setCurrentRow(0)
        elif self._trouble:
            self.pane.show_text(self._trouble, "", "", "")
        elif self._parts:
            nothing = self.tr("No part has to do with “{0}”.").format(self.search.text().strip())
            self.pane.show_text(nothing, "", self.tr("Try another word, such as “Qt”, “MIT” or “Apache”."), "")

    def _chosen(self, item: QListWidgetItem | None) -> None:
        name = item.data(Qt.ItemDataRole.UserRole) if item is not None else ""
        part = next((each for each in self._parts if each.name == name), None)
        if part is not None:
            second = " · ".join(filter(None, (part.version, part.licence or self.tr("not told here"), part.page)))
            self.pane.show_text(
                part.name, second, part.note, _BETWEEN.join(text.strip("\n").rstrip() for text in part.texts)
            )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._parts:
            guarded(self._reading.start)
        self.search.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._reading.stop)
        super().closeEvent(event)


def _read(stop: threading.Event) -> Sequence[Part] | str:
    """All parts, or why there are none."""
    try:
        return licences.parts()
    except LabError as error:
        return f"{error.message} {error.hint}"


def _is_about(part: Part, wanted: Sequence[str]) -> bool:
    said = f"{part.name} {part.version} {part.licence}".casefold()
    return all(word in said for word in wanted)


def _short(licence: str) -> str:
    """An expression of many licences by its first, for a narrow line."""
    first, _, more = licence.strip("(").partition(" ")
    return f"{first} …" if more else first
