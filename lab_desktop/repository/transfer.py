"""What comes from an address: which addresses are used, how long and how much may come, and whether it is safe."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.repository.program import Git, failure

MOST_BYTES = 500_000_000
"""A larger library is refused; the community's has a few dozen MB."""
MOST_FILES = 200_000
MOST_SECONDS = 1800
"""A transfer that takes longer is given up."""
_POLL_S = 0.1
_LINK = "120000"

Progress = Callable[[str, float], None]
"""What is being done, and how much of it: 0–1."""


def checked_address(url: str) -> str:
    """The address as git is given it.

    Raises:
        LibraryError: not https, ssh or file, or with a password in it.
    """
    address = url.strip()
    short = re.fullmatch(r"([A-Za-z0-9_.][\w.-]*)@([A-Za-z0-9][\w.-]*):(?!/)(\S+)", address)
    if short:
        address = f"ssh://{short[1]}@{short[2]}/{short[3]}"
    match = re.fullmatch(r"(https|ssh|file)://([^\s/]*)(/[^\s\x00-\x1f].*|/?)", address)
    if not match or any(ord(letter) < 32 for letter in address):
        raise LibraryError(
            f'"{url[:200]}" is not an address of a library.',
            "An address begins with https://, ssh:// or file://.",
        )
    user, _, host = match[2].rpartition("@")
    if ":" in user:
        raise LibraryError("The address has a password in it.", "Use the address without it.")
    if host.startswith("-") or user.startswith("-") or (match[1] != "file" and not host):
        raise LibraryError(f'"{url[:200]}" is not an address of a library.', "Check its spelling.")
    return address


def transfer(
    git: Git, command: Iterable[str], growing: Path, on_progress: Progress, is_cancelled: Callable[[], bool]
) -> None:
    """Run a git command that fetches; the folder `growing` is watched, so that it fills no disk.

    Raises:
        LibraryError: the address cannot be reached, or sends too much, or takes too long.
        Cancelled
    """
    before, began = _size(growing), time.monotonic()
    process = git.process(command)
    said: list[str] = []
    reader = threading.Thread(target=_read_progress, args=(process.stderr, said, on_progress), daemon=True)
    reader.start()
    ended = False
    try:
        checked = 0.0
        while process.poll() is None:
            if is_cancelled():
                raise Cancelled
            now = time.monotonic() - began
            if now > MOST_SECONDS:
                raise LibraryError(
                    f"The library was not whole after {MOST_SECONDS // 60} minutes, so it was given up.",
                    "Try again with a better connection.",
                )
            if now - checked > 10 * _POLL_S:
                checked = now
                if _size(growing) - before > MOST_BYTES:
                    raise too_large()
            time.sleep(_POLL_S)
        ended = True
    finally:
        if not ended:
            _kill(process)
        reader.join(timeout=5)
        if not reader.is_alive():
            process.stderr.close()
    if process.poll() != 0:
        raise failure("\n".join(said))


def looked_through(git: Git, commit: str) -> list[str]:
    """The paths of a commit.

    Raises:
        LibraryError: it is too large, or a link in it leads out of the library.
    """
    paths: list[str] = []
    links: dict[str, str] = {}
    size = 0
    for line in git.names("ls-tree", "-r", "-l", "--full-tree", commit):
        facts, _, path = line.partition("\t")
        mode, _, blob, length = facts.split()
        size += int(length) if length.isdigit() else 0
        paths.append(path)
        if mode == _LINK:
            links[path] = blob
    if len(paths) > MOST_FILES or size > MOST_BYTES:
        raise too_large()
    targets = git.blobs(links.values())
    for path, blob in links.items():
        target = os.fsdecode(targets.get(blob, b"/"))
        if _leads_out(path, target):
            raise LibraryError(
                f'A link in this library leads out of it ("{path}" to "{target[:80]}"), so it was not opened.',
                "Ask whoever made it to replace the link by the file.",
            )
    return paths


def _leads_out(path: str, target: str) -> bool:
    """True unless a link's target goes up first, not above the library, and then only down."""
    steps = [step for step in target.split("/") if step not in ("", ".")]
    ups = next((at for at, step in enumerate(steps) if step != ".."), len(steps))
    too_far = ups > len(PurePosixPath(path).parents) - 1
    return target.startswith("/") or "\\" in target or too_far or ".." in steps[ups:] or ".git" in map(str.lower, steps)


def too_large() -> LibraryError:
    return LibraryError(
        f"This library has more than {MOST_BYTES / 1e6:.0f} MB or {MOST_FILES:,} files, so it was not opened.",
        "Check the address: a library of lessons is much smaller.",
    )


def _read_progress(stream: Any, said: list[str], on_progress: Progress) -> None:
    """What git writes: lines that end in a line end are kept, of the others the figure counts."""
    rest = b""
    while piece := stream.read1(4096):
        *lines, rest = re.split(rb"[\r\n]", rest + piece)
        for line in lines:
            text = line.decode("utf-8", "replace")
            share = re.match(r"(Receiving objects|Resolving deltas):\s+(\d+)%", text)
            if share:
                done = int(share[2]) / 100
                on_progress("Fetching the library", 0.8 * done if share[1].startswith("Rec") else 0.8 + 0.1 * done)
            elif text.strip():
                said[:] = [*said[-20:], text]


def _kill(process: Any) -> None:
    """End git and what it started; the folder it wrote to is removed by whoever made it."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
    process.proc.wait()


def _size(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(here) / name).stat(follow_symlinks=False).st_size
    return total
