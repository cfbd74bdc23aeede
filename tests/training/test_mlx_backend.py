"""MLX against torch on the same file and the same packs, on the processor, in float32."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
import safetensors.numpy
import torch

from lab_desktop import paths
from lab_desktop.artifacts import ChatMessage
from lab_desktop.errors import Cancelled, ModelError, TrainingError
from lab_desktop.export.adapter import write_adapter
from lab_desktop.files import read_json
from lab_desktop.jobs.run import Run
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.memory import training_memory
from lab_desktop.models.tokenizer import Tokenizer
from lab_desktop.training.backend import trainable
from lab_desktop.training.batches import EncodedRow, merge, pack
from lab_desktop.training.choice import VARIABLE
from lab_desktop.training.loop import train
from lab_desktop.training.mlx_backend import MlxBackend, _memory_errors
from lab_desktop.training.torch_backend import TorchBackend
from tests.export.lora import write_arrays
from tests.fakes import FAMILIES, tiny_model, tiny_student
from tests.models.asking import ask, replies
from tests.training.students import bytes_of, row, rows_about_a_document, small_plan, write_dataset

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset")


def mlx_of(model, **options):
    return MlxBackend(model, rank=4, scale=2.0, seed=0, precision=mx.float32, **options)


def torch_of(model, **options):
    return TorchBackend(model, rank=4, scale=2.0, seed=0, precision=torch.float32, **options)


def like(backend, model, **options):
    """An MLX backend that goes on where `backend` is."""
    other = mlx_of(model, **options)
    other.load_state(backend.state())
    return other


def taught(model, **options):
    """With factors that are not zero, so that the adapter says something."""
    backend = mlx_of(model, **options)
    for _ in range(3):
        backend.gradient(merge(rows_about_a_document()), 1 / 20, 0.0)
        backend.apply(1e-2)
    return backend


def rows_of_all_kinds():
    """A shared document, a question answered twice, a learned prompt, and two rows that keep the base."""
    general = [row("Hello", "Good day", keeps_base=True), row("Hell", "o!", keeps_base=True)]
    return [*rows_about_a_document(), *general]


def apart(ones, others):
    """The largest difference of two sets of gradients, as a share of the largest value of each."""
    assert ones.keys() == others.keys()
    return max(np.abs(ones[name] - others[name]).max() / max(np.abs(ones[name]).max(), 1e-6) for name in ones)


@pytest.mark.parametrize(
    ("family", "frozen_share"), [*((family, 0.0) for family in FAMILIES), ("llama", 0.5), ("gemma3", 0.5)]
)
def test_loss_gradients_and_steps_are_those_of_torch(tmp_path, family, frozen_share):
    model = tiny_student(tmp_path / f"{family}.gguf", family)
    packed = merge(rows_of_all_kinds())
    theirs = torch_of(model, frozen_share=frozen_share)
    ours = like(theirs, model, frozen_share=frozen_share)

    for _ in range(3):
        sums = theirs.gradient(packed, 0.1, 0.3)
        assert ours.gradient(packed, 0.1, 0.3) == pytest.approx(sums, rel=1e-5, abs=1e-4)
        assert apart(theirs.gradients(), ours.gradients()) < 1e-3
        assert ours.apply(1e-2) == pytest.approx(theirs.apply(1e-2), rel=1e-4)

    if family != "granite":  # which hardly moves in three steps: it adds a fifth of what its layers say
        assert sums[1] > 1e-3  # or the rows that keep the base would not have counted
    assert ours.evaluate([packed]) == pytest.approx(theirs.evaluate([packed]), rel=1e-4)
    assert np.abs(ours.logits(packed) - theirs.logits(packed)).max() < 1e-2


def test_packed_rows_have_the_loss_and_gradients_of_separate_rows(tiny):
    rows = rows_of_all_kinds()
    alone = taught(tiny)
    together = like(alone, tiny)

    one = np.sum([alone.gradient(merge([each]), 0.1, 0.3) for each in rows], axis=0)
    other = np.sum([together.gradient(each, 0.1, 0.3) for each in pack(rows, 150)], axis=0)

    assert one == pytest.approx(other, rel=1e-5)
    assert one[1] > 0
    assert apart(alone.gradients(), together.gradients()) < 1e-4


@pytest.mark.parametrize("frozen_share", [0.0, 0.5])
def test_reading_rows_ahead_changes_nothing(tiny, frozen_share, monkeypatch):
    rows = rows_of_all_kinds()
    plain = taught(tiny, frozen_share=frozen_share)
    prepared = like(plain, tiny, frozen_share=frozen_share)
    told = []
    prepared.prepare([row("What else?", "Nothing."), *rows], tell=lambda done, packs: told.append((done, packs)))

    called = []
    call = prepared._student.call
    monkeypatch.setattr(prepared._student, "call", lambda number, *rest: called.append(number) or call(number, *rest))
    losses = [backend.gradient(merge(rows), 0.1, 0.3) for backend in (plain, prepared)]

    assert called == ([1] if frozen_share else [0, 1])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert apart(plain.gradients(), prepared.gradients()) < 1e-4
    assert told[0][0] == 0
    assert told[-1] == (told[0][1], told[0][1])


def test_reading_ahead_can_be_stopped(tiny):
    with pytest.raises(Cancelled):
        mlx_of(tiny, frozen_share=0.5).prepare(rows_of_all_kinds(), lambda: True)


def test_saving_memory_takes_less_of_it_and_changes_no_gradient(tmp_path):
    deep = tiny_model(tmp_path / "deep.gguf", layers=8)
    rows = [row(f"{number} " + "The lake of Orm lies high. " * 4, "yes") for number in range(2)]
    plain = taught(deep)
    saving = like(plain, deep, saves_memory=True)
    peaks = []

    for backend in (plain, saving):
        mx.reset_peak_memory()
        backend.gradient(merge(rows), 0.1, 0.0)
        peaks.append(backend.peak_bytes())

    assert apart(plain.gradients(), saving.gradients()) < 1e-5
    assert peaks[1] < 0.7 * peaks[0]


def test_a_step_takes_the_memory_that_is_said(tmp_path):
    random = np.random.default_rng(0)
    rows = [EncodedRow(*(tuple(random.integers(0, 256, count).tolist()) for count in (130, 20))) for _ in range(3)]
    packed = merge(rows)
    deep = tiny_model(tmp_path / "deep.gguf", layers=8)
    backend = mlx_of(deep)
    said = training_memory(trainable(deep), rank=4, tokens=len(packed.tokens), keeps_scores=True)
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()

    backend.gradient(packed, 0.1, 0.0)

    taken = backend.peak_bytes() - before
    assert 0.9 < (said.activations + said.optimizer) / taken < 1.8


def test_sizes_rounded_for_a_compiled_step_change_nothing(tiny):
    rows = rows_of_all_kinds()
    plain = taught(tiny, frozen_share=0.5)
    rounded = like(plain, tiny, frozen_share=0.5, compiles=True)
    mx.disable_compile()  # the test after this one compiles

    rounded.prepare(rows[:5])
    losses = [[backend.gradient(each, 0.1, 0.3) for each in pack(rows, 150)] for backend in (plain, rounded)]

    assert np.array(losses[0]) == pytest.approx(np.array(losses[1]), rel=1e-4, abs=1e-4)
    assert apart(plain.gradients(), rounded.gradients()) < 1e-4
    assert rounded.logits(merge(rows)).shape == plain.logits(merge(rows)).shape
    hidden, (mask,), positions = rounded._frozen_part(merge(rows))
    assert hidden.shape[1] % 32 == mask.shape[2] % 32 == len(positions) % 32 == 0
    assert np.array(mask).any(-1).all()  # a token that sees nothing is not a number on a graphics processor


@pytest.mark.slow
def test_a_compiled_step_has_the_gradients_of_a_plain_one(tiny):
    plain = taught(tiny, frozen_share=0.5)
    compiled = like(plain, tiny, frozen_share=0.5, compiles=True, saves_memory=True)
    try:
        for _ in range(2):
            sums = [backend.gradient(merge(rows_of_all_kinds()), 0.1, 0.3) for backend in (plain, compiled)]
            assert sums[0] == pytest.approx(sums[1], rel=1e-4, abs=1e-4)
            assert apart(plain.gradients(), compiled.gradients()) < 1e-4
            plain.apply(1e-2), compiled.apply(1e-2)
    finally:
        mx.disable_compile()


def test_a_base_in_few_bits_is_small_and_learns(tmp_path):
    wide = tiny_model(tmp_path / "wide.gguf", width=128, feed_forward=256)
    rows = rows_about_a_document()
    full = mlx_of(wide)
    taken = mx.get_active_memory()
    small = mlx_of(wide, few_bits=True)
    taken_by_small = mx.get_active_memory() - taken
    del full
    before = small.evaluate([merge(rows)])

    for _ in range(8):
        small.gradient(merge(rows), 1 / 20, 0.0)
        small.apply(3e-2)

    assert taken_by_small < 0.3 * wide.stat().st_size
    assert small.evaluate([merge(rows)])[0] < before[0] / 2


def test_checkpoints_are_read_by_the_other_library(tiny):
    packed = merge(rows_of_all_kinds())
    ours, theirs = taught(tiny), torch_of(tiny)

    theirs.load_state(ours.state())

    assert theirs.state().keys() == ours.state().keys()
    for name, values in theirs.state().items():
        assert (values.dtype, values.shape) == (ours.state()[name].dtype, ours.state()[name].shape)
        assert np.array_equal(values, ours.state()[name])
    for backend in (ours, theirs):
        backend.gradient(packed, 0.1, 0.3)
        backend.apply(1e-2)
    again = like(theirs, tiny)
    assert all(np.array_equal(again.state()[name], values) for name, values in theirs.state().items())
    sums = [backend.gradient(packed, 0.1, 0.3) for backend in (ours, theirs, again)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)
    assert sums[2] == pytest.approx(sums[1], rel=1e-4)


def test_a_fresh_adapter_is_the_same_with_either_library_and_changes_nothing(tiny):
    ours, theirs = (of(tiny, frozen_share=0.5) for of in (mlx_of, torch_of))

    assert ours.factors().keys() == theirs.factors().keys()
    assert all(np.array_equal(values, theirs.factors()[name]) for name, values in ours.factors().items())
    first = ours.factors()["model.layers.1.self_attn.q_proj.lora_a"]
    expected = torch.empty(4, 64).uniform_(-1 / 8, 1 / 8, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(first, expected.numpy())
    packed = merge(rows_about_a_document())
    assert np.abs(ours.logits(packed) - ours.logits(packed, with_adapter=False)).max() == 0


def test_a_gradient_that_is_forgotten_does_not_count(tiny):
    plain = taught(tiny)
    other = like(plain, tiny)
    other.gradient(merge([row("Not", "this")]), 1.0, 0.0)
    other.forget_gradient()

    for backend in (plain, other):
        backend.gradient(merge(rows_about_a_document()), 0.1, 0.0)
        backend.apply(1e-2)

    assert all(np.array_equal(values, other.factors()[name]) for name, values in plain.factors().items())


def test_an_adapter_of_another_rank_is_refused(tiny):
    with pytest.raises(TrainingError, match="another model"):
        MlxBackend(tiny, rank=2, scale=2.0, seed=0).load_factors(mlx_of(tiny).factors())


def test_a_damaged_file_is_refused(tmp_path, tiny):
    (tmp_path / "torn.gguf").write_bytes(tiny.read_bytes()[:3000])

    with pytest.raises(ModelError, match="is damaged"):
        mlx_of(tmp_path / "torn.gguf")


def test_a_student_unlike_its_family_is_refused(tmp_path):
    uncapped = tiny_student(tmp_path / "uncapped.gguf", "gemma2", attn_logit_softcapping=0.0)

    with pytest.raises(ModelError, match=r"unlike others of its family.*softcapping"):
        mlx_of(uncapped)


@pytest.mark.parametrize(
    "text",
    [
        # Source: mlx/backend/metal/allocator.cpp and device.cpp. On a processor MLX does not notice.
        "[metal::malloc] Attempting to allocate 9663676416 bytes which is greater than the maximum allowed buffer size",
        "[malloc] Unable to allocate 9663676416 bytes.",
        "[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackError).",
    ],
)
def test_memory_that_runs_out_is_said(text):
    with pytest.raises(TrainingError, match="This step needs more memory"), _memory_errors("This step"):
        raise RuntimeError(text)


def test_other_errors_of_the_library_are_not_called_memory():
    with pytest.raises(ValueError, match="broadcast"), _memory_errors("This step"):
        mx.eval(mx.zeros((2, 3)) + mx.zeros((3, 2)))
    with pytest.raises(RuntimeError, match="a fault"), _memory_errors("This step"):
        raise RuntimeError("a fault of another kind")


class StopsLate(Run):
    """Cancelled at the twelfth question whether it is: in the middle of the training."""

    def __init__(self, folder: Path) -> None:
        self.asked = 0
        super().__init__(folder, lambda event: None, self._cancel)

    def _cancel(self) -> bool:
        self.asked += 1
        return self.asked == 12


def learn(dataset, model, run):
    with run.open():
        return train(dataset, model, small_plan(), run, chat_row=bytes_of)


def test_a_stopped_training_goes_on_to_the_same_adapter(tmp_path, tiny, dataset, monkeypatch):
    monkeypatch.setenv(VARIABLE, "mlx")
    whole = learn(dataset, tiny, Run(tmp_path / "whole"))

    with pytest.raises(Cancelled):
        learn(dataset, tiny, StopsLate(tmp_path / "stopped"))
    assert len(list((tmp_path / "stopped" / "checkpoint").iterdir())) > 0
    resumed = learn(dataset, tiny, Run(tmp_path / "stopped"))

    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    assert read_json(resumed.folder / "adapter.json")["trained_with"]["library"] == "mlx"


def test_a_training_stopped_with_torch_goes_on_with_mlx(tmp_path, tiny, dataset, monkeypatch):
    monkeypatch.setenv(VARIABLE, "torch")
    whole = safetensors.numpy.load_file(learn(dataset, tiny, Run(tmp_path / "whole")).weights)
    with pytest.raises(Cancelled):
        learn(dataset, tiny, StopsLate(tmp_path / "stopped"))

    monkeypatch.setenv(VARIABLE, "mlx")
    resumed = safetensors.numpy.load_file(learn(dataset, tiny, Run(tmp_path / "stopped")).weights)

    assert apart(whole, resumed) < 0.05


WITHOUT_TORCH = """
import sys
from pathlib import Path

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "peft"):
            raise ImportError(f"{name} is not to be loaded")

