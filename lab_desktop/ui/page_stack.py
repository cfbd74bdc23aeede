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
    from lab_desktop.ui.pages.improve.page import AnyStation, ImprovePage
    from lab_desktop.ui.pages.lesson import LessonPage
    from lab_desktop.ui.pages.library.page import LibraryPage
    from lab_desktop.ui.pages.models.page import ModelsPage
    from lab_desktop.ui.pages.share.page import SharePage

    Page = HomePage | LibraryPage | LessonPage | ChatPage | ImprovePage | ModelsPage | SharePage | ActivityPage

_IDLE_MS = 40
_LATER = (
    "numpy", "lab_desktop.models.blueprints", "jsonschema", "lab_desktop.taxonomy.check",
    "lab_desktop.ui.pages.chat", "lab_desktop.ui.pages.improve.page", "lab_desktop.taxonomy.library",
    "lab_desktop.documents.source", "lab_desktop.ui.editor.facts", "lab_desktop.ui.editor.lesson_editor",
    "lab_desktop.taxonomy.index", "lab_desktop.taxonomy.importing", "lab_desktop.ui.pages.lesson",
    "lab_desktop.repository", "lab_desktop.contribution.contributions", "lab_desktop.contribution.labpack",
    "lab_desktop.ui.pages.library.shelf", "lab_desktop.ui.pages.library.page", "lab_desktop.ui.settings_window",
    "lab_desktop.ui.pages.models.page", "lab_desktop.ui.pages.share.page", "lab_desktop.ui.pages.activity",
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
            "improve": lambda: _improve_page(session, self._stations),
            "models": lambda: _models_page(session),
            "share": lambda: _share_page(session),
            "activity": lambda: _activity_page(session),
        }
        self.names = tuple(self._makers)
        self._session = session
        self._pages: dict[str, Page] = {}
        self._stations: list[AnyStation] = []
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
    def home(self) -> HomePage:
        return cast("HomePage", self["home"])

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

    @property
    def share(self) -> SharePage:
        return cast("SharePage", self["share"])

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
        elif name == "improve" and (station := _next_station(self._session, self._stations)):
            self._stations.append(station)  # the largest page, in parts
        else:
            self[name]


def _library_page(session: Session) -> LibraryPage:
    from lab_desktop.ui.pages.library.page import LibraryPage

    page = LibraryPage(session)
    page.shelf.done.connect(lambda step: session.follow(step.moved))
    return page


def _lesson_page(session: Session) -> LessonPage:
    from lab_desktop.ui.pages.lesson import LessonPage

    return LessonPage(session)


def _chat_page(session: Session) -> ChatPage:
    from lab_desktop.ui.pages.chat import ChatPage

    return ChatPage(session)


def _next_station(session: Session, made: list[AnyStation]) -> AnyStation | None:
    from lab_desktop.ui.pages.improve.page import KINDS

    return KINDS[len(made)](session) if len(made) < len(KINDS) else None


def _improve_page(session: Session, made: list[AnyStation]) -> ImprovePage:
    from lab_desktop.ui.pages.improve.page import ImprovePage

    return ImprovePage(session, made)


def _models_page(session: Session) -> ModelsPage:
    from lab_desktop.ui.pages.models.page import ModelsPage

    return ModelsPage(session)


def _share_page(session: Session) -> SharePage:
    from lab_desktop.ui.pages.share.page import SharePage

    return SharePage(session)


def _activity_page(session: Session) -> ActivityPage:
    from lab_desktop.ui.pages.activity import ActivityPage

    return ActivityPage(session)
