"""What the work with a model needs: memory of this computer, and whether there is room; steps of a training.

Knows what a training gives up when memory is short (`training.thrift`), so that the lighter setting can be said, and
chosen, before it begins. Reads headers and practice sets; loads no model library.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_desktop import hardware, paths
from lab_desktop.artifacts import TrainingRow
from lab_desktop.capacity import TIGHT_SHARE
from lab_desktop.errors import LabError
from lab_desktop.files import read_json, write_json

Verdict = Literal["comfortable", "tight", "too big"]
_ROW_TOKENS = 256
"""The longest practice question with its answer, mostly; a pack of one row is as long."""
_CONTEXT_TOKENS = 4096
"""One conversation, as in `LlamaModel`."""
_BITS = 0.6
"""Bytes of a weight in four bits, with its scales, and of the vocabulary in eight."""


@dataclass(frozen=True)
class Needs:
    """Bytes of memory that work takes.

    Attributes:
        levels: as planned, then with more and more given up.
        words: what each level does, for people; "" for the first.
    """

    levels: tuple[int, ...]
    words: tuple[str, ...]

    def begun_at(self, level: int) -> Needs:
        """The same from a level on; the last one where there is none so low."""
        first = min(level, len(self.levels) - 1)
        return Needs(self.levels[first:], self.words[first:])


@dataclass(frozen=True)
class Room:
    """Memory that work needs, and what there is.

    Attributes:
        needed: bytes that the work takes.
        free: bytes that can be taken now.
        total: bytes of the computer.
        kept: bytes that the person wants to stay free.
    """

    needed: int
    free: int
    total: int
    kept: int = 0

    @property
    def others(self) -> int:
        """What other programs use."""
        return max(0, self.total - self.free)

    @property
    def leaves(self) -> int:
        return max(0, self.free - self.needed)

    @property
    def is_here(self) -> bool:
        """It can be taken now, if perhaps nothing is left beside it."""
        return self.needed <= self.free

    @property
    def verdict(self) -> Verdict:
        """Comfortable where it leaves what the person keeps; tight where it is there, or would be when other programs
        were closed; else too big."""
        if self.needed <= self.free - self.kept:
            return "comfortable"
        return "tight" if self.needed <= max(self.free, TIGHT_SHARE * self.total) else "too big"

    @property
    def chance(self) -> int:
        """3: comfortable; 2: there is room now; 1: there would be, were other programs closed; 0: there is none."""
        return {"comfortable": 3, "tight": 1 + self.is_here, "too big": 0}[self.verdict]


def lighter(needs: Needs, room: Room) -> int:
    """The first lower level that has more of a chance than the first one; 0: there is none."""
    chances = [Room(level, room.free, room.total, room.kept).chance for level in needs.levels]
    return next((level for level, chance in enumerate(chances) if chance > chances[0]), 0)


def training_needs(student: Path, rows: int) -> Needs | None:
    """What teaching a model takes at each level; None where it cannot be taught.

    Args:
        rows: practice questions.
    """
    from lab_desktop.models.blueprints import blueprint
    from lab_desktop.models.gguf import read_header
    from lab_desktop.models.memory import training_memory
    from lab_desktop.training.choice import choose, fitted
    from lab_desktop.training.phases import TrainingPlan
    from lab_desktop.training.thrift import levels

    try:
        library = choose().library
        model = blueprint(read_header(student))
        planned = fitted(TrainingPlan(), student)
    except LabError:
        return None
    value_bytes = 2 if library == "mlx" or hardware.has_fast_bf16() else 4
    needed = []
    for thrift in levels(library):
        plan = thrift.applied(planned)
        memory = training_memory(
            model,
            rank=plan.rank,
            tokens=max(plan.pack_tokens, _ROW_TOKENS),
            frozen_share=max(plan.frozen_share, thrift.resting_share),
            saves_memory=plan.saves_memory,
            keeps_scores=library == "mlx",
            weight_bytes=_BITS if plan.few_bits else value_bytes,
            value_bytes=value_bytes,
            practice_tokens=rows * _ROW_TOKENS if thrift.reads_ahead else 0,
        )
        needed.append(memory.total)
    return Needs(tuple(needed), tuple(thrift.words for thrift in levels(library)))


def answering_needs(model: Path, *, as_teacher: bool = False) -> Needs | None:
    """What a model takes that answers many questions at once, and the least that it makes do with by itself; None
    where the file cannot be read.

    Args:
        as_teacher: with what taught it the trade of a teacher, where there is that: fused into 16-bit weights.
    """
    from lab_desktop.models.gguf import read_header
    from lab_desktop.models.memory import MOST_CELLS, answering_memory

    try:
        header = read_header(model)
        weight_bytes = 2.0 if as_teacher and paths.taught_adapter(model) else 0.0
        context = min(_CONTEXT_TOKENS, int(header.setting("context_length", _CONTEXT_TOKENS)))
        cells = (min(16 * context, MOST_CELLS), context)
        return Needs(tuple(answering_memory(header, each, weight_bytes) for each in cells), ("", ""))
    except (LabError, TypeError, ValueError):
        return None


def training_steps(run: Path, rounds: float = 1.0) -> int:
    """How many steps a training on a run's practice set has; 0 where there is none that can be read.

    Rows that turn out to be too long are left out later, so it may have fewer.

    Args:
        rounds: so many times the usual ones.
    """
    from lab_desktop.training.phases import LAB_PHASES, TrainingPlan, phase_steps, with_rounds

    plan = with_rounds(TrainingPlan(), rounds)
    try:
        learned = {phase.name: _learned_rows(run / "dataset" / f"{phase.name}.jsonl") for phase in LAB_PHASES}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return 0
    return sum(phase_steps(phase, learned[phase.name], plan) for phase in plan.phases)


def trained_rounds(run: Path) -> float:
    """How many times the usual rounds a run's finished training took; 1 where there is none."""
    from lab_desktop.training.phases import rounds_of

    try:
        return rounds_of(read_json(run / "adapter" / "adapter.json").get("plan"))
    except LabError:
        return 1.0


def _learned_rows(file: Path) -> int:
    """Rows of a phase but for those against forgetting; 0 where the phase has none."""
    if not file.exists():
        return 0
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return sum(not TrainingRow.from_json(row).keeps_base for row in rows)


def chosen_level(run: Path | None) -> int:
    """How much a run's training gives up already; 0: nothing."""
    from lab_desktop.training.thrift import level

    return level(run) if run is not None else 0


def choose_level(run: Path, level: int) -> None:
    """Let a run's training begin, or go on, with so much given up.

    Raises:
        StorageError: it could not be noted.
    """
    from lab_desktop.training.thrift import FILE_NAME

    write_json(run / FILE_NAME, {"level": level})
