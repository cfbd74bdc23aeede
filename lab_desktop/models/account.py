"""The person's account on the hub: whose access token it is, and where it is kept (the system's keyring only).

Asks the network: in a child process, a command, or a thread of the window. The token goes to no other address than
the hub's own (`hub.endpoint`), never in the clear, and never into a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab_desktop import __version__, keys
from lab_desktop.errors import PublishError
from lab_desktop.models import hub
from lab_desktop.models.refusals import Interrupted, in_words_of_publishing

TOKEN_PAGE = "https://huggingface.co/settings/tokens/new?tokenType=write"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{8,400}")


@dataclass(frozen=True)
class Account:
    """Who the hub says that a token belongs to.

    Attributes:
        name: what stands before the slash of this person's models.
        teams: names under which the person may publish too.
        may_write: False for a token of the kind that only reads.
    """

    name: str
    teams: tuple[str, ...] = ()
    may_write: bool = True


def is_signed_in() -> bool:
    """There is a token for this hub; whether the hub accepts it, `who` asks."""
    return hub.token() is not None


def sign_in(token: str, writes: bool = True) -> Account:
    """Ask the hub whose token it is, and keep it in the system's keyring.

    Args:
        writes: only one that may write will do; to download models, one that may read is enough.

    Raises:
        PublishError: it is none, may not write, is refused, or the hub cannot be reached; nothing is kept.
        KeyringError: it cannot be kept.
    """
    found = who(token.strip(), writes)
    keys.keep(hub.KEYS, hub.endpoint(), token.strip())
    return found


def sign_out() -> None:
    """Forget the token that is kept here; one in HF_TOKEN stays.

    Raises:
        KeyringError: the keyring does not let it go.
    """
    keys.forget(hub.KEYS, hub.endpoint())


def who(token: str | None = None, writes: bool = True) -> Account:
    """Whose a token is; without one, the token that is kept here.

    Args:
        writes: as in `sign_in`.

    Raises:
        PublishError: nobody is signed in, the token is refused or may only read, or the hub cannot be reached.
    """
    from huggingface_hub import HfApi

    token = token if token is not None else hub.token()
    if token is None:
        raise PublishError(
            "Nobody is signed in to the hub on this computer.",
            "Sign in under Settings ▸ Models & storage, or on the command line: lab-desktop models sign-in",
        )
    if not _TOKEN.fullmatch(token):
        raise PublishError(
            "That is no access token: it has no spaces and begins with hf_.", "Copy it from the hub's page once more."
        )
    if not hub.keeps_secrets(hub.endpoint()):
        raise PublishError(
            "The way to the hub (HF_ENDPOINT) is not encrypted, so the token was not sent.", "Use an https:// address."
        )
    api = HfApi(endpoint=hub.endpoint(), library_name="lab-desktop", library_version=__version__)
    try:
        with in_words_of_publishing(""):
            found = _account(api.whoami(token=token))
    except Interrupted as lost:
        raise not_reached(lost) from None
    if writes and not found.may_write:
        raise PublishError(
            "This access token may only read.",
            "Make one of the kind “Write” on huggingface.co, under Settings ▸ Access Tokens.",
        )
    return found


def require_name(repo: str) -> None:
    """
    Raises:
        PublishError: the hub allows no such name.
    """
    name = repo.partition("/")[2]
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo or name.endswith((".git", ".ipynb", "-", ".")):
        raise PublishError(
            f'"{name or repo}" is no name that the hub allows.',
            "Use letters, digits, single hyphens, underscores and dots, up to 96, and begin with a letter or digit.",
        )


def not_reached(lost: Interrupted) -> PublishError:
    """What a lost connection means to somebody who publishes."""
    if lost.why == "the hub is busy":
        return PublishError(
            "The hub is too busy to answer. What arrived there is not sent again.",
            "Publish again in some minutes.",
            lost.details,
        )
    return PublishError(
        f"The hub cannot be reached: {lost.why}. What arrived there is not sent again.",
        "Publish again when you are online.",
        lost.details,
    )


def _account(told: object) -> Account:
    """
    Raises:
        TypeError, KeyError: the hub tells something else.
    """
    if not isinstance(told, dict) or not isinstance(told["name"], str):
        raise TypeError("not an account")
    auth = told.get("auth")
    access = auth.get("accessToken") if isinstance(auth, dict) else None
    role = access.get("role") if isinstance(access, dict) else None
    teams = tuple(
        each["name"] for each in told.get("orgs") or () if isinstance(each, dict) and isinstance(each.get("name"), str)
    )
    return Account(told["name"], teams, role != "read")
