"""Which columns of a table are the questions and the answers, what of it is new, and what is left out and why."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from lab_desktop.documents.table import Table
from lab_desktop.editing.lesson import Lesson
from lab_desktop.editing.table import Columns, Sifted, guess_for, shortened, sift_for
from lab_desktop.ui.editor.fields import named
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Label, column, row
from lab_desktop.ui.words import number

_ROWS_SHOWN = 6
_LINES_SHOWN = 5
_MOST_TOLD = 200
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class TableSheet(QDialog):
    """Cancel does nothing. `taken` gives what the person wants of the table, once.

    Attributes:
        question, answer, context: the columns.
        has_names: the first row holds names.
        preview: the first rows that would be added.
        left_out: why others are not.
        take: adds them.
    """

    taken = Signal(object)
    """A Sifted."""

    def __init__(self, name: str, table: Table, lesson: Lesson, example: int, parent: QWidget | None = None) -> None:
        """
        Args:
            name: of the file, or what was pasted.
            table: it has two columns at least.
            example: the passage in hand; 0: there is none.
        """
        super().__init__(parent)
        self._table, self._lesson, self._example = table, lesson, example
        self._found = Sifted(())
        self.setWindowTitle(self.tr("Add from a table"))
        self.resize(look().grown(760), look().grown(620))
        context = self.tr("Passage") if lesson.is_knowledge else self.tr("Material")
        guess = guess_for(lesson, example, table)
        self.question = self._choice(self.tr("Column of the questions"), guess.question)
        self.answer = self._choice(self.tr("Column of the answers"), guess.answer)
        nothing = self.tr("This passage") if lesson.is_knowledge and example else self.tr("None")
        self.context = self._choice(self.tr("Column of the {0}").format(context.lower()), guess.context, nothing)
        self.has_names = QCheckBox(self.tr("The first row holds the names of the columns"))
        self.has_names.setChecked(guess.has_names)
        self.has_names.toggled.connect(self._show)
        asks = self.tr("Question") if lesson.is_knowledge else self.tr("What you would type")
        columns = row(
            named(asks, self.question), named(self.tr("Answer"), self.answer), named(context, self.context), gap=12
        )
        for place in range(3):
            columns.setStretch(place, 1)
        self.preview = QTableWidget(0, 3)
        self.preview.setAccessibleName(self.tr("The first rows"))
        self.preview.setHorizontalHeaderLabels([asks, self.tr("Answer"), context])
        self.preview.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.preview.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.preview.horizontalHeader().setHighlightSections(False)
        self.preview.verticalHeader().hide()
        self.preview.setShowGrid(False)
        self.preview.setTabKeyNavigation(False)
        self.preview.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.preview.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._amount = Label("", "strong")
        self.left_out = QPlainTextEdit()
        self.left_out.setAccessibleName(self.tr("What is left out, and why"))
        self.left_out.setReadOnly(True)
        self.left_out.setTabChangesFocus(True)
        self._why = column(Label(self.tr("Left out"), "label", "text2"), 4, self.left_out)
        self._told = QWidget()
        self._told.setLayout(self._why)
        self.take = Button("", "primary", on_click=self._take)
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        card = Card(self.preview, padding=(8, 4))
        whole = column(
            Label(self.tr("Add from a table"), "title"), 4, Label(name, "body", "text2", wraps=True), 16, columns, 10,
            self.has_names, 12, card, 12, self._told, 12, row(self._amount, -1, cancel, self.take, gap=8),
            margins=(24, 20, 24, 16),
        )  # fmt: skip
        whole.setStretchFactor(card, 1)
        self.setLayout(whole)
        self.take.setDefault(True)
        look().changed.connect(self._show)
        self._show()

    def _choice(self, name: str, chosen: int, nothing: str = "") -> QComboBox:
        """The columns to choose from, by what stands in them.

        Args:
            nothing: what having none is called, where that can be.
        """
        made = QComboBox()
        made.setAccessibleName(name)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(8)
        if nothing:
            made.addItem(nothing, -1)
        for place in range(self._table.width):
            sample = next((cells[place] for cells in self._table.rows if cells[place]), "")
            made.addItem(self.tr("{0}: {1}").format(_letter(place), shortened(sample)), place)
        made.setCurrentIndex(made.findData(chosen))
        made.activated.connect(self._show)
        return made

    @property
    def _columns(self) -> Columns:
        question, answer, context = (int(each.currentData()) for each in (self.question, self.answer, self.context))
        return Columns(question, answer, context, self.has_names.isChecked())

    def _show(self) -> None:
        columns = self._columns
        if columns.question == columns.answer:
            self._found = Sifted((), (self.tr("Questions and answers cannot be the same column."),))
        else:
            self._found = sift_for(self._lesson, self._example, self._table, columns)
        shown = self._found.entries[:_ROWS_SHOWN]
        self.preview.verticalHeader().setDefaultSectionSize(look().grown(30))
        self.preview.setRowCount(len(shown))
        self.preview.setColumnHidden(2, columns.context < 0)
        for line, entry in enumerate(shown):
            for place, text in enumerate((entry.question, entry.answer, entry.context)):
                item = QTableWidgetItem(" ".join(text.split()))
                item.setToolTip(text[:1000])
                self.preview.setItem(line, place, item)
        count = len(self._found.entries)
        left = self._found.left_out
        self._amount.setText(self._counted(count))
        told = list(left[:_MOST_TOLD])
        if len(left) > _MOST_TOLD:
            told.append(self.tr("And {0} more.").format(number(len(left) - _MOST_TOLD)))
        self.left_out.setPlainText("\n".join(told))
        self.left_out.setFixedHeight(self.left_out.fontMetrics().lineSpacing() * min(len(told), _LINES_SHOWN) + 24)
        self._told.setVisible(bool(left))
        self.take.setText(self.tr("Add {0}").format(number(count)) if count else self.tr("Add"))
        self.take.setEnabled(count > 0)
        self.take.setAccessibleDescription("" if count else self._amount.text())
        self.take.setToolTip(self.take.accessibleDescription())

    def _counted(self, count: int) -> str:
        if not count:
            return self.tr("No row is new and has both.")
        if self._lesson.is_knowledge:
            return self.tr("1 new question") if count == 1 else self.tr("{0} new questions").format(number(count))
        return self.tr("1 new example") if count == 1 else self.tr("{0} new examples").format(number(count))

    def _take(self) -> None:
        self.taken.emit(self._found)
        self.accept()


def _letter(place: int) -> str:
    """A column as spreadsheets call it: "A", "AB"."""
    high, low = divmod(place, len(_LETTERS))
    return (_LETTERS[high - 1] if high else "") + _LETTERS[low]
