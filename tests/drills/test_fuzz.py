"""Foreign bytes end in a sentence or in something that can be used, soon and in little memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lab_desktop.errors import LabError
from tests.drills import fuzz as drill
from tests.drills.fuzz import FOUND, Parser, changed, fuzz, parsers, read_found
from tests.drills.inputs_child import outcomes

SECONDS, SEED = 8.0, 20261122


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parser]:
    return {parser.name: parser for parser in parsers(tmp_path_factory.mktemp("seeds"))}


def test_every_parser_reads_the_real_files_that_are_changed(known: dict[str, Parser], tmp_path: Path) -> None:
    for parser in known.values():
        for data in parser.seeds:
            assert read_found(parser, data, tmp_path) == ""


def test_foreign_bytes_are_a_sentence_or_something_to_use(tmp_path: Path) -> None:
    found = list(outcomes("tests.drills.fuzz", SECONDS, folder=str(tmp_path), seed=SEED))

    assert [each for each in found if each.lost] == []
    assert len({each.what for each in found}) > 5


@pytest.mark.parametrize("file", sorted(FOUND.glob("*/*")), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_not_survived_once_is_survived(file: Path, known: dict[str, Parser], tmp_path: Path) -> None:
    try:
        read_found(known[file.parent.name], file.read_bytes(), tmp_path)
    except LabError as error:
        assert error.message and error.hint


def test_changes_are_the_same_each_time(known: dict[str, Parser]) -> None:
    parser = known["lessons"]

    def some() -> list[bytes]:
        chance = random.Random(SEED)
        return [changed(parser.seeds[0], parser, chance) for _ in range(50)]

    first, again = some(), some()

    assert first == again
    assert sum(each != parser.seeds[0] for each in first) > 40


def test_an_input_that_is_not_survived_is_kept_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drill, "FOUND", tmp_path / "found")
    monkeypatch.setattr(drill, "__name__", "tests.drills.fuzz_scripts")

    (row,) = fuzz(30.0, SEED)

    assert (row.what, row.tried, row.survived) == ("letters", 3, 2)
    assert row.lost.startswith("ValueError: no letter") and row.lost.endswith(str(tmp_path / "found" / "letters"))
    (kept,) = (tmp_path / "found" / "letters").iterdir()
    assert kept.read_bytes() == b"1"
