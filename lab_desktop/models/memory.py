"""What work with a model needs in memory, said from its header alone, before anything is loaded.

Of a training it counts what the torch backend holds: the frozen weights, the factors with gradient and optimizer, what
a step keeps for its way back, and what is made and dropped on the way. Another backend holds the same things; only the
sizes of a value differ. It does not know what this computer has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lab_desktop.models.families import Blueprint, layer_of
from lab_desktop.models.gguf import GgufFile

MOST_CELLS = 16384
"""Tokens that a model which answers many requests at once keeps in mind at most."""

_PROGRAM = 380_000_000
"""Python with torch and transformers, and what loading leaves behind."""
_ANSWERING = 60_000_000
"""Python with llama.cpp."""
_BATCH = 512
"""Tokens that llama.cpp computes at once unless told otherwise."""
_HOLES = 1.4
"""What is kept lies between what is dropped: memory that a processor's allocator holds for each byte that is kept.
Measured with the practice model on packs of 635 tokens: 1.3 to 1.6."""
_LAYERS_AGAIN = 4
"""Of layers that are computed again, the one under way and what the allocator still holds of those before it."""
_LOGIT_BYTES = 48 << 20
_LOGIT_ARRAYS = 4
"""Logits of some places, the base's, and what is between them, while a divergence is computed."""
_SCORE_ARRAYS = 4
"""Attention's probabilities, their gradient and what is between them, in the layer under way."""
_FLOAT = 4


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes of a training at its peak.

    Attributes:
        program: the libraries.
        weights: the frozen base.
        adapter: the factors.
        optimizer: their gradient and two moments.
        activations: what one step keeps and makes.
        ahead: what the layers without factors made of the practice set.
    """

    program: int
    weights: int
    adapter: int
    optimizer: int
    activations: int
    ahead: int

    @property
    def total(self) -> int:
        return self.program + self.weights + self.adapter + self.optimizer + self.activations + self.ahead


def training_memory(
    plan: Blueprint,
    *,
    rank: int,
    tokens: int,
    frozen_share: float = 0.0,
    saves_memory: bool = False,
    keeps_scores: bool = False,
    weight_bytes: float = 4,
    value_bytes: int = 4,
    practice_tokens: int = 0,
) -> TrainingMemory:
    """How many bytes a training takes at its peak.

    Args:
        plan: the student.
        rank: of the factors.
        tokens: of the longest pack (`TrainingPlan.pack_tokens`).
        frozen_share: share of the layers, from below, without factors.
        saves_memory: layers are computed again on the way back.
        keeps_scores: attention's probabilities are not, as with MLX.
        weight_bytes: of a frozen weight: 4, 2, or about 0.56 in four bits with their scales.
        value_bytes: of an activation.
        practice_tokens: of all rows together, which the layers without factors compute once.
    """
    trained = plan.layers - int(frozen_share * plan.layers)
    adapted = [shape for name, shape in plan.adapted.items() if layer_of(name) >= plan.layers - trained]
    factors = sum(rank * sum(shape) for shape in adapted) * _FLOAT
    weights = sum(math.prod(shape) for shape in plan.weights.values())
    kept = kept_bytes(plan, rank, tokens, trained, value_bytes, saves_memory=saves_memory)
    if keeps_scores and not saves_memory:
        kept += trained * plan.heads * tokens**2 * value_bytes
    ahead = practice_tokens * plan.width * value_bytes
    return TrainingMemory(
        program=_PROGRAM,
        weights=int(weights * weight_bytes),
        adapter=factors,
        optimizer=3 * factors,
        activations=int(_HOLES * kept) + _passing_bytes(plan, tokens, value_bytes),
        ahead=min(ahead, 1 << 30) if trained < plan.layers else 0,
    )


def kept_bytes(
    plan: Blueprint, rank: int, tokens: int, layers: int, value_bytes: int = 4, *, saves_memory: bool = False
) -> int:
    """What a step over so many tokens keeps for its way back through the upper `layers` layers.

    Of each token in a layer: the input of every norm (in 32 bits), the input of every linear layer once, queries, keys
    and values, the feed-forward's gate before and after its bend and its other half, and the factors' middles. Beside
    them the masks, one for all layers that see alike.
    """
    queries, keys = plan.heads * plan.head_width, plan.key_heads * plan.head_width
    norms = sum(1 for name in plan.family.norms if not name.startswith("self_attn."))
    has_head_norms = norms < len(plan.family.norms)
    linear = {name.split(".", 3)[3]: shape for name, shape in plan.adapted.items()}
    normed = norms * plan.width + (queries + keys if has_head_norms else 0)
    others = 2 * plan.width + 2 * queries + 2 * keys + 4 * plan.inner + rank * len(linear)
    if "self_attn.qkv_proj" in linear:
        others += queries + keys  # values are a part of what all three came in
    layer = tokens * (normed * _FLOAT + others * value_bytes)
    layer += sum(rank * out for out, _ in linear.values()) * value_bytes
    masks = len({*plan.windows}) * tokens**2 * value_bytes
    if saves_memory:
        return masks + layers * tokens * plan.width * value_bytes + min(layers, _LAYERS_AGAIN) * layer
    return masks + layers * layer


def _passing_bytes(plan: Blueprint, tokens: int, value_bytes: int) -> int:
    """What is made and dropped on the way: attention's scores, and logits of some places at a time."""
    scores = _SCORE_ARRAYS * plan.heads * tokens**2 * value_bytes
    logits = _LOGIT_ARRAYS * min(max(_LOGIT_BYTES, 8 * plan.vocabulary * _FLOAT), tokens * plan.vocabulary * _FLOAT)
    return scores + logits


def answering_memory(file: GgufFile, cells: int, weight_bytes: float = 0.0) -> int:
    """Bytes that a model takes which answers: its weights, so many tokens kept in mind, and one batch's scores.

    Measured with the practice model and 16,384 tokens: 578 MB, said 636.

    Args:
        weight_bytes: of a weight, where it is not used as it is stored.
    """
    tensors = file.tensors.values()
    weights = sum(math.prod(tensor.shape) * weight_bytes if weight_bytes else tensor.size_bytes for tensor in tensors)
    embedding = file.tensors.get("token_embd.weight")
    words = max(embedding.shape) if embedding is not None else 0
    return _ANSWERING + int(weights) + cells * cell_bytes(file) + _BATCH * words * _FLOAT


def cell_bytes(file: GgufFile) -> int:
    """Bytes of the keys and values of one token in 16-bit floats, all layers."""
    layers = int(file.setting("block_count"))
    heads = file.setting("attention.head_count", 1)
    kv_heads = file.setting("attention.head_count_kv", heads)
    total_heads = sum(kv_heads) if isinstance(kv_heads, list) else int(kv_heads) * layers
    most_heads = max(heads) if isinstance(heads, list) else int(heads)
    width = int(file.setting("embedding_length", 0)) // max(1, most_heads)
    sizes = (int(file.setting(f"attention.{part}_length", width)) for part in ("key", "value"))
    return max(1, total_heads * sum(sizes) * 2)
