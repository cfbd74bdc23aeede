from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import pairwise

import pytest

from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.results import Judgement, LeafResult, Outcome, QuestionResult, Report, Verdict
from lab_desktop.evaluation.table import report_text

RIGHT, WRONG = Judgement(Verdict.RIGHT, "rule", 1.0, ""), Judgement(Verdict.WRONG, "rule", 0.0, "")


def report(before: str, after: str, count: int = 1) -> Report:
    results = tuple(
        QuestionResult(Question(str(n), "velmora", f"Which town {n}?", "Tarn", "exam"), before, after, WRONG, RIGHT)
        for n in range(count)
    )
    lost = (QuestionResult(Question("g", "general", "Sky?", "Blue", "general"), "blue", "red", RIGHT, WRONG),)
    leaves = (LeafResult("knowledge/velmora", "knowledge", results),)
    return Report(leaves, lost, Outcome("small gain", "One better.", ("Write more questions.",)))


def columns(line: str) -> int:
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line
    )


def test_the_table_shows_question_answers_marks_scores_and_verdict():
    text = report_text(report("It is Oslo.", "It is Tarn."), width=100)

    assert "knowledge/velmora" in text
    assert "exam: before 0 of 1 → now 1 of 1" in text
    assert any(
        all(part in line for part in ("Which town 0?", "✗ It is Oslo.", "✓ It is Tarn.")) for line in text.splitlines()
    )
    assert "general questions: before 1 of 1 → now 0 of 1" in text and "Sky?" in text
    assert text.endswith("Verdict: small gain. One better.\n- Write more questions.\n")


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 133])
@pytest.mark.parametrize("answer", ["word " * 50, "x" * 500, "東京は日本の首都です。" * 9, "", "e\u0301" * 90])
def test_no_line_is_wider_than_the_terminal(width, answer):
    text = report_text(report(answer, "ok"), width=width)

    assert max(map(columns, text.splitlines())) <= width


def test_an_answer_cannot_steer_the_terminal():
    text = report_text(report("\x1b[2Jgone\r\nnext\x07\u202edesrever\u2028", "\ud800"), width=80)

    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl") for sign in text.replace("\n", ""))


def test_a_long_list_is_cut_and_says_so():
    text = report_text(report("no", "yes", 30), width=80, most=5)

    assert text.count("Which town") == 5
    assert "… and 25 more in report.json" in text


def test_the_right_answer_stands_below_its_question():
    lines = report_text(report("It is Oslo.", "It is Tarn."), width=100).splitlines()

    question = next(number for number, line in enumerate(lines) if line.startswith("Which town 0?"))
    assert lines[question + 1].startswith("→ Tarn ")


def test_a_leaf_without_questions_says_so_and_has_no_table():
    found = report("a", "b")
    empty = replace(found, leaves=(LeafResult("knowledge/velmora", "knowledge", ()),), general=())

    text = report_text(empty, width=80)

    assert text.startswith(
        "knowledge/velmora\nno questions: nothing was held out, and there is no exam.yaml\n\nVerdict"
    )


def test_a_table_ends_with_its_last_row_and_not_with_a_rule():
    lines = report_text(report("a", "b"), width=80).splitlines()

    assert all(following for line, following in pairwise(lines) if set(line) == set("─┼"))


def test_a_very_wide_terminal_gets_lines_that_can_be_read():
    text = report_text(report("word " * 90, "b"), width=400)

    assert max(map(len, text.splitlines())) <= 140
