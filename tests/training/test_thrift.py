"""A training that runs out of memory lowers itself, says so, and learns the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from lab_desktop.errors import Cancelled, OutOfMemory
from lab_desktop.files import write_json
from lab_desktop.jobs import events, shortage
from lab_desktop.jobs.run import Run
from lab_desktop.training import torch_backend
from lab_desktop.training.loop import train
from lab_desktop.training.thrift import level, levels
from tests.fakes import tiny_model
from tests.jobs.test_shortage import killed_at_work
from tests.training.students import bytes_of, small_plan, write_dataset

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf", layers=4)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(autouse=True)
def _float32(monkeypatch):
    monkeypatch.setattr(torch_backend, "_has_bfloat16", lambda: False)


def learn(dataset, model, folder, is_cancelled=lambda: False):
    """(adapter, steps taken, notices)"""
    heard = []
    with Run(folder, heard.append, is_cancelled).open() as run:
        adapter = train(dataset, model, small_plan(), run, chat_row=bytes_of)
    steps = [event.step for event in heard if isinstance(event, events.Metric) and event.name == "loss"]
    said = [event.text for event in heard if isinstance(event, events.Notice)]
    return safetensors.numpy.load_file(adapter.weights), steps, said


@pytest.fixture(scope="module")
def calm(tmp_path_factory, tiny, dataset):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_backend, "_has_bfloat16", lambda: False)
        return learn(dataset, tiny, tmp_path_factory.mktemp("calm"))[0]


def apart(ours, wanted):
    """The largest difference of two adapters, beside their largest number."""
    assert ours.keys() == wanted.keys()
    largest = max(float(np.abs(values).max()) for values in wanted.values())
    return max(float(np.abs(ours[name] - wanted[name]).max()) for name in wanted) / largest


def short_of_memory(monkeypatch, is_enough):
    """From now on a step wants more memory than there is unless `is_enough(backend, pack, step)`; numpy asks for it."""
    gradient = torch_backend.TorchBackend.gradient
    count = 0

    def hungry(self, pack, *scales):
        nonlocal count
        count += 1
        with torch_backend.memory_errors("This step"):
            np.empty(0 if is_enough(self, pack, count) else 1 << 62, np.uint8)
        return gradient(self, pack, *scales)

    monkeypatch.setattr(torch_backend.TorchBackend, "gradient", hungry)


def test_smaller_portions_are_enough_and_learn_the_same(tmp_path, tiny, dataset, calm, monkeypatch):
    # Packs of the size planned fit at first; then, in the fourth step, other programs take the memory.
    short_of_memory(monkeypatch, lambda backend, pack, count: backend._saves_memory or count < 8)

    adapter, steps, said = learn(dataset, tiny, tmp_path)

    assert steps == list(range(1, 11))  # it goes on where it was, no step twice
    assert [text for text in said if "Memory" in text] == [
        "Memory ran out. It goes on at its last save point, in smaller portions. That takes longer.",
        "Memory ran out. It goes on at its last save point, in smaller portions, computing twice what it cannot keep. "
        "That takes longer.",
    ]
    assert apart(adapter, calm) < 1e-3
    assert level(tmp_path) == 0  # the next training begins as planned


def test_what_has_nothing_left_to_give_up_ends_with_a_sentence_and_keeps_its_steps(
    tmp_path, tiny, dataset, calm, monkeypatch
):
    with monkeypatch.context() as hungry:
        short_of_memory(hungry, lambda backend, pack, count: count < 5)
        with pytest.raises(OutOfMemory, match="needs more memory than this computer has free") as caught:
            learn(dataset, tiny, tmp_path)

    assert "saved" in caught.value.hint
    assert list((tmp_path / "checkpoint").glob("step-*.safetensors"))
    assert level(tmp_path) == 0  # who has made room begins as planned
    adapter, steps, _ = learn(dataset, tiny, tmp_path)
    assert len(steps) < 10 and apart(adapter, calm) < 1e-3


def test_the_last_level_teaches_the_upper_layers_and_leaves_the_others_as_they_are(
    tmp_path, tiny, dataset, monkeypatch
):
    short_of_memory(monkeypatch, lambda backend, pack, count: count < 5 or not backend._factors[LOWER].requires_grad)
    saved = {}

    def keep(backend, rate, apply=torch_backend.TorchBackend.apply):
        norm = apply(backend, rate)
        saved.setdefault(backend._factors[LOWER].requires_grad, []).append(backend.factors())
        return norm

    monkeypatch.setattr(torch_backend.TorchBackend, "apply", keep)
    learn(dataset, tiny, tmp_path)

    before, after = saved[True][-1], saved[False][-1]
    assert np.array_equal(before[LOWER], after[LOWER])
    assert not np.array_equal(before[UPPER], after[UPPER])


LOWER, UPPER = "model.layers.2.mlp.down_proj.lora_b", "model.layers.3.mlp.down_proj.lora_b"


def test_killed_again_and_again_it_ends_with_a_sentence_and_can_be_tried_once_more(tmp_path, tiny, dataset):
    for _ in range(len(levels("torch")) - 1):
        write_json(tmp_path / shortage.FILE_NAME, {"is_short": True, "kills": 0})
        with pytest.raises(Cancelled):
            learn(dataset, tiny, tmp_path, lambda: True)
    write_json(tmp_path / shortage.FILE_NAME, {"is_short": True, "kills": 0})
    with pytest.raises(OutOfMemory, match="Nothing is left that could be given up"):
        learn(dataset, tiny, tmp_path)

    assert not shortage.ended_work(tmp_path) and level(tmp_path) == 0
    assert learn(dataset, tiny, tmp_path)[1] == list(range(1, 11))


@pytest.mark.parametrize("text", ["", "{}", '{"level": "x"}', '{"level": -3}', '{"level": 99}'])
def test_a_damaged_note_of_the_level_is_no_obstacle(tmp_path, text):
    (tmp_path / "thrift.json").write_text(text)

    assert level(tmp_path) in range(len(levels("mlx")))


def test_a_training_that_the_system_ended_for_want_of_memory_goes_on_with_less(tmp_path, tiny, dataset, calm):
    killed_at_work(tmp_path, 1 << 60)

    adapter, _, said = learn(dataset, tiny, tmp_path)

    assert said[0] == (
        "Memory ran out, so the system ended the training. It goes on at its last save point, in smaller portions. "
        "That takes longer."
    )
    assert apart(adapter, calm) < 1e-3
    killed_at_work(tmp_path, 0)
    assert [text for text in learn(dataset, tiny, tmp_path)[2] if "Memory" in text] == []


LIMITED = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
from lab_desktop.jobs import events
from lab_desktop.jobs.run import Run
from lab_desktop.training import torch_backend
from lab_desktop.training.loop import train
from lab_desktop.training.phases import TrainingPlan
from tests.fakes import tiny_model
from tests.training.students import bytes_of, small_plan, write_dataset

folder = Path(sys.argv[1])
torch_backend._has_bfloat16 = lambda: False
# For each row of 400 tokens the six layers keep about 80 MB for the way back; computed twice, a sixth of it.
model = tiny_model(folder / "tiny.gguf", layers=6, feed_forward=2048)
dataset = write_dataset(folder / "data", words=[chr(97 + number) * 100 for number in range(8)])
plan = small_plan(frozen_share=0.0, evaluate_every=100)
plan = replace(plan, phases=tuple(replace(phase, epochs=1) for phase in plan.phases))

def learn(name):
    said = []
    hear = lambda event: said.append(event.text) if isinstance(event, events.Notice) else None
    with Run(folder / name, hear).open() as run:
        train(dataset, model, plan, run, chat_row=bytes_of)
    return said

calm = learn("calm")
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[2]), resource.RLIM_INFINITY))
print(json.dumps([calm, learn("limited")]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="a process's memory can be limited on Linux only")
def test_with_a_real_limit_of_memory_the_training_goes_on_in_smaller_portions(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), "50000000"],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
        # Freed memory goes back at once, so that the limit counts what is in use.
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "500000"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    calm, limited = json.loads(done.stdout)
    assert not [text for text in calm if "Memory" in text]
    assert [text for text in limited if text.startswith("Memory ran out. It goes on")]
    adapters = [
        safetensors.numpy.load_file(tmp_path / name / "adapter" / "adapter.safetensors") for name in ("limited", "calm")
    ]
    assert apart(*adapters) < 1e-3
