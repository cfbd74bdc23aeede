"""The window's own fixtures."""

from __future__ import annotations

from tests.ui.conftest import collector, session, shown, window

__all__ = ["collector", "session", "shown", "window"]
