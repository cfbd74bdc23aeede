"""The whole loop in a real worker process that is killed and asked to stop anywhere, and started again until it ends.

Instants are drawn from a seed: when the files of a step say that it has begun, a short random while is waited.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab_desktop.files import JsonLines, read_json
from lab_desktop.jobs import requests
from lab_desktop.jobs.events import Finished, Stopped, from_json
from tests.drills.children import Child, started
from tests.drills.runs import damaged_files, left_overs, made_files, report_of, rows_of, small_request

pytestmark = pytest.mark.slow

KILLS = 3
STEPS = ("generate", "train", "export", "evaluate")
_ENDS = {"generate": "dataset/manifest.json", "train": "adapter/adapter.gguf"}
_LONGEST_WAIT = 0.4
"""After a step has begun, as a share of what the step takes when nobody disturbs it on this machine."""
_ENDS |= {"export": "models/*-Q8_0.gguf", "evaluate": "report.json"}


@contextmanager
def working(folder: Path) -> Iterator[Child]:
    """A worker in a run folder."""
    with started(["--worker", str(folder)], folder.parent / "home", folder.parent / "said") as child:
        yield child


def step_in_work(folder: Path) -> str:
    """The first step that has not left its last file."""
    return next((step for step in STEPS if not list(folder.glob(_ENDS[step]))), "")


def has_begun(worker: Child, step: str) -> bool:
    """True when the worker has said something of this step: what was noted before is read in an instant."""
    said = worker.output
    words = {
        "generate": ("Writing practice", "judgement", "Noting what"),
        "train": ("Training",),
        "export": ("Writing the new", "Making it smaller"),
        "evaluate": ("Asking the",),
    }
    return any(word in said for word in words[step])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that nobody disturbed."""
    home = tmp_path_factory.mktemp("calm")
    request = small_request(home)
    folder = home / "run"
    folder.mkdir()
    requests.write(folder, request)
    with working(folder) as worker:
        assert worker.wait() == 0, worker.errors
        assert isinstance(worker.events[-1], Finished)
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path) -> Path:
    """A run folder with the same request, not begun."""
    made = tmp_path / "run"
    made.mkdir()
    shutil.copyfile(undisturbed / "request.json", made / "request.json")
    return made


def test_killed_anywhere_a_run_ends_as_if_nothing_had_happened(undisturbed: Path, folder: Path) -> None:
    seed = int(os.environ.get("DRILL_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    calm_s = read_json(undisturbed / "timings.json")
    killed: dict[str, int] = dict.fromkeys(STEPS, 0)
    while True:
        with working(folder) as worker:
            aim = step_in_work(folder)
            # Later steps are met only when earlier ones are done: enough kills here, and it may go on to the next.
            while aim and killed[aim] >= KILLS:
                aim = next(iter(STEPS[STEPS.index(aim) + 1 :]), "")
            if not aim:
                assert worker.wait() == 0, f"DRILL_SEED={seed}\n{worker.errors}"
                break
            # The first kill comes as soon as a step has begun, for what is short may be over a random while later.
            step = wait_for(worker, folder, aim, calm_s[aim] * chance.random() if killed[aim] else 0.0)
            worker.send(signal.SIGKILL)
        killed[step or aim] += 1
        assert damaged_files(folder) == [], f"DRILL_SEED={seed} after {killed}"

    where = f"DRILL_SEED={seed} {killed}"
    assert killed["generate"] and killed["train"], where  # the other two take a blink and may be over before the kill
    assert left_overs(folder) == [], where
    assert_same(undisturbed, folder, where)


def wait_for(worker: Child, folder: Path, step: str, seconds: float) -> str:
    """Wait until the worker is in `step` and some time longer, not past its end; gives the step it is in then.

    What nobody disturbed may have taken longer than what is left of a step that goes on from where it was killed.
    """
    while not worker.has_ended and not has_begun(worker, step):
        time.sleep(0.002)
    until = time.monotonic() + seconds * _LONGEST_WAIT
    while time.monotonic() < until and not worker.has_ended and not list(folder.glob(_ENDS[step])):
        time.sleep(0.002)
    return step_in_work(folder)


def assert_same(one: Path, other: Path, where: str) -> None:
    assert rows_of(other / "samples.jsonl") == rows_of(one / "samples.jsonl"), where
    assert rows_of(other / "general.jsonl") == rows_of(one / "general.jsonl"), where
    assert made_files(other) == made_files(one), where
    assert report_of(other) == report_of(one), where


def cancel_line(worker: Child) -> None:
    worker.tell(b"cancel\n")


def end_of_input(worker: Child) -> None:
    worker.input.close()


def terminate(worker: Child) -> None:
    worker.send(signal.SIGTERM)


def test_asked_to_stop_anywhere_it_stops_and_goes_on_later(undisturbed: Path, folder: Path) -> None:
    seed = int(os.environ.get("DRILL_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    ways: list[Callable[[Child], None]] = [cancel_line, end_of_input, terminate]
    calm_s = read_json(undisturbed / "timings.json")
    stopped = 0
    for number, step in enumerate(step for step in STEPS for _ in ways):
        with working(folder) as worker:
            wait_for(worker, folder, step, calm_s[step] * chance.random())
            asked = time.monotonic()
            ways[number % len(ways)](worker)
            code = worker.wait()
            where = f"DRILL_SEED={seed} {step} {ways[number % len(ways)].__name__}\n{worker.errors}"
            assert time.monotonic() - asked < 20, where
            if isinstance(worker.events[-1], Finished):  # it was done before it heard
                assert (folder / "report.json").exists(), where
                continue
            assert code == 130, where
            assert isinstance(worker.events[-1], Stopped), where
            assert isinstance(from_json(JsonLines(folder / "events.jsonl").rows()[-1]), Stopped), where
            assert damaged_files(folder) == [] and left_overs(folder) == [], where
            stopped += 1
    assert stopped >= 4, f"DRILL_SEED={seed}"  # export and evaluation may end before they hear
    with working(folder) as worker:
        assert worker.wait() == 0, worker.errors
    assert_same(undisturbed, folder, f"DRILL_SEED={seed}")


def test_a_request_whose_leaves_are_gone_after_the_beginning_is_still_done(undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    request: dict[str, Any] = read_json(tmp_path / "run" / "request.json")
    (tmp_path / "run" / "report.json").unlink()
    (tmp_path / "run" / "request.json").write_text(
        json.dumps({**request, "leaves": [str(tmp_path / "gone")]}), encoding="utf-8"
    )

    with working(tmp_path / "run") as worker:
        assert worker.wait() == 0, worker.errors

    assert (tmp_path / "run" / "report.json").exists()
