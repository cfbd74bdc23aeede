"""The tree of topics and lessons on screen: drawn by a delegate, renamed in place, sorted by dragging or by keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from lab_desktop.taxonomy.index import Node
from lab_desktop.ui import icons
from lab_desktop.ui.pages.library.rows import draw_line
from lab_desktop.ui.pages.library.tree_model import NODE, Index, TreeModel
from lab_desktop.ui.pages.library.words import badge_of, title_words
from lab_desktop.ui.theme import TypeStyle, look

_INDENT = 18
_WAYS = {
    Qt.Key.Key_Left: "out", Qt.Key.Key_Right: "in", Qt.Key.Key_Up: "before", Qt.Key.Key_Down: "after",
}  # fmt: skip
_ROOT_ICONS = {"knowledge": "book", "compositional_skills": "edit", "foundational_skills": "layers"}


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, max(28, look().line_height("body") + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        node: Node = index.data(NODE)
        theme = look().theme
        box = QRectF(option.rect).adjusted(2, 0, -10, 0)
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        name = _ROOT_ICONS.get(node.path) or ("document" if node.is_leaf else "folder")
        icons.draw(painter, name, QRectF(box.left(), box.center().y() - 8, 16, 16), "accent" if is_chosen else "text2")
        right = box.right()
        if node.is_leaf:
            _, tone, icon = badge_of(node.badge)
            if icon:
                role = tone if tone != "plain" else "text3"
                icons.draw(painter, icon, QRectF(right - 14, box.center().y() - 7, 14, 14), role)
                right -= 20
        elif node.lessons:
            painter.setFont(look().font("small"))
            painter.setPen(theme.color("text3"))
            count = str(node.lessons)
            wide = painter.fontMetrics().horizontalAdvance(count)
            painter.drawText(
                QRectF(right - wide, box.top(), wide + 1, box.height()), Qt.AlignmentFlag.AlignVCenter, count
            )
            right -= wide + 6
        painter.setPen(theme.color("text"))
        left = box.left() + 24
        style: TypeStyle = "strong" if is_chosen else "body"
        draw_line(painter, style, QRectF(left, box.top(), right - left, box.height()), title_words(node))
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        made = QLineEdit(parent)
        made.setAccessibleName(self.tr("New name"))
        return made

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        box = QRect(option.rect).adjusted(20, 0, -4, 0)
        high = max(box.height(), editor.minimumSizeHint().height())
        editor.setGeometry(box.left(), box.center().y() - high // 2, box.width(), high)


class TreeView(QTreeView):
    chosen = Signal(object)
    """The Node the person came to."""
    opened = Signal(object)
    """The lesson that was clicked twice."""
    shifted = Signal(str)
    """Where what is in hand should go: "out" of its topic, "in" the topic above it, "before" or "after" its topic."""
    menu_wanted = Signal(object, QPoint)
    """(Node, place on the screen)"""

    def __init__(self, model: TreeModel) -> None:
        super().__init__()
        self._model = model
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName(self.tr("Topics and lessons"))
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIndentation(_INDENT)
        self.setUniformRowHeights(True)
        self.setAnimated(False)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setAutoExpandDelay(700)
        self.selectionModel().currentChanged.connect(self._came_to)
        self.doubleClicked.connect(self._clicked_twice)
        look().changed.connect(self.doItemsLayout)

    @property
    def node(self) -> Node | None:
        """The one in hand."""
        return self._model.node(self.currentIndex())

    def show_tree(self, roots: Sequence[Node]) -> None:
        """Another tree, unfolded where this one was, with the same node in hand."""
        in_hand = self.node.path if self.node else ""
        unfolded = self._unfolded()
        top = self.verticalScrollBar().value()
        if self._model.show(roots):
            for path in unfolded or [root.path for root in roots]:
                self.expand(self._model.find(path))
            self.verticalScrollBar().setValue(top)
        if in_hand:
            self.choose(in_hand, scrolls=False)

    def choose(self, path: str, *, scrolls: bool = True) -> bool:
        """Take a node in hand, or the nearest topic above where it was; False: not even its kind is there."""
        while not (index := self._model.find(path)).isValid():
            if "/" not in path:
                return False
            path = path.rpartition("/")[0]
        self.setCurrentIndex(index)
        if scrolls:
            self.scrollTo(index)
        return True

    def begin_rename(self) -> None:
        """A field in place of the name in hand."""
        index = self.currentIndex()
        if index.isValid() and self._model.flags(index) & Qt.ItemFlag.ItemIsEditable:
            self.setFocus()
            self.scrollTo(index)
            self.edit(index)

    def _unfolded(self) -> list[str]:
        """Paths of what is unfolded, the outer ones first."""
        found: list[str] = []
        waiting = [self._model.index(row, 0) for row in range(self._model.rowCount())]
        while waiting:
            index = waiting.pop()
            node = self._model.node(index)
            if node is not None and self.isExpanded(index):
                found.append(node.path)
                waiting += [self._model.index(row, 0, index) for row in range(self._model.rowCount(index))]
        return found

    def _came_to(self, index: QModelIndex) -> None:
        if (node := self._model.node(index)) is not None:
            self.chosen.emit(node)

    def _clicked_twice(self, index: QModelIndex) -> None:
        if (node := self._model.node(index)) is not None and node.is_leaf:
            self.opened.emit(node)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        way = _WAYS.get(Qt.Key(event.key())) if event.modifiers() & both == both else None
        if way is not None and self.node is not None:
            self.shifted.emit(way)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.state() != self.State.EditingState:
            self.begin_rename()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        is_by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if is_by_key else self.indexAt(event.pos())
        if (node := self._model.node(index)) is not None:
            self.setCurrentIndex(index)
            place = self.visualRect(index).center() if is_by_key else event.pos()
            self.menu_wanted.emit(node, self.viewport().mapToGlobal(place))

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The ground of a row goes over its whole width, below the arrow too."""
        theme = look().theme
        box = QRectF(option.rect).adjusted(4, 0, -4, 0)
        is_chosen = self.selectionModel().isSelected(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sel"))
            painter.drawRoundedRect(box, 6, 6)
        if self.hasFocus() and index == self.currentIndex():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        painter.restore()
        plain = QStyleOptionViewItem(option)
        plain.palette.setColor(QPalette.ColorRole.Highlight, Qt.GlobalColor.transparent)
        super().drawRow(painter, plain, index)

    def drawBranches(self, painter: QPainter, rect: QRect, index: Index) -> None:
        if self._model.hasChildren(index):
            arrow = "chevron-down" if self.isExpanded(index) else "chevron-right"
            box = QRectF(rect.right() - 14, rect.center().y() - 5, 12, 12)
            icons.draw(painter, arrow, box, "text2")
