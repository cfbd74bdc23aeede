"""Files that end in .gguf and are not what they seem: adapters, image parts, embedding models, single parts.

Knows headers only. What a model must be made of to be trained is `families.py`'s subject.
"""

from __future__ import annotations

import re
from pathlib import Path

from lab_desktop.errors import ModelError
from lab_desktop.models.gguf import GgufFile
from lab_desktop.models.offers import cannot_write, is_embedding, reads_pictures

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def require_language_model(file: GgufFile) -> None:
    """Refuse what does not write: adapters, image parts, embedding models, measurements.

    Raises:
        ModelError: a sentence for each.
    """
    name, kind = file.path.name, file.metadata.get("general.type", "model")
    if kind == "adapter":
        raise ModelError(
            f'"{name}" is not a model but a small addition to one (an adapter).', "Choose the model it was made for."
        )
    if kind == "mmproj" or file.architecture == "clip":
        raise reads_pictures(name)
    if kind != "model":
        raise ModelError(f'"{name}" holds no model but notes about one ({str(kind)[:40]}).', "Choose the model itself.")
    if is_embedding(file.architecture) or file.metadata.get(f"{file.architecture}.pooling_type"):
        raise cannot_write(name)


def require_all_parts(file: GgufFile) -> None:
    """Refuse a part of a model in several files, unless it is the first and the others lie beside it.

    Raises:
        ModelError: says which part it is, or which is missing.
    """
    parts = _parts(file)
    if parts < 2:
        return
    found = _PART.search(file.path.name)
    if found is None or int(found[1]) != 1 or file.metadata.get("split.no", 0) != 0:
        raise ModelError(
            f'"{file.path.name}" is one of {parts} parts of a model.', f"Choose the first part ({_named(1, parts)})."
        )
    for number in range(2, parts + 1):
        part = _part_path(file.path, number, parts)
        if not part.is_file():
            raise ModelError(
                f'"{file.path.name}" is the first of {parts} parts of a model, and "{part.name}" is not beside it.',
                "Download all parts into one folder, or choose this model in one file.",
            )


def require_one_network(file: GgufFile) -> None:
    """Refuse what cannot be trained whatever its family: what `require_language_model` refuses, parts, and experts.

    Raises:
        ModelError: a sentence for each.
    """
    require_language_model(file)
    if (parts := _parts(file)) > 1:
        raise ModelError(
            f'"{file.path.name}" is one of {parts} parts of a model, which cannot be taught in parts.',
            "Download this model in one file; smaller sizes (Q4_K_M) mostly are.",
        )
    if file.setting("expert_count", 0):
        raise mixture(file.path.name)


def mixture(name: str) -> ModelError:
    """The refusal of a model of which only a part answers at a time."""
    return ModelError(
        f'"{name}" is a mixture of experts: many small models of which a few answer at a time. '
        "Such a model cannot be taught here. It may still chat and write practice questions.",
        "To teach, choose an ordinary model of its size or smaller.",
    )


def _parts(file: GgufFile) -> int:
    count = file.metadata.get("split.count", 0)
    return count if isinstance(count, int) else 0


def _part_path(first: Path, number: int, parts: int) -> Path:
    return first.with_name(_PART.sub(f"-{number:05}-of-{parts:05}.gguf", first.name))


def _named(number: int, parts: int) -> str:
    return f"-{number:05}-of-{parts:05}"
