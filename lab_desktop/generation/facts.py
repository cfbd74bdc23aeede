"""Knowledge fact by fact: what a small teacher can be taught to do with a passage, one plain task at a time.

    facts    which words of a sentence can be asked for
    ask      questions with a given answer, in different words
    reword   a question in other words
    short    the answer to a question in a few words, or that the text does not say
    long     the answer in a sentence
    check    is this answer right? (taught and measured, not asked in a run: answering again decides)

The fact is chosen before the question, so the whole document is covered; every question is answered again from its
passage and kept only when both answers agree; and each fact is asked in many wordings, because a student that meets one
wording learns that wording and not the fact. Every task shows the same passage first, so an engine and a training both
compute it once for all of them. The prompts are in resources/prompts/facts.yaml; the practice teacher learned these
very conversations (packaging/teacher).
Source: answer-aware question generation with round-trip filtering, Alberti et al. 2019 (arXiv:1906.05416).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab_desktop.artifacts import ChatMessage, LeafKind, Sample
from lab_desktop.generation import checks
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each, decide_each, drop, is_open
from lab_desktop.generation.seeds import NO_PASSAGE, Unit, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import agree, contains, sentences, words

WORDINGS = 4
"""Questions asked for each fact in one reply; the practice teacher learned to give two to four."""
ASKING_TEMPERATURE = 0.8
LONG_ANSWERS = 2
"""Wordings of a fact that also get an answer in a sentence."""
_LONG = "-long"
_LONGEST_SPAN_WORDS = 12
_LIST_TOKENS, _QUESTIONS_TOKENS, _SHORT_TOKENS, _LONG_TOKENS = 64, 120, 32, 64

_NAMELESS = re.compile(r"\b(he|she|it|they|him|her|his|its|their|them|this|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    """Something that can be asked for.

    Attributes:
        unit: whose passage tells it.
        text: the passage, below its headings.
        sentence: that tells it; "" for a seed question.
        answer: words of the sentence, or the person's own answer.
        question: the person's own; "" where none is known yet.
    """

    unit: Unit
    text: str
    sentence: str
    answer: str
    question: str = ""


def conversation(prompts: Prompts, passage: str, task: str, **values: object) -> tuple[ChatMessage, ...]:
    """The conversation that asks for a task about a passage."""
    asked = f"{passage}\n\n{prompts.text(task, **values)}"
    return ChatMessage("system", prompts.text("system")), ChatMessage("user", asked)


def write_rows(
    group: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run, known: Sequence[str]
) -> tuple[list[Sample], dict[str, int]]:
    """All rows of a group of units, decided, and how many each unit was asked for.

    Args:
        known: questions that are there already.

    Cost: one teacher call for each sentence, for each fact, for each question and for each answer in a sentence.
    """
    facts = [*_seed_facts(group), *find_facts(group, prompts, teacher, run)]
    rows, fact_of = _ask(facts, prompts, teacher, run)
    rows = [_named(row) for row in checks.check_form(rows, LeafKind.KNOWLEDGE)]
    rows = checks.check_duplicates(rows, known)
    rows = _answered_alike(rows, prompts, teacher, run)
    long = checks.check_form(_long_answers(rows, fact_of, prompts, teacher, run), LeafKind.KNOWLEDGE)
    asked = dict.fromkeys((unit.id for unit in group), 0)
    for fact in facts:
        asked[fact.unit.id] += _wordings(fact)
    for row in long:
        asked[facts[fact_of[row.id.removesuffix(_LONG)]].unit.id] += 1
    return rows + long, asked


def find_facts(group: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> list[Fact]:
    """What the passages tell, sentence by sentence: the likeliest answers in the first draw, others in later ones."""
    asked = [
        (unit, sentence)
        for unit in group
        if unit.passage != NO_PASSAGE
        for sentence in sentences(unit.material.passages[unit.passage].text)
        if sentence != unit.material.passages[unit.passage].heading
    ]

    def request(item: tuple[Unit, str]) -> Request:
        unit, sentence = item
        return Request(
            conversation(prompts, unit.passage_text, "facts", sentence=sentence),
            max_tokens=_LIST_TOKENS,
            temperature=ASKING_TEMPERATURE if unit.draw else 0.0,
            seed=stable_seed(unit.random_seed, sentence),
        )

    found = []
    for (unit, sentence), reply in ask_each(asked, request, teacher, run, "looking for facts"):
        for answer in dict.fromkeys(_lines(reply)):
            if contains(sentence, answer) and len(words(answer)) <= _LONGEST_SPAN_WORDS:
                found.append(Fact(unit, unit.passage_text, sentence, answer))
    return found


def _seed_facts(group: Sequence[Unit]) -> list[Fact]:
    """The person's own questions, to be worded anew."""
    return [
        Fact(unit, f"{unit.material.leaf.title}\n\n{unit.example.context}", "", pair.answer, pair.question)
        for unit in group
        if unit.passage == NO_PASSAGE
        for pair in unit.example.pairs
    ]


