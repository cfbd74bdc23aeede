"""Cards of what has ids: each is made once and stays while its thing does, in order, with the keyboard going along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from PySide6.QtWidgets import QVBoxLayout, QWidget


class _Identified(Protocol):
    @property
    def id(self) -> int: ...


_Thing = TypeVar("_Thing", bound=_Identified)
_Card = TypeVar("_Card", bound=QWidget)


class Kept(Generic[_Thing, _Card]):
    """Attributes:
    layout: where the cards stand.
    by_id: the cards in order.
    """

    def __init__(self, make: Callable[[_Thing], _Card], before: QWidget, after: QWidget, gap: int) -> None:
        """
        Args:
            make: a card for a thing; it has `controls`.
            before, after: what the keyboard comes from, and goes to.
            gap: between cards.
        """
        self._make, self._before, self._after = make, before, after
        self.layout = QVBoxLayout()
        self.layout.setSpacing(gap)
        self.by_id: dict[int, _Card] = {}

    def arrange(self, things: Sequence[_Thing]) -> None:
        """A card for each of these and no other; those that stay keep the cursor."""
        wanted = [thing.id for thing in things]
        if wanted == list(self.by_id):
            return
        for identity in [identity for identity in self.by_id if identity not in wanted]:
            card = self.by_id.pop(identity)
            self.layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        cards = {}
        last = self._before
        for place, thing in enumerate(things):
            card = self.by_id.get(thing.id) or self._make(thing)
            cards[thing.id] = card
            if self.layout.indexOf(card) != place:
                self.layout.removeWidget(card)
                self.layout.insertWidget(place, card)
            card.show()  # now: who types on at once leaves it with Tab
            for part in card.controls:  # type: ignore[attr-defined]
                QWidget.setTabOrder(last, part)
                last = part
        QWidget.setTabOrder(last, self._after)
        self.by_id = cards
