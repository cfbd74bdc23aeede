"""New rows for a skill by putting other words where a seed example has its own, in task and answer alike.

"Book this: Mark paid 12 euros for a taxi." → "Expense: taxi; 12 EUR; Mark" has three slots: what the answer copies from
the task. A small teacher does such tasks wrong more often than not, but it can think of other things and names, and
with those in the slots the person's own form gives rows whose answers are right.

That holds as long as answers do not depend on what is filled in, as an order, a sum, or "even" and "odd" do. So an
example has slots only where nothing speaks for that: see `templates`. What speaks for it is not always seen; a teacher
that does the person's own tasks right therefore does each new one too, and drops it where it disagrees (pipeline).
Source: swapping what stands in like places, Andreas 2020 (GECA, arXiv:1904.09545).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab_desktop.artifacts import ChatMessage, Leaf, LeafKind, Sample
from lab_desktop.generation.checks import is_determined
from lab_desktop.generation.prompts import Prompts
from lab_desktop.generation.rows import ask_each
from lab_desktop.generation.seeds import Unit, stable_seed
from lab_desktop.generation.writing import as_list, list_schema, texts
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel
from lab_desktop.words import content_words, words

ROWS_PER_UNIT = 8
_VALUES_PER_REQUEST = 6
_VALUES_TOKENS = 80
_TEMPERATURE = 0.8
_SEED_VALUES_SHARE = 0.4
"""Of the fillings; the person's are surely good ones, the teacher's are more."""
_MOST_SHARE = 0.6
"""A word in so many of the answers may belong to their form and fills no slot; so many examples must be alike."""
_FIXED_SHARE = 0.8
"""Words in so many of the answers make their shape."""
_LONGEST_RUN_WORDS = 8
_LONGEST_EXAMPLE = 8_000
"""Letters; a longer one is no form to fill in, and looking for slots in it takes long."""

_FIRST_HOLE = 0xE000
_HOLE = re.compile("[\ue000-\uf8ff]")
"""Holes are signs of Unicode's private use area; an example that has such signs itself gets no slots."""
_RUN = re.compile(r"\w+(?:(?: |[-'’.,:])\w+)*")
_BETWEEN = r"\W*(?:\b(?:and|or|then|plus|vs|than|with|und|oder|et|ou|en|y|e|o)\b\W*)*"
_TWO_ITEMS = re.compile(f"(?=([\ue000-\uf8ff]){_BETWEEN}([\ue000-\uf8ff]))")
_ITEM = r"[^\W\d]+"
_CHOICE = r",? (?:or|vs|than|oder|als|ou|que|o) "
_END = r"(?:[,;.?!)\n]|$| (?:or|and|und|oder|et|ou)\b)"
_ITEM_BEFORE = re.compile(
    rf"({_ITEM}){_CHOICE}([\ue000-\uf8ff])"
    rf"|(?:^|[:,;?(\n]| (?:and|und|et) ) *({_ITEM})(?:,? (?:and|und|et) |, ?)([\ue000-\uf8ff])"
)
_ITEM_AFTER = re.compile(
    rf"([\ue000-\uf8ff]){_CHOICE}({_ITEM})|([\ue000-\uf8ff])(?:,? (?:and|und|et) |, ?)({_ITEM}) *{_END}"
)


@dataclass(frozen=True)
class Template:
    """A seed example with holes; hole number n is the character `_hole(n)`, counted in the order of the answer.

    Attributes:
        context, question, answer: the texts with holes.
        values: what stood in the holes.
    """

    context: str
    question: str
    answer: str
    values: tuple[str, ...]

    @property
    def task(self) -> str:
        return f"{self.context}\n\n{self.question}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each value looks like: a number, a name, or words."""
        return tuple(_kind(value) for value in self.values)

    def filled(self, values: Sequence[str]) -> tuple[str, str, str]:
        """(context, question, answer) with these values."""
        into = str.maketrans({_hole(number): value for number, value in enumerate(values)})
        return self.context.translate(into), self.question.translate(into), self.answer.translate(into)

    def pool(self, slot: int, alike: Sequence[Template]) -> list[str]:
        """The person's own values for a slot: those of like examples, words only from behind the same word ("a" …)."""
        is_word = self.kinds[slot] == "word"
        lenders = [other for other in alike if not is_word or other._word_before(slot) == self._word_before(slot)]
        return list(dict.fromkeys(other.values[slot] for other in lenders))

    def _word_before(self, slot: int) -> str:
        before = self.task[: self.task.find(_hole(slot))].split()
        return before[-1].lower() if before else ""