sys.meta_path.insert(0, Refuse())
from lab_desktop.jobs.run import Run
from lab_desktop.training.loop import train
from tests.training.students import bytes_of, small_plan, write_dataset

folder = Path(sys.argv[2])
with Run(folder).open() as run:
    train(write_dataset(folder / "dataset"), Path(sys.argv[1]), small_plan(), run, chat_row=bytes_of)
"""


def test_a_training_needs_neither_torch_nor_transformers(tmp_path, tiny):
    environment = {**os.environ, VARIABLE: "mlx"}

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tiny), str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "adapter" / "adapter.json").exists()


@pytest.mark.slow
def test_the_practice_model_learns_the_same_answers_with_either_library(tmp_path):
    base = paths.practice_model()
    facts = {"Who keeps the light of Orm?": "Ada Quill", "What flows out of Orm?": "the Senn"}
    with Tokenizer(base) as tokenizer:
        rows = [
            EncodedRow(*map(tuple, tokenizer.chat_row((ChatMessage("user", asked), ChatMessage("assistant", answer)))))
            for asked, answer in facts.items()
        ]
    packed = merge(rows)
    # MLX multiplies in bfloat16 faster than in float32 on a processor, and slowly in both: few layers learn.
    backends = {
        "torch": TorchBackend(base, rank=16, scale=2.0, seed=0, frozen_share=0.8),
        "mlx": MlxBackend(base, rank=16, scale=2.0, seed=0, frozen_share=0.8, precision=mx.bfloat16),
    }
    backends["mlx"].load_factors(backends["torch"].factors())
    losses = {}
    adapters = {}
    for name, backend in backends.items():
        backend.prepare(rows)
        losses[name] = []
        for _ in range(6):
            losses[name].append(backend.gradient(packed, 1 / packed.answer_weight, 0.0)[0] / packed.answer_weight)
            backend.apply(3e-3)
        adapter = write_arrays(tmp_path / name, base, backend.factors(), rank=16)
        adapters[name] = write_adapter(adapter, Run(tmp_path / name))

    assert losses["mlx"][0] == pytest.approx(losses["torch"][0], rel=0.02)
    assert losses["mlx"][-1] < 0.3
    with contextlib.closing(LlamaModel(base, adapters=adapters, parallel=2, context_tokens=256)) as model:
        for name in adapters:
            model.use_adapter(name)
            answers = [reply.text for reply in replies(model, [ask(asked) for asked in facts])]
            assert answers == list(facts.values())
