"""Undo and redo."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.artifacts import LeafKind
from lab_desktop.editing.history import PAUSE_S, History, Step
from lab_desktop.editing.lesson import Field, with_text
from tests.editing.lessons import Change, changes, new, whole


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LeafKind), st.lists(st.one_of(changes(), st.sampled_from(["undo", "redo"])), max_size=25))
def test_undo_of_everything_is_the_beginning_and_redo_of_everything_the_end(
    kind: LeafKind, steps: list[Change | str]
) -> None:
    start = whole(kind)
    history = History([Step(start)])
    model, undone = [start], []
    for step in steps:
        if step == "undo":
            history.undo()
            if len(model) > 1:
                undone.append(model.pop())
        elif step == "redo":
            history.redo()
            if undone:
                model.append(undone.pop())
        else:
            after = step(history.lesson)  # type: ignore[operator]
            history.add(Step(after))
            if after != model[-1]:
                model.append(after)
                undone = []
        assert history.lesson == model[-1]

    while history.undo():
        pass
    assert history.lesson == start
    while history.redo():
        pass
    assert history.lesson == [*model, *reversed(undone)][-1]


def typed(history: History, text: str, at: float, field: Field | None = None) -> None:
    field = field or Field("domain")
    history.add(Step(with_text(history.lesson, field, text), "typing", field, is_typing=True, at=at))


def test_typing_is_one_step_until_a_pause_or_another_field() -> None:
    history = History([Step(new())])
    for number, text in enumerate(("I", "Is", "Isl")):
        typed(history, text, number * 0.5)
    typed(history, "Isle", 1 + PAUSE_S + 0.01)
    typed(history, "jane", 3.5, Field("created_by"))
    history.pause()
    typed(history, "janet", 3.6, Field("created_by"))

    seen = [(history.lesson.domain, history.lesson.created_by)]
    while history.undo():
        seen.append((history.lesson.domain, history.lesson.created_by))

    assert seen == [("Isle", "janet"), ("Isle", "jane"), ("Isle", ""), ("Isl", ""), ("", "")]


def test_typing_after_undo_does_not_eat_the_step_before() -> None:
    history = History([Step(new())])
    typed(history, "a", 0)
    typed(history, "ab", PAUSE_S + 1)
    history.undo()
    typed(history, "ac", PAUSE_S + 1.1)

    history.undo()

    assert history.lesson.domain == "a"
    assert history.redoes is not None and history.redoes.lesson.domain == "ac"


def test_a_step_that_changes_nothing_is_none() -> None:
    history = History([Step(new())])
    typed(history, "a", 0)
    typed(history, "a", PAUSE_S + 1)
    history.add(Step(with_text(history.lesson, Field("domain"), "a"), "typing"))

    history.undo()

    assert history.lesson == new()
    assert history.undoes is None
    history.add(Step(history.lesson))
    assert history.redoes is not None
