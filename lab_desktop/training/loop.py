"""The student learns: phases in order, checkpoints, and the best of them by questions it was never trained on.

Reads:   RUN/dataset, the base GGUF
Writes:  RUN/phases.json when it begins, RUN/checkpoint/step-<n>.safetensors while it works,
         RUN/adapter/{adapter.safetensors, adapter.json} at its end

One file is one checkpoint (factors, optimizer, step, the held-out curve so far), so a kill leaves either all of it or
none. Resuming is calling `train` again with the same folder: the order of rows follows from the step number, so the
adapter is the same, bit for bit, as if nothing had happened. A checkpoint of other data, another plan or another base
is not continued: training starts anew and says so.

Where memory runs out the training lowers itself (`thrift.py`) and goes on from its last step. Several processes may
train together (`ranks.py`): each computes its share of every step's rows, and only the first one writes.

The loop is ours because no trainer we know can be paused, resumed and cancelled alike on both of its backends.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from lab_desktop.artifacts import Adapter, Dataset, Phase, TrainingRow
from lab_desktop.errors import Cancelled, OutOfMemory, RunError, TrainingError
from lab_desktop.files import JsonLines, disk_errors, read_json, replacing, write_json
from lab_desktop.jobs import shortage
from lab_desktop.jobs.run import Run, enough_file
from lab_desktop.training.backend import TrainingBackend, factors_in
from lab_desktop.training.batches import ChatRow, EncodedRow, Pack, batches, encode, general_batch, in_line, pack
from lab_desktop.training.choice import choose, open_backend
from lab_desktop.training.phases import TrainingPlan, cooldown_at, cooling_spans, phase_steps, rate_at, steps_per_epoch
from lab_desktop.training.ranks import Ranks
from lab_desktop.training.thrift import Thrift, forget, level, levels, lower

_ALONE = Ranks()
_PHASE_WORDS = {"knowledge_short": "facts", "knowledge_long": "explanations", "skills": "skills"}


@dataclass(frozen=True)
class HeldOutScore:
    """How the student did on the held-out answers after a step.

    Attributes:
        step: steps finished, over all phases.
        accuracy: share of answer tokens that were its first choice, each given the ones before it.
        loss: nats per answer token.
    """

    step: int
    accuracy: float
    loss: float


@dataclass(frozen=True)
class _PhaseRows:
    """A phase with its rows and its steps, which count from `first_step` over the whole training.

    `general` are its rows that keep the base: not dealt by epochs, but a fixed share beside the others in every step.
    It cools down with the `cools_for` steps from `cools_from` on.
    """

    phase: Phase
    rows: list[EncodedRow]
    general: list[EncodedRow]
    first_step: int
    steps: int
    cools_from: int = 0
    cools_for: int = 0


def train(
    dataset: Dataset,
    base: Path,
    plan: TrainingPlan,
    run: Run,
    start_from: Path | None = None,
    chat_row: ChatRow | None = None,
    ranks: Ranks = _ALONE,
) -> Adapter:
    """Train low-rank factors for `base` on a data set, or finish what an earlier call began.

    Args:
        dataset: as made by generation.mixing.
        base: the student, a GGUF.
        plan: phases and settings.
        run: where to work, what to say, whether to stop.
        start_from: an adapter.safetensors to go on from (of the same student and rank) instead of from nothing.
        chat_row: how a conversation becomes tokens; the base's own tokenizer and template by default.
        ranks: the processes that train together; each calls this with the same other arguments.

    Raises:
        TrainingError: there is nothing to learn from, or the numbers ran away.
        OutOfMemory: with everything given up that can be, it still needs more.
        ModelError: the base cannot be used.
        RunError: a phase of the data set is unknown, or a file of the run is damaged.
        StorageError: the disk is full or read-only; the checkpoints before are safe.
        Cancelled: the person asked to stop; the last finished step is saved.
    """
    belongs_to = _identity(dataset, base, plan, start_from)
    adapter = Adapter(run.folder / "adapter", plan.rank, plan.scale, base)
    done = run.folder / "adapter" / "adapter.json"
    if done.exists() and read_json(done).get("belongs_to") == belongs_to and adapter.weights.exists():
        return adapter

    rows, held_out = _rows(dataset, base, plan, run, chat_row)
    library = choose().library
    if ranks.is_first:
        _write_phases(rows, plan, run)
        if shortage.ended_work(run.folder):
            shortage.forget(run.folder)
            why = "Memory ran out, so the system ended the training."
            lower(run, library, why, OutOfMemory(f"{why} Nothing is left that could be given up.", _MEMORY_HINT))
    ranks.wait()
    with shortage.watched(run.folder) if ranks.is_first else nullcontext():
        while True:
            thrift = levels(library)[level(run.folder)]
            try:
                _train(rows, held_out, base, plan, thrift, run, ranks, start_from, adapter, belongs_to)
                return adapter
            except (OutOfMemory, MemoryError) as error:
                problem = _out_of_memory(error)
            # Outside of the handler, which would keep alive everything that the failed attempt held.
            gc.collect()
            lower(run, library, "Memory ran out.", problem)
            if ranks.size > 1:  # the others wait in the middle of a step
                raise problem


def _train(
    rows: Sequence[_PhaseRows],
    held_out: Sequence[EncodedRow],
    base: Path,
    plan: TrainingPlan,
    thrift: Thrift,
    run: Run,
    ranks: Ranks,
    start_from: Path | None,
    adapter: Adapter,
    belongs_to: dict[str, str],
) -> None:
    """Load the base, go on from the newest checkpoint, and write the adapter at the end."""
    total = sum(each.steps for each in rows)
    working = thrift.applied(plan)
    # Loads a library for seconds: what can be refused without it has been.
    backend = open_backend(base, working, thrift.resting_share)
    if start_from is not None:
        backend.load_factors(_factors_of(start_from))
    checkpoints = _Checkpoints(run.folder / "checkpoint", belongs_to, backend, rows[-1].first_step, ranks.is_first)
    step = ranks.first_says(checkpoints.resume(run) if ranks.is_first else 0)
    if step and not ranks.is_first:
        checkpoints.follow(step)
    if step == 0 and ranks.is_first:  # said of a training before this one
        enough_file(run.folder, "train").unlink(missing_ok=True)
    exam = pack(held_out, working.pack_tokens) if len(held_out) >= plan.fewest_held_out else []
    if step < total:
        drawn = [row for each in rows for row in (*each.rows, *_beside(each, plan, each.first_step, each.steps))]
        backend.prepare(
            [row for row in (*drawn, *held_out) if thrift.reads_ahead or row.keeps_base],
            lambda: run.is_cancelled and ranks.size == 1,  # several stop together, between two steps
            lambda done, packs: run.progress("Reading the practice set", done, packs),
        )
    if step == 0 and exam:
        checkpoints.curve.append(_look(backend, exam, 0, run))
    for each in rows:
        step = _train_phase(each, step, total, exam, backend, checkpoints, working, run, ranks)
    if ranks.is_first:
        _finish(adapter, checkpoints, plan, run)
    ranks.wait()


def _write_phases(rows: Sequence[_PhaseRows], plan: TrainingPlan, run: Run) -> None:
    """RUN/phases.json: how long the training is, so that who looks on knows how far it is, also while it rests."""
    phases = [
        {
            "name": each.phase.name,
            "first_step": each.first_step,
            "steps": each.steps,
            "epoch_steps": steps_per_epoch(len(each.rows), plan),
        }
        for each in rows
    ]
    write_json(run.folder / "phases.json", {"phases": phases})


def _train_phase(
    each: _PhaseRows,
    step: int,
    total: int,
    exam: Sequence[Pack],
    backend: TrainingBackend,
    checkpoints: _Checkpoints,
    plan: TrainingPlan,
    run: Run,
    ranks: Ranks,
) -> int:
    """Take the phase's steps that are not finished yet; gives the number of steps finished after it."""
    epoch_steps = steps_per_epoch(len(each.rows), plan)
    rounds = math.ceil(each.steps / epoch_steps)
    word = _PHASE_WORDS.get(each.phase.name, each.phase.name.replace("_", " "))
    order: tuple[int, list[list[EncodedRow]]] = (-1, [])
    while each.first_step <= step < each.first_step + each.steps:
        if ranks.any_says(run.has_enough("train") and step > 0):
            checkpoints.save(step)
            return step
        if ranks.size > 1 and ranks.any_says(run.is_cancelled):
            checkpoints.save(step)
            raise Cancelled
        epoch, place = divmod(step - each.first_step, epoch_steps)
        if order[0] != epoch:
            # Another phase must not repeat this one's order: the epoch number is mixed with the phase's first step.
            mixed = batches(each.rows, plan.seed, each.first_step + epoch, plan.effective_batch, plan.rows_together)
            order = epoch, mixed
        run.progress(f"Training: {word}", step, total)
        run.detail(f"round {epoch + 1} of {rounds}")
        started = time.monotonic()
        rows = order[1][place]
        try:
            loss = _step_loss(backend, [*rows, *_beside(each, plan, step, 1)], plan, run, ranks)
        except (Cancelled, OutOfMemory):
            backend.forget_gradient()
            checkpoints.save(step)
            raise
        if not math.isfinite(loss):
            raise _ran_away(step + 1, checkpoints)
        rate = rate_at(each.phase, step - each.first_step, each.steps)
        norm = backend.apply(rate * cooldown_at(plan, step - each.cools_from, each.cools_for))
        if not math.isfinite(norm):
            raise _ran_away(step + 1, checkpoints)
        step += 1
        seconds = time.monotonic() - started
        run.metric("loss", loss, step)
        run.metric("answer_tokens_per_second", sum(row.learned for row in rows) / seconds, step)
        is_last = step == each.first_step + each.steps
        if is_last:
            run.metric("peak_memory_bytes", backend.peak_bytes(), step)
        if exam and (is_last or step % plan.evaluate_every == 0):
            checkpoints.curve.append(_look(backend, exam, step, run))
            checkpoints.save(step)
        elif is_last or step % plan.checkpoint_every == 0:
            checkpoints.save(step)
        run.progress(f"Training: {word}", step, total)
    return step


