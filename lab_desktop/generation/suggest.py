"""The teacher helps while a person writes: questions for one passage, one more example of a skill.

Asked in the way that the pipeline asks the same teacher (`ability`), and checked by the same checks; but for a few
good ones soon instead of many in the end, so sentences are asked about a few at a time, and each suggestion is given as
soon as it is there. Nothing is stored but how a teacher works, which does not change with the lesson. This module does
not know who asks.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import yaml

from lab_desktop.artifacts import Leaf, LeafKind, Pair, Passage, Sample, SeedExample, Suggestion
from lab_desktop.errors import GenerationError, RunError, StorageError
from lab_desktop.files import read_json, stamp, write_json
from lab_desktop.generation import ability, checks, facts, judging, pipeline, slots, writing
from lab_desktop.generation.facts import Fact
from lab_desktop.generation.prompts import load_prompts
from lab_desktop.generation.rows import asked_text, is_open
from lab_desktop.generation.seeds import NO_EXAMPLE, NO_PASSAGE, Material, Unit, stable_seed
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import TextModel
from lab_desktop.paths import practice_lesson, prepared
from lab_desktop.words import agree, contains, content_words, sentences, shared, telling_sentence, words

WANTED = 3
FEWEST_EXAMPLES = 3
"""Of a skill; with fewer of them no two answers can be compared (`writing.ORDERS`)."""
_SENTENCES_AT_ONCE = 3
"""But at first one alone, so that something is there soon."""
_FEWEST_ALIKE = 0.5
"""Share of a fact's wordings that must be answered alike: what is mostly misread is better not asked."""
_MOST_DRAWS = 3
_NEARLY = 0.5
"""Content words that two questions with one answer may share; from here on they ask the same."""
_ROOM_TOKENS = 700
"""What a teacher reads and writes beside the passage: the prompts, the pairs it was given, its reply."""
T = TypeVar("T")

_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)


@dataclass(frozen=True)
class Tutor:
    """A teacher that was met: loaded, and known to work in one of the two ways.

    Attributes:
        is_fact_by_fact: as `ability.works_fact_by_fact`.
        shown: an example whose questions are right, which a teacher that works otherwise is shown.
    """

    teacher: TextModel
    is_fact_by_fact: bool
    shown: SeedExample


def meet(teacher: TextModel, file: Path, is_cancelled: Callable[[], bool] = lambda: False) -> Tutor:
    """Find out how a teacher works, by the practice lesson's examples: they are always there, and right.

    What was found is noted in the `prepared` folder and holds until the teacher's file changes.

    Args:
        file: the teacher's.

    Cost: one short teacher call for each of the five examples, once.

    Raises:
        Cancelled, ModelError: from the teacher.
    """
    known = _practice_leaf()
    noted = prepared() / f"{file.stem}-ability-{stable_seed(*stamp(file), teacher.name):08x}.json"
    try:
        found = read_json(noted, "fact_tasks_understood", "fact_tasks_asked")
    except RunError:
        understood, asked = ability.fact_tasks(known, teacher, _voice(is_cancelled))
        found = {"fact_tasks_understood": understood, "fact_tasks_asked": asked}
        with suppress(StorageError):  # it would only save time
            write_json(noted, found)
    is_fact_by_fact = ability.is_enough(found["fact_tasks_understood"], found["fact_tasks_asked"])
    return Tutor(teacher, is_fact_by_fact, known.seed_examples[0])


def suggest_questions(
    tutor: Tutor,
    passage: str,
    title: str,
    given: Sequence[Pair],
    seed: int = 0,
    wanted: int = WANTED,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Suggestion]:
    """Questions about different facts of a passage, each as soon as it was answered again alike.

    Args:
        passage: plain text or Markdown.
        title: what the lesson is about, in a few words.
        given: questions that are there already, the ones refused too: none of them is asked again.
        seed: the same seed gives the same suggestions.
        wanted: at most so many; fewer where the teacher finds no more.

    Cost: fact by fact one teacher call for some sentences, three facts and a dozen questions; else two for each.

    Raises:
        GenerationError: the passage says nothing, or does not fit into the teacher's context.
        Cancelled, ModelError: from the teacher; what was given stays good.
    """
    _require_fit(passage, tutor.teacher)
    way = _fact_by_fact if tutor.is_fact_by_fact else _pair_by_pair
    told = list(given)
    for suggestion in itertools.islice(way(tutor, passage, title, told, seed, _voice(is_cancelled)), wanted):
        told.append(Pair(suggestion.question, suggestion.answer))
        yield suggestion


