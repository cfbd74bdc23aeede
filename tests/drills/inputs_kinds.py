"""Every kind of file that the program reads: where it lies, how the program reads it, and what would notice damage."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lab_desktop import (
    bins,
    capacity,
    chats,
    corrections,
    drafts,
    paths,
    problems,
    projects,
    reviews,
    servers,
    votes,
    workflow,
)
from lab_desktop.artifacts import ChatMessage
from lab_desktop.contribution import accounts, clashes, contributions, destinations, following, labpack
from lab_desktop.documents.convert import convert
from lab_desktop.documents.passages import read_documents
from lab_desktop.documents.shown import show
from lab_desktop.documents.source import sources
from lab_desktop.documents.table import read_table
from lab_desktop.editing.editor import Editor
from lab_desktop.editing.quiz import read_marks
from lab_desktop.errors import LabError
from lab_desktop.evaluation import measured, questions
from lab_desktop.export.adapter import read_shipped
from lab_desktop.files import JsonLines
from lab_desktop.generation.ability import works_fact_by_fact
from lab_desktop.generation.mixing import noted_rows, read_dataset, taught_rows
from lab_desktop.generation.pipeline import funnel, read_samples
from lab_desktop.generation.prompts import load_prompts
from lab_desktop.jobs import errands, requests, shortage
from lab_desktop.jobs.run import Run
from lab_desktop.models import arrivals, card, catalogue, elsewhere, lineage, records, store
from lab_desktop.models.chat import ChatTemplate
from lab_desktop.models.facts import FactsBook, read_facts
from lab_desktop.models.gguf import read_header, read_tensor
from lab_desktop.models.llama import LlamaModel
from lab_desktop.repository import sent
from lab_desktop.taxonomy.attribution import read_attribution
from lab_desktop.taxonomy.check import check_leaf
from lab_desktop.taxonomy.importing import Haul, read_anything
from lab_desktop.taxonomy.index import Index
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_draft, read_leaf
from lab_desktop.training import thrift
from lab_desktop.training.loop import _Checkpoints
from lab_desktop.ui.help_texts import read_articles, read_words
from lab_desktop.ui.jobs import last_words, read_journal
from lab_desktop.ui.known import _lessons, _summary
from lab_desktop.ui.pages.improve import course
from lab_desktop.ui.preferences import Preferences
from lab_desktop.ui.underway import Underway
from tests.drills.inputs_home import ABROAD

Read = Callable[[Path, Path], object]
"""Reads a file as the program does; it gets the person's folder and the file."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: what it is.
        places: patterns of its path below the person's folder; "*" stands for any folders too.
        read: how the program reads it; a tuple of readers, each of which gets its turn.
        check: what notices that a bit of it is another one; "" where only its form is checked.
        is_remade: it may be deleted or written anew when it is damaged: nothing in it is anybody's.
    """

    name: str
    places: tuple[str, ...]
    read: tuple[Read, ...]
    check: str = ""
    is_remade: bool = False

    def has(self, name: str) -> bool:
        """Whether a path below the person's folder is one of this kind."""
        return any(fnmatchcase(name, place) for place in self.places)


def _run_of(file: Path) -> Run:
    folder = next(each for each in file.parents if (each / "request.json").exists() or each.parent.name == "runs")
    return Run(folder)


def _in_run(read: Callable[[Path], object]) -> Read:
    return lambda home, file: read(_run_of(file).folder)


def _lesson(read: Callable[[Path], object]) -> Read:
    return lambda home, file: read(next(each for each in file.parents if (each / "qna.yaml").exists()))


def _edit(folder: Path) -> None:
    editor = Editor(folder)
    editor.close()


def _imported(home: Path, file: Path) -> None:
    read_anything(file, file.parent)


def _haul(home: Path, file: Path) -> None:
    haul = Haul(file, unpack=labpack.unpackers())
    haul.look(lambda what, share: None, lambda: False)
    haul.close()


def _model(home: Path, file: Path) -> None:
    header = read_header(file)
    for name in list(header.tensors)[:2]:
        read_tensor(header, name)
    read_facts(file)


def _talked_to(home: Path, file: Path) -> None:
    ChatTemplate(read_header(file)).render([ChatMessage("user", "Hi")], add_generation_prompt=True)


def _loaded(home: Path, file: Path) -> None:
    with LlamaModel(file) as model:
        model.count_tokens("Shout: ink")