def _ask(facts: Sequence[Fact], prompts: Prompts, teacher: TextModel, run: Run) -> tuple[list[Sample], dict[str, int]]:
    """Questions for every fact, and which fact each row asks for."""

    def request(item: tuple[int, Fact]) -> Request:
        number, fact = item
        if fact.question:
            messages = conversation(prompts, fact.text, "reword", question=fact.question, count=_wordings(fact))
        else:
            messages = conversation(
                prompts, fact.text, "ask", sentence=fact.sentence, answer=fact.answer, count=_wordings(fact)
            )
        return Request(
            messages,
            max_tokens=_QUESTIONS_TOKENS,
            temperature=ASKING_TEMPERATURE,
            seed=stable_seed(fact.unit.random_seed, number),
        )

    rows: list[Sample] = []
    fact_of: dict[str, int] = {}
    count: dict[str, int] = {}
    for (number, fact), reply in ask_each(list(enumerate(facts)), request, teacher, run, "writing questions"):
        for question in list(dict.fromkeys(_lines(reply)))[: _wordings(fact)]:
            unit = fact.unit
            place = count[unit.id] = count.get(unit.id, -1) + 1
            row = Sample(
                id=f"{unit.id}#{place}",
                leaf=unit.material.leaf.name,
                kind=unit.material.leaf.kind.value,
                question=question,
                answer=fact.answer,
                context=fact.text,
                passage=unit.passage,
                seed_example=unit.seed_example,
            )
            rows.append(row)
            fact_of[row.id] = number
    return rows, fact_of


def _named(row: Sample) -> Sample:
    """Drop a question that only says "he" or "it" where it should name its subject."""
    is_named = any(letter.isupper() or letter.isdigit() for word in row.question.split()[1:] for letter in word)
    if is_open(row) and not is_named and _NAMELESS.search(row.question):
        return drop(row, "form", "The question does not name what it is about.")
    return row


def _answered_alike(rows: list[Sample], prompts: Prompts, teacher: TextModel, run: Run) -> list[Sample]:
    """Answer each question again from its passage; drop rows whose two answers disagree.

    Adds:   scores["round_trip"]
    Drops:  rows whose second answer says something else, or that the text does not say it
    Cost:   one teacher call per row
    """
    unknown = prompts.text("unknown")

    def request(row: Sample) -> Request:
        return Request(conversation(prompts, row.context, "short", question=row.question), max_tokens=_SHORT_TOKENS)

    def decide(row: Sample, reply: Reply) -> Sample:
        if reply.text != unknown and agree(row.answer, reply.text):
            return replace(row, scores={**row.scores, "round_trip": 1.0})
        return drop(row, "round_trip", f"Asked again, the teacher answered: {reply.text[:200]}", 0.0)

    return decide_each(rows, request, decide, teacher, run, "answering again")


def _long_answers(
    rows: Sequence[Sample], fact_of: dict[str, int], prompts: Prompts, teacher: TextModel, run: Run
) -> list[Sample]:
    """More rows: some wordings of each fact again, answered in a sentence that must say the same."""
    chosen: list[Sample] = []
    taken: dict[int, int] = {}
    for row in rows:
        number = fact_of[row.id]
        if is_open(row) and taken.get(number, 0) < LONG_ANSWERS:
            taken[number] = taken.get(number, 0) + 1
            chosen.append(replace(row, id=f"{row.id}{_LONG}"))

    def request(row: Sample) -> Request:
        return Request(conversation(prompts, row.context, "long", question=row.question), max_tokens=_LONG_TOKENS)

    def decide(row: Sample, reply: Reply) -> Sample:
        said = replace(row, answer=reply.text)
        if reply.finish != "stop" or not (contains(reply.text, row.answer) or agree(row.answer, reply.text)):
            return drop(said, "round_trip", f"The answer in a sentence does not say: {row.answer[:200]}", 0.0)
        return said

    return decide_each(chosen, request, decide, teacher, run, "answering in a sentence")


def _wordings(fact: Fact) -> int:
    """How many questions are asked for: one wording of a seed question is there already."""
    return WORDINGS - 1 if fact.question else WORDINGS


def _lines(reply: Reply) -> list[str]:
    """The lines of a list; the last one may be cut off, and is left out then."""
    lines = [line.strip() for line in reply.text.split("\n")]
    if reply.finish != "stop":
        lines = lines[:-1]
    return [line for line in lines if words(line)]
