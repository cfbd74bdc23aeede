"""Less memory for the same training: what a training gives up, step by step, when memory runs out.

The first levels change no step's meaning: its rows are computed in smaller portions whose gradients add up to the same.
The last one learns a little less. RUN/thrift.json says the level, so that a run that was ended by the system goes on
with less; it is taken away with the end of the training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.errors import OutOfMemory, RunError
from lab_desktop.files import disk_errors, read_json, write_json
from lab_desktop.jobs.run import Run
from lab_desktop.training.phases import TrainingPlan

FILE_NAME = "thrift.json"
_SMALL_PACK, _ONE_ROW = 256, 1
_RESTING_SHARE = 0.75
_LOWEST = 4
"""The number of the last of `levels`."""


@dataclass(frozen=True)
class Thrift:
    """How a training makes do.

    Attributes:
        words: what it does, for people.
        pack_tokens: the longest pack; None: the plan's.
        saves_memory, few_bits: as in `TrainingPlan`.
        reads_ahead: keep what the layers without factors make of every row.
        resting_share: share of the layers, from below, whose factors stay as they are from now on.
    """

    words: str
    pack_tokens: int | None = None
    saves_memory: bool = False
    reads_ahead: bool = True
    resting_share: float = 0.0
    few_bits: bool = False

    def applied(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan with which the backend works; the steps and their rows are those of the plan itself."""
        return replace(
            plan,
            pack_tokens=min(plan.pack_tokens, self.pack_tokens or plan.pack_tokens),
            saves_memory=plan.saves_memory or self.saves_memory,
            few_bits=plan.few_bits or self.few_bits,
        )


_SMALLER = Thrift("in smaller portions", _SMALL_PACK, reads_ahead=False)
_TWICE = Thrift(
    "in smaller portions, computing twice what it cannot keep", _SMALL_PACK, saves_memory=True, reads_ahead=False
)
_ROW_BY_ROW = Thrift("one practice question at a time", _ONE_ROW, saves_memory=True, reads_ahead=False)
_FEWER_LAYERS = Thrift(
    "teaching fewer layers of the model", _ONE_ROW, saves_memory=True, reads_ahead=False, resting_share=_RESTING_SHARE
)
_FEWER_BITS = Thrift(
    "with the model's weights in four bits", _ONE_ROW, saves_memory=True, reads_ahead=False, few_bits=True
)


def levels(library: str) -> tuple[Thrift, ...]:
    """From what was planned to the least memory that a backend can do with.

    Args:
        library: "mlx" keeps weights in few bits, "torch" rests layers.
    """
    return Thrift(""), _SMALLER, _TWICE, _ROW_BY_ROW, _FEWER_BITS if library == "mlx" else _FEWER_LAYERS


def level(folder: Path) -> int:
    """How far a run's training has been lowered; 0: not at all, and where the file cannot be read."""
    try:
        found = read_json(folder / FILE_NAME, "level")["level"]
    except RunError:
        return 0
    return min(found, _LOWEST) if isinstance(found, int) and found > 0 else 0


def lower(run: Run, library: str, why: str, error: OutOfMemory) -> Thrift:
    """Note the next level, and say so.

    Args:
        why: how it was noticed, a sentence.
        error: to raise where there is no next level.

    Raises:
        OutOfMemory: nothing is left that could be given up.
        StorageError: it could not be noted.
    """
    next_level = level(run.folder) + 1
    if next_level > _LOWEST:
        forget(run)  # who has made room begins as planned
        raise error
    thrift = levels(library)[next_level]
    write_json(run.folder / FILE_NAME, {"level": next_level})
    run.notice(f"{why} It goes on at its last save point, {thrift.words}. That takes longer.")
    return thrift


def forget(run: Run) -> None:
    """The training is done, or given up: the next one begins as planned."""
    file = run.folder / FILE_NAME
    with disk_errors(file, FILE_NAME):
        file.unlink(missing_ok=True)
