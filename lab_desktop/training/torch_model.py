"""A student as torch modules: a GGUF's own weights in transformers' classes, frozen, and factors beside linear layers.

LoRA (arXiv:2106.09685) is the forty lines of `Adapted` and `_LowRank` and not the peft package, because ours adds the
update into the base's output in place and keeps for the backward pass one input a layer; because switching the adapter
off must cost nothing (the divergence from the base needs it every step); and because peft brings accelerate along.

Weights go from the file into the classes some rows at a time; nothing is initialised that is then overwritten. What
lies between the layers (embedding, masks, rotations, logits) is done here from the blueprint and not by the classes'
own forward, which would make a cache, and check and copy the mask, on every call.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from lab_desktop.models.families import Blueprint, Rotation, config, read_weight
from lab_desktop.training.backend import trainable
from lab_desktop.training.batches import Pack

_CLASSES = {
    "llama": ("llama", "LlamaConfig", "LlamaForCausalLM"),
    "granite": ("granite", "GraniteConfig", "GraniteForCausalLM"),
    "qwen2": ("qwen2", "Qwen2Config", "Qwen2ForCausalLM"),
    "qwen3": ("qwen3", "Qwen3Config", "Qwen3ForCausalLM"),
    "gemma2": ("gemma2", "Gemma2Config", "Gemma2ForCausalLM"),
    "gemma3_text": ("gemma3", "Gemma3TextConfig", "Gemma3ForCausalLM"),
    "phi3": ("phi3", "Phi3Config", "Phi3ForCausalLM"),
}
"""Folder in transformers.models, configuration and model by `Family.model_type`."""


@dataclass(frozen=True)
class View:
    """What a layer sees of a pack.

    Attributes:
        mask: (1, 1, T, T), added to the scores.
        rotation: (cosines, sines), each (1, T, rotated).
    """

    mask: torch.Tensor
    rotation: tuple[torch.Tensor, torch.Tensor]


class Network:
    """A student's layers, to be called one by one.

    Attributes:
        plan: what its header says.
        precision: of weights and activations.
        layers: transformers' modules.
        head: (V, width), the output layer's weight.
    """

    def __init__(self, path: Path, precision: torch.dtype) -> None:
        """Load a GGUF's weights into transformers' class for its family.

        Raises:
            ModelError: as in `backend.trainable` and `gguf.read_tensor`.
        """
        self.plan = trainable(path)
        self.precision = precision
        self.model = _load(self.plan, precision)
        self.layers: Any = self.model.model.layers
        self.head: torch.Tensor = self.model.lm_head.weight

    def embed(self, pack: Pack) -> torch.Tensor:
        """What the first layer reads: (1, T, width)."""
        weight = self.model.model.embed_tokens.weight
        return functional.embedding(torch.from_numpy(pack.tokens)[None], weight) * self.plan.embedding_scale

    def views(self, pack: Pack) -> list[View]:
        """For each layer what it sees; layers that see and turn alike share one."""
        depth = int(pack.positions.max(initial=0))
        made: dict[tuple[int, Rotation], View] = {}
        masks: dict[int, torch.Tensor] = {}
        found = []
        for window, rotation in zip(self.plan.windows, self.plan.rotations, strict=True):
            window = 0 if window > depth else window
            if window not in masks:
                masks[window] = self._mask(pack.seen_within(window))
            if (window, rotation) not in made:
                made[window, rotation] = View(masks[window], self._rotation(pack, rotation))
            found.append(made[window, rotation])
        return found

    def thoughts(self, hidden: torch.Tensor) -> torch.Tensor:
        """What the output layer reads, from what the last layer gave: (1, T, width) to (T, width)."""
        normed: torch.Tensor = self.model.model.norm(hidden)[0]
        return normed if self.plan.logit_divisor == 1.0 else normed / self.plan.logit_divisor

    def _mask(self, sees: np.ndarray) -> torch.Tensor:
        # Added to the scores, so it has their type: a bool mask would be turned into this again in every layer.
        mask = torch.zeros(1, 1, *sees.shape, dtype=self.precision)
        return mask.masked_fill_(~torch.from_numpy(sees), torch.finfo(self.precision).min)

    def _rotation(self, pack: Pack, rotation: Rotation) -> tuple[torch.Tensor, torch.Tensor]:
        angles = torch.from_numpy(pack.positions).float()[:, None] * torch.from_numpy(rotation.speeds)
        angles = torch.cat((angles, angles), dim=-1)[None]
        cosines, sines = angles.cos() * rotation.strength, angles.sin() * rotation.strength
        return cosines.to(self.precision), sines.to(self.precision)


def logits(thoughts: torch.Tensor, head: torch.Tensor, cap: float) -> torch.Tensor:
    """Scores of every vocabulary entry as the next token, soft-capped: (P, width) to (P, V) float32."""
    scores = functional.linear(thoughts, head).float()
    return scores.div_(cap).tanh_().mul_(cap) if cap else scores


def _load(plan: Blueprint, precision: torch.dtype) -> Any:
    # The modules themselves: `import transformers` alone would look through everything it has.
    from transformers.modeling_utils import AttentionInterface

    folder, config_name, model_name = _CLASSES[plan.family.model_type]
    package = f"transformers.models.{folder}"
    configuration = getattr(importlib.import_module(f"{package}.configuration_{folder}"), config_name)
    network = getattr(importlib.import_module(f"{package}.modeling_{folder}"), model_name)
    AttentionInterface.register("lab_tree", _tree_attention)
    settings = {**config(plan), "tie_word_embeddings": False}  # tied by hand below
    with torch.device("meta"):
        model = network(configuration(**settings, attn_implementation="lab_tree"))
    weights: dict[str, torch.Tensor] = {}
    for name, shape in plan.weights.items():
        weights[name] = torch.empty(shape, dtype=precision)
        for start, rows in read_weight(plan, name):
            weights[name][start : start + len(rows)] = torch.from_numpy(np.require(rows, requirements=["C", "W"]))
    if plan.is_tied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, assign=True)
    model.requires_grad_(False)
    return model.eval()


class Adapted(torch.nn.Module):
    """A frozen linear layer with low-rank factors beside it (LoRA, arXiv:2106.09685, section 4.1)."""

    def __init__(self, linear: torch.nn.Linear, lora_a: np.ndarray, lora_b: np.ndarray, scale: float) -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = linear.bias
        self.scale = scale
        self.is_on = True
        self.lora_a = torch.nn.Parameter(torch.from_numpy(lora_a))
        self.lora_b = torch.nn.Parameter(torch.from_numpy(lora_b))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) → (…, out)."""
        if not self.is_on:
            return functional.linear(x, self.weight, self.bias)
        y: torch.Tensor = _LowRank.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.lora_a, self.lora_b, self.scale
        )
        return y


