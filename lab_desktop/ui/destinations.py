"""Everything there is to go to or to do, for the palette: pages, projects, lessons, chats, settings, help, commands."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from lab_desktop import paths
from lab_desktop.ui.help_texts import Article, Word, read_articles, read_words
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.chrome import Place
from lab_desktop.ui.widgets.finding import Entry
from lab_desktop.ui.words import tr

if TYPE_CHECKING:
    from lab_desktop.ui.main_window import MainWindow

_MOST_CHATS = 500


def destinations(window: MainWindow, session: Session, places: Sequence[Place]) -> list[Entry]:
    """What the palette finds, in the order in which it stands there before a word is typed.

    Args:
        places: the pages.
    """
    actions = {action.text().replace("&", ""): action for action in _actions(window)}
    pages = [
        Entry(place.title, tr("Page"), place.icon, functools.partial(session.go, place.name), _keys(actions, place))
        for place in places
    ]
    titles = {page.title for page in pages}
    commands = [
        Entry(name.removesuffix("…"), tr("Command"), "chevron-right", action.trigger, _written(action))
        for name, action in actions.items()
        if name not in titles and action.isEnabled() and action.isVisible() and not action.property("palette")
    ]
    return [
        *pages, *_projects(session), *_lessons(window, session), *_contributions(window, session), *commands,
        *_chats(window), *_settings(window), *_help(session),
    ]  # fmt: skip


def read_ahead() -> None:
    """Read the help's texts while nobody asks, so that the palette opens at once."""
    _texts()


def _actions(window: MainWindow) -> Iterator[QAction]:
    for menu in window.menuBar().actions():
        inside = menu.menu()
        for action in inside.actions() if inside is not None else ():  # type: ignore[attr-defined]
            if not action.isSeparator():
                yield action


def _keys(actions: dict[str, QAction], place: Place) -> str:
    action = actions.get(place.title)
    return _written(action) if action is not None else ""


def _written(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _projects(session: Session) -> Iterator[Entry]:
    def go(folder: Path) -> None:
        project = next((each for each in session.projects if each.folder == folder), None)
        if project is not None:
            session.open(project)
            session.go("improve")

    for project in session.projects:
        yield Entry(project.title, tr("Project"), "folder", functools.partial(go, project.folder))


def _lessons(window: MainWindow, session: Session) -> Iterator[Entry]:
    """Of the project in hand."""
    if session.project is None:
        return

    def go(place: int) -> None:
        window.show_page("lesson")
        window.pages.lesson.show_lesson(place)

    for place, lesson in enumerate(session.known.lessons(session.project.lessons)):
        yield Entry(lesson.title, tr("Lesson"), "book", functools.partial(go, place))


def _contributions(window: MainWindow, session: Session) -> Iterator[Entry]:
    def go(folder: Path) -> None:
        window.show_page("share")
        window.pages.share.open(folder)

    for held in session.sharing.held:
        contribution = held.contribution
        yield Entry(contribution.title, tr("Contribution"), "share", functools.partial(go, contribution.folder))


def _chats(window: MainWindow) -> Iterator[Entry]:
    chat = window.pages.chat
    for saved in chat.saved[:_MOST_CHATS]:
        yield Entry(saved.title, tr("Chat"), "chat", functools.partial(_open_chat, window, saved.id))


def _open_chat(window: MainWindow, name: str) -> None:
    window.show_page("chat")
    window.pages.chat.open_saved(name)


def _settings(window: MainWindow) -> Iterator[Entry]:
    for title, found_by in window.panels.settings.all_settings():
        yield Entry(
            title, tr("Setting"), "settings", functools.partial(window.panels.show, "settings", title), "", found_by
        )


def _help(session: Session) -> Iterator[Entry]:
    articles, words = _texts()
    for article in articles:
        yield Entry(article.title, tr("Help"), "help", functools.partial(session.go, f"help:{article.name}"))
    for word in words:
        go = functools.partial(session.go, f"words:{word.word}")
        yield Entry(word.word, tr("Word"), "info", go, "", word.term)


@functools.cache
def _texts() -> tuple[list[Article], list[Word]]:
    folder = paths.resources() / "help"
    try:
        return read_articles(folder), read_words(folder / "glossary.yaml")
    except (OSError, ValueError):
        return [], []  # the help itself tells what is wrong
