"""generation/slots.py, checks.check_sources, writing.answer_tasks: skills whose answers follow from their tasks."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_desktop.artifacts import Leaf, LeafKind, Pair, Sample, SeedExample
from lab_desktop.generation.pipeline import generate, read_samples
from lab_desktop.generation.seeds import Material
from lab_desktop.generation.slots import templates
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request
from tests.fakes import FakeTeacher

NOTES = (
    ("Book this: Mark paid 12 euros for a taxi.", "Expense: taxi; 12 EUR; Mark"),
    ("Book this: The flowers cost Helen 20 pounds.", "Expense: flowers; 20 GBP; Helen"),
    ("Book this: For a parking ticket, Tom spent 5 euros.", "Expense: parking ticket; 5 EUR; Tom"),
    ("Book this: Ida bought a train ticket for 34 pounds.", "Expense: train ticket; 34 GBP; Ida"),
    ("Book this: Please give Paul 8 euros back for the coffee.", "Expense: coffee; 8 EUR; Paul"),
)
NAMES = ("Nora", "Felix", "Anna-Maria", "the bank", "42", "a very long list of names that goes on")
THINGS = ("kettle", "garden hose", "Lamp", "", "two\nlines", "chair")


def skill(*pairs: tuple[str, str], name: str = "expense", context: str = "") -> Leaf:
    kind = LeafKind.GROUNDED_SKILL if context else LeafKind.FREEFORM_SKILL
    examples = tuple(SeedExample((Pair(question, answer),), context) for question, answer in pairs)
    return Leaf(("compositional_skills", name), Path(), kind, 3, "me", examples, "Book expenses.")


def read_note(question: str) -> str:
    """The right line for a note in one of the five forms."""
    forms = (
        r"Book this: (?P<who>.+) paid (?P<sum>\d+) (?P<unit>\w+) for a (?P<what>.+)\.",
        r"Book this: The (?P<what>.+) cost (?P<who>.+) (?P<sum>\d+) (?P<unit>\w+)\.",
        r"Book this: For a (?P<what>.+), (?P<who>.+) spent (?P<sum>\d+) (?P<unit>\w+)\.",
        r"Book this: (?P<who>.+) bought a (?P<what>.+) for (?P<sum>\d+) (?P<unit>\w+)\.",
        r"Book this: Please give (?P<who>.+) (?P<sum>\d+) (?P<unit>\w+) back for the (?P<what>.+)\.",
    )
    found = next(match for form in forms if (match := re.fullmatch(form, question)))
    unit = {"euros": "EUR", "pounds": "GBP"}[found["unit"]]
    return f"Expense: {found['what']}; {found['sum']} {unit}; {found['who']}"


def clerk(request: Request) -> Reply | str:
    """Continues lists, judges nothing, writes no tasks of its own, and books every note in euros to Paul."""
    asked = request.messages[-1].content
    if request.choices:
        return Reply(request.choices[0], "stop", probabilities=(1 / len(request.choices),) * len(request.choices))
    if "same kind" in asked:
        return json.dumps({"rows": NAMES if "Mark" in request.messages[2].content else THINGS})
    if request.schema:
        return json.dumps({"rows": []})
    return "Expense: coffee; 8 EUR; Paul"


def careful(request: Request) -> Reply | str:
    """Books every note right, but for kettles."""
    asked = request.messages[-1].content
    if request.choices or request.schema:
        return clerk(request)
    return "Expense: nothing" if "kettle" in asked else read_note(asked)


def multiply(folder: Path, leaf: Leaf, teacher: FakeTeacher, wanted: int = 30) -> list[Sample]:
    with Run(folder).open() as run:
        return generate([Material(leaf)], teacher, wanted, 0, run)


def test_slots_are_what_the_answer_copies_from_the_task() -> None:
    found = templates(skill(*NOTES))

    assert [template.values for template in found.values()] == [
        ("taxi", "12", "Mark"),
        ("flowers", "20", "Helen"),
        ("parking ticket", "5", "Tom"),
        ("train ticket", "34", "Ida"),
        ("coffee", "8", "Paul"),
    ]
    assert found[1].filled(("gloves", "3", "Uwe")) == (
        "",
        "Book this: The gloves cost Uwe 3 pounds.",
        "Expense: gloves; 3 GBP; Uwe",
    )


def test_every_filled_example_has_the_right_answer_also_where_the_teacher_has_none(tmp_path: Path) -> None:
    rows = [row for row in multiply(tmp_path, skill(*NOTES), FakeTeacher(clerk)) if row.accepted]

    assert len(rows) >= 30
    assert all(row.answer == read_note(row.question) for row in rows)
    assert len({row.question for row in rows}) == len(rows)
    said = " ".join(row.answer for row in rows)
    assert all(word in said for word in ("Nora", "Felix", "Anna-Maria", "kettle", "garden hose", "GBP", "EUR"))
    assert not any(word in said for word in ("the bank", "42;", "very long", "Lamp", "lines"))
    assert {row.seed_example for row in rows} == {0, 1, 2, 3, 4}


def test_a_teacher_that_does_the_persons_tasks_decides_about_filled_ones(tmp_path: Path) -> None:
    rows = multiply(tmp_path, skill(*NOTES), FakeTeacher(careful))

    assert {row.stage for row in rows if "kettle" in row.question} <= {"agreement", "duplicate"}
    assert any(row.stage == "agreement" for row in rows)
    assert all(row.scores["agreement"] == 1.0 for row in rows if row.accepted)


def test_a_resumed_run_fills_the_same_words_in(tmp_path: Path) -> None:
    whole = multiply(tmp_path / "whole", skill(*NOTES), FakeTeacher(clerk), 90)

    first = multiply(tmp_path / "resumed", skill(*NOTES), FakeTeacher(clerk), 20)
    second = multiply(tmp_path / "resumed", skill(*NOTES), FakeTeacher(clerk), 90)

    assert len(first) < len(second)
    assert second == whole == read_samples(Run(tmp_path / "resumed"))


@pytest.mark.parametrize(
    "pairs",
    [
        [
            (f"Sort these: {task}", " < ".join(sorted(task.split(", "))))
            for task in ("fig, ash", "oak, elm", "yew, box")
        ],
        [(f"Sort:\n- {one}\n- {two}", f"- {two}\n- {one}") for one, two in (("fig", "ash"), ("oak", "elm"))],
        [(f'Sort {{"{one}" & "{two}"}}', f"{two}, {one}") for one, two in (("fig", "ash"), ("oak", "elm"))],
        [("Which is bigger, 4 or 9?", "9"), ("Which is bigger, 8 or 3?", "8"), ("Which is bigger, 1 or 2?", "2")],
        [("Is Rome or Oslo older?", "Rome"), ("Older: Ulm or Bonn?", "Bonn"), ("Is Lyon older, or Nice?", "Nice")],
        [("Longest: pear, fig, currant", "currant"), ("Longest: elm, chestnut", "chestnut")],
        [("Sort carrot", "carrot: root"), ("Sort leek", "leek: leaf"), ("Sort beet", "beet: root")],
        [
            ("Ada ordered for 120 euros.", "Total 120: free shipping"),
            ("An order of 30 euros by Bo.", "Total 30: paid shipping"),
            ("Cy buys for 200 euros.", "Total 200: free shipping"),
            ("Dan pays 10 euros.", "Total 10: paid shipping"),
        ],
        [("Letters of Ada?", "Ada has 3 letters"), ("Letters of Bob?", "Bob has 3 letters")],
        [("New user Ada Hill", "Ada Hill, ada.hill"), ("New user Bo Moor", "Bo Moor, bo.moor")],
        [("Ada Hill called. Ada waits.", "Ada Hill"), ("Bo Moor called. Bo waits.", "Bo Moor")],
        [("दिल्ली से आया पत्र", "दिल्ली"), ("मुंबई से आया पत्र", "मुंबई")],
        [("\uf8ff, Mark paid 3 euros.", "Mark: 3"), ("\ue000, Tom paid 5 euros.", "Tom: 5")],
        [
            ("Write a poem on rain.", "Drops on tin."),
            ("Write a poem on ice.", "Still water."),
            ("A poem.", "No words."),
        ],
        [("Shout this: come", "COME"), ("Shout this: stay", "STAY"), ("Shout this: wait", "WAIT")],
    ],
)
def test_an_answer_that_may_depend_on_what_is_filled_in_has_no_slots(pairs: list[tuple[str, str]]) -> None:
    assert templates(skill(*pairs)) == {}


def test_of_several_numbers_none_is_filled_in() -> None:
    pairs = [
        (f"{who} has {count} hens and {more} goats. Who has the hens?", f"{who}: {count} hens")
        for who, count, more in (("Ada", "three", 2), ("Bo", 8, 1), ("Cy", 5, "six"))
    ]

    assert [template.values for template in templates(skill(*pairs)).values()] == [("Ada",), ("Bo",), ("Cy",)]


def test_endless_examples_have_no_slots_and_take_no_time() -> None:
    endless = " ".join(f"word{number}" for number in range(50_000))
    began = time.monotonic()

    assert templates(skill((endless, endless), (endless, endless))) == {}
    assert templates(skill(("a" * 7_000, "a"), ("b" * 7_000, "b"))) == {}
    assert time.monotonic() - began < 20  # minutes, without a limit


def test_numbers_stay_as_the_persons_are(tmp_path: Path) -> None:
    for sums in ("0", "0"), ("007", "12"), ("3.50", "7.25"), ("5", "34"):
        leaf = skill(*((f"Mark spent {each} euros.", f"Sum: {each} EUR") for each in sums))
        rows = multiply(tmp_path / "-".join(sums), leaf, FakeTeacher(clerk), 8)
        found = {row.answer.split()[1] for row in rows if "#slots" in row.id}
        assert found <= set(sums) or (sums == ("5", "34") and all(5 <= int(each) <= 34 for each in found))


def test_a_grounded_skill_is_filled_in_its_material() -> None:
    context = "Dear all, we meet in {} on {}."
    examples = tuple(
        SeedExample((Pair("Where and when?", f"{day}: {place}"),), context.format(place, day))
        for place, day in (("Oslo", "Monday"), ("Rome", "Friday"), ("Bonn", "Sunday"))
    )
    leaf = Leaf(("compositional_skills", "meet"), Path(), LeafKind.GROUNDED_SKILL, 3, "me", examples, "Say where.")

    assert templates(leaf)[0].filled(("Tuesday", "Ulm")) == (
        "Dear all, we meet in Ulm on Tuesday.",
        "Where and when?",
        "Tuesday: Ulm",
    )


@given(
    st.lists(st.tuples(st.text("ab Ä1,.:\n\ue000\u0301", max_size=30), st.text("ab Ä1,.: ", max_size=20)), min_size=2)
)
def test_any_examples_filled_with_their_own_words_are_themselves(pairs: list[tuple[str, str]]) -> None:
    leaf = skill(*pairs)
    for number, template in templates(leaf).items():
        assert template.filled(template.values)[1:] == pairs[number]


def test_an_answer_with_a_word_of_an_example_is_dropped_and_the_majority_counts(tmp_path: Path) -> None:
    def forgetful(request: Request) -> Reply | str:
        asked = request.messages[-1].content
        if request.schema and "same kind" not in asked:
            return json.dumps({"rows": [f"Book this: Uwe paid {request.seed % 1000} euros for a {THINGS[0]}."]})
        if request.choices or request.schema:
            return clerk(request)
        # What is shown last colours the reply; or it is always Helen.
        right = read_note(asked)
        last = request.messages[-2].content.rpartition("; ")[2]
        number = int(re.findall(r"\d+", asked)[0])
        return right if number % 3 == 0 else right.replace("Uwe", last if number % 3 == 1 else "Helen")

    rows = [row for row in multiply(tmp_path, skill(*NOTES), FakeTeacher(forgetful)) if "#slots" not in row.id]

    stages = {int(re.findall(r"\d+", row.question)[0]) % 3: row.stage for row in rows if row.stage != "duplicate"}
    assert stages == {0: "accepted", 1: "agreement", 2: "sources"}
