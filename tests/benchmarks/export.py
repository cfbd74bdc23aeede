"""What export costs beyond moving the bytes: seconds per GB written, against a plain copy on the same disk.

Both end on the disk (fsync). Export's time includes opening the new model with llama.cpp and asking it a question.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab_desktop.export.fuse import fuse
from lab_desktop.export.quantize import quantize
from lab_desktop.jobs.run import Run
from lab_desktop.paths import practice_model
from tests.export.lora import random_adapter

_ROUNDS = 3
_SIZES = ("Q8_0", "Q5_K_M", "Q4_K_M")


def main() -> None:
    """Print a table: file, size, seconds per GB of export and of a copy, and their ratio (best of three each)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Run(folder)
        adapter = random_adapter(folder / "adapter", practice_model(), rank=16, size=0.01)
        full = folder / "new-F16.gguf"
        print("export of the practice model, seconds per GB written (best of three)")
        print(f"{'file':12}{'MB':>8}{'export':>10}{'copy':>10}{'ratio':>8}")
        _compare("fused F16", full, lambda: fuse(adapter, full, run))
        for kind in _SIZES:
            target = folder / f"new-{kind}.gguf"
            _compare(kind, target, lambda target=target, kind=kind: quantize(full, target, kind, run))


def _compare(label: str, path: Path, write: Callable[[], object]) -> None:
    export_s = min(_seconds(write) for _ in range(_ROUNDS))
    copy_s = min(_seconds(lambda: _copy(path, path.with_suffix(".copy"))) for _ in range(_ROUNDS))
    size_gb = path.stat().st_size / 1e9
    print(
        f"{label:12}{size_gb * 1000:8.0f}{export_s / size_gb:10.2f}{copy_s / size_gb:10.2f}{export_s / copy_s:7.1f}×",
        flush=True,
    )


def _copy(source: Path, target: Path) -> None:
    with open(source, "rb") as read, open(target, "wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())
    target.unlink()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
