"""What packing saves: one training step as trees of tokens and as padded rows, with and without a shared document.

Both compute the same loss of the same rows with the same weights, factors and loss function; the padded way is the
ordinary one (a row each, padded to the longest, torch's fused attention). The share of the processor says how near a
step comes to what its matrix products could do at best, measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from lab_desktop.paths import practice_model
from lab_desktop.training.batches import EncodedRow, Pack, merge
from lab_desktop.training.passes import Goals
from lab_desktop.training.torch_backend import TorchBackend, _VocabularyLoss

_ROUNDS = 3
_ANSWER_TOKENS = 12
_CASES = (
    ("ten questions about a document, as a teacher is trained", 397, 10),
    ("fourteen plain questions, as a student is trained", 31, 14),
)
"""What they share (the system prompt, or a document too) in tokens, and how many questions."""
_QUESTION_TOKENS = 16


def main() -> None:
    """Print a table for each case: way, seconds a step, answer tokens a second, share of the processor."""
    whole = TorchBackend(practice_model(), rank=16, scale=2.0, seed=0)
    half = TorchBackend(practice_model(), rank=16, scale=2.0, seed=0, frozen_share=0.5)
    best_rate = _product_rate(whole.precision)
    print(f"training the practice model ({torch.get_num_threads()} threads, {whole.precision}), best of {_ROUNDS}")
    for case, shared, questions in _CASES:
        rows = _rows(shared, questions)
        half.prepare(rows)
        packed, alone = merge(rows), [merge([row]) for row in rows]
        learned = sum(row.learned for row in rows)
        print(case)
        print(f"  {'':26}{'tokens':>8}{'s a step':>10}{'answer tokens/s':>17}{'share of processor':>20}")
        seconds = {}
        for name, backend, gradient, tokens in (
            ("padded", whole, _padded_gradient, sum(len(each.tokens) for each in alone)),
            ("packed", whole, _packed_gradient, len(packed.tokens)),
            ("packed, upper half learns", half, _packed_gradient, len(packed.tokens)),
        ):
            seconds[name] = _seconds(partial(_step, backend, gradient, packed, alone, 1 / learned))
            # Forward and the gradient of the input go through all weights; the gradient of frozen weights is never
            # made: 2/3 of the usual 6 · N a token. The vocabulary's weights are used at the answers' places alone.
            layers = backend._layers[backend._frozen :]
            weights = sum(weight.numel() for layer in layers for weight in layer.parameters())
            work = 4 * weights * tokens + 4 * backend._network.head.numel() * learned
            share = work / seconds[name] / best_rate
            print(f"  {name:26}{tokens:8}{seconds[name]:10.2f}{learned / seconds[name]:17.0f}{share:20.0%}", flush=True)
        print(
            f"  packed is {seconds['padded'] / seconds['packed']:.1f} times as fast, with the upper half alone "
            f"{seconds['padded'] / seconds['packed, upper half learns']:.1f} times"
        )


def _rows(shared: int, questions: int) -> list[EncodedRow]:
    random = np.random.default_rng(0)

    def some(count: int) -> tuple[int, ...]:
        return tuple(random.integers(100, 40000, count).tolist())

    beginning = some(shared)
    return [EncodedRow(beginning + some(_QUESTION_TOKENS), some(_ANSWER_TOKENS)) for _ in range(questions)]


def _step(
    backend: TorchBackend,
    gradient: Callable[[TorchBackend, Pack, Sequence[Pack], float], None],
    packed: Pack,
    alone: Sequence[Pack],
    scale: float,
) -> None:
    gradient(backend, packed, alone, scale)
    backend.apply(1e-5)


def _packed_gradient(backend: TorchBackend, packed: Pack, alone: Sequence[Pack], scale: float) -> None:
    backend.gradient(packed, scale, 0.0)


def _padded_gradient(backend: TorchBackend, packed: Pack, alone: Sequence[Pack], scale: float) -> None:
    longest = max(len(each.tokens) for each in alone)
    tokens = torch.zeros(len(alone), longest, dtype=torch.int64)
    for number, each in enumerate(alone):
        tokens[number, : len(each.tokens)] = torch.from_numpy(each.tokens)
    model = backend._network.model.model
    model.rotary_emb.inv_freq = torch.from_numpy(backend._network.plan.rotations[0].speeds)
    model.config._attn_implementation = "sdpa"
    try:
        # Padding comes last, and a causal mask hides it from everything before it.
        hidden = model(input_ids=tokens, use_cache=False).last_hidden_state
        losses = []
        for number, each in enumerate(alone):
            goals = Goals(each)
            head = backend._network.head
            thoughts = hidden[number][torch.from_numpy(goals.places)]
            losses.append(_VocabularyLoss.apply(thoughts, None, head, goals, scale, 0.0, 0.0)[0])
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