def _adapter(home: Path, file: Path) -> None:
    base = home / "models" / "tiny" / "tiny.gguf"
    read_shipped(file, read_header(base))
    with LlamaModel(base, adapters={"student": file}) as model:
        model.use_adapter("student")


def _index(home: Path, file: Path) -> None:
    index = Index(home / "library-2", file)
    index.look()
    while index.read_some(1.0):
        pass
    index.search("Velmora")
    index.close()


def _library(home: Path, file: Path) -> None:
    library = Library(next(each for each in file.parents if each.parent == home))
    assert library.steps is not None
    library.binned()


def _contributed(home: Path, file: Path) -> None:
    for made in contributions.every():
        with contextlib.suppress(LabError):
            contributions.parcel_of(made)
            contributions.letter_of(made)
        contributions.state(made)
        contributions.standing(made)
        contributions.unread(made)
        following.waiting_reply(made)
        contributions.done(made)
        with contextlib.suppress(LabError):
            clashes.clash(made.folder, contributions.parcel_of(made))


def _contribution(home: Path, file: Path) -> None:
    folder = next(each for each in file.parents if each.parent == home / "contributions")
    made = contributions.read(folder)
    contributions.parcel_of(made)
    contributions.letter_of(made)


def _trained(home: Path, file: Path) -> None:
    """A training that goes on looks at its save points."""

    class Backend:
        def load_state(self, state: dict[str, Any]) -> None:
            pass

    run = _run_of(file)
    settings = json.loads((run.folder / "adapter" / "adapter.json").read_text(encoding="utf-8"))
    points = _Checkpoints(file.parent, settings["belongs_to"], Backend(), 0, True)  # type: ignore[arg-type]
    points.resume(run)


def _weights(home: Path, file: Path) -> None:
    from lab_desktop.export.adapter import fingerprint, read_factors

    run = _run_of(file)
    adapter = workflow.read_adapter(run.folder)
    fingerprint(adapter)
    read_factors(adapter, read_header(adapter.base))


def _published(home: Path, file: Path) -> None:
    run = _run_of(file).folder
    files = sorted((run / "models").glob("*.gguf"))
    card.write_card(run, "shout", files)


def _materials(home: Path, file: Path) -> None:
    folder = _run_of(file).folder / "dataset"
    taught_rows(folder)
    questions.held_out_questions(read_dataset(folder))


def _entries(home: Path, file: Path) -> None:
    store.binned()
    store.on_this_computer()


def _catalogue(home: Path, file: Path) -> None:
    before = paths.resources
    paths.resources = lambda: file.parent
    catalogue.catalogue.cache_clear()
    try:
        catalogue.catalogue()
    finally:
        paths.resources = before


def _ollama(home: Path, file: Path) -> None:
    list(elsewhere._ollama(home.parent / ABROAD / "ollama"))


