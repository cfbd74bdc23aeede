"""The verdict equals InstructLab's; the words are ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab_desktop.taxonomy.check import Problem, check_leaf, check_paths, has_errors
from tests.taxonomy.leaves import instructlab_rejects, knowledge, skill, write

MODES = ("file", "contribution")


def answered(answer: str) -> str:
    """A knowledge leaf whose third example's second answer is `answer`, as written in the file."""
    return knowledge().replace('"Fact 21."', answer)


def skill_answered(answer: str) -> str:
    return skill().replace('"Number 2."', answer)


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


VERSION = "version: 3\n"
MIXED = swapped(skill(), '  - question: "Rhyme on 2?"', '  - context: "Bay"\n    question: "Rhyme on 2?"')
TWINS = swapped(swapped(skill(), "Rhyme on 1?", "Rhyme on 0?"), "Number 1.", "Number 0.")
SAME_QUESTION = swapped(skill(), "Rhyme on 1?", "Rhyme on 0?")

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
        assert has_errors(problem for problem in problems if not problem.ours) is expected, problems
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
        problems = [problem for problem in check_leaf(file, mode) if not problem.ours]
        assert has_errors(problems) is instructlab_rejects(file, mode, monkeypatch), problems


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(_LINES) - 1), st.integers(0, len(_LINES) - 1), st.booleans())
def test_verdict_equals_instructlabs_when_lines_move(tmp_path, monkeypatch, source, target, keep):
    lines = list(_LINES)
    line = lines[source] if keep else lines.pop(source)
    lines.insert(target, line)
    file = write(tmp_path, "".join(lines))

    problems = [problem for problem in check_leaf(file) if not problem.ours]
    assert has_errors(problems) is instructlab_rejects(file, "file", monkeypatch), problems


ANSWER = "seed_examples[2].questions_and_answers[1].answer"
LAST = knowledge().count("\n") + 1


def only(path: Path, mode: str = "file") -> Problem:
    """The one error of a leaf."""
    found = [problem for problem in check_leaf(path, mode) if problem.severity == "error"]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "line", "field", "message", "hint"),
    [
        (answered('""'), 27, ANSWER,
         "Example 3, question 2: the answer is empty.", "Write it."),
        (answered("Yes"), 27, ANSWER, "is Yes without quotes", 'answer: "Yes"'),
        (answered("12:30"), 27, ANSWER, "the number 750", '"12:30"'),
        (answered("2024-01-01"), 27, ANSWER, "a date", "in quotes"),
        (answered("#tag"), 27, ANSWER, "what follows # is a comment", "quotes"),
        (answered("@home"), 27, "", 'cannot start with "@"', "in quotes"),
        (answered("*x"), 27, "", 'cannot start with "*"', "in quotes"),
        (answered("!x"), 27, "", 'cannot start with "!"', "in quotes"),
        (answered("a: b: c"), 27, "", "A text with a colon must be in quotes.", "in quotes"),
        (swapped(knowledge(), '        answer: "Fact 21."', '\tanswer: "x"'), 27, "", "indented with a tab", "blanks"),
        (answered('"\x07"'), 27, "", "control character (U+0007)", "Delete"),
        (answered('"é"').encode("latin-1"), 27, "", "A character here is not UTF-8.", "UTF-8"),
        (skill(4), 4, "seed_examples", "examples (seed_examples) are only 4; at least 5 are needed.", "Add 1 more."),
        (knowledge() + 'hue: "x"\n', LAST, "hue", 'The field "hue" does not belong there.', "spelling"),
        (TWINS, 7, "seed_examples[1]", "Example 2 is the same as example 1.", "Change one"),
        (swapped(skill(), 'created_by: "jane"\n', ""), 1, "created_by", "The author (created_by) is missing.", "Add"),
        (swapped(skill(), VERSION, "version: 9\n"), 1, "version", "The version 9 is not known.", "version: 3"),
        (knowledge() + 'domain: "x"\n', LAST, "", "A field is written twice", "only the last would count"),
    ],
)  # fmt: skip
def test_problems_say_where_what_and_what_to_do(text, line, field, message, hint, tmp_path):
    problem = only(write(tmp_path, text))

    assert (problem.line, problem.field) == (line, field)
    assert message in problem.message
    assert hint in problem.hint


