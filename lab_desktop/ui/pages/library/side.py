"""What takes the place of the preview for a while: where a new lesson belongs, and which topic or lesson is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QWidget

from lab_desktop.artifacts import LeafKind
from lab_desktop.ui.pages.library.rows import Row, RowList
from lab_desktop.ui.pages.library.toolbar import Choice
from lab_desktop.ui.pages.library.words import kind_words
from lab_desktop.ui.widgets.basic import Button, ElidedLabel, Icon, Label, announce, column, row, rule

_PAUSE_MS = 160
"""After so long without a key the places are looked for."""


@dataclass(frozen=True)
class Wish:
    """A lesson or a topic that somebody wants to begin."""

    title: str
    description: str
    kind: LeafKind


class _Side(QWidget):
    """A panel of the right column: Esc closes it and nothing has happened."""

    closed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


class PlacePanel(_Side):
    """ "Where does my topic belong?": a name and a sentence, three places with who lives there, and lessons like it.

    Attributes:
        title, description: the fields.
        places: where it may go; the one in hand is taken.
        alike: lessons that say nearly the same.
    """

    asked = Signal(object)
    """A Wish whose places are wanted."""
    created = Signal(object, str)
    """(Wish, path of the topic)"""
    alike_opened = Signal(str)
    """Path of a lesson that is there already."""

    def __init__(self) -> None:
        super().__init__()
        self._here: Row | None = None
        self._is_meant = False
        self._heading = Label("", "title", wraps=True)
        kinds = [(kind.value, kind_words(kind.value)[0]) for kind in LeafKind]
        self._kinds = Choice(self.tr("Kind of lesson: {0}"), kinds, lambda _: self._ask())
        self.title = _field(self.tr("Name"), self.tr("Lunar eclipses"))
        about, example = self.tr("What is it about, in a sentence"), self.tr("When and why the moon goes dark")
        self.description = _field(about, example)
        self.places = RowList(self.tr("Where it belongs"))
        self.alike = RowList(self.tr("Lessons like it"))
        self.alike.opened.connect(lambda found: self.alike_opened.emit(found.key))
        self._alike_title = ElidedLabel(self.tr("There is one much like it"), "strong")
        self._open = Button(
            self.tr("Open"), "plain", size="small",
            on_click=lambda: self.alike_opened.emit((self.alike.row or self.alike.rows[0]).key),
        )  # fmt: skip
        self._open.setAccessibleName(self.tr("Open the lesson like it"))
        self._said = Label("", "small", "warn", wraps=True)
        self._said.hide()
        self.button = Button(self.tr("Create lesson"), on_click=self._create)
        cancel = Button(self.tr("Cancel"), "quiet", on_click=self.closed.emit)
        self._alike_head = QWidget()
        self._alike_head.setLayout(row(Icon("copy", "warn", 16), self._alike_title, self._open, gap=8))
        inside = QWidget()
        inside.setLayout(
            column(
                self._heading, 12, row(self._kinds, -1), 12,
                Label(self.tr("Name"), "label", "text2"), 4, self.title, 4, self._said, 8,
                Label(about, "label", "text2"), 4, self.description, 16,
                Label(self.tr("Where it belongs"), "strong"), 4, self.places, 12,
                self._alike_head, 4, self.alike, -1,
                margins=(20, 16, 20, 12),
            )
        )  # fmt: skip
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        foot = row(cancel, -1, self.button, gap=8, margins=(20, 12, 20, 12))
        whole = column(scroll, rule(), foot)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._ask)
        for field in (self.title, self.description):
            field.textChanged.connect(self._typed)
            field.returnPressed.connect(self._create)

    def begin(self, heading: str, kind: LeafKind, here: Row | None) -> None:
        """
        Args:
            here: the topic in hand, offered first.
        """
        self._heading.setText(heading)
        self._here, self._is_meant = here, False
        self._kinds.choose(kind.value)
        self.title.clear()
        self.description.clear()
        self._said.hide()
        self.show_places((), ())
        self.title.setFocus()
        self._ask()

    def offer(self, here: Row | None) -> None:
        """Another topic was taken in hand: it is meant, whatever was found."""
        self._here, self._is_meant = here, here is not None
        self._said.hide()
        self.show_places((), ())
        self._ask()

    @property
    def wish(self) -> Wish:
        return Wish(
            " ".join(self.title.text().split()),
            " ".join(self.description.text().split()),
            LeafKind(self._kinds.chosen),
        )

    def show_places(self, places: Sequence[Row], alike: Sequence[Row]) -> None:
        """What was found for the wish as it is now."""
        root = "knowledge" if self.wish.kind is LeafKind.KNOWLEDGE else "compositional_skills"
        own = [self._here] if self._here is not None and self._here.key.split("/")[0] == root else []
        others = [each for each in places if each.key not in [mine.key for mine in own]]
        stay = [each.key for each in (*others, *(own if self._is_meant else ()))]
        is_same = self.places.row is not None and self.places.row.key in stay
        self.places.show_rows([*others, *own] if self.wish.title else [*own, *others])
        if not is_same and self.places.rows:
            self.places.choose(self.places.rows[0].key)
        self.alike.show_rows(alike)
        self.places.fit()
        self.alike.fit()
        self._alike_head.setVisible(bool(alike))
        self.alike.setVisible(bool(alike))

    def _typed(self) -> None:
        self._said.hide()
        self._pause.start()

    def _ask(self) -> None:
        self._pause.stop()
        self.asked.emit(self.wish)

    def _create(self) -> None:
        if not self.wish.title:
            self.say(self.tr("Give it a name first."))
            self.title.setFocus()
        elif self.places.row is not None:
            self.created.emit(self.wish, self.places.row.key)
        else:
            self.say(self.tr("No topic has words like these: choose one at the left."))

    def say(self, sentence: str) -> None:
        self._said.setText(sentence)
        self._said.show()
        announce(self._said, sentence)


class PickPanel(_Side):
    """Which one is meant: a field to search in, a list, and a button that does it."""

    asked = Signal(str)
    """Words to look for."""
    picked = Signal(str)
    """Key of the row that was taken."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = Label("", "title", wraps=True)
        self._about = Label("", "body", "text2", wraps=True)
        self.field = _field(self.tr("Search"), "")
        self.list = RowList(self.tr("What can be chosen"))
        self.button = Button("", on_click=self._pick)
        self.list.opened.connect(lambda found: self.picked.emit(found.key))
        cancel = Button(self.tr("Cancel"), "quiet", on_click=self.closed.emit)
        inside = column(self._heading, 4, self._about, 12, self.field, 8, self.list, margins=(20, 16, 20, 12))
        inside.setStretchFactor(self.list, 1)
        self.setLayout(column(inside, rule(), row(cancel, -1, self.button, gap=8, margins=(20, 12, 20, 12))))
        self.field.textChanged.connect(self.asked)
        self.field.returnPressed.connect(self._pick)

    def begin(self, heading: str, about: str, button: str) -> None:
        self._heading.setText(heading)
        self._about.setText(about)
        self.button.setText(button)
        self.field.clear()
        self.list.show_rows(())
        self.field.setFocus()
        self.asked.emit("")

    def show_rows(self, rows: Sequence[Row]) -> None:
        self.list.show_rows(rows)
        if self.list.row is None and rows:
            self.list.choose(rows[0].key)

    def _pick(self) -> None:
        if self.list.row is not None:
            self.picked.emit(self.list.row.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and self.field.hasFocus():
            self.list.setFocus()
        else:
            super().keyPressEvent(event)


def _field(name: str, example: str) -> QLineEdit:
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(example or name)
    return made
