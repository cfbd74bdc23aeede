"""A leaf from any text that YAML can read: old versions, misread values, forgotten hyphens, fields in the wrong place.

Works on PyYAML's node tree, where a value still stands as it was written. Values are taken as texts; what a leaf has no
place for is listed, with the line it stands in.
"""

from __future__ import annotations

import difflib
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.qna import quoted
from lab_desktop.taxonomy.repairs import Loss, Mended, Repair
from lab_desktop.taxonomy.sweep import FIELDS
from lab_desktop.taxonomy.tree import ROOTS, node_of
from lab_desktop.taxonomy.words import LINT

_TEXTS = ("created_by", "domain", "task_description", "document_outline")
_TOP = ("version", *_TEXTS, "seed_examples", "document")
_EXAMPLE = ("context", "question", "answer", "questions_and_answers")
_PAIR = ("question", "answer")
_DOCUMENT = ("repo", "commit", "patterns")
_OTHER_NAMES = {
    "seeds": "seed_examples", "examples": "seed_examples", "seed_example": "seed_examples", "author": "created_by",
    "task": "task_description", "description": "task_description", "outline": "document_outline",
    "qna": "questions_and_answers", "questions": "questions_and_answers", "pairs": "questions_and_answers",
    "q": "question", "a": "answer", "prompt": "question", "response": "answer", "passage": "context",
    "repository": "repo", "sha": "commit", "pattern": "patterns", "files": "patterns",
}  # fmt: skip
_STANDARD_TAG = "tag:yaml.org,2002:"
_MOST_LINTED = 500_000
_LAYOUT_ONLY = "Only blanks and line ends change."


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


_Field = tuple[str, yaml.Node, yaml.Node]
"""Name, node of the name, node of the value."""


