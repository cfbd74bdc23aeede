"""Where a library comes from: the starter library, an address, or a folder that is there already."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.files import copy_folder, disk_errors, flush_folder
from lab_desktop.repository.program import COUNTED, Git
from lab_desktop.repository.transfer import MOST_SECONDS, Progress, checked_address, looked_through, transfer

BRANCH = "main"


@dataclass(frozen=True)
class Tree:
    """A taxonomy that was opened.

    Attributes:
        root: its folder.
        has_git: False: a folder without versions; everything in it counts as new.
        address: where updates come from, or "".
        community: the name of the community's version, or "" where there is none.
    """

    root: Path
    has_git: bool
    address: str = ""
    community: str = ""


def start(root: Path, starter: Path) -> Tree:
    """A new library at `root` from the folder `starter`, which counts as the community's version.

    Raises:
        LibraryError: there is something at `root` already, or git is not installed.
        StorageError: it could not be written.
    """
    with _building(root) as part:
        with disk_errors(root, "The library"):
            copy_folder(starter, part)
        git = Git(part)
        git("init", "--quiet", "--template=", f"--initial-branch={BRANCH}")
        git("config", "core.autocrlf", "false")
        git("add", "--all", "--force", ".")
        git("commit", "--quiet", "--no-verify", "--message=The library as it was given out", as_us=True)
        # A remote branch is what InstructLab's own commands compare with when nothing is said.
        git("update-ref", f"refs/remotes/origin/{BRANCH}", "HEAD")
    return open_tree(root)


def clone(url: str, root: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Tree:
    """A copy of the library at an address (https, ssh or file), at `root` when it is whole.

    Raises:
        LibraryError: the address is of another kind or cannot be reached, or what is there is no library, too large,
            or not safe.
        StorageError: it could not be written.
        Cancelled: nothing remains.
    """
    address = checked_address(url)
    with _building(root) as part:
        git = Git(part)
        options = ("--no-checkout", "--no-tags", "--single-branch", "--no-recurse-submodules", "--template=")
        kept = ("--config", "core.autocrlf=false")
        command = ("clone", "--progress", *options, *kept, "--", address, str(part))
        transfer(git, command, part, on_progress, is_cancelled)
        git = Git(part)
        commit = git.commit("HEAD")
        paths = looked_through(git, commit) if commit else []
        if not any(path.split("/")[0] in COUNTED for path in paths):
            raise LibraryError(
                "There is no library at this address: it has neither facts nor skills.",
                "Check the address; a library has folders named knowledge and compositional_skills.",
            )
        on_progress("Writing the lessons", 0.95)
        git("read-tree", "--reset", "-u", "HEAD")
        if is_cancelled():
            raise Cancelled
    on_progress("Done", 1.0)
    return open_tree(root)


def open_tree(root: Path) -> Tree:
    """The taxonomy in a folder, with or without git.

    Raises:
        LibraryError: there is none, or its settings would bring in those of others.
    """
    if not any((root / name).is_dir() and not (root / name).is_symlink() for name in COUNTED):
        raise LibraryError(
            f'"{root}" is not a library: it has neither facts nor skills.',
            "Choose a folder that has folders named knowledge and compositional_skills.",
        )
    if not os.path.lexists(root / ".git"):
        return Tree(root, has_git=False)
    git = Git(root)
    address = git("config", "--get", "remote.origin.url", may_fail=True).strip()
    return Tree(root, True, address, _community(git))


def _community(git: Git) -> str:
    """The name of the community's version, "origin/main" or as the library says; "" where there is none."""
    named = git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", may_fail=True).strip()
    for name in (named, f"origin/{BRANCH}", "origin/master"):
        if name and git.commit(f"refs/remotes/{name}"):
            return name
    return ""


@contextlib.contextmanager
def _building(root: Path) -> Iterator[Path]:
    """A new folder beside `root`, which becomes `root` when everything went well and is gone otherwise.

    Raises:
        LibraryError: there is something at `root`.
        StorageError: it could not be made.
    """
    if os.path.lexists(root) and not (root.is_dir() and not any(root.iterdir())):
        raise LibraryError(f'There is something at "{root}" already.', "Choose another folder.")
    with disk_errors(root, "The library"):
        root.parent.mkdir(parents=True, exist_ok=True)
        for old in root.parent.glob(f".{root.name}.*.part"):  # of one that was killed
            if abs(time.time() - old.stat().st_mtime) > MOST_SECONDS:  # also where the clock was ahead
                shutil.rmtree(old, ignore_errors=True)
        part = Path(tempfile.mkdtemp(dir=root.parent, prefix=f".{root.name}.", suffix=".part"))
    try:
        yield part
        with disk_errors(root, "The library"):
            part.chmod(0o755)
            part.replace(root)
            flush_folder(root.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
