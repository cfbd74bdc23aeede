"""How everything looks: colours in light and dark, type, space, and the one style sheet made from them.

Widgets name a role ("text2", "head"), never a colour or a size. What a style sheet can say is said in `style_sheet`;
what is painted reads `look().theme` at paint time. When the system turns dark, or the person changes the text size,
`Look` sets palette and style sheet again and says `changed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

TypeStyle = Literal[
    "hero", "number_l", "number_m", "number_s", "title", "head", "reading", "answer", "body", "control", "strong",
    "small", "label", "tiny",
]  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """Colours by role. Contrast of every text colour on every ground it is used on is at least 4.5 to 1 (tested).

    Attributes:
        page, sidebar, card, sunken, hover, sel: grounds.
        line, line2, track: hairlines, borders of controls, the empty part of a bar.
        text, text2, text3: body, second line, labels and placeholders.
        accent, fill, fill_hover, fill_pressed, data, tint: accent as text; ground of the primary button; bars and
            curves; selected rows and the current step.
        good, warn, bad and their tints; good_band: the good range of a chart.
        mark, mark2, mark_line: a passage, its source sentence, its bar.
    """

    is_dark: bool
    sidebar: str
    page: str
    card: str
    sunken: str
    hover: str
    sel: str
    line: str
    line2: str
    track: str
    text: str
    text2: str
    text3: str
    accent: str
    fill: str
    fill_hover: str
    fill_pressed: str
    on_fill: str
    data: str
    tint: str
    good: str
    good_tint: str
    good_band: str
    warn: str
    warn_tint: str
    bad: str
    bad_tint: str
    mark: str
    mark2: str
    mark_line: str

    def color(self, role: str) -> QColor:
        """The colour of a role, as Qt has it.

        Raises:
            AttributeError: there is no such role.
        """
        return QColor(getattr(self, role))


LIGHT = Theme(
    is_dark=False,
    sidebar="#F1F0EE",
    page="#FAF9F8",
    card="#FFFFFF",
    sunken="#F3F2F0",
    hover="#F6F5F3",
    sel="#E8E6E2",
    line="#E5E3DF",
    line2="#CDCAC4",
    track="#E6E4E0",
    text="#1E1D1B",
    text2="#55534E",
    text3="#6A6761",
    accent="#2757C9",
    fill="#2E5FD3",
    fill_hover="#2856C2",
    fill_pressed="#214AAA",
    on_fill="#FFFFFF",
    data="#2E5FD3",
    tint="#E8EEFC",
    good="#1B7443",
    good_tint="#E5F3EA",
    good_band="#EAF5EE",
    warn="#865100",
    warn_tint="#FBF0DA",
    bad="#AE372C",
    bad_tint="#FBE9E6",
    mark="#FFF8E1",
    mark2="#FFE38F",
    mark_line="#E3B93A",
)
DARK = Theme(
    is_dark=True,
    sidebar="#1E1D1C",
    page="#252423",
    card="#2F2E2C",
    sunken="#211F1E",
    hover="#353432",
    sel="#3A3835",
    line="#3B3936",
    line2="#55524D",
    track="#45433F",
    text="#F0EEEA",
    text2="#BFBCB6",
    text3="#A5A29B",
    accent="#93B3FF",
    fill="#3A69DB",
    fill_hover="#3361D0",
    fill_pressed="#2B55BD",
    on_fill="#FFFFFF",
    data="#6A93F5",
    tint="#29364F",
    good="#70CE98",
    good_tint="#23392D",
    good_band="#27352D",
    warn="#E9B866",
    warn_tint="#40341F",
    bad="#FF978C",
    bad_tint="#472B28",
    mark="#38342A",
    mark2="#685820",
    mark_line="#A98C33",
)

TYPE: dict[TypeStyle, tuple[int, int, int]] = {
    "hero": (32, 40, 600),
    "number_l": (40, 44, 600),
    "number_m": (32, 40, 600),
    "number_s": (28, 32, 600),
    "title": (20, 28, 600),
    "head": (15, 20, 600),
    "reading": (15, 25, 400),
    "answer": (15, 24, 400),
    "body": (13, 20, 400),
    "control": (13, 20, 500),
    "strong": (13, 20, 600),
    "small": (12, 16, 400),
    "label": (12, 16, 500),
    "tiny": (11, 14, 500),
}
"""Size and line height in pixels, and weight, before the person's text size."""

