"""New rows for a skill by putting other words where a seed example has its own, in task and answer alike.

"Book this: Mark paid 12 euros for a taxi." → "Expense: taxi; 12 EUR; Mark" has three slots: what the answer copies from
the task. Every filling of them gives a row in the person's own form whose answer is right by construction, as long as
the answer does not depend on what is filled in (an alphabetical order does). So leaves that show signs of that have no
slots, and a teacher that does the person's own tasks right does each new one too, and drops it where it disagrees.
Source: swapping what stands in like places, Andreas 2020 (GECA, arXiv:1904.09545).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lab_desktop.artifacts import ChatMessage, Leaf, LeafKind, Sample
from lab_desktop.generation.checks import is_determined
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each
from lab_desktop.generation.seeds import Unit, stable_seed
from lab_desktop.generation.writing import as_list, list_schema, texts
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel
from lab_desktop.words import content_words, numbers, words

ROWS_PER_UNIT = 8
_VALUES_PER_REQUEST = 6
_VALUES_TOKENS = 80
_TEMPERATURE = 0.8
_SEED_VALUES_SHARE = 0.4
"""Of the fillings; the person's are surely good ones, the teacher's are more."""
_CONSTANT_SHARE = 0.6
"""A word in so many of the seed answers belongs to their form."""
_FIRST_HOLE = 0xE000
"""Holes are signs of Unicode's private use area, which no text has."""
_HOLE = re.compile("[\ue000-\uf8ff]")
_LIST = re.compile("([\ue000-\uf8ff])(?: ?[,;/<>=] ?| (?:and|or|und|oder|et|ou|y|o|e) )(?=([\ue000-\uf8ff]))")
_CHOICE = re.compile("[\ue000-\uf8ff],? (?:or|oder|ou|o) | (?:or|oder|ou|o) [\ue000-\uf8ff]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"\w+(?:['’.,:-]\w+)*")


@dataclass(frozen=True)
class Template:
    """A seed example with holes; hole number n is the character `_hole(n)`.

    Attributes:
        context, question, answer: the texts with holes.
        values: what stood in the holes.
    """

    context: str
    question: str
    answer: str
    values: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each value looks like; templates that agree in this lend each other values."""
        return tuple(_kind(value) for value in self.values)

    def filled(self, values: Sequence[str]) -> tuple[str, str, str]:
        """(context, question, answer) with these values."""
        into = str.maketrans({_hole(number): value for number, value in enumerate(values)})
        return self.context.translate(into), self.question.translate(into), self.answer.translate(into)


def templates(leaf: Leaf) -> dict[int, Template]:
    """The seed examples of a skill that have slots, by number; only those of which another one looks alike."""
    if leaf.kind is LeafKind.KNOWLEDGE or not is_determined(leaf):
        return {}
    answers = [set(words(example.pairs[0].answer)) for example in leaf.seed_examples]
    count = Counter(word for answer in answers for word in answer)
    constant = {word for word, times in count.items() if times >= _CONSTANT_SHARE * len(answers)}
    found = {}
    for number, example in enumerate(leaf.seed_examples):
        pair = example.pairs[0]
        template = _template(example.context or "", pair.question, pair.answer, constant)
        if template.values:
            found[number] = template
    alike = Counter(template.kinds for template in found.values())
    if _depends_on_values(list(found.values())):
        return {}
    return {number: template for number, template in found.items() if alike[template.kinds] > 1}


def write_rows(units: Sequence[Unit], prompts: Prompts, teacher: TextModel, run: Run) -> dict[str, list[Sample]]:
    """Rows with answers, undecided, by unit id; none for a unit whose seed example has no slots.

    Cost: one teacher call for each slot of a unit's seed example.
    """
    known = {unit.id: templates(unit.material.leaf) for unit in units}
    wanted = [
        (unit, slot, [template.values[slot] for template in known[unit.id].values() if template.kinds == ours.kinds])
        for unit in units
        if (ours := known[unit.id].get(unit.seed_example))
        for slot in range(len(ours.values))
    ]
    asked = [item for item in wanted if not _are_numbers(item[2])]

    def request(item: tuple[Unit, int, list[str]]) -> Request:
        unit, slot, values = item
        chance = random.Random(stable_seed(unit.random_seed, "shown", slot))
        shown = chance.sample(list(dict.fromkeys(values)), len(set(values)))
        return Request(
            (
                ChatMessage("system", prompts.text("system")),
                ChatMessage("user", prompts.text("more", count=len(shown))),
                ChatMessage("assistant", as_list(shown)),
                ChatMessage("user", prompts.text("more", count=_VALUES_PER_REQUEST)),
            ),
            max_tokens=_VALUES_TOKENS,
            temperature=_TEMPERATURE,
            seed=stable_seed(unit.random_seed, slot),
            schema=list_schema({"type": "string"}, _VALUES_PER_REQUEST),
        )

    fillings: dict[tuple[str, int], list[str]] = {}
    for (unit, slot, values), reply in ask_each(asked, request, teacher, run, "looking for other words"):
        fillings[unit.id, slot] = [value for value in dict.fromkeys(texts(reply)) if _fits(value, values)]
    for unit, slot, values in wanted:
        if _are_numbers(values):
            chance = random.Random(stable_seed(unit.random_seed, slot))
            low, high = min(map(int, values)), max(map(int, values))
            fillings[unit.id, slot] = [str(chance.randint(low // 2 + 1, 2 * high)) for _ in range(_VALUES_PER_REQUEST)]
    return {
        unit.id: _rows(unit, known[unit.id], fillings) if unit.seed_example in known[unit.id] else [] for unit in units
    }


def _rows(unit: Unit, known: dict[int, Template], fillings: dict[tuple[str, int], list[str]]) -> list[Sample]:
    ours = known[unit.seed_example]
    alike = [template for template in known.values() if template.kinds == ours.kinds]
    chance = random.Random(stable_seed(unit.random_seed, "fill"))
    rows = []
    for number in range(ROWS_PER_UNIT):
        values: list[str] = []
        for slot in range(len(ours.values)):
            from_seeds = [template.values[slot] for template in alike]
            pool = from_seeds if chance.random() < _SEED_VALUES_SHARE else fillings[unit.id, slot] or from_seeds
            values.append(chance.choice([value for value in pool if value not in values] or from_seeds))
        context, question, answer = ours.filled(values)
        rows.append(
            Sample(
                id=f"{unit.id}#slots{number}",
                leaf=unit.material.leaf.name,
                kind=unit.material.leaf.kind.value,
                question=question,
                answer=answer,
                context=context,
                passage=unit.passage,
                seed_example=unit.seed_example,
            )
        )
    return rows


def _template(context: str, question: str, answer: str, constant: set[str]) -> Template:
    parts = [context, question, answer]
    values: list[str] = []
    for value in sorted(_copied(f"{context}\n\n{question}", answer, constant), key=len, reverse=True):
        hole = _hole(len(values))
        parts = [re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", hole, part) for part in parts]
        values.append(value)
    # Numbered anew in the order in which the answer has them, so that slots of like examples stand for like things.
    kept = [number for number in map(_number, parts[2]) if 0 <= number < len(values)]
    kept = list(dict.fromkeys(kept))
    anew = str.maketrans({_hole(old): _hole(new) for new, old in enumerate(kept)})
    context, question, answer = (part.translate(anew) for part in parts)
    return Template(context, question, answer, tuple(values[number] for number in kept))


def _copied(task: str, answer: str, constant: set[str]) -> list[str]:
    """The longest runs of words that the answer has from the task as they stand there, without words of its form.

    Of several numbers in a task none is taken: the answer may rest on which of them is bigger.
    """
    if len(_NUMBER.findall(task)) > 1:
        constant = constant | numbers(task)
    found = []
    tokens = list(_WORD.finditer(answer))
    start = 0
    while start < len(tokens):
        end = start
        while end < len(tokens) and _is_copied(answer[tokens[start].start() : tokens[end].end()], task, constant):
            end += 1
        if end > start:
            found.append(answer[tokens[start].start() : tokens[end - 1].end()])
        start = max(end, start + 1)
    return list(dict.fromkeys(found))


def _is_copied(text: str, task: str, constant: set[str]) -> bool:
    is_plain = all(letter.isalnum() or letter in " '’.,:-" for letter in text)
    is_there = re.search(rf"(?<!\w){re.escape(text)}(?!\w)", task) is not None
    return is_plain and is_there and bool(content_words(text)) and not constant & set(words(text))


def _depends_on_values(found: Sequence[Template]) -> bool:
    """Signs that answers are not only copied: two like tasks with unlike answers, a list to sort or to choose from."""
    forms: dict[str, set[str]] = {}
    for template in found:
        task = f"{template.context}\n\n{template.question}"
        is_list = any(template.kinds[_number(one)] == template.kinds[_number(two)] for one, two in _LIST.findall(task))
        if is_list or _CHOICE.search(task):
            return True
        # Slots are numbered by the answer; in the form of a task they are only places.
        order = [_number(hole) for hole in _HOLE.findall(task)]
        forms.setdefault(_HOLE.sub(_hole(0), task), set()).add(f"{order} {template.answer}")
    return any(len(answers) > 1 for answers in forms.values())


def _fits(value: str, values: Sequence[str]) -> bool:
    """True for a value that can stand where these stood."""
    is_plain = all(letter.isalnum() or letter in " '’-" for letter in value)
    is_short = 0 < len(words(value)) <= 1 + max(len(words(other)) for other in values)
    is_like = _kind(value) in map(_kind, values) and value not in values
    # "the bank" does not stand where "bank" stood: function words come only where the person has some.
    has_function_words = [len(value.split()) > len(content_words(value)) for value in (value, *values)]
    return is_plain and is_short and is_like and (not has_function_words[0] or any(has_function_words[1:]))


def _are_numbers(values: Sequence[str]) -> bool:
    return all(value.isdecimal() for value in values)


def _kind(value: str) -> str:
    return "number" if value[:1].isdigit() else "name" if value[:1].isupper() else "word"


def _hole(number: int) -> str:
    return chr(_FIRST_HOLE + number)


def _number(letter: str) -> int:
    return ord(letter) - _FIRST_HOLE
