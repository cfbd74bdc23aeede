"""Model families: what the file of a student means, whatever library trains it.

    GgufFile ──blueprints.blueprint──► Blueprint
        config ──────────────► the family's configuration under Hugging Face's names
        weights, read_weight ► its weights under Hugging Face's names and in their order
        adapted ─────────────► the linear layers that get factors
        in_file_order ───────► what was learned, in the file's order again

A file keeps what llama.cpp wants, not what Hugging Face's classes do: other names, q and k rows interleaved for
families that rotate neighbouring pairs, norm weights with one added (Gemma), and numbers that a configuration would
hold (Granite's multipliers, soft caps, windows). This module is the one place that knows the differences. It computes
nothing and imports no model library; where llama.cpp and transformers differ, llama.cpp is right, for it is what will
answer.

Source: llama.cpp convert_hf_to_gguf.py and src/models/*.cpp; the configuration classes of transformers and mlx-lm.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile, read_rows, read_tensor
from lab_desktop.models.kinds import mixture

_ATTENTION = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
}
_FEED_FORWARD = {"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
_FUSED = {
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NORMS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
_FOUR_NORMS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
_HEAD_NORMS = {"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"}
_ENDS = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_SEPARATE = {**_ATTENTION, **_FEED_FORWARD}


@dataclass(frozen=True)
class Family:
    """Models that are built alike.

    Attributes:
        architecture: llama.cpp's name, the key general.architecture.
        model_type: Hugging Face's and mlx-lm's name.
        linear: linear layers of one layer, Hugging Face's name to the file's; all of them get factors.
        norms: norms of one layer, likewise.
        is_interleaved: q and k rows are stored in neighbouring pairs (LlamaModel.permute of llama.cpp's converter).
        norm_offset: the file's norm weights are Hugging Face's plus this.
        biased: linear layers that always have a bias in the classes, whatever the file says.
        may_have_bias: its configuration can give attention and feed-forward a bias.
        window_every: of so many layers all but the last see a window only, if the file names one; 0: never.
    """

    architecture: str
    model_type: str
    linear: dict[str, str]
    norms: dict[str, str]
    is_interleaved: bool = False
    norm_offset: float = 0.0
    biased: tuple[str, ...] = ()
    may_have_bias: bool = False
    window_every: int = 0


FAMILIES: dict[str, Family] = {
    family.architecture: family
    for family in (
        Family("llama", "llama", _SEPARATE, _NORMS, is_interleaved=True, may_have_bias=True),
        Family("granite", "granite", _SEPARATE, _NORMS, is_interleaved=True, may_have_bias=True),
        Family("qwen2", "qwen2", _SEPARATE, _NORMS, biased=_QKV),
        Family("qwen3", "qwen3", _SEPARATE, {**_NORMS, **_HEAD_NORMS}),
        Family("gemma2", "gemma2", _SEPARATE, _FOUR_NORMS, norm_offset=1.0, window_every=2),
        Family("gemma3", "gemma3_text", _SEPARATE, {**_FOUR_NORMS, **_HEAD_NORMS}, norm_offset=1.0, window_every=6),
        # llama.cpp does without Phi-3's window, so it is not trained with one.
        Family("phi3", "phi3", _FUSED, _NORMS),
    )
}
KINDS = "Llama 3, SmolLM2, Mistral, Granite 3, Qwen 2.5, Qwen 3, Gemma 2, Gemma 3, Phi-3 and Phi-4"
"""The families as a person knows them."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Rotary positions of a layer.

    Attributes:
        speeds: (rotated / 2,) float32, radians per position of each pair; dimension i turns with i + rotated / 2.
        strength: cosines and sines are multiplied by it.
    """

    speeds: np.ndarray
    strength: float = 1.0


@dataclass(frozen=True)
class Blueprint:
    """What a checked header says about a student.

    Attributes:
        file: the header.
        family: how it is built.
        layers, width, inner, vocabulary, context: counts; `inner` is the feed-forward's width.
        heads, key_heads, head_width: of attention; heads * head_width need not be `width`.
        rotated: dimensions of a head that are rotated, from the first.
        theta: base of the rotations' geometric series, before any stretching.
        epsilon: of the norms.
        is_tied: the output layer is the embedding.
        embedding_scale: embeddings are multiplied by it before the first layer.
        residual_scale: what attention and feed-forward give is multiplied by it before it is added.
        attention_scale: q·k is multiplied by it.
        attention_cap: scores become cap · tanh(score / cap) before the mask; 0: none.
        logit_divisor: logits are divided by it.
        logit_cap: logits become cap · tanh(logit / cap); 0: none.
        windows: for each layer how many tokens back it sees, itself included; 0: all.
        rotations: for each layer its rotary positions; layers that turn alike share one object.
    """

    file: GgufFile
    family: Family
    layers: int
    width: int
    inner: int
    vocabulary: int
    context: int
    heads: int
    key_heads: int
    head_width: int
    rotated: int
    theta: float
    epsilon: float
    is_tied: bool
    embedding_scale: float
    residual_scale: float
    attention_scale: float
    attention_cap: float
    logit_divisor: float
    logit_cap: float
    windows: tuple[int, ...]
    rotations: tuple[Rotation, ...]

    @functools.cached_property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight and bias of the family's class by Hugging Face's name, such as
        "model.layers.0.mlp.up_proj.weight", in the model's order; without lm_head.weight where it is the embedding."""
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.width)}
        biased = self._biased
        linear, norms = self._linear, self._norms
        for layer in range(self.layers):
            for name, shape in linear.items():
                shapes[f"model.layers.{layer}.{name}.weight"] = shape
                if name in biased:
                    shapes[f"model.layers.{layer}.{name}.bias"] = shape[:1]
            for name, size in norms.items():
                shapes[f"model.layers.{layer}.{name}.weight"] = (size,)
        shapes["model.norm.weight"] = (self.width,)
        if not self.is_tied:
            shapes["lm_head.weight"] = (self.vocabulary, self.width)
        return shapes

    @property
    def adapted(self) -> dict[str, tuple[int, int]]:
        """(out, in) of every linear layer that gets factors, by Hugging Face's module name, in the model's order."""
        linear = self._linear
        return {f"model.layers.{layer}.{name}": shape for layer in range(self.layers) for name, shape in linear.items()}

    @property
    def has_attention_bias(self) -> bool:
        """Whether attention's linear layers have biases in the family's class."""
        return self._has_bias(_ATTENTION)

    @property
    def has_feed_forward_bias(self) -> bool:
        """Whether the feed-forward's linear layers have biases in the family's class."""
        return self._has_bias(_FEED_FORWARD)

    @property
    def _linear(self) -> dict[str, tuple[int, int]]:
        queries, keys = self.heads * self.head_width, self.key_heads * self.head_width
        known = {
            "self_attn.q_proj": (queries, self.width),
            "self_attn.k_proj": (keys, self.width),
            "self_attn.v_proj": (keys, self.width),
            "self_attn.qkv_proj": (queries + 2 * keys, self.width),
            "self_attn.o_proj": (self.width, queries),
            "mlp.gate_proj": (self.inner, self.width),
            "mlp.up_proj": (self.inner, self.width),
            "mlp.gate_up_proj": (2 * self.inner, self.width),
            "mlp.down_proj": (self.width, self.inner),
        }
        return {name: known[name] for name in self.family.linear}

    @property
    def _norms(self) -> dict[str, int]:
        return {name: self.head_width if name in _HEAD_NORMS else self.width for name in self.family.norms}

    @property
    def _biased(self) -> set[str]:
        attention = _ATTENTION if self.has_attention_bias else {}
        return {*self.family.biased, *attention, *(_FEED_FORWARD if self.has_feed_forward_bias else {})}

    def _has_bias(self, modules: dict[str, str]) -> bool:
        return self.family.may_have_bias and any(f"blk.0.{name}.bias" in self.file.tensors for name in modules.values())


