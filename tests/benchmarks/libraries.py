"""One training step on the same rows: our loops over torch and MLX beside what a person would take instead.

That is a plain loop over transformers and peft, and mlx-lm's own trainer, in full and in four bits (QLoRA); both pad a
row each. Each way has a process of its own, so that its memory is its own. In each the upper half of the layers learns
in rank 16, only the answers count, and the base is the practice model's file: the loss of the first step shows it
(mlx-lm's is another, for it counts a token of padding after each answer too). Ours computes the lower half and the
rows' common beginning once.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from lab_desktop import hardware
from lab_desktop.models.families import config, read_weight
from lab_desktop.paths import practice_model
from lab_desktop.training.backend import TrainingBackend, trainable
from lab_desktop.training.batches import EncodedRow, merge
from lab_desktop.training.choice import choose

_ROUNDS = 2
_QUESTIONS, _SHARED_TOKENS, _QUESTION_TOKENS, _ANSWER_TOKENS = 4, 84, 16, 12
_FROZEN_SHARE = 0.5
_RANK, _SCALE = 16, 2.0


class _Measured(NamedTuple):
    """Of one way: seconds a step, the most memory it held, and the first step's loss in nats per answer token."""

    seconds: float
    peak_bytes: int
    first_loss: float


def main() -> None:
    """Print for each way seconds a step, answer tokens a second, peak memory and loss, and ratios to the others'."""
    learned = _QUESTIONS * _ANSWER_TOKENS
    print(f"a step on {_QUESTIONS} questions after {_SHARED_TOKENS} common tokens, best of {_ROUNDS} after the first")
    print(f"  {'':28}{'s a step':>10}{'answer tokens/s':>17}{'peak memory':>14}{'first loss':>12}")
    measured = {}
    for way in _WAYS:
        command = [sys.executable, "-m", "tests.benchmarks.libraries", way]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        each = measured[way] = _Measured(*json.loads(done.stdout.splitlines()[-1]))
        print(
            f"  {way:28}{each.seconds:10.2f}{learned / each.seconds:17.1f}{each.peak_bytes / 1e6:11.0f} MB"
            f"{each.first_loss:12.2f}",
            flush=True,
        )
    for way, instead in _INSTEAD.items():
        ours, theirs = measured[way], measured[instead]
        print(
            f"  {way} is {theirs.seconds / ours.seconds:.1f} times as fast as {instead}, "
            f"with {ours.peak_bytes / theirs.peak_bytes:.0%} of its memory"
        )
    print(f"  MLX is {measured['torch'].seconds / measured['MLX'].seconds:.2f} times as fast as torch here")
    print("  (MLX counts its own arrays, torch's figures are the whole process)")


def _rows() -> list[EncodedRow]:
    random = np.random.default_rng(0)

    def some(count: int) -> tuple[int, ...]:
        return tuple(random.integers(100, 40000, count).tolist())

    beginning = some(_SHARED_TOKENS)
    return [EncodedRow(beginning + some(_QUESTION_TOKENS), some(_ANSWER_TOKENS)) for _ in range(_QUESTIONS)]


def _ours(backend: TrainingBackend) -> _Measured:
    rows = _rows()
    backend.prepare(rows)
    packed = merge(rows)

    def step() -> float:
        loss, _ = backend.gradient(packed, 1 / packed.answer_weight, 0.0)
        backend.apply(1e-5)
        return loss / packed.answer_weight

    seconds, first_loss = _best(step)
    return _Measured(seconds, backend.peak_bytes(), first_loss)


def _torch() -> _Measured:
    from lab_desktop.training.torch_backend import TorchBackend

    return _ours(TorchBackend(practice_model(), _RANK, _SCALE, seed=0, frozen_share=_FROZEN_SHARE))


