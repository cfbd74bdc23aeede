"""A long text that somebody else wrote: its name, what it is, the text to read and to copy."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Flowing, Label, column, row
from lab_desktop.ui.widgets.copying import CopyButton


class ReadingPane(QWidget):
    """Attributes:
    text: to read with the keyboard too; nothing in it is a link.
    copy: puts all of it on the clipboard.
    """

    def __init__(self, name: str, *others: Button, columns: int = 0) -> None:
        """
        Args:
            name: of the text, for who cannot see it.
            others: buttons beside "Copy".
            columns: such texts are broken into lines of so many letters already; 0: they are not.
        """
        super().__init__()
        self._title = Label("", "title", wraps=True)
        self._second = Label("", "body", "text2", wraps=True)
        self._second.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note = Label("", "body", "text2", wraps=True)
        self.text = _Lines(columns)
        self.text.setAccessibleName(name)
        self._whole = ""
        self.copy = CopyButton(self.tr("Copy"), lambda: self.copy.take(self._whole))
        for label in (self._second, self._note):
            label.hide()
        self._others = others
        self._nothing = QWidget()
        buttons = Flowing(row(self.copy, *others, -1, gap=10))
        parts = (self._title, self._second, self._note, 4, self.text, self._nothing, 4, buttons)
        inside = column(*parts, gap=6, margins=(24, 20, 24, 16))
        inside.setStretchFactor(self._nothing, 1)
        self.setLayout(inside)

    def show_text(self, title: str, second: str, note: str, text: str) -> None:
        """
        Args:
            second, note: smaller, below the title; "" leaves them out.
        """
        self._title.setText(title)
        for label, said in ((self._second, second), (self._note, note)):
            label.setText(said)
            label.setVisible(bool(said))
        self._whole = text
        self.text.show_text(text)
        for shown in (self.text, self.copy, *self._others):
            shown.setVisible(bool(text))
        self._nothing.setVisible(not text)
        self.copy.rest()


class _Lines(QTextEdit):
    """Lines up to so many columns are not broken once more: the text scrolls aside where they have no room. A longer
    line is a paragraph that nobody broke, and wraps.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._most = columns
        self._columns = 0
        self.setProperty("field", True)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        look().changed.connect(self._dress)
        self._dress()

    def show_text(self, text: str) -> None:
        self._columns = max((len(line) for line in text.splitlines() if len(line) <= self._most), default=0)
        self.setPlainText(text)
        self._fit()

    def _dress(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)  # such texts are laid out in columns
        font.setPixelSize(look().font("body").pixelSize() - 1)
        self.setFont(font)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = self._columns * QFontMetricsF(self.font()).horizontalAdvance("m")
        wide = math.ceil(lines + 2 * self.document().documentMargin()) + 1
        has_room = self.viewport().width() >= wide
        self.setLineWrapColumnOrWidth(0 if has_room else wide)
        mode = QTextEdit.LineWrapMode
        self.setLineWrapMode(mode.WidgetWidth if has_room else mode.FixedPixelWidth)
