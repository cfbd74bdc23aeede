"""A trained model onto the hub: its place made, its files sent, then one commit that names them all.

Runs in a child process or a command only. The commit comes last, so a place on the hub that names a file has all of
it. Whole files that arrived are known to the hub by their check number (SHA-256) and are not sent again; one that was
cut in the middle is begun again. Files go by the hub's plain HTTP uploads (Git LFS), whose bytes can be counted and
stopped; `upload_file` of huggingface-hub can be neither.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_desktop import __version__
from lab_desktop.errors import PublishError
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import PublishRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import account, hub
from lab_desktop.models.card import TAG
from lab_desktop.models.refusals import Interrupted, in_words_of_publishing

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_TELL_S = 0.2
_CARD = "README.md"


@dataclass(frozen=True)
class _Step:
    """How far it is: bytes, and what happens inside."""

    done: int
    detail: str = ""


@dataclass(frozen=True)
class _Published:
    commit: str
    sent_bytes: int
    is_private: bool


def upload(request: PublishRequest, run: Run) -> dict[str, Any]:
    """Publish what `request` names; goes on where an earlier try was stopped. Cost: reads every file twice.

    Progress counts bytes under the text "Publishing NAME".

    Returns:
        {"url": its page, "commit": …, "sent_bytes": without what the hub had, "is_private": …}

    Raises:
        PublishError: nobody is signed in, the token is refused, the name is taken, a file is gone, no connection.
        Cancelled: what arrived whole is not sent again.
    """
    _require(request)
    total = sum(path.stat().st_size for path, _ in request.files)
    text = f"Publishing {request.repo.partition('/')[2]}"
    token = hub.token()
    account.who(token)
    run.progress(text, 0, total)
    published: _Published | None = None

    def work(tell: Callable[[_Step | _Published], None]) -> None:
        _publish(request, token or "", tell)

    try:
        for step in hub.aside(work, run.stop_if_cancelled):
            if isinstance(step, _Published):
                published = step
                continue
            run.progress(text, step.done, total)
            if step.detail:
                run.detail(step.detail)
    except Interrupted as lost:
        raise account.not_reached(lost) from None
    assert published is not None  # it is what `_publish` ends with
    run.progress(text, total, total)
    if published.is_private and not request.is_private:
        run.notice("It was private before and stays so. Its page on the hub can make it public.")
    errands.close(run.folder)
    return {
        "url": f"{hub.endpoint()}/{request.repo}",
        "commit": published.commit,
        "sent_bytes": published.sent_bytes,
        "is_private": published.is_private,
    }


def _require(request: PublishRequest) -> None:
    account.require_name(request.repo)
    if not request.files:
        raise PublishError("No file was chosen.", "Choose at least one size of the model.")
    for path, name in request.files:
        if not path.is_file():
            raise PublishError(f'"{path.name}" is not there any more.', "Make that size again, then publish.")
        if not name.endswith(".gguf") or "/" in name or "\\" in name:
            raise PublishError(
                f'"{name}" is no name for a model file.', "Publish from the window or with `models publish`."
            )


def _publish(request: PublishRequest, token: str, tell: Callable[[_Step | _Published], None]) -> None:
    # Read when the library is loaded. Of what its other way (Xet) sends, no byte can be counted or stopped.
    for name in ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(name, "1")
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub.endpoint(), token=token, library_name="lab-desktop", library_version=__version__)
    with in_words_of_publishing(request.repo):
        is_private = _place(api, request)
        additions, done, sent = [], 0, 0
        for path, name in request.files:
            with _Counted(path, done, tell) as file:
                addition = CommitOperationAdd(name, file)
                file.is_sent = True
                _send(api, request.repo, addition)
                sent += file.most
            done += path.stat().st_size
            tell(_Step(done))
            additions.append(addition)
        tell(_Step(done, "naming the files"))
        additions.append(CommitOperationAdd(_CARD, request.card.encode("utf-8")))
        names = ", ".join(name for _, name in request.files)
        commit = api.create_commit(request.repo, additions, commit_message=f"Add {names}")
        tell(_Published(str(commit.oid), sent, is_private))


def _place(api: HfApi, request: PublishRequest) -> bool:
    """Make the place, or see that the one that is there is ours; gives whether it is private.

    Raises:
        PublishError: another model has this name, or it is public where it should be private.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_repo(request.repo, private=request.is_private)
        return request.is_private
    except HfHubHTTPError as error:
        if error.response.status_code != 409:
            raise
    info = api.model_info(request.repo, timeout=hub.TIMEOUT_S)
    files = {each.rfilename for each in info.siblings or ()} - {".gitattributes"}
    if files and TAG not in (info.tags or ()):
        raise PublishError(
            f'There is a model called "{request.repo}" already, and it was not made here. It was not touched.',
            "Choose another name.",
        )
    if request.is_private and not info.private:
        raise PublishError(
            f'"{request.repo}" is public already, and this was to be private. Nothing was sent.',
            f"Choose another name, or make it private first: {hub.endpoint()}/{request.repo}/settings",
        )
    return bool(info.private)


def _send(api: HfApi, repo: str, addition: CommitOperationAdd) -> None:
    try:
        api.preupload_lfs_files(repo, [addition], num_threads=1, free_memory=False)
    except RuntimeError as error:  # the library's wrapping of whatever happened while a file was sent
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise


class _Counted(io.BufferedReader):
    """A file that tells how far it was read.

    Attributes:
        is_sent: what is read goes to the hub; before that, it is read for its check number.
        most: so much of it went there at least once.
    """

    def __init__(self, path: Path, before: int, tell: Callable[[_Step | _Published], None]) -> None:
        super().__init__(io.FileIO(path))
        self.is_sent = False
        self.most = 0
        self._name = path.name
        self._before = before
        self._tell = tell
        self._told = 0.0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        now, place = time.monotonic(), self.tell()
        is_again = self.is_sent and place < self.most
        self.most = max(self.most, place) if self.is_sent else 0
        if now - self._told > _TELL_S:
            self._told = now
            if self.is_sent:
                self._tell(_Step(self._before + place, "the connection was lost; sending again" if is_again else ""))
            else:
                self._tell(_Step(self._before, "checking the file"))
        return data
