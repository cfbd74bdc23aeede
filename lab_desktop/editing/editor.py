"""A lesson that is open: every change is a step that can be undone, and is on disk within a second.

    editor = Editor(folder)
    editor.apply(lambda lesson: with_text(lesson, field, text), "typing", field, is_typing=True)
    editor.save_if_due(time.monotonic())              called four times a second

What is saved goes into the journal first and then into the files that changed, so a kill between two files is mended
when the lesson is opened again. A file that somebody else changed meanwhile is never written over unasked: saving says
so, typing goes on (the journal keeps it), and the person takes theirs or keeps ours; the other is one undo away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab_desktop.editing.folder import (
    ATTRIBUTION,
    BESIDE,
    HIDDEN,
    Files,
    files_of,
    fingerprint,
    lesson_of,
    read_text,
    take_away,
    with_beside,
    write_file,
)
from lab_desktop.editing.history import History, Step
from lab_desktop.editing.journal import Journal
from lab_desktop.editing.leaf import with_ids_of
from lab_desktop.editing.lesson import Field, Lesson
from lab_desktop.errors import LeafError
from lab_desktop.files import stamp, sweep
from lab_desktop.taxonomy.qna import VERSION, read_draft, to_yaml
from lab_desktop.taxonomy.tree import FILE_NAME, node_of

DUE_S = 0.5
"""So long after the first change that is not saved, saving is due."""
CHANGED_ELSEWHERE = "change from elsewhere"
_HALF_S = 60.0
"""A half-written file that is older was left by a kill; a younger one may be another window's."""


