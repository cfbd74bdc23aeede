"""One try of faults that differ, of work that is short: the whole table is `python -m tests.drills`."""

from __future__ import annotations

import os
import time

import pytest

from tests.drills.drill import Range
from tests.drills.faults import can_be_tried

pytestmark = pytest.mark.slow

CELLS = (
    ("move", "full"), ("move", "stop"), ("move", "kill"),
    ("import", "kill-change"), ("import", "clock-back"),
    ("generate", "full-change"), ("generate", "readonly"), ("generate", "memory"), ("generate", "two"),
    ("convert", "memory-kill"), ("publish", "kill-change"),
)  # fmt: skip


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Range:
    """Where the drills of this module are held."""
    folder = tmp_path_factory.mktemp("drills") / "range"
    folder.mkdir()
    seed = int(os.environ.get("DRILL_SEED", time.time_ns() % 1_000_000))
    return Range(folder, seed, pause_s=0.5)


@pytest.mark.parametrize(("work", "fault"), CELLS)
def test_nothing_is_lost_and_it_ends_as_if_nothing_had_happened(field: Range, work: str, fault: str) -> None:
    if not can_be_tried(fault):
        pytest.skip("this system does not let us")

    assert field.hold(work, fault, number=0).problems == [], f"DRILL_SEED={field.seed}"
