"""Downloads that are under way or were left: where their files go, how much has arrived, giving one up.

What has arrived lies hidden beside the file that it will be. Nothing here asks the network.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from lab_desktop import paths
from lab_desktop.errors import DownloadError, RunError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest

_HUB = ("huggingface.co", "www.huggingface.co", "hf.co", "hf-mirror.com")
_ADDRESS = re.compile(
    r"(?:https?://(?P<host>[^/\s]+)/)?(?P<repo>[^/\s?#]+/[^/\s?#]+)"
    r"(?:/(?:resolve|blob|tree)/(?P<revision>[^/\s?#]+))?(?:/(?P<file>[^?#\s]+))?/?(?:[?#]\S*)?"
)
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,95}")


@dataclass(frozen=True)
class Arrival:
    """A download that is not done.

    Attributes:
        folder: of its errand; `--worker FOLDER` goes on with it.
        request: what was asked.
        arrived_bytes: on the disk already.
    """

    folder: Path
    request: DownloadRequest
    arrived_bytes: int


def target(repo: str, file: str) -> Path:
    """Where a file of the hub lies here: models/OWNER/REPO/FILE, as LM Studio has it.

    Raises:
        DownloadError: the names cannot be those of a model file on the hub.
    """
    parts = [*repo.split("/"), *file.split("/")]
    is_plain = all(_NAME.fullmatch(part) and not part.endswith(".") for part in parts)
    if not is_plain or repo.count("/") != 1 or not file.endswith(".gguf"):
        raise _no_model_file(f"{repo}/{file}")
    return paths.models().joinpath(*parts)


def named(text: str) -> tuple[str, str, str]:
    """(repo, file, revision) of what a person typed or pasted: OWNER/REPO/FILE.gguf, or the address of a page.

    The file is "" where only the place of a model was named.

    Raises:
        DownloadError: it names no model on the hub.
    """
    text = text.strip()
    told = f"https://{text}" if text.lower().startswith(tuple(f"{host}/" for host in _HUB)) else text
    found = _ADDRESS.fullmatch(told)
    hub = (*_HUB, urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc)
    if found is None or (found["host"] or _HUB[0]).lower() not in hub:
        raise _no_model_file(text)
    repo, file, revision = found["repo"], (found["file"] or "").rstrip("/"), found["revision"] or "main"
    target(repo, file or "any.gguf")
    return repo, file, revision


def half(model: Path, sha256: str) -> Path:
    """Where the bytes of a file with this check number are gathered until it is whole."""
    return model.with_name(f".{model.name}.{sha256[:16]}.part")


def halves(model: Path) -> list[Path]:
    """What has arrived of a file, of any of its versions."""
    return [path for path in _parts(model) if re.fullmatch(r"[0-9a-f]{16}", path.name.split(".")[-2])]


def sweep(model: Path) -> None:
    """Delete every half beside a file that is whole, of its record too."""
    for path in _parts(model):
        path.unlink(missing_ok=True)


def waiting() -> list[Arrival]:
    """Downloads that were begun and are not done, oldest first."""
    found = []
    for folder, errand in errands.waiting():
        if isinstance(errand, DownloadRequest):
            with contextlib.suppress(DownloadError, OSError):
                arrived = max((path.stat().st_size for path in halves(target(errand.repo, errand.file))), default=0)
                found.append(Arrival(folder, errand, arrived))
    return found


def give_up(request: DownloadRequest) -> None:
    """Delete what has arrived of a download, and its errand.

    Raises:
        RunError: it is under way.
    """
    try:
        with filelock.FileLock(request.folder / ".lock", timeout=0):
            sweep(target(request.repo, request.file))
    except filelock.Timeout:
        raise RunError(f"The download of {request.title or request.file} is under way.", "Pause it first.") from None
    shutil.rmtree(request.folder, ignore_errors=True)


def _parts(model: Path) -> list[Path]:
    return [path for path in model.parent.glob(".*.part") if path.name.startswith(f".{model.name}.")]


def _no_model_file(name: str) -> DownloadError:
    return DownloadError(
        f'"{name[:200]}" is no model file on the hub.',
        "Name it as OWNER/REPO or OWNER/REPO/FILE.gguf, or paste the address of its page on huggingface.co.",
    )
