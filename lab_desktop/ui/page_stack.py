"""The pages, one of them in front; each is made, and what it needs imported, when it is first asked for or nobody asks.

A window that stands is usable before everything behind it is there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget

from lab_desktop.ui.pages.home import HomePage
from lab_desktop.ui.session import Session

if TYPE_CHECKING:
    from lab_desktop.ui.pages.activity import ActivityPage
    from lab_desktop.ui.pages.chat import ChatPage
    from lab_desktop.ui.pages.improve.page import ImprovePage
    from lab_desktop.ui.pages.lesson import LessonPage
    from lab_desktop.ui.pages.library.page import LibraryPage

    Page = HomePage | LibraryPage | LessonPage | ChatPage | ImprovePage | ActivityPage

_IDLE_MS = 40
_LATER = (
    "jsonschema", "yamllint.config", "lab_desktop.taxonomy.check", "lab_desktop.ui.pages.chat",
    "lab_desktop.ui.pages.improve.page", "lab_desktop.ui.pages.lesson", "lab_desktop.ui.pages.library.page",
    "lab_desktop.ui.pages.activity",
)  # fmt: skip
"""What is imported one by one when the window stands: what pages and lessons need, dear ones by themselves."""


class PageStack(QStackedWidget):
    """Attributes:
    names: of all pages, made or not.
    """

    made = Signal(str)
    """A page is there for the first time."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._makers: dict[str, Callable[[], Page]] = {
            "home": lambda: HomePage(session),
            "library": lambda: _library_page(session),
            "lesson": lambda: _lesson_page(session),
            "chat": lambda: _chat_page(session),
            "improve": lambda: _improve_page(session),
            "activity": lambda: _activity_page(session),
        }
        self.names = tuple(self._makers)
        self._pages: dict[str, Page] = {}
        self._idle = QTimer(self, interval=_IDLE_MS)
        self._idle.timeout.connect(self._make_something)

    def __getitem__(self, name: str) -> Page:
        if name not in self._pages:
            self._pages[name] = self._makers[name]()
            self.addWidget(self._pages[name])
            self.made.emit(name)
        return self._pages[name]

    def is_made(self, name: str) -> bool:
        return name in self._pages

    @property
    def library(self) -> LibraryPage:
        return cast("LibraryPage", self["library"])

    @property
    def chat(self) -> ChatPage:
        return cast("ChatPage", self["chat"])

    @property
    def lesson(self) -> LessonPage:
        return cast("LessonPage", self["lesson"])

    @property
    def improve(self) -> ImprovePage:
        return cast("ImprovePage", self["improve"])

    def show_page(self, name: str) -> None:
        self.setCurrentWidget(self[name])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._idle.start()

    def _make_something(self) -> None:
        """While nobody asks for anything: the next import, or the next page that is not there yet."""
        missing = next((module for module in _LATER if module not in sys.modules), "")
        if missing:
            importlib.import_module(missing)
            return
        name = next((name for name in self.names if name not in self._pages), None)
        if name is None:
            self._idle.stop()
        else:
            self[name]


def _library_page(session: Session) -> LibraryPage:
    from lab_desktop.ui.pages.library.page import LibraryPage

    return LibraryPage(session)


def _lesson_page(session: Session) -> LessonPage:
    from lab_desktop.ui.pages.lesson import LessonPage

    return LessonPage(session)


def _chat_page(session: Session) -> ChatPage:
    from lab_desktop.ui.pages.chat import ChatPage

    return ChatPage(session)


def _improve_page(session: Session) -> ImprovePage:
    from lab_desktop.ui.pages.improve.page import ImprovePage

    return ImprovePage(session)


def _activity_page(session: Session) -> ActivityPage:
    from lab_desktop.ui.pages.activity import ActivityPage

    return ActivityPage(session)
