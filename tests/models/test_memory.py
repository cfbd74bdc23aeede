"""What a training is said to need is what it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop import paths
from lab_desktop.models.blueprints import blueprint
from lab_desktop.models.families import Blueprint
from lab_desktop.models.gguf import read_header
from lab_desktop.models.memory import TrainingMemory, training_memory
from tests.fakes import tiny_student

_TOKENS = 635
_TRAINING = """
import resource, sys
from pathlib import Path
import numpy as np
import torch
from lab_desktop.training.batches import EncodedRow, merge
from lab_desktop.training.torch_backend import TorchBackend

backend = TorchBackend(Path(sys.argv[1]), rank=16, scale=2.0, seed=0, precision=torch.float32)
random = np.random.default_rng(0)
rows = [
    EncodedRow(tuple(random.integers(9, 40000, 100).tolist()), tuple(random.integers(9, 40000, 28).tolist()))
    for _ in range(5)
]
packed = merge(rows)
assert len(packed.tokens) == 635
backend.gradient(packed, 0.1, 0.1)
backend.apply(1e-5)
if sys.platform == "linux":  # ru_maxrss counts what the process was before it became this program
    print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Blueprint:
    return blueprint(read_header(tiny_student(tmp_path_factory.mktemp("model") / "gemma3.gguf", "gemma3")))


def needed(plan: Blueprint, **changes: float | bool) -> TrainingMemory:
    return training_memory(plan, **{"rank": 16, "tokens": 600, **changes})  # type: ignore[arg-type]


def test_the_total_is_the_sum_of_its_parts(plan: Blueprint) -> None:
    said = needed(plan, frozen_share=0.5, practice_tokens=1000)

    assert said.total == sum(vars(said).values())
    assert said.ahead == 1000 * plan.width * 4
    assert said.optimizer == 3 * said.adapter


def test_what_saves_memory_needs_less(plan: Blueprint) -> None:
    whole = needed(plan)

    assert needed(plan, frozen_share=0.5).activations < whole.activations
    assert needed(plan, saves_memory=True).activations < whole.activations
    assert needed(plan, keeps_scores=True).activations - whole.activations > plan.layers * plan.heads * 600**2 * 4
    assert needed(plan, tokens=300).activations < 0.55 * whole.activations
    assert needed(plan, weight_bytes=2).weights == whole.weights // 2
    assert needed(plan, rank=8).adapter == whole.adapter // 2


@pytest.mark.slow
def test_a_step_of_the_practice_model_takes_what_was_said() -> None:
    said = training_memory(blueprint(read_header(paths.practice_model())), rank=16, tokens=_TOKENS)

    taken = int(
        subprocess.run(
            [sys.executable, "-c", _TRAINING, str(paths.practice_model())],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
    )

    assert 0.8 < said.total / taken < 1.25
