"""The parts of a lesson that are filled in: its name and place, where its text comes from and whose it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QLayout, QVBoxLayout, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.editing.lesson import Field, FieldName, Lesson, with_text
from lab_desktop.errors import LabError
from lab_desktop.taxonomy import attribution
from lab_desktop.ui.editor.desk import Desk
from lab_desktop.ui.editor.fields import GrowingField, named
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Icon, Label, column, empty, row

_WIDEST = 640


class Form(QWidget):
    """Fields of the lesson below each other, as wide as one reads."""

    def __init__(self, title: str, term: str, text: str) -> None:
        super().__init__()
        self._inside = QVBoxLayout()
        self._inside.setSpacing(16)
        self._inside.addWidget(_heading(title, term))
        self._inside.addWidget(Label(text, "body", "text2", wraps=True))
        body = QWidget()
        body.setMaximumWidth(_WIDEST)
        body.setLayout(self._inside)
        line = row(body, gap=0, margins=(24, 20, 24, 20))
        line.addStretch(1)
        line.setStretch(0, 100)
        whole = column(line)
        whole.addStretch(1)
        self.setLayout(whole)

    def add(self, *parts: QWidget) -> None:
        for part in parts:
            self._inside.addWidget(part)


def _heading(title: str, term: str) -> QWidget:
    made = QWidget()
    made.setLayout(row(Label(title, "title"), Label(term, "small", "text3"), -1, gap=10))
    return made


def _typing(desk: Desk, name: FieldName) -> Callable[[str], None]:
    return lambda text: desk.type(Field(name), text)


class PlaceForm(Form):
    """What the lesson is called, where in the library it lies, what it is about, who writes it.

    Attributes:
        move_it: asks for another topic.
    """

    def __init__(self, desk: Desk, on_move: Callable[[], object]) -> None:
        super().__init__(
            self.tr("Name and place"), "", self.tr("So that others find it, and the teacher knows what it is about.")
        )
        self._fields: dict[FieldName, GrowingField] = {}
        self._rows: dict[FieldName, QWidget] = {}
        self._where = Label("", "body", "text2", wraps=True)
        self.move_it = Button(self.tr("Move…"), "plain", on_click=on_move)
        self.move_it.setAccessibleName(self.tr("Move the lesson to another topic"))
        place = row(Icon("folder", "text2", 16), self._where, self.move_it, gap=8)
        place.setStretch(1, 1)
        where = QWidget()
        where.setLayout(column(Label(self.tr("Place in the library"), "label", "text2"), 4, place))
        rows: list[tuple[FieldName, str, str, str]] = [
            ("title", self.tr("Name"), self.tr("The island of Velmora"), ""),
            ("task_description", self.tr("What the skill is"), self.tr("Turn a note into a polite letter."),
             self.tr("One or two sentences: what is given, and what a perfect answer looks like.")),
            ("document_outline", self.tr("What the text is about"), self.tr("Land, history and customs of Velmora"),
             ""),
            ("domain", self.tr("Field of knowledge"), self.tr("Geography"), self.tr("In few words, like a chapter.")),
            ("created_by", self.tr("Who writes it"), self.tr("Your name, or your GitHub name"), ""),
        ]  # fmt: skip
        for name, label, placeholder, hint in rows:
            field = GrowingField(label, placeholder, _typing(desk, name), is_one_line=True)
            self._fields[name] = field
            self._rows[name] = named(label, field, hint)
            self.add(self._rows[name])
            if name == "title":
                self.add(where)

    def field(self, name: FieldName) -> QWidget:
        return self._fields[name]

    def show_lesson(self, lesson: Lesson) -> None:
        for name, field in self._fields.items():
            field.show_text(str(getattr(lesson, name)))
        for name in ("document_outline", "domain"):
            self._rows[name].setVisible(lesson.is_knowledge)
        self._rows["task_description"].setVisible(not lesson.is_knowledge)
        kind = self.tr("Facts") if lesson.is_knowledge else self.tr("Skills")
        self._where.setText(" › ".join([kind, *(title_of(part) for part in lesson.node[1:-1])]))


class SourceForm(Form):
    """The documents of the lesson, and whose they are."""

    files = Signal(list)
    """Files that were dropped or chosen."""
    pasted = Signal(object)
    """QMimeData that was pasted or dropped and is no file."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            self.tr("Source"), self.tr("(document)"),
            self.tr("The text that the facts come from. It stays on this computer until you share the lesson."),
        )  # fmt: skip
        self.drop = DropArea(self.files.emit, self.pasted.emit)
        self.banner = Banner("info", "", "")
        self.banner.hide()
        self._documents = column(gap=8)
        held = QWidget()
        held.setLayout(self._documents)
        self.credits = CreditsCard(desk)
        self.add(self.banner, held, self.drop, self.credits)
        self._shown: tuple[tuple[str, int], ...] | None = None
        self.removed: Callable[[str], object] = lambda name: None

    def _remove(self, name: str) -> None:
        self.removed(name)

    def show_reading(self, words: str, stop: Callable[[], object]) -> None:
        """What is being read, with a way to stop it; "" when nothing is."""
        if words:
            self.banner.say("info", words, "", self.tr("Stop"), stop)
            self.banner.show()
        else:
            self.banner.hide()

    def show_notes(self, name: str, notes: list[str]) -> None:
        """A document was taken; what there is to know of it."""
        if notes:
            self.banner.say("warn", self.tr("{0} is in the lesson.").format(name), " ".join(notes))
        else:
            self.banner.say("good", self.tr("{0} is in the lesson.").format(name))
        self.banner.show()

    def show_refusal(self, error: LabError) -> None:
        self.banner.say("bad", error.message, error.hint)
        self.banner.show()

    def show_lesson(self, lesson: Lesson) -> None:
        shown = tuple((each.name, len(each.text.split())) for each in lesson.documents)
        if shown != self._shown:
            self._shown = shown
            empty(self._documents)
            for name, words in shown:
                delete = Button("", "quiet", icon="bin", size="small", on_click=functools.partial(self._remove, name))
                delete.setAccessibleName(self.tr("Take {0} out of the lesson").format(name))
                delete.setToolTip(delete.accessibleName())
                said = Label(self.tr("{0} words").format(f"{words:,}"), "small", "text2")
                self._documents.addWidget(
                    Card(
                        row(Icon("book", "text2", 16), Label(name, "strong"), said, -1, delete, gap=10), padding=(14, 8)
                    )
                )
        self.credits.show_lesson(lesson)


