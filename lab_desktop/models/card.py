"""The page of a trained model on the hub (its model card), written from the run: README.md with a YAML head.

Reads report.json, adapter.json and request.json of the run, and the base's record. What should not go out (`private`)
is left out. Source of the head's fields: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab_desktop import paths, private
from lab_desktop.artifacts import title_of
from lab_desktop.errors import LabError, RunError
from lab_desktop.files import read_json
from lab_desktop.jobs import requests
from lab_desktop.models import catalogue, records
from lab_desktop.models.catalogue import Licence
from lab_desktop.models.facts import read_facts

TAG = "lab-desktop"
"""Of every model that was published from here, so that it is known again."""
LEFT_OUT = "[left out]"
_HUB_LICENCES = frozenset(
    {
        "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bigcode-openrail-m", "bigscience-bloom-rail-1.0",
        "bigscience-openrail-m", "bsd", "bsd-2-clause", "bsd-3-clause", "cc", "cc-by-4.0", "cc-by-nc-4.0",
        "cc-by-nc-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-4.0", "cc0-1.0", "gemma", "gpl-3.0", "lgpl-3.0",
        "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "mit", "mpl-2.0", "openrail", "unlicense",
    }
)  # fmt: skip
"""Names that the hub knows; any other is told as "other" with its name beside it."""
_CACHED = re.compile(r"models--([^/]+?)--([^/]+)")


@dataclass(frozen=True)
class Origin:
    """The original that was trained.

    Attributes:
        name: its file's name, without the ending.
        repo: on the hub; "" where it is not known.
        licence: its own; of one that nobody stated, only that is known.
    """

    name: str
    repo: str
    licence: Licence


@dataclass(frozen=True)
class Demands:
    """What the original's licence demands of whoever passes on what was made from it.

    Attributes:
        begins: the model's name must begin with this; "" where it need not.
        notices: sentences that must stand on its page.
        told: the same for the person, in plain words.
    """

    begins: str = ""
    notices: tuple[str, ...] = ()
    told: str = ""


@dataclass(frozen=True)
class Card:
    """A page that is ready to go out.

    Attributes:
        text: README.md.
        left_out: what was taken out of it, each once.
    """

    text: str
    left_out: tuple[str, ...]


def origin_of(run: Path) -> Origin:
    """
    Raises:
        RunError: the run's request is missing or damaged.
    """
    file = requests.read(run).student
    record = records.read_record(file)
    repo, licence = (record.repo, record.licence) if record is not None else ("", "")
    if not repo and file.name == paths.PRACTICE_MODEL:
        practice = catalogue.entry(catalogue.PRACTICE)
        return Origin("SmolLM2-135M-Instruct", practice.repo, practice.licence)
    if not repo and (cached := _CACHED.search(str(file.resolve()))):
        repo = f"{cached[1]}/{cached[2]}"
    if not licence:
        with contextlib.suppress(LabError):
            licence = read_facts(file).licence.strip().lower()
    return Origin(file.stem, repo, catalogue.licence(licence))


def demands_of(licence: Licence) -> Demands:
    """Source: the licences' own texts (Llama 3.x, 1.b.i; Gemma terms, 3.1; Apache-2.0, 4; CC 4.0, 3)."""
    name = licence.id
    if name.startswith("llama"):
        number = name.removeprefix("llama").lstrip("-")
        terms = f"Llama {number} is licensed under the Llama {number} Community License"
        if name == "llama2":
            notice = f"{terms}, Copyright (c) Meta Platforms, Inc. All Rights Reserved."
            return Demands("", (notice,), "Meta's notice stands on the page, and its list of forbidden uses holds.")
        begins = "Llama-3" if name == "llama3" else "Llama"
        return Demands(
            begins,
            (
                "**Built with Llama.**" if name != "llama3" else "**Built with Meta Llama 3.**",
                f"{terms}, Copyright © Meta Platforms, Inc. All Rights Reserved.",
            ),
            f"Its name must begin with “{begins}”, and “Built with Llama” stands on the page.",
        )
    if name == "gemma":
        return Demands(
            "",
            (
                "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms. "
                "They hold for this model too, with the prohibited uses that they name.",
            ),
            "Google's terms go along: they hold for everyone who uses this model.",
        )
    if "-nc" in name:
        return Demands("", ("For non-commercial use only.",), "Nobody may earn money with it, and the page says so.")
    if "openrail" in name or "rail" in name:
        return Demands(
            "", ("The use restrictions of the original's licence hold.",), "Its list of forbidden uses holds."
        )
    if not name:
        return Demands(told="Nobody stated a licence for the original. Ask its makers before you publish this openly.")
    return Demands(told="The licence of the original holds for this model too, and the page names it.")


def suggested_name(run: Path, files: Sequence[Path]) -> str:
    """A name for the place on the hub: what the files are called, as the licence wants it."""
    stem = files[0].stem.removesuffix(f"-{kind_of(files[0])}") if files else title_of(run.name)
    name = re.sub(r"[^A-Za-z0-9._]+", "-", stem).strip("-._") or "my-model"
    begins = demands_of(origin_of(run).licence).begins
    return name if name.lower().startswith(begins.lower()) else f"{begins}-{name}"


def kind_of(file: Path) -> str:
    """The size of a file, from the end of its name: NAME-KIND.gguf."""
    return file.stem.rsplit("-", 1)[-1]


def name_there(name: str, file: Path) -> str:
    """What a file is called on the hub: the model's name and the size."""
    return f"{name}-{kind_of(file)}.gguf"


