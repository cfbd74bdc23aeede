"""What changed in a lesson since the community's version: each difference in a sentence, with both texts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from lab_desktop.artifacts import Leaf, LeafKind, title_of
from lab_desktop.taxonomy.differences import Difference
from lab_desktop.ui.pages.library.compared import Comparison
from lab_desktop.ui.pages.library.words import amount_words, change_words, where_words
from lab_desktop.ui.widgets.basic import (
    Badge,
    Button,
    Card,
    ElidedLabel,
    Icon,
    Label,
    announce,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.widgets.difference import marked, words_of_both
from lab_desktop.ui.words import tr

_MOST_SHOWN = 60
_LETTERS_SHOWN = 700
_LETTERS_COMPARED = 6_000
_QUESTIONS_SHOWN = 12
_LOOKS = {
    "new": ("plus", "good"),
    "changed": ("edit", "accent"),
    "removed": ("bin", "bad"),
    "moved": ("up-down", "warn"),
}


class ChangePanel(QWidget):
    """
    Attributes:
        open, put_back: what can be done with the lesson.
    """

    opened = Signal(str)
    """Path of the lesson that should be shown in its topic."""
    wanted_back = Signal(str)
    """Path of the deleted lesson that should be there again."""

    def __init__(self) -> None:
        super().__init__()
        self._path = ""
        self._title = Label("", "title", wraps=True)
        self._place = ElidedLabel("", "small", "text2")
        self._head = QVBoxLayout()
        self._body = QVBoxLayout()
        self._body.setSpacing(8)
        inside = QWidget()
        inside.setLayout(
            column(
                row(self._title, -1, self._head, gap=8), 4, self._place, 16, self._body, -1, margins=(20, 16, 20, 16)
            )
        )
        self._scroll = scrolled(inside)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._scroll.setAccessibleName(self.tr("What changed"))
        self.open = Button(self.tr("Show in its topic"), on_click=lambda: self.opened.emit(self._path))
        self.put_back = Button(self.tr("Put back"), on_click=lambda: self.wanted_back.emit(self._path))
        self._foot = QWidget()
        self._foot.setLayout(column(rule(), row(-1, self.open, self.put_back, gap=8, margins=(20, 12, 20, 12))))
        whole = column(self._scroll, self._foot)
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def is_shown(self, path: str) -> bool:
        """True when the lesson of this path has been compared and stands there."""
        return self._path == path

    def show_coming(self, title: str, place: str) -> None:
        """A lesson that is being compared."""
        self._begin("", title, place)
        self._foot.hide()

    def show_misnamed(self, title: str, place: str, name: str) -> None:
        """A file that means to be a lesson and does not count as one."""
        self._begin("", title, place)
        self._foot.hide()
        self._body.addWidget(
            Label(
                self.tr("The file “{0}” has another name than lesson files have, so nobody finds it.").format(name),
                wraps=True,
            )
        )
        hint = self.tr("Import it: the lesson gets the right name, and nothing of it is lost.")
        self._body.addWidget(Label(hint, "body", "text2", wraps=True))

    def show_comparison(self, found: Comparison, *, has_foot: bool = True) -> None:
        """What changed in a lesson, or what was in one that is gone.

        Args:
            has_foot: what can be done with it is offered here.
        """
        self._begin(found.path, title_of(found.path.rpartition("/")[2]), where_words(found.path))
        word, tone, icon = change_words(found.kind)
        self._head.addWidget(Badge(word, tone, icon))  # type: ignore[arg-type]
        if found.was:
            self._body.addWidget(_moved(found))
        if found.then is not None:
            for part in _then(found.then):
                self._body.addWidget(part)
        is_skill = found.path.startswith("compositional_skills")
        self._section(self.tr("Examples") if is_skill else self.tr("Passages and questions"),
                      found.about("example", "context", "question", "answer"))  # fmt: skip
        self._section(self.tr("About the lesson"), found.about("lesson", "place", "field"))
        self._section(self.tr("Documents"), found.about("source", "document"))
        self._section(self.tr("Credits"), found.about("author", "credits"))
        if found.kind == "moved" and not found.differences:
            self._body.addWidget(Label(self.tr("What it says is as it was."), "body", "text2", wraps=True))
        if found.note:
            self._body.addWidget(Label(found.note, "body", "text2", wraps=True))
        self.put_back.setVisible(found.kind == "deleted")
        self.open.setVisible(found.kind != "deleted")
        self.open.setAccessibleName(self.tr("Show {0} in its topic").format(self._title.text()))
        self.put_back.setAccessibleName(self.tr("Put {0} back").format(self._title.text()))
        self._foot.setVisible(has_foot)
        announce(self._title, f"{self._title.text()}, {word}")

    def _begin(self, path: str, title: str, place: str) -> None:
        self._path = path
        empty(self._head)
        empty(self._body)
        self._title.setText(title)
        self._place.setText(place)
        self._scroll.verticalScrollBar().setValue(0)

    def _section(self, title: str, found: Sequence[Difference]) -> None:
        if not found:
            return
        self._body.addWidget(Label(title, "label", "text3"))
        for each in found[:_MOST_SHOWN]:
            self._body.addWidget(_difference(each))
        if len(found) > _MOST_SHOWN:
            self._body.addWidget(Label(tr("And {0} more.").format(len(found) - _MOST_SHOWN), "small", "text2"))


def _moved(found: Comparison) -> Card:
    name = title_of(found.path.rpartition("/")[2])
    was = title_of(found.was.rpartition("/")[2])
    lines: list[QWidget | int] = []
    for label, path, title in ((tr("Before"), found.was, was), (tr("Now"), found.path, name)):
        shown = where_words(path) if name == was else f"{where_words(path)} › {title}"
        lines += [Label(label, "label", "text3"), 2, Label(shown, "body", wraps=True), 8]
    return Card(*lines[:-1], padding=(14, 10))


def _then(lesson: Leaf) -> list[QWidget]:
    """What a lesson held that is gone."""
    is_facts = lesson.kind is LeafKind.KNOWLEDGE
    asked = [pair.question for example in lesson.seed_examples for pair in example.pairs if pair.question]
    amount = amount_words(is_facts, len(lesson.seed_examples), len(asked))
    shown: list[QWidget] = [
        Label(tr("It held {0}.").format(amount.replace(" · ", tr(" and "))), "body", "text2", wraps=True)
    ]
    about = lesson.document_outline or lesson.task_description
    if about:
        shown.append(Label(_short(about), wraps=True))
    if asked:
        items: list[QWidget | int] = []
        for question in asked[:_QUESTIONS_SHOWN]:
            items += [Label(_short(question), "body", wraps=True), 4]
        if len(asked) > _QUESTIONS_SHOWN:
            items.append(Label(tr("And {0} more.").format(len(asked) - _QUESTIONS_SHOWN), "small", "text2"))
        shown.append(Card(*items, padding=(14, 10)))
    return shown


def _difference(found: Difference) -> QFrame:
    icon, tone = _LOOKS[found.kind]
    parts: list[QWidget | int] = [Label(found.message, "strong", wraps=True)]
    old, new = _short(found.before, keeps_lines=True), _short(found.after, keeps_lines=True)
    if old and new:
        left, right = words_of_both(found.before[:_LETTERS_COMPARED], found.after[:_LETTERS_COMPARED])
        parts += [6, Label(tr("Before"), "label", "text3"), 2, marked(left, "s")]
        parts += [6, Label(tr("Now"), "label", "text3"), 2, marked(right, "b")]
    elif old or new:
        parts += [6, Label(old or new, "body", "text2", wraps=True)]
    line = row(column(2, Icon(icon, tone, 16), -1), column(*parts), gap=10)
    line.setStretch(1, 1)
    return Card(line, padding=(14, 10))


def _short(text: str, *, keeps_lines: bool = False) -> str:
    text = text.strip() if keeps_lines else " ".join(text.split())
    return text if len(text) <= _LETTERS_SHOWN else text[:_LETTERS_SHOWN].rsplit(None, 1)[0] + " …"
