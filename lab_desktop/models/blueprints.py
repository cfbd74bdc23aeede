"""A student's header read into a `families.Blueprint`, or refused.

A header comes from anywhere: every number is held against what can be, every tensor against the shape that the numbers
give it, and what the family's class would not compute as llama.cpp does is named. Reads headers only.

Source: llama.cpp src/models/*.cpp for the keys and their defaults, ggml for the rotary positions.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from lab_desktop.errors import ModelError
from lab_desktop.models.families import FAMILIES, KINDS, Blueprint, Family, Rotation, require_family, tensor_name
from lab_desktop.models.gguf import GgufFile, read_tensor
from lab_desktop.models.kinds import require_one_network

_ROPE_TENSORS = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}
_MOST_LAYERS = 1024


def blueprint(file: GgufFile) -> Blueprint:
    """Read a student's header.

    Raises:
        ModelError: it is no language model, of a family or built in a way that cannot be trained, or the header
            contradicts itself.
    """
    require_one_network(file)
    require_family(file.path.name, file.architecture)
    family = FAMILIES[file.architecture]
    layers = _count(file, "block_count")
    if layers > _MOST_LAYERS:
        raise _damaged(file, f"it announces {layers} layers")
    width, heads = _count(file, "embedding_length"), _count(file, "attention.head_count")
    key_heads = _count(file, "attention.head_count_kv", heads)
    head_width = _count(file, "attention.key_length", max(1, width // heads))
    rotated = _count(file, "rope.dimension_count", head_width)
    embedding = file.tensors.get("token_embd.weight")
    if heads % key_heads or rotated > head_width or rotated % 2:
        raise _damaged(file, f"it announces {heads} heads over {key_heads}, and turns {rotated} of {head_width}")
    if _count(file, "attention.value_length", head_width) != head_width:
        raise _unusual(file, "keys and values of different width")
    if rotated != head_width and family.architecture != "phi3":
        raise _unusual(file, "partly rotated heads")
    scales = _scales(file, family, layers, width, heads, head_width)
    plan = Blueprint(
        file=file,
        family=family,
        layers=layers,
        width=width,
        inner=_count(file, "feed_forward_length"),
        vocabulary=embedding.shape[0] if embedding else 0,
        context=_count(file, "context_length"),
        heads=heads,
        key_heads=key_heads,
        head_width=head_width,
        rotated=rotated,
        theta=_positive(file, "rope.freq_base", 10000.0),
        epsilon=_positive(file, "attention.layer_norm_rms_epsilon"),
        is_tied="output.weight" not in file.tensors,
        windows=(0,) * layers,
        rotations=(),
        **scales,
    )
    _require_tensors(plan)
    windows = _windows(file, family, layers)
    with np.errstate(all="ignore"):  # a base or factor that cannot be is found in the result
        return dataclasses.replace(plan, windows=windows, rotations=_rotations(plan, windows))


def _scales(file: GgufFile, family: Family, layers: int, width: int, heads: int, head_width: int) -> dict[str, float]:
    plain = head_width**-0.5
    scales = {
        "embedding_scale": 1.0,
        "residual_scale": 1.0,
        "attention_scale": plain,
        "attention_cap": 0.0,
        "logit_divisor": 1.0,
        "logit_cap": 0.0,
    }
    if family.architecture == "granite":
        if not file.setting("rope.scaling.finetuned", True):
            raise _unusual(file, "no positions")
        scales["embedding_scale"] = _number(file, "embedding_scale", 0.0) or 1.0
        scales["residual_scale"] = _number(file, "residual_scale", 0.0) or 1.0
        scales["attention_scale"] = _number(file, "attention.scale", 0.0) or plain
        scales["logit_divisor"] = _positive(file, "logit_scale")
    if family.norm_offset:
        scales["embedding_scale"] = width**0.5
        # The largest of each generation divides by the width that its heads would have without their own.
        if layers == {"gemma2": 46, "gemma3": 62}[family.architecture]:
            scales["attention_scale"] = (width / heads) ** -0.5
    if family.architecture == "gemma2":
        scales["attention_cap"] = _number(file, "attn_logit_softcapping", 50.0)
        scales["logit_cap"] = _number(file, "final_logit_softcapping", 30.0)
    if family.architecture == "gemma3":
        scales["logit_cap"] = _number(file, "final_logit_softcapping", 0.0)
    return scales


def _windows(file: GgufFile, family: Family, layers: int) -> tuple[int, ...]:
    if not family.window_every:
        return (0,) * layers
    window = int(_number(file, "attention.sliding_window", 4096 if family.architecture == "gemma2" else 0))
    slides = file.setting("attention.sliding_window_pattern", family.window_every)
    if not isinstance(slides, list):
        every = _count(file, "attention.sliding_window_pattern", family.window_every)
        slides = [layer % every < every - 1 for layer in range(layers)]
    if window < 0 or len(slides) != layers:
        raise _damaged(file, "its windows cannot be")
    return tuple(window if each else 0 for each in slides)


def _rotations(plan: Blueprint, windows: tuple[int, ...]) -> tuple[Rotation, ...]:
    # Without a scaling type llama.cpp stretches by the factor, if there is one.
    file, architecture = plan.file, plan.family.architecture
    places = np.arange(0, plan.rotated, 2, dtype=np.float32) / np.float32(plan.rotated)
    speeds = 1.0 / plan.theta**places
    strength = _positive(file, "rope.scaling.attn_factor", 1.0)
    scaling = file.setting("rope.scaling.type", "linear")
    if scaling not in ("none", "linear", "longrope"):
        raise _unusual(file, f'a context stretched by "{str(scaling)[:40]}"')
    # Rows are no longer than the context the model had before it was stretched, so the short factors are its own.
    short = architecture == "phi3" or scaling == "longrope"
    factors = "rope_factors_short.weight" if short else "rope_freqs.weight"
    if factors in file.tensors and architecture in ("llama", "granite", "phi3"):
        if file.tensors[factors].shape != speeds.shape:
            raise _damaged(file, "its rotations have another number than its heads")
        speeds = speeds / read_tensor(file, factors)
    if scaling != "none":
        speeds = speeds / (_number(file, "rope.scaling.factor", _number(file, "rope.scale_linear", 0.0)) or 1.0)
    everywhere = nearby = Rotation(speeds.astype(np.float32), strength)
    if architecture == "gemma3":
        base = _positive(file, "rope.freq_base_swa", 10000.0)
        nearby = Rotation((1.0 / base**places).astype(np.float32), strength)
    if not all(np.isfinite(each.speeds).all() and each.speeds.min() > 0 for each in (everywhere, nearby)):
        raise _damaged(file, "its rotations cannot be")
    return tuple(nearby if window else everywhere for window in windows)


def _require_tensors(plan: Blueprint) -> None:
    file, wanted = plan.file, {}
    if plan.layers * len(plan.family.linear) > len(file.tensors):
        raise _damaged(file, f"it announces {plan.layers} layers and does not have them")
    for name, shape in plan.weights.items():
        tensor = tensor_name(plan, name) or name
        wanted[tensor] = shape
        if tensor in file.tensors and file.tensors[tensor].shape != shape:
            raise _damaged(file, f'"{tensor}" has another shape than its header says')
        if tensor not in file.tensors and not tensor.endswith(".bias"):
            raise _damaged(file, f'it lacks "{tensor}"')
    if strange := sorted(file.tensors.keys() - wanted.keys() - _ROPE_TENSORS):
        raise _unusual(file, f'parts that others of its family do not have ("{strange[0]}")')


def _count(file: GgufFile, key: str, default: int | None = None) -> int:
    value = file.setting(key, default)
    if isinstance(value, list):
        if any(each != value[0] for each in value):
            raise _unusual(file, "layers that differ from each other")
        value = value[0] if value else 0
    if not isinstance(value, int) or not 0 < value < 1 << 31:
        raise _cannot_be(file, key, value)
    return value


def _number(file: GgufFile, key: str, default: float | None = None) -> float:
    value = file.setting(key, default)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise _cannot_be(file, key, value)
    return float(value)


def _positive(file: GgufFile, key: str, default: float | None = None) -> float:
    value = _number(file, key, default)
    if value <= 0:
        raise _cannot_be(file, key, value)
    return value


def _cannot_be(file: GgufFile, key: str, value: Any) -> ModelError:
    return _damaged(file, f"its {key.replace('_', ' ')} is {repr(value)[:40]}")


def _damaged(file: GgufFile, why: str) -> ModelError:
    return ModelError(f'"{file.path.name}" is damaged: {why}.', "Download it again, or choose another file.")


def _unusual(file: GgufFile, what: str) -> ModelError:
    return ModelError(
        f'"{file.path.name}" has {what}, which cannot be taught here. It may still chat and write practice questions.',
        f"To teach, choose one of these: {KINDS}.",
    )
