"""evaluation/quiz.py: what is known already, told question by question, and never more than the reply shows."""

from __future__ import annotations

import pytest

from lab_desktop.artifacts import Mark, Pair
from lab_desktop.errors import Cancelled
from lab_desktop.evaluation.quiz import looked_at_again, quiz
from lab_desktop.models.text_model import Reply, Request
from tests.fakes import FakeTeacher


def marked(answer: str, reply: str, question: str = "What is told of the isle?") -> Mark:
    (mark,) = quiz([Pair(question, answer)], FakeTeacher(lambda request: reply))
    assert mark.why and mark.reply == reply
    return mark.mark


@pytest.mark.parametrize(
    ("answer", "reply", "mark"),
    [
        ("Mira Tell", "It was Mira Tell.", Mark.KNOWS),
        ("In 1811.", "It was built in 1811", Mark.KNOWS),
        ("Mira Tell, a rope maker", "It was Mira Tell.", Mark.PARTLY),
        ("The lamp burns fish oil in a copper bowl.", "It burns oil, the lamp, made of fish.", Mark.PARTLY),
        ("Mira Tell", "I do not know.", Mark.DOES_NOT_KNOW),
        ("Mira Tell", "", Mark.DOES_NOT_KNOW),
        ("31 metres", "It is 100 metres high.", Mark.DOES_NOT_KNOW),
        ("The harbour master Jon Vale", "The harbour master is Peter Stone.", Mark.DOES_NOT_KNOW),
        ("Mira Tell", "It was not Mira Tell.", Mark.DOES_NOT_KNOW),
        ("Yes, on Sundays.", "No, never on Sundays.", Mark.DOES_NOT_KNOW),
        ("東京", "首都は東京です。", Mark.KNOWS),
        ("東京", "大阪です。", Mark.DOES_NOT_KNOW),
    ],
)
def test_a_reply_is_marked_by_what_it_says(answer: str, reply: str, mark: Mark) -> None:
    assert marked(answer, reply) == mark


PAIRS = [Pair(f"What is thing {number}?", f"{word} stones") for number, word in enumerate("abcdefgh", start=1)]


def test_the_student_is_asked_the_question_alone_and_marks_come_one_by_one() -> None:
    student = FakeTeacher(lambda request: "a stones")
    coming = quiz(PAIRS, student)

    next(coming)
    assert len(student.requests) == 1
    rest = list(coming)

    assert len(rest) == 7
    assert {request.messages[0].content for request in student.requests} == {pair.question for pair in PAIRS}
    assert {len(request.messages) for request in student.requests} == {1}


def test_stopped_it_asks_no_more() -> None:
    student = FakeTeacher(lambda request: "yes")

    with pytest.raises(Cancelled):
        list(quiz(PAIRS, student, lambda: len(student.requests) >= 3))

    assert len(student.requests) == 3


FOODS = ["bread", "milk", "honey", "salt", "plums", "eels", "tea", "beer"]
MEALS = [Pair(f"What is eaten on day {number}?", food) for number, food in enumerate(FOODS)]


def judging(request: Request) -> Reply:
    """A fit judge that also knows that mead is honey."""
    text = request.messages[-1].content
    told = [food for line in text.split("\n") for food in [*FOODS, "mead"] if food in line]
    same = told[0] == told[-1] if len(told) == 2 else False
    same = same or told == ["honey", "mead"]
    return Reply("YES" if same else "NO", "stop", probabilities=(0.9, 0.1) if same else (0.1, 0.9))


def test_a_fit_teacher_finds_what_was_said_in_other_words_and_nothing_else() -> None:
    replies = {pair.question: "I cannot say." for pair in MEALS} | {MEALS[2].question: "mead"}
    marks = list(quiz(MEALS, FakeTeacher(lambda request: replies[request.messages[0].content])))
    assert {mark.mark for mark in marks} == {Mark.DOES_NOT_KNOW}

    (better,) = looked_at_again(MEALS, marks, FakeTeacher(judging))

    assert (better.number, better.mark, better.reply) == (2, Mark.KNOWS, "mead")


def test_an_unfit_teacher_changes_nothing() -> None:
    marks = list(quiz(MEALS, FakeTeacher(lambda request: "mead")))
    teacher = FakeTeacher(lambda request: Reply("YES", "stop", probabilities=(0.9, 0.1)))

    assert list(looked_at_again(MEALS, marks, teacher)) == []


def test_where_all_is_known_no_teacher_is_asked() -> None:
    answers = {pair.question: pair.answer for pair in MEALS}
    marks = list(quiz(MEALS, FakeTeacher(lambda request: answers[request.messages[0].content])))
    teacher = FakeTeacher(judging)

    assert list(looked_at_again(MEALS, marks, teacher)) == []
    assert teacher.requests == []
