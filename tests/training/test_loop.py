from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.numpy

from lab_desktop.artifacts import DatasetPhase
from lab_desktop.errors import Cancelled, RunError, StorageError, TrainingError
from lab_desktop.jobs import events
from lab_desktop.jobs.run import Run, enough_file
from lab_desktop.training.choice import VARIABLE
from lab_desktop.training.loop import train
from tests.fakes import tiny_model
from tests.training.students import bytes_of, small_plan, write_dataset


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, tiny, dataset):
    """The adapter's bytes of a training that nothing happened to."""
    run = Listener(tmp_path_factory.mktemp("undisturbed"))
    return learn(dataset, tiny, small_plan(), run).weights.read_bytes()


def learn(dataset, model, plan, run, **options):
    with run.open():
        return train(dataset, model, plan, run, chat_row=bytes_of, **options)


class Listener(Run):
    """A run that keeps what is said, and is cancelled at the `cancel_at`-th question whether it is."""

    def __init__(self, folder: Path, cancel_at: int = -1) -> None:
        self.heard: list[events.Event] = []
        self.asked = 0
        self._cancel_at = cancel_at
        super().__init__(folder, self.heard.append, self._cancel)

    def _cancel(self) -> bool:
        self.asked += 1
        return self.asked == self._cancel_at

    def metrics(self, name: str) -> list[tuple[int, float]]:
        return [(event.step, event.value) for event in self.heard if getattr(event, "name", "") == name]

    def notices(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, events.Notice)]


def test_training_writes_an_adapter_and_says_how_it_goes(tmp_path, tiny, dataset):
    run = Listener(tmp_path)

    adapter = learn(dataset, tiny, small_plan(), run)

    steps = [step for step, _ in run.metrics("loss")]
    assert steps == list(range(1, 11))  # 4 rounds of 2 steps, 2 rounds of 1
    assert [step for step, _ in run.metrics("held_out_accuracy")] == [0, 2, 4, 6, 8, 10]
    peaks = dict(run.metrics("peak_memory_bytes"))
    assert list(peaks) == [8, 10]  # the end of each phase
    assert 1e8 < peaks[8] <= peaks[10] < 1e11
    told = [event for event in run.heard if isinstance(event, events.Progress)]
    assert list(dict.fromkeys(f"{event.text}, {event.detail}" for event in told if event.detail)) == [
        f"Training: {text}" for text in SIX_ROUNDS
    ]
    shapes = {name: values.shape for name, values in safetensors.numpy.load_file(adapter.weights).items()}
    assert shapes["model.layers.1.mlp.down_proj.lora_a"] == (4, 128)
    assert shapes["model.layers.1.mlp.down_proj.lora_b"] == (64, 4)
    assert len(shapes) == 2 * 1 * 7  # the lower half of the two layers stays as it is
    phases = json.loads((tmp_path / "phases.json").read_text())["phases"]
    assert [(each["first_step"], each["steps"], each["epoch_steps"]) for each in phases] == [(0, 8, 2), (8, 2, 1)]


SIX_ROUNDS = (
    "facts, round 1 of 4",
    "facts, round 2 of 4",
    "facts, round 3 of 4",
    "facts, round 4 of 4",
    "skills, round 1 of 2",
    "skills, round 2 of 2",
)


def test_rows_are_tokenised_by_the_base_itself_unless_told_otherwise(tmp_path, tiny, dataset):
    run = Listener(tmp_path)

    with run.open():
        train(dataset, tiny, small_plan(), run)

    assert len(run.metrics("loss")) == 10
    assert run.notices() and "left out" not in "".join(run.notices())


def test_a_finished_training_returns_at_once(tmp_path, tiny, dataset):
    learn(dataset, tiny, small_plan(), Run(tmp_path))
    again = Listener(tmp_path)

    learn(dataset, tiny, small_plan(), again)

    assert again.heard == []


