"""Every exported file gets its name last: there is room for it, it is written, and it has answered a question.

Knows llama.cpp through `models.llama`; does not know how the files are made.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterator
from glob import escape
from pathlib import Path

from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import ExportError, ModelError, StorageError
from lab_desktop.files import disk_errors, replacing
from lab_desktop.models.gguf import read_header
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request

MADE_FROM = "lab_desktop.made_from"
"""Our metadata key in every exported file: the `adapter.fingerprint` it was made from, so that a resume knows it."""

_QUESTION = (ChatMessage("user", "What is the capital of France?"),)


@contextlib.contextmanager
def verified(target: Path, size_bytes: int, what: str, base: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `target`; what was written there becomes `target` once it has answered a question.

    On failure, of the writing or of the answer, nothing remains; a half file left by a killed job is removed.

    Args:
        size_bytes: what the file will take, held against the free space before anything is written.
        what: the file as a noun for messages, "The new model".
        base: for an adapter, the model it is loaded beside.

    Raises:
        StorageError: too little space, or as in `files.replacing`.
        ExportError: llama.cpp cannot open the file, or its answer is empty or not made of numbers.
    """
    with disk_errors(target, what):
        for leftover in target.parent.glob(f".{escape(target.name)}.*.part"):
            leftover.unlink()
    require_space(target.parent, size_bytes, what)
    with replacing(target, what) as temporary:
        yield temporary
        try:
            _ask(temporary, base)
        except ModelError as error:
            raise ExportError(
                f"{what} was written but cannot be used: {error.message} It was removed; everything else is safe.",
                "Run the export again. If it fails again, train again.",
                error.details,
            ) from error


def require_space(folder: Path, size_bytes: int, what: str) -> None:
    """Make `folder` where it is missing, and refuse before writing what would not fit into it.

    Raises:
        StorageError: says how much is needed and how much is free.
    """
    with disk_errors(folder, what):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise StorageError(
            f"{what} does not fit: {_size(size_bytes)} needed, {_size(free)} free in {folder}. Nothing was written.",
            "Free some space or choose another folder, then run the export again.",
        )


def is_finished(path: Path, fingerprint: str, file_type: int | None = None) -> bool:
    """True when `path` is a whole file of ours made from just this (and stored as llama.cpp's `file_type`)."""
    try:
        metadata = read_header(path).metadata
    except ModelError:
        return False
    return metadata.get(MADE_FROM) == fingerprint and (
        file_type is None or metadata.get("general.file_type") == file_type
    )


def _ask(path: Path, base: Path | None) -> None:
    """Ask for a few words, and for the likelihood of two answers: that one is no number where a logit is none.

    Raises:
        ModelError: llama.cpp failed, or the answer is empty or not made of numbers.
    """
    with LlamaModel(base or path, adapters={"new": path} if base else {}, context_tokens=1024, parallel=2) as model:
        model.use_adapter("new" if base else None)
        requests = [Request(_QUESTION, max_tokens=8), Request(_QUESTION, choices=("Paris", "London"))]
        replies = dict(model.complete(requests))
    if not replies[0].text:
        raise ModelError("It answers nothing.")
    if not all(math.isfinite(probability) for probability in replies[1].probabilities):
        raise ModelError("Its answers are not made of numbers.")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"