class Reader:
    """Reads one file into a leaf and notes what does not go without saying.

    Attributes:
        repairs, losses: what was noted, in no order.
    """

    def __init__(self, mended: Mended, place: Path) -> None:
        self.repairs = mended.repairs
        self.losses = mended.losses
        self._mended = mended
        self._place = place
        self._text = mended.text
        self._starts = [0, *(found.end() for found in re.finditer("\n", self._text))]
        self._comments_read: set[int] = set()
        self._shared = _shared(mended.root)

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
        texts = {name: self._text_of(values[name][1], name) for name in _TEXTS if name in values}
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
        self._comments()
        self._layout()
        return leaf

    # The tree

    def _top_fields(self) -> list[_Field]:
        """The fields of the whole file; a part of one counts as its examples."""
        root = self._mended.root
        if isinstance(root, yaml.SequenceNode) and any(isinstance(item, yaml.MappingNode) for item in root.value):
            return [("seed_examples", root, root)]
        if not isinstance(root, yaml.MappingNode):
            return []
        names = {_plain_name(name) for name, _ in root.value}
        in_example = {_known_name(name, _EXAMPLE) for name in names} - {""}
        if (names & {*_EXAMPLE} or len(in_example) > 1) and not names & {*_TOP}:
            return [
                (
                    "seed_examples",
                    root,
                    yaml.SequenceNode(f"{_STANDARD_TAG}seq", [root], root.start_mark, root.end_mark),
                )
            ]
        if names & {*_DOCUMENT} and not names & {*_TOP}:
            return [("document", root, root)]
        if not any(_known_name(name, _TOP) for name in names):
            return []
        fields = self._fields(root, _TOP)
        return self._without_doubles(fields, but=("seed_examples",))

    def _fields(self, node: yaml.MappingNode, known: tuple[str, ...]) -> list[_Field]:
        """The known fields of a mapping, in order; what is not known is listed as lost."""
        fields: list[_Field] = []
        merged: list[_Field] = []
        exact = {_plain_name(name_node) for name_node, _ in node.value}
        for name_node, value in node.value:
            if name_node.tag == f"{_STANDARD_TAG}merge":
                self._repair(
                    name_node, self._source(name_node, value), "", "What was shared through << is written out."
                )
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in parts:
                    if isinstance(part, yaml.MappingNode):
                        merged += self._fields(part, known)
                continue
            written = _plain_name(name_node)
            name = _known_name(written, known)
            if not name or (name != written and name in exact):
                shown = f'the field "{written}"' if written else "a field without a name"
                self._lose(name_node, shown, self._source(name_node, value))
                continue
            if name != written:
                why = f'The field is called "{name}".'
                self._repair(name_node, f"{written}:", f"{name}:", why)
            fields.append((name, name_node, value))
        own = {name for name, _, _ in fields}
        return fields + [each for each in merged if each[0] not in own]

    def _without_doubles(self, fields: list[_Field], but: tuple[str, ...] = ()) -> list[_Field]:
        """Of fields that are written twice the last, as YAML reads them; the others are listed as lost."""
        last = {name: number for number, (name, _, _) in enumerate(fields)}
        kept = []
        for number, (name, name_node, value) in enumerate(fields):
            if number == last[name] or name in but:
                kept.append((name, name_node, value))
            else:
                self._lose(name_node, f'the field "{name}", which is written twice', self._source(name_node, value))
        return kept

    def _items(self, node: yaml.Node) -> Iterator[_Item]:
        """The seed examples of a list."""
        for part in self._list(node, "seed_examples"):
            if isinstance(part, yaml.MappingNode):
                yield from self._example(part)
            elif self._written(part):
                self._lose(part, "an example without question and answer", self._slice(part))

    def _list(self, node: yaml.Node, name: str) -> list[yaml.Node]:
        """The items of a list; a single item without hyphen counts as one."""
        if isinstance(node, yaml.SequenceNode):
            return self._joined(node.value)
        if isinstance(node, yaml.MappingNode):
            self._repair(
                node, self._line(node), f"- {self._line(node).strip()}", f"The items of {name} begin with a hyphen."
            )
            return [node]
        if self._written(node):
            return [node]
        return []

    def _joined(self, items: list[yaml.Node]) -> list[yaml.Node]:
        """The items; what has a hyphen of its own, but belongs to the item before, is put there."""
        joined: list[yaml.Node] = []
        for item in items:
            before = joined[-1] if joined else None
            if isinstance(before, yaml.MappingNode) and _goes_on(_only_names(before), _only_names(item)):
                here = self._line(item).strip()
                self._repair(item, here, here.lstrip("- "), "This belongs to the item before and needs no hyphen.")
                joined[-1] = yaml.MappingNode(before.tag, before.value + item.value, before.start_mark, item.end_mark)
            else:
                joined.append(item)
        return joined

    def _example(self, node: yaml.MappingNode) -> Iterator[_Item]:
        fields = self._fields(node, _EXAMPLE)
        contexts = [each for each in fields if each[0] == "context"]
        if len(contexts) > 1 and self._counts_agree(fields, "context"):
            groups = self._regrouped(fields)
        else:
            groups = [self._without_doubles(fields, but=("question", "answer", "questions_and_answers"))]
        for group in groups:
            item = _Item(self._number(group[0][1] if group else node))
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
        if _is_null(value) and not self._comment_as_text(value):
            if self._written(value):
                self._repair(name_node, self._source(name_node, value), "", "An empty context is left out.")
            return None
        return self._text_of(value, "context")

    def _pairs(self, node: yaml.Node) -> Iterator[Pair]:
        for part in self._list(node, "questions_and_answers"):
            if isinstance(part, yaml.MappingNode):
                yield from self._pair(self._fields(part, _PAIR))
            elif self._written(part):
                self._lose(part, "a question without answer", self._slice(part))

    def _pair(self, fields: list[_Field]) -> Iterator[Pair]:
        """The pairs of one mapping: more than one where the hyphens between them were forgotten."""
        if self._counts_agree(fields, "question") and len(fields) > len(_PAIR):
            groups = self._regrouped(fields)
        else:
            groups = [self._without_doubles(fields)]
        for group in groups:
            texts = {name: self._text_of(value, name) for name, _, value in group}
            if texts:
                yield Pair(texts.get("question", ""), texts.get("answer", ""))

    def _counts_agree(self, fields: list[_Field], name: str) -> bool:
        """True where questions and answers come in equal numbers, as where a hyphen was forgotten."""
        names = [each[0] for each in fields]
        if name == "context":
            return names.count("context") in (names.count("question"), names.count("questions_and_answers"))
        return names.count("question") == names.count("answer") > 0

    def _regrouped(self, fields: list[_Field]) -> list[list[_Field]]:
        """`fields` cut where one of them comes again."""
        groups: list[list[_Field]] = [[]]
        for each in fields:
            if each[0] in {name for name, _, _ in groups[-1]}:
                groups.append([])
                here = self._line(each[1]).strip()
                self._repair(each[1], here, f"- {here}", "A hyphen was forgotten: here begins the next one.")
            groups[-1].append(each)
        return groups

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
        written = self._written(value)
        if written == "3" and value.tag == f"{_STANDARD_TAG}int":
            return
        why = "Lessons are written in version 3 of the format."
        if written in ("1", "2"):
            why = f"The lesson has an older format (version {written}); version 3 holds all of it."
        if written in ("1", "2") and is_knowledge:
            why = (
                f"The lesson has the old format (version {written}): its questions have no passages. "
                "They are kept; give them passages of the document."
            )
        self._repair(name_node, self._source(name_node, value), "version: 3", why)

    def _misplaced_texts(
        self, texts: dict[str, str], values: dict[str, tuple[yaml.Node, yaml.Node]], is_knowledge: bool
    ) -> None:
        """A task description has no place in knowledge any more: it becomes the outline where there is none."""
        if not is_knowledge and "domain" in texts:
            del texts["domain"]
            self._lose(values["domain"][0], 'the field "domain"', self._source(*values["domain"]))
        if not is_knowledge or "task_description" not in texts:
            return
        task = texts.pop("task_description")
        source = self._source(*values["task_description"])
        if task and not texts.get("document_outline"):
            texts["document_outline"] = task
            why = "Facts lessons have no task description any more: it says what the document is about."
            self._repair(values["task_description"][0], source, f"document_outline: {quoted(task)}", why)
        elif task:
            self._lose(values["task_description"][0], 'the field "task_description"', source)

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
            if not self._written(node):
                return None
            source = self._slice(node)
            self._repair(
                node, f"document: {source}", f"repo: {quoted(source)}", "The document's source has its own line."
            )
            return DocumentSource(source, "", ())
        values = {name: value for name, _, value in self._without_doubles(self._fields(node, _DOCUMENT))}
        patterns: list[str] = []
        part = values.get("patterns")
        if isinstance(part, yaml.SequenceNode):
            patterns = [self._text_of(each, "-") for each in part.value]
        elif part is not None and (pattern := self._text_of(part, "-")):
            patterns = [pattern]
            self._repair(part, self._line(part).strip(), f"- {quoted(pattern)}", "The file names are a list.")
        repo, commit = (self._text_of(values[name], name) if name in values else "" for name in ("repo", "commit"))
        return DocumentSource(repo, commit, tuple(patterns))

    # Texts

    def _text_of(self, node: yaml.Node, name: str) -> str:
        """The text of a value as it was written, whatever YAML takes it for."""
        head = "- " if name == "-" else f"{name}: "
        if not isinstance(node, yaml.ScalarNode):
            text = self._slice(node)
            why = "This is a text; YAML would read a list or a group of fields."
            self._repair(node, f"{head}{text}", f"{head}{quoted(text)}", why)
            return text
        if node.style is not None:
            return str(node.value)
        if _is_null(node) and (comment := self._comment_as_text(node)):
            why = "This is a text; YAML would read a comment, because it begins with #."
            self._repair(node, f"{head}{comment}", f"{head}{quoted(comment)}", why)
            return comment
        written = self._written(node)
        if _is_null(node) and not written.startswith(("&", "!")):
            if written:
                self._repair(node, f"{head}{written}", f'{head}""', f"{written} stands for nothing.")
            return ""
        if written.startswith("!!") or (written.startswith("&") and id(node) in self._shared):
            return str(node.value)
        is_text = node.tag == f"{_STANDARD_TAG}str" and not written.startswith(("&", "!"))
        if is_text:
            return str(node.value)
        text = " ".join(written.split()) if "\n" in written else written
        self._repair(node, f"{head}{text}", f"{head}{quoted(text)}", _misreading(node))
        return text

    def _comment_as_text(self, node: yaml.Node) -> str:
        """A comment that stands where a text is missing on the same line; "" where there is none."""
        if self._written(node):
            return ""
        end = self._text.find("\n", node.start_mark.index)
        rest = self._text[node.start_mark.index : end if end >= 0 else len(self._text)]
        if not re.match(r"\s+#", rest):
            return ""
        self._comments_read.add(node.start_mark.index + rest.index("#"))
        return rest.strip()

    def _written(self, node: yaml.Node) -> str:
        return self._text[node.start_mark.index : node.end_mark.index]

    def _slice(self, node: yaml.Node) -> str:
        """The source of a value."""
        return self._between(node, node)

    def _source(self, name: yaml.Node, value: yaml.Node) -> str:
        """A field as it was written."""
        if value.start_mark.index < name.end_mark.index:  # an alias: the value stands elsewhere
            return self._line(name).strip()
        return self._between(name, value)

    def _between(self, first: yaml.Node, last: yaml.Node) -> str:
        """The source from one node to another with its indent left off, without comments after it."""
        lines = self._text[first.start_mark.index : last.end_mark.index].rstrip().split("\n")
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        column = first.start_mark.column
        return "\n".join([lines[0], *(line[min(column, len(line) - len(line.lstrip())) :] for line in lines[1:])])

    def _line(self, node: yaml.Node) -> str:
        return self._mended.lines[self._at(node.start_mark.index)]

    def _at(self, index: int) -> int:
        """Number of the line, from 0, in which a letter of the text stands."""
        return min(bisect_right(self._starts, index), len(self._mended.lines)) - 1

    def _number(self, node: yaml.Node) -> int:
        return self._mended.numbers[self._at(node.start_mark.index)]

    def _repair(self, node: yaml.Node, before: str, after: str, why: str) -> None:
        self.repairs.append(Repair(self._number(node), before, after, why))

    def _lose(self, node: yaml.Node, what: str, text: str) -> None:
        self.losses.append(Loss(self._number(node), what, text))

    # The rest of the file

    def _comments(self) -> None:
        """List the comments, which a leaf has no place for, and the texts that were shared through aliases."""
        last: yaml.Token | None = None
        for token in yaml.scan(self._text, Loader=yaml.SafeLoader):
            if last is not None:
                self._gap(last.end_mark.index, token.start_mark.index)
            if isinstance(token, yaml.AliasToken):
                number = self._mended.numbers[self._at(token.start_mark.index)]
                self.repairs.append(Repair(number, f"*{token.value}", "", "A shared text is written out."))
            if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
                head_end = self._text.find("\n", token.start_mark.index)
                self._gap(token.start_mark.index + 1, head_end if head_end >= 0 else len(self._text))
            last = token

    def _gap(self, start: int, end: int) -> None:
        """List the comments between two tokens."""
        for found in re.finditer(r"#.*", self._text[start:end]):
            if start + found.start() not in self._comments_read:
                number = self._mended.numbers[self._at(start + found.start())]
                self.losses.append(Loss(number, "a comment", found[0].rstrip()))

    def _layout(self) -> None:
        """Name each kind of layout that InstructLab objects to, once, with its first line."""
        # yamllint takes its time to load, and only importing needs it here.
        import yamllint.config
        import yamllint.linter

        if not self._mended.was_yaml or len(self._text) > _MOST_LINTED:
            return
        config = yamllint.config.YamlLintConfig("{extends: relaxed, rules: {line-length: disable}}")
        lines: dict[str, list[int]] = {}
        for problem in yamllint.linter.run(self._text, config):
            if problem.rule in LINT and problem.rule not in ("key-duplicates", "anchors"):
                lines.setdefault(problem.rule, []).append(problem.line - 1)
        for rule, found in lines.items():
            at = min(found[0], len(self._mended.lines) - 1)
            line = self._mended.lines[at]
            message = LINT[rule][0].replace(" ({desc})", "")
            more = f" There are {len(found)} such lines." if len(found) > 1 else ""
            after = " ".join(line.split())
            self.repairs.append(Repair(self._mended.numbers[at], line, after, f"{message}{more} {_LAYOUT_ONLY}"))


