"""python -m tests.screenshots FOLDER [WORD…]: a picture of every page in every important state.

Each state is drawn light and dark, in a big and in the smallest window: `home-several-dark-960.png`; a small window
before it at its own size and at its smallest. With words, only the states whose names hold one of them. A state is a
line in `SHOTS`: its name, its page, and what is done first.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QFontDatabase, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QPlainTextEdit, QWidget

from lab_desktop import hardware, problems, projects
from lab_desktop.artifacts import Pair
from lab_desktop.documents.table import table_of
from lab_desktop.editing import lesson as changes
from lab_desktop.editing.lesson import Field, Lesson, Mark
from lab_desktop.files import write_json
from lab_desktop.jobs.errands import PublishRequest
from lab_desktop.jobs.events import Event, Failed, Pace, Progress, Row
from lab_desktop.models import store
from lab_desktop.models.account import Account
from lab_desktop.repository.program import failure
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_leaf, write_leaf
from lab_desktop.ui.chat_process import Done
from lab_desktop.ui.editor.file_view import FileView
from lab_desktop.ui.editor.lesson_editor import LessonEditor
from lab_desktop.ui.editor.pages_view import PagesView
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat_teach import TeachSheet
from lab_desktop.ui.pages.improve.check import CheckStation
from lab_desktop.ui.pages.improve.own_questions import OwnQuestions
from lab_desktop.ui.pages.improve.publish import PublishSheet
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.pages.library.import_many import ImportMany
from lab_desktop.ui.pages.library.page import LibraryPage
from lab_desktop.ui.pages.models.address_sheet import AddressSheet
from lab_desktop.ui.pages.models.page import ModelsPage
from lab_desktop.ui.session import STATION_STEPS, Session
from lab_desktop.ui.theme import Look
from lab_desktop.ui.tour import FILE_NAME as TOUR
from lab_desktop.versions import Newer
from tests.screenshots import contributed, sheets, states

SIZES = ((1440, 900), (960, 640))
_FONT = "Inter"
_NOTE = "compositional_skills/writing/errand_note"
_ALIKE = 14
"""Two colours look alike that differ by so much in all."""
_SMALLEST = 0
"""The quality at which a PNG, which loses nothing, is packed best."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Stage:
    """A person's folder, and the window on it once it is opened.

    Attributes:
        home: the folder.
        memory: of the computer: free, and in all.
        session, window: made when they are first asked for, so that what was written before is there when they look.
        front: what a person looks at: the window, or a small one before it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.memory = hardware.memory_now
        self._window: MainWindow | None = None
        self._session: Session | None = None
        self._before: QWidget | None = None

    @property
    def root(self) -> Path:
        return self.home / "projects"

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session(self.home, memory=self.memory)
        return self._session

    @property
    def window(self) -> MainWindow:
        if self._window is None:
            self._window = MainWindow(self.session)
            self._window.show()
            self._window.pages._idle.stop()  # pages that nobody asks for would be dressed and laid out with the others
        return self._window

    @property
    def front(self) -> QWidget:
        return self._before or self.window

    def bring(self, before: QWidget) -> None:
        """Put a small window before the big one."""
        before.show()
        self._before = before

    def close(self) -> None:
        if self._before is not None:
            self._before.close()
        if self._session is not None:
            self._session.jobs.stop_all(wait_ms=0)
            self._session.sharing.stop(patience_ms=0)
            if (worker := self._session.publishing.worker) is not None:
                worker.kill()
                worker.process.waitForFinished(1000)
            self._session.chat.close()
        if self._window is not None:
            self._window.hide()
            self._window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def control(self, kind: type[QWidget], name: str) -> QWidget:
        """The control that a screen reader calls so."""
        return next(each for each in self.window.findChildren(kind) if each.accessibleName() == name)

    def station(self, name: str) -> None:
        stations = self.control(QAbstractItemView, "Stations")
        assert isinstance(stations, QAbstractItemView)
        place = ("practice", "train", "check", "use").index(name)
        stations.setCurrentIndex(stations.model().index(place, 0))

    def work(self, station: str, heard: Iterable[Event] = (), pace: tuple[int, int] | None = None) -> None:
        """Let a job of the newest project run, with a child that is there and does nothing, and say these events.

        Args:
            pace: what was done a minute ago and what is done now.
        """
        project = self.session.project
        assert project is not None and project.run is not None
        jobs = self.session.jobs
        jobs.start(Job(project.run, STATION_STEPS[station], project.title))
        worker = jobs.worker
        assert worker is not None and worker.process.waitForStarted(5000)
        os.kill(worker.process.processId(), signal.SIGSTOP)
        for event in heard:
            worker._hear(event)
        if pace is not None:
            now = time.monotonic()
            worker.pace = Pace()
            worker.pace.update(pace[0], now - 60)
            worker.pace.update(pace[1], now)
        jobs.changed.emit()


@dataclass(frozen=True)
class Shot:
    """A picture: what it is called, the page it shows, and what is done before the window opens and after."""

    name: str
    page: str
    before: Callable[[Stage], object] = lambda stage: None
    after: Callable[[Stage], object] = lambda stage: None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--text", type=float, default=1.0, help="how much bigger the text is")
    parser.add_argument("--small", action="store_true", help="256 colours: a third of the bytes")
    asked = parser.parse_intermixed_args(arguments)
    wanted = [shot for shot in SHOTS if not asked.words or any(word in shot.name for word in asked.words)]
    asked.folder.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    if _FONT in QFontDatabase.families():  # what the system's font of a desktop looks like
        app.setFont(_FONT)
    look = Look(app)
    started, count = time.monotonic(), 0
    for shot in wanted:
        with staged(shot) as stage:
            look.set_text_size(asked.text)  # a window has the person's own
            front = stage.front
            sizes = [QSize(*size) for size in SIZES] if front is stage.window else [front.size(), front.minimumSize()]
            for theme in THEMES:
                look.choose(theme)
                for size in filter(None, sizes):  # what has no smallest size has one size
                    front.resize(size)
                    _settle(app)
                    _draw_pages(front)
                    picture = front.grab().toImage()
                    if asked.small:
                        picture = _with_few_colours(picture)
                    picture.save(str(asked.folder / f"{shot.name}-{theme}-{size.width()}.png"), quality=_SMALLEST)
                    count += 1
    print(f"{count} pictures in {asked.folder}, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


def _with_few_colours(picture: QImage) -> QImage:
    """The same in 256 colours, of two that look alike the more frequent one."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB32)
    counted = Counter(bytes(plain.constBits()).hex("-", 4).split("-"))
    table: list[int] = []
    parts: list[bytes] = []
    for colour, _ in counted.most_common():
        part = bytes.fromhex(colour)
        if all(sum(abs(one - other) for one, other in zip(part, known, strict=True)) > _ALIKE for known in parts):
            parts.append(part)
            table.append(int.from_bytes(part, sys.byteorder))
        if len(table) == 256:
            break
    flags = Qt.ImageConversionFlag.ThresholdDither | Qt.ImageConversionFlag.AvoidDither
    return plain.convertToFormat(QImage.Format.Format_Indexed8, table, flags)


