"""What the header of a model file tells a person: its name, family, size and how long a text it keeps in mind.

Reads headers only, without a model library, and keeps what it read in a book, for a large vocabulary takes a moment.
Files that are models, but none that can be talked to, are refused with a sentence each.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab_desktop import paths
from lab_desktop.errors import LabError, ModelError, RunError
from lab_desktop.files import read_json, stamp, write_json
from lab_desktop.models.gguf import GgufFile, read_header
from lab_desktop.models.kinds import require_all_parts, require_language_model

_MOST_REMEMBERED = 500
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 25: "IQ4_NL", 30: "IQ4_XS",
    32: "BF16", 38: "MXFP4",
}  # fmt: skip
"""llama.cpp's names (llama_ftype) of what files are stored as."""


@dataclass(frozen=True)
class Facts:
    """What a header tells.

    Attributes:
        name: as its makers call it, or the file's name.
        architecture: llama.cpp's name of the family.
        parameters: weights.
        quantization: llama.cpp's name, "Q4_K_M"; "" where it is not told.
        context_tokens: the longest text it can keep in mind; 0 where it is not told.
        licence: as the file says; "" where it does not.
        has_template: it says how a conversation is written.
        why_not_taught: why it cannot be a student, in a sentence; "" when it can.
    """

    name: str
    architecture: str
    parameters: int
    quantization: str
    context_tokens: int
    licence: str
    has_template: bool
    why_not_taught: str = ""


def read_facts(path: Path) -> Facts:
    """
    Raises:
        ModelError: as in `read_header` and `facts_in`.
    """
    return facts_in(read_header(path))


def facts_in(header: GgufFile) -> Facts:
    """What a header tells; its values may be of any type.

    Raises:
        ModelError: as in `require_language_model` and `require_all_parts`, or it holds no weights.
    """
    require_language_model(header)
    require_all_parts(header)
    name = header.path.name
    if not header.tensors or not header.architecture:
        raise ModelError(f'"{name}" holds no model: it has no weights.', "Choose another file.")
    metadata = header.metadata
    context, kind = metadata.get(f"{header.architecture}.context_length"), metadata.get("general.file_type")
    return Facts(
        name=_text(metadata.get("general.name")) or header.path.stem,
        architecture=header.architecture,
        parameters=sum(math.prod(tensor.shape) for tensor in header.tensors.values()),
        quantization=_FILE_TYPES.get(kind, "") if isinstance(kind, int) else "",
        context_tokens=context if isinstance(context, int) and context > 0 else 0,
        licence=_text(metadata.get("general.license")),
        has_template=_has_template(header),
        why_not_taught=_why_not_taught(header),
    )


class FactsBook:
    """Facts of files as they were last read; a file that changed is read again. Safe to ask from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or paths.prepared() / "facts.json"
        self._known: dict[str, tuple[tuple[int, int], Facts]] | None = None
        self._reading = threading.Lock()

    def of(self, path: Path) -> Facts:
        """
        Raises:
            ModelError: as in `read_facts`.
        """
        with self._reading:
            known = self._load()
            now = stamp(path)
            remembered = known.get(str(path))
            if remembered is not None and remembered[0] == now and now != (0, 0):
                return remembered[1]
            known.pop(str(path), None)
            facts = read_facts(path)
            known[str(path)] = now, facts
            self._save(known)
            return facts

    def _load(self) -> dict[str, tuple[tuple[int, int], Facts]]:
        if self._known is None:
            self._known = {}
            with contextlib.suppress(RunError):
                for path, row in read_json(self._path).items():
                    with contextlib.suppress(TypeError, ValueError, KeyError):
                        size, changed = row["stamp"]
                        self._known[path] = (int(size), int(changed)), Facts(**row["facts"])
        return self._known

    def _save(self, known: dict[str, tuple[tuple[int, int], Facts]]) -> None:
        while len(known) > _MOST_REMEMBERED:
            del known[next(iter(known))]
        rows = {path: {"stamp": list(stamp_), "facts": asdict(facts)} for path, (stamp_, facts) in known.items()}
        with contextlib.suppress(LabError):  # it is made again
            write_json(self._path, rows)


def _has_template(header: GgufFile) -> bool:
    """As `chat.ChatTemplate` has it: a template, or a vocabulary with ChatML's tokens."""
    template, tokens = (header.metadata.get(f"tokenizer.{key}") for key in ("chat_template", "ggml.tokens"))
    has_own = isinstance(template, str) and bool(template.strip())
    return has_own or (isinstance(tokens, list) and all(each in tokens for each in ("<|im_start|>", "<|im_end|>")))


def _why_not_taught(header: GgufFile) -> str:
    """In a sentence or two, why it cannot be a student; "" when it can."""
    from lab_desktop.models.blueprints import blueprint  # loads numpy

    try:
        blueprint(header)
    except ModelError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _text(value: Any) -> str:
    """One short line of a text that may be anything."""
    return re.sub(r"\s+", " ", value).strip()[:80] if isinstance(value, str) else ""
