"""The pages of a PDF as pictures, in this process: `drawing` asks for them from another."""

from __future__ import annotations

import math
from types import TracebackType

import pypdfium2
import pypdfium2.raw as pdfium

from lab_desktop.documents.converted import Picture
from lab_desktop.documents.pdf import MOST_PAGES, opened
from lab_desktop.errors import DocumentError

MOST_PIXELS = 12_000_000
"""Of one picture. A page that would have more is drawn smaller."""


class PdfPages:
    """A PDF that is open.

    Attributes:
        sizes: (width, height) of each page in points, as it is turned; (0, 0) of one that is damaged.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """
        Raises:
            DocumentError: it is locked, damaged, or has no page or far too many.
        """
        self._document = opened(data, name)
        count = len(self._document)
        if not 0 < count <= MOST_PAGES:
            self._document.close()
            raise DocumentError(
                f'"{name}" has {count:,} pages; at most {MOST_PAGES:,} can be shown.', "Open the original."
            )
        self.sizes = [self._size(number) for number in range(count)]

    def __enter__(self) -> PdfPages:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._document.close()

    def draw(self, number: int, width: int) -> Picture:
        """A page on white, with what was written onto it.

        Args:
            number: from 0.
            width: in pixels; the height follows.

        Raises:
            DocumentError: there is no such page, or it is damaged.
        """
        try:
            page = self._document[number]
            try:
                wide, high = page.get_size()
                scale = min(width / wide, math.sqrt(MOST_PIXELS / (wide * high)))
                across, down = max(1, round(wide * scale)), max(1, round(high * scale))
                if across * down > 2 * MOST_PIXELS:
                    raise ValueError(f"{wide} by {high} points")
                picture = pypdfium2.PdfBitmap.new_native(across, down, pdfium.FPDFBitmap_BGRx)
                picture.fill_rect((255, 255, 255, 255), 0, 0, across, down)
                pdfium.FPDF_RenderPageBitmap(picture, page, 0, 0, across, down, 0, pdfium.FPDF_ANNOT)
                return Picture(across, down, _rows(picture, 4 * across))
            finally:
                page.close()
        except (pypdfium2.PdfiumError, IndexError, ValueError, ZeroDivisionError) as error:
            raise DocumentError(
                f"Page {number + 1} cannot be shown: the file is damaged there.",
                "Open the original to see whether another program can show it.",
                repr(error),
            ) from error

    def _size(self, number: int) -> tuple[float, float]:
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(self._document, number, size):
            return 0.0, 0.0
        wide, high = size.width, size.height
        is_sound = math.isfinite(wide) and math.isfinite(high) and wide > 0 and high > 0
        return (wide, high) if is_sound else (0.0, 0.0)


def _rows(picture: pypdfium2.PdfBitmap, wide: int) -> bytes:
    """The pixels without what the library puts at the end of a row."""
    data = bytes(picture.buffer)
    if picture.stride == wide:
        return data
    return b"".join(data[row : row + wide] for row in range(0, picture.stride * picture.height, picture.stride))
