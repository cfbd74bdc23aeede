"""Text, buttons, cards, rules, banners, badges: what every page is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lab_desktop.ui import icons
from lab_desktop.ui.theme import TypeStyle, look

Kind = Literal["", "primary", "plain", "quiet", "danger"]
Tone = Literal["info", "good", "warn", "bad"]
_Box = TypeVar("_Box", bound=QBoxLayout)
_ICON_ROOM = 4
"""Between a button's icon and its text, beyond what the style leaves."""
TONE_ICONS: dict[str, str] = {"info": "info", "good": "check", "warn": "warn", "bad": "warn"}


def column(
    *items: QWidget | QLayout | int, gap: int = 0, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Items below each other; a number is empty space, -1 takes all that is left."""
    return _filled(QVBoxLayout(), items, gap, margins)


def row(
    *items: QWidget | QLayout | int, gap: int = 0, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """Items beside each other; a number is empty space, -1 takes all that is left."""
    return _filled(QHBoxLayout(), items, gap, margins)


def _filled(
    layout: _Box, items: tuple[QWidget | QLayout | int, ...], gap: int, margins: tuple[int, int, int, int]
) -> _Box:
    layout.setSpacing(gap)
    layout.setContentsMargins(*margins)
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        elif item < 0:
            layout.addStretch(1)
        else:
            layout.addSpacing(item)
    return layout


def empty(layout: QLayout) -> None:
    """Take everything out of a layout, at once for the eye."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


class Label(QLabel):
    """Text in a style of the scale and a colour role."""

    def __init__(self, text: str = "", style: TypeStyle = "body", tone: str = "text", *, wraps: bool = False) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("type", style)
        self.setProperty("tone", tone)
        self.setWordWrap(wraps)
        if wraps:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._style: TypeStyle = style
        self._refont()
        look().changed.connect(self._refont)

    def set_tone(self, tone: str) -> None:
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)

    def _refont(self) -> None:
        self.setFont(look().font(self._style))  # tabular figures and letter spacing, which no style sheet can say


def scrolled(inside: QWidget, area: QScrollArea | None = None) -> QScrollArea:
    """A part of a page that scrolls up and down, without a frame.

    Args:
        area: made to be so, where there is one already.
    """
    made = area if area is not None else QScrollArea()
    made.setWidgetResizable(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setWidget(inside)
    return made


class Flowing(QWidget):
    """What is inside a part that scrolls, as tall as its texts need at its width.

    Layouts ask for as much as texts would need at the least width, and a scroll bar appears beside what fits.
    """

    def __init__(self, inside: QLayout) -> None:
        super().__init__()
        self.setLayout(inside)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), 0)


class ElidedLabel(Label):
    """One line that ends in … where it does not fit; the whole text is its tooltip then."""

    def __init__(self, text: str = "", style: TypeStyle = "body", tone: str = "text") -> None:
        self._whole = text
        super().__init__(text, style, tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(24)

    @property
    def whole(self) -> str:
        """The text without any cut."""
        return self._whole

    def setText(self, text: str) -> None:
        self._whole = text
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 1, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 24))
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")
        self.setAccessibleName(self._whole)


class Icon(QWidget):
    """An icon in a colour role; it says nothing by itself, the text beside it does."""

    def __init__(self, name: str, role: str = "text2", size: int = 16) -> None:
        super().__init__()
        self._name, self._role = name, role
        self.setFixedSize(size, size)
        look().changed.connect(self.update)

    def show_icon(self, name: str, role: str) -> None:
        self._name, self._role = name, role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icons.draw(painter, self._name, QRectF(self.rect()), self._role)


