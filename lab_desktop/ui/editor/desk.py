"""The lesson that is open, for every part of the editor: what changes it goes through here, and is saved by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from lab_desktop.editing.editor import ChangedElsewhere, Editor
from lab_desktop.editing.history import Step
from lab_desktop.editing.lesson import Field, Lesson, with_text
from lab_desktop.errors import LabError

_LOOK_MS = 250


class Desk(QObject):
    """Attributes:
    lesson: as it is now; None where nothing is open.
    folder: where it lies.
    saved_at: the time of day of the last save, "12:04"; "" where nothing was saved yet.
    """

    changed = Signal()
    """The lesson is another one: a change, undo, or another lesson that was opened."""
    went = Signal(object)
    """Undo or redo went to this Field."""
    saved = Signal()
    trouble = Signal(object)
    """A LabError: the lesson could not be saved."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor: Editor | None = None
        self.folder: Path | None = None
        self.saved_at = ""
        self._told = ""
        self._due = QTimer(self, interval=_LOOK_MS)
        self._due.timeout.connect(self._save_if_due)

    @property
    def lesson(self) -> Lesson | None:
        return self._editor.lesson if self._editor else None

    @property
    def history(self) -> Editor | None:
        """The open editor, which knows what undo and redo would do."""
        return self._editor

    def open(self, folder: Path) -> None:
        """Open a lesson; the one before is saved first.

        Raises:
            LabError: it cannot be opened, or the one before cannot be saved; then that stays open.
        """
        self.close()
        self._editor = Editor(folder)
        self.folder = folder
        self.saved_at = self._told = ""
        self._due.start()
        self.changed.emit()

    def close(self) -> None:
        """Save what is open, and let it go.

        Raises:
            LabError: it cannot be saved, and stays open.
        """
        if self._editor is not None:
            self._editor.save()
            self._editor.close()
            self._due.stop()
            self._editor, self.folder = None, None

    def type(self, field: Field, text: str) -> None:
        """Letters typed into a field; they are one step until the person pauses."""
        self._apply(lambda lesson: with_text(lesson, field, text), self.tr("typing"), field, is_typing=True)

    def do(self, change: Callable[[Lesson], Lesson], words: str, field: Field | None = None) -> None:
        """A step by itself; `words` follow "Undo"."""
        self._apply(change, words, field, is_typing=False)

    def _apply(self, change: Callable[[Lesson], Lesson], words: str, field: Field | None, is_typing: bool) -> None:
        if self._editor is None:
            return
        before = self._editor.lesson
        try:
            self._editor.apply(change, words, field, is_typing=is_typing)
        except (KeyError, LabError) as error:
            if isinstance(error, LabError):
                self.trouble.emit(error)
            return
        if self._editor.lesson is not before:
            self.changed.emit()

    def undo(self) -> None:
        self._walk(self._editor.undo() if self._editor else None)

    def redo(self) -> None:
        self._walk(self._editor.redo() if self._editor else None)

    def _walk(self, step: Step | None) -> None:
        if step is not None:
            self.changed.emit()
            self.went.emit(step.field)

    def save(self) -> bool:
        """Save now; False where it failed, which `trouble` says."""
        return self._saving(lambda editor: editor.save())

    def moved(self, folder: Path) -> None:
        """The lesson lies in another folder now, with all that is beside it.

        Raises:
            LabError: what was typed meanwhile cannot be saved there; it is tried again.
        """
        if self._editor is not None:
            self.folder = folder
            self._editor.moved(folder)
            self.changed.emit()

    def reread(self) -> None:
        """The version that was just written here by hand; where it cannot be shown, the lesson is let go.

        Raises:
            LeafError: it cannot be shown, and why; what was open before is one undo away.
        """
        if self._editor is None:
            return
        try:
            self._editor.take_theirs()
        except LabError:
            with contextlib.suppress(LabError):
                self._editor.close()
            self._due.stop()
            self._editor, self.folder = None, None
            raise
        self.changed.emit()

    def keep_ours(self) -> None:
        """Write over what another program wrote; it is one undo away."""
        if self._saving(lambda editor: editor.keep_ours()):
            self.changed.emit()

    def _save_if_due(self) -> None:
        self._saving(lambda editor: editor.save_if_due(time.monotonic()), is_quiet=True)

    def _saving(self, save: Callable[[Editor], object], *, is_quiet: bool = False) -> bool:
        if self._editor is None:
            return False
        was_saved = self._editor.is_saved
        try:
            save(self._editor)
        except LabError as error:
            # What is not due again is tried again every moment: said once.
            if not is_quiet or error.message != self._told:
                self._told = error.message
                self.trouble.emit(error)
            return False
        if not was_saved and self._editor.is_saved:
            self._told = ""
            self.saved_at = time.strftime("%H:%M")
            self.saved.emit()
        return True


def is_elsewhere(error: LabError) -> bool:
    """True when another program changed the lesson, and the person chooses whose version stays."""
    return isinstance(error, ChangedElsewhere)
