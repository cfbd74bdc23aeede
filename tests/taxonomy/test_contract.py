"""Our verdict is InstructLab's: on every case of its documents, and on files that are damaged in many ways.

Where we are stricter the problem is marked as ours, and STRICTER lists every way in which we are.
"""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.taxonomy.check import Problem, check_leaf, has_errors
from tests.taxonomy.leaves import (
    MIXED,
    SAME_QUESTION,
    TWINS,
    VERSION,
    answered,
    instructlab_rejects,
    knowledge,
    skill,
    skill_answered,
    swapped,
    write,
)

MODES = ("file", "contribution")

# (what, text, is it an error for InstructLab in file mode, the same in contribution mode)
CASES: list[tuple[str, str | bytes, bool, bool]] = [
    ("knowledge", knowledge(), False, False),
    ("skill", skill(), False, False),
    ("grounded skill", skill(context=True), False, False),
    ("version 3.0", swapped(knowledge(), VERSION, "version: 3.0\n"), False, False),
    ("version '3'", swapped(knowledge(), VERSION, "version: '3'\n"), True, True),
    *(
        (f"{name} version {version}", swapped(text, VERSION, f"version: {version}\n"), True, True)
        for version in ("[3]", "true", "99", "0", "-1", ".inf", ".nan", "2.5", "", "'x'", "2024-01-01")
        for name, text in (("skill", skill()), ("knowledge", knowledge()))
    ),
    ("skill without version", swapped(skill(), VERSION, ""), False, True),
    ("skill v1 with one example", skill(1, version=1), False, True),
    ("skill v1 without task", swapped(skill(version=1), '"Rhyme."', '""'), False, True),
    ("skill v2", skill(version=2), False, True),
    ("skill v2 with 4 examples", skill(4, version=2), True, True),
    ("skill v3 with 4 examples", skill(4), True, True),
    ("knowledge with 4 contexts", knowledge(4), True, True),
    ("knowledge with 2 pairs", knowledge(pairs=2), True, True),
    ("4 pairs in a context", knowledge(pairs=4), False, False),
    ("identical examples", TWINS, True, True),
    ("same question, other answer", SAME_QUESTION, False, False),
    ("mixed leaf", MIXED, False, False),
    ("one blank as answer", answered('" "'), False, False),
    *((f"answer {answer}", answered(answer), True, True) for answer in ("''", "null", "~", "")),
    ("no answer", swapped(knowledge(), '\n        answer: "Fact 21."', ""), True, True),
    ("empty context", swapped(knowledge(), '"Bay 2 has a pier."', '""'), True, True),
    ("author is a number", swapped(knowledge(), '"jane"', "42"), True, True),
    ("author is empty", swapped(knowledge(), '"jane"', "''"), True, True),
    ("unknown key at top", knowledge() + 'colour: "blue"\n', True, True),
    (
        "unknown key in an example",
        swapped(skill(), '    answer: "Number 2."', '    answer: "N."\n    hue: "x"'),
        True,
        True,
    ),
    (
        "unknown key in a seed item",
        swapped(knowledge(), '  - context: "Bay 2', '  - hue: "x"\n    context: "Bay 2'),
        True,
        True,
    ),
    ("unknown key in document", swapped(knowledge(), "  commit:", '  hue: "x"\n  commit:'), True, True),
    ("knowledge with a task", knowledge() + 'task_description: "x"\n', True, True),
    ("a version in an example", swapped(skill(), '"Number 2."', '"N."\n    version: 42'), True, True),
    ("unknown key inside a pair", answered('"x"\n        hue: "x"'), False, False),
    ("long context", swapped(knowledge(), "Bay 2 has a pier.", "word " * 4999 + "end"), False, False),
    *(
        (f"unquoted {answer}", text(answer), True, True)
        for answer in ("Yes", "no", "on", "42", "3.14", "2024-01-01", "12:30", "#tag", "[a, b]")
        for text in (answered, skill_answered)
    ),
    *(
        (f"starts with {text[0]}", answered(text), True, True)
        for text in ("@x", "*x", "%x", "`x", "!x", "&", "|x", ">x")
    ),
    ("a: b: c", answered("a: b: c"), True, True),
    ("tab indentation", swapped(knowledge(), '        answer: "Fact 21."', '\tanswer: "Fact 21."'), True, True),
    ("quote never closed", answered('"Fact'), True, True),
    ("text after a quote", answered('"Fact" and more'), True, True),
    ("bad escape", answered(r'"C:\dir"'), True, True),
    ("control character", answered('"\x07"'), True, True),
    ("impossible date", answered("2024-13-45"), True, True),
    ("wrong tag", answered("!!bool perhaps"), True, True),
    ("empty tag", answered("!!int ''"), True, True),
    ("second document", knowledge() + "---\n" + knowledge(), True, True),
    ("UTF-8 with BOM", b"\xef\xbb\xbf" + knowledge().encode(), False, False),
    ("Latin-1", answered('"café"').encode("latin-1"), True, True),
    ("UTF-16", knowledge().encode("utf-16"), True, True),
    ("duplicate top-level key", knowledge() + 'domain: "x"\n', True, True),
    ("patterns []", swapped(knowledge(), '  patterns:\n    - "*.md"', "  patterns: []"), True, True),
    ("patterns a string", swapped(knowledge(), '  patterns:\n    - "*.md"', '  patterns: "*.md"'), True, True),
    ("patterns twice", knowledge() + '    - "*.md"\n', True, True),
    ("commit is a number", swapped(knowledge(), '"abc123"', "1234567"), True, True),
    ("no document", knowledge()[: knowledge().index("document:\n")], True, True),
    ("document is a text", knowledge()[: knowledge().index("document:\n")] + 'document: "x"\n', True, True),
    *((f"knowledge v{v}", swapped(knowledge(), VERSION, f"version: {v}\n"), True, True) for v in (1, 2)),
    ("knowledge without version", swapped(knowledge(), VERSION, ""), True, True),
    ("top-level list", "- a\n- b\n", True, True),
    ("top-level scalar", "a text\n", True, True),
    *((f"empty: {text!r}", text, False, False) for text in ("", "\n", "{}", "[]", "0", "null", "# draft\n")),
    ("examples are a mapping", swapped(skill(), skill()[skill().index("  - ") :], '  a: "b"\n'), True, True),
    ("examples are texts", swapped(skill(), skill()[skill().index("  - ") :], '  - "b"\n'), True, True),
    ("key is a number", knowledge() + "42: x\n", True, True),
    ("trailing blank", knowledge().replace('"jane"\n', '"jane" \n'), True, True),
    ("no newline at the end", knowledge().rstrip("\n"), True, True),
    ("CRLF", knowledge().replace("\n", "\r\n"), False, False),
    ("three blank lines", knowledge().replace("domain", "\n\n\ndomain"), True, False),
    ("blank line at the end", knowledge() + "\n", True, False),
    ("two blanks after a colon", knowledge().replace("domain: ", "domain:  "), True, False),
    (
        "uneven indent",
        knowledge()
        .replace("  repo", "    repo")
        .replace("  commit", "    commit")
        .replace("  patterns", "    patterns")
        .replace('    - "*', '        - "*'),
        True,
        False,
    ),
    ("duplicate key in v1", skill(version=1) + 'task_description: "x"\n', False, True),
    ("trailing blank in v1", skill(version=1).replace('"jane"\n', '"jane" \n'), False, True),
    (
        "merge key",
        skill().replace('  - question: "Rhyme on 1?"', '  - <<: {context: "x"}\n    question: "Rhyme on 1?"'),
        False,
        False,
    ),
]
LAYOUT = [
    "duplicate top-level key",
    "trailing blank",
    "CRLF",
    "three blank lines",
    "uneven indent",
    "duplicate key in v1",
]