def suggest_like(
    tutor: Tutor,
    description: str,
    examples: Sequence[SeedExample],
    like: int,
    seed: int = 0,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Suggestion:
    """One more example of a skill in the manner of one of them, with an answer that held.

    Args:
        description: of the task, as in the lesson.
        examples: the finished ones; of a grounded skill all have their material.
        like: the number of the one to resemble.
        seed: another seed gives another example.

    Returns:
        The example; of several the one least like those that are there.
    Cost: as the pipeline's for one unit, at most `_MOST_DRAWS` times, and examining the judges.

    Raises:
        GenerationError: there are too few examples, or this teacher wrote none that passed the checks.
        Cancelled, ModelError: from the teacher.
    """
    if len(examples) < FEWEST_EXAMPLES:
        raise GenerationError(
            f"There are {len(examples)} finished examples, and the teacher learns the task from at least "
            f"{FEWEST_EXAMPLES}.",
            "Write the next one yourself.",
        )
    run = _voice(is_cancelled)
    kind = LeafKind.GROUNDED_SKILL if examples[like].context else LeafKind.FREEFORM_SKILL
    leaf = Leaf(("compositional_skills", "new"), Path(), kind, 3, "", tuple(examples), description)
    judges: dict[str, judging.Judge] = {}
    dropped: list[Sample] = []
    for draw in range(_MOST_DRAWS):
        name = f"{leaf.name}|s{like}|d{draw}"
        unit = Unit(name, Material(leaf), NO_PASSAGE, like, draw, stable_seed(seed, name, description))
        rows = _filled_in(unit, tutor.teacher, run)
        if not any(map(is_open, rows)):
            rows += _written_anew(unit, judges, tutor.teacher, run)
        if kept := [row for row in rows if is_open(row)]:
            return _as_example(min(kept, key=lambda row: _likeness(row, leaf)))
        dropped += rows
    reason = Counter(row.reason for row in dropped).most_common(1)
    raise GenerationError(
        f"{tutor.teacher.name} tried {len(dropped)} times, and none of its examples was surely right."
        + (f" Most often: {reason[0][0]}" if reason else ""),
        "Write the next one yourself, or choose a bigger teacher.",
    )


def _fact_by_fact(
    tutor: Tutor, passage: str, title: str, told: Sequence[Pair], seed: int, run: Run
) -> Iterator[Suggestion]:
    """`told` grows while we write, so that no fact is asked for twice."""
    prompts = load_prompts("facts")
    found: list[Fact] = []
    fact_of: dict[str, int] = {}
    for draw in range(_MOST_DRAWS):
        unit = _unit(passage, title, None, NO_EXAMPLE, draw, seed)
        for group in _fact_groups(unit, passage, told, tutor.teacher, run):
            numbers = range(len(found), len(found) + len(group))
            found += group
            rows = facts.ask(found, numbers, draw, fact_of, prompts, tutor.teacher, run)
            rows = [facts.named(row) for row in checks.check_form(rows, LeafKind.KNOWLEDGE)]
            rows = [row for row in rows if is_open(row) and not _is_told(row.question, row.answer, told)]
            rows = facts.answered_alike(rows, found, fact_of, prompts, tutor.teacher, run)
            for number in numbers:
                asked = [row for row in rows if fact_of[row.id] == number]
                kept = [row for row in asked if is_open(row)]
                is_sure = len(kept) >= _FEWEST_ALIKE * max(1, len(asked))
                if is_sure and not _is_fact_told(found[number].answer, told):
                    sentence = found[number].sentence
                    best = max(kept, key=lambda row: _clearness(row, sentence))
                    yield _as_question(best, sentence, len(kept), len(asked))


def _fact_groups(unit: Unit, passage: str, told: Sequence[Pair], teacher: TextModel, run: Run) -> Iterator[list[Fact]]:
    """Facts in the order in which to ask for them: first one of each sentence, later the others."""
    prompts = load_prompts("facts")
    chance = random.Random(unit.random_seed)
    order = list(dict.fromkeys(sentences(_HEADING.sub("", passage))))
    chance.shuffle(order)
    order.sort(key=lambda sentence: any(contains(sentence, pair.answer) for pair in told))
    left: list[Fact] = []
    for group in (order[:1], *_in_groups(order[1:])):
        of_sentence: dict[str, list[Fact]] = {}
        for fact in facts.facts_told([(unit, sentence) for sentence in group], prompts, teacher, run):
            if not _is_fact_told(fact.answer, told):
                of_sentence.setdefault(fact.sentence, []).append(fact)
        for several in of_sentence.values():
            chance.shuffle(several)
        yield [several[0] for several in of_sentence.values()]
        left += [fact for several in of_sentence.values() for fact in several[1:]]
    for rest in _in_groups(left):
        yield [fact for fact in rest if not _is_fact_told(fact.answer, told)]


def _in_groups(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _SENTENCES_AT_ONCE] for start in range(0, len(items), _SENTENCES_AT_ONCE))


