"""Where a build takes place: its folders, how it runs programs, and how it says what it does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "LAB Desktop"
TAIL = 3000
"""Characters of a failed program's words that are shown."""


class BuildError(Exception):
    """What happened and what to do, in sentences; shown as written."""


@dataclass(frozen=True)
class Workshop:
    """Attributes:
    out: where the app and its archive go.
    cache: what is worth keeping between builds: wheels, tools, downloads.
    packages: the site-packages folder that holds what the lock names.
    is_dry: say what would be done, and do nothing.
    """

    out: Path
    cache: Path
    packages: Path
    is_dry: bool = False

    @property
    def making(self) -> Path:
        """The app while it is made; it gets its own name when it is whole."""
        return self.out / f".{NAME}.part"

    @property
    def app(self) -> Path:
        """The app that is whole."""
        return self.out / NAME

    def say(self, text: str) -> None:
        """One line about what goes on."""
        print(text, flush=True)

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run a program to its end; gives its standard output.

        Args:
            env: variables beside those of this process.

        Raises:
            BuildError: it cannot be started, or ends with another status than 0.
        """
        words = [str(word) for word in command]
        if self.is_dry:
            variables = [f"{key}={shlex.quote(value)}" for key, value in (env or {}).items()]
            print("  $", *variables, shlex.join(words), flush=True)
            return ""
        try:
            done = subprocess.run(
                words, env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                encoding="utf-8", errors="replace", check=False,
            )  # fmt: skip
        except OSError as error:
            raise BuildError(f"{words[0]} cannot be started: {error.strerror}.") from error
        if done.returncode:
            said = (done.stdout + done.stderr)[-TAIL:]
            raise BuildError(f"{shlex.join(words)[:300]} ended with {done.returncode}:\n{said}")
        return done.stdout


def user_cache() -> Path:
    """The person's folder for what can be made again."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lab-desktop-build"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lab-desktop-build"


def own_packages() -> Path:
    """The site-packages folder of the Python that runs this."""
    return Path(sysconfig.get_path("platlib"))


def version() -> str:
    """Of the program, as its package says."""
    text = (ROOT / "lab_desktop" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found
    return found[1]


def fresh(folder: Path) -> Path:
    """An empty folder of this name, whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
