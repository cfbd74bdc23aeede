"""Base + scale·B·A, block by block into a new GGUF: one file that needs no adapter.

Memory holds one block of rows, whatever the model's size; the base's metadata (tokenizer, chat template, …) is taken
over byte for byte. The base and the adapter are only read.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lab_desktop.artifacts import Adapter, ExportedModel
from lab_desktop.errors import ExportError
from lab_desktop.export.adapter import Factors, fingerprint, read_factors, read_shipped
from lab_desktop.export.verified import MADE_FROM, verified
from lab_desktop.hardware import has_fast_bf16
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import GgufFile, TensorInfo, raw_tensor, read_header, read_rows

# llama.cpp's numbers of a whole file (llama_ftype) and of a tensor (ggml_type), and the bytes of a value.
_TYPES: dict[str, tuple[int, int, int]] = {"F32": (0, 0, 4), "F16": (1, 1, 2), "BF16": (32, 30, 2)}
_F16_LIMIT = 65504.0
_GGUF_UINT32, _GGUF_STRING = 4, 8


@dataclass(frozen=True)
class _Part:
    """A tensor of the new file.

    Attributes:
        info: the base's tensor.
        type: ggml type number in the new file.
        size_bytes: in the new file.
        change: what was learned for it, or None.
        is_copied: its bytes are the base's.
    """

    info: TensorInfo
    type: int
    size_bytes: int
    change: Factors | None
    is_copied: bool


def fuse(adapter: Adapter, target: Path, run: Run, quantization: str = "F16") -> ExportedModel:
    """Write base + scale·B·A to `target`.

    Weights with two dimensions are stored as `quantization` ("F16", "BF16" or "F32"); norms and everything else as the
    base has them. A quantised base is de-quantised first. A value beyond F16's range (±65504) is set to its limit,
    since infinity would silence the model, and a notice says how many were.

    Cost: reads the base once, writes the new file once; memory for one block of rows (a few MB) and the adapter.
    Source: LoRA (arXiv:2106.09685), section 4.1; names and row order as in `adapter.read_factors`.

    Raises:
        ExportError: the adapter does not fit (`read_factors`), the base holds values that are not numbers, or the new
            model does not answer.
        ModelError: the base is missing or damaged.
        StorageError: too little space, or the disk failed; nothing is left.
        Cancelled: asked for between blocks; nothing is left.
    """
    run.stop_if_cancelled()
    base = read_header(adapter.base)
    return _fuse(base, read_factors(adapter, base), adapter.scale, target, run, quantization, fingerprint(adapter))


def fuse_shipped(adapter: Path, base: Path, target: Path, run: Run) -> ExportedModel:
    """Write base + adapter to `target`, from an adapter in llama.cpp's own form.

    As BF16 where the processor multiplies it in hardware, else as F16: both are several times as fast there as a 4-bit
    base with an adapter beside it.

    Raises:
        As `fuse`; ExportError where the adapter does not fit the base (`read_shipped`).
    """
    header = read_header(base)
    factors, scale = read_shipped(adapter, header)
    quantization = "BF16" if has_fast_bf16() else "F16"
    made_from = shipped_fingerprint(adapter, base)
    return _fuse(header, factors, scale, target, run, quantization, made_from, "Preparing the teacher")


def shipped_fingerprint(adapter: Path, base: Path) -> str:
    """Names what `fuse_shipped` makes a file from."""
    digest = hashlib.sha256(adapter.read_bytes())
    digest.update(f"{base.name} {base.stat().st_size}".encode())
    return digest.hexdigest()


def _fuse(
    base: GgufFile,
    factors: dict[str, Factors],
    scale: float,
    target: Path,
    run: Run,
    quantization: str,
    made_from: str,
    doing: str = "Writing the new model",
) -> ExportedModel:
    parts = _plan(base, factors, quantization)
    header = _header(base, parts, _model_name(target, quantization, base), quantization, made_from)
    size = len(header) + sum(_padded(part.size_bytes, base) for part in parts)
    beyond = 0
    with verified(target, size, "The new model") as temporary:
        with open(temporary, "wb") as stream:
            stream.write(header)
            for number, part in enumerate(parts):
                run.progress(doing, number, len(parts))
                beyond += _write_tensor(stream, base, part, scale, run)
                stream.write(bytes(_padded(part.size_bytes, base) - part.size_bytes))
        run.stop_if_cancelled()
    run.progress(doing, len(parts), len(parts))
    if beyond:
        run.notice(f"{beyond} weights were too large for {quantization} and were set to the largest value it can hold.")
    return ExportedModel(target, quantization, target.stat().st_size)


def _plan(base: GgufFile, factors: dict[str, Factors], quantization: str) -> list[_Part]:
    if quantization not in _TYPES:
        raise ExportError(
            f'A new model is first written as {", ".join(_TYPES)}, not as "{quantization}".',
            "Export it as F16, then make it smaller.",
        )
    _, type_number, value_bytes = _TYPES[quantization]
    parts = []
    for info in base.tensors.values():
        change = factors.get(info.name)
        is_weight = len(info.shape) == 2 and info.name.endswith(".weight")
        if is_weight and (change is not None or info.type != type_number):
            size = info.shape[0] * info.shape[1] * value_bytes
            parts.append(_Part(info, type_number, size, change, is_copied=False))
        else:
            parts.append(_Part(info, info.type, info.size_bytes, None, is_copied=True))
    return parts


def _write_tensor(stream: BinaryIO, base: GgufFile, part: _Part, scale: float, run: Run) -> int:
    """Write one tensor's data; returns how many values were beyond the type's range."""
    if part.is_copied:
        stream.write(np.ascontiguousarray(raw_tensor(base, part.info.name)).data)
        return 0
    beyond = 0
    for start, values in read_rows(base, part.info.name):
        run.stop_if_cancelled()
        if part.change is not None:
            values = values + (scale * part.change.b[start : start + len(values)]) @ part.change.a
        largest = max(-float(values.min()), float(values.max()))
        if not np.isfinite(largest):
            raise ExportError(
                f'The weights "{part.info.name}" of the new model are not all numbers, so it was not written. '
                "The original model and what was learned are untouched.",
                "Train again; if that does not help, download the original model again.",
            )
        if part.type == _TYPES["BF16"][1]:
            values = _bfloat16(values)
        elif part.type == _TYPES["F16"][1]:
            if largest > _F16_LIMIT:
                beyond += int(np.count_nonzero(np.abs(values) > _F16_LIMIT))
                values = values.clip(-_F16_LIMIT, _F16_LIMIT)
            values = values.astype(np.float16)
        stream.write(np.ascontiguousarray(values).data)
    return beyond


def _bfloat16(values: np.ndarray) -> np.ndarray:
    """The upper half of each float32, rounded to the nearest, to the even one in the middle: uint16."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded: np.ndarray = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return rounded


