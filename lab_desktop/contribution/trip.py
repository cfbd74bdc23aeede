"""One try to send a contribution: what goes, how far it is, and the worker's voice."""

from __future__ import annotations

from typing import Any

from lab_desktop.contribution import contributions, frozen, journal
from lab_desktop.contribution.contributions import Author, Contribution
from lab_desktop.contribution.destinations import Destination
from lab_desktop.contribution.journal import Done, Step
from lab_desktop.jobs.run import Run

_WORDS: dict[str, str] = {
    "look": "looking at what is there",
    "documents": "sending the documents",
    "fork": "making your copy",
    "commit": "sending the lesson",
    "request": "asking to have it taken in",
    "file": "writing the file",
    "noted": "noting it in your library",
}


class Trip:
    """
    Attributes:
        contribution, destination, author: as agreed to.
        parcel, letter: as frozen.
        identity: of what is sent (`contributions.identity`).
        documents_identity: of its documents.
        done: how far it is.
    """

    def __init__(self, contribution: Contribution, run: Run) -> None:
        """
        Raises:
            RunError: what was prepared is damaged.
        """
        assert contribution.destination is not None
        assert contribution.author is not None
        self.contribution = contribution
        self.destination: Destination = contribution.destination
        self.author: Author = contribution.author
        self.parcel = contributions.parcel_of(contribution)
        self.letter = contributions.letter_of(contribution)
        self.identity = contributions.identity(contribution)
        self.documents_identity = frozen.look(contribution.folder, contribution.digest).documents_identity
        self.done: Done = contributions.done(contribution)
        self._run = run
        self._steps = list(_steps(self.destination, bool(self.parcel.documents)))
        self._text = f"Sending {contribution.title}"

    def step(self, name: str) -> None:
        """Say that a step begins; "" says that all are done.

        Raises:
            Cancelled: the person asked to stop.
        """
        at = self._steps.index(name) if name else len(self._steps)
        self._run.progress(self._text, at, len(self._steps))
        if name:
            self._run.detail(_WORDS[name])
            self._run.stop_if_cancelled()

    def tell(self, what: str, share: float) -> None:
        """Say how far the step in hand is."""
        self._run.detail(f"{what}, {share:.0%}")

    def is_cancelled(self) -> bool:
        """True once the person asked to stop."""
        return self._run.is_cancelled

    def note(self, step: Step, **facts: Any) -> None:
        """Note that a step is done.

        Raises:
            StorageError
        """
        journal.note(self.contribution.folder, step, self.destination.address, **facts)
        self.done = contributions.done(self.contribution)


def _steps(destination: Destination, has_documents: bool) -> list[str]:
    if destination.kind == "file":
        return ["file", "noted"]
    forge = ["fork", "commit", "request"] if destination.forge else ["commit"]
    return ["look", *(["documents"] if has_documents else []), *forge, "noted"]
