"""What goes out by git: a hidden clone of each destination, without files; commits made in it; pushing.

The clone is bare: nothing of a foreign repository is ever written to the disk as a file, so its links, hooks, filters,
large-file pointers and submodules do nothing. Commits are made from bytes. A secret is handed to git by a pipe.

The clone has the whole history of one branch. Without the older versions, or without the contents, it would be smaller,
but then git fetches what is missing in the middle of reading or pushing, and a copy that is behind cannot be pushed to.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.errors import LabError, LibraryError
from lab_desktop.files import disk_errors, replacing
from lab_desktop.repository import committing
from lab_desktop.repository.committing import Signature
from lab_desktop.repository.compare import MOST_BYTES, MOST_FILES
from lab_desktop.repository.hidden import alone, building, is_clone, tidied
from lab_desktop.repository.program import Git, is_file
from lab_desktop.repository.sign_in import Credentials, machine_credentials, signed_in
from lab_desktop.repository.transfer import Progress, checked_address, transfer

__all__ = [
    "Credentials",
    "Outgoing",
    "Signature",
    "empty_outgoing",
    "machine_credentials",
    "open_bundle",
    "open_outgoing",
    "reopened",
]

MOST_BUNDLE_BYTES = 200_000_000
"""A larger bundle is not opened."""
MOST_READ_BYTES = 200_000_000
"""More is not read of one folder."""
_NEWEST = "refs/lab-desktop/newest"
_LIKELY = ("main", "master")
_ASK_S = 120.0
_LISTED_BYTES = 1_000_000
_DAMAGED = re.compile(
    r"bad object|corrupt|not a git repository|unable to read|loose object|cannot be accessed|missing (blob|tree|commit)"
    r"|did not send all necessary|unresolved deltas|invalid object|packfile|pack has",
    re.IGNORECASE,
)
# The other side of a folder runs here too, with the folder's own settings: none of them may start a program, nor fetch
# what the folder lacks from where it says.
_BY_ITSELF = "GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 git"
_UPLOAD_PACK = f"--upload-pack={_BY_ITSELF} upload-pack"
_RECEIVE_PACK = (
    f"--receive-pack={_BY_ITSELF} -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true -c core.fsmonitor=false"
    " -c receive.denyCurrentBranch=refuse -c receive.autogc=false -c gc.auto=0 receive-pack"
)


@dataclass(frozen=True)
class Outgoing:
    """The hidden clone of one remote.

    Attributes:
        folder: where it is; bare.
        address: of the remote.
        branch: its default branch ("" where the remote is empty).
        head: the newest commit of that branch ("" where the remote is empty).
    """

    folder: Path
    address: str
    branch: str
    head: str

    def read(self, commit: str, folder: str) -> dict[str, bytes]:
        """{path from the root, with slashes: content} of the files in a folder of a commit.

        Links, files above `compare.MOST_BYTES`, what is more than `compare.MOST_FILES` or `MOST_READ_BYTES` in all, and
        names that could not be sent are left out.

        Args:
            folder: with slashes; "": all of it.

        Raises:
            LibraryError: the commit is not known here.
        """
        if not committing.is_commit_name(commit):
            raise _unknown()
        git = self._git()
        start = f"{folder.strip('/')}/" if folder.strip("/") else ""
        wanted = ("ls-tree", "-r", "-l", "-z", "--full-tree", commit, *(["--", start] if start else []))
        listed = os.fsdecode(git.beginning(_LISTED_BYTES, *wanted)).split("\0")[:-1]
        blobs, total = {}, 0
        for line in listed[:MOST_FILES]:
            facts, _, path = line.partition("\t")
            mode, _, blob, size = facts.split()
            is_small = is_file(mode) and int(size) <= min(MOST_BYTES, MOST_READ_BYTES - total)
            if is_small and committing.is_sendable(path):
                blobs[path] = blob
                total += int(size)
        texts = git.blobs(blobs.values())
        return {path: texts[blob] for path, blob in blobs.items() if blob in texts}

    def commit(
        self,
        files: Mapping[str, bytes],
        message: str,
        signature: Signature,
        parents: Sequence[str],
        without: Sequence[str] = (),
    ) -> str:
        """Make a commit: the first parent's tree with these files, and without these. The same input, the same commit.

        Args:
            parents: the first's tree is what is changed; none: the first commit of an empty remote.
            without: paths that go, such as the old place of a lesson that moved; of a folder, all that is in it.

        Raises:
            LibraryError: a path is not inside the repository, or leads through one of its links.
            StorageError
        """
        with alone(self.folder):
            return committing.commit(self._git(), files, message, signature, parents, without)

    def is_in(self, commit: str, branch_head: str) -> bool:
        """True where a commit is part of another's history; False too where one of them is not known here."""
        if not (committing.is_commit_name(commit) and committing.is_commit_name(branch_head)):
            return False
        return self._git()("merge-base", commit, branch_head, may_fail=True).strip() == commit

    def remote_branch(self, address: str, branch: str, credentials: Credentials | None) -> str:
        """The commit that a branch of a remote is at; "" where there is none. Asks the network.

        Raises:
            LibraryError: it cannot be reached, or asks for a password that is not given.
        """
        place = f"refs/heads/{_checked_branch(branch)}"
        return _listed(self.folder, checked_address(address), credentials, lambda: False, place).get(place, "")

    def push(
        self,
        address: str,
        commit: str,
        branch: str,
        credentials: Credentials | None,
        on_progress: Progress,
        is_cancelled: Callable[[], bool],
        expects: str = "",
    ) -> None:
        """Make a branch of a remote be this commit, all or nothing. Where it is that already, nothing is sent.

        Args:
            expects: what the branch must be at now: "" for none (it is new); it is moved only from there.

        Raises:
            LibraryError: in words: no right to push, a protected branch, moved on meanwhile, refused by the remote's
                own rules (what it said is in details), a used-up quota, no connection.
            Cancelled: it is as it was, or pushed whole.
        """
        checked = checked_address(address)
        place = f"refs/heads/{_checked_branch(branch)}"
        if not committing.is_commit_name(commit):
            raise _unknown()
        # One branch is changed all or nothing by itself: --atomic would only keep out remotes that do not know it.
        options = ["--progress", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
        if _is_folder(checked):
            options.append(_RECEIVE_PACK)
        command = ("push", *options, f"--force-with-lease={place}:{expects}", "--", checked, f"{commit}:{place}")
        try:
            with signed_in(self.folder, checked, credentials) as git:
                transfer(git, command, self.folder, _named(on_progress, "Sending"), is_cancelled)
        except LabError:
            # Perhaps it did arrive: its answer was lost, or an earlier one came through.
            with contextlib.suppress(LabError):
                if _listed(self.folder, checked, credentials, is_cancelled, place).get(place) == commit:
                    on_progress("Sending", 1.0)
                    return
            raise
        on_progress("Sending", 1.0)

    def bundle(self, commit: str, base: str, branch: str, file: Path) -> None:
        """Write a git bundle with a branch at `commit`; what is in `base` is presupposed ("": nothing is).

        Raises:
            StorageError, LibraryError
        """
        place = f"refs/heads/{_checked_branch(branch)}"
        if not committing.is_commit_name(commit) or (base and not committing.is_commit_name(base)):
            raise _unknown()
        with alone(self.folder), replacing(file) as part:
            git = self._git()
            git("update-ref", place, commit)
            try:
                git("bundle", "create", "--quiet", str(part.absolute()), place, *([f"^{base}"] if base else []))
            finally:
                git("update-ref", "-d", place)

    def _git(self) -> Git:
        return Git(self.folder, is_bare=True)


def open_outgoing(
    folder: Path,
    address: str,
    credentials: Credentials | None,
    on_progress: Progress,
    is_cancelled: Callable[[], bool],
) -> Outgoing:
    """The hidden clone at `folder`, made or brought up to date. One process at a time works in it (a lock).

    Raises:
        LibraryError: the remote cannot be reached, is too large, or asks for a password that is not given.
        StorageError
        Cancelled: nothing is half there.
    """
    checked = checked_address(address)
    with alone(folder, is_cancelled):
        if not is_clone(folder):
            return _cloned(folder, checked, credentials, on_progress, is_cancelled)
        tidied(folder)
        try:
            return _fetched(folder, checked, credentials, on_progress, is_cancelled)
        except LibraryError as error:
            if not _DAMAGED.search(error.details):
                raise
        return _cloned(folder, checked, credentials, on_progress, is_cancelled)


def reopened(folder: Path, address: str) -> Outgoing | None:
    """The hidden clone at `folder` as it was brought up to date last, without the network; None: there is none."""
    if not is_clone(folder):
        return None
    git = Git(folder, is_bare=True)
    head = git.commit(_NEWEST)
    branch = git("symbolic-ref", "--quiet", "HEAD", may_fail=True).strip().removeprefix("refs/heads/")
    return Outgoing(folder, address, branch if head else "", head)


def empty_outgoing(folder: Path) -> Outgoing:
    """A repository of no remote at `folder`, made new; what was there goes: for commits that go into a bundle.

    Raises:
        StorageError
    """
    with alone(folder), building(folder):
        pass
    return Outgoing(folder, "", "", "")


def open_bundle(file: Path, folder: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Outgoing:
    """What is in a bundle, in a repository made new at `folder`: its one branch and that branch's commit.

    Nothing is written as a file; every object is checked before the repository is there.

    Raises:
        LibraryError: it is no whole bundle of one branch, is too large, or presupposes what only others have.
        StorageError
        Cancelled: nothing is half there.
    """
    with disk_errors(file, file.name):
        if file.stat().st_size > MOST_BUNDLE_BYTES:
            raise LibraryError(
                f'"{file.name}" has more than {MOST_BUNDLE_BYTES / 1e6:.0f} MB, so it was not opened.',
                "A lesson is much smaller: ask whoever sent it.",
            )
    source = str(file.absolute())
    with alone(folder, is_cancelled), building(folder) as part:
        git = Git(part, is_bare=True)
        try:
            listed = git.beginning(_LISTED_BYTES, "bundle", "list-heads", source).decode("utf-8", "replace")
            branch = listed.partition(" refs/heads/")[2].removesuffix("\n")
            if not _is_branch(branch):
                raise _broken(file, listed[:200])
            _fetch(git, source, f"refs/heads/{branch}", on_progress, is_cancelled)
            transfer(git, ("fsck", "--strict", "--no-dangling"), part, on_progress, is_cancelled)
        except LibraryError as error:
            if "prerequisite" in error.details:
                raise LibraryError(
                    f'"{file.name}" builds on a version that is not here.',
                    "Ask for one that is whole in itself.",
                    error.details,
                ) from error
            if not error.details:
                raise
            raise _broken(file, error.details) from error
        head = git.commit(_NEWEST)
        git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return Outgoing(folder, "", branch, head)


def _broken(file: Path, details: str) -> LibraryError:
    return LibraryError(
        f'"{file.name}" cannot be opened: it is not whole, or something else.', "Ask for it again.", details
    )


def _cloned(
    folder: Path,
    address: str,
    credentials: Credentials | None,
    on_progress: Progress,
    is_cancelled: Callable[[], bool],
) -> Outgoing:
    with building(folder) as part:
        found = _fetched(part, address, credentials, on_progress, is_cancelled)
    return Outgoing(folder, found.address, found.branch, found.head)


def _fetched(
    folder: Path,
    address: str,
    credentials: Credentials | None,
    on_progress: Progress,
    is_cancelled: Callable[[], bool],
) -> Outgoing:
    """The clone in a folder with the newest version of its remote."""
    places = [f"refs/heads/{name}" for name in _LIKELY]
    there = _listed(folder, address, credentials, is_cancelled, "HEAD", *places)
    place = there.get("ref", "") or next((place for place in places if place in there), "")
    branch = place.removeprefix("refs/heads/")
    if place not in there and "HEAD" not in there:
        return Outgoing(folder, address, "", "")
    if branch == place or not _is_branch(branch):
        raise LibraryError("What lies at this address has no main version.", "Ask whoever looks after it.")
    with signed_in(folder, address, credentials) as git:
        _fetch(git, address, place, _named(on_progress, "Fetching the newest version"), is_cancelled)
        git("symbolic-ref", "HEAD", place)
        head = git.commit(_NEWEST)
    return Outgoing(folder, address, branch, head)


def _fetch(git: Git, source: str, place: str, on_progress: Progress, is_cancelled: Callable[[], bool]) -> None:
    options = ["--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force"]
    if _is_folder(source):
        options.append(_UPLOAD_PACK)
    transfer(git, ("fetch", *options, "--", source, f"+{place}:{_NEWEST}"), git.root, on_progress, is_cancelled)


def _listed(
    folder: Path, address: str, credentials: Credentials | None, is_cancelled: Callable[[], bool], *names: str
) -> dict[str, str]:
    """{name: commit} of those names that a remote has; "ref": what its HEAD stands for."""
    with signed_in(folder, address, credentials) as git:
        options = ["--symref", *([_UPLOAD_PACK] if _is_folder(address) else [])]
        command = ("ls-remote", *options, "--", address, *names)
        said = transfer(git, command, folder, lambda what, share: None, is_cancelled, _ASK_S)
    found = {}
    for line in said.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            found["ref"] = value.removeprefix("ref: ")
        elif committing.is_commit_name(value) and name in names:
            found[name] = value
    return found


def _is_folder(address: str) -> bool:
    return address.startswith("file:")


def _named(on_progress: Progress, what: str) -> Progress:
    return lambda _, share: on_progress(what, share)


def _is_branch(name: str) -> bool:
    """True for what git takes as a branch's name (git-check-ref-format)."""
    if not name or re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$", name):
        return False
    return name[0] not in "-./" and name != "@" and name.isprintable()


def _checked_branch(name: str) -> str:
    """
    Raises:
        LibraryError: it is no branch's name.
    """
    if not _is_branch(name):
        raise LibraryError("What is sent cannot be called like this.", "Choose letters, digits, - and /.")
    return name


def _unknown() -> LibraryError:
    return LibraryError("This version is not known here.", "Try again.")