def templates(leaf: Leaf) -> dict[int, Template]:
    """The seed examples of a skill that have slots, by number.

    Only where most of them are alike (same kinds of slots, same set words in the answer), and where every word of an
    answer that is neither copied nor set is told by a word of the task: "EUR" where and only where there are "euros".
    """
    if leaf.kind is LeafKind.KNOWLEDGE or not is_determined(leaf):
        return {}
    examples = [
        (example.context or "", example.pairs[0].question, example.pairs[0].answer) for example in leaf.seed_examples
    ]
    count = Counter(word for *_, answer in examples for word in set(words(answer)))
    form = {word for word, times in count.items() if times >= _MOST_SHARE * len(examples)}
    fixed = {word for word in form if count[word] >= _FIXED_SHARE * len(examples)}
    found = {}
    for number, texts_of in enumerate(examples):
        template = _template(*texts_of, form)
        if template is not None and _is_only_copied(template):
            found[number] = template
    shapes = {number: (template.kinds, _shape(template.answer, fixed)) for number, template in found.items()}
    if not shapes:
        return {}
    shape, times = Counter(shapes.values()).most_common(1)[0]
    alike = {number: template for number, template in found.items() if shapes[number] == shape}
    if times < max(2, _MOST_SHARE * len(examples)) or not _are_told(list(found.values())):
        return {}
    return alike


def write_rows(
    units: Sequence[Unit], known: Mapping[int, Template], prompts: Prompts, teacher: TextModel, run: Run
) -> list[Sample]:
    """Rows with answers, undecided; none for a unit whose seed example has no slots.

    Args:
        known: `templates` of the units' leaf.

    Cost: one teacher call for each slot that is no number.
    """
    alike = list(known.values())
    asked = [
        (unit, slot)
        for unit in units
        if unit.seed_example in known
        for slot, kind in enumerate(known[unit.seed_example].kinds)
        if kind != "number"
    ]

    def request(item: tuple[Unit, int]) -> Request:
        unit, slot = item
        shown = list(dict.fromkeys(template.values[slot] for template in alike))
        random.Random(stable_seed(unit.random_seed, "shown", slot)).shuffle(shown)
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

    others: dict[tuple[str, int], list[str]] = {}
    for (unit, slot), reply in ask_each(asked, request, teacher, run, "looking for other words"):
        theirs = [template.values[slot] for template in alike]
        others[unit.id, slot] = [value for value in dict.fromkeys(texts(reply)) if _fits(value, theirs)]
    return [row for unit in units if unit.seed_example in known for row in _rows(unit, known, others)]


def _rows(unit: Unit, known: Mapping[int, Template], others: Mapping[tuple[str, int], list[str]]) -> list[Sample]:
    template = known[unit.seed_example]
    chance = random.Random(stable_seed(unit.random_seed, "fill"))
    rows = []
    for number in range(ROWS_PER_UNIT):
        values: list[str] = []
        for slot, kind in enumerate(template.kinds):
            pool = template.pool(slot, list(known.values()))
            more = _numbers_between(pool, chance) if kind == "number" else others[unit.id, slot]
            chosen = more if more and chance.random() >= _SEED_VALUES_SHARE else pool
            values.append(chance.choice([value for value in chosen if value not in values] or pool))
        context, question, answer = template.filled(values)
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


def _numbers_between(pool: Sequence[str], chance: random.Random) -> list[str]:
    """A number between the person's smallest and biggest; nothing where they are not plain ones ("007", "3.50")."""
    if not all(
        value.isascii() and value.isdecimal() and len(value) < 10 and str(int(value)) == value for value in pool
    ):
        return []
    return [str(chance.randint(min(map(int, pool)), max(map(int, pool))))]


