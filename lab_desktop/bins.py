"""Bins: what was thrown away keeps its name and the moment, and can be taken out again for thirty days.

An entry is named MILLISECONDS-NAME. What it holds is its owner's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BIN_DAYS = 30
"""So long a deleted thing can be restored."""
_DAY_S = 86_400


@dataclass(frozen=True)
class Thrown:
    """An entry of a bin.

    Attributes:
        path: where it lies now.
        name: what it was called.
        deleted: seconds since 1970.
    """

    path: Path
    name: str
    deleted: float

    def is_over(self, now: float, days: int = BIN_DAYS) -> bool:
        """True when its days in the bin have passed."""
        return now - self.deleted > days * _DAY_S


def new_entry(folder: Path, name: str, now: float) -> Path:
    """A path in the bin `folder` that nothing has yet, for something of this name; nothing is made."""
    moment = int(now * 1000)
    while (path := folder / f"{moment}-{name}").exists():
        moment += 1
    return path


def entries(folder: Path) -> list[Thrown]:
    """What lies in the bin `folder`, the newest first."""
    found = []
    for path in folder.glob("*"):
        moment, _, name = path.name.partition("-")
        if moment.isascii() and moment.isdigit() and name:
            found.append(Thrown(path, name, int(moment) / 1000))
    return sorted(found, key=lambda entry: entry.deleted, reverse=True)
