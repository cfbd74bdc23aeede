"""Patience with a host: what may pass is asked again, what lasts is a sentence, and a person may stop the waiting.

A token is in nothing that is raised here: what the libraries raise holds the request with its headers, so it is not
kept as a cause, and what a host says is told without the token.
"""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from lab_desktop.contribution.hosts import Unreachable
from lab_desktop.contribution.refusals import Unfit, not_understood, unproven
from lab_desktop.contribution.wording import whole
from lab_desktop.errors import Cancelled, ContributionError

T = TypeVar("T")

TIMEOUT_S = 20
"""Without a byte for so long, a connection is given up."""
FIRST_WAIT_S = 1.0
"""The pause after the first failure; it doubles with each."""
MOST_WAIT_S = 120.0
"""A host that wants a longer pause is told to the person instead."""
ATTEMPTS = 4
READY_S = 300.0
"""GitHub makes forks later, mostly within seconds; its own documentation speaks of five minutes."""
FIRST_LOOK_S, LONGEST_LOOK_S = 0.5, 10.0
_POLL_S = 0.1
_LONGEST_SAID = 500


class Passing(Exception):
    """What may pass by itself.

    Attributes:
        problem: what to tell when it does not pass.
        wait_s: the pause that the host asked for; None: it asked for none.
        is_undone: the host did surely nothing of what it was asked.
    """

    def __init__(self, problem: ContributionError, wait_s: float | None = None, is_undone: bool = False) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.wait_s = wait_s
        self.is_undone = is_undone


class Asking:
    """How one host is asked: patiently, and what its library raises becomes a sentence.

    Attributes:
        host: for people, "github.com".
    """

    def __init__(
        self, host: str, refused: Callable[[Exception], Exception | None], is_cancelled: Callable[[], bool]
    ) -> None:
        """
        Args:
            refused: what an error of the host's library means, as `ContributionError` or `Passing`; None: it is none.
        """
        self.host = host
        self._refused, self._is_cancelled = refused, is_cancelled

    def __call__(self, call: Callable[[], T], is_repeatable: bool = True) -> T:
        """What a call gives; see `patiently`."""
        return patiently(lambda: self.once(call), self._is_cancelled, is_repeatable)

    def once(self, call: Callable[[], T]) -> T:
        """
        Raises:
            ContributionError, Passing: what went wrong, without what the library knows of it.
        """
        try:
            return call()
        except (ContributionError, Passing, Cancelled):
            raise
        except Exception as error:  # noqa: BLE001 - libraries raise all kinds at an answer that they do not understand
            problem = self._refused(error) or connection_problem(self.host, error)
            problem = problem or not_understood(self.host, type(error).__name__)
        # Not inside the block above: the library's error holds the request, and that the token.
        raise problem

    def made_once(self, find: Callable[[], T | None], make: Callable[[], T]) -> T:
        """What is there already, else made; after every doubt it is looked for again before it is made again."""

        def attempt() -> T:
            found = find()
            if found is not None:
                return found
            try:
                return self.once(make)
            except Unfit:  # somebody, or an earlier try, made it meanwhile
                found = find()
                if found is None:
                    raise
                return found

        return patiently(attempt, self._is_cancelled)

    def waited_for(self, look: Callable[[], T | None], is_cancelled: Callable[[], bool]) -> T:
        """What a host makes in its own time; looked for more and more rarely.

        Raises:
            ContributionError: it takes longer than `READY_S`.
            Cancelled
        """
        began, pause_s = time.monotonic(), FIRST_LOOK_S
        while True:
            if is_cancelled():
                raise Cancelled
            if (found := look()) is not None:
                return found
            if time.monotonic() - began > READY_S:
                raise Unreachable(
                    f"{self.host} has not finished your copy of the repository yet.",
                    "Go on in some minutes; what was done so far is kept.",
                )
            pause(pause_s, lambda: is_cancelled() or self._is_cancelled())
            pause_s = min(LONGEST_LOOK_S, 1.5 * pause_s)


