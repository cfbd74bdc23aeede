"""Practice questions as a table: what the teacher wrote, what the checks found, what the person decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from lab_desktop.artifacts import Sample
from lab_desktop.reviews import Review
from lab_desktop.ui import icons
from lab_desktop.ui.theme import look

_Index = QModelIndex | QPersistentModelIndex
_ROW_HEIGHT = 52
STATE, TEXT, PASSAGE, SCORE, WHY = range(5)
Filter = str
"""all, open (not reviewed), weak, alike (too similar), dropped"""

WORDS: dict[str, tuple[str, str, str]] = {
    "strong": ("check", "good", "Strong"),
    "ok": ("dash", "text2", "OK"),
    "weak": ("warn", "warn", "Weak"),
}
_STRONG = 0.75


@dataclass(frozen=True)
class Row:
    """A practice question as it stands."""

    sample: Sample
    review: Review | None = None

    @property
    def is_kept(self) -> bool:
        return self.review.verdict == "keep" if self.review else self.sample.accepted

    @property
    def question(self) -> str:
        return (self.review.question if self.review else "") or self.sample.question

    @property
    def answer(self) -> str:
        return (self.review.answer if self.review else "") or self.sample.answer

    @property
    def word(self) -> str:
        """The score as a word: what the checks let through is strong where one of them confirmed it."""
        if not self.sample.accepted:
            return "weak"
        scores = self.sample.scores.values()
        return "strong" if scores and min(scores) >= _STRONG else "ok"


class ReviewModel(QAbstractTableModel):
    """The rows in the order in which they were decided, the newest last; `at` finds one by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._place: dict[str, int] = {}
        self._headers = [
            "", self.tr("Question and answer"), self.tr("Passage"), self.tr("Score"), self.tr("Why"),
        ]  # fmt: skip

    def show(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self._place = {row.sample.id: number for number, row in enumerate(self.rows)}
        self.endResetModel()

    def add(self, row: Row) -> None:
        if row.sample.id in self._place:
            return
        at = len(self.rows)
        self.beginInsertRows(QModelIndex(), at, at)
        self.rows.append(row)
        self._place[row.sample.id] = at
        self.endInsertRows()

    def change(self, row: Row) -> None:
        at = self._place[row.sample.id]
        self.rows[at] = row
        self.dataChanged.emit(self.index(at, 0), self.index(at, WHY))

    def at(self, sample: str) -> Row:
        return self.rows[self._place[sample]]

    def counts(self) -> Counter[str]:
        """How many rows each filter shows."""
        counted: Counter[str] = Counter()
        for row in self.rows:
            counted.update(name for name in FILTERS if FILTERS[name](row))
        return counted

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headers[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            kept = self.tr("kept") if row.is_kept else self.tr("dropped")
            return f"{row.question} {row.answer}. {WORDS[row.word][2]}, {kept}. {why(row)}"
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                "",
                f"{row.question}\n{row.answer}",
                passage_words(row.sample),
                WORDS[row.word][2],
                why(row),
            )[index.column()]
        return None


def why(row: Row) -> str:
    """A sentence: what decided about the row."""
    if row.review is not None:
        if row.review.verdict == "drop":
            return "Dropped by you"
        return "Fixed by you" if row.review.question or row.review.answer else "Kept by you"
    if row.sample.reason:
        return row.sample.reason
    return "Same answer found twice" if row.word == "strong" else "Nothing speaks against it"


def passage_words(sample: Sample) -> str:
    return str(sample.passage + 1) if sample.passage >= 0 else "–"


FILTERS: dict[Filter, Callable[[Row], bool]] = {
    "all": lambda row: row.is_kept,
    "open": lambda row: row.is_kept and row.review is None,
    "weak": lambda row: row.is_kept and row.word != "strong",
    "alike": lambda row: row.sample.stage == "duplicate",
    "dropped": lambda row: not row.is_kept,
}


class Filtered(QSortFilterProxyModel):
    """The rows of one filter."""

    def __init__(self, model: ReviewModel) -> None:
        super().__init__()
        self._model = model
        self._filter: Filter = "all"
        self.setSourceModel(model)
        self.setDynamicSortFilter(True)

    def choose(self, name: Filter) -> None:
        self.beginFilterChange()
        self._filter = name
        self.endFilterChange()

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:
        return FILTERS[self._filter](self._model.rows[source_row])


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(80, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        box = QRectF(option.rect)
        state = option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, theme.color("tint" if is_chosen else "hover"))
        painter.setPen(theme.color("line"))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        inside = box.adjusted(8, 0, -8, 0)
        if index.column() == STATE:
            self._draw_state(painter, box, row)
        elif index.column() == TEXT:
            self._draw_text(painter, inside, row, is_chosen)
        elif index.column() == SCORE:
            icon, tone, word = WORDS[row.word]
            icons.draw(painter, icon, QRectF(inside.left(), box.center().y() - 7, 14, 14), tone)
            painter.setPen(theme.color(tone))
            painter.setFont(look().font("control"))
            painter.drawText(inside.adjusted(20, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, word)
        else:
            painter.setPen(theme.color("text2"))
            painter.setFont(look().font("small"))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(inside.adjusted(0, 8, 0, -8), int(flags), str(index.data()))
        painter.restore()

    @staticmethod
    def _draw_state(painter: QPainter, box: QRectF, row: Row) -> None:
        mark = QRectF(box.center().x() - 7, box.center().y() - 7, 14, 14)
        if row.review is None and row.is_kept:
            painter.setPen(look().theme.color("line2"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(mark)
        elif not row.is_kept:
            icons.draw(painter, "cross", mark, "text3")
        elif row.review is not None and (row.review.question or row.review.answer):
            icons.draw(painter, "edit", mark, "accent")
        else:
            icons.draw(painter, "check", mark, "good")

    @staticmethod
    def _draw_text(painter: QPainter, box: QRectF, row: Row, is_chosen: bool) -> None:
        theme = look().theme
        is_dropped = not row.is_kept
        for style, tone, text, top in (
            ("control", "text3" if is_dropped else "text", row.question, 8),
            ("small", "text3" if is_dropped else "text2", row.answer, 28),
        ):
            font = look().font(style)  # type: ignore[arg-type]
            font.setStrikeOut(is_dropped)
            painter.setFont(font)
            painter.setPen(theme.color(tone))
            line = " ".join(text.split())
            shown = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(QRectF(box.left(), box.top() + top, box.width(), 18), Qt.AlignmentFlag.AlignVCenter, shown)


class ReviewTable(QTableView):
    """Keys: K keep, F fix, D drop, Z undo; arrows walk."""

    decided = Signal(str, str)
    """(sample id, "keep" | "drop" | "fix" | "undo")"""
    chosen = Signal(object)
    """Row or None"""

    def __init__(self, model: ReviewModel) -> None:
        super().__init__()
        self.filtered = Filtered(model)
        self.setModel(self.filtered)
        self.setItemDelegate(_Delegate())
        self._delegate = self.itemDelegate()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Practice questions"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        for column, width in ((STATE, 44), (PASSAGE, 70), (SCORE, 92), (WHY, 200)):
            self.setColumnWidth(column, width)
        self.selectionModel().currentRowChanged.connect(lambda *_: self.chosen.emit(self.row()))

    def row(self) -> Row | None:
        """The selected one."""
        index = self.currentIndex()
        found: Row | None = index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None
        return found

    def step(self, by: int) -> None:
        """Select the next row, or the one before."""
        count = self.filtered.rowCount()
        if count:
            at = min(count - 1, max(0, self.currentIndex().row() + by))
            self.selectRow(at)
            self.scrollTo(self.filtered.index(at, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_K: "keep", Qt.Key.Key_D: "drop", Qt.Key.Key_F: "fix", Qt.Key.Key_Z: "undo"}
        name = keys.get(Qt.Key(event.key()))
        row = self.row()
        if name and not event.modifiers() and (row is not None or name == "undo"):
            self.decided.emit(row.sample.id if row else "", name)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.step(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)


def with_review(row: Row, verdict: str, question: str = "", answer: str = "") -> Row:
    """The row as just decided; "undone" takes the decision back."""
    if verdict == "undone":
        return replace(row, review=None)
    return replace(row, review=Review(row.sample.id, verdict, question, answer))  # type: ignore[arg-type]
