"""The texts we ship and try things on: valid leaves, exams that can be answered, checks that are not trained on."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from instructlab.schema.taxonomy import TaxonomyParser

from lab_desktop import paths
from lab_desktop.artifacts import LeafKind
from lab_desktop.taxonomy.check import check_paths
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.words import contains, content_words, shared, words

LINT = "{extends: relaxed, rules: {line-length: disable}}"
RULES = {"starts_with", "ends_with", "equals", "matches", "contains_all"}
PRACTICE = paths.resources() / "practice" / "velmora"
TESTS = Path(__file__).parent
CORPUS = TESTS.parent / "packaging" / "teacher" / "corpus"
EXAMS = sorted(path.parent for path in (TESTS / "exams").rglob("qna.yaml"))
LEAVES = [PRACTICE, *EXAMS, *sorted(path.parent for path in (TESTS / "data" / "leaves").rglob("qna.yaml"))]
KNOWLEDGE = [folder for folder in LEAVES if list(folder.glob("*.md"))]
VARIANTS = {
    "Gray Heron",
    "captain of a ferry",
    "captain of ferry",
    "feathers of a heron",
    "feathers of herons",
    "ferryboat captain",
    "heron's feathers",
    "moon bell",
    "moonbells",
    "quennets",
    "stones",
}
"""Accepted spellings of a fact that the document writes in another way."""


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _exam(folder: Path) -> list[dict[str, Any]]:
    return list(_yaml(folder / "exam.yaml")["questions"])


def _general() -> list[dict[str, Any]]:
    return list(_yaml(paths.resources() / "evaluation" / "general.yaml")["questions"])


def _replay() -> list[str]:
    text = (paths.resources() / "replay" / "general.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["prompt"] for line in text.splitlines()]


def _seed_pairs(folder: Path) -> list[dict[str, str]]:
    examples = _yaml(folder / "qna.yaml")["seed_examples"]
    return [pair for example in examples for pair in example.get("questions_and_answers", [example])]


def _as_prompt(item: dict[str, Any]) -> str:
    return f"{item.get('context', '')}\n\n{item['question']}"


def _is_right_by_words(item: dict[str, Any]) -> bool:
    """The reference answer passes the item's own check (`accept`, or a rule that names the whole answer)."""
    if "accept" in item:
        return any(contains(item["answer"], text) for text in item["accept"])
    return bool(item["rule"].get("equals", item["answer"]) == item["answer"])


