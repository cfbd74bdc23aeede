"""How large a model this computer carries: from its memory and a short measured answer, not from the chip's name."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lab_desktop.errors import RunError
from lab_desktop.files import read_json, write_json

FILE_NAME = "speed.json"
SIZES = (0.1, 0.35, 0.5, 1, 1.5, 2, 3, 4, 7, 8, 14, 24, 32, 70)
"""Usual model sizes in billions of weights."""
_CHAT_GB_A_BILLION = 0.65
"""A four-bit file (Q4_K_M) with its share of the conversation's memory."""
_CHAT_GB = 0.7
_CHAT_GB_A_FILE_GB = _CHAT_GB_A_BILLION / 0.6
"""The same for a file of any size; a four-bit file has 0.6 GB for each billion of weights."""
_TRAIN_GB_A_BILLION = 4.5
"""Sixteen-bit weights, the new factors with their optimizer, and what a training step keeps."""
_TRAIN_GB = 1.5
_COMFORTABLE_SHARE, TIGHT_SHARE = 0.5, 0.75
"""Of the whole memory: the system and other programs want the rest."""
_COMFORTABLE_WORDS, _TIGHT_WORDS = 5.0, 2.0
"""Words a second: as fast as one reads, and as slow as one bears."""
_TEACHER_PATIENCE = 3.0
WORDS_A_TOKEN = 0.75


@dataclass(frozen=True)
class Speed:
    """What a short answer took.

    Attributes:
        tokens_per_second: of the answer.
        model_bytes: size of the model's file; a token reads all of it, so twice the file is half the speed.
        measured: UTC.
    """

    tokens_per_second: float
    model_bytes: int
    measured: str = ""

    @property
    def words_per_second(self) -> float:
        return self.tokens_per_second * WORDS_A_TOKEN


@dataclass(frozen=True)
class Reach:
    """The largest usual sizes, in billions of weights; 0: none.

    Attributes:
        comfortable: with room and speed to spare.
        tight: just so.
    """

    comfortable: float
    tight: float


Verdict = Literal["comfortable", "tight", "too big", "too slow"]


@dataclass(frozen=True)
class Fit:
    """How well a model suits this computer in one role.

    Attributes:
        verdict: in a word.
        why: in a sentence or two, with figures.
        bytes_needed: of memory.
    """

    verdict: Verdict
    why: str
    bytes_needed: int

    @property
    def is_good(self) -> bool:
        """It runs, if perhaps just so."""
        return self.verdict in ("comfortable", "tight")


def fit(
    role: Literal["chat", "teacher", "student"],
    model_bytes: int,
    parameters: int,
    memory_bytes: int,
    speed: Speed | None,
) -> Fit:
    """How well a model suits this computer: from its memory and from what was measured on it.

    A teacher may take its time, for it writes while nobody waits: a third of the words a second will do.

    Args:
        model_bytes: size of the model's file.
        parameters: weights of the model.
        memory_bytes: whole memory of the computer.
        speed: what a short answer took here; None: not measured yet, so that memory alone decides.
    """
    chat_gb = model_bytes / 1e9 * _CHAT_GB_A_FILE_GB + _CHAT_GB
    needed = max(chat_gb, parameters / 1e9 * _TRAIN_GB_A_BILLION + _TRAIN_GB) if role == "student" else chat_gb
    memory = memory_bytes / 1e9
    what = "Training it" if role == "student" else "It"
    told = f"{what} needs about {needed:.{0 if needed >= 10 else 1}f} GB of memory, and this computer has {memory:.0f}."
    words = speed.words_per_second * speed.model_bytes / model_bytes if speed else None
    patience = _TEACHER_PATIENCE if role == "teacher" else 1.0
    if needed > TIGHT_SHARE * memory:
        verdict: Verdict = "too big"
    elif words is not None and words * patience < _TIGHT_WORDS:
        verdict = "too slow"
    elif needed > _COMFORTABLE_SHARE * memory or (words is not None and words * patience < _COMFORTABLE_WORDS):
        verdict = "tight"
    else:
        verdict = "comfortable"
    if verdict != "too big":
        if words is None:
            told += " Its speed here is not measured yet."
        else:
            told += f" It answers with about {words:.{0 if words >= 10 else 1}f} words a second here."
            if verdict == "too slow":
                told += " That is too slow to wait for."
    if verdict == "tight" and needed > _COMFORTABLE_SHARE * memory:
        told += " Close other programs while it works."
    return Fit(verdict, told, round(needed * 1e9))


def save_speed(folder: Path, tokens: int, seconds: float, model: Path) -> Speed:
    """Note a measurement.

    Raises:
        StorageError: it could not be written.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    speed = Speed(tokens / max(seconds, 1e-3), model.stat().st_size, now)
    write_json(folder / FILE_NAME, asdict(speed))
    return speed


def read_speed(folder: Path) -> Speed | None:
    """The last measurement, or None."""
    try:
        value = read_json(folder / FILE_NAME, "tokens_per_second", "model_bytes")
        speed = Speed(float(value["tokens_per_second"]), int(value["model_bytes"]), str(value.get("measured", "")))
    except (RunError, TypeError, ValueError):
        return None
    return speed if speed.tokens_per_second > 0 and speed.model_bytes > 0 else None


def chat_reach(memory_bytes: int, speed: Speed) -> Reach:
    """Models that can be talked to: they fit, and answer as fast as one reads."""
    file_per_billion = 0.6e9
    words_of_a_billion = speed.words_per_second * speed.model_bytes / file_per_billion
    return Reach(
        *(
            _usual(min((share * memory_bytes / 1e9 - _CHAT_GB) / _CHAT_GB_A_BILLION, words_of_a_billion / words))
            for share, words in ((_COMFORTABLE_SHARE, _COMFORTABLE_WORDS), (TIGHT_SHARE, _TIGHT_WORDS))
        )
    )


def train_reach(memory_bytes: int, speed: Speed) -> Reach:
    """Models that can be trained here: they fit, with what a training step keeps, and can be talked to afterwards."""
    chat = chat_reach(memory_bytes, speed)
    return Reach(
        *(
            min(most, _usual((share * memory_bytes / 1e9 - _TRAIN_GB) / _TRAIN_GB_A_BILLION))
            for share, most in ((_COMFORTABLE_SHARE, chat.comfortable), (TIGHT_SHARE, chat.tight))
        )
    )


def _usual(billions: float) -> float:
    return max((size for size in SIZES if size <= billions * 1.05), default=0)
