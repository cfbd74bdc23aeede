"""The app as one file, and the moment at which it gets its name."""

from __future__ import annotations

import platform
import shutil
import sys
import tarfile
from pathlib import Path

from app.workshop import NAME, Workshop, version

_LEVEL = 6
"""Of gzip: 9 takes twice as long and gives two parts in a hundred."""


def path(shop: Workshop) -> Path:
    """Where the archive of this version for this system goes."""
    return shop.out / f"lab-desktop-{version()}-{sys.platform}-{platform.machine()}.tar.gz"


def finish(shop: Workshop) -> None:
    """Pack the app that was made, then give both their names: what bears one is whole.

    The archive keeps links and says nothing of who built it.
    """
    target = path(shop)
    shop.say(f"{target.name} …")
    if shop.is_dry:
        return
    part = target.with_name(f".{target.name}.part")
    with tarfile.open(part, "w:gz", compresslevel=_LEVEL) as packed:
        packed.add(shop.making, NAME, filter=_anonymous)
    shutil.rmtree(shop.app, ignore_errors=True)
    shop.making.rename(shop.app)
    part.replace(target)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
