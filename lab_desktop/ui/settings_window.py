"""Settings: every choice applies at once, and a word finds it."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QLineEdit,
    QWidget,
)

from lab_desktop import paths
from lab_desktop.ui.awake import Awake
from lab_desktop.ui.background import Background
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.preferences import LARGEST_TEXT, SMALLEST_TEXT, TEXT_STEP, Answers, Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Label, Segmented, column, row, rule, scrolled
from lab_desktop.ui.widgets.panel import NameList, Switch, as_panel
from lab_desktop.ui.words import size

_NAMES_WIDE = 172
_SIDE_BY_SIDE = 240
"""A control stands beside its words while so much is left for them."""
_MB = 1_000_000


@dataclass(frozen=True)
class Amount:
    """What a folder holds; None: it is not there."""

    size_bytes: int | None


def folder_size(folder: Path, stop: threading.Event) -> Amount:
    """The bytes of all files below a folder; links are not followed, and what cannot be read counts nothing."""
    if not folder.is_dir():
        return Amount(None)
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(Path(place) / name)
            except OSError:
                continue
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
        if stop.is_set():
            break
    return Amount(total)


class SettingsWindow(QWidget):
    def __init__(self, session: Session, awake: Awake, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._awake = session, awake
        self._preferences = session.preferences
        self._before: Choices | None = None
        self._folders = {
            "projects": session.root,
            "chats": session.chats,
            "prepared": paths.prepared(),
        }

        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._filter())
        self._names = NameList()
        self._names.setAccessibleName(self.tr("Groups of settings"))
        self._names.currentRowChanged.connect(lambda _: self._choose_group())
        self._names.itemClicked.connect(lambda _: self._choose_group())
        left = QWidget()
        left.setFixedWidth(_NAMES_WIDE)
        left.setLayout(column(self.search, self._names, gap=12, margins=(12, 16, 12, 12)))

        self._banner = Banner("warn", "", "")
        self._banner.hide()
        self._none = Label("", "reading", "text2", wraps=True)
        self._none.hide()
        self.groups = [self._general(), self._appearance(), self._chat(), self._working(), self._files()]
        self.groups.append(self._privacy())
        for group in self.groups:
            self._names.add(group.title, group.title)
        inside = QWidget()
        inside.setLayout(column(self._banner, self._none, *self.groups, -1, gap=20, margins=(24, 16, 24, 24)))
        self._scroll = scrolled(inside)
        whole = row(left, rule(is_upright=True), self._scroll)
        whole.setStretch(2, 1)
        as_panel(self, self.tr("Settings"), whole)
        self.setMinimumSize(640, 480)
        self.resize(820, 600)
        QShortcut(QKeySequence.StandardKey.Find, self, self._find)

        self._measure = Background(functools.partial(_measured, self._folders, session.home), self._show_sizes, self)
        self._preferences.changed.connect(self._redraw)
        awake.changed.connect(self._redraw)
        self._names.setCurrentRow(0)
        self._redraw()

    # What there is to choose

    def _general(self) -> Group:
        self._again = Button(self.tr("Practice again"), on_click=lambda: self._session.go("tour"))
        self._reset = Button("", on_click=self._put_back)
        return Group(
            self.tr("General"),
            Setting(
                self.tr("Practice example"),
                self.tr("Go through the example about the island Velmora. Your own projects stay as they are."),
                self._again,
                self.tr("tour tutorial demo first steps"),
            ),
            Setting(
                self.tr("All settings"),
                self.tr("Put every setting back to what it was when you began. Projects and chats are not touched."),
                self._reset,
                self.tr("reset defaults restore"),
            ),
        )

    def _appearance(self) -> Group:
        self._look = Segmented(
            [("system", self.tr("Like the system")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))],
            "system",
            self._choose_look,
        )
        self._size = Label("", "strong")
        self._size.setAlignment(Qt.AlignmentFlag.AlignCenter)
        smaller = Button("", icon="dash", on_click=lambda: self._resize_text(-TEXT_STEP))
        smaller.setAccessibleName(self.tr("Smaller text"))
        larger = Button("", icon="plus", on_click=lambda: self._resize_text(TEXT_STEP))
        larger.setAccessibleName(self.tr("Larger text"))
        self._normal = Button(self.tr("Normal"), "plain", on_click=lambda: self._resize_text(0))
        self._normal.setAccessibleName(self.tr("Normal text size"))
        sizes = QWidget()
        sizes.setLayout(row(self._normal, smaller, self._size, larger, gap=8))
        return Group(
            self.tr("Appearance"),
            Setting(
                self.tr("Light or dark"),
                self.tr("Bright for the day, dark for the evening, or whatever the system shows."),
                self._look,
                self.tr("theme colour color mode night black white"),
            ),
            Setting(
                self.tr("Text size"),
                self.tr("From {0} to {1} %; the keys are {2}, {3} and {4}.").format(
                    SMALLEST_TEXT,
                    LARGEST_TEXT,
                    *(_keys(f"Ctrl+{key}") for key in ("+", "-", "0")),
                ),
                sizes,
                self.tr("font zoom bigger larger smaller letters"),
            ),
        )

    def _chat(self) -> Group:
        self._answers = Segmented(
            [("careful", self.tr("Careful")), ("balanced", self.tr("Balanced")), ("creative", self.tr("Creative"))],
            "careful",
            self._choose_answers,
        )
        return Group(
            self.tr("Chat"),
            Setting(
                self.tr("A new chat begins"),
                self.tr(
                    "Careful gives the likeliest answer, the same each time; creative varies more and errs more. "
                    "Each chat can still be changed."
                ),
                self._answers,
                self.tr("temperature style answers"),
            ),
        )

    def _working(self) -> Group:
        self._notifies = Switch(self.tr("Tell me when long work is done"))
        self._notifies.clicked.connect(self._choose_notices)
        self._stays = Switch(self.tr("Keep the computer awake"))
        self._stays.clicked.connect(self._choose_awake)
        self._stays_setting = Setting(
            self.tr("Keep the computer awake"), "", self._stays, self.tr("sleep energy power battery night lid")
        )
        return Group(
            self.tr("While working"),
            Setting(
                self.tr("Tell me when long work is done"),
                self.tr(
                    "A short message from the system when something that took over a minute ends and this window is "
                    "not in front. It names no project and no file."
                ),
                self._notifies,
                self.tr("notification message sound badge"),
            ),
            self._stays_setting,
        )

    def _files(self) -> Group:
        self._places = {
            "projects": Setting(
                self.tr("Projects"),
                self.tr("Lessons, practice questions, trained models and reports."),
                self._shower("projects", self.tr("Show the folder of the projects")),
                self.tr("folder storage disk space where data"),
            ),
            "chats": Setting(
                self.tr("Chats"),
                self.tr("Every conversation, one small file each."),
                self._shower("chats", self.tr("Show the folder of the chats")),
                self.tr("folder storage disk space where data conversations"),
            ),
            "prepared": Setting(
                self.tr("Prepared teacher"),
                self.tr("A copy that makes the teacher faster. It can be deleted; it is then made again when needed."),
                self._shower("prepared", self.tr("Show the folder of the prepared teacher")),
                self.tr("folder storage disk space where cache model copy"),
            ),
        }
        self._free = Setting(self.tr("Free space"), self.tr("Measuring …"), None, self.tr("disk storage room left"))
        return Group(self.tr("Files"), *self._places.values(), self._free)

    def _privacy(self) -> Group:
        return Group(
            self.tr("Privacy"),
            Setting(
                self.tr("What leaves this computer"),
                self.tr(
                    "Nothing goes out by itself. Lessons, practice questions, models and chats stay in the folders "
                    "that you see under Files, and the models run here."
                ),
                None,
                self.tr("internet network send upload cloud offline data"),
            ),
            Setting(
                self.tr("No account, no counting"),
                self.tr("There is nothing to sign in to, no statistics about you, and no report that is sent unasked."),
                None,
                self.tr("telemetry tracking login statistics analytics"),
            ),
            Setting(
                self.tr("When you ask for help"),
                self.tr(
                    "“Copy details” in the About window puts versions and figures of this computer on the clipboard. "
                    "Your name, this computer's name, folders and files are left out."
                ),
                None,
                self.tr("report diagnostics support problem"),
            ),
        )

    def _shower(self, name: str, spoken: str) -> Button:
        made = Button(self.tr("Show in folder"), icon="folder", on_click=functools.partial(self._show_folder, name))
        made.setAccessibleName(spoken)
        return made

    # What the person does

    def look_for(self, text: str) -> None:
        """Show what a word finds."""
        self.search.setText(text)

    def all_settings(self) -> Iterator[tuple[str, str]]:
        """The name of each setting, and what else people call it."""
        return ((setting.title, setting.found_by) for group in self.groups for setting in group.settings)

    def show_group(self, title: str) -> None:
        """Show one group by its name on screen."""
        self.search.clear()
        self._names.setCurrentRow([group.title for group in self.groups].index(title))

    def _find(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _choose_group(self) -> None:
        self.search.clear()
        self._filter()

    def _filter(self) -> None:
        wanted = self.search.text().casefold().split()
        self._names.mark_current(not wanted)
        for number, group in enumerate(self.groups):
            group.filter(wanted, is_chosen=number == self._names.currentRow())
        is_found = any(not group.isHidden() for group in self.groups)
        self._none.setText(
            self.tr("No setting has to do with “{0}”. Try another word, such as “dark”, “text” or “folder”.").format(
                self.search.text().strip()
            )
        )
        self._none.setVisible(not is_found)
        self._scroll.verticalScrollBar().setValue(0)

    def _choose_look(self, name: str) -> None:
        choices = self._preferences.choices
        for appearance in ("system", "light", "dark"):
            if appearance == name:
                choices = replace(choices, appearance=appearance)
        self._take(choices)

    def _choose_answers(self, name: str) -> None:
        choices = self._preferences.choices
        for answers in get_args(Answers):
            if answers == name:
                choices = replace(choices, answers=answers)
        self._take(choices)

    def _choose_notices(self, is_on: bool) -> None:
        self._take(replace(self._preferences.choices, notifies=is_on))

    def _choose_awake(self, is_on: bool) -> None:
        self._take(replace(self._preferences.choices, stays_awake=is_on))

    def _resize_text(self, by: int) -> None:
        self._before = None
        self._preferences.resize_text(by)

    def _put_back(self) -> None:
        if self._before is not None:
            before, self._before = self._before, None
            self._preferences.choose(before)
        else:
            before = self._preferences.choices
            self._preferences.choose(Choices())
            self._before = before
        self._redraw()

    def _take(self, choices: Choices) -> None:
        self._before = None
        self._preferences.choose(choices)

    def _show_folder(self, name: str) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folders[name]))

    # What is shown

    def _redraw(self) -> None:
        choices = self._preferences.choices
        self._look.choose(choices.appearance)
        self._answers.choose(choices.answers)
        self._notifies.setChecked(choices.notifies)
        self._stays.setChecked(choices.stays_awake)
        self._size.setText(f"{choices.text_size} %")
        self._size.setMinimumWidth(self._size.fontMetrics().horizontalAdvance("100 %") + 8)
        self._normal.setVisible(choices.text_size != Choices().text_size)
        self._reset.setText(self.tr("Undo") if self._before is not None else self.tr("Put back"))
        self._stays.setVisible(self._awake.is_possible)
        if not self._awake.is_possible:
            words = self.tr(
                "Not available here: this system offers no way to hold it, or refused. Turn off sleep in the system's "
                "own settings before long work; what is finished is saved in any case."
            )
        elif self._awake.is_held:
            words = self.tr("It is kept awake now, until the work is done. Closing the lid still lets it sleep.")
        else:
            words = self.tr("Only while something runs. Closing the lid still lets it sleep.")
        self._stays_setting.say(words)
        self._banner.setVisible(not self._preferences.is_saved)
        if not self._preferences.is_saved:
            self._banner.say(
                "warn",
                self.tr("Your choice holds, but it could not be saved."),
                self.tr("The disk may be full, or the folder may not be written to."),
                self.tr("Try again"),
                lambda: self._preferences.choose(self._preferences.choices),
            )

    def _show_sizes(self, found: tuple[dict[str, Amount], int | None]) -> None:
        sizes, free = found
        for name, setting in self._places.items():
            taken = sizes[name].size_bytes
            setting.show_value(self._amount(taken) if taken is not None else self.tr("Nothing yet"))
            assert setting.control is not None
            setting.control.setVisible(taken is not None)
        if free is None:
            self._free.say(self.tr("The disk does not tell how much is free."))
        else:
            self._free.say(self.tr("{0} are free on the disk where they lie.").format(self._amount(free)))

    def _amount(self, size_bytes: int) -> str:
        return size(size_bytes) if size_bytes >= _MB else self.tr("Less than 1 MB")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self._measure.start)
        self.search.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._measure.stop)
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.search.text():
            self.search.clear()
        else:
            self.close()


class Setting(QWidget):
    """One setting: its name, a sentence, its control beside them or, where room is short, below.

    Attributes:
        found_by: what else people call it.
        control: None where there is nothing to choose.
    """

    def __init__(self, title: str, text: str, control: QWidget | None, found_by: str) -> None:
        super().__init__()
        self.title, self.found_by = title, found_by
        self._title = Label(title, "strong", wraps=True)
        self._text = Label(text, "body", "text2", wraps=True)
        self._value = Label("", "label", "text2")
        self._value.hide()
        self.control = control
        if control is not None:
            if not control.accessibleName() and not getattr(control, "text", str)():
                control.setAccessibleName(title)
            control.setAccessibleDescription(text)
        self._line = rule()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._box.setSpacing(16)
        self._box.addLayout(column(self._title, self._text, self._value, gap=2), 1)
        if control is not None:
            self._box.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        holder = column(self._box, margins=(0, 12, 0, 12))
        self.setLayout(column(self._line, holder))
        look().changed.connect(self._turn)

    def say(self, text: str) -> None:
        self._text.setText(text)
        if self.control is not None:
            self.control.setAccessibleDescription(text)

    def show_value(self, text: str) -> None:
        self._value.setText(text)
        self._value.setVisible(bool(text))

    def is_about(self, wanted: list[str]) -> bool:
        """Do all these words stand in its name, its sentence or what else people call it?"""
        said = " ".join((self._title.text(), self._text.text(), self.found_by)).casefold()
        return all(word in said for word in wanted)

    def show_line(self, is_shown: bool) -> None:
        """A hairline above, for all but the first of a card."""
        self._line.setVisible(is_shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        guarded(self._turn)

    def _turn(self) -> None:
        if self.control is None:
            return
        room = self.width() - self.control.sizeHint().width() - self._box.spacing()
        is_wide = room >= _SIDE_BY_SIDE * look().text_size
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        self._box.setAlignment(self.control, Qt.AlignmentFlag.AlignVCenter if is_wide else Qt.AlignmentFlag.AlignLeft)
        self._box.setSpacing(16 if is_wide else 8)


class Group(QWidget):
    """Settings that belong together."""

    def __init__(self, title: str, *settings: Setting) -> None:
        super().__init__()
        self.title = title
        self.settings = settings
        card = Card(*settings, padding=(20, 4))
        self.setLayout(column(Label(title, "title"), card, gap=10))

    def filter(self, wanted: list[str], is_chosen: bool) -> None:
        """Show what these words find, or the whole group when it is the chosen one and no word is asked for."""
        is_named = bool(wanted) and all(word in self.title.casefold() for word in wanted)
        shown = [
            setting for setting in self.settings if (setting.is_about(wanted) or is_named if wanted else is_chosen)
        ]
        for setting in self.settings:
            setting.setVisible(setting in shown)
            setting.show_line(setting in shown[1:])
        self.setVisible(bool(shown))


def _keys(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def _measured(folders: Mapping[str, Path], home: Path, stop: threading.Event) -> tuple[dict[str, Amount], int | None]:
    """What each folder takes, and how much is free."""
    sizes = {name: folder_size(folder, stop) for name, folder in folders.items()}
    try:
        return sizes, shutil.disk_usage(home if home.is_dir() else Path.home()).free
    except OSError:
        return sizes, None
