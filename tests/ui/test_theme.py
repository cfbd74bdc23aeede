"""ui/theme.py: both themes are readable; every widget changes with them."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.ui.theme import DARK, LIGHT, Look, Theme

GROUNDS: dict[str, tuple[str, ...]] = {
    "text": (
        "page",
        "card",
        "sidebar",
        "sunken",
        "hover",
        "sel",
        "tint",
        "mark",
        "mark2",
        "good_tint",
        "warn_tint",
        "bad_tint",
    ),
    "text2": ("page", "card", "sidebar", "sunken", "hover", "sel", "tint"),
    "text3": ("page", "card", "sidebar", "sunken", "hover", "sel", "tint"),
    "accent": ("page", "card", "sidebar", "hover", "sel", "tint"),
    "good": ("page", "card", "hover", "good_tint", "good_band", "tint"),
    "warn": ("page", "card", "hover", "warn_tint", "tint"),
    "bad": ("page", "card", "hover", "bad_tint", "tint"),
    "on_fill": ("fill", "fill_hover", "fill_pressed"),
}


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [value / 255 for value in QColor(color).getRgb()[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", GROUNDS)
def test_text_can_be_read_on_every_ground_it_stands_on(theme: Theme, ink: str) -> None:
    found = {ground: contrast(getattr(theme, ink), getattr(theme, ground)) for ground in GROUNDS[ink]}

    assert {ground: round(ratio, 2) for ground, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_and_curves_stand_out_from_what_is_behind_them(theme: Theme) -> None:
    assert min(contrast(theme.data, ground) for ground in (theme.card, theme.page)) >= 3.0


def test_an_open_window_answers_while_its_look_changes_and_shows_no_half_of_it(shown: Look, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    heard: list[bool] = []
    hear = shown.changed.connect(lambda: heard.append(window.updatesEnabled()))

    shown.choose("dark")
    shown.set_text_size(1.2)  # before the first is through
    assert (heard, window.updatesEnabled()) == ([], False)

    qtbot.waitUntil(window.updatesEnabled)
    shown.disconnect(hear)
    assert heard == [False]
    assert window.palette().window().color().name().upper() == DARK.page


def test_the_look_changes_at_once_when_the_person_chooses(shown: Look, qapp: QApplication) -> None:
    shown.choose("dark")

    assert qapp.palette().window().color().name().upper() == DARK.page
    assert DARK.card.lower() in qapp.styleSheet().lower()
