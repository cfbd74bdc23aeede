"""Sending is killed before every change of the disk, in the middle of a push, and asked to stop: pressed again it ends,
and everything is there once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_desktop import repository
from lab_desktop.contribution import accounts, contributions
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.sending import send
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import ShareRequest
from lab_desktop.jobs.run import Run
from tests.contribution.hub import FACTS, SKILL, TOKEN, Hub, said
from tests.drills.changes import killed_at
from tests.git_server import PUSH, Fault
from tests.keyrings import SHARED


def do(contribution: Contribution) -> dict[str, Any]:
    with Run(contribution.folder).open() as run:
        return send(contribution, run)


def require_once(hub: Hub, made: Contribution, result: dict[str, Any]) -> None:
    """The contribution is there once, whole, and as the journal says."""
    assert hub.branches("ada/taxonomy")[made.branch] == result["commit"]
    assert said(hub.git.repository("ada/taxonomy"), "rev-list", "--count", f"main..{made.branch}").strip() == "1"
    assert [pull.number for pull in hub.hub.pulls if pull.head == f"ada:{made.branch}"] == [result["number"]]
    files = hub.files("ada/taxonomy", made.branch)
    parcel = contributions.parcel_of(made)
    assert set(parcel.files) <= set(files)
    if parcel.documents:
        commit = contributions.done(made).documents[1]
        assert f'commit: "{commit}"' in files[f"{made.path}/qna.yaml"]
        there = hub.files("ada/taxonomy-documents", commit)
        assert {path: there[path].encode() for path in parcel.documents} == dict(parcel.documents)
    noted = [each for each in repository.sent(hub.library) if each.to == result["page"]]
    assert len(noted) == 1
    assert contributions.state(contributions.read(made.folder)) is State.SENT


def drill(hub: Hub, below: str, stride: int = 1) -> int:
    """Kill a new contribution at each change of the disk, send it again, and look; gives how many kills there were."""
    document, step, kills = hub.library / FACTS / "texts" / "old" / "orra.md", 1, 0
    while killed(hub, document, step, below):
        kills += 1
        step += stride
    return kills


def killed(hub: Hub, document: Path, step: int, below: str) -> bool:
    document.write_text(f"# Orra\n\nVersion {step}.\n")
    made = hub.prepared(FACTS, hub.community)
    was_killed = killed_at(step, lambda: do(made), below and str(made.folder))
    now = contributions.read(made.folder)
    assert contributions.state(now) in (State.READY, State.WAITING, State.SENT)
    require_once(hub, made, do(now))
    return was_killed


def test_killed_before_any_note_of_its_own_it_ends_when_pressed_again(hub: Hub) -> None:
    assert drill(hub, below="its folder", stride=4) >= 4


@pytest.mark.slow
def test_killed_before_any_change_of_the_disk_it_ends_when_pressed_again(hub: Hub) -> None:
    assert drill(hub, below="", stride=5) > 8


@pytest.fixture
def environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """What a worker finds: the person's keyring, which the test keeps in a file."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({f"{accounts.KEYS} https://{hub.git.host}": TOKEN}))
    return {**os.environ, SHARED: str(file), "PYTHON_KEYRING_BACKEND": "tests.keyrings.SharedKeyring"}


def worker(made: Contribution, environment: dict[str, str]) -> subprocess.Popen[str]:
    errands.write(ShareRequest(made.folder))
    return subprocess.Popen(
        [sys.executable, "-m", "lab_desktop", "--worker", str(made.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it said; its input stays open until it has ended: the end of that would ask it to stop."""
    assert process.stdout is not None and process.stderr is not None and process.stdin is not None
    out, errors = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return out, errors


def wait_for_push(hub: Hub, process: subprocess.Popen[str]) -> None:
    """Until the commits of a push have begun to arrive."""
    until = time.monotonic() + 60
    while not any("POST" in line and "receive-pack" in line for line in hub.git.asked):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.01)


def last_event(said_: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(said_.splitlines()[-1])
    return event


def test_a_worker_sends_it_and_shows_the_token_to_nobody(hub: Hub, environment: dict[str, str]) -> None:
    made = hub.prepared(SKILL, hub.community)
    process = worker(made, environment)
    going = threading.Event()
    hub.git.faults.append(Fault(PUSH, waits_for=going))
    wait_for_push(hub, process)
    seen = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    own = [process.pid, *children(process.pid)]
    seen += [Path(f"/proc/{pid}/environ").read_bytes() for pid in own if Path(f"/proc/{pid}").exists()]
    going.set()

    out, errors = ended(process)

    ending = last_event(out)
    assert (process.returncode, ending["event"]) == (0, "finished"), errors
    require_once(hub, made, ending["result"])
    assert len(own) > 1 and [data for data in seen if TOKEN.encode() in data] == []
    assert TOKEN not in out + errors
    assert not (made.folder / "request.json").exists()


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def test_a_worker_that_is_killed_in_the_middle_of_a_push_leaves_nothing_twice(
    hub: Hub, environment: dict[str, str]
) -> None:
    made = hub.prepared(SKILL, hub.community)
    going = threading.Event()
    hub.git.faults.append(Fault(PUSH, waits_for=going))
    process = worker(made, environment)
    wait_for_push(hub, process)
    process.send_signal(signal.SIGKILL)
    ended(process)
    going.set()
    assert contributions.state(contributions.read(made.folder)) is State.WAITING

    again = worker(made, environment)
    out, errors = ended(again)

    assert again.returncode == 0, errors
    require_once(hub, made, last_event(out)["result"])


def test_a_worker_that_is_asked_to_stop_stops_and_goes_on_later(hub: Hub, environment: dict[str, str]) -> None:
    made = hub.prepared(SKILL, hub.community)
    going = threading.Event()
    hub.git.faults.append(Fault(PUSH, waits_for=going))
    process = worker(made, environment)
    wait_for_push(hub, process)
    assert process.stdin is not None
    process.stdin.write("cancel\n")
    process.stdin.flush()
    out, errors = ended(process)
    going.set()

    assert (process.returncode, last_event(out)["event"]) == (130, "stopped"), errors
    assert contributions.state(contributions.read(made.folder)) is State.READY
    out, errors = ended(worker(made, environment))
    require_once(hub, made, last_event(out)["result"])


def test_a_worker_without_a_connection_says_so_and_leaves_it_waiting(hub: Hub, environment: dict[str, str]) -> None:
    made = hub.prepared(SKILL, replace(hub.team, address="http://127.0.0.1:9/team/lessons.git"))
    out, errors = ended(worker(made, environment))

    ending = last_event(out)
    assert (ending["event"], errors) == ("failed", "")
    assert "cannot be reached" in ending["text"] and ending["hint"]
    assert contributions.state(contributions.read(made.folder)) is State.WAITING