def _beside(each: _PhaseRows, plan: TrainingPlan, step: int, steps: int) -> list[EncodedRow]:
    """The general rows of so many steps from `step` on."""
    count = round(each.phase.general_share * plan.effective_batch)
    return general_batch(each.general, plan.seed, step * count, steps * count)


def _step_loss(
    backend: TrainingBackend, rows: Sequence[EncodedRow], plan: TrainingPlan, run: Run, ranks: Ranks
) -> float:
    """Gather the gradient of one effective batch, this process's share and the others'; gives its loss.

    The mean over its answer tokens, and beside it the mean over its `keeps_base` tokens times their weight: two means,
    so that the pull towards the base does not depend on how long the leaf's answers are.
    """
    answers = sum(row.learned for row in rows if not row.keeps_base)
    base = sum(row.learned for row in rows if row.keeps_base)
    answer_scale = 1 / answers if answers else 0.0
    base_scale = plan.keep_base_weight / base if base else 0.0
    loss = 0.0
    for each in pack(ranks.share(in_line(rows)), plan.pack_tokens):
        if ranks.size == 1:
            run.stop_if_cancelled()
        answer_loss, base_loss = backend.gradient(each, answer_scale, base_scale)
        loss += answer_loss * answer_scale + base_loss * base_scale
    if ranks.size > 1:
        backend.add_up_gradient(ranks.add_up)
        loss = ranks.total(loss)
    return loss


