"""What the cache of a model holds: slots that remember their tokens, and how many tokens fit into memory."""

from __future__ import annotations

import numpy as np

from lab_desktop import hardware
from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile
from lab_desktop.models.memory import MOST_CELLS, cell_bytes
from lab_desktop.models.sampling import Decoding
from lab_desktop.models.tokenizer import Tokens


class Slot:
    """One sequence of the cache.

    Attributes:
        number: llama.cpp's sequence id.
        tokens: [0, filled) are in the cache, [filled, length) are still to be computed.
        sequence: who works here; None: the tokens are kept for whoever shares them.
        used: when it was last taken (a counter).
    """

    _clock = 0

    def __init__(self, number: int, room: int) -> None:
        self.number = number
        self.tokens: Tokens = np.zeros(room, np.int32)
        self.filled = 0
        self.length = 0
        self.sequence: Decoding | None = None
        self.used = 0

    def take(self, sequence: Decoding, shared: int) -> None:
        self.sequence = sequence
        self.tokens = sequence.tokens
        self.filled = shared
        self.length = sequence.length
        Slot._clock += 1
        self.used = Slot._clock


def planned_cells(file: GgufFile, context_tokens: int, parallel: int) -> int:
    """How many tokens the cache should hold: useful for `parallel` sequences, and room in memory.

    Raises:
        ModelError: the model and one conversation do not fit into the free memory.
    """
    weights = sum(tensor.size_bytes for tensor in file.tensors.values())
    free = hardware.memory_available_bytes()
    per_cell = cell_bytes(file)
    room = int(free * 0.9) - weights
    if room < per_cell * context_tokens:
        needed = weights + per_cell * context_tokens
        raise ModelError(
            f'"{file.path.name}" needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free.',
            "Close other programs, or choose a smaller model.",
        )
    useful = max(context_tokens, min(parallel * context_tokens, MOST_CELLS))
    # Beyond one conversation the cache may take half of what is left; the rest is the person's.
    return max(context_tokens, min(useful, room // 2 // per_cell))
