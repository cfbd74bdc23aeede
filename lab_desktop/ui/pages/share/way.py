"""A contribution on its way, as the sheet follows it: how far it is, again and again, and then what became of it."""

from __future__ import annotations

import functools

from PySide6.QtCore import QObject, Signal

from lab_desktop.errors import LabError
from lab_desktop.ui.background import Errands
from lab_desktop.ui.errand import ErrandState
from lab_desktop.ui.pages.share import preparing
from lab_desktop.ui.pages.share.outcome import Outcome, steps_of
from lab_desktop.ui.pages.share.preparing import Look, Sent
from lab_desktop.ui.sharing import Sharing


class Way(QObject):
    """Shows in `outcome` how far it is."""

    shown = Signal()
    """How far it is was shown anew."""
    ended = Signal(object)
    """`Sent`: how it stands, where nothing of it is being sent."""
    refused = Signal(object)
    """That could not be read: a LabError."""

    def __init__(self, outcome: Outcome, sharing: Sharing, errands: Errands, parent: QObject) -> None:
        super().__init__(parent)
        self._outcome, self._sharing, self._errands = outcome, sharing, errands
        self._followed: Look | None = None
        outcome.pause_wanted.connect(sharing.pause)
        sharing.said.connect(self._go_on)
        sharing.changed.connect(self._go_on)

    def follow(self, seen: Look) -> None:
        """Until it is not being sent any more."""
        self._followed = seen
        self._go_on()

    def leave(self) -> None:
        """Nobody looks on any more."""
        self._followed = None

    def look(self, seen: Look) -> None:
        """How it stands, whatever is being sent."""
        self._errands.do(functools.partial(preparing.how_it_is, seen.contribution), self.ended.emit, self._refuse)

    def _go_on(self) -> None:
        seen = self._followed
        if seen is None:
            return
        folder = seen.contribution.folder
        if not self._sharing.is_sending(folder) and not self._sharing.is_queued(folder):
            self._followed = None
            self.look(seen)
        elif not self._errands.is_busy:
            self._errands.do(functools.partial(preparing.how_it_is, seen.contribution), self._show, self._refuse)

    def _show(self, sent: Sent) -> None:
        seen, destination, sharing = self._followed, sent.contribution.destination, self._sharing
        if seen is None or destination is None:
            return
        folder = sent.contribution.folder
        is_stopping = sharing.errand.state is ErrandState.STOPPING
        progress = sharing.errand.progress if sharing.is_sending(folder) else None
        if is_stopping:
            detail = self.tr("pausing …")
        elif sharing.is_queued(folder):
            detail = self.tr("waits until the one before is sent")
        else:
            detail = progress.detail if progress is not None else self.tr("beginning …")
        steps = steps_of(
            sent.contribution, sent.done, has_documents=bool(seen.parcel.documents), is_there=sent.is_there
        )
        title = self.tr("Writing {0}") if destination.kind == "file" else self.tr("Sending to {0}")
        share = sum(step.state == "done" for step in steps) / max(1, len(steps))
        is_pausing = is_stopping or not sharing.is_sending(folder)
        self._outcome.show_way(title.format(destination.name), steps, share, detail, is_pausing=is_pausing)
        self.shown.emit()

    def _refuse(self, error: LabError) -> None:
        self.refused.emit(error)
