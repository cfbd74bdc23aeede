"""The whole of step 4: adapter.gguf, the fused model, each smaller one; resumes at the first file that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab_desktop.artifacts import Adapter, ExportedModel
from lab_desktop.errors import ExportError
from lab_desktop.export.adapter import fingerprint, write_adapter
from lab_desktop.export.fuse import fuse
from lab_desktop.export.quantize import file_type, quantize, quantized_bytes
from lab_desktop.export.verified import is_finished, require_space
from lab_desktop.jobs.run import Run
from lab_desktop.models.gguf import read_header


def export(adapter: Adapter, folder: Path, name: str, kinds: Sequence[str], run: Run) -> list[ExportedModel]:
    """Write adapter/adapter.gguf and FOLDER/NAME-KIND.gguf for each of `kinds`, in that order.

    A file that is there and was made from this adapter and base is kept; its key `verified.MADE_FROM` says so.
    The smaller ones are made from a fused F16 file, which goes again at the end unless it was asked for.

    Args:
        kinds: of `quantize.KINDS`.

    Raises:
        ExportError: an unknown kind, a name with a slash, or as in `write_adapter`, `fuse` and `quantize`.
        StorageError: too little space for all that is missing, found before anything is written; or the disk failed.
        Cancelled: finished files stay.
    """
    if name != Path(name).name:
        raise ExportError(f'"{name}" cannot be the name of a model file.', "Choose a name without slashes.")
    made_from = fingerprint(adapter)
    targets = {kind: folder / f"{name}-{kind}.gguf" for kind in kinds}
    missing = [kind for kind, path in targets.items() if not is_finished(path, made_from, file_type(kind))]
    # Hidden while it is only a step on the way; found again by a run that was killed.
    full = targets.get("F16", folder / f".{name}-F16.gguf")
    has_full = is_finished(full, made_from, file_type("F16"))
    base = read_header(adapter.base)
    wanted = {*missing, *(() if has_full or not missing else ("F16",))}
    require_space(folder, sum(quantized_bytes(base, kind) for kind in wanted), "The export")
    if not is_finished(adapter.gguf, made_from):
        write_adapter(adapter, run)
    try:
        if "F16" in wanted:
            fuse(adapter, full, run)
        for kind in missing:
            if kind != "F16":
                quantize(full, targets[kind], kind, run)
    finally:
        if "F16" not in targets:
            full.unlink(missing_ok=True)
    return [ExportedModel(path, kind, path.stat().st_size) for kind, path in targets.items()]
