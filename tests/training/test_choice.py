from __future__ import annotations

import dataclasses
import platform

import pytest

from lab_desktop.errors import TrainingError
from lab_desktop.models.memory import training_memory
from lab_desktop.training.backend import trainable
from lab_desktop.training.choice import VARIABLE, choose, fitted, joined, open_backend
from lab_desktop.training.phases import TrainingPlan
from tests.fakes import tiny_model


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)


@pytest.mark.parametrize(
    ("system", "machine", "library", "why"),
    [
        ("Darwin", "arm64", "mlx", "Apple silicon"),
        ("Darwin", "x86_64", "torch", "no Apple silicon"),
        ("Linux", "x86_64", "torch", "no Apple silicon"),
        ("Linux", "arm64", "torch", "no Apple silicon"),
        ("Windows", "AMD64", "torch", "no Apple silicon"),
    ],
)
def test_apple_silicon_trains_with_mlx_and_everything_else_with_torch(monkeypatch, system, machine, library, why):
    on(monkeypatch, system, machine)

    choice = choose()

    assert choice.library == library
    assert why in choice.why


@pytest.mark.parametrize("library", ["mlx", "torch"])
def test_the_environment_has_the_last_word(monkeypatch, library):
    for system, machine in (("Darwin", "arm64"), ("Linux", "x86_64")):
        on(monkeypatch, system, machine)
        monkeypatch.setenv(VARIABLE, library)

        assert choose().library == library
        assert VARIABLE in choose().why


def test_what_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "abacus")

    with pytest.raises(TrainingError, match='asks for "abacus"') as caught:
        choose()

    assert VARIABLE in caught.value.hint


@pytest.mark.parametrize(
    ("library", "variables", "said"),
    [
        (
            "mlx",
            {"WORLD_SIZE": "2", "RANK": "1"},
            ("that torchrun starts", "where mlx trains", "mlx.launch -n 2 -- lab"),
        ),
        ("torch", {"MLX_RANK": "0"}, ("that mlx.launch starts", "where torch trains", "torchrun --nproc-per-node 2")),
    ],
)
def test_processes_that_the_other_librarys_program_started_are_told_how(monkeypatch, library, variables, said):
    monkeypatch.setenv(VARIABLE, library)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(TrainingError) as caught, joined():
        pass

    assert all(words in caught.value.message + caught.value.hint for words in said)


def test_few_bits_are_refused_before_anything_is_loaded_where_they_cannot_be_had(monkeypatch, tmp_path):
    on(monkeypatch, "Linux", "x86_64")

    with pytest.raises(TrainingError, match="four bits"):
        open_backend(tmp_path / "no such file.gguf", dataclasses.replace(TrainingPlan(), few_bits=True))


def test_a_student_that_fits_is_trained_in_full_and_a_larger_one_as_it_can_be(monkeypatch, tmp_path):
    base = tiny_model(tmp_path / "tiny.gguf", width=128, feed_forward=512, layers=12)
    wanted = dataclasses.replace(TrainingPlan(), pack_tokens=64)
    student = trainable(base)

    def chosen(library: str, memory_bytes: float) -> tuple[bool, bool]:
        monkeypatch.setenv(VARIABLE, library)
        plan = fitted(wanted, base, int(memory_bytes))
        assert plan == dataclasses.replace(wanted, saves_memory=plan.saves_memory, few_bits=plan.few_bits)
        return plan.saves_memory, plan.few_bits

    def needs(**how: float | bool) -> int:
        size = {
            "rank": 16,
            "tokens": 64,
            "frozen_share": 0.5,
            "keeps_scores": True,
            "value_bytes": 2,
            "weight_bytes": 2,
        }
        return training_memory(student, **{**size, **how}).total  # type: ignore[arg-type]

    sizes = [needs(), needs(saves_memory=True), needs(weight_bytes=0.6), needs(weight_bytes=0.6, saves_memory=True)]
    assert sizes == sorted(sizes, reverse=True)
    assert [chosen("mlx", size / 0.7 + 1000) for size in (1e12, *sizes, 0)] == [
        (False, False),
        (False, False),
        (True, False),
        (False, True),
        (True, True),
        (True, True),
    ]
    assert [chosen("torch", size) for size in (1e12, 0)] == [(False, False), (True, False)]
