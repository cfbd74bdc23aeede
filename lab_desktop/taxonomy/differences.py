"""How a leaf differs from its earlier version, in sentences for a person.

Compares values only: it reads no file and knows no repository.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.words import content_words, shared

Kind = Literal["new", "changed", "removed", "moved"]
About = Literal[
    "lesson", "place", "field", "author", "source", "example", "context", "question", "answer", "document", "credits"
]  # fmt: skip
"""Documents and credits lie beside the file, so they are compared by who reads those."""

_SHOWN_LETTERS = 60
_ALIKE = 0.5
"""Two texts that share this part of their words are versions of one."""
_MOST_COMPARED = 300
_T = TypeVar("_T")


@dataclass(frozen=True)
class Difference:
    """One thing that is new, changed, moved or gone.

    Attributes:
        kind: what happened to it.
        about: what it happened to.
        message: the whole in a sentence.
        before, after: the texts, for showing side by side; "" where there is none.
        example: number of the seed example in the newer version (in the older one where it is gone), from 0; -1: none.
    """

    kind: Kind
    about: About
    message: str
    before: str = ""
    after: str = ""
    example: int = -1


def differences(before: Leaf | None, after: Leaf) -> tuple[Difference, ...]:
    """Everything in which `after` differs from `before`, top to bottom; nothing where they say the same.

    Args:
        before: the earlier version; None: there was none.
    """
    return tuple(_differences(before, after))


def _differences(before: Leaf | None, after: Leaf) -> Iterator[Difference]:
    if before is None:
        questions = sum(len(example.pairs) for example in after.seed_examples)
        with_questions = f" with {_count(questions, 'question')}" if after.kind is LeafKind.KNOWLEDGE else ""
        parts = _count(len(after.seed_examples), _noun(after))
        yield Difference("new", "lesson", f"The lesson is new: {parts}{with_questions}.")
        return
    if before.node != after.node:
        message = f'The lesson moved from "{before.name}" to "{after.name}".'
        yield Difference("moved", "place", message, before.name, after.name)
    yield from _fields(before, after)
    yield from _examples(before, after)
    yield from _documents(before.document, after.document)


def _fields(before: Leaf, after: Leaf) -> Iterator[Difference]:
    if before.version != after.version:
        message = f"The lesson file has version {after.version} of the format instead of {before.version}."
        yield Difference("changed", "field", message, str(before.version), str(after.version))
    if (before.kind is LeafKind.KNOWLEDGE) != (after.kind is LeafKind.KNOWLEDGE):
        now, earlier = ("facts", "a skill") if after.kind is LeafKind.KNOWLEDGE else ("a skill", "facts")
        yield Difference("changed", "field", f"The lesson teaches {now} now, and {earlier} before.", earlier, now)
    for name, old, new in (
        ("author", before.created_by, after.created_by),
        ("subject", before.domain, after.domain),
        ("outline of the document", before.document_outline, after.document_outline),
        ("description of the task", before.task_description, after.task_description),
    ):
        if old != new:
            about: About = "author" if name == "author" else "field"
            yield Difference(_what(old, new), about, _happened(f"The {name}", old, new), old, new)


def _documents(before: DocumentSource | None, after: DocumentSource | None) -> Iterator[Difference]:
    old, new = (_source_text(each) for each in (before, after))
    if old == new:
        return
    if before and after and (before.repo, before.patterns) == (after.repo, after.patterns):
        message = "Another version of the document is used."
    elif before and after and (before.repo, before.commit) == (after.repo, after.commit):
        message = "Other files of the document's source are used."
    else:
        message = _happened("The document's source", old, new)
    yield Difference(_what(old, new), "source", message, old, new)


def _source_text(document: DocumentSource | None) -> str:
    return "\n".join((document.repo, document.commit, *document.patterns)).strip() if document else ""


def _examples(before: Leaf, after: Leaf) -> Iterator[Difference]:
    old, new = before.seed_examples, after.seed_examples
    matches = _matched(old, new, _same_example, _example_text)
    noun = _noun(after)
    stayed = _in_order(matches)
    earlier = {number_after: number for number, number_after in matches}
    for number, example in enumerate(new):
        name = f"{noun} {number + 1}"
        if number not in earlier:
            yield Difference("new", "example", _new_example(name, example, after), "", _example_text(example), number)
            continue
        if number not in stayed:
            message = f"{name.capitalize()} was {noun} {earlier[number] + 1} before."
            yield Difference("moved", "example", message, example=number)
        yield from _within(old[earlier[number]], example, number, name, after.kind is LeafKind.KNOWLEDGE)
    kept = {number for number, _ in matches}
    for number, example in enumerate(old):
        if number not in kept:
            yield Difference(
                "removed", "example", _gone_example(number, example, before), _example_text(example), "", number
            )


def _within(
    before: SeedExample, after: SeedExample, number: int, name: str, is_knowledge: bool
) -> Iterator[Difference]:
    """What differs between two versions of one example."""
    old, new = before.context or "", after.context or ""
    if old != new:
        message = _happened(name.capitalize() if is_knowledge else f"The material of {name}", old, new)
        yield Difference(_what(old, new), "context", message, old, new, number)
    matches = _matched(before.pairs, after.pairs, _same_pair, _pair_text)
    for number_before, number_after in matches:
        yield from _pair(before.pairs[number_before], after.pairs[number_after], number)
    added = [pair for index, pair in enumerate(after.pairs) if index not in {match[1] for match in matches}]
    gone = [pair for index, pair in enumerate(before.pairs) if index not in {match[0] for match in matches}]
    if added:
        message = f"{_count(len(added), 'question')} added to {name}."
        yield Difference("new", "question", message, "", _written_out(added), number)
    if gone:
        message = f"{_count(len(gone), 'question')} removed from {name}."
        yield Difference("removed", "question", message, _written_out(gone), "", number)
    if len(_in_order(matches)) < len(matches):
        message = f"The questions of {name} have another order."
        yield Difference("moved", "question", message, _listed(before.pairs), _listed(after.pairs), number)


def _pair(before: Pair, after: Pair, number: int) -> Iterator[Difference]:
    if before.question != after.question:
        message = f"The question {_shown(before.question)} is now {_shown(after.question)}."
        if _shown(before.question) == _shown(after.question):
            message = _happened(f"The question {_shown(after.question)}", before.question, after.question)
        kind = _what(before.question, after.question)
        yield Difference(kind, "question", message, before.question, after.question, number)
    if before.answer != after.answer:
        message = _happened(f"The answer to {_shown(after.question)}", before.answer, after.answer)
        yield Difference(_what(before.answer, after.answer), "answer", message, before.answer, after.answer, number)


def _matched(
    old: Sequence[_T], new: Sequence[_T], is_same: Callable[[_T, _T], bool], text: Callable[[_T], str]
) -> list[tuple[int, int]]:
    """(number before, number after) of what is the same item in both, by number after: equal, nearly so, or alike."""
    matches: dict[int, int] = {}
    free = dict.fromkeys(range(len(old)))

    def match(number: int, earlier: int) -> None:
        matches[number] = earlier
        del free[earlier]

    for fits in (lambda a, b: a == b, is_same):
        for number, item in enumerate(new):
            if number not in matches and (found := next((at for at in free if fits(old[at], item)), None)) is not None:
                match(number, found)
    words_of = {at: content_words(text(old[at])) for at in list(free)[:_MOST_COMPARED]}
    rest = [number for number in range(len(new)) if number not in matches][:_MOST_COMPARED]
    pairs = (
        (shared(words, earlier_words), -number, -at)
        for number in rest
        for words in [content_words(text(new[number]))]
        for at, earlier_words in words_of.items()
    )
    for _, number, at in sorted((pair for pair in pairs if pair[0] >= _ALIKE), reverse=True):
        if -number not in matches and -at in free:
            match(-number, -at)
    return [(matches[number], number) for number in sorted(matches)]


def _in_order(matches: Sequence[tuple[int, int]]) -> set[int]:
    """The most numbers after whose numbers before are rising too: the others were moved."""
    ends: list[int] = []
    chains: list[list[int]] = []
    for before, after in matches:
        at = bisect_left(ends, before)
        chain = [*(chains[at - 1] if at else []), after]
        ends[at : at + 1] = [before]
        chains[at : at + 1] = [chain]
    return set(chains[-1]) if chains else set()


def _same_example(before: SeedExample, after: SeedExample) -> bool:
    if before.context and before.context == after.context and len(before.pairs) != 1:
        return True
    asked = {pair.question for pair in before.pairs if pair.question}
    return any(pair.question in asked for pair in after.pairs)


def _same_pair(before: Pair, after: Pair) -> bool:
    return bool(before.question) and before.question == after.question


def _example_text(example: SeedExample) -> str:
    return "\n".join(part for part in (example.context or "", *map(_pair_text, example.pairs)) if part)


def _pair_text(pair: Pair) -> str:
    return f"{pair.question}\n{pair.answer}".strip()


def _written_out(pairs: Sequence[Pair]) -> str:
    return "\n\n".join(map(_pair_text, pairs))


def _listed(pairs: Sequence[Pair]) -> str:
    return "\n".join(pair.question for pair in pairs)


def _new_example(name: str, example: SeedExample, leaf: Leaf) -> str:
    if leaf.kind is LeafKind.KNOWLEDGE:
        return f"{name.capitalize()} is new, with {_count(len(example.pairs), 'question')}."
    asked = _shown(example.pairs[0].question) if example.pairs else "nothing yet"
    return f"{name.capitalize()} is new: {asked}."


def _gone_example(number: int, example: SeedExample, leaf: Leaf) -> str:
    name = f"{_noun(leaf)} {number + 1}".capitalize()
    if leaf.kind is LeafKind.KNOWLEDGE:
        return f"{name} of before was removed, with {_count(len(example.pairs), 'question')}."
    asked = _shown(example.pairs[0].question) if example.pairs else "nothing"
    return f"{name} of before was removed: {asked}."


def _noun(leaf: Leaf) -> str:
    return "passage" if leaf.kind is LeafKind.KNOWLEDGE else "example"


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _what(before: str, after: str) -> Kind:
    if not before.strip() and after.strip():
        return "new"
    return "removed" if before.strip() and not after.strip() else "changed"


def _happened(name: str, before: str, after: str) -> str:
    """A sentence: what became of the text called `name`."""
    kind = _what(before, after)
    if kind == "new":
        return f"{name} was written."
    if kind == "removed":
        return f"{name} was deleted."
    if before.split() == after.split():
        return f"{name} changed in blanks or line ends only."
    return f"{name} changed."


def _shown(text: str) -> str:
    """A text in quotes, shortened to what fits in a sentence."""
    line = " ".join(text.split())
    return f'"{line if len(line) <= _SHOWN_LETTERS else line[: _SHOWN_LETTERS - 1].rstrip() + "…"}"'
