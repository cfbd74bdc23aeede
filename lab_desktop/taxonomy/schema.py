"""What the JSON Schema of the instructlab-schema package says about a qna.yaml, in our words.

The schema is the contract: nothing here decides what is allowed, it only finds the right schema and retells it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from instructlab.schema import schema_base, schema_versions
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from lab_desktop.taxonomy import tree
from lab_desktop.taxonomy.source import Source
from lab_desktop.taxonomy.words import Finding, Steps, place, plain_place, plain_subject, subject

_OLDEST_KNOWLEDGE = 3
_OLDER = "It is written in an older form."


def is_knowledge(file: Path, contents: dict[str, Any]) -> bool:
    """True when the knowledge schema applies, else the skill schema does."""
    return tree.is_knowledge(file.resolve(), "document" in contents)


def own_version(contents: dict[str, Any]) -> int:
    """The version that InstructLab would take the file for; the schema then judges what was written."""
    version = contents.get("version", 1)
    try:
        return -1 if isinstance(version, bool) else int(version)
    except (ValueError, TypeError, OverflowError):
        return 1


@functools.cache
def newest_version() -> int:
    """The newest version of the format, which a contribution must have."""
    return int(schema_versions()[-1].name[1:])


def findings(source: Source, knowledge: bool, version: int) -> Iterator[Finding]:
    """Everything in which `source` (a mapping) differs from the schema of `version`."""
    written = source.value.get("version", 1)
    here = source.position(["version"])
    if knowledge and "version" in source.value and written in (1, 2) and not isinstance(written, bool):
        message = f"The lesson has the old format (version {written}): its questions have no passages."
        hint = f"Give the questions passages (context) of the document and write version: {_OLDEST_KNOWLEDGE}."
        yield Finding(("version",), here, message, hint, "It has an old form, in which questions have no passages.")
        return
    if knowledge and version in range(1, _OLDEST_KNOWLEDGE):
        version = _OLDEST_KNOWLEDGE  # nothing older is accepted, so say what is missing from the format that is
    validator = _validator(knowledge, version)
    if validator is None:
        message = f"The version {written} is not known."
        hint = f"Write version: {newest_version()}."
        yield Finding(("version",), here, message, hint, "It is written in a form that is not known.")
        return
    said = set()
    for error in validator.iter_errors(source.value):
        for finding in _in_words(source, error, version, knowledge):
            # jsonschema repeats itself: one "required" error for each missing field, type and value of the version.
            if (finding.steps, finding.message) not in said:
                said.add((finding.steps, finding.message))
                yield finding


@functools.cache
def _validator(is_knowledge: bool, version: int) -> Draft202012Validator | None:
    """The validator of the package's schema; None where there is no such version."""
    name = "knowledge" if is_knowledge else "compositional_skills"
    base = schema_base().joinpath(f"v{version}")
    if not base.joinpath(f"{name}.json").is_file():
        return None

    def schema(file: str) -> Resource[Any]:
        return Resource.from_contents(json.loads(base.joinpath(file).read_text("utf-8")), DRAFT202012)

    registry: Registry[Any] = Registry(retrieve=schema)  # type: ignore[call-arg]  # attrs: mypy does not see the field
    kind = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"uniqueItems": _unique_items}
    )
    validator: Draft202012Validator = kind(schema(f"{name}.json").contents, registry=registry)
    return validator


