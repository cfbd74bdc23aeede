"""Station C: the report: the verdict in words, the numbers, and both answers to every question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QFrame, QScrollArea, QWidget

from lab_desktop.errors import LabError
from lab_desktop.files import read_json, write_text
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Icon, Label, column, row, rule

VERDICTS = {
    "clear gain": ("check", "good", "Clear gain"),
    "small gain": ("check", "good", "Small gain"),
    "no gain": ("dash", "text2", "No gain"),
    "it forgot": ("warn", "warn", "It forgot"),
}
_MARKS = {"right": ("check", "good"), "wrong": ("cross", "bad"), "no verdict": ("dash", "text3")}
_AT_ONCE = 60
"""Rows that are built at first; more come with a button, so that a long report opens at once."""


class CheckStation(QScrollArea):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._folder: Path | None = None
        self._shown = _AT_ONCE
        self._opened: set[str] = set()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def refresh(self) -> None:
        run = self._session.project.run if self._session.project else None
        if run != self._folder:
            self._folder, self._shown, self._opened = run, _AT_ONCE, set()
        inside = QWidget()
        inside.setLayout(column(*self._parts(), -1, gap=16, margins=(24, 16, 24, 24)))
        place = self.verticalScrollBar().value()
        self.setWidget(inside)
        self.verticalScrollBar().setValue(place)

    def _parts(self) -> list[QWidget | Any]:
        session = self._session
        job = session.jobs.current
        is_running = job is not None and job.folder == self._folder and "evaluate" in job.steps
        start = Button(self.tr("Check now"), icon="play", on_click=lambda: session.begin("check"))
        start.setVisible(session.state.has_adapter and not session.state.has_report and not is_running)
        export = Button(self.tr("Save report…"), on_click=self._save)
        export.setVisible(session.state.has_report)
        head = row(
            Label(self.tr("Report"), "title"),
            Label(self.tr("(evaluation)"), "small", "text3"),
            -1,
            start,
            export,
            gap=10,
        )
        if not session.state.has_report or self._folder is None:
            text = self.tr("The same questions before and after: did it help, did it forget?")
            return [head, Label(text, "reading", "text2", wraps=True)]
        try:
            report = read_json(self._folder / "report.json", "leaves", "general", "verdict")
            return [head, self._summary(report), *self._advice(report), *self._table(report)]
        except (LabError, KeyError, TypeError, ValueError, AttributeError) as error:
            cause = error.message if isinstance(error, LabError) else self.tr("The report cannot be read.")
            return [
                head,
                Banner(
                    "bad",
                    cause,
                    self.tr("Your model and your lessons are safe."),
                    self.tr("Check again"),
                    lambda: session.begin("check"),
                ),
            ]

    def _summary(self, report: dict[str, Any]) -> QWidget:
        icon, tone, name = VERDICTS.get(report["verdict"]["name"], ("dash", "text2", report["verdict"]["name"]))
        words = column(
            row(Icon(icon, tone, 20), Label(name, "title", tone), -1, gap=10),
            Label(report["verdict"]["text"], "body", "text2", wraps=True), -1, gap=6,
        )  # fmt: skip
        exam = _sum(leaf["exam"] for leaf in report["leaves"])
        held_out = _sum(leaf["held_out"] for leaf in report["leaves"])
        numbers = [
            (self.tr("Your topic"), exam, self.tr("of {0} right")),
            (self.tr("Practice questions kept aside"), held_out, self.tr("of {0} right")),
            (
                self.tr("General questions"),
                (
                    report["general"]["before"]["right"],
                    report["general"]["now"]["right"],
                    report["general"]["now"]["total"],
                ),
                self.tr("of {0} right"),
            ),
        ]
        first = QWidget()
        first.setLayout(words)
        parts: list[QWidget] = [first]
        for title, (before, now, total), unit in numbers:
            if total:
                box = QWidget()
                line = row(
                    Label(str(before), "number_l", "text3"),
                    Label("→", "title", "text3"),
                    Label(str(now), "number_l"),
                    -1,
                    gap=10,
                )
                box.setLayout(
                    column(Label(title, "label", "text2"), line, Label(unit.format(total), "small", "text2"), gap=2)
                )
                parts += [rule(is_upright=True), box]
        inside = row(*parts, gap=20)
        inside.setStretch(0, 1)
        return Card(inside)

    def _advice(self, report: dict[str, Any]) -> list[QWidget]:
        return [Banner("info", self.tr("What to do"), advice) for advice in report["verdict"].get("advice", [])[:3]]

    def _table(self, report: dict[str, Any]) -> list[QWidget]:
        questions = [(question, leaf["leaf"]) for leaf in report["leaves"] for question in leaf["questions"]]
        questions.sort(key=lambda pair: pair[0]["kind"] != "exam")
        questions += [(question, "") for question in report["general"]["questions"]]
        table = QWidget()
        lines: list[QWidget] = [self._head()]
        last = ""
        for question, _ in questions[: self._shown]:
            if question["kind"] != last:
                last = question["kind"]
                names = {
                    "exam": self.tr("Your topic"),
                    "held_out": self.tr("Practice questions kept aside"),
                    "general": self.tr("General questions"),
                }
                title = Label(names.get(last, last), "strong", "text2")
                title.setContentsMargins(0, 14, 0, 4)
                lines.append(title)
            lines.append(self._line(question))
        table.setLayout(column(*lines))
        made = [table]
        if len(questions) > self._shown:
            made.append(
                Button(self.tr("Show all {0} questions").format(len(questions)), "plain", on_click=self._show_all)
            )
        return made

    def _show_all(self) -> None:
        self._shown = 1_000_000
        self.refresh()

    def _head(self) -> QWidget:
        made = QWidget()
        names = (self.tr("Question"), self.tr("Before – original"), self.tr("Now – your model"))
        line = row(*(Label(name, "label", "text2") for name in names), gap=16, margins=(0, 0, 0, 6))
        for number, share in enumerate((5, 4, 4)):
            line.setStretch(number, share)
        made.setLayout(column(line, rule()))
        return made

    def _line(self, question: dict[str, Any]) -> QWidget:
        made = QWidget()
        cells: list[QWidget] = [Label(question["question"], wraps=True)]
        for side, verdict in (("before", "verdict_before"), ("after", "verdict_after")):
            icon, tone = _MARKS.get(question[verdict], _MARKS["no verdict"])
            answer = Label(
                " ".join(question[side].split()) or self.tr("(no answer)"),
                "body",
                "text" if question[verdict] == "right" else "text2",
                wraps=True,
            )
            cell = QWidget()
            inside = row(Icon(icon, tone, 14), answer, gap=8)
            inside.setStretch(1, 1)
            cell.setLayout(inside)
            cell.setAccessibleName(f"{question[verdict]}: {question[side]}")
            cells.append(cell)
        line = row(*cells, gap=16, margins=(0, 8, 0, 8))
        for number, share in enumerate((5, 4, 4)):
            line.setStretch(number, share)
        made.setLayout(column(line, rule()))
        return made

    def _save(self) -> None:
        if self._folder is None or self._session.project is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save report"), f"{self._session.project.title}.md", "Markdown (*.md)"
        )
        if name:
            try:
                write_text(
                    Path(name), report_markdown(read_json(self._folder / "report.json"), self._session.project.title)
                )
            except LabError:
                return


def report_markdown(report: dict[str, Any], title: str) -> str:
    """The report as a page to send or keep."""
    lines = [f"# {title}", "", report["verdict"]["text"], ""]
    for leaf in report["leaves"]:
        lines += ["| Question | Before | Now |", "|---|---|---|"]
        for question in leaf["questions"]:
            cells = (question["question"], question["before"], f"{question['after']} ({question['verdict_after']})")
            lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _sum(parts: Any) -> tuple[int, int, int]:
    counted = list(parts)
    return (
        sum(part["before"]["right"] for part in counted),
        sum(part["now"]["right"] for part in counted),
        sum(part["now"]["total"] for part in counted),
    )
