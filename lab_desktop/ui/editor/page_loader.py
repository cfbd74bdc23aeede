"""The pages of a PDF for the window: drawn one at a time in a child process, those in sight first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from lab_desktop.documents.drawing import DRAWING, Drawing
from lab_desktop.documents.reader import Limits
from lab_desktop.errors import LabError
from lab_desktop.ui.background import Errands
from lab_desktop.ui.editor.sealed import image_of

Wanted = tuple[int, int]
"""(page from 0, width in pixels of the screen)"""


class PageLoader(QObject):
    """One document at a time."""

    opened = Signal(object)
    """The size of each page in points, as `Drawing.sizes` gives them."""
    refused = Signal(object)
    """A LabError: the document cannot be opened."""
    drawn = Signal(int, int, QImage)
    """(page, the width that was asked for, the picture)"""
    failed = Signal(int, object)
    """(page, LabError)"""

    def __init__(self, parent: QObject, limits: Limits = DRAWING) -> None:
        super().__init__(parent)
        self._limits = limits
        self._drawing: Drawing | None = None
        self._errands: Errands | None = None
        self._wanted: list[Wanted] = []

    def open(self, file: Path) -> None:
        """Open a document; the one before is closed."""
        self.close()
        self._drawing = drawing = Drawing(file, self._limits)
        self._errands = Errands(self)
        self._errands.do(drawing.sizes, self._opened, self.refused.emit)

    def want(self, pages: Sequence[Wanted]) -> None:
        """Draw these, in this order; what was wanted before and is not under way is not drawn."""
        self._wanted = list(pages)
        self._next()

    def close(self) -> None:
        """End the child; a page that is being drawn is not waited for."""
        self._wanted = []
        if self._errands is not None and self._drawing is not None:
            self._errands.stop()
            self._errands.deleteLater()
            self._drawing.close()
        self._errands, self._drawing = None, None

    def _opened(self, sizes: object) -> None:
        self.opened.emit(sizes)
        self._next()

    def _next(self) -> None:
        drawing, errands = self._drawing, self._errands
        if drawing is None or errands is None or errands.is_busy or not self._wanted:
            return
        page, width = self._wanted.pop(0)

        def draw() -> QImage:
            return image_of(drawing.draw(page, width))

        errands.do(draw, lambda image: self._done(page, width, image), lambda error: self._broke(page, error))

    def _done(self, page: int, width: int, image: QImage) -> None:
        self.drawn.emit(page, width, image)
        self._next()

    def _broke(self, page: int, error: LabError) -> None:
        self.failed.emit(page, error)
        self._next()
