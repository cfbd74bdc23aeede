"""Projects: one goal of a person, "Our service manual": a model, lessons, and the run in which it is taught.

A project is a folder below `paths.projects()`: project.json, lessons/ (its leaves) and runs/. How far it is follows
from what lies there and is stored nowhere: "exists" means "complete".
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from lab_desktop import bins, paths, servers
from lab_desktop.errors import LabError, LeafError, RunError
from lab_desktop.files import JsonLines, copy_folder, disk_errors, read_json, replacing, stamp, write_json
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import Effort, LearnRequest
from lab_desktop.reviews import FILE_NAME as REVIEWS
from lab_desktop.reviews import Review, is_learned, read_reviews
from lab_desktop.servers import Server
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import FILE_NAME as LESSON
from lab_desktop.taxonomy.tree import find_leaves

FILE_NAME = "project.json"
Station = Literal["practice", "train", "check", "use"]
LessonState = Literal["new", "same", "other"]
"""Of a lesson that is to be used in a project: not there yet, there as it is, or there and different."""
MOST_LETTERS = 80
"""Of a title: more do not fit on a card."""
STATIONS: tuple[Station, ...] = ("practice", "train", "check", "use")
_BEFORE_TRAINING = (
    "leaves", "earlier", "teacher.json", "samples.jsonl", "units.jsonl", "reviews.jsonl", "general.jsonl", "dataset",
)  # fmt: skip


@dataclass(frozen=True)
class Project:
    """What project.json says.

    Attributes:
        folder: where it lies; its name never changes, the title may.
        title: what the person calls it.
        is_practice: it was made by the tour.
        model: the GGUF file that learns, or "" for the practice model.
        teacher: the GGUF file that teaches, a model on a server (`Server` as text), or "" for the same as `model`.
        samples: practice questions that are wanted; 0: as many as the lessons hold.
        effort: how long the model practises.
        created: UTC.
    """

    folder: Path
    title: str
    is_practice: bool = False
    model: str = ""
    teacher: str = ""
    samples: int = 0
    created: str = ""
    effort: Effort = "standard"

    @property
    def lessons(self) -> Path:
        return self.folder / "lessons"

    @property
    def has_lessons(self) -> bool:
        return any(self.lessons.rglob(LESSON))

    @property
    def needs_lesson(self) -> bool:
        """Nothing can begin before it has one."""
        return self.run is None and not self.has_lessons

    @property
    def runs(self) -> list[Path]:
        """Its run folders, oldest first."""
        found = (path for path in (self.folder / "runs").glob("*") if (path / requests.FILE_NAME).is_file())
        return sorted(found, key=lambda path: path.name)

    @property
    def run(self) -> Path | None:
        """The run in hand: the newest."""
        return self.runs[-1] if self.runs else None


def require_title(text: str, others: Sequence[Project]) -> str:
    """What a project can be called of what a person wrote.

    Raises:
        RunError: that is nothing, too long for a card, or what another project is called.
    """
    title = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not title:
        raise RunError("A project needs a name.", "A word or two about its goal are enough.")
    if len(title) > MOST_LETTERS:
        raise RunError(f"The name has {len(title)} letters; {MOST_LETTERS} fit.", "Shorten it.")
    if any(_alike(title) == _alike(each.title) for each in others):
        raise RunError(f"There is a project “{title}” already.", "Choose another name, or go on with that one.")
    return title


def create(root: Path, title: str, lessons: Sequence[Path], *, is_practice: bool = False, model: str = "") -> Project:
    """A new project with copies of these leaf folders, at their places in the taxonomy.

    Raises:
        LeafError: a lesson cannot be read, or two of them have the same place.
        StorageError: it could not be written; nothing of it is left.
    """
    folder = free_folder(root, title)
    project = Project(folder, title, is_practice, model, created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    places = [Path(*read_leaf(lesson).node) for lesson in lessons]
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise LeafError(f'Two lessons have the same place "{twice}".', "Rename the folder of one of them.")
    try:
        with disk_errors(folder, "The project"):
            (folder / "lessons").mkdir(parents=True)
            for lesson, place in zip(lessons, places, strict=True):
                copy_folder(lesson, folder / "lessons" / place, _hidden)
        save(project)
    except LabError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return project


def lesson_states(project: Project, lessons: Sequence[Path]) -> dict[Path, LessonState]:
    """How each of these leaf folders stands to the project's own copy of it.

    Raises:
        LeafError: a lesson cannot be read.
        StorageError: a file cannot be read.
    """
    found: dict[Path, LessonState] = {}
    for lesson in lessons:
        own = project.lessons.joinpath(*read_leaf(lesson).node)
        with disk_errors(lesson, "The lesson"):
            if not own.exists():
                found[lesson] = "new"
                continue
            theirs, ours = _contents(lesson), _contents(own)
            if paths.EXAM not in theirs:
                ours.pop(paths.EXAM, None)  # a project may have questions of its own
            found[lesson] = "same" if theirs == ours else "other"
    return found


def add_lessons(project: Project, lessons: Sequence[Path]) -> None:
    """Copy these leaf folders into a project, at their places in the taxonomy.

    What lies at such a place goes to `<project>/replaced/`, so that nothing written there is lost. Each copy gets its
    name when it is whole.

    Raises:
        LeafError: a lesson cannot be read; nothing was copied.
        StorageError: it could not be written; lessons before it in `lessons` are there.
    """
    places = [project.lessons.joinpath(*read_leaf(lesson).node) for lesson in lessons]
    coming = project.folder / ".coming"
    shutil.rmtree(coming, ignore_errors=True)  # what a kill in the middle of the last time left
    try:
        for lesson, place in zip(lessons, places, strict=True):
            with disk_errors(place, "The lesson"):
                copy_folder(lesson, coming, _hidden)
                place.parent.mkdir(parents=True, exist_ok=True)
                if (place / paths.EXAM).is_file() and not (coming / paths.EXAM).exists():
                    shutil.copyfile(place / paths.EXAM, coming / paths.EXAM)
                if place.exists():
                    replaced = project.folder / "replaced" / f"{time.time_ns() // 1_000_000}-{place.name}"
                    replaced.parent.mkdir(exist_ok=True)
                    place.rename(replaced)
                coming.rename(place)
    finally:
        shutil.rmtree(coming, ignore_errors=True)


def follow(project: Project, moved: Sequence[tuple[Path, Path]]) -> None:
    """Put a project's copies of lessons where the library has the lessons now; a place that is taken is left alone.

    Args:
        moved: (old, new) of topics and leaves, relative to the library.

    Raises:
        StorageError: one could not be moved; those before it are.
    """
    for old, new in moved:
        source = project.lessons / old
        try:
            leaves = find_leaves(source)
        except LeafError:
            continue  # it has none of these
        for leaf in leaves:
            target = project.lessons / new / leaf.relative_to(source)
            if target.exists():
                continue
            with disk_errors(target, "The lesson"):
                target.parent.mkdir(parents=True, exist_ok=True)
                leaf.rename(target)


def save(project: Project) -> None:
    """
    Raises:
        StorageError: it could not be written.
    """
    value = {key: field for key, field in asdict(project).items() if key != "folder"}
    write_json(project.folder / FILE_NAME, value)


def read(folder: Path) -> Project:
    """
    Raises:
        RunError: there is no project, or it is damaged.
    """
    value = read_json(folder / FILE_NAME, "title")
    known = {key: value[key] for key in Project.__dataclass_fields__ if key in value and key != "folder"}
    try:
        project = Project(folder, **known)
        texts = (project.title, project.model, project.teacher, project.created)
        if not all(isinstance(text, str) for text in texts) or not isinstance(project.samples, int):
            raise TypeError(str(known))
        requests.effort_of(project.effort)
    except (TypeError, ValueError) as error:
        raise RunError(f'"{FILE_NAME}" in {folder} is damaged.', "Delete the project, or mend the file.") from error
    return project


@dataclass(frozen=True)
class Damaged:
    """A folder that was a project and whose project.json cannot be read; all else in it is as it was.

    Attributes:
        why: what is wrong, for who wants to look into the file.
    """

    folder: Path
    why: str

    @property
    def title(self) -> str:
        """What the person called it at first, as far as the folder tells."""
        return self.folder.name


def found(root: Path) -> tuple[list[Project], list[Damaged]]:
    """All projects, the newest first, and those that are damaged, by name.

    A folder without project.json was a project when something was taught in it; what a killed `create` left was none.
    One that may not be opened counts as damaged.
    """
    whole, damaged = [], []
    for folder in root.glob("*"):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
            damaged.append(Damaged(folder, "Its folder may not be opened."))
            continue
        if not any(folder.glob(f"{FILE_NAME}*")) and not any(folder.glob(f"runs/*/{requests.FILE_NAME}")):
            continue
        try:
            whole.append(read(folder))
        except RunError as error:
            damaged.append(Damaged(folder, error.details or error.message))
    whole.sort(key=lambda project: project.created, reverse=True)
    return whole, sorted(damaged, key=lambda each: each.folder.name)


def every(root: Path) -> list[Project]:
    """All projects, the newest first; a damaged one is left out here."""
    return found(root)[0]


def mend(damaged: Damaged) -> Project:
    """Give a damaged project a new project.json: under its folder's name, with the models of its newest run.

    The damaged file stays beside it as `project.json.damaged`.

    Raises:
        StorageError: it could not be written; the damaged file is where it was.
    """
    folder = damaged.folder
    with disk_errors(folder, FILE_NAME):
        project = Project(folder, damaged.title, created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        for run in project.runs[::-1]:
            try:
                asked = requests.read(run)
            except RunError:
                continue
            teacher = "" if asked.teacher == asked.student else _chosen_teacher(asked.teacher)
            project = replace(project, model=_chosen(asked.student), teacher=teacher, samples=asked.samples)
            project = replace(project, effort=asked.effort)
            break
        if (old := folder / FILE_NAME).exists():
            old.rename(_free_file(folder / f"{FILE_NAME}.damaged"))
    save(project)
    return project


def new_run(project: Project, practice_model: Path) -> Path:
    """A run folder for the project's lessons as they are now, with its request.

    Raises:
        StorageError: it could not be written; nothing of it is left.
        ServerError: the teacher's address cannot be used.
    """
    folder = _next_run(project)
    model = Path(project.model) if project.model else practice_model
    try:
        teacher = requests.teacher_of(project.teacher) if project.teacher else model
        with disk_errors(folder, "The run folder"):
            folder.mkdir(parents=True, exist_ok=True)
        asked = LearnRequest((project.lessons,), teacher, model, project.samples, 0, effort=project.effort)
        requests.write(folder, asked)
    except LabError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def bring_exams(project: Project) -> None:
    """Give the run in hand the exams of the project's lessons as they are now; nobody learns from them.

    Raises:
        StorageError: one could not be read or written.
    """
    if project.run is None or not project.has_lessons:
        return
    for leaf in find_leaves(project.lessons):
        copy = project.run / "leaves" / leaf.relative_to(project.lessons)
        with disk_errors(copy, "The questions"):
            if not (copy / LESSON).is_file():
                continue  # the lesson came later than the run
            if not (leaf / paths.EXAM).is_file():
                (copy / paths.EXAM).unlink(missing_ok=True)
            elif stamp(leaf / paths.EXAM) != stamp(copy / paths.EXAM):
                with replacing(copy / paths.EXAM) as file:
                    shutil.copy2(leaf / paths.EXAM, file)


def ask_for(project: Project, samples: int) -> Project:
    """The project wanting so many practice questions, in the run in hand too; what is written stays.

    Args:
        samples: 0: as many as the lessons hold.

    Raises:
        RunError: the run is damaged.
        StorageError: it could not be written.
    """
    if project.run is not None:
        requests.write(project.run, replace(requests.read(project.run), samples=samples))
    asked = replace(project, samples=samples)
    save(asked)
    return asked


def choose_effort(project: Project, effort: Effort) -> Project:
    """The project whose model practises so long, in the run in hand too; a training that was begun begins anew.

    Raises:
        RunError: the run is damaged.
        StorageError: it could not be written.
    """
    if project.run is not None:
        requests.write(project.run, replace(requests.read(project.run), effort=effort))
    chosen = replace(project, effort=effort)
    save(chosen)
    return chosen


def is_taught_elsewhere(project: Project) -> bool:
    """True where the teacher is a model on a server."""
    return servers.is_address(project.teacher)


def choose_teacher(project: Project, teacher: str) -> Project:
    """The project with another teacher, in the run in hand too; to be chosen before anything is written.

    Args:
        teacher: as the attribute.

    Raises:
        RunError: practice questions are written already, or the run is damaged.
        ServerError: the address cannot be used.
        StorageError: it could not be written.
    """
    run = project.run
    if run is not None and (run / "samples.jsonl").exists():
        raise RunError(
            "Practice questions are written already, by the teacher chosen before.",
            "Begin again with new lessons to use another teacher.",
        )
    if run is not None:
        asked = requests.read(run)
        requests.write(run, replace(asked, teacher=requests.teacher_of(teacher) if teacher else asked.student))
        with disk_errors(run, "The run folder"):
            (run / "teacher.json").unlink(missing_ok=True)  # what the other one could do
    chosen = replace(project, teacher=teacher)
    save(chosen)
    return chosen


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes:
        written, kept: practice questions so far; kept are those that will be learned, as the person decided.
        has_dataset, has_adapter, has_report: the stations that are done.
        problem: a sentence, when a file of the run is damaged; "" else.
    """

    written: int = 0
    kept: int = 0
    has_dataset: bool = False
    has_adapter: bool = False
    has_report: bool = False
    problem: str = ""

    @property
    def station(self) -> Station:
        """The first station that is not done."""
        if self.has_report:
            return "use"
        if self.has_adapter:
            return "check"
        return "train" if self.has_dataset else "practice"


