"""The right column: the lesson in hand; for a while a panel that asks, or one that tells what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lab_desktop.taxonomy.index import Node
from lab_desktop.ui.pages.library.change_panel import ChangePanel
from lab_desktop.ui.pages.library.lists import target_row
from lab_desktop.ui.pages.library.preview import Preview
from lab_desktop.ui.pages.library.side import PickPanel, PlacePanel
from lab_desktop.ui.theme import look

_WIDTH, _NARROWER = 344, 54
_CHANGES_WIDTH = 460


class Right(QStackedWidget):
    """
    Attributes:
        preview, places, pick, changes: what it can show.
    """

    closed = Signal()
    """A panel that asked was closed, and the lesson in hand is there again."""

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self._taken: Callable[[str], object] = lambda _: None
        self._offer: Callable[[str], object] = lambda _: None
        self.preview = preview
        self.places = PlacePanel()
        self.pick = PickPanel()
        self.changes = ChangePanel()
        for part in (self.preview, self.places, self.pick, self.changes):
            self.addWidget(part)
        self.places.closed.connect(self.close_panel)
        self.pick.closed.connect(self.close_panel)
        self.pick.picked.connect(self._picked)
        self.pick.asked.connect(lambda words: self._offer(words))

    def fit(self, page_width: int, *, is_narrow: bool, is_wide: bool) -> None:
        """As wide as there is room, and as both texts of a difference need."""
        if is_wide:
            self.setFixedWidth(min(look().grown(_CHANGES_WIDTH) - _NARROWER * is_narrow, page_width // 2))
        else:
            self.setFixedWidth(look().grown(_WIDTH) - _NARROWER * is_narrow)

    def show_part(self, part: QWidget) -> None:
        """One of its parts."""
        self.setCurrentWidget(part)

    def choose_one(
        self, heading: str, about: str, button: str, nodes: Sequence[Node], on_taken: Callable[[str], object]
    ) -> None:
        """Ask which topic or lesson is meant.

        Args:
            on_taken: gets its path.
        """
        rows = [target_row(node) for node in nodes]

        def show(words: str) -> None:
            asked = words.casefold().split()
            self.pick.show_rows([each for each in rows if all(word in each.spoken.casefold() for word in asked)])

        self._taken, self._offer = on_taken, show
        self.setCurrentWidget(self.pick)
        self.pick.begin(heading, about, button)

    def _picked(self, path: str) -> None:
        self.close_panel()
        self._taken(path)

    def close_panel(self) -> None:
        """Back to the lesson in hand, from a panel that asks."""
        if self.currentWidget() in (self.places, self.pick):
            self.setCurrentWidget(self.preview)
            self.closed.emit()