_TIGHT = {"hero": -1.5, "title": -1.5, "number_l": -2.5, "number_m": -2.5, "number_s": -2.5}


class Look(QObject):
    """The look in force. Windows that are open change it in turns, so that they answer in between, and show it at once.

    Attributes:
        theme: LIGHT or DARK.
        chosen: what decides it.
        text_size: what every type size is multiplied by.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self.theme = LIGHT
        self.text_size = 1.0
        self.chosen: Literal["system", "light", "dark"] = "system"
        self._applied: tuple[Theme, float] | None = None
        self._fonts: dict[TypeStyle, QFont] = {}
        self._turns: list[Callable[[], object]] = []
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._take_turn)
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(lambda _: self._apply())
        self._apply()

    def choose(self, appearance: Literal["system", "light", "dark"]) -> None:
        """Follow the system, or stay light or dark whatever it does."""
        self.chosen = appearance
        self._apply()

    def set_text_size(self, factor: float) -> None:
        self.text_size = factor
        self._apply()

    def font(self, style: TypeStyle) -> QFont:
        """The system's font in a style of the scale; figures are tabular, so that counting numbers stand still."""
        if (known := self._fonts.get(style)) is not None:
            return QFont(known)
        size, _, weight = TYPE[style]
        font = QFont(self._app.font())
        font.setPixelSize(round(size * self.text_size))
        font.setWeight(QFont.Weight(weight))
        font.setFeature(QFont.Tag("tnum"), 1)
        if style in _TIGHT:
            font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 100 + _TIGHT[style])
        self._fonts[style] = font
        return QFont(font)

    def line_height(self, style: TypeStyle) -> int:
        return round(TYPE[style][1] * self.text_size)

    def grown(self, width: int) -> int:
        """The width of a column as the text grows: half as much, so that the page beside it keeps its room."""
        return round(width * (1 + max(0.0, self.text_size - 1) / 2))

    def _apply(self) -> None:
        is_dark = self.chosen == "dark" or (
            self.chosen == "system" and self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        )
        self.theme = DARK if is_dark else LIGHT
        if (self.theme, self.text_size) == self._applied:  # a style sheet costs every widget some time
            return
        self._applied = self.theme, self.text_size
        self._fonts.clear()
        # One sheet after another would be applied to every widget once for each widget that it lies in.
        self._turns = [lambda: self._app.setStyleSheet(""), self._dress, self.changed.emit]
        shown = [each for each in self._app.topLevelWidgets() if each.isVisible()]
        for window in shown:
            window.setUpdatesEnabled(False)
        if shown:
            self._timer.start()
            return
        while self._turns:
            self._take_turn()
        self._timer.stop()

    def _dress(self) -> None:
        self._app.setFont(self.font("body"))
        self._app.setPalette(palette(self.theme))
        self._app.setStyleSheet(style_sheet(self.theme, self.text_size))

    def _take_turn(self) -> None:
        self._turns.pop(0)()
        if self._turns:
            self._timer.start()  # only now, so that what waited meanwhile comes first
        else:
            for window in self._app.topLevelWidgets():  # one that was made meanwhile does as its parent did
                window.setUpdatesEnabled(True)


def look() -> Look:
    """The application's look; made by whoever makes the application."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    found = app.findChild(Look)
    return found if found is not None else Look(app)


def palette(theme: Theme) -> QPalette:
    """The roles that Qt's own controls paint with."""
    roles = {
        QPalette.ColorRole.Window: theme.page,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.card,
        QPalette.ColorRole.AlternateBase: theme.sunken,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text3,
        QPalette.ColorRole.Button: theme.card,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.card,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.tint,
        QPalette.ColorRole.HighlightedText: theme.text,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.Accent: theme.fill,
        QPalette.ColorRole.Mid: theme.line,
        QPalette.ColorRole.Dark: theme.line2,
    }
    made = QPalette()
    for role, color in roles.items():
        made.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.text3))
    return made


