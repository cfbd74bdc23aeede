"""Settings: every choice applies at once, and a word finds it."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QWidget,
)

from lab_desktop import paths
from lab_desktop.ui.accounts import SharingAccounts
from lab_desktop.ui.awake import Awake
from lab_desktop.ui.background import Background
from lab_desktop.ui.elsewhere import TeacherElsewhere
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.power import plugged_in
from lab_desktop.ui.preferences import KEEPS_FREE, LARGEST_TEXT, SMALLEST_TEXT, TEXT_STEP, Answers, Choices
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_parts import Group, Setting
from lab_desktop.ui.storage import ModelsAndStorage
from lab_desktop.ui.widgets.basic import Banner, Button, Label, Segmented, column, row, rule, scrolled
from lab_desktop.ui.widgets.panel import NameList, Panel, Side, Switch, search_field
from lab_desktop.ui.words import news_words, size

_NAMES_WIDE = 172
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


class SettingsWindow(Panel):
    def __init__(
        self,
        session: Session,
        awake: Awake,
        parent: QWidget | None = None,
        reads_power: Callable[[], bool | None] = plugged_in,
    ) -> None:
        super().__init__(parent)
        self._has_battery = reads_power() is not None
        self._session, self._awake = session, awake
        self._preferences = session.preferences
        self._before: Choices | None = None
        self._folders = {
            "projects": session.root,
            "chats": session.chats,
            "prepared": paths.prepared(),
        }

        self.search = search_field(self.tr("Search settings"), self._take_first)
        self.search.textChanged.connect(lambda _: self._filter())
        self._names = NameList()
        self._names.setAccessibleName(self.tr("Groups of settings"))
        self._names.currentRowChanged.connect(lambda _: self._choose_group())
        self._names.itemClicked.connect(lambda _: self._choose_group())
        left = Side(column(self.search, self._names, gap=12, margins=(12, 16, 12, 12)), _NAMES_WIDE)

        self._banner = Banner("warn", "", "")
        self._banner.hide()
        self._none = Label("", "reading", "text2", wraps=True)
        self._none.hide()
        self._elsewhere = TeacherElsewhere(session)
        self.groups = [self._general(), self._appearance(), self._chat(), self._working(), self._files()]
        self._storage = ModelsAndStorage(session)
        self._accounts = SharingAccounts()
        self.groups += [self._storage, self._elsewhere, self._accounts, self._privacy()]
        places = column(self._banner, self._none, gap=20, margins=(24, 16, 24, 24))
        inside = QWidget()
        inside.setLayout(places)
        self._scroll = scrolled(inside)
        whole = row(left, rule(is_upright=True), self._scroll)
        whole.setStretch(2, 1)
        self.furnish(self.tr("Settings"), whole, (820, 600), (640, 480), self.search)
        for group in self.groups:  # last: what changes its place is dressed anew, with all that is in it
            self._names.add(group.title, group.title)
            places.addWidget(group)
        places.addStretch(1)

        self._measure = Background(functools.partial(_measured, self._folders, session.home), self._show_sizes, self)
        self._preferences.changed.connect(self._redraw)
        session.news.changed.connect(self._redraw_news)
        awake.changed.connect(self._redraw)
        self._names.setCurrentRow(0)
        self._redraw()

    # What there is to choose

    def _general(self) -> Group:
        self._again = Button(self.tr("Practice again"), on_click=lambda: self._session.go("tour"))
        self._reset = Button("", on_click=self._put_back)
        self._weekly = Switch(self.tr("Look for a new version once a week"))
        self._weekly.clicked.connect(self._choose_news)
        news = self._session.news
        self._look_now = Button(self.tr("Look now"), on_click=news.look)
        self._news_page = Button(self.tr("Open its page"), "primary", on_click=news.open_page)
        control = QWidget()
        control.setLayout(row(self._news_page, self._look_now, self._weekly, gap=10))
        control.setVisible(news.is_possible)
        self._news = Setting(
            self.tr("Look for a new version once a week"),
            self.tr(
                "Asks the program's page which version is the newest. Nothing about you is sent, nothing is downloaded."
            )
            if news.is_possible
            else self.tr("This copy never looks: whoever built it named no page to ask."),
            control,
            self.tr("update upgrade release internet"),
        )
        return Group(
            self.tr("General"),
            Setting(
                self.tr("Practice example"),
                self.tr("Go through the example about the island Velmora. Your own projects stay as they are."),
                self._again,
                self.tr("tour tutorial demo first steps"),
            ),
            self._news,
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
        amounts = [(str(each), self.tr("{0} GB").format(each) if each else self.tr("None")) for each in KEEPS_FREE]
        self._keeps_free = Segmented(amounts, str(Choices().keeps_free), self._choose_free)
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
            Setting(
                self.tr("Leave memory free"),
                self.tr(
                    "So much stays for your other programs. Work that would take more is called tight before it "
                    "starts, and a lighter setting is offered."
                ),
                self._keeps_free,
                self.tr("performance ram gigabytes reserve slow"),
            ),
            *([self._power_setting()] if self._has_battery else []),
        )

    def _power_setting(self) -> Setting:
        self._plugged = Switch(self.tr("Work only when plugged in"))
        self._plugged.clicked.connect(self._choose_power)
        return Setting(
            self.tr("Work only when plugged in"),
            self.tr("On battery, work pauses with everything saved, and goes on by itself on power."),
            self._plugged,
            self.tr("performance battery power energy charger"),
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
                    "that you see under Files, and the models run here. Only a teacher elsewhere, if you choose one, "
                    "gets the text of the lessons that it works on; a model that you publish goes to Hugging Face, and "
                    "a lesson that you share goes where you send it."
                ),
                None,
                self.tr("internet network send upload cloud offline data"),
            ),
            Setting(
                self.tr("No account, no counting"),
                self.tr(
                    "Only publishing a model and some downloads want an account, at Hugging Face, and sharing a lesson "
                    "wants one where you send it. There are no statistics about you, and no report is sent unasked. "
                    "Whether there is a new version is asked only if you switch that on."
                ),
                None,
                self.tr("telemetry tracking login statistics analytics"),
            ),
            Setting(
                self.tr("When you ask for help"),
                self.tr(
                    "“Copy details” in the About window puts versions and figures of this computer on the clipboard, "
                    "and “Report a Problem” in the Help menu makes a report that you read before you send it. Your "
                    "name, this computer's name, folders and files are left out, and your lessons are never in it."
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

    def _take_first(self) -> None:
        """Go to the first control of what is shown."""
        for setting in (each for group in self.groups for each in group.settings):
            if setting.isVisible() and setting.control is not None:
                parts = (setting.control, *setting.control.findChildren(QWidget))
                stops = [each for each in parts if each.isVisible() and each.focusPolicy() & Qt.FocusPolicy.TabFocus]
                if stops:
                    stops[0].setFocus(Qt.FocusReason.TabFocusReason)
                    return

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

    def _choose_power(self, is_on: bool) -> None:
        self._take(replace(self._preferences.choices, only_plugged_in=is_on))

    def _choose_news(self, is_on: bool) -> None:
        self._take(replace(self._preferences.choices, looks_for_news=is_on))
        if is_on:
            self._session.news.look_if_due()

    def _choose_free(self, name: str) -> None:
        self._take(replace(self._preferences.choices, keeps_free=int(name)))

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
        if self._has_battery:
            self._plugged.setChecked(choices.only_plugged_in)
        self._weekly.setChecked(choices.looks_for_news)
        self._redraw_news()
        self._keeps_free.choose(str(choices.keeps_free))
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

    def _redraw_news(self) -> None:
        news = self._session.news
        self._news.show_value(news_words(news))
        self._news_page.setVisible(news.newer is not None)
        self._look_now.setVisible(news.newer is None and not news.is_looking)

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
        guarded(self._storage.look)
        guarded(self._accounts.look)
        self.search.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._measure.stop)
        guarded(self._elsewhere.stop)
        guarded(self._storage.stop)
        guarded(self._accounts.stop)
        super().closeEvent(event)


def _keys(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def _measured(folders: Mapping[str, Path], home: Path, stop: threading.Event) -> tuple[dict[str, Amount], int | None]:
    """What each folder takes, and how much is free."""
    sizes = {name: folder_size(folder, stop) for name, folder in folders.items()}
    try:
        return sizes, shutil.disk_usage(home if home.is_dir() else Path.home()).free
    except OSError:
        return sizes, None
