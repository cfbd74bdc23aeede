"""Updates: the working tree follows the community's version, and what a person touched stays as it is."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab_desktop.errors import Cancelled, LibraryError
from lab_desktop.repository.origin import BRANCH, open_tree
from lab_desktop.repository.program import RAW, Difference, Git, is_file, is_leaf, put_into_index, raw_differences
from lab_desktop.repository.transfer import Progress, checked_address, looked_through, transfer

_INCOMING = "refs/lab-desktop/incoming"
_STALE_S = 60


@dataclass(frozen=True)
class Update:
    """What an update brought.

    Attributes:
        files: how many files are as the community has them now and were not before.
        leaves: folders of the leaves among them.
        kept: folders where both the person and the community changed a file: the person's version stays.
    """

    files: int = 0
    leaves: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()


def update(root: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Update:
    """Fetch the community's newest version; what the person touched stays as it is.

    Raises:
        LibraryError: there is no address, it cannot be reached, or what it sends is not safe; nothing has changed.
        StorageError: it could not be written.
        Cancelled: nothing has changed.
    """
    tree = open_tree(root)
    if not tree.address:
        raise LibraryError(
            "This library has no address to get updates from.", "Open a library from an address to follow it."
        )
    address = checked_address(tree.address)
    git = Git(root)
    head = git.commit("HEAD")
    branch = tree.community.partition("/")[2] or BRANCH
    packs = Path(git("rev-parse", "--git-path", "objects/pack").rstrip("\n"))
    command = ("fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
    refspec = f"refs/heads/{branch}:{_INCOMING}"
    transfer(git, (*command, "--", address, refspec), root / packs, on_progress, is_cancelled)
    new = git.commit(_INCOMING)
    if not head or not new:
        raise LibraryError("This library has no version to update.", "Open it from its address again.")
    looked_through(git, new)
    if is_cancelled():
        raise Cancelled
    on_progress("Bringing in what is new", 0.95)
    brought = _brought_in(git, head, new)
    git("update-ref", f"refs/remotes/origin/{branch}", new)
    git("update-ref", "-d", _INCOMING)
    on_progress("Done", 1.0)
    return brought


def _brought_in(git: Git, head: str, new: str) -> Update:
    """Make the working tree what the commit `new` says, but for what the person touched."""
    base = git("merge-base", head, new, may_fail=True).strip()
    if not base:
        raise LibraryError("What lies at the address is another library.", "Open it beside this one instead.")
    if base == new:
        return Update()
    with tempfile.TemporaryDirectory() as folder:
        spare = Path(folder) / "index"
        target, commit, against = (new, new, set[str]()) if base == head else _merged(git, base, head, new, spare)
        wanted = {
            each.path: each for each in raw_differences(git("diff-tree", "-r", *RAW, "--no-renames", head, target))
        }
        _free_stale_lock(git)
        git("update-index", "-q", "--refresh", may_fail=True)  # a file that only has a new date is not touched
        touched = _touched(git, head, wanted)
        contents = git.blobs(wanted[path].new_blob for path in touched if is_file(wanted[path].new_mode))
        differs = {path for path in touched if not _is_like(git.root / path, wanted[path], contents)}
        git("read-tree", target, index=spare)
        put_into_index(git, {path: (wanted[path].mode, wanted[path].blob) for path in touched}, spare)
        careful = git("write-tree", index=spare).strip()
        git("read-tree", "-m", "-u", head, careful)
        put_into_index(git, {path: (wanted[path].new_mode, wanted[path].new_blob) for path in touched})
        git("update-ref", "HEAD", commit, head)
    arrived = [path for path in wanted if path not in touched]
    leaves = {str(PurePosixPath(path).parent) for path in arrived if is_leaf(path) and is_file(wanted[path].new_mode)}
    kept = {str(PurePosixPath(path).parent) for path in differs | against}
    return Update(len(arrived), tuple(map(Path, sorted(leaves))), tuple(map(Path, sorted(kept))))


def _merged(git: Git, base: str, head: str, new: str, spare: Path) -> tuple[str, str, set[str]]:
    """(tree, commit, paths both changed) where the library has commits of its own: those stay as they are."""
    theirs = {each.path: each for each in raw_differences(git("diff-tree", "-r", *RAW, "--no-renames", base, new))}
    ours = {each.path: each for each in raw_differences(git("diff-tree", "-r", *RAW, "--no-renames", base, head))}
    same = {path for path in theirs.keys() & ours.keys() if theirs[path].new_blob == ours[path].new_blob}
    taken = {path: (each.new_mode, each.new_blob) for path, each in theirs.items() if path not in ours}
    git("read-tree", head, index=spare)
    put_into_index(git, taken, spare)
    tree = git("write-tree", index=spare).strip()
    message = "The community's version, and what was changed here"
    # The community's version comes first: along first parents InstructLab looks for what was changed since.
    commit = git("commit-tree", tree, "-p", new, "-p", head, "-m", message, as_us=True).strip()
    return tree, commit, (theirs.keys() & ours.keys()) - same


def _touched(git: Git, head: str, wanted: Mapping[str, Difference]) -> set[str]:
    """Those of the wanted paths where the disk or the index is not as the commit `head` has it."""
    touched = set(git.names("diff", "--name-only", "--no-ext-diff", "--no-renames", head))
    touched |= set(git.names("diff", "--cached", "--name-only", "--no-ext-diff", "--no-renames", head))
    goes = {path for path, each in wanted.items() if each.status == "D" and path not in touched}
    found = set()
    for path, each in wanted.items():
        if path in touched or (each.status == "A" and _is_in_the_way(git.root, path, goes)):
            found.add(path)
    return found


def _is_in_the_way(root: Path, path: str, goes: set[str]) -> bool:
    """True when there is something at `path`, or a file where it needs a folder, that will not go by itself."""
    for parent in PurePosixPath(path).parents[:-1]:
        real = root / parent
        if real.is_symlink() or real.is_file():
            return str(parent) not in goes
    place = root / path
    if place.is_dir() and not place.is_symlink():
        inside = (Path(folder, name).relative_to(root) for folder, _, names in os.walk(place) for name in names)
        return any(file.as_posix() not in goes for file in inside)
    return os.path.lexists(place)


def _is_like(file: Path, wanted: Difference, contents: Mapping[str, bytes]) -> bool:
    """True when the disk has what is wanted already."""
    if not is_file(wanted.new_mode):
        return wanted.status == "D" and not os.path.lexists(file)
    try:
        return not file.is_symlink() and file.read_bytes() == contents.get(wanted.new_blob)
    except OSError:
        return False


def _free_stale_lock(git: Git) -> None:
    """A git that was killed leaves its lock; one that is at work holds it for moments."""
    lock = git.root / git("rev-parse", "--git-path", "index.lock").rstrip("\n")
    with contextlib.suppress(OSError):
        if abs(time.time() - lock.stat().st_mtime) > _STALE_S:  # also where the clock was ahead when it was made
            lock.unlink()
