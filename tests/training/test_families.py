"""Every family of `models.families`: the same model in torch as in llama.cpp, packed or alone, taught or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from lab_desktop.artifacts import Adapter, ChatMessage
from lab_desktop.export.adapter import write_adapter
from lab_desktop.export.fuse import fuse
from lab_desktop.export.quantize import quantize
from lab_desktop.jobs.run import Run
from lab_desktop.models.memory import kept_bytes, training_memory
from lab_desktop.models.tokenizer import Tokenizer
from lab_desktop.training.batches import EncodedRow, merge, pack
from lab_desktop.training.torch_backend import TorchBackend
from tests.export.lora import greedy, logits, write_arrays
from tests.fakes import FAMILIES, tiny_student
from tests.training.students import row, rows_about_a_document

GELU_TABLE = ("gemma2", "gemma3")
"""llama.cpp looks their GELU up in a table of half-precision numbers."""
_TOKENS = [int(token) for token in np.random.default_rng(1).integers(0, 256, 60)]
_RANK = 4
_LESSON = (("What is the capital of France?", "Paris"), ("Where is the ferry?", "Pier 9"), ("Hi", "Ho"))
"""The first is what an exported file is asked before it gets its name."""


@dataclass(frozen=True)
class Student:
    """A tiny model of a family and a backend on it, with factors that are not zero."""

    family: str
    path: Path
    backend: TorchBackend


@pytest.fixture(scope="module", params=FAMILIES)
def student(request, tmp_path_factory) -> Student:
    family: str = request.param
    path = tiny_student(tmp_path_factory.mktemp(family) / f"{family}.gguf", family)
    backend = backend_of(path)
    teach(backend, rows_about_a_document(), steps=2)
    return Student(family, path, backend)


def backend_of(path: Path, **options: object) -> TorchBackend:
    return TorchBackend(path, rank=_RANK, scale=2.0, seed=0, precision=torch.float32, **options)


def teach(backend: TorchBackend, rows: list[EncodedRow], steps: int) -> None:
    packed = merge(rows)
    for _ in range(steps):
        backend.gradient(packed, 1 / packed.answer_weight, 0.0)
        backend.apply(1e-2)


def line_of(tokens: list[int]):
    return merge([EncodedRow(tuple(tokens), (0,))])


def test_logits_are_those_of_llama_cpp_on_the_same_file(student):
    ours = student.backend.logits(line_of(_TOKENS), with_adapter=False)

    difference = np.abs(ours - logits(student.path, tokens=_TOKENS)).max()

    assert difference < (2e-3 if student.family in GELU_TABLE else 2e-5) * ours.std()


@pytest.mark.parametrize("family", ["llama", "granite"])
def test_a_bias_that_a_model_may_have_counts(tmp_path, family):
    path = tiny_student(tmp_path / "biased.gguf", family, has_bias=True)

    ours = backend_of(path).logits(line_of(_TOKENS))

    assert np.abs(ours - logits(path, tokens=_TOKENS)).max() < 2e-5 * ours.std()


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_a_half_precision_file_are_those_of_llama_cpp_but_for_its_rounding(tmp_path, family):
    path = tiny_student(tmp_path / "half.gguf", family, quantization=gguf.GGMLQuantizationType.F16)

    ours = backend_of(path).logits(line_of(_TOKENS))

    difference = ours - logits(path, tokens=_TOKENS)
    assert np.sqrt((difference**2).mean()) < 5e-3 * ours.std()


def test_half_the_precision_changes_little(student):
    packed = merge(rows_about_a_document())
    halved = TorchBackend(student.path, rank=_RANK, scale=2.0, seed=0, precision=torch.bfloat16)
    halved.load_factors(student.backend.factors())

    (answers, _), (halved_answers, _) = (
        _loss_and_gradients(backend, [packed])[0] for backend in (student.backend, halved)
    )

    difference = halved.logits(packed) - student.backend.logits(packed)
    assert np.sqrt((difference**2).mean()) < 0.05 * student.backend.logits(packed).std()
    assert halved_answers == pytest.approx(answers, rel=0.02)


def test_packed_rows_have_the_logits_of_separate_rows(student):
    rows = rows_about_a_document()
    packed = merge(rows)

    together = student.backend.logits(packed)

    for each, nodes in zip(packed.rows, packed.nodes, strict=True):
        alone = student.backend.logits(merge([each]))
        assert np.abs(together[nodes] - alone).max() < 1e-4 * alone.std()


def test_packed_rows_have_the_loss_and_gradients_of_separate_rows(student):
    rows = [*rows_about_a_document(), row("Hello", "Good day", keeps_base=True), row("Hell", "o!", keeps_base=True)]

    alone, gradients = _loss_and_gradients(student.backend, [merge([each]) for each in rows])
    together, packed = _loss_and_gradients(student.backend, pack(rows, 150))

    assert alone == pytest.approx(together, rel=1e-4, abs=1e-5)
    assert alone[1] > 0
    for name, gradient in gradients.items():
        assert np.abs(gradient - packed[name]).max() < 1e-3 * max(0.1, np.abs(gradient).max()), (
            name,
            np.abs(gradient - packed[name]).max(),
            np.abs(gradient).max(),
        )


def test_layers_without_factors_may_be_computed_ahead(student):
    rows = [*rows_about_a_document(), row("Hello", "Good day", keeps_base=True)]
    plain, ahead = (backend_of(student.path, frozen_share=0.5) for _ in range(2))
    for backend in (plain, ahead):
        teach(backend, rows_about_a_document(), steps=2)
    ahead.prepare(rows)
    called = []
    ahead._layers[0].register_forward_pre_hook(lambda *_: called.append(0))

    one, gradients = _loss_and_gradients(plain, [merge(rows)])
    other, prepared = _loss_and_gradients(ahead, [merge(rows)])

    assert called == []
    as_it_is = student.backend.logits(merge(rows), with_adapter=False)
    assert np.abs(plain.logits(merge(rows), with_adapter=False) - as_it_is).max() < 1e-4 * as_it_is.std()
    assert one == pytest.approx(other, rel=1e-4, abs=1e-5)
    for name, gradient in gradients.items():
        assert np.abs(gradient - prepared[name]).max() < 1e-3 * max(0.1, np.abs(gradient).max()), name


def test_the_gradient_is_the_slope_of_the_loss(student):
    packs = pack([*rows_about_a_document(), row("Hello", "Good day", keeps_base=True)], 400)
    backend = student.backend
    start = backend.factors()
    _, gradients = _loss_and_gradients(backend, packs)
    size = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
    step = 2e-3

    def loss_at(distance: float) -> float:
        backend.load_factors({name: values + distance / size * gradients[name] for name, values in start.items()})
        answers, base = _loss_and_gradients(backend, packs)[0]
        return 0.1 * answers + 0.3 * base

    slope = (loss_at(step) - loss_at(-step)) / (2 * step)
    backend.load_factors(start)

    assert slope == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("frozen_share", [0.0, 0.5])
def test_what_a_training_needs_is_known_from_its_header(student, frozen_share):
    backend = backend_of(student.path, frozen_share=frozen_share)
    plan, packed = backend._network.plan, merge(rows_about_a_document())
    kept: dict[int, int] = {}
    frozen = {weight.data_ptr(): weight.nbytes for weight in backend._network.model.parameters()}
    factors = {factor.data_ptr(): factor.nbytes for factor in backend._factors.values()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in frozen:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        hidden = backend._hidden(packed)

    said = training_memory(plan, rank=_RANK, tokens=len(packed.tokens), frozen_share=frozen_share)
    layers = plan.layers - int(frozen_share * plan.layers)
    assert hidden.shape == (len(packed.tokens), plan.width)
    assert said.weights == sum(frozen.values()) - sum(factors.values())
    assert said.adapter == sum(factors.values())
    assert kept_bytes(plan, _RANK, len(packed.tokens), layers) == pytest.approx(sum(kept.values()), rel=0.1)


def test_what_was_learned_is_said_beside_the_base_fused_and_made_small(tmp_path, student):
    backend = backend_of(student.path)
    with Tokenizer(student.path) as tokenizer:
        turns = [(ChatMessage("user", question), ChatMessage("assistant", answer)) for question, answer in _LESSON]
        lesson = [EncodedRow(*map(tuple, tokenizer.chat_row(each))) for each in turns]
    teach(backend, lesson, steps=60)
    adapter = write_arrays(tmp_path / "adapter", student.path, backend.factors(), _RANK)
    beside, fused, small = _export(adapter, tmp_path)

    for each in lesson:
        answer = list(each.answer)
        assert greedy(student.path, count=len(answer), prompt=list(each.prompt)) != answer
        for model, with_adapter in ((student.path, beside), (fused, None), (small, None)):
            said = greedy(model, with_adapter, count=len(answer), prompt=list(each.prompt))
            assert said == answer, model.name


def _export(adapter: Adapter, folder: Path) -> tuple[Path, Path, Path]:
    run = Run(folder)
    beside = write_adapter(adapter, run)
    fused = fuse(adapter, folder / "fused-F16.gguf", run)
    return beside, fused.path, quantize(fused.path, folder / "small-Q8_0.gguf", "Q8_0", run).path


def _loss_and_gradients(backend: TorchBackend, packs) -> tuple[tuple[float, float], dict[str, np.ndarray]]:
    sums = np.sum([backend.gradient(each, 0.1, 0.3) for each in packs], axis=0)
    gradients = backend.gradients()
    backend.forget_gradient()
    return (float(sums[0]), float(sums[1])), gradients
