"""A lesson: its text with the passages marked, and the questions of the passage in hand; one can add one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QFrame, QLayout, QLineEdit, QScrollArea, QStackedWidget, QTextEdit, QVBoxLayout, QWidget

from lab_desktop.artifacts import Leaf, LeafKind, Pair
from lab_desktop.documents.passages import read_documents
from lab_desktop.editing.notices import about, found_in
from lab_desktop.editing.passages import find_shown
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.qna import read_leaf, write_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Banner,
    Button,
    Card,
    ElidedLabel,
    Icon,
    Label,
    announce,
    column,
    empty,
    nothing_yet,
    row,
    rule,
)
from lab_desktop.words import telling_sentence

_GUTTER = 48
_WIDEST_TEXT = 640


class LessonPage(QWidget):
    """The lessons of the project in hand, one at a time."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._folders: list[Path] | None = None
        self._place = 0
        self._leaf: Leaf | None = None
        self._active = 0
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self._title = Label("", "title")
        self._term = Label("", "small", "text3")
        self._amount = ElidedLabel("", "body", "text2")
        self._others = QWidget()
        self._count = Label("", "body", "text2")
        self._others.setLayout(
            row(
                _walk("chevron-left", self.tr("Lesson before"), lambda: self._show_lesson(self._place - 1)),
                self._count,
                _walk("chevron-right", self.tr("Next lesson"), lambda: self._show_lesson(self._place + 1)),
                gap=4,
            )
        )
        self.text = LessonText()
        self.text.chosen.connect(self.show_passage)
        head = row(self._title, self._term, self._amount, self._others, gap=10, margins=(24, 16, 24, 8))
        head.setStretch(2, 1)
        left = QWidget()
        inside = column(head, row(self._banner, margins=(24, 0, 24, 8)), self.text)
        inside.setStretch(2, 1)
        left.setLayout(inside)

        self._passage = Label("", "head")
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        self.own = OwnQuestion(self._verdict, self._add)
        before = _walk("chevron-left", self.tr("Passage before"), lambda: self.show_passage(self._active - 1))
        self._after = _walk("chevron-right", self.tr("Next passage"), lambda: self.show_passage(self._active + 1))
        walk = row(self._passage, -1, before, self._after, gap=2)
        side = QWidget()
        side.setLayout(column(walk, 12, self._cards, 16, self.own, -1, margins=(20, 14, 20, 16)))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(side)
        self._scroll = scroll
        lesson = QWidget()
        parts = row(left, rule(is_upright=True), scroll)
        parts.setStretch(0, 1)
        lesson.setLayout(parts)
        self._stack = QStackedWidget()
        self._stack.addWidget(lesson)
        title, text = (
            self.tr("No lesson yet"),
            self.tr("A lesson is a page or two, and questions you would ask about it."),
        )
        self._stack.addWidget(nothing_yet("library", title, text))
        self.setLayout(column(self._stack))
        session.changed.connect(self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self.refresh)

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.own.question

    def heading(self) -> tuple[str, str]:
        project = self._session.project
        return (project.title, self.tr("Lessons")) if project else (self.tr("Lessons"), "")

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        session = self._session
        if self._leaf is None:
            return self.tr("choose or start a project."), self.tr("Home"), lambda: session.go("home")
        return (
            self.tr("when the questions say what matters, let the teacher write many more."),
            self.tr("Practice questions"),
            lambda: session.go("practice"),
        )

    def refresh(self) -> None:
        """Look at the project's lessons again; what did not change stays, and a page that nobody sees waits."""
        if not self.isVisible():
            return
        project = self._session.project
        problem: LabError | None = None
        try:
            folders = find_leaves(project.lessons) if project else []
        except LabError as error:
            folders, problem = [], error
        if folders != self._folders or problem is not None:
            self._folders = folders
            self._show_lesson(0)
        if problem is not None:
            self._stack.setCurrentIndex(0)
            self._say(problem)

    def _show_lesson(self, place: int) -> None:
        self._banner.hide()
        self._leaf = None
        folders = self._folders or []
        self._place = place % max(1, len(folders))
        try:
            if folders:
                self._leaf = read_leaf(folders[self._place])
                self.text.show_leaf(self._leaf, _document(self._leaf))
        except LabError as error:
            self._say(error)
        self._stack.setCurrentIndex(0 if folders else 1)
        leaf = self._leaf
        is_facts = leaf is not None and leaf.kind is LeafKind.KNOWLEDGE
        self._title.setText(
            self.tr("Lesson") if leaf is None else self.tr("Facts lesson") if is_facts else self.tr("Skill lesson")
        )  # fmt: skip
        self._term.setText("" if leaf is None else self.tr("(knowledge)") if is_facts else self.tr("(skill)"))
        self._others.setVisible(len(folders) > 1)
        if leaf is not None:
            self._count.setText(self.tr("{0} · {1} of {2}").format(leaf.title, self._place + 1, len(folders)))
        self._scroll.setVisible(leaf is not None)
        self.text.setVisible(leaf is not None)
        self.show_passage(0)

    def show_passage(self, place: int) -> None:
        """The questions of this passage, and the passage in the text."""
        if self._leaf is None:
            return
        count = len(self._leaf.seed_examples)
        self._active = place % count
        is_facts = self._leaf.kind is LeafKind.KNOWLEDGE
        words = self.tr("Passage {0} of {1}") if is_facts else self.tr("Example {0} of {1}")
        self._passage.setText(words.format(self._active + 1, count))
        self.own.ask_for(is_facts)
        self.text.activate(self._active)
        empty(self._cards)
        last: QWidget = self._after
        for pair in self._leaf.seed_examples[self._active].pairs:
            card = _PairCard(pair, self._point if self._context() else None)
            self._cards.addWidget(card)
            if card.found is not None:
                self.setTabOrder(last, card.found)
                last = card.found
        questions = sum(len(example.pairs) for example in self._leaf.seed_examples)
        amount = self.tr("{0} passages, {1} questions") if is_facts else self.tr("{0} examples")
        self._amount.setText(amount.format(count, questions))
        self.own.check()

    def _point(self, pair: Pair) -> None:
        context = self._context()
        self.text.mark(telling_sentence(context, pair.question, pair.answer))

    def _context(self) -> str:
        return (self._leaf.seed_examples[self._active].context or "") if self._leaf else ""

    def _verdict(self, pair: Pair) -> Verdict:
        """What is to be said about a question while it is typed."""
        assert self._leaf is not None
        others = [(0, each) for example in self._leaf.seed_examples for each in example.pairs]
        context, is_facts = self._context(), self._leaf.kind is LeafKind.KNOWLEDGE
        if found := about(pair, context, others, is_facts):
            return Verdict("warn", found[0].words)
        if not is_facts:
            return Verdict("good", self.tr("Good: nobody gave this example yet."))
        return Verdict("good", self.tr("Good: the passage says it."), found_in(pair, context))

    def _add(self, pair: Pair) -> bool:
        leaf = self._leaf
        assert leaf is not None
        example = leaf.seed_examples[self._active]
        examples = list(leaf.seed_examples)
        if leaf.kind is LeafKind.KNOWLEDGE:
            examples[self._active] = replace(example, pairs=(*example.pairs, pair))
        else:
            examples.append(replace(example, pairs=(pair,)))
        try:
            write_leaf(replace(leaf, seed_examples=tuple(examples)), leaf.folder)
            self._leaf = read_leaf(leaf.folder)
        except LabError as error:
            self._say(error)
            return False
        self.show_passage(self._active)
        self._session.lesson_changed.emit()
        return True

    def _say(self, error: LabError) -> None:
        self._banner.say("bad", error.message, error.hint)
        self._banner.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scroll.setFixedWidth(look().grown(376) if self.width() >= look().grown(1000) else 320)


