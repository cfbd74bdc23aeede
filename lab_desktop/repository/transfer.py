"""What comes from an address: which addresses are used, how long and how much may come, and whether it is safe."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.repository.program import Git, end, failure

MOST_BYTES = 500_000_000
"""A larger library is refused; the community's has a few dozen MB."""
MOST_FILES = 200_000
MOST_SECONDS = 1800
"""A transfer that takes longer is given up."""
_POLL_S = 0.1
_MOST_ANSWER = 5_000_000
_LONGEST_LINE = 100_000
_LINK = "120000"
_LOCAL = re.compile(r"http://([\w.-]*@)?(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
# What git writes while it is at work → from where to where its share of the work goes.
_STAGES = {
    "Receiving objects": (0.0, 0.8),
    "Resolving deltas": (0.8, 0.9),
    "Compressing objects": (0.0, 0.2),
    "Writing objects": (0.2, 0.9),
}

Progress = Callable[[str, float], None]
"""What is being done, and how much of it: 0–1."""


def is_local(address: str) -> bool:
    """True for http on this computer, where nothing is sent in the clear to anybody."""
    return bool(_LOCAL.match(address))


def checked_address(url: str) -> str:
    """The address as git is given it.

    Raises:
        LibraryError: not https, ssh or file (http only on this computer), or with a password in it.
    """
    address = url.strip()
    short = re.fullmatch(r"([A-Za-z0-9_.][\w.-]*)@([A-Za-z0-9][\w.-]*):(?!/)(\S+)", address)
    if short:
        address = f"ssh://{short[1]}@{short[2]}/{short[3]}"
    match = re.fullmatch(r"(https|ssh|file|http)://([^\s/]*)(/[^\s\x00-\x1f].*|/?)", address)
    if not match or any(ord(letter) < 32 for letter in address) or (match[1] == "http" and not is_local(address)):
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
    git: Git,
    command: Iterable[str],
    growing: Path,
    on_progress: Progress,
    is_cancelled: Callable[[], bool],
    most_seconds: float = MOST_SECONDS,
) -> str:
    """Run a git command that speaks with a remote; the folder `growing` is watched, so that it fills no disk.

    Returns:
        What git wrote to standard output.

    Raises:
        LibraryError: the address cannot be reached, sends too much, takes too long, or refuses.
        Cancelled
    """
    before, began = _size(growing), time.monotonic()
    process = git.process(command, with_output=True)
    said: list[str] = []
    answer = bytearray()
    readers = [
        threading.Thread(target=_read_progress, args=(process.stderr, said, on_progress), daemon=True),
        threading.Thread(target=_read_answer, args=(process.stdout, answer), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        checked = 0.0
        while process.poll() is None:
            if is_cancelled():
                raise Cancelled
            now = time.monotonic() - began
            if now > most_seconds:
                raise LibraryError(
                    f"The other side was not done after {most_seconds / 60:.0f} minutes, so it was given up.",
                    "Try again with a better connection.",
                )
            if now - checked > 10 * _POLL_S:
                checked = now
                if _size(growing) - before > MOST_BYTES:
                    raise too_large()
            if len(answer) > _MOST_ANSWER:
                raise too_large()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.proc.wait(_POLL_S)
    finally:
        end(process)
        for reader, stream in zip(readers, (process.stderr, process.stdout), strict=True):
            reader.join(timeout=5)
            if not reader.is_alive():
                stream.close()
    if process.poll() != 0:
        raise failure("\n".join(said))
    return answer.decode("utf-8", "replace")


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
        *lines, rest = re.split(rb"[\r\n]", (rest + piece)[-_LONGEST_LINE:])
        for line in lines:
            text = line.decode("utf-8", "replace")
            share = re.match(rf"({'|'.join(_STAGES)}):\s+(\d+)%", text)
            if share:
                start, stop = _STAGES[share[1]]
                on_progress("Fetching the library", start + (stop - start) * int(share[2]) / 100)
            elif text.strip():
                said[:] = [*said[-20:], text]


def _read_answer(stream: Any, answer: bytearray) -> None:
    while len(answer) <= _MOST_ANSWER and (piece := stream.read1(1 << 16)):
        answer += piece


def _size(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(here) / name).stat(follow_symlinks=False).st_size
    return total
