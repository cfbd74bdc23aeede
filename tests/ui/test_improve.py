"""The four stations of Improve, on runs as the workflow writes them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QListView, QMessageBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects
from lab_desktop.corrections import read_corrections
from lab_desktop.evaluation import measured
from lab_desktop.files import JsonLines, stamp
from lab_desktop.jobs import events, requests
from lab_desktop.jobs.events import Metric, Progress
from lab_desktop.models import choosing
from lab_desktop.needs import Room, chosen_level
from lab_desktop.ui.jobs import Job, JobState
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.improve.check import CheckStation
from lab_desktop.ui.pages.improve.page import ImprovePage
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.pages.improve.train import TrainStation
from lab_desktop.ui.pages.improve.use import UseStation
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import Look
from lab_desktop.ui.widgets.basic import Button
from lab_desktop.ui.worker_process import WorkerProcess
from tests.fakes import tiny_model
from tests.test_corrections import report
from tests.ui.test_home import stopped_child
from tests.ui.test_review import sample

Station = TypeVar("Station", PracticeStation, TrainStation, CheckStation, UseStation)

PHASES = {
    "phases": [
        {"name": "knowledge_short", "first_step": 0, "steps": 80, "epoch_steps": 20},
        {"name": "knowledge_long", "first_step": 80, "steps": 20, "epoch_steps": 10},
    ]
}
SCORES = {0: 0.2, 60: 0.9, 80: 0.8, 90: 0.5, 100: 0.6}
"""The first phase looks better than the last, which alone has seen every lesson."""


def note(path: Path, rows: Iterable[Any]) -> None:
    """Add rows to a file of the run."""
    book = JsonLines(path)
    book.extend(rows)
    book.close()


@pytest.fixture
def run(session: Session) -> Path:
    """The practice project with six rows, of which the checks kept five."""
    folder = projects.new_run(session.new_practice(), paths.practice_model())
    rows = [sample(number, accepted=number != 3) for number in range(6)]
    note(folder / "samples.jsonl", [row.to_json() for row in rows])
    session.refresh()
    return folder


def dealt(run: Path) -> None:
    (run / "dataset").mkdir()
    (run / "dataset" / "manifest.json").write_text('{"held_out": 10}', encoding="utf-8")


def trained(run: Path, steps: int) -> None:
    """A training that took so many of its 100 steps."""
    (run / "phases.json").write_text(json.dumps(PHASES), encoding="utf-8")
    said: list[events.Event] = []
    for step in range(steps + 1):
        said += [Metric("loss", 4 - step / 30, step)] if step else []
        if step in SCORES:
            said += [Metric("held_out_loss", 2.0, step), Metric("held_out_accuracy", SCORES[step], step)]
    note(run / "events.jsonl", [events.to_json(event) for event in said])
    if steps == 100:
        (run / "adapter").mkdir()
        (run / "adapter" / "adapter.json").write_text('{"best_step": 100, "last_step": 100}', encoding="utf-8")


def checked(run: Path, learned: int = 4, missed: int = 6) -> None:
    dealt(run)
    trained(run, 100)
    (run / "report.json").write_text(json.dumps(report(learned, missed)), encoding="utf-8")


def station(window: MainWindow, session: Session, kind: type[Station]) -> Station:
    """A station as it is shown."""
    session.refresh()
    window.show_page("improve")
    page = window.pages["improve"]
    assert isinstance(page, ImprovePage)
    found = next(each for each in page._stations if isinstance(each, kind))
    page.show_station(("practice", "train", "check", "use")[page._stations.index(found)])
    QApplication.processEvents()  # what comes into a page while it is shown is in sight with the next events
    return found


def seen(widget: QWidget) -> str:
    """Every word in it that is shown now."""
    parts = [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]
    return " | ".join([*parts, *(each.text() for each in widget.findChildren(Button) if each.isVisible())])


def button(widget: QWidget, text: str) -> Button:
    return next(each for each in widget.findChildren(Button) if each.isVisible() and each.text() == text)


def test_in_a_narrow_window_the_stations_are_letters_and_every_filter_is_whole(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    window.resize(960, 640)
    page = window.pages["improve"]
    stations = next(each for each in page.findChildren(QListView) if each.accessibleName() == "Stations")
    qtbot.waitUntil(lambda: not stations.isVisible(), timeout=2000)

    for each in practice._filters.findChildren(QToolButton):
        assert each.width() >= each.fontMetrics().horizontalAdvance(each.text()) + 20
    letters = [each for each in practice.heading.discs.findChildren(QToolButton) if each.isVisible()]
    assert [each.accessibleName().split(",")[0] for each in letters] == [
        "Practice questions",
        "Train",
        "Check",
        "Use it",
    ]
    qtbot.keyClick(letters[1], Qt.Key.Key_Space)
    assert page.findChildren(TrainStation)[0].isVisible()

    window.resize(1440, 900)
    qtbot.waitUntil(stations.isVisible, timeout=2000)


def test_in_a_narrow_window_the_detail_comes_with_the_row_and_goes_with_escape(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    window.resize(960, 640)
    qtbot.waitUntil(lambda: not practice._detail.isVisible(), timeout=2000)

    practice.table.selectRow(1)
    assert practice._detail.isVisible()
    assert "Question 1?" in seen(practice._detail)
    right = practice.mapFromGlobal(practice._detail.mapToGlobal(practice._detail.rect().topRight())).x()
    assert right <= practice.width()

    qtbot.keyClick(practice.table, Qt.Key.Key_Escape)
    assert not practice._detail.isVisible()


def test_what_the_person_drops_is_not_counted_as_kept_anywhere(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    dealt(run)
    practice.table.selectRow(0)
    qtbot.keyClick(practice.table, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: session.state.kept == 4, timeout=2000)

    page = window.pages["improve"]
    assert isinstance(page, ImprovePage)
    assert "4 kept" in page._lines("")[0].words
    assert "on 4 questions" in page.next_step()[0]
    window.show_page("home")
    qtbot.waitUntil(lambda: "4 | of 6 practice questions kept" in seen(window.pages["home"]), timeout=3000)


def test_a_question_that_is_being_fixed_stays_while_the_window_folds_and_must_be_whole(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    practice.table.selectRow(0)
    qtbot.keyClick(practice.table, Qt.Key.Key_F)
    detail = practice._detail
    detail._edit_answer.setText("42 and more")

    window.resize(960, 640)
    qtbot.waitUntil(lambda: practice._is_narrow, timeout=2000)
    assert detail._edit_answer.isVisible()
    assert detail._edit_answer.text() == "42 and more"

    detail._edit_answer.clear()
    qtbot.keyClick(button(detail, "Save"), Qt.Key.Key_Space)
    assert "A question needs its answer" in seen(detail)
    assert practice.model.rows[0].review is None
    detail._edit_answer.setText("42 and more")
    qtbot.keyClick(button(detail, "Save"), Qt.Key.Key_Space)
    assert practice.model.rows[0].answer == "42 and more"


def test_escape_leaves_a_question_as_it_was_and_gives_the_keys_back(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    practice.table.selectRow(0)
    qtbot.keyClick(practice.table, Qt.Key.Key_F)
    detail = practice._detail
    detail._edit_question.setPlainText("Something else?")

    qtbot.keyClick(detail._edit_question, Qt.Key.Key_Escape)

    assert not detail._edit_question.isVisible()
    assert practice.model.rows[0].question == "Question 0?"
    assert practice.table.hasFocus()


def test_the_telling_sentence_takes_the_colour_of_the_look(
    run: Path, window: MainWindow, session: Session, shown: Look, qtbot: QtBot
) -> None:
    passage = "Velmora is an island. Its capital is Ostrel."
    told = replace(sample(6), context=passage, answer="Ostrel")
    with (run / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(told.to_json()) + "\n")
    session.refresh()
    practice = station(window, session, PracticeStation)
    practice.table.selectRow(practice.table.filtered.rowCount() - 1)

    def colour() -> str:
        cursor = practice._detail._source.textCursor()
        cursor.setPosition(passage.index("Ostrel") + 1)
        return cursor.charFormat().background().color().name()

    light = shown.theme.mark2.lower()
    assert colour() == light
    shown.choose("dark")

    qtbot.waitUntil(lambda: colour() == shown.theme.mark2.lower() != light, timeout=5000)


def test_another_project_shows_nothing_of_the_one_before(run: Path, window: MainWindow, session: Session) -> None:
    checked(run)
    practice = station(window, session, PracticeStation)
    practice.table.selectRow(0)
    check = station(window, session, CheckStation)
    assert "Small gain" in seen(check)

    session.open(projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"]))

    check = station(window, session, CheckStation)
    assert "Small gain" not in seen(check)
    assert "Save report…" not in seen(check)
    practice = station(window, session, PracticeStation)
    practice._detail._decide("keep")  # as its button does, which is out of sight
    assert "Question 0?" not in seen(practice)
    assert practice.model.rows == []


def test_all_strong_rows_are_accepted_in_one_go_and_taken_back_in_one(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    practice = station(window, session, PracticeStation)
    button(practice, "Accept all Strong (5)").click()
    assert len(JsonLines(run / "reviews.jsonl").rows()) == 5
    assert practice.model.tally["open"] == 0

    practice.table.setFocus()
    qtbot.keyClick(practice.table, Qt.Key.Key_Z)

    assert practice.model.tally["open"] == 5
    assert {row["verdict"] for row in JsonLines(run / "reviews.jsonl").rows()[5:]} == {"undone"}


def test_twenty_thousand_rows_come_in_slices_and_a_decision_counts_none_of_them(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    (run / "samples.jsonl").unlink()
    note(run / "samples.jsonl", [sample(number).to_json() for number in range(20_000)])
    practice = station(window, session, PracticeStation)
    practice._folder = None
    session.refresh()
    assert 0 < len(practice.model.rows) < 20_000
    qtbot.waitUntil(lambda: len(practice.model.rows) == 20_000, timeout=30_000)
    assert practice.model.tally["all"] == 20_000

    practice.table.selectRow(0)
    began = time.thread_time()
    for _ in range(10):
        qtbot.keyClick(practice.table, Qt.Key.Key_D)
    assert (time.thread_time() - began) / 10 < 0.2
    assert practice.model.tally["dropped"] == 10


def test_a_paused_training_says_how_far_it_is_when_the_window_is_opened_again(
    run: Path, window: MainWindow, session: Session
) -> None:
    dealt(run)
    trained(run, 37)
    train = station(window, session, TrainStation)

    assert "Paused at 37% | round 2 of 6 | everything is saved" in seen(train)
    assert button(train, "Go on training").isVisible()


def test_how_long_it_practises_is_chosen_with_its_time_and_remembered(
    run: Path, window: MainWindow, session: Session
) -> None:
    dealt(run)
    train = station(window, session, TrainStation)
    efforts = {each.text(): each for each in train._efforts.findChildren(QToolButton)}
    assert list(efforts) == ["Quick · 2–4 min", "Standard · 4–9 min", "Thorough · 8–18 min"]
    assert "Twice as many rounds" in efforts["Thorough · 8–18 min"].toolTip()

    efforts["Thorough · 8–18 min"].click()

    assert session.project is not None and session.project.effort == "thorough"
    assert requests.read(run).effort == "thorough"
    assert "about 8–18 minutes" in train.heading.plan
    assert [each.text() for each in efforts.values()] == [
        "Quick · 2–4 min",
        "Standard · 4–9 min",
        "Thorough · 8–18 min",
    ]


def test_a_finished_training_can_be_done_longer_and_a_paused_one_goes_on_as_it_began(
    run: Path, window: MainWindow, session: Session
) -> None:
    dealt(run)
    trained(run, 37)
    train = station(window, session, TrainStation)
    assert not train._effort_line.isVisible()

    trained(run, 100)
    session.refresh()
    assert train._effort_line.isVisible() and not train._start.isVisible()
    train._choose_effort("thorough")
    assert button(train, "Train again").isVisible()

    train._choose_effort("standard")
    assert not train._start.isVisible()


def test_only_the_last_phase_has_a_best_save_point(run: Path, window: MainWindow, session: Session) -> None:
    dealt(run)
    trained(run, 80)
    train = station(window, session, TrainStation)
    assert train._kept() == 0
    assert "Round 3" in seen(train)

    later = (Metric("loss", 1.0, 90), Metric("held_out_accuracy", 0.5, 90))
    note(run / "events.jsonl", [events.to_json(event) for event in later])
    train._folder = None
    session.refresh()

    assert train._kept() == 90


def test_a_training_that_broke_off_is_told_on_its_station(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    dealt(run)
    trained(run, 37)
    saved = run / "checkpoint" / "step-20.safetensors"
    saved.parent.mkdir()
    saved.touch()
    broken = Job(run, ("train",), "Velmora", JobState.BROKEN, time.time() - 60, 50.0, details="Killed")
    note(session.journal, [broken.to_json()])
    train = station(window, session, TrainStation)

    at = time.strftime("%H:%M", time.localtime(saved.stat().st_mtime))
    said = "Training stopped unexpectedly at round 2. Your work up to {} is safe."
    assert train.trouble.banner.accessibleName() == said.format(at)
    button(train, "Copy report").click()
    assert "Killed" in QGuiApplication.clipboard().text()
    assert str(Path.home()) not in QGuiApplication.clipboard().text()
    button(train, "Continue").click()
    assert session.jobs.current is not None
    assert session.jobs.current.steps == ("train",)
    assert not train.trouble.isVisible()


def test_a_long_silence_is_said(run: Path, window: MainWindow, session: Session) -> None:
    practice = station(window, session, PracticeStation)
    session.jobs.current = Job(run, ("generate",), "Velmora", JobState.RUNNING)
    session.jobs.worker = WorkerProcess(run, ("generate",), session.jobs)
    session.jobs.worker.progress = Progress("Writing practice questions", 86, 200)
    session.jobs.worker.last_word = time.monotonic() - 30
    session.jobs.changed.emit()
    practice.beat()
    said = seen(practice)
    session.jobs.current = None  # else closing the window would ask

    assert "still thinking about question 87" in said


def test_a_station_says_what_it_will_take_before_it_starts(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    session.memory = lambda: (8 * 10**9, 16 * 10**9)
    session.new_practice()
    practice = station(window, session, PracticeStation)
    assert practice.heading.plan.startswith("About 4")
    assert practice.heading.plan.endswith("questions · about 3–8 minutes")
    qtbot.waitUntil(lambda: "of memory, leaves" in seen(practice) and "Comfortable" in seen(practice), timeout=10_000)


def test_times_come_from_earlier_runs_with_the_same_model(run: Path, window: MainWindow, session: Session) -> None:
    checked(run)
    (run / "timings.json").write_text('{"generate": 50, "train": 600, "export": 1, "evaluate": 9}', encoding="utf-8")
    assert session.project is not None
    again = projects.new_run(session.project, paths.practice_model())
    note(again / "samples.jsonl", [sample(number).to_json() for number in range(10)])
    dealt(again)
    train = station(window, session, TrainStation)

    # Ten minutes for five questions: twenty for ten, and a range about that, while nobody knows the steps.
    assert "about 14–30 minutes" in train.heading.plan


def test_the_time_of_a_training_comes_from_its_own_steps_too(run: Path, window: MainWindow, session: Session) -> None:
    dealt(run)
    trained(run, 20)
    (run / "timings.json").write_text('{"generate": 50, "train": 240}', encoding="utf-8")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "step-20.safetensors").touch()
    train = station(window, session, TrainStation)

    # Four minutes for twenty steps: sixteen for the eighty that are left.
    assert "about 13–20 minutes" in train.heading.plan


def test_what_a_check_will_take_has_its_units_written_right(run: Path, window: MainWindow, session: Session) -> None:
    dealt(run)
    trained(run, 100)

    words = station(window, session, CheckStation).heading.plan

    assert words == "About 1–3 minutes"


def test_a_training_that_has_no_room_offers_the_lighter_setting_and_takes_it_back(
    run: Path, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    dealt(run)
    assert session.project is not None
    model = tiny_model(tmp_path / "small.gguf")
    projects.save(replace(session.project, model=str(model)))
    train = station(window, session, TrainStation)
    found = train._plan()
    assert found is not None
    assert found.room is not None
    assert not train._advice.isVisible()
    usual = found.room.needed

    session.memory = lambda: (usual - 1, 2 * usual)
    session.refresh()
    QApplication.processEvents()
    assert "Tight" in seen(train)
    button(train, "Use the lighter setting").click()

    assert chosen_level(run) == 1
    assert "It fits just so" in train._advice.banner.accessibleName()
    session.memory = lambda: (16 * 10**9, 16 * 10**9)
    session.refresh()
    assert "The lighter setting is chosen: in smaller portions." in train._advice.banner.accessibleName()
    button(train, "Use the usual setting").click()
    assert chosen_level(run) == 0
    assert not train._advice.isVisible()


def test_what_is_too_big_names_a_model_that_fits(
    run: Path, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    dealt(run)
    assert session.project is not None
    projects.save(replace(session.project, model=str(tiny_model(tmp_path / "huge.gguf"))))
    train = station(window, session, TrainStation)
    found = train._plan()
    assert found is not None
    assert found.room is not None
    has = found.room.needed // 2
    session.memory = lambda: (has, has)
    session.refresh()
    QApplication.processEvents()

    said = train._advice.banner.accessibleName()
    assert "Too big" in seen(train)
    assert "too big here" in said
    assert "No smaller one is offered that fits" in said
    button(train, "Look at the models").click()
    assert window.pages["models"].isVisible()


def test_the_model_that_is_named_instead_is_offered_and_fits(run: Path, window: MainWindow, session: Session) -> None:
    advice = station(window, session, TrainStation)._advice
    memory = 16 * 10**9

    found = choosing.best("student", memory, None)
    assert not found.is_practice
    assert advice._smaller(Room(20 * 10**9, 8 * 10**9, memory)).startswith(f"{found.title} fits, and can be had (")

    projects.save(replace(session.project, model=f"/models/{found.file}"))  # type: ignore[type-var]
    session.refresh()
    assert "No smaller one" in advice._smaller(Room(20 * 10**9, 8 * 10**9, memory))


def test_another_project_is_promised_no_time_that_nobody_measured(
    window: MainWindow, session: Session, own_home: Path
) -> None:
    project = projects.create(session.root, "Mine", [paths.resources() / "practice" / "velmora"])
    session.open(project)

    assert "the first minute will tell" in station(window, session, PracticeStation).heading.plan


def test_a_run_that_cannot_be_made_is_told_and_leaves_nothing(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    project = session.new_practice()
    (project.folder / "runs").write_text("in the way", encoding="utf-8")
    window.show_page("improve")

    window.next_line.button.click()

    box = next(each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox) and each.isVisible())
    assert "could not be written" in box.text()
    assert not session.jobs.is_busy
    assert project.runs == []
    box.close()


def test_a_tour_that_cannot_be_made_is_told_and_leaves_nothing(window: MainWindow, session: Session) -> None:
    session.root.parent.mkdir(exist_ok=True)
    session.root.write_text("in the way", encoding="utf-8")

    window.next_line.button.click()

    box = next(each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox) and each.isVisible())
    assert "could not be written" in box.text()
    assert session.project is None
    box.close()


def test_a_question_opens_with_return_and_counts_as_the_person_says(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    checked(run)
    check = station(window, session, CheckStation)
    assert "Small gain" in seen(check)
    view = check.view
    view.setCurrentIndex(check.model.index(check.model.place("missed 0"), 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert "new missed 0" in seen(check)
    assert "old missed 0" in seen(check)
    assert "Expected | missed 0" in seen(check)

    ours = next(
        each
        for each in check.findChildren(Button)
        if each.isVisible() and each.accessibleName() == "Count as right: your model's answer"
    )
    qtbot.keyClick(ours, Qt.Key.Key_Return)

    assert "Clear gain" in seen(check)
    assert "Your topic | 0 | → | 5 | of 10 right" in seen(check)
    assert "Counted by you" in seen(check)
    assert [each.verdict for each in read_corrections(run).values()] == ["right"]
    again = CheckStation(session)
    qtbot.addWidget(again)
    again.refresh()
    assert "now: right" not in again.model.data(again.model.index(0, 0))  # type: ignore[operator]
    assert again._report["verdict"]["name"] == "clear gain"
    qtbot.waitUntil(lambda: "0 | → | 5" in seen_when_shown(window), timeout=3000)

    window.show_page("improve")
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Z)
    assert "Small gain" in seen(check)
    assert read_corrections(run) == {}


def seen_when_shown(window: MainWindow) -> str:
    window.show_page("home")
    return seen(window.pages["home"])


def test_a_report_of_a_thousand_questions_opens_at_once_and_speaks_each_line(
    run: Path, window: MainWindow, session: Session
) -> None:
    checked(run, 500, 500)
    session.refresh()
    began = time.thread_time()
    check = station(window, session, CheckStation)
    QApplication.processEvents()
    assert time.thread_time() - began < 1.5

    assert len(check.findChildren(QLabel)) < 60
    line = check.model.index(check.model.place("missed 499"), 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert line == (
        "1000. What is missed 499? Before, the original: wrong, old missed 499 Now, your model: wrong, new missed 499"
    )


def test_votes_are_the_third_number(run: Path, window: MainWindow, session: Session) -> None:
    checked(run)
    votes = [{"choice": "new" if number < 6 else "same", "question": str(number)} for number in range(8)]
    note(run / "votes.jsonl", [{"choice": "original", "question": "0"}, *votes])

    assert "Answers you preferred | 6 | of 8 votes" in seen(station(window, session, CheckStation))


def test_the_keyboard_stays_at_its_size_when_the_window_looks_again(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    checked(run)
    use = station(window, session, UseStation)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    names = {each.accessibleName(): each for each in use.findChildren(Button) if each.isVisible()}
    names["Make it: Small"].setFocus()

    session.refresh()
    assert names["Make it: Small"].hasFocus()
    (run / "models").mkdir()
    (run / "models" / "velmora-Q4_K_M.gguf").write_bytes(b"GGUF")
    session.refresh()

    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Take it along: Small"


def test_a_report_is_saved_as_a_page_or_says_why_not(
    run: Path, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    checked(run)
    note(run / "votes.jsonl", [{"choice": "new", "question": "x"}])
    check = station(window, session, CheckStation)

    check.save(tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| What is learned 0? | old learned 0 (wrong) | new learned 0 (right) |" in text
    assert "1 of 1 votes" in text

    (tmp_path / "file").write_text("", encoding="utf-8")
    check.save(tmp_path / "file" / "report.md")
    assert "could not be written" in check._told.banner.accessibleName()


def test_a_damaged_report_is_told_and_can_be_made_again(run: Path, window: MainWindow, session: Session) -> None:
    checked(run)
    (run / "report.json").write_text("{", encoding="utf-8")
    check = station(window, session, CheckStation)

    assert "cannot be read" in check._told.banner.accessibleName()
    assert button(check, "Check again").isVisible()


def test_a_smaller_size_is_made_and_a_failure_is_told_where_it_was_asked_for(
    run: Path, window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    checked(run)
    (run / "models").mkdir()
    (run / "models" / "sizes.json").write_text('{"Q4_K_M": 105000000}', encoding="utf-8")
    use = station(window, session, UseStation)
    assert "Small | (Q4_K_M)" in seen(use)
    assert "about 105 MB" in seen(use)

    small = next(each for each in use.findChildren(Button) if each.accessibleName() == "Make it: Small")
    with qtbot.waitSignal(session.jobs.ended, timeout=60_000) as ended:
        small.click()
        assert use._running.isVisible()

    assert ended.args[0].steps == ("export:Q4_K_M", "measure:Q4_K_M")
    assert ended.args[0].state is JobState.FAILED
    assert "adapter.json" in ended.args[0].text  # this run's adapter has no weights
    assert use.trouble.isVisible()
    assert use.trouble.banner.button.text() == "Try again"


def test_a_size_says_what_it_knows_and_how_fast_it_is(run: Path, window: MainWindow, session: Session) -> None:
    checked(run)
    models = run / "models"
    models.mkdir()
    for kind in ("Q8_0", "Q4_K_M"):
        (models / f"velmora-{kind}.gguf").write_bytes(b"GGUF" * 1000)
    file = stamp(models / "velmora-Q8_0.gguf")
    measured.note(models, "Q8_0", measured.Measure(29, 50, 61.5, file))
    use = station(window, session, UseStation)

    assert "29 of 50 right · 46 words/s" in seen(use)
    assert [each.accessibleName() for each in use.findChildren(Button) if each.text() == "Try it"] == ["Try it: Small"]


def test_rows_that_a_killed_child_wrote_and_did_not_tell_are_there(
    station_of_practice: PracticeStation, session: Session, run: Path, qtbot: QtBot
) -> None:
    station = station_of_practice
    session.jobs.start(Job(run, ("generate",), "Velmora"))
    stopped_child(session)
    note(run / "samples.jsonl", [sample(number).to_json() for number in (6, 7)])
    assert session.jobs.worker is not None
    process = session.jobs.worker.process

    with qtbot.waitSignal(session.jobs.ended, timeout=20_000):
        process.kill()

    qtbot.waitUntil(lambda: "unexpectedly after 8 questions" in station.trouble.banner.accessibleName(), timeout=5000)
    assert [row.sample for row in station.model.rows[-2:]] == [sample(6), sample(7)]


def test_what_cannot_be_noted_at_stop_and_keep_is_told(
    station_of_practice: PracticeStation, session: Session, run: Path
) -> None:
    station = station_of_practice
    session.jobs.start(Job(run, ("generate",), "Velmora"))
    stopped_child(session)
    away = run.with_name("away")
    run.rename(away)

    station._keep.click()

    assert "The note that it is enough could not be written" in station._told.banner.accessibleName()
    assert "Pause stops it too" in station._told.banner.accessibleName()
    away.rename(run)
    station._keep.click()
    assert (run / "enough-generate").is_file()
    session.jobs.stop_all(wait_ms=0)


def test_how_many_questions_is_chosen_with_its_time(
    station_of_practice: PracticeStation, session: Session, run: Path, qtbot: QtBot
) -> None:
    station = station_of_practice
    good = station.heading.plan
    assert station._amounts.chosen == "good"
    assert "about 3–8 minutes" in good

    qtbot.mouseClick(station._amounts._buttons["few"], Qt.MouseButton.LeftButton)

    assert requests.read(run).samples == session.project.samples > 0  # type: ignore[union-attr]
    assert station._amounts.chosen == "few"
    assert station.heading.plan != good
    assert station.heading.plan.partition(" · ")[0].lower() in station._amounts._buttons["few"].toolTip()
    qtbot.mouseClick(station._amounts._buttons["good"], Qt.MouseButton.LeftButton)
    assert (requests.read(run).samples, station.heading.plan) == (0, good)


@pytest.fixture
def station_of_practice(run: Path, window: MainWindow) -> PracticeStation:
    window.show_page("practice")
    found = window.pages.improve._stations[0]
    assert isinstance(found, PracticeStation)
    return found


def test_a_model_is_handed_over_to_lm_studio(
    run: Path, window: MainWindow, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".lmstudio").mkdir()
    checked(run)
    (run / "models").mkdir()
    (run / "models" / "velmora-Q8_0.gguf").write_bytes(b"GGUF" * 1000)
    use = station(window, session, UseStation)
    along = next(each for each in use.findChildren(Button) if each.text() == "Take it along")
    menu = along.menu()
    assert menu is not None

    next(action for action in menu.actions() if "LM Studio" in action.text()).trigger()

    qtbot.waitUntil(use._told.isVisible, timeout=10_000)
    assert "LM Studio has it" in use._told.accessibleName()
    assert len(list((tmp_path / ".lmstudio").rglob("*.gguf"))) == 1