def _shared(root: yaml.Node | None) -> set[int]:
    """Ids of the nodes that stand in several places of the tree."""
    seen: set[int] = set()
    twice: set[int] = set()
    rest = [root] if root is not None else []
    while rest:
        node = rest.pop()
        if id(node) in seen:
            twice.add(id(node))
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            rest += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            rest += node.value
    return twice


def _only_names(node: yaml.Node) -> list[str]:
    return [_plain_name(name) for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _goes_on(before: list[str], names: list[str]) -> bool:
    """True where an item with these fields is the second half of the one before."""
    halves = (("question", "answer"), ("context", "questions_and_answers"))
    return any(names == [second] and first in before and second not in before for first, second in halves)


def _plain_name(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _known_name(written: str, known: tuple[str, ...]) -> str:
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


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == f"{_STANDARD_TAG}null"


_MISREADINGS = {
    "bool": "This is a word; YAML would read true or false.",
    "int": "This is a text; YAML would read a number.",
    "float": "This is a text; YAML would read a number.",
    "timestamp": "This is a text; YAML would read a date.",
}


def _misreading(node: yaml.ScalarNode) -> str:
    return _MISREADINGS.get(node.tag.removeprefix(_STANDARD_TAG), "This is a text; YAML would read a sign of its own.")
