"""Downloads against a real server that misbehaves: whatever is cut, nothing half-written looks whole or is lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_desktop import paths
from lab_desktop.errors import Cancelled, DownloadError, LabError, ModelError, RunError, StorageError
from lab_desktop.jobs import errands, events
from lab_desktop.jobs.errands import DownloadRequest, LookRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import arrivals, download, hub, records, store
from tests.drills.changes import killed_at
from tests.fakes import tiny_model
from tests.hub_server import COMMIT, Fault, Hub

REPO, FILE = "makers/tiny-GGUF", "tiny-Q8_0.gguf"
WANTED = DownloadRequest(REPO, FILE, title="Tiny", licence="apache-2.0", reserve_bytes=0)
BLOCK = 4096
TOKEN = "hf_PlantedTokenThatNobodyMaySee"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)
    return path.read_bytes()


@pytest.fixture(scope="module")
def served() -> Iterator[Hub]:
    with Hub().running() as hub_:
        yield hub_


@pytest.fixture
def server(served: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has one model, small blocks, and no patience unless a test brings some."""
    served.files = {f"{REPO}/{FILE}": model}
    served.licence, served.gated, served.figures = "apache-2.0", {}, {}
    served.faults, served.api_faults = deque(), deque()
    served.asked, served.tokens = [], []
    monkeypatch.setenv("HF_ENDPOINT", served.address)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(download, "SAFE_BYTES", BLOCK)
    monkeypatch.setattr(download, "WAITS_S", ())
    monkeypatch.setattr(download, "WAITS_AT_FIRST_S", ())
    yield served
    served.ended.set()
    served.ended = threading.Event()


