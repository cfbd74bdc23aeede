"""The original of a document: its pages, or what is read of it, as it was brought."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QProcess, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent, QResizeEvent, QShowEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QStackedWidget, QTextBrowser, QWidget

from lab_desktop.documents.converted import Kind, Shown
from lab_desktop.documents.drawing import DRAWING
from lab_desktop.documents.reader import Limits
from lab_desktop.documents.safely import show_safely
from lab_desktop.documents.source import Source
from lab_desktop.errors import Cancelled, LabError
from lab_desktop.ui.background import Background
from lab_desktop.ui.editor.page_loader import PageLoader
from lab_desktop.ui.editor.pages_view import PagesView
from lab_desktop.ui.editor.sealed import SealedText, set_heading
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, ElidedLabel, Icon, Label, arrow, column, row, rule

_MARGIN = 24
_WIDEST_TEXT = 640
_PICTURE = "\ufffc"
"""Stands for it in a text."""


class OriginalView(QWidget):
    """Attributes:
    pages: of a PDF.
    words: of any other document, a part at a time.
    said: why nothing is shown.
    again: tries again what could not be opened.
    """

    chosen = Signal(float)
    """A page was pressed, and how far down: 2.5 is the middle of page 2."""
    moved = Signal()
    """Another stretch is in sight."""
    parted = Signal(int, tuple)
    """(pages, `Starts`): how many pages or parts it has; the starts are known here where it is no PDF."""

    def __init__(self, limits: Limits = DRAWING) -> None:
        super().__init__()
        self._source: Source | None = None
        self._shown: Shown | None = None
        self._part = 0
        self._work: Background[Shown | LabError | None] | None = None
        self._loader = PageLoader(self, limits)
        self.pages, self.words = PagesView(), Words()
        self._loader.opened.connect(self._opened)
        self._loader.refused.connect(self._refuse)
        self._loader.drawn.connect(self.pages.show_picture)
        self._loader.failed.connect(self.pages.show_trouble)
        self.pages.wanted.connect(self._loader.want)
        self.pages.chosen.connect(self.chosen)
        self.pages.moved.connect(self._moved)
        self.words.verticalScrollBar().valueChanged.connect(self._moved)
        self._where = ElidedLabel("", "small", "text2")
        self._where.setContentsMargins(8, 0, 0, 0)
        self._before = arrow("chevron-left", self.tr("Page before"), lambda: self._turn(-1))
        self._after = arrow("chevron-right", self.tr("Next page"), lambda: self._turn(1))
        self.open_it = Button(self.tr("Open"), "quiet", size="small", on_click=self._open_original)
        self.open_it.setAccessibleName(self.tr("Open the original"))
        self.open_it.setToolTip(self.tr("Open the original in the program that the system has for it"))
        in_folder = self.tr("Show in Finder") if sys.platform == "darwin" else self.tr("Show in folder")
        self.show_it = arrow("folder", in_folder, self._show_in_folder)
        head = row(self._before, self._after, self._where, self.open_it, self.show_it, gap=4, margins=(16, 4, 12, 4))
        head.setStretch(2, 1)
        self.said = Label("", "body", "text2", wraps=True)
        self.said.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.again = Button(self.tr("Try again"), on_click=self._try_again)
        message = QWidget()
        message.setLayout(
            column(-1, row(-1, Icon("document", "text3", 32), -1), 12, self.said, 12, row(-1, self.again, -1), -1,
                   margins=(32, 24, 32, 24))
        )  # fmt: skip
        self._stack = QStackedWidget()
        for part in (self.pages, self.words, message):
            self._stack.addWidget(part)
        inside = column(head, rule(), self._stack)
        inside.setStretchFactor(self._stack, 1)
        self.setLayout(inside)

    @property
    def source(self) -> Source | None:
        """What is shown."""
        return self._source

    def show_source(self, source: Source | None) -> None:
        """Show the original of a document, once this is in sight; None: nothing."""
        self._stop()
        self._source, self._shown, self._part = source, None, 0
        self.pages.forget()
        self.words.clear()
        if self.isVisible():
            self._load()

    def position(self) -> float:
        """The page or part at the upper edge, and how far down it: 2.5 is the middle of the second."""
        return self.pages.position() if self._is_paged else self._part + 1 + self.words.share()

    def show_position(self, position: float) -> None:
        """Bring a place to the upper edge."""
        if self._is_paged:
            self.pages.show_position(position)
        elif self._shown is not None:
            self._show_part(int(position) - 1)
            self.words.show_share(position % 1)

    @property
    def _is_paged(self) -> bool:
        return self._source is not None and self._source.kind is Kind.PDF

    def _count(self) -> int:
        return len(self.pages.sizes) if self._is_paged else len(self._shown.parts) if self._shown else 0

    def _load(self) -> None:
        source = self._source
        if source is None:
            return
        self.open_it.setVisible(source.may_be_opened and source.original.is_file())
        self.show_it.setVisible(source.original.parent.is_dir())
        if not source.original.is_file():
            missing = self.tr(
                "The original “{0}” is not there any more. The text is safe, and a lesson needs only that."
            )
            self._say(missing.format(source.name), may_retry=False)
        elif self._is_paged:
            if not self.pages.sizes:
                self._say(self.tr("Opening {0}…").format(source.name), may_retry=False)
            self._loader.open(source.original)
        elif self._shown is None:
            self._say(self.tr("Opening {0}…").format(source.name), may_retry=False)
            self._work = Background(_showing(source.original), self._came, self)
            self._work.start()
        self._name_place()

    def _opened(self, sizes: tuple[tuple[float, float], ...]) -> None:
        source = self._source
        if source is None:
            return
        self._stack.setCurrentWidget(self.pages)
        scanned = {page for note in source.notes if note.about == "scanned" for page in note.pages}
        self.pages.show_pages(sizes, scanned)
        self._name_place()
        self.parted.emit(len(sizes), ())

    def _came(self, shown: Shown | LabError | None) -> None:
        self._stop()
        if isinstance(shown, LabError):
            self._refuse(shown)
        elif shown is not None:
            self._shown = shown
            self._stack.setCurrentWidget(self.words)
            self._show_part(0, is_new=True)
            self.parted.emit(len(shown.parts), shown.starts)

    def _show_part(self, part: int, *, is_new: bool = False) -> None:
        assert self._shown is not None
        part = max(0, min(len(self._shown.parts) - 1, part))
        if part != self._part or is_new:
            self._part = part
            self.words.show_words(self._shown, part)
        self._name_place()

    def _refuse(self, error: LabError) -> None:
        self._say(f"{error.message} {error.hint}".strip(), may_retry=True)

    def _say(self, words: str, *, may_retry: bool) -> None:
        self.said.setText(words)
        self.again.setVisible(may_retry)
        self._stack.setCurrentIndex(2)

    def _try_again(self) -> None:
        self._stop()
        self._load()

    def _moved(self) -> None:
        self._name_place()
        self.moved.emit()

    def _name_place(self) -> None:
        count = self._count()
        at = self.pages.page if self._is_paged else self._part + 1
        words = self.tr("Page {0} of {1}") if self._is_paged else self.tr("Part {0} of {1}")
        name = self._source.name if self._source is not None else ""
        self.pages.setAccessibleDescription(words.format(at, count) if count else "")
        self._where.setText(words.format(at, count) if count > 1 or (count and self._is_paged) else name)
        for button in (self._before, self._after):
            button.setVisible(count > 1)

    def _turn(self, by: int) -> None:
        if self._is_paged:
            self.pages.show_page(max(1, min(self._count(), self.pages.page + by)))
            self.chosen.emit(float(self.pages.page))
        elif self._shown is not None:
            self._show_part(self._part + by)
            self.words.show_share(0)
            self.chosen.emit(float(self._part + 1))

    def _open_original(self) -> None:
        if self._source is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._source.original))

    def _show_in_folder(self) -> None:
        if self._source is None:
            return
        file = self._source.original
        if sys.platform == "darwin" and file.exists():
            QProcess.startDetached("open", ["-R", str(file)])
        else:
            QDesktopServices.openUrl(QUrl.fromLocalFile(file.parent))

    def _stop(self) -> None:
        self._loader.close()
        if self._work is not None:
            self._work.stop()
            self._work.deleteLater()
            self._work = None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self._load)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        guarded(self._stop)  # no child stays that nobody looks at


class Words(QTextBrowser):
    """A part of a document that has no pages, formatted. It leads nowhere and loads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._sealed = SealedText(self)
        self.setDocument(self._sealed)
        self.setOpenLinks(False)
        self.setAccessibleName(self.tr("The original"))
        self._shown: tuple[Shown, int] | None = None
        look().changed.connect(self._restyle)

    def show_words(self, shown: Shown, part: int) -> None:
        self._shown = shown, part
        self._restyle()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def clear(self) -> None:
        self._shown = None
        super().clear()

    def share(self) -> float:
        """How far down the part the upper edge is, 0 to 1."""
        bar = self.verticalScrollBar()
        return min(0.999, bar.value() / max(1, bar.maximum() + bar.pageStep()))

    def show_share(self, share: float) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(round(share * (bar.maximum() + bar.pageStep())))

    def _restyle(self) -> None:
        if self._shown is None:
            return
        shown, part = self._shown
        document = self.document()
        document.setDefaultFont(look().font("answer"))
        document.setDefaultStyleSheet(_style())
        self._sealed.pictures = shown.pictures
        text = shown.parts[part]
        if shown.form == "html":
            document.setHtml(text)
        elif shown.form == "markdown":
            features = document.MarkdownFeature.MarkdownDialectGitHub | document.MarkdownFeature.MarkdownNoHTML
            document.setMarkdown(text, features)
        else:
            document.setPlainText(text)
        document.setDocumentMargin(0)
        self._set_margins()
        block = document.begin()
        while block.isValid():
            set_heading(block)
            if _PICTURE in block.text():
                form = block.blockFormat()
                form.setLineHeight(100, 1)  # a share of the picture would be left empty below it
                QTextCursor(block).setBlockFormat(form)
            block = block.next()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        super().resizeEvent(event)

    def _set_margins(self) -> None:
        root = self.document().rootFrame()
        form = root.frameFormat()
        form.setLeftMargin(_MARGIN)
        form.setRightMargin(_MARGIN + max(0, self.width() - 2 * _MARGIN - _WIDEST_TEXT))
        form.setTopMargin(12)
        form.setBottomMargin(_MARGIN)
        root.setFrameFormat(form)


def _style() -> str:
    """What Qt would set too close, or with lines too dark."""
    return (
        "p, li { line-height: 135%; } p { margin-top: 0; margin-bottom: 10px; }"
        "h1, h2, h3, h4, h5, h6 { margin-top: 16px; margin-bottom: 8px; }"
        f"table {{ border-collapse: collapse; border-color: {look().theme.line2}; }}"
    )


def _showing(file: Path) -> Callable[[threading.Event], Shown | LabError | None]:
    def show(stop: threading.Event) -> Shown | LabError | None:
        try:
            return show_safely(file, stop.is_set)
        except Cancelled:
            return None
        except LabError as error:
            return error

    return show