@pytest.mark.parametrize("cancel_at", [1, 4, 7, 10])
def test_a_cancelled_training_goes_on_where_it_stopped_to_the_same_adapter(
    tmp_path, tiny, dataset, undisturbed, cancel_at
):
    first = Listener(tmp_path, cancel_at)
    with pytest.raises(Cancelled):
        learn(dataset, tiny, small_plan(), first)
    second = Listener(tmp_path)

    adapter = learn(dataset, tiny, small_plan(), second)

    done = [step for step, _ in first.metrics("loss") + second.metrics("loss")]
    assert done == list(range(1, 11))  # no step twice, none left out
    assert adapter.weights.read_bytes() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("library", ["torch", "mlx"])
def test_killed_at_random_instants_it_gives_the_same_adapter(tmp_path, tiny, dataset, library, monkeypatch):
    monkeypatch.setenv(VARIABLE, library)
    chance = random.Random(7)
    undisturbed = learn(dataset, tiny, small_plan(), Run(tmp_path / "first")).weights.read_bytes()  # loads the library
    began = time.monotonic()
    learn(dataset, tiny, small_plan(), Run(tmp_path / "calm"))
    calm_s = time.monotonic() - began
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.training.nursery", str(tiny), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert nursery.stdout.readline() == "ready\n"
    kills = steps_seen = 0
    finished = False
    while not finished:
        print("start", file=nursery.stdin, flush=True)
        child = int(nursery.stdout.readline())
        if kills < 12:
            time.sleep(chance.uniform(0.1, 0.7) * calm_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        finished = nursery.stdout.readline() == "exit 0\n"
        kills += not finished
        steps_seen = max(steps_seen, len(list((tmp_path / "run").glob("checkpoint/step-*"))))
    nursery.communicate()

    assert kills >= 2
    assert steps_seen
    assert (tmp_path / "run" / "adapter" / "adapter.safetensors").read_bytes() == undisturbed


def test_the_best_by_held_out_questions_is_kept_and_not_the_last(tmp_path, tiny, dataset):
    # A rate this high learns, then ruins: the last step is not the best.
    plan = small_plan(evaluate_every=1)
    wild = tuple(dataclasses.replace(phase, learning_rate=0.03, epochs=12, warmup_share=0.5) for phase in plan.phases)
    one_phase = dataclasses.replace(dataset, phases=dataset.phases[:1])

    adapter = learn(one_phase, tiny, dataclasses.replace(plan, phases=wild), Run(tmp_path))

    record = json.loads((adapter.folder / "adapter.json").read_text())
    competing = [score for score in record["held_out"] if score["step"] > 0]
    best = max(competing, key=lambda score: (score["accuracy"], -score["loss"]))
    assert record["best_step"] == best["step"] < record["last_step"] == 24
    kept = tmp_path / "checkpoint" / f"step-{best['step']}.safetensors"
    saved = safetensors.numpy.load_file(kept)
    chosen = safetensors.numpy.load_file(adapter.weights)
    assert all((saved[name] == values).all() for name, values in chosen.items())
    assert len(list((tmp_path / "checkpoint").iterdir())) == 2  # the best and the last


def test_a_person_who_has_enough_gets_the_best_so_far(tmp_path, tiny, dataset):
    class Satisfied(Listener):
        def metric(self, name, value, step):
            super().metric(name, value, step)
            if step == 5:
                enough_file(self.folder, "train").touch()

    run = Satisfied(tmp_path)
    adapter = learn(dataset, tiny, small_plan(), run)

    told = json.loads((tmp_path / "adapter" / "adapter.json").read_text(encoding="utf-8"))
    assert told["last_step"] == 5
    assert adapter.weights.exists()
    assert learn(dataset, tiny, small_plan(), Listener(tmp_path)).weights == adapter.weights  # and it is done


def test_with_too_few_held_out_questions_the_last_step_is_kept(tmp_path, tiny, dataset):
    run = Listener(tmp_path)

    adapter = learn(dataset, tiny, small_plan(fewest_held_out=3), run)

    kept = json.loads((adapter.folder / "adapter.json").read_text())
    assert (kept["best_step"], kept["held_out"]) == (kept["last_step"], [])


def test_a_checkpoint_of_other_data_is_not_continued(tmp_path, tiny, dataset):
    with pytest.raises(Cancelled):
        learn(dataset, tiny, small_plan(), Listener(tmp_path, cancel_at=8))
    other = write_dataset(tmp_path / "other", words="ijklmnop")
    run = Listener(tmp_path)

    learn(other, tiny, small_plan(), run)

    assert any("other data or other settings: training starts anew" in text for text in run.notices())
    assert run.metrics("loss")[0][0] == 1


def test_a_finished_adapter_of_another_plan_is_replaced(tmp_path, tiny, dataset):
    first = learn(dataset, tiny, small_plan(), Run(tmp_path)).weights.read_bytes()

    second = learn(dataset, tiny, small_plan(seed=1), Run(tmp_path)).weights.read_bytes()

    assert first != second


def test_a_damaged_checkpoint_is_said_and_the_one_before_it_continued(tmp_path, tiny, dataset, undisturbed):
    with pytest.raises(Cancelled):
        learn(dataset, tiny, small_plan(), Listener(tmp_path, cancel_at=10))
    newest = max((tmp_path / "checkpoint").iterdir(), key=lambda path: int(path.stem.removeprefix("step-")))
    newest.write_bytes(newest.read_bytes()[:1000])
    run = Listener(tmp_path)

    adapter = learn(dataset, tiny, small_plan(), run)

    assert any("is damaged" in text for text in run.notices())
    assert adapter.weights.read_bytes() == undisturbed


def test_a_full_disk_is_said_and_the_checkpoint_before_it_stays_whole(tmp_path, tiny, dataset, undisturbed):
    with pytest.raises(Cancelled):
        learn(dataset, tiny, small_plan(), Listener(tmp_path, cancel_at=4))
    before = {path: path.read_bytes() for path in (tmp_path / "checkpoint").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageError):
            learn(dataset, tiny, small_plan(), Run(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert before == {path: path.read_bytes() for path in (tmp_path / "checkpoint").iterdir()}
    adapter = learn(dataset, tiny, small_plan(), Run(tmp_path))
    assert adapter.weights.read_bytes() == undisturbed


def test_without_rows_there_is_a_sentence(tmp_path, tiny, dataset):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    nothing = dataclasses.replace(dataset, phases=(DatasetPhase("skills", empty, 0),))

    with pytest.raises(TrainingError, match="nothing to train on"):
        learn(nothing, tiny, small_plan(), Run(tmp_path))


def test_a_phase_whose_rows_are_gone_is_said_and_not_left_out(tmp_path, tiny):
    torn = write_dataset(tmp_path / "torn")
    torn.phases[-1].path.unlink()

    with pytest.raises(RunError, match="should have 4 rows and has 0"):
        learn(torn, tiny, small_plan(), Run(tmp_path))


def test_numbers_that_run_away_are_said_with_what_is_safe(tmp_path, tiny, dataset):
    plan = small_plan(checkpoint_every=1)
    wild = tuple(dataclasses.replace(phase, learning_rate=1e30) for phase in plan.phases)

    with pytest.raises(TrainingError, match=r"went astray in step .*save point of step"):
        learn(dataset, tiny, dataclasses.replace(plan, phases=wild), Run(tmp_path))


def test_rows_left_out_are_counted(tmp_path, tiny, dataset):
    run = Listener(tmp_path)

    learn(dataset, tiny, small_plan(max_row_tokens=16), run)

    assert any("6 practice questions and 2 of those kept aside were left out" in text for text in run.notices())


def test_training_can_start_from_an_adapter(tmp_path, tiny, dataset):
    untaught = Listener(tmp_path / "one")
    first = learn(dataset, tiny, small_plan(), untaught)
    run = Listener(tmp_path / "two")

    learn(dataset, tiny, small_plan(seed=3), run, start_from=first.weights)

    assert run.metrics("held_out_loss")[0] == (0, min(loss for _, loss in untaught.metrics("held_out_loss")))
