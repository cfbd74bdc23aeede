"""What must hold before an app is called whole: nothing twice, nothing that cannot be imported, nothing forbidden."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

NOTICED_BYTES = 64 * 1024
_GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)")


def duplicates(root: Path, at_least: int = NOTICED_BYTES) -> list[tuple[Path, ...]]:
    """Files below a folder that have the same bytes, a group each, in the order of their names.

    Links do not count: they are how a file is shared.

    Args:
        at_least: bytes; smaller files are not worth a link.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in files(root):
        size = path.stat().st_size
        if size >= at_least:
            by_size[size].append(path)
    groups: dict[bytes, list[Path]] = defaultdict(list)
    for alike in by_size.values():
        if len(alike) > 1:
            for path in alike:
                with open(path, "rb") as stream:
                    groups[hashlib.file_digest(stream, "sha256").digest()].append(path)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def glibc_floor(symbols: Iterable[str]) -> tuple[int, int]:
    """The lowest glibc with all versions that these lines of `readelf -V` want; (0, 0) where they want none."""
    versions = (match for line in symbols for match in _GLIBC.finditer(line))
    return max(((int(match[1]), int(match[2])) for match in versions), default=(0, 0))


def links_out_of(root: Path) -> list[Path]:
    """Links below a folder that are absolute, lead out of it, or to nothing: they do not survive a move."""
    home = root.resolve()
    links = [path for path in root.rglob("*") if path.is_symlink()]
    return [
        link
        for link in sorted(links)
        if link.readlink().is_absolute() or not link.exists() or not link.resolve().is_relative_to(home)
    ]


def files(root: Path) -> list[Path]:
    """Every file below a folder that is not a link, sorted."""
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
