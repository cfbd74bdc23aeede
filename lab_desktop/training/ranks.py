"""The processes that train one student together, as the loop sees them: how many, which one this is, and their sum.

    torchrun --nproc-per-node 2 -m lab_desktop train RUN
    mlx.launch -n 2 -- .venv/bin/lab-desktop train RUN     on a Mac with Apple silicon

Each reads the same run folder, so all must see it. Every process knows all rows of a step, computes the gradient of its
own share, scaled for the whole step, and adds it up with the others': then all take the same step. Two give what one
gives, to rounding (losses to 1e-5). Only the first one writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

_RANK = {"torchrun": "RANK", "mlx.launch": "MLX_RANK"}
"""The variable in which a program that starts several processes tells each which of them it is."""
Item = TypeVar("Item")
Numbers = npt.NDArray[np.float32]


def _alone(values: Numbers) -> None:
    """The sum of one process is what it has."""


@dataclass(frozen=True)
class Ranks:
    """
    Attributes:
        size: how many processes.
        rank: which of them this is, 0 … size - 1; the first one writes.
        add_up: replaces an array by its sum over all processes, in place, bit for bit the same in each of them. All of
            them must call it, in the same order, with arrays of the same shape; it waits for the slowest.
    """

    size: int = 1
    rank: int = 0
    add_up: Callable[[Numbers], None] = _alone

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Go on when all processes are here."""
        self.add_up(np.zeros(1, np.float32))

    def first_says(self, number: int) -> int:
        """What the first process says, in every process. `number` of the others is of no account."""
        # In two halves: float32 counts exactly to 2²⁴ only.
        halves = np.array(divmod(number, 1 << 20) if self.is_first else (0, 0), np.float32)
        self.add_up(halves)
        return (int(halves[0]) << 20) + int(halves[1])

    def any_says(self, is_so: bool) -> bool:
        """True in every process when one of them says so."""
        return self.total(float(is_so)) > 0

    def total(self, number: float) -> float:
        """The sum of the processes' numbers."""
        sum_of_all = np.array([number], np.float32)
        self.add_up(sum_of_all)
        return float(sum_of_all[0])

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's part of what is divided among all: neighbours stay together."""
        bounds = [number * len(items) // self.size for number in (self.rank, self.rank + 1)]
        return items[bounds[0] : bounds[1]]


def is_first_process() -> bool:
    """True for a process that works alone, and for the first of several."""
    program = started_by()
    return not program or os.environ[_RANK[program]] == "0"


def started_by() -> str:
    """What started this process together with others, "torchrun" or "mlx.launch"; "" for one that works alone."""
    if _RANK["mlx.launch"] in os.environ:
        return "mlx.launch"
    return "torchrun" if int(os.environ.get("WORLD_SIZE", "1")) > 1 else ""
