"""A student in mlx-lm's class for its family: weights from a GGUF, tensor by tensor, and layers called on a pack.

mlx-lm's classes rotate and mask by a cache that says how many tokens came before. A pack is a tree of tokens, so here
the "cache" says each token's own place instead and keeps nothing, and a layer's rotary positions are those that the
file means. Nothing else of the classes is replaced.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from lab_desktop.errors import ModelError
from lab_desktop.models.families import Blueprint, Rotation, config, read_weight

_GROUP = 64
"""So many weights share a scale where they are kept in few bits; 32 where a layer's width is no multiple of 64."""
_LAYER_BITS = 4
_VOCABULARY_BITS = 8
"""The embedding is often the output layer as well, where four bits would be heard in every word."""


class Student:
    """A frozen model that is called layer by layer.

    Attributes:
        plan: what the file says about it.
        layers: mlx-lm's layers; their linear modules may be replaced.
        precision: of its weights (where they are not in few bits) and of all activations.
        windows: those that its layers have, each once (`Blueprint.windows`).
    """

    def __init__(self, plan: Blueprint, precision: Any, *, few_bits: bool = False) -> None:
        """Load the weights.

        Args:
            precision: mlx.core.bfloat16 or float32.
            few_bits: keep layers in four bits and the vocabulary in eight (QLoRA, arXiv:2305.14314, with plain
                rounding in groups of 64).

        Raises:
            ModelError: as in `read_weight`, or the installed mlx-lm builds this family otherwise.
        """
        self.plan = plan
        self.precision = precision
        self._model = _empty_model(plan)
        for name in plan.weights:
            path, _, kind = name.rpartition(".")
            module = self.module(path)
            module[kind] = _read(plan, name, precision)
            if few_bits and kind == "weight" and hasattr(module, "to_quantized"):
                self._compress(path, module)
        mx.clear_cache()
        self.layers: list[Any] = self._model.model.layers
        for layer, rotation in zip(self.layers, plan.rotations, strict=True):
            layer.self_attn.rope = _Rotation(rotation)
        self.windows = sorted(set(plan.windows))

    def module(self, path: str) -> Any:
        """The part of this name: "model.layers.0.mlp.up_proj"; "" is the model."""
        here = self._model
        for part in filter(None, path.split(".")):
            here = here[int(part)] if part.isdigit() else here[part]
        return here

    def replace(self, path: str, part: Any) -> None:
        """Put something else that can be called in the place of a module."""
        parent, _, last = path.rpartition(".")
        setattr(self.module(parent), last, part)

    def embed(self, tokens: Any) -> Any:
        """(T,) → (1, T, width)."""
        hidden = self._model.model.embed_tokens(tokens)[None]
        return hidden if self.plan.embedding_scale == 1.0 else hidden * self.plan.embedding_scale

    def call(self, number: int, hidden: Any, masks: Sequence[Any], place: Place) -> Any:
        """Layer `number`: (1, T, width) → (1, T, width).

        Args:
            masks: (1, 1, T, T) bool, what a token sees, for each of `windows`.
        """
        mask = masks[self.windows.index(self.plan.windows[number])]
        return self.layers[number](hidden, mask, place)

    def norm(self, hidden: Any) -> Any:
        """(1, T, width), the last layer's output → (T, width)."""
        return self._model.model.norm(hidden)[0]

    def logits(self, hidden: Any) -> Any:
        """(N, width), normed → (N, vocabulary) float32."""
        model = self._model
        raw = model.model.embed_tokens.as_linear(hidden) if self.plan.is_tied else model.lm_head(hidden)
        scores = raw.astype(mx.float32)
        if self.plan.logit_divisor != 1.0:
            scores = scores / self.plan.logit_divisor
        if self.plan.logit_cap:
            scores = mx.tanh(scores / self.plan.logit_cap) * self.plan.logit_cap
        return scores

    def _compress(self, path: str, module: Any) -> None:
        width = module["weight"].shape[-1]
        group = next((size for size in (_GROUP, 32) if width % size == 0), None)
        if group is None:
            return
        bits = _LAYER_BITS if ".layers." in path else _VOCABULARY_BITS
        small = module.to_quantized(group_size=group, bits=bits)
        mx.eval(small.parameters())
        self.replace(path, small)


class Place:
    """What mlx-lm's attention takes for its cache: here it tells each token its own position and keeps nothing.

    Attributes:
        offset: (T,) int32, the tokens' positions in their rows.
    """

    def __init__(self, offset: Any) -> None:
        self.offset = offset

    def update_and_fetch(self, keys: Any, values: Any) -> tuple[Any, Any]:
        """Keys and values as they are."""
        return keys, values


class _Rotation:
    """Rotary positions (RoFormer, arXiv:2104.09864) of tokens that each have a position of their own."""

    def __init__(self, rotation: Rotation) -> None:
        self._periods = mx.array(1.0 / rotation.speeds)
        self._width = 2 * len(rotation.speeds)
        self._strength = rotation.strength

    def __call__(self, x: Any, offset: Any) -> Any:
        """(1, heads, T, head width), (T,) → (1, heads, T, head width)."""
        if self._strength != 1.0:
            turned = x[..., : self._width] * self._strength
            x = mx.concatenate([turned, x[..., self._width :]], -1)
        # A position for each member of a batch is what mlx knows, so tokens take the batch's place.
        each = x.transpose(2, 1, 0, 3)
        turned = mx.fast.rope(
            each, self._width, traditional=False, base=None, scale=1.0, offset=offset, freqs=self._periods
        )
        return turned.transpose(2, 1, 0, 3)


def _empty_model(plan: Blueprint) -> Any:
    """mlx-lm's model with weights that are not made yet.

    Raises:
        ModelError: it is built otherwise than the file says.
    """
    if "mlx_lm" not in sys.modules:
        # The package's own beginning imports transformers and with it torch: seconds and hundreds of megabytes for
        # nothing. Its model classes need neither, so the package is entered past it.
        found = importlib.util.find_spec("mlx_lm")
        if found is None:
            raise ModelError("mlx-lm is not installed, so nothing can be trained with it.", "Install the app again.")
        sys.modules["mlx_lm"] = importlib.util.module_from_spec(found)
    classes = importlib.import_module(f"mlx_lm.models.{plan.family.model_type}")
    model = classes.Model(classes.ModelArgs.from_dict(config(plan)))
    if plan.is_tied:
        model.pop("lm_head", None)
    theirs = {name: tuple(values.shape) for name, values in tree_flatten(model.parameters())}
    odd = sorted(name for name, _ in theirs.items() ^ plan.weights.items())
    if plan.family.architecture == "gemma2" and not plan.attention_cap:  # its class cannot do without
        odd.append("attn_logit_softcapping")
    if odd:
        raise ModelError(
            f'"{plan.file.path.name}" is built unlike others of its family ("{odd[0]}"), so it cannot be taught here.',
            "Choose another student.",
        )
    return model


def _read(plan: Blueprint, name: str, precision: Any) -> Any:
    parts = []
    for _, rows in read_weight(plan, name):
        part = mx.array(rows).astype(precision)
        mx.eval(part)  # so that the rows in full precision can go
        parts.append(part)
    whole = parts[0] if len(parts) == 1 else mx.concatenate(parts)
    mx.eval(whole)
    return whole
