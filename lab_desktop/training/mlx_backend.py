"""The student in MLX, for Apple silicon: a GGUF's own weights, frozen, with low-rank factors beside every linear layer.

Beside `torch_backend.py` everything is a function of its arrays: factors go in, their gradient comes out, and nothing
is remembered in between. So a step may be compiled, and a layer recomputed on the way back.

LoRA: arXiv:2106.09685, section 4.1; in four bits QLoRA: arXiv:2305.14314.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import optimizers
from mlx.utils import tree_map

from lab_desktop.errors import Cancelled
from lab_desktop.models.families import layer_of
from lab_desktop.training.backend import factors_in, trainable
from lab_desktop.training.batches import EncodedRow, Pack, merge
from lab_desktop.training.mlx_model import Place, Student
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

_MOST_CACHED_BYTES = 1 << 30
"""Packs are of many sizes, and freed memory of one size rarely serves another: more than this goes back at once."""
_ROUNDED_TO = 32
"""A compiled step serves one shape, so sizes are rounded up; the places added weigh nothing."""
_OUT_OF_MEMORY = ("unable to allocate", "attempting to allocate", "insufficient memory", "outofmemory")


class MlxBackend:
    """`TrainingBackend` by MLX, on the graphics processor where there is one that it knows.

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
        saves_memory: bool = False,
        few_bits: bool = False,
        precision: Any = None,
        compiles: bool | None = None,
    ) -> None:
        """Load the base and put fresh factors beside it.

        Args:
            base: a GGUF of a family in `FAMILIES`.
            rank, scale: of the low-rank update scale · B · A.
            seed: of A's start.
            frozen_share: share of the layers, from below, that get no factors (`TrainingPlan.frozen_share`).
            saves_memory: recompute each layer's inner values in the backward pass.
            few_bits: keep the base in four bits, its vocabulary in eight.
            precision: mlx.core.bfloat16 or float32; by default bfloat16 on a graphics processor.
            compiles: put small operations of a step together; by default on a graphics processor, for on a processor
                MLX would call a C++ compiler.

        Raises:
            ModelError: the file cannot be used, or is of a family that cannot be trained yet.
            TrainingError: memory ran out.
        """
        on_graphics = mx.default_device() == mx.gpu
        self.precision = precision or (mx.bfloat16 if on_graphics else mx.float32)
        self._saves_memory = saves_memory
        _prepare_device(compiles := on_graphics if compiles is None else compiles)
        self._rounded_to = _ROUNDED_TO if compiles else 1
        with _memory_errors("Loading the student"):
            self._student = Student(trainable(base), self.precision, few_bits=few_bits)
            self._frozen = int(frozen_share * self._student.plan.layers)
            fresh = first_factors(self._student.plan, self._frozen, rank, seed)
            self._factors = {name: mx.array(values) for name, values in fresh.items()}
            modules = dict.fromkeys(name.rpartition(".")[0] for name in fresh)
            self._adapted = _adapt(self._student, modules, scale)
        self._at_once = max(LOGIT_BYTES // (4 * self._student.plan.vocabulary) // _ROUNDED_TO, 1) * _ROUNDED_TO
        self._gradient: dict[str, Any] | None = None
        self._base_thoughts: dict[EncodedRow, Any] = {}
        self._begun: dict[EncodedRow, Any] = {}
        # A·B starts at zero and few steps follow, so weights do not decay: AdamW is Adam.
        self._optimizer = optimizers.Adam(learning_rate=0.0, bias_correction=True)
        step = mx.value_and_grad(self._loss)
        self._step: Callable[..., Any] = mx.compile(step) if compiles else step

    def prepare(
        self,
        rows: Sequence[EncodedRow],
        is_cancelled: Callable[[], bool] = lambda: False,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        token_bytes = self._student.plan.width * self.precision.size
        begun, general = read_ahead(rows, token_bytes, self._frozen > 0)
        with _memory_errors("Reading the practice set"):
            for done, each in enumerate([*begun, *general]):
                if is_cancelled():
                    raise Cancelled
                tell(done, len(begun) + len(general))
                if done < len(begun):
                    hidden = self._frozen_part(each)[0][0]
                    self._begun.update(_parts(hidden, each.rows, each.nodes))
                else:
                    learned = [nodes[row.first_learned - 1 :] for row, nodes in zip(each.rows, each.nodes, strict=True)]
                    self._base_thoughts.update(_parts(self._hidden(each, {}), each.rows, learned))
            tell(len(begun) + len(general), len(begun) + len(general))
        mx.clear_cache()

    def gradient(self, pack: Pack, answer_scale: float, base_scale: float) -> tuple[float, float]:
        with _memory_errors("This step"):
            goals = Goals(pack)
            base_hidden = self._base_hidden(pack.base_rows) if pack.base_rows else None
            hidden, masks, positions = self._frozen_part(pack)
            (_, sums), gradient = self._step(
                self._factors,
                hidden,
                masks,
                positions,
                mx.array(self._rounded(goals.places)),
                self._targets(goals, base_hidden),
                mx.array([answer_scale, base_scale]),
            )
            if self._gradient is not None:
                gradient = tree_map(mx.add, self._gradient, gradient)
            mx.eval(gradient, sums)
            self._gradient = gradient
        return float(sums[0]), float(sums[1])

    def apply(self, learning_rate: float) -> float:
        gradient, norm = optimizers.clip_grad_norm(self._gradient, CLIP_NORM)
        self._optimizer.learning_rate = learning_rate
        self._factors = self._optimizer.apply_gradients(gradient, self._factors)
        mx.eval(self._factors, self._optimizer.state, norm)
        self._gradient = None
        return float(norm)

    def add_up_gradient(self, add_up: Callable[[Numbers], None]) -> None:
        gathered = self._gradient or tree_map(mx.zeros_like, self._factors)
        line = np.concatenate([np.array(gathered[name]).ravel() for name in self._factors])
        add_up(line)
        ends = np.cumsum([factor.size for factor in self._factors.values()])[:-1]
        parts = zip(self._factors.items(), np.split(line, ends), strict=True)
        self._gradient = {name: mx.array(part.reshape(factor.shape)) for (name, factor), part in parts}

    def forget_gradient(self) -> None:
        self._gradient = None

    def evaluate(self, packs: Sequence[Pack]) -> tuple[float, float]:
        loss = right = total = 0.0
        with _memory_errors("Asking the questions kept aside"):
            for pack in packs:
                goals = Goals(pack)
                hidden = self._hidden(pack, self._factors)[mx.array(goals.places)]
                for start in range(0, len(goals.places), self._at_once):
                    logits = self._student.logits(hidden[start : start + self._at_once])
                    rows, tokens, weights = map(mx.array, goals.answers(start, start + self._at_once))
                    nats = mx.logsumexp(logits, -1)[rows] - logits[rows, tokens]
                    is_first = mx.argmax(logits, -1)[rows] == tokens
                    loss += float((nats * weights).sum())
                    right += float((is_first * weights).sum())
                    total += float(weights.sum())
        return (loss / total, right / total) if total else (0.0, 0.0)

    def logits(self, pack: Pack, *, with_adapter: bool = True) -> np.ndarray:
        """(T, V) float32: every node's scores for the next token."""
        hidden = self._hidden(pack, self._factors if with_adapter else {})
        return np.array(self._student.logits(hidden))

    def gradients(self) -> dict[str, np.ndarray]:
        """A copy of the gradient gathered so far, by factor; to look at."""
        return {name: np.array(values) for name, values in (self._gradient or {}).items()}

    def factors(self) -> dict[str, np.ndarray]:
        return {name: np.array(values) for name, values in self._factors.items()}

    def load_factors(self, factors: dict[str, np.ndarray]) -> None:
        require_same_shapes({name: tuple(values.shape) for name, values in self._factors.items()}, factors)
        self._factors = {name: mx.array(factors[name]) for name in self._factors}

    def state(self) -> dict[str, np.ndarray]:
        state = self.factors()
        memory = self._optimizer.state
        for name in self._factors:
            if name in memory:
                state[f"optimizer.step:{name}"] = np.array(float(memory["step"]), np.float32)
                state[f"optimizer.exp_avg:{name}"] = np.array(memory[name]["m"])
                state[f"optimizer.exp_avg_sq:{name}"] = np.array(memory[name]["v"])
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self.load_factors(factors_in(state))
        memory: dict[str, Any] = {"step": mx.array(0, mx.uint64), "learning_rate": mx.array(0.0)}
        for name in self._factors:
            if f"optimizer.step:{name}" in state:
                memory["step"] = mx.array(int(state[f"optimizer.step:{name}"]), mx.uint64)
                memory[name] = {
                    "m": mx.array(state[f"optimizer.exp_avg:{name}"]),
                    "v": mx.array(state[f"optimizer.exp_avg_sq:{name}"]),
                }
        self._optimizer.state = memory
        self.forget_gradient()

    def peak_bytes(self) -> int:
        return int(mx.get_peak_memory())

    def _loss(
        self,
        factors: dict[str, Any],
        hidden: Any,
        masks: list[Any],
        positions: Any,
        places: Any,
        targets: list[dict[str, Any]],
        scales: Any,
    ) -> tuple[Any, Any]:
        """(a number whose gradient is that of the loss, (2,) the sums of answers and base).

        The loss's gradient for the hidden states is made at once, some rows at a time, so that no more than these rows'
        logits are ever in memory (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989); times the
        hidden states it is that number.
        """
        thoughts = self._upper_part(factors, hidden, masks, positions)[places]
        number = mx.array(0.0)
        sums = mx.zeros(2)
        for start, target in zip(range(0, len(places), self._at_once), targets, strict=True):
            rows = thoughts[start : start + self._at_once]
            (_, new), slope = mx.value_and_grad(self._vocabulary_loss)(mx.stop_gradient(rows), target, scales)
            number = number + (mx.stop_gradient(slope) * rows).sum()
            sums = sums + new
        return number, mx.stop_gradient(sums)

    def _vocabulary_loss(self, hidden: Any, target: dict[str, Any], scales: Any) -> tuple[Any, Any]:
        """(loss, (2,) its sums unscaled) of some places' hidden states, (N, width)."""
        logits = self._student.logits(hidden)
        norms = mx.logsumexp(logits, -1)
        rows = target["rows"]
        # A place may have several answers. Were their slopes added up at its norm, the order would show in the last
        # digits, and a graphics processor keeps none: so the slope is that of their joint weight.
        slopes = (target["joint"] * (norms - mx.stop_gradient(norms))).sum()
        nats = mx.stop_gradient(norms)[rows] - logits[rows, target["tokens"]]
        sums = [slopes + (nats * target["weights"]).sum(), mx.array(0.0)]
        if "base_hidden" in target:
            rows = target["base_rows"]
            wanted = self._student.logits(target["base_hidden"])
            wanted = wanted - mx.logsumexp(wanted, -1, keepdims=True)
            apart = (mx.exp(wanted) * (wanted - logits[rows] + norms[rows][:, None])).sum(-1)
            sums[1] = (apart * target["base_weights"]).sum()
        both = mx.stack(sums)
        return (both * scales).sum(), both

    def _targets(self, goals: Goals, base_hidden: Any) -> list[dict[str, Any]]:
        """What `_vocabulary_loss` needs for each `_at_once` places."""
        targets = []
        for start in range(0, len(self._rounded(goals.places)), self._at_once):
            # Few shapes, for each is compiled: mostly a place has one answer.
            places = min(self._at_once, len(self._rounded(goals.places)) - start)
            rows, tokens, weights = (self._rounded(each, places) for each in goals.answers(start, start + places))
            joint = np.bincount(rows, weights, places).astype(np.float32)
            target = {"rows": rows, "tokens": tokens, "weights": weights, "joint": joint}
            rows, known, weights = map(self._rounded, goals.bases(start, start + places))
            if len(rows):
                target |= {"base_rows": rows, "base_weights": weights}
            targets.append({name: mx.array(values) for name, values in target.items()})
            if len(rows):
                targets[-1]["base_hidden"] = base_hidden[mx.array(known)]
        return targets

    def _rounded(self, values: np.ndarray, least: int = 0) -> np.ndarray:
        """With zeros at its end up to the next size of a compiled step, and to `least`."""
        size = -(-max(len(values), least) // self._rounded_to) * self._rounded_to
        return np.pad(values, (0, size - len(values)))

    def _base_hidden(self, rows: Sequence[EncodedRow]) -> Any:
        """(places, width): what the base thinks at the learned places of these rows, one after the other.

        It never changes, so each row is computed once: by `prepare`, or else alone, for what a row is packed with shows
        in the last digits, and a training that was killed must go on bit for bit the same.
        """
        for row in rows:
            if row not in self._base_thoughts:
                alone = merge([row])
                self._base_thoughts.update(_parts(self._hidden(alone, {}), [row], [alone.index]))
        return mx.concatenate([self._base_thoughts[row] for row in rows])

    def _hidden(self, pack: Pack, factors: dict[str, Any]) -> Any:
        """(T, width): the last layer's output, normed; that of the base where there are no factors."""
        return self._upper_part(factors, *self._frozen_part(pack))[: len(pack.tokens)]

    def _frozen_part(self, pack: Pack) -> tuple[Any, list[Any], Any]:
        """What the layers without factors make of a pack, (1, T, width), and masks and positions for the others."""
        more = -len(pack.tokens) % self._rounded_to
        tokens, positions = self._rounded(pack.tokens), self._rounded(pack.positions)
        masks = [
            mx.array((np.pad(pack.seen_within(window), (0, more)) | np.eye(len(tokens), dtype=bool))[None, None])
            for window in self._student.windows
        ]
        place = Place(mx.array(positions.astype(np.int32)))
        if self._frozen and all(row in self._begun for row in pack.rows):
            found = np.zeros(len(tokens), np.int64)
            found[np.concatenate(pack.nodes)] = np.arange(sum(map(len, pack.nodes)))
            hidden = mx.concatenate([self._begun[row] for row in pack.rows])[mx.array(found)][None]
        else:
            hidden = self._student.embed(mx.array(tokens))
            for number in range(self._frozen):
                hidden = self._student.call(number, hidden, masks, place)
        return hidden, masks, place.offset

    def _upper_part(self, factors: dict[str, Any], hidden: Any, masks: list[Any], positions: Any) -> Any:
        """(T, width), normed, of what the frozen part made."""
        for number in range(self._frozen, self._student.plan.layers):
            names = [name for module in self._adapted[number] for name in _names(module)] if factors else []
            own = {name: factors[name] for name in names}
            call = partial(self._layer, number, masks, positions)
            hidden = (mx.checkpoint(call) if self._saves_memory and factors else call)(hidden, own)
        return self._student.norm(hidden)

    def _layer(self, number: int, masks: list[Any], positions: Any, hidden: Any, factors: dict[str, Any]) -> Any:
        """A layer with these of its factors, which it keeps no longer than for this call; without any it is the
        base's."""
        adapted = self._adapted[number]
        for module, linear in adapted.items():
            linear.factors = tuple(factors[name] for name in _names(module)) if factors else None
        try:
            return self._student.call(number, hidden, masks, Place(positions))
        finally:
            for linear in adapted.values():
                linear.factors = None


class _Adapted:
    """A frozen linear layer, in full or in few bits, and the factors lent to it for a call: W·x + scale · B·A·x."""

    def __init__(self, linear: Any, scale: float) -> None:
        self.factors: tuple[Any, ...] | None = None
        self._linear = linear
        self._scale = scale

    def __call__(self, x: Any) -> Any:
        """(…, in) → (…, out)."""
        y = self._linear(x)
        if self.factors is None:
            return y
        a, b = self.factors
        return y + (x @ a.T.astype(x.dtype)) @ (b * self._scale).T.astype(x.dtype)


def _names(module: str) -> tuple[str, str]:
    return f"{module}.lora_a", f"{module}.lora_b"


def _adapt(student: Student, modules: Iterable[str], scale: float) -> dict[int, dict[str, _Adapted]]:
    """Replace these linear layers; gives what replaced them by layer and name."""
    adapted: dict[int, dict[str, _Adapted]] = {}
    for module in modules:
        ours = _Adapted(student.module(module), scale)
        student.replace(module, ours)
        adapted.setdefault(layer_of(module), {})[module] = ours
    return adapted


def _parts(hidden: Any, rows: Sequence[EncodedRow], places: Sequence[np.ndarray]) -> dict[EncodedRow, Any]:
    """Copies of these places of (T, width), by row."""
    parts = {row: hidden[mx.array(chosen)] for row, chosen in zip(rows, places, strict=True)}
    mx.eval(parts)
    return parts


def _prepare_device(compiles: bool) -> None:
    """The library's own settings, which belong to the process: how much freed memory it may keep, that weights stay
    where the graphics processor reads them (wired), and whether small operations are put together."""
    mx.set_cache_limit(_MOST_CACHED_BYTES)
    if mx.metal.is_available():
        mx.set_wired_limit(int(mx.device_info()["max_recommended_working_set_size"]))
    if compiles:
        mx.enable_compile()
    else:
        mx.disable_compile()
    mx.reset_peak_memory()


def _memory_errors(what: str) -> contextlib.AbstractContextManager[None]:
    return memory_errors(what, lambda text: any(word in text.lower() for word in _OUT_OF_MEMORY))
