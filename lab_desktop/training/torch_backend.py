"""The student in torch: a GGUF's own weights, frozen, with trainable low-rank factors beside every linear layer.

LoRA (arXiv:2106.09685) is the forty lines of `_Adapted` and `_LowRank` and not the peft package, because ours adds the
update into the base's output in place and keeps for the backward pass one input a layer; because switching the adapter
off must cost nothing (the divergence from the base needs it every step); and because peft brings accelerate along.

Weights go from the file into transformers' model classes tensor by tensor; nothing is initialised that is then
overwritten. Text, templates and schedules are unknown here.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch.nn import functional

from lab_desktop.errors import Cancelled, ModelError, TrainingError
from lab_desktop.models.gguf import GgufFile, read_tensor
from lab_desktop.training.backend import trainable
from lab_desktop.training.batches import EncodedRow, Pack, merge, pack

_CLIP_NORM = 1.0
_PREPARED_BYTES = 1 << 30
"""What the frozen layers make of every row may take so much; a fixed number, so that a resumed run decides alike."""
_PREPARED_TOKENS = 512
_LOGIT_ROWS = 256
"""Vocabulary logits are made for so many positions at a time: 49,152 words × 256 × 4 bytes are 50 MB."""


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
        saves_memory: bool = False,
        precision: torch.dtype | None = None,
    ) -> None:
        """Load the base and put fresh factors beside it.

        Args:
            base: a GGUF of the llama family.
            rank, scale: of the low-rank update scale · B · A.
            seed: of A's start.
            frozen_share: share of the layers, from below, that get no factors (`TrainingPlan.frozen_share`).
            saves_memory: recompute each layer's inner values in the backward pass.
            precision: bfloat16 or float32; by default bfloat16 where the processor multiplies it itself.

        Raises:
            ModelError: the file cannot be used, or is of a family that cannot be trained yet.
            TrainingError: memory ran out.
        """
        _use_all_cores()
        self.precision = precision or (torch.bfloat16 if _has_bfloat16() else torch.float32)
        self._saves_memory = saves_memory
        with _memory_errors("Loading the student"):
            self._model = load_model(base, self.precision)
            layers = self._model.model.layers
            self._frozen = int(frozen_share * len(layers))
            self._layers = layers
            self._adapted = _adapt(layers, self._frozen, rank, scale, seed)
        self._factors = {
            name: factor
            for module, adapted in self._adapted.items()
            for name, factor in ((f"{module}.lora_a", adapted.lora_a), (f"{module}.lora_b", adapted.lora_b))
        }
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
        each_once = list(dict.fromkeys(rows))
        size = sum(len(row.tokens) for row in each_once) * self._model.config.hidden_size * self.precision.itemsize
        begun = pack(each_once, _PREPARED_TOKENS) if self._frozen and size <= _PREPARED_BYTES else []
        general = pack([row for row in each_once if row.keeps_base], _PREPARED_TOKENS)
        with _memory_errors("Reading the practice set"), torch.no_grad(), self._without_adapter():
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
        with _memory_errors("This step"):
            goals = _Goals(pack)
            base_hidden = self._base_hidden(pack.base_rows) if pack.base_rows else None
            hidden = self._hidden(pack)[goals.places]
            loss, sums = _VocabularyLoss.apply(  # type: ignore[no-untyped-call]
                hidden, base_hidden, self._model.lm_head.weight, goals, answer_scale, base_scale
            )
            loss.backward()
        return float(sums[0]), float(sums[1])

    def apply(self, learning_rate: float) -> float:
        norm = float(torch.nn.utils.clip_grad_norm_(self._factors.values(), _CLIP_NORM, foreach=True))
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=False)
        return norm

    def forget_gradient(self) -> None:
        self._optimizer.zero_grad(set_to_none=False)

    @torch.no_grad()
    def evaluate(self, packs: Sequence[Pack]) -> tuple[float, float]:
        loss = right = total = 0.0
        with _memory_errors("Asking the held-out questions"):
            for pack in packs:
                goals = _Goals(pack)
                hidden = self._hidden(pack)[goals.places]
                for start in range(0, len(hidden), _LOGIT_ROWS):
                    logits = functional.linear(hidden[start : start + _LOGIT_ROWS], self._model.lm_head.weight).float()
                    rows, tokens, weights = goals.answers(start, start + len(logits))
                    nats = logits.logsumexp(-1)[rows] - logits[rows, tokens]
                    loss += float((nats * weights).sum())
                    right += float(((logits.argmax(-1)[rows] == tokens) * weights).sum())
                    total += float(weights.sum())
        return (loss / total, right / total) if total else (0.0, 0.0)

    @torch.no_grad()
    def logits(self, pack: Pack, *, with_adapter: bool = True) -> np.ndarray:
        """(T, V) float32: every node's scores for the next token."""
        with contextlib.nullcontext() if with_adapter else self._without_adapter():
            scores: np.ndarray = self._model.lm_head(self._hidden(pack)).float().numpy()
        return scores

    def gradients(self) -> dict[str, np.ndarray]:
        """A copy of the gradient gathered so far, by factor; to look at."""
        return {name: factor.grad.numpy().copy() for name, factor in self._factors.items() if factor.grad is not None}

    def factors(self) -> dict[str, np.ndarray]:
        return {name: factor.detach().numpy().copy() for name, factor in self._factors.items()}

    @torch.no_grad()
    def load_factors(self, factors: dict[str, np.ndarray]) -> None:
        ours = {name: tuple(factor.shape) for name, factor in self._factors.items()}
        if ours != {name: tuple(values.shape) for name, values in factors.items()}:
            raise TrainingError(
                "The adapter to start from was made for another model, or in another rank.",
                "Choose an adapter of this student, or start from the student as it is.",
            )
        for name, values in factors.items():
            self._factors[name].copy_(torch.from_numpy(values))

    def state(self) -> dict[str, np.ndarray]:
        state = self.factors()
        for name, factor in self._factors.items():
            for key, value in self._optimizer.state[factor].items():
                state[f"optimizer.{key}:{name}"] = np.array(value.numpy())
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self.load_factors({name: values for name, values in state.items() if not name.startswith("optimizer.")})
        self._optimizer.state.clear()
        for name, values in state.items():
            if name.startswith("optimizer."):
                key, factor = name.removeprefix("optimizer.").split(":", 1)
                self._optimizer.state[self._factors[factor]][key] = torch.from_numpy(np.array(values))
        self.forget_gradient()

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

    def _hidden(self, pack: Pack) -> torch.Tensor:
        """(T, width): the last layer's output, normed. The layers are called here and not by the model's own forward,
        which would make a cache, and check and copy the mask, on every call."""
        with torch.no_grad():
            hidden, mask, rotation = self._frozen_part(pack)
        for layer in self._layers[self._frozen :]:
            if self._saves_memory and torch.is_grad_enabled():
                hidden = torch.utils.checkpoint.checkpoint(
                    layer,
                    hidden,
                    attention_mask=mask,
                    position_embeddings=rotation,
                    use_reentrant=False,
                    preserve_rng_state=False,
                )
            else:
                hidden = layer(hidden, attention_mask=mask, position_embeddings=rotation)
        normed: torch.Tensor = self._model.model.norm(hidden)[0]
        return normed

    def _frozen_part(self, pack: Pack) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """What the layers without factors make of a pack, (1, T, width), and the mask and rotations for the others."""
        model = self._model.model
        hidden = model.embed_tokens(torch.from_numpy(pack.tokens)[None])
        # Added to the scores, so it has their type: a bool mask would be turned into this again in every layer.
        mask = torch.zeros(1, 1, *pack.sees.shape, dtype=self.precision)
        mask.masked_fill_(~torch.from_numpy(pack.sees), torch.finfo(self.precision).min)
        rotation = model.rotary_emb(hidden, torch.from_numpy(pack.positions)[None])
        if self._frozen and all(row in self._begun for row in pack.rows):
            for row, nodes in zip(pack.rows, pack.nodes, strict=True):
                hidden[0, torch.from_numpy(nodes)] = self._begun[row]
        else:
            for layer in self._layers[: self._frozen]:
                hidden = layer(hidden, attention_mask=mask, position_embeddings=rotation)
        return hidden, mask, rotation

    @contextlib.contextmanager
    def _without_adapter(self) -> Iterator[None]:
        for adapted in self._adapted.values():
            adapted.is_on = False
        try:
            yield
        finally:
            for adapted in self._adapted.values():
                adapted.is_on = True


