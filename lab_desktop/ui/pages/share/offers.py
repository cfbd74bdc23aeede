"""Lessons that were taught and checked: what can be given to others next. Reads no file itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab_desktop.errors import LabError
from lab_desktop.projects import Project
from lab_desktop.taxonomy.tree import FILE_NAME, find_leaves
from lab_desktop.ui.session import Session
from lab_desktop.ui.words import tr


@dataclass(frozen=True)
class Offer:
    """A lesson that passed its check.

    Attributes:
        folder: in the library where it lies there too, else in its project.
        path: its folder in the taxonomy, with slashes.
        title: the lesson's.
        words: what the check found: "2 → 8 of 10 right".
        is_practice: about the island that nobody should take for true.
    """

    folder: Path
    path: str
    title: str
    words: str
    is_practice: bool


def offers(session: Session) -> tuple[Offer, ...]:
    """The lessons that were checked and not contributed yet, those of the newest project first."""
    found: dict[str, Offer] = {}
    for project in session.projects:
        if session.known.state(project.run).has_report:
            for offer in of_project(session, project):
                if session.sharing.of_lesson(offer.path) is None:
                    found.setdefault(offer.path, offer)
    return tuple(sorted(found.values(), key=lambda offer: offer.is_practice))


def of_project(session: Session, project: Project) -> tuple[Offer, ...]:
    """The lessons of a project."""
    try:
        folders = find_leaves(project.lessons)
    except LabError:
        return ()
    known = session.known.lessons(project.lessons)
    titles = [lesson.title for lesson in known] if len(known) == len(folders) else [each.name for each in folders]
    words = _check_words(session, project)
    made = []
    for folder, title in zip(folders, titles, strict=True):
        path = folder.relative_to(project.lessons)
        in_library = session.library / path
        there = in_library if (in_library / FILE_NAME).is_file() else folder
        made.append(Offer(there, path.as_posix(), title, words, project.is_practice))
    return tuple(made)


def _check_words(session: Session, project: Project) -> str:
    report = session.known.report(project.run) if project.run is not None else None
    if not report:
        return ""
    return tr("{0} → {1} of {2} right").format(report["before"], report["now"], report["total"])
