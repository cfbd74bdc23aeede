"""Make a model smaller with llama.cpp's own quantisation, silenced and checked.

The work is one call into C that reports through its log and cannot be interrupted: a wish to stop is heard before and
after, and killing the process in between is safe.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from lab_desktop.artifacts import ExportedModel
from lab_desktop.errors import ExportError, ModelError, StorageError
from lab_desktop.export.verified import verified
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import GgufFile, read_header

# llama.cpp's number of each kind of file (llama.h, enum llama_ftype) and its bits per weight, rounded up.
_KINDS: dict[str, tuple[int, float]] = {
    "F16": (1, 16.0),
    "Q8_0": (7, 8.5),
    "Q6_K": (18, 6.6),
    "Q5_K_M": (17, 5.8),
    "Q4_K_M": (15, 5.0),
    "Q3_K_M": (12, 4.2),
}
KINDS = tuple(_KINDS)
_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")


def quantize(source: Path, target: Path, kind: str, run: Run) -> ExportedModel:
    """Write `source` (best: F16) to `target` as `kind`, one of `KINDS`.

    Raises:
        ExportError: an unknown kind, llama.cpp refused, or the new file does not answer.
        ModelError: `source` is missing or damaged.
        StorageError: too little space, or the disk failed; nothing is left.
        Cancelled: the person asked to stop; nothing is left.
    """
    run.stop_if_cancelled()
    size = quantized_bytes(read_header(source), kind)
    with verified(target, size, "The new model") as temporary:
        _quantize(source, temporary, kind, run)
        run.stop_if_cancelled()
    return ExportedModel(target, kind, target.stat().st_size)


def file_type(kind: str) -> int:
    """llama.cpp's number of a kind of file, as in the metadata key general.file_type.

    Raises:
        ExportError: an unknown kind.
    """
    return _kind(kind)[0]


def quantized_bytes(source: GgufFile, kind: str) -> int:
    """About how large `source` becomes as `kind`; rather too much than too little.

    Raises:
        ExportError: an unknown kind.
    """
    bits = _kind(kind)[1]
    size = 4096 + min((info.offset for info in source.tensors.values()), default=0)  # header, and our own keys
    for info in source.tensors.values():
        if len(info.shape) < 2:
            size += info.size_bytes
            continue
        count = 1
        for dimension in info.shape:
            count *= dimension
        # K-quants come in blocks of 256; llama.cpp stores rows of another length in a larger type, at most Q8_0.
        size += int(count * (bits if info.shape[-1] % 256 == 0 else max(bits, 8.5)) / 8)
    return size


def _kind(kind: str) -> tuple[int, float]:
    if kind not in _KINDS:
        raise ExportError(
            f'"{kind}" is not a size that a model can be written in.', f"Choose one of: {', '.join(KINDS)}."
        )
    return _KINDS[kind]


def _quantize(source: Path, target: Path, kind: str, run: Run) -> None:
    import llama_cpp

    def report(line: str) -> None:
        if match := _TENSOR.search(line):
            run.progress(f"Making it smaller ({kind})", int(match[1]), int(match[2]))

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = file_type(kind)
    # Tensors that were copied from a quantised base (more than two dimensions) are quantised already.
    parameters.allow_requantize = True
    with _log(report) as lines:
        failed = llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(parameters))
    details = "".join(lines[-5:])
    try:
        # C++ streams swallow a failed write: a full disk can end in "success" and a torn file.
        if not failed:
            read_header(target)
            return
    except ModelError as error:
        details += error.message
    if shutil.disk_usage(target.parent).free < 1 << 20:
        raise StorageError(
            f"The disk is full: the new model ({kind}) could not be written to {target.parent}. "
            "Everything finished before is safe.",
            "Free some space, then run the export again; it goes on where it stopped.",
            details,
        )
    raise ExportError(
        f"The model could not be made smaller ({kind}). Everything finished before is safe.",
        "Choose another size, or run the export again.",
        details,
    )


@contextlib.contextmanager
def _log(report: Callable[[str], None]) -> Iterator[list[str]]:
    """Keep llama.cpp's log off the screen: hand each line to `report`, and yield the list that gathers them."""
    import llama_cpp

    lines: list[str] = []

    def keep(level: int, text: bytes, user_data: int) -> None:
        lines.append(text.decode("utf-8", errors="replace"))
        report(lines[-1])

    callback = llama_cpp.llama_log_callback(keep)
    previous, user_data = llama_cpp.llama_log_callback(), ctypes.c_void_p()
    llama_cpp.llama_log_get(ctypes.byref(previous), ctypes.byref(user_data))
    llama_cpp.llama_log_set(callback, ctypes.c_void_p())
    try:
        yield lines
    finally:
        llama_cpp.llama_log_set(previous, user_data)
