"""The pages of a PDF as pictures, drawn in a process of its own with limits of memory and time.

Whatever a page does to what draws it, this process only gets a sentence. The child is `jobs.drawing`; it is kept while
the document is looked at, and one that died is started again with the next page.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lab_desktop.documents.converted import Picture
from lab_desktop.documents.reader import Limits, Reader
from lab_desktop.errors import Cancelled, DocumentError

DRAWING = Limits(memory_bytes=1_000_000_000, time_s=20.0, silence_s=20.0, output_bytes=60_000_000)


class Drawing:
    """One PDF. Its methods wait for the child: call them from one thread, and `close` from any."""

    def __init__(self, file: Path, limits: Limits = DRAWING) -> None:
        self._file, self._limits = file, limits
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._is_closed = False

    def sizes(self) -> tuple[tuple[float, float], ...]:
        """(width, height) of each page in points, as it is turned; (0, 0) of one that is damaged.

        Raises:
            DocumentError: it cannot be opened, or took more than it may.
            Cancelled: it was closed meanwhile.
        """
        said, _ = self._answer(self._begun(), "opened")
        return tuple((float(wide), float(high)) for wide, high in said["sizes"])

    def draw(self, page: int, width: int) -> Picture:
        """A page.

        Args:
            page: from 0.
            width: in pixels; the height follows, and a page that would be too large is drawn smaller.

        Raises:
            DocumentError: it cannot be drawn, or took more than it may; other pages may be drawn still.
            Cancelled: it was closed meanwhile.
        """
        reader = self._reader
        if reader is None or not reader.is_alive:
            reader = self._begun()
            self._answer(reader, "opened")
        reader.ask({"page": page, "width": width})
        said, pixels = self._answer(reader, "drawn")
        try:
            return Picture(int(said["width"]), int(said["height"]), pixels)
        except (KeyError, TypeError, ValueError):
            raise self._stopped(reader) from None

    def close(self) -> None:
        """End the child. A page that is being drawn is not waited for."""
        with self._lock:
            self._is_closed = True
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _begun(self) -> Reader:
        name = f'"{self._file.name}"'
        with self._lock:
            if self._is_closed:
                raise Cancelled
            before, self._reader = self._reader, None
            if before is not None:
                before.close()
            self._reader = reader = Reader("--draw", name, self._limits)
        limits = {"memory_bytes": self._limits.memory_bytes, "time_s": self._limits.time_s}
        reader.ask({"file": str(self._file.absolute()), **limits})
        return reader

    def _answer(self, reader: Reader, wanted: str) -> tuple[dict[str, Any], bytes]:
        try:
            heard = reader.next(lambda: self._is_closed)
        except DocumentError:
            self._drop(reader)
            raise
        if heard is not None and heard[0].get("event") == wanted:
            return heard
        if heard is not None and heard[0].get("event") == "failed":
            if wanted == "opened":
                self._drop(reader)
            raise reader.refusal(heard[0])
        raise self._stopped(reader)

    def _stopped(self, reader: Reader) -> DocumentError:
        if self._is_closed:
            raise Cancelled
        details = reader.details()
        self._drop(reader)
        if reader.was_near_its_memory:
            return reader.too_much_memory(details)
        return DocumentError(
            f'A page of "{self._file.name}" could not be shown: what draws it stopped in the middle of it.',
            "Try again, or open the original. The text is not touched by this.",
            details,
        )

    def _drop(self, reader: Reader) -> None:
        with self._lock:
            if self._reader is reader:
                self._reader = None
        reader.close()
