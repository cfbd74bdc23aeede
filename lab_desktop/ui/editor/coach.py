"""What the models do for a lesson that is being written: suggest questions and examples, answer a quiz, try a row.

They work in the conversation's child process; what they suggest goes into the lesson as a suggestion, never as more.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from lab_desktop import artifacts
from lab_desktop.artifacts import Pair, QuizMark, SeedExample, Suggestion
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.lesson import DraftPair, Field, Lesson, Mark
from lab_desktop.editing.quiz import Known, read_marks, write_marks
from lab_desktop.errors import LabError
from lab_desktop.ui.chat_process import ChatProcess, Done, Finished
from lab_desktop.ui.editor.desk import Desk

_MOST_KEPT = 500
"""Marks: of wordings that are gone too, for undo brings them back."""


class Coach(QObject):
    """Attributes:
    quiz: what the model knew when it was asked, by the words of question and answer.
    """

    changed = Signal()
    """What is being done, or the quiz."""
    answered = Signal(int, str)
    """(example, text): what the model answers to a row that is tried, so far."""

    def __init__(self, desk: Desk, chat: ChatProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._chat = desk, chat
        self._doing: dict[int, tuple[str, int]] = {}
        """(what, which example) by the request's number."""
        self._asked: list[Pair] = []
        """The questions of the quiz that is under way, in order."""
        self._answered: set[Pair] = set()
        self._tried = ""
        self._refused: dict[int, list[Pair]] = {}
        self.quiz: dict[Pair, Known] = {}
        self.said: dict[int, str] = {}
        """What came of the last request for an example, by its id; 0 stands for the quiz."""
        chat.suggested.connect(self._suggested)
        chat.marked.connect(self._marked)
        chat.finished.connect(self._finished)
        chat.piece.connect(self._piece)
        chat.done.connect(self._done)
        chat.failed.connect(self._failed)
        chat.opening.connect(self._opening)

    def forget(self) -> None:
        """Another lesson is opened: stop everything."""
        for number in list(self._doing):
            self._chat.stop(number)
        self._doing, self._asked, self._refused, self.quiz, self.said = {}, [], {}, {}, {}
        self.changed.emit()

    def remember(self) -> None:
        """A lesson was opened: what the model knew of it when it was asked last."""
        if self._desk.folder is not None:
            self.quiz = read_marks(self._desk.folder)
            self.changed.emit()

    def is_busy(self, what: str = "", example: int = -1) -> bool:
        """True while this is being done; with nothing said, while anything is."""
        return any(
            (not what or doing == what) and (example < 0 or example == each) for doing, each in self._doing.values()
        )

    def stop(self) -> None:
        """Stop what is being done; what came of it stays."""
        for number in list(self._doing):
            self._chat.stop(number)

    def suggest(self, example: int) -> None:
        """Three questions for a passage."""
        lesson = self._desk.lesson
        if lesson is None or self.is_busy("suggest", example):
            return
        found = lesson.example(example)
        given = [Pair(pair.question, pair.answer) for pair in found.pairs if pair.question.strip()]
        given += self._refused.get(example, [])
        number = self._chat.suggest(found.context, lesson.title, given, seed=len(given))
        self._begin(number, "suggest", example)

    def suggest_like(self, example: int) -> None:
        """One more example like this one."""
        lesson = self._desk.lesson
        if lesson is None or self.is_busy("like", example):
            return
        whole = [each for each in lesson.examples if each.pairs and _is_whole(each.pairs[0])]
        place = next((place for place, each in enumerate(whole) if each.id == example), None)
        if place is None:
            return
        rows = [
            SeedExample(
                (Pair(each.pairs[0].question, each.pairs[0].answer),), each.context if lesson.is_grounded else None
            )
            for each in whole
        ]
        self._begin(
            self._chat.suggest_like(lesson.task_description, rows, place, seed=len(lesson.examples)), "like", example
        )

    def try_row(self, example: int) -> None:
        """Let the current model do this example."""
        lesson = self._desk.lesson
        if lesson is None or self.is_busy("try", example):
            return
        found = lesson.example(example)
        material = found.context if lesson.is_grounded else ""
        self._tried = ""
        self._begin(self._chat.try_row(found.pairs[0].question, material), "try", example)
        self.answered.emit(example, "")

    def ask_all(self) -> None:
        """The quiz: every question of the lesson, without its passages."""
        lesson = self._desk.lesson
        if lesson is None or self.is_busy("quiz"):
            return
        self._asked, self._answered = _whole(lesson), set()
        if self._asked:
            self._begin(self._chat.quiz(self._asked), "quiz", 0)

    def refuse(self, pair: int) -> None:
        """A suggestion is dismissed, and is not made again."""
        lesson = self._desk.lesson
        if lesson is None:
            return
        for example in lesson.examples:
            for each in example.pairs:
                if each.id == pair and each.mark is Mark.SUGGESTED:
                    self._refused.setdefault(example.id, []).append(Pair(each.question, each.answer))

    def known(self) -> tuple[int, int]:
        """How many questions of the lesson the model knew, and how many it was asked."""
        lesson = self._desk.lesson
        marks = [self.quiz[pair] for pair in _whole(lesson) if pair in self.quiz] if lesson is not None else []
        return sum(known.mark is artifacts.Mark.KNOWS for known in marks), len(marks)

    def progress(self) -> tuple[int, int]:
        """How many questions of the quiz that is under way were answered, and how many there are."""
        return len(self._answered), len(self._asked)

    def _begin(self, number: int, what: str, example: int) -> None:
        self._doing[number] = what, example
        self.said[example] = ""
        self.changed.emit()

    def _opening(self, number: int, name: str) -> None:
        if number in self._doing:
            self.said[self._doing[number][1]] = self.tr("Loading {0}…").format(name)
            self.changed.emit()

    def _suggested(self, number: int, suggestion: Suggestion) -> None:
        what, example = self._doing.get(number, ("", 0))
        lesson = self._desk.lesson
        if not what or lesson is None or all(each.id != example for each in lesson.examples):
            return
        pair = Pair(suggestion.question, suggestion.answer)

        def with_it(lesson: Lesson) -> Lesson:
            if what == "like":
                return changes.add_example(lesson, suggestion.context, [pair], Mark.SUGGESTED)
            blank = next((each.id for each in lesson.example(example).pairs if each.is_blank), None)
            if blank is not None:
                lesson = changes.remove_pair(lesson, blank)
            return changes.add_pairs(lesson, example, [pair], Mark.SUGGESTED, [suggestion.sentence])

        self._desk.do(with_it, self.tr("suggestion"), Field("pairs", example))

    def _marked(self, number: int, mark: QuizMark) -> None:
        if number not in self._doing or mark.number >= len(self._asked) or self._desk.folder is None:
            return
        pair = self._asked[mark.number]
        self.quiz.pop(pair, None)
        self.quiz[pair] = Known(mark.mark, mark.reply, mark.why)
        self._answered.add(pair)
        while len(self.quiz) > _MOST_KEPT:
            del self.quiz[next(iter(self.quiz))]
        try:
            write_marks(self._desk.folder, self.quiz)
        except LabError as error:
            self.said[0] = f"{error.message} {error.hint}"
        self.changed.emit()

    def _piece(self, number: int, text: str) -> None:
        if number in self._doing:
            self._tried += text
            self.answered.emit(self._doing[number][1], self._tried)

    def _done(self, number: int, done: Done) -> None:
        if self._doing.pop(number, None) is not None:
            self.changed.emit()

    def _finished(self, number: int, finished: Finished) -> None:
        what, example = self._doing.pop(number, ("", 0))
        if what == "suggest" and not finished.counts.get("found") and not finished.was_stopped:
            self.said[example] = self.tr("The teacher found no question that holds. A longer passage helps.")
        if what:
            self.changed.emit()

    def _failed(self, number: int, text: str, hint: str, details: str) -> None:
        what, example = self._doing.pop(number, ("", 0))
        if what == "try":
            self.answered.emit(example, f"{text} {hint}")
        elif what:
            self.said[example] = f"{text} {hint}"
        if what:
            self.changed.emit()


def _whole(lesson: Lesson) -> list[Pair]:
    """The questions that stand in the lesson with their answers."""
    pairs = (pair for example in lesson.examples for pair in example.pairs)
    return list(dict.fromkeys(Pair(pair.question, pair.answer) for pair in pairs if _is_whole(pair)))


def _is_whole(pair: DraftPair) -> bool:
    return pair.is_written and bool(pair.question.strip()) and bool(pair.answer.strip())
