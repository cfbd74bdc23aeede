"""Is a reply right? By what a person wrote down, else by a fit teacher, else by the words of the reference.

    accept, rule ──► certain, always decides
    open question ─► teacher, if it passed `judge_is_fit` ─► else words of the reference answer

"No verdict" is an answer too: what cannot be judged counts neither as right nor as wrong.
This module does not know where replies come from or what follows from the verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import regex  # type: ignore[import-untyped]
import yaml

from lab_desktop import paths
from lab_desktop.artifacts import ChatMessage, Pair
from lab_desktop.errors import EvaluationError
from lab_desktop.evaluation.questions import Question, Rule
from lab_desktop.evaluation.results import Judgement, Verdict
from lab_desktop.evaluation.wording import (
    denies,
    is_negative,
    is_unspaced,
    names,
    places,
    says,
    squeezed,
    stems,
    telling_words,
    typed_text,
    yes_or_no,
)
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import numbers, plain_text, words

SURE_RIGHT, SURE_WRONG = 0.65, 0.35
"""Between these probabilities of YES a teacher has said nothing."""
FIT_ACCURACY = 0.8
FIT_PAIRS = 8
SHORT_REFERENCE = 6
"""Up to so many content words, all of a reference must be in the reply."""
LONG_COVERAGE = 0.6
"""The share of a longer reference's content words that a right reply has."""
_PATTERN_TIME_S = 0.5
_LONGEST_MATCHED = 4000


def judge(
    questions: Sequence[Question],
    replies: Sequence[str],
    teacher: TextModel | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Judgement]:
    """Judge every reply; `teacher` (which must have passed `judge_is_fit`) decides open questions only.

    Cost: one teacher call without writing for each open question whose reply is not empty.

    Raises:
        Cancelled, ModelError: from the teacher.
    """
    judgements = [
        by_words(question, reply) if question.is_open else by_rule(question, reply)
        for question, reply in zip(questions, replies, strict=True)
    ]
    if teacher is None:
        return judgements
    open_ones = [
        index for index, question in enumerate(questions) if question.is_open and words(plain_text(replies[index]))
    ]
    decided = by_teacher([questions[i] for i in open_ones], [replies[i] for i in open_ones], teacher, is_cancelled)
    for index, judgement in zip(open_ones, decided, strict=True):
        judgements[index] = judgement
    return judgements


def by_rule(question: Question, reply: str) -> Judgement:
    """Judge by what a person wrote down: the reply has one of `accept`, not denied, and keeps the rule."""
    if not reply.strip():
        return _wrong("rule", 0.0, "There is no reply.")
    if question.accept and not any(says(reply, text, question) for text in question.accept):
        return _wrong("rule", 0.0, "None of the accepted answers is in the reply, or it is denied there.")
    for what, kept in _checks(question.rule or Rule(), reply):
        if kept is None:
            return Judgement(Verdict.NONE, "rule", None, f"The reply could not be compared in time: it {what}?")
        if not kept:
            return _wrong("rule", 0.0, f"Asked for, and not so: it {what}.")
    return Judgement(Verdict.RIGHT, "rule", 1.0, "The reply has what was asked for.")


def by_words(question: Question, reply: str) -> Judgement:
    """Judge by the reference answer's words, which is rough: it knows no synonyms.

    Only words that the question does not give away count. A short reference must be there with all of them, a longer
    one with most of them and with every number and name. A reply that denies what the reference says is wrong.
    """
    plain, reference = plain_text(reply), plain_text(question.answer)
    if not words(plain) and not is_unspaced(plain):
        return _wrong("words", 0.0, "There is no reply.")
    if is_unspaced(reference):
        found = squeezed(reference) in squeezed(plain)
        verdict = Verdict.RIGHT if found else Verdict.NONE  # without blanks between words there is nothing to count
        return Judgement(verdict, "words", float(found), "The reply has the reference." if found else "Not comparable.")
    wanted = telling_words(reference, question)
    has = stems(plain)
    missing = sorted(wanted - has)
    covered = 1 - len(missing) / len(wanted) if wanted else 1.0
    asserted, said = yes_or_no(reference), yes_or_no(plain)
    if asserted and said and asserted != said:
        return _wrong("words", covered, f'The reply says "{said}", the reference "{asserted}".')
    if not wanted and not said:
        return Judgement(Verdict.NONE, "words", None, "The reference has no words that could be looked for.")
    if len(wanted) <= SHORT_REFERENCE:
        if missing:
            return _wrong("words", covered, f"The reply lacks: {', '.join(missing)}.")
        if is_negative(reference) != is_negative(plain) and (is_negative(reference) or denies(plain, wanted, question)):
            return _wrong("words", covered, "The reply denies what the reference says, or the other way round.")
        return Judgement(Verdict.RIGHT, "words", covered, "The reply has all that the reference says.")
    lost = sorted((numbers(reference) - numbers(plain)) | (names(question.answer, question) - has))
    if lost:
        return _wrong("words", covered, f"The reply lacks: {', '.join(lost)}.")
    if covered < LONG_COVERAGE:
        return _wrong("words", covered, f"The reply has {covered:.0%} of what the reference says.")
    if is_negative(reference) != is_negative(plain):
        return Judgement(Verdict.NONE, "words", covered, 'One says "not", the other does not; words cannot tell more.')
    return Judgement(Verdict.RIGHT, "words", covered, f"The reply has {covered:.0%} of what the reference says.")