def _look(backend: TrainingBackend, exam: Sequence[Pack], step: int, run: Run) -> HeldOutScore:
    loss, accuracy = backend.evaluate(exam)
    run.metric("held_out_loss", loss, step)
    run.metric("held_out_accuracy", accuracy, step)
    return HeldOutScore(step, accuracy, loss)


def _finish(adapter: Adapter, checkpoints: _Checkpoints, plan: TrainingPlan, run: Run) -> None:
    """Write the chosen checkpoint's factors as RUN/adapter; adapter.json goes last, so it means complete."""
    best = checkpoints.best
    step = best.step if best else checkpoints.last
    factors = factors_in(checkpoints.read(step))
    done = adapter.folder / "adapter.json"
    with disk_errors(done, "The adapter"):
        done.unlink(missing_ok=True)  # of another training; until the new weights are whole there is no adapter
    with replacing(adapter.weights, "The adapter") as temporary:
        temporary.write_bytes(safetensors.numpy.save(factors))
    write_json(
        done,
        {
            "belongs_to": checkpoints.belongs_to,
            "rank": plan.rank,
            "scale": plan.scale,
            "base": {"path": str(adapter.base), "size_bytes": adapter.base.stat().st_size},
            "best_step": step,
            "last_step": checkpoints.last,
            "held_out": [asdict(score) for score in checkpoints.curve],
            "plan": asdict(plan),
            "trained_with": asdict(choose()),
        },
    )
    enough_file(run.folder, "train").unlink(missing_ok=True)
    forget(run)
    if best:
        run.notice(f"Step {step} of {checkpoints.last} answered the questions kept aside best and was kept.")


