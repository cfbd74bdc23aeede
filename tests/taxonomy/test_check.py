"""What is wrong is said with its line and what to do; that the verdict is InstructLab's is for test_contract.py."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab_desktop.taxonomy.check import Problem, check_leaf, check_paths, has_errors
from tests.taxonomy.leaves import MIXED, SAME_QUESTION, TWINS, VERSION, answered, knowledge, skill, swapped, write

ANSWER = "seed_examples[2].questions_and_answers[1].answer"
LAST = knowledge().count("\n") + 1


def only(path: Path, mode: str = "file") -> Problem:
    """The one error of a leaf."""
    found = [problem for problem in check_leaf(path, mode) if problem.severity == "error"]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "line", "field", "message", "hint"),
    [
        (answered('""'), 27, ANSWER,
         "Example 3, question 2: the answer is empty.", "Write it."),
        (answered("Yes"), 27, ANSWER, "is Yes without quotes", 'answer: "Yes"'),
        (answered("12:30"), 27, ANSWER, "the number 750", '"12:30"'),
        (answered("2024-01-01"), 27, ANSWER, "a date", "in quotes"),
        (answered("#tag"), 27, ANSWER, "what follows # is a comment", "quotes"),
        (answered("@home"), 27, "", 'cannot start with "@"', "in quotes"),
        (answered("*x"), 27, "", 'cannot start with "*"', "in quotes"),
        (answered("!x"), 27, "", 'cannot start with "!"', "in quotes"),
        (answered("a: b: c"), 27, "", "A text with a colon must be in quotes.", "in quotes"),
        (swapped(knowledge(), '        answer: "Fact 21."', '\tanswer: "x"'), 27, "", "indented with a tab", "blanks"),
        (answered('"\x07"'), 27, "", "control character (U+0007)", "Delete"),
        (answered('"é"').encode("latin-1"), 27, "", "A character here is not UTF-8.", "UTF-8"),
        (skill(4), 4, "seed_examples", "examples (seed_examples) are only 4; at least 5 are needed.", "Add 1 more."),
        (knowledge() + 'hue: "x"\n', LAST, "hue", 'The field "hue" does not belong there.', "spelling"),
        (TWINS, 7, "seed_examples[1]", "Example 2 is the same as example 1.", "Change one"),
        (swapped(skill(), 'created_by: "jane"\n', ""), 1, "created_by", "The author (created_by) is missing.", "Add"),
        (swapped(skill(), VERSION, "version: 9\n"), 1, "version", "The version 9 is not known.", "version: 3"),
        (knowledge() + 'domain: "x"\n', LAST, "", "A field is written twice", "only the last would count"),
    ],
)  # fmt: skip
def test_problems_say_where_what_and_what_to_do(text, line, field, message, hint, tmp_path):
    problem = only(write(tmp_path, text))

    assert (problem.line, problem.field) == (line, field)
    assert message in problem.message
    assert hint in problem.hint


def test_an_open_quote_is_reported(tmp_path):
    text = skill().removesuffix('"\n') + "\n"
    problem = only(write(tmp_path, text))

    assert problem.line == text.count("\n")
    assert "never closed" in problem.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MIXED, "Example 1: the context is missing, though other examples have one."),
        (answered('" "'), "Example 3, question 2: the answer is only blanks."),
        (answered('"\\u200b"'), "only blanks"),
        (answered('"\\ud83d"'), "half a character"),
        (skill(version=1) + 'task_description: "x"\n', "written twice"),
    ],
)
def test_where_we_are_stricter_it_is_marked_as_ours(text, says, tmp_path):
    problem = only(write(tmp_path, text))

    assert problem.ours
    assert says in problem.message


def test_a_missing_document_is_an_error_that_says_what_to_do(tmp_path):
    problem = only(write(tmp_path, knowledge(), document=False))

    assert problem.ours
    assert problem.field == "document.patterns"
    assert "beside qna.yaml" in problem.hint


def test_a_contribution_needs_an_attribution_that_says_something(tmp_path):
    write(tmp_path, knowledge())
    assert "no attribution.txt" in only(tmp_path, "contribution").message

    (tmp_path / "attribution.txt").touch()
    assert "is empty" in only(tmp_path, "contribution").message

    (tmp_path / "attribution.txt").write_text("My own\n")
    assert check_leaf(tmp_path, "contribution") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (swapped(knowledge(), "Bay 2 has a pier.", "word " * 501), "Example 3: the context has 501 words"),
        (swapped(skill(), "Number 2.", "word " * 251), "Example 3 has 254 words"),
        (knowledge(pairs=4), "Example 1: the questions are 4; the teacher is shown the first 3"),
        (SAME_QUESTION, "Example 2: the question is nearly the same as"),
        ("", "draft"),
    ],
)
def test_advice_is_no_error(text, says, tmp_path):
    problems = check_leaf(write(tmp_path, text))

    assert not has_errors(problems)
    assert says in problems[0].message


def test_a_whole_tree_is_checked_and_misnamed_files_are_pointed_out(tmp_path):
    write(tmp_path / "knowledge" / "good", knowledge())
    bad = write(tmp_path / "compositional_skills" / "bad", skill(4))
    (tmp_path / "knowledge" / "qna.yml").write_text(knowledge())

    problems = check_paths([tmp_path])

    assert [problem.file for problem in problems] == [tmp_path / "knowledge" / "qna.yml", bad]
    assert "Rename" in check_paths([tmp_path / "knowledge" / "qna.yml"])[0].hint
    assert "does not exist" in check_paths([tmp_path / "nowhere"])[0].message


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a [*a]\n",
        "a: &a {<<: *a}\n",
        "[" * 100_000,
        "a: " + "{a: " * 60 + "}" * 60,
        "- " * 100_000,
        "x" * 5_000_001,
        b"\0" * 1000,
        bytes(range(256)),
        skill() + "".join(f'  - question: "{n}"\n    answer: "{n}"\n' for n in range(2_000)),
    ],
    ids=["bomb", "loop", "merge loop", "brackets", "braces", "hyphens", "huge", "zeros", "bytes", "long"],
)
def test_hostile_files_get_a_quick_answer(text, tmp_path):
    expected_error = not isinstance(text, str) or not text.startswith("version")
    file = write(tmp_path, text)

    start = time.thread_time()
    problems = check_leaf(file)

    assert time.thread_time() - start < 10
    assert has_errors(problems) is expected_error
