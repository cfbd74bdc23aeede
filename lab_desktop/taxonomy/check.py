"""Is this leaf good? Every problem with its file, line, field and what to do.

The contract is the JSON Schema of the instructlab-schema package and the layout that yamllint asks for (`layout`), in
the two modes in which InstructLab applies them; the verdict is theirs, the words are ours. Where we are stricter
(`Problem.ours`) the file would pass there and fail later, while data is generated. Advice never makes a leaf unusable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab_desktop.errors import DocumentError, LeafError
from lab_desktop.paths import documents_beside
from lab_desktop.taxonomy import schema
from lab_desktop.taxonomy.advice import advice
from lab_desktop.taxonomy.layout import faults
from lab_desktop.taxonomy.source import Source, SourceProblem, parse, read_source
from lab_desktop.taxonomy.tree import FILE_NAME, find_leaves, find_misnamed
from lab_desktop.taxonomy.words import LINT, Finding, Steps, field, place, plain_place

Mode = Literal["file", "contribution"]
"""file: the schema of the file's own version and every lint rule, as `ilab taxonomy diff` and `ilab data generate`.
contribution: the newest schema, layout warnings allowed, attribution.txt required, as the taxonomy's own checks."""

Severity = Literal["error", "advice"]


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a leaf.

    Attributes:
        file: the file it is in.
        line, column: from 1.
        field: the technical name, e.g. "seed_examples[2].questions_and_answers[1].answer"; "" for the whole file.
        message: what is wrong, in a sentence.
        hint: what to do.
        plain: what is wrong, for who never saw the file: without its names of things.
        severity: an error makes the leaf unusable in the mode asked for.
        ours: InstructLab's parser does not report it.
        layout: only blanks, blank lines or line ends: nothing is misread, and saving the leaf here repairs it.
    """

    file: Path
    line: int
    column: int
    field: str
    message: str
    hint: str
    plain: str
    severity: Severity = "error"
    ours: bool = False
    layout: bool = False

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


@dataclass(frozen=True)
class Inspection:
    """What was found in a qna.yaml.

    Attributes:
        problems: errors first, by line.
        contents: the top mapping, None where the file has none.
        is_knowledge: which of the two schemas applies.
    """

    problems: tuple[Problem, ...]
    contents: dict[str, Any] | None = None
    is_knowledge: bool = False


def check_leaf(path: Path, mode: Mode = "file") -> list[Problem]:
    """Every problem of one leaf: its qna.yaml, and the documents and attribution beside it. `path`: folder or file."""
    file = path / FILE_NAME if path.is_dir() else path
    inspection = inspect(file, mode)
    problems = list(inspection.problems)
    if inspection.contents is not None:
        if inspection.is_knowledge:
            problems += _missing_documents(file, inspection.contents)
        if mode == "contribution":
            problems += _missing_attribution(file.parent)
    return _sorted(problems)


def check_paths(paths: Iterable[Path], mode: Mode = "file") -> list[Problem]:
    """Every problem of every leaf at or below `paths`, and files that only look like a leaf."""
    problems = []
    for path in paths:
        misnamed = [path] if path.is_file() and path.name != FILE_NAME else find_misnamed(path)
        try:
            leaves = find_leaves(path) if not path.is_file() or path.name == FILE_NAME else []
        except LeafError as error:
            leaves = []
            if not misnamed:
                problems.append(Problem(path, 1, 1, "", error.message, error.hint, "There is no lesson here."))
        problems += [_misnamed(file) for file in misnamed]
        for leaf in leaves:
            problems += check_leaf(leaf, mode)
    return problems


def has_errors(problems: Iterable[Problem]) -> bool:
    """True when something is more than advice."""
    return any(problem.severity == "error" for problem in problems)


def inspect(file: Path, mode: Mode = "file") -> Inspection:
    """Check a qna.yaml by itself, without looking at what lies beside it."""
    if not file.is_file():
        message = f'There is no file "{file.name}" in {file.parent}.'
        found = Problem(file, 1, 1, "", message, "Check the name.", "There is no lesson here any more.")
        return Inspection((found,))
    if file.name != FILE_NAME:
        return Inspection((_misnamed(file),))
    try:
        return _inspection(read_source(file), file, mode)
    except SourceProblem as error:
        return _unreadable(file, error)


def inspect_text(text: str, file: Path, mode: Mode = "file") -> Inspection:
    """As `inspect`, of a text (line ends \\n) that is to become the qna.yaml `file`."""
    try:
        return _inspection(parse(text), file, mode)
    except SourceProblem as error:
        return _unreadable(file, error)


def findings(contents: dict[str, Any], is_knowledge: bool) -> list[Finding]:
    """Every error that the newest version's file of these contents has, layout and files beside it apart."""
    source = Source("", contents, None)
    return [
        *schema.findings(source, is_knowledge, schema.newest_version()),
        *_stricter(source, is_knowledge),
    ]


def _unreadable(file: Path, error: SourceProblem) -> Inspection:
    plain = f"The lesson file cannot be read (line {error.line})."
    found = Problem(file, error.line, error.column, "", error.message, error.hint, plain, ours=error.ours)
    return Inspection((found,))