@contextlib.contextmanager
def staged(shot: Shot) -> Iterator[Stage]:
    """The window in the state of a shot, with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_DESKTOP_HOME", folder)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # a picture knows nobody's keys
        stage = Stage(Path(folder))
        try:
            shot.before(stage)
            stage.window.show_page(shot.page)
            shot.after(stage)
            _wait_for_what_is_read(stage)
            yield stage
        finally:
            stage.close()


def _wait_for_what_is_read(stage: Stage) -> None:
    """Wait until what is read in threads has been read: the headers of models."""
    known, until = stage.session.known, time.monotonic() + 10
    while (known._reading or known._begins) and time.monotonic() < until:
        QTest.qWait(20)


def _settle(app: QApplication) -> None:
    for _ in range(3):
        app.sendPostedEvents()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()


def _draw_pages(front: QWidget) -> None:
    """Wait for the pages of an original that are in sight."""
    _until(lambda: all(view.is_drawn for view in front.findChildren(PagesView) if view.isVisible()))


def _fresh(stage: Stage) -> None:
    states.project(stage.root)


def _in_memory(before: Callable[[Stage], object], free_gb: float, total_gb: float, stage: Stage) -> None:
    """The same on a computer with so much memory."""
    before(stage)
    stage.memory = lambda: (int(free_gb * 1e9), int(total_gb * 1e9))


def _written(stage: Stage) -> None:
    states.write_practice(states.project(stage.root), is_done=True)


def _paused(stage: Stage) -> None:
    states.write_training(states.project(stage.root), 132)


def _trained(stage: Stage) -> None:
    states.write_training(states.project(stage.root))


def _checked(stage: Stage) -> None:
    states.write_report(states.project(stage.root))


def _forgot(stage: Stage) -> None:
    states.write_report(states.project(stage.root), forgot=20)


def _damaged(stage: Stage) -> None:
    run = states.write_report(states.project(stage.root))
    (run / "report.json").write_text("{", encoding="utf-8")


def _each_state(stage: Stage) -> None:
    """A project for each state, and a day of work."""
    states.project(stage.root, "Answering visitors’ letters", is_practice=False, created=1)
    states.write_practice(states.project(stage.root, "Osmery harbour rules", is_practice=False, created=2), 40)
    states.write_training(states.project(stage.root, "Our service manual", is_practice=False, created=3))
    states.write_report(states.project(stage.root, "Bread and its flours", is_practice=False, created=4), learned=0.1)
    run = states.write_report(states.project(stage.root, "Velmora", created=5))
    states.write_journal(stage.home / "activity.jsonl", states.jobs(run, "Velmora", 5, time.time() - 600)[:-1])


def _broken_off(stage: Stage) -> None:
    run = states.write_training(states.project(stage.root), 132)
    job = Job(run, ("train",), "Velmora", JobState.BROKEN, time.time() - 1800, 1500)
    states.write_journal(stage.home / "activity.jsonl", [*states.jobs(run, "Velmora", 2, time.time() - 3600), job])


def _journal(stage: Stage) -> None:
    run = states.write_report(states.project(stage.root))
    states.write_journal(stage.home / "activity.jsonl", states.jobs(run, "Velmora", 60))


def _writing(stage: Stage) -> None:
    stage.work("practice", [*_rows(), Progress("Writing practice questions", 86, 200)], (66, 86))


def _rows() -> Iterator[Event]:
    for sample in states.samples(86)[64:]:
        yield Row("samples", sample.to_json())


def _training(stage: Stage) -> None:
    stage.work("train", states.training_words(132), (90, 132))


def _queue(stage: Stage) -> None:
    _training(stage)
    others = stage.session.projects[1:]
    for project, station in zip(others, ("practice", "check"), strict=False):
        if project.run is not None:
            stage.session.jobs.start(Job(project.run, STATION_STEPS[station], project.title))


def _talk(stage: Stage) -> None:
    """Open the newest saved chat with the keyboard."""
    saved = stage.control(QAbstractItemView, "Saved chats")
    assert isinstance(saved, QAbstractItemView)
    saved.setCurrentIndex(saved.model().index(0, 0))
    QTest.keyClick(saved, Qt.Key.Key_Return)


def _two_chats(stage: Stage) -> None:
    _checked(stage)
    states.write_chat(stage.home / "chats", is_compare=True)
    states.write_chat(stage.home / "chats")


def _unread_chat(stage: Stage) -> None:
    _two_chats(stage)
    (stage.home / "chats" / "3fa0c1d2e4b5.json").write_bytes(b"\x00")


def _deleted_chat(stage: Stage) -> None:
    _talk(stage)
    saved = stage.control(QAbstractItemView, "Saved chats")
    QTest.keyClick(saved, Qt.Key.Key_Delete)


def _parted(stage: Stage) -> None:
    _checked(stage)
    states.write_parted_chat(stage.home / "chats")


def _own_style(stage: Stage) -> None:
    _talk(stage)
    chat = stage.window.pages.chat
    chat._styles.choose("own")
    chat._set_style("own")


def _damaged_project(stage: Stage) -> None:
    _each_state(stage)
    made = states.project(stage.root, "Our gardening notes", is_practice=False, created=9)
    (made.folder / "project.json").write_text("{", encoding="utf-8")


def _palette(words: str) -> Callable[[Stage], None]:
    def made(stage: Stage) -> None:
        stage.window.find_anything()
        palette = stage.window.palette_window
        QTest.keyClicks(palette.field, words)
        stage.bring(palette)

    return made


def _compared(stage: Stage) -> None:
    _checked(stage)
    states.write_chat(stage.home / "chats")
    states.write_chat(stage.home / "chats", is_compare=True)


def _model_dies(stage: Stage) -> None:
    """Ask, and end the process that was to answer."""
    question = stage.control(QPlainTextEdit, "Your question")
    QTest.keyClicks(question, "When was Velmora settled?")
    QTest.keyClick(question, Qt.Key.Key_Return)
    process = stage.session.chat._process
    assert process is not None and process.waitForStarted(5000)
    process.kill()
    process.waitForFinished(5000)


def _at(station: str) -> Callable[[Stage], None]:
    return lambda stage: stage.station(station)


def _welcome(stage: Stage, do: Callable[[Stage], None]) -> None:
    """The first page, without what `begin` would start."""
    stage.window._whole.setCurrentWidget(stage.window.welcome)
    do(stage)


def _measuring(stage: Stage, lines: int = 3) -> None:
    """The first lines of what the computer is, as they are found out; the speed test is not begun."""
    panel = stage.window.welcome.computer
    panel.measure()
    panel._timer.stop()
    panel._found[2] = ("Red Hat Enterprise Linux 9.4", *panel._found[2][1:])
    panel._lines[0].say("11th Gen Intel Core i7-1185G7", "8 cores", "check")
    for _ in range(lines - 1):
        panel._next()


def _measured(stage: Stage) -> None:
    """Everything is found out, and the speed test was answered by nobody in as long as it would take."""
    _measuring(stage, 4)
    panel = stage.window.welcome.computer
    panel._lines[4].say(*panel._found.pop())
    panel._asked = 1
    panel._tested(1, Done(tokens=64, seconds=0.6, used=80, left_out=0, was_stopped=False))


def _lessons(stage: Stage) -> None:
    """A project with a facts lesson and a skill lesson."""
    made = states.project(stage.root)
    states.copy_lesson(made, states.SKILL)


def _own_question(stage: Stage) -> None:
    page = stage.window.pages["lesson"]
    assert isinstance(page, LessonPage)
    page.editor.facts.add.click()
    _type(stage, QPlainTextEdit, "Question 4", "Who took the first families to Velmora?")
    _type(stage, QPlainTextEdit, "Answer to question 4", "Ysolda Karrow")


def _from_pdf(stage: Stage) -> None:
    states.bring_pdf(states.project(stage.root).lessons / states.LEAF)


def _beside(side: str) -> Callable[[Stage], None]:
    """The original of a lesson's text, with its pages drawn."""

    def made(stage: Stage) -> None:
        page = stage.window.pages["lesson"]
        assert isinstance(page, LessonPage)
        reading = page.editor.facts.reading
        reading.switch_to(side)
        _until(lambda: reading.original.pages.is_drawn and reading.places is not None)

    return made


