"""Talking to the hub through huggingface-hub: what it offers, and the bytes of a file from any place on.

Runs in a child process or a command only. The hub is asked without the person's access token first; the token goes
along where the hub asks for one, never to another address than the hub's own, never in the clear, and never into a
message. HF_ENDPOINT names a mirror; HTTPS_PROXY and its kin are followed.

`hf_hub_download` is not used: since huggingface-hub 1.0 it begins again whenever its process ended, it tells of
progress every 10 MB only, and it cannot be stopped in between.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from lab_desktop import __version__, keys
from lab_desktop.errors import DownloadError, KeyringError
from lab_desktop.models.offers import Offer, is_model
from lab_desktop.models.refusals import Interrupted, code_of, in_words

if TYPE_CHECKING:
    import httpx2

KEYS = "LAB Desktop hub"
"""The service under which access tokens are kept in the keyring; the name is the hub's address (`endpoint`)."""
TIMEOUT_S = 15.0
"""Without a byte for so long, a connection is given up; a stalled one is no reason to wait for ever."""
_POLL_S = 0.1
_PIECES_AHEAD = 64
_HEAD_BYTES = 4096
_FAMILY_KEY = b"general.architecture" + (8).to_bytes(4, "little")
"""In a file's header: the key, and that a text follows, its length first (8 bytes)."""
_LONGEST_FAMILY = 40
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_T = TypeVar("_T")


def endpoint() -> str:
    """The hub's address, or its mirror's."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def token() -> str | None:
    """The person's access token for this hub: kept in the keyring, or as huggingface-hub finds it (HF_TOKEN).

    None too where others could read it on the way, and where the keyring is locked.
    """
    if not keeps_secrets(endpoint()):
        return None
    with contextlib.suppress(KeyringError):
        if kept := keys.get(KEYS, endpoint()):
            return kept
    from huggingface_hub import get_token

    return get_token()


def look_up(
    repo: str, file: str, revision: str = "main", stop_if_cancelled: Callable[[], None] = lambda: None
) -> Offer:
    """What the hub says of a file.

    Args:
        stop_if_cancelled: called about ten times a second; raises to end it.

    Raises:
        DownloadError: it is not there, not given to this person, or the hub's answer cannot be understood.
        Interrupted: no connection, or the hub is busy; trying again may help.
    """
    return look_around(repo, file, revision, stop_if_cancelled)[0]


def look_around(
    repo: str, file: str = "", revision: str = "main", stop_if_cancelled: Callable[[], None] = lambda: None
) -> tuple[Offer, ...]:
    """The same of every whole model in a place of the hub, the smallest first, or of the one file that is named.

    Raises:
        DownloadError: as in `look_up`, or there is no model.
        Interrupted: as in `look_up`.
    """

    def ask(hand_over: Callable[[tuple[Offer, ...]], None]) -> None:
        hand_over(_look_around(repo, file, revision))

    return next(aside(ask, stop_if_cancelled))


def family(offer: Offer, stop_if_cancelled: Callable[[], None] = lambda: None) -> str:
    """llama.cpp's name of a file's family, read from its first bytes; "" where they do not tell it.

    Raises:
        DownloadError, Interrupted: as in `look_up`.
    """
    head = b""
    for place, piece in pieces(offer, 0, stop_if_cancelled):
        head += piece
        if place + len(piece) >= _HEAD_BYTES:
            break
    _, _, rest = head.partition(_FAMILY_KEY)
    length = int.from_bytes(rest[:8], "little")
    name = rest[8 : 8 + length] if length <= _LONGEST_FAMILY else b""
    return name.decode("ascii") if head.startswith(b"GGUF") and name.isascii() else ""


def pieces(offer: Offer, start: int, stop_if_cancelled: Callable[[], None]) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file as they arrive: (where each piece begins, the piece).

    A server that cannot begin in the middle begins at 0.

    Args:
        start: the first byte that is wanted.
        stop_if_cancelled: as in `look_up`.

    Raises:
        DownloadError, Interrupted: as in `look_up`.
    """

    def read(hand_over: Callable[[tuple[int, bytes]], None]) -> None:
        with in_words(offer.repo, offer.file), _opened(offer, start) as (place, response):
            for piece in response.iter_bytes():
                hand_over((place, piece))
                place += len(piece)

    return aside(read, stop_if_cancelled)


class _Left(Exception):
    """Nobody waits for it any more."""


def aside(work: Callable[[Callable[[_T], None]], None], stop_if_cancelled: Callable[[], None]) -> Iterator[_T]:
    """What `work` hands over, while it runs in another thread: a connection that hangs does not delay stopping."""
    arrived: queue.Queue[tuple[_T] | Exception | None] = queue.Queue(_PIECES_AHEAD)
    is_left = threading.Event()

    def hand_over(what: tuple[_T] | Exception | None) -> None:
        while not is_left.is_set():
            with contextlib.suppress(queue.Full):
                arrived.put(what, timeout=_POLL_S)
                return
        raise _Left

    def run() -> None:
        try:
            work(lambda piece: hand_over((piece,)))
            hand_over(None)
        except _Left:
            return
        except Exception as error:  # noqa: BLE001 - it is raised again where the pieces are wanted
            with contextlib.suppress(_Left):
                hand_over(error)

    threading.Thread(target=run, name="hub", daemon=True).start()
    try:
        while True:
            stop_if_cancelled()
            with contextlib.suppress(queue.Empty):
                what = arrived.get(timeout=_POLL_S)
                if what is None:
                    return
                if isinstance(what, Exception):
                    raise what
                yield what[0]
    finally:
        is_left.set()