class Counts:
    """The practice questions of one run as they were last counted; of a file that grew only what is new is read."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, str, bool]] = []
        """(id, question, answer, whether the checks kept it)"""
        self._reviews: dict[str, Review] = {}
        self._bytes_read = 0
        self._stamps = ((0, 0), (0, 0))
        self._counting = threading.Lock()

    def count(self, run: Path) -> tuple[int, int]:
        """How many were written, and how many are kept as the person decided.

        Raises:
            RunError: a file is damaged.
        """
        with self._counting:
            book = JsonLines(run / "samples.jsonl")
            stamps = stamp(book.path), stamp(run / REVIEWS)
            if stamps[0] != self._stamps[0]:
                if stamps[0][0] < self._bytes_read:  # another file: rows are only ever added
                    self._rows, self._bytes_read = [], 0
                rows, self._bytes_read = book.after(self._bytes_read)
                self._rows += [
                    (str(row.get("id")), str(row.get("question")), str(row.get("answer")), bool(row.get("accepted")))
                    for row in rows
                    if isinstance(row, dict)
                ]
            if stamps[1] != self._stamps[1]:
                self._reviews = read_reviews(run)
            self._stamps = stamps
            kept = (is_learned(self._reviews.get(name), asked, told, ok) for name, asked, told, ok in self._rows)
            return len(self._rows), sum(kept)


def state(run: Path | None, counts: Counts | None = None) -> State:
    """How far the run in this folder is; a damaged file is told in it and stops nobody.

    Args:
        counts: of this run, kept by whoever asks often.
    """
    if run is None:
        return State()
    problem = ""
    written = kept = 0
    try:
        written, kept = (counts or Counts()).count(run)
    except RunError as error:
        problem = error.message
    return State(
        problem=problem,
        written=written,
        kept=kept,
        has_dataset=(run / "dataset" / "manifest.json").is_file(),
        has_adapter=(run / "adapter" / "adapter.json").is_file(),
        has_report=(run / "report.json").is_file(),
    )


def repeat(project: Project, run: Path, step: str) -> Path:
    """The folder of a run in which a step is done again; what an earlier run made stays where it is.

    Practice questions are written anew; a training gets a copy of what it learned from; a check asks again in its own
    folder, for its answers belong to the model that lies there.

    Raises:
        StorageError: it could not be written.
        RunError: the earlier run is damaged.
    """
    if step not in ("generate", "train"):
        return run
    folder = _next_run(project)
    before = folder.with_name(f".{folder.name}")
    shutil.rmtree(before, ignore_errors=True)  # what a kill in the middle of the last time left
    try:
        with disk_errors(folder, "The run folder"):
            before.mkdir(parents=True, exist_ok=True)
            for name in _BEFORE_TRAINING if step == "train" else ():
                if (run / name).is_dir():
                    copy_folder(run / name, before / name)
                elif (run / name).is_file():
                    shutil.copy2(run / name, before / name)
        requests.write(before, requests.read(run))
        with disk_errors(folder, "The run folder"):
            before.rename(folder)
    except LabError:
        shutil.rmtree(before, ignore_errors=True)
        raise
    return folder


def rename(project: Project, text: str, others: Sequence[Project] = ()) -> Project:
    """The project under another title; its folder stays.

    Raises:
        RunError: it cannot be called that (`require_title`).
        StorageError: it could not be written.
    """
    renamed = replace(project, title=require_title(text, others))
    save(renamed)
    return renamed


@dataclass(frozen=True)
class Binned:
    """A project in the bin.

    Attributes:
        folder: where it lies now.
        deleted: local time, seconds since 1970.
    """

    folder: Path
    title: str
    deleted: float


def move_to_bin(project: Project | Damaged) -> Binned:
    """Take a project away; it can be restored until the bin is emptied.

    Raises:
        StorageError: it could not be moved.
    """
    entry = bins.new_entry(_bin(project.folder.parent), project.folder.name, time.time())
    with disk_errors(project.folder, "The project"):
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        project.folder.rename(entry.path)
    return Binned(entry.path, project.title, entry.deleted)


def binned(root: Path) -> list[Binned]:
    """What lies in the bin, the newest first."""
    found = []
    for entry in bins.entries(_bin(root)):
        try:
            title = read(entry.path).title
        except RunError:
            title = entry.name
        found.append(Binned(entry.path, title, entry.deleted))
    return found


def restore(root: Path, thrown: Binned) -> Project:
    """A project out of the bin, back at its place.

    Raises:
        StorageError: it could not be moved.
        RunError: it is damaged; it is back all the same.
    """
    folder = root / thrown.folder.name.partition("-")[2]
    if folder.exists():
        folder = free_folder(root, folder.name)
    with disk_errors(folder, "The project"):
        thrown.folder.rename(folder)
    return read(folder)


def empty_bin(root: Path, days: int = bins.BIN_DAYS, now: float | None = None) -> None:
    """Delete for good what was thrown away longer before `now` (seconds since 1970) than this."""
    now = time.time() if now is None else now
    for entry in bins.entries(_bin(root)):
        if entry.is_over(now, days):
            shutil.rmtree(entry.path, ignore_errors=True)


def _hidden(folder: str, names: list[str]) -> set[str]:
    """What is not copied with a lesson: all that is hidden, but for the originals of its documents."""
    if Path(folder).name == paths.ORIGINALS:
        return set()
    return {name for name in names if name.startswith(".") and name != paths.ORIGINALS}


def _contents(folder: Path) -> dict[str, bytes]:
    """What the files of a leaf folder say, hidden ones left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = ((path, path.relative_to(folder)) for path in files)
    return {
        str(name): path.read_bytes() for path, name in names if not any(part.startswith(".") for part in name.parts)
    }


def _bin(root: Path) -> Path:
    return root.parent / "bin"


def _next_run(project: Project) -> Path:
    number = 1 + max((int(path.name) for path in project.runs if path.name.isdigit()), default=0)
    return project.folder / "runs" / f"{number:03}"


def _chosen_teacher(teacher: Path | Server) -> str:
    return str(teacher) if isinstance(teacher, Server) else _chosen(teacher)


def _chosen(model: Path) -> str:
    """A model as project.json has it: "" for the practice model, wherever it lies."""
    return "" if model.name == paths.PRACTICE_MODEL else str(model)


def _free_file(path: Path) -> Path:
    """The path, or one with a number where that is taken."""
    number = 1
    while (free := path if number == 1 else path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return free


def _alike(title: str) -> str:
    return unicodedata.normalize("NFC", title).casefold()


def free_folder(root: Path, title: str) -> Path:
    """Where a new project of this title would lie; nothing is made."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in title.lower()).strip("-")
    name = name[:60] or "project"
    number = 1
    while (folder := root / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder
