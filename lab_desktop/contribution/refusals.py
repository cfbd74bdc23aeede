"""What a host of repositories refuses for good, in sentences: the same ones whichever host says so."""

from __future__ import annotations

from lab_desktop.contribution.accounts import NotSignedIn
from lab_desktop.contribution.hosts import Place
from lab_desktop.errors import ContributionError


class Missing(ContributionError):
    """Not there, or not shown."""


class Forbidden(ContributionError):
    """There, and not allowed."""


class Unfit(ContributionError):
    """Understood, and not taken as it is: it is there already, for example."""


def refusal(
    host: str, status: int, text: str, ask_whom: str, scope: str = "", token: str = "token"
) -> ContributionError:
    """What the status of an answer says to a person.

    Args:
        text: what the host said about it, without the token.
        ask_whom: what to do where it is forbidden and nobody says why.
        scope: that the token lacks, where that is known to be the reason.
        token: what tokens with scopes are called at this host.
    """
    details = f"status {status} {text}".strip()
    why = text or "it does not say why"
    if status == 401:
        return NotSignedIn(
            f"{host} does not accept your sign-in any more.",
            "Sign in again under Settings ▸ Sharing accounts.",
            details,
        )
    if scope:
        return Forbidden(
            f"Your sign-in at {host} may not do that: it lacks the scope “{scope}”.",
            f"Make a {token} and tick “{scope}”, then sign in with it.",
            details,
        )
    if status == 403:
        return Forbidden(f"{host} does not let you do that: {why}", ask_whom, details)
    if status == 404:
        return Missing(
            f"{host} has no such repository or contribution, or does not show it to you.",
            "Check the address, and that your account may see it.",
            details,
        )
    if status in (400, 409, 410, 422, 451):
        return Unfit(f"{host} does not take it: {why}", "Look at its page.", details)
    return not_understood(host, details)


def not_understood(host: str, details: str = "") -> ContributionError:
    """Something answered that is no such host."""
    return ContributionError(
        f"{host} answered in a way that cannot be understood, so nothing more was sent.",
        "Check the address. A network that asks for a login answers like this too.",
        details,
    )


def unproven(host: str) -> ContributionError:
    """A host whose certificate is none that this computer trusts."""
    return ContributionError(
        f"{host} could not prove that it is {host}: its certificate is not one that this computer trusts.",
        "Check the address; in an office network, ask for its certificate. Nothing was sent.",
    )


def no_repository(host: str, full_name: str) -> ContributionError:
    """A repository that contributions were to go to."""
    return ContributionError(
        f"There is no repository {full_name} at {host}, or it is not shown to you.",
        "Check the address, and that your account may see it.",
    )


def closed(full_name: str) -> ContributionError:
    """A repository that can only be read any more."""
    return ContributionError(
        f"{full_name} was closed: its owners take no contributions there any more.", "Choose another place."
    )


def require_public(place: Place) -> Place:
    """
    Raises:
        ContributionError: the account's own repository is private.
    """
    if place.is_private:
        raise ContributionError(
            f"Your repository {place.full_name} is private, so nobody could read the documents in it.",
            f"Make it public on its page ({place.page}), under Settings, or rename it.",
        )
    return place


def require_pushable(fork: Place) -> Place:
    """
    Raises:
        ContributionError: the account may not write to its own fork.
    """
    if not fork.may_push:
        raise ContributionError(
            f"Your copy {fork.full_name} takes nothing: it was closed, or your sign-in may not write to it.",
            f"Open it again on its page ({fork.page}), under Settings.",
        )
    return fork