class Dot(QWidget):
    """A dot in a colour role, before the word that it stands for."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self.setFixedSize(8, 8)
        look().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look().theme.color(self._role))
        painter.drawEllipse(self.rect())


class Button(QPushButton):
    """A push button: its kind, its icon, what it does; Return presses it as Space does."""

    def __init__(
        self, text: str, kind: Kind = "", icon: str = "", on_click: Callable[[], object] | None = None, size: str = ""
    ) -> None:
        super().__init__(text)
        self.setProperty("kind", kind)
        self.setProperty("size", size)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icon = icon
        self._kind = kind
        if on_click is not None:
            self.clicked.connect(lambda: on_click())
        if icon:
            self._tint()
            look().changed.connect(self._tint)

    def set_kind(self, kind: Kind) -> None:
        if kind != self._kind:
            self._kind = kind
            self.setProperty("kind", kind)
            self.style().unpolish(self)
            self.style().polish(self)
            if self._icon:
                self._tint()

    def setText(self, text: str) -> None:
        super().setText(text)
        if self._icon:
            self._tint()

    def set_icon(self, name: str) -> None:
        self._icon = name
        self._tint()

    def _tint(self) -> None:
        roles = {"primary": "on_fill", "plain": "accent", "quiet": "text2", "danger": "bad"}
        room = _ICON_ROOM if self.text() else 0
        self.setIconSize(QSize(14 + room, 14))
        self.setIcon(icons.icon(self._icon, roles.get(self._kind, "text2"), 14, room))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


def arrow(icon: str, name: str, on_click: Callable[[], object]) -> Button:
    """A small button that is an arrow: on to the next, or back."""
    made = Button("", "quiet", icon=icon, size="small", on_click=on_click)
    made.setAccessibleName(name)
    made.setToolTip(name)
    return made


class Folding(QWidget):
    """Two parts at the ends of a line; the second stands below the first where there is no room for both."""

    def __init__(self, first: QWidget, second: QWidget, gap: int = 10) -> None:
        super().__init__()
        self._parts = first, second
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(gap)
        self._line.addWidget(first, 0, Qt.AlignmentFlag.AlignLeft)
        self._line.addStretch(1)
        self._line.addWidget(second, 0, Qt.AlignmentFlag.AlignLeft)

    def minimumSizeHint(self) -> QSize:
        shown = [part.minimumSizeHint().width() for part in self._parts if not part.isHidden()]
        return QSize(max(shown, default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fold()
        return super().event(event)

    def _fold(self) -> None:
        shown = [part.sizeHint().width() for part in self._parts if not part.isHidden()]
        has_room = sum(shown) + self._line.spacing() <= self.width()
        direction = QBoxLayout.Direction.LeftToRight if has_room else QBoxLayout.Direction.TopToBottom
        if direction != self._line.direction():
            self._line.setDirection(direction)


def nothing_yet(icon: str, title: str, text: str) -> QWidget:
    """What a page shows that has nothing to show yet."""
    made = QWidget()
    made.setLayout(
        column(
            -1,
            row(-1, Icon(icon, "text3", 32), -1),
            12,
            row(-1, Label(title, "title"), -1),
            4,
            row(-1, Label(text, "body", "text2"), -1),
            -1,
        )
    )
    return made


class Card(QFrame):
    """A white surface with a hairline round it; parts in it are split by rules, never by cards."""

    def __init__(self, *items: QWidget | QLayout | int, gap: int = 0, padding: tuple[int, int] = (20, 16)) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        wide, high = padding
        self.setLayout(column(*items, gap=gap, margins=(wide, high, wide, high)))


def rule(is_upright: bool = False) -> QFrame:
    """A hairline."""
    line = QFrame()
    line.setProperty("rule", True)
    line.setFrameShape(QFrame.Shape.NoFrame)
    if is_upright:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


class Banner(QFrame):
    """What happened, then what is safe, and one button; announced once to who cannot see it."""

    def __init__(
        self, tone: Tone, cause: str, safe: str = "", button: str = "", on_click: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self._icon = Icon("info", "text2", 18)
        self._text = Label("", wraps=True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self.button = Button("")
        self._on_click: Callable[[], object] = lambda: None
        self.button.clicked.connect(lambda: self._on_click())
        inside = row(self._icon, self._text, self.button, gap=12, margins=(16, 10, 12, 10))
        inside.setStretch(1, 1)
        self.setLayout(inside)
        self.setMinimumHeight(48)
        self.say(tone, cause, safe, button, on_click)

    def say(
        self, tone: Tone, cause: str, safe: str = "", button: str = "", on_click: Callable[[], object] | None = None
    ) -> None:
        self.setProperty("surface", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.show_icon(TONE_ICONS[tone], {"info": "text2"}.get(tone, tone))
        self._text.setText(f"<b>{_escaped(cause)}</b> {_escaped(safe)}")
        self.setAccessibleName(f"{cause} {safe}".strip())
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._on_click = on_click or (lambda: None)
        if self.isVisible():
            announce(self, f"{cause} {safe}")

    def showEvent(self, event: QEvent) -> None:
        announce(self, self.accessibleName())


class Badge(QLabel):
    """A word on a tint, with its icon: Comfortable, Tight, Draft."""

    def __init__(
        self, text: str, tone: Literal["good", "warn", "bad", "accent", "plain"] = "plain", icon: str = ""
    ) -> None:
        super().__init__(text)
        self._tone, self._icon = tone, icon
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFont(look().font("label"))
        look().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setFont(look().font("label"))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(look().font("label"))  # what it is painted with, whatever a style sheet says
        wide = metrics.horizontalAdvance(self.text()) + 16 + (18 if self._icon else 0)
        return QSize(wide, max(20, metrics.height() + 4))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_badge(painter, QRectF(self.rect()), self.text(), self._tone, self._icon)


def paint_badge(painter: QPainter, box: QRectF, text: str, tone: str, icon: str = "") -> None:
    """A badge as delegates draw it too."""
    theme = look().theme
    ground = {"good": "good_tint", "warn": "warn_tint", "bad": "bad_tint", "accent": "tint"}.get(tone, "sunken")
    ink = tone if tone != "plain" else "text2"
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(ground))
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    left = box.left() + 8
    if icon:
        icons.draw(painter, icon, QRectF(left, box.center().y() - 7, 14, 14), ink)
        left += 18
    painter.setPen(theme.color(ink))
    painter.setFont(look().font("label"))
    painter.drawText(QRectF(left, box.top(), box.right() - left, box.height()), Qt.AlignmentFlag.AlignVCenter, text)


class Segmented(QFrame):
    """A few choices side by side, one of them taken."""

    def __init__(self, choices: list[tuple[str, str]], chosen: str, on_choice: Callable[[str], object]) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout = row(gap=0)
        for number, (name, text) in enumerate(choices):
            button = QToolButton()
            button.setText(text)
            button.setAccessibleName(text)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setProperty(
                "segment", "first" if number == 0 else "last" if number == len(choices) - 1 else "middle"
            )
            button.clicked.connect(lambda _, name=name: on_choice(name))
            self._group.addButton(button)
            self._buttons[name] = button
            layout.addWidget(button)
        self.setLayout(layout)
        self.choose(chosen)
        self._fit()
        look().changed.connect(self._fit)

    def _fit(self) -> None:
        for button in self._buttons.values():
            button.setMinimumWidth(self.needs(button.text()))

    def needs(self, text: str) -> int:
        """Room for a text as it is written when chosen, which is bolder than the style sheet's hint knows."""
        return QFontMetrics(look().font("strong")).horizontalAdvance(text) + 26

    def choose(self, name: str) -> None:
        self._buttons[name].setChecked(True)

    def show_choice(self, name: str, is_there: bool) -> None:
        """Offer the last choice, or do not: the one before it is the last then."""
        *_, before, last = self._buttons
        assert name == last
        self._buttons[last].setVisible(is_there)
        button = self._buttons[before]
        button.setProperty("segment", "middle" if is_there else "last")
        button.style().unpolish(button)
        button.style().polish(button)

    def set_text(self, name: str, text: str) -> None:
        if self._buttons[name].text() != text:
            self._buttons[name].setText(text)
            self._buttons[name].setAccessibleName(text)
            self._fit()

    def describe(self, name: str, text: str) -> None:
        """What a choice means, for who stays on it."""
        self._buttons[name].setToolTip(text)
        self._buttons[name].setAccessibleDescription(text)

    @property
    def chosen(self) -> str:
        return next((name for name, button in self._buttons.items() if button.isChecked()), "")


class Slider(QSlider):
    """An amount between two words; it is taken when the hand lets go, or with each key."""

    def __init__(self, most: int, name: str, on_choice: Callable[[int], object], step: int = 5) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, most)
        self.setSingleStep(step)
        self.setPageStep(2 * step)
        self.setTracking(False)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(lambda value: on_choice(value))
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedWidth(look().grown(160))

    def show_value(self, value: int) -> None:
        """Stand there without taking it as a choice."""
        self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(False)


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say it now."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
