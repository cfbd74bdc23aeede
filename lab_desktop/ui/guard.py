"""Work that an event of Qt's calls for, so that a mistake in it is told and ends nothing.

PySide 6.11 goes on calling overrides (`showEvent` and the like) of other widgets while an exception of one is pending,
and each time gives one reference to the override back that it never took. The second such call ends the process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


def guarded(work: Callable[[], object]) -> None:
    """Do it; what it raises is told as any other mistake and does not leave the event."""
    try:
        work()
    except Exception:  # noqa: BLE001 - see above: it would end the process
        sys.excepthook(*sys.exc_info())