def patiently(call: Callable[[], T], is_cancelled: Callable[[], bool], is_repeatable: bool = True) -> T:
    """What a call gives; one that fails with `Passing` is made again after a pause.

    Args:
        is_repeatable: False: it makes something, so it is made again only where nothing was done.

    Raises:
        ContributionError: it did not pass, or asks for too long a pause.
        Cancelled
    """
    waited = 0.0
    for attempt in range(ATTEMPTS):
        if is_cancelled():
            raise Cancelled
        try:
            return call()
        except Passing as passing:
            pause_s = FIRST_WAIT_S * 2**attempt if passing.wait_s is None else passing.wait_s
            is_last = attempt == ATTEMPTS - 1 or waited + pause_s > MOST_WAIT_S
            problem = None if (is_repeatable or passing.is_undone) and not is_last else passing.problem
        if problem is not None:
            raise problem
        pause(pause_s, is_cancelled)
        waited += pause_s
    raise AssertionError("the last attempt returns or raises")


def pause(seconds: float, is_cancelled: Callable[[], bool]) -> None:
    """
    Raises:
        Cancelled
    """
    until = time.monotonic() + seconds
    while not is_cancelled():
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_POLL_S, left))
    raise Cancelled


def too_often(host: str, wait_s: float) -> Passing:
    """A host whose quota is used up for so many seconds."""
    when = time.strftime("%H:%M", time.localtime(time.time() + wait_s + 59))
    return Passing(
        ContributionError(
            f"{host} lets each account ask only so often, and that is used up until {when}.",
            f"Go on after {when}; what was done so far is kept.",
        ),
        wait_s,
        is_undone=True,
    )


def not_well(host: str, status: int) -> Passing:
    """A host with a fault of its own."""
    return Passing(
        Unreachable(
            f"{host} is not well now (status {status}).", "Go on in some minutes; what was done so far is kept."
        )
    )


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for, a number or a date; None: there is none.

    Args:
        headers: with names in small letters.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return None


def until(text: str) -> float | None:
    """Seconds until a moment that a header tells in seconds since 1970; None: it tells none."""
    return max(1.0, float(text) - time.time() + 1) if text.isascii() and text.isdigit() and len(text) < 15 else None


def said(text: object, token: str) -> str:
    """The beginning of what a host said, without the token (some repeat it) and without what is not seen."""
    return whole(str(text)).replace(token, "…")[:_LONGEST_SAID]


def connection_problem(host: str, error: Exception) -> Exception | None:
    """What a broken connection means, as `ContributionError` or `Passing`; None: the error is about something else.

    Args:
        error: of requests.
    """
    import requests

    if not isinstance(error, requests.RequestException):
        return None
    causes = tuple(_causes(error))
    if isinstance(error, (requests.exceptions.SSLError, ssl.SSLError)):
        return unproven(host)
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable("The proxy of this network refused the way out.", "Check the proxy, then go on.")
    if any(isinstance(each, socket.gaierror) or type(each).__name__ == "NameResolutionError" for each in causes):
        return Unreachable(
            f"There is no connection: {host} was not found.", "Go on when you are online; what was done so far is kept."
        )
    if isinstance(error, requests.exceptions.Timeout):
        return Passing(
            Unreachable(
                f"{host} did not answer within {TIMEOUT_S} seconds.", "Go on later; what was done so far is kept."
            )
        )
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        is_refused = any(isinstance(each, ConnectionRefusedError) for each in causes)
        return Passing(
            Unreachable(
                f"There is no connection to {host}." if is_refused else f"The connection to {host} broke off.",
                "Go on when you are online; what was done so far is kept.",
            ),
            is_undone=is_refused,
        )
    return not_understood(host, type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was made of: urllib3 keeps the first one in `reason` or among the arguments."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [one for one in inner if isinstance(one, BaseException)]
