"""A lesson of the library in the project in hand: copied there, and what is there replaced only when asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from lab_desktop import projects
from lab_desktop.errors import LeafError
from lab_desktop.projects import LessonState, Project
from lab_desktop.taxonomy.index import Node
from lab_desktop.ui.pages.library.holdings import Holdings
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.sight import look_into
from lab_desktop.ui.session import Session
from lab_desktop.ui.words import tr


class Use:
    def __init__(self, session: Session, shelf: Shelf, say: Callable[..., object]) -> None:
        """
        Args:
            say: tells (tone, cause, safe, button, what it does).
        """
        self._session, self._shelf, self._say = session, shelf, say

    def begin(self, node: Node) -> None:
        """Copy a lesson into the project in hand, unless another version of it is there."""
        project = self._session.project
        if project is None:
            safe = tr("It holds the model that learns, its lessons, and all that comes of them.")
            start = functools.partial(self.begin_project, node)
            self._say("info", tr("There is no project yet."), safe, tr("Begin one with this lesson"), start)
            return
        folder = self._shelf.root / node.path

        def work(_: Holdings) -> dict[Path, LessonState]:
            _require_whole(folder, node.title)
            return projects.lesson_states(project, [folder])

        self._shelf.ask(work, lambda states: self._copy_or_ask(project, node, states[folder]))

    def begin_project(self, node: Node) -> None:
        """Make a project of a lesson, and take it in hand."""
        folder = self._shelf.root / node.path

        def work(_: Holdings) -> Project:
            _require_whole(folder, node.title)
            return projects.create(self._session.root, node.title, [folder])

        def came(project: Project) -> None:
            self._session.open(project)
            self._tell(project, node, tr("Let the teacher write practice questions from it."))

        self._shelf.ask(work, came)

    def _copy_or_ask(self, project: Project, node: Node, state: LessonState) -> None:
        if state == "new":
            self._copy(project, node)
        elif state == "same":
            self._tell(project, node, tr("It was there already, as it is here."))
        else:
            cause = tr("“{0}” is in “{1}” already, and different.").format(node.title, project.title)
            safe = tr("What is there now is kept aside in the project’s folder.")
            self._say("warn", cause, safe, tr("Use this one"), functools.partial(self._copy, project, node))

    def _copy(self, project: Project, node: Node) -> None:
        folder = self._shelf.root / node.path

        def came(_: None) -> None:
            self._tell(project, node, tr("The next practice questions are written from it too."))
            self._session.lesson_changed.emit()
            self._session.refresh()

        self._shelf.ask(lambda _: projects.add_lessons(project, [folder]), came)

    def _tell(self, project: Project, node: Node, safe: str) -> None:
        cause = tr("“{0}” is in the project “{1}”.").format(node.title, project.title)
        self._say("good", cause, safe, tr("Show it there"), functools.partial(self._session.go, "lesson"))


def _require_whole(folder: Path, title: str) -> None:
    """
    Raises:
        LeafError: something of the lesson is missing; the hint names it.
    """
    if missing := look_into(folder).missing:
        raise LeafError(tr("“{0}” cannot be taught yet.").format(title), missing[0])