def _helped(file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # the window shows a sentence in its place
        read_words(file) if file.suffix == ".yaml" else read_articles(file.parent)


LESSON = (
    _lesson(read_leaf),
    _lesson(read_draft),
    _lesson(check_leaf),
    _lesson(_edit),
    lambda home, file: _lessons([file.parent]),
)
ABROAD_DOCUMENT: tuple[Read, ...] = (lambda home, file: convert(file), lambda home, file: show(file))

KINDS: tuple[Kind, ...] = (
    Kind("settings", ("settings.ini",), (lambda home, file: Preferences(file),)),
    Kind("measured speed", ("speed.json",), (lambda home, file: capacity.read_speed(home),)),
    Kind("agreements with servers", ("servers.json",), (
        lambda home, file: servers.has_agreed(servers.parse("https://teacher.example.org/v1")),
    )),
    Kind("accounts", ("accounts.json",), (
        lambda home, file: accounts.known("github.com"), lambda home, file: accounts.client_id("github.com"),
    )),
    Kind("destinations", ("destinations.json",), (lambda home, file: destinations.team(),)),
    Kind("the last start", ("last-start.json",), (lambda home, file: bins.counted_time(home),), "", True),
    Kind("the tour's step", ("tour.json",), (), is_remade=True),
    Kind("activity", ("activity.jsonl",), (lambda home, file: read_journal(file),)),
    Kind("what a window has in hand", ("underway-*.json",), (lambda home, file: Underway(home).missed(),), "", True),
    Kind("chats", ("chats/*.json",), (lambda home, file: chats.every(home / "chats"),)),
    Kind("projects", ("projects/*/project.json",), (
        lambda home, file: projects.found(home / "projects"), lambda home, file: projects.read(file.parent),
    )),
    Kind("lessons", ("*/lessons/*/qna.yaml", "library*/*/qna.yaml", "drafts/*/qna.yaml", "*/leaves/*/qna.yaml",
                     "bin/*/qna.yaml"), (*LESSON, _imported)),
    Kind("exams", ("*/exam.yaml",), (_lesson(lambda folder: questions.exam_questions(folder, "leaf")),)),
    Kind("documents", ("projects/*.md", "library*/*.md", "drafts/*.md"), (
        _lesson(lambda folder: read_documents(folder, ("**/*.md",))), *LESSON[1:2],
    )),
    Kind("credits", ("projects/*/attribution.txt", "library*/*/attribution.txt"), (
        _lesson(read_attribution), _lesson(_edit),
    )),
    Kind("a lesson's undo", ("*/.editing/history.jsonl",), (_lesson(_edit),), "", True),
    Kind("what stands beside a lesson", ("*/.editing/lesson.json",), (_lesson(_edit),)),
    Kind("what the model knew", ("*/.editing/quiz.json",), (_lesson(read_marks),)),
    Kind("where a document came from", ("*/.originals/*.json",), (_lesson(sources),), "SHA-256 of the original"),
    Kind("originals", ("*/.originals/*.pdf", "*/.originals/*.html"), ABROAD_DOCUMENT),
    Kind("drafts", ("drafts/*/qna.yaml",), (
        lambda home, file: drafts.find(home / "drafts", "shouting", has_passage=True),
    )),
    Kind("requests of runs", ("*/runs/*/request.json",), (
        _in_run(requests.read), _in_run(lambda run: projects.found(run.parents[2])), _in_run(card.origin_of),
    )),
    Kind("practice questions", ("*/samples.jsonl",), (
        lambda home, file: read_samples(_run_of(file)), lambda home, file: funnel(_run_of(file)),
    )),
    Kind("what the teacher was asked", ("*/units.jsonl",), (lambda home, file: funnel(_run_of(file)),)),
    Kind("what the teacher can do", ("*/teacher.json",), (
        lambda home, file: works_fact_by_fact(None, None, _run_of(file)),  # type: ignore[arg-type]
    ), is_remade=True),
    Kind("general answers", ("*/general.jsonl", "prepared/general-*.jsonl"), (
        lambda home, file: noted_rows(_run_of(file), 4) if "runs" in file.parts else None,
    ), is_remade=True),
    Kind("data sets", ("*/dataset/*.jsonl", "*/dataset/manifest.json"), (_materials,), "SHA-256 of all rows"),
    Kind("reviews", ("*/reviews.jsonl",), (_in_run(reviews.read_reviews),)),
    Kind("votes", ("*/votes.jsonl",), (_in_run(votes.read_votes),)),
    Kind("corrections", ("*/corrections.jsonl",), (
        _in_run(corrections.read_corrections), _in_run(corrections.read_report),
    )),
    Kind("reports", ("*/report.json",), (
        _in_run(corrections.read_report), _in_run(_summary), _published,
        lambda home, file: lineage.versions(lineage.undertakings()),
    )),
    Kind("answers", ("*/answers.jsonl",), (lambda home, file: JsonLines(file).rows(),)),
    Kind("what a run said", ("*/events.jsonl",), (lambda home, file: last_words(file.parent),)),
    Kind("times", ("*/timings.json",), (lambda home, file: _run_of(file).timings(),)),
    Kind("phases", ("*/phases.json",), (_in_run(course.read_course),)),
    Kind("save points", ("*/checkpoint/*.safetensors",), (_trained,), "", True),
    Kind("what was learned", ("*/adapter/adapter.json", "*/adapter/adapter.safetensors"), (
        _weights, _in_run(course.kept_step), lambda home, file: lineage.versions(lineage.undertakings()), _published,
    )),
    Kind("adapters", ("*/adapter/adapter.gguf",), (_adapter,)),
    Kind("memory notes", ("*/memory.json",), (_in_run(shortage.ended_work),), "", True),
    Kind("what was lowered", ("*/thrift.json",), (_in_run(thrift.level),)),
    Kind("sizes of models", ("*/models/sizes.json", "*/models/measured.json"), (
        lambda home, file: measured.measures(file.parent),
    ), is_remade=True),
    Kind("models", ("models/*.gguf", "*/runs/*/models/*.gguf", "bin/*.gguf"), (_model, _talked_to, _loaded),
         "SHA-256 at download"),
    Kind("records of models", ("models/*.gguf.json", "models/linked/*.json"), (
        lambda home, file: records.read_record(file.with_suffix("")), lambda home, file: records.read_links(), _entries,
    )),
    Kind("the models' bin", ("bin/*/entry.json", "models/.bin/*/entry.json"), (_entries,)),
    Kind("halves of downloads", ("models/*/.*.part",), (lambda home, file: arrivals.waiting(),), "SHA-256 at the end"),
    Kind("errands", ("errands/*/request.json", "contributions/*/request.json"), (
        lambda home, file: errands.waiting(), lambda home, file: errands.read(file.parent),
    )),
    Kind("facts about models", ("prepared/facts.json",), (
        lambda home, file: FactsBook(file).of(home / "models" / "tiny" / "tiny.gguf"),
    ), is_remade=True),
    Kind("the practice teacher, made faster", ("prepared/*-teacher.gguf",), (_model, _loaded), "", True),
    Kind("reports of problems", ("problems/*.txt",), (lambda home, file: problems.reports(),)),
    Kind("what a crash left", ("problems/.running-*",), (), is_remade=True),
    Kind("contributions", ("contributions/*/contribution.json",), (_contributed, _contribution)),
    Kind("what is sent", ("contributions/*/lesson-*",), (_contributed, _contribution), "SHA-256 of every file"),
    Kind("steps of sending", ("contributions/*/steps.jsonl",), (_contributed,)),
    Kind("what hosts said", ("contributions/*/standing.json", "contributions/*/reply.json"), (_contributed,)),
    Kind("clashes", ("contributions/*/clash.json",), (_contributed,)),
    Kind("a library's undo", ("library*/.lab-desktop/history.jsonl", "library*/.git/lab-desktop/history.jsonl"), (
        _library,
    )),
    Kind("a library's bin", ("library*/place.json",), (_library,)),
    Kind("what was sent", ("library*/shared.jsonl", "library*/.git/lab-desktop/shared.jsonl"), (
        lambda home, file: sent(home / "library-2"),
    )),
    Kind("the library's index", ("index/*.sqlite",), (_index,), "", True),
    Kind("lessons by mail", (f"{ABROAD}/*.labpack",), (lambda home, file: labpack.read(file), _haul),
         "SHA-256 of the bundle"),
    Kind("archives of lessons", (f"{ABROAD}/*.zip",), (_haul,), "CRC-32"),
    Kind("foreign documents", (f"{ABROAD}/text.*",), ABROAD_DOCUMENT),
    Kind("tables", (f"{ABROAD}/table.*",), (lambda home, file: read_table(file),)),
    Kind("other programs' lists", (f"{ABROAD}/ollama/*",), (_ollama,)),
    Kind("prompts", (f"{ABROAD}/resources/prompts/*.yaml",), (
        lambda home, file: load_prompts(file.stem, file.parent),
    )),
    Kind("the catalogue", (f"{ABROAD}/resources/models.yaml",), (_catalogue,)),
    Kind("general questions", (f"{ABROAD}/resources/evaluation/general.yaml",), (
        lambda home, file: questions._read(file, "general", "general"),
    )),
    Kind("words and help", (f"{ABROAD}/resources/help/*",), (
        lambda home, file: _helped(file),
    )),
)  # fmt: skip
WITHOUT_CONTENT = ("*.lock", "*/lock", "*/.gitkeep", "*/.gitignore", "*/enough-*", "*/.git/*", "*.sqlite-???")
"""What tells something by being there, and what git keeps and checks for itself."""


@functools.cache
def kind_of(name: str) -> Kind | None:
    """The kind of a file by its path below the person's folder."""
    return next((kind for kind in KINDS if kind.has(name)), None)


def unlisted(folder: Path, place: str = "") -> list[str]:
    """The files of a person that are of no kind: the list lacks them.

    Args:
        folder: where they are.
        place: what `folder` is below the person's folder, with a slash at its end; "": that folder itself.
    """
    names = sorted(place + path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [
        name
        for name in names
        if kind_of(name) is None and not any(fnmatchcase(name, place) for place in WITHOUT_CONTENT)
    ]
