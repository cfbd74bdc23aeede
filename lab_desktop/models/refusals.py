"""What the network and the hub refuse, in sentences: whatever their libraries raise ends here.

No address and no header gets into a message, for they may hold a secret.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab_desktop.errors import DownloadError, PublishError

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Interrupted(Exception):
    """The connection was lost, or the hub is busy: trying again may help.

    Attributes:
        why: in a few words, "the connection was lost".
        wait_s: how long the hub asks us to wait; None where it does not say.
        details: for a bug report.
    """

    def __init__(self, why: str, wait_s: float | None = None, details: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s
        self.details = details


@contextlib.contextmanager
def in_words(repo: str, file: str) -> Iterator[None]:
    """Turn what the libraries raise into a sentence, or into `Interrupted`. No address and no header gets into it."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled:
        raise DownloadError(
            "Downloads are switched off on this computer (HF_HUB_OFFLINE).",
            "Switch them on, and start LAB Desktop anew.",
        ) from None
    except HfHubHTTPError as error:
        raise _refused(error, repo, file) from None
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL):
        raise DownloadError(
            "The address of the hub (HF_ENDPOINT) is none that can be asked.",
            "Correct it, for example to https://huggingface.co, and start LAB Desktop anew.",
        ) from None
    except httpx2.ProxyError:
        raise Interrupted("the proxy of this network refused", details="ProxyError") from None
    except httpx2.TransportError as error:
        if "CERTIFICATE" in str(error).upper():
            raise DownloadError(
                "The hub could not prove that it is the hub: its certificate is not one that this computer trusts.",
                "In an office network, ask for its certificate; else try another network.",
                type(error).__name__,
            ) from None
        raise Interrupted("there is no connection", details=type(error).__name__) from None
    except OSError as error:
        raise Interrupted("there is no connection", details=type(error).__name__) from None
    except HFValidationError:
        raise DownloadError(f'"{repo}" is no name of a model on the hub.', "Name it as OWNER/REPO.") from None
    except (httpx2.HTTPError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DownloadError(
            "The hub answered in a way that cannot be understood.",
            "Try again later. If you use a mirror (HF_ENDPOINT), try without it.",
            type(error).__name__,
        ) from None


@contextlib.contextmanager
def in_words_of_publishing(repo: str) -> Iterator[None]:
    """As `in_words`, for what is sent: `PublishError` or `Interrupted`."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        with in_words(repo, ""):
            try:
                yield
            except HfHubHTTPError as error:
                raise _not_taken(error, repo) from None
    except DownloadError as error:
        raise PublishError(error.message, error.hint, error.details) from None


def _not_taken(error: HfHubHTTPError, repo: str) -> PublishError | Interrupted:
    """What a status says to a person who sends something."""
    response = error.response
    status, code = response.status_code, code_of(response)
    details = f"status {status} {code}".strip()
    if status in _BUSY or status >= 500:
        return Interrupted("the hub is busy", _asked_to_wait(response), details)
    if status == 401:
        return PublishError(
            "The hub does not accept your access token.",
            "Make a new one on huggingface.co, under Settings ▸ Access Tokens, of the kind “Write”.",
            details,
        )
    if status in (402, 403):
        return PublishError(
            f'The hub does not let you write to "{repo}": the access token may only read, or your space is full.',
            "Make a token of the kind “Write” on huggingface.co, under Settings ▸ Access Tokens, and sign in with it.",
            details,
        )
    if status == 404:
        return PublishError(
            f'The hub has no place called "{repo}" that you may write to.',
            "Check the name of the owner and of the model, then publish again.",
            details,
        )
    if status in (409, 412):
        return PublishError(
            f'"{repo}" was changed by somebody else at the same moment.',
            "Publish again; what arrived there is not sent again.",
            details,
        )
    return PublishError(
        f'The hub does not take "{repo}" as it is.',
        "Try another name, of letters, digits, hyphens and dots.",
        details,
    )


def _refused(error: HfHubHTTPError, repo: str, file: str) -> DownloadError | Interrupted:
    """What a status says to a person."""
    from huggingface_hub.errors import GatedRepoError

    response = error.response
    status, code = response.status_code, code_of(response)
    has_token = "authorization" in response.request.headers
    page = f"https://huggingface.co/{repo}"
    details = f"status {status} {code}".strip()
    if status in _BUSY:
        return Interrupted("the hub is busy", _asked_to_wait(response), details)
    if isinstance(error, GatedRepoError) or code == "GatedRepo":
        if has_token:
            return DownloadError(
                f'Your account has not been given "{repo}" yet: everyone has to agree to its licence first.',
                f"Open {page} in a browser, agree there, and download it again when it says that you may.",
                details,
            )
        return DownloadError(
            f'The makers of "{repo}" give it only to people who are signed in and have agreed to its licence.',
            f"Open {page} in a browser, sign in and agree; then make an access token there, and sign in with it under "
            "Settings ▸ Models & storage (or: lab-desktop models sign-in).",
            details,
        )
    if code == "EntryNotFound":
        return DownloadError(f'"{repo}" has no file called "{file}".', f"Look at its files on {page}.", details)
    if code == "RevisionNotFound":
        return DownloadError(f'"{repo}" has no such version.', f"Look at its versions on {page}.", details)
    if status == 401 and has_token and "RepoNotFound" not in code:
        return DownloadError(
            "The hub does not accept your access token.", "Make a new one on huggingface.co, under Settings.", details
        )
    if status in (401, 404):
        return DownloadError(
            f'The hub has no model called "{repo}", or its owner keeps it private.', "Check its name.", details
        )
    if status == 403:
        return DownloadError(f'The hub does not give "{repo}" to you.', f"Open {page} to see why.", details)
    if status == 416:
        return Interrupted("the hub could not go on there", details=details)
    return DownloadError("The hub could not give the file.", "Try again later.", details)


def code_of(response: httpx2.Response) -> str:
    """The hub's own word for what is wrong, "GatedRepo"; "" where it says none."""
    return str(response.headers.get("x-error-code", ""))


def _asked_to_wait(response: httpx2.Response) -> float | None:
    """Seconds, as Retry-After or the hub's own header (RateLimit: "api";r=0;t=55) say them."""
    told = response.headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    left = re.search(r";\s*r=0\s*;\s*t=(\d+)", response.headers.get("ratelimit", ""))
    return float(left[1]) if left else None
