"""The library's tree for Qt: what nobody unfolded is not made, and of a big folder only as much as was scrolled to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal

from lab_desktop.taxonomy.index import Node
from lab_desktop.ui.pages.library.targets import may_lie_in
from lab_desktop.ui.pages.library.words import badge_of, lessons_words, title_words

Index = QModelIndex | QPersistentModelIndex
NODE = Qt.ItemDataRole.UserRole
_MIME = "application/x-lab-desktop-places"
_AT_ONCE = 200
"""Children that come at a time."""


@dataclass
class _Item:
    """A node that was looked at: its place in the model, and as many of its children as were asked for."""

    node: Node
    parent: int
    row: int
    children: list[int] = field(default_factory=list)


class TreeModel(QAbstractItemModel):
    renamed = Signal(object, str)
    """(Node, its new title)"""
    moved = Signal(object, object)
    """(paths, the topic they were dropped on)"""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[_Item] = []
        self._at: dict[str, int] = {}
        self._show_nothing()

    def _show_nothing(self) -> None:
        self._items = [_Item(Node(""), -1, 0)]
        self._at = {"": 0}

    def show(self, roots: Sequence[Node]) -> bool:
        """Another tree; False: only words and badges are others, so what is unfolded stays."""
        if self._takes_over(roots):
            return False
        self.beginResetModel()
        self._show_nothing()
        self._items[0].node = Node("", children=tuple(roots))
        self.endResetModel()
        self.fetchMore(QModelIndex())
        return True

    def _takes_over(self, roots: Sequence[Node]) -> bool:
        """Put new nodes in the place of those of the same path; False: there are others."""
        fresh: dict[int, Node] = {}
        waiting = [(0, Node("", children=tuple(roots)))]
        while waiting:
            number, node = waiting.pop()
            item = self._items[number]
            before = item.node.children
            if before is not node.children and [each.path for each in before] != [each.path for each in node.children]:
                return False
            fresh[number] = node
            waiting += [(child, node.children[self._items[child].row]) for child in item.children]
        changed = [number for number, node in fresh.items() if _looks(node) != _looks(self._items[number].node)]
        for number, node in fresh.items():
            self._items[number].node = node
        for number in changed:
            if number:
                index = self._index(number)
                self.dataChanged.emit(index, index)
        return True

    def node(self, index: Index) -> Node | None:
        """What is at an index; None: nothing, or it is of a tree that was here before."""
        node = self._item(index).node
        return node if node.path else None

    def find(self, path: str) -> QModelIndex:
        """Where a path is; what lies on the way is made. An invalid index: nowhere."""
        number = 0
        while self._items[number].node.path != path:
            item = self._items[number]
            row = next(
                (
                    row
                    for row, child in enumerate(item.node.children)
                    if path == child.path or path.startswith(child.path + "/")
                ),
                None,
            )
            if row is None:
                return QModelIndex()
            while len(item.children) <= row:
                self.fetchMore(self._index(number))
            number = item.children[row]
        return self._index(number)

    # What Qt asks

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        children = self._item(parent).children
        if column or not 0 <= row < len(children):
            return QModelIndex()
        return self.createIndex(row, 0, children[row])

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]
        return self._index(self._item(index).parent)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(self._item(parent).children)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        return bool(self._item(parent).node.children)

    def canFetchMore(self, parent: Index) -> bool:
        item = self._item(parent)
        return len(item.children) < len(item.node.children)

    def fetchMore(self, parent: Index) -> None:
        item = self._item(parent)
        number = parent.internalId() if parent.isValid() else 0
        first = len(item.children)
        coming = item.node.children[first : first + _AT_ONCE]
        if not coming:
            return
        self.beginInsertRows(parent, first, first + len(coming) - 1)
        for row, node in enumerate(coming, start=first):
            item.children.append(len(self._items))
            self._items.append(_Item(node, number, row))
        self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.node(index)
        if node is None:
            return None
        if role == NODE:
            return node
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return title_words(node)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{title_words(node)}, {badge_of(node.badge)[0] if node.is_leaf else lessons_words(node.lessons)}"
        if role == Qt.ItemDataRole.ToolTipRole and node.is_leaf:
            return f"{node.title} · {badge_of(node.badge)[0]}"
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        node = self.node(index)
        title = " ".join(str(value).split())
        if node is not None and title and title != node.title:
            self.renamed.emit(node, title)
        return False  # it is true when the library says so

    def flags(self, index: Index) -> Qt.ItemFlag:
        node = self.node(index)
        if node is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not node.is_read_only:
            if not node.is_leaf:
                flags |= Qt.ItemFlag.ItemIsDropEnabled
            if not node.is_root:
                flags |= Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsEditable
        return flags

    # Drag and drop

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        made = QMimeData()
        paths = [node.path for index in indexes if (node := self.node(index)) is not None]
        made.setData(_MIME, json.dumps(paths).encode())
        return made

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        topic = self.node(parent)
        return topic is not None and bool(_carried(data)) and may_lie_in(_carried(data), topic)

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        topic = self.node(parent)
        if topic is not None and self.canDropMimeData(data, action, row, column, parent):
            self.moved.emit(_carried(data), topic)
        return False  # the view must not take away what was moved; the library says what is where

    def _item(self, index: Index) -> _Item:
        number = index.internalId() if index.isValid() else 0
        return self._items[number] if number < len(self._items) else _Item(Node(""), -1, 0)

    def _index(self, number: int) -> QModelIndex:
        return self.createIndex(self._items[number].row, 0, number) if number > 0 else QModelIndex()


def _looks(node: Node) -> tuple[object, ...]:
    """What is drawn of it, and said."""
    return node.badge, node.lessons


def _carried(data: QMimeData) -> list[str]:
    return [str(path) for path in json.loads(bytes(data.data(_MIME).data()) or b"[]")]
