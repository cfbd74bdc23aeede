"""Every page in every state, for who uses keys, a screen reader, or bigger text.

The states are those of `tests/screenshots`: a page that gets a line there is walked here too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QTextEdit,
    QWidget,
)

from lab_desktop.ui.theme import DARK, LIGHT, Look
from lab_desktop.ui.widgets.basic import ElidedLabel
from tests.screenshots.__main__ import SHOTS, Shot, Stage, staged
from tests.ui.test_theme import contrast

CONTROLS = (
    QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit, QAbstractItemView, QComboBox, QSpinBox,
)  # fmt: skip
GROUNDS = {"card": "card", "sidebar": "sidebar", "page": "page", "sunken": "sunken", "tint": "tint", "info": "sunken",
           "good": "good_tint", "warn": "warn_tint", "bad": "bad_tint"}  # fmt: skip


@pytest.fixture(scope="module", params=SHOTS, ids=[shot.name for shot in SHOTS])
def stage(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Stage]:
    shot: Shot = request.param
    with staged(shot) as made:
        made.window.resize(1440, 900)
        settle(qapp)
        yield made


def settle(app: QApplication) -> None:
    for _ in range(3):
        app.sendPostedEvents()
        app.processEvents()


def controls(stage: Stage) -> list[QWidget]:
    """What can have the focus and is in sight."""
    found = [control for kind in CONTROLS for control in stage.front.findChildren(kind)]
    return [each for each in found if each.isVisible() and each.focusPolicy() != Qt.FocusPolicy.NoFocus]


def spoken(widget: QWidget) -> str:
    """What a screen reader calls it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip()


def told(widget: QWidget, stage: Stage) -> str:
    """A widget, as a failure names it."""
    place = on_window(widget, stage)
    return f"{type(widget).__name__} {spoken(widget)!r} at {place.x()},{place.y()}"


def on_window(widget: QWidget, stage: Stage) -> QRect:
    return QRect(widget.mapTo(stage.front, QPoint(0, 0)), widget.size())


def walked(stage: Stage) -> list[QWidget]:
    """Where the focus goes with Tab, from the first control until it comes round."""
    window = stage.front
    window.activateWindow()
    pages = stage.control(QAbstractItemView, "Pages")
    first = pages if pages.isVisible() and window is stage.window else _first(window)
    first.setFocus()
    way: list[QWidget] = [first]
    for _ in range(200):
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        now = window.focusWidget()
        if now is None or now is way[0]:
            break
        way.append(now)
    return way


def _first(window: QWidget) -> QWidget:
    """Where Tab begins in a window that has no list of pages."""
    at = window.nextInFocusChain()
    while at is not None and not (at.isVisible() and at.focusPolicy() & Qt.FocusPolicy.TabFocus):
        at = at.nextInFocusChain()
    assert at is not None
    return at


def test_each_control_has_a_name(stage: Stage) -> None:
    nameless = [told(control, stage) for control in controls(stage) if not spoken(control)]

    assert nameless == []


def test_tab_reaches_each_control_in_reading_order(stage: Stage) -> None:
    places = {each: on_window(each, stage) for each in controls(stage)}  # as they stand before the focus scrolls
    way = walked(stage)

    wanted = [each for each in controls(stage) if each.isEnabled() and each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    missed = [told(each, stage) for each in wanted if each not in way and not is_in_a_group(each, way)]
    assert missed == []
    jumps = []
    for one, other in itertools.pairwise(way):
        if one not in places or other not in places:
            continue
        before, after = places[one], places[other]
        shares_a_column = before.left() < after.right() and after.left() < before.right()
        if shares_a_column and after.bottom() <= before.top():
            jumps.append(f"{told(one, stage)} → {told(other, stage)}")
    assert jumps == []


def is_in_a_group(control: QWidget, way: list[QWidget]) -> bool:
    """Of choices that shut each other out Tab reaches one; arrow keys reach the others."""
    group = control.group() if isinstance(control, QAbstractButton) else None
    return group is not None and any(button in way for button in group.buttons())


def test_a_control_that_is_shut_says_why(stage: Stage) -> None:
    shut = [each for each in controls(stage) if not each.isEnabled()]

    assert [told(each, stage) for each in shut if not each.accessibleDescription()] == []


def test_each_label_can_be_read_on_its_ground(stage: Stage) -> None:
    weak = set()
    for label in stage.front.findChildren(QLabel):
        tone = label.property("tone")
        if not label.isVisible() or not label.text() or not tone:
            continue
        ground = ground_of(label)
        for theme in (LIGHT, DARK):
            ratio = contrast(getattr(theme, tone), getattr(theme, ground))
            if ratio < 4.5:
                weak.add(f"{label.text()[:40]!r}: {tone} on {ground}, {ratio:.2f}")

    assert weak == set()


def ground_of(widget: QWidget) -> str:
    at: QWidget | None = widget
    while at is not None:
        if (surface := at.property("surface")) in GROUNDS:
            return GROUNDS[surface]
        at = at.parentWidget()
    return "page"


def test_at_most_one_button_is_filled(stage: Stage) -> None:
    buttons = stage.front.findChildren(QAbstractButton)
    filled = [told(each, stage) for each in buttons if each.isVisible() and each.property("kind") == "primary"]

    assert len(filled) <= 1, filled


def test_the_smallest_window_cuts_no_words(stage: Stage, qapp: QApplication) -> None:
    own = stage.front.size()
    stage.front.resize(stage.front.minimumSize() if stage.front.minimumWidth() else own)
    settle(qapp)
    cut = []
    for label in stage.front.findChildren(QLabel):
        if not label.isVisible() or isinstance(label, ElidedLabel) or not label.text():
            continue
        seen = label.visibleRegion().boundingRect()
        needs = 0 if label.wordWrap() else label.sizeHint().width()
        if not seen.isEmpty() and (seen.width() < label.width() or label.width() < needs):
            cut.append(f"{label.text()[:40]!r}: {seen.width()} of {max(needs, label.width())}")
    stage.front.resize(own)
    settle(qapp)

    assert cut == []


def test_big_text_clips_no_button(shown: Look, stage: Stage, qapp: QApplication) -> None:
    shown.set_text_size(1.6)  # until the next window, which has the person's own
    settle(qapp)
    settle(qapp)  # the look comes in turns, and sizes follow the last of them
    clipped = []
    for button in stage.front.findChildren(QAbstractButton):
        if button.isVisible() and button.text():
            needs, has = button.sizeHint(), button.size()
            if has.width() < needs.width() - 2 or has.height() < needs.height() - 2:
                clipped.append(
                    f"{told(button, stage)}: {has.width()}×{has.height()} of {needs.width()}×{needs.height()}"
                )
            whole = on_window(button, stage)
            if whole.right() > stage.front.width() or whole.left() < 0:
                clipped.append(f"{told(button, stage)} is outside")

    assert clipped == []
