"""The practice teacher, the adapter that we ship, at its work on a document that it has never seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop import paths, workflow
from lab_desktop.files import read_json
from lab_desktop.generation.pipeline import generate
from lab_desktop.generation.seeds import Material
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.jobs.run import Run
from lab_desktop.words import contains


def test_the_adapter_is_small() -> None:
    adapter = paths.taught_adapter(paths.practice_model())

    assert adapter is not None
    assert adapter.stat().st_size <= 12_000_000
    assert paths.taught_adapter(Path("another.gguf")) is None


@pytest.mark.slow
def test_it_asks_for_many_facts_in_many_wordings_and_answers_alike(tmp_path: Path) -> None:
    model = paths.practice_model()
    lesson = paths.resources() / "practice" / "velmora"
    with Run(tmp_path).open() as run:
        workflow.begin(LearnRequest((lesson,), model, model, 0, 0), run)
        with workflow._teacher(model, run) as teacher:
            (material,) = workflow._materials(run, teacher.count_tokens)
            examples = tuple(replace(each, pairs=each.pairs[:1]) for each in material.leaf.seed_examples)
            some = Material(replace(material.leaf, seed_examples=examples), material.passages[:2])
            rows = [row for row in generate([some], teacher, 1, 0, run) if row.accepted]

    assert read_json(tmp_path / "teacher.json")["fact_tasks_understood"] >= 4
    about_passages = [row for row in rows if row.passage >= 0]
    assert len(about_passages) >= 30
    facts = {(row.passage, row.answer) for row in about_passages if not row.id.endswith("-long")}
    assert len(facts) >= 10
    assert all(contains(row.context, row.answer) for row in about_passages if not row.id.endswith("-long"))
