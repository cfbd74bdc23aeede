"""Training steps in torch: gradients of packs, the optimizer, and what never changes computed once.

The student itself is in `torch_model.py`. Text, templates, schedules and families are unknown here.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lab_desktop import hardware
from lab_desktop.errors import Cancelled
from lab_desktop.models.families import layer_of
from lab_desktop.training.backend import factors_in
from lab_desktop.training.batches import EncodedRow, Pack, merge
from lab_desktop.training.passes import (
    CLIP_NORM,
    LOGIT_BYTES,
    Goals,
    first_factors,
    memory_errors,
    read_ahead,
    require_same_shapes,
)
from lab_desktop.training.ranks import Numbers
from lab_desktop.training.torch_model import Network, View, adapt, logits


class TorchBackend:
    """`TrainingBackend` on the processor.

    Attributes:
        precision: of the base and of all activations; factors and optimizer are always float32.
    """

    def __init__(
        self,
        base: Path,
        rank: int,
        scale: float,
        seed: int,
        *,
        frozen_share: float = 0.0,
        resting_share: float = 0.0,
        saves_memory: bool = False,
        precision: torch.dtype | None = None,
    ) -> None:
        """Load the base and put fresh factors beside it.

        Args:
            base: a GGUF of one of `families.FAMILIES`.
            rank, scale: of the low-rank update scale · B · A.
            seed: of A's start.
            frozen_share: share of the layers, from below, that get no factors (`TrainingPlan.frozen_share`).
            resting_share: share of the layers, from below, whose factors stay as they are.
            saves_memory: recompute each layer's inner values in the backward pass.
            precision: bfloat16 or float32; by default bfloat16 where the processor multiplies it itself.

        Raises:
            ModelError: the file cannot be used, or is of a family that cannot be trained.
            TrainingError: memory ran out.
        """
        torch.set_num_threads(hardware.threads())
        self.precision = precision or (torch.bfloat16 if _has_bfloat16() else torch.float32)
        self._saves_memory = saves_memory
        with memory_errors("Loading the student"):
            self._network = Network(base, self.precision)
            self._layers = self._network.layers
            self._frozen = int(frozen_share * len(self._layers))
            fresh = first_factors(self._network.plan, self._frozen, rank, seed)
            self._adapted = adapt(self._network, fresh, scale)
        self._factors = {
            name: factor
            for module, adapted in self._adapted.items()
            for name, factor in ((f"{module}.lora_a", adapted.lora_a), (f"{module}.lora_b", adapted.lora_b))
        }
        for name, factor in self._factors.items():
            factor.requires_grad_(layer_of(name) >= int(resting_share * len(self._layers)))
        self._base_thoughts: dict[EncodedRow, torch.Tensor] = {}
        self._begun: dict[EncodedRow, torch.Tensor] = {}
        # No weight decay: A·B starts at zero and few steps follow. `fused` does all factors in one call.
        self._optimizer = torch.optim.AdamW(self._factors.values(), lr=0.0, weight_decay=0.0, fused=True)

    def prepare(
        self,
        rows: Sequence[EncodedRow],
        is_cancelled: Callable[[], bool] = lambda: False,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        token_bytes = self._network.plan.width * self.precision.itemsize
        begun, general = read_ahead(rows, token_bytes, self._frozen > 0)
        with memory_errors("Reading the practice set"), torch.no_grad(), self._without_adapter():
            for done, each in enumerate([*begun, *general]):
                if is_cancelled():
                    raise Cancelled
                tell(done, len(begun) + len(general))
                if done < len(begun):
                    hidden, *_ = self._frozen_part(each)
                    for row, nodes in zip(each.rows, each.nodes, strict=True):
                        self._begun[row] = hidden[0, torch.from_numpy(nodes)].clone()
                else:
                    hidden = self._hidden(each)
                    for row, nodes in zip(each.rows, each.nodes, strict=True):
                        self._base_thoughts[row] = hidden[torch.from_numpy(nodes[row.first_learned - 1 :])].clone()
            tell(len(begun) + len(general), len(begun) + len(general))

    def gradient(self, pack: Pack, answer_scale: float, base_scale: float) -> tuple[float, float]:
        with memory_errors("This step"):
            goals = Goals(pack)
            base_hidden = self._base_hidden(pack.base_rows) if pack.base_rows else None
            hidden = self._hidden(pack)[torch.from_numpy(goals.places)]
            loss, sums = _VocabularyLoss.apply(  # type: ignore[no-untyped-call]
                hidden, base_hidden, self._network.head, goals, answer_scale, base_scale, self._network.plan.logit_cap
            )
            loss.backward()
        return float(sums[0]), float(sums[1])

    def apply(self, learning_rate: float) -> float:
        norm = float(torch.nn.utils.clip_grad_norm_(self._factors.values(), CLIP_NORM, foreach=True))
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=False)
        return norm

    @torch.no_grad()
    def add_up_gradient(self, add_up: Callable[[Numbers], None]) -> None:
        learning = [factor for factor in self._factors.values() if factor.requires_grad]
        gathered = [torch.zeros_like(factor) if factor.grad is None else factor.grad for factor in learning]
        line = torch.cat([gradient.flatten() for gradient in gathered])
        add_up(line.numpy())
        start = 0
        for factor in learning:
            factor.grad = line[start : start + factor.numel()].view_as(factor)
            start += factor.numel()

    def forget_gradient(self) -> None:
        self._optimizer.zero_grad(set_to_none=False)

    @torch.no_grad()
    def evaluate(self, packs: Sequence[Pack]) -> tuple[float, float]:
        loss = right = total = 0.0
        with memory_errors("Asking the questions kept aside"):
            for pack in packs:
                goals = Goals(pack)
                hidden = self._hidden(pack)[torch.from_numpy(goals.places)]
                for start, end in _logit_rows(len(hidden), self._network.head):
                    scores = self._scores(hidden[start:end])
                    rows, tokens, weights = _tensors(goals.answers(start, end))
                    nats = scores.logsumexp(-1)[rows] - scores[rows, tokens]
                    loss += float((nats * weights).sum())
                    right += float(((scores.argmax(-1)[rows] == tokens) * weights).sum())
                    total += float(weights.sum())
        return (loss / total, right / total) if total else (0.0, 0.0)

    @torch.no_grad()
    def logits(self, pack: Pack, *, with_adapter: bool = True) -> np.ndarray:
        """(T, V) float32: every node's scores for the next token."""
        with contextlib.nullcontext() if with_adapter else self._without_adapter():
            scores: np.ndarray = self._scores(self._hidden(pack)).numpy()
        return scores

    def gradients(self) -> dict[str, np.ndarray]:
        """A copy of the gradient gathered so far, by factor; to look at."""
        return {name: factor.grad.numpy().copy() for name, factor in self._factors.items() if factor.grad is not None}

    def factors(self) -> dict[str, np.ndarray]:
        return {name: factor.detach().numpy().copy() for name, factor in self._factors.items()}

    @torch.no_grad()
    def load_factors(self, factors: dict[str, np.ndarray]) -> None:
        require_same_shapes({name: tuple(factor.shape) for name, factor in self._factors.items()}, factors)
        for name, values in factors.items():
            self._factors[name].copy_(torch.from_numpy(values))

    def state(self) -> dict[str, np.ndarray]:
        state = self.factors()
        for name, factor in self._factors.items():
            for key, value in self._optimizer.state[factor].items():
                state[f"optimizer.{key}:{name}"] = np.array(value.numpy())
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self.load_factors(factors_in(state))
        self._optimizer.state.clear()
        for name, values in state.items():
            if name.startswith("optimizer."):
                key, factor = name.removeprefix("optimizer.").split(":", 1)
                self._optimizer.state[self._factors[factor]][key] = torch.from_numpy(np.array(values))
        self.forget_gradient()

    def peak_bytes(self) -> int:
        return hardware.peak_memory_bytes()

    @torch.no_grad()
    def _base_hidden(self, rows: Sequence[EncodedRow]) -> torch.Tensor:
        """(places, width): what the base thinks at the learned places of these rows, one after the other.

        It never changes, so each row is computed once: by `prepare`, or else alone, for what a row is packed with shows
        in the last digits, and a training that was killed must go on bit for bit the same.
        """
        with self._without_adapter():
            for row in rows:
                if row not in self._base_thoughts:
                    alone = merge([row])
                    self._base_thoughts[row] = self._hidden(alone)[torch.from_numpy(alone.index)].clone()
        return torch.cat([self._base_thoughts[row] for row in rows])

    def _scores(self, thoughts: torch.Tensor) -> torch.Tensor:
        return logits(thoughts, self._network.head, self._network.plan.logit_cap)

    def _hidden(self, pack: Pack) -> torch.Tensor:
        """(T, width): what the output layer reads of each node."""
        with torch.no_grad():
            hidden, views = self._frozen_part(pack)
        for layer, view in zip(self._layers[self._frozen :], views[self._frozen :], strict=True):
            if self._saves_memory and torch.is_grad_enabled():
                hidden = torch.utils.checkpoint.checkpoint(
                    layer,
                    hidden,
                    attention_mask=view.mask,
                    position_embeddings=view.rotation,
                    use_reentrant=False,
                    preserve_rng_state=False,
                )
            else:
                hidden = layer(hidden, attention_mask=view.mask, position_embeddings=view.rotation)
        return self._network.thoughts(hidden)

    def _frozen_part(self, pack: Pack) -> tuple[torch.Tensor, list[View]]:
        """What the layers without factors make of a pack, (1, T, width), and what each layer sees of it."""
        views = self._network.views(pack)
        hidden = self._network.embed(pack)
        if self._frozen and all(row in self._begun for row in pack.rows):
            for row, nodes in zip(pack.rows, pack.nodes, strict=True):
                hidden[0, torch.from_numpy(nodes)] = self._begun[row]
        else:
            for layer, view in zip(self._layers[: self._frozen], views, strict=False):
                hidden = layer(hidden, attention_mask=view.mask, position_embeddings=view.rotation)
        return hidden, views

    @contextlib.contextmanager
    def _without_adapter(self) -> Iterator[None]:
        for adapted in self._adapted.values():
            adapted.is_on = False
        try:
            yield
        finally:
            for adapted in self._adapted.values():
                adapted.is_on = True


