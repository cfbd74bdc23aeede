"""What differs from the community's version: exactly the leaves that InstructLab's own commands find, and why."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_desktop.errors import LibraryError
from lab_desktop.repository.origin import open_tree
from lab_desktop.repository.program import (
    COUNTED,
    RAW,
    Difference,
    Git,
    entries,
    is_counted,
    is_file,
    is_leaf,
    raw_differences,
)
from lab_desktop.taxonomy.tree import FILE_NAME, is_misnamed

EMPTY = "empty"
"""The base of which everything is new."""
MOST_FILES = 200
MOST_BYTES = 20_000_000
_MOVED = "60%"
"""So much of a leaf is the same when it counts as moved; less is a new one."""


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
    before: str | None = None
    was: Path | None = None


@dataclass(frozen=True)
class Changes:
    """Everything that differs from the community's version.

    Attributes:
        leaves: what counts for generation and as a contribution, sorted by path.
        deleted: qna.yaml files that the community has and the library has not; sorted.
        misnamed: files that mean to be a qna.yaml and do not have its name; InstructLab does not find them.
    """

    leaves: tuple[Change, ...]
    deleted: tuple[Path, ...]
    misnamed: tuple[Path, ...]


def changes(root: Path, base: str | None = None) -> Changes:
    """The leaves that InstructLab would find as new or changed.

    Args:
        base: the version to compare with: a remote branch ("origin/main"), a local one, a commit, or "empty"; None: the
            community's version.

    Raises:
        LibraryError: there is no such version, or no git.
    """
    tree = open_tree(root)
    if base is None:
        base = tree.community or EMPTY
    if base == EMPTY:
        return _everything(root)
    if not tree.has_git:
        raise LibraryError(f'"{root}" has no versions, so there is no "{base}".', f'Compare with "{EMPTY}".')
    git = Git(root)
    commit = _base_commit(git, base)
    untracked = [path for path in git.names("ls-files", "--others", "--exclude-standard") if is_counted(path)]
    leaves = [path for path in untracked if is_leaf(path)]
    found = {path: Change(Path(path), "new") for path in leaves}
    old: dict[str, str] = {}  # path → blob before
    deleted = []
    misnamed = {path for path in untracked if is_misnamed(path.rpartition("/")[2])}
    for entry in _differences(git, commit, leaves):
        if entry.status == "D":
            deleted.append(entry.path)
            continue
        if is_counted(entry.path) and is_misnamed(entry.path.rpartition("/")[2]):
            misnamed.add(entry.path)
        if not is_leaf(entry.path):
            deleted += [entry.was] if entry.was else []
            continue
        path = Path(entry.path)
        if entry.was and is_leaf(entry.was):
            found[entry.path] = Change(path, "moved", was=Path(entry.was))
        else:
            found[entry.path] = Change(path, "new" if entry.status in "AR" else "changed")
            deleted += [entry.was] if entry.was else []
        if found[entry.path].kind != "new":
            old[entry.path] = entry.blob
    # What git was told to forget and still lies there unchanged: new for git's list, not for a person.
    same = [path for path in leaves if found[path].kind == "new"]
    old |= {path: blob for path, (_, blob) in entries(git, commit, same).items()}
    texts = git.blobs(old.values())
    for name, blob in old.items():
        change = found[name]
        kind: Literal["changed", "moved"] = "moved" if change.kind == "moved" else "changed"
        found[name] = Change(change.path, kind, texts.get(blob, b"").decode("utf-8", "replace"), change.was)
    return Changes(
        tuple(found[path] for path in sorted(found)),
        tuple(Path(path) for path in sorted(deleted) if is_leaf(path) and path not in found),
        tuple(Path(path) for path in sorted(misnamed)),
    )


def files_before(root: Path, folder: Path) -> dict[str, bytes]:
    """What lay in a folder of the library in the community's version: {path below the folder, with slashes: content}.

    Links, files of more than `MOST_BYTES` and whatever is more than `MOST_FILES` are left out.

    Raises:
        LibraryError: there is no community's version, or no git.
    """
    base = open_tree(root).community
    if not base:
        raise LibraryError("This library has no earlier version to look at.", "Open a library from an address.")
    git = Git(root)
    start = f"{folder.as_posix()}/"
    listed = git("ls-tree", "-r", "-l", "-z", "--full-tree", _base_commit(git, base), "--", start)
    blobs = {}
    for line in listed.split("\0")[:MOST_FILES]:
        facts, _, path = line.partition("\t")
        if not path.startswith(start):
            continue
        mode, _, blob, size = facts.split()
        if is_file(mode) and int(size) <= MOST_BYTES:
            blobs[path[len(start) :]] = blob
    texts = git.blobs(blobs.values())
    return {name: texts[blob] for name, blob in blobs.items() if blob in texts}


def _base_commit(git: Git, base: str) -> str:
    """The commit to compare with: of a branch, the nearest ancestor of HEAD by first parents that it contains."""
    missing = LibraryError(
        f'There is no version "{base}" that this library comes from.',
        'Name a branch such as "origin/main", or "empty".',
    )
    ref = f"refs/remotes/{base}" if "/" in base else f"refs/heads/{base}"
    if not git("show-ref", "--verify", "--hash", ref, may_fail=True):
        if "/" in base or not (commit := git.commit(base)):
            raise missing
        return commit
    head = git.commit("HEAD")
    if not head:
        raise missing
    own = git("rev-list", "--first-parent", head, "--not", ref).split()
    nearest = git.commit(f"{own[-1]}^1") if own else head
    if not nearest:
        raise missing
    return nearest


def _everything(root: Path) -> Changes:
    leaves, misnamed = [], []
    for name in COUNTED:
        for folder, _, files in os.walk(root / name):
            here = Path(folder).relative_to(root)
            leaves += [Change(here / file, "new") for file in files if file == FILE_NAME]
            misnamed += [here / file for file in files if is_misnamed(file)]
    return Changes(tuple(sorted(leaves, key=lambda change: change.path.as_posix())), (), tuple(sorted(misnamed)))


def _differences(git: Git, commit: str, untracked: list[str]) -> list[Difference]:
    """What is different in the working tree, with renames; files that git does not know yet may be their target."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        own = git.root / git("rev-parse", "--git-path", "index").rstrip("\n")
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(own, index)
        names = "\0".join(untracked)
        given = os.fsencode(names)
        if untracked:
            git(
                "add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul",
                given=given, index=index,
            )  # fmt: skip
        return raw_differences(git("diff", *RAW, f"--find-renames={_MOVED}", commit, "--", index=index))
