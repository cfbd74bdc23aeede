"""Damaged files of every kind: a sentence comes of it, nothing else is lost, and no kind is forgotten."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lab_desktop.errors import RunError
from lab_desktop.files import JsonLines
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from tests.drills import inputs_home
from tests.drills.inputs import cuts, flips, row_of
from tests.drills.inputs_child import Outcome, outcomes
from tests.drills.inputs_kinds import KINDS, kind_of, unlisted

SEED = 20261122


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's folder with a file of every kind, that tests take copies of."""
    home = tmp_path_factory.mktemp("every") / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_DESKTOP_HOME", str(home))
        inputs_home.make(home)
    return home


def test_every_file_that_is_written_is_of_a_listed_kind(made: Path) -> None:
    assert unlisted(made) == []
    (made / "projects" / "forgotten.json").write_text("{}")
    assert unlisted(made) == ["projects/forgotten.json"]
    (made / "projects" / "forgotten.json").unlink()


def test_there_is_a_file_of_every_listed_kind(made: Path) -> None:
    names = [path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()]
    names += [path.relative_to(made.parent).as_posix() for path in made.parent.rglob("*") if path.is_file()]

    assert [kind.name for kind in KINDS if not any(map(kind.has, names))] == []


def test_what_is_cut_short_or_flipped_is_a_sentence_and_loses_nothing_else(tmp_path: Path) -> None:
    found = list(outcomes("tests.drills.inputs", folder=str(tmp_path), count=2, seed=SEED))

    assert [each for each in found if each.lost] == []
    assert {each.what for each in found} == {kind.name for kind in KINDS}


def test_with_a_file_of_every_kind_damaged_the_window_opens_and_every_page_can_be_visited(
    made: Path, own_home: Path, qtbot: QtBot
) -> None:
    chance = random.Random(SEED)
    shutil.copytree(made, own_home, dirs_exist_ok=True)
    for file in sorted(own_home.rglob("*")):
        kind = kind_of(file.relative_to(own_home).as_posix())
        if kind is not None and file.is_file() and file.stat().st_size and kind.name != "settings":
            file.write_bytes(next(flips(file.read_bytes(), chance, 1)))

    session = Session(own_home)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.start()
    for page in window.pages.names:
        window.show_page(page)
        QApplication.processEvents()
    window.close()
    session.chat.quit()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("import os; os.kill(os.getpid(), 11)", "the process ended with -11"),
        ("bytes(10**11)", "MemoryError"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("from lab_desktop.errors import RunError; raise RunError('It broke.')", "RunError without a sentence"),
        ("from lab_desktop.errors import RunError; raise RunError('It broke.', 'Mend it.')", ""),
    ],
)
def test_what_crashes_or_takes_all_memory_is_told_and_the_next_is_tried(script: str, says: str) -> None:
    found = list(outcomes("tests.drills.inputs_scripts", scripts=[script, "pass"]))

    assert [each.number for each in found] == [0, 1]
    assert found[0].lost.startswith(says) and bool(found[0].lost) == bool(says)
    assert found[1].lost == ""


def test_what_does_not_come_to_an_end_is_ended() -> None:
    scripts = ["import __main__; __main__.LONGEST_S = 0.1", "while True: pass", "pass"]

    found = list(outcomes("tests.drills.inputs_scripts", scripts=scripts))

    assert [each.lost for each in found] == ["", "it took more than 0 s", ""]


def test_damage_is_the_same_each_time_and_differs_from_the_file() -> None:
    data = b'{"a": [1, 2]}\n' * 40

    for damages in (cuts, flips):
        first, again = (list(damages(data, random.Random(SEED), 9)) for _ in range(2))
        assert first == again
        assert len(first) >= 9 and data not in first
    assert row_of("a", "b", [Outcome(0, "a", "b", ""), Outcome(1, "a", "b", "x")])[2:] == (2, 1, "x")


def test_a_row_of_another_form_is_told_by_its_line(tmp_path: Path) -> None:
    book = JsonLines(tmp_path / "rows.jsonl")
    book.extend([{"a": 1}, {"b": 2}])
    book.close()

    with pytest.raises(RunError, match=r'Line 2 of "rows\.jsonl"'):
        list(book.made(lambda row: row["a"]))
