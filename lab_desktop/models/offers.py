"""Files that the hub has, as values: what it says of one, and which of a place's files can be had.

Knows no network (`hub`); the window shows what a worker was told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lab_desktop.errors import ModelError

_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
_EMBEDDING = re.compile(r"(bert|^t5encoder|embedding)")


@dataclass(frozen=True)
class Offer:
    """A file that the hub has.

    Attributes:
        repo, file: where it lies.
        revision: the commit, so that all of its bytes are of one version.
        size_bytes, sha256: the hub's own figures.
        licence: the hub's name of it; "" where none is stated.
        is_gated: only those who agreed to its licence there get it.
        architecture: llama.cpp's name of the family; "" where nobody tells it.
        parameters: weights; 0 where the hub does not tell it.
        why_not_taught: why it could not be trained, in a sentence or two; "" when it could, or nobody knows.
    """

    repo: str
    file: str
    revision: str
    size_bytes: int
    sha256: str
    licence: str
    is_gated: bool
    architecture: str = ""
    parameters: int = 0
    why_not_taught: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Offer:
        """
        Raises:
            TypeError: it is none that `to_json` made.
        """
        return Offer(**value)


def is_model(file: str) -> bool:
    """Whether a file's name is that of a whole model: none that reads pictures, none of several parts."""
    name = file.rpartition("/")[2]
    return name.endswith(".gguf") and not name.startswith(("mmproj", ".")) and not _PART.search(name)


def require_writer(file: str, architecture: str) -> None:
    """Refuse what could not be used for anything here, knowing only its name and family.

    Raises:
        ModelError: it is one of several parts, or does not write.
    """
    name = file.rpartition("/")[2]
    if found := _PART.search(name):
        raise ModelError(
            f'"{name}" is one of {int(found[1])} parts of a model; only models in one file can be downloaded.',
            "Choose a smaller size of it, Q4_K_M for example: those mostly are one file.",
        )
    if name.startswith("mmproj") or architecture == "clip":
        raise reads_pictures(name)
    if is_embedding(architecture):
        raise cannot_write(name)


def is_embedding(architecture: str) -> bool:
    """Whether models of a family turn texts into numbers instead of writing."""
    return bool(_EMBEDDING.search(architecture))


def cannot_write(name: str) -> ModelError:
    """The refusal of a model that only searches."""
    return ModelError(
        f'"{name}" cannot write: it turns texts into numbers, to search in them (an embedding model).',
        'Choose a model that is called "Instruct" or "Chat".',
    )


def reads_pictures(name: str) -> ModelError:
    """The refusal of a part that only reads pictures or sounds."""
    return ModelError(
        f'"{name}" is not a whole model: it only turns pictures or sounds into something that a model reads.',
        'Choose the other file of this model, the one without "mmproj" in its name.',
    )