def _header(base: GgufFile, parts: list[_Part], name: str, quantization: str, made_from: str) -> bytes:
    """Everything before the first tensor's data, padding included.

    gguf's reader and writer turn every token into a Python object (2.3 s for 49,000 tokens, where the whole fuse takes
    one), so the few bytes are put together here. Format: version 3 of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """
    ours = {
        "general.name": struct.pack("<I", _GGUF_STRING) + _text(name),
        "general.file_type": struct.pack("<II", _GGUF_UINT32, _TYPES[quantization][0]),
        MADE_FROM: struct.pack("<I", _GGUF_STRING) + _text(made_from),
    }
    keys = []
    with open(base.path, "rb") as stream:
        for key, (start, end) in base.metadata_bytes.items():
            stream.seek(start)
            keys.append(_text(key) + ours.pop(key) if key in ours else stream.read(end - start))
    keys += [_text(key) + value for key, value in ours.items()]
    tensors, offset = [], 0
    for part in parts:
        shape = part.info.shape
        tensors.append(
            _text(part.info.name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], part.type, offset)
        )
        offset += _padded(part.size_bytes, base)
    header = b"".join([b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(keys)), *keys, *tensors])
    return header + bytes(_padded(len(header), base) - len(header))


def _model_name(target: Path, quantization: str, base: GgufFile) -> str:
    # "island-F16" is called "island"; so is ".island-F16", the hidden step to a smaller file.
    name = target.stem.removeprefix(".").removesuffix(f"-{quantization}")
    # By these names alone llama.cpp knows that Phi-3's control tokens swallow the spaces after them.
    before = str(base.metadata.get("general.name", "")).lower()
    special = next((each for each in ("phi-3", "phi3") if each in before and each not in name.lower()), None)
    return name if special is None else f"{name} ({special})"


def _text(value: str) -> bytes:
    data = value.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _padded(size: int, base: GgufFile) -> int:
    alignment = int(base.metadata.get("general.alignment", 32))
    return -(-size // alignment) * alignment
