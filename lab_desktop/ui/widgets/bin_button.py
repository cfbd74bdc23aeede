"""The bin of a page: what was thrown away and can be put back, as a button with a menu."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from lab_desktop.ui.widgets.basic import Button
from lab_desktop.ui.words import when


class _InBin(Protocol):
    """What is shown of something in a bin: its title, and when it was deleted (seconds since 1970)."""

    @property
    def title(self) -> str: ...

    @property
    def deleted(self) -> float: ...


_Thing = TypeVar("_Thing", bound=_InBin)


class BinButton(Button, Generic[_Thing]):
    """Hidden while there is nothing."""

    def __init__(self, restore: Callable[[_Thing], object]) -> None:
        super().__init__("", "quiet", icon="bin", on_click=self._show_menu)
        self._restore = restore
        self._thrown: Sequence[_Thing] = ()
        self.hide()

    def show_thrown(self, thrown: Sequence[_Thing]) -> None:
        self._thrown = thrown
        self.setText(self.tr("Bin ({0})").format(len(thrown)))
        self.setVisible(bool(thrown))

    def _show_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for each in self._thrown:
            words = self.tr("Put back “{0}”, deleted {1}").format(each.title, when(each.deleted))
            menu.addAction(words).triggered.connect(functools.partial(self._put_back, each))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _put_back(self, thing: _Thing, _: bool = False) -> None:
        self._restore(thing)
