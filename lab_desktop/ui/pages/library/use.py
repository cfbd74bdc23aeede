"""A lesson of the library in the project in hand: copied there, and what is there replaced only when asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from lab_desktop import projects
from lab_desktop.errors import LeafError
from lab_desktop.projects import LessonState, Project
from lab_desktop.ui.pages.library.holdings import Holdings, Node
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
            home = functools.partial(self._session.go, "home")
            self._say("bad", tr("There is no project yet."), tr("Begin one on the Home page."), tr("Go there"), home)
            return
        folder = self._shelf.root / node.path
        refusal = tr("“{0}” cannot be taught yet.").format(node.title)

        def work(_: Holdings) -> dict[Path, LessonState]:
            if missing := look_into(folder).missing:
                raise LeafError(refusal, missing[0])
            return projects.lesson_states(project, [folder])

        self._shelf.ask(work, lambda states: self._copy_or_ask(project, node, states[folder]))

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
