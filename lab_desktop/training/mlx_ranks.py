"""Processes that `mlx.launch` started, joined by MLX's own communication."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import mlx.core as mx
import numpy as np

from lab_desktop.errors import TrainingError
from lab_desktop.training.ranks import Numbers, Ranks


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """The processes that were started together with this one.

    Raises:
        TrainingError: they could not find each other, or one of them is gone.
    """
    try:
        group = mx.distributed.init()
        yield Ranks(group.size(), group.rank(), _add_up)
    except RuntimeError as error:
        if "[ring]" not in str(error) and "[mpi]" not in str(error) and "distributed" not in str(error):
            raise
        raise TrainingError(
            "Another of the processes that train together is gone or cannot be reached.",
            "Start all of them again; training goes on at its last save point.",
            str(error),
        ) from error


def _add_up(values: Numbers) -> None:
    values[:] = np.array(mx.distributed.all_sum(mx.array(values), stream=mx.cpu))
