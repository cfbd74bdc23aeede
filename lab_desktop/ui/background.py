"""A short look at the disk or the system that must not hold up the window: done in a thread, its result taken here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 30
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
        self._thread = ThreadPoolExecutor(1)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._future is None:
            self._stop = threading.Event()
            self._future = self._thread.submit(self._work, self._stop)
            self._timer.start()

    def stop(self) -> None:
        """Nobody waits for the result any more."""
        self._stop.set()
        self._timer.stop()
        if self._future is not None:
            wait([self._future], _PATIENCE_S)
            self._future = None

    def _look(self) -> None:
        if self._future is not None and self._future.done():
            future, self._future = self._future, None
            self._timer.stop()
            self._on_result(future.result())
