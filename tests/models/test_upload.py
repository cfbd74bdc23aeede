"""Publishing to a real server that misbehaves: whatever is cut, the hub never names half a file, and no token leaks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from lab_desktop import keys, paths
from lab_desktop.errors import Cancelled, LabError, PublishError
from lab_desktop.jobs import errands, events
from lab_desktop.jobs.errands import PublishRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import account, hub, upload
from tests.hub_server import Fault, Hub, Place
from tests.keyrings import SHARED, MemoryKeyring

# huggingface-hub 2.4 hands its HTTP library the files in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

TOKEN = "hf_PlantedTokenThatNobodyMaySee"
REPO = "ada/velmora"
CARD = "---\nlicense: apache-2.0\ntags:\n- lab-desktop\n---\n\n# velmora\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Hub]:
    with Hub().running() as hub_:
        yield hub_


@pytest.fixture
def server(served: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that knows one person, who is signed in here."""
    for memory in (served.places, served.stored, served.parts, served.refusals):
        memory.clear()
    for heard in (served.put_faults, served.asked, served.tokens, served.sent):
        heard.clear()
    served.accounts, served.part_bytes = {TOKEN: ("ada", "write")}, 0
    monkeypatch.setenv("HF_ENDPOINT", served.address)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield served
    served.ended.set()
    served.ended = threading.Event()


@pytest.fixture
def keyring_() -> Iterator[KeyringBackend]:
    before, ours = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture
def signed_in(server: Hub, keyring_: KeyringBackend) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)


@pytest.fixture
def files(tmp_path: Path) -> tuple[tuple[Path, str], ...]:
    made = []
    for kind, size in (("Q8_0", 300_000), ("Q4_K_M", 200_000)):
        path = tmp_path / f"island-{kind}.gguf"
        path.write_bytes(b"GGUF" + hashlib.shake_256(kind.encode()).digest(size))
        made.append((path, f"velmora-{kind}.gguf"))
    return tuple(made)