def load_model(path: Path, precision: torch.dtype) -> Any:
    """A GGUF's weights in transformers' class for its family, without adapter, in `precision`.

    Raises:
        ModelError: as in `read_header`, `read_tensor`; or the family or its kind of rotary positions is not known here.
    """
    import gguf

    # The modules themselves: `import transformers` alone would look through everything it has.
    from transformers.modeling_utils import AttentionInterface
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    file = trainable(path)
    blocks = file.setting("block_count")
    heads = file.setting("attention.head_count")
    key_heads = file.setting("attention.head_count_kv", heads)
    width = file.setting("embedding_length")
    head_width = file.setting("attention.key_length", width // heads)
    if file.setting("rope.dimension_count", head_width) != head_width or file.setting("expert_count", 0):
        raise ModelError(
            f'"{path.name}" is built in a way that cannot be trained here yet (experts, or partly rotated heads).',
            "Choose another student, such as SmolLM2, Llama 3 or Mistral.",
        )
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, blocks)
    config = LlamaConfig(
        vocab_size=file.tensors["token_embd.weight"].shape[0] if "token_embd.weight" in file.tensors else 0,
        hidden_size=width,
        intermediate_size=file.setting("feed_forward_length"),
        num_hidden_layers=blocks,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        head_dim=head_width,
        rms_norm_eps=file.setting("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": file.setting("rope.freq_base", 10000.0)},
        max_position_embeddings=file.setting("context_length"),
        tie_word_embeddings=False,  # tied by hand below: the file says so by leaving output.weight out
        attention_bias="blk.0.attn_q.bias" in file.tensors,
        attn_implementation="lab_tree",
    )
    AttentionInterface.register("lab_tree", _tree_attention)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    weights: dict[str, torch.Tensor] = {}
    for name in model.state_dict():
        module, _, kind = name.rpartition(".")
        tensor = f"{names.get_name(module)}.{kind}"
        if name == "lm_head.weight" and tensor not in file.tensors:
            weights[name] = weights["model.embed_tokens.weight"]
            continue
        values = read_tensor(file, tensor)
        if module.endswith(("q_proj", "k_proj")):
            values = _unpermuted(values, heads if module.endswith("q_proj") else key_heads)
        weights[name] = torch.from_numpy(np.require(values, requirements=["C", "W"])).to(precision)
    model.load_state_dict(weights, assign=True)
    model.model.rotary_emb.inv_freq = _rotation_speeds(file, head_width)
    model.requires_grad_(False)
    return model.eval()


