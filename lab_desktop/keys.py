"""Keys and tokens of other services: kept in the system's keyring and nowhere else.

The keyring is the system's own (Keychain on a Mac, the Secret Service on Linux, the Credential Locker on Windows).
Where there is none nothing is kept: no file takes its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab_desktop.errors import KeyringError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SAFE_FROM = 1
"""The library's line between the system's keyrings and makeshifts such as a plain file (`KeyringBackend.priority`)."""


def get(service: str, name: str) -> str | None:
    """The key that is kept under this name, or None; None too where there is no keyring.

    Raises:
        KeyringError: it is locked, or the person did not let this program in.
    """
    if not is_possible():
        return None
    with _sentences("read"):
        return _keyring().get_password(service, name) or None


def keep(service: str, name: str, key: str) -> None:
    """Keep a key under this name; an earlier one is replaced.

    Raises:
        KeyringError: there is no keyring, it is locked, or the person did not let this program in.
    """
    if not is_possible():
        raise KeyringError(
            "This system has no keyring, so the key cannot be kept: it is never written to a file.",
            "Unlock or set up the system's keyring (on Linux: GNOME Keyring or KWallet), then try again.",
        )
    with _sentences("kept"):
        _keyring().set_password(service, name, key)


def forget(service: str, name: str) -> None:
    """Take a key out of the keyring; one that is not there is forgotten already.

    Raises:
        KeyringError: as in `get`.
    """
    from keyring.errors import PasswordDeleteError

    if get(service, name) is not None:
        with _sentences("removed"), contextlib.suppress(PasswordDeleteError):
            _keyring().delete_password(service, name)


def is_possible() -> bool:
    """True where the system has a keyring of its own."""
    return float(_keyring().priority) >= _SAFE_FROM


def _keyring() -> KeyringBackend:
    import keyring
    from keyring.backends import fail

    try:
        return keyring.get_keyring()
    except (ImportError, AttributeError):  # PYTHON_KEYRING_BACKEND names one that is not here
        return fail.Keyring()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _sentences(what: str) -> Iterator[None]:
    # Not the error's own text: some keyrings repeat there what they were given.
    from keyring.errors import KeyringError as Refused

    try:
        yield
    except Refused as error:
        raise KeyringError(
            f"The system's keyring did not let the key be {what}: it is locked, or this program was refused.",
            "Unlock the keyring, allow LAB Desktop to use it, and try again.",
            type(error).__name__,
        ) from None
