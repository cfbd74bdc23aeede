"""Keyrings of tests: in memory, locked, and one that a child process can share with its test."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

SHARED = "LAB_TEST_KEYRING"
"""The environment variable that names the file of `SharedKeyring`."""


class MemoryKeyring(KeyringBackend):
    """What a system's keyring is to the library, in memory."""

    priority = 5  # type: ignore[assignment]  # the library computes it on the class

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


class LockedKeyring(MemoryKeyring):
    """One whose person said no; its error repeats what it was given, as some do."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"no: {password}")


class PlainFileKeyring(MemoryKeyring):
    """A makeshift, as the library ranks those that write plain files."""

    priority = 0.5  # type: ignore[assignment]


class SharedKeyring(MemoryKeyring):
    """The test's keys in a child process: read from a file that the test made, outside of everything that is tested."""

    def get_password(self, service: str, username: str) -> str | None:
        keys: dict[str, str] = json.loads(Path(os.environ[SHARED]).read_text())
        return keys.get(f"{service} {username}")
