from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab_desktop.artifacts import Pair
from lab_desktop.errors import Cancelled
from lab_desktop.evaluation.judge import by_rule, by_teacher, by_words, judge, judge_is_fit
from lab_desktop.evaluation.questions import Question, Rule
from lab_desktop.evaluation.results import Verdict
from lab_desktop.evaluation.wording import _clauses, says
from lab_desktop.models.text_model import Reply, Request
from lab_desktop.words import plain_text, words
from tests.fakes import FakeTeacher

RIGHT, WRONG, NONE = Verdict.RIGHT, Verdict.WRONG, Verdict.NONE


def question(answer: str = "", asked: str = "What is it?", **fields: object) -> Question:
    return Question("q", "leaf", asked, answer, "exam", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accept", "reply", "verdict"),
    [
        ("1382", "It was founded in 1,382.", RIGHT),
        ("1,382", "In 1382!", RIGHT),
        ("1382", "in the year 1 382", RIGHT),
        ("1382", "1\u202f382 people", RIGHT),
        ("1382", "one thousand three hundred and eighty-two", RIGHT),
        ("1382", "13820 boats", WRONG),
        ("1382", "1,382,000 boats", WRONG),
        ("1.5", "15", WRONG),
        ("24", "twenty-four ferries", RIGHT),
        ("three", "There are 3.", RIGHT),
        ("5000", "five thousand sheep", RIGHT),
        ("30%", "Thirty per cent of them", RIGHT),
        ("Tarn", "The capital is TARN.", RIGHT),
        ("Tarn", "Tarnish is a colour.", WRONG),
        ("the Tidemoot", "It is called Tidemoot", RIGHT),
        ("Mount Tarrik", "the mountain of Tarrik", WRONG),
        ("Tórvík", "It is Torvik.", RIGHT),
        ("Torvik", "To\u0301rvik", RIGHT),
        ("ｆｕｌｌ", "a full width", RIGHT),
        ("Straße", "die STRASSE", WRONG),  # words keep letters as they are; `accept` can list both
        ("people's hall", "the people’s hall", RIGHT),
        ("東京", "首都は東京です。", RIGHT),
        ("東京", "首都は大阪です。", WRONG),
        ("+", "a + b", RIGHT),
        ("Tarn", "", WRONG),
        ("Tarn", " \n", WRONG),
        ("Tarn", "It is not Tarn.", WRONG),
        ("Tarn", "It isn't Tarn but Oslo.", WRONG),
        ("Tarn", "It isn’t in Tarn.", WRONG),
        ("Tarn", "Tarn is not the capital.", WRONG),
        ("Tarn", "There is no Tarn.", WRONG),
        ("Tarn", "No, it is Tarn.", RIGHT),
        ("Tarn", "No it is Tarn", RIGHT),
        ("Tarn", "Not Oslo, Tarn.", RIGHT),
        ("Tarn", "Not Oslo but Tarn.", RIGHT),
        ("Tarn", "Tarn, not Oslo.", RIGHT),
        ("Tarn", "Not only Tarn has it.", RIGHT),
        ("Tarn", "It is not Tarn. It is Tarn after all.", RIGHT),
        ("not allowed", "Dogs are not allowed.", RIGHT),
        ("no", "No.", RIGHT),
    ],
)
def test_an_accepted_answer_is_found_as_whole_words_and_not_where_it_is_denied(accept, reply, verdict):
    judged = by_rule(question(accept=(accept,)), reply)

    assert judged.verdict is verdict
    assert judged.by == "rule"


def test_a_not_that_belongs_to_the_question_denies_nothing():
    asked = question(asked="On which day does the ferry not run?", accept=("Sunday",))

    assert by_rule(asked, "The ferry does not run on Sunday.").verdict is RIGHT


