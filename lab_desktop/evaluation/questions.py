"""The questions of an evaluation: the exam of a leaf, held-out practice questions, and general ones against forgetting.

Reads `exam.yaml` beside a leaf's qna.yaml (optional), `dataset/held_out.jsonl`, and resources/evaluation/general.yaml.
An exam is written by a person:

    questions:
      - question: In which year was the harbour of Tarn opened?
        answer: The harbour was opened in 1382.
        accept: ["1382"]            # optional: a reply is right when it contains one of these as whole words
      - question: Say good evening.
        context: ...                # optional: material that goes with the question
        answer: "Ahoy! Good evening."
        rule: {starts_with: Ahoy}   # optional: starts_with, ends_with, equals, matches (pattern), contains_all (texts)
        seed: false                 # optional: true when a seed example in qna.yaml asks for the same fact

With several rules, or with `accept` and a rule, all must hold. Every value is read as the text that stands there: 42,
yes and 2024-01-01 need no quotes. This module does not know how replies are judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from lab_desktop import paths
from lab_desktop.artifacts import Dataset, TrainingRow
from lab_desktop.errors import EvaluationError
from lab_desktop.files import JsonLines

QuestionKind = Literal["exam", "held_out", "general"]

_QUESTION_FIELDS = ("question", "context", "answer", "accept", "rule", "seed")
_RULES = ("starts_with", "ends_with", "matches", "contains_all", "equals")
MOST_BYTES = 1_000_000  # parsing takes seconds per megabyte; an exam has kilobytes
_LONGEST_PATTERN = 300


@dataclass(frozen=True)
class Rule:
    """What a reply must look like; a part that is left empty asks nothing.

    Attributes:
        starts_with, ends_with: the reply's first or last characters; case, kind of quotes, runs of blanks do not count.
        equals: the whole reply, compared in the same way.
        contains_all: each of these stands in the reply as whole words.
        matches: a regular expression found anywhere in the reply, case as written.
    """

    starts_with: str = ""
    ends_with: str = ""
    matches: str = ""
    contains_all: tuple[str, ...] = ()
    equals: str = ""


@dataclass(frozen=True)
class Question:
    """A question that is asked before and after training.

    Attributes:
        id: a function of kind, leaf, context and question, so that saved answers find their question again.
        leaf: `Leaf.name`; "general" for general questions.
        question: what is asked.
        answer: the reference answer.
        kind: "exam" (written by a person), "held_out" (written by the teacher, never trained on), "general".
        context: material that goes with the question, or "".
        accept: texts of which a right reply contains one as whole words.
        rule: what else a right reply must look like.
        seed: True when a seed example asks for the same fact, so the teacher was shown it; None when nobody said.
    """

    id: str
    leaf: str
    question: str
    answer: str
    kind: QuestionKind
    context: str = ""
    accept: tuple[str, ...] = ()
    rule: Rule | None = None
    seed: bool | None = None

    @property
    def prompt(self) -> str:
        """The user's turn: context, blank line, question, as the student was trained (InstructLab's form)."""
        return f"{self.context}\n\n{self.question}" if self.context else self.question

    @property
    def is_open(self) -> bool:
        """True when nobody wrote down how to recognise a right reply, so words or a teacher must judge it."""
        return not self.accept and self.rule is None


def exam_questions(leaf_folder: Path, leaf_name: str) -> list[Question]:
    """The questions of `leaf_folder`/exam.yaml; none when there is no such file.

    Raises:
        EvaluationError: the file cannot be used; the message names the line and what is wrong there.
    """
    path = leaf_folder / paths.EXAM
    return _read(path, leaf_name, "exam") if path.exists() else []


def general_questions() -> list[Question]:
    """Questions that any model may know, about everything but the leaves: who loses these, forgot.

    Raises:
        EvaluationError: the installation is damaged.
    """
    return _read(paths.resources() / "evaluation" / "general.yaml", "general", "general")


def held_out_questions(dataset: Dataset) -> list[Question]:
    """The rows that mixing kept aside: the user's turn asks, the assistant's turn is the reference. Each question once.

    Raises:
        EvaluationError: the file does not hold training rows.
        RunError: a line of the file is damaged, or rows are missing.
    """
    if not dataset.held_out_rows:
        return []
    found: dict[str, Question] = {}
    lines = JsonLines(dataset.held_out).made(lambda line: line, dataset.held_out_rows)
    for number, line in enumerate(lines, start=1):
        try:
            row = TrainingRow.from_json(line)
            asked, answered = row.messages[-2], row.messages[-1]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise _damaged_row(dataset.held_out, number, repr(error)) from error
        if (asked.role, answered.role) != ("user", "assistant"):
            raise _damaged_row(dataset.held_out, number, f"{asked.role}, {answered.role}")
        name = _id("held_out", row.leaf, "", asked.content)
        found.setdefault(name, Question(name, row.leaf, asked.content, answered.content, "held_out", seed=False))
    return list(found.values())


def _read(path: Path, leaf: str, kind: QuestionKind) -> list[Question]:
    top = _fields(_parse(path), ("questions",), "the file", path)
    if "questions" not in top:
        raise _wrong(path, None, 'there is no list called "questions"')
    questions: dict[str, Question] = {}
    for number, item in enumerate(_items(top["questions"], '"questions"', path), start=1):
        question = _question(item, f"question {number}", leaf, kind, path)
        if question.id in questions:
            raise _wrong(path, item, f"question {number} has been asked before")
        questions[question.id] = question
    return list(questions.values())


def _question(item: yaml.Node, what: str, leaf: str, kind: QuestionKind, path: Path) -> Question:
    fields = _fields(item, _QUESTION_FIELDS, what, path)
    for name in ("question", "answer"):
        if name not in fields:
            raise _wrong(path, item, f'{what} has no "{name}"')
    texts = {
        name: _text(fields[name], f'"{name}" of {what}', path)
        for name in ("question", "answer", "context")
        if name in fields
    }
    accept = _texts(fields["accept"], f'"accept" of {what}', path) if "accept" in fields else ()
    rule = _rule(fields["rule"], what, path) if "rule" in fields else None
    seed = _truth(fields["seed"], f'"seed" of {what}', path) if "seed" in fields else None
    context = texts.get("context", "")
    name = _id(kind, leaf, context, texts["question"])
    return Question(name, leaf, texts["question"], texts["answer"], kind, context, accept, rule, seed)


def _rule(node: yaml.Node, what: str, path: Path) -> Rule:
    fields = _fields(node, _RULES, f'"rule" of {what}', path)
    if not fields:
        raise _wrong(path, node, f'"rule" of {what} is empty')
    texts = {
        name: _text(value, f'"{name}" of {what}', path) for name, value in fields.items() if name != "contains_all"
    }
    if "matches" in texts:
        _check_pattern(texts["matches"], fields["matches"], what, path)
    every = _texts(fields["contains_all"], f'"contains_all" of {what}', path) if "contains_all" in fields else ()
    return Rule(contains_all=every, **texts)


def _check_pattern(pattern: str, node: yaml.Node, what: str, path: Path) -> None:
    import regex  # type: ignore[import-untyped]

    if len(pattern) > _LONGEST_PATTERN:
        raise _wrong(path, node, f'"matches" of {what} has more than {_LONGEST_PATTERN} characters')
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise _wrong(path, node, f'"matches" of {what} is not a regular expression ({error})') from None


def _parse(path: Path) -> yaml.Node:
    """The file as YAML nodes, which know their lines; nothing is constructed, so nothing can be executed or guessed."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _wrong(path, None, "it has more than 1 MB, which no list of questions needs")
        text = path.read_bytes().decode("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except OSError as error:
        raise EvaluationError(
            f'"{path}" cannot be read: {error.strerror}.', "Check the file and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise _wrong(path, None, f"byte {error.start} is not UTF-8; save it with that encoding") from None
    except RecursionError:
        raise _wrong(path, None, "its brackets are nested too deep") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML"
        raise _wrong(path, line, f"{problem}; a text with a colon or quotes must stand in quotes") from None
    except ValueError as error:  # of an escape like "\U00110000", which PyYAML does not look at
        raise _wrong(path, None, f"a \\ in quotes stands for no character ({error}); write \\\\ for one") from None
    if root is None:
        raise _wrong(path, None, "it is empty")
    return root


def _fields(node: yaml.Node, known: Iterable[str], what: str, path: Path) -> dict[str, yaml.Node]:
    names = list(known)
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, f"{what} must be fields with values ({', '.join(names)})")
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in names:
            raise _wrong(path, key, f'{what} has the unknown field "{name}"; known are {", ".join(names)}')
        if name in fields:
            raise _wrong(path, key, f'{what} has "{name}" twice')
        fields[name] = value
    return fields


def _items(node: yaml.Node, what: str, path: Path) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise _wrong(path, node, f"{what} must be a list with at least one item")
    return list(node.value)


def _texts(node: yaml.Node, what: str, path: Path) -> tuple[str, ...]:
    return tuple(_text(item, f"an item of {what}", path) for item in _items(node, what, path))


def _text(node: yaml.Node, what: str, path: Path) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(path, node, f"{what} must be a text")
    text = str(node.value).strip()
    if not text:
        raise _wrong(path, node, f"{what} is empty")
    return text


def _truth(node: yaml.Node, what: str, path: Path) -> bool:
    text = _text(node, what, path).lower()
    if text not in ("true", "false"):
        raise _wrong(path, node, f"{what} must be true or false")
    return text == "true"


def _wrong(path: Path, place: yaml.Node | int | None, what: str) -> EvaluationError:
    line = place.start_mark.line + 1 if isinstance(place, yaml.Node) else place
    where = f'Line {line} of "{path}"' if line else f'"{path}"'
    return EvaluationError(f"{where} cannot be used: {what}.", "Correct the file; nothing has been asked yet.")


def _damaged_row(path: Path, number: int, details: str) -> EvaluationError:
    return EvaluationError(
        f'Row {number} of "{path}" is not a question with its answer.',
        "Run the step that mixes the data again.",
        details,
    )


def _id(kind: str, leaf: str, context: str, question: str) -> str:
    # The context belongs in: the same question about two materials is two questions.
    text = "\0".join((leaf, context, question))
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
