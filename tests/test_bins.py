"""bins.py: the days of a bin are counted by a clock that has proved itself."""

from __future__ import annotations

from pathlib import Path

from lab_desktop import bins, projects

DAY_S = 86_400.0
NOW = 1_790_000_000.0


def thrown_away(home: Path, days_ago: float) -> Path:
    """Something in the projects' bin."""
    entry = bins.new_entry(home / "bin", "orra", NOW - days_ago * DAY_S).path
    entry.mkdir(parents=True)
    return entry


def start(home: Path, now: float) -> None:
    """What the window does when it starts."""
    projects.empty_bin(home / "projects", now=bins.counted_time(home, now))


def test_a_clock_that_is_a_year_ahead_once_empties_no_bin(tmp_path: Path) -> None:
    entry = thrown_away(tmp_path, days_ago=3)

    for now in (NOW, NOW + 365 * DAY_S, NOW + DAY_S):
        start(tmp_path, now)

    assert entry.exists()


def test_what_is_over_goes_at_the_second_start_that_says_so(tmp_path: Path) -> None:
    old, new = thrown_away(tmp_path, days_ago=31), thrown_away(tmp_path, days_ago=29)

    start(tmp_path, NOW)
    assert old.exists()
    start(tmp_path, NOW)

    assert not old.exists() and new.exists()


def test_a_note_that_is_damaged_counts_no_day(tmp_path: Path) -> None:
    for text in ("{", '{"at": "soon"}', '{"at": null}', '{"at": NaN}'):
        (tmp_path / "last-start.json").write_text(text)
        assert not bins.Thrown(tmp_path, "x", 0.0).is_over(bins.counted_time(tmp_path, NOW))
        assert bins.counted_time(tmp_path, NOW + 1) == NOW
