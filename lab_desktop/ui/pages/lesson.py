"""The lessons of the project in hand, or one of the library: a list of them, what is left to do, and the editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QHideEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QListWidgetItem, QStackedWidget, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.errors import LabError, LeafError
from lab_desktop.taxonomy.library import Step
from lab_desktop.taxonomy.qna import read_draft
from lab_desktop.taxonomy.tree import FILE_NAME, find_leaves
from lab_desktop.ui.editor.lesson_editor import LessonEditor
from lab_desktop.ui.editor.unshown import Unshown
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.preferences import Reading
from lab_desktop.ui.session import Session, first_lesson
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Label, column, nothing_yet, row, rule
from lab_desktop.ui.widgets.panel import NameList

_NARROW = 900


class LessonPage(QWidget):
    """Attributes:
    editor: of the lesson in hand.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._folders: list[Path] = []
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self._editor: LessonEditor | None = None
        self._heading = Label("", "strong")
        self.list = NameList()
        self.list.setAccessibleName(self.tr("Lessons"))
        self.list.currentItemChanged.connect(self._chosen)
        self._side = QWidget()
        self._line = rule()
        self._below = column(
            row(self._heading, margins=(8, 0, 8, 0)), 8, self.list, self._line, 12, margins=(12, 16, 12, 12)
        )
        self._below.setStretchFactor(self.list, 1)
        self._side.setLayout(self._below)
        self.unshown = Unshown()
        self.unshown.mended.connect(self._open_again)
        self.unshown.hide()
        lesson = QWidget()
        self._beside = row(self._side, rule(is_upright=True))
        lesson.setLayout(self._beside)
        self._stack = QStackedWidget()
        self._stack.addWidget(lesson)
        title, text = (
            self.tr("No lesson yet"),
            self.tr("A lesson is a page or two, and questions you would ask about it."),
        )
        self._stack.addWidget(nothing_yet("library", title, text))
        whole = column(self._banner, self._stack)
        whole.setStretchFactor(self._stack, 1)
        self.setLayout(whole)
        self.undo = self._action(self.tr("Undo"), QKeySequence.StandardKey.Undo, lambda: self.editor.desk.undo())
        self.redo = self._action(self.tr("Redo"), QKeySequence.StandardKey.Redo, lambda: self.editor.desk.redo())
        session.changed.connect(self.refresh)
        session.lesson_wanted.connect(self.edit)

    @property
    def editor(self) -> LessonEditor:
        """Made when it is first needed: it has many parts, and each costs the whole window some time."""
        if self._editor is None:
            session = self._session
            self._editor = LessonEditor(
                session.chat, lambda: session.chat.use(session.voices()), lambda: [session.topics]
            )
            self._editor.changed.connect(self._changed)
            self._editor.saved.connect(session.lesson_changed.emit)
            self._editor.moved.connect(self._moved)
            self._editor.unshown.connect(self._leave_unshown)
            self._editor.share_wanted.connect(session.share)
            self._editor.facts.reading.choose(session.preferences.choices.reading)
            self._editor.facts.reading.switched.connect(self._read)
            session.preferences.changed.connect(self._follow_choices)
            self._below.addWidget(self._editor.checklist)
            self._beside.addWidget(self._editor, 1)
            self._beside.addWidget(self.unshown, 1)
        return self._editor

    def _read(self, side: Reading) -> None:
        preferences = self._session.preferences
        preferences.choose(replace(preferences.choices, reading=side))

    def _follow_choices(self) -> None:
        self.editor.facts.reading.choose(self._session.preferences.choices.reading)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        # The library may move or throw away what it lends; its history is on disk.
        if self._editor is not None:
            guarded(self._put_back if self._session.lesson is not None else self._editor.desk.save)

    def _put_back(self) -> None:
        if self.editor.close_lesson():
            self._folders = []

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.editor.entrance() if self._editor is not None else self

    def heading(self) -> tuple[str, str]:
        project = self._session.project
        if self._session.lesson is not None:
            return self.tr("Library"), self.tr("Lesson")
        return (project.title, self.tr("Lessons")) if project else (self.tr("Lessons"), "")

    @property
    def is_unfinished(self) -> bool:
        """Something of the lesson in the editor is only begun."""
        return (
            self._editor is not None and self.editor.desk.lesson is not None and self.editor.next_step()[1] is not None
        )

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if not self.unshown.isHidden():
            words = self.tr("look at what the editor cannot show of this lesson.")
            return words, self.tr("Open in the editor…"), self.unshown.take.click
        if self._editor is None or self._editor.desk.lesson is None:
            if session.project is not None and not session.project.has_lessons:
                return first_lesson(session, session.project)
            return self.tr("choose or start a project."), self.tr("Home"), lambda: session.go("home")
        words, field = self.editor.next_step()
        if field is not None:
            return _small(words), self.tr("Go there"), lambda: self.editor.go(field)
        if session.lesson is not None:
            return self.tr("the lesson is ready."), self.tr("Back to the library"), lambda: session.go("library")
        return (
            self.tr("when the questions say what matters, let the teacher write many more."),
            self.tr("Practice questions"),
            lambda: session.go("practice"),
        )

    @property
    def edits(self) -> list[QAction]:
        """What the Edit menu offers while this page is in front."""
        return [self.undo, self.redo]

    def edit(self, folder: Path | None) -> None:
        """Take a lesson of the library in hand; None: the project's own again."""
        self._folders = []
        if self.isVisible():
            self.refresh()

    def show_lesson(self, place: int) -> None:
        """Take a lesson of the list in hand."""
        self.list.setCurrentRow(place)

    def refresh(self) -> None:
        """Look at the lessons again; what did not change stays, and a page that nobody sees waits."""
        if not self.isVisible():
            return
        wanted, project = self._session.lesson, self._session.project
        problem: LabError | None = None
        try:
            has_any = project is not None and (project.has_lessons or not project.lessons.is_dir())
            folders = [wanted] if wanted is not None else find_leaves(project.lessons) if project and has_any else []
        except LabError as error:
            folders, problem = [], error
        if problem is not None:
            self._say(problem)
            if self._folders and self._editor is not None and self._editor.desk.lesson is not None:
                return  # what is open stays: its files may come back, and what was typed is there
        elif folders != self._folders:
            self._banner.hide()
        if folders != self._folders or not folders:
            self._folders = folders
            self._list_lessons()
        self._stack.setCurrentIndex(0 if folders else 1)
        self._go_to_spot()

    def _go_to_spot(self) -> None:
        """Show the place that somebody else found in one of these lessons."""
        spot = self._session.spot
        if spot is None or spot.folder not in self._folders:
            return
        self._session.spot = None
        self.list.setCurrentRow(self._folders.index(spot.folder))
        if self.editor.desk.folder == spot.folder:
            self.editor.go_to_spot(spot.part, spot.text)

    def _list_lessons(self) -> None:
        project = self._session.project
        own = project.title if project else ""
        self._heading.setText(self.tr("Library") if self._session.lesson is not None else own)
        self.list.clear()
        for folder in self._folders:
            title, second = folder.name.replace("_", " ").capitalize(), ""
            try:
                leaf = read_draft(folder)
                title = leaf.title
                second = self.tr("Facts") if leaf.document is not None else self.tr("Skill")
            except LabError:
                second = self.tr("needs a look")
            self.list.add(str(folder), title, second)
        if self._folders:
            places = [number for number, each in enumerate(self._folders) if each == self.editor.desk.folder]
            self.list.setCurrentRow(places[0] if places else 0)
        elif self._editor is not None:
            self._editor.close_lesson()

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        folder = Path(str(item.data(Qt.ItemDataRole.UserRole)))
        try:
            self.editor.open(folder)
        except LabError as error:
            still = self.editor.desk.folder
            if still is not None:  # the one before could not be saved, and stays
                self._say(error)
                if still in self._folders:
                    with QSignalBlocker(self.list):
                        self.list.setCurrentRow(self._folders.index(still))
            elif isinstance(error, LeafError) and (folder / FILE_NAME).is_file():
                self._leave_unshown(folder)
            else:
                self._show_editor(False)
                self.unshown.hide()
                gone = self.tr("“{0}” is not there any more.").format(title_of(folder.name))
                hint = self.tr("It was moved or deleted; the library knows where it is.")
                self._say(error if (folder / FILE_NAME).exists() else LeafError(gone, hint))
        else:
            self._banner.hide()
            self._show_editor(True)

    def _leave_unshown(self, folder: Path) -> None:
        """Say why a lesson is not shown, in the place of the editor."""
        if self.editor.close_lesson():
            self.unshown.show_lesson(folder)
            self._show_editor(False)

    def _show_editor(self, is_shown: bool) -> None:
        for part in (self.editor, self.editor.checklist, self._line):
            part.setVisible(is_shown)
        self.unshown.setVisible(not is_shown)
        self._session.next_changed.emit()

    def _moved(self, root: Path, step: Step) -> None:
        """The lesson that is open lies in another topic."""
        if root == self._session.library:
            self._session.follow(step.moved)
        folder = self.editor.desk.folder
        if folder is not None and self._session.lesson is not None:
            self._folders = [folder]
            self._list_lessons()
        self._session.lesson_changed.emit()
        self.refresh()

    def _open_again(self) -> None:
        """The file of a lesson that was not shown is another one."""
        self._folders = []
        self.refresh()

    def _changed(self) -> None:
        history = self.editor.desk.history
        for action, word, step in (
            (self.undo, self.tr("Undo"), history.undoes if history else None),
            (self.redo, self.tr("Redo"), history.redoes if history else None),
        ):
            action.setText(f"{word} {step.words}".strip() if step else word)
        self._session.next_changed.emit()

    def _action(self, text: str, keys: QKeySequence.StandardKey, do: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setShortcuts(keys)
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _: do())
        self.addAction(action)
        return action

    def _say(self, error: LabError) -> None:
        self._banner.say("bad", error.message, error.hint)
        self._banner.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side.setFixedWidth(look().grown(232 if self.width() >= look().grown(_NARROW) else 192))


def _small(sentence: str) -> str:
    """A sentence as it goes on after "Next:"."""
    return sentence[:1].lower() + sentence[1:]
