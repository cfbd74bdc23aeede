"""Many lessons at once: what is in a folder or archive, which of it is taken, and what that would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMenu, QVBoxLayout, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.importing import Find
from lab_desktop.ui.editor.repair_cards import repair_cards, repairs_words
from lab_desktop.ui.pages.library.rows import Row, RowList, Rows
from lab_desktop.ui.pages.library.words import amount_words, lessons_words, where_words
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Badge,
    Button,
    ElidedLabel,
    Label,
    column,
    empty,
    row,
    rule,
    scrolled,
)
from lab_desktop.ui.words import number, tr

_DETAILS_WIDTH = 280


class ImportMany(QDialog):
    """Cancel does nothing; the files themselves are never changed.

    Attributes:
        list: of what was found.
        taken: names of the finds that will be imported.
    """

    def __init__(self, source: Path, finds: Sequence[Find], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import lessons"))
        self.setMinimumSize(look().grown(600), look().grown(400))
        self.resize(look().grown(900), look().grown(600))
        self._finds = sorted(finds, key=lambda find: (find.place or find.wanted or Path(find.name)).parts)
        self.taken = {find.name for find in finds if find.verdict in ("fine", "mend")}
        counts = Counter(find.verdict for find in finds)
        choices = [("", self.tr("All {0}").format(number(len(finds))))]
        choices += [
            (verdict, f"{number(counts[verdict])} {_verdict_words(verdict)[0]}")
            for verdict in ("fine", "mend", "same", "no")
            if counts[verdict]
        ]
        self._shown = ""
        self.shown = Button("", icon="up-down", on_click=self._popup)
        self.kinds = QMenu(self)
        for verdict, words in choices:
            self.kinds.addAction(words).triggered.connect(lambda _, each=(verdict, words): self._show_only(*each))
        told = ", ".join(words.lower() for verdict, words in choices if verdict)
        said = self.tr("{0}: {1}. The files stay as they are, and what is imported can be undone in one step.")
        said = said.format(lessons_words(len(finds)), told)
        self.list = RowList(self.tr("Lessons that were found"))
        self.list.toggled.connect(lambda found: self._toggle(found.key))
        self.list.opened.connect(lambda found: self._toggle(found.key))
        self.list.chosen.connect(lambda found: self._tell(found.key))
        self._details = QVBoxLayout()
        self._details.setSpacing(8)
        inside = QWidget()
        inside.setLayout(column(self._details, -1, margins=(16, 4, 8, 8)))
        details = scrolled(inside)
        details.setFixedWidth(look().grown(_DETAILS_WIDTH))
        details.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        details.setAccessibleName(self.tr("What importing it would change"))
        self.all = Button("", "plain", size="small", on_click=self._toggle_all)
        self.take = Button("", "primary", on_click=self.accept)
        cancel = Button(self.tr("Cancel"), on_click=self.reject)
        self._why = Label("", "small", "text2")
        body = row(self.list, rule(is_upright=True), details)
        body.setStretch(0, 1)
        whole = column(
            Label(source.name, "title"), 4, Label(said, "body", "text2", wraps=True), 12,
            row(self.shown, -1, self.all), 8, body, 12,
            row(self._why, -1, cancel, self.take, gap=8), margins=(24, 20, 24, 16),
        )  # fmt: skip
        whole.setStretchFactor(body, 1)
        self.setLayout(whole)
        self._show_only(*choices[0])
        self.list.setFocus()

    @property
    def chosen(self) -> list[Find]:
        """The finds to be imported."""
        return [find for find in self._finds if find.name in self.taken]

    def _popup(self) -> None:
        self.kinds.popup(self.shown.mapToGlobal(self.shown.rect().bottomLeft()))

    def _show_only(self, verdict: str, words: str) -> None:
        """The lessons of one verdict, or with "" all."""
        self._shown = verdict
        self.shown.setText(words)
        self.shown.setAccessibleName(self.tr("Lessons that are shown: {0}").format(words))
        self._fill()

    def _fill(self) -> None:
        """The rows of what is shown, with their boxes."""
        self._seen = [find for find in self._finds if self._shown in ("", find.verdict)]
        seen = self._seen
        self.list.show_rows(Rows([find.name for find in seen], lambda at: _row(seen[at], seen[at].name in self.taken)))
        if self.list.row is None and seen:
            self.list.choose(seen[0].name)
        self._count()

    def _count(self) -> None:
        count = len(self.taken)
        self.take.setText(self.tr("Import {0}").format(lessons_words(count)) if count else self.tr("Import"))
        self.take.setEnabled(bool(count))
        self._why.setText("" if count else self.tr("Tick the lessons that you want."))
        self.take.setToolTip(self._why.text())
        self.take.setAccessibleDescription(self._why.text())
        can = [find.name for find in self._seen if find.problem is None]
        self.all.setVisible(bool(can))
        self.all.setText(self.tr("Take none of these") if self.taken.issuperset(can) else self.tr("Take all of these"))

    def _toggle(self, name: str) -> None:
        if next(find for find in self._finds if find.name == name).problem is None:
            self.taken ^= {name}
            self._fill()

    def _toggle_all(self) -> None:
        can = {find.name for find in self._seen if find.problem is None}
        self.taken = self.taken - can if self.taken >= can else self.taken | can
        self._fill()

    def _tell(self, name: str) -> None:
        """What is in the lesson in hand, and what importing it would change."""
        find = next(each for each in self._finds if each.name == name)
        empty(self._details)
        word, tone, icon = _verdict_words(find.verdict)
        for part in _told(find):
            self._details.addWidget(part)
        badge = QWidget()
        badge.setLayout(row(Badge(word, tone, icon), -1))  # type: ignore[arg-type]
        self._details.insertWidget(1, badge)


def _told(find: Find) -> list[QWidget]:
    shown: list[QWidget] = [Label(_title(find), "head", wraps=True), ElidedLabel(find.name, "small", "text3")]
    if find.problem is not None:
        shown += [Label(find.problem.message, wraps=True), Label(find.problem.hint, "body", "text2", wraps=True)]
    if find.verdict == "same":
        shown.append(Label(tr("The library has this lesson, word for word."), "body", "text2", wraps=True))
    if find.imported is None or find.place is None:
        return shown
    leaf = find.imported.leaf
    questions = sum(len(example.pairs) for example in leaf.seed_examples)
    is_facts = find.place.parts[0] == "knowledge"
    shown.append(Label(amount_words(is_facts, len(leaf.seed_examples), questions), "body", "text2"))
    shown.append(Label(_where(find), "body", "text2", wraps=True))
    if find.note:
        shown.append(Label(find.note, "body", "warn", wraps=True))
    if not find.imported.is_exact:
        shown.append(Label(repairs_words(find.imported), "label", "text3"))
        shown += repair_cards(find.imported)
    return shown


def _row(find: Find, is_taken: bool) -> Row:
    second = find.problem.message if find.problem is not None else _where(find)
    if find.problem is not None:
        return Row(find.name, _title(find), second, _verdict_words(find.verdict), icon="warn")
    return Row(find.name, _title(find), second, _verdict_words(find.verdict), is_taken=is_taken)


def _title(find: Find) -> str:
    return title_of((find.wanted or find.folder).name)


def _where(find: Find) -> str:
    """Where it comes to lie, and under which name where its own is taken."""
    if find.place is None:
        return ""
    where = where_words(find.place.as_posix())
    return (
        tr("{0} · as “{1}”, for its name is taken").format(where, title_of(find.place.name))
        if find.is_renamed
        else where
    )


def _verdict_words(verdict: str) -> tuple[str, str, str]:
    """(word, tone, icon) of what can become of a lesson that was found."""
    return {
        "fine": (tr("Fine"), "good", "check"),
        "mend": (tr("Will be mended"), "accent", "edit"),
        "same": (tr("There already"), "plain", "copy"),
        "no": (tr("Not taken"), "bad", "warn"),
    }[verdict]
