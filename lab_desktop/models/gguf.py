"""The GGUF file format: a header read with suspicion, and tensors as numpy arrays.

A model file comes from anywhere, so every count, length and offset of the header is held against the size of the file
before it is believed; nothing here allocates more than the file could justify. Tensor values are de-quantised by the
gguf package, one tensor at a time, from a memory map. This module knows the format, not what the tensors mean.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_desktop.errors import ModelError, is_want_of_memory

if TYPE_CHECKING:
    import numpy as np

_MOST_KEYS = 4096
_MOST_TENSORS = 65536
_LONGEST_NAME = 256
_MOST_DIMENSIONS = 4
_MOST_ITEMS = 1 << 22
"""In all lists together; the largest vocabularies with their merges have under two million."""
_LONGEST_TEXT = 1 << 24
_BLOCK_VALUES = 1 << 20


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies.

    Attributes:
        name: llama.cpp's name, e.g. "blk.0.attn_q.weight".
        shape: as numpy would have it, slowest dimension first: (out, in) for a linear layer.
        type: ggml type number (gguf.GGMLQuantizationType).
        offset: first byte in the file.
        size_bytes: bytes in the file.
    """

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class GgufFile:
    """A checked header.

    Attributes:
        path: the file.
        metadata: every key; arrays as lists.
        tensors: by name, in the file's order.
        metadata_bytes: where each key lies in the file with its type and value (first byte, one past the last), so
            that a new file can take it over unread.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, TensorInfo]
    metadata_bytes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """llama.cpp's name of the model family: "llama", "qwen2", …; "" when the file says none."""
        return str(self.metadata.get("general.architecture", ""))

    def setting(self, key: str, default: Any = None) -> Any:
        """An architecture's own key: setting("block_count") reads llama.block_count.

        Raises:
            ModelError: the key is missing and there is no default.
        """
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        if value is None:
            raise ModelError(
                f'"{self.path.name}" does not say its {key.replace("_", " ")}, so it cannot be used.',
                "Download the model again, or choose another file.",
            )
        return value


def read_header(path: Path) -> GgufFile:
    """Read and check the header of a GGUF file.

    Raises:
        ModelError: no such file, not a GGUF, an unknown version, a header that contradicts itself, or a file shorter
            than its header promises.
        MemoryError: the system does not give enough to look into it, which says nothing about the file.
    """
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, 2)
            if size < 24:
                raise _not_a_model(path, "it is too short")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Header(path, data, size).read()
    except FileNotFoundError:
        raise ModelError(f"There is no model file at {path}.", "Check the name, or download the model.") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder, not a model file.", "Choose the .gguf file inside it.") from None
    except OSError as error:
        if is_want_of_memory(error):
            raise MemoryError(str(error)) from error
        raise ModelError(
            f'"{path.name}" cannot be opened: {error.strerror}.', "Check the file and its permissions.", str(error)
        ) from error


def read_tensor(file: GgufFile, name: str) -> np.ndarray:
    """One tensor de-quantised: float32, shaped as `TensorInfo.shape`.

    Raises:
        ModelError: the file has no such tensor, or a type this gguf package cannot de-quantise.
    """
    if name not in file.tensors:
        raise ModelError(
            f'"{file.path.name}" lacks the tensor "{name}".', "Download the model again, or choose another file."
        )
    return _dequantized(file, name, raw_tensor(file, name)).reshape(file.tensors[name].shape)


