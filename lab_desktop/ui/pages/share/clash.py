"""Two versions of a lesson side by side: what somebody else made of it, and the person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from lab_desktop.contribution.sending import Clash
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.differences import About, Difference, differences
from lab_desktop.taxonomy.qna import parse_draft
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.ui.widgets.basic import Card, Flowing, Label, column, empty, row, rule, scrolled
from lab_desktop.ui.widgets.difference import marked, words_of_both
from lab_desktop.ui.words import tr

_MOST_SHOWN = 60
_MOST_BYTES = 400_000
_LETTERS = 4_000


@dataclass(frozen=True)
class Apart:
    """Something in which the two versions differ.

    Attributes:
        title: what it is.
        theirs, ours: "" where that version lacks it.
    """

    title: str
    theirs: str
    ours: str


def apart(clash: Clash) -> tuple[Apart, ...]:
    """Everything in which the two versions differ; draws nothing, for a thread."""
    found: list[Apart] = []
    for path in sorted(clash.theirs.keys() | clash.ours.keys()):
        theirs, ours = clash.theirs.get(path), clash.ours.get(path)
        if theirs == ours:
            continue
        name = path.rpartition("/")[2]
        in_words = _lessons_apart(path, theirs, ours) if name == FILE_NAME and theirs and ours else None
        if in_words is None:
            title = {FILE_NAME: tr("The lesson"), "attribution.txt": tr("The credits")}.get(name, name)
            in_words = [Apart(title, *_lines_apart(theirs or b"", ours or b""))]
        found += in_words
    return tuple(found)


def _lessons_apart(path: str, theirs: bytes, ours: bytes) -> list[Apart] | None:
    """In words of the lesson; None where one of the two cannot be read as a lesson."""
    if max(len(theirs), len(ours)) > _MOST_BYTES:
        return None
    folder = Path("/", *path.split("/")[:-1])
    try:
        one, other = (parse_draft(text.decode("utf-8", "replace"), folder) for text in (theirs, ours))
    except LabError:
        return None
    return [Apart(_title(each), each.before, each.after) for each in differences(one, other)]


def _title(found: Difference) -> str:
    names: dict[About, str] = {
        "lesson": tr("The lesson"),
        "place": tr("Its place"),
        "field": tr("About the lesson"),
        "author": tr("Who wrote it"),
        "source": tr("Where its document is"),
        "example": tr("Passage with its questions"),
        "context": tr("Passage"),
        "question": tr("Question"),
        "answer": tr("Answer"),
        "document": tr("Document"),
        "credits": tr("The credits"),
    }
    title = names[found.about]
    return title if found.example < 0 else tr("{0} {1}").format(title, found.example + 1)


def _lines_apart(theirs: bytes, ours: bytes) -> tuple[str, str]:
    """The lines of each that the other one lacks."""
    texts = [data[:_MOST_BYTES].decode("utf-8", "replace").splitlines() for data in (theirs, ours)]
    sets = [set(lines) for lines in texts]
    there = [line for line in texts[0] if line.strip() and line not in sets[1]]
    here = [line for line in texts[1] if line.strip() and line not in sets[0]]
    return "\n".join(there), "\n".join(here)


class ClashView(QWidget):
    """Attributes:
    place: whose version stands on the left.
    """

    def __init__(self) -> None:
        super().__init__()
        self._words = Label("", "body", "text2", wraps=True)
        self.place = Label("", "head", wraps=True)
        heads = row(column(self.place), column(Label(self.tr("Yours"), "head")), gap=20)
        heads.setStretch(0, 1)
        heads.setStretch(1, 1)
        self._body = QVBoxLayout()
        self._body.setSpacing(12)
        whole = column(self._words, 16, heads, 8, rule(), 12, self._body, -1, margins=(0, 0, 12, 16))
        self._scroll = scrolled(Flowing(whole))
        self._scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._scroll.setAccessibleName(self.tr("Both versions"))
        self.setLayout(column(self._scroll))

    def show_coming(self, place: str) -> None:
        """They are being compared."""
        empty(self._body)
        self.place.setText(self.tr("Now in {0}").format(place))
        self._words.setText(self.tr("Comparing both …"))

    def show_both(self, place: str, found: Sequence[Apart]) -> None:
        empty(self._body)
        self.place.setText(self.tr("Now in {0}").format(place))
        self._words.setText(
            self.tr(
                "Take over into your lesson what they did better, and share it again; or send yours as it is. Theirs "
                "stays in the history, and the reviewers see both."
            )
        )
        for each in found[:_MOST_SHOWN]:
            self._body.addWidget(_both(each))
        if len(found) > _MOST_SHOWN:
            self._body.addWidget(Label(self.tr("And {0} more.").format(len(found) - _MOST_SHOWN), "small", "text2"))
        if not found:
            self._body.addWidget(
                Label(self.tr("Both say the same; only the form of the file differs."), "body", "text2", wraps=True)
            )


def _both(found: Apart) -> Card:
    left, right = words_of_both(found.theirs[:_LETTERS], found.ours[:_LETTERS])
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(20)
    for place, (parts, text) in enumerate(((left, found.theirs), (right, found.ours))):
        grid.setColumnStretch(place, 1)
        words = marked(parts, "b") if text.strip() else Label(tr("not there"), "body", "text3")
        grid.addWidget(words, 0, place, Qt.AlignmentFlag.AlignTop)
    return Card(Label(found.title, "label", "text3"), 4, grid, padding=(16, 12))
