"""Commits from bytes: no file is written but git's own, and only the folders on the way are looked at.

Git's fast-import makes the objects: however large or strange the rest of a stranger's tree is, it is not unfolded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab_desktop.errors import LibraryError
from lab_desktop.repository.program import Git

_MADE = "refs/lab-desktop/made"
_FOLDER = "040000"
_FILES = ("100644", "100755")
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Letters that a Mac's file system does not see."""
_MOST_LETTERS = 1000


@dataclass(frozen=True)
class Signature:
    """Attributes:
    name, email: of author and committer.
    at: seconds since 1970.
    """

    name: str
    email: str
    at: float


def commit(
    git: Git,
    files: Mapping[str, bytes],
    message: str,
    signature: Signature,
    parents: Sequence[str],
    without: Sequence[str],
) -> str:
    """The commit, as `Outgoing.commit` says.

    Raises:
        LibraryError, StorageError
    """
    _check(git, files, without, parents)
    for text in (signature.name, signature.email):
        if not text.strip() or re.search(r"[<>\x00-\x1f\x7f]", text):
            raise LibraryError(
                "The author's name and e-mail address may not be empty or have < or > in them.", "Correct them."
            )
    who = f"{signature.name.strip()} <{signature.email.strip()}> {int(signature.at)} +0000"
    text = message.rstrip("\n") + "\n"
    parts = [f"commit {_MADE}\nmark :1\nauthor {who}\ncommitter {who}\n".encode(), _data(text.encode())]
    parts += [f"{'merge' if at else 'from'} {parent}\n".encode() for at, parent in enumerate(parents)]
    parts += [f"D {_quoted(path)}\n".encode() for path in sorted(without)]
    for path, content in sorted(files.items()):
        parts += [f"M 100644 inline {_quoted(path)}\n".encode(), _data(content)]
    parts += [b"get-mark :1\n", b"done\n"]
    return git("fast-import", "--quiet", "--done", "--force", "--date-format=raw", given=b"".join(parts)).strip()


def is_sendable(path: str) -> bool:
    """True for a path that is inside a repository and means the same on every system, and nothing to git itself."""
    try:
        is_long = len(path.encode()) > _MOST_LETTERS
    except UnicodeEncodeError:
        return False
    if is_long or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in path) or "\\" in path:
        return False
    return all(_is_harmless(part) for part in path.split("/"))


def is_commit_name(name: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", name))


def _is_harmless(part: str) -> bool:
    # Windows leaves out dots and blanks at the end, and takes what is behind a colon for a part of the same file.
    seen = unicodedata.normalize("NFKC", _IGNORED.sub("", part)).casefold().split(":")[0].rstrip(". ")
    return bool(seen) and part not in (".", "..") and not seen.startswith(".git") and not re.match(r"git~\d", seen)


def _check(git: Git, files: Mapping[str, bytes], without: Sequence[str], parents: Sequence[str]) -> None:
    """
    Raises:
        LibraryError: a path cannot be written to, or a parent is none.
    """
    for path in (*files, *without):
        if not is_sendable(path):
            raise LibraryError(f'A file cannot be sent under the name "{_shown(path)}".', "Give it another name.")
    if not all(is_commit_name(parent) for parent in parents):
        raise LibraryError("The version to build on is not known here.", "Try again.")
    folders = {folder for path in files for folder in _folders(path)}
    both = sorted(folders & files.keys())
    if both:
        raise LibraryError(f'"{_shown(both[0])}" would be a file and a folder at once.', "Give one another name.")
    modes = _modes(git, parents[0], folders | files.keys()) if parents else {}
    for path in sorted(folders):
        mode = modes.get(path, _FOLDER)
        if mode != _FOLDER and not (mode in _FILES and path in without):
            what = "a file" if mode in _FILES else "a link"
            raise LibraryError(
                f'At the destination, "{_shown(path)}" is {what} and not a folder, so nothing was written through it.',
                "Choose another topic for the lesson.",
            )
    for path in sorted(files):
        if modes.get(path) == _FOLDER:
            raise LibraryError(f'At the destination, "{_shown(path)}" is a folder.', "Give the file another name.")


def _modes(git: Git, commit: str, paths: set[str]) -> dict[str, str]:
    """{path: mode} of those that a commit has; nothing beside and below them is unfolded."""
    found = {}
    # One level at a time: git lists all of a folder that is asked for together with something in it.
    for depth in sorted({path.count("/") for path in paths}):
        level = sorted(path for path in paths if path.count("/") == depth)
        for line in git("ls-tree", "-z", "--full-tree", commit, "--", *level).split("\0")[:-1]:
            facts, _, path = line.partition("\t")
            found[path] = facts.split(" ")[0]
    return found


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _quoted(path: str) -> str:
    escaped = path.replace('"', '\\"')  # a path with a backslash is not sendable
    return f'"{escaped}"'


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _shown(path: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in path[-80:])
