"""A wrong answer becomes the beginning of a lesson: what it should have said, and where that stands."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from lab_desktop import drafts
from lab_desktop.drafts import Draft
from lab_desktop.errors import LabError
from lab_desktop.ui.widgets.basic import Banner, Button, Label, Segmented, column, row, rule, scrolled


class TeachSheet(QDialog):
    """Asks for the right answer and keeps it as a draft. Esc changes nothing.

    Attributes:
        answer, passage: the two fields.
        has_passage: something stands in the second, so it becomes a facts lesson.
        kept: the draft, when it was written.
    """

    def __init__(self, parent: QWidget, root: Path, project: str, question: str, said: str) -> None:
        super().__init__(parent, Qt.WindowType.Sheet)
        self.kept: Draft | None = None
        self._root, self._project, self._question = root, project, question
        self._draft: Draft | None = None
        self.has_passage = False
        self.setWindowTitle(self.tr("Teach it this"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        room = parent.window().size()
        self.resize(min(720, room.width() - 32), min(648, room.height() - 32))

        self.answer = _field(self.tr("What should it have said?"))
        self.passage = _field(self.tr("Where does it stand?"))
        self.passage.setPlaceholderText(
            self.tr("Paste the sentences of a document that say so. You can leave this empty.")
        )
        self.passage.textChanged.connect(self._passage_changed)
        self.answer.textChanged.connect(lambda: self._banner.hide())
        self._banner: Banner = Banner("warn", "", "")
        self._banner.hide()
        self._where = Segmented([("add", ""), ("new", self.tr("New draft"))], "add", lambda _: None)
        self._what = Label("", "small", "text2", wraps=True)
        said_label = Label(said.strip(), "body", "text2", wraps=True)
        inside = QWidget()
        inside.setLayout(
            column(
                Label(self.tr("You asked"), "label", "text3"),
                Label(question.strip(), "head", wraps=True),
                8,
                Label(self.tr("The model said"), "label", "text3"),
                said_label,
                12,
                _named(self.answer, self.tr("What should it have said?")),
                self.answer,
                12,
                _named(self.passage, self.tr("Where does it stand?")),
                self.passage,
                8,
                self._what,
                self._where,
                -1,
                gap=4,
                margins=(24, 16, 24, 16),
            )
        )
        body = scrolled(inside)
        keep = Button(self.tr("Keep as draft"), "primary", on_click=self.keep)
        keep.setDefault(True)
        foot = row(-1, Button(self.tr("Cancel"), on_click=self.reject), keep, gap=10, margins=(24, 16, 24, 16))
        top = row(Label(self.tr("Teach it this"), "title"), margins=(24, 20, 24, 12))
        whole = column(top, row(self._banner, margins=(24, 0, 24, 8)), rule(), body, rule(), foot)
        whole.setStretch(3, 1)
        self.setLayout(whole)
        self._look_for_draft()
        self.answer.setFocus()

    def keep(self) -> None:
        """Write it; whatever goes wrong, what was typed stays in the fields."""
        answer, passage = self.answer.toPlainText(), self.passage.toPlainText()
        if not answer.strip():
            self._say(self.tr("The right answer is still missing."), self.tr("Write what the model should have said."))
            self.answer.setFocus()
            return
        into = self._draft if self._where.chosen == "add" else None
        try:
            self.kept = drafts.keep(self._root, self._project, self._question, answer, passage, into)
        except LabError as error:
            self._say(error.message, error.hint)
            self._look_for_draft()
            return
        self.accept()

    def _say(self, cause: str, hint: str) -> None:
        self._banner.say("warn", cause, hint)
        self._banner.show()

    def _passage_changed(self) -> None:
        if bool(self.passage.toPlainText().strip()) != self.has_passage:
            self._look_for_draft()

    def _look_for_draft(self) -> None:
        self.has_passage = has_passage = bool(self.passage.toPlainText().strip())
        self._draft = drafts.find(self._root, self._project, has_passage=has_passage)
        self._what.setText(
            self.tr("It becomes part of a facts lesson: the passage goes with it.")
            if has_passage
            else self.tr("Without a passage it becomes part of a skill lesson.")
        )
        self._where.setVisible(self._draft is not None)
        if self._draft is not None:
            words = self.tr("Add to “{0}” ({1})").format(self._draft.title, self._draft.questions)
            self._where.set_text("add", words)


def _field(name: str) -> QPlainTextEdit:
    field = QPlainTextEdit()
    field.setAccessibleName(name)
    field.setTabChangesFocus(True)
    field.setFixedHeight(112)
    return field


def _named(field: QWidget, text: str) -> Label:
    label = Label(text, "strong")
    label.setBuddy(field)
    return label
