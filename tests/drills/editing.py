"""A person at the window: words are typed into a lesson and told as soon as they are on the disk; or every page is
looked at, and what it tells is told."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lab_desktop.errors import NO_MEMORY, is_want_of_memory

WORDS = ("one", "two", "three", "four", "five")
_PATIENCE_S = 8.0


def typed_on(lesson: Path) -> list[str]:
    """The words that the lesson has."""
    from lab_desktop.taxonomy.qna import read_leaf

    return [word for word in read_leaf(lesson).domain.split() if word in WORDS]


def type_on(lesson: Path) -> int:
    """Open a window on a lesson of the library and type what is missing; 1 where it could not be saved."""
    try:
        return _type_on(lesson)
    except (OSError, MemoryError, RuntimeError, ImportError) as error:  # before a window tells it: as `cli.main` does
        if not is_want_of_memory(error):
            raise
        sys.stderr.write(f"{NO_MEMORY}\n")
        return 1


def _type_on(lesson: Path) -> int:
    from PySide6.QtGui import QTextCursor
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QPlainTextEdit

    from lab_desktop.ui.guard import guarded
    from lab_desktop.ui.main_window import MainWindow
    from lab_desktop.ui.session import Session
    from lab_desktop.ui.theme import Look
    from lab_desktop.ui.widgets.basic import Banner

    app = QApplication([])
    Look(app)
    session = Session()
    window = MainWindow(session)
    window.mishaps.take_over()
    guarded(window.start)
    guarded(lambda: session.edit(lesson))
    app.processEvents()
    if not window.mishap_strip.isHidden():
        sys.stderr.write(f"{window.mishap_strip.accessibleName()}\n")
        return 1
    editor = window.pages.lesson.editor
    editor.show_part("place")
    code = 0
    field = editor.place.field("domain")
    assert isinstance(field, QPlainTextEdit)
    # What a kill left in the journal alone is in the field again, and is saved as it was typed.
    for word in [each for each in WORDS if each not in typed_on(lesson)]:
        if word not in field.toPlainText():
            field.moveCursor(QTextCursor.MoveOperation.End)
            QTest.keyClicks(field, f" {word}")
        if editor.desk.history is not None:
            editor.desk.history.pause()
        until = time.monotonic() + _PATIENCE_S
        while word not in typed_on(lesson) and time.monotonic() < until:
            QTest.qWait(20)
        if word not in typed_on(lesson):
            said = [each.accessibleName() for each in window.findChildren(Banner) if each.isVisible()]
            sys.stderr.write(" | ".join(said) + "\n")
            code = 1
            break
        sys.stdout.write(f"{word}\n")
        sys.stdout.flush()
    window.close()
    app.processEvents()
    return code


def look_around() -> int:
    """Open the window, look at the pages that tell of work, and print what their banners say."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from lab_desktop.ui.main_window import MainWindow
    from lab_desktop.ui.session import Session
    from lab_desktop.ui.theme import Look
    from lab_desktop.ui.widgets.basic import Banner

    app = QApplication([])
    Look(app)
    session = Session()
    window = MainWindow(session)
    window.start()
    for page in ("home", "practice", "train", "check", "models", "activity"):
        window.show_page(page)
        QTest.qWait(30)
        said = [each.accessibleName() for each in window.findChildren(Banner) if each.isVisible()]
        sys.stdout.write(f"{page}: {' | '.join(said)}\n")
    window.close()
    app.processEvents()
    return 0