def _tensors(arrays: tuple[np.ndarray, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in arrays)


class _VocabularyLoss(torch.autograd.Function):
    """Loss of hidden states over the vocabulary, with its gradient made at once, some rows at a time.

    With p = softmax(logits): the gradient of Σ w·CE is (Σ w)·p − Σ w·onehot, and of w·KL(q ‖ p) it is w·(p − q). So one
    (rows, V) array serves as logits, probabilities and gradient in turn, instead of three or four that autograd keeps
    (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989). Where a cap bends the logits, the
    gradient goes back through the bend: its slope is 1 − (logit / cap)².
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        base_hidden: torch.Tensor | None,
        head: torch.Tensor,
        goals: Goals,
        answer_scale: float,
        base_scale: float,
        cap: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grad = torch.empty_like(hidden)
        answers = torch.zeros((), dtype=torch.float64)
        base = torch.zeros((), dtype=torch.float64)
        for start, end in _logit_rows(len(hidden), head):
            scores = logits(hidden[start:end], head, cap)
            bend = 1 - (scores / cap) ** 2 if cap else None
            scores -= scores.logsumexp(-1, keepdim=True)
            rows, tokens, weights = _tensors(goals.answers(start, end))
            answers -= (scores[rows, tokens] * weights).sum()
            share = torch.zeros(end - start).index_add_(0, rows, weights).mul_(answer_scale)
            kept_rows, kept_places, kept = _tensors(goals.bases(start, end))
            wanted = None
            if base_hidden is not None and len(kept_rows):
                wanted = logits(base_hidden[kept_places], head, cap).log_softmax(-1)
                base += ((wanted.exp() * (wanted - scores[kept_rows])).sum(-1) * kept).sum()
                kept = kept * base_scale
                share.index_add_(0, kept_rows, kept)
                wanted.exp_().mul_(kept[:, None])
            slope = scores.exp_().mul_(share[:, None])
            # (row, token) pairs are unique, so this needs no accumulation and its order cannot matter.
            slope[rows, tokens] -= weights * answer_scale
            if wanted is not None:
                slope[kept_rows] -= wanted
            if bend is not None:
                slope *= bend
            grad[start:end] = slope.to(head.dtype) @ head
        ctx.save_for_backward(grad)
        sums = torch.stack((answers, base))
        ctx.mark_non_differentiable(sums)
        return (answers * answer_scale + base * base_scale).float(), sums

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = ctx.saved_tensors
        return grad * slope.to(grad.dtype), None, None, None, None, None, None


def _logit_rows(count: int, head: torch.Tensor) -> Iterator[tuple[int, int]]:
    """(start, end) of parts of `count` places whose logits fit into `LOGIT_BYTES`."""
    step = max(8, LOGIT_BYTES // (4 * len(head)))
    for start in range(0, count, step):
        yield start, min(start + step, count)


def _has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, torch imitates it, slower than float32."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported())