@pytest.mark.parametrize("folder", LEAVES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("schema_version", [0, 3], ids=["own_version", "contribution"])
def test_every_leaf_passes_schema_and_strict_lint(
    folder: Path, schema_version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The parser calls the command yamllint, and only logs when there is none: put ours where it is found.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    parser = TaxonomyParser(
        schema_version=schema_version, message_format="standard", yamllint_config=LINT, yamllint_strict=True
    )

    found = parser.parse(folder / "qna.yaml")

    assert (found.errors, found.warnings) == (0, 0)
    attribution = (folder / "attribution.txt").read_text(encoding="utf-8")
    assert "License of the work: CC-BY-4.0" in attribution


@pytest.mark.parametrize("folder", KNOWLEDGE, ids=lambda folder: folder.name)
def test_seed_passages_stand_word_for_word_in_the_document(folder: Path) -> None:
    document = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.md"))
    contents = _yaml(folder / "qna.yaml")

    assert 700 <= len(document.split()) <= 1100
    assert [len(example["questions_and_answers"]) for example in contents["seed_examples"]] == [3] * 5
    assert [example["context"] in document for example in contents["seed_examples"]] == [True] * 5
    assert [(folder / pattern).is_file() for pattern in contents["document"]["patterns"]] == [True]


@pytest.mark.parametrize("folder", KNOWLEDGE, ids=lambda folder: folder.name)
def test_every_knowledge_exam_answer_can_be_found_in_the_document(folder: Path) -> None:
    document = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.md"))
    exam = _exam(folder)

    assert len(exam) == 24
    assert 7 <= sum(item["seed"] for item in exam) <= 8
    for item in exam:
        found = [text for text in item["accept"] if contains(document, text)]
        assert found, item["question"]
        assert not any(contains(item["question"], text) for text in item["accept"]), item["question"]


def test_the_practice_exam_accepts_only_the_fact_or_a_stated_variant() -> None:
    document = (PRACTICE / "velmora.md").read_text(encoding="utf-8")

    strangers = {text for item in _exam(PRACTICE) for text in item["accept"] if not contains(document, text)}

    assert strangers <= VARIANTS
    assert all(
        contains(item["question"].replace("'s", ""), "Velmora") or "Velmoran" in item["question"]
        for item in _exam(PRACTICE)
    )


@pytest.mark.parametrize("folder", LEAVES, ids=lambda folder: folder.name)
def test_no_exam_question_stands_among_the_seed_questions(folder: Path) -> None:
    seeds = [_as_prompt(example) for example in _yaml(folder / "qna.yaml")["seed_examples"] if "question" in example]
    seeds += [pair["question"] for pair in _seed_pairs(folder)] if folder in KNOWLEDGE else []

    for item in _exam(folder):
        asked = item["question"] if folder in KNOWLEDGE else _as_prompt(item)
        nearest = max(seeds, key=lambda seed: shared(set(words(seed)), set(words(asked))))
        assert shared(set(words(nearest)), set(words(asked))) < 0.75, f"{asked} | {nearest}"


@pytest.mark.parametrize(
    "path",
    [folder / "exam.yaml" for folder in LEAVES] + [paths.resources() / "evaluation" / "general.yaml"],
    ids=lambda path: path.parent.name,
)
def test_the_reference_answer_is_right_and_only_known_rules_are_used(path: Path) -> None:
    items = _yaml(path)["questions"]

    assert len({_as_prompt(item) for item in items}) == len(items)
    for item in items:
        assert ("accept" in item) != ("rule" in item), item["question"]
        assert set(item.get("rule", {})) <= RULES
        assert all(isinstance(text, str) for text in item.get("accept", []))
        assert _is_right_by_words(item), item["question"]


def test_general_questions_and_replay_are_many_and_different() -> None:
    prompts = _replay()

    assert len(_general()) == 40
    assert len(prompts) >= 240
    assert len({prompt.casefold() for prompt in prompts}) == len(prompts)
    assert "velmora" not in json.dumps([prompts, _general()]).casefold()


def test_replay_does_not_train_the_forgetting_check() -> None:
    prompts = [(prompt, content_words(prompt)) for prompt in _replay()]

    for item in _general():
        question = content_words(item["question"])
        for prompt, telling in prompts:
            assert shared(set(words(item["question"])), set(words(prompt))) < 0.6, f"{item['question']} | {prompt}"
            assert len(question & telling) < 0.5 * len(question | telling), f"{item['question']} | {prompt}"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("folder", EXAMS, ids=lambda folder: folder.name)
def test_ideal_rows_ask_what_the_exam_asks_in_other_words(folder: Path) -> None:
    rows = _lines(folder / "ideal.jsonl")
    if folder not in KNOWLEDGE:
        exam = {(item.get("context"), item["question"]) for item in _exam(folder)}
        assert len(rows) == 60
        assert not exam & {(row.get("context"), row["question"]) for row in rows}
        return
    document = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.md"))
    questions = [question for row in rows for question in row["questions"]]

    assert len(rows) >= 110
    assert len({question.casefold() for question in questions}) == len(questions) == 5 * len(rows)
    for row in rows:
        assert contains(document, row["answer"]) and contains(row["long"], row["answer"]), row["answer"]
    for item in _exam(folder):
        asked = set(words(item["question"]))
        nearest = max(questions, key=lambda question: shared(set(words(question)), asked))
        assert shared(set(words(nearest)), asked) < 0.8, f"{item['question']} | {nearest}"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("passages-*.jsonl")), ids=lambda path: path.stem)
def test_the_teachers_corpus_says_what_its_passages_say(path: Path) -> None:
    for item in _lines(path):
        assert set(item) == {"id", "title", "domain", "passage", "pairs", "unanswerable", "wrong"}
        assert len(item["pairs"]) >= 7
        for pair in item["pairs"]:
            assert contains(item["passage"], pair["answer"]), f"{item['id']}: {pair['answer']}"
            assert pair["paraphrases"]
            for question in (pair["question"], *pair["paraphrases"]):
                assert question.endswith("?"), f"{item['id']}: {question}"
                told = re.search(rf"\b{re.escape(pair['answer'])}\b", question, re.IGNORECASE)
                assert told is None, f"{item['id']}: {question}"


def test_the_teachers_corpus_is_about_other_things_than_the_exams_and_the_lessons() -> None:
    corpus = [item for path in CORPUS.glob("passages-*.jsonl") for item in _lines(path)]
    titles = " ".join(item["title"] for item in corpus)

    assert len({item["id"] for item in corpus}) == len(corpus) > 500
    for name in ("Velmora", "Vask", "Brasswick", "Oru", "Kelvane", "Hestrel"):
        assert not contains(titles, name), name


@pytest.mark.parametrize("path", sorted(CORPUS.glob("skills-*.jsonl")), ids=lambda path: path.stem)
def test_every_skill_of_the_teachers_corpus_has_twelve_different_examples(path: Path) -> None:
    for item in _lines(path):
        asked = {(example.get("context"), example["question"]) for example in item["examples"]}
        assert len(asked) == len(item["examples"]) == 12, item["id"]
        assert all(("context" in example) == (item["kind"] == "grounded") for example in item["examples"])


def test_the_starter_library_could_be_contributed_as_it_is() -> None:
    starter = paths.resources() / "taxonomy"

    assert check_paths([starter], "contribution") == []
    kinds = {read_leaf(file.parent).kind for file in starter.rglob("qna.yaml")}
    assert kinds == set(LeafKind)
    for file in (starter / "knowledge").rglob("qna.yaml"):
        leaf = read_leaf(file.parent)
        document = "".join(path.read_text(encoding="utf-8") for path in file.parent.glob("*.md"))
        assert all(example.context in document for example in leaf.seed_examples)
