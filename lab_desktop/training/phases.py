"""LAB's phases and the settings of a training, as data.

LAB (arXiv:2403.01081, section 3.3) trains knowledge first and skills after it, each phase replaying what came before.
The paper tunes all weights at 1e-6 to 2e-5; an adapter moves few numbers and wants a rate ten to twenty times and more
as high. The rates here were found on the practice model (135 M weights, rank 16).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from lab_desktop.artifacts import Phase, RowKind

LAB_PHASES: tuple[Phase, ...] = (
    Phase(
        name="knowledge_short",
        learns=(RowKind.KNOWLEDGE_SHORT,),
        replays=(),
        replay_share=0.0,
        # Without any, 12 of 40 general questions were left after 55 steps of fourteen rows; with four beside them, 27.
        # A step of four rows kept as much with two beside them as with three, in a fifth less time.
        general_share=0.5,
        epochs=4,
        least_steps=84,
        # Twice this learned no faster in our trials, half of it half as fast.
        learning_rate=1e-3,
        warmup_share=0.1,
    ),
    Phase(
        name="knowledge_long",
        learns=(RowKind.KNOWLEDGE_LONG, RowKind.FOUNDATIONAL_SKILL),
        replays=("knowledge_short",),
        replay_share=0.5,
        general_share=0.5,
        epochs=3.5,
        least_steps=60,
        learning_rate=1e-3,
        warmup_share=0.1,
        cools_on=True,
    ),
    Phase(
        name="skills",
        learns=(RowKind.COMPOSITIONAL_SKILL,),
        replays=("knowledge_short", "knowledge_long"),
        replay_share=0.3,
        general_share=0.5,
        # Five rounds of a skill of 120 rows cost four of 33 general questions, three cost two to four and were as good.
        epochs=3,
        least_steps=60,
        # About a third: manner is learned from few rows, and a high rate here overwrites the facts learned before. With
        # one cool-down over everything, two skills after four documents got a twentieth of it: 6 of 24 tasks, not 21.
        learning_rate=3e-4,
        warmup_share=0.1,
    ),
)


@dataclass(frozen=True)
class TrainingPlan:
    """How a student is trained. Two trainings with equal plan, data and base give the same adapter.

    Attributes:
        phases: in order; the data set may lack some.
        rank: r of the low-rank update.
        frozen_share: share of the layers, from below, that get no factors: what they make of a row never changes, so it
            is computed once, and a step costs the other layers only. On a quarter of the facts of an exam document, in
            two minutes: 61 % of unseen wordings right with half of the layers, 53 % with all.
        scale: multiplier of B·A, alpha / rank (LoRA, arXiv:2106.09685, section 4.1). mlx-lm calls this `scale`; peft
            wants `lora_alpha`, which is scale * rank.
        cooldown_share: of the steps of phases that cool together, over which the rate falls to zero. Small steps and a
            cool-down learn more and forget less in the same time: a quarter of the facts of an exam document, 3.5
            minutes: 14 rows a step 31 and 35 % of unseen wordings, 28 and 30 of 40 general; 7 rows 43 %, 28; with
            cool-down 43 %, 31; 4 rows with cool-down 53 %, 30.
        effective_batch: rows a step, over all its packs, not counting the general ones beside them.
        rows_together: so many rows that begin with the same document stay neighbours, mostly in one step, so that it is
            computed once for them (`batches`); 1 mixes all rows.
        pack_tokens: the longest pack. Attention is dense, so a longer one costs more than it shares.
        seed: of the factors' start and of the order of rows.
        evaluate_every: steps between two looks at the held-out questions.
        fewest_held_out: with fewer held-out questions the last step is taken: two or three choose by luck.
        checkpoint_every: steps between two checkpoints: how much work a kill can cost.
        keep_base_weight: how much the divergence from the base on `keeps_base` rows counts beside the answers' loss.
        max_row_tokens: longer rows are left out, and counted.
        saves_memory: recompute each layer in the backward pass: a third slower, a fraction of the memory.
        few_bits: keep the frozen base in four bits, a quarter of the memory (QLoRA, arXiv:2305.14314); with MLX only.
    """

    phases: tuple[Phase, ...] = LAB_PHASES
    rank: int = 16
    frozen_share: float = 0.5
    scale: float = 2.0
    cooldown_share: float = 0.5
    effective_batch: int = 4
    rows_together: int = 1
    pack_tokens: int = 640
    seed: int = 0
    evaluate_every: int = 60
    fewest_held_out: int = 8
    checkpoint_every: int = 20
    keep_base_weight: float = 2.0
    max_row_tokens: int = 1024
    saves_memory: bool = False
    few_bits: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of every setting, so that a checkpoint knows which plan it belongs to."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def with_rounds(plan: TrainingPlan, factor: float) -> TrainingPlan:
    """The plan with so many times as many steps in every phase: time for learning; 1 changes nothing."""
    phases = (
        replace(phase, epochs=phase.epochs * factor, least_steps=round(phase.least_steps * factor))
        for phase in plan.phases
    )
    return plan if factor == 1 else replace(plan, phases=tuple(phases))


def rounds_of(plan: object) -> float:
    """How many times the usual steps a training took, from its plan as adapter.json has it; 1 where it is unknown."""
    try:
        return float(plan["phases"][0]["epochs"]) / LAB_PHASES[0].epochs  # type: ignore[index]
    except (KeyError, IndexError, TypeError, ValueError):
        return 1.0


def steps_per_epoch(rows: int, plan: TrainingPlan) -> int:
    """Steps in which each of `rows` is seen once."""
    return math.ceil(rows / plan.effective_batch)


def phase_steps(phase: Phase, rows: int, plan: TrainingPlan) -> int:
    """Steps of a phase with so many rows: they follow from the data; few rows are seen more often."""
    return max(phase.least_steps, round(phase.epochs * steps_per_epoch(rows, plan))) if rows else 0


def rate_at(phase: Phase, step: int, steps: int) -> float:
    """The learning rate of the phase's step 0 … steps - 1: a linear warm-up, then constant.

    LAB has no decay inside a phase, because it would hurt the next one (section 3.3).
    """
    warmup = max(1, round(phase.warmup_share * steps))
    return phase.learning_rate * min(1.0, (step + 1) / warmup)


def cooling_spans(phases: Sequence[tuple[Phase, int]]) -> list[tuple[int, int]]:
    """For each phase with its steps: the first step and the number of steps of those that cool together with it."""
    spans: list[tuple[int, int]] = []
    start = end = 0
    first = 0
    for number, (phase, steps) in enumerate(phases):
        if not phase.cools_on:
            spans += [(start, end - start)] * (number - first)
            first, start = number, end
        end += steps
    return spans + [(start, end - start)] * (len(phases) - first)


def cooldown_at(plan: TrainingPlan, step: int, steps: int) -> float:
    """What the rate of a span's step 0 … steps - 1 is multiplied by: 1, then linearly less towards its end."""
    return min(1.0, (steps - step) / max(1, round(plan.cooldown_share * steps)))
