"""The practice tour: the whole path on an example, one page after the other, with one button at a time.

The tour stores the step it is at; how far the work of a step is follows from the project, so a window closed in the
middle goes on there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from lab_desktop import paths
from lab_desktop.errors import LabError, RunError
from lab_desktop.files import read_json, write_json
from lab_desktop.ui.session import Session
from lab_desktop.ui.words import number

FILE_NAME = "tour.json"
STEPS = ("meet", "lesson", "practice", "train", "check", "compare", "done")
PAGES = {"meet": "chat", "lesson": "lesson", "compare": "chat", "done": "home"}
"""The page at which a step happens, where that is not Improve."""

NextStep = tuple[str, str, Callable[[], object]]
"""A sentence, a button ("": none), what it does."""


@dataclass(frozen=True)
class Scene:
    """What a step is about."""

    title: str
    text: str


class Tour(QObject):
    """Attributes:
    step: of STEPS, or "" while nobody takes the tour.
    moved: it is at another step, or over, or the model answered for the first time: what was pressed is gone.
    changed: there is something else to do at the same step.
    """

    moved = Signal()
    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._file = session.home / FILE_NAME
        self._has_met = self._has_added = False
        self.step = self._read()
        session.lesson_changed.connect(self._added)

    @property
    def place(self) -> int:
        """Which step it is, from 1; 0 while the tour is not on."""
        return STEPS.index(self.step) + 1 if self.step else 0

    def begin(self) -> None:
        """Start the tour with a fresh practice project, or go on with the one that is under way.

        Raises:
            LeafError, StorageError: the practice project could not be made.
        """
        practice = next((project for project in self._session.projects if project.is_practice), None)
        if not self.step or practice is None:
            self._session.new_practice()
            self._has_met = self._has_added = False
            self._go("meet")
        else:
            self._session.open(practice)
            self._session.go(self._target)

    @property
    def _target(self) -> str:
        return "home" if self.step == "done" else self.step

    def leave(self) -> None:
        """End the tour; the project stays."""
        self._has_met = self._has_added = False
        self._note("")
        self.moved.emit()

    def scene(self) -> Scene:
        """What the step in hand is about."""
        return {
            "meet": Scene(
                self.tr("Meet the model"),
                self.tr("Velmora is an island we made up, so no model can know it. Ask about it: it will guess."),
            ),
            "lesson": Scene(
                self.tr("The lesson"),
                self.tr("Some text, and questions one would ask about it. Add one question of your own."),
            ),
            "practice": Scene(
                self.tr("Practice questions"),
                self.tr("A teacher writes many more from the lesson and checks itself. Judge a few while they come."),
            ),
            "train": Scene(
                self.tr("Training"),
                self.tr("Your model practises: first facts, with a little revision so that nothing is forgotten."),
            ),
            "check": Scene(
                self.tr("Check"),
                self.tr("The same questions before and after, and general ones: did it help, did it forget?"),
            ),
            "compare": Scene(
                self.tr("See for yourself"),
                self.tr("Left the original, right your model. Both hear the same question."),
            ),
            "done": Scene(
                self.tr("You have done the whole loop."),
                self.tr("This model is tiny, for learning the steps; the same buttons teach bigger ones, in hours."),
            ),
        }[self.step]

    def next_step(self, page: str) -> NextStep:
        """What to do now, for the Next line.

        Args:
            page: the one in front.
        """
        project = self._session.project
        is_here = page == PAGES.get(self.step, "improve") and project is not None and project.is_practice
        if not is_here and self.step != "done":
            return (
                self.tr("go on with the practice tour."),
                self.tr("Back to the tour"),
                lambda: self._session.go("tour"),
            )
        steps: dict[str, Callable[[], NextStep]] = {
            "meet": self._meet,
            "lesson": self._lesson,
            "practice": self._practice,
            "train": self._train,
            "check": self._check,
            "compare": self._compare,
            "done": self._done,
        }
        return steps[self.step]()

    def _meet(self) -> NextStep:
        if not self._has_met:
            return self.tr("press one of the questions."), "", lambda: None
        sentence = self.tr("it cannot know Velmora. Let's teach it.")
        return sentence, self.tr("Open the lesson"), lambda: self._go("lesson")

    def _lesson(self) -> NextStep:
        sentence = (
            self.tr("your question is in the lesson. Now let the teacher write many more.")
            if self._has_added
            else self.tr("add a question of your own, or go on without.")
        )
        return sentence, self.tr("Write practice questions"), lambda: self._go("practice", begins=True)

    def _practice(self) -> NextStep:
        state = self._session.state
        if state.has_dataset:
            sentence = self.tr("{0} practice questions are ready.").format(number(state.kept))
            return sentence, self.tr("Train"), lambda: self._go("train", begins=True)
        if self._is_working():
            return self.tr("judge some questions: K keeps, F lets you fix, D drops."), "", lambda: None
        return self._continue()

    def _train(self) -> NextStep:
        if self._session.state.has_adapter:
            sentence = self.tr("your model has practised. See what it learned.")
            return sentence, self.tr("Check"), lambda: self._go("check", begins=True)
        if self._is_working():
            return self.tr("nothing to do – watch the mistakes fall, or get a coffee."), "", lambda: None
        return self._continue()

    def _check(self) -> NextStep:
        if self._session.state.has_report:
            sentence = self.tr("now ask both yourself.")
            return sentence, self.tr("Chat with both"), lambda: self._go("compare")
        if self._is_working():
            return self.tr("nothing to do – the questions are asked, one after the other."), "", lambda: None
        return self._continue()

    def _compare(self) -> NextStep:
        return self.tr("ask both the same, as often as you like."), self.tr("Finish"), lambda: self._go("done")

    def _done(self) -> NextStep:
        return self.tr("teach it something of your own."), self.tr("Start my own"), self._start_own

    def _continue(self) -> NextStep:
        step = self.step
        return self.tr("go on where it stopped."), self.tr("Continue"), lambda: self._session.begin(step)

    def _is_working(self) -> bool:
        job, project = self._session.jobs.current, self._session.project
        return job is not None and project is not None and job.folder == project.run

    def _start_own(self) -> None:
        self.leave()
        self._session.go("library")

    def _go(self, step: str, begins: bool = False) -> None:
        self._note(step)
        self._session.go(self._target)
        if begins:
            self._session.begin(step)
        self.moved.emit()

    def answered(self) -> None:
        """The model answered a question in the chat."""
        if self.step == "meet" and not self._has_met:
            self._has_met = True
            self.moved.emit()

    def _added(self) -> None:
        project = self._session.project
        if self.step == "lesson" and project is not None:
            with contextlib.suppress(LabError):  # the editor tells what is wrong with a file
                self._has_added = _questions(project.lessons) > _questions(paths.practice_lesson())
            self.changed.emit()

    def _note(self, step: str) -> None:
        self.step = step
        with contextlib.suppress(LabError):  # a full disk is told by the step's own work
            write_json(self._file, {"step": step})

    def _read(self) -> str:
        try:
            step = read_json(self._file, "step")["step"]
        except RunError:
            return ""
        has_project = any(project.is_practice for project in self._session.projects)
        return step if step in STEPS and has_project else ""


def _questions(lessons: Path) -> int:
    """How many have an answer; one that was only begun is not in the lesson yet."""
    from lab_desktop.taxonomy.qna import read_draft  # takes a moment to load
    from lab_desktop.taxonomy.tree import find_leaves

    examples = [example for folder in find_leaves(lessons) for example in read_draft(folder).seed_examples]
    return sum(bool(pair.question and pair.answer) for example in examples for pair in example.pairs)
