"""The contributions as the window shows them, read from the disk in a thread."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from lab_desktop.contribution import contributions, sending
from lab_desktop.contribution.contributions import Binned, Contribution, Done, State
from lab_desktop.contribution.following import Reply, is_followed, waiting_reply
from lab_desktop.contribution.hosts import Standing
from lab_desktop.contribution.letter import Letter
from lab_desktop.contribution.sending import Clash
from lab_desktop.errors import LabError
from lab_desktop.ui.words import tr


@dataclass(frozen=True)
class Held:
    """A contribution as it was read last.

    Attributes:
        state: how far it is.
        done: what was done of it.
        letter: what is said about it there; None: it cannot be read.
        standing: how it stood when the host was asked last; None: not yet.
        unread: comments and verdicts that nobody looked at.
        clash: both versions, where somebody changed the same lesson.
        reply: an answer to the reviewers that is not there yet.
        is_followed: somebody can still say something about it.
    """

    contribution: Contribution
    state: State = State.DRAFT
    done: Done = field(default_factory=Done)
    letter: Letter | None = None
    standing: Standing | None = None
    unread: int = 0
    clash: Clash | None = None
    reply: Reply | None = None
    is_followed: bool = False

    @property
    def folder(self) -> Path:
        return self.contribution.folder

    @property
    def needs_you(self) -> bool:
        """Something was said that nobody read, or nothing goes on without the person."""
        return bool(self.unread) or self.clash is not None or self.state is State.CHANGES

    @property
    def has_failed(self) -> bool:
        """A check found something in what was sent last."""
        standing = self.standing
        return (
            self.state is State.CHECKING
            and standing is not None
            and standing.at >= self.done.pushed_at
            and any(check.state == "failed" for check in standing.checks)
        )

    @property
    def is_out(self) -> bool:
        """It is somewhere else, or on its way there."""
        return self.state not in (State.DRAFT, State.READY, State.DECLINED)

    def news(self, before: Held) -> str:
        """What is to be told of it since it was read before, in a sentence that names nothing; "" for nothing."""
        verdicts = {
            State.ACCEPTED: tr("What you contributed was accepted."),
            State.DECLINED: tr("What you contributed was not accepted."),
            State.CHANGES: tr("Reviewers ask for changes in what you contributed."),
        }
        if self.state is not before.state and self.state in verdicts:
            return verdicts[self.state]
        return tr("Somebody said something about what you contributed.") if self.unread > before.unread else ""


def read_all() -> tuple[tuple[Held, ...], tuple[Binned, ...]]:
    """Every contribution with all that is shown of it, and the bin; newest first, damaged ones left out."""
    found = []
    for each in contributions.every():
        with contextlib.suppress(LabError):
            found.append(_read(each))
    return tuple(found), tuple(contributions.binned())


def _read(contribution: Contribution) -> Held:
    try:
        letter: Letter | None = contributions.letter_of(contribution)
    except LabError:
        letter = None
    try:
        clash = sending.clash(contribution) if contribution.trouble else None
    except LabError:
        clash = None
    return Held(
        contribution,
        contributions.state(contribution),
        contributions.done(contribution),
        letter,
        contributions.standing(contribution),
        contributions.unread(contribution),
        clash,
        waiting_reply(contribution),
        is_followed(contribution),
    )