class _Checkpoints:
    """RUN/checkpoint: the last finished step and the best one, one file each.

    Attributes:
        belongs_to: names data, plan, base and start; a file that says otherwise is not ours.
        curve: held-out scores so far; saved with every checkpoint.
        last: the newest saved step; 0 while there is none.
    """

    def __init__(
        self, folder: Path, belongs_to: dict[str, str], backend: TrainingBackend, selects_after: int, writes: bool
    ) -> None:
        self.belongs_to = belongs_to
        self.curve: list[HeldOutScore] = []
        self.last = 0
        self._folder = folder
        self._backend = backend
        self._selects_after = selects_after
        self._writes = writes

    def resume(self, run: Run) -> int:
        """Bring the backend to the newest whole checkpoint of this training; gives its step, 0 without one."""
        for torn in self._folder.glob(".step-*.part"):  # a kill while one was written
            torn.unlink(missing_ok=True)
        foreign = []
        for step in sorted(self._steps(), reverse=True):
            try:
                saved = self._metadata(step)
                if saved.get("belongs_to") != json.dumps(self.belongs_to):
                    foreign.append(step)
                    continue
                state = self.read(step)
            except RunError as error:
                run.notice(f"{error.message} Training goes on from the one before it.")
                self._file(step).unlink(missing_ok=True)
                continue
            self._become(step, state, saved)
            run.notice(f"Training goes on after step {step:,}.")
            return step
        if foreign:
            run.notice(
                f"There is a save point (step {foreign[0]:,}) of other data or other settings: training starts anew."
            )
            for step in foreign:
                self._file(step).unlink(missing_ok=True)
        return 0

    def follow(self, step: int) -> None:
        """Bring the backend to the checkpoint that the first process resumed from.

        Raises:
            RunError: this process cannot read it: the run folder must be the same for all.
        """
        self._become(step, self.read(step), self._metadata(step))

    def _become(self, step: int, state: dict[str, np.ndarray], saved: dict[str, str]) -> None:
        self._backend.load_state(state)
        self.curve = [HeldOutScore(**score) for score in json.loads(saved["held_out"])]
        self.last = step

    def save(self, step: int) -> None:
        """Write the state after `step`, then drop all others but the best; of several processes only the first writes.

        Raises:
            StorageError: the disk is full or read-only; the checkpoints before are untouched.
        """
        if step == self.last:
            return
        if not self._writes:
            self.last = step
            return
        metadata = {
            "step": str(step),
            "belongs_to": json.dumps(self.belongs_to),
            "held_out": json.dumps([asdict(score) for score in self.curve]),
        }
        with replacing(self._file(step), "The save point") as temporary:
            # Written by us: safetensors' own writer turns a full disk into an error that no longer says so.
            temporary.write_bytes(safetensors.numpy.save(self._backend.state(), metadata))
        self.last = step
        for old in self._steps() - {step, self.best.step if self.best else step}:
            self._file(old).unlink(missing_ok=True)

    @property
    def best(self) -> HeldOutScore | None:
        """The best held-out score of the last phase: most tokens right, ties by loss; None while there is none.

        Earlier phases do not compete: theirs have not seen every lesson, yet may look better on those they saw.
        """
        competing = [score for score in self.curve if score.step > self._selects_after]
        return max(competing, key=lambda score: (score.accuracy, -score.loss)) if competing else None

    def read(self, step: int) -> dict[str, np.ndarray]:
        """The arrays of a checkpoint.

        Raises:
            RunError: the file is gone or damaged.
        """
        try:
            arrays: dict[str, np.ndarray] = safetensors.numpy.load_file(self._file(step))
        except (OSError, safetensors.SafetensorError) as error:
            raise _damaged(self._file(step), error) from error
        return arrays

    def _metadata(self, step: int) -> dict[str, str]:
        try:
            with safetensors.safe_open(self._file(step), framework="numpy") as file:
                return file.metadata() or {}
        except (OSError, safetensors.SafetensorError) as error:
            raise _damaged(self._file(step), error) from error

    def _steps(self) -> set[int]:
        numbers = (path.stem.removeprefix("step-") for path in self._folder.glob("step-*.safetensors"))
        return {int(number) for number in numbers if number.isdigit()}

    def _file(self, step: int) -> Path:
        return self._folder / f"step-{step}.safetensors"


