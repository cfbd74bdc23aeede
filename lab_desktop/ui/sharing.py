"""What the window knows of the contributions: read from the disk in a thread, sent and followed by workers.

One is sent at a time, beside whatever heavy job runs; others wait. How those stand that were sent is asked when the
window starts, every ten minutes, and when somebody wants to know. Without a connection nothing is said about that.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

from lab_desktop import paths
from lab_desktop.errors import LabError
from lab_desktop.files import disk_errors
from lab_desktop.jobs.errands import FollowRequest, ShareRequest
from lab_desktop.projects import Project
from lab_desktop.taxonomy.tree import FILE_NAME as LESSON
from lab_desktop.ui.background import Background, Errands
from lab_desktop.ui.errand import ErrandState, OneErrand
from lab_desktop.ui.words import number, tr

if TYPE_CHECKING:
    from lab_desktop.contribution.contributions import Binned, Contribution
    from lab_desktop.ui.held import Held

_Read: TypeAlias = "tuple[tuple[Held, ...], tuple[Binned, ...]]"
_PATIENCE_MS = 4000
FOLLOW_MS = 600_000
"""So often it is asked how they stand."""


class Sharing(QObject):
    """Attributes:
    held: all contributions, newest first, as they were read last; empty before.
    thrown: those in the bin.
    is_read: they have been read.
    errand: the one that is being sent, or was sent last.
    following: asks how those stand that were sent.
    trouble: why that was not told the last time, and what to do; empty where it was.
    is_offline: that was for want of a connection.
    """

    changed = Signal()
    """Something of the contributions is another, or another one is being sent."""
    said = Signal()
    """What is being sent got on."""
    news = Signal(str)
    """Somebody said something about one: a sentence that names none."""
    thrown_away = Signal(object)
    """One is in the bin now: a `Binned`."""
    refused = Signal(object)
    """What the person asked for could not be done: a LabError."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.held: tuple[Held, ...] = ()
        self.thrown: tuple[Binned, ...] = ()
        self.is_read = False
        self.trouble = ("", "")
        self.is_offline = False
        self.errand = OneErrand(ShareRequest, self)
        self.following = OneErrand(FollowRequest, self)
        self._queue: list[Path] = []
        self._is_stale = False
        self._follows_again = False
        self._is_begun = False
        self._reader = Background["_Read | LabError"](lambda _: _read_all(), self._take, self)
        self._is_reading = False
        self._errands = Errands(self)
        self._timer = QTimer(self, interval=FOLLOW_MS)
        self._timer.timeout.connect(self.look_again)
        self.errand.said.connect(self.said)
        self.errand.changed.connect(self._sending_changed)
        self.following.changed.connect(self._following_changed)

    # What there is

    @property
    def needing(self) -> int:
        """How many need the person."""
        return sum(each.needs_you for each in self.held)

    def of(self, folder: Path) -> Held | None:
        """The contribution of a folder."""
        return next((each for each in self.held if each.folder == folder), None)

    def of_lesson(self, path: str) -> Held | None:
        """The newest contribution of a lesson, by its folder in the taxonomy, with slashes."""
        return next((each for each in self.held if each.contribution.path == path), None)

    def is_shared(self, project: Project) -> bool:
        """A lesson of a project is somewhere else, or on its way there."""
        out = (each.contribution.path for each in self.held if each.is_out)
        return any((project.lessons / path / LESSON).is_file() for path in out)

    @property
    def words(self) -> str:
        """How far the one is that is being sent."""
        progress = self.errand.progress
        if self.errand.state is ErrandState.STOPPING:
            return tr("stopping …")
        if progress is None or not progress.total:
            return tr("getting ready …")
        if progress.detail:
            return progress.detail
        return tr("step {0} of {1}").format(number(min(progress.done + 1, progress.total)), number(progress.total))

    def is_sending(self, folder: Path) -> bool:
        """It is on its way now."""
        return self.errand.is_busy and self.errand.request is not None and self.errand.request.folder == folder

    def is_queued(self, folder: Path) -> bool:
        """It is sent when those before it are."""
        return folder in self._queue

    @property
    def is_asking(self) -> bool:
        return self.following.is_busy

    # Reading

    def begin(self) -> None:
        """Read them for the first time; then send what waited, and ask about the others."""
        self._is_begun = True
        self._timer.start()
        self.refresh()

    def refresh(self) -> None:
        """Read them again; `changed` follows where anything is another."""
        if self._is_reading:
            self._is_stale = True
            return
        self._is_reading = True
        self._reader.start()

    def _take(self, found: _Read | LabError) -> None:
        self._is_reading = False
        if isinstance(found, LabError):
            self.refused.emit(found)
            return
        before, self.held = self.held, found[0]
        was_thrown, self.thrown = self.thrown, found[1]
        was_read, self.is_read = self.is_read, True
        if was_read:
            self._tell_news(before)
        if (self.held, self.thrown) != (before, was_thrown) or not was_read:
            self.changed.emit()
        if self._is_stale:
            self._is_stale = False
            self.refresh()
        elif self._is_begun:
            self._is_begun = False
            self.look_again()

    def _tell_news(self, before: Sequence[Held]) -> None:
        known = {each.folder: each for each in before}
        for each in self.held:
            old = known.get(each.folder)
            if old is not None and (words := each.news(old)):
                self.news.emit(words)

    # Sending

    def send(self, contribution: Contribution) -> None:
        """Send one, after those that are being sent; what was done of it is not done again.

        Raises:
            StorageError: it could not be noted.
        """
        if not self.is_sending(contribution.folder) and not self.is_queued(contribution.folder):
            self._queue.append(contribution.folder)
            self._send_next()
            self.changed.emit()

    def pause(self) -> None:
        """Stop the one that is being sent, and those that wait: what was done stays."""
        self._queue.clear()
        self.errand.pause()
        self.changed.emit()

    def hold(self, folder: Path) -> None:
        """Send this one no more before somebody says so; others go on."""
        if self.is_sending(folder):
            self.errand.pause()
        else:
            self._queue = [each for each in self._queue if each != folder]
            self._do(functools.partial(_want, folder, is_wanted=False))
        self.changed.emit()

    def _send_next(self) -> None:
        if self._queue and not self.errand.is_busy:
            self.errand.start(ShareRequest(self._queue.pop(0)))

    def _sending_changed(self) -> None:
        if self.errand.is_busy:
            self.changed.emit()
            return
        self.refresh()
        try:
            self._send_next()
        except LabError as error:
            self.refused.emit(error)
        self.changed.emit()
        if self.errand.state is ErrandState.DONE and not self._queue:
            self.follow()

    # What became of them

    def look_again(self) -> None:
        """Try again what waits for a connection, and ask about what was sent."""
        try:
            for each in self.held:
                if each.contribution.is_wanted and each.clash is None:
                    self.send(each.contribution)
        except LabError as error:
            self.refused.emit(error)
        self.follow()

    def follow(self) -> None:
        """Ask how those stand that were sent, and send what was answered; nothing where there is none."""
        if self.following.is_busy:
            self._follows_again = True  # an answer may have come too late for it
            return
        if not any(each.is_followed for each in self.held):
            return
        try:
            self.following.start(FollowRequest())
        except LabError as error:
            self.refused.emit(error)

    def _following_changed(self) -> None:
        following = self.following
        if not following.is_busy:
            if following.state is ErrandState.DONE:
                result = following.result
                self.trouble = (str(result.get("trouble", "")), str(result.get("hint", "")))
                self.is_offline = bool(result.get("is_offline"))
            elif following.state is ErrandState.FAILED:
                self.trouble, self.is_offline = (following.text, following.hint), False
            self.refresh()
            if self._follows_again:
                self._follows_again = False
                self.follow()
        self.changed.emit()

    # What the person does with one

    def reply(self, contribution: Contribution, text: str) -> None:
        """Answer the reviewers: kept at once, sent as soon as it can be.

        Raises:
            ContributionError: it is empty or too long, or it was not sent yet.
            StorageError
        """
        from lab_desktop.contribution.following import write_reply

        write_reply(contribution, text)
        self.refresh()
        self.follow()

    def take_back(self, contribution: Contribution) -> None:
        """The answer that waits is not sent, unless it is under way."""
        self._do(functools.partial(_forget_reply, contribution))

    def mark_read(self, held: Held) -> None:
        """Everything that was said about it was seen."""
        if held.unread:
            self._do(functools.partial(_mark_read, held.contribution))

    def keep_ours(self, contribution: Contribution) -> None:
        """Send the person's version on top of what somebody else changed: both histories stay."""

        def then(kept: Contribution) -> None:
            self.refresh()
            try:
                self.send(kept)
            except LabError as error:
                self.refused.emit(error)

        self._errands.do(functools.partial(_keep_ours, contribution), then, self.refused.emit)

    def throw_away(self, contribution: Contribution) -> None:
        """Into the bin; what was sent stays where it is."""
        self._queue = [folder for folder in self._queue if folder != contribution.folder]
        self._errands.do(functools.partial(_throw_away, contribution), self._threw_away, self.refused.emit)

    def _threw_away(self, thrown: Binned) -> None:
        self.refresh()
        self.thrown_away.emit(thrown)

    def follow_lessons(self, roots: Sequence[Path], moved: Sequence[tuple[Path, Path]]) -> None:
        """Lessons below these folders have other places now (`contributions.follow`)."""
        self._do(functools.partial(_follow_lessons, tuple(roots), tuple(moved)))

    def put_back(self, thrown: Binned) -> None:
        """Out of the bin, as it was."""
        self._do(functools.partial(_put_back, thrown))

    def _do(self, work: Callable[[], None]) -> None:
        self._errands.do(work, lambda _: self.refresh(), self.refused.emit)

    def stop(self, patience_ms: int = _PATIENCE_MS) -> None:
        """The window is closing: what is under way is paused and waited for, and sent when a window is there again."""
        request = self.errand.request if self.errand.is_busy and self.errand.state is ErrandState.RUNNING else None
        wanted = [*([request.folder] if request is not None else []), *self._queue]
        self._queue.clear()
        self._timer.stop()
        self._reader.stop()
        self.errand.stop(patience_ms)
        self.following.stop(patience_ms)
        for folder in wanted:
            with contextlib.suppress(LabError):
                _want(folder, is_wanted=True)


