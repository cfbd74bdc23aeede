"""Questions of one's own: asked before and after the training, and never practised. Each change is saved as it is made.

What only the file can say of a question (material, a rule, whether the lesson asks it too) stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QDialog, QVBoxLayout, QWidget

from lab_desktop.editing.lesson import clean
from lab_desktop.errors import EvaluationError, LabError
from lab_desktop.evaluation.exam import write_exam
from lab_desktop.evaluation.questions import Question, exam_questions
from lab_desktop.paths import EXAM
from lab_desktop.ui.editor.fields import GrowingField
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Label, announce, column, empty, row, rule, scrolled
from lab_desktop.ui.words import number

_SAVE_MS = 400
_BETWEEN = ";"


class OwnQuestions(QDialog):
    """Attributes:
    cards: of the questions, in their order.
    add, done_button: another question; close.
    """

    def __init__(self, parent: QWidget, lessons: Sequence[tuple[str, Path]], on_saved: Callable[[], object]) -> None:
        """
        Args:
            lessons: (title, folder), one at least.
        """
        super().__init__(parent, Qt.WindowType.Sheet)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(self.tr("Questions of your own"))
        self._lessons, self._on_saved = lessons, on_saved
        self._folder = lessons[0][1]
        self._saved: list[Question] = []
        self._can_save = False
        self._is_leaving = False
        self.cards: list[QuestionCard] = []
        self._soon = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._soon.timeout.connect(self.save)
        self.lesson = QComboBox()
        self.lesson.setAccessibleName(self.tr("Lesson"))
        self.lesson.addItems([title for title, _ in lessons])
        self.lesson.setVisible(len(lessons) > 1)
        self.lesson.currentIndexChanged.connect(self._choose)
        words = self.tr(
            "They are asked before and after the training, and never practised. Ask what people will ask, in your own "
            "words. Ten are the least that tells anything; twenty are better."
        )
        self.banner = Banner("warn", "")
        self.banner.hide()
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        inside = QWidget()
        inside.setLayout(column(self._list, -1, margins=(24, 16, 24, 16)))
        self._status = Label("", "body", "text2", wraps=True)
        self.add = Button(self.tr("Add a question"), icon="plus", on_click=self.add_question)
        self.done_button = Button(self.tr("Done"), "primary", on_click=self.accept)
        head = column(
            Label(self.tr("Questions of your own"), "title"),
            4,
            Label(words, "body", "text2", wraps=True),
            self.lesson,
            self.banner,
            gap=4,
            margins=(24, 20, 24, 12),
        )
        foot = row(self._status, self.add, self.done_button, gap=10, margins=(24, 14, 24, 14))
        foot.setStretch(0, 1)
        self._body = scrolled(inside)
        whole = column(head, rule(), self._body, rule(), foot)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setMinimumSize(look().grown(560), look().grown(420))
        room = parent.window().size() - QSize(32, 32)
        self.resize(QSize(look().grown(720), look().grown(640)).boundedTo(room))
        self._read()

    # Reading and writing

    def _choose(self, place: int) -> None:
        self.save()
        self._folder = self._lessons[place][1]
        self._read()

    def _read(self) -> None:
        self.cards = []
        empty(self._list)
        self.banner.hide()
        try:
            self._saved = exam_questions(self._folder, "")
        except EvaluationError as error:
            self._can_save = False
            self.banner.say("bad", error.message, error.hint, self.tr("Open the file"), self._open_file)
            self.banner.show()
            self.add.setText(self.tr("Look again"))
            self._status.setText(self.tr("Nothing is written over it."))
            return
        self._can_save = True
        self.add.setText(self.tr("Add a question"))
        for question in self._saved:
            self._insert(question)
        if not self.cards:
            self.add_question()
        self._look()

    def _open_file(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder / EXAM))

    def save(self) -> bool:
        """Write what is complete, if it is another than what was written; a sentence says where it could not be."""
        self._soon.stop()
        wanted = [question for question in (card.question for card in self.cards) if question is not None]
        if not self._can_save or wanted == self._saved:
            return True
        try:
            write_exam(self._folder, wanted)
        except LabError as error:
            self._say("bad", error.message, error.hint)
            return False
        self._saved = wanted
        self._on_saved()
        self._look()
        return True

    # The cards

    def add_question(self) -> None:
        """One more, empty, with the keyboard in it; where the file could not be read, look at it again."""
        if not self._can_save:
            self._read()
            return
        card = self._insert(Question("", "", "", "", "exam"))
        self._look()
        card.asked.setFocus()
        QTimer.singleShot(0, card, lambda: self._body.ensureWidgetVisible(card.accept))

    def _insert(self, question: Question, place: int = -1) -> QuestionCard:
        card = QuestionCard(question, self._changed, self._remove)
        at = len(self.cards) if place < 0 else place
        self.cards.insert(at, card)
        self._list.insertWidget(at, card)
        before: QWidget = self.banner.button
        for each in self.cards:
            for part in (each.remove, each.asked, each.answer, each.accept):
                QWidget.setTabOrder(before, part)
                before = part
        return card

    def _remove(self, card: QuestionCard) -> None:
        at = self.cards.index(card)
        self.cards.remove(card)
        self._list.removeWidget(card)
        card.hide()
        card.deleteLater()
        (self.cards[min(at, len(self.cards) - 1)].asked if self.cards else self.add).setFocus()
        kept = card.written
        self._changed()
        if kept.question:
            words = self.tr("Question {0} is gone.").format(at + 1)
            self._say("info", words, "", self.tr("Undo"), lambda: self._put_back(kept, at))

    def _put_back(self, question: Question, at: int) -> None:
        self.banner.hide()
        self._insert(question, min(at, len(self.cards))).asked.setFocus()
        self._changed()

    def _changed(self) -> None:
        self.banner.hide()
        self._is_leaving = False
        self._look()
        self._soon.start()

    def _look(self) -> None:
        """What is wrong with each, and how many there are."""
        known: set[tuple[str, str]] = set()
        for place, card in enumerate(self.cards, start=1):
            card.look(place, known)
        count = sum(card.question is not None for card in self.cards)
        words = self.tr("1 question") if count == 1 else self.tr("{0} questions").format(number(count))
        self._status.setText(f"{words} · {self.tr('each change is saved')}")

    # Leaving

    def accept(self) -> None:
        self.reject()

    def reject(self) -> None:
        """Close; what is not complete is told once before it is left out."""
        if not self._is_leaving:
            unfinished = [place for place, card in enumerate(self.cards, start=1) if card.why]
            if not self.save():
                self._is_leaving = True  # it was said; a second press leaves it
                return
            if unfinished and self._can_save:
                self._is_leaving = True
                self.cards[unfinished[0] - 1].asked.setFocus()
                cause = self.tr("Question {0} is not complete and would not be kept.").format(unfinished[0])
                self._say("warn", cause, self.cards[unfinished[0] - 1].why, self.tr("Close without it"), self.reject)
                return
        super().reject()

    def _say(self, tone: str, cause: str, safe: str, button: str = "", do: Callable[[], object] | None = None) -> None:
        self.banner.say(tone, cause, safe, button, do)  # type: ignore[arg-type]
        self.banner.show()


class QuestionCard(Card):
    """One question: what is asked, the right answer, and how a right answer is recognised.

    Attributes:
        why: what is missing, in a sentence; "" for nothing, or where nothing is written at all.
    """

    def __init__(
        self, question: Question, on_change: Callable[[], object], on_remove: Callable[[QuestionCard], object]
    ) -> None:
        self._before, self.why = question, ""
        self._name = Label("", "label", "text2")
        self.asked = _field(self.tr("Question"), question.question, on_change)
        self.answer = _field(self.tr("The right answer, in a sentence"), question.answer, on_change)
        self.accept = _field(
            self.tr("Words of which a right answer has at least one, with ; between them (you can leave this empty)"),
            f"{_BETWEEN} ".join(question.accept), on_change,
        )  # fmt: skip
        self.remove = Button("", "quiet", icon="bin", size="small", on_click=lambda: on_remove(self))
        also = " ".join(
            filter(
                None,
                (
                    self.tr("It goes with material that stands in its file.") if question.context else "",
                    self.tr("Its file has a rule for the answer.") if question.rule is not None else "",
                ),
            )
        )
        note = Label(also, "small", "text3", wraps=True)
        note.setVisible(bool(also))
        self._wrong = Label("", "small", "warn", wraps=True)
        super().__init__(
            column(row(self._name, -1, self.remove), self.asked, gap=2),
            *(column(_named(each), each, gap=2) for each in (self.answer, self.accept)), note, self._wrong,
            gap=8, padding=(16, 12),
        )  # fmt: skip

    @property
    def written(self) -> Question:
        """As it stands in the fields; a field that nobody changed is as it was."""
        asked, answer, accept = self.asked.toPlainText(), self.answer.toPlainText(), self.accept.toPlainText()
        before = self._before
        made = replace(before, question=_text(asked), answer=_text(answer))
        if accept != f"{_BETWEEN} ".join(before.accept):
            made = replace(made, accept=tuple(text for text in map(_text, accept.split(_BETWEEN)) if text))
        return made

    @property
    def question(self) -> Question | None:
        """Where it is complete and asked for the first time."""
        return None if self.why or not self.written.question else self.written

    def look(self, place: int, known: set[tuple[str, str]]) -> None:
        """
        Args:
            known: what the questions before it ask; it is added.
        """
        written = self.written
        key = (written.context, written.question)
        before, self.why = self.why, ""
        if not written.question and (written.answer or written.accept):
            self.why = self.tr("The question is missing.")
        elif written.question and not written.answer:
            self.why = self.tr("Its answer is missing.")
        elif written.question and key in known:
            self.why = self.tr("It is asked twice.")
        known.add(key)
        self._name.setText(self.tr("Question {0}").format(place))
        self.remove.setAccessibleName(self.tr("Remove question {0}").format(place))
        self._wrong.setText(self.why)
        self._wrong.setVisible(bool(self.why))
        self.asked.setAccessibleDescription(self.why)
        if self.why and self.why != before and self.isVisible():
            announce(self, self.why)


def _text(written: str) -> str:
    return clean(written).strip()


def _field(name: str, text: str, on_change: Callable[[], object]) -> GrowingField:
    made = GrowingField(name, "", lambda _: on_change())
    made.show_text(text)
    made.setUndoRedoEnabled(True)
    return made


def _named(field: GrowingField) -> Label:
    label = Label(field.accessibleName(), "small", "text2", wraps=True)
    label.setBuddy(field)
    return label
