"""The program's icon: one drawing, in the files that macOS, Windows and Linux want."""

from __future__ import annotations

import importlib.util
import itertools
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtGui import QColor, QImage

from lab_desktop.ui.icons import program_icon, program_image

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def drawer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("icon", ROOT / "packaging" / "icon.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpacked(data: bytes, length: int) -> tuple[bytes, int]:
    """One channel as macOS reads it, and how many bytes it took."""
    found, at = bytearray(), 0
    while len(found) < length:
        n = data[at]
        if n < 128:
            found += data[at + 1 : at + 2 + n]
            at += n + 2
        else:
            found += data[at + 1 : at + 2] * (n - 125)
            at += 2
    return bytes(found), at


def chunks(data: bytes) -> dict[str, bytes]:
    """An Apple icon file's parts, by type."""
    kind, size = struct.unpack_from(">4sI", data)
    assert (kind, size) == (b"icns", len(data))
    found, at = {}, 8
    while at < len(data):
        kind, size = struct.unpack_from(">4sI", data, at)
        found[kind.decode()] = data[at + 8 : at + size]
        at += size
    return found


@pytest.mark.parametrize(
    "channel",
    [b"", b"a", b"aa", b"aaa", b"abc", b"ab" + b"c" * 130 + b"d", b"c" * 131, b"c" * 263, bytes(range(256)) * 2],
)
def test_a_packed_channel_unpacks_to_what_it_was(drawer: ModuleType, channel: bytes) -> None:
    packed = drawer.packed(channel)

    assert unpacked(packed, len(channel)) == (channel, len(packed))
    assert len(drawer.packed(b"c" * 130)) == 2


def test_the_script_draws_every_file_and_each_holds_the_same_picture(tmp_path: Path, qapp: object) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "icon.py"), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, "")
    parts = chunks((tmp_path / "LAB Desktop.icns").read_bytes())
    assert set(parts) == {"ic04", "ic05", "ic07", "ic08", "ic09", "ic10", "ic11", "ic12", "ic13", "ic14"}
    widths = {kind: QImage.fromData(part).width() for kind, part in parts.items() if kind not in ("ic04", "ic05")}
    assert widths == {
        "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024, "ic11": 32, "ic12": 64, "ic13": 256, "ic14": 512,
    }  # fmt: skip
    assert QImage.fromData(parts["ic10"]).pixel(512, 318) == program_image(1024).pixel(512, 318)

    channels, at = [], 4
    for _ in range(4):
        channel, length = unpacked(parts["ic05"][at:], 32 * 32)
        channels.append(channel)
        at += length
    assert parts["ic05"][:4] == b"ARGB"
    assert at == len(parts["ic05"])
    small = program_image(32)
    for x, y in itertools.product(range(32), range(32)):
        seen = QColor.fromRgba(small.pixel(x, y))
        assert [channel[y * 32 + x] for channel in channels] == [seen.alpha(), seen.red(), seen.green(), seen.blue()]

    ico = (tmp_path / "LAB Desktop.ico").read_bytes()
    assert struct.unpack_from("<HHH", ico) == (0, 1, 7)
    for number, size in enumerate((16, 24, 32, 48, 64, 128, 256)):
        length, start = struct.unpack_from("<II", ico, 6 + 16 * number + 8)
        assert QImage.fromData(ico[start : start + length]).width() == size
    for size in (16, 512):
        assert QImage(str(tmp_path / f"hicolor/{size}x{size}/apps/lab-desktop.png")).width() == size


def test_the_icon_keeps_to_the_grid_of_macos(qapp: object) -> None:
    image = program_image(1024)

    assert image.pixelColor(512, 90).alpha() < 60
    assert image.pixelColor(512, 104).alpha() == image.pixelColor(920, 512).alpha() == 255
    assert image.pixelColor(104, 104).alpha() < 60
    assert image.pixelColor(4, 4).alpha() == 0


def test_windows_bear_the_icon_also_small(qapp: object) -> None:
    icon = program_icon()

    assert {size.width() for size in icon.availableSizes()} >= {16, 32, 256}
    assert icon.pixmap(16, 16).toImage().pixelColor(3, 9) == QColor("#FFFFFF")


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "icon.py"), "--help"], capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: ")
