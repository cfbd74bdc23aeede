"""The questions of a report as a list: each folded to two lines, one of them open with both whole answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QWidget,
)

from lab_desktop.corrections import Correction, Corrections, Side
from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Icon, Kind, Label, column, row

_Index = QModelIndex | QPersistentModelIndex
MARKS = {"right": ("check", "good"), "wrong": ("cross", "bad"), "no verdict": ("dash", "text3")}
_NUMBER, _GAP, _FOLD, _EDGE = 40, 16, 36, 24
_LINES = 2
_MARK = 14


@dataclass(frozen=True)
class Row:
    """A line of the list.

    Attributes:
        kind: "top" (what stands above the questions), "title" (of a group) or "question".
        text: of a title.
        question: as report.json has it.
        leaf: whose question it is.
        number: within its group, from 1.
    """

    kind: str
    text: str = ""
    question: dict[str, Any] | None = None
    leaf: str = ""
    number: int = 0


def columns(width: int) -> tuple[tuple[int, int], ...]:
    """Left and width of question, before and now, for a list of this width."""
    left = _EDGE + _NUMBER
    room = width - left - _FOLD - _EDGE - 2 * _GAP
    asked = room * 5 // 13
    answer = (room - asked) // 2
    return (left, asked), (left + asked + _GAP, answer), (left + asked + answer + 2 * _GAP, answer)


class ReportModel(QAbstractListModel):
    """The lines; `opened` is the id of the question that is open, or ""."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.opened = ""

    def show(self, rows: Sequence[Row]) -> None:
        """Show these lines; where they are the same questions again, only what is said about them changes."""
        if [_key(each) for each in rows] == [_key(each) for each in self.rows]:
            self.rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 0))
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def place(self, question: str) -> int:
        """Where a question stands; -1 where it does not."""
        return next((at for at, each in enumerate(self.rows) if each.question and each.question["id"] == question), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if self.rows[index.row()].kind == "question":
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.ItemIsEnabled

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(line)
        return None

    def _words(self, line: Row) -> str:
        question = line.question
        if question is None:
            return line.text
        return self.tr("{0}. {1} Before, the original: {2}, {3} Now, your model: {4}, {5}").format(
            line.number, question["question"],
            question["verdict_before"], _flat(question["before"]) or self.tr("no answer"),
            question["verdict_after"], _flat(question["after"]) or self.tr("no answer"),
        )  # fmt: skip


class _Delegate(QStyledItemDelegate):
    def __init__(self, view: ReportView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        line: Row = index.data(Qt.ItemDataRole.UserRole)
        width = self._view.viewport().width()
        widget = self._view.indexWidget(index)
        if widget is not None:
            return QSize(width, widget.height())
        if line.kind == "question":
            return QSize(width, _LINES * look().line_height("body") + 14)
        return QSize(width, look().line_height("body") + 24)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        line: Row = index.data(Qt.ItemDataRole.UserRole)
        if self._view.indexWidget(index) is not None:
            return
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if line.question is None:
            painter.setPen(look().theme.color("text2"))
            painter.setFont(look().font("strong"))
            inside = box.adjusted(_EDGE, 8, -_EDGE, 0)
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line.text)
        else:
            self._draw_question(painter, box, option.state, line, line.question)
        painter.restore()

    def _draw_question(
        self, painter: QPainter, box: QRectF, state: QStyle.StateFlag, line: Row, question: dict[str, Any]
    ) -> None:
        theme = look().theme
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box.adjusted(_EDGE - 8, 0, -_EDGE + 8, 0), theme.color("tint" if is_chosen else "hover"))
        painter.setPen(theme.color("line"))
        edge = box.bottom() - 0.5
        painter.drawLine(QPointF(box.left() + _EDGE, edge), QPointF(box.right() - _EDGE, edge))
        top = box.top() + 7
        height = box.height() - 14
        painter.setPen(theme.color("text3"))
        painter.setFont(look().font("body"))
        number = QRectF(box.left() + _EDGE, top, _NUMBER, look().line_height("body"))
        painter.drawText(number, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, str(line.number))
        asked, before, now = columns(int(box.width()))
        _draw_text(painter, QRectF(box.left() + asked[0], top, asked[1], height), question["question"], "text")
        for (left, width), side in ((before, "before"), (now, "after")):
            icon, tone = MARKS.get(question[f"verdict_{side}"], MARKS["no verdict"])
            icons.draw(painter, icon, QRectF(box.left() + left, top + 3, _MARK, _MARK), tone)
            room = QRectF(box.left() + left + _MARK + 8, top, width - _MARK - 8, height)
            ink = "text" if question[f"verdict_{side}"] == "right" else "text2"
            _draw_text(painter, room, question[side] or self._view.tr("(no answer)"), ink)
        icons.draw(painter, "chevron-right", QRectF(box.right() - _EDGE - 20, top + 4, 12, 12), "text2")
        if is_chosen and state & QStyle.StateFlag.State_HasFocus:
            pen = painter.pen()
            pen.setColor(theme.color("accent"))
            pen.setWidthF(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(_EDGE - 8, 1, -_EDGE + 8, -2), 6, 6)


