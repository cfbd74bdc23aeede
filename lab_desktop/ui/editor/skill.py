"""A skill lesson: what one would type and what a perfect answer looks like, example by example."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from lab_desktop.artifacts import LeafKind
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.lesson import DraftExample, DraftPair, Field, Lesson, Mark
from lab_desktop.editing.notices import Notice, notices
from lab_desktop.editing.variety import Meter, variety
from lab_desktop.ui.editor.cards import MoreButton
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.editor.desk import Desk
from lab_desktop.ui.editor.fields import GrowingField, named
from lab_desktop.ui.editor.kept import Kept
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, Segmented, column, row, rule, scrolled
from lab_desktop.ui.widgets.meters import Bar


class SkillEditor(QWidget):
    """The description, the examples, and how varied they are.

    Attributes:
        table: offers to add examples from a table.
        take_cells: shows cells that were pasted; False where a text is none of these.
    """

    tried = Signal(int)
    """The current model should answer this example, by its id."""
    helped = Signal(int)
    """The teacher should write one like this example, by its id."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.about = GrowingField(
            self.tr("What the skill is"), self.tr("Turn a note into a polite letter."),
            lambda text: desk.type(Field("task_description"), text), style="reading",
        )  # fmt: skip
        self.kind = Segmented(
            [("freeform_skill", self.tr("Question only")), ("grounded_skill", self.tr("With material"))],
            "freeform_skill", self._choose_kind,
        )  # fmt: skip
        self.add = Button(self.tr("Add an example"), icon="plus", on_click=self.add_example)
        self._kept = Kept[DraftExample, ExampleCard](
            lambda example: ExampleCard(example, desk, self), before=self.kind, after=self.add, gap=12
        )
        self.table = Button(self.tr("Add from a table…"), "plain", icon="plus")
        self.take_cells: Callable[[str], bool] = lambda text: False
        show = self.tr("Show what you would type, and what a perfect answer looks like.")
        intro = Label(show, "body", "text2", wraps=True)
        inside = column(
            named(self.tr("What the skill is"), self.about), 14, row(intro, self.kind, gap=16), 12,
            self._kept.layout, 12, row(self.add, self.table, -1, gap=8), -1, margins=(24, 16, 24, 20),
        )  # fmt: skip
        body = QWidget()
        body.setLayout(inside)
        self._scroll = scrolled(body)

        self._meters = {
            name: MeterLine(text)
            for name, text in (
                ("length", self.tr("Length")), ("form", self.tr("Form")), ("subject", self.tr("Subject"))
            )
        }  # fmt: skip
        self._alike = Label("", "small", "warn", wraps=True)
        side = QWidget()
        side.setLayout(
            column(
                Label(self.tr("Variety"), "head"), 4,
                Label(self.tr("The model copies whatever all examples share."), "small", "text2", wraps=True), 12,
                *(part for line in self._meters.values() for part in (line, 12)), self._alike, -1,
                margins=(20, 16, 20, 16),
            )
        )  # fmt: skip
        self._side = scrolled(side)
        parts = row(self._scroll, rule(is_upright=True), self._side)
        parts.setStretch(0, 1)
        self.setLayout(parts)

    @property
    def _cards(self) -> dict[int, ExampleCard]:
        """By the ids of their examples."""
        return self._kept.by_id

    def show_lesson(self, lesson: Lesson) -> None:
        """The lesson as it is now; what did not change stays as it is, the cursor too."""
        self.about.show_text(lesson.task_description)
        self.kind.choose(lesson.kind.value)
        self._kept.arrange(lesson.examples)
        said = notices(lesson)
        for number, example in enumerate(lesson.examples, start=1):
            pair = example.pairs[0] if example.pairs else DraftPair(0)
            self._cards[example.id].show_example(example, pair, number, lesson.is_grounded, said.get(pair.id, ()))
        found = variety(lesson.examples)
        for name, meter in (("length", found.length), ("form", found.form), ("subject", found.subject)):
            self._meters[name].show_meter(meter)
        places = {example.id: number for number, example in enumerate(lesson.examples, start=1)}
        self._alike.setText(
            "\n".join(
                self.tr("Example {0} is nearly the same as example {1}.").format(places[one], places[two])
                for one, two in found.alike
            )
        )
        self._alike.setVisible(bool(found.alike))

    def show_field(self, field: Field, *, may_add: bool = True) -> None:
        """Go to a field: the cursor in it.

        Args:
            may_add: where an example is missing, begin one.
        """
        for identity, card in self._cards.items():
            if identity == field.example or card.pair == field.pair != 0:
                part = {"answer": card.answer, "context": card.material}.get(field.name, card.question)
                part.setFocus()
                self._scroll.ensureWidgetVisible(part)
                return
        if field.name == "task_description":
            self.about.setFocus()
        elif may_add:
            self.add_example()

    def add_example(self) -> None:
        """An empty example with the cursor in it; one that is empty already is used."""
        lesson = self._desk.lesson
        if lesson is None:
            return
        blank = next(
            (each for each in lesson.examples if all(pair.is_blank for pair in each.pairs) and not each.context), None
        )
        if blank is None:
            self._desk.do(lambda lesson: changes.add_example(lesson), self.tr("add example"), Field("examples"))
            lesson = self._desk.lesson
            assert lesson is not None
            blank = lesson.examples[-1]
        card = self._cards[blank.id]
        (card.material if lesson.is_grounded else card.question).setFocus()
        self._scroll.ensureWidgetVisible(card)

    def show_helping(self, coach: Coach) -> None:
        """What the models do for the examples."""
        for identity, card in self._cards.items():
            card.show_helping(
                coach.is_busy("like", identity), coach.is_busy("try", identity), coach.said.get(identity, "")
            )

    def show_answer(self, example: int, text: str) -> None:
        """What the model answers to an example that was tried, as far as it is there."""
        if example in self._cards:
            self._cards[example].show_tried(text)

    def _choose_kind(self, kind: str) -> None:
        self._desk.do(
            lambda lesson: changes.with_kind(lesson, LeafKind(kind)), self.tr("change the kind of skill"),
            Field("examples"),
        )  # fmt: skip

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side.setFixedWidth(look().grown(280) if self.width() >= look().grown(800) else look().grown(220))


