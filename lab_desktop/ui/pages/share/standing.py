"""Where a contribution stands: its way in steps, and what each automatic check says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from lab_desktop.contribution.contributions import State
from lab_desktop.contribution.hosts import Check
from lab_desktop.ui.held import Held
from lab_desktop.ui.pages.share import lines
from lab_desktop.ui.pages.share.checks import is_mended_by_sending, plain_says
from lab_desktop.ui.widgets.basic import Button, Flowing, Icon, Label, column, empty, row, rule, scrolled
from lab_desktop.ui.words import number, tr, when

_MOST_CHECKS = 30


@dataclass(frozen=True)
class Step:
    """A step of the way.

    Attributes:
        state: "done", "now", "later", or "needs you".
        at: when, as it is shown.
    """

    text: str
    state: str
    at: str = ""


def steps(held: Held) -> list[Step]:
    """The way of a contribution from the lesson to the library of everybody."""
    contribution, done = held.contribution, held.done
    place = lines.place_words(held)
    is_there = held.state not in (State.DRAFT, State.READY, State.WAITING)
    found = [Step(tr("Prepared"), "done", when(contribution.created))]
    if contribution.agreed_at:
        found.append(Step(tr("You looked through it and agreed"), "done", when(contribution.agreed_at)))
    else:
        found.append(Step(tr("Look through it and agree"), "now"))
    if done.documents[1]:
        found.append(Step(tr("Its document can be read by all"), "done"))
    if contribution.destination is not None and contribution.destination.kind == "file":
        words = tr("Written into {0}").format(done.file.name) if done.file is not None else tr("Write the file")
        return [*found, Step(words, _reached(held, is_there), when(done.at) if is_there else "")]
    sent_at = done.pushed_at or done.at
    words = tr("Sent to {0}") if is_there else tr("Send to {0}")
    words = words.format(place) if contribution.destination is not None else tr("Send")
    found.append(Step(words, _reached(held, is_there), when(sent_at) if is_there else ""))
    if contribution.destination is not None and not contribution.destination.forge:
        return found
    return [*found, *_after_sending(held, is_there)]


def _reached(held: Held, is_there: bool) -> str:
    if is_there:
        return "done"
    if held.clash is not None or held.contribution.trouble:
        return "needs you"
    return "now" if held.contribution.agreed_at else "later"


def _after_sending(held: Held, is_there: bool) -> list[Step]:
    standing = held.standing if is_there else None
    if standing is None:
        state = "now" if is_there else "later"
        return [Step(tr("Checked"), state), Step(tr("Accepted"), "later")]
    failed = any(check.state == "failed" for check in standing.checks)
    waits = any(check.state == "waiting" for check in standing.checks) or not standing.checks
    is_over = held.state in (State.ACCEPTED, State.DECLINED)
    said = [comment for comment in standing.comments if comment.who != held.done.login]
    found = []
    if standing.checks or not (said or is_over):
        checks = lines.checks_words(standing)
        word = "needs you" if failed and not is_over else "now" if waits and not is_over else "done"
        found.append(Step(checks[:1].upper() + checks[1:], word))
    if said:
        words = tr("1 comment of reviewers") if len(said) == 1 else tr("{0} comments of reviewers")
        word = "needs you" if held.state is State.CHANGES else "done"
        found.append(Step(words.format(number(len(said))), word, when(said[-1].at)))
    if held.state is State.DECLINED:
        return [*found, Step(tr("Not accepted"), "done")]
    return [*found, Step(tr("Accepted"), "done" if held.state is State.ACCEPTED else "later")]


def facts(held: Held) -> list[str]:
    """What who knows git looks for, with the field's own words."""
    done, contribution = held.done, held.contribution
    if contribution.destination is None or contribution.destination.kind == "file":
        return []
    named = (
        (tr("Address"), contribution.destination.address),
        (tr("Branch"), contribution.branch if done.commit else ""),
        (tr("Commit"), done.commit),
        (tr("Fork"), done.fork),
        (tr("Documents"), " @ ".join(done.documents) if done.documents[1] else ""),
        (
            tr("Signed off by"),
            f"{contribution.author.name} <{contribution.author.email}>" if contribution.author else "",
        ),
    )
    return [f"{name}: {text}" for name, text in named if text]