def _inspection(source: Source, file: Path, mode: Mode) -> Inspection:
    if not source.value:
        message = "The file is empty: a draft, not a lesson yet."
        hint = "Write it, or delete the file."
        return Inspection((Problem(file, 1, 1, "", message, hint, "Nothing is written yet.", "advice"),))
    if not isinstance(source.value, dict):
        message = "The file has no fields: it must be lines such as created_by: and seed_examples:."
        plain = "There is nothing of a lesson in the lesson file."
        return Inspection((Problem(file, 1, 1, "", message, "Start from an example lesson.", plain),))
    contents = source.value
    is_knowledge = schema.is_knowledge(file, contents)
    version = schema.newest_version() if mode == "contribution" else schema.own_version(contents)
    problems = [_problem(file, finding) for finding in schema.findings(source, is_knowledge, version)]
    problems += [_problem(file, finding, ours=True) for finding in _stricter(source, is_knowledge)]
    problems += _lint_problems(file, source.text, version, mode)
    if not has_errors(problem for problem in problems if not problem.layout):
        for steps, message, hint, plain in advice(contents, is_knowledge):
            finding = Finding(steps, source.position(steps), message, hint, plain)
            problems.append(_problem(file, finding, ours=True, severity="advice"))
    return Inspection(tuple(_sorted(problems)), contents, is_knowledge)


def _problem(file: Path, found: Finding, ours: bool = False, severity: Severity = "error") -> Problem:
    return Problem(file, *found.position, field(found.steps), found.message, found.hint, found.plain, severity, ours)


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.severity != "error", problem.line, problem.column))


def _misnamed(file: Path) -> Problem:
    message = f'A lesson must be named "{FILE_NAME}"; "{file.name}" is not found by InstructLab.'
    plain = f"Its file is called “{file.name}”, and is not found under this name."
    return Problem(file, 1, 1, "", message, f"Rename the file to {FILE_NAME}.", plain)


def _stricter(source: Source, is_knowledge: bool) -> Iterator[Finding]:
    """What the schema lets pass and generation would stumble over: blank texts, broken characters, a mixed leaf."""
    for steps, text in _texts(source.value):
        here = source.position(steps)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            message = place(steps, "has half a character (\\uD800 to \\uDFFF)")
            plain = plain_place(steps, "has a broken character", is_knowledge)
            yield Finding(steps, here, message, "Type the character itself.", plain)
        elif text and not any(letter.isprintable() and not letter.isspace() for letter in text):
            plain = plain_place(steps, "is still empty", is_knowledge)
            yield Finding(steps, here, place(steps, "is only blanks"), "Write it.", plain)
    examples = source.value.get("seed_examples")
    if is_knowledge or not isinstance(examples, list):
        return
    has_context = [isinstance(example, dict) and "context" in example for example in examples]
    if any(has_context) and not all(has_context):
        steps = ("seed_examples", has_context.index(False))
        message = place((*steps, "context"), "is missing, though other examples have one")
        hint = "Give every example a context, or none: the two kinds are taught differently."
        plain = plain_place((*steps, "context"), "is missing, though other examples have some", is_knowledge)
        yield Finding(steps, source.position(steps), message, hint, plain)


def _texts(value: object, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*steps, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*steps, index))


def _missing_documents(file: Path, contents: dict[str, Any]) -> Iterator[Problem]:
    document = contents.get("document")
    patterns = document.get("patterns") if isinstance(document, dict) else None
    if not isinstance(patterns, list) or not patterns or not all(isinstance(item, str) and item for item in patterns):
        return  # the schema has said so
    try:
        documents_beside(file.parent, tuple(patterns))
    except DocumentError as error:
        plain = "There is no document beside it yet."
        yield Problem(file, 1, 1, "document.patterns", error.message, error.hint, plain, ours=True)


def _missing_attribution(folder: Path) -> Iterator[Problem]:
    file = folder / "attribution.txt"
    hint = "Write the title, link, revision, licence and creators of every source, or that it is your own work."
    plain = "It does not say where its texts come from, and under which licence they are."
    if not file.is_file():
        yield Problem(file, 1, 1, "", f"There is no attribution.txt beside {FILE_NAME}.", hint, plain, ours=True)
    elif file.stat().st_size == 0:
        yield Problem(file, 1, 1, "", "attribution.txt is empty.", hint, plain, ours=True)


def _lint_problems(file: Path, text: str, version: int, mode: Mode) -> Iterator[Problem]:
    for found in faults(text):
        # InstructLab lints from version 2 on. A field written twice loses a text in any version.
        is_linted = version > 1
        is_layout = found.rule != "key-duplicates"
        if not is_linted and is_layout:
            continue
        is_error = mode == "file" or found.is_grave
        message, hint = LINT[found.rule]
        if is_layout:
            plain = f"Line {found.line} of the lesson file has an unusual layout; saving it here mends that."
        else:
            plain = f"Something stands twice in the lesson file (line {found.line}); only the last would count."
        yield Problem(
            file,
            found.line,
            found.column,
            "",
            message.format(desc=found.says),
            hint,
            plain,
            "error" if is_error else "advice",
            ours=not is_linted,
            layout=is_layout,
        )
