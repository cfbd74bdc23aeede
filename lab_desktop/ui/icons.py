"""Our icons: SVG outlines in resources/icons, drawn in a colour of the theme at whatever size is asked for.

The program's own icon has its own colours, and a simpler drawing for the sizes at which the other one blurs.
"""

from __future__ import annotations

import functools

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from lab_desktop.paths import resources
from lab_desktop.ui.theme import look

_UNITS = 24
_STROKE = 1.5
_SIMPLE_UP_TO = 32
_WINDOW_SIZES = (16, 24, 32, 48, 64, 128, 256)


def draw(painter: QPainter, name: str, box: QRectF, role: str) -> None:
    """Draw an icon into a square, with a stroke of 1.5 pixels at every size."""
    _renderer(name, look().theme.color(role).name(), box.width()).render(painter, box)


def icon(name: str, role: str = "text", size: int = 18, room: int = 0) -> QIcon:
    """The icon as Qt's own controls want it; whoever keeps it asks again when the look changes.

    Args:
        room: empty pixels to its right, before a text.
    """
    screens = QGuiApplication.screens()
    ratio = max((screen.devicePixelRatio() for screen in screens), default=1.0)
    return _drawn(name, look().theme.color(role).name(), size, room, ratio)


def program_icon() -> QIcon:
    """The program's own icon, for its windows."""
    made = QIcon()
    for size in _WINDOW_SIZES:
        made.addPixmap(QPixmap.fromImage(program_image(size)))
    return made


def program_image(size: int) -> QImage:
    """The program's own icon as a square of so many pixels, with the empty edge that macOS wants round it."""
    made = QImage(size, size, QImage.Format.Format_ARGB32)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    drawing = "icon-small.svg" if size <= _SIMPLE_UP_TO else "icon.svg"
    QSvgRenderer(str(resources() / "app" / drawing)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made


@functools.lru_cache(maxsize=512)
def _drawn(name: str, color: str, size: int, room: int, ratio: float) -> QIcon:
    """Drawn once for all controls that show it: when the look changes, a hundred of them ask anew."""
    made = QIcon()
    pixmap = QPixmap(QSize(size + room, size) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _renderer(name, color, size).render(painter, QRectF(0, 0, size, size))
    painter.end()
    made.addPixmap(pixmap)
    return made


@functools.lru_cache(maxsize=512)
def _renderer(name: str, color: str, size: float) -> QSvgRenderer:
    """
    Raises:
        FileNotFoundError: there is no icon of that name.
    """
    source = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    width = f'stroke-width="{_STROKE * _UNITS / size:.3f}"'
    tinted = source.replace('stroke="#000"', f'stroke="{color}"').replace('stroke-width="1.5"', width)
    return QSvgRenderer(QByteArray(tinted.encode()))
