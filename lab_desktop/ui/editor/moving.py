"""The lesson that is open moves to another topic: it stays open there, and one press brings it back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.editing.topics import Topic, topics
from lab_desktop.errors import LabError, LeafError
from lab_desktop.files import disk_errors
from lab_desktop.taxonomy.library import Library, Step
from lab_desktop.ui.background import Background
from lab_desktop.ui.editor.desk import Desk
from lab_desktop.ui.editor.move_sheet import MoveSheet


class Mover(QObject):
    """
    Attributes:
        sheet: the topics to choose from; None where they are not shown.
    """

    moved = Signal(object, object)
    """(the root that it lies in, the Step): the lesson is open at its new place."""
    refused = Signal(object)
    """A LabError: it was not moved."""

    def __init__(self, desk: Desk, libraries: Callable[[], Sequence[Path]], parent: QWidget) -> None:
        """
        Args:
            libraries: whose topics are offered, beside those where the lesson lies.
            parent: what the sheet stands before.
        """
        super().__init__(parent)
        self._desk, self._libraries, self._before = desk, libraries, parent
        self._work: Background[Topic] | None = None
        self.sheet: MoveSheet | None = None

    def begin(self) -> None:
        """Ask which topic it should lie in."""
        place = self._place()
        if place is None or self._work is not None or self.sheet is not None:
            return
        root, path = place
        self._work = Background(_reading([root, *self._libraries()], path.parts[0]), self._show, self)
        self._work.start()

    def take_back(self, root: Path, step: Step) -> None:
        """Bring it back to where it was before a step."""
        if step.path is None or step.result is None:
            return
        before, now = step.path, step.result

        def back(library: Library) -> Step | None:
            last = library.undoable
            is_last = last is not None and last.number == step.number
            return library.undo() if is_last else library.move(now, before.parent)

        self._do(root, back)

    def _place(self) -> tuple[Path, Path] | None:
        """(the root that the lesson lies in, its path below); None, and it is said why, where it lies in none."""
        lesson, folder = self._desk.lesson, self._desk.folder
        if lesson is None or folder is None:
            return None
        if folder.parts[-len(lesson.node) :] != lesson.node:
            self.refused.emit(
                LeafError(
                    self.tr("This lesson lies in no library, so it has no topic."),
                    self.tr("Import it in the library: there it gets one."),
                )
            )
            return None
        return folder.parents[len(lesson.node) - 1], Path(*lesson.node)

    def _show(self, top: Topic) -> None:
        if self._work is not None:
            self._work.deleteLater()
            self._work = None
        lesson, place = self._desk.lesson, self._place()
        if lesson is None or place is None:
            return
        root, path = place
        name = self.tr("Facts") if lesson.is_knowledge else self.tr("Skills")
        self.sheet = sheet = MoveSheet(lesson.title or title_of(path.name), path.parent, top, name, self._before)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.chosen.connect(lambda topic: self._move(root, path, topic))
        sheet.finished.connect(self._gone)
        sheet.open()

    def _gone(self) -> None:
        self.sheet = None

    def _move(self, root: Path, path: Path, topic: Path) -> None:
        def move(library: Library) -> Step:
            with disk_errors(root / topic, "The topic"):  # it may be one that only another library has
                (root / topic).mkdir(parents=True, exist_ok=True)
            return library.move(path, topic)

        self._do(root, move)

    def _do(self, root: Path, do: Callable[[Library], Step | None]) -> None:
        if not self._desk.save():
            return  # the desk says why
        try:
            library = Library(root)
            step = do(library)
            if step is not None and step.result is not None:
                self._desk.moved(root / step.result)
                self.moved.emit(root, step)
            if (loss := library.loss()) is not None:
                self.refused.emit(loss)
        except LabError as error:
            self.refused.emit(error)


def _reading(libraries: Sequence[Path], top: str) -> Callable[[threading.Event], Topic]:
    return lambda stop: topics(libraries, top)