def _look_around(repo: str, file: str, revision: str) -> tuple[Offer, ...]:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the library is loaded
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint(), library_name="lab-desktop", library_version=__version__)
    with in_words(repo, file):
        info = _with_or_without_token(
            lambda token: api.model_info(
                repo, revision=revision, files_metadata=True, timeout=TIMEOUT_S, token=token or False
            )
        )
        there = [each for each in info.siblings or () if (each.rfilename == file if file else is_model(each.rfilename))]
        if not there and file:
            raise DownloadError(
                f'"{repo}" has no file called "{file}".', "Look at its files on huggingface.co, and name one of them."
            )
        known = [each for each in there if _has_figures(each, info.sha)]
        if not there:
            raise DownloadError(
                f'"{repo}" has no model file (.gguf) that could be used here.',
                'Look on huggingface.co for the same model with "GGUF" in its name.',
            )
        if not known:
            raise DownloadError(
                f'The hub tells no check number of "{there[0].rfilename}", so nobody could say whether it arrived '
                "whole.",
                "Choose another model, or download the file yourself and add it to your models.",
            )
        return tuple(sorted((_offer(repo, each, info) for each in known), key=lambda offer: offer.size_bytes))


def _has_figures(file: Any, commit: str | None) -> bool:
    return file.lfs is not None and bool(_SHA256.fullmatch(file.lfs.sha256) and _COMMIT.fullmatch(commit or ""))


def _offer(repo: str, file: Any, info: Any) -> Offer:
    """
    Raises:
        ValueError: no file is as large as it is said to be.
    """
    if not 0 < int(file.lfs.size) < 1 << 50:
        raise ValueError(f"a file of {file.lfs.size} bytes")
    header = info.gguf if isinstance(info.gguf, dict) else {}
    architecture, parameters = header.get("architecture"), header.get("total")
    return Offer(
        repo,
        file.rfilename,
        str(info.sha),
        int(file.lfs.size),
        file.lfs.sha256,
        _licence(info.card_data),
        bool(info.gated),
        architecture[:_LONGEST_FAMILY] if isinstance(architecture, str) else "",
        parameters if isinstance(parameters, int) and parameters > 0 else 0,
    )


def _licence(card: Any) -> str:
    """What a model's page says; "other" is replaced by the name that stands beside it."""
    told = getattr(card, "license", None)
    if told == "other":
        told = getattr(card, "license_name", None) or told
    told = told[0] if isinstance(told, list) and told else told
    return told[:80] if isinstance(told, str) else ""


@contextlib.contextmanager
def _opened(offer: Offer, start: int) -> Iterator[tuple[int, httpx2.Response]]:
    """A connection that is about to give the file: where it will begin, and the answer."""
    from huggingface_hub import hf_hub_url

    address = hf_hub_url(offer.repo, offer.file, revision=offer.revision, endpoint=endpoint())

    with contextlib.ExitStack() as stack:

        def ask(token: str | None) -> httpx2.Response:
            return stack.enter_context(_asked(address, start, token))

        response = _with_or_without_token(ask)
        place = _place(response, offer)
        if place not in (0, start):
            raise _not_the_file(offer)
        yield place, response


@contextlib.contextmanager
def _asked(address: str, start: int, token: str | None) -> Iterator[httpx2.Response]:
    import httpx2
    from huggingface_hub import get_session, hf_raise_for_status

    headers = {"accept-encoding": "identity", "user-agent": f"lab-desktop/{__version__}"}
    if start:
        headers["range"] = f"bytes={start}-"
    if token:
        headers["authorization"] = f"Bearer {token}"  # the library's session drops it where the hub sends us elsewhere
    with get_session().stream("GET", address, headers=headers, timeout=httpx2.Timeout(TIMEOUT_S)) as response:
        is_elsewhere = urlsplit(str(response.url)).netloc != urlsplit(address).netloc
        if is_elsewhere and response.status_code in (401, 403, 404, 410):
            raise Interrupted("the hub's link has run out", details=f"status {response.status_code}")
        hf_raise_for_status(response)
        yield response


def _place(response: httpx2.Response, offer: Offer) -> int:
    """Where the answer begins in the file.

    Raises:
        DownloadError: it is not the file that was announced: another length, or a page to read.
    """
    told = response.headers.get("content-range", "")
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", told)
        if found is None or int(found[2]) != offer.size_bytes:
            raise _not_the_file(offer)
        return int(found[1])
    length = response.headers.get("content-length")
    is_whole = length is None or "content-encoding" in response.headers or length == str(offer.size_bytes)
    if response.status_code != 200 or not is_whole or "text/html" in response.headers.get("content-type", ""):
        raise _not_the_file(offer)
    return 0


def _not_the_file(offer: Offer) -> DownloadError:
    return DownloadError(
        f'Something else came instead of "{offer.file}": perhaps the sign-in page of this network.',
        "Open any web page to see whether you are online, then go on with the download.",
    )


def _with_or_without_token(ask: Callable[[str | None], _T]) -> _T:
    """Ask without the person's access token; where the hub refuses and there is one, once more with it."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return ask(None)
    except HfHubHTTPError as error:
        wants_one = error.response.status_code in (401, 403) or code_of(error.response) == "RepoNotFound"
        known = token() if wants_one else None
        if known is None:
            raise
    return ask(known)


def keeps_secrets(address: str) -> bool:
    """True when what is sent there cannot be read on the way."""
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
