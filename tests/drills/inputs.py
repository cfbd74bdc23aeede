"""Every kind of file that the program reads, cut short and with flipped bits.

After each damage the program reads the file in all its ways: what comes is a sentence, or what was there; all else in
the person's folder stays as it is, and so does the damaged file, for somebody may mend it. A bit that makes another
value of the same form is noticed only where there is a check number (`Kind.check`).
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab_desktop.errors import LabError
from tests.drills.inputs_child import Outcome, Try, outcomes
from tests.drills.inputs_row import Row

QUICK, MANY = 4, 60
"""Tries of each kind and fault."""
_CUT, _FLIPPED = "cut short", "bits flipped"
_MOST_FILES = 3
"""Of one kind; they are written by the same code."""


def inputs(quick: bool, seed: int) -> Iterator[Row]:
    """Damage every kind of file and open it with the program.

    Args:
        quick: some tries of each kind instead of many.
        seed: of every random place and bit.

    Yields:
        A row for each kind of file and fault.
    """
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found = outcomes(__name__, folder=folder, count=QUICK if quick else MANY, seed=seed)
        for (what, fault), each in itertools.groupby(found, key=lambda outcome: (outcome.what, outcome.fault)):
            yield row_of(what, fault, list(each))


def row_of(what: str, fault: str, found: list[Outcome]) -> Row:
    """The line of the table about some tries."""
    lost = [outcome.lost for outcome in found if outcome.lost]
    return Row(what, fault, len(found), len(found) - len(lost), lost[0] if lost else "")


def tries(folder: str, count: int, seed: int) -> Iterator[Try]:
    """Every damage to every kind of file, in a new home below `folder`."""
    from tests.drills import inputs_home
    from tests.drills.inputs_kinds import KINDS, Kind

    place = Path(tempfile.mkdtemp(dir=folder))
    home = place / "home"
    home.mkdir()
    inputs_home.make(home)
    shutil.copytree(place, pristine := Path(tempfile.mkdtemp(dir=folder)), dirs_exist_ok=True, symlinks=True)

    before = _states(place)

    def survive(kind: Kind, file: Path, damaged: bytes) -> str:
        file.write_bytes(damaged)
        try:
            for read in kind.read:
                try:
                    read(home, file)
                except LabError as error:
                    if not (error.message and error.hint):
                        return f"{type(error).__name__} without a sentence: {error.message!r}"
            if kind.is_remade:
                return ""
            if not _is_kept(file, damaged):
                return f"{file.name} is not as it was"
            now = _states(place)
            came = [path.read_bytes() for path in now.keys() - before.keys() if path.is_file()]
            changed = [
                path.name
                for path, state in before.items()
                if path != file
                and now.get(path) != state
                and not _is_ours(path)
                # A journal that ends where a step begins is that of a killed step, which is completed: files move.
                and (path in now or (pristine / path.relative_to(place)).read_bytes() not in came)
            ]
            return f"{', '.join(changed)} changed or gone" if changed else ""
        finally:
            before.update(_restored(place, pristine, before))

    for kind in KINDS:
        files = [path for path in sorted(place.rglob("*")) if path.is_file() and kind.has(_name(path, place))]
        chance = random.Random(f"{seed} {kind.name}")
        files = chance.sample(files, min(len(files), _MOST_FILES, count))
        for fault, damages in ((_CUT, cuts), (_FLIPPED, flips)):
            for file in files:
                for damaged in damages(file.read_bytes(), chance, max(1, count // len(files))):
                    yield Try(kind.name, fault, lambda damaged=damaged, file=file: survive(kind, file, damaged))  # type: ignore[misc] # noqa: B023


def cuts(data: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The beginning of a file: nothing, all but the last byte, up to where a part of it ends, and up to anywhere."""
    ends = [at for at in range(1, len(data)) if data[at - 1 : at] in (b"\n", b",", b"{", b"[", b"}", b"]", b"\0")]
    parts = [at for at in range(4, len(data)) if data[at : at + 2] == b"PK" or at % 4096 == 0]
    wanted = [0, len(data) - 1]
    for places in (ends, parts, range(len(data))):
        wanted += chance.sample(places, min(len(places), count))
    chance.shuffle(wanted)
    for end in list(dict.fromkeys(each for each in wanted if 0 <= each < len(data)))[:count]:
        yield data[:end]


def flips(data: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The file with one bit that is another, or some; half of them near its beginning, where its form is told."""
    for number in range(count if data else 0):
        damaged = bytearray(data)
        reach = min(len(data), 300) if number % 2 else len(data)
        for _ in range(chance.choice((1, 1, 1, 8))):
            damaged[chance.randrange(reach)] ^= 1 << chance.randrange(8)
        yield bytes(damaged)


def _is_kept(file: Path, damaged: bytes) -> bool:
    """What was damaged is there, if only under another name; a last line that is torn may be cut off."""
    whole = damaged[: damaged.rfind(b"\n") + 1]
    there = [path.read_bytes() for path in file.parent.iterdir() if path.is_file()]
    return any(data == damaged or data.startswith(whole or damaged[:1]) for data in there) or not whole


def _restored(place: Path, pristine: Path, before: dict[Path, tuple[int, int]]) -> dict[Path, tuple[int, int]]:
    """Put everything back as it was; gives the new states of what was put back."""
    now = _states(place)
    for path in now.keys() - before.keys():
        path.unlink()
    changed = [path for path, state in before.items() if now.get(path) != state]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(pristine / path.relative_to(place), path)
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in changed}


def _states(place: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of every file, but of those that git looks after."""
    found = {}
    for folder, inner, names in os.walk(place):
        if folder.endswith(".git"):
            inner[:] = [name for name in inner if name == "lab-desktop"]
            continue
        for name in names:
            state = os.lstat(path := os.path.join(folder, name))  # noqa: PTH118 - thousands of times
            found[Path(path)] = state.st_size, state.st_mtime_ns
    return found


def _is_ours(path: Path) -> bool:
    """What is made again by looking, or says only that somebody looks."""
    return "prepared" in path.parts or "index" in path.parts or path.name.endswith((".lock", ".part", "lock"))


def _name(path: Path, place: Path) -> str:
    home = place / "home"
    return path.relative_to(home if path.is_relative_to(home) else place).as_posix()