def _editor(stage: Stage) -> LessonEditor:
    page = stage.window.pages["lesson"]
    assert isinstance(page, LessonPage)
    return page.editor


def _part(name: str) -> Callable[[Stage], None]:
    return lambda stage: _editor(stage).show_part(name)


def _cards(stage: Stage) -> None:
    """A suggestion, one that was accepted, and a question whose answer the passage does not say."""
    editor = _editor(stage)

    def with_them(lesson: Lesson) -> Lesson:
        first = lesson.examples[0]
        for pair in first.pairs[1:]:
            lesson = changes.remove_pair(lesson, pair.id)
        asked = Pair("Who took the first families to Velmora?", "Ysolda Karrow")
        lesson = changes.add_pairs(lesson, first.id, [asked], Mark.SUGGESTED)
        lesson = changes.accept(lesson, lesson.last_id)
        lesson = changes.add_pairs(lesson, first.id, [Pair("What is the price of the ferry?", "Nine groats")])
        named = Pair("From which harbour did they sail?", "Calder Reach")
        return changes.add_pairs(lesson, first.id, [named], Mark.SUGGESTED)

    editor.desk.do(with_them, "suggestion")
    assert editor.desk.lesson is not None
    QCoreApplication.processEvents()
    editor.go(Field("question", pair=editor.desk.lesson.last_id))


