"""Git as a program: run with everything switched off that starts another program, asks a question, or looks elsewhere.

The only module that imports git. A library may come from strangers, and so may its settings: those that would start
something are replaced, those that bring in others are refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lab_desktop.errors import LibraryError, StorageError, Unreached
from lab_desktop.files import disk_errors
from lab_desktop.taxonomy.tree import FILE_NAME

COUNTED = ("compositional_skills", "knowledge")
"""The roots that InstructLab generates from and takes contributions for."""
_STARTS_A_PROGRAM = re.compile(
    r"core\.(fsmonitor|hookspath|sshcommand|gitproxy|editor|pager|askpass|alternaterefscommand|attributesfile)"
    r"|(credential|filter|gpg|uploadpack|pager|trailer)\..*|diff\.(external|.*\.(command|textconv))|merge\..*\.driver"
    r"|remote\..*\.(uploadpack|receivepack|proxy|vcs)",
    re.IGNORECASE | re.DOTALL,
)
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
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=20"
_ENVIRONMENT: Mapping[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GCM_INTERACTIVE": "never",
    "GIT_TRACE_REDACT": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
}
MOST_MEMORY = 600_000_000
"""What git may take in one piece, in bytes: an object that says it is larger is refused, and not made room for."""
_MOST_SAID = 100_000
NOTHING = "000000"
"""The mode of what is not there."""
RAW = ("--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv")


class Git:
    """Git in one folder, with everything switched off that starts a program or asks a question."""

    def __init__(
        self,
        root: Path,
        is_bare: bool = False,
        settings: Mapping[str, str] | None = None,
        inherited: Iterable[int] = (),
        with_helpers: bool = False,
    ) -> None:
        """
        Args:
            is_bare: the folder is a repository of our own without files; its settings are ours.
            settings: more of them, for this use.
            inherited: file descriptors that git and what it starts find open.
            with_helpers: the person's own credential helpers are asked.

        Raises:
            LibraryError: the settings in the folder bring in others.
        """
        # Taken along to every import of this module it would cost the window a tenth of a second.
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        import git

        self._git = git.Git(str(root))
        self.root = root
        self._is_bare = is_bare
        self._inherited = tuple(inherited)
        self._settings = dict(_SETTINGS)
        if not is_bare and os.path.lexists(root / ".git"):
            self._settings |= self._harmless()
        if with_helpers:
            del self._settings["credential.helper"]
        self._settings |= settings or {}

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
        with file_of(given) as stream, _git_is_there():
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
            raise failure(said)
        return b"" if status else bytes(output)

    def process(self, command: Iterable[str], with_output: bool = False, given: BinaryIO | None = None) -> Any:
        """Git at work in a process group of its own; progress comes on standard error."""
        with _git_is_there():
            return self._git.execute(
                ["git", *command],
                istream=given,
                as_process=True,
                with_stdout=with_output,
                env=self.environment(),
                start_new_session=True,
                pass_fds=self._inherited,
            )

    def beginning(self, most_bytes: int, *command: str) -> bytes:
        """What git says, at most so much of it: for commands whose answer a stranger makes as long as they like.

        Raises:
            LibraryError: git refused, or is not installed.
        """
        process = self.process(command, with_output=True)
        try:
            answer = bytes(process.stdout.read(most_bytes))
            if len(answer) < most_bytes and process.proc.wait():
                raise failure(process.stderr.read(_MOST_SAID).decode("utf-8", "replace"))
        finally:
            end(process)
            process.stdout.close()
            process.stderr.close()
        return answer

    def environment(self, as_us: bool = False) -> dict[str, str]:
        """What git finds in its environment."""
        env = dict(_ENVIRONMENT)
        env.setdefault("GIT_SSH_COMMAND", os.environ.get("GIT_SSH_COMMAND", _SSH))
        if self._is_bare:
            env |= {"GIT_DIR": str(self.root), "GIT_NO_REPLACE_OBJECTS": "1", "GIT_ALLOC_LIMIT": str(MOST_MEMORY)}
            env |= {"GIT_DEFAULT_HASH": "sha1", "GIT_DEFAULT_REF_FORMAT": "files"}
        elif os.path.lexists(self.root / ".git"):
            # Named, so that git takes no repository in a folder above instead.
            env |= {"GIT_DIR": str(self.root / ".git"), "GIT_WORK_TREE": str(self.root)}
        else:
            env["GIT_CEILING_DIRECTORIES"] = str(self.root.parent)
        if self._settings.get("protocol.http.allow") == "always":
            env["GIT_ALLOW_PROTOCOL"] += ":http"
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


@dataclass(frozen=True)
class Difference:
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


def raw_differences(output: str) -> list[Difference]:
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
        found.append(Difference(status[0], path, was, mode, blob, new_mode, new_blob))
    return found


def entries(git: Git, commit: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
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


def put_into_index(git: Git, entries: Mapping[str, tuple[str, str]], index: Path | None = None) -> None:
    """Set what the index says of some paths; one that is nothing goes out."""
    # What goes, goes first: a folder may come where a file was.
    lines = [
        f"{mode} {blob}\t{path}\0"
        for path, (mode, blob) in sorted(entries.items(), key=lambda entry: entry[1][0] != NOTHING)
    ]
    if lines:
        git("update-index", "--replace", "-z", "--index-info", given=os.fsencode("".join(lines)), index=index)


@contextlib.contextmanager
def file_of(given: bytes) -> Iterator[BinaryIO]:
    """A file without a name, for git's standard input.

    Raises:
        StorageError: there is no room for it.
    """
    with contextlib.ExitStack() as opened:
        # Only an error knows the folder: to look for it writes too.
        with disk_errors(Path(tempfile.tempdir or os.sep), "What git is given"):
            stream = opened.enter_context(tempfile.TemporaryFile())
            stream.write(given)
            stream.seek(0)
        yield stream


def is_counted(path: str) -> bool:
    return path.split("/")[0] in COUNTED


def is_leaf(path: str) -> bool:
    return is_counted(path) and path.rpartition("/")[2] == FILE_NAME


def is_file(mode: str) -> bool:
    return mode.startswith("100")


def end(process: Any) -> None:
    """End git and what it started, if it is still at work."""
    if process.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
    process.proc.wait()


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


_UNREACHED = "The library at this address cannot be reached."
# What git says → what happened, what to do. The first that is found counts.
_SAID = (
    (
        "protected branch|\\bGH006\\b|checked out branch|denyCurrentBranch|allowed to (force )?push (code )?to",
        "The main version there is protected, so it was not changed.",
        "Send to a copy of your own, or ask whoever looks after it for the right.",
    ),
    (
        "\\bGH007\\b|private email address",
        "The host keeps your e-mail address private and does not take a contribution that shows it.",
        "Choose the host's no-reply address as the author's.",
    ),
    (
        "without `?workflow`? scope",
        "The copy there is older than the original, and the sign-in may not bring its automatic checks up to date.",
        "Bring your copy up to date on its page, then send again.",
    ),
    (
        "error: 413|\\bGH001\\b|file size limit|too large|maximum (allowed )?size|over limit",
        "A file is larger than the host takes.",
        "Take a shorter document, or parts of it.",
    ),
    (
        "error: (429|507)|quota|storage limit|rate limit|too many requests",
        "The host takes no more for now: what it allows is used up.",
        "Try again later, or free some space there.",
    ),
    (
        "stale info|non-fast-forward|fetch first|reference already exists|cannot lock ref|failed to update ref|"
        "incorrect old value",
        "Somebody changed this at the destination meanwhile, so it was left as it is.",
        "Send again: the newest version is looked at first.",
    ),
    (
        "unpacker error|unpack failed",
        "The host could not store what was sent.",
        "Try again later, or tell whoever looks after it.",
    ),
    (
        "hook declined|push declined|remote rejected|rule violations|pre-receive",
        "The destination's own rules refused this; nothing was changed there.",
        "Its words are in the details; whoever looks after it can explain them.",
    ),
    (
        "authentication failed",
        "The host did not accept the sign-in.",
        "Sign in again.",
    ),
    (
        "error: 403|permission to \\S+ denied|write access to repository not granted|not allowed to (push|upload)|"
        "so it is read-only|access denied",
        "The host allows this to other accounts only.",
        "Ask for the right to write there, or send to a copy of your own.",
    ),
    (
        "error: 30[1278]|unable to update url base",
        "What was at this address has moved.",
        "Open the address in a browser and use the new one.",
    ),
    (
        "dubious ownership",
        "The folder belongs to somebody else on this computer, so git does not open it.",
        "Choose a folder of your own, or an address.",
    ),
    (
        r"cannot run \S*ssh\b|ssh: (command )?not found",
        "This address needs the program ssh, which is not installed.",
        "Use the address that begins with https://.",
    ),
    (
        "not resolve host|unable to connect|failed to connect|could not connect|network is unreachable|timed out|"
        "connection refused|connection reset|no route to host|operation too slow|could not resolve hostname|"
        "temporary failure|early eof|\\bssl\\b|hung up|rpc failed|error: 50[0234]|broken pipe|unexpected disconnect|"
        "transfer closed|empty reply",
        _UNREACHED,
        "Check the connection to the internet and the address; everything else works without it.",
    ),
    (
        "could not read username|could not read password|permission denied|host key verification|"
        "terminal prompts disabled",
        "The address asks for a password or a key, and none is given from here.",
        "Sign in, or use an address that everybody may read.",
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
    (
        "could not read from remote repository|error: 407|from proxy",
        _UNREACHED,
        "Check the connection to the internet and the address; everything else works without it.",
    ),
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def failure(said: str) -> LibraryError | StorageError:
    """What git or a remote refused, in words; theirs are in the details, without what is not seen."""
    said = _UNSEEN.sub("", said)
    if re.search("^(?!remote: ).*(no space left|disk quota exceeded)", said, re.IGNORECASE | re.MULTILINE):
        return StorageError(
            "The disk is full. Everything finished before is safe.", "Free some space, then try again.", said
        )
    for fragments, message, hint in _SAID:
        if re.search(fragments, said, re.IGNORECASE):
            return (Unreached if message == _UNREACHED else LibraryError)(message, hint, said)
    return LibraryError("Git could not do this with the library; nothing was lost.", "Try again.", said)