def _template(context: str, question: str, answer: str, form: set[str]) -> Template | None:
    """An example with holes, or None where it has nothing to fill in or cannot be cut up safely."""
    whole = f"{context}\n\n{question}\n\n{answer}"
    if (
        len(whole) > _LONGEST_EXAMPLE
        or _HOLE.search(whole)
        or any(unicodedata.category(sign)[0] == "M" for sign in whole)
    ):
        return None
    parts = [context, question, answer]
    values: list[str] = []
    for value in sorted(_copied(f"{context}\n\n{question}", answer, form), key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
        parts = [re.sub(pattern, _hole(len(values)), part) for part in parts]
        values.append(value)
    kept = list(dict.fromkeys(_number(hole) for hole in _HOLE.findall(parts[2])))
    anew = str.maketrans({_hole(old): _hole(new) for new, old in enumerate(kept)})
    context, question, answer = (part.translate(anew) for part in parts)
    return Template(context, question, answer, tuple(values[number] for number in kept)) if kept else None


def _copied(task: str, answer: str, form: set[str]) -> list[str]:
    """The longest runs of words that the answer has from the task as they stand there, without words of its form.

    Of several numbers in a task none is taken: the answer may rest on which of them is bigger.
    """
    counted = [word for word in words(task) if word[0].isdigit()]
    fixed = form | set(counted) if len(counted) > 1 else form
    starts = [match.start() for match in re.finditer(r"\w+", answer)]
    ends = [match.end() for match in re.finditer(r"\w+", answer)]
    found = []
    first = 0
    while first < len(starts):
        last = first
        while last < min(len(ends), first + _LONGEST_RUN_WORDS) and _is_copied(
            answer[starts[first] : ends[last]], task, fixed
        ):
            last += 1
        if last > first:
            found.append(answer[starts[first] : ends[last - 1]])
        first = max(last, first + 1)
    return list(dict.fromkeys(found))


def _is_copied(run: str, task: str, fixed: set[str]) -> bool:
    is_there = re.search(rf"(?<!\w){re.escape(run)}(?!\w)", task) is not None
    return is_there and _RUN.fullmatch(run) is not None and bool(content_words(run)) and not fixed & set(words(run))


def _is_only_copied(template: Template) -> bool:
    """False where something in the example rests on a value without being it, or may.

    Another part that has a word of it (a first name, an address made of it); a number that is worked out; a list to
    sort or to choose from.
    """
    around = {word for text in (template.task, template.answer) for word in content_words(_HOLE.sub(" ", text))}
    inside = [word for value in template.values for word in content_words(value)]
    if around & set(inside) or len(inside) > len(set(inside)):
        return False
    said = {word for word in words(_HOLE.sub(" ", template.answer)) if word[0].isdigit()}
    if said - set(words(_HOLE.sub(" ", template.task))):
        return False
    kinds = template.kinds
    pairs = [(kinds[_number(one)], kinds[_number(two)]) for one, two in _TWO_ITEMS.findall(template.task)]
    for found in (*_ITEM_BEFORE.finditer(template.task), *_ITEM_AFTER.finditer(template.task)):
        one, two = sorted(filter(None, found.groups()))  # holes sort behind all letters
        pairs.append((_kind(one), kinds[_number(two)]))
    return all(one != two for one, two in pairs)


def _are_told(found: Sequence[Template]) -> bool:
    """True when every word of an answer that is neither copied nor set ("EUR") goes with a word of its task ("euros").

    That is seen where a word comes twice: some word then stands in the tasks of these examples and of no others. A word
    that comes once is believed when another one was seen. The order of the slots may differ only with the task.
    """
    tasks = [set(words(_HOLE.sub(" ", template.task))) for template in found]
    answers = [set(words(_HOLE.sub(" ", template.answer))) for template in found]
    everywhere = set.intersection(*answers)
    labels = [answer - task - everywhere for answer, task in zip(answers, tasks, strict=True)]
    seen = 0
    for label in set().union(*labels):
        having = [number for number, own in enumerate(labels) if label in own]
        cues = set.intersection(*(tasks[number] for number in having))
        cues -= set().union(*(task for number, task in enumerate(tasks) if number not in having))
        if not cues:
            return False
        seen += len(having) > 1
    if any(labels) and not seen:
        return False
    forms: dict[str, set[str]] = {}
    for template in found:
        order = "".join(_HOLE.findall(template.task))
        forms.setdefault(_HOLE.sub(_hole(0), template.task), set()).add(f"{order} {template.answer}")
    return all(len(answers) == 1 for answers in forms.values())


def _shape(answer: str, fixed: set[str]) -> tuple[str, ...]:
    """The holes and set words of an answer, in order."""
    parts = re.findall(r"[\ue000-\uf8ff]|[^\ue000-\uf8ff]+", answer)
    return tuple(
        word
        for part in parts
        for word in ([part] if _HOLE.match(part) else words(part))
        if word in fixed or _HOLE.match(word)
    )


def _fits(value: str, theirs: Sequence[str]) -> bool:
    """True for a value that can stand where the person's stood."""
    signs = set("".join(theirs)) | set(" -'’")
    is_plain = value == " ".join(value.split()) and value[:1].isalnum()
    is_plain = is_plain and all(sign.isalnum() or sign in signs for sign in value) and not _HOLE.search(value)
    is_short = 0 < len(words(value)) <= 1 + max(len(words(other)) for other in theirs)
    is_like = is_plain and _kind(value) in map(_kind, theirs) and value not in theirs
    # "the bank" does not stand where "bank" stood: function words come only where the person has some.
    has_function_words = [len(text.split()) > len(content_words(text)) for text in (value, *theirs)]
    return is_like and is_short and (not has_function_words[0] or any(has_function_words[1:]))


def _kind(value: str) -> str:
    return "number" if value[:1].isdigit() else "name" if value[:1].isupper() else "word"


def _hole(number: int) -> str:
    return chr(_FIRST_HOLE + number)


def _number(hole: str) -> int:
    return ord(hole) - _FIRST_HOLE
