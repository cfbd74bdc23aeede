"""The library's menus: what can be done with what is in hand, and with the whole library."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from lab_desktop.ui.pages.library.bringing import Bringing
from lab_desktop.ui.pages.library.holdings import View
from lab_desktop.ui.pages.library.libraries import Libraries
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.steps import Steps
from lab_desktop.ui.pages.library.words import step_words
from lab_desktop.ui.words import tr


class Edits:
    """
    Attributes:
        actions: what the Edit menu offers while the library is in front.
    """

    def __init__(self, shelf: Shelf, steps: Steps, on_find: Callable[[], object], parent: QWidget) -> None:
        self._parent = parent
        self._undo = self._action("", "Ctrl+Z", shelf.undo)
        self._redo = self._action("", "Ctrl+Shift+Z", shelf.redo)
        self.actions = [
            self._undo, self._redo, self._line(),
            self._action(tr("New Lesson…"), "Ctrl+Shift+N", steps.new_lesson),
            self._action(tr("New Topic"), "Ctrl+Alt+N", steps.new_topic), self._line(),
            self._action(tr("Rename"), "F2", steps.rename),
            self._action(tr("Duplicate"), "Ctrl+D", steps.duplicate),
            self._action(tr("Move to…"), "Ctrl+Shift+M", steps.move_to),
            self._action(tr("Merge into…"), "", steps.merge),
            self._action(tr("Delete"), "Ctrl+Backspace", steps.delete), self._line(),
            self._action(tr("Find in Lessons"), "Ctrl+F", on_find),
        ]  # fmt: skip

    @property
    def about_one(self) -> list[QAction]:
        """What is about the topic or lesson in hand."""
        return self.actions[6:11]

    def show(self, view: View) -> None:
        """Name the steps that can be undone and done again."""
        for action, step, some, none in (
            (self._undo, view.undo, tr("Undo {0}"), tr("Nothing to Undo")),
            (self._redo, view.redo, tr("Redo {0}"), tr("Nothing to Redo")),
        ):
            action.setText(some.format(step_words(step)) if step is not None else none)
            action.setEnabled(step is not None)

    def _action(self, text: str, keys: str, do: Callable[[], object]) -> QAction:
        made = QAction(text, self._parent)
        made.setMenuRole(QAction.MenuRole.NoRole)
        made.setShortcut(QKeySequence(keys))
        made.triggered.connect(lambda _: do())
        return made

    def _line(self) -> QAction:
        made = QAction(self._parent)
        made.setSeparator(True)
        return made


def library_menu(
    shelf: Shelf,
    libraries: Libraries,
    bringing: Bringing,
    views: tuple[tuple[str, Callable[[], object]], ...],
    parent: QWidget,
) -> QMenu:
    """What can be done with the whole library.

    Args:
        views: (words, what it does) of what the middle can show beside the topics.
    """
    menu = fleeting_menu(parent)

    def add(text: str, do: Callable[[], object]) -> None:
        menu.addAction(text).triggered.connect(lambda _: do())

    for text, do in views:
        add(text, do)
    menu.addSeparator()
    add(tr("Import a file or archive…"), bringing.choose_file)
    add(tr("Import a folder…"), bringing.choose_folder)
    add(tr("Update from the community"), libraries.update)
    menu.addSeparator()
    for title, root in libraries.others():
        add(title, functools.partial(libraries.open, root))
    add(tr("Open a library in a folder…"), libraries.open_folder)
    add(tr("Open a library at an address…"), libraries.open_address)
    menu.addSeparator()
    add(tr("Show in folder"), functools.partial(show_folder, shelf.root))
    return menu


def fleeting_menu(parent: QWidget) -> QMenu:
    """A menu that is gone when it is closed."""
    made = QMenu(parent)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return made


def show_folder(folder: Path) -> None:
    """Show a folder as the system does."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
