"""The fields of a lesson that were meant: other spellings, fields written twice, hyphens missing or too many."""

from __future__ import annotations

import difflib
import re

import yaml

from lab_desktop.taxonomy.importing.sweep import FIELDS
from lab_desktop.taxonomy.importing.written import TAG, Written

_OTHER_NAMES = {
    "seeds": "seed_examples", "examples": "seed_examples", "seed_example": "seed_examples", "author": "created_by",
    "task": "task_description", "description": "task_description", "outline": "document_outline",
    "qna": "questions_and_answers", "questions": "questions_and_answers", "pairs": "questions_and_answers",
    "q": "question", "a": "answer", "prompt": "question", "response": "answer", "passage": "context",
    "repository": "repo", "sha": "commit", "pattern": "patterns", "files": "patterns",
}  # fmt: skip
Field = tuple[str, yaml.Node, yaml.Node]
"""Name, node of the name, node of the value."""


class Fields:
    """Finds the fields in mappings and lists, and notes what that took."""

    def __init__(self, file: Written) -> None:
        self._file = file

    def of(self, node: yaml.MappingNode, known: tuple[str, ...]) -> list[Field]:
        """The known fields of a mapping, in order; what is not known is listed as lost."""
        fields: list[Field] = []
        merged: list[Field] = []
        exact = {plain_name(name_node) for name_node, _ in node.value}
        for name_node, value in node.value:
            if name_node.tag == f"{TAG}merge":
                self._file.repair(
                    name_node, self._file.source(name_node, value), "", "What was shared through << is written out."
                )
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in parts:
                    if isinstance(part, yaml.MappingNode):
                        merged += self.of(part, known)
                continue
            written = plain_name(name_node)
            name = known_name(written, known)
            if not name or (name != written and name in exact):
                shown = f'the field "{written}"' if written else "a field without a name"
                self._file.lose(name_node, shown, self._file.source(name_node, value))
                continue
            if name != written:
                why = f'The field is called "{name}".'
                self._file.repair(name_node, f"{written}:", f"{name}:", why)
            fields.append((name, name_node, value))
        own = {name for name, _, _ in fields}
        return fields + [each for each in merged if each[0] not in own]

    def without_doubles(self, fields: list[Field], but: tuple[str, ...] = ()) -> list[Field]:
        """Of fields that are written twice the last, as YAML reads them; the others are listed as lost."""
        last = {name: number for number, (name, _, _) in enumerate(fields)}
        kept = []
        for number, (name, name_node, value) in enumerate(fields):
            if number == last[name] or name in but:
                kept.append((name, name_node, value))
            else:
                self._file.lose(
                    name_node, f'the field "{name}", which is written twice', self._file.source(name_node, value)
                )
        return kept

    def listed(self, node: yaml.Node, name: str) -> list[yaml.Node]:
        """The items of a list; a single item without hyphen counts as one."""
        if isinstance(node, yaml.SequenceNode):
            return self._joined(node.value)
        if isinstance(node, yaml.MappingNode):
            self._file.repair(
                node,
                self._file.line(node),
                f"- {self._file.line(node).strip()}",
                f"The items of {name} begin with a hyphen.",
            )
            return [node]
        if self._file.written(node):
            return [node]
        return []

    def _joined(self, items: list[yaml.Node]) -> list[yaml.Node]:
        """The items; what has a hyphen of its own, but belongs to the item before, is put there."""
        joined: list[yaml.Node] = []
        for item in items:
            before = joined[-1] if joined else None
            if isinstance(before, yaml.MappingNode) and _goes_on(_only_names(before), _only_names(item)):
                here = self._file.line(item).strip()
                self._file.repair(item, here, here.lstrip("- "), "This belongs to the item before and needs no hyphen.")
                joined[-1] = yaml.MappingNode(before.tag, before.value + item.value, before.start_mark, item.end_mark)
            else:
                joined.append(item)
        return joined

    def counts_agree(self, fields: list[Field], name: str) -> bool:
        """True where questions and answers come in equal numbers, as where a hyphen was forgotten."""
        names = [each[0] for each in fields]
        if name == "context":
            return names.count("context") in (names.count("question"), names.count("questions_and_answers"))
        return names.count("question") == names.count("answer") > 0

    def regrouped(self, fields: list[Field]) -> list[list[Field]]:
        """`fields` cut where one of them comes again."""
        groups: list[list[Field]] = [[]]
        for each in fields:
            if each[0] in {name for name, _, _ in groups[-1]}:
                groups.append([])
                here = self._file.line(each[1]).strip()
                self._file.repair(each[1], here, f"- {here}", "A hyphen was forgotten: here begins the next one.")
            groups[-1].append(each)
        return groups


def _only_names(node: yaml.Node) -> list[str]:
    return [plain_name(name) for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _goes_on(before: list[str], names: list[str]) -> bool:
    """True where an item with these fields is the second half of the one before."""
    halves = (("question", "answer"), ("context", "questions_and_answers"))
    return any(names == [second] and first in before and second not in before for first, second in halves)


def plain_name(node: yaml.Node) -> str:
    """A field's name as it was written; "" where it is no text."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def known_name(written: str, known: tuple[str, ...]) -> str:
    """The field that a name means; "" for none."""
    if written in known:
        return written
    name = re.sub(r"[\W_]+", "_", written.lower()).strip("_")
    name = _OTHER_NAMES.get(name, name)
    if name in known:
        return name
    if len(name) < 4 or name in FIELDS:
        return ""
    # "question_id" is another field, "qestion" is not.
    like = [each for each in known if each.count("_") == name.count("_")]
    return next(iter(difflib.get_close_matches(name[:40], like, n=1, cutoff=0.8)), "")
