"""What packing saves: one training step on ten questions that share a document, as one tree and as padded rows.

Both compute the same loss of the same rows with the same weights, factors and loss function; the padded way is the
ordinary one (a row each, padded to the longest, torch's fused attention). The share of the processor says how near a
step comes to what its matrix products could do at best, measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from lab_desktop.paths import practice_model
from lab_desktop.training.batches import EncodedRow, Pack, merge
from lab_desktop.training.torch_backend import TorchBackend, _Goals, _VocabularyLoss

_ROUNDS = 3
_DOCUMENT_TOKENS, _QUESTION_TOKENS, _ANSWER_TOKENS, _QUESTIONS = 397, 16, 12, 10


def main() -> None:
    """Print a table: way, seconds a step, answer tokens a second, share of the processor."""
    began = time.perf_counter()
    backend = TorchBackend(practice_model(), rank=16, scale=2.0, seed=0)
    loaded_s = time.perf_counter() - began
    random = np.random.default_rng(0)

    def some(count: int) -> tuple[int, ...]:
        return tuple(random.integers(100, 40000, count).tolist())

    document = some(_DOCUMENT_TOKENS)
    rows = [EncodedRow(document + some(_QUESTION_TOKENS), some(_ANSWER_TOKENS)) for _ in range(_QUESTIONS)]
    answers = sum(row.learned for row in rows)
    packed = merge(rows)
    alone = [merge([row]) for row in rows]

    def packed_step() -> None:
        backend.gradient(packed, 1 / answers, 0.0)
        backend.apply(1e-5)

    def padded_step() -> None:
        _padded_gradient(backend, alone, 1 / answers)
        backend.apply(1e-5)

    weights = sum(weight.numel() for layer in backend._layers for weight in layer.parameters())
    best_rate = _product_rate(backend.precision)
    print(
        f"training the practice model ({torch.get_num_threads()} threads, {backend.precision}); loaded {loaded_s:.1f} s"
    )
    print(f"{_QUESTIONS} questions on a document of {_DOCUMENT_TOKENS} tokens, best of {_ROUNDS}")
    print(f"{'':10}{'tokens':>8}{'s a step':>10}{'answer tokens/s':>17}{'share of processor':>20}")
    seconds = {}
    for name, step, tokens in (
        ("packed", packed_step, len(packed.tokens)),
        ("padded", padded_step, sum(len(each.tokens) for each in alone)),
    ):
        seconds[name] = _seconds(step)
        # Forward and the gradient of the input go through all weights; the gradient of frozen weights is never made:
        # 2/3 of the usual 6 · N a token.
        share = 4 * weights * tokens / seconds[name] / best_rate
        print(f"{name:10}{tokens:8}{seconds[name]:10.2f}{answers / seconds[name]:17.0f}{share:20.0%}", flush=True)
    print(f"packed is {seconds['padded'] / seconds['packed']:.1f} times as fast")


def _padded_gradient(backend: TorchBackend, alone: Sequence[Pack], scale: float) -> None:
    longest = max(len(each.tokens) for each in alone)
    tokens = torch.zeros(len(alone), longest, dtype=torch.int64)
    for number, each in enumerate(alone):
        tokens[number, : len(each.tokens)] = torch.from_numpy(each.tokens)
    model = backend._model.model
    model.config._attn_implementation = "sdpa"
    try:
        # Padding comes last, and a causal mask hides it from everything before it.
        hidden = model(input_ids=tokens, use_cache=False).last_hidden_state
        losses = []
        for number, each in enumerate(alone):
            goals = _Goals(each)
            head = backend._model.lm_head.weight
            losses.append(_VocabularyLoss.apply(hidden[number][goals.places], None, head, goals, scale, 0.0)[0])
        torch.stack(losses).sum().backward()
    finally:
        model.config._attn_implementation = "lab_tree"


def _product_rate(precision: torch.dtype) -> float:
    """Floating point operations a second of a 2,048² matrix product."""
    one = torch.randn(2048, 2048).to(precision)
    return 2 * 2048**3 / _seconds(lambda: one @ one)


def _seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
