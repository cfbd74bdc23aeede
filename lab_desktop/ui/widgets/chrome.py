"""The frame round every page: sidebar, header, path, next line, activity bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lab_desktop.ui import icons
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, ElidedLabel, Icon, Label, empty, row, rule
from lab_desktop.ui.widgets.meters import Ring

_Index = QModelIndex | QPersistentModelIndex
_WIDE, _NARROW = 208, 76
_CONNECTOR = 36


def wide() -> int:
    """Width of the sidebar with words; it grows with the text."""
    return round(_WIDE * _growth())


def narrow() -> int:
    """Width of the sidebar with icons and a small word."""
    return round(_NARROW * _growth())


def _growth() -> float:
    return max(1.0, (1 + look().text_size) / 2)


@dataclass(frozen=True)
class Place:
    """An item of the sidebar.

    Attributes:
        name: of its page.
        count: beside it, in grey; 0: none.
        news: a badge: things there that need the person.
    """

    name: str
    title: str
    icon: str
    count: int = 0
    news: int = 0


class _Places(QAbstractListModel):
    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self.places = list(places)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.places)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = self.places[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return place
        if role == Qt.ItemDataRole.DisplayRole:
            return place.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                [
                    place.title,
                    *([str(place.count)] if place.count else []),
                    *([f"{place.news} new"] if place.news else []),
                ]
            )
        return None


class _PlaceDelegate(QStyledItemDelegate):
    is_narrow = False

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        if self.is_narrow:
            return QSize(narrow() - 16, 38 + look().line_height("tiny"))
        return QSize(wide() - 24, max(34, look().line_height("body") + 10))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = look().theme
        place: Place = index.data(Qt.ItemDataRole.UserRole)
        box = QRectF(option.rect).adjusted(0, 1, 0, -1)
        state = option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_chosen or is_hovered:
            ground = theme.color("sel")
            ground.setAlphaF(1.0 if is_chosen else 0.5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 6, 6)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        ink = "accent" if is_chosen else "text2"
        painter.setPen(theme.color("text"))
        if self.is_narrow:
            icons.draw(painter, place.icon, QRectF(box.center().x() - 9, box.top() + 7, 18, 18), ink)
            painter.setFont(look().font("tiny"))
            painter.drawText(box.adjusted(0, 28, 0, 0), Qt.AlignmentFlag.AlignHCenter, place.title)
            if place.news:
                size = _news_size()
                self._draw_news(painter, QRectF(box.center().x() + 4, box.top() + 1, size + 10, size), place.news)
        else:
            icons.draw(painter, place.icon, QRectF(box.left() + 10, box.center().y() - 9, 18, 18), ink)
            painter.setFont(look().font("strong" if is_chosen else "control"))
            painter.drawText(box.adjusted(38, 0, -40, 0), Qt.AlignmentFlag.AlignVCenter, place.title)
            if place.news:
                self._draw_news(painter, box, place.news)
            elif place.count:
                painter.setPen(theme.color("text3"))
                painter.setFont(look().font("small"))
                painter.drawText(
                    box.adjusted(0, 0, -10, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                    str(place.count),
                )  # fmt: skip
        painter.restore()

    @staticmethod
    def _draw_news(painter: QPainter, box: QRectF, news: int) -> None:
        theme = look().theme
        size = _news_size()
        disc = QRectF(box.right() - 10 - size, box.center().y() - size / 2, size, size)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("fill"))
        painter.drawEllipse(disc)
        painter.setPen(theme.color("on_fill"))
        painter.setFont(look().font("tiny"))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(min(news, 99)))


def _news_size() -> int:
    """Width of the disc with the number of news."""
    return max(18, look().line_height("tiny") + 4)


class Sidebar(QFrame):
    """The nouns of the app; below 1100 pixels of window width only their icons with a small word."""

    chosen = Signal(str)

    def __init__(self, places: Sequence[Place], foot: Sequence[Place]) -> None:
        super().__init__()
        self.setProperty("surface", "sidebar")
        self._is_narrow = False
        self._delegate = _PlaceDelegate()
        self._lists = [self._made(places, self.tr("Pages")), self._made(foot, self.tr("Settings and help"))]
        layout = QVBoxLayout()
        layout.setContentsMargins(12, 16, 12, 12)
        layout.setSpacing(0)
        layout.addWidget(self._lists[0], 1)
        layout.addWidget(self._lists[1])
        self.setLayout(layout)
        self.set_narrow(False)
        look().changed.connect(self._relook)

    def _made(self, places: Sequence[Place], name: str) -> QListView:
        made = QListView()
        made.setModel(_Places(places))
        made.setItemDelegate(self._delegate)
        made.setAccessibleName(name)
        made.setMouseTracking(True)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setFrameShape(QFrame.Shape.NoFrame)
        made.selectionModel().currentChanged.connect(lambda index, _: self._take(made, index))
        made.clicked.connect(lambda index: self._take(made, index))
        return made

    def _take(self, view: QListView, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(index.data(Qt.ItemDataRole.UserRole).name)

    def show_place(self, name: str) -> None:
        """Mark a place without going there."""
        for view in self._lists:
            model = view.model()
            assert isinstance(model, _Places)
            selection = view.selectionModel()
            selection.blockSignals(True)
            numbers = [number for number, place in enumerate(model.places) if place.name == name]
            view.setCurrentIndex(model.index(numbers[0], 0) if numbers else QModelIndex())
            if not numbers:
                view.clearSelection()
            selection.blockSignals(False)
            view.viewport().update()

    def set_places(self, places: Sequence[Place]) -> None:
        """The same places with other counts."""
        model = self._lists[0].model()
        assert isinstance(model, _Places)
        model.places = list(places)
        model.dataChanged.emit(model.index(0, 0), model.index(len(places) - 1, 0))

    def set_narrow(self, is_narrow: bool) -> None:
        self._delegate.is_narrow = is_narrow
        self._is_narrow = is_narrow
        margin = 8 if is_narrow else 12
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(margin, 16, margin, 12)
        self._relook()

    def _relook(self) -> None:
        self.setFixedWidth(narrow() if self._is_narrow else wide())
        for view in self._lists:
            model = view.model()
            view.setFixedHeight(sum(view.sizeHintForRow(number) for number in range(model.rowCount())) + 2)
            view.doItemsLayout()
        self._lists[0].setMinimumHeight(0)
        self._lists[0].setMaximumHeight(16777215)


class Header(QWidget):
    """Title and place of the page, what is saved, and who one talks to."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ElidedLabel("", "head")
        self.title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.place = ElidedLabel("", "body", "text3")
        self.saved = Label("", "small", "text3")
        self.chip = QToolButton()
        self.chip.setProperty("chip", True)
        self.chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # its arrows stand behind the words
        self.chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        keys = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        self.anything = Button(keys, "quiet", icon="search", size="small")
        self.anything.setAccessibleName(self.tr("Go to anything"))
        self.anything.setToolTip(self.tr("Go to anything: pages, projects, lessons, chats, settings, help"))
        self.help = Button("", "quiet", icon="help", size="small")
        self.help.setAccessibleName(self.tr("Help about this page"))
        help_keys = QKeySequence(QKeySequence.StandardKey.HelpContents).toString(QKeySequence.SequenceFormat.NativeText)
        self.help.setToolTip(self.tr("What is this page for, and what can I do here? ({0})").format(help_keys))
        beside = row(self.anything, self.help, gap=0)
        inside = row(self.title, self.place, self.saved, self.chip, beside, gap=12, margins=(24, 0, 24, 0))
        inside.setStretch(1, 1)
        self.setLayout(inside)
        look().changed.connect(self._relook)
        self._relook()

    def _relook(self) -> None:
        self.setFixedHeight(look().line_height("body") + 32)
        self.chip.setIconSize(QSize(18, 14))
        self.chip.setIcon(icons.icon("up-down", "text2", 14, 4))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The title gets what it needs, but the chip is never pushed out."""
        beside = sum(each.sizeHint().width() for each in (self.chip, self.anything, self.help))
        needed = self.title.fontMetrics().horizontalAdvance(self.title.whole) + 4
        self.title.setFixedWidth(min(needed, max(60, self.width() - beside - 108)))

    def show_page(self, title: str, place: str = "") -> None:
        self.title.setText(title)
        self.place.setText(place)
        self._fit()

    def show_voice(self, name: str, model: str) -> None:
        self.chip.setText(f"{name}  {model}" if model else name)
        self.chip.setAccessibleName(self.tr("You talk to {0} {1}").format(name, model))
        self._fit()


@dataclass(frozen=True)
class PathStep:
    """A step of the path: its state is "done", "now", "later" or "needs you"."""

    name: str
    title: str
    state: str
    count: str = ""


class PathBar(QWidget):
    """The one path of the project in hand: what is done, where one is, what comes; and the way to another project."""

    chosen = Signal(str)
    """A step, by its name."""
    switched = Signal(str)
    """What was taken in the menu of projects, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, tuple[PathStep, ...]] | None = None
        self._choices: list[tuple[str, str, bool]] = []
        self.project = QToolButton()
        self.project.setProperty("flat", True)
        self.project.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.project.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.project.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.project.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrows stand behind the name
        self.project.setToolTip(self.tr("Go to another project"))
        self.project.setMenu(QMenu(self.project))
        self._steps = QHBoxLayout()
        self._steps.setSpacing(0)
        line = rule(is_upright=True)
        line.setFixedHeight(20)
        self.setLayout(row(self.project, line, self._steps, -1, gap=12, margins=(17, 0, 16, 0)))
        look().changed.connect(self._relook)
        self._relook()

    def _relook(self) -> None:
        self.setFixedHeight(look().line_height("body") + 24)
        self.project.setIcon(icons.icon("up-down", "text2", 14))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The connectors are shortened first, then the name of the project is cut; the steps stay whole."""
        if self._shown is None:
            return
        items = (self._steps.itemAt(number) for number in range(self._steps.count()))
        parts = [part for item in items if item is not None and (part := item.widget()) is not None]
        connectors = [part for part in parts if isinstance(part, _Connector)]
        words = sum(part.sizeHint().width() for part in parts if isinstance(part, _StepButton))
        connector = _CONNECTOR if self.width() - words - _CONNECTOR * len(connectors) > 260 else _CONNECTOR // 2
        for part in connectors:
            part.setFixedWidth(connector)
        room = self.width() - words - connector * len(connectors) - 100
        metrics = self.project.fontMetrics()
        self.project.setText(metrics.elidedText(self._shown[0], Qt.TextElideMode.ElideRight, max(48, room)))

    def show_path(self, project: str, steps: Sequence[PathStep]) -> None:
        if (project, tuple(steps)) == self._shown:
            return
        self._shown = project, tuple(steps)
        self.project.setAccessibleName(self.tr("Project {0}").format(project))
        focused = next((name for name, button in self._buttons().items() if button.hasFocus()), "")
        empty(self._steps)
        for number, step in enumerate(steps):
            if number:
                self._steps.addWidget(_Connector())
            button = _StepButton(step, number + 1, len(steps))
            button.setObjectName(step.name)
            button.clicked.connect(lambda _, name=step.name: self.chosen.emit(name))
            self._steps.addWidget(button)
        if focused in (buttons := self._buttons()):
            buttons[focused].setFocus()
        self._fit()

    def follow(self, before: QWidget) -> None:
        """Let the keyboard come to the steps after this control, which the page follows."""
        for button in self._buttons().values():
            QWidget.setTabOrder(before, button)
            before = button

    def show_projects(self, choices: Sequence[tuple[str, str, bool]]) -> None:
        """
        Args:
            choices: (name, words, whether it is the one in hand); an empty name is a line between.
        """
        if list(choices) == self._choices:  # a menu that is open stays as it is
            return
        self._choices = list(choices)
        menu = self.project.menu()
        menu.clear()
        for name, words, is_chosen in choices:
            if not name:
                menu.addSeparator()
                continue
            action = menu.addAction(words.replace("&", "&&"))
            action.setCheckable(is_chosen)
            action.setChecked(is_chosen)
            action.triggered.connect(lambda _, name=name: self.switched.emit(name))

    def _buttons(self) -> dict[str, QWidget]:
        items = (self._steps.itemAt(number) for number in range(self._steps.count()))
        parts = (item.widget() for item in items if item is not None)
        return {part.objectName(): part for part in parts if isinstance(part, _StepButton)}


class _Connector(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_CONNECTOR, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(look().theme.color("line2"))
        painter.drawLine(5, 10, self.width() - 5, 10)


class _StepButton(QToolButton):
    def __init__(self, step: PathStep, number: int, total: int) -> None:
        super().__init__()
        self._step = step
        words = {"done": self.tr("done"), "now": self.tr("now"), "later": self.tr("later")}
        state = words.get(step.state, self.tr("needs you"))
        self.setAccessibleName(
            self.tr("{0} {1}, step {2} of {3}, {4}").format(step.title, step.count, number, total, state)
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        style = "strong" if self._step.state == "now" else "body"
        text = QFontMetrics(look().font(style)).horizontalAdvance(self._text())  # type: ignore[arg-type]
        return QSize(text + 26 + (24 if self._step.state == "now" else 4), look().line_height("body") + 8)

    def _text(self) -> str:
        return f"{self._step.title}  {self._step.count}".strip()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        is_now = self._step.state == "now"
        left = box.left() + (12 if is_now else 2)
        if is_now:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("tint"))
            painter.drawRoundedRect(box, 14, 14)
        mark = QRectF(left, box.center().y() - 7, 14, 14)
        if self._step.state == "done":
            icons.draw(painter, "check", mark, "good")
        elif self._step.state == "needs you":
            icons.draw(painter, "warn", mark, "bad")
        else:
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(theme.color("data" if is_now else "text3"))
            pen.setWidthF(3.5 if is_now else 1.5)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(mark.adjusted(2, 2, -2, -2))
        painter.setPen(theme.color("accent" if is_now else "text2"))
        painter.setFont(look().font("strong" if is_now else "body"))
        painter.drawText(box.adjusted(left + 20, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            pen = painter.pen()
            pen.setColor(theme.color("accent"))
            pen.setWidthF(2)
            painter.setPen(pen)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 14, 14)


class NextLine(QFrame):
    """One sentence: what to do now, and the one filled button that does it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "page")
        self._text = ElidedLabel("")
        self._on_click: Callable[[], object] = lambda: None
        self.button = Button("", "primary", on_click=lambda: self._on_click())
        inside = row(
            Label(self.tr("Next:"), "strong", "accent"), self._text, self.button, gap=6, margins=(24, 0, 24, 0)
        )
        inside.setStretch(1, 1)
        self.setLayout(inside)
        look().changed.connect(self._relook)
        self._relook()
        self.say("", "", lambda: None)

    def _relook(self) -> None:
        self.setFixedHeight(look().line_height("body") + 32)

    def say(self, text: str, button: str, on_click: Callable[[], object]) -> None:
        self._text.setText(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._on_click = on_click
        self.setVisible(bool(text))


class ActivityBar(QFrame):
    """The job in hand in one line: what, how much, how fast, until when; and one button."""

    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "sidebar")
        self._ring = Ring(14, 2)
        self._icon = Icon("check", "good", 14)
        self._what = Label("", "strong")
        self._detail = ElidedLabel("", "small", "text2")
        self.button = Button("", size="small", icon="pause")
        self._power = Label("", "small", "text2")
        self.all = QToolButton()
        self.all.setProperty("flat", True)
        self.all.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.all.setAccessibleName(self.tr("All activity"))
        self.all.setToolTip(self.tr("All activity"))
        self.all.clicked.connect(self.opened)
        inside = row(
            self._ring, self._icon, self._what, self._detail, self.button, self._power, self.all, gap=8,
            margins=(22, 0, 16, 0),
        )  # fmt: skip
        inside.setStretch(3, 1)
        self.setLayout(inside)
        look().changed.connect(self._relook)
        self._relook()
        self.rest()

    def _relook(self) -> None:
        self.setFixedHeight(round(36 * max(1.0, look().text_size)))
        self.all.setIcon(icons.icon("chevron-up", "text2", 14))

    def rest(self, text: str = "", is_fine: bool = True) -> None:
        """Nothing runs.

        Args:
            is_fine: what the text says is good.
        """
        self._ring.hide()
        self._what.hide()
        self._power.hide()
        self._icon.setVisible(bool(text) and is_fine)
        self._detail.setText(text or self.tr("Nothing is running. Everything is saved."))
        self.button.hide()

    def work(self, what: str, detail: str, share: float | None, is_paused: bool, button: str, icon: str) -> None:
        self._icon.hide()
        self._ring.show()
        self._what.show()
        self._ring.show_share(share, is_paused)
        self._what.setText(what)
        self._detail.setText(detail)
        self.button.setText(button)
        self.button.set_icon(icon)
        self.button.setVisible(bool(button))