def read_rows(file: GgufFile, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """A matrix de-quantised some rows at a time, a few MB each: (number of the first row, (rows, in) float32).

    Raises:
        ModelError: a type that this gguf package cannot de-quantise.
    """
    import numpy as np

    rows, width = file.tensors[name].shape
    raw = np.asarray(raw_tensor(file, name))  # slices of a memmap are slow to make
    step = max(1, _BLOCK_VALUES // width)
    for start in range(0, rows, step):
        yield start, _dequantized(file, name, raw[start : start + step]).reshape(-1, width)


def raw_tensor(file: GgufFile, name: str) -> np.ndarray:
    """One tensor's bytes, memory-mapped: uint8 (…, bytes per row) for quantised types, else the type's own numbers."""
    import gguf
    import numpy as np

    info = file.tensors[name]
    kind = gguf.GGMLQuantizationType(info.type)
    data = np.memmap(file.path, dtype=np.uint8, mode="r", offset=info.offset, shape=(info.size_bytes,))
    native = {gguf.GGMLQuantizationType.F32: np.float32, gguf.GGMLQuantizationType.F16: np.float16}.get(kind)
    if native is not None:
        return data.view(native).reshape(info.shape)
    return data.reshape(*info.shape[:-1], -1)


def _dequantized(file: GgufFile, name: str, raw: np.ndarray) -> np.ndarray:
    import gguf

    kind = gguf.GGMLQuantizationType(file.tensors[name].type)
    try:
        values: np.ndarray = gguf.dequantize(raw, kind)
    except NotImplementedError as error:
        raise ModelError(
            f'"{file.path.name}" stores its weights as {kind.name}, which cannot be trained on.',
            "Choose a file in another size, such as Q4_K_M, Q8_0 or F16.",
            str(error),
        ) from error
    return values


class _Header:
    """A cursor over the mapped file that cannot leave it."""

    def __init__(self, path: Path, data: mmap.mmap, size: int) -> None:
        self._path = path
        self._data = data
        self._size = size
        self._at = 0
        self._items = 0

    def read(self) -> GgufFile:
        if self._take(4) != b"GGUF":
            raise _not_a_model(self._path, "it does not begin like one")
        version = self._number("<I")
        if version not in (2, 3):
            raise _not_a_model(self._path, f"it is of an unknown version ({version})")
        tensor_count, key_count = self._number("<Q"), self._number("<Q")
        if tensor_count > _MOST_TENSORS or key_count > _MOST_KEYS:
            raise self._damaged("it announces more parts than any model has")
        metadata: dict[str, Any] = {}
        metadata_bytes: dict[str, tuple[int, int]] = {}
        for _ in range(key_count):
            start = self._at
            key = self._text()
            metadata[key] = self._value(self._number("<I"))
            metadata_bytes[key] = (start, self._at)
        tensors = self._tensors(tensor_count, metadata)
        return GgufFile(self._path, metadata, tensors, metadata_bytes)

    def _tensors(self, count: int, metadata: dict[str, Any]) -> dict[str, TensorInfo]:
        described = []
        for _ in range(count):
            name = self._text()
            dimensions = self._number("<I")
            if len(name) > _LONGEST_NAME or not 1 <= dimensions <= _MOST_DIMENSIONS:
                raise self._damaged("a tensor is described in a way that cannot be")
            shape = tuple(self._number("<Q") for _ in range(dimensions))[::-1]
            described.append((name, shape, self._number("<I"), self._number("<Q")))
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise self._damaged("its alignment cannot be")
        start = -(-self._at // alignment) * alignment
        tensors: dict[str, TensorInfo] = {}
        for name, shape, kind, offset in described:
            size = self._tensor_bytes(name, shape, kind)
            if start + offset + size > self._size:
                raise ModelError(
                    f'"{self._path.name}" is incomplete: it has {_megabytes(self._size)} of at least '
                    f"{_megabytes(start + offset + size)}.",
                    "Download it again.",
                )
            if name in tensors:
                raise self._damaged(f'it has two tensors called "{name}"')
            tensors[name] = TensorInfo(name, shape, kind, start + offset, size)
        return tensors

    def _tensor_bytes(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        if kind not in BLOCKS:
            raise ModelError(
                f'"{self._path.name}" stores "{name}" in a way this version does not know (type {kind}).',
                "Choose a file in another size, such as Q4_K_M, Q8_0 or F16.",
            )
        block, block_bytes = BLOCKS[kind]
        if 0 in shape or shape[-1] % block:
            raise self._damaged(f'the shape of "{name}" does not fit its type')
        count = 1
        for dimension in shape:
            count *= dimension
        return count // block * block_bytes

    def _value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            layout = _SCALARS[kind]
            return self._number(layout)
        if kind == 8:
            return self._text()
        if kind != 9 or depth > 1:
            raise self._damaged(f"a value has the unknown type {kind}")
        inner, count = self._number("<I"), self._number("<Q")
        if inner in _SCALARS:
            layout = _SCALARS[inner]
            width = struct.calcsize(layout)
            return list(struct.unpack(f"<{count}{layout[-1]}", self._take(self._fits(count, width))))
        self._fits(count, 8)  # a text or an array has at least a length
        read: Callable[[], Any] = self._text if inner == 8 else lambda: self._value(inner, depth + 1)
        return [read() for _ in range(count)]

    def _fits(self, count: int, width: int) -> int:
        if count * width > self._size - self._at:
            raise self._damaged("a list is longer than the file")
        self._items += count
        if self._items > _MOST_ITEMS:
            raise self._damaged("its lists are longer than those of any model")
        return count * width

    def _text(self) -> str:
        length = self._number("<Q")
        if length > _LONGEST_TEXT:
            raise self._damaged("a text is longer than any model needs")
        return self._take(length).decode("utf-8", errors="replace")

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _take(self, count: int) -> bytes:
        if count > self._size - self._at:
            raise self._damaged("its header ends too early")
        start = self._at
        self._at += count
        return self._data[start : self._at]

    def _damaged(self, why: str) -> ModelError:
        return ModelError(f'"{self._path.name}" is damaged: {why}.', "Download it again, or choose another file.")


_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18),
}  # fmt: skip
"""By ggml type number: how many weights a block has, and its bytes. The gguf package's table, for a header must be
readable where no model library is loaded."""


def _not_a_model(path: Path, why: str) -> ModelError:
    return ModelError(
        f'"{path.name}" is not a model file (GGUF): {why}.',
        "Choose a file that ends in .gguf; models from other programs can be had in this format on the hub.",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