class ExampleCard(Card):
    """One example: material where there is any, what one would type, the perfect answer.

    Attributes:
        pair: the id of its pair.
    """

    def __init__(self, example: DraftExample, desk: Desk, editor: SkillEditor) -> None:
        self.pair = example.pairs[0].id if example.pairs else 0
        self._title = Label("", "label", "text2")
        self._lamp = Icon("lamp", "accent", 16)
        self.material = GrowingField(
            editor.tr("Material"), editor.tr("What it is about: a letter, a table, a note…"),
            lambda text: desk.type(Field("context", example.id), text), is_quiet=True,
        )  # fmt: skip
        self.question = GrowingField(
            editor.tr("What you would type"), editor.tr("What you would type…"),
            lambda text: desk.type(Field("question", example.id, self.pair), text), style="strong",
            is_quiet=True, on_paste=lambda text: editor.take_cells(text),
        )  # fmt: skip
        self.answer = GrowingField(
            editor.tr("A perfect answer"), editor.tr("A perfect answer…"),
            lambda text: desk.type(Field("answer", example.id, self.pair), text), is_quiet=True,
        )  # fmt: skip
        self._said = Label("", "small", "warn", wraps=True)
        self.try_it = Button(
            editor.tr("Try now"), size="small", icon="play", on_click=lambda: editor.tried.emit(example.id)
        )
        self.like = Button(
            editor.tr("Suggest one like this"), "plain", size="small", icon="lamp",
            on_click=lambda: editor.helped.emit(example.id),
        )  # fmt: skip
        self.accept = Button(
            editor.tr("Accept"), size="small", icon="check",
            on_click=lambda: desk.do(lambda lesson: changes.accept(lesson, self.pair), editor.tr("accept example")),
        )  # fmt: skip
        self._helped = Label("", "small", "text2", wraps=True)
        self._helped.hide()
        self._tried = Label("", "body", "text2", wraps=True)
        self._tried.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        now = Label(editor.tr("The model answers now"), "label", "text2")
        answer = column(now, 4, self._tried, margins=(12, 8, 12, 10))
        self._box = QFrame()
        self._box.setProperty("surface", "sunken")
        self._box.setLayout(answer)
        self._box.hide()
        self.more = MoreButton(
            editor.tr("Delete this example"),
            lambda: desk.do(lambda lesson: changes.remove_example(lesson, example.id), editor.tr("delete example")),
        )
        super().__init__(
            row(self._lamp, self._title, -1, self.more, gap=6), 4, self.material, 4, self.question, 4, self.answer, 6,
            row(self._said, margins=(8, 0, 0, 0)),
            row(self.accept, self.try_it, self.like, -1, gap=8, margins=(0, 4, 0, 0)),
            self._helped, 6, self._box,
            padding=(14, 8),
        )  # fmt: skip

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """Its parts in the order of the keyboard."""
        return self.more, self.material, self.question, self.answer, self.accept, self.try_it, self.like

    def show_example(
        self, example: DraftExample, pair: DraftPair, number: int, is_grounded: bool, said: tuple[Notice, ...]
    ) -> None:
        """The example as the lesson has it now."""
        is_suggested = pair.mark is Mark.SUGGESTED
        self._lamp.setVisible(is_suggested)
        words = self.tr("Suggested – not yours until you accept") if is_suggested else self.tr("Example {0}")
        self._title.setText(words.format(number))
        self._title.set_tone("accent" if is_suggested else "text2")
        for part, name in (
            (self.material, self.tr("Material of example {0}")), (self.question, self.tr("Request of example {0}")),
            (self.answer, self.tr("Answer of example {0}")), (self.more, self.tr("More for example {0}")),
            (self.try_it, self.tr("Try example {0} now")), (self.accept, self.tr("Accept example {0}")),
            (self.like, self.tr("Suggest one like example {0}")),
        ):  # fmt: skip
            part.setAccessibleName(name.format(number))
        self.accept.setVisible(is_suggested)
        self.material.setVisible(is_grounded)
        for field in (self.material, self.question, self.answer):
            field.set_quiet(not pair.is_blank)
        self.material.show_text(example.context)
        self.question.show_text(pair.question)
        self.answer.show_text(pair.answer)
        self.try_it.setVisible(bool(pair.question.strip()))
        self.like.setVisible(pair.is_written and bool(pair.answer.strip()))
        self._said.setText(said[0].words if said else "")
        self._said.setVisible(bool(said))

    def show_helping(self, is_suggesting: bool, is_trying: bool, said: str) -> None:
        self.like.setText(self.tr("Stop") if is_suggesting else self.tr("Suggest one like this"))
        self.try_it.setText(self.tr("Stop") if is_trying else self.tr("Try now"))
        self._helped.setText(said)
        self._helped.setVisible(bool(said))

    def show_tried(self, text: str) -> None:
        self._tried.setText(text or "…")
        self._box.show()


class MeterLine(QWidget):
    """A needle of the variety meter, with its word and what to do."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._word = Label("", "small", "text2")
        self._bar = Bar(6, "good")
        self._hint = Label("", "small", "text3", wraps=True)
        self.setLayout(column(row(Label(name, "label"), -1, self._word), 4, self._bar, 4, self._hint))

    def show_meter(self, meter: Meter) -> None:
        self._word.setText(meter.words)
        self._bar.show_share(meter.share)
        self._hint.setText(meter.hint)
        self._hint.setVisible(bool(meter.hint))
        self.setAccessibleName(f"{self._name}: {meter.words}")