def _unpermuted(values: np.ndarray, heads: int) -> np.ndarray:
    """Rows as transformers has them: llama.cpp rotates neighbours (0, 1), transformers halves (0, n / 2), so its
    converter interleaved each head's rows (convert_hf_to_gguf.py, LlamaModel.permute)."""
    return values.reshape(heads, -1, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _rotation_speeds(file: GgufFile, head_width: int) -> torch.Tensor:
    """Radians per position of each pair in a head: (head_width / 2,) float32."""
    base = float(file.setting("rope.freq_base", 10000.0))
    speeds = 1.0 / (base ** (torch.arange(0, head_width, 2, dtype=torch.float32) / head_width))
    if "rope_freqs.weight" in file.tensors:  # Llama 3 stretches slow rotations; the factors are in the file
        speeds = speeds / torch.from_numpy(read_tensor(file, "rope_freqs.weight").copy())
    scaling = file.setting("rope.scaling.type", "none")
    if scaling == "linear":
        return speeds / float(file.setting("rope.scaling.factor"))
    if scaling != "none":
        raise ModelError(
            f'"{file.path.name}" stretches its context by "{scaling}", which cannot be trained here yet.',
            "Choose another student, such as SmolLM2, Llama 3 or Mistral.",
        )
    return speeds


class _LowRank(torch.autograd.Function):
    """W·x + bias + scale · B·A·x for a frozen W, adding in place; keeps x and the (T, rank) middle for the way back."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        lora_a: torch.Tensor,
        lora_b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        a = lora_a.to(x.dtype)
        b = (lora_b * scale).to(x.dtype)
        middle = flat @ a.T
        y = functional.linear(flat, weight, bias).addmm_(middle, b.T)
        ctx.save_for_backward(flat, weight, a, b, middle)
        ctx.scale, ctx.shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, weight, a, b, middle = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        back = grad @ b
        grad_a = (back.T @ flat).float()
        grad_b = (grad.T @ middle).float().mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(back, a).view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None


def _tree_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    *,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention under a tree mask, as transformers calls it: (1, heads, T, width) → (1, T, heads, width)."""
    mixed: torch.Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
        query[0], key[0], value[0], attention_mask[0, 0], scaling
    )
    return mixed.transpose(0, 1)[None], None