def _draw_text(painter: QPainter, box: QRectF, text: str, role: str) -> None:
    """At most two lines of a text, the last one elided."""
    font = look().font("body")
    painter.setFont(font)
    painter.setPen(look().theme.color(role))
    flat = _flat(text)[:600]
    layout = QTextLayout(flat, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    height = look().line_height("body")
    metrics = painter.fontMetrics()
    for number in range(_LINES):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(box.width())
        is_last = number == _LINES - 1
        rest = flat[line.textStart() :] if is_last else flat[line.textStart() :][: line.textLength()]
        shown = metrics.elidedText(rest.rstrip(), Qt.TextElideMode.ElideRight, int(box.width()))
        place = QRectF(box.left(), box.top() + number * height, box.width(), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    layout.endLayout()


class ReportView(QListView):
    """The list; a click or Return opens a question, R and W say how your model's answer counts, Z takes that back."""

    counted = Signal(str, str, str)
    """(question id, "before" | "after", "right" | "wrong" | "undone")"""
    taken_back = Signal()

    def __init__(self, model: ReportModel, source: Callable[[Row], str]) -> None:
        super().__init__()
        self.report = model
        self.corrections: Corrections = {}
        self._source = source
        self._top: Callable[[], QWidget] = QWidget
        self._width = 0
        self.setModel(model)
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().setSingleStep(24)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Questions of the report"))
        look().changed.connect(self.lay_out)

    def show_top(self, make: Callable[[], QWidget]) -> None:
        """What stands above the questions and scrolls with them."""
        self._top = make
        self.lay_out()

    def lay_out(self) -> None:
        """Build again what is no painted line: the top, and the question that is open."""
        scrolled = self.verticalScrollBar().value()
        for at, line in enumerate(self.report.rows):
            if line.kind != "top" and not (line.question and line.question["id"] == self.report.opened):
                continue
            index = self.report.index(at, 0)
            self.setIndexWidget(index, self._fitted(self._top() if line.kind == "top" else _Opened(self, line)))
        self.doItemsLayout()
        self.verticalScrollBar().setValue(scrolled)

    def _fitted(self, widget: QWidget) -> QWidget:
        width = self.viewport().width()
        widget.setFixedWidth(width)
        layout = widget.layout()
        assert layout is not None
        layout.activate()
        height = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        widget.setFixedHeight(max(1, height))
        return widget

    def open_question(self, question: str) -> None:
        """Open one, and close the one that was open; "" closes only."""
        before = self.report.place(self.report.opened)
        self.report.opened = question
        if before >= 0:
            had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
            self.setIndexWidget(self.report.index(before, 0), None)  # type: ignore[arg-type]
            if had_focus:
                self.setFocus()
        self.lay_out()
        at = self.report.place(question)
        if at >= 0:
            self.setCurrentIndex(self.report.index(at, 0))
            self.scrollTo(self.report.index(at, 0))

    def toggle(self, index: _Index) -> None:
        line: Row | None = index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None
        if line is not None and line.question is not None:
            question = line.question["id"]
            self.open_question("" if question == self.report.opened else question)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.toggle(self.indexAt(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line: Row | None = self.currentIndex().data(Qt.ItemDataRole.UserRole) if self.currentIndex().isValid() else None
        question = line.question if line else None
        key = event.key()
        if question is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.toggle(self.currentIndex())
        elif question is not None and key == Qt.Key.Key_Right and not event.modifiers():
            self.open_question(question["id"])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Escape) and self.report.opened:
            self.open_question("")
        elif question is not None and key in (Qt.Key.Key_R, Qt.Key.Key_W) and not event.modifiers():
            self.counted.emit(question["id"], "after", "right" if key == Qt.Key.Key_R else "wrong")
        elif key == Qt.Key.Key_Z and not event.modifiers():
            self.taken_back.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewport().width() != self._width:
            self._width = self.viewport().width()
            self.lay_out()

    def source(self, line: Row) -> str:
        """The sentence of the lesson that tells the answer; "" where none does."""
        return self._source(line)


class _Opened(QWidget):
    """A question with both whole answers, what was expected, and where the lesson tells it."""

    def __init__(self, view: ReportView, line: Row) -> None:
        super().__init__()
        assert line.question is not None
        question = line.question
        card = QFrame()
        card.setProperty("surface", "card")
        places = columns(view.viewport().width())
        asked: list[QWidget | int] = [Label(question["question"], "strong", wraps=True)]
        if question["reference"]:
            asked += [6, Label(self.tr("Expected"), "label", "text3"), Label(question["reference"], "body", wraps=True)]
        source = view.source(line)
        if source:
            asked += [6, Label(self.tr("Source sentence"), "label", "text3"), _Marked(source)]
        parts: list[QWidget] = [_cell(places[0][1], *asked)]
        for (_, width), side in ((places[1], "before"), (places[2], "after")):
            parts.append(_cell(width, *self._answer(view, question, side)))  # type: ignore[arg-type]
        number = Label(str(line.number), "body", "text3")
        number.setFixedWidth(_NUMBER)
        number.setAlignment(Qt.AlignmentFlag.AlignTop)
        close = QToolButton()
        close.setProperty("flat", True)
        close.setIcon(icons.icon("chevron-down", "text2", 12))
        close.setAccessibleName(self.tr("Close"))
        close.setToolTip(self.tr("Close"))
        close.setFixedWidth(_FOLD - 8)
        close.clicked.connect(lambda: view.open_question(""))
        inside = row(number, margins=(12, 12, 4, 12))
        for place, part in enumerate(parts):
            inside.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
            if place < len(parts) - 1:
                inside.addSpacing(_GAP)
        inside.addStretch(1)
        inside.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        card.setLayout(inside)
        self.setLayout(column(card, margins=(_EDGE - 12, 4, _EDGE - 12, 4)))

    def _answer(self, view: ReportView, question: dict[str, Any], side: Side) -> list[QWidget | int]:
        verdict = question[f"verdict_{side}"]
        icon, tone = MARKS.get(verdict, MARKS["no verdict"])
        words = {"right": self.tr("Right"), "wrong": self.tr("Wrong")}.get(verdict, self.tr("No verdict"))
        head = QWidget()
        head.setLayout(row(Icon(icon, tone, _MARK), Label(words, "strong"), -1, gap=8))
        text = Label(
            " ".join(question[side].split()) or self.tr("(no answer)"),
            "body",
            "text" if verdict == "right" else "text2",
            wraps=True,
        )
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        by_person: Correction | None = view.corrections.get((question["id"], side, question[side]))
        buttons: list[QWidget] = []
        if by_person is not None:
            buttons.append(Label(self.tr("Counted by you"), "small", "text2"))
            buttons.append(self._button(view, self.tr("Undo"), question["id"], side, "undone", "plain"))
        else:
            for name, words in (("right", self.tr("Count as right")), ("wrong", self.tr("Count as wrong"))):
                if name != verdict:
                    buttons.append(self._button(view, words, question["id"], side, name))
        foot = QWidget()
        foot.setLayout(row(*buttons, -1, gap=8))
        reason = question.get(f"reason_{side}", "")
        note = [Label(reason, "small", "text3", wraps=True)] if reason and by_person is None else []
        return [head, 2, text, *note, 8, foot]

    def _button(self, view: ReportView, text: str, question: str, side: Side, verdict: str, kind: Kind = "") -> Button:
        made = Button(text, kind, size="small", on_click=lambda: view.counted.emit(question, side, verdict))
        answer = self.tr("the original's answer") if side == "before" else self.tr("your model's answer")
        made.setAccessibleName(f"{text}: {answer}")
        return made


class _Marked(Label):
    """A sentence of the lesson, marked as in its page."""

    def __init__(self, text: str) -> None:
        super().__init__("", "body", wraps=True)
        self.setTextFormat(Qt.TextFormat.RichText)
        safe = text.replace("&", "&amp;").replace("<", "&lt;")
        theme = look().theme
        self.setText(f'<span style="background-color: {theme.mark2}; color: {theme.text};">{safe}</span>')
        self.setAccessibleName(text)


def _cell(width: int, *items: QWidget | int) -> QWidget:
    made = QWidget()
    made.setFixedWidth(width)
    made.setLayout(column(*items, gap=2))
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
    return made


def _key(line: Row) -> tuple[str, str, int]:
    return line.kind, line.question["id"] if line.question else line.text, line.number


def _flat(text: str) -> str:
    return " ".join(text.split())
