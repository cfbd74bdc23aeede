"""generation/facts.py: a document fact by fact, each fact in many wordings, nothing kept that is not answered alike."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lab_desktop.artifacts import Sample
from lab_desktop.errors import Cancelled
from lab_desktop.files import read_json
from lab_desktop.generation.pipeline import enough, funnel, generate, read_samples
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request
from tests.fakes import FakeTeacher
from tests.generation.leaves import ISLAND, knowledge

SPANS = ("1811", "Mira Tell", "31 metres", "fish oil", "forty boats", "green", "Jon Vale", *map(str, range(100, 115)))
WAYS = ("Say, what of Orra", "Which part of Orra", "Tell me what of Orra", "Name what of Orra")


def taught(request: Request) -> Reply | str:
    """A teacher that learned the terse tasks; its questions carry the fact they ask for, coded so as not to tell it."""
    asked = request.messages[-1].content
    sentence = re.search(r"^Sentence: (.*)$", asked, re.M)
    if "List the facts" in asked:
        assert sentence is not None
        return "\n".join(span for span in SPANS if span in sentence[1])
    if answer := re.search(r"^Answer: (.*)$\nWrite \d questions", asked, re.M):
        what = f"thing {int(answer[1][1:3])}" if answer[1].endswith(" stones") else f"fact {SPANS.index(answer[1])}"
        return "\n".join(f"{way} is {what}?" for way in WAYS)
    question = re.search(r"^Question: (.*)$", asked, re.M)
    assert question is not None
    if "other ways" in asked:
        number = re.findall(r"\d+", question[1])[-1]
        return "\n".join(f"{way} is thing {number}?" for way in WAYS[1:])
    number = int(re.findall(r"\d+", question[1])[-1])
    said = f"{100 + number} stones" if "thing" in question[1] else SPANS[number]
    return f"It is {said}." if "full sentence" in asked else said


def multiply(folder: Path, teacher: FakeTeacher, wanted: int = 0) -> list[Sample]:
    with Run(folder).open() as run:
        return generate([knowledge()], teacher, wanted, 0, run)


def test_every_fact_of_every_passage_is_asked_in_several_wordings(tmp_path: Path) -> None:
    rows = [row for row in multiply(tmp_path, FakeTeacher(taught)) if row.accepted]

    wordings = Counter(row.answer for row in rows if row.passage >= 0 and not row.id.endswith("-long"))
    assert set(wordings) == {span for span in SPANS if any(span in text for text in ISLAND)}
    assert min(wordings.values()) >= 3


def test_a_fact_of_which_no_question_was_kept_is_asked_for_once_more(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def clumsy(request: Request) -> Reply | str:
        found = re.search(r"^Answer: (.*)$\nWrite \d questions", request.messages[-1].content, re.M)
        if found and found[1] == "31 metres":
            asked[found[1]] += 1
            if asked[found[1]] == 1:
                return "Is Orra 31 metres?"
        elif found:
            asked[found[1]] += 1
        return taught(request)

    rows = multiply(tmp_path, FakeTeacher(clumsy))

    assert sum(row.accepted and row.answer == "31 metres" and "-long" not in row.id for row in rows) >= 3
    assert asked["31 metres"] == asked["1811"] + 1
    assert len({row.id for row in rows}) == len(rows)


def test_everything_is_not_asked_again_for_the_last_few_rows(tmp_path: Path) -> None:
    def draws(name: str, wanted: int) -> tuple[set[str], int]:
        rows = multiply(tmp_path / name, FakeTeacher(taught), wanted)
        return {row.id.rpartition("|")[2].partition("#")[0] for row in rows}, sum(row.accepted for row in rows)

    _, whole = draws("one", 1)
    assert draws("nearly", round(whole / 0.7))[0] == {"d0"}
    assert "d1" in draws("more", round(whole / 0.6))[0]


def test_the_persons_own_questions_are_worded_anew_and_keep_the_persons_answer(tmp_path: Path) -> None:
    rows = multiply(tmp_path, FakeTeacher(taught))

    answers = Counter(row.answer for row in rows if row.accepted and row.seed_example >= 0 and "-long" not in row.id)
    assert set(answers) == {f"{100 + thing} stones" for thing in range(15)}
    assert min(answers.values()) >= 2


def test_of_a_sentence_that_the_person_answered_the_few_words_are_asked_for_and_the_sentence_is_kept(
    tmp_path: Path,
) -> None:
    leaf = knowledge().leaf
    example = leaf.seed_examples[0]
    whole = replace(example.pairs[0], answer="Thing 0 of Orra is 100 stones.")
    example = replace(example, pairs=(whole, *example.pairs[1:]))
    material = replace(knowledge(), leaf=replace(leaf, seed_examples=(example, *leaf.seed_examples[1:])))
    with Run(tmp_path).open() as run:
        rows = generate([material], FakeTeacher(taught), 0, 0, run)

    ours = [row for row in rows if row.accepted and row.seed_example >= 0 and "100 stones" in row.answer]
    assert {row.answer for row in ours if "-long" not in row.id} == {"100 stones"}
    assert {row.answer for row in ours if "-long" in row.id} == {whole.answer}


def test_another_wording_of_the_persons_question_with_words_from_elsewhere_is_dropped(tmp_path: Path) -> None:
    def mixed_up(request: Request) -> Reply | str:
        text = taught(request)
        is_asking = "in 3 other ways" in request.messages[-1].content and isinstance(text, str)
        return f"Which stones of Orra are thing 99 or thing 2?\n{text}" if is_asking else text

    rows = [row for row in multiply(tmp_path, FakeTeacher(mixed_up)) if "thing 99" in row.question]

    dropped = {row.seed_example: row.reason for row in rows if not row.accepted and row.stage == "form"}
    assert "It asks for something else than your question: 2." in dropped.values()


def test_some_wordings_are_answered_in_a_sentence_too(tmp_path: Path) -> None:
    rows = multiply(tmp_path, FakeTeacher(taught))

    long = [row for row in rows if row.accepted and row.id.endswith("-long")]
    assert {"It is Mira Tell.", "It is 112 stones."} <= {row.answer for row in long}
    assert Counter(row.answer for row in long)["It is Mira Tell."] == 2


def test_a_question_that_is_answered_otherwise_the_second_time_is_dropped(tmp_path: Path) -> None:
    def unsure(request: Request) -> Reply | str:
        asked = request.messages[-1].content
        if "as few words" in asked and "Which part of Orra is fact 1?" in asked:
            return "fish oil"
        if "as few words" in asked and "Tell me what of Orra is fact 1?" in asked:
            return "The text does not say."
        return taught(request)

    first_draw = (row for row in multiply(tmp_path, FakeTeacher(unsure)) if "|d0#" in row.id)
    rows = {row.question: row for row in first_draw if "-long" not in row.id}

    assert rows["Say, what of Orra is fact 1?"].accepted
    for question in ("Which part of Orra is fact 1?", "Tell me what of Orra is fact 1?"):
        assert (rows[question].accepted, rows[question].stage) == (False, "round_trip")
    assert "fish oil" in rows["Which part of Orra is fact 1?"].reason


def test_a_sentence_that_says_something_else_is_dropped_and_its_question_stays(tmp_path: Path) -> None:
    def careless(request: Request) -> Reply | str:
        text = taught(request)
        return "It is a lamp." if text == "It is Mira Tell." else text

    rows = multiply(tmp_path, FakeTeacher(careless))

    assert not [row for row in rows if row.accepted and row.answer == "It is a lamp."]
    assert [row for row in rows if row.accepted and row.answer == "Mira Tell"]


def test_a_question_that_names_nothing_is_dropped(tmp_path: Path) -> None:
    def vague(request: Request) -> Reply | str:
        text = taught(request)
        is_asking = "with this answer" in request.messages[-1].content
        return f"When was it built?\n{text}" if is_asking and isinstance(text, str) else text

    rows = [row for row in multiply(tmp_path, FakeTeacher(vague)) if row.question == "When was it built?"]

    assert rows
    assert {row.reason for row in rows} == {"The question does not name what it is about."}


def test_a_span_that_is_not_in_the_sentence_is_no_fact(tmp_path: Path) -> None:
    def inventive(request: Request) -> Reply | str:
        text = taught(request)
        return f"{text}\nseven dwarfs" if "Sentence: The harbour" in request.messages[-1].content else text

    assert "seven dwarfs" not in {row.answer for row in multiply(tmp_path, FakeTeacher(inventive))}


def test_the_whole_document_is_covered_however_few_rows_are_wanted(tmp_path: Path) -> None:
    rows = multiply(tmp_path, FakeTeacher(taught), wanted=2)

    assert {row.passage for row in rows if row.accepted} == {-1, 0, 1}


def test_the_teacher_is_tested_once_and_the_result_is_kept(tmp_path: Path) -> None:
    teacher = FakeTeacher(taught)
    multiply(tmp_path, teacher)
    first = len(teacher.requests)
    multiply(tmp_path, teacher)

    assert read_json(tmp_path / "teacher.json") == {
        "teacher": "fake teacher",
        "fact_tasks_understood": 5,
        "fact_tasks_asked": 5,
    }
    assert len(teacher.requests) == first


def test_stopped_anywhere_it_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    whole = multiply(tmp_path / "whole", FakeTeacher(taught))
    for stop_after in (3, 20, 40, 80):
        teacher = FakeTeacher(taught)
        with (
            pytest.raises(Cancelled),
            Run(
                tmp_path / "cut",
                is_cancelled=lambda: len(teacher.requests) >= stop_after,  # noqa: B023
            ).open() as run,
        ):
            generate([knowledge()], teacher, 0, 0, run)

    assert multiply(tmp_path / "cut", FakeTeacher(taught)) == whole
    assert read_samples(Run(tmp_path / "cut")) == whole


def test_a_document_is_worth_rows_by_its_length(tmp_path: Path) -> None:
    assert enough(knowledge()) == 6 * 6
    multiply(tmp_path, FakeTeacher(taught))
    assert funnel(Run(tmp_path))["knowledge/orra"].kept >= enough(knowledge())
