"""python packaging/macos/background.py FOLDER [--preview]: what a disk image shows behind its icons, in two densities.

Finder writes the icons' names in black, and in white where the Mac is dark; on the plate under each both can be read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

ROOT = Path(__file__).resolve().parent.parent.parent
SIZE = (640, 420)
"""Points, as dmg_settings.py has the window."""
APP, APPLICATIONS = (170, 210), (470, 210)
"""Where the icons' middles are."""
ICON = 128
PLATE = "#68768F"
"""4.6 to 1 with black and with white."""
NAMES_Y, PLATE_HEIGHT, PLATE_WIDTH = 292, 26, 140
"""Middle and size of the plates, where Finder writes names of 13 points."""


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or arguments[0].startswith("-") or arguments[1:] not in ([], ["--preview"]):
        print("usage: python packaging/macos/background.py FOLDER [--preview]", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    application = QGuiApplication(sys.argv[:1])
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for density, name in ((1, "background.png"), (2, "background@2x.png")):
        draw(density, is_preview=len(arguments) == 2).save(str(folder / name))
    del application
    return 0


def draw(density: int, is_preview: bool) -> QImage:
    """The picture, with so many pixels to a point; a preview's says how an app that nobody signed is opened."""
    from PySide6.QtCore import QPointF, QRectF, Qt
    from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPen

    from lab_desktop.ui.theme import LIGHT

    width, height = SIZE
    image = QImage(width * density, height * density, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(density)
    image.fill(QColor(LIGHT.page))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def write(text: str, middle: float, size: int, color: str, weight: QFont.Weight) -> None:
        font = QFont()
        font.setPixelSize(size)
        font.setWeight(weight)
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(QRectF(0, middle - size, width, 2 * size), Qt.AlignmentFlag.AlignCenter, text)

    plain = QFont.Weight.Normal
    write("Drag LAB Desktop into Applications", 58, 21, LIGHT.text, QFont.Weight.DemiBold)
    write("Then open it from there. It needs no network and no account.", 92, 14, LIGHT.text2, plain)
    for x, _ in (APP, APPLICATIONS):
        plate = QRectF(x - PLATE_WIDTH / 2, NAMES_Y - PLATE_HEIGHT / 2, PLATE_WIDTH, PLATE_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(PLATE))
        painter.drawRoundedRect(plate, PLATE_HEIGHT / 2, PLATE_HEIGHT / 2)
    painter.setPen(QPen(QColor(LIGHT.fill), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    start, end = QPointF(APP[0] + 84, APP[1]), QPointF(APPLICATIONS[0] - 86, APP[1])
    arrow = QPainterPath(start)
    arrow.lineTo(end)
    arrow.moveTo(end.x() - 12, end.y() - 12)
    arrow.lineTo(end)
    arrow.lineTo(end.x() - 12, end.y() + 12)
    painter.drawPath(arrow)
    if is_preview:
        write("A preview, which nobody has signed. After the first try: System Settings,", 350, 13, LIGHT.warn, plain)
        write("Privacy & Security, Open Anyway.", 370, 13, LIGHT.warn, plain)
    write("macOS 14 or newer, on a Mac with Apple silicon", 396, 13, LIGHT.text3, plain)
    painter.end()
    return image


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
