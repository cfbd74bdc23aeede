"""The page of a published model: figures from the report, what the licence demands, nothing private."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from lab_desktop import paths
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import LearnRequest
from lab_desktop.models import card, catalogue, records
from lab_desktop.models.records import Record


def counts(right: int, total: int) -> dict[str, int]:
    return {"right": right, "wrong": total - right, "no_verdict": 0, "total": total}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of the practice model that was trained, checked and written in two sizes."""
    folder = tmp_path / "run"
    requests.write(folder, LearnRequest((), tmp_path / "teacher-8b.gguf", tmp_path / paths.PRACTICE_MODEL, 50, 7))
    leaf = folder / "leaves" / "knowledge" / "rock_pools"
    leaf.mkdir(parents=True)
    (leaf / "qna.yaml").write_text("version: 3\n")
    report = {
        "leaves": [
            {
                "leaf": "knowledge/rock_pools",
                "exam": {"before": counts(1, 8), "now": counts(7, 8)},
                "held_out": {"before": counts(0, 5), "now": counts(2, 5)},
            }
        ],
        "general": {"before": counts(9, 10), "now": counts(8, 10)},
        "verdict": {"name": "clear gain"},
    }
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "adapter").mkdir()
    (folder / "adapter" / "adapter.json").write_text('{"rank": 16, "scale": 2.0, "best_step": 40, "last_step": 60}')
    (folder / "models").mkdir()
    for kind, size in (("Q8_0", 140_000_000), ("Q4_K_M", 105_000_000)):
        with open(folder / "models" / f"pools-{kind}.gguf", "wb") as file:
            file.truncate(size)
    return folder


def files(run: Path) -> list[Path]:
    return sorted((run / "models").glob("*.gguf"))


def head(text: str) -> dict[str, object]:
    told = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(told, dict)
    return told


def test_the_page_tells_what_was_taught_with_figures_sizes_and_settings(run: Path) -> None:
    made = card.write_card(run, "pools", files(run))

    assert head(made.text) == {
        "license": "apache-2.0",
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "base_model_relation": "finetune",
        "library_name": "gguf",
        "pipeline_tag": "text-generation",
        "tags": ["lab-desktop", "gguf", "lab", "lora", "conversational"],
        "quantizations": ["Q4_K_M", "Q8_0"],
    }
    for line in (
        "- Rock pools",
        "| Rock pools | 1 | 7 | 8 |",
        "| General knowledge | 9 | 8 | 10 |",
        "Verdict: **clear gain**.",
        "- LoRA, rank 16, scale 2",
        "- step 40 of 60 was kept",
        "- teacher: teacher-8b",
        "| `pools-Q4_K_M.gguf` | Q4_K_M | 105 MB |",
    ):
        assert line in made.text.splitlines()
    assert "Made with LAB Desktop" in made.text and made.left_out == ()
    assert str(run) not in made.text


def test_without_a_report_the_page_says_so(run: Path) -> None:
    (run / "report.json").write_text("{")

    assert "It was not checked against the original." in card.write_card(run, "pools", files(run)).text


def test_nothing_private_goes_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/adalovelace")
    text = (
        "Ask ada@example.org or +44 20 7946 0958, (0351) 123 4567; see /Users/ada/notes.md, C:\\Users\\Ada\\x.txt, "
        "~/secret/a. By AdaLovelace."
    )

    clean, left_out = card.without_private(text)

    assert len(left_out) == 7
    assert clean == ("Ask [left out] or [left out], [left out]; see [left out], [left out] [left out] By [left out].")


def test_figures_dates_and_addresses_stay(run: Path) -> None:
    text = (
        "7 of 8 on 2026-11-22, 1 234 567 rows, 0.5, 3/8, arXiv:2403.01081, https://huggingface.co/a/b, v1.2-3, and/or"
    )

    assert card.without_private(text) == (text, ())


def test_a_lesson_cannot_write_markup_into_the_page(run: Path) -> None:
    (run / "leaves" / "knowledge" / "rock_pools").rename(run / "leaves" / "knowledge" / "a|b <img src=x> [c](d)")

    text = card.write_card(run, "pools", files(run)).text

    assert "<img" not in text.replace("\\<", "") and "](d)" not in text.replace("\\]", "")


@pytest.mark.parametrize(
    ("licence", "told", "begins", "notice"),
    [
        ("llama3.2", "llama3.2", "Llama", "Built with Llama"),
        ("llama3", "llama3", "Llama-3", "Built with Meta Llama 3"),
        ("gemma", "gemma", "", "Gemma Terms of Use found at ai.google.dev/gemma/terms"),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", "", "non-commercial"),
        ("Falcon LLM", "other", "", ""),
        ("", None, "", ""),
    ],
)
def test_what_the_original_s_licence_demands_is_on_the_page(
    run: Path, licence: str, told: str | None, begins: str, notice: str
) -> None:
    student = run.parent / "base-Q8_0.gguf"
    student.touch()
    records.write_record(student, Record("makers/base-GGUF", "base-Q8_0.gguf", "c", "0", 0, licence, "Base", "now"))
    requests.write(run, LearnRequest((), student, student, 50, 7))

    name = card.suggested_name(run, files(run))
    text = card.write_card(run, name, files(run)).text

    assert name == (f"{begins}-pools" if begins else "pools")
    assert (head(text).get("license"), head(text)["base_model"]) == (told, "makers/base-GGUF")
    assert notice in text
    assert (head(text).get("license_name") == "falcon-llm") is (told == "other")


def test_every_licence_that_is_offered_has_words_about_passing_it_on() -> None:
    assert all(card.demands_of(entry.licence).told for entry in catalogue.catalogue())