def style_sheet(theme: Theme, text_size: float) -> str:
    """Every rule that a style sheet can say, each once. Widgets take part by dynamic properties:

    type, tone  of a label: a style of TYPE, and a colour role
    kind        of a button: primary, plain, danger, chip; without one it is secondary
    size        of a button: small, large, row (two lines, as wide as there is room)
    flush       of a button: its text stands where other text stands
    quiet       of a field: looks like text until it is written in
    square      of a frame: no round corners
    rule        of a frame that is a line: true; own, other (below whose answers they are)
    surface     of a frame: card, sunken, sidebar, page, good, warn, bad, info
    """

    def px(size: float) -> str:
        return f"{round(size * text_size)}px"

    types = "\n".join(
        f'QLabel[type="{name}"] {{ font-size: {px(size)}; font-weight: {weight}; }}'
        for name, (size, _, weight) in TYPE.items()
    )
    tones = "\n".join(
        f'QLabel[tone="{each.name}"] {{ color: {getattr(theme, each.name)}; }}'
        for each in fields(theme)
        if each.name in ("text2", "text3", "accent", "good", "warn", "bad", "on_fill")
    )
    tints = {"good": theme.good_tint, "warn": theme.warn_tint, "bad": theme.bad_tint, "info": theme.sunken}
    surfaces = "\n".join(
        f'QFrame[surface="{name}"] {{ background: {color}; border: none; border-radius: 10px; }}'
        for name, color in {**tints, "sunken": theme.sunken, "tint": theme.tint}.items()
    )
    return f"""
* {{ outline: none; }}
QMainWindow, QDialog {{ background: {theme.page}; }}
QLabel {{ background: transparent; color: {theme.text}; }}
{types}
{tones}
QToolTip {{ background: {theme.card}; color: {theme.text}; border: 1px solid {theme.line2}; padding: 6px 8px; }}

QFrame[surface="card"] {{ background: {theme.card}; border: 1px solid {theme.line}; border-radius: 10px; }}
QFrame[surface="sidebar"] {{ background: {theme.sidebar}; border: none; }}
QFrame[surface="page"] {{ background: {theme.page}; border: none; }}
{surfaces}
QFrame[square="true"] {{ border-radius: 0; }}
QFrame[rule="true"] {{ background: {theme.line}; border: none; }}
QFrame[rule="own"] {{ background: {theme.data}; border: none; }}
QFrame[rule="other"] {{ background: {theme.line2}; border: none; }}

QPushButton {{ background: {theme.card}; color: {theme.text}; border: 1px solid {theme.line2}; border-radius: 6px;
    padding: 0 11px; min-height: {px(26)}; font-weight: 500; }}
QPushButton:hover {{ background: {theme.hover}; }}
QPushButton:pressed, QPushButton:checked {{ background: {theme.sel}; }}
QPushButton:disabled {{ background: {theme.sunken}; color: {theme.text3}; border-color: {theme.line}; }}
QPushButton[size="small"] {{ min-height: {px(22)}; padding: 0 8px; font-size: {px(12)}; }}
QPushButton[size="large"] {{ min-height: {px(30)}; padding: 0 14px; }}
QPushButton[size="row"] {{ min-height: {px(70)}; }}
QPushButton[kind="primary"] {{ background: {theme.fill}; color: {theme.on_fill}; border: 1px solid {theme.fill}; }}
QPushButton[kind="primary"]:hover {{ background: {theme.fill_hover}; }}
QPushButton[kind="primary"]:pressed {{ background: {theme.fill_pressed}; }}
QPushButton[kind="primary"]:disabled {{ background: {theme.sunken}; color: {theme.text3};
    border-color: {theme.line}; }}
QPushButton[kind="plain"] {{ background: transparent; color: {theme.accent}; border: 1px solid transparent;
    padding: 0 7px; }}
QPushButton[kind="plain"]:hover {{ background: {theme.hover}; }}
QPushButton[kind="plain"]:pressed {{ background: {theme.sel}; }}
QPushButton[kind="quiet"] {{ background: transparent; color: {theme.text2}; border: 1px solid transparent;
    padding: 0 7px; }}
QPushButton[kind="quiet"]:hover {{ background: {theme.hover}; }}
QPushButton[kind="danger"] {{ color: {theme.bad}; }}
QPushButton[flush="true"] {{ padding: 0; text-align: left; }}
QPushButton:focus {{ border: 2px solid {theme.accent}; padding: 0 10px; }}
QPushButton[kind="plain"]:focus, QPushButton[kind="quiet"]:focus {{ padding: 0 6px; }}

QToolButton[chip="true"] {{ background: {theme.card}; color: {theme.text}; border: 1px solid {theme.line2};
    border-radius: 6px; min-height: {px(26)}; padding: 0 10px; font-weight: 500; }}
QToolButton[chip="true"]:hover {{ background: {theme.hover}; }}
QToolButton[flat="true"] {{ background: transparent; color: {theme.text}; border: 1px solid transparent;
    border-radius: 6px; min-height: {px(24)}; padding: 0 6px; font-weight: 500; }}
QToolButton[flat="true"]:hover {{ background: {theme.hover}; }}
QToolButton[chip="true"]:focus, QToolButton[flat="true"]:focus {{ border: 2px solid {theme.accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[segment] {{ background: {theme.card}; color: {theme.text2}; border: 1px solid {theme.line2};
    min-height: {px(26)}; padding: 0 11px; font-weight: 500; }}
QToolButton[segment="middle"], QToolButton[segment="last"] {{ border-left: none; }}
QToolButton[segment="first"] {{ border-top-left-radius: 6px; border-bottom-left-radius: 6px; }}
QToolButton[segment="last"] {{ border-top-right-radius: 6px; border-bottom-right-radius: 6px; }}
QToolButton[segment]:hover {{ background: {theme.hover}; }}
QToolButton[segment]:checked {{ background: {theme.tint}; color: {theme.accent}; font-weight: 600; }}
QToolButton[segment]:focus {{ border: 2px solid {theme.accent}; padding: 0 10px; }}

QLineEdit, QPlainTextEdit, QTextEdit[field="true"] {{ background: {theme.card}; color: {theme.text};
    border: 1px solid {theme.line2}; border-radius: 6px; padding: 0 9px;
    selection-background-color: {theme.tint}; selection-color: {theme.text}; }}
QLineEdit {{ min-height: {px(30)}; }}
QComboBox {{ background: {theme.card}; color: {theme.text}; border: 1px solid {theme.line2}; border-radius: 6px;
    padding: 0 9px; min-height: {px(30)}; }}
QComboBox:focus {{ border: 2px solid {theme.accent}; padding: 0 8px; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QPlainTextEdit[quiet="true"] {{ background: transparent; border: 1px solid transparent; }}
QPlainTextEdit[quiet="true"]:hover {{ border-color: {theme.line2}; background: {theme.card}; }}
QPlainTextEdit[quiet="true"]:focus {{ border: 2px solid {theme.accent}; background: {theme.card}; }}
QPlainTextEdit, QTextEdit[field="true"] {{ padding: 6px 7px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit[field="true"]:focus {{ border: 2px solid {theme.accent};
    padding-left: 8px; padding-right: 8px; }}
QLineEdit[state="bad"] {{ border-color: {theme.bad}; }}

QListView, QTableView, QTreeView, QScrollArea, QTextBrowser {{ background: transparent; border: none;
    color: {theme.text}; }}
QTableView {{ gridline-color: transparent; }}
QHeaderView {{ background: transparent; }}
QHeaderView::section {{ background: transparent; color: {theme.text2}; border: none;
    border-bottom: 1px solid {theme.line}; padding: 0 8px; min-height: {px(28)}; font-size: {px(12)};
    font-weight: 500; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
QScrollBar::handle {{ background: {theme.line2}; border-radius: 4px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}

QSlider {{ min-height: 24px; }}
QSlider::groove:horizontal {{ background: {theme.track}; border-radius: 2px; height: 4px; }}
QSlider::sub-page:horizontal {{ background: {theme.data}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {theme.card}; border: 1px solid {theme.line2}; border-radius: 8px;
    width: 14px; margin: -6px 0; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {theme.accent}; width: 12px; }}

QProgressBar {{ background: {theme.track}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {theme.data}; border-radius: 3px; }}
QProgressBar[tone="good"]::chunk {{ background: {theme.good}; }}
QProgressBar[tone="paused"]::chunk {{ background: {theme.text3}; }}

QMenu {{ background: {theme.card}; color: {theme.text}; border: 1px solid {theme.line2}; border-radius: 8px;
    padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 5px; }}
QMenu::item:selected {{ background: {theme.tint}; }}
QMenu::item:disabled {{ color: {theme.text3}; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: 4px 8px; }}
QSplitter::handle {{ background: {theme.line}; }}
"""