def _pair_by_pair(
    tutor: Tutor, passage: str, title: str, told: Sequence[Pair], seed: int, run: Run
) -> Iterator[Suggestion]:
    """One at a time: the ones before are shown as written already, and each is there sooner than all."""
    prompts = load_prompts("knowledge")
    for draw in range(_MOST_DRAWS * WANTED):
        unit = _unit(passage, title, tutor.shown, 0, draw, seed)
        request = writing.pairs_request(unit, prompts, told, count=1)
        ((_, reply),) = tutor.teacher.complete([request], is_cancelled=lambda: run.is_cancelled)
        rows = [
            Sample(unit.id, unit.material.leaf.name, LeafKind.KNOWLEDGE.value, pair.question, pair.answer, passage)
            for pair in writing.pairs(reply)[:1]
            if not _is_told(pair.question, pair.answer, told)
        ]
        rows = checks.check_form(rows, LeafKind.KNOWLEDGE)
        for row in checks.check_round_trip(rows, unit.material.leaf, prompts, tutor.teacher, run):
            sentence = telling_sentence(passage, row.question, row.answer)
            if is_open(row) and sentence:
                yield _as_question(row, sentence, 1, 1)


def _unit(passage: str, title: str, shown: SeedExample | None, example: int, draw: int, seed: int) -> Unit:
    leaf = Leaf(("knowledge", "new"), Path(), LeafKind.KNOWLEDGE, 3, "", (shown,) if shown else ())
    text = f"{title}\n\n{passage}" if title else passage
    name = f"{leaf.name}|p0|d{draw}"
    return Unit(
        name, Material(leaf, (Passage(0, Path(), title, text),)), 0, example, draw, stable_seed(seed, name, text)
    )


def _is_told(question: str, answer: str, told: Sequence[Pair]) -> bool:
    """True when one of them asks the same, or nearly."""
    whole, telling = set(words(question)), content_words(question)
    return any(
        shared(whole, set(words(pair.question))) >= checks.NEAR_DUPLICATE
        or (agree(answer, pair.answer) and shared(telling, content_words(pair.question)) >= _NEARLY)
        for pair in told
    )


def _is_fact_told(answer: str, told: Sequence[Pair]) -> bool:
    return any(agree(answer, pair.answer) for pair in told)


def _clearness(row: Sample, sentence: str) -> tuple[bool, int]:
    """A question that names something is understood without the passage; one in the sentence's own words asks for it,
    and words that the passage does not have ask for something else."""
    is_named = any(not word[0].islower() for word in row.question.split()[1:])
    said = content_words(row.question)
    return is_named, len(said & content_words(sentence)) - len(said - content_words(row.context))


def _as_question(row: Sample, sentence: str, alike: int, asked: int) -> Suggestion:
    times = "once" if alike == 1 else f"{alike} times"
    why = f"Asked in {asked} ways, the teacher read this answer in the passage {times}."
    if asked == 1:
        why = "Asked again, the teacher read the same answer in the passage."
    return Suggestion(row.question, row.answer, sentence, score=round(alike / asked, 2), why=why)


