"""`lab-desktop models publish`: what goes out is shown, asked about, and on the hub at the end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from lab_desktop import cli, keys
from lab_desktop.models import hub
from tests.hub_server import Hub
from tests.keyrings import MemoryKeyring
from tests.models.test_card import run as run

TOKEN = "hf_PlantedTokenThatNobodyMaySee"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    with Hub(accounts={TOKEN: ("ada", "write")}).running() as hub_:
        monkeypatch.setenv("HF_ENDPOINT", hub_.address)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub_
    keyring.set_keyring(before)


@pytest.fixture
def small(run: Path) -> Path:
    """A run whose files are sent in no time."""
    for file in (run / "models").glob("*.gguf"):
        file.write_bytes(b"GGUF" + file.name.encode())
    return run


def test_a_run_is_published_after_its_page_was_shown(
    server: Hub, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)

    assert cli.main(["models", "publish", str(small), "--repo", "pools", "--yes"]) == 0

    said = capsys.readouterr()
    place = server.places["ada/pools"]
    assert said.out.strip() == f"{server.address}/ada/pools"
    assert "| Rock pools | 1 | 7 | 8 |" in said.err and "only you see it" in said.err
    assert set(place.files) == {"README.md", "pools-Q4_K_M.gguf", "pools-Q8_0.gguf"}
    assert place.is_private and TOKEN not in said.out + said.err


def test_who_does_not_agree_publishes_nothing_and_a_size_can_be_left_out(
    server: Hub, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.keep(hub.KEYS, server.address, TOKEN)
    words = ["models", "publish", str(small), "--repo", "ada/pools", "--public", "--size", "Q4_K_M"]

    assert cli.main(words) == 1
    assert server.places == {}
    assert cli.main([*words, "--yes"]) == 0
    assert set(server.places["ada/pools"].files) == {"README.md", "pools-Q4_K_M.gguf"}
    assert not server.places["ada/pools"].is_private


def test_signing_in_takes_the_token_unseen_and_signing_out_forgets_it(
    server: Hub, small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\n"))

    assert cli.main(["models", "sign-in"]) == 0
    assert keys.get(hub.KEYS, server.address) == TOKEN
    assert cli.main(["models", "sign-out"]) == 0
    assert keys.get(hub.KEYS, server.address) is None
    assert cli.main(["models", "publish", str(small), "--repo", "pools", "--yes"]) == 1

    said = capsys.readouterr()
    assert "Signed in as ada" in said.err and "Nobody is signed in" in said.err
    assert TOKEN not in said.out + said.err
