"""Page 1: the lesson as a reader sees it, what goes along, what stays, and what has to be mended first."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from lab_desktop.artifacts import LeafKind
from lab_desktop.contribution.parcel import Obstacle
from lab_desktop.ui.pages.share.face import Face
from lab_desktop.ui.pages.share.preparing import Look
from lab_desktop.ui.pages.share.reader import ChangeView, Reader, amount
from lab_desktop.ui.session import Spot
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, empty, row, scrolled
from lab_desktop.ui.words import model_word, number, tr

_SIDE = 204
_OBSTACLES_SHOWN = 6


class WhatPage(QWidget):
    """Attributes:
    reader, changes: the lesson as it is read, and line by line.
    details: shows the one or the other.
    mends: the buttons that go to what has to be mended, in the order of the obstacles.
    """

    mend = Signal(object)
    """The `Spot` that the person wants to mend."""

    def __init__(self) -> None:
        super().__init__()
        self._look: Look | None = None
        self.mends: list[Button] = []
        self.reader, self.changes = Reader(), ChangeView()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.reader)
        self._stack.addWidget(self.changes)
        card = Card(self._stack, padding=(20, 16))
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        inside = QWidget()
        inside.setLayout(column(self._list, -1, margins=(0, 2, 6, 0)))
        self._side = scrolled(inside)
        self._side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.details = Button("", "quiet", icon="chevron-right", on_click=self._fold)
        self.details.setProperty("flush", True)
        side = column(self._side, 4, row(self.details, -1))
        side.setStretch(0, 1)
        self._right = QWidget()
        self._right.setLayout(side)
        whole = row(card, self._right, gap=24)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        look().changed.connect(self._fit)
        self._fit()

    def show_look(self, seen: Look) -> None:
        """Anew for a lesson."""
        self._look = seen
        self.reader.show_leaf(seen.leaf, seen.parcel.title)
        self.changes.show_lines(seen.lines)
        self._stack.setCurrentIndex(0)
        self._name_details()
        empty(self._list)
        self.mends = []
        if seen.obstacles:
            self._list.addWidget(self._obstacles(seen))
        before: QWidget = self.changes
        for mend in self.mends:
            self.setTabOrder(before, mend)
            before = mend
        self._list.addWidget(Label(self.tr("You send"), "strong"))
        for text in self._sent(seen):
            self._list.addWidget(_line("check", "good", text))
        self._list.addSpacing(12)
        self._list.addWidget(Label(stays_here(), "strong"))
        for text in self._kept(seen):
            self._list.addWidget(_line("lock", "text2", text, "text2"))
        self._fit()

    def _sent(self, seen: Look) -> list[str]:
        lines = [self.tr("The lesson: {0}").format(amount(seen.leaf))]
        if seen.parcel.documents:
            words = sum(len(content.split()) for content in seen.parcel.documents.values())
            count = len(seen.parcel.documents)
            name = self.tr("Its document") if count == 1 else self.tr("Its {0} documents").format(count)
            lines.append(self.tr("{0}, {1} words").format(name, number(words)))
        if not seen.parcel.is_new:
            lines.append(self.tr("It takes the place of the version that the community has"))
        return [*lines, self.tr("Your name and the licence (next page)")]

    def _kept(self, seen: Look) -> list[str]:
        lines = [self.tr("Your chats and votes")]
        kept = seen.shown.made[1] if seen.shown is not None else 0
        questions = (
            self.tr("The {0} practice questions").format(number(kept)) if kept else self.tr("Practice questions")
        )
        lines.append(questions)
        if seen.leaf.kind is LeafKind.KNOWLEDGE:
            lines.append(self.tr("The original files of its document"))
        trained = model_word(Path(f"{seen.shown.trained}.gguf")) if seen.shown and seen.shown.trained else ""
        return [*lines, self.tr("{0}, the trained model").format(trained) if trained else self.tr("Your models")]

    def _obstacles(self, seen: Look) -> QFrame:
        """What has to be mended first, and what only should be."""
        first, others = [each for each in seen.obstacles if each.is_final], [
            each for each in seen.obstacles if not each.is_final
        ]  # fmt: skip
        parts: list[QWidget | int] = []
        for title, some in ((self.tr("Mend this first"), first), (self.tr("Worth a look"), others)):
            if some:
                parts += [*([10] if parts else []), Label(title, "strong"), 2]
                for obstacle in some[:_OBSTACLES_SHOWN]:
                    parts += [4, self._obstacle(seen, obstacle)]
                if len(some) > _OBSTACLES_SHOWN:
                    more = self.tr("And {0} more.").format(number(len(some) - _OBSTACLES_SHOWN))
                    parts += [4, Label(more, "small", "text2")]
        made = QFrame()
        made.setProperty("surface", "warn")
        made.setLayout(column(*parts, margins=(12, 10, 12, 10)))
        return made

    def _obstacle(self, seen: Look, obstacle: Obstacle) -> QWidget:
        mend = Button(self.tr("Mend it"), "plain", size="small")
        mend.setProperty("flush", True)
        mend.setAccessibleName(self.tr("Mend it: {0}").format(obstacle.message))
        part = {"credits": "credits", "document": "document"}.get(obstacle.what, "")
        mend.clicked.connect(functools.partial(self._mend, Spot(seen.folder, part)))
        self.mends.append(mend)
        made = QWidget()
        made.setLayout(
            column(
                Label(obstacle.message, "body", wraps=True), 2, Label(obstacle.hint, "small", "text2", wraps=True), 2,
                row(mend, -1),
            )
        )  # fmt: skip
        return made

    def _mend(self, spot: Spot, _: bool = False) -> None:
        self.mend.emit(spot)

    def _fold(self) -> None:
        self._stack.setCurrentIndex(1 - self._stack.currentIndex())
        self._name_details()

    def _name_details(self) -> None:
        is_open = self._stack.currentIndex() == 1
        files = len(self._look.parcel.files) + len(self._look.parcel.documents) if self._look is not None else 0
        long = self.tr("Details – 1 file, all changes") if files == 1 else self.tr(
            "Details – {0} files, all changes"
        ).format(files)  # fmt: skip
        name = self.tr("Back to the lesson") if is_open else long
        self.details.setText(name)
        self.details.setAccessibleName(name)
        if self.details.sizeHint().width() > self._right.width():
            self.details.setText(name.partition(",")[0])
        self.details.set_icon("chevron-left" if is_open else "chevron-right")

    def face(self) -> Face:
        about = self.tr("Look through it as a reader would. Nothing is sent before the last page.")
        on = self.tr("Continue")
        if self._look is None:
            return Face(about, on)
        if self._look.is_stopped:
            why = self.tr("First mend what stands on the right.")
            return Face(about, on, why, why, "warn", "warn")
        count = len(self._look.findings)
        if not count:
            return Face(about, on, "", self.tr("No e-mail addresses or phone numbers found"), "check", "good")
        words = self.tr("{0} places look private: you decide on the next page").format(count)
        words = self.tr("1 place looks private: you decide on the next page") if count == 1 else words
        return Face(about, on, "", words, "info", "warn")

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.reader

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        has_obstacles = self._look is not None and bool(self._look.obstacles)
        self._right.setFixedWidth(min(look().grown(_SIDE + 56 * has_obstacles), max(160, self.width() * 2 // 5)))
        self._name_details()


def stays_here() -> str:
    """What the list of what is not sent is headed."""
    return tr("Stays on this Mac") if sys.platform == "darwin" else tr("Stays on this computer")


def _line(icon: str, role: str, text: str, tone: str = "text") -> QWidget:
    made = QWidget()
    line = row(column(2, Icon(icon, role, 16), -1), Label(text, "body", tone, wraps=True), gap=8)
    line.setStretch(1, 1)
    made.setLayout(line)
    return made
