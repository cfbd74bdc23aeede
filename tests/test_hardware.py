"""hardware.py: how many threads there are, and how they wait for each other."""

from __future__ import annotations

import os

import psutil
import pytest

from lab_desktop import hardware


def test_threads_that_wait_sleep_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)

    hardware.wait_politely()

    assert os.environ["GOMP_SPINCOUNT"] == "1000"


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "ACTIVE")])
def test_a_persons_own_way_of_waiting_is_kept(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for each in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)

    hardware.wait_politely()

    chosen = {each: os.environ.get(each) for each in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    assert {each: found for each, found in chosen.items() if found} == {name: value}


@pytest.mark.parametrize(("said", "threads"), [("3", 3), ("", None), ("0", None), ("4,2", None)])
def test_who_shares_the_cores_says_how_many_threads_to_use(
    monkeypatch: pytest.MonkeyPatch, said: str, threads: int | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    own = hardware.threads()

    monkeypatch.setenv("OMP_NUM_THREADS", said)

    assert hardware.threads() == (threads or own)


def test_what_is_free_is_a_part_of_what_there_is() -> None:
    free, total = hardware.memory_now()

    assert 0 < free <= total <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Apple M2 Pro", "Apple M2 Pro"),
        ("Intel(R) Xeon(R) Processor", "Intel Xeon"),
        ("Intel(R) Core(TM) i7-1185G7 CPU @ 3.00GHz", "Intel Core i7-1185G7"),
        ("AMD Ryzen 7 PRO 5850U with Radeon Graphics", "AMD Ryzen 7 PRO 5850U"),
        ("AMD EPYC 9B45 128-Core Processor", "AMD EPYC 9B45"),
        ("  AMD Ryzen AI 9 HX 370 w/ Radeon 890M ", "AMD Ryzen AI 9 HX 370"),
    ],
)
def test_a_processor_is_named_without_what_makers_add(said: str, shown: str) -> None:
    assert hardware.plain_name(said) == shown
