"""The editor of one lesson: its parts one at a time, what is left to do, saved as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lab_desktop.documents.converted import Converted
from lab_desktop.documents.source import Source
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.checklist import FEWEST_EXAMPLES, FEWEST_PAIRS, Key, Line, checklist, next_action
from lab_desktop.editing.lesson import Field, Lesson
from lab_desktop.errors import LabError
from lab_desktop.ui.chat_process import ChatProcess
from lab_desktop.ui.editor.checklist import Checklist
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.editor.desk import Desk, is_elsewhere
from lab_desktop.ui.editor.facts import FactsEditor
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.forms import PlaceForm, SourceForm
from lab_desktop.ui.editor.intake import Intake
from lab_desktop.ui.editor.quiz import QuizForm
from lab_desktop.ui.editor.skill import SkillEditor
from lab_desktop.ui.widgets.basic import Banner, Button, Label, column, row, rule, scrolled

_SETTLE_MS = 120
"""What the check says is drawn when typing rests."""
PARTS = ("place", "source", "quiz", "work")
_PART_OF: dict[Key, str] = {
    "place": "place", "about": "place", "author": "place", "documents": "source", "licence": "source",
    "passages": "work", "questions": "work", "examples": "work",
}  # fmt: skip


class LessonEditor(QWidget):
    """Attributes:
    desk: the lesson that is open.
    checklist: what is done and left; it stands where its page wants it.
    part: what is in front, one of `PARTS`.
    """

    changed = Signal()
    """The lesson, what is left of it, or when it was saved."""
    move_wanted = Signal()
    """The person wants the lesson at another place of the library."""
    saved = Signal()

    def __init__(self, chat: ChatProcess, use_voices: Callable[[], object]) -> None:
        """
        Args:
            use_voices: makes the conversation ready for the model and the teacher in hand.
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
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self.facts, self.skill = FactsEditor(self.desk), SkillEditor(self.desk)
        self.place = PlaceForm(self.desk, self.move_wanted.emit)
        self.source = SourceForm(self.desk)
        self.quiz = QuizForm(self.coach)
        self._stack = QStackedWidget()
        for part in (self.facts, self.skill, *(scrolled(form) for form in (self.place, self.source, self.quiz))):
            self._stack.addWidget(part)
        head = row(self._title, self._term, -1, self._saved, self._file, gap=10, margins=(24, 10, 16, 8))
        inside = column(head, rule(), self._banner, self._stack)
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
        self.source.files.connect(self.intake.take_files)
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
        self.coach.forget()
        self._banner.hide()
        self.facts.place = 0
        self._saved.setText("")
        self.desk.open(folder)
        lesson = self.desk.lesson
        assert lesson is not None
        has_text = not lesson.is_knowledge or any(document.text.strip() for document in lesson.documents)
        self.show_part("work" if has_text else "source")

    def close_lesson(self) -> bool:
        """Save and let go; False where it could not be saved, which is told."""
        self.intake.stop()
        self.coach.forget()
        try:
            self.desk.close()
        except LabError as error:
            self._tell(error)
            return False
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

    @property
    def is_ready(self) -> bool:
        return bool(self.lines) and all(line.done for line in self.lines)

    def show_file(self) -> None:
        """The lesson's file, as it is on disk."""
        if self.desk.folder is not None and self.desk.save():
            FileView(self.desk.folder, self.desk.take_theirs, self).exec()

    def _chosen(self, part: str) -> None:
        line = next((line for line in self.lines if _part(line.key) == part and not line.done), None)
        if line is not None:
            self.go(line.field)
        else:
            self.show_part(_STACK.get(part, part))

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
        shown = []
        for part, name in self._parts(lesson):
            lines = [line for line in self.lines if _part(line.key) == part]
            share = sum(line.done for line in lines) / len(lines) if lines else self._quiz_share()
            if part in ("passages", "questions", "examples") and share < 1:
                share = self._share_of(part, lesson)
            shown.append((part, name, self._says(part, lesson, sum(line.missing for line in lines)), share))
        self.checklist.show_lines(shown, self.part if self.part != "work" else self._front(lesson))

    def _parts(self, lesson: Lesson) -> list[tuple[str, str]]:
        parts = [("place", self.tr("Name and place")), ("source", self.tr("Source"))]
        if lesson.is_knowledge:
            parts += [("passages", self.tr("Passages")), ("questions", self.tr("Questions"))]
        else:
            parts += [("examples", self.tr("Examples"))]
        return [*parts, ("quiz", self.tr("Quiz first"))] if lesson.is_knowledge else parts

    def _front(self, lesson: Lesson) -> str:
        if not lesson.is_knowledge:
            return "examples"
        return "questions" if lesson.examples else "passages"

    def _share_of(self, part: str, lesson: Lesson) -> float:
        """How far an unfinished part is."""
        done, wanted = self._counted(part, lesson)
        return min(0.95, done / wanted)

    def _counted(self, part: str, lesson: Lesson) -> tuple[int, int]:
        written = [sum(pair.is_written for pair in example.pairs) for example in lesson.examples]
        if part == "passages":
            return len(written), max(FEWEST_EXAMPLES, len(written))
        if part == "questions":
            return sum(written), max(FEWEST_EXAMPLES * FEWEST_PAIRS, sum(max(FEWEST_PAIRS, each) for each in written))
        return sum(written), max(FEWEST_EXAMPLES, sum(written))

    def _says(self, part: str, lesson: Lesson, missing: int) -> str:
        if part in ("passages", "questions", "examples"):
            done, wanted = self._counted(part, lesson)
            if done == wanted and missing:
                return self.tr("{0} to finish").format(missing)
            return self.tr("{0} of {1}").format(done, wanted)
        if part == "quiz":
            known, asked = self.coach.known()
            return self.tr("knew {0} of {1}").format(known, asked) if asked else self.tr("if you like")
        if part == "source":
            words = sum(len(document.text.split()) for document in lesson.documents)
            return self.tr("{0} words").format(f"{words:,}") if words else ""
        return lesson.node[-2].replace("_", " ").capitalize() if len(lesson.node) > 2 else ""

    def _quiz_share(self) -> float:
        _, asked = self.coach.known()
        return len(self.coach.quiz) / asked if asked else 0.0

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

    def _document_came(self, source: Source, converted: Converted) -> None:
        self.source.show_notes(source.name, [str(note) for note in converted.notes])
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

    def _tell(self, error: LabError) -> None:
        if is_elsewhere(error):
            self._banner.say("warn", error.message, error.hint, self.tr("Take that version"), self.desk.take_theirs)
        else:
            self._banner.say("bad", error.message, error.hint, self.tr("Try again"), self.desk.save)
        self._banner.show()

    def _went(self, field: Field | None) -> None:
        if field is not None:
            self.go(field, may_add=False)


_STACK = {"passages": "work", "questions": "work", "examples": "work"}


def _part(key: Key) -> str:
    part = _PART_OF[key]
    return part if part != "work" else key
