"""The library's git: where it comes from, how it follows the community's version, and what differs from that.

The only module that runs git. A library may come from strangers: nothing in a clone or in its settings starts a
program, asks for a password, or leads out of its folder. What a person writes is never committed here; only the starter
library, and an update of a library that has commits of its own, make a commit.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from lab_desktop.errors import Cancelled, LibraryError, StorageError
from lab_desktop.files import disk_errors, flush_folder
from lab_desktop.taxonomy.tree import FILE_NAME, is_misnamed

EMPTY = "empty"
"""The base of which everything is new."""
MOST_BYTES = 500_000_000
"""A larger library is refused; the community's has a few dozen MB."""
MOST_FILES = 200_000
MOST_SECONDS = 1800
"""A transfer that takes longer is given up."""
COUNTED = ("compositional_skills", "knowledge")
"""The roots that InstructLab generates from and takes contributions for."""

_BRANCH = "main"
_INCOMING = "refs/lab-desktop/incoming"
_STALE_S = 60
_POLL_S = 0.1
_MOVED = "60%"
"""So much of a leaf is the same when it counts as moved; less is a new one."""
_LINK = "120000"
_NOTHING = "000000"
"""The mode of what is not there."""

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
    address: str = ""
    community: str = ""


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


def start(root: Path, starter: Path) -> Tree:
    """A new library at `root` from the folder `starter`, which counts as the community's version.

    Raises:
        LibraryError: there is something at `root` already, or git is not installed.
        StorageError: it could not be written.
    """
    with _building(root) as part:
        with disk_errors(root, "The library"):
            # Without the permissions: what ships with an app may be read-only.
            shutil.copytree(starter, part, copy_function=shutil.copyfile, dirs_exist_ok=True)
            for folder, _, _ in os.walk(part):
                Path(folder).chmod(0o755)
        git = _Git(part)
        git("init", "--quiet", "--template=", f"--initial-branch={_BRANCH}")
        git("config", "core.autocrlf", "false")
        git("add", "--all", "--force", ".")
        git("commit", "--quiet", "--no-verify", "--message=The library as it was given out", as_us=True)
        # A remote branch is what InstructLab's own commands compare with when nothing is said.
        git("update-ref", f"refs/remotes/origin/{_BRANCH}", "HEAD")
    return open_tree(root)


