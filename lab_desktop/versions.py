"""Which version this is, and whether there is a newer one: asked only when the person wants it, and told to nobody.

One small JSON file at one address says it: {"version": "0.2.0", "page": "https://…", "released": "2026-12-01",
"what": "one sentence"}. Who builds the app names the address in `resources/build.json`: {"number": "12", "date":
"2026-11-22", "news": "https://…/latest.json"}. Without it nobody is asked; `LAB_DESKTOP_NEWS` names another. Nothing
is sent with the question but this program's name and version, as every browser does, and nothing is downloaded or
installed: there is a page to open, on the host that was asked.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab_desktop import __version__, files, paths
from lab_desktop.errors import RunError, UpdateError

WEEK_S = 7 * 86400
_MOST_BYTES = 20_000
_PATIENCE_S = 10.0
_MOST_WORDS = 300
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}")


@dataclass(frozen=True)
class Newer:
    """A version after this one.

    Attributes:
        page: where it can be had; on the host that was asked.
        what: what is new, in a sentence; may be empty.
    """

    version: str
    page: str
    released: datetime.date
    what: str


def spoken() -> str:
    """This version, with when and as which it was built where the build says so: "0.1.0 (build 12, 2026-11-22)"."""
    try:
        built = files.read_json(paths.resources() / "build.json", "number", "date")
    except RunError:
        return __version__
    return f"{__version__} (build {str(built['number'])[:20]}, {str(built['date'])[:20]})"


def address() -> str:
    """Where the newest version is told; "" where whoever built this named no address."""
    if named := os.environ.get("LAB_DESKTOP_NEWS"):
        return named
    try:
        named = str(files.read_json(paths.resources() / "build.json", "news")["news"])
    except RunError:
        return ""
    return named if named.startswith("https://") else ""


def look(address: str) -> Newer | None:
    """Ask whether there is a newer version; None: this is the newest.

    Args:
        address: https; plain http only on this computer.

    Raises:
        UpdateError: there is no way to it now, or it says something else than it should.
    """
    answer = _asked(address)
    try:
        said = json.loads(answer)
        version, page, what = said["version"], said["page"], said.get("what", "")
        released = datetime.date.fromisoformat(said["released"])
        if not all(isinstance(each, str) for each in (version, page, what)) or not _VERSION.fullmatch(version):
            raise ValueError("not what is expected")
        if not _is_beside(page, address):
            raise ValueError("the page is elsewhere")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = "What was said about a new version cannot be used. Nothing was done."
        raise UpdateError(message, "Look at the program's page yourself, or try again later.", str(error)) from error
    if _numbers(version) <= _numbers(__version__):
        return None
    words = "".join(letter if letter.isprintable() else " " for letter in what)
    return Newer(version, page, released, " ".join(words.split())[:_MOST_WORDS])


def is_due(now: float | None = None) -> bool:
    """Is the last look a week ago, or was there none?"""
    try:
        last = float(files.read_json(_file(), "looked")["looked"])
    except (RunError, ValueError, TypeError):
        return True
    now = time.time() if now is None else now
    return not now - WEEK_S < last <= now


def remember(now: float | None = None) -> None:
    """There was a look; the next one is due in a week.

    Raises:
        StorageError: it could not be written.
    """
    files.write_json(_file(), {"looked": time.time() if now is None else now})


def _asked(address: str) -> bytes:
    import httpx2

    headers = {"User-Agent": f"LAB-Desktop/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
    deadline = time.monotonic() + _PATIENCE_S
    answer = b""
    try:
        with (
            httpx2.Client(timeout=_PATIENCE_S, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            if response.status_code != 200:
                raise _unreached(f"status {response.status_code}")
            for piece in response.iter_raw():
                answer += piece
                if len(answer) > _MOST_BYTES:
                    message = "What was said about a new version is far too long. Nothing was done."
                    raise UpdateError(message, "Try again later.")
                if time.monotonic() > deadline:
                    raise _unreached("it took too long")
    except (httpx2.HTTPError, httpx2.InvalidURL, ImportError, ValueError, OSError) as error:
        raise _unreached(str(error)) from error
    return answer


def _unreached(details: str) -> UpdateError:
    message = "Whether there is a newer version could not be asked: nobody answers."
    return UpdateError(message, "Check the connection, then try again.", details)


def _is_beside(page: str, address: str) -> bool:
    """Is the page on the host that was asked, and as safe to open?"""
    if len(page) > 500 or not page.isprintable() or " " in page or "\\" in page:
        return False
    there, here = urlsplit(page), urlsplit(address)
    is_plain = here.scheme == "http" and here.hostname in ("127.0.0.1", "localhost")
    return there.scheme == ("http" if is_plain else "https") and there.netloc == here.netloc and bool(there.hostname)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))


def _file() -> Path:
    return paths.user_data() / "looked.json"