@pytest.mark.parametrize(("what", "text", "file_error", "contribution_error"), CASES, ids=[case[0] for case in CASES])
def test_verdict_equals_instructlabs_in_both_modes(what, text, file_error, contribution_error, tmp_path, monkeypatch):
    file = write(tmp_path, text)
    (tmp_path / "attribution.txt").write_text("My own work\n")

    for mode, expected in zip(MODES, (file_error, contribution_error), strict=True):
        problems = check_leaf(tmp_path, mode)

        assert instructlab_rejects(file, mode, monkeypatch) is expected
        assert has_errors(_theirs(problems)) is expected, problems
        assert all(problem.message.endswith(".") and problem.hint for problem in problems), problems


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in LAYOUT], ids=LAYOUT)
def test_layout_verdict_equals_that_of_the_yamllint_command(case, tmp_path, monkeypatch):
    _, text, file_error, contribution_error = case
    file = write(tmp_path, text)

    assert instructlab_rejects(file, "file", monkeypatch, real_lint=True) is file_error
    assert instructlab_rejects(file, "contribution", monkeypatch, real_lint=True) is contribution_error


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        ("foundational_skills/a", knowledge(), False),
        ("foundational_skills/a", skill(), False),
        ("knowledge/a/compositional_skills/b", skill(), False),
        ("compositional_skills/a", knowledge(), True),
        ("knowledge/a", skill(), True),
        ("knowledge/a", knowledge(), False),
    ],
)
def test_the_last_root_in_the_path_chooses_the_schema(place, text, expected, tmp_path, monkeypatch):
    file = write(tmp_path / place, text)

    assert instructlab_rejects(file, "file", monkeypatch) is expected
    assert has_errors(check_leaf(file)) is expected


