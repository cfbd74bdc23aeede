"""The lesson's file as it is on disk, for who wants to see or change it, with what the check says at its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QFontDatabase, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from lab_desktop.errors import LabError
from lab_desktop.files import write_text
from lab_desktop.taxonomy.check import Mode, Problem, has_errors, inspect_text
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Label, Segmented, column, row

_CHECK_MS = 300
_PROBLEMS_SHOWN = 3


class FileView(QDialog):
    """qna.yaml in a window of its own. What is written here is kept when "Use this text" is pressed.

    Attributes:
        text: the file.
        problems: what the check says, a line each.
    """

    def __init__(self, folder: Path, on_used: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file, self._on_used = folder / FILE_NAME, on_used
        self.setWindowTitle(self.tr("Lesson file"))
        self.resize(880, 640)
        self._mode = Segmented(
            [("file", self.tr("For myself")), ("contribution", self.tr("For the community"))], "file",
            lambda _: self._check(),
        )  # fmt: skip
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(self.tr("The lesson's file"))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.text.setTabChangesFocus(True)
        self.problems = QListWidget()
        self.problems.setAccessibleName(self.tr("What the check says"))
        self.problems.setWordWrap(True)
        self.problems.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.problems.itemActivated.connect(self._go)
        self.problems.itemClicked.connect(self._go)
        self._banner = Banner("bad", "", "")
        self._banner.hide()
        self._verdict = Label("", "body", "text2")
        self.use = Button(self.tr("Use this text"), "primary", on_click=self._use)
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        foot = row(self._verdict, -1, cancel, self.use, gap=8)
        term = Label(self.tr("(the lesson's file)"), "small", "text3")
        inside = QVBoxLayout()
        inside.addLayout(
            column(
                row(Label("qna.yaml", "title"), term, -1, self._mode, gap=10), 12, self._banner, self.text, 8,
                self.problems, 12, foot, margins=(12, 8, 12, 8),
            )
        )  # fmt: skip
        self.setLayout(inside)
        self._later = QTimer(self, interval=_CHECK_MS, singleShot=True)
        self._later.timeout.connect(self._check)
        self._restyle()
        try:
            self.text.setPlainText(self._file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            self._banner.say("bad", self.tr("The file cannot be read."), str(error))
            self._banner.show()
        self.text.textChanged.connect(self._later.start)
        self._check()
        look().changed.connect(self._restyle)
        look().changed.connect(self._check)

    def _restyle(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(look().font("body").pixelSize())
        self.text.setFont(font)

    def _found(self) -> list[Problem]:
        mode: Mode = "contribution" if self._mode.chosen == "contribution" else "file"
        return list(inspect_text(self.text.toPlainText(), self._file, mode).problems)

    def _check(self) -> None:
        found = self._found()
        self.problems.clear()
        marks = []
        for problem in found:
            is_error = problem.severity == "error"
            item = QListWidgetItem(f"{problem.line}   {problem.message} {problem.hint}")
            item.setData(Qt.ItemDataRole.UserRole, problem.line)
            item.setForeground(look().theme.color("bad" if is_error else "text2"))
            self.problems.addItem(item)
            if is_error:
                marks.append(self._line_mark(problem.line))
        self.text.setExtraSelections(marks)
        lines = look().line_height("body") * 2 * min(len(found), _PROBLEMS_SHOWN)
        self.problems.setFixedHeight(lines + 8)
        self.problems.setVisible(bool(found))
        is_good = not has_errors(found)
        self._verdict.setText(self.tr("Everything is in order.") if is_good else self.tr("Not in order yet."))
        self._verdict.set_tone("good" if is_good else "bad")

    def _line_mark(self, line: int) -> QTextEdit.ExtraSelection:
        made = QTextEdit.ExtraSelection()
        made.cursor = QTextCursor(self.text.document().findBlockByLineNumber(max(0, line - 1)))
        form = QTextCharFormat()
        form.setBackground(QColor(look().theme.bad_tint))
        form.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
        made.format = form
        return made

    def _go(self, item: QListWidgetItem) -> None:
        block = self.text.document().findBlockByLineNumber(int(item.data(Qt.ItemDataRole.UserRole)) - 1)
        self.text.setTextCursor(QTextCursor(block))
        self.text.setFocus()
        self.text.ensureCursorVisible()

    def _use(self) -> None:
        text = self.text.toPlainText()
        try:
            write_text(self._file, text if text.endswith("\n") else text + "\n")
        except LabError as error:
            self._banner.say("bad", error.message, error.hint)
            self._banner.show()
            return
        self._on_used()
        self.accept()