@dataclass(frozen=True)
class Verdict:
    """What is said about a question that is being written.

    Attributes:
        tone: "good" or "warn".
        sentence: of the passage that tells the answer; "" where none does.
    """

    tone: str
    text: str
    sentence: str = ""


class OwnQuestion(Card):
    """Two fields for a question of one's own; what one should know about it is said while one types."""

    def __init__(self, verdict: Callable[[Pair], Verdict], add: Callable[[Pair], bool]) -> None:
        self._verdict, self._add = verdict, add
        self.question, self.answer = QLineEdit(), QLineEdit()
        self._title, self._hint = Label("", "strong"), ""
        for field in (self.question, self.answer):
            field.textChanged.connect(self.check)
            field.returnPressed.connect(self._entered)
        self._icon = Icon("info", "text2", 16)
        self.said = Label("", "small", "text2", wraps=True)
        self.button = Button("", icon="plus", on_click=self._entered)
        line = row(self._icon, self.said, gap=8)
        line.setStretch(1, 1)
        super().__init__(
            self._title, 8, self.question, 8, self.answer, 8, line, 10,
            row(self.button, -1), padding=(16, 14),
        )  # fmt: skip
        self.ask_for(is_facts=True)

    def ask_for(self, is_facts: bool) -> None:
        """Ask for a question about the passage in hand, or for an example of a skill."""
        title, question, answer, button, self._hint = (
            (
                self.tr("A question of your own"), self.tr("Your question"), self.tr("Its answer"),
                self.tr("Add question"), self.tr("Ask about this passage, as somebody would who never read it."),
            )
            if is_facts
            else (
                self.tr("An example of your own"), self.tr("What you would type"), self.tr("A perfect answer"),
                self.tr("Add example"), self.tr("Show what you would type, and what a perfect answer looks like."),
            )
        )  # fmt: skip
        self._title.setText(title)
        self.button.setText(button)
        for field, name in ((self.question, question), (self.answer, answer)):
            field.setPlaceholderText(name)
            field.setAccessibleName(name)
        self.check()

    @property
    def _pair(self) -> Pair:
        return Pair(" ".join(self.question.text().split()), " ".join(self.answer.text().split()))

    def check(self) -> None:
        """Say what is known about the question so far."""
        pair = self._pair
        if not pair.question and not pair.answer:
            self._say("info", "text2", self._hint)
        elif not pair.answer:
            self._say("info", "text2", self.tr("Now its answer, in few words."))
        else:
            verdict = self._verdict(pair)
            self._say("check" if verdict.tone == "good" else "warn", verdict.tone, verdict.text)

    def _entered(self) -> None:
        pair = self._pair
        if not pair.question or not pair.answer:
            (self.answer if pair.question else self.question).setFocus()
            self._say("warn", "warn", self.tr("Both fields are needed."))
        elif self._add(pair):
            self.question.clear()
            self.answer.clear()
            self._say("check", "good", self.tr("Your question is in the lesson."))
            announce(self, self.said.text())

    def _say(self, icon: str, tone: str, text: str) -> None:
        self._icon.show_icon(icon, tone)
        self.said.setText(text)
        self.said.set_tone(tone)


