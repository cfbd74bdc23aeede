"""The pictures of the help: SVG drawings in the colours of the look, as large as the text, in a page of text.

A drawing names a colour by its role, `var(--text2)`, as a style sheet would. Its words are 14 units high where it is as
wide as it is drawn; they grow with the text as far as there is room. What it shows is said again below it in words, so
nobody needs to see it.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSizeF
from PySide6.QtGui import QPainter, QPyTextObject, QTextCharFormat, QTextDocument, QTextFormat
from PySide6.QtSvg import QSvgRenderer

from lab_desktop.ui.theme import Theme, look

PLACE = "\ufffc"
"""The letter that stands for an object in a text."""
PICTURE = QTextFormat.ObjectTypes.UserObject.value + 1
"""The kind of object that stands in the text."""
_FILE = QTextFormat.Property.UserProperty.value + 1
_ROLE = re.compile(r"var\(--(\w+)\)")


def picture_format(file: Path) -> QTextCharFormat:
    """What makes a letter of a text a picture."""
    made = QTextCharFormat()
    made.setObjectType(PICTURE)
    made.setProperty(_FILE, str(file))
    return made


class Pictures(QPyTextObject):
    """Draws what `picture_format` names; a document's layout asks for its size, again when the page grows."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)

    def intrinsicSize(self, document: QTextDocument, at: int, shape: QTextFormat) -> QSizeF:
        drawn = QSizeF(_renderer(shape.property(_FILE), look().theme).defaultSize())
        return drawn * min(look().text_size, document.textWidth() / drawn.width())

    def drawObject(
        self, painter: QPainter, box: QRectF | QRect, document: QTextDocument, at: int, shape: QTextFormat
    ) -> None:
        _renderer(shape.property(_FILE), look().theme).render(painter, QRectF(box))


@functools.lru_cache(maxsize=32)
def _renderer(file: str, theme: Theme) -> QSvgRenderer:
    source = _ROLE.sub(lambda role: theme.color(role[1]).name(), Path(file).read_text(encoding="utf-8"))
    return QSvgRenderer(QByteArray(source.encode()))
