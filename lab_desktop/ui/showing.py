"""A document without pages is made ready to be shown in a process of its own, pictures included; no window is opened.

    python -m lab_desktop --show

It speaks as `jobs.conversion` does: one request on standard input, {"wanted": "shown", "file": "/x.epub", …}; pictures,
each followed by its bytes, and then exactly one of "done" and "failed" on standard output:
    {"event": "picture", "number": 3, "width": 640, "height": 400, "bytes": 1024000}
    {"event": "done", "shown": {"form": "html", "parts": ["…"], "starts": […]}}
It is here because Qt decodes the pictures: a hostile one can only harm this process, and the window gets pixels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

from lab_desktop.documents.converted import Picture, Shown
from lab_desktop.documents.shown import show, without_picture
from lab_desktop.jobs.conversion import Tell, serve

_FORMATS = ((b"\x89PNG", b"png"), (b"\xff\xd8\xff", b"jpeg"), (b"GIF8", b"gif"), (b"BM", b"bmp"), (b"RIFF", b"webp"))
"""Of pictures by how they begin; others are for programs, not for readers."""
_WIDEST, _TALLEST = 400, 600
"""As they stand in the text."""
_SHARP = 2
"""So many pixels for one that is shown: screens are finer than they say."""
_MOST_PIXELS = 60_000_000
"""Of a picture before it is made smaller."""
_MOST_BYTES = 60_000_000
"""Of all pictures."""
_PLACE = re.compile(r'<img src="picture:(\d+)" alt="([^"]*)">')


def main() -> int:
    """Show what the first line asks for; 0, or 1 when it could not be shown."""
    return serve(_shown)


def _shown(request: dict[str, Any], tell: Tell) -> Shown:
    shown, stored = show(Path(request["file"]))
    sizes: dict[int, QSize] = {}
    total = 0
    for number, data in enumerate(stored, start=1):
        picture = decoded(data)
        if picture is None or total + len(picture.pixels) > _MOST_BYTES:
            continue
        total += len(picture.pixels)
        sizes[number] = _fitting(QSize(picture.width, picture.height), 1)
        values = {"number": number, "width": picture.width, "height": picture.height}
        tell("picture", picture.pixels, **values, bytes=len(picture.pixels))

    def place(found: re.Match[str]) -> str:
        size = sizes.get(int(found.group(1)))
        if size is None:
            return without_picture(found.group(2))
        return f'<img src="picture:{found.group(1)}" width="{size.width()}" height="{size.height()}">'

    return replace(shown, parts=tuple(_PLACE.sub(place, part) for part in shown.parts))


def decoded(data: bytes) -> Picture | None:
    """A picture on white, not larger than it is shown; None where it cannot be read."""
    format_ = next((name for begins, name in _FORMATS if data.startswith(begins)), None)
    if format_ is None:
        return None
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    reader = QImageReader(buffer, QByteArray(format_))
    size = reader.size()
    if not size.isValid() or size.isEmpty() or size.width() * size.height() > _MOST_PIXELS:
        return None
    reader.setScaledSize(_fitting(size, _SHARP))
    image = reader.read()
    if image.isNull():
        return None
    flat = QImage(image.size(), QImage.Format.Format_RGB32)
    flat.fill(Qt.GlobalColor.white)
    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    return Picture(flat.width(), flat.height(), bytes(flat.constBits()))


def _fitting(size: QSize, sharp: int) -> QSize:
    """As large as it may be, and not larger than it is."""
    most = QSize(_WIDEST, _TALLEST) * sharp
    if size.width() <= most.width() and size.height() <= most.height():
        return size
    return size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
