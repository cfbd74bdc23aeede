"""All lines are done exactly when the saved lesson has no errors."""

from __future__ import annotations

import itertools
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind, Pair
from lab_desktop.editing import lesson as edit
from lab_desktop.editing.checklist import checklist, gauge, next_action
from lab_desktop.editing.folder import files_of, write_file
from lab_desktop.editing.lesson import Field, Lesson, Mark
from lab_desktop.taxonomy.check import check_leaf, has_errors
from tests.editing.lessons import Change, changes, new, whole

_NUMBERS = itertools.count()


def errors(lesson: Lesson, root: Path, mode: str) -> list[str]:
    """What `lab-desktop check` says about the lesson when it is written."""
    folder = root / str(next(_NUMBERS)) / Path(*lesson.node)
    for name, text in files_of(lesson, folder).items():
        write_file(folder, name, text)
    found = check_leaf(folder, mode)  # type: ignore[arg-type]
    shutil.rmtree(root)
    return [str(problem) for problem in found if problem.severity == "error"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LeafKind), st.booleans(), st.lists(changes(), max_size=8))
def test_all_lines_are_done_exactly_when_the_check_has_no_errors(
    tmp_path: Path, kind: LeafKind, from_whole: bool, steps: list[Change]
) -> None:
    lesson = whole(kind) if from_whole else new(kind)
    for step in steps:
        lesson = step(lesson)

    found = errors(lesson, tmp_path / "t", "contribution")

    lines = checklist(lesson)
    assert all(line.done for line in lines) == (found == []), (found, [line.next for line in lines])
    if not found:
        assert errors(lesson, tmp_path / "t", "file") == []
    for line in lines:
        assert line.done == (line.missing == 0) == (line.next == "")
        if line.field.example:
            lesson.example(line.field.example)
        if line.field.pair:
            lesson.pair(line.field.pair)


@pytest.mark.parametrize("kind", LeafKind)
def test_a_whole_lesson_is_green_and_says_what_comes_next(kind: LeafKind, tmp_path: Path) -> None:
    assert [line.key for line in checklist(whole(kind)) if not line.done] == []
    assert errors(whole(kind), tmp_path / "t", "contribution") == []
    assert next_action(checklist(whole(kind))) == ("The lesson is ready: make practice questions.", None)


def test_what_is_missing_is_said_with_its_number_and_place() -> None:
    lesson = whole()
    gone = lesson.examples[3]
    lesson = edit.remove_pair(edit.remove_pair(lesson, gone.pairs[0].id), gone.pairs[1].id)
    lesson = edit.with_text(lesson, Field("answer", pair=lesson.examples[1].pairs[2].id), "")

    questions = next(line for line in checklist(lesson) if line.key == "questions")

    assert (questions.done, questions.missing) == (False, 3)
    assert questions.next == "Add 2 more questions to passage 4."
    assert questions.field == Field("pairs", gone.id)
    assert next_action(checklist(lesson)) == (questions.next, questions.field)
    lesson = edit.add_pairs(lesson, gone.id, [Pair("a?", "b"), Pair("c?", "d")], Mark.SUGGESTED)
    again = next(line for line in checklist(lesson) if line.key == "questions")
    assert again.next == "Accept or add 2 more questions to passage 4."
    filled = edit.add_pairs(lesson, gone.id, [Pair("e?", "b"), Pair("f?", "d")])
    third = next(line for line in checklist(filled) if line.key == "questions")
    assert third.next == "Passage 2, question 3 has no answer yet."
    assert third.field == Field("answer", filled.examples[1].id, filled.examples[1].pairs[2].id)


def test_an_empty_lesson_says_everything_that_is_missing() -> None:
    lines = {line.key: line for line in checklist(new())}

    assert [key for key, line in lines.items() if line.done] == ["place", "questions"]
    assert lines["passages"].next == "Add 5 more passages."
    assert lines["documents"].next == "Drop the document here, or paste its text."
    assert lines["about"].missing == 2
    skill = {line.key: line for line in checklist(new(LeafKind.FREEFORM_SKILL))}
    assert skill["examples"].next == "Add 5 more examples."


def test_facts_in_a_place_for_skills_are_told() -> None:
    lost = edit.Lesson(LeafKind.KNOWLEDGE, ("compositional_skills", "x"))

    assert not checklist(lost)[0].done
    assert "place is for skills" in checklist(lost)[0].next


def test_the_same_example_twice_is_told_where_it_is() -> None:
    lesson = whole(LeafKind.FREEFORM_SKILL)
    first = lesson.examples[0].pairs[0]
    lesson = edit.add_example(lesson, "", [Pair(first.question, first.answer)])

    line = next(line for line in checklist(lesson) if line.key == "examples")

    assert line.next == "Example 6 is there twice: change it, or take it out."
    assert line.field.example == lesson.examples[5].id


def test_the_gauges_follow_the_guide() -> None:
    levels = [gauge("word " * count).level for count in (0, 10, 39, 40, 500, 501)]

    assert levels == ["empty", "short", "short", "good", "good", "long"]
    assert gauge("word " * 250).share == 0.5


def test_the_checklist_is_quick_enough_for_every_letter() -> None:
    lesson = whole()
    checklist(lesson)
    start = time.thread_time()
    for _ in range(10):
        checklist(lesson)

    assert (time.thread_time() - start) / 10 < 0.1
    assert not has_errors([])


def test_a_document_that_was_emptied_is_missing_in_the_folder_and_in_the_list(tmp_path: Path) -> None:
    lesson = edit.with_text(whole(), Field("document", document="velmora.md"), " \n")

    assert [line.key for line in checklist(lesson) if not line.done] == ["documents"]
    assert [text for text in errors(lesson, tmp_path / "t", "contribution") if "velmora.md" in text] != []
    gone = edit.remove_document(whole(), "velmora.md")
    assert [line.key for line in checklist(gone) if not line.done] == ["documents"]
    assert errors(gone, tmp_path / "t", "file") != []


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_attribution_of_blanks_is_none(tmp_path: Path, text: str) -> None:
    lesson = edit.with_text(whole(), Field("attribution"), text)

    assert [line.key for line in checklist(lesson) if not line.done] == ["licence"]
    assert len(errors(lesson, tmp_path / "t", "contribution")) == 1
    assert errors(lesson, tmp_path / "t", "file") == []


@pytest.mark.parametrize("kind", LeafKind)
def test_an_empty_card_or_passage_does_not_count(kind: LeafKind) -> None:
    lesson = edit.add_example(edit.remove_example(whole(kind), whole(kind).examples[2].id))

    short = next(line for line in checklist(lesson) if line.key in ("passages", "examples"))

    assert len(lesson.examples) == 5
    assert (short.missing, short.field) == (1, Field("examples"))
