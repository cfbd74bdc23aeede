"""What is done beside learning: downloads, moving the models, publishing, sharing. request.json in its own folder.

An errand's folder lies below `paths.errands()`, of a lesson that is shared below `paths.contributions()`, and is worked
in like a run folder: `--worker FOLDER` does it, starting it again goes on, and it stays until the errand is done or
given up.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab_desktop import paths
from lab_desktop.errors import RunError
from lab_desktop.files import disk_errors, read_json, stamp, write_json
from lab_desktop.jobs.requests import FILE_NAME

RESERVE_BYTES = 10_000_000_000
"""Free space that a download leaves for the system and everything else."""


@dataclass(frozen=True)
class DownloadRequest:
    """One model file from the hub.

    Attributes:
        repo, file, revision: where it lies.
        title: what the person calls it.
        licence: the hub's name of the licence that the person was shown, or "" where none was.
        reserve_bytes: free space that is kept.
    """

    repo: str
    file: str
    revision: str = "main"
    title: str = ""
    licence: str = ""
    reserve_bytes: int = RESERVE_BYTES

    @property
    def folder(self) -> Path:
        """Where this errand is worked in: the same file, the same folder."""
        return paths.errands() / _one_word(f"{self.repo}--{self.file}")


@dataclass(frozen=True)
class LookRequest:
    """What the hub says of a place's models, or of one of them; nothing is fetched.

    Attributes:
        repo, file, revision: where they lie; an empty file stands for all.
    """

    repo: str
    file: str = ""
    revision: str = "main"

    @property
    def folder(self) -> Path:
        return paths.errands() / _one_word(f"look--{self.repo}--{self.file}")


@dataclass(frozen=True)
class MoveRequest:
    """The folder of models goes elsewhere.

    Attributes:
        target: an empty folder, or None: back to where it was at first.
    """

    target: Path | None

    @property
    def folder(self) -> Path:
        return paths.errands() / "move"


@dataclass(frozen=True)
class PublishRequest:
    """Files of a trained model go to the hub. Who sends them is not in here: the token stays in the keyring.

    Attributes:
        repo: OWNER/NAME there; it is made where there is none.
        files: the .gguf files, and what they are called there.
        card: README.md there, with its head.
        is_private: only its owner sees it.
    """

    repo: str
    files: tuple[tuple[Path, str], ...]
    card: str
    is_private: bool = True

    @property
    def folder(self) -> Path:
        """Where this errand is worked in: the same place on the hub, the same folder."""
        return paths.errands() / _one_word(f"publish--{self.repo}")


@dataclass(frozen=True)
class ShareRequest:
    """A contribution is sent: what is missing of it is done. What it is stands in its own folder.

    Attributes:
        folder: of the contribution (`contribution.contributions`).
    """

    folder: Path


@dataclass(frozen=True)
class FollowRequest:
    """The hosts are asked how all open contributions stand, and what was answered to reviewers is sent."""

    @property
    def folder(self) -> Path:
        return paths.errands() / "follow"


Errand = DownloadRequest | LookRequest | MoveRequest | PublishRequest | ShareRequest | FollowRequest


def write(errand: Errand) -> Path:
    """Put an errand into its folder, ready for `--worker`; gives the folder.

    Raises:
        StorageError: it could not be written.
    """
    if isinstance(errand, DownloadRequest):
        value: dict[str, Any] = {"job": "download", **asdict(errand)}
    elif isinstance(errand, LookRequest):
        value = {"job": "look", **asdict(errand)}
    elif isinstance(errand, PublishRequest):
        files = [[str(path.absolute()), name] for path, name in errand.files]
        value = {"job": "publish", **asdict(errand), "files": files}
    elif isinstance(errand, (ShareRequest, FollowRequest)):
        value = {"job": "share" if isinstance(errand, ShareRequest) else "follow"}
    else:
        value = {"job": "move", "target": str(errand.target.absolute()) if errand.target else None}
    write_json(errand.folder / FILE_NAME, value)
    return errand.folder


def read(folder: Path) -> Errand | None:
    """The errand of a folder; None where it holds something else or nothing.

    Raises:
        RunError: it is damaged.
    """
    if not (folder / FILE_NAME).is_file():
        return None
    value = read_json(folder / FILE_NAME)
    job = value.pop("job", None)
    try:
        if job == "look" or value.get("only_looks"):  # which earlier versions wrote as a download
            return LookRequest(str(value["repo"]), str(value["file"]), str(value["revision"]))
        if job == "download":
            known = DownloadRequest.__dataclass_fields__
            request = DownloadRequest(**{name: told for name, told in value.items() if name in known})
            texts = (request.repo, request.file, request.revision, request.title, request.licence)
            if not all(isinstance(text, str) for text in texts) or not isinstance(request.reserve_bytes, int):
                raise TypeError(str(value))
            return request
        if job == "move":
            return MoveRequest(Path(value["target"]) if value["target"] else None)
        if job == "follow":
            return FollowRequest()
        if job == "publish":
            files = tuple((Path(path), str(name)) for path, name in value["files"])
            return PublishRequest(str(value["repo"]), files, str(value["card"]), bool(value["is_private"]))
        if job == "share":
            return ShareRequest(folder)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f'"{FILE_NAME}" in {folder} is damaged.', "Delete the folder and start anew.") from error
    return None


def close(folder: Path) -> None:
    """Note that the errand of this folder is done: it is not waiting any more.

    Raises:
        StorageError
    """
    with disk_errors(folder, "What was asked for"):
        (folder / FILE_NAME).unlink(missing_ok=True)


def waiting() -> list[tuple[Path, Errand]]:
    """Errands of `paths.errands()` that were begun and are not done, oldest first; a damaged one is left out."""
    found = []
    for file in sorted(paths.errands().glob(f"*/{FILE_NAME}"), key=lambda path: stamp(path)[1]):
        try:
            errand = read(file.parent)
        except RunError:
            continue
        if errand is not None:
            found.append((file.parent, errand))
    return found


def _one_word(text: str) -> str:
    """A folder's name that tells the text and belongs to no other."""
    told = re.sub(r"[^\w.-]+", "-", text).strip(".-")[:80]
    return f"{told}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
