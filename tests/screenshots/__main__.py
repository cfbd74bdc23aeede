"""python -m tests.screenshots FOLDER [WORD…]: a picture of every page in every important state.

Each state is drawn light and dark, in a big and in the smallest window: `home-several-dark-960.png`; a small window
before it at its own size and at its smallest. With words, only the states whose names hold one of them. A state is a
line in `SHOTS`: its name, its page, and what is done first.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QFontDatabase, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QPlainTextEdit, QWidget

from lab_desktop.files import write_json
from lab_desktop.jobs.events import Event, Pace, Progress, Row
from lab_desktop.ui.chat_process import Done
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.chat_teach import TeachSheet
from lab_desktop.ui.pages.lesson import LessonPage
from lab_desktop.ui.pages.library.page import LibraryPage
from lab_desktop.ui.session import STATION_STEPS, Session
from lab_desktop.ui.theme import Look
from lab_desktop.ui.tour import FILE_NAME as TOUR
from tests.screenshots import states

SIZES = ((1440, 900), (960, 640))
_FONT = "Inter"
_ALIKE = 14
"""Two colours look alike that differ by so much in all."""
_SMALLEST = 0
"""The quality at which a PNG, which loses nothing, is packed best."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Stage:
    """A person's folder, and the window on it once it is opened.

    Attributes:
        home: the folder.
        session, window: made when they are first asked for, so that what was written before is there when they look.
        front: what a person looks at: the window, or a small one before it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._window: MainWindow | None = None
        self._session: Session | None = None
        self._before: QWidget | None = None

    @property
    def root(self) -> Path:
        return self.home / "projects"

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session(self.home)
        return self._session

    @property
    def window(self) -> MainWindow:
        if self._window is None:
            self._window = MainWindow(self.session)
            self._window.show()
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
        process = jobs._process
        assert process is not None and process.waitForStarted(5000)
        os.kill(process.processId(), signal.SIGSTOP)
        for event in heard:
            jobs._hear(event)
        if pace is not None:
            now = time.monotonic()
            jobs.pace = Pace()
            jobs.pace.update(pace[0], now - 60)
            jobs.pace.update(pace[1], now)
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
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            shot.before(stage)
            stage.window.show_page(shot.page)
            shot.after(stage)
            yield stage
        finally:
            stage.close()


def _settle(app: QApplication) -> None:
    for _ in range(3):
        app.sendPostedEvents()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()


def _fresh(stage: Stage) -> None:
    states.project(stage.root)


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


def _library(**how: Any) -> Callable[[Stage], object]:
    return lambda stage: states.library(stage.home, **how)


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


def _changes(stage: Stage) -> None:
    page = _opened(stage)
    page.show_changes()
    _until(lambda: any(row.badge and row.badge[0] == "New" for row in page.middle.list.rows))


def _bin(stage: Stage) -> None:
    page = _opened(stage)
    page.show_bin()
    _until(lambda: any(row.icon == "bin" for row in page.middle.list.rows))


def _belongs(stage: Stage) -> None:
    """Where a new lesson belongs, and a lesson that says nearly the same."""
    page = _opened(stage, "knowledge/history")
    page.begin_lesson()
    QTest.keyClicks(page.places.title, "Velmora")
    QTest.keyClicks(page.places.description, "An island in the sea, its history and its trade")
    _until(lambda: bool(page.places.alike.rows))


def _merging(stage: Stage) -> None:
    page = _opened(stage, "knowledge/geography/islands/velmora_2")
    page.merge()
    _until(lambda: bool(page.pick.list.rows))


def _deleted(stage: Stage) -> None:
    page = _opened(stage, "knowledge/geography/islands/velmora")
    page.delete()
    _until(lambda: page.shelf.view.undo is not None and page.shelf.view.is_whole)


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


def _panel(name: str) -> Callable[[Stage], None]:
    def made(stage: Stage) -> None:
        panels = stage.window.panels
        panels.show(*name.split(":", maxsplit=1))
        kind = name.partition(":")[0]
        stage.bring({"settings": panels.settings, "about": panels.about}.get(kind) or panels.help)

    return made


SHOTS = (
    Shot("welcome-measuring", "home", after=lambda stage: _welcome(stage, _measuring)),
    Shot("welcome-measured", "home", after=lambda stage: _welcome(stage, _measured)),
    Shot("home-empty", "home"),
    Shot("home-new", "home", _fresh),
    Shot("home-several", "home", _each_state),
    Shot("home-several-busy", "home", _each_state, _training),
    Shot("home-broken-off", "home", _broken_off),
    Shot("home-damaged", "home", _damaged_project),
    Shot("lesson-none", "lesson"),
    Shot("lesson-facts", "lesson", _fresh),
    Shot("lesson-own", "lesson", _fresh, _own_question),
    Shot("lesson-skill", "lesson", _lessons),
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
    Shot("library-basics", "library", _library(), lambda stage: _opened(stage, "foundational_skills")),
    Shot("library-search", "library", _library(is_touched=True), _searching),
    Shot("library-changes", "library", _library(is_touched=True), _changes),
    Shot("library-bin", "library", _library(is_touched=True), _bin),
    Shot("library-deleted", "library", _library(), _deleted),
    Shot("library-belongs", "library", _library(is_touched=True), _belongs),
    Shot("library-merge", "library", _library(is_touched=True), _merging),
    Shot("library-thousand", "library", _library(count=1000), lambda stage: _opened(stage, "knowledge/many")),
    Shot("chat-empty", "chat", _fresh),
    Shot("chat-talk", "chat", _two_chats, _talk),
    Shot("chat-parted", "chat", _parted, _own_style),
    Shot("chat-compare", "chat", _compared, _talk),
    Shot("chat-failed", "chat", _fresh, _model_dies),
    Shot("improve-none", "improve"),
    Shot("improve-practice", "improve", _fresh),
    Shot("improve-practice-busy", "improve", lambda stage: states.write_practice(states.project(stage.root)), _writing),
    Shot("improve-practice-reviewed", "improve", _written, _at("practice")),
    Shot("improve-train", "improve", _written),
    Shot("improve-train-busy", "improve", _paused, _training),
    Shot("improve-train-paused", "improve", _paused),
    Shot("improve-train-done", "improve", _trained, _at("train")),
    Shot("improve-check-none", "improve", _trained),
    Shot("improve-check-gain", "improve", _checked, _at("check")),
    Shot("improve-check-forgot", "improve", _forgot, _at("check")),
    Shot("improve-check-damaged", "improve", _damaged, _at("check")),
    Shot("improve-use", "improve", _checked),
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
    Shot("help-article", "home", after=_panel("help")),
    Shot("help-words", "home", after=_panel("words:Practice questions")),
    Shot("about", "home", after=_panel("about")),
    Shot("palette", "home", _each_state, _palette("")),
    Shot("palette-found", "home", _each_state, _palette("pract")),
    Shot("palette-nothing", "home", _each_state, _palette("xylophone")),
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
