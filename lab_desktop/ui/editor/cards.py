"""Question cards: one's own to write in, suggested ones to accept, and the empty one that waits for a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QMenu, QToolButton, QWidget

from lab_desktop import artifacts
from lab_desktop.editing.lesson import DraftPair, Field, Mark
from lab_desktop.editing.quiz import Known
from lab_desktop.ui import icons
from lab_desktop.ui.editor.fields import GrowingField
from lab_desktop.ui.editor.quiz import SIGNS
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Icon, Label, column, row


@dataclass(frozen=True)
class Verdict:
    """What is said about a card.

    Attributes:
        sentence: of the passage that tells the answer; "" where none does.
    """

    tone: Literal["good", "warn", "bad", "text2"]
    text: str
    sentence: str = ""


@dataclass(frozen=True)
class CardDoings:
    """What a card has done by the editor."""

    typed: Callable[[Field, str], object]
    accept: Callable[[int], object]
    remove: Callable[[int], object]
    point: Callable[[str], object]
    """Show this sentence in the text."""
    entered: Callable[[int], object]
    """The last field was ended with Return."""
    pasted: Callable[[int, str], bool]
    """A text was pasted into the question; True where it was questions with answers."""


class QuestionCard(QFrame):
    """One pair of a lesson. It shows what the lesson holds, and tells what is typed.

    Attributes:
        pair: the id of the pair.
        question, answer: its fields.
        said: what is to be said about it.
        known: what the model knew when it was asked.
        told: shows what it answered.
    """

    def __init__(self, pair: DraftPair, doings: CardDoings) -> None:
        super().__init__()
        self.pair = pair.id
        self._mark, self._doings, self._sentence = pair.mark, doings, ""
        self.setProperty("surface", "card")
        self._title = Label("", "label", "text2", wraps=True)
        self._lamp = Icon("lamp", "accent", 16)
        self.question = GrowingField(
            "", self.tr("Ask something this passage answers…"),
            lambda text: doings.typed(Field("question", pair=pair.id), text), style="strong", is_one_line=True,
            is_quiet=True, on_paste=lambda text: doings.pasted(pair.id, text),
        )  # fmt: skip
        self.answer = GrowingField(
            "", self.tr("The answer, as you would give it…"),
            lambda text: doings.typed(Field("answer", pair=pair.id), text),
            on_return=lambda: doings.entered(pair.id), is_quiet=True,
        )  # fmt: skip
        self._icon = Icon("info", "text2", 14)
        self.said = Label("", "small", "text2", wraps=True)
        self.found = Button(self.tr("Found here"), "plain", size="small", on_click=self._point)
        self.found.setProperty("flush", True)
        self._sign = Icon("info", "text2", 14)
        self.known = Label("", "small", "text2", wraps=True)
        self.told = Button(self.tr("Its answer"), "plain", size="small", on_click=self._unfold)
        self.told.setProperty("flush", True)
        self._quizzed = QWidget()
        quizzed = row(self._sign, self.known, self.told, gap=6, margins=(8, 2, 0, 0))
        quizzed.setStretch(1, 1)
        self._quizzed.setLayout(quizzed)
        self._quizzed.hide()
        self.reply = Label("", "small", "text2", wraps=True)
        self.reply.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reply.hide()
        self.accept = Button(self.tr("Accept"), size="small", icon="check", on_click=lambda: doings.accept(pair.id))
        keys = QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText)
        self.accept.setToolTip(self.tr("Accept ({0})").format(keys))
        self.dismiss = Button(self.tr("Dismiss"), "quiet", size="small", on_click=lambda: doings.remove(pair.id))
        self._choices = QWidget()
        self._choices.setLayout(row(self.accept, self.dismiss, -1, gap=8, margins=(8, 8, 0, 0)))
        self.more = MoreButton(self.tr("Delete this question"), lambda: doings.remove(pair.id))
        head = row(self._lamp, self._title, self.more, gap=6, margins=(8, 0, 0, 0))
        head.setStretch(1, 1)
        line = row(self._icon, self.said, gap=6, margins=(8, 0, 0, 0))
        line.setStretch(1, 1)
        self.setLayout(
            column(
                head, 4, self.question, self.answer, 4, line, row(self.found, -1, margins=(28, 2, 0, 0)),
                self._quizzed, row(self.reply, margins=(28, 2, 0, 0)), self._choices,
                margins=(6, 8, 10, 12),
            )
        )  # fmt: skip

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """Its parts in the order of the keyboard."""
        return self.more, self.question, self.answer, self.found, self.told, self.accept, self.dismiss

    def show_pair(self, pair: DraftPair, number: int) -> None:
        """The pair as the lesson has it now."""
        self._mark = pair.mark
        is_suggested = pair.mark is Mark.SUGGESTED
        self._lamp.setVisible(is_suggested)
        words = self.tr("Suggested – not yours until you accept") if is_suggested else self.tr("Question {0}")
        self._title.setText(words.format(number))
        self._title.set_tone("accent" if is_suggested else "text2")
        self.question.setAccessibleName(self.tr("Question {0}").format(number))
        self.answer.setAccessibleName(self.tr("Answer to question {0}").format(number))
        self.more.setAccessibleName(self.tr("More for question {0}").format(number))
        self.accept.setAccessibleName(self.tr("Accept question {0}").format(number))
        self.dismiss.setAccessibleName(self.tr("Dismiss question {0}").format(number))
        self._choices.setVisible(is_suggested)
        self.more.setVisible(not is_suggested)
        for field in (self.question, self.answer):
            field.set_quiet(not pair.is_blank)
        self.question.show_text(pair.question)
        self.answer.show_text(pair.answer)
        self.update()

    def say(self, verdict: Verdict) -> None:
        """What is to be said about it now."""
        sign = {"good": "check", "warn": "warn", "bad": "warn"}.get(verdict.tone, "info")
        self._icon.show_icon(sign, verdict.tone)
        self.said.set_tone(verdict.tone)
        self.said.setText(verdict.text)
        self._sentence = verdict.sentence
        self._icon.setVisible(bool(verdict.text))
        self.found.setVisible(bool(verdict.sentence))
        self.found.setAccessibleName(self.tr("Show where the passage answers: {0}").format(self.question.toPlainText()))

    def show_known(self, known: Known | None, *, was_asked: bool) -> None:
        """What the model said to this wording when it was asked, its answer folded away.

        Args:
            was_asked: the model was asked other questions of the lesson.
        """
        self._quizzed.setVisible(was_asked)
        self._sign.setVisible(known is not None)
        self.told.setVisible(known is not None)
        if known is None:
            self.known.setText(self.tr("The model was not asked this yet."))
            self.reply.hide()
            return
        self._sign.show_icon(*SIGNS[known.mark])
        self.known.setText(
            {
                artifacts.Mark.KNOWS: self.tr("The model knows this already."),
                artifacts.Mark.PARTLY: self.tr("The model knows this partly."),
                artifacts.Mark.DOES_NOT_KNOW: self.tr("The model does not know this yet."),
            }[known.mark]
        )
        self.told.setAccessibleName(self.tr("What the model answered to: {0}").format(self.question.toPlainText()))
        self.reply.setText(self.tr("It answered: {0}").format(known.reply.strip() or "–"))

    def _unfold(self) -> None:
        self.reply.setVisible(self.reply.isHidden())

    def _point(self) -> None:
        self._doings.point(self._sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            (self._doings.accept if self._mark is Mark.SUGGESTED else self._doings.entered)(self.pair)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._mark is not Mark.SUGGESTED:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(look().theme.color("accent"), 1.5, Qt.PenStyle.DashLine)
        pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)


class MoreButton(QToolButton):
    """What else can be done with a card, in a menu."""

    def __init__(self, text: str, do: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("flat", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(self)
        menu.addAction(text, do)
        self.setMenu(menu)
        look().changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(icons.icon("more", "text2", 16))
