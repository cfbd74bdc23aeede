"""capacity.py: what a computer carries follows from its memory and from what was measured."""

from __future__ import annotations

from pathlib import Path

from lab_desktop.capacity import FILE_NAME, Speed, chat_reach, read_speed, save_speed, train_reach

FAST = Speed(400, 100_000_000)
SLOW = Speed(20, 100_000_000)


def test_more_memory_carries_more_and_tight_is_never_less_than_comfortable() -> None:
    reaches = [
        (chat_reach(gigabytes * 10**9, FAST), train_reach(gigabytes * 10**9, FAST)) for gigabytes in (4, 8, 16, 64)
    ]

    for chat, train in reaches:
        assert chat.tight >= chat.comfortable >= train.comfortable
        assert train.tight >= train.comfortable
    assert [chat.comfortable for chat, _ in reaches] == sorted(chat.comfortable for chat, _ in reaches)


def test_a_laptop_of_16_gigabytes_chats_with_8_billion_and_trains_one_and_a_half_comfortably() -> None:
    assert chat_reach(16 * 10**9, FAST).comfortable == 8
    assert train_reach(16 * 10**9, FAST).comfortable == 1.5


def test_a_slow_computer_with_much_memory_gets_no_large_model() -> None:
    assert chat_reach(64 * 10**9, SLOW).comfortable < 1
    assert train_reach(64 * 10**9, SLOW).comfortable < 1


def test_a_small_computer_carries_nothing_rather_than_a_wrong_promise() -> None:
    assert train_reach(2 * 10**9, FAST).comfortable == 0


def test_a_measurement_is_kept_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"0" * 1000)
    assert read_speed(tmp_path) is None

    save_speed(tmp_path, 48, 2.0, model)

    speed = read_speed(tmp_path)
    assert speed is not None
    assert (speed.tokens_per_second, speed.model_bytes) == (24, 1000)
    (tmp_path / FILE_NAME).write_text('{"tokens_per_second": "fast", "model_bytes": []}')
    assert read_speed(tmp_path) is None
