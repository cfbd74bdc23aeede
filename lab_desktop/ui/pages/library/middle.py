"""The middle column: a heading, a list of lessons, what can be done with the one in hand, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lab_desktop.ui.pages.library.rows import Row, RowList, Rows
from lab_desktop.ui.widgets.basic import Button, ElidedLabel, Icon, Label, announce, column, row


class Middle(QWidget):
    """
    Attributes:
        list: of whatever is shown now.
        facts, skill, file: buttons of who has no lesson yet.
    """

    left = Signal()
    """The way back to the topic was taken."""

    def __init__(self) -> None:
        super().__init__()
        self._doing: Callable[[], object] = lambda: None
        self._back = Button("", "quiet", icon="chevron-left", size="small", on_click=self.left.emit)
        self._back.setAccessibleName(self.tr("Back to the topics"))
        self._back.setToolTip(self.tr("Back to the topics (Esc)"))
        self.title = ElidedLabel("", "title")
        self._about = Label("", "body", "text2", wraps=True)
        self.action = Button("", size="small", on_click=lambda: self._doing())
        self.list = RowList(self.tr("Lessons"))
        self._nothing_title = Label("", "head", wraps=True)
        self._nothing = Label("", "body", "text2", wraps=True)
        nothing = QWidget()
        nothing.setLayout(
            column(row(Icon("search", "text3", 24), -1), 10, self._nothing_title, 4, self._nothing, -1,
                   margins=(24, 24, 24, 24))
        )  # fmt: skip
        self.facts = Button(self.tr("Teach facts from a document"), icon="book")
        self.skill = Button(self.tr("Teach a skill by examples"), icon="edit")
        self.file = Button(self.tr("Import a lesson file…"), "plain", icon="document")
        self.first = QWidget()
        self.first.setLayout(
            column(
                row(Icon("library", "accent", 32), -1), 12,
                Label(self.tr("No lessons yet."), "title"), 6,
                Label(
                    self.tr("A lesson is a page or two plus questions you would ask about it."), "body", "text2",
                    wraps=True,
                ), 20,
                self.facts, 8, self.skill, 8, self.file, -1,
                margins=(24, 32, 24, 24),
            )
        )  # fmt: skip
        self._stack = QStackedWidget()
        for page in (self.list, nothing, self.first):
            self._stack.addWidget(page)
        head = row(self._back, self.title, self.action, gap=6, margins=(20, 14, 16, 2))
        head.setStretch(1, 1)
        listed = row(self._stack, margins=(8, 8, 8, 8))
        whole = column(head, row(self._about, margins=(20, 0, 20, 0)), listed)
        whole.setStretch(2, 1)
        self.setLayout(whole)

    def begin(self, title: str, about: str = "", *, is_aside: bool = False) -> None:
        """Another heading.

        Args:
            is_aside: what is shown is no topic, and there is a way back.
        """
        self.title.setText(title)
        self._about.setText(about)
        self._about.setVisible(bool(about))
        self._back.setVisible(is_aside)
        self.offer("")

    def offer(self, words: str, do: Callable[[], object] | None = None) -> None:
        """What can be done with the row in hand, or with all; "" nothing."""
        self.action.setText(words)
        self.action.setVisible(bool(words))
        self._doing = do or (lambda: None)

    def show_rows(self, rows: Rows | Sequence[Row], nothing: tuple[str, str]) -> None:
        """
        Args:
            nothing: a title and a sentence for where there is no row.
        """
        self.list.show_rows(rows)
        self._stack.setCurrentIndex(0 if rows else 1)
        if not rows:
            self._nothing_title.setText(nothing[0])
            self._nothing.setText(nothing[1])
            announce(self._nothing_title, nothing[0])

    def show_first(self) -> None:
        """Nobody wrote a lesson here yet."""
        self.list.show_rows(())
        self._stack.setCurrentWidget(self.first)
