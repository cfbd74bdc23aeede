"""Changes of the disk, counted as they are about to happen: for what dies, or is refused, at exactly one of them.

Changes are what Python's audit events tell: files opened for writing, renames, removals, links, folders.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable

_READING = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr")
_GIVING_BACK = ("os.remove", "os.rmdir", "shutil.rmtree")
_LONGEST_S = 30


def on_each_change(act: Callable[[int, bool], None], below: str = "") -> None:
    """Call `act` just before every change that this process makes; what it raises stops the change.

    Args:
        act: gets the change's number from 1 on, and whether it takes nothing of the disk: removing does not.
        below: only changes of paths that begin so count; "" for all.
    """
    number = 0

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal number
        is_change = event.startswith(("os.", "shutil.")) and event not in _READING
        is_change = is_change or (event == "open" and arguments[1] not in ("r", "rb", None))
        if is_change and str(arguments[0]).startswith(below):
            number += 1
            act(number, event in _GIVING_BACK)

    sys.addaudithook(hear)


def killed_at(step: int, action: Callable[[], object], below: str = "") -> bool:
    """Do `action` in a child that is killed before its change of the disk number `step`; False when it ended before.

    Args:
        below: as in `on_each_change`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of newer Pythons: the child only does `action` and ends
        child = os.fork()
    if child == 0:
        signal.alarm(_LONGEST_S)
        on_each_change(lambda number, _: os.kill(os.getpid(), signal.SIGKILL) if number == step else None, below)
        try:
            action()
        finally:
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) == signal.SIGKILL, "the child hung"
    return os.WIFSIGNALED(status)
