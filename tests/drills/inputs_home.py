"""A person's folder with a file of every kind that the program writes, and foreign files beside it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

from lab_desktop import bins, capacity, paths, problems, projects, servers
from lab_desktop.artifacts import Mark, Pair
from lab_desktop.contribution import destinations, labpack
from lab_desktop.contribution.destinations import destination
from lab_desktop.contribution.letter import Letter
from lab_desktop.documents.convert import convert
from lab_desktop.documents.source import keep
from lab_desktop.editing.editor import Editor
from lab_desktop.editing.lesson import add_example
from lab_desktop.editing.quiz import Known, write_marks
from lab_desktop.evaluation import measured
from lab_desktop.evaluation.measured import Measure
from lab_desktop.export.adapter import write_adapter
from lab_desktop.files import stamp, write_json
from lab_desktop.jobs import errands, requests
from lab_desktop.jobs.errands import FollowRequest, MoveRequest, PublishRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import records, store
from lab_desktop.models.records import Record
from lab_desktop.repository import note_sent
from lab_desktop.taxonomy.index import Index
from tests.documents.makers import Pdf, book, paragraph, word
from tests.drills.upgrades_homes import names, taken_home
from tests.export.lora import random_adapter
from tests.fakes import tiny_model
from tests.screenshots import contributed, states

ABROAD = "abroad"
"""Beside the person's folder: what came from elsewhere."""


def make(home: Path) -> None:
    """Fill a person's folder: what the newest kept version wrote, and whatever else there can be."""
    os.environ["LAB_DESKTOP_HOME"] = str(home)
    taken_home(names()[-1], home)
    project = projects.every(home / "projects")[0]
    run = project.run
    assert run is not None
    _finish(run)
    _settle(home)
    _keep_lessons(home, project.lessons)
    _give_away(home)
    _bring_from_abroad(home.parent / ABROAD)


def _finish(run: Path) -> None:
    """What a run has beside what is kept as text."""
    with Run(run).open() as job:
        write_adapter(random_adapter(run.parent / "other", requests.read(run).student, rank=2), job)
    shutil.move(run.parent / "other" / "adapter.gguf", run / "adapter" / "adapter.gguf")
    shutil.rmtree(run.parent / "other")
    kind = "Q8_0"
    model = tiny_model(run / "models" / f"shout-{kind}.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)
    measured.note(run / "models", kind, Measure(1, 2, 30.0, stamp(model)))
    write_json(run / "memory.json", {"is_short": True, "kills": 0})
    write_json(run / "thrift.json", {"level": 1})
    write_json(run / "teacher.json", {"fact_tasks_understood": 8, "fact_tasks_asked": 9})


def _settle(home: Path) -> None:
    """Choices, speeds, models and errands."""
    (home / "settings.ini").write_text("[General]\nappearance=dark\ntext_size=120\n", encoding="utf-8")
    capacity.save_speed(home, 60, 1.0, home / "models" / "tiny" / "tiny.gguf")
    servers.agree(servers.parse("https://teacher.example.org/v1#mixtral"))
    destinations.keep_team(destination("https://git.example.org/museum/lessons.git"))
    write_json(home / "accounts.json", {"accounts": {"github.com": {"login": "ada"}}, "clients": {"github.com": "Iv1"}})
    write_json(home / "tour.json", {"step": "train"})
    bins.counted_time(home)
    problems.write("window", None)
    (home / "problems" / ".running-window-1-5").write_text("Fatal Python error: Aborted\n")
    write_json(home / "underway-0123456789ab.json", {"jobs": [{"folder": str(home), "steps": ["train"]}]})
    states.write_models(home)
    tiny_model(home / "prepared" / "tiny-teacher.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)
    for half in (home / "models").rglob(".*.part"):
        half.write_bytes(bytes(range(256)) * 20)
    model = tiny_model(home / "models" / "tiny" / "tiny" / "small.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)
    records.write_record(model, Record("tiny/tiny", model.name, "0" * 40, "0" * 64, 9, "mit", "Small", "2026-11-22"))
    gone = tiny_model(home / "models" / "tiny" / "tiny" / "gone.gguf", width=32, heads=2, kv_heads=1, feed_forward=32)
    store.remove(next(each for each in store.on_this_computer() if each.path == gone))
    errands.write(MoveRequest(home / "elsewhere"))
    errands.write(PublishRequest("ada/shout", ((model, "shout.gguf"),), "# Shout\n"))
    errands.write(FollowRequest())


def _keep_lessons(home: Path, lessons: Path) -> None:
    """A lesson in hand, with its history, its sources and what the model knew; and a library with an index."""
    folder = next(lessons.rglob("qna.yaml")).parent
    shutil.copytree(states.LESSON, lessons / "knowledge" / "velmora")
    states.bring_pdf(lessons / "knowledge" / "velmora")
    page = home.parent / "harbour.html"
    page.write_text("<h1>Harbour</h1><p>Forty boats fit.</p>", encoding="utf-8")
    keep(lessons / "knowledge" / "velmora", page, convert(page))
    (folder / "attribution.txt").write_text(contributed.CREDITS, encoding="utf-8")
    write_marks(folder, {Pair("Shout: ink", "INK"): Known(Mark.KNOWS, "INK")})
    editor = Editor(folder)
    editor.apply(lambda lesson: add_example(lesson, "", [Pair("Shout: tea", "TEA")]), "Add an example")
    editor.save()
    editor.close()
    root = states.library(home / "library-2")
    note_sent(root, [root / "knowledge" / "geography" / "islands" / "velmora"], "the village school")
    index = Index(root, home / "index" / "library.sqlite")
    index.look()
    while index.read_some(1.0):
        pass
    index.close()


def _give_away(home: Path) -> None:
    """A contribution that is answered, and one that clashes."""
    contributed.answered(home)
    contributed.clash(home)


def _bring_from_abroad(folder: Path) -> None:
    """Files of other people and programs."""
    folder.mkdir()
    labpack.write(
        folder / "velmora.labpack", contributed.parcel(), Letter("Add facts", "Body"), contributed.ADA, 1_763_780_000.0
    )
    (folder / "text.pdf").write_bytes(Pdf("Orra").page().text(72, 700, "The light of Orra is red.", 12).data())
    (folder / "text.docx").write_bytes(word(paragraph("The light of Orra is red.")))
    (folder / "text.epub").write_bytes(book({"one": "<p>The light of Orra is red.</p>"}))
    (folder / "text.html").write_text("<h1>Orra</h1><p>Red.</p><table><tr><td>a</td></tr></table>", "utf-8")
    (folder / "text.txt").write_text("Orra\n\nThe light of Orra is red.\n", encoding="utf-8")
    (folder / "table.csv").write_text('question,answer\n"Shout: ink",INK\n', encoding="utf-8")
    with zipfile.ZipFile(folder / "lessons.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in states.LESSON.iterdir():
            archive.write(file, f"knowledge/velmora/{file.name}")
    shutil.copytree(paths.resources(), folder / "resources", ignore=shutil.ignore_patterns("*.gguf", "general-*"))
    (folder / "ollama" / "manifests" / "registry" / "library" / "tiny").mkdir(parents=True)
    (folder / "ollama" / "manifests" / "registry" / "library" / "tiny" / "latest").write_text(
        json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{'0' * 64}"}]})
    )
