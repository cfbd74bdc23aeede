"""Drills: faults of running work, damaged and foreign bytes, and the folders of earlier versions.

    python -m tests.drills [JOB…] [--faults FAULT…] [--times 20] [--seed N] [--quick]
    python -m tests.drills inputs upgrades          every kind of file damaged; every earlier version opened
    python -m tests.drills --fuzz MINUTES           parsers of foreign bytes, with bytes changed at random

Prints a table, and what was lost with the seed that brings it back; 1 when something was.
"""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.drills.drill import Outcome, Range
from tests.drills.faults import FAULTS, can_be_tried
from tests.drills.fuzz import fuzz
from tests.drills.inputs import inputs
from tests.drills.inputs_row import Row
from tests.drills.kinds import KINDS
from tests.drills.upgrades import upgrades

_OTHERS = ("inputs", "upgrades")


def main(words: Sequence[str] | None = None) -> int:
    """Hold the drills and print what became of them; 1 when something was lost."""
    options = _options(words)
    _say(f"seed {options.seed}")
    _say(f"{'what':28} {'fault':14} tried survived lost")
    began, lost = time.monotonic(), 0
    if names := [name for name in options.jobs if name in KINDS]:
        lost += _faults(names, options)
    if "inputs" in options.jobs:
        lost += _rows(inputs(options.quick, options.seed))
    if "upgrades" in options.jobs:
        lost += _rows(upgrades())
    if options.fuzz:
        lost += _rows(fuzz(options.fuzz * 60, options.seed))
    _say(f"{time.monotonic() - began:.0f} s, {lost} lost; seed {options.seed}")
    return 1 if lost else 0


def _faults(names: Sequence[str], options: argparse.Namespace) -> int:
    """Try each fault on each kind of work; gives how often something was lost."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="drills-", dir=options.folder or (memory if memory.is_dir() else None)))
    field = Range(folder, options.seed, pause_s=2.0 if options.quick else options.pause)
    lost = 0
    for name in names:
        calm, _ = field.calm(name)
        _say(
            f"{name}: undisturbed {calm.used_s:.1f} s of processor time, {calm.changes} changes of the disk, "
            f"{calm.grown_bytes / 1e6:.1f} MB more on it, {calm.memory_bytes / 1e6:.0f} MB of address space"
        )
        for fault in options.faults:
            if can_be_tried(fault):
                lost += _row(field, name, fault, range(options.first, options.first + options.times))
            else:
                _say(f"{name:28} {fault:14} cannot be tried here")
    if lost:
        _say(f"What was lost is kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return lost


def _row(field: Range, name: str, fault: str, numbers: range) -> int:
    outcomes = []
    for number in numbers:
        try:
            outcome = field.hold(name, fault, number, opens=number == numbers.start)
        except Exception as error:  # noqa: BLE001 - a drill that breaks is one that failed, and others go on
            outcome = Outcome([f"the drill broke: {error!r}"])
        outcomes.append(outcome)
    lost = sum(bool(each.problems) for each in outcomes)
    notes: list[tuple[str, Callable[[Outcome], int | bool]]] = [
        ("unharmed", lambda each: each.is_late),
        ("ended by the system", lambda each: each.died),
    ]
    counts = [f"{count} {what}" for what, of in notes if (count := sum(bool(of(each)) for each in outcomes))]
    told = f"   ({', '.join(counts)})" if counts else ""
    _say(f"{name:28} {fault:14} {len(outcomes):5} {len(outcomes) - lost:8} {lost:4}{told}")
    for number, outcome in zip(numbers, outcomes, strict=True):
        for problem in outcome.problems:
            _say(f"    --first {number} --times 1: {problem}")
    for said in sorted({sentence for each in outcomes for sentence in each.said}):
        _say(f"    said: {said[:220]}")
    return lost


def _rows(rows: Iterator[Row]) -> int:
    lost = 0
    for row in rows:
        _say(f"{row.what:28} {row.fault:14} {row.tried:5} {row.survived:8} {row.tried - row.survived:4}")
        if row.lost:
            _say(f"    {row.lost}")
        lost += row.tried - row.survived
    return lost


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["faults:", *(f"  {name:13} {inspect.getdoc(fault)}" for name, fault in FAULTS.items())]),
    )  # fmt: skip
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join([*KINDS, *_OTHERS])} (all)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), metavar="FAULT", help="only these")
    parser.add_argument("--times", type=int, default=20, help="tries of each (20)")
    parser.add_argument("--first", type=int, default=0, help="number of the first try, to repeat one (0)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="decides when faults come")
    parser.add_argument("--pause", type=float, default=60.0, help="seconds that a stopped child stays so (60)")
    parser.add_argument("--quick", action="store_true", help="one try of each, short pauses")
    parser.add_argument("--fuzz", type=float, metavar="MINUTES", default=0.0, help="only this, unless a JOB is named")
    parser.add_argument("--folder", type=Path, help="where it is done (memory, where there is such a disk)")
    options = parser.parse_args(words)
    if unknown := [name for name in options.jobs if name not in (*KINDS, *_OTHERS)]:
        parser.error(f"there is no job {', '.join(unknown)}")
    if not options.jobs and not options.fuzz:
        options.jobs = [*KINDS, *_OTHERS]
    if options.quick:
        options.times = 1
    return options


if __name__ == "__main__":
    sys.exit(main())
