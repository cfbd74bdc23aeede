"""How all open contributions stand, asked in a worker; and what the person answers to reviewers.

FOLDER/reply.json   an answer that was written and is not there yet, and which comments there were then

An answer is sent by the worker that asks. One that a killed worker had sent already is among the comments that are new
since, and is not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab_desktop.contribution import contributions, hosts, remote, sending
from lab_desktop.contribution.accounts import NotSignedIn
from lab_desktop.contribution.contributions import Contribution, State
from lab_desktop.contribution.hosts import Standing
from lab_desktop.errors import ContributionError, KeyringError, LabError, RunError
from lab_desktop.files import disk_errors, read_json, write_json
from lab_desktop.jobs import errands
from lab_desktop.jobs.run import Run

FILE_NAME = "reply.json"
MOST_LETTERS = 60_000
"""Of an answer: the hosts take 65,536 letters of a comment."""
_OPEN = (State.SENT, State.CHECKING, State.CHANGES)


def is_followed(contribution: Contribution) -> bool:
    """Somebody can still say something about it."""
    return bool(contributions.done(contribution).number) and contributions.state(contribution) in _OPEN


def _is_closed(contribution: Contribution) -> bool:
    """Nobody says anything about it, and it may be opened again."""
    return contributions.state(contribution) is State.DECLINED


@dataclass(frozen=True)
class Reply:
    """An answer that waits.

    Attributes:
        text: Markdown.
        seen: ids of the comments that were there when it was written.
    """

    text: str
    seen: tuple[str, ...] = ()


def write_reply(contribution: Contribution, text: str) -> None:
    """Keep an answer for the reviewers, in place of one that waits; `follow_all` sends it.

    Raises:
        ContributionError: it is empty, too long, or there is nobody to answer.
        StorageError
    """
    if not text.strip():
        raise ContributionError("The answer is empty.", "Write what the reviewers should know.")
    if len(text) > MOST_LETTERS:
        raise ContributionError(
            f"The answer has {len(text):,} letters, and at most {MOST_LETTERS:,} can be sent.", "Make it shorter."
        )
    if not contributions.done(contribution).number:
        raise ContributionError("It was not sent yet, so there is nobody to answer.", "Send it first.")
    found = contributions.standing(contribution)
    seen = [comment.id for comment in found.comments] if found is not None else []
    write_json(contribution.folder / FILE_NAME, {"text": text.strip(), "seen": seen})


def waiting_reply(contribution: Contribution) -> Reply | None:
    """The answer that is not there yet; None: there is none, or it cannot be read."""
    if not (contribution.folder / FILE_NAME).is_file():
        return None
    try:
        value = read_json(contribution.folder / FILE_NAME, "text", "seen")
        return Reply(str(value["text"]), tuple(map(str, value["seen"])))
    except (RunError, TypeError):
        return None


def forget_reply(contribution: Contribution) -> None:
    """
    Raises:
        StorageError
    """
    with disk_errors(contribution.folder, "The answer"):
        (contribution.folder / FILE_NAME).unlink(missing_ok=True)


def follow_all(run: Run) -> dict[str, Any]:
    """Send what was answered, and ask about every open contribution. Runs in a child process or a command only.

    What one host refuses keeps nobody from asking the others; the first refusal is told in the result.

    Returns:
        {"asked": how many told how they stand, "trouble": a sentence or "", "hint": what to do,
        "is_offline": the trouble is that there is no connection}

    Raises:
        StorageError, Cancelled
    """
    followed = [each for each in contributions.every() if is_followed(each) or _is_closed(each)]
    asked, troubles = 0, list[LabError]()
    for place, contribution in enumerate(followed):
        run.stop_if_cancelled()
        run.progress("Asking how it stands", place, len(followed))
        try:
            asked += _follow(contribution) is not None
        except NotSignedIn:
            host = contribution.destination.host if contribution.destination is not None else ""
            troubles.append(ContributionError(f"Nobody is signed in at {host}, so it was not asked.", "Sign in there."))
        except (ContributionError, KeyringError) as error:
            troubles.append(error)
    errands.close(run.folder)
    first = troubles[0] if troubles else None
    return {
        "asked": asked,
        "trouble": first.message if first else "",
        "hint": first.hint if first else "",
        "is_offline": isinstance(first, hosts.Unreachable),
    }


def _follow(contribution: Contribution) -> Standing | None:
    standing = sending.follow(contribution)
    reply = waiting_reply(contribution)
    if reply is None or standing is None:
        return standing
    if not _has_come(contribution, reply, standing):
        destination = contribution.destination
        assert destination is not None  # it was sent there
        host = hosts.host(destination, remote.sign_in(destination).secret)
        host.reply(destination.full_name, contributions.done(contribution).number, reply.text)
        standing = sending.follow(contribution)
    forget_reply(contribution)
    return standing


def _has_come(contribution: Contribution, reply: Reply, standing: Standing) -> bool:
    """A worker that was killed had sent it."""
    own = contributions.done(contribution).login
    return any(
        comment.id not in reply.seen and comment.who == own and comment.text.split() == reply.text.split()
        for comment in standing.comments
    )
