"""The library's git: where it comes from, how it follows the community's version, and what differs from that.

The only module that runs git. A library may come from strangers: nothing in a clone or in its settings starts a
program, asks for a password, or leads out of its folder. Nothing here is committed in the person's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

COMMUNITY = "origin/main"
"""The community's version where the library itself does not say."""
EMPTY = "empty"
"""The base of which everything is new."""

Progress = Callable[[str, float], None]
"""What is being done, and how much of it: 0–1."""


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
    address: str
    community: str


@dataclass(frozen=True)
class Change:
    """A leaf that differs from the community's version.

    Attributes:
        path: its qna.yaml, relative to the library.
        kind: what is different: all of it, its content, or its place (and perhaps its content).
        before: the text it had, None for a new one.
        was: where it was, when it moved.
    """

    path: Path
    kind: Literal["new", "changed", "moved"]
    before: str | None
    was: Path | None = None


@dataclass(frozen=True)
class Changes:
    """Everything that differs from the community's version.

    Attributes:
        leaves: what counts for generation and as a contribution, sorted by path.
        deleted: qna.yaml files that the community has and the library has not; sorted.
        misnamed: files that mean to be a qna.yaml and do not have its name; nobody finds them.
    """

    leaves: tuple[Change, ...]
    deleted: tuple[Path, ...]
    misnamed: tuple[Path, ...]


@dataclass(frozen=True)
class Update:
    """What an update brought.

    Attributes:
        files: how many files are as the community has them now and were not before.
        leaves: folders of the leaves among them.
        kept: folders of leaves that both the person and the community changed: the person's version stays.
    """

    files: int
    leaves: tuple[Path, ...]
    kept: tuple[Path, ...]


def start(root: Path, starter: Path) -> Tree:
    """A new library at `root` from the folder `starter`, which counts as the community's version.

    Raises:
        LibraryError: there is something at `root` already, or git is not installed.
        StorageError: it could not be written.
    """
    raise NotImplementedError


def clone(url: str, root: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Tree:
    """A copy of the library at an address (https, ssh or file), at `root` when it is whole.

    Raises:
        LibraryError: the address is of another kind or cannot be reached, or what is there is no library, too large,
            or not safe.
        StorageError: it could not be written.
        Cancelled: nothing remains.
    """
    raise NotImplementedError


def open_tree(root: Path) -> Tree:
    """The taxonomy in a folder, with or without git.

    Raises:
        LibraryError: there is none, or its settings would start programs of others.
    """
    raise NotImplementedError


def update(root: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Update:
    """Fetch the community's newest version; what the person touched stays as it is.

    Raises:
        LibraryError: there is no address, it cannot be reached, or what it sends is not safe; nothing has changed.
        StorageError: it could not be written.
        Cancelled: nothing has changed.
    """
    raise NotImplementedError


def changes(root: Path, base: str | None = None) -> Changes:
    """The leaves that InstructLab would find as new or changed.

    Args:
        base: the version to compare with: a remote branch ("origin/main"), a local one, a commit, or "empty"; None: the
            community's version.

    Raises:
        LibraryError: there is no such version, or no git.
    """
    raise NotImplementedError
