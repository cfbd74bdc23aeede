"""A long text that somebody else wrote: its name, what it is, the text to read and to copy."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Flowing, Label, announce, column, row

_SAID_MS = 4000


class ReadingPane(QWidget):
    """Attributes:
    text: to read with the keyboard too; nothing in it is a link.
    copy: puts all of it on the clipboard.
    """

    def __init__(self, name: str, *others: Button) -> None:
        """
        Args:
            name: of the text, for who cannot see it.
            others: buttons beside "Copy".
        """
        super().__init__()
        self._title = Label("", "title", wraps=True)
        self._second = Label("", "body", "text2", wraps=True)
        self._second.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note = Label("", "body", "text2", wraps=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAccessibleName(name)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.copy = Button(self.tr("Copy"), icon="copy", on_click=self._copy)
        self._said = Label("", "small", "good")
        self._said.hide()
        self._quiet = QTimer(self, singleShot=True, interval=_SAID_MS)
        self._quiet.timeout.connect(self._said.hide)
        for label in (self._second, self._note):
            label.hide()
        self._others = others
        self._nothing = QWidget()
        buttons = Flowing(row(self.copy, *others, self._said, -1, gap=10))
        parts = (self._title, self._second, self._note, 4, self.text, self._nothing, 4, buttons)
        inside = column(*parts, gap=6, margins=(24, 20, 24, 16))
        inside.setStretchFactor(self._nothing, 1)
        self.setLayout(inside)
        look().changed.connect(self._dress)
        self._dress()

    def show_text(self, title: str, second: str, note: str, text: str) -> None:
        """
        Args:
            second, note: smaller, below the title; "" leaves them out.
        """
        self._title.setText(title)
        for label, said in ((self._second, second), (self._note, note)):
            label.setText(said)
            label.setVisible(bool(said))
        self.text.setPlainText(text)
        for shown in (self.text, self.copy, *self._others):
            shown.setVisible(bool(text))
        self._nothing.setVisible(not text)
        self._said.hide()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self._said.setText(self.tr("Copied."))
        self._said.show()
        announce(self._said, self._said.text())
        self._quiet.start()

    def _dress(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)  # such texts are laid out in columns
        font.setPixelSize(look().font("body").pixelSize() - 1)
        self.text.setFont(font)
