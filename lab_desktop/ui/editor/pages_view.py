"""The pages of an original below each other, as pictures that come when they are in sight."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from lab_desktop.errors import LabError
from lab_desktop.ui.editor.page_loader import Wanted
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Icon, Label, announce, column, row

_MARGIN, _GAP = 20, 16
_WIDEST = 900
_TALLEST = 4
"""Times its width; what is longer is shown narrower, so that one page cannot be all there is."""
_LEAST = 24
_MOST_BYTES = 96_000_000
"""Of the pictures that are kept."""
_STEP = 60


class PagesView(QAbstractScrollArea):
    """Attributes:
    sizes: of the pages in points; () before they are known.
    """

    wanted = Signal(list)
    """[Wanted]: what is to be drawn, those in sight first."""
    chosen = Signal(float)
    """A page that was pressed, and how far down: 2.5 is the middle of page 2."""
    moved = Signal()
    """Another stretch is in sight."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Sequence[tuple[float, float]] = ()
        self._boxes: list[QRectF] = []
        self._tops: list[float] = []
        self._height = 0.0
        self._pictures: OrderedDict[int, tuple[int, QImage]] = OrderedDict()
        self._bytes = 0
        self._troubles: dict[int, Trouble] = {}
        self._scanned: Collection[int] = ()
        self._active = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Pages of the original"))
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(_STEP)
        self.verticalScrollBar().valueChanged.connect(self._moved)
        look().changed.connect(self._restyled)

    def show_pages(self, sizes: Sequence[tuple[float, float]], scanned: Collection[int]) -> None:
        """A document; where it is the one that was shown before, it stays where it was.

        Args:
            sizes: of its pages in points; (0, 0) of one that is damaged.
            scanned: pages, from 1, that are pictures of text.
        """
        if sizes != self.sizes:
            self.forget()
        where = self.position()
        self.sizes, self._scanned = sizes, scanned
        self._arrange()
        self.show_position(where)
        self.ask()

    def forget(self) -> None:
        """Nothing is shown any more."""
        self.sizes, self._active = (), -1
        self._pictures.clear()
        self._bytes = 0
        for page in list(self._troubles):
            self._mend(page)
        self._arrange()

    def show_picture(self, page: int, width: int, picture: QImage) -> None:
        """A page was drawn.

        Args:
            page: from 0.
            width: that was asked for.
        """
        if page >= len(self.sizes):
            return
        self._mend(page)
        if page in self._pictures:
            self._bytes -= self._pictures.pop(page)[1].sizeInBytes()
        self._pictures[page] = width, picture
        self._bytes += picture.sizeInBytes()
        while self._bytes > _MOST_BYTES and len(self._pictures) > 1:
            self._bytes -= self._pictures.popitem(last=False)[1][1].sizeInBytes()
        self.viewport().update()

    def show_trouble(self, page: int, error: LabError) -> None:
        """A page could not be drawn: a sentence stands in its place.

        Args:
            page: from 0.
        """
        if page >= len(self.sizes):
            return
        self._mend(page)
        self._troubles[page] = trouble = Trouble(error, lambda: self._retry(page))
        trouble.setParent(self.viewport())
        trouble.show()
        self._place_troubles()
        announce(self, error.message)

    @property
    def page(self) -> int:
        """The page that is read now, from 1; 0 where there is none."""
        if not self.sizes:
            return 0
        at = self.verticalScrollBar().value() + self.viewport().height() * 0.4
        return max(1, min(len(self.sizes), bisect.bisect_right(self._tops, at)))

    @property
    def is_drawn(self) -> bool:
        """Everything in sight stands there as large as it is shown, or says why not."""
        first, last = self._in_sight()
        return bool(self.sizes) and all(self._wanted(page) is None for page in range(first, last + 1))

    def said_of(self, page: int) -> str:
        """What stands below a page, from 0."""
        is_scanned = page + 1 in self._scanned
        return self.tr("This page is a picture of text: its words are not in the text.") if is_scanned else ""

    def trouble_of(self, page: int) -> Trouble | None:
        """What stands in the place of a page, from 0, that could not be drawn."""
        return self._troubles.get(page)

    def position(self) -> float:
        """The page at the upper edge, and how far down it: 2.5 is the middle of page 2."""
        if not self.sizes:
            return 1.0
        return self._position(self.verticalScrollBar().value() + _MARGIN)

    def show_position(self, position: float) -> None:
        """Bring a place to the upper edge."""
        if self.sizes:
            page = max(0, min(len(self.sizes) - 1, int(position) - 1))
            share = max(0.0, min(1.0, position - page - 1))
            top = self._boxes[page].top() + share * self._boxes[page].height()
            self.verticalScrollBar().setValue(round(top - _MARGIN))

    def show_page(self, page: int) -> None:
        """Bring a page, from 1, to the upper edge; it is the one in hand."""
        if self.sizes:
            self._active = max(1, min(len(self.sizes), page)) - 1
            self.show_position(self._active + 1)
            self.viewport().update()

    def ask(self) -> None:
        """Ask for what is in sight and not drawn as large as it stands there, then for its neighbours."""
        first, last = self._in_sight()
        near = [*range(first, last + 1), last + 1, first - 1]
        self.wanted.emit([wanted for page in near if (wanted := self._wanted(page)) is not None])

    def _wanted(self, page: int) -> Wanted | None:
        if not 0 <= page < len(self.sizes) or page in self._troubles:
            return None
        width = max(1, round(self._boxes[page].width() * self.devicePixelRatioF()))
        return None if page in self._pictures and self._pictures[page][0] == width else (page, width)

    def _in_sight(self) -> tuple[int, int]:
        top = self.verticalScrollBar().value()
        first = bisect.bisect_right(self._tops, top) - 1
        last = bisect.bisect_left(self._tops, top + self.viewport().height()) - 1
        return max(0, first), min(len(self.sizes) - 1, last)

    def _position(self, at: float) -> float:
        page = max(0, bisect.bisect_right(self._tops, at) - 1)
        box = self._boxes[page]
        return page + 1 + max(0.0, min(0.999, (at - box.top()) / box.height()))

    def _arrange(self) -> None:
        room = max(_LEAST, min(_WIDEST, self.viewport().width() - 2 * _MARGIN))
        said = look().line_height("small") + 12
        top = float(_MARGIN)
        self._boxes = []
        for number, (wide, high) in enumerate(self.sizes, start=1):
            ratio = high / wide if wide > 0 else 1.4
            height = max(_LEAST, min(_TALLEST * room, room * ratio))
            width = min(room, max(_LEAST, height / ratio))
            self._boxes.append(QRectF((self.viewport().width() - width) / 2, top, width, height))
            top += height + _GAP + (said if self.said_of(number - 1) else 0)
        self._tops = [box.top() for box in self._boxes]
        self._height = top - _GAP + _MARGIN
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, round(self._height) - self.viewport().height()))
        self._place_troubles()
        self.viewport().update()

    def _moved(self) -> None:
        self._place_troubles()
        self.viewport().update()
        self.ask()
        self.moved.emit()

    def _restyled(self) -> None:
        where = self.position()
        self._arrange()
        self.show_position(where)

    def _retry(self, page: int) -> None:
        self._mend(page)
        self.setFocus()
        self.ask()

    def _mend(self, page: int) -> None:
        trouble = self._troubles.pop(page, None)
        if trouble is not None:
            trouble.hide()
            trouble.deleteLater()

    def _place_troubles(self) -> None:
        top = self.verticalScrollBar().value()
        for page, trouble in self._troubles.items():
            box = self._boxes[page].translated(0, -top)
            trouble.setFixedWidth(round(max(200, box.width() - 40)))
            trouble.adjustSize()
            trouble.move(round(box.center().x() - trouble.width() / 2), round(box.top() + 24))

    def resizeEvent(self, event: QResizeEvent) -> None:
        where = self.position()
        super().resizeEvent(event)
        self._arrange()
        self.show_position(where)
        self.ask()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.color("sunken"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(0, -self.verticalScrollBar().value())
        first, last = self._in_sight()
        for page in range(first, last + 1):
            box = self._boxes[page]
            painter.fillRect(box, Qt.GlobalColor.white)
            if page in self._pictures:
                self._pictures.move_to_end(page)
                painter.drawImage(box, self._pictures[page][1])
            is_active = page == self._active
            painter.setPen(QPen(theme.color("accent" if is_active else "line2"), 2 if is_active else 1))
            painter.drawRect(box)
            if words := self.said_of(page):
                painter.setPen(theme.color("text2"))
                painter.setFont(look().font("small"))
                below = QRectF(_MARGIN, box.bottom() + 8, self.viewport().width() - 2 * _MARGIN, 100)
                said = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(below.width()))
                painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, said)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.sizes:
            at = event.position() + QPointF(0, self.verticalScrollBar().value())
            position = self._position(at.y())
            self._active = int(position) - 1
            self.viewport().update()
            self.chosen.emit(position)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.setValue(bar.minimum())
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.sizes:
            self._active = self.page - 1
            self.viewport().update()
            self.chosen.emit(float(self.page))
        else:
            super().keyPressEvent(event)


class Trouble(QFrame):
    """Why a page is not there, and a way to try again.

    Attributes:
        said: the sentence.
        again: the way.
    """

    def __init__(self, error: LabError, retry: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("surface", "bad")
        self.said = Label(f"{error.message} {error.hint}".strip(), "body", wraps=True)
        self.again = Button(self.tr("Try again"), size="small", on_click=retry)
        line = row(Icon("warn", "bad", 18), self.said, gap=10)
        line.setStretch(1, 1)
        self.setLayout(column(line, 8, row(-1, self.again), margins=(14, 12, 12, 10)))
