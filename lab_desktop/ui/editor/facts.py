"""A facts lesson: its text with the passages in it, and the questions of the passage in hand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QWidget

from lab_desktop.artifacts import Pair
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.checklist import FEWEST_EXAMPLES, FEWEST_PAIRS, FEWEST_PASSAGE_WORDS, gauge
from lab_desktop.editing.lesson import DraftExample, DraftPair, Field, Lesson
from lab_desktop.editing.notices import Notice, found_in, notices
from lab_desktop.editing.passages import spans, suggest_passages, use_as_passage
from lab_desktop.editing.paste import split_pairs
from lab_desktop.editing.quiz import Marks
from lab_desktop.ui.editor.cards import CardDoings, QuestionCard, Verdict
from lab_desktop.ui.editor.coach import Coach
from lab_desktop.ui.editor.desk import Desk
from lab_desktop.ui.editor.kept import Kept
from lab_desktop.ui.editor.reading import Reading
from lab_desktop.ui.editor.text import DocumentText
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Button,
    ElidedLabel,
    Folding,
    Label,
    arrow,
    column,
    nothing_yet,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.meters import Gauge


class FactsEditor(QWidget):
    """Attributes:
    place: of the passage in hand among the lesson's examples.
    table: offers to add questions from a table.
    take_cells: shows cells that were pasted; False where a text is none of these.
    """

    helped = Signal(int)
    """The teacher should suggest questions for this passage, by its id."""
    dismissed = Signal(int)
    """A suggestion is not wanted, by the id of its pair."""
    sourceless = Signal()
    """There is no text yet: the person wants to bring one."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.place = 0
        self._wanted = 0
        self._marks: Marks = {}
        self.documents = QComboBox()
        self.documents.setAccessibleName(self.tr("Document"))
        self.documents.activated.connect(lambda _: self._show_document())
        self.suggest = Button(self.tr("Suggest passages"), icon="lamp", on_click=self._suggest_passages)
        self.text = DocumentText()
        self.text.chosen.connect(self.show_passage)
        self.text.wanted.connect(self._use)
        self.reading = Reading(self.text)
        self.reading.arranged.connect(self._fit)
        self._no_text = nothing_yet(
            "book", self.tr("No text yet"), self.tr("Bring a page or two: the facts come from there.")
        )
        bring = Button(self.tr("Add a document"), "primary", on_click=self.sourceless.emit)
        self._empty = QWidget()
        self._empty.setLayout(column(self._no_text, row(-1, bring, -1), -1))
        self.questions = Button(self.tr("Questions"), icon="chevron-right", on_click=self._show_questions)
        shown = QWidget()
        shown.setLayout(row(self.documents, self.reading.switch, -1, gap=8))
        offered = QWidget()
        offered.setLayout(row(self.suggest, self.questions, gap=8))
        bar = row(Folding(shown, offered, gap=8), margins=(24, 10, 24, 10))
        left = QWidget()
        inside = column(bar, rule(), self.reading, self._empty)
        left.setLayout(inside)

        self._title = Label("", "head")
        self._amount = ElidedLabel("", "body", "text2")
        self._gauge = Gauge()
        self._full = Label("", "small", "text2")
        self.add = Button(self.tr("Add a question"), icon="plus", on_click=self.add_question)
        self.help = Button(self.tr("Suggest questions"), icon="lamp", on_click=self._help)
        self.table = Button(self.tr("Add from a table…"), "plain", size="small", icon="plus")
        self.take_cells: Callable[[str], bool] = lambda text: False
        self.helping = Label("", "small", "text2", wraps=True)
        self._before = arrow("chevron-left", self.tr("Passage before"), lambda: self.show_passage(self.place - 1))
        self._after = arrow("chevron-right", self.tr("Next passage"), lambda: self.show_passage(self.place + 1))
        self.delete = arrow("bin", self.tr("Take this passage out"), self._delete)
        self._kept = Kept[DraftPair, QuestionCard](
            lambda pair: QuestionCard(pair, self._doings), before=self._after, after=self.add, gap=10
        )
        self._part = QWidget()
        self._part.setLayout(
            column(
                row(self._title, self._amount, self.delete, self._before, self._after, gap=6), 8,
                self._gauge, 4, self._full, 12, self._kept.layout, 10, Folding(self.add, self.help, gap=8), 6,
                row(self.table, -1), 6, self.helping,
            )
        )  # fmt: skip
        self._hint = Label(
            self.tr("Select a part of the text and choose “Use as passage”, or let five be suggested."),
            "body", "text2", wraps=True,
        )  # fmt: skip
        side = QWidget()
        side.setLayout(column(self._part, self._hint, -1, margins=(20, 14, 20, 16)))
        self._scroll = scrolled(side)
        self._edge = rule(is_upright=True)
        parts = row(left, self._edge, self._scroll)
        parts.setStretch(0, 1)
        self.setLayout(parts)
        self._fit()
        self._doings = CardDoings(
            self._typed, self._accept, self._remove, self.reading.mark, lambda _: self.add_question(), self._pasted
        )  # fmt: skip

    @property
    def _cards(self) -> dict[int, QuestionCard]:
        """The cards of the passage in hand, by the ids of their pairs."""
        return self._kept.by_id

    def show_lesson(self, lesson: Lesson) -> None:
        """The lesson as it is now; what did not change stays as it is, the cursor too."""
        names = [document.name for document in lesson.documents]
        if names != [self.documents.itemText(each) for each in range(self.documents.count())]:
            kept = self.documents.currentText()
            self.documents.clear()
            self.documents.addItems(names)
            self.documents.setCurrentIndex(max(0, self.documents.findText(kept)))
        self.documents.setVisible(len(names) > 1)
        has_text = any(document.text.strip() for document in lesson.documents)
        self.reading.setVisible(has_text)
        self._empty.setVisible(not has_text)
        self.suggest.setVisible(has_text)
        self._show_document()
        if self._wanted and any(example.id == self._wanted for example in lesson.examples):
            self.place = [example.id for example in lesson.examples].index(self._wanted)
            self._wanted = 0
        self.place = min(self.place, max(0, len(lesson.examples) - 1))
        self._show_example(lesson)

    @property
    def passage(self) -> int:
        """The id of the passage in hand; 0: there is none."""
        lesson = self._desk.lesson
        return lesson.examples[self.place].id if lesson is not None and lesson.examples else 0

    def show_passage(self, place: int) -> None:
        """Take a passage in hand."""
        lesson = self._desk.lesson
        if lesson is not None and lesson.examples:
            self.place = place % len(lesson.examples)
            self._show_example(lesson)
            self.reading.activate(self.place)

    def show_field(self, field: Field, *, may_add: bool = True) -> None:
        """Go to a field: its passage in hand, the cursor in it.

        Args:
            may_add: where a question is missing, begin one.
        """
        lesson = self._desk.lesson
        if lesson is None:
            return
        for place, example in enumerate(lesson.examples):
            if example.id == field.example or any(pair.id == field.pair for pair in example.pairs):
                self.show_passage(place)
        if field.pair in self._cards:
            self._show_questions()
            card = self._cards[field.pair]
            (card.answer if field.name == "answer" else card.question).setFocus()
            self._scroll.ensureWidgetVisible(card)
        elif field.name in ("pairs", "pair") and lesson.examples and may_add:
            self.add_question()
        elif lesson.examples:
            self.add.setFocus()
        else:
            (self.suggest if self.suggest.isVisible() else self.text).setFocus()

    def add_question(self) -> None:
        """An empty card of the passage in hand, with the cursor in it; one that is empty already is used."""
        lesson = self._desk.lesson
        if lesson is None or not lesson.examples:
            return
        self._show_questions()
        example = lesson.examples[self.place]
        blank = next((pair for pair in example.pairs if pair.is_blank), None)
        if blank is None:
            self._desk.do(
                lambda lesson: changes.add_pairs(lesson, example.id, [Pair("", "")]), self.tr("add question"),
                Field("pairs", example.id),
            )  # fmt: skip
            lesson = self._desk.lesson
            assert lesson is not None
            blank = lesson.examples[self.place].pairs[-1]
        if blank.id in self._cards:
            self._cards[blank.id].question.setFocus()
            QTimer.singleShot(0, self._cards[blank.id], lambda: self._bring(blank.id))  # it has no place yet

    def _show_questions(self) -> None:
        if not self._scroll.isVisibleTo(self):
            self.reading.switch_to("text")

    def _bring(self, pair: int) -> None:
        if pair in self._cards:
            self._scroll.ensureWidgetVisible(self._cards[pair])

    def _show_document(self) -> None:
        lesson = self._desk.lesson
        if lesson is None or not lesson.documents:
            return
        document = lesson.documents[max(0, self.documents.currentIndex())]
        self.text.show_text(document.text, [example.context for example in lesson.examples], can_choose=True)
        if self._desk.folder is not None:
            self.reading.show_document(self._desk.folder / document.name, document.text)

    def _show_example(self, lesson: Lesson) -> None:
        has_any = bool(lesson.examples)
        self._part.setVisible(has_any)
        self._hint.setVisible(not has_any)
        example = lesson.examples[self.place] if has_any else DraftExample(0)
        written = sum(pair.is_written for pair in example.pairs)
        self._title.setText(self.tr("Passage {0}").format(self.place + 1))
        self._amount.setText(self.tr("{0} of {1}").format(written, max(FEWEST_PAIRS, written)))
        full = gauge(example.context)
        words = {
            "empty": self.tr("empty"), "short": self.tr("short"), "good": self.tr("good"), "long": self.tr("too long"),
        }[full.level]  # fmt: skip
        said = self.tr("{0} · {1} words").format(words, full.words)
        self._gauge.show_value(full.words, FEWEST_PASSAGE_WORDS, full.most, said)
        self._full.setText(said)
        self._full.set_tone({"good": "good", "long": "bad"}.get(full.level, "warn"))
        self._show_cards(lesson, example)

    def _show_cards(self, lesson: Lesson, example: DraftExample) -> None:
        self._kept.arrange(example.pairs)
        said = notices(lesson)
        for number, pair in enumerate(example.pairs, start=1):
            self._cards[pair.id].show_pair(pair, number)
            self._cards[pair.id].say(self._verdict(pair, example, said.get(pair.id, ())))
        self._show_known(example)

    def _show_known(self, example: DraftExample) -> None:
        for pair in example.pairs:
            was_asked = bool(self._marks) and pair.is_written and bool(pair.question.strip() and pair.answer.strip())
            known = self._marks.get(Pair(pair.question, pair.answer)) if was_asked else None
            self._cards[pair.id].show_known(known, was_asked=was_asked)

    def _verdict(self, pair: DraftPair, example: DraftExample, said: tuple[Notice, ...]) -> Verdict:
        if pair.is_blank:
            return Verdict("text2", self.tr("Ask as somebody would who never read it."))
        if not pair.answer.strip():
            return Verdict("text2", self.tr("Now its answer, in few words."))
        if not pair.question.strip():
            return Verdict("text2", self.tr("Now the question that it answers."))
        if said:
            return Verdict("warn", said[0].words)
        sentence = pair.sentence or found_in(Pair(pair.question, pair.answer), example.context)
        return Verdict("good", self.tr("Answer found in the passage."), sentence)

    def _typed(self, field: Field, text: str) -> None:
        self._desk.type(field, text)

    def _pasted(self, pair: int, text: str) -> bool:
        """Questions with answers that were pasted into a question become cards; cells are looked at first."""
        if self.take_cells(text):
            return True
        found = split_pairs(text).pairs if "\n" in text.strip() else ()
        if not found:
            return False
        lesson = self._desk.lesson
        assert lesson is not None
        example = lesson.examples[self.place].id
        is_blank = lesson.pair(pair).is_blank

        def with_them(lesson: Lesson) -> Lesson:
            return changes.add_pairs(changes.remove_pair(lesson, pair) if is_blank else lesson, example, found)

        self._desk.do(with_them, self.tr("paste questions"), Field("pairs", example))
        return True

    def _accept(self, pair: int) -> None:
        self._desk.do(
            lambda lesson: changes.accept(lesson, pair), self.tr("accept question"), Field("question", pair=pair)
        )

    def show_helping(self, coach: Coach) -> None:
        """What the teacher does for the passage in hand, and what the model knew of its questions."""
        self._marks = coach.quiz
        lesson = self._desk.lesson
        shown = lesson.examples[self.place] if lesson is not None and self.place < len(lesson.examples) else None
        if shown is not None and [pair.id for pair in shown.pairs] == list(self._cards):
            self._show_known(shown)
        example = self.passage
        is_helping = coach.is_busy("suggest", example)
        self.help.setText(self.tr("Stop") if is_helping else self.tr("Suggest questions"))
        said = coach.said.get(example, "")
        self.helping.setText(said or (self.tr("The teacher reads the passage…") if is_helping else ""))
        self.helping.setVisible(bool(self.helping.text()))

    def _remove(self, pair: int) -> None:
        self.dismissed.emit(pair)
        self._desk.do(lambda lesson: changes.remove_pair(lesson, pair), self.tr("delete question"))

    def _delete(self) -> None:
        gone = self.passage
        if gone:
            self._desk.do(lambda lesson: changes.remove_example(lesson, gone), self.tr("take passage out"))

    def _use(self, start: int, end: int) -> None:
        lesson = self._desk.lesson
        if lesson is None:
            return
        name = lesson.documents[max(0, self.documents.currentIndex())].name
        self._wanted = lesson.last_id + 1
        self._desk.do(lambda lesson: use_as_passage(lesson, name, start, end), self.tr("use as passage"))

    def _suggest_passages(self) -> None:
        lesson = self._desk.lesson
        if lesson is None:
            return
        document = lesson.documents[max(0, self.documents.currentIndex())]
        taken = [(span.start, span.end) for span in spans(lesson) if span.document == document.name]
        known = sum(bool(example.context.strip()) for example in lesson.examples)
        found = suggest_passages(document.text, max(1, FEWEST_EXAMPLES - known), taken)

        def with_them(lesson: Lesson) -> Lesson:
            for start, end in found:
                lesson = use_as_passage(lesson, document.name, start, end)
            return lesson

        self._wanted = lesson.last_id + 1
        self._desk.do(with_them, self.tr("suggest passages"))
        self.reading.activate(self.place)

    def _help(self) -> None:
        if self.passage:
            self.helped.emit(self.passage)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Room for the questions; where the original beside its text needs theirs too, they step aside."""
        wide = look().grown(376) if self.width() >= look().grown(900) else look().grown(300)
        self._scroll.setFixedWidth(wide)
        both = self.reading.room_for_both()
        self.reading.set_room(self.width() >= both)
        is_aside = self.reading.seen == "both" and self.width() < both + wide
        self._scroll.setVisible(not is_aside)
        self._edge.setVisible(not is_aside)
        self.questions.setVisible(is_aside)
