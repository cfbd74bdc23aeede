from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab_desktop.artifacts import ChatMessage, Dataset, TrainingRow
from lab_desktop.errors import EvaluationError, RunError
from lab_desktop.evaluation.judge import by_rule
from lab_desktop.evaluation.questions import Rule, exam_questions, general_questions, held_out_questions
from lab_desktop.evaluation.results import Verdict

LEAF = "knowledge/velmora"


def exam(folder: Path, text: str | bytes) -> Path:
    (folder / "exam.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def held_out(folder: Path, *rows: TrainingRow | dict[str, object]) -> Dataset:
    path = folder / "held_out.jsonl"
    lines = [json.dumps(row.to_json() if isinstance(row, TrainingRow) else row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines))
    return Dataset(folder, (), path, len(rows), "f")


def row(name: str, question: str, answer: str) -> TrainingRow:
    return TrainingRow(name, LEAF, (ChatMessage("user", question), ChatMessage("assistant", answer)))


def test_a_leaf_without_exam_has_no_questions(tmp_path):
    assert exam_questions(tmp_path, LEAF) == []


def test_an_exam_is_read_with_everything_a_person_can_write(tmp_path):
    text = """
questions:
  - question: "When?"
    answer: It was 1382.
    accept: ["1382", thirteen eighty-two]
    seed: true
  - question: Sum it up.
    context: |
      A long
      letter.
    answer: "Short: a letter."
    rule: {starts_with: "Short:", contains_all: [letter], matches: "^Short"}
"""
    first, second = exam_questions(exam(tmp_path, text), LEAF)

    assert (first.accept, first.seed, first.kind, first.leaf) == (("1382", "thirteen eighty-two"), True, "exam", LEAF)
    assert second.prompt == "A long\nletter.\n\nSum it up."
    assert second.rule == Rule(starts_with="Short:", contains_all=("letter",), matches="^Short")
    assert second.seed is None and not second.is_open


def test_numbers_yes_and_dates_without_quotes_stay_the_text_that_was_written(tmp_path):
    text = "questions:\n- question: Q\n  answer: yes\n  accept: [42, 2024-01-01, 12:30, no, 007, 1_000]\n"

    (question,) = exam_questions(exam(tmp_path, text), LEAF)

    assert question.answer == "yes"
    assert question.accept == ("42", "2024-01-01", "12:30", "no", "007", "1_000")


def test_the_same_question_about_two_contexts_is_two_questions(tmp_path):
    text = "questions:\n- {question: Q, context: one, answer: A}\n- {question: Q, context: two, answer: B}\n"

    first, second = exam_questions(exam(tmp_path, text), LEAF)

    assert first.id != second.id


def test_ids_survive_another_order_of_the_file(tmp_path):
    one, two = "- {question: Q1, answer: A}\n", "- {question: Q2, answer: B}\n"
    before = {q.question: q.id for q in exam_questions(exam(tmp_path, f"questions:\n{one}{two}"), LEAF)}
    after = {q.question: q.id for q in exam_questions(exam(tmp_path, f"questions:\n{two}{one}"), LEAF)}

    assert before == after


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe\x00q", "UTF-8"),
        (b"\x00\x01\x02", "exam.yaml"),
        ("hello", "Line 1 of .* fields with values \\(questions\\)"),
        ("- a\n- b\n", "fields with values"),
        ("questions: {}\n", '"questions" must be a list'),
        ("questions: []\n", "at least one item"),
        ("question: []\n", 'unknown field "question"'),
        ("{}", 'no list called "questions"'),
        ("questions:\n- question: Q\n", 'Line 2 .* has no "answer"'),
        ("questions:\n- question: Q\n  answer:\n", 'Line 3 .*"answer" of question 1 is empty'),
        ("questions:\n- question: Q\n  answer: [a]\n", 'Line 3 .*"answer" of question 1 must be a text'),
        ("questions:\n- question: Q\n  answer: A\n  acept: [a]\n", 'Line 4 .*unknown field "acept"'),
        ("questions:\n- question: Q\n  answer: A\n  answer: B\n", 'Line 4 .*"answer" twice'),
        ("questions:\n- question: Q\n  answer: A\n  accept: A\n", 'Line 4 .*"accept" of question 1 must be a list'),
        ("questions:\n- question: Q\n  answer: A\n  accept: [' ']\n", "is empty"),
        ("questions:\n- question: Q\n  answer: A\n  seed: perhaps\n", "true or false"),
        ("questions:\n- question: Q\n  answer: A\n  rule: {}\n", "is empty"),
        ("questions:\n- question: Q\n  answer: A\n  rule: {begins: A}\n", 'unknown field "begins"'),
        ("questions:\n- question: Q\n  answer: A\n  rule: {matches: '(a'}\n", "not a regular expression"),
        (f"questions:\n- question: Q\n  answer: A\n  rule: {{matches: '{'a' * 400}'}}\n", "300 characters"),
        ("questions:\n- {question: Q, answer: A}\n- {question: Q, answer: B}\n", "Line 3 .*asked before"),
        ("questions:\n- question: what: now\n  answer: A\n", "Line 2 .*quotes"),
        ("questions:\n\t- question: Q\n", "Line 2"),
        ("[" * 500, "nested too deep"),
        ('questions:\n- question: "\\U00110000"\n  answer: A\n', "stands for no character"),
        ("a: &a [*a]\nquestions: *a\n", "unknown field"),
        ("questions: &q\n- *q\n", "Line 1 .*question 1 must be fields"),
        ("questions: *nowhere\n", "Line 1"),
        ("questions:\n- !!python/object/apply:os.system ['true']\n", "must be fields"),
        (b"questions: " + b"x" * 1_100_000, "1 MB"),
    ],
)
def test_a_wrong_exam_is_refused_with_the_line_and_what_is_wrong(tmp_path, text, says):
    with pytest.raises(EvaluationError, match=says):
        exam_questions(exam(tmp_path, text), LEAF)