_LINES = knowledge().splitlines(keepends=True)
_PARTS = st.sampled_from(
    [
        "",
        "\n",
        " ",
        '"',
        ":",
        "- ",
        "#",
        "42",
        "yes",
        "{}",
        "[",
        "&a ",
        "*a",
        "!x ",
        "\t",
        "null",
        "é",
        "\x85",
        "|",
        "? ",
    ]
)
_MUTATION = st.tuples(st.sampled_from(["skill", "knowledge", "v2"]), st.integers(0, 10_000), st.integers(0, 30), _PARTS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_MUTATION)
def test_verdict_equals_instructlabs_on_damaged_files(tmp_path, monkeypatch, mutation):
    name, at, length, part = mutation
    text = {"skill": skill(), "knowledge": knowledge(), "v2": skill(version=2)}[name]
    at %= len(text)
    file = write(tmp_path, text[:at] + part + text[at + length :])

    for mode in MODES:
        problems = _theirs(check_leaf(file, mode))
        assert has_errors(problems) is instructlab_rejects(file, mode, monkeypatch), problems


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(_LINES) - 1), st.integers(0, len(_LINES) - 1), st.booleans())
def test_verdict_equals_instructlabs_when_lines_move(tmp_path, monkeypatch, source, target, keep):
    lines = list(_LINES)
    line = lines[source] if keep else lines.pop(source)
    lines.insert(target, line)
    file = write(tmp_path, "".join(lines))

    problems = _theirs(check_leaf(file))
    assert has_errors(problems) is instructlab_rejects(file, "file", monkeypatch), problems


DEEP = answered('"x"\n        extra: ' + "[" * 60 + "]" * 60)
STRICTER = [
    # (in our message, a file that InstructLab accepts and we do not)
    ("is missing, though other examples have one", MIXED),
    ("is only blanks", answered('" "')),
    ("is only blanks", answered('"\\u200b"')),
    ("has half a character", answered('"\\ud83d"')),
    ("is written twice", skill(version=1) + 'task_description: "x"\n'),
    ("lie inside each other", DEEP),
]
"""Every way in which we are stricter about the text of a file. The rest is what hostile files are refused for."""
_STRICTER = re.compile(
    "|".join(re.escape(says) for says, _ in STRICTER)
    + "|contains itself|stand for millions|the most is 5 MB|No document matches|leads out of|cannot be understood"
)


@pytest.mark.parametrize(("says", "text"), STRICTER, ids=[says for says, _ in STRICTER])
def test_where_we_are_stricter_instructlab_accepts_and_it_is_marked(says, text, tmp_path, monkeypatch):
    file = write(tmp_path, text)

    errors = [problem for problem in check_leaf(file) if problem.severity == "error"]

    assert not instructlab_rejects(file, "file", monkeypatch)
    assert [problem.ours for problem in errors] == [True], errors
    assert says in errors[0].message


VALUES = [42, 3.5, True, None, "", " ", "x", "yes", "12:30", [], {}, ["x"], {"a": "b"}, 3, "3", 2, 1]
KEYS = ["version", "context", "question", "answer", "document", "task_description", "hue", "domain", 42, True]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value below the top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in ((*path, key), *_paths(item, (*path, key)))]


def _mutated(value: dict[str, Any], draw: Any) -> None:
    """Drop, duplicate, rename, add or exchange one thing."""
    paths = _paths(value)
    if not paths:
        return
    path = draw(st.sampled_from(paths))
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    key = path[-1]
    what = draw(st.sampled_from(["drop", "double", "rename", "add", "exchange", "cut"]))
    if what == "drop":
        del parent[key]
    elif what == "exchange":
        parent[key] = deepcopy(draw(st.sampled_from(VALUES)))
    elif isinstance(parent, list):
        if what == "double":
            parent.insert(key, deepcopy(parent[key]))
        elif what == "cut":
            del parent[key:]
    elif what == "rename":
        parent[draw(st.sampled_from(KEYS))] = parent.pop(key)
    elif what == "add":
        parent[draw(st.sampled_from(KEYS))] = deepcopy(draw(st.sampled_from(VALUES)))


