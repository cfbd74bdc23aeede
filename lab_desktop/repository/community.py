"""Which lessons the community's version has just as they are here, and since when."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from lab_desktop.errors import LabError
from lab_desktop.repository.origin import open_tree
from lab_desktop.repository.program import Git, entries
from lab_desktop.taxonomy.tree import FILE_NAME


def held(root: Path, folders: Iterable[Path]) -> frozenset[Path]:
    """Those of the leaf folders whose qna.yaml the community's version has, byte by byte, at the same place.

    Two runs of git, however many there are; none where there is nothing to ask.

    Args:
        folders: relative to the library.
    """
    files = {(folder / FILE_NAME).as_posix(): folder for folder in folders}
    there = [name for name in files if (root / name).is_file() and not (root / name).is_symlink()]
    with contextlib.suppress(LabError):
        if there and (found := _community(root)) is not None:
            git, commit = found
            theirs = {name: blob for name, (_, blob) in entries(git, commit, there).items()}
            asked = [name for name in there if name in theirs and "\n" not in name]
            given = "".join(f"{name}\n" for name in asked).encode("utf-8", "surrogateescape")
            ours = git("hash-object", "--no-filters", "--stdin-paths", given=given).split()
            return frozenset(files[name] for name, blob in zip(asked, ours, strict=True) if theirs[name] == blob)
    return frozenset()


def held_since(root: Path, folder: Path) -> float | None:
    """When the community's version got the leaf in a folder as it is now, in seconds since 1970; None: not known."""
    with contextlib.suppress(LabError, ValueError):
        if (found := _community(root)) is not None:
            git, commit = found
            return float(git("log", "-1", "--format=%ct", commit, "--", (folder / FILE_NAME).as_posix()))
    return None


def _community(root: Path) -> tuple[Git, str] | None:
    if not (name := open_tree(root).community):
        return None
    git = Git(root)
    return git, git.commit(f"refs/remotes/{name}")
