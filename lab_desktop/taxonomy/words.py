"""How fields and layout rules are called when we speak to a person.

A path such as ("seed_examples", 2, "questions_and_answers", 1, "answer") is "Example 3, question 2: the answer".
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

Steps = tuple[str | int, ...]
"""The way from the top of the file to a value."""


@dataclass(frozen=True)
class Finding:
    """A problem before it is known which file it is in.

    Attributes:
        steps: the value it is about.
        position: (line, column), from 1.
        message, hint, plain: as in `Problem`.
    """

    steps: Steps
    position: tuple[int, int]
    message: str
    hint: str
    plain: str


_NAMES = {
    "version": "the version",
    "created_by": "the author (created_by)",
    "domain": "the domain",
    "task_description": "the task description",
    "document_outline": "the document's outline (document_outline)",
    "seed_examples": "the examples (seed_examples)",
    "questions_and_answers": "the questions",
    "context": "the context",
    "question": "the question",
    "answer": "the answer",
    "document": "the document's source (document)",
    "repo": "the document's repository (repo)",
    "commit": "the document's commit",
    "patterns": "the document's file names (patterns)",
}
_ITEMS = {"seed_examples": "example", "questions_and_answers": "question", "patterns": "pattern"}

_PLAIN_NAMES = {
    "version": "the form of its file",
    "created_by": "its author",
    "domain": "its subject",
    "task_description": "the description of the skill",
    "document_outline": "the description of the text",
    "seed_examples": "the examples",
    "questions_and_answers": "the questions",
    "context": "the material",
    "question": "the question",
    "answer": "the answer",
    "document": "the source of its text",
    "repo": "the place where its text is published",
    "commit": "the version of its text",
    "patterns": "the names of its texts",
}

# A rule of layout → what is wrong, what to do. Only layout; saving a lesson here repairs all of it but the first.
LINT = {
    "key-duplicates": ("A field is written twice ({desc}).", "Keep one: only the last would count."),
    "trailing-spaces": ("The line ends in blanks.", "Delete them."),
    "new-line-at-end-of-file": ("The last line has no line end.", "Press Enter at the end of the file."),
    "empty-lines": ("There are too many blank lines ({desc}).", "Delete blank lines at the start and end, keep two."),
    "indentation": ("The indent differs from the lines around it ({desc}).", "Indent by two blanks everywhere."),
    "hyphens": ("There is more than one blank after the hyphen.", "Keep one."),
    "colons": ("There are blanks around the colon that do not belong there.", "Write: name: text"),
    "commas": ("There are blanks around the comma that do not belong there.", "Keep one after it."),
    "braces": ("There are too many blanks inside { }.", "Delete them."),
    "brackets": ("There are too many blanks inside [ ].", "Delete them."),
}


def field(steps: Steps) -> str:
    """The technical name: "seed_examples[2].answer"."""
    name = ""
    for step in steps:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def subject(steps: Steps) -> str:
    """An item in words: ("seed_examples", 2) → "example 3"."""
    items = [
        f"{_ITEMS.get(str(name), 'item')} {number + 1}"
        for name, number in itertools.pairwise(steps)
        if isinstance(number, int)
    ]
    return ", ".join(items)


def place(steps: Steps, says: str, default: str = "") -> str:
    """A sentence about the value at `steps`: "Example 3, question 2: the answer is empty."."""
    last = steps[-1] if steps else ""
    name = _NAMES.get(last, f'the field "{last}"') if isinstance(last, str) and last else default
    where = subject(steps)
    if where and isinstance(last, int):
        sentence = f"{where} {says}."
    else:
        sentence = f"{where}: {name} {says}." if where else f"{name} {says}."
    return _sentence(sentence)


def plain_place(steps: Steps, says: str, is_knowledge: bool) -> str:
    """As `place`, in the words of the window: "Passage 3, question 2: the answer is empty."."""
    last = steps[-1] if steps else ""
    where = plain_subject(steps, is_knowledge)
    if where and (isinstance(last, int) or (is_knowledge and last == "context")):
        return _sentence(f"{where} {says}.")
    name = _PLAIN_NAMES.get(str(last), f"“{last}”")
    return _sentence(f"{where}: {name} {says}." if where else f"{name} {says}.")


def plain_subject(steps: Steps, is_knowledge: bool) -> str:
    """As `subject`, in the words of the window, where the examples of facts are passages."""
    said = subject(steps)
    return said.replace("example ", "passage ", 1) if is_knowledge else said


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