def config(plan: Blueprint) -> dict[str, Any]:
    """The model's config.json: what transformers' and mlx-lm's configuration classes take.

    Rotary positions are given as far as a plain base frequency says them; `Blueprint.rotations` has them in full.
    """
    given: dict[str, Any] = {
        "model_type": plan.family.model_type,
        "vocab_size": plan.vocabulary,
        "hidden_size": plan.width,
        "intermediate_size": plan.inner,
        "num_hidden_layers": plan.layers,
        "num_attention_heads": plan.heads,
        "num_key_value_heads": plan.key_heads,
        "head_dim": plan.head_width,
        "rms_norm_eps": plan.epsilon,
        "max_position_embeddings": plan.context,
        "rope_theta": plan.theta,
        "tie_word_embeddings": plan.is_tied,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id")),
    }
    if plan.family.may_have_bias:
        given |= {"attention_bias": plan.has_attention_bias, "mlp_bias": plan.has_feed_forward_bias}
    if plan.family.architecture == "granite":
        given |= {
            "embedding_multiplier": plan.embedding_scale,
            "residual_multiplier": plan.residual_scale,
            "attention_multiplier": plan.attention_scale,
            "logits_scaling": plan.logit_divisor,
        }
    if plan.family.norm_offset:
        given |= {
            "hidden_activation": "gelu_pytorch_tanh",
            "query_pre_attn_scalar": round(plan.attention_scale**-2),
            "attn_logit_softcapping": plan.attention_cap or None,
            "final_logit_softcapping": plan.logit_cap or None,
            "sliding_window": max(plan.windows) or plan.context,
            "sliding_window_pattern": plan.family.window_every,
            "layer_types": ["sliding_attention" if window else "full_attention" for window in plan.windows],
        }
    if plan.rotated != plan.head_width:
        given["partial_rotary_factor"] = plan.rotated / plan.head_width
    return given


