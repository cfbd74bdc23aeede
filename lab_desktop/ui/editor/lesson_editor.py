"""The editor of one lesson: its parts one at a time, what is left to do, saved as it is typed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.documents.converted import Converted
from lab_desktop.documents.source import Source
from lab_desktop.documents.table import SUFFIXES
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.checklist import Line, checklist, next_action
from lab_desktop.editing.lesson import Field, field_with
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.library import Step
from lab_desktop.ui.chat_process import ChatProcess
from lab_desktop.ui.editor.checklist import Checklist
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.editor.desk import Desk, is_elsewhere
from lab_desktop.ui.editor.facts import FactsEditor
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.forms import PlaceForm, SourceForm
from lab_desktop.ui.editor.intake import Intake
from lab_desktop.ui.editor.moving import Mover
from lab_desktop.ui.editor.outline import in_front, outline, part_of
from lab_desktop.ui.editor.quiz import QuizForm
from lab_desktop.ui.editor.skill import SkillEditor
from lab_desktop.ui.editor.tables import Tables, table_files
from lab_desktop.ui.widgets.basic import Banner, Button, Label, column, row, rule, scrolled

_SETTLE_MS = 120
"""What the check says is drawn when typing rests."""
PARTS = ("place", "source", "quiz", "work")


class LessonEditor(QWidget):
    """Attributes:
    desk: the lesson that is open.
    checklist: what is done and left; it stands where its page wants it.
    part: what is in front, one of `PARTS`.
    """

    changed = Signal()
    """The lesson, what is left of it, or when it was saved."""
    moved = Signal(object, object)
    """(root, Step): the lesson lies in another topic."""
    saved = Signal()
    share_wanted = Signal(object)
    """Its folder: the lesson, saved, is to be given to others."""
    unshown = Signal(object)
    """Its folder: the file was written by hand so that the editor cannot show it, and the lesson was let go."""

    def __init__(
        self, chat: ChatProcess, use_voices: Callable[[], object], libraries: Callable[[], Sequence[Path]] = tuple
    ) -> None:
        """
        Args:
            use_voices: makes the conversation ready for the model and the teacher in hand.
            libraries: whose topics a lesson can be moved to, beside those where it lies.
        """
        super().__init__()
        self.desk = Desk(self)
        self._use_voices = use_voices
        self.coach = Coach(self.desk, chat, self)
        self.intake = Intake(self.desk, self)
        self.part = "work"
        self.lines: tuple[Line, ...] = ()
        self.checklist = Checklist(self._chosen)
        self._title = Label("", "title")
        self._term = Label("", "small", "text3")
        self._saved = Label("", "small", "text3")
        self._file = Button(self.tr("Lesson file"), "quiet", size="small", on_click=self.show_file)
        self.share = Button(self.tr("Share…"), size="small", icon="share", on_click=self._share)
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self._keep = Button(self.tr("Keep mine"), on_click=self._keep_ours)
        banner = self._banner.layout()
        assert banner is not None
        banner.addWidget(self._keep)
        self._told = Banner("info", "", "")
        self._told.hide()
        self.facts, self.skill = FactsEditor(self.desk), SkillEditor(self.desk)
        self.mover = Mover(self.desk, libraries, self)
        self.mover.moved.connect(self._tell_moved)
        self.mover.refused.connect(self._refuse)
        self.place = PlaceForm(self.desk, self.mover.begin)
        self.source = SourceForm(self.desk)
        self.quiz = QuizForm(self.coach)
        self._stack = QStackedWidget()
        for part in (self.facts, self.skill, *(scrolled(form) for form in (self.place, self.source, self.quiz))):
            self._stack.addWidget(part)
        head = row(self._title, self._term, -1, self._saved, self._file, self.share, gap=10, margins=(24, 10, 16, 8))
        inside = column(head, rule(), self._banner, self._told, self._stack)
        inside.setStretchFactor(self._stack, 1)
        self.setLayout(inside)
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self._check)
        self.desk.changed.connect(self._show)
        self.desk.saved.connect(self._note_saved)
        self.desk.trouble.connect(self._tell)
        self.desk.went.connect(self._went)
        self.coach.changed.connect(self._show_coach)
        self.coach.answered.connect(self.skill.show_answer)
        self.intake.changed.connect(self._show_intake)
        self.intake.came.connect(self._document_came)
        self.intake.refused.connect(self._refused)
        self.tables = Tables(self.desk, lambda: self.facts.passage, self)
        self.tables.changed.connect(self._show_reading)
        self.tables.refused.connect(self._refuse)
        for work in (self.facts, self.skill):
            work.table.clicked.connect(functools.partial(self._offer_table, work.table))
            work.table.setToolTip(self.tr("Excel, Numbers or CSV; the file can be dropped here too"))
            work.take_cells = self.tables.take_cells
        self.setAcceptDrops(True)
        self.source.files.connect(self._take_files)
        self.source.pasted.connect(self.intake.take_pasted)
        self.source.removed = self._remove_document
        self.facts.sourceless.connect(lambda: self.show_part("source"))
        self.facts.helped.connect(lambda example: self._coached(self.coach.suggest, "suggest", example))
        self.facts.dismissed.connect(self.coach.refuse)
        self.skill.helped.connect(lambda example: self._coached(self.coach.suggest_like, "like", example))
        self.skill.tried.connect(lambda example: self._coached(self.coach.try_row, "try", example))
        self.quiz.asked.connect(lambda: self._coached(self.coach.ask_all, "quiz"))

    def open(self, folder: Path) -> None:
        """Edit the lesson in `folder`; the one before is saved.

        Raises:
            LabError: it cannot be opened, or the one before cannot be saved; then that stays open.
        """
        if folder == self.desk.folder:
            return
        self.intake.stop()
        self.tables.stop()
        self.coach.forget()
        self._banner.hide()
        self._told.hide()
        self.facts.place = 0
        self._saved.setText("")
        self.desk.open(folder)
        self.coach.remember()
        lesson = self.desk.lesson
        assert lesson is not None
        has_text = not lesson.is_knowledge or any(document.text.strip() for document in lesson.documents)
        self.show_part("work" if has_text else "source")

    def close_lesson(self) -> bool:
        """Save and let go; False where it could not be saved, which is told."""
        self.intake.stop()
        self.tables.stop()
        self.coach.forget()
        try:
            self.desk.close()
        except LabError as error:
            self._tell(error)
            return False
        self.facts.reading.close_document()
        return True

    def show_part(self, part: str) -> None:
        """Bring a part to the front: one of `PARTS`."""
        lesson = self.desk.lesson
        if lesson is None:
            return
        self.part = part
        order = {"place": 2, "source": 3, "quiz": 4}
        self._stack.setCurrentIndex(order.get(part, 0 if lesson.is_knowledge else 1))
        self._show()
        self._show_lines()

    def go(self, field: Field, *, may_add: bool = True) -> None:
        """Go to a field of the lesson, the cursor in it.

        Args:
            may_add: where a question or an example is missing, begin one.
        """
        if field.name in ("title", "created_by", "domain", "document_outline") or (
            field.name == "place" or (field.name == "task_description" and self.part == "place")
        ):
            self.show_part("place")
            name = "title" if field.name == "place" else field.name
            self.place.field(name).setFocus()
        elif field.name in ("documents", "document", "repo", "commit", "attribution"):
            self.show_part("source")
            first = self.source.credits.first if field.name == "attribution" else self.source.drop.choose
            first.setFocus()
        else:
            self.show_part("work")
            lesson = self.desk.lesson
            if lesson is not None:
                (self.facts if lesson.is_knowledge else self.skill).show_field(field, may_add=may_add)

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        lesson = self.desk.lesson
        if lesson is None or self.part == "place":
            return self.place.field("title")
        if self.part == "source":
            return self.source.drop.choose
        if self.part == "quiz":
            return self.quiz.ask
        return self.facts.add if lesson.is_knowledge else self.skill.add

    def next_step(self) -> tuple[str, Field | None]:
        """The one thing to do now, and where; no field: the lesson is ready."""
        return next_action(self.lines)

    def show_file(self) -> None:
        """The lesson's file, as it is on disk."""
        if self.desk.folder is not None and self.desk.save():
            FileView(self.desk.folder, self._reread, self).exec()

    def _share(self) -> None:
        if self.desk.folder is not None and self.desk.save():
            self.share_wanted.emit(self.desk.folder)

    def go_to_spot(self, part: str, text: str) -> None:
        """Go to a place that somebody else found.

        Args:
            part: "credits" or "document"; "": the first thing that is left to do.
            text: that stands there; it decides, where it is found.
        """
        lesson = self.desk.lesson
        if lesson is None:
            return
        found = field_with(lesson, text) if text else None
        if found is None and part:
            found = Field("attribution" if part == "credits" else "documents")
        if found is None:
            found = self.next_step()[1]
        if found is not None:
            self.go(found, may_add=False)

    def _reread(self) -> None:
        """Show what another hand wrote; where that cannot be shown, the lesson is let go."""
        self._banner.hide()
        folder = self.desk.folder
        try:
            self.desk.reread()
        except LabError:
            self.unshown.emit(folder)

    def _chosen(self, part: str) -> None:
        line = next((line for line in self.lines if part_of(line.key) == part and not line.done), None)
        if line is not None:
            self.go(line.field)
        else:
            self.show_part(part if part in PARTS else "work")

    def _show(self) -> None:
        lesson = self.desk.lesson
        if lesson is None:
            return
        self._title.setText(lesson.title)
        facts, skill = self.tr("Facts lesson (knowledge)"), self.tr("Skill lesson (skill)")
        self._term.setText(facts if lesson.is_knowledge else skill)
        work = self.facts if lesson.is_knowledge else self.skill
        parts = {"place": self.place.show_lesson, "source": self.source.show_lesson, "quiz": self.quiz.show_lesson}
        parts.get(self.part, work.show_lesson)(lesson)
        if self.lines:
            self._settle.start()
        else:
            self._check()

    def _check(self) -> None:
        lesson = self.desk.lesson
        if lesson is not None:
            self.lines = checklist(lesson)
            self._show_lines()
            self.changed.emit()

    def _show_lines(self) -> None:
        lesson = self.desk.lesson
        if lesson is None:
            return
        shown = outline(lesson, self.lines, self.coach)
        self.checklist.show_lines(shown, self.part if self.part != "work" else in_front(lesson))

    def _coached(self, do: Callable[..., object], what: str, *example: int) -> None:
        """Let a model do something for the lesson; pressed again while it does, it stops."""
        if self.coach.is_busy(what, *example):
            self.coach.stop()
        else:
            self._use_voices()
            do(*example)

    def _show_coach(self) -> None:
        self.facts.show_helping(self.coach)
        self.skill.show_helping(self.coach)
        lesson = self.desk.lesson
        if lesson is not None:
            self.quiz.show_lesson(lesson)
            self._show_lines()

    def _show_intake(self, words: str) -> None:
        self.source.show_reading(words, self.intake.stop)

    def _take_files(self, files: list[str]) -> None:
        """Tables become cards, everything else a text to learn from."""
        tables = [file for file in files if Path(file).suffix.lower() in SUFFIXES]
        self.tables.take_files([Path(file) for file in tables])
        self.intake.take_files([file for file in files if file not in tables])

    def _offer_table(self, button: Button) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Choose a file…"), self.tables.choose)
        menu.addAction(self.tr("Paste what was copied"), self._paste_table)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _paste_table(self) -> None:
        self.tables.paste(QGuiApplication.clipboard().mimeData())

    def _show_reading(self, words: str) -> None:
        if words:
            self._told.say("info", words, "", self.tr("Stop"), self.tables.stop)
        self._told.setVisible(bool(words))

    def _refuse(self, error: LabError) -> None:
        self._told.say("bad", error.message, error.hint, self.tr("Close"), self._told.hide)
        self._told.show()

    def _tell_moved(self, root: Path, step: Step) -> None:
        if step.result is None:
            return
        where = " › ".join(title_of(part) for part in step.result.parts[1:-1]) or self._kind_of(step.result)
        words = self.tr("“{0}” lies in “{1}” now.").format(self._title.text(), where)
        self._told.say("good", words, "", self.tr("Undo"), functools.partial(self._take_back, root, step))
        self._told.show()
        self.moved.emit(root, step)

    def _kind_of(self, path: Path) -> str:
        return self.tr("Facts") if path.parts[0] == "knowledge" else self.tr("Skills")

    def _take_back(self, root: Path, step: Step) -> None:
        self._told.hide()
        self.mover.take_back(root, step)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste) and self.part == "work":
            self._paste_table()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if table_files(event.mimeData()) and self.desk.lesson is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.tables.take_files(table_files(event.mimeData()))
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _document_came(self, source: Source, converted: Converted) -> None:
        self.source.show_notes(source.name, [note.text for note in converted.notes])
        lesson = self.desk.lesson
        if lesson is not None and converted.title and lesson.title in ("", self.tr("New lesson")):
            self.desk.type(Field("title"), converted.title)

    def _refused(self, error: LabError) -> None:
        self.source.show_refusal(error)

    def _remove_document(self, name: str) -> None:
        self.desk.do(
            lambda lesson: changes.remove_document(lesson, name), self.tr("take document out"), Field("documents")
        )

    def _note_saved(self) -> None:
        self._saved.setText(self.tr("Saved {0}").format(self.desk.saved_at))
        if not self._banner.isHidden():
            self._banner.hide()
        self.saved.emit()
        self.changed.emit()

    def _keep_ours(self) -> None:
        self._banner.hide()
        self.desk.keep_ours()

    def _tell(self, error: LabError) -> None:
        self._keep.setVisible(is_elsewhere(error))
        if is_elsewhere(error):
            self._banner.say("warn", error.message, error.hint, self.tr("Take that version"), self._reread)
        else:
            self._banner.say("bad", error.message, error.hint, self.tr("Try again"), self.desk.save)
        self._banner.show()

    def _went(self, field: Field | None) -> None:
        if field is not None:
            self.go(field, may_add=False)