def _dumped(value: Any, draw: Any) -> str:
    """`value` as YAML in some style."""
    return yaml.safe_dump(
        value,
        sort_keys=draw(st.booleans()),
        default_style=draw(st.sampled_from([None, None, "'", '"', "|"])),
        default_flow_style=draw(st.sampled_from([False, False, None, True])),
        indent=draw(st.sampled_from([2, 4])),
        width=draw(st.sampled_from([40, 10_000])),
        explicit_start=draw(st.booleans()),
        allow_unicode=True,
    )


def _laid_out(text: str, draw: Any) -> bytes:
    """`text` with one thing changed that is not about its values."""
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    what = draw(
        st.sampled_from(
            [
                "",
                "",
                "blanks",
                "lines",
                "twice",
                "gone",
                "tab",
                "colon",
                "comment",
                "end",
                "crlf",
                "cr",
                "bom",
                "latin",
                "utf-16",
            ]
        )
    )
    if what == "blanks":
        lines[at] += "  "
    elif what == "lines":
        lines[at:at] = [""] * draw(st.integers(1, 4))
    elif what == "twice":
        lines.insert(at, lines[at])
    elif what == "gone":
        del lines[at]
    elif what == "tab":
        lines[at] = lines[at].replace("  ", "\t", 1)
    elif what == "colon":
        lines[at] = lines[at].replace(": ", draw(st.sampled_from([":  ", ":", " : "])), 1)
    elif what == "comment":
        lines[at] += draw(st.sampled_from([" # note", "#note", "\n# yamllint disable"]))
    text = "\n".join(lines)
    if what == "end":
        return text.rstrip("\n").encode()
    if what in ("crlf", "cr"):
        return text.replace("\n", "\r\n" if what == "crlf" else "\r").encode()
    if what == "latin":
        return text.replace("Islands", "Fär Öer").replace("Rhyme", "Écrire").encode("latin-1")
    return text.encode("utf-8-sig" if what == "bom" else "utf-16" if what == "utf-16" else "utf-8")


BASES = [knowledge(), knowledge(6, 4), skill(), skill(6, context=True), skill(version=2), skill(2, version=1)]
PLACES = [
    "topic",
    "knowledge/a/b",
    "compositional_skills/a",
    "foundational_skills/a",
    "knowledge/compositional_skills/b",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_verdict_equals_instructlabs_on_files_of_any_shape(tmp_path, monkeypatch, data):
    value = yaml.safe_load(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(0, 3))):
        _mutated(value, data.draw)
    folder = tmp_path / data.draw(st.sampled_from(PLACES))
    file = write(folder, _laid_out(_dumped(value, data.draw), data.draw))
    attribution = data.draw(st.sampled_from([None, "", "Title of work: Mine\n"]))
    (folder / "attribution.txt").unlink(missing_ok=True)
    if attribution is not None:
        (folder / "attribution.txt").write_text(attribution)

    for mode in MODES:
        problems = check_leaf(folder, mode)
        own = [problem for problem in problems if problem.ours and problem.severity == "error"]

        assert has_errors(_theirs(problems)) is instructlab_rejects(file, mode, monkeypatch), problems
        assert all(_STRICTER.search(problem.message) or "attribution.txt" in problem.message for problem in own), own
        lacks_attribution = any("attribution.txt" in problem.message for problem in problems)
        # InstructLab's script asks for it once the file is a mapping at all.
        is_asked_for = mode == "contribution" and not attribution and _is_mapping(file)
        assert lacks_attribution is is_asked_for, problems


def _theirs(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.ours]


def _is_mapping(file: Path) -> bool:
    try:
        value = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError):
        return False
    return bool(value) and isinstance(value, dict)


@pytest.mark.parametrize("name", ["qna.yml", "QNA.YAML", "other.yaml"])
def test_another_name_is_rejected_by_both(name, tmp_path, monkeypatch):
    file = write(tmp_path, skill()).rename(tmp_path / name)

    assert instructlab_rejects(file, "contribution", monkeypatch)
    assert has_errors(check_leaf(file, "contribution"))
