"""What was learned, as llama.cpp wants it: names and row order of the base's tensors, and adapter.gguf beside the base.

Reads adapter.safetensors (Hugging Face names and row order) and the base's header; writes adapter.gguf. How the two
orders differ is `models.families`' subject. It does not know what a fused model is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import load_file

from lab_desktop.artifacts import Adapter
from lab_desktop.errors import ExportError, ModelError
from lab_desktop.export.verified import MADE_FROM, verified
from lab_desktop.jobs.run import Run
from lab_desktop.models.blueprints import blueprint
from lab_desktop.models.families import in_file_order, tensor_name
from lab_desktop.models.gguf import GgufFile, read_header, read_tensor


@dataclass(frozen=True)
class Factors:
    """The update of one linear layer, scale·B·A, in the row order of the base's tensor.

    Attributes:
        a: (rank, in) float32.
        b: (out, rank) float32.
    """

    a: np.ndarray
    b: np.ndarray


def read_factors(adapter: Adapter, base: GgufFile) -> dict[str, Factors]:
    """The adapter's factors by the base's tensor names, e.g. "blk.0.attn_q.weight", checked against the base's shapes.

    Raises:
        ExportError: the base is of a family that cannot be trained; the adapter is missing, unreadable, empty, holds a
            value that is not a number, or does not fit the base.
    """
    try:
        plan = blueprint(base)
    except ModelError as error:
        raise ExportError(f"{error.message} What was learned is safe.", error.hint, error.details) from error
    arrays = _read_arrays(adapter)
    modules = {key.removesuffix(".lora_a").removesuffix(".lora_b") for key in arrays}
    if not modules:
        raise _unusable(adapter, "it is empty")
    found: dict[str, Factors] = {}
    for module in sorted(modules):
        a, b = arrays.get(f"{module}.lora_a"), arrays.get(f"{module}.lora_b")
        if a is None or b is None:
            raise _unusable(adapter, f'"{module}" has only one of its two parts')
        shape = plan.weights.get(f"{module}.weight", ())
        # An embedding is looked up, not multiplied: llama.cpp wants its factors transposed, and we never train one.
        if len(shape) != 2 or module == "model.embed_tokens":
            raise _unusable(adapter, f'it changes "{module}", which "{base.path.name}" does not have')
        if a.shape != (adapter.rank, shape[1]) or b.shape != (shape[0], adapter.rank):
            raise _unusable(
                adapter,
                f'"{module}" has the shapes {b.shape} and {a.shape} at rank {adapter.rank}, '
                f"and the model's own is {shape}",
            )
        found[f"{tensor_name(plan, module)}.weight"] = Factors(a, in_file_order(plan, module, b))
    return found


def read_shipped(path: Path, base: GgufFile) -> tuple[dict[str, Factors], float]:
    """(factors, scale) of an adapter in llama.cpp's own form, checked against the base's shapes.

    Raises:
        ExportError: it is no adapter, or does not fit the base.
        ModelError: the file is missing or damaged.
    """
    file = read_header(path)
    alpha = file.metadata.get("adapter.lora.alpha")
    names = {name.removesuffix(".lora_a").removesuffix(".lora_b") for name in file.tensors}
    found: dict[str, Factors] = {}
    for name in sorted(names):
        if not file.tensors.keys() >= {f"{name}.lora_a", f"{name}.lora_b"} or name not in base.tensors:
            raise _misfit(path, base)
        a, b = (read_tensor(file, f"{name}.lora_{part}").astype(np.float32) for part in "ab")
        if a.ndim != 2 or b.ndim != 2 or (b.shape[0], a.shape[1]) != tuple(base.tensors[name].shape):
            raise _misfit(path, base)
        if a.shape[0] != b.shape[1] or not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise _misfit(path, base)
        found[name] = Factors(a, b)
    ranks = {factors.a.shape[0] for factors in found.values()}
    if len(ranks) != 1 or not isinstance(alpha, float | int):
        raise _misfit(path, base)
    return found, float(alpha) / ranks.pop()


def _misfit(path: Path, base: GgufFile) -> ExportError:
    return ExportError(
        f'"{path.name}" is not an adapter for {base.path.name}.', "Install the app again; the model itself is fine."
    )


def fingerprint(adapter: Adapter) -> str:
    """Names what a file was made from: changes when the adapter, its scale or its base changes.

    The base counts by its name and size only, because hashing gigabytes would take longer than making the file.

    Raises:
        ExportError: there is no adapter.
    """
    try:
        with open(adapter.weights, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        size = adapter.base.stat().st_size if adapter.base.exists() else 0
    except OSError as error:
        raise _unreadable(adapter, error) from error
    digest.update(f"{adapter.rank} {adapter.scale!r} {adapter.base.name} {size}".encode())
    return digest.hexdigest()


def write_adapter(adapter: Adapter, run: Run, *, sixteen_bit: bool = False) -> Path:
    """Write adapter/adapter.gguf, which llama.cpp loads beside the base: chat with the new model at once.

    Args:
        sixteen_bit: half the size, for an adapter that is shipped; else float32, as it was trained.

    Raises:
        ExportError: as in `read_factors`, or llama.cpp does not answer with it.
        StorageError: the disk is full or not writable.
        Cancelled: the person asked to stop; nothing is left.
    """
    import gguf

    run.stop_if_cancelled()
    run.progress("Writing the adapter", 0, 1)
    base = read_header(adapter.base)
    factors = read_factors(adapter, base)
    precision = np.float16 if sixteen_bit else np.float32
    size = sum(factor.a.nbytes + factor.b.nbytes for factor in factors.values()) + 1024 * len(factors)
    with verified(adapter.gguf, size, "The adapter", base=adapter.base) as temporary:
        writer = gguf.GGUFWriter(temporary, base.architecture)
        try:
            writer.add_type(gguf.GGUFType.ADAPTER)
            writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
            # llama.cpp divides by the rank again: scale = alpha / rank.
            writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, adapter.scale * adapter.rank)
            writer.add_string(MADE_FROM, fingerprint(adapter))
            for name, factor in factors.items():
                writer.add_tensor(f"{name}.lora_a", factor.a.astype(precision))
                writer.add_tensor(f"{name}.lora_b", factor.b.astype(precision))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()
        run.stop_if_cancelled()
    run.progress("Writing the adapter", 1, 1)
    return adapter.gguf


def _read_arrays(adapter: Adapter) -> dict[str, np.ndarray]:
    try:
        arrays = load_file(adapter.weights)
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(adapter, error) from error
    for key, values in arrays.items():
        if not key.endswith((".lora_a", ".lora_b")) or values.ndim != 2:
            raise _unusable(adapter, f'"{key}" is no part of an adapter')
        if not np.isfinite(values).all():
            raise ExportError(
                f'What was learned holds values that are not numbers (in "{key}"), so no model was written. '
                "The original model is safe.",
                "Train again; if it happens again, choose another original.",
            )
    return {key: np.ascontiguousarray(values, dtype=np.float32) for key, values in arrays.items()}


def _unusable(adapter: Adapter, why: str) -> ExportError:
    return ExportError(
        f'What was learned ("{adapter.weights.name}" in {adapter.folder}) does not fit "{adapter.base.name}": {why}. '
        "No model was written.",
        "Train this student again, or choose the original model that it was trained on.",
    )


def _unreadable(adapter: Adapter, error: Exception) -> ExportError:
    return ExportError(
        f'What was learned cannot be read: "{adapter.weights.name}" in {adapter.folder} is missing or damaged.',
        "Train again; training goes on from its last save point.",
        str(error),
    )
