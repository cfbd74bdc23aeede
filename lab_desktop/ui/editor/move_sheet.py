"""Which topic a lesson should lie in: the tree of topics, and words to find one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from lab_desktop.editing.topics import Topic
from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Label, column, row


class MoveSheet(QDialog):
    """Cancel does nothing.

    Attributes:
        field: words to find a topic.
        tree: the topics; the one that the lesson is in now is marked and cannot be taken.
        move_it: moves the lesson to the topic in hand.
    """

    chosen = Signal(object)
    """The path of a topic, relative to the library."""

    def __init__(self, title: str, here: Path, top: Topic, name: str, parent: QWidget | None = None) -> None:
        """
        Args:
            title: of the lesson.
            here: the topic that it lies in now.
            top: all topics of its kind.
            name: what the whole of them is called.
        """
        super().__init__(parent)
        self._here = here
        self.setWindowTitle(self.tr("Move the lesson"))
        self.setMinimumWidth(look().grown(300))
        self.resize(look().grown(460), look().grown(560))
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Find a topic"))
        self.field.setAccessibleName(self.tr("Find a topic"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._find)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(self.tr("Topics"))
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(18)
        self.tree.setUniformRowHeights(True)
        self._items: list[QTreeWidgetItem] = []
        whole = self._item(top, name)
        self.tree.addTopLevelItem(whole)
        whole.setExpanded(True)
        self.tree.currentItemChanged.connect(self._show)
        self.tree.itemActivated.connect(self._take)
        self._said = Label("", "small", "text2", wraps=True)
        self.move_it = Button(self.tr("Move here"), "primary", on_click=self._take)
        self.move_it.setDefault(True)
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        card = Card(self.tree, padding=(6, 6))
        inside = column(
            Label(self.tr("Move “{0}”").format(title), "title", wraps=True), 4,
            Label(self.tr("Its texts, its questions and what can be undone go along."), "body", "text2", wraps=True),
            14, self.field, 8, card, 8, self._said, 12, row(-1, cancel, self.move_it, gap=8),
            margins=(24, 20, 24, 16),
        )  # fmt: skip
        inside.setStretchFactor(card, 1)
        self.setLayout(inside)
        at = next((item for item in self._items if self._path(item) == here), whole)
        self._open_to(at)
        self.tree.setCurrentItem(at)
        self._show()
        self.field.setFocus()

    def _item(self, topic: Topic, name: str) -> QTreeWidgetItem:
        is_here = topic.path == self._here
        made = QTreeWidgetItem([self.tr("{0} – it is here now").format(name) if is_here else name])
        made.setData(0, Qt.ItemDataRole.UserRole, topic.path.as_posix())
        made.setIcon(0, icons.icon("folder", "text2", 16))
        self._items.append(made)
        for child in topic.children:
            made.addChild(self._item(child, child.title))
        return made

    def _path(self, item: QTreeWidgetItem) -> Path:
        return Path(str(item.data(0, Qt.ItemDataRole.UserRole)))

    def _open_to(self, item: QTreeWidgetItem) -> None:
        above = item.parent()
        while above is not None:
            above.setExpanded(True)
            above = above.parent()

    def _find(self, text: str) -> None:
        """Show the topics whose names hold all words, with what is above them; the first is taken in hand."""
        wanted = text.casefold().split()
        first = None
        for item in reversed(self._items):  # those below come before what they lie in
            name = item.text(0).casefold()
            is_found = all(word in name for word in wanted)
            children = (item.child(place) for place in range(item.childCount()))
            below = any(child is not None and not child.isHidden() for child in children)
            item.setHidden(bool(wanted) and not (is_found or below))
            if wanted and below:
                item.setExpanded(True)
            if wanted and is_found:
                first = item
        if first is not None:
            self.tree.setCurrentItem(first)
            self.tree.scrollToItem(first)
        self._show()

    @property
    def _taken(self) -> Path | None:
        item = self.tree.currentItem()
        return self._path(item) if item is not None and not item.isHidden() else None

    def _show(self) -> None:
        taken = self._taken
        if taken is None:
            why = self.tr("No topic is called so. New topics are made in the library.")
        elif taken == self._here:
            why = self.tr("The lesson is here now: choose another topic.")
        else:
            why = ""
        self._said.setText(why)
        self._said.setVisible(bool(why))
        self.move_it.setEnabled(not why)
        self.move_it.setAccessibleDescription(why)
        self.move_it.setToolTip(why)

    def _take(self) -> None:
        taken = self._taken
        if taken is not None and taken != self._here:
            self.chosen.emit(taken)
            self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and self.field.hasFocus():
            self.tree.setFocus()
        else:
            super().keyPressEvent(event)