def layer_of(name: str) -> int:
    """The layer that a module or weight of `Blueprint.adapted` is in, from 0."""
    return int(name.split(".")[2])


def tensor_name(plan: Blueprint, name: str) -> str | None:
    """The file's name of a weight, bias or (without suffix) module: "model.layers.0.self_attn.q_proj.weight" is
    "blk.0.attn_q.weight". None where the family has no such part."""
    module, suffix = name, ""
    if name.endswith((".weight", ".bias")):
        module, _, kind = name.rpartition(".")
        suffix = f".{kind}"
    if module in _ENDS:
        return _ENDS[module] + suffix
    model, _, rest = module.partition("model.layers.")
    number, _, part = rest.partition(".")
    found = {**plan.family.linear, **plan.family.norms}.get(part)
    if model or found is None or not number.isdecimal() or int(number) >= plan.layers:
        return None
    return f"blk.{int(number)}.{found}{suffix}"


def read_weight(plan: Blueprint, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """A weight as the family's class wants it, some rows at a time: (number of the first row, (rows, …) float32).

    Only a block of rows is in memory (of q and k all), so a model is loaded without a second copy. A bias that the
    file lacks is zero.

    Args:
        name: of `Blueprint.weights`.

    Raises:
        ModelError: as in `gguf.read_tensor`.
    """
    tensor = tensor_name(plan, name) or name
    module, _, kind = name.rpartition(".")
    shape = plan.weights[name]
    if kind == "bias" and tensor not in plan.file.tensors:
        yield 0, np.zeros(shape, np.float32)
    elif heads := _interleaved_heads(plan, module):
        values = read_tensor(plan.file, tensor)
        yield 0, values.reshape(heads, -1, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
    elif len(shape) == 2:
        yield from read_rows(plan.file, tensor)
    else:
        is_norm = module.rpartition(".")[2].endswith("norm")
        yield 0, read_tensor(plan.file, tensor) - np.float32(plan.family.norm_offset if is_norm else 0.0)


def in_file_order(plan: Blueprint, module: str, rows: np.ndarray) -> np.ndarray:
    """Rows of a linear layer's output (B of its factors, say) where the file has them; the inverse of `read_weight`.

    Args:
        module: Hugging Face's name, "model.layers.0.self_attn.q_proj".
        rows: (out, …).
    """
    heads = _interleaved_heads(plan, module)
    if not heads:
        return rows
    return np.ascontiguousarray(rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape))


def require_family(name: str, architecture: str) -> None:
    """Refuse a family that cannot be trained, knowing only a file's name and what a catalogue says about it.

    Raises:
        ModelError: names the families that can.
    """
    if "moe" in architecture.lower():
        raise mixture(name)
    if architecture not in FAMILIES:
        kind = f'of the kind "{architecture[:40]}"' if architecture else "of an unknown kind"
        raise ModelError(
            f'"{name}" is {kind}, which cannot be taught here. It may still chat and write practice questions.',
            f"To teach, choose one of these: {KINDS}.",
        )


def _interleaved_heads(plan: Blueprint, module: str) -> int:
    """Heads whose rows the file has in neighbouring pairs; 0: the rows are in order."""
    if not plan.family.is_interleaved:
        return 0
    return {"q_proj": plan.heads, "k_proj": plan.key_heads}.get(module.rpartition(".")[2], 0)
