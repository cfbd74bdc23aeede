"""A person's folder that may not be written, or whose disk is full: the window opens and says so at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.drills import editing, faults
from tests.drills.children import World, started


def test_a_window_on_a_folder_that_may_not_be_written_says_that_nothing_can_be_saved(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "home").mkdir(parents=True)
    faults.permit(place, is_allowed=False)
    try:
        with started(partial(editing.look_around), place / "home", tmp_path / "said", World(is_plain=True)) as child:
            assert (child.wait(), child.errors) == (0, "")
            home = child.output.split("\n")[0]
    finally:
        faults.permit(place, is_allowed=True)

    assert home.startswith("home: Nothing can be saved. The folder of your work could not be written:")
    assert "does not allow writing" in home