def test_an_exam_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "exam.yaml").mkdir()

    with pytest.raises(EvaluationError, match="cannot be read"):
        exam_questions(tmp_path, LEAF)


def test_held_out_rows_become_questions_and_each_is_asked_once(tmp_path):
    system = TrainingRow(
        "3", LEAF, (ChatMessage("system", "S"), ChatMessage("user", "Where?"), ChatMessage("assistant", "Here."))
    )
    dataset = held_out(tmp_path, row("1", "When?", "1382."), row("2", "When?", "In 1382."), system)

    questions = held_out_questions(dataset)

    assert [(q.question, q.answer, q.kind, q.seed) for q in questions] == [
        ("When?", "1382.", "held_out", False),
        ("Where?", "Here.", "held_out", False),
    ]


@pytest.mark.parametrize(
    "wrong", [{}, {"id": "1", "messages": [], "metadata": "{}"}, {"id": "1", "messages": [], "metadata": "x"}, []]
)
def test_a_held_out_row_that_is_no_conversation_is_named(tmp_path, wrong):
    with pytest.raises(EvaluationError, match="Row 2"):
        held_out_questions(held_out(tmp_path, row("1", "When?", "1382."), wrong))


@pytest.mark.parametrize("left", [0, 1])
def test_held_out_rows_that_are_missing_are_told(tmp_path, left):
    dataset = held_out(tmp_path, row("1", "When?", "1382."), row("2", "Where?", "Here."))
    dataset.held_out.write_text("".join(dataset.held_out.read_text().splitlines(keepends=True)[:left]))

    with pytest.raises(RunError, match=f"should have 2 rows and has {left}"):
        held_out_questions(dataset)


def test_a_dataset_without_held_out_rows_needs_no_file(tmp_path):
    assert held_out_questions(Dataset(tmp_path, (), tmp_path / "held_out.jsonl", 0, "f")) == []


def test_general_questions_are_at_least_thirty_and_their_own_answers_pass():
    questions = general_questions()

    assert len(questions) >= 30
    assert [q.question for q in questions if by_rule(q, q.answer).verdict is not Verdict.RIGHT] == []
    assert not any(q.is_open for q in questions)