def fetch(
    request: DownloadRequest = WANTED,
    tell: Callable[[events.Event], None] = lambda event: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Do a download as a job does it."""
    with Run(errands.write(request), tell, is_cancelled).open() as run:
        return download.download(request, run)


def landed() -> Path:
    return arrivals.target(REPO, FILE)


def looks_complete() -> bool:
    """Whether anything below the folder of models has the name of a model or of a record."""
    return any(path.suffix in (".gguf", ".json") for path in paths.models().rglob("*"))


# --- what goes well ---


def test_a_model_lands_with_its_record_and_is_not_fetched_twice(server: Hub, model: bytes) -> None:
    done = fetch()
    asked = len(server.asked)
    again = fetch()

    record = records.read_record(landed())
    assert landed().read_bytes() == model
    assert record is not None
    assert (record.repo, record.revision, record.licence, record.title) == (REPO, COMMIT, "apache-2.0", "Tiny")
    assert record.sha256 == hashlib.sha256(model).hexdigest()
    assert (done["was_there"], again["was_there"], Path(done["path"])) == (False, True, landed())
    assert len(server.asked) == asked, "what is here is not asked for"
    assert arrivals.halves(landed()) == [] and errands.waiting() == []
    found = next(each for each in store.on_this_computer() if each.path == landed())
    assert (found.name, found.origin, found.problem) == ("Tiny", "downloaded", "")


def test_a_look_fetches_nothing_and_tells_what_the_hub_says(server: Hub, model: bytes) -> None:
    asked = LookRequest(REPO, FILE)
    with Run(errands.write(asked)).open() as run:
        [told] = download.look_for(asked, run)["offers"]

    assert (told["size_bytes"], told["licence"], told["is_gated"]) == (len(model), "apache-2.0", False)
    assert (told["architecture"], told["parameters"]) == ("llama", 1_000_000)
    assert server.downloads == [] and not looks_complete() and errands.waiting() == []


def test_progress_counts_bytes_up_to_the_whole(server: Hub, model: bytes) -> None:
    said: list[events.Event] = []

    fetch(tell=said.append)

    last = [event for event in said if isinstance(event, events.Progress)][-1]
    assert (last.text, last.done, last.total) == ("Downloading Tiny", len(model), len(model))


# --- cut connections ---


def test_it_goes_on_from_every_place_where_it_was_cut(server: Hub, model: bytes) -> None:
    size = len(model)
    near = [place + step for place in (BLOCK, 2 * BLOCK, 5 * BLOCK) for step in (-1, 0, 1)]
    for cut in [0, 1, *near, *random.Random(0).sample(range(size), 6), size - 1]:
        server.faults.append(Fault(cut_after=cut))
        server.asked.clear()

        with pytest.raises(DownloadError, match="cannot be reached"):
            fetch()

        assert not looks_complete(), cut
        assert sum(path.stat().st_size for path in arrivals.halves(landed())) == cut
        assert arrivals.waiting()[0].arrived_bytes == cut
        fetch()
        kept = max(0, cut - 1) // BLOCK * BLOCK
        assert server.downloads == ["", f"bytes={kept}-" if kept else ""], cut
        assert landed().read_bytes() == model, cut
        landed().unlink()
        records.record_file(landed()).unlink()


def test_a_connection_that_is_cut_often_is_taken_up_by_itself(
    server: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WAITS_S", (0.0, 0.0))
    server.faults.extend(Fault(cut_after=step) for step in (9000, 100, 20_000, 1, 7000))
    said: list[events.Event] = []

    fetch(tell=said.append)

    starts = [0, 9000, 9100, 29_100, 29_101, 36_101]
    assert server.downloads == [f"bytes={start}-" if start else "" for start in starts]
    assert landed().read_bytes() == model
    assert any("trying again" in event.detail for event in said if isinstance(event, events.Progress))


def test_a_server_that_cannot_go_on_in_the_middle_begins_again(server: Hub, model: bytes) -> None:
    server.faults.extend([Fault(cut_after=20_000), Fault(ignores_range=True)])
    with pytest.raises(DownloadError):
        fetch()

    fetch()

    assert landed().read_bytes() == model


def test_a_link_that_has_run_out_is_asked_for_anew(server: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults.extend([Fault(cut_after=9000), Fault(status=403)])
    monkeypatch.setattr(download, "WAITS_S", (0.0, 0.0))

    fetch()

    assert landed().read_bytes() == model


def test_pausing_does_not_wait_for_a_stalled_connection(server: Hub) -> None:
    server.faults.append(Fault(stall_after=20_000))
    paused = threading.Event()

    def hear(event: events.Event) -> None:
        if isinstance(event, events.Progress):
            threading.Timer(0.1, paused.set).start()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(tell=hear, is_cancelled=paused.is_set)

    assert time.monotonic() - began < hub.TIMEOUT_S / 2
    assert arrivals.waiting()[0].arrived_bytes == 20_000
    assert not looks_complete()


def test_pausing_does_not_wait_for_a_hub_that_does_not_answer(server: Hub) -> None:
    server.api_faults.append(Fault(stall_after=0))
    began = time.monotonic()

    with pytest.raises(Cancelled):
        fetch(is_cancelled=lambda: time.monotonic() - began > 0.3)

    assert time.monotonic() - began < hub.TIMEOUT_S / 2


# --- wrong bytes ---


def test_a_wrong_byte_is_found_and_nothing_of_it_is_kept(server: Hub, model: bytes) -> None:
    server.faults.append(Fault(wrong_byte=len(model) // 2))

    with pytest.raises(DownloadError, match="check number differs"):
        fetch()

    assert not looks_complete() and arrivals.halves(landed()) == []
    fetch()
    assert landed().read_bytes() == model


def test_what_was_changed_on_the_disk_while_it_waited_is_found(server: Hub, model: bytes) -> None:
    server.faults.append(Fault(cut_after=20_000))
    with pytest.raises(DownloadError):
        fetch()
    with open(arrivals.halves(landed())[0], "r+b") as half:
        half.write(b"X")

    with pytest.raises(DownloadError, match="check number differs"):
        fetch()

    assert not looks_complete()


def test_halves_of_two_versions_are_never_mixed(server: Hub, model: bytes) -> None:
    server.faults.append(Fault(cut_after=20_000))
    with pytest.raises(DownloadError):
        fetch()
    newer = model + b"newer"
    server.files[f"{REPO}/{FILE}"] = newer
    server.faults.append(Fault(cut_after=100))
    with pytest.raises(DownloadError):
        fetch()
    assert [path.stat().st_size for path in arrivals.halves(landed())] == [100], "the older half takes no space"

    fetch()

    assert landed().read_bytes() == newer
    assert arrivals.halves(landed()) == []


@pytest.mark.parametrize("extra", [-10, 10])
def test_a_file_of_another_length_than_announced_is_not_kept(server: Hub, model: bytes, extra: int) -> None:
    server.figures[f"{REPO}/{FILE}"] = (len(model) + extra, hashlib.sha256(model).hexdigest())

    with pytest.raises(DownloadError):
        fetch()

    assert not looks_complete()


def test_a_file_that_changed_its_length_on_the_way_is_not_gone_on_with(server: Hub, model: bytes) -> None:
    server.faults.extend([Fault(cut_after=20_000), Fault(total=len(model) + 1)])
    with pytest.raises(DownloadError):
        fetch()

    with pytest.raises(DownloadError, match="Something else came"):
        fetch()

    fetch()
    assert landed().read_bytes() == model


def test_the_sign_in_page_of_a_network_is_told_and_what_has_arrived_stays(server: Hub) -> None:
    server.faults.extend([Fault(cut_after=20_000), Fault(page="<html>Welcome to our hotel</html>")])
    with pytest.raises(DownloadError):
        fetch()

    with pytest.raises(DownloadError, match="sign-in page"):
        fetch()

    assert arrivals.waiting()[0].arrived_bytes == 16_384


def test_a_file_that_is_no_model_is_deleted(server: Hub) -> None:
    server.files[f"{REPO}/{FILE}"] = b"this is no model at all" * 100

    with pytest.raises(ModelError, match=FILE):
        fetch()

    assert not looks_complete() and arrivals.halves(landed()) == []


# --- what the hub refuses ---


def test_a_model_that_is_given_only_after_agreeing_says_how(server: Hub) -> None:
    server.gated[REPO] = TOKEN

    with pytest.raises(DownloadError, match="signed in and have agreed") as told:
        fetch()

    assert REPO in told.value.hint


def test_the_token_goes_where_it_is_wanted_and_nowhere_else(
    server: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    server.gated[REPO] = TOKEN
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    said: list[events.Event] = []

    fetch(tell=said.append)

    assert landed().read_bytes() == model
    assert {path.partition("/resolve/")[0] for path, _ in server.tokens} == {f"/{REPO}"}
    assert TOKEN not in repr(said)
    assert [path for path in own_home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []


def test_no_token_is_sent_where_none_is_wanted(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)

    fetch()

    assert server.tokens == []


def test_a_token_that_gives_no_access_is_in_no_message(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    server.gated[REPO] = "another token"
    monkeypatch.setenv("HF_TOKEN", TOKEN)

    with pytest.raises(DownloadError, match="has not been given") as told:
        fetch()

    assert TOKEN not in "".join((told.value.message, told.value.hint, told.value.details))


def test_a_token_is_never_sent_in_the_clear() -> None:
    assert hub.keeps_secrets("https://mirror.example")
    assert not hub.keeps_secrets("http://mirror.example")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (replace(WANTED, repo="makers/none"), "no model called"),
        (replace(WANTED, file="none.gguf"), "no file called"),
        (replace(WANTED, licence="mit"), "another licence now"),
        (replace(WANTED, repo="../..", file="x.gguf"), "no model file on the hub"),
        (replace(WANTED, file="../../x.gguf"), "no model file on the hub"),
        (replace(WANTED, file="model.safetensors"), "no model file on the hub"),
        (replace(WANTED, repo="a/b/c"), "no model file on the hub"),
        (replace(WANTED, reserve_bytes=1 << 62), "kept free"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_fetched(
    server: Hub, request_: DownloadRequest, sentence: str
) -> None:
    with pytest.raises(LabError, match=sentence):
        fetch(request_)

    assert server.downloads == [] and not looks_complete()


def test_what_does_not_write_is_refused_before_anything_is_fetched(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "architecture", "nomic-bert")

    with pytest.raises(ModelError, match="an embedding model"):
        fetch()

    assert server.downloads == [] and not looks_complete()


def test_a_file_without_a_check_number_is_refused(server: Hub, model: bytes) -> None:
    server.figures[f"{REPO}/{FILE}"] = (len(model), None)

    with pytest.raises(DownloadError, match="no check number"):
        fetch()


@pytest.mark.parametrize("figures", [(-1, "a" * 64), (100, "../../" + "a" * 58), (100, "zz")])
def test_figures_that_cannot_be_are_refused(server: Hub, figures: tuple[int, str]) -> None:
    server.figures[f"{REPO}/{FILE}"] = figures

    with pytest.raises(DownloadError):
        fetch()

    assert not looks_complete()


def test_an_answer_that_is_no_answer_is_a_sentence(server: Hub) -> None:
    server.api_faults.append(Fault(page="<html>"))

    with pytest.raises(DownloadError, match="cannot be understood"):
        fetch()


def test_a_busy_hub_is_asked_again_when_it_said(server: Hub, model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAITS_AT_FIRST_S", (0.0, 0.0))
    monkeypatch.setattr(download, "WAITS_S", (0.0, 0.0))
    server.api_faults.extend([Fault(status=429, retry_after=1), Fault(status=503)])
    server.faults.extend([Fault(status=500), Fault(status=429, retry_after=0)])

    began = time.monotonic()
    fetch()

    assert time.monotonic() - began >= 1.0
    assert landed().read_bytes() == model


def test_a_hub_that_stays_busy_ends_in_a_sentence(server: Hub) -> None:
    server.api_faults.append(Fault(status=503))

    with pytest.raises(DownloadError, match="too busy"):
        fetch()


def test_whoever_is_offline_is_told_calmly(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(DownloadError, match="cannot be reached") as told:
        fetch()

    assert "Everything but downloading works" in told.value.hint


def test_an_address_that_is_none_is_told(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "ftp://nowhere")

    with pytest.raises(DownloadError, match="HF_ENDPOINT"):
        fetch()


# --- the disk ---


def test_a_disk_that_is_full_in_the_middle_keeps_what_arrived(server: Hub, model: bytes) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageError):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)

    assert not looks_complete()
    assert arrivals.waiting()[0].arrived_bytes > 0
    fetch()
    assert server.downloads[-1] == "bytes=16384-"
    assert landed().read_bytes() == model


def test_a_file_that_was_named_but_not_noted_is_looked_at_and_noted(server: Hub, model: bytes) -> None:
    landed().parent.mkdir(parents=True)
    landed().write_bytes(model)

    done = fetch()

    assert done["was_there"] and server.downloads == []
    assert records.read_record(landed()) is not None


def test_another_file_of_that_name_is_left_alone(server: Hub, model: bytes) -> None:
    landed().parent.mkdir(parents=True)
    landed().write_bytes(b"mine" * 100)

    with pytest.raises(DownloadError, match="another file"):
        fetch()

    assert landed().read_bytes() == b"mine" * 100


def test_giving_up_leaves_nothing_and_waits_for_a_pause(server: Hub) -> None:
    server.faults.append(Fault(cut_after=20_000))
    with pytest.raises(DownloadError):
        fetch()
    with Run(WANTED.folder).open(), pytest.raises(RunError, match="under way"):
        arrivals.give_up(WANTED)
    assert arrivals.halves(landed())

    arrivals.give_up(WANTED)

    assert arrivals.halves(landed()) == [] and arrivals.waiting() == [] and not WANTED.folder.exists()


@pytest.mark.slow
def test_killed_before_any_of_its_steps_a_download_never_looks_whole_before_it_is(server: Hub, model: bytes) -> None:
    for step in range(1, 100):
        was_killed = killed_at(step, fetch)

        for each in store.on_this_computer():
            assert each.origin == "practice" or each.path.read_bytes() == model, step
        fetch()
        assert landed().read_bytes() == model and records.read_record(landed()) is not None, step
        assert arrivals.halves(landed()) == [] and errands.waiting() == [], step
        if not was_killed:
            break
        landed().unlink()
        records.record_file(landed()).unlink()
    assert 5 < step < 99


# --- in a process of its own ---


def worker(folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab_desktop", "--worker", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def said_by(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Everything it said, once it has ended; its input stays open until then, for its end asks a job to stop."""
    assert process.stdout is not None and process.stderr is not None
    out, errors = process.stdout.read(), process.stderr.read()
    process.communicate(timeout=60)
    assert TOKEN.encode() not in out + errors
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def big(server: Hub, model: bytes) -> bytes:
    """A model of 20 MB, so that a child's own blocks are filled."""
    data = model + random.Random(1).randbytes(20_000_000)
    server.files[f"{REPO}/{FILE}"] = data
    return data


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_a_cancel_stops_it_calmly(server: Hub, big: bytes) -> None:
    server.gated[REPO] = TOKEN
    folder = errands.write(WANTED)
    server.faults.extend([Fault(stall_after=12_000_000), Fault(stall_after=2_000_000)])
    first = worker(folder, HF_TOKEN=TOKEN)
    until(lambda: sum(path.stat().st_size for path in arrivals.halves(landed())) >= 8 << 20)

    first.kill()
    said_by(first)
    assert not looks_complete()

    second = worker(folder, HF_TOKEN=TOKEN)
    until(lambda: len(server.downloads) == 2 and arrivals.waiting()[0].arrived_bytes > 9_000_000)
    assert second.stdin is not None
    second.stdin.write(b"cancel\n")
    second.stdin.flush()
    assert said_by(second)[-1]["event"] == "stopped"
    assert second.returncode == 130 and not looks_complete()

    third = worker(folder, HF_TOKEN=TOKEN)
    assert said_by(third)[-1]["event"] == "finished"
    assert server.downloads == ["", f"bytes={8 << 20}-", f"bytes={8 << 20}-"]
    assert landed().read_bytes() == big
    assert [
        path for path in paths.user_data().rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
    ] == []


def test_a_proxy_of_the_environment_is_used(server: Hub, model: bytes) -> None:
    folder = errands.write(WANTED)
    server.cdn = "http://bytes.invalid"

    child = worker(folder, HF_ENDPOINT="http://hub.invalid", HTTP_PROXY=server.address, NO_PROXY="", no_proxy="")

    assert said_by(child)[-1]["event"] == "finished"
    assert landed().read_bytes() == model


def until(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, IndexError):
            if is_so():
                return
        time.sleep(0.02)
    pytest.fail("it did not happen")
