"""Station C: the report: the verdict in words, the numbers, and both answers to every question."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QFrame, QMenu, QStackedWidget, QWidget

from lab_desktop import corrections, votes
from lab_desktop.artifacts import title_of
from lab_desktop.corrections import SIDES, Correction, read_corrections, read_report, write_correction
from lab_desktop.documents.passages import read_documents
from lab_desktop.errors import LabError, RunError
from lab_desktop.files import stamp, write_text
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.pages.improve.memory import Advice, MemoryLine
from lab_desktop.ui.pages.improve.plans import Plan, plan
from lab_desktop.ui.pages.improve.report import ReportModel, ReportView, Row, columns
from lab_desktop.ui.pages.improve.station import SETTLED_MS, Heading, Note, Running, Trouble, Waiting
from lab_desktop.ui.session import Session, station_of
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, row, rule
from lab_desktop.ui.words import duration, tr, when
from lab_desktop.words import telling_sentence

_MOST_ADVICE = 3


class CheckStation(QWidget):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._folder: Path | None = None
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._report: dict[str, Any] = {}
        self._votes = (0, 0)
        self._undo: list[Correction] = []
        self._documents: dict[str, str] = {}
        self._is_narrow = False
        self._settled = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settled.timeout.connect(session.refresh)
        self._start = Button(self.tr("Check now"), icon="play", on_click=lambda: session.begin("check"))
        self._export = Button(self.tr("Save report…"), on_click=self._save)
        self.share = Button(self.tr("Share…"), icon="share", on_click=self._share)
        self.own = Button(self.tr("Your questions…"), icon="edit", on_click=self.edit_questions)
        self.own.setToolTip(self.tr("Questions of your own, asked before and after and never practised"))
        buttons = (self._start, self.own, self._export, self.share)
        self.heading = Heading(self.tr("Report"), self.tr("evaluation"), *buttons)
        self.trouble, self.waiting = Trouble(session, "check"), Waiting(session, "check")
        self._running = Running(session)
        self._told = Note()
        self._memory, self._advice = MemoryLine(), Advice(session, "check")
        self.model = ReportModel()
        self.view = ReportView(self.model, self._source)
        self.view.show_top(self._top)
        self.view.counted.connect(self.count)
        self.view.taken_back.connect(self._take_back)
        self._empty = Label(
            self.tr("The same questions before and after: did it help, did it forget?"), "reading", "text2", wraps=True
        )
        empty = QWidget()
        empty.setLayout(column(self._empty, -1, margins=(24, 4, 24, 0)))
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.view)
        whole = column(
            self.heading,
            self._memory,
            self._advice,
            self.trouble,
            self.waiting,
            self._running,
            self._told,
            self._stack,
        )
        whole.setStretch(7, 1)
        self.setLayout(whole)

    def set_narrow(self, is_narrow: bool) -> None:
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self.view.lay_out()

    def beat(self) -> None:
        """A second has gone by while a job runs."""
        self._running.refresh()

    def refresh(self) -> None:
        session = self._session
        run = session.project.run if session.project else None
        if run != self._folder:
            self._folder, self._undo, self._documents, self._seen = run, [], {}, None
            self.model.opened = ""
        job = session.jobs.current
        is_running = job is not None and job.folder == run and station_of(job.steps) == "check"
        has_report = session.state.has_report
        self._start.setText(self.tr("Check again") if has_report else self.tr("Check now"))
        self._start.set_icon("again" if has_report else "play")
        self._running.setVisible(is_running)
        self._running.refresh()
        self.trouble.look_at(run)
        self.waiting.look_at(run)
        is_free = self.trouble.isHidden() and self.waiting.isHidden()
        self._start.setVisible(session.state.has_adapter and not is_running and is_free)
        found = self._plan(is_running)
        self.heading.say(self._words(is_running, found))
        self._memory.show_plan(found)
        self._advice.show_plan(found)
        self._read()
        self.own.setVisible(session.project is not None and session.project.has_lessons and not is_running)
        self._export.setVisible(bool(self._report))
        self.share.setVisible(bool(self._report))
        self._stack.setCurrentIndex(1 if self._report else 0)

    def _plan(self, is_running: bool) -> Plan | None:
        """What a check will take, while one is to come."""
        session, state = self._session, self._session.state
        if session.project is None or is_running or state.has_report or not state.has_adapter:
            return None
        return plan("check", session.project, session)

    def _words(self, is_running: bool, found: Plan | None) -> str:
        session = self._session
        if session.project is None or is_running:
            return ""
        if session.state.has_report and self._folder is not None:
            at = stamp(self._folder / "report.json")[1] / 1e9
            return self.tr("Your model against the original · checked {0}").format(when(at))
        if found is None:
            return self.tr("Train first; then the same questions are asked before and after.")
        words = found.time_words()
        return words[:1].upper() + words[1:]

    def _share(self) -> None:
        """Give a lesson that the report is about to others; of several one is chosen."""
        leaves = self._lessons()
        if len(leaves) == 1:
            self._session.share(leaves[0])
        if len(leaves) < 2:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for leaf in leaves:
            menu.addAction(title_of(leaf.name)).triggered.connect(functools.partial(self._share_one, leaf))
        menu.popup(self.share.mapToGlobal(self.share.rect().bottomLeft()))

    def _share_one(self, leaf: Path, _: bool = False) -> None:
        self._session.share(leaf)

    def edit_questions(self) -> None:
        """Write questions of one's own for the lessons of the project in hand."""
        from lab_desktop.ui.pages.improve.own_questions import OwnQuestions

        if leaves := self._lessons():
            OwnQuestions(self, [(title_of(leaf.name), leaf) for leaf in leaves], self._own_saved).open()

    def _lessons(self) -> list[Path]:
        """Those of the project in hand; none where they cannot be read, which is told."""
        try:
            return find_leaves(self._session.project.lessons) if self._session.project is not None else []
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
            return []

    def _own_saved(self) -> None:
        if self._report:
            cause = self.tr("Your questions are saved.")
            self._told.say("info", cause, self.tr("“Check again” asks them; this report does not know them yet."))

    def _read(self) -> None:
        """Look at the report and what was corrected in it, where a file has changed."""
        run = self._folder
        files = [run / name for name in ("report.json", corrections.FILE_NAME, votes.FILE_NAME)] if run else []
        seen = tuple(stamp(file) for file in files)
        if seen == self._seen:
            return
        self._seen = seen
        self._report = {}
        self._told.hide()
        self._votes = (0, 0)
        if run is None or seen[0] == (0, 0):
            self.model.show([])
            return
        try:
            self._report, self.view.corrections = read_report(run), read_corrections(run)
            self._votes = _votes(run)
            self.model.show(self._rows(self._report))
        except (LabError, KeyError, TypeError, ValueError, AttributeError) as error:
            self._report = {}
            self.model.show([])
            cause = error.message if isinstance(error, LabError) else self.tr("The report cannot be read.")
            self._told.say("bad", cause, self.tr("Your model and your lessons are safe."))
        self.view.lay_out()

    def _rows(self, report: dict[str, Any]) -> list[Row]:
        groups: dict[str, list[tuple[dict[str, Any], str]]] = {"exam": [], "held_out": [], "general": []}
        for leaf in report["leaves"]:
            for question in leaf["questions"]:
                groups.setdefault(question["kind"], []).append((question, leaf["leaf"]))
        groups["general"] += [(question, "") for question in report["general"]["questions"]]
        names = {
            "exam": self.tr("Your topic"),
            "held_out": self.tr("Practice questions kept aside"),
            "general": self.tr("General questions"),
        }
        rows = [Row("top", report["verdict"]["text"])]
        for kind, questions in groups.items():
            if questions:
                rows.append(Row("title", names.get(kind, kind)))
                rows += [Row("question", "", asked, leaf, at) for at, (asked, leaf) in enumerate(questions, start=1)]
        for each in rows:
            if each.question is not None and not all(isinstance(each.question[key], str) for key in _TEXTS):
                raise TypeError(each.question)
        return rows

    def count(self, question: str, side: str, verdict: str) -> None:
        """Let an answer count as the person says; when this returns it is on disk."""
        at = self.model.place(question)
        found = self.model.rows[at].question if at >= 0 else None
        if found is None or side not in SIDES or verdict == found[f"verdict_{side}"]:
            return
        key = (question, side, found[side])
        before = self.view.corrections.get(key)
        made = Correction(question, side, found[side], verdict)  # type: ignore[arg-type]
        if self._note(made):
            self._undo.append(before or Correction(question, made.side, made.answer, "undone"))

    def _take_back(self) -> None:
        if self._undo and self._note(self._undo[-1]):
            self._undo.pop()

    def _note(self, made: Correction) -> bool:
        if self._folder is None:
            return False
        try:
            write_correction(self._folder, made)
        except LabError as error:
            self._told.say("bad", error.message, error.hint)
            return False
        self._read()
        self._settled.start()
        return True

    def _top(self) -> QWidget:
        made = QWidget()
        report = self._report
        if not report:
            made.setLayout(column())
            return made
        advice = [text for text in report["verdict"].get("advice", [])[:_MOST_ADVICE] if text]
        names = (self.tr("Question"), self.tr("Before – original"), self.tr("Now – your model"))
        places = columns(self.view.viewport().width())
        head = QWidget()
        head.setFixedHeight(28)
        for name, (left, width) in zip(names, places, strict=True):
            label = Label(name, "label", "text2")
            label.setParent(head)
            label.setGeometry(left - 24, 4, width, 20)
        parts = [self._summary(report), *([_advised(self.tr("What to do"), advice)] if advice else [])]
        made.setLayout(column(*parts, column(head, rule()), gap=12, margins=(24, 0, 24, 0)))
        return made

    def _summary(self, report: dict[str, Any]) -> QWidget:
        icon, tone, name = _verdict_words(report["verdict"]["name"])
        text = Label(report["verdict"]["text"], "body", "text2", wraps=True)
        words = QWidget()
        how = Label(_training_words(report), "small", "text3", wraps=True)
        how.setVisible(bool(how.text()))
        words.setLayout(column(row(Icon(icon, tone, 20), Label(name, "title", tone), -1, gap=10), text, how, -1, gap=6))
        boxes = [self._box(*each) for each in self._numbers(report)]
        if self._is_narrow:
            line = row(gap=20)
            for number, box in enumerate(boxes):
                if number:
                    line.addWidget(rule(is_upright=True))
                line.addWidget(box)
            line.addStretch(1)
            return Card(words, 12, rule(), 12, line)
        inside = row(words, gap=20)
        for box in boxes:
            inside.addWidget(rule(is_upright=True))
            inside.addWidget(box)
        inside.setStretch(0, 1)
        return Card(inside)

    def _numbers(self, report: dict[str, Any]) -> list[tuple[str, str, str, str]]:
        """(title, before, now, unit) of every number that there is."""
        general = report["general"]
        found = [
            (self.tr("Your topic"), *_sum([leaf["exam"] for leaf in report["leaves"]])),
            (self.tr("Kept aside"), *_sum([leaf["held_out"] for leaf in report["leaves"]])),
            (self.tr("General questions"), *_sum([general])),
        ]
        made = [(title, str(old), str(new), self.tr("of {0} right").format(of)) for title, old, new, of in found if of]
        better, cast = self._votes
        if cast:
            made.append((self.tr("Answers you preferred"), "", str(better), self.tr("of {0} votes").format(cast)))
        return made

    def _box(self, title: str, before: str, now: str, unit: str) -> QWidget:
        made = QWidget()
        style = "number_s" if self._is_narrow else "number_m"
        line = row(gap=10)
        if before:
            line.addWidget(Label(before, style, "text3"))  # type: ignore[arg-type]
            line.addWidget(Label("→", "title", "text3"))
        line.addWidget(Label(now, style))  # type: ignore[arg-type]
        line.addStretch(1)
        made.setLayout(column(Label(title, "label", "text2"), line, Label(unit, "small", "text2"), gap=2))
        made.setAccessibleName(f"{title}: {before + ' → ' if before else ''}{now} {unit}")
        return made

    def _source(self, line: Row) -> str:
        """The sentence of the lesson's document that tells the answer to a question."""
        if line.question is None or not line.leaf or self._folder is None:
            return ""
        if line.leaf not in self._documents:
            self._documents[line.leaf] = _document(self._folder / "leaves" / line.leaf)
        text = self._documents[line.leaf]
        return telling_sentence(text, line.question["question"], line.question["reference"])

    def _save(self) -> None:
        if self._folder is None or self._session.project is None:
            return
        title = self._session.project.title
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save report"), f"{title}.md", "Markdown (*.md)")
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> None:
        """Write the report as a page to send or keep; says where it could not be written."""
        assert self._session.project is not None
        try:
            write_text(path, report_markdown(self._report, self._session.project.title, self._votes))
            self._told.say("good", self.tr("The report was saved."), str(path))
        except LabError as error:
            self._told.say("bad", error.message, self.tr("Choose another folder, or free some space."))


