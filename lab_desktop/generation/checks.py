"""Checks of a row without judgement: its form, its likeness to others, whether the teacher answers alike again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from lab_desktop.artifacts import ChatMessage, Leaf, LeafKind, Sample
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import asked_text, decide_each, drop, is_open
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import agree, contains, content_words, numbers, shared, words

_LONGEST_ANSWER_TOKENS = 96
_LONGEST_ANSWER = 250

_LONGEST_QUESTION = 80

_LEFTOVERS = re.compile(
    r"\b(the|this|that) (text|passage|document|article|paragraph|context)\b|\b(question|answer)\s*:|\bconfidence\s*:",
    re.IGNORECASE,
)

NEAR_DUPLICATE = 0.85

_DETERMINED_SHARE = 0.6
"""Of the seed answers; one in five may have a word of its own."""


def check_form(rows: list[Sample], kind: LeafKind) -> list[Sample]:
    """Drop what needs no teacher to see: leftovers of prompts, empty or endless texts, questions that tell the answer.

    For knowledge also answers with a number or most words that the passage does not have.
    """

    def decide(row: Sample) -> Sample:
        reason = _form_problem(row, kind)
        return drop(row, "form", reason) if reason else row

    return [decide(row) if is_open(row) else row for row in rows]


def check_duplicates(rows: list[Sample], known: Iterable[str]) -> list[Sample]:
    """Drop questions that repeat a known one, or an earlier row, almost word for word.

    Other wordings of the same fact are wanted: a student that meets one wording learns that wording only.
    For grounded skills the material is part of the question.
    """
    seen = [set(words(text)) for text in known]
    decided = []
    for row in rows:
        text = asked_text(LeafKind(row.kind), row.context, row.question)
        if is_open(row):
            ours = set(words(text))
            if any(shared(ours, other) >= NEAR_DUPLICATE for other in seen):
                row = drop(row, "duplicate", "Almost the same question is there already.")
            else:
                seen.append(ours)
        decided.append(row)
    return decided


def check_round_trip(rows: list[Sample], leaf: Leaf, prompts: Prompts, teacher: TextModel, run: Run) -> list[Sample]:
    """Knowledge: answer each question again from its passage; drop rows whose two answers disagree.

    Reads:  context, question, answer
    Drops:  rows whose second answer says something else, or nothing
    Cost:   one teacher call per row
    Source: round-trip consistency, Alberti et al. 2019 (arXiv:1906.05416)
    """
    example = leaf.seed_examples[0]
    turns = [ChatMessage("system", prompts.text("system"))]
    for pair in example.pairs[:2]:
        asked = prompts.text("answer_again", passage=example.context, question=pair.question)
        turns += [ChatMessage("user", asked), ChatMessage("assistant", pair.answer)]

    def request(row: Sample) -> Request:
        asked = prompts.text("answer_again", passage=row.context, question=row.question)
        return Request((*turns, ChatMessage("user", asked)), max_tokens=_LONGEST_ANSWER_TOKENS)

    def decide(row: Sample, reply: Reply) -> Sample:
        if reply.finish == "too_long":
            return row
        if agree(row.answer, reply.text):
            return replace(row, scores={**row.scores, "round_trip": 1.0})
        return drop(row, "round_trip", f"Asked again, the teacher answered: {reply.text[:200]}", 0.0)

    return decide_each(rows, request, decide, teacher, run, "answering again")


def is_determined(leaf: Leaf) -> bool:
    """True for a skill whose answers follow from its tasks; extracting and sorting are such, writing a poem is not.

    What a seed answer says stands in its own task then or, like a set word or a unit, in another seed answer too.
    """
    own = [_added(row) for row in _seed_rows(leaf)]
    covered = sum(added <= set().union(*own[:number], *own[number + 1 :]) for number, added in enumerate(own))
    return covered >= _DETERMINED_SHARE * len(own)


def check_sources(rows: list[Sample], leaf: Leaf) -> list[Sample]:
    """Drop answers to determined tasks (`is_determined`) with a word that is an example's and not the task's: a small
    teacher likes to repeat the names and numbers that it was shown.

    Reads:  context, question, answer
    """
    seeds = _seed_rows(leaf)
    set_words = set().union(*map(_added, seeds))
    theirs = {word for seed in seeds for text in (seed.context, seed.question) for word in words(text)} - set_words

    def decide(row: Sample) -> Sample:
        taken = sorted(_added(row) & theirs)
        return drop(row, "sources", f"The answer has this from an example: {', '.join(taken)}") if taken else row

    return [decide(row) if is_open(row) else row for row in rows]


def _added(row: Sample) -> set[str]:
    """The words of an answer that its task does not have."""
    return set(words(row.answer)) - set(words(row.context)) - set(words(row.question))


def _seed_rows(leaf: Leaf) -> list[Sample]:
    return [
        Sample("", leaf.name, leaf.kind.value, pair.question, pair.answer, example.context or "")
        for example in leaf.seed_examples
        for pair in example.pairs
    ]


def _form_problem(row: Sample, kind: LeafKind) -> str:
    if not words(row.question) or not words(row.answer):
        return "The question or the answer is empty."
    if len(words(row.question)) > _LONGEST_QUESTION and kind is LeafKind.KNOWLEDGE:
        return "The question is too long."
    if len(words(row.answer)) > _LONGEST_ANSWER:
        return "The answer is too long."
    if kind is not LeafKind.KNOWLEDGE:
        return ""
    if _LEFTOVERS.search(f"{row.question} {row.answer}"):
        return "It speaks about the text instead of its subject."
    if not row.question.rstrip().endswith(("?", "？", "؟")):
        return "It is not a question."
    if contains(row.question, row.answer):
        return "The question gives the answer away."
    if numbers(row.answer) - numbers(row.context) - numbers(row.question):
        return "The answer has a number that the passage does not have."
    said = content_words(row.answer) - content_words(row.question)
    if said and len(said & content_words(row.context)) < 0.6 * len(said):
        return "Most words of the answer are not in the passage."
    return ""
