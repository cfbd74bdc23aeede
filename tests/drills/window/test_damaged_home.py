"""A person's folder in which something is broken: the window opens, every page can be visited, and nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from lab_desktop.projects import Project
from lab_desktop.ui.main_window import MainWindow
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Banner
from tests.screenshots import states

RUN_PAGES = ("home", "lesson", "chat", "practice", "train", "check", "use", "activity")
"""What reads a run, or what belongs to it."""
PAGES = (*RUN_PAGES, "library", "settings", "about")
JUNK = b'\x00\xff{ not what we wrote \xfe\n{}\n[1]\n"x"\n'
ODD = {"leaves": 3, "general": [], "phases": {}}
Damage = Callable[[Path, Project], None]


def a_file(*names: str) -> Damage:
    """Something else lies where we would have a folder or a file of our own."""

    def damage(home: Path, project: Project) -> None:
        for name in names:
            place = path_of(home, project, name)
            shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)
            place.write_bytes(JUNK)

    return damage


def a_folder(*names: str) -> Damage:
    def damage(home: Path, project: Project) -> None:
        for name in names:
            place = path_of(home, project, name)
            if place.is_file():
                place.unlink()
            place.mkdir(exist_ok=True)

    return damage


def gone(*names: str) -> Damage:
    def damage(home: Path, project: Project) -> None:
        for name in names:
            place = path_of(home, project, name)
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    return damage


def says(name: str, value: object) -> Damage:
    """A file that is whole and says something of another kind."""

    def damage(home: Path, project: Project) -> None:
        path_of(home, project, name).write_text(json.dumps(value) + "\n", encoding="utf-8")

    return damage


def path_of(home: Path, project: Project, name: str) -> Path:
    if name.startswith("run/"):
        assert project.run is not None
        return project.run / name.removeprefix("run/")
    return home / name.replace("PROJECT", f"projects/{project.folder.name}")


RUN_FILES = (
    "request.json", "samples.jsonl", "reviews.jsonl", "events.jsonl", "report.json", "corrections.jsonl", "votes.jsonl",
    "dataset/manifest.json", "adapter/adapter.json", "phases.json", "timings.json", "models/sizes.json",
    "answers.jsonl",
)  # fmt: skip
DAMAGES: dict[str, Damage] = {
    "projects is a file": a_file("projects"),
    "the bin is a file": a_file("bin"),
    "chats is a file": a_file("chats"),
    "a chat is damaged": a_file("chats/one.json"),
    "the activity is damaged": a_file("activity.jsonl"),
    "the activity is a folder": a_folder("activity.jsonl"),
    "the tour is damaged": a_file("tour.json"),
    "the tour is a folder": a_folder("tour.json"),
    "the tour is of another kind": says("tour.json", {"step": 7}),
    "the tour is of nothing": says("tour.json", {"step": "train"}),
    "the settings are damaged": a_file("settings.ini"),
    "the settings are a folder": a_folder("settings.ini"),
    "what a killed window had in hand is damaged": a_file("underway-1.json"),
    "what a killed window had in hand is a folder": a_folder("underway-1.json"),
    "what a killed window had in hand is of another kind": says("underway-1.json", {"jobs": [{"folder": 3}, 4]}),
    "a project is damaged": a_file("PROJECT/project.json"),
    "a project is a folder": a_folder("PROJECT/project.json"),
    "a project is of another kind": says("PROJECT/project.json", {"title": 4, "samples": "x"}),
    "no lessons": gone("PROJECT/lessons"),
    "lessons is a file": a_file("PROJECT/lessons"),
    "a lesson is damaged": a_file("PROJECT/lessons/knowledge/velmora/qna.yaml"),
    "a lesson is a folder": a_folder("PROJECT/lessons/knowledge/velmora/qna.yaml"),
    "a lesson is empty": gone("PROJECT/lessons/knowledge"),
    "runs is a file": a_file("PROJECT/runs"),
    "the dataset is a file": a_file("run/dataset"),
    "the checkpoint is a file": a_file("run/checkpoint"),
    "models is a file": a_file("run/models"),
    **{f"{name} is damaged": a_file(f"run/{name}") for name in RUN_FILES},
    **{f"{name} is a folder": a_folder(f"run/{name}") for name in RUN_FILES},
    **{
        f"{name} is of another kind": says(f"run/{name}", {"leaves": 3, "general": [], "phases": {}})
        for name in RUN_FILES
    },
}


def ready(home: Path) -> Project:
    """A home in which everything is there, a report and a chat too."""
    made = states.project(home / "projects", "Velmora")
    run = states.write_report(made)
    for name in RUN_FILES:
        (run / name).parent.mkdir(exist_ok=True)
    states.write_chat(home / "chats")
    states.write_journal(home / "activity.jsonl", states.jobs(run, "Velmora", 3))
    return made


def sentences(window: QWidget) -> str:
    banners = [each.accessibleName() for each in window.findChildren(Banner) if each.isVisible()]
    return " | ".join([*banners, *(each.text() for each in window.findChildren(QLabel) if each.isVisible())])


def visit(home: Path, qtbot: QtBot, pages: Sequence[str] = PAGES) -> dict[str, str]:
    """Open a window and look at these pages; gives what each says."""
    session = Session(home)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.start()
    window.pages._idle.stop()
    found = {}
    for page in pages:
        window.show_page(page)
        qtbot.wait(40)
        found[page] = sentences(window)
    window.close()
    session.chat.quit()
    return found


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_page_can_be_visited(own_home: Path, qtbot: QtBot, damage: str) -> None:
    made = ready(own_home)
    DAMAGES[damage](own_home, made)

    visit(own_home, qtbot, RUN_PAGES if damage.startswith(RUN_FILES) else PAGES)
