"""What the settings are made of: one setting with its sentence and its control, and a group of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from lab_desktop.ui.guard import guarded
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Card, Label, column, rule

_SIDE_BY_SIDE = 240
"""A control stands beside its words while so much is left for them."""
_SCROLL_BAR = 24
"""A scroll bar takes less."""


class Setting(QWidget):
    """One setting: its name, a sentence, its control beside them or, where room is short, below.

    Attributes:
        found_by: what else people call it.
        control: None where there is nothing to choose.
    """

    def __init__(self, title: str, text: str, control: QWidget | None, found_by: str) -> None:
        super().__init__()
        self.title, self.found_by = title, found_by
        self._title = Label(title, "strong", wraps=True)
        self._text = Label(text, "body", "text2", wraps=True)
        self._value = Label("", "label", "text2", wraps=True)
        self._value.hide()
        self.control = control
        if control is not None:
            if not control.accessibleName() and not getattr(control, "text", str)():
                control.setAccessibleName(title)
            control.setAccessibleDescription(text)
        self._line = rule()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._box.setSpacing(16)
        self._box.addLayout(column(self._title, self._text, self._value, gap=2), 1)
        if control is not None:
            self._box.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        holder = column(self._box, margins=(0, 12, 0, 12))
        self.setLayout(column(self._line, holder))
        look().changed.connect(self._turn)

    def say(self, text: str) -> None:
        self._text.setText(text)
        if self.control is not None:
            self.control.setAccessibleDescription(text)

    def name_it(self, title: str) -> None:
        """It is about something else of its kind now."""
        self.title = title
        self._title.setText(title)

    def show_value(self, text: str) -> None:
        self._value.setText(text)
        self._value.setVisible(bool(text))

    def is_about(self, wanted: list[str]) -> bool:
        """Do all these words stand in its name, its sentence or what else people call it?"""
        said = " ".join((self._title.text(), self._text.text(), self.found_by)).casefold()
        return all(word in said for word in wanted)

    def show_line(self, is_shown: bool) -> None:
        """A hairline above, for all but the first of a card."""
        self._line.setVisible(is_shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        guarded(self._turn)

    def _turn(self) -> None:
        if self.control is None:
            return
        wide = max(self.control.sizeHint().width(), self.control.minimumWidth())
        room = self.width() - wide - self._box.spacing()
        # Beside each other only with room for a scroll bar too: else it would come with the one and go with the other.
        was_wide = self._box.direction() == QBoxLayout.Direction.LeftToRight
        is_wide = room >= _SIDE_BY_SIDE * look().text_size + (0 if was_wide else _SCROLL_BAR)
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        self._box.setAlignment(self.control, Qt.AlignmentFlag.AlignVCenter if is_wide else Qt.AlignmentFlag.AlignLeft)
        self._box.setSpacing(16 if is_wide else 8)


class Group(QWidget):
    """Settings that belong together."""

    def __init__(self, title: str, *settings: Setting) -> None:
        super().__init__()
        self.title = title
        self.settings = settings
        card = Card(*settings, padding=(20, 4))
        self.setLayout(column(Label(title, "title"), card, gap=10))

    def filter(self, wanted: list[str], is_chosen: bool) -> None:
        """Show what these words find, or the whole group when it is the chosen one and no word is asked for."""
        is_named = bool(wanted) and all(word in self.title.casefold() for word in wanted)
        shown = [
            setting for setting in self.settings if (setting.is_about(wanted) or is_named if wanted else is_chosen)
        ]
        for setting in self.settings:
            setting.setVisible(setting in shown)
            setting.show_line(setting in shown[1:])
        self.setVisible(bool(shown))