class _PairCard(Card):
    """A question of the lesson, its answer, and where the passage tells it.

    Attributes:
        found: the button that shows the place; None where there is no passage.
    """

    def __init__(self, pair: Pair, on_point: Callable[[Pair], object] | None) -> None:
        self.found: Button | None = None
        lines: list[QWidget | QLayout | int] = [
            Label(pair.question, "strong", wraps=True),
            4,
            Label(pair.answer, "body", "text2", wraps=True),
        ]
        if on_point is not None:
            self.found = _finder(pair, on_point)
            lines += [6, row(self.found, -1)]
        super().__init__(*lines, padding=(16, 10))


def _finder(pair: Pair, on_point: Callable[[Pair], object]) -> Button:
    made = Button("", "plain", size="small", on_click=lambda: on_point(pair))
    made.setText(made.tr("Found here"))
    made.setProperty("flush", True)
    made.setAccessibleName(made.tr("Show where the passage answers: {0}").format(pair.question))
    return made


class LessonText(QTextEdit):
    """The text of a lesson with a band behind each passage; a click on a band takes it in hand."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Text of the lesson"))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setAutoFillBackground(False)
        self._spans: list[tuple[int, int]] = []
        self._active = 0
        self._source = ""
        look().changed.connect(self._restyle)

    def show_leaf(self, leaf: Leaf, text: str) -> None:
        """Its document, or what a skill is about, with the passages of its seed examples."""
        self._source = text
        self._restyle()
        plain = self.toPlainText()
        self._spans = [find_shown(plain, example.context or "") for example in leaf.seed_examples]
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _restyle(self) -> None:
        document = self.document()
        document.setDefaultFont(look().font("reading"))
        document.setMarkdown(self._source, QTextDocument.MarkdownFeature.MarkdownNoHTML)
        document.setDocumentMargin(0)
        self._set_margins()
        spaced = QTextCursor(document)
        block = document.begin()
        while block.isValid():
            form = block.blockFormat()
            form.setLineHeight(138, 1)
            form.setBottomMargin(14)
            spaced.setPosition(block.position())
            spaced.setBlockFormat(form)
            if form.headingLevel():
                spaced.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
                letters = spaced.charFormat()
                letters.clearProperty(QTextFormat.Property.FontSizeAdjustment)  # it would win over a size
                letters.setFont(look().font("title" if form.headingLevel() == 1 else "head"))
                spaced.setCharFormat(letters)
            block = block.next()
        self.viewport().update()

    def activate(self, passage: int) -> None:
        """Take a passage in hand: its band turns, and it comes into sight."""
        self._active = passage
        self.setExtraSelections([])
        start, end = self._spans[passage] if passage < len(self._spans) else (0, 0)
        if end > start:
            top, bottom = self._band(start, end)
            if top < 0 or bottom > self.viewport().height():
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + int(top) - 40)
        self.viewport().update()

    def mark(self, sentence: str) -> None:
        """Mark a sentence of the passage in hand."""
        if self._active >= len(self._spans):
            return
        start, end = self._spans[self._active]
        first, last = find_shown(self.toPlainText()[start:end], sentence)
        if last <= first:
            return
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start + first)
        cursor.setPosition(start + last, QTextCursor.MoveMode.KeepAnchor)
        form = QTextCharFormat()
        form.setBackground(look().theme.color("mark2"))
        form.setForeground(look().theme.color("text"))
        selection.cursor, selection.format = cursor, form
        self.setExtraSelections([selection])
        cursor.clearSelection()
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _band(self, start: int, end: int) -> tuple[float, float]:
        """Top and bottom of a stretch of the text, in the viewport."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        top = self.cursorRect(cursor).top()
        cursor.setPosition(end)
        return top - 6, self.cursorRect(cursor).bottom() + 6

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        super().resizeEvent(event)

    def _set_margins(self) -> None:
        spare = max(0, self.width() - _GUTTER - 24 - _WIDEST_TEXT)
        self.setViewportMargins(0, 0, 0, 0)
        frame = self.document().rootFrame().frameFormat()
        frame.setLeftMargin(_GUTTER + 24)
        frame.setRightMargin(24 + spare)
        frame.setTopMargin(8)
        self.document().rootFrame().setFrameFormat(frame)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right = min(self.viewport().width() - 8.0, _GUTTER + 24 + _WIDEST_TEXT + 8.0)
        for number, (start, end) in enumerate(self._spans):
            if end <= start:
                continue
            top, bottom = self._band(start, end)
            if bottom < 0 or top > self.viewport().height():
                continue
            is_active = number == self._active
            band = QRectF(_GUTTER + 10, top, right - _GUTTER - 10, bottom - top)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint" if is_active else "mark"))
            painter.drawRoundedRect(band, 4, 4)
            painter.setBrush(theme.color("data" if is_active else "mark_line"))
            painter.drawRect(QRectF(band.left(), band.top(), 3, band.height()))
            disc = QRectF(22, top + 4, 20, 20)
            painter.setBrush(theme.color("fill" if is_active else "sel"))
            painter.drawEllipse(disc)
            painter.setPen(theme.color("on_fill" if is_active else "text2"))
            painter.setFont(look().font("tiny"))
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(number + 1))
        painter.end()
        super().paintEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if not self.textCursor().hasSelection() and (found := self._passage_at(event.position())) >= 0:
            self.chosen.emit(found)

    def _passage_at(self, place: QPointF) -> int:
        for number, (start, end) in enumerate(self._spans):
            if end > start:
                top, bottom = self._band(start, end)
                if top <= place.y() <= bottom:
                    return number
        return -1


def _document(leaf: Leaf) -> str:
    """What the lesson is about, as Markdown."""
    if leaf.kind is LeafKind.KNOWLEDGE and leaf.document is not None:
        documents = read_documents(leaf.folder, leaf.document.patterns)
        return "\n\n".join(document.text for document in documents)
    examples = (f"{example.context}" for example in leaf.seed_examples if example.context)
    return "\n\n".join([leaf.task_description or leaf.title, *examples])


def _walk(icon: str, name: str, on_click: Callable[[], object]) -> Button:
    button = Button("", "quiet", icon=icon, size="small", on_click=on_click)
    button.setAccessibleName(name)
    button.setToolTip(name)
    return button