def _quizzed(stage: Stage) -> None:
    """A project whose model was asked the lesson's questions."""
    made = states.project(stage.root)
    states.write_quiz(next(made.lessons.rglob("velmora")))


def _known(stage: Stage) -> None:
    editor = _editor(stage)
    editor.facts._kept.by_id[next(iter(editor.facts._kept.by_id))].told.click()


def _skill(stage: Stage) -> None:
    states.project(stage.root, lesson=states.SKILL)


def _bare_skill(stage: Stage) -> None:
    """Two examples that are nearly the same, and one that is suggested."""
    editor = _editor(stage)

    def with_them(lesson: Lesson) -> Lesson:
        for example in lesson.examples[1:]:
            lesson = changes.remove_example(lesson, example.id)
        first = lesson.examples[0].pairs[0]
        lesson = changes.add_example(lesson, "", [Pair(f"{first.question} please", first.answer)])
        pair = Pair("A note: the weir is shut on Monday.", "Dear neighbours, the weir is shut on Monday.")
        return changes.add_example(lesson, "", [pair], Mark.SUGGESTED)

    editor.desk.do(with_them, "suggestion")


def _file_error(stage: Stage) -> None:
    editor = _editor(stage)
    assert editor.desk.folder is not None
    view = FileView(editor.desk.folder, lambda: None, stage.window)
    view.text.setPlainText(view.text.toPlainText().replace("created_by:", "author:", 1))
    view._check()
    stage.bring(view)


def _table(stage: Stage) -> None:
    editor = _editor(stage)
    lesson = editor.desk.lesson
    assert lesson is not None
    rows = [["No.", "Question", "Answer"]]
    rows += [
        [str(number), f"How many goats graze on hill {number}?", f"About {number * 40}."] for number in range(1, 9)
    ]
    rows += [["9", "Who counts them?", ""], ["10", lesson.examples[0].pairs[0].question, "In 1382."]]
    editor.tables._name = "Questions from the museum.xlsx"
    editor.tables._show(table_of(rows))
    assert editor.tables.sheet is not None
    stage.bring(editor.tables.sheet)


def _annotated(stage: Stage) -> None:
    made = states.project(stage.root)
    states.annotate(next(made.lessons.rglob("velmora")))


def _moving(stage: Stage) -> None:
    editor = _editor(stage)
    editor.show_part("place")
    editor.mover.begin()
    _until(lambda: editor.mover.sheet is not None)
    assert editor.mover.sheet is not None
    stage.bring(editor.mover.sheet)


def _fresh_library(stage: Stage) -> None:
    states.library(stage.home)
    _fresh(stage)


def _library(**how: Any) -> Callable[[Stage], object]:
    return lambda stage: states.library(stage.home, **how)


def _lost_history(stage: Stage) -> None:
    """What was done in the library was written into a file that is damaged now."""
    states.library(stage.home)
    library = Library(stage.home / "library")
    library.create_topic(Path("knowledge"), "Towers")
    (journal,) = library.root.glob("**/history.jsonl")
    journal.write_bytes(b"\x00" + journal.read_bytes())


def _opened(stage: Stage, path: str = "") -> LibraryPage:
    """The library page with everything read, and a lesson or topic in hand."""
    page = stage.window.pages.library
    _until(lambda: page.shelf.view.is_whole or page.shelf.view.own > 100)
    if path:
        page.tree.choose(path)
        _until(lambda: not page.middle.list.rows or page.middle.list.rows[0].badge is not None)
        _until(lambda: page.preview.is_shown(path))
    return page


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Let the window live until something is so.

    Raises:
        AssertionError: it never was.
    """
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        QCoreApplication.processEvents()
        time.sleep(0.005)


def _searching(stage: Stage) -> None:
    page = _opened(stage)
    QTest.keyClicks(page.toolbar.field, "light")
    _until(lambda: bool(page.middle.list.rows) and bool(page.middle.list.rows[0].snippet))
    page.middle.list.choose(page.middle.list.rows[0].key)
    _until(lambda: page.preview.is_shown(page.middle.list.rows[0].key))


def _changes(stage: Stage, path: str = "knowledge/geography/islands/velmora") -> None:
    """What is new or different, and of one lesson every difference."""
    page = _opened(stage)
    page.show_changes()
    _until(lambda: path in page.middle.list.rows.keys)
    page.middle.list.choose(path)
    _until(lambda: page.right.changes.is_shown(path) and not page.shelf._errands.is_busy)


def _much_changed(stage: Stage) -> None:
    """A lesson in which a person changed something of everything."""
    folder = states.library(stage.home, is_touched=True) / "knowledge" / "geography" / "islands" / "velmora"
    leaf = read_leaf(folder)
    first, second, *others = leaf.seed_examples
    asked = Pair("Who keeps the lighthouse at night?", "The harbour master's daughter.")
    first = dataclasses.replace(first, pairs=(*first.pairs[1:], asked))
    second = dataclasses.replace(second, context=f"{second.context} It has been so ever since.")
    write_leaf(dataclasses.replace(leaf, created_by="Ada", seed_examples=(first, second, *others[:-1])), folder)
    document = folder / "velmora.md"
    document.write_text(document.read_text("utf-8").replace("1382", "1383") + "\nA new pier was built.\n", "utf-8")
    (folder / "attribution.txt").write_text("Title of work: Velmora\nLink to work: my own\nCreator names: Ada\n")


def _importing(stage: Stage, name: str = "", count: int = 0) -> None:
    """What a folder of somebody else's lessons would bring; with a name a single lesson of it."""
    page = _opened(stage)
    page.import_file(states.tree(stage.home / "from_a_friend", count=count) / name)
    _until(lambda: any(sheet.isVisible() for sheet in page.findChildren(QDialog)))
    sheet = next(sheet for sheet in page.findChildren(QDialog) if sheet.isVisible())
    if isinstance(sheet, ImportMany):
        sheet.list.choose("compositional_skills/writing/shouting/qna.yaml")
    stage.bring(sheet)


