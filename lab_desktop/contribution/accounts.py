"""The person's accounts on GitHub and GitLab: signing in and out. Tokens are in the system's keyring and nowhere else.

Asks the network: in a child process, a command, or a thread of the window. A token goes to its own host only, never in
the clear (but for this computer), and never into a message. Who signed in, without the token, is in accounts.json in
the person's folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lab_desktop import keys, paths
from lab_desktop.contribution.destinations import Destination, api_of, is_at
from lab_desktop.errors import ContributionError, RunError, StorageError
from lab_desktop.files import read_json, write_json

CLIENT_ID = "LAB_DESKTOP_GITHUB_CLIENT"
"""The environment variable, and the setting, with the id under which GitHub knows this program (device flow)."""
KEYS = "LAB Desktop sharing"
"""The service under which tokens are kept in the keyring; the name is the host's address."""
FILE_NAME = "accounts.json"

_TOKEN = re.compile(r"[!-~]{8,400}")
_CLIENT = re.compile(r"[\w.-]{8,80}", re.ASCII)


class NotSignedIn(ContributionError):
    """Nobody is signed in at a host, or what was kept is not accepted any more."""


@dataclass(frozen=True)
class Account:
    """Who a host says that a token belongs to.

    Attributes:
        forge, host: "github" at "github.com".
        login: the name there.
        name: the person's own name, or the login where none is told: of the author.
        email: of the author: the host's no-reply address, or the public one.
        emails: what may be chosen.
        may_write: False: the token may write nowhere; `lacks` says why.
        lacks: "" or what the token may not, in words; one that was made for some repositories may write to those.
    """

    forge: Literal["github", "gitlab"]
    host: str
    login: str
    name: str
    email: str
    emails: tuple[str, ...] = ()
    may_write: bool = True
    lacks: str = ""


@dataclass(frozen=True)
class Code:
    """What the person types at the host's page (device flow).

    Attributes:
        user_code: "AB12-CD34".
        page: where to type it.
        expires_at: seconds since 1970.
    """

    user_code: str
    page: str
    expires_at: float


def token(host: str) -> str | None:
    """The kept token of a host; None where nobody is signed in. Not to be shown or noted.

    Raises:
        KeyringError
    """
    return keys.get(KEYS, _key_name(host))


def known(host: str) -> Account | None:
    """Who is signed in at a host as was told when they signed in (kept beside the settings, without the token); None:
    nobody. Asks no network."""
    kept = _kept("accounts").get(host)
    texts = ("forge", "host", "login", "name", "email", "lacks")
    if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in texts):
        return None
    if kept["forge"] not in ("github", "gitlab") or kept["host"] != host:
        return None
    emails = kept.get("emails")
    return Account(
        **{name: kept[name] for name in texts},
        emails=tuple(map(str, emails)) if isinstance(emails, list) else (),
        may_write=bool(kept.get("may_write")),
    )


def sign_in(forge: Literal["github", "gitlab"], host: str, token: str) -> Account:
    """Ask the host whose token it is, and keep it.

    Raises:
        ContributionError: it is none, may not write, is refused, or the host cannot be reached; nothing is kept.
        KeyringError: it cannot be kept.
        StorageError: whose it is cannot be kept, so it is not kept either.
    """
    from lab_desktop.contribution import hosts

    text = token.strip()
    require_token(text)
    api = api_of(forge, host)
    if not is_at(api, host):
        raise ContributionError("That is no host to sign in at.", "Write its name alone, for example github.com.")
    found = hosts.host(Destination("team", f"https://{host}/", forge, api), text).account()
    if not found.may_write:
        raise ContributionError(found.lacks, _wanted_of(found))
    keys.keep(KEYS, _key_name(host), text)
    try:
        _keep("accounts", host, asdict(found))
    except StorageError:
        keys.forget(KEYS, _key_name(host))
        raise
    return found


def sign_in_by_code(host: str, show: Callable[[Code], None], is_cancelled: Callable[[], bool]) -> Account:
    """Sign in to GitHub by its device flow: a code is shown, the person types it in a browser, and this waits for it.

    Source: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow

    Raises:
        ContributionError: no client id is set, the person said no, it took too long, or the host cannot be reached.
        KeyringError, StorageError, Cancelled
    """
    from lab_desktop.contribution import device

    client = client_id(host)
    if not client:
        raise ContributionError(
            f"Signing in with a code is not set up: {host} does not know this program yet.",
            f"Sign in with an access token, which does the same; or set {CLIENT_ID} to the id of an app of yours.",
        )
    return sign_in("github", host, device.token_by_code(host, client, show, is_cancelled))


def sign_out(host: str) -> None:
    """Forget the token and who it belonged to.

    Raises:
        KeyringError, StorageError
    """
    keys.forget(KEYS, _key_name(host))
    _keep("accounts", host, None)


def client_id(host: str) -> str:
    """The id under which a host knows this program: the environment's, else the setting; "" for none."""
    chosen = os.environ.get(CLIENT_ID) or _kept("clients").get(host)
    return chosen if isinstance(chosen, str) and _CLIENT.fullmatch(chosen) else ""


def keep_client_id(host: str, client: str) -> None:
    """Set the id under which a host knows this program; "" for none.

    Raises:
        ContributionError: it is no such id.
        StorageError
    """
    text = client.strip()
    if text and not _CLIENT.fullmatch(text):
        raise ContributionError(
            "That is not the id of an app.", "Copy the Client ID from the app's page; its secret is not wanted."
        )
    _keep("clients", host, text or None)


def token_page(forge: Literal["github", "gitlab"], host: str) -> str:
    """Where a person makes an access token that may do what is needed, filled in as far as the host allows."""
    if forge == "github":
        return f"https://{host}/settings/tokens/new?description=LAB%20Desktop&scopes=public_repo"
    return f"https://{host}/-/user_settings/personal_access_tokens?name=LAB%20Desktop&scopes=api"


def require_token(text: str) -> None:
    """
    Raises:
        ContributionError: no host gives such tokens.
    """
    if not _TOKEN.fullmatch(text):
        raise ContributionError(
            "That is not an access token: it has no spaces and at least 8 signs.", "Copy it from the host's page again."
        )


def _wanted_of(account: Account) -> str:
    if account.forge == "github":
        return "Make a token (classic) and tick “public_repo”, for a private repository “repo”."
    return "Make a token and tick “api”."


def _key_name(host: str) -> str:
    return f"https://{host}"


def _kept(what: Literal["accounts", "clients"]) -> dict[str, Any]:
    """A file that is missing or damaged knows nobody."""
    try:
        kept = read_json(paths.user_data() / FILE_NAME).get(what)
    except RunError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(what: Literal["accounts", "clients"], host: str, value: Any) -> None:
    kept = {"accounts": _kept("accounts"), "clients": _kept("clients")}
    if value is None and host not in kept[what]:
        return
    kept[what].pop(host, None)
    if value is not None:
        kept[what][host] = value
    write_json(paths.user_data() / FILE_NAME, kept)
