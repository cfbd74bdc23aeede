"""Several processes train one student together: real processes, started by torchrun or mlx.launch, on one machine."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from lab_desktop.jobs.run import Run
from lab_desktop.training.choice import VARIABLE
from lab_desktop.training.loop import train
from lab_desktop.training.ranks import Ranks
from tests.fakes import tiny_model
from tests.training.students import bytes_of, small_plan, write_dataset

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = """
import os, sys
from pathlib import Path
from lab_desktop.errors import Cancelled
from lab_desktop.jobs import events
from lab_desktop.jobs.run import Run
from lab_desktop.training.choice import choose, joined
from lab_desktop.training.loop import train
from tests.training.students import bytes_of, small_plan, write_dataset
from lab_desktop.artifacts import Dataset

model, data, folder, stop_at = *map(Path, sys.argv[1:4]), int(sys.argv[4])
if choose().library == "mlx":
    from lab_desktop.training.mlx_backend import MlxBackend as Backend
else:
    from lab_desktop.training import torch_backend
    from lab_desktop.training.torch_backend import TorchBackend as Backend
    torch_backend._has_bfloat16 = lambda: False
dataset = write_dataset(data / os.environ.get("RANK", os.environ.get("MLX_RANK", "")))
steps = 0
tokens = 0

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # in one piece: all write into the same pipe

def hear(event):
    global steps
    if isinstance(event, events.Metric) and event.name == "loss":
        steps = event.step
        if ranks.is_first:
            say("loss", event.step, repr(event.value))

gradient = Backend.gradient

def counted(self, pack, *scales):
    global tokens
    tokens += len(pack.tokens)
    return gradient(self, pack, *scales)

Backend.gradient = counted
with joined() as ranks:
    is_cancelled = lambda: ranks.rank == 1 and 0 < stop_at <= steps
    run = Run(folder, hear, is_cancelled, writes=ranks.is_first)
    with run.open():
        try:
            train(dataset, model, small_plan(), run, chat_row=bytes_of, ranks=ranks)
        except Cancelled:
            say("stopped", ranks.rank, steps)
    say("tokens", ranks.rank, tokens)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module", params=["torch", "mlx"])
def library(request):
    return request.param


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny, library):
    """What one process gives: its adapter and its losses."""
    from lab_desktop.training import torch_backend

    folder = tmp_path_factory.mktemp("alone")
    losses = {}

    def hear(event):
        if getattr(event, "name", "") == "loss":
            losses[event.step] = event.value

    with pytest.MonkeyPatch.context() as patch, Run(folder / "run", hear).open() as run:
        patch.setenv(VARIABLE, library)
        patch.setattr(torch_backend, "_has_bfloat16", lambda: False)
        adapter = train(write_dataset(folder / "data"), tiny, small_plan(), run, chat_row=bytes_of)
    return safetensors.numpy.load_file(adapter.weights), losses


def together(library: str, model: Path, data: Path, folder: Path, stop_at: int = 0) -> list[str]:
    """Let two processes train; gives the lines that they said."""
    start = {
        "torch": [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python"],
        "mlx": [str(Path(sys.executable).parent / "mlx.launch"), "-n", "2", "-p", str(_two_free_ports()), "--"],
    }
    data.mkdir(exist_ok=True)
    silence, mouth = os.pipe()  # mlx.launch passes on what is typed, and turns in circles where that has an end
    try:
        done = subprocess.run(
            [*start[library], sys.executable, "-c", SCRIPT, str(model), str(data), str(folder), str(stop_at)],
            stdin=silence, capture_output=True, text=True, cwd=ROOT, timeout=180,
            env={**os.environ, "OMP_NUM_THREADS": "1", VARIABLE: library, "TMPDIR": str(data)},
        )  # fmt: skip
    finally:
        os.close(silence)
        os.close(mouth)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def _two_free_ports() -> int:
    """The first of two neighbours."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError, OverflowError):
                other.bind(("127.0.0.1", one.getsockname()[1] + 1))
                return int(one.getsockname()[1])


def losses_of(lines: list[str]) -> dict[int, float]:
    return {int(words[1]): float(words[2]) for line in lines if (words := line.split())[0] == "loss"}


def difference(folder: Path, wanted: dict[str, np.ndarray]) -> float:
    """The largest of a trained adapter's to another, beside the largest number of that one."""
    ours = safetensors.numpy.load_file(folder / "adapter" / "adapter.safetensors")
    assert ours.keys() == wanted.keys()
    return max(float(np.abs(ours[name] - wanted[name]).max()) for name in wanted) / max(
        float(np.abs(values).max()) for values in wanted.values()
    )


@pytest.mark.slow
def test_two_with_half_the_rows_each_give_what_one_gives_with_all_also_when_stopped_between(
    tmp_path, library, tiny, alone
):
    wanted, losses = alone

    first = together(library, tiny, tmp_path / "data", tmp_path / "run", stop_at=4)
    assert sorted(line for line in first if line.startswith("stopped")) == ["stopped 0 4", "stopped 1 4"]
    assert [path.name for path in (tmp_path / "run" / "checkpoint").glob("step-4*")] == ["step-4.safetensors"]
    second = together(library, tiny, tmp_path / "data", tmp_path / "run")

    assert sorted({**losses_of(first), **losses_of(second)}) == list(range(1, 11))
    assert {**losses_of(first), **losses_of(second)} == pytest.approx(losses, rel=1e-5)
    assert difference(tmp_path / "run", wanted) < 1e-4
    tokens = {words[1]: int(words[2]) for line in second if (words := line.split())[0] == "tokens"}
    assert len(tokens) == 2 and min(tokens.values()) > 0.25 * sum(tokens.values())
    assert json.loads((tmp_path / "run" / "adapter" / "adapter.json").read_text())["last_step"] == 10


def test_shares_cover_everything_once_and_neighbours_stay_together():
    items = list(range(7))

    shares = [Ranks(3, rank).share(items) for rank in range(3)]

    assert [each for share in shares for each in share] == items
    assert sorted(map(len, shares)) == [2, 2, 3]
    assert [len(Ranks(4, rank).share([1])) for rank in range(4)].count(1) == 1


def test_one_process_is_its_own_sum():
    alone = Ranks()

    alone.wait()
    assert alone.first_says(3_000_000_019) == 3_000_000_019
    assert alone.any_says(True) and not alone.any_says(False)
    assert list(alone.share([1, 2])) == [1, 2]