def _rows(
    dataset: Dataset, base: Path, plan: TrainingPlan, run: Run, chat_row: ChatRow | None
) -> tuple[list[_PhaseRows], list[EncodedRow]]:
    """Every phase's rows in tokens with their steps, and the held-out rows."""
    if chat_row is None:
        from lab_desktop.models.tokenizer import Tokenizer

        with Tokenizer(base) as tokenizer:
            return _rows(dataset, base, plan, run, tokenizer.chat_row)
    known = {phase.name: phase for phase in plan.phases}
    files = {each.name: each for each in dataset.phases}
    if unknown := files.keys() - known.keys():
        raise RunError(
            f'The data set has a phase "{min(unknown)}" that this training does not know.',
            "Let the teacher write the practice questions again.",
        )
    phases = []
    first = left_out = 0
    for name, phase in known.items():
        if name not in files:
            continue
        rows, too_long = encode(_read_rows(files[name].path, files[name].rows), chat_row, plan.max_row_tokens)
        left_out += too_long
        new = [row for row in rows if not row.keeps_base]
        steps = phase_steps(phase, len(new), plan)
        if steps:
            phases.append(_PhaseRows(phase, new, [row for row in rows if row.keeps_base], first, steps))
            first += steps
    held_out, too_long = encode(_read_rows(dataset.held_out, dataset.held_out_rows), chat_row, plan.max_row_tokens)
    if left_out + too_long:
        run.notice(
            f"{left_out} practice questions and {too_long} of those kept aside were left out: they are longer than "
            f"{plan.max_row_tokens:,} word pieces."
        )
    if not phases:
        raise TrainingError(
            "There is nothing to train on: no practice question can be used.",
            "Let the teacher write more, or look at why they were dropped.",
        )
    spans = cooling_spans([(each.phase, each.steps) for each in phases])
    phases = [
        replace(each, cools_from=start, cools_for=steps) for each, (start, steps) in zip(phases, spans, strict=True)
    ]
    return phases, [row for row in held_out if not row.keeps_base]


def _read_rows(path: Path, count: int) -> list[TrainingRow]:
    return list(JsonLines(path).made(TrainingRow.from_json, count))


def _identity(dataset: Dataset, base: Path, plan: TrainingPlan, start_from: Path | None) -> dict[str, str]:
    """What a checkpoint or an adapter must have been made from to be this training's."""
    return {
        "data": dataset.fingerprint,
        "plan": plan.fingerprint,
        "base": _sha256(base),
        "start": _sha256(start_from) if start_from else "",
    }


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be read: {error.strerror}.", "Check the name, or download the model again.", str(error)
        ) from error


def _factors_of(path: Path) -> dict[str, np.ndarray]:
    try:
        factors: dict[str, np.ndarray] = safetensors.numpy.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise _damaged(path, error) from error
    return factors


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(f'"{path.name}" in {path.parent} is damaged.', "Delete it and train again.", str(error))


_MEMORY_HINT = "Close other programs, or choose a smaller model; what is learned so far is saved."


def _out_of_memory(error: OutOfMemory | MemoryError) -> OutOfMemory:
    """The error without what led to it: its frames would keep the failed attempt in memory."""
    if isinstance(error, OutOfMemory):
        return OutOfMemory(error.message, _MEMORY_HINT, error.details)
    return OutOfMemory("Training needs more memory than this computer has free.", _MEMORY_HINT, repr(error))


def _ran_away(step: int, checkpoints: _Checkpoints) -> TrainingError:
    safe = f"The save point of step {checkpoints.last:,} is safe." if checkpoints.last else "Nothing was saved yet."
    return TrainingError(
        f"Training went astray in step {step:,}: the numbers grew beyond all bounds. {safe}",
        "Train again; if it happens again, look for damaged practice questions, or choose another model.",
    )