@pytest.mark.parametrize(
    ("rule", "reply", "verdict"),
    [
        (Rule(starts_with="In short:"), "in  short: it works", RIGHT),
        (Rule(starts_with="In short:"), "It works, in short:", WRONG),
        (Rule(ends_with="Over and out."), "Yes. Over and out.\n", RIGHT),
        (Rule(ends_with="Over and out."), "Over and out. Yes", WRONG),
        (Rule(equals='"ORANGE"'), "“orange”", RIGHT),
        (Rule(equals="orange"), "an orange", WRONG),
        (Rule(contains_all=("red", "1,000")), "1000 red boats", RIGHT),
        (Rule(contains_all=("red", "blue")), "red boats", WRONG),
        (Rule(matches=r"^\d+ [A-Z]+$"), "12 ABC", RIGHT),
        (Rule(matches=r"^\d+ [A-Z]+$"), "12 abc", WRONG),
        (Rule(starts_with="a", ends_with="z"), "a to y", WRONG),
        (Rule(equals=""), "anything", RIGHT),
    ],
)
def test_every_part_of_a_rule_must_hold(rule, reply, verdict):
    assert by_rule(question(rule=rule), reply).verdict is verdict


def test_accepted_words_and_rule_must_both_hold():
    asked = question(accept=("Tarn",), rule=Rule(ends_with="!"))

    assert [by_rule(asked, reply).verdict for reply in ("Tarn!", "Tarn", "Oslo!")] == [RIGHT, WRONG, WRONG]


def test_a_pattern_that_never_ends_gives_no_verdict_in_time():
    start = time.monotonic()

    judged = by_rule(question(rule=Rule(matches=r"(a+)+$")), "a" * 3900 + "b")

    assert judged.verdict is NONE
    assert time.monotonic() - start < 30  # without a limit: for ever; a busy machine needs some seconds


@pytest.mark.parametrize(
    ("reference", "asked", "reply", "verdict"),
    [
        ("The capital is Tarn.", "What is the capital of Velmora?", "Tarn", RIGHT),
        ("The capital is Tarn.", "What is the capital of Velmora?", "The capital of Velmora is Oslo.", WRONG),
        ("The capital is Tarn.", "What is the capital of Velmora?", "The capital is not Tarn.", WRONG),
        ("1382", "When?", "In the year 1,382.", RIGHT),
        ("1382", "When?", "1383", WRONG),
        ("Ysolda Karrow", "Who?", "Karrow, Ysolda", RIGHT),
        ("Ysolda Karrow", "Who?", "Ysolda Smith", WRONG),
        ("Yes, dogs are allowed.", "Are dogs allowed?", "Yes.", WRONG),
        ("Yes.", "Are dogs allowed?", "Yes, they are.", RIGHT),
        ("Yes.", "Are dogs allowed?", "No.", WRONG),
        ("Yes.", "Are dogs allowed?", "The island is green.", NONE),
        ("No, dogs are not allowed.", "May I bring one?", "Dogs are not allowed.", RIGHT),
        ("No, dogs are not allowed.", "May I bring one?", "Yes, dogs are allowed.", WRONG),
        ("Dogs are allowed.", "May I bring one?", "Dogs aren't allowed.", WRONG),
        ("Dogs are not allowed.", "May I bring one?", "Dogs are allowed.", WRONG),
        ("首都は東京です。", "首都は?", "首都は東京です。", RIGHT),
        ("首都は東京です。", "首都は?", "東京", NONE),
        ("Tarn", "Where?", "", WRONG),
        ("Tarn", "Where?", "...", WRONG),
    ],
)
def test_a_short_reference_must_be_there_with_every_word_the_question_does_not_give(reference, asked, reply, verdict):
    assert by_words(question(reference, asked), reply).verdict is verdict


LONG = "Fishermen from Tarn built the stone harbour in 1382 because winter storms had destroyed the wooden pier."


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (LONG, RIGHT),
        ("The stone harbour was built by fishermen of Tarn in 1382 after storms destroyed the pier.", RIGHT),
        ("The stone harbour was built by fishermen of Tarn in 1400 after storms destroyed the pier.", WRONG),
        ("The stone harbour was built by fishermen in 1382 after storms destroyed the pier.", WRONG),
        ("In 1382, near Tarn.", WRONG),
        ("Fishermen from Tarn never built the stone harbour in 1382; winter storms destroyed the pier.", NONE),
    ],
)
def test_a_long_reference_must_be_there_with_most_words_and_every_number_and_name(reply, verdict):
    assert by_words(question(LONG, "Tell me about it."), reply).verdict is verdict


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_texts_can_be_compared(reference, reply):
    by_words(question(reference), reply)
    if reference.strip():
        by_rule(question(accept=(reference,)), reply)
    assert [word for word, _ in _clauses(plain_text(reply))] == words(plain_text(reply))


