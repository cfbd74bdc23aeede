"""A contribution on its way, in a worker: documents, fork, branch, pull request; each step asks first if it is done.

The steps in order, each with its line in steps.jsonl when it is done:

    documents   (facts) the documents' commit is in the documents' repository; qna.yaml of the parcel names it
    fork        (forges) the fork is there
    commit      the branch with the one signed-off commit is at the remote
    request     (forges) the pull request is open
    noted       the library's `shared.jsonl` says so

The commit is made from the frozen files and the contribution's own date onto the destination's newest version: the same
input is the same commit, so a push that was cut and pushed again changes nothing. A branch that is there with another
commit is of an earlier state of the same contribution: it is moved only if it is where we left it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lab_desktop import repository
from lab_desktop.contribution import clashes, contributions, hosts, labpack, remote
from lab_desktop.contribution.clashes import Clash as Clash
from lab_desktop.contribution.clashes import Clashed as Clashed
from lab_desktop.contribution.contributions import Contribution
from lab_desktop.contribution.hosts import Standing
from lab_desktop.contribution.parcel import Parcel, obstacles, prepare
from lab_desktop.contribution.trip import Trip
from lab_desktop.errors import Cancelled, ContributionError, LabError
from lab_desktop.jobs import errands
from lab_desktop.jobs.run import Run


def send(contribution: Contribution, run: Run) -> dict[str, Any]:
    """Do what is missing of a contribution. Runs in a child process or a command only.

    Progress counts steps under the text "Sending TITLE".

    Returns:
        {"page": where it is, "commit": …, "number": …}

    Raises:
        Clashed: see there; nothing of the lesson was sent.
        ContributionError: nobody is signed in, the host refuses, or it is not agreed to.
        LibraryError: git or the remote refuses (protected branch, no right to push, no connection).
        RunError: what was prepared is damaged.
        StorageError, KeyringError
        Cancelled: what was done stays noted.
    """
    contribution = contributions.read(contribution.folder)
    _require_ready(contribution)
    # What was agreed to is sent: not what a window made of it since it was read.
    contributions.update(contribution, is_wanted=True, trouble="", hint="")
    try:
        trip = Trip(contribution, run)
        is_gone = trip.done.file is not None and not trip.done.file.is_file()
        if is_gone or not contributions.is_there(contribution, trip.done):
            _require_whole(trip.parcel)
            (_to_file if trip.destination.kind == "file" else remote.send)(trip)
        if trip.done.noted != trip.identity:
            trip.step("noted")
            _note_in_library(trip)
            trip.note("noted", identity=trip.identity)
        clashes.forget(contribution.folder)
    except Cancelled:
        contributions.update(contribution, is_wanted=False)
        raise
    except LabError as error:
        waits = isinstance(error, remote.PASSING)
        contributions.update(contribution, is_wanted=waits, trouble=error.message, hint=error.hint)
        raise
    contributions.update(contribution, is_wanted=False, trouble="", hint="")
    errands.close(run.folder)
    trip.step("")
    found = trip.done
    return {"page": found.page or str(found.file or ""), "commit": found.commit, "number": found.number}


def clash(contribution: Contribution) -> Clash | None:
    """Both versions where the last try ended with `Clashed`; without the network.

    Raises:
        RunError: what was prepared is damaged.
    """
    return clashes.clash(contribution.folder, contributions.parcel_of(contribution))


def keep_ours(contribution: Contribution) -> Contribution:
    """Send ours on top of theirs: their commit becomes the parent, so both histories stay.

    Raises:
        RunError: it is damaged.
        StorageError
    """
    clashes.keep_ours(contribution.folder)
    return contributions.update(contribution, is_wanted=True, trouble="", hint="")


def follow(contribution: Contribution) -> Standing | None:
    """Ask the host how it stands, and note it; None where there is nobody to ask.

    Raises:
        ContributionError: no connection, nobody is signed in.
        KeyringError, StorageError
    """
    number = contributions.done(contribution).number
    destination = contribution.destination
    if destination is None or not destination.forge or not number:
        return None
    signed_in = remote.sign_in(destination)
    found = hosts.host(destination, signed_in.secret).standing(destination.full_name, number)
    contributions.note_standing(contribution, found)
    return found


def _require_ready(contribution: Contribution) -> None:
    if not contribution.is_agreed:
        what = "agreed to" if contribution.destination and contribution.author else "finished"
        raise ContributionError(
            f"“{contribution.title}” is not {what} yet, so it was not sent.", "Go on with it first."
        )
    found = contributions.standing(contribution)
    # What was closed may have been opened again: the host is asked.
    if found is not None and found.outcome == "accepted" and not contributions.is_there(contribution):
        remote.require_undecided(found)


def _require_whole(parcel: Parcel) -> None:
    """
    Raises:
        ContributionError: it would be refused as it is.
    """
    for obstacle in obstacles(parcel):
        if obstacle.is_final:
            raise ContributionError(f"{obstacle.message} Nothing was sent.", obstacle.hint)


def _to_file(trip: Trip) -> None:
    trip.step("file")
    author = trip.contribution.author
    assert author is not None  # `send` saw to it
    labpack.write(Path(trip.destination.address), trip.parcel, trip.letter, author, trip.contribution.created)
    trip.note("file", file=trip.destination.address, identity=trip.identity)


def _note_in_library(trip: Trip) -> None:
    """Tell the library what was sent; a lesson that was changed, moved or deleted since it was prepared is not that."""
    library, folder = trip.contribution.library, Path(trip.contribution.path)
    try:
        now = prepare(library, folder)
    except LabError:
        return
    to, digest = trip.done.page or trip.destination.name, repository.digest_of(library / folder)
    is_noted = any(
        (each.path, each.digest, each.to) == (folder.as_posix(), digest, to) for each in repository.sent(library)
    )
    if _content(now) == _content(trip.parcel) and not is_noted:
        repository.note_sent(library, [folder], to)


def _content(parcel: Parcel) -> Parcel:
    return replace(parcel, before={})
