"""ui/words.py: moments and days as people say them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

import pytest
from PySide6.QtCore import QLocale

from lab_desktop.ui.words import day_words, moment_words, when


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    yield
    QLocale.setDefault(before)


def test_todays_moment_has_no_day_and_another_years_has_its_year() -> None:
    today = time.mktime((*time.localtime()[:3], 13, 40, 7, 0, 0, -1))
    this_year = time.localtime()[0]
    other_day = (1, 2) if time.localtime()[1:3] != (1, 2) else (1, 3)

    assert when(today) == "13:40" and moment_words(today) == "Today, 13:40"
    at = time.mktime((this_year, *other_day, 9, 5, 0, 0, 0, -1))
    assert when(at) == moment_words(at) == f"{other_day[1]} Jan, 09:05"
    assert when(time.mktime((2019, 5, 3, 9, 5, 0, 0, 0, -1))) == "3 May 2019, 09:05"
    assert when(0.0) == moment_words(0.0) == ""


def test_a_day_is_written_in_full() -> None:
    assert day_words(date(2026, 5, 3)) == "3 May 2026"
