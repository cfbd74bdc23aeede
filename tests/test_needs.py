"""What work needs of memory, and whether there is room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab_desktop import needs
from lab_desktop.artifacts import ChatMessage, TrainingRow
from lab_desktop.files import write_text
from lab_desktop.needs import Needs, Room, answering_needs, chosen_level, lighter, training_needs, training_steps
from lab_desktop.training.thrift import levels
from tests.fakes import tiny_model

GB = 10**9


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("needs") / "small.gguf")


@pytest.mark.parametrize(
    ("needed", "free", "total", "kept", "verdict"),
    [
        (9, 12, 16, 2, "comfortable"),
        (10, 12, 16, 2, "comfortable"),
        (11, 12, 16, 2, "tight"),  # it would not leave what is kept
        (11, 4, 16, 2, "tight"),  # other programs have it
        (13, 14, 16, 2, "tight"),  # more than three quarters, but it is there
        (13, 4, 16, 2, "too big"),
        (20, 16, 16, 0, "too big"),
    ],
)
def test_a_verdict_follows_from_what_is_free_and_what_there_is(
    needed: int, free: int, total: int, kept: int, verdict: str
) -> None:
    assert Room(needed * GB, free * GB, total * GB, kept * GB).verdict == verdict


def test_what_is_left_is_what_is_free_without_the_work() -> None:
    room = Room(9 * GB, 14 * GB, 16 * GB)

    assert (room.leaves, room.others) == (5 * GB, 2 * GB)
    assert Room(15 * GB, 14 * GB, 16 * GB).leaves == 0


def test_the_lighter_setting_is_the_first_that_has_more_of_a_chance() -> None:
    needed = Needs((12 * GB, 11 * GB, 7 * GB, 3 * GB), ("", "a", "b", "c"))

    assert lighter(needed, Room(12 * GB, 14 * GB, 16 * GB)) == 0
    assert lighter(needed, Room(12 * GB, 8 * GB, 16 * GB)) == 2
    assert lighter(needed, Room(12 * GB, 8 * GB, 16 * GB, 2 * GB)) == 2
    assert lighter(needed, Room(12 * GB, 2 * GB, 4 * GB)) == 3
    assert lighter(needed, Room(12 * GB, 1 * GB, 2 * GB)) == 0


def test_a_training_needs_less_with_each_thing_that_it_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_DESKTOP_TRAINS_WITH", "torch")

    found = training_needs(tiny_model(tmp_path / "deep.gguf", layers=16), rows=200)

    assert found is not None
    assert found.words == tuple(thrift.words for thrift in levels("torch"))
    assert list(found.levels) == sorted(found.levels, reverse=True)
    assert found.levels[0] > found.levels[-1]


def test_more_weights_need_more(small: Path, tmp_path: Path) -> None:
    big = tiny_model(tmp_path / "big.gguf", layers=6, width=256, feed_forward=1024)

    for needed in (answering_needs, lambda model: training_needs(model, 100)):
        of_small, of_big = needed(small), needed(big)
        assert of_small is not None
        assert of_big is not None
        assert of_big.levels[0] > of_small.levels[0]


def test_a_model_that_answers_makes_do_with_one_conversation(small: Path) -> None:
    found = answering_needs(small)

    assert found is not None
    # 2 layers, 2 heads of 16 values, keys and values, two bytes each: 256 bytes a token.
    assert found.levels[0] - found.levels[1] == (16384 - 2048) * 256


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all" * 50])
def test_of_a_file_that_is_no_model_nothing_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)

    assert answering_needs(path) is None
    assert training_needs(path, 10) is None
    assert answering_needs(tmp_path / "gone.gguf") is None


def test_the_chosen_setting_is_that_of_the_training(tmp_path: Path) -> None:
    assert chosen_level(tmp_path) == 0

    needs.choose_level(tmp_path, 2)

    assert chosen_level(tmp_path) == 2
    assert Needs((3, 2, 1), ("", "a", "b")).begun_at(2).levels == (1,)
    assert Needs((3, 2, 1), ("", "a", "b")).begun_at(9).levels == (1,)


def test_the_steps_of_a_training_follow_from_its_practice_set(tmp_path: Path) -> None:
    assert training_steps(tmp_path) == 0
    messages = (ChatMessage("user", "q"), ChatMessage("assistant", "a"))
    learned = [TrainingRow(f"{number}", "leaf", messages) for number in range(200)]
    general = [TrainingRow(f"g{number}", "replay/general", messages, keeps_base=True) for number in range(50)]
    lines = "".join(json.dumps(row.to_json()) + "\n" for row in (*learned, *general))
    write_text(tmp_path / "dataset" / "knowledge_short.jsonl", lines)

    assert training_steps(tmp_path) == 4 * 200 // 4
    assert training_steps(tmp_path, 0.5) == 2 * 200 // 4

    write_text(tmp_path / "dataset" / "skills.jsonl", lines[: lines.index("\n") + 1])
    assert training_steps(tmp_path) == 200 + 60

    write_text(tmp_path / "dataset" / "skills.jsonl", "{ no rows")
    assert training_steps(tmp_path) == 0
