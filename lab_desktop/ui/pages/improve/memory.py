"""Whether a station's work has room in this computer's memory: a bar, a word, and what to do where it has not."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from lab_desktop import capacity, paths
from lab_desktop.errors import LabError
from lab_desktop.models import choosing
from lab_desktop.models.catalogue import Role
from lab_desktop.needs import Room, Verdict, choose_level
from lab_desktop.projects import Station
from lab_desktop.ui.pages.improve.plans import Plan, memory_words
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Banner, Label, Tone, column, empty, row
from lab_desktop.ui.widgets.meters import Part, SegmentBar
from lab_desktop.ui.words import size, tr

_BAR_WIDE = 160
_ROLES: dict[Station, Role] = {"practice": "teacher", "train": "student", "check": "chat"}


def show_parts(bar: SegmentBar, room: Room) -> None:
    """The work, other programs, and what is free; more than there is fills the bar."""
    total = max(1, room.total)
    work = min(1.0, room.needed / total)
    bar.show_parts([Part(work, "data"), Part(min(room.others / total, 1.0 - work), "text3")], memory_words(room))


class Verdicts(QWidget):
    """A badge: Comfortable, Tight, Too big."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Verdict | None = None
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._place)

    def show_verdict(self, verdict: Verdict) -> None:
        if verdict == self._shown:
            return
        self._shown = verdict
        empty(self._place)
        badge = {
            "comfortable": Badge(tr("Comfortable"), "good", "check"),
            "tight": Badge(tr("Tight"), "warn", "warn"),
            "too big": Badge(tr("Too big"), "bad", "warn"),
        }[verdict]
        self._place.addWidget(badge)


class MemoryLine(QWidget):
    """The bar, its badge and its words on one line, below a station's heading."""

    def __init__(self) -> None:
        super().__init__()
        self._verdicts, self._bar, self._words = Verdicts(), SegmentBar(8), Label("", "body", "text2", wraps=True)
        line = row(self._verdicts, self._bar, self._words, gap=12, margins=(24, 0, 24, 12))
        line.setStretch(2, 1)
        self.setLayout(line)
        self.hide()
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self._bar.setFixedWidth(look().grown(_BAR_WIDE))

    def show_plan(self, plan: Plan | None) -> None:
        """Show a plan's memory; nothing where there is none, or it is not known."""
        room = plan.room if plan is not None else None
        self.setVisible(room is not None)
        if room is not None:
            self._verdicts.show_verdict(room.verdict)
            self._words.setText(memory_words(room) + ".")
            show_parts(self._bar, room)


class Advice(QWidget):
    """What to do where there is not room enough, with one button: the lighter setting, the models, or looking again."""

    def __init__(self, session: Session, station: Station) -> None:
        super().__init__()
        self._session, self._station = session, station
        self._said: tuple[str, ...] = ()
        self._plan: Plan | None = None
        self.banner = Banner("info", "")
        self.setLayout(column(self.banner, margins=(24, 0, 24, 12)))
        self.hide()

    def show_plan(self, plan: Plan | None) -> None:
        """Show what a plan asks for; nothing where it has room."""
        self._plan = plan
        room = plan.room if plan is not None else None
        if plan is None or room is None or (room.verdict == "comfortable" and not plan.level):
            self.hide()
            return
        tone: Tone
        tone, cause, safe, button = self._told(plan, room)
        if (tone, cause, safe, button) != self._said:
            self._said = (tone, cause, safe, button)
            act = {tr("Look at the models"): self._to_models, tr("Look again"): self._session.refresh}
            self.banner.say(tone, cause, safe, button, act.get(button, self._choose))
        self.show()

    def _told(self, plan: Plan, room: Room) -> tuple[Tone, str, str, str]:
        needed, left, total = size(room.needed), size(room.leaves), size(room.total)
        if room.verdict == "comfortable":
            cause = tr("The lighter setting is chosen: {0}.").format(plan.words)
            return "info", cause, tr("It takes longer and needs less memory."), tr("Use the usual setting")
        if plan.lighter:
            cause = tr("This needs about {0} of memory; {1} are free.").format(needed, size(room.free))
            if room.verdict == "too big":
                cause = tr("This needs about {0} of memory; this computer has {1}.").format(needed, total)
            safe = tr("Close other programs, or use the lighter setting: {0}. It takes longer.")
            return "warn", cause, safe.format(plan.lighter_words), tr("Use the lighter setting")
        if room.verdict == "too big":
            cause = tr("This model is too big here: it needs about {0} of memory and this computer has {1}.")
            return "bad", cause.format(needed, total), self._smaller(room), tr("Look at the models")
        if room.is_here:
            cause = tr("It fits just so: {0} stay free, and you want to keep {1}.").format(left, size(room.kept))
            return "warn", cause, tr("Close other programs first, or all of them may get slow."), tr("Look again")
        cause = tr("Close other programs first: about {0} are needed and {1} are free.").format(needed, size(room.free))
        return "warn", cause, tr("Nothing is lost if memory runs out; it goes on from what is saved."), tr("Look again")

    def _smaller(self, room: Room) -> str:
        role, speed = _ROLES[self._station], capacity.read_speed(paths.user_data())
        found = choosing.best(role, room.total, speed)
        project = self._session.project
        is_ours = project is not None and Path(project.model or paths.practice_model()).name == found.file
        if is_ours or not choosing.fits(found, room.total, speed)[role].is_good:
            return tr("No smaller one is offered that fits; close other programs and try it.")
        if found.is_practice or (paths.models() / found.file).exists():
            return tr("{0} fits, and is on this computer.").format(found.title)
        return tr("{0} fits, and can be had ({1}).").format(found.title, size(found.size_bytes))

    def _to_models(self) -> None:
        self._session.go("models")

    def _choose(self) -> None:
        """Take the lighter setting, or the usual one again."""
        run = self._session.project.run if self._session.project is not None else None
        if self._plan is None or run is None:
            return
        try:
            choose_level(run, self._plan.lighter)
        except LabError as error:
            self.banner.say("bad", error.message, error.hint, tr("Try again"), self._choose)
            return
        self._session.refresh()