def by_teacher(
    questions: Sequence[Question],
    replies: Sequence[str],
    teacher: TextModel,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[Judgement]:
    """Ask the teacher whether each reply says the same as its reference.

    Cost:   one request for each pair; nothing is written, the probability of YES against NO is read.
    Source: mt_bench_branch's judge with reference. We read a probability instead of a mark:
            there is nothing to parse, and an undecided teacher is seen to be undecided.

    Raises:
        Cancelled, ModelError: from the teacher.
        EvaluationError: the prompt file cannot be used.
    """
    prompt = _prompt()
    requests = [_request(prompt, question, reply) for question, reply in zip(questions, replies, strict=True)]
    judgements = [Judgement(Verdict.NONE, "teacher", None, "The teacher did not answer.")] * len(requests)
    for index, answer in teacher.complete(requests, is_cancelled):
        judgements[index] = _teachers_judgement(answer)
    return judgements


def judge_is_fit(
    teacher: TextModel, pairs: Sequence[Pair], is_cancelled: Callable[[], bool] = lambda: False
) -> tuple[bool, float]:
    """Measure a teacher as judge: on right answers, and on answers swapped between the questions of the same leaf.

    Returns:
        (fit, balanced accuracy): the mean of the shares of right answers called right and of swapped answers called
        wrong; no verdict counts as a miss. Fit from 0.8 over at least 8 pairs; (False, 0.0) with fewer pairs.

    Raises:
        Cancelled, ModelError, EvaluationError: as in `by_teacher`.
    """
    questions = [
        Question(str(number), "", pair.question, pair.answer, "exam")
        for number, pair in enumerate(dict.fromkeys(pairs))
        if pair.answer.strip()
    ]
    swapped = [_another_answer(questions, index) for index in range(len(questions))]
    usable = [(question, other) for question, other in zip(questions, swapped, strict=True) if other]
    if len(usable) < FIT_PAIRS:
        return False, 0.0
    asked = [question for question, _ in usable]
    replies = [question.answer for question in asked] + [other for _, other in usable]
    verdicts = [judgement.verdict for judgement in by_teacher(asked * 2, replies, teacher, is_cancelled)]
    half = len(asked)
    accuracy = (verdicts[:half].count(Verdict.RIGHT) + verdicts[half:].count(Verdict.WRONG)) / (2 * half)
    return accuracy >= FIT_ACCURACY, accuracy


def _another_answer(questions: Sequence[Question], index: int) -> str:
    """The next question's answer that says something else, or "" (a leaf where every answer is "yes")."""
    own = set(words(questions[index].answer))
    for step in range(1, len(questions)):
        other = questions[(index + step) % len(questions)].answer
        theirs = set(words(other))
        if len(own & theirs) <= min(len(own), len(theirs)) / 2:
            return other
    return ""


def _teachers_judgement(reply: Reply) -> Judgement:
    if reply.finish == "too_long":
        return Judgement(Verdict.NONE, "teacher", None, "Question and answers are too long for the teacher.")
    if len(reply.probabilities) != 2:
        return Judgement(Verdict.NONE, "teacher", None, "The teacher gave no probabilities.")
    yes = reply.probabilities[0]
    if yes >= SURE_RIGHT:
        return Judgement(Verdict.RIGHT, "teacher", yes, f"The teacher says YES with {yes:.0%}.")
    if yes <= SURE_WRONG:
        return Judgement(Verdict.WRONG, "teacher", yes, f"The teacher says NO with {1 - yes:.0%}.")
    # Also where nan ends up: every comparison with it is false.
    return Judgement(Verdict.NONE, "teacher", yes, "The teacher is undecided.")


def _request(prompt: dict[str, str], question: Question, reply: str) -> Request:
    # Replacing by hand: texts written by models and people may hold braces, which str.format would read.
    values = {"question": question.prompt, "reference": question.answer, "reply": reply.strip()}
    text = re.sub(r"\{(question|reference|reply)\}", lambda found: values[found.group(1)], prompt["judge"])
    messages = (ChatMessage("system", prompt["system"].strip()), ChatMessage("user", text.strip()))
    return Request(messages, max_tokens=1, choices=("YES", "NO"))


def _prompt() -> dict[str, str]:
    path = paths.resources() / "prompts" / "judge.yaml"
    try:
        prompt = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: str(prompt[name]) for name in ("system", "judge")}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"The prompts in {path} cannot be used: {error}.", "Undo the last change to that file.", repr(error)
        ) from error


def _wrong(by: Literal["rule", "words"], score: float, reason: str) -> Judgement:
    return Judgement(Verdict.WRONG, by, score, reason)


def _checks(rule: Rule, reply: str) -> list[tuple[str, bool | None]]:
    """(what is asked, is it so?) for every part of the rule; None where it could not be found out in time."""
    text = typed_text(reply)
    checks: list[tuple[str, bool | None]] = []
    if rule.starts_with:
        checks.append((f'starts with "{rule.starts_with}"', text.startswith(typed_text(rule.starts_with))))
    if rule.ends_with:
        checks.append((f'ends with "{rule.ends_with}"', text.endswith(typed_text(rule.ends_with))))
    if rule.equals:
        checks.append((f'is "{rule.equals}"', text == typed_text(rule.equals)))
    for part in rule.contains_all:
        checks.append((f'contains "{part}"', places(plain_text(reply), part) != []))
    if rule.matches:
        checks.append((f"matches {rule.matches}", _matches(rule.matches, reply)))
    return checks


def _matches(pattern: str, reply: str) -> bool | None:
    try:
        found = regex.search(pattern, reply.strip()[:_LONGEST_MATCHED], timeout=_PATTERN_TIME_S)
    except TimeoutError:
        return None
    return found is not None