def write_card(run: Path, name: str, files: Sequence[Path]) -> Card:
    """The page of a run's model.

    Args:
        name: of the model, without its owner.
        files: those that go along.

    Raises:
        RunError: the run's request is missing or damaged. A report that is missing is left out.
    """
    origin = origin_of(run)
    text = "\n".join([*_about(name, origin), *_taught(run), *_training(run), *_sizes(name, files), *_licence(origin)])
    body, left_out = without_private(text)
    head = yaml.safe_dump(_head(origin, files), sort_keys=False, allow_unicode=True)
    return Card(f"---\n{head}---\n\n{body}\n", left_out)


def without_private(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with what should not go out replaced, and what that was, each once."""
    found = private.scan(text, private.people())
    parts = []
    last = 0
    for each in found:
        parts += [text[last : each.start], LEFT_OUT]
        last = each.end
    return "".join([*parts, text[last:]]), tuple(dict.fromkeys(each.text for each in found))


def _head(origin: Origin, files: Sequence[Path]) -> dict[str, Any]:
    head: dict[str, Any] = {}
    licence = origin.licence
    if licence.id in _HUB_LICENCES:
        head["license"] = licence.id
    elif licence.id:
        head["license"] = "other"
        head["license_name"] = re.sub(r"[^a-z0-9.]+", "-", licence.id.lower()).strip("-")
    if origin.repo:
        head |= {"base_model": origin.repo, "base_model_relation": "finetune"}
    head |= {
        "library_name": "gguf",
        "pipeline_tag": "text-generation",
        "tags": [TAG, "gguf", "lab", "lora", "conversational"],
        "quantizations": [kind_of(file) for file in files],
    }
    return head


def _about(name: str, origin: Origin) -> list[str]:
    made_from = f"[{origin.repo}](https://huggingface.co/{origin.repo})" if origin.repo else f"`{_plain(origin.name)}`"
    return [
        f"# {_plain(name)}",
        "",
        f"A model that was taught something new, made from {made_from} with LAB Desktop: practice questions were "
        "written by a teacher model from the lessons below, and the model was trained on them (LAB, arXiv:2403.01081).",
        "",
    ]


def _taught(run: Path) -> list[str]:
    """What was taught and what the check found."""
    report: Mapping[str, Any] = {}
    with contextlib.suppress(RunError):
        report = read_json(run / "report.json", "leaves", "general", "verdict")
    lessons = sorted({title_of(file.parent.name) for file in (run / "leaves").rglob("qna.yaml")})
    lines = ["## What it was taught", "", *(f"- {_plain(lesson)}" for lesson in lessons), ""] if lessons else []
    try:
        rows = [_row(title_of(str(leaf["leaf"]).rsplit("/", 1)[-1]), _sums(leaf)) for leaf in report["leaves"]]
        general = report["general"]
        rows.append(_row("General knowledge", (general["before"], general["now"])))
        verdict = str(report["verdict"]["name"])
    except (KeyError, TypeError, ValueError):
        return [*lines, "It was not checked against the original.", ""]
    return [
        *lines,
        "## Before and now",
        "",
        "The same questions, none of them practised, were asked before and after. Right answers:",
        "",
        "| | before | now | questions |",
        "|---|---:|---:|---:|",
        *rows,
        "",
        f"Verdict: **{_plain(verdict)}**.",
        "",
    ]


def _sums(leaf: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Before and now of a leaf: its exam, or what was held out of its practice where it has none."""
    side = leaf["exam"] if int(leaf["exam"]["now"]["total"]) else leaf["held_out"]
    return side["before"], side["now"]


def _row(title: str, counts: tuple[Mapping[str, Any], Mapping[str, Any]]) -> str:
    before, now = counts
    return f"| {_plain(title)} | {int(before['right'])} | {int(now['right'])} | {int(now['total'])} |"


def _training(run: Path) -> list[str]:
    try:
        adapter = read_json(run / "adapter" / "adapter.json", "rank", "scale")
        facts = [f"- LoRA, rank {int(adapter['rank'])}, scale {float(adapter['scale']):g}"]
        if "best_step" in adapter and "last_step" in adapter:
            facts.append(f"- step {int(adapter['best_step'])} of {int(adapter['last_step'])} was kept")
        request = requests.read(run)
    except (RunError, TypeError, ValueError):
        return []
    teacher = request.teacher.stem if isinstance(request.teacher, Path) else request.teacher.model
    if teacher:
        facts.append(f"- teacher: {_plain(teacher)}")
    facts.append(f"- seed of every random choice: {request.seed}")
    if request.start_from is not None:
        facts.append("- it went on from an earlier training of the same original")
    return ["## Training", "", *facts, ""]


def _sizes(name: str, files: Sequence[Path]) -> list[str]:
    rows = [f"| `{name_there(name, file)}` | {kind_of(file)} | {_size(file)} |" for file in files]
    return [
        "## Files", "", "| File | Quantization | Size |", "|---|---|---:|", *rows, "",
        "Each runs in llama.cpp, LM Studio, Ollama and LAB Desktop.", "",
    ]  # fmt: skip


def _licence(origin: Origin) -> list[str]:
    licence = origin.licence
    name = f"[{licence.name}]({licence.url})" if licence.url else _plain(licence.name)
    notices = demands_of(licence).notices
    return [
        "## Licence", "", f"The original's licence holds: {name}. This model was changed from it by training.", "",
        *(line for notice in notices for line in (notice, "")), "Made with LAB Desktop.",
    ]  # fmt: skip


def _size(file: Path) -> str:
    try:
        count = file.stat().st_size
    except OSError:
        return "?"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _plain(text: str) -> str:
    """A text that is no Markdown and no HTML, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
