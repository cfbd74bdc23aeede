"""What is asked of the hosts of repositories (GitHub, GitLab), in one form: forks, repositories, pull requests.

Every call asks the network and may wait; a busy host is waited for as long as it says, up to a limit. Each "ensure"
finds what is there first, so that calling again makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from lab_desktop.contribution.accounts import Account
from lab_desktop.contribution.destinations import Destination, is_at
from lab_desktop.errors import ContributionError

Outcome = Literal["open", "changes asked", "accepted", "declined"]


class Unreachable(ContributionError):
    """The host cannot be asked now: no connection, or it is not well. The same again later may go well."""


@dataclass(frozen=True)
class Place:
    """A repository.

    Attributes:
        full_name: OWNER/NAME.
        address: https address for git, without a user in it.
        page: for a browser.
        branch: the default branch.
        is_private: only its owner sees it.
        may_push: the account may write to it.
    """

    full_name: str
    address: str
    page: str
    branch: str
    is_private: bool = False
    may_push: bool = True


@dataclass(frozen=True)
class PullRequest:
    """Attributes:
    number: at its repository.
    page: for a browser.
    """

    number: int
    page: str


@dataclass(frozen=True)
class Check:
    """What an automatic check found.

    Attributes:
        name: of the check.
        state: how far it is.
        says: what it wrote (its summary, annotations with lines), plain text; "" for nothing.
        page: for a browser, or "".
    """

    name: str
    state: Literal["waiting", "passed", "failed"]
    says: str = ""
    page: str = ""


@dataclass(frozen=True)
class Comment:
    """Attributes:
    id: the host's, for marking what was read.
    who, text: Markdown as written.
    at: seconds since 1970.
    file, line: what it is about; "" and 0 for all of it.
    """

    id: str
    who: str
    text: str
    at: float
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Standing:
    """How a pull request stands.

    Attributes:
        outcome: see `Outcome`; "changes asked" while a reviewer's last word is that.
        checks, comments: oldest first.
        head: the commit it is about now.
        at: seconds since 1970 when it was asked.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    comments: tuple[Comment, ...]
    head: str
    at: float


class Host(Protocol):
    """One host with one account's token."""

    def account(self) -> Account:
        """Who the token belongs to."""
        ...

    def place(self, full_name: str) -> Place | None:
        """A repository; None: there is none, or it is not shown to this account."""
        ...

    def ensure_fork(self, full_name: str, is_cancelled: Callable[[], bool]) -> Place:
        """The account's fork of a repository: found (under whatever name), else made and waited for until it can be
        pushed to. The repository itself where the account may push there."""
        ...

    def ensure_repository(self, name: str, description: str) -> Place:
        """The account's own public repository of this name, made where there is none."""
        ...

    def ensure_request(self, into: Place, fork: Place, branch: str, title: str, body: str) -> PullRequest:
        """The open pull request from a branch, made where there is none."""
        ...

    def standing(self, into: str, number: int) -> Standing:
        """How a pull request stands."""
        ...

    def reply(self, into: str, number: int, text: str) -> None:
        """Write a comment."""
        ...


def host(destination: Destination, token: str, is_cancelled: Callable[[], bool] = lambda: False) -> Host:
    """The host that takes a destination's pull requests.

    Every method raises ContributionError in plain words (missing scope with its name, used-up quota with when it is
    over, gone repository): `Unreachable` where there is no connection, `accounts.NotSignedIn` where the token is
    refused; or Cancelled.

    Args:
        is_cancelled: looked at while it waits.

    Raises:
        ContributionError: the destination has none.
    """
    if not destination.forge or not is_at(destination.api, destination.host):
        raise ContributionError(
            f"Nothing can be opened for others to look through at {destination.host or destination.name}.",
            "Choose another place, or a file to send by mail.",
        )
    # The libraries take a second to load.
    if destination.forge == "github":
        from lab_desktop.contribution.github import GitHub

        return GitHub(destination.api, destination.host, token, is_cancelled)
    from lab_desktop.contribution.gitlab import GitLab

    return GitLab(destination.api, destination.host, token, is_cancelled)
