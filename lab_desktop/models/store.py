"""The models on this computer: the practice model, downloads, trained ones, and links to what other programs keep.

Nothing is copied and no list is kept: what lies in the folders is what there is. Files that other programs keep are
only read. What is removed goes to a bin for thirty days.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab_desktop import bins, paths, projects
from lab_desktop.errors import ModelError, RunError
from lab_desktop.files import disk_errors, read_json, write_json
from lab_desktop.models import catalogue, lineage, moving, records
from lab_desktop.models.facts import Facts, FactsBook
from lab_desktop.models.lineage import Undertaking, Version
from lab_desktop.models.records import Link, Record

Origin = Literal["practice", "downloaded", "placed", "linked", "trained"]
"""Where a model is from; "placed": somebody put the file into the folder of models."""
_ENTRY = "entry.json"


@dataclass(frozen=True)
class StoredModel:
    """A model on this computer.

    Attributes:
        path: the file.
        name: what to call it.
        origin: where it is from.
        size_bytes: of the file; 0 where it vanished.
        facts: what its header tells; None where it cannot be read.
        problem: why it cannot be used, in a sentence with what to do; "" when it can.
        record: of a downloaded one.
        link: of a linked one.
        version: of a trained one.
    """

    path: Path
    name: str
    origin: Origin
    size_bytes: int
    facts: Facts | None = None
    problem: str = ""
    record: Record | None = None
    link: Link | None = None
    version: Version | None = None

    @property
    def takes_bytes(self) -> int:
        """What it takes of the disk on our account: a linked one and the practice model take nothing."""
        return 0 if self.origin in ("practice", "linked") else self.size_bytes


@dataclass(frozen=True)
class Use:
    """Something that needs a model.

    Attributes:
        title: what the person calls it.
        folder: of the project or run.
        roles: for what.
    """

    kind: Literal["project", "run", "training"]
    title: str
    folder: Path
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Binned:
    """A model in the bin.

    Attributes:
        folder: its entry in the bin.
        title: what it was called.
        home: where the file was.
        deleted: seconds since 1970.
        size_bytes: what deleting it for good gives back.
    """

    folder: Path
    title: str
    home: Path
    deleted: float
    size_bytes: int


def on_this_computer(book: FactsBook | None = None) -> list[StoredModel]:
    """Every model: the practice model, downloads and what lies beside them, links, and trained ones, newest last.

    Reads headers of files that it has not seen: call it from a thread.

    Args:
        book: what headers told before; one for many calls saves reading it again.
    """
    moving.settle()
    book = book or FactsBook()
    found = []
    with contextlib.suppress(ModelError):
        found.append(_look(paths.practice_model(), "practice", book, catalogue.entry(catalogue.PRACTICE).title))
    for path in _files(paths.models()):
        record = records.read_record(path)
        title = record.title if record else ""
        found.append(_look(path, "downloaded" if record else "placed", book, title, record=record))
    for _, link in records.read_links():
        found.append(_look(link.path, "linked", book, link.name, link=link))
    for version in lineage.versions(lineage.undertakings()):
        for path in version.files:
            found.append(_look(path, "trained", book, path.stem, version=version))
    return found


def missing_place() -> Path | None:
    """The folder in which models lie, when its disk is not connected; else None. Links and trained ones do not."""
    return moving.missing_place()


def total_bytes(models: Iterable[StoredModel]) -> int:
    """What these take of the disk together."""
    return sum(model.takes_bytes for model in models)


def link(path: Path, name: str = "", program: str = "", book: FactsBook | None = None) -> StoredModel:
    """Take a model in where it lies, without copying it.

    Args:
        name: what to call it; by default what it calls itself.
        program: who keeps it there, or "".

    Raises:
        ModelError: it is no model, incomplete, or here already.
        StorageError: the link could not be written, or the disk with the models is not connected.
    """
    path = path.expanduser().absolute()
    book = book or FactsBook()
    facts = book.of(path)
    for known in _known_paths():
        if known.exists() and known.samefile(path):
            raise ModelError(f'"{path.name}" is among your models already.', "Choose another file.")
    moving.require_place()
    made = Link(path, name or facts.name, program, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    records.write_link(made)
    return StoredModel(path, made.name, "linked", path.stat().st_size, facts, link=made)


def uses(path: Path, runs: list[Undertaking] | None = None) -> list[Use]:
    """What needs this file: projects that are set to it, and runs that were begun with it or trained on it.

    A run that a project has left behind, and that made nothing, needs nothing any more.
    """
    runs = lineage.undertakings() if runs is None else runs
    wanted = path.resolve()
    found = []
    for project in projects.every(paths.projects()):
        practice = project.model == "" and path.name == paths.PRACTICE_MODEL
        chosen = (("student", project.model), ("teacher", project.teacher))
        roles = tuple(role for role, name in chosen if name and Path(name).resolve() == wanted)
        if roles or practice:
            found.append(Use("project", project.title, project.folder, roles or ("student",)))
    trained = {version.undertaking.run for version in lineage.versions(runs)}
    for each in runs:
        chosen_files = (("student", each.request.student), ("teacher", each.request.teacher))
        roles = tuple(role for role, file in chosen_files if isinstance(file, Path) and file.resolve() == wanted)
        if "student" in roles and each.run in trained:
            found.append(Use("training", each.title, each.run, roles))
        elif roles and each.is_newest and each.project is None:
            found.append(Use("run", each.title, each.run, roles))
    return found


def remove(model: StoredModel, now: float | None = None) -> Binned:
    """Throw a model away: the file goes to the bin, of a linked one only the link, and its file stays where it is.

    Raises:
        ModelError: it is the practice model, which belongs to the app.
        StorageError: it could not be moved.
    """
    if model.origin == "practice":
        raise ModelError("The practice model belongs to the app and stays.", "It takes 98 MB with the app itself.")
    now = time.time() if now is None else now
    moved = [model.path, records.record_file(model.path)]
    if model.link is not None:
        moved = [file for file, link in records.read_links() if link == model.link]
    beside_models, beside_runs = _bins()
    root = beside_models if moved and moved[0].is_relative_to(paths.models()) else beside_runs
    entry = bins.new_entry(root, model.path.name, now)
    home = moved[0] if moved else model.path
    with disk_errors(entry.path, "The model"):
        entry.path.mkdir(parents=True)
        write_json(entry.path / _ENTRY, {"name": model.name, "home": str(home)})
        for file in moved:
            if file.exists():
                file.rename(entry.path / file.name)
    return Binned(entry.path, model.name, home, entry.deleted, model.takes_bytes)


def binned() -> list[Binned]:
    """What lies in the bin, the newest first."""
    found = []
    for root in _bins():
        for thrown in bins.entries(root):
            try:
                value = read_json(thrown.path / _ENTRY, "name", "home")
            except RunError:
                continue
            home = Path(str(value["home"]))
            if (thrown.path / home.name).exists():  # else it was killed before it was thrown away
                size = (thrown.path / home.name).stat().st_size
                is_link = home.suffix == ".json"
                found.append(Binned(thrown.path, str(value["name"]), home, thrown.deleted, 0 if is_link else size))
    return sorted(found, key=lambda each: each.deleted, reverse=True)


def restore(thrown: Binned) -> Path:
    """Put a model back where it was, beside what has taken its name since; gives its file, or its link's.

    Raises:
        StorageError: it could not be moved.
    """
    home = thrown.home
    number = 2
    while home.exists():
        home = thrown.home.with_name(f"{thrown.home.stem}-{number}{thrown.home.suffix}")
        number += 1
    with disk_errors(home, "The model"):
        home.parent.mkdir(parents=True, exist_ok=True)
        beside = records.record_file(thrown.folder / thrown.home.name)
        if beside.exists():
            beside.rename(records.record_file(home))
        (thrown.folder / thrown.home.name).rename(home)
        shutil.rmtree(thrown.folder, ignore_errors=True)
    return home


def empty_bin(days: int = bins.BIN_DAYS, now: float | None = None) -> int:
    """Delete for good what was thrown away longer ago than this; gives the bytes that are free again."""
    now = time.time() if now is None else now
    freed = 0
    for root in _bins():
        for thrown in bins.entries(root):
            if thrown.is_over(now, days):
                freed += sum(path.stat().st_size for path in thrown.path.glob("*.gguf"))
                shutil.rmtree(thrown.path, ignore_errors=True)
    return freed


def _files(root: Path) -> list[Path]:
    """The .gguf files below a folder by path; hidden ones (halves, the bin) are none."""
    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".gguf") and not name.startswith(".")]
    return found


def _known_paths() -> list[Path]:
    practice = []
    with contextlib.suppress(ModelError):
        practice = [paths.practice_model()]
    return [*practice, *_files(paths.models()), *(link.path for _, link in records.read_links())]


def _look(
    path: Path,
    origin: Origin,
    book: FactsBook,
    name: str,
    record: Record | None = None,
    link: Link | None = None,
    version: Version | None = None,
) -> StoredModel:
    facts, problem, size = None, "", 0
    try:
        size = path.stat().st_size
        facts = book.of(path)
    except FileNotFoundError:
        problem = f'"{path.name}" is no longer in {path.parent}. Connect its disk, put it back, or remove it here.'
    except OSError as error:
        problem = f'"{path.name}" cannot be read: {error.strerror}. Check its disk and its permissions.'
    except ModelError as error:
        problem = f"{error.message} {error.hint}".strip()
    told = name or (facts.name if facts else path.stem)
    return StoredModel(path, told, origin, size, facts, problem, record, link, version)


def _bins() -> tuple[Path, Path]:
    """Two, for a file is moved within its disk only: beside the models, and beside the runs."""
    return paths.models() / ".bin", paths.user_data() / "bin-models"
