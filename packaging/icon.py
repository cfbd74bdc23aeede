"""python packaging/icon.py FOLDER: the program's icon as every system wants it, from resources/app/*.svg.

LAB Desktop.icns            macOS
LAB Desktop.ico             Windows
hicolor/NxN/apps/….png      Linux, to copy into share/icons
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "LAB Desktop"
LINUX_NAME = "lab-desktop"
LINUX_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
WINDOWS_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_PNG = {
    "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024, "ic11": 32, "ic12": 64, "ic13": 256, "ic14": 512,
}  # fmt: skip
"""Pixels by type, those for double density too: ic11 is 16 points at 32 pixels."""
ICNS_ARGB = {"ic04": 16, "ic05": 32}
"""Smaller ones are pixels: macOS shows PNGs of these sizes garbled in some places."""
_LONGEST_RUN = 130
_LONGEST_PLAIN = 128


def icns(pngs: Mapping[int, bytes], pixels: Mapping[int, bytes]) -> bytes:
    """An Apple icon file.

    Args:
        pngs: a PNG file for each size in ICNS_PNG.
        pixels: for each size in ICNS_ARGB its pixels, size × size × (alpha, red, green, blue), bytes.
    """
    chunks = [
        (kind, b"ARGB" + b"".join(packed(pixels[size][n::4]) for n in range(4))) for kind, size in ICNS_ARGB.items()
    ]
    chunks += [(kind, pngs[size]) for kind, size in ICNS_PNG.items()]
    body = b"".join(struct.pack(">4sI", kind.encode(), 8 + len(data)) + data for kind, data in chunks)
    return struct.pack(">4sI", b"icns", 8 + len(body)) + body


def packed(channel: bytes) -> bytes:
    """One channel's bytes with runs shortened: n < 128 means n + 1 bytes as they are, else one byte n − 125 times."""
    found, at, plain = bytearray(), 0, bytearray()

    def write_plain() -> None:
        for start in range(0, len(plain), _LONGEST_PLAIN):
            part = plain[start : start + _LONGEST_PLAIN]
            found.append(len(part) - 1)
            found.extend(part)
        plain.clear()

    while at < len(channel):
        run = 1
        while run < _LONGEST_RUN and at + run < len(channel) and channel[at + run] == channel[at]:
            run += 1
        if run < 3:
            plain.extend(channel[at : at + run])
        else:
            write_plain()
            found.extend((run + 125, channel[at]))
        at += run
    write_plain()
    return bytes(found)


def ico(pngs: Mapping[int, bytes]) -> bytes:
    """A Windows icon file of PNGs, which every Windows since Vista reads."""
    start = 6 + 16 * len(pngs)
    entries, data = b"", b""
    for size, png in sorted(pngs.items()):
        entries += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(png), start + len(data))
        data += png
    return struct.pack("<HHH", 0, 1, len(pngs)) + entries + data


def draw(sizes: set[int]) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """The icon as a PNG and as pixels (alpha, red, green, blue), by size."""
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage

    from lab_desktop.ui.icons import program_image

    application = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    pngs, pixels = {}, {}
    for size in sizes:
        image = program_image(size)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        pngs[size] = bytes(buffer.data().data())
        converted = image.convertToFormat(QImage.Format.Format_RGBA8888)
        rgba = bytes(converted.constBits())
        pixels[size] = b"".join(rgba[at + 3 : at + 4] + rgba[at : at + 3] for at in range(0, len(rgba), 4))
    del application
    return pngs, pixels


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python packaging/icon.py FOLDER", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from lab_desktop.files import replacing

    pngs, pixels = draw({*LINUX_SIZES, *WINDOWS_SIZES, *ICNS_PNG.values(), *ICNS_ARGB.values()})
    folder = Path(arguments[0])
    made = {
        f"{NAME}.icns": icns(pngs, pixels),
        f"{NAME}.ico": ico({size: pngs[size] for size in WINDOWS_SIZES}),
        **{f"hicolor/{n}x{n}/apps/{LINUX_NAME}.png": pngs[n] for n in LINUX_SIZES},
    }
    for name, data in made.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(data)
    print(f"{len(made)} files in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