def clone(url: str, root: Path, on_progress: Progress, is_cancelled: Callable[[], bool]) -> Tree:
    """A copy of the library at an address (https, ssh or file), at `root` when it is whole.

    Raises:
        LibraryError: the address is of another kind or cannot be reached, or what is there is no library, too large,
            or not safe.
        StorageError: it could not be written.
        Cancelled: nothing remains.
    """
    address = _address(url)
    with _building(root) as part:
        git = _Git(part)
        options = ("--no-checkout", "--no-tags", "--single-branch", "--no-recurse-submodules", "--template=")
        kept = ("--config", "core.autocrlf=false")
        command = ("clone", "--progress", *options, *kept, "--", address, str(part))
        _transfer(git, command, part, on_progress, is_cancelled)
        git = _Git(part)
        commit = git.commit("HEAD")
        paths = _looked_through(git, commit) if commit else []
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
    git = _Git(root)
    address = git("config", "--get", "remote.origin.url", may_fail=True).strip()
    return Tree(root, True, address, _community(git))


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
    address = _address(tree.address)
    git = _Git(root)
    head = git.commit("HEAD")
    branch = tree.community.partition("/")[2] or _BRANCH
    packs = Path(git("rev-parse", "--git-path", "objects/pack").rstrip("\n"))
    command = ("fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
    refspec = f"refs/heads/{branch}:{_INCOMING}"
    _transfer(git, (*command, "--", address, refspec), root / packs, on_progress, is_cancelled)
    new = git.commit(_INCOMING)
    if not head or not new:
        raise LibraryError("This library has no version to update.", "Open it from its address again.")
    _looked_through(git, new)
    if is_cancelled():
        raise Cancelled
    on_progress("Bringing in what is new", 0.95)
    brought = _brought_in(git, head, new)
    git("update-ref", f"refs/remotes/origin/{branch}", new)
    git("update-ref", "-d", _INCOMING)
    on_progress("Done", 1.0)
    return brought


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
    git = _Git(root)
    commit = _base_commit(git, base)
    untracked = [path for path in git.names("ls-files", "--others", "--exclude-standard") if _is_counted(path)]
    leaves = [path for path in untracked if _is_leaf(path)]
    found = {path: Change(Path(path), "new") for path in leaves}
    old: dict[str, str] = {}  # path → blob before
    deleted = []
    misnamed = {path for path in untracked if is_misnamed(path.rpartition("/")[2])}
    for entry in _differences(git, commit, leaves):
        if entry.status == "D":
            deleted.append(entry.path)
            continue
        if _is_counted(entry.path) and is_misnamed(entry.path.rpartition("/")[2]):
            misnamed.add(entry.path)
        if not _is_leaf(entry.path):
            deleted += [entry.was] if entry.was else []
            continue
        path = Path(entry.path)
        if entry.was and _is_leaf(entry.was):
            found[entry.path] = Change(path, "moved", was=Path(entry.was))
        else:
            found[entry.path] = Change(path, "new" if entry.status in "AR" else "changed")
            deleted += [entry.was] if entry.was else []
        if found[entry.path].kind != "new":
            old[entry.path] = entry.blob
    # What git was told to forget and still lies there unchanged: new for git's list, not for a person.
    same = [path for path in leaves if found[path].kind == "new"]
    old |= {path: blob for path, (_, blob) in _entries(git, commit, same).items()}
    texts = git.blobs(old.values())
    for name, blob in old.items():
        change = found[name]
        kind: Literal["changed", "moved"] = "moved" if change.kind == "moved" else "changed"
        found[name] = Change(change.path, kind, texts.get(blob, b"").decode("utf-8", "replace"), change.was)
    return Changes(
        tuple(found[path] for path in sorted(found)),
        tuple(Path(path) for path in sorted(deleted) if _is_leaf(path) and path not in found),
        tuple(Path(path) for path in sorted(misnamed)),
    )


@dataclass(frozen=True)
class _Difference:
    """One line of a raw diff.

    Attributes:
        status: A, D, M, R, T or U.
        path: as it is now, or was when deleted.
        was: the path before a rename, else "".
        mode, blob: before; "000000" where there was nothing.
        new_mode, new_blob: after.
    """

    status: str
    path: str
    was: str
    mode: str
    blob: str
    new_mode: str
    new_blob: str


class _Git:
    """Git in one folder, with everything switched off that starts a program or asks a question."""

    def __init__(self, root: Path) -> None:
        # Taken along to every import of this module it would cost the window a tenth of a second.
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        import git

        self._git = git.Git(str(root))
        self.root = root
        self._settings = dict(_SETTINGS)
        if os.path.lexists(root / ".git"):
            self._settings |= self._harmless()

    def __call__(
        self, *command: str, given: bytes = b"", index: Path | None = None, may_fail: bool = False, as_us: bool = False
    ) -> str:
        """What git says; names of files as Python reads them from the disk."""
        return os.fsdecode(self.raw(*command, given=given, index=index, may_fail=may_fail, as_us=as_us))

    def raw(
        self, *command: str, given: bytes = b"", index: Path | None = None, may_fail: bool = False, as_us: bool = False
    ) -> bytes:
        """
        Args:
            given: standard input.
            index: work on this index file instead of the library's own.
            may_fail: a refusal is an empty answer.
            as_us: what is committed is committed by the program.

        Raises:
            LibraryError: git is not installed, or refused.
            StorageError: the disk is full.
        """
        env = self.environment(as_us)
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        with tempfile.TemporaryFile() as stream:
            stream.write(given)
            stream.seek(0)
            with _git_is_there():
                status, output, said = self._git.execute(
                    ["git", *command],
                    istream=stream,
                    with_extended_output=True,
                    with_exceptions=False,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    env=env,
                )
        if status and not may_fail:
            raise _failure(said)
        return b"" if status else bytes(output)

    def process(self, command: Iterable[str]) -> Any:
        """Git at work in a process group of its own; progress comes on standard error."""
        with _git_is_there():
            return self._git.execute(
                ["git", *command], as_process=True, with_stdout=False, env=self.environment(), start_new_session=True
            )

    def environment(self, as_us: bool = False) -> dict[str, str]:
        """What git finds in its environment."""
        env = dict(_ENVIRONMENT)
        env.setdefault("GIT_SSH_COMMAND", os.environ.get("GIT_SSH_COMMAND", _SSH))
        if os.path.lexists(self.root / ".git"):
            # Named, so that git takes no repository in a folder above instead.
            env |= {"GIT_DIR": str(self.root / ".git"), "GIT_WORK_TREE": str(self.root)}
        else:
            env["GIT_CEILING_DIRECTORIES"] = str(self.root.parent)
        for number, (key, value) in enumerate(self._settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        env["GIT_CONFIG_COUNT"] = str(len(self._settings))
        if as_us:
            for who in ("AUTHOR", "COMMITTER"):
                env |= {f"GIT_{who}_NAME": "LAB Desktop", f"GIT_{who}_EMAIL": "lab-desktop@localhost"}
        return env

    def names(self, *command: str, index: Path | None = None) -> list[str]:
        """The file names that a command lists with -z."""
        return [name for name in self(*command, "-z", index=index).split("\0") if name]

    def commit(self, name: str) -> str:
        """The commit that a ref or revision stands for, or ""."""
        wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self(*wanted, may_fail=True).strip()

    def blobs(self, names: Iterable[str]) -> dict[str, bytes]:
        """Contents of blobs by their names."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        answer = self.raw("cat-file", "--batch", given="".join(f"{name}\n" for name in wanted).encode())
        found = {}
        at = 0
        while at < len(answer):
            end = answer.index(b"\n", at)
            name, *rest = answer[at:end].decode().split(" ")
            size = int(rest[1]) if len(rest) == 2 else -1  # "NAME missing" has no content and no line end after it
            if size >= 0:
                found[name] = answer[end + 1 : end + 1 + size]
            at = end + 1 + (size + 1 if size >= 0 else 0)
        return found

    def _harmless(self) -> dict[str, str]:
        """Settings that take the place of those of this repository that would start a program."""
        listed = self("config", "--list", "--name-only", "--show-scope", "--no-includes", "-z").split("\0")
        replaced = {}
        for scope, key in zip(listed[::2], listed[1::2], strict=False):
            if scope not in ("local", "worktree"):
                continue
            if key.startswith(("include.", "includeif.")):
                raise LibraryError(
                    "The settings of this library bring in those of another file, so it was not opened.",
                    "Open it from its address again, or take the lines with include out of .git/config.",
                )
            if _STARTS_A_PROGRAM.fullmatch(key):
                replaced[key] = "git-upload-pack" if key.endswith(".uploadpack") else ""
        return replaced | _SETTINGS


_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.askPass": "",
    "core.quotePath": "false",
    "credential.helper": "",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    "protocol.file.allow": "always",
    "submodule.recurse": "false",
    "diff.ignoreSubmodules": "all",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.unpackLimit": "1",
    "http.lowSpeedLimit": "500",
    "http.lowSpeedTime": "30",
}
_STARTS_A_PROGRAM = re.compile(
    r"core\.(fsmonitor|hookspath|sshcommand|gitproxy|editor|pager|askpass|alternaterefscommand|attributesfile)"
    r"|(credential|filter|gpg|uploadpack|pager|trailer)\..*|diff\.(external|.*\.(command|textconv))|merge\..*\.driver"
    r"|remote\..*\.(uploadpack|receivepack|proxy|vcs)",
    re.IGNORECASE | re.DOTALL,
)
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=20"
_ENVIRONMENT: Mapping[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
}


def _community(git: _Git) -> str:
    """The name of the community's version, "origin/main" or as the library says; "" where there is none."""
    named = git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", may_fail=True).strip()
    for name in (named, f"origin/{_BRANCH}", "origin/master"):
        if name and git.commit(f"refs/remotes/{name}"):
            return name
    return ""


def _base_commit(git: _Git, base: str) -> str:
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


def _is_counted(path: str) -> bool:
    return path.split("/")[0] in COUNTED


def _is_leaf(path: str) -> bool:
    return _is_counted(path) and path.rpartition("/")[2] == FILE_NAME


def _differences(git: _Git, commit: str, untracked: list[str]) -> list[_Difference]:
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
                "add", "--intent-to-add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul",
                given=given, index=index,
            )  # fmt: skip
        return _raw(git("diff", *_RAW, f"--find-renames={_MOVED}", commit, "--", index=index))


_RAW = ("--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv")


def _raw(output: str) -> list[_Difference]:
    found = []
    fields = iter(output.split("\0"))
    for head in fields:
        if not head:
            continue
        mode, new_mode, blob, new_blob, status = head.removeprefix(":").split(" ")
        path = next(fields)
        was = ""
        if status[0] in "RC":
            was, path = path, next(fields)
        found.append(_Difference(status[0], path, was, mode, blob, new_mode, new_blob))
    return found


def _entries(git: _Git, commit: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """{path: (mode, blob)} for those of the paths that a commit has."""
    wanted = set(paths)
    if not wanted:
        return {}
    found = {}
    for line in git.names("ls-tree", "-r", "--full-tree", commit):
        facts, _, path = line.partition("\t")
        if path in wanted:
            mode, _, blob = facts.split(" ")
            found[path] = mode, blob
    return found


def _brought_in(git: _Git, head: str, new: str) -> Update:
    """Make the working tree what the commit `new` says, but for what the person touched."""
    base = git("merge-base", head, new, may_fail=True).strip()
    if not base:
        raise LibraryError("What lies at the address is another library.", "Open it beside this one instead.")
    if base == new:
        return Update()
    with tempfile.TemporaryDirectory() as folder:
        spare = Path(folder) / "index"
        target, commit, against = (new, new, set[str]()) if base == head else _merged(git, base, head, new, spare)
        wanted = {each.path: each for each in _raw(git("diff-tree", "-r", *_RAW, "--no-renames", head, target))}
        _free_stale_lock(git)
        git("update-index", "-q", "--refresh", may_fail=True)  # a file that only has a new date is not touched
        touched = _touched(git, head, wanted)
        contents = git.blobs(wanted[path].new_blob for path in touched if _is_file(wanted[path].new_mode))
        differs = {path for path in touched if not _is_like(git.root / path, wanted[path], contents)}
        git("read-tree", target, index=spare)
        _put_into_index(git, {path: (wanted[path].mode, wanted[path].blob) for path in touched}, spare)
        careful = git("write-tree", index=spare).strip()
        git("read-tree", "-m", "-u", head, careful)
        _put_into_index(git, {path: (wanted[path].new_mode, wanted[path].new_blob) for path in touched})
        git("update-ref", "HEAD", commit, head)
    arrived = [path for path in wanted if path not in touched]
    leaves = {str(PurePosixPath(path).parent) for path in arrived if _is_leaf(path) and _is_file(wanted[path].new_mode)}
    kept = {str(PurePosixPath(path).parent) for path in differs | against}
    return Update(len(arrived), tuple(map(Path, sorted(leaves))), tuple(map(Path, sorted(kept))))


def _merged(git: _Git, base: str, head: str, new: str, spare: Path) -> tuple[str, str, set[str]]:
    """(tree, commit, paths both changed) where the library has commits of its own: those stay as they are."""
    theirs = {each.path: each for each in _raw(git("diff-tree", "-r", *_RAW, "--no-renames", base, new))}
    ours = {each.path: each for each in _raw(git("diff-tree", "-r", *_RAW, "--no-renames", base, head))}
    same = {path for path in theirs.keys() & ours.keys() if theirs[path].new_blob == ours[path].new_blob}
    taken = {path: (each.new_mode, each.new_blob) for path, each in theirs.items() if path not in ours}
    git("read-tree", head, index=spare)
    _put_into_index(git, taken, spare)
    tree = git("write-tree", index=spare).strip()
    message = "The community's version, and what was changed here"
    # The community's version comes first: along first parents InstructLab looks for what was changed since.
    commit = git("commit-tree", tree, "-p", new, "-p", head, "-m", message, as_us=True).strip()
    return tree, commit, (theirs.keys() & ours.keys()) - same


def _touched(git: _Git, head: str, wanted: Mapping[str, _Difference]) -> set[str]:
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


def _is_like(file: Path, wanted: _Difference, contents: Mapping[str, bytes]) -> bool:
    """True when the disk has what is wanted already."""
    if not _is_file(wanted.new_mode):
        return wanted.status == "D" and not os.path.lexists(file)
    try:
        return not file.is_symlink() and file.read_bytes() == contents.get(wanted.new_blob)
    except OSError:
        return False


def _is_file(mode: str) -> bool:
    return mode.startswith("100")


def _put_into_index(git: _Git, entries: Mapping[str, tuple[str, str]], index: Path | None = None) -> None:
    """Set what the index says of some paths; one that is nothing goes out."""
    # What goes, goes first: a folder may come where a file was.
    lines = [
        f"{mode} {blob}\t{path}\0"
        for path, (mode, blob) in sorted(entries.items(), key=lambda entry: entry[1][0] != _NOTHING)
    ]
    if lines:
        git("update-index", "--replace", "-z", "--index-info", given=os.fsencode("".join(lines)), index=index)


def _free_stale_lock(git: _Git) -> None:
    """A git that was killed leaves its lock; one that is at work holds it for moments."""
    lock = git.root / git("rev-parse", "--git-path", "index.lock").rstrip("\n")
    with contextlib.suppress(OSError):
        if time.time() - lock.stat().st_mtime > _STALE_S:
            lock.unlink()


def _looked_through(git: _Git, commit: str) -> list[str]:
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
        raise _too_large()
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


def _too_large() -> LibraryError:
    return LibraryError(
        f"This library has more than {MOST_BYTES / 1e6:.0f} MB or {MOST_FILES:,} files, so it was not opened.",
        "Check the address: a library of lessons is much smaller.",
    )


def _address(url: str) -> str:
    """The address as git is given it.

    Raises:
        LibraryError: not https, ssh or file, or with a password in it.
    """
    address = url.strip()
    short = re.fullmatch(r"([A-Za-z0-9_.][\w.-]*)@([A-Za-z0-9][\w.-]*):(?!/)(\S+)", address)
    if short:
        address = f"ssh://{short[1]}@{short[2]}/{short[3]}"
    match = re.fullmatch(r"(https|ssh|file)://([^\s/]*)(/[^\s\x00-\x1f].*|/?)", address)
    if not match or any(ord(letter) < 32 for letter in address):
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
            if time.time() - old.stat().st_mtime > MOST_SECONDS:
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


def _transfer(
    git: _Git, command: Iterable[str], growing: Path, on_progress: Progress, is_cancelled: Callable[[], bool]
) -> None:
    """Run a git command that fetches; the folder `growing` is watched, so that it fills no disk.

    Raises:
        LibraryError: the address cannot be reached, or sends too much, or takes too long.
        Cancelled
    """
    before, began = _size(growing), time.monotonic()
    process = git.process(command)
    said: list[str] = []
    reader = threading.Thread(target=_read_progress, args=(process.stderr, said, on_progress), daemon=True)
    reader.start()
    ended = False
    try:
        checked = 0.0
        while process.poll() is None:
            if is_cancelled():
                raise Cancelled
            now = time.monotonic() - began
            if now > MOST_SECONDS:
                raise LibraryError(
                    f"The library was not whole after {MOST_SECONDS // 60} minutes, so it was given up.",
                    "Try again with a better connection.",
                )
            if now - checked > 10 * _POLL_S:
                checked = now
                if _size(growing) - before > MOST_BYTES:
                    raise _too_large()
            time.sleep(_POLL_S)
        ended = True
    finally:
        if not ended:
            _kill(process)
        reader.join(timeout=5)
        if not reader.is_alive():
            process.stderr.close()
    if process.poll() != 0:
        raise _failure("\n".join(said))


def _read_progress(stream: Any, said: list[str], on_progress: Progress) -> None:
    """What git writes: lines that end in a line end are kept, of the others the figure counts."""
    rest = b""
    while piece := stream.read1(4096):
        *lines, rest = re.split(rb"[\r\n]", rest + piece)
        for line in lines:
            text = line.decode("utf-8", "replace")
            share = re.match(r"(Receiving objects|Resolving deltas):\s+(\d+)%", text)
            if share:
                done = int(share[2]) / 100
                on_progress("Fetching the library", 0.8 * done if share[1].startswith("Rec") else 0.8 + 0.1 * done)
            elif text.strip():
                said[:] = [*said[-20:], text]


def _kill(process: Any) -> None:
    """End git and what it started; the folder it wrote to is removed by whoever made it."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
    process.proc.wait()


def _size(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(here) / name).stat(follow_symlinks=False).st_size
    return total


@contextlib.contextmanager
def _git_is_there() -> Iterator[None]:
    import git

    try:
        yield
    except git.exc.GitCommandNotFound as error:
        raise LibraryError(
            "Git is not installed, and the library is kept with it.",
            "Install git; on a Mac type in Terminal: xcode-select --install",
        ) from error


# What git says → what happened, what to do. The first that is found counts.
_SAID = (
    (
        "not resolve host|unable to connect|failed to connect|could not connect|network is unreachable|timed out|"
        "connection refused|connection reset|no route to host|operation too slow|could not resolve hostname|"
        "temporary failure|early eof|\\bssl\\b",
        "The library at this address cannot be reached.",
        "Check the connection to the internet and the address; everything else works without it.",
    ),
    (
        "authentication failed|could not read username|could not read password|permission denied|"
        "host key verification|terminal prompts disabled|error: 403",
        "The address asks for a password or a key, and none is given from here.",
        "Use an address that everybody may read.",
    ),
    (
        "not found|does not exist|does not appear to be a git|couldn't find remote ref|no such file",
        "There is no library at this address.",
        "Check its spelling.",
    ),
    ("not allowed", "Addresses of this kind are not used.", "An address begins with https://, ssh:// or file://."),
    (
        "index.lock",
        "Another program is working with this library.",
        "Wait a minute, then try again.",
    ),
)


def _failure(said: str) -> LibraryError | StorageError:
    """What git refused, in words."""
    if "no space left" in said.lower():
        return StorageError(
            "The disk is full. Everything finished before is safe.", "Free some space, then try again.", said
        )
    for fragments, message, hint in _SAID:
        if re.search(fragments, said, re.IGNORECASE):
            return LibraryError(message, hint, said)
    return LibraryError("Git could not do this with the library; nothing was lost.", "Try again.", said)
