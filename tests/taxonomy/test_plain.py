"""What the window says of a problem: never in the words of the file, whatever is wrong with it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop import paths
from lab_desktop.artifacts import LeafKind
from lab_desktop.editing.checklist import checklist
from lab_desktop.editing.notices import notices
from lab_desktop.taxonomy.advice import MOST_CONTEXT_WORDS, MOST_PAIR_WORDS
from lab_desktop.taxonomy.check import Mode, Problem, check_leaf, check_paths, inspect_text
from lab_desktop.taxonomy.words import LINT
from lab_desktop.ui.pages.library.sight import look_into
from tests.editing.lessons import Change, changes, new

JARGON = re.compile(
    r"yaml|json|schema|utf-?8|\\b(?:keys?|fields?|null|none|strings?|integer|boolean|list|repo(?:sitory)?|commits?|"
    r"patterns?|seed|qna|leaf|node|lint|parse\w*|anchors?|indent\w*|version:|true|false)\b|[a-z]_[a-z]|[{}\[\]]|\\u",
    re.IGNORECASE,
)
FACTS: dict[str, Any] = yaml.safe_load((paths.resources() / "practice" / "velmora" / "qna.yaml").read_text("utf-8"))
SKILL: dict[str, Any] = {
    "version": 3,
    "created_by": "mara",
    "task_description": "Shout a text.",
    "seed_examples": [
        {"question": f"Shout: {word}", "answer": word.upper()} for word in ("a", "cat", "tea", "my", "x")
    ],
}


def assert_plain(problems: list[Problem]) -> None:
    for problem in problems:
        assert problem.plain[-1] in ".…", problem
        assert problem.plain[0] == problem.plain[0].upper(), problem
        assert not JARGON.search(problem.plain), f"{problem.plain!r} ← {problem.message}"


def problems_of(value: Any, root: str = "knowledge", mode: Mode = "contribution") -> list[Problem]:
    text = value if isinstance(value, str) else yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    return list(inspect_text(text, Path(root, "velmora", "qna.yaml"), mode).problems)


def changed(value: Any, *steps: str | int, to: Any) -> Any:
    made = copy.deepcopy(value)
    place = made
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = to
    return made


def without(value: Any, *steps: str | int) -> Any:
    made = copy.deepcopy(value)
    place = made
    for step in steps[:-1]:
        place = place[step]
    del place[steps[-1]]
    return made


EX, QA = "seed_examples", "questions_and_answers"
PAIRS = FACTS[EX][0][QA]
LONG, WORDS = (
    "word " * (MOST_CONTEXT_WORDS + 1),
    f"{MOST_CONTEXT_WORDS + 1} words; up to {MOST_CONTEXT_WORDS} work well.",
)
FOURTH = {"question": "A b c?", "answer": "D."}
SAID = [
    (without(FACTS, "created_by"), "Its author is missing."),
    (without(FACTS, "domain"), "Its subject is missing."),
    (without(FACTS, "document_outline"), "The description of the text is missing."),
    (without(FACTS, "document"), "The source of its text is missing."),
    (without(FACTS, EX, 2, "context"), "Passage 3 is missing."),
    (without(FACTS, EX, 0, QA, 1, "answer"), "Passage 1, question 2: the answer is missing."),
    (changed(FACTS, "version", to=2), "It has an old form, in which questions have no passages."),
    (changed(FACTS, "version", to="3"), "It is written in an older form."),
    (changed(FACTS, "created_by", to=12), "Its author cannot be read as written."),
    (changed(FACTS, "created_by", to=None), "Its author is empty."),
    (changed(FACTS, "domain", to=""), "Its subject is empty."),
    (changed(FACTS, "domain", to="  "), "Its subject is still empty."),
    (changed(FACTS, "domain", to="x\ud800"), "Its subject has a broken character."),
    (changed(FACTS, "colour", to="blue"), "“colour” does not belong there."),
    (changed(FACTS, EX, 1, "colour", to="blue"), "“colour” does not belong to passage 2."),
    (changed(FACTS, EX, to="none"), "The examples cannot be read as written."),
    (changed(FACTS, EX, to=FACTS[EX][:4]), "It has 4 passages; at least 5 are needed."),
    (changed(FACTS, EX, 4, QA, to=PAIRS[:1]), "Passage 5 has 1 question; at least 3 are needed."),
    (changed(FACTS, EX, 3, to=FACTS[EX][0]), "Passage 4 is the same as passage 1."),
    (changed(FACTS, "document", "patterns", to=[]), "No text is named to learn from."),
    (changed(FACTS, "document", "repo", to=""), "The place where its text is published is empty."),
    (changed(FACTS, EX, 0, "context", to=LONG), f"Passage 1 has {WORDS}"),
    (changed(FACTS, EX, 0, QA, 0, "answer", to="word " * MOST_PAIR_WORDS), None),
    (
        changed(FACTS, EX, 0, QA, to=[*PAIRS, FOURTH]),
        "Passage 1: the questions are 4; the teacher is shown the first 3.",
    ),
    (changed(FACTS, EX, 1, QA, 0, "question", to=PAIRS[0]["question"] + "!"), None),
    ("", "Nothing is written yet."),
    ("- 1\n- 2\n", "There is nothing of a lesson in the lesson file."),
    ("a: b: c\n", "The lesson file cannot be read (line 1)."),
    ("a: *b\n", "The lesson file cannot be read (line 1)."),
    (yaml.safe_dump(FACTS) + "domain: x\n", None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "said"), SAID)
def test_a_problem_of_facts_is_said_in_plain_words(value: Any, said: str | None) -> None:
    found = problems_of(value)

    assert_plain(found)
    assert found
    assert said is None or said in [problem.plain for problem in found]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (without(SKILL, "task_description"), "The description of the skill is missing."),
        (without(SKILL, "version"), "It is written in an older form."),
        (changed(SKILL, "version", to=99), "It is written in an older form."),
        (
            changed(SKILL, EX, 1, "context", to="m"),
            "Example 1: the material is missing, though other examples have some.",
        ),
        (changed(SKILL, EX, 1, "answer", to=None), "Example 2: the answer is empty."),
        (changed(SKILL, EX, to=SKILL[EX][:1]), "It has 1 example; at least 5 are needed."),
    ],
)  # fmt: skip
def test_a_problem_of_a_skill_is_said_in_plain_words(value: Any, said: str) -> None:
    found = problems_of(value, "compositional_skills")

    assert_plain([*found, *problems_of(value, "compositional_skills", "file")])
    assert said in [problem.plain for problem in found]


def test_every_rule_of_the_layout_is_said_in_plain_words() -> None:
    text = yaml.safe_dump(FACTS).replace("\ndomain", "  \n\n\n\n\ndomain").replace("version: 3", "version:   3 ")
    odd = f"a: &x [ 1  ,2 ]\nb: {{  c: 1 }}\n-  d\n\r\n{text}"

    found = [
        *problems_of(text, mode="file"),
        *problems_of(odd, mode="file"),
        *problems_of("a:\n-   b\n   \nc: 1", mode="file"),
    ]

    assert_plain(found)
    assert sum(problem.layout for problem in found) >= 3
    assert all(isinstance(hint, str) for _, hint in LINT.values())


def test_what_is_said_of_a_folder_is_plain(tmp_path: Path) -> None:
    bare, empty, alone = (tmp_path / "knowledge" / name for name in ("bare", "empty", "alone"))
    for folder in (bare, empty, alone):
        folder.mkdir(parents=True)
    (bare / "qna.yml").touch()
    (empty / "qna.yaml").write_bytes(b"\xff\xfe")
    (alone / "qna.yaml").write_text(yaml.safe_dump(FACTS), encoding="utf-8")
    (alone / "attribution.txt").touch()

    found = [*check_paths([tmp_path], "contribution"), *check_paths([tmp_path / "none"]), *check_leaf(bare)]

    assert_plain(found)
    assert len(found) >= 5
    assert look_into(alone).missing == ("There is no document beside it yet.",)
    assert all(not JARGON.search(said) for folder in (bare, empty) for said in look_into(folder).missing)


def places(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*steps, step)
        yield from places(item, (*steps, step))


ODD = [None, "", " ", 12, 3.5, True, [], {}, [1], {"x": 1}, "x\ud800", "word " * 600, ["a", "a"]]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([FACTS, SKILL]),
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from(ODD)), min_size=1, max_size=3),
)
def test_whatever_is_put_into_a_file_the_window_speaks_plainly(value: Any, strokes: list[tuple[int, Any]]) -> None:
    made = copy.deepcopy(value)
    for number, odd in strokes:
        if not isinstance(made, dict) or not (found := list(places(made))):
            continue
        made = changed(made, *found[number % len(found)], to=odd)

    assert_plain(problems_of(made, "knowledge" if value is FACTS else "compositional_skills"))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(LeafKind), st.lists(changes(), max_size=8))
def test_whatever_is_written_in_the_editor_its_lines_and_cards_speak_plainly(
    kind: LeafKind, steps: list[Change]
) -> None:
    lesson = new(kind)
    for step in steps:
        lesson = step(lesson)

    said = [text for line in checklist(lesson) for text in (line.words, line.next)]
    said += [notice.words for each in notices(lesson).values() for notice in each]

    assert [text for text in said if JARGON.search(text)] == []
