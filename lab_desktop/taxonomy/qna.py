"""qna.yaml: a leaf from the file, and the file from a leaf.

Reads version 3, and skills of the older versions 1 and 2. Writes version 3 only, in one form: every text in
double quotes or, when it has several lines, as a block, so that YAML cannot misread a text, nor InstructLab's lint
object to it. Any text reads back as the same text, the line ends inside it (\r\n, U+2028) and half characters included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, Pair, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.files import write_text
from lab_desktop.taxonomy.source import Source, SourceProblem, has_comments, parse, read_source, repeated_keys
from lab_desktop.taxonomy.tree import FILE_NAME, node_of

if TYPE_CHECKING:
    from lab_desktop.taxonomy.check import Inspection

VERSION = 3
"""What is written."""
_SHOWN = 3
_FIELDS = {
    True: {"version", "created_by", "domain", "document_outline", "seed_examples", "document"},
    False: {"version", "created_by", "task_description", "seed_examples"},
}
"""The fields of a knowledge leaf, and of a skill."""


def read_leaf(folder: Path) -> Leaf:
    """The leaf in `folder` (or at the path of a qna.yaml).

    Blanks and blank lines that InstructLab's lint objects to are no reason to refuse; texts are given as written.

    Raises:
        LeafError: the file has errors; the first of them are listed with line and field.
    """
    # The validators behind it take longer to import than the whole window to draw.
    from lab_desktop.taxonomy.check import inspect

    file = folder if folder.name == FILE_NAME else folder / FILE_NAME
    found = inspect(file)
    errors = [problem for problem in found.problems if problem.severity == "error" and not problem.layout]
    if errors:
        count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
        listed = " ".join(str(problem) for problem in errors[:_SHOWN])
        rest = f" And {len(errors) - _SHOWN} more." if len(errors) > _SHOWN else ""
        raise LeafError(f'"{file}" has {count}. {listed}{rest}', errors[0].hint)
    if found.contents is None:
        raise LeafError(f'"{file}" is empty: a draft, not a lesson yet.', "Write it first.")
    return _leaf(file.parent, found, found.contents)


def read_draft(folder: Path) -> Leaf:
    """The leaf in `folder` as far as it is written: unlike `read_leaf` it may be incomplete, even empty.

    Raises:
        LeafError: there is no file, it cannot be read, or writing it anew would lose something of it.
    """
    file = folder / FILE_NAME
    try:
        return draft_of(read_source(file), folder)
    except SourceProblem as error:
        raise LeafError(f'Line {error.line} of "{file}": {error.message}', error.hint) from error


def parse_draft(text: str, folder: Path) -> Leaf:
    """As `read_draft`, of a text that is to become the qna.yaml in `folder`."""
    try:
        return draft_of(parse(text), folder)
    except SourceProblem as error:
        raise LeafError(f"Line {error.line}: {error.message}", error.hint) from error


def draft_of(source: Source, folder: Path) -> Leaf:
    """As `read_draft`, of a text that was parsed already."""
    value = {} if source.value is None else source.value
    is_knowledge = isinstance(value, dict) and _is_knowledge(folder, value)
    lost = list(foreign(value, is_knowledge))
    lost += [f'the field "{key}", which is there twice' for key in repeated_keys(source)]
    lost += ["its comments (#)"] if has_comments(source) else []
    if lost:
        listed = ", ".join(lost[:_SHOWN])
        rest = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise LeafError(
            f'"{folder / FILE_NAME}" has something that saving it here would lose: {listed}{rest}.',
            "Import the lesson: you are shown what changes before anything is written.",
        )
    examples = tuple(_draft_example(each, is_knowledge) for each in value.get("seed_examples") or ())
    kind = LeafKind.KNOWLEDGE
    if not is_knowledge:
        is_grounded = any(example.context is not None for example in examples)
        kind = LeafKind.GROUNDED_SKILL if is_grounded else LeafKind.FREEFORM_SKILL
    texts = {name: value.get(name) or "" for name in ("created_by", "task_description", "domain", "document_outline")}
    document = value.get("document") or {}
    return Leaf(
        node=node_of(folder, is_knowledge),
        folder=folder,
        kind=kind,
        version=int(value.get("version", 1 if value else VERSION)),
        seed_examples=examples,
        document=DocumentSource(
            document.get("repo") or "", document.get("commit") or "", tuple(document.get("patterns") or ())
        )
        if is_knowledge
        else None,
        **texts,
    )


def write_leaf(leaf: Leaf, folder: Path) -> Path:
    """Write `leaf` as `folder`/qna.yaml, and give that path.

    Raises:
        StorageError: the file cannot be written; an older one is untouched.
    """
    file = folder / FILE_NAME
    write_text(file, to_yaml(leaf))
    return file


def to_yaml(leaf: Leaf) -> str:
    """The text of the leaf's qna.yaml, version 3."""
    is_knowledge = leaf.kind is LeafKind.KNOWLEDGE
    lines = [f"version: {VERSION}", _field(0, "created_by", leaf.created_by)]
    if is_knowledge:
        lines += [_field(0, "domain", leaf.domain), _field(0, "document_outline", leaf.document_outline)]
    else:
        lines.append(_field(0, "task_description", leaf.task_description))
    lines.append("seed_examples:" if leaf.seed_examples else "seed_examples: []")
    for example in leaf.seed_examples:
        fields = []
        if example.context is not None:
            fields.append(_field(4, "context", example.context))
        if is_knowledge:
            fields.append("    questions_and_answers:")
            fields += [_item(6, _pair(8, pair)) for pair in example.pairs]
        else:
            fields += [line for pair in example.pairs for line in _pair(4, pair)]
        lines.append(_item(2, fields))
    if leaf.document is not None:
        lines += ["document:", _field(2, "repo", leaf.document.repo), _field(2, "commit", leaf.document.commit)]
        lines.append("  patterns:")
        lines += [f"    - {quoted(pattern)}" for pattern in leaf.document.patterns]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """`text` in double quotes on one line, as YAML: JSON's escapes are YAML's, and cover all that JSON knows of."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(text, ensure_ascii=False))


def _leaf(folder: Path, found: Inspection, contents: dict[str, Any]) -> Leaf:
    examples = tuple(_seed_example(example) for example in contents["seed_examples"])
    if found.is_knowledge:
        kind = LeafKind.KNOWLEDGE
    else:
        kind = LeafKind.FREEFORM_SKILL if examples[0].context is None else LeafKind.GROUNDED_SKILL
    document = contents.get("document")
    return Leaf(
        node=node_of(folder, found.is_knowledge),
        folder=folder,
        kind=kind,
        version=int(contents.get("version", 1)),
        created_by=contents["created_by"],
        seed_examples=examples,
        task_description=contents.get("task_description", ""),
        domain=contents.get("domain", ""),
        document_outline=contents.get("document_outline", ""),
        document=document and DocumentSource(document["repo"], document["commit"], tuple(document["patterns"])),
    )


def _is_knowledge(folder: Path, value: dict[str, Any]) -> bool:
    # As `schema.is_knowledge`, but a draft may have no document yet. The schema's library takes long to import.
    for part in reversed(folder.resolve().parts):
        if part in ("knowledge", "compositional_skills"):
            return part == "knowledge"
    return "document" in value


def foreign(value: object, is_knowledge: bool) -> Iterator[str]:
    """What a leaf has no place for among the values of a qna.yaml, a few words each; nothing where it is a draft.

    Args:
        is_knowledge: which fields there are.
    """
    if not isinstance(value, dict):
        yield "a text that has no fields"
        return
    oldest = VERSION if is_knowledge else 1
    version = value.get("version", 1 if value else VERSION)
    if isinstance(version, bool) or version not in range(oldest, VERSION + 1):
        yield f"its version {version}"
    yield from (f'the field "{key}"' for key in value.keys() - _FIELDS[is_knowledge])
    for name in _FIELDS[is_knowledge] - {"version", "seed_examples", "document"}:
        if not isinstance(value.get(name), str | None):
            yield f"{name}: {value[name]}"
    yield from _foreign_in_document(value.get("document"))
    examples = value.get("seed_examples")
    if not isinstance(examples, list | None):
        yield "examples that are no list"
    else:
        for number, example in enumerate(examples or (), start=1):
            yield from (f"example {number}: {lost}" for lost in _foreign_in_example(example, is_knowledge))


def _foreign_in_document(document: object) -> Iterator[str]:
    if document is None:
        return
    if not isinstance(document, dict):
        yield "a document without fields"
        return
    yield from (f'the document\'s field "{key}"' for key in document.keys() - {"repo", "commit", "patterns"})
    for name in ("repo", "commit"):
        if not isinstance(document.get(name), str | None):
            yield f"{name}: {document[name]}"
    names = document.get("patterns")
    if not isinstance(names, list | None) or not all(isinstance(name, str) for name in names or ()):
        yield "the document's file names"


def _foreign_in_example(example: object, is_knowledge: bool) -> Iterator[str]:
    if not isinstance(example, dict):
        yield "it has no fields"
        return
    known = {"context", "questions_and_answers"} if is_knowledge else {"context", "question", "answer"}
    yield from (f'the field "{key}"' for key in example.keys() - known)
    pairs: object = example.get("questions_and_answers") if is_knowledge else [example]
    if not isinstance(example.get("context"), str | None):
        yield f"the context {example['context']}"
    if not isinstance(pairs, list | None):
        yield "questions that are no list"
        return
    for number, pair in enumerate(pairs or (), start=1):
        if not isinstance(pair, dict):
            yield f"question {number}, which has no fields"
            continue
        if is_knowledge:
            yield from (f'question {number}: the field "{key}"' for key in pair.keys() - {"question", "answer"})
        for name in ("question", "answer"):
            if not isinstance(pair.get(name), str | None):
                yield f"{name}: {pair[name]}"


def _draft_example(example: dict[str, Any], is_knowledge: bool) -> SeedExample:
    pairs = (example.get("questions_and_answers") or ()) if is_knowledge else [example]
    context = example.get("context")
    # A context that is named but empty is one that is still to be written.
    if context is None and (is_knowledge or "context" in example):
        context = ""
    return SeedExample(tuple(Pair(pair.get("question") or "", pair.get("answer") or "") for pair in pairs), context)


def _seed_example(example: dict[str, Any]) -> SeedExample:
    pairs = example.get("questions_and_answers", [example])
    return SeedExample(tuple(Pair(pair["question"], pair["answer"]) for pair in pairs), example.get("context"))


def _pair(indent: int, pair: Pair) -> list[str]:
    return [_field(indent, "question", pair.question), _field(indent, "answer", pair.answer)]


def _item(indent: int, fields: list[str]) -> str:
    """The fields of one list item: the first takes the hyphen in place of two of its blanks."""
    text = "\n".join(fields)
    return " " * indent + "- " + text[indent + 2 :]


def _field(indent: int, name: str, text: str) -> str:
    blanks = " " * indent
    if not _reads_well_as_block(text):
        return f"{blanks}{name}: {quoted(text)}"
    body = "\n".join(f"{blanks}  {line}" if line else "" for line in text.removesuffix("\n").split("\n"))
    return f"{blanks}{name}: {'|' if text.endswith(chr(10)) else '|-'}\n{body}"


# What PyYAML refuses to read unescaped, or takes for a line end.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
# Lint objects to trailing blanks and to three blank lines even inside a text; a block cannot begin with a blank.
_UNFIT_FOR_BLOCK = re.compile(r"\A\s|[^\S\n]\n|\s\s\Z|[^\S\n]\Z|\n{4}")


def _reads_well_as_block(text: str) -> bool:
    return "\n" in text[:-1] and not _UNPRINTABLE.search(text) and not _UNFIT_FOR_BLOCK.search(text)
