"""The right column: the lesson in hand, what it holds and what is missing, or the topic in hand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from lab_desktop.taxonomy.badges import Badge as BadgeName
from lab_desktop.taxonomy.badges import Sharing
from lab_desktop.taxonomy.index import Node
from lab_desktop.ui.pages.library.sight import Part, Sight
from lab_desktop.ui.pages.library.words import (
    about_root,
    amount_words,
    badge_of,
    kind_words,
    lessons_words,
    sharing_words,
    title_words,
)
from lab_desktop.ui.widgets.basic import Badge, Button, Card, ElidedLabel, Icon, Label, column, empty, row, rule
from lab_desktop.ui.words import tr

_PARTS_SHOWN = 12
_LETTERS_SHOWN = 420


class Preview(QWidget):
    """
    Attributes:
        open, use, share: what can be done with the lesson.
    """

    def __init__(
        self, on_open: Callable[[], object], on_use: Callable[[], object], on_share: Callable[[], object]
    ) -> None:
        super().__init__()
        self._shown: object = None
        self._path = ""
        self.open = Button(self.tr("Open"), on_click=on_open)
        self.use = Button(self.tr("Use in project"), on_click=on_use)
        self.share = Button("", icon="share", on_click=on_share)
        self.share.setToolTip(self.tr("Share…"))
        self._title = Label("", "title", wraps=True)
        self._kind = ElidedLabel("", "small", "text2")
        self._body = QVBoxLayout()
        self._body.setSpacing(12)
        inside = QWidget()
        inside.setLayout(column(self._title, 4, self._kind, 12, self._body, -1, margins=(20, 16, 20, 16)))
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(self.tr("What the lesson holds"))
        self._scroll.setWidget(inside)
        self._foot = QWidget()
        self._foot.setLayout(column(rule(), row(self.use, -1, self.share, self.open, gap=8, margins=(20, 12, 20, 12))))
        whole = column(self._scroll, self._foot)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.show_nothing()

    def is_shown(self, path: str) -> bool:
        """True when the node at this path has been read and stands there."""
        return self._path == path

    def show_nothing(self) -> None:
        self._begin("", "", None)
        self._foot.hide()

    def show_topic(self, node: Node, place: str) -> None:
        """A topic has no page of its own: its name, and how much lies in it."""
        if not self._begin(title_words(node), place, node):
            return
        self._path = node.path
        self._foot.hide()
        self._body.addWidget(Label(lessons_words(node.lessons), "body", "text2"))
        if node.is_root or node.is_read_only:
            self._body.addWidget(_note("info", "text2", about_root(node.root)))

    def show_coming(self, title: str, place: str) -> None:
        """A lesson that is being read."""
        if self._begin(title, place, (title, place)):
            self._foot.hide()

    def show_lesson(self, node: Node, place: str, seen: Sight, sharing: Sharing | None = None) -> None:
        """A lesson that was read.

        Args:
            sharing: who else has it.
        """
        if not self._begin(node.title, place, (node.path, node.badge, seen, sharing)):
            return
        self._path = node.path
        word, term = kind_words(seen.kind)
        is_facts = seen.kind == "knowledge"
        badge_word, tone, icon = badge_of(node.badge)
        badge = Badge(badge_word, tone, icon)  # type: ignore[arg-type]
        kind = QWidget()
        kind.setLayout(row(Label(word, "strong"), Label(term, "small", "text3"), -1, badge, gap=6))
        self._body.addWidget(kind)
        if seen.is_readable:
            self._body.addWidget(Label(amount_words(is_facts, len(seen.parts), seen.questions), "body", "text2"))
        if seen.about:
            self._body.addWidget(Label(_short(seen.about), "body", wraps=True))
        if sharing is not None and node.badge is BadgeName.SHARED:
            said = sharing_words(sharing)
            badge.setToolTip(said)
            self._body.addWidget(_note("share", "accent", said))
        if seen.author:
            self._body.addWidget(ElidedLabel(self.tr("Written by {0}").format(seen.author), "small", "text2"))
        if seen.missing:
            self._body.addWidget(_missing(seen))
        else:
            self._body.addWidget(_note("check", "good", self.tr("Nothing is missing. It can be taught.")))
        for number, part in enumerate(seen.parts[:_PARTS_SHOWN], start=1):
            self._body.addWidget(_part(number, part, is_facts))
        if len(seen.parts) > _PARTS_SHOWN:
            self._body.addWidget(
                Label(self.tr("And {0} more.").format(len(seen.parts) - _PARTS_SHOWN), "small", "text2")
            )
        self._foot.show()
        self.open.setAccessibleName(self.tr("Open {0}").format(node.title))
        self.use.setAccessibleName(self.tr("Use {0} in the project").format(node.title))
        self.use.setVisible(seen.is_readable)
        self.share.setAccessibleName(self.tr("Share {0}…").format(node.title))
        self.share.setVisible(seen.is_readable and not node.is_read_only)

    def _begin(self, title: str, place: str, shown: object) -> bool:
        """False: it is shown already."""
        if shown is not None and shown == self._shown:
            return False
        self._shown = shown
        self._path = ""
        empty(self._body)
        self._title.setText(title)
        self._kind.setText(place)
        self._kind.setVisible(bool(place))
        self._scroll.verticalScrollBar().setValue(0)
        return True


def _note(icon: str, role: str, text: str) -> QWidget:
    made = QWidget()
    line = row(column(2, Icon(icon, role, 16), -1), Label(text, "body", "text2", wraps=True), gap=8)
    line.setStretch(1, 1)
    made.setLayout(line)
    return made


def _missing(seen: Sight) -> QFrame:
    """What is to be done before the lesson can be taught."""
    title = tr("What is missing") if seen.is_readable else tr("It cannot be read")
    lines = [_note("dash" if seen.is_readable else "warn", "warn", sentence) for sentence in seen.missing]
    made = QFrame()
    made.setProperty("surface", "warn" if seen.is_readable else "bad")
    made.setLayout(column(Label(title, "strong"), 4, *lines, gap=4, margins=(12, 10, 12, 10)))
    return made


def _part(number: int, part: Part, is_facts: bool) -> Card:
    name = tr("Passage {0}") if is_facts else tr("Example {0}")
    items: list[QWidget | int] = [Label(name.format(number), "label", "text3"), 4]
    if part.context:
        items += [Label(_short(part.context), "small", "text2", wraps=True), 8]
    for question, answer in part.pairs:
        items += [Label(_short(question), "strong", wraps=True), Label(_short(answer), "body", "text2", wraps=True), 6]
    return Card(*items, padding=(14, 10))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LETTERS_SHOWN else text[:_LETTERS_SHOWN].rsplit(" ", 1)[0] + " …"
