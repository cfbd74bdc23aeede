"""The text of a message, laid out for a width: Markdown with code on a ground of its own, tables, and links as words.

What a model writes is shown, never obeyed: no HTML, no pictures, nothing is loaded; a link is only told to whoever asks
what stands at a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QBrush,
    QFont,
    QFontDatabase,
    QPainter,
    QPalette,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
)

from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look

MOST_SHOWN, MOST_LINES = 12_000, 500
"""Of a message so many characters and lines are laid out: more would hold the window up, and nobody reads on."""
_CODE_PADDING = 12
_COPY = 22
_PICTURE = re.compile(r"!(\[[^\]\n]*\])(?=[(\[:]|$)", re.MULTILINE)
_DEEP = re.compile(r"^([ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]*)){9,}", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """A block of code: its ground, where its copy button is, and what it says."""

    box: QRectF
    button: QRectF
    text: str


class _Document(QTextDocument):
    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return None


class MessageText:
    """Attributes:
    height, ideal_width: in pixels.
    code: its blocks of code, from top to bottom.
    """

    def __init__(self, text: str, width: int, *, is_plain: bool, style: TypeStyle = "answer") -> None:
        self._document = _Document()
        self._document.setDocumentMargin(0)
        self._document.setDefaultFont(look().font(style))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._document.setDefaultTextOption(option)
        shown = _shown(text)
        if is_plain or _DEEP.search(shown):
            self._document.setPlainText(shown)
        else:
            features = QTextDocument.MarkdownFeature
            words = _PICTURE.sub(r"\1", shown)
            self._document.setMarkdown(words, features.MarkdownDialectGitHub | features.MarkdownNoHTML)
        runs = self._dress(look().line_height(style))
        self._document.setTextWidth(width)
        self.height = self._document.size().height()
        self.ideal_width = self._document.idealWidth()
        self.code = [self._placed(first, last, width) for first, last in runs]

    def paint(self, painter: QPainter) -> None:
        """Draw it with its top left corner at the painter's origin."""
        theme = look().theme
        for code in self.code:
            painter.setPen(theme.color("line"))
            painter.setBrush(theme.color("sunken"))
            painter.drawRoundedRect(code.box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
        painter.setBrush(Qt.BrushStyle.NoBrush)  # else the boxes of a list of tasks are filled, ticked or not
        self._document.documentLayout().draw(painter, context)
        for code in self.code:
            icons.draw(painter, "copy", code.button.adjusted(4, 4, -4, -4), "text2")

    def link_at(self, place: QPointF) -> str:
        """The address under a place; "" where there is none."""
        return self._document.documentLayout().anchorAt(place)

    def _dress(self, line_height: int) -> list[tuple[QTextBlock, QTextBlock]]:
        """Give lines their height, code its font and room; the first and last block of each piece of code."""
        theme = look().theme
        code_font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        code_font.setPixelSize(look().font("body").pixelSize())
        code_height = look().line_height("body")
        runs: list[tuple[QTextBlock, QTextBlock]] = []
        block = self._document.begin()
        while block.isValid():
            form = block.blockFormat()
            is_code = form.nonBreakableLines()
            self._dress_words(block, code_font, is_code)
            height = QTextBlockFormat()
            minimum = QTextBlockFormat.LineHeightTypes.MinimumHeight.value
            height.setLineHeight(code_height if is_code else line_height, minimum)
            if is_code:
                height.setNonBreakableLines(False)
                height.setLeftMargin(_CODE_PADDING)
                height.setRightMargin(_CODE_PADDING + _COPY)
                height.setTopMargin(0)
                height.setBottomMargin(0)
                is_next = bool(runs) and runs[-1][1].next() == block
                runs[-1:] = [(runs[-1][0], block)] if is_next else [*runs[-1:], (block, block)]
            else:
                is_heading, in_list = form.headingLevel() > 0, block.textList() is not None
                height.setTopMargin(10 if is_heading else 0)
                height.setBottomMargin(4 if is_heading or in_list else 0 if QTextCursor(block).currentTable() else 10)
            QTextCursor(block).mergeBlockFormat(height)
            block = block.next()
        for first, last in runs:
            _set_margins(first, top=_CODE_PADDING + 8)
            _set_margins(last, bottom=_CODE_PADDING + 10)
        first, last = self._document.begin(), self._document.lastBlock()
        _set_margins(first, top=_CODE_PADDING if runs and runs[0][0] == first else 0)
        _set_margins(last, bottom=_CODE_PADDING if runs and runs[-1][1] == last else 0)
        for frame in self._document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format()
                table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                table.setBorderCollapse(True)
                table.setBorder(1)
                table.setBorderBrush(QBrush(theme.color("line2")))
                table.setCellPadding(6)
                table.setCellSpacing(0)
                table.setTopMargin(4)
                table.setBottomMargin(10)
                table.setWidth(QTextLength(QTextLength.Type.VariableLength, 0))
                frame.setFormat(table)
        return runs

    def _dress_words(self, block: QTextBlock, code_font: QFont, is_code: bool) -> None:
        theme = look().theme
        found = []
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            form = fragment.charFormat()
            if is_code or form.fontFixedPitch():
                dress = QTextCharFormat(form)
                dress.setFont(code_font)
                if not is_code:
                    dress.setBackground(theme.color("sunken"))
                found.append((fragment.position(), fragment.length(), dress))
            elif form.isAnchor():
                dress = QTextCharFormat(form)
                dress.setForeground(theme.color("accent"))
                found.append((fragment.position(), fragment.length(), dress))
            elif form.hasProperty(QTextFormat.Property.FontSizeAdjustment):
                dress = QTextCharFormat(form)
                dress.clearProperty(QTextFormat.Property.FontSizeAdjustment)
                dress.setFont(look().font("title" if block.blockFormat().headingLevel() <= 2 else "head"))
                found.append((fragment.position(), fragment.length(), dress))
            iterator += 1
        for position, length, dress in found:
            cursor = QTextCursor(block)
            cursor.setPosition(position)
            cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(dress)

    def _placed(self, first: QTextBlock, last: QTextBlock, width: int) -> Code:
        layout = self._document.documentLayout()
        top, bottom = layout.blockBoundingRect(first).top(), layout.blockBoundingRect(last).bottom()
        box = QRectF(0, top - _CODE_PADDING, width, bottom - top + 2 * _CODE_PADDING)
        lines = []
        block = first
        while True:
            lines.append(block.text().replace("\u2028", "\n"))
            if block == last:
                break
            block = block.next()
        button = QRectF(box.right() - _COPY - 6, box.top() + 6, _COPY, _COPY)
        return Code(box, button, "\n".join(lines))


def _shown(text: str) -> str:
    lines = text[: MOST_SHOWN + 1].split("\n", MOST_LINES)[:MOST_LINES]
    shown = "\n".join(lines)[:MOST_SHOWN]
    return shown if len(shown) == len(text) else shown.rstrip() + " …"


def _set_margins(block: QTextBlock, top: float | None = None, bottom: float | None = None) -> None:
    form = QTextBlockFormat()
    if top is not None:
        form.setTopMargin(top)
    if bottom is not None:
        form.setBottomMargin(bottom)
    QTextCursor(block).mergeBlockFormat(form)
