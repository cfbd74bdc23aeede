"""What was measured of a trained model's files, for whoever shows it: RUN/models/measured.json.

{"Q4_K_M": {"right": 27, "asked": 50, "tokens_per_second": 61.5, "file": [bytes, time]}, …}
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path

from lab_desktop.errors import RunError
from lab_desktop.files import read_json, stamp, write_json

FILE_NAME = "measured.json"


@dataclass(frozen=True)
class Measure:
    """One file of a trained model.

    Attributes:
        right, asked: of the lessons' exams and held-out questions, judged by their words and rules.
        tokens_per_second: of one answer, as in a chat; 0 where it said nothing.
        file: size and time of the file that was measured; another file of that name was not.
    """

    right: int
    asked: int
    tokens_per_second: float
    file: tuple[int, int]


def note(folder: Path, kind: str, found: Measure) -> None:
    """
    Raises:
        StorageError: it could not be written.
    """
    known: dict[str, object] = {}
    with contextlib.suppress(RunError):
        known = read_json(folder / FILE_NAME)
    write_json(folder / FILE_NAME, {**known, kind: asdict(found)})


def measures(folder: Path) -> dict[str, Measure]:
    """What was measured of the files in `folder`, by kind; of files that were made again since, nothing."""
    found = {}
    try:
        rows = read_json(folder / FILE_NAME)
    except RunError:
        return {}
    for kind, row in rows.items():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            size, changed = row["file"]
            read = Measure(int(row["right"]), int(row["asked"]), float(row["tokens_per_second"]), (size, changed))
            if any(stamp(path) == read.file for path in folder.glob(f"*-{kind}.gguf")):
                found[kind] = read
    return found
