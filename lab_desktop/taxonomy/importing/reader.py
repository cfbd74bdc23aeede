"""A leaf from any text that YAML can read: old versions, misread values, forgotten hyphens, fields in the wrong place.

Works on PyYAML's node tree, where a value still stands as it was written. Values are taken as texts; what a leaf has no
place for is listed, with the line it stands in.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.importing.fields import Field, Fields, known_name, plain_name
from lab_desktop.taxonomy.importing.leftovers import note_leftovers
from lab_desktop.taxonomy.importing.repairs import Mended, Repair
from lab_desktop.taxonomy.importing.written import TAG, Written, is_null
from lab_desktop.taxonomy.qna import quoted
from lab_desktop.taxonomy.tree import ROOTS, node_of

_TEXTS = ("created_by", "domain", "task_description", "document_outline")
_TOP = ("version", *_TEXTS, "seed_examples", "document")
_EXAMPLE = ("context", "question", "answer", "questions_and_answers")
_PAIR = ("question", "answer")
_DOCUMENT = ("repo", "commit", "patterns")


@dataclass
class _Item:
    """One seed example while it is read.

    Attributes:
        context: None where there is none.
        is_flat: its question stands beside its context, as in a skill.
        line: where it begins, from 1.
    """

    line: int
    context: str | None = None
    pairs: list[Pair] = field(default_factory=list)
    is_flat: bool = True


class Reader:
    """Reads one file into a leaf and notes what does not go without saying.

    Attributes:
        repairs, losses: what was noted, in no order.
    """

    def __init__(self, mended: Mended, place: Path) -> None:
        self.repairs = mended.repairs
        self.losses = mended.losses
        self._root = mended.root
        self._place = place
        self._file = Written(mended)
        self._fields = Fields(self._file)

    def leaf(self) -> Leaf:
        """The leaf, version 3.

        Raises:
            LeafError: there is nothing of a lesson.
        """
        fields = self._top_fields()
        values = {name: (name_node, value) for name, name_node, value in fields}
        if not values:
            raise LeafError(
                "There is nothing of a lesson in it.", "A lesson has lines such as created_by: and seed_examples:."
            )
        items = [item for name, _, value in fields if name == "seed_examples" for item in self._items(value)]
        is_knowledge = self._is_knowledge(set(values), items)
        texts = {name: self._file.text_of(values[name][1], name) for name in _TEXTS if name in values}
        self._version(values, is_knowledge)
        self._misplaced_texts(texts, values, is_knowledge)
        examples = self._passages(items) if is_knowledge else self._skill_examples(items)
        if is_knowledge:
            kind = LeafKind.KNOWLEDGE
        else:
            has_context = any(example.context is not None for example in examples)
            kind = LeafKind.GROUNDED_SKILL if has_context else LeafKind.FREEFORM_SKILL
        leaf = Leaf(
            node=self._node(is_knowledge),
            folder=self._place,
            kind=kind,
            version=3,
            seed_examples=tuple(examples),
            document=self._document(values["document"][1]) if is_knowledge and "document" in values else None,
            **{**dict.fromkeys(_TEXTS, ""), **texts},
        )
        note_leftovers(self._file)
        return leaf

    # The tree

    def _top_fields(self) -> list[Field]:
        """The fields of the whole file; a part of one counts as its examples."""
        root = self._root
        if isinstance(root, yaml.SequenceNode) and any(isinstance(item, yaml.MappingNode) for item in root.value):
            return [("seed_examples", root, root)]
        if not isinstance(root, yaml.MappingNode):
            return []
        names = {plain_name(name) for name, _ in root.value}
        in_example = {known_name(name, _EXAMPLE) for name in names} - {""}
        if (names & {*_EXAMPLE} or len(in_example) > 1) and not names & {*_TOP}:
            return [
                (
                    "seed_examples",
                    root,
                    yaml.SequenceNode(f"{TAG}seq", [root], root.start_mark, root.end_mark),
                )
            ]
        if names & {*_DOCUMENT} and not names & {*_TOP}:
            return [("document", root, root)]
        if not any(known_name(name, _TOP) for name in names):
            return []
        fields = self._fields.of(root, _TOP)
        return self._fields.without_doubles(fields, but=("seed_examples",))

    def _items(self, node: yaml.Node) -> Iterator[_Item]:
        """The seed examples of a list."""
        for part in self._fields.listed(node, "seed_examples"):
            if isinstance(part, yaml.MappingNode):
                yield from self._example(part)
            elif self._file.written(part):
                self._file.lose(part, "an example without question and answer", self._file.slice(part))

    def _example(self, node: yaml.MappingNode) -> Iterator[_Item]:
        fields = self._fields.of(node, _EXAMPLE)
        contexts = [each for each in fields if each[0] == "context"]
        if len(contexts) > 1 and self._fields.counts_agree(fields, "context"):
            groups = self._fields.regrouped(fields)
        else:
            groups = [self._fields.without_doubles(fields, but=("question", "answer", "questions_and_answers"))]
        for group in groups:
            item = _Item(self._file.number(group[0][1] if group else node))
            flat = [each for each in group if each[0] in _PAIR]
            for name, name_node, value in group:
                if name == "context":
                    item.context = self._context(name_node, value)
                elif name == "questions_and_answers":
                    item.is_flat = False
                    item.pairs += self._pairs(value)
            if flat:
                item.pairs += self._pair(flat)
            yield item

    def _context(self, name_node: yaml.Node, value: yaml.Node) -> str | None:
        if is_null(value) and not self._file.comment_as_text(value):
            if self._file.written(value):
                self._file.repair(name_node, self._file.source(name_node, value), "", "An empty context is left out.")
            return None
        return self._file.text_of(value, "context")

    def _pairs(self, node: yaml.Node) -> Iterator[Pair]:
        for part in self._fields.listed(node, "questions_and_answers"):
            if isinstance(part, yaml.MappingNode):
                yield from self._pair(self._fields.of(part, _PAIR))
            elif self._file.written(part):
                self._file.lose(part, "a question without answer", self._file.slice(part))

    def _pair(self, fields: list[Field]) -> Iterator[Pair]:
        """The pairs of one mapping: more than one where the hyphens between them were forgotten."""
        if self._fields.counts_agree(fields, "question") and len(fields) > len(_PAIR):
            groups = self._fields.regrouped(fields)
        else:
            groups = [self._fields.without_doubles(fields)]
        for group in groups:
            texts = {name: self._file.text_of(value, name) for name, _, value in group}
            if texts:
                yield Pair(texts.get("question", ""), texts.get("answer", ""))

    # What it is

    def _is_knowledge(self, names: set[str], items: list[_Item]) -> bool:
        if names & {"document", "document_outline"}:
            return True
        root = node_of(self._place, False)[0] if set(self._place.parts) & {*ROOTS} else ""
        if "task_description" in names:  # old knowledge has one too
            return "domain" in names and root == "knowledge"
        if "domain" in names:
            return True
        if root in ("knowledge", "compositional_skills"):
            return root == "knowledge"
        return any(not item.is_flat for item in items)

    def _node(self, is_knowledge: bool) -> tuple[str, ...]:
        node = node_of(self._place, is_knowledge)
        wrong, right = ROOTS[1::-1] if is_knowledge else ROOTS[:2]
        if node[0] != wrong or not {*self._place.parts} & {*ROOTS}:
            return node
        moved = (right, *node[1:])
        kind = "facts" if is_knowledge else "a skill"
        self.repairs.append(
            Repair(1, "/".join(node), "/".join(moved), f"The lesson teaches {kind}: this is the place for it.")
        )
        return moved

    def _version(self, values: dict[str, tuple[yaml.Node, yaml.Node]], is_knowledge: bool) -> None:
        if "version" not in values:
            if set(values) & {*_TEXTS, "document"}:
                self.repairs.append(Repair(1, "", "version: 3", "The version of the format was missing."))
            return
        name_node, value = values["version"]
        written = self._file.written(value)
        if written == "3" and value.tag == f"{TAG}int":
            return
        why = "Lessons are written in version 3 of the format."
        if written in ("1", "2"):
            why = f"The lesson has an older format (version {written}); version 3 holds all of it."
        if written in ("1", "2") and is_knowledge:
            why = (
                f"The lesson has the old format (version {written}): its questions have no passages. "
                "They are kept; give them passages of the document."
            )
        self._file.repair(name_node, self._file.source(name_node, value), "version: 3", why)

    def _misplaced_texts(
        self, texts: dict[str, str], values: dict[str, tuple[yaml.Node, yaml.Node]], is_knowledge: bool
    ) -> None:
        """A task description has no place in knowledge any more: it becomes the outline where there is none."""
        if not is_knowledge and "domain" in texts:
            del texts["domain"]
            self._file.lose(values["domain"][0], 'the field "domain"', self._file.source(*values["domain"]))
        if not is_knowledge or "task_description" not in texts:
            return
        task = texts.pop("task_description")
        source = self._file.source(*values["task_description"])
        if task and not texts.get("document_outline"):
            texts["document_outline"] = task
            why = "Facts lessons have no task description any more: it says what the document is about."
            self._file.repair(values["task_description"][0], source, f"document_outline: {quoted(task)}", why)
        elif task:
            self._file.lose(values["task_description"][0], 'the field "task_description"', source)

    def _passages(self, items: list[_Item]) -> list[SeedExample]:
        """The seed examples of knowledge; flat questions that follow each other share the context that they have."""
        examples = []
        for is_flat, run in itertools.groupby(items, key=lambda item: item.is_flat and bool(item.pairs)):
            if not is_flat:
                examples += [SeedExample(tuple(item.pairs), item.context or "") for item in run]
                continue
            for context, group in itertools.groupby(run, key=lambda item: item.context or ""):
                same = list(group)
                examples.append(SeedExample(tuple(pair for item in same for pair in item.pairs), context))
                why = "The questions are put under the passage that they share."
                if not context:
                    why = "These questions have no passage; they are kept together until you give them passages."
                self.repairs.append(Repair(same[0].line, "- question:", "questions_and_answers:", why))
        return examples

    def _skill_examples(self, items: list[_Item]) -> list[SeedExample]:
        for item in items:
            if len(item.pairs) > 1 or (item.pairs and not item.is_flat):
                why = "An example of a skill has one question: those that share one become examples of their own."
                self.repairs.append(Repair(item.line, "questions_and_answers:", "- question:", why))
        return [
            SeedExample((pair,), item.context)
            for item in items
            for pair in (item.pairs or ([Pair("", "")] if item.context else []))
        ]

    def _document(self, node: yaml.Node) -> DocumentSource | None:
        if isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
            node = node.value[0]
        if not isinstance(node, yaml.MappingNode):
            if not self._file.written(node):
                return None
            source = self._file.slice(node)
            self._file.repair(
                node, f"document: {source}", f"repo: {quoted(source)}", "The document's source has its own line."
            )
            return DocumentSource(source, "", ())
        values = {name: value for name, _, value in self._fields.without_doubles(self._fields.of(node, _DOCUMENT))}
        patterns: list[str] = []
        part = values.get("patterns")
        if isinstance(part, yaml.SequenceNode):
            patterns = [self._file.text_of(each, "-") for each in part.value]
        elif part is not None and (pattern := self._file.text_of(part, "-")):
            patterns = [pattern]
            self._file.repair(part, self._file.line(part).strip(), f"- {quoted(pattern)}", "The file names are a list.")
        repo, commit = (self._file.text_of(values[name], name) if name in values else "" for name in ("repo", "commit"))
        return DocumentSource(repo, commit, tuple(patterns))
