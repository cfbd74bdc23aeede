"""Which library computes a training, and why: MLX on Apple silicon, torch elsewhere. The other one is not loaded.

Reads:   LAB_DESKTOP_TRAINS_WITH, "mlx" or "torch", for whoever wants the other one
"""

from __future__ import annotations

import importlib.util
import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from lab_desktop.errors import TrainingError
from lab_desktop.hardware import has_fast_bf16
from lab_desktop.models.memory import training_memory
from lab_desktop.training.backend import TrainingBackend, trainable
from lab_desktop.training.phases import TrainingPlan
from lab_desktop.training.ranks import Ranks, started_by

VARIABLE = "LAB_DESKTOP_TRAINS_WITH"
_TRAINING_SHARE = 0.7
"""Of all memory, what a training may take beside the window and other programs; on Apple silicon about what the
graphics processor may have at most."""
_FEW_BITS_BYTES = 0.6
"""Of a weight in four bits with its share of scales, and of the vocabulary's in eight."""
_MODULES = {"mlx": ("mlx.core", "mlx_lm"), "torch": ("torch", "transformers")}


@dataclass(frozen=True)
class Choice:
    """A library, "mlx" or "torch", and the reason for it, a clause that follows "because"."""

    library: str
    why: str


def choose() -> Choice:
    """What trains on this computer; nothing is loaded to find out.

    Raises:
        TrainingError: the environment asks for what is not there, or nothing is.
    """
    if wanted := os.environ.get(VARIABLE):
        if not _is_installed(wanted):
            raise TrainingError(
                f'{VARIABLE} asks for "{wanted}", which is not installed or cannot train.',
                f"Unset {VARIABLE}, and what fits this computer is taken.",
            )
        return Choice(wanted, f"{VARIABLE} asks for it")
    has_apple_silicon = platform.system() == "Darwin" and platform.machine() == "arm64"
    if has_apple_silicon and _is_installed("mlx"):
        return Choice("mlx", "this Mac has Apple silicon, and MLX uses its graphics processor")
    if _is_installed("torch"):
        return Choice("torch", "MLX is not installed" if has_apple_silicon else "this computer has no Apple silicon")
    if _is_installed("mlx"):
        return Choice("mlx", "it is the only one that is installed")
    raise TrainingError("Nothing is installed that could train a student.", "Install the app again.")


def fitted(plan: TrainingPlan, base: Path, memory_bytes: int | None = None) -> TrainingPlan:
    """The plan as this computer can hold it: layers are computed again, or (with MLX) the base is kept in few bits.

    The one costs time, the other precision, so neither is done without need; where nothing is enough, both are. What
    decides is how much memory there is and not how much is free, so that a training that is resumed decides alike.

    Args:
        memory_bytes: how much there is; None: as this computer says.

    Raises:
        TrainingError: as in `choose`.
        ModelError: the base cannot be trained.
    """
    student = trainable(base)
    library = choose().library
    value_bytes = 2 if library == "mlx" or has_fast_bf16() else 4
    room = _TRAINING_SHARE * (psutil.virtual_memory().total if memory_bytes is None else memory_bytes)
    ways = [replace(plan, saves_memory=saves) for saves in (plan.saves_memory, True)]
    if library == "mlx":
        ways += [replace(way, few_bits=True) for way in ways]
    for way in ways:
        needed = training_memory(
            student,
            rank=plan.rank,
            tokens=plan.pack_tokens,
            frozen_share=plan.frozen_share,
            saves_memory=way.saves_memory,
            keeps_scores=library == "mlx",
            weight_bytes=_FEW_BITS_BYTES if way.few_bits else value_bytes,
            value_bytes=value_bytes,
        )
        if needed.total <= room:
            return way
    return ways[-1]


def open_backend(base: Path, plan: TrainingPlan, resting_share: float = 0.0) -> TrainingBackend:
    """The backend that `choose` chooses, with the base loaded and fresh factors.

    Args:
        resting_share: as in `Thrift`; with torch only.

    Raises:
        TrainingError: as in `choose`; memory ran out; or the plan wants what only the other backend can.
        ModelError: the base cannot be used, or not be trained.
    """
    if choose().library == "mlx":
        from lab_desktop.training.mlx_backend import MlxBackend

        return MlxBackend(
            base,
            plan.rank,
            plan.scale,
            plan.seed,
            frozen_share=plan.frozen_share,
            saves_memory=plan.saves_memory,
            few_bits=plan.few_bits,
        )
    if plan.few_bits:
        raise TrainingError(
            "A student in four bits can only be trained on a Mac with Apple silicon.",
            "Train it in full, or choose a smaller student.",
        )
    from lab_desktop.training.torch_backend import TorchBackend

    return TorchBackend(
        base,
        plan.rank,
        plan.scale,
        plan.seed,
        frozen_share=plan.frozen_share,
        resting_share=resting_share,
        saves_memory=plan.saves_memory,
    )


def joined() -> AbstractContextManager[Ranks]:
    """The processes that were started together with this one, for as long as they train; mostly it is alone.

    Raises:
        TrainingError: as in `choose`; they were started by the other library's program; or they cannot find each other.
    """
    if not started_by():
        return nullcontext(Ranks())
    library = choose().library
    if not starts_several().startswith(started_by()):
        raise TrainingError(
            f"Processes that {started_by()} starts cannot train together here, where {library} trains.",
            f"Start them with: {starts_several()}",
        )
    if library == "mlx":
        from lab_desktop.training import mlx_ranks

        return mlx_ranks.joined()
    from lab_desktop.training import torch_ranks

    return torch_ranks.joined()


def starts_several() -> str:
    """The command with which two processes train one run together here.

    Raises:
        TrainingError: as in `choose`.
    """
    if choose().library == "mlx":
        return "mlx.launch -n 2 -- lab-desktop train RUN"
    return "torchrun --nproc-per-node 2 -m lab_desktop train RUN"


def _is_installed(library: str) -> bool:
    return library in _MODULES and all(map(_is_found, _MODULES[library]))


def _is_found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package it is in
        return False
