"""Seen, not believed: no process of a self-test talks to another computer or changes the person's own folder.

An audit hook in each of them (PEP 578) refuses both and notes it in the self-test's folder, so that it counts also
where the refusal is swallowed. `VARIABLE` names that folder; only a self-test sets it, and its children inherit it.
Libraries that open files or sockets without Python are not seen.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

VARIABLE = "LAB_DESKTOP_SELFTEST"
_KEPT_OUT = "kept-out.txt"
_SEEN = "trespasses.txt"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ASKS_FOR_A_NAME = ("socket.getaddrinfo", "socket.gethostbyname")
_REACHES_OUT = ("socket.connect", "socket.sendmsg", "socket.sendto")
_CHANGES = (
    "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "os.utime",
    "shutil.rmtree", "sqlite3.connect",
)  # fmt: skip


def begin(folder: Path, person: Path) -> None:
    """Let the processes of the self-test in `folder` leave the person's own folder as it is."""
    (folder / _KEPT_OUT).write_text(os.path.realpath(person), encoding="utf-8")


def stand_guard() -> None:
    """Watch this process from now on, where it belongs to a self-test."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    notes = os.path.join(folder, _SEEN)  # noqa: PTH118 - joined once; a hook must not make paths
    try:
        kept_out = (Path(folder) / _KEPT_OUT).read_text(encoding="utf-8")
    except FileNotFoundError:
        sys.exit("The self-test that started this is over.")

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _REACHES_OUT and isinstance(arguments[-1], tuple):
            told = _elsewhere(arguments[-1][0])
        elif event in _ASKS_FOR_A_NAME:
            told = _elsewhere(arguments[0])
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            told = _inside(arguments[0], kept_out)
        elif event in _CHANGES:
            told = next(filter(None, (_inside(each, kept_out) for each in arguments)), "")
        else:
            return
        if told:
            handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, f"{told}\n".encode())
            finally:
                os.close(handle)
            raise PermissionError(f"The self-test allows no {told}")

    sys.addaudithook(look)


def seen(folder: Path) -> list[str]:
    """What was tried and refused in the self-test of this folder."""
    notes = folder / _SEEN
    return notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []


def _elsewhere(host: object) -> str:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    if name in ("", "localhost"):
        return ""
    try:
        is_here = ipaddress.ip_address(name).is_loopback
    except ValueError:
        is_here = False
    return "" if is_here else f"connection to {name}"


def _inside(path: object, folder: str) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        return ""  # a descriptor: it was opened before
    real = os.path.realpath(os.fsdecode(path))
    return f"change of {real}" if real == folder or real.startswith(folder + os.sep) else ""