def test_an_open_quote_is_reported(tmp_path):
    text = skill().removesuffix('"\n') + "\n"
    problem = only(write(tmp_path, text))

    assert problem.line == text.count("\n")
    assert "never closed" in problem.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MIXED, "Example 1: the context is missing, though other examples have one."),
        (answered('" "'), "Example 3, question 2: the answer is only blanks."),
        (answered('"\\u200b"'), "only blanks"),
        (answered('"\\ud83d"'), "half a character"),
        (skill(version=1) + 'task_description: "x"\n', "written twice"),
    ],
)
def test_where_we_are_stricter_it_is_marked_as_ours(text, says, tmp_path):
    problem = only(write(tmp_path, text))

    assert problem.ours
    assert says in problem.message


def test_a_missing_document_is_an_error_that_says_what_to_do(tmp_path):
    problem = only(write(tmp_path, knowledge(), document=False))

    assert problem.ours
    assert problem.field == "document.patterns"
    assert "beside qna.yaml" in problem.hint


def test_a_contribution_needs_an_attribution_that_says_something(tmp_path):
    write(tmp_path, knowledge())
    assert "no attribution.txt" in only(tmp_path, "contribution").message

    (tmp_path / "attribution.txt").touch()
    assert "is empty" in only(tmp_path, "contribution").message

    (tmp_path / "attribution.txt").write_text("My own\n")
    assert check_leaf(tmp_path, "contribution") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (swapped(knowledge(), "Bay 2 has a pier.", "word " * 501), "Example 3: the context has 501 words"),
        (swapped(skill(), "Number 2.", "word " * 251), "Example 3 has 254 words"),
        (knowledge(pairs=4), "Example 1: the questions are 4; the teacher is shown the first 3"),
        (SAME_QUESTION, "Example 2: the question is nearly the same as"),
        ("", "draft"),
    ],
)
def test_advice_is_no_error(text, says, tmp_path):
    problems = check_leaf(write(tmp_path, text))

    assert not has_errors(problems)
    assert says in problems[0].message


def test_a_whole_tree_is_checked_and_misnamed_files_are_pointed_out(tmp_path):
    write(tmp_path / "knowledge" / "good", knowledge())
    bad = write(tmp_path / "compositional_skills" / "bad", skill(4))
    (tmp_path / "knowledge" / "qna.yml").write_text(knowledge())

    problems = check_paths([tmp_path])

    assert [problem.file for problem in problems] == [tmp_path / "knowledge" / "qna.yml", bad]
    assert "Rename" in check_paths([tmp_path / "knowledge" / "qna.yml"])[0].hint
    assert "does not exist" in check_paths([tmp_path / "nowhere"])[0].message


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a [*a]\n",
        "a: &a {<<: *a}\n",
        "[" * 100_000,
        "a: " + "{a: " * 60 + "}" * 60,
        "- " * 100_000,
        "x" * 5_000_001,
        b"\0" * 1000,
        bytes(range(256)),
        skill() + "".join(f'  - question: "{n}"\n    answer: "{n}"\n' for n in range(2_000)),
    ],
    ids=["bomb", "loop", "merge loop", "brackets", "braces", "hyphens", "huge", "zeros", "bytes", "long"],
)
def test_hostile_files_get_a_quick_answer(text, tmp_path):
    expected_error = not isinstance(text, str) or not text.startswith("version")
    file = write(tmp_path, text)

    start = time.perf_counter()
    problems = check_leaf(file)

    assert time.perf_counter() - start < 10
    assert has_errors(problems) is expected_error