class ChangedElsewhere(LeafError):
    """Somebody else changed a file of the lesson while it was open here.

    Attributes:
        names: the files.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        called = {FILE_NAME: "the lesson file", ATTRIBUTION: "what it says of its sources"}
        listed = " and ".join(called.get(name, f"“{name}”") for name in names)
        super().__init__(
            f"{listed[0].upper()}{listed[1:]} was changed by another program while the lesson was open. "
            "Nothing was written over it.",
            "Take that version, or keep yours; the other one can be brought back with Undo.",
        )
        self.names = names


class Editor:
    """One open lesson. Saving may run on another thread while one types on.

    Attributes:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        """Open the lesson in `folder`, with its history; what a kill left half saved is due to be saved.

        Raises:
            LeafError: there is no lesson, or writing it anew would lose something of it.
        """
        self.folder = folder
        sweep(folder, _HALF_S)
        self._journal = Journal(folder / HIDDEN / "history.jsonl")
        self._changed_at: float | None = None
        self._stepping, self._saving = threading.Lock(), threading.RLock()
        self._written: Files = {}
        self._seen: dict[str, tuple[tuple[int, int], str]] = {}
        history, files = self._journal.read()
        lesson = self._read()
        if history is None:
            self._history = History([Step(lesson)])
            return
        self._history = _at(history, lesson)
        if any(self._print(name) not in prints for name, prints in files.items()):
            self._history.add(Step(with_ids_of(lesson, self.lesson), CHANGED_ELSEWHERE))
        elif any(self._print(name) != fingerprint(text) for name, text in files_of(self.lesson, folder).items()):
            self._changed_at = 0.0  # killed after the journal, before the last file

    @property
    def lesson(self) -> Lesson:
        """As it is shown now."""
        return self._history.lesson

    def apply(
        self,
        change: Callable[[Lesson], Lesson],
        words: str = "",
        field: Field | None = None,
        *,
        is_typing: bool = False,
        now: float | None = None,
    ) -> Lesson:
        """Do one step and give the lesson after it; nothing happens where the change changes nothing.

        Args:
            change: a function of `editing.lesson`, `editing.passages` or the caller's own.
            words: what it is, to follow "Undo".
            field: where it is; undo goes there.
            is_typing: letters typed into `field`; they are one step until the person pauses or goes elsewhere.
            now: seconds of `time.monotonic`.
        """
        now = time.monotonic() if now is None else now
        before = self.lesson
        step = Step(change(before), words, field, is_typing, now)
        with self._stepping:
            self._history.add(step)
            return self._changed(before, now)

    def pause(self) -> None:
        """What is typed next is a step of its own: the person left the field."""
        self._history.pause()

    @property
    def undoes(self) -> Step | None:
        """What `undo` would take back; None: nothing."""
        return self._history.undoes

    @property
    def redoes(self) -> Step | None:
        """What `redo` would do again; None: nothing."""
        return self._history.redoes

    def undo(self, now: float | None = None) -> Step | None:
        """Take a step back and say which; its field is where the person should look."""
        with self._stepping:
            before = self.lesson
            taken = self._history.undo()
            self._changed(before, time.monotonic() if now is None else now)
            return taken

    def redo(self, now: float | None = None) -> Step | None:
        """Do a step again and say which."""
        with self._stepping:
            before = self.lesson
            done = self._history.redo()
            self._changed(before, time.monotonic() if now is None else now)
            return done

    @property
    def is_saved(self) -> bool:
        """True when everything shown is on disk."""
        return self._changed_at is None

    def save_if_due(self, now: float) -> bool:
        """Save what was changed half a second ago or earlier; True when something was saved.

        Raises:
            ChangedElsewhere, StorageError: as in `save`.
        """
        if self._changed_at is None or now - self._changed_at < DUE_S:
            return False
        self.save()
        return True

    def save(self) -> None:
        """Write what changed: the history, then documents, qna.yaml and attribution, then what is not decided.

        Raises:
            ChangedElsewhere: a file is not what it was; nothing was written but the history.
            StorageError: something could not be written; what was there is safe, and saving again goes on.
        """
        with self._saving:
            if self._changed_at is None:
                return
            with self._stepping:
                history = History(self._history.steps, self._history.place)
            self._write(history)
            with self._stepping:
                if self.lesson is history.lesson:
                    self._changed_at = None

    def _write(self, history: History) -> None:
        wanted = files_of(history.lesson, self.folder)
        names = list(dict.fromkeys([*wanted, *self._seen]))
        was = {name: self._seen[name][1] if name in self._seen else "" for name in names}
        self._journal.note(history, {name: [was[name], fingerprint(wanted.get(name))] for name in names})
        if changed := self.changed_elsewhere(wanted):
            raise ChangedElsewhere(changed)
        for name in names:
            text = wanted.get(name)
            if text == self._written.get(name):
                continue
            if text is None:
                take_away(self.folder, name)
                self._written.pop(name)
            else:
                write_file(self.folder, name, text)
                self._written[name] = text
            self._seen[name] = (stamp(self.folder / name), fingerprint(text))

    def changed_elsewhere(self, wanted: Files | None = None) -> tuple[str, ...]:
        """The files that somebody else changed since they were read or written here; cheap enough for every second.

        Args:
            wanted: what is about to be written; a file that says that already is no surprise.
        """
        changed = []
        for name in dict.fromkeys([*self._seen, *(wanted or ())]):
            seen, was = self._seen.get(name, ((0, 0), ""))
            now = stamp(self.folder / name)
            if now == seen or name == BESIDE:
                continue
            found = self._print(name)
            if found == was or (wanted is not None and found == fingerprint(wanted.get(name))):
                self._seen[name] = (now, found)
            else:
                changed.append(name)
        return tuple(changed)

    def take_theirs(self, now: float | None = None) -> Lesson:
        """Show what is on disk; ours is one undo away.

        Raises:
            LeafError: what is there cannot be read; nothing was changed.
        """
        with self._saving:
            theirs = self._read()
        return self.apply(lambda ours: with_ids_of(theirs, ours), CHANGED_ELSEWHERE, now=now)

    def keep_ours(self, now: float | None = None) -> Lesson:
        """Save ours; theirs is one undo away, or hidden beside the lesson where it cannot be read.

        Raises:
            StorageError: as in `save`.
        """
        with self._saving:
            ours = self.lesson
            changed = self.changed_elsewhere()
            try:
                self.take_theirs(now)
                self.apply(lambda _: ours, "keep my version", now=now)
            except LeafError:
                for name in changed:
                    take_away(self.folder, name)
                    self._seen[name] = ((0, 0), "")
                    self._written.pop(name, None)
            self._changed_at = 0.0
            self.save()
        return self.lesson

    def moved(self, folder: Path) -> Lesson:
        """Go on in another folder: the library moved or renamed the lesson's with all that is in it.

        Raises:
            StorageError: as in `save`.
        """
        with self._saving:
            here = replace(self.lesson, node=node_of(folder, self.lesson.is_knowledge))
            self.folder = folder
            self._journal = Journal(folder / HIDDEN / "history.jsonl")
            self._journal.read()
            self._history = _at(self._history, here)
            self._changed_at = 0.0
            self.save()
        return self.lesson

    def close(self) -> None:
        """Save what is not saved yet; no file is held.

        Raises:
            ChangedElsewhere, StorageError: as in `save`; the history has everything.
        """
        self.save()

    def _changed(self, before: Lesson, now: float) -> Lesson:
        if self.lesson is not before and self._changed_at is None:
            self._changed_at = now
        return self.lesson

    def _read(self) -> Lesson:
        """The lesson on disk; from here on these are the files we know."""
        while True:
            leaf = read_draft(self.folder)
            lesson = with_beside(lesson_of(self.folder, leaf), self.folder)
            written = files_of(lesson, self.folder)
            seen = {name: (stamp(self.folder / name), self._print(name)) for name in written}
            if read_draft(self.folder) == leaf and lesson_of(self.folder, leaf).documents == lesson.documents:
                break  # nobody wrote while we read
        # What differs from how we write it is written when something is saved.
        self._written = {**written, FILE_NAME: to_yaml(leaf) if leaf.version == VERSION else "", BESIDE: ""}
        self._seen = seen
        return lesson

    def _print(self, name: str) -> str:
        return fingerprint(read_text(self.folder, name))


def _at(history: History, lesson: Lesson) -> History:
    """The history of a lesson that lies where `lesson` does; a folder with another name brings its title."""
    if history.lesson.node == lesson.node:
        return history
    is_renamed = history.lesson.node[-1] != lesson.node[-1]
    steps = []
    for step in history.steps:
        title = lesson.title if is_renamed else step.lesson.title
        steps.append(replace(step, lesson=replace(step.lesson, node=lesson.node, title=title)))
    return History(steps, history.place)
