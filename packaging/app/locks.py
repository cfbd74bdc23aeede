"""The two locks: exact packages (requirements.lock), and the Python that a build downloads (engine.lock)."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from app.workshop import BuildError

_MARKER = re.compile(r'(sys_platform|python_version)\s*(==|<)\s*"([^"]+)"')


@dataclass(frozen=True)
class Archive:
    """A relocatable Python to download.

    Attributes:
        sha256: its check number, in hex.
        version: of the Python in it, "3.12.11".
    """

    url: str
    sha256: str
    version: str


def requirements(lock: Path) -> dict[str, str]:
    """The packages of a lock that this system needs: version by name.

    Raises:
        BuildError: a line is no `name==version`, or has a condition that is not known here.
    """
    wanted = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        requirement, _, condition = (part.strip() for part in line.split("#")[0].partition(";"))
        if requirement and _holds(condition, lock):
            name, equals, version = requirement.partition("==")
            if not equals:
                raise BuildError(f'{lock.name}: "{line}" names no exact version.')
            wanted[name] = version
    return wanted


def engine_archive(lock: Path, system: str = "") -> Archive:
    """The Python that a lock names for a system.

    Args:
        lock: a TOML file with a table for each system: url, sha256, version.
        system: "macos-arm64"; without one, this system's.

    Raises:
        BuildError: there is none for this system, or its check number is missing.
    """
    system = system or f"{'macos' if sys.platform == 'darwin' else sys.platform}-{platform.machine()}"
    try:
        entry = tomllib.loads(lock.read_text(encoding="utf-8")).get(system)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{lock.name} cannot be read: {error}") from error
    if not entry:
        raise BuildError(f"{lock.name} names no Python for {system}.")
    if not re.fullmatch(r"[0-9a-f]{64}", entry.get("sha256", "")):
        raise BuildError(
            f"{lock.name} has no check number (SHA-256) for {system}: nothing is built from what nobody checked."
        )
    return Archive(entry["url"], entry["sha256"], entry["version"])


def verified(file: Path, sha256: str) -> Path:
    """The file, if it has this check number.

    Raises:
        BuildError: it has another, or cannot be read.
    """
    try:
        with open(file, "rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BuildError(f"{file} cannot be read: {error.strerror}.") from error
    if found != sha256:
        raise BuildError(f"{file.name} is not what the lock names: its SHA-256 is {found}, wanted is {sha256}.")
    return file


def _holds(condition: str, lock: Path) -> bool:
    if not condition:
        return True
    match = _MARKER.fullmatch(condition)
    if match is None:
        raise BuildError(f'{lock.name}: the condition "{condition}" is not understood.')
    name, comparison, value = match.groups()
    if name == "sys_platform":
        return (sys.platform == value) == (comparison == "==")
    here = sys.version_info[:2]
    wanted = tuple(int(part) for part in value.split("."))
    return here < wanted if comparison == "<" else here == wanted
