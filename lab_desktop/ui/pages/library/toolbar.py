"""The line above the library: searching, what is shown, a new lesson, everything else; and the long work under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton, QWidget

from lab_desktop.ui import icons
from lab_desktop.ui.pages.library.holdings import Filter
from lab_desktop.ui.pages.library.words import BADGES, badge_of
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, ElidedLabel, Segmented, row
from lab_desktop.ui.widgets.meters import Ring


class SearchField(QLineEdit):
    """Words to look for; Esc forgets them."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            event.accept()
        else:
            super().keyPressEvent(event)


class Choice(QToolButton):
    """One of several words, taken from a menu.

    Attributes:
        chosen: its name.
    """

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], on_choice: Callable[[str], object]) -> None:
        """
        Args:
            name: what a screen reader says, with {0} for the word.
            choices: (name, word), the first of them taken.
        """
        super().__init__()
        self._name, self._words, self._on_choice = name, dict(choices), on_choice
        self.chosen = ""
        self.setProperty("chip", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow stands behind the word
        menu = QMenu(self)
        for each, word in choices:
            menu.addAction(word).triggered.connect(lambda _, each=each: self._take(each))
        self.setMenu(menu)
        self.choose(choices[0][0])
        look().changed.connect(self._relook)
        self._relook()

    def choose(self, name: str) -> None:
        """Take one without telling."""
        self.chosen = name
        self.setText(self._words[name])
        self.setAccessibleName(self._name.format(self._words[name]))

    def _take(self, name: str) -> None:
        if name != self.chosen:
            self.choose(name)
            self._on_choice(name)

    def _relook(self) -> None:
        self.setIconSize(QSize(18, 14))
        self.setIcon(icons.icon("up-down", "text2", 14, 4))


class Toolbar(QWidget):
    """
    Attributes:
        field: of the search.
        new: the button of a new lesson.
    """

    def __init__(
        self,
        on_search: Callable[[str], object],
        on_filter: Callable[[Filter], object],
        menu: Callable[[], QMenu],
    ) -> None:
        super().__init__()
        self._on_filter = on_filter
        self.field = SearchField()
        self.field.setPlaceholderText(self.tr("Search in lessons"))
        self.field.setAccessibleName(self.tr("Search in lessons"))
        self.field.setClearButtonEnabled(True)
        self.field.setMinimumWidth(140)
        self.field.setMaximumWidth(320)
        self.field.textChanged.connect(on_search)
        self.whose = Segmented(
            [("all", self.tr("All")), ("mine", self.tr("Mine")), ("community", self.tr("Community"))],
            "all",
            lambda _: self._changed(),
        )
        states = [("", self.tr("Any state")), *((badge, badge_of(badge)[0]) for badge in BADGES)]
        self.state = Choice(self.tr("Lessons in this state: {0}"), states, lambda _: self._changed())
        self.new = Button(self.tr("New lesson"), icon="plus")
        self.more = Button("", "quiet", icon="more", on_click=lambda: self._popup(menu()))
        self.more.setAccessibleName(self.tr("More about the library"))
        self.more.setToolTip(self.tr("What is new, deleted lessons, update, other libraries"))
        line = row(self.field, self.whose, self.state, -1, self.new, self.more, gap=10, margins=(16, 8, 12, 8))
        line.setStretch(0, 2)
        line.setStretch(3, 1)
        self.setLayout(line)

    @property
    def wanted(self) -> Filter:
        return Filter(self.whose.chosen, self.state.chosen)

    def clear(self) -> None:
        """Nothing is searched for, without asking again."""
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)

    def _changed(self) -> None:
        self._on_filter(self.wanted)

    def _popup(self, menu: QMenu) -> None:
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))


class Strip(QWidget):
    """How far long work with a library is, and the way out of it."""

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        super().__init__()
        self._ring = Ring()
        self._words = ElidedLabel("", "body", "text2")
        self.cancel = Button(self.tr("Cancel"), size="small", on_click=on_cancel)
        line = row(self._ring, self._words, self.cancel, gap=10, margins=(16, 8, 16, 4))
        line.setStretch(1, 1)
        self.setLayout(line)
        self.hide()

    def show_work(self, words: str, share: float | None) -> None:
        """What is under way; "" nothing."""
        self.setVisible(bool(words))
        if words:
            self._ring.show_share(share)
            done = f" · {share:.0%}" if share else ""
            self._words.setText(f"{words}{done}")