def _copying(stage: Stage) -> None:
    """Another library is being copied."""
    page = _opened(stage)
    say, _ = page.shelf._begin("Copying the library")
    say("Fetching the lessons", 0.42)
    page.shelf._tick()
    page.shelf._ticks.stop()


def _unreachable(stage: Stage) -> None:
    page = _opened(stage)
    page.tell(failure("fatal: unable to access: Could not resolve host: github.com"))


def _bin(stage: Stage) -> None:
    page = _opened(stage)
    page.show_bin()
    _until(lambda: any(row.icon == "bin" for row in page.middle.list.rows))


def _belongs(stage: Stage) -> None:
    """Where a new lesson belongs, and a lesson that says nearly the same."""
    page = _opened(stage, "knowledge/history")
    page.begin_lesson()
    QTest.keyClicks(page.right.places.title, "Velmora")
    QTest.keyClicks(page.right.places.description, "An island in the sea, its history and its trade")
    _until(lambda: bool(page.right.places.alike.rows))


def _merging(stage: Stage) -> None:
    page = _opened(stage, "knowledge/geography/islands/velmora_2")
    page.steps.merge()
    _until(lambda: bool(page.right.pick.list.rows))


def _deleted(stage: Stage) -> None:
    page = _opened(stage, "knowledge/geography/islands/velmora")
    page.steps.delete()
    _until(lambda: page.shelf.view.undo is not None and page.shelf.view.is_whole)


def _models(stage: Stage) -> None:
    _checked(stage)
    states.write_models(stage.home)


def _looked(stage: Stage) -> ModelsPage:
    page = stage.window.pages["models"]
    assert isinstance(page, ModelsPage)
    _until(lambda: len(page.holdings.originals) > 1)
    return page


def _removed_model(stage: Stage) -> None:
    page = _looked(stage)
    page._removed(store.remove(page.holdings.originals[-1]))
    _until(lambda: len(page.holdings.originals) == 1)


def _address(stage: Stage, architecture: str = "") -> None:
    page = _looked(stage)
    page.open_address()
    sheet = page.findChild(AddressSheet)
    assert sheet is not None
    sheet.address.setText("https://huggingface.co/granite/Granite-3-GGUF")
    if architecture:
        sheet._show(states.offers(architecture))
    stage.bring(sheet)


def _run(stage: Stage) -> Path:
    project = stage.session.project
    assert project is not None and project.run is not None
    return project.run


def _sized(stage: Stage) -> None:
    states.write_sizes(states.write_report(states.project(stage.root)))


def _publishing(stage: Stage, *, is_signed_in: bool) -> None:
    """The sheet before anything goes out."""
    stage.station("use")
    run = _run(stage)
    sheet = PublishSheet(stage.window, stage.session, run, states.write_sizes(run), "Q4_K_M")
    _until(lambda: not sheet._errands.is_busy and sheet._card is not None)
    sheet._banner.hide()  # what the keyring of this computer says
    sheet._welcome(Account("ada") if is_signed_in else None)
    stage.bring(sheet)


def _sent(state: str, stage: Stage) -> None:
    """A model on its way to the hub, with a child that is there and does nothing."""
    stage.station("use")
    publishing, small = stage.session.publishing, states.write_sizes(_run(stage))["Small"]
    publishing.start(PublishRequest("ada/velmora", ((small, "velmora-Q4_K_M.gguf"),), ""))
    worker = publishing.worker
    assert worker is not None and worker.process.waitForStarted(5000)
    os.kill(worker.process.processId(), signal.SIGSTOP)
    worker._hear(Progress("Sending velmora-Q4_K_M.gguf", 62_000_000, 105_454_000))
    now = time.monotonic()
    worker.pace = Pace()
    worker.pace.update(2_000_000, now - 60)
    worker.pace.update(62_000_000, now)
    if state == "failed":
        worker._ending = Failed("The hub cannot be reached: there is no connection.", "Go on when you are online.", "")
        worker.kill()
        _until(lambda: not publishing.is_busy)
    publishing.changed.emit()


def _type(stage: Stage, kind: type[QWidget], name: str, text: str) -> None:
    QTest.keyClicks(stage.control(kind, name), text)


