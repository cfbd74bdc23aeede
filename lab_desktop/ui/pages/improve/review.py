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
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
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
from lab_desktop.reviews import Review, is_learned
from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look
from lab_desktop.ui.words import tr

_Index = QModelIndex | QPersistentModelIndex
_ROW_HEIGHT = 52
STATE, TEXT, PASSAGE, SCORE, WHY = range(5)
Filter = str
"""all, open (not reviewed), weak, alike (too similar), dropped"""

_STRONG = 0.75
_MANY = 200
"""Rows that change at once and are shown anew as a whole: a filter would take them out one by one."""
_WIDTHS = {STATE: 44, PASSAGE: 68, SCORE: 84, WHY: 168}
_ROOM = {WHY: 640, PASSAGE: 430}
"""A column is shown from this width of the table on."""
Group = str | tuple[str, str | int]


@dataclass(frozen=True)
class Row:
    """A practice question as it stands."""

    sample: Sample
    review: Review | None = None

    @property
    def is_kept(self) -> bool:
        return is_learned(self.review, self.sample.question, self.sample.answer, self.sample.accepted)

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
    """The rows in the order in which they were decided, the newest last; `at` finds one by its id.

    Attributes:
        tally: how many rows are in each group: each filter, "strong" (what can be accepted at once), ("lost", stage) of
            the checks, ("passage", number) of kept rows. It changes with each row and is never counted anew.
        headings: of each passage.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.tally: Counter[Group] = Counter()
        self.headings: dict[int, str] = {}
        self._groups: list[frozenset[Group]] = []
        self._kinds: dict[frozenset[Group], frozenset[Group]] = {}
        self._place: dict[str, int] = {}
        self._headers = [
            "", self.tr("Question and answer"), self.tr("Passage"), self.tr("Score"), self.tr("Why"),
        ]  # fmt: skip

    def show(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self.rows, self._groups, self._place = [], [], {}
        self.headings = {}
        self.tally.clear()
        self._take(rows)
        self.endResetModel()

    def add(self, *rows: Row) -> None:
        """New rows; one that is known already is left out."""
        new = [row for row in rows if row.sample.id not in self._place]
        if new:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(new) - 1)
            self._take(new)
            self.endInsertRows()

    def _take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._place[row.sample.id] = len(self.rows)
            self.rows.append(row)
            self._groups.append(self._known(groups(row)))
            self.tally.update(self._groups[-1])
            if row.sample.passage not in self.headings:
                self.headings[row.sample.passage] = row.sample.context.split("\n", 1)[0].split(" › ")[-1]

    def _known(self, found: frozenset[Group]) -> frozenset[Group]:
        """The same groups, kept once: of many thousand rows there are a few dozen kinds."""
        return self._kinds.setdefault(found, found)

    def change(self, *rows: Row) -> None:
        """The same rows with other decisions."""
        self.change_unseen(*rows)
        if len(rows) > _MANY:
            self.show_anew()
            return
        for row in rows:
            at = self._place[row.sample.id]
            self.dataChanged.emit(self.index(at, 0), self.index(at, WHY))

    def change_unseen(self, *rows: Row) -> None:
        """As `change`, but a row that a filter takes out or lets in stays where it is until `show_anew`."""
        for row in rows:
            at = self._place[row.sample.id]
            self.tally.subtract(self._groups[at])
            self.rows[at], self._groups[at] = row, self._known(groups(row))
            self.tally.update(self._groups[at])

    def show_anew(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def at(self, sample: str) -> Row:
        return self.rows[self._place[sample]]

    def place(self, sample: str) -> int:
        """Where a row stands; -1 where it does not."""
        return self._place.get(sample, -1)

    def is_in(self, at: int, group: Group) -> bool:
        return group in self._groups[at]

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
            return f"{row.question} {row.answer}. {score_words(row)[2]}, {kept}. {why(row)}"
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                "",
                f"{row.question}\n{row.answer}",
                passage_words(row.sample),
                score_words(row)[2],
                why(row),
            )[index.column()]
        return None


def score_words(row: Row) -> tuple[str, str, str]:
    """The score as an icon, its colour role, and a word."""
    return {
        "strong": ("check", "good", tr("Strong")),
        "ok": ("dash", "text2", tr("OK")),
        "weak": ("warn", "warn", tr("Weak")),
    }[row.word]


def why(row: Row) -> str:
    """A sentence: what decided about the row."""
    if row.review is not None:
        if row.review.verdict == "drop":
            return tr("Dropped by you")
        return tr("Fixed by you") if row.review.question or row.review.answer else tr("Kept by you")
    if row.sample.reason:
        return row.sample.reason
    return tr("Same answer found twice") if row.word == "strong" else tr("Nothing speaks against it")


def passage_words(sample: Sample) -> str:
    return str(sample.passage + 1) if sample.passage >= 0 else "–"


FILTERS: dict[Filter, Callable[[Row], bool]] = {
    "all": lambda row: row.is_kept,
    "open": lambda row: row.is_kept and row.review is None,
    "weak": lambda row: row.is_kept and row.word != "strong",
    "alike": lambda row: row.sample.stage == "duplicate",
    "dropped": lambda row: not row.is_kept,
}


def groups(row: Row) -> frozenset[Group]:
    """Everything that a row is counted for."""
    found: set[Group] = {name for name, is_in in FILTERS.items() if is_in(row)}
    if row.is_kept and row.review is None and row.word == "strong":
        found.add("strong")
    if not row.sample.accepted:
        found.add(("lost", row.sample.stage))
    if row.is_kept and row.sample.passage >= 0:
        found.add(("passage", row.sample.passage))
    return frozenset(found)


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
        return self._model.is_in(source_row, self._filter)


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
            icon, tone, word = score_words(row)
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
        lines: tuple[tuple[TypeStyle, str, str], ...] = (
            ("control", "text3" if is_dropped else "text", row.question),
            ("small", "text3" if is_dropped else "text2", row.answer),
        )
        place = QRectF(box)
        place.setTop(box.center().y() - sum(look().line_height(style) for style, _, _ in lines) / 2)
        for style, tone, text in lines:
            font = look().font(style)
            font.setStrikeOut(is_dropped)
            painter.setFont(font)
            painter.setPen(theme.color(tone))
            line = " ".join(text.split())
            shown = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, int(box.width()))
            place.setHeight(look().line_height(style))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
            place.moveTop(place.bottom())


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
        self.setItemDelegate(_Delegate(self))
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
        self.selectionModel().currentRowChanged.connect(lambda *_: self.chosen.emit(self.row()))
        self.horizontalHeader().setMinimumSectionSize(28)
        self._fit()
        look().changed.connect(self._fit)

    def _fit(self) -> None:
        """Columns for which there is no room are left out; the row's detail says the same."""
        height = round(_ROW_HEIGHT * max(1.0, look().text_size))
        self.verticalHeader().setDefaultSectionSize(height)
        for place, width in _WIDTHS.items():
            self.setColumnWidth(place, round(width * look().text_size))
        for place, width in _ROOM.items():
            self.setColumnHidden(place, self.width() < width * look().text_size)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def select(self, sample: str) -> None:
        """Select a row by its id, where the filter shows it."""
        model = self.filtered.sourceModel()
        assert isinstance(model, ReviewModel)
        index = self.filtered.mapFromSource(model.index(model.place(sample), 0))
        if index.isValid():
            self.selectRow(index.row())

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
        elif event.key() == Qt.Key.Key_Escape and row is not None:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.step(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)


def with_review(row: Row, verdict: str, question: str = "", answer: str = "") -> Row:
    """The row as just decided; "undone" takes the decision back."""
    if verdict == "undone":
        return replace(row, review=None)
    return replace(row, review=Review(row.sample.id, verdict, question, answer))  # type: ignore[arg-type]
