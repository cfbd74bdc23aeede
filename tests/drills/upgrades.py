"""What earlier versions of the program wrote (`tests/data/earlier`), opened with this one.

Everything that a person made is there, and opening it changes and deletes nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lab_desktop import capacity, chats, corrections, drafts, projects, reviews, servers, votes, workflow
from lab_desktop.contribution import contributions
from lab_desktop.documents.source import sources
from lab_desktop.editing.editor import Editor
from lab_desktop.editing.folder import HIDDEN
from lab_desktop.editing.quiz import read_marks
from lab_desktop.evaluation.questions import exam_questions
from lab_desktop.export.adapter import read_factors
from lab_desktop.generation.mixing import read_dataset, taught_rows
from lab_desktop.generation.pipeline import funnel, read_samples
from lab_desktop.jobs import errands, requests
from lab_desktop.jobs.run import Run
from lab_desktop.models import records
from lab_desktop.models.gguf import read_header
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.ui.jobs import last_words, read_journal
from lab_desktop.ui.known import _summary
from lab_desktop.ui.pages.improve import course
from lab_desktop.ui.preferences import Preferences
from tests.drills.inputs_child import Try, survive
from tests.drills.inputs_row import Row
from tests.drills.upgrades_homes import names, taken_home


class Thing(NamedTuple):
    """Something that a person had in an earlier version.

    Attributes:
        name: of the thing.
        places: patterns of files; it was there in a version that has one of them.
        is_there: reads one of them as the program does: True when what was in it is there.
    """

    name: str
    places: str
    is_there: Callable[[Path, Path], object]


def upgrades() -> Iterator[Row]:
    """Open the folder of each earlier version.

    Yields:
        A row for each earlier version.
    """
    for name in names():
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            tried, lost = opened(name, Path(folder))
            yield Row(f"written {name}", "opened today", len(tried), len(tried) - len(lost), lost[0] if lost else "")


def opened(name: str, home: Path) -> tuple[list[str], list[str]]:
    """Take the folder of an earlier version and look at everything in it: (what there was, what is lost, in words)."""
    before_home = os.environ.get("LAB_DESKTOP_HOME")
    os.environ["LAB_DESKTOP_HOME"] = str(home)
    try:
        taken_home(name, home)
        before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
        tried, lost = [], []
        for thing in THINGS:
            for file in sorted(home.glob(thing.places)):
                tried.append(f"{thing.name}: {file.relative_to(home)}")

                def do(thing: Thing = thing, file: Path = file) -> str:
                    return "" if thing.is_there(home, file) else "it is not there"

                if problem := _problem(Try(name, thing.name, do)):
                    lost.append(f"{tried[-1]}: {problem}")
        gone = [path for path, data in before.items() if not path.exists() or path.read_bytes() != data]
        return tried, lost + [f"changed or gone: {path.relative_to(home)}" for path in gone]
    finally:
        if before_home is None:
            del os.environ["LAB_DESKTOP_HOME"]
        else:
            os.environ["LAB_DESKTOP_HOME"] = before_home


def _problem(each: Try) -> str:
    """As `survive`, but a sentence is no comfort for who had it."""
    try:
        return each.do()
    except Exception:  # noqa: BLE001 - told below
        return survive(each) or "a sentence says that it cannot be read"


def _chosen(home: Path, file: Path) -> bool:
    found = Preferences(file).choices
    return (found.appearance, found.text_size, found.notifies) == ("dark", 120, False)


def _report(home: Path, file: Path) -> bool:
    told = corrections.read_report(file.parent)
    summary = _summary(file.parent)
    return bool(told["leaves"]) and summary is not None and summary["total"] > 0


def _corrected(home: Path, file: Path) -> bool:
    questions = corrections.read_report(file.parent)["leaves"][0]["questions"]
    return "You corrected it." in [question["reason_after"] for question in questions]


def _data(home: Path, file: Path) -> bool:
    phases = read_dataset(file.parent).phases
    return bool(taught_rows(file.parent)) and sum(phase.rows for phase in phases) > 0


def _edited(home: Path, file: Path) -> bool:
    editor = Editor(file.parents[1])
    undoes = editor.undoes
    editor.close()
    return undoes is not None


def _shelf(home: Path, file: Path) -> bool:
    library = Library(home / "library")
    return bool(library.steps) and library.redoable is not None and len(library.binned()) == 1


def _project(home: Path, file: Path) -> bool:
    whole, damaged = projects.found(home / "projects")
    (made,) = whole
    return (made.title, made.samples, damaged) == ("Shouting", 4, []) and made.run is not None


def _contribution(home: Path, file: Path) -> bool:
    made = contributions.read(file.parent)
    parcel, letter = contributions.parcel_of(made), contributions.letter_of(made)
    return bool(parcel.files and letter.body) and made in contributions.every()


def _learned(home: Path, file: Path) -> bool:
    adapter = workflow.read_adapter(file.parents[1])
    return bool(read_factors(adapter, read_header(adapter.base)))


def _run(read: Callable[[Path], object]) -> Callable[[Path, Path], object]:
    return lambda home, file: read(file.parent)


_BEGUN = {"drafts", "kept"}
"""Where lessons lie that were begun only."""

THINGS = (
    Thing("project", "projects/*/project.json", _project),
    Thing("run", "**/runs/*/request.json", _run(lambda run: requests.read(run).student.exists())),
    Thing("practice questions", "**/runs/*/samples.jsonl", _run(lambda run: read_samples(Run(run)))),
    Thing("what became of them", "**/runs/*/units.jsonl", _run(lambda run: funnel(Run(run)))),
    Thing("data set", "**/runs/*/dataset/manifest.json", _data),
    Thing("reviews", "**/reviews.jsonl", _run(lambda run: len(reviews.read_reviews(run)) == 2)),
    Thing("votes", "**/votes.jsonl", _run(lambda run: len(votes.read_votes(run)) == 1)),
    Thing("report", "**/report.json", _report),
    Thing("corrections", "**/corrections.jsonl", _corrected),
    Thing("what was learned", "**/adapter/adapter.safetensors", _learned),
    Thing("saved step", "**/adapter/adapter.json", lambda home, file: course.kept_step(file.parents[1])),
    Thing("course of training", "**/phases.json", _run(course.read_course)),
    Thing("what was said", "**/runs/*/events.jsonl", _run(last_words)),
    Thing("times", "**/timings.json", _run(lambda run: Run(run).timings())),
    Thing("lesson", "**/qna.yaml", lambda home, file: _BEGUN.intersection(file.parts) or read_leaf(file.parent)),
    Thing("exam", "**/exam.yaml", _run(lambda folder: exam_questions(folder, "leaf"))),
    Thing("undo of a lesson", f"**/{HIDDEN}/history.jsonl", _edited),
    Thing("what the model knew", f"**/{HIDDEN}/quiz.json", lambda home, file: read_marks(file.parents[1])),
    Thing("draft", "drafts/*/qna.yaml", lambda home, file: drafts.find(home / "drafts", "shouting", has_passage=True)),
    Thing("original document", "**/.originals/*.json", lambda home, file: sources(file.parents[1])),
    Thing("library", "library/.lab-desktop/history.jsonl", _shelf),
    Thing("chat", "chats/*.json", lambda home, file: file.stem in [chat.id for chat in chats.every(home / "chats")]),
    Thing("settings", "settings.ini", _chosen),
    Thing("activity", "activity.jsonl", lambda home, file: read_journal(file)),
    Thing("measured speed", "speed.json", lambda home, file: capacity.read_speed(home)),
    Thing("record of a model", "models/**/*.gguf.json", lambda home, file: records.read_record(file.with_suffix(""))),
    Thing("link to a model", "models/linked/*.json", lambda home, file: records.read_links()),
    Thing("download", "errands/*/request.json", lambda home, file: errands.waiting()),
    Thing("agreement", "servers.json",
          lambda home, file: servers.has_agreed(servers.parse("https://teacher.example.org/v1"))),
    Thing("contribution", "contributions/*/contribution.json", _contribution),
)  # fmt: skip