def _unique_items(
    validator: Draft202012Validator, wanted: bool, items: object, schema: object
) -> Iterator[ValidationError]:
    """jsonschema's rule, but in linear time (its own compares every pair) and naming the twin."""
    if not wanted or not isinstance(items, list):
        return
    first: dict[Any, int] = {}
    for index, item in enumerate(items):
        twin = first.setdefault(_hashable(item), index)
        if twin != index:
            yield ValidationError(str(twin), path=[index])


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return ("dict", frozenset((_hashable(key), _hashable(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(_hashable(item) for item in value))
    if isinstance(value, set):
        return ("set", frozenset(value))
    # True is not 1 for JSON Schema.
    return ("bool", value) if isinstance(value, bool) else value


def _in_words(source: Source, error: ValidationError, version: int, knowledge: bool) -> Iterator[Finding]:
    """Everything that one schema error says."""
    steps = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    value: Any = error.instance

    def here(says: str, hint: str, plain: str) -> Finding:
        return Finding(steps, source.position(steps), place(steps, says), hint, plain)

    def plainly(says: str, at: Steps = steps) -> str:
        return plain_place(at, says, knowledge)

    if steps == ("version",):
        hint = f"Write version: {version}, without quotes."
        yield here(f"must be the number {version}", hint, _OLDER)
    elif error.validator == "required":
        for name in (name for name in wanted if name not in value):
            within = (*steps, name)
            hint = f'Add "{name}:" and write it.'
            plain = _OLDER if within == ("version",) else plainly("is missing", within)
            yield Finding(within, source.position(steps), place(within, "is missing"), hint, plain)
    elif error.validator == "unevaluatedProperties" and isinstance(error.schema, Mapping):
        known = {*error.schema["properties"], *([] if steps else ["version"])}
        for name in (name for name in value if name not in known):
            message = place((*steps, str(name)), "does not belong there")
            hint = "Check its spelling and indent, or delete it."
            where = plain_subject(steps, knowledge)
            plain = f"“{name}” does not belong {f'to {where}' if where else 'there'}."
            yield Finding((*steps, str(name)), source.key_position(steps, name), message, hint, plain)
    elif error.validator == "type":
        plain = plainly("is empty" if value is None else "cannot be read as written")
        yield here(*_wrong_type(source, steps, value, str(wanted)), plain)
    elif error.validator == "minLength":
        yield here("is empty", "Write it.", plainly("is empty"))
    elif error.validator == "minItems":
        count = len(value)
        plain = _too_few(steps, count, wanted, knowledge)
        yield here(f"are only {count}; at least {wanted} are needed", f"Add {wanted - count} more.", plain)
    elif error.validator == "uniqueItems":
        twin = (*steps[:-1], int(error.message))
        plain = plainly(f"is the same as {plain_subject(twin, knowledge)}")
        yield here(f"is the same as {subject(twin)}", "Change one of the two, or delete it.", plain)
    else:  # a rule that a later schema adds
        plain = plainly("is not as it should be")
        yield here(f"does not fit the format ({error.message[:200]})", "Compare it with an example lesson.", plain)


def _too_few(steps: Steps, count: int, wanted: int, is_knowledge: bool) -> str:
    """In plain words, of the examples, a passage's questions, or the names of the texts."""
    needed = f"at least {wanted} {'is' if wanted == 1 else 'are'} needed"
    if steps[-1] == "patterns":
        return "No text is named to learn from."
    if steps[-1] == "questions_and_answers":
        said = (
            f"{plain_subject(steps, is_knowledge)} has {count} {'question' if count == 1 else 'questions'}; {needed}."
        )
        return said[0].upper() + said[1:]
    thing = "passage" if is_knowledge else "example"
    return f"It has {count} {thing if count == 1 else f'{thing}s'}; {needed}."


def _wrong_type(source: Source, steps: Steps, value: object, wanted: str) -> tuple[str, str]:
    node = source.node(steps)
    raw = node.value if isinstance(node, yaml.ScalarNode) else ""
    quote = f'Put it in quotes: {steps[-1]}: "{raw}"' if isinstance(steps[-1], str) else f'Put it in quotes: "{raw}"'
    if wanted == "array":
        hint = '- "*.md"' if steps[-1] == "patterns" else "- …"
        return "must be a list", f"Write every item on a line of its own, starting with a hyphen: {hint}"
    if wanted == "object":
        return "is not a group of fields", "Write its fields on lines of their own, indented."
    if value is None:
        line = source.text.split("\n")[source.position(steps)[0] - 1]
        if "#" in line:
            return "is empty: what follows # is a comment, not text", "Put a text that starts with # in quotes."
        return "is empty", f"Write it{'' if not raw else f', or put it in quotes if you mean the word {raw}'}."
    if isinstance(value, bool):
        return f"is {raw} without quotes, which means {'true' if value else 'false'} and is not a text", quote
    if isinstance(value, int | float):
        return f"is {raw} without quotes, which is the number {value} and not a text", quote
    if isinstance(value, list | dict):
        return "is a list or a group of fields, not a text", "Put the whole text in quotes."
    return f"is {raw} without quotes, which is a date and not a text", quote
