"""The menu bar: every command of the window with its key, at the place where the system looks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from lab_desktop.ui.preferences import TEXT_STEP
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.chrome import Place
from lab_desktop.ui.words import tr

if TYPE_CHECKING:
    from lab_desktop.ui.main_window import MainWindow

Keys = QKeySequence | QKeySequence.StandardKey
_Standard = QKeySequence.StandardKey
_Role = QAction.MenuRole


def fill_menus(window: MainWindow, session: Session, places: Sequence[Place]) -> list[QAction]:
    """Make the window's menus; gives what works by key in sheets too."""
    bar = window.menuBar()
    add = functools.partial(_add, window)
    go = functools.partial(functools.partial, session.go)
    file = bar.addMenu(tr("&File"))
    add(file, tr("New Project…"), _Standard.New, go("new"))
    file.addSeparator()
    add(file, tr("Close Window"), _Standard.Close, window.close)
    add(file, tr("Quit LAB Desktop"), _Standard.Quit, window.close).setMenuRole(_Role.QuitRole)
    settings = add(file, tr("Settings…"), QKeySequence("Ctrl+,"), go("settings"))
    settings.setMenuRole(_Role.PreferencesRole)
    bar.addMenu(window.edit_menu)
    view = bar.addMenu(tr("&View"))
    for number, place in enumerate(places, start=1):
        add(view, place.title, QKeySequence(f"Ctrl+{number}"), go(place.name))
    view.addSeparator()
    anything = add(view, tr("Go to Anything…"), QKeySequence("Ctrl+K"), window.find_anything)
    anything.setProperty("palette", True)  # it does not find itself
    view.addSeparator()
    resize = session.preferences.resize_text
    larger = add(view, tr("Larger Text"), QKeySequence("Ctrl++"), lambda: resize(TEXT_STEP))
    larger.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])  # the same key without Shift
    smaller = add(view, tr("Smaller Text"), QKeySequence("Ctrl+-"), lambda: resize(-TEXT_STEP))
    normal = add(view, tr("Normal Text"), QKeySequence("Ctrl+0"), lambda: resize(0))
    model = bar.addMenu(tr("&Model"))
    add(model, tr("Compare"), QKeySequence("Ctrl+Shift+C"), window.compare)
    add(model, tr("Stop"), QKeySequence("Ctrl+."), lambda: window.pages.chat.stop())
    improve = bar.addMenu(tr("&Improve"))
    add(improve, tr("Pause"), QKeySequence("Ctrl+Alt+P"), session.jobs.pause)
    add(improve, tr("Share What Was Taught…"), QKeySequence(), go("contribute"))
    helping = bar.addMenu(tr("&Help"))
    articles = add(helping, tr("LAB Desktop Help"), _Standard.HelpContents, window.show_help)
    words = add(helping, tr("What Does This Word Mean?"), _Standard.WhatsThis, go("words"))
    add(helping, tr("Questions People Ask"), QKeySequence(), go("help:questions"))
    add(helping, tr("Practice Again"), QKeySequence(), go("tour"))
    helping.addSeparator()
    add(helping, tr("Check This Installation…"), QKeySequence(), go("selftest"))
    add(helping, tr("Report a Problem…"), QKeySequence(), go("problem"))
    add(helping, tr("Licences"), QKeySequence(), go("licences"))
    add(helping, tr("About LAB Desktop"), QKeySequence(), go("about")).setMenuRole(_Role.AboutRole)
    in_sheets = [articles, words, larger, smaller, normal]
    for everywhere in (settings, *in_sheets):  # also in the small windows
        everywhere.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
    return in_sheets


def _add(window: MainWindow, menu: QMenu, text: str, keys: Keys, do: Callable[[], object]) -> QAction:
    action = QAction(text, window)
    action.setMenuRole(_Role.NoRole)
    action.setShortcut(keys)
    action.triggered.connect(lambda _: do())
    menu.addAction(action)
    return action
