"""Text from a document that anybody may have made, shown without letting it fetch or open anything."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QImage, QTextBlock, QTextCursor, QTextDocument, QTextFormat

from lab_desktop.documents.converted import Picture
from lab_desktop.ui.theme import look


class SealedText(QTextDocument):
    """Whatever it names (pictures, style sheets) is neither fetched nor read from the disk.

    Attributes:
        pictures: what it may show, by number: "picture:3" names the third.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._nothing = QImage(1, 1, QImage.Format.Format_ARGB32)
        self._nothing.fill(Qt.GlobalColor.transparent)
        self.pictures: Mapping[int, Picture] = {}

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        # Something, for where nothing is given Qt looks for a file of that name.
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return " "
        scheme, _, number = (name if isinstance(name, str) else name.toString()).partition(":")
        found = self.pictures.get(int(number)) if scheme == "picture" and number.isdecimal() else None
        return image_of(found) if found is not None else self._nothing


def image_of(picture: Picture) -> QImage:
    """A picture as Qt has it."""
    size = picture.width, picture.height
    return QImage(picture.pixels, *size, 4 * picture.width, QImage.Format.Format_RGB32).copy()


def set_heading(block: QTextBlock) -> None:
    """A heading in the type of the window; any other block stays as it is."""
    level = block.blockFormat().headingLevel()
    if level:
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        letters = cursor.charFormat()
        letters.clearProperty(QTextFormat.Property.FontSizeAdjustment)  # it would win over a size
        letters.setFont(look().font("title" if level == 1 else "head"))
        cursor.setCharFormat(letters)
