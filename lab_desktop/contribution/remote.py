"""A contribution to a git repository: its documents, the branch with its commit, and the request to take it in."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab_desktop.contribution import accounts, clashes, contributions, hosts
from lab_desktop.contribution.destinations import DOCUMENTS, Destination, hidden_clone, hidden_clone_of
from lab_desktop.contribution.hosts import Host, Place, Standing
from lab_desktop.contribution.letter import message
from lab_desktop.contribution.parcel import with_documents
from lab_desktop.contribution.trip import Trip
from lab_desktop.errors import ContributionError, LibraryError, Unreached
from lab_desktop.repository.outgoing import Credentials, Outgoing, Signature, machine_credentials, open_outgoing

PASSING = (Unreached, hosts.Unreachable, accounts.NotSignedIn)
"""What is not refused, but has to wait."""
_MAIN = "main"
_README = (
    "# Documents of lessons\n\nWhat the lessons were written from that I shared with LAB Desktop, each document below "
    "the place of its lesson in the taxonomy.\n\nLessons name a version of this repository: keep its history.\n"
)


@dataclass(frozen=True)
class _Way:
    """How the destination is reached.

    Attributes:
        credentials: who git is there; None: it asks nobody.
        host, into: who takes pull requests there, and the repository; None: nobody does.
    """

    credentials: Credentials | None
    host: Host | None = None
    into: Place | None = None


def sign_in(destination: Destination) -> Credentials:
    """Who is signed in at the host of a destination: here, or with this computer's own git.

    Raises:
        NotSignedIn: nobody is.
        KeyringError
    """
    found = _credentials(f"https://{destination.host}/{destination.full_name}", destination)
    if found is None:
        raise accounts.NotSignedIn(
            f"Nobody is signed in at {destination.host}, so nothing was sent. What you prepared is kept.",
            "Sign in, then send it.",
        )
    return found


def send(trip: Trip) -> None:
    """Bring the lesson to the destination, step by step; what is there already is found and left.

    Raises:
        Clashed, ContributionError, LibraryError, StorageError, KeyringError, Cancelled: as in `sending.send`.
    """
    destination = trip.destination
    trip.step("look")
    text = message(trip.parcel, trip.letter.title, trip.author.name, trip.author.email)
    way = _way(trip)
    if way.host and trip.done.number:
        found = way.host.standing(destination.full_name, trip.done.number)
        contributions.note_standing(trip.contribution, found)
        require_undecided(found)
    outgoing = open_outgoing(
        hidden_clone(destination), destination.address, _for(destination.address, way), trip.tell, trip.is_cancelled
    )
    if way.host and not outgoing.head:
        raise ContributionError(
            f"{destination.name} is empty, so there is nothing yet that a lesson could be added to.",
            "Put a first file there, for example a README, then send again.",
        )
    parents = [outgoing.head] if outgoing.head else []
    theirs = outgoing.read(outgoing.head, trip.parcel.path) if outgoing.head else {}
    own = functools.partial(_sent_before, outgoing, trip.parcel.path)
    clashes.require_none(trip.contribution.folder, trip.parcel, theirs, destination.name, own)
    parcel = trip.parcel
    if parcel.documents:
        trip.step("documents")
        if _go_along(destination, way):
            first = outgoing.commit(parcel.documents, _documents_message(trip), _signature(trip), parents)
            parcel, parents = with_documents(parcel, destination.address, first), [first]
        else:
            parcel = with_documents(parcel, *_send_documents(trip, way))
    address, fork = destination.address, None
    if way.host:
        trip.step("fork")
        fork = way.host.ensure_fork(destination.full_name, trip.is_cancelled)
        trip.note("fork", fork=fork.full_name, login=way.host.account().login)
        address = fork.address
    trip.step("commit")
    _send_commit(trip, outgoing, parcel.files, text, parents, address, _for(address, way))
    if way.host and way.into and fork:
        trip.step("request")
        branch = trip.contribution.branch
        request = way.host.ensure_request(way.into, fork, branch, trip.letter.title, trip.letter.body)
        trip.note("request", number=request.number, page=request.page)


def require_undecided(found: Standing | None) -> None:
    """
    Raises:
        ContributionError: those who take contributions have decided, so nothing can be added.
    """
    if found is not None and found.outcome in ("accepted", "declined"):
        raise ContributionError(
            "What was sent of this lesson was decided on already, so nothing can be added to it.",
            "Share the lesson anew: that makes a new contribution.",
        )


def _sent_before(outgoing: Outgoing, path: str) -> list[dict[str, bytes]]:
    """What this person sent of a lesson before, which others may have taken in: nobody else changed that."""
    found = []
    for each in contributions.every():
        for commit in contributions.done(each).commits if each.path == path else ():
            with contextlib.suppress(LibraryError):  # it went elsewhere
                found.append(outgoing.read(commit, path))
    return found


def _way(trip: Trip) -> _Way:
    destination = trip.destination
    if not destination.forge:
        return _Way(_credentials(destination.address, destination))
    credentials = sign_in(destination)
    host = hosts.host(destination, credentials.secret, trip.is_cancelled)
    into = host.place(destination.full_name)
    if into is None:
        raise ContributionError(
            f"There is no {destination.full_name} at {destination.host}, or your account may not see it.",
            "Check the address; of a private repository, ask its owner to let you in.",
        )
    return _Way(credentials, host, into)


def _credentials(address: str, destination: Destination) -> Credentials | None:
    """Who git is at an address that is of the destination's host, or of another of the person's."""
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http"):
        return None
    secret = accounts.token(parts.netloc)
    if not secret:
        return machine_credentials(address)
    known = accounts.known(parts.netloc)
    anybody = "oauth2" if destination.forge == "gitlab" else "x-access-token"
    return Credentials(known.login if known else anybody, secret, parts.netloc)


def _for(address: str, way: _Way) -> Credentials | None:
    """The credentials as they are told at an address: none by ssh, of a folder, or at another host."""
    parts, told = urlsplit(address), way.credentials
    if told is None or parts.scheme not in ("https", "http"):
        return None
    if parts.hostname != urlsplit(f"//{told.host}").hostname:
        return None
    return Credentials(told.user, told.secret, parts.netloc)


def _go_along(destination: Destination, way: _Way) -> bool:
    """True where the documents go in the branch of the lesson: what a team keeps to itself is not made public."""
    if destination.documents:
        return False
    return way.into is None or (destination.kind == "team" and way.into.is_private)


def _send_documents(trip: Trip, way: _Way) -> tuple[str, str]:
    """The address and the commit that has the documents, which are there when this returns."""
    if trip.destination.documents:
        address, is_own = trip.destination.documents, False
        credentials = _for(address, way) or _credentials(address, trip.destination)
    else:
        assert way.host is not None  # else they go along
        place = way.host.ensure_repository(DOCUMENTS, "Documents that shared lessons were written from")
        address, is_own = place.address, True
        credentials = _for(address, way)
    kept = open_outgoing(hidden_clone_of(address), address, credentials, trip.tell, trip.is_cancelled)
    # In a repository of others nothing is moved but a branch of our own.
    branch = (kept.branch or _MAIN) if is_own else trip.contribution.branch
    now = kept.head if is_own else kept.remote_branch(address, branch, credentials)
    was_at, before = trip.done.documents
    is_same = trip.done.documents_identity == trip.documents_identity and was_at == address
    if is_same and before and (before == now or kept.is_in(before, kept.head)):
        return address, before
    files = trip.parcel.documents
    there = kept.read(kept.head, trip.parcel.path) if kept.head else {}
    commit = kept.head
    if there != files:
        # Files of an earlier state could be taken for documents of this one.
        gone = sorted(set(there) - set(files))
        first = {} if kept.head else {"README.md": _README.encode()}
        parents = [kept.head] if kept.head else []
        commit = kept.commit({**first, **files}, _documents_message(trip), _signature(trip), parents, gone)
        if now != commit:
            kept.push(address, commit, branch, credentials, trip.tell, trip.is_cancelled, expects=now)
    trip.note("documents", address=address, commit=commit, identity=trip.documents_identity)
    return address, commit


def _send_commit(
    trip: Trip,
    outgoing: Outgoing,
    files: Mapping[str, bytes],
    text: str,
    parents: list[str],
    address: str,
    credentials: Credentials | None,
) -> None:
    """Have the branch with the lesson at the remote, and nothing of others overwritten."""
    branch, known = trip.contribution.branch, trip.done.commits
    now = outgoing.remote_branch(address, branch, credentials)
    commit = now
    if not now or known.get(now) != trip.identity:
        commit = outgoing.commit(files, text, _signature(trip), parents)
    if now and now != commit and now not in known:
        raise ContributionError(
            f"Somebody added to what you sent of “{trip.parcel.title}” ({branch}), so it was not replaced.",
            "Have a look at its page. To send your version too, share the lesson anew.",
        )
    if now != commit:
        trip.note("pushing", commit=commit, identity=trip.identity)
        outgoing.push(address, commit, branch, credentials, trip.tell, trip.is_cancelled, expects=now)
    trip.note("commit", commit=commit, identity=trip.identity, page=_page(address))


def _signature(trip: Trip) -> Signature:
    return Signature(trip.author.name, trip.author.email, trip.contribution.created)


def _documents_message(trip: Trip) -> str:
    title = f"Documents of {trip.parcel.title}"
    return f"{title[:72]}\n\nSigned-off-by: {trip.author.name} <{trip.author.email}>\n"


def _page(address: str) -> str:
    """Where a person may look at what was pushed; "" where it is no page."""
    parts = urlsplit(address)
    return address.removesuffix(".git") if parts.scheme in ("https", "http") else ""
