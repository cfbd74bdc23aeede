"""Bins: what was thrown away keeps its name and the moment, and can be taken out again for thirty days.

An entry is named MILLISECONDS-NAME. What it holds is its owner's business.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.errors import RunError
from lab_desktop.files import read_json, replacing

BIN_DAYS = 30
"""So long a deleted thing can be restored."""
_DAY_S = 86_400
_LAST_START = "last-start.json"


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


def counted_time(home: Path, now: float | None = None) -> float:
    """The moment by which the days in the bins are counted at this start of the window, seconds since 1970.

    The clock must have said it at the start before, too: one that is wrong once, a year ahead, would empty every bin.
    A first start, and one whose note cannot be read, counts no day.

    Args:
        home: the person's folder, which keeps when it was started last.

    Raises:
        StorageError: this start cannot be noted there, so nothing else can be saved there either.
    """
    now = time.time() if now is None else now
    try:
        before = read_json(home / _LAST_START, "at")["at"]
    except RunError:
        before = 0.0
    with replacing(home / _LAST_START, "The folder of your work") as file:
        file.write_text(json.dumps({"at": now}) + "\n", encoding="utf-8")
    return min(float(before), now) if isinstance(before, (int, float)) else 0.0


def new_entry(folder: Path, name: str, now: float) -> Thrown:
    """An entry of the bin `folder` whose path nothing has yet, for something of this name; nothing is made."""
    moment = int(now * 1000)
    while (path := folder / f"{moment}-{name}").exists():
        moment += 1
    return Thrown(path, name, moment / 1000)


def entries(folder: Path) -> list[Thrown]:
    """What lies in the bin `folder`, the newest first."""
    found = []
    for path in folder.glob("*"):
        moment, _, name = path.name.partition("-")
        if moment.isascii() and moment.isdigit() and name:
            found.append(Thrown(path, name, int(moment) / 1000))
    return sorted(found, key=lambda entry: entry.deleted, reverse=True)