def _filled_in(unit: Unit, teacher: TextModel, run: Run) -> list[Sample]:
    """Rows by putting other words where the example has its own; none where it has no such places."""
    leaf = unit.material.leaf
    known = slots.templates(leaf)
    rows = slots.write_rows([unit], known, load_prompts("values"), teacher, run)
    asked = {asked_text(leaf.kind, example.context or "", example.pairs[0].question) for example in leaf.seed_examples}
    rows = [row for row in rows if asked_text(leaf.kind, row.context, row.question) not in asked]
    prompts = load_prompts(leaf.kind.value)
    if rows and ability.does_the_tasks(leaf, prompts, teacher, run):
        rows = writing.answer_tasks(rows, leaf, prompts, teacher, run)
    return rows


def _written_anew(unit: Unit, judges: dict[str, judging.Judge], teacher: TextModel, run: Run) -> list[Sample]:
    """Rows that the teacher wrote; open are those on which its answers agree, or which a trusted judge let pass."""
    leaf = unit.material.leaf
    prompts = load_prompts(leaf.kind.value)
    if not judges:
        judges.update(judging.examine_judges(leaf, prompts, teacher, run))
    write = writing.write_tasks if leaf.kind is LeafKind.FREEFORM_SKILL else writing.write_grounded_tasks
    known = [asked_text(leaf.kind, example.context or "", example.pairs[0].question) for example in leaf.seed_examples]
    rows = pipeline.decide(write([unit], prompts, teacher, run)[unit.id], leaf, prompts, judges, teacher, run, known)
    if checks.is_determined(leaf) or judges["pair"].is_trusted:
        return rows
    reason = "This teacher cannot tell right answers of this task from wrong ones."
    return [replace(row, stage="pair", reason=reason) if is_open(row) else row for row in rows]


def _likeness(row: Sample, leaf: Leaf) -> float:
    """How much the row resembles the example next to it, 0–1."""
    ours = set(words(f"{row.context} {row.question}"))
    return max(
        shared(ours, set(words(f"{example.context or ''} {example.pairs[0].question}")))
        for example in leaf.seed_examples
    )


def _as_example(row: Sample) -> Suggestion:
    if "agreement" in row.scores:
        share = row.scores["agreement"]
        why = f"Done {writing.ORDERS} times, the task got this answer {round(share * writing.ORDERS)} times."
    elif "pair" in row.scores:
        share, why = 1.0, "The teacher, which can tell right answers from wrong ones here, found it right."
    else:
        share, why = 1.0, "It is your own example with other words where its answer repeats the task."
    return Suggestion(row.question, row.answer, context=row.context, score=share, why=why)


def _require_fit(passage: str, teacher: TextModel) -> None:
    if not words(passage):
        raise GenerationError("The passage is empty, so there is nothing to ask.", "Choose a passage first.")
    tokens = teacher.count_tokens(passage)
    if tokens > teacher.context_tokens - _ROOM_TOKENS:
        most = max(1, (teacher.context_tokens - _ROOM_TOKENS) * len(passage.split()) // tokens // 100) * 100
        raise GenerationError(
            f"The passage has {len(passage.split()):,} words, and {teacher.name} can read about {most:,} at a time.",
            "Choose a shorter passage.",
        )


def _practice_leaf() -> Leaf:
    """The practice lesson's passages and questions, without what its validators would check."""
    file = practice_lesson() / "qna.yaml"
    try:
        rows = yaml.safe_load(file.read_text(encoding="utf-8"))["seed_examples"]
        examples = tuple(
            SeedExample(tuple(Pair(**pair) for pair in row["questions_and_answers"]), row["context"]) for row in rows
        )
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise GenerationError(f"{file} cannot be used: {error}.", "Install the program again.", repr(error)) from error
    return Leaf(("knowledge", "velmora"), file.parent, LeafKind.KNOWLEDGE, 3, "", examples)


def _voice(is_cancelled: Callable[[], bool]) -> Run:
    """A run without a folder: it is asked whether to stop, and has nothing to write."""
    return Run(Path(), is_cancelled=is_cancelled)
