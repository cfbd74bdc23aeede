"""Models that other programs keep here: LM Studio, Ollama, InstructLab, llama.cpp, GPT4All, the hub's own cache.

Reads folders and manifests only, follows no link to a folder, and believes nothing that points out of a program's own
place. What is found can be linked (`store.link`).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_FILES = 5000
"""Looked at in one place; nobody has as many models, but somebody may have a link to everything."""
_DEEPEST = 6
_LONGEST_MANIFEST = 1 << 20
_MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")


@dataclass(frozen=True)
class Found:
    """A model file that another program keeps.

    Attributes:
        path: the file.
        name: what that program calls it.
        program: the program's name.
        size_bytes: of the file.
    """

    path: Path
    name: str
    program: str
    size_bytes: int


def find() -> list[Found]:
    """Every model file in the places where other programs keep theirs, by program and name; each file once.

    Only names and sizes are looked at; whether a file is whole, `store.link` says.
    """
    found: dict[Path, Found] = {}
    for program, folders in _places().items():
        for folder in folders:
            for each in _ollama(folder) if program == "Ollama" else _files(folder, program):
                found.setdefault(each.path.resolve(), each)
    return sorted(found.values(), key=lambda each: (each.program, each.name.lower()))


def _places() -> dict[str, list[Path]]:
    home = Path.home()
    is_mac = sys.platform == "darwin"
    caches = home / "Library" / "Caches" if is_mac else _from("XDG_CACHE_HOME", home / ".cache")
    data = home / "Library" / "Application Support" if is_mac else _from("XDG_DATA_HOME", home / ".local" / "share")
    hub = _from("HF_HOME", _from("XDG_CACHE_HOME", home / ".cache") / "huggingface") / "hub"
    return {
        "LM Studio": [lm_studio_models(home), home / ".cache" / "lm-studio" / "models"],
        "Ollama": [_from("OLLAMA_MODELS", home / ".ollama" / "models"), Path("/usr/share/ollama/.ollama/models")],
        "InstructLab": [caches / "instructlab" / "models"],
        "llama.cpp": [_from("LLAMA_CACHE", caches / "llama.cpp")],
        "GPT4All": [data / "nomic.ai" / "GPT4All"],
        "Hugging Face": [_from("HF_HUB_CACHE", hub)],
    }


def _from(variable: str, otherwise: Path) -> Path:
    told = os.environ.get(variable, "")
    return Path(told).expanduser() if told else otherwise


def lm_studio_models(home: Path) -> Path:
    """LM Studio's folder: its settings name another one when the person moved it."""
    try:
        with open(home / ".lmstudio" / "settings.json", "rb") as file:
            return Path(json.loads(file.read(_LONGEST_MANIFEST))["downloadsFolder"]).expanduser()
    except (OSError, ValueError, KeyError, TypeError):
        return home / ".lmstudio" / "models"


def _files(root: Path, program: str) -> Iterator[Found]:
    """The .gguf files below a folder; picture readers (mmproj) and later parts of a cut model are left out."""
    for path in _walk(root):
        name = path.name
        if not name.endswith(".gguf") or name.startswith(("mmproj", ".", "ggml-vocab")):
            continue
        if (part := re.search(r"-(\d{5})-of-\d{5}\.gguf$", name)) and part.group(1) != "00001":
            continue
        try:
            yield Found(path, path.stem, program, path.stat().st_size)
        except OSError:
            continue  # a link to nothing, or a closed folder


def _ollama(root: Path) -> Iterator[Found]:
    """Ollama names its models in manifests/REGISTRY/OWNER/NAME/TAG and keeps the files in blobs/sha256-…"""
    manifests = root / "manifests"
    for path in _walk(manifests):
        try:
            if path.stat().st_size > _LONGEST_MANIFEST:
                continue
            layers = json.loads(path.read_text(encoding="utf-8"))["layers"]
            digest = next(layer["digest"] for layer in layers if layer["mediaType"] == _MODEL_LAYER)
            told = _DIGEST.fullmatch(digest)
            if told is None:
                continue
            blob = root / "blobs" / f"sha256-{told.group(1)}"
            _, *owner, name, tag = path.relative_to(manifests).parts
            owned = [] if owner == ["library"] else owner
            yield Found(blob, "/".join([*owned, f"{name}:{tag}"]), "Ollama", blob.stat().st_size)
        except (OSError, ValueError, KeyError, TypeError, StopIteration):
            continue  # not a manifest, or its file is gone


def _walk(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, inner, names in os.walk(root):
        if len(Path(folder).relative_to(root).parts) >= _DEEPEST:
            inner.clear()
        inner.sort()
        for name in sorted(names):
            seen += 1
            if seen > _MOST_FILES:
                return
            yield Path(folder, name)