class _Attention(torch.autograd.Function):
    """softmax(scale · q·kᵀ + mask) · v by plain matrix products, for packs of some hundred tokens.

    On a processor torch's fused attention is slow on the way back: a whole step took 1.5 times as long. The queries
    that share a key head go through one product, so keys are not repeated. The probabilities are made again on the way
    back instead of being kept: (heads, T, T) for every layer would be the largest thing in memory.
    """

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, scale: float
    ) -> torch.Tensor:
        groups = query.reshape(len(key), -1, query.shape[-1]) * scale
        shares = _Attention.shares(groups, key, mask)
        ctx.save_for_backward(groups, key, value, mask)
        ctx.scale = scale
        return (shares @ value).view_as(query)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        groups, key, value, mask = ctx.saved_tensors
        shares = _Attention.shares(groups, key, mask)
        flat = grad.reshape(groups.shape)
        grad_value = shares.transpose(1, 2) @ flat
        grad_scores = torch._softmax_backward_data(flat @ value.transpose(1, 2), shares, -1, shares.dtype)
        grad_query = (grad_scores @ key).mul_(ctx.scale).view_as(grad)
        return grad_query, grad_scores.transpose(1, 2) @ groups, grad_value, None, None

    @staticmethod
    def shares(groups: torch.Tensor, key: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(key heads, queries of its group · T, T): how much each token looks at each other."""
        scores = groups @ key.transpose(1, 2)
        scores.view(len(key), -1, *mask.shape).add_(mask)
        return scores.softmax(-1)


class _Adapted(torch.nn.Module):
    """A frozen linear layer with low-rank factors beside it (LoRA, arXiv:2106.09685, section 4.1).

    A starts uniform as the original code has it (kaiming, a = √5, so ±1/√in), B at zero: at first nothing changes.
    """

    def __init__(self, linear: torch.nn.Linear, rank: int, scale: float, random: torch.Generator) -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = linear.bias
        self.scale = scale
        self.is_on = True
        bound = linear.in_features**-0.5
        start = torch.empty(rank, linear.in_features).uniform_(-bound, bound, generator=random)
        self.lora_a = torch.nn.Parameter(start)
        self.lora_b = torch.nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) → (…, out)."""
        if not self.is_on:
            return functional.linear(x, self.weight, self.bias)
        y: torch.Tensor = _LowRank.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.lora_a, self.lora_b, self.scale
        )
        return y


def _adapt(layers: Any, frozen: int, rank: int, scale: float, seed: int) -> dict[str, _Adapted]:
    """Replace every linear layer of attention and feed-forward from layer `frozen` on; gives them by their name."""
    random = torch.Generator().manual_seed(seed)
    adapted = {}
    for number, layer in enumerate(layers):
        if number < frozen:
            continue
        for name, module in list(layer.named_modules()):
            if isinstance(module, torch.nn.Linear):
                parent, _, last = name.rpartition(".")
                ours = _Adapted(module, rank, scale, random)
                setattr(layer.get_submodule(parent), last, ours)
                adapted[f"model.layers.{number}.{name}"] = ours
    return adapted


