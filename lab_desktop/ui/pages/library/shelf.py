"""What the page asks of the library: everything is done in one thread, in its turn, and comes back when it is done."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from lab_desktop import paths, repository
from lab_desktop.contribution import labpack
from lab_desktop.errors import Cancelled, LabError
from lab_desktop.repository import Progress, Update
from lab_desktop.taxonomy.importing import Find, Haul, is_archive
from lab_desktop.taxonomy.library import Library, Step
from lab_desktop.ui.background import Errands
from lab_desktop.ui.pages.library.holdings import Filter, Holdings, View
from lab_desktop.ui.words import tr

_Value = TypeVar("_Value")
_TICK_MS = 250
_VIEW_EVERY = 12
"""Slices of reading between two looks at the tree."""


def _is_packed(source: Path) -> bool:
    """True for a file that has to be unpacked."""
    return is_archive(source) or labpack.is_labpack(source)


def _silent(what: str, share: float) -> None:
    """Tells nobody how far short work is."""


class Shelf(QObject):
    """
    Attributes:
        root: the library in hand.
        view: its tree as it was last seen.
        wanted: what is shown of it.
        is_open: it has been opened.
        busy: what long work is under way, "" for none.
        share: how far it is, 0–1; None while nobody knows.
        in_sight: paths of lessons that somebody is looking at; they are read first.
    """

    changed = Signal()
    """The tree is another."""
    opened = Signal()
    """A library was opened."""
    done = Signal(object)
    """A Step was done."""
    refused = Signal(object)
    """A LabError: why something was not done."""
    lost = Signal(object)
    """A LabError: why what was done before cannot be undone any more."""
    busy_changed = Signal()

    def __init__(self, home: Path, bins_time: float, parent: QObject) -> None:
        """
        Args:
            bins_time: the moment by which the days in the bin are counted (`bins.counted_time`).
        """
        super().__init__(parent)
        self._home, self._bins_time = home, bins_time
        self._errands, self._far = Errands(self), Errands(self)
        self._holdings: Holdings | None = None
        self.root = Path()
        self.view = View()
        self.wanted = Filter()
        self.is_open = False
        self.busy = ""
        self.share: float | None = None
        self.in_sight: Callable[[], Sequence[str]] = tuple
        self._is_working = False
        self._is_looking = False
        self._stop = threading.Event()
        self._said: list[tuple[str, float]] = []
        self._ticks = QTimer(self, interval=_TICK_MS)
        self._ticks.timeout.connect(self._tick)

    def open(self, root: Path) -> None:
        """Open a library; the one before is let go."""
        if self._holdings is not None:
            before = self._holdings
            self._errands.do(before.close, lambda _: None, self.refused.emit)
        self.root = root
        self.is_open = False
        self.view = View()
        is_own = root == self._home / paths.library().name
        starter = paths.resources() / "taxonomy" if is_own else None
        self._holdings = holdings = Holdings(root, starter, self._home / "index", self._bins_time)
        wanted = self.wanted

        def work() -> View:
            holdings.open()
            return holdings.look(wanted)

        def opened(view: View) -> None:
            self.is_open = True
            self.opened.emit()
            self._take(view)

        self._errands.do(work, opened, self.refused.emit)

    def close(self) -> None:
        """Let go of the library, for ever."""
        self.is_open = False
        self._stop.set()
        self._errands.stop(self._holdings.close if self._holdings is not None else lambda: None)
        self._far.stop()

    def look(self) -> None:
        """Compare with the disk, where it is cheap: when the page or the window comes to the front."""
        if self.is_open and not self._is_looking:
            self._is_looking = True
            self.ask(functools.partial(Holdings.look, wanted=self.wanted), self._looked)

    def _looked(self, view: View) -> None:
        self._is_looking = False
        self._take(view)

    def show_only(self, wanted: Filter) -> None:
        """Show a part of the lessons."""
        self.wanted = wanted
        if self.is_open:
            self.ask(functools.partial(Holdings.view, wanted=wanted), self._take)

    def ask(self, work: Callable[[Holdings], _Value], on_result: Callable[[_Value], object]) -> None:
        """Ask the library something; why it has no answer is told by `refused`."""
        if self.is_open and (holdings := self._holdings) is not None:
            self._errands.do(lambda: work(holdings), on_result, self._refuse)

    def act(self, do: Callable[[Library], Step | None]) -> None:
        """Do a step; `done` and `changed` tell of it, or `refused` why not."""
        wanted = self.wanted
        self.ask(lambda holdings: holdings.act(do, wanted), self._acted)

    def _acted(self, result: tuple[Step | None, View]) -> None:
        step, view = result
        self._take(view)
        if step is not None:
            self.done.emit(step)

    def look_through(self, source: Path, topic: str, on_result: Callable[[Haul], object]) -> None:
        """Look through a lesson file, or a folder or archive with many; who gets the haul closes it.

        Args:
            topic: where lessons go that have no place of their own.
        """
        if not self.is_open or (holdings := self._holdings) is None or self._is_busy_with_something_else():
            return
        haul = Haul(source, self.root / topic / "imported", labpack.unpackers())
        is_soon = source.is_file() and not _is_packed(source)  # its line about long work would only flash
        say, stop = (_silent, threading.Event()) if is_soon else self._begin(tr("Looking through the lessons"))

        def look() -> bool:
            with contextlib.suppress(Cancelled):
                haul.look(say, stop.is_set)
                return True
            return False

        def settle() -> Haul:
            holdings.look_through(haul, topic)
            return haul

        def looked(is_whole: bool) -> None:
            self._end()
            if is_whole:
                self._errands.do(settle, on_result, self._refuse)

        (self._errands if is_soon else self._far).do(look, looked, self._fail)

    def bring(self, haul: Haul, finds: Sequence[Find]) -> None:
        """Take these lessons of a haul in as one step, and let go of it."""
        if self._holdings is None or self._is_busy_with_something_else():
            self.let_go(haul)
            return
        say, stop = self._begin(tr("Importing the lessons")) if len(finds) > 1 else (_silent, threading.Event())
        holdings, wanted = self._holdings, self.wanted

        def work() -> tuple[Step | None, View] | None:
            with contextlib.suppress(Cancelled), contextlib.closing(haul):
                return holdings.bring(finds, wanted, say, stop.is_set)
            return None

        def came(result: tuple[Step | None, View] | None) -> None:
            self._end()
            if result is not None:
                self._acted(result)

        self._errands.do(work, came, self._fail)

    def let_go(self, haul: Haul) -> None:
        """Nothing of a haul is wanted."""
        self._errands.do(haul.close, lambda _: None, self.refused.emit)

    def put_back(self, folder: Path) -> None:
        """A lesson that was deleted, from the bin or as the community has it, as a step."""
        wanted = self.wanted
        self.ask(lambda holdings: holdings.put_back(folder, wanted), self._acted)

    def undo(self) -> None:
        self.act(Library.undo)

    def redo(self) -> None:
        self.act(Library.redo)

    def update(self, on_result: Callable[[Update], object]) -> None:
        """Bring what the community has newly; `busy` tells how far it is."""
        if self._is_busy_with_something_else() or self._holdings is None:
            return
        say, stop = self._begin(tr("Asking the community’s library for news"))

        holdings = self._holdings

        def work() -> Update | None:
            with contextlib.suppress(Cancelled):
                return holdings.update(say, stop.is_set)
            return None

        def came(update: Update | None) -> None:
            self._end()
            if update is not None:
                self.look()
                on_result(update)

        self._errands.do(work, came, self._fail)

    def clone(self, url: str, root: Path, on_result: Callable[[Path], object]) -> None:
        """A copy of the library at an address; the one in hand stays in use meanwhile."""
        if self._is_busy_with_something_else():
            return
        say, stop = self._begin(tr("Copying the library"))

        def work() -> bool:
            with contextlib.suppress(Cancelled):
                repository.clone(url, root, say, stop.is_set)
                return True
            return False

        def came(is_whole: bool) -> None:
            self._end()
            if is_whole:
                on_result(root)

        self._far.do(work, came, self._fail)

    def cancel(self) -> None:
        """Give up the long work; nothing of it remains."""
        self._stop.set()

    def _is_busy_with_something_else(self) -> bool:
        if self.busy:
            hint = tr("Wait until that is done, or cancel it.")
            self.refused.emit(LabError(tr("The library is at work already: {0}.").format(self.busy), hint))
        return bool(self.busy)

    def _begin(self, what: str) -> tuple[Progress, threading.Event]:
        self.busy, self.share = what, None
        self._stop = stop = threading.Event()
        self._said = said = [(what, 0.0)]
        self._ticks.start()
        self.busy_changed.emit()
        # The thread holds a list and nothing of Qt: this object may be gone before it is done.
        return lambda what, share: said.__setitem__(0, (what, share)), stop

    def _tick(self) -> None:
        what, share = self._said[0]
        self.busy, self.share = what or self.busy, share or None
        self.busy_changed.emit()

    def _end(self) -> None:
        if self.busy:
            self._ticks.stop()
            self.busy, self.share = "", None
            self.busy_changed.emit()

    def _refuse(self, error: LabError) -> None:
        self._is_looking = False
        self.refused.emit(error)
        self.look()  # what was asked for may have gone: somebody else changes the folder too

    def _fail(self, error: LabError) -> None:
        self._end()
        self._refuse(error)

    def _take(self, view: View) -> None:
        self.view = view
        self.changed.emit()
        if view.loss is not None:
            self.lost.emit(view.loss)
        self._work()

    def _work(self) -> None:
        """Read and judge what is left, a slice at a time, so that questions come in between."""
        if self._is_working or self.view.is_whole:
            return
        self._is_working = True
        self._slice(0)

    def _slice(self, count: int) -> None:
        def came(more: bool) -> None:
            if more and (count + 1) % _VIEW_EVERY:
                self._slice(count + 1)
                return
            self._is_working = False
            self.ask(functools.partial(Holdings.view, wanted=self.wanted, is_whole=not more), self._take)

        self.ask(functools.partial(Holdings.work, first=self.in_sight()), came)