def _toured(step: str, before: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """The tour at a step, with the work of the steps before it done."""

    def made(stage: Stage) -> None:
        before(stage)
        write_json(stage.home / TOUR, {"step": step})

    return made


def _teaching(stage: Stage) -> None:
    """Press "Teach it this" at the last answer."""
    _talk(stage)
    chat = stage.window.pages.chat
    chat._act(len(chat._items.places) - 1, 0, "teach")
    sheet = chat.findChild(TeachSheet)
    assert sheet is not None
    QTest.keyClicks(sheet.answer, "It destroyed 212 houses.")
    stage.bring(sheet)


def _appearance(stage: Stage) -> None:
    _panel("settings")(stage)
    stage.window.panels.settings.show_group("Appearance")


def _elsewhere(stage: Stage) -> None:
    preferences = stage.session.preferences
    preferences.choose(replace(preferences.choices, server=states.SERVER))
    _panel("settings")(stage)
    stage.window.panels.settings.show_group("Teacher elsewhere")


def _accounts(stage: Stage) -> None:
    """Settings ▸ Sharing accounts, with somebody signed in."""
    _panel("settings")(stage)
    settings = stage.window.panels.settings
    settings.show_group("Sharing accounts")
    _until(lambda: not settings._accounts._errands.is_busy and settings._accounts._known is not None)


def _taught_elsewhere(stage: Stage) -> None:
    projects.choose_teacher(states.project(stage.root), states.SERVER)


def _panel(name: str) -> Callable[[Stage], None]:
    def made(stage: Stage) -> None:
        panels = stage.window.panels
        panels.show(*name.split(":", maxsplit=1))
        kind = name.partition(":")[0]
        stage.bring(getattr(panels, {"words": "help", "problem": "problems", "selftest": "check"}.get(kind, kind)))

    return made


def _selftest(state: str) -> Callable[[Stage], None]:
    """A self-test in the middle, at its end, or with something that failed."""

    def made(stage: Stage) -> None:
        _panel("selftest")(stage)
        stage.window.panels.check.show_course(states.selftest(state), state == "running")

    return made


def _newer(stage: Stage) -> None:
    """A newer version is there."""
    news = stage.session.news
    news._take(Newer("0.2.0", "https://lab.example/0.2.0", date(2026, 12, 1), "Lessons from spreadsheets, and Welsh."))
    _panel("about")(stage)


def _licences(words: str) -> Callable[[Stage], None]:
    def made(stage: Stage) -> None:
        _panel("licences")(stage)
        window = stage.window.panels.licences
        _until(lambda: window.names.count() > 0)
        window.search.setText(words)

    return made


def _crashed(stage: Stage) -> None:
    """It stopped unexpectedly last time."""
    stage.window.mishaps._tell_of_last_time([stage.home])


def _problem(stage: Stage) -> None:
    """A report of a mistake, made before."""
    problems.watch("window").note("page improve")
    try:
        [].index(0)
    except ValueError as error:
        problems.write("window", error)
    _panel("problems")(stage)
    window = stage.window.panels.problems
    _until(lambda: window.names.count() > 0)


def _sharing_one(stage: Stage) -> None:
    """One is on its way, with a child that is there and does nothing, and another one waits for it."""
    _sharing(stage)
    sharing = stage.session.sharing
    first, second = (each for each in sharing.held if each.contribution.title in ("The lighthouse", "Tides"))
    sharing.send(first.contribution)
    worker = sharing.errand.worker
    assert worker is not None and worker.process.waitForStarted(5000)
    os.kill(worker.process.processId(), signal.SIGSTOP)
    sharing.send(second.contribution)
    worker._hear(Progress("Sending The lighthouse", 3, 6, "sending the lesson"))
    stage.window.pages.share.redraw()


def _lessons_checked(stage: Stage) -> None:
    """The practice example and a lesson of the person's own, both checked."""
    _checked(stage)
    states.write_report(states.project(stage.root, "Errands", states.SKILL, is_practice=False, created=9))


def _sharing(stage: Stage, title: str = "") -> None:
    """What was contributed, read; with a title that one in detail."""
    sharing = stage.session.sharing
    sharing.refresh()
    _until(lambda: sharing.is_read)
    page = stage.window.pages.share
    page.redraw()
    if title:
        held = next(each for each in sharing.held if each.contribution.title == title)
        page.open(held.folder)
        _until(lambda: not page.detail._errands.is_busy and not sharing._errands.is_busy)


def _every_state_of_a_project(stage: Stage) -> None:
    _checked(stage)
    contributed.every_state(stage.home)


def _own_questions(stage: Stage) -> None:
    """The sheet over the report; its last question is not complete yet."""
    _at("check")(stage)
    station = stage.window.pages.improve.findChild(CheckStation)
    assert station is not None
    station.own.click()
    sheet = station.findChild(OwnQuestions)
    assert sheet is not None
    for card in sheet.cards[3:]:
        card.remove.click()
    sheet.add_question()
    sheet.cards[-1].asked.setPlainText("Who may ring the harbour bell?")
    stage.bring(sheet)


def _new_project(stage: Stage, name: str) -> None:
    stage.window.show_page("new")
    stage.window.pages.home.new.name.setText(name)


def _thrown_away(stage: Stage) -> None:
    """A contribution that was thrown away just now."""
    _sharing(stage)
    sharing = stage.session.sharing
    sharing.throw_away(sharing.held[-1].contribution)
    _until(lambda: bool(sharing.thrown))


def _home(write: Callable[[Path], object]) -> Callable[[Stage], object]:
    return lambda stage: write(stage.home)


def _before(make: Callable[[Session], QWidget]) -> Callable[[Stage], object]:
    """A sheet before the window."""
    return lambda stage: stage.bring(make(stage.session))


SHOTS = (
    Shot("welcome-measuring", "home", after=lambda stage: _welcome(stage, _measuring)),
    Shot("welcome-measured", "home", after=lambda stage: _welcome(stage, _measured)),
    Shot("home-empty", "home"),
    Shot("home-new", "home", _fresh),
    Shot("home-several", "home", _each_state),
    Shot("home-begins", "home", _each_state, functools.partial(_new_project, name="Letters to visitors")),
    Shot("home-begins-wrong", "home", _fresh, functools.partial(_new_project, name="velmora")),
    Shot("home-first-lesson", "home", lambda stage: projects.create(stage.root, "Our service manual", [])),
    Shot("lesson-first", "lesson", lambda stage: projects.create(stage.root, "Our service manual", [])),
    Shot("improve-first", "improve", lambda stage: projects.create(stage.root, "Our service manual", [])),
    Shot("home-several-busy", "home", _each_state, _training),
    Shot("home-broken-off", "home", _broken_off),
    Shot("home-damaged", "home", _damaged_project),
    Shot("lesson-none", "lesson"),
    Shot("lesson-facts", "lesson", _fresh),
    Shot("lesson-own", "lesson", _fresh, _own_question),
    Shot("lesson-both", "lesson", _from_pdf, _beside("both")),
    Shot("lesson-page", "lesson", _from_pdf, _beside("page")),
    Shot("lesson-place", "lesson", _fresh, _part("place")),
    Shot("lesson-source", "lesson", _fresh, _part("source")),
    Shot("lesson-cards", "lesson", _fresh, _cards),
    Shot("lesson-quiz-done", "lesson", _quizzed, _part("quiz")),
    Shot("lesson-known", "lesson", _quizzed, _known),
    Shot("lesson-table", "lesson", _fresh, _table),
    Shot("lesson-file-error", "lesson", _fresh, _file_error),
    Shot("lesson-unshown", "lesson", _annotated),
    Shot("lesson-moving", "lesson", _fresh_library, _moving),
    Shot("lesson-skill", "lesson", _lessons),
    Shot("lesson-skill-alike", "lesson", _skill, _bare_skill),
    Shot("library-first", "library", _library(is_empty=True), _opened),
    Shot(
        "library-lesson",
        "library",
        _library(is_touched=True),
        lambda stage: _opened(stage, "knowledge/geography/islands/velmora"),
    ),
    Shot(
        "library-draft",
        "library",
        _library(is_touched=True),
        lambda stage: _opened(stage, "knowledge/geography/islands/osmery_harbour_rules"),
    ),
    Shot(
        "library-problem",
        "library",
        _library(is_touched=True),
        lambda stage: _opened(stage, "knowledge/history/old_letters"),
    ),
    Shot("library-lost-history", "library", _lost_history, _opened),
    Shot("library-basics", "library", _library(), lambda stage: _opened(stage, "foundational_skills")),
    Shot("library-search", "library", _library(is_touched=True), _searching),
    Shot("library-changes", "library", _library(is_touched=True), _changes),
    Shot("library-changed", "library", _much_changed, _changes),
    Shot(
        "library-gone",
        "library",
        _library(is_touched=True),
        lambda stage: _changes(stage, "compositional_skills/writing/errand_note"),
    ),
    Shot(
        "library-shared",
        "library",
        lambda stage: states.given_away(stage.home),
        lambda stage: _opened(stage, "knowledge/geography/islands/velmora_3"),
    ),
    Shot(
        "library-import",
        "library",
        _library(),
        lambda stage: _importing(stage, "compositional_skills/writing/shouting/qna.yaml"),
    ),
    Shot("library-import-many", "library", _library(), _importing),
    Shot("library-copying", "library", _library(), _copying),
    Shot("library-offline", "library", _library(), _unreachable),
    Shot("library-bin", "library", _library(is_touched=True), _bin),
    Shot("library-deleted", "library", _library(), _deleted),
    Shot("library-belongs", "library", _library(is_touched=True), _belongs),
    Shot("library-merge", "library", _library(is_touched=True), _merging),
    Shot("library-thousand", "library", _library(count=1000), lambda stage: _opened(stage, "knowledge/many")),
    Shot("chat-empty", "chat", _fresh),
    Shot("chat-talk", "chat", _two_chats, _talk),
    Shot("chat-unread", "chat", _unread_chat, _talk),
    Shot("chat-bin", "chat", _two_chats, _deleted_chat),
    Shot("chat-parted", "chat", _parted, _own_style),
    Shot("chat-compare", "chat", _compared, _talk),
    Shot("chat-failed", "chat", _fresh, _model_dies),
    Shot("improve-none", "improve"),
    Shot("improve-practice", "improve", _fresh),
    Shot("improve-practice-elsewhere", "improve", _taught_elsewhere),
    Shot("improve-practice-busy", "improve", lambda stage: states.write_practice(states.project(stage.root)), _writing),
    Shot("improve-practice-reviewed", "improve", _written, _at("practice")),
    Shot("improve-train", "improve", _written),
    Shot("improve-train-tight", "improve", functools.partial(_in_memory, _written, 1.15, 8.6)),
    Shot("improve-train-too-big", "improve", functools.partial(_in_memory, _written, 0.3, 1.0)),
    Shot("improve-practice-tight", "improve", functools.partial(_in_memory, _fresh, 0.6, 8.6)),
    Shot("improve-check-too-big", "improve", functools.partial(_in_memory, _trained, 0.2, 0.4)),
    Shot("improve-train-busy", "improve", _paused, _training),
    Shot("improve-train-paused", "improve", _paused),
    Shot("improve-train-done", "improve", _trained, _at("train")),
    Shot("improve-check-none", "improve", _trained),
    Shot("improve-check-gain", "improve", _checked, _at("check")),
    Shot("improve-check-forgot", "improve", _forgot, _at("check")),
    Shot("own-questions", "improve", _checked, _own_questions),
    Shot("improve-check-damaged", "improve", _damaged, _at("check")),
    Shot("improve-use", "improve", _checked),
    Shot("publish-signed-out", "improve", _sized, functools.partial(_publishing, is_signed_in=False)),
    Shot("publish-form", "improve", _sized, functools.partial(_publishing, is_signed_in=True)),
    Shot("publish-sending", "improve", _sized, functools.partial(_sent, "sending")),
    Shot("publish-failed", "improve", _sized, functools.partial(_sent, "failed")),
    Shot("models", "models", _models, _looked),
    Shot("models-address", "models", _models, functools.partial(_address, architecture="llama")),
    Shot("models-address-refused", "models", _models, functools.partial(_address, architecture="mamba")),
    Shot("models-address-empty", "models", _models, _address),
    Shot("models-removed", "models", _models, _removed_model),
    Shot("contributions-none", "share", after=_sharing),
    Shot("contributions-offered", "share", _lessons_checked, _sharing),
    Shot("contributions", "share", lambda stage: contributed.every_state(stage.home), _sharing),
    Shot("contributions-bin", "share", _every_state_of_a_project, _thrown_away),
    Shot("contributions-sending", "share", lambda stage: contributed.every_state(stage.home), _sharing_one),
    Shot(
        "contribution-checks",
        "share",
        lambda stage: contributed.every_state(stage.home),
        functools.partial(_sharing, title="The island of Velmora"),
    ),
    Shot(
        "contribution-talk",
        "share",
        lambda stage: contributed.answered(stage.home),
        functools.partial(_sharing, title="The island of Velmora"),
    ),
    Shot(
        "contribution-clash",
        "share",
        lambda stage: contributed.every_state(stage.home),
        functools.partial(_sharing, title="Kings and queens"),
    ),
    Shot(
        "contribution-waiting",
        "share",
        lambda stage: contributed.every_state(stage.home),
        functools.partial(_sharing, title="Tides"),
    ),
    Shot(
        "contribution-accepted",
        "share",
        lambda stage: contributed.every_state(stage.home),
        functools.partial(_sharing, title="Osmery harbour office"),
    ),
    Shot("share-what", "share", _home(sheets.checked), _before(sheets.sheet)),
    Shot("share-obstacles", "share", _home(sheets.unfinished), _before(sheets.sheet)),
    Shot("share-rights", "share", _home(sheets.signed_in), _before(functools.partial(sheets.sheet, page="rights"))),
    Shot("share-findings", "share", _home(sheets.private), _before(functools.partial(sheets.sheet, page="rights"))),
    Shot("share-proof", "share", _home(sheets.signed_in), _before(functools.partial(sheets.sheet, page="proof"))),
    Shot("share-team", "share", _home(sheets.checked), _before(sheets.team)),
    Shot("share-ways-in", "share", _home(sheets.checked), _before(sheets.ways)),
    Shot("share-code", "share", _home(sheets.checked), _before(sheets.code)),
    Shot("share-sending", "share", _home(sheets.checked), _before(sheets.sending)),
    Shot("share-sent", "share", _home(sheets.checked), _before(functools.partial(sheets.ended, state="sent"))),
    Shot("share-trouble", "share", _home(sheets.checked), _before(functools.partial(sheets.ended, state="trouble"))),
    Shot("activity-empty", "activity"),
    Shot("activity-filled", "activity", _journal),
    Shot("activity-queue", "activity", _each_state, _queue),
    Shot("tour-meet", "meet", _toured("meet", _fresh)),
    Shot("tour-lesson", "lesson", _toured("lesson", _fresh)),
    Shot(
        "tour-practice",
        "improve",
        _toured("practice", lambda stage: states.write_practice(states.project(stage.root))),
        _writing,
    ),
    Shot("tour-train", "improve", _toured("train", _paused), _training),
    Shot("tour-check", "check", _toured("check", _checked)),
    Shot("tour-compare", "compare", _toured("compare", _checked)),
    Shot("tour-done", "home", _toured("done", _checked)),
    Shot("teach-sheet", "chat", _two_chats, _teaching),
    Shot("settings", "home", _checked, _panel("settings")),
    Shot("settings-appearance", "home", _checked, _appearance),
    Shot("settings-elsewhere", "home", _checked, _elsewhere),
    Shot("settings-accounts", "home", _home(sheets.signed_in), _accounts),
    Shot("help-article", "home", after=_panel("help")),
    Shot("help-words", "home", after=_panel("words:Practice questions")),
    Shot("about", "home", after=_panel("about")),
    Shot("about-newer", "home", after=_newer),
    Shot("licences", "home", after=_licences("")),
    Shot("licences-qt", "home", after=_licences("pyside")),
    Shot("licences-nothing", "home", after=_licences("gpl-2 zebra")),
    Shot("problem", "home", after=_problem),
    Shot("problem-none", "home", after=_panel("problems")),
    Shot("home-crashed", "home", _checked, _crashed),
    Shot("selftest", "home", after=_panel("selftest")),
    Shot("selftest-running", "home", after=_selftest("running")),
    Shot("selftest-passed", "home", after=_selftest("passed")),
    Shot("selftest-failed", "home", after=_selftest("failed")),
    Shot("palette", "home", _each_state, _palette("")),
    Shot("palette-found", "home", _each_state, _palette("pract")),
    Shot("palette-nothing", "home", _each_state, _palette("xylophone")),
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