class StandingView(QWidget):
    """Both below each other, scrolled."""

    def __init__(self, open_page: Callable[[str], object]) -> None:
        super().__init__()
        self._open_page = open_page
        self._shown: object = None
        self._links: list[QWidget] = []
        self._body = QVBoxLayout()
        self._body.setSpacing(0)
        self._asked = Label("", "small", "text3", wraps=True)
        self.details = Button(self.tr("Details"), "plain", icon="chevron-right", size="small", on_click=self._fold)
        self._facts = Label("", "small", "text2", wraps=True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts.hide()
        parts = (self._body, 12, self._asked, row(self.details, -1), 4, self._facts, -1)
        self.setLayout(column(scrolled(Flowing(column(*parts, margins=(0, 0, 12, 16))))))

    def show_held(self, held: Held, asked: str) -> None:
        """
        Args:
            asked: when the host was asked last, or why not.
        """
        self._asked.setText(asked)
        self._asked.setVisible(bool(asked))
        self._facts.setText("\n".join(facts(held)))
        self.details.setVisible(bool(self._facts.text()))
        way = steps(held)
        checks = held.standing.checks if held.standing is not None else ()
        if (way, checks) == self._shown:
            return
        self._shown = (way, checks)
        empty(self._body)
        self._links.clear()
        self._body.addWidget(Label(self.tr("Where it stands"), "head"))
        self._body.addSpacing(8)
        for step in way:
            self._body.addWidget(_step(step))
        if checks:
            self._body.addSpacing(20)
            self._body.addWidget(Label(self.tr("Automatic checks"), "head"))
            self._body.addSpacing(4)
            for check in checks[:_MOST_CHECKS]:
                self._body.addWidget(self._check(check))
        for one, other in itertools.pairwise([*self._links, self.details]):
            QWidget.setTabOrder(one, other)

    def _fold(self) -> None:
        self._facts.setVisible(self._facts.isHidden())
        self.details.set_icon("chevron-right" if self._facts.isHidden() else "chevron-down")
        self.details.setAccessibleDescription(self.tr("shut") if self._facts.isHidden() else self.tr("open"))

    def _check(self, check: Check) -> QWidget:
        word, icon, tone = lines.check_words(check)
        parts: list[QWidget | QLayout | int] = [Label(lines.check_name(check), "control", wraps=True)]
        parts.append(Label(word, "small", tone))
        if check.state == "failed":
            for says in plain_says(check):
                parts += [4, Label(says, "small", "text2", wraps=True)]
            if is_mended_by_sending(check):
                words = self.tr("Share it again: the lesson file is written anew, and this is mended by itself.")
                parts += [4, Label(words, "small", "text", wraps=True)]
            if check.page:
                open_it = partial(self._open_page, check.page)
                more = Button(self.tr("Read all of it"), "plain", size="small", on_click=open_it)
                more.setAccessibleName(self.tr("Read all that “{0}” says").format(check.name))
                self._links.append(more)
                parts += [4, row(more, -1)]
        line = row(column(2, Icon(icon, tone, 16), -1), column(*parts), gap=10, margins=(0, 8, 0, 8))
        line.setStretch(1, 1)
        made = QWidget()
        made.setLayout(column(line, rule()))
        return made


def _step(step: Step) -> QWidget:
    icon, tone, word = {
        "done": ("check", "good", tr("done")),
        "now": ("clock", "accent", tr("now")),
        "needs you": ("warn", "warn", tr("needs you")),
        "later": ("dash", "text3", tr("later")),
    }[step.state]
    made = QWidget()
    style = "strong" if step.state in ("now", "needs you") else "body"
    text = Label(step.text, style, "text2" if step.state == "later" else "text", wraps=True)  # type: ignore[arg-type]
    words = column(text, *([Label(step.at, "small", "text3")] if step.at else []))
    line = row(column(2, Icon(icon, tone, 16), -1), words, gap=10, margins=(0, 5, 0, 5))
    line.setStretch(1, 1)
    made.setLayout(line)
    made.setAccessibleName(", ".join(filter(None, (step.text, word, step.at))))
    return made