class _Goals:
    """A pack's targets, gathered by place: each node that foretells something gets its vocabulary logits once.

    Attributes:
        places: (P,) nodes that foretell something.
    """

    def __init__(self, pack: Pack) -> None:
        places, rows = np.unique(pack.index, return_inverse=True)
        self.places = torch.from_numpy(places)
        self._rows = rows
        self._token = pack.token
        self._weight = pack.weight
        self._is_base = pack.is_base
        self._base_place = pack.base_place

    def answers(self, start: int, end: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(rows, tokens, weights) of the written targets at places start … end - 1, rows counted from `start`."""
        chosen = ~self._is_base & (self._rows >= start) & (self._rows < end)
        return (
            torch.from_numpy(self._rows[chosen] - start),
            torch.from_numpy(self._token[chosen]),
            torch.from_numpy(self._weight[chosen]),
        )

    def bases(self, start: int, end: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(rows, places, weights) of the base's distributions that are targets at places start … end - 1: rows counted
        from `start`, each once; places among those of the pack's `base_rows`."""
        chosen = self._is_base & (self._rows >= start) & (self._rows < end)
        return (
            torch.from_numpy(self._rows[chosen] - start),
            torch.from_numpy(self._base_place[chosen]),
            torch.from_numpy(self._weight[chosen]),
        )


class _VocabularyLoss(torch.autograd.Function):
    """Loss of hidden states over the vocabulary, with its gradient made at once, some rows at a time.

    With p = softmax(logits): the gradient of Σ w·CE is (Σ w)·p − Σ w·onehot, and of w·KL(q ‖ p) it is w·(p − q). So one
    (rows, V) array serves as logits, probabilities and gradient in turn, instead of three or four that autograd keeps
    (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989).
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        base_hidden: torch.Tensor | None,
        head: torch.Tensor,
        goals: _Goals,
        answer_scale: float,
        base_scale: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grad = torch.empty_like(hidden)
        answers = torch.zeros((), dtype=torch.float64)
        base = torch.zeros((), dtype=torch.float64)
        for start in range(0, len(hidden), _LOGIT_ROWS):
            end = min(start + _LOGIT_ROWS, len(hidden))
            logits = functional.linear(hidden[start:end], head).float()
            logits -= logits.logsumexp(-1, keepdim=True)
            rows, tokens, weights = goals.answers(start, end)
            answers -= (logits[rows, tokens] * weights).sum()
            share = torch.zeros(end - start).index_add_(0, rows, weights).mul_(answer_scale)
            kept_rows, kept_places, kept = goals.bases(start, end)
            wanted = None
            if base_hidden is not None and len(kept_rows):
                wanted = functional.linear(base_hidden[kept_places], head).float().log_softmax(-1)
                base += ((wanted.exp() * (wanted - logits[kept_rows])).sum(-1) * kept).sum()
                kept = kept * base_scale
                share.index_add_(0, kept_rows, kept)
                wanted.exp_().mul_(kept[:, None])
            slope = logits.exp_().mul_(share[:, None])
            # (row, token) pairs are unique, so this needs no accumulation and its order cannot matter.
            slope[rows, tokens] -= weights * answer_scale
            if wanted is not None:
                slope[kept_rows] -= wanted
            grad[start:end] = slope.to(head.dtype) @ head
        ctx.save_for_backward(grad)
        sums = torch.stack((answers, base))
        ctx.mark_non_differentiable(sums)
        return (answers * answer_scale + base * base_scale).float(), sums

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = ctx.saved_tensors
        return grad * slope.to(grad.dtype), None, None, None, None, None


def _use_all_cores() -> None:
    """One thread for each real core that this process may use (two on one core fight for its multiplier), or as many
    as OMP_NUM_THREADS says. Where other programs keep the cores busy, fewer threads are far faster: they wait spinning.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(psutil.cpu_count(logical=False) or allowed, allowed)
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(chosen) if chosen.isdigit() and int(chosen) else cores)


def _has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, torch imitates it, slower than float32."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextlib.contextmanager
def _memory_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has no own class for a processor's memory; its allocator says this, and nothing else does.
        if not isinstance(error, MemoryError) and "can't allocate memory" not in str(error):
            raise
        free = psutil.virtual_memory().available / 1e9
        raise TrainingError(
            f"{what} needs more memory than this computer has free ({free:.1f} GB).",
            "Close other programs, or choose a smaller student; training goes on at its last checkpoint.",
            str(error),
        ) from error
