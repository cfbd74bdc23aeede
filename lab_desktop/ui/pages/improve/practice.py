"""Station A: the teacher writes practice questions, and the person reviews them while they come."""

from __future__ import annotations

import re
from collections import Counter

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from lab_desktop.artifacts import Sample
from lab_desktop.errors import LabError
from lab_desktop.files import JsonLines
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.reviews import Review, read_reviews
from lab_desktop.ui.pages.improve.review import WORDS, ReviewModel, ReviewTable, Row, why, with_review
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Badge,
    Banner,
    Button,
    Card,
    ElidedLabel,
    Icon,
    Label,
    Segmented,
    column,
    empty,
    row,
    rule,
)
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import number, progress_words
from lab_desktop.words import content_words

_CHECKS = (
    ("form", "found in the passage"),
    ("round_trip", "same answer when asked again"),
    ("duplicate", "new, so kept"),
)


class PracticeStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._undo: list[tuple[str, Review | None]] = []
        self._soon = QTimer(self, singleShot=True, interval=250)
        self._soon.timeout.connect(self._redraw)
        self._folder = ""
        self.model = ReviewModel()
        self.table = ReviewTable(self.model)
        self.table.decided.connect(self._decide)
        self.table.chosen.connect(self._show_row)

        self._title = Label(self.tr("Practice questions"), "title")
        self._plan = Label("", "body", "text2")
        self._start = Button(self.tr("Write questions"), "", icon="play", on_click=lambda: session.begin("practice"))
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=session.jobs.pause)
        self._keep = Button(self.tr("Stop and keep"), icon="stop", on_click=lambda: session.jobs.keep("generate"))
        head = row(
            self._title,
            Label(self.tr("(synthetic data)"), "small", "text3"),
            self._plan,
            -1,
            self._start,
            self._pause,
            self._keep,
            gap=10,
            margins=(24, 16, 24, 12),
        )

        self._banner = Banner("info", "", "")
        self._banner.hide()
        self._funnel = _Funnel()
        top = QWidget()
        top.setLayout(
            column(head, row(self._banner, margins=(24, 0, 24, 8)), row(self._funnel, margins=(24, 0, 24, 16)))
        )

        self._filters = Segmented(list(self._filter_names()), "all", self.table.filtered.choose)
        self._accept = Button(self.tr("Accept all Strong"), icon="check", on_click=self._accept_strong)
        bar = row(self._filters, -1, self._accept, gap=10, margins=(24, 12, 24, 8))
        left = QWidget()
        inside = column(bar, self.table)
        inside.setStretch(1, 1)
        left.setLayout(inside)
        self._detail = _Detail(self)
        self._detail.setFixedWidth(320)
        body = row(left, rule(is_upright=True), self._detail)
        body.setStretch(0, 1)
        lower = QWidget()
        lower.setLayout(body)
        self._empty = Label(
            self.tr(
                "The teacher reads your lessons, writes questions with answers, and checks its own work.\n"
                "Each row appears here as soon as it is decided."
            ),
            "reading",
            "text2",
            wraps=True,
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(lower)
        whole = column(top, rule(), self._stack)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        session.jobs.said.connect(self._hear)

    def _filter_names(self) -> tuple[tuple[str, str], ...]:
        return (
            ("all", self.tr("All")),
            ("open", self.tr("Not reviewed")),
            ("weak", self.tr("Weak")),
            ("alike", self.tr("Too similar")),
            ("dropped", self.tr("Dropped")),
        )

    def refresh(self) -> None:
        """Look at the run in hand again."""
        run = self._session.project.run if self._session.project else None
        if run is None:
            self.model.show([])
            self._folder = ""
        elif str(run) != self._folder or not self.model.rows:
            self._folder = str(run)
            self._undo.clear()
            try:
                reviews = read_reviews(run)
                rows = [Sample.from_json(each) for each in JsonLines(run / "samples.jsonl").rows()]
                self.model.show([Row(sample, reviews.get(sample.id)) for sample in rows])
                self._banner.hide()
            except (LabError, TypeError, AttributeError) as error:
                self._say_problem(error)
        self._redraw()

    def _say_problem(self, error: Exception) -> None:
        message = error.message if isinstance(error, LabError) else self.tr("The practice questions cannot be read.")
        self._banner.say("bad", message, error.hint if isinstance(error, LabError) else "")
        self._banner.show()

    def _is_ours(self) -> bool:
        job = self._session.jobs.current
        return job is not None and str(job.folder) == self._folder and job.steps == ("generate",)

    def _hear(self, event: Event) -> None:
        if not self._is_ours():
            return
        if isinstance(event, events.Row) and event.table == "samples":
            try:
                self.model.add(Row(Sample.from_json(event.data)))
            except TypeError:
                return
        elif isinstance(event, events.Notice):
            self._banner.say("info", event.text)
            self._banner.show()
        if not self._soon.isActive():
            self._soon.start()

    def _redraw(self) -> None:
        jobs = self._session.jobs
        is_running = self._is_ours()
        self._start.setVisible(not is_running and not self._session.state.has_dataset)
        self._start.setText(self.tr("Go on writing") if self.model.rows else self.tr("Write questions"))
        self._pause.setVisible(is_running)
        self._keep.setVisible(is_running)
        self._stack.setCurrentIndex(1 if self.model.rows else 0)
        self._funnel.setVisible(bool(self.model.rows) or is_running)
        words = progress_words(jobs.progress, jobs.pace) if is_running else []
        progress = jobs.progress if is_running else None
        share = progress.done / progress.total if progress and progress.total else float(bool(self.model.rows))
        self._funnel.show_rows(self.model.rows, " · ".join(words[1:]) if words else "", share)
        counts = self.model.counts()
        for name, text in self._filter_names():
            self._filters.set_text(name, f"{text}  {number(counts[name])}")
        strong = sum(1 for each in self.model.rows if each.is_kept and each.review is None and each.word == "strong")
        self._accept.setText(self.tr("Accept all Strong ({0})").format(strong))
        self._accept.setVisible(strong > 0)
        self._detail.show_coverage(self.model.rows)

    def _show_row(self, found: Row | None) -> None:
        self._detail.show_row(found)

    def _decide(self, sample: str, name: str) -> None:
        if name == "undo":
            self._take_back()
            return
        if name == "fix":
            self._detail.edit()
            return
        self.decide(sample, name)
        self.step_from(sample)

    def step_from(self, sample: str) -> None:
        """Go on to the next row; where a filter took the decided one away, the next one is there already."""
        now = self.table.row()
        if now is not None and now.sample.id == sample:
            self.table.step(1)

    def decide(self, sample: str, verdict: str, question: str = "", answer: str = "") -> None:
        """Note a decision; when this returns it is on disk."""
        before = self.model.at(sample)
        if before.review is not None:  # what was mended stays mended
            question, answer = question or before.review.question, answer or before.review.answer
        if self._write(with_review(before, verdict, question, answer), verdict):
            self._undo.append((sample, before.review))

    def _take_back(self) -> None:
        if not self._undo:
            return
        sample, review = self._undo.pop()
        now = self.model.at(sample)
        self._write(Row(now.sample, review), "undone" if review is None else review.verdict)

    def _write(self, changed: Row, verdict: str) -> bool:
        review = changed.review or Review(changed.sample.id, "undone")
        book = (
            JsonLines(self._session.project.run / REVIEWS)
            if self._session.project and self._session.project.run
            else None
        )
        try:
            if book is not None:
                book.append(review.to_json())
                book.close()
        except LabError as error:
            self._say_problem(error)
            return False
        self.model.change(changed)
        self._detail.show_row(self.table.row())
        self._redraw()
        return True

    def _accept_strong(self) -> None:
        for each in [
            each for each in self.model.rows if each.is_kept and each.review is None and each.word == "strong"
        ]:
            self.decide(each.sample.id, "keep")


class _Funnel(Card):
    """What was written, and what each check left of it."""

    def __init__(self) -> None:
        self._written = Label("0", "number_s")
        self._of = Label("", "body", "text2")
        self._bar = Bar()
        self._pace = Label("", "small", "text2")
        first = QWidget()
        first.setFixedWidth(240)
        first.setLayout(column(row(self._written, self._of, -1, gap=8), 8, self._bar, 8, self._pace))
        self._numbers: list[tuple[Label, Label]] = []
        parts: list[QWidget | int] = [first, rule(is_upright=True)]
        for place, (_, words) in enumerate(_CHECKS):
            count = Label("0", "title", "good" if place == len(_CHECKS) - 1 else "text")
            lost = Label("", "small", "text3")
            self._numbers.append((count, lost))
            box = QWidget()
            box.setLayout(column(count, Label(words, "small", "text2"), lost, gap=2))
            parts += [box, *([Icon("arrow-right", "text3")] if place < len(_CHECKS) - 1 else [])]
        line = row(*parts, -1, gap=28)
        self._last = ElidedLabel("", "body", "text2")
        self._word = Label("", "control")
        last = row(Icon("clock", "text3"), Label(self.tr("Just now"), "body", "text3"), self._last, self._word, gap=10)
        last.setStretch(2, 1)
        super().__init__(line, 12, rule(), 10, last, padding=(20, 14))

    def show_rows(self, rows: list[Row], pace: str, share: float) -> None:
        lost = Counter(each.sample.stage for each in rows if not each.sample.accepted)
        left = len(rows)
        self._written.setText(number(left))
        self._of.setText(self.tr("written"))
        self._bar.show_share(share)
        self._pace.setText(pace)
        others = sum(lost.values()) - lost["form"] - lost["round_trip"] - lost["duplicate"]
        for (stage, _), (count, words) in zip(_CHECKS, self._numbers, strict=True):
            gone = lost[stage] + (others if stage == "duplicate" else 0)
            left -= gone
            count.setText(number(left))
            verb = {"form": self.tr("{0} were not"), "round_trip": self.tr("{0} differed")}.get(
                stage, self.tr("{0} were too similar")
            )
            words.setText(verb.format(number(gone)))
        if rows:
            newest = rows[-1]
            self._last.setText(f"{newest.question}  {newest.answer}")
            _, tone, word = WORDS[newest.word]
            self._word.setText(word)
            self._word.set_tone(tone)


class _Detail(QScrollArea):
    """The selected row: why it got its word, the sentence it comes from, and what the person can do."""

    def __init__(self, station: PracticeStation) -> None:
        super().__init__()
        self._station = station
        self._row: Row | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._badge_place = QVBoxLayout()
        self._question = Label("", "head", wraps=True)
        self._answer = Label("", "reading", "text2", wraps=True)
        self._why = Label("", wraps=True)
        self._source = QTextEdit()
        self._source.setReadOnly(True)
        self._source.setFrameShape(QFrame.Shape.NoFrame)
        self._source.setAccessibleName(self.tr("Source passage"))
        self._source.setMinimumHeight(110)
        self._source.setMaximumHeight(200)
        self._edit_question = QPlainTextEdit()
        self._edit_question.setAccessibleName(self.tr("Question"))
        self._edit_answer = QLineEdit()
        self._edit_answer.setAccessibleName(self.tr("Answer"))
        self._edit_question.setTabChangesFocus(True)
        self._edit_question.setFixedHeight(64)
        table = station.table
        self._keys = row(
            Button(self.tr("Keep  K"), on_click=lambda: self._decide("keep"), size="large"),
            Button(self.tr("Fix  F"), on_click=self.edit, size="large"),
            Button(self.tr("Drop  D"), on_click=lambda: self._decide("drop"), size="large"),
            gap=8,
        )
        keys = QWidget()
        keys.setLayout(self._keys)
        saving = QWidget()
        saving.setLayout(
            row(
                Button(self.tr("Save"), "primary", on_click=self._save),
                Button(self.tr("Cancel"), on_click=lambda: self.show_row(self._row)),
                -1,
                gap=8,
            )
        )
        self._viewing = [self._question, self._answer, keys]
        self._editing = [self._edit_question, self._edit_answer, saving]
        self._coverage = QVBoxLayout()
        self._coverage.setSpacing(6)
        walk = row(
            Button(self.tr("Undo  Z"), "quiet", size="small", on_click=lambda: table.decided.emit("", "undo")),
            Button("", "quiet", size="small", icon="chevron-left", on_click=lambda: table.step(-1)),
            Button("", "quiet", size="small", icon="chevron-right", on_click=lambda: table.step(1)),
            gap=2,
        )
        inside = QWidget()
        inside.setLayout(
            column(
                row(self._badge_place, -1, walk),
                self._question,
                self._answer,
                self._edit_question,
                self._edit_answer,
                Label(self.tr("Why"), "label", "text2"),
                self._why,
                Label(self.tr("Source"), "label", "text2"),
                self._source,
                keys,
                saving,
                16,
                Label(self.tr("Kept so far, by passage"), "label", "text2"),
                self._coverage,
                -1,
                gap=8,
                margins=(20, 14, 20, 16),
            )
        )
        self.setWidget(inside)
        self.show_row(None)

    def show_row(self, found: Row | None) -> None:
        self._row = found
        for part in self._viewing:
            part.setVisible(found is not None)
        for part in self._editing:
            part.hide()
        empty(self._badge_place)
        if found is None:
            self._why.setText(self.tr("Choose a row: K keeps it, F lets you fix it, D drops it."))
            self._source.clear()
            return
        icon, tone, word = WORDS[found.word]
        self._badge_place.addWidget(Badge(word, tone if tone != "text2" else "plain", icon))  # type: ignore[arg-type]
        self._question.setText(found.question)
        self._answer.setText(found.answer)
        self._why.setText(why(found))
        self._show_source(found)

    def _show_source(self, found: Row) -> None:
        text = found.sample.context or self.tr("This row has no passage.")
        self._source.setPlainText(text)
        sentence = source_sentence(text, found.sample.answer, found.sample.question)
        at = text.find(sentence) if sentence else -1
        if at >= 0:
            cursor = QTextCursor(self._source.document())
            cursor.setPosition(at)
            cursor.setPosition(at + len(sentence), QTextCursor.MoveMode.KeepAnchor)
            form = QTextCharFormat()
            form.setBackground(look().theme.color("mark2"))
            form.setForeground(look().theme.color("text"))
            cursor.mergeCharFormat(form)
            cursor.clearSelection()
            cursor.setPosition(at)
            self._source.setTextCursor(cursor)
            self._source.ensureCursorVisible()

    def edit(self) -> None:
        """Let the person mend question and answer."""
        if self._row is None:
            return
        for part in self._viewing:
            part.hide()
        for part in self._editing:
            part.show()
        self._edit_question.setPlainText(self._row.question)
        self._edit_answer.setText(self._row.answer)
        self._edit_question.setFocus()

    def _save(self) -> None:
        if self._row is not None:
            question, answer = self._edit_question.toPlainText().strip(), self._edit_answer.text().strip()
            if question and answer:
                sample = self._row.sample.id
                self._station.decide(sample, "keep", question, answer)
                self._station.step_from(sample)

    def _decide(self, verdict: str) -> None:
        if self._row is not None:
            sample = self._row.sample.id
            self._station.decide(sample, verdict)
            self._station.step_from(sample)

    def show_coverage(self, rows: list[Row]) -> None:
        kept = Counter(each.sample.passage for each in rows if each.is_kept and each.sample.passage >= 0)
        empty(self._coverage)
        most = max(kept.values(), default=1)
        headings = {each.sample.passage: each.sample.context.split("\n", 1)[0].split(" › ")[-1] for each in rows}
        for passage in sorted(kept):
            bar = Bar(4, role="text3")
            bar.show_share(kept[passage] / most)
            bar.setFixedWidth(90)
            name = ElidedLabel(f"{passage + 1}  {headings[passage]}", "small", "text2")
            line = row(name, bar, Label(str(kept[passage]), "small", "text2"), gap=8)
            line.setStretch(0, 1)
            holder = QWidget()
            holder.setLayout(line)
            self._coverage.addWidget(holder)


def source_sentence(context: str, answer: str, question: str) -> str:
    """The sentence of a passage that tells most of an answer and its question; "" where none does."""
    wanted = content_words(answer)
    asked = content_words(question)
    sentences = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n", context) if part.strip()]
    scored = [(2 * len(content_words(each) & wanted) + len(content_words(each) & asked), each) for each in sentences]
    best = max(scored, default=(0, ""))
    return best[1] if best[0] >= 2 else ""
