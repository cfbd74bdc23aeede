"""What the person chose, in one place: a small file in the person's folder, read once and written with each choice.

A value that is missing, damaged or out of range is the default; choosing again writes the file anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args

from PySide6.QtCore import QObject, QSettings, Signal

FILE_NAME = "settings.ini"
SMALLEST_TEXT, LARGEST_TEXT, TEXT_STEP = 80, 160, 10
MOST_FREELY = 100
"""Of `Choices.freely`: as creative as can be."""
KEEPS_FREE = (0, 1, 2, 4)
"""What `Choices.keeps_free` can be."""

Appearance = Literal["system", "light", "dark"]
Answers = Literal["careful", "balanced", "creative"]
Reading = Literal["page", "text", "both"]


@dataclass(frozen=True)
class Choices:
    """Everything that can be chosen, with what it is before anybody chooses.

    Attributes:
        text_size: in percent, SMALLEST_TEXT to LARGEST_TEXT.
        answers: the style that a new chat begins with.
        freely: how creative the person's own style is, 0 to MOST_FREELY.
        notifies: say so when long work ended while the window was not in front.
        stays_awake: keep the computer from going to sleep while work goes on.
        keeps_free: gigabytes of memory that work leaves to everything else, one of KEEPS_FREE.
        only_plugged_in: long work pauses while the battery is used.
        library: folder of the library in hand; "": the person's own.
        reading: what is seen of a lesson's document: its original, its text, or both.
        looks_for_news: ask once a week whether there is a newer version.
        server: a model elsewhere that can be chosen as teacher (`Server` as text); "": none.
    """

    appearance: Appearance = "system"
    text_size: int = 100
    answers: Answers = "careful"
    notifies: bool = True
    stays_awake: bool = True
    keeps_free: int = 1
    only_plugged_in: bool = False
    freely: int = 50
    library: str = ""
    reading: Reading = "text"
    server: str = ""
    looks_for_news: bool = False

    @property
    def keeps_free_bytes(self) -> int:
        return self.keeps_free * 10**9

    def with_text(self, percent: int) -> Choices:
        """The same with a text size, as near to it as the range allows."""
        return replace(self, text_size=max(SMALLEST_TEXT, min(LARGEST_TEXT, percent)))

    def with_library(self, root: Path | None) -> Choices:
        """The same with the library in this folder in hand, or with the person's own."""
        return replace(self, library=str(root) if root else "")


class Preferences(QObject):
    """Attributes:
    choices: what is in force.
    is_saved: False when the last choice could not be written; it holds until the window closes.
    """

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.choices = _read(path)
        self.is_saved = True

    def resize_text(self, by: int) -> None:
        """Larger or smaller by so many percent; 0: the usual size."""
        size = self.choices.text_size + by if by else Choices().text_size
        self.choose(self.choices.with_text(size))

    def choose(self, choices: Choices) -> None:
        """Put these choices in force, and write them."""
        if choices == self.choices and self.is_saved:
            return
        before, self.choices = self.choices, choices
        file = QSettings(str(self.path), QSettings.Format.IniFormat)
        for field in fields(choices):
            value = getattr(choices, field.name)
            if value != getattr(before, field.name) or not self.is_saved:  # another window may have chosen the others
                file.setValue(field.name, value)
        file.sync()
        self.is_saved = file.status() != QSettings.Status.AccessError
        self.changed.emit()


def _read(path: Path) -> Choices:
    file = QSettings(str(path), QSettings.Format.IniFormat)
    found = {name: str(file.value(name)) for name in file.allKeys() if name}
    choices = Choices()
    for appearance in get_args(Appearance):
        if found.get("appearance") == appearance:
            choices = replace(choices, appearance=appearance)
    for answers in get_args(Answers):
        if found.get("answers") == answers:
            choices = replace(choices, answers=answers)
    for reading in get_args(Reading):
        if found.get("reading") == reading:
            choices = replace(choices, reading=reading)
    if (size := found.get("text_size", "")).isascii() and size.isdigit() and len(size) < 6:
        choices = choices.with_text(int(size))
    if (freely := found.get("freely", "")).isascii() and freely.isdigit() and len(freely) < 6:
        choices = replace(choices, freely=min(MOST_FREELY, int(freely)))
    for amount in KEEPS_FREE:
        if found.get("keeps_free") == str(amount):
            choices = replace(choices, keeps_free=amount)
    return replace(
        choices,
        notifies=_yes_or_no(found.get("notifies"), choices.notifies),
        stays_awake=_yes_or_no(found.get("stays_awake"), choices.stays_awake),
        only_plugged_in=_yes_or_no(found.get("only_plugged_in"), choices.only_plugged_in),
        library=found.get("library", choices.library),
        server=found.get("server", choices.server),
        looks_for_news=_yes_or_no(found.get("looks_for_news"), choices.looks_for_news),
    )


def _yes_or_no(value: str | None, otherwise: bool) -> bool:
    return {"true": True, "false": False}.get(str(value).lower(), otherwise)
