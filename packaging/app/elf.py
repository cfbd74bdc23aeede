"""Linux's programs and shared libraries: what each one needs, where it looks for it, and what must be carried along."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app import checks, tools
from app.workshop import BuildError, Workshop

_MAGIC = b"\x7fELF"
_ENTRY = re.compile(r"\((NEEDED|SONAME|RPATH|RUNPATH)\).*\[(.*)\]")
SYSTEM = re.compile(
    r"(ld-linux-x86-64|libc|libm|libdl|librt|libpthread|libutil|libresolv|libanl|libnsl|libthread_db|"
    r"libGL|libEGL|libGLX|libOpenGL|libGLdispatch|libdrm|libxcb|libxcb-dri\d|libwayland-\w+)\.so(\.\d+)*"
)
"""What belongs to the system: glibc, and what comes with a graphics driver."""


@dataclass(frozen=True)
class Needs:
    """Attributes:
    needed: names of the libraries it wants.
    paths: where it looks for them first, "$ORIGIN" for its own folder.
    """

    needed: tuple[str, ...]
    paths: tuple[str, ...]


def is_elf(path: Path) -> bool:
    """Is it a program or a shared library of Linux?"""
    with open(path, "rb") as stream:
        return stream.read(4) == _MAGIC


def all_in(root: Path) -> list[Path]:
    """Every program and shared library below a folder."""
    return [path for path in checks.files(root) if is_elf(path)]


def needs(file: Path) -> Needs:
    """What a program or library says of itself."""
    found = _ENTRY.findall(_readelf("-dW", file))
    paths = [value for kind, value in found if kind in ("RPATH", "RUNPATH")]
    return Needs(
        tuple(value for kind, value in found if kind == "NEEDED"),
        tuple(path for value in paths for path in value.split(":")),
    )


def glibc_floor(root: Path) -> tuple[int, int]:
    """The lowest glibc with which everything below a folder runs."""
    return max((checks.glibc_floor(_readelf("-VW", path).splitlines()) for path in all_in(root)), default=(0, 0))


def carry_libraries(wanted: Iterable[str], folder: Path) -> list[Path]:
    """Copy these of this computer's libraries, and what they need in turn, into a folder; gives the copies.

    What is in the folder already, and what belongs to every system, is left alone.

    Raises:
        BuildError: a library is not on this computer.
    """
    here = _libraries_here()
    copies: list[Path] = []
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        target = folder / name
        if SYSTEM.fullmatch(name) or target.exists():
            continue
        if name not in here:
            raise BuildError(f"{name} is needed and not on this computer.")
        shutil.copy(here[name].resolve(), target)
        target.chmod(0o755)
        copies.append(target)
        waiting.extend(needs(target).needed)
    return copies


def look_beside(shop: Workshop, file: Path, *folders: Path) -> None:
    """Let a program or library look for what it needs in these folders, wherever the whole is moved to.

    They are looked through before LD_LIBRARY_PATH: what another program set there does not reach it.
    """
    paths = [os.path.relpath(folder, file.parent) for folder in folders]
    origin = ":".join("$ORIGIN" if path == "." else f"$ORIGIN/{path}" for path in paths)
    shop.run(tools.program(shop, "patchelf"), "--force-rpath", "--set-rpath", origin, file)


def unresolved(root: Path, more: tuple[Path, ...] = ()) -> list[str]:
    """What a program or library below a folder needs that is neither there nor the system's: "a.so wants b.so".

    Args:
        more: folders whose libraries are there too.
    """
    files = [path for folder in (root, *more) for path in folder.rglob("*.so*")]
    there = {path.name for path in files}
    return [
        f"{path.relative_to(root)} wants {name}"
        for path in all_in(root)
        for name in needs(path).needed
        if name not in there and not SYSTEM.fullmatch(name)
    ]


def _libraries_here() -> dict[str, Path]:
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found: dict[str, Path] = {}
    for line in listed.splitlines():
        name, arrow, path = line.partition(" => ")
        if arrow and "x86-64" in name:
            found.setdefault(name.split()[0], Path(path))
    return found


def _readelf(option: str, file: Path) -> str:
    command = ["readelf", option, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