def _read_all() -> _Read | LabError:
    try:
        with disk_errors(paths.contributions(), "What was contributed"):
            if not paths.contributions().is_dir():
                return (), ()
            from lab_desktop.ui.held import read_all  # it is imported in the thread, not while the window opens

            return read_all()
    except LabError as error:
        return error


def _mark_read(contribution: Contribution) -> None:
    from lab_desktop.contribution import contributions

    contributions.mark_read(contribution)


def _keep_ours(contribution: Contribution) -> Contribution:
    from lab_desktop.contribution import sending

    return sending.keep_ours(contribution)


def _throw_away(contribution: Contribution) -> Binned:
    from lab_desktop.contribution import contributions

    return contributions.throw_away(contribution)


def _follow_lessons(roots: Sequence[Path], moved: Sequence[tuple[Path, Path]]) -> None:
    if paths.contributions().is_dir():
        from lab_desktop.contribution import contributions

        for root in roots:
            contributions.follow(root, moved)


def _put_back(thrown: Binned) -> None:
    from lab_desktop.contribution import contributions

    contributions.put_back(thrown)


def _forget_reply(contribution: Contribution) -> None:
    from lab_desktop.contribution import following

    following.forget_reply(contribution)


def _want(folder: Path, *, is_wanted: bool) -> None:
    """Whether it is sent when a window is there again."""
    from lab_desktop.contribution import contributions

    contributions.update(contributions.read(folder), is_wanted=is_wanted)
