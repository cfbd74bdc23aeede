"""What the tests of the whole loop work with: three small leaves, models that are brief, and a look at what a run left.

A random model babbles until it is cut off, which takes minutes; these end their texts soon, so that a whole loop takes
seconds and yet writes, judges, keeps and drops real rows.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import safetensors
import safetensors.numpy

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LabError
from lab_desktop.evaluation.questions import held_out_questions
from lab_desktop.generation.mixing import read_dataset, taught_rows
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.models.gguf import read_header
from lab_desktop.taxonomy.qna import write_leaf
from tests.fakes import tiny_model

_ENDING = {ord('"'): 4.0, 258: 4.0}
"""Tokens that end a text: the quotation mark in JSON, <|im_end|> in a conversation; and how much louder they are."""

DOCUMENT = "# Orra\n\nThe light of Orra is red. It was lit in 1811.\n\n## Harbour\n\nForty boats fit. Vale runs it.\n"


def brief_model(path: Path, seed: int) -> Path:
    """A tiny random model that likes to end its texts."""
    tiny_model(path, seed=seed)
    output = next(tensor for tensor in gguf.GGUFReader(path, "r+").tensors if tensor.name == "output.weight")
    for token, factor in _ENDING.items():
        output.data[token] *= np.float32(factor)
    return path


def knowledge_leaf(taxonomy: Path, name: str = "orra") -> Path:
    """A knowledge leaf with a document in a folder below it."""
    examples = tuple(
        SeedExample(
            (
                *(Pair(f"What is {letter}{thing}?", f"{thing} stones") for thing in range(2)),
                Pair(f"What is {letter}2?", f"{letter}2 is 2 stones, which lie beside the old wall of the harbour"),
            ),
            f"{letter}0 is 0 stones. {letter}1 is 1 stones. {letter}2 is 2 stones.",
        )
        for letter in "abcde"
    )
    folder = taxonomy / "knowledge" / "places" / name
    leaf = Leaf(
        ("knowledge", "places", name),
        folder,
        LeafKind.KNOWLEDGE,
        3,
        "me",
        examples,
        domain="islands",
        document_outline="An island",
        document=DocumentSource("https://example.org/orra.git", "0" * 40, ("texts/**/*.md",)),
    )
    write_leaf(leaf, folder)
    (folder / "texts" / "old").mkdir(parents=True)
    (folder / "texts" / "old" / f"{name}.md").write_text(DOCUMENT, encoding="utf-8")
    _exam(folder, [("When was the light of Orra lit?", "In 1811.", "1811"), ("Who runs it?", "Jon Vale.", "Vale")])
    return folder


def freeform_leaf(taxonomy: Path, name: str = "shout") -> Path:
    """A freeform skill: write in capitals."""
    texts = ("good day", "a cat", "bread", "come home", "rain")
    examples = tuple(SeedExample((Pair(f"Shout: {text}", text.upper()),)) for text in texts)
    folder = taxonomy / "compositional_skills" / name
    write_leaf(Leaf(folder.parts, folder, LeafKind.FREEFORM_SKILL, 3, "me", examples, "Shout a text."), folder)
    _exam(folder, [("Shout: ink", "INK", "INK")])
    return folder


def grounded_leaf(taxonomy: Path, name: str = "count") -> Path:
    """A grounded skill: take the number out of a note."""
    things = (("pears", 4), ("nails", 12), ("lamps", 3), ("books", 7), ("coats", 9))
    examples = tuple(
        SeedExample((Pair("How many?", f"{count} {what}"),), f"Send {count} {what}.") for what, count in things
    )
    folder = taxonomy / "compositional_skills" / name
    write_leaf(Leaf(folder.parts, folder, LeafKind.GROUNDED_SKILL, 3, "me", examples, "Read an order."), folder)
    return folder


def small_request(folder: Path, samples: int = 6) -> LearnRequest:
    """All three leaves, and a teacher that is not the student."""
    taxonomy = folder / "taxonomy"
    for write in (knowledge_leaf, freeform_leaf, grounded_leaf):
        write(taxonomy)
    teacher, student = brief_model(folder / "teacher.gguf", seed=1), brief_model(folder / "student.gguf", seed=2)
    return LearnRequest((taxonomy,), teacher, student, samples, seed=3, effort="quick")


def _exam(folder: Path, questions: list[tuple[str, str, str]]) -> None:
    lines = ["questions:"]
    for question, answer, accept in questions:
        lines += [f"  - question: {json.dumps(question)}", f"    answer: {json.dumps(answer)}"]
        lines += [f"    accept: [{json.dumps(accept)}]"]
    (folder / "exam.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def rows_of(path: Path) -> list[Any]:
    """The rows of a JSON-lines file, in order of their content: two runs may have finished them in another order."""
    return sorted((json.loads(line) for line in path.read_bytes().splitlines()), key=json.dumps)


def made_files(run: Path) -> dict[str, str]:
    """SHA-256 of what a run made that must not depend on how often it was disturbed, by name."""
    names = ("adapter/adapter.safetensors", "adapter/adapter.json", "adapter/adapter.gguf", "models/*", "dataset/*")
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names
        for path in sorted(run.glob(name))
        if not path.name.startswith(".")
    }


def distance(one: Path, other: Path) -> float:
    """How far two adapters are from each other, as a share of the first one's size."""
    first, second = (safetensors.numpy.load_file(file) for file in (one, other))
    apart = sum(float(((first[name] - second[name]) ** 2).sum()) for name in first)
    return float(np.sqrt(apart / sum(float((each**2).sum()) for each in first.values())))


def report_of(run: Path) -> dict[str, Any]:
    """report.json but for the seconds."""
    report: dict[str, Any] = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert set(report.pop("seconds")) == {"generate", "train", "export", "evaluate"}
    return report


def left_overs(run: Path) -> list[str]:
    """Half-written files."""
    return sorted(str(path.relative_to(run)) for path in run.rglob("*") if ".part" in path.name)


def damaged_files(run: Path) -> list[str]:
    """Files that have their final name and cannot be read; the last line of a log may be torn."""
    damaged = []
    for path in run.rglob("*"):
        if not path.is_file() or path.name.startswith(".") or path.suffix == ".part":
            continue
        try:
            _read(path)
        except (ValueError, LabError, safetensors.SafetensorError) as error:
            damaged.append(f"{path.relative_to(run)}: {error}")
    return damaged


def _read(path: Path) -> None:
    if path.parts[-2:] == ("dataset", "manifest.json"):
        taught_rows(path.parent)
        held_out_questions(read_dataset(path.parent))
    elif path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".jsonl":
        for line in path.read_bytes().split(b"\n")[:-1]:
            json.loads(line)
    elif path.suffix == ".gguf":
        read_header(path)
    elif path.suffix == ".safetensors":
        safetensors.numpy.load_file(path)
