"""The text of a lesson and its original: one of them, or both beside each other, each at the place of the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from lab_desktop.documents.converted import Kind
from lab_desktop.documents.drawing import DRAWING
from lab_desktop.documents.places import Places, Starts
from lab_desktop.documents.reader import Limits
from lab_desktop.documents.safely import convert_safely
from lab_desktop.documents.source import Source, note_starts, record_of, source_of
from lab_desktop.errors import Cancelled, LabError
from lab_desktop.files import stamp
from lab_desktop.ui.background import Background
from lab_desktop.ui.editor.original import OriginalView
from lab_desktop.ui.editor.text import DocumentText
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Label, Segmented, column, row, rule

Side = Literal["page", "text", "both"]
SIDES: tuple[Side, ...] = get_args(Side)
_NARROWEST_SIDE = 400


class Reading(QWidget):
    """Attributes:
    switch: Page, Text or Both; it stands in the head of whoever shows this.
    side: what the person wants to see; where there is no room for both, the text alone is seen.
    places: where the pages stand in the text; None while that is not known.
    """

    switched = Signal(str)
    """The person chose a `Side`."""
    arranged = Signal()
    """Another side is seen."""

    def __init__(self, text: DocumentText, limits: Limits = DRAWING) -> None:
        super().__init__()
        self.text = text
        self.original = OriginalView(limits)
        self.side: Side = "text"
        self.places: Places | None = None
        self._has_room = True
        self._is_following = False
        self._parts: tuple[int, Starts] = 0, ()
        self._search: Background[Places] | None = None
        self._known: tuple[Path, tuple[int, int]] | None = None
        self._markdown = ""
        self.switch = Segmented(
            [("page", self.tr("Page")), ("text", self.tr("Text")), ("both", self.tr("Both"))], "text", self.switch_to
        )
        self.switch.describe("page", self.tr("The original, as it was brought"))
        self.switch.describe("text", self.tr("The text that was made of it, with its passages"))
        self.switch.describe("both", self.tr("The original beside its text"))
        self._unknown = Label("", "small", "text2", wraps=True)
        self._note = QWidget()
        self._note.setLayout(row(self._unknown, margins=(24, 6, 24, 6)))
        self._line = rule(is_upright=True)
        sides = row(self.original, self._line, self.text)
        sides.setStretch(0, 1)
        sides.setStretch(2, 1)
        whole = column(self._note, sides)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.text.verticalScrollBar().valueChanged.connect(lambda _: self._follow_text())
        self.original.moved.connect(self._follow_original)
        self.original.chosen.connect(self._show_place)
        self.original.parted.connect(self._parted)
        self._note.hide()
        self._arrange()

    @property
    def seen(self) -> Side:
        """What is in sight."""
        if self.original.source is None:
            return "text"
        return "text" if self.side == "both" and not self._has_room else self.side

    @staticmethod
    def room_for_both() -> int:
        """The width that the original beside its text needs at least."""
        return 2 * look().grown(_NARROWEST_SIDE)

    def choose(self, side: str) -> None:
        """See a side, as the person chose it before."""
        wanted: Side = next((each for each in SIDES if each == side), "text")
        if wanted != self.side:
            self.side = wanted
            self._arrange()

    def set_room(self, has_room: bool) -> None:
        """
        Args:
            has_room: both can stand beside each other.
        """
        if has_room != self._has_room:
            self._has_room = has_room
            self._arrange()

    def show_document(self, file: Path, text: str) -> None:
        """Another document, or the same with another text.

        Args:
            file: the Markdown, beside qna.yaml.
            text: what is in it now.
        """
        known = file, stamp(record_of(file))
        if known != self._known:
            self._known = known
            source = source_of(file)
            if _identity(source) != _identity(self.original.source):
                self._show_source(source)
        if text != self._markdown:
            self._markdown = text
            if self._parts[0]:
                self._look_for_places()

    def activate(self, passage: int) -> None:
        """Take a passage in hand: it comes into sight, or where only the original is seen, its page does."""
        self.text.activate(passage)
        place = self.text.place_of(passage)
        if self.seen == "page" and self.places is not None and place is not None:
            page = self.places.page_at(place)
            if page is not None:
                self.original.show_position(page)

    def mark(self, sentence: str) -> None:
        """Mark a sentence of the passage in hand, which only the text can."""
        if self.seen == "page":
            self.switch_to("text")
            QTimer.singleShot(0, self, lambda: self.text.mark(sentence))  # the text has no size yet
        else:
            self.text.mark(sentence)

    def close_document(self) -> None:
        """Let go of what is shown."""
        self._known, self._markdown = None, ""
        self._show_source(None)

    def _show_source(self, source: Source | None) -> None:
        self._stop_search()
        self._parts, self.places = (0, ()), None
        self.original.show_source(source)
        self._arrange()

    def switch_to(self, side: str) -> None:
        """See a side from now on."""
        self.choose(side)
        self.switch.choose(self.seen)  # also where what was pressed is what is seen
        self.switched.emit(self.side)

    def _arrange(self) -> None:
        seen = self.seen
        at = self._here()
        self.switch.setVisible(self.original.source is not None)
        self.switch.show_choice("both", self._has_room)
        self.switch.choose(seen)
        self.original.setVisible(seen != "text")
        self.text.setVisible(seen != "page")
        self._line.setVisible(seen == "both")
        self._tell_unknown()
        self.arranged.emit()
        if at is not None:
            QTimer.singleShot(0, self, lambda: self._go_there(at))

    def _here(self) -> float | None:
        """The page that is read now, whatever is in sight."""
        if self.places is None:
            return None
        if self.original.isVisible():
            return self.original.position()
        return self.places.page_at(self.text.first_in_sight())

    def _go_there(self, page: float) -> None:
        self._is_following = True
        if self.original.isVisible():
            self.original.show_position(page)
        place = self.places.place_of(page) if self.places is not None else None
        if place is not None and self.text.isVisible():
            self.text.show_place(place)
        self._is_following = False

    def _parted(self, pages: int, starts: Starts) -> None:
        if self.places is None or self._parts != (pages, starts):
            self._parts = pages, starts
            self._look_for_places()

    def _look_for_places(self) -> None:
        source = self.original.source
        if source is None:
            return
        self._stop_search()
        pages, starts = self._parts
        work = _finding(source, self.text.toPlainText(), starts, pages)
        self._search = Background(work, self._found, self)
        self._search.start()

    def _stop_search(self) -> None:
        if self._search is not None:
            self._search.stop()
            self._search.deleteLater()
            self._search = None

    def _found(self, places: Places) -> None:
        self._stop_search()
        is_first = self.places is None
        self.places = places
        self._tell_unknown()
        if is_first and self.seen == "both":
            self._follow_text()

    def _tell_unknown(self) -> None:
        is_unknown = self.places is not None and not self.places.is_known
        self._note.setVisible(is_unknown and self.seen == "both")
        self._unknown.setText(
            self.tr("Where each page stands in the text is not known, so the two sides do not move together.")
        )

    def _follow_text(self) -> None:
        if self._is_following or self.seen != "both" or self.places is None:
            return
        page = self.places.page_at(self.text.first_in_sight())
        if page is not None:
            self._is_following = True
            self.original.show_position(page)
            self._is_following = False

    def _follow_original(self) -> None:
        if self._is_following or self.seen != "both":
            return
        self._show_place(self.original.position())

    def _show_place(self, page: float) -> None:
        place = self.places.place_of(page) if self.places is not None else None
        if place is not None and self.text.isVisible():
            self._is_following = True
            self.text.show_place(place)
            self._is_following = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.places is None and self._parts[0]:
            guarded(self._look_for_places)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        guarded(self._stop_search)  # a window that closes waits for nothing


def _identity(source: Source | None) -> tuple[Path, Path, str] | None:
    return (source.text, source.original, source.sha256) if source is not None else None


def _finding(source: Source, text: str, starts: Starts, pages: int) -> Callable[[threading.Event], Places]:
    def find(stop: threading.Event) -> Places:
        known = starts or source.starts
        if not known and source.kind is Kind.PDF:  # kept before the starts were noted
            try:
                known = convert_safely(source.original, is_cancelled=stop.is_set).starts
                note_starts(source, known)
            except (Cancelled, LabError):
                pass  # they are not known, or not noted: both are said or made up for the next time
        return Places(text, known, pages)

    return find
