"""Processes that `torchrun` started, joined by torch.distributed with gloo: the student is on the processor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import distributed

from lab_desktop.errors import TrainingError
from lab_desktop.training.ranks import Numbers, Ranks


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """The processes that were started together with this one; leaves them at the end.

    Raises:
        TrainingError: they could not find each other, or one of them is gone.
    """
    try:
        distributed.init_process_group("gloo")
        try:
            yield Ranks(distributed.get_world_size(), distributed.get_rank(), _add_up)
        finally:
            distributed.destroy_process_group()
    except distributed.DistError as error:
        raise TrainingError(
            "Another of the processes that train together is gone or cannot be reached.",
            "Start all of them again; training goes on at its last save point.",
            str(error),
        ) from error


def _add_up(values: Numbers) -> None:
    try:
        distributed.all_reduce(torch.from_numpy(values))
    except RuntimeError as error:  # gloo's own word for a connection that broke
        raise distributed.DistError(str(error)) from error
