"""Station A: the teacher writes practice questions, and the person reviews them while they come."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QTextCharFormat,
    QTextCursor,
)  # fmt: skip
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from lab_desktop import projects, servers
from lab_desktop.artifacts import Sample
from lab_desktop.errors import LabError
from lab_desktop.files import JsonLines
from lab_desktop.jobs import events
from lab_desktop.jobs.events import Event
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.reviews import Review, read_reviews
from lab_desktop.servers import Place, Server
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.pages.improve.memory import Advice, MemoryLine
from lab_desktop.ui.pages.improve.plans import amount_of, amount_words, amounts, plan, took
from lab_desktop.ui.pages.improve.review import ReviewModel, ReviewTable, Row, score_words, why, with_review
from lab_desktop.ui.pages.improve.station import SETTLED_MS, Heading, Note, Trouble, Waiting, stop_and_keep
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Badge,
    Button,
    Card,
    ElidedLabel,
    Folding,
    Icon,
    Label,
    Segmented,
    announce,
    arrow,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.words import SILENCE_S, duration, number, progress_words
from lab_desktop.words import telling_sentence

_SLICE_S = 0.01
"""So long rows are read in one go; then the person has a turn."""
_MANY = 250
"""Rows that are decided in one go: so many take some milliseconds."""
_MOST_PASSAGES = 40
_BEGINNING_WIDE = 60
_LONGEST_TEACHER = 44
"""Characters of a teacher's name and place that stand on its button."""
_BIG_TEXT = 1.2
"""From this text size on a small window has no room for more than the table."""


class PracticeStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._undo: list[list[tuple[str, Review | None]]] = []
        self._soon = QTimer(self, singleShot=True, interval=250)
        self._soon.timeout.connect(self._recount)
        self._settled = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settled.timeout.connect(session.refresh)
        self._loading: Iterator[None] = iter(())
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._load_on)
        self._deciding: deque[Iterator[bool]] = deque()
        self._wants_back = False
        self._soon_more = QTimer(self, singleShot=True, interval=0)
        self._soon_more.timeout.connect(self._decide_on)
        QGuiApplication.instance().aboutToQuit.connect(self._decide_to_the_end)  # type: ignore[union-attr]
        self._folder: Path | None = None
        self._how_long = ""
        self._held = 1
        """Practice questions that the lessons hold."""
        self._is_narrow = False
        self.model = ReviewModel()
        self.table = ReviewTable(self.model)
        self.table.decided.connect(self._decide)
        self.table.chosen.connect(self._show_row)

        self._start = Button(self.tr("Write questions"), "", icon="play", on_click=self._begin_writing)
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=session.jobs.pause)
        self._keep = Button(
            self.tr("Stop and keep"), icon="stop", on_click=lambda: stop_and_keep(session, "generate", self._told)
        )
        title, term = self.tr("Practice questions"), self.tr("synthetic data")
        self.heading = Heading(title, term, self._start, self._pause, self._keep)
        self._amounts = Segmented(
            [("few", self.tr("Few")), ("good", self.tr("Good")), ("many", self.tr("Many"))], "good", self._ask_for
        )
        self._memory, self._advice = MemoryLine(), Advice(session, "practice")
        self._amount_line = QWidget()
        self._amount_line.setLayout(
            row(_beginning(self.tr("How many")), self._amounts, -1, gap=10, margins=(24, 0, 24, 12))
        )
        self._teachers = Segmented(
            [("here", self.tr("On this computer")), ("elsewhere", self.tr("Elsewhere"))], "here", self._choose_teacher
        )
        self._teacher_line = QWidget()
        self._teacher_line.setLayout(
            row(_beginning(self.tr("Teacher")), self._teachers, -1, gap=10, margins=(24, 0, 24, 12))
        )
        self._agreement = Note()
        self.trouble, self.waiting = Trouble(session, "practice"), Waiting(session, "practice")
        self._told = Note()
        self._funnel = _Funnel()
        top = QWidget()
        top.setLayout(
            column(
                self.heading,
                self._memory,
                self._advice,
                self._amount_line,
                self._teacher_line,
                self._agreement,
                self.trouble,
                self.waiting,
                self._told,
                row(self._funnel, margins=(24, 0, 24, 12)),
            )
        )

        self._filters = Segmented(list(self._filter_names()), "all", self._filter)
        self._accept = Button("", icon="check", on_click=self._accept_strong)
        self._bar = QWidget()
        self._bar.setLayout(row(Folding(self._filters, self._accept), margins=(24, 10, 24, 10)))
        self._detail = _Detail(self)
        self._beside = rule(is_upright=True)
        body = row(self.table, self._beside, self._detail)
        body.setStretch(0, 1)
        lower = QWidget()
        inside = column(self._bar, body)
        inside.setStretch(1, 1)
        lower.setLayout(inside)
        self._empty = Label(
            self.tr(
                "The teacher reads your lessons, writes questions with answers, and checks its own work.\n"
                "Each question appears here as soon as it is decided."
            ),
            "reading",
            "text2",
            wraps=True,
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setContentsMargins(24, 0, 24, 0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(lower)
        whole = column(top, rule(), self._stack)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        session.jobs.said.connect(self._hear)
        session.jobs.ended.connect(self._read_the_rest)
        look().changed.connect(self._relook)
        self._fit()
        self._show_row(None)

    def _filter_names(self) -> tuple[tuple[str, str], ...]:
        return (
            ("all", self.tr("Kept")),
            ("open", self.tr("Not reviewed")),
            ("weak", self.tr("Weak")),
            ("alike", self.tr("Too similar")),
            ("dropped", self.tr("Dropped")),
        )

    def set_narrow(self, is_narrow: bool) -> None:
        """Little room: the funnel on one line, the detail only while a row is chosen."""
        self._is_narrow = is_narrow
        self._funnel.set_narrow(is_narrow)
        self._fit()
        self._make_room()
        self._redraw()

    @property
    def _is_tight(self) -> bool:
        """Big text in a small window: one line each for what it is, what came of it, and what is shown."""
        return self._is_narrow and look().text_size > _BIG_TEXT

    def _fit(self) -> None:
        self._detail.setFixedWidth(look().grown(288 if self._is_narrow else 320))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_counts()

    def _relook(self) -> None:
        self._fit()
        if self.isVisible():
            self._redraw()

    def _filter(self, name: str) -> None:
        self.table.filtered.choose(name)
        if self.table.row() is None:
            self._show_row(None)

    def refresh(self) -> None:
        """Look at the run in hand again."""
        run = self._session.project.run if self._session.project else None
        if run != self._folder or not self.model.rows:
            self._decide_to_the_end()
            self._folder = run
            self._undo.clear()
            self._told.hide()
            self.model.show([])
            self._show_row(None)
            self._loading = self._load(run) if run is not None else iter(())
            self._load_on()
        self._redraw()

    def _read_the_rest(self, job: Job) -> None:
        """A child that was killed may have written rows and not told them any more."""
        if job.folder == self._folder and job.state is JobState.BROKEN:
            self._loading = self._load(job.folder, {each.sample.id for each in self.model.rows})
            self._load_on()

    def _load(self, run: Path, known: Set[str] = frozenset()) -> Iterator[None]:
        reviews = read_reviews(run)
        rows = []
        until = time.monotonic() + _SLICE_S
        for each in JsonLines(run / "samples.jsonl").each():
            sample = Sample.from_json(each)
            if sample.id not in known:
                rows.append(Row(sample, reviews.get(sample.id)))
            if time.monotonic() > until:
                self.model.add(*rows)
                rows = []
                yield
                until = time.monotonic() + _SLICE_S
        self.model.add(*rows)

    def _load_on(self) -> None:
        try:
            next(self._loading)
        except StopIteration:
            self._redraw()
            return
        except (LabError, TypeError, AttributeError) as error:
            self._say_problem(error)
            return
        self._next.start()
        if not self._soon.isActive():
            self._soon.start()

    def _say_problem(self, error: Exception) -> None:
        message = error.message if isinstance(error, LabError) else self.tr("The practice questions cannot be read.")
        self._told.say("bad", message, error.hint if isinstance(error, LabError) else "")

    def _is_ours(self) -> bool:
        job = self._session.jobs.current
        return job is not None and job.folder == self._folder and job.steps == ("generate",)

    def _hear(self, event: Event) -> None:
        if not self._is_ours():
            return
        if isinstance(event, events.Row) and event.table == "samples":
            try:
                self.model.add(Row(Sample.from_json(event.data)))
            except TypeError:
                return
        elif isinstance(event, events.Notice):
            self._told.say("info", event.text)
        if not self._soon.isActive():
            self._soon.start()

    def beat(self) -> None:
        """A second has gone by while a job runs."""
        self._show_funnel()

    def _redraw(self) -> None:
        is_running = self._is_ours()
        has_dataset = self._session.state.has_dataset
        self._start.setText(self.tr("Go on writing") if self.model.rows else self.tr("Write questions"))
        job = self._session.jobs.current
        can_pause = is_running and job is not None and job.state is JobState.RUNNING
        self._pause.setVisible(can_pause and not self._is_tight)  # the activity bar has one too
        self._keep.setVisible(is_running)
        written = number(len(self.model.rows))
        self.trouble.look_at(self._folder, self.tr("after {0} questions").format(written) if self.model.rows else "")
        self.waiting.look_at(self._folder)
        has_lessons = self._session.project is not None and not self._session.project.needs_lesson
        is_free = has_lessons and self.trouble.isHidden() and self.waiting.isHidden()
        self._start.setVisible(not is_running and not has_dataset and is_free)
        is_open = has_lessons and not is_running and not has_dataset
        self._show_plan(is_open=is_open, is_free=is_free)
        self._show_teacher(is_open and is_free)
        seconds = took(self._folder, "practice")
        self._how_long = self.tr("in {0}").format(duration(seconds)) if seconds else ""
        self._recount()

    def _recount(self) -> None:
        """What changes with each row."""
        self._stack.setCurrentIndex(1 if self.model.rows else 0)
        has_any = bool(self.model.rows) or self._is_ours()
        self._funnel.setVisible(has_any and not self._is_tight)
        self._show_funnel()
        if has_any and self._is_tight:
            self.heading.say(self._funnel.short)
        self._show_strong()
        self._show_counts()
        self._detail.show_coverage(self.model)

    def _show_strong(self) -> None:
        strong = self.model.tally["strong"]
        words = self.tr("Accept all Strong ({0})").format(number(strong))
        self._accept.setText(self.tr("Strong ({0})").format(number(strong)) if self._is_tight else words)
        self._accept.setAccessibleName(words)
        self._accept.setToolTip(words)
        self._accept.setVisible(strong > 0)

    def _show_plan(self, *, is_open: bool, is_free: bool) -> None:
        """What writing will take, and how many questions there can be, each with its time."""
        project = self._session.project if is_open else None
        has_room = not (self._is_tight and self.model.rows)
        self._amount_line.setVisible(project is not None and is_free and has_room)
        if project is None:
            self.heading.say("")
            self._memory.show_plan(None)
            self._advice.show_plan(None)
            return
        whole = plan("practice", replace(project, samples=0), self._session)
        self._held = held = max(1, whole.amount)
        for name, samples in amounts(held).items():
            words = f"{amount_words(samples or held)}, {whole.time_words((samples or held) / held)}"
            self._amounts.describe(name, words)
        self._amounts.choose(amount_of(project.samples, held))
        wanted = project.samples or held
        amount = amount_words(wanted)
        told = [amount[:1].upper() + amount[1:], whole.time_words(wanted / held)]
        server = self._server
        if server is not None and server.place is not Place.HERE and servers.has_agreed(server):
            told.append(self.tr("the lessons' text goes to {0}").format(server.host))
        self.heading.say(" · ".join(told))
        self._memory.show_plan(whole if is_free and has_room else None)
        self._advice.show_plan(whole if is_free else None)

    @property
    def _server(self) -> Server | None:
        """Where the teacher of the project in hand is, unless it is here."""
        project = self._session.project
        if project is None or not projects.is_taught_elsewhere(project):
            return None
        try:
            return servers.parse(project.teacher)
        except LabError:
            return None

    def _show_teacher(self, is_open: bool) -> None:
        """Who teaches can be chosen until something is written, where the settings know a model elsewhere."""
        server = self._server
        offered = server
        if offered is None:
            with contextlib.suppress(LabError):
                offered = servers.parse(self._session.preferences.choices.server)
        can_choose = is_open and not self.model.rows and offered is not None and bool(offered.model)
        self._teacher_line.setVisible(can_choose)
        if offered is not None:
            words = self.tr("{0} at {1}").format(offered.model, offered.host)
            self._teachers.set_text("elsewhere", words if len(words) <= _LONGEST_TEACHER else offered.host)
            self._teachers.describe("elsewhere", f"{words}. {offered.notice}")
        self._teachers.choose("elsewhere" if server is not None else "here")
        needs_agreement = is_open and server is not None and not servers.has_agreed(server)
        if server is not None and needs_agreement and self._agreement.isHidden():
            say = self._agreement.banner.say
            say("warn", self.tr("Before it starts:"), server.notice, self.tr("I agree"), self._agree)
        self._agreement.setVisible(needs_agreement)

    def _choose_teacher(self, name: str) -> None:
        session = self._session
        if session.project is None:
            return
        try:
            projects.choose_teacher(session.project, session.preferences.choices.server if name == "elsewhere" else "")
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
        session.refresh()

    def _agree(self) -> None:
        if self._server is None:
            return
        try:
            servers.agree(self._server)
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
        self._redraw()
        self._start.setFocus()

    def _begin_writing(self) -> None:
        """Start, or show once more what must be agreed to first."""
        if not self._agreement.isHidden():
            self._agreement.banner.button.setFocus()
            announce(self._agreement, self._agreement.banner.accessibleName())
            return
        self._session.begin("practice")

    def _ask_for(self, name: str) -> None:
        session = self._session
        if session.project is None:
            return
        try:
            projects.ask_for(session.project, amounts(self._held)[name])
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
        session.refresh()

    def _show_counts(self) -> None:
        """Each filter with its count; where they would not fit, without."""
        with_counts = {name: f"{text}  {number(self.model.tally[name])}" for name, text in self._filter_names()}
        wide = sum(map(self._filters.needs, with_counts.values()))
        has_room = wide + self._accept.sizeHint().width() + 58 <= self.width()
        for name, text in self._filter_names():
            self._filters.set_text(name, with_counts[name] if has_room else text)

    def _show_funnel(self) -> None:
        jobs = self._session.jobs
        if not self._is_ours():
            self._funnel.show_rows(self.model, self._how_long, 1.0, is_running=False)
            return
        progress = jobs.progress
        silent = time.monotonic() - jobs.last_word
        words = list(progress_words(progress, jobs.pace))
        if progress is not None and silent > SILENCE_S:
            words = ["", self.tr("still thinking about question {0}").format(number(progress.done + 1))]
        share = progress.done / progress.total if progress and progress.total else 0.0
        self._funnel.show_rows(self.model, " · ".join(words[1:] or words), share, is_running=True)

    def _show_row(self, found: Row | None) -> None:
        self._detail.show_row(found)
        self._make_room()

    def _make_room(self) -> None:
        is_shown = self._detail.has_row or not self._is_narrow
        self._detail.setVisible(is_shown)
        self._beside.setVisible(is_shown)

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
        if self._write([with_review(before, verdict, question, answer)]):
            self._undo.append([(sample, before.review)])

    def _take_back(self) -> None:
        """Undo the last decision, or all that were made in one go."""
        if self._deciding:  # first what is being decided, then back
            self._wants_back = True
            return
        if not self._undo:
            return
        taken = self._undo[-1]
        if len(taken) > _MANY:
            self._begin(self._take_many_back(self._undo.pop()))
        elif self._write([Row(self.model.at(sample).sample, review) for sample, review in taken]):
            self._undo.pop()

    def _write(self, changed: Sequence[Row]) -> bool:
        chosen = self.table.row()
        if not self._save(changed):
            return False
        self.model.change(*changed)
        self._show_decided(chosen)
        return True

    def _save(self, changed: Sequence[Row]) -> bool:
        if self._folder is None:
            return False
        book = JsonLines(self._folder / REVIEWS)
        try:
            book.extend((each.review or Review(each.sample.id, "undone")).to_json() for each in changed)
        except LabError as error:
            self._say_problem(error)
            return False
        finally:
            book.close()
        return True

    def _show_decided(self, chosen: Row | None) -> None:
        if chosen is not None and self.table.row() is None:
            self.table.select(chosen.sample.id)
        self._show_row(self.table.row())
        self._redraw()
        self._settled.start()

    def _accept_strong(self) -> None:
        if self._deciding:
            return
        strong = [each.sample.id for at, each in enumerate(self.model.rows) if self.model.is_in(at, "strong")]
        if len(strong) > _MANY:
            self._begin(self._accept_many(strong))
        elif self._write([with_review(self.model.at(each), "keep") for each in strong]):
            self._undo.append([(each, None) for each in strong])

    # Many decisions at once, some at a time: what the table shows is arranged anew when all are made

    def _accept_many(self, strong: Sequence[str]) -> Iterator[bool]:
        made: list[tuple[str, Review | None]] = []
        self._undo.append(made)
        for first in range(0, len(strong), _MANY):
            # One that the person decided meanwhile is theirs.
            rows = [self.model.at(each) for each in strong[first : first + _MANY]]
            rows = [each for each in rows if each.review is None]
            yield self._decide_some([with_review(each, "keep") for each in rows])
            made += [(each.sample.id, None) for each in rows]

    def _take_many_back(self, taken: Sequence[tuple[str, Review | None]]) -> Iterator[bool]:
        for first in range(0, len(taken), _MANY):
            rows = [Row(self.model.at(each).sample, review) for each, review in taken[first : first + _MANY]]
            if not self._decide_some(rows):
                self._undo.append(list(taken[first:]))
                yield False
            yield True

    def _decide_some(self, changed: Sequence[Row]) -> bool:
        if not self._save(changed):
            return False
        self.model.change_unseen(*changed)
        return True

    def _begin(self, work: Iterator[bool]) -> None:
        self._deciding.append(work)
        self._decide_on()

    def _decide_on(self) -> None:
        if not self._deciding:
            return
        if next(self._deciding[0], False):
            self._show_strong()
            self._soon_more.start()
            return
        self._deciding.popleft()
        chosen = self.table.row()
        self.model.show_anew()
        self._show_decided(chosen)
        if self._wants_back:
            self._wants_back = False
            self._take_back()

    def _decide_to_the_end(self) -> None:
        """The person goes elsewhere: what was begun is done first."""
        while self._deciding:
            self._decide_on()


def _beginning(text: str) -> Label:
    """The word before a choice; those below each other begin alike."""
    made = Label(text, "small", "text2")
    made.setMinimumWidth(look().grown(_BEGINNING_WIDE))
    return made


class _Funnel(Card):
    """What was written, and what each check left of it; on one line where there is little room."""

    def __init__(self) -> None:
        self._written, self._of = Label("0", "number_s"), Label("", "body", "text2")
        self._bar, self._pace = Bar(), Label("", "small", "text2")
        first = QWidget()
        first.setFixedWidth(240)
        first.setLayout(column(row(self._written, self._of, -1, gap=8), 8, self._bar, 8, self._pace))
        self._numbers: list[tuple[str, Label, Label]] = []
        parts: list[QWidget | int] = [first, rule(is_upright=True)]
        checks = (
            ("form", self.tr("found in the passage")),
            ("round_trip", self.tr("same answer when asked again")),
            ("duplicate", self.tr("new, so kept")),
        )
        for stage, words in checks:
            is_last = stage == "duplicate"
            count, lost = Label("0", "title", "good" if is_last else "text"), Label("", "small", "text3")
            self._numbers.append((stage, count, lost))
            box = QWidget()
            box.setLayout(column(count, Label(words, "small", "text2"), lost, gap=2))
            parts += [box, *([] if is_last else [Icon("arrow-right", "text3")])]
        self._wide = QWidget()
        self._wide.setLayout(row(*parts, -1, gap=24))
        self._short, self._lost = Label("", "head"), ElidedLabel("", "small", "text2")
        self._short_bar = Bar(4)
        self._short_bar.setFixedWidth(120)
        line = row(self._short, self._short_bar, self._lost, gap=12)
        line.setStretch(2, 1)
        self._narrow = QWidget()
        self._narrow.setLayout(line)
        self._narrow.hide()
        self._last, self._word = ElidedLabel("", "body", "text2"), Label("", "control")
        just = row(Icon("clock", "text3"), Label(self.tr("Just now"), "body", "text3"), self._last, self._word, gap=10)
        just.setStretch(2, 1)
        self._just = QWidget()
        self._just.setLayout(column(10, rule(), 10, just))
        super().__init__(self._wide, self._narrow, self._just, padding=(20, 12))

    @property
    def short(self) -> str:
        """The whole in a few words."""
        return self._short.text()

    def set_narrow(self, is_narrow: bool) -> None:
        self._wide.setVisible(not is_narrow)
        self._narrow.setVisible(is_narrow)

    def show_rows(self, model: ReviewModel, pace: str, share: float, is_running: bool) -> None:
        tally = model.tally
        lost = {group[1]: count for group, count in tally.items() if group[0] == "lost"}
        written, kept = len(model.rows), tally["all"]
        self._written.setText(number(written))
        self._of.setText(self.tr("written"))
        for bar in (self._bar, self._short_bar):
            bar.show_share(share)
            bar.setVisible(is_running)
        self._pace.setText(pace)
        others = sum(lost.values()) - sum(lost.get(stage, 0) for stage, _, _ in self._numbers)
        left = written
        gone_words = []
        for stage, count, words in self._numbers:
            gone = lost.get(stage, 0) + (others if stage == "duplicate" else 0)
            left -= gone
            is_last = stage == "duplicate"
            count.setText(number(kept if is_last else left))
            text = self._gone(stage).format(number(gone))
            if is_last and kept != left:
                text += self.tr(", you changed {0}").format(number(abs(kept - left)))
            words.setText(text)
            gone_words.append(text)
        self._short.setText(self.tr("{0} written, {1} kept").format(number(written), number(kept)))
        self._lost.setText(pace if is_running else " · ".join(gone_words))
        self._just.setVisible(is_running and bool(model.rows))
        if model.rows:
            newest = model.rows[-1]
            self._last.setText(f"{newest.question}  {newest.answer}")
            _, tone, word = score_words(newest)
            self._word.setText(word)
            self._word.set_tone(tone)

    def _gone(self, stage: str) -> str:
        names = {"form": self.tr("{0} were not in it"), "round_trip": self.tr("{0} got another answer")}
        return names.get(stage, self.tr("{0} were too similar"))


class _Detail(QWidget):
    """The selected row: why it got its word, the sentence it comes from, and what the person can do."""

    def __init__(self, station: PracticeStation) -> None:
        super().__init__()
        self._station = station
        self._row: Row | None = None
        self._counted: tuple[tuple[int, int], ...] | None = None
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
        for field in (self._edit_question, self._edit_answer):
            leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), field, self._cancel)
            leave.setContext(Qt.ShortcutContext.WidgetShortcut)  # PySide's constructor takes no heed of it
        look().changed.connect(self._recolour)
        table = station.table
        keys = QWidget()
        keys.setLayout(
            row(
                Button(self.tr("Keep  K"), on_click=lambda: self._decide("keep"), size="large"),
                Button(self.tr("Fix  F"), on_click=self.edit, size="large"),
                Button(self.tr("Drop  D"), on_click=lambda: self._decide("drop"), size="large"),
                -1,
                gap=8,
            )
        )
        saving = QWidget()
        saving.setLayout(
            row(
                Button(self.tr("Save"), on_click=self._save),
                Button(self.tr("Cancel"), on_click=self._cancel),
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
            arrow("chevron-left", self.tr("The row before"), lambda: table.step(-1)),
            arrow("chevron-right", self.tr("The next row"), lambda: table.step(1)),
            gap=2,
        )
        self._passages = QWidget()
        self._passages.setLayout(
            column(16, Label(self.tr("Kept so far, by passage"), "label", "text2"), self._coverage, gap=8)
        )
        self._source_head = Label(self.tr("Source"), "label", "text2")
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
                self._source_head,
                self._source,
                self._passages,
                -1,
                gap=8,
                margins=(16, 8, 16, 12),
            )
        )
        self._foot = QWidget()
        self._foot.setLayout(column(rule(), row(keys, saving, margins=(16, 8, 16, 8))))
        whole = column(rule(), scrolled(inside), self._foot)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.show_row(None)

    @property
    def has_row(self) -> bool:
        return self._row is not None

    def show_row(self, found: Row | None) -> None:
        self._row = found
        for part in self._viewing:
            part.setVisible(found is not None)
        for part in self._editing:
            part.hide()
        for part in (self._foot, self._source_head, self._source):
            part.setVisible(found is not None)
        empty(self._badge_place)
        if found is None:
            self._why.setText(self.tr("Choose a row: K keeps it, F lets you fix it, D drops it."))
            self._source.clear()
            return
        icon, tone, word = score_words(found)
        self._badge_place.addWidget(Badge(word, tone if tone != "text2" else "plain", icon))  # type: ignore[arg-type]
        self._question.setText(found.question)
        self._answer.setText(found.answer)
        self._why.setText(why(found))
        self._show_source(found)

    def _show_source(self, found: Row) -> None:
        text = found.sample.context or self.tr("This question has no passage.")
        self._source.setPlainText(text)
        sentence = telling_sentence(text, found.sample.question, found.sample.answer)
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

    def _cancel(self) -> None:
        self.show_row(self._row)
        self._station.table.setFocus()  # where the keys are

    def _recolour(self) -> None:
        if self._row is not None:
            self._show_source(self._row)

    def _save(self) -> None:
        if self._row is not None:
            question, answer = self._edit_question.toPlainText().strip(), self._edit_answer.text().strip()
            if not question or not answer:
                self._why.setText(self.tr("A question needs its answer, and an answer its question."))
                (self._edit_answer if question else self._edit_question).setFocus()
                announce(self, self._why.text())
                return
            sample = self._row.sample.id
            self._station.decide(sample, "keep", question, answer)
            self._station.step_from(sample)

    def _decide(self, verdict: str) -> None:
        if self._row is not None:
            sample = self._row.sample.id
            self._station.decide(sample, verdict)
            self._station.step_from(sample)

    def show_coverage(self, model: ReviewModel) -> None:
        """How many rows are kept of each passage; only where that has changed."""
        kept = sorted((int(group[1]), count) for group, count in model.tally.items() if group[0] == "passage")
        counted = tuple((passage, count) for passage, count in kept if count)[:_MOST_PASSAGES]
        if counted == self._counted:
            return
        self._counted = counted
        empty(self._coverage)
        self._passages.setVisible(bool(counted))
        most = max((count for _, count in counted), default=1)
        headings = model.headings
        for passage, count in counted:
            bar = Bar(4, role="text3")
            bar.show_share(count / most)
            bar.setFixedWidth(90)
            name = ElidedLabel(f"{passage + 1}  {headings.get(passage, '')}", "small", "text2")
            amount = Label(number(count), "small", "text2")
            amount.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            amount.setMinimumWidth(QFontMetrics(look().font("small")).horizontalAdvance(number(most)) + 2)
            line = row(name, bar, amount, gap=8)
            line.setStretch(0, 1)
            holder = QWidget()
            holder.setLayout(line)
            self._coverage.addWidget(holder)
