"""A short look at the disk or the system that must not hold up the window: done in a thread, its result taken here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from lab_desktop.errors import LabError

_LOOK_MS = 30
_LOOK_OFTEN_MS = 12
_PATIENCE_S = 1.0
Result = TypeVar("Result")


class Background(QObject, Generic[Result]):
    """Runs a function that is told when to give up; `on_result` is called in the window's own thread.

    The function holds no widget: it may be the last to let go of what it holds, and does so in its thread.
    """

    def __init__(
        self, work: Callable[[threading.Event], Result], on_result: Callable[[Result], object], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._work, self._on_result = work, on_result
        self._stop = threading.Event()
        self._future: Future[Result] | None = None
        self._is_old = False
        self._thread = ThreadPoolExecutor(1)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._future is None:
            self._stop = threading.Event()
            self._future = self._thread.submit(self._work, self._stop)
            self._timer.start()

    def renew(self) -> None:
        """Begin; what is under way may have looked before something changed, and is followed by one more."""
        self._is_old = self._future is not None
        self.start()

    def stop(self) -> None:
        """Nobody waits for the result any more."""
        self._is_old = False
        self._stop.set()
        self._timer.stop()
        if self._future is not None:
            wait([self._future], _PATIENCE_S)
            self._future = None

    def _look(self) -> None:
        if self._future is not None and self._future.done():
            future, self._future = self._future, None
            self._timer.stop()
            is_old, self._is_old = self._is_old, False
            if is_old:
                self.start()
            self._on_result(future.result())


class Errands(QObject):
    """Functions done one after the other in one thread; what each gives is handed over in the window's own thread.

    What belongs to one thread alone (a data base, a history) is made and used in these functions only.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[tuple[Future[Any], Callable[[Any], object], Callable[[LabError], object]]] = deque()
        self._timer = QTimer(self, interval=_LOOK_OFTEN_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting)

    def do(
        self,
        work: Callable[[], Result],
        on_result: Callable[[Result], object],
        on_problem: Callable[[LabError], object],
    ) -> None:
        """
        Args:
            work: holds no widget, as with `Background`.
            on_problem: takes a LabError that `work` raised; anything else is a mistake and told as one.
        """
        self._waiting.append((self._thread.submit(work), on_result, on_problem))
        self._timer.start()

    def stop(self, last: Callable[[], object] = lambda: None) -> None:
        """Nobody waits for what has not come yet, and what has not begun is not done, but for the `last` thing."""
        self._timer.stop()
        for future, _, _ in self._waiting:
            future.cancel()
        self._waiting.clear()
        self._thread.submit(last)
        self._thread.shutdown(wait=False)

    def _look(self) -> None:
        while self._waiting and self._waiting[0][0].done():
            future, on_result, on_problem = self._waiting.popleft()
            if not self._waiting:
                self._timer.stop()
            try:
                result = future.result()
            except LabError as error:
                on_problem(error)
            else:
                on_result(result)
