"""Reports of problems: the person reads the whole of one before it goes anywhere, and it goes nowhere by itself."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import QListWidgetItem, QWidget

from lab_desktop import problems
from lab_desktop.ui.background import Background
from lab_desktop.ui.details import details
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button, Label, column, row, rule
from lab_desktop.ui.widgets.panel import NameList, Panel, Side
from lab_desktop.ui.widgets.reading import ReadingPane
from lab_desktop.ui.words import moment_words

_NAMES_WIDE = 232


class ProblemWindow(Panel):
    """Attributes:
    names: the reports that are kept, the newest first.
    pane: the one that is chosen.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts: Mapping[str, str] = {}
        self.names = NameList()
        self.names.setAccessibleName(self.tr("Reports that are kept"))
        self.names.currentItemChanged.connect(self._chosen)
        self.make = Button(self.tr("New report"), icon="plus", on_click=self.report)
        names = column(Label(self.tr("Reports"), "head"), self.names, self.make, gap=12, margins=(16, 20, 12, 16))
        left = Side(names, _NAMES_WIDE)
        self.show_folder = Button(self.tr("Show in folder"), icon="folder", on_click=self._show_folder)
        self.pane = ReadingPane(self.tr("Text of the report"), self.show_folder)
        whole = row(left, rule(is_upright=True), self.pane)
        whole.setStretch(2, 1)
        self.furnish(self.tr("Report a problem"), whole, (980, 680), (640, 480))
        self._look = Background(_kept, self._show, self)
        self._make = Background(functools.partial(_made, session.home), self._show, self)

    def look(self) -> None:
        """Show what is kept, the newest first."""
        self._look.start()

    def report(self) -> None:
        """Make a report now, and show it."""
        self._make.start()

    def _show(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self.names.blockSignals(True)
        self.names.clear()
        for name in texts:
            self.names.add(name, moment_words(problems.kept_at(name)) or name)
        self.names.blockSignals(False)
        if texts:
            self.names.setCurrentRow(0)
            self.pane.text.setFocus()
        else:
            nothing = self.tr("There is no report.")
            more = self.tr("When something happens that was not foreseen, it is noted here, on this computer.")
            self.pane.show_text(nothing, "", more, "")
            self.make.setFocus()

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.pane.show_text(
                self.tr("What the report says"),
                "",
                self.tr(
                    "Nothing of it has been sent, and nothing is sent by itself. Read it, add what you did before, and "
                    "send it to whoever helps you. Your lessons, your name, folders and keys are not in it."
                ),
                self._texts[item.data(Qt.ItemDataRole.UserRole)],
            )

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(problems.folder()))

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._look.stop)
        guarded(self._make.stop)
        super().closeEvent(event)


def _kept(stop: threading.Event) -> Mapping[str, str]:
    """The text of each report by its file's name, the newest first."""
    found = {}
    for file in problems.reports():
        try:
            found[file.name] = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return found


def _made(home: Path, stop: threading.Event) -> Mapping[str, str]:
    lines = details(home).splitlines()
    if problems.write("window", None, lines) is None:  # a disk that takes none: it can still be read and copied
        return {"now.txt": problems.described("window", None, lines), **_kept(stop)}
    return _kept(stop)
