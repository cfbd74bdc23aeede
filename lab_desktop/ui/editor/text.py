"""The document of a lesson, with a band behind each passage; text that is selected can become one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QFrame, QTextEdit

from lab_desktop.ui.editor.sealed import SealedText, set_heading
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button

_GUTTER = 48
_WIDEST_TEXT = 640
_FEWEST_LETTERS = 20
"""Less is selected to be copied, not to be a passage."""


class DocumentText(QTextEdit):
    """A click on a band takes its passage in hand."""

    chosen = Signal(int)
    """A passage, by its place."""
    wanted = Signal(int, int)
    """From and to where in the Markdown a new passage is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.setDocument(SealedText(self))
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Text of the lesson"))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setAutoFillBackground(False)
        self._spans: list[tuple[int, int]] = []
        self._passages: tuple[str, ...] = ()
        self._active = 0
        self._source = ""
        self._can_choose = False
        self.use = Button(self.tr("Use as passage"), "primary", size="small", on_click=self._want)
        self.use.setParent(self.viewport())
        self.use.hide()
        self.selectionChanged.connect(self._offer)
        self.verticalScrollBar().valueChanged.connect(self._offer)
        look().changed.connect(self._restyle)

    def show_text(self, source: str, passages: Sequence[str], *, can_choose: bool = False) -> None:
        """A document as Markdown, and what of it are passages.

        Args:
            can_choose: a selection can become a passage.
        """
        self._can_choose = can_choose
        if source != self._source:
            self._source = source
            self._restyle()
            self.moveCursor(QTextCursor.MoveOperation.Start)
            self._passages = ()
        if tuple(passages) != self._passages:
            self._passages = tuple(passages)
            plain = self.toPlainText()
            self._spans = [find(plain, passage) for passage in self._passages]
            self.viewport().update()

    def places(self) -> list[bool]:
        """Which passages stand in the document."""
        return [end > start for start, end in self._spans]

    def _restyle(self) -> None:
        document = self.document()
        document.setDefaultFont(look().font("reading"))
        document.setMarkdown(self._source, QTextDocument.MarkdownFeature.MarkdownNoHTML)
        document.setDocumentMargin(0)
        self._set_margins()
        spaced = QTextCursor(document)
        block = document.begin()
        while block.isValid():
            form = block.blockFormat()
            form.setLineHeight(138, 1)
            form.setBottomMargin(14)
            spaced.setPosition(block.position())
            spaced.setBlockFormat(form)
            set_heading(block)
            block = block.next()
        self.viewport().update()

    def activate(self, passage: int) -> None:
        """Take a passage in hand: its band turns, and it comes into sight."""
        self._active = passage
        self.setExtraSelections([])
        start, end = self._spans[passage] if 0 <= passage < len(self._spans) else (0, 0)
        if end > start:
            top, bottom = self._band(start, end)
            if top < 0 or bottom > self.viewport().height():
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + int(top) - 40)
        self.viewport().update()

    def place_of(self, passage: int) -> int | None:
        """Where in the shown text a passage begins; None where it does not stand there."""
        start, end = self._spans[passage] if 0 <= passage < len(self._spans) else (0, 0)
        return start if end > start else None

    def first_in_sight(self) -> int:
        """Where in the shown text the upper edge is."""
        return self.cursorForPosition(QPoint(_GUTTER + 24, 8)).position()

    def show_place(self, place: int) -> None:
        """Bring a place of the shown text to the upper edge."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(max(0, min(place, self.document().characterCount() - 1)))
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(cursor).top() - 8)

    def mark(self, sentence: str) -> None:
        """Mark a sentence of the passage in hand."""
        if not 0 <= self._active < len(self._spans):
            return
        start, end = self._spans[self._active]
        first, last = find(self.toPlainText()[start:end], sentence)
        if last <= first:
            return
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start + first)
        cursor.setPosition(start + last, QTextCursor.MoveMode.KeepAnchor)
        form = QTextCharFormat()
        form.setBackground(look().theme.color("mark2"))
        form.setForeground(look().theme.color("text"))
        selection.cursor, selection.format = cursor, form
        self.setExtraSelections([selection])
        cursor.clearSelection()
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _offer(self) -> None:
        """Show the button beside a selection that could be a passage."""
        cursor = self.textCursor()
        is_offered = self._can_choose and len(cursor.selectedText().strip()) >= _FEWEST_LETTERS
        self.use.setVisible(is_offered)
        if is_offered:
            end = QTextCursor(self.document())
            end.setPosition(cursor.selectionEnd())
            place = self.cursorRect(end)
            self.use.adjustSize()
            room = self.viewport().rect().adjusted(8, 8, -8, -8)
            left = max(room.left(), min(place.right() + 6, room.right() - self.use.width()))
            top = max(room.top(), min(place.bottom() + 6, room.bottom() - self.use.height()))
            self.use.move(left, top)

    def _want(self) -> None:
        cursor = self.textCursor()
        plain = self.toPlainText()
        start, end = in_source(self._source, plain, cursor.selectionStart(), cursor.selectionEnd())
        cursor.clearSelection()
        self.setTextCursor(cursor)
        if end > start:
            self.wanted.emit(start, end)

    def _band(self, start: int, end: int) -> tuple[float, float]:
        """Top and bottom of a stretch of the text, in the viewport."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        top = self.cursorRect(cursor).top()
        cursor.setPosition(end)
        return top - 6, self.cursorRect(cursor).bottom() + 6

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        super().resizeEvent(event)

    def _set_margins(self) -> None:
        spare = max(0, self.width() - _GUTTER - 24 - _WIDEST_TEXT)
        self.setViewportMargins(0, 0, 0, 0)
        frame = self.document().rootFrame().frameFormat()
        frame.setLeftMargin(_GUTTER + 24)
        frame.setRightMargin(24 + spare)
        frame.setTopMargin(8)
        self.document().rootFrame().setFrameFormat(frame)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right = min(self.viewport().width() - 8.0, _GUTTER + 24 + _WIDEST_TEXT + 8.0)
        for number, (start, end) in enumerate(self._spans):
            if end <= start:
                continue
            top, bottom = self._band(start, end)
            if bottom < 0 or top > self.viewport().height():
                continue
            is_active = number == self._active
            band = QRectF(_GUTTER + 10, top, right - _GUTTER - 10, bottom - top)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint" if is_active else "mark"))
            painter.drawRoundedRect(band, 4, 4)
            painter.setBrush(theme.color("data" if is_active else "mark_line"))
            painter.drawRect(QRectF(band.left(), band.top(), 3, band.height()))
            disc = QRectF(22, top + 4, 20, 20)
            painter.setBrush(theme.color("fill" if is_active else "sel"))
            painter.drawEllipse(disc)
            painter.setPen(theme.color("on_fill" if is_active else "text2"))
            painter.setFont(look().font("tiny"))
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(number + 1))
        painter.end()
        super().paintEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if not self.textCursor().hasSelection() and (found := self._passage_at(event.position())) >= 0:
            self.chosen.emit(found)

    def _passage_at(self, place: QPointF) -> int:
        for number, (start, end) in enumerate(self._spans):
            if end > start:
                top, bottom = self._band(start, end)
                if top <= place.y() <= bottom:
                    return number
        return -1


def find(plain: str, part: str) -> tuple[int, int]:
    """Where `part` stands in a text, whatever blanks, line ends and marks of Markdown are between its words.

    (0, 0): nowhere.
    """
    words = re.findall(r"\w+", part)
    found = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", plain) if words else None
    if found is None:
        return 0, 0
    end = found.end()
    while end < len(plain) and plain[end] in ".!?…)\"'”’»":
        end += 1
    return found.start(), end


def in_source(source: str, plain: str, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of the shown text stands in its Markdown: the words say it, the marks between them do not count.

    (0, 0): nowhere, as with a stretch without a word.
    """
    words = re.findall(r"\w+", plain[start:end])
    if not words:
        return 0, 0
    pattern = re.compile(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b")
    before = sum(1 for found in pattern.finditer(plain) if found.start() < start - 1)
    places = list(pattern.finditer(source))
    if not places:
        return 0, 0
    found = places[min(before, len(places) - 1)]
    last = found.end()
    while last < len(source) and source[last] in ".!?…)\"'”’»":
        last += 1
    return found.start(), last
