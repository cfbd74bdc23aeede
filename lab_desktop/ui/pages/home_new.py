"""A new project, begun on Home: what it is called, and the lessons of a folder, if there is one; its place follows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from lab_desktop import projects
from lab_desktop.errors import LabError
from lab_desktop.projects import Project
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.background import Errands
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, ElidedLabel, Icon, Label, announce, column, row
from lab_desktop.ui.words import number, tr

_WIDEST = 560


@dataclass(frozen=True)
class _Found:
    """The lessons of a folder, and what a project of them would be called."""

    leaves: Sequence[Path]
    title: str
    words: str


class NewProject(Card):
    """Attributes:
    name: what it is to be called.
    folder: lets a folder with lessons be chosen.
    make_it, cancel: make it, or leave it.
    """

    made = Signal(object)
    """The `Project` that is there now."""
    shown = Signal()
    """It is asked for, or not any more."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: _Found | None = None
        self._is_making = False
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the project"))
        self.name.setPlaceholderText(self.tr("for example: Our service manual"))
        self.name.setMaximumWidth(look().grown(_WIDEST))
        self._place = ElidedLabel("", "small", "text3")
        self._why = Label("", "small", "text2", wraps=True)
        self._wrong = QWidget()
        line = row(Icon("warn", "warn", 16), self._why, gap=8, margins=(0, 4, 0, 4))
        line.setStretch(1, 1)
        self._wrong.setLayout(line)
        self._lessons = Label("", "body", "text2", wraps=True)
        self.folder = Button(self.tr("Lessons from a folder…"), icon="folder", on_click=self.choose_folder)
        self._without = Button(self.tr("Without them"), "plain", on_click=lambda: self._take(None))
        lessons = row(self._lessons, self.folder, self._without, gap=8)
        lessons.setStretch(0, 1)
        self.make_it = Button(self.tr("Create project"), "primary", on_click=self._make)
        self.cancel = Button(self.tr("Cancel"), on_click=self.leave)
        words = self.tr("One goal: it holds the model that learns, its lessons, and all that comes of them.")
        super().__init__(
            Label(self.tr("New project"), "head"),
            4,
            Label(words, "body", "text2", wraps=True),
            12,
            Label(self.tr("What is it called?"), "label", "text2"),
            4,
            self.name,
            4,
            self._place,
            self._wrong,
            12,
            column(Label(self.tr("What it teaches"), "label", "text2"), lessons, gap=4),
            16,
            row(-1, self.cancel, self.make_it, gap=8),
        )
        self._errands = Errands(self)
        self.name.textChanged.connect(self._typed)
        self.hide()

    def begin(self) -> None:
        """Ask for a name; what was written before stays."""
        if self.isHidden():
            self.name.clear()
            self._take(None)
            self._say("")
            self.show()
            self.shown.emit()
        self.name.setFocus()

    def leave(self) -> None:
        """Nothing is asked for any more."""
        self.hide()
        self.shown.emit()

    def choose_folder(self) -> None:
        """Take the lessons that lie in a folder."""
        if folder := QFileDialog.getExistingDirectory(self, self.tr("Choose a folder with lessons")):
            self._lessons.setText(self.tr("Looking for lessons …"))
            self._errands.do(functools.partial(_look_into, Path(folder)), self._take, self._refuse_folder)

    def _take(self, found: _Found | None) -> None:
        self._found = found
        self._lessons.setText(found.words if found else self.tr("Choose or write its lessons afterwards."))
        self._without.setVisible(found is not None)
        if found is not None and not self.name.text().strip():
            self.name.setText(found.title)
        self._typed()

    def _refuse_folder(self, error: LabError) -> None:
        self._take(None)
        self._say(f"{error.message} {error.hint}")

    def _typed(self) -> None:
        """Where it would lie; and what is wrong with the name, once there is one."""
        self._say("")
        try:
            title = projects.require_title(self.name.text(), self._session.projects)
            folder = projects.free_folder(self._session.root, title)
            self._place.setText(self.tr("It gets its place by itself: {0}").format(folder))
        except LabError as error:
            self._place.setText("")
            if self.name.text().strip():
                self._say(f"{error.message} {error.hint}")
        self._place.setVisible(bool(self._place.whole))

    def _make(self) -> None:
        if self._is_making:
            return
        try:
            title = projects.require_title(self.name.text(), self._session.projects)
        except LabError as error:
            self._refuse(error)
            return
        self._is_making = True
        leaves = self._found.leaves if self._found is not None else ()
        self._errands.do(
            functools.partial(projects.create, self._session.root, title, leaves), self._made, self._refuse
        )

    def _made(self, project: Project) -> None:
        self._is_making = False
        self.leave()
        self.made.emit(project)

    def _refuse(self, error: LabError) -> None:
        self._is_making = False
        self._say(f"{error.message} {error.hint}")
        self.name.setFocus()

    def _say(self, why: str) -> None:
        self._why.setText(why)
        self._wrong.setVisible(bool(why))
        self.name.setAccessibleDescription(why)
        if why and self.isVisible():
            announce(self.name, why)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._make()
        else:
            super().keyPressEvent(event)


def _look_into(folder: Path) -> _Found:
    """
    Raises:
        LeafError: there is no lesson, or one cannot be read.
    """
    leaves = find_leaves(folder)
    read = [read_leaf(leaf) for leaf in leaves]
    if len(read) == 1:
        return _Found(leaves, read[0].title, tr("The lesson “{0}”.").format(read[0].title))
    words = tr("{0} lessons of the folder “{1}”.").format(number(len(read)), folder.name)
    return _Found(leaves, folder.name, words)