@given(st.text(min_size=1, max_size=40))
@example("00B\U00018cd60%A0:¼C")
def test_a_text_says_itself(text):
    asked = question(text)
    if words(plain_text(text)):
        assert says(text, text, question(text, text)) or "not" in words(plain_text(text))
        assert by_words(asked, text).verdict is not WRONG


def yes(probability: float) -> Reply:
    return Reply("YES" if probability > 0.5 else "NO", "stop", probabilities=(probability, 1 - probability))


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (yes(0.9), RIGHT),
        (yes(0.65), RIGHT),
        (yes(0.6), NONE),
        (yes(0.4), NONE),
        (yes(0.35), WRONG),
        (yes(0.0), WRONG),
        (yes(float("nan")), NONE),
        (Reply("", "too_long"), NONE),
        (Reply("YES", "stop"), NONE),
        (Reply("The answer is NO", "length"), NONE),
        (Reply("YES", "stop", probabilities=(1.0,)), NONE),
    ],
)
def test_a_teacher_who_is_undecided_or_cannot_be_read_gives_no_verdict_and_never_a_bad_score(reply, verdict):
    (judged,) = by_teacher([question("Tarn")], ["Oslo"], FakeTeacher(lambda request: reply))

    assert judged.verdict is verdict
    assert judged.by == "teacher"


def test_the_teacher_sees_question_context_reference_and_reply_even_with_braces_in_them():
    teacher = FakeTeacher(lambda request: yes(1))

    by_teacher([question("{reply} ref", "Q {x}?", context="material")], ["{reference}"], teacher)

    (request,) = teacher.requests
    assert request.choices == ("YES", "NO")
    text = request.messages[-1].content
    assert all(part in text for part in ("material\n\nQ {x}?", "{reply} ref", "answer: {reference}"))


def test_only_open_questions_with_a_reply_go_to_the_teacher():
    teacher = FakeTeacher(lambda request: yes(1))
    questions = [question("Tarn", accept=("Tarn",)), question("Tarn"), question("Tarn")]

    judged = judge(questions, ["Oslo", "Oslo", " "], teacher)

    assert [(j.verdict, j.by) for j in judged] == [(WRONG, "rule"), (RIGHT, "teacher"), (WRONG, "words")]
    assert len(teacher.requests) == 1


def test_judging_stops_when_the_person_asks_to_stop():
    with pytest.raises(Cancelled):
        by_teacher([question("Tarn")], ["Tarn"], FakeTeacher(lambda request: yes(1)), lambda: True)


PAIRS = [Pair(f"What is the name of mountain {name}?", f"It is called {name} peak") for name in "abcdefghij"]


def knowing(request: Request) -> Reply:
    _, reference, reply, _ = request.messages[-1].content.split("\n")
    return yes(0.9 if reference.split(": ")[1] == reply.split(": ")[1] else 0.1)


@pytest.mark.parametrize(
    ("answer", "fit", "accuracy"),
    [
        (knowing, True, 1.0),
        (lambda request: yes(0.9), False, 0.5),
        (lambda request: yes(0.1), False, 0.5),
        (lambda request: yes(0.5), False, 0.0),
        (lambda request: Reply("", "too_long"), False, 0.0),
    ],
)
def test_only_a_teacher_who_tells_right_from_swapped_answers_may_judge(answer, fit, accuracy):
    pairs = [Pair(pair.question, f"{word} {word}ly") for pair, word in zip(PAIRS, ANSWERS, strict=True)]

    assert judge_is_fit(FakeTeacher(answer), pairs) == (fit, accuracy)


ANSWERS = ["red", "blue", "tall", "old", "cold", "white", "steep", "holy", "lone", "wild"]


def test_too_few_pairs_or_pairs_that_all_say_the_same_measure_nothing():
    teacher = FakeTeacher(knowing)

    assert judge_is_fit(teacher, PAIRS[:7]) == (False, 0.0)
    assert judge_is_fit(teacher, [Pair(f"Q{n}?", "Yes") for n in range(20)]) == (False, 0.0)
    assert judge_is_fit(teacher, [PAIRS[0]] * 20) == (False, 0.0)
    assert teacher.requests == []
