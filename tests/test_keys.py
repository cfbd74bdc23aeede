"""keys.py: keys live in the system's keyring, and where there is none, nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from lab_desktop import keys
from lab_desktop.errors import KeyringError
from tests.keyrings import LockedKeyring, MemoryKeyring, PlainFileKeyring


@pytest.fixture
def use() -> Iterator[Callable[[KeyringBackend], None]]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_key_comes_back_under_its_own_name_and_can_be_forgotten(use: Callable[[KeyringBackend], None]) -> None:
    use(MemoryKeyring())

    keys.keep("teacher", "https://one", "first")
    keys.keep("teacher", "https://two", "second")
    keys.keep("teacher", "https://one", "third")

    assert keys.get("teacher", "https://one") == "third"
    assert keys.get("teacher", "https://two") == "second"
    assert keys.get("other", "https://one") is None
    keys.forget("teacher", "https://one")
    keys.forget("teacher", "https://one")
    assert keys.get("teacher", "https://one") is None
    assert keys.get("teacher", "https://two") == "second"


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring, PlainFileKeyring])
def test_without_a_keyring_of_the_system_nothing_is_kept_and_that_is_said(
    use: Callable[[KeyringBackend], None], backend: type[KeyringBackend], own_home: Path
) -> None:
    use(backend())

    assert not keys.is_possible()
    assert keys.get("teacher", "https://one") is None
    keys.forget("teacher", "https://one")
    with pytest.raises(KeyringError, match="no keyring"):
        keys.keep("teacher", "https://one", "sk-secret")
    assert getattr(keyring.get_keyring(), "kept", {}) == {}
    assert list(own_home.rglob("*")) == []


@pytest.mark.parametrize("named", ["nowhere.Keyring", "json.Keyring"])
def test_a_keyring_that_is_named_for_other_programs_and_not_here_is_none(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", named)

    assert not keys.is_possible()
    assert keys.get("teacher", "https://one") is None


def test_a_locked_keyring_is_a_sentence_that_does_not_repeat_the_key(use: Callable[[KeyringBackend], None]) -> None:
    use(LockedKeyring())

    with pytest.raises(KeyringError, match="did not let the key be kept") as caught:
        keys.keep("teacher", "https://one", "sk-secret")
    with pytest.raises(KeyringError, match="locked"):
        keys.get("teacher", "https://one")

    error = caught.value
    assert "sk-secret" not in f"{error.message} {error.hint} {error.details} {error.__cause__}"
