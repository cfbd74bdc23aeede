"""Quiz first: what the model knows of a lesson already, so that only the rest needs to be taught."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from lab_desktop.artifacts import Mark, Pair
from lab_desktop.editing.lesson import Lesson
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.editor.forms import Form
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, empty, row

SIGNS = {Mark.KNOWS: ("check", "good"), Mark.PARTLY: ("dash", "warn"), Mark.DOES_NOT_KNOW: ("cross", "text2")}
"""(icon, tone) of what the model knew."""


class QuizForm(Form):
    asked = Signal()
    """The person wants the model to be asked."""

    def __init__(self, coach: Coach) -> None:
        super().__init__(
            self.tr("Quiz first"), "",
            self.tr("The model answers your questions without the text. Teach only what it gets wrong."),
        )  # fmt: skip
        self._coach = coach
        self.ask = Button(self.tr("Ask the model"), icon="chat", on_click=self.asked.emit)
        self._said = Label("", "body", "text2", wraps=True)
        line = QWidget()
        said = row(self.ask, self._said, gap=12)
        said.setStretch(1, 1)
        line.setLayout(said)
        self._rows = column(gap=8)
        held = QWidget()
        held.setLayout(self._rows)
        self.add(line, held)
        self._shown: list[tuple[str, Mark, str]] = []

    def show_lesson(self, lesson: Lesson) -> None:
        """The questions that were asked, with what the model said."""
        is_busy = self._coach.is_busy("quiz")
        known, asked = self._coach.known()
        self.ask.setText(self.tr("Stop") if is_busy else self.tr("Ask again") if asked else self.tr("Ask the model"))
        if is_busy:
            words = self.tr("Asking… {0} of {1}").format(*self._coach.progress())
            self._said.setText(self._coach.said.get(0) or words)
        elif asked:
            self._said.setText(self._coach.said.get(0) or self.tr("It knew {0} of {1} already.").format(known, asked))
        else:
            self._said.setText(self._coach.said.get(0) or self.tr("It takes a few seconds for each question."))
        pairs = (Pair(pair.question, pair.answer) for example in lesson.examples for pair in example.pairs)
        marks = ((pair.question, self._coach.quiz[pair]) for pair in pairs if pair in self._coach.quiz)
        shown = [(question, mark.mark, mark.reply) for question, mark in marks]
        if shown != self._shown:
            empty(self._rows)
            for question, mark, reply in shown:
                self._rows.addWidget(self._row(question, mark, reply))
            self._shown = shown

    def _row(self, question: str, mark: Mark, reply: str) -> QWidget:
        words = {
            Mark.KNOWS: self.tr("Knows it"), Mark.PARTLY: self.tr("Knows it partly"),
            Mark.DOES_NOT_KNOW: self.tr("Does not know"),
        }  # fmt: skip
        sign, tone = SIGNS[mark]
        said = Label(words[mark], "label", tone)
        head = row(Icon(sign, tone, 14), said, -1, gap=6)
        made = Card(
            Label(question, "strong", wraps=True), 2, Label(reply, "body", "text2", wraps=True), 6, head,
            padding=(14, 8),
        )  # fmt: skip
        made.setAccessibleName(f"{question} {words[mark]}")
        return made