class CreditsCard(QWidget):
    """Who wrote the text, where it can be found, and what one may do with it: attribution.txt."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._fields: dict[str, GrowingField] = {}
        parts: list[QWidget | QLayout | int] = [Label(self.tr("Who wrote it, and may others use it?"), "head"), 8]
        rows = [
            ("title", self.tr("Title of the work"), self.tr("Visitor's guide to Velmora")),
            ("link", self.tr("Where it can be found"), self.tr("An address, or: my own")),
            ("creators", self.tr("Author"), self.tr("Who wrote the text")),
        ]
        for name, label, placeholder in rows:
            self._fields[name] = GrowingField(label, placeholder, functools.partial(self._type, name), is_one_line=True)
            parts += [named(label, self._fields[name]), 10]
        self.licence = QComboBox()
        self.licence.setAccessibleName(self.tr("Licence"))
        self.licence.addItem(self.tr("Choose a licence"), "")
        for licence in attribution.LICENCES:
            self.licence.addItem(licence.name, licence.id)
        self.licence.activated.connect(lambda _: self._typed(licence=str(self.licence.currentData())))
        self._means = Label("", "small", "text3", wraps=True)
        self.own = Button(self.tr("I wrote it myself"), "plain", icon="edit", on_click=self._own)
        parts += [named(self.tr("Licence"), self.licence), 4, self._means, 8, row(self.own, -1)]
        self.setLayout(column(*parts))

    @property
    def first(self) -> QWidget:
        """Where the keyboard begins."""
        return self._fields["title"]

    def show_lesson(self, lesson: Lesson) -> None:
        work = _work(lesson.attribution)
        for name, field in self._fields.items():
            field.show_text(str(getattr(work, name)))
        place = self.licence.findData(work.licence)
        if place < 0:
            self.licence.addItem(work.licence, work.licence)
            place = self.licence.count() - 1
        self.licence.setCurrentIndex(place)
        means = {licence.id: licence.means for licence in attribution.LICENCES}
        unknown = self.tr("A community takes only texts that everybody may use and change.")
        self._means.setText(means.get(work.licence, unknown))

    def _type(self, name: str, text: str) -> None:
        self._typed(**{name: text})

    def _typed(self, **values: str) -> None:
        if self._desk.lesson is not None:
            works = attribution.parse(self._desk.lesson.attribution) or (attribution.Attribution(),)
            changed = replace(works[0], **values)  # type: ignore[arg-type]  # all of these are texts
            self._desk.type(Field("attribution"), attribution.to_text((changed, *works[1:])))

    def _own(self) -> None:
        lesson = self._desk.lesson
        if lesson is not None:
            made = attribution.own_work(lesson.title, lesson.created_by)
            self._desk.do(
                lambda lesson: with_text(lesson, Field("attribution"), attribution.to_text((made,))),
                self.tr("fill in the licence"), Field("attribution"),
            )  # fmt: skip


def _work(text: str) -> attribution.Attribution:
    return next(iter(attribution.parse(text)), attribution.Attribution())


class DropArea(QFrame):
    """Where a file is dropped, a text is pasted, or a file is chosen."""

    def __init__(self, on_files: Callable[[list[str]], object], on_data: Callable[[QMimeData], object]) -> None:
        super().__init__()
        self._on_files, self._on_data = on_files, on_data
        self.setProperty("surface", "sunken")
        self.setAcceptDrops(True)
        self.choose = Button(self.tr("Choose a file…"), on_click=self._choose)
        self.paste = Button(self.tr("Paste a text"), "plain", on_click=self._paste)
        self.setLayout(
            column(
                row(-1, Icon("book", "text3", 24), -1), 8,
                row(-1, Label(self.tr("Drop a document here"), "head"), -1), 4,
                row(-1, Label(self.tr("PDF, Word, web page, e-book, Markdown or text"), "small", "text2"), -1), 12,
                row(-1, self.choose, self.paste, -1, gap=8), margins=(20, 20, 20, 20),
            )
        )  # fmt: skip

    def _choose(self) -> None:
        known = self.tr("Documents") + " (*.pdf *.docx *.html *.htm *.epub *.md *.markdown *.txt)"
        kinds = f"{known};;{self.tr('All files')} (*)"
        names, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose a document"), "", kinds)
        if names:
            self._on_files(names)

    def _paste(self) -> None:
        self._on_data(QGuiApplication.clipboard().mimeData())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasText():
            event.acceptProposedAction()
            self._shade("tint")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._shade("sunken")

    def dropEvent(self, event: QDropEvent) -> None:
        self._shade("sunken")
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            self._on_files(files)
        else:
            self._on_data(event.mimeData())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _shade(self, surface: str) -> None:
        self.setProperty("surface", surface)
        self.style().unpolish(self)
        self.style().polish(self)