def _peft() -> _Measured:
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.set_num_threads(hardware.threads())
    plan = trainable(practice_model())
    base = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(**config(plan)), dtype=torch.bfloat16 if hardware.has_fast_bf16() else torch.float32
    )
    with torch.no_grad():
        for name, weight in base.named_parameters():
            for start, rows in read_weight(plan, name):
                weight[start : start + len(rows)] = torch.from_numpy(np.require(rows, requirements=["W"]))
    model = get_peft_model(
        base,
        LoraConfig(
            r=_RANK,
            lora_alpha=_SCALE * _RANK,
            target_modules={module.rpartition(".")[2] for module in plan.adapted},
            layers_to_transform=list(range(int(_FROZEN_SHARE * plan.layers), plan.layers)),
            task_type="CAUSAL_LM",
        ),
    ).train()
    factors = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(factors, lr=1e-5)
    tokens = [torch.tensor(row.tokens) for row in _rows()]
    labels = [torch.tensor([-100] * len(row.prompt) + list(row.answer)) for row in _rows()]
    batch = {
        "input_ids": pad_sequence(tokens, batch_first=True),
        "attention_mask": pad_sequence([torch.ones_like(each) for each in tokens], batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
    }

    def step() -> float:
        loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(factors, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    seconds, first_loss = _best(step)
    return _Measured(seconds, hardware.peak_memory_bytes(), first_loss)


def _mlx(**options: Any) -> _Measured:
    from lab_desktop.training.mlx_backend import MlxBackend

    precision = _mlx_precision(few_bits=options.get("few_bits", False))
    return _ours(
        MlxBackend(practice_model(), _RANK, _SCALE, seed=0, frozen_share=_FROZEN_SHARE, precision=precision, **options)
    )


def _mlx_lm(*, few_bits: bool = False) -> _Measured:
    import mlx.core as mx
    import mlx.nn as nn
    from mlx import optimizers

    from lab_desktop.training.mlx_model import Student

    if mx.default_device() != mx.gpu:
        mx.disable_compile()
    plan = trainable(practice_model())
    student = Student(plan, _mlx_precision(few_bits=few_bits), few_bits=few_bits)
    for layer in student.layers:
        layer.self_attn.rope = nn.RoPE(plan.head_width, base=plan.theta)
    # How it shows progress needs a package that we do not, and takes no part in what is measured.
    silent = ModuleType("mlx_lm.cli_ui")
    silent.rprint, silent.TrainUI = print, _Silent
    sys.modules[silent.__name__] = silent
    from mlx_lm.tuner.trainer import TrainingArgs, train
    from mlx_lm.tuner.utils import linear_to_lora_layers

    model = student._model
    model.freeze()
    linear_to_lora_layers(
        model, plan.layers - int(_FROZEN_SHARE * plan.layers), {"rank": _RANK, "scale": _SCALE, "dropout": 0.0}
    )
    heard: list[float] = []
    losses: list[float] = []

    class Listener:
        def on_train_loss_report(self, report: dict[str, float]) -> None:
            heard.append(_clock())
            losses.append(report["train_loss"])

    with tempfile.TemporaryDirectory() as folder:
        train(
            model,
            optimizers.Adam(learning_rate=1e-5),
            [(list(row.tokens), len(row.prompt)) for row in _rows()],
            args=TrainingArgs(
                batch_size=_QUESTIONS,
                iters=1 + _ROUNDS,
                steps_per_report=1,
                steps_per_save=1000,
                adapter_file=str(Path(folder) / "adapters.safetensors"),
            ),
            training_callback=Listener(),
        )
    best = min(later - earlier for earlier, later in itertools.pairwise(heard))
    return _Measured(best, mx.get_peak_memory(), losses[0])


def _mlx_precision(*, few_bits: bool) -> Any:
    """bfloat16, as usual on Apple silicon and the faster one on Linux too; but a processor multiplies four bits by
    bfloat16 eight times as slowly as by float32."""
    import mlx.core as mx

    return mx.float32 if few_bits and mx.default_device() != mx.gpu else mx.bfloat16


class _Silent:
    def __init__(self, total: int, rank: int = 0) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *failure: object) -> None:
        pass

    def advance(self) -> None:
        pass

    def report_train(self, *said: object) -> None:
        pass


_PEFT, _MLX_LM, _MLX_LM_FEW_BITS = "transformers and peft", "mlx-lm's trainer", "mlx-lm's trainer, few bits"
_WAYS: dict[str, Callable[[], _Measured]] = {
    "torch": _torch,
    _PEFT: _peft,
    "MLX": _mlx,
    "MLX, saving memory": lambda: _mlx(saves_memory=True),
    _MLX_LM: _mlx_lm,
    "MLX, few bits": lambda: _mlx(few_bits=True),
    _MLX_LM_FEW_BITS: lambda: _mlx_lm(few_bits=True),
}
_INSTEAD = {
    "torch": _PEFT,
    "MLX": _MLX_LM,
    "MLX, saving memory": _MLX_LM,
    "MLX, few bits": _MLX_LM_FEW_BITS,
}
"""What each of ours is set beside."""


def _best(step: Callable[[], float]) -> tuple[float, float]:
    """(seconds of the fastest step after the first, the first one's loss)."""
    first_loss = step()
    times = []
    for _ in range(_ROUNDS):
        start = _clock()
        step()
        times.append(_clock() - start)
    return min(times), first_loss


def _clock() -> float:
    """Seconds of the processor, which others on the machine do not change; a graphics processor's by the wall."""
    return time.perf_counter() if choose().library == "mlx" else time.process_time()


if __name__ == "__main__":
    hardware.wait_politely()  # as the app does, for threads that spin beside other programs count as work
    print(json.dumps(_WAYS[sys.argv[1]]()))
