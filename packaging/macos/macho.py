"""Programs and libraries of macOS, known by their first bytes, and the order in which to sign them.

Format: Apple's <mach-o/loader.h> and <mach-o/fat.h>.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.workshop import BuildError

BUNDLES = (".app", ".bundle", ".framework", ".xpc")
KINDS = {1: "object", 2: "program", 6: "library", 8: "bundle"}
PROCESSORS = {7: "i386", 0x01000007: "x86_64", 0x0100000C: "arm64"}
_FAT = {b"\xca\xfe\xba\xbe": ">5I", b"\xca\xfe\xba\xbf": ">IIQQII"}
"""Magic of a file with a slice for each processor, and how each is listed: processor, variant, start, length …"""
_MOST_SLICES = 20
"""Java's class files begin like fat ones, and have a version of 45 or more where these have their number of slices."""
_THIN = {
    b"\xce\xfa\xed\xfe": ("<", 28), b"\xcf\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xce": (">", 28), b"\xfe\xed\xfa\xcf": (">", 32),
}  # fmt: skip
"""Magic of a slice: its byte order, and how long its header is."""
_ARCHIVE = b"!<ar"
"""Magic of a static library."""
_MOST_COMMAND_BYTES = 2**24
_VERSION_MIN, _BUILD_VERSION, _RPATH = 0x24, 0x32, 0x8000001C
_LOADS = (0x0C, 0x20, 0x80000018, 0x8000001F, 0x80000023)


@dataclass(frozen=True)
class MachO:
    """What a program or library says of itself.

    Attributes:
        kind: "program", "library", "bundle" (a module that is loaded), "object", "archive" (a static library), "other".
        processors: "arm64", "x86_64" …, one for each slice; of archives it is not known.
        macos: the oldest macOS that it runs on, as (major, minor); (0, 0) where it does not say.
        loads: the libraries that it needs, as written down in it.
        searches: the folders in which it looks for those that begin with @rpath.
    """

    kind: str
    processors: tuple[str, ...]
    macos: tuple[int, int] = (0, 0)
    loads: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()


def read(path: Path) -> MachO | None:
    """What the file says of itself; None where it is none of macOS's programs and libraries, or a link.

    Of a fat file, version and libraries are those of its slice for arm64, if it has one.

    Raises:
        BuildError: it begins like one, and is cut or damaged.
    """
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with open(path, "rb") as file:
            slices = [_slice(file, start) for start in _starts(file)]
    except (struct.error, ValueError) as error:
        raise BuildError(f"{path} is a program or library that is cut or damaged: {error}.") from error
    except OSError as error:
        raise BuildError(f"{path} cannot be read: {error.strerror}.") from error
    if not slices:
        return None
    told = next((each for each in slices if each.processors == ("arm64",)), slices[0])
    return MachO(
        told.kind, tuple(name for each in slices for name in each.processors), told.macos, told.loads, told.searches
    )


def inside_out(app: Path) -> list[Path]:
    """What has to be signed in an app, each after everything that lies in it; the app itself is not in the list.

    Links are left out: what they lead to is signed where it lies. So is the app's program, which is signed with it.
    """
    return [path for path in _signed(app) if path != app and path.parent != app / "Contents" / "MacOS"]


def _signed(folder: Path) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            yield from _signed(entry)
    for entry in entries:
        if (code := read(entry)) is not None and code.kind != "archive":
            yield entry
    if folder.suffix in BUNDLES and any((folder / place).exists() for place in ("Contents", "Versions", "Info.plist")):
        yield folder


def _starts(file: BinaryIO) -> list[int]:
    """Where in the file its slices begin; none where it is no such file."""
    magic = file.read(4)
    if magic in _THIN or magic == _ARCHIVE:
        return [0]
    if magic not in _FAT:
        return []
    (count,) = struct.unpack(">I", file.read(4))
    if count > _MOST_SLICES:
        return []
    entry = _FAT[magic]
    return [struct.unpack(entry, file.read(struct.calcsize(entry)))[2] for _ in range(count)]


def _slice(file: BinaryIO, start: int) -> MachO:
    file.seek(start)
    magic = file.read(4)
    if magic == _ARCHIVE:
        return MachO("archive", ())
    if magic not in _THIN:
        raise ValueError("a slice does not begin like one")
    order, header = _THIN[magic]
    processor, _, kind, count, length = struct.unpack(f"{order}5I", file.read(20))
    if length > _MOST_COMMAND_BYTES:
        raise ValueError(f"{length} bytes of load commands")
    file.seek(start + header)
    commands = file.read(length)
    if len(commands) < length:
        raise ValueError(f"{len(commands)} of {length} bytes of load commands")
    loads: list[str] = []
    searches: list[str] = []
    macos, at = (0, 0), 0
    for _ in range(count):
        command, size = struct.unpack_from(f"{order}2I", commands, at)
        if size < 8:
            raise ValueError(f"a load command of {size} bytes")
        if command in (_BUILD_VERSION, _VERSION_MIN):
            (packed,) = struct.unpack_from(f"{order}I", commands, at + (12 if command == _BUILD_VERSION else 8))
            macos = (packed >> 16, packed >> 8 & 0xFF)
        elif command in _LOADS or command == _RPATH:
            (offset,) = struct.unpack_from(f"{order}I", commands, at + 8)
            text = commands[at + offset : at + size].partition(b"\0")[0].decode("utf-8", errors="replace")
            (searches if command == _RPATH else loads).append(text)
        at += size
    return MachO(
        KINDS.get(kind, "other"), (PROCESSORS.get(processor, hex(processor)),), macos, tuple(loads), tuple(searches)
    )
