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
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab_desktop.artifacts import ChatMessage, LeafKind, Pair, Sample
from lab_desktop.generation import checks
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each, decide_each, drop, is_open
from lab_desktop.generation.seeds import NO_PASSAGE, Unit, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request, TextModel
from lab_desktop.words import agree, contains, content_words, sentences, shared, words

WORDINGS = 4
"""Questions asked for each fact in one reply; the practice teacher learned to give two to four."""
ASKING_TEMPERATURE = 0.8
TURNS = 2
"""So often the person's own facts are asked for, which the student should know best, and others of which no question
was kept: one sample of a small teacher says little, and a fact without a row is a fact not learned."""
LONG_ANSWERS = 2
"""Wordings of a fact that also get an answer in a sentence."""
_LONG = "-long"
_LONGEST_SPAN_WORDS = 12
_SAID_BRIEFLY = 4
"""A person's answer of so few words is asked for as it is."""
_NEGATIONS = frozenset({"no", "not", "never", "none", "nobody", "nothing"})
_LIST_TOKENS, _QUESTIONS_TOKENS, _SHORT_TOKENS, _LONG_TOKENS = 64, 120, 32, 64

_NAMELESS = re.compile(r"\b(he|she|it|they|him|her|his|its|their|them|this|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    """Something that can be asked for.

    Attributes:
        unit: whose passage tells it.
        text: the passage, below its headings.
        sentence: that tells it; "" where a seed question is to be worded anew.
        answer: words of the sentence, or the person's own answer, as short as it can be said.
        own: the person's question and answer; None for a fact that the teacher found.
        misread: what the teacher answers to the person's question, where that is not the person's answer; else "".
    """

    unit: Unit
    text: str
    sentence: str
    answer: str
    own: Pair | None = None
    misread: str = ""


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
    facts = [*_seed_facts(group, prompts, teacher, run), *find_facts(group, prompts, teacher, run)]
    asked = dict.fromkeys((unit.id for unit in group), 0)
    rows: list[Sample] = []
    fact_of: dict[str, int] = {}
    for turn in range(TURNS):
        told = {fact_of[row.id] for row in rows if is_open(row)}
        wanted = [number for number, fact in enumerate(facts) if turn == 0 or fact.own or number not in told]
        for number in wanted:
            asked[facts[number].unit.id] += _wordings(facts[number])
        new = ask(facts, wanted, turn, fact_of, prompts, teacher, run)
        new = [named(row) for row in checks.check_form(new, LeafKind.KNOWLEDGE)]
        new = [_about_its_fact(row, facts[fact_of[row.id]]) for row in new]
        new = checks.check_duplicates(new, [*known, *(row.question for row in rows if is_open(row))])
        rows += answered_alike(new, facts, fact_of, prompts, teacher, run)
    long = checks.check_form(_long_answers(rows, facts, fact_of, prompts, teacher, run), LeafKind.KNOWLEDGE)
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
    return facts_told(asked, prompts, teacher, run)


def facts_told(asked: Sequence[tuple[Unit, str]], prompts: Prompts, teacher: TextModel, run: Run) -> list[Fact]:
    """The facts of some sentences of passages, in the order of the sentences.

    Cost: one teacher call for each sentence.
    """

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


def _seed_facts(group: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> list[Fact]:
    """The facts of the person's own questions: each to be worded anew, and to be asked for like any other fact.

    A person may answer in a sentence; what is asked for is the few words of it that the teacher answers with.
    """
    asked = [
        (unit, pair) for unit in group if unit.passage == NO_PASSAGE and unit.draw == 0 for pair in unit.example.pairs
    ]

    def request(item: tuple[Unit, Pair]) -> Request:
        unit, pair = item
        return Request(conversation(prompts, _own_text(unit), "short", question=pair.question), _SHORT_TOKENS)

    found = []
    for (unit, pair), reply in ask_each(asked, request, teacher, run, "reading your questions"):
        is_right = reply.finish == "stop" and contains(pair.answer, reply.text)
        lost = (set(words(pair.answer)) & _NEGATIONS) - set(words(reply.text))
        is_brief = is_right and not lost and not contains(pair.question, reply.text)
        answer = reply.text if is_brief and len(words(pair.answer)) > _SAID_BRIEFLY else pair.answer
        is_misread = reply.finish == "stop" and not is_right and reply.text != prompts.text("unknown")
        misread = reply.text if is_misread else ""
        found.append(Fact(unit, _own_text(unit), "", answer, pair, misread))
        told = content_words(f"{pair.question} {pair.answer}")
        telling = [sentence for sentence in sentences(unit.example.context or "") if contains(sentence, answer)]
        if telling:
            best = max(telling, key=lambda sentence: shared(content_words(sentence), told))
            found.append(Fact(unit, _own_text(unit), best, answer, pair, misread))
    return found


def _own_text(unit: Unit) -> str:
    return f"{unit.material.leaf.title}\n\n{unit.example.context}"


def ask(
    facts: Sequence[Fact],
    wanted: Sequence[int],
    turn: int,
    fact_of: dict[str, int],
    prompts: Prompts,
    teacher: TextModel,
    run: Run,
) -> list[Sample]:
    """Questions for the wanted facts; notes in `fact_of` which fact each row asks for."""

    def request(number: int) -> Request:
        fact = facts[number]
        if fact.sentence:
            messages = conversation(
                prompts, fact.text, "ask", sentence=fact.sentence, answer=fact.answer, count=_wordings(fact)
            )
        else:
            question = fact.own.question if fact.own else ""
            messages = conversation(prompts, fact.text, "reword", question=question, count=_wordings(fact))
        return Request(
            messages,
            max_tokens=_QUESTIONS_TOKENS,
            temperature=ASKING_TEMPERATURE,
            seed=stable_seed(fact.unit.random_seed, number, turn),
        )

    rows: list[Sample] = []
    places = Counter(identity.rpartition("#")[0] for identity in fact_of)
    for number, reply in ask_each(wanted, request, teacher, run, "writing questions"):
        fact = facts[number]
        unit = fact.unit
        for question in list(dict.fromkeys(_lines(reply)))[: _wordings(fact)]:
            row = Sample(
                id=f"{unit.id}#{places[unit.id]}",
                leaf=unit.material.leaf.name,
                kind=unit.material.leaf.kind.value,
                question=question,
                answer=fact.answer,
                context=fact.text,
                passage=unit.passage,
                seed_example=unit.seed_example,
            )
            places[unit.id] += 1
            rows.append(row)
            fact_of[row.id] = number
    return rows


def named(row: Sample) -> Sample:
    """Drop a question that only says "he" or "it" where it should name its subject."""
    is_named = any(letter.isupper() or letter.isdigit() for word in row.question.split()[1:] for letter in word)
    if is_open(row) and not is_named and _NAMELESS.search(row.question):
        return drop(row, "form", "The question does not name what it is about.")
    return row


def _about_its_fact(row: Sample, fact: Fact) -> Sample:
    """Drop another wording of the person's question that took words from elsewhere in the passage: it asks for
    something else there, though a small teacher may answer it as if it did not."""
    if not fact.own or not is_open(row):
        return row
    title, _, passage = fact.text.partition("\n")
    ours = content_words(f"{title} {fact.sentence} {fact.own.question} {fact.own.answer}")
    strange = sorted(content_words(row.question) & content_words(passage) - ours)
    names = {word for word in row.question.split()[1:] if not word[0].islower()}
    if len(strange) > 1 or content_words(" ".join(names)) & set(strange):
        return drop(row, "form", f"It asks for something else than your question: {', '.join(strange)}.")
    return row


def answered_alike(
    rows: list[Sample], facts: Sequence[Fact], fact_of: dict[str, int], prompts: Prompts, teacher: TextModel, run: Run
) -> list[Sample]:
    """Answer each question again from its passage; drop rows whose two answers disagree.

    Where the teacher misreads the person's own question, a wording that it misreads alike asks the same.

    Adds:   scores["round_trip"]
    Drops:  rows whose second answer says something else, or that the text does not say it
    Cost:   one teacher call per row
    """
    unknown = prompts.text("unknown")

    def request(row: Sample) -> Request:
        return Request(conversation(prompts, row.context, "short", question=row.question), max_tokens=_SHORT_TOKENS)

    def decide(row: Sample, reply: Reply) -> Sample:
        misread = facts[fact_of[row.id]].misread
        is_alike = agree(row.answer, reply.text) or (misread and agree(misread, reply.text))
        if reply.text != unknown and is_alike:
            return replace(row, scores={**row.scores, "round_trip": 1.0})
        return drop(row, "round_trip", f"Asked again, the teacher answered: {reply.text[:200]}", 0.0)

    return decide_each(rows, request, decide, teacher, run, "answering again")


def _long_answers(
    rows: Sequence[Sample],
    facts: Sequence[Fact],
    fact_of: dict[str, int],
    prompts: Prompts,
    teacher: TextModel,
    run: Run,
) -> list[Sample]:
    """More rows: some wordings of each fact again, answered in a sentence that must say the same: the person's own
    sentence, where there is one."""
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
        own = facts[fact_of[row.id.removesuffix(_LONG)]].own
        if own and own.answer != row.answer:
            return replace(row, answer=own.answer)
        said = replace(row, answer=reply.text)
        if reply.finish != "stop" or not (contains(reply.text, row.answer) or agree(row.answer, reply.text)):
            return drop(said, "round_trip", f"The answer in a sentence does not say: {row.answer[:200]}", 0.0)
        return said

    return decide_each(chosen, request, decide, teacher, run, "answering in a sentence")


def _wordings(fact: Fact) -> int:
    """How many questions are asked for at once: to word one anew, the practice teacher learned to give one less."""
    return WORDINGS if fact.sentence else WORDINGS - 1


def _lines(reply: Reply) -> list[str]:
    """The lines of a list; the last one may be cut off, and is left out then."""
    lines = [line.strip() for line in reply.text.split("\n")]
    if reply.finish != "stop":
        lines = lines[:-1]
    return [line for line in lines if words(line)]