def publish(
    request: PublishRequest,
    tell: Callable[[events.Event], None] = lambda event: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Do it as a job does it."""
    with Run(errands.write(request), tell, is_cancelled).open() as run:
        return upload.upload(request, run)


def puts(server: Hub) -> int:
    """How many uploads of bytes were begun."""
    return sum(each.startswith("PUT") for each in server.asked)


# --- what goes well ---


@pytest.mark.parametrize("part_bytes", [0, 65_536])
def test_every_file_and_the_page_are_named_in_one_commit(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...], part_bytes: int
) -> None:
    server.part_bytes = part_bytes
    said: list[events.Event] = []

    done = publish(PublishRequest(REPO, files, CARD), said.append)

    place = server.places[REPO]
    assert place.files == {**{name: path.read_bytes() for path, name in files}, "README.md": CARD.encode()}
    assert (place.is_private, place.commits) == (True, 1)
    assert (done["url"], done["is_private"], done["sent_bytes"]) == (f"{server.address}/{REPO}", True, 500_008)
    counted = [event for event in said if isinstance(event, events.Progress)]
    assert (counted[-1].text, counted[-1].done, counted[-1].total) == ("Publishing velmora", 500_008, 500_008)
    assert errands.waiting() == []


def test_a_second_press_sends_only_what_is_missing(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]
) -> None:
    publish(PublishRequest(REPO, files[:1], CARD))

    done = publish(PublishRequest(REPO, files, f"{CARD}More.\n"))

    assert done["sent_bytes"] == files[1][0].stat().st_size
    assert [length for _, length in server.sent] == [path.stat().st_size for path, _ in files]
    assert set(server.places[REPO].files) == {"README.md", *(name for _, name in files)}


def test_the_same_once_more_sends_nothing_and_makes_no_new_version(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]
) -> None:
    first = publish(PublishRequest(REPO, files, CARD))

    again = publish(PublishRequest(REPO, files, CARD))

    assert (server.places[REPO].commits, again["commit"], again["sent_bytes"]) == (1, first["commit"], 0)
    assert errands.waiting() == []


def test_public_is_public_only_when_it_was_asked_for(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]
) -> None:
    publish(PublishRequest(REPO, files, CARD, is_private=False))
    assert not server.places[REPO].is_private

    with pytest.raises(PublishError, match="public already"):
        publish(PublishRequest(REPO, files, CARD, is_private=True))


# --- what is cut ---


@pytest.mark.parametrize("part_bytes", [0, 65_536])
def test_a_cut_connection_is_taken_up_again(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...], part_bytes: int
) -> None:
    server.part_bytes = part_bytes
    server.put_faults.extend([Fault(cut_after=1000)])

    publish(PublishRequest(REPO, files[:1], CARD))

    assert server.places[REPO].files[files[0][1]] == files[0][0].read_bytes()


def test_paused_in_the_middle_nothing_is_named_and_the_next_press_goes_on(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]
) -> None:
    request = PublishRequest(REPO, files, CARD)
    server.put_faults.extend([Fault(), Fault(drip_bytes=4096, drip_s=1.0)])

    began = time.monotonic()
    with pytest.raises(Cancelled):
        publish(request, is_cancelled=lambda: puts(server) == 2)
    assert time.monotonic() - began < 8

    assert server.places[REPO].files == {}
    assert [each for _, each in errands.waiting()] == [request]
    server.put_faults.clear()
    assert publish(request)["sent_bytes"] == files[1][0].stat().st_size
    assert len(server.places[REPO].files) == 3


def test_killed_in_the_middle_the_worker_goes_on_where_whole_files_ended_and_tells_nobody_the_token(
    server: Hub, files: tuple[tuple[Path, str], ...], tmp_path: Path, own_home: Path
) -> None:
    shared = tmp_path / "keys.json"
    shared.write_text(json.dumps({f"{hub.KEYS} {server.address}": TOKEN}))
    environment = {**os.environ, SHARED: str(shared), "PYTHON_KEYRING_BACKEND": "tests.keyrings.SharedKeyring"}
    folder = errands.write(PublishRequest(REPO, files, CARD))
    command = [sys.executable, "-m", "lab_desktop", "--worker", str(folder)]
    server.put_faults.extend([Fault(), Fault(drip_bytes=4096, drip_s=1.0)])

    first = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while puts(server) < 2:
        assert first.poll() is None
        time.sleep(0.02)
    told = Path(f"/proc/{first.pid}/cmdline").read_bytes() if Path("/proc/self").exists() else b""
    first.kill()
    said, _ = first.communicate()
    assert server.places[REPO].files == {}

    second = subprocess.run(command, env=environment, input=b"", capture_output=True, timeout=60, check=False)
    assert second.returncode in (0, 130)  # the end of its input asks it to stop
    third = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert third.stdout is not None and third.stdin is not None
    said += third.stdout.read() if second.returncode else second.stdout
    errors = third.communicate()[1]

    assert len(server.places[REPO].files) == 3
    assert [length for _, length in server.sent] == [path.stat().st_size for path, _ in files]
    kept = b"".join(path.read_bytes() for path in own_home.rglob("*") if path.is_file())
    assert TOKEN.encode() not in said + second.stdout + second.stderr + errors + told + kept


# --- what is refused ---


def test_without_a_token_nothing_is_asked(server: Hub, files: tuple[tuple[Path, str], ...]) -> None:
    with pytest.raises(PublishError, match="Nobody is signed in"):
        publish(PublishRequest(REPO, files, CARD))

    assert server.asked == []


@pytest.mark.parametrize(
    ("where", "status", "sentence"),
    [
        ("whoami", 401, "does not accept your access token"),
        ("whoami", 503, "too busy"),
        ("repos/create", 403, "does not let you write"),
        ("repos/create", 400, "does not take"),
        ("repos/create", 500, "too busy"),
        ("preupload", 404, "has no place called"),
        ("objects/batch", 403, "does not let you write"),
        ("commit/", 409, "changed by somebody else"),
        ("commit/", 412, "changed by somebody else"),
    ],
)
def test_each_refusal_is_a_sentence_without_the_token(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...], where: str, status: int, sentence: str
) -> None:
    server.refusals[where] = status

    with pytest.raises(PublishError, match=sentence) as refused:
        publish(PublishRequest(REPO, files, CARD))

    assert refused.value.hint
    assert TOKEN not in f"{refused.value.message}{refused.value.hint}{refused.value.details}"
    assert server.places.get(REPO, Place(True)).files == {}
    del server.refusals[where]
    publish(PublishRequest(REPO, files, CARD))
    assert len(server.sent) == len(files), "what arrived was sent again"


def test_offline_is_told_at_once(
    signed_in: None, files: tuple[tuple[Path, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    keys.keep(hub.KEYS, "http://127.0.0.1:9", TOKEN)

    with pytest.raises(PublishError, match="cannot be reached: there is no connection"):
        publish(PublishRequest(REPO, files, CARD))


def test_another_model_of_that_name_is_not_touched(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]
) -> None:
    theirs = Place(True, {"README.md": b"---\ntags:\n- mine\n---\n"})
    server.places[REPO] = theirs

    with pytest.raises(PublishError, match="not made here"):
        publish(PublishRequest(REPO, files, CARD))

    assert set(theirs.files) == {"README.md"} and server.sent == []


@pytest.mark.parametrize("repo", ["velmora", "ada/", "ada/../x", "ada/a b", "ada/a--b", "ada/x.git", "a/b/c", "ada/é"])
def test_a_name_that_the_hub_does_not_allow_is_told_before_it_is_asked(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...], repo: str
) -> None:
    with pytest.raises(PublishError, match="no name that the hub allows"):
        publish(PublishRequest(repo, files, CARD))

    assert server.asked == []


def test_a_file_that_is_gone_is_told(server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...]) -> None:
    files[0][0].unlink()

    with pytest.raises(PublishError, match=r"island-Q8_0\.gguf.*not there"):
        publish(PublishRequest(REPO, files, CARD))


# --- signing in ---


def test_signing_in_keeps_the_token_in_the_keyring_only(server: Hub, keyring_: KeyringBackend) -> None:
    assert account.sign_in(f" {TOKEN}\n").name == "ada"

    assert keyring_.get_password(hub.KEYS, server.address) == TOKEN
    assert account.is_signed_in()
    assert not [path for path in paths.user_data().rglob("*") if path.is_file()]
    account.sign_out()
    assert not account.is_signed_in()


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("hf_ReadsOnlyReadsOnly", "may only read"),
        ("hf_NobodyKnowsThisOne", "does not accept"),
        ("my password", "no access token"),
        ("", "no access token"),
        ("hf_é" * 8, "no access token"),
    ],
)
def test_a_token_that_will_not_do_is_not_kept(server: Hub, keyring_: KeyringBackend, token: str, sentence: str) -> None:
    server.accounts["hf_ReadsOnlyReadsOnly"] = ("ada", "read")

    with pytest.raises(PublishError, match=sentence) as refused:
        account.sign_in(token)

    assert not token or token not in refused.value.message + refused.value.hint + refused.value.details
    assert not account.is_signed_in()


def test_a_token_goes_to_the_hub_that_it_was_kept_for_and_never_in_the_clear(
    server: Hub, signed_in: None, files: tuple[tuple[Path, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(PublishRequest(REPO, files, CARD))
    assert server.tokens and not [path for path, _ in server.tokens if path.startswith("/put/")]

    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    keys.keep(hub.KEYS, "http://mirror.example", TOKEN)
    assert not account.is_signed_in()
    with pytest.raises(LabError, match="not encrypted"):
        account.who(TOKEN)
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    assert not account.is_signed_in()


def test_a_model_that_wants_an_account_is_fetched_with_the_token_and_its_bytes_without(
    server: Hub, signed_in: None
) -> None:
    server.files, server.gated = {"makers/gated/x.gguf": b"GGUF" * 5000}, {"makers/gated": TOKEN}

    offer = hub.look_up("makers/gated", "x.gguf")
    data = b"".join(piece for _, piece in hub.pieces(offer, 0, lambda: None))

    assert data == b"GGUF" * 5000
    assert {token for _, token in server.tokens} == {TOKEN}
    assert server.downloads and not [path for path, _ in server.tokens if path.startswith("/cdn/")]
