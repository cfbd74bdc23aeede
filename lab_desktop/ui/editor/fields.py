"""Fields that look like text until one writes in them, and grow with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.widgets.basic import Label, column

_EDGE = 14
"""Pixels of padding and border above and below the text."""


class GrowingField(QPlainTextEdit):
    """A text of any length, as high as it needs; Tab leaves it, Return ends it where lines make no sense.

    A quiet one looks like text until one points at it.
    """

    def __init__(
        self, name: str, placeholder: str, on_text: Callable[[str], object], *, style: TypeStyle = "body",
        is_one_line: bool = False, on_return: Callable[[], object] | None = None, most_lines: int = 12,
        is_quiet: bool = False, on_paste: Callable[[str], bool] | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            on_paste: called with a pasted text; True where it was taken care of.
        """
        super().__init__()
        self._on_text, self._style, self._on_paste = on_text, style, on_paste
        self._is_one_line, self._on_return, self._most_lines = is_one_line, on_return, most_lines
        self.setProperty("quiet", is_quiet)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)  # undo is the whole editor's
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.textChanged.connect(self._changed)
        look().changed.connect(self._restyle)
        self._restyle()

    def set_quiet(self, is_quiet: bool) -> None:
        if self.property("quiet") != is_quiet:
            self.setProperty("quiet", is_quiet)
            self.style().unpolish(self)
            self.style().polish(self)

    def show_text(self, text: str) -> None:
        """The lesson's text, without telling anybody; the cursor stays where it can."""
        if text == self.toPlainText():
            return
        with QSignalBlocker(self):
            place = self.textCursor().position()
            self.setPlainText(text)
            cursor = self.textCursor()
            cursor.setPosition(min(place, len(text)))
            self.setTextCursor(cursor)
        self._fit()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not source.hasUrls() and super().canInsertFromMimeData(source)  # files are for the whole editor

    def insertFromMimeData(self, source: QMimeData) -> None:
        if self._on_paste is None or not self._on_paste(source.text()):
            self.insertPlainText(source.text())

    def _changed(self) -> None:
        if self._is_one_line and "\n" in self.toPlainText():  # pasted
            with QSignalBlocker(self):
                place = self.textCursor().position()
                self.setPlainText(" ".join(self.toPlainText().split("\n")))
                cursor = self.textCursor()
                cursor.setPosition(min(place, len(self.toPlainText())))
                self.setTextCursor(cursor)
        self._fit()
        self._on_text(self.toPlainText())

    def _restyle(self) -> None:
        self.setFont(look().font(self._style))
        self.document().setDefaultFont(look().font(self._style))
        self._fit()

    def _fit(self) -> None:
        lines = max(1, round(self.document().size().height()))
        high = self.fontMetrics().lineSpacing() * min(lines, self._most_lines) + _EDGE
        if high != self.height():
            self.setFixedHeight(high)
        is_long = lines > self._most_lines
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_long else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(120, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # it is meant for what the field is part of
        elif is_return and self._is_one_line:
            if self._on_return is not None:
                self._on_return()
            else:
                self.focusNextChild()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff:
            event.ignore()  # all of it is in sight: Qt would scroll the first line away, and the page would stand still
        else:
            super().wheelEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.moveCursor(QTextCursor.MoveOperation.End)


def named(label: str, field: QWidget, hint: str = "") -> QWidget:
    """A field below its name, with a hint below it."""
    made = QWidget()
    parts: list[QWidget | int] = [Label(label, "label", "text2"), 4, field]
    if hint:
        parts += [4, Label(hint, "small", "text3", wraps=True)]
    made.setLayout(column(*parts))
    return made