def _training_words(report: Mapping[str, Any]) -> str:
    """How long the model practised; "" in a report of an earlier version of this program."""
    settings, seconds = report.get("settings"), report.get("seconds")
    effort = settings.get("effort") if isinstance(settings, dict) else None
    words = {
        "quick": tr("Training: quick, half the usual rounds"),
        "standard": tr("Training: standard"),
        "thorough": tr("Training: thorough, twice the usual rounds"),
    }.get(str(effort), "")
    took_s = seconds.get("train") if isinstance(seconds, dict) else None
    return f"{words} · {duration(took_s)}" if words and isinstance(took_s, int | float) and took_s > 0 else words


def _verdict_words(name: str) -> tuple[str, str, str]:
    """A verdict as an icon, its colour role, and words."""
    return {
        "clear gain": ("check", "good", tr("Clear gain")),
        "small gain": ("check", "good", tr("Small gain")),
        "no gain": ("dash", "text2", tr("No gain")),
        "it forgot": ("warn", "warn", tr("It forgot")),
    }.get(name, ("dash", "text2", name))


_TEXTS = ("id", "kind", "question", "reference", "before", "after", "verdict_before", "verdict_after")


def report_markdown(report: Mapping[str, Any], title: str, cast: tuple[int, int] = (0, 0)) -> str:
    """The report as a page to send or keep.

    Args:
        cast: votes for the new model, and in all.
    """
    lines = [f"# {title}", "", report["verdict"]["text"], ""]
    if how := _training_words(report):
        lines += [f"{how}.", ""]
    if cast[1]:
        lines += [f"Answers preferred from the new model: {cast[0]} of {cast[1]} votes.", ""]
    for advice in report["verdict"].get("advice", []):
        lines.append(f"- {advice}")
    groups = [(leaf["leaf"], leaf["questions"]) for leaf in report["leaves"]]
    for name, questions in [*groups, ("General questions", report["general"]["questions"])]:
        lines += ["", f"## {name}", "", "| Question | Before | Now |", "|---|---|---|"]
        for question in questions:
            cells = (question["question"], *(f"{question[side]} ({question[f'verdict_{side}']})" for side in SIDES))
            lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _advised(title: str, advice: Sequence[str]) -> QFrame:
    """What to do, as one list."""
    made = QFrame()
    made.setProperty("surface", "info")
    lines = column(Label(title, "strong"), gap=6)
    for text in advice:
        line = row(column(Label("•", "body", "text2"), -1), Label(text, "body", "text2", wraps=True), gap=8)
        line.setStretch(1, 1)
        lines.addLayout(line)
    inside = row(column(Icon("lamp", "text2", 18), -1), lines, gap=12, margins=(16, 12, 16, 12))
    inside.setStretch(1, 1)
    made.setLayout(inside)
    return made


def _sum(parts: list[dict[str, Any]]) -> tuple[int, int, int]:
    return (
        sum(part["before"]["right"] for part in parts),
        sum(part["now"]["right"] for part in parts),
        sum(part["now"]["total"] for part in parts),
    )


def _votes(run: Path) -> tuple[int, int]:
    """How often the new model was preferred, and how many votes there are."""
    try:
        counts = votes.tally(votes.read_votes(run).values())
    except RunError:
        return 0, 0
    return counts["new"], counts.total()


def _document(leaf: Path) -> str:
    """The text that a lesson teaches; "" where it has none."""
    try:
        patterns = getattr(read_leaf(leaf).document, "patterns", ())
        return "\n\n".join(document.text for document in read_documents(leaf, patterns)) if patterns else ""
    except LabError:
        return ""