def adapt(network: Network, factors: dict[str, np.ndarray], scale: float) -> dict[str, Adapted]:
    """Put these factors beside their linear layers; gives what replaced the layers by their name."""
    adapted = {}
    for module in dict.fromkeys(name.rpartition(".")[0] for name in factors):
        linear = network.model.get_submodule(module)
        adapted[module] = Adapted(linear, factors[f"{module}.lora_a"], factors[f"{module}.lora_b"], scale)
        parent, _, last = module.rpartition(".")
        setattr(network.model.get_submodule(parent), last, adapted[module])
    return adapted


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
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention under a tree mask, as transformers calls it: (1, heads, T, width) → (1, T, heads, width)."""
    mixed: torch.Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
        query[0], key[0], value[0], attention_mask[0, 0], scaling, softcap or 0.0
    )
    return mixed.transpose(0, 1)[None], None


class _Attention(torch.autograd.Function):
    """softmax(cap(scale · q·kᵀ) + mask) · v by plain matrix products, for packs of some hundred tokens.

    On a processor torch's fused attention is slow on the way back: a whole step took 1.5 times as long. The queries
    that share a key head go through one product, so keys are not repeated. The probabilities are made again on the way
    back instead of being kept: (heads, T, T) for every layer would be the largest thing in memory.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor,
        scale: float,
        cap: float,
    ) -> torch.Tensor:
        groups = query.reshape(len(key), -1, query.shape[-1]) * scale
        shares, _ = _Attention.shares(groups, key, mask, cap)
        ctx.save_for_backward(groups, key, value, mask)
        ctx.scale, ctx.cap = scale, cap
        return (shares @ value).view_as(query)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        groups, key, value, mask = ctx.saved_tensors
        shares, slope = _Attention.shares(groups, key, mask, ctx.cap, with_slope=True)
        flat = grad.reshape(groups.shape)
        grad_value = shares.transpose(1, 2) @ flat
        grad_scores = torch._softmax_backward_data(flat @ value.transpose(1, 2), shares, -1, shares.dtype)
        if slope is not None:
            grad_scores = grad_scores.mul_(slope)
        grad_query = (grad_scores @ key).mul_(ctx.scale).view_as(grad)
        return grad_query, grad_scores.transpose(1, 2) @ groups, grad_value, None, None, None

    @staticmethod
    def shares(
        groups: torch.Tensor, key: torch.Tensor, mask: torch.Tensor, cap: float, *, with_slope: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """How much each token looks at each other, (key heads, queries of its group · T, T); and, where a cap bends the
        scores, the slope 1 − tanh² of the bend."""
        scores = groups @ key.transpose(1, 2)
        slope = None
        if cap:
            scores = scores.div_(cap).tanh_()
            slope = 1 - scores * scores if with_slope else None
            scores = scores.mul_(cap)
        scores.view(len(key), -1, *mask.shape).add_(mask)
        return scores.softmax(-1), slope
