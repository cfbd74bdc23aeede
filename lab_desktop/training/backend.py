"""What the training loop asks of a numerical library: gradients of packs, steps of the optimizer, its state as arrays.

`torch_backend.py` is one, `mlx_backend.py` for Apple silicon the other; `choice.py` chooses. Factors are named
`<hf module name>.lora_a` (rank, in) and `<hf module name>.lora_b` (out, rank), float32, and a checkpoint has the same
arrays, so that each goes on from what the other saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from lab_desktop.models.blueprints import blueprint
from lab_desktop.models.families import Blueprint
from lab_desktop.models.gguf import read_header
from lab_desktop.training.batches import EncodedRow, Pack
from lab_desktop.training.ranks import Numbers


class TrainingBackend(Protocol):
    """A frozen base, trainable low-rank factors, and their optimizer."""

    def prepare(
        self,
        rows: Sequence[EncodedRow],
        is_cancelled: Callable[[], bool] = lambda: False,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Compute once what never changes for these rows: what the layers without factors make of them, as far as there
        is memory for it, and what the base thinks of those that keep it. The same rows in the same order give the same
        numbers, bit for bit.

        Args:
            tell: hears how much is done, and of how much.

        Raises:
            TrainingError: memory ran out.
            Cancelled: `is_cancelled` said so.
        """
        ...

    def gradient(self, pack: Pack, answer_scale: float, base_scale: float) -> tuple[float, float]:
        """Add a pack's gradient to that of the step.

        The loss is answer_scale · Σ weight · cross-entropy + base_scale · Σ weight · KL(base ‖ student), in nats.

        Returns:
            (answers, base): the two sums, unscaled.

        Raises:
            TrainingError: memory ran out.
        """
        ...

    def apply(self, learning_rate: float) -> float:
        """One step of the optimizer with the gradient gathered so far, which is then forgotten.

        Returns:
            The gradient's norm before it was clipped.
        """
        ...

    def add_up_gradient(self, add_up: Callable[[Numbers], None]) -> None:
        """Replace what was gathered for the step, as one line of numbers, by what `add_up` makes of it: the sum over
        all processes (`Ranks.add_up`)."""
        ...

    def forget_gradient(self) -> None:
        """Drop what was gathered for a step that will not be taken."""
        ...

    def evaluate(self, packs: Sequence[Pack]) -> tuple[float, float]:
        """(loss, accuracy) of the adapted model over the packs' answer tokens: nats per token, and the share of tokens
        that are its first choice."""
        ...

    def factors(self) -> dict[str, np.ndarray]:
        """A copy of the adapter."""
        ...

    def load_factors(self, factors: dict[str, np.ndarray]) -> None:
        """Start from these instead of from random ones.

        Raises:
            TrainingError: they belong to another model or rank.
        """
        ...

    def state(self) -> dict[str, np.ndarray]:
        """The adapter and everything the optimizer remembers, so that training goes on bit for bit the same."""
        ...

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Become what `state` was.

        Raises:
            TrainingError: as in `load_factors`.
        """
        ...

    def peak_bytes(self) -> int:
        """The most memory that was needed at once: by the library's arrays if it counts them, else by the process."""
        ...


def trainable(path: Path) -> Blueprint:
    """What a student's header says; reading it costs nothing, so this is asked before hours of other work.

    Raises:
        ModelError: as in `read_header` and `blueprint`.
    """
    return blueprint(read_header(path))


def factors_in(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The adapter alone, of a `TrainingBackend.state`."""
    return {name: values for name, values in state.items() if not name.startswith("optimizer.")}
