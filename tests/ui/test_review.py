"""Practice questions reviewed by keys: decisions are on disk at once, and training learns what the person decided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTranslator
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop import paths, projects
from lab_desktop.artifacts import Sample
from lab_desktop.reviews import read_reviews, reviewed
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.pages.improve.page import ImprovePage
from lab_desktop.ui.pages.improve.practice import PracticeStation
from lab_desktop.ui.pages.improve.review import FILTERS, Row, score_words, why, with_review
from lab_desktop.ui.session import Session


def sample(number: int, *, accepted: bool = True) -> Sample:
    return Sample(
        id=f"knowledge/velmora|p0|d0#{number}",
        leaf="knowledge/velmora",
        kind="knowledge",
        question=f"Question {number}?",
        answer=f"answer {number}",
        context="Velmora\n\nIt is an island.",
        passage=0,
        accepted=accepted,
        stage="accepted" if accepted else "duplicate",
        scores={"round_trip": 1.0} if accepted else {},
    )


@pytest.fixture
def run(session: Session) -> Path:
    """The practice project with some rows written."""
    project = session.new_practice()
    folder = projects.new_run(project, paths.practice_model())
    rows = [sample(number, accepted=number != 3) for number in range(6)]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows), encoding="utf-8")
    session.refresh()
    return folder


@pytest.fixture
def station(run: Path, window: MainWindow) -> PracticeStation:
    window.show_page("improve")
    page = window.pages["improve"]
    assert isinstance(page, ImprovePage)
    page.show_station("practice")
    found = page._stations[0]
    assert isinstance(found, PracticeStation)
    found.table.selectRow(0)
    return found


def test_keys_keep_drop_and_undo(station: PracticeStation, run: Path, qtbot: QtBot) -> None:
    qtbot.keyClick(station.table, Qt.Key.Key_K)
    qtbot.keyClick(station.table, Qt.Key.Key_D)
    assert {name[-1]: review.verdict for name, review in read_reviews(run).items()} == {"0": "keep", "1": "drop"}

    qtbot.keyClick(station.table, Qt.Key.Key_Z)
    assert {name[-1]: review.verdict for name, review in read_reviews(run).items()} == {"0": "keep"}


def test_a_mended_row_is_learned_as_it_was_mended(station: PracticeStation, run: Path, qtbot: QtBot) -> None:
    qtbot.keyClick(station.table, Qt.Key.Key_F)
    station._detail._edit_answer.setText("a better answer")
    station._detail._save()

    rows = reviewed([sample(0), sample(1)], read_reviews(run))
    assert [(row.answer, row.accepted) for row in rows] == [("a better answer", True), ("answer 1", True)]


def test_filters_count_what_they_show(station: PracticeStation) -> None:
    shown = {name: station.model.tally[name] for name in FILTERS}
    assert shown == {"all": 5, "open": 5, "weak": 0, "alike": 1, "dropped": 1}
    station.table.filtered.choose("alike")
    assert station.table.filtered.rowCount() == 1


def test_decisions_are_there_when_the_window_opens_again(
    station: PracticeStation, session: Session, qtbot: QtBot
) -> None:
    qtbot.keyClick(station.table, Qt.Key.Key_D)

    again = PracticeStation(session)
    qtbot.addWidget(again)
    again.refresh()

    assert again.model.tally["dropped"] == 2


@pytest.mark.parametrize("damage", [{"scores": None}, {"question": 5}, {"context": 7}, {"colour": "blue"}])
def test_a_row_that_is_none_of_ours_is_told_and_the_window_stays(
    station: PracticeStation, run: Path, session: Session, qtbot: QtBot, damage: dict[str, object]
) -> None:
    (run / "samples.jsonl").write_text(json.dumps(sample(0).to_json() | damage) + "\n", encoding="utf-8")

    again = PracticeStation(session)
    qtbot.addWidget(again)
    again.refresh()

    assert "cannot be read" in again._told.banner.accessibleName()


class Shouting(QTranslator):
    """Says everything that is translated in capitals."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return text.upper()


def test_scores_and_reasons_are_translated(qapp: QApplication) -> None:
    row = Row(sample(0))
    translator = Shouting()
    qapp.installTranslator(translator)
    try:
        said = [score_words(row)[2], why(row), why(with_review(row, "keep"))]
    finally:
        qapp.removeTranslator(translator)

    assert said == ["STRONG", "SAME ANSWER FOUND TWICE", "KEPT BY YOU"]
