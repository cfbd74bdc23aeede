"""What a backend computes with packs, as numpy arrays: what is read ahead, and a pack's targets by place.

Both backends work by it, so that they compute the same numbers of the same packs; it imports neither library.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lab_desktop.errors import OutOfMemory, TrainingError, is_want_of_memory
from lab_desktop.hardware import memory_available_bytes
from lab_desktop.models.families import Blueprint, layer_of
from lab_desktop.training.batches import EncodedRow, Pack, pack

CLIP_NORM = 1.0
"""The longest gradient of a step."""
LOGIT_BYTES = 48 << 20
"""Vocabulary logits are made for so many positions at a time as fit in here: 256 with a vocabulary of 49,152."""
_PREPARED_BYTES = 1 << 30
"""What the frozen layers make of every row may take so much; a fixed number, so that a resumed run decides alike."""
_PREPARED_TOKENS = 512


class Goals:
    """A pack's targets, gathered by place: each node that foretells something gets its vocabulary logits once.

    Attributes:
        places: (P,) int64, nodes that foretell something.
    """

    def __init__(self, pack: Pack) -> None:
        self.places, self._rows = np.unique(pack.index, return_inverse=True)
        self._token = pack.token
        self._weight = pack.weight
        self._is_base = pack.is_base
        self._base_place = pack.base_place

    def answers(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows, tokens, weights) of the written targets at places start … end - 1, rows counted from `start`."""
        chosen = ~self._is_base & (self._rows >= start) & (self._rows < end)
        return self._rows[chosen] - start, self._token[chosen], self._weight[chosen]

    def bases(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows, places, weights) of the base's distributions that are targets at places start … end - 1: rows counted
        from `start`, each once; places among those of the pack's `base_rows`."""
        chosen = self._is_base & (self._rows >= start) & (self._rows < end)
        return self._rows[chosen] - start, self._base_place[chosen], self._weight[chosen]


def read_ahead(rows: Sequence[EncodedRow], token_bytes: int, has_frozen: bool) -> tuple[list[Pack], list[Pack]]:
    """What `TrainingBackend.prepare` has to compute: packs for the layers without factors, and packs of the
    `keeps_base` rows for the whole base.

    Args:
        token_bytes: of one token between two layers; the first list is empty where all rows would take too much.
        has_frozen: some layers have no factors.
    """
    each_once = list(dict.fromkeys(rows))
    size = sum(len(row.tokens) for row in each_once) * token_bytes
    begun = pack(each_once, _PREPARED_TOKENS) if has_frozen and size <= _PREPARED_BYTES else []
    return begun, pack([row for row in each_once if row.keeps_base], _PREPARED_TOKENS)


def first_factors(plan: Blueprint, frozen: int, rank: int, seed: int) -> dict[str, np.ndarray]:
    """Fresh factors for every linear layer from layer `frozen` on, by name, float32: at first they change nothing.

    A is uniform within ±1/√in, as the original code has it (kaiming, a = √5; LoRA, arXiv:2106.09685, section 4.1), B
    zero. The numbers are those of torch's generator with this seed, whatever library trains.
    """
    random = np.random.RandomState(seed % (1 << 32))
    factors = {}
    for module, (out_width, in_width) in plan.adapted.items():
        if layer_of(module) >= frozen:
            bound = np.float32(in_width**-0.5)
            share = (random.randint(0, 1 << 32, (rank, in_width), np.uint32) & 0xFFFFFF) / (1 << 24)
            factors[f"{module}.lora_a"] = (share * (bound + bound) - bound).astype(np.float32)
            factors[f"{module}.lora_b"] = np.zeros((out_width, rank), np.float32)
    return factors


def require_same_shapes(ours: dict[str, tuple[int, ...]], theirs: dict[str, np.ndarray]) -> None:
    """Refuse factors that are not those of this model and rank.

    Raises:
        TrainingError: they are not.
    """
    if ours != {name: tuple(values.shape) for name, values in theirs.items()}:
        raise TrainingError(
            "The adapter to start from was made for another model, or in another rank.",
            "Choose an adapter of this student, or start from the student as it is.",
        )


@contextlib.contextmanager
def memory_errors(what: str, is_memory: Callable[[str], bool] = lambda text: False) -> Iterator[None]:
    """Say in a sentence that memory ran out while `what` was done.

    Args:
        is_memory: whether a RuntimeError's text means that, beside what `is_want_of_memory` knows.

    Raises:
        OutOfMemory: it did.
    """
    try:
        yield
    except (MemoryError, OSError, RuntimeError) as error:
        if not is_want_of_memory(error) and not is_memory(str(error)):
            raise
        raise OutOfMemory(
            f"{what} needs more memory than this computer has free ({memory_available_bytes() / 1e9:.1f} GB).",
            "Close other programs, or choose a smaller student; training goes on at its last save point.",
            str(error),
        ) from error
