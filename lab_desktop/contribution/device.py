"""GitHub's device flow: a code that the person types in a browser becomes a token, and no password comes by here.

Source: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow (RFC 8628)
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lab_desktop import __version__
from lab_desktop.contribution.accounts import Code, require_token
from lab_desktop.contribution.destinations import is_at, is_local
from lab_desktop.contribution.hosts import Unreachable
from lab_desktop.contribution.patience import TIMEOUT_S, not_well, pause
from lab_desktop.contribution.refusals import not_understood, unproven
from lab_desktop.errors import ContributionError

if TYPE_CHECKING:
    import httpx2

SCOPE = "public_repo"
"""All that is asked for: write to public repositories."""
SLOWER_S = 5.0
"""What is added to the pause when GitHub wants it slower."""
LEAST_PAUSE_S = 1.0
_LONGEST_PAUSE_S, _LONGEST_S = 60.0, 1800.0
_MOST_BYTES = 100_000
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{3,18}[A-Z0-9]")


def token_by_code(host: str, client: str, show: Callable[[Code], None], is_cancelled: Callable[[], bool]) -> str:
    """Get a token; waits until the person has typed the code at the host's page.

    Args:
        client: the id under which the host knows this program.
        show: is given the code, once.

    Raises:
        ContributionError: the person said no, it took too long, the client id is not known, or this cannot be
            understood.
        Unreachable: the host cannot be reached.
        Cancelled
    """

    base = f"{'http' if is_local(host) else 'https'}://{host}"
    if not is_at(base, host):
        raise ContributionError("That is no host to sign in at.", "Write its name alone, for example github.com.")
    with _line() as line:
        begun = _post(line, host, f"{base}/login/device/code", {"client_id": client, "scope": SCOPE})
        if "device_code" not in begun:
            raise _refused(host, begun)
        code, device_code = _code(host, begun)
        show(code)
        pause_s = _seconds(begun.get("interval"), SLOWER_S)
        wanted = {"client_id": client, "device_code": device_code, "grant_type": _GRANT}
        while time.time() < code.expires_at:
            pause(max(LEAST_PAUSE_S, pause_s), is_cancelled)
            try:
                said = _post(line, host, f"{base}/login/oauth/access_token", wanted)
            except Unreachable:  # the code stays good while the network comes and goes
                continue
            if isinstance(given := said.get("access_token"), str):
                require_token(given)
                return given
            error = said.get("error")
            if error == "slow_down":
                pause_s = max(pause_s + SLOWER_S, _seconds(said.get("interval"), 0.0))
            elif error != "authorization_pending":
                raise _refused(host, said)
    raise _refused(host, {"error": "expired_token"})


def _line() -> httpx2.Client:
    """
    Raises:
        Unreachable: what is set as this network's proxy is none. It is not repeated: it may hold a password.
    """
    import httpx2

    try:
        return httpx2.Client(
            headers={"Accept": "application/json", "User-Agent": f"lab-desktop/{__version__}"},
            timeout=TIMEOUT_S,
            follow_redirects=False,
        )
    except (ImportError, ValueError, httpx2.InvalidURL):
        raise Unreachable(
            "The address that is set as the proxy of this network cannot be used.", "Correct it, then sign in again."
        ) from None


def _code(host: str, begun: dict[str, Any]) -> tuple[Code, str]:
    """What the person is shown, and what only the host is told.

    Raises:
        ContributionError: it is none, or the page is not the host's own: nobody is sent to another.
    """
    user_code, page, device_code = (begun.get(name) for name in ("user_code", "verification_uri", "device_code"))
    if not isinstance(user_code, str) or not _CODE.fullmatch(user_code) or not isinstance(device_code, str):
        raise not_understood(host, "no code")
    parts = urlsplit(page) if isinstance(page, str) and page.isprintable() else urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.netloc))
    if parts.netloc.lower() != host.lower() or not is_safe:
        raise not_understood(host, "a page elsewhere")
    expires_s = min(_LONGEST_S, _seconds(begun.get("expires_in"), 900.0, _LONGEST_S))
    return Code(user_code, parts.geturl(), time.time() + expires_s), device_code


def _post(line: httpx2.Client, host: str, address: str, form: dict[str, str]) -> dict[str, Any]:
    """
    Raises:
        Unreachable, ContributionError
    """
    import httpx2

    data = b""
    try:
        with line.stream("POST", address, data=form) as response:
            for piece in response.iter_bytes():
                data += piece
                if len(data) > _MOST_BYTES:
                    raise not_understood(host, f"more than {_MOST_BYTES:,} bytes")
    except httpx2.TransportError as error:
        if "CERTIFICATE" in str(error).upper():
            raise unproven(host) from None
        raise Unreachable(
            f"There is no connection to {host}.", "Sign in when you are online.", type(error).__name__
        ) from None
    if response.status_code == 429 or response.status_code >= 500:
        raise not_well(host, response.status_code).problem
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict) or 300 <= response.status_code < 400:
        raise not_understood(host, f"status {response.status_code}")
    return value


def _refused(host: str, said: dict[str, Any]) -> ContributionError:
    """What an error of the flow says to a person."""
    error = said.get("error")
    if error == "access_denied":
        return ContributionError(f"You said no on {host}, so nobody was signed in.", "Sign in again when you like.")
    if error in ("expired_token", "incorrect_device_code"):
        return ContributionError("The code was not typed in time.", "Sign in again, and type the new code.")
    if error == "device_flow_disabled":
        return ContributionError(
            f"The app under which this program is known to {host} takes no codes.",
            "Switch on “Device flow” on the app's page, or sign in with an access token.",
        )
    if error in ("incorrect_client_credentials", "unauthorized_client") or said.get("message") == "Not Found":
        return ContributionError(
            f"{host} does not know the app under which this program asks.",
            "Check the client id, or sign in with an access token, which does the same.",
        )
    return not_understood(host, str(error)[:100])


def _seconds(value: object, otherwise: float, most: float = _LONGEST_PAUSE_S) -> float:
    return min(most, max(0.0, float(value))) if isinstance(value, (int, float)) else otherwise
